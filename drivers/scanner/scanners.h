/* drivers/scanner/scanners: every scanner on the bus. Fed with what comes
 * and goes; opens in a thread of its own, hands scans over in another.
 *
 * A scanner that plays a keyboard cannot be told from a keyboard: only where
 * the station was told of a scanner is one taken; an operator's keyboard stays
 * a keyboard. One that speaks HID POS says what it is and is taken unless the
 * place is not ours. */
#ifndef LINESIDE_DRIVERS_SCANNER_SCANNERS_H
#define LINESIDE_DRIVERS_SCANNER_SCANNERS_H

#include "drivers/scanner/decode.h"
#include "drivers/usb/usb.h"

#define SCANNERS_QUEUE 64 /* scans that wait to be taken */

enum scanners_allow {
    SCANNERS_UNTOLD, /* nothing was said of this place: HID POS is taken */
    SCANNERS_BOUND,  /* a scanner is here, a keyboard too */
    SCANNERS_NEVER   /* not ours: never opened */
};

struct scanners_options {
    /* How it is at this place, and its settings (defaults are filled in;
     * used unless NEVER). Called in a thread of ours, each time something is
     * plugged there. NULL: all UNTOLD. Must not call scanners_*. */
    enum scanners_allow (*allow)(void *ctx, const char *place,
                                 struct scanner_settings *s);
    /* A scan, or a refusal: what and text as decode_scan_fn has them. In a
     * thread of ours, one at a time, in order for each place. May wait, but
     * then the queue fills: SCANNER_OVERFLOW tells what was lost. */
    void (*scan)(void *ctx, const char *place, enum scanner_scan what,
                 struct span text);
    /* Something about a place has changed (scanners_list). NULL is fine. In a
     * thread of ours. Must not call scanners_stop. */
    void (*changed)(void *ctx, const char *place);
    void *ctx;
};

struct scanners;

/* Before usb_start, with u set later: scanners_changed only queues until
 * scanners_run. */
int scanners_new(const struct scanners_options *o, struct scanners **out,
                 struct err *e);
/* A usb_changed_fn's news, handed on: never waits. */
void scanners_changed(struct scanners *s, const struct usb_device *d, bool here);
/* Starts the threads. u must outlive scanners_free. */
int scanners_run(struct scanners *s, struct usb *u, struct err *e);
/* Asks `allow` again for this place and acts on it (an operator has bound or
 * unbound it). */
void scanners_again(struct scanners *s, const char *place);
/* Scans that are in the queue are handed over first; then everything is given
 * back. Before usb_stop. NULL is fine. */
void scanners_free(struct scanners *s);

/* --- for `lineside fixtures` ---------------------------------------------------- */

enum scanners_state {
    SCANNERS_OPENING,
    SCANNERS_READY,
    SCANNERS_PARKED,    /* why; until it is plugged again */
    SCANNERS_CANDIDATE, /* looks like a keyboard or a scanner; why: how to bind */
    SCANNERS_NOT_OURS,  /* told so, or no scanner; why */
    SCANNERS_GONE,      /* was ready, parked or bound; is unplugged */
    SCANNERS_STATES
};
const char *scanners_state_name(enum scanners_state s); /* "not-ours" */

struct scanners_place {
    char path[USB_PATH_MAX + 1];
    enum scanners_state state;
    enum hid_kind kind; /* once it was looked at */
    bool bound;
    uint16_t vendor, product;
    char name[64]; /* its maker's words, or "" */
    char why[400]; /* "" when ready */
};
/* Places with a HID device, or that had a scanner, by path. Returns how many
 * there are; at most max are copied. */
size_t scanners_list(struct scanners *s, struct scanners_place *out, size_t max);

#endif
