/* storage/queries.h: read-only lists for `stock`, `log` and screens. All may
 * be called from any thread (see db.h); a DB_READ connection of one's own
 * never waits for the line. */
#ifndef LINESIDE_STORAGE_QUERIES_H
#define LINESIDE_STORAGE_QUERIES_H

#include "storage/bundles.h"
#include "storage/events.h"
#include "storage/exports.h"
#include "storage/forecast.h"
#include "storage/stock.h"
#include "storage/units.h"

/* All that `stock` prints, of one moment. */
struct stock_overview {
    struct bundle_balances bundles;
    struct stock_balance total;
    struct bpp_list unresolved;     /* loading, at most QUERY_UNRESOLVED_MAX */
    struct container_gaps gaps;
    struct unexported pending;
    struct stock_pace pace;
    struct ledger_clock clock;
};
#define QUERY_UNRESOLVED_MAX 1000
int query_overview(struct db *db, struct stock_overview *out, struct err *e);
void stock_overview_clear(struct stock_overview *o);

/* The newest `limit` events (0: all), or those of one kind (NULL: any), that
 * are older than `before` (0: from the newest); oldest first. */
int query_log(struct db *db, const char *kind, uint64_t before, unsigned limit,
              event_fn *fn, void *ctx, struct err *e);

/* BPPs in one state, in bundle order, at most limit (0: all). */
int query_bpps(struct db *db, enum bpp_state s, unsigned limit,
               struct bpp_list *out, struct err *e);

/* Counts of positions per state. */
int query_positions(struct db *db, uint64_t by_state[POSITION_STATES],
                    struct err *e);

#endif
