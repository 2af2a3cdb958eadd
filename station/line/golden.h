/* line/golden: the self-test of a golden unit. It reads, and changes nothing in
 * the eUICC, the stock or the list of units. */
#ifndef LINESIDE_LINE_GOLDEN_H
#define LINESIDE_LINE_GOLDEN_H

#include "station/fpa/card.h"
#include "storage/health.h"

#define GOLDEN_ROUNDS 16 /* EID reads that are timed */

/* The card has power, its ISD-R is selected, and its EID was read: eid. What was
 * measured is in *out. As fpa/card.h's functions. */
int golden_self_test(struct fpa_card *c, struct fixture *f, const struct eid *eid,
                     struct golden_test *out, struct err *e);

#endif
