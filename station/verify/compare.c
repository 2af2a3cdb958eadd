/* What containers prove about each other. */
#include "station/verify/subject.h"

#include <stdio.h>
#include <string.h>

static uint64_t sum_of(const struct bundle_totals *t)
{
    return t->in_stock + t->reserved + t->loading + t->installed + t->failed +
           t->quarantined + t->voided;
}

void check_totals(const struct subject *s, struct findings *f)
{
    bool ok = true;

    for (size_t i = 0; i < s->m.totals_count; i++) {
        const struct bundle_totals *t = &s->m.totals[i];
        if (t->received != sum_of(t) || t->deleted > t->installed) {
            findings_add(f, BROKEN, "bundle %s: %llu received, but its states "
                                    "add up to %llu", t->id,
                         (unsigned long long)t->received,
                         (unsigned long long)sum_of(t));
            ok = false;
        }
    }
    if (ok)
        findings_add(f, PROVEN, "the totals of %zu bundles add up: received = "
                                "in stock + reserved + loading + installed + "
                                "failed + quarantined + voided",
                     s->m.totals_count);
}

static const struct subject *bundle_by_id(const struct subject *v, size_t n,
                                          const char *id)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].m.kind == KIND_BPP_BUNDLE && strcmp(v[i].m.id, id) == 0)
            return &v[i];
    return NULL;
}

static uint64_t records_of(const struct subject *s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s->m.segment_count; i++)
        n += s->m.segments[i].records;
    return n;
}

void check_bundles(const struct subject *report, const struct subject *v,
                   size_t n, struct findings *f)
{
    size_t known = 0, broken = 0, strangers = 0;
    char txid[TXID_HEX + 1];

    for (size_t i = 0; i < report->m.totals_count; i++) {
        const struct bundle_totals *t = &report->m.totals[i];
        const struct subject *b = bundle_by_id(v, n, t->id);
        if (!b)
            continue;
        known++;
        if (memcmp(b->cms_sha256, t->manifest_sha256, 32) != 0 ||
            records_of(b) != t->received) {
            findings_add(f, BROKEN, "bundle %s: the report speaks of another "
                                    "manifest or count", t->id);
            broken++;
        }
    }
    for (size_t i = 0; i < report->results.n; i++) {
        const struct txmark *r = &report->results.v[i], *b = NULL;
        for (size_t k = 0; k < n && !b; k++)
            if (v[k].m.kind == KIND_BPP_BUNDLE)
                b = txset_find(&v[k].results, &r->txid);
        if (!b) {
            strangers++;
        } else if (!eid_eq(&b->eid, &r->eid)) {
            findings_add(f, BROKEN, "transactionId %s was bound to another "
                                    "eUICC than the one that reports it",
                         txid_format(&r->txid, txid));
            broken++;
        }
    }
    if (strangers && known == report->m.totals_count) {
        findings_add(f, BROKEN, "%zu results belong to none of the bundles",
                     strangers);
        broken++;
    }
    if (!broken && known)
        findings_add(f, PROVEN, "%zu of %zu bundles are at hand: manifests and "
                                "counts are the reported ones, and %zu results "
                                "belong to them, each from the eUICC it was "
                                "bound to", known, report->m.totals_count,
                     report->results.n - strangers);
    if (known < report->m.totals_count)
        findings_add(f, NOT_PROVEN, "%zu bundles of the totals were not given "
                                    "(--bundle)%s",
                     report->m.totals_count - known,
                     strangers ? "; results of theirs could not be looked up"
                               : "");
}

static const struct bundle_totals *totals_by_id(const struct subject *s,
                                                const char *id)
{
    for (size_t i = 0; i < s->m.totals_count; i++)
        if (strcmp(s->m.totals[i].id, id) == 0)
            return &s->m.totals[i];
    return NULL;
}

struct counted {
    uint64_t installed, failed, quarantined, voided, deleted;
};

static struct counted sum_totals(const struct subject *s)
{
    struct counted c = { 0 };

    for (size_t i = 0; i < s->m.totals_count; i++) {
        c.installed += s->m.totals[i].installed;
        c.failed += s->m.totals[i].failed;
        c.quarantined += s->m.totals[i].quarantined;
        c.voided += s->m.totals[i].voided;
        c.deleted += s->m.totals[i].deleted;
    }
    return c;
}

/* The totals grew by exactly what this report's records say. */
static void check_growth(const struct subject *s, const struct subject *before,
                         struct findings *f)
{
    struct counted now = sum_totals(s), was = { 0 };
    const struct tally *t = &s->tally;

    if (before) {
        was = sum_totals(before);
        for (size_t i = 0; i < before->m.totals_count; i++)
            if (!totals_by_id(s, before->m.totals[i].id))
                findings_add(f, BROKEN, "bundle %s was in the report before "
                                        "and is not in this one",
                             before->m.totals[i].id);
    }
    if (now.installed - was.installed != t->installed ||
        now.failed - was.failed != t->failed ||
        now.deleted - was.deleted != t->deletions ||
        now.voided - was.voided != t->voided ||
        now.quarantined - was.quarantined != t->quarantined)
        findings_add(f, BROKEN,
                     "the totals grew by %llu installed, %llu failed, %llu "
                     "quarantined, %llu voided, %llu deleted; the records say "
                     "%llu, %llu, %llu, %llu, %llu",
                     (unsigned long long)(now.installed - was.installed),
                     (unsigned long long)(now.failed - was.failed),
                     (unsigned long long)(now.quarantined - was.quarantined),
                     (unsigned long long)(now.voided - was.voided),
                     (unsigned long long)(now.deleted - was.deleted),
                     (unsigned long long)t->installed,
                     (unsigned long long)t->failed,
                     (unsigned long long)t->quarantined,
                     (unsigned long long)t->voided,
                     (unsigned long long)t->deletions);
    else
        findings_add(f, PROVEN, "the totals %s exactly what the records say",
                     before ? "grew since the report before by" : "are");
}

static void check_step(const struct subject *s, const struct subject *before,
                       struct findings *f)
{
    const struct manifest *m = &s->m, *p = &before->m;
    uint64_t from = p->last_event ? p->last_event + 1 : 0;

    if (strcmp(m->issuer, p->issuer) != 0 || m->sequence != p->sequence + 1 ||
        (m->first_event && from && m->first_event != from) ||
        memcmp(m->head_before, p->head_after, sizeof m->head_before) != 0)
        findings_add(f, BROKEN, "%s %llu does not take up where %llu ended",
                     kind_name(m->kind), (unsigned long long)m->sequence,
                     (unsigned long long)p->sequence);
    else
        findings_add(f, PROVEN, "%s %llu takes up where %llu ended: event "
                                "numbers, chain head and the hash of that "
                                "manifest", kind_name(m->kind),
                     (unsigned long long)m->sequence,
                     (unsigned long long)p->sequence);
}

static const struct subject *by_hash(const struct subject *v, size_t n,
                                     const uint8_t sha256[32])
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(v[i].cms_sha256, sha256, 32) == 0)
            return &v[i];
    return NULL;
}

/* A transactionId that has a result in an earlier report has none in this. */
static void check_once(const struct subject *s, const struct subject *others,
                       size_t n, struct findings *f)
{
    char txid[TXID_HEX + 1];
    size_t looked = 0;

    for (size_t k = 0; k < n; k++) {
        if (others[k].m.kind != KIND_LOADING_REPORT ||
            memcmp(others[k].cms_sha256, s->cms_sha256, 32) == 0)
            continue;
        looked++;
        for (size_t i = 0; i < s->results.n; i++)
            if (txset_find(&others[k].results, &s->results.v[i].txid))
                findings_add(f, BROKEN, "transactionId %s was reported before, "
                                        "in %s", txid_format(
                                 &s->results.v[i].txid, txid), others[k].path);
    }
    if (looked)
        findings_add(f, PROVEN, "no result of it is in any of %zu other reports "
                                "looked through", looked);
}

void check_continuity(const struct subject *s, const struct subject *others,
                      size_t n, struct findings *f)
{
    bool report = s->m.kind == KIND_LOADING_REPORT;
    bool has = report ? s->m.has_previous_report : s->m.has_previous_audit;
    const uint8_t *sha = report ? s->m.previous_report : s->m.previous_audit;
    const struct subject *before = has ? by_hash(others, n, sha) : NULL;
    static const uint8_t zero[32];

    if (!has) {
        if (s->m.sequence != 1 || s->m.first_event > 1 ||
            memcmp(s->m.head_before, zero, sizeof zero) != 0)
            findings_add(f, BROKEN, "%s %llu names none before it, but does "
                                    "not begin at event 1",
                         kind_name(s->m.kind),
                         (unsigned long long)s->m.sequence);
        else
            findings_add(f, PROVEN, "it is the station's first %s and begins "
                                    "at event 1", kind_name(s->m.kind));
    } else if (!before) {
        findings_add(f, NOT_PROVEN, "%s %llu, which this one follows, was not "
                                    "given (--previous)", kind_name(s->m.kind),
                     (unsigned long long)(s->m.sequence - 1));
    } else {
        check_step(s, before, f);
    }
    if (report && (!has || before))
        check_growth(s, before, f);
    if (report)
        check_once(s, others, n, f);
}

void check_pair(const struct subject *r, const struct subject *log,
                struct findings *f)
{
    if (r->m.last_event != log->m.last_event)
        return; /* of another visit */
    if (r->m.first_event != log->m.first_event ||
        strcmp(r->m.issuer, log->m.issuer) != 0 ||
        memcmp(r->m.head_after, log->m.head_after, 32) != 0)
        findings_add(f, BROKEN, "report and audit-log of event %llu do not "
                                "agree", (unsigned long long)r->m.last_event);
    else
        findings_add(f, PROVEN, "report and audit-log are of the same moment "
                                "and the same chain of events");
}
