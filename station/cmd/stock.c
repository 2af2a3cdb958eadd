#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/control/state.h"
#include "station/report/report.h"
#include "storage/queries.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static json_t *balance_json(const struct stock_balance *b)
{
    json_t *j = json_pack("{s:I}", "received", (json_int_t)b->received);

    for (int s = 0; s < BPP_STATES; s++)
        json_object_set_new(j, bpp_state_name((enum bpp_state)s),
                            json_integer((json_int_t)b->by_state[s]));
    json_object_set_new(j, "deleted", json_integer((json_int_t)b->deleted));
    return j;
}

static json_t *waiting_json(const struct report_list *l)
{
    json_t *a = json_array();

    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(a, json_pack("{s:s, s:s, s:I}", "kind",
                                           report_kind(l->v[i].kind), "id",
                                           l->v[i].id, "sequence",
                                           (json_int_t)l->v[i].sequence));
    return a;
}

static void print_json(const struct stock_overview *o,
                       const struct report_list *waiting,
                       const struct stock_forecast *f, bool adds_up)
{
    json_t *bundles = json_array(), *unresolved = json_array();
    json_t *gaps = json_array();
    char txid[TXID_HEX + 1], eid[EID_DIGITS + 1], sha[65];

    for (size_t i = 0; i < o->bundles.n; i++) {
        const struct bundle_balance *b = &o->bundles.v[i];
        json_t *j = balance_json(&b->b);
        json_object_set_new(j, "id", json_string(b->id));
        json_object_set_new(j, "smdp", json_string(b->smdp_oid));
        json_object_set_new(j, "sequence", json_integer((json_int_t)b->sequence));
        json_object_set_new(j, "manifestSha256",
                            json_string(hex_encode(SPAN_ARRAY(b->manifest_sha256),
                                                   sha, sizeof sha)));
        json_object_set_new(j, "unexported",
                            json_integer((json_int_t)b->unexported));
        json_array_append_new(bundles, j);
    }
    for (size_t i = 0; i < o->unresolved.n; i++) {
        const struct bpp_info *b = &o->unresolved.v[i];
        json_array_append_new(
            unresolved, json_pack("{s:s, s:s, s:s}", "eid",
                                  eid_format(&b->eid, eid), "transactionId",
                                  txid_format(&b->txid, txid), "fixture",
                                  b->fixture));
    }
    for (size_t i = 0; i < o->gaps.n; i++)
        json_array_append_new(gaps, json_pack("{s:s, s:I, s:I}", "issuer",
                                              o->gaps.v[i].issuer, "first",
                                              (json_int_t)o->gaps.v[i].first,
                                              "last",
                                              (json_int_t)o->gaps.v[i].last));
    json_t *all = json_pack(
        "{s:o, s:o, s:b, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I},"
        " s:o, s:o, s:b, s:o}",
        "total", balance_json(&o->total), "bundles", bundles, "addsUp", adds_up,
        "unresolved", unresolved, "gaps", gaps, "notExported", "evidence",
        (json_int_t)o->pending.evidence, "results",
        (json_int_t)o->pending.results, "failures",
        (json_int_t)o->pending.failures, "receipts",
        (json_int_t)o->pending.receipts, "deletions",
        (json_int_t)o->pending.deletions, "quarantined",
        (json_int_t)o->pending.quarantined, "voided",
        (json_int_t)o->pending.voided, "events",
        (json_int_t)o->pending.events, "notAcknowledged",
        control_reports_json(&o->unacknowledged), "notDelivered",
        waiting_json(waiting),
        "clockConfirmed", o->clock.confirmed, "forecast",
        control_forecast_json(f));
    json_dumpf(all, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(all);
}

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

static void print_text(const struct stock_overview *o,
                       const struct report_list *waiting,
                       const struct stock_forecast *f, bool adds_up)
{
    char eid[EID_DIGITS + 1], now[24];

    printf("%-38s %9s  ", "bundle", "received");
    for (int s = 0; s < BPP_STATES; s++)
        printf(" %10s", bpp_state_name((enum bpp_state)s));
    printf("\n");
    for (size_t i = 0; i < o->bundles.n; i++)
        print_row(o->bundles.v[i].id, &o->bundles.v[i].b);
    print_row("total", &o->total);
    printf("%s", adds_up ? "The balance adds up.\n"
                         : "THE BALANCE DOES NOT ADD UP: stop the line and keep "
                           "the ledger as it is.\n");
    print_forecast(f);
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
    for (size_t i = 0; i < waiting->n; i++)
        printf("not delivered: %s %llu has not reached a medium: run `lineside "
               "export`\n", report_kind(waiting->v[i].kind),
               (unsigned long long)waiting->v[i].sequence);
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
    struct stock_overview o = { 0 };
    struct report_list waiting = { NULL, 0 };
    struct err e = ERR_INIT;
    AUTO(db_close_p) struct db *db = NULL;
    struct opts opts = { .warn_hours = FORECAST_WARN_HOURS };

    int end = cmd_options(self, argc, argv, options, own, &opts, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected");
    if (db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
        query_overview(db, &o, &e) != 0 ||
        report_waiting(db, c.data_dir, &waiting, &e) != 0)
        return cmd_fail(self, &e);
    bool adds_up = stock_balance_ok(&o.total);
    for (size_t i = 0; i < o.bundles.n; i++)
        adds_up = adds_up && stock_balance_ok(&o.bundles.v[i].b);
    const struct stock_forecast f = stock_forecast(&o.total, &o.pace,
                                                   opts.warn_hours);
    if (c.json)
        print_json(&o, &waiting, &f, adds_up);
    else
        print_text(&o, &waiting, &f, adds_up);
    stock_overview_clear(&o);
    report_list_clear(&waiting);
    if (opts.check && (query_cross_check(db, &e) != 0 ||
                       event_verify(db, NULL, &e) != 0))
        return cmd_fail(self, &e);
    if (opts.check && !c.json)
        printf("Counted again from every BPP, unit and event: the same. The "
               "event chain holds.\n");
    return adds_up ? 0 : 1;
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
