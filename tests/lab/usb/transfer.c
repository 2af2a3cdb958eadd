/* URBs on their way between a transport and a model, and what a fault makes
 * of them. */
#include <string.h>

#include "tests/lab/usb/bus_inner.h"

#define STANDARD 0
#define TYPE_MASK 0x60

enum verdict { DELIVER, END, HOLD };

static const char *const fault_names[LAB_FAULTS] = {
    [LAB_FAULT_NONE] = "none",         [LAB_FAULT_STALL] = "stall",
    [LAB_FAULT_BABBLE] = "babble",     [LAB_FAULT_SHORT] = "short",
    [LAB_FAULT_BROKEN] = "broken",     [LAB_FAULT_SILENCE] = "silence",
    [LAB_FAULT_UNPLUG] = "unplug",     [LAB_FAULT_UNPLUG_AFTER] = "unplug-after",
};

const char *lab_usb_fault_name(enum lab_usb_fault f)
{
    return (unsigned)f < LAB_FAULTS ? fault_names[f] : "unknown";
}

uint32_t endpoint_bit(uint8_t endpoint)
{
    return 1u << ((endpoint & 15) + (endpoint & 0x80 ? 16 : 0));
}

static bool is_control(const struct lab_urb *u)
{
    return (u->endpoint & 15) == 0;
}

static bool is_in(const struct lab_urb *u)
{
    return (is_control(u) ? u->setup[0] : u->endpoint) & 0x80;
}

static bool is_counted(const struct lab_urb *u)
{
    return !is_control(u) || (u->setup[0] & TYPE_MASK) != STANDARD;
}

/* --- faults. All with the bus's lock held ------------------------------------- */

static enum verdict end(struct lab_urb *u, enum lab_usb_status s)
{
    u->status = s;
    return END;
}

static enum verdict fire(struct lab_bus_place *p, struct lab_urb *u)
{
    enum lab_usb_fault f = p->fault;

    if ((f == LAB_FAULT_BABBLE || f == LAB_FAULT_SHORT) && !is_in(u))
        return DELIVER; /* waits for the next that comes in */
    p->fault = LAB_FAULT_NONE;
    p->fault_fired = true;
    switch (f) {
    case LAB_FAULT_STALL:
        if (!is_control(u))
            p->halted |= endpoint_bit(u->endpoint);
        return end(u, LAB_USB_STALL);
    case LAB_FAULT_BROKEN:
        return end(u, LAB_USB_BROKEN);
    case LAB_FAULT_SILENCE:
        p->silent = true;
        return HOLD;
    case LAB_FAULT_UNPLUG:
        place_pull(p);
        return end(u, LAB_USB_GONE);
    default: /* the rest shows when the model completes it */
        p->fault_fired = false;
        u->bus.fault = f;
        return DELIVER;
    }
}

static enum verdict judge(struct lab_bus_place *p, struct lab_urb *u)
{
    if (is_counted(u))
        p->transfers++;
    if (p->silent)
        return HOLD;
    if (p->fault && is_counted(u) && p->transfers >= p->fault_at)
        return fire(p, u);
    if (!is_control(u) && p->halted & endpoint_bit(u->endpoint))
        return end(u, LAB_USB_STALL);
    return DELIVER;
}

static void babble(struct lab_urb *u, uint64_t seed)
{
    while (u->actual < u->length) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        u->data[u->actual++] = (uint8_t)(seed >> 56);
    }
    u->status = LAB_USB_BABBLE;
}

/* The model has completed it; the fault that waited for this. */
static void spoil(struct lab_bus_place *p, struct lab_urb *u)
{
    enum lab_usb_fault f = u->bus.fault;

    u->bus.fault = LAB_FAULT_NONE;
    if (u->status != LAB_USB_OK || (f == LAB_FAULT_SHORT && u->actual == 0)) {
        if (!p->fault) { /* nothing to spoil: the next one */
            p->fault = f;
            p->fault_at = p->transfers;
        }
        return;
    }
    p->fault_fired = true;
    if (f == LAB_FAULT_BABBLE) {
        babble(u, p->fault_seed);
    } else if (f == LAB_FAULT_SHORT) {
        u->actual = p->fault_seed % u->actual;
    } else if (!atomic_load(&p->leaving)) {
        place_pull(p);
        if (is_in(u)) {
            u->status = LAB_USB_GONE;
            u->actual = 0;
        }
    }
}

/* --- the way of an URB --------------------------------------------------------- */

static void link_urb(struct lab_bus_place *p, struct lab_urb *u)
{
    u->bus.place = p;
    u->bus.prev = NULL;
    u->bus.next = p->under_way;
    if (p->under_way)
        p->under_way->bus.prev = u;
    p->under_way = u;
}

static void unlink_urb(struct lab_bus_place *p, struct lab_urb *u)
{
    if (u->bus.next)
        u->bus.next->bus.prev = u->bus.prev;
    if (u->bus.prev)
        u->bus.prev->bus.next = u->bus.next;
    else
        p->under_way = u->bus.next;
    u->bus.place = NULL;
}

/* What every URB's done is while it is under way. */
static void completed(struct lab_urb *u)
{
    struct lab_bus_place *p = u->bus.place;

    pthread_mutex_lock(&p->b->lock);
    if (u->bus.fault)
        spoil(p, u);
    if (u->status == LAB_USB_STALL && !is_control(u))
        p->halted |= endpoint_bit(u->endpoint);
    unlink_urb(p, u);
    u->done = u->bus.done;
    p->busy++;
    pthread_mutex_unlock(&p->b->lock);
    u->done(u);
    place_put(p);
}

static void to_model(struct lab_bus_place *p, struct lab_urb *u)
{
    struct lab_usb_device *d = p->is.model;

    pthread_mutex_lock(&p->call);
    /* After unplugged the model would keep it for ever. */
    if (atomic_load(&p->leaving))
        lab_urb_complete(u, LAB_USB_GONE, 0);
    else if (!is_control(u) || !standard_request(p, u))
        d->ops->submit(d, u);
    pthread_mutex_unlock(&p->call);
}

void lab_bus_submit(struct lab_bus *b, unsigned bus, unsigned device,
                    struct lab_urb *u)
{
    struct lab_bus_place *p = place_get(b, bus, device);
    enum verdict v;

    u->bus.place = NULL;
    u->bus.fault = LAB_FAULT_NONE;
    if (!p) {
        lab_urb_complete(u, LAB_USB_GONE, 0);
        return;
    }
    pthread_mutex_lock(&b->lock);
    u->bus.done = u->done;
    u->done = completed;
    link_urb(p, u);
    v = judge(p, u);
    u->bus.held = v == HOLD;
    pthread_mutex_unlock(&b->lock);
    if (v == DELIVER)
        to_model(p, u);
    else if (v == END)
        lab_urb_complete(u, u->status, 0);
    place_put(p);
}

void lab_bus_cancel(struct lab_bus *b, unsigned bus, unsigned device,
                    struct lab_urb *u)
{
    struct lab_bus_place *p;
    bool held;

    (void)bus;
    (void)device;
    pthread_mutex_lock(&b->lock);
    p = u->bus.place;
    if (!p) {
        pthread_mutex_unlock(&b->lock);
        return;
    }
    p->busy++;
    held = u->bus.held;
    u->bus.held = false;
    pthread_mutex_unlock(&b->lock);
    if (held)
        lab_urb_complete(u, LAB_USB_CANCELLED, 0);
    else
        p->is.model->ops->cancel(p->is.model, u);
    place_put(p);
}

void place_end_held(struct lab_bus_place *p, enum lab_usb_status s)
{
    for (;;) {
        struct lab_urb *u;

        pthread_mutex_lock(&p->b->lock);
        for (u = p->under_way; u && !u->bus.held; u = u->bus.next)
            ;
        if (u)
            u->bus.held = false;
        pthread_mutex_unlock(&p->b->lock);
        if (!u)
            return;
        lab_urb_complete(u, s, 0);
    }
}

void lab_bus_clear_halt(struct lab_bus *b, unsigned bus, unsigned device,
                        uint8_t endpoint)
{
    struct lab_bus_place *p = place_get(b, bus, device);

    if (!p)
        return;
    pthread_mutex_lock(&b->lock);
    p->halted &= ~endpoint_bit(endpoint);
    pthread_mutex_unlock(&b->lock);
    pthread_mutex_lock(&p->call);
    if (!atomic_load(&p->leaving) && p->is.model->ops->clear_halt)
        p->is.model->ops->clear_halt(p->is.model, endpoint);
    pthread_mutex_unlock(&p->call);
    place_put(p);
}

void lab_bus_reset(struct lab_bus *b, unsigned bus, unsigned device)
{
    struct lab_bus_place *p = place_get(b, bus, device);

    if (!p)
        return;
    pthread_mutex_lock(&p->call);
    if (!atomic_load(&p->leaving) && p->is.model->ops->reset)
        p->is.model->ops->reset(p->is.model);
    pthread_mutex_lock(&b->lock);
    p->silent = false;
    p->halted = 0;
    memset(p->alternate, 0, sizeof p->alternate);
    pthread_mutex_unlock(&b->lock);
    pthread_mutex_unlock(&p->call);
    place_end_held(p, LAB_USB_GONE);
    place_put(p);
}

/* --- faults, for tests ----------------------------------------------------------- */

/* With lock held; NULL: none. */
static struct lab_bus_place *last_at(struct lab_bus *b, const char *path)
{
    struct lab_bus_place *p = b->places;

    while (p && strcmp(p->is.path, path) != 0)
        p = p->next;
    return p;
}

void lab_bus_fault(struct lab_bus *b, const char *path, enum lab_usb_fault f,
                   unsigned at, uint64_t seed)
{
    struct lab_bus_place *p;

    pthread_mutex_lock(&b->lock);
    p = last_at(b, path);
    if (p && !p->past) {
        p->fault = at ? f : LAB_FAULT_NONE;
        p->fault_at = p->transfers + at;
        p->fault_seed = seed;
        p->fault_fired = false;
    }
    pthread_mutex_unlock(&b->lock);
}

bool lab_bus_fault_fired(struct lab_bus *b, const char *path)
{
    struct lab_bus_place *p;
    bool fired;

    pthread_mutex_lock(&b->lock);
    p = last_at(b, path);
    fired = p && p->fault_fired;
    pthread_mutex_unlock(&b->lock);
    return fired;
}

unsigned lab_bus_transfers(struct lab_bus *b, const char *path)
{
    struct lab_bus_place *p;
    unsigned n;

    pthread_mutex_lock(&b->lock);
    p = last_at(b, path);
    n = p ? p->transfers : 0;
    pthread_mutex_unlock(&b->lock);
    return n;
}
