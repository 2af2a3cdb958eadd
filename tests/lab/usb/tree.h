/* lab/usb/tree.h: what libudev and libusb look at: a private sysfs and udev
 * database in a mount namespace, and udev's hot-plug messages in a network
 * namespace. bus.h is its only user. Not thread-safe but where it says so. */
#ifndef LINESIDE_LAB_USB_TREE_H
#define LINESIDE_LAB_USB_TREE_H

#include "station/base/err.h"
#include "station/base/span.h"

/* As lab_bus_enter. *stage (may be NULL): how far it came, for tree_stage. */
int tree_enter(int *stage, struct err *e);
/* What the machine refuses if it came no further; NULL: nothing. */
const char *tree_stage(int stage);

struct tree;
int tree_new(struct tree **out, struct err *e);
void tree_free(struct tree *t); /* and all that is in it; NULL is fine */

struct tree_device {
    const char *path; /* "usb1", "1-2.4"; the hub before it is there already */
    unsigned bus, device;
    struct span descriptor, configurations; /* raw */
    const char *manufacturer, *product, *serial; /* NULL: none */
    uint8_t speed;
    const char *driver; /* of its interfaces; NULL: none */
};
/* The directory appears at once and whole, then the messages go out. */
int tree_add(struct tree *t, const struct tree_device *d, struct err *e);
void tree_remove(struct tree *t, const struct tree_device *d);
/* bConfigurationValue. Any thread. */
void tree_configured(struct tree *t, const char *path, uint8_t value);

#endif
