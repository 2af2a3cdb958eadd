/* What containers prove about each other. */
#include "station/verify/subject.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

/* --- totals ---------------------------------------------------------------- */

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
                                    "add up to %llu", t->id, (ull)t->received,
                         (ull)sum_of(t));
            ok = false;
        }
        if (i && strcmp(s->by_id[i - 1]->id, s->by_id[i]->id) == 0) {
            findings_add(f, BROKEN, "bundle %s stands twice in the totals",
                         s->by_id[i]->id);
            ok = false;
        }
    }
    if (ok)
        findings_add(f, PROVEN, "the totals of %zu bundles add up: received = "
                                "in stock + reserved + loading + installed + "
                                "failed + quarantined + voided",
                     s->m.totals_count);
}

/* --- bundles --------------------------------------------------------------- */

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

/* What the totals say of a bundle is what the bundle is. */
static bool bundle_is(const struct bundle_totals *t, const struct subject *b,
                      struct findings *f)
{
    const char *what =
        memcmp(b->cms_sha256, t->manifest_sha256, 32) != 0 ? "manifest"
        : records_of(b) != t->received                     ? "count"
        : strcmp(b->m.issuer, t->smdp_oid) != 0            ? "SM-DPf"
                                                           : NULL;

    if (what)
        findings_add(f, BROKEN, "bundle %s: the report speaks of another %s",
                     t->id, what);
    return !what;
}

/* What one result's or deletion's transactionId is in the bundle it names. */
static bool bound_so(const struct subject *report, const struct txmark *r,
                     const struct subject *b, struct findings *f)
{
    const struct txmark *bound = txset_find(&b->results, &r->txid);
    const struct bundle_totals *t = &report->m.totals[r->bundle];
    char txid[TXID_HEX + 1];

    txid_format(&r->txid, txid);
    if (!bound)
        findings_add(f, BROKEN, "transactionId %s is not in bundle %s, which "
                                "its record names", txid, t->id);
    else if (!eid_eq(&bound->eid, &r->eid))
        findings_add(f, BROKEN, "transactionId %s was bound to another eUICC "
                                "than the one that reports it", txid);
    return bound && eid_eq(&bound->eid, &r->eid);
}

/* Quarantined and voided ones are named by the station alone. */
static bool gone_so(const struct subject *report, const struct txmark *g,
                    const struct subject *b, struct findings *f)
{
    char txid[TXID_HEX + 1];

    if (txset_find(&b->results, &g->txid))
        return true;
    findings_add(f, BROKEN, "transactionId %s is not in bundle %s, which its "
                            "record names", txid_format(&g->txid, txid),
                 report->m.totals[g->bundle].id);
    return false;
}

struct looked {
    size_t up, without, broken;
};

static void look_up(const struct subject *report, const struct txset *set,
                    const struct subject *v, size_t n,
                    bool (*fits)(const struct subject *, const struct txmark *,
                                 const struct subject *, struct findings *),
                    struct looked *l, struct findings *f)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct txmark *x = &set->v[i];
        const struct subject *b =
            bundle_by_id(v, n, report->m.totals[x->bundle].id);
        if (!b || !b->whole)
            l->without++;
        else if (fits(report, x, b, f))
            l->up++;
        else
            l->broken++;
    }
}

static void note_unknown(const struct subject *report, const struct subject *v,
                         size_t n, struct findings *f)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].m.kind == KIND_BPP_BUNDLE &&
            !subject_totals(report, v[i].m.id))
            findings_add(f, NOT_PROVEN,
                         "bundle %s is not in the totals of report %llu: by "
                         "event %llu the station had not taken it in, or it "
                         "does not say so", v[i].m.id, (ull)report->m.sequence,
                         (ull)report->m.last_event);
}

void check_bundles(const struct subject *report, const struct subject *v,
                   size_t n, bool asked, struct findings *f)
{
    struct looked l = { 0 };
    size_t known = 0;

    for (size_t i = 0; i < report->m.totals_count; i++) {
        const struct bundle_totals *t = &report->m.totals[i];
        const struct subject *b = bundle_by_id(v, n, t->id);
        known += b != NULL;
        if (b && !bundle_is(t, b, f))
            l.broken++;
    }
    look_up(report, &report->results, v, n, bound_so, &l, f);
    look_up(report, &report->deleted, v, n, bound_so, &l, f);
    look_up(report, &report->voided, v, n, gone_so, &l, f);
    look_up(report, &report->held, v, n, gone_so, &l, f);
    if (!l.broken && known)
        findings_add(f, PROVEN, "%zu of %zu bundles are at hand: manifests and "
                                "counts are the reported ones, and %zu records "
                                "belong to them, each from the eUICC it was "
                                "bound to", known, report->m.totals_count,
                     l.up);
    if (known < report->m.totals_count)
        findings_add(f, asked ? MISSING : NOT_PROVEN,
                     "%zu of %zu bundles of the totals were not given "
                     "(--bundle): %zu records could not be looked up",
                     report->m.totals_count - known, report->m.totals_count,
                     l.without);
    note_unknown(report, v, n, f);
}

/* --- from visit to visit --------------------------------------------------- */

/* What a bundle's counters did since the report before. */
static const struct {
    const char *name;
    size_t total, tally; /* offsets */
} counters[] = {
#define C(t, y) { #t, offsetof(struct bundle_totals, t), \
                  offsetof(struct tally, y) }
    C(installed, installed), C(failed, failed), C(voided, voided),
    C(deleted, deletions),
#undef C
};
#define COUNTERS (sizeof counters / sizeof *counters)

static uint64_t number_at(const void *base, size_t offset)
{
    uint64_t v;

    memcpy(&v, (const char *)base + offset, sizeof v);
    return v;
}

/* What was quarantined in an earlier report goes on by a record that looks like
 * any other: between none and all of this report's may be such. Those that were
 * quarantined in this one are known. */
static bool held_so(uint64_t before, uint64_t after, const struct tally *t)
{
    uint64_t most = before + t->quarantined - t->went_on;
    uint64_t others = t->results + t->voided - t->went_on;

    return after <= most && after + others >= most;
}

static bool grew_so(const struct bundle_totals *now,
                    const struct bundle_totals *was, const struct tally *t,
                    struct findings *f)
{
    static const struct bundle_totals none;
    bool ok = true;

    for (size_t i = 0; i < COUNTERS; i++) {
        uint64_t before = number_at(was ? was : &none, counters[i].total);
        uint64_t after = number_at(now, counters[i].total);
        uint64_t said = number_at(t, counters[i].tally);
        if (after == before + said)
            continue;
        ok = false;
        findings_add(f, BROKEN, "bundle %s: %s went from %llu to %llu, but the "
                                "records say %llu more", now->id,
                     counters[i].name, (ull)before, (ull)after, (ull)said);
    }
    if (!held_so(was ? was->quarantined : 0, now->quarantined, t)) {
        ok = false;
        findings_add(f, BROKEN, "bundle %s: quarantined went from %llu to %llu, "
                                "but the records say %llu more, and %llu of them "
                                "gone on", now->id,
                     (ull)(was ? was->quarantined : 0), (ull)now->quarantined,
                     (ull)t->quarantined, (ull)t->went_on);
    }
    if (was && (was->received != now->received ||
                memcmp(was->manifest_sha256, now->manifest_sha256, 32) != 0 ||
                strcmp(was->smdp_oid, now->smdp_oid) != 0)) {
        findings_add(f, BROKEN, "bundle %s is another one than in the report "
                                "before (count, manifest or SM-DPf)", now->id);
        ok = false;
    }
    return ok;
}

/* The totals grew by exactly what this report's records say. */
static void check_growth(const struct subject *s, const struct subject *before,
                         struct findings *f)
{
    bool ok = true;

    for (size_t i = 0; before && i < before->m.totals_count; i++)
        if (!subject_totals(s, before->m.totals[i].id)) {
            findings_add(f, BROKEN, "bundle %s was in the report before and is "
                                    "not in this one", before->m.totals[i].id);
            ok = false;
        }
    for (size_t i = 0; i < s->m.totals_count; i++)
        if (!grew_so(&s->m.totals[i],
                     before ? subject_totals(before, s->m.totals[i].id) : NULL,
                     &s->by_bundle[i], f))
            ok = false;
    if (ok)
        findings_add(f, PROVEN, "each bundle's totals %s exactly what the "
                                "records say",
                     before ? "grew since the report before by" : "are");
}

/* What is wrong with `m` as the successor of `p`; NULL: nothing. */
static const char *step_fault(const struct manifest *m,
                              const struct manifest *p)
{
    if (m->sequence != p->sequence + 1)
        return "its number is not the next";
    if (m->first_event && m->first_event != p->last_event + 1 && p->last_event)
        return "its events are not the next ones";
    if (memcmp(m->head_before, p->head_after, sizeof m->head_before) != 0)
        return "its chain of events begins at another head";
    return NULL;
}

/* True: the one before is this station's own, or of one whose ledger it took
 * over. Otherwise that has been said. */
static bool same_ledger(const struct subject *s, const struct subject *before,
                        const struct subject *v, size_t n, bool asked,
                        struct findings *f)
{
    bool seen;

    if (strcmp(s->m.issuer, before->m.issuer) == 0)
        return true;
    const struct restored *r = restores_join(v, n, &before->m, &s->m, &seen);
    if (r)
        findings_add(f, PROVEN, "%s took over the ledger of %s: restored at event "
                                "%llu from backup %s, epoch %llu", s->m.issuer,
                     before->m.issuer, (ull)r->event, r->backup, (ull)r->epoch);
    else if (seen)
        findings_add(f, BROKEN, "%s %llu does not take up where %llu ended: that "
                                "one is of another station", kind_name(s->m.kind),
                     (ull)s->m.sequence, (ull)before->m.sequence);
    else
        findings_add(f, asked ? MISSING : NOT_PROVEN,
                     "%s %llu follows one of station %s: whether %s took over its "
                     "ledger is told by an audit-log that was not given",
                     kind_name(s->m.kind), (ull)s->m.sequence, before->m.issuer,
                     s->m.issuer);
    return r != NULL;
}

static void check_step(const struct subject *s, const struct subject *before,
                       const struct subject *v, size_t n, bool asked,
                       struct findings *f)
{
    if (!same_ledger(s, before, v, n, asked, f))
        return;
    const char *fault = step_fault(&s->m, &before->m);

    if (fault)
        findings_add(f, BROKEN, "%s %llu does not take up where %llu ended: %s",
                     kind_name(s->m.kind), (ull)s->m.sequence,
                     (ull)before->m.sequence, fault);
    else
        findings_add(f, PROVEN, "%s %llu takes up where %llu ended: event "
                                "numbers, chain head and the hash of that "
                                "manifest", kind_name(s->m.kind),
                     (ull)s->m.sequence, (ull)before->m.sequence);
}

static const struct subject *by_hash(const struct subject *v, size_t n,
                                     enum container_kind kind,
                                     const uint8_t sha256[32])
{
    for (size_t i = 0; i < n; i++)
        if (v[i].m.kind == kind && memcmp(v[i].cms_sha256, sha256, 32) == 0)
            return &v[i];
    return NULL;
}

/* The one that s should follow, whatever s says of it. */
static const struct subject *by_number(const struct subject *s,
                                       const struct subject *v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (v[i].m.kind == s->m.kind &&
            v[i].m.sequence + 1 == s->m.sequence &&
            strcmp(v[i].m.issuer, s->m.issuer) == 0)
            return &v[i];
    return NULL;
}

static bool same(const struct subject *a, const struct subject *b)
{
    return memcmp(a->cms_sha256, b->cms_sha256, sizeof a->cms_sha256) == 0;
}

/* x of s and y of other are one signed result of one bundle. */
static bool same_result(const struct subject *s, const struct txmark *x,
                        const struct subject *other, const struct txmark *y)
{
    const struct fact *a = facts_find(&s->facts, x->event);
    const struct fact *b = facts_find(&other->facts, y->event);
    const struct bundle_totals *in = &s->m.totals[x->bundle];
    const struct bundle_totals *too = &other->m.totals[y->bundle];

    return a && b && memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0 &&
           strcmp(in->id, too->id) == 0 &&
           memcmp(in->manifest_sha256, too->manifest_sha256, 32) == 0;
}

/* Two stations may report one result: both were given the bundle, and the
 * eUICC tells whoever asks. An event that both have, because one took over the
 * other's ledger after it, is one event in both. */
static bool told_to_both(const struct subject *s, const struct txmark *x,
                         const struct subject *other, const struct txmark *y,
                         const struct subject *v, size_t n)
{
    const char *a = s->m.issuer, *b = other->m.issuer;

    return strcmp(a, b) != 0 && same_result(s, x, other, y) &&
           (x->event == y->event || (!restores_share(v, n, a, b, x->event) &&
                                     !restores_share(v, n, a, b, y->event)));
}

/* A transactionId has one result, and each station reports it once. */
static void check_once(const struct subject *s, const struct subject *others,
                       size_t n, struct findings *f)
{
    char txid[TXID_HEX + 1];
    size_t looked = 0, both = 0;
    bool ok = true;

    for (size_t k = 0; k < n; k++) {
        if (others[k].m.kind != KIND_LOADING_REPORT || same(s, &others[k]))
            continue;
        looked++;
        for (size_t i = 0; i < s->results.n; i++) {
            const struct txmark *x = &s->results.v[i];
            const struct txmark *y = txset_find(&others[k].results, &x->txid);
            if (y && told_to_both(s, x, &others[k], y, others, n)) {
                both++;
            } else if (y) {
                findings_add(f, BROKEN, "transactionId %s is reported in %s "
                                        "too", txid_format(&x->txid, txid),
                             others[k].path);
                ok = false;
            }
        }
    }
    if (looked && ok && both)
        findings_add(f, PROVEN, "of its results, %zu are in another station's "
                                "report too, the same octets of one bundle; no "
                                "other is in any of %zu reports looked through",
                     both, looked);
    else if (looked && ok)
        findings_add(f, PROVEN, "no result of it is in any of %zu other reports "
                                "looked through", looked);
}

/* A station makes one export of each number. */
static void check_fork(const struct subject *s, const struct subject *others,
                       size_t n, struct findings *f)
{
    for (size_t k = 0; k < n; k++)
        if (others[k].m.kind == s->m.kind && !same(s, &others[k]) &&
            others[k].m.sequence == s->m.sequence &&
            strcmp(others[k].m.issuer, s->m.issuer) == 0)
            findings_add(f, BROKEN, "%s is another %s of the same number %llu",
                         others[k].path, kind_name(s->m.kind),
                         (ull)s->m.sequence);
}

static const struct txmark *installed_in(const struct subject *s,
                                         const struct txmark *d)
{
    const struct txmark *r = txset_find(&s->results, &d->txid);

    return s->m.kind == KIND_LOADING_REPORT && r && r->mark &&
           eid_eq(&r->eid, &d->eid) ? r : NULL;
}

/* What is deleted was installed before, in that eUICC. */
static void check_deletions(const struct subject *s,
                            const struct subject *others, size_t n,
                            struct findings *f)
{
    char txid[TXID_HEX + 1];
    size_t unknown = 0;

    for (size_t i = 0; i < s->deleted.n; i++) {
        const struct txmark *d = &s->deleted.v[i];
        bool found = installed_in(s, d);
        for (size_t k = 0; k < n && !found; k++)
            found = installed_in(&others[k], d);
        if (!found && !s->m.has_previous_report)
            findings_add(f, BROKEN, "transactionId %s is deleted, but was "
                                    "never installed in that eUICC",
                         txid_format(&d->txid, txid));
        unknown += !found;
    }
    if (unknown && s->m.has_previous_report)
        findings_add(f, NOT_PROVEN, "%zu deletions are of profiles whose "
                                    "installation is in no report given",
                     unknown);
}

static void check_first(const struct subject *s, struct findings *f)
{
    static const uint8_t zero[32];

    if (s->m.sequence != 1 || s->m.first_event > 1 ||
        memcmp(s->m.head_before, zero, sizeof zero) != 0)
        findings_add(f, BROKEN, "%s %llu names none before it, but is not "
                                "number 1 that begins at event 1",
                     kind_name(s->m.kind), (ull)s->m.sequence);
    else
        findings_add(f, PROVEN, "it is the station's first %s and begins at "
                                "event 1", kind_name(s->m.kind));
}

void check_continuity(const struct subject *s, const struct subject *others,
                      size_t n, bool asked, struct findings *f)
{
    bool report = s->m.kind == KIND_LOADING_REPORT;
    bool has = report ? s->m.has_previous_report : s->m.has_previous_audit;
    const uint8_t *sha = report ? s->m.previous_report : s->m.previous_audit;
    const struct subject *before =
        has ? by_hash(others, n, s->m.kind, sha) : NULL;

    if (!has)
        check_first(s, f);
    else if (before)
        check_step(s, before, others, n, asked, f);
    else if ((before = by_number(s, others, n)))
        findings_add(f, BROKEN, "%s %llu names another manifest before it than "
                                "that of number %llu, %s",
                     kind_name(s->m.kind), (ull)s->m.sequence,
                     (ull)before->m.sequence, before->path);
    else
        findings_add(f, asked ? MISSING : NOT_PROVEN,
                     "the %s that number %llu of %s follows was not given "
                     "(--previous)", kind_name(s->m.kind),
                     (ull)s->m.sequence, s->m.issuer);
    check_fork(s, others, n, f);
    if (!report)
        return;
    if (!has || before)
        check_growth(s, before, f);
    check_once(s, others, n, f);
    check_deletions(s, others, n, f);
}

/* --- report and audit-log -------------------------------------------------- */

const uint8_t *log_hash(const struct subject *log, uint64_t number)
{
    const struct manifest *m = &log->m;

    if (m->first_event == 0 || number + 1 < m->first_event ||
        number > m->last_event)
        return NULL;
    return number + 1 == m->first_event
               ? m->head_before : log->hashes[number - m->first_event];
}

static bool head_is(const struct subject *log, uint64_t number,
                    const uint8_t head[32], struct findings *f)
{
    const uint8_t *hash = log_hash(log, number);

    if (!hash || memcmp(hash, head, 32) == 0)
        return true;
    findings_add(f, BROKEN, "event %llu of audit-log %llu is not the one that "
                            "the report's chain of events has there",
                 (ull)number, (ull)log->m.sequence);
    return false;
}

static bool within(const struct manifest *m, uint64_t event)
{
    return m->first_event && event >= m->first_event && event <= m->last_event;
}

/* Both lists are in the order of events. */
static bool facts_agree(const struct subject *r, const struct subject *log,
                        size_t *agreed, struct findings *f)
{
    const struct facts *a = &r->facts, *b = &log->facts;
    size_t i = 0, k = 0;
    bool ok = true;

    while (i < a->n || k < b->n) {
        const struct fact *x = i < a->n ? &a->v[i] : NULL;
        const struct fact *y = k < b->n ? &b->v[k] : NULL;
        const struct fact *low = !y || (x && x->event <= y->event) ? x : y;
        bool in_x = x && x->event == low->event;
        bool in_y = y && y->event == low->event;
        i += in_x;
        k += in_y;
        if (!within(&r->m, low->event) || !within(&log->m, low->event))
            continue;
        if (in_x && in_y && fact_eq(x, y)) {
            ++*agreed;
            continue;
        }
        ok = false;
        findings_add(f, BROKEN, "event %llu (%s) %s", (ull)low->event,
                     report_kind_name(low->kind),
                     !in_x   ? "is in the audit-log, and the report hides it"
                     : !in_y ? "is in the report, and the audit-log knows "
                               "nothing of it"
                             : "has other evidence in the report than in the "
                               "audit-log");
    }
    return ok;
}

static void check_log(const struct subject *r, const struct subject *log,
                      struct findings *f)
{
    const struct manifest *m = &r->m;
    size_t agreed = 0;

    uint64_t before = m->first_event ? m->first_event - 1 : 0;
    bool heads = m->first_event == 0 ||
                 (head_is(log, before, m->head_before, f) &&
                  head_is(log, m->last_event, m->head_after, f));
    if (!facts_agree(r, log, &agreed, f) || !heads)
        return;
    if (within(&log->m, m->first_event) || within(&log->m, m->last_event))
        findings_add(f, PROVEN, "report %llu and audit-log %llu are of one "
                                "chain of events, and %zu records of the "
                                "report are exactly what the log says was "
                                "recorded", (ull)m->sequence,
                     (ull)log->m.sequence, agreed);
}

void check_logs(const struct subject *r, const struct subject *v, size_t n,
                bool asked, struct findings *f)
{
    bool reached = r->m.last_event == 0;

    for (size_t i = 0; i < n; i++) {
        if (v[i].m.kind != KIND_AUDIT_LOG || !v[i].whole ||
            strcmp(v[i].m.issuer, r->m.issuer) != 0)
            continue;
        reached = reached || within(&v[i].m, r->m.last_event);
        check_log(r, &v[i], f);
    }
    if (!reached)
        findings_add(f, asked ? MISSING : NOT_PROVEN,
                     "no audit-log given reaches event %llu, the last of report "
                     "%llu: whether the report hides a record is not seen",
                     (ull)r->m.last_event, (ull)r->m.sequence);
}
