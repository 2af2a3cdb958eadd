/* A shift-record against what else is at hand: the audit-logs that carry its
 * events, which are counted again here, and the loading-reports made of them.
 * Which event counts as what: docs/formats/ledger.md, "Figures". */
#include "station/verify/subject.h"

#include "station/base/clock.h"
#include "station/container/reader.h"
#include "station/container/shift_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

#define KEY_MAX 1400
#define TOLD_MAX 10 /* figures that differ, told one by one */

/* Figures by what they are of, as text. */
struct figure {
    char *key;
    uint64_t n;
};
struct figures {
    struct figure *v; /* by key */
    size_t n, cap;
};

static void figures_clear(struct figures *f)
{
    for (size_t i = 0; i < f->n; i++)
        free(f->v[i].key);
    free(f->v);
}

static size_t place_of(const struct figures *f, const char *key, bool *there)
{
    size_t low = 0, high = f->n;

    *there = false;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int c = strcmp(f->v[mid].key, key);
        if (c == 0) {
            *there = true;
            return mid;
        }
        if (c < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static int figures_room(struct figures *f)
{
    if (f->n < f->cap)
        return 0;
    size_t cap = f->cap ? f->cap * 2 : 64;
    void *v = realloc(f->v, cap * sizeof *f->v);
    if (!v)
        return -1;
    f->v = v;
    f->cap = cap;
    return 0;
}

static int figures_add(struct figures *f, const char *key, uint64_t n,
                       struct err *e)
{
    bool there;
    size_t at = place_of(f, key, &there);

    if (there) {
        f->v[at].n += n;
        return 0;
    }
    char *copy = strdup(key);
    if (!copy || figures_room(f) != 0) {
        free(copy);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    memmove(f->v + at + 1, f->v + at, (f->n - at) * sizeof *f->v);
    f->v[at] = (struct figure){ copy, n };
    f->n++;
    return 0;
}

static int add_count(struct figures *f, enum shift_what what,
                     struct span outcome, struct span code,
                     struct span fixture, struct span person, uint64_t n,
                     struct err *e)
{
    char key[KEY_MAX];

    snprintf(key, sizeof key, "%s '%.*s' '%.*s' at '%.*s' by '%.*s'",
             shift_what_name(what), (int)outcome.n, (const char *)outcome.p,
             (int)code.n, (const char *)code.p, (int)fixture.n,
             (const char *)fixture.p, (int)person.n, (const char *)person.p);
    return figures_add(f, key, n, e);
}

/* whose empty: positions */
static int add_move(struct figures *f, struct span whose, struct span from,
                    struct span to, uint64_t n, struct err *e)
{
    char key[KEY_MAX];

    if (whose.n == 0)
        whose = SPAN_STR("positions");
    snprintf(key, sizeof key, "%.*s from '%.*s' to '%.*s'", (int)whose.n,
             (const char *)whose.p, (int)from.n, (const char *)from.p, (int)to.n,
             (const char *)to.p);
    return figures_add(f, key, n, e);
}

/* --- what the record says --------------------------------------------------- */

struct said {
    const struct subject *s;
    struct figures figures;
    uint64_t by_kind[REPORT_KINDS]; /* what a report's records must be */
};

/* Which records of a report a count stands for. */
static void expect(struct said *a, const struct shift_record *r)
{
    static const struct {
        const char *outcome;
        enum report_kind kind;
    } of[] = {
        { "installed", REPORT_RESULT },     { "failed", REPORT_RESULT },
        { "deleted", REPORT_DELETION },     { "voided", REPORT_VOIDED },
        { "quarantined", REPORT_QUARANTINED },
    };

    if (r->what == SHIFT_FAILURE)
        a->by_kind[REPORT_FAILURE] += r->n;
    for (size_t i = 0; r->what == SHIFT_BPP && i < sizeof of / sizeof *of; i++)
        if (span_eq(r->outcome, SPAN_STR(of[i].outcome)))
            a->by_kind[of[i].kind] += r->n;
}

static int say(void *ctx, uint64_t number, struct span der, struct err *e)
{
    struct said *a = ctx;
    struct shift_record r;

    (void)number;
    if (shift_record_decode(der, &r, e) != 0)
        return -1;
    expect(a, &r);
    if (r.kind == SHIFT_COUNT)
        return add_count(&a->figures, r.what, r.outcome, r.code, r.fixture,
                         r.person, r.n, e);
    for (size_t i = 0; i < r.step_count; i++)
        if (add_move(&a->figures, r.bundle_id, r.steps[i].from, r.steps[i].to,
                     r.steps[i].n, e) != 0)
            return -1;
    return 0;
}

/* --- what the events say ------------------------------------------------------ */

struct recount {
    const struct manifest *m; /* the shift's */
    struct figures figures;
    uint64_t events;
    bool opened, closed;
};

static struct span field(const struct event *ev, const char *name)
{
    struct span v;

    return event_field_get(ev, name, &v) == 0 ? v : SPAN("", 0);
}

static bool is(struct span s, const char *word)
{
    return span_eq(s, SPAN_STR(word));
}

static uint64_t number_of(struct span s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || n > UINT64_MAX / 10 - 1)
            return 0;
        n = n * 10 + (uint64_t)(s.p[i] - '0');
    }
    return n;
}

static int count_unit(struct recount *c, const struct event *ev,
                      struct span outcome, struct span from, struct span to,
                      struct err *e)
{
    if (!is(outcome, "open") &&
        add_count(&c->figures, SHIFT_UNIT, outcome, field(ev, "code"),
                  field(ev, "fixture"), ev->actor, 1, e) != 0)
        return -1;
    return span_eq(from, to) ? 0
         : add_move(&c->figures, SPAN("", 0), from, to, 1, e);
}

static int count_bpp(struct recount *c, const struct event *ev,
                     struct err *e)
{
    struct span from = field(ev, "from"), to = field(ev, "to");
    bool aside = is(to, "reserved") ||
                 (is(to, "in-stock") && is(from, "reserved"));

    if (!aside && add_count(&c->figures, SHIFT_BPP, to, field(ev, "cause"),
                            field(ev, "fixture"), ev->actor, 1, e) != 0)
        return -1;
    return add_move(&c->figures, field(ev, "bundle"), from, to, 1, e);
}

static int count_deleted(struct recount *c, const struct event *ev,
                         struct err *e)
{
    const struct span to = SPAN_STR("deleted");

    return add_count(&c->figures, SHIFT_BPP, to, SPAN("", 0),
                     field(ev, "fixture"), ev->actor, 1, e) != 0 ? -1
         : add_move(&c->figures, field(ev, "bundle"), SPAN_STR("installed"), to,
                    1, e);
}

/* Who opened and closed it is what its first and last event say. */
static void look_at_ends(struct recount *c, const struct event *ev)
{
    const struct manifest_shift *s = &c->m->shift;
    bool this_one = number_of(field(ev, "shift")) == c->m->sequence;

    if (ev->number == c->m->first_event)
        c->opened = this_one && is(ev->kind, "shift-opened") &&
                    is(ev->actor, s->opened_by) && ev->at == s->opened_at &&
                    is(field(ev, "name"), s->name);
    if (ev->number == c->m->last_event)
        c->closed = this_one && is(ev->kind, "shift-closed") &&
                    is(ev->actor, s->closed_by) && ev->at == s->closed_at;
}

static int count_event(void *ctx, uint64_t number, struct span der,
                       struct err *e)
{
    struct recount *c = ctx;
    struct event ev;

    (void)number;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    if (ev.number < c->m->first_event || ev.number > c->m->last_event)
        return 0;
    c->events++;
    look_at_ends(c, &ev);
    if (is(ev.kind, "unit-registered"))
        return count_unit(c, &ev, SPAN_STR("registered"), SPAN("", 0),
                          SPAN_STR("open"), e);
    if (is(ev.kind, "position-moved"))
        return count_unit(c, &ev, field(&ev, "to"), field(&ev, "from"),
                          field(&ev, "to"), e);
    if (is(ev.kind, "bpp-moved"))
        return count_bpp(c, &ev, e);
    if (is(ev.kind, "bpp-deleted"))
        return count_deleted(c, &ev, e);
    if (is(ev.kind, "bundle-imported"))
        return add_move(&c->figures, field(&ev, "bundle"), SPAN("", 0),
                        SPAN_STR("in-stock"), number_of(field(&ev, "records")),
                        e);
    bool failure = is(ev.kind, "failure");
    if (!failure && !is(ev.kind, "unit-not-loaded"))
        return 0;
    return add_count(&c->figures, failure ? SHIFT_FAILURE : SHIFT_REFUSED,
                     SPAN("", 0), field(&ev, "code"), field(&ev, "fixture"),
                     ev.actor, 1, e);
}

/* --- both -------------------------------------------------------------------------- */

static bool figures_agree(const struct figures *said, const struct figures *seen,
                          struct findings *f)
{
    size_t i = 0, k = 0, told = 0;

    while (i < said->n || k < seen->n) {
        int c = i == said->n ? 1 : k == seen->n ? -1
              : strcmp(said->v[i].key, seen->v[k].key);
        uint64_t a = c <= 0 ? said->v[i].n : 0, b = c >= 0 ? seen->v[k].n : 0;
        const char *key = c <= 0 ? said->v[i].key : seen->v[k].key;
        if (a != b && told++ < TOLD_MAX)
            findings_add(f, BROKEN, "the shift says %llu, its events say %llu: "
                                    "%.300s", (ull)a, (ull)b, key);
        i += c <= 0;
        k += c >= 0;
    }
    if (told > TOLD_MAX)
        findings_add(f, BROKEN, "%zu more figures of the shift differ from its "
                                "events", told - TOLD_MAX);
    return told == 0;
}

static bool overlaps(const struct manifest *a, const struct manifest *b)
{
    return a->first_event && b->first_event &&
           a->first_event <= b->last_event && b->first_event <= a->last_event;
}

/* The log's hash of event `number`, NULL where it does not reach. */
static bool head_agrees(const struct subject *log, uint64_t number,
                        const uint8_t head[32])
{
    const struct manifest *m = &log->m;

    if (number + 1 < m->first_event || number > m->last_event)
        return true;
    const uint8_t *hash = number + 1 == m->first_event
                              ? m->head_before
                              : log->hashes[number - m->first_event];
    return memcmp(hash, head, 32) == 0;
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

/* Number i of v is of this kind, carries events of the shift, and did not come
 * before: the same folder may be given twice. */
static bool carries(const struct subject *s, const struct subject *v, size_t i,
                    enum container_kind kind)
{
    const struct subject *o = &v[i];

    if (o->m.kind != kind || !o->whole || !overlaps(&s->m, &o->m) ||
        strcmp(o->m.issuer, s->m.issuer) != 0)
        return false;
    for (size_t k = 0; k < i; k++)
        if (memcmp(v[k].cms_sha256, o->cms_sha256, sizeof o->cms_sha256) == 0)
            return false;
    return true;
}

static void check_events(const struct said *a, const struct subject *v,
                         size_t n, bool asked, struct findings *f)
{
    const struct subject *s = a->s;
    struct recount c = { .m = &s->m };
    uint64_t want = s->m.last_event - s->m.first_event + 1;
    struct err e = ERR_INIT;
    bool ok = true;

    for (size_t i = 0; i < n && ok; i++) {
        if (!carries(s, v, i, KIND_AUDIT_LOG))
            continue;
        ok = heads_agree(s, &v[i], f);
        if (ok && container_read_segments(v[i].dir, &v[i].m, count_event, &c,
                                          &e) != 0) {
            findings_add(f, BROKEN, "%s: %s", v[i].path, e.msg);
            ok = false;
        }
    }
    if (ok && c.events < want)
        findings_add(f, asked ? MISSING : NOT_PROVEN,
                     "the audit-logs given carry %llu of the %llu events of "
                     "shift %llu: its figures are the station's word",
                     (ull)c.events, (ull)want, (ull)s->m.sequence);
    else if (ok && c.events > want)
        findings_add(f, NOT_PROVEN, "two audit-logs carry the same events: the "
                                    "figures of shift %llu were not counted "
                                    "again",
                     (ull)s->m.sequence);
    else if (ok && (!c.opened || !c.closed))
        findings_add(f, BROKEN, "event %llu is not that shift %llu was %s as "
                                "the record says",
                     (ull)(c.opened ? s->m.last_event : s->m.first_event),
                     (ull)s->m.sequence, c.opened ? "closed" : "opened");
    else if (ok && figures_agree(&a->figures, &c.figures, f))
        findings_add(f, PROVEN, "the %zu figures of shift %llu are what its "
                                "%llu events add up to", a->figures.n,
                     (ull)s->m.sequence, (ull)want);
    figures_clear(&c.figures);
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
        is(r.smdp, t->smdp_oid) && r.after[FIGURE_RECEIVED] == t->received)
        return 0;
    k->ok = false;
    findings_add(k->f, BROKEN, "bundle %s is another one in loading-report %llu "
                               "(count, manifest or SM-DPf)", id,
                 (ull)k->report->m.sequence);
    return 0;
}

static void check_reports(const struct said *a, const struct subject *v,
                          size_t n, struct findings *f)
{
    const struct manifest *m = &a->s->m;
    uint64_t covered = 0, seen[REPORT_KINDS] = { 0 };
    struct err e = ERR_INIT;
    bool ok = true;

    for (size_t i = 0; i < n; i++) {
        const struct subject *r = &v[i];
        struct naming k = { r, 0, true, f };
        if (!carries(a->s, v, i, KIND_LOADING_REPORT))
            continue;
        uint64_t low = r->m.first_event > m->first_event ? r->m.first_event
                                                         : m->first_event;
        uint64_t high = r->m.last_event < m->last_event ? r->m.last_event
                                                        : m->last_event;
        covered += high - low + 1;
        for (size_t j = 0; j < r->facts.n; j++)
            if (r->facts.v[j].event >= low && r->facts.v[j].event <= high)
                seen[r->facts.v[j].kind]++;
        if (container_read_segments(a->s->dir, m, check_bundle_name, &k, &e) != 0)
            findings_add(f, BROKEN, "%s: %s", a->s->path, e.msg);
        ok = ok && k.ok;
    }
    if (covered != m->last_event - m->first_event + 1)
        return; /* only a part of it was reported, or twice: nothing to say */
    for (unsigned i = 0; i < REPORT_KINDS; i++) {
        if (i == REPORT_RECEIPT || seen[i] == a->by_kind[i])
            continue;
        ok = false;
        findings_add(f, BROKEN, "shift %llu counts %llu of what the "
                                "loading-reports call %s, they have %llu",
                     (ull)m->sequence, (ull)a->by_kind[i],
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
    struct said a = { .s = s };
    struct err e = ERR_INIT;

    if (container_read_segments(s->dir, &s->m, say, &a, &e) != 0) {
        findings_add(f, BROKEN, "%s: %s", s->path, e.msg);
    } else {
        check_events(&a, v, n, asked, f);
        check_reports(&a, v, n, f);
    }
    figures_clear(&a.figures);
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
