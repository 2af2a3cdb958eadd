/* Rights, PINs, and badge with PIN against the ledger. */
#include "station/people/login.h"
#include "station/people/pin.h"
#include "tests/unit/known_pin.h"
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <string.h>

/* --- rights ------------------------------------------------------------------------- */

/* A right is one person's or two people's, never both; two can be found. */
static void two_people(int r)
{
    int seconds = 0, alone = 0;

    for (int role = 0; role < ROLES; role++) {
        seconds += role_may_second(role, r);
        alone += right_info(r)->may[role] == MAY;
        ck_assert(!right_needs_two(r) || !role_may(role, r) ||
                  role_may_second(role, r));
    }
    ck_assert_int_eq(right_needs_two(r), seconds > 0);
    ck_assert(!right_needs_two(r) || alone == 0);
    ck_assert(!role_may_second(ROLE_AUDITOR, r));
}

START_TEST(the_table_is_whole)
{
    for (int r = 0; r < RIGHTS; r++) {
        const struct right_info *i = right_info(r);
        int who = 0;
        ck_assert_ptr_nonnull(i);
        ck_assert_ptr_nonnull(i->name);
        ck_assert_ptr_nonnull(i->act);
        for (int role = 0; role < ROLES; role++)
            who += role_may(role, r);
        ck_assert_msg(who > 0, "nobody may %s", i->name);
        two_people(r);
        for (int k = 0; k < r; k++)
            ck_assert_str_ne(right_info(k)->name, i->name);
    }
    for (int role = 0; role < ROLES; role++) {
        ck_assert(role_may(role, RIGHT_OWN_PIN));
        ck_assert(role_may(role, RIGHT_PEOPLE) == (role == ROLE_SUPERVISOR));
    }
    ck_assert(!role_may(ROLE_OPERATOR, RIGHT_FIXTURES));
    ck_assert(!role_may(ROLE_AUDITOR, RIGHT_CLOCK));
    ck_assert(role_may(ROLE_ENGINEER, RIGHT_BACKUP));
    ck_assert(!role_may(ROLE_OPERATOR, RIGHT_BACKUP));
    ck_assert(!role_may(ROLE_AUDITOR, RIGHT_BACKUP));
    ck_assert_ptr_null(right_info(RIGHTS));
    ck_assert(!role_may(ROLES, RIGHT_OWN_PIN));
    ck_assert(!role_may(ROLE_SUPERVISOR, RIGHTS));
    ck_assert(!role_may((enum role)-1, RIGHT_OWN_PIN));
    ck_assert(!right_needs_two(RIGHTS));
    ck_assert(!role_may_second((enum role)-1, RIGHT_VOID));
    ck_assert_str_eq(may_text((enum may)-1), "-");
}
END_TEST

START_TEST(roles_have_words)
{
    enum role role;
    struct err e = ERR_INIT;

    for (int i = 0; i < ROLES; i++) {
        good(role_parse(role_names[i], &role, &e));
        ck_assert_int_eq(role, i);
    }
    bad(role_parse("root", &role, &e), ERR_USAGE);
    bad(role_parse("", &role, &e), ERR_USAGE);
}
END_TEST

/* --- PINs --------------------------------------------------------------------------- */

static const struct {
    const char *pin, *badge;
    bool ok;
} pins[] = {
    { "4711", "B-0001", true },
    { "000001", "B-0001", true },
    { "123456789012", "B-0001", true },
    { "4711", NULL, true },
    { "", "B-0001", false },
    { "471", "B-0001", false },
    { "1234567890123", "B-0001", false },
    { "47a1", "B-0001", false },
    { "4711 ", "B-0001", false },
    { "-4711", "B-0001", false },
    { "\xd9\xa0\xd9\xa1", "B-0001", false },
    { "7777", "B-0001", false },
    { "777777777777", NULL, false },
    { "0001", "B-0001", false },
    { "471182", "471182", false },
};

START_TEST(what_a_pin_is)
{
    struct err e = ERR_INIT;

    if (pins[_i].ok)
        good(pin_check(pins[_i].pin, pins[_i].badge, &e));
    else
        bad(pin_check(pins[_i].pin, pins[_i].badge, &e), ERR_USAGE);
    ck_assert(strlen(pins[_i].pin) < 4 || !strstr(e.msg, pins[_i].pin));
}
END_TEST

START_TEST(hashes)
{
    struct pin_hash a, b;
    struct err e = ERR_INIT;

    good(pin_hash_make("4711", &a, &e));
    good(pin_hash_make("4711", &b, &e));
    ck_assert(memcmp(a.salt, b.salt, sizeof a.salt) != 0);
    ck_assert(memcmp(a.hash, b.hash, sizeof a.hash) != 0);
    ck_assert_int_eq(pin_hash_check("4711", &a, &e), 1);
    ck_assert_int_eq(pin_hash_check("4712", &a, &e), 0);
    ck_assert_int_eq(pin_hash_check("471", &a, &e), 0);
    ck_assert_int_eq(pin_hash_check("4711", NULL, &e), 0);
    a.log_n = 0; /* no ledger of ours */
    ck_assert_int_eq(pin_hash_check("4711", &a, &e), -1);
}
END_TEST

START_TEST(parameters_are_the_ledgers)
{
    struct pin_hash a, b;
    struct err e = ERR_INIT;

    good(pin_hash_make("4711", &a, &e));
    b = a;
    b.log_n = 14;
    ck_assert_int_eq(pin_hash_check("4711", &b, &e), 0);
    b = a;
    b.r = 4;
    ck_assert_int_eq(pin_hash_check("4711", &b, &e), 0);
}
END_TEST

/* --- login -------------------------------------------------------------------------- */

struct newcomer {
    const char *name, *badge, *pin, *actor;
    enum role role;
};

static int add(struct tx *tx, void *ctx, struct err *e)
{
    const struct newcomer *c = ctx;
    uint8_t badge[BADGE_HASH];
    struct person_new n = { c->name, c->role, badge, known_pin(c->pin) };

    return badge_hash(c->badge, badge, e) != 0
         ? -1 : person_add(tx, &n, c->actor, e);
}

static int block_bob(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    return person_set_blocked(tx, "Bob", true, "Ada", e);
}

static void people(struct ground *g)
{
    struct err e = ERR_INIT;

    ground_now = GROUND_NOW;
    ground_open(g);
    good(db_write(g->db, add, &(struct newcomer){ "Ada", "B-0001", "4711", NULL,
                                                  ROLE_SUPERVISOR }, &e));
    good(db_write(g->db, add, &(struct newcomer){ "Bob", "B-0002", "4712", "Ada",
                                                  ROLE_OPERATOR }, &e));
}

START_TEST(badge_and_pin)
{
    struct session s;
    struct err e = ERR_INIT;
    struct ground g;

    people(&g);
    good(login(g.db, "B-0001", "4711", &s, &e));
    ck_assert_str_eq(s.name, "Ada");
    good(session_may(&s, RIGHT_PEOPLE, &e));
    good(login(g.db, "B-0002", "4712", &s, &e));
    ck_assert_int_eq(s.role, ROLE_OPERATOR);
    bad(session_may(&s, RIGHT_FIXTURES, &e), ERR_TRUST);
    ck_assert_ptr_nonnull(strstr(e.msg, "engineer or supervisor"));
    bad(login(g.db, "B-0001", "4712", &s, &e), ERR_TRUST); /* another's PIN */
    bad(login(g.db, "B1", "4712", &s, &e), ERR_USAGE);
    good(session_still(g.db, &s, RIGHT_OWN_PIN, &e));
    good(db_write(g.db, block_bob, NULL, &e)); /* while he types a new PIN */
    bad(session_still(g.db, &s, RIGHT_OWN_PIN, &e), ERR_TRUST);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM login_try"), 1);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static int promote_bob(struct tx *tx, void *ctx, struct err *e)
{
    return person_set_role(tx, "Bob", *(enum role *)ctx, "Ada", e);
}

static struct session of(const struct ground *g, const char *badge,
                         const char *pin)
{
    struct session s;
    struct err e = ERR_INIT;

    good(login(g->db, badge, pin, &s, &e));
    return s;
}

/* Alone nobody may; two may when both are such that may, and are two. */
START_TEST(two_for_one_act)
{
    struct err e = ERR_INIT;
    struct ground g;

    people(&g);
    struct pair p = { of(&g, "B-0001", "4711"), of(&g, "B-0002", "4712") };
    bad(session_may(&p.first, RIGHT_VOID, &e), ERR_TRUST);
    ck_assert_ptr_nonnull(strstr(e.msg, "alone"));
    bad(pair_may(&p, RIGHT_VOID, &e), ERR_TRUST); /* Bob is an operator */
    ck_assert_ptr_nonnull(strstr(e.msg, "Bob is operator"));
    enum role role = ROLE_ENGINEER;
    good(db_write(g.db, promote_bob, &role, &e));
    good(pair_still(g.db, &p, RIGHT_VOID, &e)); /* by what the ledger holds */
    p.second.role = role;
    good(pair_may(&p, RIGHT_VOID, &e));
    good(pair_may(&(struct pair){ p.second, p.first }, RIGHT_VOID, &e));
    bad(pair_may(&p, RIGHT_PEOPLE, &e), ERR_TRUST); /* one person's right */
    struct pair alone = { p.first, p.first };
    bad(pair_may(&alone, RIGHT_VOID, &e), ERR_TRUST);
    ck_assert_ptr_nonnull(strstr(e.msg, "both badges are Ada's"));
    bad(pair_still(g.db, &alone, RIGHT_VOID, &e), ERR_TRUST);
    good(db_write(g.db, block_bob, NULL, &e));
    bad(pair_still(g.db, &p, RIGHT_VOID, &e), ERR_TRUST);
    bad(pair_still(g.db, &(struct pair){ p.second, p.first }, RIGHT_VOID, &e),
        ERR_TRUST);
    ground_close(&g);
}
END_TEST

START_TEST(all_failures_read_alike)
{
    struct err wrong = ERR_INIT, unknown = ERR_INIT, blocked = ERR_INIT, e = ERR_INIT;
    struct session s;
    struct ground g;

    people(&g);
    good(db_write(g.db, block_bob, NULL, &e));
    ck_assert_int_eq(login(g.db, "B-0001", "9876", &s, &wrong), -1);
    ck_assert_int_eq(login(g.db, "B-9999", "4711", &s, &unknown), -1);
    ck_assert_int_eq(login(g.db, "B-0002", "4712", &s, &blocked), -1);
    ck_assert_str_eq(wrong.msg, unknown.msg);
    ck_assert_str_eq(wrong.msg, blocked.msg);
    ck_assert_int_eq(wrong.code, unknown.code);
    ck_assert_int_eq(wrong.code, blocked.code);
    /* A badge that nobody has is locked out like one that somebody has. */
    for (int i = 0; i < 2; i++) {
        bad(login(g.db, "B-0001", "9876", &s, &e), ERR_TRUST);
        bad(login(g.db, "B-9999", "9876", &s, &e), ERR_TRUST);
    }
    ck_assert_int_eq(login(g.db, "B-0001", "4711", &s, &wrong), -1);
    ck_assert_int_eq(wrong.code, ERR_WRONG_STATE);
    ck_assert_int_eq(login(g.db, "B-9999", "4711", &s, &unknown), -1);
    ck_assert_str_eq(wrong.msg, unknown.msg);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM event"
                                    " WHERE kind = 'login-failed'"), 5);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(locked_out_for_a_while)
{
    struct session s;
    struct err e = ERR_INIT;
    struct ground g;

    people(&g);
    for (int i = 0; i < 3; i++)
        bad(login(g.db, "B-0001", "9876", &s, &e), ERR_TRUST);
    for (int64_t wait = 1; wait <= 4; wait *= 2) {
        ground_now += wait - 1;
        bad(login(g.db, "B-0001", "4711", &s, &e), ERR_WRONG_STATE);
        ground_reopen(&g);
        bad(login(g.db, "B-0001", "4711", &s, &e), ERR_WRONG_STATE);
        ground_now++;
        bad(login(g.db, "B-0001", "9876", &s, &e), ERR_TRUST);
    }
    good(login(g.db, "B-0002", "4712", &s, &e)); /* nobody else waits */
    ground_now += 8;
    good(login(g.db, "B-0001", "4711", &s, &e));
    bad(login(g.db, "B-0001", "9876", &s, &e), ERR_TRUST); /* counted anew */
    good(login(g.db, "B-0001", "4711", &s, &e));
    ground_close(&g);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "the table is whole", the_table_is_whole, 1 },
        { "roles have words", roles_have_words, 1 },
        { "what a PIN is", what_a_pin_is, ROWS(pins) },
        { "hashes", hashes, 1 },
        { "parameters", parameters_are_the_ledgers, 1 },
        { "badge and PIN", badge_and_pin, 1 },
        { "two for one act", two_for_one_act, 1 },
        { "failures read alike", all_failures_read_alike, 1 },
        { "locked out", locked_out_for_a_while, 1 },
    };

    return run_tests("people", tests, sizeof tests / sizeof *tests);
}
