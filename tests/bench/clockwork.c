/* poll is ours here: no inline version of it, please. ppoll: GNU. */
#undef _FORTIFY_SOURCE
#include "tests/bench/clockwork.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/bench.h"

#define HEADER 10
#define XFR_BLOCK 0x6F
#define DATA_BLOCK 0x80
#define TYPE_IN 0x80

#define FRAME_NS 1000000 /* of full-speed USB */

struct reader {
    struct lab_usb_device base;
    struct clockwork *w;
    struct lab_usb_device *inner;
    struct fixture *card;
    uint8_t in; /* bulk IN endpoint */
    /* under w->lock */
    struct lab_urb *held;  /* the host listens, and the spring will speak */
    struct lab_urb *taken; /* a command, of which the host is told below  */
    bool sprung;           /* the answer under way is the spring's        */
    bool ready;            /* ... and it is due, but nobody listens yet   */
    int64_t came;          /* the command */
    uint8_t answer[HEADER + FIXTURE_RESPONSE_MAX];
    size_t n;
    struct reader *next, *next_taken;
};

struct clockwork {
    int64_t apdu_ns;
    pthread_mutex_t lock;
    struct reader *first, **last;             /* by due time: all are equally slow */
    struct reader *first_taken, **last_taken; /* by the time they came */
};

/* --- the host controller ----------------------------------------------------------
 * A real one wakes who polls at the moment a transfer ends, and at the end of
 * a frame at the latest; no thread stands in between. So it is the poll of the
 * station's event thread, which this program has before libc's, that looks at
 * the springs. */

static _Atomic(struct clockwork *) running;

static void tell_taken(struct clockwork *w)
{
    for (struct reader *r; (r = w->first_taken);) {
        struct lab_urb *u = r->taken;

        w->first_taken = r->next_taken;
        r->taken = NULL;
        lab_urb_complete(u, LAB_USB_OK, u->length);
    }
    w->last_taken = &w->first_taken;
}

static void speak(struct reader *r)
{
    struct lab_urb *u = r->held;

    r->ready = u == NULL;
    if (!u)
        return;
    r->held = NULL;
    r->sprung = false;
    size_t n = r->n < u->length ? r->n : u->length;
    memcpy(u->data, r->answer, n);
    lab_urb_complete(u, LAB_USB_OK, n);
}

/* All that is due; when to look again, INT64_MAX: when woken. */
static int64_t turn(struct clockwork *w)
{
    int64_t next = INT64_MAX, now = bench_now_ns();

    pthread_mutex_lock(&w->lock);
    tell_taken(w);
    for (struct reader *r; (r = w->first); w->first = r->next) {
        if (r->came + w->apdu_ns > now) {
            next = r->came + w->apdu_ns;
            break;
        }
        speak(r);
    }
    if (!w->first)
        w->last = &w->first;
    pthread_mutex_unlock(&w->lock);
    return next < now + FRAME_NS || next == INT64_MAX ? next : now + FRAME_NS;
}

static int wait_ns(struct pollfd *fds, nfds_t n, int64_t ns)
{
    struct timespec ts = { ns / 1000000000, ns % 1000000000 };

    return ppoll(fds, n, ns < 0 ? NULL : &ts, NULL);
}

int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
    struct clockwork *w = atomic_load(&running);
    int64_t until = timeout_ms < 0 ? INT64_MAX
                                   : bench_now_ns() + (int64_t)timeout_ms * 1000000;

    for (;;) {
        int64_t next = w ? turn(w) : INT64_MAX, now = bench_now_ns();
        int64_t stop = next < until ? next : until;
        int r = wait_ns(fds, n, stop == INT64_MAX ? -1 : stop > now ? stop - now : 0);

        if (r != 0 || bench_now_ns() >= until)
            return r;
    }
}

struct clockwork *clockwork_start(int64_t apdu_ns)
{
    struct clockwork *w = calloc(1, sizeof *w);

    if (!w)
        bench_die("clockwork: no memory");
    w->apdu_ns = apdu_ns;
    w->last = &w->first;
    w->last_taken = &w->first_taken;
    pthread_mutex_init(&w->lock, NULL);
    atomic_store(&running, w);
    return w;
}

void clockwork_stop(struct clockwork *w)
{
    atomic_store(&running, NULL);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* --- the reader ------------------------------------------------------------------ */

static struct reader *self(struct lab_usb_device *d)
{
    return (struct reader *)d;
}

static void wind_up(struct reader *r, struct lab_urb *u)
{
    AUTO(buf_clear) struct buf rsp = BUF_INIT;
    struct err e = ERR_INIT;
    struct clockwork *w = r->w;
    int64_t came = bench_now_ns();

    if (r->card->ops->transmit(r->card, SPAN(u->data + HEADER, u->length - HEADER),
                               &rsp, 1000, &e) != 0)
        bench_die("clockwork: %s", e.msg);
    memset(r->answer, 0, HEADER);
    r->answer[0] = DATA_BLOCK;
    r->answer[1] = (uint8_t)rsp.n;
    r->answer[2] = (uint8_t)(rsp.n >> 8);
    r->answer[5] = u->data[5];
    r->answer[6] = u->data[6];
    memcpy(r->answer + HEADER, rsp.p, rsp.n);
    r->n = HEADER + rsp.n;
    pthread_mutex_lock(&w->lock);
    bool asleep = !w->first && !w->first_taken;
    r->sprung = true;
    r->came = came;
    r->next = r->next_taken = NULL;
    r->taken = u;
    *w->last = r;
    w->last = &r->next;
    *w->last_taken = r;
    w->last_taken = &r->next_taken;
    /* Who polls without an end in sight has to be woken. */
    if (asleep)
        tell_taken(w);
    pthread_mutex_unlock(&w->lock);
}

/* Listening for the spring's answer, or, before it is known whose answer is
 * next, held until the next command tells. */
static void listen(struct reader *r, struct lab_urb *u)
{
    pthread_mutex_lock(&r->w->lock);
    r->held = u;
    if (r->sprung && r->ready)
        speak(r);
    pthread_mutex_unlock(&r->w->lock);
}

static void submit(struct lab_usb_device *d, struct lab_urb *u)
{
    struct reader *r = self(d);

    if (u->endpoint == r->in) {
        listen(r, u);
    } else if (u->endpoint != 0 && !(u->endpoint & TYPE_IN) &&
               u->length > HEADER && u->data[0] == XFR_BLOCK) {
        wind_up(r, u);
    } else if (u->endpoint != 0 && !(u->endpoint & TYPE_IN)) {
        /* The reader itself will answer: it gets whoever listens. */
        pthread_mutex_lock(&r->w->lock);
        struct lab_urb *held = r->held;
        r->held = NULL;
        pthread_mutex_unlock(&r->w->lock);
        if (!held)
            bench_die("clockwork: a command without a listener");
        r->inner->ops->submit(r->inner, held);
        r->inner->ops->submit(r->inner, u);
    } else {
        r->inner->ops->submit(r->inner, u);
    }
}

static struct lab_urb *take_held(struct reader *r, struct lab_urb *u)
{
    struct lab_urb *held = NULL;

    pthread_mutex_lock(&r->w->lock);
    if (r->held && (!u || r->held == u)) {
        held = r->held;
        r->held = NULL;
    }
    pthread_mutex_unlock(&r->w->lock);
    return held;
}

/* What was taken is not to be stopped any more: all of it is told of. True: u
 * (not NULL) was of it. */
static bool tell_of(struct reader *r, const struct lab_urb *u)
{
    pthread_mutex_lock(&r->w->lock);
    bool was = u && r->taken == u;
    tell_taken(r->w);
    pthread_mutex_unlock(&r->w->lock);
    return was;
}

static void cancel(struct lab_usb_device *d, struct lab_urb *u)
{
    struct lab_urb *held = take_held(self(d), u);

    if (held)
        lab_urb_complete(held, LAB_USB_CANCELLED, 0);
    else if (!tell_of(self(d), u))
        self(d)->inner->ops->cancel(self(d)->inner, u);
}

static void clear_halt(struct lab_usb_device *d, uint8_t endpoint)
{
    self(d)->inner->ops->clear_halt(self(d)->inner, endpoint);
}

static void go(struct reader *r)
{
    struct lab_urb *held = take_held(r, NULL);

    tell_of(r, NULL);
    if (held)
        lab_urb_complete(held, LAB_USB_GONE, 0);
}

static void reset(struct lab_usb_device *d)
{
    go(self(d));
    self(d)->inner->ops->reset(self(d)->inner);
}

static void unplugged(struct lab_usb_device *d)
{
    go(self(d));
    self(d)->inner->ops->unplugged(self(d)->inner);
}

static void reader_free(struct lab_usb_device *d)
{
    if (!d)
        return;
    ccid_model_remove(self(d)->inner, 0);
    self(d)->inner->ops->free(self(d)->inner);
    free(d);
}

static const struct lab_usb_ops ops = {
    .name = "clockwork", .submit = submit, .cancel = cancel,
    .clear_halt = clear_halt, .reset = reset, .unplugged = unplugged,
    .free = reader_free,
};

/* The bulk IN endpoint of a configuration descriptor that is the lab's own. */
static uint8_t bulk_in(struct span config)
{
    for (size_t at = 0; at + 3 < config.n && config.p[at]; at += config.p[at])
        if (config.p[at + 1] == 5 && (config.p[at + 2] & TYPE_IN) &&
            (config.p[at + 3] & 3) == 2)
            return config.p[at + 2];
    bench_die("clockwork: no bulk IN endpoint");
}

struct lab_usb_device *clockwork_reader(struct clockwork *w,
                                        const struct ccid_model_options *o,
                                        struct fixture *card,
                                        const struct ccid_card *c)
{
    struct reader *r = calloc(1, sizeof *r);
    struct err e = ERR_INIT;

    if (!r || ccid_model_new(o, &r->inner, &e) != 0 ||
        ccid_model_insert(r->inner, 0, card, c, &e) != 0)
        bench_die("clockwork: %s", r ? e.msg : "no memory");
    r->base = *r->inner; /* descriptors and strings stay the inner one's */
    r->base.ops = &ops;
    r->w = w;
    r->card = card;
    r->in = bulk_in(buf_span(&r->base.config));
    return &r->base;
}
