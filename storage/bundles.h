/* storage/bundles.h: how a container's records come in, and which containers
 * were seen.
 *
 * import_begin, import_record... and import_finish: records are stored in
 * bounded transactions under a container in state `importing`, visible to no
 * query; one last transaction makes it live and writes one event. Between
 * two transactions the import steps aside for others who wait to write.
 * Whatever ends in between is removed by import_abort, by the next
 * import_begin or by import_leftovers. */
#ifndef LINESIDE_STORAGE_BUNDLES_H
#define LINESIDE_STORAGE_BUNDLES_H

#include "storage/db.h"

#define IMPORT_RECORD_MAX (1024 * 1024)

enum seen_kind { /* numbers are stored: never renumber */
    SEEN_BPP_BUNDLE = 1,
    SEEN_EUICC_DATA = 2,
    SEEN_STATION_CERT = 3,
    SEEN_WORK_ORDER = 4,
    SEEN_REPORT_RECEIPT = 5
};

/* A container as the ledger remembers it. All borrowed. */
struct container_seen {
    enum seen_kind kind;
    const char *id;          /* UUID */
    const char *issuer;
    uint64_t sequence;       /* from 1 */
    uint8_t recipients[32];  /* SHA-256 naming the recipient list */
    uint8_t manifest_sha256[32]; /* of manifest.cms */
    int64_t created_at, not_after;
};

struct import_head {
    struct container_seen seen;
    const char *smdp_oid;   /* bpp-bundle: of its DPpb; else NULL */
    const struct span *eum_chains; /* concatenated DER, leaf first */
    size_t eum_chain_count;
    const struct span *dp_chains;
    size_t dp_chain_count;
};

struct import;

/* lock: LOCK_IMPORT of the same data directory, held until the import ends.
 * ERR_REPLAY: this id was seen before. db must not be used for anything else
 * meanwhile. Borrows db and lock, copies the rest. */
int import_begin(struct db *db, const struct lock *lock,
                 const struct import_head *h, struct import **out,
                 struct err *e);

/* One proven bpp-bundle record. All borrowed for the call. */
struct import_bpp {
    struct txid txid;
    struct eid eid;
    struct iccid iccid;
    const char *name, *provider; /* at most STOCK_TEXT_MAX octets each */
    bool delete_notified;
    int profile_class;            /* SGP.22 5.5.3; -1: not known  */
    unsigned eum_chain, dp_chain; /* indices into the head's lists */
    struct span record;           /* the whole DER */
};
/* ERR_CONFLICT: the ledger knows this transactionId already (here or in
 * another container), or its key was offered to, or is meant for, another
 * SM-DPf than smdp_oid (both are named), or belongs to another EID. After any
 * error only import_abort may follow. */
int import_bpp(struct import *i, const struct import_bpp *r, struct err *e);

/* euicc-data: one eUICC, then its keys. eum_chain as above. */
int import_euicc(struct import *i, const struct eid *eid, struct span cert,
                 unsigned eum_chain, struct err *e);
struct import_key {
    struct txid txid;
    uint8_t otpk[65];
    uint8_t sign[64];     /* 5F37 over its EUICCSigned2 */
    const char *smdp_oid; /* whom the EUM's data names */
};
/* A key of the eUICC given last. ERR_CONFLICT: transactionId known as a key. */
int import_key(struct import *i, const struct import_key *k, struct err *e);

struct import_summary {
    uint64_t records;      /* BPPs, or eUICCs */
    uint64_t keys;
    uint64_t without_delete; /* BPPs whose return cannot be proven */
    uint64_t missing;      /* containers of this issuer and recipient list
                              with lower numbers that have not arrived */
    uint64_t event;
};
/* Runs first in the transaction that makes it live: what made the import right must
 * still hold. NULL: nothing. */
void import_guard(struct import *i, tx_fn *guard, void *ctx);
/* Make it live: one transaction, one event. Consumes i whatever the outcome;
 * on failure nothing of the container is left visible. */
int import_finish(struct import *i, const char *actor,
                  struct import_summary *out, struct err *e);
/* Remove all of it. Consumes i; NULL is fine. What cannot be removed now
 * (disk) stays invisible and goes with the next import_begin or
 * import_leftovers. */
void import_abort(struct import *i);

/* At start: remove what an import that died left, in bounded transactions.
 * *removed (records) may be NULL. lock as in import_begin. */
int import_leftovers(struct db *db, const struct lock *lock, uint64_t *removed,
                     struct err *e);

/* --- containers seen ------------------------------------------------------- */

/* Remember a container that brings no records (station-cert), in the
 * transaction that applies it. Raises the clock floor to created_at.
 * ERR_REPLAY. */
int container_remember(struct tx *tx, const struct container_seen *c,
                       uint64_t event, struct err *e);
int container_known(struct db *db, const char *id, bool *known, struct err *e);
/* Highest sequence of this kind from this issuer; 0: none. */
int container_highest(struct db *db, enum seen_kind k, const char *issuer,
                      uint64_t *out, struct err *e);

/* Numbers first..last from this issuer to this recipient list have not
 * arrived though a higher one has. */
struct container_gap {
    enum seen_kind kind; /* of the one that has arrived behind it */
    char issuer[64];
    uint8_t recipients[32];
    uint64_t first, last;
};
struct container_gaps {
    struct container_gap *v;
    size_t n;
};
void container_gaps_clear(struct container_gaps *g);
/* issuer NULL: all. */
int container_gaps(struct db *db, const char *issuer,
                   struct container_gaps *out, struct err *e);

/* The certificate chains (concatenated DER, leaf first) under which the newest
 * bundle of this SM-DPf came; none: no call. der is valid during the call;
 * non-zero ends the walk with that error. */
typedef int chain_fn(void *ctx, struct span der, struct err *e);
int bundle_dp_chains(struct db *db, const char *smdp_oid, chain_fn *fn,
                     void *ctx, struct err *e);

#endif
