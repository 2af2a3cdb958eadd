/* ccid/fleet: the inside of the readers, shared by readers.c (what comes and
 * goes), keeper.c (a device and its thread) and places.c (what is where).
 *
 * Locks: a reader's own lock may be held when readers->lock is taken (wake),
 * never the other way round. */
#ifndef LINESIDE_DRIVERS_CCID_FLEET_H
#define LINESIDE_DRIVERS_CCID_FLEET_H

#include <pthread.h>

#include "drivers/ccid/places.h"

#define CCID_INTERFACES_MAX 8

struct ccid_memory { /* of one slot of a port */
    uint8_t ceiling, fidi;
    uint32_t ceiling_bps;
};

struct ccid_port {
    struct ccid_port *next;
    char path[USB_PATH_MAX + 1];
    struct ccid_device *here; /* NULL: nothing is plugged now */
    struct ccid_device *last; /* whose thread is not joined yet */
    struct ccid_place told;   /* of what was there last */
    bool appeared;            /* its slots did */
    struct ccid_memory slots[CCID_SLOTS_MAX];
};

struct ccid_device {
    struct ccid_readers *readers;
    struct ccid_port *port;
    struct ccid_device *before; /* at the same port: ends first */
    unsigned refs;
    pthread_t thread;
    pthread_cond_t woken_up;
    bool woken, ended, appeared;
    enum ccid_place_state state; /* OPENING; EMPTY: it is up; PARKED; NOT_OURS */
    char reason[CCID_REASON_MAX + 1];
    struct usb_handle *usb;
    unsigned interfaces, slots;
    struct ccid_reader *reader[CCID_INTERFACES_MAX];
    unsigned first[CCID_INTERFACES_MAX]; /* slot of the device */
    bool card[CCID_SLOTS_MAX];
    struct ccid_place told; /* what is the same for all its slots */
};

struct ccid_readers {
    struct ccid_readers_options options;
    pthread_mutex_t lock, event_lock;
    pthread_cond_t changed; /* usb, stopped, a device's state */
    struct usb *usb;
    bool stopped;
    struct ccid_port *ports;
};

/* With the lock held. */
struct ccid_port *ccid_port_at(struct ccid_readers *r, const char *path);
struct ccid_port *ccid_port_make(struct ccid_readers *r, const char *path);
/* d: what is there; NULL: what was there last. */
void ccid_port_tell(const struct ccid_port *p, const struct ccid_device *d,
                    unsigned slot, struct ccid_place *out);

void ccid_emit(struct ccid_readers *r, enum ccid_event_kind kind,
               const struct ccid_place *place);
void ccid_emit_slot(struct ccid_device *d, enum ccid_event_kind kind,
                    unsigned slot);

/* Judged by its descriptors; no thread yet. With the lock held. */
struct ccid_device *ccid_device_new(struct ccid_readers *r,
                                    struct ccid_port *port,
                                    const struct usb_device *u);
void ccid_device_unref(struct ccid_device *d);
/* Its readers answer nobody any more. */
void ccid_device_down(struct ccid_device *d, const char *why);
/* The thread of a device: its whole life, from opening to closing it. */
void *ccid_device_keep(void *device);
/* A condition for waits by the monotonic clock. */
void ccid_init_cond(pthread_cond_t *c);

#endif
