/* Units that are made by a work order: what is loaded, in which order, how it
 * ends, and who is refused. */
#include "storage/orders.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <check.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void good(int rc, const struct err *e)
{
    ck_assert_msg(rc == 0, "%s", e->msg);
}

struct call {
    struct order_spec spec;
    const char *fixture, *position;
};

static int make(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    if (order_make(tx, &c->spec, "Ada", e) != 0 ||
        order_move(tx, c->spec.number, ORDER_ACTIVE, ORDER_CAUSE_ACTIVATED, "Ada",
                   e) != 0)
        return -1;
    return c->fixture ? order_bind(tx, c->spec.number, c->fixture, c->position,
                                   ORDER_BIND_COMMAND, "Ada", e) : 0;
}

/* An active order for units SN-#, bound to F1 (fixture NULL: to none). */
static void order_on(struct shop *s, const char *number, unsigned quantity,
                     const char *recipe, const char *second, const char *fixture)
{
    static struct call c;
    struct err e = ERR_INIT;
    struct db *db;

    c = (struct call){ .spec = { .product = "Meter", .quantity = quantity,
                                 .serials = "SN-#", .positions = second ? 2 : 1 },
                       .fixture = fixture, .position = "" };
    snprintf(c.spec.number, sizeof c.spec.number, "%s", number);
    good(order_recipe_parse(recipe, &c.spec.recipe[0], &e), &e);
    if (second)
        good(order_recipe_parse(second, &c.spec.recipe[1], &e), &e);
    good(db_open(s->data, DB_WRITE, NULL, &db, &e), &e);
    good(db_write(db, make, &c, &e), &e);
    db_close(db);
}

static void order_for(struct shop *s, const char *number, const char *recipe)
{
    order_on(s, number, 5, recipe, NULL, "F1");
}

static struct order_info info(struct shop *s, const char *number)
{
    struct order_info o;
    struct err e = ERR_INIT;
    struct db *db;

    good(db_open(s->data, DB_READ, NULL, &db, &e), &e);
    good(order_by_number(db, number, &o, &e), &e);
    good(orders_cross_check(db, &e), &e);
    db_close(db);
    return o;
}

static void start_chip(struct shop *s, int fault, unsigned at)
{
    char where[160];

    shop_where(s, fault, at, where);
    shop_start(s, &fixture_shop, where);
}

#define ONE "F1\tSN-1"

/* --- recipes ---------------------------------------------------------------------- */

START_TEST(loads_what_is_wanted)
{
    struct shop s;
    bool enabled;

    shop_open(&s, 3);
    s.names[0] = "one";
    s.names[1] = "two";
    s.names[2] = "three";
    shop_stock(&s, 0, 3);
    order_for(&s, "WO-1", "load name=three; load name=one; enable 1; close");
    start_chip(&s, CARD_FAULT_NONE, 0);
    struct shop_verdict v = shop_scan(&s, ONE);
    ck_assert_msg(v.kind == VERDICT_PASS, "%s: %s", v.code, v.detail);
    ck_assert_str_eq(v.order, "WO-1");
    ck_assert_str_eq(v.position, "main");
    ck_assert_uint_eq(v.installed, 2);
    ck_assert_uint_eq(shop_count(&s, BPP_INSTALLED), 2);
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    ck_assert_str_eq(shop_scan(&s, ONE).code, "already-done");
    shop_stop(&s);
    ck_assert(desk_has_profile(&s.d, 2, &enabled) && enabled);
    ck_assert(desk_has_profile(&s.d, 0, &enabled) && !enabled);
    ck_assert(!desk_has_profile(&s.d, 1, &enabled));
    ck_assert_uint_eq(desk_keys_left(&s.d), 0);
    ck_assert_uint_eq(info(&s, "WO-1").units[ORDER_UNIT_PASSED], 1);
    shop_close(&s);
}
END_TEST

START_TEST(enables_nothing)
{
    struct shop s;
    bool enabled;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    order_for(&s, "WO-1", "load any; close");
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, ONE, "done");
    ck_assert_ptr_null(strstr(s.steps, "enable"));
    shop_stop(&s);
    ck_assert(desk_has_profile(&s.d, 0, &enabled) && !enabled);
    shop_close(&s);
}
END_TEST

/* Results in the ledger as what the eUICC told of nobody's load here. */
static unsigned results_told(struct shop *s)
{
    char path[160];
    sqlite3 *db;
    sqlite3_stmt *q;

    snprintf(path, sizeof path, "%s/%s", s->data, LEDGER_FILE);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(db, "SELECT count(*) FROM evidence WHERE"
        " kind = 3 AND op = 128", -1, &q, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(q), SQLITE_ROW);
    unsigned n = (unsigned)sqlite3_column_int(q, 0);
    sqlite3_finalize(q);
    sqlite3_close(db);
    return n;
}

/* Loaded at another station, and not asked for by this order: its result is
 * taken off the eUICC, so it must be kept. */
START_TEST(keeps_what_others_left)
{
    struct shop s;

    shop_open(&s, 2);
    s.names[0] = "one";
    s.names[1] = "two";
    shop_stock(&s, 0, 2);
    desk_start(&s.d, NULL);
    desk_install(&s.d, 1, 1);
    desk_stop(&s.d);
    order_for(&s, "WO-1", "load name=one; enable 1; close");
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, ONE, "done");
    ck_assert_uint_eq(results_told(&s), 1);
    shop_stop(&s);
    desk_start(&s.d, NULL);
    ck_assert_uint_eq(desk_pending(&s.d), 0);
    desk_stop(&s.d);
    shop_close(&s);
}
END_TEST

/* Manufacturing Step, then Configuration Step. */
START_TEST(registers_then_configures)
{
    struct shop s;

    shop_open(&s, 2);
    order_for(&s, "MAKE", "register");
    start_chip(&s, CARD_FAULT_NONE, 0);
    struct shop_verdict v = shop_scan(&s, ONE);
    ck_assert_str_eq(v.code, "stocked");
    ck_assert_int_eq(v.kind, VERDICT_STOCKED);
    ck_assert_str_eq(s.steps, "read EID, identify, status, settle, keep keys, power off, ");
    ck_assert_str_eq(shop_scan(&s, ONE).code, "already-done");
    ck_assert_uint_eq(desk_keys_left(&s.d), 2);
    ck_assert_uint_eq(info(&s, "MAKE").units[ORDER_UNIT_STOCKED], 1);
    shop_stock(&s, 0, 1);
    order_for(&s, "CONF", "load any; enable 1; close");
    v = shop_scan(&s, ONE);
    ck_assert_msg(v.kind == VERDICT_PASS, "%s: %s", v.code, v.detail);
    ck_assert_uint_eq(info(&s, "MAKE").units[ORDER_UNIT_STOCKED], 1);
    ck_assert_uint_eq(info(&s, "CONF").units[ORDER_UNIT_PASSED], 1);
    shop_close(&s);
}
END_TEST

START_TEST(keeps_keys)
{
    struct shop s;

    shop_open(&s, 3);
    shop_stock(&s, 0, 1);
    order_for(&s, "MANY", "load any; keep 3");
    start_chip(&s, CARD_FAULT_NONE, 0);
    struct shop_verdict v = shop_scan(&s, ONE);
    ck_assert_str_eq(v.code, "keys-too-few");
    ck_assert_ptr_nonnull(strstr(v.detail, "3 one-time keys; order MANY loads 1"));
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    ck_assert_uint_eq(info(&s, "MANY").units[ORDER_UNIT_FAILED], 1);
    shop_stop(&s);
    shop_close(&s);

    shop_open(&s, 3);
    shop_stock(&s, 0, 1);
    order_for(&s, "TWO", "load any; enable 1; keep 2");
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, ONE, "stocked");
    ck_assert_uint_eq(shop_count(&s, BPP_INSTALLED), 1);
    ck_assert_uint_eq(desk_keys_left(&s.d), 2);
    ck_assert_uint_eq(shop_events(&s, "receipt"), 0);
    shop_close(&s);
}
END_TEST

/* Pulled out at every APDU of the visit: the next one goes on at what is
 * missing, and nothing is sent twice. */
START_TEST(goes_on_where_it_stopped)
{
    struct shop s;
    unsigned at = (unsigned)_i * 5 + 6;

    shop_open(&s, 3);
    s.names[0] = "one";
    s.names[1] = "two";
    s.names[2] = "not this one";
    shop_stock(&s, 0, 3);
    order_for(&s, "WO-1", "load name=two; load name=one; enable 1; keep 1");
    start_chip(&s, SHOP_UNPLUG, at);
    struct shop_verdict v = shop_scan(&s, ONE);
    shop_stop(&s);
    ck_assert(v.kind == VERDICT_FAIL || v.kind == VERDICT_STOCKED);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, ONE, v.kind == VERDICT_STOCKED ? "already-done" : "stocked");
    ck_assert_uint_eq(shop_count(&s, BPP_INSTALLED), 2);
    ck_assert_uint_eq(shop_count(&s, BPP_IN_STOCK), 1);
    ck_assert_uint_eq(desk_keys_left(&s.d), 1);
    ck_assert_uint_eq(info(&s, "WO-1").units[ORDER_UNIT_STOCKED], 1);
    shop_close(&s);
}
END_TEST

/* --- refusals ------------------------------------------------------------------------- */

START_TEST(refuses_what_is_not_its_own)
{
    struct shop s;

    shop_open(&s, 2);
    shop_stock(&s, 0, 2);
    order_on(&s, "WO-1", 1, "load any; keep 1", NULL, NULL);
    start_chip(&s, CARD_FAULT_NONE, 0);
    unsigned before = shop_apdus();
    struct shop_verdict v = shop_scan(&s, ONE);
    ck_assert_str_eq(v.code, "no-order");
    ck_assert_int_eq(v.kind, VERDICT_REFUSED);
    ck_assert_uint_eq(shop_apdus(), before);
    shop_expect(&s, "F1\torder:WO-9", "order-unknown");
    v = shop_scan(&s, "F1\tORDER:wo-1");
    ck_assert_str_eq(v.code, "order-chosen");
    ck_assert_int_eq(v.kind, VERDICT_ORDER);
    ck_assert_str_eq(v.order, "WO-1");
    v = shop_scan(&s, "F1\tSN-11");
    ck_assert_str_eq(v.code, "not-in-order");
    ck_assert(strstr(v.detail, "SN-11") && strstr(v.detail, "SN-#"));
    ck_assert_uint_eq(shop_events(&s, "unit-registered"), 0);
    shop_expect(&s, ONE, "stocked");
    order_on(&s, "WO-2", 1, "load name=none; close", NULL, "F1");
    v = shop_scan(&s, ONE);
    ck_assert_str_eq(v.code, "profile-missing");
    ck_assert_ptr_nonnull(strstr(v.detail, "order WO-2, profile 1 (name=none)"));
    ck_assert_uint_eq(info(&s, "WO-2").units[ORDER_UNIT_FAILED], 0);
    shop_expect(&s, "F1\torder:WO-1", "order-chosen");
    shop_expect(&s, ONE, "already-done");
    shop_close(&s);
}
END_TEST

START_TEST(refuses_another_orders_unit)
{
    struct desk other;
    struct shop s;
    char where[160];

    shop_open(&s, 2);
    shop_stock(&s, 0, 1);
    order_on(&s, "WO-1", 1, "load any; close", NULL, "F1");
    order_on(&s, "WO-2", 1, "load any; close", NULL, NULL);
    /* It fails, and stays WO-1's. */
    start_chip(&s, SHOP_UNPLUG, 20);
    ck_assert_int_eq(shop_scan(&s, ONE).kind, VERDICT_FAIL);
    shop_stop(&s);
    start_chip(&s, CARD_FAULT_NONE, 0);
    shop_expect(&s, "F1\torder:WO-2", "order-chosen");
    struct shop_verdict v = shop_scan(&s, ONE);
    ck_assert_str_eq(v.code, "other-order");
    ck_assert(strstr(v.detail, "WO-1") && strstr(v.detail, "WO-2"));
    shop_expect(&s, "F1\torder:WO-1", "order-chosen");
    shop_expect(&s, ONE, "done");
    shop_stop(&s);

    /* One more than it is for. */
    desk_make(&other, &(struct desk_options){
        .keys = 1, .eid = &(struct eid){ { 0x89, 0x04, 0x90, 0x32, 0x12, 0x34,
                                           0x51, 0x23, 0x45, 0x12, 0x34, 0x56,
                                           0x78, 0x90, 0x12, 0x35 } } });
    snprintf(where, sizeof where, "0@0:%s", other.path);
    shop_start(&s, &fixture_shop, where);
    v = shop_scan(&s, "F1\tSN-2");
    ck_assert_str_eq(v.code, "order-full");
    ck_assert_ptr_nonnull(strstr(v.detail, "order WO-1 is for 1 units: 1 passed"));
    ck_assert_uint_eq(shop_events(&s, "unit-registered"), 1);
    shop_stop(&s);
    desk_clear(&other);
    shop_close(&s);
}
END_TEST

/* --- several positions ------------------------------------------------------------------ */

START_TEST(passes_when_all_have)
{
    struct desk other;
    struct shop s;
    char where[160];

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    order_on(&s, "CAR", 1, "left: load any; close", "right: register", "F1");
    start_chip(&s, CARD_FAULT_NONE, 0);
    struct shop_verdict v = shop_scan(&s, ONE);
    ck_assert_str_eq(v.code, "positions-missing");
    ck_assert_int_eq(v.kind, VERDICT_INCOMPLETE);
    ck_assert_str_eq(v.position, "left");
    ck_assert_str_eq(v.detail, "left is done; missing: right");
    ck_assert_str_eq(shop_scan(&s, ONE).code, "already-done");
    shop_stop(&s);

    desk_make(&other, &(struct desk_options){
        .keys = 1, .eid = &(struct eid){ { 0x89, 0x04, 0x90, 0x32, 0x12, 0x34,
                                           0x51, 0x23, 0x45, 0x12, 0x34, 0x56,
                                           0x78, 0x90, 0x12, 0x35 } } });
    snprintf(where, sizeof where, "0@0:%s", other.path);
    shop_start(&s, &fixture_shop, where);
    v = shop_scan(&s, ONE);
    ck_assert_str_eq(v.code, "stocked");
    ck_assert_str_eq(v.position, "right");
    ck_assert_uint_eq(info(&s, "CAR").units[ORDER_UNIT_STOCKED], 1);
    shop_stop(&s);
    desk_clear(&other);

    /* A third eUICC for the same serial: there is no place for it. */
    desk_make(&other, &(struct desk_options){
        .keys = 1, .eid = &(struct eid){ { 0x89, 0x04, 0x90, 0x32, 0x12, 0x34,
                                           0x51, 0x23, 0x45, 0x12, 0x34, 0x56,
                                           0x78, 0x90, 0x13, 0x32 } } });
    snprintf(where, sizeof where, "0@0:%s", other.path);
    shop_start(&s, &fixture_shop, where);
    ck_assert_str_eq(shop_scan(&s, ONE).code, "serial-has-other-eid");
    shop_stop(&s);
    desk_clear(&other);
    shop_close(&s);
}
END_TEST

/* Fixtures whose position is proven and whose verdict is still to be found wait
 * here for each other. */
#define MEET_S 30
static struct {
    pthread_mutex_t lock;
    pthread_cond_t came;
    unsigned here;
} meeting = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 };

static void meet(const char *step)
{
    struct timespec until;

    if (strcmp(step, "power off") != 0)
        return;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += MEET_S;
    pthread_mutex_lock(&meeting.lock);
    meeting.here++;
    pthread_cond_broadcast(&meeting.came);
    while (meeting.here < 2 &&
           pthread_cond_timedwait(&meeting.came, &meeting.lock, &until) == 0)
        ;
    pthread_mutex_unlock(&meeting.lock);
}

static int bind_both(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    return order_bind(tx, "CAR", "F1", "left", ORDER_BIND_COMMAND, "Ada", e) != 0 ? -1
         : order_bind(tx, "CAR", "F2", "right", ORDER_BIND_COMMAND, "Ada", e);
}

/* Two eUICCs of one unit, in two fixtures at the same moment: both are loaded,
 * and one of them speaks for the unit. */
START_TEST(two_at_once)
{
    struct desk other;
    struct shop s;
    char where[2][160];
    struct err e = ERR_INIT;
    struct db *db;

    shop_open(&s, 1);
    shop_stock(&s, 0, 1);
    order_on(&s, "CAR", 1, "left: load any; close", "right: register", NULL);
    good(db_open(s.data, DB_WRITE, NULL, &db, &e), &e);
    good(db_write(db, bind_both, NULL, &e), &e);
    db_close(db);
    desk_make(&other, &(struct desk_options){
        .keys = 1, .eid = &(struct eid){ { 0x89, 0x04, 0x90, 0x32, 0x12, 0x34,
                                           0x51, 0x23, 0x45, 0x12, 0x34, 0x56,
                                           0x78, 0x90, 0x12, 0x35 } } });
    shop_where(&s, 0, 0, where[0]);
    snprintf(where[1], sizeof where[1], "0@0:%s", other.path);
    meeting.here = 0;
    s.at_step = meet;
    shop_start_all(&s, (const struct line_fixture[]){
        { "F1", &fixture_shop, NULL, where[0] }, { "F2", &fixture_shop, NULL, where[1] } }, 2);
    line_scan(s.line, SPAN_STR(ONE));
    line_scan(s.line, SPAN_STR("F2\tSN-1"));
    pthread_mutex_lock(&s.lock);
    while (s.verdicts < 2)
        pthread_cond_wait(&s.told, &s.lock);
    pthread_mutex_unlock(&s.lock);
    /* Whichever was later in the ledger. */
    bool left = strstr(s.codes, "F1 stocked, ") && strstr(s.codes, "F2 positions-missing, "),
         right = strstr(s.codes, "F2 stocked, ") && strstr(s.codes, "F1 positions-missing, ");
    ck_assert_msg(left != right, "%s", s.codes);
    ck_assert_uint_eq(info(&s, "CAR").units[ORDER_UNIT_STOCKED], 1);
    ck_assert_uint_eq(shop_count(&s, BPP_INSTALLED), 1);
    shop_stop(&s);
    desk_clear(&other);
    shop_close(&s);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "loads what is wanted", loads_what_is_wanted, 1 },
        { "enables nothing", enables_nothing, 1 },
        { "keeps what others left", keeps_what_others_left, 1 },
        { "registers, then configures", registers_then_configures, 1 },
        { "keeps keys", keeps_keys, 1 },
        { "goes on", goes_on_where_it_stopped, 14 },
        { "refuses", refuses_what_is_not_its_own, 1 },
        { "another order's unit", refuses_another_orders_unit, 1 },
        { "several positions", passes_when_all_have, 1 },
        { "two at once", two_at_once, 1 },
    };

    return run_tests("line/orders", tests, sizeof tests / sizeof *tests);
}
