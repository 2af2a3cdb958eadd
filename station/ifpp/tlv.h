/* ifpp/tlv.h: BER-TLV with definite, minimal lengths (DER); any other form is
 * refused (binding, preamble). The only door to bytes that came from outside.
 *
 * Three answers, because "finished" and "malformed" differ. */
#ifndef LINESIDE_IFPP_TLV_H
#define LINESIDE_IFPP_TLV_H

#include "station/base/span.h"

/* A tag as its octets read big-endian: 0x5A, 0x5F37, 0xBF36, 0x9F70. At most
 * three octets; first-octet low bits 1F exactly when a second octet follows. */
struct tlv {
    uint32_t tag;
    struct span whole; /* tag, length and value */
    struct span value;
};

enum der { DER_OK, DER_END, DER_BAD };

/* Take the next TLV off the front of *in. DER_END when *in is empty; *in and
 * *out are untouched unless DER_OK. */
enum der der_next(struct span *in, struct tlv *out);

/* Take the next TLV, which must have this tag. 0 or -1 (*in untouched). */
int der_take(struct span *in, uint32_t tag, struct tlv *out);

/* As der_take, but only if the next tag is this one: 1 taken, 0 not there
 * (out->tag is 0, spans empty), -1 malformed. */
int der_take_optional(struct span *in, uint32_t tag, struct tlv *out);

/* First TLV with this tag among the members of `in`: 1, 0 or -1. */
int der_find(struct span in, uint32_t tag, struct tlv *out);

/* Every TLV of `in` is well-formed (one level). */
bool der_well_formed(struct span in);
/* ... and, below every constructed tag, all the way down to `depth` levels;
 * deeper than that is refused. */
bool der_well_formed_deep(struct span in, int depth);

/* Read tag and length only; the value may be incomplete. DER_END: more octets
 * are needed (at most 3 + 5 are ever asked for). */
enum der der_header(struct span in, uint32_t *tag, size_t *header_len,
                    size_t *value_len);

/* Unsigned INTEGER content, minimal, up to 8 octets. 0 or -1. */
int der_uint(struct span value, uint64_t *out);

/* Writing. */
size_t der_tag_len(uint32_t tag);
size_t der_len_len(size_t n);
size_t der_tlv_len(uint32_t tag, size_t n); /* octets of the whole TLV */
void der_put_header(struct buf *b, uint32_t tag, size_t value_len);
void der_put(struct buf *b, uint32_t tag, struct span value);
void der_put_uint(struct buf *b, uint32_t tag, uint64_t v);
void der_put_str(struct buf *b, uint32_t tag, const char *s);

/* Constructed TLV of unknown length: m = der_open(b); ...members...;
 * der_close(b, tag, m) moves the members up and writes the header. */
size_t der_open(const struct buf *b);
void der_close(struct buf *b, uint32_t tag, size_t mark);

#endif
