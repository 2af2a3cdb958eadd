/* Who works here, as the ledger keeps it. */
#include "storage/people.h"
#include "storage/inner.h" /* SCHEMA_VERSION */
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <string.h>

static const struct pin_hash pin = { .log_n = 15, .r = 8, .p = 1, .salt = { 1 },
                                     .hash = { 2 } };

struct call {
    const char *name, *actor, *badge;
    enum role role;
    bool blocked;
};

static int add(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    uint8_t badge[BADGE_HASH];
    struct person_new n = { c->name, c->role, badge, &pin };

    return badge_hash(c->badge, badge, e) != 0 ? -1 : person_add(tx, &n, c->actor, e);
}

static int set_role(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return person_set_role(tx, c->name, c->role, c->actor, e);
}

static int set_blocked(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return person_set_blocked(tx, c->name, c->blocked, c->actor, e);
}

static int set_badge(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    uint8_t badge[BADGE_HASH];

    return badge_hash(c->badge, badge, e) != 0
         ? -1 : person_set_badge(tx, c->name, badge, c->actor, e);
}

static int recover(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    uint8_t badge[BADGE_HASH];
    struct person_new n = { c->name, ROLE_SUPERVISOR, badge, &pin };

    return badge_hash(c->badge, badge, e) != 0
         ? -1 : people_recover(tx, &n, "/dev/tty1", e);
}

#define ADD(n, r, b, a) \
    db_write(g.db, add, &(struct call){ .name = n, .role = r, .badge = b, .actor = a }, &e)
#define ROLE(n, r) \
    db_write(g.db, set_role, &(struct call){ .name = n, .role = r, .actor = "Ada" }, &e)
#define BLOCK(n, b) \
    db_write(g.db, set_blocked, &(struct call){ .name = n, .blocked = b, .actor = "Ada" }, &e)
#define BADGE(n, b) \
    db_write(g.db, set_badge, &(struct call){ .name = n, .badge = b, .actor = "Ada" }, &e)
#define RECOVER(n, b) \
    db_write(g.db, recover, &(struct call){ .name = n, .badge = b }, &e)

static uint64_t events(struct ground *g)
{
    struct event_head head;
    struct err e = ERR_INIT;

    good(event_head(g->db, &head, &e));
    return head.number;
}

static const char *const bad_names[] = {
    "", " Ada", "Ada ", "A\nda", "\x1b[31mAda", "\xff", "\xc2\x85", "-x",
    "engineer", "STATION", "Console",
    "0123456789012345678901234567890123456789012345678901234567890123",
};

START_TEST(names_refused)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    bad(ADD(bad_names[_i], ROLE_SUPERVISOR, "B-0001", NULL), ERR_USAGE);
    ck_assert_uint_eq(events(&g), 0);
    ground_close(&g);
}
END_TEST

static const char *const bad_badges[] = {
    "", "123", "with blank", "tab\t123", "\x01\x02\x03\x04", "\xc3\xa4\xc3\xa4",
    "0123456789012345678901234567890123456789012345678901234567890123",
};

START_TEST(badges_refused)
{
    struct err e = ERR_INIT;
    uint8_t out[BADGE_HASH];

    bad(badge_hash(bad_badges[_i], out, &e), ERR_USAGE);
}
END_TEST

START_TEST(the_first_one)
{
    struct err e = ERR_INIT;
    struct ground g;
    bool any;

    ground_open(&g);
    good(people_any(g.db, &any, &e));
    ck_assert(!any);
    bad(ADD("Ada", ROLE_ENGINEER, "B-0001", NULL), ERR_USAGE);
    bad(RECOVER("Ada", "B-0001"), ERR_WRONG_STATE);
    ck_assert_uint_eq(events(&g), 0);
    good(ADD("Ada", ROLE_SUPERVISOR, "B-0001", NULL));
    bad(ADD("Bob", ROLE_SUPERVISOR, "B-0002", NULL), ERR_WRONG_STATE);
    ground_reopen(&g);
    good(people_any(g.db, &any, &e));
    ck_assert(any);
    ck_assert_uint_eq(events(&g), 1);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(nobody_twice)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(ADD("Ada", ROLE_SUPERVISOR, "B-0001", NULL));
    good(ADD("Bob", ROLE_OPERATOR, "B-0002", "Ada"));
    uint64_t n = events(&g);
    bad(ADD("ada", ROLE_OPERATOR, "B-0003", "Ada"), ERR_CONFLICT);
    bad(ADD("Cyd", ROLE_OPERATOR, "B-0002", "Ada"), ERR_CONFLICT);
    bad(BADGE("Bob", "B-0001"), ERR_CONFLICT);
    bad(RECOVER("Cyd", "B-0002"), ERR_CONFLICT);
    bad(BLOCK("Cyd", true), ERR_NOT_FOUND);
    ck_assert_uint_eq(events(&g), n);
    good(BADGE("Bob", "B-0009"));
    good(ADD("Cyd", ROLE_AUDITOR, "B-0002", "Ada"));
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(the_last_supervisor)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(ADD("Ada", ROLE_SUPERVISOR, "B-0001", NULL));
    good(ADD("Bob", ROLE_ENGINEER, "B-0002", "Ada"));
    bad(BLOCK("Ada", true), ERR_WRONG_STATE);
    bad(ROLE("Ada", ROLE_AUDITOR), ERR_WRONG_STATE);
    good(ROLE("Bob", ROLE_SUPERVISOR));
    good(BLOCK("Bob", true)); /* blocked ones do not count */
    bad(BLOCK("Ada", true), ERR_WRONG_STATE);
    uint64_t n = events(&g);
    good(BLOCK("Bob", true)); /* said again: nothing happens */
    good(ROLE("Bob", ROLE_SUPERVISOR));
    ck_assert_uint_eq(events(&g), n);
    good(BLOCK("Bob", false));
    good(BLOCK("Ada", true));
    bad(ROLE("Bob", ROLE_OPERATOR), ERR_WRONG_STATE);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(the_way_back)
{
    struct person p = { .id = 0 };
    struct err e = ERR_INIT;
    struct ground g;
    uint8_t badge[BADGE_HASH];

    ground_open(&g);
    good(ADD("Ada", ROLE_SUPERVISOR, "B-0001", NULL));
    good(ADD("Bob", ROLE_OPERATOR, "B-0002", "Ada"));
    good(BLOCK("Bob", true));
    good(RECOVER("bob", "B-0003"));
    good(badge_hash("B-0003", badge, &e));
    ck_assert_int_eq(person_by_badge(g.db, badge, &p, NULL, &e), 1);
    ck_assert_str_eq(p.name, "Bob");
    ck_assert_int_eq(p.role, ROLE_SUPERVISOR);
    ck_assert(!p.blocked);
    ck_assert_uint_eq(p.recovered, events(&g));
    good(RECOVER("Eve", "B-0004"));
    ck_assert_int_eq(person_by_name(g.db, "Eve", &p, &e), 1);
    ck_assert_uint_eq(p.recovered, events(&g));
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM event"
                                    " WHERE kind = 'people-recovered'"), 2);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- tries ------------------------------------------------------------------------ */

static const struct {
    int64_t failures, wait_s;
} waits[] = {
    { 0, 0 },   { 1, 0 },   { 2, 0 },    { 3, 1 },    { 4, 2 },      { 5, 4 },
    { 6, 8 },   { 11, 256 }, { 12, 512 }, { 13, 900 }, { 14, 900 },
    { 1000, 900 }, { INT64_MAX, 900 },
};

START_TEST(waits_double)
{
    ck_assert_int_eq(login_wait_s(waits[_i].failures), waits[_i].wait_s);
}
END_TEST

struct try_call {
    uint8_t badge[BADGE_HASH];
    int64_t until;
};

static int charge(struct tx *tx, void *ctx, struct err *e)
{
    struct try_call *t = ctx;

    return login_charge(tx, t->badge, &t->until, e);
}

static int stranger(struct tx *tx, void *ctx, struct err *e)
{
    struct try_call *t = ctx;

    return login_charge(tx, t->badge, &t->until, e) != 0 ||
                   login_failed(tx, t->badge, NULL, "unknown-badge", e) != 0
               ? -1 : 0;
}

static int64_t wait_now(struct ground *g, struct try_call *t)
{
    struct err e = ERR_INIT;

    good(db_write(g->db, charge, t, &e));
    return t->until ? t->until - ground_now : 0;
}

START_TEST(tries_are_charged)
{
    struct try_call t = { .badge = { 7 } };
    struct ground g;

    ground_now = GROUND_NOW;
    ground_open(&g);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(wait_now(&g, &t), 0);
    ck_assert_int_eq(wait_now(&g, &t), 1);
    ground_reopen(&g); /* a restart changes nothing */
    ck_assert_int_eq(wait_now(&g, &t), 1);
    ground_now++;
    ck_assert_int_eq(wait_now(&g, &t), 0);
    ck_assert_int_eq(wait_now(&g, &t), 2);
    /* The clock far ahead, a failure, and back: the wait begins anew, and ends. */
    ground_now += 400 * 86400;
    ck_assert_int_eq(wait_now(&g, &t), 0);
    ground_now -= 400 * 86400;
    ck_assert_int_eq(wait_now(&g, &t), 4);
    ground_now += 3;
    ck_assert_int_eq(wait_now(&g, &t), 1);
    ground_now++;
    ck_assert_int_eq(wait_now(&g, &t), 0);
    ground_close(&g);
}
END_TEST

/* Below the ledger's floor the wait goes by the floor. */
START_TEST(a_clock_set_back_wins_nothing)
{
    struct try_call t = { .badge = { 7 } };
    struct err e = ERR_INIT;
    struct ground g;

    ground_now = GROUND_NOW;
    ground_open(&g);
    good(ADD("Ada", ROLE_SUPERVISOR, "B-0001", NULL)); /* the floor */
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(wait_now(&g, &t), 0);
    ground_now -= 1000;
    ck_assert_int_eq(wait_now(&g, &t), 1001);
    ground_now += 1001;
    ck_assert_int_eq(wait_now(&g, &t), 0);
    ground_close(&g);
}
END_TEST

START_TEST(strangers_do_not_flood)
{
    struct try_call t = { .until = 0 };
    struct err e = ERR_INIT;
    struct ground g;

    ground_now = GROUND_NOW;
    ground_open(&g);
    for (unsigned i = 0; i < LOGIN_STRANGERS_MAX + 50; i++) {
        memcpy(t.badge, &i, sizeof i);
        good(db_write(g.db, stranger, &t, &e));
    }
    ck_assert_uint_eq(events(&g), 1);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM login_try"),
                     LOGIN_STRANGERS_MAX);
    ground_now += LOGIN_STRANGER_EVENT_S;
    t.badge[9] = 1;
    good(db_write(g.db, stranger, &t, &e)); /* tells of all that were untold */
    ck_assert_uint_eq(events(&g), 2);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT untold FROM login_stranger"), 0);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A ledger that was at work before it knew people. */
START_TEST(version_2_is_migrated)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 2, 1);
    uint64_t n = events(&g);
    ground_back_to(&g, 2);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    ck_assert_uint_eq(events(&g), n);
    ck_assert_int_eq(ground_sql_int(&g, "PRAGMA user_version"), SCHEMA_VERSION);
    good(ADD("Ada", ROLE_SUPERVISOR, "B-0001", NULL));
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "names refused", names_refused, ROWS(bad_names) },
        { "badges refused", badges_refused, ROWS(bad_badges) },
        { "the first one", the_first_one, 1 },
        { "nobody twice", nobody_twice, 1 },
        { "the last supervisor", the_last_supervisor, 1 },
        { "the way back", the_way_back, 1 },
        { "waits double", waits_double, ROWS(waits) },
        { "tries are charged", tries_are_charged, 1 },
        { "a clock set back", a_clock_set_back_wins_nothing, 1 },
        { "strangers", strangers_do_not_flood, 1 },
        { "version 2", version_2_is_migrated, 1 },
    };

    return run_tests("storage/people", tests, sizeof tests / sizeof *tests);
}
