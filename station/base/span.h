/* base/span.h: borrowed octets (span) and owned, growing octets (buf).
 *
 * Untrusted bytes are only ever seen through a span: pointer and length
 * together, nothing to overrun. Lengths are octets. */
#ifndef LINESIDE_BASE_SPAN_H
#define LINESIDE_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
    const uint8_t *p;
    size_t n;
};

#define SPAN(ptr, len) ((struct span){ (const uint8_t *)(ptr), (len) })
#define SPAN_STR(s) SPAN((s), strlen(s))
#define SPAN_ARRAY(a) SPAN((a), sizeof(a))

/* Not constant time: for public data only, and the station holds no other. */
bool span_eq(struct span a, struct span b);

/* The sub-span [at, at+n), cut to what is there. */
struct span span_sub(struct span s, size_t at, size_t n);

/* Owned octets. Zero-initialised is empty and valid. A failed append sets
 * `failed` and leaves the content as it was; later appends do nothing, so a
 * run of appends is checked once at its end with buf_ok. */
struct buf {
    uint8_t *p;
    size_t n;
    size_t cap;
    bool failed;
};

#define BUF_INIT { NULL, 0, 0, false }

void buf_put(struct buf *b, const void *p, size_t n);
void buf_put_span(struct buf *b, struct span s);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v); /* big-endian */
void buf_put_u32(struct buf *b, uint32_t v); /* big-endian */
void buf_put_hex(struct buf *b, const char *hex); /* failed on bad hex */
/* Make room for n more octets and return where they go (NULL: failed). The
 * caller writes them and then adds to b->n what it wrote. */
uint8_t *buf_reserve(struct buf *b, size_t n);
void buf_drop_front(struct buf *b, size_t n);
bool buf_ok(const struct buf *b);
struct span buf_span(const struct buf *b);
void buf_reset(struct buf *b); /* empty, not failed, memory kept */
void buf_clear(struct buf *b); /* empty, memory given back       */

/* Lower-case hex of s into out (2n+1 chars, cut to fit cap); returns out. */
char *hex_encode(struct span s, char *out, size_t cap);
/* Decode exactly n octets from 2n hex digits; -1 if anything else. */
int hex_decode(const char *hex, uint8_t *out, size_t n);

/* AUTO(buf_clear) struct buf b = BUF_INIT; cleans up when b leaves scope.
 * Works for any `void f(T *)`. */
#define AUTO(f) __attribute__((cleanup(f)))

#endif
