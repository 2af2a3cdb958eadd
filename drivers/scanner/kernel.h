/* drivers/scanner/kernel: what Linux's HID driver has read from a device that
 * it holds, so that nobody's touch screen is taken away to be asked. */
#ifndef LINESIDE_DRIVERS_SCANNER_KERNEL_H
#define LINESIDE_DRIVERS_SCANNER_KERNEL_H

#include "station/base/span.h"

/* The report descriptor of an interface of the device at `path`, as sysfs has
 * it. False: the kernel does not hold it, or does not say. */
bool kernel_report_descriptor(const char *path, uint8_t interface, struct buf *out);

#endif
