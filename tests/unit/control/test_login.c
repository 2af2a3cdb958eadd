/* People on the control socket: a login that takes its time holds up its own
 * client and nobody else, and ends with what it was for. */
#include "storage/health.h"
#include "tests/unit/control/house.h"

#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* error "": let in, and that is whose it is. */
static void expect(int fd, int id, const char *error, const char *member,
                   const char *value)
{
    json_t *j = house_hear(fd);
    const char *is = json_string_value(json_object_get(j, "error"));

    ck_assert_int_eq(json_integer_value(json_object_get(j, "id")), id);
    ck_assert_str_eq(is ? is : "", error);
    if (member)
        ck_assert_str_eq(json_string_value(json_object_get(j, member)), value);
    json_decref(j);
}

START_TEST(holds_up_nobody_else)
{
    struct house h;

    house_open(&h);
    int slow = house_dial(&h), quick = house_dial(&h);
    house_say(slow, "{\"id\":1,\"do\":\"login\",\"badge\":\"B-2222\",\"pin\":\"9999\"}\n"
              "{\"id\":2,\"do\":\"login\",\"badge\":\"B-2222\",\"pin\":\"4711\"}\n"
              "{\"id\":3,\"do\":\"version\"}\n{\"id\":4,\"do\":\"who\"}\n");
    shutdown(slow, SHUT_WR); /* it gets its answers all the same */
    for (int i = 0; i < 50; i++) {
        house_say(quick, "{\"id\":7,\"do\":\"version\"}\n");
        expect(quick, 7, "", "version", "9");
    }
    expect(slow, 1, "trust", NULL, NULL);
    expect(slow, 2, "", "person", "Bob");
    expect(slow, 3, "", "version", "9");
    json_t *j = house_hear(slow), *all = json_object_get(j, "sessions");
    ck_assert_uint_eq(json_array_size(all), 1);
    ck_assert_str_eq(json_string_value(json_object_get(json_array_get(all, 0), "place")),
                     "station");
    ck_assert(json_is_false(json_object_get(j, "required")));
    json_decref(j);
    close(slow);
    close(quick);
    house_close(&h);
}
END_TEST

START_TEST(refuses)
{
    struct house h;
    int n = 0;
    static const struct {
        const char *say, *error;
    } rows[] = {
        { "\"do\":\"login\"", "format" },
        { "\"do\":\"login\",\"pin\":4711", "format" },
        { "\"do\":\"login\",\"pin\":\"4711\",\"badge\":7", "format" },
        { "\"do\":\"login\",\"pin\":\"4711\"", "not-found" },
        { "\"do\":\"login\",\"pin\":\"4711\",\"badge\":\"B-2222\",\"fixture\":\"F9\"", "not-found" },
        { "\"do\":\"login\",\"pin\":\"4711\",\"badge\":\"B-2222\",\"connection\":1", "format" },
        { "\"do\":\"login\",\"pin\":\"4711\",\"badge\":\"B-2222\",\"fixture\":\"F1\",\"connection\":true", "usage" },
        { "\"do\":\"login\",\"pin\":\"4711\",\"badge\":\"\"", "usage" },
        { "\"do\":\"logout\"", "not-found" },
        { "\"do\":\"logout\",\"connection\":true", "not-found" },
        { "\"do\":\"logout\",\"fixture\":\"F1\"", "not-found" },
        { "\"do\":\"stop\"", "trust" },
        { "\"do\":\"return\"", "trust" },
        { "\"do\":\"return\",\"fixture\":\"F1\",\"serial\":\"S\",\"reason\":\"r\"", "trust" },
        { "\"do\":\"release\",\"fixture\":\"F1\"", "trust" },
        { "\"do\":\"maintained\",\"fixture\":\"F1\"", "trust" },
    };

    house_open(&h);
    int fd = house_dial(&h);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[256];
        snprintf(text, sizeof text, "{\"id\":%d,%s}\n", ++n, rows[i].say);
        house_say(fd, text);
        expect(fd, n, rows[i].error, NULL, NULL);
    }
    /* A badge and a PIN as long as they like. */
    char huge[5000], text[6000];
    memset(huge, '8', sizeof huge - 1);
    huge[sizeof huge - 1] = '\0';
    snprintf(text, sizeof text, "{\"id\":50,\"do\":\"login\",\"pin\":\"1\",\"badge\":\"%s\"}\n", huge);
    house_say(fd, text);
    expect(fd, 50, "usage", NULL, NULL);
    snprintf(text, sizeof text, "{\"id\":51,\"do\":\"login\",\"badge\":\"B-2222\",\"pin\":\"%s\"}\n", huge);
    house_say(fd, text);
    expect(fd, 51, "trust", NULL, NULL);
    ck_assert_int_eq(h.stops, 0);
    close(fd);
    house_close(&h);
}
END_TEST

static int stop_f1(struct tx *tx, void *ctx, struct err *e)
{
    struct fixture_health h;

    (void)ctx;
    return health_get(tx_db(tx), "F1", &h, e) != 0 ? -1
         : health_stop(tx, &h, "failures", "3 failures in a row", "line", e);
}

struct waiting {
    int ada, other;
    bool answered;
};

/* Within another's transaction, as if the disk were slow. */
static int ask_meanwhile(struct tx *tx, void *ctx, struct err *e)
{
    struct waiting *w = ctx;

    (void)tx, (void)e;
    house_say(w->ada, "{\"id\":2,\"do\":\"maintained\",\"fixture\":\"F1\"}\n");
    for (int i = 0; i < 20; i++)
        json_decref(house_ask(w->other, "version", "", ""));
    struct pollfd p = { .fd = w->ada, .events = POLLIN };
    w->answered = poll(&p, 1, 0) != 0;
    return 0;
}

/* What somebody does to a fixture waits for the disk; nobody else does. */
START_TEST(waits_alone)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct house house;
    struct err e = ERR_INIT;

    house_open(&house);
    house_good(db_open(house.s.data, DB_WRITE, NULL, &db, &e), &e);
    house_good(db_write(db, stop_f1, NULL, &e), &e);
    struct waiting w = { house_dial(&house), house_dial(&house), false };
    house_login(w.ada, "B-1111", "86420");
    house_good(db_write(db, ask_meanwhile, &w, &e), &e);
    ck_assert(!w.answered);
    expect(w.ada, 2, "", NULL, NULL);
    close(w.ada);
    close(w.other);
    house_close(&house);
}
END_TEST

/* A stopped fixture is released, and maintained, by who may, in their name. */
START_TEST(keeps_up_fixtures)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct fixture_health h;
    struct house house;
    char actor[129] = "";
    struct err e = ERR_INIT;

    house_open(&house);
    house_good(db_open(house.s.data, DB_WRITE, NULL, &db, &e), &e);
    house_good(db_write(db, stop_f1, NULL, &e), &e);
    int ada = house_dial(&house), bob = house_dial(&house);
    house_say(ada, "{\"id\":1,\"do\":\"login\",\"badge\":\"B-1111\",\"pin\":\"86420\",\"connection\":true}\n");
    expect(ada, 1, "", "person", "Ada");
    house_say(bob, "{\"id\":1,\"do\":\"login\",\"badge\":\"B-2222\",\"pin\":\"4711\",\"connection\":true}\n"
             "{\"id\":2,\"do\":\"release\",\"fixture\":\"F1\"}\n"
             "{\"id\":3,\"do\":\"maintained\",\"fixture\":\"F1\"}\n");
    expect(bob, 1, "", "person", "Bob");
    expect(bob, 2, "trust", NULL, NULL);
    expect(bob, 3, "trust", NULL, NULL);
    house_good(health_get(db, "F1", &h, &e), &e);
    ck_assert(h.stopped);

    house_say(ada, "{\"id\":2,\"do\":\"release\"}\n{\"id\":3,\"do\":\"release\",\"fixture\":7}\n"
             "{\"id\":4,\"do\":\"release\",\"fixture\":\"F9\"}\n"
             "{\"id\":5,\"do\":\"release\",\"fixture\":\"\"}\n"
             "{\"id\":6,\"do\":\"maintained\",\"fixture\":\"F9\"}\n"
             "{\"id\":7,\"do\":\"release\",\"fixture\":\"F1\"}\n");
    expect(ada, 2, "format", NULL, NULL);
    expect(ada, 3, "format", NULL, NULL);
    expect(ada, 4, "not-found", NULL, NULL);
    expect(ada, 5, "not-found", NULL, NULL);
    expect(ada, 6, "not-found", NULL, NULL);
    expect(ada, 7, "", NULL, NULL);
    house_good(health_get(db, "F1", &h, &e), &e);
    ck_assert(!h.stopped);
    shop_actor(&house.s, "fixture-released", actor);
    ck_assert_str_eq(actor, "Ada");
    house_say(ada, "{\"id\":8,\"do\":\"release\",\"fixture\":\"F1\"}\n"
             "{\"id\":9,\"do\":\"maintained\",\"fixture\":\"F1\"}\n");
    expect(ada, 8, "state", NULL, NULL);
    expect(ada, 9, "", NULL, NULL);
    shop_actor(&house.s, "fixture-maintained", actor);
    ck_assert_str_eq(actor, "Ada");
    close(ada);
    close(bob);
    house_close(&house);
}
END_TEST

START_TEST(a_connection_of_ones_own)
{
    struct house h;

    house_open(&h);
    int own = house_dial(&h), other = house_dial(&h);
    house_say(own, "{\"id\":1,\"do\":\"login\",\"badge\":\"B-1111\",\"pin\":\"86420\",\"connection\":true}\n");
    expect(own, 1, "", "place", "connection");
    house_say(other, "{\"id\":1,\"do\":\"login\",\"badge\":\"B-2222\",\"pin\":\"4711\"}\n");
    expect(other, 1, "", "role", "operator");
    /* What one may, another connection may not; who is at the station may not. */
    house_say(other, "{\"id\":2,\"do\":\"stop\"}\n");
    expect(other, 2, "trust", NULL, NULL);
    house_say(own, "{\"id\":2,\"do\":\"stop\"}\n");
    expect(own, 2, "", NULL, NULL);
    ck_assert_int_eq(h.stops, 1);
    house_say(own, "{\"id\":20,\"do\":\"return\"}\n"
             "{\"id\":21,\"do\":\"return\",\"fixture\":\"F1\",\"serial\":\"S\"}\n"
             "{\"id\":22,\"do\":\"return\",\"fixture\":\"F9\",\"serial\":\"S\",\"reason\":\"r\"}\n"
             "{\"id\":23,\"do\":\"return\",\"fixture\":\"F1\",\"serial\":\"S\\u001b\",\"reason\":\"r\"}\n");
    expect(own, 20, "format", NULL, NULL);
    expect(own, 21, "format", NULL, NULL);
    expect(own, 22, "not-found", NULL, NULL);
    expect(own, 23, "usage", NULL, NULL);
    /* Its scan is its person's. */
    char text[300], actor[129] = "";
    snprintf(text, sizeof text, "{\"id\":3,\"do\":\"subscribe\"}\n"
             "{\"id\":4,\"do\":\"scan\",\"line\":\"F1\\t%.32s\"}\n",
             h.s.barcode + strlen("F1\t"));
    house_say(own, text);
    for (const char *event = ""; strcmp(event, "verdict") != 0;) {
        json_t *j = house_hear(own);
        event = json_object_get(j, "event") && strcmp(json_string_value(
                    json_object_get(j, "event")), "verdict") == 0 ? "verdict" : "";
        if (*event)
            ck_assert_str_eq(json_string_value(json_object_get(j, "person")), "Ada");
        json_decref(j);
    }
    shop_actor(&h.s, "receipt", actor);
    ck_assert_str_eq(actor, "Ada");
    close(own);
    /* It ended with its connection. */
    for (int i = 0; strcmp(actor, "line") != 0; i++) {
        ck_assert_int_lt(i, 500);
        shop_actor(&h.s, "session-closed", actor);
        usleep(10000);
    }
    /* One that does not wait for its answer. */
    int gone = house_dial(&h);
    house_say(gone, "{\"id\":1,\"do\":\"login\",\"badge\":\"B-1111\",\"pin\":\"86420\",\"connection\":true}\n");
    close(gone);
    for (unsigned n = 0; n < 2; usleep(10000))
        n = shop_events(&h.s, "session-closed");
    house_say(other, "{\"id\":3,\"do\":\"logout\"}\n");
    expect(other, 3, "", NULL, NULL);
    close(other);
    house_close(&h);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "holds up nobody else", holds_up_nobody_else, 1 },
        { "refuses", refuses, 1 },
        { "keeps up fixtures", keeps_up_fixtures, 1 },
        { "waits alone", waits_alone, 1 },
        { "a connection of one's own", a_connection_of_ones_own, 1 },
    };

    return run_tests("login", tests, sizeof tests / sizeof *tests);
}
