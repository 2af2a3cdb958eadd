/* Screens as they were looked at, each in its sizes and languages. */
#include "tests/unit/support.h"
#include "tests/unit/ui/golden.h"
#include "tests/unit/ui/scenes.h"
#include "ui/screens/screens.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void draw_and_check(const struct screen *s, enum scene scene, enum lang l, int cols,
                           int rows)
{
    char name[64];
    struct desk d = { .lang = l };
    struct model *m = scene_model(scene);
    struct grid *g = grid_new(cols, rows);

    ck_assert(g);
    screen_draw(s, g, model_now(m), &d);
    snprintf(name, sizeof name, "%s-%dx%d-%s-%s", s->name, cols, rows, lang_code(l),
             scene_names[scene]);
    golden_check(g, name);
    grid_free(g);
    model_free(m);
}

/* Every screen there is, the one that stands for the line, and the menu. */
static const struct screen *each(size_t i)
{
    return i < screen_count ? screens[i] : i == screen_count ? &screen_gone : &screen_menu;
}

START_TEST(small_ones)
{
    for (enum scene s = SCENE_EMPTY; s < SCENES; s++)
        for (enum lang l = LANG_EN; l < LANGS; l++)
            draw_and_check(each((size_t)_i), s, l, 80, 24);
}
END_TEST

START_TEST(large_ones)
{
    static const enum lang langs[] = { LANG_EN, LANG_ZH };
    static const enum scene scenes[] = { SCENE_FULL, SCENE_WORST };

    for (int i = 0; i < 2; i++)
        for (int k = 0; k < 2; k++) {
            draw_and_check(each((size_t)_i), scenes[i], langs[k], 132, 43);
            draw_and_check(each((size_t)_i), scenes[i], langs[k], 240, 67);
        }
}
END_TEST

/* What somebody does with it. */
START_TEST(a_pin_is_not_shown)
{
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
    golden_check(g, "line-80x24-en-pin");
    grid_free(g);
    model_free(m);
}
END_TEST

/* Any size at all is drawn, and only within itself. */
START_TEST(every_size)
{
    struct model *m = scene_model(SCENE_WORST);
    struct desk d = { .lang = LANG_DE };

    for (int cols = 1; cols < 100; cols += 7)
        for (int rows = 1; rows < 40; rows += 3) {
            struct grid *g = grid_new(cols, rows);
            for (size_t i = 0; i < screen_count + 2; i++)
                screen_draw(each(i), g, model_now(m), &d);
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
        { "small ones", small_ones, screen_count + 2 },
        { "large ones", large_ones, screen_count + 2 },
        { "a PIN is not shown", a_pin_is_not_shown, 1 },
        { "every size", every_size, 1 },
    };

    return run_tests("ui_screens", tests, sizeof tests / sizeof *tests);
}
