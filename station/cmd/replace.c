/* lineside replace: a unit has another board (docs/people.md). */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"

#include "station/cmd/json_line.h"
#include "station/show/done.h"

#include <getopt.h>
#include <stdio.h>

struct options {
    const char *as, *second, *reason, *new_eid, *new_imei;
};
enum { OPT_AS = 256, OPT_SECOND, OPT_REASON, OPT_NEW_EID, OPT_NEW_IMEI };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct options *o = ctx;
    const char **to[] = { &o->as, &o->second, &o->reason, &o->new_eid, &o->new_imei };

    (void)e;
    *to[val - OPT_AS] = arg;
    return 0;
}

static void tell(const struct act_replaced *r, bool json)
{
    char was[EID_DIGITS + 1], is[EID_DIGITS + 1];

    if (json) {
        json_line(show_replaced(r));
        return;
    }
    printf("unit %s (%s): EID %s is out, EID %s is in; it was %s and is open\n",
           r->was.serial, r->was.name, eid_format(&r->was.eid, was),
           eid_format(&r->is, is), position_state_name(r->was.state));
    if (r->in_stock)
        printf("%zu BPPs in stock are for the board that is out: `lineside void "
               "--scrapped`\n", r->in_stock);
    if (r->loading)
        printf("%zu BPPs of the board that is out are unresolved: only that board "
               "can tell what became of them\n", r->loading);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "as", required_argument, NULL, OPT_AS },
        { "second", required_argument, NULL, OPT_SECOND },
        { "reason", required_argument, NULL, OPT_REASON },
        { "new-eid", required_argument, NULL, OPT_NEW_EID },
        { "new-imei", required_argument, NULL, OPT_NEW_IMEI },
        { 0 },
    };
    AUTO(db_close_p) struct db *db = NULL;
    struct options o = { NULL };
    struct cmd_common common;
    struct err e = ERR_INIT;
    struct board_change c = { .line_stands = false };
    struct act_replaced done;
    char imei[IMEI_DIGITS + 1];

    int end = cmd_options(self, argc, argv, options, own, &o, &common);
    if (end)
        return end - 1;
    if (argc - optind != 2)
        return cmd_usage(self, "a serial and a position are expected");
    if (!o.new_eid || eid_parse(o.new_eid, &c.new_eid) != 0)
        return cmd_usage(self, "--new-eid EID is needed: 32 digits whose check "
                         "digits hold");
    if ((o.new_imei && imei_read(o.new_imei, imei, &e) != 0) ||
        acts_reason(o.reason, &e) != 0)
        return cmd_usage(self, e.msg);
    c.new_imei = o.new_imei ? imei : NULL;
    c.serial = argv[optind];
    c.position = argv[optind + 1];
    c.reason = o.reason;
    struct badges b = { o.as, o.second };
    const struct who w = cmd_who(&b);
    if (db_open(common.data_dir, DB_WRITE, NULL, &db, &e) != 0 ||
        act_replace(db, common.data_dir, &w, &c, &done, &e) != 0)
        return cmd_fail(self, &e);
    tell(&done, common.json);
    return 0;
}

const struct command cmd_replace = {
    "replace",
    "SERIAL POSITION --new-eid EID [--new-imei IMEI]\n"
    "       --reason TEXT --as BADGE --second BADGE",
    "two people record that a unit has another board",
    "The eUICC that was there is retired: no unit is accepted with it again, unless\n"
    "that is recorded too. The unit starts anew with the other one.\n"
    "  --new-eid EID\n"
    "               the eUICC of the board that is in now\n"
    "  --new-imei IMEI\n"
    "               its IMEI; the one that was known went with the other board\n"
    "  --reason TEXT\n"
    "               why: it stands in the log\n"
    CMD_SECOND_HELP,
    run
};
