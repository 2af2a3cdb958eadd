/* lab/usb/uevent.h: hot-plug messages as udev's daemon sends them to
 * libudev's listeners: a header with hashes for the listeners' filters, then
 * properties. */
#ifndef LINESIDE_LAB_USB_UEVENT_H
#define LINESIDE_LAB_USB_UEVENT_H

#include "station/base/err.h"
#include "station/base/span.h"

/* A socket in the network namespace of the moment. */
int uevent_open(int *fd, struct err *e);
/* properties: "KEY=value", each with its NUL. devtype: "usb_device". */
void uevent_send(int fd, const char *devtype, struct span properties);

#endif
