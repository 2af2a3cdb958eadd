/* lab/usb/bus.h: the emulated bus: which model is plugged where. A hub exists
 * as soon as something is plugged behind it. Thread-safe.
 *
 * In the process that calls lab_bus_new (and in its children) there is a
 * private mount and network namespace with a fake sysfs and udev, so that an
 * unmodified libudev and libusb see this bus and nothing else. */
#ifndef LINESIDE_LAB_USB_BUS_H
#define LINESIDE_LAB_USB_BUS_H

#include "tests/lab/usb/model.h"

struct lab_bus;

/* Why the machine cannot do it, for a test's SKIP line; NULL: it can. Tries
 * it in a child process. */
const char *lab_bus_cannot(void);

/* Makes the namespaces (once in a process, before any other thread is there)
 * and the tree in them. ERR_IO: not possible here (lab_bus_cannot says why). */
int lab_bus_enter(struct err *e);

/* An empty bus, no transport yet: inprocess.h or fuse/busfs.h. One at a time. */
int lab_bus_new(struct lab_bus **out, struct err *e);
void lab_bus_free(struct lab_bus *b); /* unplugs everything; NULL is fine */

/* d stays the caller's and must live until it is unplugged. path as drivers/
 * usb/usb.h names places, buses 1 to 9: "1-2.4". ERR_CONFLICT: something is
 * there. A new device number each time, and a hot-plug message. */
int lab_bus_plug(struct lab_bus *b, const char *path, struct lab_usb_device *d,
                 struct err *e);
/* Everything at this place and behind it; "usb1" is the whole bus 1. Returns how
 * many devices went (hubs of the bus's own do not count, nor does what a fault
 * had pulled before). When it returns, nothing holds an URB of theirs any more
 * and no model of theirs is called. */
size_t lab_bus_unplug(struct lab_bus *b, const char *path);

/* --- faults that any device can have ------------------------------------------ */

enum lab_usb_fault {
    LAB_FAULT_NONE,
    LAB_FAULT_STALL,   /* this transfer stalls; bulk: halted until cleared     */
    LAB_FAULT_BABBLE,  /* IN: more than asked for (else at the next IN)        */
    LAB_FAULT_SHORT,   /* IN: only the first octets (seed decides how many);
                          else at the next IN that has any                     */
    LAB_FAULT_BROKEN,  /* -EPROTO                                              */
    LAB_FAULT_SILENCE, /* this transfer and all later ones never complete, but
                          by cancel; ends with a reset or unplug               */
    LAB_FAULT_UNPLUG,  /* the device is pulled before this transfer            */
    LAB_FAULT_UNPLUG_AFTER, /* ... after the device got it (OUT), and before
                               its answer (IN). What is pulled by a fault
                               takes nothing more at once; open files, tree
                               and model learn of it from another thread:
                               lab_bus_unplug waits for that               */
    LAB_FAULTS
};
const char *lab_usb_fault_name(enum lab_usb_fault f); /* "unplug-after" */

/* At the device's `at`-th transfer from now (URBs of bulk and interrupt
 * endpoints, class and vendor control requests, counted as submitted, from 1). 0
 * takes a fault back. Once. */
void lab_bus_fault(struct lab_bus *b, const char *path, enum lab_usb_fault f,
                   unsigned at, uint64_t seed);
/* It has happened. */
bool lab_bus_fault_fired(struct lab_bus *b, const char *path);
/* Transfers so far of what was plugged there last. */
unsigned lab_bus_transfers(struct lab_bus *b, const char *path);

/* --- for transports ------------------------------------------------------------ */

struct lab_place {
    unsigned bus, device; /* /dev/bus/usb/BBB/DDD */
    char path[48];
    struct lab_usb_device *model; /* hubs have one of the bus's own */
};
/* Called with the bus's lock not held, in the thread that plugs. */
struct lab_transport {
    void (*arrived)(void *ctx, const struct lab_place *p);
    /* Must not return before the place's open files answer -ENODEV to all. */
    void (*left)(void *ctx, const struct lab_place *p);
    void *ctx;
};
/* Those that are there arrive now. NULL: none any more. */
void lab_bus_transport(struct lab_bus *b, const struct lab_transport *t);
/* Every URB goes through here: counts, faults, standard control requests
 * (from the descriptors, or a STALL), or the model. It completes later or
 * before this returns. */
void lab_bus_submit(struct lab_bus *b, unsigned bus, unsigned device,
                    struct lab_urb *u);
/* Not before lab_bus_submit has returned; u must stay until this has. */
void lab_bus_cancel(struct lab_bus *b, unsigned bus, unsigned device,
                    struct lab_urb *u);
void lab_bus_clear_halt(struct lab_bus *b, unsigned bus, unsigned device,
                        uint8_t endpoint);
void lab_bus_reset(struct lab_bus *b, unsigned bus, unsigned device);
/* False: nothing there (any more). The copy's model is valid while plugged. */
bool lab_bus_find(struct lab_bus *b, unsigned bus, unsigned device,
                  struct lab_place *out);

#endif
