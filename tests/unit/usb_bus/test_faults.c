/* Faults that any device can have, and pulling it at any moment. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "station/base/clock.h"
#include "tests/unit/usb_bus/echo.h"
#include "tests/unit/usb_bus/host.h"

#define MS 5000
#define SILENT_MS 30
#define ROUNDS 4
#define PLACE "1-2.4"

static struct lab_usb_device *echo;
static libusb_device_handle *h;

static void setup(void)
{
    echo = echo_new("E-0001", true);
    host_plug(PLACE, echo);
    h = host_open(PLACE);
}

static void teardown(void)
{
    echo->ops->free(echo);
}

/* --- every fault at every transfer --------------------------------------------- */

/* What libusb says at the transfer that the fault meets, OUT and IN. */
static const struct {
    enum lab_usb_fault fault;
    int out, in;
    bool only_in;
} faults[] = {
    { LAB_FAULT_STALL, LIBUSB_ERROR_PIPE, LIBUSB_ERROR_PIPE, false },
    { LAB_FAULT_BABBLE, 0, LIBUSB_ERROR_OVERFLOW, true },
    { LAB_FAULT_SHORT, 0, 0, true },
    { LAB_FAULT_BROKEN, LIBUSB_ERROR_IO, LIBUSB_ERROR_IO, false },
    { LAB_FAULT_SILENCE, LIBUSB_ERROR_TIMEOUT, LIBUSB_ERROR_TIMEOUT, false },
    { LAB_FAULT_UNPLUG, LIBUSB_ERROR_NO_DEVICE, LIBUSB_ERROR_NO_DEVICE, false },
    { LAB_FAULT_UNPLUG_AFTER, 0, LIBUSB_ERROR_NO_DEVICE, false },
};

static int transfer(bool in, unsigned char *data, int *n)
{
    return libusb_bulk_transfer(h, in ? ECHO_IN : ECHO_OUT, data, in ? 512 : 40, n,
                                MS);
}

/* Transfers 1, 3, 5... are OUT, 2, 4, 6... IN. Returns the first that did not
 * go well; *r what it said; 0: all went well. */
static int talk(int *r, int *n)
{
    unsigned char data[512];

    for (int i = 1; i <= 2 * ROUNDS; i++) {
        bool in = i % 2 == 0;

        memset(data, in ? 0 : i, sizeof data);
        *r = transfer(in, data, n);
        if (*r != 0 || *n != 40)
            return i;
        ck_assert_uint_eq(data[39], (unsigned)(in ? i - 1 : i));
    }
    return 0;
}

static void works_again(bool gone)
{
    unsigned char data[512] = { 'x' };
    int n;

    if (gone) {
        libusb_close(h);
        lab_bus_unplug(host_bus, PLACE);
        host_plug(PLACE, echo);
        h = host_open(PLACE);
    } else {
        ck_assert_int_eq(libusb_reset_device(h), 0);
    }
    ck_assert_int_eq(transfer(false, data, &n), 0);
    ck_assert_int_eq(transfer(true, data, &n), 0);
    ck_assert_int_eq(n, 40);
}

START_TEST(at_every_transfer)
{
    enum lab_usb_fault f = faults[_i].fault;
    bool gone = f == LAB_FAULT_UNPLUG || f == LAB_FAULT_UNPLUG_AFTER;

    for (int at = 1; at <= 2 * ROUNDS; at++) {
        bool in = at % 2 == 0 || faults[_i].only_in;
        int met = faults[_i].only_in ? at + at % 2 : at;
        int want = in ? faults[_i].in : faults[_i].out;
        int r, n, where;

        if (f == LAB_FAULT_SILENCE)
            continue; /* below: a timeout for each would take long */
        lab_bus_fault(host_bus, PLACE, f, (unsigned)at, (uint64_t)at * 977);
        where = talk(&r, &n);
        /* Pulled after an OUT: it shows at the next. */
        if (f == LAB_FAULT_UNPLUG_AFTER && !in) {
            met++;
            want = LIBUSB_ERROR_NO_DEVICE;
        }
        ck_assert_msg(where == met && r == want, "%s at %d: %d at %d",
                      lab_usb_fault_name(f), at, r, where);
        if (f == LAB_FAULT_SHORT)
            ck_assert_int_lt(n, 40);
        ck_assert(lab_bus_fault_fired(host_bus, PLACE));
        works_again(gone);
        ck_assert(gone == !lab_bus_fault_fired(host_bus, PLACE));
    }
    libusb_close(h);
}
END_TEST

START_TEST(silent_until_reset)
{
    for (int at = 1; at <= 2; at++) {
        unsigned char data[512] = { 'x' };
        int n;

        lab_bus_fault(host_bus, PLACE, LAB_FAULT_SILENCE, (unsigned)at, 0);
        if (at == 2)
            ck_assert_int_eq(transfer(false, data, &n), 0);
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(libusb_bulk_transfer(h, i % 2 ? ECHO_IN : ECHO_OUT, data,
                                                  40, &n, SILENT_MS),
                             LIBUSB_ERROR_TIMEOUT);
        ck_assert_int_eq(
            libusb_control_transfer(h, 0x80, 8, 0, 0, data, 1, SILENT_MS),
            LIBUSB_ERROR_TIMEOUT);
        works_again(false);
    }
    libusb_close(h);
}
END_TEST

START_TEST(silent_until_pulled)
{
    static struct host_transfer x[3];

    lab_bus_fault(host_bus, PLACE, LAB_FAULT_SILENCE, 1, 0);
    for (int i = 0; i < 3; i++)
        host_submit(&x[i], h, i ? ECHO_IN : ECHO_OUT, false, 64);
    host_idle(20);
    ck_assert_int_eq(x[0].ended + x[1].ended + x[2].ended, 0);
    ck_assert_uint_eq(lab_bus_unplug(host_bus, PLACE), 1);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(host_end(&x[i], NULL), LIBUSB_TRANSFER_NO_DEVICE);
    libusb_close(h);
}
END_TEST

START_TEST(a_stall_by_fault_is_a_halt)
{
    unsigned char data[512] = { 'x' };
    int n;

    lab_bus_fault(host_bus, PLACE, LAB_FAULT_STALL, 1, 0);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(transfer(false, data, &n), LIBUSB_ERROR_PIPE);
    ck_assert_int_eq(libusb_clear_halt(h, ECHO_OUT), 0);
    ck_assert_int_eq(transfer(false, data, &n), 0);
    ck_assert_int_eq(transfer(true, data, &n), 0);
    libusb_close(h);
}
END_TEST

/* Class and vendor requests count, standard ones do not; a stalled control
 * transfer leaves no halt. */
START_TEST(control_counts)
{
    unsigned char c = 0;
    int n;

    ck_assert_uint_eq(lab_bus_transfers(host_bus, PLACE), 0);
    lab_bus_fault(host_bus, PLACE, LAB_FAULT_STALL, 2, 0);
    ck_assert_int_eq(libusb_control_transfer(h, 0x40, ECHO_WRITE, 0, 0, &c, 1, MS), 1);
    ck_assert_int_eq(libusb_control_transfer(h, 0x80, 8, 0, 0, &c, 1, MS), 1);
    ck_assert_uint_eq(lab_bus_transfers(host_bus, PLACE), 1);
    n = libusb_control_transfer(h, 0xc0, ECHO_READ, 0, 0, &c, 1, MS);
    ck_assert_int_eq(n, LIBUSB_ERROR_PIPE);
    n = libusb_control_transfer(h, 0xc0, ECHO_READ, 0, 0, &c, 1, MS);
    ck_assert_int_eq(n, 1);
    ck_assert_uint_eq(lab_bus_transfers(host_bus, PLACE), 3);
    libusb_close(h);
}
END_TEST

START_TEST(taken_back)
{
    int r, n;

    lab_bus_fault(host_bus, PLACE, LAB_FAULT_BROKEN, 3, 0);
    lab_bus_fault(host_bus, PLACE, LAB_FAULT_BROKEN, 0, 0);
    ck_assert_int_eq(talk(&r, &n), 0);
    ck_assert(!lab_bus_fault_fired(host_bus, PLACE));
    lab_bus_fault(host_bus, "1-7", LAB_FAULT_BROKEN, 1, 0); /* nobody there */
    ck_assert(!lab_bus_fault_fired(host_bus, "1-7"));
    libusb_close(h);
}
END_TEST

/* What has been pulled keeps its figures until something else is plugged. */
START_TEST(figures_outlive_the_device)
{
    int r, n;

    lab_bus_fault(host_bus, PLACE, LAB_FAULT_UNPLUG, 3, 0);
    ck_assert_int_eq(talk(&r, &n), 3);
    lab_bus_unplug(host_bus, PLACE);
    ck_assert(lab_bus_fault_fired(host_bus, PLACE));
    ck_assert_uint_eq(lab_bus_transfers(host_bus, PLACE), 3);
    libusb_close(h);
    host_plug(PLACE, echo);
    ck_assert(!lab_bus_fault_fired(host_bus, PLACE));
    ck_assert_uint_eq(lab_bus_transfers(host_bus, PLACE), 0);
}
END_TEST

/* Plugged again at once, while the bus may be busy with the pulled one. */
START_TEST(plugged_where_one_was_pulled)
{
    for (int i = 0; i < 20; i++) {
        int r, n;

        lab_bus_fault(host_bus, PLACE, LAB_FAULT_UNPLUG, 1, 0);
        ck_assert_int_eq(talk(&r, &n), 1);
        host_plug(PLACE, echo);
        libusb_close(h);
        host_idle(5);
        h = host_open(PLACE);
    }
    libusb_close(h);
}
END_TEST

/* --- pulled with everything under way --------------------------------------------- */

#define PENDING 12
START_TEST(all_that_is_pending_ends)
{
    static struct host_transfer x[PENDING];

    for (int i = 0; i < PENDING; i++)
        host_submit(&x[i], h, i % 2 ? ECHO_REPORT : ECHO_IN, i % 2, 512);
    ck_assert_uint_eq(lab_bus_unplug(host_bus, _i ? "1-2" : PLACE), 1);
    for (int i = 0; i < PENDING; i++)
        ck_assert_int_eq(host_end(&x[i], NULL), LIBUSB_TRANSFER_NO_DEVICE);
    host_idle(20);
    ck_assert_uint_eq(host_count(), _i ? 1 : 2);
    libusb_close(h);
}
END_TEST

/* Closed with libusb none the wiser: nothing may be left behind. */
START_TEST(closed_after_the_pull)
{
    int r;

    lab_bus_unplug(host_bus, PLACE);
    ck_assert_int_eq(libusb_release_interface(h, 0), LIBUSB_ERROR_NO_DEVICE);
    r = libusb_reset_device(h); /* libusb may have heard of it already */
    ck_assert(r == LIBUSB_ERROR_NO_DEVICE || r == LIBUSB_ERROR_NOT_FOUND);
    ck_assert_int_eq(libusb_clear_halt(h, ECHO_IN), LIBUSB_ERROR_NO_DEVICE);
    libusb_close(h);
}
END_TEST

/* A gone device must not keep the event loop busy. */
START_TEST(gone_and_quiet)
{
    struct timespec a, b;

    lab_bus_unplug(host_bus, PLACE);
    host_idle(50);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    for (int i = 0; i < 5; i++) {
        struct timeval moment = { 0, 50000 };

        libusb_handle_events_timeout_completed(host_usb, &moment, NULL);
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    ck_assert_int_lt((b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000,
                     50);
    libusb_close(h);
}
END_TEST

/* --- two sides that do not wait for each other -------------------------------------- */

static atomic_bool enough;

static void *pull_and_plug(void *arg)
{
    unsigned seed = 1;

    (void)arg;
    for (int i = 0; i < 60; i++) {
        struct timespec t = { 0, 100000 * (long)(rand_r(&seed) % 40) };

        nanosleep(&t, NULL);
        ck_assert_uint_eq(lab_bus_unplug(host_bus, PLACE), 1);
        nanosleep(&t, NULL);
        host_plug(PLACE, echo);
    }
    atomic_store(&enough, true);
    return NULL;
}

static void *events(void *arg)
{
    (void)arg;
    while (!atomic_load(&enough)) {
        struct timeval moment = { 0, 5000 };

        libusb_handle_events_timeout_completed(host_usb, &moment, NULL);
    }
    return NULL;
}

/* Opens what is there and talks until it is gone, again and again. */
START_TEST(pulled_at_any_moment)
{
    pthread_t puller, event;
    unsigned talked = 0;

    atomic_store(&enough, false);
    pthread_create(&event, NULL, events, NULL);
    pthread_create(&puller, NULL, pull_and_plug, NULL);
    libusb_close(h);
    while (!atomic_load(&enough)) {
        libusb_device **list;
        ssize_t n = libusb_get_device_list(host_usb, &list);

        for (ssize_t i = 0; i < n; i++) {
            unsigned char data[512] = { 'x' };
            struct libusb_device_descriptor d;
            int got;

            libusb_get_device_descriptor(list[i], &d);
            if (d.idProduct != ECHO_PRODUCT || libusb_open(list[i], &h) != 0)
                continue;
            if (libusb_claim_interface(h, 0) == 0)
                while (transfer(talked % 2, data, &got) == 0)
                    talked++;
            libusb_close(h);
        }
        libusb_free_device_list(list, 1);
    }
    pthread_join(puller, NULL);
    pthread_join(event, NULL);
    ck_assert_uint_gt(talked, 0);
}
END_TEST

/* The same without end of one device: cancels against completions. */
START_TEST(cancelled_at_any_moment)
{
    static struct host_transfer x;
    unsigned char data[40] = { 0 };
    unsigned seed = 7;
    int n;

    for (int i = 0; i < 300; i++) {
        enum libusb_transfer_status s;

        host_submit(&x, h, ECHO_IN, false, 512);
        ck_assert_int_eq(transfer(false, data, &n), 0);
        for (unsigned spin = rand_r(&seed) % 2000; spin; spin--)
            atomic_load(&enough);
        (void)libusb_cancel_transfer(x.t);
        s = host_end(&x, &n);
        ck_assert(s == LIBUSB_TRANSFER_COMPLETED || s == LIBUSB_TRANSFER_CANCELLED);
        if (s == LIBUSB_TRANSFER_CANCELLED && n == 0)
            ck_assert_int_eq(transfer(true, (unsigned char[512]){ 0 }, &n), 0);
        ck_assert_int_eq(n, 40); /* each message came exactly once */
    }
    libusb_close(h);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, at_every_transfer, 0,
                        (int)(sizeof faults / sizeof faults[0]));
    tcase_add_test(t, silent_until_reset);
    tcase_add_test(t, silent_until_pulled);
    tcase_add_test(t, a_stall_by_fault_is_a_halt);
    tcase_add_test(t, control_counts);
    tcase_add_test(t, taken_back);
    tcase_add_test(t, figures_outlive_the_device);
    tcase_add_test(t, plugged_where_one_was_pulled);
    tcase_add_loop_test(t, all_that_is_pending_ends, 0, 2);
    tcase_add_test(t, closed_after_the_pull);
    tcase_add_test(t, gone_and_quiet);
    tcase_add_test(t, pulled_at_any_moment);
    tcase_add_test(t, cancelled_at_any_moment);
}

int main(void)
{
    return host_main(&(struct host_suite){ "usb_faults", add, setup, teardown });
}
