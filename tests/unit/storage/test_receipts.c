/* Whom a report concerns, who has acknowledged it, and what is no receipt. */
#include "storage/life.h"
#include "storage/receipts.h"
#include "storage/station.h"
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <string.h>

#define OTHER "1.3.6.1.4.1.99.2"
#define THIRD "1.3.6.1.4.1.99.3"
#define DAY 86400

/* Bundle n of another SM-DPf: BPPs first..first+count-1 of eUICC `first`. */
static void bundle_of(struct ground *g, const char *oid, unsigned n,
                      unsigned first, unsigned count)
{
    struct import_head h;
    struct err e = ERR_INIT;
    struct import *i;
    char id[37];

    h = ground_head(n, id);
    h.seen.issuer = h.smdp_oid = oid;
    good(lock_take(g->dir, LOCK_IMPORT, &g->lock, &e));
    good(import_begin(g->db, g->lock, &h, &i, &e));
    for (unsigned k = 0; k < count; k++)
        good(ground_record(i, first + k, first, 100, &e));
    good(import_finish(i, "test", NULL, &e));
    lock_release(g->lock);
    g->lock = NULL;
}

/* Of SMDP: an installed BPP, its deletion, a failure that names another one.
 * Of OTHER: a voided one. Of THIRD: nothing. About no BPP: a notification that
 * a profile was enabled, a receipt of deleted keys, a failure. */
static int visit(struct tx *tx, void *ctx, struct err *e)
{
    struct bpp_list l = { NULL, 0 }, other = { NULL, 0 };
    const struct eid eid = ground_eid(1), far = ground_eid(20);
    const struct txid t = ground_txid(2), nobodys = ground_txid(99);
    const struct receipt_info r = { 0x72, 6, 1, 0, SPAN("receipt", 7) };
    const struct notification_info del = { .eid = eid, .seq = 5, .op = 0x10,
        .has_iccid = true, .iccid = ground_iccid(1), .octets = SPAN("deleted", 7) };
    const struct notification_info en = { .eid = eid, .seq = 4, .op = 0x40,
        .has_iccid = true, .iccid = ground_iccid(1), .octets = SPAN("enabled", 7) };
    const struct failure_info named = { .code = "apdu-timeout", .eid = &eid, .txid = &t };
    const struct failure_info unknown = { .code = "no-card", .txid = &nobodys };
    const struct failure_info plain = { .code = "no-card" };
    struct act a = { .actor = "line", .fixture = "F7" };
    struct position p;
    int rc = -1;

    (void)ctx;
    if (unit_register(tx, "SN1", "main", &eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    if (stock_reserve(tx, &eid, &a, &l, e) == 0 &&
        stock_load(tx, l.v[0].id, &a, e) == 0 &&
        stock_result(tx, l.v[0].id, true, CAUSE_RESULT, ground_bf37(), &a, e) == 0 &&
        notification_add(tx, &a, &en, NULL, e) == 0 &&
        notification_add(tx, &a, &del, NULL, e) == 0 &&
        receipt_add(tx, &a, &r, e) == 0 && failure_add(tx, &a, &named, e) == 0 &&
        failure_add(tx, &a, &unknown, e) == 0 &&
        failure_add(tx, &a, &plain, e) == 0) {
        a.position = 0;
        rc = stock_reserve(tx, &far, &a, &other, e) != 0 ||
             stock_void(tx, other.v[0].id, "not by us", SPAN(NULL, 0), &a, e) != 0
           ? -1 : 0;
    }
    bpp_list_clear(&l);
    bpp_list_clear(&other);
    return rc;
}

struct making {
    struct export_info x;
};

static int make(struct tx *tx, void *ctx, struct err *e)
{
    return export_add(tx, &((struct making *)ctx)->x, "test", e);
}

/* Loading-report n of everything since the one before; its hash. */
static void report(struct ground *g, uint64_t n, uint8_t sha256[32])
{
    struct export_info last = { .sequence = 0 };
    struct event_head before, after;
    struct err e = ERR_INIT;
    struct making m;

    if (n > 1)
        good(export_last(g->db, EXPORT_LOADING_REPORT, &last, &e));
    good(event_head(g->db, &after, &e));
    good(event_head_at(g->db, last.last_event, &before, &e));
    m.x = (struct export_info){ .kind = EXPORT_LOADING_REPORT, .sequence = n,
        .first_event = last.last_event + 1, .last_event = after.number,
        .created_at = ground_now };
    snprintf(m.x.id, sizeof m.x.id, "report-%llu", (unsigned long long)n);
    memcpy(m.x.head_before, before.hash, EVENT_HASH);
    memcpy(m.x.head_after, after.hash, EVENT_HASH);
    buf_put_span(&m.x.manifest, SPAN_STR(m.x.id));
    good(db_write(g->db, make, &m, &e));
    memcpy(sha256, m.x.manifest_sha256, 32);
    export_clear(&m.x);
    export_clear(&last);
}

/* A receipt with something wrong or not. */
struct given {
    struct report_receipt r;
    struct report_acknowledged out;
    char id[37];
};

static struct given *receipt(struct given *g, const char *issuer, unsigned n,
                             const uint8_t *sha256, uint64_t records)
{
    *g = (struct given){ .r = {
        .seen = { .kind = SEEN_REPORT_RECEIPT, .issuer = issuer, .sequence = n,
                  .recipients = { 1 }, .manifest_sha256 = { (uint8_t)n },
                  .created_at = GROUND_NOW, .not_after = GROUND_NOW + DAY },
        .report = "report-1", .sequence = 1, .report_sha256 = sha256,
        .records = records, .accepted = records,
    } };
    snprintf(g->id, sizeof g->id, "00000000-0000-4000-9000-%012u", n);
    g->r.seen.id = g->id;
    return g;
}

static int acknowledge(struct tx *tx, void *ctx, struct err *e)
{
    struct given *g = ctx;

    return report_acknowledge(tx, &g->r, "station", &g->out, e);
}

/* Three SM-DPfs' bundles, a visit, and report 1 of it. */
static void reported(struct ground *g, uint8_t sha256[32])
{
    struct err e = ERR_INIT;

    ground_open(g);
    bundle_of(g, SMDP, 1, 1, 3);
    bundle_of(g, OTHER, 2, 20, 2);
    bundle_of(g, THIRD, 3, 30, 1);
    good(db_write(g->db, visit, NULL, &e));
    report(g, 1, sha256);
}

static void is_row(const struct report_row *r, const char *smdp,
                   uint64_t records, bool acknowledged, uint64_t accepted)
{
    ck_assert_str_eq(r->smdp_oid, smdp);
    ck_assert_uint_eq(r->records, records);
    ck_assert_int_eq(r->acknowledged, acknowledged);
    ck_assert_uint_eq(r->accepted, accepted);
}

START_TEST(each_for_itself)
{
    AUTO(report_rows_clear) struct report_rows l = { NULL, 0 };
    struct reports_open open;
    uint8_t sha256[32], second[32];
    struct err e = ERR_INIT;
    struct ground g;
    struct given r;

    reported(&g, sha256);
    good(report_rows(g.db, false, 0, 0, &l, &e));
    ck_assert_uint_eq(l.n, 2);
    is_row(&l.v[0], SMDP, 3, false, 0); /* result, deletion, failure */
    is_row(&l.v[1], OTHER, 1, false, 0);
    ck_assert_str_eq(l.v[0].id, "report-1");
    ground_now += 3 * DAY + 5;
    good(reports_open(g.db, &open, &e));
    ck_assert_uint_eq(open.reports, 1);
    ck_assert_int_eq(open.since, GROUND_NOW);
    ck_assert_int_eq(open.age_s, 3 * DAY + 5);

    good(db_write(g.db, acknowledge, receipt(&r, OTHER, 3, sha256, 1), &e));
    ck_assert_uint_eq(r.out.waiting, 1);
    ck_assert_uint_eq(r.out.missing, 1); /* its numbers are 2 and 3 */
    good(reports_open(g.db, &open, &e));
    ck_assert_uint_eq(open.reports, 1);
    receipt(&r, SMDP, 2, sha256, 3);
    r.r.accepted = 2;
    good(db_write(g.db, acknowledge, &r, &e));
    ck_assert_uint_eq(r.out.waiting, 0);
    ck_assert_uint_eq(r.out.missing, 0);
    good(report_rows(g.db, false, 0, 0, &l, &e));
    is_row(&l.v[0], SMDP, 3, true, 2);
    is_row(&l.v[1], OTHER, 1, true, 1);
    ck_assert_str_eq(l.v[0].receipt, r.id);
    ck_assert_int_eq(l.v[0].acknowledged_at, ground_now);
    good(reports_open(g.db, &open, &e));
    ck_assert_uint_eq(open.reports, 0);
    ck_assert_int_eq(open.since, 0);
    ck_assert_int_eq(open.age_s, 0);

    /* One that concerns nobody; then one of an hour's work more. */
    report(&g, 2, second);
    good(reports_open(g.db, &open, &e));
    ck_assert_uint_eq(open.reports, 0);
    good(report_rows(g.db, false, 0, 1, &l, &e));
    ck_assert_uint_eq(l.n, 1);
    ck_assert_uint_eq(l.v[0].sequence, 2);
    is_row(&l.v[0], "", 0, false, 0);
    good(report_rows(g.db, false, 2, 1, &l, &e));
    ck_assert_uint_eq(l.n, 2);
    ck_assert_uint_eq(l.v[0].sequence, 1);
    good(report_rows(g.db, true, 0, 0, &l, &e));
    ck_assert_uint_eq(l.n, 0);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static void other_digest(struct given *g)
{
    static uint8_t other[32];

    memcpy(other, g->r.report_sha256, 32);
    other[31] ^= 1;
    g->r.report_sha256 = other;
}
static void other_number(struct given *g) { g->r.sequence = 2; }
static void unknown(struct given *g) { g->r.report = "report-9"; }
static void of_a_log(struct given *g) { g->r.report = "log-1"; }
static void not_concerned(struct given *g) { g->r.seen.issuer = THIRD; }
static void stranger(struct given *g) { g->r.seen.issuer = "2.999.77"; }
static void more(struct given *g) { g->r.records++; }
static void fewer(struct given *g) { g->r.records = g->r.accepted = 2; }
static void number_0(struct given *g) { g->r.seen.sequence = 0; }
static void other_kind(struct given *g) { g->r.seen.kind = SEEN_WORK_ORDER; }
static void too_many(struct given *g) { g->r.accepted = g->r.records + 1; }

static const struct {
    void (*change)(struct given *g);
    enum err_code code;
    const char *says;
} wrong[] = {
    { other_digest, ERR_CONFLICT, "received another file than loading-report 1" },
    { other_number, ERR_CONFLICT, "received another file than loading-report 1" },
    { unknown, ERR_NOT_FOUND, "this station never made" },
    { of_a_log, ERR_NOT_FOUND, "this station never made" },
    { not_concerned, ERR_CONFLICT, "says nothing of any BPP of SM-DPf " THIRD },
    { stranger, ERR_CONFLICT, "says nothing of any BPP of SM-DPf 2.999.77" },
    { more, ERR_CONFLICT, "counts 4 records about its BPPs in loading-report 1, which has 3" },
    { fewer, ERR_CONFLICT, "counts 2 records" },
    { number_0, ERR_LIMIT, "counted from 1" },
    { other_kind, ERR_INTERNAL, "no report-receipt" },
    { too_many, ERR_INTERNAL, "no report-receipt" },
};

static int log_made(struct tx *tx, void *ctx, struct err *e)
{
    struct export_info *x = ctx;

    return export_add(tx, x, "test", e);
}

START_TEST(is_refused)
{
    struct event_head before, after;
    uint8_t sha256[32];
    struct err e = ERR_INIT;
    struct ground g;
    struct given r;

    reported(&g, sha256);
    struct export_info log = { .id = "log-1", .kind = EXPORT_AUDIT_LOG,
        .sequence = 1, .first_event = 1, .directory = "d" };
    good(event_head(g.db, &after, &e));
    log.last_event = after.number;
    memcpy(log.head_after, after.hash, EVENT_HASH);
    buf_put_span(&log.manifest, SPAN_STR("report-1"));
    good(db_write(g.db, log_made, &log, &e));
    export_clear(&log);

    good(event_head(g.db, &before, &e));
    receipt(&r, SMDP, 2, sha256, 3);
    wrong[_i].change(&r);
    bad(db_write(g.db, acknowledge, &r, &e), wrong[_i].code);
    ck_assert_msg(strstr(e.msg, wrong[_i].says) != NULL, "%s", e.msg);
    good(event_head(g.db, &after, &e));
    ck_assert_uint_eq(after.number, before.number);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM container"), 3);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM report_party"
                                    " WHERE container IS NULL"), 2);
    ground_close(&g);
}
END_TEST

/* The same receipt, and another one for the same report: harmless. */
START_TEST(only_once)
{
    struct event_head before, after;
    uint8_t sha256[32];
    struct err e = ERR_INIT;
    struct ground g;
    struct given r;

    reported(&g, sha256);
    good(db_write(g.db, acknowledge, receipt(&r, SMDP, 2, sha256, 3), &e));
    good(event_head(g.db, &before, &e));
    bad(db_write(g.db, acknowledge, receipt(&r, SMDP, 2, sha256, 3), &e), ERR_REPLAY);
    bad(db_write(g.db, acknowledge, receipt(&r, SMDP, 5, sha256, 3), &e), ERR_REPLAY);
    ck_assert_ptr_nonnull(strstr(e.msg, "has acknowledged loading-report 1 already"));
    good(event_head(g.db, &after, &e));
    ck_assert_uint_eq(after.number, before.number);
    /* Nor can a row be turned back. */
    ck_assert_int_ne(ground_sql(&g, "UPDATE report_party SET container = NULL,"
                                " accepted = NULL"), SQLITE_OK);
    ck_assert_int_ne(ground_sql(&g, "UPDATE report_party SET records = 9"), SQLITE_OK);
    ck_assert_int_ne(ground_sql(&g, "DELETE FROM report_party"), SQLITE_OK);
    ground_close(&g);
}
END_TEST

struct cert {
    uint64_t n; /* of the station-cert; 0: the station is new */
    const char *allowed[2];
    size_t count;
};

static int certify(struct tx *tx, void *ctx, struct err *e)
{
    const struct cert *c = ctx;
    uint8_t root[32], key[32] = { 0 };
    char id[37];

    event_hash(SPAN("root", 4), root);
    snprintf(id, sizeof id, "00000000-0000-4000-a000-%012u", (unsigned)c->n);
    const struct station_trust t = { .chain = SPAN("chain", 5), .dm_root = SPAN("root", 4),
                                     .allowed_smdp = c->allowed,
                                     .allowed_smdp_count = c->count };
    const struct container_seen seen = { .kind = SEEN_STATION_CERT, .id = id,
        .issuer = "authority", .sequence = c->n, .created_at = GROUND_NOW,
        .not_after = GROUND_NOW + DAY };
    return c->n ? station_commission(tx, &seen, &t, "test", e)
                : station_create(tx, "LS-1", root, key, "test", e);
}

static void allow(struct ground *g, uint64_t n, const char *one, const char *other)
{
    struct cert c = { n, { one, other }, !!one + !!other };
    struct err e = ERR_INIT;

    good(db_write(g->db, certify, &c, &e));
}

static void waits(struct ground *g, uint64_t reports, uint64_t never, size_t rows)
{
    AUTO(report_rows_clear) struct report_rows l = { NULL, 0 };
    struct reports_open open;
    struct err e = ERR_INIT;

    good(reports_open(g->db, &open, &e));
    ck_assert_uint_eq(open.reports, reports);
    ck_assert_uint_eq(open.never, never);
    ck_assert_int_eq(open.since, reports ? GROUND_NOW : 0);
    good(report_rows(g->db, true, 0, 0, &l, &e));
    ck_assert_uint_eq(l.n, rows);
}

/* What is told of the newest evidence about this eUICC's BPPs. */
static void told_of(struct ground *g, unsigned eid, const char *smdp, bool acknowledged,
                    bool expected)
{
    const struct life_subject s = { .has_eid = true, .eid = ground_eid(eid) };
    struct life l = { .euiccs = NULL };
    struct err e = ERR_INIT;
    size_t n = 0;

    good(life_read(g->db, &s, &l, &e));
    for (size_t i = 0; i < l.evidence_count; i++) {
        const struct life_evidence *v = &l.evidence[i];
        ck_assert_uint_eq(v->report_sequence, 1);
        if (!v->smdp[0])
            continue;
        ck_assert_str_eq(v->smdp, smdp);
        ck_assert_int_eq(v->acknowledged, acknowledged);
        ck_assert_int_eq(v->expected, expected);
        ck_assert_int_eq(v->receipt[0] != '\0', acknowledged);
        n++;
    }
    ck_assert_uint_gt(n, 0);
    life_clear(&l);
}

/* Nobody waits for an SM-DPf whose receipt would be refused; but what it never
 * acknowledged is not acknowledged either. */
START_TEST(off_the_list)
{
    AUTO(report_rows_clear) struct report_rows l = { NULL, 0 };
    uint8_t sha256[32];
    struct err e = ERR_INIT;
    struct ground g;
    struct given r;

    reported(&g, sha256);
    allow(&g, 0, NULL, NULL);
    allow(&g, 1, SMDP, OTHER);
    waits(&g, 1, 0, 2);
    told_of(&g, 1, SMDP, false, true);
    allow(&g, 2, SMDP, NULL);
    waits(&g, 1, 0, 2);
    told_of(&g, 20, OTHER, false, false);
    good(db_write(g.db, acknowledge, receipt(&r, SMDP, 2, sha256, 3), &e));
    ck_assert_uint_eq(r.out.waiting, 0);
    waits(&g, 0, 1, 0);
    told_of(&g, 1, SMDP, true, true);
    good(report_rows(g.db, false, 0, 0, &l, &e));
    ck_assert(l.v[0].expected && !l.v[1].expected && !l.v[1].acknowledged);
    /* It is back: its receipt is waited for again, and taken. */
    allow(&g, 3, SMDP, OTHER);
    waits(&g, 1, 0, 2);
    allow(&g, 4, NULL, NULL);
    waits(&g, 0, 1, 0);
    allow(&g, 5, OTHER, NULL);
    good(db_write(g.db, acknowledge, receipt(&r, OTHER, 3, sha256, 1), &e));
    waits(&g, 0, 0, 0);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A ledger of an older program knows of its reports whom they concern. */
START_TEST(reports_of_before)
{
    AUTO(report_rows_clear) struct report_rows l = { NULL, 0 };
    uint8_t sha256[32], second[32];
    struct err e = ERR_INIT;
    struct ground g;
    struct given r;

    reported(&g, sha256);
    report(&g, 2, second);
    ground_back_to(&g, 11);
    ground_reopen(&g);
    good(report_rows(g.db, false, 0, 0, &l, &e));
    ck_assert_uint_eq(l.n, 3);
    is_row(&l.v[0], SMDP, 3, false, 0);
    is_row(&l.v[1], OTHER, 1, false, 0);
    is_row(&l.v[2], "", 0, false, 0);
    good(db_write(g.db, acknowledge, receipt(&r, SMDP, 2, sha256, 3), &e));
    ck_assert_uint_eq(r.out.waiting, 1);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "each for itself", each_for_itself, 1 },
        { "refused", is_refused, sizeof wrong / sizeof *wrong },
        { "once", only_once, 1 },
        { "off the list", off_the_list, 1 },
        { "before", reports_of_before, 1 },
    };

    return run_tests("storage/receipts", tests, sizeof tests / sizeof *tests);
}
