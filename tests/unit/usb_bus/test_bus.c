/* What is plugged where, as bare, unmodified libusb sees it. */
#include "tests/lab/usb/bus.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "station/base/clock.h"
#include "tests/unit/usb_bus/echo.h"
#include "tests/unit/usb_bus/host.h"

#define MS 5000

static struct lab_usb_device *echo, *other;

static void setup(void)
{
    echo = echo_new("E-0001", true);
    other = echo_new("E-0002", false);
}

static void teardown(void)
{
    echo->ops->free(echo);
    other->ops->free(other);
}

static void hello(libusb_device_handle *h)
{
    unsigned char in[64];
    int n;

    ck_assert_int_eq(
        libusb_bulk_transfer(h, ECHO_OUT, (unsigned char *)"hello", 5, &n, MS), 0);
    ck_assert_int_eq(n, 5);
    ck_assert_int_eq(libusb_bulk_transfer(h, ECHO_IN, in, sizeof in, &n, MS), 0);
    ck_assert_int_eq(n, 5);
    ck_assert_mem_eq(in, "hello", 5);
}

/* --- places ------------------------------------------------------------------- */

static const struct {
    const char *path;
    int hubs; /* with the root hub */
} places[] = {
    { "1-1", 1 },       { "9-1", 1 },         { "1-2.4", 2 },
    { "3-255.17", 2 },  { "4-1.1.1.1.1.1.1", 7 },
    { "2-10.20.30", 3 },
};

START_TEST(a_place_has_its_hubs)
{
    char path[64];
    libusb_device_handle *h;
    libusb_device *d;
    int hubs = 0;

    host_plug(places[_i].path, echo);
    h = host_open(places[_i].path);
    hello(h);
    for (d = libusb_get_parent(libusb_get_device(h)); d; d = libusb_get_parent(d)) {
        struct libusb_device_descriptor desc;

        host_path(d, path);
        ck_assert_int_eq(libusb_get_device_descriptor(d, &desc), 0);
        ck_assert_msg(desc.bDeviceClass == LIBUSB_CLASS_HUB, "%s", path);
        hubs++;
    }
    ck_assert_int_eq(hubs, places[_i].hubs);
    /* And nothing else: what the machine has is hidden. */
    ck_assert_uint_eq(host_count(), (size_t)hubs + 1);
    libusb_close(h);
}
END_TEST

START_TEST(no_place)
{
    static const char *const bad[] = {
        "",      "1",     "usb1",  "0-1",   "10-1",  "a-1",
        "1-",    "1-0",   "1-2.",  "1-2..3", "1-256", "1-01",
        "1-2.0", "1-2-3", "1-2 ",  "1-1.1.1.1.1.1.1.1", " 1-2",
        "1-+2",
    };
    struct err e = ERR_INIT;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(lab_bus_plug(host_bus, bad[i], echo, &e) == -1, "%s", bad[i]);
        ck_assert_int_eq(e.code, ERR_USAGE);
    }
    ck_assert_uint_eq(host_count(), 0);
}
END_TEST

START_TEST(taken_places)
{
    struct err e = ERR_INIT;

    host_plug("1-2.4", echo);
    ck_assert_int_eq(lab_bus_plug(host_bus, "1-2.4", other, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    ck_assert_int_eq(lab_bus_plug(host_bus, "1-2", other, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    ck_assert_int_eq(lab_bus_plug(host_bus, "1-2.4.1", other, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
}
END_TEST

START_TEST(a_hub_takes_all_behind_it)
{
    libusb_device_handle *h;

    host_plug("1-2.4", echo);
    host_plug("1-21", other);
    h = host_open("1-21");
    ck_assert_uint_eq(lab_bus_unplug(host_bus, "1-2.44"), 0);
    ck_assert_uint_eq(lab_bus_unplug(host_bus, "1-2"), 1);
    hello(h);
    host_plug("1-2", echo); /* a device where the hub was */
    ck_assert_uint_eq(lab_bus_unplug(host_bus, "usb1"), 2);
    ck_assert_uint_eq(lab_bus_unplug(host_bus, "usb1"), 0);
    libusb_close(h);
}
END_TEST

START_TEST(opened_when_gone)
{
    libusb_device *d;
    libusb_device_handle *h;

    host_plug("1-2", echo);
    d = host_find("1-2");
    lab_bus_unplug(host_bus, "1-2");
    ck_assert_int_eq(libusb_open(d, &h), LIBUSB_ERROR_NO_DEVICE);
    libusb_unref_device(d);
}
END_TEST

/* --- coming and going ------------------------------------------------------------ */

struct events {
    int come, gone;
    bool here, out_of_order;
    uint8_t address, last;
    unsigned same_address;
};

static int LIBUSB_CALL changed(libusb_context *usb, libusb_device *d,
                               libusb_hotplug_event what, void *ctx)
{
    struct events *ev = ctx;
    bool come = what == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED;

    (void)usb;
    ev->out_of_order |= come == ev->here;
    ev->here = come;
    if (come) {
        ev->come++;
        ev->last = ev->address;
        ev->address = libusb_get_device_address(d);
        ev->same_address += ev->address == ev->last;
    } else {
        ev->gone++;
        ev->out_of_order |= libusb_get_device_address(d) != ev->address;
    }
    return 0;
}

static void wait_for(const int *count, int want)
{
    int64_t until = clock_monotonic_ms() + HOST_WAIT_MS;

    while (*count < want) {
        ck_assert_msg(clock_monotonic_ms() < until, "no hot-plug event");
        host_idle(1);
    }
}

START_TEST(come_and_go_alternate)
{
    struct events ev = { 0 };
    libusb_hotplug_callback_handle cb;

    ck_assert_int_eq(libusb_hotplug_register_callback(
                         host_usb,
                         LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED |
                             LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
                         LIBUSB_HOTPLUG_ENUMERATE, ECHO_VENDOR, ECHO_PRODUCT,
                         LIBUSB_HOTPLUG_MATCH_ANY, changed, &ev, &cb),
                     0);
    for (int i = 0; i < 150; i++) { /* around all numbers once */
        libusb_device_handle *h = NULL;

        host_plug("1-2.4", echo);
        wait_for(&ev.come, i + 1);
        if (i % 3 == 0) {
            h = host_open("1-2.4");
            hello(h);
        }
        ck_assert_uint_eq(lab_bus_unplug(host_bus, "1-2.4"), 1);
        wait_for(&ev.gone, i + 1);
        if (h)
            libusb_close(h);
    }
    ck_assert(!ev.out_of_order);
    ck_assert_uint_eq(ev.same_address, 0);
    ck_assert_uint_eq(host_count(), 2);
    libusb_hotplug_deregister_callback(host_usb, cb);
}
END_TEST

/* Faster than anyone can look: what is there in the end is what counts. */
START_TEST(plugged_in_a_flurry)
{
    libusb_device_handle *h;

    for (int i = 0; i < 40; i++) {
        host_plug("1-2", i % 2 ? echo : other);
        ck_assert_uint_eq(lab_bus_unplug(host_bus, "1-2"), 1);
    }
    host_plug("1-2", echo);
    host_idle(100);
    ck_assert_uint_eq(host_count(), 2);
    h = host_open("1-2");
    hello(h);
    libusb_close(h);
}
END_TEST

#define MANY 200
START_TEST(many_at_once)
{
    static struct lab_usb_device *d[MANY];
    static libusb_device_handle *h[MANY];
    static char serial[MANY][16];
    char path[32];
    unsigned char s[32];

    for (int i = 0; i < MANY; i++) {
        snprintf(serial[i], sizeof serial[i], "M-%04d", i);
        d[i] = echo_new(serial[i], false);
        snprintf(path, sizeof path, "%d-%d.%d", 1 + i % 5, 1 + i / 5 % 4, 1 + i / 20);
        host_plug(path, d[i]);
    }
    for (int i = 0; i < MANY; i++) {
        snprintf(path, sizeof path, "%d-%d.%d", 1 + i % 5, 1 + i / 5 % 4, 1 + i / 20);
        h[i] = host_open(path);
        ck_assert_int_gt(libusb_get_string_descriptor_ascii(h[i], 3, s, sizeof s), 0);
        ck_assert_str_eq((char *)s, serial[i]);
        hello(h[i]);
    }
    ck_assert_uint_eq(host_count(), MANY + 5 + 20);
    for (int b = 1; b <= 5; b++) {
        snprintf(path, sizeof path, "usb%d", b);
        ck_assert_uint_eq(lab_bus_unplug(host_bus, path), MANY / 5);
    }
    for (int i = 0; i < MANY; i++) {
        libusb_close(h[i]);
        d[i]->ops->free(d[i]);
    }
    host_idle(50);
    ck_assert_uint_eq(host_count(), 0);
}
END_TEST

START_TEST(a_full_bus_says_so)
{
    static struct lab_usb_device *d[127];
    struct err e = ERR_INIT;
    char path[32];
    int n = 0;

    for (int i = 1; i <= 127; i++) {
        d[n] = echo_new(NULL, false);
        snprintf(path, sizeof path, "7-%d", i);
        if (lab_bus_plug(host_bus, path, d[n++], &e) != 0)
            break;
    }
    ck_assert_int_eq(e.code, ERR_LIMIT);
    ck_assert_int_eq(n, 127);
    lab_bus_unplug(host_bus, "usb7");
    for (int i = 0; i < n; i++)
        d[i]->ops->free(d[i]);
}
END_TEST

/* --- who has an interface ------------------------------------------------------------ */

START_TEST(kernel_driver_must_go_first)
{
    libusb_device *d;
    libusb_device_handle *h;

    echo->kernel_driver = "usbhid";
    host_plug("1-2", echo);
    d = host_find("1-2");
    ck_assert_int_eq(libusb_open(d, &h), 0);
    ck_assert_int_eq(libusb_kernel_driver_active(h, 0), 1);
    ck_assert_int_eq(libusb_claim_interface(h, 0), LIBUSB_ERROR_BUSY);
    ck_assert_int_eq(libusb_set_configuration(h, 1), LIBUSB_ERROR_BUSY);
    ck_assert_int_eq(libusb_detach_kernel_driver(h, 0), 0);
    ck_assert_int_eq(libusb_detach_kernel_driver(h, 0), LIBUSB_ERROR_NOT_FOUND);
    ck_assert_int_eq(libusb_kernel_driver_active(h, 0), 0);
    ck_assert_int_eq(libusb_claim_interface(h, 0), 0);
    hello(h);
    ck_assert_int_eq(libusb_attach_kernel_driver(h, 0), LIBUSB_ERROR_BUSY);
    ck_assert_int_eq(libusb_release_interface(h, 0), 0);
    ck_assert_int_eq(libusb_attach_kernel_driver(h, 0), 0);
    ck_assert_int_eq(libusb_kernel_driver_active(h, 0), 1);
    ck_assert_int_eq(libusb_set_auto_detach_kernel_driver(h, 1), 0);
    ck_assert_int_eq(libusb_claim_interface(h, 0), 0);
    hello(h);
    ck_assert_int_eq(libusb_release_interface(h, 0), 0);
    ck_assert_int_eq(libusb_kernel_driver_active(h, 0), 1);
    libusb_close(h);
    libusb_unref_device(d);
}
END_TEST

START_TEST(one_interface_one_owner)
{
    libusb_device *d;
    libusb_device_handle *a, *b;
    int n;

    host_plug("1-2", echo);
    d = host_find("1-2");
    a = host_open("1-2");
    ck_assert_int_eq(libusb_open(d, &b), 0);
    ck_assert_int_eq(libusb_kernel_driver_active(b, 0), 0);
    ck_assert_int_eq(libusb_claim_interface(b, 0), LIBUSB_ERROR_BUSY);
    ck_assert_int_eq(libusb_set_auto_detach_kernel_driver(b, 1), 0);
    ck_assert_int_eq(libusb_claim_interface(b, 0), LIBUSB_ERROR_BUSY);
    ck_assert_int_eq(libusb_claim_interface(b, 1), LIBUSB_ERROR_INVALID_PARAM);
    ck_assert_int_eq(
        libusb_bulk_transfer(b, ECHO_OUT, (unsigned char *)"x", 1, &n, MS),
        LIBUSB_ERROR_IO);
    libusb_close(a); /* and what it had is free */
    ck_assert_int_eq(libusb_claim_interface(b, 0), 0);
    hello(b);
    libusb_close(b);
    libusb_unref_device(d);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_loop_test(t, a_place_has_its_hubs, 0,
                        (int)(sizeof places / sizeof places[0]));
    tcase_add_test(t, no_place);
    tcase_add_test(t, taken_places);
    tcase_add_test(t, a_hub_takes_all_behind_it);
    tcase_add_test(t, opened_when_gone);
    tcase_add_test(t, come_and_go_alternate);
    tcase_add_test(t, plugged_in_a_flurry);
    tcase_add_test(t, many_at_once);
    tcase_add_test(t, a_full_bus_says_so);
    tcase_add_test(t, kernel_driver_must_go_first);
    tcase_add_test(t, one_interface_one_owner);
}

int main(void)
{
    return host_main(&(struct host_suite){ "usb_bus", add, setup, teardown });
}
