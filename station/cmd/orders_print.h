/* cmd/orders_print.h: how `lineside orders` tells of orders. All text in them
 * is plain: storage has checked it. */
#ifndef LINESIDE_CMD_ORDERS_PRINT_H
#define LINESIDE_CMD_ORDERS_PRINT_H

#include "station/show/orders.h"

void orders_print(const struct order_list *l, const struct order_bindings *b,
                  bool json);
void order_print(const struct order_info *o, const struct order_spec *s,
                 const struct order_bindings *b, bool json);
void order_print_assessment(const struct order_info *o,
                            const struct order_spec *s,
                            const struct order_assessment *a,
                            json_t *findings, bool json);

#endif
