#include "station/show/trends.h"

#include "station/line/health.h"
#include "station/show/health.h"

#include <stdlib.h>

int show_trends_read(struct db *db, const char *called, struct fixture_healths *out,
                     struct err *e)
{
    char fixture[HEALTH_NAME_MAX + 1];

    if (!called)
        return health_all(db, out, e);
    fixture_healths_clear(out);
    if (health_find(db, called, fixture, e) != 0)
        return -1;
    if (!(out->v = malloc(sizeof *out->v)))
        return err_set(e, ERR_NOMEM, "no memory for a fixture");
    out->n = 1;
    return health_get(db, fixture, out->v, e);
}

static json_t *step_json(const struct health_step *s)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:I}", "units", (int)s->units, "judged",
                     (int)s->judged, "good", (int)s->good, "problems",
                     (int)s->problems, "ms", (json_int_t)s->ms);
}

static json_t *fixture_json(const struct places *said, const struct fixture_health *h)
{
    struct health_step steps[SHOW_TREND_STEPS], all;
    size_t n = health_steps(h, SHOW_TREND_UNITS, steps, SHOW_TREND_STEPS);
    json_t *list = json_array();

    health_steps(h, HEALTH_RECENT_MAX, &all, 1);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, step_json(&steps[i]));
    return json_pack("{s:s, s:s, s:o, s:o}", "fixture", show_health_name(said, h),
                     "place", place_ok(h->fixture) ? h->fixture : "", "all",
                     step_json(&all), "steps", list);
}

json_t *show_trends_json(const struct places *said, const struct fixture_healths *all)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->n; i++)
        json_array_append_new(list, fixture_json(said, &all->v[i]));
    return json_pack("{s:i, s:o}", "unitsOfAStep", SHOW_TREND_UNITS, "fixtures", list);
}
