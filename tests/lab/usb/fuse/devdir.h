/* lab/usb/fuse/devdir: a /dev of one's own, where /dev/bus/usb can be made
 * without a trace in the machine's. */
#ifndef LINESIDE_LAB_USB_FUSE_DEVDIR_H
#define LINESIDE_LAB_USB_FUSE_DEVDIR_H

#include "station/base/err.h"

#define DEVDIR_USB "/dev/bus/usb"

/* In a private mount namespace only: makes sure that DEVDIR_USB is there. A
 * machine's /dev is one for all its namespaces, so where the folder is
 * missing /dev is covered by a copy of bind mounts that has it. */
int devdir_make(struct err *e);

#endif
