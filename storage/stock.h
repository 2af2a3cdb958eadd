/* storage/stock.h: every BPP is in exactly one of the binding's seven states,
 * and stock_move is the only function that changes one: it looks the change
 * up in stock_transitions, moves the bundle's counters and appends the event,
 * all in the caller's transaction. What is still being imported is visible to
 * nothing here. */
#ifndef LINESIDE_STORAGE_STOCK_H
#define LINESIDE_STORAGE_STOCK_H

#include "storage/db.h"
#include "storage/states.h"

/* Who acts, and where. All borrowed; position 0: no unit known. */
struct act {
    const char *actor;   /* "line", a person's name  */
    const char *fixture; /* NULL or a fixture's name */
    int64_t position;    /* units.h, 0 if none       */
    const char *second;  /* NULL, or the other one of two people */
};

#define STOCK_TEXT_MAX 256  /* octets of a name or provider: SGP.22 allows
                             * 64 characters of UTF-8 */
#define STOCK_BUNDLE_MAX 36 /* a container's id             */
#define STOCK_OID_MAX 63
#define STOCK_FIXTURE_MAX 63

struct bpp_info {
    int64_t id;
    struct txid txid;
    struct eid eid;
    struct iccid iccid;
    char name[STOCK_TEXT_MAX + 1];
    char provider[STOCK_TEXT_MAX + 1];
    char bundle[STOCK_BUNDLE_MAX + 1]; /* container id */
    char smdp_oid[STOCK_OID_MAX + 1];
    int profile_class;    /* SGP.22 5.5.3; -1: not known */
    bool delete_notified; /* a return of this profile can be proven */
    bool deleted;         /* installed, then deleted: still installed */
    bool given_up;        /* voided by two people: nothing replaces it */
    enum bpp_state state;
    unsigned attempts;    /* loads begun */
    int64_t position;     /* last act's, 0 if none */
    char fixture[STOCK_FIXTURE_MAX + 1]; /* last act's */
    uint64_t event;       /* number of its last event (its bundle's, if none) */
    uint64_t import_event; /* its bundle's */
};

/* Owned array; {NULL, 0} is empty. */
struct bpp_list {
    struct bpp_info *v;
    size_t n;
};
void bpp_list_clear(struct bpp_list *l);

/* --- changes --------------------------------------------------------------- */

/* What an act leaves behind. All may be empty. */
struct stock_evidence {
    struct span octets; /* BF37, verbatim */
    const char *reason; /* one line for people and the report, NULL: none */
    int64_t started_at; /* of the load; 0: its CAUSE_LOAD event's time */
};

/* Change one BPP's state. ERR_WRONG_STATE when the table has no such row;
 * ERR_NOT_FOUND; ERR_FORMAT when installed or failed comes without a BF37.
 * ev may be NULL. Installed, failed, quarantined and voided leave a row of
 * evidence (exports.h). The verbs below are this and nothing more. */
int stock_move(struct tx *tx, int64_t bpp, enum bpp_state to,
               enum stock_cause cause, const struct act *a,
               const struct stock_evidence *ev, struct err *e);

/* Reserve all in-stock BPPs of this eUICC, in bundle order (order of import,
 * then of record). *out is replaced; empty when there are none. */
int stock_reserve(struct tx *tx, const struct eid *eid, const struct act *a,
                  struct bpp_list *out, struct err *e);
/* Durable point 1: make this durable before the first ES8f octet. Counts an
 * attempt. */
int stock_load(struct tx *tx, int64_t bpp, const struct act *a, struct err *e);
/* Durable point 2. cause: CAUSE_RESULT or CAUSE_EVIDENCE_FOUND. */
int stock_result(struct tx *tx, int64_t bpp, bool installed,
                 enum stock_cause cause, struct span bf37,
                 const struct act *a, struct err *e);
/* cause: CAUSE_RELEASED or CAUSE_LEFTOVER (from reserved), CAUSE_KEY_UNUSED
 * (from loading). */
int stock_return(struct tx *tx, int64_t bpp, enum stock_cause cause,
                 const struct act *a, struct err *e);
int stock_quarantine(struct tx *tx, int64_t bpp, const char *reason,
                     const struct act *a, struct err *e);
int stock_void(struct tx *tx, int64_t bpp, const char *reason,
               struct span bf37 /* may be empty */, const struct act *a,
               struct err *e);
/* An installed profile was deleted (the signed notification is kept with
 * notification_add). Stays installed, counts as "of which deleted". A second
 * time changes nothing. */
int stock_deleted(struct tx *tx, int64_t bpp, const struct act *a,
                  struct err *e);
/* At the start of `run`, under LOCK_RUN: reserved BPPs go back to stock; the
 * events name fixture and position of the visit that had reserved them.
 * *released may be NULL. */
int stock_release_leftovers(struct tx *tx, const char *actor, size_t *released,
                            struct err *e);

/* --- questions ------------------------------------------------------------- */

int stock_get(struct db *db, int64_t bpp, struct bpp_info *out, struct err *e);
int stock_by_txid(struct db *db, const struct txid *t, struct bpp_info *out,
                  struct err *e); /* ERR_NOT_FOUND */
/* All BPPs of an eUICC in any state, in bundle order (for ALREADY DONE). */
int stock_of_eid(struct db *db, const struct eid *eid, struct bpp_list *out,
                 struct err *e);
/* Those in `loading`: unresolved after a crash. */
int stock_loading(struct db *db, struct bpp_list *out, struct err *e);

/* The bpp-bundle record, DER, as it was imported. *out is replaced. */
int stock_record(struct db *db, int64_t bpp, struct buf *out, struct err *e);
/* The chains its record's indices name: concatenated DER, leaf first. Either
 * may be NULL. */
int stock_chains(struct db *db, int64_t bpp, struct buf *eum, struct buf *dp,
                 struct err *e);
/* BF37 kept for it, whole; ERR_NOT_FOUND when there is none. */
int stock_bf37(struct db *db, int64_t bpp, struct buf *out, struct err *e);

/* --- the balance ----------------------------------------------------------- */

struct stock_balance {
    uint64_t received;
    uint64_t by_state[BPP_STATES];
    uint64_t deleted; /* of the installed ones */
};
/* received = the sum of the seven, deleted <= installed. */
bool stock_balance_ok(const struct stock_balance *b);

struct bundle_balance {
    char id[STOCK_BUNDLE_MAX + 1];
    char smdp_oid[STOCK_OID_MAX + 1];
    char issuer[STOCK_OID_MAX + 1];
    uint64_t sequence;
    uint8_t manifest_sha256[32];
    int64_t created_at, not_after;
    uint64_t event;         /* its import */
    struct stock_balance b;
    uint64_t unexported;    /* its evidence no loading report carries yet */
};
struct bundle_balances {
    struct bundle_balance *v;
    size_t n;
};
void bundle_balances_clear(struct bundle_balances *l);
/* Live bundles in order of import, from the maintained counters. */
int stock_balances(struct db *db, struct bundle_balances *out, struct err *e);

/* Count again, from the BPP rows and from the events, and compare with the
 * counters. ERR_CONFLICT names the bundle and the figures that differ. Reads
 * everything: for tests and for those who ask. */
int stock_cross_check(struct db *db, struct err *e);

#endif
