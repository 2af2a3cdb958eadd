/* show/event.h: one event of the ledger, for whoever asks. */
#ifndef LINESIDE_SHOW_EVENT_H
#define LINESIDE_SHOW_EVENT_H

#include "station/ifpp/event.h"

#include <jansson.h>

/* {"event","at","kind","actor","fields":{...},"hash"}; the caller's. */
json_t *show_event(const struct event *ev, const uint8_t hash[EVENT_HASH]);

#endif
