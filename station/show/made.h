/* show/made.h: what was written to a stick. */
#ifndef LINESIDE_SHOW_MADE_H
#define LINESIDE_SHOW_MADE_H

#include "station/report/report.h"

#include <jansson.h>

/* One, as a line of `export --json`. */
json_t *show_made(const struct report_made *r);

#endif
