#include "tests/lab/pki/eum.h"

#include "station/base/clock.h"
#include "station/container/writer.h"
#include "station/ifpp/tags.h"
#include "tests/lab/euicc/store.h"
#include "tests/lab/parallel.h"
#include "tests/lab/pki/issue.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 256
#define DATA_VALID_S (4ll * 365 * 86400) /* within the signer's certificate */

/* What every eUICC of one run shares, and the records of the batch that is
 * being made. Workers touch only their own maker and their own record. */
struct eum {
    const struct world *w;
    const struct eum_order *order;
    struct holder eum;
    struct buf eum_chain, ci_root;
    unsigned long long block; /* of serial numbers, drawn once */
    size_t base;              /* index of the batch's first    */
    struct ec_maker *maker[PARALLEL_MAX];
    struct buf record[BATCH];
};

static void eum_clear(struct eum *m)
{
    holder_clear(&m->eum);
    buf_clear(&m->eum_chain);
    buf_clear(&m->ci_root);
    for (size_t i = 0; i < PARALLEL_MAX; i++)
        ec_maker_free_p(&m->maker[i]);
    for (size_t i = 0; i < BATCH; i++)
        buf_clear(&m->record[i]);
}

/* --- one eUICC ----------------------------------------------------------------- */

/* EIN (8 digits), block (10), number in the block (12), check (2). */
static int make_eid(const struct eum *m, size_t number, struct eid *out,
                    struct err *e)
{
    char digits[EID_DIGITS + 1];

    snprintf(digits, sizeof digits, WORLD_EIN "%010llu%012zu00", m->block,
             number);
    if (hex_decode(digits, out->o, sizeof out->o) != 0)
        return err_set(e, ERR_INTERNAL, "bad EID digits %s", digits);
    eid_complete(out);
    return 0;
}

/* One-time keys as the chip stores them; the spans point into the bufs. */
struct keys {
    size_t n;
    struct euicc_otk *otk;
    struct buf *otsk;
    struct buf *signed2;
};

static void keys_clear(struct keys *k)
{
    for (size_t i = 0; k->otsk && i < k->n; i++) {
        if (k->otsk[i].p)
            OPENSSL_cleanse(k->otsk[i].p, k->otsk[i].n);
        buf_clear(&k->otsk[i]);
    }
    for (size_t i = 0; k->signed2 && i < k->n; i++)
        buf_clear(&k->signed2[i]);
    free(k->otk);
    free(k->otsk);
    free(k->signed2);
}

/* EUICCSigned2, made in advance: 30 { 80 transactionId, 5F49 otPK }. */
static int make_key(struct keys *k, size_t i, struct ec_maker *maker,
                    struct ec_signer *signer, struct err *e)
{
    struct euicc_otk *o = &k->otk[i];
    AUTO(pkey_free_p) EVP_PKEY *pair = ec_make(maker, e);

    if (!pair || ec_point(pair, o->otpk, e) != 0 ||
        ec_pkcs8(pair, &k->otsk[i], e) != 0)
        return -1;
    if (RAND_bytes(o->txid.o, sizeof o->txid.o) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random octets");
    size_t m = der_open(&k->signed2[i]);
    der_put(&k->signed2[i], 0x80, SPAN_ARRAY(o->txid.o));
    der_put(&k->signed2[i], TAG_OTPK, SPAN_ARRAY(o->otpk));
    der_close(&k->signed2[i], TAG_SEQUENCE, m);
    if (!buf_ok(&k->signed2[i]))
        return err_set(e, ERR_NOMEM, "out of memory");
    o->otsk = buf_span(&k->otsk[i]);
    o->signed2 = buf_span(&k->signed2[i]);
    return ec_sign(signer, &o->signed2, 1, o->sign, e);
}

static int make_keys(struct keys *k, size_t n, struct ec_maker *maker,
                     EVP_PKEY *sk, struct err *e)
{
    AUTO(ec_signer_free_p) struct ec_signer *signer = NULL;

    k->n = n;
    k->otk = calloc(n, sizeof *k->otk);
    k->otsk = calloc(n, sizeof *k->otsk);
    k->signed2 = calloc(n, sizeof *k->signed2);
    if (!k->otk || !k->otsk || !k->signed2)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (ec_signer_new(sk, &signer, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (make_key(k, i, maker, signer, e) != 0)
            return -1;
    return 0;
}

static int certify(const struct eum *m, const struct eid *eid, EVP_PKEY *key,
                   struct buf *cert, struct err *e)
{
    char digits[EID_DIGITS + 1];
    AUTO(x509_free_p) X509 *c = NULL;
    struct issue what = { .role = ROLE_EUICC,
                          .common_name = "Lab eUICC",
                          .organisation = "Lab EUM",
                          .serial_number = eid_format(eid, digits) };

    if (issue_cert(&what, key, &m->eum, &c, e) != 0)
        return -1;
    return cert_put(c, cert, e);
}

static void record_put(struct buf *b, const struct euicc_perso *p)
{
    size_t m = der_open(b);

    der_put(b, TAG_EID, SPAN_ARRAY(p->eid.o));
    buf_put_span(b, p->cert);
    size_t keys = der_open(b);
    for (size_t i = 0; i < p->key_count; i++) {
        buf_put_span(b, p->keys[i].signed2);
        der_put(b, TAG_SIGNATURE, SPAN_ARRAY(p->keys[i].sign));
    }
    der_close(b, TAG_SEQUENCE, keys);
    der_close(b, TAG_SEQUENCE, m);
}

static int store(const struct eum *m, struct euicc_perso *p, EVP_PKEY *sk,
                 struct err *e)
{
    char digits[EID_DIGITS + 1];
    AUTO(buf_clear) struct buf pkcs8 = BUF_INIT;
    AUTO(str_free_p) char *path =
        world_path(m->w, e, "euicc/%s.db", eid_format(&p->eid, digits));

    if (!path || ec_pkcs8(sk, &pkcs8, e) != 0)
        return -1;
    p->sk = buf_span(&pkcs8);
    int got = euicc_store_create(path, p, e);
    OPENSSL_cleanse(pkcs8.p, pkcs8.n);
    p->sk = SPAN(NULL, 0);
    return got;
}

static int make_euicc(void *ctx, unsigned worker, size_t i, struct err *e)
{
    struct eum *m = ctx;
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    AUTO(keys_clear) struct keys keys = { 0, NULL, NULL, NULL };
    AUTO(pkey_free_p) EVP_PKEY *sk = ec_make(m->maker[worker], e);
    struct euicc_perso p = { .eum_chain = buf_span(&m->eum_chain),
                             .ci_root = buf_span(&m->ci_root),
                             .kind = m->order->kind };

    if (!sk || make_eid(m, m->base + i, &p.eid, e) != 0 ||
        certify(m, &p.eid, sk, &cert, e) != 0 ||
        make_keys(&keys, m->order->keys, m->maker[worker], sk, e) != 0)
        return -1;
    p.cert = buf_span(&cert);
    p.keys = keys.otk;
    p.key_count = keys.n;
    buf_reset(&m->record[i]);
    record_put(&m->record[i], &p);
    if (!buf_ok(&m->record[i]))
        return err_set(e, ERR_NOMEM, "out of memory");
    return store(m, &p, sk, e);
}

/* --- the batch ------------------------------------------------------------------ */

static int fill_manifest(const struct eum *m, const char *issuer,
                         struct manifest *out, struct err *e)
{
    const struct world *w = m->w;
    bool full = false;

    out->kind = KIND_EUICC_DATA;
    snprintf(out->issuer, sizeof out->issuer, "%s", issuer);
    out->sequence = 1; /* one run of the EUM per world */
    out->created_at = clock_system();
    out->not_after = out->created_at + DATA_VALID_S;
    out->recipients.kind = RCPT_PARTIES;
    for (size_t i = 0; i < w->smdpf_count; i++)
        full |= blobs_add(&out->recipients.list, SPAN_STR(w->smdpf[i].oid)) != 0;
    for (size_t i = 0; i < m->order->keys; i++)
        full |= blobs_add(&out->key_recipients,
                          SPAN_STR(w->smdpf[i % w->smdpf_count].oid)) != 0;
    full |= blobs_add(&out->eum_chains, buf_span(&m->eum_chain)) != 0;
    if (full)
        return err_set(e, ERR_NOMEM, "out of memory");
    return euicc_info2_put(&out->info2, m->order->kind, buf_span(&m->ci_root),
                           e);
}

static int make_all(struct eum *m, struct container_writer *cw, struct err *e)
{
    for (m->base = 0; m->base < m->order->euiccs; m->base += BATCH) {
        size_t n = m->order->euiccs - m->base;
        if (n > BATCH)
            n = BATCH;
        if (parallel_for(n, m->order->threads, make_euicc, m, e) != 0)
            return -1;
        for (size_t i = 0; i < n; i++)
            if (container_writer_add(cw, buf_span(&m->record[i]), e) != 0)
                return -1;
    }
    return 0;
}

static int seal_data(struct eum *m, char **container, struct err *e)
{
    AUTO(holder_clear) struct holder leaf = { NULL, NULL };
    AUTO(manifest_clear) struct manifest manifest;
    AUTO(str_free_p) char *dir = world_path(m->w, e, "out");
    STACK_OF(X509) *chain = NULL;
    struct container_writer *cw;
    char issuer[REGISTERED_ID_MAX + 1];

    manifest_init(&manifest);
    if (!dir || world_holder(m->w, "eum/data", &leaf, e) != 0)
        return -1;
    if (cert_registered_id(leaf.cert, issuer) != 0)
        return err_set(e, ERR_FORMAT, "eum/data.pem names no id");
    if (fill_manifest(m, issuer, &manifest, e) != 0 ||
        container_writer_open(dir, &manifest, &cw, e) != 0)
        return -1;
    if (make_all(m, cw, e) != 0) {
        container_writer_abort(cw);
        return -1;
    }
    chain = sk_X509_new_null();
    if (!chain || sk_X509_push(chain, m->eum.cert) <= 0) {
        sk_X509_free(chain);
        container_writer_abort(cw);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    struct signer s = { leaf.key, leaf.cert, chain };
    int got = container_writer_seal(cw, &s, NULL, container, e);
    sk_X509_free(chain);
    return got;
}

static int prepare(struct eum *m, struct err *e)
{
    unsigned char r[8];

    if (world_holder(m->w, "eum/eum", &m->eum, e) != 0 ||
        cert_put(m->eum.cert, &m->eum_chain, e) != 0 ||
        world_cert_der(m->w, "ci/root", &m->ci_root, e) != 0)
        return -1;
    if (RAND_bytes(r, sizeof r) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random octets");
    for (size_t i = 0; i < sizeof r; i++)
        m->block = m->block << 8 | r[i];
    m->block %= 10000000000ull;
    for (unsigned i = 0; i < m->order->threads; i++)
        if (ec_maker_new(m->w->curve, &m->maker[i], e) != 0)
            return -1;
    return 0;
}

int eum_check_order(const struct eum_order *o, struct err *e)
{
    if (o->euiccs < 1 || o->euiccs > EUM_EUICCS_MAX)
        return err_set(e, ERR_USAGE, "%zu eUICCs; 1 to %d are possible",
                       o->euiccs, EUM_EUICCS_MAX);
    if (o->keys < 1 || o->keys > EUICC_DATA_KEYS_MAX)
        return err_set(e, ERR_USAGE, "%zu one-time keys; 1 to %d are possible",
                       o->keys, EUICC_DATA_KEYS_MAX);
    if (o->threads < 1 || o->threads > PARALLEL_MAX)
        return err_set(e, ERR_USAGE, "%u threads; 1 to %d are possible",
                       o->threads, PARALLEL_MAX);
    return 0;
}

int eum_make(const struct world *w, const struct eum_order *o,
             char **container, struct err *e)
{
    if (eum_check_order(o, e) != 0)
        return -1;
    struct eum *m = calloc(1, sizeof *m);
    if (!m)
        return err_set(e, ERR_NOMEM, "out of memory");
    m->w = w;
    m->order = o;
    int got = prepare(m, e) == 0 ? seal_data(m, container, e) : -1;
    eum_clear(m);
    free(m);
    return got;
}
