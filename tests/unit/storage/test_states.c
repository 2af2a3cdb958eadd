/* BPPs, proven by trying everything: what a row of the table names happens
 * and leaves one event that says all of it; anything else is refused and
 * leaves not an octet. */
#include "tests/unit/storage/states_ground.h"

#include <stdio.h>
#include <string.h>

/* --- ways through the table ---------------------------------------------------- */

struct step {
    enum bpp_state to;
    enum stock_cause cause;
};

#define WAY_MAX (2 * BPP_STATES)

/* The shortest way from the first state of all. `begun`: a load was. */
struct way {
    bool found;
    struct step steps[WAY_MAX];
    size_t n;
};

static bool rule_fits(enum attempts_rule r, bool begun)
{
    switch (r) {
    case ATTEMPTS_NONE: return !begun;
    case ATTEMPTS_SOME: return begun;
    default: return true;
    }
}

/* Extend each way by each row once; true when something new was reached. */
static bool ways_extend(struct way ways[BPP_STATES][2])
{
    bool more = false;

    for (size_t i = 0; i < stock_transition_count; i++)
        for (int begun = 0; begun < 2; begun++) {
            const struct stock_transition *t = &stock_transitions[i];
            const struct way *from = &ways[t->from][begun];
            struct way *to = &ways[t->to][begun || t->cause == CAUSE_LOAD];
            if (!from->found || to->found || !rule_fits(t->attempts, begun))
                continue;
            *to = *from;
            to->found = true;
            to->steps[to->n++] = (struct step){ t->to, t->cause };
            more = true;
        }
    return more;
}

static void ways_find(struct way ways[BPP_STATES][2])
{
    memset(ways, 0, BPP_STATES * sizeof *ways);
    ways[BPP_IN_STOCK][0].found = true;
    while (ways_extend(ways))
        ;
}

/* --- everything is tried --------------------------------------------------------- */

/* The error is swallowed: what a refused move had written would be committed
 * and seen. */
struct try_bpp {
    const struct act *act;
    int64_t bpp;
    struct step step;
    bool bare; /* without a BF37 */
    int rc;
    struct err e;
};

static int try_bpp(struct tx *tx, void *ctx, struct err *e)
{
    struct try_bpp *t = ctx;
    const struct stock_evidence ev = { .octets = ground_bf37() };

    (void)e;
    t->e.code = ERR_NONE;
    t->rc = stock_move(tx, t->bpp, t->step.to, t->step.cause, t->act,
                       t->bare ? NULL : &ev, &t->e);
    return 0;
}

static void bpp_move(struct bench *b, int64_t bpp, struct step step)
{
    struct try_bpp t = { .act = &b->act, .bpp = bpp, .step = step };
    struct err e = ERR_INIT;

    good(db_write(b->g.db, try_bpp, &t, &e));
    ck_assert_msg(t.rc == 0, "%s", t.e.msg);
}

/* A fresh BPP in this state. What the table does not lead to (loading without
 * a load begun) an outsider makes: moves are refused there too. */
static struct bpp_info bpp_new(struct bench *b, enum bpp_state state, int begun)
{
    struct way ways[BPP_STATES][2];
    char sql[96];

    ways_find(ways);
    const struct way *w = &ways[state][ways[state][begun].found ? begun : !begun];
    ck_assert(w->found);
    ck_assert_uint_lt(b->bpps, BENCH_BPPS);
    unsigned txid = ++b->bpps;
    int64_t bpp = ground_bpp(b->g.db, txid).id;
    for (size_t i = 0; i < w->n; i++)
        bpp_move(b, bpp, w->steps[i]);
    snprintf(sql, sizeof sql, "UPDATE bpp SET attempts = %d WHERE bpp = %lld",
             begun, (long long)bpp);
    ck_assert_int_eq(outside_run(b->outside, sql), SQLITE_OK);
    const struct bpp_info info = ground_bpp(b->g.db, txid);
    ck_assert_int_eq(info.state, state);
    ck_assert_uint_eq(info.attempts, (unsigned)begun);
    return info;
}

static bool in_table(enum bpp_state from, struct step s, bool begun)
{
    for (size_t i = 0; i < stock_transition_count; i++) {
        const struct stock_transition *t = &stock_transitions[i];
        if (t->from == from && t->to == s.to && t->cause == s.cause &&
            rule_fits(t->attempts, begun))
            return true;
    }
    return false;
}

static void bpp_event_says(struct bench *b, const struct bpp_info *was,
                           struct step s, uint64_t number)
{
    char txid[TXID_HEX + 1], eid[EID_DIGITS + 1], iccid[ICCID_DIGITS + 1];
    char attempt[16];
    const struct want want[] = {
        { "bundle", was->bundle },
        { "txid", txid_format(&was->txid, txid) },
        { "eid", eid_format(&was->eid, eid) },
        { "iccid", iccid_format(&was->iccid, iccid) },
        { "from", bpp_state_name(was->state) },
        { "to", bpp_state_name(s.to) },
        { "cause", stock_cause_name(s.cause) },
        { "serial", "SN1" },
        { "position", POSITION_MAIN },
        { "fixture", "F3" },
        { "attempt", s.cause == CAUSE_LOAD ? attempt : NULL },
    };

    snprintf(attempt, sizeof attempt, "%u", was->attempts + 1);
    says(b, number, "bpp-moved", ACTOR, want, sizeof want / sizeof *want);
}

static void bpp_row_says(struct bench *b, const struct bpp_info *was,
                         struct step s, uint64_t number)
{
    struct err e = ERR_INIT;
    struct bpp_info now;
    char sql[96];

    good(stock_get(b->g.db, was->id, &now, &e));
    ck_assert_int_eq(now.state, s.to);
    ck_assert_uint_eq(now.event, number);
    ck_assert_int_eq(now.position, b->act.position);
    ck_assert_str_eq(now.fixture, "F3");
    ck_assert_uint_eq(now.attempts, was->attempts + (s.cause == CAUSE_LOAD));
    snprintf(sql, sizeof sql, "SELECT count(*) FROM evidence WHERE event = %llu",
             (unsigned long long)number);
    ck_assert_int_eq(ground_sql_int(&b->g, sql), s.to >= BPP_INSTALLED);
}

/* One step at a BPP in the state that *was tells. */
static bool bpp_try(struct bench *b, const struct bpp_info *was, struct step s)
{
    struct try_bpp t = { .act = &b->act, .bpp = was->id, .step = s };
    bool allowed = in_table(was->state, s, was->attempts > 0);
    struct err e = ERR_INIT;
    uint64_t before = newest(b);
    char what[128];

    snprintf(what, sizeof what, "%s to %s by %s", bpp_state_name(was->state),
             bpp_state_name(s.to), stock_cause_name(s.cause));
    good(db_write(b->g.db, try_bpp, &t, &e));
    ck_assert_msg((t.rc == 0) == allowed, "%s after %u loads: %s", what,
                  was->attempts, t.e.msg);
    if (!allowed) {
        ck_assert_int_eq(t.e.code, ERR_WRONG_STATE);
        bench_unchanged(b, what);
        return false;
    }
    bpp_event_says(b, was, s, before + 1);
    bpp_row_says(b, was, s, before + 1);
    return true;
}

/* Row of the loop: a state, without and with a load begun. One more of each
 * is tried than there is. */
START_TEST(every_bpp_step)
{
    const enum bpp_state from = (enum bpp_state)(_i / 2);
    const int begun = _i % 2;
    size_t moved = 0, rows = 0;
    struct bench b;

    bench_open(&b);
    struct bpp_info was = bpp_new(&b, from, begun);
    bench_mark(&b);
    for (int to = 0; to <= BPP_STATES; to++)
        for (int cause = 0; cause <= CAUSE_COUNT; cause++) {
            const struct step s = { (enum bpp_state)to, (enum stock_cause)cause };
            if (!bpp_try(&b, &was, s))
                continue;
            moved++;
            was = bpp_new(&b, from, begun);
            bench_mark(&b);
        }
    for (size_t i = 0; i < stock_transition_count; i++)
        rows += stock_transitions[i].from == from &&
                rule_fits(stock_transitions[i].attempts, begun);
    ck_assert_uint_eq(moved, rows);
    bench_close(&b);
}
END_TEST

/* A result is nothing without the eUICC's signature. */
START_TEST(no_result_without_bf37)
{
    const struct stock_transition *t = &stock_transitions[_i];
    struct err e = ERR_INIT;
    struct bench b;

    if (t->to != BPP_INSTALLED && t->to != BPP_FAILED)
        return;
    bench_open(&b);
    const struct bpp_info was = bpp_new(&b, t->from, 1);
    struct try_bpp try = { .act = &b.act, .bpp = was.id, .bare = true,
                           .step = { t->to, t->cause } };
    bench_mark(&b);
    good(db_write(b.g.db, try_bpp, &try, &e));
    ck_assert_int_eq(try.rc, -1);
    ck_assert_int_eq(try.e.code, ERR_FORMAT);
    bench_unchanged(&b, "a result without BF37");
    bench_close(&b);
}
END_TEST

/* Nobody acts namelessly. */
START_TEST(no_step_without_a_name)
{
    struct err e = ERR_INIT;
    struct bench b;

    bench_open(&b);
    const struct bpp_info was = bpp_new(&b, BPP_IN_STOCK, 0);
    struct act nobody = { .actor = "", .fixture = "F3",
                          .position = b.act.position };
    struct try_bpp t = { .act = &nobody, .bpp = was.id,
                         .step = { BPP_RESERVED, CAUSE_SCAN } };
    bench_mark(&b);
    good(db_write(b.g.db, try_bpp, &t, &e));
    ck_assert_int_eq(t.rc, -1);
    bench_unchanged(&b, "an act of nobody");
    bench_close(&b);
}
END_TEST

/* --- the table itself ---------------------------------------------------------------------- */

/* Each row written out once more, by hand: a change has to be made twice, on
 * purpose. */
START_TEST(bpp_table_by_hand)
{
    static const char want[] =
        "in-stock reserved scan 0;in-stock voided given-up 0;"
        "reserved in-stock released 0;reserved in-stock leftover 0;"
        "reserved loading load 0;"
        "reserved installed evidence-found 2;reserved failed evidence-found 2;"
        "reserved quarantined consumed-without-evidence 2;"
        "reserved voided consumed-elsewhere 1;"
        "loading installed result 0;loading failed result 0;"
        "loading installed evidence-found 0;loading failed evidence-found 0;"
        "loading in-stock key-unused 0;"
        "loading quarantined consumed-without-evidence 0;"
        "quarantined installed evidence-found 2;"
        "quarantined failed evidence-found 2;quarantined voided written-off 0;";
    char got[2048] = "";
    size_t n = 0;

    for (size_t i = 0; i < stock_transition_count; i++) {
        const struct stock_transition *t = &stock_transitions[i];
        n += (size_t)snprintf(got + n, sizeof got - n, "%s %s %s %d;",
                              bpp_state_name(t->from), bpp_state_name(t->to),
                              stock_cause_name(t->cause), (int)t->attempts);
        ck_assert(t->what && *t->what);
    }
    ck_assert_str_eq(got, want);
}
END_TEST

/* Every state can be come to; these and no others are never left. */
START_TEST(reached_and_final)
{
    static const bool final[BPP_STATES] = {
        [BPP_INSTALLED] = true, [BPP_FAILED] = true,
        [BPP_VOIDED] = true,
    };
    struct way ways[BPP_STATES][2];
    size_t out[BPP_STATES] = { 0 };

    ways_find(ways);
    for (size_t i = 0; i < stock_transition_count; i++)
        out[stock_transitions[i].from]++;
    for (int s = 0; s < BPP_STATES; s++) {
        ck_assert_msg(ways[s][0].found || ways[s][1].found, "nothing leads to %s",
                      bpp_state_name((enum bpp_state)s));
        ck_assert_int_eq(out[s] == 0, final[s]);
    }
}
END_TEST

/* --- behind the code's back --------------------------------------------------------------------------- */

static const struct {
    const char *name, *sql;
} refused[] = {
    { "no such state", "UPDATE bpp SET state = 7" },
    { "no such state either", "UPDATE bpp SET state = -1" },
    { "no such state of a position", "UPDATE position SET state = 7" },
    { "one installed more", "UPDATE container SET installed = installed + 1" },
    { "fewer than none", "UPDATE container SET received = received - 1,"
      " voided = voided - 1" },
    { "an event changed", "UPDATE event SET kind = 'bpp-deleted'" },
    { "an event gone", "DELETE FROM event WHERE kind = 'bpp-moved'" },
    { "an event replaced", "REPLACE INTO event SELECT number, at + 1, kind, der,"
      " hash FROM event WHERE kind = 'bpp-moved'" },
    { "evidence changed", "UPDATE evidence SET state = 4" },
    { "evidence gone", "DELETE FROM evidence" },
};

START_TEST(sql_is_refused)
{
    struct bench b;

    bench_open(&b);
    bpp_new(&b, BPP_INSTALLED, 1);
    bench_mark(&b);
    ck_assert_msg(outside_run(b.outside, refused[_i].sql) == SQLITE_CONSTRAINT,
                  "%s", refused[_i].name);
    bench_unchanged(&b, refused[_i].name);
    bench_close(&b);
}
END_TEST

static void cheat(struct bench *b, int64_t bpp, int from, int to, bool counters)
{
    static const char *const columns[BPP_STATES] = {
        "in_stock", "reserved", "loading", "installed", "failed",
        "quarantined", "voided",
    };
    char sql[256];

    snprintf(sql, sizeof sql, "UPDATE bpp SET state = %d WHERE bpp = %lld", to,
             (long long)bpp);
    ck_assert_int_eq(outside_run(b->outside, sql), SQLITE_OK);
    if (!counters)
        return;
    snprintf(sql, sizeof sql, "UPDATE container SET %s = %s - 1, %s = %s + 1",
             columns[from], columns[from], columns[to], columns[to]);
    ck_assert_int_eq(outside_run(b->outside, sql), SQLITE_OK);
}

/* SQLite lets an outsider write a state (no trigger knows the table); the
 * recount finds each such pair, with the counters turned alike too. */
START_TEST(sql_is_found_out)
{
    const int from = _i;
    struct err e = ERR_INIT;
    struct bench b;

    bench_open(&b);
    const struct bpp_info was = bpp_new(&b, (enum bpp_state)from,
                                        from >= BPP_LOADING);
    for (int to = 0; to < BPP_STATES; to++)
        for (int counters = 0; counters < 2 && to != from; counters++) {
            cheat(&b, was.id, from, to, counters);
            bad(stock_cross_check(b.g.db, &e), ERR_CONFLICT);
            cheat(&b, was.id, to, from, counters);
            good(stock_cross_check(b.g.db, &e));
        }
    bench_close(&b);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "by hand", bpp_table_by_hand, 1 },
        { "reached and final", reached_and_final, 1 },
        { "every step", every_bpp_step, 2 * BPP_STATES },
        { "no result without BF37", no_result_without_bf37,
          (int)stock_transition_count },
        { "no step without a name", no_step_without_a_name, 1 },
        { "SQL is refused", sql_is_refused, sizeof refused / sizeof *refused },
        { "SQL is found out", sql_is_found_out, BPP_STATES },
    };

    return run_tests("storage/states", tests, sizeof tests / sizeof *tests);
}
