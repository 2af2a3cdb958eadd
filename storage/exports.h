/* storage/exports.h: what leaves the station, and what has not yet left it. */
#ifndef LINESIDE_STORAGE_EXPORTS_H
#define LINESIDE_STORAGE_EXPORTS_H

#include "storage/events.h"
#include "storage/stock.h"
#include "storage/units.h"

enum export_kind { /* numbers are stored: never renumber */
    EXPORT_LOADING_REPORT = 1,
    EXPORT_AUDIT_LOG = 2,
    EXPORT_BPP_REQUEST = 3, /* keys.h; its sequence here counts all of them */
    EXPORT_SHIFT_RECORD = 4 /* its sequence is the shift's number */
};

/* One export made. Clear with export_clear. */
struct export_info {
    char id[STOCK_BUNDLE_MAX + 1]; /* UUID */
    enum export_kind kind;
    uint64_t sequence;             /* from 1, per kind */
    uint64_t first_event, last_event; /* 0,0: none */
    uint8_t head_before[EVENT_HASH], head_after[EVENT_HASH];
    uint8_t manifest_sha256[32];
    int64_t created_at;
    char directory[128];           /* its name, not its path */
    struct buf manifest;           /* manifest.cms, verbatim */
};
void export_clear(struct export_info *x);

/* The last one of this kind; ERR_NOT_FOUND: none yet. *out is replaced. */
int export_last(struct db *db, enum export_kind k, struct export_info *out,
                struct err *e);
int export_by_number(struct db *db, enum export_kind k, uint64_t sequence,
                     struct export_info *out, struct err *e);
int export_by_id(struct db *db, const char *id, struct export_info *out,
                 struct err *e);

/* Keep what was made and sealed: the row and one event. manifest_sha256 is
 * computed here and filled in. ERR_CONFLICT: the sequence or the first event
 * does not follow the last export of this kind (someone else exported
 * meanwhile: read again), or head_after is not the ledger's at last_event. A
 * shift-record follows none: its number and its events are its shift's. A
 * loading-report waits from now on for whom it concerns (receipts.h). */
int export_add(struct tx *tx, struct export_info *x, const char *actor,
               struct err *e);

/* What no export carries yet. */
struct unexported {
    uint64_t results, failures, deletions, receipts, quarantined, voided;
    uint64_t evidence; /* the sum of these and of other notifications */
    uint64_t events;   /* not in an audit-log */
};
int export_pending(struct db *db, struct unexported *out, struct err *e);
/* Its counters against the evidence itself; ERR_CONFLICT: they differ. */
int export_cross_check(struct db *db, struct err *e);

/* --- walking the evidence -------------------------------------------------- */

enum evidence_kind { /* numbers are stored: never renumber */
    EVIDENCE_RESULT = 1,       /* octets: BF37; state: installed or failed  */
    EVIDENCE_FAILURE = 2,      /* code, detail                              */
    EVIDENCE_NOTIFICATION = 3, /* octets; op 0x10: a deletion, with txid when
                                  it is of a BPP in this ledger             */
    EVIDENCE_RECEIPT = 4,      /* octets; function                          */
    EVIDENCE_QUARANTINE = 5,   /* detail: reason                            */
    EVIDENCE_VOID = 6          /* detail: reason; octets: BF37 or empty     */
};

/* Everything borrowed for the call; text is "" and spans are empty where
 * there is nothing. Never changes once written: the same range gives the same
 * items again. */
struct evidence_item {
    uint64_t event;
    int64_t at; /* the event's time */
    enum evidence_kind kind;
    enum bpp_state state; /* RESULT, QUARANTINE, VOID */
    uint8_t op, function;
    bool has_eid, has_txid, has_iccid;
    struct eid eid;
    struct txid txid;
    struct iccid iccid;
    struct span octets;
    struct span record;    /* bpp-bundle record of the BPP, or for a receipt or
                              notification of any live BPP of this EID (for
                              CERT.EUICC); empty if none */
    struct span eum_chain; /* that record's, concatenated DER */
    const char *bundle;    /* container id */
    const char *serial, *position, *fixture;
    int64_t started_at, finished_at; /* 0: not known */
    const char *code, *detail;
    const char *imei; /* of the position, as it was known then */
};
typedef int evidence_fn(void *ctx, const struct evidence_item *i,
                        struct err *e);
/* Evidence of events first..last (last 0: to the newest) in event order. Call
 * inside db_snapshot together with event_head and stock_balances, so that the
 * report, its totals and its head are of one moment. */
int evidence_walk(struct db *db, uint64_t first, uint64_t last,
                  evidence_fn *fn, void *ctx, struct err *e);

#endif
