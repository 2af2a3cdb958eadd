/* The event table: chained, kept, and its clock. */
#include "tests/unit/storage/ledger_ground.h"

#include "station/base/clock.h"

#include <string.h>

static int say(struct tx *tx, void *ctx, struct err *e)
{
    const struct event_field f[] = { { "word", ctx } };

    return event_append(tx, "said", "test", f, 1, NULL, e);
}

static void say_n(struct ground *g, int n)
{
    struct err e = ERR_INIT;

    while (n-- > 0)
        good(db_write(g->db, say, "hello", &e));
}

/* Forms of change an outsider may try; none may succeed. */
static const char *const changes[] = {
    "UPDATE event SET kind = 'other' WHERE number = 2",
    "UPDATE event SET der = x'00'",
    "DELETE FROM event WHERE number = 3",
    "DELETE FROM event",
    "REPLACE INTO event(number, at, kind, der, hash)"
    " VALUES(2, 1, 'x', x'00', zeroblob(32))",
    "INSERT INTO event(number, at, kind, der, hash)"
    " VALUES(9, 1, 'x', x'00', zeroblob(32))",
    "UPDATE evidence SET octets = x'00'",
    "DELETE FROM evidence",
};

static int failure(struct tx *tx, void *ctx, struct err *e)
{
    const struct failure_info f = { .code = "test" };

    (void)ctx;
    return failure_add(tx, &ground_act, &f, e);
}

START_TEST(triggers_forbid)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    say_n(&g, 3);
    good(db_write(g.db, failure, NULL, &e));
    ck_assert_msg(ground_sql(&g, changes[_i]) == SQLITE_CONSTRAINT, "%s",
                  changes[_i]);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM event"), 4);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static int chained(void *ctx, uint64_t number, struct span der,
                   const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct event_head *last = ctx;
    uint8_t again[EVENT_HASH];
    struct event ev;

    if (event_decode(der, &ev, e) != 0)
        return -1;
    event_hash(der, again);
    ck_assert_mem_eq(again, hash, EVENT_HASH);
    ck_assert_mem_eq(ev.previous.p, last->hash, EVENT_HASH);
    ck_assert_uint_eq(number, last->number + 1);
    last->number = number;
    memcpy(last->hash, hash, EVENT_HASH);
    return 0;
}

START_TEST(chain_from_first_to_head)
{
    struct event_head last = { 0 }, head;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(event_head(g.db, &head, &e));
    ck_assert_uint_eq(head.number, 0);
    say_n(&g, 5);
    good(event_walk(g.db, 1, 0, chained, &last, &e));
    good(event_head(g.db, &head, &e));
    ck_assert_uint_eq(head.number, 5);
    ck_assert_mem_eq(head.hash, last.hash, EVENT_HASH);
    good(event_head_at(g.db, 3, &last, &e)); /* and from the middle on */
    good(event_walk(g.db, 4, 5, chained, &last, &e));
    ck_assert_uint_eq(last.number, 5);
    bad(event_head_at(g.db, 6, &last, &e), ERR_NOT_FOUND);
    ground_close(&g);
}
END_TEST

/* Someone who removes the triggers first is still found out. */
static const struct {
    const char *name, *sql;
} forgeries[] = {
    { "an octet of an event",
      "UPDATE event SET der = CAST(substr(der, 1, length(der) - 1) || 'x'"
      " AS BLOB) WHERE number = 2" },
    { "octets and hash alike",
      "UPDATE event SET (der, hash) = (SELECT der, hash FROM event"
      " WHERE number = 1) WHERE number = 2" },
    { "an event gone", "DELETE FROM event WHERE number = 2" },
    { "a hash", "UPDATE event SET hash = zeroblob(32) WHERE number = 3" },
};

START_TEST(verify_finds_forgeries)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    say_n(&g, 3);
    good(event_verify(g.db, NULL, &e));
    ck_assert_int_eq(ground_sql(&g, "DROP TRIGGER event_keep"), 0);
    ck_assert_int_eq(ground_sql(&g, "DROP TRIGGER event_stay"), 0);
    ck_assert_int_eq(ground_sql(&g, forgeries[_i].sql), 0);
    bad(event_verify(g.db, NULL, &e), ERR_CONFLICT);
    ground_close(&g);
}
END_TEST

static int undone(struct tx *tx, void *ctx, struct err *e)
{
    return say(tx, ctx, e) != 0 ? -1 : err_set(e, ERR_CLOSED, "undone");
}

static int bad_text(struct tx *tx, void *ctx, struct err *e)
{
    return event_append(tx, ctx, "test", NULL, 0, NULL, e);
}

START_TEST(rolled_back_leaves_no_gap)
{
    struct event_head head;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    say_n(&g, 1);
    bad(db_write(g.db, undone, "never", &e), ERR_CLOSED);
    bad(db_write(g.db, bad_text, "line\nfeed", &e), ERR_FORMAT);
    say_n(&g, 1);
    good(event_verify(g.db, &head, &e));
    ck_assert_uint_eq(head.number, 2);
    ground_close(&g);
}
END_TEST

/* --- the clock ------------------------------------------------------------------ */

static const struct {
    const char *name;
    int64_t clock; /* of the second event, after one at GROUND_NOW */
    int64_t want;
} clocks[] = {
    { "later", GROUND_NOW + 10, GROUND_NOW + 10 },
    { "the same second", GROUND_NOW, GROUND_NOW },
    { "gone back", GROUND_NOW - 10, GROUND_NOW },
    { "30 days", GROUND_NOW + CLOCK_TRUST_SPAN_S,
      GROUND_NOW + CLOCK_TRUST_SPAN_S },
    { "beyond 30 days", GROUND_NOW + CLOCK_TRUST_SPAN_S + 1, GROUND_NOW },
};

START_TEST(events_never_go_back)
{
    struct event_head head;
    struct ledger_clock c;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    say_n(&g, 1);
    ground_now = clocks[_i].clock;
    good(ledger_clock(g.db, &c, &e));
    ck_assert_int_eq(c.now, clocks[_i].want);
    ck_assert_int_eq(c.floor, GROUND_NOW);
    ck_assert(c.confirmed == (clocks[_i].want == clocks[_i].clock));
    say_n(&g, 1);
    good(event_head(g.db, &head, &e));
    ck_assert_msg(head.at == clocks[_i].want, "%s", clocks[_i].name);
    good(event_verify(g.db, NULL, &e));
    ground_close(&g);
}
END_TEST

static int confirm(struct tx *tx, void *ctx, struct err *e)
{
    return ledger_clock_confirm(tx, ctx, e);
}

START_TEST(a_person_confirms_the_clock)
{
    struct ledger_clock c;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    say_n(&g, 1);
    ground_now = GROUND_NOW - 1;
    bad(db_write(g.db, confirm, "Ada", &e), ERR_CONFLICT);
    ground_now = GROUND_NOW + 100 * 86400;
    good(ledger_clock(g.db, &c, &e));
    ck_assert(!c.confirmed);
    good(db_write(g.db, confirm, "Ada", &e));
    good(ledger_clock(g.db, &c, &e));
    ck_assert(c.confirmed);
    ck_assert_int_eq(c.floor, ground_now);
    ground_close(&g);
}
END_TEST

/* An accepted created-at is a floor of its own (binding, clause 5). */
START_TEST(a_container_raises_the_floor)
{
    struct ledger_clock c;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_now = GROUND_NOW - 86400;
    say_n(&g, 1);
    ground_bundle(&g, 1, 1, 1, 1); /* made at GROUND_NOW - 3600 */
    good(ledger_clock(g.db, &c, &e));
    ck_assert_int_eq(c.floor, GROUND_NOW - 3600);
    ck_assert_int_eq(c.now, GROUND_NOW - 3600);
    ck_assert(!c.confirmed);
    good(event_verify(g.db, NULL, &e));
    ground_close(&g);
}
END_TEST

static int count(void *ctx, uint64_t number, struct span der,
                 const uint8_t hash[EVENT_HASH], struct err *e)
{
    uint64_t *got = ctx;

    (void)der;
    (void)hash;
    (void)e;
    got[1 + got[0]++] = number;
    return 0;
}

START_TEST(log_is_cut)
{
    uint64_t got[16] = { 0 }, looked_to;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    say_n(&g, 3);
    good(db_write(g.db, failure, NULL, &e));
    say_n(&g, 2);
    good(query_log(g.db, &(struct log_filter){ .limit = 2 }, count, got,
                   &looked_to, &e));
    ck_assert_uint_eq(got[0], 2);
    ck_assert_uint_eq(got[1], 5);
    ck_assert_uint_eq(got[2], 6);
    got[0] = 0;
    good(query_log(g.db, &(struct log_filter){ .kind = "said", .before = 5,
                                               .limit = 2 },
                   count, got, &looked_to, &e));
    ck_assert_uint_eq(got[0], 2);
    ck_assert_uint_eq(got[1], 2);
    ck_assert_uint_eq(got[2], 3);
    got[0] = 0;
    good(query_log(g.db, &(struct log_filter){ .kind = "failure" }, count,
                   got, &looked_to, &e));
    ck_assert_uint_eq(got[0], 1);
    ck_assert_uint_eq(got[1], 4);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "triggers", triggers_forbid, sizeof changes / sizeof *changes },
        { "chain", chain_from_first_to_head, 1 },
        { "forgeries", verify_finds_forgeries,
          sizeof forgeries / sizeof *forgeries },
        { "no gap", rolled_back_leaves_no_gap, 1 },
        { "clock", events_never_go_back, sizeof clocks / sizeof *clocks },
        { "clock confirmed", a_person_confirms_the_clock, 1 },
        { "floor", a_container_raises_the_floor, 1 },
        { "log", log_is_cut, 1 },
    };

    return run_tests("storage/events", tests, sizeof tests / sizeof *tests);
}
