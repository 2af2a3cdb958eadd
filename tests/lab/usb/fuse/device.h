/* lab/usb/fuse/device: one plugged device as usbfs shows it: descriptors, who
 * has claimed which interface, and the files that are open on it. Everything
 * here is guarded by the one lock that all devices of a bus share. */
#ifndef LINESIDE_LAB_USB_FUSE_DEVICE_H
#define LINESIDE_LAB_USB_FUSE_DEVICE_H

#include "tests/lab/usb/bus.h"

#include <pthread.h>

#define DEVICE_INTERFACES 32 /* as many as usbfs lets one claim */

struct usbfile; /* usbfile.h */

struct device {
    struct device *next;    /* of the tree                               */
    pthread_mutex_t *lock;
    struct lab_bus *bus;
    struct lab_place place; /* its model is not ours to touch            */
    struct buf descriptors; /* copies: device, then configuration        */
    const char *driver;     /* that a kernel binds to it; NULL: none     */
    bool gone;              /* it stays for those who have it open       */
    struct usbfile *files;
    struct usbfile *owner[DEVICE_INTERFACES];
    bool detached[DEVICE_INTERFACES]; /* the kernel's driver has let go  */
};

/* NULL: no memory. */
struct device *device_new(struct lab_bus *b, pthread_mutex_t *lock,
                          const struct lab_place *p);
void device_free(struct device *d); /* no files are open on it */

/* The driver that the kernel has bound to it now; NULL: none. */
const char *device_driver(const struct device *d, unsigned interface);
bool device_has_interface(const struct device *d, unsigned interface);
bool device_has_configuration(const struct device *d, unsigned value);
/* The interface that has this endpoint, or -1. */
int device_endpoint_interface(const struct device *d, uint8_t endpoint);

#endif
