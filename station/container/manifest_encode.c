#include "station/base/clock.h"
#include "station/container/manifest_asn1.h"
#include "station/container/manifest_check.h"
#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"

#include <openssl/asn1t.h>

/* struct manifest -> templates. Each put_ returns 0 or -1 (no memory). */

static int put_octets(ASN1_STRING *to, struct span s)
{
    return ASN1_STRING_set(to, s.p, (int)s.n) == 1 ? 0 : -1;
}

static int put_text(ASN1_STRING *to, const char *s)
{
    return put_octets(to, SPAN_STR(s));
}

static int put_time(ASN1_GENERALIZEDTIME *to, int64_t t)
{
    char text[GTIME_LEN + 1];

    return put_text(to, gtime_format(t, text));
}

static int put_optional(ASN1_OCTET_STRING **to, bool there,
                        const uint8_t octets[32])
{
    if (!there)
        return 0;
    *to = ASN1_OCTET_STRING_new();
    return *to ? put_octets(*to, SPAN(octets, 32)) : -1;
}

/* whole: one SEQUENCE with its header. */
static int put_any(ASN1_TYPE *to, struct span whole)
{
    ASN1_STRING *s = ASN1_STRING_type_new(V_ASN1_SEQUENCE);

    if (!s || put_octets(s, whole) != 0) {
        ASN1_STRING_free(s);
        return -1;
    }
    ASN1_TYPE_set(to, V_ASN1_SEQUENCE, s);
    return 0;
}

/* A chain is the value of one SEQUENCE OF Certificate. */
static int put_chain(ASN1_TYPE *to, struct span chain)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    der_put(&b, TAG_SEQUENCE, chain);
    return buf_ok(&b) ? put_any(to, buf_span(&b)) : -1;
}

/* One element for each certificate of a chain. */
static int put_certs(STACK_OF(ASN1_TYPE) *to, struct span chain)
{
    struct tlv t;

    while (der_next(&chain, &t) == DER_OK) {
        ASN1_TYPE *one = ASN1_TYPE_new();
        if (!one || put_any(one, t.whole) != 0 ||
            sk_ASN1_TYPE_push(to, one) == 0) {
            ASN1_TYPE_free(one);
            return -1;
        }
    }
    return 0;
}

static int put_recovery(STATION_CERT_DER *to, const struct manifest *m)
{
    if (m->recovery_chain.n == 0)
        return 0;
    to->recovery = sk_ASN1_TYPE_new_null();
    return to->recovery ? put_certs(to->recovery, buf_span(&m->recovery_chain))
                        : -1;
}

static int put_any_list(STACK_OF(ASN1_TYPE) *to, const struct blobs *from,
                        int (*put)(ASN1_TYPE *, struct span))
{
    for (size_t i = 0; i < from->n; i++) {
        ASN1_TYPE *t = ASN1_TYPE_new();
        if (!t || put(t, buf_span(&from->v[i])) != 0 ||
            sk_ASN1_TYPE_push(to, t) == 0) {
            ASN1_TYPE_free(t);
            return -1;
        }
    }
    return 0;
}

static int put_text_list(STACK_OF(ASN1_UTF8STRING) *to,
                         const struct blobs *from)
{
    for (size_t i = 0; i < from->n; i++) {
        ASN1_UTF8STRING *s = ASN1_UTF8STRING_new();
        if (!s || put_octets(s, buf_span(&from->v[i])) != 0 ||
            sk_ASN1_UTF8STRING_push(to, s) == 0) {
            ASN1_UTF8STRING_free(s);
            return -1;
        }
    }
    return 0;
}

static int put_recipients(RECIPIENTS_DER *to, const struct recipients *from)
{
    const struct blobs *l = &from->list;

    to->type = (int)from->kind;
    switch (from->kind) {
    case RCPT_STATIONS:
        to->d.stations = sk_ASN1_OCTET_STRING_new_null();
        if (!to->d.stations)
            return -1;
        for (size_t i = 0; i < l->n; i++) {
            ASN1_OCTET_STRING *o = ASN1_OCTET_STRING_new();
            if (!o || put_octets(o, buf_span(&l->v[i])) != 0 ||
                sk_ASN1_OCTET_STRING_push(to->d.stations, o) == 0) {
                ASN1_OCTET_STRING_free(o);
                return -1;
            }
        }
        return 0;
    case RCPT_SITE:
        to->d.site = ASN1_UTF8STRING_new();
        return to->d.site ? put_octets(to->d.site, buf_span(&l->v[0])) : -1;
    case RCPT_PARTIES:
        to->d.parties = sk_ASN1_UTF8STRING_new_null();
        return to->d.parties ? put_text_list(to->d.parties, l) : -1;
    }
    return -1;
}

static int put_segments(STACK_OF(SEGMENT_DER) *to, const struct manifest *m)
{
    for (size_t i = 0; i < m->segment_count; i++) {
        const struct segment_entry *s = &m->segments[i];
        SEGMENT_DER *d = (SEGMENT_DER *)ASN1_item_new(ASN1_ITEM_rptr(SEGMENT_DER));
        if (!d || sk_SEGMENT_DER_push(to, d) == 0) {
            ASN1_item_free((ASN1_VALUE *)d, ASN1_ITEM_rptr(SEGMENT_DER));
            return -1;
        }
        d->size = s->size;
        d->records = s->records;
        if (put_text(d->name, s->name) != 0 ||
            put_octets(d->sha256, SPAN_ARRAY(s->sha256)) != 0)
            return -1;
    }
    return 0;
}

static int put_range(EVENT_RANGE_DER *to, const struct manifest *m)
{
    to->first = m->first_event;
    to->last = m->last_event;
    if (put_octets(to->head_before, SPAN_ARRAY(m->head_before)) != 0 ||
        put_octets(to->head_after, SPAN_ARRAY(m->head_after)) != 0 ||
        put_optional(&to->previous_report, m->has_previous_report,
                     m->previous_report) != 0)
        return -1;
    return put_optional(&to->previous_audit, m->has_previous_audit,
                        m->previous_audit);
}

static int put_totals(STACK_OF(BUNDLE_TOTALS_DER) *to, const struct manifest *m)
{
    for (size_t i = 0; i < m->totals_count; i++) {
        const struct bundle_totals *t = &m->totals[i];
        BUNDLE_TOTALS_DER *d = (BUNDLE_TOTALS_DER *)ASN1_item_new(
            ASN1_ITEM_rptr(BUNDLE_TOTALS_DER));
        if (!d || sk_BUNDLE_TOTALS_DER_push(to, d) == 0) {
            ASN1_item_free((ASN1_VALUE *)d, ASN1_ITEM_rptr(BUNDLE_TOTALS_DER));
            return -1;
        }
        d->received = t->received;
        d->in_stock = t->in_stock;
        d->reserved = t->reserved;
        d->loading = t->loading;
        d->installed = t->installed;
        d->failed = t->failed;
        d->quarantined = t->quarantined;
        d->voided = t->voided;
        d->deleted = t->deleted;
        if (put_text(d->id, t->id) != 0 || put_text(d->smdp, t->smdp_oid) != 0 ||
            put_octets(d->manifest_sha256, SPAN_ARRAY(t->manifest_sha256)) != 0)
            return -1;
    }
    return 0;
}

static int put_optional_text(ASN1_UTF8STRING **to, const char *text)
{
    if (!*text)
        return 0;
    *to = ASN1_UTF8STRING_new();
    return *to ? put_text(*to, text) : -1;
}

static int put_wanted(STACK_OF(WANTED_DER) *to, const struct order_wanted *w)
{
    WANTED_DER *d = (WANTED_DER *)ASN1_item_new(ASN1_ITEM_rptr(WANTED_DER));

    if (!d || sk_WANTED_DER_push(to, d) == 0) {
        ASN1_item_free((ASN1_VALUE *)d, ASN1_ITEM_rptr(WANTED_DER));
        return -1;
    }
    return put_optional_text(&d->provider, w->provider) != 0 ||
           put_optional_text(&d->smdp, w->smdp) != 0 ||
           put_optional_text(&d->name, w->name) != 0 ||
           put_optional_text(&d->profile_class,
                             w->profile_class == ORDER_CLASS_ANY ? ""
                             : order_class_name(w->profile_class)) != 0 ? -1 : 0;
}

static int put_recipe(STACK_OF(RECIPE_DER) *to, const struct order_recipe *r)
{
    RECIPE_DER *d = (RECIPE_DER *)ASN1_item_new(ASN1_ITEM_rptr(RECIPE_DER));

    if (!d || sk_RECIPE_DER_push(to, d) == 0) {
        ASN1_item_free((ASN1_VALUE *)d, ASN1_ITEM_rptr(RECIPE_DER));
        return -1;
    }
    d->enable = r->enable;
    d->keep = r->keep;
    if (r->connectivity && !(d->connectivity = ASN1_NULL_new()))
        return -1;
    for (size_t i = 0; i < r->wants; i++)
        if (put_wanted(d->profiles, &r->want[i]) != 0)
            return -1;
    return put_text(d->position, r->position);
}

static int put_order(WORK_ORDER_DER *to, const struct order_spec *o)
{
    to->quantity = o->quantity;
    for (size_t i = 0; i < o->positions; i++)
        if (put_recipe(to->recipes, &o->recipe[i]) != 0)
            return -1;
    return put_text(to->number, o->number) != 0 ||
           put_text(to->product, o->product) != 0 ||
           put_text(to->serials, o->serials) != 0 ? -1 : 0;
}

static int put_receipt(REPORT_RECEIPT_DER *to, const struct manifest_receipt *r)
{
    to->report_sequence = r->report_sequence;
    to->records = r->records;
    to->accepted = r->accepted;
    return put_text(to->report_id, r->report_id) != 0 ||
           put_octets(to->report_sha256, SPAN_ARRAY(r->report_sha256)) != 0
         ? -1 : 0;
}

static int put_shift(SHIFT_RECORD_DER *to, const struct manifest *m)
{
    const struct manifest_shift *s = &m->shift;

    if (put_range(to->range, m) != 0 || put_text(to->name, s->name) != 0 ||
        put_text(to->opened_by, s->opened_by) != 0 ||
        put_time(to->opened_at, s->opened_at) != 0 ||
        put_text(to->closed_by, s->closed_by) != 0)
        return -1;
    return put_time(to->closed_at, s->closed_at);
}

static int put_part(PART_DER *to, const struct manifest *m)
{
    void *part = ASN1_item_new(manifest_part_item(m->kind));

    if (!part)
        return -1;
    to->type = (int)m->kind;
    to->d.audit_log = part; /* the union's members are all one pointer */
    switch (m->kind) {
    case KIND_EUICC_DATA:
        if (put_chain(to->d.euicc_data->eum_chain,
                      buf_span(&m->eum_chains.v[0])) != 0 ||
            put_octets(to->d.euicc_data->info2, buf_span(&m->info2)) != 0)
            return -1;
        return put_text_list(to->d.euicc_data->key_recipients,
                             &m->key_recipients);
    case KIND_BPP_BUNDLE:
        if (put_any_list(to->d.bpp_bundle->eum_chains, &m->eum_chains,
                         put_chain) != 0)
            return -1;
        return put_any_list(to->d.bpp_bundle->dp_chains, &m->dp_chains,
                            put_chain);
    case KIND_STATION_CSR:
        if (put_any(to->d.station_csr->csr, buf_span(&m->csr)) != 0)
            return -1;
        return put_text(to->d.station_csr->site, m->site);
    case KIND_STATION_CERT:
        if (put_chain(to->d.station_cert->station_chain,
                      buf_span(&m->station_chain)) != 0 ||
            put_text(to->d.station_cert->site, m->site) != 0 ||
            put_any_list(to->d.station_cert->ci_roots, &m->ci_roots,
                         put_any) != 0 ||
            put_text_list(to->d.station_cert->allowed_smdp,
                          &m->allowed_smdp) != 0)
            return -1;
        return put_recovery(to->d.station_cert, m);
    case KIND_LOADING_REPORT:
        if (put_range(to->d.loading_report->range, m) != 0 ||
            put_any_list(to->d.loading_report->eum_chains, &m->eum_chains,
                         put_chain) != 0)
            return -1;
        return put_totals(to->d.loading_report->totals, m);
    case KIND_AUDIT_LOG:
        return put_range(to->d.audit_log, m);
    case KIND_BPP_REQUEST:
        to->d.bpp_request->keys = m->keys_offered;
        if (put_any_list(to->d.bpp_request->eum_chains, &m->eum_chains,
                         put_chain) != 0 ||
            put_text(to->d.bpp_request->msp, m->msp) != 0)
            return -1;
        return put_text(to->d.bpp_request->profile, m->profile);
    case KIND_WORK_ORDER:
        return put_order(to->d.work_order, m->order);
    case KIND_REPORT_RECEIPT:
        return put_receipt(to->d.report_receipt, &m->receipt);
    case KIND_SHIFT_RECORD:
        return put_shift(to->d.shift_record, m);
    case KIND_BACKUP:
        to->d.backup->epoch = m->epoch;
        to->d.backup->size = m->ledger_size;
        if (put_range(to->d.backup->range, m) != 0 ||
            put_octets(to->d.backup->sha256, SPAN_ARRAY(m->ledger_sha256)) != 0)
            return -1;
        return put_octets(to->d.backup->recovery, SPAN_ARRAY(m->recovery_key_id));
    case KIND_COUNT:
        break;
    }
    return -1;
}

static int put_manifest(MANIFEST_DER *to, const struct manifest *m)
{
    to->version = m->version;
    to->sequence = m->sequence;
    if (put_text(to->kind, kind_name(m->kind)) != 0 ||
        put_text(to->id, m->id) != 0 || put_text(to->issuer, m->issuer) != 0 ||
        put_time(to->created_at, m->created_at) != 0 ||
        put_time(to->not_after, m->not_after) != 0 ||
        put_recipients(to->recipients, &m->recipients) != 0 ||
        put_segments(to->segments, m) != 0)
        return -1;
    return put_part(to->part, m);
}

int manifest_encode(const struct manifest *m, struct buf *der, struct err *e)
{
    if (manifest_check(m, e) != 0)
        return err_wrap(e, "manifest");
    AUTO(manifest_der_free) MANIFEST_DER *d =
        (MANIFEST_DER *)ASN1_item_new(ASN1_ITEM_rptr(MANIFEST_DER));
    if (!d || put_manifest(d, m) != 0)
        return err_ossl(e, ERR_NOMEM, "no memory for a manifest");

    unsigned char *p = NULL;
    int n = ASN1_item_i2d((ASN1_VALUE *)d, &p, ASN1_ITEM_rptr(MANIFEST_DER));
    if (n < 0)
        return err_ossl(e, ERR_INTERNAL, "cannot encode a manifest");
    if (n > MANIFEST_MAX) {
        OPENSSL_free(p);
        return err_set(e, ERR_LIMIT, "a manifest of %d octets, at most %d fit. "
                       "Make two smaller containers", n, MANIFEST_MAX);
    }
    buf_put(der, p, (size_t)n);
    OPENSSL_free(p);
    return buf_ok(der) ? 0 : err_set(e, ERR_NOMEM, "no memory for a manifest");
}
