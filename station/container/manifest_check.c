#include "station/container/manifest_check.h"

#include "station/ifpp/event.h"
#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"

#include <string.h>

#define SHAPE(r) (1u << (r))

static const struct kind_rule {
    unsigned shapes;   /* recipients it may carry */
    size_t least_rcpt; /* fewest of them          */
    size_t least_seg, most_seg;
} rules[KIND_COUNT] = {
    [KIND_EUICC_DATA] = {
        SHAPE(RCPT_STATIONS) | SHAPE(RCPT_SITE) | SHAPE(RCPT_PARTIES),
        1, 1, MANIFEST_SEGMENTS_MAX },
    [KIND_BPP_BUNDLE] = {
        SHAPE(RCPT_STATIONS) | SHAPE(RCPT_SITE), 1, 1, MANIFEST_SEGMENTS_MAX },
    /* A station that asks for its first certificate may not know by name
     * who will answer. */
    [KIND_STATION_CSR] = { SHAPE(RCPT_PARTIES), 0, 0, 0 },
    [KIND_STATION_CERT] = { SHAPE(RCPT_STATIONS), 1, 0, 0 },
    [KIND_LOADING_REPORT] = {
        SHAPE(RCPT_PARTIES), 1, 0, MANIFEST_SEGMENTS_MAX },
    [KIND_AUDIT_LOG] = { SHAPE(RCPT_PARTIES), 1, 0, MANIFEST_SEGMENTS_MAX },
    [KIND_BPP_REQUEST] = { SHAPE(RCPT_PARTIES), 1, 1, MANIFEST_SEGMENTS_MAX },
    [KIND_WORK_ORDER] = { SHAPE(RCPT_STATIONS) | SHAPE(RCPT_SITE), 1, 0, 0 },
    [KIND_REPORT_RECEIPT] = { SHAPE(RCPT_STATIONS), 1, 0, 0 },
    [KIND_SHIFT_RECORD] = { SHAPE(RCPT_PARTIES), 1, 1, MANIFEST_SEGMENTS_MAX },
    [KIND_BACKUP] = { SHAPE(RCPT_PARTIES), 1, 1, MANIFEST_SEGMENTS_MAX },
};

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
    const struct kind_rule *k = &rules[m->kind];
    unsigned r = (unsigned)m->recipients.kind;

    if (r > RCPT_PARTIES || !(k->shapes & SHAPE(r)))
        return err_set(e, ERR_FORMAT, "a %s is not addressed to %s",
                       kind_name(m->kind),
                       r > RCPT_PARTIES ? "that" : shapes[r].what);
    return list_check(&m->recipients.list, k->least_rcpt, shapes[r].most,
                      shapes[r].ok, shapes[r].what, e);
}

static int segments_check(const struct manifest *m, struct err *e)
{
    const struct kind_rule *k = &rules[m->kind];

    if (m->segment_count < k->least_seg || m->segment_count > k->most_seg)
        return err_set(e, m->segment_count > k->most_seg ? ERR_LIMIT : ERR_FORMAT,
                       "a %s of %zu segments, there must be %zu to %zu",
                       kind_name(m->kind), m->segment_count, k->least_seg,
                       k->most_seg);
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
    if (m->recovery_chain.n && !chain_ok(buf_span(&m->recovery_chain)))
        return err_set(e, ERR_FORMAT, "the recovery certificate's chain is "
                       "malformed");
    return site_check(m, e);
}

/* A copy of all there is: from event 1. */
static int backup_check(const struct manifest *m, struct err *e)
{
    if (range_check(m, e) != 0)
        return -1;
    if (m->first_event != 1 || m->epoch == 0 || m->ledger_size == 0 ||
        m->epoch > INT64_MAX || m->ledger_size > INT64_MAX)
        return err_set(e, ERR_FORMAT, "a backup holds a whole ledger, from its "
                       "first event, of a numbered epoch");
    return 0;
}

static int loading_report_check(const struct manifest *m, struct err *e)
{
    if (range_check(m, e) != 0 ||
        list_check(&m->eum_chains, 0, MANIFEST_CHAINS_MAX, chain_ok,
                   "EUM chains", e) != 0)
        return -1;
    return totals_check(m, e);
}

static bool text_ok(const char *s)
{
    struct span t = SPAN_STR(s);

    return t.n <= MANIFEST_TEXT_MAX && event_text_ok(t);
}

/* A key is offered to one SM-DPf: a request to two would offer each twice. */
static int bpp_request_check(const struct manifest *m, struct err *e)
{
    uint64_t records = 0;

    if (m->recipients.list.n != 1)
        return err_set(e, ERR_FORMAT, "a bpp-request to %zu SM-DPfs; it is to "
                       "one", m->recipients.list.n);
    for (size_t i = 0; i < m->segment_count; i++)
        records += m->segments[i].records;
    if (m->keys_offered != records)
        return err_set(e, ERR_FORMAT, "%llu profiles wanted for %llu keys",
                       (unsigned long long)m->keys_offered,
                       (unsigned long long)records);
    if (!text_ok(m->msp) || !text_ok(m->profile))
        return err_set(e, ERR_FORMAT, "the MSP or the profile is not plain "
                       "text of at most %d octets", MANIFEST_TEXT_MAX);
    return list_check(&m->eum_chains, 1, MANIFEST_CHAINS_MAX, chain_ok,
                      "EUM chains", e);
}

static int work_order_check(const struct manifest *m, struct err *e)
{
    return m->order ? order_check(m->order, e)
                    : err_set(e, ERR_FORMAT, "a work-order without an order");
}

/* An SM-DPf acknowledges what concerns it: at least one record. */
static int receipt_check(const struct manifest *m, struct err *e)
{
    const struct manifest_receipt *r = &m->receipt;

    if (!uuid_ok(r->report_id) || r->report_sequence == 0 ||
        r->report_sequence > INT64_MAX)
        return err_set(e, ERR_FORMAT, "the report's id or number is malformed");
    if (r->records == 0 || r->records > INT64_MAX || r->accepted > r->records)
        return err_set(e, ERR_FORMAT, "%llu of %llu records accepted: that cannot "
                       "be", (unsigned long long)r->accepted,
                       (unsigned long long)r->records);
    return 0;
}

static bool actor_ok(const char *s)
{
    return s[0] && strlen(s) <= EVENT_ACTOR_MAX && event_text_ok(SPAN_STR(s));
}

/* At least two events: it was opened, and it was closed. */
static int shift_check(const struct manifest *m, struct err *e)
{
    const struct manifest_shift *s = &m->shift;

    if (range_check(m, e) != 0)
        return -1;
    if (m->first_event == m->last_event)
        return err_set(e, ERR_FORMAT, "a shift has two events at least");
    if (m->has_previous_report || m->has_previous_audit)
        return err_set(e, ERR_FORMAT, "a shift follows no report and no log");
    if (!event_text_ok(SPAN_STR(s->name)) || !actor_ok(s->opened_by) ||
        !actor_ok(s->closed_by))
        return err_set(e, ERR_FORMAT, "the shift's name or a person's is not "
                       "plain text");
    if (s->opened_at < 0 || s->opened_at > s->closed_at ||
        s->closed_at > m->created_at)
        return err_set(e, ERR_FORMAT, "the shift's times are out of order");
    return 0;
}

static int (*const part_check[KIND_COUNT])(const struct manifest *,
                                           struct err *) = {
    [KIND_EUICC_DATA] = euicc_data_check,
    [KIND_BPP_BUNDLE] = bpp_bundle_check,
    [KIND_STATION_CSR] = station_csr_check,
    [KIND_STATION_CERT] = station_cert_check,
    [KIND_LOADING_REPORT] = loading_report_check,
    [KIND_AUDIT_LOG] = range_check,
    [KIND_BPP_REQUEST] = bpp_request_check,
    [KIND_WORK_ORDER] = work_order_check,
    [KIND_REPORT_RECEIPT] = receipt_check,
    [KIND_SHIFT_RECORD] = shift_check,
    [KIND_BACKUP] = backup_check,
};

int manifest_check(const struct manifest *m, struct err *e)
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
