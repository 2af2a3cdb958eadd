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

static int not_theirs(const struct session *s, const struct right_info *i,
                      const char *roles, struct err *e)
{
    return err_set(e, ERR_TRUST, "%s is %s and may not %s; ask someone who is %s",
                   s->name, role_names[s->role], i ? i->act : "do this", roles);
}

int session_may(const struct session *s, enum right r, struct err *e)
{
    char roles[80];

    if (!role_may(s->role, r))
        return not_theirs(s, right_info(r),
                          right_roles_text(r, roles, sizeof roles), e);
    if (right_needs_two(r))
        return err_set(e, ERR_TRUST, "%s may not %s alone; it takes two people",
                       s->name, right_info(r)->act);
    return 0;
}

int pair_may(const struct pair *p, enum right r, struct err *e)
{
    const struct session *both[] = { &p->first, &p->second };
    char roles[80];

    for (size_t i = 0; i < 2; i++)
        if (!role_may_second(both[i]->role, r))
            return not_theirs(both[i], right_info(r),
                              right_seconds_text(r, roles, sizeof roles), e);
    if (p->first.person == p->second.person)
        return err_set(e, ERR_TRUST, "both badges are %s's; it takes two people",
                       p->first.name);
    if (role_may(p->first.role, r) || role_may(p->second.role, r))
        return 0;
    return err_set(e, ERR_TRUST, "neither %s nor %s may %s; one of the two must "
                   "be %s", p->first.name, p->second.name, right_info(r)->act,
                   right_roles_text(r, roles, sizeof roles));
}

/* As the ledger holds them now. */
static int session_now(struct db *db, const struct session *s,
                       struct session *now, struct err *e)
{
    struct person p;

    int row = person_by_name(db, s->name, &p, e);
    if (row < 0)
        return -1;
    if (row == 0 || p.id != s->person || p.blocked)
        return err_set(e, ERR_TRUST, "%s was blocked meanwhile; ask another "
                       "supervisor", s->name);
    *now = *s;
    now->role = p.role;
    return 0;
}

int session_still(struct db *db, const struct session *s, enum right r,
                  struct err *e)
{
    struct session now;

    return session_now(db, s, &now, e) != 0 ? -1 : session_may(&now, r, e);
}

int pair_still(struct db *db, const struct pair *p, enum right r, struct err *e)
{
    struct pair now;

    if (session_now(db, &p->first, &now.first, e) != 0 ||
        session_now(db, &p->second, &now.second, e) != 0)
        return -1;
    return pair_may(&now, r, e);
}
