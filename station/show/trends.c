#include "station/show/trends.h"

#include "station/line/health.h"

#include <stdlib.h>

void show_trends_clear(struct show_trends *t)
{
    show_health_clear(&t->health);
    stands_clear(&t->stands);
}

/* What is not known of was not at work yet. */
static int keep_one(struct db *db, const char *called, const char *key,
                    struct fixture_healths *all, struct err *e)
{
    char fixture[HEALTH_NAME_MAX + 1];
    struct fixture_health *one = malloc(sizeof *one);

    if (!one)
        return err_set(e, ERR_NOMEM, "no memory for a fixture");
    if ((!key && health_find(db, called, fixture, e) != 0) ||
        health_get(db, key ? key : fixture, one, e) != 0) {
        free(one);
        return -1;
    }
    fixture_healths_clear(all);
    *all = (struct fixture_healths){ one, 1 };
    return 0;
}

int show_trends_read(struct db *db, const char *called, const char *key,
                     struct show_trends *out, struct err *e)
{
    *out = (struct show_trends){ .stands = { NULL, 0 } };
    return show_health_read(db, &out->health, e) != 0 || stands_get(db, &out->stands, e) != 0 ||
           (called && keep_one(db, called, key, &out->health.fixtures, e) != 0) ? -1 : 0;
}

static json_t *step_json(const struct health_step *s)
{
    return json_pack("{s:i, s:i, s:i, s:i, s:I}", "units", (int)s->units, "judged",
                     (int)s->judged, "good", (int)s->good, "problems",
                     (int)s->problems, "ms", (json_int_t)s->ms);
}

static json_t *fixture_json(const struct places *said, const struct show_trends *t,
                            const struct fixture_health *h)
{
    struct health_step steps[SHOW_TREND_STEPS], all;
    size_t n = health_steps(h, SHOW_TREND_UNITS, steps, SHOW_TREND_STEPS);
    const struct stand *stand = stands_find(&t->stands, h->fixture);
    json_t *list = json_array(), *j = show_health_fixture(said, &t->health.limits, h);

    health_steps(h, HEALTH_RECENT_MAX, &all, 1);
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, step_json(&steps[i]));
    json_object_set_new(j, "all", step_json(&all));
    json_object_set_new(j, "steps", list);
    if (stand) {
        json_object_set_new(j, "row", json_integer(stand->row));
        json_object_set_new(j, "column", json_integer(stand->column));
    }
    return j;
}

json_t *show_trends_json(const struct places *said, const struct show_trends *t)
{
    json_t *list = json_array(), *j = show_health(said, &t->health);

    for (size_t i = 0; i < t->health.fixtures.n; i++)
        json_array_append_new(list, fixture_json(said, t, &t->health.fixtures.v[i]));
    json_object_set_new(j, "fixtures", list);
    json_object_set_new(j, "unitsOfAStep", json_integer(SHOW_TREND_UNITS));
    return j;
}
