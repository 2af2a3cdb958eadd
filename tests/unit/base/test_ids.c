#include "station/base/ids.h"
#include "tests/unit/support.h"

#include <string.h>

static const struct {
    const char *name, *digits;
    int want;
} eid_rows[] = {
    { "a good one", "89049032777298113660073133622109", 0 },
    { "check of one digit off", "89049032777298113660073133622108", -1 },
    { "two digits swapped", "89049032777298113660073133621209", -1 },
    { "31 digits", "8904903277729811366007313362210", -1 },
    { "33 digits", "890490327772981136600731336221090", -1 },
    { "a letter", "8904903277729811366007313362210a", -1 },
    { "a space", "8904903277729811366007313362210 ", -1 },
    { "empty", "", -1 },
};

START_TEST(eid_parses)
{
    struct eid e;
    char text[EID_DIGITS + 1];

    ck_assert_msg(eid_parse(eid_rows[_i].digits, &e) == eid_rows[_i].want,
                  "%s", eid_rows[_i].name);
    if (eid_rows[_i].want == 0)
        ck_assert_str_eq(eid_format(&e, text), eid_rows[_i].digits);
}
END_TEST

START_TEST(eid_is_completed)
{
    struct eid e, other;

    /* Many numbers, so that checks below 10 and rests near 97 occur. */
    for (unsigned i = 0; i < 400; i++) {
        memset(e.o, 0, sizeof e.o);
        memcpy(e.o, "\x89\x04\x90\x32", 4);
        e.o[13] = (uint8_t)(i / 100 % 10 << 4 | i / 10 % 10);
        e.o[14] = (uint8_t)(i % 10 << 4);
        eid_complete(&e);
        ck_assert_msg(eid_valid(&e), "%u", i);
    }
    other = e;
    ck_assert(eid_eq(&e, &other));
    other.o[15] ^= 1;
    ck_assert(!eid_eq(&e, &other));
    ck_assert(!eid_valid(&other));
}
END_TEST

START_TEST(eid_from_octets)
{
    struct eid e, out;
    uint8_t more[17] = { 0 };

    ck_assert_int_eq(eid_parse("89049032777298113660073133622109", &e), 0);
    memcpy(more, e.o, 16);
    ck_assert(eid_from_span(SPAN(more, 16), &out) && eid_eq(&e, &out));
    ck_assert(!eid_from_span(SPAN(more, 17), &out));
    ck_assert(!eid_from_span(SPAN(more, 15), &out));
    more[3] = 0x3a; /* not BCD */
    ck_assert(!eid_from_span(SPAN(more, 16), &out));
}
END_TEST

static const struct {
    const char *name, *digits;
    int want;
    const char *octets;
} iccid_rows[] = {
    { "19 digits", "8949000000000000000", 0, "989400000000000000f0" },
    { "20 digits", "89000123456789012341", 0, "98001032547698103214" },
    { "wrong check digit", "89000123456789012342", -1, "" },
    { "18 digits", "890001234567890123", -1, "" },
    { "21 digits", "890001234567890123410", -1, "" },
    { "a letter", "8900012345678901234F", -1, "" },
};

START_TEST(iccid_parses)
{
    struct iccid i;
    char text[ICCID_DIGITS + 1];

    ck_assert_msg(iccid_parse(iccid_rows[_i].digits, &i) == iccid_rows[_i].want, "%s",
                  iccid_rows[_i].name);
    if (iccid_rows[_i].want == 0) {
        ck_assert(iccid_valid(&i));
        ck_assert_str_eq(iccid_format(&i, text), iccid_rows[_i].digits);
        AUTO(buf_clear) struct buf want = hex(iccid_rows[_i].octets);
        ck_assert(span_eq(SPAN_ARRAY(i.o), buf_span(&want)));
    }
}
END_TEST

static const struct {
    const char *text, *digits; /* NULL: these are not 15 digits */
    bool valid;
} imei_rows[] = {
    { "490154203237518", "490154203237518", true },
    { "49-015420-323751-8", "490154203237518", true },
    { "49/015420/323751/8", "490154203237518", true },
    { "356938 035643 80 9", "356938035643809", true },
    { "490154203237517", "490154203237517", false },
    { "000000000000000", "000000000000000", true },
    { "49015420323751", NULL, false },
    { "4901542032375180", NULL, false },
    { "49015420323751--8", NULL, false },
    { "-490154203237518", NULL, false },
    { "490154203237518-", NULL, false },
    { "49015420323751X", NULL, false },
    { "49.015420.323751.8", NULL, false },
    { "", NULL, false },
};

START_TEST(imei)
{
    char got[IMEI_DIGITS + 1];
    bool is = imei_digits(imei_rows[_i].text, got);

    ck_assert_int_eq(is, imei_rows[_i].digits != NULL);
    if (is) {
        ck_assert_str_eq(got, imei_rows[_i].digits);
        ck_assert_int_eq(imei_valid(SPAN(got, IMEI_DIGITS)), imei_rows[_i].valid);
    }
    ck_assert(!imei_valid(SPAN("490154203237518 ", 16)));
    ck_assert(!imei_valid(SPAN("49015420323751", 14)));
    ck_assert(!imei_valid(SPAN("49015420323751:", 15)));
}
END_TEST

START_TEST(iccid_padding_is_f)
{
    struct iccid i;

    ck_assert_int_eq(iccid_parse("8949000000000000000", &i), 0);
    ck_assert_uint_eq(i.o[9] >> 4, 15);
    for (unsigned pad = 10; pad < 15; pad++) {
        i.o[9] = (uint8_t)((i.o[9] & 15) | pad << 4);
        ck_assert_msg(!iccid_valid(&i), "padding %X", pad);
    }
    i.o[9] = (uint8_t)((i.o[9] & 15) | 0xf0);
    i.o[4] = 0xf0; /* padding in the middle */
    ck_assert(!iccid_valid(&i));
}
END_TEST

static const struct {
    const char *digits;
    char want;
} luhn_rows[] = {
    { "7992739871", '3' }, { "0", '0' }, { "8900012345678901234", '1' },
    { "1", '8' },          { "", '0' },
};

START_TEST(luhn)
{
    ck_assert_msg(luhn_digit(luhn_rows[_i].digits) == luhn_rows[_i].want,
                  "\"%s\"", luhn_rows[_i].digits);
}
END_TEST

START_TEST(txid)
{
    uint8_t o[17] = { 0xc1, 0xa6 };
    struct txid a, b;
    char text[TXID_HEX + 1];

    ck_assert(txid_from_span(SPAN(o, 16), &a));
    ck_assert(!txid_from_span(SPAN(o, 15), &b));
    ck_assert(!txid_from_span(SPAN(o, 17), &b));
    b = a;
    ck_assert(txid_eq(&a, &b));
    b.o[15] = 1;
    ck_assert(!txid_eq(&a, &b));
    ck_assert_str_eq(txid_format(&a, text),
                     "c1a60000000000000000000000000000");
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "EID", eid_parses, ROWS(eid_rows) },
        { "EID completed", eid_is_completed, 1 },
        { "EID octets", eid_from_octets, 1 },
        { "ICCID", iccid_parses, ROWS(iccid_rows) },
        { "ICCID padding", iccid_padding_is_f, 1 },
        { "IMEI", imei, ROWS(imei_rows) },
        { "Luhn", luhn, ROWS(luhn_rows) },
        { "transactionId", txid, 1 },
    };
    return run_tests("base/ids", tests, sizeof tests / sizeof *tests);
}
