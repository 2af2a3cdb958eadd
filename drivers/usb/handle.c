/* One opened device: claims, halts, reset, and the way out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/usb/internal.h"

/* --- calls that wait ------------------------------------------------------------ */

int handle_enter(struct usb_handle *h, struct err *e)
{
    bool no;

    pthread_mutex_lock(&h->lock);
    no = h->closing || atomic_load(&h->gone);
    if (!no)
        h->inside++;
    pthread_mutex_unlock(&h->lock);
    return no ? usb_fail(e, LIBUSB_ERROR_NO_DEVICE, h->device->pub.path, "use it") : 0;
}

void handle_leave(struct usb_handle *h)
{
    pthread_mutex_lock(&h->lock);
    if (--h->inside == 0)
        pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

/* What libusb answered to such a call. */
static int answer(struct usb_handle *h, int r, const char *what, struct err *e)
{
    if (r == LIBUSB_ERROR_NO_DEVICE)
        atomic_store(&h->gone, true);
    return r == 0 ? 0 : usb_fail(e, r, h->device->pub.path, what);
}

/* --- open and close ---------------------------------------------------------------- */

static struct device *device_at(struct usb *u, const char *path)
{
    struct device *d;

    pthread_mutex_lock(&u->lock);
    for (d = u->devices; d && strcmp(d->pub.path, path) != 0; d = d->next)
        ;
    if (d)
        device_ref(d);
    pthread_mutex_unlock(&u->lock);
    return d;
}

/* In the list, so that it learns when its device leaves; which may have been
 * since we looked. */
static void list_add(struct usb_handle *h)
{
    struct usb *u = h->usb;
    const struct device *d;

    pthread_mutex_lock(&u->lock);
    for (d = u->devices; d && d != h->device; d = d->next)
        ;
    atomic_init(&h->gone, d == NULL);
    h->next = u->handles;
    u->handles = h;
    pthread_mutex_unlock(&u->lock);
}

static void list_remove(struct usb_handle *h)
{
    struct usb *u = h->usb;

    pthread_mutex_lock(&u->lock);
    for (struct usb_handle **p = &u->handles; *p; p = &(*p)->next)
        if (*p == h) {
            *p = h->next;
            break;
        }
    pthread_mutex_unlock(&u->lock);
}

static struct usb_handle *handle_new(struct usb *u, struct device *d)
{
    struct usb_handle *h = calloc(1, sizeof *h);
    pthread_condattr_t monotonic;

    if (!h)
        return NULL;
    h->usb = u;
    h->device = d;
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&h->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return h;
}

static void handle_free(struct usb_handle *h)
{
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
    free(h);
}

int usb_open(struct usb *u, const char *path, struct usb_handle **out, struct err *e)
{
    struct device *d = device_at(u, path);

    if (!d)
        return err_set(e, ERR_NOT_FOUND, "USB %s: nothing is plugged there", path);
    struct usb_handle *h = handle_new(u, d);
    int r = h ? libusb_open(d->libusb, &h->libusb) : LIBUSB_ERROR_NO_MEM;
    if (r == 0) {
        /* Kernels without it say so at the claim. */
        libusb_set_auto_detach_kernel_driver(h->libusb, 1);
        list_add(h);
        *out = h;
        return 0;
    }
    if (h)
        handle_free(h);
    device_unref(d);
    if (r == LIBUSB_ERROR_NO_DEVICE)
        return err_set(e, ERR_NOT_FOUND, "USB %s: the device is just leaving", path);
    return usb_fail(e, r, path, "open it");
}

static void release_all(struct usb_handle *h)
{
    for (int i = 0; i < 32; i++)
        if (h->claimed & UINT32_C(1) << i)
            libusb_release_interface(h->libusb, i);
}

void usb_close(struct usb_handle *h)
{
    if (!h)
        return;
    list_remove(h);
    pthread_mutex_lock(&h->lock);
    h->closing = true;
    pthread_cond_broadcast(&h->changed);
    transfers_end(h);
    while (h->inside > 0)
        pthread_cond_wait(&h->changed, &h->lock);
    pthread_mutex_unlock(&h->lock);
    if (!usb_gone(h))
        release_all(h); /* and the kernel's drivers are back */
    /* Takes libusb's events lock: when it returns, the event thread has left
     * our callbacks, and libusb has forgotten every transfer. */
    libusb_close(h->libusb);
    transfers_free(h);
    device_unref(h->device);
    handle_free(h);
}

const struct usb_device *usb_handle_device(const struct usb_handle *h)
{
    return &h->device->pub;
}

bool usb_gone(const struct usb_handle *h)
{
    return atomic_load(&h->gone);
}

/* --- on it ----------------------------------------------------------------------------- */

int usb_claim(struct usb_handle *h, uint8_t interface, struct err *e)
{
    if (handle_enter(h, e) != 0)
        return -1;
    int r = libusb_claim_interface(h->libusb, interface);
    if (r == 0) {
        pthread_mutex_lock(&h->lock);
        h->claimed |= UINT32_C(1) << interface; /* libusb's limit is 32 */
        pthread_mutex_unlock(&h->lock);
    }
    if (r == LIBUSB_ERROR_NOT_FOUND)
        r = err_set(e, ERR_IO, "USB %s: it has no interface %u now; if it is not "
                    "configured, its hub may have too little power",
                    h->device->pub.path, interface);
    else
        r = answer(h, r, "claim it", e);
    handle_leave(h);
    return r;
}

int usb_clear_halt(struct usb_handle *h, uint8_t endpoint, struct err *e)
{
    if (handle_enter(h, e) != 0)
        return -1;
    int r = answer(h, libusb_clear_halt(h->libusb, endpoint), "clear a halt", e);
    handle_leave(h);
    return r;
}

/* libusb gives the interfaces back for the reset; the kernel then ends their
 * transfers so that libusb takes them for completed. Hence they are ended
 * before. */
int usb_reset(struct usb_handle *h, struct err *e)
{
    if (handle_enter(h, e) != 0)
        return -1;
    pthread_mutex_lock(&h->lock);
    h->resetting = true;
    transfers_end(h);
    pthread_mutex_unlock(&h->lock);
    int r = libusb_reset_device(h->libusb);
    if (r == LIBUSB_ERROR_NOT_FOUND) /* it came back as something else */
        r = LIBUSB_ERROR_NO_DEVICE;
    pthread_mutex_lock(&h->lock);
    h->resetting = false;
    pthread_mutex_unlock(&h->lock);
    r = answer(h, r, "reset it", e);
    handle_leave(h);
    return r;
}
