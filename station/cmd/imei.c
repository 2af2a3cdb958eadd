/* lineside imei: the IMEI of a unit's position, where no scan brought it
 * (docs/people.md). */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"

#include "station/cmd/json_line.h"
#include "station/show/done.h"

#include <getopt.h>
#include <stdio.h>

struct options {
    const char *as, *second, *reason;
};
enum { OPT_AS = 256, OPT_SECOND, OPT_REASON };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct options *o = ctx;
    const char **to[] = { &o->as, &o->second, &o->reason };

    (void)e;
    *to[val - OPT_AS] = arg;
    return 0;
}

static void tell(const struct position *was, const struct imei_change *c, bool json)
{
    if (json) {
        json_line(show_imei(was, c->imei));
        return;
    }
    printf("unit %s (%s) has IMEI %s", was->serial, was->name, c->imei);
    if (*was->imei && c->reason)
        printf(", no longer %s", was->imei);
    putchar('\n');
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "as", required_argument, NULL, OPT_AS },
        { "second", required_argument, NULL, OPT_SECOND },
        { "reason", required_argument, NULL, OPT_REASON },
        { 0 },
    };
    AUTO(db_close_p) struct db *db = NULL;
    struct options o = { NULL };
    struct cmd_common common;
    struct err e = ERR_INIT;
    char imei[IMEI_DIGITS + 1];
    struct position was;

    int end = cmd_options(self, argc, argv, options, own, &o, &common);
    if (end)
        return end - 1;
    if (argc - optind != 3)
        return cmd_usage(self, "a serial, a position and an IMEI are expected");
    if (imei_read(argv[optind + 2], imei, &e) != 0 ||
        (o.second && acts_reason(o.reason, &e) != 0))
        return cmd_usage(self, e.msg);
    if (o.reason && !o.second)
        return cmd_usage(self, "--reason goes with --second: two people change an "
                               "IMEI that is known");
    const struct imei_change c = { argv[optind], argv[optind + 1], imei, o.reason };
    struct badges b = { o.as, o.second };
    const struct who w = cmd_who(&b);
    if (db_open(common.data_dir, DB_WRITE, NULL, &db, &e) != 0 ||
        act_imei(db, &w, &c, &was, &e) != 0)
        return cmd_fail(self, &e);
    tell(&was, &c, common.json);
    return 0;
}

const struct command cmd_imei = {
    "imei",
    "SERIAL POSITION IMEI [--as BADGE]\n"
    "       [--second BADGE --reason TEXT]",
    "the IMEI of a unit's position; another than is known takes two people",
    "IMEI is as it is printed: 15 digits, the last one a check. At the line it is\n"
    "scanned before the unit's label: FIXTURE TAB imei:IMEI.\n"
    "  --as BADGE   who does it, once this station knows people (`lineside\n"
    "               people`); the PIN is asked for, or is the first line of\n"
    "               standard input\n"
    "  --second BADGE\n"
    "               the second person, with a PIN of their own: the second line;\n"
    "               the unit is known with another IMEI\n"
    "  --reason TEXT\n"
    "               why it has another one: it stands in the log\n",
    run
};
