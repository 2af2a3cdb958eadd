#include "drivers/ccid/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/ccid/fleet.h"
#include "station/base/clock.h"

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

struct ccid_port *ccid_port_at(struct ccid_readers *r, const char *path)
{
    struct ccid_port *p = r->ports;

    while (p && strcmp(p->path, path) != 0)
        p = p->next;
    return p;
}

struct ccid_port *ccid_port_make(struct ccid_readers *r, const char *path)
{
    struct ccid_port *p = ccid_port_at(r, path);

    if (p || !(p = calloc(1, sizeof *p)))
        return p;
    snprintf(p->path, sizeof p->path, "%s", path);
    p->next = r->ports;
    r->ports = p;
    return p;
}

/* With the lock held. d: NULL: of what was there last. */
void ccid_port_tell(const struct ccid_port *p, const struct ccid_device *d,
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

/* --- the list --------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
    const struct ccid_place *x = a, *y = b;

    return strverscmp(x->name, y->name);
}

static unsigned places_of(const struct ccid_port *p)
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
    for (struct ccid_port *p = r->ports; p; p = p->next)
        count += places_of(p);
    struct ccid_place *v = calloc(count ? count : 1, sizeof *v);
    for (struct ccid_port *p = v ? r->ports : NULL; p; p = p->next)
        for (unsigned i = 0, m = places_of(p); i < m; i++)
            ccid_port_tell(p, p->here, i, &v[k++]);
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
    struct ccid_port *p = ccid_port_at(r, path);
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
        ccid_device_unref(h->device);
    *h = (struct ccid_hold){ NULL, NULL, 0 };
}

uint32_t ccid_place_ceiling(struct ccid_readers *r, const char *path,
                            unsigned slot)
{
    pthread_mutex_lock(&r->lock);
    struct ccid_port *p = ccid_port_at(r, path);
    uint32_t bps = p ? p->slots[slot].ceiling_bps : 0;
    pthread_mutex_unlock(&r->lock);
    return bps;
}

void ccid_place_step_down(struct ccid_readers *r, const char *path,
                          unsigned slot, uint8_t fidi, uint32_t bps)
{
    struct ccid_place place;

    pthread_mutex_lock(&r->lock);
    struct ccid_port *p = ccid_port_at(r, path);
    if (p) {
        p->slots[slot].ceiling = fidi;
        p->slots[slot].ceiling_bps = bps;
        ccid_port_tell(p, p->here, slot, &place);
    }
    pthread_mutex_unlock(&r->lock);
    if (p)
        ccid_emit(r, CCID_EVENT_STEPPED_DOWN, &place);
}

void ccid_place_speed(struct ccid_readers *r, const char *path, unsigned slot,
                      uint8_t fidi)
{
    pthread_mutex_lock(&r->lock);
    struct ccid_port *p = ccid_port_at(r, path);
    if (p)
        p->slots[slot].fidi = fidi;
    pthread_mutex_unlock(&r->lock);
}
