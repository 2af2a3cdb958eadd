/* lab/usb/inprocess/usbfile_inner.h: between usbfile.c (files, claims) and
 * urb.c (transfers).
 *
 * Locks, in this order: the bus's change, fs->lock, file->lock; the last also
 * below a model's lock. The bus is called with neither of ours held. */
#ifndef LINESIDE_LAB_USB_INPROCESS_USBFILE_INNER_H
#define LINESIDE_LAB_USB_INPROCESS_USBFILE_INNER_H

#include <pthread.h>

#include "tests/lab/usb/descriptors.h"
#include "tests/lab/usb/inprocess/usbfile.h"

#define BUSES 10
#define ADDRESSES 128

/* A device. Lives as long as it is plugged or a file is open. fs->lock. */
struct node {
    struct lab_place place;
    bool gone;
    unsigned refs;
    struct usbfile *files;
    struct usbfile *claims[LAB_USB_INTERFACES];
    uint32_t detached; /* bit: the kernel driver has left this interface */
    /* Copies: the model may be gone before the file is closed. */
    struct buf descriptors;
    size_t device_n;
    char driver[32];
    uint8_t speed;
};

struct usbfs {
    struct lab_bus *bus;
    pthread_mutex_t lock;
    unsigned refs; /* itself and its files */
    struct node *nodes[BUSES][ADDRESSES];
};

struct request; /* one URB of a program */

struct usbfile {
    struct usbfs *fs;
    struct node *node;
    struct usbfile *next; /* in the node */
    struct usbfile_listener listener;
    pthread_mutex_t lock;
    pthread_cond_t ended; /* one of under_way has */
    bool gone;
    struct request *under_way;
    struct request *ready, **ready_end;
};

/* Claims it if nobody has, as usbfs does with a warning in the log. */
int usbfile_use_interface(struct usbfile *f, unsigned interface);
int usbfile_use_endpoint(struct usbfile *f, uint8_t endpoint,
                         uint8_t *attributes);
bool usbfile_gone(struct usbfile *f);

/* Cancels what is under way (interface -1: all) and waits for its end. */
void usbfile_end_requests(struct usbfile *f, int interface);
void usbfile_drop_ready(struct usbfile *f);
/* A control transfer of the file's own, and the wait for it. */
int usbfile_control_wait(struct usbfile *f, const uint8_t setup[8], void *data,
                         unsigned timeout_ms);

#endif
