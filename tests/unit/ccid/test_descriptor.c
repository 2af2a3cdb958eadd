#include "drivers/ccid/descriptor.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* A good TPDU reader; each test bends one thing. */
struct bent {
    uint8_t raw[54];
    struct usb_endpoint endpoints[4];
    struct usb_interface i;
};

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> 8 * i);
}

static void good(struct bent *b)
{
    *b = (struct bent){
        .raw = { 54, 0x21, 0x10, 0x01, 0, 7 },
        .endpoints = { { 0x81, 2, 0, 64 }, { 0x02, 2, 0, 64 }, { 0x83, 3, 10, 8 } },
        .i = { .class_code = 0x0B, .endpoint_count = 3 },
    };
    put32(b->raw + 6, 3);
    put32(b->raw + 10, 4000);
    put32(b->raw + 14, 4000);
    put32(b->raw + 19, 10752);
    put32(b->raw + 23, 344086);
    put32(b->raw + 28, 254);
    put32(b->raw + 40, 0x000100B2);
    put32(b->raw + 44, 271);
    b->raw[53] = 1;
    b->i.endpoints = b->endpoints;
    b->i.extra = SPAN_ARRAY(b->raw);
}

START_TEST(a_good_one)
{
    struct ccid_profile p;
    struct err e = ERR_INIT;
    struct bent b;
    char text[200];

    good(&b);
    ck_assert_msg(ccid_descriptor_judge(&b.i, &p, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(p.level, CCID_EXCHANGE_TPDU);
    ck_assert_uint_eq(p.bulk_in, 0x81);
    ck_assert_uint_eq(p.bulk_out, 0x02);
    ck_assert_uint_eq(p.interrupt, 0x83);
    ck_assert_uint_eq(p.slots, 1);
    ck_assert_uint_eq(p.busy_slots, 1);
    ck_assert_uint_eq(p.voltages, 7);
    ck_assert_uint_eq(p.ifsd, 254);
    ck_assert_uint_eq(p.fidi_max, 0x16);
    ck_assert_uint_eq(p.speed, 344086);
    ck_assert_str_eq(p.notes, "");
    ck_assert_str_eq(ccid_descriptor_text(&p, text, sizeof text),
                     "TPDU level, T=0 and T=1, up to 344086 bit/s (TA1=16), 1 slot");
}
END_TEST

/* One field of the class descriptor, 1 or 4 octets, and the features. */
static const struct {
    const char *name;
    unsigned at, n;
    uint32_t value, features;
    const char *refused; /* in the reason; NULL: usable        */
    const char *note;    /* in the notes; NULL: not looked for */
} field_rows[] = {
    { "character level", 40, 4, 0xB2, 0, "character level", NULL },
    { "TPDU and short", 40, 4, 0x000300B2, 0, "several exchange levels", NULL },
    { "short and extended", 40, 4, 0x00060040, 0, "several exchange levels", NULL },
    { "all features", 40, 4, 0xFFFFFFFF, 0, "several exchange levels", NULL },
    { "no features", 40, 4, 0, 0, "character level", NULL },
    { "short", 40, 4, 0x000200B2, 0, NULL, NULL },
    { "extended", 40, 4, 0x000400B2, 0, NULL, NULL },
    { "16 slots", 4, 1, 15, 0, NULL, NULL },
    { "17 slots", 4, 1, 16, 0, "17 slots", NULL },
    { "256 slots", 4, 1, 255, 0, "256 slots", NULL },
    { "no voltage", 5, 1, 0, 0, "no voltage", NULL },
    { "RFU voltage", 5, 1, 0xF8, 0, "no voltage", NULL },
    { "no voltage, automatic", 5, 1, 0, 0x000100BA, NULL, NULL },
    { "no protocol", 6, 4, 0, 0, "neither T=0 nor T=1", NULL },
    { "T=2", 6, 4, 4, 0, "neither T=0 nor T=1", NULL },
    { "high half only", 6, 4, 0x00030000, 0, "neither T=0 nor T=1", NULL },
    { "every protocol", 6, 4, 0xFFFFFFFF, 0, NULL, NULL },
    { "no clock, automatic rate", 10, 4, 0, 0, NULL, "0 kHz is not believed" },
    { "no clock, must be told", 10, 4, 0, 0x00010002, "clock of 0 kHz", NULL },
    { "absurd clock", 10, 4, 0xFFFFFFFF, 0, NULL, "not believed" },
    { "absurd clock, must be told", 10, 4, 0xFFFFFFFF, 0x00010002, "4294967295 kHz", NULL },
    { "999 kHz", 10, 4, 999, 0x00010002, "999 kHz", NULL },
    { "1000 kHz", 10, 4, 1000, 0x00010002, NULL, NULL },
    { "20 MHz", 10, 4, 20000, 0x00010002, NULL, NULL },
    { "no data rate", 19, 4, 0, 0, NULL, NULL },
    { "no greatest data rate", 23, 4, 0, 0, NULL, NULL },
    { "absurd data rate", 23, 4, 0xFFFFFFFF, 0, NULL, NULL },
    { "no IFSD", 28, 4, 0, 0, NULL, "no T=1" },
    { "IFSD 31", 28, 4, 31, 0, NULL, "no T=1" },
    { "IFSD 32", 28, 4, 32, 0, NULL, NULL },
    { "no IFSD at APDU level", 28, 4, 0, 0x000200B2, NULL, NULL },
    { "absurd IFSD", 28, 4, 0xFFFFFFFF, 0, NULL, NULL },
    { "no message", 44, 4, 0, 0, "neither a T=0 command nor", NULL },
    { "one octet", 44, 4, 1, 0, "neither a T=0 command nor", NULL },
    { "header only", 44, 4, 10, 0, "neither a T=0 command nor", NULL },
    { "46 octets", 44, 4, 46, 0, "neither a T=0 command nor", NULL },
    { "47 octets", 44, 4, 47, 0, NULL, "cut to 32 octets" },
    { "269 octets", 44, 4, 269, 0, NULL, "no T=0" },
    { "270 octets", 44, 4, 270, 0, NULL, NULL },
    { "65554 octets", 44, 4, 65554, 0, NULL, NULL },
    { "65555 octets", 44, 4, 65555, 0, "65555 octets", NULL },
    { "absurd message", 44, 4, 0xFFFFFFFF, 0, "4294967295 octets", NULL },
    { "270 at short level", 44, 4, 270, 0x000200B2, "do not hold a short APDU", NULL },
    { "271 at short level", 44, 4, 271, 0x000200B2, NULL, NULL },
    { "270 at extended level", 44, 4, 270, 0x000400B2, NULL, "in parts of 260" },
    { "63 at extended level", 44, 4, 63, 0x000400B2, "too small", NULL },
    { "0 at extended level", 44, 4, 0, 0x000400B2, "too small", NULL },
    { "no busy slot", 53, 1, 0, 0, NULL, "one command" },
    { "255 busy slots", 53, 1, 255, 0, NULL, NULL },
    { "length 53", 0, 1, 53, 0, "cut short or overlap", NULL },
    { "length 55", 0, 1, 55, 0, "cut short or overlap", NULL },
    { "length 0", 0, 1, 0, 0, "cut short or overlap", NULL },
    { "length 1", 0, 1, 1, 0, "cut short or overlap", NULL },
    { "length 255", 0, 1, 255, 0, "cut short or overlap", NULL },
    { "another type", 1, 1, 0x22, 0, "no CCID class descriptor", NULL },
};

START_TEST(fields)
{
    struct ccid_profile p = { .slots = 99 };
    struct err e = ERR_INIT;
    struct bent b;
    const char *name = field_rows[_i].name;

    good(&b);
    if (field_rows[_i].features)
        put32(b.raw + 40, field_rows[_i].features);
    if (field_rows[_i].n == 4)
        put32(b.raw + field_rows[_i].at, field_rows[_i].value);
    else
        b.raw[field_rows[_i].at] = (uint8_t)field_rows[_i].value;
    int r = ccid_descriptor_judge(&b.i, &p, &e);
    ck_assert_msg((r != 0) == (field_rows[_i].refused != NULL), "%s: %d %s",
                  name, r, e.msg);
    if (r != 0) {
        ck_assert_msg(strstr(e.msg, field_rows[_i].refused) != NULL, "%s: %s", name,
                      e.msg);
        ck_assert_uint_eq(p.slots, 99);
        return;
    }
    ck_assert_msg(!field_rows[_i].note || strstr(p.notes, field_rows[_i].note),
                  "%s: %s", name, p.notes);
    ck_assert_uint_ge(p.slots, 1);
    ck_assert_uint_ge(p.busy_slots, 1);
    ck_assert_uint_le(p.busy_slots, p.slots);
    ck_assert_uint_le(p.speed, 20000000 / 372 * 64);
    ck_assert(p.t0 || p.t1);
    if (p.level == CCID_EXCHANGE_TPDU && p.t1)
        ck_assert(p.ifsd >= 32 && p.ifsd <= 254 &&
                  p.ifsd + 15 <= p.message_max);
}
END_TEST

/* Cut at every length, in memory of exactly that length. */
START_TEST(truncated)
{
    struct ccid_profile p;
    struct bent b;

    good(&b);
    for (size_t n = 0; n < sizeof b.raw; n++) {
        struct err e = ERR_INIT;
        uint8_t *cut = malloc(n ? n : 1);

        memcpy(cut, b.raw, n);
        b.i.extra = SPAN(cut, n);
        ck_assert_int_eq(ccid_descriptor_judge(&b.i, &p, &e), -1);
        ck_assert_int_eq(e.code, ERR_FORMAT);
        if (n > 1) { /* and one that owns up to it */
            cut[0] = (uint8_t)n;
            ck_assert_int_eq(ccid_descriptor_judge(&b.i, &p, &e), -1);
        }
        free(cut);
    }
}
END_TEST

START_TEST(neighbours)
{
    uint8_t extra[3 + 54 + 2 + 60];
    struct ccid_profile p;
    struct err e = ERR_INIT;
    struct bent b;

    good(&b);
    memset(extra, 0, sizeof extra);
    memcpy(extra, "\x03\x55\xFF", 3);
    memcpy(extra + 3, b.raw, 54);
    memcpy(extra + 57, "\x02\x25", 2);
    b.i.extra = SPAN(extra, 59);
    ck_assert_msg(ccid_descriptor_judge(&b.i, &p, &e) == 0, "%s", e.msg);
    extra[0] = 54; /* swallows the head of the next */
    ck_assert_int_eq(ccid_descriptor_judge(&b.i, &p, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.msg, "overlap"));
    extra[0] = 3;
    extra[57] = 61;
    b.i.extra = SPAN(extra, sizeof extra);
    ck_assert_int_eq(ccid_descriptor_judge(&b.i, &p, &e), -1);
    b.i.extra = SPAN(extra + 3, 54);
    extra[3] = 54;
    ck_assert_int_eq(ccid_descriptor_judge(&b.i, &p, &e), 0);
}
END_TEST

static const struct {
    const char *name;
    struct usb_endpoint endpoints[4];
    size_t count;
    const char *refused;
    bool interrupt;
} endpoint_rows[] = {
    { "none", { { 0 } }, 0, "no bulk endpoint", false },
    { "no bulk IN", { { 0x02, 2, 0, 64 }, { 0x83, 3, 1, 8 } }, 2, "no bulk endpoint", false },
    { "no bulk OUT", { { 0x81, 2, 0, 64 }, { 0x83, 3, 1, 8 } }, 2, "no bulk endpoint", false },
    { "two bulk", { { 0x81, 2, 0, 64 }, { 0x01, 2, 0, 64 } }, 2, NULL, false },
    { "isochronous", { { 0x81, 1, 0, 64 }, { 0x02, 1, 0, 64 } }, 2, "no bulk endpoint", false },
    { "interrupt both ways", { { 0x81, 3, 0, 64 }, { 0x02, 3, 0, 64 } }, 2, "no bulk endpoint", false },
    { "endpoint zero", { { 0x80, 2, 0, 64 }, { 0x02, 2, 0, 64 } }, 2, "no bulk endpoint", false },
    { "twice the same", { { 0x81, 2, 0, 64 }, { 0x81, 3, 0, 64 }, { 0x02, 2, 0, 64 } }, 3, "twice", false },
    { "no packet", { { 0x81, 2, 0, 0 }, { 0x02, 2, 0, 64 } }, 2, "no bulk endpoint", false },
    { "packet of 7", { { 0x81, 2, 0, 7 }, { 0x02, 2, 0, 64 } }, 2, "bulk packets", false },
    { "packet of 65535", { { 0x81, 2, 0, 65535 }, { 0x02, 2, 0, 64 } }, 2, "bulk packets", false },
    { "high speed", { { 0x83, 3, 1, 8 }, { 0x02, 2, 0, 512 }, { 0x81, 2, 0, 512 } }, 3, NULL, true },
    { "interrupt of 65535", { { 0x83, 3, 1, 65535 }, { 0x02, 2, 0, 64 }, { 0x81, 2, 0, 64 } }, 3, NULL, false },
};

START_TEST(endpoints)
{
    struct ccid_profile p;
    struct err e = ERR_INIT;
    struct bent b;

    good(&b);
    memcpy(b.endpoints, endpoint_rows[_i].endpoints, sizeof b.endpoints);
    b.i.endpoint_count = endpoint_rows[_i].count;
    int r = ccid_descriptor_judge(&b.i, &p, &e);
    ck_assert_msg((r != 0) == (endpoint_rows[_i].refused != NULL), "%s: %s",
                  endpoint_rows[_i].name, e.msg);
    if (r != 0)
        ck_assert_msg(strstr(e.msg, endpoint_rows[_i].refused) != NULL, "%s: %s",
                      endpoint_rows[_i].name, e.msg);
    else
        ck_assert(endpoint_rows[_i].interrupt == (p.interrupt != 0));
}
END_TEST

START_TEST(kinds)
{
    struct ccid_profile p;
    struct err e = ERR_INIT;
    struct bent b;

    good(&b);
    ck_assert(ccid_descriptor_is_reader(&b.i));
    b.i.class_code = 0xFF;
    ck_assert(ccid_descriptor_is_reader(&b.i));
    ck_assert_int_eq(ccid_descriptor_judge(&b.i, &p, &e), 0);
    b.i.extra.n = 53;
    ck_assert(!ccid_descriptor_is_reader(&b.i));
    b.i.class_code = 3; /* HID, whatever it carries */
    b.i.extra.n = 54;
    ck_assert(!ccid_descriptor_is_reader(&b.i));
    ck_assert_int_eq(ccid_descriptor_judge(&b.i, &p, &e), -1);
    good(&b);
    b.i.protocol = 2;
    ck_assert_int_eq(ccid_descriptor_judge(&b.i, &p, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.msg, "ICCD"));
    b.i.protocol = 0;
    b.i.alternate = 1;
    ck_assert_int_eq(ccid_descriptor_judge(&b.i, &p, &e), -1);
    ck_assert_ptr_nonnull(strstr(e.msg, "alternate"));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("drivers/ccid/descriptor");
    TCase *t = tcase_create("descriptor");

    tcase_add_test(t, a_good_one);
    tcase_add_loop_test(t, fields, 0,
                        (int)(sizeof field_rows / sizeof *field_rows));
    tcase_add_test(t, truncated);
    tcase_add_test(t, neighbours);
    tcase_add_loop_test(t, endpoints, 0,
                        (int)(sizeof endpoint_rows / sizeof *endpoint_rows));
    tcase_add_test(t, kinds);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
