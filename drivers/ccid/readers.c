#include "drivers/ccid/readers.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "drivers/ccid/fleet.h"

/* --- events ---------------------------------------------------------------------- */

void ccid_emit(struct ccid_readers *r, enum ccid_event_kind kind,
                 const struct ccid_place *place)
{
    const struct ccid_place_event ev = { kind, place };

    if (!r->options.event)
        return;
    pthread_mutex_lock(&r->event_lock);
    r->options.event(r->options.ctx, &ev);
    pthread_mutex_unlock(&r->event_lock);
}

void ccid_emit_slot(struct ccid_device *d, enum ccid_event_kind kind,
                      unsigned slot)
{
    struct ccid_place place;

    pthread_mutex_lock(&d->readers->lock);
    ccid_port_tell(d->port, d, slot, &place);
    pthread_mutex_unlock(&d->readers->lock);
    if (kind == CCID_EVENT_GONE)
        place.state = CCID_PLACE_GONE;
    ccid_emit(d->readers, kind, &place);
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
    struct ccid_port *p = d->port;

    d->before = p->last;
    p->last = NULL;
    d->refs += 2; /* the thread's, and p->last's */
    p->last = d;
    if (pthread_create(&d->thread, NULL, ccid_device_keep, d) == 0)
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
    struct ccid_port *p = r->stopped ? NULL : ccid_port_make(r, u->path);
    if (p && !p->here) {
        p->here = ccid_device_new(r, p, u);
        if (p->here && ours)
            device_start(p->here);
        else if (p->here)
            p->here->state = CCID_PLACE_NOT_OURS;
    }
    pthread_mutex_unlock(&r->lock);
}

/* With the lock held. Whoever gets it unrefs it. */
static struct ccid_device *take_away(struct ccid_port *p)
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
    struct ccid_port *p = ccid_port_at(r, path);
    struct ccid_device *d = p ? take_away(p) : NULL;
    pthread_mutex_unlock(&r->lock);
    if (!d)
        return;
    ccid_device_down(d, "the reader was unplugged; plug it in and scan the unit again");
    ccid_device_unref(d);
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
    ccid_init_cond(&r->changed);
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
static void stop_port(struct ccid_readers *r, struct ccid_port *p)
{
    pthread_mutex_lock(&r->lock);
    struct ccid_device *d = take_away(p), *last = p->last;
    p->last = NULL;
    pthread_mutex_unlock(&r->lock);
    if (d) {
        ccid_device_down(d, "the station stops");
        ccid_device_unref(d);
    }
    if (last) {
        pthread_join(last->thread, NULL);
        ccid_device_unref(last);
    }
}

void ccid_readers_stop(struct ccid_readers *r)
{
    pthread_mutex_lock(&r->lock);
    r->stopped = true; /* no port is added any more */
    pthread_cond_broadcast(&r->changed);
    struct ccid_port *p = r->ports;
    pthread_mutex_unlock(&r->lock);
    for (; p; p = p->next)
        stop_port(r, p);
}

void ccid_readers_free(struct ccid_readers *r)
{
    if (!r)
        return;
    while (r->ports) {
        struct ccid_port *p = r->ports;
        r->ports = p->next;
        free(p);
    }
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->event_lock);
    pthread_mutex_destroy(&r->lock);
    free(r);
}
