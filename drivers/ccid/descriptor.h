/* ccid/descriptor: what one interface of a device says of itself, judged: how
 * the station uses it, or why not. By descriptors alone, never by a list of
 * names (USB CCID 1.10, clauses 4 and 5.1). */
#ifndef LINESIDE_DRIVERS_CCID_DESCRIPTOR_H
#define LINESIDE_DRIVERS_CCID_DESCRIPTOR_H

#include "drivers/usb/usb.h"

#define CCID_HEADER 10           /* of every bulk message               */
#define CCID_APDU_MAX 261        /* short: header, Lc, 255 octets, Le   */
#define CCID_SLOTS_OF_READER 16  /* more is nothing that exists         */
#define CCID_MESSAGE_LIMIT 65554 /* header and the longest extended APDU */
#define CCID_NOTES_MAX 191

enum ccid_exchange {
    CCID_EXCHANGE_TPDU,    /* the host speaks T=0 or T=1 */
    CCID_EXCHANGE_SHORT,   /* short APDUs                */
    CCID_EXCHANGE_EXTENDED /* APDUs in one or more parts */
};

/* dwFeatures, clause 5.1. */
enum ccid_feature {
    CCID_AUTO_PARAMETERS = 0x02, /* set from the ATR                     */
    CCID_AUTO_ACTIVATION = 0x04,
    CCID_AUTO_VOLTAGE = 0x08,
    CCID_AUTO_CLOCK = 0x10,       /* follows the parameters               */
    CCID_AUTO_RATE = 0x20,        /* follows the parameters               */
    CCID_AUTO_NEGOTIATION = 0x40, /* the reader chooses and does all      */
    CCID_AUTO_PPS = 0x80,         /* PPS follows SetParameters            */
    CCID_AUTO_IFSD = 0x400        /* S(IFS) first, by the reader          */
};

enum ccid_voltage { CCID_5V = 1, CCID_3V = 2, CCID_1V8 = 4 };

struct ccid_profile {
    uint8_t interface;
    uint8_t bulk_in, bulk_out, interrupt; /* interrupt 0: slots are polled */
    uint16_t in_packet, out_packet, interrupt_packet;
    unsigned slots, busy_slots; /* busy_slots: commands at once, 1 or more */
    uint8_t voltages;           /* enum ccid_voltage; 0: the reader's own affair */
    bool t0, t1;                /* usable, not only offered */
    enum ccid_exchange level;
    uint32_t features;
    size_t message_max;   /* one message, header included */
    unsigned ifsd;        /* T=1 at TPDU level: what we announce; 32 to 254 */
    uint32_t clock_khz;   /* 0: not to be believed */
    uint32_t rate_max;    /* bit/s; 0: not said    */
    uint8_t fidi_max;     /* fastest TA1 at that clock and rate; 0: the
                             reader's own affair */
    uint32_t speed;       /* ... in bit/s */
    char notes[CCID_NOTES_MAX + 1]; /* what a person may wonder at */
};

/* Is it a card reader at all? Class 0Bh; or a vendor's own class with a
 * complete CCID class descriptor, as early readers have. */
bool ccid_descriptor_is_reader(const struct usb_interface *i);

/* -1: refused; e says why and what to do. *out is untouched then. */
int ccid_descriptor_judge(const struct usb_interface *i,
                          struct ccid_profile *out, struct err *e);

/* "short APDUs, T=0 and T=1, up to 344086 bit/s (TA1=95), 1 slot" */
char *ccid_descriptor_text(const struct ccid_profile *p, char *out, size_t cap);
const char *ccid_exchange_text(enum ccid_exchange x);

#endif
