/* The proof of a manifest.cms: every kind holds, every changed octet is seen,
 * every wrong signer is refused, and OpenSSL's own command agrees. */
#include "scene.h"

#include "station/ifpp/event.h"
#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"
#include "tests/lab/pki/issue.h"

#include <check.h>
#include <ctype.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct scene w;

static void setup(void)
{
    scene_make(&w);
}

static void teardown(void)
{
    scene_clear(&w);
}

static struct buf sealed(enum container_kind k)
{
    AUTO(manifest_clear) struct manifest m;
    struct buf cms = BUF_INIT;

    free(scene_container(&w, k, 0, &m, &cms));
    return cms;
}

static int verify(struct span cms, struct err *e)
{
    struct container_trust t = scene_trust(&w);
    struct manifest m;

    int rc = manifest_verify(cms, &t, &m, NULL, e);
    if (rc == 0)
        manifest_clear(&m);
    return rc;
}

START_TEST(every_kind_holds)
{
    AUTO(buf_clear) struct buf cms = sealed((enum container_kind)_i);
    struct container_trust t = scene_trust(&w);
    struct manifest m;
    struct err e = ERR_INIT;
    X509 *signer = NULL;

    t.at = time(NULL);
    ck_assert_msg(manifest_verify(buf_span(&cms), &t, &m, &signer, &e) == 0,
                  "%s: %s", kind_name((enum container_kind)_i), e.msg);
    ck_assert_int_eq(m.kind, _i);
    ck_assert_ptr_nonnull(signer);
    X509_free(signer);
    manifest_clear(&m);
}
END_TEST

/* Every octet, changed by one bit: all eight in turn for the smallest kind
 * and with SWEEP=full; else one, and in letters the one that lower and upper
 * case differ in, since libraries compare names without case. The sanitizers
 * make this slow, so there the smallest kind is no exception. */
static void sweep(struct buf *cms, bool all, const char *what)
{
#ifdef __SANITIZE_ADDRESS__
    const bool thin = true;
#else
    const bool thin = false;
#endif

    const char *mode = getenv("SWEEP");
    all = (all && !thin) || (mode && strcmp(mode, "full") == 0);
    for (size_t at = 0; at < cms->n; at++)
        for (unsigned bit = 0; bit < 8; bit++) {
            if (!all && bit != (isalpha(cms->p[at]) ? 5 : at % 8))
                continue;
            cms->p[at] ^= (uint8_t)(1u << bit);
            ck_assert_msg(verify(buf_span(cms), NULL) == -1,
                          "%s: octet %zu of %zu, bit %u changed unseen",
                          what, at, cms->n, bit);
            cms->p[at] ^= (uint8_t)(1u << bit);
        }
    ck_assert_int_eq(verify(buf_span(cms), NULL), 0);
}

START_TEST(every_changed_octet_is_refused)
{
    AUTO(buf_clear) struct buf cms = sealed((enum container_kind)_i);
    struct err e = ERR_INIT;

    ck_assert_msg(verify(buf_span(&cms), &e) == 0, "%s", e.msg);
    sweep(&cms, _i == KIND_AUDIT_LOG, kind_name((enum container_kind)_i));
}
END_TEST

START_TEST(cut_or_longer_is_refused)
{
    AUTO(buf_clear) struct buf cms = sealed(KIND_AUDIT_LOG);

    for (size_t n = 0; n < cms.n; n++)
        ck_assert_int_eq(verify(SPAN(cms.p, n), NULL), -1);
    buf_put_u8(&cms, 0);
    ck_assert_int_eq(verify(buf_span(&cms), NULL), -1);
}
END_TEST

/* --- as others would sign ----------------------------------------------------- */

static struct buf encoded(const struct manifest *m)
{
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    ck_assert_msg(manifest_encode(m, &b, &e) == 0, "%s", e.msg);
    return b;
}

/* CMS over a bpp-bundle manifest, with whatever is asked. */
struct make {
    const struct holder *by;
    const struct holder *with[3];
    unsigned flags;
    const EVP_MD *md;
    const struct holder *second;
    bool unsigned_attribute, crl, detached;
};

static struct buf cms_of(struct span content, const struct make *k)
{
    unsigned flags = CMS_PARTIAL | CMS_BINARY | k->flags;
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL,
                                    flags | (k->detached ? CMS_DETACHED : 0));
    struct buf out = BUF_INIT;
    unsigned char *p = NULL;

    CMS_SignerInfo *si = CMS_add1_signer(cms, k->by->cert, k->by->key,
                                         k->md ? k->md : EVP_sha256(), flags);
    ck_assert_ptr_nonnull(si);
    if (k->second)
        ck_assert_ptr_nonnull(CMS_add1_signer(cms, k->second->cert,
                                              k->second->key, EVP_sha256(), flags));
    for (int i = 0; i < 3 && k->with[i]; i++)
        ck_assert_int_eq(CMS_add1_cert(cms, k->with[i]->cert), 1);
    if (k->crl) {
        X509_CRL *crl = X509_CRL_new();
        X509_CRL_set_version(crl, 1);
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(w.ci.cert));
        ASN1_TIME *now = X509_gmtime_adj(NULL, 0);
        X509_CRL_set1_lastUpdate(crl, now);
        ASN1_TIME_free(now);
        ck_assert_int_gt(X509_CRL_sign(crl, w.ci.key, EVP_sha256()), 0);
        ck_assert_int_eq(CMS_add0_crl(cms, crl), 1);
    }
    BIO *in = BIO_new_mem_buf(content.p, (int)content.n);
    ck_assert_int_eq(CMS_final(cms, in, NULL, CMS_BINARY), 1);
    BIO_free(in);
    if (k->unsigned_attribute)
        ck_assert_int_eq(CMS_unsigned_add1_attr_by_NID(
            si, NID_pkcs9_unstructuredName, V_ASN1_UTF8STRING, "x", 1), 1);
    int n = i2d_CMS_ContentInfo(cms, &p);
    ck_assert_int_gt(n, 0);
    buf_put(&out, p, (size_t)n);
    OPENSSL_free(p);
    CMS_ContentInfo_free(cms);
    return out;
}

/* `openssl cms -sign` by default: signed attributes with sMIMECapabilities;
 * and with -keyid. Both are accepted. */
START_TEST(other_tools_may_sign)
{
    static const unsigned flags[] = { 0, CMS_USE_KEYID, CMS_NOSMIMECAP };
    AUTO(buf_clear) struct buf seen = sealed(KIND_BPP_BUNDLE);
    AUTO(manifest_clear) struct manifest m;
    struct err e = ERR_INIT;

    ck_assert_int_eq(manifest_peek(buf_span(&seen), &m, &e), 0);
    AUTO(buf_clear) struct buf content = encoded(&m);
    AUTO(buf_clear) struct buf cms = cms_of(
        buf_span(&content), &(struct make){ .by = &w.dpauth,
                                            .flags = flags[_i] });
    ck_assert_msg(verify(buf_span(&cms), &e) == 0, "%s", e.msg);
    if (flags[_i] & CMS_USE_KEYID)
        sweep(&cms, false, "by key id");
}
END_TEST

static struct holder other; /* a DPauth of another SM-DPf */

static const struct refusal {
    const char *name;
    struct make make;
    enum err_code code;
} refusals[] = {
    { "signed by the binding certificate", { .by = &w.dppb }, ERR_TRUST },
    { "signed by a station",
      { .by = &w.station }, ERR_TRUST },
    { "signed by the EUM's data signer",
      { .by = &w.euicc_data, .with = { &w.eum } }, ERR_TRUST },
    { "signed by an eUICC",
      { .by = &w.euicc, .with = { &w.eum } }, ERR_TRUST },
    { "signed by a self-signed certificate", { .by = &w.own }, ERR_TRUST },
    { "signed by another SM-DPf", { .by = &other }, ERR_TRUST },
    { "with the root", { .by = &w.dpauth, .with = { &w.ci } }, ERR_TRUST },
    { "with a stranger's certificate",
      { .by = &w.dpauth, .with = { &w.station } }, ERR_TRUST },
    { "with a second certificate of the same CA",
      { .by = &w.dpauth, .with = { &w.dppb } }, ERR_TRUST },
    { "without the signer's certificate",
      { .by = &w.dpauth, .with = { &w.dppb }, .flags = CMS_NOCERTS },
      ERR_TRUST },
    { "without certificates", { .by = &w.dpauth, .flags = CMS_NOCERTS },
      ERR_FORMAT },
    { "two signers", { .by = &w.dpauth, .second = &w.dppb }, ERR_FORMAT },
    { "SHA-1", { .by = &w.dpauth, .md = NULL }, ERR_FORMAT },
    { "SHA-384", { .by = &w.dpauth, .md = NULL }, ERR_FORMAT },
    { "no signed attributes", { .by = &w.dpauth, .flags = CMS_NOATTR },
      ERR_FORMAT },
    { "an unsigned attribute", { .by = &w.dpauth, .unsigned_attribute = true },
      ERR_FORMAT },
    { "a CRL", { .by = &w.dpauth, .crl = true }, ERR_FORMAT },
    { "detached", { .by = &w.dpauth, .detached = true }, ERR_FORMAT },
};

START_TEST(is_refused)
{
    AUTO(buf_clear) struct buf seen = sealed(KIND_BPP_BUNDLE);
    AUTO(manifest_clear) struct manifest m;
    struct make make = refusals[_i].make;
    struct err e = ERR_INIT;

    if (strcmp(refusals[_i].name, "SHA-1") == 0)
        make.md = EVP_sha1();
    if (strcmp(refusals[_i].name, "SHA-384") == 0)
        make.md = EVP_sha384();
    other.key = EVP_EC_gen("P-256");
    ck_assert_int_eq(issue_cert(&(struct issue){ .role = ROLE_DPAUTH,
        .common_name = "other", .registered_id = "2.999.11" }, other.key, &w.ci,
        &other.cert, &e), 0);

    ck_assert_int_eq(manifest_peek(buf_span(&seen), &m, &e), 0);
    AUTO(buf_clear) struct buf content = encoded(&m);
    AUTO(buf_clear) struct buf cms = cms_of(buf_span(&content), &make);
    int rc = verify(buf_span(&cms), &e);
    holder_clear(&other);
    ck_assert_msg(rc == -1, "%s", refusals[_i].name);
    ck_assert_msg(e.code == refusals[_i].code, "%s: %s: %s", refusals[_i].name,
                  err_name(e.code), e.msg);
}
END_TEST

/* Each kind, signed by the proper signer of every other kind. */
START_TEST(only_its_own_signer)
{
    enum container_kind k = (enum container_kind)(_i / KIND_COUNT);
    enum container_kind by = (enum container_kind)(_i % KIND_COUNT);
    struct signer a = scene_signer(&w, k), b = scene_signer(&w, by);
    bool same = a.cert == b.cert;
    AUTO(buf_clear) struct buf seen = sealed(k);
    AUTO(manifest_clear) struct manifest m;
    struct err e = ERR_INIT;

    ck_assert_int_eq(manifest_peek(buf_span(&seen), &m, &e), 0);
    /* An issuer field that fits the wrong signer must not help. */
    ck_assert_int_eq(cert_registered_id(b.cert, m.issuer), 0);
    AUTO(buf_clear) struct buf content = encoded(&m);
    const struct holder signer = { b.key, b.cert };
    struct holder above[2] = { { NULL, NULL }, { NULL, NULL } };
    struct make make = { .by = &signer };
    bool root = signer_rule(k)->root_included;
    for (int i = 0, n = 0; i < sk_X509_num(b.chain); i++) {
        X509 *x = sk_X509_value(b.chain, i);
        if (X509_self_signed(x, 0) == 1 && !root)
            continue;
        above[n].cert = x;
        make.with[n] = &above[n];
        n++;
    }
    AUTO(buf_clear) struct buf cms = cms_of(buf_span(&content), &make);
    ck_assert_msg((verify(buf_span(&cms), &e) == 0) == same, "%s by %s: %s",
                  kind_name(k), kind_name(by), e.msg);
    if (!same)
        ck_assert_msg(e.code == ERR_TRUST, "%s", e.msg);
    sk_X509_free(a.chain);
    sk_X509_free(b.chain);
}
END_TEST

START_TEST(issuer_and_allow_list)
{
    AUTO(buf_clear) struct buf seen = sealed(KIND_BPP_BUNDLE);
    AUTO(manifest_clear) struct manifest m;
    AUTO(blobs_clear) struct blobs none = { NULL, 0 };
    struct container_trust t = scene_trust(&w);
    struct manifest out;
    struct err e = ERR_INIT;

    ck_assert_int_eq(manifest_peek(buf_span(&seen), &m, &e), 0);
    strcpy(m.issuer, "2.999.11");
    AUTO(buf_clear) struct buf content = encoded(&m);
    AUTO(buf_clear) struct buf cms =
        cms_of(buf_span(&content), &(struct make){ .by = &w.dpauth });
    ck_assert_int_eq(verify(buf_span(&cms), &e), -1);
    ck_assert_int_eq(e.code, ERR_TRUST);

    t.allowed_smdp = &none;
    ck_assert_int_eq(manifest_verify(buf_span(&seen), &t, &out, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_TRUST);
    t.allowed_smdp = NULL;
    ck_assert_int_eq(manifest_verify(buf_span(&seen), &t, &out, NULL, &e), 0);
    manifest_clear(&out);
    t.ci = NULL;
    ck_assert_int_eq(manifest_verify(buf_span(&seen), &t, &out, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_TRUST);
    t.ci = w.dm_trust; /* the wrong roots */
    ck_assert_int_eq(manifest_verify(buf_span(&seen), &t, &out, NULL, &e), -1);
}
END_TEST

START_TEST(times_are_judged_when_asked)
{
    AUTO(buf_clear) struct buf cms = sealed(KIND_AUDIT_LOG);
    struct container_trust t = scene_trust(&w);
    struct manifest out;
    struct err e = ERR_INIT;

    t.at = time(NULL) + 6 * 365 * (int64_t)86400; /* stations: five years */
    ck_assert_int_eq(manifest_verify(buf_span(&cms), &t, &out, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_EXPIRED);
}
END_TEST

START_TEST(the_root_is_pinned)
{
    AUTO(buf_clear) struct buf cms = sealed(KIND_STATION_CERT);
    AUTO(buf_clear) struct buf root = BUF_INIT;
    AUTO(buf_clear) struct buf want = BUF_INIT;
    uint8_t hash[32];
    struct err e = ERR_INIT;

    cert_sha256(w.dm.cert, hash);
    ck_assert_msg(manifest_pinned_root(buf_span(&cms), hash, &root, &e) == 0,
                  "%s", e.msg);
    ck_assert_int_eq(cert_put(w.dm.cert, &want, &e), 0);
    ck_assert(span_eq(buf_span(&root), buf_span(&want)));
    hash[31] ^= 1;
    ck_assert_int_eq(manifest_pinned_root(buf_span(&cms), hash, &root, &e), -1);
    ck_assert_int_eq(e.code, ERR_TRUST);
}
END_TEST

START_TEST(a_request_is_for_its_own_key)
{
    AUTO(buf_clear) struct buf seen = sealed(KIND_STATION_CSR);
    AUTO(manifest_clear) struct manifest m;
    struct err e = ERR_INIT;

    ck_assert_int_eq(manifest_peek(buf_span(&seen), &m, &e), 0);
    AUTO(buf_clear) struct buf content = encoded(&m);
    struct holder thief = { EVP_EC_gen("P-256"), NULL };
    ck_assert_int_eq(issue_cert(&(struct issue){ .role = ROLE_STATION,
        .common_name = "thief", .serial_number = SCENE_STATION }, thief.key, NULL,
        &thief.cert, &e), 0);
    AUTO(buf_clear) struct buf cms =
        cms_of(buf_span(&content), &(struct make){ .by = &thief });
    ck_assert_int_eq(verify(buf_span(&cms), &e), -1);
    ck_assert_int_eq(e.code, ERR_TRUST);
    holder_clear(&thief);
}
END_TEST

/* --- the command in the documentation ------------------------------------------- */

static void pem(const char *name, X509 *cert, EVP_PKEY *key)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", w.dir, name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    if (cert)
        ck_assert_int_eq(PEM_write_X509(f, cert), 1);
    if (key)
        ck_assert_int_eq(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(f);
}

START_TEST(openssl_agrees)
{
    enum container_kind k = (enum container_kind)_i;
    AUTO(manifest_clear) struct manifest m;
    char *path = scene_container(&w, k, 0, &m, NULL);
    char root[128], command[1024];
    const struct signer_rule *rule = signer_rule(k);
    const struct holder *ca = rule->self_signed ? &w.own
                                : rule->ci_rooted ? &w.ci : &w.dm;

    snprintf(root, sizeof root, "%s/root.pem", w.dir);
    pem("root.pem", ca->cert, NULL);
    snprintf(command, sizeof command,
             "openssl cms -verify -binary -inform DER -in %s/manifest.cms "
             "-CAfile %s -purpose any %s -out %s/content 2>/dev/null", path, root,
             k == KIND_EUICC_DATA ? "-ignore_critical" : "", w.dir);
    ck_assert_msg(system(command) == 0, "%s", command);
    AUTO(buf_clear) struct buf content = scene_file(w.dir, "content");
    AUTO(buf_clear) struct buf want = encoded(&m);
    ck_assert(span_eq(buf_span(&content), buf_span(&want)));
    free(path);
}
END_TEST

/* A stranger's container: the openssl command signs what the library would. */
START_TEST(openssl_signs)
{
    AUTO(buf_clear) struct buf seen = sealed(KIND_EUICC_DATA);
    AUTO(manifest_clear) struct manifest m;
    struct err e = ERR_INIT;
    char command[1024];

    ck_assert_int_eq(manifest_peek(buf_span(&seen), &m, &e), 0);
    AUTO(buf_clear) struct buf content = encoded(&m);
    scene_file_write(w.dir, "manifest.der", buf_span(&content));
    pem("cert", w.euicc_data.cert, NULL);
    pem("key", NULL, w.euicc_data.key);
    pem("chain", w.eum.cert, NULL);
    snprintf(command, sizeof command,
             "cd %s && openssl cms -sign -binary -nodetach -md sha256 -in "
             "manifest.der -signer cert -inkey key -certfile chain -outform DER "
             "-out manifest.cms", w.dir);
    ck_assert_msg(system(command) == 0, "%s", command);
    AUTO(buf_clear) struct buf cms = scene_file(w.dir, "manifest.cms");
    ck_assert_msg(verify(buf_span(&cms), &e) == 0, "%s", e.msg);
}
END_TEST

/* The first word of `sha256sum FILE` in the world's folder. */
static void sha256sum(const char *dir, const char *name, char out[65])
{
    char command[512];

    snprintf(command, sizeof command, "cd %s && sha256sum %s", dir, name);
    FILE *p = popen(command, "r");
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(fread(out, 1, 64, p), 64);
    out[64] = 0;
    ck_assert_int_eq(pclose(p), 0);
}

START_TEST(sha256sum_agrees)
{
    AUTO(manifest_clear) struct manifest m;
    char *path = scene_container(&w, KIND_AUDIT_LOG, 1, &m, NULL);
    char sum[65], want[65];

    for (size_t i = 0; i < m.segment_count; i++) {
        sha256sum(path, m.segments[i].name, sum);
        ck_assert_str_eq(sum, hex_encode(SPAN_ARRAY(m.segments[i].sha256), want,
                                         sizeof want));
        if (i + 1 == m.segment_count)
            break;
        /* Rolled at 1: each segment is one event, octets cut out already. */
        AUTO(buf_clear) struct buf next = scene_file(path, m.segments[i + 1].name);
        struct event ev;
        ck_assert_int_eq(event_decode(buf_span(&next), &ev, NULL), 0);
        ck_assert_str_eq(sum, hex_encode(ev.previous, want, sizeof want));
    }
    free(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("container/signers");
    TCase *tc = tcase_create("signers");
    int n = KIND_COUNT;

    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, every_kind_holds, 0, n);
    tcase_add_loop_test(tc, every_changed_octet_is_refused, 0, n);
    tcase_add_test(tc, cut_or_longer_is_refused);
    tcase_add_loop_test(tc, other_tools_may_sign, 0, 3);
    tcase_add_loop_test(tc, is_refused, 0, sizeof refusals / sizeof *refusals);
    tcase_add_loop_test(tc, only_its_own_signer, 0, n * n);
    tcase_add_test(tc, issuer_and_allow_list);
    tcase_add_test(tc, times_are_judged_when_asked);
    tcase_add_test(tc, the_root_is_pinned);
    tcase_add_test(tc, a_request_is_for_its_own_key);
    tcase_add_loop_test(tc, openssl_agrees, 0, n);
    tcase_add_test(tc, openssl_signs);
    tcase_add_test(tc, sha256sum_agrees);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
