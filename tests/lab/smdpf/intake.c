/* The SM-DPf checks what the EUM gave out (SGP.41 DPFF10). */
#include "station/ifpp/bpp.h"
#include "tests/lab/incoming.h"
#include "tests/lab/parallel.h"
#include "tests/lab/smdpf/book.h"

#include <dirent.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 256

/* Records are proven a batch at a time, each by whichever thread is free, and
 * stored in their order. */
struct intake {
    struct incoming in;
    struct sql *book;
    struct issuer *eum;
    unsigned threads;
    struct buf record[BATCH];
    size_t n;
};

static void intake_clear(struct intake *k)
{
    incoming_close(&k->in);
    issuer_free(k->eum);
    for (size_t i = 0; i < BATCH; i++)
        buf_clear(&k->record[i]);
}

static int prove_record(void *ctx, unsigned worker, size_t i, struct err *e)
{
    struct intake *k = ctx;
    struct euicc_data_record r;
    AUTO(pkey_free_p) EVP_PKEY *key = NULL;
    size_t keys = 0;

    (void)worker;
    if (euicc_data_record_parse(buf_span(&k->record[i]), &r, e) != 0 ||
        issuer_check_euicc(k->eum, r.cert.whole, &r.eid, &key, e) != 0)
        return -1;
    for (struct span rest = r.keys; rest.n; keys++) {
        struct euicc_key one;
        if (euicc_key_take(&rest, &one, e) != 0 ||
            euicc_key_check(&one, key, e) != 0)
            return err_wrap(e, "one-time key %zu", keys);
    }
    if (keys != k->in.m.key_recipients.n)
        return err_set(e, ERR_FORMAT, "%zu one-time keys, the manifest names "
                       "recipients for %zu", keys, k->in.m.key_recipients.n);
    return 0;
}

static int store_keys(struct intake *k, const struct euicc_data_record *r,
                      struct err *e)
{
    struct span rest = r->keys;

    for (size_t i = 0; rest.n; i++) {
        struct euicc_key one;
        char oid[REGISTERED_ID_MAX + 1] = "";
        struct span to = buf_span(&k->in.m.key_recipients.v[i]);
        if (euicc_key_take(&rest, &one, e) != 0)
            return -1;
        memcpy(oid, to.p, to.n < sizeof oid ? to.n : sizeof oid - 1);
        if (sql_run(k->book, e,
                    "INSERT INTO otk(txid, eid, number, smdpf, signed2, sign)"
                    " VALUES(?, ?, ?, ?, ?, ?)",
                    "bbisbb", SPAN_ARRAY(one.txid.o), SPAN_ARRAY(r->eid.o),
                    (int64_t)i, oid, one.signed2.whole, one.sign) != 0)
            return -1;
    }
    return 0;
}

static int store_record(struct intake *k, struct span record, struct err *e)
{
    struct euicc_data_record r;

    if (euicc_data_record_parse(record, &r, e) != 0 ||
        sql_run(k->book, e, "INSERT INTO euicc(eid, cert, source)"
                " VALUES(?, ?, ?)", "bbs", SPAN_ARRAY(r.eid.o), r.cert.whole,
                k->in.m.id) != 0)
        return -1;
    return store_keys(k, &r, e);
}

static int flush(struct intake *k, struct err *e)
{
    if (parallel_for(k->n, k->threads, prove_record, k, e) != 0)
        return -1;
    for (size_t i = 0; i < k->n; i++)
        if (store_record(k, buf_span(&k->record[i]), e) != 0)
            return -1;
    k->n = 0;
    return 0;
}

static int take_record(void *ctx, uint64_t number, struct span record,
                       struct err *e)
{
    struct intake *k = ctx;
    struct buf *to = &k->record[k->n++];

    (void)number;
    buf_reset(to);
    buf_put_span(to, record);
    if (!buf_ok(to))
        return err_set(e, ERR_NOMEM, "out of memory");
    return k->n == BATCH ? flush(k, e) : 0;
}

/* The container's signer and the EUM chain inside must be the same EUM. */
static int prepare_eum(const struct world *w, struct intake *k, struct err *e)
{
    AUTO(trust_free_p) struct trust *ci = NULL;
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;
    struct span der = buf_span(&k->in.m.eum_chains.v[0]);

    if (world_trust(w, "ci/root", &ci, e) != 0 ||
        issuer_new_eum(ci, der, 0, &k->eum, e) != 0 ||
        cert_chain_decode(der, &chain, e) != 0)
        return -1;
    X509 *eum = sk_X509_value(chain, 0);
    if (X509_check_issued(eum, k->in.signer) != X509_V_OK ||
        X509_verify(k->in.signer, X509_get0_pubkey(eum)) != 1)
        return err_ossl(e, ERR_TRUST, "signed under another EUM than the one "
                        "whose chain it carries");
    return 0;
}

static int take_all(const struct world *w, struct intake *k, struct err *e)
{
    if (prepare_eum(w, k, e) != 0 || sql_begin(k->book, e) != 0)
        return -1;
    if (sql_run(k->book, e, "INSERT INTO source(id, sha256, eum_chain)"
                " VALUES(?, ?, ?)", "sbb", k->in.m.id,
                SPAN_ARRAY(k->in.sha256),
                buf_span(&k->in.m.eum_chains.v[0])) != 0 ||
        container_read_segments(k->in.fd, &k->in.m, take_record, k, e) != 0 ||
        flush(k, e) != 0) {
        sql_rollback(k->book);
        return -1;
    }
    return sql_commit(k->book, e);
}

static int take_container(const struct world *w, struct sql *book,
                          unsigned threads, const char *path, struct err *e)
{
    struct intake *k = calloc(1, sizeof *k);

    if (!k)
        return err_set(e, ERR_NOMEM, "out of memory");
    k->book = book;
    k->threads = threads;
    int got = incoming_open(w, path, KIND_EUICC_DATA, &k->in, e);
    if (got == 0 && take_all(w, k, e) != 0)
        got = err_wrap(e, "%s", path);
    intake_clear(k);
    free(k);
    return got;
}

static int take_if_new(const struct world *w, struct sql *book,
                       unsigned threads, const char *name, struct err *e)
{
    static const char prefix[] = "euicc-data-";
    AUTO(str_free_p) char *path = NULL;
    int64_t known;

    if (strncmp(name, prefix, strlen(prefix)) != 0)
        return 0;
    if (sql_int(book, 0, &known, e, "SELECT 1 FROM source WHERE id = ?", "s",
                name + strlen(prefix)) != 0)
        return -1;
    path = world_path(w, e, "out/%s", name);
    if (!path)
        return -1;
    return known ? 0 : take_container(w, book, threads, path, e);
}

int book_intake(const struct world *w, struct sql *book, unsigned threads,
                struct err *e)
{
    AUTO(str_free_p) char *out = world_path(w, e, "out");
    DIR *d = out ? opendir(out) : NULL;
    struct dirent *entry;
    int got = 0;

    if (!d)
        return out ? err_errno(e, "%s", out) : -1;
    while (got == 0 && (entry = readdir(d)))
        got = take_if_new(w, book, threads, entry->d_name, e);
    closedir(d);
    return got;
}
