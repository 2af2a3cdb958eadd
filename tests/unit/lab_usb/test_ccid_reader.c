/* The emulated reader as a host meets it: descriptors, control requests,
 * messages, slots, both APDU levels. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "station/base/clock.h"
#include "tests/lab/puppet.h"
#include "tests/lab/usb/ccid_words.h"
#include "tests/lab/usb/link_atr.h"
#include "tests/unit/lab_usb/bare.h"
#include "tests/unit/support.h"

#define NOTHING SPAN(NULL, 0)
#define ROWS(a) ((int)(sizeof(a) / sizeof *(a)))

static struct bare bare;
static struct echo card;

static void setup(void)
{
    echo_init(&card);
}

static void teardown(void)
{
    if (bare.d)
        bare_close(&bare);
    echo_clear(&card);
}

static void open_with(const struct ccid_model_options *o,
                      const struct ccid_card *c)
{
    struct err e = ERR_INIT;

    bare_open(&bare, o);
    ck_assert_msg(ccid_model_insert(bare.d, 0, &card.base, c, &e) == 0, "%s",
                  e.msg);
}

static uint32_t le32(const uint8_t *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
           (uint32_t)p[3] << 24;
}

/* --- descriptors --------------------------------------------------------- */

static const struct {
    const char *name;
    struct ccid_model_options o;
    unsigned endpoints;
    uint32_t features, message_max, rate_max;
    uint8_t slots, busy, get_response;
    bool class_last;
} descriptor_rows[] = {
    { "short", { .level = CCID_SHORT_APDU }, 3, 0x0002047A, 271, 500000, 0, 1,
      0xFF, false },
    { "extended, 8 slots", { .level = CCID_EXTENDED_APDU, .slots = 8,
                             .busy_slots = 2 },
      3, 0x0004047A, 65544, 500000, 7, 2, 0xFF, false },
    { "TPDU", { .level = CCID_TPDU, .no_interrupt = true }, 2, 0x00010030, 271,
      500000, 0, 1, 0, false },
    { "automatic TPDU", { .level = CCID_TPDU, .automatic = true,
                          .clock_khz = 4800, .extra_after_endpoint = true },
      3, 0x0001047A, 271, 600000, 0, 1, 0, true },
    { "character", { .level = CCID_CHARACTER, .message_max = 300,
                     .data_rate_max = 115200, .serial = "7" },
      3, 0x00000030, 300, 115200, 0, 1, 0, false },
};

START_TEST(descriptors)
{
    bare_open(&bare, &descriptor_rows[_i].o);
    const struct buf *d = &bare.d->device, *c = &bare.d->config;
    const uint8_t *class = NULL;
    unsigned endpoints = 0, last = 0;

    ck_assert_uint_eq(d->n, 18);
    ck_assert_uint_eq(d->p[0], 18);
    ck_assert_uint_eq(d->p[7], 64);
    ck_assert_uint_eq(d->p[8] | d->p[9] << 8, 0x1209);
    ck_assert_uint_eq(d->p[16] != 0, descriptor_rows[_i].o.serial != NULL);
    ck_assert_uint_eq(c->p[2] | c->p[3] << 8, c->n);
    for (size_t at = 0; at < c->n; at += c->p[at]) {
        ck_assert_uint_ge(c->p[at], 2);
        last = c->p[at + 1];
        if (last == 0x21)
            class = c->p + at;
        endpoints += last == 5;
    }
    ck_assert_uint_eq(endpoints, descriptor_rows[_i].endpoints);
    ck_assert_uint_eq(last == 0x21, descriptor_rows[_i].class_last);
    ck_assert_ptr_nonnull(class);
    ck_assert_uint_eq(class[0], 54);
    ck_assert_uint_eq(class[4], descriptor_rows[_i].slots);
    ck_assert_uint_eq(le32(class + 6), 3);
    ck_assert_uint_eq(le32(class + 23), descriptor_rows[_i].rate_max);
    ck_assert_uint_eq(le32(class + 40), descriptor_rows[_i].features);
    ck_assert_uint_eq(le32(class + 44), descriptor_rows[_i].message_max);
    ck_assert_uint_eq(class[48], descriptor_rows[_i].get_response);
    ck_assert_uint_eq(class[53], descriptor_rows[_i].busy);
    ck_assert_str_eq(bare.d->strings[1], "Lineside lab");
}
END_TEST

START_TEST(options_that_cannot_be)
{
    const struct ccid_model_options slots = { .slots = 9 },
                                    message = { .message_max = 10 };
    struct lab_usb_device *d;
    struct err e = ERR_INIT;

    ck_assert_int_eq(ccid_model_new(&slots, &d, &e), -1);
    ck_assert_int_eq(e.code, ERR_USAGE);
    ck_assert_int_eq(ccid_model_new(&message, &d, &e), -1);
}
END_TEST

START_TEST(control_requests)
{
    static const struct ccid_model_options o = { .level = CCID_TPDU };
    static const uint8_t clocks[8] = { 0xA1, 2 }, rates[8] = { 0xA1, 3 },
                         other[8] = { 0xA1, 9 },
                         interface_1[8] = { 0xA1, 2, 0, 0, 1 };
    uint8_t in[1024];
    size_t n, at = 0;

    bare_open(&bare, &o);
    ck_assert_int_eq(bare_control(&bare, clocks, in, 8, &n), LAB_USB_OK);
    ck_assert_uint_eq(n, 4);
    ck_assert_uint_eq(le32(in), 4000);
    ck_assert_int_eq(bare_control(&bare, rates, in, sizeof in, &n), LAB_USB_OK);
    for (size_t i = 0; i < bare.d->config.n; i += bare.d->config.p[i])
        if (bare.d->config.p[i + 1] == 0x21)
            at = i;
    ck_assert_uint_eq(n, bare.d->config.p[at + 27] * 4u);
    ck_assert_uint_eq(le32(in), 10752);
    ck_assert_uint_eq(le32(in + n - 4), 500000);
    for (size_t i = 4; i < n; i += 4)
        ck_assert_uint_lt(le32(in + i - 4), le32(in + i));
    ck_assert_int_eq(bare_control(&bare, other, in, 8, &n), LAB_USB_STALL);
    ck_assert_int_eq(bare_control(&bare, interface_1, in, 8, &n),
                     LAB_USB_STALL);
}
END_TEST

/* --- ATR ----------------------------------------------------------------- */

static const struct {
    const char *name;
    struct ccid_card card;
    const char *atr; /* TCK as XX */
    uint8_t first, ta1, error;
} atr_rows[] = {
    { "both", { 0 }, "3b93968031fe40", 0, 0x96, 0 },
    { "T=0 alone", { .no_t1 = true }, "3b1396", 0, 0x96, 0 },
    { "T=0 alone, slow, WI", { .no_t1 = true, .ta1 = 0x11, .wi = 20 },
      "3b834014", 0, 0x11, 0 },
    { "T=1 alone", { .no_t0 = true, .ifsc = 32, .bwi_cwi = 0x45 },
      "3b939681312045", 1, 0x96, 0 },
    { "T=1 first", { .t1_first = true, .crc = true, .guard = 255 },
      "3bd396ff81f1fe400100", 1, 0x96, 0 },
};

START_TEST(atrs)
{
    static const struct ccid_model_options o = { .level = CCID_TPDU };
    AUTO(buf_clear) struct buf got = BUF_INIT, want = hex(atr_rows[_i].atr);
    struct link_atr a;
    uint8_t tck = 0;

    /* Historical octets, and TCK when anything but T=0 is offered. */
    buf_put(&want, "LAB", 3);
    open_with(&o, &atr_rows[_i].card);
    bare_power_on(&bare, 0, 1, &got);
    ck_assert(span_eq(span_sub(buf_span(&got), 0, want.n), buf_span(&want)));
    if (!atr_rows[_i].card.no_t1) {
        ck_assert_uint_eq(got.n, want.n + 1);
        for (size_t i = 1; i < got.n; i++)
            tck ^= got.p[i];
    }
    ck_assert_uint_eq(tck, 0);
    ck_assert_uint_eq(link_atr_read(buf_span(&got), &a), 0);
    ck_assert_uint_eq(a.first, atr_rows[_i].first);
    ck_assert_uint_eq(a.ta1, atr_rows[_i].ta1);
    ck_assert_uint_eq(a.wi, atr_rows[_i].card.wi ? atr_rows[_i].card.wi : 10);
    ck_assert_uint_eq(a.tc1, atr_rows[_i].card.guard);
    if (a.t1) {
        ck_assert_uint_eq(a.ifsc, atr_rows[_i].card.ifsc
                                      ? atr_rows[_i].card.ifsc : 254);
        ck_assert_uint_eq(a.crc, atr_rows[_i].card.crc);
    }
}
END_TEST

static const struct {
    const char *name, *atr;
    uint8_t error; /* of a reader that reads it */
} bad_atr_rows[] = {
    { "TS", "000102", CCID_ERROR_ATR_TS },
    { "one octet", "3b", CCID_ERROR_MUTE },
    { "ends early", "3b9396", CCID_ERROR_MUTE },
    { "TCK", "3b800100", CCID_ERROR_ATR_TCK },
    { "no protocol", "3b800282", CCID_ERROR_PROTOCOL },
};

START_TEST(bad_atrs)
{
    static const struct ccid_model_options manual = { .level = CCID_TPDU },
                                           reads = { .level = CCID_SHORT_APDU };
    AUTO(buf_clear) struct buf atr = hex(bad_atr_rows[_i].atr), got = BUF_INIT;
    AUTO(heard_clear) struct heard h = { 0 };
    const struct ccid_card c = { .atr = atr };

    open_with(&manual, &c);
    bare_power_on(&bare, 0, 1, &got);
    ck_assert(span_eq(buf_span(&got), buf_span(&atr)));
    bare_close(&bare);
    open_with(&reads, &c);
    bare_ask(&bare, CCID_POWER_ON, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0x41);
    ck_assert_uint_eq(h.error, bad_atr_rows[_i].error);
    ck_assert(!card.on);
}
END_TEST

/* --- messages ------------------------------------------------------------ */

/* At a short-APDU reader with an active card in slot 0 and no slot 1. */
static const struct {
    const char *name;
    uint8_t type, slot;
    uint32_t p; /* octets 7 to 9 */
    const char *data;
    uint8_t answer, status, error;
} message_rows[] = {
    { "status", 0x65, 0, 0, "", 0x81, 0x00, 0 },
    { "status with data", 0x65, 0, 0, "00", 0x81, 0x40, 1 },
    { "no such slot", 0x65, 1, 0, "", 0x81, 0x42, 5 },
    { "no such slot, xfr", 0x6F, 7, 0, "00a40000", 0x80, 0x42, 5 },
    { "escape", 0x6B, 0, 0, "01", 0x83, 0x40, 0 },
    { "clock", 0x6E, 0, 0, "", 0x81, 0x40, 0 },
    { "T0APDU", 0x6A, 0, 0, "", 0x81, 0x40, 0 },
    { "secure", 0x69, 0, 0, "00", 0x80, 0x40, 0 },
    { "mechanical", 0x71, 0, 0, "", 0x81, 0x40, 0 },
    { "unknown", 0x7F, 0, 0, "", 0x81, 0x40, 0 },
    { "rate and clock", 0x73, 0, 0, "a00f0000002a0000", 0x84, 0x40, 0 },
    { "power on with data", 0x62, 0, 0, "00", 0x80, 0x40, 1 },
    { "power select", 0x62, 0, 4, "", 0x80, 0x40, 7 },
    { "1.8 V is not there", 0x62, 0, 3, "", 0x80, 0x40, 7 },
    { "xfr of 3 octets", 0x6F, 0, 0, "00a400", 0x80, 0x40, 1 },
    { "xfr with a level", 0x6F, 0, 0x000100, "00a40000", 0x80, 0x40, 8 },
    { "Lc beyond the end", 0x6F, 0, 0, "00a4000009aabb", 0x80, 0x40, 1 },
    { "parameters", 0x6C, 0, 0, "", 0x82, 0x00, 0 },
    { "parameters back", 0x6D, 0, 0, "", 0x82, 0x00, 0 },
    { "parameters with data", 0x6C, 0, 0, "00", 0x82, 0x40, 1 },
    { "protocol 2", 0x61, 0, 2, "9600000a00", 0x82, 0x40, 7 },
    { "set, length", 0x61, 0, 0, "9600000a", 0x82, 0x40, 1 },
    { "set, T=1's length", 0x61, 0, 1, "9600000a00", 0x82, 0x40, 1 },
    { "set, Fi RFU", 0x61, 0, 0, "7600000a00", 0x82, 0x40, 10 },
    { "set, Di RFU", 0x61, 0, 0, "9000000a00", 0x82, 0x40, 10 },
    { "set, too fast", 0x61, 0, 0, "1800000a00", 0x82, 0x00, 0 },
    { "set, inverse", 0x61, 0, 0, "9602000a00", 0x82, 0x40, 11 },
    { "set, WI 0", 0x61, 0, 0, "9600000000", 0x82, 0x40, 13 },
    { "set, clock stop", 0x61, 0, 0, "9600000a04", 0x82, 0x40, 14 },
    { "set, BWI", 0x61, 0, 1, "961000a000fe00", 0x82, 0x40, 13 },
    { "set, IFSC 0", 0x61, 0, 1, "96100040000000", 0x82, 0x40, 15 },
    { "set, T=1 with T=0's TCCK", 0x61, 0, 1, "96000040002000", 0x82, 0x40,
      11 },
};

START_TEST(messages)
{
    static const struct ccid_model_options o = { .level = CCID_SHORT_APDU,
                                                 .voltage = 3 };
    AUTO(heard_clear) struct heard h = { 0 };
    AUTO(buf_clear) struct buf data = hex(message_rows[_i].data);

    open_with(&o, NULL);
    bare_power_on(&bare, 0, 0, NULL);
    bare_ask(&bare, message_rows[_i].type, message_rows[_i].slot,
             message_rows[_i].p, buf_span(&data), &h, NULL);
    ck_assert_uint_eq(h.type, message_rows[_i].answer);
    ck_assert_uint_eq(h.status, message_rows[_i].status);
    ck_assert_uint_eq(h.error, message_rows[_i].error);
}
END_TEST

START_TEST(no_card_and_no_power)
{
    static const struct ccid_model_options o = { .level = CCID_SHORT_APDU };
    static const uint8_t select[] = { 0, 0xA4, 4, 0 };
    AUTO(heard_clear) struct heard h = { 0 };
    struct err e = ERR_INIT;

    bare_open(&bare, &o);
    bare_ask(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0x02);
    bare_ask(&bare, CCID_POWER_ON, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0x42);
    ck_assert_uint_eq(h.error, 0xFE);
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, &card.base, NULL, &e), 0);
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, &card.base, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    bare_ask(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0x01);
    ck_assert_uint_eq(bare_xfr_error(&bare, 0, SPAN_ARRAY(select)), 0xFE);
    bare_power_on(&bare, 0, 0, NULL);
    bare_ask(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0x00);
    bare_ask(&bare, CCID_POWER_OFF, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0x01);
    ck_assert(!card.on);
    card.dead = true;
    bare_ask(&bare, CCID_POWER_ON, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0x41);
    ck_assert_uint_eq(h.error, 0xFE);
    ccid_model_remove(bare.d, 0);
    ccid_model_remove(bare.d, 0);
    bare_ask(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0x02);
}
END_TEST

START_TEST(slot_changes_are_told)
{
    static const struct ccid_model_options o = { .level = CCID_SHORT_APDU,
                                                 .slots = 5 };
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct echo more[2];
    struct err e = ERR_INIT;

    echo_init(&more[0]);
    echo_init(&more[1]);
    bare_open(&bare, &o);
    ck_assert_int_eq(ccid_model_insert(bare.d, 1, &more[0].base, NULL, &e), 0);
    ck_assert_int_eq(ccid_model_insert(bare.d, 4, &more[1].base, NULL, &e), 0);
    ccid_model_remove(bare.d, 1);
    static const uint8_t want[3][3] = { { 0x50, 0x0C, 0x00 },
                                        { 0x50, 0x04, 0x03 },
                                        { 0x50, 0x08, 0x01 } };
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(bare_in(&bare, 0x83, 8, &b), LAB_USB_OK);
        ck_assert(span_eq(buf_span(&b), SPAN_ARRAY(want[i])));
    }
    bare.d->ops->reset(bare.d); /* a new host hears of what is in */
    ck_assert_int_eq(bare_in(&bare, 0x83, 8, &b), LAB_USB_OK);
    ck_assert(span_eq(buf_span(&b), SPAN("\x50\x00\x03", 3)));
}
END_TEST

START_TEST(split_and_malformed_transfers)
{
    static const struct ccid_model_options o = { .level = CCID_SHORT_APDU };
    AUTO(heard_clear) struct heard h = { 0 };
    uint8_t m[CCID_HEADER + 261] = { CCID_XFR_BLOCK, 5, 1, 0, 0, 0, 77 };

    open_with(&o, NULL);
    bare_power_on(&bare, 0, 0, NULL);
    /* 271 octets in one go, and in packets of a careless host. */
    memcpy(m + CCID_HEADER, "\x00\xE2\x00\x00\xFF", 5);
    for (int cut = 64; cut <= 256; cut += 64) {
        ck_assert_int_eq(bare_out(&bare, SPAN(m, cut)), LAB_USB_OK);
        ck_assert_int_eq(bare_out(&bare, SPAN(m + cut, sizeof m - cut)),
                         LAB_USB_OK);
        bare_hear(&bare, &h);
        ck_assert_uint_eq(h.seq, 77);
        ck_assert_uint_eq(h.status, 0);
        ck_assert_uint_eq(h.data.n, 257);
    }
    /* Shorter and longer than it says; longer than is allowed. */
    ck_assert_int_eq(bare_out(&bare, SPAN(m, 100)), LAB_USB_OK);
    bare_hear(&bare, &h);
    ck_assert_uint_eq(h.error, 1);
    m[1] = 3;
    m[2] = 0;
    ck_assert_int_eq(bare_out(&bare, SPAN(m, 20)), LAB_USB_OK);
    bare_hear(&bare, &h);
    ck_assert_uint_eq(h.error, 1);
    m[1] = m[2] = m[3] = m[4] = 0xFF;
    ck_assert_int_eq(bare_out(&bare, SPAN(m, 64)), LAB_USB_OK);
    bare_hear(&bare, &h);
    ck_assert_uint_eq(h.error, 1);
    /* No header: nobody to answer to. */
    ck_assert_int_eq(bare_out(&bare, SPAN(m, 9)), LAB_USB_STALL);
    ck_assert_int_eq(bare_out(&bare, SPAN(m, 9)), LAB_USB_STALL);
    bare.d->ops->clear_halt(bare.d, 0x01);
    bare_ask(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0);
}
END_TEST

/* --- slots --------------------------------------------------------------- */

START_TEST(slots_work_at_once)
{
    const struct ccid_model_options o = { .level = CCID_SHORT_APDU, .slots = 8,
                                          .busy_slots = 4 };
    const struct ccid_card slow = { .think_ms = 60 };
    static const uint8_t get[] = { 0, 0xB0, 0, 0, 4 };
    struct echo cards[8];
    struct err e = ERR_INIT;
    unsigned good = 0, busy = 0;

    bare_open(&bare, &o);
    for (unsigned i = 0; i < 8; i++) {
        echo_init(&cards[i]);
        ck_assert_int_eq(
            ccid_model_insert(bare.d, i, &cards[i].base, &slow, &e), 0);
        bare_power_on(&bare, i, 0, NULL);
    }
    int64_t t = clock_monotonic_ms();
    for (unsigned i = 0; i < 6; i++)
        bare_send(&bare, CCID_XFR_BLOCK, i, 0, SPAN_ARRAY(get));
    bare_send(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING);
    for (unsigned i = 0; i < 7; i++) {
        AUTO(heard_clear) struct heard h = { 0 };

        bare_hear(&bare, &h);
        good += h.status == 0 && h.data.n == 6;
        busy += h.status == 0x40 && h.error == CCID_ERROR_BUSY;
    }
    ck_assert_uint_eq(good, 4);
    ck_assert_uint_eq(busy, 3); /* two slots too many, one twice */
    ck_assert_int_ge(clock_monotonic_ms() - t, 55);
    bare_close(&bare);
    for (unsigned i = 0; i < 8; i++) {
        ck_assert_uint_eq(cards[i].power_offs, cards[i].power_ons);
        echo_clear(&cards[i]);
    }
}
END_TEST

START_TEST(an_abort_needs_both_halves)
{
    static const struct ccid_model_options o = { .level = CCID_SHORT_APDU };
    const struct ccid_card slow = { .think_ms = 30000 };
    static const uint8_t get[] = { 0, 0xB0, 0, 0, 4 };
    AUTO(heard_clear) struct heard h = { 0 };
    uint8_t setup[8] = { 0x21, 1 };

    open_with(&o, &slow);
    bare_power_on(&bare, 0, 0, NULL);
    for (int control_first = 0; control_first < 2; control_first++) {
        bare_send(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get));
        setup[3] = (uint8_t)(bare.seq + 1); /* bSlot 0, bSeq of the message */
        if (control_first)
            ck_assert_int_eq(bare_control(&bare, setup, NULL, 0, NULL),
                             LAB_USB_OK);
        bare_send(&bare, CCID_ABORT, 0, 0, NOTHING);
        if (!control_first) {
            bare_send(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING);
            do
                bare_hear(&bare, &h); /* past what the card asks for */
            while (h.status & CCID_COMMAND_TIME);
            ck_assert_uint_eq(h.status, 0x40);
            ck_assert_uint_eq(h.error, CCID_ERROR_ABORTED);
            bare.seq--;
            ck_assert_int_eq(bare_control(&bare, setup, NULL, 0, NULL),
                             LAB_USB_OK);
        }
        do
            bare_hear(&bare, &h);
        while (h.status & CCID_COMMAND_TIME);
        ck_assert_uint_eq(h.type, CCID_SLOT_STATUS);
        ck_assert_uint_eq(h.seq, bare.seq);
        ck_assert_uint_eq(h.status, 0);
    }
    bare_ask(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.status, 0);
}
END_TEST

/* --- APDU levels --------------------------------------------------------- */

static const struct {
    const char *name;
    struct ccid_card card;
} links[] = {
    { "T=0", { .no_t1 = true } },
    { "T=0, octet by octet", { .no_t1 = true, .one_by_one = true } },
    { "T=0, NULLs", { .no_t1 = true, .wtx_every = 1 } },
    { "T=0, default speed", { .no_t1 = true, .ta1 = 0x11 } },
    { "T=0, no PPS", { .no_t1 = true, .refuse_pps = true } },
    { "T=1", { .no_t0 = true } },
    { "T=1, IFSC 16", { .no_t0 = true, .ifsc = 16 } },
    { "T=1, CRC", { .no_t0 = true, .crc = true, .guard = 255 } },
    { "T=1, WTX", { .no_t0 = true, .wtx_every = 1 } },
    { "T=1, IFS", { .no_t0 = true, .ifs_every = 1, .ifsc = 40 } },
    { "T=1, no PPS", { .no_t0 = true, .refuse_pps = true } },
    { "T=1 first", { .t1_first = true } },
};

static const enum ccid_level levels[] = { CCID_SHORT_APDU,
                                          CCID_EXTENDED_APDU };

START_TEST(apdu_echo)
{
    const struct ccid_model_options o = { .level = levels[_i % 2] };
    const struct ccid_card *c = &links[_i / 2].card;
    struct ccid_model_counters n;

    open_with(&o, c);
    bare_power_on(&bare, 0, 0, NULL);
    for (unsigned lc = 0; lc <= 255; lc += 51) {
        AUTO(buf_clear) struct buf in = BUF_INIT, out = BUF_INIT;

        buf_put(&in, "\x80\xE2\x91\x00", 4);
        if (lc)
            buf_put_u8(&in, (uint8_t)lc);
        for (unsigned i = 0; i < lc; i++)
            buf_put_u8(&in, (uint8_t)i);
        if (lc)
            buf_put_u8(&in, 0); /* Le: the reader fetches it with T=0 */
        bare_xfr(&bare, 0, buf_span(&in), &out);
        ck_assert_uint_eq(out.n, lc + 2);
        for (unsigned i = 0; i < lc; i++)
            ck_assert_uint_eq(out.p[i], lc - 1 - i);
        ck_assert_uint_eq(out.p[lc] << 8 | out.p[lc + 1], 0x9000);
    }
    /* Case 2: exactly, all, and more than there is. */
    for (unsigned le = 0; le <= 10; le += 10) {
        const uint8_t get[] = { 0, 0xB0, 0, 3, (uint8_t)le };
        AUTO(buf_clear) struct buf out = BUF_INIT;

        card.octets = le ? 7 : 0;
        bare_xfr(&bare, 0, SPAN_ARRAY(get), &out);
        ck_assert_uint_eq(out.n, le ? 9 : 258);
    }
    bare_counters(&bare, &n);
    ck_assert_uint_eq(n.apdus, 8); /* none was done twice */
    ck_assert_uint_eq(card.apdus, 8);
    ck_assert_uint_eq(n.fidi, c->refuse_pps || c->ta1 == 0x11 ? 0x11 : 0x96);
    ck_assert_uint_eq(n.pps, c->ta1 != 0x11);
    ck_assert_uint_eq(n.power_ons, c->refuse_pps ? 2 : 1);
    ck_assert_uint_eq(n.wtx, c->no_t0 && c->wtx_every ? 8 : 0);
    ck_assert_uint_eq(n.nulls, c->no_t1 && c->wtx_every ? 8 : 0);
    ck_assert_uint_eq(n.resynch, 0);
}
END_TEST

/* One that says 61xx itself, and one that never does. */
START_TEST(puppets_over_t0)
{
    const struct ccid_model_options o = { .level = CCID_SHORT_APDU };
    const struct puppet_rules rules = { .by_get_response = _i == 1 };
    const struct ccid_card t0 = { .no_t1 = true };
    AUTO(buf_clear) struct buf out = BUF_INIT, in = BUF_INIT;
    struct fixture *f;
    struct err e = ERR_INIT;

    ck_assert_int_eq(puppet_new(&rules, &f, &e), 0);
    bare_open(&bare, &o);
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, f, &t0, &e), 0);
    bare_power_on(&bare, 0, 0, NULL);
    buf_put_hex(&in, "0070000001");
    bare_xfr(&bare, 0, buf_span(&in), &out);
    ck_assert(span_eq(buf_span(&out), SPAN("\x01\x90\x00", 3)));
    buf_reset(&in);
    buf_put_hex(&in, "01a4040001aa");
    bare_xfr(&bare, 0, buf_span(&in), &out);
    ck_assert(span_eq(buf_span(&out), SPAN("\x90\x00", 2)));
    bare_close(&bare);
    f->ops->close(f);
}
END_TEST

START_TEST(extended_chaining)
{
    static const struct ccid_model_options o = { .level = CCID_EXTENDED_APDU,
                                                 .message_max = 110 };
    static const struct ccid_card t1 = { .no_t0 = true };
    AUTO(buf_clear) struct buf in = BUF_INIT, out = BUF_INIT;
    AUTO(heard_clear) struct heard h = { 0 };
    unsigned levels_seen = 0;

    open_with(&o, &t1);
    bare_power_on(&bare, 0, 0, NULL);
    buf_put_hex(&in, "80e29100000208"); /* Lc 520 */
    for (unsigned i = 0; i < 520; i++)
        buf_put_u8(&in, (uint8_t)i);
    buf_put_u16(&in, 0);
    for (size_t at = 0; at < in.n; at += 100) {
        bool last = in.n - at <= 100;
        uint32_t level = at == 0 ? 1 : last ? 2 : 3;

        bare_ask(&bare, CCID_XFR_BLOCK, 0, level << 8,
                 span_sub(buf_span(&in), at, 100), &h, NULL);
        ck_assert_uint_eq(h.status, 0);
        ck_assert_uint_eq(h.byte_9, last ? 1 : 0x10);
    }
    for (;;) {
        levels_seen |= 1u << h.byte_9;
        buf_put_span(&out, buf_span(&h.data));
        if (h.byte_9 != 1 && h.byte_9 != 3)
            break;
        bare_ask(&bare, CCID_XFR_BLOCK, 0, 0x1000, NOTHING, &h, NULL);
        ck_assert_uint_eq(h.status, 0);
    }
    ck_assert_uint_eq(levels_seen, 1u << 1 | 1u << 2 | 1u << 3);
    ck_assert_uint_eq(out.n, 522);
    for (unsigned i = 0; i < 520; i++)
        ck_assert_uint_eq(out.p[i], (uint8_t)(519 - i));
    /* Nothing to continue, either way. */
    bare_ask(&bare, CCID_XFR_BLOCK, 0, 0x1000, NOTHING, &h, NULL);
    ck_assert_uint_eq(h.error, 8);
    bare_ask(&bare, CCID_XFR_BLOCK, 0, 0x0200, SPAN("\0", 1), &h, NULL);
    ck_assert_uint_eq(h.error, 8);
}
END_TEST

START_TEST(an_automatic_reader_negotiates_anew)
{
    static const struct ccid_model_options o = { .level = CCID_SHORT_APDU,
                                                 .data_rate_max = 130000 };
    static const uint8_t get[] = { 0, 0xB0, 0, 0, 4 };
    AUTO(buf_clear) struct buf out = BUF_INIT;
    AUTO(heard_clear) struct heard h = { 0 };
    struct ccid_model_counters n;

    open_with(&o, NULL);
    bare_power_on(&bare, 0, 0, NULL);
    bare_counters(&bare, &n);
    ck_assert_uint_eq(n.fidi, 0x95); /* 125,000 bps are within its limit */
    bare_set_params(&bare, 0, 1, "9410004000fe00");
    bare_xfr(&bare, 0, SPAN_ARRAY(get), &out);
    ck_assert_uint_eq(out.n, 6);
    bare_counters(&bare, &n);
    ck_assert_uint_eq(n.fidi, 0x94);
    ck_assert_uint_eq(n.pps, 2);
    ck_assert_uint_eq(n.ifs, 1);
    /* After a command that would lose the card's state. */
    bare_ask(&bare, CCID_PARAMETERS_SET, 0, 0, SPAN("\x11\0\0\x0a\0", 5), &h,
             NULL);
    ck_assert_uint_eq(h.status, 0x40);
    ck_assert_uint_eq(h.error, 10);
}
END_TEST

START_TEST(reset_and_unplug_at_any_moment)
{
    static const struct ccid_model_options o = { .level = CCID_SHORT_APDU,
                                                 .speed_percent = 100 };
    struct ccid_card slow = { .think_ms = 20, .no_t1 = true };
    static const uint8_t get[] = { 0, 0xB0, 0, 0, 0 };
    AUTO(heard_clear) struct heard h = { 0 };

    open_with(&o, &slow);
    for (int i = 0; i < 10; i++) {
        bare_power_on(&bare, 0, 0, NULL);
        bare_send(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get));
        usleep((useconds_t)i * 3000);
        if (i & 1)
            bare.d->ops->reset(bare.d);
        else
            bare.d->ops->unplugged(bare.d);
        /* Nothing of before comes through. */
        bare_ask(&bare, CCID_SLOT_STATUS_GET, 0, 0, NOTHING, &h, NULL);
        ck_assert_uint_eq(h.status, 0x01);
        ck_assert(!card.on);
    }
    ccid_model_remove(bare.d, 0);
    slow.think_ms = 800; /* less than its waiting time, more than a test's */
    ck_assert_int_eq(ccid_model_insert(bare.d, 0, &card.base, &slow, NULL), 0);
    bare_power_on(&bare, 0, 0, NULL);
    bare_send(&bare, CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get));
    ccid_model_remove(bare.d, 0);
    bare_hear(&bare, &h);
    ck_assert_uint_eq(h.status, 0x42);
    ck_assert_uint_eq(h.error, 0xFE);
}
END_TEST

START_TEST(two_hundred_readers)
{
    enum { READERS = 200 };
    const struct ccid_model_options o = { .level = CCID_SHORT_APDU };
    static const uint8_t get[] = { 0, 0xB0, 0, 0, 4 };
    static struct bare d[READERS];
    static struct echo c[READERS];
    struct err e = ERR_INIT;

    for (int i = 0; i < READERS; i++) {
        echo_init(&c[i]);
        bare_open(&d[i], &o);
        ck_assert_int_eq(ccid_model_insert(d[i].d, 0, &c[i].base, NULL, &e), 0);
        bare_send(&d[i], CCID_POWER_ON, 0, 0, NOTHING);
    }
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < READERS; i++) {
            AUTO(heard_clear) struct heard h = { 0 };

            bare_hear(&d[i], &h);
            ck_assert_uint_eq(h.status, 0);
            if (round < 2)
                bare_send(&d[i], CCID_XFR_BLOCK, 0, 0, SPAN_ARRAY(get));
        }
    for (int i = 0; i < READERS; i++) {
        bare_close(&d[i]);
        ck_assert_uint_eq(c[i].apdus, 2);
        echo_clear(&c[i]);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("lab_usb/ccid_reader");
    TCase *t = tcase_create("reader");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, descriptors, 0, ROWS(descriptor_rows));
    tcase_add_test(t, options_that_cannot_be);
    tcase_add_test(t, control_requests);
    tcase_add_loop_test(t, atrs, 0, ROWS(atr_rows));
    tcase_add_loop_test(t, bad_atrs, 0, ROWS(bad_atr_rows));
    tcase_add_loop_test(t, messages, 0, ROWS(message_rows));
    tcase_add_test(t, no_card_and_no_power);
    tcase_add_test(t, slot_changes_are_told);
    tcase_add_test(t, split_and_malformed_transfers);
    tcase_add_test(t, slots_work_at_once);
    tcase_add_test(t, an_abort_needs_both_halves);
    tcase_add_loop_test(t, apdu_echo, 0, 2 * ROWS(links));
    tcase_add_loop_test(t, puppets_over_t0, 0, 2);
    tcase_add_test(t, extended_chaining);
    tcase_add_test(t, an_automatic_reader_negotiates_anew);
    tcase_add_test(t, reset_and_unplug_at_any_moment);
    tcase_add_test(t, two_hundred_readers);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
