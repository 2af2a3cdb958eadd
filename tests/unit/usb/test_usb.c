/* drivers/usb: what is on the bus, opening, claiming, strings. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/support.h"
#include "tests/unit/usb/stand.h"

static struct stand s;

/* --- come and gone ---------------------------------------------------------------- */

START_TEST(there_at_the_start_and_later)
{
    struct lab_usb_device *a = parrot_new(1), *b = parrot_new(2);

    stand_open(&s);
    stand_plug(&s, "1-2.4", a);
    stand_start(&s);
    /* Told before usb_start returned, the hub with it. */
    ck_assert(stand_look(&s, "1-2.4").here);
    ck_assert_uint_eq(stand_look(&s, "1-2.4").product, 1);
    ck_assert_uint_eq(stand_look(&s, "1-2").device_class, 9);
    stand_plug(&s, "2-1", b);
    stand_await(&s, "2-1", true);
    stand_unplug(&s, "1-2"); /* the hub and what is behind it */
    stand_await(&s, "1-2.4", false);
    stand_await(&s, "1-2", false);
    ck_assert(stand_look(&s, "2-1").here);
    stand_close(&s);
    a->ops->free(a);
    b->ops->free(b);
}
END_TEST

START_TEST(places_keep_their_names)
{
    struct lab_usb_device *a = parrot_new(1), *b = parrot_new(2);

    stand_open(&s);
    stand_start(&s);
    for (unsigned i = 0; i < 20; i++) {
        bool turned = i % 2;
        stand_plug(&s, "1-1.1", turned ? b : a);
        stand_plug(&s, "1-1.2", turned ? a : b);
        ck_assert_uint_eq(stand_await(&s, "1-1.1", true).product, turned ? 2 : 1);
        ck_assert_uint_eq(stand_await(&s, "1-1.2", true).product, turned ? 1 : 2);
        stand_unplug(&s, "1-1.1");
        stand_unplug(&s, "1-1.2");
        stand_await(&s, "1-1.1", false);
        stand_await(&s, "1-1.2", false);
    }
    ck_assert_uint_eq(stand_look(&s, "1-1.1").came, 20);
    ck_assert_uint_eq(stand_look(&s, "1-1.1").went, 20);
    stand_close(&s);
    a->ops->free(a);
    b->ops->free(b);
}
END_TEST

/* Pulled and plugged before anybody has looked: calls still alternate. */
START_TEST(faster_than_anybody_looks)
{
    struct lab_usb_device *a = parrot_new(1);

    stand_open(&s);
    stand_start(&s);
    for (unsigned i = 0; i < 60; i++) {
        stand_plug(&s, "1-1", a);
        stand_unplug(&s, "1-1");
    }
    stand_plug(&s, "1-1", a);
    stand_await(&s, "1-1", true);
    stand_unplug(&s, "1-1");
    stand_await(&s, "1-1", false);
    stand_close(&s); /* looks whether anything was out of turn */
    a->ops->free(a);
}
END_TEST

/* --- descriptors -------------------------------------------------------------------- */

START_TEST(descriptors_are_handed_on)
{
    struct lab_usb_device *a = parrot_new(0x4711);

    stand_open(&s);
    stand_plug(&s, "1-3", a);
    stand_start(&s);
    struct usb_handle *h = stand_take(&s, "1-3");
    const struct usb_device *d = usb_handle_device(h);
    ck_assert_str_eq(d->path, "1-3");
    ck_assert_uint_eq(d->vendor, PARROT_VENDOR);
    ck_assert_uint_eq(d->product, 0x4711);
    ck_assert_uint_eq(d->release, 0x1234);
    ck_assert_ptr_null(d->fault);
    ck_assert_uint_eq(d->interface_count, 2);
    const struct usb_interface *i = d->interfaces;
    ck_assert_uint_eq(i[0].alternate, 0);
    ck_assert_uint_eq(i[0].class_code, 0xff);
    ck_assert_uint_eq(i[0].subclass, 1);
    ck_assert_uint_eq(i[0].protocol, 2);
    ck_assert_uint_eq(i[0].endpoint_count, 3);
    ck_assert_uint_eq(i[0].endpoints[2].address, PARROT_INTERRUPT);
    ck_assert_uint_eq(i[0].endpoints[2].attributes, 3);
    ck_assert_uint_eq(i[0].endpoints[2].interval, 10);
    ck_assert_uint_eq(i[0].endpoints[0].max_packet, 64);
    struct buf inside = hex("0521a1b2c3"), behind = hex("0321d4");
    ck_assert(span_eq(i[0].extra, buf_span(&inside)));
    ck_assert_uint_eq(i[1].alternate, 1);
    ck_assert(span_eq(i[1].extra, buf_span(&behind)));
    buf_clear(&inside);
    buf_clear(&behind);
    usb_close(h);
    stand_close(&s);
    a->ops->free(a);
}
END_TEST

/* interfaces -1: the device must have a fault, or not come at all. */
static const struct {
    const char *name, *config;
    int interfaces;
} config_rows[] = {
    { "no interface", "09020900000100 8032", 0 },
    { "cut after the header", "0902ff00010100 8032", 0 },
    { "interface cut", "09021200010100 8032 0904000003ff", 0 },
    { "says three endpoints, has none", "09021200010100 8032 0904000003ff010200", -1 },
    { "class octets run over the end", "09021600010100 8032 0904000003ff010200 2021aabb", 1 },
    { "class octets of length 0", "09021600010100 8032 0904000001ff010200 00210000", -1 },
    { "class octets of length 1", "09021600010100 8032 0904000001ff010200 01210000", -1 },
    { "endpoint cut", "09021700010100 8032 0904000001ff010200 0705820240", 1 },
    { "endpoint of length 2", "09021400010100 8032 0904000001ff010200 0205", -1 },
    { "interface of length 3", "09020c00010100 8032 030400", 0 },
    { "too many endpoints", "09021200010100 8032 09040000ffff010200", -1 },
    { "too many interfaces", "09021200ff0100 8032 0904000000ff010200", -1 },
    { "no configuration descriptor", "09040900000100 8032", -1 },
    { "alternates of one interface", "09022400010100 8032 0904000000ff010200"
      "0904000100ff010200 0904000200ff010200", 3 },
    { "interface with number 200", "09021200010100 8032 0904c80000ff010200", 1 },
    { "octets behind the last", "09021400010100 8032 0904000000ff010200 ffff", 1 },
};

START_TEST(malformed_configurations)
{
    struct lab_usb_device *a = parrot_new(9), *b = parrot_new(1);
    struct usb_handle *h = NULL;
    struct err e = ERR_INIT;

    buf_clear(&a->config);
    a->config = hex(config_rows[_i].config);
    stand_open(&s);
    stand_start(&s);
    stand_plug(&s, "1-1", a);
    stand_plug(&s, "1-2", b); /* the others do not notice */
    stand_await(&s, "1-2", true);
    if (stand_look(&s, "1-1").here && usb_open(s.usb, "1-1", &h, &e) == 0) {
        const struct usb_device *d = usb_handle_device(h);
        if (config_rows[_i].interfaces < 0) {
            ck_assert_msg(d->fault != NULL, "%s", config_rows[_i].name);
            ck_assert_uint_eq(d->interface_count, 0);
        } else {
            ck_assert_msg(d->interface_count == (size_t)config_rows[_i].interfaces,
                          "%s: %zu", config_rows[_i].name, d->interface_count);
        }
        for (size_t i = 0; i < d->interface_count; i++) {
            ck_assert_uint_eq(d->interfaces[i].endpoint_count, 0);
            if (usb_claim(h, d->interfaces[i].number, &e) != 0)
                ck_assert_uint_gt(strlen(e.msg), 0);
        }
        usb_close(h);
    } else {
        ck_assert_msg(config_rows[_i].interfaces <= 0, "%s: %s", config_rows[_i].name,
                      e.msg);
    }
    h = stand_take(&s, "1-2");
    stand_echo(h, 10, 1);
    usb_close(h);
    stand_close(&s);
    a->ops->free(a);
    b->ops->free(b);
}
END_TEST

/* --- open and claim -------------------------------------------------------------------- */

START_TEST(nothing_there)
{
    struct lab_usb_device *a = parrot_new(1);
    struct usb_handle *h = NULL;
    struct err e = ERR_INIT;

    stand_open(&s);
    stand_start(&s);
    ck_assert_int_eq(usb_open(s.usb, "1-1", &h, &e), -1);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    stand_plug(&s, "1-1", a);
    stand_await(&s, "1-1", true);
    stand_unplug(&s, "1-1");
    stand_await(&s, "1-1", false);
    ck_assert_int_eq(usb_open(s.usb, "1-1", &h, &e), -1);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    ck_assert_int_eq(usb_open(s.usb, "usb1", &h, &e), -1); /* a root hub */
    ck_assert_int_eq(usb_open(s.usb, "", &h, &e), -1);
    ck_assert_ptr_null(h);
    stand_close(&s);
    a->ops->free(a);
}
END_TEST

START_TEST(claiming)
{
    struct lab_usb_device *a = parrot_new(1);
    struct usb_handle *h, *other = NULL;
    struct err e = ERR_INIT;

    a->kernel_driver = _i ? "usbhid" : NULL;
    stand_open(&s);
    stand_plug(&s, "1-1", a);
    stand_start(&s);
    h = stand_take(&s, "1-1");
    stand_echo(h, 100, 3);
    ck_assert_int_eq(usb_claim(h, 0, &e), 0); /* twice is once */
    ck_assert_int_eq(usb_open(s.usb, "1-1", &other, &e), 0);
    ck_assert_int_eq(usb_claim(other, 0, &e), -1);
    ck_assert_int_eq(e.code, ERR_BUSY);
    ck_assert_int_eq(usb_claim(other, 7, &e), -1);
    ck_assert_int_eq(usb_claim(other, 200, &e), -1);
    usb_close(h);
    ck_assert_msg(usb_claim(other, 0, &e) == 0, "%s", e.msg); /* was given back */
    usb_close(other);
    stand_close(&s);
    a->ops->free(a);
}
END_TEST

START_TEST(strings)
{
    struct lab_usb_device *a = parrot_new(1);
    char text[64], small[4];

    a->strings[3] = "A\tB";
    a->strings[4] = "";
    stand_open(&s);
    stand_plug(&s, "1-1", a);
    stand_start(&s);
    struct usb_handle *h = stand_take(&s, "1-1");
    usb_string(h, 1, text, sizeof text);
    ck_assert_str_eq(text, "Lineside");
    usb_string(h, 1, small, sizeof small);
    ck_assert_str_eq(small, "Lin");
    usb_string(h, 3, text, sizeof text);
    ck_assert_str_eq(text, "A?B");
    usb_string(h, 4, text, sizeof text);
    ck_assert_str_eq(text, "");
    usb_string(h, 7, text, sizeof text);
    ck_assert_str_eq(text, "");
    usb_string(h, 200, text, sizeof text);
    ck_assert_str_eq(text, "");
    memcpy(text, "x", 2);
    usb_string(h, 0, text, sizeof text);
    ck_assert_str_eq(text, "");
    stand_unplug(&s, "1-1");
    usb_string(h, 1, text, sizeof text);
    ck_assert_str_eq(text, "");
    usb_close(h);
    stand_close(&s);
    a->ops->free(a);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "there at the start and later", there_at_the_start_and_later, 1 },
        { "places keep their names", places_keep_their_names, 1 },
        { "faster than anybody looks", faster_than_anybody_looks, 1 },
        { "descriptors are handed on", descriptors_are_handed_on, 1 },
        { "malformed configurations", malformed_configurations,
          sizeof config_rows / sizeof *config_rows },
        { "nothing there", nothing_there, 1 },
        { "claiming", claiming, 2 },
        { "strings", strings, 1 },
    };
    const char *why = lab_bus_cannot();

    if (why) {
        printf("SKIP: %s\n", why);
        return 77;
    }
    return run_tests("drivers/usb", tests, sizeof tests / sizeof *tests);
}
