/* The SM-DPf makes the packages of ../shared/data/vectors octet for octet,
 * given the same keys and random input; smdpSign is compared by verification. */
#include "station/ifpp/cert.h"
#include "station/ifpp/tags.h"
#include "tests/lab/pki/keys.h"
#include "tests/lab/smdpf/bind.h"
#include "tests/unit/lab_smdpf/vector.h"
#include "tests/unit/support.h"

#include <check.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static EVP_PKEY *vector_dppb(void)
{
    AUTO(buf_clear) struct buf pem = BUF_INIT;

    ck_assert(shared_read("data/vectors/key-dppb.pem", &pem));
    BIO *b = BIO_new_mem_buf(pem.p, (int)pem.n);
    EVP_PKEY *k = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
    BIO_free(b);
    ck_assert(k != NULL);
    return k;
}

/* Where smdpSign lies: BF36, BF23, its last 64 octets. */
static struct span sign_of(struct span bpp, struct span *signed_part)
{
    struct tlv whole, isc, m;

    ck_assert(der_take(&bpp, TAG_BPP, &whole) == 0 && bpp.n == 0);
    ck_assert(der_take(&whole.value, TAG_INIT_SECURE_CHANNEL, &isc) == 0);
    struct span in = isc.value;
    const uint8_t *start = in.p;
    for (int i = 0; i < 4; i++)
        ck_assert(der_next(&in, &m) == DER_OK);
    *signed_part = SPAN(start, (size_t)(in.p - start));
    ck_assert(der_take(&in, TAG_SIGNATURE, &m) == 0 && in.n == 0);
    return m.value;
}

static bool sign_holds(EVP_PKEY *k, struct span members, const uint8_t otpk[65],
                       struct span raw)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;
    BIGNUM *r = BN_bin2bn(raw.p, 32, NULL), *s = BN_bin2bn(raw.p + 32, 32, NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    unsigned char *der = NULL;

    buf_put_span(&all, members);
    der_put(&all, TAG_OTPK, SPAN(otpk, 65));
    ck_assert(raw.n == 64 && ECDSA_SIG_set0(sig, r, s) == 1);
    int n = i2d_ECDSA_SIG(sig, &der);
    bool ok = EVP_DigestVerifyInit(c, NULL, EVP_sha256(), NULL, k) == 1 &&
              EVP_DigestVerify(c, der, (size_t)n, all.p, all.n) == 1;
    OPENSSL_free(der);
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(c);
    return ok;
}

static void vector_metadata(int i, struct buf *out)
{
    char name[32];
    struct profile_metadata m = {
        .provider = "Test MSP",
        .name = name,
        .profile_class = 2,
        .notify = 0x10,
        .notify_fqdn = "smdpf.example.com",
    };

    ck_assert(iccid_parse("89000123456789012341", &m.iccid) == 0);
    snprintf(name, sizeof name, "Vector %d", i + 1);
    profile_metadata_put(out, &m);
}

START_TEST(makes_the_vector)
{
    struct vector v;
    struct binder *b;
    AUTO(buf_clear) struct buf configure = BUF_INIT;
    AUTO(buf_clear) struct buf metadata = BUF_INIT;
    AUTO(buf_clear) struct buf bpp = BUF_INIT;
    struct err e = ERR_INIT;

    if (!vector_load(_i, &v))
        return;
    EVP_PKEY *dppb = vector_dppb();
    configure_isdp_put(&configure);
    vector_metadata(_i, &metadata);
    struct bind_input in = {
        .eid = v.eid,
        .txid = v.txid,
        .host_id = SPAN(v.host_id, v.host_id_len),
        .otpk_euicc = SPAN_ARRAY(v.euicc_otpk),
        .otsk_dp = v.dp_otsk,
        .configure = buf_span(&configure),
        .metadata = buf_span(&metadata),
        .ppk = v.has_ppk ? &v.ppk : NULL,
        .upp = buf_span(&v.upp),
    };
    ck_assert(binder_new(dppb, &b, &e) == 0);
    ck_assert_msg(smdpf_bind(b, &in, &bpp, &e) == 0, "%s", e.msg);
    binder_free(b);

    struct span ours_signed, theirs_signed;
    struct span ours = sign_of(buf_span(&bpp), &ours_signed);
    struct span theirs = sign_of(buf_span(&v.bpp), &theirs_signed);
    ck_assert(sign_holds(dppb, ours_signed, v.euicc_otpk, ours));
    ck_assert(sign_holds(dppb, theirs_signed, v.euicc_otpk, theirs));
    ck_assert_msg(!sign_holds(dppb, ours_signed, v.dp_otpk, ours),
                  "smdpSign covers the eUICC's one-time key");
    memcpy(bpp.p + (ours.p - bpp.p), theirs.p, theirs.n);
    for (size_t k = 0; k < bpp.n && k < v.bpp.n; k++)
        ck_assert_msg(bpp.p[k] == v.bpp.p[k], "octet %zu: %02x, not %02x", k,
                      bpp.p[k], v.bpp.p[k]);
    ck_assert_uint_eq(bpp.n, v.bpp.n);
    EVP_PKEY_free(dppb);
    vector_clear(&v);
}
END_TEST

/* Whatever the sizes, no segment is over 1020 octets, and a binder can be
 * used again at once. */
START_TEST(segments_within_bound)
{
    static const size_t sizes[] = { 1, 1006, 1007, 1008, 2014, 2015, 60000 };
    struct binder *b;
    AUTO(buf_clear) struct buf configure = BUF_INIT;
    AUTO(buf_clear) struct buf upp = BUF_INIT;
    struct bsp_keys ppk = { { 1 }, { 2 }, { 3 } };
    struct err e = ERR_INIT;
    EVP_PKEY *dppb = EVP_EC_gen("P-256"), *dp = EVP_EC_gen("P-256");
    uint8_t otpk[65];

    ck_assert(ec_point(dppb, otpk, &e) == 0); /* any point will do */
    ck_assert(binder_new(dppb, &b, &e) == 0);
    configure_isdp_put(&configure);
    for (size_t i = 0; i < 60000; i++)
        buf_put_u8(&upp, (uint8_t)i);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        AUTO(buf_clear) struct buf bpp = BUF_INIT;
        struct bind_input in = {
            .host_id = SPAN_STR("host"),
            .otpk_euicc = SPAN_ARRAY(otpk),
            .otsk_dp = dp,
            .configure = buf_span(&configure),
            .metadata = SPAN(upp.p, sizes[i] < 3000 ? sizes[i] : 3000),
            .ppk = &ppk,
            .upp = SPAN(upp.p, sizes[i]),
        };
        ck_assert_msg(smdpf_bind(b, &in, &bpp, &e) == 0, "%s", e.msg);
        struct span all = buf_span(&bpp);
        struct tlv whole, group, seg;
        ck_assert(der_take(&all, TAG_BPP, &whole) == 0 && all.n == 0);
        size_t segments = 0;
        ck_assert(der_next(&whole.value, &group) == DER_OK); /* BF23 */
        while (der_next(&whole.value, &group) == DER_OK)
            for (struct span s = group.value; s.n; segments++) {
                ck_assert(der_next(&s, &seg) == DER_OK);
                ck_assert_uint_le(seg.whole.n, BPP_SEGMENT_MAX);
            }
        ck_assert_uint_eq(segments, 2 + (in.metadata.n + 1007) / 1008 +
                                        (in.upp.n + 1006) / 1007);
    }
    binder_free(b);
    EVP_PKEY_free(dppb);
    EVP_PKEY_free(dp);
}
END_TEST

static const struct {
    const char *name;
    size_t host, otpk, upp;
    enum err_code want;
} bad[] = {
    { "no hostId", 0, 65, 10, ERR_USAGE },
    { "hostId of 33", 33, 65, 10, ERR_USAGE },
    { "otPK of 64", 8, 64, 10, ERR_USAGE },
    { "no profile", 8, 65, 0, ERR_USAGE },
    { "otPK off the curve", 8, 65, 10, ERR_FORMAT },
};

START_TEST(too_long)
{
    struct binder *b;
    AUTO(buf_clear) struct buf bpp = BUF_INIT;
    struct err e = ERR_INIT;
    EVP_PKEY *k = EVP_EC_gen("P-256");
    uint8_t otpk[65], *upp = calloc(1, BPP_MAX);

    ck_assert(upp != NULL && ec_point(k, otpk, &e) == 0);
    ck_assert(binder_new(k, &b, &e) == 0);
    struct bind_input in = {
        .host_id = SPAN_STR("host"),
        .otpk_euicc = SPAN_ARRAY(otpk),
        .otsk_dp = k,
        .upp = SPAN(upp, BPP_MAX),
    };
    ck_assert(smdpf_bind(b, &in, &bpp, &e) != 0);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    binder_free(b);
    free(upp);
    EVP_PKEY_free(k);
}
END_TEST

START_TEST(bad_input)
{
    struct binder *b;
    AUTO(buf_clear) struct buf bpp = BUF_INIT;
    AUTO(buf_clear) struct buf zero = BUF_INIT;
    struct err e = ERR_INIT;
    EVP_PKEY *k = EVP_EC_gen("P-256");

    ck_assert(buf_reserve(&zero, 65) != NULL);
    memset(zero.p, 0, 65);
    ck_assert(binder_new(k, &b, &e) == 0);
    struct bind_input in = {
        .host_id = SPAN(zero.p, bad[_i].host),
        .otpk_euicc = SPAN(zero.p, bad[_i].otpk),
        .otsk_dp = k,
        .upp = SPAN(zero.p, bad[_i].upp),
    };
    ck_assert_msg(smdpf_bind(b, &in, &bpp, &e) != 0, "%s", bad[_i].name);
    ck_assert_msg(e.code == bad[_i].want, "%s: %s", bad[_i].name, e.msg);
    binder_free(b);
    EVP_PKEY_free(k);
}
END_TEST

/* What ec_pkcs8 writes by hand, OpenSSL reads back as the same key. */
START_TEST(pkcs8_by_hand)
{
    static const char *const names[] = { "p256", "brainpool" };
    struct ec_maker *m;
    struct err e = ERR_INIT;

    ck_assert(ec_maker_new(ec_curve_parse(names[_i]), &m, &e) == 0);
    for (int i = 0; i < 20; i++) {
        AUTO(buf_clear) struct buf der = BUF_INIT;
        EVP_PKEY *k = ec_make(m, &e);
        ck_assert(k != NULL && ec_pkcs8(k, &der, &e) == 0);
        const uint8_t *p = der.p;
        EVP_PKEY *back = d2i_AutoPrivateKey(NULL, &p, (long)der.n);
        ck_assert(back != NULL && p == der.p + der.n);
        ck_assert_int_eq(EVP_PKEY_eq(k, back), 1);
        PKCS8_PRIV_KEY_INFO *i8 = EVP_PKEY2PKCS8(k);
        unsigned char *theirs = NULL;
        int n = i2d_PKCS8_PRIV_KEY_INFO(i8, &theirs);
        ck_assert(span_eq(buf_span(&der), SPAN(theirs, (size_t)n)));
        OPENSSL_free(theirs);
        PKCS8_PRIV_KEY_INFO_free(i8);
        EVP_PKEY_free(back);
        EVP_PKEY_free(k);
    }
    ec_maker_free_p(&m);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab_smdpf/bind");
    TCase *t = tcase_create("bind");

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, makes_the_vector, 0, VECTORS);
    tcase_add_test(t, segments_within_bound);
    tcase_add_test(t, too_long);
    tcase_add_loop_test(t, bad_input, 0, sizeof bad / sizeof *bad);
    tcase_add_loop_test(t, pkcs8_by_hand, 0, 2);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
