#include "drivers/iso7816/timing.h"

#include <check.h>
#include <limits.h>

#include "tests/unit/support.h"

#define ROWS(t) (int)(sizeof(t) / sizeof *(t))

/* Figures worked out by hand from the formulas of the standard. */
static const struct row {
    const char *name;
    uint8_t protocol, ta1, fidi, guard, wi, bwi, cwi;
    bool has_t15;
    uint32_t clock_khz;
    uint64_t etu, gt, wt, bwt, cwt;
} rows[] = {
    /* 372/1 at 3.72 MHz: 100 us */
    { "defaults", 0, 0x11, 0x11, 0, 10, 4, 13, false, 3720, 100000, 1200000,
      960000000, 1537100000, 820300000 },
    { "extra guard time", 0, 0x11, 0x11, 10, 10, 4, 13, false, 3720, 100000,
      2200000, 960000000, 1537100000, 820300000 },
    { "255 for T=0", 0, 0x11, 0x11, 255, 10, 4, 13, false, 3720, 100000,
      1200000, 960000000, 1537100000, 820300000 },
    { "255 for T=1", 1, 0x11, 0x11, 255, 10, 4, 13, false, 3720, 100000,
      1100000, 960000000, 1537100000, 820300000 },
    /* 512/32 at 4 MHz: 4 us. WT 10 * 960 * 512 / 4 MHz = 1.2288 s; BWT 44 us
     * and 16 * 960 * 372 / 4 MHz = 1.42848 s; CWT 43 etu. */
    { "96", 1, 0x96, 0x96, 0, 10, 4, 5, false, 4000, 4000, 48000, 1228800000,
      1428524000, 172000 },
    /* N in units of F/D in force, 4 us; with T=15 of TA1, the same; at the
     * default speed with T=15 still of TA1. */
    { "guard at 96", 1, 0x96, 0x96, 2, 10, 4, 5, false, 4000, 4000, 56000,
      1228800000, 1428524000, 172000 },
    { "guard at default, no T=15", 1, 0x96, 0x11, 2, 10, 4, 5, false, 4000,
      93000, 1302000, 1228800000, 1429503000, 3999000 },
    { "guard at default, T=15", 1, 0x96, 0x11, 2, 10, 4, 5, true, 4000, 93000,
      1124000, 1228800000, 1429503000, 3999000 },
    { "no clock counts as 1 MHz", 0, 0x11, 0x11, 0, 10, 0, 0, false, 0, 372000,
      4464000, 3571200000, 361212000, 4464000 },
};

START_TEST(figures)
{
    const struct row *r = &rows[_i];
    const struct atr a = { .fidi = r->ta1, .guard = r->guard, .wi = r->wi,
                           .bwi = r->bwi, .cwi = r->cwi, .ifsc = 32,
                           .has_t15 = r->has_t15 };
    struct timing t;

    timing_set(&t, &a, r->protocol, r->fidi, r->clock_khz);
    ck_assert_uint_eq(t.etu_ns, r->etu);
    ck_assert_uint_eq(t.guard_ns, r->gt);
    ck_assert_uint_eq(t.wt_ns, r->wt);
    ck_assert_uint_eq(t.bwt_ns, r->bwt);
    ck_assert_uint_eq(t.cwt_ns, r->cwt);
    ck_assert_uint_eq(t.bgt_ns, 22 * r->etu);
}
END_TEST

START_TEST(exchanges)
{
    const struct atr a = { .fidi = 0x96, .wi = 10, .bwi = 4, .cwi = 5,
                           .ifsc = 254 };
    struct timing t;

    timing_set(&t, &a, 1, 0x96, 4000);
    /* 88 us + 259 * 48 us + 1.428524 s + 259 * 172 us = 1485.592 ms */
    ck_assert_int_eq(timing_t1_ms(&t, 259, 259, 0), 1486);
    ck_assert_int_eq(timing_t1_ms(&t, 259, 259, 1), 1486);
    ck_assert_int_eq(timing_t1_ms(&t, 4, 4, 10), 14287);
    ck_assert_int_eq(timing_extension_ms(&t, 0), 1429);
    ck_assert_int_eq(timing_extension_ms(&t, 2), 2858);
    timing_set(&t, &a, 0, 0x96, 4000);
    ck_assert_int_eq(timing_extension_ms(&t, 1), 1229);
    /* 5 * 48 us + 3 * 1.2288 s */
    ck_assert_int_eq(timing_t0_ms(&t, 0, 0), 3687);
    ck_assert_int_gt(timing_t0_ms(&t, 255, 0), timing_t0_ms(&t, 254, 0));
    /* 40000 cycles and 33 * 9600 * 372 of them at 4 MHz */
    ck_assert_int_eq(timing_atr_ms(4000), 29473);
    ck_assert_int_eq(timing_pps_ms(4000), 3671);
    ck_assert_int_eq(timing_atr_ms(0), timing_atr_ms(1000));
}
END_TEST

/* No ATR and no clock overflows, and more is never less. */
START_TEST(extremes)
{
    static const uint32_t clocks[] = { 0, 1, 1000, 3579, 5000, 20000,
                                       UINT32_MAX };

    for (size_t c = 0; c < sizeof clocks / sizeof *clocks; c++)
        for (int fidi = 0; fidi < 256; fidi++)
            for (int p = 0; p < 2; p++) {
                struct atr a = { .fidi = 0xd1, .guard = 254, .wi = 255,
                                 .bwi = 9, .cwi = 15, .ifsc = 254,
                                 .has_t15 = true };
                struct timing t;

                timing_set(&t, &a, (uint8_t)p, (uint8_t)fidi, clocks[c]);
                ck_assert(t.etu_ns > 0 && t.wt_ns > 0 && t.bwt_ns > 0);
                int lo = timing_t1_ms(&t, 4, 4, 1);
                int hi = timing_t1_ms(&t, 259, 259, 255);
                ck_assert(lo > 0 && hi >= lo);
                lo = timing_t0_ms(&t, 0, 0);
                hi = timing_t0_ms(&t, 255, 256);
                ck_assert(lo > 0 && hi >= lo);
                ck_assert_int_gt(timing_extension_ms(&t, 255), 0);
                ck_assert_int_eq(timing_extension_ms(&t, UINT_MAX),
                                 timing_extension_ms(&t, 255));
            }
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "figures", figures, ROWS(rows) },
        { "exchanges", exchanges, 1 },
        { "extremes", extremes, 1 },
    };
    return run_tests("iso7816/timing", tests, sizeof tests / sizeof *tests);
}
