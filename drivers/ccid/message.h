/* ccid/message: bulk and interrupt messages (USB CCID 1.10, clause 6). Pure.
 * Answers are untrusted. */
#ifndef LINESIDE_DRIVERS_CCID_MESSAGE_H
#define LINESIDE_DRIVERS_CCID_MESSAGE_H

#include "drivers/ccid/descriptor.h"
#include "station/base/err.h"
#include "station/base/span.h"

/* Of ours only short APDUs, TPDUs and blocks go out and come back: nothing is
 * longer, whatever a reader could do. */
#define CCID_DATA_MAX CCID_APDU_MAX
#define CCID_MESSAGE_MAX (CCID_HEADER + CCID_DATA_MAX)

enum ccid_type { /* PC_to_RDR_, RDR_to_PC_ */
    CCID_SET_PARAMETERS = 0x61,
    CCID_POWER_ON = 0x62,
    CCID_POWER_OFF = 0x63,
    CCID_GET_SLOT_STATUS = 0x65,
    CCID_GET_PARAMETERS = 0x6C,
    CCID_XFR_BLOCK = 0x6F,
    CCID_ABORT = 0x72,
    CCID_SET_RATE = 0x73,
    CCID_DATA_BLOCK = 0x80,
    CCID_SLOT_STATUS = 0x81,
    CCID_PARAMETERS = 0x82,
    CCID_RATE = 0x84
};

struct ccid_command {
    uint8_t type, slot, seq;
    uint8_t own[3]; /* the three octets that each type has for itself */
    struct span data;
};

/* out has room for CCID_MESSAGE_MAX; returns the message's length, 0 when the
 * data is too long. */
size_t ccid_message_encode(const struct ccid_command *c, uint8_t *out);
/* What answers this command. */
uint8_t ccid_message_answer_type(uint8_t command_type);

enum ccid_icc { CCID_ICC_ACTIVE, CCID_ICC_INACTIVE, CCID_ICC_ABSENT };
enum ccid_status { CCID_OK, CCID_FAILED, CCID_MORE_TIME };

enum ccid_error { /* table 6.2-2; others are numbers to us */
    CCID_ERROR_UNSUPPORTED = 0x00,
    CCID_ERROR_BUSY = 0xE0,
    CCID_ERROR_OVERRUN = 0xFC,
    CCID_ERROR_PARITY = 0xFD,
    CCID_ERROR_MUTE = 0xFE
};

struct ccid_answer {
    uint8_t type, slot, seq;
    enum ccid_icc icc;
    enum ccid_status status;
    uint8_t error; /* FAILED: why; MORE_TIME: how many times BWT or WT */
    uint8_t own;   /* bChainParameter, bProtocolNum, bClockStatus */
    struct span data; /* in what was decoded */
};

/* One transfer is one message. ERR_FORMAT; type, slot and seq are then set
 * when there were so many octets, and 0 otherwise, so that it can still be
 * told whose answer that was. */
int ccid_message_decode(struct span in, struct ccid_answer *out, struct err *e);

/* "the card does not answer" */
const char *ccid_error_text(uint8_t error);

/* NotifySlotChange: two bits a slot, present and changed. False: another
 * message, or none. */
bool ccid_message_slots(struct span in, unsigned slots, struct span *bits);

#endif
