#include "tests/lab/usb/bus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lab/usb/bus_inner.h"
#include "tests/lab/usb/descriptors.h"

#define PORTS_MOST 7 /* as libusb has room for */

const char *lab_bus_cannot(void)
{
    int status, stage = 0;
    pid_t pid = fork();

    if (pid == 0) {
        (void)tree_enter(&stage, NULL);
        _exit(stage);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return tree_stage(0);
    return tree_stage(WEXITSTATUS(status));
}

int lab_bus_enter(struct err *e)
{
    return tree_enter(NULL, e);
}

/* --- paths ------------------------------------------------------------------- */

/* "1-2.4.1": its bus, 0 if it is no path. */
static unsigned path_bus(const char *path)
{
    const char *p = path;
    unsigned ports = 0;

    if (*p < '1' || *p > '0' + LAB_BUSES || p[1] != '-')
        return 0;
    p++;
    do {
        char *end;
        unsigned long port;

        if (p[1] < '1' || p[1] > '9')
            return 0;
        port = strtoul(p + 1, &end, 10);
        if (port > 255 || ++ports > PORTS_MOST)
            return 0;
        p = end;
    } while (*p == '.');
    return *p ? 0 : (unsigned)(path[0] - '0');
}

/* "1-2.4" is behind "1-2", and that behind "usb1". */
static bool behind(const char *path, const char *hub)
{
    size_t n = strlen(hub);

    if (strncmp(hub, "usb", 3) == 0)
        return strncmp(path, hub + 3, n - 3) == 0 && path[n - 3] == '-';
    return strncmp(path, hub, n) == 0 && path[n] == '.';
}

static struct lab_bus_place *find_path(struct lab_bus *b, const char *path)
{
    struct lab_bus_place *p = b->places;

    while (p && strcmp(p->is.path, path) != 0)
        p = p->next;
    return p;
}

/* --- places ------------------------------------------------------------------ */

struct lab_bus_place *place_get(struct lab_bus *b, unsigned bus, unsigned device)
{
    struct lab_bus_place *p = NULL;

    pthread_mutex_lock(&b->lock);
    if (bus <= LAB_BUSES && device < LAB_ADDRESSES)
        p = b->at[bus][device];
    if (p && atomic_load(&p->leaving))
        p = NULL;
    if (p)
        p->busy++;
    pthread_mutex_unlock(&b->lock);
    return p;
}

void place_put(struct lab_bus_place *p)
{
    struct lab_bus *b = p->b;

    pthread_mutex_lock(&b->lock);
    p->busy--;
    if (atomic_load(&p->leaving))
        pthread_cond_broadcast(&b->quiet);
    pthread_mutex_unlock(&b->lock);
}

void place_pull(struct lab_bus_place *p)
{
    atomic_store(&p->leaving, true);
    p->pulled = true;
    pthread_cond_signal(&p->b->pull);
}

static void place_free(struct lab_bus_place *p)
{
    hub_free(p->hub);
    pthread_mutex_destroy(&p->call);
    free(p);
}

/* What is past at this path makes room for what comes. Change lock held. */
static void forget(struct lab_bus *b, const char *path)
{
    struct lab_bus_place *old = NULL;

    pthread_mutex_lock(&b->lock);
    for (struct lab_bus_place **at = &b->places; *at; at = &(*at)->next)
        if (strcmp((*at)->is.path, path) == 0) {
            old = *at;
            *at = old->next;
            break;
        }
    pthread_mutex_unlock(&b->lock);
    if (old)
        place_free(old);
}

static const char *string_of(const struct lab_usb_device *d, size_t at)
{
    unsigned i = at < d->device.n ? d->device.p[at] : 0;

    return i && i < LAB_USB_STRINGS ? d->strings[i] : NULL;
}

static void describe(const struct lab_bus_place *p, struct tree_device *out)
{
    const struct lab_usb_device *d = p->is.model;

    *out = (struct tree_device){
        .path = p->is.path,
        .bus = p->is.bus,
        .device = p->is.device,
        .descriptor = buf_span(&d->device),
        .configurations = buf_span(&d->config),
        .manufacturer = string_of(d, 14),
        .product = string_of(d, 15),
        .serial = string_of(d, 16),
        .speed = d->speed,
        .driver = d->kernel_driver,
    };
}

/* As Linux: the next higher number, around, the root hub has 1. Lock held. */
static unsigned free_address(struct lab_bus *b, unsigned bus, bool root)
{
    unsigned a = b->last_address[bus];

    if (root)
        return b->at[bus][1] ? 0 : 1;
    for (unsigned i = 0; i < LAB_ADDRESSES; i++) {
        a = a + 1 < LAB_ADDRESSES ? a + 1 : 2;
        if (a < 2)
            a = 2;
        if (!b->at[bus][a])
            return b->last_address[bus] = a;
    }
    return 0;
}

static int place_insert(struct lab_bus *b, struct lab_bus_place *p, struct err *e)
{
    bool root = strncmp(p->is.path, "usb", 3) == 0;

    pthread_mutex_lock(&b->lock);
    p->is.device = free_address(b, p->is.bus, root);
    if (p->is.device) {
        b->at[p->is.bus][p->is.device] = p;
        p->next = b->places;
        b->places = p;
    }
    pthread_mutex_unlock(&b->lock);
    return p->is.device ? 0
                        : err_set(e, ERR_LIMIT, "bus %u is full", p->is.bus);
}

/* Change lock held; what is before it is there. d NULL: a hub. */
static int place_add(struct lab_bus *b, const char *path, unsigned bus,
                     struct lab_usb_device *d, struct err *e)
{
    struct lab_bus_place *p = calloc(1, sizeof *p);
    struct tree_device tree;
    struct lab_place copy;
    struct span c;

    if (p && !d)
        d = p->hub = hub_new(strncmp(path, "usb", 3) == 0);
    if (!p || !d) {
        free(p);
        return err_set(e, ERR_NOMEM, "no memory for a device");
    }
    p->b = b;
    p->is.bus = bus;
    p->is.model = d;
    snprintf(p->is.path, sizeof p->is.path, "%s", path);
    c = configuration_at(buf_span(&d->config), 0);
    p->configuration = c.n >= 6 ? c.p[5] : 0;
    pthread_mutex_init(&p->call, NULL);
    forget(b, path);
    if (place_insert(b, p, e) != 0) {
        place_free(p);
        return -1;
    }
    copy = p->is;
    if (b->transport.arrived)
        b->transport.arrived(b->transport.ctx, &copy);
    describe(p, &tree);
    return tree_add(b->tree, &tree, e);
}

static int hub_needed(struct lab_bus *b, const char *path, unsigned bus,
                      struct err *e)
{
    struct lab_bus_place *p = find_path(b, path);

    if (!p || p->past)
        return place_add(b, path, bus, NULL, e);
    return p->hub ? 0
                  : err_set(e, ERR_CONFLICT, "what is at %s is no hub", path);
}

static int plug_locked(struct lab_bus *b, const char *path, unsigned bus,
                       struct lab_usb_device *d, struct err *e)
{
    struct lab_bus_place *p = find_path(b, path);
    char hub[sizeof p->is.path];

    if (p && !p->past)
        return err_set(e, ERR_CONFLICT, "something is at %s already", path);
    snprintf(hub, sizeof hub, "usb%u", bus);
    if (hub_needed(b, hub, bus, e) != 0)
        return -1;
    for (const char *dot = strchr(path, '.'); dot; dot = strchr(dot + 1, '.')) {
        snprintf(hub, sizeof hub, "%.*s", (int)(dot - path), path);
        if (hub_needed(b, hub, bus, e) != 0)
            return -1;
    }
    return place_add(b, path, bus, d, e);
}

/* --- unplug ------------------------------------------------------------------ */

static void wait_quiet(struct lab_bus_place *p)
{
    pthread_mutex_lock(&p->b->lock);
    while (p->busy || p->under_way)
        pthread_cond_wait(&p->b->quiet, &p->b->lock);
    pthread_mutex_unlock(&p->b->lock);
}

/* The order is the kernel's: no more transfers; those under way end; the open
 * files learn of it; the tree; hot-plug messages. Change lock held. */
static void place_remove(struct lab_bus_place *p)
{
    struct lab_bus *b = p->b;
    struct lab_usb_device *d = p->is.model;
    struct lab_place copy = p->is;
    struct tree_device tree;

    pthread_mutex_lock(&p->call);
    if (d->ops->unplugged)
        d->ops->unplugged(d);
    pthread_mutex_unlock(&p->call);
    place_end_held(p, LAB_USB_GONE);
    wait_quiet(p);
    if (b->transport.left)
        b->transport.left(b->transport.ctx, &copy);
    describe(p, &tree);
    pthread_mutex_lock(&b->lock);
    b->at[p->is.bus][p->is.device] = NULL;
    p->past = true;
    p->pulled = false;
    p->is.model = NULL;
    pthread_mutex_unlock(&b->lock);
    tree_remove(b->tree, &tree);
}

static size_t unplug_locked(struct lab_bus *b, const char *path)
{
    size_t n = 0;

    /* All at once, then one by one; what came later was plugged behind. */
    pthread_mutex_lock(&b->lock);
    for (struct lab_bus_place *p = b->places; p; p = p->next)
        if (!p->past && (strcmp(p->is.path, path) == 0 || behind(p->is.path, path)))
            atomic_store(&p->leaving, true);
    pthread_mutex_unlock(&b->lock);
    for (struct lab_bus_place *p = b->places; p; p = p->next)
        if (!p->past && (strcmp(p->is.path, path) == 0 || behind(p->is.path, path))) {
            place_remove(p);
            n += !p->hub;
        }
    return n;
}

size_t lab_bus_unplug(struct lab_bus *b, const char *path)
{
    size_t n;

    pthread_mutex_lock(&b->change);
    n = unplug_locked(b, path);
    pthread_mutex_unlock(&b->change);
    return n;
}

static bool is_pulled(struct lab_bus *b, const char *path)
{
    struct lab_bus_place *p;
    bool pulled;

    pthread_mutex_lock(&b->lock);
    p = find_path(b, path);
    pulled = p && p->pulled;
    pthread_mutex_unlock(&b->lock);
    return pulled;
}

int lab_bus_plug(struct lab_bus *b, const char *path, struct lab_usb_device *d,
                 struct err *e)
{
    unsigned bus = path_bus(path);
    int r;

    if (!bus || strlen(path) >= sizeof ((struct lab_place *)0)->path)
        return err_set(e, ERR_USAGE, "\"%s\" is no place on buses 1 to %d", path,
                       LAB_BUSES);
    pthread_mutex_lock(&b->change);
    /* What a fault has pulled is gone, even if the puller was not here yet. */
    if (is_pulled(b, path))
        unplug_locked(b, path);
    r = plug_locked(b, path, bus, d, e);
    pthread_mutex_unlock(&b->change);
    return r;
}

/* A fault pulls the plug in the middle of a completion, in a thread that may
 * hold the model's lock. So another thread does what takes time. */
static void *puller_main(void *arg)
{
    struct lab_bus *b = arg;
    char path[sizeof ((struct lab_place *)0)->path];

    pthread_mutex_lock(&b->lock);
    for (;;) {
        struct lab_bus_place *p = b->places;

        while (p && !p->pulled)
            p = p->next;
        if (!p && b->ending)
            break;
        if (!p) {
            pthread_cond_wait(&b->pull, &b->lock);
            continue;
        }
        memcpy(path, p->is.path, sizeof path);
        pthread_mutex_unlock(&b->lock);
        pthread_mutex_lock(&b->change);
        /* Perhaps unplugged and another plugged meanwhile. */
        if (is_pulled(b, path))
            unplug_locked(b, path);
        pthread_mutex_unlock(&b->change);
        pthread_mutex_lock(&b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* --- the bus ------------------------------------------------------------------ */

int lab_bus_new(struct lab_bus **out, struct err *e)
{
    struct lab_bus *b;

    if (lab_bus_enter(e) != 0)
        return -1;
    b = calloc(1, sizeof *b);
    if (!b)
        return err_set(e, ERR_NOMEM, "no memory for the emulated bus");
    if (tree_new(&b->tree, e) != 0) {
        free(b);
        return -1;
    }
    pthread_mutex_init(&b->change, NULL);
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->quiet, NULL);
    pthread_cond_init(&b->pull, NULL);
    if (pthread_create(&b->puller, NULL, puller_main, b) != 0) {
        tree_free(b->tree);
        free(b);
        return err_set(e, ERR_NOMEM, "no thread for the emulated bus");
    }
    *out = b;
    return 0;
}

void lab_bus_free(struct lab_bus *b)
{
    char root[8];

    if (!b)
        return;
    pthread_mutex_lock(&b->lock);
    b->ending = true;
    pthread_cond_signal(&b->pull);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->puller, NULL);
    for (unsigned i = 1; i <= LAB_BUSES; i++) {
        snprintf(root, sizeof root, "usb%u", i);
        lab_bus_unplug(b, root);
    }
    while (b->places) {
        struct lab_bus_place *p = b->places;

        b->places = p->next;
        place_free(p);
    }
    tree_free(b->tree);
    pthread_cond_destroy(&b->quiet);
    pthread_cond_destroy(&b->pull);
    pthread_mutex_destroy(&b->change);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static void tell_oldest_first(struct lab_bus_place *p,
                              const struct lab_transport *t)
{
    if (!p)
        return;
    tell_oldest_first(p->next, t);
    if (!p->past)
        t->arrived(t->ctx, &p->is);
}

void lab_bus_transport(struct lab_bus *b, const struct lab_transport *t)
{
    static const struct lab_transport none;

    pthread_mutex_lock(&b->change);
    b->transport = t ? *t : none;
    if (t && t->arrived)
        tell_oldest_first(b->places, t);
    pthread_mutex_unlock(&b->change);
}

bool lab_bus_find(struct lab_bus *b, unsigned bus, unsigned device,
                  struct lab_place *out)
{
    struct lab_bus_place *p = place_get(b, bus, device);

    if (!p)
        return false;
    *out = p->is;
    place_put(p);
    return true;
}
