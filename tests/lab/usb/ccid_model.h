/* lab/usb/ccid_model.h: a CCID 1.10 smart-card reader on the emulated bus:
 * any exchange level, 1 to 8 slots, its cards behind real T=0 and T=1 link
 * protocols with real timing. What a card in a slot answers comes from a
 * fixture (drivers/fixture.h): the software eUICC, a puppet, a bench's
 * troupe. Its T=1 and T=0 are its own: nothing is shared with drivers/.
 *
 * How long what takes is in link_line.h. A card that has refused a PPS is
 * mute until its next reset (7816-3, clause 9). Reader and card that do not
 * mean the same speed, protocol or EDC do not hear each other; a reader then
 * waits as long as it must (no time at speed_percent 0) and says ICC_MUTE.
 *
 * An automatic reader does PPS and S(IFS) at power on, with the card's first
 * protocol. SetParameters with another protocol or speed resets the card and
 * negotiates anew, as long as it has had no command; later it is refused
 * (bError 10). At APDU level with T=0 it fetches the answer of a case 4
 * command with GET RESPONSE, and sends a case 2 command again after 6Cxx
 * (7816-3, 12.2); what then still says 61xx goes up. */
#ifndef LINESIDE_LAB_USB_CCID_MODEL_H
#define LINESIDE_LAB_USB_CCID_MODEL_H

#include "drivers/fixture.h"
#include "tests/lab/usb/model.h"

enum ccid_level { CCID_CHARACTER, CCID_TPDU, CCID_SHORT_APDU, CCID_EXTENDED_APDU };

struct ccid_model_options {
    enum ccid_level level;
    unsigned slots;      /* 0: 1 */
    unsigned busy_slots; /* bMaxCCIDBusySlots; 0: as many as slots */
    bool no_interrupt;   /* no interrupt endpoint: slots must be polled */
    bool automatic;      /* the reader does ATR parameters, PPS, IFSD itself
                            (always so at APDU level); else the host must  */
    uint32_t message_max;  /* dwMaxCCIDMessageLength; 0: 271, extended 65544 */
    uint32_t clock_khz;    /* default and maximum clock; 0: 4000           */
    uint32_t data_rate_max; /* bps; 0: what TA1=97 gives at that clock     */
    unsigned speed_percent; /* protocol time: 100 as a real card at that
                               clock and Fi/Di, 200 twice as long, 0: none
                               passes. A chip's think_ms is always real   */
    uint8_t voltage;     /* bVoltageSupport; 0: 7 */
    uint16_t vendor, product; /* 0: 0x1209, 0x5191 */
    const char *serial;  /* string; NULL: none */
    bool extra_after_endpoint; /* class descriptor after the last endpoint */
};
int ccid_model_new(const struct ccid_model_options *o,
                   struct lab_usb_device **out, struct err *e);

/* A card's link side. All zero: T=0 and T=1 offered, T=0 first, TA1=96,
 * IFSC 254, LRC, BWI 4, CWI 0 (T=1's character waiting), WI 10. */
struct ccid_card {
    bool no_t0, no_t1;   /* offered protocols; at least one             */
    bool t1_first;
    uint8_t ta1;         /* 0: 0x96; 0x11: no TA1 in the ATR            */
    bool refuse_pps;     /* answers no PPS (stays at the default speed) */
    uint8_t ifsc;        /* 0: 254 */
    bool crc;            /* T=1 with CRC instead of LRC */
    uint8_t guard;       /* TC1 */
    uint8_t bwi_cwi;     /* TB3; 0: 0x40 */
    uint8_t wi;          /* TC2; 0: 10  */
    unsigned wtx_every;  /* T=1: asks S(WTX) before every n-th answer; T=0:
                            sends NULLs; 0: only when the chip takes longer
                            than its waiting time */
    bool one_by_one;     /* T=0: ~INS, every data octet asked for alone */
    unsigned ifs_every;  /* T=1: S(IFS) before every n-th answer: half the
                            IFSC, then all of it again, and so on */
    unsigned works_at;   /* errors show at any Fi/Di faster than this TA1
                            (0: none), so that a host must step down: in about
                            every second exchange, the same ones each time.
                            T=1: a flipped bit in the card's block; T=0:
                            XFR_PARITY_ERROR, and the card has not had the
                            command */
    unsigned think_ms;   /* the chip needs that long for each command APDU */
    struct buf atr;      /* not empty: these octets, whatever they are */
};
/* card: borrowed until removed. NULL options: all zero. */
int ccid_model_insert(struct lab_usb_device *d, unsigned slot,
                      struct fixture *card, const struct ccid_card *o,
                      struct err *e);
void ccid_model_remove(struct lab_usb_device *d, unsigned slot);

/* Faults of the reader and of the link; those of the bus are in bus.h. */
enum ccid_fault {
    CCID_FAULT_NONE,
    CCID_FAULT_WRONG_SEQ,      /* an answer bears another bSeq            */
    CCID_FAULT_STALE,          /* the previous answer again, before the right one */
    CCID_FAULT_WRONG_SLOT,
    CCID_FAULT_WRONG_TYPE,
    CCID_FAULT_LONG_LENGTH,    /* dwLength says more than comes           */
    CCID_FAULT_SHORT_LENGTH,   /* ... less                                */
    CCID_FAULT_TRUNCATED,      /* fewer than ten octets                   */
    CCID_FAULT_TOO_LONG,       /* a message longer than announced maximum */
    CCID_FAULT_LATE,           /* the answer comes after the host's deadline:
                                  just before the next message's, or with a
                                  request to abort */
    CCID_FAULT_TIME_FOREVER,   /* requests for more time without end, 100 a
                                  second, for every XfrBlock until a USB reset;
                                  an abort ends one */
    CCID_FAULT_MUTE,           /* ICC mute, as a status                   */
    CCID_FAULT_HW_ERROR,
    CCID_FAULT_SILENT,         /* no answers any more until reset         */
    CCID_FAULT_LOST_BLOCK,     /* T=1: a block from the host is lost      */
    CCID_FAULT_LOST_ANSWER,    /* T=1: a block from the card is lost      */
    CCID_FAULT_FLIPPED_BIT,    /* in a block from the card (LRC/CRC/parity) */
    CCID_FAULT_FLIPPED_OUT,    /* in a block from the host                */
    CCID_FAULT_BAD_LRC,
    CCID_FAULT_CARD_PULLED,    /* the card leaves the slot                */
    CCID_FAULTS
};
const char *ccid_fault_name(enum ccid_fault f);
/* At the at-th message from the host from now (1 on), once; TIME_FOREVER and
 * SILENT from there on, until a USB reset. STALE waits until there is an answer
 * to repeat. Faults of T=1 blocks hit the first block of that message, at APDU
 * level as well (the reader then mends it); they do nothing with T=0. NONE
 * takes back what has not fired, and ends TIME_FOREVER and SILENT. */
void ccid_model_fault(struct lab_usb_device *d, enum ccid_fault f, unsigned at,
                      uint64_t seed);
bool ccid_model_fault_fired(const struct lab_usb_device *d);

/* What it has seen, for tests. */
struct ccid_model_counters {
    uint64_t messages;     /* from the host                                */
    uint64_t apdus;        /* whole commands that reached a chip           */
    uint64_t octets_out, octets_in; /* on the card's line, with overhead   */
    uint64_t etu;          /* of line time, in units of the moment         */
    uint64_t line_ns;      /* the same in nanoseconds at speed 100         */
    uint64_t pps, wtx, ifs, resynch, power_ons, nulls;
    uint8_t fidi;          /* TA1 in force in slot 0                       */
};
void ccid_model_counters(struct lab_usb_device *d, struct ccid_model_counters *out);

#endif
