#include "station/verify/bundle.h"

#include "station/ifpp/bpp.h"

#include <stdlib.h>
#include <string.h>

static int dp_chain(STACK_OF(X509) **out, struct span der,
                    const struct manifest *m, const struct trust *ci,
                    int64_t at, struct err *e)
{
    char oid[REGISTERED_ID_MAX + 1];

    if (cert_chain_decode(der, out, e) != 0 ||
        cert_verify(ci, *out, ROLE_DPPB, at, e) != 0)
        return -1;
    if (cert_registered_id(sk_X509_value(*out, 0), oid) != 0 ||
        strcmp(oid, m->issuer) != 0)
        return err_set(e, ERR_TRUST, "the binding certificate belongs to "
                                     "another SM-DPf than the bundle's issuer "
                                     "%s", m->issuer);
    return 0;
}

int dp_chains_open(struct dp_chains *d, const struct manifest *m,
                   const struct trust *ci, int64_t at, struct err *e)
{
    const struct blobs *b = &m->dp_chains;

    d->v = calloc(b->n ? b->n : 1, sizeof *d->v);
    if (!d->v)
        return err_set(e, ERR_NOMEM, "out of memory");
    while (d->n < b->n) {
        size_t i = d->n++; /* what it holds is freed even if it is refused */
        if (dp_chain(&d->v[i], buf_span(&b->v[i]), m, ci, at, e) != 0)
            return err_wrap(e, "SM-DPf chain %zu", i);
    }
    return 0;
}

void dp_chains_close(struct dp_chains *d)
{
    for (size_t i = 0; i < d->n; i++)
        cert_stack_free(&d->v[i]);
    free(d->v);
    *d = (struct dp_chains){ 0 };
}

static int euicc_prove(const struct key_record *k, struct issuer *const *eum,
                       size_t eum_count, struct err *e)
{
    EVP_PKEY *key = NULL;

    if (k->eum_chain >= eum_count)
        return err_set(e, ERR_FORMAT, "EUM chain %u is not in the manifest",
                       k->eum_chain);
    if (issuer_check_euicc(eum[k->eum_chain], k->cert.whole, &k->eid, &key,
                           e) != 0)
        return -1;
    int bad = euicc_key_check(&k->key, key, e);
    EVP_PKEY_free(key);
    return bad;
}

int request_prove(struct span der, struct issuer *const *eum,
                  size_t eum_count, struct txmark *out, struct err *e)
{
    struct key_record k;

    if (key_record_parse(der, &k, e) != 0 ||
        euicc_prove(&k, eum, eum_count, e) != 0)
        return -1;
    *out = (struct txmark){ .txid = k.key.txid, .eid = k.eid };
    return 0;
}

int bundle_prove(struct span der, struct issuer *const *eum, size_t eum_count,
                 const struct dp_chains *d, struct txmark *out, struct err *e)
{
    struct bpp_record b;

    if (bpp_record_parse(der, &b, e) != 0)
        return -1;
    const struct key_record k = { b.eid, b.cert, b.key, b.eum_chain };
    if (euicc_prove(&k, eum, eum_count, e) != 0)
        return -1;
    if (b.dp_chain >= d->n)
        return err_set(e, ERR_FORMAT, "SM-DPf chain %u is not in the manifest",
                       b.dp_chain);
    if (!txid_eq(&b.key.txid, &b.bpp.txid))
        return err_set(e, ERR_CONFLICT, "the BPP names another transactionId "
                                        "than the one-time key it is for");
    EVP_PKEY *dppb = cert_key(sk_X509_value(d->v[b.dp_chain], 0), e);
    if (!dppb || bpp_check_sign(&b.bpp, dppb, b.key.otpk, e) != 0)
        return -1;
    *out = (struct txmark){ .txid = b.key.txid, .eid = b.eid };
    return 0;
}
