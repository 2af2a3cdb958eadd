#include "tests/bench/clockwork.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "tests/bench/bench.h"
#include "tests/bench/troupe.h"

#define HEADER 10
#define XFR_BLOCK 0x6F
#define DATA_BLOCK 0x80
#define TYPE_IN 0x80

struct reader {
    struct lab_usb_device base;
    struct clockwork *w;
    struct lab_usb_device *inner;
    struct fixture *card;
    uint8_t in; /* bulk IN endpoint */
    /* under w->lock */
    struct lab_urb *held;  /* the host listens, and the spring will speak */
    bool sprung;           /* the answer under way is the spring's        */
    bool ready;            /* ... and it is due, but nobody listens yet   */
    int64_t due;
    uint8_t answer[HEADER + FIXTURE_RESPONSE_MAX];
    size_t n;
    struct reader *next; /* in w's queue */
};

struct clockwork {
    int64_t apdu_ns;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct reader *first, **last; /* by due time: all are equally slow */
    bool quit;
};

/* --- the thread ---------------------------------------------------------------- */

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

static void *run(void *ctx)
{
    struct clockwork *w = ctx;

    prctl(PR_SET_TIMERSLACK, 1000UL);
    pthread_mutex_lock(&w->lock);
    while (!w->quit) {
        struct reader *r = w->first;
        if (!r) {
            pthread_cond_wait(&w->wake, &w->lock);
        } else if (bench_now_ns() < r->due) {
            int64_t due = r->due;
            pthread_mutex_unlock(&w->lock);
            troupe_wait_until(due, 0);
            pthread_mutex_lock(&w->lock);
        } else {
            w->first = r->next;
            if (!w->first)
                w->last = &w->first;
            speak(r);
        }
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

struct clockwork *clockwork_start(int64_t apdu_ns)
{
    struct clockwork *w = calloc(1, sizeof *w);

    if (!w)
        bench_die("clockwork: no memory");
    w->apdu_ns = apdu_ns;
    w->last = &w->first;
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        bench_die("clockwork: no thread");
    return w;
}

void clockwork_stop(struct clockwork *w)
{
    pthread_mutex_lock(&w->lock);
    w->quit = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
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
    r->sprung = true;
    r->due = came + w->apdu_ns;
    r->next = NULL;
    bool idle = !w->first;
    *w->last = r;
    w->last = &r->next;
    if (idle)
        pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    lab_urb_complete(u, LAB_USB_OK, u->length);
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

static void cancel(struct lab_usb_device *d, struct lab_urb *u)
{
    struct lab_urb *held = take_held(self(d), u);

    if (held)
        lab_urb_complete(held, LAB_USB_CANCELLED, 0);
    else
        self(d)->inner->ops->cancel(self(d)->inner, u);
}

static void clear_halt(struct lab_usb_device *d, uint8_t endpoint)
{
    self(d)->inner->ops->clear_halt(self(d)->inner, endpoint);
}

static void go(struct reader *r)
{
    struct lab_urb *held = take_held(r, NULL);

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
