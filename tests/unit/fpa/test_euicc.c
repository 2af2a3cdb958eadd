/* The FPA against the software eUICC: a truly bound profile, real keys, the
 * chip's own gating and burning of keys. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "drivers/fault.h"
#include "station/fpa/doubt.h"
#include "station/fpa/load.h"
#include "station/ifpp/tags.h"
#include "tests/lab/euicc/server.h"
#include "tests/lab/euicc_fixture.h"
#include "tests/unit/drivers/lifecycle.h"
#include "tests/unit/lab_euicc/chip.h"

static void good(int rc, const struct err *e)
{
    ck_assert_msg(rc == 0, "%s: %s", err_name(e->code), e->msg);
}

static EVP_PKEY *public_key(const struct desk *d)
{
    return X509_get0_pubkey(d->euicc.cert);
}

static struct fixture *insert(const struct desk *d, const struct card_options *o)
{
    struct fixture *f;
    struct err e = ERR_INIT;

    good(euicc_fixture_new(d->path, o, &f, &e), &e);
    return f;
}

/* --- one session: status, authorise, load -------------------------------- */

struct visit {
    struct desk *d;
    unsigned key, profile; /* which of the chip's keys, whose ICCID */
    struct buf octets;
    struct bpp bpp;
    struct load_result result;
    struct err e;
};

static void visit_prepare(struct visit *v, struct desk *d, unsigned key,
                          unsigned profile)
{
    *v = (struct visit){ .d = d, .key = key, .profile = profile,
                         .result = LOAD_RESULT_INIT, .e = ERR_INIT };
    desk_bpp(d, key, profile, &v->octets);
    good(bpp_parse(buf_span(&v->octets), &v->bpp, &v->e), &v->e);
}

static int visit_load(struct visit *v, struct fpa_card *c)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct load_job job = { .bpp = &v->bpp, .euicc = public_key(v->d) };
    struct ifpp_status status;

    if (fpa_card_status(c, &raw, &status, &v->e) != 0)
        return -1;
    if (fpa_card_authorise(c, &v->bpp.txid, buf_span(&v->d->dp_chain), NULL,
                           &v->e) != 0)
        return -1;
    return load_bpp(c, &job, &v->result, &v->e);
}

static int visit_run(struct visit *v, struct fixture *f)
{
    AUTO(fpa_card_close_p) struct fpa_card *c = NULL;

    load_result_clear(&v->result);
    v->e = (struct err)ERR_INIT;
    if (fpa_card_open(f, NULL, &c, &v->e) != 0)
        return -1;
    return visit_load(v, c);
}

static void visit_clear(struct visit *v)
{
    load_result_clear(&v->result);
    buf_clear(&v->octets);
}

/* --- the recipe, once ---------------------------------------------------- */

static void drain_notifications(struct fpa_card *c, EVP_PKEY *euicc, size_t want)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct fpa_pending pending[8];
    struct notification n;
    struct err e = ERR_INIT;
    struct span list;
    struct tlv item;
    size_t count = 0, listed;

    good(fpa_card_list_notifications(c, pending, 8, &listed, &e), &e);
    good(fpa_card_notifications(c, NULL, &raw, &list, &e), &e);
    while (der_next(&list, &item) == DER_OK) {
        good(notification_parse(item.whole, &n, &e), &e);
        good(notification_verify(&n, euicc, &e), &e);
        ck_assert_uint_lt(count, listed);
        ck_assert_uint_eq(n.meta.seq, pending[count].seq);
        ck_assert_uint_eq(n.meta.op, pending[count].op);
        good(fpa_card_remove_notification(c, n.meta.seq, &e), &e);
        count++;
    }
    ck_assert_uint_eq(count, want);
    ck_assert_uint_eq(listed, want);
    good(fpa_card_notifications(c, NULL, &raw, &list, &e), &e);
    ck_assert_uint_eq(list.n, 0);
}

static void finish(struct fpa_card *c, const struct desk *d)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct err e = ERR_INIT;
    struct ifpp_status status;
    struct receipt r;

    /* While a key is left the chip will not close. */
    ck_assert_int_eq(fpa_card_close_services(c, public_key(d), &d->eid, &raw, &r, &e), -1);
    ck_assert_int_eq(e.code, ERR_CARD);
    ck_assert_ptr_nonnull(strstr(e.msg, "delete them first"));
    good(fpa_card_delete_keys(c, public_key(d), &d->eid, &raw, &r, &e), &e);
    ck_assert_uint_eq(r.deleted, 1);
    ck_assert_uint_eq(r.left, 0);
    good(fpa_card_delete_keys(c, public_key(d), &d->eid, &raw, &r, &e), &e); /* harmless */
    ck_assert_uint_eq(r.deleted, 0);
    good(fpa_card_close_services(c, public_key(d), &d->eid, &raw, &r, &e), &e);
    good(fpa_card_status(c, &raw, &status, &e), &e);
    ck_assert(status.closed);
    ck_assert_uint_eq(status.key_count, 0);
}

START_TEST(recipe)
{
    const struct desk_options options = { .keys = 2 };
    AUTO(fpa_card_close_p) struct fpa_card *c = NULL;
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    const struct iccid iccid = desk_iccid(1);
    struct euicc_info2 info;
    struct desk d;
    struct visit v;
    struct eid eid;
    struct err e = ERR_INIT;

    desk_make(&d, &options);
    visit_prepare(&v, &d, 0, 1);
    struct fixture *f = insert(&d, NULL);
    good(fpa_card_open(f, NULL, &c, &e), &e);
    good(fpa_card_eid(c, &eid, &e), &e);
    ck_assert(eid_eq(&eid, &d.eid));
    good(fpa_card_info2(c, &raw, &info, &e), &e);
    ck_assert_int_eq(info.kind, INFO2_CONSUMER);
    AUTO(buf_clear) struct buf own = BUF_INIT;
    AUTO(buf_clear) struct buf eum = BUF_INIT;
    AUTO(cert_stack_free) STACK_OF(X509) *cert = NULL;
    struct eid certified;
    good(fpa_card_certs(c, &own, &eum, &e), &e);
    good(cert_chain_decode(buf_span(&own), &cert, &e), &e);
    good(cert_eid(sk_X509_value(cert, 0), &certified, &e), &e);
    ck_assert(eid_eq(&certified, &d.eid));

    ck_assert_msg(visit_load(&v, c) == 0, "%s", v.e.msg);
    ck_assert_int_eq(v.result.outcome, LOAD_INSTALLED);
    ck_assert(v.result.ir.installed);
    good(fpa_card_act(c, FPA_ENABLE, &iccid, &e), &e);
    drain_notifications(c, public_key(&d), 2); /* install, enable */
    finish(c, &d);

    visit_clear(&v);
    fpa_card_close(c);
    c = NULL;
    f->ops->close(f);
    desk_clear(&d);
}
END_TEST

/* --- gating, as the operator hears of it --------------------------------- */

START_TEST(load_without_status_is_refused)
{
    const struct desk_options options = { .keys = 1 };
    AUTO(fpa_card_close_p) struct fpa_card *c = NULL;
    struct load_job job;
    struct desk d;
    struct visit v;

    desk_make(&d, &options);
    visit_prepare(&v, &d, 0, 1);
    struct fixture *f = insert(&d, NULL);
    good(fpa_card_open(f, NULL, &c, &v.e), &v.e);
    job = (struct load_job){ .bpp = &v.bpp, .euicc = public_key(&d) };
    ck_assert_int_eq(load_bpp(c, &job, &v.result, &v.e), -1);
    ck_assert_int_eq(v.result.outcome, LOAD_REFUSED);
    ck_assert_uint_eq(v.e.sw, 0x6985);
    ck_assert(v.result.es8f_sent);
    /* and it has cost nothing: the same BPP goes in afterwards */
    v.e = (struct err)ERR_INIT;
    ck_assert_msg(visit_load(&v, c) == 0, "%s", v.e.msg);
    ck_assert_int_eq(v.result.outcome, LOAD_INSTALLED);
    visit_clear(&v);
    fpa_card_close(c);
    c = NULL;
    f->ops->close(f);
    desk_clear(&d);
}
END_TEST

START_TEST(same_iccid_twice_is_a_signed_failure)
{
    const struct desk_options options = { .keys = 2 };
    struct desk d;
    struct visit v;

    desk_make(&d, &options);
    struct fixture *f = insert(&d, NULL);
    for (unsigned key = 0; key < 2; key++) {
        visit_prepare(&v, &d, key, 1);
        ck_assert_msg(visit_run(&v, f) == 0, "%s", v.e.msg);
        ck_assert_int_eq(v.result.outcome, key ? LOAD_FAILED : LOAD_INSTALLED);
        if (key)
            ck_assert_uint_eq(v.result.ir.reason, 9); /* ICCID already exists */
        visit_clear(&v);
    }
    f->ops->close(f);
    desk_clear(&d);
}
END_TEST

/* --- interrupted anywhere, decided by the card --------------------------- */

static const struct mischief {
    const char *name;
    bool by_driver;
    enum fault_kind driver;
    enum card_fault card;
} mischiefs[] = {
    { "driver fails", true, FAULT_FAIL, CARD_FAULT_NONE },
    { "answer shortened", true, FAULT_SHORTEN, CARD_FAULT_NONE },
    { "unplugged", true, FAULT_UNPLUG, CARD_FAULT_NONE },
    { "driver silent", true, FAULT_SILENCE, CARD_FAULT_NONE },
    { "6F00", false, FAULT_FAIL, CARD_FAULT_SW },
    { "card mute", false, FAULT_FAIL, CARD_FAULT_MUTE },
    { "garbage", false, FAULT_FAIL, CARD_FAULT_GARBAGE },
    { "endless 61", false, FAULT_FAIL, CARD_FAULT_ENDLESS61 },
    { "cut after", false, FAULT_FAIL, CARD_FAULT_CUT },
    { "cut before", false, FAULT_FAIL, CARD_FAULT_CUT_BEFORE },
};

static struct fixture *spoilt(const struct desk *d, const struct mischief *m,
                              unsigned n)
{
    const struct card_options options = { .fault_at = n, .fault = m->card };
    const struct fault_plan plan = { m->driver, n, 31u * n };
    struct fixture *f = insert(d, m->by_driver ? NULL : &options);

    if (m->by_driver)
        ck_assert_int_eq(fault_wrap(f, &plan, &f, NULL), 0);
    return f;
}

static enum doubt_verdict ask_the_card(struct visit *v, bool ours)
{
    AUTO(fpa_card_close_p) struct fpa_card *c = NULL;
    const struct iccid iccid = desk_iccid(v->profile);
    struct fixture *f = insert(v->d, NULL);
    struct doubt_records r;
    struct doubt_inputs in;
    struct err e = ERR_INIT;
    struct span bf37;

    good(fpa_card_open(f, NULL, &c, &e), &e);
    good(doubt_read(c, &r, &e), &e);
    good(doubt_facts(&r, &v->bpp.txid, &iccid, public_key(v->d), ours, &in, &bf37, &e), &e);
    enum doubt_verdict verdict = doubt_decide(&in);
    ck_assert((bf37.n > 0) == (verdict == DOUBT_INSTALLED || verdict == DOUBT_FAILED));
    doubt_records_clear(&r);
    fpa_card_close(c);
    c = NULL;
    f->ops->close(f);
    return verdict;
}

/* Spoil call N; whatever was seen of it, the card's records say either that
 * the profile is in (with the proof) or that nothing happened, and then the
 * same BPP goes in. No key is ever lost. True: the fault came before the end. */
static bool interrupt(struct desk *d, const struct mischief *m, unsigned n,
                      unsigned key)
{
    struct visit v;

    visit_prepare(&v, d, key, key + 1);
    struct fixture *f = spoilt(d, m, n);
    int rc = visit_run(&v, f);
    bool went_wrong = rc != 0;
    bool fired = m->by_driver ? fault_fired(f) : euicc_fixture_apdus(f) >= n;
    f->ops->close(f);
    ck_assert_msg(!went_wrong || fired, "%s at %u: %s", m->name, n, v.e.msg);

    enum doubt_verdict verdict = ask_the_card(&v, v.result.es8f_sent);
    if (!went_wrong)
        ck_assert_int_eq(verdict, DOUBT_INSTALLED);
    ck_assert_msg(verdict == DOUBT_INSTALLED || verdict == DOUBT_BACK_IN_STOCK,
                  "%s at %u (%s): %s", m->name, n,
                  load_outcome_name(v.result.outcome), doubt_verdict_name(verdict));
    if (verdict == DOUBT_BACK_IN_STOCK) {
        struct fixture *again = insert(d, NULL);
        ck_assert_msg(visit_run(&v, again) == 0, "%s at %u, again: %s", m->name, n, v.e.msg);
        again->ops->close(again);
        ck_assert_int_eq(v.result.outcome, LOAD_INSTALLED);
    }
    visit_clear(&v);
    return fired;
}

START_TEST(interrupted_at_every_call)
{
    const struct desk_options options = { .keys = DESK_KEYS };
    const struct mischief *m = &mischiefs[_i];
    struct desk d;
    bool fired = true;
    unsigned n = 0;

    while (fired) {
        unsigned key = n % DESK_KEYS;
        if (key == 0) {
            if (n > 0)
                desk_clear(&d);
            desk_make(&d, &options);
        }
        fired = interrupt(&d, m, ++n, key);
        ck_assert_uint_lt(n, 1000);
    }
    ck_assert_uint_gt(n, 15); /* opening, status, authorisation, chains */
    desk_clear(&d);
}
END_TEST

/* --- the same through a socket ------------------------------------------- */

struct slot {
    const struct desk *d;
    char socket[128];
    struct server *server;
};

static void plug(void *ctx)
{
    struct slot *s = ctx;
    struct err e = ERR_INIT;

    good(server_new(&s->server, &e), &e);
    good(server_listen(s->server, s->d->path, s->socket, NULL, &e), &e);
}

static void unplug(void *ctx)
{
    struct slot *s = ctx;

    server_free(s->server);
    s->server = NULL;
}

START_TEST(bench_driver_leads_its_life_with_a_software_euicc)
{
    const struct desk_options options = { .keys = 1 };
    struct slot slot;
    struct desk d;
    struct lifecycle l = { &fixture_bench, NULL, slot.socket, "", unplug, plug, &slot,
                           ERR_NO_CARD };

    desk_make(&d, &options);
    slot = (struct slot){ .d = &d };
    snprintf(slot.socket, sizeof slot.socket, "%s/F1", d.dir);
    plug(&slot);
    lifecycle_run(&l);
    unplug(&slot);
    desk_clear(&d);
}
END_TEST

START_TEST(load_through_the_bench_driver)
{
    const struct desk_options options = { .keys = 1 };
    struct slot slot;
    struct fixture *f;
    struct desk d;
    struct visit v;

    desk_make(&d, &options);
    slot = (struct slot){ .d = &d };
    snprintf(slot.socket, sizeof slot.socket, "%s/F1", d.dir);
    plug(&slot);
    visit_prepare(&v, &d, 0, 1);
    good(fixture_bench.open(NULL, slot.socket, &f, &v.e), &v.e);
    ck_assert_msg(visit_run(&v, f) == 0, "%s", v.e.msg);
    ck_assert_int_eq(v.result.outcome, LOAD_INSTALLED);
    f->ops->close(f);
    unplug(&slot);
    ck_assert_int_eq(ask_the_card(&v, true), DOUBT_INSTALLED);
    visit_clear(&v);
    desk_clear(&d);
}
END_TEST

START_TEST(damaged_card)
{
    const struct desk_options options = { .keys = 1 };
    const struct card_options broken = { .damaged = true };
    AUTO(fpa_card_close_p) struct fpa_card *c = NULL;
    struct desk d;
    struct err e = ERR_INIT;

    desk_make(&d, &options);
    struct fixture *f = insert(&d, &broken);
    ck_assert_int_eq(fpa_card_open(f, NULL, &c, &e), -1);
    ck_assert_msg(e.code == ERR_CARD || e.code == ERR_NO_CARD, "%s", e.msg);
    f->ops->close(f);
    desk_clear(&d);
}
END_TEST

START_TEST(no_chip_is_no_card)
{
    AUTO(fpa_card_close_p) struct fpa_card *c = NULL;
    struct fixture *f;
    struct err e = ERR_INIT;

    good(euicc_fixture_new("/nonexistent/chip.db", NULL, &f, &e), &e);
    ck_assert_int_eq(fpa_card_open(f, NULL, &c, &e), -1);
    ck_assert_int_eq(e.code, ERR_NO_CARD);
    f->ops->close(f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fpa/euicc");
    TCase *t = tcase_create("euicc");

    tcase_set_timeout(t, 120);
    tcase_add_test(t, recipe);
    tcase_add_test(t, load_without_status_is_refused);
    tcase_add_test(t, same_iccid_twice_is_a_signed_failure);
    tcase_add_loop_test(t, interrupted_at_every_call, 0,
                        (int)(sizeof mischiefs / sizeof *mischiefs));
    tcase_add_test(t, bench_driver_leads_its_life_with_a_software_euicc);
    tcase_add_test(t, load_through_the_bench_driver);
    tcase_add_test(t, damaged_card);
    tcase_add_test(t, no_chip_is_no_card);
    suite_add_tcase(suite, t);
    SRunner *r = srunner_create(suite);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
