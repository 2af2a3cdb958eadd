/* Bare, unmodified libusb on the emulated bus. */
#include "tests/lab/usb/bus.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/usb_bus/echo.h"
#include "tests/unit/usb_bus/host.h"

#define MS 5000

static struct lab_usb_device *echo;

static void setup(void)
{
    host_setup();
    echo = echo_new("E-0001", true);
}

static void teardown(void)
{
    host_teardown();
    echo->ops->free(echo);
}

START_TEST(strings_and_topology)
{
    libusb_device_handle *h;
    unsigned char s[64];

    host_plug("1-2.4", echo);
    h = host_open("1-2.4");
    ck_assert_int_eq(libusb_get_string_descriptor_ascii(h, 3, s, sizeof s), 6);
    ck_assert_str_eq((char *)s, "E-0001");
    libusb_close(h);
}
END_TEST

START_TEST(bulk_there_and_back)
{
    unsigned char in[64];
    libusb_device_handle *h;
    int n;

    host_plug("1-2", echo);
    h = host_open("1-2");
    ck_assert_int_eq(
        libusb_bulk_transfer(h, ECHO_OUT, (unsigned char *)"hello", 5, &n, MS), 0);
    ck_assert_int_eq(n, 5);
    ck_assert_int_eq(libusb_bulk_transfer(h, ECHO_IN, in, sizeof in, &n, MS), 0);
    ck_assert_int_eq(n, 5);
    ck_assert_mem_eq(in, "hello", 5);
    ck_assert_uint_eq(lab_bus_unplug(host_bus, "1-2"), 1);
    ck_assert_int_eq(libusb_bulk_transfer(h, ECHO_IN, in, sizeof in, &n, MS),
                     LIBUSB_ERROR_NO_DEVICE);
    libusb_close(h);
}
END_TEST

int main(void)
{
    const char *why = lab_bus_cannot();
    struct err e = ERR_INIT;
    Suite *s = suite_create("usb_bus");
    TCase *t = tcase_create("libusb");
    SRunner *r;
    int failed;

    if (why) {
        printf("SKIP: %s\n", why);
        return 77;
    }
    if (lab_bus_enter(&e) != 0) {
        fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, strings_and_topology);
    tcase_add_test(t, bulk_there_and_back);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? 1 : 0;
}
