/* Gating (GENS13, EUICCF04; binding, clause 4): which function answers when,
 * as a table, and how the factory's services end for good. */
#include "tests/unit/lab_euicc/chip.h"

#include "station/ifpp/tags.h"

#include <check.h>
#include <string.h>

static struct desk d;

#define NONCE "8010000102030405060708090a0b0c0d0e0f"
#define NO_ICCID "5A0A98000000000000000000"

enum { YES = 0x9000, NO = 0x6985, NONE = 0x6A88 };

/* Status word of each function: with unused keys before BF70 and after it,
 * without keys and not closed, and after CloseFpaServices. */
static const struct row {
    const char *name, *request;
    unsigned before, opened, no_keys, closed;
} rows[] = {
    { "GetEUICCInfo1", "BF2000", YES, YES, YES, YES },
    { "GetEUICCInfo2", "BF2200", YES, YES, YES, YES },
    { "ListNotification", "BF2800", YES, YES, YES, YES },
    { "RetrieveNotificationsList", "BF2B00", YES, YES, YES, YES },
    { "GetProfilesInfo", "BF2D00", YES, YES, YES, YES },
    { "GetEUICCChallenge", "BF2E00", YES, YES, YES, YES },
    { "RemoveNotificationFromList", "BF3003800101", YES, YES, YES, YES },
    { "EuiccConfiguredAddresses", "BF3C00", YES, YES, YES, YES },
    { "GetEUICCData", "BF3E035C015A", YES, YES, YES, YES },
    { "GetRAT", "BF4300", YES, YES, YES, YES },
    { "GetCerts", "BF5600", YES, YES, YES, YES },

    { "PrepareDownload", "BF2105300380010A", NO, YES, YES, YES },
    { "SetNickname", "BF290F" NO_ICCID "900141", NO, YES, YES, YES },
    { "EnableProfile", "BF3111A00C" NO_ICCID "810100", NO, YES, YES, YES },
    { "DisableProfile", "BF3211A00C" NO_ICCID "810100", NO, YES, YES, YES },
    { "DeleteProfile", "BF330C" NO_ICCID, NO, YES, YES, YES },
    { "eUICCMemoryReset", "BF340482020780", NO, YES, YES, YES },
    { "AuthenticateServer", "BF3805300380010A", NO, YES, YES, YES },
    { "SetDefaultDpAddress", "BF3F058003612E62", NO, YES, YES, YES },

    /* Not opened, it is the gate that refuses; opened, what is missing is an
     * authorisation: the same word. */
    { "LoadBoundProfilePackage", "BF3602BF23", NO, NO, NO, NO },
    { "AuthoriseSmdpf", "BF710580010AA100", YES, YES, YES, NO },
    { "ImmediateEnable of SGP.32", "BF5A03800100", NONE, NONE, NONE, NONE },
    { "ProfileRollback of SGP.32", "BF5800", NONE, NONE, NONE, NONE },
};

static void setup(void)
{
    desk_make(&d, &(struct desk_options){ .keys = DESK_KEYS });
    desk_start(&d, NULL);
}

static void teardown(void)
{
    desk_clear(&d);
}

static unsigned ask(const char *hex)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;

    return desk_send_hex(&d, hex, &answer);
}

/* Receipt of BF72 or BF73: checked, and its numbers. */
static void receipt(uint32_t tag, uint64_t want_deleted, uint64_t *seq)
{
    AUTO(buf_clear) struct buf cmd = BUF_INIT, answer = BUF_INIT;
    static const uint8_t nonce[16] = { 7, 1 };
    struct tlv all, data, sign, t;
    uint64_t n;

    size_t m = der_open(&cmd);
    der_put(&cmd, 0x80, SPAN_ARRAY(nonce));
    der_close(&cmd, tag, m);
    ck_assert_uint_eq(desk_send(&d, buf_span(&cmd), &answer), YES);
    struct span in = buf_span(&answer);
    ck_assert(der_take(&in, tag, &all) == 0 && in.n == 0);
    ck_assert(der_take(&all.value, TAG_SEQUENCE, &data) == 0);
    ck_assert(der_take(&all.value, TAG_SIGNATURE, &sign) == 0);
    ck_assert(desk_signed(&d, data.whole, sign.value));
    in = data.value;
    ck_assert(der_take(&in, TAG_EID, &t) == 0);
    ck_assert(span_eq(t.value, SPAN_ARRAY(d.eid.o)));
    ck_assert(der_take(&in, 0x80, &t) == 0 && t.value.p[0] == (tag & 0xff));
    ck_assert(der_take(&in, 0x81, &t) == 0 && der_uint(t.value, seq) == 0);
    ck_assert(der_take(&in, 0x82, &t) == 0 && der_uint(t.value, &n) == 0);
    ck_assert_uint_eq(n, want_deleted);
    ck_assert(der_take(&in, 0x83, &t) == 0 && der_uint(t.value, &n) == 0);
    ck_assert_uint_eq(n, 0);
    ck_assert(der_take(&in, 0x84, &t) == 0);
    ck_assert(span_eq(t.value, SPAN_ARRAY(nonce)) && in.n == 0);
}

static void to_no_keys(void)
{
    uint64_t seq;

    receipt(TAG_DELETE_OTK, DESK_KEYS, &seq);
    desk_reset(&d);
}

static void to_closed(void)
{
    uint64_t seq;

    to_no_keys();
    receipt(TAG_CLOSE_FPA, 0, &seq);
    desk_reset(&d);
}

START_TEST(gate_before)
{
    ck_assert_msg(ask(rows[_i].request) == rows[_i].before, "%s",
                  rows[_i].name);
}
END_TEST

START_TEST(gate_opened)
{
    desk_open_fpa(&d);
    ck_assert_msg(ask(rows[_i].request) == rows[_i].opened, "%s",
                  rows[_i].name);
    /* SELECT closes the session again. */
    ck_assert_uint_eq(desk_select(&d) >> 8, 0x61);
    ck_assert_msg(ask(rows[_i].request) == rows[_i].before, "%s after SELECT",
                  rows[_i].name);
}
END_TEST

START_TEST(gate_no_keys)
{
    to_no_keys();
    ck_assert_msg(ask(rows[_i].request) == rows[_i].no_keys, "%s",
                  rows[_i].name);
}
END_TEST

START_TEST(gate_closed)
{
    to_closed();
    ck_assert_msg(ask(rows[_i].request) == rows[_i].closed, "%s",
                  rows[_i].name);
    desk_open_fpa(&d); /* BF70 is allowed, and opens nothing that is closed */
    ck_assert_msg(ask(rows[_i].request) == rows[_i].closed, "%s",
                  rows[_i].name);
}
END_TEST

static void status(unsigned state, size_t keys)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct tlv all, version, closed, list, one, s2, sign;
    size_t n = 0;

    ck_assert_uint_eq(desk_send_hex(&d, "BF7012" NONCE, &answer), YES);
    struct span in = buf_span(&answer);
    ck_assert(der_take(&in, TAG_IFPP_STATUS, &all) == 0);
    ck_assert(der_take(&all.value, 0x80, &version) == 0);
    ck_assert_uint_eq(version.value.p[0], 1);
    ck_assert(der_take(&all.value, 0x81, &closed) == 0);
    ck_assert_uint_eq(closed.value.p[0], state);
    ck_assert(der_take(&all.value, 0xA2, &list) == 0 && all.value.n == 0);
    for (; der_take(&list.value, TAG_SEQUENCE, &one) == 0; n++) {
        ck_assert(der_take(&one.value, TAG_SEQUENCE, &s2) == 0);
        ck_assert(der_take(&one.value, TAG_SIGNATURE, &sign) == 0);
        ck_assert(desk_signed(&d, s2.whole, sign.value));
        ck_assert(span_eq(s2.whole, buf_span(&d.key[n].signed2)));
    }
    ck_assert(list.value.n == 0);
    ck_assert_uint_eq(n, keys);
}

/* The end of production: order, errors, repetition. */
START_TEST(closing)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    uint64_t seq, next;

    status(0, DESK_KEYS);
    ck_assert_uint_eq(desk_send_hex(&d, "BF7312" NONCE, &answer), YES);
    ck_assert(span_eq(buf_span(&answer), SPAN("\xBF\x73\x03\x80\x01\x01", 6)));
    status(0, DESK_KEYS);
    ck_assert_uint_eq(desk_send_hex(&d, "BF7200", &answer), YES);
    ck_assert(span_eq(buf_span(&answer), SPAN("\xBF\x72\x03\x80\x01\x7F", 6)));
    ck_assert_uint_eq(desk_keys_left(&d), DESK_KEYS);

    receipt(TAG_DELETE_OTK, DESK_KEYS, &seq);
    ck_assert_uint_eq(desk_keys_left(&d), 0);
    desk_reset(&d);
    status(0, 0);
    receipt(TAG_DELETE_OTK, 0, &next); /* harmless, and fresh */
    ck_assert_uint_gt(next, seq);
    receipt(TAG_CLOSE_FPA, 0, &seq);
    ck_assert_uint_gt(seq, next);
    desk_start(&d, NULL); /* another process, another day */
    status(1, 0);
    receipt(TAG_CLOSE_FPA, 0, &next);
    ck_assert_uint_gt(next, seq);
    receipt(TAG_DELETE_OTK, 0, &seq);
    status(1, 0);
}
END_TEST

/* AuthoriseSmdpf: who may, for which key. */
START_TEST(authorise)
{
    struct desk other;
    AUTO(buf_clear) struct buf eum = BUF_INIT;
    struct err e = ERR_INIT;
    struct txid unknown = { { 1 } };
    unsigned result;

    desk_make(&other, &(struct desk_options){ .keys = 0 });
    ck_assert(cert_put(d.eum.cert, &eum, &e) == 0);
    const struct {
        struct txid txid;
        struct span chain;
        unsigned want;
    } tries[] = {
        { d.key[0].txid, buf_span(&d.dp_chain), 0 },
        { unknown, buf_span(&d.dp_chain), 5 },
        { d.key[0].txid, buf_span(&other.dp_chain), 1 }, /* another CI    */
        { d.key[0].txid, buf_span(&eum), 1 },            /* another role  */
        { d.key[0].txid, buf_span(&d.cert), 1 },
        { d.key[0].txid, SPAN(NULL, 0), 1 },
        { d.key[0].txid, SPAN("\x30\x00", 2), 1 },
    };
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        ck_assert_uint_eq(desk_authorise(&d, &tries[i].txid, tries[i].chain,
                                         &result),
                          YES);
        ck_assert_msg(result == tries[i].want, "%zu: %u", i, result);
    }
    desk_clear(&other);
}
END_TEST

/* What the chip says of its kind is what the EUM is told to repeat. */
START_TEST(info2)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT, want = BUF_INIT;
    struct desk iot;
    struct err e = ERR_INIT;
    struct tlv all, t;

    desk_make(&iot, &(struct desk_options){ .kind = INFO2_IOT });
    desk_start(&iot, NULL);
    ck_assert_uint_eq(desk_send_hex(&iot, "BF2200", &answer), YES);
    ck_assert(euicc_info2_put(&want, INFO2_IOT, buf_span(&iot.ci_der), &e) ==
              0);
    ck_assert(span_eq(buf_span(&answer), buf_span(&want)));
    struct span in = buf_span(&answer);
    ck_assert(der_take(&in, TAG_INFO2, &all) == 0 && in.n == 0);
    ck_assert_int_eq(der_find(all.value, 0xB4, &t), 1);
    /* It has ImmediateEnable, and nothing to enable yet. */
    ck_assert_uint_eq(desk_send_hex(&iot, "BF5A03800100", &answer), YES);
    ck_assert(span_eq(buf_span(&answer), SPAN("\xBF\x5A\x03\x80\x01\x04", 6)));
    /* refreshFlag is not optional (SGP.32 5.9.15). */
    ck_assert_uint_eq(desk_send_hex(&iot, "BF5A00", &answer), 0x6A80);
    ck_assert_uint_eq(desk_send_hex(&d, "BF2200", &answer), YES);
    in = buf_span(&answer);
    ck_assert(der_take(&in, TAG_INFO2, &all) == 0);
    ck_assert_int_eq(der_find(all.value, 0xB4, &t), 0);
    desk_clear(&iot);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab/euicc/gate");
    TCase *t = tcase_create("gate");
    const int n = sizeof rows / sizeof *rows;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, gate_before, 0, n);
    tcase_add_loop_test(t, gate_opened, 0, n);
    tcase_add_loop_test(t, gate_no_keys, 0, n);
    tcase_add_loop_test(t, gate_closed, 0, n);
    tcase_add_test(t, closing);
    tcase_add_test(t, authorise);
    tcase_add_test(t, info2);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
