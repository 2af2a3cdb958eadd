/* drivers/iso7816: what ISO/IEC 7816-3:2006 says a card with contacts does on
 * its line. Pure: octets in, octets out; no reader, no clock.
 *
 * atr: the answer to reset. Untrusted, 2 to 33 octets.
 *
 * Refused is what leaves no way to talk to the card: octets that contradict
 * their own structure, a check octet that shows a damaged answer, no protocol
 * that can be used. A value reserved for future use (RFU) that has a safe
 * reading is no refusal: the reading is used and the oddity reported, because
 * such cards are in use. A protocol whose own parameters have no such reading
 * is not offered; the card is refused when no other is left. Octets after the
 * end are refused (8.2.1), but for a right TCK that was not due. */
#ifndef LINESIDE_DRIVERS_ISO7816_ATR_H
#define LINESIDE_DRIVERS_ISO7816_ATR_H

#include "station/base/err.h"
#include "station/base/span.h"

#define ATR_MAX 33
#define ATR_FIDI_DEFAULT 0x11 /* Fd 372, Dd 1: 8.3, TA1 absent */
#define ATR_WI_DEFAULT 10     /* 10.2 */
#define ATR_IFSC_DEFAULT 32   /* 11.4.2 */
#define ATR_BWI_DEFAULT 4     /* 11.4.3 */
#define ATR_CWI_DEFAULT 13    /* 11.4.3 */
#define ATR_GUARD_LEAST 255   /* TC1: the least guard time, 8.3 */

#define ATR_T0 (1u << 0)
#define ATR_T1 (1u << 1)

enum atr_verdict {
    ATR_GOOD,
    ATR_EMPTY,       /* fewer than two octets                              */
    ATR_TOO_LONG,    /* more than 33: 8.2.1                                */
    ATR_BAD_TS,      /* neither 3B nor 3F: 8.1                             */
    ATR_CUT,         /* ends before what T0 and the TDi announce           */
    ATR_NO_TCK,      /* ends before TCK, which T other than 0 makes due    */
    ATR_BAD_TCK,     /* T0 to TCK do not add up to zero: damaged           */
    ATR_TRAILING,    /* octets after the end                               */
    ATR_T15_ALONE,   /* TD1 says T=15, which is no protocol: 8.2.3         */
    ATR_NO_PROTOCOL, /* offers neither T=0 nor T=1                         */
    ATR_BAD_TA2,     /* specific mode with parameters nobody can know      */
    ATR_BAD_WI,      /* T=0 alone, and TC2 is 00 (RFU)                     */
    ATR_BAD_IFSC,    /* T=1 alone, and its block size is 00 (RFU)          */
    ATR_BAD_BWI,     /* T=1 alone, and its BWI is beyond 9 (RFU)           */
    ATR_VERDICTS
};

/* What is not as it should be, and does not matter. Bits of struct atr. */
enum atr_oddity {
    ATR_ODD_TA1 = 1 << 0,   /* Fi or Di is RFU: default speed only         */
    ATR_ODD_TCK = 1 << 1,   /* TCK although only T=0 is offered            */
    ATR_ODD_ORDER = 1 << 2, /* protocols not in ascending order            */
    ATR_ODD_T0 = 1 << 3,    /* T=0 is not usable: its WI is RFU            */
    ATR_ODD_T1 = 1 << 4,    /* T=1 is not usable: its parameters are RFU   */
    ATR_ODD_EDC = 1 << 5,   /* T=1: RFU bits in TC; bit 1 alone was read   */
    ATR_ODD_IFSC = 1 << 6   /* T=1: IFSC is FF (RFU); 32 is used, which
                               every such card takes                       */
};

struct atr {
    uint8_t octets[ATR_MAX];
    uint8_t n;
    bool inverse;           /* TS 3F */
    uint8_t protocols;      /* usable ones: ATR_T0, ATR_T1                 */
    uint8_t first;          /* the first one offered, in force without PPS
                               (in specific mode: the one in force)        */
    uint8_t fidi;           /* TA1, or 11 when absent or RFU               */
    uint8_t guard;          /* TC1: N of the extra guard time; 255 special */
    bool specific;          /* TA2: no PPS; `first` and `fidi` are in force */
    bool can_change;        /* ... but a warm reset may lead to PPS        */
    uint8_t wi;             /* T=0: TC2                                    */
    uint8_t ifsc;           /* T=1 */
    uint8_t bwi, cwi;       /* T=1 */
    bool crc;               /* T=1: CRC, else LRC                          */
    bool has_t15;           /* T=15 present: decides R of the guard time   */
    uint8_t classes;        /* T=15: bits 1 A, 2 B, 4 C; 1 when absent     */
    uint8_t clock_stop;     /* T=15: 0 none, 1 low, 2 high, 3 either       */
    uint8_t historical_at, historical_n; /* in octets                      */
    unsigned oddities;      /* enum atr_oddity */
};

/* *out is untouched unless ATR_GOOD. */
enum atr_verdict atr_judge(struct span in, struct atr *out);
/* "TCK is wrong: the answer to reset was damaged" */
const char *atr_verdict_text(enum atr_verdict v);

/* As atr_judge, with a sentence that says what to do. ERR_FORMAT. */
int atr_parse(struct span in, struct atr *out, struct err *e);

struct span atr_historical(const struct atr *a);

/* Table 7 and 8. 0: RFU. */
uint16_t atr_f(uint8_t fidi);
uint8_t atr_d(uint8_t fidi);
uint16_t atr_fmax_khz(uint8_t fidi); /* highest clock for this Fi */

#endif
