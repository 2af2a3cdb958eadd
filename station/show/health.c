#include "station/show/health.h"

#include "station/base/clock.h"
#include "station/line/health.h"

const unsigned show_trends[SHOW_TRENDS] = { 20, 100 };

void show_health_clear(struct show_health *f)
{
    fixture_healths_clear(&f->fixtures);
    golden_list_clear(&f->golden);
}

int show_health_read(struct db *db, struct show_health *out, struct err *e)
{
    *out = (struct show_health){ .golden = { NULL, 0 } };
    return health_all(db, &out->fixtures, e) != 0 ||
           health_limits(db, &out->limits, e) != 0 ||
           golden_all(db, &out->golden, e) != 0 ? -1 : 0;
}

/* What it is called now. */
const char *show_health_name(const struct places *said,
                             const struct fixture_health *h)
{
    const struct place_setting *s = places_find(said, h->fixture);

    if (s && s->label[0])
        return s->label;
    return place_ok(h->fixture) ? h->fixture : h->name;
}

const char *show_health_state(const struct fixture_health *h)
{
    return h->stopped ? HEALTH_STOPPED : health_worn(h) ? HEALTH_MAINTENANCE : "ok";
}

/* --- JSON ------------------------------------------------------------------------ */

static json_t *problems_json(const struct contacts *c)
{
    json_t *j = json_object();

    for (int i = 0; i < CONTACT_PROBLEMS; i++)
        json_object_set_new(j, contact_names[i], json_integer((json_int_t)c->v[i]));
    return j;
}

static json_t *trends_json(const struct fixture_health *h)
{
    json_t *list = json_array();

    for (size_t i = 0; i < SHOW_TRENDS; i++) {
        struct health_trend t = health_trend(h, show_trends[i]);
        json_array_append_new(list, json_pack(
            "{s:i, s:i, s:i, s:i, s:i}", "of", (int)show_trends[i], "units", (int)t.units,
            "problems", (int)t.problems, "unitsBefore", (int)t.units_before,
            "problemsBefore", (int)t.problems_before));
    }
    return list;
}

json_t *show_health_fixture(const struct places *said, const struct health_limits *l,
                            const struct fixture_health *h)
{
    char at[24];
    unsigned of, good = health_yield(h, l->units, &of);

    return json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:{s:i, s:i}, s:I, s:I, s:I, s:b, s:o, s:o, s:s}",
        "fixture", show_health_name(said, h), "place", place_ok(h->fixture) ? h->fixture : "",
        "state", show_health_state(h), "reason", h->reason, "failuresInRow", (int)h->in_row,
        "yield", "good", (int)good, "units", (int)of, "cycles",
        (json_int_t)h->all.cycles, "cyclesSinceMaintenance",
        (json_int_t)health_cycles(h), "cycleLimit", (json_int_t)h->cycle_limit,
        "maintenanceDue", health_worn(h), "problems", problems_json(&h->all),
        "trend", trends_json(h), "provenAt",
        h->proven_at ? clock_text(h->proven_at, at) : "");
}

json_t *show_health_limits(const struct health_limits *l)
{
    return json_pack("{s:i, s:i, s:i, s:i}", "failures", (int)l->failures, "yield",
                     (int)l->yield, "units", (int)l->units, "goldenHours",
                     (int)l->golden_hours);
}

json_t *show_health(const struct places *said, const struct show_health *f)
{
    json_t *fixtures = json_array(), *golden = json_array();
    char eid[EID_DIGITS + 1];

    for (size_t i = 0; i < f->fixtures.n; i++)
        json_array_append_new(fixtures,
                              show_health_fixture(said, &f->limits, &f->fixtures.v[i]));
    for (size_t i = 0; i < f->golden.n; i++)
        json_array_append_new(golden, json_string(eid_format(&f->golden.v[i], eid)));
    return json_pack("{s:o, s:o, s:o}", "fixtures", fixtures, "limits",
                     show_health_limits(&f->limits), "golden", golden);
}

json_t *show_places(const struct places *said)
{
    json_t *labels = json_array(), *allowed = json_array(), *scanners = json_array();

    for (size_t i = 0; i < said->n; i++) {
        const struct place_setting *p = &said->v[i];
        if (p->label[0])
            json_array_append_new(labels, json_pack("{s:s, s:s}", "place", p->place,
                                                    "label", p->label));
        if (p->allowed)
            json_array_append_new(allowed, json_string(p->place));
    }
    for (size_t i = 0; i < said->scanner_count; i++) {
        const struct scanner_setting *c = &said->scanners[i];
        json_array_append_new(scanners, json_pack(
            "{s:s, s:s, s:s, s:s, s:s}", "place", c->place, "fixture", c->fixture,
            "layout", c->layout, "suffix", c->suffix, "prefix", c->prefix));
    }
    return json_pack("{s:o, s:o, s:o}", "labels", labels, "allowed", allowed,
                     "scanners", scanners);
}
