/* What the ledger keeps of fixtures' health, limits and golden units. */
#include "storage/health.h"
#include "storage/places.h"
#include "tests/unit/storage/ledger_ground.h"

#include <string.h>

#define ACTOR "Eve"

struct call {
    const char *fixture;
    struct fixture_health *h;
    struct health_limits limits;
    struct golden_test test;
    struct eid eid;
    uint64_t n;
};

static int keep(struct tx *tx, void *ctx, struct err *e)
{
    return health_keep(tx, ((struct call *)ctx)->h, e);
}

static int stop(struct tx *tx, void *ctx, struct err *e)
{
    return health_stop(tx, ((struct call *)ctx)->h, "failures", "3 in a row",
                       "line", e);
}

static int release(struct tx *tx, void *ctx, struct err *e)
{
    return health_release(tx, ((struct call *)ctx)->fixture, "person", ACTOR, e);
}

static int set_limit(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return health_set_limit(tx, c->fixture, c->n, ACTOR, e);
}

static int due(struct tx *tx, void *ctx, struct err *e)
{
    return health_due(tx, ((struct call *)ctx)->h, "line", e);
}

static int maintained(struct tx *tx, void *ctx, struct err *e)
{
    return health_maintained(tx, ((struct call *)ctx)->fixture, ACTOR, e);
}

static int set_limits(struct tx *tx, void *ctx, struct err *e)
{
    return health_limits_set(tx, &((struct call *)ctx)->limits, ACTOR, e);
}

static int mark(struct tx *tx, void *ctx, struct err *e)
{
    return golden_mark(tx, &((struct call *)ctx)->eid, ACTOR, e);
}

static int unmark(struct tx *tx, void *ctx, struct err *e)
{
    return golden_unmark(tx, &((struct call *)ctx)->eid, ACTOR, e);
}

static int tested(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return golden_tested(tx, c->h, &c->test, "line", e);
}

static int label(struct tx *tx, void *ctx, struct err *e)
{
    return place_label(tx, ((struct call *)ctx)->fixture, "LEFT-2", ACTOR, e);
}

#define DO(fn, ...) db_write(g.db, fn, &(struct call){ __VA_ARGS__ }, &e)

static uint64_t events(struct ground *g)
{
    struct event_head head;
    struct err e = ERR_INIT;

    good(event_head(g->db, &head, &e));
    return head.number;
}

struct want {
    const char *kind, *field, *value;
};

static int compare(void *ctx, uint64_t number, struct span der,
                   const uint8_t hash[EVENT_HASH], struct err *e)
{
    const struct want *w = ctx;
    struct event ev;
    struct span v;

    (void)number;
    (void)hash;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    if (!span_eq(ev.kind, SPAN_STR(w->kind)) ||
        event_field_get(&ev, w->field, &v) != 0 || !span_eq(v, SPAN_STR(w->value)))
        return err_set(e, ERR_CONFLICT, "it is a %.*s", (int)ev.kind.n,
                       (const char *)ev.kind.p);
    return 0;
}

/* The newest event is of this kind and has this in a field. */
static void last_event(struct ground *g, const char *kind, const char *field,
                       const char *value)
{
    struct want w = { kind, field, value };
    struct event_head head;
    struct err e = ERR_INIT;

    good(event_head(g->db, &head, &e));
    good(event_walk(g->db, head.number, head.number, compare, &w, &e));
}

START_TEST(counters_make_no_event)
{
    struct fixture_health h, again;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(health_get(g.db, "F1", &h, &e));
    ck_assert_str_eq(h.fixture, "F1");
    ck_assert_uint_eq(h.all.cycles, 0);
    uint64_t n = events(&g);
    h.all = (struct contacts){ 7, { 1, 2, 3, 4, 5 } };
    h.in_row = 2;
    h.judged = 9;
    h.recent_n = 3;
    memcpy(h.recent, "\x80\x41\x03", 3);
    memcpy(h.took, (uint16_t[]){ 0, 841, 65535 }, 3 * sizeof *h.took);
    strcpy(h.name, "LEFT");
    good(DO(keep, .h = &h));
    good(DO(keep, .h = &h));
    ck_assert_uint_eq(events(&g), n);
    ground_reopen(&g);
    good(health_get(g.db, "F1", &again, &e));
    ck_assert_mem_eq(&again.all, &h.all, sizeof h.all);
    ck_assert_uint_eq(again.in_row, 2);
    ck_assert_uint_eq(again.judged, 9);
    ck_assert_uint_eq(again.recent_n, 3);
    ck_assert_mem_eq(again.recent, h.recent, 3);
    ck_assert_mem_eq(again.took, h.took, sizeof h.took);
    /* Of units of earlier programs it is not known how long they took. */
    ck_assert_int_eq(ground_sql(&g, "UPDATE fixture_health SET took = x'0349'"), 0);
    good(health_get(g.db, "F1", &again, &e));
    ck_assert_uint_eq(again.took[0] + again.took[1], 0);
    ck_assert_uint_eq(again.took[2], 841);
    ck_assert_str_eq(again.name, "LEFT");
    ck_assert(!again.stopped);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(stops_and_releases)
{
    struct fixture_health h;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(health_get(g.db, "F1", &h, &e));
    h.in_row = h.judged = 3;
    bad(DO(release, .fixture = "F1"), ERR_WRONG_STATE);
    good(DO(stop, .h = &h));
    last_event(&g, "fixture-stopped", "reason", "3 in a row");
    uint64_t n = events(&g);
    ground_reopen(&g);
    good(health_get(g.db, "F1", &h, &e));
    ck_assert(h.stopped);
    ck_assert_str_eq(h.reason, "3 in a row");
    good(DO(stop, .h = &h)); /* harmless twice */
    /* Counting on does not release it. */
    h.all.cycles++;
    good(DO(keep, .h = &h));
    good(health_get(g.db, "F1", &h, &e));
    ck_assert(h.stopped);
    ck_assert_uint_eq(events(&g), n);
    good(DO(release, .fixture = "F1"));
    last_event(&g, "fixture-released", "cause", "person");
    good(health_get(g.db, "F1", &h, &e));
    ck_assert(!h.stopped);
    ck_assert_str_eq(h.reason, "");
    ck_assert_uint_eq(h.in_row, 0);
    ck_assert_uint_eq(h.judged, 0);
    ck_assert_uint_eq(h.all.cycles, 1);
    bad(DO(release, .fixture = "F1"), ERR_WRONG_STATE);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(counts_cycles_anew)
{
    struct fixture_health h;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(DO(set_limit, .fixture = "1-2.4", .n = 10)); /* before it was at work */
    uint64_t n = events(&g);
    good(DO(set_limit, .fixture = "1-2.4", .n = 10));
    ck_assert_uint_eq(events(&g), n);
    good(health_get(g.db, "1-2.4", &h, &e));
    ck_assert_uint_eq(h.cycle_limit, 10);
    h.all.cycles = 10;
    good(DO(due, .h = &h));
    last_event(&g, "fixture-maintenance-due", "cycles", "10");
    good(health_get(g.db, "1-2.4", &h, &e));
    ck_assert(h.due);
    n = events(&g);
    good(DO(due, .h = &h)); /* once */
    ck_assert_uint_eq(events(&g), n);
    good(DO(maintained, .fixture = "1-2.4"));
    last_event(&g, "fixture-maintained", "cycles", "10");
    good(health_get(g.db, "1-2.4", &h, &e));
    ck_assert(!h.due);
    ck_assert_uint_eq(h.serviced_at, 10);
    ck_assert_uint_eq(h.all.cycles, 10);
    bad(DO(set_limit, .fixture = "1-2.4", .n = UINT64_MAX), ERR_USAGE);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A fixture is found by its place, its label, or the name it worked under. */
START_TEST(finds_fixtures)
{
    char fixture[HEALTH_NAME_MAX + 1];
    struct fixture_health h;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(health_get(g.db, "F1", &h, &e));
    good(DO(keep, .h = &h));
    good(DO(label, .fixture = "1-2.4"));
    good(health_find(g.db, "F1", fixture, &e));
    ck_assert_str_eq(fixture, "F1");
    good(health_find(g.db, "LEFT-2", fixture, &e));
    ck_assert_str_eq(fixture, "1-2.4");
    good(health_find(g.db, "1-2.9", fixture, &e));
    ck_assert_str_eq(fixture, "1-2.9");
    bad(health_find(g.db, "F2", fixture, &e), ERR_NOT_FOUND);
    bad(health_find(g.db, "", fixture, &e), ERR_NOT_FOUND);
    ground_close(&g);
}
END_TEST

static const struct health_limits wrong[] = {
    { HEALTH_FAILURES_MAX + 1, 70, 20, 0 }, { 3, 101, 20, 0 }, { 3, 70, 0, 0 },
    { 3, 70, HEALTH_UNITS_MAX + 1, 0 },     { 3, 70, 20, HEALTH_HOURS_MAX + 1 },
};

START_TEST(limits)
{
    struct health_limits l;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(health_limits(g.db, &l, &e));
    ck_assert_uint_eq(l.failures, 3);
    ck_assert_uint_eq(l.yield, 70);
    ck_assert_uint_eq(l.units, 20);
    ck_assert_uint_eq(l.golden_hours, 0);
    uint64_t n = events(&g);
    good(DO(set_limits, .limits = l)); /* as it is */
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        bad(DO(set_limits, .limits = wrong[i]), ERR_USAGE);
    ck_assert_uint_eq(events(&g), n);
    good(DO(set_limits, .limits = { 0, 0, 1, 24 }));
    last_event(&g, "fixture-limits-set", "golden-hours", "24");
    good(health_limits(g.db, &l, &e));
    ck_assert_uint_eq(l.failures, 0);
    ck_assert_uint_eq(l.golden_hours, 24);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static int register_unit(struct tx *tx, void *ctx, struct err *e)
{
    struct position p;

    return unit_register(tx, "SN-1", POSITION_MAIN, &((struct call *)ctx)->eid,
                         &ground_act, &p, e);
}

START_TEST(marks_golden_units)
{
    AUTO(golden_list_clear) struct golden_list all = { NULL, 0 };
    const struct eid a = ground_eid(1), b = ground_eid(2);
    struct err e = ERR_INIT;
    struct ground g;
    bool known;

    ground_open(&g);
    char text[EID_DIGITS + 1];
    good(DO(mark, .eid = a));
    last_event(&g, "golden-marked", "eid", eid_format(&a, text));
    bad(DO(mark, .eid = a), ERR_CONFLICT);
    good(golden_known(g.db, &a, &known, &e));
    ck_assert(known);
    good(golden_known(g.db, &b, &known, &e));
    ck_assert(!known);
    good(DO(register_unit, .eid = b));
    bad(DO(mark, .eid = b), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "SN-1"));
    bad(DO(unmark, .eid = b), ERR_NOT_FOUND);
    good(golden_all(g.db, &all, &e));
    ck_assert_uint_eq(all.n, 1);
    ck_assert(eid_eq(&all.v[0], &a));
    good(DO(unmark, .eid = a));
    good(golden_known(g.db, &a, &known, &e));
    ck_assert(!known);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(proves_and_releases)
{
    struct golden_test t = { .eid = ground_eid(1), .apdus = 32, .mean_us = 400,
                             .most_us = 900, .speed = 0x95 };
    struct fixture_health h;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(health_get(g.db, "F1", &h, &e));
    good(DO(stop, .h = &h));
    good(health_get(g.db, "F1", &h, &e));
    t.code = "no-card";
    t.detail = "no \x1b card";
    good(DO(tested, .h = &h, .test = t));
    last_event(&g, "golden-failed", "detail", "no ? card");
    good(health_get(g.db, "F1", &h, &e));
    ck_assert(h.stopped);
    ck_assert_int_eq(h.proven_at, 0);
    t.code = NULL;
    uint64_t n = events(&g);
    good(DO(tested, .h = &h, .test = t));
    ck_assert_uint_eq(events(&g), n + 2); /* passed, and released */
    last_event(&g, "fixture-released", "cause", "golden");
    good(health_get(g.db, "F1", &h, &e));
    ck_assert(!h.stopped);
    ck_assert_int_eq(h.proven_at, ground_now);
    good(DO(tested, .h = &h, .test = t));
    last_event(&g, "golden-passed", "ta1", "95");
    ck_assert_uint_eq(events(&g), n + 3);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A ledger that was at work before it knew of fixtures' health. */
START_TEST(version_7_is_migrated)
{
    struct fixture_health h;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 2, 1);
    uint64_t n = events(&g);
    ground_back_to(&g, 7);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    ck_assert_uint_eq(events(&g), n);
    good(health_get(g.db, "F1", &h, &e));
    good(DO(stop, .h = &h));
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "counters", counters_make_no_event, 1 },
        { "stop", stops_and_releases, 1 },
        { "cycles", counts_cycles_anew, 1 },
        { "names", finds_fixtures, 1 },
        { "limits", limits, 1 },
        { "golden units", marks_golden_units, 1 },
        { "proof", proves_and_releases, 1 },
        { "version 7", version_7_is_migrated, 1 },
    };

    return run_tests("storage/health", tests, sizeof tests / sizeof *tests);
}
