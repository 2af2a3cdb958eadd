/* lab/usb/link_atr: the card's answer to reset, made from struct ccid_card
 * and, for readers that do everything themselves, read again by the reader;
 * Fi, Di and what they make of a clock (ISO/IEC 7816-3, clause 8). */
#ifndef LINESIDE_LAB_USB_LINK_ATR_H
#define LINESIDE_LAB_USB_LINK_ATR_H

#include "tests/lab/usb/ccid_model.h"

#define LINK_FIDI_DEFAULT 0x11

/* False: one of the two is reserved. */
bool link_fidi_get(uint8_t ta1, unsigned *f, unsigned *d);
/* Bits per second, rounded down; 0: reserved. */
uint32_t link_fidi_rate(uint8_t ta1, uint32_t clock_khz);
/* Shorter etu than the other, at the same clock. */
bool link_fidi_faster(uint8_t ta1, uint8_t than);
/* The same Fi with the largest D, not larger than this one's, that stays
 * within `bps`; the default when there is none. */
uint8_t link_fidi_within(uint8_t ta1, uint32_t clock_khz, uint32_t bps);

/* The zeros of a card's options become what ccid_model.h says they mean. */
struct ccid_card link_card_defaults(const struct ccid_card *o);
/* Of a card with its defaults filled in. */
void link_atr_put(const struct ccid_card *o, struct buf *atr);

struct link_atr {
    uint8_t ta1, tc1;
    bool t0, t1;
    uint8_t first; /* protocol, 0 or 1 */
    uint8_t wi, ifsc, bwi_cwi;
    bool crc;
};
/* What a reader that configures itself makes of one: 0 or the error that it
 * reports (CCID_ERROR_BAD_ATR_TS and the like; FE for one that ends early). */
uint8_t link_atr_read(struct span atr, struct link_atr *out);

#endif
