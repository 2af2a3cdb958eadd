/* kill -9 while three kinds of writers are at work, and a full disk at every
 * write: afterwards the books balance and nothing is half there. */
#include "tests/unit/storage/faulty_disk.h"
#include "tests/unit/storage/ledger_ground.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILLS 12
#define EUICCS 10  /* new ones in each round */
#define PER_EUICC 6

/* --- what the child does until it is killed ------------------------------------- */

#define FIXTURES 4

struct round {
    struct ground *g;
    unsigned number;
    int told; /* pipe: each txid known to be durably loading or installed */
};

struct fixture_thread {
    const struct round *r;
    struct writer *w;
    unsigned first;
};

struct job {
    struct eid eid;
    struct bpp_list list;
    int64_t bpp;
};

static int reserve(struct tx *tx, void *ctx, struct err *e)
{
    struct job *j = ctx;

    return stock_reserve(tx, &j->eid, &ground_act, &j->list, e);
}

static int load(struct tx *tx, void *ctx, struct err *e)
{
    return stock_load(tx, ((struct job *)ctx)->bpp, &ground_act, e);
}

static int install(struct tx *tx, void *ctx, struct err *e)
{
    return stock_result(tx, ((struct job *)ctx)->bpp, true, CAUSE_RESULT,
                        ground_bf37(), &ground_act, e);
}

struct told {
    struct txid txid;
    enum bpp_state least; /* loading: at least; installed: exactly;
                             in stock: no promise, this fixture is done */
};

static void tell(int fd, const struct txid *txid, enum bpp_state s)
{
    const struct told t = { *txid, s };

    if (write(fd, &t, sizeof t) != (ssize_t)sizeof t)
        _exit(3);
}

static void *fixture(void *p)
{
    struct fixture_thread *f = p;
    struct err e = ERR_INIT;

    const struct txid none = { .o = { 0 } };

    /* The newest first: those of earlier rounds are mostly done. */
    for (unsigned i = f->first; i < (f->r->number + 1) * EUICCS; i += FIXTURES) {
        unsigned n = (f->r->number + 1) * EUICCS - 1 - i;
        struct job j = { .eid = ground_eid(n) };
        if (writer_do_lazy(f->w, reserve, &j, &e) != 0)
            _exit(4);
        for (size_t k = 0; k < j.list.n; k++) {
            j.bpp = j.list.v[k].id;
            if (writer_do(f->w, load, &j, &e) != 0)
                _exit(5);
            tell(f->r->told, &j.list.v[k].txid, BPP_LOADING);
            if (writer_do(f->w, install, &j, &e) != 0)
                _exit(6);
            tell(f->r->told, &j.list.v[k].txid, BPP_INSTALLED);
        }
        bpp_list_clear(&j.list);
    }
    tell(f->r->told, &none, BPP_IN_STOCK);
    return NULL;
}

/* Imports bundle after bundle beside the line. */
static void *importer(void *p)
{
    const struct round *r = p;
    struct err e = ERR_INIT;
    struct db *db;
    struct lock *lock;

    if (db_open(r->g->dir, DB_WRITE, &r->g->options, &db, &e) != 0 ||
        lock_take(r->g->dir, LOCK_IMPORT, &lock, &e) != 0)
        _exit(7);
    for (unsigned n = 0;; n++) {
        struct import *i;
        char id[37];
        const struct import_head h = ground_head(10000 + r->number * 1000 + n,
                                                 id);
        if (import_begin(db, lock, &h, &i, &e) != 0)
            _exit(8);
        for (unsigned k = 0; k < 3000; k++)
            if (ground_record(i, (r->number + 1) << 20 | (n * 3000 + k),
                              1000000 + k, 60, &e) != 0)
                _exit(9);
        if (import_finish(i, "test", NULL, &e) != 0)
            _exit(10);
    }
    return NULL;
}

static void child(struct round *r)
{
    struct fixture_thread f[FIXTURES];
    pthread_t t[FIXTURES + 1];
    struct writer *w;
    struct err e = ERR_INIT;

    if (writer_open(r->g->dir, &r->g->options, &w, &e) != 0)
        _exit(2);
    if (pthread_create(&t[FIXTURES], NULL, importer, r) != 0)
        _exit(2);
    for (unsigned k = 0; k < FIXTURES; k++) {
        f[k] = (struct fixture_thread){ r, w, k };
        if (pthread_create(&t[k], NULL, fixture, &f[k]) != 0)
            _exit(2);
    }
    for (;;)
        pause(); /* until killed */
}

/* --- what the parent finds --------------------------------------------------------- */

static int release(struct tx *tx, void *ctx, struct err *e)
{
    return stock_release_leftovers(tx, "test", ctx, e);
}

static void keep_promise(struct ground *g, const struct told *t)
{
    struct err e = ERR_INIT;
    struct bpp_info b;

    if (t->least == BPP_IN_STOCK)
        return;
    good(stock_by_txid(g->db, &t->txid, &b, &e));
    ck_assert_msg(b.state == BPP_INSTALLED ||
                  (t->least == BPP_LOADING && b.state == BPP_LOADING),
                  "promised %s, found %s", bpp_state_name(t->least),
                  bpp_state_name(b.state));
}

/* Kill after so many words of the child's and a moment more: how fast this
 * machine is does not matter. What it said to be durable must be there. */
#define WORDS (2 * EUICCS * PER_EUICC)

static void run_and_kill(struct ground *g, unsigned number)
{
    struct told told[WORDS], t;
    struct err e = ERR_INIT;
    int fd[2], status;
    size_t n = 0, want = 1 + (size_t)random() % (WORDS / 2);
    unsigned done = 0;

    ck_assert_int_eq(pipe(fd), 0);
    struct round r = { g, number, fd[1] };
    db_close(g->db); /* no connection crosses a fork */
    g->db = NULL;
    pid_t pid = fork();
    if (pid == 0) {
        close(fd[0]);
        child(&r);
    }
    close(fd[1]);
    while (n < want && done < FIXTURES &&
           read(fd[0], &told[n], sizeof t) == (ssize_t)sizeof t)
        done += told[n++].least == BPP_IN_STOCK;
    usleep((useconds_t)(random() % 3000));
    kill(pid, SIGKILL);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status), "the child ended by itself: %d",
                  WEXITSTATUS(status));
    good(db_open(g->dir, DB_WRITE, &g->options, &g->db, &e));
    ground_balanced(g->db);
    for (size_t k = 0; k < n; k++)
        keep_promise(g, &told[k]);
    while (read(fd[0], &t, sizeof t) == (ssize_t)sizeof t)
        keep_promise(g, &t);
    close(fd[0]);
}

/* As at the next start: leftovers go, the rest of the state stays. */
static void restart(struct ground *g)
{
    struct err e = ERR_INIT;

    good(lock_take(g->dir, LOCK_IMPORT, &g->lock, &e));
    good(import_leftovers(g->db, g->lock, NULL, &e));
    lock_release(g->lock);
    g->lock = NULL;
    good(db_write(g->db, release, NULL, &e));
    ck_assert_int_eq(ground_sql_int(g, "SELECT count(*) FROM container"
                                    " WHERE state = 0"), 0);
    ck_assert_int_eq(ground_sql_int(g, "SELECT count(*) FROM bpp"
                                    " WHERE state = 1"), 0);
    ground_balanced(g->db);
}

START_TEST(kill_9)
{
    const char *given = getenv("LINESIDE_SEED"), *kills = getenv("LINESIDE_KILLS");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10)
                          : (unsigned)time(NULL);
    unsigned n = kills ? (unsigned)strtoul(kills, NULL, 10) : KILLS;
    struct event_head head;
    struct err e = ERR_INIT;
    struct ground g;

    printf("storage: kill -9, LINESIDE_SEED=%u, %u kills\n", seed, n);
    srandom(seed);
    ground_open(&g);
    for (unsigned k = 0; k < n; k++) {
        ground_bundle(&g, k + 1, k * EUICCS * PER_EUICC, EUICCS * PER_EUICC,
                      PER_EUICC);
        run_and_kill(&g, k);
        restart(&g);
    }
    good(event_head(g.db, &head, &e));
    ck_assert_uint_gt(head.number, 3 * n); /* they did get to work */
    ground_close(&g);
}
END_TEST

/* --- a full disk ---------------------------------------------------------------------- */

/* A whole small day; every step that succeeds is counted. */
static unsigned day(struct ground *g, struct err *e)
{
    struct job j = { .eid = ground_eid(0) };
    struct import *i;
    char id[37];
    const struct import_head h = ground_head(2, id);
    unsigned steps = 0;

    if (lock_take(g->dir, LOCK_IMPORT, &g->lock, e) != 0)
        return 0;
    int rc = import_begin(g->db, g->lock, &h, &i, e);
    for (unsigned k = 0; rc == 0 && k < 3000; k++) {
        rc = ground_record(i, 1000 + k, 1000 + k, 200, e);
        if (rc != 0)
            import_abort(i);
    }
    steps += rc == 0 && import_finish(i, "test", NULL, e) == 0;
    lock_release(g->lock);
    g->lock = NULL;
    steps += db_write(g->db, reserve, &j, e) == 0;
    j.bpp = ground_bpp(g->db, 1).id;
    steps += ground_bpp(g->db, 1).state == BPP_RESERVED &&
             db_write(g->db, load, &j, e) == 0;
    steps += ground_bpp(g->db, 1).state == BPP_LOADING &&
             db_write(g->db, install, &j, e) == 0;
    bpp_list_clear(&j.list);
    return steps;
}

static const struct {
    enum disk_fault fault;
    enum err_code code;
} faults[] = {
    { DISK_FULL_ONCE, ERR_FULL },
    { DISK_FULL, ERR_FULL },
    { DISK_NO_SYNC, ERR_IO },
};

/* N grows until nothing fires; large N in larger steps, to stay quick. */
START_TEST(the_disk_fails_at_every_call)
{
    const struct db_options o = { .vfs = FAULTY_DISK, .busy_ms = 1000 };
    bool fired = true;
    unsigned n;

    faulty_disk_register();
    for (n = 1; fired; n += 1 + n / 4) {
        struct err e = ERR_INIT;
        struct ground g;

        ground_open_with(&g, &o);
        ground_bundle(&g, 1, 1, 2, 2);
        faulty_disk_arm(faults[_i].fault, n);
        unsigned steps = day(&g, &e);
        fired = faulty_disk_fired();
        ck_assert_msg(steps == 4 || e.code == faults[_i].code, "%u: %s", n,
                      e.msg);
        ck_assert(fired || steps == 4);
        faulty_disk_arm(faults[_i].fault, 0);
        ground_balanced(g.db); /* as it stands */
        ground_reopen(&g);
        restart(&g);           /* and after the next start */
        int64_t live = ground_sql_int(&g, "SELECT count(*) FROM bpp");
        ck_assert_msg(live == 2 || live == 3002, "%lld BPPs",
                      (long long)live);
        ground_close(&g);
        ck_assert_uint_lt(n, 100000);
    }
    ck_assert_uint_gt(n, 4);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "kill -9", kill_9, 1 },
        { "failing disk", the_disk_fails_at_every_call,
          sizeof faults / sizeof *faults },
    };

    return run_tests("storage/crash", tests, sizeof tests / sizeof *tests);
}
