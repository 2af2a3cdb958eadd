#include "station/base/span.h"

#include <stdlib.h>
#include <string.h>

bool span_eq(struct span a, struct span b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

struct span span_sub(struct span s, size_t at, size_t n)
{
    if (at > s.n)
        at = s.n;
    if (n > s.n - at)
        n = s.n - at;
    return SPAN(s.p ? s.p + at : NULL, n);
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n > SIZE_MAX / 2 - b->n) {
        b->failed = true;
        return NULL;
    }
    if (b->n + n > b->cap) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap < b->n + n)
            cap *= 2;
        uint8_t *p = realloc(b->p, cap);
        if (!p) {
            b->failed = true;
            return NULL;
        }
        b->p = p;
        b->cap = cap;
    }
    return b->p + b->n;
}

void buf_put(struct buf *b, const void *p, size_t n)
{
    if (n == 0)
        return;
    uint8_t *to = buf_reserve(b, n);
    if (to) {
        memcpy(to, p, n);
        b->n += n;
    }
}

void buf_put_span(struct buf *b, struct span s)
{
    buf_put(b, s.p, s.n);
}

void buf_put_u8(struct buf *b, uint8_t v)
{
    buf_put(b, &v, 1);
}

void buf_put_u16(struct buf *b, uint16_t v)
{
    uint8_t o[2] = { (uint8_t)(v >> 8), (uint8_t)v };
    buf_put(b, o, sizeof o);
}

void buf_put_u32(struct buf *b, uint32_t v)
{
    buf_put_u16(b, (uint16_t)(v >> 16));
    buf_put_u16(b, (uint16_t)v);
}

void buf_put_hex(struct buf *b, const char *hex)
{
    size_t digits = strlen(hex);
    uint8_t *to = buf_reserve(b, digits / 2 + 1);

    if (!to)
        return;
    if (digits % 2 != 0 || hex_decode(hex, to, digits / 2) != 0)
        b->failed = true;
    else
        b->n += digits / 2;
}

void buf_drop_front(struct buf *b, size_t n)
{
    if (n >= b->n) {
        b->n = 0;
        return;
    }
    memmove(b->p, b->p + n, b->n - n);
    b->n -= n;
}

bool buf_ok(const struct buf *b)
{
    return !b->failed;
}

struct span buf_span(const struct buf *b)
{
    return SPAN(b->p, b->n);
}

void buf_reset(struct buf *b)
{
    b->n = 0;
    b->failed = false;
}

void buf_clear(struct buf *b)
{
    free(b->p);
    *b = (struct buf)BUF_INIT;
}

char *hex_encode(struct span s, char *out, size_t cap)
{
    static const char digit[] = "0123456789abcdef";
    size_t o = 0;

    for (size_t i = 0; i < s.n && o + 2 < cap; i++) {
        out[o++] = digit[s.p[i] >> 4];
        out[o++] = digit[s.p[i] & 15];
    }
    if (cap)
        out[o] = '\0';
    return out;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_decode(const char *hex, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int hi = nibble(hex[2 * i]);
        int lo = hi < 0 ? -1 : nibble(hex[2 * i + 1]);
        if (lo < 0)
            return -1;
        out[i] = (uint8_t)(hi << 4 | lo);
    }
    return hex[2 * n] == '\0' ? 0 : -1;
}
