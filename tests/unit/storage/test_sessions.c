/* Rules of logging in, and sessions, as the ledger keeps them. */
#include "storage/people.h"
#include "storage/sessions.h"
#include "tests/unit/storage/ledger_ground.h"

#include <string.h>

static const struct pin_hash pin = { .log_n = 15, .r = 8, .p = 1, .salt = { 1 },
                                     .hash = { 2 } };

static int add_two(struct tx *tx, void *ctx, struct err *e)
{
    uint8_t a[BADGE_HASH] = { 1 }, b[BADGE_HASH] = { 2 };
    const struct person_new ada = { "Ada", ROLE_SUPERVISOR, a, &pin },
                            bob = { "Bob", ROLE_OPERATOR, b, &pin };

    (void)ctx;
    return person_add(tx, &ada, NULL, e) != 0 || person_add(tx, &bob, "Ada", e) != 0
               ? -1 : 0;
}

static int set_rules(struct tx *tx, void *ctx, struct err *e)
{
    return login_rules_set(tx, ctx, "Ada", e);
}

static int end_all(struct tx *tx, void *ctx, struct err *e)
{
    return sessions_end_all(tx, ctx, e);
}

static int opened(struct tx *tx, void *ctx, struct err *e)
{
    return session_opened(tx, ctx, e);
}

static int closed(struct tx *tx, void *ctx, struct err *e)
{
    return session_closed(tx, ctx, "logout", "Bob", e);
}

static int leftovers(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    return sessions_leftovers(tx, "line", e);
}

static uint64_t last_event(struct db *db)
{
    struct event_head h;
    struct err e = ERR_INIT;

    good(event_head(db, &h, &e));
    return h.number;
}

START_TEST(rules)
{
    struct login_rules r, want = { .required = true, .badge_alone = true,
                                   .idle_s = 120, .badge_prefix = "B-" };
    struct ground g;
    struct err e = ERR_INIT;

    ground_open(&g);
    good(login_rules_get(g.db, &r, &e));
    ck_assert(!r.required && !r.badge_alone && !r.people && r.ended == 0);
    ck_assert_int_eq(r.idle_s, IDLE_DEFAULT_S);
    ck_assert_str_eq(r.badge_prefix, "");
    uint64_t n = last_event(g.db);
    good(db_write(g.db, set_rules, &r, &e));
    ck_assert_msg(last_event(g.db) == n, "what is so already is no change");

    good(db_write(g.db, add_two, NULL, &e));
    good(db_write(g.db, set_rules, &want, &e));
    n = last_event(g.db);
    good(db_write(g.db, set_rules, &want, &e));
    ck_assert_uint_eq(last_event(g.db), n);
    good(db_write(g.db, end_all, "Ada", &e));
    good(login_rules_get(g.db, &r, &e));
    ck_assert(r.required && r.badge_alone && r.people);
    ck_assert_int_eq(r.idle_s, 120);
    ck_assert_str_eq(r.badge_prefix, "B-");
    ck_assert_uint_eq(r.ended, n + 1);
    /* Another rule does not end anything. */
    want.idle_s = 180;
    good(db_write(g.db, set_rules, &want, &e));
    good(login_rules_get(g.db, &r, &e));
    ck_assert_uint_eq(r.ended, n + 1);
    ground_close(&g);
}
END_TEST

START_TEST(rules_that_cannot_be)
{
    struct login_rules ok = { .idle_s = IDLE_DEFAULT_S }, r;
    struct ground g;
    struct err e = ERR_INIT;

    ground_open(&g);
    r = ok;
    r.idle_s = IDLE_MIN_S - 1;
    bad(db_write(g.db, set_rules, &r, &e), ERR_USAGE);
    r.idle_s = IDLE_MAX_S + 1;
    bad(db_write(g.db, set_rules, &r, &e), ERR_USAGE);
    r = ok;
    strcpy(r.badge_prefix, "B 1");
    bad(db_write(g.db, set_rules, &r, &e), ERR_USAGE);
    strcpy(r.badge_prefix, "\t");
    bad(db_write(g.db, set_rules, &r, &e), ERR_USAGE);
    strcpy(r.badge_prefix, "\xc3\xa9");
    bad(db_write(g.db, set_rules, &r, &e), ERR_USAGE);
    /* The shift ends where no rule was ever made, too. */
    good(db_write(g.db, end_all, "Ada", &e));
    good(login_rules_get(g.db, &r, &e));
    ck_assert_int_eq(r.idle_s, IDLE_DEFAULT_S);
    ck_assert_uint_eq(r.ended, last_event(g.db));
    ground_close(&g);
}
END_TEST

START_TEST(sessions_open_and_close)
{
    struct session_note station = { SESSION_STATION, "", "Ada", false },
                        f1 = { SESSION_FIXTURE, "F1", "Bob", true },
                        nobody = { SESSION_FIXTURE, "F2", "Eve", false };
    struct ground g;
    struct err e = ERR_INIT;

    ground_open(&g);
    good(db_write(g.db, add_two, NULL, &e));
    good(db_write(g.db, opened, &station, &e));
    good(db_write(g.db, opened, &f1, &e));
    bad(db_write(g.db, opened, &nobody, &e), ERR_NOT_FOUND);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM session"), 2);
    uint64_t n = last_event(g.db);
    good(db_write(g.db, closed, &f1, &e));
    ck_assert_uint_eq(last_event(g.db), n + 1);
    good(db_write(g.db, closed, &f1, &e));
    good(db_write(g.db, closed, &nobody, &e));
    ck_assert_msg(last_event(g.db) == n + 1, "who was not there does not leave");
    /* The line died: the next start says so, once. */
    good(db_write(g.db, opened, &f1, &e));
    good(db_write(g.db, leftovers, NULL, &e));
    ck_assert_uint_eq(last_event(g.db), n + 4);
    good(db_write(g.db, leftovers, NULL, &e));
    ck_assert_uint_eq(last_event(g.db), n + 4);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM session"), 0);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(version_4_is_migrated)
{
    struct login_rules r;
    struct ground g;
    struct err e = ERR_INIT;

    ground_open(&g);
    ground_back_to(&g, 4);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    good(login_rules_get(g.db, &r, &e));
    ck_assert_int_eq(r.idle_s, IDLE_DEFAULT_S);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "rules", rules, 1 },
        { "rules that cannot be", rules_that_cannot_be, 1 },
        { "sessions", sessions_open_and_close, 1 },
        { "version 4", version_4_is_migrated, 1 },
    };

    return run_tests("storage/sessions", tests, sizeof tests / sizeof *tests);
}
