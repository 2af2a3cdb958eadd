/* show/units.h: how many units are what, and which. */
#ifndef LINESIDE_SHOW_UNITS_H
#define LINESIDE_SHOW_UNITS_H

#include "storage/unit_list.h"

#include <jansson.h>

/* A unit's state by its name. ERR_USAGE names them all. */
int show_units_state(const char *word, int *out, struct err *e);

/* All of one moment. */
struct show_units_page {
    struct unit_filter f;
    bool has_since;
    int64_t since; /* f.since is made of it */
    uint64_t serials, by_state[POSITION_STATES];
    struct unit_rows rows;
};
/* f, has_since and since are given. Clear rows afterwards in any case. */
int show_units_read(struct db *db, struct show_units_page *p, struct err *e);
uint64_t show_units_sum(const struct show_units_page *p);
json_t *show_units(const struct show_units_page *p); /* as `units --json` */

#endif
