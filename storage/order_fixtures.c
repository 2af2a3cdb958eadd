/* Which fixture works by which order. */
#include "storage/orders.h"

#include "storage/inner.h"

#include <stdlib.h>

/* --- reading ------------------------------------------------------------------- */

void order_bindings_clear(struct order_bindings *l)
{
    free(l->v);
    *l = (struct order_bindings){ NULL, 0 };
}

struct raw {
    int64_t id;
    struct order_binding b;
};

static void raw_read(struct q *q, struct raw *r)
{
    q_get_string(q, 0, r->b.fixture, sizeof r->b.fixture);
    q_get_string(q, 1, r->b.position, sizeof r->b.position);
    r->id = q_get_int(q, 2);
}

#define BINDING_SELECT "SELECT fixture, position, work_order FROM order_fixture "

static int read_all(struct db *db, struct order_bindings *l, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, BINDING_SELECT "ORDER BY fixture", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        struct order_binding *v = list_grow(l->v, l->n, sizeof *v, e);
        struct raw r = { .id = 0 };
        if (!v)
            return -1;
        l->v = v;
        raw_read(&q, &r);
        if (order_get(db, r.id, &r.b.order, e) != 0)
            return -1;
        v[l->n++] = r.b;
    }
    return row;
}

int order_bindings_get(struct db *db, struct order_bindings *out, struct err *e)
{
    struct order_bindings l = { NULL, 0 };

    if (read_all(db, &l, e) != 0) {
        order_bindings_clear(&l);
        return -1;
    }
    order_bindings_clear(out);
    *out = l;
    return 0;
}

/* 1, 0 or -1. */
static int bound(struct db *db, const char *fixture, struct raw *out,
                 struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, BINDING_SELECT "WHERE fixture = ?", e) != 0)
        return -1;
    q_text(&q, fixture);
    int row = q_step(&q, e);
    if (row > 0)
        raw_read(&q, out);
    return row;
}

static int any_active(struct db *db, bool *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT 1 FROM work_order WHERE state = 1 LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    *out = row > 0;
    return row < 0 ? -1 : 0;
}

int order_of_fixture(struct db *db, const char *fixture,
                     struct order_binding *out, bool *any, struct err *e)
{
    struct raw r = { .id = 0 };
    int row = bound(db, fixture, &r, e);

    *any = row > 0;
    if (row <= 0)
        return row < 0 || any_active(db, any, e) != 0 ? -1 : 0;
    *out = r.b;
    return order_get(db, r.id, &out->order, e) != 0 ? -1 : 1;
}

/* --- changing ------------------------------------------------------------------ */

static int fixture_check(const char *fixture, struct err *e)
{
    size_t n = strlen(fixture);

    if (n == 0 || n > STOCK_FIXTURE_MAX || strcspn(fixture, " \t\r\n") != n ||
        !event_text_ok(SPAN(fixture, n)))
        return err_set(e, ERR_USAGE, "that cannot be a fixture's name: 1 to %d "
                       "octets of plain text without blanks, as scans say it",
                       STOCK_FIXTURE_MAX);
    return 0;
}

static int may_bind(struct tx *tx, const char *number, const char *position,
                    struct order_info *o, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (order_by_number(tx->db, number, o, e) != 0)
        return -1;
    if (o->state != ORDER_ACTIVE)
        return err_set(e, ERR_WRONG_STATE, "order %s is %s; %s", o->number,
                       order_state_name(o->state), o->state == ORDER_WAITING
                       ? "activate it first: lineside orders activate"
                       : "nothing more is made by it");
    if (!*position)
        return 0;
    if (q_open(&q, tx->db, "SELECT 1 FROM order_recipe WHERE work_order = ?"
               " AND position = ?", e) != 0)
        return -1;
    q_int(&q, o->id);
    q_text(&q, position);
    int row = q_step(&q, e);
    if (row == 0)
        return err_set(e, ERR_NOT_FOUND, "order %s has no recipe for a position "
                       "%.40s; `lineside orders show %s` lists its positions",
                       o->number, position, o->number);
    return row < 0 ? -1 : 0;
}

static int put(struct tx *tx, int64_t id, const char *fixture,
               const char *position, uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT OR REPLACE INTO order_fixture(fixture,"
               " work_order, position, event) VALUES(?, ?, ?, ?)", e) != 0)
        return -1;
    q_text(&q, fixture);
    q_int(&q, id);
    q_text(&q, position);
    q_int(&q, (int64_t)event);
    return q_run(&q, e);
}

int order_bind(struct tx *tx, const char *number, const char *fixture,
               const char *position, enum order_bind_cause cause,
               const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct order_info o;
    struct raw now = { .id = 0 };

    if (fixture_check(fixture, e) != 0 || may_bind(tx, number, position, &o, e) != 0 ||
        bound(tx->db, fixture, &now, e) < 0)
        return -1;
    /* A scan chooses the order and leaves alone where in the unit this fixture
     * works, if it worked by that order already. */
    if (now.id == o.id && (cause == ORDER_BIND_SCAN ||
                           strcmp(now.b.position, position) == 0))
        return 0;
    fields_add(&f, "order", o.number);
    fields_add(&f, "fixture", fixture);
    if (*position)
        fields_add(&f, "position", position);
    fields_add(&f, "cause", cause == ORDER_BIND_SCAN ? "scan" : "command");
    if (event_write(tx, "order-bound", actor, &f, &head, e) != 0)
        return -1;
    return put(tx, o.id, fixture, position, head.number, e);
}

int order_unbind(struct tx *tx, const char *fixture, const char *actor,
                 struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fields f = { .n = 0 };
    struct event_head head;
    struct order_info o;
    struct raw now = { .id = 0 };

    if (fixture_check(fixture, e) != 0)
        return -1;
    int row = bound(tx->db, fixture, &now, e);
    if (row == 0)
        return err_set(e, ERR_NOT_FOUND, "fixture %s is bound to no order",
                       fixture);
    if (row < 0 || order_get(tx->db, now.id, &o, e) != 0)
        return -1;
    fields_add(&f, "order", o.number);
    fields_add(&f, "fixture", fixture);
    if (event_write(tx, "order-unbound", actor, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "DELETE FROM order_fixture WHERE fixture = ?", e) != 0)
        return -1;
    q_text(&q, fixture);
    return q_run(&q, e);
}
