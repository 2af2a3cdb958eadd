/* ccid/link: a card in a slot, from its reset to APDUs: what the reader's
 * exchange level leaves to the host is done here, with drivers/iso7816. */
#ifndef LINESIDE_DRIVERS_CCID_LINK_H
#define LINESIDE_DRIVERS_CCID_LINK_H

#include "drivers/ccid/reader.h"
#include "drivers/iso7816/pps.h"
#include "drivers/iso7816/t1.h"
#include "drivers/iso7816/timing.h"

struct ccid_link {
    struct ccid_reader *reader; /* borrowed */
    unsigned slot, epoch;
    const struct ccid_profile *profile;
    struct atr atr;
    uint8_t protocol;
    uint8_t fidi;     /* in force; 0: the reader's own affair */
    struct pps_plan plan;
    bool governed;    /* we chose that speed, and could choose a slower one */
    struct timing timing;
    struct t1 t1;
    unsigned faults;  /* that showed on the line since the reset */
};

/* One command of the reader's own. limit: clock_monotonic_ms. */
int ccid_link_ask(struct ccid_link *l, uint8_t type, uint8_t own,
                  struct span data, int wait_ms, int64_t limit,
                  struct ccid_answer *a, struct err *e);
/* Octets to the card, octets back; bwi: T=1, times BWT. */
int ccid_link_block(struct ccid_link *l, struct span out, uint8_t bwi,
                    uint16_t level, int wait_ms, int64_t limit,
                    struct ccid_answer *a, struct err *e);
/* What a refusal means for the unit, by fixture.h. -1. */
int ccid_link_refused(struct ccid_link *l, const struct ccid_answer *a,
                      struct err *e);
/* T=1 at TPDU level: S(IFS) first, which shows whether the speed works. */
int ccid_link_open_t1(struct ccid_link *l, int64_t limit, struct err *e);

/* *rsp is replaced. Any failure leaves the card's state unknown. */
int ccid_link_transmit(struct ccid_link *l, struct span apdu, struct buf *rsp,
                       int64_t limit, struct err *e);

/* --- power.c ------------------------------------------------------------------- */

enum ccid_power {
    CCID_POWER_GOOD,
    CCID_POWER_SLOWER, /* the chosen speed does not work; try a slower one */
    CCID_POWER_PLAIN,  /* the card does not do PPS; try without            */
    CCID_POWER_BAD     /* e says why */
};
/* Cold reset, protocol and speed: not above ceiling (bit/s, 0: none), plain:
 * not above the default. *atr is replaced by what the card said, when it said
 * something. */
enum ccid_power ccid_link_power_on(struct ccid_link *l, uint32_t ceiling,
                                   bool plain, struct buf *atr, int64_t limit,
                                   struct err *e);
void ccid_link_power_off(struct ccid_link *l, int64_t limit);
/* The next slower speed than the one that was chosen. False: there is none,
 * or the reader chooses for itself. */
bool ccid_link_slower(const struct ccid_link *l, uint32_t ceiling,
                      struct pps_plan *out);

#endif
