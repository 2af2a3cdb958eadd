#include "station/base/outlet.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "station/base/clock.h"

struct line {
    struct line *next;
    size_t n;
    uint8_t octets[];
};

struct outlet {
    int fd, broken_fd;
    size_t room;
    atomic_bool broken;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* under the lock */
    struct line *first, **last;
    size_t waiting; /* octets, those being written included */
    bool ending, ended;
    bool abandoned; /* the thread has all to itself: it frees it */
    int64_t moved_ms; /* when something was last read */
};

/* --- the thread ---------------------------------------------------------------- */

static int write_all(struct outlet *o, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(o->fd, p, n);
        if (done >= 0) {
            p += done;
            n -= (size_t)done;
            pthread_mutex_lock(&o->lock);
            o->moved_ms = clock_monotonic_ms();
            pthread_mutex_unlock(&o->lock);
        } else if (errno == EAGAIN) {
            poll(&(struct pollfd){ .fd = o->fd, .events = POLLOUT }, 1, -1);
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return 0;
}

void outlet_break(struct outlet *o)
{
    uint64_t one = 1;

    if (!atomic_exchange(&o->broken, true) &&
        write(o->broken_fd, &one, sizeof one) < 0)
        return; /* cannot be: the counter was zero */
}

/* With the lock held. */
static struct line *take(struct outlet *o)
{
    struct line *l = o->first;

    if (l && !(o->first = l->next))
        o->last = &o->first;
    return l;
}

static void outlet_free(struct outlet *o)
{
    pthread_cond_destroy(&o->changed);
    pthread_mutex_destroy(&o->lock);
    if (o->broken_fd >= 0)
        close(o->broken_fd);
    free(o);
}

static void *run(void *ctx)
{
    struct outlet *o = ctx;

    pthread_mutex_lock(&o->lock);
    for (;;) {
        struct line *l = take(o);
        if (!l && o->ending)
            break;
        if (!l) {
            pthread_cond_wait(&o->changed, &o->lock);
            continue;
        }
        pthread_mutex_unlock(&o->lock);
        if (!atomic_load(&o->broken) && write_all(o, l->octets, l->n) != 0)
            outlet_break(o);
        pthread_mutex_lock(&o->lock);
        o->waiting -= l->n;
        free(l);
    }
    o->ended = true;
    bool mine = o->abandoned;
    pthread_cond_broadcast(&o->changed);
    pthread_mutex_unlock(&o->lock);
    if (mine)
        outlet_free(o);
    return NULL;
}

/* --- start, put, end -------------------------------------------------------------- */

int outlet_start(int fd, size_t room, struct outlet **out, struct err *e)
{
    struct outlet *o = calloc(1, sizeof *o);
    pthread_condattr_t monotonic;

    *out = NULL;
    if (!o)
        return err_set(e, ERR_NOMEM, "no memory for the output");
    *o = (struct outlet){ .fd = fd, .room = room };
    o->last = &o->first;
    pthread_mutex_init(&o->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&o->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    o->broken_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (o->broken_fd < 0) {
        err_errno(e, "eventfd");
        outlet_free(o);
        return -1;
    }
    int r = pthread_create(&o->thread, NULL, run, o);
    if (r != 0) {
        outlet_free(o);
        return err_set(e, ERR_IO, "no thread for the output: %s", strerror(r));
    }
    pthread_setname_np(o->thread, "output");
    *out = o;
    return 0;
}

void outlet_put(struct outlet *o, struct span text)
{
    if (atomic_load(&o->broken))
        return;
    struct line *l = malloc(sizeof *l + text.n);
    if (!l) {
        outlet_break(o);
        return;
    }
    l->next = NULL;
    l->n = text.n;
    memcpy(l->octets, text.p, text.n);
    pthread_mutex_lock(&o->lock);
    bool fits = l->n <= o->room && o->waiting <= o->room - l->n;
    if (fits) {
        *o->last = l;
        o->last = &l->next;
        o->waiting += l->n;
        pthread_cond_signal(&o->changed);
    }
    pthread_mutex_unlock(&o->lock);
    if (!fits) {
        free(l);
        outlet_break(o);
    }
}

bool outlet_broken(const struct outlet *o)
{
    return atomic_load(&o->broken);
}

int outlet_fd(const struct outlet *o)
{
    return o->broken_fd;
}

/* With the lock held: until the thread is through or has moved nothing for so
 * long. */
static bool await_end(struct outlet *o, int patience_ms)
{
    int64_t from = clock_monotonic_ms();

    while (!o->ended) {
        int64_t until = (o->moved_ms > from ? o->moved_ms : from) + patience_ms;
        struct timespec ts = { (time_t)(until / 1000),
                               (long)(until % 1000) * 1000000 };
        if (clock_monotonic_ms() >= until)
            return false;
        pthread_cond_timedwait(&o->changed, &o->lock, &ts);
    }
    return true;
}

int outlet_end(struct outlet *o, int patience_ms, struct err *e)
{
    if (!o)
        return 0;
    pthread_mutex_lock(&o->lock);
    o->ending = true;
    pthread_cond_broadcast(&o->changed);
    bool ended = await_end(o, patience_ms);
    if (!ended) {
        outlet_break(o); /* should it move again, it has nothing more to do */
        o->abandoned = true;
        pthread_detach(o->thread);
    }
    pthread_mutex_unlock(&o->lock);
    if (!ended)
        return err_set(e, ERR_CLOSED, "what is said here is not read");
    pthread_join(o->thread, NULL);
    bool broken = outlet_broken(o);
    outlet_free(o);
    return broken ? err_set(e, ERR_CLOSED, "what is said here is not read") : 0;
}
