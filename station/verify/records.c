/* Reading and proving one container. */
#include "station/verify/bundle.h"

#include "station/container/reader.h"
#include "station/ifpp/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int by_bundle_id(const void *a, const void *b)
{
    const struct bundle_totals *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

static int index_totals(struct subject *s, struct err *e)
{
    size_t n = s->m.totals_count;

    s->by_id = calloc(n ? n : 1, sizeof *s->by_id);
    s->by_bundle = calloc(n ? n : 1, sizeof *s->by_bundle);
    if (!s->by_id || !s->by_bundle)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < n; i++)
        s->by_id[i] = &s->m.totals[i];
    if (n)
        qsort(s->by_id, n, sizeof *s->by_id, by_bundle_id);
    return 0;
}

const struct bundle_totals *subject_totals(const struct subject *s,
                                           const char *bundle_id)
{
    struct bundle_totals key;
    const struct bundle_totals *k = &key, **found;

    snprintf(key.id, sizeof key.id, "%s", bundle_id);
    if (s->m.totals_count == 0)
        return NULL;
    found = bsearch(&k, s->by_id, s->m.totals_count, sizeof *s->by_id,
                    by_bundle_id);
    return found ? *found : NULL;
}

int subject_open(struct subject *s, const char *path,
                 const struct container_trust *t, struct err *e)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT;

    memset(s, 0, sizeof *s);
    manifest_init(&s->m);
    snprintf(s->path, sizeof s->path, "%s", path);
    s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir < 0)
        return err_errno(e, "%s is not a container directory", path);
    if (container_read_manifest(s->dir, &cms, e) != 0 ||
        manifest_verify(buf_span(&cms), t, &s->m, NULL, e) != 0 ||
        container_check_names(s->dir, &s->m, e) != 0 ||
        index_totals(s, e) != 0) {
        subject_close(s);
        return -1;
    }
    EVP_Digest(cms.p, cms.n, s->cms_sha256, NULL, EVP_sha256(), NULL);
    return 0;
}

void subject_close(struct subject *s)
{
    if (s->dir >= 0)
        close(s->dir);
    s->dir = -1;
    manifest_clear(&s->m);
    txset_clear(&s->results);
    txset_clear(&s->voided);
    txset_clear(&s->held);
    txset_clear(&s->deleted);
    imeis_clear(&s->imeis);
    facts_clear(&s->facts);
    restores_clear(&s->restores);
    recount_free(s->recount);
    free(s->by_id);
    free(s->by_bundle);
    free(s->hashes);
}

/* State of one reading. */
struct reading {
    struct subject *s;
    const struct trust *ci;
    int64_t at;
    struct issuer **eum; /* one per chain of the manifest */
    struct dp_chains dp; /* bpp-bundle */
    struct shift_reading shift;
    uint64_t last_event;
    uint8_t head[EVENT_HASH];
};

static int chains_open(struct reading *r, struct err *e)
{
    const struct blobs *b = &r->s->m.eum_chains;

    r->eum = calloc(b->n ? b->n : 1, sizeof *r->eum);
    if (!r->eum)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < b->n; i++)
        if (issuer_new_eum(r->ci, buf_span(&b->v[i]), r->at, &r->eum[i], e) != 0)
            return err_wrap(e, "EUM chain %zu", i);
    return dp_chains_open(&r->dp, &r->s->m, r->ci, r->at, e);
}

static void chains_close(struct reading *r)
{
    for (size_t i = 0; r->eum && i < r->s->m.eum_chains.n; i++)
        issuer_free(r->eum[i]);
    free(r->eum);
    dp_chains_close(&r->dp);
}

/* CERT.EUICC of a record to the CI; its EID and key. */
static int euicc_of(const struct reading *r, uint64_t chain, struct span cert,
                    struct eid *eid, EVP_PKEY **key, struct err *e)
{
    X509 *c = NULL;

    if (chain >= r->s->m.eum_chains.n)
        return err_set(e, ERR_FORMAT, "EUM chain %llu is not in the manifest",
                       (unsigned long long)chain);
    if (cert_decode(cert, &c, e) != 0)
        return -1;
    int bad = cert_eid(c, eid, e);
    X509_free(c);
    return bad ? -1 : issuer_check_euicc(r->eum[chain], cert, eid, key, e);
}

/* The bundle a record speaks of, as an index into the totals. */
static int bundle_of(const struct reading *r, const struct report_record *rec,
                     uint32_t *out, struct err *e)
{
    char id[UUID_LEN + 1];

    snprintf(id, sizeof id, "%.*s", (int)rec->bundle_id.n,
             (const char *)rec->bundle_id.p);
    const struct bundle_totals *t = subject_totals(r->s, id);
    if (!t)
        return err_set(e, ERR_CONFLICT, "it speaks of bundle %s, which is not "
                                        "in the totals", id);
    *out = (uint32_t)(t - r->s->m.totals);
    return 0;
}

static int remember(struct txset *set, const struct txmark *x, struct err *e)
{
    return txset_add(set, x) == 0 ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* The eUICC that a record's certificate belongs to. */
struct witness {
    struct eid eid;
    EVP_PKEY *key;
};

static int take_result(struct reading *r, const struct report_record *rec,
                       const struct witness *w, struct err *e)
{
    struct install_result ir;
    struct txmark x = { .eid = w->eid, .event = rec->event };
    struct subject *s = r->s;

    if (install_result_parse(rec->bf37, &ir, e) != 0 ||
        install_result_verify(&ir, w->key, NULL, e) != 0 ||
        bundle_of(r, rec, &x.bundle, e) != 0)
        return -1;
    if (strcmp(ir.smdp_oid, s->m.totals[x.bundle].smdp_oid) != 0)
        return err_set(e, ERR_CONFLICT, "the eUICC signed a result for SM-DPf "
                                        "%s, but bundle %s is of %s",
                       ir.smdp_oid, s->m.totals[x.bundle].id,
                       s->m.totals[x.bundle].smdp_oid);
    x.txid = ir.txid;
    x.mark = ir.installed;
    struct tally *const both[] = { &s->tally, &s->by_bundle[x.bundle] };
    for (int i = 0; i < 2; i++) {
        both[i]->results++;
        both[i]->installed += ir.installed;
        both[i]->failed += !ir.installed;
    }
    return remember(&s->results, &x, e);
}

static int take_receipt(struct reading *r, const struct report_record *rec,
                        const struct witness *w, struct err *e)
{
    struct receipt rc;

    if (receipt_parse(rec->receipt, &rc, e) != 0 ||
        receipt_verify(&rc, w->key, &w->eid, rc.function, NULL, e) != 0)
        return -1;
    r->s->tally.receipts++;
    return 0;
}

static int take_deletion(struct reading *r, const struct report_record *rec,
                         const struct witness *w, struct err *e)
{
    struct notification n;
    struct txmark x = { .eid = w->eid };

    if (notification_parse(rec->notification, &n, e) != 0 ||
        notification_verify(&n, w->key, e) != 0 ||
        bundle_of(r, rec, &x.bundle, e) != 0)
        return -1;
    if (n.is_result || !(n.meta.op & 0x10))
        return err_set(e, ERR_CONFLICT, "the notification is of no deletion");
    if (!txid_from_span(rec->txid, &x.txid))
        return err_set(e, ERR_FORMAT, "no transactionId");
    r->s->tally.deletions++;
    r->s->by_bundle[x.bundle].deletions++;
    return remember(&r->s->deleted, &x, e);
}

static int take_gone(struct reading *r, const struct report_record *rec,
                     const struct witness *w, struct err *e)
{
    bool voided = rec->kind == REPORT_VOIDED;
    struct txmark x = { .event = rec->event };

    (void)w;
    if (!txid_from_span(rec->txid, &x.txid))
        return err_set(e, ERR_FORMAT, "no transactionId");
    if (bundle_of(r, rec, &x.bundle, e) != 0)
        return -1;
    struct tally *const both[] = { &r->s->tally, &r->s->by_bundle[x.bundle] };
    for (int i = 0; i < 2; i++) {
        both[i]->voided += voided;
        both[i]->quarantined += !voided;
    }
    return remember(voided ? &r->s->voided : &r->s->held, &x, e);
}

static int take_failure(struct reading *r, const struct report_record *rec,
                        const struct witness *w, struct err *e)
{
    (void)w;
    (void)e;
    r->s->tally.failures++;
    r->s->tally.named += rec->txid.n > 0;
    return 0;
}

static int (*const take[REPORT_KINDS])(struct reading *,
                                       const struct report_record *,
                                       const struct witness *, struct err *) = {
    [REPORT_RESULT] = take_result,
    [REPORT_FAILURE] = take_failure,
    [REPORT_DELETION] = take_deletion,
    [REPORT_RECEIPT] = take_receipt,
    [REPORT_VOIDED] = take_gone,
    [REPORT_QUARANTINED] = take_gone,
};

static int remember_imei(struct reading *r, const struct report_record *rec,
                         const struct witness *w, struct err *e)
{
    struct eid eid = w->eid;
    bool has_eid = rec->certificate.n || rec->eid.n == sizeof eid.o;

    if (!rec->certificate.n && has_eid)
        memcpy(eid.o, rec->eid.p, sizeof eid.o);
    return imeis_add(&r->s->imeis, rec, has_eid ? &eid : NULL) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int report_record(struct reading *r, struct span der, struct err *e)
{
    struct report_record rec;
    struct witness w = { .key = NULL };

    if (report_record_decode(der, &rec, e) != 0)
        return -1;
    const struct manifest *m = &r->s->m;
    if (rec.event < m->first_event || rec.event > m->last_event)
        return err_set(e, ERR_CONFLICT, "event %llu is outside this report",
                       (unsigned long long)rec.event);
    if (rec.event <= r->last_event)
        return err_set(e, ERR_CONFLICT, "event %llu comes after event %llu, so "
                                        "a record is doubled or out of order",
                       (unsigned long long)rec.event,
                       (unsigned long long)r->last_event);
    r->last_event = rec.event;
    if (rec.certificate.n &&
        euicc_of(r, rec.eum_chain, rec.certificate, &w.eid, &w.key, e) != 0)
        return -1;
    int bad = take[rec.kind](r, &rec, &w, e) != 0 ||
              remember_imei(r, &rec, &w, e) != 0 ? -1 : 0;
    EVP_PKEY_free(w.key);
    const struct fact f = fact_of_record(&rec);
    if (!bad && facts_add(&r->s->facts, &f) != 0)
        bad = err_set(e, ERR_NOMEM, "out of memory");
    return bad;
}

static int keep_hash(struct subject *s, const uint8_t hash[EVENT_HASH],
                     struct err *e)
{
    if (s->hash_count == s->hash_cap) {
        size_t cap = s->hash_cap ? s->hash_cap * 2 : 256;
        void *v = realloc(s->hashes, cap * sizeof *s->hashes);
        if (!v)
            return err_set(e, ERR_NOMEM, "out of memory");
        s->hashes = v;
        s->hash_cap = cap;
    }
    memcpy(s->hashes[s->hash_count++], hash, EVENT_HASH);
    return 0;
}

/* Each event names the hash of the one before. */
static int log_record(struct reading *r, struct span der, struct err *e)
{
    struct event ev;
    struct fact f;

    if (event_decode(der, &ev, e) != 0)
        return -1;
    if (ev.number != r->last_event + 1)
        return err_set(e, ERR_CONFLICT, "event %llu follows event %llu",
                       (unsigned long long)ev.number,
                       (unsigned long long)r->last_event);
    if (!span_eq(ev.previous, SPAN_ARRAY(r->head)))
        return err_set(e, ERR_CONFLICT,
                       "event %llu names another event before it: the log was "
                       "changed", (unsigned long long)ev.number);
    event_hash(der, r->head);
    r->last_event = ev.number;
    if (fact_of_event(&ev, &f) && facts_add(&r->s->facts, &f) != 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (restores_add(&r->s->restores, &ev, e) != 0)
        return -1;
    return keep_hash(r->s, r->head, e);
}

static int bundle_record(struct reading *r, struct span der, struct err *e)
{
    struct txmark x;

    return bundle_prove(der, r->eum, r->s->m.eum_chains.n, &r->dp, &x, e) != 0
               ? -1 : remember(&r->s->results, &x, e);
}

static int request_record(struct reading *r, struct span der, struct err *e)
{
    struct txmark x;

    return request_prove(der, r->eum, r->s->m.eum_chains.n, &x, e) != 0
               ? -1 : remember(&r->s->results, &x, e);
}

static int on_record(void *ctx, uint64_t number, struct span record,
                     struct err *e)
{
    struct reading *r = ctx;

    (void)number; /* the reader names it in its errors */
    switch (r->s->m.kind) {
    case KIND_LOADING_REPORT:
        return report_record(r, record, e);
    case KIND_AUDIT_LOG:
        return log_record(r, record, e);
    case KIND_BPP_BUNDLE:
        return bundle_record(r, record, e);
    case KIND_BPP_REQUEST:
        return request_record(r, record, e);
    case KIND_SHIFT_RECORD:
        return shift_record_take(&r->shift, record, e);
    default:
        return 0;
    }
}

static void conclude_log(const struct reading *r, struct findings *f)
{
    const struct manifest *m = &r->s->m;

    /* What looks an event up trusts that all of the manifest's are there. */
    r->s->whole = r->last_event == m->last_event;
    if (!r->s->whole)
        findings_add(f, BROKEN, "the last event is %llu, the manifest says %llu",
                     (unsigned long long)r->last_event,
                     (unsigned long long)m->last_event);
    else if (!m->first_event)
        findings_add(f, PROVEN, "no events since the last audit-log");
    else if (memcmp(r->head, m->head_after, EVENT_HASH) != 0)
        findings_add(f, BROKEN, "the events do not end at the head the "
                                "manifest names");
    else
        findings_add(f, PROVEN, "events %llu to %llu, each naming the hash of "
                                "the one before, end at the signed head",
                     (unsigned long long)m->first_event,
                     (unsigned long long)m->last_event);
}

static void conclude_bundle(const struct reading *r, struct findings *f)
{
    const struct txmark *twice = txset_twice(&r->s->results);
    char txid[TXID_HEX + 1];

    if (twice)
        findings_add(f, BROKEN, "transactionId %s is bound twice",
                     txid_format(&twice->txid, txid));
    else
        findings_add(f, PROVEN, "%zu BPPs, each bound to a one-time key that "
                                "its eUICC signed, by a binding key of %s",
                     r->s->results.n, r->s->m.issuer);
}

static void conclude_request(const struct reading *r, struct findings *f)
{
    const struct txmark *twice = txset_twice(&r->s->results);
    char txid[TXID_HEX + 1];

    if (twice)
        findings_add(f, BROKEN, "transactionId %s is offered twice",
                     txid_format(&twice->txid, txid));
    else
        findings_add(f, PROVEN, "%zu one-time keys, each signed by its eUICC, "
                                "under its EUM, under the eSIM CA, offered to "
                                "SM-DPf %.*s",
                     r->s->results.n, (int)r->s->m.recipients.list.v[0].n,
                     (const char *)r->s->m.recipients.list.v[0].p);
}

/* What was quarantined may go on, to be voided or to a result; only later. */
static void conclude_held(struct subject *s, const struct txmark *held,
                          struct findings *f)
{
    const struct txmark *result = txset_find(&s->results, &held->txid);
    const struct txmark *voided = txset_find(&s->voided, &held->txid);
    char txid[TXID_HEX + 1];

    if ((result && result->event < held->event) ||
        (voided && voided->event < held->event))
        findings_add(f, BROKEN, "transactionId %s %s and is quarantined after "
                                "that", txid_format(&held->txid, txid),
                     result ? "has a result" : "is voided");
    s->tally.went_on += result || voided;
    s->by_bundle[held->bundle].went_on += result || voided;
}

static void conclude_report(const struct reading *r, struct findings *f)
{
    struct subject *s = r->s;
    char txid[TXID_HEX + 1];
    const struct {
        const struct txset *set;
        const char *text;
    } once[] = {
        { &s->results, "has two results" },
        { &s->voided, "is voided twice" },
        { &s->held, "is quarantined twice" },
        { &s->deleted, "is deleted twice" },
    };

    for (size_t i = 0; i < sizeof once / sizeof *once; i++) {
        const struct txmark *twice = txset_twice(once[i].set);
        if (twice)
            findings_add(f, BROKEN, "transactionId %s %s",
                         txid_format(&twice->txid, txid), once[i].text);
    }
    for (size_t i = 0; i < s->voided.n; i++)
        if (txset_find(&s->results, &s->voided.v[i].txid))
            findings_add(f, BROKEN, "transactionId %s has a result and is voided",
                         txid_format(&s->voided.v[i].txid, txid));
    for (size_t i = 0; i < s->held.n; i++)
        conclude_held(s, &s->held.v[i], f);
    findings_add(f, PROVEN,
                 "%llu results, %llu receipts and %llu deletions: each signed "
                 "by its eUICC, under its EUM, under the eSIM CA; %llu "
                 "installed, %llu failed",
                 (unsigned long long)s->tally.results,
                 (unsigned long long)s->tally.receipts,
                 (unsigned long long)s->tally.deletions,
                 (unsigned long long)s->tally.installed,
                 (unsigned long long)s->tally.failed);
    if (s->imeis.n)
        findings_add(f, NOT_PROVEN, "%zu units with their IMEI (--imeis lists them): "
                     "the station says so, no eUICC signed it", s->imeis.n);
    uint64_t claims = s->tally.failures + s->tally.voided + s->tally.quarantined;
    if (claims)
        findings_add(f, NOT_PROVEN,
                     "%llu failures, %llu voided, %llu quarantined: the "
                     "station says so, no eUICC signed it",
                     (unsigned long long)s->tally.failures,
                     (unsigned long long)s->tally.voided,
                     (unsigned long long)s->tally.quarantined);
}

void check_records(struct subject *s, const struct container_trust *t,
                   struct findings *f)
{
    struct reading r = { .s = s, .ci = t->ci, .at = t->at };
    struct err e = ERR_INIT;
    uint64_t records = 0, octets = 0;

    if (s->m.kind == KIND_AUDIT_LOG) {
        memcpy(r.head, s->m.head_before, EVENT_HASH);
        r.last_event = s->m.first_event ? s->m.first_event - 1 : 0;
    }
    int bad = chains_open(&r, &e) != 0 ||
              container_read_segments(s->dir, &s->m, on_record, &r, &e) != 0;
    txset_sort(&s->results);
    txset_sort(&s->voided);
    txset_sort(&s->held);
    txset_sort(&s->deleted);
    imeis_sort(&s->imeis);
    s->whole = !bad;
    if (bad) {
        findings_add(f, BROKEN, "%s: %s", s->path, e.msg);
    } else {
        for (size_t i = 0; i < s->m.segment_count; i++) {
            records += s->m.segments[i].records;
            octets += s->m.segments[i].size;
        }
        findings_add(f, PROVEN, "%zu segments, %llu records, %llu octets: "
                                "their SHA-256 are the signed ones",
                     s->m.segment_count, (unsigned long long)records,
                     (unsigned long long)octets);
        if (s->m.kind == KIND_AUDIT_LOG)
            conclude_log(&r, f);
        else if (s->m.kind == KIND_LOADING_REPORT)
            conclude_report(&r, f);
        else if (s->m.kind == KIND_BPP_BUNDLE)
            conclude_bundle(&r, f);
        else if (s->m.kind == KIND_BPP_REQUEST)
            conclude_request(&r, f);
        else if (s->m.kind == KIND_SHIFT_RECORD)
            shift_conclude(s, &r.shift, f);
    }
    chains_close(&r);
}
