/* Records of the loading report: their octets, and what they may not be. */
#include "station/container/report_record.h"

#include "station/container/manifest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define AT 1795473660 /* 2026-11-23 22:41:00Z */
#define UUID "00112233-4455-4677-8899-aabbccddeeff"

static const uint8_t sixteen[16] = { 1, 2, 3 };
static const uint8_t cert[] = { 0x30, 0x02, 0x05, 0x00 };
static const uint8_t bf37[] = { 0xbf, 0x37, 0x02, 0x05, 0x00 };
static const uint8_t bf72[] = { 0xbf, 0x72, 0x02, 0x05, 0x00 };

static struct report_record full(enum report_kind k)
{
    return (struct report_record){
        .kind = k, .event = 9, .at = AT, .started_at = AT - 40,
        .finished_at = AT, .bundle_id = SPAN(UUID, UUID_LEN),
        .txid = SPAN_ARRAY(sixteen), .serial = SPAN("SN", 2),
        .position = SPAN("main", 4), .fixture = SPAN("f1", 2),
        .code = SPAN("no-card", 7), .detail = SPAN("x", 1),
        .reason = SPAN("elsewhere", 9), .eid = SPAN_ARRAY(sixteen),
        .eum_chain = 1, .certificate = SPAN_ARRAY(cert),
        .bf37 = SPAN_ARRAY(bf37), .notification = SPAN_ARRAY(cert),
        .receipt = SPAN_ARRAY(bf72), .imei = SPAN("490154203237518", 15),
    };
}

static bool same(const struct report_record *a, const struct report_record *b)
{
    AUTO(buf_clear) struct buf x = BUF_INIT;
    AUTO(buf_clear) struct buf y = BUF_INIT;

    ck_assert_int_eq(report_record_encode(a, &x, NULL), 0);
    ck_assert_int_eq(report_record_encode(b, &y, NULL), 0);
    return span_eq(buf_span(&x), buf_span(&y));
}

START_TEST(octets_are_the_contract)
{
    static const char want[] =
        "a140" "020109" "180f32303236313132333232343130305a"
        "0c076e6f2d63617264" "0c0178" "0c026631"
        "8002534e" "81046d61696e"
        "821001020300000000000000000000000000";
    struct report_record r = full(REPORT_FAILURE);
    AUTO(buf_clear) struct buf b = BUF_INIT;
    char got[512];

    r.txid = SPAN(NULL, 0);
    r.imei = SPAN(NULL, 0);
    ck_assert_int_eq(report_record_encode(&r, &b, NULL), 0);
    ck_assert_str_eq(hex_encode(buf_span(&b), got, sizeof got), want);
}
END_TEST

START_TEST(there_and_back)
{
    struct report_record r = full((enum report_kind)_i), b;
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct err e = ERR_INIT;

    ck_assert_msg(report_record_encode(&r, &der, &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(der.p[0], 0xa0 + (unsigned)_i);
    ck_assert_msg(report_record_decode(buf_span(&der), &b, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(b.kind, _i);
    ck_assert_uint_eq(b.event, 9);
    ck_assert(same(&r, &b));
    if (_i == REPORT_RESULT) {
        ck_assert(span_eq(b.bf37, r.bf37));
        ck_assert_int_eq(b.started_at, AT - 40);
        ck_assert_int_eq(b.finished_at, AT);
        ck_assert_uint_eq(b.eum_chain, 1);
    } else {
        ck_assert_int_eq(b.at, AT);
    }
    for (size_t n = 0; n < der.n; n++)
        ck_assert_int_eq(report_record_decode(SPAN(der.p, n), &b, NULL), -1);
    buf_put_u8(&der, 0);
    ck_assert_int_eq(report_record_decode(buf_span(&der), &b, NULL), -1);
}
END_TEST

/* Whatever an altered record still says, it says in one form. */
START_TEST(octets_have_one_meaning)
{
    struct report_record r = full((enum report_kind)_i), b;
    AUTO(buf_clear) struct buf der = BUF_INIT;

    ck_assert_int_eq(report_record_encode(&r, &der, NULL), 0);
    for (size_t at = 0; at < der.n; at++)
        for (int bit = 0; bit < 8; bit++) {
            AUTO(buf_clear) struct buf again = BUF_INIT;
            der.p[at] ^= (uint8_t)(1 << bit);
            if (report_record_decode(buf_span(&der), &b, NULL) == 0) {
                ck_assert_int_eq(report_record_encode(&b, &again, NULL), 0);
                ck_assert(span_eq(buf_span(&again), buf_span(&der)));
            }
            der.p[at] ^= (uint8_t)(1 << bit);
        }
}
END_TEST

static void no_event(struct report_record *r) { r->event = 0; }
static void early(struct report_record *r) { r->at = r->started_at = -1; }
static void no_bundle(struct report_record *r) { r->bundle_id.n = 0; }
static void short_txid(struct report_record *r) { r->txid.n = 15; }
static void short_eid(struct report_record *r) { r->eid.n = 15; }
static void control(struct report_record *r) { r->serial = SPAN("a\nb", 3); }
static void no_code(struct report_record *r) { r->code.n = 0; }
static void no_reason(struct report_record *r) { r->reason.n = 0; }
static void no_cert(struct report_record *r) { r->certificate.n = 0; }
static void cut_cert(struct report_record *r) { r->certificate.n--; }
static void wrong_result(struct report_record *r) { r->bf37 = r->receipt; }
static void no_result(struct report_record *r) { r->bf37.n = 0; }
static void wrong_receipt(struct report_record *r) { r->receipt = r->bf37; }
static void no_note(struct report_record *r) { r->notification.n = 0; }
static void unknown(struct report_record *r) { r->kind = REPORT_KINDS; }
static void too_long(struct report_record *r)
{
    static char text[REPORT_TEXT_MAX + 1];

    memset(text, 'x', sizeof text);
    r->detail = SPAN(text, sizeof text);
}

static const struct {
    const char *name;
    enum report_kind kind;
    void (*change)(struct report_record *);
    const char *says;
} wrong[] = {
    { "no event", REPORT_RESULT, no_event, "event" },
    { "before 1970", REPORT_RESULT, early, "started_at" },
    { "before 1970", REPORT_FAILURE, early, "at" },
    { "no bundle", REPORT_RESULT, no_bundle, "bundle_id" },
    { "transactionId of 15", REPORT_VOIDED, short_txid, "txid" },
    { "transactionId of 15", REPORT_FAILURE, short_txid, "txid" },
    { "EID of 15", REPORT_FAILURE, short_eid, "eid" },
    { "control character", REPORT_RECEIPT, control, "serial" },
    { "no code", REPORT_FAILURE, no_code, "code" },
    { "detail too long", REPORT_FAILURE, too_long, "detail" },
    { "no reason", REPORT_QUARANTINED, no_reason, "reason" },
    { "no reason", REPORT_VOIDED, no_reason, "reason" },
    { "no certificate", REPORT_DELETION, no_cert, "certificate" },
    { "certificate cut", REPORT_RECEIPT, cut_cert, "certificate" },
    { "result of another tag", REPORT_RESULT, wrong_result, "bf37" },
    { "result of another tag", REPORT_VOIDED, wrong_result, "bf37" },
    { "no result", REPORT_RESULT, no_result, "bf37" },
    { "receipt of another tag", REPORT_RECEIPT, wrong_receipt, "receipt" },
    { "no notification", REPORT_DELETION, no_note, "notification" },
    { "unknown kind", REPORT_RESULT, unknown, "kind" },
};

START_TEST(may_not_be)
{
    struct report_record r = full(wrong[_i].kind);
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    buf_put_u8(&b, 0xaa);
    wrong[_i].change(&r);
    ck_assert_msg(report_record_encode(&r, &b, &e) == -1, "%s", wrong[_i].name);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    ck_assert_msg(strstr(e.msg, wrong[_i].says) != NULL, "%s", e.msg);
    ck_assert_uint_eq(b.n, 1);
}
END_TEST

static const struct {
    const char *name, *hex;
} unreadable[] = {
    { "nothing", "" },
    { "unknown kind", "a600" },
    { "primitive", "8100" },
    { "empty", "a500" },
    { "an optional member that is empty",
      "a126" "020109" "180f32303236313132333232343130305a" "0c076e6f2d63617264"
      "0c0178" "0c026631" "8000" },
    { "optional members out of order",
      "a12a" "020109" "180f32303236313132333232343130305a" "0c076e6f2d63617264"
      "0c0178" "0c026631" "810178" "800178" },
};

START_TEST(may_not_be_read)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct report_record r = { .event = 77 };
    struct err e = ERR_INIT;

    buf_put_hex(&b, unreadable[_i].hex);
    ck_assert_msg(report_record_decode(buf_span(&b), &r, &e) == -1, "%s",
                  unreadable[_i].name);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    ck_assert_uint_eq(r.event, 77);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("container/report_record");
    TCase *tc = tcase_create("report_record");

    suite_add_tcase(s, tc);
    tcase_add_test(tc, octets_are_the_contract);
    tcase_add_loop_test(tc, there_and_back, 0, REPORT_KINDS);
    tcase_add_loop_test(tc, octets_have_one_meaning, 0, REPORT_KINDS);
    tcase_add_loop_test(tc, may_not_be, 0, sizeof wrong / sizeof *wrong);
    tcase_add_loop_test(tc, may_not_be_read, 0,
                        sizeof unreadable / sizeof *unreadable);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
