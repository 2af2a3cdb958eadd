/* container/manifest.h: the content of manifest.cms (binding, clause 5;
 * docs/formats/lineside.asn1). One C struct for all kinds; the kind says
 * which part is filled. Encoding and decoding go through OpenSSL ASN.1
 * templates (manifest_asn1.h). */
#ifndef LINESIDE_CONTAINER_MANIFEST_H
#define LINESIDE_CONTAINER_MANIFEST_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/base/span.h"
#include "station/ifpp/cert.h"
#include "station/ifpp/order.h"

#define MANIFEST_MAX (4 * 1024 * 1024)
#define SEGMENT_MAX (1024ll * 1024 * 1024)
#define RECORD_MAX (1024 * 1024)
#define UUID_LEN 36
/* Bounds of the lists in a manifest. */
#define MANIFEST_SEGMENTS_MAX 4096
#define MANIFEST_RECIPIENTS_MAX 1024
#define MANIFEST_CHAINS_MAX 256
#define MANIFEST_KEYS_MAX 1024  /* key_recipients              */
#define MANIFEST_ROOTS_MAX 32   /* ci_roots                    */
#define MANIFEST_SMDP_MAX 1024  /* allowed_smdp                */
#define MANIFEST_TOTALS_MAX 16384
#define MANIFEST_INFO2_MAX 4096
#define MANIFEST_TEXT_MAX 64   /* msp, profile: octets */

enum container_kind {
    KIND_EUICC_DATA,
    KIND_BPP_BUNDLE,
    KIND_STATION_CSR,
    KIND_STATION_CERT,
    KIND_LOADING_REPORT,
    KIND_AUDIT_LOG,
    KIND_BPP_REQUEST,
    KIND_WORK_ORDER,
    KIND_REPORT_RECEIPT,
    KIND_SHIFT_RECORD,
    KIND_BACKUP,
    KIND_COUNT
};
const char *kind_name(enum container_kind k); /* "bpp-bundle" */
int kind_parse(const char *name, enum container_kind *out);

/* Owned list of owned octet strings. */
struct blobs {
    struct buf *v;
    size_t n;
};
int blobs_add(struct blobs *b, struct span s); /* copies; 0 or -1 */
void blobs_clear(struct blobs *b);

enum recipients_kind {
    RCPT_STATIONS, /* key ids, 32 octets each                          */
    RCPT_SITE,     /* one site id that station certificates carry      */
    RCPT_PARTIES   /* registeredIDs or serialNumbers (out of a station) */
};
struct recipients {
    enum recipients_kind kind;
    struct blobs list; /* octets or UTF-8 by kind */
};

struct segment_entry {
    char name[24];   /* "segment-00001.der" */
    uint64_t size;   /* octets  */
    uint64_t records;
    uint8_t sha256[32];
};

/* "segment-00001.der" for index 0. Returns out. */
char *segment_name(size_t index, char out[24]);

/* A bundle as a report counts it: the binding's seven states. */
struct bundle_totals {
    char id[UUID_LEN + 1];
    char smdp_oid[REGISTERED_ID_MAX + 1];
    uint8_t manifest_sha256[32]; /* of its manifest.cms */
    uint64_t received, in_stock, reserved, loading, installed, failed,
        quarantined, voided;
    uint64_t deleted; /* of the installed ones */
};

/* A shift: who opened and closed it, and when. Its number is the manifest's
 * sequence. */
#define MANIFEST_SHIFT_NAME_MAX 63
#define MANIFEST_ACTOR_MAX 128 /* as in an event */
struct manifest_shift {
    char name[MANIFEST_SHIFT_NAME_MAX + 1]; /* "" if it has none */
    char opened_by[MANIFEST_ACTOR_MAX + 1], closed_by[MANIFEST_ACTOR_MAX + 1];
    int64_t opened_at, closed_at;
};

/* What an SM-DPf, the issuer, made of a loading-report. */
struct manifest_receipt {
    char report_id[UUID_LEN + 1];
    uint64_t report_sequence;
    uint8_t report_sha256[32]; /* of its manifest.cms */
    uint64_t records;  /* of it that bear the transactionId of a BPP of the issuer */
    uint64_t accepted; /* of these */
};

struct manifest {
    uint64_t version; /* 1 */
    enum container_kind kind;
    char id[UUID_LEN + 1]; /* lower-case UUID */
    char issuer[REGISTERED_ID_MAX + 1];
    struct recipients recipients;
    uint64_t sequence; /* from 1, per issuer and recipient list */
    int64_t created_at;
    int64_t not_after;
    struct segment_entry *segments;
    size_t segment_count;

    /* bpp-bundle: chains are concatenated DER, leaf first.
     *   eum_chains: EUM certificate (and sub-CAs); dp_chains: DPpb first.
     * euicc-data: eum_chains has one entry; info2 and key_recipients.
     * loading-report, bpp-request: eum_chains for CERT.EUICC in records. */
    struct blobs eum_chains;
    struct blobs dp_chains;
    struct buf info2;              /* euicc-data: BF22, whole            */
    struct blobs key_recipients;   /* euicc-data: OID text, per key no.  */

    /* station-csr: PKCS#10, DER. Site wished for, may be empty. */
    struct buf csr;
    char site[REGISTERED_ID_MAX + 1]; /* station-csr, station-cert */

    /* station-cert */
    struct buf station_chain;      /* station certificate first, DER     */
    struct blobs ci_roots;         /* DER */
    struct blobs allowed_smdp;     /* OID text */
    struct buf recovery_chain;     /* recovery certificate first; may be empty */

    /* loading-report, audit-log, shift-record, backup: events first..last (0,0:
     * none) */
    uint64_t first_event, last_event;
    uint8_t head_before[32], head_after[32]; /* all zero before event 1 */
    bool has_previous_report, has_previous_audit;
    uint8_t previous_report[32], previous_audit[32]; /* SHA-256 of manifest.cms */
    struct bundle_totals *totals;  /* loading-report: cumulative at last_event */
    size_t totals_count;

    struct order_spec *order;      /* work-order: owned; else NULL       */

    struct manifest_receipt receipt; /* report-receipt */

    /* bpp-request: one profile is wanted for each of so many keys, of this
     * MSP and of this name; "": the SM-DPf knows which. */
    uint64_t keys_offered;
    char msp[MANIFEST_TEXT_MAX + 1], profile[MANIFEST_TEXT_MAX + 1];

    /* shift-record: its events, as above, and */
    struct manifest_shift shift;

    /* backup: what the records hold, once they are opened */
    uint64_t epoch;              /* from 1; each restore begins the next */
    uint64_t ledger_size;        /* octets of ledger.db */
    uint8_t ledger_sha256[32];
    uint8_t recovery_key_id[32]; /* whose key opens them */
};

void manifest_init(struct manifest *m);
void manifest_clear(struct manifest *m);
/* Append the DER of the manifest; refuses what manifest_decode would refuse
 * (ERR_FORMAT, ERR_LIMIT). */
int manifest_encode(const struct manifest *m, struct buf *der, struct err *e);
/* DER only, bounded; everything checked that one manifest can show: version,
 * UUID form, segment names in order from 00001, sizes within bounds, times,
 * recipients of a legal shape for the kind, list sizes, totals that add up.
 * *out need not be initialised; it is the caller's to clear only on success. */
int manifest_decode(struct span der, struct manifest *out, struct err *e);

#endif
