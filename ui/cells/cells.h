/* ui/cells: a screen as cells, and all that may be put into one. Pure: no
 * terminal, no locale, no clock.
 *
 * A cell holds one code point. What text from outside could do to a screen
 * ends here: control characters, invalid UTF-8 and marks that combine or turn
 * the writing direction never get into a cell. */
#ifndef LINESIDE_UI_CELLS_H
#define LINESIDE_UI_CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a cell means; how that looks is the terminal's business. Each has a
 * letter in dumps (tone_letter). */
enum tone {
    TONE_PLAIN,
    TONE_DIM,
    TONE_BOLD,
    TONE_HEAD,  /* the first line, and headings   */
    TONE_HELP,  /* keys and what they do          */
    TONE_INPUT, /* what is typed                  */
    TONE_WARN,
    TONE_READY,
    TONE_SCAN,
    TONE_BUSY,
    TONE_PASS,
    TONE_FAIL,
    TONE_CHECK,
    TONE_STOPPED,
    TONE_GONE,
    TONES
};
char tone_letter(enum tone t);           /* 'P' */
const char *tone_name(enum tone t);      /* "pass" */

struct cell {
    uint32_t ch;
    uint8_t tone;
    uint8_t width; /* 1 or 2; 0: the right half of the cell before */
};

#define GRID_COLS_MAX 1024
#define GRID_ROWS_MAX 512
struct grid {
    int cols, rows;
    struct cell *v; /* row by row */
};
/* Blank. NULL: no memory. What is out of bounds is cut to them. */
struct grid *grid_new(int cols, int rows);
void grid_free(struct grid *g); /* NULL is fine */
void grid_clear(struct grid *g);
const struct cell *grid_at(const struct grid *g, int x, int y);

struct area {
    int x, y, w, h;
};
struct area area_row(struct area a, int row); /* one row of it; empty outside */
/* The first n rows of a, which loses them. */
struct area area_take(struct area *a, int n);

void grid_fill(struct grid *g, struct area a, uint32_t ch, enum tone t);
/* One code point; outside of the grid: nothing. */
void grid_put(struct grid *g, int x, int y, uint32_t ch, enum tone t);

/* --- text: UTF-8 ----------------------------------------------------------------- */

/* The next code point that can be shown; 0: the end. Invalid octets and control
 * characters are '?', a tab is a blank, what has no width is passed over. */
uint32_t text_next(const char **s);
int text_char_width(uint32_t ch); /* 0, 1, 2 */
int text_width(const char *s);

/* In at most w columns from x; what does not fit ends with an ellipsis. Columns
 * used. */
int grid_text(struct grid *g, int x, int y, int w, enum tone t, const char *s);
/* The same, at the right end of the row, or in its middle. */
int grid_text_right(struct grid *g, struct area row, enum tone t, const char *s);
int grid_text_middle(struct grid *g, struct area row, enum tone t, const char *s);

/* Rows that s takes in w columns, broken at blanks or, in a script without
 * them, anywhere. */
int text_rows(const char *s, int w);
/* Into a, the last row cut where it does not fit. Rows used. */
int grid_wrap(struct grid *g, struct area a, enum tone t, const char *s);

#endif
