/* show/orders.h: work orders. All text in them is plain: storage has checked
 * it. */
#ifndef LINESIDE_SHOW_ORDERS_H
#define LINESIDE_SHOW_ORDERS_H

#include "station/order/assess.h"

#include <jansson.h>

/* As `orders --json`. */
json_t *show_orders(const struct order_list *l, const struct order_bindings *b);
/* One, with its recipes. */
json_t *show_order(const struct order_info *o, const struct order_spec *s,
                   const struct order_bindings *b);
/* What there is for it: per position {"position","complete","profiles":[...]}. */
json_t *show_order_stock(const struct order_spec *s,
                         const struct order_assessment *a);
/* What an assessment came to; findings: array of {"refuses","text"}, borrowed. */
json_t *show_assessment(const struct order_info *o, const struct order_spec *s,
                        const struct order_assessment *a, json_t *findings);

#endif
