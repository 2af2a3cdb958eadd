/* URBs of usbfs: submitted, ended, reaped. The program's own memory is used
 * all the way; it must be there until the URB is reaped, and with a sanitizer
 * it shows when it is not. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lab/usb/inprocess/usbfile_inner.h"

struct request {
    struct lab_urb urb; /* urb.transport: this */
    struct usbfile *file;
    struct usbdevfs_urb *user; /* NULL: the file's own */
    int interface;             /* -1: none */
    unsigned refs;             /* file->lock */
    bool ended;
    struct request *next, *prev;
};

static void unref(struct request *r) /* file->lock held */
{
    if (--r->refs == 0)
        free(r);
}

static void unlink_request(struct usbfile *f, struct request *r)
{
    if (r->next)
        r->next->prev = r->prev;
    if (r->prev)
        r->prev->next = r->next;
    else
        f->under_way = r->next;
    r->next = r->prev = NULL;
}

static void ended(struct lab_urb *u)
{
    struct request *r = u->transport;
    struct usbfile *f = r->file;

    pthread_mutex_lock(&f->lock);
    unlink_request(f, r);
    r->ended = true;
    if (r->user) {
        bool first = !f->ready;

        *f->ready_end = r;
        f->ready_end = &r->next;
        if (first)
            f->listener.ready(f->listener.ctx, true);
    } else {
        unref(r);
    }
    pthread_cond_broadcast(&f->ended);
    pthread_mutex_unlock(&f->lock);
}

static struct request *request_new(struct usbfile *f)
{
    struct request *r = calloc(1, sizeof *r);

    if (!r)
        return NULL;
    r->file = f;
    r->refs = 1;
    r->interface = -1;
    r->urb.done = ended;
    r->urb.transport = r;
    return r;
}

static int start(struct usbfile *f, struct request *r)
{
    bool gone;

    pthread_mutex_lock(&f->lock);
    gone = f->gone;
    if (!gone) {
        r->next = f->under_way;
        if (f->under_way)
            f->under_way->prev = r;
        f->under_way = r;
    }
    pthread_mutex_unlock(&f->lock);
    if (gone) {
        free(r);
        return -ENODEV;
    }
    lab_bus_submit(f->fs->bus, f->node->place.bus, f->node->place.device, &r->urb);
    return 0;
}

/* --- what a program may ask ------------------------------------------------- */

/* Class and standard requests to an interface or endpoint need its claim. */
static int control_recipient(struct usbfile *f, const uint8_t *setup,
                             int *interface)
{
    uint8_t attributes;
    int r = 0;

    if ((setup[0] & 0x60) == 0x40)
        return 0;
    if ((setup[0] & 0x1f) == 1) {
        r = usbfile_use_interface(f, setup[4]);
        *interface = r == 0 ? setup[4] : -1;
    } else if ((setup[0] & 0x1f) == 2 && setup[4] & 0x7f) {
        r = usbfile_use_endpoint(f, setup[4], &attributes);
        if (r == -ENOENT)
            r = usbfile_use_endpoint(f, setup[4] ^ 0x80, &attributes);
        r = r < 0 ? r : 0;
    }
    return r;
}

static int prepare_control(struct usbfile *f, struct request *r)
{
    struct usbdevfs_urb *u = r->user;
    uint8_t *p = u->buffer;
    size_t n;

    if (u->buffer_length < 8)
        return -EINVAL;
    n = (size_t)p[6] | (size_t)p[7] << 8;
    if (n > (size_t)u->buffer_length - 8)
        return -EINVAL;
    memcpy(r->urb.setup, p, 8);
    r->urb.endpoint = p[0] & 0x80;
    r->urb.data = p + 8;
    r->urb.length = n;
    return control_recipient(f, p, &r->interface);
}

static int prepare_endpoint(struct usbfile *f, struct request *r)
{
    struct usbdevfs_urb *u = r->user;
    uint8_t attributes;
    int interface = usbfile_use_endpoint(f, u->endpoint, &attributes);
    bool interrupt = u->type == USBDEVFS_URB_TYPE_INTERRUPT;

    if (interface < 0)
        return interface;
    /* Bulk on an interrupt endpoint is let through, as usbfs does. */
    if ((attributes & 3) != 3 && (interrupt || (attributes & 3) != 2))
        return -EINVAL;
    if (u->buffer_length < 0)
        return -EINVAL;
    r->interface = interface;
    r->urb.endpoint = u->endpoint;
    r->urb.data = u->buffer;
    r->urb.length = (size_t)u->buffer_length;
    return 0;
}

static int prepare(struct usbfile *f, struct request *r)
{
    switch (r->user->type) {
    case USBDEVFS_URB_TYPE_CONTROL:
        return prepare_control(f, r);
    case USBDEVFS_URB_TYPE_BULK:
    case USBDEVFS_URB_TYPE_INTERRUPT:
        return prepare_endpoint(f, r);
    default:
        return -EINVAL;
    }
}

int usbfile_submit(struct usbfile *f, struct usbdevfs_urb *user)
{
    struct request *r;
    int why;

    if (usbfile_gone(f))
        return -ENODEV;
    r = request_new(f);
    if (!r)
        return -ENOMEM;
    r->user = user;
    why = prepare(f, r);
    if (why != 0) {
        free(r);
        return why;
    }
    return start(f, r);
}

static int status_of(const struct request *r)
{
    switch (r->urb.status) {
    case LAB_USB_OK:
        return r->user->flags & USBDEVFS_URB_SHORT_NOT_OK &&
                       r->urb.actual < r->urb.length
                   ? -EREMOTEIO
                   : 0;
    case LAB_USB_STALL:
        return -EPIPE;
    case LAB_USB_BABBLE:
        return -EOVERFLOW;
    case LAB_USB_BROKEN:
        return -EPROTO;
    case LAB_USB_CANCELLED:
        return -ENOENT;
    default:
        return -ESHUTDOWN;
    }
}

int usbfile_reap(struct usbfile *f, struct usbdevfs_urb **user)
{
    struct request *r;
    bool gone;

    pthread_mutex_lock(&f->lock);
    r = f->ready;
    gone = f->gone;
    if (r) {
        f->ready = r->next;
        if (!f->ready) {
            f->ready_end = &f->ready;
            f->listener.ready(f->listener.ctx, false);
        }
        r->user->status = status_of(r);
        r->user->actual_length = (int)r->urb.actual;
        r->user->error_count = 0;
        *user = r->user;
        unref(r);
    }
    pthread_mutex_unlock(&f->lock);
    return r ? 0 : gone ? -ENODEV : -EAGAIN;
}

/* --- the end of URBs --------------------------------------------------------- */

static void cancel(struct usbfile *f, struct request *r) /* has a reference */
{
    lab_bus_cancel(f->fs->bus, f->node->place.bus, f->node->place.device, &r->urb);
    pthread_mutex_lock(&f->lock);
    unref(r);
    pthread_mutex_unlock(&f->lock);
}

int usbfile_discard(struct usbfile *f, const struct usbdevfs_urb *user)
{
    struct request *r;
    bool gone;

    pthread_mutex_lock(&f->lock);
    gone = f->gone;
    for (r = f->under_way; r && r->user != user; r = r->next)
        ;
    if (r)
        r->refs++;
    pthread_mutex_unlock(&f->lock);
    if (gone || !r)
        return gone ? -ENODEV : -EINVAL;
    cancel(f, r);
    return 0;
}

static struct request *find(struct usbfile *f, int interface)
{
    struct request *r = f->under_way;

    while (r && interface >= 0 && r->interface != interface)
        r = r->next;
    return r;
}

void usbfile_end_requests(struct usbfile *f, int interface)
{
    struct request *r;

    pthread_mutex_lock(&f->lock);
    while ((r = find(f, interface)) != NULL) {
        r->refs++;
        pthread_mutex_unlock(&f->lock);
        cancel(f, r);
        pthread_mutex_lock(&f->lock);
        /* Still there: its model is just completing it. */
        for (struct request *left = f->under_way; left; left = left->next)
            if (left == r) {
                pthread_cond_wait(&f->ended, &f->lock);
                break;
            }
    }
    pthread_mutex_unlock(&f->lock);
}

void usbfile_drop_ready(struct usbfile *f)
{
    while (f->ready) {
        struct request *r = f->ready;

        f->ready = r->next;
        unref(r);
    }
}

/* --- synchronous control transfers --------------------------------------------- */

static bool wait_end(struct usbfile *f, struct request *r, unsigned timeout_ms)
{
    struct timespec until;
    int late = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&f->lock);
    while (!r->ended && !late)
        late = timeout_ms ? pthread_cond_timedwait(&f->ended, &f->lock, &until)
                          : pthread_cond_wait(&f->ended, &f->lock);
    late = !r->ended;
    pthread_mutex_unlock(&f->lock);
    return !late;
}

static int result_of(const struct request *r, bool in_time)
{
    switch (r->urb.status) {
    case LAB_USB_OK:
        return (int)r->urb.actual;
    case LAB_USB_STALL:
        return -EPIPE;
    case LAB_USB_BABBLE:
        return -EOVERFLOW;
    case LAB_USB_BROKEN:
        return -EPROTO;
    case LAB_USB_CANCELLED:
        return in_time ? -ENOENT : -ETIMEDOUT;
    default:
        return -ENODEV;
    }
}

int usbfile_control_wait(struct usbfile *f, const uint8_t setup[8], void *data,
                         unsigned timeout_ms)
{
    struct request *r = request_new(f);
    bool in_time;
    int result;

    if (!r)
        return -ENOMEM;
    memcpy(r->urb.setup, setup, 8);
    r->urb.endpoint = setup[0] & 0x80;
    r->urb.data = data;
    r->urb.length = (size_t)setup[6] | (size_t)setup[7] << 8;
    r->refs++;
    result = start(f, r);
    if (result != 0)
        return result;
    in_time = wait_end(f, r, timeout_ms);
    if (!in_time) {
        lab_bus_cancel(f->fs->bus, f->node->place.bus, f->node->place.device,
                       &r->urb);
        wait_end(f, r, 0);
    }
    result = result_of(r, in_time);
    pthread_mutex_lock(&f->lock);
    unref(r);
    pthread_mutex_unlock(&f->lock);
    return result;
}

int usbfile_control(struct usbfile *f, struct usbdevfs_ctrltransfer *c)
{
    const uint8_t setup[8] = {
        c->bRequestType,        c->bRequest,
        (uint8_t)c->wValue,     (uint8_t)(c->wValue >> 8),
        (uint8_t)c->wIndex,     (uint8_t)(c->wIndex >> 8),
        (uint8_t)c->wLength,    (uint8_t)(c->wLength >> 8),
    };
    int interface, r;

    if (usbfile_gone(f))
        return -ENODEV;
    r = control_recipient(f, setup, &interface);
    return r < 0 ? r : usbfile_control_wait(f, setup, c->data, c->timeout);
}
