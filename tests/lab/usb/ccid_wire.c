/* Between the reader and its card: one exchange on the line, with its time,
 * its noise and its faults; resets, PPS and what an automatic reader adds. */
#include "tests/lab/usb/ccid_slot.h"

#include <string.h>

enum kind { OCTETS /* T=0 */, BLOCK /* T=1 */, PPS };

void ccid_params_default(struct ccid_params *p, uint8_t protocol)
{
    *p = (struct ccid_params){
        .protocol = protocol, .fidi = LINK_FIDI_DEFAULT,
        .tcck = protocol ? 0x10 : 0x00, .waiting = protocol ? 0x4D : 10,
        .ifsc = 32,
    };
}

/* --- one exchange -------------------------------------------------------- */

static unsigned guard_to_card(const struct ccid_slot *s, enum kind kind)
{
    if (s->params.guard == 255)
        return kind == BLOCK ? 11 : 12;
    return 12u + s->params.guard;
}

static bool takes(struct ccid_slot *s, enum ccid_fault f)
{
    if (s->link_fault != f)
        return false;
    s->link_fault = CCID_FAULT_NONE;
    return true;
}

static void flip(struct span in, uint64_t seed)
{
    uint64_t x = ccid_mix(seed);

    if (in.n)
        ((uint8_t *)in.p)[x % in.n] ^= (uint8_t)(1u << (x >> 32) % 8);
}

/* At a speed that this pair cannot do, every other exchange is damaged. */
static bool noisy(struct ccid_slot *s, uint64_t *seed)
{
    uint8_t limit = (uint8_t)s->card.chip.o.works_at;

    if (!limit || !link_fidi_faster(s->line.ta1, limit))
        return false;
    *seed = ccid_mix(s->noise++ * CCID_SLOTS + s->index);
    return *seed & 1;
}

/* Speed and protocol must be the same at both ends; else neither understands
 * a thing, and to a card that waits for something else it is nothing. */
static bool understood(const struct ccid_slot *s, enum kind kind)
{
    return s->line.ta1 == s->card.ta1 &&
           (kind == PPS || (kind == BLOCK) == s->card.protocol);
}

/* Characters closer together than the card can take. */
static bool too_close(const struct ccid_slot *s, enum kind kind)
{
    unsigned n = s->card.chip.o.guard;
    unsigned wants = n == 255 ? (kind == BLOCK ? 11 : 12) : 12 + n;

    return guard_to_card(s, kind) < wants;
}

static enum link_result in_vain(struct ccid_slot *s, uint64_t ns)
{
    line_wait(&s->line, ns);
    return LINK_MUTE;
}

/* A reader at TPDU level counts octets: LEN, and the EDC it believes in. */
static enum link_result cut_block(struct ccid_slot *s, struct buf *in,
                                  uint64_t wait)
{
    bool crc = s->params.tcck & 1, is = s->card.chip.o.crc;

    if (crc && !is)
        return in_vain(s, wait);
    if (!crc && is)
        in->n--;
    return LINK_OK;
}

static enum link_result damage(struct ccid_slot *s, enum kind kind,
                               struct buf *in, uint64_t wait)
{
    uint64_t seed;

    if (kind == BLOCK) {
        if (takes(s, CCID_FAULT_LOST_ANSWER))
            return in_vain(s, wait);
        if (takes(s, CCID_FAULT_FLIPPED_BIT))
            flip(buf_span(in), s->message->seed);
        if (takes(s, CCID_FAULT_BAD_LRC))
            in->p[in->n - 1] ^= 0x5A;
        if (noisy(s, &seed))
            flip(buf_span(in), seed);
        return cut_block(s, in, wait);
    }
    return LINK_OK;
}

static enum link_result exchange(struct ccid_slot *s, enum kind kind,
                                 struct span octets, bool follows,
                                 unsigned times, struct buf *in)
{
    uint64_t wait = kind == BLOCK
                        ? line_bwt_ns(&s->line, s->params.waiting) * times
                        : line_wt_ns(&s->line, kind == PPS ? 10
                                                           : s->params.waiting,
                                     s->params.fidi);
    AUTO(buf_clear) struct buf out = BUF_INIT, heard = BUF_INIT;
    uint64_t seed;

    if (ccid_slot_stopped(s))
        return LINK_STOPPED;
    line_run(&s->line, LINE_READER, octets.n, guard_to_card(s, kind),
             kind == BLOCK ? 22 : 16);
    s->counts.octets_out += octets.n;
    /* T=0 repeats a damaged character at once, and gives up in the end. */
    if (kind == OCTETS && octets.n == 5 && noisy(s, &seed))
        return LINK_PARITY;
    if (kind == BLOCK && takes(s, CCID_FAULT_LOST_BLOCK))
        return in_vain(s, wait);
    buf_put_span(&out, octets);
    if (kind == BLOCK && takes(s, CCID_FAULT_FLIPPED_OUT))
        flip(buf_span(&out), s->message->seed);
    if (too_close(s, kind))
        flip(buf_span(&out), 0);
    s->line.gap_longest = 0;
    if (understood(s, kind))
        link_card_hear(&s->card, buf_span(&out), follows, &heard);
    s->counts.octets_in += heard.n;
    if (heard.n == 0)
        return in_vain(s, wait);
    if (s->line.gap_longest > wait)
        return LINK_MUTE; /* it came, but the reader had given up */
    enum link_result r = damage(s, kind, &heard, wait);
    if (r == LINK_OK)
        buf_put_span(in, buf_span(&heard));
    return r;
}

static enum link_result exchange_t0(void *ctx, struct span octets,
                                    bool follows, struct buf *in)
{
    return exchange(ctx, OCTETS, octets, follows, 1, in);
}

static enum link_result exchange_t1(void *ctx, struct span block,
                                    unsigned times, struct buf *in)
{
    return exchange(ctx, BLOCK, block, false, times, in);
}

static void more_time(void *ctx, unsigned times)
{
    ccid_slot_more_time(ctx, times);
}

static struct t0_wire wire_t0(struct ccid_slot *s)
{
    return (struct t0_wire){ exchange_t0, s };
}

static struct t1_wire wire_t1(struct ccid_slot *s)
{
    return (struct t1_wire){ exchange_t1, more_time, s };
}

enum link_result ccid_wire_tpdu(struct ccid_slot *s, struct span tpdu,
                                unsigned times, struct buf *rsp)
{
    const struct t0_wire w = wire_t0(s);

    if (tpdu.n && tpdu.p[0] == 0xFF)
        return exchange(s, PPS, tpdu, false, 1, rsp);
    if (s->params.protocol == 0)
        return link_t0_tpdu(&w, tpdu, rsp);
    if (tpdu.n < 4)
        return LINK_LENGTH;
    return exchange(s, BLOCK, tpdu, false, times ? times : 1, rsp);
}

enum link_result ccid_wire_apdu(struct ccid_slot *s, struct span apdu,
                                struct buf *rsp)
{
    const struct t0_wire t0 = wire_t0(s);
    const struct t1_wire t1 = wire_t1(s);

    if (apdu.n < 4)
        return LINK_LENGTH;
    return s->params.protocol ? link_t1_reader_apdu(&s->t1, &t1, apdu, rsp)
                              : link_t0_apdu(&t0, apdu, rsp);
}

/* --- power on ------------------------------------------------------------ */

static bool reset(struct ccid_slot *s, struct buf *atr)
{
    buf_reset(atr);
    s->used = false;
    ccid_params_default(&s->params, 0);
    if (!link_card_reset(&s->card, atr))
        return false;
    s->counts.power_ons++;
    s->counts.octets_in += atr->n;
    return true;
}

static bool pps(struct ccid_slot *s, uint8_t protocol, uint8_t fidi)
{
    AUTO(buf_clear) struct buf in = BUF_INIT;
    uint8_t request[4];
    size_t n = link_pps_request(protocol, fidi, request);

    return exchange(s, PPS, SPAN(request, n), false, 1, &in) == LINK_OK &&
           span_eq(buf_span(&in), SPAN(request, n));
}

/* What the ATR says, for the protocol and speed that are in force. */
static void adopt(struct ccid_slot *s, uint8_t protocol, uint8_t fidi)
{
    const struct link_atr *a = &s->atr;

    ccid_params_default(&s->params, protocol);
    s->params.fidi = fidi;
    s->params.guard = a->tc1;
    s->params.waiting = protocol ? a->bwi_cwi : a->wi;
    s->params.ifsc = a->ifsc;
    if (protocol && a->crc)
        s->params.tcck |= 1;
    line_speed(&s->line, fidi);
    if (protocol == 0)
        return;
    const struct t1_wire w = wire_t1(s);
    link_t1_reader_reset(&s->t1, a->ifsc, a->crc);
    link_t1_reader_ifsd(&s->t1, &w);
}

static bool negotiate(struct ccid_slot *s, uint8_t protocol, uint8_t fidi)
{
    s->params.guard = s->atr.tc1;
    if ((protocol != s->atr.first || fidi != LINK_FIDI_DEFAULT) &&
        !pps(s, protocol, fidi))
        return false;
    adopt(s, protocol, fidi);
    return true;
}

uint8_t ccid_wire_power_on(struct ccid_slot *s, struct buf *atr)
{
    if (!reset(s, atr))
        return CCID_ERROR_MUTE;
    if (!s->reader->o.automatic)
        return 0;
    uint8_t error = link_atr_read(buf_span(atr), &s->atr);
    if (error)
        return error;
    if (negotiate(s, s->atr.first,
                  link_fidi_within(s->atr.ta1, s->line.clock_khz,
                                   s->reader->o.data_rate_max)))
        return 0;
    /* It would not: from the beginning, as it is by itself. */
    if (!reset(s, atr))
        return CCID_ERROR_MUTE;
    adopt(s, s->atr.first, LINK_FIDI_DEFAULT);
    return 0;
}

uint8_t ccid_wire_renegotiate(struct ccid_slot *s, uint8_t protocol,
                              uint8_t fidi)
{
    AUTO(buf_clear) struct buf atr = BUF_INIT;

    if (protocol == s->params.protocol && fidi == s->params.fidi)
        return 0;
    if (protocol ? !s->atr.t1 : !s->atr.t0)
        return CCID_ERROR_BYTE_7;
    if (s->used || link_fidi_faster(fidi, s->atr.ta1))
        return CCID_ERROR_FIDI;
    if (!reset(s, &atr))
        return CCID_ERROR_MUTE;
    if (negotiate(s, protocol, fidi))
        return 0;
    if (!reset(s, &atr))
        return CCID_ERROR_MUTE;
    adopt(s, s->atr.first, LINK_FIDI_DEFAULT);
    return CCID_ERROR_FIDI;
}
