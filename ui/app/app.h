/* ui/app: the screen at work: terminal, line and clock in one loop. */
#ifndef LINESIDE_UI_APP_H
#define LINESIDE_UI_APP_H

#include "station/base/err.h"
#include "ui/model/model.h"
#include "ui/words/words.h"

#define BELLS_MAX 9
struct app_options {
    const char *data_dir;
    enum lang lang;
    bool mute;
    int bells_pass, bells_fail, bells_refused; /* 0: silent */
    int lock_after_s; /* 0: never */
    const char *media; /* the folder in which media are mounted */
};

/* Until whoever stands there leaves it, the terminal goes, or a signal comes. */
int app_run(const struct app_options *o, struct err *e);

#endif
