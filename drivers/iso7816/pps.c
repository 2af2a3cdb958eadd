#include "drivers/iso7816/pps.h"

#include <inttypes.h>
#include <string.h>

#define PPSS 0xff
#define PPS0_HAS_PPS1 0x10
#define PPS0_HAS_MORE 0xe0 /* PPS2, PPS3, RFU: never asked for */

/* The card's own and the powers of two below it; and the default. */
#define CANDIDATES_MAX 8

uint32_t pps_bps(uint8_t fidi, uint32_t clock_khz)
{
    uint64_t bps;

    if (!atr_f(fidi) || !atr_d(fidi))
        return 0;
    bps = (uint64_t)clock_khz * 1000 * atr_d(fidi) / atr_f(fidi);
    return bps > UINT32_MAX ? UINT32_MAX : (uint32_t)bps;
}

/* Readers round as they like: one part in a thousand, and one. */
static uint32_t slack(uint32_t bps)
{
    return bps / 1000 + 1;
}

static bool listed(const struct pps_reader *r, uint32_t bps)
{
    for (size_t k = 0; k < r->rate_count; k++) {
        uint32_t x = r->rates[k], off = x > bps ? x - bps : bps - x;
        if (off <= slack(bps))
            return true;
    }
    return r->rate_count == 0;
}

static bool reader_can(const struct pps_reader *r, uint8_t fidi)
{
    uint32_t bps = pps_bps(fidi, r->clock_khz);

    return r->clock_khz <= atr_fmax_khz(fidi) &&
           (r->bps_max == 0 || bps <= r->bps_max ||
            bps - r->bps_max <= slack(bps)) &&
           listed(r, bps);
}

static bool faster_than_default(uint8_t fidi)
{
    return atr_d(fidi) * 372u > atr_f(fidi);
}

/* Fastest first. A card must take any D from 1 to its own (9.2); asked for
 * are those it was surely tried with: its own and the powers of two. */
static size_t candidates(const struct atr *a, const struct pps_reader *r,
                         uint8_t out[CANDIDATES_MAX])
{
    uint8_t f = a->fidi & 0xf0, top = atr_d(a->fidi);
    size_t n = 0;

    if (faster_than_default(a->fidi) && reader_can(r, a->fidi))
        out[n++] = a->fidi;
    for (uint8_t d = 7; d > 0; d--) {
        uint8_t fidi = f | d;
        if (atr_d(fidi) < top && faster_than_default(fidi) &&
            reader_can(r, fidi))
            out[n++] = fidi;
    }
    out[n++] = ATR_FIDI_DEFAULT;
    return n;
}

static int choose_protocol(const struct atr *a, const struct pps_reader *r,
                           uint8_t *protocol, struct err *e)
{
    unsigned common = a->protocols & r->protocols;

    if (common == 0)
        return err_set(e, ERR_CARD,
                       "the card speaks %s, the reader does not; use another "
                       "kind of reader",
                       a->protocols == ATR_T0   ? "T=0 only"
                       : a->protocols == ATR_T1 ? "T=1 only"
                                                : "T=0 and T=1");
    if (a->first <= 1 && (common >> a->first & 1))
        *protocol = a->first;
    else
        *protocol = common & ATR_T0 ? 0 : 1;
    return 0;
}

static void write_request(struct pps_plan *p)
{
    p->request[0] = PPSS;
    p->request[1] = PPS0_HAS_PPS1 | p->protocol;
    p->request[2] = p->fidi;
    p->request[3] = p->request[0] ^ p->request[1] ^ p->request[2];
    p->request_n = 4;
}

static int choose_specific(const struct atr *a, const struct pps_reader *r,
                           struct pps_plan *p, struct err *e)
{
    p->fidi = a->fidi;
    p->bps = pps_bps(p->fidi, r->clock_khz);
    if (a->fidi == ATR_FIDI_DEFAULT || reader_can(r, a->fidi))
        return 0;
    return err_set(e, ERR_CARD,
                   "the card insists on %" PRIu32 " bit/s (TA1 %02X), which "
                   "the reader cannot do; use another kind of reader",
                   p->bps, a->fidi);
}

int pps_choose(const struct atr *a, const struct pps_reader *r,
               unsigned slower, struct pps_plan *out, struct err *e)
{
    uint8_t list[CANDIDATES_MAX];
    struct pps_plan p = { .protocol = 0 };
    size_t n;

    if (choose_protocol(a, r, &p.protocol, e) != 0)
        return -1;
    if (a->specific) {
        if (choose_specific(a, r, &p, e) != 0)
            return -1;
        *out = p;
        return 0;
    }
    n = candidates(a, r, list);
    p.step = slower < n ? slower : (unsigned)n - 1;
    p.slower = (unsigned)n - 1 - p.step;
    p.fidi = list[p.step];
    p.bps = pps_bps(p.fidi, r->clock_khz);
    p.needed = p.fidi != ATR_FIDI_DEFAULT || p.protocol != a->first;
    if (p.needed)
        write_request(&p);
    *out = p;
    return 0;
}

int pps_check(const struct pps_plan *p, struct span answer, uint8_t *fidi,
              struct err *e)
{
    char hex[2 * 8 + 1];
    uint8_t sum = 0;
    bool good = answer.n == 3 || answer.n == 4;

    for (size_t k = 0; k < answer.n; k++)
        sum ^= answer.p[k];
    good = good && sum == 0 && answer.p[0] == PPSS &&
           !(answer.p[1] & PPS0_HAS_MORE) &&
           (answer.p[1] & 0x0f) == p->protocol &&
           !!(answer.p[1] & PPS0_HAS_PPS1) == (answer.n == 4) &&
           (answer.n == 3 || answer.p[2] == p->fidi);
    if (!good)
        return err_set(e, ERR_CARD,
                       "the card does not accept TA1 %02X for T=%u (its answer "
                       "to PPS is %s); it has to be reset",
                       p->fidi, p->protocol,
                       hex_encode(span_sub(answer, 0, 8), hex, sizeof hex));
    *fidi = answer.n == 4 ? p->fidi : ATR_FIDI_DEFAULT;
    return 0;
}
