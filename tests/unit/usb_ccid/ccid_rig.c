#include "tests/unit/usb_ccid/ccid_rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "station/base/clock.h"
#include "tests/lab/puppet.h"

#define THINGS 64
#define LOG_MAX 512

struct rig {
    struct lab_bus *bus;
    struct usb *usb;
    struct ccid_readers *readers;
    const char *not_ours;
    struct lab_usb_device *models[THINGS];
    struct fixture *cards[THINGS];
    size_t model_count, card_count;
    pthread_mutex_t lock;
    struct { enum ccid_event_kind kind; char name[CCID_PLACE_MAX + 1]; } log[LOG_MAX];
    size_t logged;
};

static bool allow(void *ctx, const char *path)
{
    struct rig *r = ctx;

    return !r->not_ours || strcmp(path, r->not_ours) != 0;
}

static void event(void *ctx, const struct ccid_place_event *ev)
{
    struct rig *r = ctx;

    pthread_mutex_lock(&r->lock);
    if (r->logged < LOG_MAX) {
        r->log[r->logged].kind = ev->kind;
        memcpy(r->log[r->logged++].name, ev->place->name, CCID_PLACE_MAX + 1);
    }
    pthread_mutex_unlock(&r->lock);
}

struct rig *rig_start(const char *not_ours)
{
    struct rig *r = calloc(1, sizeof *r);
    const struct ccid_readers_options o = { allow, event, r };
    struct err e = ERR_INIT;

    ck_assert_ptr_nonnull(r);
    r->not_ours = not_ours;
    pthread_mutex_init(&r->lock, NULL);
    OK(lab_bus_new(&r->bus, &e), e);
    OK(inprocess_start(r->bus, &e), e);
    OK(ccid_readers_new(&o, &r->readers, &e), e);
    OK(usb_start(ccid_readers_changed, r->readers, &r->usb, &e), e);
    ccid_readers_start(r->readers, r->usb);
    return r;
}

void rig_stop(struct rig *r)
{
    ccid_readers_stop(r->readers);
    usb_stop(r->usb);
    ccid_readers_free(r->readers);
    inprocess_stop();
    lab_bus_free(r->bus);
    for (size_t i = 0; i < r->model_count; i++)
        r->models[i]->ops->free(r->models[i]);
    for (size_t i = 0; i < r->card_count; i++)
        r->cards[i]->ops->close(r->cards[i]);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

struct lab_bus *rig_bus(struct rig *r)
{
    return r->bus;
}

struct ccid_readers *rig_readers(struct rig *r)
{
    return r->readers;
}

void rig_plug_again(struct rig *r, const char *path, struct lab_usb_device *d)
{
    struct err e = ERR_INIT;

    OK(lab_bus_plug(r->bus, path, d, &e), e);
}

struct lab_usb_device *rig_plug(struct rig *r, const char *path,
                                const struct ccid_model_options *o)
{
    struct lab_usb_device *d;
    struct err e = ERR_INIT;

    ck_assert_uint_lt(r->model_count, THINGS);
    OK(ccid_model_new(o, &d, &e), e);
    r->models[r->model_count++] = d;
    rig_plug_again(r, path, d);
    return d;
}

void rig_unplug(struct rig *r, const char *path)
{
    ck_assert_uint_ge(lab_bus_unplug(r->bus, path), 1);
}

static uint16_t echo(void *ctx, struct span chain, struct buf *data)
{
    (void)ctx;
    buf_put_span(data, chain);
    return 0x9000;
}

struct fixture *rig_card(struct rig *r, struct lab_usb_device *d, unsigned slot,
                         const struct ccid_card *o)
{
    /* Over T=0 an answer to a command with data can only be fetched. */
    const struct puppet_rules rules = { .answer = echo,
                                        .by_get_response = !o->no_t0 && !o->t1_first };
    struct err e = ERR_INIT;
    struct fixture *card;

    ck_assert_uint_lt(r->card_count, THINGS);
    OK(puppet_new(&rules, &card, &e), e);
    r->cards[r->card_count++] = card;
    OK(ccid_model_insert(d, slot, card, o, &e), e);
    return card;
}

static bool look(struct rig *r, const char *name, struct ccid_place *out)
{
    struct ccid_place *v;
    struct err e = ERR_INIT;
    bool found = false;
    size_t n;

    OK(ccid_readers_list(r->readers, &v, &n, &e), e);
    for (size_t i = 0; i < n && !found; i++)
        if (strcmp(v[i].name, name) == 0) {
            *out = v[i];
            found = true;
        }
    free(v);
    return found;
}

void rig_await(struct rig *r, const char *name, enum ccid_place_state s,
               struct ccid_place *out)
{
    int64_t until = clock_monotonic_ms() + RIG_WAIT_MS;
    const struct timespec nap = { .tv_nsec = 1000000 };
    struct ccid_place p = { .path = "" };

    while (!look(r, name, &p) || p.state != s) {
        ck_assert_msg(clock_monotonic_ms() < until, "%s is %s (%s), not %s", name,
                      p.path[0] ? ccid_place_state_text(p.state) : "unknown", p.reason,
                      ccid_place_state_text(s));
        nanosleep(&nap, NULL);
    }
    if (out)
        *out = p;
}

unsigned rig_events(struct rig *r, enum ccid_event_kind kind, const char *name)
{
    unsigned n = 0;

    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->logged; i++)
        n += r->log[i].kind == kind && (!name || strcmp(r->log[i].name, name) == 0);
    pthread_mutex_unlock(&r->lock);
    return n;
}

void rig_await_events(struct rig *r, enum ccid_event_kind kind, const char *name,
                      unsigned n)
{
    int64_t until = clock_monotonic_ms() + RIG_WAIT_MS;
    const struct timespec nap = { .tv_nsec = 1000000 };

    while (rig_events(r, kind, name) < n && clock_monotonic_ms() < until)
        nanosleep(&nap, NULL);
    ck_assert_uint_eq(rig_events(r, kind, name), n);
}

struct fixture *rig_open(struct rig *r, const char *name)
{
    struct fixture *f = NULL;
    struct err e = ERR_INIT;

    OK(fixture_ccid.open(r->readers, name, &f, &e), e);
    return f;
}

int rig_exchange(struct fixture *f, int timeout_ms, struct err *e)
{
    static const uint8_t manage_channel[] = { 0x00, 0x70, 0x00, 0x00, 0x01 };
    AUTO(buf_clear) struct buf b = BUF_INIT;

    if (f->ops->transmit(f, SPAN_ARRAY(manage_channel), &b, timeout_ms, e) != 0)
        return -1;
    ck_assert_uint_eq(b.n, 3);
    ck_assert_uint_eq(b.p[0], 1);
    ck_assert_uint_eq(b.p[1], 0x90);
    return 0;
}

int rig_main(Suite *s)
{
    const char *why = lab_bus_cannot();
    struct err e = ERR_INIT;

    if (why) {
        printf("SKIP: %s\n", why);
        return 77;
    }
    if (lab_bus_enter(&e) != 0) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
