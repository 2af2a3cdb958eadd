#include "storage/queries.h"

#include "storage/inner.h"

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

int query_positions(struct db *db, uint64_t by_state[POSITION_STATES],
                    struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    memset(by_state, 0, POSITION_STATES * sizeof *by_state);
    if (q_open(&q, db, "SELECT state, sum(n) FROM position_count"
               " GROUP BY state", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0)
        by_state[q_get_int(&q, 0)] = (uint64_t)q_get_int(&q, 1);
    return row;
}
