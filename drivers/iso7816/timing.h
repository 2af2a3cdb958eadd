/* iso7816/timing: how long a card may take (ISO/IEC 7816-3:2006, 8.3, 10.2,
 * 11.4.3). What a host waits for is derived from this: a card that stays
 * within its rights is never cut off, one that does not is noticed.
 *
 * Milliseconds are rounded up and never exceed INT_MAX. A reader adds its own
 * and USB's time. */
#ifndef LINESIDE_DRIVERS_ISO7816_TIMING_H
#define LINESIDE_DRIVERS_ISO7816_TIMING_H

#include "drivers/iso7816/atr.h"

struct timing {
    uint8_t protocol;   /* 0 or 1 */
    uint64_t etu_ns;    /* elementary time unit                             */
    uint64_t guard_ns;  /* between the starts of two octets to the card     */
    uint64_t wt_ns;     /* T=0: longest between the starts of two octets    */
    uint64_t bwt_ns;    /* T=1: longest until the answering block starts    */
    uint64_t cwt_ns;    /* T=1: longest between octets of one block         */
    uint64_t bgt_ns;    /* T=1: shortest between blocks                     */
};

/* For the protocol and speed in force. A clock below 1 MHz, which no card
 * need accept, counts as 1 MHz. */
void timing_set(struct timing *out, const struct atr *a, uint8_t protocol,
                uint8_t fidi, uint32_t clock_khz);

/* One TPDU over T=0: n octets of command data, at most m of response data,
 * every one as late as WT allows. Without NULLs: those come as requests for
 * more time, one at a time. */
int timing_t0_ms(const struct timing *t, size_t n, size_t m);

/* One T=1 block of n octets out and one of at most m octets back (prologue
 * and epilogue included). wtx: the multiple of BWT granted, 0 or 1: none. */
int timing_t1_ms(const struct timing *t, size_t n, size_t m, unsigned wtx);

/* A request for more time: that many times WT or BWT. A multiplier is one
 * octet: 0 counts as 1, more than 255 as 255. */
int timing_extension_ms(const struct timing *t, unsigned times);

/* Answer to reset, all 33 octets, at the default speed; PPS likewise. */
int timing_atr_ms(uint32_t clock_khz);
int timing_pps_ms(uint32_t clock_khz);

#endif
