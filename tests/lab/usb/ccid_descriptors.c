/* What the reader says it is (USB 2.0, 9.6; CCID 1.10, 5.1). */
#include "tests/lab/usb/ccid_slot.h"

#define FULL_SPEED 2
#define SHORT_MESSAGE 271   /* 261 octets of command and the header */
#define EXTENDED_MESSAGE 65544
#define RATES_MAX 255

bool ccid_is_apdu_level(const struct ccid_model_options *o)
{
    return o->level == CCID_SHORT_APDU || o->level == CCID_EXTENDED_APDU;
}

void ccid_options_fill(struct ccid_model_options *o)
{
    if (!o->slots)
        o->slots = 1;
    if (!o->busy_slots)
        o->busy_slots = o->slots;
    if (!o->message_max)
        o->message_max = o->level == CCID_EXTENDED_APDU ? EXTENDED_MESSAGE
                                                        : SHORT_MESSAGE;
    if (!o->clock_khz)
        o->clock_khz = 4000;
    if (!o->data_rate_max)
        o->data_rate_max = link_fidi_rate(0x97, o->clock_khz);
    if (!o->voltage)
        o->voltage = 7;
    if (!o->vendor)
        o->vendor = 0x1209;
    if (!o->product)
        o->product = 0x5191;
    o->automatic |= ccid_is_apdu_level(o);
}

size_t ccid_rates(const struct ccid_model_options *o, uint32_t *out,
                  size_t most)
{
    uint32_t least = link_fidi_rate(LINK_FIDI_DEFAULT, o->clock_khz);
    size_t n = 0;

    for (unsigned ta1 = 0; ta1 < 256; ta1++) {
        uint32_t rate = link_fidi_rate((uint8_t)ta1, o->clock_khz);
        size_t at = 0;

        if (rate < least || rate > o->data_rate_max)
            continue;
        while (at < n && out[at] < rate)
            at++;
        if ((at < n && out[at] == rate) || n == most)
            continue;
        for (size_t i = n++; i > at; i--)
            out[i] = out[i - 1];
        out[at] = rate;
    }
    return n;
}

static uint32_t features(const struct ccid_model_options *o)
{
    static const uint32_t levels[] = { 0, CCID_LEVEL_TPDU, CCID_LEVEL_SHORT,
                                       CCID_LEVEL_EXTENDED };
    uint32_t f = levels[o->level] | CCID_AUTO_CLOCK | CCID_AUTO_RATE;

    if (o->automatic)
        f |= CCID_AUTO_ATR | CCID_AUTO_VOLTAGE | CCID_AUTO_NEGOTIATION |
             CCID_AUTO_IFSD;
    return f;
}

static void le16(struct buf *b, uint16_t v)
{
    buf_put_u8(b, (uint8_t)v);
    buf_put_u8(b, (uint8_t)(v >> 8));
}

static void le32(struct buf *b, uint32_t v)
{
    le16(b, (uint16_t)v);
    le16(b, (uint16_t)(v >> 16));
}

static void class_descriptor(struct buf *b, const struct ccid_model_options *o)
{
    uint32_t rates[RATES_MAX];
    uint8_t echo = ccid_is_apdu_level(o) ? 0xFF : 0;

    buf_put_u8(b, 54);
    buf_put_u8(b, 0x21);
    le16(b, 0x0110);
    buf_put_u8(b, (uint8_t)(o->slots - 1));
    buf_put_u8(b, o->voltage);
    le32(b, 3); /* T=0 and T=1 */
    le32(b, o->clock_khz);
    le32(b, o->clock_khz);
    buf_put_u8(b, 1);
    le32(b, link_fidi_rate(LINK_FIDI_DEFAULT, o->clock_khz));
    le32(b, o->data_rate_max);
    buf_put_u8(b, (uint8_t)ccid_rates(o, rates, RATES_MAX));
    le32(b, T1_IFS_TOP);
    le32(b, 0); /* synchronous protocols */
    le32(b, 0); /* mechanical */
    le32(b, features(o));
    le32(b, o->message_max);
    buf_put_u8(b, echo); /* bClassGetResponse */
    buf_put_u8(b, echo); /* bClassEnvelope    */
    le16(b, 0); /* display */
    buf_put_u8(b, 0); /* PIN */
    buf_put_u8(b, (uint8_t)o->busy_slots);
}

static void endpoint(struct buf *b, uint8_t address, uint8_t attributes,
                     uint16_t packet, uint8_t interval)
{
    buf_put_u8(b, 7);
    buf_put_u8(b, 5);
    buf_put_u8(b, address);
    buf_put_u8(b, attributes);
    le16(b, packet);
    buf_put_u8(b, interval);
}

static void interface(struct buf *b, const struct ccid_model_options *o)
{
    buf_put_u8(b, 9);
    buf_put_u8(b, 4);
    buf_put_u8(b, 0);
    buf_put_u8(b, 0);
    buf_put_u8(b, o->no_interrupt ? 2 : 3);
    buf_put_u8(b, 0x0B);
    buf_put_u8(b, 0);
    buf_put_u8(b, 0);
    buf_put_u8(b, 0);
    if (!o->extra_after_endpoint)
        class_descriptor(b, o);
    endpoint(b, CCID_OUT, 2, CCID_PACKET, 0);
    endpoint(b, CCID_IN, 2, CCID_PACKET, 0);
    if (!o->no_interrupt)
        endpoint(b, CCID_INTERRUPT, 3, 8, 24);
    if (o->extra_after_endpoint)
        class_descriptor(b, o);
}

void ccid_descriptors_put(struct lab_usb_device *d,
                          const struct ccid_model_options *o)
{
    struct buf *b = &d->device;

    buf_put_u8(b, 18);
    buf_put_u8(b, 1);
    le16(b, 0x0200);
    buf_put(b, "\0\0\0\100", 4); /* class of the interface; packets of 64 */
    le16(b, o->vendor);
    le16(b, o->product);
    le16(b, 0x0100);
    buf_put_u8(b, 1);
    buf_put_u8(b, 2);
    buf_put_u8(b, o->serial ? 3 : 0);
    buf_put_u8(b, 1);

    b = &d->config;
    buf_put_u8(b, 9);
    buf_put_u8(b, 2);
    le16(b, 0); /* wTotalLength, below */
    buf_put_u8(b, 1);
    buf_put_u8(b, 1);
    buf_put_u8(b, 0);
    buf_put_u8(b, 0x80);
    buf_put_u8(b, 50);
    interface(b, o);
    if (buf_ok(b)) {
        b->p[2] = (uint8_t)b->n;
        b->p[3] = (uint8_t)(b->n >> 8);
    }
    d->strings[1] = "Lineside lab";
    d->strings[2] = "CCID reader";
    d->strings[3] = o->serial;
    d->speed = FULL_SPEED;
}
