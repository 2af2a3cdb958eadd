/* Acts on the control socket: allowed to those who may, in their name, and to
 * nobody else; what is malformed changes nothing. */
#include "storage/quarantine.h"
#include "station/control/needs.h"
#include "station/control/office.h"
#include "tests/unit/control/house.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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

/* --- what is held back --------------------------------------------------------------- */

static int hold_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct house *h = ctx;
    const struct visit_end end = { "no-evidence", "load", HOLD_AT_ONCE, false, 1 };
    struct act a = { .actor = "line", .fixture = "F1" };
    struct position p;

    if (unit_register(tx, "SN-1", POSITION_MAIN, &h->s.d.eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    return position_fail(tx, &a, &end, e);
}

static void hold(struct house *h)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;

    house_good(db_open(h->s.data, DB_WRITE, NULL, &db, &e), &e);
    house_good(db_write(db, hold_tx, h, &e), &e);
}

#define BOB "\"second\":{\"badge\":\"B-2222\",\"pin\":\"4711\"}"
#define ADA "\"second\":{\"badge\":\"B-1111\",\"pin\":\"86420\"}"
#define DAN "\"second\":{\"badge\":\"B-4444\",\"pin\":\"27182\"}"
#define SELF "\"second\":{\"badge\":\"B-3333\",\"pin\":\"90210\"}"
#define WRONG "\"second\":{\"badge\":\"B-2222\",\"pin\":\"4712\"}"
#define EID_2 "89049032123451234512345678901235"

START_TEST(takes_two)
{
    struct house h;
    char members[300];
    static const struct row rows[] = {
        { "quarantine-release", "\"serial\":\"SN-1\"", "trust" }, /* alone */
        { "quarantine-release", "\"serial\":\"SN-1\",\"second\":7", "format" },
        { "quarantine-release", "\"serial\":\"SN-1\",\"second\":{\"badge\":\"B-2222\"}", "format" },
        { "quarantine-release", "\"serial\":\"SN-1\"," SELF, "trust" },
        { "quarantine-release", "\"serial\":\"SN-1\"," WRONG, "trust" },
        { "quarantine-release", "\"serial\":\"SN-1\"," DAN, "trust" },
        { "quarantine-release", "\"serial\":\"SN-9\"," BOB, "not-found" },
        { "quarantine-release", BOB, "format" },
        { "quarantine-resolve", "\"serial\":\"SN-1\",\"reason\":\"\"," BOB, "usage" },
        { "quarantine-scrap", "\"serial\":\"SN-1\",\"reason\":7," BOB, "format" },
        { "quarantine-limit", "\"limit\":21", "format" },
        { "quarantine-limit", "", "usage" },
        { "void", "\"reason\":\"r\"," ADA, "usage" },
        { "void", "\"scrapped\":true,\"bundle\":\"x\",\"reason\":\"r\"," ADA, "usage" },
        { "void", "\"scrapped\":true," ADA, "format" },
        { "void", "\"scrapped\":true,\"reason\":\"\"," ADA, "usage" },
        { "void", "\"eid\":\"7\",\"reason\":\"r\"," ADA, "usage" },
        { "void", "\"transactionId\":\"7\",\"reason\":\"r\"," ADA, "usage" },
        { "void", "\"bundle\":\"x\",\"reason\":\"r\"," ADA, "not-found" },
        { "replace", "\"serial\":\"SN-1\",\"position\":\"main\",\"reason\":\"r\"," BOB, "format" },
        { "replace", "\"serial\":\"SN-1\",\"position\":\"main\",\"reason\":\"r\","
                     "\"newEid\":\"8\"," BOB, "usage" },
        { "replace", "\"serial\":\"SN-1\",\"position\":\"main\",\"reason\":\"r\","
                     "\"newEid\":\"" EID_2 "\"", "trust" },
        { "imei", "\"serial\":\"SN-1\",\"position\":\"main\",\"imei\":\"7\"", "usage" },
        { "imei", "\"serial\":\"SN-1\",\"position\":\"main\"", "format" },
    };

    house_open(&h);
    hold(&h);
    int bob = house_dial(&h), cyd = house_dial(&h);
    house_login(bob, "B-2222", "4711");
    house_login(cyd, "B-3333", "90210");
    REFUSED(cyd, rows);
    json_decref(house_ask(bob, "quarantine-limit", "\"limit\":4", "trust"));
    json_decref(done(cyd, "quarantine-limit", "\"limit\":4"));
    /* An operator may come first where an engineer is the second. */
    expect(bob, "quarantine-resolve", "\"serial\":\"SN-1\",\"reason\":\"seen\"," SELF, "act", "resolve");
    expect_actor(&h, "position-moved", "Bob");
    expect(cyd, "quarantine-scrap", "\"serial\":\"SN-1\"," BOB, "serial", "SN-1");
    snprintf(members, sizeof members, "\"eid\":\"%.32s\",\"reason\":\"spoilt\"," BOB,
             h.s.barcode + 3);
    json_decref(house_ask(cyd, "void", members, "trust"));
    snprintf(members, sizeof members, "\"eid\":\"%.32s\",\"reason\":\"spoilt\"," ADA,
             h.s.barcode + 3);
    json_t *a = done(cyd, "void", members);
    ck_assert_int_eq(json_integer_value(json_object_get(a, "voided")), 1);
    json_decref(a);
    json_decref(house_ask(cyd, "replace", "\"serial\":\"SN-1\",\"position\":\"main\","
                          "\"reason\":\"r\",\"newEid\":\"" EID_2 "\"," BOB, "state"));
    json_decref(done(cyd, "imei", "\"serial\":\"SN-1\",\"position\":\"main\",\"imei\":\"490154203237518\""));
    json_decref(house_ask(cyd, "imei", "\"serial\":\"SN-1\",\"position\":\"main\","
                          "\"imei\":\"356938035643809\"", "conflict"));
    a = done(cyd, "imei", "\"serial\":\"SN-1\",\"position\":\"main\",\"imei\":\"356938035643809\","
             "\"reason\":\"wrong label\"," BOB);
    ck_assert_str_eq(text(a, "before"), "490154203237518");
    json_decref(a);
    close(bob);
    close(cyd);
    house_close(&h);
}
END_TEST

/* --- fixtures ---------------------------------------------------------------------------- */

/* F1, in what is said and in what is shown. */
static void stands_at(int fd, int row, int column)
{
    json_t *all = house_ask(fd, "snapshot", "", ""), *one;
    size_t i;
    bool found = false;

    json_array_foreach(json_object_get(json_object_get(all, "state"), "fixtures"), i, one)
        if (strcmp(text(one, "fixture"), "F1") == 0)
            found = json_integer_value(json_object_get(one, "row")) == row &&
                    json_integer_value(json_object_get(one, "column")) == column;
    ck_assert(found);
    json_decref(all);
    all = done(fd, "fixture-position", "\"fixture\":\"F1\",\"remove\":true");
    ck_assert_uint_eq(json_array_size(json_object_get(all, "positions")), 0);
    json_decref(all);
    all = done(fd, "fixture-position", "\"fixture\":\"1-2\",\"row\":2,\"column\":1");
    one = json_array_get(json_object_get(all, "positions"), 0);
    ck_assert_str_eq(text(one, "fixture"), "F7"); /* its label */
    ck_assert_str_eq(text(one, "place"), "1-2");
    json_decref(all);
}

START_TEST(fixtures)
{
    struct house h;
    static const struct row rows[] = {
        { "fixture-label", "\"place\":\"1-2\"", "format" },
        { "fixture-label", "\"place\":\"there\",\"label\":\"F7\"", "usage" },
        { "fixture-label", "\"place\":\"1-2\",\"label\":\"F 7\"", "usage" },
        { "fixture-allow", "\"place\":\"1-2\"", "format" },
        { "fixture-allow", "\"place\":\"there\",\"allowed\":true", "usage" },
        { "fixture-position", "\"row\":1,\"column\":2", "format" },
        { "fixture-position", "\"fixture\":\"F1\",\"row\":1", "format" },
        { "fixture-position", "\"fixture\":\"F1\",\"row\":0,\"column\":2", "format" },
        { "fixture-position", "\"fixture\":\"F1\",\"row\":1,\"column\":100", "format" },
        { "fixture-position", "\"fixture\":\"F9\",\"row\":1,\"column\":2", "not-found" },
        { "fixture-position", "\"fixture\":\"F1\",\"remove\":true", "not-found" },
        { "scanner", "", "format" },
        { "scanner", "\"place\":\"1-3\",\"layout\":\"dvorak\"", "usage" },
        { "scanner", "\"place\":\"1-3\",\"layout\":\"far too long\"", "usage" },
        { "scanner", "\"place\":\"1-3\",\"fixture\":\"F9\"", "not-found" },
        { "scanner", "\"place\":\"1-3\",\"remove\":true", "not-found" },
        { "golden", "\"eid\":\"7\"", "usage" },
        { "golden", "\"eid\":\"" EID_2 "\",\"remove\":1", "format" },
        { "fixture-limits", "", "usage" },
        { "fixture-limits", "\"yield\":101", "format" },
        { "fixture-cycles", "\"fixture\":\"F1\"", "format" },
        { "fixture-cycles", "\"fixture\":\"F9\",\"cycles\":5", "not-found" },
    };
    static const struct row right[] = {
        { "fixture-label", "\"place\":\"1-2\",\"label\":\"F7\"", "" },
        { "fixture-allow", "\"place\":\"1-2\",\"allowed\":true", "" },
        { "scanner", "\"place\":\"1-3\",\"fixture\":\"F7\",\"layout\":\"de\"", "" },
        { "golden", "\"eid\":\"" EID_2 "\"", "" },
        { "fixture-limits", "\"failures\":3,\"goldenHours\":0", "" },
        { "fixture-position", "\"fixture\":\"F1\",\"row\":2,\"column\":1", "" },
    };
    static const struct row there[] = {
        { "fixture-position", "\"fixture\":\"1-2\",\"row\":2,\"column\":1", "conflict" },
    };

    house_open(&h);
    int bob = house_dial(&h), cyd = house_dial(&h);
    house_login(bob, "B-2222", "4711");
    house_login(cyd, "B-3333", "90210");
    REFUSED(cyd, rows);
    for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
        json_decref(house_ask(bob, right[i].verb, right[i].members, "trust"));
        json_decref(done(cyd, right[i].verb, right[i].members));
    }
    expect_actor(&h, "fixture-labelled", "Cyd");
    expect_actor(&h, "fixture-position-set", "Cyd");
    REFUSED(cyd, there);
    stands_at(cyd, 2, 1);
    json_t *a = done(cyd, "scanner", "\"place\":\"1-3\",\"remove\":true");
    ck_assert_str_eq(text(json_array_get(json_object_get(a, "labels"), 0), "label"), "F7");
    ck_assert_uint_eq(json_array_size(json_object_get(a, "scanners")), 0);
    ck_assert_int_eq(json_integer_value(json_object_get(json_object_get(
        json_object_get(a, "health"), "limits"), "failures")), 3);
    json_decref(a);
    a = done(cyd, "golden", "\"eid\":\"" EID_2 "\",\"remove\":true");
    ck_assert_uint_eq(json_array_size(json_object_get(json_object_get(a, "health"), "golden")), 0);
    json_decref(a);
    close(bob);
    close(cyd);
    house_close(&h);
}
END_TEST

/* --- what is offered ------------------------------------------------------------------- */

static bool offered(int fd, const char *verb)
{
    json_t *j = house_ask(fd, "may", "", ""), *one;
    bool found = false;
    size_t i;

    json_array_foreach(json_object_get(j, "acts"), i, one)
        found |= strcmp(json_string_value(one), verb) == 0;
    json_decref(j);
    return found;
}

/* What the line says that somebody may do is what it lets them do. */
START_TEST(offers_what_is_done)
{
    static const struct {
        const char *badge, *pin;
    } people[] = { { "B-1111", "86420" }, { "B-2222", "4711" }, { "B-3333", "90210" }, { "B-4444", "27182" } };
    static const struct row rows[] = {
        { "order-activate", "\"order\":\"A-1\"", "" },
        { "order-bind", "\"order\":\"A-1\",\"fixture\":\"F1\"", "" },
        { "order-unbind", "\"fixture\":\"F1\"", "" },
        { "order-close", "\"order\":\"A-1\"", "" },
        { "shift-open", "", "" },
        { "quarantine-limit", "\"limit\":3", "" },
        { "person-role", "\"name\":\"Zoe\",\"role\":\"operator\"", "" },
        { "person-block", "\"name\":\"Zoe\"", "" },
        { "person-unblock", "\"name\":\"Zoe\"", "" },
        { "person-badge", "\"name\":\"Zoe\",\"badge\":\"B-9999\"", "" },
        { "rule", "\"rule\":\"idle\",\"value\":\"30\"", "" },
        { "fixture-label", "\"place\":\"1-2\",\"label\":\"F7\"", "" },
        { "fixture-allow", "\"place\":\"1-2\",\"allowed\":false", "" },
        { "fixture-position", "\"fixture\":\"F1\",\"row\":1,\"column\":1", "" },
        { "fixture-limits", "\"failures\":3", "" },
        { "fixture-cycles", "\"fixture\":\"F1\",\"cycles\":0", "" },
        { "scanner", "\"place\":\"1-3\",\"remove\":true", "" },
        { "golden", "\"eid\":\"" EID_2 "\",\"remove\":true", "" },
        { "release", "\"fixture\":\"F1\"", "" },
        { "maintained", "\"fixture\":\"F1\"", "" },
        { "clock-confirm", "", "" },
        { "media", "\"folder\":\"/nowhere\"", "" },
        { "import", "\"container\":\"/nowhere\"", "" },
    };
    char line[600];
    struct house h;
    enum right right;

    for (int v = 0; v < CONTROL_VERBS; v++)
        ck_assert_msg(!office_acts((enum control_verb)v) || control_needs((enum control_verb)v, &right),
                      "%s takes no right", control_verb_name((enum control_verb)v));
    house_open(&h);
    int fd = house_dial(&h), ada = house_dial(&h);
    ck_assert(!offered(fd, "order-close")); /* nobody has logged in */
    house_login(ada, people[0].badge, people[0].pin);
    json_decref(done(ada, "order-make", MAKE));
    house_login(fd, people[_i].badge, people[_i].pin);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        snprintf(line, sizeof line, "{\"id\":9,\"do\":\"%s\"%s%s}\n", rows[i].verb, *rows[i].members ? "," : "",
                 rows[i].members);
        bool may = offered(fd, rows[i].verb);
        house_say(fd, line);
        json_t *j = house_hear(fd);
        while (json_object_get(j, "event")) { /* how far it is */
            json_decref(j);
            j = house_hear(fd);
        }
        ck_assert_msg(may == (strcmp(text(j, "error"), "trust") != 0), "%s: %s", rows[i].verb, text(j, "message"));
        json_decref(j);
    }
    ck_assert_int_eq(offered(fd, "quarantine-release"), _i != 3); /* with a second, or as one */
    ck_assert_int_eq(offered(fd, "void"), _i == 0 || _i == 2);
    ck_assert_int_eq(offered(fd, "stop"), _i == 0 || _i == 2);
    ck_assert(offered(fd, "person-pin"));
    close(fd);
    close(ada);
    house_close(&h);
}
END_TEST

START_TEST(offers_all_while_nobody_is_known)
{
    struct house h;

    house_open_empty(&h);
    int fd = house_dial(&h);
    ck_assert(offered(fd, "person-add"));
    ck_assert(offered(fd, "stop"));
    close(fd);
    house_close(&h);
}
END_TEST

/* --- media ------------------------------------------------------------------------------- */

#define UUID_1 "11111111-1111-4111-8111-111111111111"

static void look_at_a_stick(struct house *h, int fd)
{
    static const char *const names[] = {
        "work-order-" UUID_1, "bpp-bundle-" UUID_1, "bpp-bundle-1", "bpp-bundle",
        "cat-pictures-" UUID_1, "bpp-bundle-GGGGGGGG-1111-4111-8111-111111111111",
        "-" UUID_1, UUID_1,
    };
    char path[300], members[300];

    snprintf(path, sizeof path, "%s/stick", h->s.data);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/stick/%s", h->s.data, names[i]);
        ck_assert_int_eq(mkdir(path, 0700), 0);
    }
    snprintf(path, sizeof path, "%s/stick/backup-%s", h->s.data, UUID_1);
    ck_assert_int_eq(symlink("/", path), 0); /* no folder */
    snprintf(members, sizeof members, "\"folder\":\"%s/stick\"", h->s.data);
    json_t *a = done(fd, "media", members), *all = json_object_get(a, "containers");
    ck_assert_uint_eq(json_array_size(all), 2);
    ck_assert_str_eq(text(json_array_get(all, 0), "kind"), "bpp-bundle");
    ck_assert_str_eq(text(json_array_get(all, 1), "id"), UUID_1);
    snprintf(path, sizeof path, "%s/stick/work-order-%s", h->s.data, UUID_1);
    ck_assert_str_eq(text(json_array_get(all, 1), "container"), path);
    json_decref(a);
    snprintf(path, sizeof path, "rm -r '%s/stick'", h->s.data);
    ck_assert_int_eq(system(path), 0);
}

START_TEST(media)
{
    struct house h;
    static const struct row rows[] = {
        { "import", "", "format" },
        { "import", "\"container\":\"bundle\"", "usage" },
        { "import", "\"container\":\"/no/such/folder\"", "io" },
        { "order-import", "\"container\":7", "format" },
        { "order-import", "\"container\":\"/no/such/folder\"", "io" },
        { "export", "", "format" },
        { "export", "\"to\":\"stick\"", "usage" },
        { "export", "\"to\":\"/no/such/folder\"", "io" },
        { "export", "\"to\":\"/tmp\",\"again\":7", "format" },
        { "export", "\"to\":\"/tmp\",\"again\":\"no such export\"", "not-found" },
    };

    house_open(&h);
    int bob = house_dial(&h), dan = house_dial(&h), nobody = house_dial(&h);
    house_login(bob, "B-2222", "4711");
    house_login(dan, "B-4444", "27182");
    REFUSED(bob, rows);
    json_decref(house_ask(dan, "import", "\"container\":\"/no/such/folder\"", "trust"));
    json_decref(house_ask(dan, "export", "\"to\":\"/tmp\"", "trust"));
    json_decref(house_ask(nobody, "export", "\"to\":\"/tmp\"", "trust"));
    json_decref(house_ask(dan, "media", "\"folder\":\"/tmp\"", "trust"));
    json_decref(house_ask(bob, "media", "\"folder\":\"/no/such/folder\"", "io"));
    look_at_a_stick(&h, bob);
    json_t *j = house_ask(bob, "import", "\"container\":\"/no/such/folder\"", "io");
    ck_assert_str_eq(text(json_object_get(j, "answer"), "container"), "/no/such/folder");
    json_decref(j);
    close(bob);
    close(dan);
    close(nobody);
    house_close(&h);
}
END_TEST

/* --- people ------------------------------------------------------------------------------ */

START_TEST(people)
{
    struct house h;
    static const struct row rows[] = {
        { "person-add", "\"name\":\"Eve\",\"role\":\"operator\",\"badge\":\"B-5555\"", "format" },
        { "person-add", "\"name\":\"Eve\",\"role\":\"king\",\"badge\":\"B-5555\",\"newPin\":\"1478\"", "usage" },
        { "person-add", "\"name\":\"Eve\",\"role\":\"operator\",\"badge\":\"B-5555\",\"newPin\":\"5555\"", "usage" },
        { "person-add", "\"name\":\"Eve\",\"role\":\"operator\",\"badge\":\"B-2222\",\"newPin\":\"1478\"", "conflict" },
        { "person-role", "\"name\":\"Ada\",\"role\":\"operator\"", "state" },
        { "person-role", "\"name\":\"Bob\"", "format" },
        { "person-block", "\"name\":\"Nobody\"", "not-found" },
        { "person-badge", "\"name\":\"Bob\",\"badge\":\"B 2\"", "usage" },
        { "person-pin", "\"name\":\"Bob\"", "format" },
        { "rule", "\"rule\":\"fly\",\"value\":\"on\"", "usage" },
        { "rule", "\"rule\":\"idle\",\"value\":\"0\"", "usage" },
        { "rule", "\"rule\":\"idle\",\"value\":30", "format" },
    };
    static const struct row not_bob[] = {
        { "person-add", "\"name\":\"Eve\",\"role\":\"operator\",\"badge\":\"B-5555\",\"newPin\":\"1478\"", "trust" },
        { "person-role", "\"name\":\"Bob\",\"role\":\"supervisor\"", "trust" },
        { "person-block", "\"name\":\"Ada\"", "trust" },
        { "person-unblock", "\"name\":\"Ada\"", "trust" },
        { "person-badge", "\"name\":\"Ada\",\"badge\":\"B-7777\"", "trust" },
        { "person-pin", "\"name\":\"Ada\",\"newPin\":\"1478\"", "trust" },
        { "rule", "\"rule\":\"idle\",\"value\":\"10\"", "trust" },
    };

    house_open(&h);
    int ada = house_dial(&h), bob = house_dial(&h);
    house_login(ada, "B-1111", "86420");
    house_login(bob, "B-2222", "4711");
    REFUSED(ada, rows);
    REFUSED(bob, not_bob);
    json_decref(done(bob, "person-pin", "\"name\":\"bob\",\"newPin\":\"1478\""));
    expect_actor(&h, "pin-changed", "Bob");
    json_t *a = done(ada, "person-add", "\"name\":\"Eve\",\"role\":\"operator\","
                     "\"badge\":\"B-5555\",\"newPin\":\"1478\"");
    ck_assert_int_eq(json_array_size(json_object_get(a, "people")), 5);
    json_decref(a);
    json_decref(done(ada, "person-role", "\"name\":\"Eve\",\"role\":\"engineer\""));
    json_decref(done(ada, "person-badge", "\"name\":\"Eve\",\"badge\":\"B-6666\""));
    json_decref(done(ada, "person-block", "\"name\":\"Bob\""));
    expect_actor(&h, "person-blocked", "Ada");
    /* Blocked: nobody stands there any more. */
    json_decref(house_ask(bob, "person-pin", "\"name\":\"Bob\",\"newPin\":\"2589\"", "trust"));
    json_decref(done(ada, "person-unblock", "\"name\":\"Bob\""));
    expect(ada, "rule", "\"rule\":\"badge-prefix\",\"value\":\"B-\"", "badgePrefix", "B-");
    a = done(bob, "rules", "");
    ck_assert_int_eq(json_integer_value(json_object_get(a, "idleMinutes")), 30);
    json_decref(a);
    close(ada);
    close(bob);
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
    json_decref(house_ask(fd, "void", "\"scrapped\":true,\"reason\":\"r\"," ADA, "not-found"));
    json_decref(house_ask(fd, "person-block", "\"name\":\"Ada\"", "not-found"));
    json_decref(house_ask(fd, "person-add", "\"name\":\"Bob\",\"role\":\"operator\","
                          "\"badge\":\"B-2222\",\"newPin\":\"4711\"", "usage"));
    json_decref(done(fd, "person-add", "\"name\":\"Ada\",\"role\":\"supervisor\","
                     "\"badge\":\"B-1111\",\"newPin\":\"86420\""));
    expect_actor(&h, "person-added", "Ada");
    /* From now on somebody must stand for it. */
    json_decref(house_ask(fd, "order-close", "\"order\":\"A-1\"", "trust"));
    close(fd);
    house_close(&h);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "orders and shifts", orders_and_shifts, 1 },
        { "takes two", takes_two, 1 },
        { "fixtures", fixtures, 1 },
        { "media", media, 1 },
        { "people", people, 1 },
        { "nobody is known", nobody_is_known, 1 },
        { "offers what is done", offers_what_is_done, 4 },
        { "offers all while nobody is known", offers_all_while_nobody_is_known, 1 },
    };

    return run_tests("acts", tests, sizeof tests / sizeof *tests);
}
