#include "tests/unit/usb/stand.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct timespec deadline(int ms)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    return t;
}

/* --- what comes and goes -------------------------------------------------------------- */

static struct stand_place *place(struct stand *s, const char *path)
{
    for (size_t i = 0; i < s->n; i++)
        if (strcmp(s->places[i].path, path) == 0)
            return &s->places[i];
    if (s->n == STAND_PLACES)
        abort();
    memcpy(s->places[s->n].path, path, strlen(path) + 1);
    return &s->places[s->n++];
}

static void on_change(void *ctx, const struct usb_device *d, bool here)
{
    struct stand *s = ctx;

    pthread_mutex_lock(&s->lock);
    struct stand_place *p = place(s, d->path);
    if (p->here == here)
        s->out_of_turn = true;
    p->here = here;
    *(here ? &p->came : &p->went) += 1;
    p->product = d->product;
    p->device_class = d->device_class;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

struct stand_place stand_await(struct stand *s, const char *path, bool here)
{
    struct timespec until = deadline(STAND_WAIT_MS);
    int r = 0;

    pthread_mutex_lock(&s->lock);
    while (place(s, path)->here != here && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    struct stand_place p = *place(s, path);
    bool out_of_turn = s->out_of_turn;
    pthread_mutex_unlock(&s->lock);
    ck_assert_msg(p.here == here, "%s did not %s", path, here ? "come" : "go");
    ck_assert(!out_of_turn);
    return p;
}

struct stand_place stand_look(struct stand *s, const char *path)
{
    pthread_mutex_lock(&s->lock);
    struct stand_place p = *place(s, path);
    pthread_mutex_unlock(&s->lock);
    return p;
}

/* --- the stand -------------------------------------------------------------------------- */

void stand_open(struct stand *s)
{
    struct err e = ERR_INIT;

    /* Here and not in main: each test has a process and so a tree of its own,
     * whatever the one before left behind. */
    ck_assert_msg(lab_bus_enter(&e) == 0, "%s", e.msg);
    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    ck_assert_msg(lab_bus_new(&s->bus, &e) == 0, "%s", e.msg);
    ck_assert_msg(inprocess_start(s->bus, &e) == 0, "%s", e.msg);
}

void stand_start(struct stand *s)
{
    struct err e = ERR_INIT;

    ck_assert_msg(usb_start(on_change, s, &s->usb, &e) == 0, "%s", e.msg);
}

void stand_stop(struct stand *s)
{
    usb_stop(s->usb);
    s->usb = NULL;
}

void stand_close(struct stand *s)
{
    stand_stop(s);
    inprocess_stop();
    lab_bus_free(s->bus);
    ck_assert(!s->out_of_turn);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
}

void stand_plug(struct stand *s, const char *path, struct lab_usb_device *d)
{
    struct err e = ERR_INIT;

    ck_assert_ptr_nonnull(d);
    ck_assert_msg(lab_bus_plug(s->bus, path, d, &e) == 0, "%s", e.msg);
}

void stand_unplug(struct stand *s, const char *path)
{
    ck_assert_uint_gt(lab_bus_unplug(s->bus, path), 0);
}

struct usb_handle *stand_take(struct stand *s, const char *path)
{
    struct usb_handle *h = NULL;
    struct err e = ERR_INIT;

    stand_await(s, path, true);
    ck_assert_msg(usb_open(s->usb, path, &h, &e) == 0, "%s", e.msg);
    ck_assert_msg(usb_claim(h, 0, &e) == 0, "%s", e.msg);
    return h;
}

/* --- transfers ---------------------------------------------------------------------------- */

static void landed(struct usb_transfer *t, enum usb_status s, size_t actual)
{
    struct flight *f = t->ctx;

    pthread_mutex_lock(&f->lock);
    f->ends++;
    f->status = s;
    f->actual = actual;
    pthread_cond_broadcast(&f->landed);
    pthread_mutex_unlock(&f->lock);
}

void flight_init(struct flight *f, uint8_t endpoint, void *data, size_t n)
{
    memset(f, 0, sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->landed, NULL);
    f->t.endpoint = endpoint;
    f->t.interrupt = endpoint == PARROT_INTERRUPT;
    f->t.data = data;
    f->t.length = n;
    f->t.done = landed;
    f->t.ctx = f;
}

void flight_clear(struct flight *f)
{
    pthread_cond_destroy(&f->landed);
    pthread_mutex_destroy(&f->lock);
}

void flight_start(struct flight *f, struct usb_handle *h)
{
    struct err e = ERR_INIT;

    ck_assert_msg(usb_submit(h, &f->t, &e) == 0, "%s", e.msg);
}

enum usb_status flight_await(struct flight *f, unsigned ends)
{
    struct timespec until = deadline(STAND_WAIT_MS);
    int r = 0;

    pthread_mutex_lock(&f->lock);
    while (f->ends < ends && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&f->landed, &f->lock, &until);
    unsigned got = f->ends;
    enum usb_status s = f->status;
    pthread_mutex_unlock(&f->lock);
    ck_assert_msg(got == ends, "endpoint %02x: %u ends, not %u", f->t.endpoint, got,
                  ends);
    return s;
}

unsigned flight_ends(struct flight *f)
{
    pthread_mutex_lock(&f->lock);
    unsigned n = f->ends;
    pthread_mutex_unlock(&f->lock);
    return n;
}

void stand_echo(struct usb_handle *h, size_t n, unsigned seed)
{
    uint8_t *out = malloc(n + 1), *in = calloc(1, n + 1);
    struct flight to, from;

    ck_assert(out && in);
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)(seed + i * 7);
    flight_init(&to, PARROT_OUT, out, n);
    flight_init(&from, PARROT_IN, in, n + 1);
    flight_start(&from, h);
    flight_start(&to, h);
    ck_assert_int_eq(flight_await(&to, 1), USB_DONE);
    ck_assert_int_eq(flight_await(&from, 1), USB_DONE);
    ck_assert_uint_eq(to.actual, n);
    ck_assert_uint_eq(from.actual, n);
    ck_assert_int_eq(memcmp(out, in, n), 0);
    flight_clear(&to);
    flight_clear(&from);
    free(out);
    free(in);
}

void stand_request(struct usb_handle *h, enum parrot_request r, uint16_t value,
                   const void *data, size_t n)
{
    struct err e = ERR_INIT;
    uint8_t copy[4096];

    if (n > 0)
        memcpy(copy, data, n);
    ck_assert_msg(usb_control(h, 0x40, (uint8_t)r, value, 0, copy, (uint16_t)n, NULL,
                              STAND_WAIT_MS, &e) == 0, "%s", e.msg);
}
