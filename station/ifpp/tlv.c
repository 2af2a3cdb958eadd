#include "station/ifpp/tlv.h"

#include <string.h>

enum der der_header(struct span in, uint32_t *tag, size_t *header_len,
                    size_t *value_len)
{
    size_t i = 0;

    if (in.n == 0)
        return DER_END;
    uint32_t t = in.p[i++];
    if ((t & 0x1f) == 0x1f) {
        int more = 2;
        uint8_t o;
        do {
            if (more-- == 0)
                return DER_BAD; /* four-octet tags are nobody's */
            if (i == in.n)
                return DER_END;
            o = in.p[i++];
            if ((t & 0x1f) == 0x1f && t <= 0xff && o == 0x80)
                return DER_BAD; /* leading zero in a long tag number */
            t = t << 8 | o;
        } while (o & 0x80);
        if (t <= 0xffff && (t & 0x7f) < 0x1f)
            return DER_BAD; /* would fit the short form */
    }

    if (i == in.n)
        return DER_END;
    size_t len = in.p[i++];
    if (len >= 0x80) {
        size_t octets = len & 0x7f;
        if (octets == 0 || octets > 4)
            return DER_BAD; /* indefinite, or beyond any bound of ours */
        if (in.n - i < octets)
            return DER_END;
        len = 0;
        for (size_t k = 0; k < octets; k++)
            len = len << 8 | in.p[i++];
        if (len < 0x80 || len >> (8 * (octets - 1)) == 0)
            return DER_BAD; /* not minimal */
    }
    *tag = t;
    *header_len = i;
    *value_len = len;
    return DER_OK;
}

enum der der_next(struct span *in, struct tlv *out)
{
    uint32_t tag;
    size_t head, len;

    if (in->n == 0)
        return DER_END;
    if (der_header(*in, &tag, &head, &len) != DER_OK || len > in->n - head)
        return DER_BAD;
    out->tag = tag;
    out->whole = SPAN(in->p, head + len);
    out->value = SPAN(in->p + head, len);
    in->p += head + len;
    in->n -= head + len;
    return DER_OK;
}

int der_take(struct span *in, uint32_t tag, struct tlv *out)
{
    struct span rest = *in;
    struct tlv t;

    if (der_next(&rest, &t) != DER_OK || t.tag != tag)
        return -1;
    *in = rest;
    *out = t;
    return 0;
}

int der_take_optional(struct span *in, uint32_t tag, struct tlv *out)
{
    struct span rest = *in;
    struct tlv t;

    switch (der_next(&rest, &t)) {
    case DER_BAD:
        return -1;
    case DER_OK:
        if (t.tag == tag) {
            *in = rest;
            *out = t;
            return 1;
        }
        break;
    case DER_END:
        break;
    }
    *out = (struct tlv){ 0, { NULL, 0 }, { NULL, 0 } };
    return 0;
}

int der_find(struct span in, uint32_t tag, struct tlv *out)
{
    struct tlv t;
    enum der r;

    while ((r = der_next(&in, &t)) == DER_OK)
        if (t.tag == tag) {
            *out = t;
            return 1;
        }
    return r == DER_END ? 0 : -1;
}

bool der_well_formed(struct span in)
{
    struct tlv t;
    enum der r;

    while ((r = der_next(&in, &t)) == DER_OK)
        ;
    return r == DER_END;
}

static bool constructed(uint32_t tag)
{
    while (tag > 0xff)
        tag >>= 8;
    return tag & 0x20;
}

bool der_well_formed_deep(struct span in, int depth)
{
    struct tlv t;
    enum der r;

    if (depth == 0)
        return false;
    while ((r = der_next(&in, &t)) == DER_OK)
        if (constructed(t.tag) && !der_well_formed_deep(t.value, depth - 1))
            return false;
    return r == DER_END;
}

int der_uint(struct span v, uint64_t *out)
{
    if (v.n == 0 || v.n > 9 || v.p[0] & 0x80 ||
        (v.n > 1 && v.p[0] == 0 && !(v.p[1] & 0x80)) ||
        (v.n == 9 && v.p[0] != 0))
        return -1;
    uint64_t x = 0;
    for (size_t i = 0; i < v.n; i++)
        x = x << 8 | v.p[i];
    *out = x;
    return 0;
}

size_t der_tag_len(uint32_t tag)
{
    return tag > 0xffff ? 3 : tag > 0xff ? 2 : 1;
}

size_t der_len_len(size_t n)
{
    return n < 0x80 ? 1 : n < 0x100 ? 2 : n < 0x10000 ? 3 : n < 0x1000000 ? 4 : 5;
}

size_t der_tlv_len(uint32_t tag, size_t n)
{
    return der_tag_len(tag) + der_len_len(n) + n;
}

static size_t header_write(uint8_t *to, uint32_t tag, size_t n)
{
    size_t o = 0;

    for (size_t k = der_tag_len(tag); k-- > 0;)
        to[o++] = (uint8_t)(tag >> (8 * k));
    size_t ll = der_len_len(n);
    if (ll > 1)
        to[o++] = (uint8_t)(0x80 | (ll - 1));
    else
        ll = 2; /* one octet, written below */
    for (size_t k = ll - 1; k-- > 0;)
        to[o++] = (uint8_t)(n >> (8 * k));
    return o;
}

void der_put_header(struct buf *b, uint32_t tag, size_t value_len)
{
    uint8_t head[8];

    buf_put(b, head, header_write(head, tag, value_len));
}

void der_put(struct buf *b, uint32_t tag, struct span value)
{
    der_put_header(b, tag, value.n);
    buf_put_span(b, value);
}

void der_put_uint(struct buf *b, uint32_t tag, uint64_t v)
{
    uint8_t o[9];
    size_t n = 1;

    while (n < 8 && v >> (8 * n))
        n++;
    if (v >> (8 * n - 1) & 1)
        n++;
    for (size_t k = 0; k < n; k++)
        o[k] = n - 1 - k > 7 ? 0 : (uint8_t)(v >> (8 * (n - 1 - k)));
    der_put(b, tag, SPAN(o, n));
}

void der_put_str(struct buf *b, uint32_t tag, const char *s)
{
    der_put(b, tag, SPAN_STR(s));
}

size_t der_open(const struct buf *b)
{
    return b->n;
}

void der_close(struct buf *b, uint32_t tag, size_t mark)
{
    uint8_t head[8];

    if (b->failed)
        return;
    size_t n = b->n - mark;
    size_t h = header_write(head, tag, n);
    if (!buf_reserve(b, h))
        return;
    memmove(b->p + mark + h, b->p + mark, n);
    memcpy(b->p + mark, head, h);
    b->n += h;
}
