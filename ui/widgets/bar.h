/* ui/widgets/bar: how much of a whole. */
#ifndef LINESIDE_UI_BAR_H
#define LINESIDE_UI_BAR_H

#include "ui/cells/cells.h"

/* The first row of a. part of whole; whole 0: nothing of it. */
void bar_draw(struct grid *g, struct area a, enum tone t, long long part,
              long long whole);

#endif
