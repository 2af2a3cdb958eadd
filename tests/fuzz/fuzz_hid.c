/* A scanner from hell: two octets of length, one of settings, a report
 * descriptor, then reports, each with an octet of length and one of time
 * before it. Whatever comes: no scan is longer than it may be, no refusal
 * without a sentence, nothing waits for ever. */
#include "drivers/scanner/decode.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static void scanned(void *ctx, enum scanner_scan what, struct span text)
{
    size_t *scans = ctx;

    CHECK(what < SCANNER_OVERFLOW);
    CHECK(what == SCANNER_OK ? text.n <= SCANNER_TEXT_MAX : text.n > 0);
    ++*scans;
}

static void check_parsed(const struct hid_scanner *h)
{
    CHECK(h->kind < HID_KINDS && h->verdict[0]);
    CHECK(h->report_max <= HID_REPORT_MAX + 1);
    CHECK(h->kind != HID_POS || (h->data.size == 8 && h->data.count > 0));
    CHECK(h->kind != HID_KEYBOARD || (h->piece_count > 0 && h->report_count > 0));
    for (size_t i = 0; i < h->piece_count; i++)
        CHECK(h->pieces[i].first + h->pieces[i].usages <= h->usage_count);
}

static struct span take(struct span *in, size_t n)
{
    struct span s = span_sub(*in, 0, n);

    *in = span_sub(*in, s.n, in->n);
    return s;
}

static void feed(const struct hid_scanner *h, uint8_t how, struct span in)
{
    struct scanner_settings s = {
        .layout = (enum layout)(how % LAYOUTS),
        .suffix = (enum scanner_suffix)(how / 4 % SCANNER_SUFFIXES),
        .prefix = { how & 0x80 ? 'a' : 0 },
    };
    size_t scans = 0, reports = 0;
    struct decode d;
    int64_t now = 1;

    decode_init(&d, h, &s, scanned, &scans);
    while (in.n >= 2) {
        size_t n = in.p[0];

        now += in.p[1] * 4;
        in = span_sub(in, 2, in.n);
        if (n == 0xFF)
            decode_lost(&d, now);
        else
            decode_report(&d, take(&in, n), now);
        reports++;
    }
    decode_tick(&d, now + 1000000);
    CHECK(decode_deadline(&d) == -1);
    decode_end(&d);
    /* At most a key in each bit ends a scan, and a cut comes before each. */
    CHECK(scans <= reports * (HID_PRESSED_MAX + 1) + 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span in = SPAN(data, size), descriptor;
    struct hid_scanner h;
    struct err e = ERR_INIT;

    if (size < 3)
        return 0;
    in = span_sub(in, 3, in.n);
    descriptor = take(&in, (size_t)data[0] << 8 | data[1]);
    if (hid_parse(descriptor, &h, &e) != 0) {
        CHECK(e.code != ERR_NONE && e.msg[0]);
        return 0;
    }
    check_parsed(&h);
    feed(&h, data[2], in);
    return 0;
}
