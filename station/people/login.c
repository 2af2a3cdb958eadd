#include "station/people/login.h"

#include "station/base/clock.h"
#include "station/people/pin.h"

#include <stdio.h>
#include <string.h>

struct attempt {
    uint8_t badge[BADGE_HASH];
    int64_t wait_until;
    bool known;
    struct person person;
    struct pin_hash pin;
    const char *reason; /* of a failure */
};

static int charge(struct tx *tx, void *ctx, struct err *e)
{
    struct attempt *a = ctx;

    if (login_charge(tx, a->badge, &a->wait_until, e) != 0)
        return -1;
    int row = person_by_badge(tx_db(tx), a->badge, &a->person, &a->pin, e);
    a->known = row > 0;
    return row < 0 ? -1 : 0;
}

static int clear(struct tx *tx, void *ctx, struct err *e)
{
    return login_clear(tx, ((struct attempt *)ctx)->badge, e);
}

static int failed(struct tx *tx, void *ctx, struct err *e)
{
    const struct attempt *a = ctx;

    return login_failed(tx, a->badge, a->known ? &a->person : NULL, a->reason, e);
}

static int refuse(struct db *db, struct attempt *a, struct err *e)
{
    if (db_write(db, failed, a, e) != 0)
        return -1;
    return err_set(e, ERR_TRUST, "badge and PIN do not go together, or this "
                   "person is blocked; try again, or ask a supervisor. After %d "
                   "failures each one doubles the wait", LOGIN_FREE_FAILURES);
}

int login(struct db *db, const char *badge, const char *pin, struct session *out,
          struct err *e)
{
    struct attempt a = { .known = false };
    char until[24];

    if (badge_hash(badge, a.badge, e) != 0 || db_write(db, charge, &a, e) != 0)
        return -1;
    if (a.wait_until)
        return err_set(e, ERR_WRONG_STATE, "too many failures with this badge; "
                       "the next try is looked at from %s on. A supervisor can "
                       "give a new PIN", clock_text(a.wait_until, until));
    int right = pin_hash_check(pin, a.known ? &a.pin : NULL, e);
    if (right < 0)
        return -1;
    a.reason = !a.known ? "unknown-badge" : !right ? "pin" : "blocked";
    if (!right || a.person.blocked)
        return refuse(db, &a, e);
    if (db_write(db, clear, &a, e) != 0)
        return -1;
    *out = (struct session){ .person = a.person.id, .role = a.person.role };
    memcpy(out->name, a.person.name, sizeof out->name);
    return 0;
}

int session_may(const struct session *s, enum right r, struct err *e)
{
    const struct right_info *i = right_info(r);
    char roles[80];

    if (role_may(s->role, r))
        return 0;
    return err_set(e, ERR_TRUST, "%s is %s and may not %s; ask someone who is %s",
                   s->name, role_names[s->role], i ? i->act : "do this",
                   right_roles_text(r, roles, sizeof roles));
}

int session_still(struct db *db, const struct session *s, enum right r,
                  struct err *e)
{
    struct session now = *s;
    struct person p;

    int row = person_by_name(db, s->name, &p, e);
    if (row < 0)
        return -1;
    if (row == 0 || p.id != s->person || p.blocked)
        return err_set(e, ERR_TRUST, "%s was blocked meanwhile; ask another "
                       "supervisor", s->name);
    now.role = p.role;
    return session_may(&now, r, e);
}
