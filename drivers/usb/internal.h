/* drivers/usb/internal.h: what the sources of this folder share.
 *
 * Locks. libusb calls our callbacks with its own events lock held, and
 * libusb_close takes that lock: so libusb_open, libusb_close and libusb_exit
 * are never called with a lock of ours held. Submitting and cancelling take
 * only libusb's transfer locks, under which it calls nobody: these two are
 * called with the handle's lock held, which keeps a cancel from meeting the
 * end of the same transfer or its next submission. */
#ifndef LINESIDE_DRIVERS_USB_INTERNAL_H
#define LINESIDE_DRIVERS_USB_INTERNAL_H

#include <libusb-1.0/libusb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "drivers/usb/usb.h"

/* --- devices (device.c) ------------------------------------------------------ */

/* One device from its arrival to its leaving, and longer while a handle has
 * it. Descriptors and all in one piece of memory. */
struct device {
    struct usb_device pub;
    libusb_device *libusb;
    atomic_uint refs;
    struct device *next; /* in struct usb */
};

/* NULL: a root hub, or out of memory. */
struct device *device_new(libusb_device *dev);
struct device *device_ref(struct device *d);
void device_unref(struct device *d); /* NULL is fine */

/* --- the bus (usb.c) ----------------------------------------------------------- */

struct usb {
    libusb_context *libusb;
    libusb_hotplug_callback_handle hotplug;
    pthread_t thread;
    atomic_bool stopping;
    usb_changed_fn *changed;
    void *ctx;
    pthread_mutex_t lock; /* the two lists */
    struct device *devices;
    struct usb_handle *handles;
};

/* The code and the words for what libusb answered: "USB 1-2: cannot WHAT:
 * ...". Returns -1. */
int usb_fail(struct err *e, int libusb_code, const char *path, const char *what);

/* --- handles and transfers (handle.c, transfer.c) ------------------------------- */

struct urb;     /* one libusb_transfer of a handle's pool */
struct control; /* one control transfer and who waits for it */

struct usb_handle {
    struct usb *usb;
    struct device *device;
    libusb_device_handle *libusb;
    struct usb_handle *next; /* in struct usb */
    atomic_bool gone;
    pthread_mutex_t lock; /* all below */
    pthread_cond_t changed;
    struct urb *idle;      /* not in use            */
    struct urb *under_way; /* libusb has them       */
    struct control *limbo; /* given up, not ended   */
    unsigned inside;       /* threads in a call that waits */
    uint32_t claimed;      /* interfaces, a bit each */
    bool closing, resetting;
    /* Without the lock: a done of ours is running; somebody waits for such
     * things. Who waits says so before looking. */
    atomic_bool in_done, awaited;
};

/* Begins a call that waits: usb_close will wait for handle_leave. -1 when the
 * handle is gone or being closed. */
int handle_enter(struct usb_handle *h, struct err *e);
void handle_leave(struct usb_handle *h);

/* With the handle's lock held: cancel all, and wait until they have ended and
 * the last done has returned, or for the deadline. */
void transfers_end(struct usb_handle *h);
/* After libusb_close: nothing of libusb knows them any more. */
void transfers_free(struct usb_handle *h);

struct timespec deadline_in(int ms);

/* --- strings (string.c) --------------------------------------------------------- */

/* Octets of a string descriptor after its header; none when it is no such. */
struct span string_body(struct span descriptor);
/* As UTF-8; cut between characters to fit cap. */
void string_text(struct span utf16, char *out, size_t cap);

#endif
