/* line/claims: what is at work where, so that one position of a unit (a doubled
 * label, an eUICC read by two fixtures) is never worked on twice at once. Two
 * positions of one unit may be. */
#ifndef LINESIDE_LINE_CLAIMS_H
#define LINESIDE_LINE_CLAIMS_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "storage/units.h"

struct claims;

/* Room for `max` positions at work. */
struct claims *claims_new(size_t max); /* NULL: no memory */
void claims_free(struct claims *c);    /* NULL is fine    */

struct claim_what {
    const char *serial, *position;
    struct eid eid;
};
/* True: ours until claims_drop. False: *e names the fixture that has the
 * serial's position or the EID. Any thread. fixture is borrowed until
 * claims_drop, *what is copied. */
bool claims_take(struct claims *c, const struct claim_what *what,
                 const char *fixture, struct err *e);
void claims_drop(struct claims *c, const char *fixture); /* harmless if none */

#endif
