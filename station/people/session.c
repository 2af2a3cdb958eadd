#include "station/people/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A place's badges, until one of them is let in. */
struct knock {
    struct session_place at;
    char badge[BADGE_MAX + 1]; /* "": none waits */
    int64_t at_ms;             /* of the last one */
    int64_t failures;
};

struct sessions {
    session_ended_fn *ended;
    void *ctx;
    struct seat *v;
    size_t n;
    uint64_t last;
    struct knock *knocks;
    size_t knock_count;
};

static const struct {
    const char *name, *words;
} ends[SESSION_ENDS] = {
    [SESSION_LOGOUT] = { "logout", "logged out" },
    [SESSION_IDLE] = { "idle", "logged out: no scan for too long" },
    [SESSION_SHIFT] = { "shift", "logged out: the shift is over" },
    [SESSION_BLOCKED] = { "blocked", "logged out: blocked, or without the right "
                                     "to work units now" },
    [SESSION_TAKEN] = { "taken", "logged out: somebody else logged in here" },
    [SESSION_MOVED] = { "moved", "logged out: the same badge logged in elsewhere" },
    [SESSION_GONE] = { "gone", "logged out: the connection has ended" },
    [SESSION_LINE_ENDED] = { "line-ended", "logged out: the line has ended" },
    [SESSION_UNWRITTEN] = { "unwritten", "logged out: the login could not be "
                                         "recorded" },
};

const char *session_end_name(enum session_end w)
{
    return (unsigned)w < SESSION_ENDS ? ends[w].name : "unknown";
}

const char *session_end_words(enum session_end w)
{
    return (unsigned)w < SESSION_ENDS ? ends[w].words : "logged out";
}

struct session_place session_place(enum session_where where, const char *name)
{
    struct session_place p = { .where = where };

    snprintf(p.name, sizeof p.name, "%s", name);
    return p;
}

static bool same(const struct session_place *a, enum session_where where,
                 const char *name)
{
    return a->where == where && strcmp(a->name, name) == 0;
}

struct sessions *sessions_new(session_ended_fn *ended, void *ctx)
{
    struct sessions *s = calloc(1, sizeof *s);

    if (s) {
        s->ended = ended;
        s->ctx = ctx;
    }
    return s;
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    free(s->v);
    free(s->knocks);
    free(s);
}

/* --- seats ------------------------------------------------------------------- */

struct seat *sessions_at(struct sessions *s, enum session_where where,
                         const char *name)
{
    for (size_t i = 0; i < s->n; i++)
        if (same(&s->v[i].at, where, name))
            return &s->v[i];
    return NULL;
}

struct seat *sessions_cover(struct sessions *s, const char *fixture)
{
    struct seat *own = sessions_at(s, SESSION_FIXTURE, fixture);

    return own ? own : sessions_at(s, SESSION_STATION, "");
}

struct seat *sessions_numbered(struct sessions *s, uint64_t number)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].number == number)
            return &s->v[i];
    return NULL;
}

void sessions_end(struct sessions *s, struct seat *seat, enum session_end why)
{
    struct seat gone = *seat;

    *seat = s->v[--s->n];
    s->ended(s->ctx, &gone, why);
}

void sessions_end_each(struct sessions *s, enum session_end why)
{
    while (s->n > 0)
        sessions_end(s, &s->v[s->n - 1], why);
}

static struct seat *elsewhere(struct sessions *s, const struct seat *seat)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->v[i].who.person == seat->who.person &&
            s->v[i].at.where != SESSION_CONNECTION)
            return &s->v[i];
    return NULL;
}

static struct knock *knock_at(struct sessions *s, const struct session_place *at)
{
    for (size_t i = 0; i < s->knock_count; i++)
        if (same(&s->knocks[i].at, at->where, at->name))
            return &s->knocks[i];
    return NULL;
}

int sessions_open(struct sessions *s, const struct seat *seat, uint64_t *number)
{
    struct seat *there = sessions_at(s, seat->at.where, seat->at.name);
    struct knock *k = knock_at(s, &seat->at);

    if (k)
        k->failures = 0;
    if (there && there->who.person == seat->who.person) {
        there->who.role = seat->who.role;
        there->used_ms = seat->used_ms;
        there->ended = seat->ended;
        there->by_badge &= seat->by_badge;
        *number = there->number;
        return 0;
    }
    struct seat *v = realloc(s->v, (s->n + 1) * sizeof *v);
    if (!v)
        return -1;
    s->v = v;
    if ((there = sessions_at(s, seat->at.where, seat->at.name)))
        sessions_end(s, there, SESSION_TAKEN);
    if (seat->at.where != SESSION_CONNECTION && (there = elsewhere(s, seat)))
        sessions_end(s, there, SESSION_MOVED);
    s->v[s->n] = *seat;
    s->v[s->n++].number = *number = ++s->last;
    return 1;
}

int64_t sessions_sweep(struct sessions *s, int64_t now_ms, int64_t idle_ms)
{
    int64_t next = -1;

    for (size_t i = s->n; i-- > 0;)
        if (now_ms - s->v[i].used_ms >= idle_ms)
            sessions_end(s, &s->v[i], SESSION_IDLE);
    for (size_t i = 0; i < s->n; i++)
        if (next < 0 || s->v[i].used_ms + idle_ms < next)
            next = s->v[i].used_ms + idle_ms;
    return next;
}

size_t sessions_list(const struct sessions *s, const struct seat **v)
{
    *v = s->v;
    return s->n;
}

/* --- badges that were scanned -------------------------------------------------- */

/* One a place, and a line has so many places only. */
static struct knock *knock_add(struct sessions *s, const struct session_place *at)
{
    struct knock *k = knock_at(s, at);

    if (k)
        return k;
    struct knock *v = realloc(s->knocks, (s->knock_count + 1) * sizeof *v);
    if (!v)
        return NULL;
    s->knocks = v;
    k = &v[s->knock_count++];
    *k = (struct knock){ .at = *at };
    return k;
}

int64_t sessions_wait(struct sessions *s, const struct session_place *at,
                      int64_t now_ms)
{
    const struct knock *k = knock_at(s, at);

    if (!k || k->failures == 0)
        return 0;
    int64_t until = k->at_ms + login_wait_s(k->failures) * 1000;
    return until > now_ms ? until - now_ms : 0;
}

int sessions_refused(struct sessions *s, const struct session_place *at,
                     int64_t now_ms)
{
    struct knock *k = knock_add(s, at);

    if (!k)
        return -1;
    k->failures++;
    k->at_ms = now_ms;
    k->badge[0] = '\0';
    return 0;
}

int sessions_knock(struct sessions *s, const struct session_place *at,
                   const char *badge, int64_t now_ms)
{
    struct knock *k = knock_add(s, at);

    if (!k)
        return -1;
    snprintf(k->badge, sizeof k->badge, "%s", badge);
    k->at_ms = now_ms;
    return 0;
}

bool sessions_knocked(struct sessions *s, const struct session_place *at,
                      int64_t now_ms, char out[BADGE_MAX + 1])
{
    struct knock *k = knock_at(s, at);

    if (!k || !k->badge[0] || now_ms - k->at_ms > KNOCK_MS)
        return false;
    memcpy(out, k->badge, sizeof k->badge);
    k->badge[0] = '\0';
    return true;
}
