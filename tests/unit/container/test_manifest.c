/* The manifest: goes through its octets and back, and what it may not say. */
#include "scene.h"

#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct scene w;

static void setup(void)
{
    scene_make(&w);
}

static void teardown(void)
{
    scene_clear(&w);
}

/* With an id and, where the kind has them, two segments. */
static void fill(enum container_kind k, struct manifest *m)
{
    scene_manifest(&w, k, m);
    strcpy(m->id, "00112233-4455-4677-8899-aabbccddeeff");
    if (k == KIND_STATION_CSR || k == KIND_STATION_CERT || k == KIND_WORK_ORDER ||
        k == KIND_REPORT_RECEIPT)
        return;
    m->segments = calloc(2, sizeof *m->segments);
    m->segment_count = 2;
    for (size_t i = 0; i < 2; i++) {
        segment_name(i, m->segments[i].name);
        m->segments[i].size = 1000 + i;
        m->segments[i].records = 3;
        memset(m->segments[i].sha256, (int)i + 1, 32);
    }
    if (k == KIND_BPP_REQUEST)
        m->keys_offered = 6;
}

static bool same_blobs(const struct blobs *a, const struct blobs *b)
{
    bool same = a->n == b->n;

    for (size_t i = 0; same && i < a->n; i++)
        same = span_eq(buf_span(&a->v[i]), buf_span(&b->v[i]));
    return same;
}

START_TEST(there_and_back)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(manifest_clear) struct manifest b;
    AUTO(buf_clear) struct buf der = BUF_INIT;
    AUTO(buf_clear) struct buf again = BUF_INIT;
    struct err e = ERR_INIT;

    fill((enum container_kind)_i, &m);
    ck_assert_msg(manifest_encode(&m, &der, &e) == 0, "%s", e.msg);
    ck_assert_msg(manifest_decode(buf_span(&der), &b, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(manifest_encode(&b, &again, &e), 0);
    ck_assert(span_eq(buf_span(&der), buf_span(&again)));

    ck_assert_int_eq(b.kind, _i);
    ck_assert_str_eq(b.id, m.id);
    ck_assert_str_eq(b.issuer, m.issuer);
    ck_assert_uint_eq(b.sequence, m.sequence);
    ck_assert_int_eq(b.created_at, m.created_at);
    ck_assert_int_eq(b.not_after, m.not_after);
    ck_assert_int_eq(b.recipients.kind, m.recipients.kind);
    ck_assert(same_blobs(&b.recipients.list, &m.recipients.list));
    ck_assert_uint_eq(b.segment_count, m.segment_count);
    for (size_t i = 0; i < b.segment_count; i++)
        ck_assert_mem_eq(&b.segments[i].sha256, &m.segments[i].sha256, 32);
    ck_assert(same_blobs(&b.eum_chains, &m.eum_chains));
    ck_assert(same_blobs(&b.dp_chains, &m.dp_chains));
    ck_assert(span_eq(buf_span(&b.info2), buf_span(&m.info2)));
    ck_assert(same_blobs(&b.key_recipients, &m.key_recipients));
    ck_assert(span_eq(buf_span(&b.csr), buf_span(&m.csr)));
    ck_assert_str_eq(b.site, m.site);
    ck_assert(span_eq(buf_span(&b.station_chain), buf_span(&m.station_chain)));
    ck_assert(same_blobs(&b.ci_roots, &m.ci_roots));
    ck_assert(same_blobs(&b.allowed_smdp, &m.allowed_smdp));
    ck_assert(span_eq(buf_span(&b.recovery_chain), buf_span(&m.recovery_chain)));
    ck_assert_uint_eq(b.epoch, m.epoch);
    ck_assert_uint_eq(b.ledger_size, m.ledger_size);
    ck_assert_mem_eq(b.ledger_sha256, m.ledger_sha256, 32);
    ck_assert_mem_eq(b.recovery_key_id, m.recovery_key_id, 32);
    ck_assert_uint_eq(b.first_event, m.first_event);
    ck_assert_uint_eq(b.last_event, m.last_event);
    ck_assert_mem_eq(b.head_before, m.head_before, 32);
    ck_assert_mem_eq(b.head_after, m.head_after, 32);
    ck_assert_int_eq(b.has_previous_report, m.has_previous_report);
    ck_assert_int_eq(b.has_previous_audit, m.has_previous_audit);
    ck_assert_mem_eq(b.previous_report, m.previous_report, 32);
    ck_assert_uint_eq(b.keys_offered, m.keys_offered);
    ck_assert_str_eq(b.msp, m.msp);
    ck_assert_str_eq(b.profile, m.profile);
    ck_assert_mem_eq(&b.shift, &m.shift, sizeof b.shift);
    ck_assert_mem_eq(&b.receipt, &m.receipt, sizeof b.receipt);
    ck_assert_uint_eq(b.totals_count, m.totals_count);
    if (m.totals_count) {
        ck_assert_str_eq(b.totals->id, m.totals->id);
        ck_assert_str_eq(b.totals->smdp_oid, m.totals->smdp_oid);
        ck_assert_uint_eq(b.totals->received, m.totals->received);
        ck_assert_uint_eq(b.totals->deleted, m.totals->deleted);
    }
    ck_assert_int_eq(b.order != NULL, m.order != NULL);
    if (m.order)
        ck_assert_mem_eq(b.order, m.order, sizeof *m.order);
}
END_TEST

START_TEST(site_as_recipient)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(manifest_clear) struct manifest b;
    AUTO(buf_clear) struct buf der = BUF_INIT;

    fill(KIND_BPP_BUNDLE, &m);
    blobs_clear(&m.recipients.list);
    m.recipients.kind = RCPT_SITE;
    blobs_add(&m.recipients.list, SPAN_STR("hall-3"));
    ck_assert_int_eq(manifest_encode(&m, &der, NULL), 0);
    ck_assert_int_eq(manifest_decode(buf_span(&der), &b, NULL), 0);
    ck_assert_int_eq(b.recipients.kind, RCPT_SITE);
    ck_assert(span_eq(buf_span(&b.recipients.list.v[0]), SPAN_STR("hall-3")));
}
END_TEST

/* --- what may not be said: each is one change to a good manifest ------------------- */

static void version(struct manifest *m) { m->version = 2; }
static void id_upper(struct manifest *m) { m->id[35] = 'F'; }
static void id_short(struct manifest *m) { m->id[35] = 0; }
static void no_issuer(struct manifest *m) { m->issuer[0] = 0; }
static void issuer_control(struct manifest *m) { m->issuer[1] = '\n'; }
static void sequence(struct manifest *m) { m->sequence = 0; }
static void ends_first(struct manifest *m) { m->not_after = m->created_at - 1; }
static void before_1970(struct manifest *m) { m->created_at = -1; }
static void parties(struct manifest *m) { m->recipients.kind = RCPT_PARTIES; }
static void stations(struct manifest *m) { m->recipients.kind = RCPT_STATIONS; }
static void nobody(struct manifest *m) { blobs_clear(&m->recipients.list); }
static void short_key_id(struct manifest *m) { m->recipients.list.v[0].n = 31; }
static void gap(struct manifest *m) { segment_name(2, m->segments[1].name); }
static void other_name(struct manifest *m)
{
    strcpy(m->segments[0].name, "../../etc/passwd");
}
static void no_segments(struct manifest *m) { m->segment_count = 0; }
static void no_records(struct manifest *m) { m->segments[0].records = 0; }
static void no_size(struct manifest *m) { m->segments[0].size = 0; }
static void too_large(struct manifest *m)
{
    m->segments[0].size = SEGMENT_MAX + 1;
    m->segments[0].records = 100000;
}
static void too_few(struct manifest *m)
{
    m->segments[0].size = 3ull * RECORD_MAX + 1;
}
static void too_many(struct manifest *m) { m->segments[0].records = 501; }
static void no_chain(struct manifest *m) { blobs_clear(&m->eum_chains); }
static void bad_chain(struct manifest *m) { m->eum_chains.v[0].p[0] = 0x31; }
static void cut_chain(struct manifest *m) { m->eum_chains.v[0].n--; }
static void no_dp(struct manifest *m) { blobs_clear(&m->dp_chains); }
static void bad_info2(struct manifest *m) { m->info2.p[1] = 0x23; }
static void bad_csr(struct manifest *m) { m->csr.n--; }
static void site_control(struct manifest *m) { m->site[0] = 7; }
static void no_roots(struct manifest *m) { blobs_clear(&m->ci_roots); }
static void range_turned(struct manifest *m) { m->first_event = 9; }
static void range_half(struct manifest *m) { m->first_event = 0; }
static void head_still(struct manifest *m) { memset(m->head_after, 0, 32); }
static void head_moves(struct manifest *m) { m->first_event = m->last_event = 0; }
static void before_first(struct manifest *m) { m->head_before[0] = 1; }
static void unbalanced(struct manifest *m) { m->totals->received++; }
static void wraps(struct manifest *m)
{
    m->totals->in_stock = UINT64_MAX;
    m->totals->reserved = 5;
}
static void deleted(struct manifest *m) { m->totals->deleted = 4; }
static void totals_id(struct manifest *m) { m->totals->id[0] = 'x'; }
static void two_parties(struct manifest *m)
{
    blobs_add(&m->recipients.list, SPAN_STR("2.999.11"));
}
static void more_keys(struct manifest *m) { m->keys_offered++; }
static void msp_control(struct manifest *m) { m->msp[0] = 0x1b; }
static void profile_utf8(struct manifest *m) { strcpy(m->profile, "\xc3"); }
static void recovery_cut(struct manifest *m) { m->recovery_chain.n--; }
static void from_2(struct manifest *m) { m->first_event = 2; }
static void epoch_0(struct manifest *m) { m->epoch = 0; }
static void of_nothing(struct manifest *m) { m->ledger_size = 0; }

static void no_order(struct manifest *m)
{
    free(m->order);
    m->order = NULL;
}
static void order_number(struct manifest *m) { strcpy(m->order->number, "a b"); }
static void order_none(struct manifest *m) { m->order->quantity = 0; }
static void order_serials(struct manifest *m) { strcpy(m->order->serials, "**"); }
static void order_twice(struct manifest *m)
{
    strcpy(m->order->recipe[1].position, m->order->recipe[0].position);
}
static void order_nowhere(struct manifest *m) { m->order->positions = 0; }
static void order_enables(struct manifest *m) { m->order->recipe[0].enable = 3; }
static void order_wants(struct manifest *m) { m->order->recipe[0].wants = 9; }
static void order_smdp(struct manifest *m)
{
    strcpy(m->order->recipe[0].want[1].smdp, "smdp");
}
static void receipt_of_nothing(struct manifest *m) { m->receipt.records = 0; }
static void receipt_more(struct manifest *m)
{
    m->receipt.accepted = m->receipt.records + 1;
}
static void receipt_wide(struct manifest *m) { m->receipt.records = UINT64_MAX; }
static void receipt_no_id(struct manifest *m) { m->receipt.report_id[0] = 0; }
static void receipt_no_number(struct manifest *m)
{
    m->receipt.report_sequence = 0;
}
static void one_segment(struct manifest *m)
{
    m->segments = calloc(1, sizeof *m->segments);
    m->segment_count = 1;
    segment_name(0, m->segments->name);
    m->segments->size = 2;
    m->segments->records = 1;
}
static void one_event(struct manifest *m) { m->last_event = m->first_event; }
static void follows(struct manifest *m) { m->has_previous_audit = true; }
static void nobody_opened(struct manifest *m) { m->shift.opened_by[0] = 0; }
static void shift_control(struct manifest *m) { m->shift.name[0] = 0x1B; }
static void closed_first(struct manifest *m)
{
    m->shift.closed_at = m->shift.opened_at - 1;
}
static void closed_later(struct manifest *m)
{
    m->shift.closed_at = m->created_at + 1;
}

static const struct {
    const char *name;
    enum container_kind kind;
    void (*change)(struct manifest *);
} wrong[] = {
    { "version 2", KIND_AUDIT_LOG, version },
    { "id in upper case", KIND_AUDIT_LOG, id_upper },
    { "id too short", KIND_AUDIT_LOG, id_short },
    { "no issuer", KIND_AUDIT_LOG, no_issuer },
    { "control character in the issuer", KIND_AUDIT_LOG, issuer_control },
    { "sequence 0", KIND_AUDIT_LOG, sequence },
    { "ends before it begins", KIND_AUDIT_LOG, ends_first },
    { "created before 1970", KIND_AUDIT_LOG, before_1970 },
    { "bundle to a party", KIND_BPP_BUNDLE, parties },
    { "report to a station", KIND_LOADING_REPORT, stations },
    { "bundle to nobody", KIND_BPP_BUNDLE, nobody },
    { "key id of 31 octets", KIND_BPP_BUNDLE, short_key_id },
    { "segment numbers with a gap", KIND_AUDIT_LOG, gap },
    { "segment name that leaves the folder", KIND_AUDIT_LOG, other_name },
    { "bundle without segments", KIND_BPP_BUNDLE, no_segments },
    { "segment without records", KIND_AUDIT_LOG, no_records },
    { "segment without octets", KIND_AUDIT_LOG, no_size },
    { "segment beyond 1 GiB", KIND_AUDIT_LOG, too_large },
    { "records larger than they may be", KIND_AUDIT_LOG, too_few },
    { "records smaller than they can be", KIND_AUDIT_LOG, too_many },
    { "bundle without EUM chain", KIND_BPP_BUNDLE, no_chain },
    { "chain that is not of SEQUENCEs", KIND_BPP_BUNDLE, bad_chain },
    { "chain cut short", KIND_BPP_BUNDLE, cut_chain },
    { "bundle without DPpb chain", KIND_BPP_BUNDLE, no_dp },
    { "EUM data without chain", KIND_EUICC_DATA, no_chain },
    { "EUICCInfo2 with another tag", KIND_EUICC_DATA, bad_info2 },
    { "request cut short", KIND_STATION_CSR, bad_csr },
    { "control character in the site", KIND_STATION_CSR, site_control },
    { "station-cert without CI roots", KIND_STATION_CERT, no_roots },
    { "event range turned round", KIND_AUDIT_LOG, range_turned },
    { "event range from 0", KIND_AUDIT_LOG, range_half },
    { "events that do not move the head", KIND_AUDIT_LOG, head_still },
    { "no events, and the head moves", KIND_LOADING_REPORT, head_moves },
    { "something before event 1", KIND_AUDIT_LOG, before_first },
    { "totals that do not add up", KIND_LOADING_REPORT, unbalanced },
    { "totals that add up by wrapping", KIND_LOADING_REPORT, wraps },
    { "more deleted than installed", KIND_LOADING_REPORT, deleted },
    { "totals of no bundle", KIND_LOADING_REPORT, totals_id },
    { "request to a station", KIND_BPP_REQUEST, stations },
    { "request to two SM-DPfs", KIND_BPP_REQUEST, two_parties },
    { "request without segments", KIND_BPP_REQUEST, no_segments },
    { "request for more keys than there are", KIND_BPP_REQUEST, more_keys },
    { "request without EUM chain", KIND_BPP_REQUEST, no_chain },
    { "control character in the MSP", KIND_BPP_REQUEST, msp_control },
    { "profile that is not UTF-8", KIND_BPP_REQUEST, profile_utf8 },
    { "work-order to a party", KIND_WORK_ORDER, parties },
    { "work-order without an order", KIND_WORK_ORDER, no_order },
    { "order number with a blank", KIND_WORK_ORDER, order_number },
    { "order of nothing", KIND_WORK_ORDER, order_none },
    { "two runs in a serial pattern", KIND_WORK_ORDER, order_serials },
    { "two recipes for a position", KIND_WORK_ORDER, order_twice },
    { "order without positions", KIND_WORK_ORDER, order_nowhere },
    { "enables what is not loaded", KIND_WORK_ORDER, order_enables },
    { "nine profiles", KIND_WORK_ORDER, order_wants },
    { "SM-DPf by name", KIND_WORK_ORDER, order_smdp },
    { "receipt for no record", KIND_REPORT_RECEIPT, receipt_of_nothing },
    { "more accepted than there are", KIND_REPORT_RECEIPT, receipt_more },
    { "records beyond counting", KIND_REPORT_RECEIPT, receipt_wide },
    { "receipt for no report", KIND_REPORT_RECEIPT, receipt_no_id },
    { "receipt for report 0", KIND_REPORT_RECEIPT, receipt_no_number },
    { "receipt to a party", KIND_REPORT_RECEIPT, parties },
    { "receipt to nobody", KIND_REPORT_RECEIPT, nobody },
    { "receipt with a segment", KIND_REPORT_RECEIPT, one_segment },
    { "shift of one event", KIND_SHIFT_RECORD, one_event },
    { "shift that follows a log", KIND_SHIFT_RECORD, follows },
    { "shift that nobody opened", KIND_SHIFT_RECORD, nobody_opened },
    { "control character in a shift's name", KIND_SHIFT_RECORD, shift_control },
    { "shift closed before it was opened", KIND_SHIFT_RECORD, closed_first },
    { "shift closed after it was recorded", KIND_SHIFT_RECORD, closed_later },
    { "shift without figures", KIND_SHIFT_RECORD, no_segments },
    { "shift to a station", KIND_SHIFT_RECORD, stations },
    { "half of a recovery certificate", KIND_STATION_CERT, recovery_cut },
    { "backup of a part", KIND_BACKUP, from_2 },
    { "backup of epoch 0", KIND_BACKUP, epoch_0 },
    { "backup of nothing", KIND_BACKUP, of_nothing },
};

START_TEST(may_not_be_said)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct err e = ERR_INIT;

    fill(wrong[_i].kind, &m);
    wrong[_i].change(&m);
    ck_assert_msg(manifest_encode(&m, &der, &e) == -1, "%s", wrong[_i].name);
    ck_assert_msg(e.code == ERR_FORMAT || e.code == ERR_LIMIT, "%s: %s",
                  wrong[_i].name, err_name(e.code));
    ck_assert_uint_eq(der.n, 0);
}
END_TEST

/* The same by its octets, so that the reader's checks are seen to be there:
 * a good manifest with one octet changed must fail or say something else. */
START_TEST(octets_have_one_meaning)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(buf_clear) struct buf der = BUF_INIT;

    fill((enum container_kind)_i, &m);
    ck_assert_int_eq(manifest_encode(&m, &der, NULL), 0);
    for (size_t at = 0; at < der.n; at++)
        for (int bit = 0; bit < 8; bit++) {
            AUTO(manifest_clear) struct manifest b;
            AUTO(buf_clear) struct buf again = BUF_INIT;
            manifest_init(&b);
            der.p[at] ^= (uint8_t)(1 << bit);
            if (manifest_decode(buf_span(&der), &b, NULL) == 0) {
                ck_assert_int_eq(manifest_encode(&b, &again, NULL), 0);
                ck_assert(span_eq(buf_span(&again), buf_span(&der)));
            }
            der.p[at] ^= (uint8_t)(1 << bit);
        }
    for (size_t n = 0; n < der.n; n++) {
        AUTO(manifest_clear) struct manifest b;
        manifest_init(&b);
        ck_assert_int_eq(manifest_decode(SPAN(der.p, n), &b, NULL), -1);
    }
}
END_TEST

START_TEST(ber_is_refused)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(buf_clear) struct buf der = BUF_INIT;
    AUTO(buf_clear) struct buf ber = BUF_INIT;
    struct manifest b;
    struct err e = ERR_INIT;
    struct tlv t;

    fill(KIND_AUDIT_LOG, &m);
    ck_assert_int_eq(manifest_encode(&m, &der, NULL), 0);
    struct span in = buf_span(&der);
    ck_assert_int_eq(der_take(&in, TAG_SEQUENCE, &t), 0);
    buf_put(&ber, "\x30\x80", 2); /* indefinite */
    buf_put_span(&ber, t.value);
    buf_put(&ber, "\0\0", 2);
    ck_assert_int_eq(manifest_decode(buf_span(&ber), &b, &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);

    buf_reset(&ber); /* a length with a leading zero */
    buf_put(&ber, "\x30\x83\x00", 3);
    buf_put_u16(&ber, (uint16_t)t.value.n);
    buf_put_span(&ber, t.value);
    ck_assert_int_eq(manifest_decode(buf_span(&ber), &b, &e), -1);

    buf_put_u8(&der, 0);
    ck_assert_int_eq(manifest_decode(buf_span(&der), &b, &e), -1);
}
END_TEST

START_TEST(bounds)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct err e = ERR_INIT;
    char name[24];

    fill(KIND_LOADING_REPORT, &m);
    free(m.totals);
    m.totals_count = MANIFEST_TOTALS_MAX + 1;
    m.totals = calloc(m.totals_count, sizeof *m.totals);
    for (size_t i = 0; i < m.totals_count; i++) {
        strcpy(m.totals[i].id, m.id);
        strcpy(m.totals[i].smdp_oid, SCENE_OID);
    }
    ck_assert_int_eq(manifest_encode(&m, &der, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    m.totals_count--;
    ck_assert_msg(manifest_encode(&m, &der, &e) == 0, "%s", e.msg);

    manifest_clear(&m);
    buf_reset(&der);
    fill(KIND_AUDIT_LOG, &m);
    free(m.segments);
    m.segment_count = MANIFEST_SEGMENTS_MAX + 1;
    m.segments = calloc(m.segment_count, sizeof *m.segments);
    for (size_t i = 0; i < m.segment_count; i++) {
        strcpy(m.segments[i].name, segment_name(i, name));
        m.segments[i].size = 2;
        m.segments[i].records = 1;
    }
    ck_assert_int_eq(manifest_encode(&m, &der, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    m.segment_count--;
    ck_assert_int_eq(manifest_encode(&m, &der, &e), 0);

    ck_assert_int_eq(manifest_decode(SPAN(der.p, MANIFEST_MAX + 1), &m, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
}
END_TEST

START_TEST(names_of_kinds)
{
    enum container_kind k;

    for (int i = 0; i < KIND_COUNT; i++) {
        ck_assert_int_eq(kind_parse(kind_name((enum container_kind)i), &k), 0);
        ck_assert_int_eq(k, i);
    }
    ck_assert_int_eq(kind_parse("crl", &k), -1); /* reserved */
    ck_assert_int_eq(kind_parse("", &k), -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("container/manifest");
    TCase *tc = tcase_create("manifest");

    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, there_and_back, 0, KIND_COUNT);
    tcase_add_test(tc, site_as_recipient);
    tcase_add_loop_test(tc, may_not_be_said, 0, sizeof wrong / sizeof *wrong);
    tcase_add_loop_test(tc, octets_have_one_meaning, 0, KIND_COUNT);
    tcase_add_test(tc, ber_is_refused);
    tcase_add_test(tc, bounds);
    tcase_add_test(tc, names_of_kinds);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
