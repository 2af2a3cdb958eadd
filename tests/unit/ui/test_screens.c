/* Screens as they were looked at, each in its sizes and languages. */
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
        { "every size", every_size, 1 },
    };

    return run_tests("ui_screens", tests, sizeof tests / sizeof *tests);
}
