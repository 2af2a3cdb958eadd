#include "scene.h"

#include "station/container/report_record.h"
#include "station/ifpp/event.h"
#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"
#include "tests/lab/pki/issue.h"

#include <check.h>
#include <dirent.h>
#include <openssl/ec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ID_BUNDLE "00112233-4455-4677-8899-aabbccddeeff"
static const uint8_t eid[16] = { 0x89, 0x04, 0x90, 0x32, 0x00, 0x00, 0x00, 0x00,
                                 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00 };

/* --- certificates ----------------------------------------------------------- */

static struct eid whole_eid(void)
{
    struct eid id;

    memcpy(id.o, eid, sizeof eid);
    eid_complete(&id);
    return id;
}

static void certify(struct holder *who, struct issue i,
                    const struct holder *by)
{
    struct err e = ERR_INIT;

    i.organisation = "Test";
    who->key = EVP_EC_gen("P-256");
    ck_assert_ptr_nonnull(who->key);
    ck_assert_msg(issue_cert(&i, who->key, by, &who->cert, &e) == 0, "%s",
                  e.msg);
}

static struct trust *trust_in(const struct holder *root)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct trust *t = trust_new();
    struct err e = ERR_INIT;

    ck_assert_int_eq(cert_put(root->cert, &der, &e), 0);
    ck_assert_msg(trust_add_root(t, buf_span(&der), &e) == 0, "%s", e.msg);
    return t;
}

void scene_make(struct scene *w)
{
    static const char *const eins[] = { "89049032", NULL };
    struct eid id = whole_eid();
    char digits[EID_DIGITS + 1];
    const char *tmp = getenv("TMPDIR");

    memset(w, 0, sizeof *w);
    certify(&w->ci, (struct issue){ .role = ROLE_CI, .common_name = "CI",
                                    .registered_id = "2.999.1" }, NULL);
    certify(&w->eum, (struct issue){ .role = ROLE_EUM, .common_name = "EUM",
                                     .registered_id = SCENE_EUM_OID,
                                     .eins = eins }, &w->ci);
    certify(&w->euicc, (struct issue){ .role = ROLE_EUICC,
                                       .common_name = "eUICC",
                                       .serial_number = eid_format(&id, digits) },
            &w->eum);
    certify(&w->euicc_data, (struct issue){ .role = ROLE_EUICC_DATA,
                                            .common_name = "EUM data",
                                            .serial_number = SCENE_EUM_DATA },
            &w->eum);
    certify(&w->dpauth, (struct issue){ .role = ROLE_DPAUTH,
                                        .common_name = "SM-DPf auth",
                                        .registered_id = SCENE_OID }, &w->ci);
    certify(&w->dppb, (struct issue){ .role = ROLE_DPPB,
                                      .common_name = "SM-DPf pb",
                                      .registered_id = SCENE_OID }, &w->ci);
    certify(&w->dm, (struct issue){ .role = ISSUE_DM_ROOT,
                                    .common_name = "DM root" }, NULL);
    certify(&w->authority, (struct issue){ .role = ROLE_AUTHORITY,
                                           .common_name = "authority",
                                           .serial_number = SCENE_AUTHORITY },
            &w->dm);
    certify(&w->station, (struct issue){ .role = ROLE_STATION,
                                         .common_name = "station",
                                         .serial_number = SCENE_STATION },
            &w->dm);
    certify(&w->order, (struct issue){ .role = ROLE_ORDER,
                                       .common_name = "order desk",
                                       .serial_number = SCENE_ORDER },
            &w->dm);
    certify(&w->own, (struct issue){ .role = ROLE_STATION,
                                     .common_name = "new station",
                                     .serial_number = SCENE_STATION }, NULL);
    w->ci_trust = trust_in(&w->ci);
    w->dm_trust = trust_in(&w->dm);
    blobs_add(&w->allowed, SPAN_STR(SCENE_OID));
    snprintf(w->dir, sizeof w->dir, "%s/lineside-unit.XXXXXX",
             tmp && strlen(tmp) < 30 ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(w->dir));
}

void scene_remove(const char *dir)
{
    DIR *d = opendir(dir);
    struct dirent *de;
    char path[512];

    while (d && (de = readdir(d)) != NULL) {
        struct stat st;
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, de->d_name);
        if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
            scene_remove(path);
        else
            unlink(path);
    }
    if (d)
        closedir(d);
    rmdir(dir);
}

void scene_clear(struct scene *w)
{
    struct holder *all[] = { &w->ci, &w->eum, &w->dpauth, &w->dppb,
                               &w->euicc_data, &w->euicc, &w->dm,
                               &w->authority, &w->station, &w->order,
                               &w->own };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        holder_clear(all[i]);
    trust_free(w->ci_trust);
    trust_free(w->dm_trust);
    blobs_clear(&w->allowed);
    scene_remove(w->dir);
}

struct container_trust scene_trust(const struct scene *w)
{
    return (struct container_trust){ .ci = w->ci_trust, .dm = w->dm_trust,
                                     .allowed_smdp = &w->allowed };
}

/* --- manifests ---------------------------------------------------------------- */

static void put_cert(struct buf *b, const struct holder *i)
{
    ck_assert_int_eq(cert_put(i->cert, b, NULL), 0);
}

static void add_cert(struct blobs *b, const struct holder *i)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;

    put_cert(&der, i);
    ck_assert_int_eq(blobs_add(b, buf_span(&der)), 0);
}

static void put_csr(struct buf *b, const struct holder *i)
{
    X509_REQ *r = X509_REQ_new();
    unsigned char *p = NULL;

    ck_assert_int_eq(X509_REQ_set_subject_name(r, X509_get_subject_name(i->cert)), 1);
    ck_assert_int_eq(X509_REQ_set_pubkey(r, i->key), 1);
    ck_assert_int_gt(X509_REQ_sign(r, i->key, EVP_sha256()), 0);
    int n = i2d_X509_REQ(r, &p);
    ck_assert_int_gt(n, 0);
    buf_put(b, p, (size_t)n);
    OPENSSL_free(p);
    X509_REQ_free(r);
}

static void set_range(struct manifest *m)
{
    m->first_event = 1;
    m->last_event = scene_record_count(KIND_AUDIT_LOG);
    memset(m->head_after, 0x5a, sizeof m->head_after);
    m->has_previous_report = true;
    memset(m->previous_report, 0x11, sizeof m->previous_report);
}

static void set_totals(struct manifest *m)
{
    m->totals = calloc(1, sizeof *m->totals);
    ck_assert_ptr_nonnull(m->totals);
    m->totals_count = 1;
    strcpy(m->totals->id, ID_BUNDLE);
    strcpy(m->totals->smdp_oid, SCENE_OID);
    m->totals->received = 10;
    m->totals->in_stock = 4;
    m->totals->installed = 3;
    m->totals->failed = 2;
    m->totals->voided = 1;
    m->totals->deleted = 1;
}

static void set_order(struct manifest *m)
{
    struct order_spec *o = m->order = calloc(1, sizeof *o);

    ck_assert_ptr_nonnull(o);
    strcpy(o->number, "WO-4711");
    strcpy(o->product, "Car, two eUICCs");
    o->quantity = 500;
    strcpy(o->serials, "CAR-{0500-0999}");
    o->positions = 2;
    ck_assert_int_eq(order_recipe_parse("telematics: load provider=\"MSP A\" "
                                        "class=operational; load smdp=" SCENE_OID
                                        " name=Bootstrap; enable 1; close",
                                        &o->recipe[0], NULL), 0);
    ck_assert_int_eq(order_recipe_parse("infotainment: load any; keep 2",
                                        &o->recipe[1], NULL), 0);
}

static const char *issuer_of(enum container_kind k)
{
    static const char *const issuers[KIND_COUNT] = {
        [KIND_EUICC_DATA] = SCENE_EUM_DATA, [KIND_BPP_BUNDLE] = SCENE_OID,
        [KIND_STATION_CSR] = SCENE_STATION,
        [KIND_STATION_CERT] = SCENE_AUTHORITY,
        [KIND_LOADING_REPORT] = SCENE_STATION, [KIND_AUDIT_LOG] = SCENE_STATION,
        [KIND_BPP_REQUEST] = SCENE_STATION,
        [KIND_WORK_ORDER] = SCENE_ORDER,
        [KIND_REPORT_RECEIPT] = SCENE_OID,
        [KIND_SHIFT_RECORD] = SCENE_STATION,
        [KIND_BACKUP] = SCENE_STATION,
    };

    return issuers[k];
}

void scene_manifest(const struct scene *w, enum container_kind k,
                    struct manifest *m)
{
    static const uint8_t key_id[32] = { 1, 2, 3 };

    manifest_init(m);
    m->kind = k;
    m->sequence = 7;
    m->created_at = SCENE_AT;
    m->not_after = SCENE_AT + 90 * 86400;
    strcpy(m->issuer, issuer_of(k));
    m->recipients.kind = RCPT_PARTIES;
    switch (k) {
    case KIND_EUICC_DATA:
        blobs_add(&m->recipients.list, SPAN_STR(SCENE_OID));
        add_cert(&m->eum_chains, &w->eum);
        buf_put_hex(&m->info2, "bf22058203020202");
        blobs_add(&m->key_recipients, SPAN_STR(SCENE_OID));
        break;
    case KIND_BPP_BUNDLE:
        m->recipients.kind = RCPT_STATIONS;
        blobs_add(&m->recipients.list, SPAN_ARRAY(key_id));
        add_cert(&m->eum_chains, &w->eum);
        add_cert(&m->dp_chains, &w->dppb);
        break;
    case KIND_STATION_CSR:
        put_csr(&m->csr, &w->own);
        strcpy(m->site, "hall-3");
        break;
    case KIND_STATION_CERT:
        m->recipients.kind = RCPT_STATIONS;
        blobs_add(&m->recipients.list, SPAN_ARRAY(key_id));
        put_cert(&m->station_chain, &w->station);
        strcpy(m->site, "hall-3");
        add_cert(&m->ci_roots, &w->ci);
        blobs_add(&m->allowed_smdp, SPAN_STR(SCENE_OID));
        put_cert(&m->recovery_chain, &w->station);
        put_cert(&m->recovery_chain, &w->dm);
        break;
    case KIND_LOADING_REPORT:
        blobs_add(&m->recipients.list, SPAN_STR(SCENE_OID));
        add_cert(&m->eum_chains, &w->eum);
        set_range(m);
        set_totals(m);
        break;
    case KIND_AUDIT_LOG:
        blobs_add(&m->recipients.list, SPAN_STR(SCENE_AUTHORITY));
        set_range(m);
        break;
    case KIND_BPP_REQUEST:
        blobs_add(&m->recipients.list, SPAN_STR(SCENE_OID));
        add_cert(&m->eum_chains, &w->eum);
        m->keys_offered = scene_record_count(k);
        strcpy(m->msp, "Grüße Mobil");
        break;
    case KIND_WORK_ORDER:
        m->recipients.kind = RCPT_STATIONS;
        blobs_add(&m->recipients.list, SPAN_ARRAY(key_id));
        set_order(m);
        break;
    case KIND_REPORT_RECEIPT:
        m->recipients.kind = RCPT_STATIONS;
        blobs_add(&m->recipients.list, SPAN_ARRAY(key_id));
        strcpy(m->receipt.report_id, ID_BUNDLE);
        m->receipt.report_sequence = 3;
        memset(m->receipt.report_sha256, 7, sizeof m->receipt.report_sha256);
        m->receipt.records = 300;
        m->receipt.accepted = 299;
        break;
    case KIND_SHIFT_RECORD:
        blobs_add(&m->recipients.list, SPAN_STR("auditor"));
        set_range(m);
        m->has_previous_report = false;
        memset(m->previous_report, 0, sizeof m->previous_report);
        strcpy(m->shift.name, "early");
        strcpy(m->shift.opened_by, "Ada");
        strcpy(m->shift.closed_by, "Bob");
        m->shift.opened_at = SCENE_AT - 28800;
        m->shift.closed_at = SCENE_AT - 5;
        break;
    case KIND_BACKUP:
        blobs_add(&m->recipients.list, SPAN_STR("dm-recovery"));
        set_range(m);
        m->epoch = 2;
        m->ledger_size = 4096;
        memset(m->ledger_sha256, 9, sizeof m->ledger_sha256);
        memset(m->recovery_key_id, 8, sizeof m->recovery_key_id);
        break;
    case KIND_COUNT:
        ck_abort();
    }
}

struct signer scene_signer(const struct scene *w, enum container_kind k)
{
    const struct {
        const struct holder *who;
        const struct holder *above[2];
    } by[KIND_COUNT] = {
        [KIND_EUICC_DATA] = { &w->euicc_data, { &w->eum, &w->ci } },
        [KIND_BPP_BUNDLE] = { &w->dpauth, { &w->ci } },
        [KIND_STATION_CSR] = { &w->own, { NULL } },
        [KIND_STATION_CERT] = { &w->authority, { &w->dm } },
        [KIND_LOADING_REPORT] = { &w->station, { &w->dm } },
        [KIND_AUDIT_LOG] = { &w->station, { &w->dm } },
        [KIND_BPP_REQUEST] = { &w->station, { &w->dm } },
        [KIND_WORK_ORDER] = { &w->order, { &w->dm } },
        [KIND_REPORT_RECEIPT] = { &w->dpauth, { &w->ci } },
        [KIND_SHIFT_RECORD] = { &w->station, { &w->dm } },
        [KIND_BACKUP] = { &w->station, { &w->dm } },
    };
    struct signer s = { by[k].who->key, by[k].who->cert, sk_X509_new_null() };

    for (int i = 0; i < 2 && by[k].above[i]; i++)
        sk_X509_push(s.chain, by[k].above[i]->cert);
    return s;
}

/* --- records: right in shape, as docs/formats/lineside.asn1 has them ------------ */

static void put_fill(struct buf *b, uint32_t tag, size_t n, uint8_t with)
{
    der_put_header(b, tag, n);
    uint8_t *p = buf_reserve(b, n);
    ck_assert_ptr_nonnull(p);
    memset(p, with, n);
    b->n += n;
}

static void put_key(struct buf *b)
{
    size_t m = der_open(b);
    put_fill(b, 0x80, 16, 0x42);
    put_fill(b, TAG_OTPK, 65, 0x04);
    der_close(b, TAG_SEQUENCE, m);
    put_fill(b, TAG_SIGNATURE, 64, 0x33);
}

static void put_bpp(struct buf *b)
{
    size_t bpp = der_open(b), m = der_open(b);

    der_put_uint(b, 0x82, 1);
    put_fill(b, 0x80, 16, 0x42);
    size_t crt = der_open(b);
    put_fill(b, 0x80, 1, 0x88);
    put_fill(b, 0x81, 1, 0x10);
    put_fill(b, 0x84, 16, 0x48);
    der_close(b, 0xA6, crt);
    put_fill(b, TAG_OTPK, 65, 0x04);
    put_fill(b, TAG_SIGNATURE, 64, 0x33);
    der_close(b, TAG_INIT_SECURE_CHANNEL, m);
    static const struct { uint32_t list, seg; size_t n; } parts[] = {
        { 0xA0, TAG_SEG_ENC, 24 }, { 0xA1, TAG_SEG_MAC, 90 },
        { 0xA2, TAG_SEG_ENC, 72 }, { 0xA3, TAG_SEG_PROFILE, 1016 },
    };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        m = der_open(b);
        put_fill(b, parts[i].seg, parts[i].n, 0x77);
        der_close(b, parts[i].list, m);
    }
    der_close(b, TAG_BPP, bpp);
}

static void put_meta(struct buf *b, uint8_t op)
{
    size_t m = der_open(b);

    der_put_uint(b, 0x80, 5);
    const uint8_t bits[] = { 0x04, op };
    der_put(b, 0x81, SPAN_ARRAY(bits));
    der_put_str(b, TAG_UTF8, "smdpf.example");
    put_fill(b, TAG_ICCID, 10, 0x98);
    der_close(b, TAG_NOTIFICATION_METADATA, m);
}

static void put_result(struct buf *b, bool installed)
{
    static const uint8_t oid[] = { 0x88, 0x37, 0x0a };
    static const uint8_t aid[] = { 0xa0, 0, 0, 5, 0x59, 0x10, 0x10, 0xff, 0xff,
                                   0xff, 0xff, 0x89, 0, 0, 0x10, 0 };
    size_t whole = der_open(b), data = der_open(b);

    put_fill(b, 0x80, 16, 0x42);
    put_meta(b, 0x80);
    der_put(b, TAG_OID, SPAN_ARRAY(oid));
    size_t final = der_open(b), m = der_open(b);
    if (installed) {
        der_put(b, TAG_AID, SPAN_ARRAY(aid));
        put_fill(b, TAG_OCTETS, 7, 0x30);
        der_close(b, 0xA0, m);
    } else {
        der_put_uint(b, 0x80, 5);
        der_put_uint(b, 0x81, 12);
        der_close(b, 0xA1, m);
    }
    der_close(b, 0xA2, final);
    der_close(b, TAG_INSTALL_RESULT_DATA, data);
    put_fill(b, TAG_SIGNATURE, 64, 0x33);
    der_close(b, TAG_INSTALL_RESULT, whole);
}

static void put_notification(const struct scene *w, struct buf *b)
{
    size_t m = der_open(b);

    put_meta(b, 0x10);
    put_fill(b, TAG_SIGNATURE, 64, 0x33);
    put_cert(b, &w->euicc);
    put_cert(b, &w->eum);
    der_close(b, TAG_SEQUENCE, m);
}

static void put_receipt(struct buf *b)
{
    struct eid id = whole_eid();
    size_t whole = der_open(b), m = der_open(b);

    der_put(b, TAG_EID, SPAN_ARRAY(id.o));
    der_put_uint(b, 0x80, 0x73);
    der_put_uint(b, 0x81, 6);
    der_put_uint(b, 0x82, 0);
    der_put_uint(b, 0x83, 0);
    put_fill(b, 0x84, 16, 0x99);
    der_close(b, TAG_SEQUENCE, m);
    put_fill(b, TAG_SIGNATURE, 64, 0x33);
    der_close(b, TAG_CLOSE_FPA, whole);
}

static void put_report_record(const struct scene *w, size_t i, struct buf *b)
{
    static const uint8_t txid[16] = { 0x42 };
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    AUTO(buf_clear) struct buf good = BUF_INIT;
    AUTO(buf_clear) struct buf failed = BUF_INIT;
    AUTO(buf_clear) struct buf note = BUF_INIT;
    AUTO(buf_clear) struct buf rcpt = BUF_INIT;
    struct eid id = whole_eid();
    struct err e = ERR_INIT;

    put_cert(&cert, &w->euicc);
    put_result(&good, true);
    put_result(&failed, false);
    put_notification(w, &note);
    put_receipt(&rcpt);
    struct report_record r = {
        .event = i + 1, .at = SCENE_AT, .started_at = SCENE_AT,
        .finished_at = SCENE_AT + 40, .bundle_id = SPAN_STR(ID_BUNDLE),
        .txid = SPAN_ARRAY(txid), .serial = SPAN_STR("SN-1"),
        .position = SPAN_STR("main"), .fixture = SPAN_STR("bench-1"),
        .code = SPAN_STR("no-card"), .detail = SPAN_STR("no answer to reset"),
        .reason = SPAN_STR("consumed-elsewhere"),
        .certificate = buf_span(&cert), .bf37 = buf_span(&good),
        .notification = buf_span(&note), .receipt = buf_span(&rcpt),
    };
    switch (i) {
    case 0: case 1:
        r.kind = REPORT_RESULT;
        if (i)
            r.bf37 = buf_span(&failed);
        break;
    case 2: case 3:
        r.kind = REPORT_FAILURE;
        if (i == 2)
            r.serial = r.position = r.txid = SPAN(NULL, 0);
        else
            r.eid = SPAN_ARRAY(id.o);
        break;
    case 4:
        r.kind = REPORT_DELETION;
        break;
    case 5:
        r.kind = REPORT_RECEIPT;
        break;
    case 6: case 7:
        r.kind = REPORT_VOIDED;
        if (i == 6)
            r.bf37 = SPAN(NULL, 0);
        break;
    default:
        r.kind = REPORT_QUARANTINED;
    }
    ck_assert_msg(report_record_encode(&r, b, &e) == 0, "%s", e.msg);
}

static void put_event(size_t i, struct buf *b)
{
    static const struct event_field f[] = { { "id", ID_BUNDLE },
                                            { "note", "Grüße" } };
    uint8_t prev[EVENT_HASH] = { 0 };

    for (size_t k = 0; k <= i; k++) {
        AUTO(buf_clear) struct buf one = BUF_INIT;
        ck_assert_int_eq(event_encode(k + 1, SCENE_AT, prev, "bundle-imported",
                                      "station", f, k % 3, &one, NULL), 0);
        event_hash(buf_span(&one), prev);
        if (k == i)
            buf_put_span(b, buf_span(&one));
    }
}

struct shift_record scene_shift_record(size_t i)
{
    static const uint8_t hash[32] = { 0xAB };
    static const struct shift_record all[] = {
        { .kind = SHIFT_POSITIONS,
          .states = { { { (const uint8_t *)"open", 4 }, 0, 1 },
                      { { (const uint8_t *)"passed", 6 }, 3, 5 } },
          .state_count = 2,
          .steps = { { { (const uint8_t *)"", 0 }, { (const uint8_t *)"open", 4 }, 3 },
                     { { (const uint8_t *)"open", 4 }, { (const uint8_t *)"passed", 6 }, 2 } },
          .step_count = 2 },
        { .kind = SHIFT_BUNDLE,
          .bundle_id = { (const uint8_t *)ID_BUNDLE, UUID_LEN },
          .smdp = { (const uint8_t *)SCENE_OID, sizeof SCENE_OID - 1 },
          .manifest_sha256 = { hash, sizeof hash },
          .before = { 5, 5 },
          .after = { 9, 6, 0, 0, 2, 1, 0, 0, 1 },
          .steps = { { { (const uint8_t *)"", 0 }, { (const uint8_t *)"in-stock", 8 }, 4 },
                     { { (const uint8_t *)"in-stock", 8 }, { (const uint8_t *)"installed", 9 }, 2 },
                     { { (const uint8_t *)"in-stock", 8 }, { (const uint8_t *)"failed", 6 }, 1 },
                     { { (const uint8_t *)"installed", 9 }, { (const uint8_t *)"deleted", 7 }, 1 } },
          .step_count = 4 },
        { .kind = SHIFT_COUNT, .fixture = { (const uint8_t *)"F1", 2 },
          .person = { (const uint8_t *)"Ada", 3 }, .what = SHIFT_UNIT,
          .outcome = { (const uint8_t *)"failed", 6 },
          .code = { (const uint8_t *)"no-card", 7 }, .n = 2 },
    };

    return all[i];
}

static void put_shift_record(size_t i, struct buf *b)
{
    const struct shift_record r = scene_shift_record(i);
    struct err e = ERR_INIT;

    ck_assert_msg(shift_record_encode(&r, b, &e) == 0, "%s", e.msg);
}

size_t scene_record_count(enum container_kind k)
{
    return k == KIND_LOADING_REPORT                           ? 9
           : k == KIND_AUDIT_LOG || k == KIND_SHIFT_RECORD    ? 3
           : k == KIND_AUDIT_LOG || k == KIND_BACKUP          ? 3
           : k == KIND_EUICC_DATA || k == KIND_BPP_BUNDLE ||
                     k == KIND_BPP_REQUEST                      ? 2
                                                              : 0;
}

void scene_record(const struct scene *w, enum container_kind k, size_t i,
                  struct buf *b)
{
    struct eid id = whole_eid();
    size_t whole = der_open(b), keys;

    switch (k) {
    case KIND_EUICC_DATA:
        der_put(b, TAG_EID, SPAN_ARRAY(id.o));
        put_cert(b, &w->euicc);
        keys = der_open(b);
        put_key(b);
        put_key(b);
        der_close(b, TAG_SEQUENCE, keys);
        der_close(b, TAG_SEQUENCE, whole);
        break;
    case KIND_BPP_BUNDLE:
        der_put(b, TAG_EID, SPAN_ARRAY(id.o));
        put_cert(b, &w->euicc);
        put_key(b);
        der_put_uint(b, 0x80, 0);
        der_put_uint(b, 0x81, 0);
        put_bpp(b);
        der_close(b, TAG_SEQUENCE, whole);
        break;
    case KIND_BPP_REQUEST:
        der_put(b, TAG_EID, SPAN_ARRAY(id.o));
        put_cert(b, &w->euicc);
        put_key(b);
        der_put_uint(b, 0x80, 0);
        der_close(b, TAG_SEQUENCE, whole);
        break;
    case KIND_LOADING_REPORT:
        put_report_record(w, i, b);
        break;
    case KIND_AUDIT_LOG:
        put_event(i, b);
        break;
    case KIND_SHIFT_RECORD:
        put_shift_record(i, b);
        break;
    case KIND_BACKUP: /* in outline: what is inside is CMS's */
        buf_put_hex(b, "060b2a864886f70d0109100117a0053003020100");
        der_close(b, TAG_SEQUENCE, whole);
        break;
    default:
        ck_abort();
    }
    ck_assert(buf_ok(b));
}

char *scene_container(const struct scene *w, enum container_kind k,
                      uint64_t roll, struct manifest *m, struct buf *cms)
{
    struct container_writer *cw;
    struct err e = ERR_INIT;
    char *path = NULL;

    scene_manifest(w, k, m);
    ck_assert_msg(container_writer_open(w->dir, m, &cw, &e) == 0, "%s", e.msg);
    if (roll)
        container_writer_roll(cw, roll);
    for (size_t i = 0; i < scene_record_count(k); i++) {
        AUTO(buf_clear) struct buf r = BUF_INIT;
        scene_record(w, k, i, &r);
        ck_assert_msg(container_writer_add(cw, buf_span(&r), &e) == 0, "%s", e.msg);
    }
    struct signer s = scene_signer(w, k);
    int rc = container_writer_seal(cw, &s, cms, &path, &e);
    sk_X509_free(s.chain);
    ck_assert_msg(rc == 0, "%s: %s", kind_name(k), e.msg);
    return path;
}

/* --- files ------------------------------------------------------------------------ */

struct buf scene_file(const char *dir, const char *name)
{
    struct buf b = BUF_INIT;
    char path[512];
    uint8_t some[4096];
    size_t n;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "rb");
    ck_assert_msg(f != NULL, "%s", path);
    while ((n = fread(some, 1, sizeof some, f)) > 0)
        buf_put(&b, some, n);
    fclose(f);
    return b;
}

void scene_file_write(const char *dir, const char *name, struct span s)
{
    char path[512];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    ck_assert_msg(f != NULL, "%s", path);
    ck_assert_uint_eq(fwrite(s.p, 1, s.n, f), s.n);
    ck_assert_int_eq(fclose(f), 0);
}
