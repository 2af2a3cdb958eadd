/* tests/unit/ui/golden: what a screen looked like when somebody looked at it. */
#ifndef LINESIDE_UNIT_UI_GOLDEN_H
#define LINESIDE_UNIT_UI_GOLDEN_H

#include "ui/cells/cells.h"

/* Compares g with tests/unit/ui/golden/NAME.txt; what differs is printed row by
 * row and fails the test. With UPDATE=1 in the environment the file is written
 * instead: look at it before it is committed. */
void golden_check(const struct grid *g, const char *name);

#endif
