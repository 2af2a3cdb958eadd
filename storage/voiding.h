/* storage/voiding.h: BPPs that will never be used, voided by two people. Which
 * ones is found first, so that it can be told before it is done; then they are
 * voided in batches, so that a running line never waits long. */
#ifndef LINESIDE_STORAGE_VOIDING_H
#define LINESIDE_STORAGE_VOIDING_H

#include "storage/stock.h"

#define VOID_BATCH 200 /* BPPs in one transaction */

/* Just one of these. Borrowed. */
struct void_what {
    const struct txid *txid;
    const char *bundle; /* container id */
    const struct eid *eid;
    bool scrapped; /* for scrapped units, and boards that were taken out */
};

/* BPPs by their ids (bpp_info.id), in bundle order. {NULL, 0} is empty. */
struct bpp_ids {
    int64_t *v;
    size_t n;
};
void bpp_ids_clear(struct bpp_ids *l);

/* Those of them that are in stock; by its transactionId one that is
 * quarantined too: then it is written off. *out is replaced. ERR_NOT_FOUND: no such
 * transactionId, bundle or EID here, or nothing of it is in stock (the
 * sentence says what it is instead). */
int void_find(struct db *db, const struct void_what *w, struct bpp_ids *out,
              struct err *e);

/* Of a->actor and a->second. guard runs first in each batch's transaction:
 * what made the act right must still hold. What has left stock since it was
 * found is left as it is. On failure *voided is what is voided all the same. */
struct void_act {
    const struct act *act;
    const char *reason; /* one line for people and the report */
    tx_fn *guard;
    void *guard_ctx;
};
int void_all(struct db *db, const struct bpp_ids *ids, const struct void_act *a,
             size_t *voided, struct err *e);

#endif
