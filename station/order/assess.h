/* order/assess: can an order be made? Its recipes are held against what is in
 * stock and against what the eUICCs can do, before the first unit and not at
 * the five hundredth. */
#ifndef LINESIDE_ORDER_ASSESS_H
#define LINESIDE_ORDER_ASSESS_H

#include "storage/orders.h"

/* One finding, a sentence. refuses: the order cannot be activated so; else it
 * can, and somebody should know. */
typedef void order_finding_fn(void *ctx, bool refuses, const char *text);

struct order_assessment {
    struct order_recipe_stock stock[ORDER_POSITIONS_MAX]; /* per recipe */
    uint64_t left; /* units that are still to be finished */
    unsigned refusals, warnings;
};
/* Reads the whole stock. now: the ledger's time, for the order's not-after. */
int order_assess(struct db *db, const struct order_info *o,
                 const struct order_spec *s, int64_t now, order_finding_fn *say,
                 void *ctx, struct order_assessment *out, struct err *e);

#endif
