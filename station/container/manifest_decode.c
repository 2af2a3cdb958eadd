#include "station/base/clock.h"
#include "station/container/manifest_asn1.h"
#include "station/container/manifest_check.h"
#include "station/ifpp/event.h"
#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"

#include <openssl/asn1t.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 24 /* a manifest with certificates in it nests 14 deep */

/* templates -> struct manifest. Each get_ returns 0 or -1 with err set. */

static struct span octets_of(const ASN1_STRING *s)
{
    return SPAN(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s));
}

static int get_text(const ASN1_STRING *from, char *out, size_t cap,
                    const char *what, struct err *e)
{
    struct span s = octets_of(from);

    if (s.n >= cap || !event_text_ok(s))
        return err_set(e, ERR_FORMAT, "%s: not plain text of at most %zu octets",
                       what, cap - 1);
    if (s.n)
        memcpy(out, s.p, s.n);
    out[s.n] = 0;
    return 0;
}

static int get_32(const ASN1_STRING *from, uint8_t out[32], const char *what,
                  struct err *e)
{
    struct span s = octets_of(from);

    if (s.n != 32)
        return err_set(e, ERR_FORMAT, "%s: not 32 octets", what);
    memcpy(out, s.p, 32);
    return 0;
}

static int get_optional(const ASN1_STRING *from, bool *there, uint8_t out[32],
                        const char *what, struct err *e)
{
    *there = from != NULL;
    return from ? get_32(from, out, what, e) : 0;
}

static int get_time(const ASN1_STRING *from, int64_t *out, const char *what,
                    struct err *e)
{
    char text[GTIME_LEN + 1];

    if (get_text(from, text, sizeof text, what, e) != 0)
        return -1;
    if (gtime_parse(text, out) != 0)
        return err_set(e, ERR_FORMAT, "%s: not a time YYYYMMDDHHMMSSZ", what);
    return 0;
}

static int add(struct blobs *to, struct span s, struct err *e)
{
    return blobs_add(to, s) == 0
               ? 0 : err_set(e, ERR_NOMEM, "no memory for a manifest");
}

/* What a SEQUENCE kept as ANY is: whole, or only its value (a chain). */
static int any_span(const ASN1_TYPE *t, bool value_only, struct span *out,
                    struct err *e)
{
    struct tlv tlv;

    if (t->type != V_ASN1_SEQUENCE)
        return err_set(e, ERR_FORMAT, "a certificate that is no SEQUENCE");
    struct span s = octets_of(t->value.sequence);
    *out = s;
    if (der_take(&s, TAG_SEQUENCE, &tlv) != 0 || s.n != 0)
        return err_set(e, ERR_FORMAT, "a certificate that is no SEQUENCE");
    if (value_only)
        *out = tlv.value;
    return 0;
}

static int get_any(const ASN1_TYPE *from, bool value_only, struct buf *out,
                   struct err *e)
{
    struct span s;

    if (any_span(from, value_only, &s, e) != 0)
        return -1;
    buf_put_span(out, s);
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "no memory for a manifest");
}

static int get_any_list(const STACK_OF(ASN1_TYPE) *from, bool value_only,
                        size_t most, struct blobs *to, struct err *e)
{
    int n = sk_ASN1_TYPE_num(from);
    struct span s;

    if ((size_t)n > most)
        return err_set(e, ERR_LIMIT, "a list of %d, at most %zu fit", n, most);
    for (int i = 0; i < n; i++)
        if (any_span(sk_ASN1_TYPE_value(from, i), value_only, &s, e) != 0 ||
            add(to, s, e) != 0)
            return -1;
    return 0;
}

static int get_text_list(const STACK_OF(ASN1_UTF8STRING) *from, size_t most,
                         struct blobs *to, struct err *e)
{
    int n = sk_ASN1_UTF8STRING_num(from);

    if ((size_t)n > most)
        return err_set(e, ERR_LIMIT, "a list of %d, at most %zu fit", n, most);
    for (int i = 0; i < n; i++)
        if (add(to, octets_of(sk_ASN1_UTF8STRING_value(from, i)), e) != 0)
            return -1;
    return 0;
}

static int get_recipients(const RECIPIENTS_DER *from, struct recipients *to,
                          struct err *e)
{
    to->kind = (enum recipients_kind)from->type;
    switch (to->kind) {
    case RCPT_STATIONS: {
        int n = sk_ASN1_OCTET_STRING_num(from->d.stations);
        if (n > MANIFEST_RECIPIENTS_MAX)
            return err_set(e, ERR_LIMIT, "%d recipients, at most %d fit", n,
                           MANIFEST_RECIPIENTS_MAX);
        for (int i = 0; i < n; i++)
            if (add(&to->list, octets_of(sk_ASN1_OCTET_STRING_value(
                                   from->d.stations, i)), e) != 0)
                return -1;
        return 0;
    }
    case RCPT_SITE:
        return add(&to->list, octets_of(from->d.site), e);
    case RCPT_PARTIES:
        return get_text_list(from->d.parties, MANIFEST_RECIPIENTS_MAX,
                             &to->list, e);
    }
    return err_set(e, ERR_FORMAT, "unknown recipients");
}

static int get_segments(const STACK_OF(SEGMENT_DER) *from, struct manifest *m,
                        struct err *e)
{
    int n = sk_SEGMENT_DER_num(from);

    if (n > MANIFEST_SEGMENTS_MAX)
        return err_set(e, ERR_LIMIT, "%d segments, at most %d fit", n,
                       MANIFEST_SEGMENTS_MAX);
    m->segments = calloc(n > 0 ? (size_t)n : 1, sizeof *m->segments);
    if (!m->segments)
        return err_set(e, ERR_NOMEM, "no memory for a manifest");
    m->segment_count = (size_t)n;
    for (int i = 0; i < n; i++) {
        const SEGMENT_DER *d = sk_SEGMENT_DER_value(from, i);
        struct segment_entry *s = &m->segments[i];
        s->size = d->size;
        s->records = d->records;
        if (get_text(d->name, s->name, sizeof s->name, "segment name", e) != 0 ||
            get_32(d->sha256, s->sha256, "segment hash", e) != 0)
            return -1;
    }
    return 0;
}

static int get_range(const EVENT_RANGE_DER *from, struct manifest *m,
                     struct err *e)
{
    m->first_event = from->first;
    m->last_event = from->last;
    if (get_32(from->head_before, m->head_before, "head before", e) != 0 ||
        get_32(from->head_after, m->head_after, "head after", e) != 0 ||
        get_optional(from->previous_report, &m->has_previous_report,
                     m->previous_report, "previous report", e) != 0)
        return -1;
    return get_optional(from->previous_audit, &m->has_previous_audit,
                        m->previous_audit, "previous audit log", e);
}

static int get_totals(const STACK_OF(BUNDLE_TOTALS_DER) *from,
                      struct manifest *m, struct err *e)
{
    int n = sk_BUNDLE_TOTALS_DER_num(from);

    if (n > MANIFEST_TOTALS_MAX)
        return err_set(e, ERR_LIMIT, "totals of %d bundles, at most %d fit", n,
                       MANIFEST_TOTALS_MAX);
    m->totals = calloc(n > 0 ? (size_t)n : 1, sizeof *m->totals);
    if (!m->totals)
        return err_set(e, ERR_NOMEM, "no memory for a manifest");
    m->totals_count = (size_t)n;
    for (int i = 0; i < n; i++) {
        const BUNDLE_TOTALS_DER *d = sk_BUNDLE_TOTALS_DER_value(from, i);
        struct bundle_totals *t = &m->totals[i];
        t->received = d->received;
        t->in_stock = d->in_stock;
        t->reserved = d->reserved;
        t->loading = d->loading;
        t->installed = d->installed;
        t->failed = d->failed;
        t->quarantined = d->quarantined;
        t->voided = d->voided;
        t->deleted = d->deleted;
        if (get_text(d->id, t->id, sizeof t->id, "bundle id", e) != 0 ||
            get_text(d->smdp, t->smdp_oid, sizeof t->smdp_oid, "SM-DPf", e) != 0 ||
            get_32(d->manifest_sha256, t->manifest_sha256, "bundle hash", e) != 0)
            return -1;
    }
    return 0;
}

static int get_optional_text(const ASN1_UTF8STRING *from, char *out, size_t cap,
                             const char *what, struct err *e)
{
    if (!from)
        return 0;
    if (get_text(from, out, cap, what, e) != 0)
        return -1;
    return *out ? 0 : err_set(e, ERR_FORMAT, "%s: empty, and it need not be there",
                              what);
}

static int get_wanted(const WANTED_DER *from, struct order_wanted *w,
                      struct err *e)
{
    char class[16] = "";

    w->profile_class = ORDER_CLASS_ANY;
    if (get_optional_text(from->provider, w->provider, sizeof w->provider,
                          "provider", e) != 0 ||
        get_optional_text(from->smdp, w->smdp, sizeof w->smdp, "SM-DPf", e) != 0 ||
        get_optional_text(from->name, w->name, sizeof w->name, "profile name",
                          e) != 0 ||
        get_optional_text(from->profile_class, class, sizeof class, "class", e) != 0)
        return -1;
    return *class ? order_class_parse(class, &w->profile_class, e) : 0;
}

static int get_recipe(const RECIPE_DER *from, struct order_recipe *r,
                      struct err *e)
{
    int n = sk_WANTED_DER_num(from->profiles);

    if (n > ORDER_PROFILES_MAX)
        return err_set(e, ERR_LIMIT, "a recipe of %d profiles, at most %d fit", n,
                       ORDER_PROFILES_MAX);
    if (from->enable > ORDER_PROFILES_MAX || from->keep > ORDER_KEEP_MAX)
        return err_set(e, ERR_LIMIT, "a recipe with a number beyond reason");
    r->wants = (size_t)n;
    r->enable = (unsigned)from->enable;
    r->keep = (unsigned)from->keep;
    r->connectivity = from->connectivity != NULL;
    r->end = n == 0 ? ORDER_REGISTER : r->keep ? ORDER_KEEP : ORDER_CLOSE;
    for (int i = 0; i < n; i++)
        if (get_wanted(sk_WANTED_DER_value(from->profiles, i), &r->want[i], e) != 0)
            return -1;
    return get_text(from->position, r->position, sizeof r->position,
                    "position", e);
}

static int get_order(const WORK_ORDER_DER *from, struct manifest *m,
                     struct err *e)
{
    int n = sk_RECIPE_DER_num(from->recipes);

    if (n > ORDER_POSITIONS_MAX)
        return err_set(e, ERR_LIMIT, "recipes for %d positions, at most %d fit", n,
                       ORDER_POSITIONS_MAX);
    struct order_spec *o = m->order = calloc(1, sizeof *o);
    if (!o)
        return err_set(e, ERR_NOMEM, "no memory for a manifest");
    o->quantity = from->quantity;
    o->positions = (size_t)n;
    for (int i = 0; i < n; i++)
        if (get_recipe(sk_RECIPE_DER_value(from->recipes, i), &o->recipe[i], e) != 0)
            return -1;
    return get_text(from->number, o->number, sizeof o->number, "number", e) != 0 ||
           get_text(from->product, o->product, sizeof o->product, "product", e) != 0 ||
           get_text(from->serials, o->serials, sizeof o->serials, "serials", e) != 0
         ? -1 : 0;
}

static int get_receipt(const REPORT_RECEIPT_DER *from,
                       struct manifest_receipt *r, struct err *e)
{
    r->report_sequence = from->report_sequence;
    r->records = from->records;
    r->accepted = from->accepted;
    return get_text(from->report_id, r->report_id, sizeof r->report_id,
                    "report id", e) != 0 ||
           get_32(from->report_sha256, r->report_sha256, "report's hash", e) != 0
         ? -1 : 0;
}

static int get_shift(const SHIFT_RECORD_DER *from, struct manifest *m,
                     struct err *e)
{
    struct manifest_shift *s = &m->shift;

    if (get_range(from->range, m, e) != 0 ||
        get_text(from->name, s->name, sizeof s->name, "name", e) != 0 ||
        get_text(from->opened_by, s->opened_by, sizeof s->opened_by,
                 "opened by", e) != 0 ||
        get_time(from->opened_at, &s->opened_at, "opened at", e) != 0 ||
        get_text(from->closed_by, s->closed_by, sizeof s->closed_by,
                 "closed by", e) != 0)
        return -1;
    return get_time(from->closed_at, &s->closed_at, "closed at", e);
}

static int get_recovery(const STATION_CERT_DER *from, struct buf *to,
                        struct err *e)
{
    int n = from->recovery ? sk_ASN1_TYPE_num(from->recovery) : 0;

    if (from->recovery && n == 0)
        return err_set(e, ERR_FORMAT, "the recovery certificate's chain is empty");
    for (int i = 0; i < n; i++)
        if (get_any(sk_ASN1_TYPE_value(from->recovery, i), false, to, e) != 0)
            return -1;
    return 0;
}

static int get_backup(const BACKUP_DER *from, struct manifest *m, struct err *e)
{
    m->epoch = from->epoch;
    m->ledger_size = from->size;
    if (get_range(from->range, m, e) != 0 ||
        get_32(from->sha256, m->ledger_sha256, "the ledger's hash", e) != 0)
        return -1;
    return get_32(from->recovery, m->recovery_key_id, "recovery key id", e);
}

static int get_part(const PART_DER *from, struct manifest *m, struct err *e)
{
    if (from->type != (int)m->kind)
        return err_set(e, ERR_FORMAT, "a %s with another kind's part",
                       kind_name(m->kind));
    switch (m->kind) {
    case KIND_EUICC_DATA: {
        const EUICC_DATA_DER *d = from->d.euicc_data;
        struct span chain;
        if (any_span(d->eum_chain, true, &chain, e) != 0 ||
            add(&m->eum_chains, chain, e) != 0)
            return -1;
        buf_put_span(&m->info2, octets_of(d->info2));
        if (!buf_ok(&m->info2))
            return err_set(e, ERR_NOMEM, "no memory for a manifest");
        return get_text_list(d->key_recipients, MANIFEST_KEYS_MAX,
                             &m->key_recipients, e);
    }
    case KIND_BPP_BUNDLE:
        if (get_any_list(from->d.bpp_bundle->eum_chains, true,
                         MANIFEST_CHAINS_MAX, &m->eum_chains, e) != 0)
            return -1;
        return get_any_list(from->d.bpp_bundle->dp_chains, true,
                            MANIFEST_CHAINS_MAX, &m->dp_chains, e);
    case KIND_STATION_CSR:
        if (get_any(from->d.station_csr->csr, false, &m->csr, e) != 0)
            return -1;
        return get_text(from->d.station_csr->site, m->site, sizeof m->site,
                        "site", e);
    case KIND_STATION_CERT: {
        const STATION_CERT_DER *d = from->d.station_cert;
        if (get_any(d->station_chain, true, &m->station_chain, e) != 0 ||
            get_text(d->site, m->site, sizeof m->site, "site", e) != 0 ||
            get_any_list(d->ci_roots, false, MANIFEST_ROOTS_MAX, &m->ci_roots,
                         e) != 0 ||
            get_text_list(d->allowed_smdp, MANIFEST_SMDP_MAX, &m->allowed_smdp,
                          e) != 0)
            return -1;
        return get_recovery(d, &m->recovery_chain, e);
    }
    case KIND_LOADING_REPORT:
        if (get_range(from->d.loading_report->range, m, e) != 0 ||
            get_any_list(from->d.loading_report->eum_chains, true,
                         MANIFEST_CHAINS_MAX, &m->eum_chains, e) != 0)
            return -1;
        return get_totals(from->d.loading_report->totals, m, e);
    case KIND_AUDIT_LOG:
        return get_range(from->d.audit_log, m, e);
    case KIND_BPP_REQUEST: {
        const BPP_REQUEST_DER *d = from->d.bpp_request;
        m->keys_offered = d->keys;
        if (get_any_list(d->eum_chains, true, MANIFEST_CHAINS_MAX,
                         &m->eum_chains, e) != 0 ||
            get_text(d->msp, m->msp, sizeof m->msp, "MSP", e) != 0)
            return -1;
        return get_text(d->profile, m->profile, sizeof m->profile, "profile",
                        e);
    }
    case KIND_WORK_ORDER:
        return get_order(from->d.work_order, m, e);
    case KIND_REPORT_RECEIPT:
        return get_receipt(from->d.report_receipt, &m->receipt, e);
    case KIND_SHIFT_RECORD:
        return get_shift(from->d.shift_record, m, e);
    case KIND_BACKUP:
        return get_backup(from->d.backup, m, e);
    case KIND_COUNT:
        break;
    }
    return err_set(e, ERR_INTERNAL, "a kind without a part");
}

static int get_manifest(const MANIFEST_DER *from, struct manifest *m,
                        struct err *e)
{
    char kind[32];

    m->version = from->version;
    m->sequence = from->sequence;
    if (get_text(from->kind, kind, sizeof kind, "kind", e) != 0)
        return -1;
    if (kind_parse(kind, &m->kind) != 0)
        return err_set(e, ERR_FORMAT, "kind \"%s\" is not known to this "
                       "program", kind);
    if (get_text(from->id, m->id, sizeof m->id, "id", e) != 0 ||
        get_text(from->issuer, m->issuer, sizeof m->issuer, "issuer", e) != 0 ||
        get_time(from->created_at, &m->created_at, "created-at", e) != 0 ||
        get_time(from->not_after, &m->not_after, "not-after", e) != 0 ||
        get_recipients(from->recipients, &m->recipients, e) != 0 ||
        get_segments(from->segments, m, e) != 0)
        return -1;
    return get_part(from->part, m, e);
}

/* DER has one encoding for one value: what does not come out as it went in
 * was not DER, and a second form of the same manifest could slip by a hash. */
static bool encodes_to(MANIFEST_DER *d, struct span der)
{
    unsigned char *p = NULL;
    int n = ASN1_item_i2d((ASN1_VALUE *)d, &p, ASN1_ITEM_rptr(MANIFEST_DER));
    bool same = n >= 0 && span_eq(SPAN(p, (size_t)n), der);

    OPENSSL_free(p);
    return same;
}

int manifest_decode(struct span der, struct manifest *out, struct err *e)
{
    if (der.n > MANIFEST_MAX)
        return err_set(e, ERR_LIMIT, "a manifest of %zu octets, at most %d are "
                       "read", der.n, MANIFEST_MAX);
    if (!der_well_formed_deep(der, DEPTH_MAX))
        return err_set(e, ERR_FORMAT, "the manifest is not DER");
    const unsigned char *p = der.p;
    AUTO(manifest_der_free) MANIFEST_DER *d = (MANIFEST_DER *)ASN1_item_d2i(
        NULL, &p, (long)der.n, ASN1_ITEM_rptr(MANIFEST_DER));
    if (!d)
        return err_ossl(e, ERR_FORMAT, "the manifest is malformed");
    if (p != der.p + der.n || !encodes_to(d, der))
        return err_set(e, ERR_FORMAT, "the manifest is not DER");

    AUTO(manifest_clear) struct manifest m;
    manifest_init(&m);
    if (get_manifest(d, &m, e) != 0 || manifest_check(&m, e) != 0)
        return err_wrap(e, "manifest");
    *out = m;
    manifest_init(&m);
    return 0;
}
