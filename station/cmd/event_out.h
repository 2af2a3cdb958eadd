/* cmd/event_out.h: one event of the ledger, for people. */
#ifndef LINESIDE_CMD_EVENT_OUT_H
#define LINESIDE_CMD_EVENT_OUT_H

#include "station/ifpp/event.h"

/* One line on standard output. */
void event_print(const struct event *ev);

#endif
