/* lineside imei: the IMEI of a unit's position, where no scan brought it
 * (docs/people.md). */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"

#include "storage/imei.h"

#include <getopt.h>
#include <jansson.h>
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

struct call {
    struct imei_change change;
    char actor[PERSON_NAME_MAX + 1]; /* of one person's act */
    struct pair who;                 /* of two people's     */
    struct position was;
};

static int note_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;
    struct act a = { .actor = c->actor };

    if (position_named(tx_db(tx), c->change.serial, c->change.position, &c->was, e) != 0)
        return -1;
    a.position = c->was.id;
    return imei_note(tx, &a, c->change.imei, e);
}

static int change_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;
    const struct act a = { .actor = c->who.first.name,
                           .second = c->who.second.name };

    return pair_still(tx_db(tx), &c->who, RIGHT_REPLACE, e) != 0
         ? -1 : imei_change(tx, &a, &c->change, &c->was, e);
}

static int act(struct db *db, const struct options *o, struct call *c, struct err *e)
{
    if (!o->second)
        return cmd_actor(db, o->as, RIGHT_IMEI, c->actor, e) != 0
             ? -1 : db_write(db, note_tx, c, e);
    return cmd_pair(db, o->as, o->second, RIGHT_REPLACE, &c->who, e) != 0
         ? -1 : db_write(db, change_tx, c, e);
}

static void tell(const struct call *c, bool json)
{
    const char *was = c->was.imei;

    if (json) {
        json_t *j = json_pack("{s:s, s:s, s:s, s:s?}", "serial", c->was.serial,
                              "position", c->was.name, "imei", c->change.imei,
                              "before", *was ? was : NULL);
        json_dumpf(j, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(j);
        return;
    }
    printf("unit %s (%s) has IMEI %s", c->was.serial, c->was.name, c->change.imei);
    if (*was && c->change.reason)
        printf(", no longer %s", was);
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
    struct call c = { .actor = "" };

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
    c.change = (struct imei_change){ argv[optind], argv[optind + 1], imei, o.reason };
    if (db_open(common.data_dir, DB_WRITE, NULL, &db, &e) != 0 ||
        act(db, &o, &c, &e) != 0)
        return cmd_fail(self, &e);
    tell(&c, common.json);
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
