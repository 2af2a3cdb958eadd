/* The accounts: what events add up to by shift, day, fixture and person; what
 * shifts find, move and leave; which units there are; who looks through the
 * log. Every figure is counted again from the events at the end of each test
 * (ground_balanced). */
#include "storage/shifts.h"
#include "storage/unit_list.h"
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <string.h>

/* --- a line --------------------------------------------------------------------- */

struct visit {
    unsigned eid, bpp; /* bpp 0: none is loaded */
    const char *serial, *fixture, *actor, *code; /* code NULL: it passes */
    bool installed;
};

static int visit_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct visit *v = ctx;
    struct act a = { .actor = v->actor, .fixture = v->fixture };
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    const struct eid eid = ground_eid(v->eid);
    const struct failure_info f = { .code = v->code };
    struct position p;

    if (unit_register(tx, v->serial, POSITION_MAIN, &eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    if (p.state == POSITION_FAILED &&
        position_move(tx, &a, POSITION_OPEN, POSITION_CAUSE_SCAN, NULL, e) != 0)
        return -1;
    if (v->bpp) {
        struct bpp_info b = ground_bpp(tx_db(tx), v->bpp);
        if (stock_reserve(tx, &eid, &a, &l, e) != 0 ||
            stock_load(tx, b.id, &a, e) != 0 ||
            stock_result(tx, b.id, v->installed, CAUSE_RESULT, ground_bf37(),
                         &a, e) != 0)
            return -1;
    }
    return v->code ? failure_add(tx, &a, &f, e) != 0 ||
                     position_move(tx, &a, POSITION_FAILED,
                                   POSITION_CAUSE_VERDICT, v->code, e) != 0
                   : position_move(tx, &a, POSITION_PASSED,
                                   POSITION_CAUSE_EVIDENCE, NULL, e);
}

static void visit(struct ground *g, struct visit v)
{
    struct err e = ERR_INIT;

    good(db_write(g->db, visit_tx, &v, &e));
}

/* --- shifts --------------------------------------------------------------------- */

struct turn {
    const char *name, *actor;
    struct shift s;
};

static int open_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct turn *t = ctx;

    return shift_open(tx, t->name, t->actor, &t->s, e);
}

static int make(void *ctx, struct db *db, const struct shift *s,
                struct buf *records, struct err *e)
{
    struct shift_positions p;

    (void)ctx;
    ck_assert_uint_gt(s->last_event, s->first_event);
    ck_assert_uint_ge(s->closed_at, s->opened_at);
    buf_put(records, "kept", 4);
    return shift_positions(db, s->number, &p, e);
}

static int close_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct turn *t = ctx;

    return shift_close(tx, t->actor, make, NULL, &t->s, e);
}

static struct shift opened(struct ground *g, const char *name, const char *who)
{
    struct turn t = { .name = name, .actor = who };
    struct err e = ERR_INIT;

    good(db_write(g->db, open_tx, &t, &e));
    return t.s;
}

static struct shift closed(struct ground *g, const char *who)
{
    struct turn t = { .actor = who };
    struct err e = ERR_INIT;

    good(db_write(g->db, close_tx, &t, &e));
    return t.s;
}

/* --- figures -------------------------------------------------------------------- */

struct want {
    const char *fixture, *actor;
    enum tally_what what;
    const char *outcome, *code;
    uint64_t n;
};
struct counted {
    const struct want *want;
    size_t n, at;
};

static int on_count(void *ctx, const struct tally_count *c, struct err *e)
{
    struct counted *k = ctx;

    (void)e;
    ck_assert_msg(k->at < k->n, "%s %s %s too", c->fixture, c->outcome, c->code);
    const struct want *w = &k->want[k->at++];
    ck_assert_msg(strcmp(w->fixture, c->fixture) == 0 &&
                  strcmp(w->actor, c->actor) == 0 && w->what == c->what &&
                  strcmp(w->outcome, c->outcome) == 0 &&
                  strcmp(w->code, c->code) == 0 && w->n == c->n,
                  "number %zu: %s %s %s '%s' '%s' %llu", k->at, c->fixture,
                  c->actor, tally_what_name(c->what), c->outcome, c->code,
                  (unsigned long long)c->n);
    return 0;
}

static void shift_counts(struct db *db, uint64_t shift, const struct want *w,
                         size_t n)
{
    struct counted k = { w, n, 0 };
    struct err e = ERR_INIT;

    good(tally_of_shift(db, shift, on_count, &k, &e));
    ck_assert_uint_eq(k.at, n);
}

static void day_counts(struct db *db, int64_t day, const struct want *w,
                       size_t n)
{
    struct counted k = { w, n, 0 };
    struct err e = ERR_INIT;

    good(tally_of_day(db, day, on_count, &k, &e));
    ck_assert_uint_eq(k.at, n);
}

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Two bundles; what is done before, in, between and after two shifts. */
static void a_day(struct ground *g)
{
    ground_open(g);
    ground_bundle(g, 1, 1, 6, 1);
    visit(g, (struct visit){ 1, 1, "SN-1", "F1", "Ada", NULL, true });
    opened(g, "early", "Ada");
    visit(g, (struct visit){ 2, 2, "SN-2", "F1", "Ada", NULL, true });
    visit(g, (struct visit){ 3, 0, "SN-3", "F2", "Ada", "no-card", false });
    visit(g, (struct visit){ 3, 3, "SN-3", "F2", "Bob", "load-failed", false });
    ground_bundle(g, 2, 11, 4, 1);
    closed(g, "Bob");
    visit(g, (struct visit){ 4, 4, "SN-4", "F3", "Eve", NULL, true });
    ground_now += TALLY_DAY_S;
    opened(g, "", "Cyd");
    visit(g, (struct visit){ 11, 11, "SN-5", "F1", "Cyd", NULL, true });
}

START_TEST(counts_by_shift_and_day)
{
    static const struct want first[] = {
        { "F1", "Ada", TALLY_UNIT, "passed", "", 1 },
        { "F1", "Ada", TALLY_UNIT, "registered", "", 1 },
        { "F1", "Ada", TALLY_BPP, "installed", "result", 1 },
        { "F1", "Ada", TALLY_BPP, "loading", "load", 1 },
        { "F2", "Ada", TALLY_UNIT, "failed", "no-card", 1 },
        { "F2", "Ada", TALLY_UNIT, "registered", "", 1 },
        { "F2", "Ada", TALLY_FAILURE, "", "no-card", 1 },
        { "F2", "Bob", TALLY_UNIT, "failed", "load-failed", 1 },
        { "F2", "Bob", TALLY_BPP, "failed", "result", 1 },
        { "F2", "Bob", TALLY_BPP, "loading", "load", 1 },
        { "F2", "Bob", TALLY_FAILURE, "", "load-failed", 1 },
    };
    static const struct want second[] = {
        { "F1", "Cyd", TALLY_UNIT, "passed", "", 1 },
        { "F1", "Cyd", TALLY_UNIT, "registered", "", 1 },
        { "F1", "Cyd", TALLY_BPP, "installed", "result", 1 },
        { "F1", "Cyd", TALLY_BPP, "loading", "load", 1 },
    };
    /* The first day has what is in the shift and what was around it. */
    static const struct want day[] = {
        { "F1", "Ada", TALLY_UNIT, "passed", "", 2 },
        { "F1", "Ada", TALLY_UNIT, "registered", "", 2 },
        { "F1", "Ada", TALLY_BPP, "installed", "result", 2 },
        { "F1", "Ada", TALLY_BPP, "loading", "load", 2 },
        { "F2", "Ada", TALLY_UNIT, "failed", "no-card", 1 },
        { "F2", "Ada", TALLY_UNIT, "registered", "", 1 },
        { "F2", "Ada", TALLY_FAILURE, "", "no-card", 1 },
        { "F2", "Bob", TALLY_UNIT, "failed", "load-failed", 1 },
        { "F2", "Bob", TALLY_BPP, "failed", "result", 1 },
        { "F2", "Bob", TALLY_BPP, "loading", "load", 1 },
        { "F2", "Bob", TALLY_FAILURE, "", "load-failed", 1 },
        { "F3", "Eve", TALLY_UNIT, "passed", "", 1 },
        { "F3", "Eve", TALLY_UNIT, "registered", "", 1 },
        { "F3", "Eve", TALLY_BPP, "installed", "result", 1 },
        { "F3", "Eve", TALLY_BPP, "loading", "load", 1 },
    };
    struct ground g;

    a_day(&g);
    shift_counts(g.db, 1, first, COUNT(first));
    shift_counts(g.db, 2, second, COUNT(second));
    shift_counts(g.db, 3, NULL, 0);
    day_counts(g.db, GROUND_NOW / TALLY_DAY_S, day, COUNT(day));
    day_counts(g.db, GROUND_NOW / TALLY_DAY_S + 1, second, COUNT(second));
    day_counts(g.db, GROUND_NOW / TALLY_DAY_S + 2, NULL, 0);
    ground_balanced(g.db);
    ground_reopen(&g);
    shift_counts(g.db, 1, first, COUNT(first));
    ground_close(&g);
}
END_TEST

static int count_bundle(void *ctx, const struct shift_bundle *b,
                        struct err *e)
{
    struct shift_bundle *v = ctx;

    (void)e;
    v[strcmp(b->id, v[0].id) == 0 ? 0 : 1] = *b;
    return 0;
}

START_TEST(balances_at_both_ends)
{
    struct shift_bundle b[2] = { { .id = "" }, { .id = "" } };
    struct shift_positions p;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 6, 1);
    snprintf(b[0].id, sizeof b[0].id, "%s", ground_bpp(g.db, 1).bundle);
    visit(&g, (struct visit){ 1, 1, "SN-1", "F1", "Ada", NULL, true });
    opened(&g, "", "Ada");
    visit(&g, (struct visit){ 2, 2, "SN-2", "F1", "Ada", NULL, true });
    visit(&g, (struct visit){ 3, 3, "SN-3", "F1", "Ada", "load-failed", false });
    ground_bundle(&g, 2, 11, 4, 1);

    good(shift_bundles(g.db, 1, count_bundle, b, &e));
    ck_assert_uint_eq(b[0].before.received, 6);
    ck_assert_uint_eq(b[0].before.by_state[BPP_IN_STOCK], 5);
    ck_assert_uint_eq(b[0].before.by_state[BPP_INSTALLED], 1);
    ck_assert_uint_eq(b[0].before.by_state[BPP_FAILED], 0);
    ck_assert_uint_eq(b[0].after.by_state[BPP_IN_STOCK], 3);
    ck_assert_uint_eq(b[0].after.by_state[BPP_INSTALLED], 2);
    ck_assert_uint_eq(b[0].after.by_state[BPP_FAILED], 1);
    ck_assert_uint_eq(b[1].before.received, 0); /* it came in this shift */
    ck_assert_uint_eq(b[1].after.received, 4);
    ck_assert_uint_eq(b[1].moves.n, 1);
    ck_assert_str_eq(b[1].moves.v[0].from, "");
    ck_assert_str_eq(b[1].moves.v[0].to, "in-stock");
    ck_assert_uint_eq(b[1].moves.v[0].n, 4);

    good(shift_positions(g.db, 1, &p, &e));
    ck_assert_uint_eq(p.before[POSITION_PASSED], 1);
    ck_assert_uint_eq(p.before[POSITION_FAILED], 0);
    ck_assert_uint_eq(p.after[POSITION_PASSED], 2);
    ck_assert_uint_eq(p.after[POSITION_FAILED], 1);

    /* The same figures begin the next shift. */
    closed(&g, "Ada");
    opened(&g, "", "Bob");
    good(shift_bundles(g.db, 2, count_bundle, b, &e));
    ck_assert(memcmp(&b[0].before, &b[0].after, sizeof b[0].before) == 0);
    ck_assert_uint_eq(b[0].after.by_state[BPP_FAILED], 1);
    ck_assert_uint_eq(b[0].moves.n, 0);
    good(shift_positions(g.db, 2, &p, &e));
    ck_assert(memcmp(p.before, p.after, sizeof p.before) == 0);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static int deleted_tx(struct tx *tx, void *ctx, struct err *e)
{
    return stock_deleted(tx, *(int64_t *)ctx, &ground_act, e);
}

START_TEST(a_deletion_is_a_mark)
{
    struct shift_bundle b[2] = { { .id = "" }, { .id = "" } };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 2, 1);
    struct bpp_info i = ground_bpp(g.db, 1);
    snprintf(b[0].id, sizeof b[0].id, "%s", i.bundle);
    opened(&g, "", "Ada");
    visit(&g, (struct visit){ 1, 1, "SN-1", "F1", "Ada", NULL, true });
    good(db_write(g.db, deleted_tx, &i.id, &e));
    good(shift_bundles(g.db, 1, count_bundle, b, &e));
    ck_assert_uint_eq(b[0].before.deleted, 0);
    ck_assert_uint_eq(b[0].after.deleted, 1);
    ck_assert_uint_eq(b[0].after.by_state[BPP_INSTALLED], 1);
    ck_assert_uint_eq(b[0].before.by_state[BPP_IN_STOCK], 2);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(one_shift_at_a_time)
{
    AUTO(shifts_clear) struct shifts l = { NULL, 0 };
    AUTO(buf_clear) struct buf kept = BUF_INIT;
    char name[80];
    struct turn t = { .name = "late", .actor = "Bob" };
    struct err e = ERR_INIT;
    struct event_head head;
    struct shift s;
    struct ground g;

    ground_open(&g);
    bad(db_write(g.db, close_tx, &t, &e), ERR_WRONG_STATE);
    ck_assert_int_eq(shift_find(g.db, 0, &s, &e), 0);
    s = opened(&g, "early", "Ada");
    ck_assert_uint_eq(s.number, 1);
    bad(db_write(g.db, open_tx, &t, &e), ERR_WRONG_STATE);
    ck_assert_ptr_nonnull(strstr(e.msg, "shift 1 is open, by Ada"));
    bad(shift_records(g.db, 1, &kept, &e), ERR_NOT_FOUND);
    ground_now += 100;
    s = closed(&g, "Bob");
    ck_assert_str_eq(s.closed_by, "Bob");
    ck_assert_int_eq(s.closed_at, GROUND_NOW + 100);
    good(event_head(g.db, &head, &e));
    ck_assert_uint_eq(s.last_event, head.number);
    good(shift_records(g.db, 1, &kept, &e));
    ck_assert(span_eq(buf_span(&kept), SPAN_STR("kept")));

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    t.name = name;
    bad(db_write(g.db, open_tx, &t, &e), ERR_USAGE);
    t.name = "a\x1b[2J";
    bad(db_write(g.db, open_tx, &t, &e), ERR_USAGE);
    ck_assert_uint_eq(opened(&g, "", "Cyd").number, 2);
    good(shifts_list(g.db, 0, 0, &l, &e));
    ck_assert_uint_eq(l.n, 2);
    ck_assert_str_eq(l.v[0].name, "early");
    good(shifts_list(g.db, 2, 5, &l, &e));
    ck_assert_uint_eq(l.n, 1);
    good(shifts_between(g.db, GROUND_NOW + 200, GROUND_NOW + 300, &l, &e));
    ck_assert_uint_eq(l.n, 1); /* the open one */
    ck_assert_uint_eq(l.v[0].number, 2);
    good(shifts_between(g.db, GROUND_NOW, GROUND_NOW + 100, &l, &e));
    ck_assert_uint_eq(l.n, 1);
    ck_assert_uint_eq(l.v[0].number, 1);

    /* Not even by somebody who writes to the file. */
    ck_assert_int_ne(ground_sql(&g, "UPDATE shift SET records = x'00'"
                                " WHERE shift = 1"), 0);
    ck_assert_int_ne(ground_sql(&g, "DELETE FROM shift WHERE shift = 1"), 0);
    ground_close(&g);
}
END_TEST

static int fails(void *ctx, struct db *db, const struct shift *s,
                 struct buf *records, struct err *e)
{
    (void)ctx;
    (void)db;
    (void)s;
    (void)records;
    return err_set(e, ERR_FULL, "no");
}

static int fail_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct turn *t = ctx;

    return shift_close(tx, t->actor, fails, NULL, &t->s, e);
}

START_TEST(closing_is_all_or_nothing)
{
    struct turn t = { .actor = "Ada" };
    struct event_head before, after;
    struct err e = ERR_INIT;
    struct shift s;
    struct ground g;

    ground_open(&g);
    opened(&g, "", "Ada");
    good(event_head(g.db, &before, &e));
    bad(db_write(g.db, fail_tx, &t, &e), ERR_FULL);
    good(event_head(g.db, &after, &e));
    ck_assert_uint_eq(after.number, before.number);
    ck_assert_int_eq(shift_find(g.db, 0, &s, &e), 1);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A figure that was changed behind the ledger's back is found. */
static const char *const lies[] = {
    "UPDATE tally SET n = n + 1 WHERE outcome = 'passed' AND shift = 1",
    "UPDATE tally SET actor = 'Eve' WHERE actor = 'Bob'",
    "DELETE FROM tally WHERE what = 2",
    "UPDATE tally_move SET n = n + 1 WHERE subject = 0",
    "DELETE FROM tally_move WHERE went_to = 'failed' AND subject > 0",
    "UPDATE position_count SET n = n - 1 WHERE state = 1",
    "UPDATE position_count SET fixture = 'F9' WHERE fixture = 'F1'",
};

START_TEST(lies_are_found)
{
    struct err e = ERR_INIT;
    struct ground g;

    a_day(&g);
    ground_balanced(g.db);
    ck_assert_int_eq(ground_sql(&g, lies[_i]), 0);
    bad(tally_cross_check(g.db, &e), ERR_CONFLICT);
    ground_close(&g);
}
END_TEST

/* A shift that began with fewer than none of something is not made up. */
static const char *const unfit[] = {
    "UPDATE tally_move SET n = n + 9 WHERE shift = 1 AND subject > 0 AND"
    " went_to = 'installed'",
    "UPDATE tally_move SET n = n + 9 WHERE shift = 1 AND subject = 0 AND"
    " went_to = 'passed'",
};

START_TEST(moves_that_do_not_fit)
{
    struct shift_bundle b[2] = { { .id = "" }, { .id = "" } };
    struct shift_positions p;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 6, 1);
    opened(&g, "", "Ada");
    visit(&g, (struct visit){ 1, 1, "SN-1", "F1", "Ada", NULL, true });
    good(shift_bundles(g.db, 1, count_bundle, b, &e));
    ck_assert_int_eq(ground_sql(&g, unfit[_i]), 0);
    bad(_i == 0 ? shift_bundles(g.db, 1, count_bundle, b, &e)
                : shift_positions(g.db, 1, &p, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "stock --check"));
    ground_close(&g);
}
END_TEST

/* A state that is none, in a file that somebody else wrote. */
START_TEST(no_such_state)
{
    uint64_t by_state[POSITION_STATES];
    struct err e = ERR_INIT;
    struct ground g;

    a_day(&g);
    ck_assert_int_eq(ground_sql(&g, "INSERT INTO position_count"
                                " VALUES('F1', 4096, 1)"), 0);
    bad(units_count(g.db, NULL, by_state, &e), ERR_CONFLICT);
    bad(units_count(g.db, "F1", by_state, &e), ERR_CONFLICT);
    ground_close(&g);
}
END_TEST

/* --- a ledger that was at work before ---------------------------------------------- */

START_TEST(older_ledgers_are_counted)
{
    struct unit_filter f = { .state = POSITION_PASSED, .limit = 10 };
    AUTO(unit_rows_clear) struct unit_rows rows = { .v = NULL };
    static const struct want all[] = {
        { "F1", "Ada", TALLY_UNIT, "passed", "", 1 },
        { "F1", "Ada", TALLY_UNIT, "registered", "", 1 },
        { "F1", "Ada", TALLY_BPP, "installed", "result", 1 },
        { "F1", "Ada", TALLY_BPP, "loading", "load", 1 },
        { "F1", "Bob", TALLY_UNIT, "passed", "", 1 },
        { "F1", "Bob", TALLY_UNIT, "registered", "", 1 },
        { "F1", "Bob", TALLY_BPP, "installed", "result", 1 },
        { "F1", "Bob", TALLY_BPP, "loading", "load", 1 },
    };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 4, 1);
    visit(&g, (struct visit){ 1, 1, "SN-1", "F1", "Ada", NULL, true });
    ground_back_to(&g, 4);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    ground_balanced(g.db);
    good(units_list(g.db, &f, &rows, &e));
    ck_assert_uint_eq(rows.n, 1);
    ck_assert_str_eq(rows.v[0].p.serial, "SN-1");
    visit(&g, (struct visit){ 2, 2, "SN-2", "F1", "Bob", NULL, true });
    day_counts(g.db, GROUND_NOW / TALLY_DAY_S, all, COUNT(all));
    shift_counts(g.db, 0, all, COUNT(all));
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- which units -------------------------------------------------------------------- */

/* In one transaction: the disk is not what is looked at here. */
static int many_tx(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    for (unsigned i = 1; i <= 29; i++) {
        char serial[12];
        snprintf(serial, sizeof serial, "SN-%02u", i);
        struct visit v = { i, i, serial, i % 3 ? "F1" : "F2", "Ada",
                           i % 5 ? NULL : "load-failed", i % 5 != 0 };
        if (visit_tx(tx, &v, e) != 0)
            return -1;
        ground_now += 10;
    }
    return 0;
}

static void many(struct ground *g)
{
    struct err e = ERR_INIT;

    ground_open(g);
    ground_bundle(g, 1, 1, 30, 1);
    good(db_write(g->db, many_tx, NULL, &e));
}

START_TEST(pages_of_units)
{
    struct unit_filter f = { .state = -1, .limit = 4 };
    AUTO(unit_rows_clear) struct unit_rows l = { .v = NULL };
    struct err e = ERR_INIT;
    struct ground g;
    unsigned last = 29, pages = 0;

    many(&g);
    do {
        good(units_list(g.db, &f, &l, &e));
        for (size_t i = l.n; i > 0; i--, last--) {
            char want[12];
            snprintf(want, sizeof want, "SN-%02u", last);
            ck_assert_str_eq(l.v[i - 1].p.serial, want);
            ck_assert_str_eq(l.v[i - 1].fixture, last % 3 ? "F1" : "F2");
            ck_assert_int_eq(l.v[i - 1].moved_at,
                             GROUND_NOW + 10 * ((int64_t)last - 1));
        }
        f.before = l.n ? l.v[0].moved : 0;
        pages++;
    } while (l.more);
    ck_assert_uint_eq(last, 0);
    ck_assert_uint_eq(pages, 8);
    f.limit = UNIT_PAGE_MAX + 1;
    bad(units_list(g.db, &f, &l, &e), ERR_INTERNAL);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static const struct {
    int state;
    const char *fixture;
    int64_t since; /* seconds after the first */
    size_t n;
    const char *first, *last;
} asked[] = {
    { -1, NULL, 0, 29, "SN-01", "SN-29" },
    { POSITION_FAILED, NULL, 0, 5, "SN-05", "SN-25" },
    { POSITION_FAILED, "F2", 0, 1, "SN-15", "SN-15" },
    { POSITION_PASSED, "F2", 0, 8, "SN-03", "SN-27" },
    { -1, "F2", 0, 9, "SN-03", "SN-27" },
    { -1, NULL, 200, 9, "SN-21", "SN-29" },
    { POSITION_PASSED, NULL, 200, 8, "SN-21", "SN-29" },
    { -1, NULL, 100000, 0, NULL, NULL },
    { -1, "F3", 0, 0, NULL, NULL },
    { POSITION_OPEN, NULL, 0, 0, NULL, NULL },
};

START_TEST(units_that_fit)
{
    struct unit_filter f = { .state = asked[_i].state, .limit = 100,
                             .fixture = asked[_i].fixture };
    AUTO(unit_rows_clear) struct unit_rows l = { .v = NULL };
    uint64_t by_state[POSITION_STATES], serials, n = 0;
    struct err e = ERR_INIT;
    struct ground g;

    many(&g);
    good(event_since(g.db, GROUND_NOW + asked[_i].since, &f.since, &e));
    good(units_list(g.db, &f, &l, &e));
    ck_assert_uint_eq(l.n, asked[_i].n);
    if (l.n) {
        ck_assert_str_eq(l.v[0].p.serial, asked[_i].first);
        ck_assert_str_eq(l.v[l.n - 1].p.serial, asked[_i].last);
    }
    ck_assert(!l.more);
    good(units_count(g.db, asked[_i].fixture, by_state, &e));
    for (int s = 0; s < POSITION_STATES; s++)
        n += asked[_i].state < 0 || s == asked[_i].state ? by_state[s] : 0;
    if (asked[_i].since == 0)
        ck_assert_uint_eq(n, asked[_i].n);
    good(units_registered(g.db, &serials, &e));
    ck_assert_uint_eq(serials, 29);
    ground_close(&g);
}
END_TEST

START_TEST(times_are_event_numbers)
{
    struct event_head head, at;
    struct err e = ERR_INIT;
    struct ground g;
    uint64_t n;

    ground_open(&g);
    good(event_since(g.db, 0, &n, &e));
    ck_assert_uint_eq(n, 1); /* none yet */
    ground_close(&g);
    many(&g);
    good(event_head(g.db, &head, &e));
    for (int64_t t = GROUND_NOW - 5; t < GROUND_NOW + 300; t += 5) {
        good(event_since(g.db, t, &n, &e));
        if (n > 1) {
            good(event_head_at(g.db, n - 1, &at, &e));
            ck_assert_int_lt(at.at, t);
        }
        if (n <= head.number) {
            good(event_head_at(g.db, n, &at, &e));
            ck_assert_int_ge(at.at, t);
        }
    }
    good(event_since(g.db, GROUND_NOW + 99999, &n, &e));
    ck_assert_uint_eq(n, head.number + 1);
    ground_close(&g);
}
END_TEST

/* --- looking through the log -------------------------------------------------------- */

static int count_event(void *ctx, uint64_t number, struct span der,
                       const uint8_t hash[EVENT_HASH], struct err *e)
{
    uint64_t *last = ctx;
    uint8_t again[EVENT_HASH];

    (void)e;
    ck_assert_uint_gt(number, last[1]); /* oldest first */
    event_hash(der, again);
    ck_assert_mem_eq(again, hash, EVENT_HASH);
    last[0]++;
    last[1] = number;
    return 0;
}

static const struct {
    struct log_filter f;
    uint64_t n;
} logs[] = {
    { { .limit = 7 }, 7 },
    { { .kind = "unit-registered" }, 29 },
    { { .kind = "unit-registered", .limit = 3 }, 3 },
    { { .fixture = "F2", .kind = "unit-registered", .limit = 50 }, 9 },
    { { .serial = "SN-07", .kind = "position-moved", .limit = 50 }, 1 },
    { { .serial = "SN-07" }, 5 },
    { { .actor = "Ada", .kind = "failure" }, 5 },
    { { .actor = "Eve", .limit = 50 }, 0 },
    { { .since = 2, .before = 5 }, 3 },
    { { .since = 2, .before = 5, .limit = 2 }, 2 },
    { { .kind = "no-such", .limit = 50 }, 0 },
};

START_TEST(filters_of_the_log)
{
    struct err e = ERR_INIT;
    struct ground g;
    uint64_t got[2] = { 0 }, looked_to;

    many(&g);
    good(query_log(g.db, &logs[_i].f, count_event, got, &looked_to, &e));
    ck_assert_uint_eq(got[0], logs[_i].n);
    ck_assert_uint_eq(looked_to, 0);
    ground_close(&g);
}
END_TEST

static int talk(struct tx *tx, void *ctx, struct err *e)
{
    if (event_append(tx, "said", "Ada", NULL, 0, NULL, e) != 0)
        return -1;
    for (int i = *(int *)ctx; i > 0; i--)
        if (event_append(tx, "said", "Bob", NULL, 0, NULL, e) != 0)
            return -1;
    return 0;
}

/* Where it stops looking it says so, and goes on from there. */
START_TEST(looking_is_bounded)
{
    struct log_filter f = { .actor = "Ada", .limit = 5 };
    int more = LOG_READ + 10;
    struct err e = ERR_INIT;
    struct ground g;
    uint64_t got[2] = { 0 }, looked_to;

    ground_open(&g);
    good(db_write(g.db, talk, &more, &e));
    good(query_log(g.db, &f, count_event, got, &looked_to, &e));
    ck_assert_uint_eq(got[0], 0);
    ck_assert_uint_eq(looked_to, 12);
    f.before = looked_to;
    good(query_log(g.db, &f, count_event, got, &looked_to, &e));
    ck_assert_uint_eq(got[0], 1);
    ck_assert_uint_eq(looked_to, 0);
    f = (struct log_filter){ .actor = "Ada" };
    got[0] = got[1] = 0;
    good(query_log(g.db, &f, count_event, got, &looked_to, &e));
    ck_assert_uint_eq(got[0], 1);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "counts", counts_by_shift_and_day, 1 },
        { "balances", balances_at_both_ends, 1 },
        { "deletions", a_deletion_is_a_mark, 1 },
        { "one at a time", one_shift_at_a_time, 1 },
        { "all or nothing", closing_is_all_or_nothing, 1 },
        { "lies", lies_are_found, COUNT(lies) },
        { "unfit", moves_that_do_not_fit, COUNT(unfit) },
        { "no such state", no_such_state, 1 },
        { "older ledgers", older_ledgers_are_counted, 1 },
        { "pages", pages_of_units, 1 },
        { "units", units_that_fit, COUNT(asked) },
        { "times", times_are_event_numbers, 1 },
        { "log", filters_of_the_log, COUNT(logs) },
        { "bounded", looking_is_bounded, 1 },
    };

    return run_tests("storage/shifts", tests, COUNT(tests));
}
