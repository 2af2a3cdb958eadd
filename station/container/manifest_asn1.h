/* container/manifest_asn1.h: docs/formats/lineside.asn1 as C structs for
 * OpenSSL's templates; only manifest_encode.c and manifest_decode.c look in.
 *
 * Certificates and chains are ANY: they are kept and given on as they came,
 * since a signature covers them. Every pointer is owned by the struct it
 * stands in; ASN1_item_new makes and ASN1_item_free frees the whole tree. */
#ifndef LINESIDE_CONTAINER_MANIFEST_ASN1_H
#define LINESIDE_CONTAINER_MANIFEST_ASN1_H

#include "station/container/manifest.h"

#include <openssl/asn1.h>

typedef struct {
    ASN1_UTF8STRING *name;
    uint64_t size;
    uint64_t records;
    ASN1_OCTET_STRING *sha256;
} SEGMENT_DER;
DEFINE_STACK_OF(SEGMENT_DER)
DEFINE_STACK_OF(ASN1_OCTET_STRING)

typedef struct {
    int type; /* enum recipients_kind */
    union {
        STACK_OF(ASN1_OCTET_STRING) *stations;
        ASN1_UTF8STRING *site;
        STACK_OF(ASN1_UTF8STRING) *parties;
    } d;
} RECIPIENTS_DER;

typedef struct {
    ASN1_TYPE *eum_chain;
    ASN1_OCTET_STRING *info2;
    STACK_OF(ASN1_UTF8STRING) *key_recipients;
} EUICC_DATA_DER;

typedef struct {
    STACK_OF(ASN1_TYPE) *eum_chains;
    STACK_OF(ASN1_TYPE) *dp_chains;
} BPP_BUNDLE_DER;

typedef struct {
    ASN1_TYPE *csr;
    ASN1_UTF8STRING *site;
} STATION_CSR_DER;

typedef struct {
    ASN1_TYPE *station_chain;
    ASN1_UTF8STRING *site;
    STACK_OF(ASN1_TYPE) *ci_roots;
    STACK_OF(ASN1_UTF8STRING) *allowed_smdp;
    STACK_OF(ASN1_TYPE) *recovery; /* NULL: absent */
} STATION_CERT_DER;

typedef struct {
    uint64_t first;
    uint64_t last;
    ASN1_OCTET_STRING *head_before;
    ASN1_OCTET_STRING *head_after;
    ASN1_OCTET_STRING *previous_report;
    ASN1_OCTET_STRING *previous_audit;
} EVENT_RANGE_DER;

typedef struct {
    ASN1_UTF8STRING *id;
    ASN1_UTF8STRING *smdp;
    ASN1_OCTET_STRING *manifest_sha256;
    uint64_t received, in_stock, reserved, loading, installed, failed,
        quarantined, voided, deleted;
} BUNDLE_TOTALS_DER;
DEFINE_STACK_OF(BUNDLE_TOTALS_DER)

typedef struct {
    EVENT_RANGE_DER *range;
    STACK_OF(ASN1_TYPE) *eum_chains;
    STACK_OF(BUNDLE_TOTALS_DER) *totals;
} LOADING_REPORT_DER;

typedef struct {
    STACK_OF(ASN1_TYPE) *eum_chains;
    uint64_t keys;
    ASN1_UTF8STRING *msp;
    ASN1_UTF8STRING *profile;
} BPP_REQUEST_DER;

typedef struct {
    ASN1_UTF8STRING *provider;
    ASN1_UTF8STRING *smdp;
    ASN1_UTF8STRING *name;
    ASN1_UTF8STRING *profile_class;
} WANTED_DER;
DEFINE_STACK_OF(WANTED_DER)

typedef struct {
    ASN1_UTF8STRING *position;
    STACK_OF(WANTED_DER) *profiles;
    uint64_t enable; /* 0: absent */
    uint64_t keep;   /* 0: absent */
    ASN1_NULL *connectivity;
} RECIPE_DER;
DEFINE_STACK_OF(RECIPE_DER)

typedef struct {
    ASN1_UTF8STRING *number;
    ASN1_UTF8STRING *product;
    uint64_t quantity;
    ASN1_UTF8STRING *serials;
    STACK_OF(RECIPE_DER) *recipes;
} WORK_ORDER_DER;

typedef struct {
    ASN1_UTF8STRING *report_id;
    uint64_t report_sequence;
    ASN1_OCTET_STRING *report_sha256;
    uint64_t records;
    uint64_t accepted;
} REPORT_RECEIPT_DER;

typedef struct {
    EVENT_RANGE_DER *range;
    ASN1_UTF8STRING *name;
    ASN1_UTF8STRING *opened_by;
    ASN1_GENERALIZEDTIME *opened_at;
    ASN1_UTF8STRING *closed_by;
    ASN1_GENERALIZEDTIME *closed_at;
} SHIFT_RECORD_DER;

typedef struct {
    EVENT_RANGE_DER *range;
    uint64_t epoch;
    uint64_t size;
    ASN1_OCTET_STRING *sha256;
    ASN1_OCTET_STRING *recovery;
} BACKUP_DER;

typedef struct {
    int type; /* enum container_kind */
    union {
        EUICC_DATA_DER *euicc_data;
        BPP_BUNDLE_DER *bpp_bundle;
        STATION_CSR_DER *station_csr;
        STATION_CERT_DER *station_cert;
        LOADING_REPORT_DER *loading_report;
        EVENT_RANGE_DER *audit_log;
        BPP_REQUEST_DER *bpp_request;
        WORK_ORDER_DER *work_order;
        REPORT_RECEIPT_DER *report_receipt;
        SHIFT_RECORD_DER *shift_record;
        BACKUP_DER *backup;
    } d;
} PART_DER;

typedef struct {
    uint64_t version;
    ASN1_UTF8STRING *kind;
    ASN1_UTF8STRING *id;
    ASN1_UTF8STRING *issuer;
    RECIPIENTS_DER *recipients;
    uint64_t sequence;
    ASN1_GENERALIZEDTIME *created_at;
    ASN1_GENERALIZEDTIME *not_after;
    STACK_OF(SEGMENT_DER) *segments;
    PART_DER *part;
} MANIFEST_DER;

DECLARE_ASN1_ITEM(SEGMENT_DER)
DECLARE_ASN1_ITEM(BUNDLE_TOTALS_DER)
DECLARE_ASN1_ITEM(WANTED_DER)
DECLARE_ASN1_ITEM(RECIPE_DER)
DECLARE_ASN1_ITEM(MANIFEST_DER)

/* The item of a kind's own part. k is below KIND_COUNT. */
const ASN1_ITEM *manifest_part_item(enum container_kind k);

/* For AUTO: frees the tree; *d may be NULL. */
void manifest_der_free(MANIFEST_DER **d);

#endif
