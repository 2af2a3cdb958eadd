#include "tests/lab/parallel.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

struct job {
    int (*fn)(void *ctx, unsigned worker, size_t i, struct err *e);
    void *ctx;
    size_t n;
    atomic_size_t next;
    atomic_bool failed;
};

struct worker {
    struct job *job;
    unsigned number;
    pthread_t thread;
    bool failed;
    struct err e;
};

unsigned parallel_threads(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > PARALLEL_MAX ? PARALLEL_MAX : (unsigned)n;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct job *j = w->job;

    while (!atomic_load(&j->failed)) {
        size_t i = atomic_fetch_add(&j->next, 1);
        if (i >= j->n)
            break;
        if (j->fn(j->ctx, w->number, i, &w->e) != 0) {
            /* Only the first to fail reports; others may fail for its sake. */
            w->failed = !atomic_exchange(&j->failed, true);
            break;
        }
    }
    return NULL;
}

int parallel_for(size_t n, unsigned threads,
                 int (*fn)(void *ctx, unsigned worker, size_t i, struct err *e),
                 void *ctx, struct err *e)
{
    struct job j = { .fn = fn, .ctx = ctx, .n = n };
    struct worker w[PARALLEL_MAX];
    unsigned started = 0;

    if (threads > PARALLEL_MAX)
        threads = PARALLEL_MAX;
    memset(w, 0, sizeof w);
    for (unsigned i = 0; i < threads && i < n; i++) {
        w[i].job = &j;
        w[i].number = i;
    }
    /* Worker 0 is the calling thread; a thread that cannot start is no
     * failure, its share is done by the others. */
    for (unsigned i = 1; i < threads && i < n; i++, started++)
        if (pthread_create(&w[i].thread, NULL, work, &w[i]) != 0)
            break;
    if (n > 0)
        work(&w[0]);
    for (unsigned i = 1; i <= started; i++)
        pthread_join(w[i].thread, NULL);
    for (unsigned i = 0; i <= started; i++)
        if (w[i].failed) {
            if (e)
                *e = w[i].e;
            return -1;
        }
    return 0;
}
