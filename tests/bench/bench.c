#include "tests/bench/bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void bench_emit(const char *name, double value, const char *unit, double limit,
                enum bench_sense sense)
{
    double top = sense == BENCH_RATE ? value : limit;
    double bottom = sense == BENCH_RATE ? limit : value;

    if (!(bottom > 0))
        bench_die("%s: nothing was measured", name);
    printf("{\"name\":\"%s\",\"value\":%.6g,\"unit\":\"%s\",\"limit\":%.6g,"
           "\"ratio\":%.3f}\n",
           name, value, unit, limit, top / bottom);
    fflush(stdout);
}

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t bench_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t bench_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t bench_fastest(const int64_t *v, int n)
{
    int64_t best = v[0];

    for (int i = 1; i < n; i++)
        if (v[i] < best)
            best = v[i];
    return best;
}

_Noreturn void bench_die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}
