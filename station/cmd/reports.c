/* lineside reports: which loading-reports the SM-DPfs have acknowledged. */
#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/ifpp/event.h"
#include "storage/events.h"
#include "storage/receipts.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPORTS_LIMIT 20
#define REPORTS_LIMIT_MAX 1000

enum { OPT_OPEN = 256, OPT_LIMIT, OPT_BEFORE };

struct opts {
    bool open;
    uint64_t limit, before;
};

static int number(const char *arg, unsigned long long max, uint64_t *out,
                  struct err *e)
{
    char *end;
    unsigned long long v = strtoull(arg, &end, 10);

    if (*arg < '0' || *arg > '9' || *end || v == 0 || v > max)
        return err_set(e, ERR_USAGE, "'%.40s' is not a number from 1 to %llu",
                       arg, max);
    *out = v;
    return 0;
}

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    if (val == OPT_LIMIT)
        return number(arg, REPORTS_LIMIT_MAX, &o->limit, e);
    if (val == OPT_BEFORE)
        return number(arg, INT64_MAX, &o->before, e);
    o->open = true;
    return 0;
}

/* All of one moment. */
struct answer {
    const struct opts *o;
    struct report_rows rows;
    struct reports_open open;
    struct ledger_clock clock;
};

static int ask(struct db *db, void *ctx, struct err *e)
{
    struct answer *a = ctx;

    return ledger_clock(db, &a->clock, e) != 0 ||
           reports_open(db, &a->open, e) != 0 ||
           report_rows(db, a->o->open, a->o->before, (unsigned)a->o->limit,
                       &a->rows, e) != 0 ? -1 : 0;
}

/* --- one report: its rows --------------------------------------------------------- */

struct report {
    const struct report_row *v;
    size_t n, waiting; /* 1 row without SM-DPf: it concerns nobody */
    int64_t age_s;     /* while somebody is waited for */
};

static bool next(const struct answer *a, size_t *at, struct report *out)
{
    if (*at == a->rows.n)
        return false;
    *out = (struct report){ .v = &a->rows.v[*at] };
    for (; *at < a->rows.n && strcmp(a->rows.v[*at].id, out->v->id) == 0; ++*at) {
        const struct report_row *r = &a->rows.v[*at];
        out->n++;
        out->waiting += *r->smdp_oid && !r->acknowledged;
    }
    if (out->waiting && a->clock.now > out->v->created_at)
        out->age_s = a->clock.now - out->v->created_at;
    return true;
}

static const char *state_of(const struct report *r)
{
    return !*r->v->smdp_oid      ? "nobody-concerned"
           : !r->waiting         ? "acknowledged"
           : r->waiting == r->n  ? "waiting" : "partly";
}

static json_t *party_json(const struct report_row *r)
{
    char at[GTIME_LEN + 1];

    return r->acknowledged
         ? json_pack("{s:s, s:I, s:b, s:I, s:s, s:s}", "smdp", r->smdp_oid,
                     "records", (json_int_t)r->records, "acknowledged", 1,
                     "accepted", (json_int_t)r->accepted, "receipt", r->receipt,
                     "at", gtime_format(r->acknowledged_at, at))
         : json_pack("{s:s, s:I, s:b}", "smdp", r->smdp_oid, "records",
                     (json_int_t)r->records, "acknowledged", 0);
}

static json_t *report_json(const struct report *r)
{
    json_t *parties = json_array();
    char at[GTIME_LEN + 1];

    for (size_t i = 0; i < r->n && *r->v->smdp_oid; i++)
        json_array_append_new(parties, party_json(&r->v[i]));
    return json_pack("{s:s, s:I, s:s, s:I, s:I, s:s, s:I, s:o}", "id", r->v->id,
                     "sequence", (json_int_t)r->v->sequence, "created",
                     gtime_format(r->v->created_at, at), "firstEvent",
                     (json_int_t)r->v->first_event, "lastEvent",
                     (json_int_t)r->v->last_event, "state", state_of(r), "ageS",
                     (json_int_t)r->age_s, "smdps", parties);
}

static void print_json(const struct answer *a)
{
    json_t *list = json_array();
    char since[GTIME_LEN + 1];
    struct report r;

    for (size_t at = 0; next(a, &at, &r);)
        json_array_append_new(list, report_json(&r));
    json_t *all = json_pack("{s:I, s:o, s:I, s:o}", "unacknowledged",
                            (json_int_t)a->open.reports, "since",
                            a->open.reports
                                ? json_string(gtime_format(a->open.since, since))
                                : json_null(), "ageS",
                            (json_int_t)a->open.age_s, "reports", list);
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
}

static void age_text(int64_t s, char out[32])
{
    if (s < 2 * 86400)
        snprintf(out, 32, "%lld h", (long long)(s / 3600));
    else
        snprintf(out, 32, "%lld days", (long long)(s / 86400));
}

static void print_report(const struct report *r)
{
    char when[24], age[32];

    clock_text(r->v->created_at, when);
    age_text(r->age_s, age);
    printf("%llu  %s  %s", (unsigned long long)r->v->sequence, r->v->id, when);
    if (!*r->v->smdp_oid) {
        printf("  needs no receipt: it has no record about anybody's BPPs\n");
        return;
    }
    if (!r->waiting)
        printf("  acknowledged\n");
    else
        printf("  %s acknowledged, waiting since %s (%s)\n",
               r->waiting == r->n ? "not" : "partly", when, age);
    for (size_t i = 0; i < r->n; i++) {
        const struct report_row *p = &r->v[i];
        if (!p->acknowledged)
            printf("    MISSING  SM-DPf %s: %llu records\n", p->smdp_oid,
                   (unsigned long long)p->records);
        else
            printf("    %s  SM-DPf %s: %llu of %llu records accepted, %s\n",
                   p->accepted < p->records ? "NOT ALL" : "receipt",
                   p->smdp_oid, (unsigned long long)p->accepted,
                   (unsigned long long)p->records,
                   clock_text(p->acknowledged_at, when));
    }
}

static void print_text(const struct answer *a)
{
    char age[32], when[24];
    struct report r;
    bool full = false;
    size_t n = 0;

    for (size_t at = 0; next(a, &at, &r); n++)
        print_report(&r);
    full = a->o->limit && n == a->o->limit && a->rows.v[0].sequence > 1;
    if (!n)
        printf("%s\n", a->o->open ? "No report waits for a receipt."
                                  : "No loading-report was made yet.");
    if (full)
        printf("older ones: --before %llu\n",
               (unsigned long long)a->rows.v[0].sequence);
    if (!a->open.reports)
        return;
    age_text(a->open.age_s, age);
    printf("%llu not acknowledged, the oldest since %s (%s). What did not arrive "
           "is written once more by `lineside export --again ID --to STICK`.\n",
           (unsigned long long)a->open.reports, clock_text(a->open.since, when),
           age);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "open", no_argument, NULL, OPT_OPEN },
        { "limit", required_argument, NULL, OPT_LIMIT },
        { "before", required_argument, NULL, OPT_BEFORE },
        { 0 },
    };
    AUTO(db_close_p) struct db *db = NULL;
    struct opts o = { .limit = REPORTS_LIMIT };
    struct answer a = { .o = &o };
    struct cmd_common c;
    struct err e = ERR_INIT;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected");
    if (db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
        db_snapshot(db, ask, &a, &e) != 0) {
        report_rows_clear(&a.rows);
        return cmd_fail(self, &e);
    }
    if (c.json)
        print_json(&a);
    else
        print_text(&a);
    report_rows_clear(&a.rows);
    return 0;
}

const struct command cmd_reports = {
    "reports", "[--open] [--limit N] [--before N]",
    "which loading-reports the SM-DPfs have acknowledged, and who has not",
    "  --open       those alone that somebody has not acknowledged\n"
    "  --limit N    the newest N, 1 to 1000 (default 20)\n"
    "  --before N   those with a number below N: the page before\n",
    run
};
