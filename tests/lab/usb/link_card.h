/* lab/usb/link_card: a whole card at the end of the line: reset and ATR, PPS,
 * then the protocol that was agreed on. */
#ifndef LINESIDE_LAB_USB_LINK_CARD_H
#define LINESIDE_LAB_USB_LINK_CARD_H

#include "tests/lab/usb/link_t1.h"

struct link_card {
    struct link_chip chip;
    struct t0_card t0;
    struct t1_card t1;
    struct t1_counts counts;
    uint64_t pps;
    uint8_t protocol, ta1; /* as the card has them                   */
    bool fresh;            /* nothing heard since the reset: PPS may come */
    bool mute;             /* until the next reset (9.3: a PPS that failed) */
};

/* A cold or warm reset. False: no answer. */
bool link_card_reset(struct link_card *c, struct buf *atr);
void link_card_off(struct link_card *c);
void link_card_clear(struct link_card *c);
/* At the card's own speed and protocol. The card's answer, with its time on
 * the line, is appended; nothing: silence. */
void link_card_hear(struct link_card *c, struct span octets, bool follows,
                    struct buf *out);

/* FF PPS0 PPS1 PCK for these; returns its length (3 without PPS1). */
size_t link_pps_request(uint8_t protocol, uint8_t ta1, uint8_t out[4]);

#endif
