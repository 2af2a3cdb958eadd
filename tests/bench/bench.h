/* What every bench prints: one JSON line per figure,
 * {"name","value","unit","limit","ratio"}. The limit is measured in the same
 * run; ratio is achieved/limit, for costs limit/achieved: higher is better, 1
 * is the limit. Nothing else goes to stdout; progress goes to stderr. */
#ifndef LINESIDE_TESTS_BENCH_H
#define LINESIDE_TESTS_BENCH_H

#include <stddef.h>
#include <stdint.h>

enum bench_sense {
    BENCH_RATE, /* more is better: records/s, units/h */
    BENCH_COST  /* less is better: us, octets, APDUs  */
};

void bench_emit(const char *name, double value, const char *unit, double limit,
                enum bench_sense sense);

/* One program's benches. `PROGRAM` runs all, `PROGRAM NAME...` those of them
 * that it has, `PROGRAM --list` prints their names. */
struct bench {
    const char *name;
    void (*run)(void);
};
int bench_main(int argc, char **argv, const struct bench *all, size_t n);

int64_t bench_now_ns(void);    /* wall clock, monotonic   */
int64_t bench_cpu_ns(void);    /* this thread's CPU time  */
int64_t bench_fastest(const int64_t *v, int n); /* of n > 0 runs */
int64_t bench_median(int64_t *v, int n);        /* sorts v       */

/* n times BENCH_SCALE (a number above 0, default 1), at least `least`: for
 * quick tries. Figures of another scale are not those of the targets. */
size_t bench_scaled(size_t n, size_t least);

/* A new directory below TMPDIR, or /tmp; bench_scratch_remove takes it away
 * with all that is in it. The caller frees the path by that. */
char *bench_scratch(void);
void bench_scratch_remove(char *dir);

/* One line to stderr. */
void bench_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Print what went wrong to stderr and exit with 1. */
_Noreturn void bench_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));

#endif
