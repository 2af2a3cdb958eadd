/* Text of every origin, in cells. */
#include "tests/unit/support.h"
#include "ui/cells/dump.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *text;
    int width, room;
    const char *shown; /* in a row of `room` */
} texts[] = {
    { "", 0, 5, "" },
    { "abc", 3, 3, "abc" },
    { "abcd", 4, 3, "ab…" },
    { "夹具", 4, 4, "夹具" },
    { "夹具", 4, 3, "夹…" },
    { "夹具", 4, 2, "…" },
    { "a夹", 3, 2, "a…" },
    { "a\tb\nc", 5, 9, "a b c" },
    { "\x1b[31mred\x07", 9, 20, "?[31mred?" },
    { "\x7f\xc2\x9b", 2, 9, "??" },
    { "e\xCC\x81", 1, 9, "e" },             /* a mark that combines */
    { "\xE2\x80\xAE" "abc", 3, 9, "abc" },  /* right to left */
    { "\xF3\xA0\x80\xA0", 0, 9, "" },       /* a tag */
    { "\xff\xfe", 2, 9, "??" },
    { "\xc0\x80", 2, 9, "??" },             /* an overlong zero */
    { "\xed\xa0\x80", 3, 9, "???" },        /* half a surrogate */
    { "\xf8\x88\x80\x80", 4, 9, "????" },
    { "\xe5\xa4", 2, 9, "??" },             /* cut inside a character */
    { "\xEE\x80\x80", 1, 9, "?" },          /* private use */
    { "\xF0\x9F\x99\x82", 2, 9, "\xF0\x9F\x99\x82" },
};

START_TEST(shows_text)
{
    struct grid *g = grid_new(40, 2);
    AUTO(buf_clear) struct buf b = BUF_INIT;

    ck_assert_int_eq(text_width(texts[_i].text), texts[_i].width);
    int used = grid_text(g, 0, 1, texts[_i].room, TONE_BOLD, texts[_i].text);
    ck_assert_int_le(used, texts[_i].room);
    dump_text(g, 1, &b);
    buf_put(&b, "", 1);
    ck_assert_str_eq((const char *)b.p, texts[_i].shown);
    ck_assert_int_eq(grid_at(g, 0, 0)->ch, ' ');
    grid_free(g);
}
END_TEST

static const struct {
    const char *text;
    int w, rows;
    const char *first, *last; /* rows */
} wraps[] = {
    { "", 10, 0, NULL, NULL },
    { "   ", 10, 0, NULL, NULL },
    { "one two three", 7, 2, "one two", "three" },
    { "one two three", 5, 3, "one", "three" },
    { "unbreakable", 4, 3, "unbr", "ble" },
    { "a  b", 2, 2, "a", "b" },
    { "请扫描其中的设备。", 16, 2, "请扫描其中的设", "备。" }, /* no sign begins a row */
    { "夹具ab夹具", 4, 3, "夹具", "具" },
    { "夹", 1, 1, "…", "…" }, /* has no room at all */
};

START_TEST(wraps_text)
{
    struct grid *g = grid_new(40, 8);
    AUTO(buf_clear) struct buf first = BUF_INIT, last = BUF_INIT;
    struct area a = { 0, 0, wraps[_i].w, 8 };
    int n = grid_wrap(g, a, TONE_PLAIN, wraps[_i].text);

    ck_assert_int_eq(text_rows(wraps[_i].text, wraps[_i].w), wraps[_i].rows);
    ck_assert_int_eq(n, wraps[_i].rows);
    if (n > 0) {
        dump_text(g, 0, &first);
        dump_text(g, n - 1, &last);
        buf_put(&first, "", 1);
        buf_put(&last, "", 1);
        ck_assert_str_eq((const char *)first.p, wraps[_i].first);
        ck_assert_str_eq((const char *)last.p, wraps[_i].last);
    }
    grid_free(g);
}
END_TEST

START_TEST(cuts_the_last_row)
{
    struct grid *g = grid_new(10, 3);
    AUTO(buf_clear) struct buf b = BUF_INIT;

    ck_assert_int_eq(grid_wrap(g, (struct area){ 0, 0, 10, 2 }, TONE_PLAIN,
                               "one two three four five six"), 2);
    dump_text(g, 1, &b);
    buf_put(&b, "", 1);
    ck_assert_str_eq((const char *)b.p, "three fou…");
    ck_assert_int_eq(grid_at(g, 0, 2)->ch, ' ');
    grid_free(g);
}
END_TEST

/* Half of a wide character is none: whoever writes over one half blanks the
 * other. */
START_TEST(breaks_wide_ones)
{
    struct grid *g = grid_new(4, 1);

    grid_text(g, 0, 0, 4, TONE_PLAIN, "夹具");
    grid_put(g, 1, 0, 'x', TONE_BOLD);
    ck_assert_int_eq(grid_at(g, 0, 0)->ch, ' ');
    ck_assert_int_eq(grid_at(g, 0, 0)->width, 1);
    grid_put(g, 2, 0, 'y', TONE_BOLD);
    ck_assert_int_eq(grid_at(g, 3, 0)->width, 1);
    grid_put(g, 3, 0, 0x5939, TONE_BOLD); /* no room for its right half */
    ck_assert_int_eq(grid_at(g, 3, 0)->width, 1);
    ck_assert_int_eq(grid_at(g, 3, 0)->ch, ' ');
    grid_put(g, -1, 0, 'z', TONE_BOLD);
    grid_put(g, 0, 7, 'z', TONE_BOLD);
    grid_free(g);
}
END_TEST

START_TEST(says_tones_in_runs)
{
    struct grid *g = grid_new(6, 2);
    AUTO(buf_clear) struct buf b = BUF_INIT;

    grid_text(g, 1, 0, 2, TONE_PASS, "ab");
    dump_tones(g, 0, &b);
    dump_tones(g, 1, &b);
    buf_put(&b, "", 1);
    ck_assert_str_eq((const char *)b.p, "1.2P3.");
    grid_free(g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "shows text", shows_text, sizeof texts / sizeof *texts },
        { "wraps text", wraps_text, sizeof wraps / sizeof *wraps },
        { "cuts the last row", cuts_the_last_row, 1 },
        { "breaks wide ones", breaks_wide_ones, 1 },
        { "says tones in runs", says_tones_in_runs, 1 },
    };

    return run_tests("ui_cells", tests, sizeof tests / sizeof *tests);
}
