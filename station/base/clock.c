#include "station/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_system(void)
{
    return (int64_t)time(NULL);
}

int64_t clock_monotonic_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_monotonic_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A year of other than four digits has no text of this length: "". */
static char *format(int64_t t, const char *fmt, size_t len, char *out)
{
    time_t s = (time_t)t;
    struct tm tm;

    if (!gmtime_r(&s, &tm) || strftime(out, len + 1, fmt, &tm) != len)
        out[0] = '\0';
    return out;
}

char *gtime_format(int64_t t, char out[GTIME_LEN + 1])
{
    return format(t, "%Y%m%d%H%M%SZ", GTIME_LEN, out);
}

int gtime_parse(const char *s, int64_t *out)
{
    struct tm tm = { 0 };
    char again[GTIME_LEN + 1];

    if (strlen(s) != GTIME_LEN || strspn(s, "0123456789") != GTIME_LEN - 1 ||
        s[GTIME_LEN - 1] != 'Z' ||
        sscanf(s, "%4d%2d%2d%2d%2d%2dZ", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 6)
        return -1;
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    int64_t t = (int64_t)timegm(&tm);
    /* timegm accepts 31 February and moves on: only a date that reads back
     * the same is a date. */
    if (strcmp(gtime_format(t, again), s) != 0)
        return -1;
    *out = t;
    return 0;
}

char *clock_text(int64_t t, char out[24])
{
    return format(t, "%Y-%m-%d %H:%M:%SZ", 20, out);
}

int64_t clock_for_checks(int64_t system, int64_t floor, bool *confirmed)
{
    bool ok = floor == 0 ||
              (system >= floor && system - floor <= CLOCK_TRUST_SPAN_S);

    if (confirmed)
        *confirmed = ok;
    return ok ? system : floor;
}
