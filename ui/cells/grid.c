#include "ui/cells/cells.h"

#include <stdlib.h>

static const struct {
    char letter;
    const char *name;
} tones[TONES] = {
    [TONE_PLAIN] = { '.', "plain" }, [TONE_DIM] = { 'd', "dim" },
    [TONE_BOLD] = { 'b', "bold" },   [TONE_HEAD] = { 'h', "head" },
    [TONE_HELP] = { 'k', "help" },   [TONE_INPUT] = { 'i', "input" },
    [TONE_WARN] = { 'w', "warn" },   [TONE_READY] = { 'R', "ready" },
    [TONE_SCAN] = { 'S', "scan" },   [TONE_BUSY] = { 'B', "busy" },
    [TONE_PASS] = { 'P', "pass" },   [TONE_FAIL] = { 'F', "fail" },
    [TONE_CHECK] = { 'C', "check" }, [TONE_STOPPED] = { 'X', "stopped" },
    [TONE_GONE] = { 'G', "gone" },
};

char tone_letter(enum tone t)
{
    return (unsigned)t < TONES ? tones[t].letter : '.';
}

const char *tone_name(enum tone t)
{
    return (unsigned)t < TONES ? tones[t].name : "plain";
}

static int within(int v, int least, int most)
{
    return v < least ? least : v > most ? most : v;
}

struct grid *grid_new(int cols, int rows)
{
    struct grid *g = calloc(1, sizeof *g);

    if (!g)
        return NULL;
    g->cols = within(cols, 1, GRID_COLS_MAX);
    g->rows = within(rows, 1, GRID_ROWS_MAX);
    g->v = malloc((size_t)g->cols * (size_t)g->rows * sizeof *g->v);
    if (!g->v) {
        free(g);
        return NULL;
    }
    grid_clear(g);
    return g;
}

void grid_free(struct grid *g)
{
    if (g)
        free(g->v);
    free(g);
}

static const struct cell blank = { ' ', TONE_PLAIN, 1 };

void grid_clear(struct grid *g)
{
    for (size_t i = 0; i < (size_t)g->cols * (size_t)g->rows; i++)
        g->v[i] = blank;
}

static struct cell *cell_of(const struct grid *g, int x, int y)
{
    if (x < 0 || y < 0 || x >= g->cols || y >= g->rows)
        return NULL;
    return &g->v[(size_t)y * (size_t)g->cols + (size_t)x];
}

const struct cell *grid_at(const struct grid *g, int x, int y)
{
    const struct cell *c = cell_of(g, x, y);

    return c ? c : &blank;
}

/* Half of a wide character is none. */
static void break_wide(struct grid *g, int x, int y)
{
    struct cell *c = cell_of(g, x, y), *left = cell_of(g, x - 1, y),
                *right = cell_of(g, x + 1, y);

    if (c->width == 0 && left)
        *left = (struct cell){ ' ', left->tone, 1 };
    if (c->width == 2 && right)
        *right = (struct cell){ ' ', right->tone, 1 };
}

void grid_put(struct grid *g, int x, int y, uint32_t ch, enum tone t)
{
    int width = text_char_width(ch);
    struct cell *c = cell_of(g, x, y), *right = cell_of(g, x + 1, y);

    if (!c || width == 0)
        return;
    break_wide(g, x, y);
    if (width == 2 && !right) {
        ch = ' ';
        width = 1;
    }
    *c = (struct cell){ ch, (uint8_t)t, (uint8_t)width };
    if (width == 2) {
        break_wide(g, x + 1, y);
        *right = (struct cell){ ' ', (uint8_t)t, 0 };
    }
}

void grid_fill(struct grid *g, struct area a, uint32_t ch, enum tone t)
{
    for (int y = 0; y < a.h; y++)
        for (int x = 0; x < a.w; x++)
            grid_put(g, a.x + x, a.y + y, ch, t);
}

struct area area_row(struct area a, int row)
{
    if (row < 0 || row >= a.h)
        return (struct area){ a.x, a.y, 0, 0 };
    return (struct area){ a.x, a.y + row, a.w, 1 };
}

struct area area_take(struct area *a, int n)
{
    struct area first = *a;

    first.h = within(n, 0, a->h);
    a->y += first.h;
    a->h -= first.h;
    return first;
}
