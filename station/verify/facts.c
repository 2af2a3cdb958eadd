#include "station/verify/facts.h"

#include <stdlib.h>
#include <string.h>

#define OP_DELETE 0x10 /* SGP.22 NotificationEvent */

void facts_clear(struct facts *f)
{
    free(f->v);
    *f = (struct facts){ 0 };
}

int facts_add(struct facts *f, const struct fact *x)
{
    if (f->n == f->cap) {
        size_t cap = f->cap ? f->cap * 2 : 256;
        struct fact *v = realloc(f->v, cap * sizeof *v);
        if (!v)
            return -1;
        f->v = v;
        f->cap = cap;
    }
    f->v[f->n++] = *x;
    return 0;
}

static int by_event(const void *key, const void *item)
{
    const uint64_t *event = key;
    const struct fact *f = item;

    return (*event > f->event) - (*event < f->event);
}

const struct fact *facts_find(const struct facts *f, uint64_t event)
{
    return f->n ? bsearch(&event, f->v, f->n, sizeof *f->v, by_event) : NULL;
}

bool fact_eq(const struct fact *a, const struct fact *b)
{
    return a->event == b->event && a->kind == b->kind &&
           a->has_sha256 == b->has_sha256 &&
           memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

struct fact fact_of_record(const struct report_record *r)
{
    struct fact f = { .event = r->event, .kind = r->kind };
    const struct span of[REPORT_KINDS] = {
        [REPORT_RESULT] = r->bf37,
        [REPORT_DELETION] = r->notification,
        [REPORT_RECEIPT] = r->receipt,
        [REPORT_VOIDED] = r->bf37,
    };

    f.has_sha256 = of[r->kind].n > 0;
    if (f.has_sha256)
        event_hash(of[r->kind], f.sha256);
    return f;
}

/* Which events make a record: docs/formats/ledger.md, "Events". */
static const struct {
    const char *kind;  /* of the event           */
    const char *field; /* NULL: any event of it  */
    const char *value;
    const char *sha256; /* field with the evidence's hash, NULL: none */
    enum report_kind record;
} rules[] = {
    { "bpp-moved", "to", "installed", "bf37-sha256", REPORT_RESULT },
    { "bpp-moved", "to", "failed", "bf37-sha256", REPORT_RESULT },
    { "bpp-moved", "to", "voided", "bf37-sha256", REPORT_VOIDED },
    { "bpp-moved", "to", "quarantined", NULL, REPORT_QUARANTINED },
    { "receipt", NULL, NULL, "receipt-sha256", REPORT_RECEIPT },
    { "failure", NULL, NULL, NULL, REPORT_FAILURE },
};
#define RULES (sizeof rules / sizeof *rules)

/* A notification is reported if it is of the deletion of a BPP that the ledger
 * knows, and so names its transactionId: `op` is one octet in hexadecimal. */
static bool is_deletion(const struct event *ev)
{
    struct span op;
    char text[3];
    uint8_t o;

    if (!span_eq(ev->kind, SPAN_STR("notification")) ||
        event_field_get(ev, "txid", &op) != 0 ||
        event_field_get(ev, "op", &op) != 0 || op.n != 2)
        return false;
    memcpy(text, op.p, 2);
    text[2] = '\0';
    return hex_decode(text, &o, 1) == 0 && (o & OP_DELETE);
}

static void take_hash(const struct event *ev, const char *field,
                      struct fact *out)
{
    struct span hex;
    char text[2 * EVENT_HASH + 1];

    if (!field || event_field_get(ev, field, &hex) != 0 ||
        hex.n != sizeof text - 1)
        return;
    memcpy(text, hex.p, hex.n);
    text[hex.n] = '\0';
    out->has_sha256 = hex_decode(text, out->sha256, sizeof out->sha256) == 0;
}

bool fact_of_event(const struct event *ev, struct fact *out)
{
    struct span value;

    *out = (struct fact){ .event = ev->number };
    if (is_deletion(ev)) {
        out->kind = REPORT_DELETION;
        take_hash(ev, "notification-sha256", out);
        return true;
    }
    for (size_t i = 0; i < RULES; i++) {
        if (!span_eq(ev->kind, SPAN_STR(rules[i].kind)) ||
            (rules[i].field &&
             (event_field_get(ev, rules[i].field, &value) != 0 ||
              !span_eq(value, SPAN_STR(rules[i].value)))))
            continue;
        out->kind = rules[i].record;
        take_hash(ev, rules[i].sha256, out);
        return true;
    }
    return false;
}
