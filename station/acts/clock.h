/* acts/clock.h: a line engineer's word for the machine's clock (binding, clause 5). */
#ifndef LINESIDE_ACTS_CLOCK_H
#define LINESIDE_ACTS_CLOCK_H

#include "station/acts/who.h"
#include "storage/events.h"

/* *k: as it is then. A clock that is believed anyway needs no one's word, and gets no
 * event: *confirmed is false then. ERR_CONFLICT: it is behind the ledger. */
int act_clock_confirm(struct db *db, const struct who *w, struct ledger_clock *k,
                      bool *confirmed, struct err *e);

#endif
