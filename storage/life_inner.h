/* storage/life_inner.h: between life.c (rows) and life_events.c (events). */
#ifndef LINESIDE_STORAGE_LIFE_INNER_H
#define LINESIDE_STORAGE_LIFE_INNER_H

#include "storage/inner.h"
#include "storage/life.h"

/* l->events; l->serial and l->euiccs are there. */
int life_events(struct db *db, struct life *l, struct err *e);

#endif
