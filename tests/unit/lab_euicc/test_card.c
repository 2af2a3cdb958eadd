/* ISO/IEC 7816-4 as binding clause 4 and known terminals use it: channels,
 * classes, chains, GET RESPONSE, wrong Le, and the faults. */
#include "tests/unit/lab_euicc/chip.h"

#include "station/ifpp/tags.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct desk d;

static void setup(void)
{
    desk_make(&d, &(struct desk_options){ .keys = DESK_KEYS });
    desk_start(&d, NULL);
}

static void teardown(void)
{
    desk_clear(&d);
}

/* Commands on a fresh card, in order on one card: what each answers, whole. */
#define ISD_R "A0000005591010FFFFFFFF8900000100"
static const struct row {
    const char *name, *cmd, *want; /* want: hex, or a prefix ending in * */
} rows[] = {
    { "terminal capability", "80AA00000AA9088100820101830107", "9000" },
    { "terminal capability in another class", "00AA00000AA9088100820101830107",
      "6E00" },
    { "open with the wrong Le", "0070000000", "6C01" },
    { "open with the wrong Le, again", "0070000002", "6C01" },
    { "open", "0070000001", "019000" },
    { "open the next", "0070000001", "029000" },
    { "open by number", "00700005", "9000" },
    { "open by number, P3 0", "0070000600", "9000" },
    { "open by number what is open", "00700005", "6985" },
    { "open beyond 19", "00700014", "6A86" },
    { "open skips what is open", "0070000001", "039000" },
    { "open skips what is open", "0070000001", "049000" },
    { "open skips what is open", "0070000001", "079000" },
    { "close", "00708003", "9000" },
    { "close what is closed", "00708003", "6985" },
    { "close the basic channel", "00708000", "6A86" },
    { "a closed channel", "03A4040010" ISD_R, "6881" },
    { "a closed channel from 4 up", "48A4040010" ISD_R, "6881" },
    { "STORE DATA where nothing is selected", "81E2910006BF3E035C015A",
      "6D00" },
    { "SELECT", "01A4040010" ISD_R, "6120" },
    { "GET RESPONSE in part", "01C0000010",
      "6F1E8410A0000005591010FFFFFFFF896110" },
    { "GET RESPONSE too long", "01C0000011", "6C10" },
    { "GET RESPONSE the rest", "01C0000010",
      "00000100A5039F6500E00582030202029000" },
    { "GET RESPONSE of nothing", "01C0000010", "6985" },
    { "SELECT P2=04, as a Python shell does", "01A4040410" ISD_R, "6120" },
    { "SELECT without FCI", "01A4040C10" ISD_R, "9000" },
    { "SELECT with Le", "01A4040010" ISD_R "00", "6120" },
    { "SELECT by file", "01A40000023F00", "6A86" },
    { "SELECT another AID", "01A4040007A0000000871002", "6A82" },
    { "SELECT on channel 4", "40A4040010" ISD_R, "6120" },
    { "EID on channel 4", "C0E2910006BF3E035C015A", "6115" },
    { "its GET RESPONSE in its class", "C0C0000015", "BF3E125A10*" },
    { "EID on channel 1, Le there", "81E2910006BF3E035C015A00", "6115" },
    { "its GET RESPONSE, Le 0", "81C0000000", "6C15" },
    { "its GET RESPONSE", "81C0000015", "BF3E125A10*" },
    { "any other command drops the answer", "81E2910006BF3E035C015A", "6115" },
    { "... such as this", "0170000001", "039000" },
    { "nothing is left of it", "81C0000015", "6985" },
    { "chain: P2 must begin at 0", "81E2910106BF3E035C015A", "6A86" },
    { "chain: unknown P1", "81E2800006BF3E035C015A", "6A86" },
    { "chain of two", "81E2110003BF3E03", "9000" },
    { "chain of two, last", "81E29101035C015A", "6115" },
    { "chain broken", "81E2110003BF3E03", "9000" },
    { "chain broken: P2", "81E29102035C015A", "6A86" },
    { "chain: what came before is gone", "81E29101035C015A", "6A86" },
    { "STORE DATA without data", "81E2910000", "6700" },
    { "unknown function", "81E2910003BF7F00", "6A88" },
    { "no TLV", "81E29100021F80", "6A80" },
    { "indefinite length", "81E2910005BF3E800000", "6A80" },
    { "octets after the function", "81E2910008BF3E035C015A0500", "6A80" },
    { "unknown instruction", "81CA000000", "6D00" },
    { "unknown class", "90E2910006BF3E035C015A", "6E00" },
    { "secure messaging", "84E2910006BF3E035C015A", "6E00" },
    { "too short", "81E2", "6700" },
    { "Lc beyond the end", "81E2910007BF3E035C015A", "6700" },
    { "extended length", "81E2910000000106BF3E", "6700" },
};

static void power_on(void)
{
    AUTO(buf_clear) struct buf atr = BUF_INIT;
    struct err e = ERR_INIT;

    ck_assert(card_power_on(d.card, &atr, &e) == 0);
}

START_TEST(answers)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;
    char got[600];

    power_on();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = strlen(rows[i].want);
        bool prefix = rows[i].want[n - 1] == '*';
        desk_apdu_hex(&d, rows[i].cmd, &rsp);
        hex_encode(buf_span(&rsp), got, sizeof got);
        ck_assert_msg(prefix ? strncasecmp(got, rows[i].want, n - 1) == 0
                             : strcasecmp(got, rows[i].want) == 0,
                      "%s: %s, not %s", rows[i].name, got, rows[i].want);
    }
}
END_TEST

/* T=0 must be offered, the checksum must hold. */
START_TEST(atr)
{
    AUTO(buf_clear) struct buf a = BUF_INIT;
    struct err e = ERR_INIT;
    uint8_t tck = 0;

    ck_assert(card_power_on(d.card, &a, &e) == 0);
    ck_assert_uint_eq(a.p[0], 0x3B);
    ck_assert_uint_le(a.n, 33);
    for (size_t i = 1; i < a.n; i++)
        tck ^= a.p[i];
    ck_assert_uint_eq(tck, 0);
    /* TD1 is the third octet when TA1 is there (9x): T=0. */
    ck_assert_uint_eq(a.p[1] >> 4, 0x9);
    ck_assert_uint_eq(a.p[3] & 0x0f, 0);
}
END_TEST

/* Each of the channels 1..19 has its own class, and serves. */
START_TEST(every_channel)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT, answer = BUF_INIT;

    power_on();
    for (unsigned n = 1; n < 20; n++) {
        ck_assert_uint_eq(desk_apdu_hex(&d, "0070000001", &rsp), 0x9000);
        ck_assert_uint_eq(rsp.p[0], n);
        d.channel = n;
        ck_assert_uint_eq(desk_select(&d), 0x6120);
        ck_assert_uint_eq(desk_send_hex(&d, "BF3E035C015A", &answer), 0x9000);
        ck_assert_uint_eq(answer.n, 21);
        ck_assert_mem_eq(answer.p + 5, d.eid.o, sizeof d.eid.o);
    }
    ck_assert_uint_eq(desk_apdu_hex(&d, "0070000001", &rsp), 0x6A81);
    d.channel = 0;
    ck_assert_uint_eq(desk_select(&d), 0x6120);
    ck_assert_uint_eq(desk_send_hex(&d, "BF3E035C015A", &answer), 0x9000);
}
END_TEST

/* P2 wraps from 255 to 0: a chain of 300 commands of one octet. */
START_TEST(long_chain)
{
    AUTO(buf_clear) struct buf data = BUF_INIT, rsp = BUF_INIT;
    unsigned sw = 0;

    /* BF3E whose value is one primitive of 290 octets: well-formed, refused. */
    buf_put_hex(&data, "BF3E82012604820122");
    while (data.n < 299)
        buf_put_u8(&data, 0xAA);
    for (size_t i = 0; i < data.n; i++) {
        uint8_t cmd[] = { 0x81, 0xE2, i + 1 == data.n ? 0x91 : 0x11,
                          (uint8_t)i, 1, data.p[i] };
        sw = desk_apdu(&d, SPAN_ARRAY(cmd), &rsp);
        if (i + 1 < data.n)
            ck_assert_uint_eq(sw, 0x9000);
    }
    ck_assert_uint_eq(sw, 0x6A80); /* the whole came to the function */
}
END_TEST

/* Each piece of a large answer carries 255 octets at most. */
START_TEST(large_answer)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct tlv bf56;

    d.get_responses = 0;
    ck_assert_uint_eq(desk_send_hex(&d, "BF5600", &answer), 0x9000);
    struct span in = buf_span(&answer);
    ck_assert(der_take(&in, TAG_GET_CERTS, &bf56) == 0 && in.n == 0);
    ck_assert_uint_gt(answer.n, 500);
    ck_assert_uint_eq(d.get_responses, (answer.n + 254) / 255);
    /* A6 stands for the 30 of CERT.EUICC. */
    struct tlv certs, eum, euicc;
    ck_assert(der_take(&bf56.value, 0xA0, &certs) == 0);
    ck_assert(der_take(&certs.value, 0xA5, &eum) == 0);
    ck_assert(der_take(&certs.value, 0xA6, &euicc) == 0);
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    der_put(&cert, TAG_SEQUENCE, euicc.value);
    ck_assert(span_eq(buf_span(&cert), buf_span(&d.cert)));
}
END_TEST

/* --- faults -------------------------------------------------------------- */

static const struct {
    const char *name;
    enum card_fault fault;
    unsigned want; /* status word, 0: nonsense */
    bool lives;    /* answers again without a reset */
    unsigned apdus; /* seen in all: without power there is nobody to see */
} faults[] = {
    { "6F00", CARD_FAULT_SW, 0x6F00, true, 8 },
    { "mute", CARD_FAULT_MUTE, DESK_LOST, false, 8 },
    { "garbage", CARD_FAULT_GARBAGE, 0, true, 8 },
    { "cut", CARD_FAULT_CUT, DESK_LOST, false, 7 },
    { "cut before", CARD_FAULT_CUT_BEFORE, DESK_LOST, false, 7 },
};

/* APDUs 1 and 2 are desk_start's. Once, and never again. */
START_TEST(fault_fires_once)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;

    desk_start(&d, &(struct card_options){ .fault_at = 4,
                                           .fault = faults[_i].fault });
    ck_assert_uint_eq(desk_apdu_hex(&d, "81E2910006BF3E035C015A", &rsp),
                      0x6115);
    unsigned sw = desk_apdu_hex(&d, "81E2910006BF3E035C015A", &rsp);
    if (faults[_i].want)
        ck_assert_uint_eq(sw, faults[_i].want);
    else
        ck_assert_uint_ne(sw >> 8, 0x90);
    sw = desk_apdu_hex(&d, "81E2910006BF3E035C015A", &rsp);
    ck_assert_uint_eq(sw, faults[_i].lives ? 0x6115 : DESK_LOST);
    desk_reset(&d);
    ck_assert_uint_eq(desk_apdu_hex(&d, "81E2910006BF3E035C015A", &rsp),
                      0x6115);
    ck_assert_uint_eq(card_apdu_count(d.card), faults[_i].apdus);
}
END_TEST

START_TEST(endless61)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;

    desk_start(&d, &(struct card_options){ .fault_at = 3,
                                           .fault = CARD_FAULT_ENDLESS61 });
    ck_assert_uint_eq(desk_apdu_hex(&d, "81E2910006BF3E035C015A", &rsp),
                      0x61FF);
    for (int i = 0; i < 400; i++) {
        ck_assert_uint_eq(desk_apdu_hex(&d, "81C00000FF", &rsp), 0x61FF);
        ck_assert_uint_eq(rsp.n, 257);
    }
}
END_TEST

START_TEST(damaged)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;
    const struct card_options o = { .damaged = true };
    struct err e = ERR_INIT;

    desk_stop(&d);
    ck_assert(card_open(d.path, &o, &d.card, &e) == 0);
    ck_assert(card_power_on(d.card, &rsp, &e) == 0);
    ck_assert(rsp.n > 0 && rsp.p[rsp.n - 2] == 0x42);
    unsigned sw = desk_apdu_hex(&d, "0070000001", &rsp);
    ck_assert_uint_eq(sw >> 8, 0x42);
}
END_TEST

START_TEST(no_power)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;

    card_power_off(d.card);
    card_power_off(d.card);
    ck_assert_uint_eq(desk_apdu_hex(&d, "0070000001", &rsp), DESK_LOST);
}
END_TEST

/* A chip is made once; nothing is left of a failure. */
START_TEST(made_once)
{
    struct err e = ERR_INIT;
    const struct euicc_perso p = { .eid = d.eid };
    char path[160];

    ck_assert_int_eq(euicc_store_create(d.path, &p, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    snprintf(path, sizeof path, "%s/none/chip.db", d.dir);
    ck_assert_int_eq(euicc_store_create(path, &p, &e), -1);
    ck_assert_int_eq(e.code, ERR_IO);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab/euicc/card");
    TCase *t = tcase_create("card");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, answers);
    tcase_add_test(t, atr);
    tcase_add_test(t, every_channel);
    tcase_add_test(t, long_chain);
    tcase_add_test(t, large_answer);
    tcase_add_loop_test(t, fault_fires_once, 0,
                        sizeof faults / sizeof *faults);
    tcase_add_test(t, endless61);
    tcase_add_test(t, damaged);
    tcase_add_test(t, no_power);
    tcase_add_test(t, made_once);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
