/* people/pin.h: PINs, which exist only while they are typed. */
#ifndef LINESIDE_PEOPLE_PIN_H
#define LINESIDE_PEOPLE_PIN_H

#include "storage/people.h"

#define PIN_MIN 4
#define PIN_MAX 12

/* 4 to 12 digits, not all the same, not the badge nor a part of it: ERR_USAGE.
 * badge NULL: it is not known here. The sentence never repeats the PIN. */
int pin_check(const char *pin, const char *badge, struct err *e);

/* A hash with a salt of its own. */
int pin_hash_make(const char *pin, struct pin_hash *out, struct err *e);

/* 1 it is this PIN, 0 it is not, -1 the machine failed. In about the same time
 * whichever; h NULL: the same work, and never 1. */
int pin_hash_check(const char *pin, const struct pin_hash *h, struct err *e);

#endif
