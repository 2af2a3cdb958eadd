/* show/trends.h: how fixtures do, and did of late, ten units by ten: what a screen
 * draws. From what is kept of each fixture and its last 200 units; no unit is looked up. */
#ifndef LINESIDE_SHOW_TRENDS_H
#define LINESIDE_SHOW_TRENDS_H

#include "station/show/health.h"
#include "storage/stands.h"

#define SHOW_TREND_UNITS 10 /* of a step */
#define SHOW_TREND_STEPS (HEALTH_RECENT_MAX / SHOW_TREND_UNITS)

struct show_trends {
    struct show_health health;
    struct stands stands;
};
/* called: a name or a place; NULL: every fixture that was at work. key: how the ledger
 * calls it, where that is known, else NULL. ERR_NOT_FOUND. */
int show_trends_read(struct db *db, const char *called, const char *key,
                     struct show_trends *out, struct err *e);
void show_trends_clear(struct show_trends *t);
/* As `fixtures trends --json`. */
json_t *show_trends_json(const struct places *said, const struct show_trends *t);

#endif
