/* Where tiles go: as fixtures stand, none lost, none over another, arrows reach all. */
#include "tests/unit/support.h"
#include "ui/widgets/layout.h"

#include <check.h>
#include <stdio.h>

/* n fixtures; those of `at` stand somewhere. */
struct bench {
    size_t n;
    struct {
        unsigned row, column;
    } at[8];
};

static void set(struct snapshot *s, const struct bench *b)
{
    memset(s, 0, sizeof *s);
    s->slots = b->n;
    for (size_t i = 0; i < b->n; i++) {
        snprintf(s->slot[i].name, NAME_CAP, "F%zu", i + 1);
        s->slot[i].row = i < 8 ? b->at[i].row : 0;
        s->slot[i].column = i < 8 ? b->at[i].column : 0;
    }
}

static const struct {
    struct bench b;
    int w, h;
    int tile_w, tile_h;
    size_t pages;
    struct {
        int col, row;
    } at[8];
} rows[] = {
    /* Two rows of two, in no order. */
    { { 4, { { 2, 1 }, { 1, 2 }, { 2, 2 }, { 1, 1 } } }, 80, 20, 40, 10, 1, { { 0, 1 }, { 1, 0 }, { 1, 1 }, { 0, 0 } } },
    /* Rows and columns that are empty are left out; a gap stays one. */
    { { 3, { { 3, 5 }, { 9, 99 }, { 3, 99 } } }, 80, 20, 40, 10, 1, { { 0, 0 }, { 1, 1 }, { 1, 0 } } },
    /* One below the other stays so, though they would be larger side by side. */
    { { 2, { { 1, 1 }, { 2, 1 } } }, 80, 20, 80, 10, 1, { { 0, 0 }, { 0, 1 } } },
    /* Those that stand nowhere follow. */
    { { 5, { { 0, 0 }, { 1, 1 }, { 0, 0 }, { 1, 2 }, { 100, 1 } } }, 90, 20, 30, 10, 1,
      { { 0, 1 }, { 0, 0 }, { 1, 1 }, { 1, 0 }, { 2, 1 } } },
    /* Too many columns: pages of some, and a row for their number. */
    { { 4, { { 1, 1 }, { 1, 2 }, { 1, 3 }, { 1, 4 } } }, 30, 9, 15, 8, 2, { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 } } },
};

START_TEST(as_they_stand)
{
    static struct snapshot s;
    struct layout l;

    set(&s, &rows[_i].b);
    layout_of(&s, rows[_i].w, rows[_i].h, 10, 1, &l);
    ck_assert_int_eq(l.w, rows[_i].tile_w);
    ck_assert_int_eq(l.h, rows[_i].tile_h);
    ck_assert_uint_eq(l.pages, rows[_i].pages);
    for (size_t i = 0; i < s.slots; i++) {
        ck_assert_int_eq(l.at[i].col, rows[_i].at[i].col);
        ck_assert_int_eq(l.at[i].row, rows[_i].at[i].row);
    }
}
END_TEST

/* Any bench on any screen: each tile is on a page that there is, within its area, and no
 * two share a cell; from the first one arrows reach every other one. */
static void whole(const struct snapshot *s, int w, int h)
{
    struct area all = { 0, 0, w, h };
    bool seen[256] = { false };
    size_t todo[256], n = 0;
    struct layout l;

    layout_of(s, w, h, 10, 1, &l);
    for (size_t i = 0; i < s->slots; i++) {
        struct area a = layout_area(&l, all, i);
        ck_assert_uint_lt(layout_page(&l, i), l.pages);
        ck_assert(a.x >= 0 && a.y >= 0 && a.x + a.w <= w && a.y + a.h <= h);
        for (size_t k = 0; k < i; k++)
            ck_assert(l.at[i].col != l.at[k].col || l.at[i].row != l.at[k].row);
    }
    ck_assert_uint_lt(layout_first(&l, layout_page(&l, 0)), s->slots);
    seen[0] = true;
    for (todo[n++] = 0; n > 0;) {
        size_t i = todo[--n];
        for (enum act a = ACT_UP; a <= ACT_RIGHT; a++) {
            size_t k = layout_next(&l, i, a);
            if (!seen[k])
                todo[n++] = k;
            seen[k] = true;
        }
    }
    for (size_t i = 0; i < s->slots; i++)
        ck_assert_msg(seen[i], "%zu of %zu on %dx%d", i, s->slots, w, h);
}

START_TEST(any_bench)
{
    static struct snapshot s;
    struct bench b = { .n = (size_t)_i * 7 + 1 };
    uint32_t chance = 12345 + (uint32_t)_i;

    set(&s, &b);
    for (size_t i = 0; i < s.slots; i++) {
        chance = chance * 1664525 + 1013904223;
        bool taken = chance % 3 == 0;
        unsigned row = chance / 7 % 12, column = chance / 97 % 12;
        for (size_t k = 0; k < i; k++)
            taken |= s.slot[k].row == row && s.slot[k].column == column;
        s.slot[i].row = taken ? 0 : row;
        s.slot[i].column = taken ? 0 : column;
    }
    whole(&s, 80, 14);
    whole(&s, 240, 55);
    whole(&s, 33, 3);
}
END_TEST

START_TEST(arrows_go_where_they_point)
{
    static struct snapshot s;
    struct bench b = { 4, { { 1, 1 }, { 1, 3 }, { 2, 3 }, { 2, 2 } } };
    struct layout l;

    set(&s, &b);
    layout_of(&s, 80, 14, 10, 1, &l);
    ck_assert_uint_eq(layout_first(&l, 0), 0);
    ck_assert_uint_eq(layout_next(&l, 0, ACT_RIGHT), 1);
    ck_assert_uint_eq(layout_next(&l, 0, ACT_DOWN), 3); /* the nearest one */
    ck_assert_uint_eq(layout_next(&l, 1, ACT_DOWN), 2);
    ck_assert_uint_eq(layout_next(&l, 1, ACT_RIGHT), 3); /* on with the next row */
    ck_assert_uint_eq(layout_next(&l, 2, ACT_RIGHT), 2);
    ck_assert_uint_eq(layout_next(&l, 2, ACT_UP), 1);
    ck_assert_uint_eq(layout_next(&l, 0, ACT_UP), 0);
    ck_assert_uint_eq(layout_next(&l, 0, ACT_LEFT), 0);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "as they stand", as_they_stand, sizeof rows / sizeof *rows },
        { "any bench", any_bench, 12 },
        { "arrows go where they point", arrows_go_where_they_point, 1 },
    };

    return run_tests("ui_layout", tests, sizeof tests / sizeof *tests);
}
