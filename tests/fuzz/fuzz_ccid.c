/* What a card reader says: its descriptors (first octet even), its answers
 * (odd). Whatever is judged usable keeps within the protocols' bounds. */
#include "drivers/ccid/descriptor.h"
#include "drivers/ccid/message.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ENDPOINTS 4
#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static uint8_t take(struct span *in)
{
    uint8_t v = in->n ? in->p[0] : 0;

    *in = span_sub(*in, 1, in->n);
    return v;
}

static void judge(struct span in)
{
    struct usb_endpoint ep[ENDPOINTS];
    struct usb_interface i = { .endpoints = ep };
    struct ccid_profile p;
    struct err e = ERR_INIT;
    char text[256];

    i.class_code = take(&in);
    i.protocol = take(&in);
    i.alternate = take(&in);
    i.endpoint_count = take(&in) % (ENDPOINTS + 1);
    for (size_t k = 0; k < i.endpoint_count; k++) {
        ep[k].address = take(&in);
        ep[k].attributes = take(&in);
        ep[k].max_packet = (uint16_t)(take(&in) << 8);
        ep[k].max_packet |= take(&in);
    }
    i.extra = in;
    if (ccid_descriptor_judge(&i, &p, &e) != 0) {
        CHECK(e.code != ERR_NONE && e.msg[0]);
        return;
    }
    CHECK(ccid_descriptor_is_reader(&i));
    CHECK(p.slots >= 1 && p.slots <= CCID_SLOTS_OF_READER);
    CHECK(p.busy_slots >= 1 && p.busy_slots <= p.slots);
    CHECK(p.bulk_in & 0x80 && !(p.bulk_out & 0x80) && p.bulk_out);
    CHECK(p.in_packet >= 8 && p.in_packet <= 1024);
    CHECK(p.interrupt == 0 || p.interrupt_packet <= 1024);
    CHECK(p.t0 || p.t1);
    CHECK(p.message_max >= 47 && p.message_max <= CCID_MESSAGE_LIMIT);
    if (p.level == CCID_EXCHANGE_TPDU)
        CHECK((!p.t0 || p.message_max >= 270) &&
              (!p.t1 || (p.ifsd >= 32 && p.ifsd <= 254 && p.ifsd + 15 <= p.message_max)));
    CHECK(strlen(ccid_descriptor_text(&p, text, sizeof text)) > 20);
}

static void answer(struct span in)
{
    struct ccid_answer a;
    struct err e = ERR_INIT;
    struct span bits;
    unsigned slots = take(&in) % CCID_SLOTS_OF_READER + 1;

    if (ccid_message_decode(in, &a, &e) == 0) {
        CHECK(a.data.n <= CCID_DATA_MAX && a.data.n + CCID_HEADER == in.n);
        CHECK(ccid_error_text(a.error)[0]);
    } else {
        CHECK(e.code == ERR_FORMAT);
    }
    if (ccid_message_slots(in, slots, &bits))
        CHECK(bits.n * 4 >= slots && bits.p + bits.n <= in.p + in.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size);

    if (take(&in) % 2)
        answer(in);
    else
        judge(in);
    return 0;
}
