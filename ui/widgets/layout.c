#include "ui/widgets/layout.h"

#include "ui/widgets/tile.h"

#include <stdlib.h>
#include <string.h>

#define STAND_MOST 99 /* rows and columns of a bench */

/* --- one beside the other ----------------------------------------------------------- */

static void flow(struct layout *l, int w, int h, int min_w, int min_h)
{
    struct tiling t = tiling_of(l->n, w, h, min_w, min_h);

    if (t.pages > 1)
        t = tiling_of(l->n, w, h - 1, min_w, min_h);
    l->w = t.w;
    l->h = t.h;
    l->cols = l->page_cols = t.cols;
    l->page_rows = t.rows;
    l->rows = t.rows * (int)t.pages;
    l->pages = t.pages;
    for (size_t i = 0; i < l->n; i++) {
        l->at[i].col = (short)(i % (size_t)t.cols);
        l->at[i].row = (short)(i / (size_t)t.cols);
    }
}

/* --- as they stand -------------------------------------------------------------------- */

static bool stands(const struct slot *f)
{
    return f->row >= 1 && f->row <= STAND_MOST && f->column >= 1 && f->column <= STAND_MOST;
}

/* Of those that stand somewhere: what their rows and columns are when those that are
 * empty are left out. */
struct ranks {
    short row[STAND_MOST + 1], col[STAND_MOST + 1];
    int rows, cols;
    size_t others; /* that stand nowhere */
};

static void rank(const struct snapshot *s, struct ranks *r)
{
    bool row[STAND_MOST + 1] = { false }, col[STAND_MOST + 1] = { false };

    memset(r, 0, sizeof *r);
    for (size_t i = 0; i < s->slots; i++) {
        const struct slot *f = &s->slot[i];
        if (!stands(f)) {
            r->others++;
            continue;
        }
        row[f->row] = true;
        col[f->column] = true;
    }
    for (int k = 1; k <= STAND_MOST; k++) {
        r->row[k] = (short)r->rows;
        r->col[k] = (short)r->cols;
        r->rows += row[k];
        r->cols += col[k];
    }
}

static int split(int n, int most)
{
    int pages = (n + most - 1) / most;

    return (n + pages - 1) / pages;
}

/* Onto cols columns; the fewer pages the better, then the larger the tiles. */
static long try(struct layout *l, const struct ranks *r, int cols, int w, int h, int min_w,
                int min_h)
{
    int most_cols = w / min_w > 0 ? w / min_w : 1, most_rows = h / min_h > 0 ? h / min_h : 1;

    l->cols = cols;
    l->rows = r->rows + (int)((r->others + (size_t)cols - 1) / (size_t)cols);
    if (cols > most_cols || l->rows > most_rows)
        most_rows = (h - 1) / min_h > 0 ? (h - 1) / min_h : 1;
    l->page_cols = split(cols, most_cols);
    l->page_rows = split(l->rows, most_rows);
    l->pages = (size_t)((cols + l->page_cols - 1) / l->page_cols) *
               (size_t)((l->rows + l->page_rows - 1) / l->page_rows);
    l->w = w / l->page_cols;
    l->h = (l->pages > 1 ? h - 1 : h) / l->page_rows;
    return -(long)l->pages * 1000000 + (l->w < 3 * l->h ? l->w : 3 * l->h) * 1000 + l->w;
}

static void as_they_stand(const struct snapshot *s, const struct ranks *r, int w, int h,
                          int min_w, int min_h, struct layout *l)
{
    int most = w / min_w > r->cols && r->others ? w / min_w : r->cols, best = r->cols, next = 0;
    long value = try(l, r, best, w, h, min_w, min_h);

    for (int cols = best + 1; cols <= most; cols++) {
        long v = try(l, r, cols, w, h, min_w, min_h);
        if (v > value) {
            value = v;
            best = cols;
        }
    }
    try(l, r, best, w, h, min_w, min_h);
    for (size_t i = 0; i < l->n; i++) {
        const struct slot *f = &s->slot[i];
        l->at[i].row = stands(f) ? r->row[f->row] : (short)(r->rows + next / best);
        l->at[i].col = stands(f) ? r->col[f->column] : (short)(next % best);
        next += !stands(f);
    }
}

void layout_of(const struct snapshot *s, int w, int h, int min_w, int min_h,
               struct layout *out)
{
    struct ranks r;

    out->n = s->slots;
    rank(s, &r);
    if (r.rows == 0)
        flow(out, w, h, min_w, min_h);
    else
        as_they_stand(s, &r, w, h, min_w, min_h, out);
}

/* --- pages and neighbours ----------------------------------------------------------------- */

size_t layout_page(const struct layout *l, size_t i)
{
    int across = (l->cols + l->page_cols - 1) / l->page_cols;

    return (size_t)(l->at[i].row / l->page_rows * across + l->at[i].col / l->page_cols);
}

struct area layout_area(const struct layout *l, struct area a, size_t i)
{
    return (struct area){ a.x + l->at[i].col % l->page_cols * l->w,
                          a.y + l->at[i].row % l->page_rows * l->h, l->w, l->h };
}

/* Where it comes when one reads them row by row. */
static int order(const struct layout *l, size_t i)
{
    return l->at[i].row * l->cols + l->at[i].col;
}

size_t layout_first(const struct layout *l, size_t page)
{
    size_t first = l->n;

    for (size_t i = 0; i < l->n; i++)
        if (layout_page(l, i) == page && (first == l->n || order(l, i) < order(l, first)))
            first = i;
    return first;
}

/* The nearest one of the next row. */
static size_t in_row(const struct layout *l, size_t i, int step)
{
    size_t best = i;
    int row = l->at[i].row + step, far = l->cols;

    for (size_t k = 0; k < l->n; k++) {
        int away = abs(l->at[k].col - l->at[i].col);
        if (l->at[k].row == row && away < far) {
            far = away;
            best = k;
        }
    }
    return best;
}

static size_t in_order(const struct layout *l, size_t i, int step)
{
    int from = order(l, i), least = -1;
    size_t best = i;

    for (size_t k = 0; k < l->n; k++) {
        int away = (order(l, k) - from) * step;
        if (away > 0 && (least < 0 || away < least)) {
            least = away;
            best = k;
        }
    }
    return best;
}

size_t layout_next(const struct layout *l, size_t i, enum act a)
{
    return a == ACT_UP ? in_row(l, i, -1) : a == ACT_DOWN ? in_row(l, i, 1)
         : a == ACT_LEFT ? in_order(l, i, -1) : in_order(l, i, 1);
}
