/* control/state: how the line stands, put together from what it tells. The
 * stock comes from the ledger (control_stock_read). A copy is a snapshot:
 * nobody changes it any more. */
#ifndef LINESIDE_CONTROL_STATE_H
#define LINESIDE_CONTROL_STATE_H

#include "station/control/work.h"
#include "station/line/line.h"
#include "storage/forecast.h"
#include "storage/receipts.h"

#include <jansson.h>

#define STATE_SCANNERS_MAX 256

struct state;

struct state *state_new(void); /* NULL: no memory */
void state_free(struct state *s); /* NULL is fine */
/* No memory is asked for, and nothing waited for. */
void state_apply(struct state *s, const struct line_event *ev);
void state_copy(struct state *to, const struct state *from);
/* How many events it has seen: two of the same number are the same. */
uint64_t state_seen(const struct state *s);

struct control_stock {
    struct stock_balance total;
    /* In a bundle's state `loading` (at most QUERY_UNRESOLVED_MAX are looked
     * at), and for a unit that is at no fixture now. */
    uint64_t unresolved;
    struct stock_forecast forecast;
    struct reports_open unacknowledged; /* loading-reports */
};
int control_stock_read(struct db *db, const struct state *now,
                       unsigned warn_hours, struct control_stock *out,
                       struct err *e);
json_t *control_stock_json(const struct control_stock *k);

/* {"fixtures":[...],"scanners":[...],...}; k, w NULL: the ledger was not read. */
json_t *state_json(const struct state *s, const struct control_stock *k,
                   const struct control_work *w);

#endif
