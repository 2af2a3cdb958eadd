/* ui/widgets/table: rows under headings. */
#ifndef LINESIDE_UI_TABLE_H
#define LINESIDE_UI_TABLE_H

#include "ui/scan/actions.h"
#include "ui/widgets/view.h"

struct column {
    const char *title; /* in English */
    int least;         /* of its width; the last one takes what is left */
    int share;         /* of what a wider screen has to spare */
    bool right;        /* numbers */
};
#define TABLE_COLUMNS 8

struct cell_text {
    char text[SENTENCE_CAP];
    enum tone tone;
};
/* One row's cells, as many as there are columns; they come empty and plain. */
typedef void table_row_fn(const struct view *v, const void *ctx, size_t row,
                          struct cell_text *out);

/* Headings, then the rows from v->d->at on; `none` where there is no row. */
void table_draw(struct grid *g, struct area a, const struct view *v,
                const struct column *c, size_t columns, size_t rows,
                table_row_fn *fn, const void *ctx, const char *none);

/* The same as a list to choose from: v->d->at is the chosen row, and is seen. */
void list_draw(struct grid *g, struct area a, const struct view *v,
               const struct column *c, size_t columns, size_t rows,
               table_row_fn *fn, const void *ctx, const char *none);
bool list_act(struct desk *d, size_t n, size_t shown, enum act a);

/* What up, down and pages do on a screen of n rows of which `shown` are seen.
 * True: it was one of these. */
bool table_act(struct desk *d, size_t n, size_t shown, enum act a);

/* Members of answers, whatever they are: "" and 0 for what is not there. */
const char *json_word(const json_t *j, const char *name);
long long json_count(const json_t *j, const char *name);
/* "20261128133317Z" as "2026-11-28 13:33"; another text as it is. */
void json_time(const json_t *j, const char *name, char *out, size_t cap);
/* ... as seconds since 1970; 0: it is no time. */
int64_t json_when(const json_t *j, const char *name);

/* Events of the ledger. */
#define EVENT_COLUMNS 5
extern const struct column event_columns[EVENT_COLUMNS];
void event_cells(const json_t *event, struct cell_text out[EVENT_COLUMNS]);

/* Where an answer is awaited, was refused, or the line is not there: says so, and
 * is true. */
bool no_answer(struct grid *g, struct area a, const struct view *v);

#endif
