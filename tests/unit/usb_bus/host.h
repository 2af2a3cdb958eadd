/* unit/usb_bus/host.h: a bus with real libusb on it, for one test. */
#ifndef LINESIDE_UNIT_USB_BUS_HOST_H
#define LINESIDE_UNIT_USB_BUS_HOST_H

#include <libusb-1.0/libusb.h>

#include "tests/lab/usb/inprocess/inprocess.h"

#define HOST_WAIT_MS 10000

extern struct lab_bus *host_bus;
extern libusb_context *host_usb;

void host_setup(void);
void host_teardown(void); /* after the test has closed its handles */

void host_plug(const char *path, struct lab_usb_device *d);
/* Waits until libusb knows it. The device is referenced. */
libusb_device *host_find(const char *path);
libusb_device_handle *host_open(const char *path); /* interface 0 claimed */
/* "1-2.4", as libusb tells it. */
void host_path(libusb_device *d, char out[64]);
/* Handles events until *flag or too late, which fails the test. */
void host_wait(const int *flag);

#endif
