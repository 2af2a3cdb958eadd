/* The roster's clerk: hashes PINs, sees to it that sessions are written, ends what
 * is idle. */
#include "station/line/roster_inner.h"

#include "station/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* --- telling and writing --------------------------------------------------------- */

void roster_tell(struct roster *d, const struct session_place *at, const char *state,
                 const char *person, const char *why)
{
    if (at->where == SESSION_CONNECTION)
        return;
    d->o.tell(d->o.ctx, &(struct line_event){
        .kind = LINE_SESSION, .fixture = at->name, .state = state,
        .person = person, .detail = why });
}

void roster_note(struct roster *d, struct note *n, tx_fn *fn)
{
    n->ticket = writer_submit(d->o.writer, fn, n);
    *d->notes_end = n;
    d->notes_end = &n->next;
    pthread_cond_signal(&d->wake);
}

int roster_write_note(struct tx *tx, void *ctx, struct err *e)
{
    const struct note *n = ctx;
    const struct session_note s = { n->where, n->name, n->person, n->by_badge };

    return n->opens ? session_opened(tx, &s, e)
                    : session_closed(tx, &s, n->why, n->actor, e);
}

static struct note *note_of(const struct seat *s)
{
    struct note *n = calloc(1, sizeof *n);

    if (!n)
        return NULL;
    n->where = s->at.where;
    n->by_badge = s->by_badge;
    memcpy(n->name, s->at.name, sizeof n->name);
    memcpy(n->person, s->who.name, sizeof n->person);
    return n;
}

/* A session_ended_fn, under the lock. Without memory the row stays, and the
 * next start closes it. */
void roster_on_end(void *ctx, const struct seat *s, enum session_end why)
{
    struct roster *d = ctx;
    bool own = why == SESSION_LOGOUT || why == SESSION_MOVED;
    struct note *n = why == SESSION_UNWRITTEN ? NULL : note_of(s);

    if (n) {
        n->why = session_end_name(why);
        snprintf(n->actor, sizeof n->actor, "%s", own ? s->who.name : LINE_ACTOR);
        roster_note(d, n, roster_write_note);
    }
    roster_tell(d, &s->at, "closed", s->who.name, session_end_words(why));
}

/* Under the lock. *number: the seat's; *note: what writes it, or NULL when the
 * person was there already. */
int roster_seat(struct roster *d, const struct seat *s, uint64_t *number,
                struct note **note, struct err *e)
{
    struct note *n = note_of(s);
    int opened = n ? sessions_open(d->table, s, number) : -1;

    *note = NULL;
    if (opened < 0) {
        free(n);
        return err_set(e, ERR_NOMEM, "no memory for a session");
    }
    if (opened) {
        n->opens = *number;
        *note = n;
    } else {
        free(n);
    }
    roster_tell(d, &s->at, "opened", s->who.name, "");
    return 0;
}

void roster_wish_free(struct wish *w)
{
    explicit_bzero(w, sizeof *w);
    free(w);
}

/* --- the clerk ------------------------------------------------------------------------ */

static int seat_after_login(struct roster *d, const struct wish *w, struct seat *s,
                            struct err *e)
{
    struct note *note = NULL;
    struct login_rules r;
    uint64_t number;

    pthread_mutex_lock(&d->lock);
    int bad = d->ending ? err_set(e, ERR_WRONG_STATE, "the line is being stopped")
                        : roster_look(d, &r, e);
    if (!bad) {
        s->at = w->at;
        s->ended = r.ended;
        s->since = clock_system();
        s->used_ms = clock_monotonic_ms();
        bad = roster_seat(d, s, &number, &note, e);
    }
    if (!bad && note)
        note->ticket = writer_submit(d->o.writer, roster_write_note, note);
    pthread_mutex_unlock(&d->lock);
    if (bad || !note)
        return bad;
    bad = ticket_durable(note->ticket, e);
    ticket_free(note->ticket);
    free(note);
    if (!bad)
        return 0;
    pthread_mutex_lock(&d->lock);
    struct seat *again = sessions_numbered(d->table, number);
    if (again)
        sessions_end(d->table, again, SESSION_UNWRITTEN);
    pthread_mutex_unlock(&d->lock);
    return -1;
}

static int log_in(struct roster *d, const struct wish *w, struct seat *s, struct err *e)
{
    bool any;

    if (!d->write && db_open(d->o.data_dir, DB_WRITE, d->o.db, &d->write, e) != 0)
        return -1;
    if (people_any(d->write, &any, e) != 0)
        return -1;
    if (!any)
        return err_set(e, ERR_NOT_FOUND, "this station knows nobody yet; make "
                       "the first supervisor: lineside people add NAME --role "
                       "supervisor --badge BADGE");
    if (login(d->write, w->badge, w->pin, &s->who, e) != 0)
        return -1;
    if (w->at.where != SESSION_CONNECTION && session_may(&s->who, RIGHT_WORK, e) != 0)
        return -1;
    return seat_after_login(d, w, s, e);
}

static int is_ending(struct roster *d, struct err *e)
{
    pthread_mutex_lock(&d->lock);
    bool ending = d->ending;
    pthread_mutex_unlock(&d->lock);
    return ending ? err_set(e, ERR_WRONG_STATE, "the line is being stopped") : 0;
}

static void grant(struct roster *d, struct wish *w)
{
    struct seat s = { .by_badge = false };
    struct err e = ERR_INIT;
    int bad = is_ending(d, &e) || log_in(d, w, &s, &e) != 0;

    w->done(w->ctx, bad ? NULL : &s, &e);
    roster_wish_free(w);
}

static void see_to(struct roster *d, struct note *n)
{
    struct err e = ERR_INIT;
    int bad = n->opens ? ticket_durable(n->ticket, &e)
                       : ticket_executed(n->ticket, &e);

    if (bad && n->opens) {
        pthread_mutex_lock(&d->lock);
        struct seat *s = sessions_numbered(d->table, n->opens);
        if (s)
            sessions_end(d->table, s, SESSION_UNWRITTEN);
        pthread_mutex_unlock(&d->lock);
    }
    ticket_free(n->ticket);
    free(n);
}

/* Under the lock. What the ledger says of who is logged in is looked at with
 * every scan, and here for those who do not scan. */
static void look_round(struct roster *d)
{
    struct err unread = ERR_INIT;
    struct login_rules r;
    const struct seat *v;

    if (sessions_list(d->table, &v) == 0 || roster_look(d, &r, &unread) != 0)
        return;
    for (size_t i = sessions_list(d->table, &v); i-- > 0;) {
        struct seat *s = sessions_numbered(d->table, v[i].number);
        roster_still(d, s, &r, &unread);
        sessions_list(d->table, &v);
    }
}

/* Under the lock: until something comes; while somebody is logged in no longer
 * than SESSIONS_LOOK_MS. */
static void wait_for_work(struct roster *d)
{
    const struct seat *v;
    struct timespec t;

    if (sessions_list(d->table, &v) == 0) {
        pthread_cond_wait(&d->wake, &d->lock);
        return;
    }
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += SESSIONS_LOOK_MS / 1000;
    if (pthread_cond_timedwait(&d->wake, &d->lock, &t) != 0)
        look_round(d);
}

static struct note *next_note(struct roster *d)
{
    struct note *n = d->notes;

    if (n && !(d->notes = n->next))
        d->notes_end = &d->notes;
    return n;
}

static struct wish *next_wish(struct roster *d)
{
    struct wish *w = d->wishes;

    if (!w)
        return NULL;
    if (!(d->wishes = w->next))
        d->wishes_end = &d->wishes;
    d->wish_count--;
    return w;
}

void *roster_clerk(void *ctx)
{
    struct roster *d = ctx;

    pthread_mutex_lock(&d->lock);
    for (;;) {
        struct note *n = next_note(d);
        struct wish *w = n ? NULL : next_wish(d);
        if (!n && !w && d->ending)
            break;
        if (!n && !w) {
            wait_for_work(d);
            continue;
        }
        pthread_mutex_unlock(&d->lock);
        if (n)
            see_to(d, n);
        else
            grant(d, w);
        pthread_mutex_lock(&d->lock);
    }
    pthread_mutex_unlock(&d->lock);
    db_close(d->write);
    return NULL;
}

