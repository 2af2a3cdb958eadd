/* Preloaded into one process: its clock is LINESIDE_CLOCK_DAYS days off. */
#include <stdlib.h>
#include <time.h>

time_t time(time_t *out)
{
    const char *days = getenv("LINESIDE_CLOCK_DAYS");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    now.tv_sec += (days ? atoi(days) : 0) * 86400L;
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
