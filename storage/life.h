/* storage/life.h: a unit's whole life, for `unit` and screens: who it is, what
 * was ever meant for it, what is kept as proof, and the events that tell it.
 *
 * Everything is found by an index. */
#ifndef LINESIDE_STORAGE_LIFE_H
#define LINESIDE_STORAGE_LIFE_H

#include "storage/events.h"
#include "storage/exports.h"
#include "storage/stock.h"
#include "storage/units.h"

/* --- who ------------------------------------------------------------------- */

enum life_by { LIFE_SERIAL, LIFE_EID, LIFE_ICCID, LIFE_TXID, LIFE_IMEI };

struct life_key {
    enum life_by by;
    const char *serial;  /* borrowed */
    struct eid eid;
    struct iccid iccid;
    struct txid txid;
    char imei[IMEI_DIGITS + 1];
};

/* A unit (serial; also for an eUICC that was taken out of it and is in none
 * now), or an eUICC that no unit has been scanned with yet (eid, serial "").
 * With both, whatever bears either: what is looked for when the ledger has
 * neither registered. */
struct life_subject {
    char serial[UNIT_SERIAL_MAX + 1];
    bool has_eid;
    struct eid eid;
};
struct life_subjects { /* owned; {NULL, 0} is empty */
    struct life_subject *v;
    size_t n;
};
void life_subjects_clear(struct life_subjects *l);

/* Add whom this key names to *l, each only once, also over several calls.
 * None is no error. */
int life_find(struct db *db, const struct life_key *k, struct life_subjects *l,
              struct err *e);

/* --- what ------------------------------------------------------------------ */

struct life_bpp {
    struct bpp_info b;
    int64_t installed_at, deleted_at; /* 0: not, or not known */
};

/* One eUICC of the unit. */
struct life_euicc {
    bool registered;   /* false: in no unit, or taken out of this one; of
                          `position` only eid is set */
    struct position position;
    struct life_bpp *bpps; /* every one in this ledger, in order of import */
    size_t bpp_count;
};

struct life_evidence {
    uint64_t event;
    int64_t at;
    enum evidence_kind kind;
    enum bpp_state state;  /* RESULT, QUARANTINE, VOID */
    uint8_t op, function;  /* NOTIFICATION; RECEIPT    */
    int64_t bpp, position; /* 0: none */
    bool has_eid, has_txid, has_iccid;
    struct eid eid;
    struct txid txid;
    struct iccid iccid;
    size_t size;           /* octets kept; 0: none */
    char fixture[STOCK_FIXTURE_MAX + 1];
    char code[FAILURE_CODE_MAX + 1], detail[FAILURE_DETAIL_MAX + 1];
    /* The loading report that carries it; sequence 0: it waits for one. */
    uint64_t report_sequence;
    char report[STOCK_BUNDLE_MAX + 1];
    /* Whom its record there concerns, and whether they have acknowledged that report
     * (receipts.h); smdp "": nobody, or it was not reported yet. */
    char smdp[STOCK_OID_MAX + 1];
    bool acknowledged, expected;
    char receipt[STOCK_BUNDLE_MAX + 1];
    int64_t acknowledged_at;
};

const char *evidence_kind_name(enum evidence_kind k); /* "receipt" */
/* Kind and what it says: "result: installed". */
const char *life_evidence_what(const struct life_evidence *v);

struct life_event {
    uint64_t number;
    uint8_t hash[EVENT_HASH];
    struct buf der; /* event_decode */
};

struct life {
    char serial[UNIT_SERIAL_MAX + 1]; /* "": no unit */
    bool registered;
    struct life_euicc *euiccs; /* in order of registration, then those that were
                                  taken out */
    size_t euicc_count;
    struct life_evidence *evidence; /* in order of events */
    size_t evidence_count;
    struct life_event *events;      /* in order, the newest last */
    size_t event_count;
};
void life_clear(struct life *l);

/* *out is replaced. ERR_NOT_FOUND: neither rows nor events know the subject.
 * Call inside db_snapshot together with life_find. */
int life_read(struct db *db, const struct life_subject *s, struct life *out,
              struct err *e);

/* Why the eUICC's last visit failed, in the FPA's own words; NULL: it did not,
 * or no words are kept. Borrowed from *l. */
const char *life_failure_words(const struct life *l,
                               const struct life_euicc *u);

#endif
