/* Where a fixture stands: a bench with all of them, over which one is moved. */
#include "ui/screens/screens.h"

#include <stdio.h>
#include <string.h>

#define CELL_W 10

static const struct slot *at_place(const struct snapshot *s, int row, int column)
{
    for (size_t i = 0; i < s->slots; i++)
        if ((int)s->slot[i].row == row && (int)s->slot[i].column == column)
            return &s->slot[i];
    return NULL;
}

/* Where it is while nobody has moved it: where it stands, else the first place that is
 * free. */
static void start(const struct form *f, const struct snapshot *s, int *row, int *column)
{
    const struct slot *mine = snapshot_slot(s, f->about);

    *row = mine && mine->row <= BENCH_MOST ? (int)mine->row : 0;
    *column = mine && mine->column <= BENCH_MOST ? (int)mine->column : 0;
    for (int r = 1; r <= BENCH_MOST && (!*row || !*column); r++)
        for (int c = 1; c <= 8 && (!*row || !*column); c++)
            if (!at_place(s, r, c)) {
                *row = r;
                *column = c;
            }
}

void bench_place(const struct form *f, const struct snapshot *s, int *row, int *column)
{
    if (f->row)
        *row = (int)f->row / 100, *column = (int)f->row % 100;
    else
        start(f, s, row, column);
}

void bench_move(struct form *f, const struct snapshot *s, enum act a)
{
    int row, column;

    bench_place(f, s, &row, &column);
    row += a == ACT_UP ? -1 : a == ACT_DOWN ? 1 : a == ACT_BACK ? -5 : a == ACT_FORTH ? 5 : 0;
    column += a == ACT_LEFT ? -1 : a == ACT_RIGHT ? 1 : 0;
    row = row < 1 ? 1 : row > BENCH_MOST ? BENCH_MOST : row;
    column = column < 1 ? 1 : column > BENCH_MOST ? BENCH_MOST : column;
    f->row = (size_t)(row * 100 + column);
}

static void draw_cell(struct grid *g, struct area a, const struct view *v, int row, int column,
                      bool here)
{
    const struct slot *there = at_place(v->s, row, column);
    bool mine = there && strcmp(there->name, v->d->form.about) == 0;
    enum tone t = here && there && !mine ? TONE_WARN : here ? TONE_INPUT
                : there && !mine ? TONE_HELP : TONE_DIM;

    char text[2 * WHAT_CAP];

    /* Where another stands, both names. */
    snprintf(text, sizeof text, "%s%s%s", here ? v->d->form.about : there && !mine ? there->name : "·",
             here && there && !mine ? "/" : "", here && there && !mine ? there->name : "");
    grid_fill(g, a, ' ', t == TONE_DIM ? TONE_PLAIN : t);
    grid_put(g, a.x, a.y, here ? 0x25BA : ' ', t == TONE_DIM ? TONE_PLAIN : t);
    grid_text(g, a.x + 1, a.y, a.w - 1, t, text);
}

/* Rows from the far side on, columns from the left; what is moved is always seen. */
void bench_draw(struct grid *g, struct area a, const struct view *v)
{
    int row, column, room_w = (a.w - 4) / CELL_W, room_h = a.h - 1;

    bench_place(&v->d->form, v->s, &row, &column);
    if (room_w < 1 || room_h < 1)
        return;
    int left = column > room_w ? column - room_w : 0, top = row > room_h ? row - room_h : 0;
    for (int x = 0; x < room_w && left + x < BENCH_MOST; x++) {
        char number[16];
        snprintf(number, sizeof number, "%d", left + x + 1);
        grid_text(g, a.x + 5 + x * CELL_W, a.y, CELL_W - 1, TONE_DIM, number);
    }
    for (int y = 0; y < room_h && top + y < BENCH_MOST; y++) {
        char number[16];
        snprintf(number, sizeof number, "%2d", top + y + 1);
        grid_text(g, a.x + 1, a.y + 1 + y, 2, TONE_DIM, number);
        for (int x = 0; x < room_w && left + x < BENCH_MOST; x++)
            draw_cell(g, (struct area){ a.x + 4 + x * CELL_W, a.y + 1 + y, CELL_W - 1, 1 }, v, top + y + 1,
                      left + x + 1, top + y + 1 == row && left + x + 1 == column);
    }
}
