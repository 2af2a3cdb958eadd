/* ccid/slot: the driver "ccid": one slot of a reader as a fixture.
 *
 * env is a struct ccid_readers, where a place's name ("1-2.4", "1-2.4:1"). The
 * fixture is the place, not the reader: it lives on while the reader is pulled
 * and plugged again. open: ERR_USAGE: no name of a place; ERR_NOT_FOUND:
 * nothing is plugged there; ERR_WRONG_STATE: what is plugged there is parked
 * or not ours. power_on answers with the same codes for what has changed since.
 *
 * Every wait has the deadline that the card's own timing gives; the caller's
 * timeout is only an upper bound. After any doubt (no answer, an answer that
 * is none, a link error that the protocol did not mend) the card's state is
 * unknown: nothing but power_on gets an answer, so that a late answer is
 * never taken for that of another command. */
#ifndef LINESIDE_DRIVERS_CCID_SLOT_H
#define LINESIDE_DRIVERS_CCID_SLOT_H

#include "drivers/ccid/readers.h"
#include "drivers/fixture.h"

extern const struct fixture_ops fixture_ccid;

#endif
