#include "tests/lab/usb/link_card.h"

#include "tests/lab/usb/link_atr.h"

#define PPSS 0xFF
#define PPS1_THERE 0x10

bool link_card_reset(struct link_card *c, struct buf *atr)
{
    const struct ccid_card *o = &c->chip.o;

    c->fresh = true;
    c->mute = false;
    c->protocol = o->no_t0 || (o->t1_first && !o->no_t1);
    c->ta1 = LINK_FIDI_DEFAULT;
    line_reset(c->chip.line);
    if (!link_chip_on(&c->chip))
        return false;
    link_t0_card_reset(&c->t0, &c->chip);
    link_t1_card_reset(&c->t1, &c->chip, &c->counts);
    buf_reset(atr);
    if (o->atr.n)
        buf_put_span(atr, buf_span(&o->atr));
    else
        link_atr_put(o, atr);
    line_run(c->chip.line, LINE_CARD, atr->n, 12, 12);
    return true;
}

void link_card_off(struct link_card *c)
{
    link_chip_off(&c->chip);
    c->mute = true;
}

void link_card_clear(struct link_card *c)
{
    link_t0_card_clear(&c->t0);
    link_t1_card_clear(&c->t1);
}

size_t link_pps_request(uint8_t protocol, uint8_t ta1, uint8_t out[4])
{
    size_t n = 0;

    out[n++] = PPSS;
    out[n++] = protocol;
    if (ta1 != LINK_FIDI_DEFAULT) {
        out[1] |= PPS1_THERE;
        out[n++] = ta1;
    }
    out[n] = 0;
    for (size_t i = 0; i < n; i++)
        out[n] ^= out[i];
    return n + 1;
}

/* Well-formed, and a protocol that this card has. */
static bool acceptable(const struct ccid_card *o, struct span in)
{
    uint8_t sum = 0;

    if (in.n < 3)
        return false;
    unsigned n = 3 + (in.p[1] >> 4 & 1) + (in.p[1] >> 5 & 1) +
                 (in.p[1] >> 6 & 1);
    for (size_t i = 0; i < in.n; i++)
        sum ^= in.p[i];
    unsigned t = in.p[1] & 0x0F;
    return in.n == n && sum == 0 && !o->refuse_pps &&
           ((t == 0 && !o->no_t0) || (t == 1 && !o->no_t1));
}

static void hear_pps(struct link_card *c, struct span in, struct buf *out)
{
    uint8_t ta1 = LINK_FIDI_DEFAULT, answer[4];
    unsigned f, d;

    c->pps++;
    if (!acceptable(&c->chip.o, in)) {
        c->mute = true;
        return;
    }
    /* A speed that it cannot have is left out of its answer: the default. */
    if ((in.p[1] & PPS1_THERE) && link_fidi_get(in.p[2], &f, &d) &&
        !link_fidi_faster(in.p[2], c->chip.o.ta1))
        ta1 = in.p[2];
    size_t n = link_pps_request(in.p[1] & 0x0F, ta1, answer);
    line_run(c->chip.line, LINE_CARD, n, 12, 16);
    buf_put(out, answer, n);
    c->protocol = in.p[1] & 0x0F;
    c->ta1 = ta1;
}

void link_card_hear(struct link_card *c, struct span octets, bool follows,
                    struct buf *out)
{
    bool fresh = c->fresh;
    size_t before = out->n;

    if (c->mute || !c->chip.on || octets.n == 0)
        return;
    c->fresh = false;
    if (fresh && octets.p[0] == PPSS) {
        hear_pps(c, octets, out);
    } else if (c->protocol == 0) {
        link_t0_card_hear(&c->t0, octets, follows, out);
    } else {
        link_t1_card_hear(&c->t1, octets, out);
        line_run(c->chip.line, LINE_CARD, out->n - before,
                 c->chip.o.guard == 255 ? 11 : 12, 22);
    }
}
