/* The seven states: every pair, the verbs, and the balance under random
 * operations. */
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- a way into each state --------------------------------------------------- */

struct step {
    enum bpp_state to;
    enum stock_cause cause;
};

static const struct way {
    const char *name;
    enum bpp_state state;
    unsigned attempts;
    struct step steps[5];
    size_t n;
} ways[] = {
    { "in stock", BPP_IN_STOCK, 0, { { 0, 0 } }, 0 },
    { "in stock again", BPP_IN_STOCK, 1,
      { { BPP_RESERVED, CAUSE_SCAN }, { BPP_LOADING, CAUSE_LOAD },
        { BPP_IN_STOCK, CAUSE_KEY_UNUSED } }, 3 },
    { "reserved", BPP_RESERVED, 0, { { BPP_RESERVED, CAUSE_SCAN } }, 1 },
    { "reserved again", BPP_RESERVED, 1,
      { { BPP_RESERVED, CAUSE_SCAN }, { BPP_LOADING, CAUSE_LOAD },
        { BPP_IN_STOCK, CAUSE_KEY_UNUSED }, { BPP_RESERVED, CAUSE_SCAN } }, 4 },
    { "loading", BPP_LOADING, 1,
      { { BPP_RESERVED, CAUSE_SCAN }, { BPP_LOADING, CAUSE_LOAD } }, 2 },
    { "installed", BPP_INSTALLED, 1,
      { { BPP_RESERVED, CAUSE_SCAN }, { BPP_LOADING, CAUSE_LOAD },
        { BPP_INSTALLED, CAUSE_RESULT } }, 3 },
    { "failed", BPP_FAILED, 1,
      { { BPP_RESERVED, CAUSE_SCAN }, { BPP_LOADING, CAUSE_LOAD },
        { BPP_FAILED, CAUSE_RESULT } }, 3 },
    { "quarantined", BPP_QUARANTINED, 1,
      { { BPP_RESERVED, CAUSE_SCAN }, { BPP_LOADING, CAUSE_LOAD },
        { BPP_QUARANTINED, CAUSE_NO_EVIDENCE } }, 3 },
    { "voided", BPP_VOIDED, 0,
      { { BPP_RESERVED, CAUSE_SCAN }, { BPP_VOIDED, CAUSE_CONSUMED_ELSEWHERE } },
      2 },
};

struct attempt {
    int64_t bpp;
    struct step step;
    bool keep, moved;
};

static int attempt(struct tx *tx, void *ctx, struct err *e)
{
    struct attempt *a = ctx;
    const struct stock_evidence ev = { .octets = ground_bf37() };

    if (stock_move(tx, a->bpp, a->step.to, a->step.cause, &ground_act, &ev,
                   e) != 0)
        return -1;
    a->moved = true;
    return a->keep ? 0 : err_set(e, ERR_NONE, "undone");
}

/* The table is the law: what it names happens, anything else is refused and
 * changes nothing. */
START_TEST(every_pair)
{
    const struct way *w = &ways[_i];
    struct event_head before, after;
    struct err e = ERR_INIT;
    struct ground g;
    size_t allowed = 0;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 1, 1);
    struct attempt a = { .bpp = ground_bpp(g.db, 1).id, .keep = true };
    for (size_t s = 0; s < w->n; s++) {
        a.step = w->steps[s];
        good(db_write(g.db, attempt, &a, &e));
    }
    ck_assert_int_eq(ground_bpp(g.db, 1).state, w->state);
    ck_assert_uint_eq(ground_bpp(g.db, 1).attempts, w->attempts);
    good(event_head(g.db, &before, &e));

    a.keep = false;
    for (int to = 0; to < BPP_STATES; to++)
        for (int cause = 0; cause < CAUSE_COUNT; cause++) {
            bool in_table = stock_transition(w->state, (enum bpp_state)to,
                                             (enum stock_cause)cause,
                                             w->attempts) != NULL;
            a.step = (struct step){ (enum bpp_state)to,
                                    (enum stock_cause)cause };
            a.moved = false;
            ck_assert_int_eq(db_write(g.db, attempt, &a, &e), -1);
            ck_assert_msg(a.moved == in_table, "%s to %s by %s: %s", w->name,
                          bpp_state_name(a.step.to),
                          stock_cause_name(a.step.cause), e.msg);
            if (!in_table)
                ck_assert_int_eq(e.code, ERR_WRONG_STATE);
            allowed += in_table;
        }
    good(event_head(g.db, &after, &e));
    ck_assert_uint_eq(before.number, after.number);
    ck_assert_int_eq(ground_bpp(g.db, 1).state, w->state);
    ground_balanced(g.db);
    if (w->state >= BPP_INSTALLED)
        ck_assert_uint_eq(allowed, 0);
    else
        ck_assert_uint_gt(allowed, 0);
    ground_close(&g);
}
END_TEST

/* Each row of the table written out once more, by hand: a change of the table
 * has to be made twice, on purpose. */
START_TEST(the_table_itself)
{
    static const char want[] =
        "in-stock reserved scan 0;"
        "reserved in-stock released 0;reserved in-stock leftover 0;"
        "reserved loading load 0;"
        "reserved installed evidence-found 2;reserved failed evidence-found 2;"
        "reserved quarantined consumed-without-evidence 2;"
        "reserved voided consumed-elsewhere 1;"
        "loading installed result 0;loading failed result 0;"
        "loading installed evidence-found 0;loading failed evidence-found 0;"
        "loading in-stock key-unused 0;"
        "loading quarantined consumed-without-evidence 0;";
    char got[2048] = "";
    size_t n = 0;

    for (size_t i = 0; i < stock_transition_count; i++) {
        const struct stock_transition *t = &stock_transitions[i];
        n += (size_t)snprintf(got + n, sizeof got - n, "%s %s %s %d;",
                              bpp_state_name(t->from), bpp_state_name(t->to),
                              stock_cause_name(t->cause), (int)t->attempts);
    }
    ck_assert_str_eq(got, want);
}
END_TEST

/* --- the verbs ---------------------------------------------------------------- */

struct reserve {
    struct eid eid;
    struct act act;
    struct bpp_list list;
};

static int reserve(struct tx *tx, void *ctx, struct err *e)
{
    struct reserve *r = ctx;

    return stock_reserve(tx, &r->eid, &r->act, &r->list, e);
}

static int load(struct tx *tx, void *ctx, struct err *e)
{
    return stock_load(tx, *(int64_t *)ctx, &ground_act, e);
}

static int install(struct tx *tx, void *ctx, struct err *e)
{
    return stock_result(tx, *(int64_t *)ctx, true, CAUSE_RESULT,
                        ground_bf37(), &ground_act, e);
}

static int install_empty(struct tx *tx, void *ctx, struct err *e)
{
    return stock_result(tx, *(int64_t *)ctx, true, CAUSE_RESULT,
                        SPAN(NULL, 0), &ground_act, e);
}

static int release(struct tx *tx, void *ctx, struct err *e)
{
    return stock_release_leftovers(tx, "test", ctx, e);
}

START_TEST(reserve_takes_all_in_bundle_order)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 2, 10, 2, 10); /* BPPs 10, 11: eUICC 1, came first */
    ground_bundle(&g, 1, 12, 2, 10); /* 12, 13: eUICC 1 */
    ground_bundle(&g, 3, 20, 2, 10); /* eUICC 2 */
    struct reserve r = { .eid = ground_eid(1), .act = ground_act };
    good(db_write(g.db, reserve, &r, &e));
    ck_assert_uint_eq(r.list.n, 4);
    for (unsigned k = 0; k < 4; k++) {
        const struct txid want = ground_txid(10 + k);
        ck_assert(txid_eq(&r.list.v[k].txid, &want));
        ck_assert_int_eq(r.list.v[k].state, BPP_RESERVED);
        ck_assert_str_eq(r.list.v[k].fixture, "F1");
    }
    ck_assert_int_eq(ground_bpp(g.db, 20).state, BPP_IN_STOCK);
    good(db_write(g.db, reserve, &r, &e)); /* nothing is left */
    ck_assert_uint_eq(r.list.n, 0);
    ground_balanced(g.db);
    bpp_list_clear(&r.list);
    ground_close(&g);
}
END_TEST

START_TEST(a_load_from_stock_to_result)
{
    AUTO(buf_clear) struct buf octets = BUF_INIT;
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 1, 1);
    int64_t bpp = ground_bpp(g.db, 1).id;
    bad(stock_bf37(g.db, bpp, &octets, &e), ERR_NOT_FOUND);
    bad(db_write(g.db, load, &bpp, &e), ERR_WRONG_STATE);
    struct reserve r = { .eid = ground_eid(1), .act = ground_act };
    good(db_write(g.db, reserve, &r, &e));
    ground_now = GROUND_NOW + 5;
    good(db_write(g.db, load, &bpp, &e));
    good(stock_loading(g.db, &l, &e));
    ck_assert_uint_eq(l.n, 1);
    ck_assert_uint_eq(l.v[0].attempts, 1);
    bad(db_write(g.db, install_empty, &bpp, &e), ERR_FORMAT);
    good(db_write(g.db, install, &bpp, &e));
    good(stock_bf37(g.db, bpp, &octets, &e));
    ck_assert(span_eq(buf_span(&octets), ground_bf37()));
    good(stock_record(g.db, bpp, &octets, &e));
    ck_assert_uint_eq(octets.n, 100);
    ck_assert_uint_eq(octets.p[0], 1);
    AUTO(buf_clear) struct buf dp = BUF_INIT;
    good(stock_chains(g.db, bpp, &octets, &dp, &e));
    ck_assert(span_eq(buf_span(&octets), SPAN_STR("eum chain")));
    ck_assert(span_eq(buf_span(&dp), SPAN_STR("dp chain")));
    bad(stock_get(g.db, bpp + 1, l.v, &e), ERR_NOT_FOUND);
    ground_balanced(g.db);
    bpp_list_clear(&r.list);
    ground_close(&g);
}
END_TEST

START_TEST(leftovers_return_but_loading_stays)
{
    struct err e = ERR_INIT;
    struct ground g;
    size_t released = 0;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 3, 10);
    struct reserve r = { .eid = ground_eid(0), .act = ground_act };
    good(db_write(g.db, reserve, &r, &e));
    ck_assert_uint_eq(r.list.n, 3);
    good(db_write(g.db, load, &r.list.v[1].id, &e));
    ground_reopen(&g);
    good(db_write(g.db, release, &released, &e));
    ck_assert_uint_eq(released, 2);
    ck_assert_int_eq(ground_bpp(g.db, 1).state, BPP_IN_STOCK);
    ck_assert_int_eq(ground_bpp(g.db, 2).state, BPP_LOADING);
    ck_assert_uint_eq(ground_bpp(g.db, 1).attempts, 0);
    ground_balanced(g.db);
    bpp_list_clear(&r.list);
    ground_close(&g);
}
END_TEST

/* The cross-check sees a counter, a row or an event that disagrees. */
static const struct {
    const char *name, *sql;
} cheats[] = {
    { "a counter", "UPDATE container SET in_stock = in_stock - 1,"
      " failed = failed + 1" },
    { "a row", "UPDATE bpp SET state = 3 WHERE ordinal = 1" },
    { "a BPP more", "UPDATE container SET received = received + 1,"
      " in_stock = in_stock + 1" },
    { "a deletion", "UPDATE bpp SET deleted = 1 WHERE ordinal = 1" },
};

START_TEST(cross_check_finds_cheats)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 3, 1);
    good(stock_cross_check(g.db, &e));
    ck_assert_int_eq(ground_sql(&g, cheats[_i].sql), 0);
    bad(stock_cross_check(g.db, &e), ERR_CONFLICT);
    ground_close(&g);
}
END_TEST

/* Both counters and rows turned alike: only the events still tell. */
START_TEST(cross_check_reads_events)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 1, 1);
    ck_assert_int_eq(ground_sql(&g, "UPDATE bpp SET state = 4"), 0);
    ck_assert_int_eq(ground_sql(&g, "UPDATE container SET in_stock = 0,"
                                " failed = 1"), 0);
    bad(stock_cross_check(g.db, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "events"));
    ground_close(&g);
}
END_TEST

/* --- random operations --------------------------------------------------------- */

struct dice {
    unsigned state, txids;
    int moved;
};

static unsigned roll(struct dice *d, unsigned n)
{
    d->state = d->state * 1103515245u + 12345u;
    return (d->state >> 16) % n;
}

static int random_moves(struct tx *tx, void *ctx, struct err *e)
{
    struct dice *d = ctx;
    unsigned n = 1 + roll(d, 8);

    for (unsigned k = 0; k < n; k++) {
        const struct txid t = ground_txid(1 + roll(d, d->txids));
        struct bpp_info b;
        if (stock_by_txid(tx_db(tx), &t, &b, e) != 0)
            return -1;
        const struct stock_transition *row =
            &stock_transitions[roll(d, (unsigned)stock_transition_count)];
        if (b.state == BPP_INSTALLED) {
            if (stock_deleted(tx, b.id, &ground_act, e) != 0)
                return -1;
            continue;
        }
        const struct stock_evidence ev = { .octets = ground_bf37() };
        if (!stock_transition(b.state, row->to, row->cause, b.attempts))
            continue;
        if (stock_move(tx, b.id, row->to, row->cause, &ground_act, &ev, e) != 0)
            return -1;
        d->moved++;
    }
    return roll(d, 5) == 0 ? err_set(e, ERR_CLOSED, "undone") : 0;
}

START_TEST(random_operations_balance)
{
    const char *given = getenv("LINESIDE_SEED");
    struct dice d = { .state = given ? (unsigned)strtoul(given, NULL, 10)
                                     : (unsigned)time(NULL), .txids = 60 };
    struct err e = ERR_INIT;
    struct ground g;

    printf("storage: random operations, LINESIDE_SEED=%u\n", d.state);
    ground_open(&g);
    ground_bundle(&g, 1, 1, 20, 4);
    ground_bundle(&g, 2, 21, 40, 4);
    for (int k = 0; k < 400; k++) {
        e.code = ERR_NONE;
        if (db_write(g.db, random_moves, &d, &e) != 0)
            ck_assert_msg(e.code == ERR_CLOSED, "%s", e.msg);
        if (k % 40 == 0)
            ground_balanced(g.db);
    }
    ck_assert_int_gt(d.moved, 100);
    ground_reopen(&g);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "every pair", every_pair, sizeof ways / sizeof *ways },
        { "the table itself", the_table_itself, 1 },
        { "reserve", reserve_takes_all_in_bundle_order, 1 },
        { "a load", a_load_from_stock_to_result, 1 },
        { "leftovers", leftovers_return_but_loading_stays, 1 },
        { "cheats", cross_check_finds_cheats, sizeof cheats / sizeof *cheats },
        { "cheats and events", cross_check_reads_events, 1 },
        { "random operations", random_operations_balance, 1 },
    };

    return run_tests("storage/stock", tests, sizeof tests / sizeof *tests);
}
