#include "tests/lab/smdpf/produce.h"

#include "station/base/clock.h"
#include "station/container/writer.h"
#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "tests/lab/parallel.h"
#include "tests/lab/saip/saip.h"
#include "tests/lab/smdpf/bind.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 128
#define PLMN "00101"                     /* the test network: MCC 001 MNC 01 */
#define ISSUER_PREFIX "8900101"          /* of every ICCID of the lab        */
#define SERIAL_MAX 9999999999ll          /* ten digits                       */
static const uint8_t plmn_octets[3] = { 0x00, 0xF1, 0x10 };

/* One BPP on its way: filled from the book, bound by a worker, written. */
struct job {
    struct eid eid;
    struct txid txid;
    unsigned eum_chain;
    int64_t serial;           /* ICCID and IMSI are made from it */
    const struct given_upp *given;
    struct buf cert, signed2, sign; /* sign: raw 64 */
    struct iccid iccid;
    char imsi[SAIP_IMSI_DIGITS + 1];
    char name[64];
    struct buf upp, metadata, bpp, record;
    uint8_t upp_sha256[32];
};

struct worker {
    struct binder *binder;
    struct ec_maker *maker;
};

struct run {
    const struct produce_order *o;
    struct sql *book;
    struct manifest m;
    struct buf configure;
    struct worker worker[PARALLEL_MAX];
    struct job job[BATCH];
    size_t n;                 /* jobs in the batch */
    int64_t next_serial;
    struct container_writer *cw;
    struct blobs sources;     /* ids, in the order of m.eum_chains */
    struct produced *out;
};

static void job_clear(struct job *j)
{
    struct buf *all[] = { &j->cert, &j->signed2, &j->sign, &j->upp,
                          &j->metadata, &j->bpp, &j->record };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        buf_clear(all[i]);
}

static void run_free(struct run *r)
{
    for (size_t i = 0; i < PARALLEL_MAX; i++) {
        binder_free(r->worker[i].binder);
        ec_maker_free_p(&r->worker[i].maker);
    }
    for (size_t i = 0; i < BATCH; i++)
        job_clear(&r->job[i]);
    container_writer_abort(r->cw);
    buf_clear(&r->configure);
    blobs_clear(&r->sources);
    manifest_clear(&r->m);
    free(r);
}

/* --- one BPP, on a worker's thread --------------------------------------------- */

static int make_numbers(struct job *j, struct err *e)
{
    char digits[ICCID_DIGITS + 1];

    snprintf(j->imsi, sizeof j->imsi, PLMN "%010lld", (long long)j->serial);
    int n = snprintf(digits, sizeof digits, ISSUER_PREFIX "%011lld",
                     (long long)j->serial);
    digits[n] = luhn_digit(digits);
    digits[n + 1] = '\0';
    if (iccid_parse(digits, &j->iccid) != 0)
        return err_set(e, ERR_INTERNAL, "bad ICCID %s", digits);
    return 0;
}

static int make_profile(const struct produce_order *o, struct job *j,
                        struct err *e)
{
    struct saip_subscription s = { .iccid = j->iccid,
                                   .target_size = o->target_size };

    buf_reset(&j->upp);
    if (j->given) {
        snprintf(j->name, sizeof j->name, "%s", j->given->name);
        return saip_personalise(buf_span(&j->given->der), &j->iccid, j->imsi,
                                &j->upp, e);
    }
    if (o->name)
        snprintf(j->name, sizeof j->name, "%.63s", o->name);
    else
        snprintf(j->name, sizeof j->name, "Lab %lld", (long long)j->serial);
    snprintf(s.imsi, sizeof s.imsi, "%s", j->imsi);
    int got = saip_subscription_random(&s, e) == 0
                  ? saip_generate(&s, &j->upp, e)
                  : -1;
    OPENSSL_cleanse(&s, sizeof s);
    return got;
}

/* Fresh otPK.DP and PPKs, gone when this returns (GENS06). */
static int bind_job(struct run *r, struct worker *w, struct job *j,
                    struct err *e)
{
    AUTO(pkey_free_p) EVP_PKEY *otsk = ec_make(w->maker, e);
    struct bsp_keys ppk;
    struct span signed2 = buf_span(&j->signed2), both;
    AUTO(buf_clear) struct buf key = BUF_INIT;
    struct euicc_key k;

    buf_put_span(&key, signed2);
    der_put(&key, TAG_SIGNATURE, buf_span(&j->sign));
    both = buf_span(&key);
    if (!otsk || euicc_key_take(&both, &k, e) != 0)
        return -1;
    if (RAND_bytes((unsigned char *)&ppk, sizeof ppk) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random octets");
    struct bind_input in = {
        .eid = j->eid,
        .txid = j->txid,
        .host_id = SPAN_ARRAY(r->o->smdpf->host_id),
        .otpk_euicc = k.otpk,
        .otsk_dp = otsk,
        .configure = buf_span(&r->configure),
        .metadata = buf_span(&j->metadata),
        .ppk = r->o->session_keys ? NULL : &ppk,
        .upp = buf_span(&j->upp),
    };
    buf_reset(&j->bpp);
    int got = smdpf_bind(w->binder, &in, &j->bpp, e);
    OPENSSL_cleanse(&ppk, sizeof ppk);
    if (got != 0)
        return -1;
    buf_reset(&j->record);
    bpp_record_put(&j->record, &j->eid, buf_span(&j->cert), signed2,
                   SPAN(key.p + signed2.n, key.n - signed2.n), j->eum_chain, 0,
                   buf_span(&j->bpp));
    return buf_ok(&j->record) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static const char *provider(const struct produce_order *o)
{
    return o->provider ? o->provider : o->smdpf->name;
}

static int work(void *ctx, unsigned worker, size_t i, struct err *e)
{
    struct run *r = ctx;
    struct job *j = &r->job[i];
    struct profile_metadata meta = {
        .provider = provider(r->o),
        .name = j->name,
        .profile_class = 2,
        .notify = NOTIFY_ALL,
        .notify_fqdn = r->o->smdpf->fqdn,
        .owner_plmn = SPAN_ARRAY(plmn_octets),
    };

    if (make_numbers(j, e) != 0 || make_profile(r->o, j, e) != 0)
        return -1;
    if (EVP_Q_digest(NULL, "SHA256", NULL, j->upp.p, j->upp.n, j->upp_sha256,
                     NULL) != 1)
        return err_ossl(e, ERR_INTERNAL, "SHA-256 failed");
    meta.iccid = j->iccid;
    buf_reset(&j->metadata);
    profile_metadata_put(&j->metadata, &meta);
    return bind_job(r, &r->worker[worker], j, e);
}

/* --- the book ------------------------------------------------------------------- */

static int issue(struct run *r, const struct job *j, struct err *e)
{
    if (sql_run(r->book, e, "INSERT INTO issued(txid, bundle, eid, iccid, imsi,"
                " msp, name, at, upp_sha256, upp) VALUES(?, ?, ?, ?, ?, ?, ?, ?,"
                " ?, ?)", "bsbbsssibb", SPAN_ARRAY(j->txid.o), r->m.id,
                SPAN_ARRAY(j->eid.o), SPAN_ARRAY(j->iccid.o), j->imsi,
                provider(r->o), j->name, r->m.created_at, SPAN_ARRAY(j->upp_sha256),
                r->o->keep_upp ? buf_span(&j->upp) : SPAN(NULL, 0)) != 0)
        return -1;
    return container_writer_add(r->cw, buf_span(&j->record), e);
}

static int flush(struct run *r, struct err *e)
{
    if (parallel_for(r->n, r->o->threads, work, r, e) != 0)
        return -1;
    for (size_t i = 0; i < r->n; i++)
        if (issue(r, &r->job[i], e) != 0)
            return -1;
    r->out->bpps += r->n;
    r->n = 0;
    return 0;
}

/* The manifest lists each EUM chain once. */
static int source_index(struct run *r, const char *id, struct span chain,
                        unsigned *out, struct err *e)
{
    for (size_t i = 0; i < r->sources.n; i++)
        if (span_eq(buf_span(&r->sources.v[i]), SPAN_STR(id))) {
            *out = (unsigned)i;
            return 0;
        }
    *out = (unsigned)r->sources.n;
    if (blobs_add(&r->sources, SPAN_STR(id)) != 0 ||
        blobs_add(&r->m.eum_chains, chain) != 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    return 0;
}

static int fill_job(struct run *r, sqlite3_stmt *st, const struct eid *eid,
                    struct err *e)
{
    struct job *j = &r->job[r->n];
    const struct produce_order *o = r->o;

    if (!txid_from_span(sql_blob(st, 0), &j->txid))
        return err_set(e, ERR_INTERNAL, "bad transactionId in the book");
    j->eid = *eid;
    j->serial = r->next_serial++;
    j->given = o->upp_count
                   ? &o->upp[(r->out->bpps + r->n) % o->upp_count]
                   : NULL;
    struct buf *to[] = { &j->signed2, &j->sign, &j->cert };
    for (int i = 0; i < 3; i++) {
        buf_reset(to[i]);
        buf_put_span(to[i], sql_blob(st, i + 1));
        if (!buf_ok(to[i]))
            return err_set(e, ERR_NOMEM, "out of memory");
    }
    return source_index(r, sql_text(st, 4), sql_blob(st, 5), &j->eum_chain, e);
}

/* What became a job is used from now on. */
static int job_filled(struct run *r, struct err *e)
{
    struct job *j = &r->job[r->n];

    if (sql_run(r->book, e, "UPDATE otk SET bundle = ? WHERE txid = ?", "sb",
                r->m.id, SPAN_ARRAY(j->txid.o)) != 0)
        return -1;
    r->n++;
    return r->n == BATCH ? flush(r, e) : 0;
}

/* This very key. */
static int take_one(struct run *r, const struct txid *t, struct eid *last,
                    struct err *e)
{
    sqlite3_stmt *st;
    struct eid eid;

    if (sql_start(r->book, &st, e,
                  "SELECT txid, signed2, sign, cert, source, eum_chain, eid"
                  " FROM otk JOIN euicc USING(eid)"
                  " JOIN source ON source.id = source"
                  " WHERE smdpf = ? AND bundle IS NULL AND txid = ?",
                  "sb", r->o->smdpf->oid, SPAN_ARRAY(t->o)) != 0)
        return -1;
    int got = sql_step(r->book, st, e);
    if (got == 0)
        got = err_set(e, ERR_NOT_FOUND, "a key that is not unused");
    else if (got == 1)
        got = eid_from_span(sql_blob(st, 6), &eid)
                  ? fill_job(r, st, &eid, e)
                  : err_set(e, ERR_INTERNAL, "bad EID in the book");
    sql_end(st);
    if (got != 0)
        return -1;
    r->out->euiccs += !eid_eq(&eid, last);
    *last = eid;
    return job_filled(r, e);
}

static int bind_keys(struct run *r, struct err *e)
{
    struct eid last = { { 0 } };

    for (size_t i = 0; i < r->o->key_count; i++)
        if (take_one(r, &r->o->keys[i], &last, e) != 0)
            return -1;
    return flush(r, e);
}

/* The next unused key of this eUICC becomes a job. */
static int take_key(struct run *r, const struct eid *eid, struct err *e)
{
    char digits[EID_DIGITS + 1];
    sqlite3_stmt *st;

    if (sql_start(r->book, &st, e,
                  "SELECT txid, signed2, sign, cert, source, eum_chain FROM otk"
                  " JOIN euicc USING(eid) JOIN source ON source.id = source"
                  " WHERE smdpf = ? AND bundle IS NULL AND eid = ?"
                  " ORDER BY number LIMIT 1",
                  "sb", r->o->smdpf->oid, SPAN_ARRAY(eid->o)) != 0)
        return -1;
    int got = sql_step(r->book, st, e);
    if (got == 0)
        return err_set(e, ERR_NOT_FOUND, "eUICC %s has no unused one-time key "
                       "left for SM-DPf %s (%s)", eid_format(eid, digits),
                       r->o->smdpf->oid, r->o->smdpf->name);
    if (got == 1)
        got = fill_job(r, st, eid, e);
    sql_end(st);
    return got != 0 ? -1 : job_filled(r, e);
}

static int bind_euiccs(struct run *r, const struct eid *eids, size_t n,
                       struct err *e)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < r->o->per_euicc; k++)
            if (take_key(r, &eids[i], e) != 0)
                return -1;
    r->out->euiccs = n;
    return flush(r, e);
}

/* --- for whom -------------------------------------------------------------------- */

struct eids {
    struct eid *v;
    size_t n;
};

static void eids_clear(struct eids *l)
{
    free(l->v);
}

static int eids_add(struct eids *l, struct span eid, struct err *e)
{
    if ((l->n & (l->n - 1)) == 0) { /* grown at powers of two */
        struct eid *v = realloc(l->v, (l->n ? l->n * 2 : 1) * sizeof *v);
        if (!v)
            return err_set(e, ERR_NOMEM, "out of memory");
        l->v = v;
    }
    if (!eid_from_span(eid, &l->v[l->n]))
        return err_set(e, ERR_INTERNAL, "bad EID in the book");
    l->n++;
    return 0;
}

static int find_eids(struct run *r, struct eids *l, struct err *e)
{
    const struct produce_order *o = r->o;
    sqlite3_stmt *st;
    int got;

    if (sql_start(r->book, &st, e,
                  "SELECT eid, COUNT(*) FROM otk WHERE smdpf = ?"
                  " AND bundle IS NULL GROUP BY eid ORDER BY eid",
                  "s", o->smdpf->oid) != 0)
        return -1;
    while ((got = sql_step(r->book, st, e)) == 1) {
        bool enough = (uint64_t)sqlite3_column_int64(st, 1) >= o->per_euicc;
        if (enough && o->count && l->n == o->count)
            break;
        r->out->skipped += !enough;
        if (enough && eids_add(l, sql_blob(st, 0), e) != 0) {
            got = -1;
            break;
        }
    }
    sql_end(st);
    if (got < 0)
        return -1;
    if (l->n == 0)
        return err_set(e, ERR_NOT_FOUND, "no eUICC has %zu unused one-time "
                       "key(s) left for SM-DPf %s (%s). Make a world with more "
                       "keys (--keys), or bind for another --smdpf",
                       o->per_euicc, o->smdpf->oid, o->smdpf->name);
    return 0;
}

/* --- the container ------------------------------------------------------------------ */

static int compare_key_ids(const void *a, const void *b)
{
    return memcmp(a, b, 32);
}

/* Sorted, so that the same stations in another order are the same list, and
 * count one sequence. */
static int fill_recipients(struct run *r, char **sequence_name, struct err *e)
{
    const struct produce_order *o = r->o;
    struct recipients *to = &r->m.recipients;
    AUTO(buf_clear) struct buf name = BUF_INIT;
    AUTO(buf_clear) struct buf ids = BUF_INIT;
    char hex[65];
    bool full = false;

    buf_put(&name, o->smdpf->oid, strlen(o->smdpf->oid));
    to->kind = o->station_count ? RCPT_STATIONS : RCPT_SITE;
    if (!o->station_count) {
        buf_put(&name, " ", 1);
        buf_put_span(&name, SPAN_STR(o->site));
        full |= blobs_add(&to->list, SPAN_STR(o->site)) != 0;
    }
    for (size_t i = 0; i < o->station_count; i++)
        buf_put(&ids, o->stations[i], 32);
    if (buf_ok(&ids) && ids.n)
        qsort(ids.p, ids.n / 32, 32, compare_key_ids);
    for (size_t at = 0; at + 32 <= ids.n; at += 32) {
        full |= blobs_add(&to->list, SPAN(ids.p + at, 32)) != 0;
        hex_encode(SPAN(ids.p + at, 32), hex, sizeof hex);
        buf_put(&name, " ", 1);
        buf_put(&name, hex, 64);
    }
    buf_put_u8(&name, 0);
    if (full || !buf_ok(&ids) || !buf_ok(&name) ||
        !(*sequence_name = strdup((char *)name.p)))
        return err_set(e, ERR_NOMEM, "out of memory");
    return 0;
}

static int fill_manifest(struct run *r, X509 *dppb, struct err *e)
{
    AUTO(str_free_p) char *sequence_name = NULL;
    AUTO(buf_clear) struct buf dp = BUF_INIT;
    int64_t sequence;

    r->m.kind = KIND_BPP_BUNDLE;
    uuid_make(r->m.id);
    snprintf(r->m.issuer, sizeof r->m.issuer, "%s", r->o->smdpf->oid);
    r->m.created_at = clock_system();
    r->m.not_after = r->m.created_at + r->o->valid_s;
    if (fill_recipients(r, &sequence_name, e) != 0 ||
        cert_put(dppb, &dp, e) != 0 ||
        sequence_take(r->book, sequence_name, 1, &sequence, e) != 0)
        return -1;
    if (blobs_add(&r->m.dp_chains, buf_span(&dp)) != 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    r->m.sequence = (uint64_t)sequence;
    return sql_run(r->book, e, "INSERT INTO bundle(id, smdpf, sequence,"
                   " created_at) VALUES(?, ?, ?, ?)", "ssii", r->m.id,
                   r->o->smdpf->oid, sequence, r->m.created_at);
}

static int make_workers(struct run *r, const struct world *w, EVP_PKEY *sk,
                        struct err *e)
{
    for (unsigned i = 0; i < r->o->threads; i++)
        if (binder_new(sk, &r->worker[i].binder, e) != 0 ||
            ec_maker_new(w->curve, &r->worker[i].maker, e) != 0)
            return -1;
    return 0;
}

static int take_serials(struct run *r, size_t n, struct err *e)
{
    if (sequence_take(r->book, "subscription", (int64_t)n, &r->next_serial,
                      e) != 0)
        return -1;
    if (r->next_serial + (int64_t)n > SERIAL_MAX)
        return err_set(e, ERR_LIMIT, "this world's ICCIDs are used up; make a "
                       "new one");
    return 0;
}

/* Within the book's transaction: nothing of it is left on failure. */
static int produce(struct run *r, const struct world *w, struct err *e)
{
    AUTO(holder_clear) struct holder dppb = { NULL, NULL };
    AUTO(eids_clear) struct eids found = { NULL, 0 };
    const struct produce_order *o = r->o;

    configure_isdp_put(&r->configure);
    if (o->eid_count == 0 && o->key_count == 0 && find_eids(r, &found, e) != 0)
        return -1;
    size_t n = o->key_count ? o->key_count
               : o->eid_count ? o->eid_count : found.n;
    if (world_smdpf_holder(w, o->smdpf, "dppb", &dppb, e) != 0 ||
        make_workers(r, w, dppb.key, e) != 0 ||
        fill_manifest(r, dppb.cert, e) != 0 ||
        take_serials(r, n * o->per_euicc, e) != 0 ||
        container_writer_open(o->out, &r->m, &r->cw, e) != 0)
        return -1;
    return o->key_count
               ? bind_keys(r, e)
               : bind_euiccs(r, o->eid_count ? o->eids : found.v, n, e);
}

/* A bundle that never appeared was never issued: its keys are free again. */
static void take_back(struct run *r)
{
    struct err ignored = ERR_INIT;

    if (sql_begin(r->book, &ignored) != 0)
        return;
    if (sql_run(r->book, &ignored, "DELETE FROM issued WHERE bundle = ?", "s",
                r->m.id) != 0 ||
        sql_run(r->book, &ignored, "UPDATE otk SET bundle = NULL"
                " WHERE bundle = ?", "s", r->m.id) != 0 ||
        sql_run(r->book, &ignored, "DELETE FROM bundle WHERE id = ?", "s",
                r->m.id) != 0 ||
        sql_commit(r->book, &ignored) != 0)
        sql_rollback(r->book);
}

/* The book is committed before the bundle appears: what is out in the world
 * is always known to have been issued. */
static int seal(struct run *r, const struct world *w, struct err *e)
{
    AUTO(holder_clear) struct holder auth = { NULL, NULL };
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    uint8_t sha256[32];

    if (world_smdpf_holder(w, r->o->smdpf, "dpauth", &auth, e) != 0)
        return -1;
    struct signer s = { auth.key, auth.cert, NULL };
    struct container_writer *cw = r->cw;
    r->cw = NULL; /* consumed whatever the outcome */
    if (container_writer_seal(cw, &s, &cms, &r->out->container, e) != 0)
        return -1;
    if (EVP_Q_digest(NULL, "SHA256", NULL, cms.p, cms.n, sha256, NULL) != 1)
        return err_ossl(e, ERR_INTERNAL, "SHA-256 failed");
    memcpy(r->out->id, r->m.id, sizeof r->out->id);
    return sql_run(r->book, e, "UPDATE bundle SET sha256 = ? WHERE id = ?",
                   "bs", SPAN_ARRAY(sha256), r->m.id);
}

static int check_order(const struct produce_order *o, struct err *e)
{
    if (o->per_euicc < 1)
        return err_set(e, ERR_USAGE, "at least one profile for each eUICC");
    if (!o->station_count && !o->site)
        return err_set(e, ERR_USAGE, "no recipient; name a station or a site");
    if (o->threads < 1 || o->threads > PARALLEL_MAX)
        return err_set(e, ERR_USAGE, "%u threads; 1 to %d are possible",
                       o->threads, PARALLEL_MAX);
    return 0;
}

int smdpf_produce(const struct world *w, struct sql *book,
                  const struct produce_order *o, struct produced *out,
                  struct err *e)
{
    struct run *r = calloc(1, sizeof *r);

    if (!r)
        return err_set(e, ERR_NOMEM, "out of memory");
    memset(out, 0, sizeof *out);
    r->o = o;
    r->book = book;
    r->out = out;
    manifest_init(&r->m);
    int got = check_order(o, e);
    if (got == 0)
        got = sql_begin(book, e);
    if (got == 0) {
        got = produce(r, w, e) == 0 ? sql_commit(book, e) : -1;
        sql_rollback(book);
    }
    if (got == 0) {
        got = seal(r, w, e);
        if (got != 0 && !out->container)
            take_back(r);
    }
    run_free(r);
    return got;
}
