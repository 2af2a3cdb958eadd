/* lab/usb/tree_inner.h: between enter.c and tree.c. */
#ifndef LINESIDE_LAB_USB_TREE_INNER_H
#define LINESIDE_LAB_USB_TREE_INNER_H

/* The directory below /sys/devices that the tree covers; NULL: none. */
const char *tree_root(void);

#endif
