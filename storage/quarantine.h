/* storage/quarantine.h: units that are held back because their state is in
 * doubt or because they failed too often at one step, and what two people may
 * do with them. What holds a unit is its position's state (states.h); the
 * failures in a row, and why it is held, are kept beside it, so that no memory
 * of a process is needed to count.
 *
 * BPPs become quarantined by what their eUICC says (stock.h); here they are
 * only listed. */
#ifndef LINESIDE_STORAGE_QUARANTINE_H
#define LINESIDE_STORAGE_QUARANTINE_H

#include "storage/units.h"

#define QUARANTINE_LIMIT_DEFAULT 3
#define QUARANTINE_LIMIT_MAX 20
#define QUARANTINE_REASON_MAX 200
#define QUARANTINE_EVIDENCE_MAX 255
#define QUARANTINE_STEP_MAX 32

/* --- the end of a visit without PASS --------------------------------------- */

enum hold_rule {
    HOLD_NOT,    /* says nothing about the unit: neither counted nor forgotten */
    HOLD_COUNTS, /* quarantined with the last of `limit` in a row at one step   */
    HOLD_AT_ONCE /* its state is in doubt                                      */
};
struct visit_end {
    const char *code; /* verdict's              */
    const char *step; /* of the recipe; HOLD_COUNTS */
    enum hold_rule rule;
    bool loading;     /* a BPP of it waits for its eUICC's word */
    uint64_t event;   /* that tells of this failure */
};
/* a->position becomes failed, unresolved or quarantined. Of a visit that two
 * people wanted in order to resolve it, every failure that is not HOLD_NOT
 * quarantines it again. */
int position_fail(struct tx *tx, const struct act *a, const struct visit_end *v,
                  struct err *e);
/* Whether two people want the next visit to decide by what the card says. */
int position_resolving(struct db *db, int64_t position, bool *out, struct err *e);
/* It is done with: failures are forgotten. */
int position_trouble_over(struct tx *tx, int64_t position, struct err *e);

/* Failures in a row at one step: 1 to QUARANTINE_LIMIT_MAX. */
int quarantine_limit(struct db *db, unsigned *out, struct err *e);
/* Event "quarantine-limit-set". ERR_USAGE: out of range. */
int quarantine_set_limit(struct tx *tx, unsigned limit, const char *actor,
                         struct err *e);

/* --- acts of two people (a->actor and a->second) ---------------------------- */

enum hold_act {
    HOLD_RELEASE, /* it goes on like any other unit; failures are forgotten */
    HOLD_RESOLVE, /* its next visit asks the eUICC; also for a unit that is
                     failed or unresolved, for its BPPs' sake */
    HOLD_SCRAP,   /* for good; also one that is failed, unresolved or stocked */
    HOLD_ACTS
};
extern const char *const hold_act_names[HOLD_ACTS]; /* "release" */

struct hold_call {
    enum hold_act what;
    const char *serial;
    const char *reason; /* NULL: none  */
    bool line_stands;   /* LOCK_RUN is the caller's: an open unit is in no
                           fixture, and may be scrapped */
};
/* All positions of the unit that this can be done with; *n how many (may be
 * NULL). ERR_NOT_FOUND: no such unit. ERR_WRONG_STATE: with none of them; the
 * sentence says what they are. */
int quarantine_act(struct tx *tx, const struct act *a, const struct hold_call *c,
                   size_t *n, struct err *e);

/* --- who is held -------------------------------------------------------------- */

struct held_unit {
    struct position p;
    bool resolving; /* out of quarantine, until its eUICC was asked */
    uint64_t event; /* that held it */
    int64_t since;  /* its time     */
    char reason[QUARANTINE_REASON_MAX + 1];
    char fixture[STOCK_FIXTURE_MAX + 1];
    char evidence[QUARANTINE_EVIDENCE_MAX + 1]; /* events, "12 45 78" */
};
struct held_bpp {
    struct bpp_info b;
    int64_t since;
    char serial[UNIT_SERIAL_MAX + 1]; /* "" none known */
    char reason[QUARANTINE_REASON_MAX + 1];
};
/* All of one moment; both lists by their events. */
struct quarantine {
    unsigned limit;
    struct held_unit *units;
    size_t unit_count;
    struct held_bpp *bpps;
    size_t bpp_count;
    uint64_t stranded; /* in stock for eUICCs of scrapped units or of boards
                          that were taken out */
    bool more; /* quarantine_page: older ones are held too */
};
/* The newest `limit` (0: all) that are held by an event before `before` (0: any), units
 * and BPPs together. */
int quarantine_page(struct db *db, uint64_t before, unsigned limit,
                    struct quarantine *out, struct err *e);
/* Everything that is held. */
int quarantine_get(struct db *db, struct quarantine *out, struct err *e);
void quarantine_clear(struct quarantine *q);

#endif
