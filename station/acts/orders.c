#include "station/acts/orders.h"

#include "storage/events.h"

#include <string.h>

struct call {
    struct actor by;
    const struct order_spec *s;
    const char *number, *fixture, *position;
};

static int may(struct db *db, const struct who *w, struct call *c, struct err *e)
{
    return who_one(w, db, RIGHT_ORDERS, &c->by, e);
}

/* Who it is is asked again, in the transaction of the act. */
static int write(struct db *db, const struct who *w, tx_fn *fn, struct call *c,
                 struct err *e)
{
    return may(db, w, c, e) != 0 || db_write(db, fn, c, e) != 0 ? -1 : 0;
}

static int make_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return actor_still(tx, &c->by, e) != 0 ? -1
                                           : order_make(tx, c->s, c->by.who.name, e);
}

int act_order_make(struct db *db, const struct who *w, struct order_spec *s,
                   struct err *e)
{
    struct call c = { .s = s };

    if (!*s->serials)
        strcpy(s->serials, "*");
    if (order_check(s, e) != 0) {
        e->code = ERR_USAGE;
        return -1;
    }
    return write(db, w, make_tx, &c, e);
}

static int activate_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return actor_still(tx, &c->by, e) != 0
         ? -1 : order_move(tx, c->number, ORDER_ACTIVE, ORDER_CAUSE_ACTIVATED,
                           c->by.who.name, e);
}

int act_order_activate(struct db *db, const struct who *w, const char *number,
                       order_finding_fn *say, void *ctx,
                       struct act_activation *out, struct err *e)
{
    struct call c = { .number = number };
    struct ledger_clock clock;

    out->assessed = false;
    if (order_by_number(db, number, &out->o, e) != 0 ||
        order_spec_get(db, out->o.id, &out->s, e) != 0 ||
        ledger_clock(db, &clock, e) != 0)
        return -1;
    if (out->o.state != ORDER_WAITING)
        return err_set(e, ERR_WRONG_STATE, "order %s is %s; only a waiting order "
                       "is activated", out->o.number, order_state_name(out->o.state));
    if (may(db, w, &c, e) != 0 ||
        order_assess(db, &out->o, &out->s, clock.now, say, ctx, &out->a, e) != 0 ||
        (out->a.refusals == 0 && db_write(db, activate_tx, &c, e) != 0))
        return -1;
    out->assessed = true;
    return out->a.refusals
         ? err_set(e, ERR_WRONG_STATE, "order %s was not activated; nothing was "
                   "changed", out->o.number) : 0;
}

static int close_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;
    struct order_info o;

    if (actor_still(tx, &c->by, e) != 0 ||
        order_by_number(tx_db(tx), c->number, &o, e) != 0)
        return -1;
    return order_move(tx, o.number, ORDER_CLOSED, o.state == ORDER_WAITING
                      ? ORDER_CAUSE_WITHDRAWN : ORDER_CAUSE_CLOSED, c->by.who.name, e);
}

int act_order_close(struct db *db, const struct who *w, const char *number,
                    struct err *e)
{
    struct call c = { .number = number };

    return write(db, w, close_tx, &c, e);
}

static int bind_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return actor_still(tx, &c->by, e) != 0
         ? -1 : order_bind(tx, c->number, c->fixture, c->position, ORDER_BIND_COMMAND,
                           c->by.who.name, e);
}

int act_order_bind(struct db *db, const struct who *w, const char *number,
                   const char *fixture, const char *position, struct err *e)
{
    struct call c = { .number = number, .fixture = fixture, .position = position };

    return write(db, w, bind_tx, &c, e);
}

static int unbind_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return actor_still(tx, &c->by, e) != 0
         ? -1 : order_unbind(tx, c->fixture, c->by.who.name, e);
}

int act_order_unbind(struct db *db, const struct who *w, const char *fixture,
                     struct err *e)
{
    struct call c = { .fixture = fixture };

    return write(db, w, unbind_tx, &c, e);
}
