/* storage/health.h: how each fixture does: contact problems and cycles, what
 * its last units came to, whether it is stopped, when a golden unit proved it.
 * Counters are written along with a unit's own operations and by no event;
 * what changes how the line works (stop, release, limits, maintenance, golden
 * units) is an event each.
 *
 * Storage keeps; when a fixture stops is line/health.h's rule. */
#ifndef LINESIDE_STORAGE_HEALTH_H
#define LINESIDE_STORAGE_HEALTH_H

#include "storage/db.h"

#define HEALTH_NAME_MAX 63
#define HEALTH_REASON_MAX 255
#define HEALTH_RECENT_MAX 200 /* units that are remembered one by one */

/* --- contacts ---------------------------------------------------------------- */

enum contact_problem { /* the order of the table's columns */
    CONTACT_ATR_MISSING, /* power, and no answer to reset in time           */
    CONTACT_RESET,       /* the card had to be reset in the middle of a unit */
    CONTACT_SLOWER,      /* link errors: one step down in speed             */
    CONTACT_TIMEOUT,     /* a command that was not answered in time         */
    CONTACT_TRANSPORT,   /* the exchange broke: card or reader went away,
                            what came was no answer, no reader there        */
    CONTACT_PROBLEMS
};
extern const char *const contact_names[CONTACT_PROBLEMS]; /* "atr-missing" */

struct contacts {
    uint64_t cycles; /* insertions: visits in which a card answered to reset */
    uint64_t v[CONTACT_PROBLEMS];
};

/* --- one fixture ----------------------------------------------------------------- */

/* An octet of `recent`: what a unit came to for its fixture, and in the low
 * bits its contact problems, at most RECENT_PROBLEMS. */
#define RECENT_GOOD 0x80
#define RECENT_BAD 0x40 /* neither: it says nothing of the fixture */
#define RECENT_PROBLEMS 0x3F

struct fixture_health {
    /* Its place on the bus, which keeps its history whatever it is called; a
     * bench fixture's name. */
    char fixture[HEALTH_NAME_MAX + 1];
    char name[HEALTH_NAME_MAX + 1]; /* what it was called last */
    struct contacts all;            /* since it is known here  */
    uint64_t serviced_at;           /* cycles at its last maintenance */
    uint64_t cycle_limit;           /* of cycles between two; 0: none */
    bool due;                       /* the limit is reached, and that was told */
    bool stopped;
    char reason[HEALTH_REASON_MAX + 1]; /* why, while stopped */
    unsigned in_row;                /* failures since the last good unit, or
                                       since it was released            */
    unsigned judged;                /* units that count since then, at most
                                       HEALTH_RECENT_MAX                */
    size_t recent_n;
    uint8_t recent[HEALTH_RECENT_MAX]; /* newest last */
    /* How long each of them took, in hundredths of a second; 0: not known, as of
     * those of earlier programs; 65535: that long or longer. */
    uint16_t took[HEALTH_RECENT_MAX];
    int64_t proven_at;              /* by a golden unit; 0: never */
};
struct fixture_healths {
    struct fixture_health *v; /* by fixture */
    size_t n;
};
void fixture_healths_clear(struct fixture_healths *l);

/* What may stand in the table and in events: control octets become '?'. */
void health_name(const char *name, char out[HEALTH_NAME_MAX + 1]);

/* One that is not known is all zero but for its name. */
int health_get(struct db *db, const char *fixture, struct fixture_health *out,
               struct err *e);
int health_all(struct db *db, struct fixture_healths *out, struct err *e);
/* By what it is or was called: its place, its label now, its name. *fixture is
 * filled. ERR_NOT_FOUND: no fixture is called so, neither by the line engineer
 * nor by a line that has run here. */
int health_find(struct db *db, const char *called,
                char fixture[HEALTH_NAME_MAX + 1], struct err *e);

/* Counters, `recent`, in_row and judged: no event. The rest is left as the
 * table has it. */
int health_keep(struct tx *tx, const struct fixture_health *h, struct err *e);
/* Event "fixture-stopped". Harmless twice. cause: "failures", "yield". */
int health_stop(struct tx *tx, const struct fixture_health *h, const char *cause,
                const char *reason, const char *actor, struct err *e);
/* Event "fixture-released"; what it did before counts no more. cause:
 * "person", "golden". ERR_WRONG_STATE: it is not stopped. */
int health_release(struct tx *tx, const char *fixture, const char *cause,
                   const char *actor, struct err *e);

/* --- maintenance ----------------------------------------------------------------- */

/* Event "fixture-maintenance-limit". 0: none. The limit it has: nothing happens. */
int health_set_limit(struct tx *tx, const char *fixture, uint64_t limit,
                     const char *actor, struct err *e);
/* Event "fixture-maintenance-due", once. */
int health_due(struct tx *tx, const struct fixture_health *h, const char *actor,
               struct err *e);
/* Event "fixture-maintained": its cycles are counted anew. */
int health_maintained(struct tx *tx, const char *fixture, const char *actor,
                      struct err *e);

/* --- limits ---------------------------------------------------------------------- */

struct health_limits {
    unsigned failures;     /* that many in a row stop a fixture; 0: none do     */
    unsigned yield;        /* per cent; fewer good ones stop it; 0: never       */
    unsigned units;        /* ... of the last so many                          */
    unsigned golden_hours; /* a golden unit must have passed within; 0: no need */
};
#define HEALTH_LIMITS_DEFAULT ((struct health_limits){ 3, 70, 20, 0 })
#define HEALTH_FAILURES_MAX 100
#define HEALTH_UNITS_MAX 100
#define HEALTH_HOURS_MAX 8760

int health_limits(struct db *db, struct health_limits *out, struct err *e);
/* Event "fixture-limits-set". Those there are: nothing happens. ERR_USAGE:
 * beyond the bounds above. */
int health_limits_set(struct tx *tx, const struct health_limits *l,
                      const char *actor, struct err *e);

/* --- golden units ------------------------------------------------------------------ */

/* Event "golden-marked" or "golden-unmarked". ERR_CONFLICT: it is registered as
 * a unit, or is golden already; ERR_NOT_FOUND: it is not golden. */
int golden_mark(struct tx *tx, const struct eid *eid, const char *actor,
                struct err *e);
int golden_unmark(struct tx *tx, const struct eid *eid, const char *actor,
                  struct err *e);
int golden_known(struct db *db, const struct eid *eid, bool *known,
                 struct err *e);
struct golden_list {
    struct eid *v;
    size_t n;
};
void golden_list_clear(struct golden_list *l);
int golden_all(struct db *db, struct golden_list *out, struct err *e);

/* What its self-test found. */
struct golden_test {
    struct eid eid;
    uint64_t apdus;     /* in the round trips that were timed: EID reads */
    uint64_t mean_us, most_us; /* of one round trip       */
    uint8_t speed;      /* TA1 form, in force; 0: not known */
    const char *code;   /* of a failure; NULL: it passed  */
    const char *detail; /* likewise; may be NULL          */
};
/* Event "golden-passed": proves the fixture, and releases it (health_release)
 * when it is stopped. With a code "golden-failed": proves nothing. */
int golden_tested(struct tx *tx, const struct fixture_health *h,
                  const struct golden_test *t, const char *actor, struct err *e);

#endif
