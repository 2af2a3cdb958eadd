/* libusb calls that fail on command. The program that links this wraps them
 * (--wrap, see the Makefile). One failing function at a time. */
#ifndef LINESIDE_UNIT_USB_INJECT_H
#define LINESIDE_UNIT_USB_INJECT_H

#include <stdbool.h>

/* Call number `at` (from 1) of this function fails with this libusb code, or
 * NULL; and with `ever` all that follow. */
void inject_at(const char *function, unsigned at, int libusb_code, bool ever);
/* Whether it has happened; and no more of it. */
bool inject_off(void);

#endif
