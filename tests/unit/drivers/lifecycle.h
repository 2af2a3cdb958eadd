/* The life every driver must be able to lead, as fixture.h promises it: open,
 * fail, power, exchange, unplug, close. Runs inside a libcheck test. */
#ifndef LINESIDE_TESTS_LIFECYCLE_H
#define LINESIDE_TESTS_LIFECYCLE_H

#include "drivers/fixture.h"

struct lifecycle {
    const struct fixture_ops *ops;
    void *env;             /* for ops->open */
    const char *where;     /* a slot with a card that answers */
    const char *bad_where; /* open refuses it with ERR_USAGE  */
    void (*unplug)(void *ctx); /* the card leaves the slot    */
    void (*plug)(void *ctx);   /* and comes back              */
    void *ctx;
    enum err_code gone; /* power_on after unplug (fixture.h)  */
};
void lifecycle_run(const struct lifecycle *l);

#endif
