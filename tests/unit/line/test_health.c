/* When a fixture stops, who may go in then, and what a line does about it. */
#include "station/line/contact.h"
#include "station/line/gate.h"
#include "station/line/health.h"
#include "station/line/verdict.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* --- the rule --------------------------------------------------------------------- */

#define DEFAULTS { 3, 70, 20, 0 }
#define TEN_GOOD "gggggggggg"

/* g good, b bad, n says nothing, R released. */
static const struct {
    const char *units;
    struct health_limits l;
    const char *cause, *words; /* NULL: it goes on */
} rules[] = {
    { "", DEFAULTS, NULL, NULL },
    { "b", DEFAULTS, NULL, NULL },
    { "bb", DEFAULTS, NULL, NULL },
    { "bbb", DEFAULTS, "failures", "3 failures in a row, the last one: no-card" },
    { "gbbb", DEFAULTS, "failures", "3 failures" },
    { "bbgb", DEFAULTS, NULL, NULL },
    { "bbgbb", DEFAULTS, NULL, NULL },
    { "bbnb", DEFAULTS, "failures", "3 failures" }, /* neither for nor against */
    { "nnnnn", DEFAULTS, NULL, NULL },
    { "bbRb", DEFAULTS, NULL, NULL },
    { "bbbRbb", DEFAULTS, NULL, NULL },
    { "bbbRbbb", DEFAULTS, "failures", "3 failures" },
    { "b", { 1, 0, 20, 0 }, "failures", "1 failure in a row" },
    { "bbbbbbbb", { 0, 0, 20, 0 }, NULL, NULL },
    { "bbbbbbbb", { 0, 70, 20, 0 }, NULL, NULL }, /* the window is not full */
    { "bbbbb", { 0, 1, 5, 0 }, "yield", "0 of the last 5 units" },
    /* 14 of 20 are 70 per cent, 13 are fewer. */
    { "bgbgbgbgbgbg" "gggggggg", DEFAULTS, NULL, NULL },
    { "bgbgbgbgbgbgbg" "gggggg", DEFAULTS, "yield", "13 of the last 20 units were good, fewer than 70 %" },
    { "bgbgbgbgbgbgbg" "ggggggn", DEFAULTS, "yield", "13 of the last 20" },
    { "bgbgbgbgbgbgbg" "gggggg" TEN_GOOD, DEFAULTS, NULL, NULL }, /* long ago */
    { "bgbgbgbgbgbgbg" "ggggg", DEFAULTS, NULL, NULL }, /* 19 units */
    { "bgbgbgbgbgbgbg" "ggggggRg", DEFAULTS, NULL, NULL },
    { TEN_GOOD TEN_GOOD "bb", DEFAULTS, NULL, NULL },
    { "gb", { 3, 100, 2, 0 }, "yield", "1 of the last 2" },
    { "gg", { 3, 100, 2, 0 }, NULL, NULL },
};

static void note(struct fixture_health *h, const char *units)
{
    const struct contacts none = { .cycles = 1 };

    for (const char *u = units; *u; u++)
        if (*u == 'R')
            h->in_row = h->judged = 0; /* as health_release does */
        else
            health_note(h, &none, *u == 'g' ? SAYS_GOOD
                                : *u == 'b' ? SAYS_BAD : SAYS_NOTHING, 0);
}

START_TEST(stops)
{
    struct fixture_health h = { .stopped = false };
    char reason[HEALTH_REASON_MAX + 1] = "";

    note(&h, rules[_i].units);
    const char *cause = health_judge(&h, &rules[_i].l, "no-card", reason);
    ck_assert_msg((cause == NULL) == (rules[_i].cause == NULL), "%s: %s",
                  rules[_i].units, reason);
    if (!cause)
        return;
    ck_assert_str_eq(cause, rules[_i].cause);
    ck_assert_msg(strncmp(reason, rules[_i].words, strlen(rules[_i].words)) == 0,
                  "%s: %s", rules[_i].units, reason);
}
END_TEST

/* Any number of units, and it stays within what is kept. */
START_TEST(forgets_the_oldest)
{
    struct fixture_health h = { .stopped = false };
    const struct contacts bad = { 1, { 1, 0, 0, 0, 2 } }, many = { 1, { 900 } };
    unsigned of;

    for (int i = 0; i < 3 * HEALTH_RECENT_MAX; i++)
        health_note(&h, &bad, SAYS_GOOD, 0);
    ck_assert_uint_eq(h.recent_n, HEALTH_RECENT_MAX);
    ck_assert_uint_eq(h.judged, HEALTH_RECENT_MAX);
    ck_assert_uint_eq(h.all.cycles, 3 * HEALTH_RECENT_MAX);
    ck_assert_uint_eq(h.all.v[CONTACT_TRANSPORT], 6 * HEALTH_RECENT_MAX);
    ck_assert_uint_eq(health_yield(&h, 100, &of), 100);
    ck_assert_uint_eq(of, 100);
    health_note(&h, &many, SAYS_BAD, 0);
    ck_assert_uint_eq(h.recent[HEALTH_RECENT_MAX - 1], RECENT_BAD | RECENT_PROBLEMS);
    ck_assert_uint_eq(health_yield(&h, 100, &of), 99);
}
END_TEST

/* What a screen draws: the newest units in whole steps, the oldest step of what is
 * left; the time is that of the good ones that have one. */
START_TEST(in_steps)
{
    struct fixture_health h = { .stopped = false };
    const struct contacts none = { .cycles = 1 }, two = { 1, { 1, 0, 0, 1 } };
    struct health_step s[20];

    ck_assert_uint_eq(health_steps(&h, 10, s, 20), 0);
    ck_assert_uint_eq(s[0].units, 0);
    for (int i = 0; i < 3; i++)
        health_note(&h, &none, SAYS_GOOD, 5000);
    for (int i = 0; i < 5; i++)
        health_note(&h, &none, SAYS_GOOD, i == 0 ? 0 : 8000 + 10 * i);
    health_note(&h, &two, SAYS_BAD, 60000);
    for (int i = 0; i < 4; i++)
        health_note(&h, &none, SAYS_NOTHING, 99);
    ck_assert_uint_eq(health_steps(&h, 10, s, 20), 2);
    ck_assert_uint_eq(s[0].units, 3);
    ck_assert_int_eq(s[0].ms, 5000);
    ck_assert_uint_eq(s[1].units, 10);
    ck_assert_uint_eq(s[1].judged, 6);
    ck_assert_uint_eq(s[1].good, 5);
    ck_assert_uint_eq(s[1].problems, 2);
    ck_assert_int_eq(s[1].ms, 8025);
    ck_assert_uint_eq(health_steps(&h, 10, s, 1), 1);
    ck_assert_uint_eq(s[0].good, 5);
    for (int i = 0; i < 2 * HEALTH_RECENT_MAX; i++)
        health_note(&h, &none, SAYS_GOOD, i < HEALTH_RECENT_MAX ? 1000 : 9000000);
    ck_assert_uint_eq(health_steps(&h, 10, s, 20), 20);
    ck_assert_int_eq(s[0].ms, 655350); /* that long or longer */
    ck_assert_int_eq(s[19].ms, 655350);
    ck_assert_uint_eq(health_steps(&h, HEALTH_RECENT_MAX, s, 1), 1);
    ck_assert_uint_eq(s[0].units, HEALTH_RECENT_MAX);
}
END_TEST

START_TEST(trends)
{
    struct fixture_health h = { .stopped = false };
    const struct contacts none = { .cycles = 1 }, one = { 1, { 1 } };

    struct health_trend t = health_trend(&h, 20);
    ck_assert_uint_eq(t.units + t.units_before + t.problems, 0);
    for (int i = 0; i < 30; i++)
        health_note(&h, i < 5 ? &one : &none, SAYS_GOOD, 0);
    for (int i = 0; i < 20; i++)
        health_note(&h, i % 2 ? &one : &none, SAYS_NOTHING, 0);
    t = health_trend(&h, 20);
    ck_assert_uint_eq(t.units, 20);
    ck_assert_uint_eq(t.problems, 10);
    ck_assert_uint_eq(t.units_before, 20);
    ck_assert_uint_eq(t.problems_before, 0);
    t = health_trend(&h, 100);
    ck_assert_uint_eq(t.units, 50);
    ck_assert_uint_eq(t.problems, 15);
    ck_assert_uint_eq(t.units_before, 0);
    t = health_trend(&h, 30);
    ck_assert_uint_eq(t.units_before, 20);
    ck_assert_uint_eq(t.problems_before, 5);
}
END_TEST

START_TEST(wears_out)
{
    struct fixture_health h = { .cycle_limit = 10 };

    h.all.cycles = 109;
    h.serviced_at = 100;
    ck_assert(!health_worn(&h));
    h.all.cycles = 110;
    ck_assert(health_worn(&h));
    ck_assert_uint_eq(health_cycles(&h), 10);
    h.cycle_limit = 0;
    ck_assert(!health_worn(&h));
}
END_TEST

#define NOW 1000000000
#define HOURS(n) ((n) * 3600)

static const struct {
    bool stopped;
    unsigned hours;
    int64_t proven_at;
    enum verdict shut;
} gates[] = {
    { false, 0, 0, V_DONE },
    { true, 0, 0, V_FIXTURE_STOPPED },
    { true, 8, NOW, V_FIXTURE_STOPPED },
    { false, 8, 0, V_FIXTURE_UNPROVEN },
    { false, 8, NOW, V_DONE },
    { false, 8, NOW - HOURS(8), V_DONE },
    { false, 8, NOW - HOURS(8) - 1, V_FIXTURE_UNPROVEN },
    { false, 0, NOW - HOURS(100), V_DONE },
};

START_TEST(keeps_units_out)
{
    const struct fixture_health h = { .stopped = gates[_i].stopped,
                                      .reason = "why", .proven_at = gates[_i].proven_at };
    const struct health_limits l = { 3, 70, 20, gates[_i].hours };
    struct fixture_gate g;

    gate_judge(&h, &l, NOW, &g);
    ck_assert_int_eq(g.shut, gates[_i].shut);
    ck_assert_int_eq(g.why[0] == '\0', g.shut == V_DONE);
}
END_TEST

/* The verdicts that count against a fixture: only failures do, and none that is
 * the unit's own, the operator's, the stock's or the station's. */
START_TEST(only_failures_count)
{
    static const enum verdict own[] = {
        V_WRONG_EID, V_SERIAL_HAS_OTHER_EID, V_EID_HAS_OTHER_SERIAL, V_BUSY_ELSEWHERE,
        V_NO_BPP, V_NOT_REPLACED, V_FPA_CLOSED, V_KEY_NOT_ON_CARD, V_ALREADY_DONE,
        V_CONSUMED_ELSEWHERE, V_LEDGER, V_LEDGER_FULL, V_MACHINE, V_GOLDEN_OK,
    };
    static const enum verdict contacts[] = { V_FIXTURE, V_NO_CARD, V_SILENT,
                                             V_NONSENSE, V_LOAD_AGAIN, V_UNRESOLVED };

    for (int v = 0; v < VERDICTS; v++) {
        const struct verdict_row *r = verdict_row((enum verdict)v);
        ck_assert_msg(r->says != SAYS_BAD || r->kind == VERDICT_FAIL, "%s", r->code);
        bool good = r->kind == VERDICT_PASS || r->kind == VERDICT_STOCKED ||
                    r->kind == VERDICT_INCOMPLETE || r->kind == VERDICT_RETURNED;
        ck_assert_msg((r->says == SAYS_GOOD) == good, "%s", r->code);
    }
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        ck_assert_int_eq(verdict_row(own[i])->says, SAYS_NOTHING);
    for (size_t i = 0; i < sizeof contacts / sizeof *contacts; i++)
        ck_assert_int_eq(verdict_row(contacts[i])->says, SAYS_BAD);
}
END_TEST

/* --- what contacts do ---------------------------------------------------------------- */

static enum err_code fails; /* ERR_NONE: it works */

static int power_on(struct fixture *f, struct buf *atr, int ms, struct err *e)
{
    (void)f;
    (void)atr;
    (void)ms;
    return fails ? err_set(e, fails, "as told") : 0;
}

static int transmit(struct fixture *f, struct span cmd, struct buf *rsp, int ms,
                    struct err *e)
{
    (void)cmd;
    return power_on(f, rsp, ms, e);
}

static uint8_t speed(struct fixture *f)
{
    (void)f;
    return 0x95;
}

static const struct {
    enum err_code code;
    bool powering;
    enum contact_problem counts;
} problems[] = {
    { ERR_NO_CARD, true, CONTACT_ATR_MISSING },
    { ERR_TIMEOUT, true, CONTACT_ATR_MISSING },
    { ERR_NOT_FOUND, true, CONTACT_TRANSPORT },
    { ERR_FORMAT, true, CONTACT_TRANSPORT },
    { ERR_TIMEOUT, false, CONTACT_TIMEOUT },
    { ERR_NO_CARD, false, CONTACT_TRANSPORT },
    { ERR_FORMAT, false, CONTACT_TRANSPORT },
};

START_TEST(counts_problems)
{
    static const struct fixture_ops ops = { .name = "told", .power_on = power_on,
                                            .transmit = transmit, .speed = speed };
    struct fixture inner = { &ops };
    struct contact c;
    struct err e = ERR_INIT;

    contact_init(&c);
    c.inner = &inner;
    fails = problems[_i].code;
    int rc = problems[_i].powering
           ? c.base.ops->power_on(&c.base, NULL, 1, &e)
           : c.base.ops->transmit(&c.base, SPAN(NULL, 0), NULL, 1, NULL);
    ck_assert_int_eq(rc, -1);
    ck_assert(!problems[_i].powering || e.code == fails); /* handed on */
    struct contacts got = contact_take(&c);
    ck_assert_uint_eq(got.cycles, 0);
    for (int k = 0; k < CONTACT_PROBLEMS; k++)
        ck_assert_uint_eq(got.v[k], k == (int)problems[_i].counts);

    /* Power twice in one unit is one cycle and a reset. */
    fails = ERR_NONE;
    contact_slower(&c);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(c.base.ops->power_on(&c.base, NULL, 1, &e), 0);
    ck_assert_uint_eq(fixture_speed(&c.base), 0x95);
    got = contact_take(&c);
    ck_assert_uint_eq(got.cycles, 1);
    ck_assert_uint_eq(got.v[CONTACT_RESET], 1);
    ck_assert_uint_eq(got.v[CONTACT_SLOWER], 1);
    ck_assert_uint_eq(got.v[CONTACT_TRANSPORT], 0);
    contact_closed(&c);
    ck_assert_uint_eq(contact_take(&c).v[CONTACT_TRANSPORT], 1);
}
END_TEST

/* --- a line ---------------------------------------------------------------------------- */

#define NOWHERE "0@0:/nonexistent/chip"

static struct db *ledger(struct shop *s, enum db_mode mode)
{
    struct db *db;
    struct err e = ERR_INIT;

    ck_assert_msg(db_open(s->data, mode, NULL, &db, &e) == 0, "%s", e.msg);
    return db;
}

static struct fixture_health health_of(struct shop *s)
{
    AUTO(db_close_p) struct db *db = ledger(s, DB_READ);
    struct fixture_health h;
    struct err e = ERR_INIT;

    ck_assert_msg(health_get(db, "F1", &h, &e) == 0, "%s", e.msg);
    return h;
}

static int do_release(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    return health_release(tx, "F1", "person", "Eve", e);
}

static int do_mark(struct tx *tx, void *ctx, struct err *e)
{
    return golden_mark(tx, ctx, "Eve", e);
}

static int do_need(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    return health_limits_set(tx, &(struct health_limits){ 3, 70, 20, 8 }, "Eve", e);
}

static void write_ledger(struct shop *s, tx_fn *fn, void *ctx)
{
    AUTO(db_close_p) struct db *db = ledger(s, DB_WRITE);
    struct err e = ERR_INIT;

    ck_assert_msg(db_write(db, fn, ctx, &e) == 0, "%s", e.msg);
}

static void start_chip(struct shop *s, int fault, unsigned at)
{
    char where[160];

    shop_where(s, fault, at, where);
    shop_start(s, &fixture_shop, where);
}

/* Three units without contact. */
static void stop_it(struct shop *s)
{
    shop_start(s, &fixture_shop, NOWHERE);
    for (int i = 0; i < 3; i++)
        shop_expect(s, "F1\tX-1", "no-card");
    shop_stop(s);
    ck_assert(health_of(s).stopped);
}

START_TEST(stays_stopped_until_it_is_released)
{
    struct shop s;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    stop_it(&s);
    ck_assert_uint_eq(health_of(&s).all.v[CONTACT_ATR_MISSING], 3);
    ck_assert_uint_eq(health_of(&s).all.cycles, 0);
    ck_assert_uint_eq(shop_events(&s, "fixture-stopped"), 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    ck_assert_str_eq(s.health, "stopped, ");
    unsigned before = shop_apdus();
    struct shop_verdict v = shop_scan(&s, s.barcode);
    ck_assert_str_eq(v.code, "fixture-stopped");
    ck_assert_int_eq(v.kind, VERDICT_REFUSED);
    ck_assert_ptr_nonnull(strstr(v.detail, "3 failures in a row"));
    ck_assert_uint_eq(shop_apdus(), before);
    /* A serial might be the golden unit's label: the EID is read, no more. */
    shop_expect(&s, "F1\tSN-1", "fixture-stopped");
    ck_assert_uint_eq(shop_apdus() - before, 5);
    ck_assert_str_eq(s.steps, "read EID, read EID, read EID, ");
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    ck_assert_uint_eq(shop_failures(&s), 3);
    ck_assert_uint_eq(shop_events(&s, "unit-registered"), 0);
    write_ledger(&s, do_release, NULL);
    line_look(s.line);
    ck_assert_str_eq(s.health, "stopped, released, ");
    shop_expect(&s, s.barcode, "done");
    ck_assert_uint_eq(shop_events(&s, "fixture-stopped"), 1);
    shop_stop(&s);
    ck_assert_uint_eq(health_of(&s).all.cycles, 2);
    shop_close(&s);
}
END_TEST

START_TEST(golden_proves_and_releases)
{
    struct shop s;
    struct writer_stats w;
    const char *eid;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1); /* its own, and yet it stays there */
    eid = s.barcode + 3;
    write_ledger(&s, do_mark, &s.d.eid);
    stop_it(&s);
    start_chip(&s, CARD_FAULT_NONE, 0);
    struct shop_verdict v = shop_scan(&s, s.barcode);
    ck_assert_msg(v.kind == VERDICT_GOLDEN, "%s: %s", v.code, v.detail);
    ck_assert_str_eq(v.eid, eid);
    ck_assert_uint_eq(v.installed, 0);
    line_writer_stats(s.line, &w);
    ck_assert_uint_eq(w.durable_points, 1);
    shop_expect(&s, "F1\tGOLDEN", "golden-ok"); /* found there */
    ck_assert_uint_eq(shop_events(&s, "golden-passed"), 2);
    ck_assert_uint_eq(shop_events(&s, "fixture-released"), 1);
    ck_assert_uint_eq(shop_events(&s, "unit-registered"), 0);
    ck_assert_uint_eq(shop_events(&s, "bpp-moved"), 0);
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    ck_assert(health_of(&s).proven_at > 0);
    ck_assert(!health_of(&s).stopped);
    /* What its label says is not what is there. */
    v = shop_scan(&s, "F1\t89049032123451234512345678901235");
    ck_assert_str_eq(v.code, "wrong-eid");
    shop_stop(&s);
    ck_assert_uint_eq(desk_keys_left(&s.d), 1);
    ck_assert(!desk_has_profile(&s.d, 0, &(bool){ false }));
    shop_close(&s);
}
END_TEST

/* A self-test that is cut short, at each of its APDUs: no proof, no release, and
 * nothing of it in a report. */
START_TEST(golden_that_fails_proves_nothing)
{
    struct shop s;
    unsigned at = 1;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    write_ledger(&s, do_mark, &s.d.eid);
    for (bool passed = false; !passed; at += 4) {
        ck_assert_uint_lt(at, 200);
        start_chip(&s, CARD_FAULT_CUT, at);
        struct shop_verdict v = shop_scan(&s, s.barcode);
        passed = v.kind == VERDICT_GOLDEN;
        ck_assert_msg(passed || v.kind == VERDICT_FAIL, "%s", v.code);
        shop_stop(&s);
        ck_assert(passed || health_of(&s).proven_at == 0);
    }
    ck_assert_uint_gt(at, 40);
    ck_assert_uint_ge(shop_events(&s, "golden-failed"), 3);
    ck_assert_uint_eq(shop_failures(&s), 0);
    ck_assert_uint_eq(shop_events(&s, "fixture-stopped"), 1); /* a golden unit counts */
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    shop_close(&s);
}
END_TEST

/* A return is a visit like any other. */
START_TEST(stopped_gives_nothing_back)
{
    struct shop s;

    shop_open(&s, 1);
    stop_it(&s);
    start_chip(&s, CARD_FAULT_NONE, 0);
    s.steps[0] = '\0';
    struct shop_verdict v = shop_return(&s, "SN-1");
    ck_assert_str_eq(v.code, "fixture-stopped");
    ck_assert_int_eq(v.kind, VERDICT_REFUSED);
    ck_assert_str_eq(s.steps, "");
    shop_close(&s);
}
END_TEST

START_TEST(needs_a_golden_unit)
{
    struct shop s;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    write_ledger(&s, do_need, NULL);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, s.barcode, "fixture-unproven");
    write_ledger(&s, do_mark, &s.d.eid);
    shop_expect(&s, s.barcode, "golden-ok");
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    shop_close(&s);
}
END_TEST

/* The unit's own and the operator's failures, however many. */
START_TEST(bears_wrong_labels)
{
    struct shop s;

    shop_open(&s, 1);
    start_chip(&s, CARD_FAULT_NONE, 0);
    for (int i = 0; i < 3; i++) {
        shop_expect(&s, "F1\t89049032123451234512345678901235", "wrong-eid");
        shop_expect(&s, s.barcode, "no-bpp");
    }
    shop_stock(&s, 0, 1);
    shop_expect(&s, s.barcode, "done");
    shop_stop(&s);
    ck_assert_uint_eq(health_of(&s).all.cycles, 7);
    ck_assert_uint_eq(health_of(&s).judged, 1);
    shop_close(&s);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "stops", stops, ROWS(rules) },
        { "forgets", forgets_the_oldest, 1 },
        { "in steps", in_steps, 1 },
        { "trends", trends, 1 },
        { "wears out", wears_out, 1 },
        { "gate", keeps_units_out, ROWS(gates) },
        { "verdicts", only_failures_count, 1 },
        { "contacts", counts_problems, ROWS(problems) },
        { "stays stopped", stays_stopped_until_it_is_released, 1 },
        { "golden", golden_proves_and_releases, 1 },
        { "golden fails", golden_that_fails_proves_nothing, 1 },
        { "stopped gives nothing back", stopped_gives_nothing_back, 1 },
        { "golden needed", needs_a_golden_unit, 1 },
        { "wrong labels", bears_wrong_labels, 1 },
    };

    return run_tests("line/health", tests, sizeof tests / sizeof *tests);
}
