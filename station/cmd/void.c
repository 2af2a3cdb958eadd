/* lineside void: BPPs in stock that will never be used (docs/people.md). */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"

#include "station/cmd/json_line.h"
#include "station/show/done.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

struct options {
    const char *as, *second, *reason, *bundle, *eid, *txid;
    bool scrapped;
};
enum { OPT_AS = 256, OPT_SECOND, OPT_REASON, OPT_BUNDLE, OPT_EID, OPT_SCRAPPED };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct options *o = ctx;
    const char **to[] = { &o->as, &o->second, &o->reason, &o->bundle, &o->eid };

    (void)e;
    if (val == OPT_SCRAPPED)
        o->scrapped = true;
    else
        *to[val - OPT_AS] = arg;
    return 0;
}

/* --- which ---------------------------------------------------------------------- */

struct which {
    struct void_what what;
    struct txid txid;
    struct eid eid;
};

static int which(const struct options *o, struct which *w, struct err *e)
{
    if (!!o->txid + !!o->bundle + !!o->eid + o->scrapped != 1)
        return err_set(e, ERR_USAGE, "name what is to be voided: a "
                       "transactionId, or --bundle ID, or --eid EID, or "
                       "--scrapped; just one");
    if (acts_reason(o->reason, e) != 0)
        return -1;
    if (o->txid && hex_decode(o->txid, w->txid.o, sizeof w->txid.o) != 0)
        return err_set(e, ERR_USAGE, "'%.80s' is no transactionId: %d hex "
                       "digits", o->txid, TXID_HEX);
    if (o->eid && eid_parse(o->eid, &w->eid) != 0)
        return err_set(e, ERR_USAGE, "'%.80s' is no EID: %d digits whose check "
                       "digits hold", o->eid, EID_DIGITS);
    w->what = (struct void_what){ o->txid ? &w->txid : NULL, o->bundle,
                                  o->eid ? &w->eid : NULL, o->scrapped };
    return 0;
}

/* --- the act ---------------------------------------------------------------------- */

static void tell(bool json, size_t voided, size_t found)
{
    if (json)
        json_line(show_voided(found, voided));
    else
        printf("voided: %zu; the next loading report tells the SM-DPf\n",
               voided);
    if (!json && voided < found)
        printf("left as they are: %zu, which a fixture took meanwhile\n",
               found - voided);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "as", required_argument, NULL, OPT_AS },
        { "second", required_argument, NULL, OPT_SECOND },
        { "reason", required_argument, NULL, OPT_REASON },
        { "bundle", required_argument, NULL, OPT_BUNDLE },
        { "eid", required_argument, NULL, OPT_EID },
        { "scrapped", no_argument, NULL, OPT_SCRAPPED },
        { 0 },
    };
    AUTO(db_close_p) struct db *db = NULL;
    struct options o = { NULL };
    struct cmd_common c;
    struct err e = ERR_INIT;
    struct which w;
    size_t found, voided;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (argc - optind > 1)
        return cmd_usage(self, "one transactionId at most");
    o.txid = argv[optind]; /* NULL after the last */
    if (which(&o, &w, &e) != 0)
        return cmd_usage(self, e.msg);
    struct badges b = { o.as, o.second };
    const struct who who = cmd_who(&b);
    if (db_open(c.data_dir, DB_WRITE, NULL, &db, &e) != 0 ||
        act_void(db, &who, &w.what, o.reason, &found, &voided, &e) != 0)
        return cmd_fail(self, &e);
    tell(c.json, voided, found);
    return 0;
}

const struct command cmd_void = {
    "void",
    "TXID | --bundle ID | --eid EID | --scrapped\n"
    "       --reason TEXT --as BADGE --second BADGE",
    "two people give up BPPs in stock that will never be used",
    "What is voided is never loaded, nothing is expected in its place, and the\n"
    "SM-DPf is told. It cannot be undone. A TXID may be one in quarantine too: it\n"
    "is written off, and its unit still waits for another one.\n"
    "  --bundle ID  all that is in stock of this bundle\n"
    "  --eid EID    all that is in stock for this eUICC\n"
    "  --scrapped   all that is in stock for scrapped units, and for boards that\n"
    "               were replaced\n"
    "  --reason TEXT\n"
    "               why: it stands in the log and in the loading report\n"
    CMD_SECOND_HELP,
    run
};
