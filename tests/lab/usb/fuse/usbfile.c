#define FUSE_USE_VERSION 35
#include "tests/lab/usb/fuse/usbfile.h"
#include "tests/lab/usb/fuse/memory.h"

#include <errno.h>
#include <fuse3/fuse_lowlevel.h>
#include <linux/usb/ch9.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define SETUP_LEN 8
#define BUFFER_MAX (16 << 20) /* usbfs's own default limit for all URBs */

/* One URB of the program, until it has reaped it. Freed by the serving thread
 * alone, so that this thread may hold one without the lock. */
struct transfer {
    struct transfer *next, *before; /* in pending */
    struct usbfile *file;
    struct lab_urb urb;
    uintptr_t user;   /* its struct usbdevfs_urb   */
    uintptr_t buffer; /* where IN data goes        */
    int interface;    /* -1: control               */
};

struct usbfile {
    struct device *device;
    struct usbfile *next;
    struct transfer *pending;                 /* with the bus            */
    struct transfer *reapable, **reapable_end; /* completed, in order     */
    pthread_cond_t completed;
    struct fuse_pollhandle *waiter;
};

struct caller {
    pid_t pid;
    uintptr_t arg;
};

/* --- open and close ------------------------------------------------------- */

struct usbfile *usbfile_new(struct device *d)
{
    struct usbfile *f = calloc(1, sizeof *f);

    if (!f || pthread_cond_init(&f->completed, NULL) != 0) {
        free(f);
        return NULL;
    }
    f->device = d;
    f->reapable_end = &f->reapable;
    f->next = d->files;
    d->files = f;
    return f;
}

static void transfer_free(struct transfer *t)
{
    free(t->urb.data);
    free(t);
}

static void cancel(struct usbfile *f, struct transfer *t)
{
    const struct lab_place *p = &f->device->place;

    lab_bus_cancel(f->device->bus, p->bus, p->device, &t->urb);
}

/* Cancels those of an interface (-1: all). One at a time and from the head
 * again, as the list changes while the lock is not held; what did not
 * complete at once is waited for. */
static void cancel_all(struct usbfile *f, int interface)
{
    pthread_mutex_t *lock = f->device->lock;

    pthread_mutex_lock(lock);
    for (struct transfer *t = f->pending; t;) {
        if (interface >= 0 && t->interface != interface) {
            t = t->next;
            continue;
        }
        pthread_mutex_unlock(lock);
        cancel(f, t);
        pthread_mutex_lock(lock);
        struct transfer *p;
        do {
            for (p = f->pending; p && p != t; p = p->next)
                ;
            if (p)
                pthread_cond_wait(&f->completed, lock);
        } while (p);
        t = f->pending;
    }
    pthread_mutex_unlock(lock);
}

static void forget(struct usbfile *f)
{
    struct device *d = f->device;

    for (unsigned i = 0; i < DEVICE_INTERFACES; i++)
        if (d->owner[i] == f)
            d->owner[i] = NULL;
    for (struct usbfile **p = &d->files; *p; p = &(*p)->next)
        if (*p == f) {
            *p = f->next;
            break;
        }
}

void usbfile_close(struct usbfile *f)
{
    pthread_mutex_t *lock = f->device->lock;

    cancel_all(f, -1);
    pthread_mutex_lock(lock);
    forget(f);
    struct fuse_pollhandle *ph = f->waiter;
    pthread_mutex_unlock(lock);
    while (f->reapable) {
        struct transfer *t = f->reapable;
        f->reapable = t->next;
        transfer_free(t);
    }
    if (ph)
        fuse_pollhandle_destroy(ph);
    pthread_cond_destroy(&f->completed);
    free(f);
}

struct usbfile *usbfile_next(const struct usbfile *f)
{
    return f->next;
}

const struct device *usbfile_device(const struct usbfile *f)
{
    return f->device;
}

/* --- waiting -------------------------------------------------------------- */

/* With the lock held: the notice is a write that never waits, and who holds
 * the lock keeps the session alive. */
static void wake(struct usbfile *f)
{
    struct fuse_pollhandle *ph = f->waiter;

    f->waiter = NULL;
    if (!ph)
        return;
    fuse_lowlevel_notify_poll(ph);
    fuse_pollhandle_destroy(ph);
}

unsigned usbfile_poll(struct usbfile *f, struct fuse_pollhandle *ph)
{
    pthread_mutex_t *lock = f->device->lock;
    struct fuse_pollhandle *old = NULL;

    pthread_mutex_lock(lock);
    if (ph) {
        old = f->waiter;
        f->waiter = ph;
    }
    unsigned events = (f->reapable ? POLLOUT | POLLWRNORM : 0) |
                      (f->device->gone ? POLLERR | POLLHUP : 0);
    pthread_mutex_unlock(lock);
    if (old)
        fuse_pollhandle_destroy(old);
    return events;
}

void usbfile_gone(struct usbfile *f)
{
    wake(f);
}

/* --- claims ---------------------------------------------------------------- */

static bool claimed_by_other(const struct usbfile *f, int interface)
{
    return interface >= 0 && f->device->owner[interface] &&
           f->device->owner[interface] != f;
}

static int claim(struct usbfile *f, unsigned interface)
{
    struct device *d = f->device;

    if (!device_has_interface(d, interface))
        return interface < DEVICE_INTERFACES ? -ENOENT : -EINVAL;
    if (device_driver(d, interface) || claimed_by_other(f, (int)interface))
        return -EBUSY;
    d->owner[interface] = f;
    return 0;
}

/* --- URBs ----------------------------------------------------------------- */

static void completed(struct lab_urb *u)
{
    struct transfer *t = u->transport;
    struct usbfile *f = t->file;
    pthread_mutex_t *lock = f->device->lock;

    pthread_mutex_lock(lock);
    if (t->before)
        t->before->next = t->next;
    else
        f->pending = t->next;
    if (t->next)
        t->next->before = t->before;
    t->next = NULL;
    *f->reapable_end = t;
    f->reapable_end = &t->next;
    pthread_cond_broadcast(&f->completed);
    wake(f);
    pthread_mutex_unlock(lock);
}

/* The endpoint's interface into t, or a negative errno. */
static int find_endpoint(struct usbfile *f, struct transfer *t)
{
    t->interface = device_endpoint_interface(f->device, t->urb.endpoint);
    if (t->interface < 0)
        return -ENOENT;
    /* Linux claims on first use, with a warning in its log. */
    return f->device->owner[t->interface] == f
               ? 0
               : claim(f, (unsigned)t->interface);
}

/* The setup packet leads the buffer; its data follow. */
static int read_setup(struct transfer *t, const struct usbdevfs_urb *u,
                      pid_t pid)
{
    if (u->buffer_length < SETUP_LEN)
        return -EINVAL;
    int rc = memory_read(pid, t->buffer, t->urb.setup, SETUP_LEN);
    if (rc != 0)
        return rc;
    t->urb.length = (size_t)(t->urb.setup[6] | t->urb.setup[7] << 8);
    if (t->urb.length > (size_t)u->buffer_length - SETUP_LEN)
        return -EINVAL;
    t->urb.endpoint = t->urb.setup[0] & USB_DIR_IN;
    t->buffer += SETUP_LEN;
    return 0;
}

static int fill(struct usbfile *f, struct transfer *t, pid_t pid)
{
    struct usbdevfs_urb u;
    int rc = memory_read(pid, t->user, &u, sizeof u);

    if (rc != 0)
        return rc;
    if (u.buffer_length < 0 || u.buffer_length > BUFFER_MAX)
        return -EINVAL;
    t->buffer = (uintptr_t)u.buffer;
    t->urb.endpoint = u.endpoint;
    t->urb.length = (size_t)u.buffer_length;
    t->interface = -1;
    switch (u.type) {
    case USBDEVFS_URB_TYPE_CONTROL:
        rc = read_setup(t, &u, pid);
        break;
    case USBDEVFS_URB_TYPE_BULK:
    case USBDEVFS_URB_TYPE_INTERRUPT:
        rc = find_endpoint(f, t);
        break;
    default: /* isochronous: none of our devices has it */
        return -EINVAL;
    }
    if (rc != 0)
        return rc;
    /* IN: what the device leaves alone must not be somebody's old memory. */
    t->urb.data = calloc(1, t->urb.length + 1);
    if (!t->urb.data)
        return -ENOMEM;
    return t->urb.endpoint & USB_DIR_IN
               ? 0
               : memory_read(pid, t->buffer, t->urb.data, t->urb.length);
}

static int do_submit(struct usbfile *f, const struct caller *c)
{
    struct device *d = f->device;
    struct transfer *t = calloc(1, sizeof *t);

    if (!t)
        return -ENOMEM;
    *t = (struct transfer){ .file = f, .user = c->arg };
    t->urb.done = completed;
    t->urb.transport = t;
    pthread_mutex_lock(d->lock);
    int rc = d->gone ? -ENODEV : fill(f, t, c->pid);
    if (rc == 0) {
        t->next = f->pending;
        if (t->next)
            t->next->before = t;
        f->pending = t;
    }
    pthread_mutex_unlock(d->lock);
    if (rc != 0) {
        transfer_free(t);
        return rc;
    }
    /* It may complete, and the device leave, before this returns. */
    lab_bus_submit(d->bus, d->place.bus, d->place.device, &t->urb);
    return 0;
}

static int do_discard(struct usbfile *f, const struct caller *c)
{
    struct device *d = f->device;
    struct transfer *t;

    pthread_mutex_lock(d->lock);
    for (t = f->pending; t && t->user != c->arg; t = t->next)
        ;
    pthread_mutex_unlock(d->lock);
    if (!t)
        return -EINVAL;
    cancel(f, t);
    return 0;
}

static int status_of(enum lab_usb_status s)
{
    switch (s) {
    case LAB_USB_OK:
        return 0;
    case LAB_USB_STALL:
        return -EPIPE;
    case LAB_USB_BABBLE:
        return -EOVERFLOW;
    case LAB_USB_CANCELLED:
        return -ENOENT;
    case LAB_USB_GONE:
        return -ESHUTDOWN;
    case LAB_USB_BROKEN:
        break;
    }
    return -EPROTO;
}

static int hand_over(struct transfer *t, const struct caller *c)
{
    int32_t status = status_of(t->urb.status), actual = (int32_t)t->urb.actual;
    uint64_t user = t->user;
    struct memory_piece pieces[] = {
        { t->user + offsetof(struct usbdevfs_urb, status), &status,
          sizeof status },
        { t->user + offsetof(struct usbdevfs_urb, actual_length), &actual,
          sizeof actual },
        { c->arg, &user, sizeof(void *) },
        { t->buffer, t->urb.data, t->urb.actual },
    };
    bool in = t->urb.endpoint & USB_DIR_IN && t->urb.actual > 0;

    return memory_write(c->pid, pieces, in ? 4 : 3);
}

static int do_reap(struct usbfile *f, const struct caller *c)
{
    struct device *d = f->device;

    pthread_mutex_lock(d->lock);
    struct transfer *t = f->reapable;
    int rc = t ? 0 : d->gone ? -ENODEV : -EAGAIN;
    if (t) {
        f->reapable = t->next;
        if (!t->next)
            f->reapable_end = &f->reapable;
    }
    pthread_mutex_unlock(d->lock);
    if (!t)
        return rc;
    rc = hand_over(t, c);
    transfer_free(t);
    return rc;
}

/* --- interfaces ----------------------------------------------------------- */

/* Linux unbinds whatever driver has it, usbfs for another program included;
 * but libusb asks for "all but usbfs". */
static int detach(struct usbfile *f, unsigned interface)
{
    if (!device_driver(f->device, interface))
        return -ENODATA;
    f->device->detached[interface] = true;
    return 0;
}

static int attach(struct usbfile *f, unsigned interface)
{
    struct device *d = f->device;

    if (!device_has_interface(d, interface))
        return -EINVAL;
    if (d->owner[interface])
        return -EBUSY;
    d->detached[interface] = false;
    return device_driver(d, interface) ? 1 : 0;
}

static int with_interface(struct usbfile *f, const struct caller *c,
                          int (*what)(struct usbfile *, unsigned))
{
    struct device *d = f->device;
    unsigned interface;
    int rc = memory_read(c->pid, c->arg, &interface, sizeof interface);

    if (rc != 0)
        return rc;
    pthread_mutex_lock(d->lock);
    rc = d->gone ? -ENODEV : what(f, interface);
    pthread_mutex_unlock(d->lock);
    return rc;
}

static int do_claim(struct usbfile *f, const struct caller *c)
{
    return with_interface(f, c, claim);
}

static int owned(struct usbfile *f, unsigned interface)
{
    return interface < DEVICE_INTERFACES && f->device->owner[interface] == f
               ? (int)interface
               : -EINVAL;
}

static int do_release(struct usbfile *f, const struct caller *c)
{
    int interface = with_interface(f, c, owned);

    if (interface < 0)
        return interface;
    cancel_all(f, interface);
    pthread_mutex_lock(f->device->lock);
    f->device->owner[interface] = NULL;
    pthread_mutex_unlock(f->device->lock);
    return 0;
}

static int do_get_driver(struct usbfile *f, const struct caller *c)
{
    struct usbdevfs_getdriver g = { .interface = 0 };
    int rc = memory_read(c->pid, c->arg, &g.interface, sizeof g.interface);

    if (rc != 0)
        return rc;
    pthread_mutex_lock(f->device->lock);
    const char *name = device_driver(f->device, g.interface);
    if (!name && g.interface < DEVICE_INTERFACES &&
        f->device->owner[g.interface])
        name = "usbfs";
    if (f->device->gone)
        rc = -ENODEV;
    else if (!name)
        rc = -ENODATA;
    pthread_mutex_unlock(f->device->lock);
    if (rc != 0)
        return rc;
    strncpy(g.driver, name, sizeof g.driver - 1);
    struct memory_piece piece = { c->arg, &g, sizeof g };
    return memory_write(c->pid, &piece, 1);
}

static int do_disconnect_claim(struct usbfile *f, const struct caller *c)
{
    struct device *d = f->device;
    struct usbdevfs_disconnect_claim dc;
    int rc = memory_read(c->pid, c->arg, &dc, sizeof dc);

    if (rc != 0)
        return rc;
    dc.driver[sizeof dc.driver - 1] = '\0';
    pthread_mutex_lock(d->lock);
    const char *driver = device_driver(d, dc.interface);
    if (d->gone)
        rc = -ENODEV;
    else if (driver && dc.flags & USBDEVFS_DISCONNECT_CLAIM_IF_DRIVER &&
             strcmp(driver, dc.driver) != 0)
        rc = -EBUSY;
    else if (driver && dc.flags & USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER &&
             strcmp(driver, dc.driver) == 0)
        rc = -EBUSY;
    if (rc == 0 && driver && !claimed_by_other(f, (int)dc.interface))
        rc = detach(f, dc.interface);
    if (rc == 0)
        rc = claim(f, dc.interface);
    pthread_mutex_unlock(d->lock);
    return rc;
}

/* Requests to an interface's driver: libusb detaches and attaches with it. */
static int do_ioctl(struct usbfile *f, const struct caller *c)
{
    struct device *d = f->device;
    struct usbdevfs_ioctl i;
    int rc = memory_read(c->pid, c->arg, &i, sizeof i);

    if (rc != 0)
        return rc;
    pthread_mutex_lock(d->lock);
    if (d->gone)
        rc = -ENODEV;
    else if (i.ifno < 0 || i.ifno >= DEVICE_INTERFACES)
        rc = -EINVAL;
    else if ((unsigned)i.ioctl_code == USBDEVFS_DISCONNECT)
        rc = detach(f, (unsigned)i.ifno);
    else if ((unsigned)i.ioctl_code == USBDEVFS_CONNECT)
        rc = attach(f, (unsigned)i.ifno);
    else
        rc = -ENOTTY;
    pthread_mutex_unlock(d->lock);
    return rc;
}

static int do_set_interface(struct usbfile *f, const struct caller *c)
{
    struct usbdevfs_setinterface s;
    int rc = memory_read(c->pid, c->arg, &s, sizeof s);

    if (rc != 0)
        return rc;
    pthread_mutex_lock(f->device->lock);
    bool there = device_has_interface(f->device, s.interface);
    bool ours = there && !claimed_by_other(f, (int)s.interface);
    bool gone = f->device->gone;
    pthread_mutex_unlock(f->device->lock);
    if (gone)
        return -ENODEV;
    if (!there)
        return -EINVAL;
    if (!ours)
        return -EBUSY;
    cancel_all(f, (int)s.interface);
    return 0;
}

/* --- the device ----------------------------------------------------------- */

static int set_configuration(struct usbfile *f, unsigned value)
{
    return device_has_configuration(f->device, value) ? 0 : -EINVAL;
}

static int do_set_configuration(struct usbfile *f, const struct caller *c)
{
    return with_interface(f, c, set_configuration);
}

/* The endpoint when it is ours, or a negative errno. */
static int own_endpoint(struct usbfile *f, unsigned endpoint)
{
    int interface = device_endpoint_interface(f->device, (uint8_t)endpoint);

    if (interface < 0)
        return -ENOENT;
    return claimed_by_other(f, interface) ? -EBUSY : (int)(uint8_t)endpoint;
}

static int do_clear_halt(struct usbfile *f, const struct caller *c)
{
    const struct device *d = f->device;
    int endpoint = with_interface(f, c, own_endpoint);

    if (endpoint < 0)
        return endpoint;
    lab_bus_clear_halt(d->bus, d->place.bus, d->place.device,
                       (uint8_t)endpoint);
    return 0;
}

static int do_reset(struct usbfile *f, const struct caller *c)
{
    const struct device *d = f->device;

    (void)c;
    pthread_mutex_lock(d->lock);
    bool gone = d->gone;
    pthread_mutex_unlock(d->lock);
    if (gone)
        return -ENODEV;
    lab_bus_reset(d->bus, d->place.bus, d->place.device);
    return 0;
}

/* What a kernel of today on today's host controllers says: one URB carries a
 * transfer of any length. */
static int do_capabilities(struct usbfile *f, const struct caller *c)
{
    uint32_t caps = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_BULK_CONTINUATION |
                    USBDEVFS_CAP_NO_PACKET_SIZE_LIM |
                    USBDEVFS_CAP_BULK_SCATTER_GATHER |
                    USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
    struct memory_piece piece = { c->arg, &caps, sizeof caps };

    (void)f;
    return memory_write(c->pid, &piece, 1);
}

static const struct {
    unsigned cmd;
    int (*fn)(struct usbfile *f, const struct caller *c);
} calls[] = {
    { USBDEVFS_SUBMITURB, do_submit },
    { USBDEVFS_REAPURBNDELAY, do_reap },
    { USBDEVFS_DISCARDURB, do_discard },
    { USBDEVFS_CLAIMINTERFACE, do_claim },
    { USBDEVFS_RELEASEINTERFACE, do_release },
    { USBDEVFS_DISCONNECT_CLAIM, do_disconnect_claim },
    { USBDEVFS_GETDRIVER, do_get_driver },
    { USBDEVFS_IOCTL, do_ioctl },
    { USBDEVFS_SETINTERFACE, do_set_interface },
    { USBDEVFS_SETCONFIGURATION, do_set_configuration },
    { USBDEVFS_CLEAR_HALT, do_clear_halt },
    { USBDEVFS_RESET, do_reset },
    { USBDEVFS_GET_CAPABILITIES, do_capabilities },
};

int usbfile_ioctl(struct usbfile *f, unsigned cmd, uintptr_t arg, pid_t caller)
{
    struct caller c = { caller, arg };

    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].cmd == cmd)
            return calls[i].fn(f, &c);
    return -ENOTTY;
}
