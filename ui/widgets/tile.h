/* ui/widgets/tile: one fixture, from one row to a whole screen. What it is in
 * is said three times: by a word, by a sign, by a tone. */
#ifndef LINESIDE_UI_TILE_H
#define LINESIDE_UI_TILE_H

#include "ui/cells/cells.h"

#define TILE_LINES 5

struct tile_line {
    const char *text; /* NULL or "": none */
    enum tone tone;
};
struct tile {
    enum tone tone;
    uint32_t sign;
    const char *name, *word;
    const char *right;  /* at the right end of the first row; "": nothing */
    const char *big;    /* in block letters; NULL: nothing */
    int percent;        /* of a progress bar; below 0: none */
    bool selected;
    /* Shown from the top in this order; where there is no room for all, the
     * last ones go first. */
    struct tile_line line[TILE_LINES];
};
void tile_draw(struct grid *g, struct area a, const struct tile *t);

/* How n tiles are laid out: as large as they can be, none narrower than
 * min_w nor lower than min_h; more go onto further pages. */
struct tiling {
    int cols, rows, w, h; /* of one */
    size_t per_page, pages;
};
struct tiling tiling_of(size_t n, int w, int h, int min_w, int min_h);
#endif
