/* base/when.h: times as people write them, in UTC. */
#ifndef LINESIDE_BASE_WHEN_H
#define LINESIDE_BASE_WHEN_H

#include "station/base/err.h"

#include <stdint.h>

/* "2026-11-28", "2026-11-28T06:00", "2026-11-28T06:00:30" (a blank for the T
 * too, a Z behind if you like) or "20261128060030Z". ERR_USAGE. */
int when_parse(const char *s, int64_t *out, struct err *e);

#endif
