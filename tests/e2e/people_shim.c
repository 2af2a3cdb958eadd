/* Preloaded into one process. PEOPLE_CONSOLE: its standard input is the
 * machine's first console, whatever terminal it is. PEOPLE_CLOCK: its clock
 * stands still at that second. */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

int fstat(int fd, struct stat *st)
{
    int rc = (int)syscall(SYS_fstat, fd, st);

    if (rc == 0 && fd == 0 && S_ISCHR(st->st_mode) && getenv("PEOPLE_CONSOLE"))
        st->st_rdev = makedev(4, 1);
    return rc;
}

time_t time(time_t *out)
{
    const char *at = getenv("PEOPLE_CLOCK");
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    if (at)
        now.tv_sec = atol(at);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}
