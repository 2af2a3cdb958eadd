#include "tests/unit/usb_bus/echo.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct echo {
    struct lab_usb_device base;
    struct lab_in *in, *reports;
    uint8_t store[ECHO_STORE];
    size_t stored;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t work;
    struct lab_urb *urbs, **urbs_end; /* OUT, for the thread */
    bool ending;
    unsigned resets;
};

static void take(struct echo *e, struct lab_urb *u)
{
    lab_in_put(e->in, SPAN(u->data, u->length));
    lab_urb_complete(u, LAB_USB_OK, u->length);
}

static void *thread_main(void *arg)
{
    struct echo *e = arg;

    pthread_mutex_lock(&e->lock);
    while (!e->ending) {
        struct lab_urb *u = e->urbs;

        if (!u) {
            pthread_cond_wait(&e->work, &e->lock);
            continue;
        }
        e->urbs = u->next;
        if (!e->urbs)
            e->urbs_end = &e->urbs;
        /* Under the lock, so that a pull finds it either waiting or done. */
        take(e, u);
    }
    pthread_mutex_unlock(&e->lock);
    return NULL;
}

static void control(struct echo *e, struct lab_urb *u)
{
    size_t n = u->length < e->stored ? u->length : e->stored;

    switch (u->setup[1]) {
    case ECHO_WRITE:
        e->stored = u->length < ECHO_STORE ? u->length : ECHO_STORE;
        if (e->stored)
            memcpy(e->store, u->data, e->stored);
        lab_urb_complete(u, LAB_USB_OK, u->length);
        break;
    case ECHO_READ:
        if (n)
            memcpy(u->data, e->store, n);
        lab_urb_complete(u, LAB_USB_OK, n);
        break;
    case ECHO_STALL:
        lab_in_fault(e->in, LAB_USB_STALL, SPAN(NULL, 0));
        lab_urb_complete(u, LAB_USB_OK, 0);
        break;
    default:
        lab_urb_complete(u, LAB_USB_STALL, 0);
    }
}

static void submit(struct lab_usb_device *d, struct lab_urb *u)
{
    struct echo *e = (struct echo *)d;

    if ((u->endpoint & 15) == 0) {
        control(e, u);
    } else if (u->endpoint == ECHO_IN) {
        lab_in_submit(e->in, u);
    } else if (u->endpoint == ECHO_REPORT) {
        lab_in_submit(e->reports, u);
    } else if (!e->threaded) {
        take(e, u);
    } else {
        pthread_mutex_lock(&e->lock);
        u->next = NULL;
        *e->urbs_end = u;
        e->urbs_end = &u->next;
        pthread_cond_signal(&e->work);
        pthread_mutex_unlock(&e->lock);
    }
}

/* All waiting OUT URBs, or one. */
static void end_out(struct echo *e, struct lab_urb *u, enum lab_usb_status s)
{
    struct lab_urb **at = &e->urbs;

    pthread_mutex_lock(&e->lock);
    while (*at) {
        struct lab_urb *x = *at;

        if (u && x != u) {
            at = &x->next;
            continue;
        }
        *at = x->next;
        lab_urb_complete(x, s, 0);
    }
    for (e->urbs_end = &e->urbs; *e->urbs_end;)
        e->urbs_end = &(*e->urbs_end)->next;
    pthread_mutex_unlock(&e->lock);
}

static void cancel(struct lab_usb_device *d, struct lab_urb *u)
{
    struct echo *e = (struct echo *)d;

    if (!lab_in_cancel(e->in, u, LAB_USB_CANCELLED) &&
        !lab_in_cancel(e->reports, u, LAB_USB_CANCELLED))
        end_out(e, u, LAB_USB_CANCELLED);
}

static void clear_halt(struct lab_usb_device *d, uint8_t endpoint)
{
    if (endpoint == ECHO_IN)
        lab_in_clear_halt(((struct echo *)d)->in);
}

static void unplugged(struct lab_usb_device *d)
{
    struct echo *e = (struct echo *)d;

    end_out(e, NULL, LAB_USB_GONE);
    lab_in_flush(e->in, LAB_USB_GONE);
    lab_in_flush(e->reports, LAB_USB_GONE);
}

static void reset(struct lab_usb_device *d)
{
    ((struct echo *)d)->resets++;
    unplugged(d);
}

static void echo_free(struct lab_usb_device *d)
{
    struct echo *e = (struct echo *)d;

    if (!e)
        return;
    if (e->threaded) {
        pthread_mutex_lock(&e->lock);
        e->ending = true;
        pthread_cond_signal(&e->work);
        pthread_mutex_unlock(&e->lock);
        pthread_join(e->thread, NULL);
    }
    lab_in_free(e->in);
    lab_in_free(e->reports);
    buf_clear(&e->base.device);
    buf_clear(&e->base.config);
    free(e);
}

struct lab_usb_device *echo_new(const char *serial, bool threaded)
{
    static const struct lab_usb_ops ops = { "echo",     submit, cancel,
                                            clear_halt, reset,  unplugged,
                                            echo_free };
    struct echo *e = calloc(1, sizeof *e);

    if (!e)
        abort();
    e->base.ops = &ops;
    e->base.speed = 3;
    e->base.strings[1] = "Lineside";
    e->base.strings[2] = "Echo";
    e->base.strings[3] = serial;
    buf_put_hex(&e->base.device, "1201000200000040" "09120e0e3412010203" "01");
    buf_put_hex(&e->base.config,
                "09023e0001010080" "32"
                "0904000003ff0102" "00"
                "07050202000200" "07058202000200" "07058303400001"
                "0904000102ff0103" "00"
                "07050202000200" "07058202000200");
    e->in = lab_in_new(ECHO_IN, ECHO_PACKET);
    e->reports = lab_in_new(ECHO_REPORT, 64);
    e->urbs_end = &e->urbs;
    pthread_mutex_init(&e->lock, NULL);
    pthread_cond_init(&e->work, NULL);
    e->threaded = threaded;
    if (!e->in || !e->reports || !buf_ok(&e->base.device) ||
        !buf_ok(&e->base.config) ||
        (threaded && pthread_create(&e->thread, NULL, thread_main, e) != 0))
        abort();
    return &e->base;
}

void echo_report(struct lab_usb_device *d, struct span report)
{
    lab_in_put(((struct echo *)d)->reports, report);
}

unsigned echo_resets(struct lab_usb_device *d)
{
    return ((struct echo *)d)->resets;
}
