/* lineside reports: which loading-reports the SM-DPfs have acknowledged. */
#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/cmd/json_line.h"
#include "station/show/reports.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define REPORTS_LIMIT 20
#define REPORTS_LIMIT_MAX 1000

enum { OPT_OPEN = 256, OPT_LIMIT, OPT_BEFORE };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct show_reports *o = ctx;
    uint64_t v;

    if (val == OPT_LIMIT) {
        if (cmd_number(arg, 1, REPORTS_LIMIT_MAX, &v, e) != 0)
            return -1;
        o->limit = (unsigned)v;
        return 0;
    }
    if (val == OPT_BEFORE)
        return cmd_number(arg, 1, INT64_MAX, &o->before, e);
    o->only_open = true;
    return 0;
}

static void age_text(int64_t s, char out[32])
{
    if (s < 2 * 86400)
        snprintf(out, 32, "%lld h", (long long)(s / 3600));
    else
        snprintf(out, 32, "%lld days", (long long)(s / 86400));
}

static void print_report(const struct show_report *r)
{
    char when[24], age[32];

    clock_text(r->v->created_at, when);
    age_text(r->age_s, age);
    printf("%llu  %s  %s", (unsigned long long)r->v->sequence, r->v->id, when);
    if (!*r->v->smdp_oid) {
        printf("  needs no receipt: it has no record about anybody's BPPs\n");
        return;
    }
    if (r->waiting)
        printf("  %s acknowledged, waiting since %s (%s)\n",
               r->waiting == r->n ? "not" : "partly", when, age);
    else
        printf("  %sacknowledged\n", r->never ? "never " : "");
    for (size_t i = 0; i < r->n; i++) {
        const struct report_row *p = &r->v[i];
        if (!p->acknowledged)
            printf("    %s  SM-DPf %s: %llu records%s\n",
                   p->expected ? "MISSING" : "NEVER", p->smdp_oid,
                   (unsigned long long)p->records,
                   p->expected ? "" : "; it is not on the allow-list any more, so that "
                                      "no receipt of it is waited for or taken");
        else
            printf("    %s  SM-DPf %s: %llu of %llu records accepted, %s\n",
                   p->accepted < p->records ? "NOT ALL" : "receipt",
                   p->smdp_oid, (unsigned long long)p->accepted,
                   (unsigned long long)p->records,
                   clock_text(p->acknowledged_at, when));
    }
}

static void print_text(const struct show_reports *a)
{
    char age[32], when[24];
    struct show_report r;
    bool full = false;
    size_t n = 0;

    for (size_t at = 0; show_reports_next(a, &at, &r); n++)
        print_report(&r);
    full = a->limit && n == a->limit && a->rows.v[0].sequence > 1;
    if (!n)
        printf("%s\n", a->only_open ? "No report waits for a receipt."
                                  : "No loading-report was made yet.");
    if (full)
        printf("older ones: --before %llu\n",
               (unsigned long long)a->rows.v[0].sequence);
    if (a->open.never)
        printf("%llu never acknowledged, by SM-DPfs that are not on the allow-list any "
               "more.\n", (unsigned long long)a->open.never);
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
    struct show_reports a = { .limit = REPORTS_LIMIT };
    struct cmd_common c;
    struct err e = ERR_INIT;

    int end = cmd_options(self, argc, argv, options, own, &a, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected");
    if (db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
        show_reports_read(db, &a, &e) != 0) {
        report_rows_clear(&a.rows);
        return cmd_fail(self, &e);
    }
    if (c.json)
        json_line(show_reports(&a));
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
