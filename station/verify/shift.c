/* A shift-record against what else is at hand: the audit-logs that carry its
 * events and those before, which are counted again here, and the
 * loading-reports made of its events.
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

/* n things of a bundle, or positions if `whose` is empty, change state. */
struct move {
    struct span whose, from, to; /* from empty: they come in */
    uint64_t n;
};

static struct span owner(struct span whose)
{
    return whose.n ? whose : SPAN_STR("positions");
}

static int add_move(struct figures *f, const struct move *m, struct err *e)
{
    struct span whose = owner(m->whose);
    char key[KEY_MAX];

    snprintf(key, sizeof key, "%.*s from '%.*s' to '%.*s'", (int)whose.n,
             (const char *)whose.p, (int)m->from.n, (const char *)m->from.p,
             (int)m->to.n, (const char *)m->to.p);
    return figures_add(f, key, m->n, e);
}

static int add_state(struct figures *f, struct span whose, struct span state,
                     uint64_t n, struct err *e)
{
    char key[KEY_MAX];

    whose = owner(whose);
    snprintf(key, sizeof key, "%.*s '%.*s' when it was opened", (int)whose.n,
             (const char *)whose.p, (int)state.n, (const char *)state.p);
    return figures_add(f, key, n, e);
}

/* --- what the record says --------------------------------------------------- */

struct said {
    const struct subject *s;
    struct figures figures;
    struct figures before; /* the balances at its beginning */
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

static int say_balance(struct said *a, const struct shift_record *r,
                       struct err *e)
{
    for (size_t i = 0; i < r->state_count; i++)
        if (add_state(&a->before, r->bundle_id, r->states[i].name,
                      r->states[i].before, e) != 0)
            return -1;
    for (int i = FIGURE_IN_STOCK; r->kind == SHIFT_BUNDLE && i < FIGURES; i++)
        if (add_state(&a->before, r->bundle_id, SPAN_STR(shift_figure_names[i]),
                      r->before[i], e) != 0)
            return -1;
    return 0;
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
    for (size_t i = 0; i < r.step_count; i++) {
        const struct move m = { r.bundle_id, r.steps[i].from, r.steps[i].to,
                                r.steps[i].n };
        if (add_move(&a->figures, &m, e) != 0)
            return -1;
    }
    return say_balance(a, &r, e);
}

/* --- what the events say ------------------------------------------------------ */

struct recount {
    const struct manifest *m; /* the shift's */
    struct figures figures, before;
    uint64_t events, earlier; /* of the shift, and before it */
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

/* False: the event moves nothing. */
static bool move_of(const struct event *ev, struct move *m)
{
    *m = (struct move){ field(ev, "bundle"), field(ev, "from"),
                        field(ev, "to"), 1 };
    if (is(ev->kind, "bpp-moved"))
        return true;
    if (is(ev->kind, "bpp-deleted")) {
        m->from = SPAN_STR("installed");
        m->to = SPAN_STR("deleted");
        return true;
    }
    if (is(ev->kind, "bundle-imported")) {
        m->from = SPAN("", 0);
        m->to = SPAN_STR("in-stock");
        m->n = number_of(field(ev, "records"));
        return true;
    }
    m->whose = SPAN("", 0);
    if (is(ev->kind, "unit-registered")) {
        m->from = SPAN("", 0);
        m->to = SPAN_STR("open");
        return true;
    }
    return is(ev->kind, "position-moved") && !span_eq(m->from, m->to);
}

/* What a deleted one was, installed, it stays. */
static int count_before(struct recount *c, const struct event *ev,
                        struct err *e)
{
    struct move m;

    c->earlier++;
    if (!move_of(ev, &m))
        return 0;
    if (m.from.n && !is(m.to, "deleted") &&
        add_state(&c->before, m.whose, m.from, 0 - m.n, e) != 0)
        return -1;
    return add_state(&c->before, m.whose, m.to, m.n, e);
}

/* Which count an event is one of; false: none. */
static bool count_of(const struct event *ev, enum shift_what *what,
                     struct span *outcome, struct span *code)
{
    struct span from = field(ev, "from"), to = field(ev, "to");

    *outcome = to;
    *code = field(ev, "code");
    if (is(ev->kind, "unit-registered")) {
        *what = SHIFT_UNIT;
        *outcome = SPAN_STR("registered");
        return true;
    }
    if (is(ev->kind, "position-moved")) {
        *what = SHIFT_UNIT;
        return !is(to, "open");
    }
    if (is(ev->kind, "bpp-moved")) {
        *what = SHIFT_BPP;
        *code = field(ev, "cause");
        return !is(to, "reserved") &&
               !(is(to, "in-stock") && is(from, "reserved"));
    }
    if (is(ev->kind, "bpp-deleted")) {
        *what = SHIFT_BPP;
        *outcome = SPAN_STR("deleted");
        *code = SPAN("", 0);
        return true;
    }
    *what = is(ev->kind, "failure") ? SHIFT_FAILURE : SHIFT_REFUSED;
    *outcome = SPAN("", 0);
    return *what == SHIFT_FAILURE || is(ev->kind, "unit-not-loaded");
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
    struct span outcome, code;
    enum shift_what what;
    struct event ev;
    struct move m;

    (void)number;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    if (ev.number > c->m->last_event)
        return 0;
    if (ev.number < c->m->first_event)
        return count_before(c, &ev, e);
    c->events++;
    look_at_ends(c, &ev);
    if (count_of(&ev, &what, &outcome, &code) &&
        add_count(&c->figures, what, outcome, code, field(&ev, "fixture"),
                  ev.actor, 1, e) != 0)
        return -1;
    return move_of(&ev, &m) ? add_move(&c->figures, &m, e) : 0;
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

/* Number i of v is of this kind, carries events from this one to the shift's
 * last, and did not come before: the same folder may be given twice. */
static bool carries(const struct subject *s, const struct subject *v, size_t i,
                    enum container_kind kind, uint64_t from)
{
    const struct subject *o = &v[i];

    if (o->m.kind != kind || !o->whole || !o->m.first_event ||
        o->m.first_event > s->m.last_event || o->m.last_event < from ||
        strcmp(o->m.issuer, s->m.issuer) != 0)
        return false;
    for (size_t k = 0; k < i; k++)
        if (memcmp(v[k].cms_sha256, o->cms_sha256, sizeof o->cms_sha256) == 0)
            return false;
    return true;
}

/* Also what the events of `c`, which are all there, say of the beginning. */
static void compare_figures(const struct said *a, const struct recount *c,
                            struct findings *f)
{
    ull number = a->s->m.sequence, events = c->events;

    if (figures_agree(&a->figures, &c->figures, f))
        findings_add(f, PROVEN, "the %zu figures of shift %llu are what its "
                                "%llu events add up to", a->figures.n, number,
                     events);
    if (c->earlier != c->m->first_event - 1)
        findings_add(f, NOT_PROVEN, "the audit-logs given carry %llu of the %llu "
                                    "events before shift %llu: the balances at "
                                    "its beginning are the station's word",
                     (ull)c->earlier, (ull)c->m->first_event - 1, number);
    else if (figures_agree(&a->before, &c->before, f))
        findings_add(f, PROVEN, "the balances at the beginning of shift %llu are "
                                "what the %llu events before it add up to",
                     number, (ull)c->earlier);
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
        if (!carries(s, v, i, KIND_AUDIT_LOG, 1))
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
    else if (ok)
        compare_figures(a, &c, f);
    figures_clear(&c.figures);
    figures_clear(&c.before);
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
        if (!carries(a->s, v, i, KIND_LOADING_REPORT, m->first_event))
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
    figures_clear(&a.before);
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
