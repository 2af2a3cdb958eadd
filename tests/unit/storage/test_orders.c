/* Work orders: how they come, their states, their fixtures, and the units that
 * they count. */
#include "storage/orders.h"
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct order_spec spec(const char *number, uint64_t quantity,
                              const char *recipe, const char *second)
{
    struct order_spec o = { .product = "Meter", .quantity = quantity,
                            .serials = "SN-*", .positions = second ? 2 : 1 };
    struct err e = ERR_INIT;

    snprintf(o.number, sizeof o.number, "%s", number);
    good(order_recipe_parse(recipe, &o.recipe[0], &e));
    if (second)
        good(order_recipe_parse(second, &o.recipe[1], &e));
    return o;
}

struct call {
    const struct order_spec *spec;
    const struct container_seen *seen;
    const char *number, *fixture, *position, *serial;
    enum order_state to;
    enum order_cause cause;
    enum order_bind_cause how;
    struct eid eid;
    int64_t order;
    enum order_answer answer;
    enum position_state state;
    enum position_cause why;
    uint64_t missing;
};

static int make(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return c->seen ? order_import(tx, c->seen, c->spec, "station", &c->missing, e)
                   : order_make(tx, c->spec, "Ada", e);
}

static int move(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return order_move(tx, c->number, c->to, c->cause, "Ada", e);
}

static int bind(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return order_bind(tx, c->number, c->fixture, c->position, c->how, "Ada", e);
}

static int unbind(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return order_unbind(tx, c->fixture, "Ada", e);
}

/* As a visit of a line does it. */
static int admit(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;
    struct act a = { .actor = "line", .fixture = "F1" };
    struct position p;

    if (unit_register(tx, c->serial, c->position, &c->eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    if (order_admit(tx, c->order, &a, &c->answer, e) != 0)
        return -1;
    return p.state == POSITION_OPEN ? 0
         : position_move(tx, &a, POSITION_OPEN, POSITION_CAUSE_SCAN, NULL, e);
}

static int end(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;
    struct position p;
    struct act a = { .actor = "line", .fixture = "F1" };

    if (position_by_eid(tx_db(tx), &c->eid, &p, e) != 0)
        return -1;
    a.position = p.id;
    return position_move(tx, &a, c->state, c->why,
                         c->state == POSITION_FAILED ? "no-card" : NULL, e);
}

#define MAKE(s) db_write(g.db, make, &(struct call){ .spec = (s) }, &e)
#define MOVE(n, t, c) db_write(g.db, move, &(struct call){ .number = n, .to = t, .cause = c }, &e)
#define ACTIVATE(n) MOVE(n, ORDER_ACTIVE, ORDER_CAUSE_ACTIVATED)
#define CLOSE(n) MOVE(n, ORDER_CLOSED, ORDER_CAUSE_CLOSED)
#define BIND(n, f, p, h) db_write(g.db, bind, &(struct call){ \
    .number = n, .fixture = f, .position = p, .how = h }, &e)
#define UNBIND(f) db_write(g.db, unbind, &(struct call){ .fixture = f }, &e)
#define END(n, s, w) db_write(g.db, end, &(struct call){ \
    .eid = ground_eid(n), .state = s, .why = w }, &e)
#define PASS(n) END(n, POSITION_PASSED, POSITION_CAUSE_EVIDENCE)
#define STOCK(n) END(n, POSITION_STOCKED, POSITION_CAUSE_KEYS_KEPT)
#define FAIL(n) END(n, POSITION_FAILED, POSITION_CAUSE_VERDICT)

static uint64_t events(struct ground *g)
{
    struct event_head head;
    struct err e = ERR_INIT;

    good(event_head(g->db, &head, &e));
    return head.number;
}

static struct order_info info(struct ground *g, const char *number)
{
    struct order_info o;
    struct err e = ERR_INIT;

    good(order_by_number(g->db, number, &o, &e));
    good(orders_cross_check(g->db, &e));
    return o;
}

/* Unit `serial`, its eUICC n at `position`, under this order: what is said. */
static enum order_answer visit(struct ground *g, const char *order,
                               const char *serial, const char *position,
                               unsigned n)
{
    struct call c = { .serial = serial, .position = position, .eid = ground_eid(n),
                      .order = info(g, order).id };
    enum order_answer before;
    struct err e = ERR_INIT;

    good(order_judge(g->db, c.order, serial, position, &before, &e));
    int rc = db_write(g->db, admit, &c, &e);
    ck_assert_msg((rc == 0) == (c.answer == ORDER_TAKES), "%s", e.msg);
    ck_assert_int_eq(before, c.answer);
    ck_assert(c.answer == ORDER_TAKES || e.msg[0]);
    return c.answer;
}

static void counts(struct ground *g, const char *number, uint64_t open,
                   uint64_t passed, uint64_t stocked, uint64_t failed)
{
    struct order_info o = info(g, number);

    ck_assert_uint_eq(o.units[ORDER_UNIT_OPEN], open);
    ck_assert_uint_eq(o.units[ORDER_UNIT_PASSED], passed);
    ck_assert_uint_eq(o.units[ORDER_UNIT_STOCKED], stocked);
    ck_assert_uint_eq(o.units[ORDER_UNIT_FAILED], failed);
}

/* An active order of this number. */
static void active(struct ground *g, const char *number, uint64_t quantity,
                   const char *recipe, const char *second)
{
    struct order_spec o = spec(number, quantity, recipe, second);
    struct err e = ERR_INIT;

    good(db_write(g->db, make, &(struct call){ .spec = &o }, &e));
    good(db_write(g->db, move, &(struct call){ .number = number, .to = ORDER_ACTIVE,
                                               .cause = ORDER_CAUSE_ACTIVATED }, &e));
}

/* --- coming ----------------------------------------------------------------------- */

START_TEST(made_and_read)
{
    static struct order_spec o, back;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    o = spec("WO-1", 100, "load provider=\"MSP A\" class=test; enable 1; close",
             "info: register");
    good(MAKE(&o));
    ck_assert_uint_eq(events(&g), 1);
    bad(MAKE(&o), ERR_CONFLICT);
    strcpy(o.number, "wo-1"); /* a scanner may well say it so */
    bad(MAKE(&o), ERR_CONFLICT);
    strcpy(o.number, "WO-2");
    o.quantity = 0;
    bad(MAKE(&o), ERR_LIMIT);
    ck_assert_uint_eq(events(&g), 1);
    o = spec("WO-1", 100, "load provider=\"MSP A\" class=test; enable 1; close",
             "info: register");
    ground_reopen(&g);
    good(order_spec_get(g.db, info(&g, "wo-1").id, &back, &e));
    ck_assert_mem_eq(&back, &o, sizeof o);
    struct order_info i = info(&g, "WO-1");
    ck_assert_int_eq(i.state, ORDER_WAITING);
    ck_assert_uint_eq(order_left(&i), 100);
    ck_assert_uint_eq(order_room(&i), 100);
    ck_assert_str_eq(i.container, "");
    bad(order_by_number(g.db, "WO-2", &i, &e), ERR_NOT_FOUND);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(imported)
{
    struct order_spec o = spec("WO-1", 5, "register", NULL);
    struct container_seen c = {
        .kind = SEEN_WORK_ORDER, .id = "00000000-0000-4000-8000-000000000001",
        .issuer = "dm-order", .sequence = 3, .created_at = GROUND_NOW,
        .not_after = GROUND_NOW + 9,
    };
    struct call call = { .spec = &o, .seen = &c };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(db_write(g.db, make, &call, &e));
    ck_assert_uint_eq(call.missing, 2);
    struct order_info i = info(&g, "WO-1");
    ck_assert_str_eq(i.container, c.id);
    ck_assert_str_eq(i.issuer, "dm-order");
    ck_assert_int_eq(i.not_after, c.not_after);
    bad(db_write(g.db, make, &call, &e), ERR_REPLAY);
    c.id = "00000000-0000-4000-8000-000000000002";
    bad(db_write(g.db, make, &call, &e), ERR_CONFLICT);
    ck_assert_uint_eq(events(&g), 1);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- states ------------------------------------------------------------------------ */

/* Every state, to every state, by every cause. */
/* As many of all as are active, in the same order; and no more than are asked for. */
static void active_alone(struct ground *g)
{
    AUTO(order_list_clear) struct order_list all = { NULL, 0 }, active = { NULL, 0 },
                                             two = { NULL, 0 };
    struct err e = ERR_INIT;
    size_t n = 0;

    good(orders_get(g->db, &all, &e));
    good(orders_active(g->db, 0, &active, &e));
    good(orders_active(g->db, 2, &two, &e));
    for (size_t i = 0; i < all.n; i++)
        if (all.v[i].state == ORDER_ACTIVE) {
            ck_assert_uint_lt(n, active.n);
            ck_assert_int_eq(active.v[n].id, all.v[i].id);
            ck_assert(n >= 2 || two.v[n].id == all.v[i].id);
            n++;
        }
    ck_assert_uint_gt(n, 2);
    ck_assert_uint_eq(active.n, n);
    ck_assert_uint_eq(two.n, 2);
}

START_TEST(states_by_the_table)
{
    struct err e = ERR_INIT;
    struct ground g;
    unsigned moved = 0;

    ground_open(&g);
    for (int n = 0; n < ORDER_STATES * ORDER_STATES * ORDER_CAUSES; n++) {
        enum order_state from = (enum order_state)(n % ORDER_STATES);
        enum order_state to = (enum order_state)(n / ORDER_STATES % ORDER_STATES);
        enum order_cause cause = (enum order_cause)(n / ORDER_STATES / ORDER_STATES);
        char number[16];
        snprintf(number, sizeof number, "WO-%d", n);
        struct order_spec o = spec(number, 1, "register", NULL);
        good(MAKE(&o));
        if (from != ORDER_WAITING)
            good(ACTIVATE(number));
        if (from == ORDER_CLOSED)
            good(CLOSE(number));
        uint64_t before = events(&g);
        if (order_transition(from, to, cause)) {
            good(MOVE(number, to, cause));
            ck_assert_uint_eq(events(&g), before + 1);
            ck_assert_int_eq(info(&g, number).state, to);
            moved++;
        } else {
            bad(MOVE(number, to, cause), ERR_WRONG_STATE);
            ck_assert_uint_eq(events(&g), before);
            ck_assert_int_eq(info(&g, number).state, from);
        }
    }
    ck_assert_uint_eq(moved, order_transition_count);
    active_alone(&g);
    bad(ACTIVATE("nothing"), ERR_NOT_FOUND);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- fixtures -------------------------------------------------------------------------- */

START_TEST(fixtures)
{
    struct order_spec o = spec("WO-1", 5, "a: register", "b: register");
    struct order_bindings all = { NULL, 0 };
    struct order_binding b;
    struct err e = ERR_INIT;
    struct ground g;
    bool any;

    ground_open(&g);
    good(MAKE(&o));
    ck_assert_int_eq(order_of_fixture(g.db, "F1", &b, &any, &e), 0);
    ck_assert(!any);
    bad(BIND("WO-1", "F1", "", ORDER_BIND_COMMAND), ERR_WRONG_STATE);
    good(ACTIVATE("WO-1"));
    ck_assert_int_eq(order_of_fixture(g.db, "F1", &b, &any, &e), 0);
    ck_assert(any);
    bad(BIND("WO-1", "F1", "c", ORDER_BIND_COMMAND), ERR_NOT_FOUND);
    bad(BIND("WO-9", "F1", "", ORDER_BIND_COMMAND), ERR_NOT_FOUND);
    bad(BIND("WO-1", "F 1", "", ORDER_BIND_COMMAND), ERR_USAGE);
    good(BIND("WO-1", "F1", "b", ORDER_BIND_COMMAND));
    uint64_t n = events(&g);
    good(BIND("WO-1", "F1", "b", ORDER_BIND_COMMAND));
    good(BIND("wo-1", "F1", "", ORDER_BIND_SCAN)); /* keeps its position */
    ck_assert_uint_eq(events(&g), n);
    ck_assert_int_eq(order_of_fixture(g.db, "F1", &b, &any, &e), 1);
    ck_assert(any && strcmp(b.position, "b") == 0 && strcmp(b.order.number, "WO-1") == 0);
    active(&g, "WO-2", 1, "register", NULL);
    good(BIND("WO-2", "F1", "", ORDER_BIND_SCAN));
    good(BIND("WO-1", "F2", "", ORDER_BIND_COMMAND));
    good(order_bindings_get(g.db, &all, &e));
    ck_assert_uint_eq(all.n, 2);
    ck_assert_str_eq(all.v[0].order.number, "WO-2");
    ck_assert_str_eq(all.v[0].position, "");
    good(UNBIND("F2"));
    bad(UNBIND("F2"), ERR_NOT_FOUND);
    good(CLOSE("WO-2"));
    good(order_bindings_get(g.db, &all, &e));
    ck_assert_uint_eq(all.n, 0);
    order_bindings_clear(&all);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- units ------------------------------------------------------------------------------- */

START_TEST(a_unit_is_counted)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    active(&g, "WO-1", 2, "load any; close", NULL);
    ck_assert_int_eq(visit(&g, "WO-1", "SN-1", "main", 1), ORDER_TAKES);
    counts(&g, "WO-1", 1, 0, 0, 0);
    uint64_t n = events(&g);
    ck_assert_int_eq(visit(&g, "WO-1", "SN-1", "main", 1), ORDER_TAKES);
    ck_assert_uint_eq(events(&g), n);
    good(FAIL(1));
    counts(&g, "WO-1", 0, 0, 0, 1);
    ck_assert_int_eq(visit(&g, "WO-1", "SN-1", "main", 1), ORDER_TAKES);
    counts(&g, "WO-1", 1, 0, 0, 0);
    good(PASS(1));
    counts(&g, "WO-1", 0, 1, 0, 0);
    ck_assert_int_eq(visit(&g, "WO-1", "SN-1", "main", 1), ORDER_DONE);
    /* Failed units make room, and need it when they come again. */
    ck_assert_int_eq(visit(&g, "WO-1", "SN-2", "main", 2), ORDER_TAKES);
    ck_assert_int_eq(visit(&g, "WO-1", "SN-3", "main", 3), ORDER_FULL);
    good(FAIL(2));
    ck_assert_int_eq(visit(&g, "WO-1", "SN-3", "main", 3), ORDER_TAKES);
    ck_assert_int_eq(visit(&g, "WO-1", "SN-2", "main", 2), ORDER_FULL);
    counts(&g, "WO-1", 1, 1, 0, 1);
    good(CLOSE("WO-1"));
    ck_assert_int_eq(visit(&g, "WO-1", "SN-3", "main", 3), ORDER_NOT_ACTIVE);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A counter that was changed behind the ledger's back is found. */
START_TEST(lies_are_found)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    active(&g, "WO-1", 2, "load any; close", NULL);
    ck_assert_int_eq(visit(&g, "WO-1", "SN-1", "main", 1), ORDER_TAKES);
    ground_balanced(g.db);
    ck_assert_int_eq(ground_sql(&g, "UPDATE work_order SET open = 0, passed = 1"), 0);
    bad(query_cross_check(g.db, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "WO-1"));
    ground_close(&g);
}
END_TEST

START_TEST(from_order_to_order)
{
    struct order_membership m[4];
    struct err e = ERR_INIT;
    struct ground g;
    size_t n;

    ground_open(&g);
    active(&g, "MAKE", 9, "register", NULL);
    active(&g, "CONF", 9, "load any; close", NULL);
    ck_assert_int_eq(visit(&g, "MAKE", "SN-1", "main", 1), ORDER_TAKES);
    ck_assert_int_eq(visit(&g, "CONF", "SN-1", "main", 1), ORDER_OTHER);
    good(STOCK(1));
    counts(&g, "MAKE", 0, 0, 1, 0);
    ck_assert_int_eq(visit(&g, "MAKE", "SN-1", "main", 1), ORDER_DONE);
    ck_assert_int_eq(visit(&g, "CONF", "SN-1", "main", 1), ORDER_TAKES);
    counts(&g, "MAKE", 0, 0, 1, 0); /* it was made */
    counts(&g, "CONF", 1, 0, 0, 0);
    ck_assert_int_eq(visit(&g, "MAKE", "SN-1", "main", 1), ORDER_OTHER);
    good(PASS(1));
    ck_assert_int_eq(visit(&g, "MAKE", "SN-1", "main", 1), ORDER_OTHER);
    good(orders_of_unit(g.db, "SN-1", m, 4, &n, &e));
    ck_assert_uint_eq(n, 2);
    ck_assert(strcmp(m[0].number, "CONF") == 0 && m[0].state == ORDER_UNIT_PASSED);
    ck_assert(strcmp(m[1].number, "MAKE") == 0 && m[1].state == ORDER_UNIT_STOCKED);

    /* What a closed order left undone may go on elsewhere; what passed not. */
    active(&g, "NEXT", 9, "load any; close", NULL);
    ck_assert_int_eq(visit(&g, "CONF", "SN-2", "main", 2), ORDER_TAKES);
    ck_assert_int_eq(visit(&g, "NEXT", "SN-2", "main", 2), ORDER_OTHER);
    good(FAIL(2));
    ck_assert_int_eq(visit(&g, "NEXT", "SN-2", "main", 2), ORDER_OTHER);
    good(CLOSE("CONF"));
    ck_assert_int_eq(visit(&g, "NEXT", "SN-2", "main", 2), ORDER_TAKES);
    ck_assert_int_eq(visit(&g, "NEXT", "SN-1", "main", 1), ORDER_OTHER);
    counts(&g, "CONF", 0, 1, 0, 1);
    counts(&g, "NEXT", 1, 0, 0, 0);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(several_positions)
{
    char missing[200];
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    active(&g, "CAR", 9, "a: load any; close", "b: load any; keep 1");
    int64_t id = info(&g, "CAR").id;
    good(order_missing(g.db, id, "SN-1", missing, sizeof missing, &e));
    ck_assert_str_eq(missing, "a, b");
    ck_assert_int_eq(visit(&g, "CAR", "SN-1", "a", 1), ORDER_TAKES);
    good(PASS(1));
    counts(&g, "CAR", 1, 0, 0, 0);
    good(order_missing(g.db, id, "SN-1", missing, sizeof missing, &e));
    ck_assert_str_eq(missing, "b");
    ck_assert_int_eq(visit(&g, "CAR", "SN-1", "b", 2), ORDER_TAKES);
    good(FAIL(2));
    counts(&g, "CAR", 0, 0, 0, 1);
    ck_assert_int_eq(visit(&g, "CAR", "SN-1", "b", 2), ORDER_TAKES);
    good(STOCK(2));
    counts(&g, "CAR", 0, 0, 1, 0);

    /* The same unit again by an order that closes both: what the other one has
     * finished does not count here. */
    active(&g, "END", 9, "b: load any; close", NULL);
    ck_assert_int_eq(visit(&g, "END", "SN-1", "b", 2), ORDER_TAKES);
    counts(&g, "END", 1, 0, 0, 0);
    good(PASS(2));
    counts(&g, "END", 0, 1, 0, 0);

    /* An order for one position does not take the unit from one for another. */
    active(&g, "LEFT", 9, "a: load any; close", NULL);
    active(&g, "RIGHT", 9, "b: load any; close", NULL);
    ck_assert_int_eq(visit(&g, "LEFT", "SN-2", "a", 3), ORDER_TAKES);
    ck_assert_int_eq(visit(&g, "RIGHT", "SN-2", "b", 4), ORDER_TAKES);
    good(PASS(3));
    good(PASS(4));
    counts(&g, "LEFT", 0, 1, 0, 0);
    counts(&g, "RIGHT", 0, 1, 0, 0);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- the stock ---------------------------------------------------------------------------- */

START_TEST(what_is_in_stock)
{
    struct order_recipe_stock s[ORDER_POSITIONS_MAX];
    struct order_spec o = spec("WO-1", 9, "load name=Name class=operational; load any; close",
                               "x: load provider=Nobody; close");
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(order_stock(g.db, &o, s, &e));
    ck_assert_uint_eq(s[0].wish[0].bpps + s[0].complete, 0);
    ground_bundle(&g, 1, 2, 6, 2);  /* three eUICCs with two each */
    ground_bundle(&g, 2, 11, 1, 1); /* one with one */
    strcpy(o.recipe[0].want[0].name, ground_bpp(g.db, 2).name);
    good(order_stock(g.db, &o, s, &e));
    ck_assert_uint_eq(s[0].wish[1].bpps, 7);
    ck_assert_uint_eq(s[0].wish[1].euiccs, s[0].complete + 1);
    ck_assert_uint_eq(s[0].complete, 3);
    ck_assert_uint_eq(s[0].iot, 0);
    ck_assert_uint_eq(s[1].wish[0].bpps + s[1].wish[0].euiccs + s[1].complete, 0);
    ground_close(&g);
}
END_TEST

/* A ledger that was at work before it knew orders: what it has is there, and of
 * what it has the class is not known. */
START_TEST(older_ledger_is_migrated)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 2, 1);
    ck_assert_int_eq(ground_bpp(g.db, 1).profile_class, 2);
    ground_back_to(&g, 5);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    ck_assert_int_eq(ground_bpp(g.db, 1).profile_class, -1);
    active(&g, "WO-1", 2, "load any; close", NULL);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "made and read", made_and_read, 1 },
        { "imported", imported, 1 },
        { "states", states_by_the_table, 1 },
        { "fixtures", fixtures, 1 },
        { "a unit is counted", a_unit_is_counted, 1 },
        { "lies", lies_are_found, 1 },
        { "from order to order", from_order_to_order, 1 },
        { "several positions", several_positions, 1 },
        { "the stock", what_is_in_stock, 1 },
        { "older ledger", older_ledger_is_migrated, 1 },
    };

    return run_tests("storage/orders", tests, sizeof tests / sizeof *tests);
}
