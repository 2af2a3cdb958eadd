#include "drivers/ccid/readers.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ccid/places.h"
#include "station/base/clock.h"

#define INTERFACES_MAX 8
#define STRING_MS 1000

/* Locks: a reader's own lock may be held when readers->lock is taken (wake),
 * never the other way round. */

struct memory { /* of one slot of a port */
    uint8_t ceiling, fidi;
    uint32_t ceiling_bps;
};

struct port {
    struct port *next;
    char path[USB_PATH_MAX + 1];
    struct ccid_device *here; /* NULL: nothing is plugged now */
    struct ccid_device *last; /* whose thread is not joined yet */
    struct ccid_place told;   /* of what was there last */
    bool appeared;            /* its slots did */
    struct memory slots[CCID_SLOTS_MAX];
};

struct ccid_device {
    struct ccid_readers *readers;
    struct port *port;
    struct ccid_device *before; /* at the same port: ends first */
    unsigned refs;
    pthread_t thread;
    pthread_cond_t woken_up;
    bool woken, ended, appeared;
    enum ccid_place_state state; /* OPENING; EMPTY: it is up; PARKED; NOT_OURS */
    char reason[CCID_REASON_MAX + 1];
    struct usb_handle *usb;
    unsigned interfaces, slots;
    struct ccid_reader *reader[INTERFACES_MAX];
    unsigned first[INTERFACES_MAX]; /* slot of the device */
    bool card[CCID_SLOTS_MAX];
    struct ccid_place told; /* what is the same for all its slots */
};

struct ccid_readers {
    struct ccid_readers_options options;
    pthread_mutex_t lock, event_lock;
    pthread_cond_t changed; /* usb, stopped, a device's state */
    struct usb *usb;
    bool stopped;
    struct port *ports;
};

const char *ccid_place_state_text(enum ccid_place_state s)
{
    switch (s) {
    case CCID_PLACE_OPENING:
        return "opening";
    case CCID_PLACE_EMPTY:
        return "empty";
    case CCID_PLACE_CARD:
        return "card";
    case CCID_PLACE_PARKED:
        return "parked";
    case CCID_PLACE_GONE:
        return "gone";
    case CCID_PLACE_NOT_OURS:
        return "not ours";
    }
    return "?";
}

/* --- names --------------------------------------------------------------------- */

bool ccid_place_parse(const char *name, char path[USB_PATH_MAX + 1],
                      unsigned *slot)
{
    size_t n = strcspn(name, ":"), digits = strspn(name, "0123456789");
    unsigned number = 0;

    if (n == 0 || n > USB_PATH_MAX || digits == 0 || name[digits] != '-' ||
        strspn(name, "0123456789-.") != n || name[n - 1] == '-' ||
        name[n - 1] == '.')
        return false;
    if (name[n] == ':') {
        /* The first slot is just the path: one place, one name. */
        const char *p = name + n + 1;
        size_t len = strspn(p, "0123456789");
        if (len == 0 || len > 2 || p[len] || *p == '0')
            return false;
        number = (unsigned)atoi(p);
        if (number >= CCID_SLOTS_MAX)
            return false;
    }
    memcpy(path, name, n);
    path[n] = 0;
    *slot = number;
    return true;
}

static struct port *port_at(struct ccid_readers *r, const char *path)
{
    struct port *p = r->ports;

    while (p && strcmp(p->path, path) != 0)
        p = p->next;
    return p;
}

static struct port *port_make(struct ccid_readers *r, const char *path)
{
    struct port *p = port_at(r, path);

    if (p || !(p = calloc(1, sizeof *p)))
        return p;
    snprintf(p->path, sizeof p->path, "%s", path);
    p->next = r->ports;
    r->ports = p;
    return p;
}

/* With the lock held. d: NULL: of what was there last. */
static void place_tell(const struct port *p, const struct ccid_device *d,
                       unsigned slot, struct ccid_place *out)
{
    *out = d ? d->told : p->told;
    out->slot = slot;
    snprintf(out->path, sizeof out->path, "%s", p->path);
    snprintf(out->name, sizeof out->name, "%s", p->path);
    if (slot)
        snprintf(out->name + strlen(out->name), 4, ":%u", slot % CCID_SLOTS_MAX);
    out->ceiling = p->slots[slot].ceiling;
    out->fidi = p->slots[slot].fidi;
    out->state = d ? d->state : CCID_PLACE_GONE;
    if (out->state == CCID_PLACE_EMPTY && d->card[slot])
        out->state = CCID_PLACE_CARD;
    if (out->state == CCID_PLACE_PARKED)
        memcpy(out->reason, d->reason, sizeof out->reason);
}

/* --- events ---------------------------------------------------------------------- */

static void emit(struct ccid_readers *r, enum ccid_event_kind kind,
                 const struct ccid_place *place)
{
    const struct ccid_place_event ev = { kind, place };

    if (!r->options.event)
        return;
    pthread_mutex_lock(&r->event_lock);
    r->options.event(r->options.ctx, &ev);
    pthread_mutex_unlock(&r->event_lock);
}

static void emit_slot(struct ccid_device *d, enum ccid_event_kind kind,
                      unsigned slot)
{
    struct ccid_place place;

    pthread_mutex_lock(&d->readers->lock);
    place_tell(d->port, d, slot, &place);
    pthread_mutex_unlock(&d->readers->lock);
    if (kind == CCID_EVENT_GONE)
        place.state = CCID_PLACE_GONE;
    emit(d->readers, kind, &place);
}

/* Of all that appeared, or of the device as a whole. */
static void emit_all(struct ccid_device *d, enum ccid_event_kind kind)
{
    for (unsigned i = 0; i == 0 || (d->appeared && i < d->slots); i++)
        emit_slot(d, kind, i);
}

/* --- devices ----------------------------------------------------------------------- */

/* With the lock held. */
static bool device_unref_locked(struct ccid_device *d)
{
    return --d->refs == 0;
}

static void device_free(struct ccid_device *d)
{
    for (unsigned i = 0; i < d->interfaces; i++)
        ccid_reader_free(d->reader[i]);
    pthread_cond_destroy(&d->woken_up);
    free(d);
}

static void device_unref(struct ccid_device *d)
{
    pthread_mutex_lock(&d->readers->lock);
    bool last = device_unref_locked(d);
    pthread_mutex_unlock(&d->readers->lock);
    if (last)
        device_free(d);
}

/* With a reader's lock held. */
static void wake(void *ctx)
{
    struct ccid_device *d = ctx;

    pthread_mutex_lock(&d->readers->lock);
    d->woken = true;
    pthread_cond_signal(&d->woken_up);
    pthread_mutex_unlock(&d->readers->lock);
}

static void init_cond(pthread_cond_t *c)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(c, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static int add_interface(struct ccid_device *d, const struct usb_interface *i,
                         char *verdict, size_t cap, struct err *e)
{
    struct ccid_profile p;
    char text[CCID_REASON_MAX + 1];
    size_t n = strlen(verdict);

    if (ccid_descriptor_judge(i, &p, e) != 0)
        return -1;
    if (d->interfaces == INTERFACES_MAX || d->slots + p.slots > CCID_SLOTS_MAX)
        return err_set(e, ERR_LIMIT, "it has more than %d slots; replace it",
                       CCID_SLOTS_MAX);
    if (ccid_reader_new(&p, wake, d, &d->reader[d->interfaces], e) != 0)
        return -1;
    d->first[d->interfaces++] = d->slots;
    d->slots += p.slots;
    ccid_descriptor_text(&p, text, sizeof text);
    snprintf(verdict + n, cap - n, "%s%s%s%s", n ? "; and " : "", text,
             p.notes[0] ? "; " : "", p.notes);
    return 0;
}

static void device_judge(struct ccid_device *d, const struct usb_device *u)
{
    struct ccid_place *told = &d->told;
    struct err e = ERR_INIT, first = ERR_INIT;

    told->vendor = u->vendor;
    told->product = u->product;

    for (size_t i = 0; i < u->interface_count; i++) {
        if (!ccid_descriptor_is_reader(&u->interfaces[i]))
            continue;
        if (add_interface(d, &u->interfaces[i], told->verdict,
                          sizeof told->verdict, &e) != 0 &&
            first.code == ERR_NONE)
            first = e;
    }
    if (d->interfaces == 0) {
        d->state = CCID_PLACE_PARKED;
        snprintf(d->reason, sizeof d->reason, "%.*s", CCID_REASON_MAX,
                 first.msg);
        snprintf(told->verdict, sizeof told->verdict, "refused");
    }
    told->slots = d->slots ? d->slots : 1;
}

static struct ccid_device *device_new(struct ccid_readers *r,
                                      struct port *port,
                                      const struct usb_device *u)
{
    struct ccid_device *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->readers = r;
    d->port = port;
    d->refs = 1;
    d->state = CCID_PLACE_OPENING;
    init_cond(&d->woken_up);
    device_judge(d, u);
    return d;
}

/* --- the keeper ------------------------------------------------------------------------ */

static void set_state(struct ccid_device *d, enum ccid_place_state s,
                      const char *reason)
{
    struct ccid_readers *r = d->readers;

    pthread_mutex_lock(&r->lock);
    d->state = s;
    d->appeared |= s == CCID_PLACE_EMPTY;
    if (reason)
        snprintf(d->reason, sizeof d->reason, "%.*s", CCID_REASON_MAX, reason);
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

static void all_down(struct ccid_device *d, const char *why)
{
    for (unsigned i = 0; i < d->interfaces; i++)
        ccid_reader_down(d->reader[i], why);
}

static void close_device(struct ccid_device *d, const char *why)
{
    all_down(d, why);
    usb_close(d->usb);
    d->usb = NULL;
}

static void park(struct ccid_device *d, const char *reason)
{
    char why[CCID_REASON_MAX + 40];

    snprintf(why, sizeof why, "the reader is parked: %s", reason);
    close_device(d, why);
    set_state(d, CCID_PLACE_PARKED, reason);
    emit_all(d, CCID_EVENT_PARKED);
}

/* Its strings: for people only, so that a failure is none. */
static void read_strings(struct ccid_device *d)
{
    char maker[CCID_TEXT_MAX + 1] = "", model[CCID_TEXT_MAX + 1] = "";
    uint8_t desc[18];
    size_t n = 0;

    if (usb_control(d->usb, 0x80, 0x06, 0x0100, 0, desc, sizeof desc, &n,
                    STRING_MS, NULL) != 0 ||
        n != sizeof desc)
        return;
    usb_string(d->usb, desc[14], maker, sizeof maker);
    usb_string(d->usb, desc[15], model, sizeof model);
    pthread_mutex_lock(&d->readers->lock);
    memcpy(d->told.maker, maker, sizeof maker);
    memcpy(d->told.model, model, sizeof model);
    pthread_mutex_unlock(&d->readers->lock);
}

static int reset_device(struct ccid_device *d, struct err *e)
{
    for (unsigned i = 0; i < d->interfaces; i++)
        ccid_reader_suspend(d->reader[i]);
    if (usb_reset(d->usb, e) != 0)
        return err_wrap(e, "it fell silent and could not be reset");
    for (unsigned i = 0; i < d->interfaces; i++)
        if (ccid_reader_restart(d->reader[i], e) != 0)
            return err_wrap(e, "it fell silent, and a reset did not help");
    return 0;
}

static int open_device(struct ccid_device *d, struct err *e)
{
    struct err why = ERR_INIT;

    if (usb_open(d->readers->usb, d->port->path, &d->usb, e) != 0)
        return -1;
    read_strings(d);
    for (unsigned i = 0; i < d->interfaces; i++)
        if (ccid_reader_open(d->reader[i], d->usb, &why) != 0) {
            if (why.code != ERR_TIMEOUT)
                return err_set(e, why.code, "%s", why.msg);
            if (reset_device(d, e) != 0)
                return -1;
        }
    return 0;
}

static bool device_left(struct ccid_device *d)
{
    pthread_mutex_lock(&d->readers->lock);
    bool left = d->ended;
    pthread_mutex_unlock(&d->readers->lock);
    return left || (d->usb && usb_gone(d->usb));
}

static void tell_cards(struct ccid_device *d)
{
    for (unsigned i = 0; i < d->interfaces; i++)
        for (unsigned k = 0; k < ccid_reader_profile(d->reader[i])->slots; k++) {
            unsigned slot = d->first[i] + k;
            int now = ccid_reader_presence(d->reader[i], k);

            if (now < 0 || d->card[slot] == (now == 1))
                continue;
            pthread_mutex_lock(&d->readers->lock);
            d->card[slot] = now == 1;
            pthread_mutex_unlock(&d->readers->lock);
            emit_slot(d, now ? CCID_EVENT_CARD_IN : CCID_EVENT_CARD_OUT, slot);
        }
}

/* False: parked. */
static bool tend(struct ccid_device *d, int *next_ms)
{
    *next_ms = -1;
    for (unsigned i = 0; i < d->interfaces; i++) {
        struct err e = ERR_INIT;
        int next = -1;
        enum ccid_tend t = ccid_reader_tend(d->reader[i], &next, &e);

        if (t == CCID_TEND_RESET && reset_device(d, &e) != 0)
            t = CCID_TEND_PARK;
        if (t == CCID_TEND_PARK && !device_left(d)) {
            park(d, e.msg);
            return false;
        }
        if (t == CCID_TEND_RESET)
            next = 0;
        if (next >= 0 && (*next_ms < 0 || next < *next_ms))
            *next_ms = next;
    }
    tell_cards(d);
    return true;
}

/* Until woken, ended (false), or next_ms have passed. */
static bool sleep_until_woken(struct ccid_device *d, int next_ms)
{
    int64_t until = clock_monotonic_ms() + (next_ms > 0 ? next_ms : 0);
    const struct timespec t = { .tv_sec = (time_t)(until / 1000),
                                .tv_nsec = (long)(until % 1000) * 1000000 };
    int late = next_ms == 0 ? ETIMEDOUT : 0;

    pthread_mutex_lock(&d->readers->lock);
    while (!d->woken && !d->ended && late != ETIMEDOUT)
        late = next_ms < 0
                   ? pthread_cond_wait(&d->woken_up, &d->readers->lock)
                   : pthread_cond_timedwait(&d->woken_up, &d->readers->lock, &t);
    d->woken = false;
    bool on = !d->ended;
    pthread_mutex_unlock(&d->readers->lock);
    return on;
}

static void live(struct ccid_device *d)
{
    struct err e = ERR_INIT;
    bool up = false;
    int next_ms;

    if (d->state == CCID_PLACE_PARKED) {
        emit_all(d, CCID_EVENT_PARKED);
    } else if (open_device(d, &e) != 0) {
        if (!device_left(d))
            park(d, e.msg);
    } else {
        up = true;
        set_state(d, CCID_PLACE_EMPTY, NULL);
        emit_all(d, CCID_EVENT_APPEARED);
    }
    do
        if (!up || !(up = tend(d, &next_ms)))
            next_ms = -1;
    while (sleep_until_woken(d, next_ms));
}

static bool wait_for_usb(struct ccid_device *d)
{
    struct ccid_readers *r = d->readers;

    pthread_mutex_lock(&r->lock);
    while (!r->usb && !r->stopped && !d->ended)
        pthread_cond_wait(&r->changed, &r->lock);
    bool on = r->usb && !d->ended;
    pthread_mutex_unlock(&r->lock);
    return on;
}

static void *keep(void *arg)
{
    struct ccid_device *d = arg;
    char name[16]; /* for top and gdb */

    snprintf(name, sizeof name, "ccid %.10s", d->port->path);
    pthread_setname_np(pthread_self(), name);
    if (d->before) {
        pthread_join(d->before->thread, NULL);
        device_unref(d->before);
    }
    if (wait_for_usb(d)) {
        live(d);
        close_device(d, "the reader was unplugged; plug it in and scan the "
                        "unit again");
        if (d->appeared || d->state == CCID_PLACE_PARKED)
            emit_all(d, CCID_EVENT_GONE);
    }
    device_unref(d);
    return NULL;
}

/* --- come and go ------------------------------------------------------------------------ */

bool ccid_readers_is_reader(const struct usb_device *d)
{
    for (size_t i = 0; i < d->interface_count; i++)
        if (ccid_descriptor_is_reader(&d->interfaces[i]))
            return true;
    return false;
}

/* With the lock held. A device that is not ours has no thread. */
static void device_start(struct ccid_device *d)
{
    struct port *p = d->port;

    d->before = p->last;
    p->last = NULL;
    d->refs += 2; /* the thread's, and p->last's */
    p->last = d;
    if (pthread_create(&d->thread, NULL, keep, d) == 0)
        return;
    p->last = d->before;
    d->before = NULL;
    d->refs -= 2;
    d->state = CCID_PLACE_PARKED;
    snprintf(d->reason, sizeof d->reason,
             "the station has no memory for another reader; plug it in anew");
}

static void come(struct ccid_readers *r, const struct usb_device *u)
{
    bool ours = !r->options.allow || r->options.allow(r->options.ctx, u->path);

    pthread_mutex_lock(&r->lock);
    struct port *p = r->stopped ? NULL : port_make(r, u->path);
    if (p && !p->here) {
        p->here = device_new(r, p, u);
        if (p->here && ours)
            device_start(p->here);
        else if (p->here)
            p->here->state = CCID_PLACE_NOT_OURS;
    }
    pthread_mutex_unlock(&r->lock);
}

/* With the lock held. Whoever gets it unrefs it. */
static struct ccid_device *take_away(struct port *p)
{
    struct ccid_device *d = p->here;

    p->here = NULL;
    if (d) {
        d->ended = true;
        p->told = d->told;
        p->appeared = d->appeared;
        pthread_cond_signal(&d->woken_up);
        pthread_cond_broadcast(&d->readers->changed);
    }
    return d;
}

static void go(struct ccid_readers *r, const char *path)
{
    pthread_mutex_lock(&r->lock);
    struct port *p = port_at(r, path);
    struct ccid_device *d = p ? take_away(p) : NULL;
    pthread_mutex_unlock(&r->lock);
    if (!d)
        return;
    all_down(d, "the reader was unplugged; plug it in and scan the unit again");
    device_unref(d);
}

void ccid_readers_changed(void *readers, const struct usb_device *d, bool here)
{
    if (!here)
        go(readers, d->path);
    else if (ccid_readers_is_reader(d))
        come(readers, d);
}

int ccid_readers_new(const struct ccid_readers_options *o,
                     struct ccid_readers **out, struct err *e)
{
    struct ccid_readers *r = calloc(1, sizeof *r);

    if (!r)
        return err_set(e, ERR_NOMEM, "no memory for readers");
    if (o)
        r->options = *o;
    pthread_mutex_init(&r->lock, NULL);
    pthread_mutex_init(&r->event_lock, NULL);
    init_cond(&r->changed);
    *out = r;
    return 0;
}

void ccid_readers_start(struct ccid_readers *r, struct usb *usb)
{
    pthread_mutex_lock(&r->lock);
    r->usb = usb;
    pthread_cond_broadcast(&r->changed);
    pthread_mutex_unlock(&r->lock);
}

/* One port: its device ends, its thread is joined. */
static void stop_port(struct ccid_readers *r, struct port *p)
{
    pthread_mutex_lock(&r->lock);
    struct ccid_device *d = take_away(p), *last = p->last;
    p->last = NULL;
    pthread_mutex_unlock(&r->lock);
    if (d) {
        all_down(d, "the station stops");
        device_unref(d);
    }
    if (last) {
        pthread_join(last->thread, NULL);
        device_unref(last);
    }
}

void ccid_readers_stop(struct ccid_readers *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopped = true; /* no port is added any more */
    pthread_cond_broadcast(&r->changed);
    struct port *p = r->ports;
    pthread_mutex_unlock(&r->lock);
    for (; p; p = p->next)
        stop_port(r, p);
}

void ccid_readers_free(struct ccid_readers *r)
{
    if (!r)
        return;
    while (r->ports) {
        struct port *p = r->ports;
        r->ports = p->next;
        free(p);
    }
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->event_lock);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* --- the list --------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct ccid_place *x = a, *y = b;

    return strverscmp(x->name, y->name);
}

static unsigned places_of(const struct port *p)
{
    bool whole = p->here ? p->here->appeared : p->appeared;
    unsigned slots = p->here ? p->here->told.slots : p->told.slots;

    return whole && slots ? slots : 1;
}

int ccid_readers_list(struct ccid_readers *r, struct ccid_place **out,
                      size_t *n, struct err *e)
{
    size_t count = 0, k = 0;

    pthread_mutex_lock(&r->lock);
    for (struct port *p = r->ports; p; p = p->next)
        count += places_of(p);
    struct ccid_place *v = calloc(count ? count : 1, sizeof *v);
    for (struct port *p = v ? r->ports : NULL; p; p = p->next)
        for (unsigned i = 0, m = places_of(p); i < m; i++)
            place_tell(p, p->here, i, &v[k++]);
    pthread_mutex_unlock(&r->lock);
    if (!v)
        return err_set(e, ERR_NOMEM, "no memory for the list of readers");
    qsort(v, k, sizeof *v, by_name);
    *out = v;
    *n = k;
    return 0;
}

/* --- for slot.c --------------------------------------------------------------------------- */

static int check_locked(struct ccid_readers *r, const char *path,
                        unsigned slot, struct ccid_device **out,
                        struct err *e)
{
    struct port *p = port_at(r, path);
    struct ccid_device *d = p ? p->here : NULL;

    if (!d || r->stopped)
        return err_set(e, ERR_NOT_FOUND,
                       "no reader is plugged in at %s; plug one in there", path);
    if (d->state == CCID_PLACE_PARKED)
        return err_set(e, ERR_WRONG_STATE, "the reader at %s is parked: %s",
                       path, d->reason);
    if (d->state == CCID_PLACE_NOT_OURS)
        return err_set(e, ERR_WRONG_STATE,
                       "what is plugged in at %s is not ours; allow that place "
                       "first",
                       path);
    if (slot >= d->slots)
        return err_set(e, ERR_NOT_FOUND,
                       "the reader at %s has %u slots and no slot %u", path,
                       d->slots, slot);
    *out = d;
    return 0;
}

int ccid_place_check(struct ccid_readers *r, const char *path, unsigned slot,
                     struct err *e)
{
    struct ccid_device *d;

    pthread_mutex_lock(&r->lock);
    int result = check_locked(r, path, slot, &d, e);
    pthread_mutex_unlock(&r->lock);
    return result;
}

int ccid_place_hold(struct ccid_readers *r, const char *path, unsigned slot,
                    int64_t limit, struct ccid_hold *out, struct err *e)
{
    const struct timespec t = { .tv_sec = (time_t)(limit / 1000),
                                .tv_nsec = (long)(limit % 1000) * 1000000 };
    struct ccid_device *d;
    struct err why = ERR_INIT;
    int result, late = 0;

    pthread_mutex_lock(&r->lock);
    while ((result = check_locked(r, path, slot, &d, &why)) == 0 &&
           d->state == CCID_PLACE_OPENING && late != ETIMEDOUT)
        late = pthread_cond_timedwait(&r->changed, &r->lock, &t);
    if (result == 0 && d->state == CCID_PLACE_OPENING)
        result = err_set(&why, ERR_NO_CARD,
                         "the reader at %s is still being opened; try again",
                         path);
    if (result == 0) {
        unsigned i = d->interfaces - 1;
        while (d->first[i] > slot)
            i--;
        d->refs++;
        *out = (struct ccid_hold){ d, d->reader[i], slot - d->first[i] };
    }
    pthread_mutex_unlock(&r->lock);
    return result == 0 ? 0 : err_set(e, why.code, "%s", why.msg);
}

void ccid_place_release(struct ccid_hold *h)
{
    if (h->device)
        device_unref(h->device);
    *h = (struct ccid_hold){ NULL, NULL, 0 };
}

uint32_t ccid_place_ceiling(struct ccid_readers *r, const char *path,
                            unsigned slot)
{
    pthread_mutex_lock(&r->lock);
    struct port *p = port_at(r, path);
    uint32_t bps = p ? p->slots[slot].ceiling_bps : 0;
    pthread_mutex_unlock(&r->lock);
    return bps;
}

void ccid_place_step_down(struct ccid_readers *r, const char *path,
                          unsigned slot, uint8_t fidi, uint32_t bps)
{
    struct ccid_place place;

    pthread_mutex_lock(&r->lock);
    struct port *p = port_at(r, path);
    if (p) {
        p->slots[slot].ceiling = fidi;
        p->slots[slot].ceiling_bps = bps;
        place_tell(p, p->here, slot, &place);
    }
    pthread_mutex_unlock(&r->lock);
    if (p)
        emit(r, CCID_EVENT_STEPPED_DOWN, &place);
}

void ccid_place_speed(struct ccid_readers *r, const char *path, unsigned slot,
                      uint8_t fidi)
{
    pthread_mutex_lock(&r->lock);
    struct port *p = port_at(r, path);
    if (p)
        p->slots[slot].fidi = fidi;
    pthread_mutex_unlock(&r->lock);
}
