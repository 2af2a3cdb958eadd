/* lab/usb/link_t0: T=0 (ISO/IEC 7816-3, clause 10 and 12.2). The card's side
 * takes octets and says octets; the reader's side makes TPDUs, and at APDU
 * level APDUs, out of that. */
#ifndef LINESIDE_LAB_USB_LINK_T0_H
#define LINESIDE_LAB_USB_LINK_T0_H

#include "tests/lab/usb/link_chip.h"

/* --- the card ------------------------------------------------------------ */

/* A chip that hands out data with a case 4 command at once (it knows no T=0)
 * has them kept here behind 61xx; one that says 61xx itself keeps its own. A
 * chip that gives less than P3 asks for has its answer kept behind 6Cxx until
 * the same header comes again: it has done the command and must not do it
 * twice. */
struct t0_card {
    struct link_chip *chip;
    uint8_t header[5];
    bool incoming;       /* header is there, command data are to come   */
    struct buf command;  /* header and data so far                      */
    struct buf pending;  /* answer that waits for GET RESPONSE          */
    uint16_t pending_sw; /* what ends it                                */
    struct buf kept;     /* answer that waits for the right P3          */
    uint16_t kept_sw;
    bool has_kept;
    uint8_t kept_header[4];
};

void link_t0_card_reset(struct t0_card *c, struct link_chip *chip);
void link_t0_card_clear(struct t0_card *c);
/* A header, or command data in answer to an ACK. follows: the reader has data
 * for this header; a real card knows that by INS, this one cannot, having any
 * chip. What the card says is appended; nothing: it is mute. */
void link_t0_card_hear(struct t0_card *c, struct span octets, bool follows,
                       struct buf *out);

/* --- the reader ---------------------------------------------------------- */

enum link_result {
    LINK_OK,
    LINK_MUTE,      /* nothing within the waiting time      */
    LINK_PARITY,    /* damaged, and again when repeated     */
    LINK_PROCEDURE, /* T=0: an octet that is no procedure   */
    LINK_LENGTH,    /* the host's octets are no command     */
    LINK_STOPPED    /* by the reader's own affairs          */
};

/* The wire: sends octets, collects what the card says to them. */
struct t0_wire {
    enum link_result (*exchange)(void *ctx, struct span octets, bool follows,
                                 struct buf *in);
    void *ctx;
};

/* CLA INS P1 P2 [P3 [data]], as many data as P3 says. */
enum link_result link_t0_tpdu(const struct t0_wire *w, struct span tpdu,
                              struct buf *rsp);
/* A short APDU, case 1 to 4, mapped as 7816-3, 12.2 has it: GET RESPONSE for
 * case 4 when the card says 61xx, the same command again when it says 6Cxx. */
enum link_result link_t0_apdu(const struct t0_wire *w, struct span apdu,
                              struct buf *rsp);

#endif
