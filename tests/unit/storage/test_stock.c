/* BPPs: the verbs, and the balance under random operations. Every single
 * transition: test_states.c. */
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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
        { "reserve", reserve_takes_all_in_bundle_order, 1 },
        { "a load", a_load_from_stock_to_result, 1 },
        { "leftovers", leftovers_return_but_loading_stays, 1 },
        { "cheats", cross_check_finds_cheats, sizeof cheats / sizeof *cheats },
        { "cheats and events", cross_check_reads_events, 1 },
        { "random operations", random_operations_balance, 1 },
    };

    return run_tests("storage/stock", tests, sizeof tests / sizeof *tests);
}
