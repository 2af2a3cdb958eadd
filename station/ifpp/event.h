/* ifpp/event.h: one event of the ledger as octets (Event in
 * docs/formats/lineside.asn1). The ledger writes them, the audit log carries
 * them as its records, verifiers walk them:
 *
 *   Event ::= SEQUENCE { number INTEGER, at GeneralizedTime,
 *       previous OCTET STRING (SIZE(32)), kind UTF8String, actor UTF8String,
 *       fields SEQUENCE OF SEQUENCE { name UTF8String, value UTF8String } }
 *
 * `previous` is the SHA-256 over the whole DER of the event before (32 zero
 * octets before event 1), so that `sha256sum` alone can check the chain. */
#ifndef LINESIDE_IFPP_EVENT_H
#define LINESIDE_IFPP_EVENT_H

#include "station/base/err.h"
#include "station/base/span.h"
#include "station/ifpp/tlv.h"

#define EVENT_MAX 65536      /* octets of one whole event          */
#define EVENT_FIELDS_MAX 64
#define EVENT_WORD_MAX 64    /* octets of a kind or a field's name  */
#define EVENT_ACTOR_MAX 128  /* octets of a person's name           */
#define EVENT_HASH 32
#define EVENT_AT_MAX INT64_C(253402300799) /* the end of year 9999 */

struct event_field {
    const char *name;
    const char *value; /* UTF-8, may be empty */
};

/* Append the DER of one event to *out. All text must satisfy event_text_ok; kind,
 * actor and names are not empty; number from 1; names are not repeated.
 * ERR_FORMAT or ERR_LIMIT when the caller's text is not so, ERR_NOMEM; *out
 * then holds what it held before. */
int event_encode(uint64_t number, int64_t at, const uint8_t prev[EVENT_HASH],
                 const char *kind, const char *actor,
                 const struct event_field *f, size_t n, struct buf *out,
                 struct err *e);

/* SHA-256 over the event's whole DER: the next event's `previous`. */
void event_hash(struct span der, uint8_t out[EVENT_HASH]);

/* All spans point into the octets given to event_decode. */
struct event {
    struct span whole;
    uint64_t number;
    int64_t at;          /* seconds since 1970, UTC */
    struct span previous; /* 32 octets */
    struct span kind;
    struct span actor;
    struct span fields;  /* walk with event_field_next */
    size_t field_count;
};

/* Exactly one event, nothing after it; everything event_encode promises is
 * checked. ERR_FORMAT or ERR_LIMIT; *out untouched on failure. */
int event_decode(struct span der, struct event *out, struct err *e);

/* The value of the field of this name: 0, or -1 when there is none. */
int event_field_get(const struct event *ev, const char *name,
                    struct span *value);

/* Take the next field off the front of *rest, which starts as ev->fields.
 * False at the end. */
bool event_field_next(struct span *rest, struct span *name,
                      struct span *value);

/* Well-formed UTF-8 (no overlong forms, no surrogates) without control
 * characters: what may stand in any text of ours. */
bool event_text_ok(struct span s);

#endif
