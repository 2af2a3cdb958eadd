/* unit/usb_bus/host.h: a bus with real libusb on it, for one test. */
#ifndef LINESIDE_UNIT_USB_BUS_HOST_H
#define LINESIDE_UNIT_USB_BUS_HOST_H

#include <check.h>
#include <libusb-1.0/libusb.h>

#include "tests/lab/usb/inprocess/inprocess.h"

#define HOST_WAIT_MS 10000

/* A test's main: skips where the machine cannot, else runs what `add` adds,
 * each test between host_setup and host_teardown and a little of its own. */
struct host_suite {
    const char *name;
    void (*add)(TCase *t);
    void (*setup)(void), (*teardown)(void); /* inside the host's; NULL: none */
};
int host_main(const struct host_suite *s);

extern struct lab_bus *host_bus;
extern libusb_context *host_usb;

void host_plug(const char *path, struct lab_usb_device *d);
/* Waits until libusb knows it. The device is referenced. */
libusb_device *host_find(const char *path);
libusb_device_handle *host_open(const char *path); /* interface 0 claimed */
/* "1-2.4", as libusb tells it. */
void host_path(libusb_device *d, char out[64]);
size_t host_count(void); /* devices that libusb knows, with hubs */

/* One asynchronous transfer. */
struct host_transfer {
    struct libusb_transfer *t;
    int ended; /* how often */
    unsigned char data[4096];
};
void host_submit(struct host_transfer *x, libusb_device_handle *h, uint8_t endpoint,
                 bool interrupt, int length);
/* Handles events until its end or too late, which fails the test. Frees t;
 * returns its status; *actual may be NULL. */
enum libusb_transfer_status host_end(struct host_transfer *x, int *actual);
/* Handles events for that long. */
void host_idle(int ms);

#endif
