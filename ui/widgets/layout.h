/* ui/widgets/layout: where each fixture's tile goes: as they stand on the bench, where
 * that is known; the others after them, one beside the other. Rows and columns in which
 * no fixture stands are left out, so that tiles are as large as can be; a gap between
 * two stays one. What has no room goes onto further pages. */
#ifndef LINESIDE_UI_LAYOUT_H
#define LINESIDE_UI_LAYOUT_H

#include "ui/cells/cells.h"
#include "ui/model/snapshot.h"
#include "ui/scan/actions.h"

struct layout {
    int w, h;         /* of a tile */
    int cols, rows;   /* of all of them */
    int page_cols, page_rows;
    size_t pages, n;
    struct {
        short col, row;
    } at[SNAPSHOT_SLOTS]; /* of each slot */
};
/* In w x h cells, none narrower than min_w nor lower than min_h. Where there are several
 * pages, one row is left for their number. */
void layout_of(const struct snapshot *s, int w, int h, int min_w, int min_h,
               struct layout *out);
/* The page that slot i is on, and where on it. */
size_t layout_page(const struct layout *l, size_t i);
struct area layout_area(const struct layout *l, struct area a, size_t i);
/* The first of a page; l->n: there is none. */
size_t layout_first(const struct layout *l, size_t page);
/* What is above, below, before or after it; i: nothing is. */
size_t layout_next(const struct layout *l, size_t i, enum act a);

#endif
