/* storage/queries.h: read-only lists for `stock`, `log` and screens. All may
 * be called from any thread (see db.h); a DB_READ connection of one's own
 * never waits for the line. */
#ifndef LINESIDE_STORAGE_QUERIES_H
#define LINESIDE_STORAGE_QUERIES_H

#include "storage/bundles.h"
#include "storage/events.h"
#include "storage/exports.h"
#include "storage/forecast.h"
#include "storage/receipts.h"
#include "storage/stock.h"
#include "storage/units.h"

/* All that `stock` prints, of one moment. */
struct stock_overview {
    struct bundle_balances bundles;
    struct stock_balance total;
    struct bpp_list unresolved;     /* loading, at most QUERY_UNRESOLVED_MAX */
    struct container_gaps gaps;
    struct unexported pending;
    struct reports_open unacknowledged;
    struct stock_pace pace;
    struct ledger_clock clock;
};
#define QUERY_UNRESOLVED_MAX 1000
int query_overview(struct db *db, struct stock_overview *out, struct err *e);
void stock_overview_clear(struct stock_overview *o);

/* Which events. NULL: any. Indexes lead to an event by its number and its
 * unit's serial; for the rest each is looked at: with a limit at most LOG_READ
 * of them, from the newest asked for back, without one all. */
#define LOG_READ 32768
struct log_filter {
    const char *kind, *actor, *fixture, *serial;
    uint64_t since;  /* this event or a later one; 0: any  */
    uint64_t before; /* one before this; 0: any            */
    unsigned limit;  /* the newest so many that fit; 0: all */
};
/* Oldest first. *looked_to: 0, or the oldest event that was looked at when
 * there are older ones which may fit. */
int query_log(struct db *db, const struct log_filter *f, event_fn *fn,
              void *ctx, uint64_t *looked_to, struct err *e);

/* BPPs in one state, in bundle order, at most limit (0: all). */
int query_bpps(struct db *db, enum bpp_state s, unsigned limit,
               struct bpp_list *out, struct err *e);

/* Every figure that is kept, counted again, of one moment: the bundles'
 * (stock_cross_check), the accounts' (tally_cross_check), the orders'
 * (orders_cross_check), and what is not reported (export_cross_check).
 * ERR_CONFLICT names the first that differs. */
int query_cross_check(struct db *db, struct err *e);

#endif
