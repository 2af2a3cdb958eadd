#include "station/container/report_record.h"

#include "station/base/clock.h"
#include "station/base/ids.h"
#include "station/container/manifest.h"
#include "station/ifpp/event.h"
#include "station/ifpp/evidence.h"
#include "station/ifpp/tags.h"

#include <stddef.h>
#include <string.h>

enum shape {
    S_COUNT,  /* uint64_t, from 1              */
    S_INDEX,  /* uint64_t, from 0              */
    S_TIME,   /* int64_t <-> GeneralizedTime   */
    S_UUID,   /* text of UUID_LEN              */
    S_TEXT,   /* may be empty                  */
    S_WORD,   /* text, not empty               */
    S_SIXTEEN, /* 16 octets                    */
    S_IMEI,   /* 15 digits whose check holds   */
    S_WHOLE,  /* a whole TLV with the row's tag */
    S_RECEIPT /* a whole BF72 or BF73 */
};

struct member {
    const char *name;
    enum shape shape;
    bool optional;
    uint32_t tag;
    size_t at; /* offset in struct report_record */
};

#define M(field, shape, tag) \
    { #field, shape, false, tag, offsetof(struct report_record, field) }
#define OPT(field, shape, tag) \
    { #field, shape, true, tag, offsetof(struct report_record, field) }

#define WHERE M(serial, S_TEXT, TAG_UTF8), M(position, S_TEXT, TAG_UTF8), \
              M(fixture, S_TEXT, TAG_UTF8)
#define WHO M(eum_chain, S_INDEX, TAG_INTEGER), \
            M(certificate, S_WHOLE, TAG_SEQUENCE)

static const struct member result[] = {
    M(event, S_COUNT, TAG_INTEGER),
    M(started_at, S_TIME, TAG_GTIME),
    M(finished_at, S_TIME, TAG_GTIME),
    M(bundle_id, S_UUID, TAG_UTF8),
    WHERE,
    WHO,
    M(bf37, S_WHOLE, TAG_INSTALL_RESULT),
    OPT(imei, S_IMEI, 0x80),
};
static const struct member failure[] = {
    M(event, S_COUNT, TAG_INTEGER),
    M(at, S_TIME, TAG_GTIME),
    M(code, S_WORD, TAG_UTF8),
    M(detail, S_TEXT, TAG_UTF8),
    M(fixture, S_TEXT, TAG_UTF8),
    OPT(serial, S_TEXT, 0x80),
    OPT(position, S_TEXT, 0x81),
    OPT(eid, S_SIXTEEN, 0x82),
    OPT(txid, S_SIXTEEN, 0x83),
    OPT(imei, S_IMEI, 0x84),
};
static const struct member deletion[] = {
    M(event, S_COUNT, TAG_INTEGER),
    M(at, S_TIME, TAG_GTIME),
    M(bundle_id, S_UUID, TAG_UTF8),
    M(txid, S_SIXTEEN, TAG_OCTETS),
    WHERE,
    WHO,
    M(notification, S_WHOLE, TAG_SEQUENCE),
    OPT(imei, S_IMEI, 0x80),
};
static const struct member receipt[] = {
    M(event, S_COUNT, TAG_INTEGER),
    M(at, S_TIME, TAG_GTIME),
    WHERE,
    WHO,
    M(receipt, S_RECEIPT, 0),
    OPT(imei, S_IMEI, 0x80),
};
static const struct member voided[] = {
    M(event, S_COUNT, TAG_INTEGER),
    M(at, S_TIME, TAG_GTIME),
    M(bundle_id, S_UUID, TAG_UTF8),
    M(txid, S_SIXTEEN, TAG_OCTETS),
    M(reason, S_WORD, TAG_UTF8),
    OPT(bf37, S_WHOLE, TAG_INSTALL_RESULT),
};
static const struct member quarantined[] = {
    M(event, S_COUNT, TAG_INTEGER),
    M(at, S_TIME, TAG_GTIME),
    M(bundle_id, S_UUID, TAG_UTF8),
    M(txid, S_SIXTEEN, TAG_OCTETS),
    M(reason, S_WORD, TAG_UTF8),
};

#define KIND(tag, name) { #name, tag, name, sizeof name / sizeof *name }
static const struct {
    const char *name;
    uint32_t tag;
    const struct member *members;
    size_t count;
} kinds[REPORT_KINDS] = {
    [REPORT_RESULT] = KIND(0xA0, result),
    [REPORT_FAILURE] = KIND(0xA1, failure),
    [REPORT_DELETION] = KIND(0xA2, deletion),
    [REPORT_RECEIPT] = KIND(0xA3, receipt),
    [REPORT_VOIDED] = KIND(0xA4, voided),
    [REPORT_QUARANTINED] = KIND(0xA5, quarantined),
};

const char *report_kind_name(enum report_kind k)
{
    return (unsigned)k < REPORT_KINDS ? kinds[k].name : "unknown";
}

static bool text_fits(struct span s)
{
    return s.n <= REPORT_TEXT_MAX && event_text_ok(s);
}

static bool octets_fit(enum shape shape, struct span s)
{
    switch (shape) {
    case S_UUID:
        return s.n == UUID_LEN && text_fits(s);
    case S_TEXT:
        return text_fits(s);
    case S_WORD:
        return s.n > 0 && text_fits(s);
    case S_SIXTEEN:
        return s.n == 16;
    case S_IMEI:
        return imei_valid(s);
    default:
        return false;
    }
}

/* --- writing -------------------------------------------------------------------- */

static int put_time(struct buf *b, uint32_t tag, int64_t t)
{
    char text[GTIME_LEN + 1];

    if (t < 0 || t > EVENT_AT_MAX)
        return -1;
    der_put_str(b, tag, gtime_format(t, text));
    return 0;
}

/* A whole TLV: of the member's tag, or one of the two that a receipt has. */
static int take_whole(struct span *in, const struct member *m, struct tlv *t)
{
    if (m->shape == S_WHOLE)
        return der_take(in, m->tag, t);
    return der_next(in, t) == DER_OK && receipt_tag(t->tag) ? 0 : -1;
}

static int put_whole(struct buf *b, const struct member *m, struct span s)
{
    struct span in = s;
    struct tlv t;

    if (take_whole(&in, m, &t) != 0 || in.n != 0)
        return -1;
    buf_put_span(b, s);
    return 0;
}

static int member_put(struct buf *b, const struct member *m,
                      const struct report_record *r)
{
    const void *at = (const char *)r + m->at;

    switch (m->shape) {
    case S_COUNT:
    case S_INDEX: {
        uint64_t v = *(const uint64_t *)at;
        if (m->shape == S_COUNT && v == 0)
            return -1;
        der_put_uint(b, m->tag, v);
        return 0;
    }
    case S_TIME:
        return put_time(b, m->tag, *(const int64_t *)at);
    default:
        break;
    }
    struct span s = *(const struct span *)at;
    if (m->optional && s.n == 0)
        return 0;
    if (m->shape == S_WHOLE || m->shape == S_RECEIPT)
        return put_whole(b, m, s);
    if (!octets_fit(m->shape, s))
        return -1;
    der_put(b, m->tag, s);
    return 0;
}

int report_record_encode(const struct report_record *r, struct buf *out,
                         struct err *e)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    if ((unsigned)r->kind >= REPORT_KINDS)
        return err_set(e, ERR_FORMAT, "unknown kind of report record");
    for (size_t i = 0; i < kinds[r->kind].count; i++)
        if (member_put(&b, &kinds[r->kind].members[i], r) != 0)
            return err_set(e, ERR_FORMAT, "report record %s of event %llu: bad "
                           "%s", kinds[r->kind].name,
                           (unsigned long long)r->event,
                           kinds[r->kind].members[i].name);
    if (!buf_ok(&b))
        return err_set(e, ERR_NOMEM, "no memory for a report record");
    if (der_tlv_len(kinds[r->kind].tag, b.n) > RECORD_MAX)
        return err_set(e, ERR_LIMIT, "report record of event %llu is longer "
                       "than %d octets", (unsigned long long)r->event,
                       RECORD_MAX);
    size_t before = out->n;
    der_put(out, kinds[r->kind].tag, buf_span(&b));
    if (buf_ok(out))
        return 0;
    out->n = before;
    return err_set(e, ERR_NOMEM, "no memory for a report record");
}

/* --- reading -------------------------------------------------------------------- */

static int get_time(struct span v, int64_t *out)
{
    char text[GTIME_LEN + 1];

    if (v.n != GTIME_LEN || memchr(v.p, 0, v.n))
        return -1;
    memcpy(text, v.p, GTIME_LEN);
    text[GTIME_LEN] = 0;
    return gtime_parse(text, out) == 0 && *out >= 0 ? 0 : -1;
}

static int member_get(struct span *in, const struct member *m,
                      struct report_record *r)
{
    void *at = (char *)r + m->at;
    struct tlv t;
    int got;

    if (m->shape == S_RECEIPT)
        got = take_whole(in, m, &t) == 0 ? 1 : -1;
    else if (m->optional)
        got = der_take_optional(in, m->tag, &t);
    else
        got = der_take(in, m->tag, &t) == 0 ? 1 : -1;
    if (got <= 0)
        return got;
    switch (m->shape) {
    case S_COUNT:
    case S_INDEX:
        if (der_uint(t.value, at) != 0)
            return -1;
        return m->shape == S_COUNT && *(uint64_t *)at == 0 ? -1 : 0;
    case S_TIME:
        return get_time(t.value, at);
    case S_WHOLE:
    case S_RECEIPT:
        *(struct span *)at = t.whole;
        return 0;
    default:
        /* An optional member that is there but empty has two readings. */
        if (!octets_fit(m->shape, t.value) || (m->optional && t.value.n == 0))
            return -1;
        *(struct span *)at = t.value;
        return 0;
    }
}

int report_record_decode(struct span der, struct report_record *out,
                         struct err *e)
{
    struct report_record r = { .kind = REPORT_KINDS };
    struct span in = der;
    struct tlv whole;

    if (der.n > RECORD_MAX || der_next(&in, &whole) != DER_OK || in.n != 0)
        return err_set(e, ERR_FORMAT, "not a report record");
    for (unsigned k = 0; k < REPORT_KINDS; k++)
        if (kinds[k].tag == whole.tag)
            r.kind = (enum report_kind)k;
    if (r.kind == REPORT_KINDS)
        return err_set(e, ERR_FORMAT, "a report record of unknown kind %x",
                       (unsigned)whole.tag);
    for (size_t i = 0; i < kinds[r.kind].count; i++)
        if (member_get(&whole.value, &kinds[r.kind].members[i], &r) != 0)
            return err_set(e, ERR_FORMAT, "report record %s: bad %s",
                           kinds[r.kind].name, kinds[r.kind].members[i].name);
    if (whole.value.n != 0)
        return err_set(e, ERR_FORMAT, "report record %s: something follows its "
                       "last member", kinds[r.kind].name);
    *out = r;
    return 0;
}
