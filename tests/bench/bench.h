/* What every bench prints: one JSON line per figure,
 * {"name","value","unit","limit","ratio"}. The limit is measured in the same
 * run; ratio is achieved/limit, for costs limit/achieved: higher is better, 1
 * is the limit. */
#ifndef LINESIDE_TESTS_BENCH_H
#define LINESIDE_TESTS_BENCH_H

#include <stdint.h>

enum bench_sense {
    BENCH_RATE, /* more is better: records/s, units/h */
    BENCH_COST  /* less is better: us, octets, APDUs  */
};

void bench_emit(const char *name, double value, const char *unit, double limit,
                enum bench_sense sense);

int64_t bench_now_ns(void);    /* wall clock, monotonic   */
int64_t bench_cpu_ns(void);    /* this thread's CPU time  */
int64_t bench_fastest(const int64_t *v, int n); /* of n > 0 runs */

/* Print what went wrong to stderr and exit with 1. */
_Noreturn void bench_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif
