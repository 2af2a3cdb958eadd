#include "station/verify/recount.h"

#include "station/container/reader.h"
#include "station/verify/shift_said.h"
#include "station/verify/subject.h"

#include <stdlib.h>
#include <string.h>

/* --- what an event says --------------------------------------------------------- */

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
static int count_state(struct figures *f, const struct event *ev, struct err *e)
{
    struct move m;

    if (!move_of(ev, &m))
        return 0;
    if (m.from.n && !is(m.to, "deleted") &&
        figures_state(f, m.whose, m.from, 0 - m.n, e) != 0)
        return -1;
    return figures_state(f, m.whose, m.to, m.n, e);
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

/* --- one shift --------------------------------------------------------------------- */

/* A shift whose events are going by. */
struct open_shift {
    const struct subject *s;
    struct said said;
    struct figures seen;
};

static void open_clear(struct open_shift *o)
{
    said_clear(&o->said);
    figures_clear(&o->seen);
}

/* Who opened and closed it is what its first and last event say. */
static void look_at_ends(const struct open_shift *o, const struct event *ev)
{
    const struct manifest *m = &o->s->m;
    const struct manifest_shift *s = &m->shift;
    struct recount *r = o->s->recount;
    bool this_one = number_of(field(ev, "shift")) == m->sequence;

    if (ev->number == m->first_event)
        r->opened = this_one && is(ev->kind, "shift-opened") &&
                    is(ev->actor, s->opened_by) && ev->at == s->opened_at &&
                    is(field(ev, "name"), s->name);
    if (ev->number == m->last_event)
        r->closed = this_one && is(ev->kind, "shift-closed") &&
                    is(ev->actor, s->closed_by) && ev->at == s->closed_at;
}

static int open_take(struct open_shift *o, const struct event *ev, struct err *e)
{
    struct span outcome, code;
    enum shift_what what;
    struct move m;

    look_at_ends(o, ev);
    if (count_of(ev, &what, &outcome, &code) &&
        figures_count(&o->seen, what, outcome, code, field(ev, "fixture"), ev->actor, 1,
                      e) != 0)
        return -1;
    return move_of(ev, &m) ? figures_move(&o->seen, &m, e) : 0;
}

/* --- all events of a station, in their order ------------------------------------------ */

struct pass {
    struct subject **shift; /* by their first event */
    size_t n, next;
    struct open_shift *open; /* room for n; more than one only where records lie */
    size_t opened;
    struct figures before; /* the balances by all events that went by */
    uint64_t at;           /* the last of these */
};

/* Every event of it is there, once. */
static bool all_there(const struct subject *s)
{
    return !s->recount->why.code && !s->recount->twice &&
           s->recount->events == s->m.last_event - s->m.first_event + 1;
}

static int begin(struct pass *p, const struct subject *s, struct err *e)
{
    struct open_shift *o = &p->open[p->opened];
    struct recount *r = s->recount;

    if (!all_there(s))
        return 0;
    *o = (struct open_shift){ .s = s };
    p->opened++;
    if (said_read(s, &o->said, e) != 0)
        return -1;
    r->begins_so = figures_agree(&o->said.before, &p->before, &r->begins_not);
    return 0;
}

static void end(struct pass *p, struct open_shift *o)
{
    struct recount *r = o->s->recount;

    r->figures = o->said.figures.n;
    r->agree = figures_agree(&o->said.figures, &o->seen, &r->differ);
    open_clear(o);
    *o = p->open[--p->opened];
}

static int on_event(void *ctx, uint64_t number, struct span der, struct err *e)
{
    struct pass *p = ctx;
    struct event ev;

    (void)number;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    if (ev.number <= p->at)
        return 0; /* in the log before, too: recount.twice */
    p->at = ev.number;
    while (p->next < p->n && p->shift[p->next]->m.first_event <= ev.number)
        if (begin(p, p->shift[p->next++], e) != 0)
            return -1;
    for (size_t i = p->opened; i-- > 0;) {
        if (open_take(&p->open[i], &ev, e) != 0)
            return -1;
        if (p->open[i].s->m.last_event == ev.number)
            end(p, &p->open[i]);
    }
    return count_state(&p->before, &ev, e);
}

/* What was not finished when reading failed is not known. */
static void give_up(struct pass *p, const struct subject *log, const struct err *e)
{
    for (size_t i = 0; i < p->n; i++) {
        struct recount *r = p->shift[i]->recount;
        bool open = i >= p->next;
        for (size_t k = 0; k < p->opened; k++)
            open |= p->open[k].s == p->shift[i];
        if (open)
            err_set(&r->why, e->code, "%s: %s", log->path, e->msg);
    }
}

static int read_logs(struct pass *p, struct subject *const *log, size_t n)
{
    struct err e = ERR_INIT;
    uint64_t last = 0;

    p->open = calloc(p->n, sizeof *p->open);
    if (!p->open)
        return -1;
    for (size_t i = 0; i < p->n; i++)
        last = p->shift[i]->m.last_event > last ? p->shift[i]->m.last_event : last;
    for (size_t i = 0; i < n && log[i]->m.first_event <= last; i++)
        if (container_read_segments(log[i]->dir, &log[i]->m, on_event, p, &e) != 0) {
            give_up(p, log[i], &e);
            break;
        }
    for (size_t i = 0; i < p->opened; i++)
        open_clear(&p->open[i]);
    free(p->open);
    figures_clear(&p->before);
    return 0;
}

/* --- which events there are -------------------------------------------------------------- */

/* Of events low..high, how many are in low2..high2. */
static uint64_t shared(uint64_t low, uint64_t high, uint64_t low2, uint64_t high2)
{
    uint64_t from = low > low2 ? low : low2, to = high < high2 ? high : high2;

    return from <= to ? to - from + 1 : 0;
}

static void look_for_events(struct subject *s, struct subject *const *log, size_t n)
{
    const struct manifest *m = &s->m;
    struct recount *r = s->recount;
    uint64_t seen = 0; /* up to this one, in some log before */

    for (size_t i = 0; i < n; i++) {
        const struct manifest *l = &log[i]->m;
        r->events += shared(l->first_event, l->last_event, m->first_event, m->last_event);
        r->earlier += shared(l->first_event, l->last_event, 1, m->first_event - 1);
        uint64_t again = l->last_event < seen ? l->last_event : seen;
        r->twice |= shared(l->first_event, again, m->first_event, m->last_event) > 0;
        r->twice_before |= shared(l->first_event, again, 1, m->first_event - 1) > 0;
        seen = l->last_event > seen ? l->last_event : seen;
    }
}

/* --- all shifts --------------------------------------------------------------------------- */

void recount_free(struct recount *r)
{
    if (!r)
        return;
    findings_clear(&r->differ);
    findings_clear(&r->begins_not);
    free(r);
}

static int by_station(const void *a, const void *b)
{
    const struct manifest *x = &(*(struct subject *const *)a)->m;
    const struct manifest *y = &(*(struct subject *const *)b)->m;
    int c = strcmp(x->issuer, y->issuer);

    return c ? c : (x->first_event > y->first_event) - (x->first_event < y->first_event);
}

/* How many of v, from `at` on, are of the same station as the first of them. */
static size_t run_of(struct subject *const *v, size_t n, size_t at)
{
    size_t end = at;

    while (end < n && strcmp(v[end]->m.issuer, v[at]->m.issuer) == 0)
        end++;
    return end - at;
}

static int of_station(struct subject **shift, size_t n, struct subject **log, size_t logs)
{
    struct pass p = { .shift = shift, .n = n };

    for (size_t i = 0; i < n; i++)
        look_for_events(shift[i], log, logs);
    return read_logs(&p, log, logs);
}

static int match(struct subject **shift, size_t n, struct subject **log, size_t logs)
{
    size_t k = 0;

    for (size_t i = 0, run; i < n; i += run) {
        run = run_of(shift, n, i);
        while (k < logs && strcmp(log[k]->m.issuer, shift[i]->m.issuer) < 0)
            k++;
        size_t own = k < logs && strcmp(log[k]->m.issuer, shift[i]->m.issuer) == 0
                   ? run_of(log, logs, k) : 0;
        if (of_station(shift + i, run, log + k, own) != 0)
            return -1;
    }
    return 0;
}

static int recount_new(struct subject *s)
{
    struct said said = { .figures = { NULL, 0, 0 } };
    struct recount *r = s->recount = calloc(1, sizeof *r);

    if (!r)
        return -1;
    if (said_read(s, &said, &r->why) != 0)
        err_wrap(&r->why, "%s", s->path);
    memcpy(r->by_kind, said.by_kind, sizeof r->by_kind);
    said_clear(&said);
    return 0;
}

int recount_shifts(struct subject *v, size_t n, size_t asked)
{
    struct subject **shift = calloc(n, sizeof *shift), **log = calloc(n, sizeof *log);
    size_t shifts = 0, logs = 0;
    int bad = shift && log ? 0 : -1;

    for (size_t i = 0; i < n && !bad; i++) {
        if (!v[i].whole)
            continue;
        if (v[i].m.kind == KIND_AUDIT_LOG && v[i].m.first_event && !v[i].again)
            log[logs++] = &v[i];
        if (v[i].m.kind == KIND_SHIFT_RECORD && i < asked) {
            shift[shifts++] = &v[i];
            bad = recount_new(&v[i]);
        }
    }
    if (!bad && shifts) {
        qsort(shift, shifts, sizeof *shift, by_station);
        if (logs)
            qsort(log, logs, sizeof *log, by_station);
        bad = match(shift, shifts, log, logs);
    }
    free(shift);
    free(log);
    return bad;
}
