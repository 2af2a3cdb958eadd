#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/cmd/json_line.h"
#include "station/show/stock.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static void print_row(const char *name, const struct stock_balance *b)
{
    printf("%-38s %9llu =", name, (unsigned long long)b->received);
    for (int s = 0; s < BPP_STATES; s++)
        printf(" %10llu", (unsigned long long)b->by_state[s]);
    printf("\n");
}

static void print_forecast(const struct stock_forecast *f)
{
    if (f->low)
        printf("LOW STOCK: ask for more now (`lineside request`). ");
    printf("%llu BPPs left; ", (unsigned long long)f->left);
    if (f->hours_left == FORECAST_UNKNOWN) {
        printf("none was used up yet, so nothing tells how long they last\n");
        return;
    }
    printf("at the pace of the last hour of work (%.2f units, %.2f BPPs an hour) "
           "they last %.2f hours\n",
           (double)f->units_per_hour / FORECAST_PARTS,
           (double)f->bpps_per_hour / FORECAST_PARTS,
           (double)f->hours_left / FORECAST_PARTS);
}

static void print_text(const struct show_stock *k)
{
    const struct stock_overview *o = &k->o;
    char eid[EID_DIGITS + 1], now[24];

    printf("%-38s %9s  ", "bundle", "received");
    for (int s = 0; s < BPP_STATES; s++)
        printf(" %10s", bpp_state_name((enum bpp_state)s));
    printf("\n");
    for (size_t i = 0; i < o->bundles.n; i++)
        print_row(o->bundles.v[i].id, &o->bundles.v[i].b);
    print_row("total", &o->total);
    printf("%s", k->adds_up ? "The balance adds up.\n"
                         : "THE BALANCE DOES NOT ADD UP: stop the line and keep "
                           "the ledger as it is.\n");
    print_forecast(&k->forecast);
    if (o->total.deleted)
        printf("of the installed ones deleted: %llu\n",
               (unsigned long long)o->total.deleted);
    for (size_t i = 0; i < o->unresolved.n; i++)
        printf("unresolved: EID %s, last in fixture %s: put the unit into a "
               "fixture and scan it, the card decides\n",
               eid_format(&o->unresolved.v[i].eid, eid),
               *o->unresolved.v[i].fixture ? o->unresolved.v[i].fixture : "?");
    for (size_t i = 0; i < o->gaps.n; i++)
        printf("not arrived: %s %llu to %llu of %s%s\n",
               o->gaps.v[i].kind == SEEN_WORK_ORDER ? "work orders" : "bundles",
               (unsigned long long)o->gaps.v[i].first,
               (unsigned long long)o->gaps.v[i].last, o->gaps.v[i].issuer,
               o->gaps.v[i].kind == SEEN_WORK_ORDER
                   ? "" : " (or report-receipts of these numbers)");
    printf("not exported: %llu results, %llu failures, %llu receipts, %llu "
           "quarantined, %llu voided, %llu deletions; %llu events\n",
           (unsigned long long)o->pending.results,
           (unsigned long long)o->pending.failures,
           (unsigned long long)o->pending.receipts,
           (unsigned long long)o->pending.quarantined,
           (unsigned long long)o->pending.voided,
           (unsigned long long)o->pending.deletions,
           (unsigned long long)o->pending.events);
    if (o->unacknowledged.reports)
        printf("not acknowledged: %llu loading-reports, the oldest since %s: "
               "`lineside reports --open`\n",
               (unsigned long long)o->unacknowledged.reports,
               clock_text(o->unacknowledged.since, now));
    for (size_t i = 0; i < k->waiting.n; i++)
        printf("not delivered: %s %llu has not reached a medium: run `lineside "
               "export`\n", report_kind(k->waiting.v[i].kind),
               (unsigned long long)k->waiting.v[i].sequence);
    if (!o->clock.confirmed)
        printf("clock: this machine's is not believed; the ledger's time is "
               "%s; see `lineside clock`\n", clock_text(o->clock.now, now));
}

int cmd_warn_hours(const char *arg, unsigned *out, struct err *e)
{
    char *end;

    errno = 0;
    unsigned long n = strtoul(arg, &end, 10);
    if (errno == 0 && *arg >= '0' && *arg <= '9' && *end == '\0' &&
        n <= FORECAST_WARN_HOURS_MAX) {
        *out = (unsigned)n;
        return 0;
    }
    return err_set(e, ERR_USAGE, "--warn-hours takes a number from 0 to %d, not "
                   "'%s'", FORECAST_WARN_HOURS_MAX, arg);
}

struct opts {
    bool check;
    unsigned warn_hours;
};

enum { OPT_CHECK = 256, OPT_WARN_HOURS };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    if (val == OPT_WARN_HOURS)
        return cmd_warn_hours(arg, &o->warn_hours, e);
    o->check = true;
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "check", no_argument, NULL, OPT_CHECK },
        { "warn-hours", required_argument, NULL, OPT_WARN_HOURS },
        { 0 },
    };
    struct cmd_common c;
    AUTO(show_stock_clear) struct show_stock k = { .adds_up = false };
    struct err e = ERR_INIT;
    AUTO(db_close_p) struct db *db = NULL;
    struct opts opts = { .warn_hours = FORECAST_WARN_HOURS };

    int end = cmd_options(self, argc, argv, options, own, &opts, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected");
    if (db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
        show_stock_read(db, c.data_dir, opts.warn_hours, &k, &e) != 0)
        return cmd_fail(self, &e);
    if (c.json)
        json_line(show_stock(&k));
    else
        print_text(&k);
    if (opts.check && (query_cross_check(db, &e) != 0 ||
                       event_verify(db, NULL, &e) != 0))
        return cmd_fail(self, &e);
    if (opts.check && !c.json)
        printf("Counted again from every BPP, unit and event: the same. The "
               "event chain holds.\n");
    return k.adds_up ? 0 : 1;
}

const struct command cmd_stock = {
    "stock", "[--check] [--warn-hours H]",
    "the balance per bundle, how long it lasts, what is unresolved or not exported",
    "  --warn-hours H  call the stock low when it lasts for fewer hours at the "
    "pace of\n               the last hour of work (default 8; 0: only when "
    "nothing is left)\n"
    "  --check      count again from every BPP and every event, and verify the "
    "event\n               chain (reads the whole ledger)\n",
    run
};
