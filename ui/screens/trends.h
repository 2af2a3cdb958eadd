/* ui/screens/trends: the line's answer to `trends`, for the screens that show fixtures. */
#ifndef LINESIDE_UI_TRENDS_H
#define LINESIDE_UI_TRENDS_H

#include "ui/widgets/spark.h"
#include "ui/widgets/view.h"

#define TREND_STEPS 20

enum trend { TREND_YIELD, TREND_TIME, TREND_CONTACT, TRENDS };
struct trends {
    long long v[TRENDS][TREND_STEPS]; /* per cent, milliseconds, problems */
    struct spark spark[TRENDS];       /* into v */
    char text[TRENDS][32];            /* of all of them: "98 %", "8.4", "3"; "": not known */
};
/* fixture: one of the answer's, whatever it is. */
void trends_read(const json_t *fixture, struct trends *out);

/* In a word: works, is stopped, is due for maintenance. */
const char *trends_state(const struct view *v, const json_t *fixture, enum tone *t);
/* When a golden unit passed there last. */
void trends_golden(const struct view *v, const json_t *fixture, char *out, size_t cap);

#endif
