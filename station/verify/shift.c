/* A shift-record against what else is at hand: the audit-logs that carry its
 * events and those before, which were counted again (recount.h), and the
 * loading-reports made of its events. */
#include "station/verify/subject.h"

#include "station/base/clock.h"
#include "station/container/reader.h"
#include "station/container/shift_record.h"

#include <stdio.h>
#include <string.h>

typedef unsigned long long ull;

/* --- its events ------------------------------------------------------------------- */

static bool head_agrees(const struct subject *log, uint64_t number,
                        const uint8_t head[32])
{
    const uint8_t *hash = log_hash(log, number);

    return !hash || memcmp(hash, head, 32) == 0;
}

static bool heads_agree(const struct subject *s, const struct subject *log,
                        struct findings *f)
{
    const struct manifest *m = &s->m;

    if (head_agrees(log, m->first_event - 1, m->head_before) &&
        head_agrees(log, m->last_event, m->head_after))
        return true;
    findings_add(f, BROKEN, "audit-log %llu has other events where shift %llu "
                            "begins or ends", (ull)log->m.sequence,
                 (ull)m->sequence);
    return false;
}

/* It is of this kind, carries events from this one to the shift's last, and was not
 * given before: the same folder may be given twice. */
static bool carries(const struct subject *s, const struct subject *o,
                    enum container_kind kind, uint64_t from)
{
    return o->m.kind == kind && o->whole && !o->again && o->m.first_event &&
           o->m.first_event <= s->m.last_event && o->m.last_event >= from &&
           strcmp(o->m.issuer, s->m.issuer) == 0;
}

static void tell(const struct findings *from, struct findings *f)
{
    for (size_t i = 0; i < from->n; i++)
        findings_add(f, from->v[i].what, "%s", from->v[i].text);
    f->lost |= from->lost;
}

/* Also what the events before it, if they are all there, say of the beginning. */
static void compare_figures(const struct subject *s, struct findings *f)
{
    const struct recount *r = s->recount;
    ull number = s->m.sequence, before = s->m.first_event - 1;

    if (r->agree)
        findings_add(f, PROVEN, "the %zu figures of shift %llu are what its "
                                "%llu events add up to", r->figures, number,
                     (ull)r->events);
    tell(&r->differ, f);
    if (r->twice_before)
        findings_add(f, NOT_PROVEN, "two audit-logs carry the same events before shift "
                                    "%llu: the balances at its beginning were not "
                                    "counted again", number);
    else if (r->earlier != before)
        findings_add(f, NOT_PROVEN, "the audit-logs given carry %llu of the %llu "
                                    "events before shift %llu: the balances at "
                                    "its beginning are the station's word",
                     (ull)r->earlier, before, number);
    else if (r->begins_so)
        findings_add(f, PROVEN, "the balances at the beginning of shift %llu are "
                                "what the %llu events before it add up to",
                     number, before);
    else
        tell(&r->begins_not, f);
}

static bool heads_agree_all(const struct subject *s, const struct subject *v, size_t n,
                            struct findings *f)
{
    for (size_t i = 0; i < n; i++)
        if (carries(s, &v[i], KIND_AUDIT_LOG, 1) && !heads_agree(s, &v[i], f))
            return false;
    return true;
}

static void check_events(const struct subject *s, bool asked, struct findings *f)
{
    const struct recount *r = s->recount;
    uint64_t want = s->m.last_event - s->m.first_event + 1;

    if (r->twice)
        findings_add(f, NOT_PROVEN, "two audit-logs carry the same events: the "
                                    "figures of shift %llu were not counted "
                                    "again", (ull)s->m.sequence);
    else if (r->events < want)
        findings_add(f, asked ? MISSING : NOT_PROVEN,
                     "the audit-logs given carry %llu of the %llu events of "
                     "shift %llu: its figures are the station's word",
                     (ull)r->events, (ull)want, (ull)s->m.sequence);
    else if (!r->opened || !r->closed)
        findings_add(f, BROKEN, "event %llu is not that shift %llu was %s as "
                                "the record says",
                     (ull)(r->opened ? s->m.last_event : s->m.first_event),
                     (ull)s->m.sequence, r->opened ? "closed" : "opened");
    else
        compare_figures(s, f);
}

/* A bundle is the same one wherever it is spoken of. */
struct naming {
    const struct subject *report;
    size_t known;
    bool ok;
    struct findings *f;
};

static int check_bundle_name(void *ctx, uint64_t number, struct span der,
                             struct err *e)
{
    struct naming *k = ctx;
    struct shift_record r;
    char id[UUID_LEN + 1];

    (void)number;
    if (shift_record_decode(der, &r, e) != 0)
        return -1;
    if (r.kind != SHIFT_BUNDLE)
        return 0;
    snprintf(id, sizeof id, "%.*s", (int)r.bundle_id.n,
             (const char *)r.bundle_id.p);
    const struct bundle_totals *t = subject_totals(k->report, id);
    if (!t)
        return 0;
    k->known++;
    if (span_eq(r.manifest_sha256, SPAN_ARRAY(t->manifest_sha256)) &&
        span_eq(r.smdp, SPAN_STR(t->smdp_oid)) && r.after[FIGURE_RECEIVED] == t->received)
        return 0;
    k->ok = false;
    findings_add(k->f, BROKEN, "bundle %s is another one in loading-report %llu "
                               "(count, manifest or SM-DPf)", id,
                 (ull)k->report->m.sequence);
    return 0;
}

/* How many facts of events low..high there are, by kind. */
static void count_facts(const struct facts *f, uint64_t low, uint64_t high,
                        uint64_t seen[REPORT_KINDS])
{
    size_t at = 0, end = f->n;

    while (at < end) { /* they are in the order of events */
        size_t mid = at + (end - at) / 2;
        if (f->v[mid].event < low)
            at = mid + 1;
        else
            end = mid;
    }
    for (; at < f->n && f->v[at].event <= high; at++)
        seen[f->v[at].kind]++;
}

static void check_reports(const struct subject *s, const struct subject *v,
                          size_t n, struct findings *f)
{
    const struct manifest *m = &s->m;
    uint64_t covered = 0, seen[REPORT_KINDS] = { 0 };
    struct err e = ERR_INIT;
    bool ok = true;

    for (size_t i = 0; i < n; i++) {
        const struct subject *r = &v[i];
        struct naming k = { r, 0, true, f };
        if (!carries(s, r, KIND_LOADING_REPORT, m->first_event))
            continue;
        uint64_t low = r->m.first_event > m->first_event ? r->m.first_event
                                                         : m->first_event;
        uint64_t high = r->m.last_event < m->last_event ? r->m.last_event
                                                        : m->last_event;
        covered += high - low + 1;
        count_facts(&r->facts, low, high, seen);
        if (container_read_segments(s->dir, m, check_bundle_name, &k, &e) != 0)
            findings_add(f, BROKEN, "%s: %s", s->path, e.msg);
        ok = ok && k.ok;
    }
    if (covered != m->last_event - m->first_event + 1)
        return; /* only a part of it was reported, or twice: nothing to say */
    for (unsigned i = 0; i < REPORT_KINDS; i++) {
        if (i == REPORT_RECEIPT || seen[i] == s->recount->by_kind[i])
            continue;
        ok = false;
        findings_add(f, BROKEN, "shift %llu counts %llu of what the "
                                "loading-reports call %s, they have %llu",
                     (ull)m->sequence, (ull)s->recount->by_kind[i],
                     report_kind_name((enum report_kind)i), (ull)seen[i]);
    }
    if (ok)
        findings_add(f, PROVEN, "shift %llu counts as many results, failures, "
                                "deletions, voided and quarantined as the "
                                "loading-reports of its events carry",
                     (ull)m->sequence);
}

void check_shift(const struct subject *s, const struct subject *v, size_t n,
                 bool asked, struct findings *f)
{
    if (s->recount->why.code) {
        findings_add(f, BROKEN, "%s", s->recount->why.msg);
        return;
    }
    if (heads_agree_all(s, v, n, f))
        check_events(s, asked, f);
    check_reports(s, v, n, f);
}

/* --- its records -------------------------------------------------------------------- */

int shift_record_take(struct shift_reading *r, struct span der, struct err *e)
{
    struct shift_record rec;

    if (shift_record_decode(der, &rec, e) != 0)
        return -1;
    if (rec.kind < r->last || (rec.kind == SHIFT_POSITIONS && r->records))
        return err_set(e, ERR_CONFLICT, "positions come first and once, then "
                                        "bundles, then counts");
    r->last = rec.kind;
    r->records++;
    if (rec.kind == SHIFT_BUNDLE)
        r->bundles++;
    return 0;
}

void shift_conclude(const struct subject *s, const struct shift_reading *r,
                    struct findings *f)
{
    const struct manifest_shift *m = &s->m.shift;
    char opened[24], closed[24];

    findings_add(f, PROVEN, "shift %llu%s%s, opened by %s at %s, closed by %s at "
                            "%s, says: the balances of positions and of %llu "
                            "bundles at its end are those at its beginning and "
                            "the moves between", (ull)s->m.sequence,
                 m->name[0] ? " " : "", m->name, m->opened_by,
                 clock_text(m->opened_at, opened), m->closed_by,
                 clock_text(m->closed_at, closed), (ull)r->bundles);
}
