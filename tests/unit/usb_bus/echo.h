/* unit/usb_bus/echo.h: the simplest device that has every kind of transfer.
 * Bulk OUT 02 comes back at bulk IN 82; what echo_report says comes at
 * interrupt IN 83; vendor requests write and read 4096 octets. One interface
 * with two alternate settings. */
#ifndef LINESIDE_UNIT_USB_BUS_ECHO_H
#define LINESIDE_UNIT_USB_BUS_ECHO_H

#include "tests/lab/usb/model.h"

#define ECHO_VENDOR 0x1209
#define ECHO_PRODUCT 0x0e0e
#define ECHO_OUT 0x02
#define ECHO_IN 0x82
#define ECHO_REPORT 0x83
#define ECHO_PACKET 512
#define ECHO_STORE 4096

enum echo_request {
    ECHO_WRITE = 1, /* vendor OUT */
    ECHO_READ = 2,  /* vendor IN */
    ECHO_STALL = 3  /* vendor OUT without data: the IN endpoint stalls */
};

/* threaded: answers in a thread of its own. serial must live as long. */
struct lab_usb_device *echo_new(const char *serial, bool threaded);
void echo_report(struct lab_usb_device *d, struct span report);
unsigned echo_resets(struct lab_usb_device *d);

#endif
