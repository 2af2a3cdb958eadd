#include "station/line/roster_inner.h"

#include "station/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- scans ------------------------------------------------------------------------ */

static bool begins(const char *barcode, const struct login_rules *r)
{
    size_t n = strlen(r->badge_prefix);

    return r->people && n > 0 && strncmp(barcode, r->badge_prefix, n) == 0;
}

static enum roster_answer refuse(enum verdict *out, enum verdict v)
{
    *out = v;
    return ROSTER_REFUSED;
}

static int write_stranger(struct tx *tx, void *ctx, struct err *e)
{
    const struct stranger *s = ctx;

    return login_failed(tx, s->badge, s->known ? &s->person : NULL, s->reason, e);
}

/* Whoever stands here does not learn why: whether a badge exists, and whose
 * it is, tells the event. */
static enum roster_answer refuse_badge(struct roster *d, const struct session_place *at,
                                       const struct stranger *why, enum verdict *v,
                                       struct err *e)
{
    struct stranger *s = malloc(sizeof *s);

    if (!s || sessions_refused(d->table, at, clock_monotonic_ms()) != 0) {
        free(s);
        err_set(e, ERR_NOMEM, "no memory for a badge");
        return refuse(v, V_MACHINE);
    }
    *s = *why;
    roster_note(d, &s->n, write_stranger);
    err_set(e, ERR_TRUST, "nobody who may work here has this badge");
    return refuse(v, V_BADGE_REFUSED);
}

static enum roster_answer badge_alone(struct roster *d, const struct session_place *at,
                                      const char *badge, const struct login_rules *r,
                                      enum verdict *v, struct err *e)
{
    struct stranger s = { .known = false };
    struct note *note;
    uint64_t number;

    if (badge_hash(badge, s.badge, e) != 0)
        return refuse(v, V_BADGE_REFUSED);
    int row = person_by_badge(d->read, s.badge, &s.person, NULL, e);
    if (row < 0)
        return refuse(v, verdict_of_station(e));
    s.known = row > 0;
    s.reason = !s.known ? "unknown-badge" : s.person.blocked ? "blocked" : "no-right";
    if (!s.known || s.person.blocked || !role_may(s.person.role, RIGHT_WORK))
        return refuse_badge(d, at, &s, v, e);
    struct seat seat = { .who = { .person = s.person.id, .role = s.person.role },
                         .at = *at, .by_badge = true, .ended = r->ended,
                         .since = clock_system(),
                         .used_ms = clock_monotonic_ms() };
    memcpy(seat.who.name, s.person.name, sizeof seat.who.name);
    if (roster_seat(d, &seat, &number, &note, e) != 0)
        return refuse(v, V_MACHINE);
    if (note)
        roster_note(d, note, roster_write_note);
    return ROSTER_TAKEN;
}

static enum roster_answer take_badge(struct roster *d, const struct roster_scan *s,
                                     const struct login_rules *r, enum verdict *v,
                                     struct err *e)
{
    const struct session_place at = session_place(
        *s->fixture ? SESSION_FIXTURE : SESSION_STATION, s->fixture);
    int64_t now = clock_monotonic_ms();
    int64_t wait = sessions_wait(d->table, &at, now);

    if (wait > 0) {
        err_set(e, ERR_WRONG_STATE, "too many badges were refused here; the next "
                "one is looked at in %lld s", (long long)(wait + 999) / 1000);
        return refuse(v, V_BADGE_REFUSED);
    }
    if (r->badge_alone)
        return badge_alone(d, &at, s->barcode, r, v, e);
    uint8_t hash[BADGE_HASH];
    if (badge_hash(s->barcode, hash, e) != 0)
        return refuse(v, V_BADGE_REFUSED);
    if (sessions_knock(d->table, &at, s->barcode, now) != 0)
        return refuse(v, V_MACHINE);
    roster_tell(d, &at, "pin", "", "this badge waits for its PIN: lineside ctl login");
    return ROSTER_TAKEN;
}

/* Whether a session still holds, by the ledger as it is now: 1 it does, and
 * s->who.role is the person's; 0 it was ended, -1 error. */
int roster_still(struct roster *d, struct seat *s, const struct login_rules *r,
                 struct err *e)
{
    struct person p;

    if (s->ended != r->ended) {
        sessions_end(d->table, s, SESSION_SHIFT);
        return 0;
    }
    int row = person_by_name(d->read, s->who.name, &p, e);
    if (row < 0)
        return -1;
    if (row == 0 || p.id != s->who.person || p.blocked) {
        sessions_end(d->table, s, SESSION_BLOCKED);
        return 0;
    }
    s->who.role = p.role;
    return 1;
}

static struct seat *seat_for(struct roster *d, const char *fixture, uint64_t connection)
{
    char number[SESSION_NAME_MAX + 1];
    struct seat *own = NULL;

    if (connection) {
        snprintf(number, sizeof number, "%llu", (unsigned long long)connection);
        own = sessions_at(d->table, SESSION_CONNECTION, number);
    }
    return own ? own : sessions_cover(d->table, fixture);
}

static enum roster_answer take_unit(struct roster *d, const struct roster_scan *s,
                                    const struct login_rules *r,
                                    char actor[PERSON_NAME_MAX + 1],
                                    enum verdict *v, struct err *e)
{
    struct seat *seat;
    int holds = 0;

    /* One that has ended leaves the place to who is logged in at the station. */
    while ((seat = seat_for(d, s->fixture, s->connection)) && !holds)
        if ((holds = roster_still(d, seat, r, e)) < 0)
            return refuse(v, verdict_of_station(e));
    if (!seat && r->required && r->people) {
        err_set(e, ERR_TRUST, "fixture %s", s->fixture);
        return refuse(v, V_SCAN_NO_LOGIN);
    }
    if (!seat) {
        snprintf(actor, PERSON_NAME_MAX + 1, "%s", LINE_ACTOR);
        return ROSTER_WORK;
    }
    if (session_may(&seat->who, RIGHT_WORK, e) != 0)
        return refuse(v, V_SCAN_NO_RIGHT);
    seat->used_ms = clock_monotonic_ms();
    memcpy(actor, seat->who.name, sizeof seat->who.name);
    return ROSTER_WORK;
}

/* Under the lock: the rules, and what is idle by them has ended. */
int roster_look(struct roster *d, struct login_rules *r, struct err *e)
{
    if (login_rules_get(d->read, r, e) != 0)
        return -1;
    sessions_sweep(d->table, clock_monotonic_ms(), (int64_t)r->idle_s * 1000);
    return 0;
}

enum roster_answer roster_take(struct roster *d, const struct roster_scan *s,
                               char actor[PERSON_NAME_MAX + 1], enum verdict *v,
                               struct err *e)
{
    struct login_rules r;
    enum roster_answer a;

    pthread_mutex_lock(&d->lock);
    if (roster_look(d, &r, e) != 0)
        a = refuse(v, verdict_of_station(e));
    else if (d->ending)
        a = refuse(v, V_SCAN_STOPPING);
    else if (begins(s->barcode, &r))
        a = take_badge(d, s, &r, v, e);
    else
        a = take_unit(d, s, &r, actor, v, e);
    pthread_mutex_unlock(&d->lock);
    return a;
}

bool roster_is_badge(struct roster *d, struct span word)
{
    struct err unread = ERR_INIT;
    struct login_rules r;
    char text[BADGE_MAX + 1];

    if (word.n > BADGE_MAX || (word.n && memchr(word.p, '\0', word.n)))
        return false;
    memcpy(text, word.p ? (const char *)word.p : "", word.n);
    text[word.n] = '\0';
    pthread_mutex_lock(&d->lock);
    bool is = login_rules_get(d->read, &r, &unread) == 0 && begins(text, &r);
    pthread_mutex_unlock(&d->lock);
    return is;
}

void roster_used(struct roster *d, const char *fixture)
{
    pthread_mutex_lock(&d->lock);
    struct seat *s = sessions_cover(d->table, fixture);
    if (s)
        s->used_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&d->lock);
}

/* --- people ------------------------------------------------------------------------- */

static int wish_badge(struct roster *d, const struct roster_login *l, struct wish *w,
                      struct err *e)
{
    if (l->badge) {
        snprintf(w->badge, sizeof w->badge, "%s", l->badge);
        return 0;
    }
    if (sessions_knocked(d->table, &l->at, clock_monotonic_ms(), w->badge))
        return 0;
    return err_set(e, ERR_NOT_FOUND, "no badge was scanned here in the last %d "
                   "seconds; scan it, then type its PIN", KNOCK_MS / 1000);
}

static int queue_wish(struct roster *d, const struct roster_login *l, struct wish *w,
                      struct err *e)
{
    if (d->ending)
        return err_set(e, ERR_WRONG_STATE, "the line is being stopped");
    if (d->wish_count == ROSTER_LOGINS_MAX)
        return err_set(e, ERR_BUSY, "%d logins wait already; try again in a few "
                       "seconds", ROSTER_LOGINS_MAX);
    if (wish_badge(d, l, w, e) != 0)
        return -1;
    *d->wishes_end = w;
    d->wishes_end = &w->next;
    d->wish_count++;
    pthread_cond_signal(&d->wake);
    return 0;
}

int roster_login(struct roster *d, const struct roster_login *l, struct err *e)
{
    struct wish *w = calloc(1, sizeof *w);

    if (!w)
        return err_set(e, ERR_NOMEM, "no memory for a login");
    w->at = l->at;
    w->done = l->done;
    w->ctx = l->ctx;
    snprintf(w->pin, sizeof w->pin, "%s", l->pin);
    pthread_mutex_lock(&d->lock);
    int bad = queue_wish(d, l, w, e);
    pthread_mutex_unlock(&d->lock);
    if (bad)
        roster_wish_free(w);
    return bad;
}

int roster_logout(struct roster *d, const struct session_place *at, struct err *e)
{
    pthread_mutex_lock(&d->lock);
    struct seat *s = sessions_at(d->table, at->where, at->name);
    int bad = s ? 0 : err_set(e, ERR_NOT_FOUND, "nobody is logged in %s%s",
                              at->where == SESSION_FIXTURE ? "at fixture "
                              : at->where == SESSION_STATION ? "at this station"
                                                             : "on this connection",
                              at->where == SESSION_FIXTURE ? at->name : "");
    if (s)
        sessions_end(d->table, s, SESSION_LOGOUT);
    pthread_mutex_unlock(&d->lock);
    return bad;
}

void roster_gone(struct roster *d, uint64_t connection)
{
    char number[SESSION_NAME_MAX + 1];

    snprintf(number, sizeof number, "%llu", (unsigned long long)connection);
    pthread_mutex_lock(&d->lock);
    struct seat *s = sessions_at(d->table, SESSION_CONNECTION, number);
    if (s)
        sessions_end(d->table, s, SESSION_GONE);
    pthread_mutex_unlock(&d->lock);
}

/* Under the lock. *out NULL: the ledger knows nobody. */
static int stands(struct roster *d, uint64_t connection, const char *fixture,
                  struct seat **out, struct err *e)
{
    struct login_rules rules;
    int holds = 0;

    *out = NULL;
    if (roster_look(d, &rules, e) != 0)
        return -1;
    if (!rules.people)
        return 0;
    while ((*out = seat_for(d, fixture, connection)) && !holds)
        if ((holds = roster_still(d, *out, &rules, e)) < 0)
            return -1;
    return *out ? 0
         : err_set(e, ERR_TRUST, "this station knows people, so somebody must "
                   "stand for this: log in first (lineside ctl login BADGE), "
                   "or say --as BADGE");
}

static int by_pin(const struct seat *s, struct err *e)
{
    return !s->by_badge ? 0
         : err_set(e, ERR_TRUST, "%s logged in by the badge alone, which is "
                   "enough to work units; for this log in with the PIN",
                   s->who.name);
}

static void take(struct seat *s, struct session *who)
{
    s->used_ms = clock_monotonic_ms();
    *who = s->who;
}

int roster_may(struct roster *d, uint64_t connection, const char *fixture, enum right r,
               struct session *who, struct err *e)
{
    struct seat *s;

    *who = (struct session){ .person = 0 };
    pthread_mutex_lock(&d->lock);
    int bad = stands(d, connection, fixture, &s, e);
    if (!bad && s)
        bad = session_may(&s->who, r, e) != 0 || (r != RIGHT_WORK && by_pin(s, e) != 0);
    if (!bad && s)
        take(s, who);
    pthread_mutex_unlock(&d->lock);
    return bad ? -1 : 0;
}

int roster_stands(struct roster *d, uint64_t connection, const char *fixture,
                  struct session *who, struct err *e)
{
    struct seat *s;

    *who = (struct session){ .person = 0 };
    pthread_mutex_lock(&d->lock);
    int bad = stands(d, connection, fixture, &s, e);
    if (!bad && s)
        bad = by_pin(s, e);
    if (!bad && s)
        take(s, who);
    pthread_mutex_unlock(&d->lock);
    return bad;
}

int roster_who(struct roster *d, struct seat **v, size_t *n, struct login_rules *r,
               struct err *e)
{
    const struct seat *all;

    *v = NULL;
    pthread_mutex_lock(&d->lock);
    int bad = roster_look(d, r, e);
    if (!bad) {
        *n = sessions_list(d->table, &all);
        *v = malloc((*n + 1) * sizeof **v);
        if (!*v)
            bad = err_set(e, ERR_NOMEM, "no memory for the list of sessions");
        else if (*n)
            memcpy(*v, all, *n * sizeof **v);
    }
    pthread_mutex_unlock(&d->lock);
    return bad;
}

/* --- its life ---------------------------------------------------------------------------- */

static int start(struct roster *d, struct err *e)
{
    if (!(d->table = sessions_new(roster_on_end, d)))
        return err_set(e, ERR_NOMEM, "no memory for sessions");
    if (db_open(d->o.data_dir, DB_READ, d->o.db, &d->read, e) != 0)
        return -1;
    int rc = pthread_create(&d->clerk, NULL, roster_clerk, d);
    if (rc != 0)
        return err_set(e, ERR_IO, "cannot start the thread that logs people in: %s",
                       strerror(rc));
    d->running = true;
    return 0;
}

int roster_new(const struct roster_options *o, struct roster **out, struct err *e)
{
    struct roster *d = calloc(1, sizeof *d);
    pthread_condattr_t monotonic;

    if (!d)
        return err_set(e, ERR_NOMEM, "no memory for sessions");
    d->o = *o;
    d->notes_end = &d->notes;
    d->wishes_end = &d->wishes;
    pthread_mutex_init(&d->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&d->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start(d, e) != 0) {
        roster_free(d);
        return -1;
    }
    *out = d;
    return 0;
}

void roster_end(struct roster *d)
{
    pthread_mutex_lock(&d->lock);
    bool first = d->running && !d->ending;
    d->ending = true;
    if (first)
        sessions_end_each(d->table, SESSION_LINE_ENDED);
    pthread_cond_signal(&d->wake);
    pthread_mutex_unlock(&d->lock);
    if (first)
        pthread_join(d->clerk, NULL);
}

void roster_free(struct roster *d)
{
    if (!d)
        return;
    roster_end(d);
    db_close(d->read);
    sessions_free(d->table);
    pthread_cond_destroy(&d->wake);
    pthread_mutex_destroy(&d->lock);
    free(d);
}
