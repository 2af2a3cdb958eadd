/* drivers/usb: transfers, and how they end. */
#include <check.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "station/base/clock.h"
#include "tests/unit/support.h"
#include "tests/unit/usb/stand.h"

static struct stand s;
static struct lab_usb_device *parrot;
static struct usb_handle *h;

static void open_one(void)
{
    parrot = parrot_new(1);
    stand_open(&s);
    stand_plug(&s, "1-1", parrot);
    stand_start(&s);
    h = stand_take(&s, "1-1");
}

static void close_one(void)
{
    usb_close(h);
    stand_close(&s);
    parrot->ops->free(parrot);
}

/* --- control ------------------------------------------------------------------------- */

START_TEST(control_carries_data_both_ways)
{
    static const uint16_t sizes[] = { 0, 1, 8, 63, 64, 65, 255, 1024, 4096 };
    uint8_t out[4096], in[4096];
    struct err e = ERR_INIT;
    size_t got;

    open_one();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint16_t n = sizes[i];
        memset(out, (int)(i + 1), sizeof out);
        memset(in, 0, sizeof in);
        ck_assert_msg(usb_control(h, 0x40, PARROT_STORE, 0, 0, n ? out : NULL, n, &got,
                                  STAND_WAIT_MS, &e) == 0, "%s", e.msg);
        ck_assert_uint_eq(got, n);
        ck_assert_msg(usb_control(h, 0xc0, PARROT_FETCH, 0, 0, in, sizeof in, &got,
                                  STAND_WAIT_MS, &e) == 0, "%s", e.msg);
        ck_assert_uint_eq(got, n);
        ck_assert_int_eq(memcmp(in, out, n), 0);
    }
    ck_assert_int_eq(usb_control(h, 0xc0, PARROT_FETCH, 0, 0, in, 5, NULL,
                                 STAND_WAIT_MS, &e), 0);
    close_one();
}
END_TEST

START_TEST(control_that_fails)
{
    uint8_t in[8];
    struct err e = ERR_INIT;
    size_t got;

    open_one();
    ck_assert_int_eq(usb_control(h, 0xc0, PARROT_REFUSE, 0, 0, in, 8, &got,
                                 STAND_WAIT_MS, &e), -1);
    ck_assert_int_eq(e.code, ERR_IO);
    ck_assert_ptr_nonnull(strstr(e.msg, "refuses"));
    int64_t t0 = clock_monotonic_ms();
    ck_assert_int_eq(usb_control(h, 0xc0, PARROT_SILENCE, 0, 0, in, 8, &got, 100, &e), -1);
    ck_assert_int_eq(e.code, ERR_TIMEOUT);
    ck_assert_int_ge(clock_monotonic_ms() - t0, 90);
    ck_assert_int_eq(usb_control(h, 0xc0, PARROT_SILENCE, 0, 0, in, 8, &got, -5, &e), -1);
    ck_assert_int_eq(e.code, ERR_TIMEOUT);
    ck_assert_int_eq(usb_control(h, 0xc0, PARROT_FETCH, 0, 0, in, 8, &got,
                                 STAND_WAIT_MS, &e), 0);
    close_one();
}
END_TEST

/* --- bulk and interrupt ---------------------------------------------------------------- */

START_TEST(octets_come_back)
{
    /* Above 16 KiB libusb splits where the kernel cannot. */
    static const size_t sizes[] = { 0, 1, 10, 63, 64, 65, 128, 271, 512, 16384,
                                    16385, 40000, 65544 };

    open_one();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        stand_echo(h, sizes[i], (unsigned)i);
    close_one();
}
END_TEST

START_TEST(interrupt_brings_what_happens)
{
    uint8_t in[8];
    struct flight f;

    open_one();
    flight_init(&f, PARROT_INTERRUPT, in, sizeof in);
    for (unsigned i = 1; i <= 5; i++) {
        flight_start(&f, h);
        stand_request(h, PARROT_NOTIFY, 0, "\x50\x03", 2);
        ck_assert_int_eq(flight_await(&f, i), USB_DONE);
        ck_assert_uint_eq(f.actual, 2);
        ck_assert_uint_eq(in[0], 0x50);
    }
    flight_clear(&f);
    close_one();
}
END_TEST

static const struct {
    const char *name;
    enum lab_usb_status fault;
    enum usb_status status;
    size_t octets;
} end_rows[] = {
    { "stall", LAB_USB_STALL, USB_STALL, 0 },
    { "babble", LAB_USB_BABBLE, USB_OVERFLOW, 64 },
    { "broken", LAB_USB_BROKEN, USB_FAILED, 0 },
    { "short", LAB_USB_OK, USB_DONE, 3 },
    { "nothing", LAB_USB_OK, USB_DONE, 0 },
};

START_TEST(ends_are_told_apart)
{
    uint8_t in[64], octets[64] = { 1, 2, 3 };
    struct flight f;
    struct err e = ERR_INIT;

    open_one();
    flight_init(&f, PARROT_IN, in, sizeof in);
    flight_start(&f, h);
    stand_request(h, PARROT_FAULT, end_rows[_i].fault, octets, end_rows[_i].octets);
    ck_assert_msg(flight_await(&f, 1) == end_rows[_i].status, "%s: %s",
                  end_rows[_i].name, usb_status_text(f.status));
    if (f.status == USB_DONE)
        ck_assert_uint_eq(f.actual, end_rows[_i].octets);
    if (f.status == USB_STALL) { /* halted until cleared */
        flight_start(&f, h);
        ck_assert_int_eq(flight_await(&f, 2), USB_STALL);
        ck_assert_msg(usb_clear_halt(h, PARROT_IN, &e) == 0, "%s", e.msg);
    }
    stand_echo(h, 20, 5);
    flight_clear(&f);
    close_one();
}
END_TEST

/* Submits again from its done, as drivers do. */
struct relay {
    struct usb_transfer t;
    struct usb_handle *h;
    atomic_uint ends, refused;
    uint8_t in[8];
};

static void relay_done(struct usb_transfer *t, enum usb_status st, size_t actual)
{
    struct relay *r = t->ctx;

    (void)actual;
    atomic_fetch_add(&r->ends, 1);
    if (st == USB_DONE || st == USB_CANCELLED)
        if (usb_submit(r->h, t, NULL) != 0)
            atomic_fetch_add(&r->refused, 1);
}

static void relay_start(struct relay *r)
{
    *r = (struct relay){ .h = h, .t = { .endpoint = PARROT_INTERRUPT, .interrupt = true,
                                        .length = 8, .done = relay_done } };
    r->t.data = r->in;
    r->t.ctx = r;
    ck_assert_int_eq(usb_submit(h, &r->t, NULL), 0);
}

static void await_ends(struct relay *r, unsigned n)
{
    int64_t until = clock_monotonic_ms() + STAND_WAIT_MS;

    while (atomic_load(&r->ends) < n && clock_monotonic_ms() < until)
        usleep(1000);
    ck_assert_uint_eq(atomic_load(&r->ends), n);
}

START_TEST(done_submits_again)
{
    struct relay r;

    open_one();
    relay_start(&r);
    for (unsigned i = 1; i <= 20; i++) {
        if (i % 3)
            stand_request(h, PARROT_NOTIFY, 0, "\x50\x03", 2);
        else
            usb_cancel(&r.t);
        await_ends(&r, i);
    }
    ck_assert_uint_eq(atomic_load(&r.refused), 0);
    usb_close(h); /* the last end finds the handle closing */
    ck_assert_uint_eq(atomic_load(&r.ends), 21);
    ck_assert_uint_eq(atomic_load(&r.refused), 1);
    h = NULL;
    usb_cancel(&r.t);
    close_one();
}
END_TEST

/* --- cancel --------------------------------------------------------------------------------- */

START_TEST(cancel_ends_one)
{
    uint8_t in[64];
    struct flight f;
    struct err e = ERR_INIT;

    open_one();
    flight_init(&f, PARROT_IN, in, sizeof in);
    usb_cancel(&f.t); /* never was under way */
    flight_start(&f, h);
    ck_assert_int_eq(usb_submit(h, &f.t, &e), -1); /* it is under way */
    usb_cancel(&f.t);
    ck_assert_int_eq(flight_await(&f, 1), USB_CANCELLED);
    usb_cancel(&f.t); /* has ended */
    stand_echo(h, 30, 1);
    flight_start(&f, h);
    close_one();
    ck_assert_uint_eq(flight_ends(&f), 2);
    usb_cancel(&f.t); /* nor is its handle there any more */
    flight_clear(&f);
}
END_TEST

/* A cancel that meets the end of its transfer, at every moment: one end each. */
START_TEST(cancel_meets_the_end)
{
    uint8_t in[64], out[16] = { 0 };
    struct flight from, to;

    open_one();
    for (unsigned i = 0; i < 400; i++) {
        flight_init(&from, PARROT_IN, in, sizeof in);
        flight_init(&to, PARROT_OUT, out, sizeof out);
        flight_start(&from, h);
        flight_start(&to, h);
        for (volatile unsigned spin = 0; spin < i * 20; spin++)
            ;
        usb_cancel(&from.t);
        enum usb_status st = flight_await(&from, 1);
        ck_assert(st == USB_DONE || st == USB_CANCELLED);
        ck_assert_int_eq(flight_await(&to, 1), USB_DONE);
        if (st == USB_CANCELLED) { /* what was sent waits still */
            flight_start(&from, h);
            ck_assert_int_eq(flight_await(&from, 2), USB_DONE);
        }
        ck_assert_uint_eq(from.actual, sizeof out);
        flight_clear(&from);
        flight_clear(&to);
    }
    close_one();
}
END_TEST

/* --- reset ------------------------------------------------------------------------------------ */

START_TEST(reset_ends_what_is_under_way)
{
    uint8_t in[64];
    struct flight f;
    struct err e = ERR_INIT;

    open_one();
    flight_init(&f, PARROT_IN, in, sizeof in);
    flight_start(&f, h);
    stand_request(h, PARROT_MUTE, 1, NULL, 0);
    ck_assert_msg(usb_reset(h, &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(flight_ends(&f), 1); /* done has returned */
    ck_assert_int_eq(f.status, USB_CANCELLED);
    ck_assert(!usb_gone(h));
    stand_echo(h, 50, 1); /* no more mute, and still ours */
    flight_clear(&f);
    close_one();
}
END_TEST

/* --- unplug ------------------------------------------------------------------------------------ */

struct caller {
    pthread_t thread;
    enum parrot_request request;
    struct err e;
    int r;
};

static void *call(void *ctx)
{
    struct caller *c = ctx;
    uint8_t in[8];

    c->r = usb_control(h, 0xc0, (uint8_t)c->request, 0, 0, in, 8, NULL,
                       2 * STAND_WAIT_MS, &c->e);
    return NULL;
}

static void caller_start(struct caller *c, enum parrot_request request)
{
    *c = (struct caller){ .request = request };
    ck_assert_int_eq(pthread_create(&c->thread, NULL, call, c), 0);
}

START_TEST(unplug_ends_everything)
{
    uint8_t in[64], note[8];
    struct flight bulk, interrupt;
    struct caller c;
    struct err e = ERR_INIT;

    open_one();
    flight_init(&bulk, PARROT_IN, in, sizeof in);
    flight_init(&interrupt, PARROT_INTERRUPT, note, sizeof note);
    flight_start(&bulk, h);
    flight_start(&interrupt, h);
    caller_start(&c, PARROT_SILENCE);
    usleep(20000);
    stand_unplug(&s, "1-1");
    ck_assert_int_eq(flight_await(&bulk, 1), USB_GONE);
    ck_assert_int_eq(flight_await(&interrupt, 1), USB_GONE);
    pthread_join(c.thread, NULL);
    ck_assert_int_eq(c.r, -1);
    ck_assert_int_eq(c.e.code, ERR_NO_CARD);
    stand_await(&s, "1-1", false);
    ck_assert(usb_gone(h));
    ck_assert_int_eq(usb_submit(h, &bulk.t, &e), -1);
    ck_assert_int_eq(e.code, ERR_NO_CARD);
    ck_assert_int_eq(usb_control(h, 0xc0, PARROT_FETCH, 0, 0, in, 8, NULL, 100, &e), -1);
    ck_assert_int_eq(e.code, ERR_NO_CARD);
    ck_assert_int_eq(usb_clear_halt(h, PARROT_IN, &e), -1);
    ck_assert_int_eq(e.code, ERR_NO_CARD);
    ck_assert_int_eq(usb_reset(h, &e), -1);
    ck_assert_int_eq(e.code, ERR_NO_CARD);
    ck_assert_int_eq(usb_claim(h, 0, &e), -1);
    ck_assert_int_eq(e.code, ERR_NO_CARD);
    usb_cancel(&bulk.t);
    flight_clear(&bulk);
    flight_clear(&interrupt);
    close_one();
}
END_TEST

/* While octets go to and fro, at transfer N. */
static void traffic_until_gone(unsigned round)
{
    uint8_t in[64], out[32] = { 0 };
    struct flight from, to;
    struct err e = ERR_INIT;
    unsigned n = 0;

    flight_init(&from, PARROT_IN, in, sizeof in);
    flight_init(&to, PARROT_OUT, out, sizeof out);
    for (;;) {
        n++;
        if (usb_submit(h, &from.t, &e) != 0)
            break;
        if (usb_submit(h, &to.t, &e) != 0) {
            ck_assert_int_eq(flight_await(&from, n), USB_GONE);
            break;
        }
        enum usb_status a = flight_await(&to, n), b = flight_await(&from, n);
        ck_assert(a == USB_DONE || a == USB_GONE);
        ck_assert(b == USB_DONE || b == USB_GONE);
        if (a == USB_GONE || b == USB_GONE)
            break;
        ck_assert_uint_lt(n, 100);
    }
    ck_assert_uint_le(n, round + 1);
    flight_clear(&from);
    flight_clear(&to);
}

START_TEST(unplug_at_every_transfer)
{
    open_one();
    usb_close(h);
    for (unsigned at = 1; at <= 24; at++) {
        h = stand_take(&s, "1-1");
        lab_bus_fault(s.bus, "1-1", at % 2 ? LAB_FAULT_UNPLUG : LAB_FAULT_UNPLUG_AFTER,
                      at, at);
        traffic_until_gone(at);
        stand_await(&s, "1-1", false);
        usb_close(h);
        stand_plug(&s, "1-1", parrot);
    }
    h = NULL;
    close_one();
}
END_TEST

START_TEST(a_hundred_times_in_the_middle)
{
    uint8_t in[64], note[8];
    struct flight bulk, interrupt;

    open_one();
    usb_close(h);
    for (unsigned i = 0; i < 100; i++) {
        h = stand_take(&s, "1-1");
        stand_echo(h, 20 + i, i);
        flight_init(&bulk, PARROT_IN, in, sizeof in);
        flight_init(&interrupt, PARROT_INTERRUPT, note, sizeof note);
        flight_start(&bulk, h);
        flight_start(&interrupt, h);
        stand_unplug(&s, "1-1");
        if (i % 2) { /* closed before or after it is known to be gone */
            ck_assert_int_eq(flight_await(&bulk, 1), USB_GONE);
            stand_await(&s, "1-1", false);
        }
        usb_close(h);
        ck_assert_uint_eq(flight_ends(&bulk), 1);
        ck_assert_uint_eq(flight_ends(&interrupt), 1);
        flight_clear(&bulk);
        flight_clear(&interrupt);
        stand_await(&s, "1-1", false);
        stand_plug(&s, "1-1", parrot);
    }
    h = NULL;
    close_one();
}
END_TEST

START_TEST(one_does_not_notice_the_other)
{
    struct lab_usb_device *other = parrot_new(2);
    uint8_t in[64];
    struct flight f;

    open_one();
    stand_plug(&s, "1-2", other);
    struct usb_handle *g = stand_take(&s, "1-2");
    flight_init(&f, PARROT_IN, in, sizeof in);
    flight_start(&f, g); /* never answered */
    for (unsigned i = 0; i < 50; i++)
        stand_echo(h, 100, i);
    stand_unplug(&s, "1-2");
    for (unsigned i = 0; i < 50; i++)
        stand_echo(h, 100, i);
    ck_assert_int_eq(flight_await(&f, 1), USB_GONE);
    usb_close(g);
    stand_echo(h, 100, 1);
    flight_clear(&f);
    close_one();
    other->ops->free(other);
}
END_TEST

/* --- close ----------------------------------------------------------------------------------------- */

START_TEST(close_with_all_under_way)
{
    uint8_t in[8][64];
    struct flight f[8];
    struct caller c;

    open_one();
    for (int i = 0; i < 8; i++) {
        flight_init(&f[i], i % 2 ? PARROT_IN : PARROT_INTERRUPT, in[i], i % 2 ? 64 : 8);
        flight_start(&f[i], h);
    }
    caller_start(&c, PARROT_SILENCE);
    usleep(20000);
    int64_t t0 = clock_monotonic_ms();
    usb_close(h);
    ck_assert_int_lt(clock_monotonic_ms() - t0, 1500);
    h = NULL;
    for (int i = 0; i < 8; i++) {
        ck_assert_uint_eq(flight_ends(&f[i]), 1);
        ck_assert_int_eq(f[i].status, USB_CANCELLED);
        flight_clear(&f[i]);
    }
    pthread_join(c.thread, NULL);
    ck_assert_int_eq(c.r, -1);
    ck_assert_int_eq(c.e.code, ERR_NO_CARD);
    close_one();
}
END_TEST

/* --- many ------------------------------------------------------------------------------------------- */

#define CROWD 8

struct member {
    pthread_t thread;
    struct usb_handle *h;
    atomic_uint *failures;
    uint8_t in[64], out[64];
};

struct parcel {
    struct usb_transfer t;
    atomic_int status; /* -1: under way */
    atomic_size_t actual;
};

static void parcel_done(struct usb_transfer *t, enum usb_status st, size_t actual)
{
    struct parcel *p = t->ctx;

    atomic_store(&p->actual, actual);
    atomic_store(&p->status, (int)st);
}

static void parcel_send(struct parcel *p, struct member *m, uint8_t endpoint,
                        uint8_t *data, size_t n)
{
    p->t = (struct usb_transfer){ .endpoint = endpoint, .data = data, .length = n,
                                  .done = parcel_done, .ctx = p };
    atomic_store(&p->status, -1);
    if (usb_submit(m->h, &p->t, NULL) != 0)
        atomic_store(&p->status, (int)USB_FAILED);
}

static void *commute(void *ctx)
{
    struct member *m = ctx;
    struct parcel from, to;

    for (unsigned i = 0; i < 200; i++) {
        size_t n = 1 + i % 63;
        memset(m->out, (int)i, n);
        parcel_send(&from, m, PARROT_IN, m->in, sizeof m->in);
        parcel_send(&to, m, PARROT_OUT, m->out, n);
        while (atomic_load(&from.status) < 0 || atomic_load(&to.status) < 0)
            usleep(50);
        if (atomic_load(&from.status) != USB_DONE || atomic_load(&to.status) != USB_DONE ||
            atomic_load(&from.actual) != n || memcmp(m->in, m->out, n) != 0)
            atomic_fetch_add(m->failures, 1);
    }
    return NULL;
}

START_TEST(a_crowd)
{
    struct lab_usb_device *d[CROWD];
    struct member m[CROWD];
    atomic_uint failures = 0;
    char path[16];

    stand_open(&s);
    stand_start(&s);
    for (int i = 0; i < CROWD; i++) {
        d[i] = parrot_new((uint16_t)(i + 1));
        snprintf(path, sizeof path, "1-1.%d", i + 1);
        stand_plug(&s, path, d[i]);
        m[i] = (struct member){ .h = stand_take(&s, path), .failures = &failures };
    }
    for (int i = 0; i < CROWD; i++)
        ck_assert_int_eq(pthread_create(&m[i].thread, NULL, commute, &m[i]), 0);
    for (int i = 0; i < CROWD; i++) {
        pthread_join(m[i].thread, NULL);
        usb_close(m[i].h); /* while the others go on */
    }
    ck_assert_uint_eq(atomic_load(&failures), 0);
    stand_close(&s);
    for (int i = 0; i < CROWD; i++)
        d[i]->ops->free(d[i]);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "control carries data both ways", control_carries_data_both_ways, 1 },
        { "control that fails", control_that_fails, 1 },
        { "octets come back", octets_come_back, 1 },
        { "interrupt brings what happens", interrupt_brings_what_happens, 1 },
        { "ends are told apart", ends_are_told_apart,
          sizeof end_rows / sizeof *end_rows },
        { "done submits again", done_submits_again, 1 },
        { "cancel ends one", cancel_ends_one, 1 },
        { "cancel meets the end", cancel_meets_the_end, 1 },
        { "reset ends what is under way", reset_ends_what_is_under_way, 1 },
        { "unplug ends everything", unplug_ends_everything, 1 },
        { "unplug at every transfer", unplug_at_every_transfer, 1 },
        { "a hundred times in the middle", a_hundred_times_in_the_middle, 1 },
        { "one does not notice the other", one_does_not_notice_the_other, 1 },
        { "close with all under way", close_with_all_under_way, 1 },
        { "a crowd", a_crowd, 1 },
    };
    const char *why = lab_bus_cannot();

    if (why) {
        printf("SKIP: %s\n", why);
        return 77;
    }
    return run_tests("drivers/usb transfers", tests, sizeof tests / sizeof *tests);
}
