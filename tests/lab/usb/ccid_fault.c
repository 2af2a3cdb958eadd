#include "tests/lab/usb/ccid_slot.h"

static const char *const names[CCID_FAULTS] = {
    [CCID_FAULT_NONE] = "none",
    [CCID_FAULT_WRONG_SEQ] = "wrong-seq",
    [CCID_FAULT_STALE] = "stale",
    [CCID_FAULT_WRONG_SLOT] = "wrong-slot",
    [CCID_FAULT_WRONG_TYPE] = "wrong-type",
    [CCID_FAULT_LONG_LENGTH] = "long-length",
    [CCID_FAULT_SHORT_LENGTH] = "short-length",
    [CCID_FAULT_TRUNCATED] = "truncated",
    [CCID_FAULT_TOO_LONG] = "too-long",
    [CCID_FAULT_LATE] = "late",
    [CCID_FAULT_TIME_FOREVER] = "time-forever",
    [CCID_FAULT_MUTE] = "mute",
    [CCID_FAULT_HW_ERROR] = "hw-error",
    [CCID_FAULT_SILENT] = "silent",
    [CCID_FAULT_LOST_BLOCK] = "lost-block",
    [CCID_FAULT_LOST_ANSWER] = "lost-answer",
    [CCID_FAULT_FLIPPED_BIT] = "flipped-bit",
    [CCID_FAULT_FLIPPED_OUT] = "flipped-out",
    [CCID_FAULT_BAD_LRC] = "bad-lrc",
    [CCID_FAULT_CARD_PULLED] = "card-pulled",
};

const char *ccid_fault_name(enum ccid_fault f)
{
    return (unsigned)f < CCID_FAULTS ? names[f] : "?";
}

uint64_t ccid_mix(uint64_t seed)
{
    seed += UINT64_C(0x9E3779B97F4A7C15);
    seed = (seed ^ seed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    seed = (seed ^ seed >> 27) * UINT64_C(0x94D049BB133111EB);
    return seed ^ seed >> 31;
}

static uint32_t length_of(const struct buf *b)
{
    return b->p[1] | (uint32_t)b->p[2] << 8 | (uint32_t)b->p[3] << 16 |
           (uint32_t)b->p[4] << 24;
}

static void set_length(struct buf *b, uint32_t n)
{
    for (int i = 0; i < 4; i++)
        b->p[1 + i] = (uint8_t)(n >> 8 * i);
}

static void lengthen(struct buf *b, size_t n)
{
    while (b->n < n)
        buf_put_u8(b, 0xA5);
}

void ccid_fault_mangle(enum ccid_fault f, uint64_t seed, size_t message_max,
                       struct buf *b)
{
    uint64_t x = ccid_mix(seed);

    switch (f) {
    case CCID_FAULT_WRONG_SEQ:
        b->p[6] = (uint8_t)(b->p[6] + 1 + x % 255);
        break;
    case CCID_FAULT_WRONG_SLOT:
        b->p[5] = (uint8_t)(b->p[5] + 1 + x % 255);
        break;
    case CCID_FAULT_WRONG_TYPE:
        b->p[0] = (uint8_t)(b->p[0] + 1 + x % 255);
        break;
    case CCID_FAULT_LONG_LENGTH:
        set_length(b, length_of(b) + 1 + (uint32_t)(x % 4096));
        break;
    case CCID_FAULT_SHORT_LENGTH:
        if (b->n == CCID_HEADER)
            lengthen(b, CCID_HEADER + 1);
        set_length(b, (uint32_t)(x % (b->n - CCID_HEADER)));
        break;
    case CCID_FAULT_TRUNCATED:
        b->n = 1 + x % (CCID_HEADER - 1);
        break;
    case CCID_FAULT_TOO_LONG:
        lengthen(b, message_max + 1 + x % 64);
        set_length(b, (uint32_t)(b->n - CCID_HEADER));
        break;
    default:
        break;
    }
}
