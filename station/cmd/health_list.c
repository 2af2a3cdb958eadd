#include "station/cmd/health_list.h"

#include "station/base/clock.h"
#include "station/line/health.h"

#include <stdio.h>

static const unsigned trends[] = { 20, 100 };
#define TRENDS (sizeof trends / sizeof *trends)

void health_facts_clear(struct health_facts *f)
{
    fixture_healths_clear(&f->fixtures);
    golden_list_clear(&f->golden);
}

int health_facts_read(struct db *db, struct health_facts *out, struct err *e)
{
    *out = (struct health_facts){ .golden = { NULL, 0 } };
    return health_all(db, &out->fixtures, e) != 0 ||
           health_limits(db, &out->limits, e) != 0 ||
           golden_all(db, &out->golden, e) != 0 ? -1 : 0;
}

/* What it is called now. */
static const char *name_of(const struct places *said, const struct fixture_health *h)
{
    const struct place_setting *s = places_find(said, h->fixture);

    if (s && s->label[0])
        return s->label;
    return place_ok(h->fixture) ? h->fixture : h->name;
}

static const char *state_of(const struct fixture_health *h)
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

    for (size_t i = 0; i < TRENDS; i++) {
        struct health_trend t = health_trend(h, trends[i]);
        json_array_append_new(list, json_pack(
            "{s:i, s:i, s:i, s:i, s:i}", "of", (int)trends[i], "units", (int)t.units,
            "problems", (int)t.problems, "unitsBefore", (int)t.units_before,
            "problemsBefore", (int)t.problems_before));
    }
    return list;
}

static json_t *fixture_json(const struct places *said,
                            const struct health_limits *l,
                            const struct fixture_health *h)
{
    char at[24];
    unsigned of, good = health_yield(h, l->units, &of);

    return json_pack(
        "{s:s, s:s, s:s, s:s, s:i, s:{s:i, s:i}, s:I, s:I, s:I, s:b, s:o, s:o, s:s}",
        "fixture", name_of(said, h), "place", place_ok(h->fixture) ? h->fixture : "",
        "state", state_of(h), "reason", h->reason, "failuresInRow", (int)h->in_row,
        "yield", "good", (int)good, "units", (int)of, "cycles",
        (json_int_t)h->all.cycles, "cyclesSinceMaintenance",
        (json_int_t)health_cycles(h), "cycleLimit", (json_int_t)h->cycle_limit,
        "maintenanceDue", health_worn(h), "problems", problems_json(&h->all),
        "trend", trends_json(h), "provenAt",
        h->proven_at ? clock_text(h->proven_at, at) : "");
}

json_t *health_json(const struct places *said, const struct health_facts *f)
{
    json_t *fixtures = json_array(), *golden = json_array();
    char eid[EID_DIGITS + 1];

    for (size_t i = 0; i < f->fixtures.n; i++)
        json_array_append_new(fixtures,
                              fixture_json(said, &f->limits, &f->fixtures.v[i]));
    for (size_t i = 0; i < f->golden.n; i++)
        json_array_append_new(golden, json_string(eid_format(&f->golden.v[i], eid)));
    return json_pack("{s:o, s:{s:i, s:i, s:i, s:i}, s:o}", "fixtures", fixtures,
                     "limits", "failures", (int)f->limits.failures, "yield",
                     (int)f->limits.yield, "units", (int)f->limits.units,
                     "goldenHours", (int)f->limits.golden_hours, "golden", golden);
}

/* --- text ------------------------------------------------------------------------- */

/* "3 in 20, before 1 in 20" */
static void print_trend(const struct fixture_health *h, unsigned n)
{
    struct health_trend t = health_trend(h, n);

    printf("%u in %u units", t.problems, t.units);
    if (t.units_before)
        printf(", before %u in %u", t.problems_before, t.units_before);
}

static void print_contacts(const struct fixture_health *h)
{
    printf("    contacts:");
    for (int i = 0; i < CONTACT_PROBLEMS; i++)
        printf("%s %s %llu", i ? "," : "", contact_names[i],
               (unsigned long long)h->all.v[i]);
    printf("; lately ");
    print_trend(h, trends[0]);
    if (h->recent_n > trends[0]) {
        printf("; ");
        print_trend(h, trends[1]);
    }
    putchar('\n');
}

static void print_fixture(const struct places *said, const struct health_limits *l,
                          const struct fixture_health *h)
{
    char limit[32] = "", at[24];
    unsigned of, good = health_yield(h, l->units, &of);

    if (h->cycle_limit)
        snprintf(limit, sizeof limit, " of %llu", (unsigned long long)h->cycle_limit);
    printf("%-16s %-12s good %u of %u, cycles %llu%s, golden %s\n", name_of(said, h),
           state_of(h), good, of, (unsigned long long)health_cycles(h), limit,
           h->proven_at ? clock_text(h->proven_at, at) : "never");
    print_contacts(h);
    if (h->stopped)
        printf("    stopped: %s. Find out why; then a golden unit that passes there "
               "releases it, or: lineside fixtures release %s\n", h->reason,
               name_of(said, h));
    if (health_worn(h))
        printf("    due for maintenance; afterwards: lineside fixtures maintenance "
               "%s --done\n", name_of(said, h));
}

static void print_limits(const struct health_facts *f)
{
    const struct health_limits *l = &f->limits;
    char eid[EID_DIGITS + 1];

    printf("limits: ");
    if (l->failures)
        printf("stopped by %u failures in a row", l->failures);
    else
        printf("no number of failures in a row stops a fixture");
    if (l->yield)
        printf(", or by fewer than %u %% good of %u units", l->yield, l->units);
    if (l->golden_hours)
        printf("; a golden unit must have passed within %u hours", l->golden_hours);
    putchar('\n');
    for (size_t i = 0; i < f->golden.n; i++)
        printf("golden unit: EID %s\n", eid_format(&f->golden.v[i], eid));
}

void health_print(const struct places *said, const struct health_facts *f,
                  bool below)
{
    if (below)
        putchar('\n');
    if (f->fixtures.n == 0)
        puts("no fixture was at work yet");
    else
        printf("%-16s %s\n", "FIXTURE", "HEALTH");
    for (size_t i = 0; i < f->fixtures.n; i++)
        print_fixture(said, &f->limits, &f->fixtures.v[i]);
    print_limits(f);
}
