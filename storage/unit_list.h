/* storage/unit_list.h: which units there are, by state, fixture and time of
 * their last change: pages from indexes, counts from counters, however many
 * units there are. */
#ifndef LINESIDE_STORAGE_UNIT_LIST_H
#define LINESIDE_STORAGE_UNIT_LIST_H

#include "storage/units.h"

#define UNIT_PAGE_MAX 1000

struct unit_filter {
    int state;           /* enum position_state; -1: any                    */
    const char *fixture; /* last seen there, "": at none; NULL: wherever    */
    uint64_t since;      /* last changed by this event or a later one       */
    uint64_t before;     /* ... by an earlier one than this; 0: any         */
    unsigned limit;      /* the newest so many, 1 to UNIT_PAGE_MAX          */
};

struct unit_row {
    struct position p;
    char fixture[STOCK_FIXTURE_MAX + 1];
    uint64_t moved;   /* event of its registration or last change of state */
    int64_t moved_at;
};
struct unit_rows {
    struct unit_row *v; /* the latest change last */
    size_t n;
    bool more;          /* there are earlier ones: before = v[0].moved */
};
void unit_rows_clear(struct unit_rows *l);

/* *out is replaced. */
int units_list(struct db *db, const struct unit_filter *f,
               struct unit_rows *out, struct err *e);

/* Positions by state, of those last seen in a fixture (NULL: all). */
int units_count(struct db *db, const char *fixture,
                uint64_t by_state[POSITION_STATES], struct err *e);
/* Serials known. */
int units_registered(struct db *db, uint64_t *out, struct err *e);

#endif
