/* Imports: all or nothing, invisible until then, and what is refused. */
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <string.h>

static uint64_t count(struct ground *g, const char *table)
{
    char sql[128];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    return (uint64_t)ground_sql_int(g, sql);
}

static void nothing_left(struct ground *g)
{
    static const char *const tables[] = {
        "container", "bpp", "bpp_record", "euicc", "one_time_key", "chain",
        "container_chain", "event",
    };

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        ck_assert_msg(count(g, tables[i]) == 0, "%s is not empty", tables[i]);
}

static void no_lock(struct ground *g)
{
    lock_release(g->lock);
    g->lock = NULL;
}

START_TEST(live_after_the_last_transaction)
{
    struct import_summary sum;
    AUTO(bundle_balances_clear) struct bundle_balances b = { NULL, 0 };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    struct import *i = ground_begin(&g, 3);
    for (unsigned k = 1; k <= 5; k++)
        good(ground_record(i, k, k, 100, &e));
    good(import_finish(i, "Ada", &sum, &e));
    ck_assert_uint_eq(sum.records, 5);
    ck_assert_uint_eq(sum.without_delete, 3);
    ck_assert_uint_eq(sum.missing, 2);
    ck_assert_uint_eq(sum.event, 1);
    good(stock_balances(g.db, &b, &e));
    ck_assert_uint_eq(b.n, 1);
    ck_assert_uint_eq(b.v[0].b.received, 5);
    ck_assert_uint_eq(b.v[0].b.by_state[BPP_IN_STOCK], 5);
    ck_assert_uint_eq(b.v[0].sequence, 3);
    ck_assert_uint_eq(b.v[0].manifest_sha256[0], 3);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static int blocked(struct tx *tx, void *ctx, struct err *e)
{
    (void)tx;
    return *(bool *)ctx ? err_set(e, ERR_TRUST, "Bob was blocked meanwhile") : 0;
}

START_TEST(guarded_to_the_last)
{
    struct err e = ERR_INIT;
    struct ground g;
    bool no = true, known;

    ground_open(&g);
    struct import *i = ground_begin(&g, 1);
    good(ground_record(i, 1, 1, 100, &e));
    import_guard(i, blocked, &no);
    bad(import_finish(i, "Bob", NULL, &e), ERR_TRUST);
    ck_assert_uint_eq(count(&g, "container") + count(&g, "bpp") + count(&g, "event"), 0);
    no = false;
    i = ground_begin(&g, 1);
    good(ground_record(i, 1, 1, 100, &e));
    import_guard(i, blocked, &no);
    good(import_finish(i, "Bob", NULL, &e));
    good(container_known(g.db, "00000000-0000-4000-8000-000000000001", &known, &e));
    ck_assert(known);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* Enough records that some are on the disk before the end. */
#define MANY 5000

START_TEST(invisible_until_then)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    const struct txid t = ground_txid(1);
    const struct eid eid = ground_eid(7);
    struct stock_overview o;
    struct bpp_info b;
    struct err e = ERR_INIT;
    struct ground g;
    bool known;

    ground_open(&g);
    struct import *i = ground_begin(&g, 1);
    for (unsigned k = 1; k <= MANY; k++)
        good(ground_record(i, k, 7, 50, &e));
    ck_assert_uint_gt(count(&g, "bpp"), 1000);
    ck_assert_uint_lt(count(&g, "bpp"), MANY);
    bad(stock_by_txid(g.db, &t, &b, &e), ERR_NOT_FOUND);
    bad(stock_get(g.db, 1, &b, &e), ERR_NOT_FOUND);
    good(stock_of_eid(g.db, &eid, &l, &e));
    ck_assert_uint_eq(l.n, 0);
    good(query_bpps(g.db, BPP_IN_STOCK, 0, &l, &e));
    ck_assert_uint_eq(l.n, 0);
    good(query_overview(g.db, &o, &e));
    ck_assert_uint_eq(o.bundles.n + o.gaps.n + o.total.received, 0);
    stock_overview_clear(&o);
    good(container_known(g.db, "00000000-0000-4000-8000-000000000001", &known,
                         &e));
    ck_assert(!known);
    good(import_finish(i, "test", NULL, &e));
    good(stock_of_eid(g.db, &eid, &l, &e));
    ck_assert_uint_eq(l.n, MANY);
    for (unsigned k = 0; k < MANY; k++) { /* in the order of the records */
        const struct txid want = ground_txid(k + 1);
        ck_assert(txid_eq(&l.v[k].txid, &want));
    }
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(abort_leaves_nothing)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    struct import *i = ground_begin(&g, 1);
    for (unsigned k = 1; k <= MANY; k++)
        good(ground_record(i, k, 7, 50, &e));
    import_abort(i);
    nothing_left(&g);
    ground_bundle(&g, 1, 1, 5, 1); /* the same one, properly */
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* An import that was never ended: as after kill -9. */
static void leave_one(struct ground *g)
{
    struct err e = ERR_INIT;
    struct db *mine = g->db;
    struct import *i;

    good(db_open(g->dir, DB_WRITE, &g->options, &g->db, &e));
    i = ground_begin(g, 1);
    for (unsigned k = 1; k <= MANY; k++)
        good(ground_record(i, k, 7, 50, &e));
    ck_assert_uint_gt(count(g, "bpp"), 0);
    ck_assert_int_eq(ground_sql(g, "SELECT 1"), 0);
    /* Its memory goes; its rows stay: import_abort on a closed gate. */
    ck_assert_int_eq(ground_sql(g, "CREATE TRIGGER closed BEFORE DELETE ON bpp"
                                " BEGIN SELECT RAISE(ABORT, 'closed'); END"),
                     0);
    import_abort(i);
    ck_assert_int_eq(ground_sql(g, "DROP TRIGGER closed"), 0);
    db_close(g->db);
    g->db = mine;
    no_lock(g);
    ck_assert_uint_gt(count(g, "bpp"), 0);
}

START_TEST(leftovers_are_removed)
{
    struct err e = ERR_INIT;
    struct ground g;
    struct lock *run;
    uint64_t removed = 0;

    ground_open(&g);
    leave_one(&g);
    good(lock_take(g.dir, LOCK_RUN, &run, &e));
    bad(import_leftovers(g.db, run, &removed, &e), ERR_INTERNAL);
    lock_release(run);
    good(lock_take(g.dir, LOCK_IMPORT, &g.lock, &e));
    good(import_leftovers(g.db, g.lock, &removed, &e));
    ck_assert_uint_ge(removed, 1000);
    nothing_left(&g);
    good(import_leftovers(g.db, g.lock, &removed, &e));
    ck_assert_uint_eq(removed, 0);
    ground_close(&g);
}
END_TEST

START_TEST(the_next_import_removes_them)
{
    struct ground g;

    ground_open(&g);
    leave_one(&g);
    ground_bundle(&g, 1, 1, 3, 1);
    ck_assert_uint_eq(count(&g, "bpp"), 3);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(an_id_comes_once)
{
    struct err e = ERR_INIT;
    struct ground g;
    struct import *i;
    char id[37];

    ground_open(&g);
    ground_bundle(&g, 1, 1, 1, 1);
    const struct import_head h = ground_head(1, id);
    good(lock_take(g.dir, LOCK_IMPORT, &g.lock, &e));
    bad(import_begin(g.db, g.lock, &h, &i, &e), ERR_REPLAY);
    ck_assert_ptr_nonnull(strstr(e.msg, id));
    ground_close(&g);
}
END_TEST

START_TEST(a_transaction_id_comes_once)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 1, 3, 1);
    struct import *i = ground_begin(&g, 2); /* one of another bundle's */
    good(ground_record(i, 10, 1, 50, &e));
    good(ground_record(i, 2, 1, 50, &e));
    bad(import_finish(i, "test", NULL, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "000000000001"));
    ck_assert_ptr_nonnull(strstr(e.msg, "record 2"));
    i = ground_begin(&g, 2); /* one of its own */
    good(ground_record(i, 10, 1, 50, &e));
    good(ground_record(i, 10, 2, 50, &e));
    bad(import_finish(i, "test", NULL, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "twice"));
    ck_assert_uint_eq(count(&g, "bpp"), 3);
    ck_assert_uint_eq(count(&g, "event"), 1);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(bad_records)
{
    char longer[STOCK_TEXT_MAX + 2] = "";
    struct import_bpp r = {
        .txid = ground_txid(1), .eid = ground_eid(1), .iccid = ground_iccid(1),
        .name = "", .provider = "", .record = SPAN("x", 1),
    };
    struct import_bpp b;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    struct import *i = ground_begin(&g, 1);
    memset(longer, 'x', sizeof longer - 1);
    b = r;
    b.name = longer;
    bad(import_bpp(i, &b, &e), ERR_FORMAT);
    b = r;
    b.provider = "line\nfeed";
    bad(import_bpp(i, &b, &e), ERR_FORMAT);
    b = r;
    b.eum_chain = 1;
    bad(import_bpp(i, &b, &e), ERR_FORMAT);
    b = r;
    b.dp_chain = 1;
    bad(import_bpp(i, &b, &e), ERR_FORMAT);
    b = r;
    b.record.n = 0;
    bad(import_bpp(i, &b, &e), ERR_LIMIT);
    b = r;
    b.record.n = IMPORT_RECORD_MAX + 1;
    bad(import_bpp(i, &b, &e), ERR_LIMIT);
    bad(import_euicc(i, &r.eid, r.record, 0, &e), ERR_INTERNAL);
    import_abort(i);
    nothing_left(&g);
    ground_close(&g);
}
END_TEST

/* SGP.22 counts characters: 64 of them, here of three octets each. */
START_TEST(names_of_any_script)
{
    char name[3 * 64 + 1] = "";
    struct import_bpp r = {
        .txid = ground_txid(1), .eid = ground_eid(1), .iccid = ground_iccid(1),
        .name = name, .provider = "Ünïcode", .record = SPAN("x", 1),
    };
    struct err e = ERR_INIT;
    struct ground g;

    for (size_t i = 0; i < 64; i++)
        memcpy(name + 3 * i, "\xe6\xbc\xa2", 3);
    ground_open(&g);
    struct import *i = ground_begin(&g, 1);
    good(import_bpp(i, &r, &e));
    good(import_finish(i, "test", NULL, &e));
    ck_assert_str_eq(ground_bpp(g.db, 1).name, name);
    ck_assert_str_eq(ground_bpp(g.db, 1).provider, r.provider);
    ground_close(&g);
}
END_TEST

/* --- order and gaps ------------------------------------------------------------------ */

START_TEST(gaps_are_shown_and_close)
{
    AUTO(container_gaps_clear) struct container_gaps gaps = { NULL, 0 };
    struct err e = ERR_INIT;
    struct ground g;
    uint64_t highest;

    ground_open(&g);
    ground_bundle(&g, 3, 30, 1, 1);
    ground_bundle(&g, 7, 70, 1, 1);
    good(container_gaps(g.db, NULL, &gaps, &e));
    ck_assert_uint_eq(gaps.n, 2);
    ck_assert_str_eq(gaps.v[0].issuer, SMDP);
    ck_assert_uint_eq(gaps.v[0].first, 1);
    ck_assert_uint_eq(gaps.v[0].last, 2);
    ck_assert_uint_eq(gaps.v[1].first, 4);
    ck_assert_uint_eq(gaps.v[1].last, 6);
    good(container_gaps(g.db, "someone else", &gaps, &e));
    ck_assert_uint_eq(gaps.n, 0);
    ground_bundle(&g, 1, 10, 1, 1); /* out of order is fine */
    ground_bundle(&g, 2, 20, 1, 1);
    good(container_gaps(g.db, SMDP, &gaps, &e));
    ck_assert_uint_eq(gaps.n, 1);
    good(container_highest(g.db, SEEN_BPP_BUNDLE, SMDP, &highest, &e));
    ck_assert_uint_eq(highest, 7);
    good(container_highest(g.db, SEEN_EUICC_DATA, SMDP, &highest, &e));
    ck_assert_uint_eq(highest, 0);
    ground_close(&g);
}
END_TEST

static int remember(struct tx *tx, void *ctx, struct err *e)
{
    return container_remember(tx, ctx, 1, e);
}

/* They must rise, so that one left out can never come: that is no gap. */
START_TEST(a_station_cert_leaves_no_gap)
{
    AUTO(container_gaps_clear) struct container_gaps gaps = { NULL, 0 };
    struct container_seen cert = {
        .kind = SEEN_STATION_CERT, .id = "a7c3f3ba-0000-4000-8000-000000000005",
        .issuer = "authority", .sequence = 5, .created_at = GROUND_NOW,
    };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    ground_bundle(&g, 1, 10, 1, 1); /* event 1 */
    good(db_write(g.db, remember, &cert, &e));
    good(container_gaps(g.db, NULL, &gaps, &e));
    ck_assert_uint_eq(gaps.n, 0);
    ground_close(&g);
}
END_TEST

/* --- station-cert -------------------------------------------------------------------------- */

static uint8_t dm_root_hash[32];

static int init(struct tx *tx, void *ctx, struct err *e)
{
    static const uint8_t key_id[32] = { 7 };

    return station_create(tx, ctx, dm_root_hash, key_id, "test", e);
}

struct commission {
    struct container_seen seen;
    struct station_trust trust;
};

static int commission(struct tx *tx, void *ctx, struct err *e)
{
    struct commission *c = ctx;

    return station_commission(tx, &c->seen, &c->trust, "test", e);
}

START_TEST(station_and_its_trust)
{
    static const struct span roots[] = { { (const uint8_t *)"CI", 2 },
                                         { (const uint8_t *)"CI2", 3 } };
    static const char *const allowed[] = { SMDP, "1.2.3", "1.2.4" };
    struct commission c = {
        .seen = { .kind = SEEN_STATION_CERT, .id = "sc-5", .issuer = "authority",
                  .sequence = 5, .created_at = GROUND_NOW - 50,
                  .not_after = GROUND_NOW + 50 },
        .trust = { .site = "Plant 1", .chain = SPAN("chain", 5),
                   .dm_root = SPAN("root", 4), .ci_roots = roots,
                   .ci_root_count = 2, .allowed_smdp = allowed,
                   .allowed_smdp_count = 3 },
    };
    struct station s;
    struct err e = ERR_INIT;
    struct ground g;

    event_hash(c.trust.dm_root, dm_root_hash);
    ground_open(&g);
    bad(station_get(g.db, &s, &e), ERR_NOT_FOUND);
    bad(db_write(g.db, commission, &c, &e), ERR_NOT_FOUND);
    bad(db_write(g.db, init, "", &e), ERR_USAGE);
    good(db_write(g.db, init, "ST-1", &e));
    bad(db_write(g.db, init, "ST-2", &e), ERR_CONFLICT);
    good(station_get(g.db, &s, &e));
    ck_assert_str_eq(s.id, "ST-1");
    ck_assert_uint_eq(s.key_id[0], 7);
    ck_assert(!s.commissioned);
    station_clear(&s);

    struct commission other = c;
    other.trust.dm_root = SPAN("r00t", 4);
    bad(db_write(g.db, commission, &other, &e), ERR_CONFLICT);
    good(db_write(g.db, commission, &c, &e));
    bad(db_write(g.db, commission, &c, &e), ERR_REPLAY); /* the same id */
    other = c;
    other.seen.id = "sc-4";
    other.seen.sequence = 4; /* older by number */
    bad(db_write(g.db, commission, &other, &e), ERR_REPLAY);
    other.seen.id = "sc-x"; /* older by time, to another list */
    other.seen.recipients[0] = 9;
    other.seen.created_at--;
    bad(db_write(g.db, commission, &other, &e), ERR_REPLAY);
    good(station_get(g.db, &s, &e));
    ck_assert(s.commissioned);
    ck_assert_uint_eq(s.cert_sequence, 5);
    ck_assert_uint_eq(s.ci_root_count, 2);
    ck_assert(span_eq(buf_span(&s.ci_roots[1]), roots[1]));
    ck_assert_uint_eq(s.allowed_smdp_count, 3);
    ck_assert_str_eq(s.allowed_smdp[2], "1.2.4");
    ck_assert_str_eq(s.site, "Plant 1");
    station_clear(&s);

    other = c; /* a later one replaces all of it */
    other.seen.id = "sc-6";
    other.seen.sequence = 6;
    other.trust.ci_root_count = 1;
    other.trust.allowed_smdp_count = 1;
    good(db_write(g.db, commission, &other, &e));
    good(station_get(g.db, &s, &e));
    ck_assert_uint_eq(s.cert_sequence, 6);
    ck_assert_uint_eq(s.ci_root_count, 1);
    ck_assert_uint_eq(s.allowed_smdp_count, 1);
    station_clear(&s);
    good(event_verify(g.db, NULL, &e));
    ck_assert_uint_eq(count(&g, "event"), 3);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "live", live_after_the_last_transaction, 1 },
        { "guarded", guarded_to_the_last, 1 },
        { "invisible", invisible_until_then, 1 },
        { "abort", abort_leaves_nothing, 1 },
        { "leftovers", leftovers_are_removed, 1 },
        { "next import", the_next_import_removes_them, 1 },
        { "id once", an_id_comes_once, 1 },
        { "transactionId once", a_transaction_id_comes_once, 1 },
        { "bad records", bad_records, 1 },
        { "gaps", gaps_are_shown_and_close, 1 },
        { "station-cert", a_station_cert_leaves_no_gap, 1 },
        { "names", names_of_any_script, 1 },
        { "station", station_and_its_trust, 1 },
    };

    return run_tests("storage/import", tests, sizeof tests / sizeof *tests);
}
