/* Bundles by the thousand: eUICCs with certificates and one-time keys, and
 * records for them, truly signed, on all cores. What fails ends the program:
 * no bench can go on without its data. */
#ifndef LINESIDE_TESTS_BENCH_MILL_H
#define LINESIDE_TESTS_BENCH_MILL_H

#include "storage/db.h"
#include "tests/bench/site.h"
#include "tests/lab/pki/keys.h"

/* The nth of their kind; n below 10^10. */
void mill_eid(uint64_t n, struct eid *out);
void mill_iccid(uint64_t n, struct iccid *out);
void mill_txid(uint64_t n, struct txid *out); /* not random, but unique */

/* 0 to n - 1, each once, in no order. */
size_t mill_shuffled(size_t i, size_t n);

/* BPPs 0 to n - 1 for eUICCs of the same numbers, as one bundle straight into a
 * ledger, in no order. No octet of them is worth looking at. */
void mill_stock(const char *data_dir, struct db *db, size_t n);

/* A generated profile package of about so many octets. */
#define MILL_REAL_SIZE 12000 /* as GSMA's TS.48 packages are */
void mill_profile(size_t octets, struct buf *upp);

/* An eUICC as its EUM knows it. */
struct mill_euicc {
    struct eid eid;
    EVP_PKEY *key;
    struct buf cert; /* DER */
    struct ec_signer *signer;
};
struct mill_euiccs {
    struct mill_euicc *v;
    size_t n;
};
void mill_euiccs_make(const struct site *s, size_t n, struct mill_euiccs *out);
void mill_euiccs_clear(struct mill_euiccs *l);

enum mill_bpp {
    MILL_BOUND, /* through smdpf_bind: fresh keys, real ciphertext         */
    MILL_SHAPED /* real outline, readable metadata and smdpSign; filling
                   where only the eUICC could tell the difference          */
};
struct mill_order {
    enum mill_bpp how;
    /* Record i is of transactionId i and ICCID i, for eUICC i modulo their
     * number: at least MILL_BATCH, or as many as records. */
    size_t records;
    const struct mill_euiccs *euiccs;
    size_t profile; /* octets of profile elements */
};
#define MILL_BATCH 256

/* A bpp-bundle for the site's station. */
struct mill_bundle {
    char *path;
    size_t records;
    uint64_t octets; /* of all records */
};
void mill_bundle_make(const struct site *s, const struct mill_order *o,
                      struct mill_bundle *out);
void mill_bundle_remove(struct mill_bundle *b);

#endif
