/* control/events: what the line tells, as JSON: the lines of `run --json` and
 * the events of the control socket are the same. */
#ifndef LINESIDE_CONTROL_EVENTS_H
#define LINESIDE_CONTROL_EVENTS_H

#include "station/line/line.h"

#include <jansson.h>

/* NULL without memory. The line leaves no text NULL. */
json_t *control_event_json(const struct line_event *ev);

/* Where a fixture stands on the bench, as members of j; row 0: nothing. */
void control_stand_json(json_t *j, unsigned row, unsigned column);

/* One event, kept: what the line lends for the call has a place of its own
 * here. May not be moved. */
struct told {
    struct line_event ev; /* without its list of fixtures */
    char text[1536];
};
/* Text that does not fit is cut; the line's own texts do. */
void told_keep(struct told *t, const struct line_event *ev);

#endif
