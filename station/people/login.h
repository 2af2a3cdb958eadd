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

/* ERR_TRUST, with who may, when this session may not. */
int session_may(const struct session *s, enum right r, struct err *e);
/* As session_may, by what the ledger holds now: for acts that took a person's
 * time since the login, inside their transaction. Also ERR_TRUST when the
 * person was blocked meanwhile. */
int session_still(struct db *db, const struct session *s, enum right r,
                  struct err *e);

#endif
