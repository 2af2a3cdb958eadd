/* What goes in and out of the EUM, the authority and the SM-DPf. */
#include "station/base/clock.h"
#include "station/container/reader.h"
#include "station/container/writer.h"
#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "tests/lab/incoming.h"
#include "tests/lab/pki/authority.h"
#include "tests/unit/lab_smdpf/stand.h"
#include "tests/unit/support.h"

#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

/* --- the authority ------------------------------------------------------------------ */

static char *grant(struct stand *s, const char *csr, const char *site,
                   const char *allow)
{
    struct station_grant g = { .csr = csr,
                               .out = s->dir,
                               .allow = &allow,
                               .allow_count = allow ? 1 : 0,
                               .site = site };
    uint8_t key_id[32];
    struct err e = ERR_INIT;
    char *path;

    ck_assert_msg(authority_grant(&s->w, &g, &path, key_id, &e) == 0, "%s",
                  e.msg);
    return path;
}

START_TEST(authority_certifies)
{
    struct stand s;
    struct incoming in;
    struct err e = ERR_INIT;
    EVP_PKEY *key = EVP_EC_gen("P-256");
    char id[REGISTERED_ID_MAX + 1];
    uint8_t key_id[32];

    stand_make(&s);
    char *csr = stand_csr(&s, key, "station-9");
    for (uint64_t n = 1; n <= 2; n++) {
        AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;
        AUTO(trust_free_p) struct trust *dm = NULL;
        char *path = grant(&s, csr, n == 1 ? NULL : "hall-3",
                           n == 1 ? NULL : "2.999.11");
        ck_assert_msg(incoming_open(&s.w, path, KIND_STATION_CERT, &in,
                                    &e) == 0, "%s", e.msg);
        ck_assert_uint_eq(in.m.sequence, n);
        ck_assert_str_eq(in.m.site, n == 1 ? "hall-2" : "hall-3");
        ck_assert_uint_eq(in.m.allowed_smdp.n, n == 1 ? 2 : 1);
        ck_assert_uint_eq(in.m.ci_roots.n, 1);
        ck_assert(cert_chain_decode(buf_span(&in.m.station_chain), &chain,
                                    &e) == 0);
        ck_assert(world_trust(&s.w, "dm/root", &dm, &e) == 0);
        ck_assert_msg(cert_verify(dm, chain, ROLE_STATION, clock_system(),
                                  &e) == 0, "%s", e.msg);
        X509 *station = sk_X509_value(chain, 0);
        ck_assert(cert_serial_number(station, id) == 0);
        ck_assert_str_eq(id, "station-9");
        cert_key_id(station, key_id);
        ck_assert(span_eq(SPAN_ARRAY(key_id),
                          buf_span(&in.m.recipients.list.v[0])));
        ck_assert_int_eq(EVP_PKEY_eq(X509_get0_pubkey(station), key), 1);
        incoming_close(&in);
        free(path);
    }
    free(csr);
    EVP_PKEY_free(key);
    stand_clear(&s);
}
END_TEST

START_TEST(authority_refuses_other_kinds)
{
    struct stand s;
    struct err e = ERR_INIT;
    char *path = NULL;
    uint8_t key_id[32];

    stand_make(&s);
    struct station_grant g = { .csr = s.euicc_data, .out = s.dir };
    ck_assert(authority_grant(&s.w, &g, &path, key_id, &e) != 0);
    ck_assert_int_eq(e.code, ERR_USAGE);
    g.csr = "/nonexistent";
    ck_assert(authority_grant(&s.w, &g, &path, key_id, &e) != 0);
    ck_assert_int_eq(e.code, ERR_IO);
    stand_clear(&s);
}
END_TEST

/* --- eUICC data ----------------------------------------------------------------------- */

/* The EUM's own container again, its second record changed, signed anew. */
enum tampering {
    CHANGED_KEY_SIGNATURE,
    CHANGED_EID,
    KEY_LEFT_OUT,
    KEY_OF_ANOTHER_RECORD,
    TAMPERINGS
};
static const enum err_code tampering_code[TAMPERINGS] = {
    [CHANGED_KEY_SIGNATURE] = ERR_SIGNATURE,
    [CHANGED_EID] = ERR_TRUST,
    [KEY_LEFT_OUT] = ERR_FORMAT,
    [KEY_OF_ANOTHER_RECORD] = ERR_SIGNATURE,
};

struct copy {
    struct container_writer *cw;
    enum tampering how;
    struct buf first_keys;
};

static void put_record(struct buf *b, struct span eid, struct span cert,
                       struct span keys)
{
    size_t m = der_open(b);

    der_put(b, TAG_EID, eid);
    buf_put_span(b, cert);
    der_put(b, TAG_SEQUENCE, keys);
    der_close(b, TAG_SEQUENCE, m);
}

static int copy_record(void *ctx, uint64_t number, struct span record,
                       struct err *e)
{
    struct copy *c = ctx;
    AUTO(buf_clear) struct buf keys = BUF_INIT;
    AUTO(buf_clear) struct buf out = BUF_INIT;
    struct euicc_data_record r;
    struct euicc_key k;

    ck_assert(euicc_data_record_parse(record, &r, e) == 0);
    struct eid eid = r.eid;
    struct span rest = r.keys;
    ck_assert(euicc_key_take(&rest, &k, e) == 0); /* rest: all but one */
    if (number == 1)
        buf_put_span(&c->first_keys, r.keys);
    if (number != 2)
        return container_writer_add(c->cw, record, e);
    buf_put_span(&keys, c->how == KEY_LEFT_OUT ? rest
                        : c->how == KEY_OF_ANOTHER_RECORD
                            ? buf_span(&c->first_keys)
                            : r.keys);
    if (c->how == CHANGED_KEY_SIGNATURE)
        keys.p[keys.n - 1] ^= 1;
    if (c->how == CHANGED_EID) {
        eid.o[14] ^= 1;
        eid_complete(&eid);
    }
    put_record(&out, SPAN_ARRAY(eid.o), r.cert.whole, buf_span(&keys));
    return container_writer_add(c->cw, buf_span(&out), e);
}

static void tamper(struct stand *s, enum tampering how)
{
    struct incoming in;
    struct holder data, eum;
    struct copy c = { .how = how };
    STACK_OF(X509) *chain = sk_X509_new_null();
    struct err e = ERR_INIT;
    AUTO(str_free_p) char *out = world_path(&s->w, &e, "out");

    ck_assert(incoming_open(&s->w, s->euicc_data, KIND_EUICC_DATA, &in,
                            &e) == 0);
    ck_assert(world_holder(&s->w, "eum/data", &data, &e) == 0 &&
              world_holder(&s->w, "eum/eum", &eum, &e) == 0);
    /* The writer makes the list of segments anew. */
    struct manifest m = in.m;
    m.segments = NULL;
    m.segment_count = 0;
    m.id[0] = '\0';
    ck_assert_msg(container_writer_open(out, &m, &c.cw, &e) == 0, "%s", e.msg);
    ck_assert_msg(container_read_segments(in.fd, &in.m, copy_record, &c,
                                          &e) == 0, "%s", e.msg);
    ck_assert(sk_X509_push(chain, eum.cert) > 0);
    struct signer by = { data.key, data.cert, chain };
    ck_assert_msg(container_writer_seal(c.cw, &by, NULL, NULL, &e) == 0, "%s",
                  e.msg);
    free(m.segments);
    sk_X509_free(chain);
    buf_clear(&c.first_keys);
    holder_clear(&data);
    holder_clear(&eum);
    incoming_close(&in);
}

/* Signed by the EUM itself, and still refused, record by record. */
START_TEST(intake_refuses)
{
    struct stand s;
    struct err e = ERR_INIT;
    char hidden[160];

    stand_make(&s);
    tamper(&s, (enum tampering)_i);
    snprintf(hidden, sizeof hidden, "%s/kept", s.dir);
    ck_assert_int_eq(rename(s.euicc_data, hidden), 0);
    ck_assert(book_intake(&s.w, s.book, 2, &e) != 0);
    ck_assert_msg(e.code == tampering_code[_i], "%d: %s", _i, e.msg);
    ck_assert_int_eq(stand_count(&s, "SELECT (SELECT COUNT(*) FROM euicc) +"
                                     " (SELECT COUNT(*) FROM otk) +"
                                     " (SELECT COUNT(*) FROM source)"), 0);
    stand_clear(&s);
}
END_TEST

START_TEST(intake_once)
{
    struct stand s;
    struct err e = ERR_INIT;

    stand_make(&s);
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(book_intake(&s.w, s.book, 2, &e) == 0, "%s", e.msg);
        ck_assert_int_eq(stand_count(&s, "SELECT COUNT(*) FROM otk"),
                         STAND_EUICCS * STAND_KEYS);
    }
    ck_assert_int_eq(stand_count(&s, "SELECT COUNT(*) FROM otk"
                                     " WHERE smdpf = '2.999.11'"),
                     STAND_EUICCS * STAND_KEYS / 2);
    stand_clear(&s);
}
END_TEST

/* --- bundles -------------------------------------------------------------------------- */

struct seen {
    struct stand *s;
    const struct manifest *m;
    EVP_PKEY *dppb;
    size_t n;
};

static int see_record(void *ctx, uint64_t number, struct span record,
                      struct err *e)
{
    struct seen *k = ctx;
    struct bpp_record r;
    struct bpp_metadata meta;
    AUTO(buf_clear) struct buf store = BUF_INIT;
    AUTO(trust_free_p) struct trust *ci = NULL;
    AUTO(issuer_free_p) struct issuer *eum = NULL;
    EVP_PKEY *key = NULL;
    struct stand_bpp b = stand_issued(k->s, (int)number - 1);

    ck_assert_msg(bpp_record_parse(record, &r, e) == 0, "%s", e->msg);
    ck_assert(world_trust(&k->s->w, "ci/root", &ci, e) == 0);
    ck_assert(issuer_new_eum(ci, buf_span(&k->m->eum_chains.v[r.eum_chain]), 0,
                             &eum, e) == 0);
    ck_assert(issuer_check_euicc(eum, r.cert.whole, &r.eid, &key, e) == 0);
    ck_assert(euicc_key_check(&r.key, key, e) == 0);
    ck_assert(txid_eq(&r.key.txid, &r.bpp.txid));
    ck_assert_msg(bpp_check_sign(&r.bpp, k->dppb, r.key.otpk, e) == 0, "%s",
                  e->msg);
    ck_assert_msg(bpp_metadata(&r.bpp, &store, &meta, e) == 0, "%s", e->msg);
    ck_assert(meta.delete_notified);
    ck_assert_str_eq(meta.provider, "a");
    /* The book knows it by the same names. */
    ck_assert(txid_eq(&b.txid, &r.key.txid) && eid_eq(&b.eid, &r.eid));
    ck_assert_mem_eq(b.iccid.o, meta.iccid.o, sizeof b.iccid.o);
    EVP_PKEY_free(key);
    k->n++;
    return 0;
}

START_TEST(bundle_is_what_the_binding_says)
{
    struct stand s;
    struct incoming in;
    struct err e = ERR_INIT;

    stand_make(&s);
    struct produced made = stand_bundle(&s);
    ck_assert_uint_eq(made.bpps, STAND_EUICCS);
    ck_assert_msg(incoming_open(&s.w, made.container, KIND_BPP_BUNDLE, &in,
                                &e) == 0, "%s", e.msg);
    ck_assert_str_eq(in.m.id, made.id);
    ck_assert_str_eq(in.m.issuer, "2.999.10");
    ck_assert_uint_eq(in.m.sequence, 1);
    ck_assert(in.m.recipients.kind == RCPT_STATIONS &&
              in.m.recipients.list.n == 1 &&
              span_eq(buf_span(&in.m.recipients.list.v[0]),
                      SPAN_ARRAY(s.key_id)));
    AUTO(cert_stack_free) STACK_OF(X509) *dp = NULL;
    ck_assert(cert_chain_decode(buf_span(&in.m.dp_chains.v[0]), &dp, &e) == 0);
    struct seen k = { &s, &in.m, X509_get0_pubkey(sk_X509_value(dp, 0)), 0 };
    ck_assert_msg(container_read_segments(in.fd, &in.m, see_record, &k,
                                          &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(k.n, STAND_EUICCS);
    incoming_close(&in);
    free(made.container);
    stand_clear(&s);
}
END_TEST

/* Each key once, only those meant for this SM-DPf, until there are none. */
START_TEST(keys_are_used_once)
{
    struct stand s;
    struct produced made;
    struct err e = ERR_INIT;

    stand_make(&s);
    for (int i = 0; i < STAND_KEYS / 2; i++) {
        made = stand_bundle(&s);
        ck_assert_uint_eq(made.bpps, STAND_EUICCS);
        free(made.container);
    }
    struct produce_order o = stand_order(&s);
    ck_assert(smdpf_produce(&s.w, s.book, &o, &made, &e) != 0);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    struct stand_bpp b = stand_issued(&s, 0);
    o.eids = &b.eid;
    o.eid_count = 1;
    ck_assert(smdpf_produce(&s.w, s.book, &o, &made, &e) != 0);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    ck_assert_int_eq(stand_count(&s, "SELECT COUNT(DISTINCT txid) FROM issued"),
                     STAND_EUICCS * STAND_KEYS / 2);
    ck_assert_int_eq(stand_count(&s, "SELECT COUNT(*) FROM issued JOIN otk"
                                     " USING(txid) WHERE otk.smdpf"
                                     " <> '2.999.10' OR otk.eid <> issued.eid"
                                     " OR otk.bundle <> issued.bundle"), 0);
    /* The other SM-DPf's keys are still there. */
    o.smdpf = &s.w.smdpf[1];
    ck_assert_msg(smdpf_produce(&s.w, s.book, &o, &made, &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(made.bpps, 1);
    free(made.container);
    stand_clear(&s);
}
END_TEST

/* A bundle that cannot appear was never issued. */
START_TEST(failure_issues_nothing)
{
    struct stand s;
    struct produced made;
    struct err e = ERR_INIT;
    struct given_upp bad = { .name = "bad" };

    stand_make(&s);
    ck_assert(book_intake(&s.w, s.book, 2, &e) == 0);
    struct produce_order o = stand_order(&s);
    o.out = "/nonexistent";
    ck_assert(smdpf_produce(&s.w, s.book, &o, &made, &e) != 0);
    o = stand_order(&s);
    buf_put(&bad.der, "no profile", 10);
    o.upp = &bad;
    o.upp_count = 1;
    ck_assert(smdpf_produce(&s.w, s.book, &o, &made, &e) != 0);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    buf_clear(&bad.der);
    ck_assert_int_eq(stand_count(&s, "SELECT (SELECT COUNT(*) FROM issued) +"
                                     " (SELECT COUNT(*) FROM bundle) +"
                                     " (SELECT COUNT(*) FROM otk WHERE bundle"
                                     "  IS NOT NULL)"), 0);
    made = stand_bundle(&s);
    ck_assert_uint_eq(made.bpps, STAND_EUICCS);
    free(made.container);
    stand_clear(&s);
}
END_TEST

/* The same stations in another order count one sequence; others their own. */
START_TEST(sequence_per_recipients)
{
    static const struct {
        uint8_t first, second; /* of the key ids */
        size_t n;
        uint64_t want;
    } rows[] = { { 1, 2, 2, 1 }, { 2, 1, 2, 2 }, { 1, 0, 1, 1 }, { 1, 2, 2, 3 } };
    struct stand s;
    struct err e = ERR_INIT;

    stand_make(&s);
    ck_assert(book_intake(&s.w, s.book, 2, &e) == 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t ids[2][32] = { { rows[i].first }, { rows[i].second } };
        struct produce_order o = stand_order(&s);
        struct produced made;
        struct incoming in;
        o.stations = (const uint8_t (*)[32])ids;
        o.station_count = rows[i].n;
        o.count = 1;
        ck_assert_msg(smdpf_produce(&s.w, s.book, &o, &made, &e) == 0, "%s",
                      e.msg);
        ck_assert_uint_eq(made.euiccs, 1);
        ck_assert(incoming_open(&s.w, made.container, KIND_BPP_BUNDLE, &in,
                                &e) == 0);
        ck_assert_uint_eq(in.m.sequence, rows[i].want);
        incoming_close(&in);
        free(made.container);
    }
    stand_clear(&s);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "authority_certifies", authority_certifies, 1 },
        { "authority_refuses_other_kinds", authority_refuses_other_kinds, 1 },
        { "intake_refuses", intake_refuses, TAMPERINGS },
        { "intake_once", intake_once, 1 },
        { "bundle_is_what_the_binding_says", bundle_is_what_the_binding_says, 1 },
        { "keys_are_used_once", keys_are_used_once, 1 },
        { "failure_issues_nothing", failure_issues_nothing, 1 },
        { "sequence_per_recipients", sequence_per_recipients, 1 },
    };

    return run_tests("lab_smdpf/parties", tests, sizeof tests / sizeof *tests);
}
