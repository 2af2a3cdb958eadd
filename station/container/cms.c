#include "station/container/cms.h"

#include "station/container/manifest.h"
#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <string.h>

#define DEPTH_MAX 24

/* Everything in a manifest.cms that may stand in one form only. */
#define OCTETS(name, ...) static const uint8_t name[] = { __VA_ARGS__ }
OCTETS(oid_signed_data, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02);
OCTETS(oid_data, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01);
OCTETS(oid_content_type, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03);
OCTETS(oid_message_digest, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04);
/* AlgorithmIdentifiers, whole. SHA-256 with absent or NULL parameters (RFC
 * 5754 section 2 has both); ECDSA with absent ones (section 3.2). */
OCTETS(alg_sha256, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03,
       0x04, 0x02, 0x01);
OCTETS(alg_sha256_null, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65,
       0x03, 0x04, 0x02, 0x01, 0x05, 0x00);
OCTETS(alg_ecdsa_sha256, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d,
       0x04, 0x03, 0x02);

#define TAG_CONTEXT_0 0xA0
#define TAG_CONTEXT_0_PRIMITIVE 0x80

static int bad(struct err *e, const char *what)
{
    return err_set(e, ERR_FORMAT, "manifest.cms: %s", what);
}

static bool digest_alg_ok(struct span whole)
{
    return span_eq(whole, SPAN_ARRAY(alg_sha256)) ||
           span_eq(whole, SPAN_ARRAY(alg_sha256_null));
}

static int take_oid(struct span *in, struct span oid)
{
    struct tlv t;

    return der_take(in, TAG_OID, &t) == 0 && span_eq(t.value, oid) ? 0 : -1;
}

static int take_version(struct span *in, uint64_t *version)
{
    struct tlv t;

    return der_take(in, TAG_INTEGER, &t) == 0 ? der_uint(t.value, version) : -1;
}

/* Members of a SET OF stand in ascending order of their encodings, as DER
 * asks; strictly, since none of ours may stand twice. */
static bool ascending(struct span a, struct span b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = memcmp(a.p, b.p, n);

    return c < 0 || (c == 0 && a.n < b.n);
}

/* encapContentInfo ::= SEQUENCE { id-data, [0] { OCTET STRING } } */
static int take_content(struct span *in, struct cms *c)
{
    struct tlv seq, outer, content;

    if (der_take(in, TAG_SEQUENCE, &seq) != 0 ||
        take_oid(&seq.value, SPAN_ARRAY(oid_data)) != 0 ||
        der_take(&seq.value, TAG_CONTEXT_0, &outer) != 0 || seq.value.n != 0 ||
        der_take(&outer.value, TAG_OCTETS, &content) != 0 || outer.value.n != 0)
        return -1;
    c->content = content.value;
    return 0;
}

/* [0] IMPLICIT SET OF Certificate */
static int take_certs(struct span *in, struct cms *c)
{
    struct tlv set, one;
    enum der r;

    if (der_take(in, TAG_CONTEXT_0, &set) != 0)
        return -1;
    while ((r = der_next(&set.value, &one)) == DER_OK) {
        if (c->cert_count == CMS_CERTS_MAX || one.tag != TAG_SEQUENCE ||
            one.whole.n > CERT_MAX)
            return -1;
        if (c->cert_count && !ascending(c->cert[c->cert_count - 1], one.whole))
            return -1;
        c->cert[c->cert_count++] = one.whole;
    }
    return r == DER_END && c->cert_count > 0 ? 0 : -1;
}

/* sid: version 1 by issuer and serial number, version 3 by key identifier. */
static int take_sid(struct span *in, uint64_t version, struct cms *c)
{
    struct tlv t, name, serial;

    if (version == 3) {
        if (der_take(in, TAG_CONTEXT_0_PRIMITIVE, &t) != 0 || t.value.n == 0)
            return -1;
        c->sid_key_id = t.value;
        return 0;
    }
    if (version != 1 || der_take(in, TAG_SEQUENCE, &t) != 0 ||
        der_take(&t.value, TAG_SEQUENCE, &name) != 0 ||
        der_take(&t.value, TAG_INTEGER, &serial) != 0 || t.value.n != 0)
        return -1;
    c->sid_issuer = name.whole;
    c->sid_serial = serial.whole;
    return 0;
}

/* Attribute ::= SEQUENCE { OID, SET { one value } }; the two we need. */
static int read_attribute(struct span in, struct cms *c, bool *has_type)
{
    struct tlv oid, set, value;

    if (der_take(&in, TAG_OID, &oid) != 0 ||
        der_take(&in, TAG_SET, &set) != 0 || in.n != 0 || set.value.n == 0)
        return -1;
    if (span_eq(oid.value, SPAN_ARRAY(oid_content_type))) {
        if (*has_type || take_oid(&set.value, SPAN_ARRAY(oid_data)) != 0 ||
            set.value.n != 0)
            return -1;
        *has_type = true;
    } else if (span_eq(oid.value, SPAN_ARRAY(oid_message_digest))) {
        if (c->digest.n || der_take(&set.value, TAG_OCTETS, &value) != 0 ||
            value.value.n != SHA256_DIGEST_LENGTH || set.value.n != 0)
            return -1;
        c->digest = value.value;
    }
    return 0;
}

static int take_attributes(struct span *in, struct cms *c)
{
    struct span last = { NULL, 0 };
    struct tlv set, one;
    bool has_type = false;
    size_t n = 0;
    enum der r;

    if (der_take(in, TAG_CONTEXT_0, &set) != 0)
        return -1;
    c->attributes = set.whole;
    while ((r = der_next(&set.value, &one)) == DER_OK) {
        if (n++ == CMS_ATTRIBUTES_MAX || one.tag != TAG_SEQUENCE ||
            (last.n && !ascending(last, one.whole)) ||
            read_attribute(one.value, c, &has_type) != 0)
            return -1;
        last = one.whole;
    }
    return r == DER_END && has_type && c->digest.n ? 0 : -1;
}

/* One SignerInfo; in it no unsigned attributes: nothing may follow the
 * signature. */
static int take_signer(struct span *in, struct cms *c, struct err *e)
{
    struct tlv set, si, t;
    uint64_t version;

    if (der_take(in, TAG_SET, &set) != 0 ||
        der_take(&set.value, TAG_SEQUENCE, &si) != 0)
        return bad(e, "no signer");
    if (set.value.n != 0)
        return bad(e, "more than one signer; there must be exactly one");
    if (take_version(&si.value, &version) != 0 ||
        take_sid(&si.value, version, c) != 0)
        return bad(e, "the signer is not named in a known way");
    if (der_take(&si.value, TAG_SEQUENCE, &t) != 0 || !digest_alg_ok(t.whole))
        return bad(e, "the signer's digest is not SHA-256");
    if (take_attributes(&si.value, c) != 0)
        return bad(e, "the signed attributes are malformed");
    if (der_take(&si.value, TAG_SEQUENCE, &t) != 0 ||
        !span_eq(t.whole, SPAN_ARRAY(alg_ecdsa_sha256)))
        return bad(e, "the signature is not ECDSA with SHA-256");
    if (der_take(&si.value, TAG_OCTETS, &t) != 0)
        return bad(e, "no signature");
    c->signature = t.value;
    if (si.value.n != 0)
        return bad(e, "unsigned attributes are not allowed");
    return 0;
}

static int read_signed_data(struct span in, struct cms *c, struct err *e)
{
    struct tlv algs;
    uint64_t version;

    if (take_version(&in, &version) != 0)
        return bad(e, "no version");
    if (der_take(&in, TAG_SET, &algs) != 0 || !digest_alg_ok(algs.value))
        return bad(e, "the digest is not SHA-256 alone");
    if (take_content(&in, c) != 0)
        return bad(e, "the content is not attached plain data");
    if (take_certs(&in, c) != 0)
        return bad(e, "the certificates are missing, too many, too long or not "
                   "in DER order");
    /* crls [1] would stand here: the next must be the signers. */
    if (take_signer(&in, c, e) != 0)
        return -1;
    if (in.n != 0)
        return bad(e, "something follows the signer");
    /* RFC 5652 section 5.1: 3 if a SignerInfo is of version 3, else 1. */
    if (version != (c->sid_key_id.n ? 3u : 1u))
        return bad(e, "the version does not fit the signer");
    return 0;
}

int cms_parse(struct span der, struct cms *out, struct err *e)
{
    struct cms c = { .cert_count = 0 };
    struct span in = der;
    struct tlv info, outer, data;

    if (der.n > MANIFEST_MAX)
        return err_set(e, ERR_LIMIT, "manifest.cms has %zu octets, at most %d "
                       "are read", der.n, MANIFEST_MAX);
    if (!der_well_formed_deep(der, DEPTH_MAX))
        return bad(e, "not DER, or cut short. Copy the container again");
    if (der_take(&in, TAG_SEQUENCE, &info) != 0 || in.n != 0 ||
        take_oid(&info.value, SPAN_ARRAY(oid_signed_data)) != 0 ||
        der_take(&info.value, TAG_CONTEXT_0, &outer) != 0 ||
        info.value.n != 0 ||
        der_take(&outer.value, TAG_SEQUENCE, &data) != 0 || outer.value.n != 0)
        return bad(e, "not CMS SignedData");
    if (read_signed_data(data.value, &c, e) != 0)
        return -1;
    *out = c;
    return 0;
}

/* --- the chain ---------------------------------------------------------------- */

static bool name_is(const X509_NAME *name, struct span der)
{
    const unsigned char *p;
    size_t n;

    /* Octet for octet: X509_NAME_cmp folds case and spaces, and a changed
     * octet of the sid is covered by no signature. */
    return X509_NAME_get0_der(name, &p, &n) == 1 && span_eq(SPAN(p, n), der);
}

static bool serial_is(const ASN1_INTEGER *serial, struct span der)
{
    unsigned char *p = NULL;
    int n = i2d_ASN1_INTEGER(serial, &p);
    bool same = n >= 0 && span_eq(SPAN(p, (size_t)n), der);

    OPENSSL_free(p);
    return same;
}

static bool is_signer(const struct cms *c, X509 *x)
{
    if (c->sid_key_id.n) {
        const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(x);
        return id && span_eq(SPAN(ASN1_STRING_get0_data(id),
                                  (size_t)ASN1_STRING_length(id)),
                             c->sid_key_id);
    }
    return name_is(X509_get_issuer_name(x), c->sid_issuer) &&
           serial_is(X509_get0_serialNumber(x), c->sid_serial);
}

static bool signed_by(X509 *x, X509 *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer);
    bool ok = key &&
              X509_NAME_cmp(X509_get_issuer_name(x),
                            X509_get_subject_name(issuer)) == 0 &&
              X509_verify(x, key) == 1;

    ERR_clear_error();
    return ok;
}

bool cms_self_signed(X509 *c)
{
    return signed_by(c, c);
}

/* Move the one certificate that satisfies the test from pool to chain. */
static X509 *chain_step(const struct cms *c, STACK_OF(X509) *pool,
                        STACK_OF(X509) *chain, X509 *below)
{
    for (int i = 0; i < sk_X509_num(pool); i++) {
        X509 *x = sk_X509_value(pool, i);
        if (below ? !signed_by(below, x) : !is_signer(c, x))
            continue;
        if (sk_X509_push(chain, x) == 0)
            return NULL;
        sk_X509_delete(pool, i);
        return x;
    }
    return NULL;
}

int cms_chain(const struct cms *c, STACK_OF(X509) **out, struct err *e)
{
    AUTO(cert_stack_free) STACK_OF(X509) *pool = sk_X509_new_null();
    AUTO(cert_stack_free) STACK_OF(X509) *chain = sk_X509_new_null();

    if (!pool || !chain)
        return err_set(e, ERR_NOMEM, "no memory for certificates");
    for (size_t i = 0; i < c->cert_count; i++) {
        X509 *x = NULL;
        if (cert_decode(c->cert[i], &x, e) != 0)
            return err_wrap(e, "manifest.cms: certificate %zu", i + 1);
        if (sk_X509_push(pool, x) == 0) {
            X509_free(x);
            return err_set(e, ERR_NOMEM, "no memory for certificates");
        }
    }
    X509 *x = chain_step(c, pool, chain, NULL);
    if (!x)
        return err_set(e, ERR_TRUST, "manifest.cms does not hold its signer's "
                       "certificate");
    while (sk_X509_num(pool) > 0 && x)
        x = chain_step(c, pool, chain, x);
    if (sk_X509_num(pool) > 0)
        return err_set(e, ERR_TRUST, "manifest.cms holds a certificate that is "
                       "not in its signer's chain");
    *out = chain;
    chain = NULL;
    return 0;
}

/* --- the signature -------------------------------------------------------------- */

int cms_check(const struct cms *c, X509 *leaf, struct err *e)
{
    static const uint8_t set_of = TAG_SET;
    uint8_t digest[SHA256_DIGEST_LENGTH];
    EVP_PKEY *key = cert_key(leaf, e);

    if (!key)
        return err_wrap(e, "manifest.cms: the signer's key");
    SHA256(c->content.p, c->content.n, digest);
    if (!span_eq(SPAN_ARRAY(digest), c->digest))
        return err_set(e, ERR_SIGNATURE, "manifest.cms: the content is not what "
                       "was signed. Copy the container again");

    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    /* RFC 5652 section 5.4: signed as SET OF, not as [0]. */
    int ok = ctx &&
             EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
             EVP_DigestVerifyUpdate(ctx, &set_of, 1) == 1 &&
             EVP_DigestVerifyUpdate(ctx, c->attributes.p + 1,
                                    c->attributes.n - 1) == 1 &&
             EVP_DigestVerifyFinal(ctx, c->signature.p, c->signature.n) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return ok ? 0 : err_set(e, ERR_SIGNATURE, "manifest.cms: the signature does "
                            "not hold. Copy the container again; if that does "
                            "not help, ask its sender for a new one");
}
