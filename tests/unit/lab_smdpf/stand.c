#include "tests/unit/lab_smdpf/stand.h"

#include "station/base/clock.h"
#include "station/container/writer.h"
#include "station/ifpp/tags.h"
#include "tests/lab/euicc/store.h"
#include "tests/lab/pki/eum.h"
#include "tests/lab/pki/issue.h"

#include <check.h>
#include <ftw.h>
#include <openssl/ec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUNDLE_DAYS 365

static void must(int got, const struct err *e)
{
    ck_assert_msg(got == 0, "%s", e->msg);
}

/* --- the world ------------------------------------------------------------------ */

static void certify_station(struct stand *s)
{
    struct holder root;
    struct issue what = { .role = ROLE_STATION,
                          .common_name = "station-1",
                          .serial_number = "station-1" };
    struct err e = ERR_INIT;

    must(world_holder(&s->w, "dm/root", &root, &e), &e);
    s->station.key = EVP_EC_gen("P-256");
    must(issue_cert(&what, s->station.key, &root, &s->station.cert, &e), &e);
    cert_key_id(s->station.cert, s->key_id);
    holder_clear(&root);
}

void stand_make(struct stand *s)
{
    static const char *const names[] = { "a", "b" };
    struct eum_order order = { .euiccs = STAND_EUICCS,
                               .keys = STAND_KEYS,
                               .kind = INFO2_CONSUMER,
                               .threads = 2 };
    const char *tmp = getenv("TMPDIR");
    struct err e = ERR_INIT;
    char path[96];

    memset(s, 0, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "%.40s/stand.XXXXXX", tmp ? tmp : "/tmp");
    ck_assert(mkdtemp(s->dir) != NULL);
    snprintf(path, sizeof path, "%s/world", s->dir);
    must(world_create(path, NID_X9_62_prime256v1, names, 2, &s->w, &e), &e);
    must(eum_make(&s->w, &order, &s->euicc_data, &e), &e);
    must(world_finish(&s->w, &e), &e);
    must(book_open(&s->w, &s->book, &e), &e);
    certify_station(s);
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

void stand_clear(struct stand *s)
{
    sql_close(s->book);
    holder_clear(&s->station);
    world_clear(&s->w);
    free(s->euicc_data);
    nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void self_signed(EVP_PKEY *key, const char *id, X509 **out)
{
    struct issue what = { .role = ROLE_STATION,
                          .common_name = id,
                          .serial_number = id };
    struct err e = ERR_INIT;

    must(issue_cert(&what, key, NULL, out, &e), &e);
}

static void put_request(EVP_PKEY *key, struct buf *out)
{
    X509_REQ *req = X509_REQ_new();
    unsigned char *der = NULL;

    ck_assert(X509_REQ_set_pubkey(req, key) == 1 &&
              X509_REQ_sign(req, key, EVP_sha256()) > 0);
    int n = i2d_X509_REQ(req, &der);
    ck_assert_int_gt(n, 0);
    buf_put(out, der, (size_t)n);
    OPENSSL_free(der);
    X509_REQ_free(req);
}

static char *seal(const char *dir, struct manifest *m, const struct holder *by,
                  const struct buf *records, size_t n)
{
    struct container_writer *cw;
    struct signer s = { by->key, by->cert, NULL };
    struct err e = ERR_INIT;
    char *path;

    must(container_writer_open(dir, m, &cw, &e), &e);
    for (size_t i = 0; i < n; i++)
        must(container_writer_add(cw, buf_span(&records[i]), &e), &e);
    must(container_writer_seal(cw, &s, NULL, &path, &e), &e);
    return path;
}

char *stand_csr(struct stand *s, EVP_PKEY *key, const char *id)
{
    struct holder self = { key, NULL };
    struct manifest m;

    self_signed(key, id, &self.cert);
    manifest_init(&m);
    m.kind = KIND_STATION_CSR;
    snprintf(m.issuer, sizeof m.issuer, "%s", id);
    snprintf(m.site, sizeof m.site, "hall-2");
    m.sequence = 1;
    m.created_at = clock_system();
    m.not_after = m.created_at + 86400;
    m.recipients.kind = RCPT_PARTIES;
    put_request(key, &m.csr);
    char *path = seal(s->dir, &m, &self, NULL, 0);
    manifest_clear(&m);
    X509_free(self.cert);
    return path;
}

/* --- bundles --------------------------------------------------------------------- */

struct produce_order stand_order(const struct stand *s)
{
    return (struct produce_order){
        .smdpf = &s->w.smdpf[0],
        .stations = &s->key_id,
        .station_count = 1,
        .per_euicc = 1,
        .valid_s = BUNDLE_DAYS * 86400ll,
        .out = s->dir,
        .threads = 2,
    };
}

struct produced stand_bundle(struct stand *s)
{
    struct produce_order o = stand_order(s);
    struct produced made;
    struct err e = ERR_INIT;

    must(book_intake(&s->w, s->book, 2, &e), &e);
    must(smdpf_produce(&s->w, s->book, &o, &made, &e), &e);
    return made;
}

struct stand_bpp stand_issued(const struct stand *s, int n)
{
    struct stand_bpp b;
    struct err e = ERR_INIT;
    sqlite3_stmt *st;

    must(sql_start(s->book, &st, &e, "SELECT txid, eid, iccid FROM issued"
                   " ORDER BY iccid LIMIT 1 OFFSET ?", "i", (int64_t)n), &e);
    ck_assert_int_eq(sql_step(s->book, st, &e), 1);
    ck_assert(txid_from_span(sql_blob(st, 0), &b.txid) &&
              eid_from_span(sql_blob(st, 1), &b.eid));
    memcpy(b.iccid.o, sql_blob(st, 2).p, sizeof b.iccid.o);
    sql_end(st);
    return b;
}

int64_t stand_count(const struct stand *s, const char *sql)
{
    struct err e = ERR_INIT;
    int64_t n;

    must(sql_int(s->book, -1, &n, &e, sql, ""), &e);
    return n;
}

/* --- evidence --------------------------------------------------------------------- */

static struct store *chip(const struct stand *s, const struct eid *eid)
{
    char digits[EID_DIGITS + 1];
    struct err e = ERR_INIT;
    struct store *c;
    AUTO(str_free_p) char *path =
        world_path(&s->w, &e, "euicc/%s.db", eid_format(eid, digits));

    must(store_open(path, &c, &e), &e);
    return c;
}

void stand_cert(const struct stand *s, const struct eid *eid, struct buf *out)
{
    struct store *c = chip(s, eid);

    buf_put_span(out, store_chip(c)->cert);
    store_close(c);
}

static void put_signature(const struct stand *s, const struct eid *eid,
                          struct buf *out, size_t from)
{
    struct store *c = chip(s, eid);
    struct ec_signer *signer;
    struct span what = SPAN(out->p + from, out->n - from);
    uint8_t raw[EC_RAW_SIG_LEN];
    struct err e = ERR_INIT;

    must(ec_signer_new(store_chip(c)->sk, &signer, &e), &e);
    must(ec_sign(signer, &what, 1, raw, &e), &e);
    der_put(out, TAG_SIGNATURE, SPAN_ARRAY(raw));
    ec_signer_free_p(&signer);
    store_close(c);
}

static void put_meta(const struct stand_bpp *b, uint64_t seq, uint8_t op,
                     struct buf *out)
{
    uint8_t bits[2] = { 4, op };
    size_t m = der_open(out);

    der_put_uint(out, 0x80, seq);
    der_put(out, 0x81, SPAN_ARRAY(bits));
    der_put_str(out, TAG_UTF8, "a.lineside.example");
    der_put(out, TAG_ICCID, SPAN_ARRAY(b->iccid.o));
    der_close(out, TAG_NOTIFICATION_METADATA, m);
}

static void put_final(bool installed, struct buf *out)
{
    static const uint8_t aid[16] = { 0xA0, 0, 0, 5, 0x59, 0x10, 0x10 };
    static const uint8_t oid[] = { 0x88, 0x37, 0x0A }; /* 2.999.10 */
    size_t final, inner;

    der_put(out, TAG_OID, SPAN_ARRAY(oid));
    final = der_open(out);
    inner = der_open(out);
    if (installed) {
        der_put(out, TAG_AID, SPAN_ARRAY(aid));
        der_put(out, TAG_OCTETS, SPAN(aid, 1));
    } else {
        der_put_uint(out, 0x80, 5);
        der_put_uint(out, 0x81, 10);
    }
    der_close(out, installed ? 0xA0 : 0xA1, inner);
    der_close(out, 0xA2, final);
}

void stand_bf37(const struct stand *s, const struct stand_bpp *b,
                const struct eid *by, bool installed, uint64_t seq,
                struct buf *out)
{
    size_t whole = der_open(out);
    size_t data = der_open(out);

    der_put(out, 0x80, SPAN_ARRAY(b->txid.o));
    put_meta(b, seq, 0x80, out);
    put_final(installed, out);
    der_close(out, TAG_INSTALL_RESULT_DATA, data);
    put_signature(s, by ? by : &b->eid, out, data);
    der_close(out, TAG_INSTALL_RESULT, whole);
}

void stand_receipt(const struct stand *s, const struct eid *eid,
                   struct buf *out)
{
    uint8_t nonce[16] = { 1 };
    size_t whole = der_open(out);
    size_t data = der_open(out);

    der_put(out, TAG_EID, SPAN_ARRAY(eid->o));
    der_put_uint(out, 0x80, 0x72);
    der_put_uint(out, 0x81, 9);
    der_put_uint(out, 0x82, 3);
    der_put_uint(out, 0x83, 0);
    der_put(out, 0x84, SPAN_ARRAY(nonce));
    der_close(out, TAG_SEQUENCE, data);
    put_signature(s, eid, out, data);
    der_close(out, TAG_DELETE_OTK, whole);
}

void stand_deletion(const struct stand *s, const struct stand_bpp *b,
                    struct buf *out)
{
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    struct err e = ERR_INIT;
    size_t whole = der_open(out);
    size_t meta = out->n;

    put_meta(b, 4, 0x10, out);
    put_signature(s, &b->eid, out, meta);
    stand_cert(s, &b->eid, &cert);
    buf_put_span(out, buf_span(&cert));
    must(world_cert_der(&s->w, "eum/eum", out, &e), &e);
    der_close(out, TAG_SEQUENCE, whole);
}

/* --- reports ---------------------------------------------------------------------- */

void stand_report_start(struct stand *s, const struct produced *bundle,
                        uint64_t sequence, struct stand_report *r)
{
    AUTO(buf_clear) struct buf eum = BUF_INIT;
    struct err e = ERR_INIT;
    struct manifest *m = &r->m;
    sqlite3_stmt *st;

    memset(r, 0, sizeof *r);
    manifest_init(m);
    m->kind = KIND_LOADING_REPORT;
    snprintf(m->issuer, sizeof m->issuer, "station-1");
    m->sequence = sequence;
    m->created_at = clock_system();
    m->not_after = m->created_at + 86400;
    m->recipients.kind = RCPT_PARTIES;
    m->first_event = sequence == 1 ? 1 : 100;
    m->last_event = sequence == 1 ? 99 : 199;
    memset(m->head_before, sequence == 1 ? 0 : 0x11, 32);
    memset(m->head_after, sequence == 1 ? 0x11 : 0x22, 32);
    must(world_cert_der(&s->w, "eum/eum", &eum, &e), &e);
    ck_assert(blobs_add(&m->recipients.list, SPAN_STR("2.999.10")) == 0 &&
              blobs_add(&m->eum_chains, buf_span(&eum)) == 0);
    m->totals = calloc(1, sizeof *m->totals);
    m->totals_count = 1;
    struct bundle_totals *t = m->totals;
    memcpy(t->id, bundle->id, sizeof t->id);
    snprintf(t->smdp_oid, sizeof t->smdp_oid, "2.999.10");
    t->received = t->in_stock = bundle->bpps;
    must(sql_start(s->book, &st, &e, "SELECT sha256 FROM bundle WHERE id = ?",
                   "s", bundle->id), &e);
    ck_assert_int_eq(sql_step(s->book, st, &e), 1);
    memcpy(t->manifest_sha256, sql_blob(st, 0).p, 32);
    sql_end(st);
}

void stand_report_add(struct stand_report *r, const struct report_record *rec)
{
    struct err e = ERR_INIT;

    ck_assert_uint_lt(r->n, sizeof r->records / sizeof *r->records);
    must(report_record_encode(rec, &r->records[r->n++], &e), &e);
}

void stand_report_result(struct stand *s, struct stand_report *r,
                         const struct produced *bundle,
                         const struct stand_bpp *b, const struct eid *by,
                         bool installed, uint64_t event)
{
    AUTO(buf_clear) struct buf bf37 = BUF_INIT;
    AUTO(buf_clear) struct buf cert = BUF_INIT;

    stand_bf37(s, b, by, installed, 1, &bf37);
    stand_cert(s, by ? by : &b->eid, &cert);
    struct report_record rec = {
        .kind = REPORT_RESULT,
        .event = event,
        .started_at = r->m.created_at - 60,
        .finished_at = r->m.created_at - 30,
        .bundle_id = SPAN_STR(bundle->id),
        .serial = SPAN_STR("unit-1"),
        .position = SPAN_STR("main"),
        .fixture = SPAN_STR("F1"),
        .certificate = buf_span(&cert),
        .bf37 = buf_span(&bf37),
    };
    stand_report_add(r, &rec);
    r->m.totals->in_stock--;
    if (installed)
        r->m.totals->installed++;
    else
        r->m.totals->failed++;
}

char *stand_report_seal(struct stand *s, struct stand_report *r,
                        const struct holder *who)
{
    char *path = seal(s->dir, &r->m, who ? who : &s->station, r->records, r->n);

    for (size_t i = 0; i < r->n; i++)
        buf_clear(&r->records[i]);
    manifest_clear(&r->m);
    return path;
}
