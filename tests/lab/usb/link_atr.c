#include "tests/lab/usb/link_atr.h"

#include "tests/lab/usb/ccid_words.h"

static const uint16_t fi[16] = { 372, 372, 558, 744, 1116, 1488, 1860, 0,
                                 0,   512, 768, 1024, 1536, 2048, 0,   0 };
static const uint8_t di[16] = { 0, 1, 2, 4, 8, 16, 32, 64, 12, 20 };

bool link_fidi_get(uint8_t ta1, unsigned *f, unsigned *d)
{
    *f = fi[ta1 >> 4];
    *d = di[ta1 & 0x0F];
    return *f && *d;
}

uint32_t link_fidi_rate(uint8_t ta1, uint32_t clock_khz)
{
    unsigned f, d;

    if (!link_fidi_get(ta1, &f, &d))
        return 0;
    return (uint32_t)((uint64_t)clock_khz * 1000 * d / f);
}

bool link_fidi_faster(uint8_t ta1, uint8_t than)
{
    unsigned f, d, tf, td;

    if (!link_fidi_get(ta1, &f, &d) || !link_fidi_get(than, &tf, &td))
        return false;
    return d * tf > td * f;
}

uint8_t link_fidi_within(uint8_t ta1, uint32_t clock_khz, uint32_t bps)
{
    uint8_t best = LINK_FIDI_DEFAULT;

    for (unsigned i = 0; i < 16; i++) {
        uint8_t at = (uint8_t)((ta1 & 0xF0) | i);
        uint32_t rate = link_fidi_rate(at, clock_khz);

        if (rate && rate <= bps && !link_fidi_faster(at, ta1) &&
            link_fidi_faster(at, best))
            best = at;
    }
    return best;
}

struct ccid_card link_card_defaults(const struct ccid_card *o)
{
    static const struct ccid_card none;
    struct ccid_card c = o ? *o : none;

    if (!c.ta1)
        c.ta1 = 0x96;
    if (!c.ifsc)
        c.ifsc = 254;
    if (!c.bwi_cwi)
        c.bwi_cwi = 0x40;
    if (!c.wi)
        c.wi = 10;
    return c;
}

/* --- building ------------------------------------------------------------ */

struct level {
    uint8_t t;        /* protocol that the TD of the level above names */
    bool has_a, has_b, has_c;
    uint8_t a, b, c;
};

static unsigned add_protocols(const struct ccid_card *o, struct level *l)
{
    const struct level first = {
        .has_a = o->ta1 != LINK_FIDI_DEFAULT, .a = o->ta1,
        .has_c = o->guard != 0, .c = o->guard,
    };
    /* TC2 is the waiting integer of T=0 wherever T=0 stands in the list. */
    const struct level second = {
        .t = o->no_t0 || (o->t1_first && !o->no_t1), .has_c = o->wi != 10,
        .c = o->wi,
    };
    const struct level t1 = {
        .t = 1, .has_a = true, .a = o->ifsc, .has_b = true, .b = o->bwi_cwi,
        .has_c = o->crc, .c = o->crc,
    };
    unsigned n = 0;

    l[n++] = first;
    if (o->no_t1 && !second.has_c)
        return n; /* T=0 needs no words */
    l[n++] = second;
    if (o->no_t1)
        return n;
    l[n++] = t1;
    if (o->t1_first && !o->no_t0)
        l[n++] = (struct level){ .t = 0 };
    return n;
}

void link_atr_put(const struct ccid_card *o, struct buf *atr)
{
    static const char historical[] = "LAB";
    struct level l[4];
    unsigned n = add_protocols(o, l);
    size_t t0 = atr->n + 1;
    bool checked = false;

    buf_put_u8(atr, 0x3B);
    for (unsigned i = 0; i < n; i++) {
        uint8_t y = (uint8_t)(l[i].has_a << 4 | l[i].has_b << 5 |
                              l[i].has_c << 6 | (i + 1 < n) << 7);

        checked |= l[i].t != 0;
        buf_put_u8(atr, (uint8_t)(y | (i ? l[i].t : sizeof historical - 1)));
        if (l[i].has_a)
            buf_put_u8(atr, l[i].a);
        if (l[i].has_b)
            buf_put_u8(atr, l[i].b);
        if (l[i].has_c)
            buf_put_u8(atr, l[i].c);
    }
    buf_put(atr, historical, sizeof historical - 1);
    uint8_t tck = 0;
    for (size_t i = t0; i < atr->n; i++)
        tck ^= atr->p[i];
    if (checked)
        buf_put_u8(atr, tck);
}

/* --- reading ------------------------------------------------------------- */

static void note(struct link_atr *a, unsigned level, unsigned t, unsigned which,
                 uint8_t v, bool first_t1)
{
    if (level == 1 && which == 0)
        a->ta1 = v;
    else if (level == 1 && which == 2)
        a->tc1 = v;
    else if (level == 2 && which == 2)
        a->wi = v;
    else if (level > 2 && t == 1 && first_t1 && which == 0)
        a->ifsc = v;
    else if (level > 2 && t == 1 && first_t1 && which == 1)
        a->bwi_cwi = v;
    else if (level > 2 && t == 1 && first_t1 && which == 2)
        a->crc = v & 1;
}

static void offer(struct link_atr *a, unsigned t, bool *named)
{
    if (t == 0 || t == 1) {
        if (!*named)
            a->first = (uint8_t)t;
        *named = true;
        a->t0 |= t == 0;
        a->t1 |= t == 1;
    }
}

uint8_t link_atr_read(struct span in, struct link_atr *out)
{
    struct link_atr a = { .ta1 = LINK_FIDI_DEFAULT, .wi = 10, .ifsc = 32,
                          .bwi_cwi = 0x4D };
    unsigned t = 0, t1_seen = 0;
    bool named = false, checked = false;
    size_t at = 1;

    if (in.n < 2)
        return CCID_ERROR_MUTE;
    if (in.p[0] != 0x3B && in.p[0] != 0x3F)
        return CCID_ERROR_ATR_TS;
    uint8_t y = in.p[at++];
    size_t historical = y & 0x0F;
    for (unsigned level = 1;; level++) {
        for (unsigned i = 0; i < 3; i++) {
            if (!(y & 0x10 << i))
                continue;
            if (at >= in.n)
                return CCID_ERROR_MUTE;
            note(&a, level, t, i, in.p[at++], t1_seen == 1);
        }
        if (!(y & 0x80))
            break;
        if (at >= in.n)
            return CCID_ERROR_MUTE;
        y = in.p[at++];
        t = y & 0x0F;
        checked |= t != 0;
        /* TD1 with T=1 has the global TA2 and TC2 behind it, not T=1's. */
        if (t == 1 && level >= 2)
            t1_seen++;
        offer(&a, t, &named);
    }
    if (!(in.p[1] & 0x80)) /* no TD1: T=0 */
        offer(&a, 0, &named);
    if (in.n < at + historical + checked)
        return CCID_ERROR_MUTE;
    if (checked) {
        uint8_t sum = 0;
        for (size_t i = 1; i < at + historical + 1; i++)
            sum ^= in.p[i];
        if (sum)
            return CCID_ERROR_ATR_TCK;
    }
    if (!a.t0 && !a.t1)
        return CCID_ERROR_PROTOCOL;
    *out = a;
    return 0;
}
