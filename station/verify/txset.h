/* verify/txset.h: transactionIds of a bundle or of results, with a mark each.
 * 40 octets apiece, sorted once: a million fit in 40 MB. */
#ifndef LINESIDE_VERIFY_TXSET_H
#define LINESIDE_VERIFY_TXSET_H

#include "station/base/ids.h"

struct txmark {
    struct txid txid;
    struct eid eid;
    uint64_t event;  /* of a report's record */
    uint32_t bundle; /* results of a report: index into its totals */
    uint8_t mark;
};
struct txset {
    struct txmark *v;
    size_t n, cap;
};
int txset_add(struct txset *s, const struct txmark *x); /* 0, -1: no memory */
void txset_sort(struct txset *s);
/* After txset_sort. NULL: not in it. */
struct txmark *txset_find(const struct txset *s, const struct txid *t);
/* After txset_sort: the first that stands in it twice, or NULL. */
const struct txmark *txset_twice(const struct txset *s);
void txset_clear(struct txset *s);

#endif
