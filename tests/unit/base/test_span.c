#include "tests/unit/support.h"

#include <string.h>

static const struct {
    const char *name, *text;
    size_t n; /* octets asked for */
    int want;
    const char *octets;
} decode_rows[] = {
    { "empty", "", 0, 0, "" },
    { "lower", "00ff7a", 3, 0, "\x00\xff\x7a" },
    { "upper", "ABCDEF", 3, 0, "\xab\xcd\xef" },
    { "odd", "abc", 1, -1, "" },
    { "too long", "abcd", 1, -1, "" },
    { "too short", "ab", 2, -1, "" },
    { "not hex", "0g", 1, -1, "" },
    { "sign", "+1", 1, -1, "" },
};

START_TEST(hex_decodes)
{
    uint8_t out[4] = { 0 };

    ck_assert_msg(hex_decode(decode_rows[_i].text, out, decode_rows[_i].n) ==
                      decode_rows[_i].want, "%s", decode_rows[_i].name);
    if (decode_rows[_i].want == 0)
        ck_assert_msg(memcmp(out, decode_rows[_i].octets,
                             decode_rows[_i].n) == 0,
                      "%s", decode_rows[_i].name);
}
END_TEST

START_TEST(hex_encodes_what_fits)
{
    static const uint8_t o[] = { 0x01, 0xab, 0xff };
    char out[8];

    ck_assert_str_eq(hex_encode(SPAN_ARRAY(o), out, sizeof out), "01abff");
    ck_assert_str_eq(hex_encode(SPAN_ARRAY(o), out, 7), "01abff");
    ck_assert_str_eq(hex_encode(SPAN_ARRAY(o), out, 6), "01ab");
    ck_assert_str_eq(hex_encode(SPAN_ARRAY(o), out, 1), "");
}
END_TEST

static const struct {
    const char *name;
    size_t at, n, want_at, want_n;
} sub_rows[] = {
    { "all", 0, 5, 0, 5 },
    { "middle", 1, 3, 1, 3 },
    { "cut at the end", 3, 9, 3, 2 },
    { "beyond the end", 9, 1, 5, 0 },
    { "a length that would wrap", 2, SIZE_MAX, 2, 3 },
    { "an offset that would wrap", SIZE_MAX, SIZE_MAX, 5, 0 },
};

START_TEST(span_sub_stays_inside)
{
    static const uint8_t o[5] = { 1, 2, 3, 4, 5 };
    struct span s = span_sub(SPAN_ARRAY(o), sub_rows[_i].at, sub_rows[_i].n);

    ck_assert_msg(s.p == o + sub_rows[_i].want_at &&
                      s.n == sub_rows[_i].want_n, "%s", sub_rows[_i].name);
}
END_TEST

START_TEST(span_sub_of_nothing)
{
    struct span s = span_sub(SPAN(NULL, 0), 3, 4);

    ck_assert_ptr_null(s.p);
    ck_assert_uint_eq(s.n, 0);
}
END_TEST

START_TEST(span_eq_compares)
{
    ck_assert(span_eq(SPAN("ab", 2), SPAN("ab", 2)));
    ck_assert(!span_eq(SPAN("ab", 2), SPAN("ac", 2)));
    ck_assert(!span_eq(SPAN("ab", 2), SPAN("abc", 3)));
    ck_assert(span_eq(SPAN(NULL, 0), SPAN("x", 0)));
}
END_TEST

START_TEST(buf_grows_and_drops)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    for (unsigned i = 0; i < 1000; i++)
        buf_put_u16(&b, (uint16_t)i);
    ck_assert(buf_ok(&b));
    ck_assert_uint_eq(b.n, 2000);
    ck_assert_uint_eq(b.p[2 * 999] << 8 | b.p[2 * 999 + 1], 999);
    buf_drop_front(&b, 1998);
    ck_assert_uint_eq(b.n, 2);
    ck_assert_uint_eq(b.p[0] << 8 | b.p[1], 999);
    buf_drop_front(&b, 3);
    ck_assert_uint_eq(b.n, 0);
    buf_put_u32(&b, 0x01020304);
    ck_assert(span_eq(buf_span(&b), SPAN("\1\2\3\4", 4)));
}
END_TEST

START_TEST(buf_failure_sticks_and_keeps)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    buf_put_u8(&b, 7);
    buf_put_hex(&b, "0x");
    ck_assert(!buf_ok(&b));
    buf_put_u8(&b, 8);
    ck_assert(span_eq(buf_span(&b), SPAN("\7", 1)));
    buf_reset(&b);
    ck_assert(buf_ok(&b));
    ck_assert_ptr_null(buf_reserve(&b, SIZE_MAX / 2 + 1));
    ck_assert(!buf_ok(&b));
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "hex decodes", hex_decodes, ROWS(decode_rows) },
        { "hex encodes", hex_encodes_what_fits, 1 },
        { "span_sub", span_sub_stays_inside, ROWS(sub_rows) },
        { "span_sub of nothing", span_sub_of_nothing, 1 },
        { "span_eq", span_eq_compares, 1 },
        { "buf", buf_grows_and_drops, 1 },
        { "buf failure", buf_failure_sticks_and_keeps, 1 },
    };
    return run_tests("base/span", tests, sizeof tests / sizeof *tests);
}
