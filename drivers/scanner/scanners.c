#include "drivers/scanner/scanners.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "drivers/scanner/scanners_inner.h"

#define CLASS_HID 3
#define SUBCLASS_BOOT 1
#define PROTOCOL_KEYBOARD 1

const char *scanners_state_name(enum scanners_state s)
{
    static const char *const names[SCANNERS_STATES] = {
        [SCANNERS_OPENING] = "opening", [SCANNERS_READY] = "ready",
        [SCANNERS_PARKED] = "parked", [SCANNERS_CANDIDATE] = "candidate",
        [SCANNERS_NOT_OURS] = "not-ours", [SCANNERS_GONE] = "gone",
    };

    return s < SCANNERS_STATES ? names[s] : "?";
}

/* --- places ------------------------------------------------------------------------ */

static struct place *find_place(struct scanners *s, const char *path)
{
    struct place *p = s->places;

    while (p && strcmp(p->pub.path, path) != 0)
        p = p->next;
    return p;
}

static struct place *add_place(struct scanners *s, const char *path)
{
    struct place *p = calloc(1, sizeof *p), **at = &s->places;

    if (!p)
        return NULL; /* no scanner there; the station has worse to worry about */
    p->all = s;
    snprintf(p->pub.path, sizeof p->pub.path, "%s", path);
    p->pub.state = SCANNERS_GONE;
    while (*at && strcmp((*at)->pub.path, path) < 0)
        at = &(*at)->next;
    p->next = *at;
    *at = p;
    return p;
}

static void look_at(const struct usb_device *d, bool *boot_keyboard, bool *plain_hid,
                    bool *hid)
{
    *boot_keyboard = *plain_hid = *hid = false;
    for (size_t i = 0; i < d->interface_count; i++) {
        const struct usb_interface *x = &d->interfaces[i];

        if (x->class_code != CLASS_HID)
            continue;
        *hid = true;
        if (x->subclass != SUBCLASS_BOOT)
            *plain_hid = true;
        else if (x->protocol == PROTOCOL_KEYBOARD)
            *boot_keyboard = true;
    }
}

void scanners_changed(struct scanners *s, const struct usb_device *d, bool here)
{
    bool boot_keyboard, plain_hid, hid;

    look_at(d, &boot_keyboard, &plain_hid, &hid);
    pthread_mutex_lock(&s->lock);
    struct place *p = find_place(s, d->path);
    if (!p && here && hid)
        p = add_place(s, d->path);
    if (p) {
        /* Something else than a HID device at a known place is not there. */
        p->here = here && hid;
        p->boot_keyboard = boot_keyboard;
        p->plain_hid = plain_hid;
        p->news++;
        if (p->here) {
            p->pub.vendor = d->vendor;
            p->pub.product = d->product;
        }
        pthread_cond_signal(&s->keep);
    }
    pthread_mutex_unlock(&s->lock);
}

void scanners_again(struct scanners *s, const char *place)
{
    pthread_mutex_lock(&s->lock);
    struct place *p = find_place(s, place);
    if (p && p->here) {
        p->news++;
        pthread_cond_signal(&s->keep);
    }
    pthread_mutex_unlock(&s->lock);
}

size_t scanners_list(struct scanners *s, struct scanners_place *out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&s->lock);
    for (struct place *p = s->places; p; p = p->next) {
        /* What was never ours is of no interest once it is gone. */
        if (p->pub.state == SCANNERS_GONE && !p->pub.bound &&
            p->pub.kind == HID_NEITHER)
            continue;
        if (n < max)
            out[n] = p->pub;
        n++;
    }
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* --- the keeper: opens, tends, closes ------------------------------------------------- */

static void attend(void *ctx)
{
    struct place *p = ctx;

    pthread_mutex_lock(&p->all->lock);
    p->attend = true;
    p->all->woken = true;
    pthread_cond_signal(&p->all->keep);
    pthread_cond_signal(&p->all->take);
    pthread_mutex_unlock(&p->all->lock);
}

/* What is found out of a place without the lock, and then published. */
struct finding {
    enum scanners_state state;
    enum hid_kind kind;
    bool bound;
    struct scanner *scanner;
    struct err why;
};

static void open_it(struct scanners *s, struct place *p,
                    const struct scanner_settings *settings, struct finding *f)
{
    const struct scanner_options o = {
        .settings = *settings, .keyboard = f->bound,
        .scan = deliver_queue, .attend = attend, .ctx = p,
    };
    int r = scanner_open(s->usb, p->pub.path, &o, &f->scanner, &f->why);

    if (r == 0) {
        r = scanner_start(f->scanner, &f->why);
        f->kind = scanner_kind(f->scanner);
    }
    if (r == 0) {
        f->state = SCANNERS_READY;
        return;
    }
    f->state = SCANNERS_PARKED;
    if (f->bound || f->kind == HID_POS)
        return;
    /* It is not known to be ours: give it back. */
    scanner_close(f->scanner);
    f->scanner = NULL;
    f->state = f->kind == HID_KEYBOARD ? SCANNERS_CANDIDATE : SCANNERS_NOT_OURS;
}

static void judge(struct scanners *s, struct place *p, bool boot_keyboard,
                  bool plain_hid, struct finding *f)
{
    struct scanner_settings settings = { 0 };
    enum scanners_allow allow = SCANNERS_UNTOLD;

    if (s->o.allow)
        allow = s->o.allow(s->o.ctx, p->pub.path, &settings);
    f->bound = allow == SCANNERS_BOUND;
    f->state = SCANNERS_NOT_OURS;
    if (allow == SCANNERS_NEVER) {
        err_set(&f->why, ERR_NONE, "the station was told that it is not ours");
    } else if (f->bound || plain_hid) {
        open_it(s, p, &settings, f);
    } else if (!boot_keyboard) {
        err_set(&f->why, ERR_NONE, "it is a mouse or the like");
    }
    if (f->state == SCANNERS_NOT_OURS && allow == SCANNERS_UNTOLD && boot_keyboard) {
        f->state = SCANNERS_CANDIDATE;
        f->kind = HID_KEYBOARD;
    }
    if (f->state == SCANNERS_CANDIDATE)
        err_set(&f->why, ERR_NONE,
                "it looks like a keyboard or a scanner; if it is a scanner, bind "
                "it: lineside fixtures scanner %s", p->pub.path);
}

static void tell(struct scanners *s, struct place *p)
{
    pthread_mutex_unlock(&s->lock);
    if (s->o.changed)
        s->o.changed(s->o.ctx, p->pub.path);
    pthread_mutex_lock(&s->lock);
}

/* With the lock held. Nobody is inside the scanner any more. */
static struct scanner *take_scanner(struct scanners *s, struct place *p)
{
    struct scanner *scanner = p->scanner;

    p->scanner = NULL;
    while (p->users > 0)
        pthread_cond_wait(&s->keep, &s->lock);
    return scanner;
}

static void renew(struct scanners *s, struct place *p)
{
    struct finding f = { .state = SCANNERS_GONE, .why = ERR_INIT };
    struct scanner *old = take_scanner(s, p);
    bool here = p->here && !s->stopping;
    bool boot_keyboard = p->boot_keyboard, plain_hid = p->plain_hid;

    p->judged = p->news;
    p->attend = false;
    if (here)
        p->pub.state = SCANNERS_OPENING;
    pthread_mutex_unlock(&s->lock);
    scanner_close(old);
    if (here)
        judge(s, p, boot_keyboard, plain_hid, &f);
    pthread_mutex_lock(&s->lock);
    p->scanner = f.scanner;
    p->pub.state = f.state;
    if (here) {
        p->pub.kind = f.kind;
        p->pub.bound = f.bound;
        snprintf(p->pub.name, sizeof p->pub.name, "%s",
                 f.scanner ? scanner_name(f.scanner) : "");
        snprintf(p->pub.why, sizeof p->pub.why, "%s",
                 f.state == SCANNERS_READY ? "" : f.why.msg);
    } else {
        snprintf(p->pub.why, sizeof p->pub.why, "it is unplugged");
    }
    s->woken = true; /* a scanner more to look after */
    pthread_cond_signal(&s->take);
    tell(s, p);
}

static void tend(struct scanners *s, struct place *p)
{
    struct scanner *scanner = p->scanner;
    struct err e = ERR_INIT;

    p->attend = false;
    if (!scanner || p->pub.state != SCANNERS_READY)
        return;
    pthread_mutex_unlock(&s->lock);
    int r = scanner_tend(scanner, &e); /* only this thread closes it */
    pthread_mutex_lock(&s->lock);
    if (r == 0)
        return;
    /* Kept claimed: parked, it must not type into anything. */
    p->pub.state = SCANNERS_PARKED;
    snprintf(p->pub.why, sizeof p->pub.why, "%s", e.msg);
    tell(s, p);
}

/* One thing to do, with the lock held. False: nothing. */
static bool keep_one(struct scanners *s)
{
    for (struct place *p = s->places; p; p = p->next) {
        if (p->judged != p->news)
            renew(s, p);
        else if (p->attend)
            tend(s, p);
        else
            continue;
        return true;
    }
    return false;
}

static void *keeper_main(void *arg)
{
    struct scanners *s = arg;

    pthread_mutex_lock(&s->lock);
    while (!s->stopping)
        if (!keep_one(s))
            pthread_cond_wait(&s->keep, &s->lock);
    for (struct place *p = s->places; p; p = p->next) {
        struct scanner *scanner = take_scanner(s, p);

        pthread_mutex_unlock(&s->lock);
        scanner_close(scanner);
        pthread_mutex_lock(&s->lock);
    }
    s->kept = true;
    pthread_cond_signal(&s->take);
    pthread_mutex_unlock(&s->lock);
    return NULL;
}

/* --- start and end --------------------------------------------------------------------- */

int scanners_new(const struct scanners_options *o, struct scanners **out,
                 struct err *e)
{
    struct scanners *s = calloc(1, sizeof *s);
    pthread_condattr_t monotonic;

    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for the scanners");
    s->o = *o;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->keep, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->take, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *out = s;
    return 0;
}

int scanners_run(struct scanners *s, struct usb *u, struct err *e)
{
    s->usb = u;
    if (pthread_create(&s->deliverer, NULL, deliver_main, s) != 0)
        return err_set(e, ERR_NOMEM, "cannot start a thread for the scanners");
    if (pthread_create(&s->keeper, NULL, keeper_main, s) != 0) {
        pthread_mutex_lock(&s->lock);
        s->kept = true;
        pthread_cond_signal(&s->take);
        pthread_mutex_unlock(&s->lock);
        pthread_join(s->deliverer, NULL);
        return err_set(e, ERR_NOMEM, "cannot start a thread for the scanners");
    }
    s->running = true;
    return 0;
}

static void stop(struct scanners *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->keep);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->keeper, NULL);
    pthread_join(s->deliverer, NULL);
}

void scanners_free(struct scanners *s)
{
    if (!s)
        return;
    if (s->running)
        stop(s);
    while (s->places) {
        struct place *p = s->places;

        s->places = p->next;
        free(p);
    }
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->keep);
    pthread_cond_destroy(&s->take);
    free(s);
}
