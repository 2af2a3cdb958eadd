/* One-time keys: from an EUM, from cards, asked for once. */
#include "storage/keys.h"
#include "storage/inner.h" /* SCHEMA_VERSION */
#include "tests/unit/storage/ledger_ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OTHER "1.2.3"

static int64_t rows(const struct ground *g, const char *table)
{
    char sql[64];

    snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
    return ground_sql_int(g, sql);
}

static void no_lock(struct ground *g)
{
    lock_release(g->lock);
    g->lock = NULL;
}

/* --- euicc-data ------------------------------------------------------------------- */

static struct import *data_begin(struct ground *g, unsigned n)
{
    struct err e = ERR_INIT;
    struct import *i;
    char id[37];
    struct import_head h = ground_head(n, id);

    h.seen.kind = SEEN_EUICC_DATA;
    h.seen.issuer = "EUM";
    h.smdp_oid = NULL;
    h.dp_chain_count = 0;
    good(lock_take(g->dir, LOCK_IMPORT, &g->lock, &e));
    good(import_begin(g->db, g->lock, &h, &i, &e));
    return i;
}

static void data_euicc(struct import *i, unsigned eid, unsigned first,
                       unsigned keys, const char *meant_for)
{
    const struct eid owner = ground_eid(eid);
    struct err e = ERR_INIT;

    good(import_euicc(i, &owner, SPAN_STR("certificate"), 0, &e));
    for (unsigned k = 0; k < keys; k++) {
        struct import_key key = { .txid = ground_txid(first + k),
                                  .smdp_oid = meant_for };
        memset(key.otpk, (int)(first + k), sizeof key.otpk);
        memset(key.sign, (int)(first + k + 1), sizeof key.sign);
        good(import_key(i, &key, &e));
    }
}

/* Keys first..first+keys-1 of eUICC `eid`. */
static void data_import(struct ground *g, unsigned n, unsigned eid,
                        unsigned first, unsigned keys, const char *meant_for)
{
    struct err e = ERR_INIT;
    struct import *i = data_begin(g, n);

    data_euicc(i, eid, first, keys, meant_for);
    good(import_finish(i, "test", NULL, &e));
    no_lock(g);
}

static int bundle_of_one(struct ground *g, unsigned n, unsigned txid,
                         unsigned eid, struct err *e)
{
    struct import *i = ground_begin(g, n);
    int rc = ground_record(i, txid, eid, 50, e);

    if (rc == 0)
        rc = import_finish(i, "test", NULL, e);
    else
        import_abort(i);
    no_lock(g);
    return rc;
}

/* --- requests ----------------------------------------------------------------------- */

struct ask {
    const char *smdp;
    uint64_t sequence;
    unsigned first, n;
    char id[37];
};

static int ask_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct ask *a = ctx;
    struct request_head h = { .sequence = a->sequence, .msp = "MSP" };
    struct export_info x = { .created_at = GROUND_NOW };
    struct request_key v[16];
    char record[16][24];

    snprintf(a->id, sizeof a->id, "%08x-0000-4000-8000-%012u", a->first, a->n);
    memcpy(x.id, a->id, sizeof x.id);
    snprintf(x.directory, sizeof x.directory, "bpp-request-%s", a->id);
    buf_put(&x.manifest, "cms", 3);
    snprintf(h.smdp, sizeof h.smdp, "%s", a->smdp);
    for (unsigned i = 0; i < a->n; i++) {
        snprintf(record[i], sizeof record[i], "record %u", a->first + i);
        v[i] = (struct request_key){ ground_txid(a->first + i),
                                     SPAN_STR(record[i]) };
    }
    int rc = request_add(tx, &x, &h, v, a->n, "Ada", e);
    export_clear(&x);
    return rc;
}

static int ask(struct ground *g, struct ask *a, struct err *e)
{
    return db_write(g->db, ask_tx, a, e);
}

static int count_use(void *ctx, const struct key_row *k, struct err *e)
{
    unsigned *n = ctx;

    (void)e;
    n[k->use]++;
    ck_assert((*k->whose != 0) == (k->use == KEY_OFFERED || k->use == KEY_MEANT));
    return 0;
}

/* How the keys of one eUICC stand: "spent bound offered meant unsigned free". */
static const char *uses(struct ground *g, unsigned eid, const char *smdp)
{
    static char text[64];
    const struct eid owner = ground_eid(eid);
    unsigned n[KEY_USES] = { 0 };
    struct err e = ERR_INIT;

    good(keys_of_euicc(g->db, &owner, smdp, count_use, n, &e));
    snprintf(text, sizeof text, "%u %u %u %u %u %u", n[KEY_SPENT], n[KEY_BOUND],
             n[KEY_OFFERED], n[KEY_MEANT], n[KEY_UNSIGNED], n[KEY_FREE]);
    return text;
}

START_TEST(a_key_is_offered_once)
{
    struct key_info k;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    data_import(&g, 1, 7, 100, 4, SMDP);
    const struct txid t = ground_txid(101);
    const struct eid eid = ground_eid(7);
    good(key_by_txid(g.db, &t, &k, &e));
    ck_assert(eid_eq(&k.eid, &eid));
    ck_assert_uint_eq(k.otpk[64], 101);
    ck_assert(k.has_sign);
    ck_assert_str_eq(k.meant_for, SMDP);
    ck_assert_str_eq(k.offered_to, "");
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 0 0 0 0 4");
    ck_assert_str_eq(uses(&g, 7, OTHER), "0 0 0 4 0 0");

    struct ask a = { OTHER, 1, 100, 2, "" };
    int64_t events = rows(&g, "event");
    bad(ask(&g, &a, &e), ERR_CONFLICT); /* the EUM's word */
    ck_assert_ptr_nonnull(strstr(e.msg, "is meant for SM-DPf " SMDP));
    a.smdp = SMDP;
    a.sequence = 2;
    bad(ask(&g, &a, &e), ERR_CONFLICT); /* not the next */
    ck_assert_int_eq(rows(&g, "event"), events);
    ck_assert_int_eq(rows(&g, "export"), 0);
    a.sequence = 1;
    good(ask(&g, &a, &e));
    ck_assert_int_eq(rows(&g, "event"), events + 3); /* two keys, one request */
    good(key_by_txid(g.db, &t, &k, &e));
    ck_assert_str_eq(k.offered_to, SMDP);
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 0 2 0 0 2");

    struct ask again = { SMDP, 2, 101, 2, "" }; /* one of the two, and a third */
    bad(ask(&g, &again, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "was offered to SM-DPf " SMDP));
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 0 2 0 0 2");
    again.first = 103;
    bad(ask(&g, &again, &e), ERR_NOT_FOUND); /* 104 is nobody's */
    again.first = 102;
    good(ask(&g, &again, &e));
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

static int join(void *ctx, struct span record, struct err *e)
{
    (void)e;
    buf_put_span(ctx, record);
    return 0;
}

static int last_one(void *ctx, const struct request_info *r, struct err *e)
{
    (void)e;
    *(struct request_info *)ctx = *r;
    return 0;
}

START_TEST(a_request_stays_as_it_was)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;
    struct request_info r;
    struct err e = ERR_INIT;
    struct ground g;
    uint64_t next;

    ground_open(&g);
    data_import(&g, 1, 7, 100, 3, SMDP);
    data_import(&g, 2, 8, 200, 1, OTHER);
    struct ask a = { SMDP, 1, 100, 3, "" }, b = { OTHER, 1, 200, 1, "" };
    good(ask(&g, &a, &e));
    good(ask(&g, &b, &e)); /* another SM-DPf counts for itself */
    good(request_next(g.db, SMDP, &next, &e));
    ck_assert_uint_eq(next, 2);
    good(bundle_of_one(&g, 3, 101, 7, &e));
    good(request_walk(g.db, a.id, join, &all, &e));
    ck_assert(span_eq(buf_span(&all), SPAN_STR("record 100record 101record 102")));
    struct export_info x = { .sequence = 0 };
    good(export_by_id(g.db, b.id, &x, &e));
    ck_assert_int_eq(x.kind, EXPORT_BPP_REQUEST);
    ck_assert_uint_eq(x.sequence, 2); /* of its kind */
    ck_assert_uint_eq(x.last_event, 0);
    export_clear(&x);
    good(requests_walk(g.db, last_one, &r, &e));
    ck_assert_str_eq(r.head.smdp, OTHER);
    ck_assert_str_eq(r.head.msp, "MSP");
    ck_assert_uint_eq(r.head.sequence, 1);
    ck_assert_uint_eq(r.keys, 1);
    ck_assert_uint_eq(r.answered, 0);
    ground_reopen(&g);
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 1 2 0 0 0");
    ground_close(&g);
}
END_TEST

START_TEST(a_bundle_for_anothers_key_is_refused)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    data_import(&g, 1, 7, 100, 2, SMDP);
    data_import(&g, 2, 8, 200, 2, OTHER);
    bad(bundle_of_one(&g, 3, 200, 8, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "is meant for SM-DPf " OTHER));
    ck_assert_ptr_nonnull(strstr(e.msg, "comes from " SMDP));
    struct ask a = { OTHER, 1, 200, 1, "" };
    good(ask(&g, &a, &e));
    bad(bundle_of_one(&g, 3, 200, 8, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "was offered to SM-DPf " OTHER));
    ck_assert_ptr_nonnull(strstr(e.msg, "comes from " SMDP));
    bad(bundle_of_one(&g, 3, 100, 9, &e), ERR_CONFLICT); /* another eUICC's */
    good(bundle_of_one(&g, 3, 100, 7, &e));
    good(bundle_of_one(&g, 4, 300, 300, &e)); /* a key not heard of */
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- cards ------------------------------------------------------------------------------ */

struct visit {
    struct card_keys c;
    struct card_key v[8];
    int64_t position;
};

static void visit_of(struct visit *w, unsigned eid, unsigned first, unsigned n)
{
    *w = (struct visit){ .c = { .eid = ground_eid(eid), .v = w->v, .n = n } };
    for (unsigned i = 0; i < n; i++) {
        w->v[i].txid = ground_txid(first + i);
        memset(w->v[i].otpk, (int)(first + i), KEY_OTPK);
        memset(w->v[i].sign, (int)(first + i + 1), KEY_SIGN);
    }
}

static int note(struct tx *tx, void *ctx, struct err *e)
{
    struct visit *w = ctx;
    const struct act a = { .actor = "line", .fixture = "F1",
                           .position = w->position };

    return keys_note(tx, &a, &w->c, e);
}

START_TEST(cards_tell_of_their_keys)
{
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    AUTO(buf_clear) struct buf chain = BUF_INIT;
    struct err e = ERR_INIT;
    struct visit w;
    struct key_info k;
    struct ground g;

    ground_open(&g);
    visit_of(&w, 7, 100, 4);
    w.c.cert = SPAN_STR("own");
    w.c.eum_chain = SPAN_STR("its eum");
    good(db_write(g.db, note, &w, &e));
    ck_assert_int_eq(rows(&g, "event"), 1);
    good(db_write(g.db, note, &w, &e)); /* nothing new: no event */
    ck_assert_int_eq(rows(&g, "event"), 1);
    good(euicc_certificate(g.db, &w.c.eid, &cert, &chain, &e));
    ck_assert(span_eq(buf_span(&cert), SPAN_STR("own")));
    ck_assert(span_eq(buf_span(&chain), SPAN_STR("its eum")));
    /* Nobody said whom they are meant for. */
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 0 0 0 0 4");
    ck_assert_str_eq(uses(&g, 7, OTHER), "0 0 0 0 0 4");
    const struct txid t = ground_txid(100);
    good(key_by_txid(g.db, &t, &k, &e));
    ck_assert_str_eq(k.meant_for, "");
    bool any;
    good(keys_any(g.db, &any, &e));
    ck_assert(any);

    struct ask a = { SMDP, 1, 100, 2, "" };
    good(ask(&g, &a, &e));
    struct ask b = { OTHER, 1, 101, 1, "" };
    bad(ask(&g, &b, &e), ERR_CONFLICT);
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 0 2 0 0 2");
    good(bundle_of_one(&g, 1, 100, 7, &e));
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 1 1 0 0 2");

    /* 102 is not among them any more; 100 is bound and the card's business. */
    visit_of(&w, 7, 103, 1);
    good(db_write(g.db, note, &w, &e));
    ck_assert_str_eq(uses(&g, 7, SMDP), "2 1 0 0 0 1");
    visit_of(&w, 7, 102, 2); /* it was a misreading */
    good(db_write(g.db, note, &w, &e));
    ck_assert_str_eq(uses(&g, 7, SMDP), "1 1 0 0 0 2");
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

START_TEST(the_eum_and_the_card_tell_of_one_key)
{
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    AUTO(buf_clear) struct buf chain = BUF_INIT;
    struct err e = ERR_INIT;
    struct visit w;
    struct ground g;

    ground_open(&g);
    visit_of(&w, 7, 100, 2);
    w.c.cert = SPAN_STR("own");
    w.c.eum_chain = SPAN_STR("its eum");
    good(db_write(g.db, note, &w, &e));
    /* An import that comes to nothing takes nothing of it along. */
    struct import *i = data_begin(&g, 1);
    data_euicc(i, 7, 100, 3, OTHER);
    import_abort(i);
    no_lock(&g);
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 0 0 0 0 2");
    good(euicc_certificate(g.db, &w.c.eid, &cert, &chain, &e));
    ck_assert(span_eq(buf_span(&chain), SPAN_STR("its eum")));

    data_import(&g, 1, 7, 100, 3, OTHER);
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 0 0 3 0 0");
    ck_assert_str_eq(uses(&g, 7, OTHER), "0 0 0 0 0 3");
    /* What was imported before signatures were kept: the card brings them. */
    ck_assert_int_eq(ground_sql(&g, "UPDATE one_time_key SET sign = NULL"), 0);
    ck_assert_str_eq(uses(&g, 7, OTHER), "0 0 0 0 1 2");
    visit_of(&w, 7, 100, 3);
    good(db_write(g.db, note, &w, &e));
    ck_assert_str_eq(uses(&g, 7, OTHER), "0 0 0 0 0 3");
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* A unit whose keys were deleted by receipt. */
static int close_unit(struct tx *tx, void *ctx, struct err *e)
{
    struct visit *w = ctx;
    struct act a = { .actor = "line", .fixture = "F1" };
    struct position p;
    const struct receipt_info r = { 0x72, 6, 1, 0, SPAN("receipt", 7) };

    if (unit_register(tx, "SN7", "main", &w->c.eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    return receipt_add(tx, &a, &r, e);
}

static int first_two(void *ctx, const struct eid *eid, struct err *e)
{
    unsigned *n = ctx;
    const struct eid want = ground_eid(7 + *n);

    (void)e;
    ck_assert(eid_eq(eid, &want));
    return ++*n == 2;
}

START_TEST(a_closed_unit_has_none)
{
    struct err e = ERR_INIT;
    struct visit w;
    struct ground g;
    unsigned n = 0;

    ground_open(&g);
    data_import(&g, 1, 8, 200, 2, SMDP);
    visit_of(&w, 7, 100, 2);
    good(db_write(g.db, note, &w, &e));
    visit_of(&w, 9, 300, 1);
    good(db_write(g.db, note, &w, &e));
    good(keys_euiccs(g.db, first_two, &n, &e));
    ck_assert_uint_eq(n, 2);
    visit_of(&w, 7, 100, 2);
    good(db_write(g.db, close_unit, &w, &e));
    ck_assert_str_eq(uses(&g, 7, SMDP), "2 0 0 0 0 0");
    struct ask a = { SMDP, 1, 100, 1, "" };
    bad(ask(&g, &a, &e), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(e.msg, "used meanwhile"));
    ck_assert_str_eq(uses(&g, 8, SMDP), "0 0 0 0 0 2");
    ground_close(&g);
}
END_TEST

/* A ledger that was at work before requests were. */
START_TEST(version_6_is_migrated)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    data_import(&g, 1, 7, 100, 2, SMDP);
    int64_t events = rows(&g, "event");
    ground_back_to(&g, 6);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    ck_assert_int_eq(ground_sql_int(&g, "PRAGMA user_version"), SCHEMA_VERSION);
    ck_assert_int_eq(rows(&g, "event"), events);
    ck_assert_str_eq(uses(&g, 7, SMDP), "0 0 0 0 2 0");
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "offered once", a_key_is_offered_once, 1 },
        { "as it was", a_request_stays_as_it_was, 1 },
        { "another's key", a_bundle_for_anothers_key_is_refused, 1 },
        { "cards", cards_tell_of_their_keys, 1 },
        { "one key", the_eum_and_the_card_tell_of_one_key, 1 },
        { "closed", a_closed_unit_has_none, 1 },
        { "version 6", version_6_is_migrated, 1 },
    };

    return run_tests("storage/keys", tests, sizeof tests / sizeof *tests);
}
