/* storage/order_rows.h: for storage only: what position_move needs of work
 * orders. */
#ifndef LINESIDE_STORAGE_ORDER_ROWS_H
#define LINESIDE_STORAGE_ORDER_ROWS_H

#include "storage/inner.h"
#include "storage/orders.h"

/* The order that a position is worked on by; order 0: none. */
struct order_ref {
    int64_t order, unit;
    char number[ORDER_NUMBER_MAX + 1];
};
int order_ref_of(struct db *db, int64_t position, struct order_ref *out,
                 struct err *e);
/* A position of that unit has another state now: the unit's in its order
 * follows, and the order's counters. */
int order_follow(struct tx *tx, const struct order_ref *r, struct err *e);

#endif
