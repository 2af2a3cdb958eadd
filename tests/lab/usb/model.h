/* lab/usb/model.h: the seam between a device model and the emulated bus. A
 * model is the device's side of USB: it has descriptors, takes URBs and
 * completes them. A transport (inprocess.h: usbfs system calls answered in
 * this process; fuse/busfs.h: a file system on /dev/bus/usb for programs that know
 * nothing of it) carries URBs from real libusb to models. */
#ifndef LINESIDE_LAB_USB_MODEL_H
#define LINESIDE_LAB_USB_MODEL_H

#include "station/base/err.h"
#include "station/base/span.h"

#define LAB_USB_STRINGS 8

enum lab_usb_status {
    LAB_USB_OK,
    LAB_USB_STALL,     /* -EPIPE: the endpoint is halted until CLEAR_FEATURE */
    LAB_USB_BABBLE,    /* -EOVERFLOW */
    LAB_USB_BROKEN,    /* -EPROTO    */
    LAB_USB_CANCELLED, /* -ENOENT    */
    LAB_USB_GONE       /* -ESHUTDOWN */
};

struct lab_bus_place;

/* One transfer that the host has asked for. Made by the transport, the
 * device's from submit until it completes it, exactly once. */
struct lab_urb {
    uint8_t endpoint;  /* with the direction bit; 0 or 0x80: control      */
    uint8_t setup[8];  /* control only, as on the wire                    */
    uint8_t *data;     /* OUT: what the host sends; IN: room              */
    size_t length;
    size_t actual;     /* set by lab_urb_complete                         */
    enum lab_usb_status status;
    void (*done)(struct lab_urb *u); /* the transport's; any thread       */
    void *transport;                 /* the transport's own               */
    struct lab_urb *next;            /* the holder's own, for its queues  */
    /* The bus's own while it is under way; all zero before. */
    struct {
        struct lab_bus_place *place; /* NULL: not under way */
        void (*done)(struct lab_urb *u);
        struct lab_urb *next, *prev;
        unsigned fault; /* enum lab_usb_fault that waits for its completion */
        bool held;      /* the bus keeps it, no model has seen it */
    } bus;
};
/* Whoever completes must not count on u any more afterwards. Completing with
 * the model's own lock held is right where the order of completions counts:
 * nothing that a completion does comes back into the model. */
void lab_urb_complete(struct lab_urb *u, enum lab_usb_status s, size_t actual);

struct lab_usb_device;

/* Calls come from any thread of the transport, one device's never two at
 * once but for cancel. None may block for long: what takes time is done in
 * the model's own thread. */
struct lab_usb_ops {
    const char *name;
    /* Control transfers that the bus does not answer itself from the
     * descriptors (class and vendor requests; standard ones on an interface,
     * e.g. GET_DESCRIPTOR of a HID report), and all of the endpoints. */
    void (*submit)(struct lab_usb_device *d, struct lab_urb *u);
    /* Complete it with LAB_USB_CANCELLED unless it is completed already (then
     * u is no longer yours: look for it, not into it). */
    void (*cancel)(struct lab_usb_device *d, struct lab_urb *u);
    void (*clear_halt)(struct lab_usb_device *d, uint8_t endpoint);
    /* A port reset: every held URB completes with LAB_USB_GONE, state as
     * after power on (a card in a slot loses power). */
    void (*reset)(struct lab_usb_device *d);
    /* The device has been pulled: every held URB completes with
     * LAB_USB_GONE; a card in it loses power; it may be plugged again. */
    void (*unplugged)(struct lab_usb_device *d);
    void (*free)(struct lab_usb_device *d); /* not plugged; NULL is fine */
};

/* A model starts with this. The descriptors are octets, so that a test may
 * make them lie in any way. */
struct lab_usb_device {
    const struct lab_usb_ops *ops;
    struct buf device; /* 18 octets: device descriptor                     */
    struct buf config; /* configuration descriptor with all that follows   */
    const char *strings[LAB_USB_STRINGS]; /* [0] unused; ASCII; NULL: STALL */
    uint8_t speed; /* enum libusb_speed's numbers: 2 full, 3 high          */
    const char *kernel_driver; /* bound to its interfaces when it is plugged:
                                  "usbhid"; NULL: none                      */
};

/* --- endpoints ---------------------------------------------------------------
 * What every model needs: URBs that wait and messages that wait, matched the
 * way a host controller does: an IN URB is filled with one message, or with
 * as much as it has room for, and completes at a short packet or when full.
 * Thread-safe. */

struct lab_in; /* an IN endpoint */
struct lab_in *lab_in_new(uint8_t endpoint, uint16_t max_packet);
void lab_in_free(struct lab_in *in); /* NULL is fine */
/* The host wants data. */
void lab_in_submit(struct lab_in *in, struct lab_urb *u);
/* True: it was waiting here and is completed with s now. */
bool lab_in_cancel(struct lab_in *in, struct lab_urb *u, enum lab_usb_status s);
/* The device has a message (one transfer: ends with a short packet, or a
 * zero-length one when its length is a multiple of max_packet and smaller
 * than what the host asked for). Copied. */
void lab_in_put(struct lab_in *in, struct span message);
/* No message waits for the host any more. */
bool lab_in_drained(struct lab_in *in);
/* The next IN URB (waiting or to come) completes with this status and these
 * octets instead, and no message is used up (STALL: this and all further
 * until lab_in_clear_halt). */
void lab_in_fault(struct lab_in *in, enum lab_usb_status s, struct span octets);
void lab_in_clear_halt(struct lab_in *in);
/* Complete every waiting URB with s and drop every waiting message. */
void lab_in_flush(struct lab_in *in, enum lab_usb_status s);

#endif
