#include "storage/queries.h"

#include "storage/inner.h"
#include "storage/orders.h"
#include "storage/tally.h"

void stock_overview_clear(struct stock_overview *o)
{
    bundle_balances_clear(&o->bundles);
    bpp_list_clear(&o->unresolved);
    container_gaps_clear(&o->gaps);
    *o = (struct stock_overview){ .total.received = 0 };
}

static void total_up(struct stock_overview *o)
{
    for (size_t i = 0; i < o->bundles.n; i++) {
        const struct stock_balance *b = &o->bundles.v[i].b;
        o->total.received += b->received;
        o->total.deleted += b->deleted;
        for (int s = 0; s < BPP_STATES; s++)
            o->total.by_state[s] += b->by_state[s];
    }
}

static int overview(struct db *db, void *ctx, struct err *e)
{
    struct stock_overview *o = ctx;

    if (stock_balances(db, &o->bundles, e) != 0 ||
        bpps_in_state(db, BPP_LOADING, QUERY_UNRESOLVED_MAX, &o->unresolved,
                      e) != 0 ||
        container_gaps(db, NULL, &o->gaps, e) != 0 ||
        export_pending(db, &o->pending, e) != 0 ||
        reports_open(db, &o->unacknowledged, e) != 0 ||
        stock_pace(db, &o->pace, e) != 0 ||
        ledger_clock(db, &o->clock, e) != 0)
        return -1;
    total_up(o);
    return 0;
}

int query_overview(struct db *db, struct stock_overview *out, struct err *e)
{
    struct stock_overview o = { .total.received = 0 };

    if (db_snapshot(db, overview, &o, e) != 0) {
        stock_overview_clear(&o);
        return -1;
    }
    *out = o;
    return 0;
}

int query_bpps(struct db *db, enum bpp_state s, unsigned limit,
               struct bpp_list *out, struct err *e)
{
    return bpps_in_state(db, s, limit, out, e);
}

static int cross_check(struct db *db, void *ctx, struct err *e)
{
    (void)ctx;
    return stock_cross_check(db, e) != 0 || tally_cross_check(db, e) != 0 ||
           orders_cross_check(db, e) != 0 || export_cross_check(db, e) != 0 ? -1 : 0;
}

int query_cross_check(struct db *db, struct err *e)
{
    return db_snapshot(db, cross_check, NULL, e);
}
