/* From a slot to a card that answers: voltage, ATR, protocol, speed. */
#include <string.h>

#include "drivers/ccid/link.h"
#include "station/base/clock.h"

#define SLOWEST_KHZ 1000 /* what is waited for when the clock is not known */
#define PLAIN 1000       /* more steps down than there are */
#define WTX_TOTAL_MS 60000

static uint32_t clock_khz(const struct ccid_link *l)
{
    return l->profile->clock_khz ? l->profile->clock_khz : SLOWEST_KHZ;
}

/* --- reset -------------------------------------------------------------------- */

static int no_card(struct err *e)
{
    return err_set(e, ERR_NO_CARD,
                   "no card in the fixture; insert one and scan the unit again");
}

static void off(struct ccid_link *l, int64_t limit, struct ccid_answer *a)
{
    *a = (struct ccid_answer){ .icc = CCID_ICC_INACTIVE };
    ccid_link_ask(l, CCID_POWER_OFF, 0, SPAN(NULL, 0), CCID_REPLY_MS, limit, a,
                  NULL);
}

void ccid_link_power_off(struct ccid_link *l, int64_t limit)
{
    struct ccid_answer a;

    off(l, limit, &a);
}

/* At one voltage. 1: this card does not like it. */
static int reset_at(struct ccid_link *l, uint8_t select, struct buf *atr,
                    int64_t limit, struct err *e)
{
    int once = timing_atr_ms(clock_khz(l));
    int wait = (select == 0 ? 3 * once : once) + CCID_SLACK_MS;
    struct ccid_answer a;

    l->epoch = ccid_reader_epoch(l->reader, l->slot);
    if (ccid_link_ask(l, CCID_POWER_ON, select, SPAN(NULL, 0), wait, limit, &a,
                      e) != 0)
        return -1;
    if (a.icc == CCID_ICC_ABSENT)
        return no_card(e);
    if (a.status == CCID_OK) {
        buf_reset(atr);
        buf_put_span(atr, a.data);
        return buf_ok(atr) ? 0 : err_set(e, ERR_NOMEM, "no memory for an ATR");
    }
    err_set(e, ERR_NO_CARD,
            "the card gives no answer to reset (%s); reseat it, and replace it "
            "if that does not help",
            ccid_error_text(a.error));
    return 1;
}

/* The lowest voltage first: an eUICC is of class B or C, and 5 V can kill what
 * is only of class C. */
static int cold_reset(struct ccid_link *l, struct buf *atr, int64_t limit,
                      struct err *e)
{
    static const struct { uint8_t voltage, select; } order[] = {
        { CCID_1V8, 3 }, { CCID_3V, 2 }, { CCID_5V, 1 }
    };
    struct ccid_answer a;
    int result = 1;

    off(l, limit, &a);
    if (a.icc == CCID_ICC_ABSENT)
        return no_card(e);
    if (l->profile->voltages == 0)
        result = reset_at(l, 0, atr, limit, e);
    for (size_t i = 0; i < 3 && result == 1; i++)
        if (l->profile->voltages & order[i].voltage) {
            result = reset_at(l, order[i].select, atr, limit, e);
            if (result == 1)
                off(l, limit, &a);
        }
    return result == 0 ? 0 : -1;
}

/* --- parameters ------------------------------------------------------------------ */

static unsigned protocols(const struct ccid_profile *p)
{
    return (p->t0 ? ATR_T0 : 0) | (p->t1 ? ATR_T1 : 0);
}

static bool changes_speed(const struct ccid_profile *p)
{
    return p->level == CCID_EXCHANGE_TPDU || (p->features & CCID_AUTO_PPS);
}

/* Readers round their rates; ours are rounded down. */
static int choose(const struct ccid_link *l, uint32_t ceiling, unsigned slower,
                  struct pps_plan *out, struct err *e)
{
    const struct ccid_profile *p = l->profile;
    uint32_t most = p->rate_max <= UINT32_MAX / 2
                        ? p->rate_max + p->rate_max / 100
                        : 0;
    const struct pps_reader r = {
        .clock_khz = clock_khz(l),
        .bps_max = ceiling && (!most || ceiling < most) ? ceiling : most,
        .protocols = protocols(p),
    };

    return pps_choose(&l->atr, &r, slower, out, e);
}

bool ccid_link_slower(const struct ccid_link *l, uint32_t ceiling,
                      struct pps_plan *out)
{
    return l->governed && l->plan.slower > 0 &&
           choose(l, ceiling, l->plan.step + 1, out, NULL) == 0 &&
           out->bps < l->plan.bps;
}

/* 0, -1, or 1: it does not work like that. */
static int pps(struct ccid_link *l, int64_t limit, struct err *e)
{
    int wait = timing_pps_ms(clock_khz(l)) + CCID_SLACK_MS;
    struct ccid_answer a;

    if (ccid_link_ask(l, CCID_XFR_BLOCK, 0,
                      SPAN(l->plan.request, l->plan.request_n), wait, limit,
                      &a, e) != 0)
        return -1;
    if (a.icc != CCID_ICC_ACTIVE)
        return ccid_link_refused(l, &a, e);
    if (a.status != CCID_OK)
        return 1;
    return pps_check(&l->plan, a.data, &l->fidi, e) == 0 ? 0 : 1;
}

static int set_parameters(struct ccid_link *l, int64_t limit, struct err *e)
{
    const struct atr *t = &l->atr;
    const uint8_t inverse = t->inverse ? 2 : 0;
    const uint8_t t0[] = { l->fidi, inverse, t->guard, t->wi, 0 };
    const uint8_t t1[] = { l->fidi,
                           (uint8_t)(0x10 | inverse | (t->crc ? 1 : 0)),
                           t->guard,
                           (uint8_t)(t->bwi << 4 | t->cwi),
                           0,
                           t->ifsc,
                           0 };
    /* A reader that does PPS now takes as long as PPS does. */
    int wait = timing_pps_ms(clock_khz(l)) + CCID_REPLY_MS;
    struct ccid_answer a;

    if (ccid_link_ask(l, CCID_SET_PARAMETERS, l->protocol,
                      l->protocol ? SPAN_ARRAY(t1) : SPAN_ARRAY(t0), wait,
                      limit, &a, e) != 0)
        return -1;
    if (a.icc != CCID_ICC_ACTIVE)
        return ccid_link_refused(l, &a, e);
    if (a.status == CCID_OK)
        return 0;
    /* Some leave the command out, having done it all from the ATR. */
    return a.error == CCID_ERROR_UNSUPPORTED && !l->plan.needed ? 0 : 1;
}

static int set_rate(struct ccid_link *l, int64_t limit, struct err *e)
{
    uint32_t v[2] = { clock_khz(l), pps_bps(l->fidi, clock_khz(l)) };
    uint8_t data[8];
    struct ccid_answer a;

    if (l->profile->features & CCID_AUTO_RATE)
        return 0;
    for (int i = 0; i < 8; i++)
        data[i] = (uint8_t)(v[i / 4] >> i % 4 * 8);
    if (ccid_link_ask(l, CCID_SET_RATE, 0, SPAN_ARRAY(data), CCID_REPLY_MS,
                      limit, &a, e) != 0)
        return -1;
    if (a.status == CCID_OK)
        return 0;
    return a.error == CCID_ERROR_UNSUPPORTED && !l->plan.needed ? 0 : 1;
}

/* --- what is agreed ----------------------------------------------------------------- */

/* What a reader that chooses by itself has chosen. */
static int learn(struct ccid_link *l, int64_t limit, struct err *e)
{
    struct ccid_answer a;

    l->protocol = l->atr.first;
    if (ccid_link_ask(l, CCID_GET_PARAMETERS, 0, SPAN(NULL, 0), CCID_REPLY_MS,
                      limit, &a, e) != 0)
        return -1;
    if (a.icc != CCID_ICC_ACTIVE)
        return ccid_link_refused(l, &a, e);
    if (a.status == CCID_OK && a.data.n >= 5 && a.own <= 1) {
        l->protocol = a.own;
        l->fidi = atr_f(a.data.p[0]) && atr_d(a.data.p[0]) ? a.data.p[0] : 0;
    }
    if (l->profile->level == CCID_EXCHANGE_TPDU &&
        !((protocols(l->profile) & l->atr.protocols) >> l->protocol & 1))
        return err_set(e, ERR_CARD,
                       "the reader has set T=%u, which card and reader do not "
                       "share; use another reader",
                       l->protocol);
    return 0;
}

/* Such a reader may still be asked for less, once the place is known to need
 * it; whether it does that is its affair. */
static int ask_for_less(struct ccid_link *l, uint32_t ceiling, int64_t limit,
                        struct err *e)
{
    uint8_t chosen = l->fidi;
    unsigned slower = 0;

    do
        if (choose(l, ceiling, slower, &l->plan, NULL) != 0 ||
            l->plan.protocol != l->protocol)
            return 0;
    while (l->plan.bps > pps_bps(chosen, clock_khz(l)) &&
           slower++ < l->plan.step + l->plan.slower);
    l->governed = chosen != 0;
    if (!ceiling || !chosen || pps_bps(chosen, clock_khz(l)) <= ceiling)
        return 0;
    l->fidi = l->plan.fidi;
    int r = set_parameters(l, limit, e);
    if (r > 0) {
        l->fidi = chosen;
        l->governed = false;
    }
    return r < 0 ? -1 : 0;
}

static enum ccid_power agree(struct ccid_link *l, uint32_t ceiling, bool plain,
                             int64_t limit, struct err *e)
{
    bool fixed = plain || !changes_speed(l->profile);
    int r;

    if (choose(l, ceiling, fixed ? PLAIN : 0, &l->plan, e) != 0)
        return CCID_POWER_BAD;
    if (fixed && l->plan.needed) {
        err_set(e, ERR_CARD,
                "the card begins with T=%u, and nothing here can change that; "
                "use another reader",
                l->atr.first);
        return CCID_POWER_BAD;
    }
    l->protocol = l->plan.protocol;
    l->fidi = l->plan.fidi;
    l->governed = !fixed;
    if (l->plan.needed && !(l->profile->features & CCID_AUTO_PPS)) {
        if ((r = pps(l, limit, e)) != 0)
            return r < 0 ? CCID_POWER_BAD : CCID_POWER_PLAIN;
    }
    if ((r = set_parameters(l, limit, e)) == 0)
        r = set_rate(l, limit, e);
    if (r < 0)
        return CCID_POWER_BAD;
    if (r > 0)
        err_set(e, ERR_FORMAT,
                "the reader refuses the card's parameters (TA1=%02X, T=%u); use "
                "another reader",
                l->fidi, l->protocol);
    return r == 0 ? CCID_POWER_GOOD : CCID_POWER_SLOWER;
}

static void set_timing(struct ccid_link *l)
{
    /* Not known: the longest waits that the card may have. */
    uint8_t fidi = l->fidi ? l->fidi : (uint8_t)((l->atr.fidi & 0xF0) | 1);

    timing_set(&l->timing, &l->atr, l->protocol, fidi, clock_khz(l));
}

static enum ccid_power begin_t1(struct ccid_link *l, int64_t limit,
                                struct err *e)
{
    int bwt = timing_extension_ms(&l->timing, 1);
    const struct t1_params p = {
        .ifsc = l->atr.ifsc,
        .ifsd = (uint8_t)l->profile->ifsd,
        .crc = l->atr.crc,
        .wtx_limit = (unsigned)(WTX_TOTAL_MS / (bwt > 0 ? bwt : 1)) + 1,
    };

    t1_init(&l->t1, &p);
    l->t1.ifsc_max = p.ifsd; /* messages are as long both ways */
    if (ccid_link_open_t1(l, limit, e) == 0)
        return CCID_POWER_GOOD;
    return l->faults ? CCID_POWER_SLOWER : CCID_POWER_BAD;
}

enum ccid_power ccid_link_power_on(struct ccid_link *l, uint32_t ceiling,
                                   bool plain, struct buf *atr, int64_t limit,
                                   struct err *e)
{
    enum ccid_power r = CCID_POWER_GOOD;

    l->faults = 0;
    l->fidi = 0;
    l->governed = false;
    l->plan = (struct pps_plan){ .protocol = 0 };
    if (cold_reset(l, atr, limit, e) != 0 ||
        atr_parse(buf_span(atr), &l->atr, e) != 0)
        return CCID_POWER_BAD;
    if (l->profile->features & CCID_AUTO_NEGOTIATION)
        r = learn(l, limit, e) == 0 && ask_for_less(l, ceiling, limit, e) == 0
                ? CCID_POWER_GOOD
                : CCID_POWER_BAD;
    else
        r = agree(l, ceiling, plain, limit, e);
    if (r != CCID_POWER_GOOD)
        return r;
    set_timing(l);
    if (l->profile->level == CCID_EXCHANGE_TPDU && l->protocol == 1)
        r = begin_t1(l, limit, e);
    return r;
}
