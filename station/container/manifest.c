#include "station/container/manifest.h"

#include "station/base/clock.h"
#include "station/ifpp/event.h"
#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 24 /* a manifest with certificates in it nests 14 deep */

/* --- the bytes: docs/formats/lineside.asn1 as OpenSSL templates ------------
 * Certificates and chains are ANY: they are kept and given on as they came,
 * since a signature covers them. */

typedef struct {
    ASN1_UTF8STRING *name;
    uint64_t size;
    uint64_t records;
    ASN1_OCTET_STRING *sha256;
} SEGMENT_DER;

ASN1_SEQUENCE(SEGMENT_DER) = {
    ASN1_SIMPLE(SEGMENT_DER, name, ASN1_UTF8STRING),
    ASN1_EMBED(SEGMENT_DER, size, UINT64),
    ASN1_EMBED(SEGMENT_DER, records, UINT64),
    ASN1_SIMPLE(SEGMENT_DER, sha256, ASN1_OCTET_STRING),
} static_ASN1_SEQUENCE_END(SEGMENT_DER)
DEFINE_STACK_OF(SEGMENT_DER)
DEFINE_STACK_OF(ASN1_OCTET_STRING)

typedef struct {
    int type; /* enum recipients_kind */
    union {
        STACK_OF(ASN1_OCTET_STRING) *stations;
        ASN1_UTF8STRING *site;
        STACK_OF(ASN1_UTF8STRING) *parties;
    } d;
} RECIPIENTS_DER;

ASN1_CHOICE(RECIPIENTS_DER) = {
    ASN1_IMP_SEQUENCE_OF(RECIPIENTS_DER, d.stations, ASN1_OCTET_STRING, 0),
    ASN1_IMP(RECIPIENTS_DER, d.site, ASN1_UTF8STRING, 1),
    ASN1_IMP_SEQUENCE_OF(RECIPIENTS_DER, d.parties, ASN1_UTF8STRING, 2),
} static_ASN1_CHOICE_END(RECIPIENTS_DER)

typedef struct {
    ASN1_TYPE *eum_chain;
    ASN1_OCTET_STRING *info2;
    STACK_OF(ASN1_UTF8STRING) *key_recipients;
} EUICC_DATA_DER;

ASN1_SEQUENCE(EUICC_DATA_DER) = {
    ASN1_SIMPLE(EUICC_DATA_DER, eum_chain, ASN1_ANY),
    ASN1_SIMPLE(EUICC_DATA_DER, info2, ASN1_OCTET_STRING),
    ASN1_SEQUENCE_OF(EUICC_DATA_DER, key_recipients, ASN1_UTF8STRING),
} static_ASN1_SEQUENCE_END(EUICC_DATA_DER)

typedef struct {
    STACK_OF(ASN1_TYPE) *eum_chains;
    STACK_OF(ASN1_TYPE) *dp_chains;
} BPP_BUNDLE_DER;

ASN1_SEQUENCE(BPP_BUNDLE_DER) = {
    ASN1_SEQUENCE_OF(BPP_BUNDLE_DER, eum_chains, ASN1_ANY),
    ASN1_SEQUENCE_OF(BPP_BUNDLE_DER, dp_chains, ASN1_ANY),
} static_ASN1_SEQUENCE_END(BPP_BUNDLE_DER)

typedef struct {
    ASN1_TYPE *csr;
    ASN1_UTF8STRING *site;
} STATION_CSR_DER;

ASN1_SEQUENCE(STATION_CSR_DER) = {
    ASN1_SIMPLE(STATION_CSR_DER, csr, ASN1_ANY),
    ASN1_SIMPLE(STATION_CSR_DER, site, ASN1_UTF8STRING),
} static_ASN1_SEQUENCE_END(STATION_CSR_DER)

typedef struct {
    ASN1_TYPE *station_chain;
    ASN1_UTF8STRING *site;
    STACK_OF(ASN1_TYPE) *ci_roots;
    STACK_OF(ASN1_UTF8STRING) *allowed_smdp;
} STATION_CERT_DER;

ASN1_SEQUENCE(STATION_CERT_DER) = {
    ASN1_SIMPLE(STATION_CERT_DER, station_chain, ASN1_ANY),
    ASN1_SIMPLE(STATION_CERT_DER, site, ASN1_UTF8STRING),
    ASN1_SEQUENCE_OF(STATION_CERT_DER, ci_roots, ASN1_ANY),
    ASN1_SEQUENCE_OF(STATION_CERT_DER, allowed_smdp, ASN1_UTF8STRING),
} static_ASN1_SEQUENCE_END(STATION_CERT_DER)

typedef struct {
    uint64_t first;
    uint64_t last;
    ASN1_OCTET_STRING *head_before;
    ASN1_OCTET_STRING *head_after;
    ASN1_OCTET_STRING *previous_report;
    ASN1_OCTET_STRING *previous_audit;
} EVENT_RANGE_DER;

ASN1_SEQUENCE(EVENT_RANGE_DER) = {
    ASN1_EMBED(EVENT_RANGE_DER, first, UINT64),
    ASN1_EMBED(EVENT_RANGE_DER, last, UINT64),
    ASN1_SIMPLE(EVENT_RANGE_DER, head_before, ASN1_OCTET_STRING),
    ASN1_SIMPLE(EVENT_RANGE_DER, head_after, ASN1_OCTET_STRING),
    ASN1_IMP_OPT(EVENT_RANGE_DER, previous_report, ASN1_OCTET_STRING, 0),
    ASN1_IMP_OPT(EVENT_RANGE_DER, previous_audit, ASN1_OCTET_STRING, 1),
} static_ASN1_SEQUENCE_END(EVENT_RANGE_DER)

typedef struct {
    ASN1_UTF8STRING *id;
    ASN1_UTF8STRING *smdp;
    ASN1_OCTET_STRING *manifest_sha256;
    uint64_t received, in_stock, reserved, loading, installed, failed,
        quarantined, voided, deleted;
} BUNDLE_TOTALS_DER;

ASN1_SEQUENCE(BUNDLE_TOTALS_DER) = {
    ASN1_SIMPLE(BUNDLE_TOTALS_DER, id, ASN1_UTF8STRING),
    ASN1_SIMPLE(BUNDLE_TOTALS_DER, smdp, ASN1_UTF8STRING),
    ASN1_SIMPLE(BUNDLE_TOTALS_DER, manifest_sha256, ASN1_OCTET_STRING),
    ASN1_EMBED(BUNDLE_TOTALS_DER, received, UINT64),
    ASN1_EMBED(BUNDLE_TOTALS_DER, in_stock, UINT64),
    ASN1_EMBED(BUNDLE_TOTALS_DER, reserved, UINT64),
    ASN1_EMBED(BUNDLE_TOTALS_DER, loading, UINT64),
    ASN1_EMBED(BUNDLE_TOTALS_DER, installed, UINT64),
    ASN1_EMBED(BUNDLE_TOTALS_DER, failed, UINT64),
    ASN1_EMBED(BUNDLE_TOTALS_DER, quarantined, UINT64),
    ASN1_EMBED(BUNDLE_TOTALS_DER, voided, UINT64),
    ASN1_EMBED(BUNDLE_TOTALS_DER, deleted, UINT64),
} static_ASN1_SEQUENCE_END(BUNDLE_TOTALS_DER)
DEFINE_STACK_OF(BUNDLE_TOTALS_DER)

typedef struct {
    EVENT_RANGE_DER *range;
    STACK_OF(ASN1_TYPE) *eum_chains;
    STACK_OF(BUNDLE_TOTALS_DER) *totals;
} LOADING_REPORT_DER;

ASN1_SEQUENCE(LOADING_REPORT_DER) = {
    ASN1_SIMPLE(LOADING_REPORT_DER, range, EVENT_RANGE_DER),
    ASN1_SEQUENCE_OF(LOADING_REPORT_DER, eum_chains, ASN1_ANY),
    ASN1_SEQUENCE_OF(LOADING_REPORT_DER, totals, BUNDLE_TOTALS_DER),
} static_ASN1_SEQUENCE_END(LOADING_REPORT_DER)

typedef struct {
    int type; /* enum container_kind */
    union {
        EUICC_DATA_DER *euicc_data;
        BPP_BUNDLE_DER *bpp_bundle;
        STATION_CSR_DER *station_csr;
        STATION_CERT_DER *station_cert;
        LOADING_REPORT_DER *loading_report;
        EVENT_RANGE_DER *audit_log;
    } d;
} PART_DER;

ASN1_CHOICE(PART_DER) = {
    ASN1_IMP(PART_DER, d.euicc_data, EUICC_DATA_DER, 0),
    ASN1_IMP(PART_DER, d.bpp_bundle, BPP_BUNDLE_DER, 1),
    ASN1_IMP(PART_DER, d.station_csr, STATION_CSR_DER, 2),
    ASN1_IMP(PART_DER, d.station_cert, STATION_CERT_DER, 3),
    ASN1_IMP(PART_DER, d.loading_report, LOADING_REPORT_DER, 4),
    ASN1_IMP(PART_DER, d.audit_log, EVENT_RANGE_DER, 5),
} static_ASN1_CHOICE_END(PART_DER)

typedef struct {
    uint64_t version;
    ASN1_UTF8STRING *kind;
    ASN1_UTF8STRING *id;
    ASN1_UTF8STRING *issuer;
    RECIPIENTS_DER *recipients;
    uint64_t sequence;
    ASN1_GENERALIZEDTIME *created_at;
    ASN1_GENERALIZEDTIME *not_after;
    STACK_OF(SEGMENT_DER) *segments;
    PART_DER *part;
} MANIFEST_DER;

ASN1_SEQUENCE(MANIFEST_DER) = {
    ASN1_EMBED(MANIFEST_DER, version, UINT64),
    ASN1_SIMPLE(MANIFEST_DER, kind, ASN1_UTF8STRING),
    ASN1_SIMPLE(MANIFEST_DER, id, ASN1_UTF8STRING),
    ASN1_SIMPLE(MANIFEST_DER, issuer, ASN1_UTF8STRING),
    ASN1_SIMPLE(MANIFEST_DER, recipients, RECIPIENTS_DER),
    ASN1_EMBED(MANIFEST_DER, sequence, UINT64),
    ASN1_SIMPLE(MANIFEST_DER, created_at, ASN1_GENERALIZEDTIME),
    ASN1_SIMPLE(MANIFEST_DER, not_after, ASN1_GENERALIZEDTIME),
    ASN1_SEQUENCE_OF(MANIFEST_DER, segments, SEGMENT_DER),
    ASN1_SIMPLE(MANIFEST_DER, part, PART_DER),
} static_ASN1_SEQUENCE_END(MANIFEST_DER)

static void manifest_der_free(MANIFEST_DER **d)
{
    ASN1_item_free((ASN1_VALUE *)*d, ASN1_ITEM_rptr(MANIFEST_DER));
}

/* --- kinds ------------------------------------------------------------------ */

#define SHAPE(r) (1u << (r))

static const struct kind_rule {
    const char *name;
    unsigned shapes;     /* recipients it may carry             */
    size_t least_rcpt;   /* fewest of them                      */
    size_t least_seg, most_seg;
} kinds[KIND_COUNT] = {
    [KIND_EUICC_DATA] = { "euicc-data",
        SHAPE(RCPT_STATIONS) | SHAPE(RCPT_SITE) | SHAPE(RCPT_PARTIES),
        1, 1, MANIFEST_SEGMENTS_MAX },
    [KIND_BPP_BUNDLE] = { "bpp-bundle",
        SHAPE(RCPT_STATIONS) | SHAPE(RCPT_SITE), 1, 1, MANIFEST_SEGMENTS_MAX },
    /* A station that asks for its first certificate may not know by name
     * who will answer. */
    [KIND_STATION_CSR] = { "station-csr", SHAPE(RCPT_PARTIES), 0, 0, 0 },
    [KIND_STATION_CERT] = { "station-cert", SHAPE(RCPT_STATIONS), 1, 0, 0 },
    [KIND_LOADING_REPORT] = { "loading-report", SHAPE(RCPT_PARTIES), 1, 0,
        MANIFEST_SEGMENTS_MAX },
    [KIND_AUDIT_LOG] = { "audit-log", SHAPE(RCPT_PARTIES), 1, 0,
        MANIFEST_SEGMENTS_MAX },
};

const char *kind_name(enum container_kind k)
{
    return (unsigned)k < KIND_COUNT ? kinds[k].name : "unknown";
}

int kind_parse(const char *name, enum container_kind *out)
{
    for (unsigned k = 0; k < KIND_COUNT; k++)
        if (strcmp(kinds[k].name, name) == 0) {
            *out = (enum container_kind)k;
            return 0;
        }
    return -1;
}

/* --- ownership -------------------------------------------------------------- */

int blobs_add(struct blobs *b, struct span s)
{
    /* Grown when the count reaches a power of two: no capacity to keep. */
    if ((b->n & (b->n - 1)) == 0) {
        size_t cap = b->n ? b->n * 2 : 1;
        struct buf *v = realloc(b->v, cap * sizeof *v);
        if (!v)
            return -1;
        b->v = v;
    }
    struct buf one = BUF_INIT;
    buf_put_span(&one, s);
    if (!buf_ok(&one))
        return -1;
    b->v[b->n++] = one;
    return 0;
}

void blobs_clear(struct blobs *b)
{
    for (size_t i = 0; i < b->n; i++)
        buf_clear(&b->v[i]);
    free(b->v);
    *b = (struct blobs){ NULL, 0 };
}

void manifest_init(struct manifest *m)
{
    memset(m, 0, sizeof *m);
    m->version = 1;
}

void manifest_clear(struct manifest *m)
{
    blobs_clear(&m->recipients.list);
    free(m->segments);
    blobs_clear(&m->eum_chains);
    blobs_clear(&m->dp_chains);
    buf_clear(&m->info2);
    blobs_clear(&m->key_recipients);
    buf_clear(&m->csr);
    buf_clear(&m->station_chain);
    blobs_clear(&m->ci_roots);
    blobs_clear(&m->allowed_smdp);
    free(m->totals);
    manifest_init(m);
}

/* --- what one manifest can show by itself ------------------------------------ */

static bool uuid_ok(const char *s)
{
    for (size_t i = 0; i < UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? s[i] != '-'
                 : !s[i] || !strchr("0123456789abcdef", s[i]))
            return false;
    }
    return s[UUID_LEN] == 0;
}

static bool party_ok(struct span s)
{
    return s.n > 0 && s.n <= REGISTERED_ID_MAX && event_text_ok(s);
}

/* Concatenated certificates: 1 to CHAIN_MAX, each a SEQUENCE in bounds. What
 * is in them is proven where they are used. */
static bool chain_ok(struct span chain)
{
    struct tlv t;
    size_t n = 0;
    enum der r;

    while ((r = der_next(&chain, &t)) == DER_OK)
        if (++n > CHAIN_MAX || t.tag != TAG_SEQUENCE || t.whole.n > CERT_MAX)
            return false;
    return r == DER_END && n > 0;
}

static bool one_sequence(struct span s, size_t max)
{
    struct tlv t;

    return s.n <= max && der_take(&s, TAG_SEQUENCE, &t) == 0 && s.n == 0;
}

static int list_check(const struct blobs *b, size_t least, size_t most,
                      bool (*ok)(struct span), const char *what, struct err *e)
{
    if (b->n < least || b->n > most)
        return err_set(e, b->n > most ? ERR_LIMIT : ERR_FORMAT,
                       "%zu %s, there must be %zu to %zu", b->n, what, least,
                       most);
    for (size_t i = 0; i < b->n; i++)
        if (!ok(buf_span(&b->v[i])))
            return err_set(e, ERR_FORMAT, "%s: number %zu is malformed", what,
                           i + 1);
    return 0;
}

static bool key_id_ok(struct span s)
{
    return s.n == 32;
}

static bool root_ok(struct span s)
{
    return one_sequence(s, CERT_MAX);
}

static int recipients_check(const struct manifest *m, struct err *e)
{
    static const struct {
        const char *what;
        size_t most;
        bool (*ok)(struct span);
    } shapes[] = {
        [RCPT_STATIONS] = { "station key ids", MANIFEST_RECIPIENTS_MAX,
                            key_id_ok },
        [RCPT_SITE] = { "site", 1, party_ok },
        [RCPT_PARTIES] = { "parties", MANIFEST_RECIPIENTS_MAX, party_ok },
    };
    const struct kind_rule *k = &kinds[m->kind];
    unsigned r = (unsigned)m->recipients.kind;

    if (r > RCPT_PARTIES || !(k->shapes & SHAPE(r)))
        return err_set(e, ERR_FORMAT, "a %s is not addressed to %s", k->name,
                       r > RCPT_PARTIES ? "that" : shapes[r].what);
    return list_check(&m->recipients.list, k->least_rcpt, shapes[r].most,
                      shapes[r].ok, shapes[r].what, e);
}

static int segments_check(const struct manifest *m, struct err *e)
{
    const struct kind_rule *k = &kinds[m->kind];

    if (m->segment_count < k->least_seg || m->segment_count > k->most_seg)
        return err_set(e, m->segment_count > k->most_seg ? ERR_LIMIT : ERR_FORMAT,
                       "a %s of %zu segments, there must be %zu to %zu",
                       k->name, m->segment_count, k->least_seg, k->most_seg);
    for (size_t i = 0; i < m->segment_count; i++) {
        const struct segment_entry *s = &m->segments[i];
        char name[sizeof s->name];
        segment_name(i, name);
        if (strcmp(s->name, name) != 0)
            return err_set(e, ERR_FORMAT, "where %s must stand, the manifest "
                           "names another segment", name);
        /* A record is 2 octets to RECORD_MAX. */
        if (s->size > SEGMENT_MAX || s->records == 0 ||
            s->records > s->size / 2 ||
            (s->size - 1) / RECORD_MAX + 1 > s->records)
            return err_set(e, ERR_LIMIT, "%s: %llu octets and %llu records "
                           "cannot be", name, (unsigned long long)s->size,
                           (unsigned long long)s->records);
    }
    return 0;
}

static int range_check(const struct manifest *m, struct err *e)
{
    static const uint8_t zero[32];
    bool moved = memcmp(m->head_before, m->head_after, 32) != 0;
    bool none = m->first_event == 0 && m->last_event == 0;

    if (!none && (m->first_event == 0 || m->last_event < m->first_event))
        return err_set(e, ERR_FORMAT, "events %llu to %llu are no range",
                       (unsigned long long)m->first_event,
                       (unsigned long long)m->last_event);
    if (moved == none)
        return err_set(e, ERR_FORMAT, "the chain's heads do not fit a range "
                       "of %s", none ? "no events" : "events");
    if (m->first_event == 1 && memcmp(m->head_before, zero, 32) != 0)
        return err_set(e, ERR_FORMAT, "event 1 has nothing before it, yet "
                       "the head before is not zero");
    return 0;
}

/* received = the seven states; no sum may wrap on its way. */
static bool totals_balance(const struct bundle_totals *t)
{
    const uint64_t part[] = { t->in_stock, t->reserved, t->loading,
                              t->installed, t->failed, t->quarantined,
                              t->voided };
    uint64_t rest = t->received;

    for (size_t i = 0; i < sizeof part / sizeof *part; i++) {
        if (part[i] > rest)
            return false;
        rest -= part[i];
    }
    return rest == 0 && t->deleted <= t->installed;
}

static int totals_check(const struct manifest *m, struct err *e)
{
    if (m->totals_count > MANIFEST_TOTALS_MAX)
        return err_set(e, ERR_LIMIT, "totals of %zu bundles, at most %d fit",
                       m->totals_count, MANIFEST_TOTALS_MAX);
    for (size_t i = 0; i < m->totals_count; i++) {
        const struct bundle_totals *t = &m->totals[i];
        if (!uuid_ok(t->id) || !party_ok(SPAN_STR(t->smdp_oid)))
            return err_set(e, ERR_FORMAT, "totals %zu: malformed bundle id or "
                           "SM-DPf", i + 1);
        if (!totals_balance(t))
            return err_set(e, ERR_FORMAT, "totals of bundle %s do not add up",
                           t->id);
    }
    return 0;
}

static int euicc_data_check(const struct manifest *m, struct err *e)
{
    struct span in = buf_span(&m->info2);
    struct tlv t;

    if (m->info2.n > MANIFEST_INFO2_MAX ||
        der_take(&in, TAG_INFO2, &t) != 0 || in.n != 0)
        return err_set(e, ERR_FORMAT, "EUICCInfo2 (BF22) is malformed");
    if (list_check(&m->eum_chains, 1, 1, chain_ok, "EUM chain", e) != 0)
        return -1;
    return list_check(&m->key_recipients, 0, MANIFEST_KEYS_MAX, party_ok,
                      "key recipients", e);
}

static int bpp_bundle_check(const struct manifest *m, struct err *e)
{
    if (list_check(&m->eum_chains, 1, MANIFEST_CHAINS_MAX, chain_ok,
                   "EUM chains", e) != 0)
        return -1;
    return list_check(&m->dp_chains, 1, MANIFEST_CHAINS_MAX, chain_ok,
                      "DPpb chains", e);
}

static int site_check(const struct manifest *m, struct err *e)
{
    if (m->site[0] && !party_ok(SPAN_STR(m->site)))
        return err_set(e, ERR_FORMAT, "the site id is not plain text");
    return 0;
}

static int station_csr_check(const struct manifest *m, struct err *e)
{
    if (!one_sequence(buf_span(&m->csr), CERT_MAX))
        return err_set(e, ERR_FORMAT, "the certification request is malformed");
    return site_check(m, e);
}

static int station_cert_check(const struct manifest *m, struct err *e)
{
    if (!chain_ok(buf_span(&m->station_chain)))
        return err_set(e, ERR_FORMAT, "the station's chain is malformed");
    if (list_check(&m->ci_roots, 1, MANIFEST_ROOTS_MAX, root_ok, "CI roots",
                   e) != 0 ||
        list_check(&m->allowed_smdp, 0, MANIFEST_SMDP_MAX, party_ok,
                   "allowed SM-DPf OIDs", e) != 0)
        return -1;
    return site_check(m, e);
}

static int loading_report_check(const struct manifest *m, struct err *e)
{
    if (range_check(m, e) != 0 ||
        list_check(&m->eum_chains, 0, MANIFEST_CHAINS_MAX, chain_ok,
                   "EUM chains", e) != 0)
        return -1;
    return totals_check(m, e);
}

static int (*const part_check[KIND_COUNT])(const struct manifest *,
                                           struct err *) = {
    [KIND_EUICC_DATA] = euicc_data_check,
    [KIND_BPP_BUNDLE] = bpp_bundle_check,
    [KIND_STATION_CSR] = station_csr_check,
    [KIND_STATION_CERT] = station_cert_check,
    [KIND_LOADING_REPORT] = loading_report_check,
    [KIND_AUDIT_LOG] = range_check,
};

static int manifest_check(const struct manifest *m, struct err *e)
{
    if (m->version != 1)
        return err_set(e, ERR_FORMAT, "manifest version %llu; this program "
                       "knows version 1. Update the program",
                       (unsigned long long)m->version);
    if ((unsigned)m->kind >= KIND_COUNT)
        return err_set(e, ERR_FORMAT, "unknown container kind");
    if (!uuid_ok(m->id))
        return err_set(e, ERR_FORMAT, "the id is not a lower-case UUID");
    if (!party_ok(SPAN_STR(m->issuer)))
        return err_set(e, ERR_FORMAT, "the issuer is not plain text");
    if (m->sequence == 0 || m->sequence > INT64_MAX)
        return err_set(e, ERR_FORMAT, "sequence numbers count from 1");
    if (m->created_at < 0 || m->created_at > m->not_after ||
        m->not_after > EVENT_AT_MAX)
        return err_set(e, ERR_FORMAT, "created-at and not-after do not make a "
                       "span of time");
    if (recipients_check(m, e) != 0 || segments_check(m, e) != 0)
        return -1;
    return part_check[m->kind](m, e);
}

char *segment_name(size_t index, char out[24])
{
    /* The list's bound keeps the number at five digits. */
    snprintf(out, 24, "segment-%05u.der", (unsigned)(index % 99999) + 1);
    return out;
}

/* --- struct manifest -> templates. Each returns 0 or -1 (no memory). --------- */

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

static const ASN1_ITEM *part_item(enum container_kind k)
{
    return k == KIND_EUICC_DATA       ? ASN1_ITEM_rptr(EUICC_DATA_DER)
           : k == KIND_BPP_BUNDLE     ? ASN1_ITEM_rptr(BPP_BUNDLE_DER)
           : k == KIND_STATION_CSR    ? ASN1_ITEM_rptr(STATION_CSR_DER)
           : k == KIND_STATION_CERT   ? ASN1_ITEM_rptr(STATION_CERT_DER)
           : k == KIND_LOADING_REPORT ? ASN1_ITEM_rptr(LOADING_REPORT_DER)
                                      : ASN1_ITEM_rptr(EVENT_RANGE_DER);
}

static int put_part(PART_DER *to, const struct manifest *m)
{
    void *part = ASN1_item_new(part_item(m->kind));

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
                         put_any) != 0)
            return -1;
        return put_text_list(to->d.station_cert->allowed_smdp,
                             &m->allowed_smdp);
    case KIND_LOADING_REPORT:
        if (put_range(to->d.loading_report->range, m) != 0 ||
            put_any_list(to->d.loading_report->eum_chains, &m->eum_chains,
                         put_chain) != 0)
            return -1;
        return put_totals(to->d.loading_report->totals, m);
    case KIND_AUDIT_LOG:
        return put_range(to->d.audit_log, m);
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

/* --- templates -> struct manifest. Each returns 0 or -1 with err set. --------- */

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
                         e) != 0)
            return -1;
        return get_text_list(d->allowed_smdp, MANIFEST_SMDP_MAX,
                             &m->allowed_smdp, e);
    }
    case KIND_LOADING_REPORT:
        if (get_range(from->d.loading_report->range, m, e) != 0 ||
            get_any_list(from->d.loading_report->eum_chains, true,
                         MANIFEST_CHAINS_MAX, &m->eum_chains, e) != 0)
            return -1;
        return get_totals(from->d.loading_report->totals, m, e);
    case KIND_AUDIT_LOG:
        return get_range(from->d.audit_log, m, e);
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
