/* tests/unit/ui/golden: what a screen looked like when somebody looked at it. */
#ifndef LINESIDE_UNIT_UI_GOLDEN_H
#define LINESIDE_UNIT_UI_GOLDEN_H

#include "ui/cells/cells.h"

#include "station/base/span.h"

/* g under a heading, after what is there: its rows, each behind a bar, then the
 * tones of those that have some. */
void golden_add(struct buf *all, const struct grid *g, const char *heading);
/* Compares with tests/unit/ui/golden/NAME.txt; what differs is printed line by
 * line and fails the test. With UPDATE=1 in the environment the file is written
 * instead: look at it before it is committed. */
void golden_check(struct buf *all, const char *name);

#endif
