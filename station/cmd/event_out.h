/* cmd/event_out.h: one event of the ledger, for whoever asks. */
#ifndef LINESIDE_CMD_EVENT_OUT_H
#define LINESIDE_CMD_EVENT_OUT_H

#include "station/ifpp/event.h"

#include <jansson.h>

/* {"event","at","kind","actor","fields":{...},"hash"}; the caller's. */
json_t *event_json(const struct event *ev, const uint8_t hash[EVENT_HASH]);
/* One line on standard output. */
void event_print(const struct event *ev);

#endif
