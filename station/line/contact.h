/* line/contact: counts what goes wrong between a fixture and the cards in it,
 * whichever driver it has. It stands between the worker and the driver, and
 * changes nothing of what passes. */
#ifndef LINESIDE_LINE_CONTACT_H
#define LINESIDE_LINE_CONTACT_H

#include "drivers/fixture.h"
#include "storage/health.h"

#include <stdatomic.h>

struct contact {
    struct fixture base;   /* what the card's session uses      */
    struct fixture *inner; /* the driver's; NULL: not open      */
    struct contacts now;   /* since contact_take; its user's    */
    atomic_uint slower;    /* told from elsewhere, at any time  */
};

void contact_init(struct contact *c);
/* The driver could not even open it. */
void contact_closed(struct contact *c);
/* Any thread: the driver went one step down in speed. */
void contact_slower(struct contact *c);
/* What there was since the last time; from here on it is counted anew. */
struct contacts contact_take(struct contact *c);

#endif
