#include "tests/unit/ifpp/pki.h"

#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"
#include "tests/unit/support.h"

#include <openssl/conf.h>
#include <openssl/ec.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#define EXTENSIONS_MAX 8

static const struct kind {
    const char *o, *cn, *sn;
    struct pki_change ext[EXTENSIONS_MAX];
} kinds[PKI_KINDS] = {
    [PKI_CI] = { "GSMA", "Test CI", NULL,
        { { "basicConstraints", "critical,CA:TRUE" },
          { "keyUsage", "critical,keyCertSign,cRLSign" },
          { "certificatePolicies", "critical," OID_ROLE_CI },
          { "subjectKeyIdentifier", "hash" } } },
    [PKI_SUBCA] = { "GSMA", "Test sub-CA", NULL,
        { { "basicConstraints", "critical,CA:TRUE" },
          { "keyUsage", "critical,keyCertSign" },
          { "subjectKeyIdentifier", "hash" },
          { "authorityKeyIdentifier", "keyid" } } },
    [PKI_EUM] = { "Test EUM", "Test EUM", NULL,
        { { "basicConstraints", "critical,CA:TRUE,pathlen:0" },
          { "keyUsage", "critical,keyCertSign" },
          { "certificatePolicies", "critical," OID_ROLE_EUM },
          { "subjectKeyIdentifier", "hash" },
          { "authorityKeyIdentifier", "keyid" },
          { OID_PERMITTED_EINS, "critical,DER:300a0c083839303439303332" } } },
    [PKI_EUICC] = { "Test EUM", "Test eUICC",
                    "89049032777298113660073133622109",
        { { "keyUsage", "critical,digitalSignature" },
          { "certificatePolicies", "critical," OID_ROLE_EUICC },
          { "subjectKeyIdentifier", "hash" },
          { "authorityKeyIdentifier", "keyid" } } },
    [PKI_DPPB] = { "Test SM-DPf", "DPpb", NULL,
        { { "keyUsage", "critical,digitalSignature" },
          { "certificatePolicies", "critical," OID_ROLE_DPPB },
          { "subjectAltName", "RID:2.999.10" },
          { "authorityKeyIdentifier", "keyid" } } },
    [PKI_DPAUTH] = { "Test SM-DPf", "DPauth", NULL,
        { { "keyUsage", "critical,digitalSignature" },
          { "certificatePolicies", "critical," OID_ROLE_DPAUTH },
          { "subjectAltName", "RID:2.999.10" },
          { "authorityKeyIdentifier", "keyid" } } },
    [PKI_DATA] = { "Test EUM", "eUICC data", NULL,
        { { "keyUsage", "critical,digitalSignature" },
          { "extendedKeyUsage", OID_EKU_EUICC_DATA },
          { "authorityKeyIdentifier", "keyid" } } },
    [PKI_DM] = { "Test Devices", "Test root", NULL,
        { { "basicConstraints", "critical,CA:TRUE" },
          { "keyUsage", "critical,keyCertSign" },
          { "subjectKeyIdentifier", "hash" } } },
    [PKI_STATION] = { "Test Devices", "station", "line-7",
        { { "keyUsage", "critical,digitalSignature" },
          { "extendedKeyUsage", OID_EKU_STATION },
          { "authorityKeyIdentifier", "keyid" } } },
    [PKI_RECOVERY] = { "Test Devices", "recovery", "dm-recovery",
        { { "keyUsage", "critical,keyAgreement" },
          { "extendedKeyUsage", OID_EKU_RECOVERY },
          { "authorityKeyIdentifier", "keyid" } } },
};

static const char *der_value(struct buf *b, char out[600])
{
    char digits[580];

    ck_assert(buf_ok(b) && b->n * 2 < sizeof digits);
    snprintf(out, 600, "critical,DER:%s",
             hex_encode(buf_span(b), digits, sizeof digits));
    buf_clear(b);
    return out;
}

const char *pki_eins(const char *const *eins, size_t n)
{
    static char out[600];
    struct buf b = BUF_INIT;
    size_t m = der_open(&b);

    for (size_t i = 0; i < n; i++)
        der_put_str(&b, TAG_UTF8, eins[i]);
    der_close(&b, TAG_SEQUENCE, m);
    return der_value(&b, out);
}

static void put_attr(struct buf *b, uint8_t x, uint32_t tag, const char *text)
{
    const uint8_t oid[] = { 0x55, 0x04, x };
    size_t set = der_open(b), seq = der_open(b);

    der_put(b, TAG_OID, SPAN_ARRAY(oid));
    der_put_str(b, tag, text);
    der_close(b, TAG_SEQUENCE, seq);
    der_close(b, TAG_SET, set);
}

const char *pki_ein_constraints(const char *o, const char *ein)
{
    static char out[600];
    struct buf b = BUF_INIT;
    size_t all = der_open(&b), permitted = all, subtree = all, dir = all,
           name = all;

    put_attr(&b, 10, TAG_UTF8, o);
    put_attr(&b, 5, TAG_PRINTABLE, ein);
    der_close(&b, TAG_SEQUENCE, name);
    der_close(&b, 0xa4, dir);
    der_close(&b, TAG_SEQUENCE, subtree);
    der_close(&b, 0xa0, permitted);
    der_close(&b, TAG_SEQUENCE, all);
    return der_value(&b, out);
}

static void add_extension(X509V3_CTX *ctx, X509 *c, const char *name,
                          const char *value)
{
    X509_EXTENSION *x = X509V3_EXT_nconf(NULL, ctx, name, value);

    ck_assert_msg(x && X509_add_ext(c, x, -1) == 1, "extension %s", name);
    X509_EXTENSION_free(x);
}

static const struct pki_change *changed(const struct pki_spec *s,
                                        const char *name)
{
    for (int i = 0; i < PKI_CHANGES; i++)
        if (s->change[i].name && strcmp(s->change[i].name, name) == 0)
            return &s->change[i];
    return NULL;
}

static void add_extensions(X509V3_CTX *ctx, X509 *c, const struct pki_spec *s)
{
    const struct pki_change *ext = kinds[s->kind].ext;
    bool used[PKI_CHANGES] = { false };

    for (int i = 0; i < EXTENSIONS_MAX && ext[i].name; i++) {
        const struct pki_change *ch = changed(s, ext[i].name);
        if (ch)
            used[ch - s->change] = true;
        if (!ch || ch->value)
            add_extension(ctx, c, ext[i].name, ch ? ch->value : ext[i].value);
    }
    for (int i = 0; i < PKI_CHANGES; i++)
        if (s->change[i].name && !used[i])
            add_extension(ctx, c, s->change[i].name, s->change[i].value);
}

static void add_name(X509 *c, const char *field, const char *own,
                     const char *usual)
{
    const char *text = own ? own : usual;

    if (text && *text)
        ck_assert(X509_NAME_add_entry_by_txt(
                      X509_get_subject_name(c), field, MBSTRING_UTF8,
                      (const unsigned char *)text, -1, -1, 0) == 1);
}

void pki_make_forged(struct pki_cert *out, const struct pki_spec *s,
                     const struct pki_cert *issuer, EVP_PKEY *signer)
{
    const struct kind *k = &kinds[s->kind];
    EVP_PKEY *key = EVP_EC_gen(s->group ? s->group : "prime256v1");
    X509 *c = X509_new(), *by = issuer ? issuer->cert : c;
    uint8_t serial[8];
    X509V3_CTX ctx;
    unsigned char *der = NULL;

    ck_assert(key && c && RAND_bytes(serial, sizeof serial) == 1);
    serial[0] &= 0x7f;
    serial[0] |= 0x40;
    BIGNUM *bn = BN_bin2bn(serial, sizeof serial, NULL);
    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(c));
    BN_free(bn);
    X509_set_version(c, s->version1 ? X509_VERSION_1 : X509_VERSION_3);
    ASN1_TIME_set(X509_getm_notBefore(c),
                  s->from ? s->from : PKI_NOW - 100 * PKI_DAY);
    ASN1_TIME_set(X509_getm_notAfter(c),
                  s->to ? s->to : PKI_NOW + 100 * PKI_DAY);
    add_name(c, "O", s->o, k->o);
    add_name(c, "serialNumber", s->sn, k->sn);
    add_name(c, "CN", s->cn, k->cn);
    X509_set_issuer_name(c, X509_get_subject_name(by));
    X509_set_pubkey(c, key);
    /* Policies are read beside a configuration, if only an empty one. */
    CONF *conf = NCONF_new(NULL);
    X509V3_set_ctx(&ctx, by, c, NULL, NULL, 0);
    X509V3_set_nconf(&ctx, conf);
    if (!s->version1)
        add_extensions(&ctx, c, s);
    NCONF_free(conf);
    EVP_MD *md = EVP_MD_fetch(NULL, s->digest ? s->digest : "SHA256", NULL);
    ck_assert(X509_sign(c, signer ? signer : key, md) > 0);
    EVP_MD_free(md);

    int n = i2d_X509(c, &der);
    ck_assert_int_gt(n, 0);
    *out = (struct pki_cert){ key, c, BUF_INIT };
    buf_put(&out->der, der, (size_t)n);
    OPENSSL_free(der);
}

void pki_make(struct pki_cert *out, const struct pki_spec *spec,
              const struct pki_cert *issuer)
{
    pki_make_forged(out, spec, issuer, issuer ? issuer->key : NULL);
}

void pki_clear(struct pki_cert *c)
{
    EVP_PKEY_free(c->key);
    X509_free(c->cert);
    buf_clear(&c->der);
    *c = (struct pki_cert){ NULL, NULL, BUF_INIT };
}

void pki_sign(EVP_PKEY *key, struct span a, struct span b, uint8_t out[64])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t der[80];
    size_t n = sizeof der;

    ck_assert(ctx && EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL,
                                           key, NULL) == 1 &&
              EVP_DigestSignUpdate(ctx, a.p, a.n) == 1 &&
              EVP_DigestSignUpdate(ctx, b.p, b.n) == 1 &&
              EVP_DigestSignFinal(ctx, der, &n) == 1);
    EVP_MD_CTX_free(ctx);
    const unsigned char *p = der;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)n);
    ck_assert(sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, 32) == 32 &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + 32, 32) == 32);
    ECDSA_SIG_free(sig);
}

void pki_point(EVP_PKEY *key, uint8_t out[65])
{
    size_t n = 0;

    ck_assert(EVP_PKEY_get_octet_string_param(key, "pub", out, 65, &n) == 1 &&
              n == 65);
}
