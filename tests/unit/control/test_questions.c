/* Questions to the ledger on the control socket: what they answer, what they
 * refuse, and that they hold up nobody. */
#include "station/base/clock.h"
#include "storage/orders.h"
#include "storage/places.h"
#include "storage/quarantine.h"
#include "storage/shifts.h"
#include "station/shift/shift.h"
#include "tests/unit/control/house.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static json_t *answer(int fd, const char *verb, const char *members)
{
    json_t *j = house_ask(fd, verb, members, "");

    schema_check_answer(verb, j);
    json_t *a = json_incref(json_object_get(j, "answer"));
    json_decref(j);
    return a;
}

static json_t *at(const json_t *a, const char *member, size_t i)
{
    return json_array_get(json_object_get(a, member), i);
}

static long long number(const json_t *a, const char *member)
{
    return json_integer_value(json_object_get(a, member));
}

static const char *text(const json_t *a, const char *member)
{
    const char *s = json_string_value(json_object_get(a, member));

    return s ? s : "";
}

static void write_ledger(struct house *h, tx_fn *fn, void *ctx)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;

    house_good(db_open(h->s.data, DB_WRITE, NULL, &db, &e), &e);
    house_good(db_write(db, fn, ctx, &e), &e);
}

static int day_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct order_spec s = { .number = "A-1", .product = "meter", .quantity = 5,
                            .serials = "*" };
    struct shift shift;

    (void)ctx;
    if (order_recipe_parse("load any; close", &s.recipe[s.positions++], e) != 0 ||
        order_make(tx, &s, "Ada", e) != 0)
        return -1;
    snprintf(s.number, sizeof s.number, "A-2");
    return order_make(tx, &s, "Ada", e) != 0 ||
           shift_open(tx, "early", "Ada", &shift, e) != 0 ||
           place_label(tx, "1-2", "F7", "Ada", e) != 0 ||
           place_allow(tx, "1-2", true, "Ada", e) != 0 ? -1 : 0;
}

/* One unit, which passes. */
static void make_a_unit(struct house *h, int fd)
{
    char line[300];

    snprintf(line, sizeof line, "\"line\":\"F1\\t%.32s\"", h->s.barcode + 3);
    json_decref(house_ask(fd, "subscribe", "", ""));
    json_decref(house_hear(fd)); /* the snapshot */
    json_decref(house_ask(fd, "scan", line, ""));
    for (bool ended = false; !ended;) {
        json_t *j = house_hear(fd);
        ended = strcmp(text(j, "event"), "verdict") == 0;
        if (ended)
            ck_assert_str_eq(text(j, "verdict"), "PASS");
        json_decref(j);
    }
    close(fd);
}

START_TEST(answers)
{
    struct house h;
    char members[300];

    house_open(&h);
    write_ledger(&h, day_tx, NULL);
    make_a_unit(&h, house_dial(&h));
    int fd = house_dial(&h);

    snprintf(members, sizeof members, "\"what\":\"%.32s\"", h.s.barcode + 3);
    json_t *a = answer(fd, "unit", members), *life = at(a, "units", 0);
    ck_assert(json_is_true(json_object_get(life, "registered")));
    ck_assert_str_eq(text(at(at(life, "positions", 0), "bpps", 0), "state"), "installed");
    json_decref(a);
    snprintf(members, sizeof members, "\"what\":\"%.32s\",\"by\":\"eid\"", h.s.barcode + 3);
    json_decref(answer(fd, "unit", members));

    a = answer(fd, "units", "\"state\":\"passed\",\"limit\":1,\"since\":\"2020-01-01\"");
    ck_assert_int_eq(json_array_size(json_object_get(a, "units")), 1);
    json_decref(a);

    a = answer(fd, "stock", "");
    ck_assert_int_eq(number(at(a, "bundles", 0), "installed"), 1);
    ck_assert_int_eq(number(json_object_get(a, "forecast"), "left"), 0);
    json_decref(a);

    a = answer(fd, "orders", "");
    ck_assert_int_eq(json_array_size(json_object_get(a, "orders")), 2);
    ck_assert(json_is_false(json_object_get(a, "more")));
    json_decref(a);
    a = answer(fd, "orders", "\"limit\":1");
    ck_assert_str_eq(text(at(a, "orders", 0), "order"), "A-2");
    ck_assert(json_is_true(json_object_get(a, "more")));
    json_decref(a);
    a = answer(fd, "orders", "\"before\":\"a-2\"");
    ck_assert_str_eq(text(at(a, "orders", 0), "order"), "A-1");
    json_decref(a);
    a = answer(fd, "order", "\"order\":\"A-1\"");
    ck_assert_str_eq(text(a, "state"), "waiting");
    ck_assert_int_eq(number(at(a, "stock", 0), "complete"), 0);
    ck_assert(json_array_size(json_object_get(a, "findings")) > 0);
    json_decref(a);

    a = answer(fd, "fixtures", "");
    ck_assert_str_eq(text(at(a, "labels", 0), "label"), "F7");
    ck_assert_str_eq(text(at(json_object_get(a, "health"), "fixtures", 0), "fixture"), "F1");
    ck_assert_uint_eq(json_array_size(json_object_get(a, "positions")), 0);
    json_decref(a);
    a = answer(fd, "trends", "");
    const json_t *trend = at(a, "fixtures", 0), *step = at(trend, "steps", 0);
    ck_assert_str_eq(text(trend, "fixture"), "F1");
    ck_assert_int_eq(number(step, "good"), 1);
    ck_assert_int_gt(number(step, "ms"), 0);
    ck_assert_int_eq(number(a, "unitsOfAStep"), 10);
    json_decref(a);
    a = answer(fd, "trends", "\"fixture\":\"F1\"");
    ck_assert_int_eq(number(json_object_get(at(a, "fixtures", 0), "all"), "good"), 1);
    json_decref(a);

    a = answer(fd, "settings", "");
    ck_assert_int_eq(number(a, "quarantineLimit"), 3);
    ck_assert_int_eq(number(json_object_get(a, "fixtureLimits"), "yield"), 70);
    ck_assert_int_eq(number(json_object_get(a, "rules"), "idleMinutes"), 30);
    json_decref(a);

    a = answer(fd, "quarantine", "");
    ck_assert_int_eq(number(a, "limit"), 3);
    json_decref(a);

    a = answer(fd, "shift", "");
    ck_assert_str_eq(text(a, "name"), "early");
    ck_assert_int_eq(number(json_object_get(json_object_get(a, "total"), "unit"), "passed"), 1);
    json_decref(a);
    a = answer(fd, "shifts", "\"limit\":5");
    ck_assert_int_eq(number(at(a, "shifts", 0), "shift"), 1);
    json_decref(a);
    a = answer(fd, "day", "");
    ck_assert_int_eq(json_array_size(json_object_get(a, "shifts")), 1);
    json_decref(a);

    a = answer(fd, "log", "\"limit\":2");
    long long newest = number(at(a, "events", 0), "event");
    ck_assert_int_eq(number(at(a, "events", 1), "event"), newest - 1);
    ck_assert_int_eq(number(json_object_get(a, "chain"), "event"), newest);
    ck_assert_str_eq(text(json_object_get(a, "chain"), "hash"),
                     text(at(a, "events", 0), "hash"));
    json_decref(a);
    a = answer(fd, "log", "\"kind\":\"shift-opened\",\"actor\":\"Ada\"");
    ck_assert_int_eq(json_array_size(json_object_get(a, "events")), 1);
    json_decref(a);

    json_decref(answer(fd, "reports", "\"open\":true"));
    a = answer(fd, "people", "");
    ck_assert_int_eq(json_array_size(json_object_get(a, "people")), 4);
    json_decref(a);
    json_decref(answer(fd, "rights", ""));
    a = answer(fd, "about", "");
    ck_assert_str_eq(text(a, "version"), "9");
    ck_assert_int_eq(number(json_object_get(a, "certificate"), "sequence"), 1);
    json_decref(a);
    a = answer(fd, "doctor", "");
    ck_assert(json_array_size(json_object_get(a, "findings")) > 5);
    json_decref(a);
    close(fd);
    house_close(&h);
}
END_TEST

START_TEST(refuses)
{
    struct house h;
    static const struct {
        const char *verb, *members, *error;
    } rows[] = {
        { "unit", "", "format" },
        { "unit", "\"what\":7", "format" },
        { "unit", "\"what\":\"\"", "usage" },
        { "unit", "\"what\":\"S\\u001b\"", "usage" },
        { "unit", "\"what\":\"no such unit\"", "not-found" },
        { "unit", "\"what\":\"S\",\"by\":\"name\"", "usage" },
        { "unit", "\"what\":\"S\",\"by\":\"eid\"", "usage" },
        { "units", "\"state\":\"fine\"", "usage" },
        { "units", "\"limit\":0", "format" },
        { "units", "\"limit\":1001", "format" },
        { "units", "\"limit\":\"5\"", "format" },
        { "units", "\"before\":-1", "format" },
        { "units", "\"since\":\"soon\"", "usage" },
        { "reports", "\"open\":1", "format" },
        { "orders", "\"before\":\"A-9\"", "not-found" },
        { "order", "", "format" },
        { "order", "\"order\":\"A-9\"", "not-found" },
        { "shift", "", "not-found" },
        { "shift", "\"shift\":4294967296", "format" },
        { "shift", "\"shift\":7", "not-found" },
        { "day", "\"day\":\"Monday\"", "usage" },
        { "log", "\"until\":20261128", "format" },
        { "log", "\"limit\":1e3", "format" },
        { "answer", "", "not-found" },
    };

    house_open(&h);
    int fd = house_dial(&h);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_decref(house_ask(fd, rows[i].verb, rows[i].members, rows[i].error));
    json_decref(answer(fd, "stock", ""));
    close(fd);
    house_close(&h);
}
END_TEST

/* 1000 events of more than 4 KiB. */
static int fat_tx(struct tx *tx, void *ctx, struct err *e)
{
    static char filling[4400];

    (void)ctx;
    memset(filling, 'x', sizeof filling - 1);
    const struct event_field f = { "text", filling };
    for (int i = 0; i < 1000; i++)
        if (event_append(tx, "test", "Ada", &f, 1, NULL, e) != 0)
            return -1;
    return 0;
}

#define HELD 1003

/* In a shift, of one unit: a thousand events and one more. */
static int long_life(struct tx *tx, void *ctx, struct err *e)
{
    const struct event_field f = { "serial", "SN-0" };
    struct shift s;

    (void)ctx;
    for (int i = 0; i < 1001; i++)
        if (event_append(tx, "test", "Ada", &f, 1, NULL, e) != 0)
            return -1;
    return shift_open(tx, "long", "Ada", &s, e);
}

static void long_answers(int fd)
{
    json_t *a = answer(fd, "unit", "\"what\":\"SN-0\""), *life = at(a, "units", 0);

    ck_assert_uint_eq(json_array_size(json_object_get(life, "events")), 1000);
    ck_assert(json_is_true(json_object_get(life, "more")));
    json_decref(a);
    a = answer(fd, "shift", "\"limit\":2");
    ck_assert_uint_eq(json_array_size(json_object_get(a, "bundles")), 2);
    ck_assert(json_is_true(json_object_get(a, "more")));
    json_decref(a);
    a = answer(fd, "shift", "\"before\":\"00000000-0000-4000-8000-000000000003\"");
    ck_assert_uint_eq(json_array_size(json_object_get(a, "bundles")), 2);
    ck_assert(json_is_false(json_object_get(a, "more")));
    json_decref(a);
    json_decref(house_ask(fd, "shift", "\"before\":\"nothing\"", "not-found"));
}

static int hold_many(struct tx *tx, void *ctx, struct err *e)
{
    const struct visit_end end = { "no-evidence", "load", HOLD_AT_ONCE, false, 1 };
    struct act a = { .actor = "line", .fixture = "F1" };
    struct position p;
    char serial[16];

    (void)ctx;
    for (unsigned i = 0; i < HELD; i++) {
        const struct eid eid = { { 0x89, (uint8_t)(i >> 8), (uint8_t)i } };
        snprintf(serial, sizeof serial, "SN-%u", i);
        if (unit_register(tx, serial, POSITION_MAIN, &eid, &a, &p, e) != 0)
            return -1;
        a.position = p.id;
        if (position_fail(tx, &a, &end, e) != 0)
            return -1;
    }
    return 0;
}

/* A page of `n`, of which the first is this unit; the number of its event. */
static long long held_page(int fd, const char *members, size_t n, const char *first,
                           bool more)
{
    json_t *a = answer(fd, "quarantine", members);

    ck_assert_uint_eq(json_array_size(json_object_get(a, "units")), n);
    ck_assert_str_eq(text(at(a, "units", 0), "serial"), first);
    ck_assert_int_eq(json_is_true(json_object_get(a, "more")), more);
    long long event = number(at(a, "units", 0), "event");
    json_decref(a);
    return event;
}

static void stock_page(int fd, const char *members, size_t n, bool more)
{
    json_t *a = answer(fd, "stock", members);

    ck_assert_uint_eq(json_array_size(json_object_get(a, "bundles")), n);
    ck_assert_int_eq(json_is_true(json_object_get(a, "more")), more);
    ck_assert_int_eq(number(json_object_get(a, "total"), "received"), 1);
    ck_assert(json_is_true(json_object_get(a, "addsUp")));
    json_decref(a);
}

/* However much there is, nothing of it is told twice. */
static void has_pages(struct house *h, int fd)
{
    char members[80];

    write_ledger(h, hold_many, NULL);
    shop_stock(&h->s, 0, 0); /* two more, of nothing */
    shop_stock(&h->s, 0, 0);
    snprintf(members, sizeof members, "\"before\":%lld",
             held_page(fd, "", 1000, "SN-3", true));
    held_page(fd, members, 3, "SN-0", false);
    snprintf(members, sizeof members, "\"limit\":2,\"before\":%lld",
             held_page(fd, "\"limit\":1", 1, "SN-1002", true));
    held_page(fd, members, 2, "SN-1000", true);
    stock_page(fd, "", 3, false);
    stock_page(fd, "\"limit\":2", 2, true);
    stock_page(fd, "\"limit\":2,\"before\":\"00000000-0000-4000-8000-000000000002\"", 1, false);
    stock_page(fd, "\"before\":\"00000000-0000-4000-8000-000000000001\"", 0, false);
    json_decref(house_ask(fd, "stock", "\"before\":\"nothing\"", "not-found"));
    json_decref(house_ask(fd, "stock", "\"limit\":0", "format"));
    json_decref(house_ask(fd, "quarantine", "\"limit\":1001", "format"));
    write_ledger(h, long_life, NULL);
    long_answers(fd);
}

START_TEST(is_never_cut)
{
    struct house h;

    house_open(&h);
    write_ledger(&h, fat_tx, NULL);
    int fd = house_dial(&h);
    json_decref(house_ask(fd, "log", "\"limit\":1000", "limit"));
    json_t *a = answer(fd, "log", "\"limit\":800");
    ck_assert_int_eq(json_array_size(json_object_get(a, "events")), 800);
    json_decref(a);
    has_pages(&h, fd);
    close(fd);
    house_close(&h);
}
END_TEST

/* All that was said before has been read. Answers to it may come first; how many
 * came. */
static unsigned is_read(int fd)
{
    house_say(fd, "{\"id\":999,\"do\":\"version\"}\n");
    for (unsigned before = 0;; before++) {
        json_t *j = house_hear(fd);
        bool version = number(j, "id") == 999;
        json_decref(j);
        if (version)
            return before;
    }
}

/* Who asks for much that takes its time gets some of it, is told that the rest
 * is too much, and asks on meanwhile. */
START_TEST(holds_up_nobody)
{
    struct house h;
    unsigned done = 0, busy = 0;
    bool first = false;

    house_open(&h);
    int fd = house_dial(&h);
    for (int i = 1; i <= 300; i++) {
        char request[64];
        snprintf(request, sizeof request, "{\"id\":%d,\"do\":\"doctor\"}\n", i);
        house_say(fd, request);
    }
    house_say(fd, "{\"id\":999,\"do\":\"version\"}\n");
    for (int i = 0; i < 301; i++) {
        json_t *j = house_hear(fd);
        bool version = number(j, "id") == 999;
        first |= version && done < 300 - busy;
        busy += strcmp(text(j, "error"), "busy") == 0;
        done += !version && json_is_true(json_object_get(j, "ok"));
        json_decref(j);
    }
    ck_assert_int_eq(done + busy, 300);
    ck_assert_int_ge(done, 64);
    ck_assert_int_gt(busy, 0);
    ck_assert(first);
    /* Not wanted any more: at the latest when it was begun. */
    for (int i = 1; i <= 20; i++) {
        char request[64];
        snprintf(request, sizeof request, "{\"id\":\"d%d\",\"do\":\"doctor\"}\n", i);
        house_say(fd, request);
    }
    json_decref(house_ask(fd, "cancel", "\"job\":\"d20\"", ""));
    bool stopped = false;
    for (int i = 0; i < 20; i++) {
        json_t *j = house_hear(fd);
        if (strcmp(text(j, "id"), "d20") == 0)
            stopped = strcmp(text(j, "error"), "state") == 0;
        json_decref(j);
    }
    ck_assert(stopped);
    json_decref(house_ask(fd, "cancel", "\"job\":\"d20\"", "not-found"));
    json_decref(house_ask(fd, "cancel", "", "format"));
    close(fd);
    /* What the dead asked for is not done; the others' is. */
    int dead = house_dial(&h), other = house_dial(&h);
    for (int i = 1; i <= 60; i++)
        house_say(dead, "{\"id\":1,\"do\":\"doctor\"}\n");
    is_read(dead);
    close(dead);
    for (int i = 0; i < 20; i++)
        json_decref(answer(other, "stock", ""));
    /* The line ends with all of it in the queue. */
    for (int i = 1; i <= 60; i++)
        house_say(other, "{\"id\":1,\"do\":\"doctor\"}\n");
    is_read(other);
    house_close(&h);
    close(other);
}
END_TEST

/* Nor do those who act wait for what anybody may ask. */
START_TEST(holds_up_no_act)
{
    struct house h;
    unsigned done = 0;

    house_open(&h);
    int asks = house_dial(&h), ada = house_dial(&h);
    house_login(ada, "B-1111", "86420");
    for (int i = 1; i <= 60; i++)
        house_say(asks, "{\"id\":1,\"do\":\"doctor\"}\n");
    done += is_read(asks); /* they are in the queue */
    json_decref(house_ask(ada, "media", "\"folder\":\"/tmp\"", ""));
    house_say(asks, "{\"id\":2,\"do\":\"version\"}\n");
    for (bool came = false; !came; done++) {
        json_t *j = house_hear(asks);
        came = number(j, "id") == 2;
        json_decref(j);
    }
    ck_assert_uint_lt(done, 60);
    close(asks);
    close(ada);
    house_close(&h);
}
END_TEST

struct posted {
    json_int_t id;
    bool came;
};

static void on_reply(void *ctx, const json_t *j)
{
    struct posted *p = ctx;

    p->came |= !json_object_get(j, "event") && number(j, "id") == p->id &&
               json_is_true(json_object_get(j, "ok"));
}

/* A client of ours that does not wait. */
START_TEST(is_posted)
{
    struct house h;
    struct client *c;
    struct posted p = { .came = false };
    struct err e = ERR_INIT;
    json_t *reply;

    house_open(&h);
    house_good(client_open(h.s.data, on_reply, &p, &c, &e), &e);
    house_good(client_post(c, CONTROL_DOCTOR, NULL, &p.id, &e), &e);
    house_good(client_ask(c, CONTROL_VERSION, NULL, &reply, &e), &e);
    json_decref(reply);
    while (!p.came)
        house_good(client_next(c, 60000, &e), &e);
    house_good(client_ask_long(c, CONTROL_STOCK, NULL, &reply, &e), &e);
    schema_check_answer("stock", reply);
    json_decref(reply);
    client_close(c);
    house_close(&h);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "answers", answers, 1 },
        { "refuses", refuses, 1 },
        { "is never cut", is_never_cut, 1 },
        { "holds up nobody", holds_up_nobody, 1 },
        { "holds up no act", holds_up_no_act, 1 },
        { "is posted", is_posted, 1 },
    };

    return run_tests("questions", tests, sizeof tests / sizeof *tests);
}
