/* container/report_record.h: the records of a loading-report (LoadingRecord in
 * docs/formats/lineside.asn1). Each is a fact with the octets that prove it,
 * verbatim, and the number of the event that recorded it; all that changes a
 * bundle's totals is here, so that the totals can be counted from records. */
#ifndef LINESIDE_CONTAINER_REPORT_RECORD_H
#define LINESIDE_CONTAINER_REPORT_RECORD_H

#include "station/base/err.h"
#include "station/base/span.h"
#include "station/ifpp/tlv.h"

enum report_kind {
    REPORT_RESULT,      /* [0] the eUICC's signed BF37, installed or not      */
    REPORT_FAILURE,     /* [1] what the FPA saw; no eUICC signed it           */
    REPORT_DELETION,    /* [2] an installed profile deleted, with its signed
                               notification                                   */
    REPORT_RECEIPT,     /* [3] BF72 or BF73 done, with the signed receipt     */
    REPORT_VOIDED,      /* [4] a BPP that can never load: its key is gone by
                               no act of this station                         */
    REPORT_QUARANTINED, /* [5] consumed without evidence                      */
    REPORT_KINDS
};
const char *report_kind_name(enum report_kind k); /* "result" */

#define REPORT_TEXT_MAX 512 /* octets of any text in a record */

/* One struct for all kinds; report_record.c has the table of which kind
 * carries what. Spans are borrowed; an empty span is: absent (optional ones)
 * or empty (text). Text is UTF-8 without control characters. */
struct report_record {
    enum report_kind kind;
    uint64_t event;           /* all: number of the event, from 1          */
    int64_t at;               /* all but result                            */
    int64_t started_at;       /* result                                    */
    int64_t finished_at;      /* result                                    */
    struct span bundle_id;    /* result, deletion, voided, quarantined     */
    struct span txid;         /* 16: deletion, voided, quarantined; failure
                                 where known                               */
    struct span serial;       /* result, deletion, receipt; failure where
                                 known                                     */
    struct span position;     /* as serial                                 */
    struct span fixture;      /* result, deletion, receipt, failure        */
    struct span code;         /* failure: "no-card", a stable word         */
    struct span detail;       /* failure: one sentence, may be empty       */
    struct span reason;       /* voided, quarantined: a stable word        */
    struct span eid;          /* 16: failure where known                   */
    uint64_t eum_chain;       /* index into the manifest's eum_chains, with
                                 certificate                               */
    struct span certificate;  /* CERT.EUICC, whole: result, deletion,
                                 receipt                                   */
    struct span bf37;         /* whole: result; voided where known         */
    struct span notification; /* whole 30 {BF2F, 5F37, cert, cert}:
                                 deletion                                  */
    struct span receipt;      /* whole BF72 or BF73 as the card gave it:
                                 receipt                                   */
    struct span imei;         /* 15 digits, where known: result, failure,
                                 deletion, receipt                         */
};

/* Append the record's DER. ERR_FORMAT names the member that is not as it must
 * be; *out then holds what it held before. */
int report_record_encode(const struct report_record *r, struct buf *out,
                         struct err *e);

/* Exactly one record, nothing after it. Spans point into der; *out untouched
 * on failure. What the verbatim parts say is not looked at: evidence.h. */
int report_record_decode(struct span der, struct report_record *out,
                         struct err *e);

#endif
