#include "station/ifpp/event.h"

#include "station/base/clock.h"
#include "station/ifpp/tags.h"

#include <openssl/sha.h>
#include <string.h>

/* --- text ------------------------------------------------------------------ */

/* One character off the front of *s; -1 when it is not well-formed. */
static int32_t utf8_take(struct span *s)
{
    static const struct {
        uint8_t mask, lead;
        uint8_t more;
        int32_t least; /* below it a shorter form exists */
    } forms[] = {
        { 0x80, 0x00, 0, 0x00 },
        { 0xe0, 0xc0, 1, 0x80 },
        { 0xf0, 0xe0, 2, 0x800 },
        { 0xf8, 0xf0, 3, 0x10000 },
    };
    uint8_t lead = s->p[0];

    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if ((lead & forms[i].mask) != forms[i].lead)
            continue;
        size_t more = forms[i].more;
        if (s->n < 1 + more)
            return -1;
        int32_t c = lead & (uint8_t)~forms[i].mask;
        for (size_t k = 1; k <= more; k++) {
            if ((s->p[k] & 0xc0) != 0x80)
                return -1;
            c = c << 6 | (s->p[k] & 0x3f);
        }
        if (c < forms[i].least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
            return -1;
        s->p += 1 + more;
        s->n -= 1 + more;
        return c;
    }
    return -1;
}

bool event_text_ok(struct span s)
{
    while (s.n) {
        int32_t c = utf8_take(&s);
        if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
            return false;
    }
    return true;
}

static bool word_ok(struct span s, size_t max)
{
    return s.n > 0 && s.n <= max && event_text_ok(s);
}

/* --- writing --------------------------------------------------------------- */

static int fields_check(const struct event_field *f, size_t n, struct err *e)
{
    if (n > EVENT_FIELDS_MAX)
        return err_set(e, ERR_LIMIT, "an event of %zu fields, at most %d fit",
                       n, EVENT_FIELDS_MAX);
    for (size_t i = 0; i < n; i++) {
        if (!word_ok(SPAN_STR(f[i].name), EVENT_WORD_MAX))
            return err_set(e, ERR_FORMAT, "the name of event field %zu is not "
                           "plain text of 1 to %d octets", i + 1,
                           EVENT_WORD_MAX);
        if (!event_text_ok(SPAN_STR(f[i].value)))
            return err_set(e, ERR_FORMAT, "event field %s is not plain text",
                           f[i].name);
        for (size_t k = 0; k < i; k++)
            if (strcmp(f[k].name, f[i].name) == 0)
                return err_set(e, ERR_FORMAT, "event field %s stands twice",
                               f[i].name);
    }
    return 0;
}

static void event_put(uint64_t number, const char *at, const uint8_t *prev,
                      const char *kind, const char *actor,
                      const struct event_field *f, size_t n, struct buf *out)
{
    size_t whole = der_open(out);
    der_put_uint(out, TAG_INTEGER, number);
    der_put_str(out, TAG_GTIME, at);
    der_put(out, TAG_OCTETS, SPAN(prev, EVENT_HASH));
    der_put_str(out, TAG_UTF8, kind);
    der_put_str(out, TAG_UTF8, actor);
    size_t list = der_open(out);
    for (size_t i = 0; i < n; i++) {
        size_t one = der_open(out);
        der_put_str(out, TAG_UTF8, f[i].name);
        der_put_str(out, TAG_UTF8, f[i].value);
        der_close(out, TAG_SEQUENCE, one);
    }
    der_close(out, TAG_SEQUENCE, list);
    der_close(out, TAG_SEQUENCE, whole);
}

int event_encode(uint64_t number, int64_t at, const uint8_t prev[EVENT_HASH],
                 const char *kind, const char *actor,
                 const struct event_field *f, size_t n, struct buf *out,
                 struct err *e)
{
    char when[GTIME_LEN + 1];

    if (number == 0)
        return err_set(e, ERR_FORMAT, "events are counted from 1");
    if (at < 0 || at > EVENT_AT_MAX)
        return err_set(e, ERR_FORMAT, "event %llu: a time outside 1970 to 9999",
                       (unsigned long long)number);
    gtime_format(at, when);
    if (!word_ok(SPAN_STR(kind), EVENT_WORD_MAX))
        return err_set(e, ERR_FORMAT, "an event's kind is not plain text of "
                       "1 to %d octets", EVENT_WORD_MAX);
    if (!word_ok(SPAN_STR(actor), EVENT_ACTOR_MAX))
        return err_set(e, ERR_FORMAT, "event %s: the actor is not plain text "
                       "of 1 to %d octets", kind, EVENT_ACTOR_MAX);
    if (fields_check(f, n, e) != 0)
        return -1;

    AUTO(buf_clear) struct buf der = BUF_INIT;
    event_put(number, when, prev, kind, actor, f, n, &der);
    if (!buf_ok(&der))
        return err_set(e, ERR_NOMEM, "no memory for an event");
    if (der.n > EVENT_MAX)
        return err_set(e, ERR_LIMIT, "event %s of %zu octets, at most %d fit",
                       kind, der.n, EVENT_MAX);
    size_t before = out->n;
    buf_put_span(out, buf_span(&der));
    if (!buf_ok(out)) {
        out->n = before;
        return err_set(e, ERR_NOMEM, "no memory for an event");
    }
    return 0;
}

void event_hash(struct span der, uint8_t out[EVENT_HASH])
{
    SHA256(der.p, der.n, out);
}

/* --- reading --------------------------------------------------------------- */

static int field_take(struct span *in, struct span *name, struct span *value)
{
    struct tlv one, n, v;

    if (der_take(in, TAG_SEQUENCE, &one) != 0 ||
        der_take(&one.value, TAG_UTF8, &n) != 0 ||
        der_take(&one.value, TAG_UTF8, &v) != 0 || one.value.n != 0)
        return -1;
    *name = n.value;
    *value = v.value;
    return 0;
}

bool event_field_next(struct span *rest, struct span *name, struct span *value)
{
    return rest->n != 0 && field_take(rest, name, value) == 0;
}

int event_field_get(const struct event *ev, const char *name,
                    struct span *value)
{
    struct span rest = ev->fields, n, v;

    while (event_field_next(&rest, &n, &v))
        if (span_eq(n, SPAN_STR(name))) {
            *value = v;
            return 0;
        }
    return -1;
}

static int fields_read(struct span list, struct event *ev, struct err *e)
{
    struct span names[EVENT_FIELDS_MAX];
    struct span rest = list, value;
    size_t n = 0;

    for (; rest.n != 0; n++) {
        if (n == EVENT_FIELDS_MAX)
            return err_set(e, ERR_LIMIT, "event %llu has more than %d fields",
                           (unsigned long long)ev->number, EVENT_FIELDS_MAX);
        if (field_take(&rest, &names[n], &value) != 0 ||
            !word_ok(names[n], EVENT_WORD_MAX) || !event_text_ok(value))
            return err_set(e, ERR_FORMAT, "event %llu: bad field %zu",
                           (unsigned long long)ev->number, n + 1);
        for (size_t k = 0; k < n; k++)
            if (span_eq(names[k], names[n]))
                return err_set(e, ERR_FORMAT, "event %llu: field %zu stands "
                               "twice", (unsigned long long)ev->number, n + 1);
    }
    ev->fields = list;
    ev->field_count = n;
    return 0;
}

static int time_read(struct span v, int64_t *at)
{
    char text[GTIME_LEN + 1];

    if (v.n != GTIME_LEN || memchr(v.p, 0, v.n))
        return -1;
    memcpy(text, v.p, GTIME_LEN);
    text[GTIME_LEN] = 0;
    return gtime_parse(text, at);
}

int event_decode(struct span der, struct event *out, struct err *e)
{
    struct span in = der;
    struct tlv seq, number, at, previous, kind, actor, fields;
    struct event ev = { .whole = der };

    if (der.n > EVENT_MAX)
        return err_set(e, ERR_LIMIT, "an event of %zu octets, at most %d fit",
                       der.n, EVENT_MAX);
    if (der_take(&in, TAG_SEQUENCE, &seq) != 0 || in.n != 0 ||
        der_take(&seq.value, TAG_INTEGER, &number) != 0 ||
        der_uint(number.value, &ev.number) != 0 || ev.number == 0)
        return err_set(e, ERR_FORMAT, "not an event");
    if (der_take(&seq.value, TAG_GTIME, &at) != 0 ||
        time_read(at.value, &ev.at) != 0 || ev.at < 0 ||
        der_take(&seq.value, TAG_OCTETS, &previous) != 0 ||
        previous.value.n != EVENT_HASH ||
        der_take(&seq.value, TAG_UTF8, &kind) != 0 ||
        !word_ok(kind.value, EVENT_WORD_MAX) ||
        der_take(&seq.value, TAG_UTF8, &actor) != 0 ||
        !word_ok(actor.value, EVENT_ACTOR_MAX) ||
        der_take(&seq.value, TAG_SEQUENCE, &fields) != 0 || seq.value.n != 0)
        return err_set(e, ERR_FORMAT, "event %llu is malformed",
                       (unsigned long long)ev.number);
    ev.previous = previous.value;
    ev.kind = kind.value;
    ev.actor = actor.value;
    if (fields_read(fields.value, &ev, e) != 0)
        return -1;
    *out = ev;
    return 0;
}
