#include "station/fpa/load.h"

#include <check.h>
#include <string.h>

#include "drivers/fault.h"
#include "tests/lab/puppet.h"
#include "tests/lab/puppet_words.h"
#include "tests/unit/fpa/stage.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))
#define ELEMENTS 3000 /* octets: three segments of profile elements */
#define CHAINS 8      /* BF23, A0, A1, 88, A3, three 86 */

enum word {
    NOTHING,
    INSTALLED,
    SIGNED_ERROR,
    OTHER_EUICC, /* a BF37 signed by another */
    OTHER_TXID,
    BROKEN_BF37,
    GARBAGE
};

/* A card that takes chains and, at one of them, says its word. */
struct actor {
    unsigned chains, at;
    enum word word;
    uint16_t sw;
    struct buf got; /* all that came */
};

static struct txid txid(void)
{
    return stage_txid(0x42);
}

static void say(enum word w, struct buf *data)
{
    struct puppet_result r = { .txid = txid(), .iccid = stage_iccid(1), .seq = 3 };

    r.installed = w != SIGNED_ERROR;
    r.command = 5;
    r.reason = 12;
    if (w == OTHER_TXID)
        r.txid = stage_txid(0x43);
    if (w == GARBAGE)
        buf_put_hex(data, "DEADBEEF");
    else if (w != NOTHING)
        ck_assert_int_eq(puppet_put_result(data, stage_key(w == OTHER_EUICC), &r, NULL), 0);
    if (w == BROKEN_BF37)
        data->n -= 1;
}

static uint16_t act(void *ctx, struct span chain, struct buf *data)
{
    struct actor *a = ctx;

    buf_put_span(&a->got, chain);
    if (++a->chains != a->at)
        return 0x9000;
    say(a->word, data);
    return a->sw ? a->sw : 0x9000;
}

struct scene {
    struct actor actor;
    struct fixture *f;
    struct fpa_card *card;
    struct buf octets;
    struct bpp bpp;
    struct load_job job;
    struct load_result result;
    struct err e;
};

static void open_scene(struct scene *s, unsigned at, enum word word, uint16_t sw,
                       bool by_get_response)
{
    const struct puppet_rules rules = { .answer = act, .ctx = &s->actor,
                                        .by_get_response = by_get_response };
    const struct txid t = txid();
    const struct iccid iccid = stage_iccid(1);

    *s = (struct scene){ .actor = { .at = at, .word = word, .sw = sw },
                         .result = LOAD_RESULT_INIT, .e = ERR_INIT };
    puppet_put_bpp(&s->octets, &t, &iccid, ELEMENTS);
    ck_assert_msg(bpp_parse(buf_span(&s->octets), &s->bpp, &s->e) == 0, "%s", s->e.msg);
    s->job.bpp = &s->bpp;
    s->job.euicc = stage_key(0);
    ck_assert_int_eq(puppet_new(&rules, &s->f, &s->e), 0);
}

static void insert_card(struct scene *s)
{
    ck_assert_msg(fpa_card_open(s->f, NULL, &s->card, &s->e) == 0, "%s", s->e.msg);
}

static void close_scene(struct scene *s)
{
    load_result_clear(&s->result);
    fpa_card_close(s->card);
    s->f->ops->close(s->f);
    buf_clear(&s->octets);
    buf_clear(&s->actor.got);
}

static const struct row {
    const char *name;
    unsigned at;
    enum word word;
    uint16_t sw;
    enum load_outcome want;
    enum err_code code;
    uint16_t want_sw;
} rows[] = {
    { "installed", CHAINS, INSTALLED, 0, LOAD_INSTALLED, ERR_NONE, 0 },
    { "signed error at once", 1, SIGNED_ERROR, 0, LOAD_FAILED, ERR_NONE, 0 },
    { "signed error on the way", 6, SIGNED_ERROR, 0, LOAD_FAILED, ERR_NONE, 0 },
    { "signed error at the end", CHAINS, SIGNED_ERROR, 0, LOAD_FAILED, ERR_NONE, 0 },
    { "no result", 0, NOTHING, 0, LOAD_REFUSED, ERR_CARD, 0 },
    { "6985 at once", 1, NOTHING, 0x6985, LOAD_REFUSED, ERR_CARD, 0x6985 },
    { "6F00 on the way", 7, NOTHING, 0x6F00, LOAD_REFUSED, ERR_CARD, 0x6F00 },
    { "6A88 at the end", CHAINS, NOTHING, 0x6A88, LOAD_REFUSED, ERR_CARD, 0x6A88 },
    { "another eUICC's result", CHAINS, OTHER_EUICC, 0, LOAD_INTERRUPTED, ERR_SIGNATURE, 0 },
    { "another transaction's", CHAINS, OTHER_TXID, 0, LOAD_INTERRUPTED, ERR_CONFLICT, 0 },
    { "half a result", CHAINS, BROKEN_BF37, 0, LOAD_INTERRUPTED, ERR_CARD, 0 },
    { "garbage", 4, GARBAGE, 0, LOAD_INTERRUPTED, ERR_CARD, 0 },
};

static void check_row(const struct row *r, bool by_get_response)
{
    struct scene s;

    open_scene(&s, r->at, r->word, r->sw, by_get_response);
    insert_card(&s);
    unsigned before = puppet_apdus(s.f);
    int rc = load_bpp(s.card, &s.job, &s.result, &s.e);
    ck_assert_msg(s.result.outcome == r->want && s.e.code == r->code,
                  "%s: %s: %s", r->name, load_outcome_name(s.result.outcome), s.e.msg);
    ck_assert_uint_eq(s.e.sw, r->want_sw);
    ck_assert((rc == 0) == (r->want == LOAD_INSTALLED || r->want == LOAD_FAILED));
    ck_assert(s.result.es8f_sent);
    ck_assert_uint_eq(s.result.apdus, puppet_apdus(s.f) - before);
    ck_assert_uint_eq(s.actor.chains, r->at ? r->at : CHAINS);
    if (rc == 0) {
        ck_assert_ptr_eq(s.result.ir.whole.p, s.result.bf37.p);
        ck_assert(s.result.ir.installed == (r->want == LOAD_INSTALLED));
        ck_assert_uint_eq(s.result.sw, 0x9000);
    } else {
        ck_assert_uint_eq(s.result.bf37.n, 0);
        ck_assert_ptr_null(s.result.ir.whole.p);
    }
    if (r->at == CHAINS && !by_get_response) /* not one APDU more than needed */
        ck_assert_uint_eq(s.result.apdus, bpp_apdu_count(&s.bpp));
    if (r->at == 0 || r->at == CHAINS) /* and every octet of it, in order */
        ck_assert(span_eq(buf_span(&s.actor.got), buf_span(&s.octets)));
    close_scene(&s);
}

START_TEST(outcome)
{
    check_row(&rows[_i], false);
    check_row(&rows[_i], true);
}
END_TEST

/* --- the durable point --------------------------------------------------- */

struct gate {
    struct scene *scene;
    unsigned calls, chains_before;
    bool refuse;
};

static int at_the_gate(void *ctx, struct err *e)
{
    struct gate *g = ctx;

    g->calls++;
    g->chains_before = g->scene->actor.chains;
    ck_assert_uint_eq(g->scene->actor.got.n, 0);
    return g->refuse ? err_set(e, ERR_FULL, "the disk is full") : 0;
}

START_TEST(commit_comes_first)
{
    struct scene s;
    struct gate g = { .scene = &s };

    open_scene(&s, CHAINS, INSTALLED, 0, false);
    insert_card(&s);
    s.job.before_first_octet = at_the_gate;
    s.job.ctx = &g;
    ck_assert_int_eq(load_bpp(s.card, &s.job, &s.result, &s.e), 0);
    ck_assert_uint_eq(g.calls, 1);
    ck_assert_uint_eq(g.chains_before, 0);
    close_scene(&s);
}
END_TEST

START_TEST(no_commit_nothing_sent)
{
    struct scene s;
    struct gate g = { .scene = &s, .refuse = true };

    open_scene(&s, CHAINS, INSTALLED, 0, false);
    insert_card(&s);
    unsigned before = puppet_apdus(s.f);
    s.job.before_first_octet = at_the_gate;
    s.job.ctx = &g;
    ck_assert_int_eq(load_bpp(s.card, &s.job, &s.result, &s.e), -1);
    ck_assert_int_eq(s.e.code, ERR_FULL);
    ck_assert_int_eq(s.result.outcome, LOAD_NOT_STARTED);
    ck_assert(!s.result.es8f_sent);
    ck_assert_uint_eq(puppet_apdus(s.f), before);
    close_scene(&s);
}
END_TEST

/* The card was lost between the authorisation and the load. */
START_TEST(dead_session_sends_nothing)
{
    const struct fault_plan plan = { FAULT_UNPLUG, 5, 1 }; /* after the opening */
    struct scene s;
    struct eid eid;

    open_scene(&s, CHAINS, INSTALLED, 0, false);
    ck_assert_int_eq(fault_wrap(s.f, &plan, &s.f, NULL), 0);
    insert_card(&s);
    ck_assert_int_eq(fpa_card_eid(s.card, &eid, &s.e), -1);
    ck_assert_int_eq(load_bpp(s.card, &s.job, &s.result, &s.e), -1);
    ck_assert_int_eq(s.e.code, ERR_NO_CARD);
    ck_assert_int_eq(s.result.outcome, LOAD_NOT_STARTED);
    ck_assert(!s.result.es8f_sent);
    close_scene(&s);
}
END_TEST

/* --- a fault at every call ----------------------------------------------- */

/* es8f_sent may be true though the card got nothing (the driver cannot tell),
 * never false when it got something; and no fault passes for a success. */
START_TEST(fault_at_every_call)
{
    enum fault_kind kind = (enum fault_kind)(_i / 2);
    unsigned n = 0;
    bool fired = true;

    while (fired) {
        const struct fault_plan plan = { kind, ++n, 77u * n };
        struct scene s;
        open_scene(&s, CHAINS, INSTALLED, 0, _i & 1);
        ck_assert_int_eq(fault_wrap(s.f, &plan, &s.f, NULL), 0);
        int rc = fpa_card_open(s.f, NULL, &s.card, &s.e);
        if (rc == 0) {
            rc = load_bpp(s.card, &s.job, &s.result, &s.e);
            ck_assert(s.result.es8f_sent); /* the first call was handed over */
            ck_assert((rc == 0) == (s.result.outcome == LOAD_INSTALLED));
        }
        fired = fault_fired(s.f);
        ck_assert(s.result.es8f_sent || s.actor.got.n == 0);
        /* A shortened ATR, or a channel opened at the second try, harms nothing. */
        ck_assert_msg((rc != 0) == fired || (rc == 0 && kind == FAULT_SHORTEN && n <= 4),
                      "call %u of kind %s", n, fault_kind_name(kind));
        if (rc != 0) {
            ck_assert(s.e.msg[0] != 0);
            ck_assert_int_ne(s.e.code, ERR_INTERNAL);
            ck_assert(s.result.outcome != LOAD_INSTALLED && s.result.outcome != LOAD_FAILED);
        }
        close_scene(&s);
        ck_assert_uint_lt(n, 100);
    }
    ck_assert_uint_gt(n, 4 + CHAINS);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fpa/load");
    TCase *t = tcase_create("load");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, outcome, 0, COUNT(rows));
    tcase_add_test(t, commit_comes_first);
    tcase_add_test(t, no_commit_nothing_sent);
    tcase_add_test(t, dead_session_sends_nothing);
    tcase_add_loop_test(t, fault_at_every_call, 0, 2 * FAULT_KINDS);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
