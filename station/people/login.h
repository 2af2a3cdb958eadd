/* people/login.h: badge and PIN make a session. */
#ifndef LINESIDE_PEOPLE_LOGIN_H
#define LINESIDE_PEOPLE_LOGIN_H

#include "station/people/rights.h"

struct session {
    int64_t person;
    char name[PERSON_NAME_MAX + 1];
    enum role role;
};

/* Verify badge and PIN against the ledger, with lock-out. ERR_TRUST: they do
 * not go together: the same words and about the same work for a wrong PIN, a
 * badge that nobody has, and a person who is blocked; event "login-failed"
 * says which. ERR_WRONG_STATE: too early after failures. db must be writable
 * and in no transaction: the PIN is hashed outside of any. */
int login(struct db *db, const char *badge, const char *pin, struct session *out,
          struct err *e);

/* ERR_TRUST, with who may, when this session may not; also when the right takes
 * two people (pair_may). */
int session_may(const struct session *s, enum right r, struct err *e);
/* As session_may, by what the ledger holds now: for acts that took a person's
 * time since the login, inside their transaction. Also ERR_TRUST when the
 * person was blocked meanwhile. */
int session_still(struct db *db, const struct session *s, enum right r,
                  struct err *e);

/* Two people who stand for one act. The first is its event's actor, the other
 * its field "second". */
struct pair {
    struct session first, second;
};
/* They are two, each may be one of the two, and at least one has the right
 * itself: else ERR_TRUST, with who may. */
int pair_may(const struct pair *p, enum right r, struct err *e);
/* As session_still, for both. */
int pair_still(struct db *db, const struct pair *p, enum right r, struct err *e);

#endif
