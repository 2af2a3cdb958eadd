/* Which units an order has, and how far they are. */
#include "storage/orders.h"

#include "storage/order_rows.h"

#include <stdio.h>

/* --- how far a unit is ------------------------------------------------------------ */

struct progress {
    size_t positions, done, passed, failed;
    char missing[ORDER_POSITIONS_MAX * (ORDER_POSITION_MAX + 2) + 1];
};

static void progress_add(struct progress *p, struct q *q, int64_t order)
{
    bool known = !q_is_null(q, 1) && q_get_int(q, 2) == order;
    enum position_state s = (enum position_state)q_get_int(q, 1);
    size_t n = strlen(p->missing);

    p->positions++;
    if (known && (s == POSITION_PASSED || s == POSITION_STOCKED)) {
        p->done++;
        p->passed += s == POSITION_PASSED;
        return;
    }
    p->failed += known && (s == POSITION_FAILED || s == POSITION_SCRAPPED);
    snprintf(p->missing + n, sizeof p->missing - n, "%s%s", n ? ", " : "",
             q_get_text(q, 0));
}

/* unit 0: not known, so that all is missing. */
static int progress_of(struct db *db, int64_t order, int64_t unit,
                       struct progress *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    *out = (struct progress){ .positions = 0 };
    if (q_open(&q, db, "SELECT r.position, p.state, x.work_order"
               " FROM order_recipe r LEFT JOIN position p ON p.unit = ?2"
               "  AND p.name = r.position"
               " LEFT JOIN order_position x ON x.position = p.position"
               " WHERE r.work_order = ?1 ORDER BY r.n", e) != 0)
        return -1;
    q_int(&q, order);
    q_int(&q, unit);
    while ((row = q_step(&q, e)) > 0)
        progress_add(out, &q, order);
    return row;
}

static enum order_unit_state state_of(const struct progress *p)
{
    if (p->failed)
        return ORDER_UNIT_FAILED;
    if (p->done < p->positions)
        return ORDER_UNIT_OPEN;
    return p->passed == p->positions ? ORDER_UNIT_PASSED : ORDER_UNIT_STOCKED;
}

static int unit_id(struct db *db, const char *serial, int64_t *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT unit FROM unit WHERE serial = ?", e) != 0)
        return -1;
    q_text(&q, serial);
    int row = q_step(&q, e);
    *out = row > 0 ? q_get_int(&q, 0) : 0;
    return row < 0 ? -1 : 0;
}

int order_missing(struct db *db, int64_t order, const char *serial, char *out,
                  size_t cap, struct err *e)
{
    struct progress p;
    int64_t unit;

    if (unit_id(db, serial, &unit, e) != 0 ||
        progress_of(db, order, unit, &p, e) != 0)
        return -1;
    snprintf(out, cap, "%s", p.missing);
    return 0;
}

/* --- may it? ---------------------------------------------------------------------- */

/* The unit's state in this order: 1, 0 when the order does not have it, -1. */
static int membership(struct db *db, int64_t order, int64_t unit,
                      enum order_unit_state *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT state FROM order_unit WHERE work_order = ?"
               " AND unit = ?", e) != 0)
        return -1;
    q_int(&q, order);
    q_int(&q, unit);
    int row = q_step(&q, e);
    if (row > 0)
        *out = (enum order_unit_state)q_get_int(&q, 0);
    return row;
}

/* Another order that has a recipe for this position and has not given the unit
 * free. 1 and a sentence, 0, -1. */
static int with_another(struct db *db, const struct order_info *o, int64_t unit,
                        const char *serial, const char *position, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT w.number, x.state FROM order_unit x"
               " JOIN work_order w USING(work_order)"
               " JOIN order_recipe r ON r.work_order = x.work_order"
               "  AND r.position = ?3"
               " WHERE x.unit = ?2 AND x.work_order <> ?1 AND x.state <> 2"
               "  AND (w.state <> 2 OR x.state = 1) LIMIT 1", e) != 0)
        return -1;
    q_int(&q, o->id);
    q_int(&q, unit);
    q_text(&q, position);
    int row = q_step(&q, e);
    if (row > 0)
        err_set(e, ERR_CONFLICT, "unit %s is %s in order %s, and this fixture "
                "works by order %s", serial,
                order_unit_state_name((enum order_unit_state)q_get_int(&q, 1)),
                q_get_text(&q, 0), o->number);
    return row;
}

/* This position is finished by this order, or by none. 1, 0, -1. */
static int finished(struct db *db, int64_t order, int64_t unit,
                    const char *position, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT p.state, coalesce(x.work_order, 0)"
               " FROM position p LEFT JOIN order_position x USING(position)"
               " WHERE p.unit = ? AND p.name = ?", e) != 0)
        return -1;
    q_int(&q, unit);
    q_text(&q, position);
    int row = q_step(&q, e);
    if (row <= 0)
        return row;
    enum position_state s = (enum position_state)q_get_int(&q, 0);
    return s == POSITION_PASSED ||
           (s == POSITION_STOCKED && q_get_int(&q, 1) == order);
}

static int judge(struct db *db, const struct order_info *o, int64_t unit,
                 const char *serial, const char *position,
                 enum order_answer *out, struct err *e)
{
    enum order_unit_state state = ORDER_UNIT_FAILED; /* takes room */
    int row;

    *out = ORDER_OTHER;
    if ((row = with_another(db, o, unit, serial, position, e)) != 0)
        return row < 0 ? -1 : 0;
    *out = ORDER_DONE;
    if ((row = finished(db, o->id, unit, position, e)) != 0) {
        if (row > 0)
            err_set(e, ERR_WRONG_STATE, "unit %s, position %s, is finished",
                    serial, position);
        return row < 0 ? -1 : 0;
    }
    if (membership(db, o->id, unit, &state, e) < 0)
        return -1;
    *out = ORDER_TAKES;
    if (state != ORDER_UNIT_FAILED || order_room(o) > 0)
        return 0;
    *out = ORDER_FULL;
    err_set(e, ERR_LIMIT, "order %s is for %llu units: %llu passed, %llu "
            "stocked, %llu at work", o->number, (unsigned long long)o->quantity,
            (unsigned long long)o->units[ORDER_UNIT_PASSED],
            (unsigned long long)o->units[ORDER_UNIT_STOCKED],
            (unsigned long long)o->units[ORDER_UNIT_OPEN]);
    return 0;
}

int order_judge(struct db *db, int64_t order, const char *serial,
                const char *position, enum order_answer *out, struct err *e)
{
    struct order_info o;
    int64_t unit;

    if (order_get(db, order, &o, e) != 0 || unit_id(db, serial, &unit, e) != 0)
        return -1;
    if (o.state == ORDER_ACTIVE)
        return judge(db, &o, unit, serial, position, out, e);
    *out = ORDER_NOT_ACTIVE;
    err_set(e, ERR_WRONG_STATE, "order %s is %s", o.number,
            order_state_name(o.state));
    return 0;
}

/* --- the order has it --------------------------------------------------------------- */

static int put_member(struct tx *tx, int64_t order, int64_t unit, struct err *e)
{
    AUTO(q_close) struct q put = { 0 };
    AUTO(q_close) struct q count = { 0 };

    if (q_open(&put, tx->db, "INSERT INTO order_unit(work_order, unit, state)"
               " VALUES(?, ?, 0)", e) != 0)
        return -1;
    q_int(&put, order);
    q_int(&put, unit);
    if (q_run(&put, e) != 0 ||
        q_open(&count, tx->db, "UPDATE work_order SET open = open + 1"
               " WHERE work_order = ?", e) != 0)
        return -1;
    q_int(&count, order);
    return q_run(&count, e);
}

static int put_position(struct tx *tx, int64_t order, int64_t position,
                        struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT OR REPLACE INTO order_position(position,"
               " work_order) VALUES(?, ?)", e) != 0)
        return -1;
    q_int(&q, position);
    q_int(&q, order);
    return q_run(&q, e);
}

static int take(struct tx *tx, int64_t order, const struct position *p,
                const struct act *a, struct err *e)
{
    struct fields f = { .n = 0 };
    struct order_ref before;
    struct order_info o;
    enum order_unit_state state;
    int64_t unit;

    if (order_ref_of(tx->db, p->id, &before, e) != 0)
        return -1;
    if (before.order == order)
        return 0;
    if (order_get(tx->db, order, &o, e) != 0 ||
        unit_id(tx->db, p->serial, &unit, e) != 0)
        return -1;
    fields_add(&f, "order", o.number);
    fields_add(&f, "serial", p->serial);
    fields_add(&f, "position", p->name);
    if (a->fixture && a->fixture[0])
        fields_add(&f, "fixture", a->fixture);
    if (before.order)
        fields_add(&f, "from", before.number);
    if (event_write(tx, "unit-ordered", a->actor, &f, &(struct event_head){ 0 }, e) != 0 ||
        put_position(tx, order, p->id, e) != 0)
        return -1;
    int row = membership(tx->db, order, unit, &state, e);
    return row < 0 || (row == 0 && put_member(tx, order, unit, e) != 0) ? -1 : 0;
}

int order_admit(struct tx *tx, int64_t order, const struct act *a,
                enum order_answer *out, struct err *e)
{
    struct position p;

    if (position_get(tx->db, a->position, &p, e) != 0 ||
        order_judge(tx->db, order, p.serial, p.name, out, e) != 0)
        return -1;
    return *out == ORDER_TAKES ? take(tx, order, &p, a, e) : -1;
}

int order_ref_of(struct db *db, int64_t position, struct order_ref *out,
                 struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *out = (struct order_ref){ .order = 0 };
    if (q_open(&q, db, "SELECT x.work_order, w.number, p.unit"
               " FROM order_position x JOIN work_order w USING(work_order)"
               " JOIN position p USING(position) WHERE x.position = ?", e) != 0)
        return -1;
    q_int(&q, position);
    int row = q_step(&q, e);
    if (row > 0) {
        out->order = q_get_int(&q, 0);
        q_get_string(&q, 1, out->number, sizeof out->number);
        out->unit = q_get_int(&q, 2);
    }
    return row < 0 ? -1 : 0;
}

static int recount(struct tx *tx, int64_t order, enum order_unit_state from,
                   enum order_unit_state to, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE work_order SET open = open + ?,"
               " passed = passed + ?, stocked = stocked + ?, failed = failed + ?"
               " WHERE work_order = ?", e) != 0)
        return -1;
    for (int s = 0; s < ORDER_UNIT_STATES; s++)
        q_int(&q, (s == (int)to) - (s == (int)from));
    q_int(&q, order);
    return q_run(&q, e);
}

static int put_progress(struct tx *tx, const struct order_ref *r,
                        enum order_unit_state to, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE order_unit SET state = ?"
               " WHERE work_order = ? AND unit = ?", e) != 0)
        return -1;
    q_int(&q, to);
    q_int(&q, r->order);
    q_int(&q, r->unit);
    return q_run(&q, e);
}

int order_follow(struct tx *tx, const struct order_ref *r, struct err *e)
{
    enum order_unit_state from = ORDER_UNIT_OPEN, to;
    struct progress p;

    if (progress_of(tx->db, r->order, r->unit, &p, e) != 0)
        return -1;
    int row = membership(tx->db, r->order, r->unit, &from, e);
    if (row <= 0)
        return row < 0 ? -1 : err_set(e, ERR_INTERNAL, "order %s does not count "
                                      "a unit of its own", r->number);
    to = state_of(&p);
    if (from == to)
        return 0;
    return put_progress(tx, r, to, e) != 0 ? -1
         : recount(tx, r->order, from, to, e);
}

/* --- asked ---------------------------------------------------------------------------- */

int orders_of_unit(struct db *db, const char *serial,
                   struct order_membership *out, size_t max, size_t *n,
                   struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row = 0;

    *n = 0;
    if (q_open(&q, db, "SELECT w.number, x.state FROM unit u"
               " JOIN order_unit x USING(unit) JOIN work_order w USING(work_order)"
               " WHERE u.serial = ? ORDER BY w.work_order DESC", e) != 0)
        return -1;
    q_text(&q, serial);
    while (*n < max && (row = q_step(&q, e)) > 0) {
        struct order_membership *m = &out[(*n)++];
        q_get_string(&q, 0, m->number, sizeof m->number);
        m->state = (enum order_unit_state)q_get_int(&q, 1);
    }
    return row < 0 ? -1 : 0;
}

int orders_cross_check(struct db *db, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT w.number FROM work_order w LEFT JOIN order_unit x"
               " USING(work_order) GROUP BY w.work_order HAVING"
               " w.open <> coalesce(sum(x.state = 0), 0) OR"
               " w.passed <> coalesce(sum(x.state = 1), 0) OR"
               " w.stocked <> coalesce(sum(x.state = 2), 0) OR"
               " w.failed <> coalesce(sum(x.state = 3), 0) LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row > 0)
        return err_set(e, ERR_CONFLICT, "order %s: its counters are not what its "
                       "units say", q_get_text(&q, 0));
    return row;
}
