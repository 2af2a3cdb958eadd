#include "ui/widgets/tile.h"

#include "ui/widgets/bar.h"
#include "ui/widgets/bigtext.h"

#include <stdio.h>

/* --- layout ----------------------------------------------------------------------- */

/* A tile may be three times as wide as it is high before width is no use to it. */
static int worth(int w, int h)
{
    return w < 3 * h ? w : 3 * h;
}

struct tiling tiling_of(size_t n, int w, int h, int min_w, int min_h)
{
    int most_cols = w / min_w > 0 ? w / min_w : 1;
    int most_rows = h / min_h > 0 ? h / min_h : 1;
    struct tiling best = { 1, 1, w, h, 1, 1 };
    size_t most = (size_t)most_cols * (size_t)most_rows, shown = n < most ? n : most;
    int value = -1;

    for (int cols = 1; cols <= most_cols; cols++) {
        int rows = ((int)shown + cols - 1) / cols;
        if (rows < 1 || rows > most_rows)
            continue;
        int v = worth(w / cols, h / rows) * 65536 + w / cols * 32 - (cols * rows - (int)shown);
        if (v > value) {
            value = v;
            best = (struct tiling){ .cols = cols, .rows = rows, .w = w / cols, .h = h / rows };
        }
    }
    best.per_page = (size_t)best.cols * (size_t)best.rows;
    best.pages = n ? (n + best.per_page - 1) / best.per_page : 1;
    return best;
}

/* --- drawing ------------------------------------------------------------------------ */

static void first_row(struct grid *g, struct area row, const struct tile *t)
{
    char both[160];

    grid_fill(g, row, ' ', t->tone);
    grid_put(g, row.x, row.y, t->selected ? 0x25BA : ' ', t->tone);
    grid_put(g, row.x + 1, row.y, t->sign, t->tone);
    snprintf(both, sizeof both, "%s %s", t->name, t->word);
    int x = row.x + 3, room = row.x + row.w - x;
    int used = grid_text(g, x, row.y, room, t->tone, both);
    room -= used + 2;
    if (text_width(t->right) <= room)
        grid_text_right(g, (struct area){ x + used + 2, row.y, room, 1 }, t->tone, t->right);
}

/* On the narrowest ones the sign and the name go before the word. */
static void only_row(struct grid *g, struct area row, const struct tile *t)
{
    int name = text_width(t->name), word = text_width(t->word);

    grid_fill(g, row, ' ', t->tone);
    grid_put(g, row.x, row.y, t->selected ? 0x25BA : t->sign, t->tone);
    if (1 + name + 1 + word > row.w) /* a sign says it too: the name may not go */
        name = name < row.w - 1 - 4 ? name : row.w - 1 - 4;
    int used = grid_text(g, row.x + 1, row.y, name, t->tone, t->name);
    grid_text(g, row.x + 2 + used, row.y, row.w - 2 - used, t->tone, t->word);
}

/* Which of the lines have room, whole, the first ones first; their rows. */
static int lines_for(const struct tile *t, int w, int h, bool shown[TILE_LINES])
{
    int rows = 0;

    for (int i = 0; i < TILE_LINES; i++) {
        const char *s = t->line[i].text;
        int need = s && *s ? text_rows(s, w) : 0;
        shown[i] = need > 0 && rows + need <= h;
        rows += shown[i] ? need : 0;
    }
    return rows;
}

static void draw_lines(struct grid *g, struct area a, const struct tile *t)
{
    bool shown[TILE_LINES];

    /* Not even the first has room: as much of it as there is. */
    if (lines_for(t, a.w, a.h, shown) == 0 || !shown[0]) {
        if (t->line[0].text && !t->big)
            grid_wrap(g, a, t->line[0].tone, t->line[0].text);
        if (!t->big)
            return;
    }
    for (int i = 0; i < TILE_LINES; i++)
        if (shown[i])
            area_take(&a, grid_wrap(g, a, t->line[i].tone, t->line[i].text));
}

#define BIG_LEAST 3

static void draw_body(struct grid *g, struct area a, const struct tile *t)
{
    struct area in = { a.x + 1, a.y, a.w - 2, a.h };
    bool shown[TILE_LINES];

    if (t->big && bigtext_rows(t->big, in.w, a.h) >= BIG_LEAST) {
        /* What the lines leave is the letters', and more than the smallest need. */
        int big = a.h - lines_for(t, in.w, a.h - BIG_LEAST, shown);
        struct area letters = area_take(&a, big);
        grid_fill(g, letters, ' ', t->tone);
        bigtext_draw(g, (struct area){ in.x, letters.y, in.w, letters.h }, t->tone, t->big);
        in.y += big;
        in.h -= big;
    } else if (t->percent >= 0 && a.h > 0) {
        struct area bar = { in.x, a.y + a.h - 1, in.w, 1 };
        char text[16];
        snprintf(text, sizeof text, "%3d%%", t->percent);
        if (a.h > 1 && in.w > 10) {
            in.h--;
            bar.w -= 5;
            bar_draw(g, bar, t->tone, t->percent, 100);
            grid_text(g, bar.x + bar.w + 1, bar.y, 4, TONE_PLAIN, text);
        }
    }
    draw_lines(g, in, t);
}

void tile_draw(struct grid *g, struct area a, const struct tile *t)
{
    if (a.w > 12) /* a gap to the next one */
        a.w--;
    if (a.w < 1 || a.h < 1)
        return;
    if (a.w < 16)
        only_row(g, area_take(&a, 1), t);
    else
        first_row(g, area_take(&a, 1), t);
    if (a.h > 6) /* a gap to the one below */
        a.h--;
    draw_body(g, a, t);
}
