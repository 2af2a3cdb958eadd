/* lab/parallel.h: the same work on many items, on as many threads as the
 * machine has processors. */
#ifndef LINESIDE_LAB_PARALLEL_H
#define LINESIDE_LAB_PARALLEL_H

#include "station/base/err.h"

#include <stddef.h>

#define PARALLEL_MAX 64

/* Processors of this machine, at most PARALLEL_MAX. */
unsigned parallel_threads(void);

/* fn(ctx, worker, i) for every i below n, worker below `threads`; one worker
 * is one thread, so state per worker needs no lock. The first failure stops
 * the rest and is what is returned. */
int parallel_for(size_t n, unsigned threads,
                 int (*fn)(void *ctx, unsigned worker, size_t i, struct err *e),
                 void *ctx, struct err *e);

#endif
