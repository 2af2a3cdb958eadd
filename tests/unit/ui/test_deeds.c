/* What is done from a screen: asked about first, done only when it is meant. */
#include "tests/unit/support.h"
#include "tests/unit/ui/golden.h"
#include "tests/unit/ui/stand.h"
#include "ui/scan/form.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void shift_is(struct stand *t, int number)
{
    char text[160];

    snprintf(text, sizeof text, "{\"event\":\"work\",\"work\":{\"orders\":[],\"shift\":{\"shift\":%d,\"since\":%d,\"passed\":0,"
             "\"stocked\":0,\"failed\":0},\"waiting\":0}}", number, SCENE_NOW);
    scene_tell(t->m, number ? text : "{\"event\":\"work\",\"work\":{\"orders\":[],\"shift\":null,\"waiting\":0}}");
}

START_TEST(opens_an_order_and_activates_it)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-ORDERS");
    const char *verb, *what;

    ck_assert_ptr_eq(t.h.screen, &screen_orders);
    press(&t, K_ENTER); /* no answer yet: nothing to open */
    ck_assert_ptr_eq(t.h.screen, &screen_orders);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    scene_answer(t.m, "orders", SCENE_NORMAL);
    press(&t, K_DOWN);
    press(&t, K_DOWN); /* there are two */
    press(&t, K_ENTER);
    ck_assert_ptr_eq(t.h.screen, &screen_order);
    ck_assert(hands_question(&t.h, model_now(t.m), &verb, &what));
    ck_assert_str_eq(verb, "order");
    ck_assert_str_eq(what, "WO-6");

    press(&t, K_ENTER); /* nothing is known of it: nothing to be asked */
    ck_assert_ptr_null(t.h.d.sure);
    scene_answer(t.m, "order", SCENE_NORMAL);
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    ck_assert_str_eq(t.h.d.sure, "order-activate");
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_DEED);
    ck_assert_str_eq(t.r.verb, "order-activate");
    ck_assert_str_eq(t.r.member, "order");
    ck_assert_str_eq(t.r.text, "WO-6");
    ck_assert_ptr_null(t.h.d.sure);
    press(&t, K_ENTER); /* and once more is asked anew */
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    model_free(t.m);
}
END_TEST

START_TEST(chooses_among_deeds)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-ORDER");

    scan(&t, "ORDER:WO-6");
    ck_assert_str_eq(t.h.d.what, "WO-6");
    scene_answer(t.m, "order", SCENE_NORMAL);
    for (int i = 0; i < 3; i++)
        press(&t, K_DOWN);
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.sure, "order-close");
    press(&t, K_UP);
    ck_assert_ptr_null(t.h.d.sure);
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.sure, "order-activate");
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    scan(&t, "WO-9"); /* of another order nothing was asked */
    ck_assert_str_eq(t.h.d.what, "WO-9");
    ck_assert_ptr_null(t.h.d.sure);
    model_free(t.m);
}
END_TEST

/* --- what a form sends, with the screen it is on ---------------------------------------- */

static void sends(struct stand *t, const char *verb, const char *what, const char *json)
{
    AUTO(json_decrefp) json_t *is = json_object(), *want = json_loads(json, 0, NULL);

    ck_assert_ptr_null(form_field(&t->h.d.form));
    press(t, K_ENTER);
    ck_assert_int_eq(t->r.wish, WISH_DEED);
    ck_assert_str_eq(t->r.verb, verb);
    ck_assert_str_eq(t->r.text, what);
    ck_assert(form_members(&t->h.d.form, is));
    char *text = json_dumps(is, JSON_SORT_KEYS);
    ck_assert_msg(json_equal(is, want), "%s", text);
    free(text);
    hands_answered(&t->h, true);
}

START_TEST(makes_an_order)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-ORDER");

    press(&t, K_ENTER);
    scan(&t, "order:WO-9");
    scan(&t, "Gateway G2");
    scan(&t, "200");
    scan(&t, "load class=test; close");
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    sends(&t, "order-make", "", "{\"order\":\"WO-9\",\"product\":\"Gateway G2\",\"quantity\":200,"
                                "\"recipes\":[\"load class=test; close\"]}");
    model_free(t.m);
}
END_TEST

START_TEST(gives_an_order_to_a_fixture)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-ORDER");

    scan(&t, "order:WO-7");
    AUTO(json_decrefp) json_t *reply = json_loads("{\"answer\":{\"order\":\"WO-7\",\"state\":\"active\",\"fixtures\":["
                                                  "{\"fixture\":\"F4\",\"position\":\"\"}]}}", 0, NULL);
    model_answer(t.m, "order", reply);
    press(&t, K_ENTER);
    scan(&t, "F2");
    scan(&t, "left");
    sends(&t, "order-bind", "WO-7", "{\"fixture\":\"F2\",\"position\":\"left\"}");
    for (int i = 0; i < 3; i++)
        press(&t, K_DOWN);
    press(&t, K_ENTER);
    press(&t, K_ENTER); /* F4, the only one */
    sends(&t, "order-unbind", "", "{\"fixture\":\"F4\"}");
    model_free(t.m);
}
END_TEST

START_TEST(adds_somebody_and_says_what_they_are)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-PEOPLE");

    scene_answer(t.m, "people", SCENE_NORMAL);
    for (int i = 0; i < 9; i++)
        press(&t, K_RIGHT);
    press(&t, K_ENTER);
    scan(&t, "Cyd");
    press(&t, K_DOWN);
    press(&t, K_ENTER);
    scan(&t, "B-0003");
    scan(&t, "90210");
    scan(&t, "90210");
    sends(&t, "person-add", "", "{\"name\":\"Cyd\",\"role\":\"engineer\",\"badge\":\"B-0003\",\"newPin\":\"90210\"}");
    ck_assert(kept_nowhere(&t, "90210"));
    for (int i = 0; i < 9; i++)
        press(&t, K_LEFT);
    press(&t, K_DOWN); /* Bo, who is blocked */
    press(&t, K_ENTER);
    ck_assert_str_eq(t.h.d.sure, "person-unblock");
    press(&t, K_ENTER);
    ck_assert_str_eq(t.r.verb, "person-unblock");
    ck_assert_str_eq(t.r.member, "name");
    ck_assert_str_eq(t.r.text, "Bo");
    press(&t, K_UP);
    press(&t, K_RIGHT);
    press(&t, K_RIGHT);
    press(&t, K_ENTER);
    press(&t, K_DOWN);
    press(&t, K_DOWN);
    press(&t, K_DOWN);
    press(&t, K_ENTER);
    sends(&t, "person-role", "Ada Lovelace", "{\"role\":\"auditor\"}");
    model_free(t.m);
}
END_TEST

/* By the line's word alone; as long as it has not said, all is offered. */
START_TEST(offers_what_the_line_says)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-PEOPLE");
    json_t *some = json_pack("{s:[s,s]}", "acts", "person-pin", "stop"), *none = json_pack("{s:[]}", "acts");
    struct grid *g = grid_new(80, 24);

    scene_answer(t.m, "people", SCENE_NORMAL);
    ck_assert_ptr_nonnull(screen_deed(&screen_people, &t.h.d, model_now(t.m), 4));
    model_may(t.m, some);
    ck_assert_str_eq(screen_deed(&screen_people, &t.h.d, model_now(t.m), 0)->verb, "person-pin");
    ck_assert_ptr_null(screen_deed(&screen_people, &t.h.d, model_now(t.m), 1));
    model_may(t.m, none);
    ck_assert_ptr_null(screen_deed(&screen_people, &t.h.d, model_now(t.m), 0));
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    for (enum lang l = LANG_EN; l < LANGS; l++) {
        char name[64];
        t.h.d.lang = l;
        grid_clear(g);
        screen_draw(hands_screen(&t.h, model_now(t.m)), g, model_now(t.m), &t.h.d);
        snprintf(name, sizeof name, "80x24-%s-auditor", lang_code(l));
        golden_add(&all, g, name);
    }
    golden_check(&all, "auditor");
    model_lose(t.m, "gone");
    ck_assert(snapshot_may(model_now(t.m), "person-add")); /* of another line nothing is known */
    json_decref(some);
    json_decref(none);
    grid_free(g);
    model_free(t.m);
}
END_TEST

START_TEST(changes_settings)
{
    static const struct {
        int row;
        const char *typed; /* NULL: the first that can be chosen */
        const char *verb, *what, *json;
    } rows[] = {
        { 0, NULL, "rule", "require-login", "{\"value\":\"on\"}" },
        { 1, NULL, "rule", "badge-alone", "{\"value\":\"on\"}" },
        { 2, "15", "rule", "idle", "{\"value\":\"15\"}" },
        { 3, "B-", "rule", "badge-prefix", "{\"value\":\"B-\"}" },
        { 3, "", "rule", "badge-prefix", "{\"value\":\"\"}" },
        { 4, "5", "quarantine-limit", "", "{\"limit\":5}" },
        { 5, "0", "fixture-limits", "", "{\"failures\":0}" },
        { 6, "80", "fixture-limits", "", "{\"yield\":80}" },
        { 7, "40", "fixture-limits", "", "{\"units\":40}" },
        { 8, "24", "fixture-limits", "", "{\"goldenHours\":24}" },
    };
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-SETTINGS");

    press(&t, K_ENTER); /* nothing is known yet */
    ck_assert_ptr_null(t.h.d.form.deed);
    scene_answer(t.m, "settings", SCENE_NORMAL);
    press(&t, K_PAGE_UP);
    for (int i = 0; i < rows[_i].row; i++)
        press(&t, K_DOWN);
    press(&t, K_ENTER);
    ck_assert_ptr_nonnull(form_field(&t.h.d.form));
    scan(&t, rows[_i].typed ? rows[_i].typed : "");
    sends(&t, rows[_i].verb, rows[_i].what, rows[_i].json);
    model_free(t.m);
}
END_TEST

START_TEST(does_nothing_that_is_not_meant)
{
    static const enum key others[] = { K_ESCAPE, K_UP, K_PAGE_DOWN, K_F1, K_F2, K_F8, K_F10 };
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-SHIFT");

    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        shift_is(&t, 12);
        press(&t, K_ENTER);
        ck_assert_str_eq(t.h.d.sure, "shift-close");
        press(&t, others[i]);
        ck_assert_ptr_null(t.h.d.sure);
        scan(&t, "LINESIDE-SHIFT");
        ck_assert_ptr_null(t.h.d.sure);
    }
    press(&t, K_ENTER); /* then nobody comes back to it */
    model_clock(t.m, SCENE_NOW + 4 + NOTICE_S, 0);
    hands_look(&t.h, model_now(t.m));
    ck_assert_ptr_null(t.h.d.sure);

    press(&t, K_ENTER); /* closed by somebody else meanwhile */
    ck_assert_str_eq(t.h.d.sure, "shift-close");
    shift_is(&t, 0);
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    ck_assert_str_eq(t.h.d.sure, "shift-open");
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_DEED);
    ck_assert_str_eq(t.r.verb, "shift-open");
    ck_assert_ptr_null(t.r.member);
    model_free(t.m);
}
END_TEST

START_TEST(offers_nothing_without_a_line)
{
    struct stand t = stand_on(SCENE_NORMAL, "LINESIDE-SHIFT");

    model_lose(t.m, "gone");
    press(&t, K_ENTER);
    press(&t, K_ENTER);
    ck_assert_int_eq(t.r.wish, WISH_NOTHING);
    model_free(t.m);
}
END_TEST

/* What comes of it stands there in full, in every language. */
START_TEST(says_what_comes_of_it)
{
    static const struct screen *const with[] = { &screen_order, &screen_shift };
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct grid *g = grid_new(80, 24);
    char name[64];

    for (enum lang l = LANG_EN; l < LANGS; l++)
        for (size_t i = 0; i < 2; i++) {
            struct model *m = scene_model(SCENE_NORMAL);
            struct desk d = { .lang = l, .what = "WO-6" };
            scene_answer(m, with[i]->name, SCENE_NORMAL);
            d.sure = screen_deed(with[i], &d, model_now(m), 0)->verb;
            screen_draw(with[i], g, model_now(m), &d);
            snprintf(name, sizeof name, "80x24-%s-%s", lang_code(l), d.sure);
            golden_add(&all, g, name);
            for (size_t k = 0; k < with[i]->does->deeds; k++) {
                ck_assert_int_le(text_rows(tr(l, with[i]->does->deed[k].sure), 80), 2);
                ck_assert_int_le(text_width(tr(l, with[i]->does->deed[k].label)), 76);
            }
            model_free(m);
        }
    golden_check(&all, "sure");
    grid_free(g);
}
END_TEST

START_TEST(the_chosen_row_is_seen)
{
    struct stand t = stand_on(SCENE_FULL, "LINESIDE-ORDERS");
    struct grid *g = grid_new(80, 24);

    scene_answer(t.m, "orders", SCENE_FULL); /* 82 of them */
    for (int i = 0; i < 100; i++) {
        int seen = 0;
        screen_draw(t.h.screen, g, model_now(t.m), &t.h.d);
        for (int y = 0; y < 24; y++)
            seen += grid_at(g, 0, y)->tone == TONE_INPUT;
        ck_assert_int_eq(seen, 1);
        press(&t, i % 10 == 9 ? K_PAGE_DOWN : K_DOWN);
    }
    ck_assert_uint_eq(t.h.d.at, 81);
    grid_free(g);
    model_free(t.m);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "opens an order and activates it", opens_an_order_and_activates_it, 1 },
        { "makes an order", makes_an_order, 1 },
        { "gives an order to a fixture", gives_an_order_to_a_fixture, 1 },
        { "adds somebody", adds_somebody_and_says_what_they_are, 1 },
        { "offers what the line says", offers_what_the_line_says, 1 },
        { "changes settings", changes_settings, 10 },
        { "chooses among deeds", chooses_among_deeds, 1 },
        { "does nothing that is not meant", does_nothing_that_is_not_meant, 1 },
        { "offers nothing without a line", offers_nothing_without_a_line, 1 },
        { "says what comes of it", says_what_comes_of_it, 1 },
        { "the chosen row is seen", the_chosen_row_is_seen, 1 },
    };

    return run_tests("ui_deeds", tests, sizeof tests / sizeof *tests);
}
