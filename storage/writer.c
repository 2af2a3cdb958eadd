#include "storage/writer.h"

#include "station/base/clock.h"
#include "storage/inner.h"

#include <stdlib.h>
#include <time.h>

/* WAL pages: above the first the second thread checkpoints beside the writer;
 * above the other the writer does it itself, so that the WAL stays bounded. */
#define TIDY_PAGES 1000
#define TIDY_PAGES_MUST 16000

enum ticket_state { TICKET_QUEUED, TICKET_EXECUTED, TICKET_DONE };

struct ticket {
    struct ticket *next; /* in the queue, then in the group */
    struct writer *w;
    tx_fn *fn;
    void *ctx;
    enum ticket_state state;
    bool wanted; /* someone waits for it to be durable */
    bool marker; /* a flush's own: not counted          */
    int holders; /* the submitter and the writer       */
    struct err fn_err, commit_err;
    pthread_cond_t moved;
};

struct tickets {
    struct ticket *first, **end;
};

struct writer {
    struct db *db;
    pthread_t thread;
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct tickets queue; /* submitted, not run    */
    struct tickets group; /* run, not committed    */
    struct tx *tx;        /* open while group may grow; writer's thread only */
    int64_t group_since;
    size_t group_wanted;
    bool stop;
    struct writer_stats stats;

    pthread_t tidy_thread;
    struct db *tidy_db;
    pthread_cond_t tidy;
    bool tidy_asked, tidy_stop;
    int wal_pages;
};

static void tickets_init(struct tickets *l)
{
    l->first = NULL;
    l->end = &l->first;
}

static void tickets_push(struct tickets *l, struct ticket *t)
{
    t->next = NULL;
    *l->end = t;
    l->end = &t->next;
}

static struct ticket *tickets_take_all(struct tickets *l)
{
    struct ticket *first = l->first;

    tickets_init(l);
    return first;
}

static void ticket_drop(struct ticket *t)
{
    if (__atomic_sub_fetch(&t->holders, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    pthread_cond_destroy(&t->moved);
    free(t);
}

/* All below run with w->mutex held unless they say otherwise. */

static void ticket_move(struct ticket *t, enum ticket_state to)
{
    t->state = to;
    pthread_cond_broadcast(&t->moved);
}

/* The writer's last word on a ticket. */
static void ticket_finish(struct ticket *t)
{
    ticket_move(t, TICKET_DONE);
    ticket_drop(t);
}

static void group_finish(struct writer *w, const struct err *commit)
{
    struct ticket *next, *t = tickets_take_all(&w->group);

    for (; t; t = next) {
        next = t->next;
        t->commit_err = *commit;
        ticket_finish(t);
    }
    if (commit->code)
        w->stats.failed_groups++;
    else
        w->stats.groups++;
    w->group_wanted = 0;
}

/* --- the writer's thread ----------------------------------------------------- */

/* A statement that every operation needs: prepared once, not parsed each time
 * between operations that wait for each other. */
static int run_kept(struct db *db, const char *sql, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    return q_open(&q, db, sql, e) == 0 ? q_run(&q, e) : -1;
}

/* Run one operation in its savepoint, without the mutex. 0, or -1 with *err
 * set; *lost: SQLite rolled the whole transaction back. */
static int op_run(struct writer *w, struct ticket *t, struct err *err,
                  bool *lost)
{
    int rc = run_kept(w->db, "SAVEPOINT op", err);

    if (rc == 0) {
        rc = t->fn(w->tx, t->ctx, err);
        if (rc == 0 && !db_tx_lost(w->db))
            rc = run_kept(w->db, "RELEASE op", err);
        if (rc != 0 && !db_tx_lost(w->db) &&
            (sql_exec(w->db, "ROLLBACK TO op", NULL) != 0 ||
             sql_exec(w->db, "RELEASE op", NULL) != 0))
            sql_exec(w->db, "ROLLBACK", NULL);
    }
    *lost = db_tx_lost(w->db);
    if (*lost && err->code == ERR_NONE)
        err_set(err, ERR_IO, "the ledger gave the transaction up");
    return rc != 0 || *lost ? -1 : 0;
}

static void op_settle(struct writer *w, struct ticket *t, const struct err *err,
                      bool failed, bool lost)
{
    w->stats.ops += !t->marker;
    if (failed) {
        w->stats.failed_ops += !t->marker;
        t->fn_err = *err;
        if (t->fn_err.code == ERR_NONE)
            err_set(&t->fn_err, ERR_INTERNAL, "an operation failed without "
                    "saying why");
        ticket_finish(t);
    } else {
        tickets_push(&w->group, t);
        if (t->wanted)
            w->group_wanted++;
        ticket_move(t, TICKET_EXECUTED);
    }
    if (lost)
        group_finish(w, err);
}

static int group_begin(struct writer *w, struct err *err)
{
    if (w->tx)
        return 0;
    if (db_begin(w->db, &w->tx, err) != 0) {
        w->tx = NULL;
        return -1;
    }
    w->group_since = clock_monotonic_ms();
    return 0;
}

static void run_all(struct writer *w, struct ticket *t)
{
    struct ticket *next;

    for (; t; t = next) {
        struct err err = ERR_INIT;
        bool lost = false;
        next = t->next;
        pthread_mutex_unlock(&w->mutex);
        bool begun = group_begin(w, &err) == 0;
        bool failed = !begun || op_run(w, t, &err, &lost) != 0;
        if (lost) {
            db_rollback(w->db);
            w->tx = NULL;
        }
        pthread_mutex_lock(&w->mutex);
        op_settle(w, t, &err, failed, lost || !begun);
    }
}

static void commit(struct writer *w)
{
    struct err err = ERR_INIT;

    pthread_mutex_unlock(&w->mutex);
    int rc = db_commit(w->db, &err);
    w->tx = NULL;
    if (w->wal_pages >= TIDY_PAGES_MUST)
        sqlite3_wal_checkpoint_v2(w->db->sql, NULL, SQLITE_CHECKPOINT_PASSIVE,
                                  NULL, NULL);
    pthread_mutex_lock(&w->mutex);
    if (rc == 0)
        err.code = ERR_NONE;
    group_finish(w, &err);
    if (w->wal_pages >= TIDY_PAGES) {
        w->tidy_asked = true;
        pthread_cond_signal(&w->tidy);
    }
}

static bool commit_due(const struct writer *w)
{
    return w->tx &&
           (w->group_wanted > 0 || w->stop ||
            clock_monotonic_ms() - w->group_since >= WRITER_LAZY_MS);
}

static void wait_for_work(struct writer *w)
{
    while (!w->queue.first && !w->stop && !commit_due(w)) {
        if (!w->tx) {
            pthread_cond_wait(&w->work, &w->mutex);
            continue;
        }
        int64_t at = w->group_since + WRITER_LAZY_MS;
        struct timespec ts = { at / 1000, (long)(at % 1000) * 1000000 };
        pthread_cond_timedwait(&w->work, &w->mutex, &ts);
    }
}

static void *writer_main(void *p)
{
    struct writer *w = p;

    pthread_mutex_lock(&w->mutex);
    while (!w->stop || w->queue.first || w->tx) {
        wait_for_work(w);
        run_all(w, tickets_take_all(&w->queue));
        if (commit_due(w))
            commit(w);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* --- checkpoints -------------------------------------------------------------- */

static int on_wal(void *p, sqlite3 *sql, const char *name, int pages)
{
    struct writer *w = p;

    (void)sql;
    (void)name;
    w->wal_pages = pages;
    return SQLITE_OK;
}

/* A passive checkpoint on a connection of its own never holds a writer up. If
 * it fails, the WAL only stays longer, and the next one comes. */
static void *tidy_main(void *p)
{
    struct writer *w = p;

    pthread_mutex_lock(&w->mutex);
    for (;;) {
        while (!w->tidy_asked && !w->tidy_stop)
            pthread_cond_wait(&w->tidy, &w->mutex);
        if (w->tidy_stop)
            break;
        w->tidy_asked = false;
        pthread_mutex_unlock(&w->mutex);
        sqlite3_wal_checkpoint_v2(w->tidy_db->sql, NULL,
                                  SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
        pthread_mutex_lock(&w->mutex);
    }
    pthread_mutex_unlock(&w->mutex);
    return NULL;
}

/* --- open and close ------------------------------------------------------------ */

static int conds_init(struct writer *w)
{
    pthread_condattr_t attr;

    if (pthread_condattr_init(&attr) != 0)
        return -1;
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    int rc = pthread_cond_init(&w->work, &attr);
    pthread_condattr_destroy(&attr);
    if (rc == 0)
        rc = pthread_cond_init(&w->tidy, NULL);
    if (rc == 0)
        rc = pthread_mutex_init(&w->mutex, NULL);
    return rc == 0 ? 0 : -1;
}

static void writer_free(struct writer *w)
{
    db_close(w->db);
    db_close(w->tidy_db);
    free(w);
}

int writer_open(const char *data_dir, const struct db_options *o,
                struct writer **out, struct err *e)
{
    struct writer *w = calloc(1, sizeof *w);

    if (!w || conds_init(w) != 0) {
        free(w);
        return err_set(e, ERR_NOMEM, "no memory for the writer");
    }
    tickets_init(&w->queue);
    tickets_init(&w->group);
    if (db_open(data_dir, DB_WRITE, o, &w->db, e) != 0 ||
        db_open(data_dir, DB_WRITE, o, &w->tidy_db, e) != 0) {
        writer_free(w);
        return -1;
    }
    sqlite3_wal_hook(w->db->sql, on_wal, w); /* replaces autocheckpoint */
    if (pthread_create(&w->thread, NULL, writer_main, w) != 0) {
        writer_free(w);
        return err_set(e, ERR_NOMEM, "no thread for the writer");
    }
    if (pthread_create(&w->tidy_thread, NULL, tidy_main, w) != 0) {
        pthread_mutex_lock(&w->mutex);
        w->stop = true;
        pthread_cond_signal(&w->work);
        pthread_mutex_unlock(&w->mutex);
        pthread_join(w->thread, NULL);
        writer_free(w);
        return err_set(e, ERR_NOMEM, "no thread for the writer");
    }
    *out = w;
    return 0;
}

void writer_close(struct writer *w)
{
    if (!w)
        return;
    pthread_mutex_lock(&w->mutex);
    w->stop = true;
    w->tidy_stop = true;
    pthread_cond_signal(&w->work);
    pthread_cond_signal(&w->tidy);
    pthread_mutex_unlock(&w->mutex);
    pthread_join(w->thread, NULL);
    pthread_join(w->tidy_thread, NULL);
    pthread_cond_destroy(&w->work);
    pthread_cond_destroy(&w->tidy);
    pthread_mutex_destroy(&w->mutex);
    writer_free(w);
}

/* --- tickets ------------------------------------------------------------------ */

static struct ticket *submit(struct writer *w, tx_fn *fn, void *ctx,
                             bool marker)
{
    struct ticket *t = calloc(1, sizeof *t);

    if (!t || pthread_cond_init(&t->moved, NULL) != 0) {
        free(t);
        return NULL;
    }
    t->w = w;
    t->fn = fn;
    t->ctx = ctx;
    t->marker = marker;
    t->holders = 2;
    pthread_mutex_lock(&w->mutex);
    tickets_push(&w->queue, t);
    pthread_cond_signal(&w->work);
    pthread_mutex_unlock(&w->mutex);
    return t;
}

struct ticket *writer_submit(struct writer *w, tx_fn *fn, void *ctx)
{
    return submit(w, fn, ctx, false);
}

static int no_ticket(struct err *e)
{
    return err_set(e, ERR_NOMEM, "no memory to queue an operation");
}

static int told(const struct err *from, struct err *e)
{
    if (from->code == ERR_NONE)
        return 0;
    if (e)
        *e = *from;
    return -1;
}

int ticket_executed(struct ticket *t, struct err *e)
{
    if (!t)
        return no_ticket(e);
    pthread_mutex_lock(&t->w->mutex);
    while (t->state == TICKET_QUEUED)
        pthread_cond_wait(&t->moved, &t->w->mutex);
    int rc = told(&t->fn_err, e);
    pthread_mutex_unlock(&t->w->mutex);
    return rc;
}

int ticket_durable(struct ticket *t, struct err *e)
{
    if (!t)
        return no_ticket(e);
    struct writer *w = t->w;
    pthread_mutex_lock(&w->mutex);
    if (!t->wanted) {
        t->wanted = true;
        w->stats.durable_points += !t->marker;
        if (t->state == TICKET_EXECUTED) {
            w->group_wanted++;
            pthread_cond_signal(&w->work);
        }
    }
    while (t->state != TICKET_DONE)
        pthread_cond_wait(&t->moved, &w->mutex);
    int rc = told(&t->fn_err, e);
    if (rc == 0)
        rc = told(&t->commit_err, e);
    pthread_mutex_unlock(&w->mutex);
    return rc;
}

/* After writer_close the writer is gone, and with it every wait: tickets that
 * outlive it have no holder but us. */
void ticket_free(struct ticket *t)
{
    if (!t)
        return;
    if (__atomic_load_n(&t->holders, __ATOMIC_ACQUIRE) == 1) {
        ticket_drop(t);
        return;
    }
    struct writer *w = t->w;
    pthread_mutex_lock(&w->mutex);
    while (t->state == TICKET_QUEUED)
        pthread_cond_wait(&t->moved, &w->mutex);
    ticket_drop(t);
    pthread_mutex_unlock(&w->mutex);
}

int writer_do(struct writer *w, tx_fn *fn, void *ctx, struct err *e)
{
    struct ticket *t = writer_submit(w, fn, ctx);
    int rc = ticket_durable(t, e);

    ticket_free(t);
    return rc;
}

int writer_do_lazy(struct writer *w, tx_fn *fn, void *ctx, struct err *e)
{
    struct ticket *t = writer_submit(w, fn, ctx);
    int rc = ticket_executed(t, e);

    ticket_free(t);
    return rc;
}

static int nothing(struct tx *tx, void *ctx, struct err *e)
{
    (void)tx;
    (void)ctx;
    (void)e;
    return 0;
}

/* Operations run and commit in order: when a marker is durable, so is all
 * that was queued before it. */
int writer_flush(struct writer *w, struct err *e)
{
    struct ticket *t = submit(w, nothing, NULL, true);
    int rc = ticket_durable(t, e);

    ticket_free(t);
    return rc;
}

void writer_stats(struct writer *w, struct writer_stats *out)
{
    pthread_mutex_lock(&w->mutex);
    *out = w->stats;
    pthread_mutex_unlock(&w->mutex);
}
