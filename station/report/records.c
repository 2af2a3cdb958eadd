/* What a loading-report and an audit-log hold, from the ledger. */
#include "station/report/inner.h"

#include "station/container/report_record.h"
#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "storage/events.h"
#include "storage/shifts.h"

#define OP_DELETE 0x10

static int sink_add(struct sink *k, struct err *e)
{
    k->records++;
    return container_writer_add(k->w, buf_span(&k->der), e);
}

static int chain_index(struct sink *k, struct span chain, uint64_t *out,
                       struct err *e)
{
    struct blobs *b = &k->m->eum_chains;

    for (size_t i = 0; i < b->n; i++)
        if (span_eq(buf_span(&b->v[i]), chain)) {
            *out = i;
            return 0;
        }
    *out = b->n;
    return blobs_add(b, chain) == 0 ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* CERT.EUICC out of the bundle record that came with the evidence. */
static int certify(struct sink *k, const struct evidence_item *i,
                   struct report_record *r, struct err *e)
{
    struct bpp_record b;

    if (bpp_record_parse(i->record, &b, e) != 0)
        return err_wrap(e, "event %llu", (unsigned long long)i->event);
    r->certificate = b.cert.whole;
    return chain_index(k, i->eum_chain, &r->eum_chain, e);
}

static int on_evidence(void *ctx, const struct evidence_item *i,
                       struct err *e)
{
    struct sink *k = ctx;
    struct report_record r = {
        .event = i->event, .at = i->at, .started_at = i->started_at,
        .finished_at = i->finished_at, .bundle_id = SPAN_STR(i->bundle),
        .serial = SPAN_STR(i->serial), .position = SPAN_STR(i->position),
        .fixture = SPAN_STR(i->fixture), .code = SPAN_STR(i->code),
        .detail = SPAN_STR(i->detail), .reason = SPAN_STR(i->detail),
        .imei = SPAN_STR(i->imei),
    };

    if (i->has_txid)
        r.txid = SPAN_ARRAY(i->txid.o);
    if (i->has_eid)
        r.eid = SPAN_ARRAY(i->eid.o);
    switch (i->kind) {
    case EVIDENCE_RESULT:
        r.kind = REPORT_RESULT;
        r.bf37 = i->octets;
        if (certify(k, i, &r, e) != 0)
            return -1;
        break;
    case EVIDENCE_FAILURE:
        r.kind = REPORT_FAILURE;
        break;
    case EVIDENCE_NOTIFICATION:
        /* Enabled, disabled; or deleted, but no profile that came to this
         * station (a test profile, say): the ledger keeps it, no MSP asks. */
        if (!(i->op & OP_DELETE) || !i->has_txid)
            return 0;
        r.kind = REPORT_DELETION;
        r.notification = i->octets;
        if (certify(k, i, &r, e) != 0)
            return -1;
        break;
    case EVIDENCE_RECEIPT:
        r.kind = REPORT_RECEIPT;
        r.receipt = i->octets;
        if (certify(k, i, &r, e) != 0)
            return -1;
        break;
    case EVIDENCE_QUARANTINE:
        r.kind = REPORT_QUARANTINED;
        break;
    case EVIDENCE_VOID:
        r.kind = REPORT_VOIDED;
        r.bf37 = i->octets;
        break;
    }
    buf_reset(&k->der);
    if (report_record_encode(&r, &k->der, e) != 0)
        return err_wrap(e, "event %llu", (unsigned long long)i->event);
    return sink_add(k, e);
}

static int on_event(void *ctx, uint64_t n, struct span der,
                    const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct sink *k = ctx;

    (void)n;
    (void)hash;
    k->records++;
    return container_writer_add(k->w, der, e);
}

int report_write_shift(struct db *db, uint64_t number,
                       struct container_writer *w, uint64_t *records,
                       struct err *e)
{
    AUTO(buf_clear) struct buf kept = BUF_INIT;
    struct tlv t;

    if (shift_records(db, number, &kept, e) != 0)
        return -1;
    for (struct span in = buf_span(&kept); in.n; ++*records) {
        if (der_next(&in, &t) != DER_OK)
            return err_set(e, ERR_FORMAT, "the records of shift %llu are "
                           "damaged", (unsigned long long)number);
        if (container_writer_add(w, t.whole, e) != 0)
            return -1;
    }
    return 0;
}

int records_write(struct db *db, enum export_kind kind, uint64_t first,
                         uint64_t last, struct sink *k, struct err *e)
{
    if (first == 0)
        return 0;
    int bad = kind == EXPORT_AUDIT_LOG
                  ? event_walk(db, first, last, on_event, k, e)
                  : evidence_walk(db, first, last, on_evidence, k, e);
    buf_clear(&k->der);
    return bad;
}
