/* lineside ui: the operator's screen. The screen itself is another program. */
#include "station/cmd/cmd.h"

#include "station/base/start.h"
#include "station/cmd/become.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UI_PROGRAM "lineside-ui"
#define LOCK_MINUTES 10
#define LOCK_MINUTES_MAX 1440
#define MEDIA "/media" /* where desktops and automounters put them */

enum { OPT_LANG = 256, OPT_MUTE, OPT_BELLS, OPT_LOCK, OPT_MEDIA };

struct opts {
    const char *lang, *media;
    bool mute;
    int bells[3]; /* pass, fail, refused */
    long lock_minutes;
};

/* One "fail=3"; false: it is none. */
static bool read_bell(const char *word, size_t n, struct opts *o)
{
    static const char *const names[3] = { "pass=", "fail=", "refused=" };

    for (int i = 0; i < 3; i++) {
        size_t k = strlen(names[i]);
        if (n == k + 1 && strncmp(word, names[i], k) == 0 && word[k] >= '0' && word[k] <= '9') {
            o->bells[i] = word[k] - '0';
            return true;
        }
    }
    return false;
}

static int read_bells(const char *arg, struct opts *o, struct err *e)
{
    for (const char *at = arg;; at++) {
        size_t n = strcspn(at, ",");
        if (!read_bell(at, n, o))
            return err_set(e, ERR_USAGE, "--bells takes pass=N,fail=N,refused=N, "
                           "each from 0 to 9");
        at += n;
        if (!*at)
            return 0;
    }
}

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;
    char *end;

    switch (val) {
    case OPT_LANG:
        o->lang = arg; /* the screen knows its languages */
        return 0;
    case OPT_MUTE:
        o->mute = true;
        return 0;
    case OPT_BELLS:
        return read_bells(arg, o, e);
    case OPT_MEDIA:
        o->media = arg;
        return *arg == '/' ? 0 : err_set(e, ERR_USAGE, "--media is a folder's whole path, from / on, "
                                         "not '%s'", arg);
    default:
        o->lock_minutes = strtol(arg, &end, 10);
        return *arg && !*end && o->lock_minutes >= 0 && o->lock_minutes <= LOCK_MINUTES_MAX
             ? 0 : err_set(e, ERR_USAGE, "--lock-minutes is a number from 0 to %d, not '%s'",
                           LOCK_MINUTES_MAX, arg);
    }
}

static int show(const char *data_dir, const struct opts *o, struct err *e)
{
    char bells[48], lock_s[24];

    snprintf(bells, sizeof bells, "pass=%d,fail=%d,refused=%d", o->bells[0], o->bells[1],
             o->bells[2]);
    snprintf(lock_s, sizeof lock_s, "%ld", o->lock_minutes * 60);
    const char *argv[] = { UI_PROGRAM, data_dir, o->lang ? o->lang : "", become_language(),
                           o->mute ? "mute" : "loud", bells, lock_s, o->media, NULL };
    program_keys();
    return become(argv, "which is the operator's screen", e);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "lang", required_argument, NULL, OPT_LANG },
        { "mute", no_argument, NULL, OPT_MUTE },
        { "bells", required_argument, NULL, OPT_BELLS },
        { "lock-minutes", required_argument, NULL, OPT_LOCK },
        { "media", required_argument, NULL, OPT_MEDIA },
        { 0 },
    };
    struct opts o = { .bells = { 1, 3, 2 }, .lock_minutes = LOCK_MINUTES, .media = MEDIA };
    struct cmd_common c;
    struct err e = ERR_INIT;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "it takes options only");
    if (c.json)
        return cmd_usage(self, "a screen is not JSON; see `lineside ctl screen`");
    show(c.data_dir, &o, &e);
    return cmd_fail(self, &e);
}

const struct command cmd_ui = {
    "ui", "[OPTION...]", "the operator's screen of the line that runs here",
    "  --lang CODE        en, zh, de or es; else as the environment says\n"
    "  --mute             no sounds; F9 turns them on\n"
    "  --bells LIST       how often the bell rings: pass=1,fail=3,refused=2\n"
    "  --lock-minutes N   without a key for so long it locks; 0: never (10)\n"
    "  --media DIR        the folder in which sticks are mounted (/media)\n",
    run
};
