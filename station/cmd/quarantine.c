/* lineside quarantine: what is held back and why, and what two people may do
 * with it (docs/people.md). */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/cmd/json_line.h"
#include "station/show/done.h"
#include "station/show/quarantine.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *as, *second, *reason;
};
enum { OPT_AS = 256, OPT_SECOND, OPT_REASON };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct options *o = ctx;

    (void)e;
    *(val == OPT_AS ? &o->as : val == OPT_SECOND ? &o->second : &o->reason) = arg;
    return 0;
}

/* --- telling ---------------------------------------------------------------------- */

static void print_unit(const struct held_unit *u)
{
    char eid[EID_DIGITS + 1], since[24];

    printf("unit %s (%s), EID %s\n", u->p.serial, u->p.name,
           eid_format(&u->p.eid, eid));
    if (u->resolving)
        printf("    two people want its eUICC to be asked: scan it\n");
    else
        printf("    since %s, fixture %s, event %llu: %s\n    evidence: event%s "
               "%s\n", clock_text(u->since, since), *u->fixture ? u->fixture : "?",
               (unsigned long long)u->event, u->reason,
               strchr(u->evidence, ' ') ? "s" : "", u->evidence);
}

static void print_bpp(const struct held_bpp *b)
{
    char txid[TXID_HEX + 1], eid[EID_DIGITS + 1], since[24];

    printf("BPP %s, EID %s%s%s\n    since %s, fixture %s, event %llu: %s\n",
           txid_format(&b->b.txid, txid), eid_format(&b->b.eid, eid),
           *b->serial ? ", unit " : "", b->serial, clock_text(b->since, since),
           *b->b.fixture ? b->b.fixture : "?", (unsigned long long)b->b.event,
           b->reason);
}

static void print_text(const struct quarantine *q)
{
    for (size_t i = 0; i < q->unit_count; i++)
        print_unit(&q->units[i]);
    for (size_t i = 0; i < q->bpp_count; i++)
        print_bpp(&q->bpps[i]);
    if (q->unit_count + q->bpp_count == 0)
        puts("nothing is in quarantine");
    if (q->stranded)
        printf("%llu BPPs in stock are for scrapped units or replaced boards: "
               "`lineside void --scrapped`\n", (unsigned long long)q->stranded);
    printf("a unit is quarantined after %u failures in a row at one step\n",
           q->limit);
}

static int list(const struct command *self, const struct cmd_common *c)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct quarantine q = { .limit = 0 };
    struct err e = ERR_INIT;

    if (db_open(c->data_dir, DB_READ, NULL, &db, &e) != 0 ||
        quarantine_get(db, &q, &e) != 0)
        return cmd_fail(self, &e);
    if (c->json)
        json_line(show_quarantine(&q));
    else
        print_text(&q);
    quarantine_clear(&q);
    return 0;
}

/* --- the limit --------------------------------------------------------------------- */

static int set_limit(struct db *db, const struct options *o, const char *word,
                     bool json, struct err *e)
{
    struct badges b = { .as = o->as };
    const struct who w = cmd_who(&b);
    char *end;
    unsigned long n = strtoul(word, &end, 10);

    if (*word < '0' || *word > '9' || *end || n > QUARANTINE_LIMIT_MAX)
        n = 0; /* and that is none */
    if (act_hold_limit(db, &w, (unsigned)n, e) != 0)
        return -1;
    printf(json ? "{\"limit\":%lu}\n"
                : "a unit is quarantined after %lu failures in a row at one step\n",
           n);
    return 0;
}

/* --- acts of two people --------------------------------------------------------------- */

static void tell(const struct act_held *h, bool json)
{
    static const char *const next[HOLD_ACTS] = {
        [HOLD_RELEASE] = "it can be scanned again",
        [HOLD_RESOLVE] = "scan it: its eUICC is asked, and decides",
        [HOLD_SCRAP] = "what is in stock for it can be voided: `lineside void "
                       "--scrapped`",
    };

    if (json)
        json_line(show_held(h));
    else
        printf("unit %s: %s; %s\n", h->serial, hold_act_names[h->what],
               next[h->what]);
}

static int act(const struct command *self, const struct cmd_common *common,
               const struct options *o, char **argv)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;
    struct badges b = { o->as, o->second };
    const struct who w = cmd_who(&b);
    struct act_held held;
    int what = 0;

    while (what < HOLD_ACTS && strcmp(argv[0], hold_act_names[what]) != 0)
        what++;
    if (what == HOLD_ACTS && strcmp(argv[0], "limit") != 0) {
        err_set(&e, ERR_USAGE, "'%.80s' is nothing that can be done with what is "
                "in quarantine", argv[0]);
        return cmd_usage(self, e.msg);
    }
    if (db_open(common->data_dir, DB_WRITE, NULL, &db, &e) != 0)
        return cmd_fail(self, &e);
    if (what == HOLD_ACTS)
        return set_limit(db, o, argv[1], common->json, &e) != 0 ? cmd_fail(self, &e)
                                                                : 0;
    if (act_hold(db, common->data_dir, &w, (enum hold_act)what, argv[1], o->reason,
                 &held, &e) != 0)
        return cmd_fail(self, &e);
    tell(&held, common->json);
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "as", required_argument, NULL, OPT_AS },
        { "second", required_argument, NULL, OPT_SECOND },
        { "reason", required_argument, NULL, OPT_REASON },
        { 0 },
    };
    struct options o = { NULL, NULL, NULL };
    struct cmd_common c;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    argc -= optind;
    argv += optind;
    if (argc == 0 || (argc == 1 && strcmp(argv[0], "list") == 0))
        return list(self, &c);
    if (argc != 2)
        return cmd_usage(self, "an act, and what it is done with");
    return act(self, &c, &o, argv);
}

const struct command cmd_quarantine = {
    "quarantine",
    "[list |\n"
    "       release SERIAL | resolve SERIAL|TXID | scrap SERIAL\n"
    "       --as BADGE --second BADGE [--reason TEXT] |\n"
    "       limit N [--as BADGE]]",
    "units and BPPs that are held back; two people decide what becomes of them",
    "Without words it lists what is held, why, since when, where, and the events\n"
    "that tell of it.\n"
    "  release SERIAL      the unit goes on like any other\n"
    "  resolve SERIAL|TXID its next visit asks the eUICC, and what that says\n"
    "                      decides; a TXID is of a BPP in quarantine\n"
    "  scrap SERIAL        the unit is given up; also one that has failed\n"
    "  limit N             a unit is quarantined after N failures in a row at one\n"
    "                      step\n"
    "  --reason TEXT       why: it stands in the log\n"
    CMD_SECOND_HELP,
    run
};
