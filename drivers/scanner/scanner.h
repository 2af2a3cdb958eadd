/* drivers/scanner/scanner: one scanner at one place, taken for ourselves
 * alone, so that a scan never types into anything. Two transfers are always
 * under way, so that no report is lost between them. */
#ifndef LINESIDE_DRIVERS_SCANNER_SCANNER_H
#define LINESIDE_DRIVERS_SCANNER_SCANNER_H

#include "drivers/scanner/decode.h"
#include "drivers/usb/usb.h"

struct scanner;

struct scanner_options {
    struct scanner_settings settings;
    bool keyboard; /* a keyboard is a scanner here; else HID POS only */
    /* A scan (or a refusal). In the event thread, or in the caller's of
     * scanner_tick; never two at once. Must not wait. */
    decode_scan_fn *scan;
    /* It needs scanner_tend (a halted endpoint), or scanner_tick has become
     * due sooner than it was. In the event thread. Must not wait. */
    void (*attend)(void *ctx);
    void *ctx;
};

/* Opens what is at `path` and claims its HID interfaces: all of them where a
 * keyboard is a scanner; else those that may be HID POS, and of those not one
 * of which the kernel knows better. May take seconds; not in the event thread. */
int scanner_open(struct usb *u, const char *path,
                 const struct scanner_options *o, struct scanner **out,
                 struct err *e);
/* Finds the interface that scans and listens to it. Once. ERR_WRONG_STATE: it
 * is no scanner (or a keyboard, and none is wanted here); the text says what
 * it is. After any other failure it is best kept as it is, so that it does
 * not type into anything. */
int scanner_start(struct scanner *s, struct err *e);
enum hid_kind scanner_kind(const struct scanner *s); /* as far as was found */
const char *scanner_name(const struct scanner *s); /* its maker's words, or "" */

/* Clears what is halted and goes on. Fails when it is beyond help: park it.
 * Waits; one thread at a time. */
int scanner_tend(struct scanner *s, struct err *e);
/* When scanner_tick is due (clock_monotonic_ms); -1: never. Any thread. */
int64_t scanner_deadline(struct scanner *s);
void scanner_tick(struct scanner *s, int64_t now_ms);
/* What is unfinished is reported as cut. NULL is fine. */
void scanner_close(struct scanner *s);

#endif
