#include "tests/bench/bench.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* --- which ------------------------------------------------------------------ */

static bool wanted(const char *name, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return true;
    return argc == 1;
}

int bench_main(int argc, char **argv, const struct bench *all, size_t n)
{
    bool list = argc == 2 && strcmp(argv[1], "--list") == 0;

    for (size_t i = 0; i < n; i++)
        if (list)
            puts(all[i].name);
        else if (wanted(all[i].name, argc, argv))
            all[i].run();
    return 0;
}

size_t bench_scaled(size_t n, size_t least)
{
    const char *text = getenv("BENCH_SCALE");
    char *end = NULL;
    double scale = text ? strtod(text, &end) : 1;

    if (text && (*end || !(scale > 0)))
        bench_die("BENCH_SCALE=%s is not a number above 0", text);
    size_t got = (size_t)((double)n * scale);
    return got < least ? least : got;
}

/* --- time ------------------------------------------------------------------- */

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

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

int64_t bench_median(int64_t *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, compare);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* --- scratch ---------------------------------------------------------------- */

char *bench_scratch(void)
{
    const char *tmp = getenv("TMPDIR");
    char *dir = NULL;

    if (asprintf(&dir, "%s/lineside-bench-XXXXXX", tmp ? tmp : "/tmp") < 0 ||
        !mkdtemp(dir))
        bench_die("no directory can be made in %s; set TMPDIR to a disk with "
                  "room", tmp ? tmp : "/tmp");
    return dir;
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

void bench_scratch_remove(char *dir)
{
    if (nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        bench_note("%s could not be removed", dir);
    free(dir);
}

/* --- words ------------------------------------------------------------------ */

static void say(const char *fmt, va_list ap)
{
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

void bench_note(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
}

_Noreturn void bench_die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say(fmt, ap);
    va_end(ap);
    exit(1);
}
