#include "station/control/office.h"

#include "station/base/clock.h"
#include "station/control/inner.h"
#include "station/control/verbs.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How far a job is. */
struct progress {
    const char *step; /* NULL: nothing was told */
    uint64_t done, of;
    bool fresh;
};

struct job {
    struct job *next;
    uint64_t peer;
    bool alone; /* its client asks nothing else before its answer */
    struct office_call call;
    struct chunk *reply;
    struct office *f;
    struct progress at; /* under the office's lock */
    int64_t told_ms;    /* the lane's: it last woke the server for it */
};

#define PROGRESS_MS 100 /* its client is told no more often, but of new steps */

struct queue {
    struct job *first, **end;
    size_t n;
};

struct lane {
    struct office *f;
    pthread_t thread;
    bool running;
    pthread_cond_t wake;
    struct queue waiting;
    struct job *now; /* under the office's lock */
    struct db *db; /* the thread's alone */
};

struct office {
    struct office_options o;
    struct line *line;
    atomic_bool stop;
    pthread_mutex_t lock; /* of the queues */
    struct lane lanes[LANES];
    struct queue done;
};

static const enum db_mode modes[LANES] = { [LANE_ASK] = DB_READ,
                                           [LANE_ACT] = DB_WRITE,
                                           [LANE_SLOW] = DB_WRITE,
                                           [LANE_LOOK] = DB_READ };

/* --- queues ---------------------------------------------------------------------- */

static void put(struct queue *q, struct job *j)
{
    j->next = NULL;
    *q->end = j;
    q->end = &j->next;
    q->n++;
}

static struct job *take(struct queue *q)
{
    struct job *j = q->first;

    if (!j)
        return NULL;
    q->first = j->next;
    if (!q->first)
        q->end = &q->first;
    q->n--;
    return j;
}

static void job_free(struct job *j)
{
    control_forget_secrets(j->call.r.words);
    control_request_clear(&j->call.r);
    json_decref(j->call.answer);
    chunk_drop(j->reply);
    free(j);
}

/* --- one job -------------------------------------------------------------------------- */

static json_t *refused(struct job *j, const struct err *e)
{
    return control_reply_refused(j->call.r.id, e);
}

/* The reply as text, so that the server's thread has nothing to do but send it. */
static struct chunk *text_of(struct job *j, json_t *reply)
{
    char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
    struct chunk *c = NULL;
    struct err e = ERR_INIT;

    json_decref(reply);
    if (!text)
        return NULL;
    size_t n = strlen(text);
    if (n < CONTROL_MESSAGE_MAX) {
        text[n] = '\n'; /* over its NUL: it is sent by length */
        c = chunk_new(text, n + 1);
    }
    free(text);
    if (c || n < CONTROL_MESSAGE_MAX)
        return c;
    err_set(&e, ERR_LIMIT, "the answer has %zu octets, and a message at most %d; "
            "ask for less at once (\"limit\"), or ask the command of that name", n,
            CONTROL_MESSAGE_MAX);
    return text_of(j, refused(j, &e));
}

static void run(struct lane *l, struct job *j)
{
    struct office *f = l->f;
    struct err e = ERR_INIT;

    j->call.data_dir = f->o.data_dir;
    j->call.version = f->o.version;
    j->call.warn_hours = f->o.warn_hours;
    j->call.line = f->line;
    j->call.ending = &f->stop;
    j->call.lane_db = &l->db;
    j->call.mode = modes[l - f->lanes];
    int bad = atomic_load(&f->stop)
            ? err_set(&e, ERR_WRONG_STATE, "the line is being stopped")
            : office_verbs[j->call.r.verb].run(&j->call, &e);
    json_t *reply = bad ? refused(j, &e) : control_reply_ok(j->call.r.id);
    /* A refusal may have one too: what stands against it. */
    if (j->call.answer && json_object_set(reply, "answer", j->call.answer) != 0)
        json_decref(reply), reply = NULL; /* no memory */
    j->reply = text_of(j, reply);
}

/* The lane's thread. */
static void tell(struct office_call *c, const char *step, uint64_t done, uint64_t of)
{
    struct job *j = (struct job *)((char *)c - offsetof(struct job, call));
    int64_t now = clock_monotonic_ms();
    uint64_t one = 1;

    pthread_mutex_lock(&j->f->lock);
    bool other = j->at.step != step, same = !other && j->at.done == done;
    if (!same)
        j->at = (struct progress){ step, done, of, true };
    pthread_mutex_unlock(&j->f->lock);
    if (same)
        return;
    if (!other && now - j->told_ms < PROGRESS_MS)
        return;
    j->told_ms = now;
    if (write(j->f->o.wake, &one, sizeof one) < 0)
        return; /* a full counter wakes as well */
}

static void *work(void *ctx)
{
    struct lane *l = ctx;
    struct office *f = l->f;
    uint64_t one = 1;

    pthread_mutex_lock(&f->lock);
    for (;;) {
        struct job *j = l->now = take(&l->waiting);
        if (!j && atomic_load(&f->stop))
            break;
        if (!j) {
            pthread_cond_wait(&l->wake, &f->lock);
            continue;
        }
        pthread_mutex_unlock(&f->lock);
        run(l, j);
        pthread_mutex_lock(&f->lock);
        l->now = NULL;
        put(&f->done, j);
        if (write(f->o.wake, &one, sizeof one) < 0)
            continue; /* a full counter wakes as well */
    }
    pthread_mutex_unlock(&f->lock);
    db_close(l->db);
    l->db = NULL;
    return NULL;
}

/* --- the server's side ------------------------------------------------------------------ */

bool office_does(enum control_verb v)
{
    return office_verbs[v].run != NULL;
}

bool office_acts(enum control_verb v)
{
    return office_verbs[v].acts;
}

int office_ask(struct office *f, struct peer *p, struct control_request *r,
               const struct session *person, struct err *e)
{
    struct lane *l = &f->lanes[office_verbs[r->verb].lane];
    struct job *j = calloc(1, sizeof *j);

    if (!j)
        return err_set(e, ERR_NOMEM, "no memory for an answer; ask again");
    j->peer = p->number;
    j->call.person = *person;
    j->call.tell = tell;
    j->f = f;
    atomic_init(&j->call.stop, false);
    j->alone = office_verbs[r->verb].lane < LANE_SLOW;
    pthread_mutex_lock(&f->lock);
    bool full = l->waiting.n >= OFFICE_WAITING_MAX;
    if (!full) {
        j->call.r = *r;
        *r = (struct control_request){ .id = NULL };
        put(&l->waiting, j);
        pthread_cond_signal(&l->wake);
    }
    pthread_mutex_unlock(&f->lock);
    if (full) {
        free(j);
        return err_set(e, ERR_BUSY, "%d others wait for the same; ask again in a few "
                       "seconds", OFFICE_WAITING_MAX);
    }
    p->asks = j->alone;
    p->waits += !j->alone;
    return 0;
}

static void answer(struct control *c, struct job *j)
{
    struct peer *p = control_peer(c, j->peer);

    if (!p)
        return;
    if (j->alone)
        p->asks = false;
    else
        p->waits--;
    if (j->reply)
        peer_put(p, j->reply);
    else
        p->broken = true; /* no memory: it would wait for ever */
}

/* One event, to who asked; the next one tells the rest. */
static void tell_one(struct control *c, const struct job *j, const struct progress *at)
{
    struct peer *p = control_peer(c, j->peer);

    if (p && p->unread < PEER_FULL)
        control_send(p, json_pack("{s:s, s:o, s:s, s:s, s:I, s:I}", "event",
                                  "progress", "id", json_deep_copy(j->call.r.id), "do",
                                  control_verb_name(j->call.r.verb), "step", at->step,
                                  "done", (json_int_t)at->done, "of",
                                  (json_int_t)at->of), NULL);
}

/* Under the lock a job is not taken apart. */
static void tell_progress(struct office *f, struct control *c)
{
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < LANES; i++) {
        struct job *j = f->lanes[i].now;
        if (!j || !j->at.fresh)
            continue;
        j->at.fresh = false;
        tell_one(c, j, &j->at);
    }
    pthread_mutex_unlock(&f->lock);
}

void office_answer(struct office *f, struct control *c)
{
    struct job *j;

    tell_progress(f, c);

    for (;;) {
        pthread_mutex_lock(&f->lock);
        j = take(&f->done);
        pthread_mutex_unlock(&f->lock);
        if (!j)
            return;
        answer(c, j);
        job_free(j);
    }
}

/* Those that this client waits for, under this id (NULL: any), leave the queue. */
static void forget(struct queue *q, uint64_t peer, const json_t *id, struct queue *out)
{
    struct queue all = *q;
    struct job *j;

    if (!all.first)
        return;
    *q = (struct queue){ .end = &q->first };
    while ((j = take(&all)))
        put(j->peer == peer && (!id || json_equal(j->call.r.id, id)) ? out : q, j);
}

/* Under the lock: 1 it was not begun, and is done now; 0 it was told to stop. */
static int stop_one(struct office *f, uint64_t peer, const json_t *id, struct err *e)
{
    struct err why = ERR_INIT;
    struct queue out = { .n = 0 };
    struct job *j;

    out.end = &out.first;
    for (int i = 0; i < LANES; i++) {
        j = f->lanes[i].now;
        if (j && j->peer == peer && json_equal(j->call.r.id, id)) {
            if (!office_verbs[j->call.r.verb].stops)
                return err_set(e, ERR_WRONG_STATE, "'%s' is finished once it was begun",
                               control_verb_name(j->call.r.verb));
            atomic_store(&j->call.stop, true);
            return 0;
        }
        forget(&f->lanes[i].waiting, peer, id, &out);
    }
    if (!(j = take(&out)))
        return err_set(e, ERR_NOT_FOUND, "nothing that this client asked for under "
                       "that id is on its way");
    err_set(&why, ERR_WRONG_STATE, "it was stopped before it was begun");
    j->reply = text_of(j, refused(j, &why));
    put(&f->done, j);
    return 1;
}

int office_cancel(struct office *f, uint64_t peer, const json_t *id, struct err *e)
{
    uint64_t one = 1;

    pthread_mutex_lock(&f->lock);
    int rc = stop_one(f, peer, id, e);
    pthread_mutex_unlock(&f->lock);
    if (rc > 0 && write(f->o.wake, &one, sizeof one) < 0)
        return 0; /* a full counter wakes as well */
    return rc < 0 ? -1 : 0;
}

void office_gone(struct office *f, uint64_t peer)
{
    struct queue out = { .n = 0 };
    struct job *j;

    out.end = &out.first;
    pthread_mutex_lock(&f->lock);
    for (int i = 0; i < LANES; i++)
        forget(&f->lanes[i].waiting, peer, NULL, &out);
    pthread_mutex_unlock(&f->lock);
    while ((j = take(&out)))
        job_free(j);
}

/* --- its life ------------------------------------------------------------------------------ */

struct office *office_new(const struct office_options *o)
{
    struct office *f = calloc(1, sizeof *f);

    if (!f)
        return NULL;
    f->o = *o;
    f->done.end = &f->done.first;
    atomic_init(&f->stop, false);
    pthread_mutex_init(&f->lock, NULL);
    for (int i = 0; i < LANES; i++) {
        f->lanes[i].f = f;
        f->lanes[i].waiting.end = &f->lanes[i].waiting.first;
        pthread_cond_init(&f->lanes[i].wake, NULL);
    }
    return f;
}

int office_start(struct office *f, struct line *l, struct err *e)
{
    f->line = l;
    for (int i = 0; i < LANES; i++) {
        int rc = pthread_create(&f->lanes[i].thread, NULL, work, &f->lanes[i]);
        if (rc != 0)
            return err_set(e, ERR_IO, "no thread to answer questions: %s",
                           strerror(rc));
        f->lanes[i].running = true;
    }
    return 0;
}

void office_end(struct office *f)
{
    pthread_mutex_lock(&f->lock);
    atomic_store(&f->stop, true);
    for (int i = 0; i < LANES; i++)
        pthread_cond_signal(&f->lanes[i].wake);
    for (int i = 0; i < LANES; i++)
        if (f->lanes[i].now)
            atomic_store(&f->lanes[i].now->call.stop, true);
    pthread_mutex_unlock(&f->lock);
    for (int i = 0; i < LANES; i++) {
        if (f->lanes[i].running)
            pthread_join(f->lanes[i].thread, NULL);
        f->lanes[i].running = false;
    }
}

void office_free(struct office *f)
{
    struct job *j;

    if (!f)
        return;
    office_end(f);
    while ((j = take(&f->done)))
        job_free(j);
    for (int i = 0; i < LANES; i++)
        pthread_cond_destroy(&f->lanes[i].wake);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
