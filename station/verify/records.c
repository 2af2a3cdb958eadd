/* Reading and proving one container. */
#include "station/verify/subject.h"

#include "station/container/reader.h"
#include "station/container/report_record.h"
#include "station/ifpp/bpp.h"
#include "station/ifpp/event.h"
#include "station/ifpp/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        container_check_names(s->dir, &s->m, e) != 0) {
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
    txset_clear(&s->gone);
}

/* State of one reading. */
struct reading {
    struct subject *s;
    const struct trust *ci;
    int64_t at;
    struct issuer **eum; /* one per chain of the manifest */
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
    return 0;
}

static void chains_close(struct reading *r)
{
    for (size_t i = 0; r->eum && i < r->s->m.eum_chains.n; i++)
        issuer_free(r->eum[i]);
    free(r->eum);
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

static int take_result(struct reading *r, const struct report_record *rec,
                       EVP_PKEY *key, const struct eid *eid, struct err *e)
{
    struct install_result ir;
    struct subject *s = r->s;

    if (install_result_parse(rec->bf37, &ir, e) != 0 ||
        install_result_verify(&ir, key, NULL, e) != 0)
        return -1;
    s->tally.results++;
    if (ir.installed)
        s->tally.installed++;
    else
        s->tally.failed++;
    return txset_add(&s->results, &ir.txid, eid, ir.installed) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int take_receipt(struct reading *r, const struct report_record *rec,
                        EVP_PKEY *key, const struct eid *eid, struct err *e)
{
    struct receipt rc;

    if (receipt_parse(rec->receipt, &rc, e) != 0 ||
        receipt_verify(&rc, key, eid, rc.function, NULL, e) != 0)
        return -1;
    r->s->tally.receipts++;
    return 0;
}

static int take_deletion(struct reading *r, const struct report_record *rec,
                         EVP_PKEY *key, struct err *e)
{
    struct notification n;

    if (notification_parse(rec->notification, &n, e) != 0 ||
        notification_verify(&n, key, e) != 0)
        return -1;
    if (n.is_result || !(n.meta.op & 0x10))
        return err_set(e, ERR_CONFLICT, "the notification is of no deletion");
    r->s->tally.deletions++;
    return 0;
}

static int take_gone(struct reading *r, const struct report_record *rec,
                     struct err *e)
{
    struct txid t;
    const struct eid nobody = { { 0 } };

    if (!txid_from_span(rec->txid, &t))
        return err_set(e, ERR_FORMAT, "no transactionId");
    if (rec->kind == REPORT_VOIDED)
        r->s->tally.voided++;
    else
        r->s->tally.quarantined++;
    return txset_add(&r->s->gone, &t, &nobody,
                     rec->kind == REPORT_VOIDED) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int report_record(struct reading *r, struct span der, struct err *e)
{
    struct report_record rec;
    struct eid eid;
    EVP_PKEY *key = NULL;

    if (report_record_decode(der, &rec, e) != 0)
        return -1;
    const struct manifest *m = &r->s->m;
    if (rec.event < m->first_event || rec.event > m->last_event ||
        rec.event < r->last_event)
        return err_set(e, ERR_CONFLICT, "event %llu is out of order or outside "
                                        "this report",
                       (unsigned long long)rec.event);
    r->last_event = rec.event;
    if (rec.certificate.n &&
        euicc_of(r, rec.eum_chain, rec.certificate, &eid, &key, e) != 0)
        return -1;
    int bad = 0;
    switch (rec.kind) {
    case REPORT_RESULT:
        bad = take_result(r, &rec, key, &eid, e);
        break;
    case REPORT_RECEIPT:
        bad = take_receipt(r, &rec, key, &eid, e);
        break;
    case REPORT_DELETION:
        bad = take_deletion(r, &rec, key, e);
        break;
    case REPORT_VOIDED:
    case REPORT_QUARANTINED:
        bad = take_gone(r, &rec, e);
        break;
    default:
        r->s->tally.failures++;
        break;
    }
    EVP_PKEY_free(key);
    return bad;
}

/* Each event names the hash of the one before. */
static int log_record(struct reading *r, struct span der, struct err *e)
{
    struct event ev;

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
    return 0;
}

static int bundle_record(struct reading *r, struct span der, struct err *e)
{
    struct bpp_record b;
    EVP_PKEY *key = NULL;

    if (bpp_record_parse(der, &b, e) != 0)
        return -1;
    if (b.eum_chain >= r->s->m.eum_chains.n)
        return err_set(e, ERR_FORMAT, "EUM chain %u is not in the manifest",
                       b.eum_chain);
    if (issuer_check_euicc(r->eum[b.eum_chain], b.cert.whole, &b.eid, &key,
                           e) != 0)
        return -1;
    int bad = euicc_key_check(&b.key, key, e);
    EVP_PKEY_free(key);
    if (bad)
        return -1;
    return txset_add(&r->s->results, &b.key.txid, &b.eid, 0) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int on_record(void *ctx, uint64_t number, struct span record,
                     struct err *e)
{
    struct reading *r = ctx;
    int bad;

    switch (r->s->m.kind) {
    case KIND_LOADING_REPORT:
        bad = report_record(r, record, e);
        break;
    case KIND_AUDIT_LOG:
        bad = log_record(r, record, e);
        break;
    case KIND_BPP_BUNDLE:
        bad = bundle_record(r, record, e);
        break;
    default:
        bad = 0;
    }
    return bad ? err_wrap(e, "record %llu", (unsigned long long)number) : 0;
}

static void conclude_log(const struct reading *r, struct findings *f)
{
    const struct manifest *m = &r->s->m;

    if (r->last_event != (m->first_event ? m->last_event : r->last_event) ||
        memcmp(r->head, m->head_after, EVENT_HASH) != 0)
        findings_add(f, BROKEN, "the events do not end at the head the "
                                "manifest names");
    else if (m->first_event)
        findings_add(f, PROVEN, "events %llu to %llu, each naming the hash of "
                                "the one before, end at the signed head",
                     (unsigned long long)m->first_event,
                     (unsigned long long)m->last_event);
    else
        findings_add(f, PROVEN, "no events since the last audit-log");
}

static void conclude_report(const struct reading *r, struct findings *f)
{
    struct subject *s = r->s;
    char txid[TXID_HEX + 1];
    const struct txmark *twice = txset_twice(&s->results);

    if (twice)
        findings_add(f, BROKEN, "transactionId %s has two results",
                     txid_format(&twice->txid, txid));
    for (size_t i = 0; i < s->gone.n; i++)
        if (txset_find(&s->results, &s->gone.v[i].txid))
            findings_add(f, BROKEN, "transactionId %s has a result and is %s",
                         txid_format(&s->gone.v[i].txid, txid),
                         s->gone.v[i].mark ? "voided" : "quarantined");
    findings_add(f, PROVEN,
                 "%llu results, %llu receipts and %llu deletions: each signed "
                 "by its eUICC, under its EUM, under the eSIM CA; %llu "
                 "installed, %llu failed",
                 (unsigned long long)s->tally.results,
                 (unsigned long long)s->tally.receipts,
                 (unsigned long long)s->tally.deletions,
                 (unsigned long long)s->tally.installed,
                 (unsigned long long)s->tally.failed);
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
    txset_sort(&s->gone);
    if (bad) {
        findings_add(f, BROKEN, "%s", e.msg);
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
    }
    chains_close(&r);
}
