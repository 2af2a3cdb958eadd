#include "station/ifpp/tlv.h"

#include "station/ifpp/tags.h"
#include "tests/unit/support.h"

#include <string.h>

static const struct {
    const char *name, *in;
    enum der want;
    uint32_t tag;
    size_t whole, value;
} next_rows[] = {
    { "empty", "", DER_END, 0, 0, 0 },
    { "one-octet tag", "5A02 0102", DER_OK, 0x5a, 4, 2 },
    { "empty value", "3000", DER_OK, 0x30, 2, 0 },
    { "two-octet tag", "5F37 01 AA", DER_OK, 0x5f37, 4, 1 },
    { "9F70", "9F70 01 01", DER_OK, 0x9f70, 4, 1 },
    { "three-octet tag", "BF8148 01 00", DER_OK, 0xbf8148, 5, 1 },
    { "something after it", "5A01FF 3000", DER_OK, 0x5a, 3, 1 },
    { "tag only", "5A", DER_BAD, 0, 0, 0 },
    { "half a tag", "BF", DER_BAD, 0, 0, 0 },
    { "four-octet tag", "BF818101 00", DER_BAD, 0, 0, 0 },
    { "tag number that fits one octet", "9F1E 00", DER_BAD, 0, 0, 0 },
    { "leading zero in a long tag", "BF8022 00", DER_BAD, 0, 0, 0 },
    { "value cut short", "5A03 0102", DER_BAD, 0, 0, 0 },
    { "indefinite", "3080 0000", DER_BAD, 0, 0, 0 },
    { "reserved length FF", "30FF 00", DER_BAD, 0, 0, 0 },
    { "81 for a short length", "04817F 00", DER_BAD, 0, 0, 0 },
    { "82 with a leading zero", "048200FF 00", DER_BAD, 0, 0, 0 },
    { "five octets of length", "04850100000000", DER_BAD, 0, 0, 0 },
    { "4 GiB that are not there", "0484FFFFFFFF 00", DER_BAD, 0, 0, 0 },
    { "length octets cut short", "0482 01", DER_BAD, 0, 0, 0 },
};

START_TEST(next)
{
    AUTO(buf_clear) struct buf b = hex(next_rows[_i].in);
    struct span in = buf_span(&b), before = in;
    struct tlv t = { 77, { NULL, 7 }, { NULL, 7 } };

    ck_assert_msg(der_next(&in, &t) == next_rows[_i].want, "%s",
                  next_rows[_i].name);
    if (next_rows[_i].want != DER_OK) {
        ck_assert_msg(in.p == before.p && in.n == before.n && t.tag == 77,
                      "%s: touched", next_rows[_i].name);
        return;
    }
    ck_assert_msg(t.tag == next_rows[_i].tag &&
                      t.whole.n == next_rows[_i].whole &&
                      t.value.n == next_rows[_i].value &&
                      t.whole.p == before.p &&
                      t.value.p + t.value.n == t.whole.p + t.whole.n &&
                      in.n == before.n - t.whole.n,
                  "%s", next_rows[_i].name);
}
END_TEST

/* A header may come in pieces from a stream: more is asked for, never a
 * wrong answer. */
START_TEST(header_of_every_prefix)
{
    AUTO(buf_clear) struct buf b = hex("BF8148 84 01020304");
    uint32_t tag;
    size_t head, len;

    for (size_t n = 0; n < b.n; n++)
        ck_assert_int_eq(der_header(span_sub(buf_span(&b), 0, n), &tag, &head,
                                    &len), DER_END);
    ck_assert_int_eq(der_header(buf_span(&b), &tag, &head, &len), DER_OK);
    ck_assert_uint_eq(tag, 0xbf8148);
    ck_assert_uint_eq(head, b.n);
    ck_assert_uint_eq(len, 0x01020304);
}
END_TEST

static const struct {
    const char *name, *in;
    int want;
    uint64_t value;
} uint_rows[] = {
    { "zero", "00", 0, 0 },
    { "127", "7F", 0, 127 },
    { "128", "0080", 0, 128 },
    { "largest", "00FFFFFFFFFFFFFFFF", 0, UINT64_MAX },
    { "eight octets", "7FFFFFFFFFFFFFFF", 0, INT64_MAX },
    { "empty", "", -1, 0 },
    { "negative", "80", -1, 0 },
    { "not minimal", "007F", -1, 0 },
    { "too large", "01FFFFFFFFFFFFFFFF", -1, 0 },
    { "ten octets", "0000FFFFFFFFFFFFFFFF", -1, 0 },
};

START_TEST(uints)
{
    AUTO(buf_clear) struct buf b = hex(uint_rows[_i].in), again = BUF_INIT;
    uint64_t v = 42;

    ck_assert_msg(der_uint(buf_span(&b), &v) == uint_rows[_i].want, "%s",
                  uint_rows[_i].name);
    ck_assert_msg(v == (uint_rows[_i].want == 0 ? uint_rows[_i].value : 42),
                  "%s", uint_rows[_i].name);
    if (uint_rows[_i].want != 0)
        return;
    der_put_uint(&again, 0x80, v);
    ck_assert_msg(again.n == b.n + 2 &&
                      memcmp(again.p + 2, b.p, b.n) == 0,
                  "%s: written differently", uint_rows[_i].name);
}
END_TEST

static const struct {
    size_t n, head;
} length_rows[] = {
    { 0, 2 },     { 1, 2 },       { 127, 2 },     { 128, 3 },
    { 255, 3 },   { 256, 4 },     { 65535, 4 },   { 65536, 5 },
    { 70000, 5 }, { 1 << 24, 6 },
};

START_TEST(lengths_round_trip)
{
    size_t n = length_rows[_i].n, m;
    AUTO(buf_clear) struct buf b = BUF_INIT, c = BUF_INIT;
    struct span in;
    struct tlv t;

    der_put_header(&b, 0x04, n);
    ck_assert_uint_eq(b.n, length_rows[_i].head);
    ck_assert_uint_eq(der_tlv_len(0x04, n), n + b.n);
    uint8_t *to = buf_reserve(&b, n + 1);
    ck_assert_ptr_nonnull(to);
    memset(to, 0x5a, n);
    b.n += n;
    in = buf_span(&b);
    ck_assert_int_eq(der_next(&in, &t), DER_OK);
    ck_assert_uint_eq(t.value.n, n);
    ck_assert_uint_eq(in.n, 0);

    /* The same by open and close, after something that stays. */
    buf_put_u8(&c, 0xee);
    m = der_open(&c);
    buf_put_span(&c, t.value);
    der_close(&c, 0x04, m);
    ck_assert_uint_eq(c.p[0], 0xee);
    ck_assert(span_eq(span_sub(buf_span(&c), 1, c.n), buf_span(&b)));
}
END_TEST

START_TEST(take)
{
    AUTO(buf_clear) struct buf b = hex("5A0101 8001FF");
    struct span in = buf_span(&b);
    struct tlv t;

    ck_assert_int_eq(der_take(&in, 0x80, &t), -1);
    ck_assert_uint_eq(in.n, b.n);
    ck_assert_int_eq(der_take_optional(&in, 0x80, &t), 0);
    ck_assert_uint_eq(t.tag, 0);
    ck_assert_uint_eq(t.value.n, 0);
    ck_assert_int_eq(der_take(&in, 0x5a, &t), 0);
    ck_assert_int_eq(der_take_optional(&in, 0x80, &t), 1);
    ck_assert_uint_eq(t.value.p[0], 0xff);
    ck_assert_int_eq(der_take_optional(&in, 0x80, &t), 0);
    ck_assert_int_eq(der_take(&in, 0x80, &t), -1);
    in = SPAN("\x80", 1);
    ck_assert_int_eq(der_take_optional(&in, 0x80, &t), -1);
}
END_TEST

START_TEST(find)
{
    AUTO(buf_clear) struct buf b = hex("5A0101 8001FF 800102 30");
    struct tlv t;
    struct span good = span_sub(buf_span(&b), 0, 9);

    ck_assert_int_eq(der_find(good, 0x80, &t), 1);
    ck_assert_uint_eq(t.value.p[0], 0xff);
    ck_assert_int_eq(der_find(good, 0x81, &t), 0);
    ck_assert_int_eq(der_find(buf_span(&b), 0x81, &t), -1);
    ck_assert_int_eq(der_find(buf_span(&b), 0x5a, &t), 1);
}
END_TEST

static const struct {
    const char *name, *in;
    int depth;
    bool flat, deep;
} form_rows[] = {
    { "nothing", "", 1, true, true },
    { "flat", "0401AA 020100", 1, true, true },
    { "nested", "3003 0201 07", 2, true, true },
    { "nested, too shallow a bound", "3003 0201 07", 1, true, false },
    { "bad inside", "3003 0205 07", 3, true, false },
    { "bad outside", "3003 0201", 3, false, false },
    { "primitive is not looked into", "0403 300580", 1, true, true },
    { "two-octet constructed", "BF2202 3000", 3, true, true },
    { "bad inside a two-octet one", "BF2202 3001", 3, true, false },
    { "5F37 is primitive", "5F3702 3001", 1, true, true },
};

START_TEST(well_formed)
{
    AUTO(buf_clear) struct buf b = hex(form_rows[_i].in);

    ck_assert_msg(der_well_formed(buf_span(&b)) == form_rows[_i].flat, "%s",
                  form_rows[_i].name);
    ck_assert_msg(der_well_formed_deep(buf_span(&b), form_rows[_i].depth) ==
                      form_rows[_i].deep, "%s", form_rows[_i].name);
}
END_TEST

START_TEST(close_after_a_failure)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    size_t m = der_open(&b);

    buf_put_u8(&b, 1);
    buf_put_hex(&b, "zz");
    der_close(&b, 0x30, m);
    ck_assert(!buf_ok(&b));
    ck_assert_uint_eq(b.n, 1);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "next", next, ROWS(next_rows) },
        { "header", header_of_every_prefix, 1 },
        { "uint", uints, ROWS(uint_rows) },
        { "lengths", lengths_round_trip, ROWS(length_rows) },
        { "take", take, 1 },
        { "find", find, 1 },
        { "well formed", well_formed, ROWS(form_rows) },
        { "close", close_after_a_failure, 1 },
    };
    return run_tests("ifpp/tlv", tests, sizeof tests / sizeof *tests);
}
