/* The answer to reset, and what follows from it. Octets 0 to 3: the reader
 * (clock, data rate, protocols, steps down), then the answer's length, the
 * answer, and the rest is what the card answers to PPS. */
#include "drivers/iso7816/atr.h"
#include "drivers/iso7816/pps.h"
#include "drivers/iso7816/timing.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

#define HEAD 5

static void check_atr(const struct atr *a, struct span in)
{
    CHECK(a->n == in.n && memcmp(a->octets, in.p, in.n) == 0);
    CHECK(a->protocols != 0 && (a->protocols & ~(ATR_T0 | ATR_T1)) == 0);
    CHECK(atr_f(a->fidi) != 0 && atr_d(a->fidi) != 0);
    CHECK(!(a->protocols & ATR_T0) || a->wi != 0);
    CHECK(!(a->protocols & ATR_T1) ||
          (a->ifsc != 0 && a->ifsc != 255 && a->bwi <= 9 && a->cwi <= 15));
    CHECK(!a->specific || a->protocols == 1u << a->first);
    CHECK(a->historical_at + a->historical_n <= a->n);
    CHECK(atr_historical(a).n <= 15);
}

static void check_plan(const struct atr *a, const struct pps_plan *p,
                       struct span answer)
{
    struct timing t;
    uint8_t fidi = 0;
    struct err e = ERR_INIT;

    CHECK(p->protocol <= 1 && (a->protocols >> p->protocol & 1));
    CHECK(atr_d(p->fidi) <= atr_d(a->fidi) || p->fidi == ATR_FIDI_DEFAULT);
    CHECK(p->needed == (p->request_n != 0) && !(a->specific && p->needed));
    timing_set(&t, a, p->protocol, p->fidi, 4000);
    CHECK(timing_t0_ms(&t, 255, 256) > 0 && timing_t1_ms(&t, 259, 259, 255) > 0);
    if (!p->needed)
        return;
    if (pps_check(p, answer, &fidi, &e) == 0)
        CHECK(fidi == p->fidi || fidi == ATR_FIDI_DEFAULT);
    else
        CHECK(e.code == ERR_CARD && strlen(e.msg) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct atr a;
    struct pps_plan p;
    struct err e = ERR_INIT;

    if (size < HEAD)
        return 0;
    struct span in = SPAN(data + HEAD, size - HEAD);
    struct span atr = span_sub(in, 0, data[4]);
    struct span answer = span_sub(in, data[4], in.n);
    const struct pps_reader r = { .clock_khz = data[0] * 100u,
                                  .bps_max = data[1] * 5000u,
                                  .protocols = data[2] };

    if (atr_parse(atr, &a, &e) != 0) {
        CHECK(e.code == ERR_FORMAT && strlen(e.msg) > 0);
        return 0;
    }
    check_atr(&a, atr);
    if (pps_choose(&a, &r, data[3], &p, &e) == 0)
        check_plan(&a, &p, answer);
    else
        CHECK(e.code == ERR_CARD && strlen(e.msg) > 0);
    return 0;
}
