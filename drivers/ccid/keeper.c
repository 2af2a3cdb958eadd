/* One device: its readers, and the thread that opens, mends and closes it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ccid/fleet.h"
#include "station/base/clock.h"

#define STRING_MS 1000

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

void ccid_device_unref(struct ccid_device *d)
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

void ccid_init_cond(pthread_cond_t *c)
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
    if (d->interfaces == CCID_INTERFACES_MAX || d->slots + p.slots > CCID_SLOTS_MAX)
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

struct ccid_device *ccid_device_new(struct ccid_readers *r,
                                      struct ccid_port *port,
                                      const struct usb_device *u)
{
    struct ccid_device *d = calloc(1, sizeof *d);

    if (!d)
        return NULL;
    d->readers = r;
    d->port = port;
    d->refs = 1;
    d->state = CCID_PLACE_OPENING;
    ccid_init_cond(&d->woken_up);
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

void ccid_device_down(struct ccid_device *d, const char *why)
{
    for (unsigned i = 0; i < d->interfaces; i++)
        ccid_reader_down(d->reader[i], why);
}

static void close_device(struct ccid_device *d, const char *why)
{
    ccid_device_down(d, why);
    usb_close(d->usb);
    d->usb = NULL;
}

/* Of all that appeared, or of the device as a whole. */
static void emit_all(struct ccid_device *d, enum ccid_event_kind kind)
{
    for (unsigned i = 0; i == 0 || (d->appeared && i < d->slots); i++)
        ccid_emit_slot(d, kind, i);
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
            ccid_emit_slot(d, now ? CCID_EVENT_CARD_IN : CCID_EVENT_CARD_OUT, slot);
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

void *ccid_device_keep(void *arg)
{
    struct ccid_device *d = arg;
    char name[16]; /* for top and gdb */

    snprintf(name, sizeof name, "ccid %.10s", d->port->path);
    pthread_setname_np(pthread_self(), name);
    if (d->before) {
        pthread_join(d->before->thread, NULL);
        ccid_device_unref(d->before);
    }
    if (wait_for_usb(d)) {
        live(d);
        close_device(d, "the reader was unplugged; plug it in and scan the "
                        "unit again");
        if (d->appeared || d->state == CCID_PLACE_PARKED)
            emit_all(d, CCID_EVENT_GONE);
    }
    ccid_device_unref(d);
    return NULL;
}
