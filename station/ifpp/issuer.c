/* The import's fast path of cert.h: an EUM's chain is proven once, then each
 * eUICC under it costs one ECDSA verification and some reading. */
#include "station/ifpp/certview.h"
#include "station/ifpp/sig.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct issuer {
    struct buf der;         /* what `view` points into */
    struct cert_view view;
    X509 *cert;
    EVP_PKEY_CTX *verifier; /* initialised; copied for each use */
    int64_t at;
};

void issuer_free(struct issuer *i)
{
    if (!i)
        return;
    EVP_PKEY_CTX_free(i->verifier);
    X509_free(i->cert);
    buf_clear(&i->der);
    free(i);
}

void issuer_free_p(struct issuer **i)
{
    issuer_free(*i);
    *i = NULL;
}

int issuer_new_eum(const struct trust *t, struct span chain_der, int64_t at,
                   struct issuer **out, struct err *e)
{
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;
    AUTO(issuer_free_p) struct issuer *i = calloc(1, sizeof *i);
    struct tlv first;

    if (!i)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (cert_chain_decode(chain_der, &chain, e) != 0 ||
        cert_verify(t, chain, ROLE_EUM, at, e) != 0)
        return err_wrap(e, "EUM chain");
    if (der_next(&chain_der, &first) != DER_OK)
        return err_set(e, ERR_FORMAT, "EUM chain is empty");
    buf_put_span(&i->der, first.whole);
    if (!buf_ok(&i->der))
        return err_set(e, ERR_NOMEM, "out of memory");
    if (certview_parse(buf_span(&i->der), &i->view, e) != 0)
        return -1;
    i->cert = sk_X509_value(chain, 0);
    X509_up_ref(i->cert);
    i->at = at;
    EVP_PKEY *key = cert_key(i->cert, e);
    if (!key)
        return -1;
    i->verifier = verifier_new(key);
    if (!i->verifier)
        return err_ossl(e, ERR_INTERNAL, "signature check cannot start");
    *out = i;
    i = NULL;
    return 0;
}

/* Names and key identifiers as OpenSSL compares them: by canonical form, and
 * by issuer and serial number when the leaf says those. Rarely needed. */
static bool issued_by_slowly(const struct issuer *i, struct span leaf_der)
{
    X509 *leaf;

    if (cert_decode(leaf_der, &leaf, NULL) != 0)
        return false;
    bool ok = X509_check_issued(i->cert, leaf) == X509_V_OK;
    X509_free(leaf);
    return ok;
}

static bool issued_by(const struct issuer *i, const struct cert_view *leaf,
                      struct span leaf_der)
{
    if (leaf->aki.n != 0 && i->view.ski.n != 0 &&
        !span_eq(leaf->aki, i->view.ski))
        return false;
    if (!leaf->aki_more && span_eq(leaf->issuer, i->view.subject))
        return true;
    return issued_by_slowly(i, leaf_der);
}

static bool signed_by(const struct issuer *i, const struct cert_view *leaf)
{
    uint8_t digest[32];
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(i->verifier);
    bool ok = ctx && sig_digest(&leaf->tbs.whole, 1, digest) == 0 &&
              EVP_PKEY_verify(ctx, leaf->signature.p, leaf->signature.n,
                              digest, sizeof digest) == 1;

    EVP_PKEY_CTX_free(ctx);
    if (!ok)
        ERR_clear_error();
    return ok;
}

static int check(const struct issuer *i, const struct cert_view *leaf,
                 struct span cert_der, const struct eid *eid, struct err *e)
{
    struct eid named;
    char text[EID_DIGITS + 1];

    if (certview_check_role(leaf, ROLE_EUICC, e) != 0 ||
        certview_check_time(leaf, i->at, e) != 0 ||
        certview_eid(leaf, &named, e) != 0)
        return -1;
    if (!eid_eq(&named, eid))
        return err_set(e, ERR_TRUST, "the certificate is that of EID %s",
                       eid_format(&named, text));
    if (certview_check_ein(&i->view, leaf, eid, e) != 0)
        return -1;
    if (!issued_by(i, leaf, cert_der))
        return err_set(e, ERR_TRUST, "the certificate names another issuer "
                                     "than the EUM given for it");
    if (!signed_by(i, leaf))
        return err_set(e, ERR_SIGNATURE,
                       "the EUM's signature does not hold: the certificate "
                       "was altered or forged");
    return 0;
}

int issuer_check_euicc(const struct issuer *i, struct span cert_der,
                       const struct eid *eid, EVP_PKEY **key, struct err *e)
{
    struct cert_view leaf;
    char text[EID_DIGITS + 1];

    if (certview_parse(cert_der, &leaf, e) != 0 ||
        check(i, &leaf, cert_der, eid, e) != 0)
        return err_wrap(e, "CERT.EUICC of EID %s", eid_format(eid, text));
    EVP_PKEY *k = key_from_point(leaf.point, leaf.curve);
    if (!k)
        return err_set(e, ERR_TRUST,
                       "CERT.EUICC of EID %s: its key is not on its curve",
                       eid_format(eid, text));
    *key = k;
    return 0;
}
