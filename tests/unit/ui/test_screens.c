/* Screens as they were looked at, each in its sizes and languages. */
#include "station/line/verdict.h"
#include "tests/unit/support.h"
#include "tests/unit/ui/golden.h"
#include "tests/unit/ui/scenes.h"
#include "ui/screens/screens.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void draw_one(struct buf *all, const struct screen *s, enum scene scene, enum lang l,
                     int cols, int rows)
{
    char name[64];
    struct desk d = { .lang = l, .what = "SN-004711" };
    struct model *m = scene_model(scene);
    struct grid *g = grid_new(cols, rows);

    ck_assert(g);
    scene_answer(m, s->name, scene);
    screen_draw(s, g, model_now(m), &d);
    snprintf(name, sizeof name, "%dx%d-%s-%s", cols, rows, lang_code(l), scene_names[scene]);
    golden_add(all, g, name);
    grid_free(g);
    model_free(m);
}

/* Every screen there is, the one that stands for the line, and the menu. */
static const struct screen *each(size_t i)
{
    return i < screen_count ? screens[i] : i == screen_count ? &screen_gone : &screen_menu;
}

START_TEST(looks_as_it_did)
{
    static const enum lang langs[] = { LANG_EN, LANG_ZH };
    static const enum scene scenes[] = { SCENE_FULL, SCENE_WORST };
    AUTO(buf_clear) struct buf all = BUF_INIT;
    const struct screen *screen = each((size_t)_i);

    for (enum scene s = SCENE_EMPTY; s < SCENES; s++)
        for (enum lang l = LANG_EN; l < LANGS; l++)
            draw_one(&all, screen, s, l, 80, 24);
    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            draw_one(&all, screen, scenes[i], langs[k], 132, 43);
            draw_one(&all, screen, scenes[i], langs[k], 240, 67);
        }
    golden_check(&all, screen->name);
}
END_TEST

/* What somebody does with it. */
START_TEST(a_pin_is_not_shown)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct model *m = scene_model(SCENE_NORMAL);
    struct desk d = { .prompt = PROMPT_PIN, .typed = "90817" };
    struct grid *g = grid_new(80, 24);

    for (size_t i = 0; i < screen_count; i++) {
        screen_draw(screens[i], g, model_now(m), &d);
        for (int y = 0; y < 24; y++)
            for (int x = 0; x + 2 < 80; x++)
                ck_assert(!(grid_at(g, x, y)->ch == '9' && grid_at(g, x + 1, y)->ch == '0' &&
                            grid_at(g, x + 2, y)->ch == '8'));
    }
    screen_draw(&screen_line, g, model_now(m), &d);
    golden_add(&all, g, "80x24-en-normal");
    golden_check(&all, "pin");
    grid_free(g);
    model_free(m);
}
END_TEST

/* A small line, as most are; what stands on it can be read from afar. */
START_TEST(letters_for_two_metres)
{
    static const enum verdict ends[] = { V_DONE, V_NO_CARD };
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct model *m = model_new();
    struct desk d = { .lang = LANG_EN };
    struct grid *g = grid_new(80, 24);

    model_clock(m, SCENE_NOW, 0);
    scene_tell(m, "{\"event\":\"snapshot\",\"state\":{\"person\":\"Ada Lovelace\",\"fixtures\":["
                  "{\"fixture\":\"F1\",\"busy\":false},{\"fixture\":\"F2\",\"busy\":false}],\"scanners\":[],"
                  "\"counts\":{\"pass\":41,\"fail\":1},\"stock\":{\"received\":400,\"in-stock\":240,\"forecast\":{"
                  "\"left\":240,\"unitsPerHour\":30,\"bppsPerHour\":30,\"hoursLeft\":8,\"warnHours\":4,\"low\":false},"
                  "\"notAcknowledged\":{\"reports\":0,\"since\":null}},\"work\":{\"orders\":[{\"order\":\"WO-2026-0117\","
                  "\"product\":\"Gateway G2\",\"quantity\":200,\"passed\":117,\"stocked\":0,\"failed\":3,\"left\":83}],"
                  "\"shift\":null,\"waiting\":41}}}");
    for (int i = 0; i < 2; i++) {
        const struct verdict_row *r = verdict_row(ends[i]);
        json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s,s:s,s:i}", "event", "verdict", "fixture",
                              i == 0 ? "F1" : "F2", "verdict", verdict_kind_text(r->kind), "code",
                              r->code, "serial", i == 0 ? "SN-004711" : "SN-004712", "eid", "",
                              "installed", i == 0, "cause", r->cause, "next", r->next, "ms", 8412);
        model_apply(m, j);
        json_decref(j);
    }
    screen_draw(&screen_line, g, model_now(m), &d);
    golden_add(&all, g, "80x24-en-ends");
    json_t *j = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "event", "verdict", "fixture", "F1", "verdict",
                          verdict_kind_text(verdict_row(V_SCAN_MISREAD)->kind), "code",
                          verdict_row(V_SCAN_MISREAD)->code, "serial", "89049032123451234512345678901230",
                          "cause", verdict_row(V_SCAN_MISREAD)->cause, "next",
                          verdict_row(V_SCAN_MISREAD)->next);
    model_apply(m, j);
    json_decref(j);
    grid_clear(g);
    screen_draw(&screen_line, g, model_now(m), &d);
    golden_add(&all, g, "80x24-en-refused");
    golden_check(&all, "two");
    grid_free(g);
    model_free(m);
}
END_TEST

/* Two rows of a bench with a gap, and one fixture that nobody has given a place. */
START_TEST(as_they_stand)
{
    static const struct {
        const char *name;
        int row, column;
    } at[] = { { "F1", 2, 1 }, { "F2", 2, 2 }, { "F4", 1, 1 }, { "F5", 1, 4 }, { "F6", 1, 2 } };
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct desk d = { .lang = LANG_EN };
    struct model *m = scene_model(SCENE_NORMAL);
    struct grid *g = grid_new(80, 24);

    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        json_t *j = json_pack("{s:s,s:s,s:i,s:i}", "event", "stands", "fixture", at[i].name, "row", at[i].row,
                              "column", at[i].column);
        model_apply(m, j);
        json_decref(j);
    }
    screen_draw(&screen_line, g, model_now(m), &d);
    golden_add(&all, g, "80x24-en-bench");
    golden_check(&all, "bench");
    grid_free(g);
    model_free(m);
}
END_TEST

/* Any size at all is drawn, and only within itself. */
START_TEST(every_size)
{
    struct model *m = scene_model(SCENE_WORST);
    struct desk d = { .lang = LANG_DE, .what = "x" };

    for (int cols = 1; cols < 100; cols += 7)
        for (int rows = 1; rows < 40; rows += 3) {
            struct grid *g = grid_new(cols, rows);
            for (size_t i = 0; i < screen_count + 2; i++) {
                scene_answer(m, each(i)->name, SCENE_WORST);
                screen_draw(each(i), g, model_now(m), &d);
            }
            for (int y = 0; y < rows; y++)
                for (int x = 0; x < cols; x++)
                    ck_assert(grid_at(g, x, y)->ch >= ' ');
            grid_free(g);
        }
    model_free(m);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "looks as it did", looks_as_it_did, screen_count + 2 },
        { "a PIN is not shown", a_pin_is_not_shown, 1 },
        { "letters for two metres", letters_for_two_metres, 1 },
        { "as they stand", as_they_stand, 1 },
        { "every size", every_size, 1 },
    };

    return run_tests("ui_screens", tests, sizeof tests / sizeof *tests);
}
