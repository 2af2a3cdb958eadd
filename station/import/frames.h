/* import/frames.h: what crosses the pipe between the import process and the
 * station (ours, inside one release only: never on a medium).
 *
 * Downwards, once: the trust the importer judges by. Upwards, in order:
 * MANIFEST, then RECORD or KEY..., then END; or ERROR at any point. A frame
 * is type, 4 octets of length, payload. Payloads are DER TLVs, except that
 * the record octets themselves follow unwrapped, so that they are copied
 * once. */
#ifndef LINESIDE_IMPORT_FRAMES_H
#define LINESIDE_IMPORT_FRAMES_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/container/manifest.h"
#include "station/ifpp/bpp.h"

enum frame_type {
    FRAME_TRUST = 'T',
    FRAME_MANIFEST = 'M', /* SHA-256 of manifest.cms (32), length of the
                             Device Manufacturer root (4), that root, then
                             the Manifest, DER */
    FRAME_RECORD = 'R',   /* struct frame_record */
    FRAME_KEYS = 'K',     /* one euicc-data record, proven */
    FRAME_END = 'E',      /* all proven */
    FRAME_ERROR = 'X',    /* code, text */
};
#define FRAME_HEADER 5
/* The largest payload: a manifest with its hashes, or a record. */
#define FRAME_MAX (MANIFEST_MAX + 4096)

struct import_trust {
    uint8_t root_sha256[32];   /* what `init --root` pinned               */
    struct buf dm_root;        /* DER; empty until the first station-cert */
    struct blobs ci_roots;     /* DER */
    struct blobs allowed_smdp; /* OID text */
    int64_t at;                /* the time to judge by */
    unsigned threads;          /* verification threads, at least 1 */
};
void import_trust_clear(struct import_trust *t);
void import_trust_put(struct buf *b, const struct import_trust *t);
int import_trust_parse(struct span in, struct import_trust *t, struct err *e);

/* One proven bpp-bundle record, as the ledger wants it. Spans borrowed. */
struct frame_record {
    struct eid eid;
    struct txid txid;
    struct iccid iccid;
    unsigned eum_chain, dp_chain;
    bool delete_notified;
    char name[BPP_NAME_MAX + 1];
    char provider[BPP_NAME_MAX + 1];
    unsigned profile_class;
    struct span record;
};
void frame_record_put(struct buf *b, const struct frame_record *r);
int frame_record_parse(struct span in, struct frame_record *r, struct err *e);

void frame_put_header(struct buf *b, enum frame_type type, size_t n);
void frame_put_error(struct buf *b, const struct err *why);
int frame_error_parse(struct span in, struct err *why);

/* Blocking, whole frames. frame_read: 1 a frame, 0 end of stream, -1. */
int frame_read(int fd, enum frame_type *type, struct buf *payload,
               struct err *e);
int frame_write(int fd, struct span octets, struct err *e);

#endif
