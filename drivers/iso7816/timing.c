#include "drivers/iso7816/timing.h"

#include <limits.h>

#define CLOCK_KHZ_MIN 1000   /* 5.2.3: a card need not run below 1 MHz */
#define FD 372
#define IWT_ETU 9600         /* 8.1: between octets of the ATR, and of PPS */
#define ATR_START_CYCLES 40000 /* 6.2.1: until the first octet */
#define OCTET_ETU 12
#define BGT_ETU 22
#define CWT_ETU 11
#define BWT_ETU 11
#define PPS_OCTETS 4
#define GUARD_MAX 254
#define TIMES_MAX 255 /* a multiplier is one octet */

static uint32_t clock_of(uint32_t khz)
{
    return khz < CLOCK_KHZ_MIN ? CLOCK_KHZ_MIN : khz;
}

static uint64_t ceil_div(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

static uint64_t cycles_ns(uint64_t cycles, uint32_t khz)
{
    return ceil_div(cycles * 1000000, khz);
}

static int to_ms(uint64_t ns)
{
    uint64_t ms = ceil_div(ns, 1000000);

    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* 0, where a reader leaves it open, is once. */
static uint64_t multiplier(unsigned times)
{
    return times == 0 ? 1 : times > TIMES_MAX ? TIMES_MAX : times;
}

/* GT = 12 etu + R * N / f; R is F/D, of TA1 when T=15 is there and of the
 * moment otherwise (8.3). N = 255: the least the protocol allows. */
static uint64_t guard_ns(const struct timing *t, const struct atr *a,
                         uint8_t fidi, uint32_t khz)
{
    uint8_t r = a->has_t15 ? a->fidi : fidi;

    if (a->guard == ATR_GUARD_LEAST)
        return (t->protocol == 1 ? CWT_ETU : OCTET_ETU) * t->etu_ns;
    return OCTET_ETU * t->etu_ns +
           ceil_div((uint64_t)a->guard * atr_f(r) * 1000000,
                    (uint64_t)atr_d(r) * khz);
}

void timing_set(struct timing *out, const struct atr *a, uint8_t protocol,
                uint8_t fidi, uint32_t clock_khz)
{
    uint32_t khz = clock_of(clock_khz);
    /* WT has the Fi of TA1 (10.2); before a PPS the greater of both is safe. */
    uint64_t f, fi = atr_f(a->fidi);

    if (!atr_f(fidi) || !atr_d(fidi))
        fidi = ATR_FIDI_DEFAULT;
    f = atr_f(fidi);
    *out = (struct timing){ .protocol = protocol };
    out->etu_ns = ceil_div(f * 1000000, (uint64_t)atr_d(fidi) * khz);
    out->guard_ns = guard_ns(out, a, fidi, khz);
    out->wt_ns = cycles_ns(a->wi * 960ull * (fi > f ? fi : f), khz);
    out->bwt_ns = BWT_ETU * out->etu_ns +
                  cycles_ns((1ull << a->bwi) * 960 * FD, khz);
    out->cwt_ns = (CWT_ETU + (1ull << a->cwi)) * out->etu_ns;
    out->bgt_ns = BGT_ETU * out->etu_ns;
}

/* Header and data at the guard time; a procedure octet before each data octet
 * at worst (one by one), and SW1 SW2, each as late as may be. */
int timing_t0_ms(const struct timing *t, size_t n, size_t m)
{
    return to_ms((5 + n) * t->guard_ns + (2 * (n + m) + 3) * t->wt_ns);
}

int timing_t1_ms(const struct timing *t, size_t n, size_t m, unsigned wtx)
{
    return to_ms(t->bgt_ns + n * t->guard_ns + multiplier(wtx) * t->bwt_ns +
                 m * t->cwt_ns);
}

int timing_extension_ms(const struct timing *t, unsigned times)
{
    return to_ms(multiplier(times) *
                 (t->protocol == 1 ? t->bwt_ns : t->wt_ns));
}

int timing_atr_ms(uint32_t clock_khz)
{
    return to_ms(cycles_ns(ATR_START_CYCLES + ATR_MAX * IWT_ETU * FD,
                           clock_of(clock_khz)));
}

int timing_pps_ms(uint32_t clock_khz)
{
    return to_ms(cycles_ns(PPS_OCTETS * (OCTET_ETU + GUARD_MAX + IWT_ETU) * FD,
                           clock_of(clock_khz)));
}
