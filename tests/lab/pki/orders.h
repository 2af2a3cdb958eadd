/* pki/orders.h: the Device Manufacturer's order desk: signs work orders
 * (binding, clause 1). */
#ifndef LINESIDE_LAB_PKI_ORDERS_H
#define LINESIDE_LAB_PKI_ORDERS_H

#include "station/container/manifest.h"
#include "tests/lab/world.h"

struct desk_order {
    const struct order_spec *spec;
    const uint8_t (*stations)[32]; /* key ids; none: the site */
    size_t station_count;
    const char *site;
    int64_t valid_s;
    const char *out; /* directory for the work-order */
};
/* *container: path, caller frees. */
int orders_issue(const struct world *w, const struct desk_order *o,
                 char **container, struct err *e);

#endif
