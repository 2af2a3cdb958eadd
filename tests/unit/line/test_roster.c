/* People at a running line: who stands behind a scan, by the ledger as it is
 * when the scan comes. */
#include "station/line/roster.h"
#include "tests/unit/known_pin.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <check.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct counter {
    struct shop s;
    struct db *db;
    struct roster *roster;
    pthread_mutex_t lock;
    pthread_cond_t come;
    unsigned answers, let_in;
    char who[64];
    struct err why;
};

static void good(int bad, const struct err *e)
{
    ck_assert_msg(bad == 0, "%s", e->msg);
}

struct newcomer {
    const char *name, *badge, *pin;
    enum role role;
};

static int add(struct tx *tx, void *ctx, struct err *e)
{
    const struct newcomer *c = ctx;
    uint8_t badge[BADGE_HASH];
    const struct person_new n = { c->name, c->role, badge, known_pin(c->pin) };
    bool any;

    return people_any(tx_db(tx), &any, e) != 0 || badge_hash(c->badge, badge, e) != 0 ||
                   person_add(tx, &n, any ? "Ada" : NULL, e) != 0
               ? -1 : 0;
}

static int set_rules(struct tx *tx, void *ctx, struct err *e)
{
    return login_rules_set(tx, ctx, "Ada", e);
}

static int end_all(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    return sessions_end_all(tx, "Ada", e);
}

static int block(struct tx *tx, void *ctx, struct err *e)
{
    return person_set_blocked(tx, ctx, true, "Ada", e);
}

static int to_auditor(struct tx *tx, void *ctx, struct err *e)
{
    return person_set_role(tx, ctx, ROLE_AUDITOR, "Ada", e);
}

static void write_ledger(struct counter *c, tx_fn *fn, void *ctx)
{
    struct err e = ERR_INIT;

    good(db_write(c->db, fn, ctx, &e), &e);
}

static void rules(struct counter *c, bool required, bool alone, const char *prefix)
{
    struct login_rules r = { .required = required, .badge_alone = alone,
                             .idle_s = IDLE_DEFAULT_S };

    snprintf(r.badge_prefix, sizeof r.badge_prefix, "%s", prefix);
    write_ledger(c, set_rules, &r);
}

static void open_counter(struct counter *c)
{
    char where[160];
    struct err e = ERR_INIT;

    shop_open(&c->s, 2);
    shop_stock(&c->s, 0, 1);
    c->s.sessions[0] = '\0';
    good(db_open(c->s.data, DB_WRITE, NULL, &c->db, &e), &e);
    shop_where(&c->s, 0, 0, where);
    shop_start(&c->s, &fixture_shop, where);
    c->roster = line_roster(c->s.line);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->come, NULL);
    c->answers = c->let_in = 0;
}

static void with_people(struct counter *c)
{
    open_counter(c);
    write_ledger(c, add, &(struct newcomer){ "Ada", "B-1111", "86420", ROLE_SUPERVISOR });
    write_ledger(c, add, &(struct newcomer){ "Bob", "B-2222", "4711", ROLE_OPERATOR });
}

static void close_counter(struct counter *c)
{
    db_close(c->db);
    shop_close(&c->s);
    pthread_cond_destroy(&c->come);
    pthread_mutex_destroy(&c->lock);
}

static void on_answer(void *ctx, const struct seat *seat, const struct err *why)
{
    struct counter *c = ctx;

    pthread_mutex_lock(&c->lock);
    c->answers++;
    c->let_in += seat != NULL;
    snprintf(c->who, sizeof c->who, "%s", seat ? seat->who.name : "");
    c->why = *why;
    pthread_cond_broadcast(&c->come);
    pthread_mutex_unlock(&c->lock);
}

static int ask(struct counter *c, const char *badge, const char *pin,
               enum session_where where, const char *name, struct err *e)
{
    return roster_login(c->roster, &(struct roster_login){
        .badge = badge, .pin = pin, .at = session_place(where, name),
        .done = on_answer, .ctx = c }, e);
}

static void wait_answers(struct counter *c, unsigned n)
{
    pthread_mutex_lock(&c->lock);
    while (c->answers < n)
        pthread_cond_wait(&c->come, &c->lock);
    pthread_mutex_unlock(&c->lock);
}

/* code ERR_NONE: let in. */
static void logs_in(struct counter *c, const char *badge, const char *pin,
                    enum session_where where, const char *name, enum err_code code)
{
    struct err e = ERR_INIT;

    do { /* the shop's patience with who else writes is short */
        unsigned before = c->answers;
        good(ask(c, badge, pin, where, name, &e), &e);
        wait_answers(c, before + 1);
    } while (c->why.code == ERR_BUSY && code != ERR_BUSY);
    ck_assert_msg(c->why.code == code, "%s: %s", badge ? badge : "-", c->why.msg);
}

static void acted(struct counter *c, const char *kind, const char *actor)
{
    char is[129];

    /* What nobody waits for is on the disk a little later. */
    for (int i = 0; i < 100; i++) {
        shop_actor(&c->s, kind, is);
        if (strcmp(is, actor) == 0)
            return;
        usleep(20000);
    }
    ck_abort_msg("%s is %s's, not %s's", kind, is, actor);
}

START_TEST(nobody_is_known)
{
    struct counter c;
    struct session who;
    struct err e = ERR_INIT;

    open_counter(&c);
    rules(&c, true, true, "89"); /* of no use before the first person */
    shop_expect(&c.s, c.s.barcode, "done");
    ck_assert_str_eq(c.s.last.person, "");
    acted(&c, "position-moved", "line");
    good(roster_may(c.roster, 0, "", RIGHT_STOP, &who, &e), &e);
    ck_assert_str_eq(who.name, "");
    logs_in(&c, "B-1111", "4711", SESSION_STATION, "", ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(c.why.msg, "people add"));
    ck_assert_str_eq(c.s.sessions, "");
    close_counter(&c);
}
END_TEST

START_TEST(in_whose_name)
{
    struct counter c;
    struct session who;
    struct err e = ERR_INIT;

    with_people(&c);
    logs_in(&c, "B-2222", "4711", SESSION_FIXTURE, "F1", ERR_NONE);
    ck_assert_str_eq(c.who, "Bob");
    shop_expect(&c.s, c.s.barcode, "done");
    ck_assert_str_eq(c.s.last.person, "Bob");
    acted(&c, "position-moved", "Bob");
    acted(&c, "bpp-moved", "Bob");
    acted(&c, "receipt", "Bob");
    acted(&c, "session-opened", "Bob");
    /* Not required: nobody's scan goes on in the line's name. */
    good(roster_logout(c.roster, &(struct session_place){ SESSION_FIXTURE, "F1" }, &e), &e);
    acted(&c, "session-closed", "Bob");
    ck_assert_int_eq(roster_logout(c.roster,
        &(struct session_place){ SESSION_FIXTURE, "F1" }, &e), -1);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    shop_expect(&c.s, c.s.barcode, "already-done");
    ck_assert_str_eq(c.s.last.person, "");
    ck_assert_str_eq(c.s.sessions, "opened F1 Bob, closed F1 Bob, ");
    /* A right that takes somebody. */
    ck_assert_int_eq(roster_may(c.roster, 0, "", RIGHT_STOP, &who, &e), -1);
    ck_assert_int_eq(e.code, ERR_TRUST);
    logs_in(&c, "B-1111", "86420", SESSION_CONNECTION, "7", ERR_NONE);
    ck_assert_int_eq(roster_may(c.roster, 8, "", RIGHT_STOP, &who, &e), -1);
    good(roster_may(c.roster, 7, "", RIGHT_STOP, &who, &e), &e);
    ck_assert_str_eq(who.name, "Ada");
    roster_gone(c.roster, 7);
    logs_in(&c, "B-1111", "86420", SESSION_FIXTURE, "F1", ERR_NONE);
    good(roster_may(c.roster, 7, "F1", RIGHT_STOP, &who, &e), &e);
    ck_assert_int_eq(roster_may(c.roster, 7, "F2", RIGHT_STOP, &who, &e), -1);
    ck_assert_int_eq(roster_may(c.roster, 7, "", RIGHT_STOP, &who, &e), -1);
    close_counter(&c);
}
END_TEST

START_TEST(required)
{
    struct counter c;

    with_people(&c);
    unsigned before = shop_apdus(); /* of other tests of this process */
    rules(&c, true, false, "");
    shop_expect(&c.s, c.s.barcode, "scan-no-login");
    logs_in(&c, "B-2222", "9999", SESSION_STATION, "", ERR_TRUST);
    shop_expect(&c.s, c.s.barcode, "scan-no-login");
    ck_assert_uint_eq(shop_apdus(), before);
    logs_in(&c, "B-2222", "4711", SESSION_STATION, "", ERR_NONE);
    shop_expect(&c.s, c.s.barcode, "done");
    /* Each by the ledger as it is when the scan comes. */
    write_ledger(&c, to_auditor, "Bob");
    shop_expect(&c.s, c.s.barcode, "scan-no-right");
    ck_assert_ptr_nonnull(strstr(c.s.last.detail, "Bob is auditor"));
    write_ledger(&c, block, "Bob");
    shop_expect(&c.s, c.s.barcode, "scan-no-login");
    shop_wait_session(&c.s, "closed  Bob, ");
    logs_in(&c, "B-1111", "86420", SESSION_STATION, "", ERR_NONE);
    shop_expect(&c.s, c.s.barcode, "already-done");
    write_ledger(&c, end_all, NULL);
    shop_expect(&c.s, c.s.barcode, "scan-no-login");
    logs_in(&c, "B-1111", "86420", SESSION_STATION, "", ERR_NONE);
    shop_expect(&c.s, c.s.barcode, "already-done");
    shop_stop(&c.s);
    ck_assert_uint_eq(shop_events(&c.s, "session-opened"), 3);
    ck_assert_uint_eq(shop_events(&c.s, "session-closed"), 3);
    close_counter(&c);
}
END_TEST

/* Nobody scans: the clerk looks by himself. */
START_TEST(ends_without_a_scan)
{
    struct counter c;

    with_people(&c);
    logs_in(&c, "B-2222", "4711", SESSION_FIXTURE, "F1", ERR_NONE);
    write_ledger(&c, block, "Bob");
    shop_wait_session(&c.s, "closed F1 Bob, ");
    close_counter(&c);
}
END_TEST

START_TEST(badges)
{
    struct counter c;
    struct err e = ERR_INIT;
    char line[80];

    with_people(&c);
    write_ledger(&c, add, &(struct newcomer){ "Dan", "B-4444", "4713", ROLE_AUDITOR });
    rules(&c, true, false, "B-");
    line_scan(c.s.line, SPAN_STR("F1\tB-2222"));
    shop_wait_session(&c.s, "pin F1 , ");
    shop_expect(&c.s, c.s.barcode, "scan-no-login");
    ck_assert_int_eq(ask(&c, NULL, "4711", SESSION_STATION, "", &e), -1);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    logs_in(&c, NULL, "4711", SESSION_FIXTURE, "F1", ERR_NONE);
    shop_expect(&c.s, c.s.barcode, "done");
    shop_expect(&c.s, "F1\tB-2", "badge-refused"); /* cannot be one */

    rules(&c, true, true, "B-");
    line_scan(c.s.line, SPAN_STR("B-1111\r"));
    shop_wait_session(&c.s, "opened  Ada, ");
    line_scan(c.s.line, SPAN_STR("F1\tB-2222")); /* there already */
    shop_expect(&c.s, c.s.barcode, "already-done");
    ck_assert_str_eq(c.s.last.person, "Bob");
    /* What is refused is nowhere shown, and soon waits. */
    snprintf(line, sizeof line, "F1\tB-4444");
    for (int i = 0; i <= LOGIN_FREE_FAILURES; i++) {
        shop_expect(&c.s, line, "badge-refused");
        ck_assert_str_eq(c.s.last.serial, "");
        ck_assert_ptr_null(strstr(c.s.last.detail, "B-"));
        snprintf(line, sizeof line, "F1\tB-900%d", i);
    }
    shop_expect(&c.s, "F1\tB-2222", "badge-refused");
    ck_assert_ptr_nonnull(strstr(c.s.last.detail, "too many badges"));
    /* Elsewhere nobody waits for it. */
    line_scan(c.s.line, SPAN_STR("B-2222"));
    shop_wait_session(&c.s, "closed F1 Bob, opened  Bob, ");
    shop_expect(&c.s, "B- 1", "scan-unknown-fixture");
    shop_expect(&c.s, "X-1111", "scan-unknown-fixture");
    shop_stop(&c.s);
    ck_assert_uint_eq(shop_events(&c.s, "login-failed"), 2); /* Dan; strangers, once */
    close_counter(&c);
}
END_TEST

/* A session that the ledger does not hold is none. */
START_TEST(what_cannot_be_written)
{
    struct counter c;
    char path[160];
    sqlite3 *other;

    with_people(&c);
    rules(&c, true, true, "B-");
    snprintf(path, sizeof path, "%s/%s", c.s.data, LEDGER_FILE);
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    logs_in(&c, "B-1111", "86420", SESSION_STATION, "", ERR_BUSY);
    line_scan(c.s.line, SPAN_STR("F1\tB-2222"));
    shop_wait_session(&c.s, "opened F1 Bob, closed F1 Bob, ");
    shop_expect(&c.s, c.s.barcode, "scan-no-login");
    ck_assert_int_eq(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    line_scan(c.s.line, SPAN_STR("F1\tB-2222"));
    shop_expect(&c.s, c.s.barcode, "done");
    acted(&c, "session-opened", "Bob");
    close_counter(&c);
}
END_TEST

START_TEST(too_many_logins)
{
    struct counter c;
    struct err e = ERR_INIT;
    unsigned queued = 0;

    with_people(&c);
    /* One of them may be at work already. */
    while (queued < ROSTER_LOGINS_MAX + 2 &&
           ask(&c, "B-7777", "1234", SESSION_STATION, "", &e) == 0)
        queued++;
    ck_assert_uint_ge(queued, ROSTER_LOGINS_MAX);
    ck_assert_int_eq(e.code, ERR_BUSY);
    /* The line ends: all of them are answered. */
    shop_stop(&c.s);
    ck_assert_uint_eq(c.answers, queued);
    ck_assert_uint_eq(c.let_in, 0);
    ck_assert_int_eq(c.why.code, ERR_WRONG_STATE);
    close_counter(&c);
}
END_TEST

/* A line that died left a session: the next one closes it. */
START_TEST(a_line_that_died)
{
    struct counter c;
    char where[160];

    with_people(&c);
    logs_in(&c, "B-2222", "4711", SESSION_FIXTURE, "F1", ERR_NONE);
    shop_stop(&c.s);
    ck_assert_uint_eq(shop_events(&c.s, "session-closed"), 1);
    sqlite3 *other;
    char path[160];
    snprintf(path, sizeof path, "%s/%s", c.s.data, LEDGER_FILE);
    ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(other, "INSERT INTO session(place, name, person, event)"
                                  " VALUES(1, 'F1', 2, 1)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    shop_where(&c.s, 0, 0, where);
    shop_start(&c.s, &fixture_shop, where);
    ck_assert_uint_eq(shop_events(&c.s, "session-closed"), 2);
    acted(&c, "session-closed", "line");
    close_counter(&c);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "nobody is known", nobody_is_known, 1 },
        { "in whose name", in_whose_name, 1 },
        { "required", required, 1 },
        { "ends without a scan", ends_without_a_scan, 1 },
        { "badges", badges, 1 },
        { "what cannot be written", what_cannot_be_written, 1 },
        { "too many logins", too_many_logins, 1 },
        { "a line that died", a_line_that_died, 1 },
    };

    return run_tests("line/roster", tests, sizeof tests / sizeof *tests);
}
