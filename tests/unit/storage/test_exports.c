/* What leaves the station, once and again. */
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <string.h>

/* One visit of eUICC 0 with BPPs 1..5, leaving one of each kind of evidence. */
static int visit(struct tx *tx, void *ctx, struct err *e)
{
    struct bpp_list l = { NULL, 0 };
    const struct eid eid = ground_eid(0);
    const struct txid t = ground_txid(77);
    struct position p;
    const struct failure_info f = { .code = "apdu-timeout", .eid = &eid,
        .detail = "bad\x1b[text\xff", .txid = &t, .serial = "SN9" };
    const struct receipt_info r = { 0x72, 6, 1, 0, SPAN("receipt", 7) };
    const struct notification_info del = { .eid = eid, .seq = 5, .op = 0x10,
        .has_iccid = true, .iccid = ground_iccid(1),
        .octets = SPAN("deleted", 7) };
    const struct notification_info en = { .eid = eid, .seq = 4, .op = 0x40,
        .octets = SPAN("enabled", 7) };
    struct act a = { .actor = "line", .fixture = "F7" };
    int rc = -1;

    (void)ctx;
    if (unit_register(tx, "SN1", "main", &eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    if (stock_reserve(tx, &eid, &a, &l, e) == 0 &&
        stock_load(tx, l.v[0].id, &a, e) == 0 &&
        stock_result(tx, l.v[0].id, true, CAUSE_RESULT, ground_bf37(), &a,
                     e) == 0 &&
        stock_load(tx, l.v[1].id, &a, e) == 0 &&
        stock_result(tx, l.v[1].id, false, CAUSE_RESULT, SPAN("error", 5), &a,
                     e) == 0 &&
        stock_load(tx, l.v[2].id, &a, e) == 0 &&
        stock_quarantine(tx, l.v[2].id, "key gone", &a, e) == 0 &&
        stock_void(tx, l.v[3].id, "not by us", SPAN("theirs", 6), &a, e) == 0 &&
        notification_add(tx, &a, &en, NULL, e) == 0 &&
        notification_add(tx, &a, &del, NULL, e) == 0 &&
        receipt_add(tx, &a, &r, e) == 0)
        rc = failure_add(tx, &ground_act, &f, e);
    bpp_list_clear(&l);
    return rc;
}

static const struct {
    enum evidence_kind kind;
    enum bpp_state state;
    const char *octets, *serial, *fixture, *code, *detail;
    unsigned txid; /* 0: none */
    bool record;
} want[] = {
    { EVIDENCE_RESULT, BPP_INSTALLED, "\xbf\x37\x03ok!", "SN1", "F7", "result",
      "", 1, true },
    { EVIDENCE_RESULT, BPP_FAILED, "error", "SN1", "F7", "result", "", 2, true },
    { EVIDENCE_QUARANTINE, BPP_QUARANTINED, "", "SN1", "F7",
      "consumed-without-evidence", "key gone", 3, true },
    { EVIDENCE_VOID, BPP_VOIDED, "theirs", "SN1", "F7", "consumed-elsewhere",
      "not by us", 4, true },
    { EVIDENCE_NOTIFICATION, BPP_IN_STOCK, "enabled", "SN1", "F7", "", "", 0,
      true },
    { EVIDENCE_NOTIFICATION, BPP_IN_STOCK, "deleted", "SN1", "F7", "", "", 1,
      true },
    { EVIDENCE_RECEIPT, BPP_IN_STOCK, "receipt", "SN1", "F7", "", "", 0, true },
    { EVIDENCE_FAILURE, BPP_IN_STOCK, "", "SN9", "F1", "apdu-timeout",
      "bad?[text?", 77, true },
};
#define WANT (sizeof want / sizeof *want)

struct walk {
    size_t n;
    struct buf all; /* every octet of every item, to compare two walks */
    uint64_t last;
};

static int check_item(void *ctx, const struct evidence_item *i, struct err *e)
{
    struct walk *w = ctx;
    size_t k = w->n++;

    (void)e;
    ck_assert_uint_lt(k, WANT);
    ck_assert_uint_gt(i->event, w->last);
    w->last = i->event;
    ck_assert_int_eq(i->kind, want[k].kind);
    ck_assert_int_eq(i->state, want[k].state);
    ck_assert(span_eq(i->octets, SPAN_STR(want[k].octets)));
    ck_assert_str_eq(i->serial, want[k].serial);
    ck_assert_str_eq(i->fixture, want[k].fixture);
    ck_assert_str_eq(i->code, want[k].code);
    ck_assert_str_eq(i->detail, want[k].detail);
    ck_assert(i->has_txid == (want[k].txid != 0));
    const struct txid t = ground_txid(want[k].txid);
    ck_assert(!i->has_txid || txid_eq(&i->txid, &t));
    ck_assert_uint_eq(i->record.n, want[k].record ? 100 : 0);
    ck_assert(span_eq(i->eum_chain, SPAN_STR("eum chain")));
    ck_assert_int_eq(i->finished_at, i->at);
    buf_put(&w->all, &i->event, sizeof i->event);
    buf_put_span(&w->all, i->octets);
    buf_put_span(&w->all, i->record);
    return 0;
}

static void visited(struct ground *g)
{
    struct err e = ERR_INIT;

    ground_open(g);
    ground_bundle(g, 1, 1, 5, 10);
    good(db_write(g->db, visit, NULL, &e));
}

static int void_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct act a = { .actor = "line", .fixture = "F7" };
    const int64_t *bpp = ctx;

    return stock_void(tx, *bpp, "not by us", SPAN("theirs", 6), &a, e);
}

/* BPP 5, which the visit left reserved. */
static void void_the_last(struct ground *g)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    const struct eid eid = ground_eid(0);
    struct err e = ERR_INIT;

    good(stock_of_eid(g->db, &eid, &l, &e));
    ck_assert_int_eq(l.v[4].state, BPP_RESERVED);
    good(db_write(g->db, void_tx, &l.v[4].id, &e));
}

static int count_item(void *ctx, const struct evidence_item *i, struct err *e)
{
    size_t *n = ctx;

    (void)i;
    (void)e;
    ++*n;
    return 0;
}

START_TEST(evidence_in_order_and_again)
{
    struct walk first = { .n = 0 }, again = { .n = 0 };
    struct event_head head;
    struct err e = ERR_INIT;
    struct ground g;
    size_t n = 0;

    visited(&g);
    good(event_head(g.db, &head, &e));
    good(evidence_walk(g.db, 1, 0, check_item, &first, &e));
    ck_assert_uint_eq(first.n, WANT);
    ground_bundle(&g, 2, 100, 5, 1000); /* more of the same eUICC, later */
    ground_reopen(&g);
    good(evidence_walk(g.db, 1, head.number, check_item, &again, &e));
    ck_assert(span_eq(buf_span(&first.all), buf_span(&again.all)));
    good(evidence_walk(g.db, head.number + 1, 0, count_item, &n, &e));
    ck_assert_uint_eq(n, 0);
    ground_balanced(g.db);
    buf_clear(&first.all);
    buf_clear(&again.all);
    ground_close(&g);
}
END_TEST

struct making {
    struct export_info x;
};

static int make(struct tx *tx, void *ctx, struct err *e)
{
    struct making *m = ctx;

    return export_add(tx, &m->x, "test", e);
}

/* An export of everything up to now. */
static void prepare(struct ground *g, struct making *m, enum export_kind k,
                    uint64_t sequence, uint64_t first)
{
    struct event_head before, after;
    struct err e = ERR_INIT;

    good(event_head(g->db, &after, &e));
    good(event_head_at(g->db, first - 1, &before, &e));
    m->x = (struct export_info){ .kind = k, .sequence = sequence,
        .first_event = first, .last_event = after.number,
        .created_at = GROUND_NOW };
    snprintf(m->x.id, sizeof m->x.id, "export-%d-%llu", (int)k,
             (unsigned long long)sequence);
    snprintf(m->x.directory, sizeof m->x.directory, "dir-%s", m->x.id);
    memcpy(m->x.head_before, before.hash, EVENT_HASH);
    memcpy(m->x.head_after, after.hash, EVENT_HASH);
    buf_put_span(&m->x.manifest, SPAN_STR(m->x.id));
}

START_TEST(pending_until_exported)
{
    AUTO(export_clear) struct export_info x = { .sequence = 0 };
    AUTO(bundle_balances_clear) struct bundle_balances b = { NULL, 0 };
    struct making m;
    struct unexported p;
    struct err e = ERR_INIT;
    struct ground g;
    uint8_t hash[EVENT_HASH];

    visited(&g);
    good(export_pending(g.db, &p, &e));
    ck_assert_uint_eq(p.results, 2);
    ck_assert_uint_eq(p.failures, 1);
    ck_assert_uint_eq(p.deletions, 1);
    ck_assert_uint_eq(p.receipts, 1);
    ck_assert_uint_eq(p.quarantined, 1);
    ck_assert_uint_eq(p.voided, 1);
    ck_assert_uint_eq(p.evidence, WANT);
    good(stock_balances(g.db, &b, &e));
    ck_assert_uint_eq(b.v[0].unexported, 5); /* those that name a BPP */
    bad(export_last(g.db, EXPORT_LOADING_REPORT, &x, &e), ERR_NOT_FOUND);

    prepare(&g, &m, EXPORT_LOADING_REPORT, 1, 1);
    good(db_write(g.db, make, &m, &e));
    export_clear(&m.x);
    good(export_pending(g.db, &p, &e));
    ck_assert_uint_eq(p.evidence, 0);
    ck_assert_uint_gt(p.events, 0); /* no audit-log yet */
    good(stock_balances(g.db, &b, &e));
    ck_assert_uint_eq(b.v[0].unexported, 0);
    good(export_last(g.db, EXPORT_LOADING_REPORT, &x, &e));
    ck_assert_uint_eq(x.sequence, 1);
    ck_assert_str_eq(x.directory, "dir-export-1-1");
    ck_assert(span_eq(buf_span(&x.manifest), SPAN_STR("export-1-1")));
    event_hash(SPAN_STR("export-1-1"), hash);
    ck_assert_mem_eq(hash, x.manifest_sha256, EVENT_HASH);
    bad(export_by_id(g.db, "export-9", &x, &e), ERR_NOT_FOUND);
    good(export_by_id(g.db, "export-1-1", &x, &e));

    prepare(&g, &m, EXPORT_AUDIT_LOG, 1, 1);
    good(db_write(g.db, make, &m, &e));
    export_clear(&m.x);
    good(export_pending(g.db, &p, &e));
    ck_assert_uint_eq(p.events, 1); /* its own export */
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A report reaches as far as it was made; the line goes on meanwhile. */
START_TEST(evidence_while_a_report_is_made)
{
    AUTO(bundle_balances_clear) struct bundle_balances b = { NULL, 0 };
    struct making m;
    struct unexported p;
    struct err e = ERR_INIT;
    struct ground g;

    visited(&g);
    prepare(&g, &m, EXPORT_LOADING_REPORT, 1, 1);
    void_the_last(&g);
    good(db_write(g.db, make, &m, &e));
    export_clear(&m.x);
    good(export_pending(g.db, &p, &e));
    ck_assert_uint_eq(p.evidence, 1);
    ck_assert_uint_eq(p.voided, 1);
    good(stock_balances(g.db, &b, &e));
    ck_assert_uint_eq(b.v[0].unexported, 1);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A ledger of before has counted nothing as it came. */
START_TEST(an_older_ledger_counts)
{
    struct unexported before, p;
    struct making m;
    struct err e = ERR_INIT;
    struct ground g;

    visited(&g);
    prepare(&g, &m, EXPORT_LOADING_REPORT, 1, 1);
    good(db_write(g.db, make, &m, &e));
    export_clear(&m.x);
    void_the_last(&g);
    good(export_pending(g.db, &before, &e));
    ck_assert_uint_eq(before.evidence, 1);
    ground_back_to(&g, 12);
    ground_reopen(&g);
    good(export_pending(g.db, &p, &e));
    ck_assert_mem_eq(&p, &before, sizeof p);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static const char *const lies[] = {
    "UPDATE unreported SET n = n + 1 WHERE kind = 2",
    "DELETE FROM unreported WHERE kind = 4",
    "INSERT INTO unreported VALUES(7, 1, 1, 1)",
};

START_TEST(lies_are_found)
{
    struct err e = ERR_INIT;
    struct ground g;

    visited(&g);
    good(export_cross_check(g.db, &e));
    ck_assert_int_eq(ground_sql(&g, lies[_i]), 0);
    bad(query_cross_check(g.db, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "not reported"));
    ground_close(&g);
}
END_TEST

static void wrong_sequence(struct export_info *x) { x->sequence = 3; }
static void wrong_first(struct export_info *x) { x->first_event++; }
static void repeated_first(struct export_info *x) { x->first_event = 1; }
static void wrong_order(struct export_info *x) { x->last_event = 1; }
static void wrong_before(struct export_info *x) { x->head_before[0] ^= 1; }
static void wrong_after(struct export_info *x) { x->head_after[31] ^= 1; }

static void (*const spoil[])(struct export_info *x) = {
    wrong_sequence, wrong_first, repeated_first, wrong_order, wrong_before,
    wrong_after,
};

START_TEST(an_export_must_follow)
{
    struct making m;
    struct err e = ERR_INIT;
    struct ground g;

    visited(&g);
    prepare(&g, &m, EXPORT_LOADING_REPORT, 1, 1);
    good(db_write(g.db, make, &m, &e));
    uint64_t last = m.x.last_event;
    export_clear(&m.x);
    prepare(&g, &m, EXPORT_LOADING_REPORT, 2, last + 1);
    struct export_info right = m.x;
    spoil[_i](&m.x);
    bad(db_write(g.db, make, &m, &e), ERR_CONFLICT);
    m.x = right;
    good(db_write(g.db, make, &m, &e));
    export_clear(&m.x);
    ground_close(&g);
}
END_TEST

/* Nothing happened: an export without events still follows. */
START_TEST(an_empty_export)
{
    struct making m;
    struct event_head head = { 0 };
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    prepare(&g, &m, EXPORT_AUDIT_LOG, 1, 1);
    m.x.first_event = 0;
    good(db_write(g.db, make, &m, &e));
    export_clear(&m.x);
    prepare(&g, &m, EXPORT_AUDIT_LOG, 2, 1);
    ck_assert_uint_eq(m.x.last_event, 1);
    good(db_write(g.db, make, &m, &e));
    export_clear(&m.x);
    good(event_head(g.db, &head, &e));
    ck_assert_uint_eq(head.number, 2);
    ground_close(&g);
}
END_TEST

START_TEST(overview_adds_up)
{
    struct stock_overview o;
    struct err e = ERR_INIT;
    struct ground g;

    visited(&g);
    ground_bundle(&g, 3, 50, 4, 1);
    good(query_overview(g.db, &o, &e));
    ck_assert_uint_eq(o.bundles.n, 2);
    ck_assert_uint_eq(o.total.received, 9);
    ck_assert_uint_eq(o.total.by_state[BPP_IN_STOCK], 4);
    ck_assert_uint_eq(o.total.by_state[BPP_RESERVED], 1);
    ck_assert_uint_eq(o.total.deleted, 1);
    ck_assert(stock_balance_ok(&o.total));
    ck_assert_uint_eq(o.gaps.n, 1);
    ck_assert_uint_eq(o.pending.results, 2);
    ck_assert_uint_eq(o.unresolved.n, 0);
    stock_overview_clear(&o);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "walk", evidence_in_order_and_again, 1 },
        { "pending", pending_until_exported, 1 },
        { "must follow", an_export_must_follow, sizeof spoil / sizeof *spoil },
        { "empty", an_empty_export, 1 },
        { "overview", overview_adds_up, 1 },
        { "meanwhile", evidence_while_a_report_is_made, 1 },
        { "older", an_older_ledger_counts, 1 },
        { "lies", lies_are_found, sizeof lies / sizeof *lies },
    };

    return run_tests("storage/exports", tests, sizeof tests / sizeof *tests);
}
