#include "drivers/ccid/message.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    struct ccid_command command;
    const char *data, *hex;
    uint8_t answer;
} out_rows[] = {
    { "power on", { .type = CCID_POWER_ON, .slot = 1, .seq = 7, .own = { 3 } }, "",
      "62000000000107030000", CCID_DATA_BLOCK },
    { "power off", { .type = CCID_POWER_OFF, .seq = 255 }, "", "630000000000ff000000",
      CCID_SLOT_STATUS },
    { "block", { .type = CCID_XFR_BLOCK, .own = { 2, 0x10, 0 } }, "00a40000",
      "6f04000000000002100000a40000", CCID_DATA_BLOCK },
    { "parameters", { .type = CCID_SET_PARAMETERS, .own = { 1 } }, "9610000040fe00",
      "61070000000000010000" "9610000040fe00", CCID_PARAMETERS },
    { "rate", { .type = CCID_SET_RATE }, "a00f000000d00700", "73080000000000000000"
      "a00f000000d00700", CCID_RATE },
    { "abort", { .type = CCID_ABORT, .seq = 9 }, "", "72000000000009000000",
      CCID_SLOT_STATUS },
};

START_TEST(commands)
{
    uint8_t data[32], m[CCID_MESSAGE_MAX];
    struct ccid_command c = out_rows[_i].command;
    char hex[100];
    size_t n = strlen(out_rows[_i].data) / 2;

    ck_assert_int_eq(hex_decode(out_rows[_i].data, data, n), 0);
    c.data = SPAN(data, n);
    n = ccid_message_encode(&c, m);
    ck_assert_str_eq(hex_encode(SPAN(m, n), hex, sizeof hex), out_rows[_i].hex);
    ck_assert_uint_eq(ccid_message_answer_type(c.type), out_rows[_i].answer);
}
END_TEST

START_TEST(longest_command)
{
    uint8_t data[CCID_DATA_MAX + 1] = { 0 }, m[CCID_MESSAGE_MAX];
    struct ccid_command c = { .type = CCID_XFR_BLOCK, .data = SPAN(data, CCID_DATA_MAX) };

    ck_assert_uint_eq(ccid_message_encode(&c, m), CCID_MESSAGE_MAX);
    c.data.n++;
    ck_assert_uint_eq(ccid_message_encode(&c, m), 0);
}
END_TEST

static const struct {
    const char *name, *hex;
    bool good;
    uint8_t slot, seq;
    enum ccid_icc icc;
    enum ccid_status status;
    size_t data;
} in_rows[] = {
    { "answer", "8002000000010700000090" "00", true, 1, 7, CCID_ICC_ACTIVE, CCID_OK, 2 },
    { "no card", "8100000000020942fe00", true, 2, 9, CCID_ICC_ABSENT, CCID_FAILED, 0 },
    { "inactive", "81000000000209010000", true, 2, 9, CCID_ICC_INACTIVE, CCID_OK, 0 },
    { "more time", "80000000000003800500", true, 0, 3, CCID_ICC_ACTIVE, CCID_MORE_TIME, 0 },
    { "empty", "", false, 0, 0, 0, 0, 0 },
    { "six octets", "800000000001", false, 0, 0, 0, 0, 0 },
    { "nine octets", "800000000001070000", false, 1, 7, 0, 0, 0 },
    { "announces more", "8003000000010700000090" "00", false, 1, 7, 0, 0, 0 },
    { "announces less", "8001000000010700000090" "00", false, 1, 7, 0, 0, 0 },
    { "announces 4 GiB", "80ffffffff0107000000", false, 1, 7, 0, 0, 0 },
    { "announces 16 MiB", "8000000001010700000090", false, 1, 7, 0, 0, 0 },
    { "card status 3", "80000000000107030000", false, 1, 7, 0, 0, 0 },
    { "command status 3", "80000000000107c00000", false, 1, 7, 0, 0, 0 },
};

START_TEST(answers)
{
    struct ccid_answer a;
    struct err e = ERR_INIT;
    size_t n = strlen(in_rows[_i].hex) / 2;
    uint8_t *m = malloc(n ? n : 1); /* of that length, for ASan */

    ck_assert_int_eq(hex_decode(in_rows[_i].hex, m, n), 0);
    int r = ccid_message_decode(SPAN(m, n), &a, &e);
    ck_assert_msg((r == 0) == in_rows[_i].good, "%s: %s", in_rows[_i].name, e.msg);
    ck_assert_uint_eq(a.slot, in_rows[_i].slot);
    ck_assert_uint_eq(a.seq, in_rows[_i].seq);
    if (r == 0) {
        ck_assert_int_eq(a.icc, in_rows[_i].icc);
        ck_assert_int_eq(a.status, in_rows[_i].status);
        ck_assert_uint_eq(a.data.n, in_rows[_i].data);
    } else {
        ck_assert_int_eq(e.code, ERR_FORMAT);
    }
    free(m);
}
END_TEST

START_TEST(longest_answer)
{
    uint8_t m[CCID_MESSAGE_MAX + 1] = { 0x80, CCID_DATA_MAX & 0xFF, CCID_DATA_MAX >> 8 };
    struct ccid_answer a;

    ck_assert_int_eq(ccid_message_decode(SPAN(m, CCID_MESSAGE_MAX), &a, NULL), 0);
    ck_assert_uint_eq(a.data.n, CCID_DATA_MAX);
    m[1]++;
    ck_assert_int_eq(ccid_message_decode(SPAN(m, CCID_MESSAGE_MAX + 1), &a, NULL), -1);
}
END_TEST

START_TEST(changes)
{
    const uint8_t five[] = { 0x50, 0x1B, 0x02 };
    struct span bits;

    ck_assert(ccid_message_slots(SPAN_ARRAY(five), 5, &bits));
    ck_assert_uint_eq(bits.n, 2);
    ck_assert(!ccid_message_slots(SPAN_ARRAY(five), 9, &bits));
    ck_assert(!ccid_message_slots(SPAN(five, 0), 1, &bits));
    ck_assert(!ccid_message_slots(SPAN("\x51\x00\x00", 3), 1, &bits));
}
END_TEST

START_TEST(every_error_has_words)
{
    for (unsigned i = 0; i < 256; i++)
        ck_assert_uint_ge(strlen(ccid_error_text((uint8_t)i)), 10);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drivers/ccid/message");
    TCase *t = tcase_create("message");

    tcase_add_loop_test(t, commands, 0, (int)(sizeof out_rows / sizeof *out_rows));
    tcase_add_test(t, longest_command);
    tcase_add_loop_test(t, answers, 0, (int)(sizeof in_rows / sizeof *in_rows));
    tcase_add_test(t, longest_answer);
    tcase_add_test(t, changes);
    tcase_add_test(t, every_error_has_words);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
