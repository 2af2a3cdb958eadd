/* drivers/fault: wraps any driver and spoils one call. Calls that talk to the
 * card (power_on, transmit) are numbered from 1 over the fixture's life. Not
 * in fixture_drivers: a test's tool, not something a station ships. */
#ifndef LINESIDE_DRIVERS_FAULT_H
#define LINESIDE_DRIVERS_FAULT_H

#include "drivers/fixture.h"

enum fault_kind {
    FAULT_FAIL,    /* this call only: ERR_IO                                   */
    FAULT_SHORTEN, /* this answer only: cut to fewer octets, down to none      */
    FAULT_UNPLUG,  /* ERR_NO_CARD from here on, whatever is tried              */
    FAULT_SILENCE, /* ERR_TIMEOUT (at once, no waiting) until power off        */
    FAULT_KINDS
};
const char *fault_kind_name(enum fault_kind k); /* "unplug" */

struct fault_plan {
    enum fault_kind kind;
    unsigned at;   /* 0: never */
    uint64_t seed; /* decides where an answer is cut, and whether the card had
                      got the command before the call was spoilt */
};

/* Takes `inner` over: closing the wrapper closes it; on failure it is closed. */
int fault_wrap(struct fixture *inner, const struct fault_plan *plan,
               struct fixture **out, struct err *e);
/* It has happened. */
bool fault_fired(const struct fixture *f);

/* `where` is "KIND@N:SEED:DRIVER:WHERE", e.g. "unplug@7:1:bench:/run/F1". */
extern const struct fixture_ops fixture_fault;

#endif
