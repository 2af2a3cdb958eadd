#include "tests/unit/usb_bus/host.h"

#include <stdio.h>
#include <string.h>

#include "station/base/clock.h"

struct lab_bus *host_bus;
libusb_context *host_usb;

static const struct host_suite *suite;

static void setup(void)
{
    struct err e = ERR_INIT;

    ck_assert_msg(lab_bus_new(&host_bus, &e) == 0, "%s", e.msg);
    ck_assert_msg(inprocess_start(host_bus, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(libusb_init(&host_usb), 0);
    if (suite->setup)
        suite->setup();
}

static void teardown(void)
{
    libusb_exit(host_usb);
    inprocess_stop();
    lab_bus_free(host_bus);
    if (suite->teardown)
        suite->teardown();
}

int host_main(const struct host_suite *what)
{
    const char *why = lab_bus_cannot();
    struct err e = ERR_INIT;
    SRunner *r;
    int failed;

    if (why) {
        printf("SKIP: %s\n", why);
        return 77;
    }
    /* Before any test forks: what they make is theirs, but the namespaces. */
    if (lab_bus_enter(&e) != 0) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    Suite *s = suite_create(what->name);
    TCase *t = tcase_create("libusb");
    suite = what;
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    what->add(t);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}

void host_plug(const char *path, struct lab_usb_device *d)
{
    struct err e = ERR_INIT;

    ck_assert_msg(lab_bus_plug(host_bus, path, d, &e) == 0, "%s", e.msg);
}

void host_path(libusb_device *d, char out[64])
{
    uint8_t ports[8];
    int n = libusb_get_port_numbers(d, ports, sizeof ports);
    int at = snprintf(out, 64, n > 0 ? "%u" : "usb%u", libusb_get_bus_number(d));

    for (int i = 0; i < n; i++)
        at += snprintf(out + at, 64 - (size_t)at, "%c%u", i ? '.' : '-', ports[i]);
}

static libusb_device *look(const char *path)
{
    libusb_device **list, *found = NULL;
    ssize_t n = libusb_get_device_list(host_usb, &list);
    char name[64];

    for (ssize_t i = 0; i < n && !found; i++) {
        host_path(list[i], name);
        if (strcmp(name, path) == 0)
            found = libusb_ref_device(list[i]);
    }
    libusb_free_device_list(list, 1);
    return found;
}

libusb_device *host_find(const char *path)
{
    int64_t until = clock_monotonic_ms() + HOST_WAIT_MS;
    libusb_device *d;

    while (!(d = look(path))) {
        struct timeval moment = { 0, 1000 };

        ck_assert_msg(clock_monotonic_ms() < until, "nothing at %s", path);
        libusb_handle_events_timeout_completed(host_usb, &moment, NULL);
    }
    return d;
}

libusb_device_handle *host_open(const char *path)
{
    libusb_device *d = host_find(path);
    libusb_device_handle *h;

    ck_assert_int_eq(libusb_open(d, &h), 0);
    libusb_unref_device(d);
    ck_assert_int_eq(libusb_claim_interface(h, 0), 0);
    return h;
}

size_t host_count(void)
{
    libusb_device **list;
    ssize_t n = libusb_get_device_list(host_usb, &list);

    ck_assert_int_ge(n, 0);
    libusb_free_device_list(list, 1);
    return (size_t)n;
}

static void ended(struct libusb_transfer *t)
{
    ((struct host_transfer *)t->user_data)->ended++;
}

void host_submit(struct host_transfer *x, libusb_device_handle *h, uint8_t endpoint,
                 bool interrupt, int length)
{
    ck_assert_uint_le((size_t)length, sizeof x->data);
    x->ended = 0;
    x->t = libusb_alloc_transfer(0);
    if (interrupt)
        libusb_fill_interrupt_transfer(x->t, h, endpoint, x->data, length, ended,
                                       x, 0);
    else
        libusb_fill_bulk_transfer(x->t, h, endpoint, x->data, length, ended, x, 0);
    ck_assert_int_eq(libusb_submit_transfer(x->t), 0);
}

enum libusb_transfer_status host_end(struct host_transfer *x, int *actual)
{
    int64_t until = clock_monotonic_ms() + HOST_WAIT_MS;
    enum libusb_transfer_status s;

    while (!x->ended) {
        struct timeval moment = { 0, 100000 };

        ck_assert_msg(clock_monotonic_ms() < until, "a transfer never ended");
        libusb_handle_events_timeout_completed(host_usb, &moment, &x->ended);
    }
    ck_assert_int_eq(x->ended, 1);
    s = x->t->status;
    if (actual)
        *actual = x->t->actual_length;
    libusb_free_transfer(x->t);
    x->t = NULL;
    return s;
}

void host_idle(int ms)
{
    int64_t until = clock_monotonic_ms() + ms;

    while (clock_monotonic_ms() < until) {
        struct timeval moment = { 0, 1000 };

        libusb_handle_events_timeout_completed(host_usb, &moment, NULL);
    }
}
