/* Every kind of transfer, as it goes when nothing is made to fail. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/usb_bus/echo.h"
#include "tests/unit/usb_bus/host.h"

#define MS 5000

static struct lab_usb_device *echo;
static libusb_device_handle *h;

static void setup(void)
{
    echo = echo_new("E-0001", true);
    host_plug("1-2", echo);
    h = host_open("1-2");
}

static void teardown(void)
{
    echo->ops->free(echo);
}

static void out(const void *p, int n)
{
    int got;

    ck_assert_int_eq(
        libusb_bulk_transfer(h, ECHO_OUT, (unsigned char *)(uintptr_t)p, n, &got, MS),
        0);
    ck_assert_int_eq(got, n);
}

static int in(void *p, int room, int *n)
{
    return libusb_bulk_transfer(h, ECHO_IN, p, room, n, MS);
}

/* --- control -------------------------------------------------------------------- */

START_TEST(strings)
{
    static const char *const want[] = { NULL, "Lineside", "Echo", "E-0001", NULL };
    unsigned char s[256];

    for (uint8_t i = 1; i < 5; i++) {
        int n = libusb_get_string_descriptor_ascii(h, i, s, sizeof s);

        if (want[i])
            ck_assert_str_eq((char *)s, want[i]);
        else
            ck_assert_int_eq(n, LIBUSB_ERROR_PIPE);
    }
    ck_assert_int_eq(libusb_get_string_descriptor(h, 0, 0, s, sizeof s), 4);
    ck_assert_mem_eq(s, "\x04\x03\x09\x04", 4);
    ck_assert_int_eq(libusb_get_string_descriptor(h, 2, 0x409, s, sizeof s), 10);
    ck_assert_mem_eq(s, "\x0a\x03" "E\0c\0h\0o\0", 10);
    ck_assert_int_eq(libusb_get_string_descriptor(h, 2, 0x409, s, 3), 3);
    ck_assert_int_eq(libusb_get_string_descriptor(h, 200, 0x409, s, sizeof s),
                     LIBUSB_ERROR_PIPE);
    libusb_close(h);
}
END_TEST

static const struct {
    const char *name;
    uint8_t type, request;
    uint16_t value, index;
    int room;
    const char *answer; /* hex; NULL: STALL */
} standard[] = {
    { "device", 0x80, 6, 0x0100, 0, 64, "1201000200000040" "09120e0e341201020301" },
    { "device, 8 octets of it", 0x80, 6, 0x0100, 0, 8, "1201000200000040" },
    { "configuration header", 0x80, 6, 0x0200, 0, 9, "09023e0001010080" "32" },
    { "no second configuration", 0x80, 6, 0x0201, 0, 9, NULL },
    { "no qualifier", 0x80, 6, 0x0600, 0, 10, NULL },
    { "configuration", 0x80, 8, 0, 0, 1, "01" },
    { "set configuration 7", 0x00, 9, 7, 0, 0, NULL },
    { "status", 0x80, 0, 0, 0, 2, "0000" },
    { "status of the interface", 0x81, 0, 0, 0, 2, "0000" },
    { "status of an endpoint", 0x82, 0, 0, ECHO_IN, 2, "0000" },
    { "alternate setting", 0x81, 10, 0, 0, 1, "00" },
    { "set it", 0x01, 11, 1, 0, 0, "" },
    { "set one that is not", 0x01, 11, 2, 0, 0, NULL },
    { "set address", 0x00, 5, 9, 0, 0, NULL },
    { "remote wakeup", 0x00, 3, 1, 0, 0, "" },
    { "no such request", 0x80, 77, 0, 0, 1, NULL },
    { "no such vendor request", 0xc0, 77, 0, 0, 1, NULL },
    { "HID report of what is no HID", 0x81, 6, 0x2200, 0, 64, NULL },
};

START_TEST(standard_requests)
{
    unsigned char data[64];
    uint8_t want[64];
    int n = libusb_control_transfer(h, standard[_i].type, standard[_i].request,
                                    standard[_i].value, standard[_i].index, data,
                                    (uint16_t)standard[_i].room, MS);

    if (!standard[_i].answer) {
        ck_assert_msg(n == LIBUSB_ERROR_PIPE, "%s: %d", standard[_i].name, n);
    } else {
        size_t w = strlen(standard[_i].answer) / 2;

        hex_decode(standard[_i].answer, want, w);
        ck_assert_msg(n == (int)w && memcmp(data, want, w) == 0, "%s: %d",
                      standard[_i].name, n);
    }
    libusb_close(h);
}
END_TEST

START_TEST(control_both_ways)
{
    static unsigned char there[ECHO_STORE], back[ECHO_STORE];

    for (size_t i = 0; i < sizeof there; i++)
        there[i] = (unsigned char)(i * 7);
    for (int n = 0; n <= ECHO_STORE; n += 256) {
        ck_assert_int_eq(libusb_control_transfer(h, 0x40, ECHO_WRITE, 0, 0, there,
                                                 (uint16_t)n, MS),
                         n);
        memset(back, 0, sizeof back);
        ck_assert_int_eq(
            libusb_control_transfer(h, 0xc0, ECHO_READ, 0, 0, back, ECHO_STORE, MS),
            n);
        ck_assert_mem_eq(there, back, (size_t)n);
    }
    libusb_close(h);
}
END_TEST

START_TEST(configuration_and_alternate_setting)
{
    unsigned char a;
    int c;

    ck_assert_int_eq(libusb_get_configuration(h, &c), 0);
    ck_assert_int_eq(c, 1);
    ck_assert_int_eq(libusb_set_configuration(h, 1), LIBUSB_ERROR_BUSY);
    ck_assert_int_eq(libusb_set_interface_alt_setting(h, 0, 1), 0);
    ck_assert_int_eq(libusb_control_transfer(h, 0x81, 10, 0, 0, &a, 1, MS), 1);
    ck_assert_uint_eq(a, 1);
    ck_assert_int_eq(libusb_set_interface_alt_setting(h, 0, 2),
                     LIBUSB_ERROR_NOT_FOUND);
    ck_assert_int_eq(libusb_release_interface(h, 0), 0);
    ck_assert_int_eq(libusb_set_configuration(h, 7), LIBUSB_ERROR_NOT_FOUND);
    ck_assert_int_eq(libusb_set_configuration(h, 1), 0);
    ck_assert_int_eq(libusb_set_configuration(h, 0), 0);
    ck_assert_int_eq(libusb_get_configuration(h, &c), 0);
    ck_assert_int_eq(c, 0);
    ck_assert_int_eq(libusb_set_configuration(h, 1), 0);
    /* As on Linux this claims the interface, behind libusb's back. */
    ck_assert_int_eq(libusb_control_transfer(h, 0x81, 10, 0, 0, &a, 1, MS), 1);
    ck_assert_uint_eq(a, 0);
    ck_assert_int_eq(libusb_set_configuration(h, 1), LIBUSB_ERROR_BUSY);
    libusb_close(h);
}
END_TEST

/* --- bulk -------------------------------------------------------------------------- */

static const int sizes[] = { 0,    1,     63,    511,   512,   513,   1023,
                             1024, 1025,  16383, 16384, 16385, 65536, 100001 };

START_TEST(any_length_there_and_back)
{
    static unsigned char there[100001], back[131072];
    int n = sizes[_i], got;

    for (int i = 0; i < n; i++)
        there[i] = (unsigned char)(i ^ i >> 8);
    out(there, n);
    ck_assert_int_eq(in(back, sizeof back, &got), 0);
    ck_assert_int_eq(got, n);
    ck_assert_mem_eq(there, back, (size_t)n);
    libusb_close(h);
}
END_TEST

/* One message and the reads of it: how a host controller cuts it. */
static const struct {
    const char *name;
    int message;
    struct {
        int room, got, status;
    } reads[3];
} cuts[] = {
    { "short packet ends it", 100, { { 512, 100, 0 } } },
    { "exactly full", 1024, { { 1024, 1024, 0 } } },
    { "an empty packet ends it", 1024, { { 1025, 1024, 0 } } },
    { "packet by packet", 1100, { { 512, 512, 0 }, { 512, 512, 0 }, { 512, 76, 0 } } },
    { "two whole ones leave nothing", 1024, { { 512, 512, 0 }, { 512, 512, 0 } } },
    { "the last may be tight", 600, { { 512, 512, 0 }, { 88, 88, 0 } } },
    { "a packet that does not fit", 600, { { 100, 100, LIBUSB_ERROR_OVERFLOW } } },
    { "nor does the second", 1100, { { 600, 600, LIBUSB_ERROR_OVERFLOW } } },
    { "nor the last", 600,
      { { 512, 512, 0 }, { 87, 87, LIBUSB_ERROR_OVERFLOW } } },
};

START_TEST(cut_as_a_controller_does)
{
    static unsigned char message[2048], back[2048];
    int n, at = 0;

    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (unsigned char)(i * 13);
    out(message, cuts[_i].message);
    out("end", 3);
    for (int i = 0; i < 3 && cuts[_i].reads[i].room; i++) {
        int r = in(back, cuts[_i].reads[i].room, &n);

        ck_assert_msg(r == cuts[_i].reads[i].status && n == cuts[_i].reads[i].got,
                      "%s: read %d: %d, %d octets", cuts[_i].name, i, r, n);
        ck_assert_mem_eq(back, message + at, (size_t)n);
        at += n;
    }
    ck_assert_int_eq(in(back, 512, &n), 0);
    ck_assert_msg(n == 3, "%s: %d octets more", cuts[_i].name, n);
    libusb_close(h);
}
END_TEST

START_TEST(many_reads_wait_in_order)
{
    static struct host_transfer x[20];
    int n;

    for (int i = 0; i < 20; i++)
        host_submit(&x[i], h, ECHO_IN, false, 512);
    for (unsigned char i = 0; i < 20; i++)
        out(&i, 1);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(host_end(&x[i], &n), LIBUSB_TRANSFER_COMPLETED);
        ck_assert_int_eq(n, 1);
        ck_assert_uint_eq(x[i].data[0], (unsigned)i);
    }
    libusb_close(h);
}
END_TEST

/* --- interrupt, time, cancel ---------------------------------------------------------- */

START_TEST(reports_come_when_they_come)
{
    static struct host_transfer x;
    unsigned char c;
    int n;

    host_submit(&x, h, ECHO_REPORT, true, 64);
    host_idle(20);
    ck_assert_int_eq(x.ended, 0);
    echo_report(echo, SPAN_STR("first"));
    ck_assert_int_eq(host_end(&x, &n), LIBUSB_TRANSFER_COMPLETED);
    ck_assert_int_eq(n, 5);
    /* What comes while nobody asks waits. */
    echo_report(echo, SPAN_STR("2"));
    ck_assert_int_eq(libusb_interrupt_transfer(h, ECHO_REPORT, &c, 1, &n, MS), 0);
    ck_assert_uint_eq(c, '2');
    libusb_close(h);
}
END_TEST

START_TEST(too_late_is_cancelled_and_nothing_lost)
{
    unsigned char back[512];
    int n;

    ck_assert_int_eq(libusb_bulk_transfer(h, ECHO_IN, back, 512, &n, 20),
                     LIBUSB_ERROR_TIMEOUT);
    out("late", 4);
    ck_assert_int_eq(in(back, 512, &n), 0);
    ck_assert_int_eq(n, 4);
    libusb_close(h);
}
END_TEST

START_TEST(cancelled)
{
    static struct host_transfer x[3];

    for (int i = 0; i < 3; i++)
        host_submit(&x[i], h, i == 2 ? ECHO_REPORT : ECHO_IN, i == 2, 512);
    ck_assert_int_eq(libusb_cancel_transfer(x[1].t), 0);
    ck_assert_int_eq(host_end(&x[1], NULL), LIBUSB_TRANSFER_CANCELLED);
    ck_assert_int_eq(x[0].ended + x[2].ended, 0);
    ck_assert_int_eq(libusb_cancel_transfer(x[2].t), 0);
    ck_assert_int_eq(libusb_cancel_transfer(x[0].t), 0);
    ck_assert_int_eq(host_end(&x[0], NULL), LIBUSB_TRANSFER_CANCELLED);
    ck_assert_int_eq(host_end(&x[2], NULL), LIBUSB_TRANSFER_CANCELLED);
    libusb_close(h);
}
END_TEST

/* Linux ends what is under way on an interface that is given up, and libusb
 * takes that for a transfer of nothing. */
START_TEST(released_under_way)
{
    static struct host_transfer x;
    int n;

    host_submit(&x, h, ECHO_IN, false, 512);
    ck_assert_int_eq(libusb_release_interface(h, 0), 0);
    ck_assert_int_eq(host_end(&x, &n), LIBUSB_TRANSFER_COMPLETED);
    ck_assert_int_eq(n, 0);
    libusb_close(h);
}
END_TEST

/* --- halts and resets ------------------------------------------------------------------- */

START_TEST(a_halt_stays_until_cleared)
{
    unsigned char back[512], status[2];
    int n;

    ck_assert_int_eq(
        libusb_control_transfer(h, 0x40, ECHO_STALL, 0, 0, NULL, 0, MS), 0);
    out("kept", 4);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(in(back, 512, &n), LIBUSB_ERROR_PIPE);
    ck_assert_int_eq(libusb_control_transfer(h, 0x82, 0, 0, ECHO_IN, status, 2, MS),
                     2);
    ck_assert_uint_eq(status[0], 1);
    ck_assert_int_eq(libusb_clear_halt(h, ECHO_IN), 0);
    ck_assert_int_eq(libusb_control_transfer(h, 0x82, 0, 0, ECHO_IN, status, 2, MS),
                     2);
    ck_assert_uint_eq(status[0], 0);
    ck_assert_int_eq(in(back, 512, &n), 0);
    ck_assert_int_eq(n, 4);
    ck_assert_int_eq(libusb_clear_halt(h, 0x85), LIBUSB_ERROR_NOT_FOUND);
    libusb_close(h);
}
END_TEST

START_TEST(reset_leaves_it_as_new)
{
    unsigned char back[512];
    int n;

    out("forgotten", 9);
    ck_assert_int_eq(
        libusb_control_transfer(h, 0x40, ECHO_STALL, 0, 0, NULL, 0, MS), 0);
    ck_assert_int_eq(in(back, 512, &n), LIBUSB_ERROR_PIPE);
    ck_assert_int_eq(libusb_reset_device(h), 0);
    ck_assert_uint_eq(echo_resets(echo), 1);
    out("new", 3);
    ck_assert_int_eq(in(back, 512, &n), 0);
    ck_assert_int_eq(n, 3);
    libusb_close(h);
}
END_TEST

START_TEST(no_such_endpoint)
{
    unsigned char c;
    int n;

    ck_assert_int_eq(libusb_bulk_transfer(h, 0x85, &c, 1, &n, MS), LIBUSB_ERROR_IO);
    /* A bulk endpoint takes no interrupt transfers. */
    ck_assert_int_eq(libusb_interrupt_transfer(h, ECHO_IN, &c, 1, &n, MS),
                     LIBUSB_ERROR_IO);
    libusb_close(h);
}
END_TEST

/* --- a descriptor from elsewhere ----------------------------------------------------------- */

START_TEST(wrapped)
{
    struct libusb_device_descriptor d;
    libusb_device_handle *w;
    char path[64];
    int fd, n;

    ck_assert_int_eq(libusb_release_interface(h, 0), 0);
    snprintf(path, sizeof path, "/dev/bus/usb/001/%03u",
             libusb_get_device_address(libusb_get_device(h)));
    fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(libusb_wrap_sys_device(host_usb, fd, &w), 0);
    ck_assert_int_eq(libusb_get_device_descriptor(libusb_get_device(w), &d), 0);
    ck_assert_uint_eq(d.idProduct, ECHO_PRODUCT);
    ck_assert_int_eq(libusb_claim_interface(w, 0), 0);
    ck_assert_int_eq(
        libusb_bulk_transfer(w, ECHO_OUT, (unsigned char *)"w", 1, &n, MS), 0);
    libusb_close(w);
    ck_assert_int_eq(close(fd), 0);
    ck_assert_int_eq(libusb_claim_interface(h, 0), 0);
    libusb_close(h);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, strings);
    tcase_add_loop_test(t, standard_requests, 0,
                        (int)(sizeof standard / sizeof standard[0]));
    tcase_add_test(t, control_both_ways);
    tcase_add_test(t, configuration_and_alternate_setting);
    tcase_add_loop_test(t, any_length_there_and_back, 0,
                        (int)(sizeof sizes / sizeof sizes[0]));
    tcase_add_loop_test(t, cut_as_a_controller_does, 0,
                        (int)(sizeof cuts / sizeof cuts[0]));
    tcase_add_test(t, many_reads_wait_in_order);
    tcase_add_test(t, reports_come_when_they_come);
    tcase_add_test(t, too_late_is_cancelled_and_nothing_lost);
    tcase_add_test(t, cancelled);
    tcase_add_test(t, released_under_way);
    tcase_add_test(t, a_halt_stays_until_cleared);
    tcase_add_test(t, reset_leaves_it_as_new);
    tcase_add_test(t, no_such_endpoint);
    tcase_add_test(t, wrapped);
}

int main(void)
{
    return host_main(&(struct host_suite){ "usb_transfers", add, setup, teardown });
}
