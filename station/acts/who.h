/* acts/who.h: who acts. An act asks this when it has found out all else, and
 * asks again in its transaction. Where the answer comes from is its caller's: a
 * badge and a PIN at a terminal (station/cmd/actor.h), or a session at the
 * running line (station/control). While a ledger knows nobody, acts of one person
 * need none and are the "engineer"'s. */
#ifndef LINESIDE_ACTS_WHO_H
#define LINESIDE_ACTS_WHO_H

#include "station/people/login.h"
#include "storage/db.h"

#define ACTS_NOBODY_KNOWN "engineer"

/* One person, and the right they acted by. */
struct actor {
    struct session who; /* name ACTS_NOBODY_KNOWN while nobody is known */
    enum right right;
    bool known;
};
/* A tx_fn: they still may. ERR_TRUST: they were blocked meanwhile, have another
 * role, or the ledger knows people since. */
int actor_still(struct tx *tx, void *actor, struct err *e);

struct who {
    /* ERR_TRUST: nobody stands for it, or they may not; or as login(). */
    int (*one)(void *ctx, struct db *db, enum right r, struct actor *out,
               struct err *e);
    /* Two people, for what takes two. ERR_NOT_FOUND: nobody is known. */
    int (*two)(void *ctx, struct db *db, enum right r, struct pair *out,
               struct err *e);
    void *ctx;
};
int who_one(const struct who *w, struct db *db, enum right r, struct actor *out,
            struct err *e);
int who_two(const struct who *w, struct db *db, enum right r, struct pair *out,
            struct err *e);

/* Why, for acts that need a reason: a line of plain text, 1 to ACTS_REASON_MAX
 * octets. NULL: none was given. ERR_USAGE. */
#define ACTS_REASON_MAX 200
int acts_reason(const char *reason, struct err *e);

#endif
