/* lab/usb/inprocess: usbfs for libusb in this very process: the program
 * that links this archive answers open, ioctl, read, lseek, close itself for
 * paths below /dev/bus/usb, and passes all else on to libc. About 3 us a
 * round trip, sanitizers work. For unit tests, integration tests, benches. */
#ifndef LINESIDE_LAB_USB_INPROCESS_H
#define LINESIDE_LAB_USB_INPROCESS_H

#include "tests/lab/usb/bus.h"

/* Carries this bus's URBs until inprocess_stop, which comes after the last
 * libusb_exit and before lab_bus_free. One bus at a time. */
int inprocess_start(struct lab_bus *b, struct err *e);
void inprocess_stop(void);

#endif
