#include "tests/bench/mill.h"

#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "station/base/clock.h"
#include "station/container/writer.h"
#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "storage/bundles.h"
#include "storage/lock.h"
#include "tests/bench/bench.h"
#include "tests/lab/parallel.h"
#include "tests/lab/pki/issue.h"
#include "tests/lab/puppet_words.h"
#include "tests/lab/saip/saip.h"
#include "tests/lab/smdpf/bind.h"

#define VALID_S (30 * 86400ll)

static void need(int rc, const struct err *e)
{
    if (rc != 0)
        bench_die("making a bundle: %s", e->msg);
}

static void room(const struct buf *b)
{
    if (!buf_ok(b))
        bench_die("making a bundle: no memory");
}

/* --- numbers ------------------------------------------------------------------ */

void mill_eid(uint64_t n, struct eid *out)
{
    char digits[EID_DIGITS + 1];

    snprintf(digits, sizeof digits, WORLD_EIN "000000000000%010llu00",
             (unsigned long long)n);
    if (hex_decode(digits, out->o, sizeof out->o) != 0)
        bench_die("no EID of number %llu", (unsigned long long)n);
    eid_complete(out);
}

void mill_iccid(uint64_t n, struct iccid *out)
{
    char digits[ICCID_DIGITS + 1];

    int len = snprintf(digits, sizeof digits, "89001010%010llu",
                       (unsigned long long)n);
    digits[len] = luhn_digit(digits);
    digits[len + 1] = '\0';
    if (iccid_parse(digits, out) != 0)
        bench_die("no ICCID of number %llu", (unsigned long long)n);
}

/* Spread like random ones (an odd factor permutes), so that they fall all over
 * an index. */
void mill_txid(uint64_t n, struct txid *out)
{
    uint64_t spread = (n + 1) * 0x9E3779B97F4A7C15u;

    memset(out->o, 0, sizeof out->o);
    memcpy(out->o, &spread, sizeof spread);
    memcpy(out->o + 8, &n, sizeof n);
}

void mill_profile(size_t octets, struct buf *upp)
{
    struct saip_subscription s = { .imsi = "001010000000001",
                                   .target_size = octets };
    struct err e = ERR_INIT;

    mill_iccid(1, &s.iccid);
    need(saip_subscription_random(&s, &e), &e);
    need(saip_generate(&s, upp, &e), &e);
}

/* An odd factor permutes the numbers below a power of two. */
size_t mill_shuffled(size_t i, size_t n)
{
    size_t pow2 = 1, at = i;

    while (pow2 < n)
        pow2 *= 2;
    do
        at = (at * 0x9E3779B1u + 12345) & (pow2 - 1);
    while (at >= n);
    return at;
}

/* --- straight into a ledger ------------------------------------------------------- */

static void stock_one(struct import *i, size_t n)
{
    static const uint8_t octets[32];
    struct import_bpp r = { .name = "Bench", .provider = "Bench",
                            .delete_notified = true,
                            .record = SPAN_ARRAY(octets) };
    struct err e = ERR_INIT;

    mill_txid(n, &r.txid);
    mill_eid(n, &r.eid);
    mill_iccid(n, &r.iccid);
    need(import_bpp(i, &r, &e), &e);
}

void mill_stock(const char *data_dir, struct db *db, size_t n)
{
    AUTO(lock_release_p) struct lock *lock = NULL;
    static const uint8_t der[32];
    const struct span chain = SPAN_ARRAY(der);
    char id[UUID_LEN + 1];
    struct import_head h = {
        .seen = { .kind = SEEN_BPP_BUNDLE, .id = id, .issuer = "2.999.10",
                  .sequence = 1, .created_at = 1700000000,
                  .not_after = 4000000000 },
        .smdp_oid = "2.999.10", .eum_chains = &chain, .eum_chain_count = 1,
        .dp_chains = &chain, .dp_chain_count = 1,
    };
    struct import *i;
    struct err e = ERR_INIT;

    uuid_make(id);
    need(lock_take(data_dir, LOCK_IMPORT, &lock, &e), &e);
    need(import_begin(db, lock, &h, &i, &e), &e);
    for (size_t k = 0; k < n; k++)
        stock_one(i, mill_shuffled(k, n));
    need(import_finish(i, "bench", &(struct import_summary){ 0 }, &e), &e);
}

/* --- eUICCs --------------------------------------------------------------------- */

struct foundry {
    struct holder eum;
    struct ec_maker *maker[PARALLEL_MAX];
    struct mill_euicc *v;
};

static int make_euicc(void *ctx, unsigned worker, size_t i, struct err *e)
{
    struct foundry *f = ctx;
    struct mill_euicc *c = &f->v[i];
    char digits[EID_DIGITS + 1];
    AUTO(x509_free_p) X509 *cert = NULL;

    mill_eid(i, &c->eid);
    const struct issue what = { .role = ROLE_EUICC,
                                .common_name = "Bench eUICC",
                                .organisation = "Bench EUM",
                                .serial_number = eid_format(&c->eid, digits) };
    c->key = ec_make(f->maker[worker], e);
    return c->key && issue_cert(&what, c->key, &f->eum, &cert, e) == 0 &&
           cert_put(cert, &c->cert, e) == 0 &&
           ec_signer_new(c->key, &c->signer, e) == 0 ? 0 : -1;
}

void mill_euiccs_make(const struct site *s, size_t n, struct mill_euiccs *out)
{
    struct foundry f = { .v = calloc(n, sizeof *f.v) };
    unsigned threads = parallel_threads();
    struct err e = ERR_INIT;

    if (!f.v)
        bench_die("no memory for %zu eUICCs", n);
    need(world_holder(&s->world, "eum/eum", &f.eum, &e), &e);
    for (unsigned i = 0; i < threads; i++)
        need(ec_maker_new(NID_X9_62_prime256v1, &f.maker[i], &e), &e);
    need(parallel_for(n, threads, make_euicc, &f, &e), &e);
    for (unsigned i = 0; i < threads; i++)
        ec_maker_free_p(&f.maker[i]);
    holder_clear(&f.eum);
    *out = (struct mill_euiccs){ f.v, n };
}

void mill_euiccs_clear(struct mill_euiccs *l)
{
    for (size_t i = 0; i < l->n; i++) {
        ec_signer_free_p(&l->v[i].signer);
        EVP_PKEY_free(l->v[i].key);
        buf_clear(&l->v[i].cert);
    }
    free(l->v);
    *l = (struct mill_euiccs){ NULL, 0 };
}

/* --- one record ------------------------------------------------------------------- */

/* One thread's. A shaped BPP's otPK.EUICC is the same for all: nobody agrees
 * on anything with it. */
struct press {
    struct ec_maker *maker;
    struct ec_signer *dppb;
    struct binder *binder;
    uint8_t point[EC_POINT_LEN];
    struct buf configure, metadata, bpp, signed2, sign;
};

static struct press *press_new(const struct site *s)
{
    struct press *p = calloc(1, sizeof *p);
    AUTO(holder_clear) struct holder dppb = { NULL, NULL };
    struct err e = ERR_INIT;

    if (!p)
        bench_die("no memory");
    need(world_smdpf_holder(&s->world, s->smdpf, "dppb", &dppb, &e), &e);
    need(ec_maker_new(NID_X9_62_prime256v1, &p->maker, &e), &e);
    need(ec_signer_new(dppb.key, &p->dppb, &e), &e);
    need(binder_new(dppb.key, &p->binder, &e), &e);
    AUTO(pkey_free_p) EVP_PKEY *pair = ec_make(p->maker, &e);
    need(pair ? ec_point(pair, p->point, &e) : -1, &e);
    configure_isdp_put(&p->configure);
    return p;
}

static void press_free(struct press *p)
{
    struct buf *all[] = { &p->configure, &p->metadata, &p->bpp, &p->signed2,
                          &p->sign };

    ec_maker_free_p(&p->maker);
    ec_signer_free_p(&p->dppb);
    binder_free(p->binder);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_clear(all[i]);
    free(p);
}

static int put_signed2(struct press *p, struct mill_euicc *to,
                       const struct txid *t, struct err *e)
{
    uint8_t raw[EC_RAW_SIG_LEN];

    buf_reset(&p->signed2);
    buf_reset(&p->sign);
    size_t m = der_open(&p->signed2);
    der_put(&p->signed2, 0x80, SPAN_ARRAY(t->o));
    der_put(&p->signed2, TAG_OTPK, SPAN_ARRAY(p->point));
    der_close(&p->signed2, TAG_SEQUENCE, m);
    room(&p->signed2);
    const struct span data = buf_span(&p->signed2);
    if (ec_sign(to->signer, &data, 1, raw, e) != 0)
        return -1;
    der_put(&p->sign, TAG_SIGNATURE, SPAN_ARRAY(raw));
    return 0;
}

static void put_record(struct press *p, const struct mill_euicc *to,
                       struct buf *record)
{
    bpp_record_put(record, &to->eid, buf_span(&to->cert), buf_span(&p->signed2),
                   buf_span(&p->sign), 0, 0, buf_span(&p->bpp));
    room(record);
}

/* In place of the filling: smdpSign over BF23's members before it and
 * otPK.EUICC (binding, clause 3). */
static int sign_shape(struct press *p, struct err *e)
{
    AUTO(buf_clear) struct buf otpk = BUF_INIT;
    uint8_t raw[EC_RAW_SIG_LEN];
    struct bpp b;

    room(&p->bpp);
    if (bpp_parse(buf_span(&p->bpp), &b, e) != 0)
        return -1;
    der_put(&otpk, TAG_OTPK, SPAN_ARRAY(p->point));
    size_t sign_tlv = der_tlv_len(TAG_SIGNATURE, sizeof raw);
    struct span parts[] = { span_sub(b.isc.value, 0, b.isc.value.n - sign_tlv),
                            buf_span(&otpk) };
    if (ec_sign(p->dppb, parts, 2, raw, e) != 0)
        return -1;
    memcpy(p->bpp.p + (b.smdp_sign.p - p->bpp.p), raw, sizeof raw);
    return 0;
}

static int shape(struct press *p, struct mill_euicc *to,
                 const struct txid *t, const struct iccid *iccid,
                 size_t profile, struct buf *record, struct err *e)
{
    buf_reset(&p->bpp);
    puppet_put_bpp(&p->bpp, t, iccid, profile);
    if (put_signed2(p, to, t, e) != 0 || sign_shape(p, e) != 0)
        return -1;
    put_record(p, to, record);
    return 0;
}

static int bind(struct press *p, const struct site *s,
                struct mill_euicc *to, const struct txid *t,
                const struct iccid *iccid, struct span upp,
                struct buf *record, struct err *e)
{
    AUTO(pkey_free_p) EVP_PKEY *otsk_euicc = ec_make(p->maker, e);
    AUTO(pkey_free_p) EVP_PKEY *otsk_dp = ec_make(p->maker, e);
    struct bsp_keys ppk;
    const struct profile_metadata meta = {
        .iccid = *iccid, .provider = s->smdpf->name, .name = "Bench",
        .profile_class = 2, .notify = NOTIFY_ALL, .notify_fqdn = s->smdpf->fqdn,
    };

    if (!otsk_euicc || !otsk_dp || ec_point(otsk_euicc, p->point, e) != 0 ||
        put_signed2(p, to, t, e) != 0)
        return -1;
    if (RAND_bytes((unsigned char *)&ppk, sizeof ppk) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random octets");
    buf_reset(&p->metadata);
    profile_metadata_put(&p->metadata, &meta);
    const struct bind_input in = {
        .eid = to->eid, .txid = *t, .host_id = SPAN_ARRAY(s->smdpf->host_id),
        .otpk_euicc = SPAN_ARRAY(p->point), .otsk_dp = otsk_dp,
        .configure = buf_span(&p->configure),
        .metadata = buf_span(&p->metadata), .ppk = &ppk, .upp = upp,
    };
    buf_reset(&p->bpp);
    if (smdpf_bind(p->binder, &in, &p->bpp, e) != 0)
        return -1;
    put_record(p, to, record);
    return 0;
}

/* --- a bundle ----------------------------------------------------------------------- */

struct run {
    const struct site *s;
    const struct mill_order *o;
    struct press *press[PARALLEL_MAX];
    struct buf upp;
    size_t base; /* number of the batch's first */
    struct buf record[MILL_BATCH];
};

/* No two records of a batch are for one eUICC: its signer is one thread's. */
static int make_record(void *ctx, unsigned worker, size_t i, struct err *e)
{
    struct run *r = ctx;
    size_t n = r->base + i;
    struct mill_euicc *to = &r->o->euiccs->v[n % r->o->euiccs->n];
    struct txid t;
    struct iccid iccid;

    mill_txid(n, &t);
    mill_iccid(n, &iccid);
    buf_reset(&r->record[i]);
    return r->o->how == MILL_BOUND
         ? bind(r->press[worker], r->s, to, &t, &iccid, buf_span(&r->upp),
                &r->record[i], e)
         : shape(r->press[worker], to, &t, &iccid, r->o->profile,
                 &r->record[i], e);
}

static void fill_manifest(const struct site *s, X509 *dppb, struct manifest *m)
{
    static uint64_t sequence;
    AUTO(buf_clear) struct buf dp = BUF_INIT;
    AUTO(buf_clear) struct buf eum = BUF_INIT;
    struct err e = ERR_INIT;

    manifest_init(m);
    m->kind = KIND_BPP_BUNDLE;
    snprintf(m->issuer, sizeof m->issuer, "%s", s->smdpf->oid);
    m->created_at = clock_system();
    m->not_after = m->created_at + VALID_S;
    m->sequence = ++sequence;
    m->recipients.kind = RCPT_STATIONS;
    need(cert_put(dppb, &dp, &e), &e);
    need(world_cert_der(&s->world, "eum/eum", &eum, &e), &e);
    if (blobs_add(&m->recipients.list, SPAN_ARRAY(s->key_id)) != 0 ||
        blobs_add(&m->eum_chains, buf_span(&eum)) != 0 ||
        blobs_add(&m->dp_chains, buf_span(&dp)) != 0)
        bench_die("no memory");
}

static void make_records(struct run *r, unsigned threads,
                         struct container_writer *w, struct mill_bundle *out)
{
    struct err e = ERR_INIT;

    for (r->base = 0; r->base < r->o->records; r->base += MILL_BATCH) {
        size_t n = r->o->records - r->base;
        if (n > MILL_BATCH)
            n = MILL_BATCH;
        need(parallel_for(n, threads, make_record, r, &e), &e);
        for (size_t i = 0; i < n; i++) {
            need(container_writer_add(w, buf_span(&r->record[i]), &e), &e);
            out->octets += r->record[i].n;
        }
    }
}

static void run_new(struct run *r, unsigned threads)
{
    size_t n = r->o->euiccs->n;

    if (n < MILL_BATCH && n < r->o->records)
        bench_die("%zu eUICCs are too few for one batch", n);
    for (unsigned i = 0; i < threads; i++)
        r->press[i] = press_new(r->s);
    if (r->o->how == MILL_BOUND)
        mill_profile(r->o->profile, &r->upp);
}

static void run_clear(struct run *r, unsigned threads)
{
    for (unsigned i = 0; i < threads; i++)
        press_free(r->press[i]);
    for (size_t i = 0; i < MILL_BATCH; i++)
        buf_clear(&r->record[i]);
    buf_clear(&r->upp);
}

void mill_bundle_make(const struct site *s, const struct mill_order *o,
                      struct mill_bundle *out)
{
    struct run *r = calloc(1, sizeof *r);
    unsigned threads = parallel_threads();
    AUTO(holder_clear) struct holder auth = { NULL, NULL };
    AUTO(holder_clear) struct holder dppb = { NULL, NULL };
    AUTO(manifest_clear) struct manifest m;
    struct container_writer *w;
    struct err e = ERR_INIT;

    if (!r)
        bench_die("no memory");
    r->s = s;
    r->o = o;
    *out = (struct mill_bundle){ .records = o->records };
    run_new(r, threads);
    need(world_smdpf_holder(&s->world, s->smdpf, "dpauth", &auth, &e), &e);
    need(world_smdpf_holder(&s->world, s->smdpf, "dppb", &dppb, &e), &e);
    fill_manifest(s, dppb.cert, &m);
    need(container_writer_open(s->dir, &m, &w, &e), &e);
    make_records(r, threads, w, out);
    const struct signer by = { auth.key, auth.cert, NULL };
    need(container_writer_seal(w, &by, NULL, &out->path, &e), &e);
    run_clear(r, threads);
    free(r);
}

void mill_bundle_remove(struct mill_bundle *b)
{
    site_remove(b->path);
    b->path = NULL;
}
