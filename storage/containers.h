/* storage/containers.h: rows of containers, for storage only. */
#ifndef LINESIDE_STORAGE_CONTAINERS_H
#define LINESIDE_STORAGE_CONTAINERS_H

#include "storage/bundles.h"
#include "storage/inner.h"

int container_check(const struct container_seen *c, struct err *e);
/* ERR_REPLAY when this id was seen before. */
int container_fresh(struct db *db, const char *id, struct err *e);
/* event 0: none yet. *out: its row. */
int container_put(struct tx *tx, const struct container_seen *c, int state,
                  const char *smdp_oid, uint64_t event, int64_t *out,
                  struct err *e);
/* The event of an arrival: f plus issuer, sequence, hash and what is missing
 * before it. The row must be live. */
int container_event(struct tx *tx, int64_t container, const char *kind,
                    const char *actor, struct fields *f, uint64_t *missing,
                    struct event_head *out, struct err *e);

/* The row of a certificate chain (concatenated DER), made if it is new. */
int chain_put(struct tx *tx, struct span der, int64_t *out, struct err *e);

#endif
