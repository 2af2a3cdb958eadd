/* A small world on disk, a station that it knows, and eUICCs whose evidence
 * is made with their real keys, so that every kind of report can be written,
 * the wrong ones too. Failures fail the test. */
#ifndef LINESIDE_UNIT_LAB_SMDPF_STAND_H
#define LINESIDE_UNIT_LAB_SMDPF_STAND_H

#include "station/container/manifest.h"
#include "station/container/report_record.h"
#include "tests/lab/smdpf/book.h"
#include "tests/lab/smdpf/produce.h"
#include "tests/lab/world.h"

#define STAND_EUICCS 3
#define STAND_KEYS 4 /* two for each of two SM-DPfs */

struct stand {
    char dir[64];
    struct world w;
    char *euicc_data;      /* container */
    struct sql *book;
    struct holder station; /* certified by the world's Device Manufacturer */
    uint8_t key_id[32];
};
void stand_make(struct stand *s);
void stand_clear(struct stand *s);

/* A station-csr of this key in s->dir; caller frees. */
char *stand_csr(struct stand *s, EVP_PKEY *key, const char *id);

/* What `lineside-lab bind` would order, for s's station. */
struct produce_order stand_order(const struct stand *s);
struct produced stand_bundle(struct stand *s);

/* Row n of `issued`, in order of ICCID. */
struct stand_bpp {
    struct txid txid;
    struct eid eid;
    struct iccid iccid;
};
struct stand_bpp stand_issued(const struct stand *s, int n);
int64_t stand_count(const struct stand *s, const char *sql);

/* Evidence, signed by eUICC `by` (NULL: the BPP's own). */
void stand_bf37(const struct stand *s, const struct stand_bpp *b,
                const struct eid *by, bool installed, uint64_t seq,
                struct buf *out);
void stand_receipt(const struct stand *s, const struct eid *eid,
                   struct buf *out);
void stand_deletion(const struct stand *s, const struct stand_bpp *b,
                    struct buf *out);
/* CERT.EUICC of the chip. */
void stand_cert(const struct stand *s, const struct eid *eid, struct buf *out);

/* A loading-report: records are added, then sealed by the station. */
struct stand_report {
    struct manifest m;
    struct buf records[16];
    size_t n;
};
void stand_report_start(struct stand *s, const struct produced *bundle,
                        uint64_t sequence, struct stand_report *r);
void stand_report_add(struct stand_report *r, const struct report_record *rec);
/* The usual: the BPP's result at this event. */
void stand_report_result(struct stand *s, struct stand_report *r,
                         const struct produced *bundle,
                         const struct stand_bpp *b, const struct eid *by,
                         bool installed, uint64_t event);
/* Seal as `who` (NULL: s's station); the path, caller frees. Clears r. */
char *stand_report_seal(struct stand *s, struct stand_report *r,
                        const struct holder *who);

#endif
