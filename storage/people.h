/* storage/people.h: who works at this station: badge, name, role, and what is
 * held of the PIN. A badge is kept as its SHA-256 only: it is looked up by
 * equality and never printed, and an employee's number is nobody's business
 * in a backup. (Whoever can guess a badge can check the guess; a badge is no
 * secret, the PIN is.) The PIN itself is nowhere, and no event says anything
 * of it but that it changed. Rights are station/people/rights.h. */
#ifndef LINESIDE_STORAGE_PEOPLE_H
#define LINESIDE_STORAGE_PEOPLE_H

#include "storage/db.h"

#define PERSON_NAME_MAX 63
#define BADGE_MIN 4
#define BADGE_MAX 63
#define BADGE_HASH 32

/* The numbers are in the ledger. */
enum role {
    ROLE_OPERATOR = 0,
    ROLE_ENGINEER = 1,
    ROLE_SUPERVISOR = 2,
    ROLE_AUDITOR = 3,
    ROLES
};
extern const char *const role_names[ROLES];
/* ERR_USAGE: no such role (the sentence lists them). */
int role_parse(const char *word, enum role *out, struct err *e);

/* 1 to 63 octets of plain text, without blanks at its ends, and none of the
 * actors that are no person ("engineer", "station", ...): ERR_USAGE. */
int person_name_check(const char *name, struct err *e);
/* 4 to 63 printable ASCII characters without blanks: ERR_USAGE. */
int badge_hash(const char *badge, uint8_t out[BADGE_HASH], struct err *e);

/* What is held of a PIN: scrypt, with its parameters. */
struct pin_hash {
    uint8_t salt[16], hash[32];
    int log_n, r, p; /* N is 2^log_n */
};

struct person {
    int64_t id; /* of its row */
    char name[PERSON_NAME_MAX + 1];
    enum role role;
    bool blocked;
    uint64_t recovered; /* number of the latest event "people-recovered" of
                           this person; 0: none */
};
struct people {
    struct person *v; /* by name */
    size_t n;
};
int people_get(struct db *db, struct people *out, struct err *e);
void people_clear(struct people *p);
/* Whether this ledger knows anyone. */
int people_any(struct db *db, bool *out, struct err *e);
/* pin may be NULL. 1 found, 0 not, -1 error. */
int person_by_name(struct db *db, const char *name, struct person *out,
                   struct err *e);
int person_by_badge(struct db *db, const uint8_t badge[BADGE_HASH],
                    struct person *out, struct pin_hash *pin, struct err *e);

struct person_new {
    const char *name;
    enum role role;
    const uint8_t *badge; /* BADGE_HASH octets */
    const struct pin_hash *pin;
};
/* Event "person-added". actor NULL: the first of this ledger, who becomes a
 * supervisor and is the actor; ERR_WRONG_STATE when there is anyone already,
 * ERR_USAGE when the role is another. ERR_CONFLICT: the name or the badge is
 * another's. */
int person_add(struct tx *tx, const struct person_new *n, const char *actor,
               struct err *e);
/* Events "person-changed", "person-blocked" or "person-unblocked",
 * "badge-changed", "pin-changed". ERR_NOT_FOUND: nobody is called so.
 * ERR_WRONG_STATE: no active supervisor would be left. To what is so already:
 * nothing happens. A new PIN ends the lock-out. */
int person_set_role(struct tx *tx, const char *name, enum role role,
                    const char *actor, struct err *e);
int person_set_blocked(struct tx *tx, const char *name, bool blocked,
                       const char *actor, struct err *e);
int person_set_badge(struct tx *tx, const char *name,
                     const uint8_t badge[BADGE_HASH], const char *actor,
                     struct err *e);
int person_set_pin(struct tx *tx, const char *name, const struct pin_hash *pin,
                   const char *actor, struct err *e);
/* The way back (docs/people.md): n->name is an active supervisor with this
 * badge and PIN afterwards, whoever it was before; event "people-recovered",
 * actor "console". ERR_WRONG_STATE: this ledger knows nobody, so there is
 * nothing to recover. */
int people_recover(struct tx *tx, const struct person_new *n,
                   const char *terminal, struct err *e);

/* --- tries ------------------------------------------------------------------
 * Every badge has its tries, also one that nobody has: what a stranger sees
 * must not tell which badges there are. The first two failures in a row cost
 * nothing; each one after doubles the wait, up to LOGIN_WAIT_MAX_S. */

#define LOGIN_FREE_FAILURES 2
#define LOGIN_WAIT_MAX_S 900
/* How many badges that nobody has are remembered; the oldest goes. */
#define LOGIN_STRANGERS_MAX 256
/* Strangers' failures are told together, at most one event in this time: a
 * script must not be able to flood the ledger. */
#define LOGIN_STRANGER_EVENT_S 60

/* Seconds after the failure of this number, counted from 1. */
int64_t login_wait_s(int64_t failures);

/* Charge a try before it is judged: tries side by side, or a process that is
 * killed before it tells of the failure, win nothing. *wait_until: 0, or when
 * the next try is looked at: this one was too early and is not charged.
 *
 * The time is the machine's clock, or the ledger's floor when that is later:
 * a restart or a clock set back never shortens a wait (it begins anew). It is
 * not cut off 30 days after the floor like the ledger's time, which then
 * stands still, and a wait would never end. */
int login_charge(struct tx *tx, const uint8_t badge[BADGE_HASH],
                 int64_t *wait_until, struct err *e);
/* The try was good: the count begins anew. */
int login_clear(struct tx *tx, const uint8_t badge[BADGE_HASH], struct err *e);
/* The try failed: event "login-failed". person NULL: nobody has this badge. */
int login_failed(struct tx *tx, const uint8_t badge[BADGE_HASH],
                 const struct person *person, const char *reason,
                 struct err *e);

#endif
