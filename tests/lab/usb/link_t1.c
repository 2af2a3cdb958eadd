#include "tests/lab/usb/link_t1.h"

/* The frame check sequence of ISO/IEC 13239: complemented, low octet first.
 * libccid neither complements nor swaps it: a card with CRC and that driver
 * do not understand each other here. */
static uint16_t crc_of(struct span s)
{
    uint16_t v = 0xFFFF;

    for (size_t i = 0; i < s.n; i++) {
        v ^= s.p[i];
        for (int bit = 0; bit < 8; bit++)
            v = (uint16_t)(v & 1 ? v >> 1 ^ 0x8408 : v >> 1);
    }
    v = (uint16_t)~v;
    return (uint16_t)(v << 8 | v >> 8); /* as it goes out */
}

static uint8_t lrc_of(struct span s)
{
    uint8_t v = 0;

    for (size_t i = 0; i < s.n; i++)
        v ^= s.p[i];
    return v;
}

void link_t1_block_put(struct buf *out, bool crc, uint8_t nad, uint8_t pcb,
                       struct span inf)
{
    size_t at = out->n;

    buf_put_u8(out, nad);
    buf_put_u8(out, pcb);
    buf_put_u8(out, (uint8_t)inf.n);
    buf_put_span(out, inf);
    struct span all = SPAN(out->p + at, out->n - at);
    if (crc)
        buf_put_u16(out, crc_of(all));
    else
        buf_put_u8(out, lrc_of(all));
}

uint8_t link_t1_block_read(struct span in, bool crc, struct t1_octets *out)
{
    size_t edc = crc ? 2 : 1;

    if (in.n < 3 + edc || in.p[2] == 0xFF || in.n != 3u + in.p[2] + edc)
        return T1_R_OTHER;
    struct span all = span_sub(in, 0, in.n - edc);
    uint16_t is = crc ? (uint16_t)(in.p[all.n] << 8 | in.p[all.n + 1])
                      : in.p[all.n];
    if (is != (crc ? crc_of(all) : lrc_of(all)))
        return T1_R_EDC;
    *out = (struct t1_octets){ in.p[0], in.p[1], span_sub(all, 3, all.n) };
    return 0;
}
