/* lineside replace: a unit has another board (docs/people.md). */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"

#include "storage/boards.h"
#include "storage/imei.h"

#include <getopt.h>
#include <jansson.h>
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

struct call {
    struct board_change change;
    struct pair who;
    struct position was;
};

static int replace_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;
    const struct act a = { .actor = c->who.first.name,
                           .second = c->who.second.name };

    return pair_still(tx_db(tx), &c->who, RIGHT_REPLACE, e) != 0
         ? -1 : board_replace(tx, &a, &c->change, &c->was, e);
}

/* What was meant for the board that is out. */
static int count_left(struct db *db, const struct eid *eid, size_t *in_stock,
                      size_t *loading, struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };

    if (stock_of_eid(db, eid, &l, e) != 0)
        return -1;
    *in_stock = *loading = 0;
    for (size_t i = 0; i < l.n; i++) {
        *in_stock += l.v[i].state == BPP_IN_STOCK;
        *loading += l.v[i].state == BPP_LOADING;
    }
    return 0;
}

static void tell(const struct call *c, size_t in_stock, size_t loading, bool json)
{
    char was[EID_DIGITS + 1], is[EID_DIGITS + 1];

    eid_format(&c->was.eid, was);
    eid_format(&c->change.new_eid, is);
    if (json) {
        json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "serial",
                              c->was.serial, "position", c->was.name, "eid", was,
                              "newEid", is, "stateBefore",
                              position_state_name(c->was.state), "inStock",
                              (json_int_t)in_stock, "unresolved",
                              (json_int_t)loading);
        json_dumpf(j, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(j);
        return;
    }
    printf("unit %s (%s): EID %s is out, EID %s is in; it was %s and is open\n",
           c->was.serial, c->was.name, was, is,
           position_state_name(c->was.state));
    if (in_stock)
        printf("%zu BPPs in stock are for the board that is out: `lineside void "
               "--scrapped`\n", in_stock);
    if (loading)
        printf("%zu BPPs of the board that is out are unresolved: only that board "
               "can tell what became of them\n", loading);
}

static int act(const char *data_dir, struct db *db, const struct options *o,
               struct call *c, struct err *e)
{
    AUTO(lock_release_p) struct lock *lock = NULL;
    struct err busy = ERR_INIT;

    if (cmd_pair(db, o->as, o->second, RIGHT_REPLACE, &c->who, e) != 0)
        return -1;
    c->change.line_stands = lock_take(data_dir, LOCK_RUN, &lock, &busy) == 0;
    return db_write(db, replace_tx, c, e);
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
    struct call c = { .change = { .line_stands = false } };
    size_t in_stock, loading;
    char imei[IMEI_DIGITS + 1];

    int end = cmd_options(self, argc, argv, options, own, &o, &common);
    if (end)
        return end - 1;
    if (argc - optind != 2)
        return cmd_usage(self, "a serial and a position are expected");
    if (!o.new_eid || eid_parse(o.new_eid, &c.change.new_eid) != 0)
        return cmd_usage(self, "--new-eid EID is needed: 32 digits whose check "
                         "digits hold");
    if ((o.new_imei && imei_read(o.new_imei, imei, &e) != 0) ||
        acts_reason(o.reason, &e) != 0)
        return cmd_usage(self, e.msg);
    c.change.new_imei = o.new_imei ? imei : NULL;
    c.change.serial = argv[optind];
    c.change.position = argv[optind + 1];
    c.change.reason = o.reason;
    if (db_open(common.data_dir, DB_WRITE, NULL, &db, &e) != 0 ||
        act(common.data_dir, db, &o, &c, &e) != 0 ||
        count_left(db, &c.was.eid, &in_stock, &loading, &e) != 0)
        return cmd_fail(self, &e);
    tell(&c, in_stock, loading, common.json);
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
