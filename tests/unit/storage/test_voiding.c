/* What will never be used: found, voided in batches, told, and only if it is
 * still in stock. */
#include "storage/voiding.h"
#include "tests/unit/storage/states_ground.h"

#include <stdio.h>
#include <string.h>

#define SECOND "Bob"

static int may(struct tx *tx, void *ctx, struct err *e)
{
    unsigned *left = ctx;

    (void)tx;
    return *left && (*left)--
         ? 0 : err_set(e, ERR_TRUST, "Bob was blocked meanwhile");
}

static int void_some(struct bench *b, const struct bpp_ids *ids, unsigned times,
                     size_t *voided, struct err *e)
{
    const struct act act = { .actor = ACTOR, .second = SECOND };
    const struct void_act a = { &act, "order withdrawn", may, &times };

    return void_all(b->g.db, ids, &a, voided, e);
}

static int reserve(struct tx *tx, void *ctx, struct err *e)
{
    struct bench *b = ctx;
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    const struct eid eid = ground_eid(2);

    return stock_reserve(tx, &eid, &b->act, &l, e);
}

START_TEST(by_txid)
{
    AUTO(bpp_ids_clear) struct bpp_ids ids = { NULL, 0 };
    const struct txid t = ground_txid(1), none = ground_txid(99);
    struct err e = ERR_INIT;
    struct bench b;
    size_t n = 99;

    bench_open(&b);
    char eid[EID_DIGITS + 1], txid[TXID_HEX + 1];
    const struct bpp_info was = ground_bpp(b.g.db, 1);
    const struct want want[] = {
        { "txid", txid_format(&t, txid) }, { "eid", eid_format(&was.eid, eid) },
        { "from", "in-stock" }, { "to", "voided" }, { "cause", "given-up" },
        { "second", SECOND }, { "reason", "order withdrawn" },
        { "serial", NULL }, { "fixture", NULL }, { "bf37-sha256", NULL },
    };
    bad(void_find(b.g.db, &(struct void_what){ .txid = &none }, &ids, &e),
        ERR_NOT_FOUND);
    good(void_find(b.g.db, &(struct void_what){ .txid = &t }, &ids, &e));
    ck_assert_uint_eq(ids.n, 1);
    ck_assert_int_eq(ids.v[0], was.id);
    ck_assert(!was.given_up);
    uint64_t before = newest(&b);
    good(void_some(&b, &ids, 9, &n, &e));
    ck_assert_uint_eq(n, 1);
    says(&b, before + 1, "bpp-moved", ACTOR, want, sizeof want / sizeof *want);
    const struct bpp_info now = ground_bpp(b.g.db, 1);
    ck_assert(now.given_up && now.state == BPP_VOIDED);
    ck_assert_int_eq(ground_sql_int(&b.g, "SELECT count(*) FROM evidence WHERE"
                                    " kind = 6 AND code = 'given-up' AND"
                                    " detail = 'order withdrawn'"), 1);
    /* Once is enough. */
    bad(void_find(b.g.db, &(struct void_what){ .txid = &t }, &ids, &e),
        ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(e.msg, "is voided"));
    good(void_some(&b, &ids, 9, &n, &e));
    ck_assert_uint_eq(n, 0);
    bench_close(&b);
}
END_TEST

START_TEST(by_eid_and_bundle)
{
    AUTO(bpp_ids_clear) struct bpp_ids ids = { NULL, 0 };
    struct err e = ERR_INIT;
    struct bench b;
    char id[37];
    size_t n;

    bench_open(&b);
    ground_head(1, id);
    const struct eid three = ground_eid(3), none = ground_eid(99);
    good(void_find(b.g.db, &(struct void_what){ .eid = &three }, &ids, &e));
    ck_assert_uint_eq(ids.n, 1);
    good(void_some(&b, &ids, 9, &n, &e));
    bad(void_find(b.g.db, &(struct void_what){ .eid = &three }, &ids, &e),
        ERR_NOT_FOUND);
    bad(void_find(b.g.db, &(struct void_what){ .eid = &none }, &ids, &e),
        ERR_NOT_FOUND);
    bad(void_find(b.g.db, &(struct void_what){ .bundle = "none" }, &ids, &e),
        ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(e.msg, "no bundle none"));
    good(void_find(b.g.db, &(struct void_what){ .bundle = id }, &ids, &e));
    ck_assert_uint_eq(ids.n, BENCH_BPPS - 1);
    /* A fixture takes one before it is done. */
    good(db_write(b.g.db, reserve, &b, &e));
    good(void_some(&b, &ids, 9, &n, &e));
    ck_assert_uint_eq(n, BENCH_BPPS - 2);
    ck_assert_int_eq(ground_bpp(b.g.db, 2).state, BPP_RESERVED);
    bench_close(&b);
}
END_TEST

/* More than one batch; in the second one somebody may not any more. */
START_TEST(in_batches)
{
    AUTO(bpp_ids_clear) struct bpp_ids ids = { NULL, 0 };
    struct err e = ERR_INIT;
    struct bench b;
    char id[37];
    size_t n;

    bench_open(&b);
    ground_bundle(&b.g, 2, 1000, VOID_BATCH + 5, 1);
    ground_head(2, id);
    good(void_find(b.g.db, &(struct void_what){ .bundle = id }, &ids, &e));
    ck_assert_uint_eq(ids.n, VOID_BATCH + 5);
    bad(void_some(&b, &ids, 0, &n, &e), ERR_TRUST);
    ck_assert_uint_eq(n, 0);
    bad(void_some(&b, &ids, 1, &n, &e), ERR_TRUST);
    ck_assert_uint_eq(n, VOID_BATCH);
    good(void_find(b.g.db, &(struct void_what){ .bundle = id }, &ids, &e));
    ck_assert_uint_eq(ids.n, 5);
    good(void_some(&b, &ids, 1, &n, &e));
    ck_assert_uint_eq(n, 5);
    bench_close(&b);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "by txid", by_txid, 1 },
        { "by EID and bundle", by_eid_and_bundle, 1 },
        { "in batches", in_batches, 1 },
    };

    return run_tests("storage/voiding", tests, sizeof tests / sizeof *tests);
}
