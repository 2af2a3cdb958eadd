/* lab/usb/inprocess/usbfile.h: open files of /dev/bus/usb, as Linux's usbfs
 * treats them: who has claimed what, URBs under way, URBs to be reaped. All
 * calls return 0 or more, or -errno. Thread-safe. */
#ifndef LINESIDE_LAB_USB_INPROCESS_USBFILE_H
#define LINESIDE_LAB_USB_INPROCESS_USBFILE_H

#include <linux/usbdevice_fs.h>
#include <sys/types.h>

#include "tests/lab/usb/bus.h"

struct usbfs;  /* the folder */
struct usbfile;

/* With the file's lock held: must not call back. */
struct usbfile_listener {
    void (*ready)(void *ctx, bool any); /* something can be reaped, or nothing */
    void (*gone)(void *ctx);            /* after the last has ended */
    void *ctx;
};

int usbfs_start(struct lab_bus *b, struct usbfs **out, struct err *e);
/* As if everything had been pulled, for the files that are still open. */
void usbfs_stop(struct usbfs *fs);

int usbfile_open(struct usbfs *fs, unsigned bus, unsigned device,
                 const struct usbfile_listener *l, struct usbfile **out);
void usbfile_close(struct usbfile *f);

ssize_t usbfile_read(struct usbfile *f, void *p, size_t n, off_t at);
int usbfile_submit(struct usbfile *f, struct usbdevfs_urb *user);
int usbfile_reap(struct usbfile *f, struct usbdevfs_urb **user);
int usbfile_discard(struct usbfile *f, const struct usbdevfs_urb *user);
int usbfile_control(struct usbfile *f, struct usbdevfs_ctrltransfer *c);

int usbfile_claim(struct usbfile *f, unsigned interface);
int usbfile_release(struct usbfile *f, unsigned interface);
int usbfile_disconnect_claim(struct usbfile *f,
                             const struct usbdevfs_disconnect_claim *c);
int usbfile_driver(struct usbfile *f, struct usbdevfs_getdriver *g);
int usbfile_detach(struct usbfile *f, int interface);
int usbfile_attach(struct usbfile *f, int interface);
int usbfile_set_configuration(struct usbfile *f, unsigned value);
int usbfile_set_interface(struct usbfile *f,
                          const struct usbdevfs_setinterface *s);
int usbfile_clear_halt(struct usbfile *f, unsigned endpoint);
int usbfile_reset(struct usbfile *f);
int usbfile_place(struct usbfile *f, struct lab_place *out, uint8_t *speed);

#endif
