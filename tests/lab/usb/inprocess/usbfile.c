#include "tests/lab/usb/inprocess/usbfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lab/usb/inprocess/usbfile_inner.h"

#define ANSWER_MS 5000 /* the kernel's own for requests that it makes */

/* --- nodes -------------------------------------------------------------------- */

static void node_put(struct node *n) /* fs->lock held */
{
    if (--n->refs)
        return;
    buf_clear(&n->descriptors);
    free(n);
}

static void arrived(void *ctx, const struct lab_place *p)
{
    struct usbfs *fs = ctx;
    struct node *n = calloc(1, sizeof *n);
    const struct lab_usb_device *d = p->model;

    if (!n)
        abort();
    n->place = *p;
    n->place.model = NULL;
    n->refs = 1;
    n->device_n = d->device.n;
    n->speed = d->speed;
    buf_put_span(&n->descriptors, buf_span(&d->device));
    buf_put_span(&n->descriptors, buf_span(&d->config));
    if (d->kernel_driver)
        snprintf(n->driver, sizeof n->driver, "%s", d->kernel_driver);
    pthread_mutex_lock(&fs->lock);
    fs->nodes[p->bus][p->device] = n;
    pthread_mutex_unlock(&fs->lock);
}

static void node_gone(struct usbfs *fs, struct node *n) /* fs->lock held */
{
    fs->nodes[n->place.bus][n->place.device] = NULL;
    n->gone = true;
    for (struct usbfile *f = n->files; f; f = f->next) {
        pthread_mutex_lock(&f->lock);
        f->gone = true;
        f->listener.gone(f->listener.ctx);
        pthread_mutex_unlock(&f->lock);
    }
    node_put(n);
}

static void left(void *ctx, const struct lab_place *p)
{
    struct usbfs *fs = ctx;

    pthread_mutex_lock(&fs->lock);
    if (fs->nodes[p->bus][p->device])
        node_gone(fs, fs->nodes[p->bus][p->device]);
    pthread_mutex_unlock(&fs->lock);
}

int usbfs_start(struct lab_bus *b, struct usbfs **out, struct err *e)
{
    struct usbfs *fs = calloc(1, sizeof *fs);

    if (!fs)
        return err_set(e, ERR_NOMEM, "no memory for an emulated usbfs");
    fs->bus = b;
    fs->refs = 1;
    pthread_mutex_init(&fs->lock, NULL);
    lab_bus_transport(b, &(struct lab_transport){ arrived, left, fs });
    *out = fs;
    return 0;
}

static void usbfs_put(struct usbfs *fs) /* fs->lock held; gives it back */
{
    bool last = --fs->refs == 0;

    pthread_mutex_unlock(&fs->lock);
    if (last) {
        pthread_mutex_destroy(&fs->lock);
        free(fs);
    }
}

void usbfs_stop(struct usbfs *fs)
{
    lab_bus_transport(fs->bus, NULL);
    pthread_mutex_lock(&fs->lock);
    for (size_t i = 0; i < BUSES * ADDRESSES; i++) {
        struct node *n = fs->nodes[i / ADDRESSES][i % ADDRESSES];
        struct usbfile *f;

        if (!n)
            continue;
        n->refs++;
        n->gone = true;
        /* Without the lock: a completion may want the file's. No file opens
         * or closes now: the program is at its end. */
        pthread_mutex_unlock(&fs->lock);
        for (f = n->files; f; f = f->next)
            usbfile_end_requests(f, -1);
        pthread_mutex_lock(&fs->lock);
        node_gone(fs, n);
        node_put(n);
    }
    usbfs_put(fs);
}

/* --- files -------------------------------------------------------------------- */

int usbfile_open(struct usbfs *fs, unsigned bus, unsigned device,
                 const struct usbfile_listener *l, struct usbfile **out)
{
    struct usbfile *f = calloc(1, sizeof *f);
    pthread_condattr_t monotonic;
    struct node *n = NULL;

    if (!f)
        return -ENOMEM;
    f->fs = fs;
    f->listener = *l;
    f->ready_end = &f->ready;
    pthread_mutex_init(&f->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&f->ended, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_lock(&fs->lock);
    if (bus < BUSES && device < ADDRESSES)
        n = fs->nodes[bus][device];
    if (n && !n->gone) {
        n->refs++;
        fs->refs++;
        f->node = n;
        f->next = n->files;
        n->files = f;
    }
    pthread_mutex_unlock(&fs->lock);
    if (!f->node) {
        free(f);
        return -ENOENT;
    }
    *out = f;
    return 0;
}

void usbfile_close(struct usbfile *f)
{
    struct usbfs *fs = f->fs;
    struct node *n = f->node;
    struct usbfile **at;

    usbfile_end_requests(f, -1);
    pthread_mutex_lock(&fs->lock);
    for (at = &n->files; *at != f; at = &(*at)->next)
        ;
    *at = f->next;
    for (size_t i = 0; i < LAB_USB_INTERFACES; i++)
        if (n->claims[i] == f)
            n->claims[i] = NULL;
    node_put(n);
    usbfile_drop_ready(f);
    pthread_cond_destroy(&f->ended);
    pthread_mutex_destroy(&f->lock);
    free(f);
    usbfs_put(fs);
}

bool usbfile_gone(struct usbfile *f)
{
    bool gone;

    pthread_mutex_lock(&f->lock);
    gone = f->gone;
    pthread_mutex_unlock(&f->lock);
    return gone;
}

ssize_t usbfile_read(struct usbfile *f, void *p, size_t n, off_t at)
{
    struct span s = buf_span(&f->node->descriptors);

    if (usbfile_gone(f))
        return -ENODEV;
    if (at < 0)
        return -EINVAL;
    s = span_sub(s, (size_t)at, n);
    if (s.n)
        memcpy(p, s.p, s.n);
    return (ssize_t)s.n;
}

int usbfile_place(struct usbfile *f, struct lab_place *out, uint8_t *speed)
{
    *out = f->node->place;
    *speed = f->node->speed;
    return usbfile_gone(f) ? -ENODEV : 0;
}

/* --- interfaces. fs->lock held where it says "locked" ---------------------------- */

static struct span all_configurations(const struct node *n)
{
    struct span s = buf_span(&n->descriptors);

    return span_sub(s, n->device_n, s.n);
}

static bool interface_exists(const struct node *n, unsigned interface)
{
    return interface < LAB_USB_INTERFACES &&
           interface_find(all_configurations(n), (uint8_t)interface, -1).n != 0;
}

/* Locked. NULL: none is bound. */
static const char *bound(const struct node *n, unsigned interface)
{
    if (n->claims[interface])
        return "usbfs";
    return n->driver[0] && !(n->detached & 1u << interface) ? n->driver : NULL;
}

static int claim_locked(struct usbfile *f, unsigned interface)
{
    struct node *n = f->node;

    if (n->gone)
        return -ENODEV;
    if (interface >= LAB_USB_INTERFACES)
        return -EINVAL;
    if (n->claims[interface] == f)
        return 0;
    if (!interface_exists(n, interface))
        return -ENOENT;
    if (bound(n, interface))
        return -EBUSY;
    n->claims[interface] = f;
    return 0;
}

int usbfile_claim(struct usbfile *f, unsigned interface)
{
    int r;

    pthread_mutex_lock(&f->fs->lock);
    r = claim_locked(f, interface);
    pthread_mutex_unlock(&f->fs->lock);
    return r;
}

int usbfile_use_interface(struct usbfile *f, unsigned interface)
{
    return usbfile_claim(f, interface);
}

int usbfile_use_endpoint(struct usbfile *f, uint8_t endpoint,
                         uint8_t *attributes)
{
    struct span d;
    uint8_t interface;
    int r;

    if (!endpoint_find(all_configurations(f->node), endpoint, &d, &interface))
        return -ENOENT;
    *attributes = d.p[3];
    r = usbfile_claim(f, interface);
    return r == 0 ? interface : r;
}

int usbfile_release(struct usbfile *f, unsigned interface)
{
    int r = -EINVAL;

    if (usbfile_gone(f))
        return -ENODEV;
    if (interface >= LAB_USB_INTERFACES)
        return -EINVAL;
    pthread_mutex_lock(&f->fs->lock);
    if (f->node->claims[interface] == f) {
        f->node->claims[interface] = NULL;
        r = 0;
    }
    pthread_mutex_unlock(&f->fs->lock);
    if (r == 0)
        usbfile_end_requests(f, (int)interface);
    return r;
}

int usbfile_disconnect_claim(struct usbfile *f,
                             const struct usbdevfs_disconnect_claim *c)
{
    struct node *n = f->node;
    const char *driver;
    int r = 0;

    pthread_mutex_lock(&f->fs->lock);
    if (n->gone) {
        r = -ENODEV;
    } else if (!interface_exists(n, c->interface)) {
        r = -EINVAL;
    } else if ((driver = bound(n, c->interface)) != NULL) {
        bool same = strncmp(driver, c->driver, sizeof c->driver) == 0;

        if ((c->flags & USBDEVFS_DISCONNECT_CLAIM_IF_DRIVER && !same) ||
            (c->flags & USBDEVFS_DISCONNECT_CLAIM_EXCEPT_DRIVER && same))
            r = -EBUSY;
        else
            n->detached |= 1u << c->interface;
    }
    if (r == 0)
        r = claim_locked(f, c->interface);
    pthread_mutex_unlock(&f->fs->lock);
    return r;
}

int usbfile_driver(struct usbfile *f, struct usbdevfs_getdriver *g)
{
    struct node *n = f->node;
    int r = -ENODATA;

    pthread_mutex_lock(&f->fs->lock);
    if (n->gone) {
        r = -ENODEV;
    } else if (interface_exists(n, g->interface) && bound(n, g->interface)) {
        snprintf(g->driver, sizeof g->driver, "%s", bound(n, g->interface));
        r = 0;
    }
    pthread_mutex_unlock(&f->fs->lock);
    return r;
}

int usbfile_detach(struct usbfile *f, int interface)
{
    struct node *n = f->node;
    int r = 0;

    pthread_mutex_lock(&f->fs->lock);
    if (n->gone)
        r = -ENODEV;
    else if (interface < 0 || !interface_exists(n, (unsigned)interface))
        r = -EINVAL;
    else if (!bound(n, (unsigned)interface) || n->claims[interface])
        r = -ENODATA;
    else
        n->detached |= 1u << interface;
    pthread_mutex_unlock(&f->fs->lock);
    return r;
}

/* 1: a driver has taken it, 0: there is none for it. */
int usbfile_attach(struct usbfile *f, int interface)
{
    struct node *n = f->node;
    int r = 0;

    pthread_mutex_lock(&f->fs->lock);
    if (n->gone) {
        r = -ENODEV;
    } else if (interface < 0 || !interface_exists(n, (unsigned)interface)) {
        r = -EINVAL;
    } else if (bound(n, (unsigned)interface)) {
        r = -EBUSY;
    } else if (n->driver[0]) {
        n->detached &= ~(1u << interface);
        r = 1;
    }
    pthread_mutex_unlock(&f->fs->lock);
    return r;
}

/* --- requests that the kernel makes for the program ------------------------------- */

static int standard(struct usbfile *f, uint8_t type, uint8_t request,
                    unsigned value, unsigned index)
{
    const uint8_t setup[8] = { type,           request,
                               (uint8_t)value, (uint8_t)(value >> 8),
                               (uint8_t)index, (uint8_t)(index >> 8) };
    int r = usbfile_control_wait(f, setup, NULL, ANSWER_MS);

    return r == -EPIPE ? -EINVAL : r;
}

static bool any_bound(struct usbfile *f)
{
    bool any = false;

    pthread_mutex_lock(&f->fs->lock);
    for (unsigned i = 0; i < LAB_USB_INTERFACES && !any; i++)
        any = interface_exists(f->node, i) && bound(f->node, i);
    pthread_mutex_unlock(&f->fs->lock);
    return any;
}

int usbfile_set_configuration(struct usbfile *f, unsigned value)
{
    if (usbfile_gone(f))
        return -ENODEV;
    if (any_bound(f))
        return -EBUSY;
    return standard(f, 0x00, 9, value & 0xffff, 0);
}

int usbfile_set_interface(struct usbfile *f,
                          const struct usbdevfs_setinterface *s)
{
    int r = usbfile_use_interface(f, s->interface);

    if (r != 0)
        return r;
    usbfile_end_requests(f, (int)s->interface);
    return standard(f, 0x01, 11, s->altsetting, s->interface);
}

int usbfile_clear_halt(struct usbfile *f, unsigned endpoint)
{
    uint8_t attributes;
    int r;

    if (usbfile_gone(f))
        return -ENODEV;
    r = usbfile_use_endpoint(f, (uint8_t)endpoint, &attributes);
    if (r < 0)
        return r;
    lab_bus_clear_halt(f->fs->bus, f->node->place.bus, f->node->place.device,
                       (uint8_t)endpoint);
    return 0;
}

int usbfile_reset(struct usbfile *f)
{
    if (usbfile_gone(f))
        return -ENODEV;
    lab_bus_reset(f->fs->bus, f->node->place.bus, f->node->place.device);
    return usbfile_gone(f) ? -ENODEV : 0;
}
