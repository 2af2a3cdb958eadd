/* The thread that hands scans over, and that watches for cut ones. */
#include <string.h>
#include <time.h>

#include "drivers/scanner/scanners_inner.h"
#include "station/base/clock.h"

void deliver_queue(void *ctx, enum scanner_scan what, struct span text)
{
    struct place *p = ctx;
    struct scanners *s = p->all;

    pthread_mutex_lock(&s->lock);
    if (s->queued == SCANNERS_QUEUE) {
        p->lost++;
    } else {
        struct queued *q = &s->queue[(s->first + s->queued++) % SCANNERS_QUEUE];

        q->place = p;
        q->what = what;
        q->n = text.n < sizeof q->text ? text.n : sizeof q->text;
        if (q->n)
            memcpy(q->text, text.p, q->n);
    }
    pthread_cond_signal(&s->take);
    pthread_mutex_unlock(&s->lock);
}

/* With the lock held; gives it back while the scan is taken. False: there was
 * none. */
static bool hand_over(struct scanners *s)
{
    struct queued q;

    if (s->queued == 0)
        return false;
    q = s->queue[s->first];
    s->first = (s->first + 1) % SCANNERS_QUEUE;
    s->queued--;
    pthread_mutex_unlock(&s->lock);
    s->o.scan(s->o.ctx, q.place->pub.path, q.what, SPAN(q.text, q.n));
    pthread_mutex_lock(&s->lock);
    return true;
}

/* The same for what had no room in the queue. */
static bool own_up(struct scanners *s)
{
    static const char text[] =
        "scans came faster than the station took them, and were dropped; scan "
        "again, one after the other";
    struct place *p = s->places;

    while (p && p->lost == 0)
        p = p->next;
    if (!p)
        return false;
    p->lost = 0;
    pthread_mutex_unlock(&s->lock);
    s->o.scan(s->o.ctx, p->pub.path, SCANNER_OVERFLOW, SPAN_STR(text));
    pthread_mutex_lock(&s->lock);
    return true;
}

/* One scanner's silence; its next deadline, -1: none. The lock is given back
 * meanwhile: a scan that is cut takes it. */
static int64_t look_after(struct scanners *s, struct place *p)
{
    struct scanner *scanner = p->scanner;
    int64_t at, now = clock_monotonic_ms();

    p->users++;
    pthread_mutex_unlock(&s->lock);
    at = scanner_deadline(scanner);
    if (at >= 0 && now >= at) {
        scanner_tick(scanner, now);
        at = scanner_deadline(scanner);
    }
    pthread_mutex_lock(&s->lock);
    p->users--;
    pthread_cond_signal(&s->keep);
    return at;
}

static int64_t look_after_all(struct scanners *s)
{
    int64_t next = -1;

    for (struct place *p = s->places; p; p = p->next) {
        int64_t at = p->scanner ? look_after(s, p) : -1;

        if (at >= 0 && (next < 0 || at < next))
            next = at;
    }
    return next;
}

static void sleep_until(struct scanners *s, int64_t at_ms)
{
    struct timespec t = { at_ms / 1000, at_ms % 1000 * 1000000 };

    if (at_ms < 0)
        pthread_cond_wait(&s->take, &s->lock);
    else
        pthread_cond_timedwait(&s->take, &s->lock, &t);
}

void *deliver_main(void *arg)
{
    struct scanners *s = arg;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        if (hand_over(s) || own_up(s))
            continue;
        if (s->kept)
            break;
        s->woken = false;
        int64_t next = look_after_all(s);
        /* What came while the lock was given back signalled nobody. */
        if (s->queued == 0 && !s->woken && !s->kept)
            sleep_until(s, next);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}
