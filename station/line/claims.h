/* line/claims: which unit is at work where, so that one unit (a doubled
 * label, an eUICC read by two fixtures) is never worked on twice at once. */
#ifndef LINESIDE_LINE_CLAIMS_H
#define LINESIDE_LINE_CLAIMS_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "storage/units.h"

struct claims;

/* Room for `max` units at work. */
struct claims *claims_new(size_t max); /* NULL: no memory */
void claims_free(struct claims *c);    /* NULL is fine    */

/* True: ours until claims_drop. False: *e names the fixture that has the
 * serial or the EID. Any thread. fixture is borrowed until claims_drop. */
bool claims_take(struct claims *c, const char *serial, const struct eid *eid,
                 const char *fixture, struct err *e);
void claims_drop(struct claims *c, const char *fixture); /* harmless if none */

#endif
