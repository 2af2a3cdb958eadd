#include "station/verify/restores.h"

#include "station/verify/subject.h"

#include <stdlib.h>
#include <string.h>

typedef unsigned long long ull;

#define EPOCHS_MAX 1000

void restores_clear(struct restores *r)
{
    free(r->v);
    *r = (struct restores){ NULL, 0 };
}

static int text_of(const struct event *ev, const char *name, char *out, size_t cap,
                   struct err *e)
{
    struct span s;

    if (event_field_get(ev, name, &s) != 0 || s.n == 0 || s.n >= cap)
        return err_set(e, ERR_FORMAT, "event %llu tells of a restore without its "
                       "%s", (ull)ev->number, name);
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return 0;
}

int restores_add(struct restores *r, const struct event *ev, struct err *e)
{
    struct restored x = { .event = ev->number };
    char epoch[24], *end;

    if (!span_eq(ev->kind, SPAN_STR("restored")))
        return 0;
    if (text_of(ev, "station-before", x.before, sizeof x.before, e) != 0 ||
        text_of(ev, "station", x.station, sizeof x.station, e) != 0 ||
        text_of(ev, "backup", x.backup, sizeof x.backup, e) != 0 ||
        text_of(ev, "epoch", epoch, sizeof epoch, e) != 0)
        return -1;
    x.epoch = strtoull(epoch, &end, 10);
    if (*end != '\0')
        return err_set(e, ERR_FORMAT, "event %llu: an epoch is a number",
                       (ull)ev->number);
    struct restored *v = realloc(r->v, (r->n + 1) * sizeof *v);
    if (!v)
        return err_set(e, ERR_NOMEM, "out of memory");
    r->v = v;
    v[r->n++] = x;
    return 0;
}

/* --- from one station to the next ------------------------------------------------ */

static bool is_log_of(const struct subject *s, const char *issuer)
{
    return s->m.kind == KIND_AUDIT_LOG && s->whole &&
           strcmp(s->m.issuer, issuer) == 0;
}

/* The earliest restore of `from` after event `after`, in these logs. */
static const struct restored *next_of(const struct subject *v, size_t n,
                                      const char *issuer, const char *from,
                                      uint64_t after, uint64_t until)
{
    const struct restored *first = NULL;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; is_log_of(&v[i], issuer) && k < v[i].restores.n; k++) {
            const struct restored *r = &v[i].restores.v[k];
            if (r->event > after && r->event <= until &&
                strcmp(r->before, from) == 0 && (!first || r->event < first->event))
                first = r;
        }
    return first;
}

const struct restored *restores_join(const struct subject *v, size_t n,
                                     const struct manifest *p,
                                     const struct manifest *m, bool *seen)
{
    const char *at = p->issuer;
    uint64_t after = p->last_event;
    const struct restored *r;

    *seen = false;
    for (size_t i = 0; i < n; i++)
        *seen |= is_log_of(&v[i], m->issuer) && v[i].m.first_event &&
                 v[i].m.first_event <= p->last_event + 1 &&
                 v[i].m.last_event >= m->last_event;
    while ((r = next_of(v, n, m->issuer, at, after, m->last_event)) != NULL) {
        if (strcmp(r->station, m->issuer) == 0)
            return r;
        at = r->station;
        after = r->event;
    }
    return NULL;
}

/* Whose ledger `station` took over; NULL: nobody's, as far as is seen. */
static const struct restored *origin_of(const struct subject *v, size_t n,
                                        const char *station)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < v[i].restores.n; k++)
            if (strcmp(v[i].restores.v[k].station, station) == 0)
                return &v[i].restores.v[k];
    return NULL;
}

/* `event` came before each restore on the way from `station` back to `to`. A
 * log may lie in circles: no way is longer than there are restores. */
static bool inherits(const struct subject *v, size_t n, const char *station,
                     const char *to, uint64_t event)
{
    const struct restored *r;

    for (int steps = 0; strcmp(station, to) != 0; steps++) {
        r = origin_of(v, n, station);
        if (!r || event >= r->event || steps == EPOCHS_MAX)
            return false;
        station = r->before;
    }
    return true;
}

bool restores_share(const struct subject *v, size_t n, const char *a,
                    const char *b, uint64_t event)
{
    for (int steps = 0; steps < EPOCHS_MAX; steps++) {
        if (inherits(v, n, b, a, event))
            return true;
        const struct restored *r = origin_of(v, n, a);
        if (!r || event >= r->event)
            return false;
        a = r->before;
    }
    return false;
}

/* --- what to know ------------------------------------------------------------------ */

static void check_twice(const struct restored *a, const struct restored *b,
                        struct findings *f)
{
    if (strcmp(a->before, b->before) != 0 || a->epoch != b->epoch ||
        strcmp(a->station, b->station) >= 0) /* each pair once */
        return;
    findings_add(f, NOT_PROVEN, "the ledger of station %s was restored twice: as %s "
                                "(backup %s, from event %llu) and as %s (backup %s, "
                                "from event %llu), both epoch %llu; which of them "
                                "goes on is not for these files to say",
                 a->before, a->station, a->backup, (ull)a->event, b->station,
                 b->backup, (ull)b->event, (ull)a->epoch);
}

static void check_went_on(const struct restored *r, const struct subject *s,
                          struct findings *f)
{
    if (strcmp(s->m.issuer, r->before) == 0 && s->m.last_event >= r->event)
        findings_add(f, NOT_PROVEN, "station %s went on after the backup that %s was "
                                    "restored from: what its %s %llu says from event "
                                    "%llu on, %s does not know", r->before, r->station,
                     kind_name(s->m.kind), (ull)s->m.sequence, (ull)r->event,
                     r->station);
}

void check_restores(const struct subject *v, size_t n, struct findings *f)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < v[i].restores.n; k++) {
            const struct restored *r = &v[i].restores.v[k];
            for (size_t x = 0; x < n; x++) {
                check_went_on(r, &v[x], f);
                for (size_t y = 0; y < v[x].restores.n; y++)
                    check_twice(r, &v[x].restores.v[y], f);
            }
        }
}
