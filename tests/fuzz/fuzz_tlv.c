/* TLVs: whatever is accepted reads back as the same octets when written. */
#include "station/ifpp/tlv.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DEPTH 16
#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static void check_one(const struct tlv *t)
{
    AUTO(buf_clear) struct buf again = BUF_INIT, closed = BUF_INIT;
    uint64_t v;

    der_put(&again, t->tag, t->value);
    CHECK(span_eq(buf_span(&again), t->whole));
    CHECK(der_tlv_len(t->tag, t->value.n) == t->whole.n);
    size_t m = der_open(&closed);
    buf_put_span(&closed, t->value);
    der_close(&closed, t->tag, m);
    CHECK(span_eq(buf_span(&closed), t->whole));
    if (der_uint(t->value, &v) == 0) {
        buf_reset(&again);
        der_put_uint(&again, t->tag, v);
        CHECK(span_eq(buf_span(&again), t->whole));
    }
}

static void walk(struct span in, int depth)
{
    struct span start = in;
    struct tlv t, found;
    size_t octets = 0;
    enum der r;

    while ((r = der_next(&in, &t)) == DER_OK) {
        check_one(&t);
        octets += t.whole.n;
        CHECK(der_find(start, t.tag, &found) == 1 && found.tag == t.tag);
        if (depth > 0)
            walk(t.value, depth - 1);
    }
    CHECK(octets + in.n == start.n);
    CHECK((r == DER_END) == (in.n == 0));
    CHECK(der_well_formed(start) == (r == DER_END));
    /* Deep form is never looser than flat form. */
    CHECK(!der_well_formed_deep(start, DEPTH) || der_well_formed(start));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size);
    uint32_t tag;
    size_t head, len;

    if (der_header(in, &tag, &head, &len) == DER_OK)
        CHECK(head <= size && head == der_tag_len(tag) + der_len_len(len));
    walk(in, DEPTH);
    return 0;
}
