#include "station/acts/people.h"

#include "station/acts/login_rules.h"

#include <string.h>

struct call {
    struct actor by;
    const char *name;
    enum role role;
    bool blocked;
    uint8_t badge[BADGE_HASH];
    struct pin_hash pin;
    const char *rule, *value;
    tx_fn *fn;
};

/* Typing a PIN takes its time; who asked for it may have been blocked. */
static int guarded_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return actor_still(tx, &c->by, e) != 0 ? -1 : c->fn(tx, c, e);
}

static int write(struct db *db, struct call *c, tx_fn *fn, struct err *e)
{
    c->fn = fn;
    return db_write(db, guarded_tx, c, e);
}

/* Somebody the ledger knows. */
static int person(struct db *db, const struct who *w, enum right r, struct call *c,
                  struct err *e)
{
    if (who_one(w, db, r, &c->by, e) != 0)
        return -1;
    return c->by.known ? 0
         : err_set(e, ERR_NOT_FOUND, "this station knows nobody yet; make "
                   "the first supervisor: lineside people add NAME --role "
                   "supervisor --badge BADGE");
}

/* --- adding -------------------------------------------------------------------- */

static int add_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    const struct person_new n = { c->name, c->role, c->badge, &c->pin };

    return person_add(tx, &n, c->by.known ? c->by.who.name : NULL, e);
}

int act_person_add(struct db *db, const struct who *w, const char *name,
                   const char *role, const char *badge, const struct new_pin *pin,
                   struct err *e)
{
    struct call c = { .name = name };

    if (role_parse(role, &c.role, e) != 0 || badge_hash(badge, c.badge, e) != 0 ||
        person_name_check(name, e) != 0 || who_one(w, db, RIGHT_PEOPLE, &c.by, e) != 0)
        return -1;
    if (!c.by.known && c.role != ROLE_SUPERVISOR)
        return err_set(e, ERR_USAGE, "the first person of a station is a "
                       "supervisor: --role supervisor");
    return pin->get(pin->ctx, name, badge, false, &c.pin, e) != 0
         ? -1 : write(db, &c, add_tx, e);
}

/* --- changing -------------------------------------------------------------------- */

static int role_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return person_set_role(tx, c->name, c->role, c->by.who.name, e);
}

int act_person_role(struct db *db, const struct who *w, const char *name,
                    const char *role, struct err *e)
{
    struct call c = { .name = name };

    return role_parse(role, &c.role, e) != 0 ||
           person(db, w, RIGHT_PEOPLE, &c, e) != 0 ? -1 : write(db, &c, role_tx, e);
}

static int block_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return person_set_blocked(tx, c->name, c->blocked, c->by.who.name, e);
}

int act_person_block(struct db *db, const struct who *w, const char *name,
                     bool blocked, struct err *e)
{
    struct call c = { .name = name, .blocked = blocked };

    return person(db, w, RIGHT_PEOPLE, &c, e) != 0 ? -1 : write(db, &c, block_tx, e);
}

static int badge_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return person_set_badge(tx, c->name, c->badge, c->by.who.name, e);
}

int act_person_badge(struct db *db, const struct who *w, const char *name,
                     const char *badge, struct err *e)
{
    struct call c = { .name = name };

    return badge_hash(badge, c.badge, e) != 0 ||
           person(db, w, RIGHT_PEOPLE, &c, e) != 0 ? -1 : write(db, &c, badge_tx, e);
}

static int pin_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return person_set_pin(tx, c->name, &c->pin, c->by.who.name, e);
}

/* One's own, or somebody else's with the right. */
int act_person_pin(struct db *db, const struct who *w, const char *name,
                   const struct new_pin *pin, struct err *e)
{
    struct call c = { .name = name };

    if (person(db, w, RIGHT_OWN_PIN, &c, e) != 0)
        return -1;
    bool own = strcasecmp(c.by.who.name, name) == 0;
    c.by.right = own ? RIGHT_OWN_PIN : RIGHT_PEOPLE;
    return session_may(&c.by.who, c.by.right, e) != 0 ||
           pin->get(pin->ctx, name, NULL, own, &c.pin, e) != 0
               ? -1 : write(db, &c, pin_tx, e);
}

/* --- rules ------------------------------------------------------------------------- */

static int rule_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    struct login_rules r;

    if (login_rules_get(tx_db(tx), &r, e) != 0 ||
        login_rule_put(c->rule, c->value, &r, e) != 0)
        return -1;
    return login_rules_set(tx, &r, c->by.who.name, e);
}

int act_login_rule(struct db *db, const struct who *w, const char *rule,
                   const char *value, struct err *e)
{
    struct call c = { .rule = rule, .value = value };
    struct login_rules r;

    /* Said before anybody types a PIN. */
    return login_rules_get(db, &r, e) != 0 || login_rule_put(rule, value, &r, e) != 0 ||
           person(db, w, RIGHT_PEOPLE, &c, e) != 0 ? -1 : write(db, &c, rule_tx, e);
}
