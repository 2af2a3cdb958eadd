#include <string.h>

#include "drivers/scanner/hid.h"

#define USAGE_ROLL_OVER 0x01
#define USAGE_POST_FAIL 0x02
#define USAGE_UNDEFINED 0x03
#define USAGE_FIRST_KEY 0x04
#define USAGE_FIRST_MODIFIER 0xE0
#define USAGE_LAST_MODIFIER 0xE7

/* What follows the ID. False: it is another report's, or there is none. */
static bool body_of(const struct hid_scanner *h, struct span report, uint8_t *id,
                    struct span *body)
{
    *id = 0;
    *body = report;
    if (!h->has_ids)
        return true;
    if (report.n == 0)
        return false;
    *id = report.p[0];
    *body = span_sub(report, 1, report.n);
    return true;
}

static bool holds(struct span body, const struct hid_field *f)
{
    return f->at + (uint64_t)f->size * f->count <= (uint64_t)body.n * 8;
}

/* Least significant bit first, as HID packs them; the field is in the body. */
static uint32_t element(struct span body, const struct hid_field *f, uint32_t i)
{
    uint32_t v = 0, at = f->at + i * f->size;

    if (f->size == 8 && at % 8 == 0)
        return body.p[at / 8];
    for (uint32_t k = 0; k < f->size; k++, at++)
        v |= (uint32_t)(body.p[at / 8] >> (at % 8) & 1) << k;
    return v;
}

/* --- keys ------------------------------------------------------------------------- */

struct reading {
    struct hid_keys *out;
    uint8_t seen[32];
};

static enum hid_read press(struct reading *r, uint8_t usage)
{
    struct hid_keys *out = r->out;

    if (usage == USAGE_ROLL_OVER)
        return HID_READ_PHANTOM;
    if (usage == USAGE_POST_FAIL || usage == USAGE_UNDEFINED)
        return HID_READ_FAULT;
    if (usage >= USAGE_FIRST_MODIFIER && usage <= USAGE_LAST_MODIFIER)
        out->modifiers |= (uint8_t)(1u << (usage - USAGE_FIRST_MODIFIER));
    if (usage < USAGE_FIRST_KEY || usage >= USAGE_FIRST_MODIFIER ||
        (r->seen[usage / 8] >> (usage % 8) & 1))
        return HID_READ_OK;
    r->seen[usage / 8] |= (uint8_t)(1u << (usage % 8));
    out->key[out->n++] = usage; /* each usage once: it fits */
    return HID_READ_OK;
}

/* Where an array's value points; 0: at no key. */
static uint8_t array_usage(const struct hid_scanner *h, const struct hid_piece *p,
                           uint32_t value)
{
    int64_t v = value, index;

    if (p->lowest < 0 && p->field.size < 32 && value >> (p->field.size - 1))
        v -= (int64_t)1 << p->field.size;
    else if (p->lowest < 0 && p->field.size == 32)
        v = (int32_t)value;
    index = v - p->lowest;
    return index >= 0 && index < p->usages ? h->usage[p->first + index] : 0;
}

static enum hid_read read_piece(struct reading *r, const struct hid_scanner *h,
                                const struct hid_piece *p, struct span body)
{
    enum hid_read what = HID_READ_OK;

    if (!holds(body, &p->field))
        return HID_READ_SHORT;
    for (uint32_t i = 0; i < p->field.count && what == HID_READ_OK; i++) {
        uint32_t v = element(body, &p->field, i);

        if (p->array)
            what = press(r, array_usage(h, p, v));
        else if (v && i < p->usages)
            what = press(r, h->usage[p->first + i]);
    }
    return what;
}

static enum hid_read read_pieces(struct reading *r, const struct hid_scanner *h,
                                 bool arrays, struct span body)
{
    for (size_t i = 0; i < h->piece_count; i++) {
        const struct hid_piece *p = &h->pieces[i];
        enum hid_read what = HID_READ_OK;

        if (p->report == r->out->report && p->array == arrays)
            what = read_piece(r, h, p, body);
        if (what != HID_READ_OK)
            return what;
    }
    return HID_READ_OK;
}

enum hid_read hid_keys(const struct hid_scanner *h, struct span report,
                       struct hid_keys *out)
{
    struct reading r = { .out = out };
    struct span body;
    enum hid_read what;
    uint8_t id;

    memset(out, 0, sizeof *out);
    if (!body_of(h, report, &id, &body))
        return HID_READ_SHORT;
    while (out->report < h->report_count && h->reports[out->report] != id)
        out->report++;
    if (out->report == h->report_count)
        return HID_READ_OTHER;
    what = read_pieces(&r, h, true, body);
    out->ordered = out->n;
    return what == HID_READ_OK ? read_pieces(&r, h, false, body) : what;
}

/* --- POS --------------------------------------------------------------------------- */

enum hid_read hid_data(const struct hid_scanner *h, struct span report,
                       struct hid_data *out)
{
    struct span body;
    uint8_t id;

    out->n = 0;
    out->continued = false;
    if (!body_of(h, report, &id, &body))
        return HID_READ_SHORT;
    if (id != h->pos_report)
        return HID_READ_OTHER;
    if (!holds(body, &h->data) || (h->length.size && !holds(body, &h->length)) ||
        (h->continued.size && !holds(body, &h->continued)))
        return HID_READ_SHORT;
    uint32_t n = h->length.size ? element(body, &h->length, 0) : h->data.count;
    out->continued = h->continued.size && element(body, &h->continued, 0) != 0;
    if (n > h->data.count)
        return HID_READ_FAULT;
    for (uint32_t i = 0; i < n; i++)
        out->octets[i] = (uint8_t)element(body, &h->data, i);
    while (!h->length.size && n > 0 && out->octets[n - 1] == 0)
        n--; /* nothing says how many count: the rest is padding */
    out->n = n;
    return HID_READ_OK;
}
