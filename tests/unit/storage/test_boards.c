/* Another board in a unit: the old one's past stays, and it is not taken again
 * unless that is recorded too. */
#include "storage/boards.h"
#include "storage/health.h"
#include "storage/quarantine.h"
#include "storage/voiding.h"
#include "tests/unit/storage/states_ground.h"

#include <stdio.h>
#include <string.h>

#define SECOND "Bob"

struct doing {
    struct board_change change;
    struct position was;
};

static int replace_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct doing *d = ctx;
    const struct act a = { .actor = ACTOR, .second = SECOND };

    return board_replace(tx, &a, &d->change, &d->was, e);
}

static int replace(struct bench *b, const char *serial, const char *position,
                   unsigned eid, bool line_stands, struct err *e)
{
    struct doing d = { { serial, position, ground_eid(eid), "board broken",
                         line_stands, NULL }, { .id = 0 } };

    return db_write(b->g.db, replace_tx, &d, e);
}

struct move {
    struct act act;
    enum position_state to;
    enum position_cause cause;
};

static int move_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct move *m = ctx;

    return position_move(tx, &m->act, m->to, m->cause, NULL, e);
}

static void move(struct bench *b, enum position_state to, enum position_cause cause)
{
    struct move m = { b->act, to, cause };
    struct err e = ERR_INIT;

    good(db_write(b->g.db, move_tx, &m, &e));
}

static int receipt_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct bench *b = ctx;
    const struct receipt_info r = { 0x72, 6, 1, 0, SPAN("receipt", 7) };

    return receipt_add(tx, &b->act, &r, e);
}

struct enrol {
    const char *serial;
    unsigned eid;
};

static int register_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct enrol *r = ctx;
    const struct act a = { .actor = "line" };
    const struct eid eid = ground_eid(r->eid);
    struct position p;

    return unit_register(tx, r->serial, POSITION_MAIN, &eid, &a, &p, e);
}

START_TEST(starts_anew)
{
    AUTO(bpp_ids_clear) struct bpp_ids ids = { NULL, 0 };
    const struct eid old = ground_eid(1), new = ground_eid(50);
    struct err e = ERR_INIT;
    struct quarantine q;
    struct position p;
    struct bench b;
    char was[EID_DIGITS + 1], is[EID_DIGITS + 1];
    bool known;

    bench_open(&b);
    good(db_write(b.g.db, receipt_tx, &b, &e));
    move(&b, POSITION_PASSED, POSITION_CAUSE_EVIDENCE);
    const struct want want[] = {
        { "serial", "SN1" }, { "position", POSITION_MAIN },
        { "eid", eid_format(&old, was) }, { "new-eid", eid_format(&new, is) },
        { "second", SECOND }, { "reason", "board broken" },
    };
    uint64_t before = newest(&b);
    good(replace(&b, "SN1", POSITION_MAIN, 50, false, &e));
    says(&b, before + 2, "board-replaced", ACTOR, want, sizeof want / sizeof *want);
    ck_assert_int_eq(ground_sql_int(&b.g, "SELECT count(*) FROM event WHERE kind ="
                                    " 'position-moved'"), 2); /* passed, open */
    good(position_get(b.g.db, b.act.position, &p, &e));
    ck_assert_int_eq(p.state, POSITION_OPEN);
    ck_assert(eid_eq(&p.eid, &new) && !p.closed && p.keys_left == -1);
    /* The other board's receipt is not this one's; it is kept. */
    good(receipt_known(b.g.db, p.id, 0x72, &known, &e));
    ck_assert(!known);
    ck_assert_int_eq(ground_sql_int(&b.g, "SELECT count(*) FROM evidence WHERE"
                                    " kind = 4"), 1);
    /* What was meant for it can be voided. */
    good(quarantine_get(b.g.db, &q, &e));
    ck_assert_uint_eq(q.stranded, 1);
    quarantine_clear(&q);
    good(void_find(b.g.db, &(struct void_what){ .scrapped = true }, &ids, &e));
    ck_assert_uint_eq(ids.n, 1);
    bench_close(&b);
}
END_TEST

START_TEST(retired_is_not_taken_again)
{
    const struct eid old = ground_eid(1), new = ground_eid(50), other = ground_eid(60);
    struct enrol again = { "SN7", 1 }, same = { "SN1", 1 }, fresh = { "SN8", 60 };
    struct retired_board r;
    struct err e = ERR_INIT;
    struct bench b;

    bench_open(&b);
    ck_assert_int_eq(board_retired(b.g.db, &old, &r, &e), 0);
    good(replace(&b, "SN1", POSITION_MAIN, 50, true, &e));
    ck_assert_int_eq(board_retired(b.g.db, &old, &r, &e), 1);
    ck_assert_str_eq(r.serial, "SN1");
    ck_assert_str_eq(r.position, POSITION_MAIN);
    ck_assert_uint_eq(r.event, newest(&b));
    ck_assert_int_eq(board_retired(b.g.db, &new, &r, &e), 0);
    ck_assert_int_eq(board_retired(b.g.db, &other, &r, &e), 0);
    bad(db_write(b.g.db, register_tx, &again, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "taken out of unit SN1"));
    ck_assert_ptr_nonnull(strstr(e.msg, "unit SN7"));
    bad(db_write(b.g.db, register_tx, &same, &e), ERR_CONFLICT);
    good(db_write(b.g.db, register_tx, &fresh, &e));
    /* Recorded, it is: in another unit, and back again. */
    good(replace(&b, "SN8", POSITION_MAIN, 1, true, &e));
    ck_assert_int_eq(board_retired(b.g.db, &old, &r, &e), 0);
    ck_assert_int_eq(board_retired(b.g.db, &other, &r, &e), 1);
    good(replace(&b, "SN8", POSITION_MAIN, 60, true, &e));
    good(replace(&b, "SN1", POSITION_MAIN, 1, true, &e));
    ck_assert_int_eq(board_retired(b.g.db, &new, &r, &e), 1);
    ck_assert_int_eq(board_retired(b.g.db, &other, &r, &e), 0);
    bench_close(&b);
}
END_TEST

START_TEST(is_refused)
{
    struct err e = ERR_INIT;
    struct bench b;

    bench_open(&b);
    position_new(&b);
    uint64_t before = newest(&b);
    bad(replace(&b, "SN9", POSITION_MAIN, 50, true, &e), ERR_NOT_FOUND);
    bad(replace(&b, "SN1", "telematics", 50, true, &e), ERR_NOT_FOUND);
    bad(replace(&b, "SN1", POSITION_MAIN, 50, false, &e), ERR_WRONG_STATE);
    ck_assert_ptr_nonnull(strstr(e.msg, "may stand in a fixture"));
    bad(replace(&b, "SN1", POSITION_MAIN, 1, true, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "already"));
    bad(replace(&b, "SN1", POSITION_MAIN, 2, true, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "unit SN2"));
    ck_assert_ptr_nonnull(strstr(e.msg, "unit SN1"));
    ck_assert_uint_eq(newest(&b), before);
    move(&b, POSITION_SCRAPPED, POSITION_CAUSE_SCRAPPED);
    bad(replace(&b, "SN1", POSITION_MAIN, 50, true, &e), ERR_WRONG_STATE);
    bench_close(&b);
}
END_TEST

static int load_tx(struct tx *tx, void *ctx, struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    const struct eid eid = ground_eid(1);
    const struct act *a = ctx;

    return stock_reserve(tx, &eid, a, &l, e) != 0 ||
           stock_load(tx, l.v[0].id, a, e) != 0 ? -1 : 0;
}

static int mark_tx(struct tx *tx, void *ctx, struct err *e)
{
    return positions_mark_unresolved(tx, "line", ctx, e);
}

/* What the old board never said, the new one cannot say. */
START_TEST(a_load_that_went_with_its_board)
{
    struct position p;
    struct err e = ERR_INIT;
    struct bench b;
    size_t n = 9;

    bench_open(&b);
    good(db_write(b.g.db, load_tx, &b.act, &e));
    good(replace(&b, "SN1", POSITION_MAIN, 50, true, &e));
    uint64_t before = newest(&b);
    good(db_write(b.g.db, mark_tx, &n, &e)); /* the line's next start */
    ck_assert_uint_eq(n, 0);
    ck_assert_uint_eq(newest(&b), before);
    good(position_get(b.g.db, b.act.position, &p, &e));
    ck_assert_int_eq(p.state, POSITION_OPEN);
    /* Put back, it is asked. */
    good(replace(&b, "SN1", POSITION_MAIN, 1, true, &e));
    good(db_write(b.g.db, mark_tx, &n, &e));
    ck_assert_uint_eq(n, 1);
    bench_close(&b);
}
END_TEST

static int golden_tx(struct tx *tx, void *ctx, struct err *e)
{
    return golden_mark(tx, ctx, ACTOR, e);
}

START_TEST(a_golden_unit_is_no_board)
{
    struct eid golden = ground_eid(70);
    struct err e = ERR_INIT;
    struct bench b;

    bench_open(&b);
    good(db_write(b.g.db, golden_tx, &golden, &e));
    bad(replace(&b, "SN1", POSITION_MAIN, 70, true, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "golden"));
    bench_close(&b);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "starts anew", starts_anew, 1 },
        { "retired", retired_is_not_taken_again, 1 },
        { "refused", is_refused, 1 },
        { "a load", a_load_that_went_with_its_board, 1 },
        { "golden", a_golden_unit_is_no_board, 1 },
    };

    return run_tests("storage/boards", tests, sizeof tests / sizeof *tests);
}
