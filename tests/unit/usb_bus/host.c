#include "tests/unit/usb_bus/host.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "station/base/clock.h"

struct lab_bus *host_bus;
libusb_context *host_usb;

void host_setup(void)
{
    struct err e = ERR_INIT;

    ck_assert_msg(lab_bus_new(&host_bus, &e) == 0, "%s", e.msg);
    ck_assert_msg(inprocess_start(host_bus, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(libusb_init(&host_usb), 0);
}

void host_teardown(void)
{
    libusb_exit(host_usb);
    inprocess_stop();
    lab_bus_free(host_bus);
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

void host_wait(const int *flag)
{
    int64_t until = clock_monotonic_ms() + HOST_WAIT_MS;

    while (!*flag) {
        struct timeval moment = { 0, 100000 };

        ck_assert_msg(clock_monotonic_ms() < until, "it never came");
        libusb_handle_events_timeout_completed(host_usb, &moment, (int *)flag);
    }
}
