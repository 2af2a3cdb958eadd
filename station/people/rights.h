/* people/rights.h: who may do what: one table, which docs/people.md shows as
 * `lineside people rights` prints it (tests/e2e/docs.sh compares them). An act
 * that no right names needs no badge. */
#ifndef LINESIDE_PEOPLE_RIGHTS_H
#define LINESIDE_PEOPLE_RIGHTS_H

#include "storage/people.h"

enum right {
    RIGHT_OWN_PIN,
    RIGHT_FIXTURES,
    RIGHT_CLOCK,
    RIGHT_REQUEST,
    RIGHT_ORDERS,
    RIGHT_SHIFT,
    RIGHT_BACKUP,
    RIGHT_PEOPLE,
    RIGHT_RETRIES,
    RIGHT_QUARANTINE,
    RIGHT_REPLACE,
    RIGHT_IMEI,
    RIGHT_VOID,
    RIGHT_WORK,
    RIGHT_STOP,
    RIGHT_RETURN,
    RIGHTS
};

/* A cell of the table. A right that anyone has only WITH_SECOND takes two
 * people; either may come first. */
enum may { MAY_NOT, MAY, MAY_WITH_SECOND, MAY_AS_SECOND };
const char *may_text(enum may m); /* "with a second" */

struct right_info {
    const char *name; /* "fixtures"                                   */
    const char *act;  /* what it is to do, after "may" or "may not"   */
    enum may may[ROLES];
};
/* NULL for a number that is no right. */
const struct right_info *right_info(enum right r);
/* Whether the role has the right, be it with a second person only. False for
 * a role or right that there is none of. */
bool role_may(enum role role, enum right r);
/* It takes two people. */
bool right_needs_two(enum right r);
/* Whether the role may be one of the two. False where one is enough. */
bool role_may_second(enum role role, enum right r);
/* The roles that may, "engineer or supervisor". */
char *right_roles_text(enum right r, char *out, size_t cap);
char *right_seconds_text(enum right r, char *out, size_t cap);

#endif
