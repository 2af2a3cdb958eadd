/* Work orders: how they come, are read, and change their state. */
#include "storage/orders.h"

#include "storage/containers.h"
#include "storage/inner.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const unit_names[ORDER_UNIT_STATES] = {
    [ORDER_UNIT_OPEN] = "open",
    [ORDER_UNIT_PASSED] = "passed",
    [ORDER_UNIT_STOCKED] = "stocked",
    [ORDER_UNIT_FAILED] = "failed",
};

const char *order_unit_state_name(enum order_unit_state s)
{
    return (unsigned)s < ORDER_UNIT_STATES ? unit_names[s] : "unknown";
}

static uint64_t minus(uint64_t a, uint64_t b)
{
    return a > b ? a - b : 0;
}

uint64_t order_left(const struct order_info *o)
{
    return minus(o->quantity,
                 o->units[ORDER_UNIT_PASSED] + o->units[ORDER_UNIT_STOCKED]);
}

uint64_t order_room(const struct order_info *o)
{
    return minus(order_left(o), o->units[ORDER_UNIT_OPEN]);
}

/* --- reading ------------------------------------------------------------------- */

#define ORDER_SELECT "SELECT w.work_order, w.number, w.product, w.serials, c.id," \
    " c.issuer, coalesce(c.not_after, 0), w.quantity, w.state, w.open, w.passed," \
    " w.stocked, w.failed, w.event FROM work_order w" \
    " LEFT JOIN container c USING(container) "

static void order_row_read(struct q *q, void *item)
{
    struct order_info *o = item;

    o->id = q_get_int(q, 0);
    q_get_string(q, 1, o->number, sizeof o->number);
    q_get_string(q, 2, o->product, sizeof o->product);
    q_get_string(q, 3, o->serials, sizeof o->serials);
    q_get_string(q, 4, o->container, sizeof o->container);
    q_get_string(q, 5, o->issuer, sizeof o->issuer);
    o->not_after = q_get_int(q, 6);
    o->quantity = (uint64_t)q_get_int(q, 7);
    o->state = (enum order_state)q_get_int(q, 8);
    for (int i = 0; i < ORDER_UNIT_STATES; i++)
        o->units[i] = (uint64_t)q_get_int(q, 9 + i);
    o->event = (uint64_t)q_get_int(q, 13);
}

void order_list_clear(struct order_list *l)
{
    free(l->v);
    *l = (struct order_list){ NULL, 0 };
}

/* Active ones alone: by their index, however many there were. */
static int get(struct db *db, bool active, unsigned limit, struct order_list *out,
               struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct rows all;

    if (q_open(&q, db, active ? ORDER_SELECT "WHERE w.state = 1 ORDER BY w.work_order"
                                " LIMIT ?"
                              : ORDER_SELECT "ORDER BY w.work_order LIMIT ?", e) != 0)
        return -1;
    q_int(&q, limit ? (int64_t)limit : -1);
    if (rows_read(&q, sizeof *out->v, order_row_read, &all, e) != 0)
        return -1;
    order_list_clear(out);
    *out = (struct order_list){ all.v, all.n };
    return 0;
}

int orders_get(struct db *db, struct order_list *out, struct err *e)
{
    return get(db, false, 0, out, e);
}

int orders_active(struct db *db, unsigned limit, struct order_list *out, struct err *e)
{
    return get(db, true, limit, out, e);
}

int order_get(struct db *db, int64_t id, struct order_info *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, ORDER_SELECT "WHERE w.work_order = ?", e) != 0)
        return -1;
    q_int(&q, id);
    int row = q_step(&q, e);
    if (row == 0)
        return err_set(e, ERR_NOT_FOUND, "the ledger has no order %lld",
                       (long long)id);
    if (row > 0)
        order_row_read(&q, out);
    return row < 0 ? -1 : 0;
}

/* 1 found, 0 not, -1. */
static int find(struct db *db, const char *number, struct order_info *out,
                struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, ORDER_SELECT "WHERE w.number = ?", e) != 0)
        return -1;
    q_text(&q, number);
    int row = q_step(&q, e);
    if (row > 0)
        order_row_read(&q, out);
    return row;
}

int order_by_number(struct db *db, const char *number, struct order_info *out,
                    struct err *e)
{
    char plain[ORDER_NUMBER_MAX + 1];
    int row = find(db, number, out, e);

    if (row != 0)
        return row < 0 ? -1 : 0;
    text_plain(number, plain, ORDER_NUMBER_MAX);
    return err_set(e, ERR_NOT_FOUND, "there is no order %s here; `lineside "
                   "orders` lists them", plain);
}

static int spec_recipes(struct db *db, int64_t id, struct order_spec *out,
                        struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT position || ':' || recipe FROM order_recipe"
               " WHERE work_order = ? ORDER BY n", e) != 0)
        return -1;
    q_int(&q, id);
    while ((row = q_step(&q, e)) > 0) {
        if (out->positions == ORDER_POSITIONS_MAX ||
            order_recipe_parse(q_get_text(&q, 0),
                               &out->recipe[out->positions], e) != 0)
            return err_wrap(e, "the ledger's recipe of an order");
        out->positions++;
    }
    return row;
}

int order_spec_get(struct db *db, int64_t id, struct order_spec *out,
                   struct err *e)
{
    struct order_info o;

    if (order_get(db, id, &o, e) != 0)
        return -1;
    *out = (struct order_spec){ .quantity = o.quantity };
    memcpy(out->number, o.number, sizeof out->number);
    memcpy(out->product, o.product, sizeof out->product);
    memcpy(out->serials, o.serials, sizeof out->serials);
    return spec_recipes(db, id, out, e);
}

/* --- making -------------------------------------------------------------------- */

static int is_new(struct tx *tx, const struct order_spec *o, struct err *e)
{
    struct order_info known;

    if (order_check(o, e) != 0)
        return -1;
    int row = find(tx->db, o->number, &known, e);
    if (row > 0)
        return err_set(e, ERR_CONFLICT, "there is an order %s here already (%s, "
                       "%s); a number is never used twice", known.number,
                       known.product, order_state_name(known.state));
    return row;
}

static int put_recipes(struct tx *tx, int64_t id, const struct order_spec *o,
                       struct err *e)
{
    char text[ORDER_RECIPE_TEXT_MAX];

    for (size_t i = 0; i < o->positions; i++) {
        AUTO(q_close) struct q q = { 0 };
        if (q_open(&q, tx->db, "INSERT INTO order_recipe(work_order, n, position,"
                   " recipe) VALUES(?, ?, ?, ?)", e) != 0)
            return -1;
        q_int(&q, id);
        q_int(&q, (int64_t)i);
        q_text(&q, o->recipe[i].position);
        q_text(&q, order_recipe_text(&o->recipe[i], text));
        if (q_run(&q, e) != 0)
            return -1;
    }
    return 0;
}

static int put_order(struct tx *tx, const struct order_spec *o,
                     int64_t container, uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO work_order(number, container, product,"
               " quantity, serials, event) VALUES(?, ?, ?, ?, ?, ?)", e) != 0)
        return -1;
    q_text(&q, o->number);
    q_int_or_null(&q, container);
    q_text(&q, o->product);
    q_int(&q, (int64_t)o->quantity);
    q_text(&q, o->serials);
    q_int(&q, (int64_t)event);
    if (q_run(&q, e) != 0)
        return -1;
    return put_recipes(tx, sqlite3_last_insert_rowid(tx->db->sql), o, e);
}

/* What an order says, for the event of its coming. */
struct said {
    char quantity[NUMBER_TEXT];
    char name[ORDER_POSITIONS_MAX][32];
    char recipe[ORDER_POSITIONS_MAX][ORDER_POSITION_MAX + 2 + ORDER_RECIPE_TEXT_MAX];
};

static void say(struct fields *f, const struct order_spec *o, struct said *s)
{
    char text[ORDER_RECIPE_TEXT_MAX];

    fields_add(f, "order", o->number);
    fields_add(f, "product", o->product);
    fields_add(f, "quantity", number_text((int64_t)o->quantity, s->quantity));
    fields_add(f, "serials", o->serials);
    for (size_t i = 0; i < o->positions; i++) {
        snprintf(s->name[i], sizeof s->name[i], "recipe-%zu", i + 1);
        snprintf(s->recipe[i], sizeof s->recipe[i], "%s: %s",
                 o->recipe[i].position, order_recipe_text(&o->recipe[i], text));
        fields_add(f, s->name[i], s->recipe[i]);
    }
}

int order_make(struct tx *tx, const struct order_spec *o, const char *actor,
               struct err *e)
{
    struct said *s = malloc(sizeof *s);
    struct fields f = { .n = 0 };
    struct event_head head;

    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for an order");
    int bad = is_new(tx, o, e);
    if (!bad) {
        say(&f, o, s);
        bad = event_write(tx, "order-made", actor, &f, &head, e) != 0 ||
              put_order(tx, o, 0, head.number, e) != 0;
    }
    free(s);
    return bad ? -1 : 0;
}

/* The row first, for the clock's floor, as in an import; its event right
 * after. */
static int import_row(struct tx *tx, const struct container_seen *c,
                      int64_t *container, struct err *e)
{
    struct event_head head;

    if (container_check(c, e) != 0 || container_fresh(tx->db, c->id, e) != 0 ||
        event_head(tx->db, &head, e) != 0)
        return -1;
    return container_put(tx, c, CONTAINER_LIVE, NULL, head.number + 1, container, e);
}

int order_import(struct tx *tx, const struct container_seen *c,
                 const struct order_spec *o, const char *actor,
                 uint64_t *missing, struct err *e)
{
    struct said *s = malloc(sizeof *s);
    struct fields f = { .n = 0 };
    struct event_head head;
    int64_t container;

    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for an order");
    int bad = c->kind != SEEN_WORK_ORDER
            ? err_set(e, ERR_INTERNAL, "not a work-order")
            : import_row(tx, c, &container, e);
    if (!bad && !(bad = is_new(tx, o, e))) {
        say(&f, o, s);
        fields_add(&f, "container", c->id);
        bad = container_event(tx, container, "order-imported", actor, &f, missing,
                              &head, e) != 0 ||
              put_order(tx, o, container, head.number, e) != 0;
    }
    free(s);
    return bad ? -1 : 0;
}

/* --- changing its state --------------------------------------------------------- */

static int unbind_all(struct tx *tx, int64_t id, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "DELETE FROM order_fixture WHERE work_order = ?", e) != 0)
        return -1;
    q_int(&q, id);
    return q_run(&q, e);
}

static int put_state(struct tx *tx, int64_t id, enum order_state to,
                     uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE work_order SET state = ?, event = ?"
               " WHERE work_order = ?", e) != 0)
        return -1;
    q_int(&q, to);
    q_int(&q, (int64_t)event);
    q_int(&q, id);
    return q_run(&q, e);
}

int order_move(struct tx *tx, const char *number, enum order_state to,
               enum order_cause cause, const char *actor, struct err *e)
{
    char counts[ORDER_UNIT_STATES][NUMBER_TEXT];
    struct fields f = { .n = 0 };
    struct event_head head;
    struct order_info o;

    if (order_by_number(tx->db, number, &o, e) != 0)
        return -1;
    if (!order_transition(o.state, to, cause))
        return err_set(e, ERR_WRONG_STATE, "order %s is %s and cannot become %s",
                       o.number, order_state_name(o.state), order_state_name(to));
    fields_add(&f, "order", o.number);
    fields_add(&f, "from", order_state_name(o.state));
    fields_add(&f, "to", order_state_name(to));
    fields_add(&f, "cause", order_cause_name(cause));
    for (int i = 0; i < ORDER_UNIT_STATES && to == ORDER_CLOSED; i++)
        fields_add(&f, unit_names[i], number_text((int64_t)o.units[i], counts[i]));
    if (event_write(tx, "order-moved", actor, &f, &head, e) != 0 ||
        put_state(tx, o.id, to, head.number, e) != 0)
        return -1;
    return to == ORDER_CLOSED ? unbind_all(tx, o.id, e) : 0;
}
