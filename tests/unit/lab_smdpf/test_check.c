/* The SM-DPf's check of loading-reports: what is accepted, what is told, and
 * every way in which a report signed by a genuine station may lie. */
#include "tests/lab/smdpf/acknowledge.h"

#include "station/container/reader.h"
#include "station/container/signers.h"
#include "tests/lab/pki/issue.h"
#include "tests/unit/lab_smdpf/stand.h"
#include "tests/unit/support.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char kept_rows[] =
    "SELECT (SELECT COUNT(*) FROM result) + (SELECT COUNT(*) FROM report) +"
    " (SELECT COUNT(*) FROM said) + (SELECT COUNT(*) FROM receipt)";

static int check(struct stand *s, char *path, struct report_check *c,
                 struct err *e)
{
    int got = smdpf_check_report(&s->w, s->book, path, c, e);

    free(path);
    return got;
}

static void accept(struct stand *s, char *path, struct report_check *c)
{
    struct err e = ERR_INIT;

    ck_assert_msg(check(s, path, c, &e) == 0, "%s", e.msg);
}

static struct report_record base_record(const struct stand_report *r,
                                        enum report_kind kind, uint64_t event)
{
    return (struct report_record){ .kind = kind,
                                   .event = event,
                                   .at = r->m.created_at - 20 };
}

static void add_receipt(struct stand *s, struct stand_report *r,
                        const struct stand_bpp *b, uint64_t event)
{
    AUTO(buf_clear) struct buf receipt = BUF_INIT;
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    struct report_record rec = base_record(r, REPORT_RECEIPT, event);

    stand_receipt(s, &b->eid, &receipt);
    stand_cert(s, &b->eid, &cert);
    rec.serial = SPAN_STR("unit-1");
    rec.position = SPAN_STR("main");
    rec.fixture = SPAN_STR("F1");
    rec.certificate = buf_span(&cert);
    rec.receipt = buf_span(&receipt);
    stand_report_add(r, &rec);
}

static void add_deletion(struct stand *s, struct stand_report *r,
                         const struct produced *bundle,
                         const struct stand_bpp *of, const struct stand_bpp *b,
                         uint64_t event)
{
    AUTO(buf_clear) struct buf note = BUF_INIT;
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    struct report_record rec = base_record(r, REPORT_DELETION, event);

    stand_deletion(s, of, &note);
    stand_cert(s, &of->eid, &cert);
    rec.bundle_id = SPAN_STR(bundle->id);
    rec.txid = SPAN_ARRAY(b->txid.o);
    rec.serial = SPAN_STR("unit-1");
    rec.position = SPAN_STR("main");
    rec.fixture = SPAN_STR("F1");
    rec.certificate = buf_span(&cert);
    rec.notification = buf_span(&note);
    stand_report_add(r, &rec);
}

static void add_gone(struct stand_report *r, enum report_kind kind,
                     const struct produced *bundle, const struct stand_bpp *b,
                     struct span bf37, uint64_t event)
{
    struct report_record rec = base_record(r, kind, event);

    rec.bundle_id = SPAN_STR(bundle->id);
    rec.txid = SPAN_ARRAY(b->txid.o);
    rec.reason = SPAN_STR("consumed-elsewhere");
    rec.bf37 = bf37;
    stand_report_add(r, &rec);
    r->m.totals->in_stock--;
    if (kind == REPORT_VOIDED)
        r->m.totals->voided++;
    else
        r->m.totals->quarantined++;
}

static void add_failure(struct stand_report *r, const struct stand_bpp *b,
                        uint64_t event)
{
    struct report_record rec = base_record(r, REPORT_FAILURE, event);

    rec.fixture = SPAN_STR("F1");
    rec.code = SPAN_STR("no-card");
    rec.detail = SPAN_STR("nothing answered");
    rec.txid = b ? SPAN_ARRAY(b->txid.o) : SPAN(NULL, 0);
    stand_report_add(r, &rec);
}

/* --- accepted ------------------------------------------------------------------------- */

START_TEST(tells_everything)
{
    struct stand s;
    struct stand_report r;
    struct report_check c;
    struct stand_bpp b[STAND_EUICCS];

    stand_make(&s);
    struct produced made = stand_bundle(&s);
    for (int i = 0; i < STAND_EUICCS; i++)
        b[i] = stand_issued(&s, i);
    stand_report_start(&s, &made, 1, &r);
    add_failure(&r, NULL, 2);
    add_failure(&r, &b[0], 3);
    stand_report_result(&s, &r, &made, &b[0], NULL, true, 4);
    add_receipt(&s, &r, &b[0], 5);
    stand_report_result(&s, &r, &made, &b[1], NULL, false, 6);
    add_gone(&r, REPORT_QUARANTINED, &made, &b[2], SPAN(NULL, 0), 7);
    add_deletion(&s, &r, &made, &b[0], &b[0], 8);
    r.m.totals->deleted = 1;
    char *path = stand_report_seal(&s, &r, NULL);
    char *again = strdup(path);
    accept(&s, path, &c);
    ck_assert(c.complete && !c.again);
    ck_assert_uint_eq(c.told_count, 6);
    ck_assert_uint_eq(c.count[TOLD_INSTALLED], 1);
    ck_assert_uint_eq(c.count[TOLD_FAILED], 1);
    ck_assert_uint_eq(c.count[TOLD_DELETED], 1);
    ck_assert_uint_eq(c.count[TOLD_QUARANTINED], 1);
    ck_assert_uint_eq(c.count[TOLD_NOT_LOADED], 2);
    ck_assert_uint_eq(c.receipts, 1);
    ck_assert_str_eq(c.told[0].detail, "no-card: nothing answered");
    ck_assert_mem_eq(c.told[1].iccid.o, b[0].iccid.o, 10);
    ck_assert(c.told[2].kind == TOLD_INSTALLED && eid_eq(&c.told[2].eid,
                                                         &b[0].eid));
    ck_assert(c.told[3].kind == TOLD_FAILED && c.told[3].detail[0]);
    report_check_clear(&c);

    int64_t rows = stand_count(&s, kept_rows);
    ck_assert_int_eq(rows, 2 + 1 + 3 + 1);
    accept(&s, again, &c);
    ck_assert(c.again && c.complete);
    ck_assert_uint_eq(c.told_count, 6);
    ck_assert_int_eq(stand_count(&s, kept_rows), rows);
    report_check_clear(&c);
    free(made.container);
    stand_clear(&s);
}
END_TEST

/* A receipt says of whom the records are; it goes to who signed the report, in
 * one row of numbers with that station's bundles. */
START_TEST(acknowledged)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    struct stand s;
    struct stand_report r;
    struct report_check c;
    struct err e = ERR_INIT;
    char *path = NULL;

    stand_make(&s);
    struct produced made = stand_bundle(&s);
    struct stand_bpp b0 = stand_issued(&s, 0), b1 = stand_issued(&s, 1);
    stand_report_start(&s, &made, 1, &r);
    add_failure(&r, NULL, 2);
    add_failure(&r, &b1, 3);
    stand_report_result(&s, &r, &made, &b0, NULL, true, 4);
    add_receipt(&s, &r, &b0, 5);
    accept(&s, stand_report_seal(&s, &r, NULL), &c);

    const struct world_smdpf *of = world_find_smdpf(&s.w, "2.999.10");
    const struct world_smdpf *other = world_find_smdpf(&s.w, "2.999.11");
    ck_assert_uint_eq(smdpf_concern(&c, of), 2);
    ck_assert_uint_eq(smdpf_concern(&c, other), 0);
    ck_assert_int_eq(smdpf_acknowledge(&s.w, s.book, other, &c, s.key_id, 60,
                                       s.dir, &path, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    ck_assert_mem_eq(c.station_key, s.key_id, 32);
    ck_assert_msg(smdpf_acknowledge(&s.w, s.book, of, &c, c.station_key, 60, s.dir,
                                    &path, &e) == 0, "%s", e.msg);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_eq(container_read_manifest(fd, &cms, &e), 0);
    close(fd);
    manifest_init(&m);
    ck_assert_int_eq(manifest_peek(buf_span(&cms), &m, &e), 0);
    ck_assert_int_eq(m.kind, KIND_REPORT_RECEIPT);
    ck_assert_str_eq(m.issuer, "2.999.10");
    ck_assert_str_eq(m.receipt.report_id, c.id);
    ck_assert_uint_eq(m.receipt.report_sequence, 1);
    ck_assert_mem_eq(m.receipt.report_sha256, c.sha256, 32);
    ck_assert_uint_eq(m.receipt.records, 2);
    ck_assert_uint_eq(m.receipt.accepted, 2);
    ck_assert_uint_eq(m.recipients.list.n, 1);
    ck_assert(span_eq(buf_span(&m.recipients.list.v[0]), SPAN_ARRAY(s.key_id)));
    ck_assert_uint_eq(m.sequence, 2); /* the bundle was 1 */
    report_check_clear(&c);
    free(path);
    free(made.container);
    stand_clear(&s);
}
END_TEST

static void second_report(struct stand *s, const struct produced *made,
                          const struct stand_bpp *b, struct stand_report *r)
{
    stand_report_start(s, made, 2, r);
    r->m.totals->installed = 1; /* by the report before */
    r->m.totals->in_stock--;
    stand_report_result(s, r, made, b, NULL, true, 120);
}

/* Totals are cumulative: with the first report known they are counted, without
 * it they are only not contradicted. */
START_TEST(reports_follow_each_other)
{
    bool know_first = _i;
    struct stand s;
    struct stand_report r;
    struct report_check c;
    struct err e = ERR_INIT;

    stand_make(&s);
    struct produced made = stand_bundle(&s);
    struct stand_bpp b0 = stand_issued(&s, 0), b1 = stand_issued(&s, 1);
    if (know_first) {
        stand_report_start(&s, &made, 1, &r);
        stand_report_result(&s, &r, &made, &b0, NULL, true, 4);
        accept(&s, stand_report_seal(&s, &r, NULL), &c);
        report_check_clear(&c);
    }
    second_report(&s, &made, &b1, &r);
    r.m.has_previous_report = true;
    if (know_first) {
        sqlite3_stmt *st;
        ck_assert(sql_start(s.book, &st, &e, "SELECT sha256 FROM report",
                            "") == 0 && sql_step(s.book, st, &e) == 1);
        memcpy(r.m.previous_report, sql_blob(st, 0).p, 32);
        sql_end(st);
    }
    accept(&s, stand_report_seal(&s, &r, NULL), &c);
    ck_assert(c.complete == know_first);
    ck_assert_uint_eq(c.count[TOLD_INSTALLED], 1);
    report_check_clear(&c);
    free(made.container);
    stand_clear(&s);
}
END_TEST

/* A bundle for two stations: the second finds the key consumed, with the
 * card's result; the same result, so it is no contradiction. */
START_TEST(one_result_from_two_stations)
{
    struct stand s;
    struct stand_report r;
    struct report_check c;
    struct holder other = { EVP_EC_gen("P-256"), NULL }, root;
    struct issue what = { .role = ROLE_STATION,
                          .common_name = "station-2",
                          .serial_number = "station-2" };
    AUTO(buf_clear) struct buf bf37 = BUF_INIT;
    struct err e = ERR_INIT;

    stand_make(&s);
    ck_assert(world_holder(&s.w, "dm/root", &root, &e) == 0);
    ck_assert(issue_cert(&what, other.key, &root, &other.cert, &e) == 0);
    struct produced made = stand_bundle(&s);
    struct stand_bpp b = stand_issued(&s, 0);

    /* Signed once: ECDSA is not deterministic, a second one would differ. */
    stand_bf37(&s, &b, NULL, true, 1, &bf37);
    for (int twice = 0; twice < 2; twice++) {
        stand_report_start(&s, &made, 1, &r);
        if (twice)
            snprintf(r.m.issuer, sizeof r.m.issuer, "station-2");
        add_gone(&r, REPORT_VOIDED, &made, &b, buf_span(&bf37), 5);
        accept(&s, stand_report_seal(&s, &r, twice ? &other : NULL), &c);
        ck_assert_uint_eq(c.count[TOLD_VOIDED], 1);
        report_check_clear(&c);
    }
    ck_assert_int_eq(stand_count(&s, "SELECT COUNT(*) FROM result"), 1);

    /* Another result for it, truly signed by the same eUICC. */
    stand_report_start(&s, &made, 2, &r);
    r.m.totals->voided = 1;
    r.m.totals->in_stock--;
    stand_report_result(&s, &r, &made, &b, NULL, false, 120);
    int64_t rows = stand_count(&s, kept_rows);
    ck_assert(check(&s, stand_report_seal(&s, &r, NULL), &c, &e) != 0);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    ck_assert_msg(strstr(e.msg, "two different signed results") != NULL, "%s",
                  e.msg);
    ck_assert_int_eq(stand_count(&s, kept_rows), rows);
    holder_clear(&other);
    holder_clear(&root);
    free(made.container);
    stand_clear(&s);
}
END_TEST

/* --- refused -------------------------------------------------------------------------- */

struct ground {
    struct stand s;
    struct produced made;
    struct stand_bpp b[STAND_EUICCS];
    struct stand_report r;
    struct holder stranger; /* signs instead, when set */
};

static void by_another_euicc(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], &g->b[1].eid, true, 9);
}

static void broken_signature(struct ground *g)
{
    AUTO(buf_clear) struct buf bf37 = BUF_INIT;
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    struct report_record rec = base_record(&g->r, REPORT_RESULT, 9);

    stand_bf37(&g->s, &g->b[0], NULL, true, 1, &bf37);
    bf37.p[bf37.n - 1] ^= 1;
    stand_cert(&g->s, &g->b[0].eid, &cert);
    rec.started_at = rec.finished_at = rec.at;
    rec.bundle_id = SPAN_STR(g->made.id);
    rec.serial = SPAN_STR("unit-1");
    rec.position = SPAN_STR("main");
    rec.fixture = SPAN_STR("F1");
    rec.certificate = buf_span(&cert);
    rec.bf37 = buf_span(&bf37);
    stand_report_add(&g->r, &rec);
    g->r.m.totals->in_stock--;
    g->r.m.totals->installed++;
}

static void never_issued(struct ground *g)
{
    g->b[0].txid.o[0] ^= 1;
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
}

static void other_iccid(struct ground *g)
{
    g->b[0].iccid = g->b[1].iccid;
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
}

static void reported_twice(struct ground *g)
{
    add_gone(&g->r, REPORT_QUARANTINED, &g->made, &g->b[0], SPAN(NULL, 0), 9);
    add_gone(&g->r, REPORT_QUARANTINED, &g->made, &g->b[0], SPAN(NULL, 0), 10);
}

static void result_and_quarantined(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
    add_gone(&g->r, REPORT_QUARANTINED, &g->made, &g->b[0], SPAN(NULL, 0), 10);
}

static void event_outside(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 100);
}

static void events_out_of_order(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
    stand_report_result(&g->s, &g->r, &g->made, &g->b[1], NULL, true, 8);
}

static void totals_claim_more(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
    g->r.m.totals->in_stock--;
    g->r.m.totals->installed++;
}

static void totals_claim_less(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
    g->r.m.totals->in_stock++;
    g->r.m.totals->installed--;
}

static void totals_claim_deleted(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
    g->r.m.totals->deleted = 1;
}

static void received_fewer(struct ground *g)
{
    g->r.m.totals->in_stock--;
    g->r.m.totals->received--;
}

static void another_manifest(struct ground *g)
{
    g->r.m.totals->manifest_sha256[0] ^= 1;
}

static void unknown_bundle(struct ground *g)
{
    g->r.m.totals->id[0] = g->r.m.totals->id[0] == '0' ? '1' : '0';
}

static void totals_left_out(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
    g->r.m.totals_count = 0;
    free(g->r.m.totals);
    g->r.m.totals = NULL;
}

static void wrong_bundle(struct ground *g)
{
    struct produced other = g->made;

    memcpy(other.id, "00000000-0000-4000-8000-000000000000", 37);
    stand_report_result(&g->s, &g->r, &other, &g->b[0], NULL, true, 9);
}

static void deletion_of_another(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
    add_deletion(&g->s, &g->r, &g->made, &g->b[1], &g->b[0], 10);
    g->r.m.totals->deleted = 1;
}

static void deleted_not_installed(struct ground *g)
{
    add_deletion(&g->s, &g->r, &g->made, &g->b[0], &g->b[0], 10);
}

static void voided_by_a_stranger(struct ground *g)
{
    AUTO(buf_clear) struct buf bf37 = BUF_INIT;

    stand_bf37(&g->s, &g->b[0], &g->b[1].eid, true, 1, &bf37);
    add_gone(&g->r, REPORT_VOIDED, &g->made, &g->b[0], buf_span(&bf37), 9);
}

static void failure_of_a_stranger(struct ground *g)
{
    g->b[0].txid.o[0] ^= 1;
    add_failure(&g->r, &g->b[0], 9);
}

static void no_eum_chain(struct ground *g)
{
    stand_report_result(&g->s, &g->r, &g->made, &g->b[0], NULL, true, 9);
    blobs_clear(&g->r.m.eum_chains);
}

static void unknown_station(struct ground *g)
{
    struct issue root = { .role = ISSUE_DM_ROOT, .common_name = "not ours" };
    struct issue what = { .role = ROLE_STATION,
                          .common_name = "station-1",
                          .serial_number = "station-1" };
    struct holder r = { EVP_EC_gen("P-256"), NULL };
    struct err e = ERR_INIT;

    g->stranger.key = EVP_EC_gen("P-256");
    ck_assert(issue_cert(&root, r.key, NULL, &r.cert, &e) == 0 &&
              issue_cert(&what, g->stranger.key, &r, &g->stranger.cert,
                         &e) == 0);
    holder_clear(&r);
}

static const struct {
    const char *name;
    void (*make)(struct ground *g);
    enum err_code want;
    const char *words;
} lies[] = {
    { "by another eUICC", by_another_euicc, ERR_CONFLICT, "belongs to eUICC" },
    { "broken signature", broken_signature, ERR_SIGNATURE, "record 1" },
    { "never issued", never_issued, ERR_CONFLICT, "never issued" },
    { "other ICCID", other_iccid, ERR_CONFLICT, "another ICCID" },
    { "reported twice", reported_twice, ERR_CONFLICT, "twice" },
    { "result and quarantined", result_and_quarantined, ERR_CONFLICT, "twice" },
    { "event outside", event_outside, ERR_CONFLICT, "outside" },
    { "events out of order", events_out_of_order, ERR_CONFLICT, "out of order" },
    { "totals claim more", totals_claim_more, ERR_CONFLICT, "claim 2 installed" },
    { "totals claim less", totals_claim_less, ERR_CONFLICT, "claim 0 installed" },
    { "totals claim deleted", totals_claim_deleted, ERR_CONFLICT, "1 deleted" },
    { "received fewer", received_fewer, ERR_CONFLICT, "2 received, 3 issued" },
    { "another manifest", another_manifest, ERR_CONFLICT, "another manifest" },
    { "unknown bundle", unknown_bundle, ERR_CONFLICT, "never issued" },
    { "totals left out", totals_left_out, ERR_CONFLICT, "leave out" },
    { "wrong bundle", wrong_bundle, ERR_CONFLICT, "was issued in bundle" },
    { "deletion of another", deletion_of_another, ERR_CONFLICT, "belongs to" },
    { "deleted, not installed", deleted_not_installed, ERR_CONFLICT,
      "never reported installed" },
    { "voided by a stranger", voided_by_a_stranger, ERR_SIGNATURE, "record 1" },
    { "failure of a stranger", failure_of_a_stranger, ERR_CONFLICT,
      "never issued" },
    { "no EUM chain", no_eum_chain, ERR_FORMAT, "EUM chain 0" },
    { "unknown station", unknown_station, ERR_TRUST, "signer" },
};

/* Refused with its reason, and nothing of the report is kept. */
START_TEST(refuses)
{
    struct ground g = { .made = { .bpps = 0 } };
    struct report_check c;
    struct err e = ERR_INIT;

    stand_make(&g.s);
    g.made = stand_bundle(&g.s);
    for (int i = 0; i < STAND_EUICCS; i++)
        g.b[i] = stand_issued(&g.s, i);
    stand_report_start(&g.s, &g.made, 1, &g.r);
    lies[_i].make(&g);
    char *path = stand_report_seal(&g.s, &g.r,
                                   g.stranger.key ? &g.stranger : NULL);
    ck_assert_msg(check(&g.s, path, &c, &e) != 0, "%s", lies[_i].name);
    ck_assert_msg(e.code == lies[_i].want, "%s: %s: %s", lies[_i].name,
                  err_name(e.code), e.msg);
    ck_assert_msg(strstr(e.msg, lies[_i].words) != NULL, "%s: %s",
                  lies[_i].name, e.msg);
    ck_assert_int_eq(stand_count(&g.s, kept_rows), 0);
    holder_clear(&g.stranger);
    free(g.made.container);
    stand_clear(&g.s);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "tells_everything", tells_everything, 1 },
        { "acknowledged", acknowledged, 1 },
        { "reports_follow_each_other", reports_follow_each_other, 2 },
        { "one_result_from_two_stations", one_result_from_two_stations, 1 },
        { "refuses", refuses, sizeof lies / sizeof *lies },
    };

    return run_tests("lab_smdpf/check", tests, sizeof tests / sizeof *tests);
}
