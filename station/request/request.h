/* request/request.h: what the station asks an SM-DPf for: a bpp-request
 * (binding, clause 2): one profile for each one-time key in it.
 *
 * The way out is a report's (report/report.h): made in the outbox, entered in
 * the ledger with every key marked as offered, written to the medium last. A
 * key that was offered stays offered, whatever becomes of the stick: the same
 * request is written again. */
#ifndef LINESIDE_REQUEST_REQUEST_H
#define LINESIDE_REQUEST_REQUEST_H

#include "station/container/writer.h"
#include "station/identity/identity.h"
#include "storage/keys.h"
#include "storage/station.h"

#define REQUEST_KEYS_MAX 10000 /* one transaction: the line waits for it */
#define REQUEST_VALID_S (365 * 86400ll)

struct request_order {
    const char *smdp;         /* OID */
    const char *msp, *profile; /* "": not said */
    size_t count;             /* profiles wanted, each for a key */
    unsigned per_euicc;       /* at most so many of one eUICC    */
    const struct eid *eids;   /* of these, in this order, none twice; n 0: of
                                 all that have keys, lowest EID first */
    size_t eid_count;
    const char *actor;
    tx_fn *guard;             /* first in the transaction that offers the keys: */
    void *guard_ctx;          /* the actor may still                            */
};
struct request_made {
    char id[UUID_LEN + 1];
    uint64_t sequence; /* per SM-DPf */
    size_t keys, euiccs;
};

/* Choose, make in `outbox` (a folder that is there), enter. lock: LOCK_EXPORT.
 * ERR_TRUST: the SM-DPf is not on the allow-list; ERR_NOT_FOUND: too few keys,
 * with the numbers of all there are; ERR_LIMIT. On failure nothing was offered. */
int request_make(struct db *db, const struct lock *lock, const char *outbox,
                 const struct station *s, const struct identity *self,
                 const struct request_order *o, struct request_made *out,
                 struct err *e);

/* The records of a request that was made, once more. *records is added to. */
int request_write(struct db *db, const char *export_id,
                  struct container_writer *w, uint64_t *records, struct err *e);

#endif
