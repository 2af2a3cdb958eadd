/* ui/widgets/spark: courses of figures, the newest at the right, in block characters: on
 * one row as text, or as bars over several. */
#ifndef LINESIDE_UI_SPARK_H
#define LINESIDE_UI_SPARK_H

#include "ui/cells/cells.h"

#include <stddef.h>

#define SPARK_NONE (-1) /* nothing is known there: a dot */

/* Between these two; what is at the lower one is still seen. */
struct spark {
    const long long *v;
    size_t n;
    long long least, most;
};
/* One character each; the oldest are left out where there are more than `chars`. */
void spark_text(const struct spark *s, size_t chars, char *out, size_t cap);
/* Side by side in a, which has room for `full` of them; the newest at the right, the oldest
 * left out where there are more. */
void spark_bars(struct grid *g, struct area a, enum tone t, const struct spark *s, int full);

#endif
