/* What a line engineer says of fixtures at the screen. */
#include "tests/unit/support.h"
#include "tests/unit/ui/golden.h"
#include "tests/unit/ui/stand.h"
#include "ui/scan/form.h"
#include "ui/widgets/spark.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct stand at_fixture(const char *label)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-FIXTURE");

    scan(&t, label);
    ck_assert_str_eq(t.h.d.what, label);
    scene_answer(t.m, "fixture", SCENE_NORMAL);
    scene_tell(t.m, "{\"event\":\"stands\",\"fixture\":\"F1\",\"row\":2,\"column\":3}");
    scene_tell(t.m, "{\"event\":\"stands\",\"fixture\":\"F2\",\"row\":2,\"column\":4}");
    return t;
}

static void sends(const struct stand *t, const char *verb, const char *what, const char *json)
{
    AUTO(json_decrefp) json_t *is = json_object(), *want = json_loads(json, 0, NULL);

    ck_assert_int_eq(t->r.wish, WISH_DEED);
    ck_assert_str_eq(t->r.verb, verb);
    ck_assert_str_eq(t->r.text, what);
    ck_assert(form_members(&t->h.d.form, is));
    ck_assert(json_equal(is, want));
}

START_TEST(opens_one_of_all)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-FIXTURES");
    const char *verb, *what;

    scene_answer(t.m, "fixtures", SCENE_NORMAL);
    press(&t, K_DOWN);
    press(&t, K_ENTER);
    ck_assert_ptr_eq(t.h.screen, &screen_fixture);
    ck_assert_str_eq(t.h.d.what, "F2");
    ck_assert(hands_question(&t.h, model_now(t.m), &verb, &what));
    ck_assert_str_eq(verb, "trends");
    ck_assert_str_eq(what, "F2");
    ck_assert_str_eq(t.h.screen->does->member, "fixture");
    model_free(t.m);
}
END_TEST

START_TEST(moves_it_with_arrows)
{
    struct stand t = at_fixture("F1");

    press(&t, K_ENTER);
    ck_assert_int_eq(form_field(&t.h.d.form)->kind, FIELD_STAND);
    press(&t, K_UP);
    press(&t, K_RIGHT);
    press(&t, K_RIGHT);
    for (int i = 0; i < 5; i++) /* there is nothing beyond */
        press(&t, K_UP);
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.form.value[0], "1 5");
    ck_assert_int_eq(t.r.wish, WISH_NOTHING); /* it is asked whether it is meant */
    press(&t, K_ENTER);
    sends(&t, "fixture-position", "F1", "{\"row\":1,\"column\":5}");
    model_free(t.m);
}
END_TEST

START_TEST(takes_a_place_that_is_typed)
{
    static const char *const bad[] = { "2", "2 x", "x", "2 3 4", "-1 2", "123456789 1", "2,3" };
    struct stand t = at_fixture("F1");

    press(&t, K_ENTER);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scan(&t, bad[i]);
        ck_assert_msg(t.h.d.notice_bad && form_field(&t.h.d.form), "%s", bad[i]);
    }
    scan(&t, "7 12");
    press(&t, K_ENTER);
    sends(&t, "fixture-position", "F1", "{\"row\":7,\"column\":12}");
    hands_answered(&t.h, false); /* another stands there: the place is asked for again */
    press(&t, K_ESCAPE);
    ck_assert_ptr_nonnull(form_field(&t.h.d.form));
    model_free(t.m);
}
END_TEST

/* Where nobody has said it, the first free place is offered. */
START_TEST(begins_at_a_free_place)
{
    struct stand t = at_fixture("F1");
    int row, column;

    scene_tell(t.m, "{\"event\":\"stands\",\"fixture\":\"F1\"}");
    press(&t, K_ENTER);
    bench_place(&t.h.d.form, model_now(t.m), &row, &column);
    ck_assert_int_eq(row, 1);
    ck_assert_int_eq(column, 1);
    scene_tell(t.m, "{\"event\":\"stands\",\"fixture\":\"F3\",\"row\":1,\"column\":1}");
    bench_place(&t.h.d.form, model_now(t.m), &row, &column);
    ck_assert_int_eq(row, 1);
    ck_assert_int_eq(column, 2);
    model_free(t.m);
}
END_TEST

START_TEST(takes_the_place_away)
{
    struct stand t = at_fixture("F1");

    for (int i = 0; i < 9; i++)
        press(&t, K_DOWN);
    press(&t, K_ENTER);
    ck_assert_ptr_null(form_field(&t.h.d.form)); /* nothing is asked but whether it is meant */
    press(&t, K_ENTER);
    sends(&t, "fixture-position", "F1", "{\"remove\":true}");
    model_free(t.m);
}
END_TEST

START_TEST(marks_golden_units)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-GOLDEN");

    scene_answer(t.m, "golden", SCENE_NORMAL);
    press(&t, K_ENTER);
    scan(&t, "EID89049032000000000000000000000029");
    press(&t, K_ENTER);
    sends(&t, "golden", "", "{\"eid\":\"89049032000000000000000000000029\"}");
    hands_answered(&t.h, true);
    press(&t, K_RIGHT);
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    sends(&t, "golden", "89049032000000000000000000000012", "{\"remove\":true}");
    ck_assert_str_eq(t.r.member, "eid");
    model_free(t.m);
}
END_TEST

/* One that the line has seen and nobody has set; then one that is set. */
START_TEST(sets_scanners)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-SCANNERS");
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct grid *g = grid_new(80, 24);

    press(&t, K_ENTER); /* nothing is known yet */
    ck_assert_ptr_null(t.h.d.form.deed);
    scene_answer(t.m, "scanners", SCENE_NORMAL);
    scene_tell(t.m, "{\"event\":\"scanner\",\"place\":\"1-3\",\"state\":\"ready\",\"reason\":\"\"}");
    scene_tell(t.m, "{\"event\":\"scanner\",\"place\":\"1-9\",\"state\":\"candidate\",\"reason\":\"\"}");
    for (enum lang l = LANG_EN; l < LANGS; l++) {
        char name[64];
        t.h.d.lang = l;
        grid_clear(g);
        screen_draw(hands_screen(&t.h, model_now(t.m)), g, model_now(t.m), &t.h.d);
        snprintf(name, sizeof name, "80x24-%s-scanners", lang_code(l));
        golden_add(&all, g, name);
    }
    golden_check(&all, "candidate");
    t.h.d.lang = LANG_EN;
    press(&t, K_DOWN);
    press(&t, K_DOWN);
    press(&t, K_ENTER);
    scan(&t, "F1");
    press(&t, K_DOWN);
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    scan(&t, "~");
    press(&t, K_ENTER);
    sends(&t, "scanner", "1-9", "{\"fixture\":\"F1\",\"layout\":\"de\",\"suffix\":\"cr\",\"prefix\":\"~\"}");
    hands_answered(&t.h, true);
    ck_assert_ptr_null(screen_deed(&screen_scanners, &t.h.d, model_now(t.m), 1)); /* it is none of ours */
    press(&t, K_UP);
    press(&t, K_RIGHT);
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    sends(&t, "scanner", "1-4", "{\"remove\":true}");
    grid_free(g);
    model_free(t.m);
}
END_TEST

START_TEST(shows_the_bench)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct grid *g = grid_new(80, 24);

    for (enum lang l = LANG_EN; l < LANGS; l++) {
        struct stand t = at_fixture("F1");
        char name[64];
        t.h.d.lang = l;
        press(&t, K_ENTER);
        for (int i = 0; i < (l == LANG_ZH ? 9 : 1); i++)
            press(&t, K_RIGHT); /* onto another's place; far to the right */
        grid_clear(g);
        screen_draw(hands_screen(&t.h, model_now(t.m)), g, model_now(t.m), &t.h.d);
        snprintf(name, sizeof name, "80x24-%s-place", lang_code(l));
        golden_add(&all, g, name);
        model_free(t.m);
    }
    golden_check(&all, "place");
    grid_free(g);
}
END_TEST

/* --- courses of figures --------------------------------------------------------------- */

START_TEST(draws_courses)
{
    static const long long v[] = { 0, 50, 100, SPARK_NONE, 100, 7, 9223372036854775807, 100 };
    const struct spark s = { v, 8, 0, 100 }, flat = { v, 2, 5, 5 }, none = { v, 0, 0, 1 };
    char text[64];

    spark_text(&s, 8, text, sizeof text);
    ck_assert_str_eq(text, "▁▅█·█▁██");
    spark_text(&s, 3, text, sizeof text);
    ck_assert_str_eq(text, "▁██"); /* the newest ones */
    spark_text(&flat, 8, text, sizeof text);
    ck_assert_str_eq(text, "▁▁");
    spark_text(&none, 8, text, sizeof text);
    ck_assert_str_eq(text, "");
    spark_text(&s, 8, text, 8);
    ck_assert_uint_lt(strlen(text), 8);
}
END_TEST

START_TEST(draws_bars)
{
    static const long long v[] = { 0, 100, 50, SPARK_NONE };
    const struct spark s = { v, 4, 0, 100 };
    struct grid *g = grid_new(8, 2);

    spark_bars(g, (struct area){ 0, 0, 8, 2 }, TONE_BOLD, &s, 4);
    ck_assert_int_eq(grid_at(g, 0, 1)->ch, 0x2581);
    ck_assert_int_eq(grid_at(g, 0, 0)->ch, ' ');
    ck_assert_int_eq(grid_at(g, 2, 0)->ch, 0x2588);
    ck_assert_int_eq(grid_at(g, 3, 1)->ch, 0x2588);
    ck_assert_int_eq(grid_at(g, 4, 1)->ch, 0x2588);
    ck_assert_int_eq(grid_at(g, 4, 0)->ch, 0x2581);
    ck_assert_int_eq(grid_at(g, 6, 1)->ch, 0x00B7);
    spark_bars(g, (struct area){ 0, 0, 0, 2 }, TONE_BOLD, &s, 4);
    spark_bars(g, (struct area){ 0, 0, 2, 0 }, TONE_BOLD, &s, 4);
    grid_clear(g); /* few of many are at the right; too many: the newest */
    spark_bars(g, (struct area){ 0, 0, 8, 2 }, TONE_BOLD, &s, 8);
    ck_assert_int_eq(grid_at(g, 3, 1)->ch, ' ');
    ck_assert_int_eq(grid_at(g, 4, 1)->ch, 0x2581);
    ck_assert_int_eq(grid_at(g, 5, 0)->ch, 0x2588);
    grid_clear(g);
    spark_bars(g, (struct area){ 0, 0, 8, 2 }, TONE_BOLD, &s, 2);
    ck_assert_int_eq(grid_at(g, 0, 1)->ch, 0x2588);
    ck_assert_int_eq(grid_at(g, 0, 0)->ch, 0x2581);
    ck_assert_int_eq(grid_at(g, 4, 1)->ch, 0x00B7);
    grid_free(g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "opens one of all", opens_one_of_all, 1 },
        { "moves it with arrows", moves_it_with_arrows, 1 },
        { "takes a place that is typed", takes_a_place_that_is_typed, 1 },
        { "begins at a free place", begins_at_a_free_place, 1 },
        { "takes the place away", takes_the_place_away, 1 },
        { "marks golden units", marks_golden_units, 1 },
        { "sets scanners", sets_scanners, 1 },
        { "shows the bench", shows_the_bench, 1 },
        { "draws courses", draws_courses, 1 },
        { "draws bars", draws_bars, 1 },
    };

    return run_tests("ui_fixtures", tests, sizeof tests / sizeof *tests);
}
