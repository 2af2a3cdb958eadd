/* iso7816/pps: which protocol and speed a card and a reader agree on
 * (ISO/IEC 7816-3:2006, clause 9).
 *
 * Candidates, fastest first: the card's own Fi with its Di and every smaller
 * D, as long as that is faster than the default; the default, 372/1, which
 * every card starts with, is the last. A reader's limits strike out some. A
 * fixture where errors show asks for `slower` steps down from the fastest. */
#ifndef LINESIDE_DRIVERS_ISO7816_PPS_H
#define LINESIDE_DRIVERS_ISO7816_PPS_H

#include "drivers/iso7816/atr.h"

#define PPS_MAX 4 /* PPSS PPS0 PPS1 PCK: never more is asked for */

/* What the reader can do. */
struct pps_reader {
    uint32_t clock_khz;     /* the clock it gives the card                 */
    uint32_t bps_max;       /* 0: not said                                 */
    const uint32_t *rates;  /* the only data rates, bps; may be empty: any */
    size_t rate_count;
    unsigned protocols;     /* ATR_T0, ATR_T1 */
};

struct pps_plan {
    uint8_t protocol;       /* 0 or 1 */
    uint8_t fidi;           /* the speed to go for                         */
    uint32_t bps;           /* what that is at the reader's clock          */
    unsigned step;          /* how many steps below the fastest it is      */
    unsigned slower;        /* how many steps there are below it           */
    bool needed;            /* a PPS has to be done; else these are what
                               the card uses after its reset               */
    uint8_t request[PPS_MAX];
    uint8_t request_n;      /* 0 unless needed */
};

/* `slower`: steps down; more than there are means the slowest. The protocol
 * is the card's first that the reader can. ERR_CARD: no protocol in common,
 * or a card in specific mode at a speed that the reader cannot do. */
int pps_choose(const struct atr *a, const struct pps_reader *r,
               unsigned slower, struct pps_plan *out, struct err *e);

/* Does the card's answer accept the request (9.3)? *fidi: what is in force
 * now: the plan's, or the default when the answer leaves PPS1 out. ERR_CARD:
 * it does not; the card has to be reset. */
int pps_check(const struct pps_plan *p, struct span answer, uint8_t *fidi,
              struct err *e);

/* Bits per second at this clock, rounded down; 0 for RFU. */
uint32_t pps_bps(uint8_t fidi, uint32_t clock_khz);

#endif
