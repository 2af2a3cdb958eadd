/* cmd/bus_list: what is plugged in where, and what the station makes of it. No
 * device is opened. */
#ifndef LINESIDE_CMD_BUS_LIST_H
#define LINESIDE_CMD_BUS_LIST_H

#include "storage/places.h"

#include <jansson.h>

enum what { WHAT_READER, WHAT_REFUSED, WHAT_SCANNER, WHAT_HID, WHAT_OTHER, WHAT_NOTHING };

struct bus_row {
    char place[PLACE_MAX + 1];
    enum what what;
    bool ours;
    uint16_t vendor, product;
    char text[256]; /* verdict, reason, or what to do */
};

struct bus_rows {
    struct bus_row *v; /* by place; the caller's to free */
    size_t n;
    const struct places *said;
    bool failed;
};

/* said is borrowed. ERR_IO: this machine has no USB, or may not use it. r->v is
 * to be freed even then. */
int bus_look(const struct places *said, struct bus_rows *r, struct err *e);
json_t *bus_json(const struct places *said, const struct bus_rows *r);
void bus_print(const struct places *said, const struct bus_rows *r);

#endif
