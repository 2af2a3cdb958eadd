/* drivers/usb: the only door to libusb. One context, one event thread for
 * all; who waits sleeps. Everything asynchronous; every wait has a deadline.
 *
 * A device is named by its place: bus and port chain, "1-2.4" (the fourth
 * port of the hub at the second port of bus 1), as Linux names it. The same
 * place keeps its name whatever is plugged there.
 *
 * What a device says of itself is untrusted. Here its descriptors are only
 * handed on, bounded; drivers/ccid and drivers/scanner judge them. */
#ifndef LINESIDE_DRIVERS_USB_USB_H
#define LINESIDE_DRIVERS_USB_USB_H

#include <stdatomic.h>

#include "station/base/err.h"
#include "station/base/span.h"

#define USB_PATH_MAX 47 /* three digits of bus, seven ports of three */

/* --- what is on the bus ---------------------------------------------------- */

struct usb_endpoint {
    uint8_t address;    /* bit 7: IN */
    uint8_t attributes; /* bits 0-1: 2 bulk, 3 interrupt */
    uint8_t interval;
    uint16_t max_packet; /* octets, without the high-bandwidth bits */
};

struct usb_interface {
    uint8_t number, alternate;
    uint8_t class_code, subclass, protocol;
    struct usb_endpoint *endpoints;
    size_t endpoint_count;
    struct span extra; /* class descriptors that follow it (or, with some
                          readers, its last endpoint), raw */
};

/* One device, as its descriptors tell it; nothing was opened to learn it.
 * Immutable. */
struct usb_device {
    char path[USB_PATH_MAX + 1];
    uint16_t vendor, product, release;
    uint8_t device_class; /* 9: a hub */
    struct usb_interface *interfaces; /* every alternate setting of the active
                                         configuration; none if it cannot be
                                         read */
    size_t interface_count;
    const char *fault; /* why the configuration cannot be read; NULL: it can */
};

struct usb; /* the context and its event thread */

/* A device has come (here) or gone. Called in the event thread, or, for those
 * that are there at the start, in the thread and before the return of
 * usb_start; d is borrowed for the call. Must not call usb_open, usb_close or
 * usb_stop, nor wait: hand it on. For one place, calls alternate: come, gone,
 * come. Root hubs are no places and are not told. */
typedef void usb_changed_fn(void *ctx, const struct usb_device *d, bool here);

/* ERR_IO with what to do when the machine has no USB or forbids it. changed
 * may be NULL. */
int usb_start(usb_changed_fn *changed, void *ctx, struct usb **out,
              struct err *e);
/* All handles must be closed. NULL is fine. */
void usb_stop(struct usb *u);

/* --- one device -------------------------------------------------------------
 * A handle may be used by several threads. What waits (open, close, claim,
 * string, control, clear_halt, reset) must not be called in the event thread,
 * that is, from changed or done. */

struct usb_handle;

/* The device that is at `path` now. Nothing is claimed. ERR_NOT_FOUND: nothing
 * there. ERR_IO: not allowed (udev rule), or it fails. Any thread. */
int usb_open(struct usb *u, const char *path, struct usb_handle **out,
             struct err *e);
/* Its descriptors; borrowed until usb_close. */
const struct usb_device *usb_handle_device(const struct usb_handle *h);
/* Takes an interface for ourselves alone; a kernel driver that has it is
 * detached first (and attached again at close). ERR_BUSY: another program. */
int usb_claim(struct usb_handle *h, uint8_t interface, struct err *e);
/* Cancels what is under way, waits for its end (seconds at most, also when the
 * device does not let go), gives everything back. A thread that is inside
 * usb_control or another call at that moment comes out of it with an error
 * first; to begin a new call, or usb_cancel, after usb_close has begun is the
 * caller's mistake. Hold no lock that a done takes. NULL is fine. */
void usb_close(struct usb_handle *h);
/* The device has left the bus (or was never any good again). */
bool usb_gone(const struct usb_handle *h);

/* USB string descriptor `index` (0: none) as UTF-8, control characters as
 * '?'; empty when it has none or does not say. */
void usb_string(struct usb_handle *h, uint8_t index, char *out, size_t cap);

/* One control transfer and the wait for it. data: what goes out, or room for
 * what comes in (direction: bit 7 of type); *got (may be NULL): octets moved.
 * ERR_NO_CARD gone; ERR_TIMEOUT; ERR_IO: STALL ("the device refuses") and
 * all else. */
int usb_control(struct usb_handle *h, uint8_t type, uint8_t request,
                uint16_t value, uint16_t index, void *data, uint16_t n,
                size_t *got, int timeout_ms, struct err *e);
int usb_clear_halt(struct usb_handle *h, uint8_t endpoint, struct err *e);
/* A port reset. What is under way ends with USB_CANCELLED first, every done
 * has returned before the reset; usb_submit is refused meanwhile. The device
 * is the same afterwards or gone. Hold no lock that a done takes. */
int usb_reset(struct usb_handle *h, struct err *e);

/* --- transfers -------------------------------------------------------------- */

enum usb_status {
    USB_DONE,
    USB_STALL,     /* endpoint halted: usb_clear_halt                       */
    USB_OVERFLOW,  /* the device sent more than there was room for (babble) */
    USB_CANCELLED, /* by usb_cancel or usb_close                            */
    USB_GONE,      /* the device left                                       */
    USB_FAILED     /* anything else                                         */
};
const char *usb_status_text(enum usb_status s); /* "the device left" */

/* A bulk or interrupt transfer, embedded by its user, zero-initialised before
 * its first use; nothing has to be given back. The memory (and the buffer) must stay until done was called,
 * or usb_close has returned. No transfer has a timeout of its own: its user
 * waits with a deadline and cancels. */
struct usb_transfer {
    /* Set by the user before usb_submit. */
    uint8_t endpoint;
    bool interrupt; /* else bulk */
    uint8_t *data;
    size_t length;
    /* In the event thread. May submit again, also this one; must not wait.
     * For IN: actual octets are in data (some, too, when it was cancelled
     * half-way). */
    void (*done)(struct usb_transfer *t, enum usb_status s, size_t actual);
    void *ctx;
    /* transfer.c's own; NULL while not under way. */
    void *urb;
    _Atomic(struct usb_handle *) handle;
};
/* From any thread, also from a callback. ERR_NO_CARD: gone, or being closed.
 * ERR_IO. On failure done is not called. */
int usb_submit(struct usb_handle *h, struct usb_transfer *t, struct err *e);
/* done follows with USB_CANCELLED unless it was just being called. Harmless
 * on one that is not under way. */
void usb_cancel(struct usb_transfer *t);

#endif
