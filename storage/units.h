/* storage/units.h: units (a serial) with their eUICC positions, and what is
 * kept about each: state, receipts, notifications, failures (binding,
 * clause 6). */
#ifndef LINESIDE_STORAGE_UNITS_H
#define LINESIDE_STORAGE_UNITS_H

#include "storage/stock.h"

#define UNIT_SERIAL_MAX 64
#define POSITION_NAME_MAX 32
#define POSITION_MAIN "main"
#define FAILURE_CODE_MAX 64
#define FAILURE_DETAIL_MAX 400

enum euicc_kind { EUICC_UNKNOWN, EUICC_CONSUMER, EUICC_IOT, EUICC_KINDS };
const char *euicc_kind_name(enum euicc_kind k); /* "consumer" */

struct position {
    int64_t id;
    char serial[UNIT_SERIAL_MAX + 1];
    char name[POSITION_NAME_MAX + 1];
    struct eid eid;
    enum position_state state;
    enum euicc_kind kind;
    bool closed;            /* its FPA services are closed for good     */
    int64_t keys_left;      /* unused one-time keys; -1: not known      */
    char last_code[FAILURE_CODE_MAX + 1]; /* why failed or unresolved; "" */
    uint64_t event;         /* of its last change */
    char imei[IMEI_DIGITS + 1]; /* of what its eUICC is in; "": not known */
};
struct position_list {
    struct position *v;
    size_t n;
};
void position_list_clear(struct position_list *l);

/* Register (serial, position, EID), or find it again when all three agree:
 * event only the first time. ERR_CONFLICT, with both values in the text:
 * another EID is known at this position, or this EID under another serial or
 * position, or it was taken out of a unit (boards.h). ERR_USAGE: serial or name empty, too long or not plain text. */
int unit_register(struct tx *tx, const char *serial, const char *name,
                  const struct eid *eid, const struct act *a,
                  struct position *out, struct err *e);

/* All positions of a serial; empty when it is not known. */
int unit_by_serial(struct db *db, const char *serial,
                   struct position_list *out, struct err *e);
int position_by_eid(struct db *db, const struct eid *eid, struct position *out,
                    struct err *e); /* ERR_NOT_FOUND */
int position_by_imei(struct db *db, const char *imei, struct position *out,
                     struct err *e); /* ERR_NOT_FOUND */
int position_get(struct db *db, int64_t position, struct position *out,
                 struct err *e);
/* A unit passes when all its positions have. ERR_NOT_FOUND. */
int unit_passed(struct db *db, const char *serial, bool *passed, struct err *e);
int positions_in_state(struct db *db, enum position_state s,
                       struct position_list *out, struct err *e);

/* Change a->position's state, as stock_move does a BPP's. code: the verdict's,
 * else NULL. The state that it is in with the code that it has: nothing
 * happens. ERR_WRONG_STATE when the table has no such row. */
int position_move(struct tx *tx, const struct act *a, enum position_state to,
                  enum position_cause cause, const char *code, struct err *e);
/* As position_move, telling more of why. All may be NULL. */
struct position_why {
    const char *code;     /* the verdict's                       */
    const char *reason;   /* one line for people                 */
    const char *evidence; /* numbers of events, "12 45 78"       */
};
int position_move_why(struct tx *tx, const struct act *a, enum position_state to,
                      enum position_cause cause, const struct position_why *why,
                      struct err *e);
/* What the card said about itself. keys_left -1: leave as it is. An event
 * only when something changes. */
int position_set_card(struct tx *tx, const struct act *a, enum euicc_kind kind,
                      int64_t keys_left, struct err *e);
/* At the start of `run`, under LOCK_RUN: positions whose BPPs are `loading`
 * become unresolved; the events name the fixture of the load. *n may be
 * NULL. */
int positions_mark_unresolved(struct tx *tx, const char *actor, size_t *n,
                              struct err *e);

/* --- evidence besides results ---------------------------------------------- */

/* A verified receipt of a->position: keys_left (and closed, for 0x73) follow
 * from it. */
struct receipt_info {
    uint8_t function; /* 0x72 or 0x73 */
    uint64_t seq, deleted, left;
    struct span octets; /* verbatim */
};
int receipt_add(struct tx *tx, const struct act *a,
                const struct receipt_info *r, struct err *e);
/* Whether the eUICC that is at the position now has a receipt for this
 * function. */
int receipt_known(struct db *db, int64_t position, uint8_t function,
                  bool *known, struct err *e);

/* A verified notification, before its BF30. One (EID, seq) is kept once: the
 * same again (crash before BF30) is *already = true and no event;
 * ERR_CONFLICT when op or ICCID differ. already may be NULL. A delete marks
 * the installed BPP with this EID and ICCID as deleted (stock_deleted). */
struct notification_info {
    struct eid eid;
    uint64_t seq;
    uint8_t op; /* first octet of NotificationEvent: 0x10 delete */
    bool has_iccid;
    struct iccid iccid;
    struct span octets; /* verbatim */
};
int notification_add(struct tx *tx, const struct act *a,
                     const struct notification_info *n, bool *already,
                     struct err *e);

/* A failure the FPA reports (unreachable or damaged eUICC, FPA error). Text
 * is made plain (control characters become '?') and cut to its maximum. */
struct failure_info {
    const char *code, *detail; /* detail may be NULL */
    const struct eid *eid;     /* NULL: not known */
    const struct txid *txid;   /* NULL: none */
    const char *serial;        /* when a->position is 0; may be NULL */
    const char *position_name; /* likewise */
    int64_t started_at;        /* 0: not known */
};
int failure_add(struct tx *tx, const struct act *a,
                const struct failure_info *f, struct err *e);

#endif
