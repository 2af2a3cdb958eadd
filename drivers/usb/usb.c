/* The context, its event thread, and what is on the bus. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/usb/internal.h"

#define EVENTS_WAIT_S 3600  /* only the bus or usb_stop wakes the thread */
#define TROUBLE_REST_MS 250 /* at most, after libusb failed to wait      */

/* --- words ---------------------------------------------------------------------- */

int usb_fail(struct err *e, int libusb_code, const char *path, const char *what)
{
    switch (libusb_code) {
    case LIBUSB_ERROR_ACCESS:
        return err_set(e, ERR_IO,
                       "USB %s: not allowed to %s: install the udev rule of "
                       "docs/usb.md and plug it again", path, what);
    case LIBUSB_ERROR_BUSY:
        return err_set(e, ERR_BUSY,
                       "USB %s: cannot %s: another program holds it; if it is "
                       "pcscd: systemctl stop pcscd.socket pcscd", path, what);
    case LIBUSB_ERROR_NO_DEVICE:
        return err_set(e, ERR_NO_CARD, "USB %s: the device left the bus", path);
    case LIBUSB_ERROR_NO_MEM:
        return err_set(e, ERR_NOMEM, "USB %s: cannot %s: out of memory", path, what);
    default:
        return err_set(e, ERR_IO, "USB %s: cannot %s: %s", path, what,
                       libusb_strerror(libusb_code));
    }
}

const char *usb_status_text(enum usb_status s)
{
    static const char *const text[] = {
        [USB_DONE] = "done",
        [USB_STALL] = "the device refuses (STALL)",
        [USB_OVERFLOW] = "the device sent more than it was asked for",
        [USB_CANCELLED] = "cancelled",
        [USB_GONE] = "the device left the bus",
        [USB_FAILED] = "the transfer failed on the bus",
    };

    return (unsigned)s < sizeof text / sizeof *text ? text[s] : "unknown";
}

/* --- come and gone ---------------------------------------------------------------- */

static void tell(struct usb *u, const struct device *d, bool here)
{
    if (u->changed)
        u->changed(u->ctx, &d->pub, here);
}

/* Takes it from the list, with the list's reference. By libusb's device, or,
 * when that is NULL, by its place. */
static struct device *list_take(struct usb *u, const libusb_device *dev,
                                const char *path)
{
    struct device *found = NULL;

    pthread_mutex_lock(&u->lock);
    for (struct device **p = &u->devices; *p; p = &(*p)->next)
        if (dev ? (*p)->libusb == dev : strcmp((*p)->pub.path, path) == 0) {
            found = *p;
            *p = found->next;
            break;
        }
    for (struct usb_handle *h = u->handles; found && h; h = h->next)
        if (h->device == found)
            atomic_store(&h->gone, true);
    pthread_mutex_unlock(&u->lock);
    return found;
}

static void leave(struct usb *u, struct device *d)
{
    if (d)
        tell(u, d, false);
    device_unref(d);
}

static bool list_has(struct usb *u, const libusb_device *dev)
{
    struct device *d;

    pthread_mutex_lock(&u->lock);
    for (d = u->devices; d && d->libusb != dev; d = d->next)
        ;
    pthread_mutex_unlock(&u->lock);
    return d != NULL;
}

/* While libusb enumerates, one that comes just then is told twice; and should
 * the leaving of its predecessor have been lost, it is made up for. */
static void arrive(struct usb *u, libusb_device *dev)
{
    struct device *d = list_has(u, dev) ? NULL : device_new(dev);

    if (!d)
        return;
    leave(u, list_take(u, NULL, d->pub.path));
    pthread_mutex_lock(&u->lock);
    d->next = u->devices;
    u->devices = device_ref(d);
    pthread_mutex_unlock(&u->lock);
    tell(u, d, true);
    device_unref(d);
}

static int LIBUSB_CALL hotplug(libusb_context *libusb, libusb_device *dev,
                               libusb_hotplug_event event, void *ctx)
{
    struct usb *u = ctx;

    (void)libusb;
    if (event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED)
        arrive(u, dev);
    else
        leave(u, list_take(u, dev, NULL));
    return 0; /* go on */
}

/* --- the event thread ---------------------------------------------------------------- */

/* libusb could not wait (out of memory or descriptors): trying again at once
 * would burn the processor. */
static void rest(unsigned failures)
{
    unsigned ms = failures < 8 ? 1u << failures : TROUBLE_REST_MS;

    nanosleep(&(struct timespec){ 0, (long)ms * 1000000 }, NULL);
}

static void *event_thread(void *ctx)
{
    struct usb *u = ctx;
    unsigned failures = 0;

    while (!atomic_load(&u->stopping)) {
        struct timeval tv = { EVENTS_WAIT_S, 0 };
        int r = libusb_handle_events_timeout_completed(u->libusb, &tv, NULL);
        if (r == 0 || r == LIBUSB_ERROR_INTERRUPTED)
            failures = 0;
        else
            rest(failures++);
    }
    return NULL;
}

static int start_thread(struct usb *u, struct err *e)
{
    int r = pthread_create(&u->thread, NULL, event_thread, u);

    if (r != 0)
        return err_set(e, ERR_IO, "USB: no thread: %s", strerror(r));
    pthread_setname_np(u->thread, "usb");
    return 0;
}

/* --- start and stop ------------------------------------------------------------------- */

static int start_libusb(struct usb *u, struct err *e)
{
    int r = libusb_init(&u->libusb);

    if (r != 0) {
        u->libusb = NULL;
        return err_set(e, r == LIBUSB_ERROR_NO_MEM ? ERR_NOMEM : ERR_IO,
                       "USB cannot be used on this machine: %s; see docs/usb.md, "
                       "\"No USB\"", libusb_strerror(r));
    }
    r = libusb_hotplug_register_callback(
        u->libusb,
        LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
        LIBUSB_HOTPLUG_ENUMERATE, LIBUSB_HOTPLUG_MATCH_ANY,
        LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY, hotplug, u,
        &u->hotplug);
    if (r != 0)
        return err_set(e, r == LIBUSB_ERROR_NO_MEM ? ERR_NOMEM : ERR_IO,
                       "USB: cannot watch what is plugged: %s; see docs/usb.md, "
                       "\"No USB\"", libusb_strerror(r));
    return 0;
}

static void usb_free(struct usb *u)
{
    while (u->devices) {
        struct device *d = u->devices;
        u->devices = d->next;
        device_unref(d);
    }
    if (u->libusb)
        libusb_exit(u->libusb);
    pthread_mutex_destroy(&u->lock);
    free(u);
}

int usb_start(usb_changed_fn *changed, void *ctx, struct usb **out, struct err *e)
{
    struct usb *u = calloc(1, sizeof *u);
    sigset_t all, before;

    if (!u)
        return err_set(e, ERR_NOMEM, "USB: out of memory");
    u->changed = changed;
    u->ctx = ctx;
    pthread_mutex_init(&u->lock, NULL);
    /* Signals are the program's: neither this thread nor libusb's own may
     * take one. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = start_libusb(u, e);
    if (r == 0)
        r = start_thread(u, e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0) {
        usb_free(u);
        return -1;
    }
    *out = u;
    return 0;
}

void usb_stop(struct usb *u)
{
    if (!u)
        return;
    atomic_store(&u->stopping, true);
    libusb_hotplug_deregister_callback(u->libusb, u->hotplug);
    libusb_interrupt_event_handler(u->libusb);
    pthread_join(u->thread, NULL);
    usb_free(u);
}
