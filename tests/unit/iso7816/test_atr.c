#include "drivers/iso7816/atr.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/support.h"

/* Hex; a '+' at the end stands for the right TCK, a '-' for a wrong one. */
static size_t octets(const char *digits, uint8_t out[80])
{
    size_t n = strlen(digits) / 2;
    char last = digits[2 * n], body[161];

    snprintf(body, sizeof body, "%.*s", (int)(2 * n), digits);
    ck_assert_int_eq(hex_decode(body, out, n), 0);
    if (last != 0) {
        out[n] = last == '-';
        for (size_t k = 1; k < n; k++)
            out[n] ^= out[k];
        n++;
    }
    return n;
}

static enum atr_verdict judge(const char *digits, struct atr *a)
{
    uint8_t b[80];

    memset(a, 0, sizeof *a);
    return atr_judge(SPAN(b, octets(digits, b)), a);
}

static const struct row {
    const char *name, *hex;
    enum atr_verdict want;
} rows[] = {
    { "nothing", "", ATR_EMPTY },
    { "TS alone", "3b", ATR_EMPTY },
    { "TS inverse as seen by a direct reader", "0300", ATR_BAD_TS },
    { "TS of neither kind", "3c00", ATR_BAD_TS },
    { "shortest", "3b00", ATR_GOOD },
    { "shortest, inverse", "3f00", ATR_GOOD },
    { "one historical octet short", "3b0201", ATR_CUT },
    { "no historical octets at all", "3b0f", ATR_CUT },
    { "TA1 missing", "3b10", ATR_CUT },
    { "TD1 missing", "3bf0110000", ATR_CUT },
    { "TD2 announced, not there", "3b8080", ATR_CUT },
    { "TDi for ever", "3b808080808080808080808080808080808080808080808080"
                      "8080808080808080", ATR_CUT },
    { "TCK missing", "3b8001", ATR_NO_TCK },
    { "TCK missing after history", "3b8301414243", ATR_NO_TCK },
    { "TCK right", "3b8001+", ATR_GOOD },
    { "TCK wrong", "3b8001-", ATR_BAD_TCK },
    { "TCK with T=0 alone, right", "3b0181+", ATR_GOOD },
    { "TCK with T=0 alone, wrong", "3b0181-", ATR_TRAILING },
    { "two octets more", "3b000000", ATR_TRAILING },
    { "two octets more, adding up", "3b00aaaa", ATR_TRAILING },
    { "an octet after TCK", "3b80018100", ATR_TRAILING },
    { "T=0 and T=15 make TCK due", "3b80801f01", ATR_NO_TCK },
    { "T=0 and T=15", "3b80801f01+", ATR_GOOD },
    { "T=0 and T=15, TCK wrong", "3b80801f01-", ATR_BAD_TCK },
    { "T=15 alone", "3b800f+", ATR_T15_ALONE },
    { "T=15 before T=1", "3b808f01+", ATR_T15_ALONE },
    { "T=14 alone", "3b800e+", ATR_NO_PROTOCOL },
    { "T=2 alone", "3b8002+", ATR_NO_PROTOCOL },
    { "T=14 and T=1", "3b808e01+", ATR_GOOD },
    { "WI 00, T=0 alone", "3b804000", ATR_BAD_WI },
    { "WI 00, but T=1 as well", "3b80c00001+", ATR_GOOD },
    { "WI 00, T=0 not offered", "3b80c10001+", ATR_GOOD },
    { "IFSC 00", "3b80811100+", ATR_BAD_IFSC },
    { "IFSC 01", "3b80811101+", ATR_GOOD },
    { "IFSC FE", "3b808111fe+", ATR_GOOD },
    { "IFSC FF", "3b808111ff+", ATR_GOOD },
    { "BWI 9", "3b80812190+", ATR_GOOD },
    { "BWI 10", "3b808121a0+", ATR_BAD_BWI },
    { "BWI 15, CWI 15", "3b808121ff+", ATR_BAD_BWI },
    { "CWI 15", "3b8081210f+", ATR_GOOD },
    { "TA1 RFU in Fi", "3b1071", ATR_GOOD },
    { "TA1 RFU in Di", "3b101a", ATR_GOOD },
    { "TA1 00", "3b1000", ATR_GOOD },
    { "specific T=0", "3b90951000", ATR_GOOD },
    { "specific T=1, only T=0 offered", "3b90951001", ATR_BAD_TA2 },
    { "specific T=0, only T=1 offered", "3b90951100+", ATR_BAD_TA2 },
    { "specific T=1, but T=1 is not usable", "3b9095900121a0+", ATR_BAD_TA2 },
    { "specific T=14", "3b90951e0e+", ATR_NO_PROTOCOL },
    { "specific, implicit", "3b90951010", ATR_BAD_TA2 },
    { "specific, TA1 RFU", "3b90751000", ATR_BAD_TA2 },
    { "17 octets", "3b0f0102030405060708090a0b0c0d0e0f", ATR_GOOD },
    { "34 octets", "3b0f0102030405060708090a0b0c0d0e0f0102030405060708090a0b0c"
                   "0d0e0f1011", ATR_TOO_LONG },
};

START_TEST(verdicts)
{
    const struct row *r = &rows[_i];
    struct atr a;
    enum atr_verdict v = judge(r->hex, &a);

    ck_assert_msg(v == r->want, "%s: %s", r->name, atr_verdict_text(v));
    if (v != ATR_GOOD)
        ck_assert_msg(a.n == 0, "%s: written although refused", r->name);
}
END_TEST

START_TEST(refusals_say_what_to_do)
{
    uint8_t b[80];
    struct atr a;

    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        struct err e = ERR_INIT;
        struct span in = SPAN(b, octets(rows[k].hex, b));
        int r = atr_parse(in, &a, &e);

        ck_assert_int_eq(r, rows[k].want == ATR_GOOD ? 0 : -1);
        ck_assert_int_eq(e.code, r == 0 ? ERR_NONE : ERR_FORMAT);
        if (r != 0)
            ck_assert_ptr_nonnull(strstr(e.msg, "reseat"));
    }
    for (int v = 0; v <= ATR_VERDICTS; v++)
        ck_assert_ptr_nonnull(atr_verdict_text((enum atr_verdict)v));
}
END_TEST

START_TEST(defaults)
{
    struct atr a;

    ck_assert_int_eq(judge("3b02aabb", &a), ATR_GOOD);
    ck_assert(!a.inverse && !a.specific && !a.crc && !a.has_t15);
    ck_assert_int_eq(a.protocols, ATR_T0);
    ck_assert_int_eq(a.first, 0);
    ck_assert_int_eq(a.fidi, 0x11);
    ck_assert_int_eq(a.guard, 0);
    ck_assert_int_eq(a.wi, 10);
    ck_assert_int_eq(a.ifsc, 32);
    ck_assert_int_eq(a.bwi, 4);
    ck_assert_int_eq(a.cwi, 13);
    ck_assert_int_eq(a.classes, 1);
    ck_assert_int_eq(a.oddities, 0);
    ck_assert(span_eq(atr_historical(&a), SPAN("\xaa\xbb", 2)));
}
END_TEST

START_TEST(everything_at_once)
{
    struct atr a;

    /* TA1 TB1 TC1 TD1(T=0); TC2 TD2(T=1); TA3 TB3 TC3 TD3(T=15); TA4; "AB" */
    ck_assert_int_eq(judge("3ff29600ffc014f18035011fc74142+", &a), ATR_GOOD);
    ck_assert(a.inverse && a.crc && a.has_t15 && !a.specific);
    ck_assert_int_eq(a.protocols, ATR_T0 | ATR_T1);
    ck_assert_int_eq(a.first, 0);
    ck_assert_int_eq(a.fidi, 0x96);
    ck_assert_int_eq(a.guard, ATR_GUARD_LEAST);
    ck_assert_int_eq(a.wi, 0x14);
    ck_assert_int_eq(a.ifsc, 0x80);
    ck_assert_int_eq(a.bwi, 3);
    ck_assert_int_eq(a.cwi, 5);
    ck_assert_int_eq(a.classes, 7);
    ck_assert_int_eq(a.clock_stop, 3);
    ck_assert_int_eq(a.oddities, 0);
    ck_assert(span_eq(atr_historical(&a), SPAN("AB", 2)));
}
END_TEST

/* A second group that names T=1 says nothing (8.2.3). */
START_TEST(first_group_of_a_type_counts)
{
    struct atr a;

    ck_assert_int_eq(judge("3b8081912011" "40+", &a), ATR_GOOD);
    ck_assert_int_eq(a.ifsc, 0x20);
}
END_TEST

static const struct odd {
    const char *name, *hex;
    unsigned oddities, protocols;
    uint8_t fidi, ifsc;
} odd_rows[] = {
    { "TA1 RFU", "3b1071", ATR_ODD_TA1, ATR_T0, 0x11, 32 },
    { "TCK not due", "3b0181+", ATR_ODD_TCK, ATR_T0, 0x11, 32 },
    { "IFSC FF", "3b808111ff+", ATR_ODD_IFSC, ATR_T1, 0x11, 32 },
    { "WI 00 beside T=1", "3b80c00001+", ATR_ODD_T0, ATR_T1, 0x11, 32 },
    { "BWI 15 beside T=0", "3b808021f0+", ATR_ODD_T1, ATR_T0, 0x11, 32 },
    { "IFSC 00 beside T=0", "3b80801100+", ATR_ODD_T1, ATR_T0, 0x11, 0 },
    { "T=1, then T=0", "3b808100+", ATR_ODD_ORDER, ATR_T0 | ATR_T1, 0x11, 32 },
    { "RFU bits of TC for T=1", "3b80814182+", ATR_ODD_EDC, ATR_T1, 0x11, 32 },
};

START_TEST(reserved_values_are_reported)
{
    const struct odd *r = &odd_rows[_i];
    struct atr a;
    enum atr_verdict v = judge(r->hex, &a);

    ck_assert_msg(v == ATR_GOOD, "%s: %s", r->name, atr_verdict_text(v));
    ck_assert_msg(a.oddities == r->oddities, "%s: %x", r->name, a.oddities);
    ck_assert_msg(a.protocols == r->protocols, "%s: %x", r->name, a.protocols);
    ck_assert_msg(a.fidi == r->fidi && a.ifsc == r->ifsc, "%s", r->name);
}
END_TEST

START_TEST(specific_mode)
{
    struct atr a;

    ck_assert_int_eq(judge("3b90958000+", &a), ATR_GOOD);
    ck_assert(!a.specific);
    ck_assert_int_eq(judge("3b90951080", &a), ATR_GOOD);
    ck_assert(a.specific && !a.can_change);
    ck_assert_int_eq(a.fidi, 0x95);
    ck_assert_int_eq(judge("3b90951000", &a), ATR_GOOD);
    ck_assert(a.specific && a.can_change);
    /* Offers both, insists on T=1. */
    ck_assert_int_eq(judge("3b9095900101+", &a), ATR_GOOD);
    ck_assert_int_eq(a.first, 1);
    ck_assert_int_eq(a.protocols, ATR_T1);
}
END_TEST

/* y bits of T0 or TDi for what is left of a run of interface octets. */
static uint8_t y_for(size_t more)
{
    static const uint8_t y[] = { 0, 0x20, 0x60, 0x70 };

    return more < 4 ? y[more] : 0xf0;
}

/* An answer of exactly n octets that offers T=0 alone: as much history as
 * goes in, the rest interface octets. */
static size_t of_length(size_t n, uint8_t b[ATR_MAX])
{
    size_t history = n - 2 > 15 ? 15 : n - 2, more = n - 2 - history, at = 2;

    memset(b, 0x11, ATR_MAX);
    b[0] = 0x3b;
    b[1] = (uint8_t)(y_for(more) | history);
    for (; more >= 4; more -= 4) {
        b[at + 3] = y_for(more - 4);
        at += 4;
    }
    if (n - 2 - history >= 7)
        b[6] = 0x00; /* TA2: 11 would ask for what nobody knows */
    return history;
}

/* Each length from 2 to 33 is taken whole and refused when cut anywhere. */
START_TEST(every_length)
{
    for (size_t n = 2; n <= ATR_MAX; n++) {
        uint8_t b[ATR_MAX];
        struct atr a = { .n = 0 };
        size_t history = of_length(n, b);
        enum atr_verdict v = atr_judge(SPAN(b, n), &a);

        ck_assert_msg(v == ATR_GOOD, "%zu: %s", n, atr_verdict_text(v));
        ck_assert_uint_eq(a.n, n);
        ck_assert_uint_eq(a.historical_n, history);
        ck_assert_uint_eq(a.historical_at + history, n);
        for (size_t cut = 0; cut < n; cut++) {
            v = atr_judge(SPAN(b, cut), &a);
            ck_assert_msg(v == (cut < 2 ? ATR_EMPTY : ATR_CUT), "%zu of %zu: %s",
                          cut, n, atr_verdict_text(v));
        }
    }
}
END_TEST

/* With TCK no single flipped bit after TS goes unseen. */
START_TEST(flipped_bits)
{
    uint8_t b[80];
    size_t n = octets("3b9f96801fc78031a073be21136743200718000001+", b);
    struct atr a;

    ck_assert_int_eq(atr_judge(SPAN(b, n), &a), ATR_GOOD);
    for (size_t bit = 0; bit < 8 * n; bit++) {
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (bit == 2) /* 3B becomes 3F, which TCK does not cover */
            ck_assert_int_eq(atr_judge(SPAN(b, n), &a), ATR_GOOD);
        else
            ck_assert_int_ne(atr_judge(SPAN(b, n), &a), ATR_GOOD);
        b[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}
END_TEST

/* Whatever the octets, the result is within its own limits. */
START_TEST(all_of_three_octets)
{
    for (uint32_t x = 0; x < 1u << 24; x += 7) {
        uint8_t b[] = { 0x3b, (uint8_t)(x >> 16), (uint8_t)(x >> 8), (uint8_t)x };
        struct atr a;

        if (atr_judge(SPAN_ARRAY(b), &a) != ATR_GOOD)
            continue;
        ck_assert(atr_f(a.fidi) && atr_d(a.fidi));
        ck_assert(a.protocols != 0 && a.wi != 0 && a.ifsc != 0 && a.bwi <= 9);
        ck_assert(a.historical_at + a.historical_n <= a.n);
    }
}
END_TEST

START_TEST(tables)
{
    ck_assert_int_eq(atr_f(0x11), 372);
    ck_assert_int_eq(atr_d(0x11), 1);
    ck_assert_int_eq(atr_f(0x96), 512);
    ck_assert_int_eq(atr_d(0x96), 32);
    ck_assert_int_eq(atr_d(0x97), 64);
    ck_assert_int_eq(atr_d(0x18), 12);
    ck_assert_int_eq(atr_d(0x19), 20);
    ck_assert_int_eq(atr_fmax_khz(0x96), 5000);
    ck_assert_int_eq(atr_fmax_khz(0x01), 4000);
    ck_assert_int_eq(atr_fmax_khz(0xd1), 20000);
    ck_assert_int_eq(atr_f(0x71) + atr_f(0x81) + atr_f(0xe1) + atr_f(0xf1), 0);
    for (int d = 10; d < 16; d++)
        ck_assert_int_eq(atr_d((uint8_t)(0x10 | d)), 0);
    ck_assert_int_eq(atr_d(0x10), 0);
}
END_TEST

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))

int main(void)
{
    const struct table_test tests[] = {
        { "verdicts", verdicts, ROWS(rows) },
        { "refusals", refusals_say_what_to_do, 1 },
        { "defaults", defaults, 1 },
        { "everything", everything_at_once, 1 },
        { "first group", first_group_of_a_type_counts, 1 },
        { "reserved", reserved_values_are_reported, ROWS(odd_rows) },
        { "specific", specific_mode, 1 },
        { "every length", every_length, 1 },
        { "flipped bits", flipped_bits, 1 },
        { "three octets", all_of_three_octets, 1 },
        { "tables", tables, 1 },
    };
    return run_tests("iso7816/atr", tests, sizeof tests / sizeof *tests);
}
