/* show/trends.h: how fixtures did of late, ten units by ten: what a screen draws. From
 * what is kept of each fixture's last 200 units; no unit is looked up. */
#ifndef LINESIDE_SHOW_TRENDS_H
#define LINESIDE_SHOW_TRENDS_H

#include "storage/health.h"
#include "storage/places.h"

#include <jansson.h>

#define SHOW_TREND_UNITS 10 /* of a step */
#define SHOW_TREND_STEPS (HEALTH_RECENT_MAX / SHOW_TREND_UNITS)

/* called: a name or a place; NULL: every fixture that was at work. ERR_NOT_FOUND. */
int show_trends_read(struct db *db, const char *called, struct fixture_healths *out,
                     struct err *e);
/* As `fixtures trends --json`. */
json_t *show_trends_json(const struct places *said, const struct fixture_healths *all);

#endif
