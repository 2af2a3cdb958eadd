/* storage/life_inner.h: between life.c (rows) and life_events.c (events). */
#ifndef LINESIDE_STORAGE_LIFE_INNER_H
#define LINESIDE_STORAGE_LIFE_INNER_H

#include "storage/inner.h"
#include "storage/life.h"

/* Room for one more in the array of n elements that `array` points to. Doubles
 * at powers of two, so that no capacity needs to be kept beside it: nothing
 * may be added to an array that was made shorter. */
int life_grow(void *array, size_t n, size_t size, struct err *e);

/* l->events; l->serial and l->euiccs are there. */
int life_events(struct db *db, struct life *l, struct err *e);

#endif
