/* Acts on the control socket: allowed to those who may, in their name, and to
 * nobody else; what is malformed changes nothing. */
#include "tests/unit/control/house.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static json_t *done(int fd, const char *verb, const char *members)
{
    json_t *j = house_ask(fd, verb, members, ""), *a = json_object_get(j, "answer");

    if (a)
        schema_check_answer(verb, j);
    a = a ? json_incref(a) : json_null();
    json_decref(j);
    return a;
}

static const char *text(const json_t *a, const char *member)
{
    const char *s = json_string_value(json_object_get(a, member));

    return s ? s : "";
}

static void expect(int fd, const char *verb, const char *members, const char *member,
                   const char *value)
{
    json_t *a = done(fd, verb, members);

    ck_assert_str_eq(text(a, member), value);
    json_decref(a);
}

struct row {
    const char *verb, *members, *error;
};

static void refused(int fd, const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        json_decref(house_ask(fd, rows[i].verb, rows[i].members, rows[i].error));
}
#define REFUSED(fd, rows) refused(fd, rows, sizeof rows / sizeof *rows)

static void expect_actor(struct house *h, const char *kind, const char *who)
{
    char actor[129] = "";

    shop_actor(&h->s, kind, actor);
    ck_assert_str_eq(actor, who);
}

#define RECIPE "\"recipes\":[\"load any; close\"]"
#define MAKE "\"order\":\"A-1\",\"product\":\"meter\",\"quantity\":1," RECIPE

/* --- orders and shifts ----------------------------------------------------------- */

START_TEST(orders_and_shifts)
{
    struct house h;
    static const struct row before[] = {
        { "order-make", MAKE, "trust" },
        { "order-close", "\"order\":\"A-1\"", "trust" },
        { "order-bind", "\"order\":\"A-1\",\"fixture\":\"F1\"", "trust" },
        { "order-unbind", "\"fixture\":\"F1\"", "trust" },
        { "shift-open", "", "trust" },
    };
    static const struct row malformed[] = {
        { "order-make", "", "format" },
        { "order-make", "\"order\":\"A-1\",\"product\":\"m\",\"quantity\":1", "format" },
        { "order-make", "\"order\":\"A-1\",\"product\":\"m\",\"quantity\":1,\"recipes\":[]", "format" },
        { "order-make", "\"order\":\"A-1\",\"product\":\"m\",\"quantity\":1,\"recipes\":[7]", "format" },
        { "order-make", "\"order\":\"A-1\",\"product\":\"m\",\"quantity\":1,\"recipes\":[\"fly\"]", "format" },
        { "order-make", "\"order\":\"A-1\",\"product\":\"m\",\"quantity\":0," RECIPE, "format" },
        { "order-make", "\"order\":\"A 1\",\"product\":\"m\",\"quantity\":1," RECIPE, "usage" },
        { "order-make", "\"order\":\"A-1\",\"product\":\"m\"," RECIPE, "usage" },
        { "order-make", "\"order\":\"0123456789012345678901234567890123456789\","
                        "\"product\":\"m\",\"quantity\":1," RECIPE, "usage" },
        { "order-activate", "", "format" },    { "order-activate", "\"order\":1", "format" },
        { "order-close", "\"order\":\"A-9\"", "not-found" },
        { "order-bind", "\"order\":\"A-1\"", "format" },
        { "order-unbind", "", "format" },      { "shift-open", "\"name\":7", "format" },
        { "shift-close", "\"to\":\"stick\"", "usage" },
        { "shift-close", "\"to\":\"/no/such/folder\"", "io" },
    };

    house_open(&h);
    int bob = house_dial(&h), cyd = house_dial(&h), nobody = house_dial(&h);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        json_decref(house_ask(nobody, before[i].verb, before[i].members, "trust"));
    house_login(bob, "B-2222", "4711");
    house_login(cyd, "B-3333", "90210");
    REFUSED(bob, before);
    REFUSED(cyd, malformed);
    expect(cyd, "order-make", MAKE, "state", "waiting");
    json_decref(house_ask(cyd, "order-make", MAKE, "conflict"));
    json_decref(house_ask(bob, "order-activate", "\"order\":\"A-1\"", "trust"));
    expect(cyd, "order-activate", "\"order\":\"A-1\"", "order", "A-1");
    expect_actor(&h, "order-moved", "Cyd");
    expect(cyd, "order-bind", "\"order\":\"A-1\",\"fixture\":\"F1\"", "state", "active");
    json_decref(done(cyd, "order-unbind", "\"fixture\":\"F1\""));
    expect(cyd, "order-close", "\"order\":\"A-1\"", "state", "closed");
    /* Refused because of what is in stock: what stands against it is told. */
    json_decref(done(cyd, "order-make", "\"order\":\"A-2\",\"product\":\"m\",\"quantity\":5,"
                     "\"recipes\":[\"load name=\\\"no such\\\"; close\"]"));
    json_t *j = house_ask(cyd, "order-activate", "\"order\":\"A-2\"", "state");
    schema_check_answer("order-activate", j);
    json_t *a = json_object_get(j, "answer");
    ck_assert(json_is_false(json_object_get(a, "activated")));
    ck_assert(json_array_size(json_object_get(a, "findings")) > 0);
    json_decref(j);

    json_decref(done(cyd, "shift-open", "\"name\":\"early\""));
    json_decref(house_ask(cyd, "shift-open", "", "state"));
    expect_actor(&h, "shift-opened", "Cyd");
    close(bob);
    close(cyd);
    close(nobody);
    house_close(&h);
}
END_TEST

START_TEST(nobody_is_known)
{
    struct house h;

    house_open_empty(&h);
    int fd = house_dial(&h);
    expect(fd, "order-make", MAKE, "state", "waiting");
    expect_actor(&h, "order-made", "engineer");
    close(fd);
    house_close(&h);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "orders and shifts", orders_and_shifts, 1 },
        { "nobody is known", nobody_is_known, 1 },
    };

    return run_tests("acts", tests, sizeof tests / sizeof *tests);
}
