/* The software eUICC installs every package of ../shared/data/vectors, made by
 * an implementation that is not ours, and then holds the profile that went
 * into it, octet for octet. */
#include "tests/lab/saip/saip.h"
#include "tests/unit/lab_euicc/chip.h"
#include "tests/unit/lab_smdpf/vector.h"
#include "tests/unit/support.h"

#include <check.h>
#include <openssl/pem.h>
#include <string.h>

static void shared_cert(const char *name, struct buf *der)
{
    AUTO(buf_clear) struct buf pem = BUF_INIT;
    struct err e = ERR_INIT;

    ck_assert_msg(shared_read(name, &pem), "%s", name);
    BIO *in = BIO_new_mem_buf(pem.p, (int)pem.n);
    X509 *c = PEM_read_bio_X509(in, NULL, NULL, NULL);
    BIO_free(in);
    ck_assert(c != NULL);
    ck_assert(cert_put(c, der, &e) == 0);
    X509_free(c);
}

/* The whole of what was installed, and what the walk made of it. */
static void check_holds(struct desk *d, struct span upp)
{
    AUTO(buf_clear) struct buf held = BUF_INIT;
    struct saip_profile what;
    struct store *s = NULL;
    struct store_content content;
    struct err e = ERR_INIT;

    ck_assert_msg(saip_walk(upp, NULL, NULL, &what, &e) == 0, "%s", e.msg);
    ck_assert(store_open(d->path, &s, &e) == 0);
    ck_assert_int_eq(store_profile_upp(s, &what.iccid, &held, &e), 1);
    ck_assert_uint_eq(held.n, upp.n);
    ck_assert_mem_eq(held.p, upp.p, upp.n);
    ck_assert(store_profile_content(s, &what.iccid, &content, &e) == 0);
    ck_assert_uint_eq(content.elements, what.elements);
    ck_assert_uint_eq(content.files, what.files);
    ck_assert_uint_eq(content.naas, what.naas);
    ck_assert_uint_gt(content.naas, 0);
    store_close(s);
}

START_TEST(installs)
{
    AUTO(buf_clear) struct buf ci = BUF_INIT, dp = BUF_INIT, answer = BUF_INIT;
    struct vector v;
    struct desk d;
    unsigned result, command, reason;

    if (!vector_load(_i, &v))
        return;
    shared_cert("data/vectors/cert-ci.pem", &ci);
    shared_cert("data/vectors/cert-dppb.pem", &dp);
    desk_make(&d, &(struct desk_options){ .keys = 1,
                                          .eid = &v.eid,
                                          .txid = &v.txid,
                                          .otsk = v.euicc_otsk,
                                          .ci_root = buf_span(&ci) });
    ck_assert_mem_eq(d.key[0].otpk, v.euicc_otpk, sizeof v.euicc_otpk);
    desk_start(&d, NULL);
    desk_open_fpa(&d);
    ck_assert_uint_eq(desk_authorise(&d, &v.txid, buf_span(&dp), &result),
                      0x9000);
    ck_assert_uint_eq(result, 0);
    ck_assert_uint_eq(desk_load(&d, buf_span(&v.bpp), &answer), 0x9000);
    ck_assert_int_eq(desk_result(&d, buf_span(&answer), &v.txid, &command,
                                 &reason),
                     -1);
    ck_assert_uint_eq(desk_keys_left(&d), 0);
    check_holds(&d, buf_span(&v.upp));
    desk_clear(&d);
    vector_clear(&v);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab/euicc/vectors");
    TCase *t = tcase_create("vectors");

    tcase_add_loop_test(t, installs, 0, VECTORS);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
