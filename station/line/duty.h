/* line/duty: what the order of a fixture asks of the unit in it
 * (docs/formats/order.md). Without an order: everything in stock for the eUICC,
 * and the end is close. */
#ifndef LINESIDE_LINE_DUTY_H
#define LINESIDE_LINE_DUTY_H

#include "station/line/verdict.h"
#include "storage/orders.h"

/* An order's recipes never change: one worker keeps the last it worked by.
 * Zero-initialised is empty. */
struct duty_cache {
    int64_t order;
    struct order_spec *spec; /* owned */
};
void duty_cache_clear(struct duty_cache *c);

struct duty {
    int64_t order; /* 0: none */
    char number[ORDER_NUMBER_MAX + 1];
    char bound[ORDER_POSITION_MAX + 1]; /* position of the fixture; "": next */
    const struct order_spec *spec;      /* the cache's */
    const struct order_recipe *recipe;  /* once the position is known */
    bool resolving; /* with an order or without: two people want the eUICC's word
                       on what is quarantined, which may be installed after all */
};

/* The number in a scan of an order's barcode, or NULL: it is none. */
const char *duty_scan(const char *barcode);

/* The order of this fixture now. 0; -1 with *v: the ledger, or orders are
 * active and this fixture has none. */
int duty_find(struct db *db, const char *fixture, struct duty_cache *cache,
              struct duty *out, enum verdict *v, struct err *e);
/* This position of this unit may be worked on by it. 0 with out->recipe; -1
 * with *v. */
int duty_judge(struct db *db, struct duty *d, const char *serial,
               const char *position, enum verdict *v, struct err *e);
enum verdict duty_verdict(enum order_answer a);

/* The recipe's profiles come first in *all, in its order; the others after
 * them as they were. 0; -1 with *v when one is not there. */
int duty_sort(const struct duty *d, struct bpp_list *all, enum verdict *v,
              struct err *e);

#endif
