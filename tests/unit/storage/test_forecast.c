/* How long the stock lasts. */
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>

/* What one unit leaves: a result, and evidence that is none. */
struct work {
    unsigned unit, bpps;
    bool failed; /* the first of them */
};

static int work(struct tx *tx, void *ctx, struct err *e)
{
    const struct work *w = ctx;
    const struct eid eid = ground_eid(w->unit);
    struct act a = { .actor = "line", .fixture = "F1" };
    struct bpp_list l = { NULL, 0 };
    struct position p;
    const struct receipt_info r = { 0x72, 6, 1, 0, SPAN("receipt", 7) };
    char serial[32];
    int rc;

    snprintf(serial, sizeof serial, "SN%u", w->unit);
    if (unit_register(tx, serial, "main", &eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    rc = stock_reserve(tx, &eid, &a, &l, e);
    for (size_t i = 0; i < l.n && rc == 0; i++)
        rc = stock_load(tx, l.v[i].id, &a, e) != 0 ||
             stock_result(tx, l.v[i].id, i > 0 || !w->failed, CAUSE_RESULT,
                          ground_bf37(), &a, e) != 0 ? -1 : 0;
    ck_assert_uint_eq(l.n, w->bpps);
    bpp_list_clear(&l);
    return rc ? rc : receipt_add(tx, &a, &r, e);
}

static void units(struct ground *g, unsigned first, unsigned n, unsigned bpps,
                  int64_t every_s)
{
    struct err e = ERR_INIT;

    for (unsigned i = 0; i < n; i++) {
        struct work w = { first + i, bpps, i % 10 == 9 };
        ground_now += i ? every_s : 0;
        good(db_write(g->db, work, &w, &e));
    }
}

static struct stock_pace pace_of(struct ground *g)
{
    struct stock_pace p;
    struct err e = ERR_INIT;

    good(stock_pace(g->db, &p, &e));
    return p;
}

static struct stock_forecast now(struct ground *g, unsigned warn)
{
    struct stock_overview o;
    struct err e = ERR_INIT;

    good(query_overview(g->db, &o, &e));
    struct stock_forecast f = stock_forecast(&o.total, &o.pace, warn);
    stock_overview_clear(&o);
    return f;
}

START_TEST(nothing_tells_nothing)
{
    struct ground g;

    ground_open(&g);
    ck_assert_uint_eq(pace_of(&g).span_s, 0);
    ck_assert(!now(&g, 8).low); /* nothing came yet: nothing is used up */
    ground_bundle(&g, 1, 0, 6, 1);
    struct stock_forecast f = now(&g, 8);
    ck_assert_uint_eq(f.left, 6);
    ck_assert_uint_eq(f.hours_left, FORECAST_UNKNOWN);
    ck_assert_uint_eq(f.units_per_hour, 0);
    ck_assert(!f.low);
    ground_close(&g);
}
END_TEST

START_TEST(the_last_hour_of_work_tells)
{
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 0, 200, 2);
    /* Long ago, and fast: not of that hour. */
    units(&g, 0, 20, 2, 10);
    ground_now += 2 * 3600;
    units(&g, 20, 31, 2, 60); /* 30 minutes from the first to the last */
    struct stock_pace p = pace_of(&g);
    ck_assert_uint_eq(p.units, 31);
    ck_assert_uint_eq(p.bpps, 62);
    ck_assert_uint_eq(p.span_s, 1800);
    struct stock_forecast f = now(&g, 8);
    ck_assert_uint_eq(f.left, 200 - 102);
    ck_assert_uint_eq(f.units_per_hour, 62 * FORECAST_PARTS);
    ck_assert_uint_eq(f.bpps_per_hour, 124 * FORECAST_PARTS);
    ck_assert_uint_eq(f.hours_left, 3); /* 98 of 124: 0.79 hours, cut off */
    ck_assert(f.low);
    ck_assert(!now(&g, 0).low);
    /* A weekend later it is the same. */
    ground_now += 60 * 3600;
    ground_bundle(&g, 2, 1000, 1000, 1);
    f = now(&g, 8);
    ck_assert_uint_eq(f.bpps_per_hour, 124 * FORECAST_PARTS);
    ck_assert_uint_eq(f.hours_left, 1098 * FORECAST_PARTS / 124);
    ck_assert(!f.low);
    ck_assert(now(&g, 9).low);
    ground_close(&g);
}
END_TEST

START_TEST(minutes_are_no_hour)
{
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 0, 4, 1);
    units(&g, 0, 3, 1, 5);
    struct stock_pace p = pace_of(&g);
    ck_assert_uint_eq(p.bpps, 3);
    ck_assert_uint_eq(p.span_s, 600);
    ck_assert(now(&g, 8).low);
    units(&g, 3, 1, 1, 5);
    struct stock_forecast f = now(&g, 0);
    ck_assert_uint_eq(f.left, 0);
    ck_assert_uint_eq(f.hours_left, 0);
    ck_assert(f.low); /* whatever the threshold */
    ground_close(&g);
}
END_TEST

/* More evidence in the hour than is looked at: what was seen tells. */
START_TEST(a_fast_line_is_not_slowed_down)
{
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 0, 1200, 1);
    units(&g, 0, 1200, 1, 1); /* 2400 pieces, 1 unit a second */
    struct stock_pace p = pace_of(&g);
    ck_assert_uint_eq(p.bpps, FORECAST_ROWS / 2);
    ck_assert_uint_eq(p.span_s, FORECAST_ROWS / 2 - 1);
    ck_assert_uint_eq(now(&g, 8).units_per_hour,
                      p.units * 3600 * FORECAST_PARTS / p.span_s);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "nothing", nothing_tells_nothing, 1 },
        { "the last hour", the_last_hour_of_work_tells, 1 },
        { "minutes", minutes_are_no_hour, 1 },
        { "a fast line", a_fast_line_is_not_slowed_down, 1 },
    };

    return run_tests("storage/forecast", tests, sizeof tests / sizeof *tests);
}
