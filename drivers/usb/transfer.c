/* Transfers. Each handle has a pool of libusb_transfers, as many as were ever
 * under way at once: nothing is allocated in the long run, and nothing of it
 * stays with the user's struct when its transfer has ended. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/usb/internal.h"

/* How long we wait for a transfer that was cancelled. The kernel needs
 * microseconds; a host controller that has hung must not hang us. */
#define CANCEL_WAIT_MS 1000

struct urb {
    struct libusb_transfer *x;
    struct usb_handle *handle;
    struct usb_transfer *t; /* NULL: idle */
    struct urb *next, *prev;
};

/* --- the pool -------------------------------------------------------------------- */

static void list_push(struct urb **list, struct urb *u)
{
    u->prev = NULL;
    u->next = *list;
    if (u->next)
        u->next->prev = u;
    *list = u;
}

static void list_take(struct urb **list, struct urb *u)
{
    if (u->prev)
        u->prev->next = u->next;
    else
        *list = u->next;
    if (u->next)
        u->next->prev = u->prev;
}

static void LIBUSB_CALL ended(struct libusb_transfer *x);

static struct urb *urb_new(struct usb_handle *h)
{
    struct urb *u = calloc(1, sizeof *u);

    if (!u)
        return NULL;
    u->handle = h;
    u->x = libusb_alloc_transfer(0);
    if (!u->x) {
        free(u);
        return NULL;
    }
    u->x->dev_handle = h->libusb;
    u->x->callback = ended;
    u->x->user_data = u;
    return u;
}

static struct urb *urb_get(struct usb_handle *h)
{
    struct urb *u = h->idle;

    if (!u)
        return urb_new(h);
    list_take(&h->idle, u);
    return u;
}

static void urb_release(struct urb *u)
{
    struct usb_handle *h = u->handle;

    list_take(&h->under_way, u);
    u->t->urb = NULL;
    atomic_store(&u->t->handle, NULL);
    u->t = NULL;
    list_push(&h->idle, u);
}

/* --- submit, end, cancel ------------------------------------------------------------ */

static enum usb_status status_of(const struct libusb_transfer *x)
{
    switch (x->status) {
    case LIBUSB_TRANSFER_COMPLETED:
        return USB_DONE;
    case LIBUSB_TRANSFER_STALL:
        return USB_STALL;
    case LIBUSB_TRANSFER_OVERFLOW:
        return USB_OVERFLOW;
    case LIBUSB_TRANSFER_CANCELLED:
        return USB_CANCELLED;
    case LIBUSB_TRANSFER_NO_DEVICE:
        return USB_GONE;
    default:
        return USB_FAILED;
    }
}

/* The event thread. Once the lock is given back, x may be under way again for
 * somebody else: libusb does not look at it any more after its callback. */
static void LIBUSB_CALL ended(struct libusb_transfer *x)
{
    struct urb *u = x->user_data;
    struct usb_handle *h = u->handle;
    struct usb_transfer *t = u->t;
    enum usb_status s = status_of(x);
    size_t actual = (size_t)x->actual_length;

    if (s == USB_GONE)
        atomic_store(&h->gone, true);
    else if (s != USB_DONE && atomic_load(&h->gone))
        s = USB_GONE;
    pthread_mutex_lock(&h->lock);
    urb_release(u);
    atomic_store(&h->in_done, true);
    pthread_mutex_unlock(&h->lock);
    t->done(t, s, actual);
    atomic_store(&h->in_done, false);
    if (atomic_load(&h->awaited)) {
        pthread_mutex_lock(&h->lock);
        pthread_cond_broadcast(&h->changed);
        pthread_mutex_unlock(&h->lock);
    }
}

/* With the lock held. A libusb code. */
static int submit(struct usb_handle *h, struct usb_transfer *t,
                  enum libusb_transfer_type type)
{
    if (h->closing || atomic_load(&h->gone))
        return LIBUSB_ERROR_NO_DEVICE;
    if (h->resetting || t->urb)
        return LIBUSB_ERROR_INTERRUPTED;
    if (t->length > INT_MAX)
        return LIBUSB_ERROR_INVALID_PARAM;
    struct urb *u = urb_get(h);
    if (!u)
        return LIBUSB_ERROR_NO_MEM;
    u->x->type = (unsigned char)type;
    u->x->endpoint = t->endpoint;
    u->x->buffer = t->data;
    u->x->length = (int)t->length;
    u->t = t;
    t->urb = u;
    atomic_store(&t->handle, h);
    list_push(&h->under_way, u);
    int r = libusb_submit_transfer(u->x);
    if (r != 0)
        urb_release(u);
    if (r == LIBUSB_ERROR_NO_DEVICE)
        atomic_store(&h->gone, true);
    return r;
}

static int refused(struct usb_handle *h, int r, struct err *e)
{
    if (r == LIBUSB_ERROR_INTERRUPTED)
        return err_set(e, ERR_IO, "USB %s: a reset or this very transfer is "
                       "still under way", h->device->pub.path);
    return usb_fail(e, r, h->device->pub.path, "start a transfer");
}

int usb_submit(struct usb_handle *h, struct usb_transfer *t, struct err *e)
{
    pthread_mutex_lock(&h->lock);
    int r = submit(h, t, t->interrupt ? LIBUSB_TRANSFER_TYPE_INTERRUPT
                                      : LIBUSB_TRANSFER_TYPE_BULK);
    pthread_mutex_unlock(&h->lock);
    return r == 0 ? 0 : refused(h, r, e);
}

static void cancel(struct usb_transfer *t)
{
    struct urb *u = t->urb;

    if (u) /* it fails when the transfer is at its end anyway */
        libusb_cancel_transfer(u->x);
}

void usb_cancel(struct usb_transfer *t)
{
    struct usb_handle *h = atomic_load(&t->handle);

    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    cancel(t);
    pthread_mutex_unlock(&h->lock);
}

/* --- all of a handle ------------------------------------------------------------------- */

struct timespec deadline_in(int ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    if (ms > 0) {
        t.tv_sec += ms / 1000;
        t.tv_nsec += (long)(ms % 1000) * 1000000;
        if (t.tv_nsec >= 1000000000) {
            t.tv_sec++;
            t.tv_nsec -= 1000000000;
        }
    }
    return t;
}

void transfers_end(struct usb_handle *h)
{
    struct timespec deadline = deadline_in(CANCEL_WAIT_MS);

    for (struct urb *u = h->under_way; u; u = u->next)
        libusb_cancel_transfer(u->x);
    atomic_store(&h->awaited, true);
    while ((h->under_way || atomic_load(&h->in_done)) &&
           pthread_cond_timedwait(&h->changed, &h->lock, &deadline) != ETIMEDOUT)
        ;
    atomic_store(&h->awaited, false);
}

/* --- control --------------------------------------------------------------------------- */

struct control {
    struct usb_transfer t;
    struct usb_handle *handle;
    struct control *next; /* in limbo */
    bool ended;           /* the handle's lock */
    enum usb_status status;
    size_t actual;
    uint8_t octets[]; /* setup packet and data */
};

static void control_done(struct usb_transfer *t, enum usb_status s, size_t actual)
{
    struct control *c = (struct control *)t;
    struct usb_handle *h = c->handle;

    pthread_mutex_lock(&h->lock);
    c->ended = true;
    c->status = s;
    c->actual = actual;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

static struct control *control_new(struct usb_handle *h, uint8_t type,
                                   uint8_t request, uint16_t value,
                                   uint16_t index, const void *data, uint16_t n)
{
    struct control *c = calloc(1, sizeof *c + LIBUSB_CONTROL_SETUP_SIZE + n);

    if (!c)
        return NULL;
    c->handle = h;
    c->t.data = c->octets;
    c->t.length = LIBUSB_CONTROL_SETUP_SIZE + (size_t)n;
    c->t.done = control_done;
    libusb_fill_control_setup(c->octets, type, request, value, index, n);
    if (n > 0 && !(type & LIBUSB_ENDPOINT_IN))
        memcpy(c->octets + LIBUSB_CONTROL_SETUP_SIZE, data, n);
    return c;
}

/* With the lock held. 0: it ended by itself, 1: too late or closing, and so it
 * was cancelled. Whatever came of that, c->ended tells. */
static int control_wait(struct control *c, int timeout_ms)
{
    struct usb_handle *h = c->handle;
    struct timespec deadline = deadline_in(timeout_ms);
    int r = 0;

    while (!c->ended && !h->closing && r != ETIMEDOUT)
        r = pthread_cond_timedwait(&h->changed, &h->lock, &deadline);
    if (c->ended)
        return 0;
    cancel(&c->t);
    deadline = deadline_in(CANCEL_WAIT_MS);
    for (r = 0; !c->ended && r != ETIMEDOUT;)
        r = pthread_cond_timedwait(&h->changed, &h->lock, &deadline);
    return 1;
}

static int control_answer(const struct control *c, bool cancelled, bool closing,
                          struct err *e)
{
    const char *path = c->handle->device->pub.path;

    if (c->ended && c->status == USB_DONE)
        return 0;
    if (closing || (c->ended && c->status == USB_GONE))
        return usb_fail(e, LIBUSB_ERROR_NO_DEVICE, path, "");
    if (cancelled)
        return err_set(e, ERR_TIMEOUT,
                       "USB %s: no answer to control request %02x %02x in time",
                       path, c->octets[0], c->octets[1]);
    return err_set(e, ERR_IO, "USB %s: control request %02x %02x: %s", path,
                   c->octets[0], c->octets[1], usb_status_text(c->status));
}

int usb_control(struct usb_handle *h, uint8_t type, uint8_t request,
                uint16_t value, uint16_t index, void *data, uint16_t n,
                size_t *got, int timeout_ms, struct err *e)
{
    if (handle_enter(h, e) != 0)
        return -1;
    struct control *c = control_new(h, type, request, value, index, data, n);
    if (!c) {
        handle_leave(h);
        return usb_fail(e, LIBUSB_ERROR_NO_MEM, h->device->pub.path, "start a transfer");
    }
    pthread_mutex_lock(&h->lock);
    int r = submit(h, &c->t, LIBUSB_TRANSFER_TYPE_CONTROL);
    bool cancelled = r == 0 && control_wait(c, timeout_ms);
    bool closing = h->closing, ended = r != 0 || c->ended;
    if (!ended) { /* the event thread may still come for it */
        c->next = h->limbo;
        h->limbo = c;
    }
    pthread_mutex_unlock(&h->lock);
    r = r != 0 ? refused(h, r, e) : control_answer(c, cancelled, closing, e);
    if (r == 0 && c->actual <= n) {
        if (type & LIBUSB_ENDPOINT_IN && c->actual > 0)
            memcpy(data, c->octets + LIBUSB_CONTROL_SETUP_SIZE, c->actual);
        if (got)
            *got = c->actual;
    }
    if (ended)
        free(c);
    handle_leave(h);
    return r;
}

/* --- the end ------------------------------------------------------------------------------- */

static void pool_free(struct urb *list)
{
    while (list) {
        struct urb *u = list;
        list = u->next;
        libusb_free_transfer(u->x);
        free(u);
    }
}

void transfers_free(struct usb_handle *h)
{
    while (h->under_way) /* never let go of: their users have them back now */
        urb_release(h->under_way);
    pool_free(h->idle);
    while (h->limbo) {
        struct control *c = h->limbo;
        h->limbo = c->next;
        free(c);
    }
}
