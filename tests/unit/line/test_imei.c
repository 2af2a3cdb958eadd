/* An IMEI that is scanned before its unit's label. */
#include "storage/imei.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <check.h>
#include <string.h>

#define A "490154203237518"
#define B "356938035643809"

static void good(int rc, const struct err *e)
{
    ck_assert_msg(rc == 0, "%s", e->msg);
}

static void imei_is(struct shop *s, const char *want)
{
    struct err e = ERR_INIT;
    struct position p;
    struct db *db;

    good(db_open(s->data, DB_READ, NULL, &db, &e), &e);
    good(position_named(db, "SN-1", POSITION_MAIN, &p, &e), &e);
    ck_assert_str_eq(p.imei, want);
    db_close(db);
}

static void start(struct shop *s)
{
    char where[160];

    shop_open(s, 1);
    shop_stock(s, 0, 1);
    shop_where(s, 0, 0, where);
    shop_start(s, &fixture_shop, where);
}

START_TEST(comes_with_the_next_unit)
{
    struct shop s;

    start(&s);
    struct shop_verdict v = shop_scan(&s, "F1\tIMEI:49-015420-323751-8");
    ck_assert_str_eq(v.code, "imei-taken");
    ck_assert_int_eq(v.kind, VERDICT_IMEI);
    ck_assert_str_eq(v.detail, "IMEI " A);
    shop_expect(&s, "F1\tSN-1", "done");
    imei_is(&s, A);
    ck_assert_uint_eq(shop_events(&s, "imei-noted"), 1);
    /* The same again, and no more: said once. */
    shop_expect(&s, "F1\timei:" A, "imei-taken");
    shop_expect(&s, "F1\tSN-1", "already-done");
    ck_assert_uint_eq(shop_events(&s, "imei-noted"), 1);
    /* Another one: refused, though there is nothing to load. */
    shop_expect(&s, "F1\timei:" B, "imei-taken");
    v = shop_scan(&s, "F1\tSN-1");
    ck_assert_str_eq(v.code, "imei-conflict");
    ck_assert_msg(strstr(v.detail, A) && strstr(v.detail, B), "%s", v.detail);
    imei_is(&s, A);
    /* It was that scan's, and is nobody's now. */
    shop_expect(&s, "F1\tSN-1", "already-done");
    shop_stop(&s);
    shop_close(&s);
}
END_TEST

START_TEST(is_misread)
{
    struct shop s;

    start(&s);
    shop_expect(&s, "F1\timei:490154203237517", "imei-misread");
    shop_expect(&s, "F1\timei:", "imei-misread");
    shop_expect(&s, "F1\timei:" A, "imei-taken");
    /* One that is misread forgets the one before. */
    shop_expect(&s, "F1\timei:12", "imei-misread");
    shop_expect(&s, "F1\tSN-1", "done");
    imei_is(&s, "");
    /* A unit that is finished gets it all the same. */
    shop_expect(&s, "F1\timei:" A, "imei-taken");
    shop_expect(&s, "F1\tSN-1", "already-done");
    imei_is(&s, A);
    shop_stop(&s);
    shop_close(&s);
}
END_TEST

static struct shop *at_work; /* while its unit is at work */

/* The next unit's IMEI is scanned early, and so is its label, which the fixture cannot
 * take yet. */
static void scan_early(const char *step)
{
    if (!at_work || strcmp(step, "load") != 0)
        return;
    struct shop *s = at_work;
    at_work = NULL;
    line_scan(s->line, SPAN_STR("F1\timei:" A));
    line_scan(s->line, SPAN_STR("F1\tSN-2"));
}

START_TEST(waits_for_its_unit)
{
    struct shop s;

    start(&s);
    at_work = &s;
    s.at_step = scan_early;
    line_scan(s.line, SPAN_STR("F1\tSN-1"));
    pthread_mutex_lock(&s.lock);
    while (s.verdicts < 3)
        pthread_cond_wait(&s.told, &s.lock);
    pthread_mutex_unlock(&s.lock);
    ck_assert_str_eq(s.codes, "F1 imei-taken, F1 scan-busy, F1 done, ");
    /* It was not that of the unit that comes in its place. */
    shop_expect(&s, "F1\tSN-1", "already-done");
    imei_is(&s, "");
    /* One that comes again has it still. */
    s.at_step = NULL;
    shop_expect(&s, "F1\timei:" A, "imei-taken");
    shop_expect(&s, "F1\tSN-1", "already-done");
    imei_is(&s, A);
    shop_stop(&s);
    shop_close(&s);
}
END_TEST

/* A new unit with an IMEI that another one has. */
START_TEST(is_another_units)
{
    struct desk other;
    struct shop s;
    char where[2][160];

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    desk_make(&other, &(struct desk_options){
        .keys = 1, .eid = &(struct eid){ { 0x89, 0x04, 0x90, 0x32, 0x12, 0x34,
                                           0x51, 0x23, 0x45, 0x12, 0x34, 0x56,
                                           0x78, 0x90, 0x12, 0x35 } } });
    shop_where(&s, 0, 0, where[0]);
    snprintf(where[1], sizeof where[1], "0@0:%s", other.path);
    shop_start_all(&s, (const struct line_fixture[]){
        { "F1", &fixture_shop, NULL, where[0] }, { "F2", &fixture_shop, NULL, where[1] } }, 2);
    shop_expect(&s, "F1\timei:" A, "imei-taken");
    shop_expect(&s, "F1\tSN-1", "done");
    /* Each fixture has its own. */
    shop_expect(&s, "F2\timei:" A, "imei-taken");
    struct shop_verdict v = shop_scan(&s, "F2\tSN-2");
    ck_assert_str_eq(v.code, "imei-conflict");
    ck_assert_msg(strstr(v.detail, A) && strstr(v.detail, "SN-1"), "%s", v.detail);
    ck_assert_uint_eq(shop_events(&s, "unit-registered"), 1);
    shop_stop(&s);
    desk_clear(&other);
    shop_close(&s);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "the next unit's", comes_with_the_next_unit, 1 },
        { "misread", is_misread, 1 },
        { "waits for its unit", waits_for_its_unit, 1 },
        { "another unit's", is_another_units, 1 },
    };

    return run_tests("line/imei", tests, sizeof tests / sizeof *tests);
}
