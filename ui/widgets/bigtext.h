/* ui/widgets/bigtext: words in letters built of blocks, two pixels a cell, to
 * be read from two metres. In every language the same words. */
#ifndef LINESIDE_UI_BIGTEXT_H
#define LINESIDE_UI_BIGTEXT_H

#include "ui/cells/cells.h"

/* Rows that it takes when it is as large as w by h allows; 0: it does not fit. */
int bigtext_rows(const char *word, int w, int h);
/* In the middle of a. */
void bigtext_draw(struct grid *g, struct area a, enum tone t, const char *word);
/* There is a glyph for each letter. */
bool bigtext_has(const char *word);

#endif
