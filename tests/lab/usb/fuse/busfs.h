/* lab/usb/fuse/busfs: the emulated bus for programs that know nothing of it:
 * a FUSE file system on /dev/bus/usb of this process's own mount namespace.
 * An unmodified libusb in another process opens a device's file there and
 * speaks usbfs to it. 70 to 140 us a round trip. */
#ifndef LINESIDE_LAB_USB_FUSE_BUSFS_H
#define LINESIDE_LAB_USB_FUSE_BUSFS_H

#include "tests/lab/usb/bus.h"

struct busfs;

/* Why the machine cannot do it beside what lab_bus_cannot says; NULL: it can. */
const char *busfs_cannot(void);

/* After lab_bus_enter and before anything is plugged. One thread serves. */
int busfs_start(struct lab_bus *b, struct busfs **out, struct err *e);
/* Takes the mount away, then ends. Programs that still hold a file get errors.
 * Everything must be unplugged by then. NULL is fine. */
void busfs_stop(struct busfs *fs);

#endif
