#include "station/ifpp/cert.h"

#include "station/ifpp/certview.h"
#include "station/ifpp/sig.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>

/* --- decoding -------------------------------------------------------------- */

int cert_decode(struct span der, X509 **out, struct err *e)
{
    struct cert_view v;
    const unsigned char *p = der.p;

    /* The view refuses what is not DER, trailing octets and all. */
    if (certview_parse(der, &v, e) != 0)
        return -1;
    X509 *c = d2i_X509(NULL, &p, (long)der.n);
    if (!c || p != der.p + der.n) {
        X509_free(c);
        return err_ossl(e, ERR_FORMAT, "certificate cannot be decoded");
    }
    *out = c;
    return 0;
}

void cert_stack_free(STACK_OF(X509) **s)
{
    sk_X509_pop_free(*s, X509_free);
    *s = NULL;
}

int cert_chain_decode(struct span der, STACK_OF(X509) **out, struct err *e)
{
    AUTO(cert_stack_free) STACK_OF(X509) *chain = sk_X509_new_null();
    struct tlv t;
    enum der r;

    if (!chain)
        return err_set(e, ERR_NOMEM, "out of memory");
    while ((r = der_next(&der, &t)) == DER_OK) {
        X509 *c;
        if (sk_X509_num(chain) == CHAIN_MAX)
            return err_set(e, ERR_LIMIT,
                           "certificate chain is longer than %d", CHAIN_MAX);
        if (cert_decode(t.whole, &c, e) != 0)
            return err_wrap(e, "certificate %d of the chain",
                            sk_X509_num(chain) + 1);
        if (sk_X509_push(chain, c) == 0) {
            X509_free(c);
            return err_set(e, ERR_NOMEM, "out of memory");
        }
    }
    if (r == DER_BAD || sk_X509_num(chain) == 0)
        return err_set(e, ERR_FORMAT, "malformed or empty certificate chain");
    *out = chain;
    chain = NULL;
    return 0;
}

/* --- what one certificate says --------------------------------------------- */

/* The view of an X509; its spans point into *der. */
static int view_of(X509 *c, struct buf *der, struct cert_view *v,
                   struct err *e)
{
    int n = i2d_X509(c, NULL);
    uint8_t *p = n > 0 ? buf_reserve(der, (size_t)n) : NULL;

    if (!p)
        return err_ossl(e, ERR_NOMEM, "certificate cannot be encoded");
    der->n += (size_t)i2d_X509(c, &p);
    return certview_parse(buf_span(der), v, e);
}

enum cert_role cert_role_of(X509 *c)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct cert_view v;

    if (view_of(c, &der, &v, NULL) == 0)
        for (int r = 0; r < ROLE_COUNT; r++)
            if (v.roles == ROLE_BIT(r))
                return (enum cert_role)r;
    return ROLE_COUNT;
}

int cert_serial_number(X509 *c, char out[REGISTERED_ID_MAX + 1])
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct cert_view v;

    return view_of(c, &der, &v, NULL) == 0
               ? certview_subject_text(&v, ATTR_SERIAL_NUMBER, out) : -1;
}

int cert_registered_id(X509 *c, char out[REGISTERED_ID_MAX + 1])
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct cert_view v;
    struct tlv t;

    if (view_of(c, &der, &v, NULL) != 0)
        return -1;
    /* A registeredID that cannot be read does not fall back on a name that
     * the holder may have chosen. */
    if (der_find(v.san, 0x88, &t) != 0)
        return certview_registered_id(&v, out);
    return certview_subject_text(&v, ATTR_SERIAL_NUMBER, out);
}

int cert_eid(X509 *c, struct eid *out, struct err *e)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct cert_view v;

    return view_of(c, &der, &v, e) == 0 ? certview_eid(&v, out, e) : -1;
}

void cert_key_id(X509 *c, uint8_t out[32])
{
    unsigned char *der = NULL;
    int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(c), &der);

    memset(out, 0, 32);
    if (n > 0)
        SHA256(der, (size_t)n, out);
    OPENSSL_free(der);
}

void cert_sha256(X509 *c, uint8_t out[32])
{
    unsigned char *der = NULL;
    int n = i2d_X509(c, &der);

    memset(out, 0, 32);
    if (n > 0)
        SHA256(der, (size_t)n, out);
    OPENSSL_free(der);
}

static const char no_key[] =
    "certificate key is not a point on P-256 or brainpoolP256r1 (named curve, "
    "uncompressed)";

EVP_PKEY *cert_key(X509 *c, struct err *e)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct cert_view v;
    EVP_PKEY *key = X509_get0_pubkey(c);

    if (view_of(c, &der, &v, e) != 0)
        return NULL;
    if (v.curve == 0 || !key) {
        err_ossl(e, ERR_TRUST, "%s", no_key);
        return NULL;
    }
    return key;
}

EVP_PKEY *cert_key_of_der(struct span der, struct err *e)
{
    struct cert_view v;

    if (certview_parse(der, &v, e) != 0)
        return NULL;
    EVP_PKEY *key = v.curve ? key_from_point(v.point, v.curve) : NULL;
    if (!key)
        err_set(e, ERR_TRUST, "%s", no_key);
    return key;
}

/* Subject for messages: escaped by OpenSSL, so safe to print. */
static const char *subject_text(X509 *c, char out[128])
{
    BIO *b = BIO_new(BIO_s_mem());
    int n = 0;

    if (b && X509_NAME_print_ex(b, X509_get_subject_name(c), 0,
                                XN_FLAG_RFC2253) >= 0)
        n = BIO_read(b, out, 127);
    BIO_free(b);
    out[n > 0 ? n : 0] = '\0';
    return out;
}

/* --- roots ----------------------------------------------------------------- */

struct trust {
    X509_STORE *store;
    size_t count;
};

struct trust *trust_new(void)
{
    struct trust *t = calloc(1, sizeof *t);

    if (t && !(t->store = X509_STORE_new())) {
        free(t);
        t = NULL;
    }
    return t;
}

void trust_free(struct trust *t)
{
    if (t)
        X509_STORE_free(t->store);
    free(t);
}

void trust_free_p(struct trust **t)
{
    trust_free(*t);
    *t = NULL;
}

size_t trust_count(const struct trust *t)
{
    return t->count;
}

int trust_add_root(struct trust *t, struct span der, struct err *e)
{
    struct cert_view v;
    X509 *c;

    if (cert_decode(der, &c, e) != 0)
        return err_wrap(e, "root");
    int r = certview_parse(der, &v, e);
    if (r == 0 && certview_check_ca(&v, ROLE_BIT(ROLE_CI), e) != 0)
        r = err_wrap(e, "root");
    if (r == 0 && X509_self_signed(c, 1) != 1)
        r = err_ossl(e, ERR_TRUST, "root is not signed by itself");
    if (r == 0 && X509_STORE_add_cert(t->store, c) != 1)
        r = err_ossl(e, ERR_INTERNAL, "root cannot be kept");
    if (r == 0)
        t->count++;
    X509_free(c);
    return r;
}

/* --- chains ---------------------------------------------------------------- */

/* Where each role hangs (binding, clause 1). */
enum under { UNDER_NOTHING, UNDER_CI, UNDER_EUM, UNDER_DM };
static const enum under hangs[ROLE_COUNT] = {
    [ROLE_CI] = UNDER_NOTHING,
    [ROLE_EUM] = UNDER_CI,
    [ROLE_EUICC] = UNDER_EUM,
    [ROLE_DPPB] = UNDER_CI,
    [ROLE_DPAUTH] = UNDER_CI,
    [ROLE_EUICC_DATA] = UNDER_EUM,
    [ROLE_STATION] = UNDER_DM,
    [ROLE_ORDER] = UNDER_DM,
    [ROLE_AUTHORITY] = UNDER_DM,
    [ROLE_RELEASE] = UNDER_DM,
    [ROLE_RECOVERY] = UNDER_DM,
};

static bool has_constraints(X509 *c)
{
    return X509_get_ext_by_NID(c, NID_name_constraints, -1) >= 0;
}

/* OpenSSL compares the EIN of an older EUM's nameConstraints as a whole
 * attribute, where the rule is a prefix. Its refusal is set aside only when
 * nothing else can have caused it: the leaf, right under an EUM whose
 * constraints are of that form, and no other constraints in the chain. Our
 * own check (certview_check_ein) then decides. */
static bool is_ein_constraint(X509_STORE_CTX *ctx)
{
    STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct cert_view eum;

    if (X509_STORE_CTX_get_error_depth(ctx) != 0 || sk_X509_num(chain) < 2)
        return false;
    for (int i = 0; i < sk_X509_num(chain); i++)
        if (i != 1 && has_constraints(sk_X509_value(chain, i)))
            return false;
    return view_of(sk_X509_value(chain, 1), &der, &eum, NULL) == 0 &&
           eum.roles == ROLE_BIT(ROLE_EUM) && certview_ein_constraints(&eum);
}

/* The one critical extension that OpenSSL does not know and we do; who may
 * carry it is judged with the roles. */
static bool is_permitted_eins(X509 *c)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct cert_view v;

    return view_of(c, &der, &v, NULL) == 0 && !v.unknown_critical &&
           v.eins_critical;
}

static int on_verify(int ok, X509_STORE_CTX *ctx)
{
    if (ok)
        return 1;
    switch (X509_STORE_CTX_get_error(ctx)) {
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
        ok = is_permitted_eins(X509_STORE_CTX_get_current_cert(ctx));
        break;
    case X509_V_ERR_PERMITTED_VIOLATION:
        ok = is_ein_constraint(ctx);
        break;
    default:
        return 0;
    }
    if (ok)
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return ok;
}

static const struct {
    int error;
    enum err_code code;
    const char *text;
} refusals[] = {
    { X509_V_ERR_CERT_HAS_EXPIRED, ERR_EXPIRED,
      "expired: ask its issuer for a new one, or check the station's clock" },
    { X509_V_ERR_CERT_NOT_YET_VALID, ERR_EXPIRED,
      "not valid yet: check the station's clock" },
    { X509_V_ERR_CERT_SIGNATURE_FAILURE, ERR_SIGNATURE,
      "its issuer's signature does not hold: it was altered or forged" },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, ERR_TRUST,
      "no trusted root or delivered certificate issued it: deliver the whole "
      "chain, or import what brings its root" },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, ERR_TRUST,
      "no trusted root issued it: deliver the whole chain, or import what "
      "brings its root" },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, ERR_TRUST,
      "is a root that is not trusted here: import what brings it, or refuse "
      "the delivery" },
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, ERR_TRUST,
      "is self-signed and not trusted here" },
    { X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION, ERR_TRUST,
      "has a critical extension that this program does not know, so it must "
      "be refused: ask its issuer" },
};

static int refuse(X509_STORE_CTX *ctx, X509 *leaf, struct err *e)
{
    int error = X509_STORE_CTX_get_error(ctx);
    X509 *at = X509_STORE_CTX_get_current_cert(ctx);
    enum err_code code = ERR_TRUST;
    const char *text = X509_verify_cert_error_string(error);
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct cert_view v;
    char subject[128];

    ERR_clear_error();
    /* What we cannot read ourselves has a more exact reason than OpenSSL's. */
    if (at && view_of(at, &der, &v, e) != 0)
        return err_wrap(e, "certificate \"%s\"", subject_text(at, subject));

    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].error == error) {
            code = refusals[i].code;
            text = refusals[i].text;
        }
    return err_set(e, code, "certificate \"%s\": %s",
                   subject_text(at ? at : leaf, subject), text);
}

/* OpenSSL's part: signatures up to a trusted root, times, CA flags, path
 * lengths, names. *proven is the chain it found, leaf to root. */
static int prove(const struct trust *t, STACK_OF(X509) *chain, int64_t at,
                 STACK_OF(X509) **proven, struct err *e)
{
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509 *leaf = sk_X509_value(chain, 0);
    int r = -1;

    if (!ctx || X509_STORE_CTX_init(ctx, t->store, leaf, chain) != 1) {
        err_ossl(e, ERR_NOMEM, "chain check cannot start");
    } else {
        if (at == 0)
            X509_STORE_CTX_set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
        else
            X509_STORE_CTX_set_time(ctx, 0, (time_t)at);
        X509_STORE_CTX_set_verify_cb(ctx, on_verify);
        if (X509_verify_cert(ctx) == 1 &&
            X509_STORE_CTX_get_error(ctx) == X509_V_OK) {
            *proven = X509_STORE_CTX_get1_chain(ctx);
            r = *proven ? 0 : err_set(e, ERR_NOMEM, "out of memory");
        } else {
            refuse(ctx, leaf, e);
        }
    }
    X509_STORE_CTX_free(ctx);
    return r;
}

/* The issuer at place i (1 is the leaf's own) of n certificates. */
static int check_issuer(const struct cert_view *v, enum under under, int i,
                        int n, struct err *e)
{
    if (under == UNDER_EUM && i == 1)
        return certview_check_role(v, ROLE_EUM, e);
    if (under == UNDER_DM)
        return certview_check_ca(v, 0, e);
    /* GSMA: the root is an eSIM CA; a sub-CA between may say so too. */
    if (i == n - 1)
        return certview_check_role(v, ROLE_CI, e);
    return certview_check_ca(v, ROLE_BIT(ROLE_CI), e);
}

static int check_eins(const struct cert_view *eum, const struct cert_view *leaf,
                      enum cert_role role, struct err *e)
{
    struct eid eid;

    if (role == ROLE_EUICC && certview_eid(leaf, &eid, e) != 0)
        return -1;
    return certview_check_ein(eum, leaf, role == ROLE_EUICC ? &eid : NULL, e);
}

/* Our part: who may stand where. */
static int check_places(STACK_OF(X509) *proven, enum cert_role role,
                        struct err *e)
{
    int n = sk_X509_num(proven);
    enum under under = hangs[role];
    int least = under == UNDER_NOTHING ? 1 : under == UNDER_EUM ? 3 : 2;
    AUTO(buf_clear) struct buf leaf_der = BUF_INIT;
    struct cert_view leaf = { .path_len = -1 };
    char subject[128];

    if (n < least || (under == UNDER_NOTHING && n != 1))
        return err_set(e, ERR_TRUST,
                       "certificate \"%s\": a chain of %d certificates cannot "
                       "be that of the role \"%s\"",
                       subject_text(sk_X509_value(proven, 0), subject), n,
                       cert_role_name(role));
    for (int i = 0; i < n; i++) {
        AUTO(buf_clear) struct buf der = BUF_INIT;
        struct cert_view v;
        X509 *c = sk_X509_value(proven, i);
        int r = view_of(c, i == 0 ? &leaf_der : &der, &v, e);
        if (r == 0)
            r = i == 0 ? certview_check_role(&v, role, e)
                       : check_issuer(&v, under, i, n, e);
        if (r == 0 && i == 0)
            leaf = v;
        if (r == 0 && i == 1 && under == UNDER_EUM)
            r = check_eins(&v, &leaf, role, e);
        if (r != 0)
            return err_wrap(e, "certificate \"%s\"", subject_text(c, subject));
    }
    return 0;
}

int cert_verify(const struct trust *t, STACK_OF(X509) *chain,
                enum cert_role role, int64_t at, struct err *e)
{
    AUTO(cert_stack_free) STACK_OF(X509) *proven = NULL;

    if ((unsigned)role >= ROLE_COUNT)
        return err_set(e, ERR_INTERNAL, "no such role");
    if (!chain || sk_X509_num(chain) < 1 || sk_X509_num(chain) > CHAIN_MAX)
        return err_set(e, ERR_FORMAT, "a certificate chain has 1 to %d "
                                      "certificates", CHAIN_MAX);
    if (prove(t, chain, at, &proven, e) != 0)
        return -1;
    return check_places(proven, role, e);
}
