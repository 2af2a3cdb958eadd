/* show/health.h: how the fixtures do. */
#ifndef LINESIDE_SHOW_HEALTH_H
#define LINESIDE_SHOW_HEALTH_H

#include "storage/health.h"
#include "storage/places.h"

#include <jansson.h>

struct show_health {
    struct fixture_healths fixtures;
    struct health_limits limits;
    struct golden_list golden;
};
int show_health_read(struct db *db, struct show_health *out, struct err *e);
void show_health_clear(struct show_health *f);

/* As the member "health" of `fixtures --json`. */
json_t *show_health(const struct places *said, const struct show_health *f);
/* One of its fixtures, and its limits. */
json_t *show_health_fixture(const struct places *said, const struct health_limits *l,
                            const struct fixture_health *h);
json_t *show_health_limits(const struct health_limits *l);
/* {"labels":[{"place","label"}],"allowed":[...],"scanners":[...]}: what was said
 * of places. */
json_t *show_places(const struct places *said);

/* What it is called now; borrowed of both. */
const char *show_health_name(const struct places *said,
                             const struct fixture_health *h);
const char *show_health_state(const struct fixture_health *h); /* "ok" */

#define SHOW_TRENDS 2
extern const unsigned show_trends[SHOW_TRENDS]; /* units each */

#endif
