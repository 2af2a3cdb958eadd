/* lab/usb/fuse/usbfile: one open file of a device: the system calls of usbfs,
 * as Linux answers them. Called by the one thread that serves; URBs complete
 * in any. */
#ifndef LINESIDE_LAB_USB_FUSE_USBFILE_H
#define LINESIDE_LAB_USB_FUSE_USBFILE_H

#include "tests/lab/usb/fuse/device.h"

#include <sys/types.h>

struct fuse_session;
struct fuse_pollhandle;

/* On d's list from now on. NULL: no memory. With the lock held. */
struct usbfile *usbfile_new(struct device *d);
/* Cancels every URB, waits for it, gives back claims. */
void usbfile_close(struct usbfile *f);

/* The result or a negative errno; whatever the call writes is written to the
 * caller's memory already. `arg` is an address there. */
int usbfile_ioctl(struct usbfile *f, unsigned cmd, uintptr_t arg, pid_t caller);

/* What poll(2) says now. ph (may be NULL): to be told of the next change;
 * taken over. */
unsigned usbfile_poll(struct usbfile *f, struct fuse_pollhandle *ph);

/* The device has left: wakes who waits. With the lock held. */
void usbfile_gone(struct usbfile *f);

struct usbfile *usbfile_next(const struct usbfile *f); /* of the device's */
const struct device *usbfile_device(const struct usbfile *f);

#endif
