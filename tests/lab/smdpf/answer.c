#include "tests/lab/smdpf/answer.h"

#include "station/base/clock.h"
#include "station/ifpp/bpp.h"
#include "tests/lab/incoming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct taking {
    const struct world *w;
    struct sql *book;
    struct incoming in;
    const struct world_smdpf *smdpf;
    struct issuer **eum; /* one per chain of the manifest */
    struct txid *keys;   /* in the order of the request   */
    size_t n;
};

static void taking_clear(struct taking *k)
{
    for (size_t i = 0; k->eum && i < k->in.m.eum_chains.n; i++)
        issuer_free(k->eum[i]);
    free(k->eum);
    free(k->keys);
    incoming_close(&k->in);
}

/* --- proof ------------------------------------------------------------------------ */

static int open_chains(struct taking *k, struct err *e)
{
    AUTO(trust_free_p) struct trust *ci = NULL;
    const struct blobs *b = &k->in.m.eum_chains;

    k->eum = calloc(b->n, sizeof *k->eum);
    k->keys = calloc(k->in.m.keys_offered, sizeof *k->keys);
    if (!k->eum || !k->keys)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (world_trust(k->w, "ci/root", &ci, e) != 0)
        return -1;
    for (size_t i = 0; i < b->n; i++)
        if (issuer_new_eum(ci, buf_span(&b->v[i]), clock_system(), &k->eum[i],
                           e) != 0)
            return err_wrap(e, "EUM chain %zu", i);
    return 0;
}

/* What SGP.41 calls the eligibility of an eUICC: certified by a CI that is
 * trusted here, on the curve that this SM-DPf binds with. */
static int prove(const struct taking *k, const struct key_record *r,
                 struct err *e)
{
    AUTO(pkey_free_p) EVP_PKEY *key = NULL;

    if (r->eum_chain >= k->in.m.eum_chains.n)
        return err_set(e, ERR_FORMAT, "EUM chain %u is not in the manifest",
                       r->eum_chain);
    if (issuer_check_euicc(k->eum[r->eum_chain], r->cert.whole, &r->eid, &key,
                           e) != 0 ||
        euicc_key_check(&r->key, key, e) != 0)
        return -1;
    return point_check(r->key.otpk, k->w->curve) == 0 ? 0
         : err_set(e, ERR_TRUST, "the eUICC's curve is not this SM-DPf's");
}

/* --- the book ---------------------------------------------------------------------- */

/* A key that the EUM told of, or an earlier request. *known. */
static int check_known(struct taking *k, const struct key_record *r,
                       bool *known, struct err *e)
{
    char hex[TXID_HEX + 1];
    sqlite3_stmt *st;

    if (sql_start(k->book, &st, e, "SELECT eid, smdpf, signed2, bundle FROM otk"
                  " WHERE txid = ?", "b", SPAN_ARRAY(r->key.txid.o)) != 0)
        return -1;
    int got = sql_step(k->book, st, e);
    *known = got == 1;
    txid_format(&r->key.txid, hex);
    if (got == 1 && strcmp(sql_text(st, 1), k->smdpf->oid) != 0)
        got = err_set(e, ERR_CONFLICT, "key %s is meant for SM-DPf %s, not for "
                      "%s", hex, sql_text(st, 1), k->smdpf->oid);
    else if (got == 1 && sql_text(st, 3)[0])
        got = err_set(e, ERR_CONFLICT, "key %s was bound before, in bundle %s",
                      hex, sql_text(st, 3));
    else if (got == 1 && (!span_eq(sql_blob(st, 0), SPAN_ARRAY(r->eid.o)) ||
                          !span_eq(sql_blob(st, 2), r->key.signed2.whole)))
        got = err_set(e, ERR_CONFLICT, "key %s is known here as another one", hex);
    sql_end(st);
    return got < 0 ? -1 : 0;
}

static int learn(struct taking *k, const struct key_record *r, struct err *e)
{
    char source[64];

    snprintf(source, sizeof source, "%s/%u", k->in.m.id, r->eum_chain);
    return sql_run(k->book, e, "INSERT OR IGNORE INTO source(id, sha256,"
                   " eum_chain) VALUES(?, ?, ?)", "sbb", source,
                   SPAN_ARRAY(k->in.sha256),
                   buf_span(&k->in.m.eum_chains.v[r->eum_chain])) != 0 ||
           sql_run(k->book, e, "INSERT OR IGNORE INTO euicc(eid, cert, source)"
                   " VALUES(?, ?, ?)", "bbs", SPAN_ARRAY(r->eid.o),
                   r->cert.whole, source) != 0 ||
           sql_run(k->book, e, "INSERT INTO otk(txid, eid, number, smdpf,"
                   " signed2, sign) SELECT ?1, ?2, coalesce(max(number) + 1, 0),"
                   " ?3, ?4, ?5 FROM otk WHERE eid = ?2", "bbsbb",
                   SPAN_ARRAY(r->key.txid.o), SPAN_ARRAY(r->eid.o),
                   k->smdpf->oid, r->key.signed2.whole, r->key.sign) != 0
               ? -1 : 0;
}

static int take_record(void *ctx, uint64_t number, struct span record,
                       struct err *e)
{
    struct taking *k = ctx;
    struct key_record r;
    bool known;

    (void)number;
    if (key_record_parse(record, &r, e) != 0 || prove(k, &r, e) != 0 ||
        check_known(k, &r, &known, e) != 0 || (!known && learn(k, &r, e) != 0))
        return -1;
    k->keys[k->n++] = r.key.txid;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct txid));
}

static int none_twice(const struct taking *k, struct err *e)
{
    struct txid *sorted = malloc(k->n * sizeof *sorted);
    char hex[TXID_HEX + 1];
    size_t i = 1;

    if (!sorted)
        return err_set(e, ERR_NOMEM, "out of memory");
    memcpy(sorted, k->keys, k->n * sizeof *sorted);
    qsort(sorted, k->n, sizeof *sorted, compare);
    while (i < k->n && !txid_eq(&sorted[i], &sorted[i - 1]))
        i++;
    if (i < k->n)
        err_set(e, ERR_CONFLICT, "key %s stands there twice",
                txid_format(&sorted[i], hex));
    free(sorted);
    return i < k->n ? -1 : 0;
}

static int take_all(struct taking *k, struct err *e)
{
    if (sql_begin(k->book, e) != 0)
        return -1;
    if (container_read_segments(k->in.fd, &k->in.m, take_record, k, e) != 0 ||
        none_twice(k, e) != 0) {
        sql_rollback(k->book);
        return -1;
    }
    return sql_commit(k->book, e);
}

/* --- the answer --------------------------------------------------------------------- */

static int for_us(struct taking *k, struct err *e)
{
    struct span to = buf_span(&k->in.m.recipients.list.v[0]);
    char oid[REGISTERED_ID_MAX + 1];
    int64_t before;

    snprintf(oid, sizeof oid, "%.*s", (int)to.n, (const char *)to.p);
    k->smdpf = world_find_smdpf(k->w, oid);
    if (!k->smdpf)
        return err_set(e, ERR_TRUST, "it is for SM-DPf %s, which is none of this "
                       "world", oid);
    if (sql_int(k->book, 0, &before, e, "SELECT 1 FROM request WHERE id = ?",
                "s", k->in.m.id) != 0)
        return -1;
    return before ? err_set(e, ERR_REPLAY, "request %s was answered before",
                            k->in.m.id) : 0;
}

static int bind(struct taking *k, const struct produce_order *with,
                struct answered *out, struct err *e)
{
    uint8_t station[1][32];
    struct produce_order o = *with;

    cert_key_id(k->in.signer, station[0]);
    o.smdpf = k->smdpf;
    o.stations = (const uint8_t (*)[32])station;
    o.station_count = 1;
    o.per_euicc = 1;
    o.keys = k->keys;
    o.key_count = k->n;
    o.provider = k->in.m.msp[0] ? k->in.m.msp : NULL;
    o.name = k->in.m.profile[0] ? k->in.m.profile : NULL;
    if (smdpf_produce(k->w, k->book, &o, &out->made, e) != 0)
        return -1;
    snprintf(out->request, sizeof out->request, "%s", k->in.m.id);
    snprintf(out->station, sizeof out->station, "%s", k->in.m.issuer);
    snprintf(out->msp, sizeof out->msp, "%s", k->in.m.msp);
    snprintf(out->profile, sizeof out->profile, "%s", k->in.m.profile);
    return sql_run(k->book, e, "INSERT INTO request(id, station, sequence,"
                   " bundle) VALUES(?, ?, ?, ?)", "ssis", k->in.m.id,
                   k->in.m.issuer, (int64_t)k->in.m.sequence, out->made.id);
}

int smdpf_answer(const struct world *w, struct sql *book, const char *path,
                 const struct produce_order *o, struct answered *out,
                 struct err *e)
{
    struct taking k = { .w = w, .book = book };

    memset(out, 0, sizeof *out);
    if (incoming_open(w, path, KIND_BPP_REQUEST, &k.in, e) != 0)
        return -1;
    int got = for_us(&k, e) != 0 || open_chains(&k, e) != 0 ||
              take_all(&k, e) != 0
                  ? err_wrap(e, "%s", path) : bind(&k, o, out, e);
    taking_clear(&k);
    return got;
}
