#include "drivers/ccid/message.h"

#include <string.h>

#define NOTIFY_SLOT_CHANGE 0x50

size_t ccid_message_encode(const struct ccid_command *c, uint8_t *out)
{
    if (c->data.n > CCID_DATA_MAX)
        return 0;
    out[0] = c->type;
    out[1] = (uint8_t)c->data.n;
    out[2] = (uint8_t)(c->data.n >> 8);
    out[3] = 0;
    out[4] = 0;
    out[5] = c->slot;
    out[6] = c->seq;
    memcpy(out + 7, c->own, 3);
    if (c->data.n)
        memcpy(out + CCID_HEADER, c->data.p, c->data.n);
    return CCID_HEADER + c->data.n;
}

uint8_t ccid_message_answer_type(uint8_t command_type)
{
    switch (command_type) {
    case CCID_POWER_ON:
    case CCID_XFR_BLOCK:
        return CCID_DATA_BLOCK;
    case CCID_GET_PARAMETERS:
    case CCID_SET_PARAMETERS:
        return CCID_PARAMETERS;
    case CCID_SET_RATE:
        return CCID_RATE;
    default:
        return CCID_SLOT_STATUS;
    }
}

int ccid_message_decode(struct span in, struct ccid_answer *out, struct err *e)
{
    *out = (struct ccid_answer){ .type = 0 };
    if (in.n >= 7) {
        out->type = in.p[0];
        out->slot = in.p[5];
        out->seq = in.p[6];
    }
    if (in.n < CCID_HEADER)
        return err_set(e, ERR_FORMAT,
                       "the reader answered %zu octets, less than a message "
                       "has; replace it if that happens again",
                       in.n);
    uint32_t said = (uint32_t)in.p[4] << 24 | (uint32_t)in.p[3] << 16 |
                    (uint32_t)in.p[2] << 8 | in.p[1];
    if (said != in.n - CCID_HEADER)
        return err_set(e, ERR_FORMAT,
                       "the reader announced %lu octets of data and sent %zu; "
                       "replace it if that happens again",
                       (unsigned long)said, in.n - CCID_HEADER);
    if (in.n > CCID_MESSAGE_MAX)
        return err_set(e, ERR_FORMAT,
                       "the reader sent %zu octets of data, more than any "
                       "answer has; replace it if that happens again",
                       in.n - CCID_HEADER);
    uint8_t icc = in.p[7] & 3, status = in.p[7] >> 6;
    if (icc > CCID_ICC_ABSENT || status > CCID_MORE_TIME)
        return err_set(e, ERR_FORMAT,
                       "the reader answered with status %02X, which does not "
                       "exist; replace it if that happens again",
                       in.p[7]);
    out->icc = (enum ccid_icc)icc;
    out->status = (enum ccid_status)status;
    out->error = in.p[8];
    out->own = in.p[9];
    out->data = SPAN(in.p + CCID_HEADER, in.n - CCID_HEADER);
    return 0;
}

const char *ccid_error_text(uint8_t error)
{
    switch (error) {
    case 0xFF:
        return "the command was aborted";
    case CCID_ERROR_MUTE:
        return "the card does not answer";
    case CCID_ERROR_PARITY:
        return "octets from the card came damaged (parity)";
    case CCID_ERROR_OVERRUN:
        return "the card sent more than the reader could take";
    case 0xFB:
        return "the reader's hardware failed (a short circuit, perhaps)";
    case 0xF8:
        return "the answer to reset begins wrongly";
    case 0xF7:
        return "the answer to reset has a wrong check octet";
    case 0xF6:
        return "the card's protocol is none of the reader's";
    case 0xF5:
        return "the card's voltage is none of the reader's";
    case 0xF4:
        return "the card sent a wrong procedure octet";
    case 0xF3:
        return "the protocol is switched off";
    case 0xF2:
        return "the reader is busy with a sequence of its own";
    case CCID_ERROR_BUSY:
        return "the slot is busy with another command";
    case CCID_ERROR_UNSUPPORTED:
        return "the reader does not know this command";
    default:
        return error < 0x80 ? "the reader refuses a field of the command"
                            : "the reader reports an error of its own";
    }
}

bool ccid_message_slots(struct span in, unsigned slots, struct span *bits)
{
    size_t n = (slots + 3) / 4;

    if (in.n < 1 + n || in.p[0] != NOTIFY_SLOT_CHANGE)
        return false;
    *bits = SPAN(in.p + 1, n);
    return true;
}
