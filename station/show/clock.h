/* show/clock.h: the time the ledger goes by. */
#ifndef LINESIDE_SHOW_CLOCK_H
#define LINESIDE_SHOW_CLOCK_H

#include "storage/events.h"

#include <jansson.h>

/* As `clock --json`; machine: this machine's clock. */
json_t *show_clock(const struct ledger_clock *k, int64_t machine,
                   bool confirmed_now);

#endif
