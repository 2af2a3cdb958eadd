#include "station/import/records.h"

#include "station/ifpp/cert.h"
#include "station/ifpp/tags.h"

#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

struct dp {
    STACK_OF(X509) *chain;
    EVP_PKEY *key; /* borrowed from chain */
};

struct proof {
    const struct manifest *m;
    struct issuer **eum;
    size_t eum_count;
    struct dp *dp;
    size_t dp_count;
};

void proof_free(struct proof *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->eum_count; i++)
        issuer_free(p->eum[i]);
    for (size_t i = 0; i < p->dp_count; i++)
        cert_stack_free(&p->dp[i].chain);
    free(p->eum);
    free(p->dp);
    free(p);
}

void proof_free_p(struct proof **p)
{
    proof_free(*p);
    *p = NULL;
}

/* DPpb, DPauth and the manifest's issuer carry the same OID. */
static int dp_prove(struct dp *d, struct span chain, const struct trust *ci,
                    const struct manifest *m, int64_t at, struct err *e)
{
    char oid[REGISTERED_ID_MAX + 1];

    if (cert_chain_decode(chain, &d->chain, e) != 0 ||
        cert_verify(ci, d->chain, ROLE_DPPB, at, e) != 0)
        return -1;
    X509 *leaf = sk_X509_value(d->chain, 0);
    if (cert_registered_id(leaf, oid) != 0 || strcmp(oid, m->issuer) != 0)
        return err_set(e, ERR_TRUST,
                       "the binding certificate belongs to another SM-DPf than "
                       "the bundle's issuer %s; ask that SM-DPf for a new "
                       "bundle", m->issuer);
    d->key = cert_key(leaf, e);
    return d->key ? 0 : -1;
}

int proof_new(const struct import_trust *t, const struct trust *ci,
              const struct manifest *m, struct proof **out, struct err *e)
{
    AUTO(proof_free_p) struct proof *p = calloc(1, sizeof *p);

    if (!p)
        return err_set(e, ERR_NOMEM, "out of memory");
    p->m = m;
    p->eum = calloc(m->eum_chains.n ? m->eum_chains.n : 1, sizeof *p->eum);
    p->dp = calloc(m->dp_chains.n ? m->dp_chains.n : 1, sizeof *p->dp);
    if (!p->eum || !p->dp)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (; p->eum_count < m->eum_chains.n; p->eum_count++)
        if (issuer_new_eum(ci, buf_span(&m->eum_chains.v[p->eum_count]), t->at,
                           &p->eum[p->eum_count], e) != 0)
            return err_wrap(e, "EUM chain %zu", p->eum_count);
    for (size_t i = 0; i < m->dp_chains.n; i++) {
        p->dp_count++; /* its chain is freed even when the proof fails */
        if (dp_prove(&p->dp[i], buf_span(&m->dp_chains.v[i]), ci, m, t->at,
                     e) != 0)
            return err_wrap(e, "SM-DPf chain %zu", i);
    }
    *out = p;
    p = NULL;
    return 0;
}

/* Point on the curve of the key it will be used with: a BPP whose otPK is not
 * would be refused by the eUICC, after travelling to the line. */
static int same_curve(EVP_PKEY *key, struct span point, const char *what,
                      struct err *e)
{
    char group[64];
    size_t n = 0;

    if (EVP_PKEY_get_group_name(key, group, sizeof group, &n) != 1)
        return err_ossl(e, ERR_INTERNAL, "key without a curve");
    int nid = OBJ_sn2nid(group);
    if (nid == NID_undef)
        nid = OBJ_ln2nid(group);
    if (point_check(point, nid) != 0)
        return err_set(e, ERR_FORMAT, "%s is not a point on %s", what, group);
    return 0;
}

static int euicc_key_of(const struct proof *p, unsigned chain,
                        struct span cert, const struct eid *eid,
                        EVP_PKEY **key, struct err *e)
{
    if (chain >= p->eum_count)
        return err_set(e, ERR_FORMAT, "EUM chain %u is not in the manifest",
                       chain);
    return issuer_check_euicc(p->eum[chain], cert, eid, key, e);
}

static int bundle_record(const struct proof *p, struct span in,
                         struct buf *frames, struct err *e)
{
    struct bpp_record r;
    struct bpp_metadata md;
    AUTO(buf_clear) struct buf store = BUF_INIT;
    EVP_PKEY *euicc = NULL;
    int bad = -1;

    if (bpp_record_parse(in, &r, e) != 0)
        return -1;
    char txid[TXID_HEX + 1];
    txid_format(&r.key.txid, txid);
    if (r.dp_chain >= p->dp_count) {
        err_set(e, ERR_FORMAT, "SM-DPf chain %u is not in the manifest",
                r.dp_chain);
        goto out;
    }
    if (!txid_eq(&r.key.txid, &r.bpp.txid)) {
        err_set(e, ERR_CONFLICT, "the BPP names another transactionId than "
                                 "the one-time key it is said to be for");
        goto out;
    }
    if (euicc_key_of(p, r.eum_chain, r.cert.whole, &r.eid, &euicc, e) != 0 ||
        euicc_key_check(&r.key, euicc, e) != 0)
        goto out;
    EVP_PKEY *dppb = p->dp[r.dp_chain].key;
    if (bpp_check_sign(&r.bpp, dppb, r.key.otpk, e) != 0 ||
        same_curve(euicc, r.key.otpk, "otPK.EUICC.KA", e) != 0 ||
        same_curve(euicc, r.bpp.otpk_dp, "otPK.DP.KA", e) != 0 ||
        bpp_metadata(&r.bpp, &store, &md, e) != 0)
        goto out;

    struct frame_record f = { .eid = r.eid, .txid = r.key.txid,
                              .iccid = md.iccid, .eum_chain = r.eum_chain,
                              .dp_chain = r.dp_chain,
                              .delete_notified = md.delete_notified,
                              .profile_class = (unsigned)md.profile_class,
                              .record = in };
    memcpy(f.name, md.name, sizeof f.name);
    memcpy(f.provider, md.provider, sizeof f.provider);
    size_t mark = frames->n;
    frame_put_header(frames, FRAME_RECORD, 0);
    frame_record_put(frames, &f);
    if (!buf_ok(frames)) {
        err_set(e, ERR_NOMEM, "out of memory");
        goto out;
    }
    size_t n = frames->n - mark - FRAME_HEADER;
    for (int i = 0; i < 4; i++)
        frames->p[mark + 1 + (size_t)i] = (uint8_t)(n >> (24 - 8 * i));
    bad = 0;
out:
    EVP_PKEY_free(euicc);
    return bad ? err_wrap(e, "transactionId %s", txid) : 0;
}

static int euicc_data_record(const struct proof *p, struct span in,
                             struct buf *frames, struct err *e)
{
    struct euicc_data_record r;
    EVP_PKEY *euicc = NULL;
    char eid[EID_DIGITS + 1];
    size_t n = 0;
    int bad = -1;

    if (euicc_data_record_parse(in, &r, e) != 0)
        return -1;
    eid_format(&r.eid, eid);
    if (euicc_key_of(p, 0, r.cert.whole, &r.eid, &euicc, e) != 0)
        goto out;
    for (struct span rest = r.keys; rest.n > 0; n++) {
        struct euicc_key k;
        if (euicc_key_take(&rest, &k, e) != 0 ||
            euicc_key_check(&k, euicc, e) != 0 ||
            same_curve(euicc, k.otpk, "otPK.EUICC.KA", e) != 0) {
            err_wrap(e, "one-time key %zu", n);
            goto out;
        }
    }
    if (n > p->m->key_recipients.n) {
        err_set(e, ERR_FORMAT,
                "%zu one-time keys, but the manifest says for %zu only which "
                "SM-DPf they are meant for", n, p->m->key_recipients.n);
        goto out;
    }
    frame_put_header(frames, FRAME_KEYS, in.n);
    buf_put_span(frames, in);
    bad = buf_ok(frames) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
out:
    EVP_PKEY_free(euicc);
    return bad ? err_wrap(e, "EID %s", eid) : 0;
}

int proof_record(const struct proof *p, struct span record, struct buf *frames,
                 struct err *e)
{
    switch (p->m->kind) {
    case KIND_BPP_BUNDLE:
        return bundle_record(p, record, frames, e);
    case KIND_EUICC_DATA:
        return euicc_data_record(p, record, frames, e);
    default:
        return err_set(e, ERR_FORMAT, "a %s has no records",
                       kind_name(p->m->kind));
    }
}
