/* Units in trouble: what is counted, when one is held, what two people may do. */
#include "storage/quarantine.h"
#include "storage/voiding.h"
#include "tests/unit/storage/states_ground.h"

#include <stdio.h>
#include <string.h>

#define SECOND "Bob"

/* --- visits --------------------------------------------------------------------- */

struct visit {
    struct act act;
    struct visit_end end;
};

/* One visit that failed: it opens, and an event tells of the failure. */
static int visit_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct visit *v = ctx;
    const struct failure_info f = { .code = v->end.code };
    struct event_head head;
    struct position p;

    if (position_get(tx_db(tx), v->act.position, &p, e) != 0 ||
        (p.state != POSITION_OPEN &&
         position_move(tx, &v->act, POSITION_OPEN, POSITION_CAUSE_SCAN, NULL, e) != 0) ||
        failure_add(tx, &v->act, &f, e) != 0 ||
        event_head(tx_db(tx), &head, e) != 0)
        return -1;
    v->end.event = head.number;
    return position_fail(tx, &v->act, &v->end, e);
}

/* The event that tells of the failure. */
static uint64_t fails(struct bench *b, enum hold_rule rule, const char *step,
                      const char *code, bool loading)
{
    struct visit v = { b->act, { code, step, rule, loading, 0 } };
    struct err e = ERR_INIT;

    good(db_write(b->g.db, visit_tx, &v, &e));
    return v.end.event;
}

static struct position now(struct bench *b)
{
    struct position p;
    struct err e = ERR_INIT;

    good(position_get(b->g.db, b->act.position, &p, &e));
    return p;
}

static void is(struct bench *b, enum position_state state)
{
    ck_assert_str_eq(position_state_name(now(b).state), position_state_name(state));
}

/* --- acts ------------------------------------------------------------------------- */

struct doing {
    struct hold_call call;
    struct act act;
    size_t n;
};

static int act_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct doing *d = ctx;

    return quarantine_act(tx, &d->act, &d->call, &d->n, e);
}

static int acts(struct bench *b, enum hold_act what, const char *serial,
                bool line_stands, struct err *e)
{
    struct doing d = { { what, serial, "seen by the lab", line_stands },
                       { .actor = ACTOR, .second = SECOND }, 0 };

    return db_write(b->g.db, act_tx, &d, e);
}

static bool resolving(struct bench *b)
{
    struct err e = ERR_INIT;
    bool r = false;

    good(position_resolving(b->g.db, b->act.position, &r, &e));
    return r;
}

/* --- counting ----------------------------------------------------------------------- */

START_TEST(three_in_a_row_at_one_step)
{
    struct err e = ERR_INIT;
    struct bench b;
    char evidence[80];
    struct quarantine q;

    bench_open(&b);
    uint64_t first = fails(&b, HOLD_COUNTS, "enable", "enable-failed", false);
    is(&b, POSITION_FAILED);
    /* Neither another fixture's contacts nor a restart change the count. */
    fails(&b, HOLD_NOT, "read EID", "no-card", false);
    ground_reopen(&b.g);
    uint64_t second = fails(&b, HOLD_COUNTS, "enable", "silent", true);
    is(&b, POSITION_UNRESOLVED);
    uint64_t third = fails(&b, HOLD_COUNTS, "enable", "enable-failed", false);
    is(&b, POSITION_QUARANTINED);
    snprintf(evidence, sizeof evidence, "%llu %llu %llu",
             (unsigned long long)first, (unsigned long long)second,
             (unsigned long long)third);
    const struct want want[] = {
        { "from", "open" }, { "to", "quarantined" }, { "cause", "retries" },
        { "code", "enable-failed" }, { "evidence", evidence }, { "fixture", "F3" },
        { "reason", "3 failures in a row at step \"enable\", the last one: "
          "enable-failed" },
    };
    says(&b, third + 1, "position-moved", ACTOR, want, sizeof want / sizeof *want);
    good(quarantine_get(b.g.db, &q, &e));
    ck_assert_uint_eq(q.unit_count, 1);
    ck_assert_str_eq(q.units[0].p.serial, "SN1");
    ck_assert_str_eq(q.units[0].evidence, evidence);
    ck_assert_str_eq(q.units[0].fixture, "F3");
    ck_assert_uint_eq(q.units[0].event, third + 1);
    ck_assert_int_eq(q.units[0].since, ground_now);
    ck_assert(!q.units[0].resolving && q.bpp_count == 0 && q.stranded == 0);
    quarantine_clear(&q);
    bench_close(&b);
}
END_TEST

START_TEST(another_step_begins_anew)
{
    struct bench b;

    bench_open(&b);
    for (int i = 0; i < 2; i++)
        fails(&b, HOLD_COUNTS, "load", "silent", false);
    fails(&b, HOLD_COUNTS, "enable", "silent", false);
    for (int i = 0; i < 2; i++)
        fails(&b, HOLD_COUNTS, "load", "silent", false);
    is(&b, POSITION_FAILED);
    fails(&b, HOLD_COUNTS, "load", "load-again", false);
    is(&b, POSITION_QUARANTINED);
    bench_close(&b);
}
END_TEST

static int pass_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct bench *b = ctx;

    return position_move(tx, &b->act, POSITION_OPEN, POSITION_CAUSE_SCAN, NULL, e) != 0
         ? -1 : position_move(tx, &b->act, POSITION_PASSED,
                              POSITION_CAUSE_EVIDENCE, NULL, e);
}

START_TEST(what_passed_is_forgotten)
{
    struct err e = ERR_INIT;
    struct bench b;

    bench_open(&b);
    fails(&b, HOLD_COUNTS, "load", "silent", false);
    ck_assert_int_eq(ground_sql_int(&b.g, "SELECT count(*) FROM unit_trouble"), 1);
    good(db_write(b.g.db, pass_tx, &b, &e));
    ck_assert_int_eq(ground_sql_int(&b.g, "SELECT count(*) FROM unit_trouble"), 0);
    bench_close(&b);
}
END_TEST

static int limit_tx(struct tx *tx, void *ctx, struct err *e)
{
    return quarantine_set_limit(tx, *(unsigned *)ctx, ACTOR, e);
}

START_TEST(the_limit_is_the_ledgers)
{
    static const struct want want[] = { { "from", "3" }, { "to", "1" } };
    struct err e = ERR_INIT;
    struct bench b;
    unsigned n;

    bench_open(&b);
    good(quarantine_limit(b.g.db, &n, &e));
    ck_assert_uint_eq(n, QUARANTINE_LIMIT_DEFAULT);
    n = 0;
    bad(db_write(b.g.db, limit_tx, &n, &e), ERR_USAGE);
    n = QUARANTINE_LIMIT_MAX + 1;
    bad(db_write(b.g.db, limit_tx, &n, &e), ERR_USAGE);
    uint64_t before = newest(&b);
    n = 1;
    good(db_write(b.g.db, limit_tx, &n, &e));
    says(&b, before + 1, "quarantine-limit-set", ACTOR, want, 2);
    good(db_write(b.g.db, limit_tx, &n, &e)); /* it is so already */
    ck_assert_uint_eq(newest(&b), before + 1);
    ground_reopen(&b.g);
    fails(&b, HOLD_COUNTS, "load", "silent", false);
    is(&b, POSITION_QUARANTINED);
    n = QUARANTINE_LIMIT_MAX;
    good(db_write(b.g.db, limit_tx, &n, &e));
    good(acts(&b, HOLD_RELEASE, "SN1", false, &e));
    for (unsigned i = 1; i < n; i++)
        fails(&b, HOLD_COUNTS, "load", "silent", false);
    is(&b, POSITION_FAILED);
    fails(&b, HOLD_COUNTS, "load", "silent", false);
    is(&b, POSITION_QUARANTINED);
    bench_close(&b);
}
END_TEST

/* --- two people ----------------------------------------------------------------------- */

static void hold(struct bench *b)
{
    fails(b, HOLD_AT_ONCE, "load", "no-evidence", false);
    is(b, POSITION_QUARANTINED);
}

START_TEST(release_begins_anew)
{
    static const struct want want[] = {
        { "from", "quarantined" }, { "to", "open" }, { "cause", "released" },
        { "second", SECOND }, { "reason", "seen by the lab" }, { "fixture", NULL },
    };
    struct err e = ERR_INIT;
    struct bench b;

    bench_open(&b);
    bad(acts(&b, HOLD_RELEASE, "SN1", false, &e), ERR_WRONG_STATE);
    ck_assert_ptr_nonnull(strstr(e.msg, "is open"));
    bad(acts(&b, HOLD_RELEASE, "SN9", false, &e), ERR_NOT_FOUND);
    hold(&b);
    uint64_t before = newest(&b);
    good(acts(&b, HOLD_RELEASE, "SN1", false, &e));
    says(&b, before + 1, "position-moved", ACTOR, want, sizeof want / sizeof *want);
    ck_assert_int_eq(ground_sql_int(&b.g, "SELECT count(*) FROM unit_trouble"), 0);
    bench_close(&b);
}
END_TEST

static int load_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct bench *b = ctx;
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    const struct position p = now(b);

    return stock_reserve(tx, &p.eid, &b->act, &l, e) != 0 ||
           stock_load(tx, l.v[0].id, &b->act, e) != 0 ? -1 : 0;
}

/* A card may have seen it: the next visit asks. */
START_TEST(release_of_what_is_loading)
{
    struct err e = ERR_INIT;
    struct bench b;

    bench_open(&b);
    good(db_write(b.g.db, load_tx, &b, &e));
    hold(&b);
    good(acts(&b, HOLD_RELEASE, "SN1", false, &e));
    is(&b, POSITION_UNRESOLVED);
    ck_assert(!resolving(&b));
    bench_close(&b);
}
END_TEST

/* What is asked and not answered is quarantined again; what is not even asked
 * is asked at the next visit. */
START_TEST(resolve_until_it_is)
{
    struct err e = ERR_INIT;
    struct quarantine q;
    struct bench b;

    bench_open(&b);
    hold(&b);
    good(acts(&b, HOLD_RESOLVE, "SN1", false, &e));
    is(&b, POSITION_UNRESOLVED);
    ck_assert(resolving(&b));
    good(quarantine_get(b.g.db, &q, &e));
    ck_assert(q.unit_count == 1 && q.units[0].resolving);
    quarantine_clear(&q);
    fails(&b, HOLD_NOT, "status", "no-card", false);
    is(&b, POSITION_UNRESOLVED);
    ck_assert(resolving(&b));
    fails(&b, HOLD_COUNTS, "settle", "silent", false);
    is(&b, POSITION_QUARANTINED);
    ck_assert(!resolving(&b));
    good(quarantine_get(b.g.db, &q, &e));
    ck_assert_ptr_nonnull(strstr(q.units[0].reason, "did not resolve it: silent"));
    quarantine_clear(&q);
    good(acts(&b, HOLD_RESOLVE, "SN1", false, &e));
    good(db_write(b.g.db, pass_tx, &b, &e));
    ck_assert(!resolving(&b));
    bad(acts(&b, HOLD_RESOLVE, "SN1", false, &e), ERR_WRONG_STATE);
    bench_close(&b);
}
END_TEST

START_TEST(scrap_is_for_good)
{
    AUTO(bpp_ids_clear) struct bpp_ids ids = { NULL, 0 };
    struct err e = ERR_INIT;
    struct quarantine q;
    struct bench b;

    bench_open(&b);
    bad(acts(&b, HOLD_SCRAP, "SN1", false, &e), ERR_WRONG_STATE);
    ck_assert_ptr_nonnull(strstr(e.msg, "stop the line first"));
    hold(&b);
    good(acts(&b, HOLD_SCRAP, "SN1", false, &e));
    is(&b, POSITION_SCRAPPED);
    for (int what = 0; what < HOLD_ACTS; what++)
        bad(acts(&b, (enum hold_act)what, "SN1", true, &e), ERR_WRONG_STATE);
    /* What is in stock for it stays, and is told. */
    good(quarantine_get(b.g.db, &q, &e));
    ck_assert(q.unit_count == 0 && q.stranded == 1);
    quarantine_clear(&q);
    good(void_find(b.g.db, &(struct void_what){ .scrapped = true }, &ids, &e));
    ck_assert_uint_eq(ids.n, 1);
    ck_assert_int_eq(ids.v[0], ground_bpp(b.g.db, 1).id);
    /* An open one while the line stands still. */
    b.act.position = position_new(&b);
    good(acts(&b, HOLD_SCRAP, "SN2", true, &e));
    is(&b, POSITION_SCRAPPED);
    bench_close(&b);
}
END_TEST

/* --- BPPs ------------------------------------------------------------------------------- */

static int lose_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct bench *b = ctx;
    const struct bpp_info i = ground_bpp(b->g.db, 1);

    return stock_quarantine(tx, i.id, "key gone, no result", &b->act, e);
}

static int may(struct tx *tx, void *ctx, struct err *e)
{
    (void)tx;
    (void)ctx;
    (void)e;
    return 0;
}

START_TEST(a_bpp_is_written_off)
{
    AUTO(bpp_ids_clear) struct bpp_ids ids = { NULL, 0 };
    const struct txid t = ground_txid(1);
    const struct act two = { .actor = ACTOR, .second = SECOND };
    const struct void_act act = { &two, "lab could not tell", may, NULL };
    static const struct want want[] = {
        { "from", "quarantined" }, { "to", "voided" }, { "cause", "written-off" },
        { "second", SECOND }, { "reason", "lab could not tell" },
    };
    struct err e = ERR_INIT;
    struct quarantine q;
    struct bench b;
    size_t n;

    bench_open(&b);
    good(db_write(b.g.db, load_tx, &b, &e));
    bad(void_find(b.g.db, &(struct void_what){ .txid = &t }, &ids, &e),
        ERR_NOT_FOUND);
    good(db_write(b.g.db, lose_tx, &b, &e));
    good(quarantine_get(b.g.db, &q, &e));
    ck_assert_uint_eq(q.bpp_count, 1);
    ck_assert_str_eq(q.bpps[0].reason, "key gone, no result");
    ck_assert_str_eq(q.bpps[0].serial, "SN1");
    ck_assert_int_eq(q.bpps[0].since, ground_now);
    quarantine_clear(&q);
    good(void_find(b.g.db, &(struct void_what){ .txid = &t }, &ids, &e));
    uint64_t before = newest(&b);
    good(void_all(b.g.db, &ids, &act, &n, &e));
    ck_assert_uint_eq(n, 1);
    says(&b, before + 1, "bpp-moved", ACTOR, want, sizeof want / sizeof *want);
    /* Its key is gone: another one has to come for it. */
    ck_assert(!ground_bpp(b.g.db, 1).given_up);
    bench_close(&b);
}
END_TEST

/* Units and BPPs are one list, by the events that hold them. */
START_TEST(is_told_in_pages)
{
    struct err e = ERR_INIT;
    struct quarantine q;
    struct bench b;

    bench_open(&b);
    good(db_write(b.g.db, load_tx, &b, &e));
    good(db_write(b.g.db, lose_tx, &b, &e));
    hold(&b);
    b.act.position = position_new(&b);
    hold(&b);
    good(quarantine_get(b.g.db, &q, &e));
    ck_assert(q.unit_count == 2 && q.bpp_count == 1 && !q.more);
    const uint64_t lost = q.bpps[0].b.event, first = q.units[0].event,
                   second = q.units[1].event;
    ck_assert(lost < first && first < second);
    quarantine_clear(&q);
    good(quarantine_page(b.g.db, 0, 2, &q, &e));
    ck_assert(q.unit_count == 2 && q.bpp_count == 0 && q.more);
    quarantine_clear(&q);
    good(quarantine_page(b.g.db, second, 2, &q, &e));
    ck_assert(q.unit_count == 1 && q.bpp_count == 1 && !q.more);
    ck_assert(q.units[0].event == first && q.bpps[0].b.event == lost);
    quarantine_clear(&q);
    good(quarantine_page(b.g.db, first, 1, &q, &e));
    ck_assert(q.unit_count == 0 && q.bpp_count == 1 && !q.more);
    quarantine_clear(&q);
    good(quarantine_page(b.g.db, lost, 1, &q, &e));
    ck_assert(q.unit_count + q.bpp_count == 0 && !q.more);
    quarantine_clear(&q);
    bench_close(&b);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "three in a row", three_in_a_row_at_one_step, 1 },
        { "another step", another_step_begins_anew, 1 },
        { "passed", what_passed_is_forgotten, 1 },
        { "the limit", the_limit_is_the_ledgers, 1 },
        { "release", release_begins_anew, 1 },
        { "release while loading", release_of_what_is_loading, 1 },
        { "resolve", resolve_until_it_is, 1 },
        { "scrap", scrap_is_for_good, 1 },
        { "written off", a_bpp_is_written_off, 1 },
        { "pages", is_told_in_pages, 1 },
    };

    return run_tests("storage/quarantine", tests, sizeof tests / sizeof *tests);
}
