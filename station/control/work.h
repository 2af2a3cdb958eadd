/* control/work: what the line's work amounts to, for who looks at a screen:
 * the active orders, the open shift, what waits to be exported. Read from the
 * ledger, from rows that are kept for it: nothing big is scanned. */
#ifndef LINESIDE_CONTROL_WORK_H
#define LINESIDE_CONTROL_WORK_H

#include "storage/orders.h"

#include <jansson.h>

#define CONTROL_ORDERS_MAX 32

struct control_order {
    char number[ORDER_NUMBER_MAX + 1];
    char product[ORDER_PRODUCT_MAX + 1];
    uint64_t quantity;
    uint64_t units[ORDER_UNIT_STATES];
    uint64_t left; /* still to be finished */
};

/* Two of the same octets are the same: memset before it is filled. */
struct control_work {
    uint64_t n; /* of orders; active ones, in the order they came */
    struct control_order orders[CONTROL_ORDERS_MAX];
    uint64_t shift; /* number of the open one; 0: none is open */
    int64_t since;
    uint64_t passed, stocked, failed; /* units of the shift, how they ended */
    uint64_t waiting; /* pieces of evidence that no loading-report carries */
};

/* count: `waiting` is counted anew, which takes a moment for each thousand of
 * them; else out->waiting stays. */
int control_work_read(struct db *db, bool count, struct control_work *out,
                      struct err *e);
json_t *control_work_json(const struct control_work *w);

#endif
