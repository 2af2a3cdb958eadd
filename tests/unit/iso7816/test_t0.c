#include "drivers/iso7816/t0.h"

#include <check.h>
#include <string.h>

#include "tests/unit/support.h"

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))

static const struct command {
    const char *name, *apdu, *tpdu; /* NULL: refused */
    size_t out, in;
} commands[] = {
    { "case 1", "00a40000", "00a4000000", 0, 0 },
    { "case 2", "00b0000010", "00b0000010", 0, 16 },
    { "case 2, 256", "00c0000000", "00c0000000", 0, 256 },
    { "case 3", "80e2910002aabb", "80e2910002aabb", 2, 0 },
    { "case 4", "80e2910002aabb00", "80e2910002aabb", 2, 0 },
    { "case 4, Le 10", "80e2910002aabb10", "80e2910002aabb", 2, 0 },
    { "nothing", "", NULL, 0, 0 },
    { "three octets", "00a400", NULL, 0, 0 },
    { "Lc too great", "80e2910003aabb", NULL, 0, 0 },
    { "Lc too small", "80e2910001aabbcc", NULL, 0, 0 },
    { "extended, case 2", "00b00000000100", NULL, 0, 0 },
    { "extended, case 3", "00d60000000001aa", NULL, 0, 0 },
    { "Lc 00", "00d600000000", NULL, 0, 0 },
    { "CLA FF", "ffa40000", NULL, 0, 0 },
    { "INS 6x", "00600000", NULL, 0, 0 },
    { "INS 9x", "00910000", NULL, 0, 0 },
    { "odd INS", "00cb3fff02aabb", "00cb3fff02aabb", 2, 0 },
};

START_TEST(commands_become_tpdus)
{
    const struct command *r = &commands[_i];
    AUTO(buf_clear) struct buf b = hex(r->apdu);
    AUTO(buf_clear) struct buf want = hex(r->tpdu ? r->tpdu : "");
    struct t0_tpdu t;
    struct err e = ERR_INIT;
    int got = t0_command(buf_span(&b), &t, &e);

    ck_assert_msg(got == (r->tpdu ? 0 : -1), "%s: %s", r->name, e.msg);
    if (got != 0) {
        ck_assert_int_eq(e.code, ERR_USAGE);
        return;
    }
    ck_assert_msg(span_eq(SPAN(t.octets, t.n), buf_span(&want)), "%s", r->name);
    ck_assert_uint_eq(t.out, r->out);
    ck_assert_uint_eq(t.in, r->in);
}
END_TEST

START_TEST(longest)
{
    uint8_t apdu[262] = { 0x80, 0xe2, 0x11, 0x00, 0xff };
    struct t0_tpdu t;

    ck_assert_int_eq(t0_command(SPAN(apdu, 260), &t, NULL), 0);
    ck_assert_uint_eq(t.n, 260);
    ck_assert_int_eq(t0_command(SPAN(apdu, 261), &t, NULL), 0);
    ck_assert_uint_eq(t.n, 260);
    ck_assert_int_eq(t0_command(SPAN(apdu, 262), &t, NULL), -1);
    ck_assert_int_eq(t0_command(SPAN(apdu, 259), &t, NULL), -1);
}
END_TEST

static const struct response {
    const char *name, *apdu, *answer;
    bool good;
} responses[] = {
    { "SW alone", "00a40000", "9000", true },
    { "61xx is an answer", "80e2910001aa00", "6105", true },
    { "6Cxx is an answer", "00b0000010", "6c20", true },
    { "data", "00b0000002", "aabb9000", true },
    { "less data", "00b0000002", "aa6282", true },
    { "more data", "00b0000002", "aabbcc9000", false },
    { "data for case 1", "00a40000", "aa9000", false },
    { "data for case 4", "80e2910001aa00", "aa9000", false },
    { "nothing", "00a40000", "", false },
    { "half a status word", "00a40000", "90", false },
    { "NULL as SW1", "00a40000", "6000", false },
    { "no status word", "00b0000000", "0102", false },
    { "SW 9xxx", "00a40000", "9f10", true },
};

START_TEST(responses_are_judged)
{
    const struct response *r = &responses[_i];
    AUTO(buf_clear) struct buf c = hex(r->apdu);
    AUTO(buf_clear) struct buf a = hex(r->answer);
    struct t0_tpdu t;
    struct err e = ERR_INIT;

    ck_assert_int_eq(t0_command(buf_span(&c), &t, &e), 0);
    ck_assert_msg(t0_response(&t, buf_span(&a), &e) == (r->good ? 0 : -1), "%s",
                  r->name);
    ck_assert_int_eq(e.code, r->good ? ERR_NONE : ERR_FORMAT);
}
END_TEST

START_TEST(longest_answer)
{
    static uint8_t a[259];
    struct t0_tpdu t;

    a[256] = 0x90;
    ck_assert_int_eq(t0_command(SPAN("\0\xb0\0\0\0", 5), &t, NULL), 0);
    ck_assert_int_eq(t0_response(&t, SPAN(a, 258), NULL), 0);
    a[257] = 0x90;
    ck_assert_int_eq(t0_response(&t, SPAN(a, 259), NULL), -1);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "commands", commands_become_tpdus, ROWS(commands) },
        { "longest", longest, 1 },
        { "responses", responses_are_judged, ROWS(responses) },
        { "longest answer", longest_answer, 1 },
    };
    return run_tests("iso7816/t0", tests, sizeof tests / sizeof *tests);
}
