/* lineside-ui: the operator's screen. Started by `lineside ui`, which has looked
 * at its options; apart, so that the program that keeps the ledger has no
 * terminal library in it, and one's death is not the other's. */
#include "station/base/start.h"
#include "ui/app/app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "pass=1,fail=3,refused=2" as `lineside ui` has made it. */
static bool bells(const char *text, struct app_options *o)
{
    return sscanf(text, "pass=%1d,fail=%1d,refused=%1d", &o->bells_pass, &o->bells_fail,
                  &o->bells_refused) == 3;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct app_options o = { .lang = LANG_EN };

    program_start();
    /* The data directory, --lang, the environment's, mute, bells, lock, media. */
    if (argc != 8 || !bells(argv[5], &o)) {
        fputs("lineside-ui is not for people: `lineside ui` starts it\n", stderr);
        return 2;
    }
    if (*argv[2] && !lang_of(argv[2], &o.lang)) {
        fprintf(stderr, "lineside ui: --lang is en, zh, de or es, not '%s'\n", argv[2]);
        return 2;
    }
    if (!*argv[2])
        lang_of(argv[3], &o.lang);
    o.data_dir = argv[1];
    o.mute = strcmp(argv[4], "mute") == 0;
    o.lock_after_s = atoi(argv[6]);
    o.media = argv[7];
    if (app_run(&o, &e) != 0) {
        fprintf(stderr, "lineside ui: %s\n", e.msg);
        return err_exit_code(e.code);
    }
    return 0;
}
