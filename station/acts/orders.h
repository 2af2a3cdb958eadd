/* acts/orders.h: work orders are made, activated, closed and bound to fixtures,
 * by somebody with the right `orders`. */
#ifndef LINESIDE_ACTS_ORDERS_H
#define LINESIDE_ACTS_ORDERS_H

#include "station/acts/who.h"
#include "station/order/assess.h"

/* An empty pattern of serials is any. ERR_USAGE: it is no order. */
int act_order_make(struct db *db, const struct who *w, struct order_spec *s,
                   struct err *e);

/* How an order stands against the stock. */
struct act_activation {
    struct order_info o;
    struct order_spec s;
    struct order_assessment a;
    bool assessed; /* the above is filled */
};
/* Findings are said as they come. ERR_WRONG_STATE: it does not wait, or what is
 * in stock does not do (then it is assessed); nothing has changed. */
int act_order_activate(struct db *db, const struct who *w, const char *number,
                       order_finding_fn *say, void *ctx,
                       struct act_activation *out, struct err *e);

int act_order_close(struct db *db, const struct who *w, const char *number,
                    struct err *e);
/* position "": the unit's next one. */
int act_order_bind(struct db *db, const struct who *w, const char *number,
                   const char *fixture, const char *position, struct err *e);
int act_order_unbind(struct db *db, const struct who *w, const char *fixture,
                     struct err *e);

#endif
