/* ui/widgets/facts: figures with their names, flowing over as many rows as
 * there are. */
#ifndef LINESIDE_UI_FACTS_H
#define LINESIDE_UI_FACTS_H

#include "ui/cells/cells.h"

struct fact {
    const char *label;
    char value[96]; /* "": not shown */
    enum tone tone; /* of the value */
};
/* Rows that they take in w columns. */
int facts_rows(const struct fact *v, size_t n, int w);
void facts_draw(struct grid *g, struct area a, const struct fact *v, size_t n);

#endif
