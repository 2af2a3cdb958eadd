/* storage/receipts.h: who has acknowledged which loading-report. A report
 * concerns each SM-DPf of whose BPPs it has a record; each acknowledges it with
 * a report-receipt of its own, once. */
#ifndef LINESIDE_STORAGE_RECEIPTS_H
#define LINESIDE_STORAGE_RECEIPTS_H

#include "storage/bundles.h"
#include "storage/exports.h"

/* A proven receipt: signature, signer on the allow-list, for this station.
 * seen.issuer is the SM-DPf's OID. All borrowed. */
struct report_receipt {
    struct container_seen seen;
    const char *report;           /* its UUID   */
    uint64_t sequence;            /* its number */
    const uint8_t *report_sha256; /* of its manifest.cms, 32 octets */
    uint64_t records;             /* of it about this SM-DPf's BPPs */
    uint64_t accepted;            /* of these   */
};

struct report_acknowledged {
    uint64_t event;
    uint64_t waiting; /* SM-DPfs that are waited for to acknowledge that report */
    uint64_t missing; /* as in import_summary */
};

/* Keep it: the container, the report's state and event "report-acknowledged".
 * ERR_REPLAY: this id was seen before, or this SM-DPf has acknowledged that
 * report. ERR_NOT_FOUND: no such report. ERR_CONFLICT: that report has another
 * hash or number, has no record about a BPP of this SM-DPf, or another number
 * of them. */
int report_acknowledge(struct tx *tx, const struct report_receipt *r,
                       const char *actor, struct report_acknowledged *out,
                       struct err *e);

/* A loading-report and one SM-DPf that it concerns. A report that concerns
 * nobody is one row without SM-DPf: nobody needs to acknowledge it. */
struct report_row {
    char id[STOCK_BUNDLE_MAX + 1];
    uint64_t sequence, first_event, last_event;
    int64_t created_at;
    char smdp_oid[STOCK_OID_MAX + 1]; /* "": it concerns nobody */
    uint64_t records;                 /* about its BPPs         */
    bool acknowledged;
    bool expected; /* a receipt of it would be taken: it is on the allow-list */
    uint64_t accepted;                /* once acknowledged      */
    char receipt[STOCK_BUNDLE_MAX + 1];
    int64_t acknowledged_at;
};
struct report_rows {
    struct report_row *v; /* by number, then by OID */
    size_t n;
};
void report_rows_clear(struct report_rows *l);
/* Of the newest `limit` reports (0: all) with a number below `before` (0: any);
 * open: of those that somebody on the allow-list has not acknowledged. *out is
 * replaced. */
int report_rows(struct db *db, bool open, uint64_t before, unsigned limit,
                struct report_rows *out, struct err *e);

/* Reports that somebody they concern has not acknowledged. An SM-DPf that is not on
 * the allow-list any more is not waited for: no receipt of it would be taken. It is
 * waited for again when it is back on the list. */
struct reports_open {
    uint64_t never;   /* reports that nobody is waited for, and yet somebody has not
                         acknowledged; not among `reports` */
    uint64_t reports;
    int64_t since; /* when the oldest was made; 0: there is none */
    int64_t age_s; /* since then, by the ledger's clock          */
};
int reports_open(struct db *db, struct reports_open *out, struct err *e);

#endif
