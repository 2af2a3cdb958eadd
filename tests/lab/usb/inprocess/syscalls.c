/* What stands before libc for the whole program: its own calls, and those of
 * every library. Anything that is not an emulated device goes on to whoever
 * comes next (libc, or a sanitizer that watches it), unchanged. That costs
 * one look at a table.
 *
 * These run before constructors do, in whatever starts first: no sanitizer
 * code in them, no state that must have been made. */
#undef _FORTIFY_SOURCE /* its inline versions would be defined twice */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/lab/usb/inprocess/descriptor_table.h"

#define BARE __attribute__((no_sanitize("address", "undefined"), \
                            no_sanitize_thread))

/* Here, so that the linker takes this object wherever inprocess.c is used. */
atomic_bool inprocess_ours[DESCRIPTORS_MOST];

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

/* Next in line, found at the first call. Before dlsym can answer (it may come
 * here itself): NULL, the caller makes the system call. */
typedef void (*any_fn)(void);

static BARE any_fn next(_Atomic(any_fn) *slot, const char *name)
{
    static _Thread_local bool asking;
    any_fn f = atomic_load_explicit(slot, memory_order_acquire);

    if (f || asking)
        return f;
    asking = true;
    void *p = dlsym(RTLD_NEXT, name);
    asking = false;
    memcpy(&f, &p, sizeof f);
    atomic_store_explicit(slot, f, memory_order_release);
    return f;
}

#define NEXT(type, name) \
    static _Atomic(any_fn) slot; \
    type real = (type)next(&slot, name)

static BARE bool may_be_device(const char *path)
{
    static const char folder[] = "/dev/bus/usb/";
    size_t i = 0;

    while (folder[i] && path[i] == folder[i])
        i++;
    return !folder[i];
}

static BARE bool ours(int fd)
{
    return (unsigned)fd < DESCRIPTORS_MOST &&
           atomic_load_explicit(&inprocess_ours[fd], memory_order_relaxed);
}

static BARE bool has_mode(int flags)
{
    return flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE;
}

typedef int open_fn(const char *, int, ...);
typedef int open_2_fn(const char *, int);
typedef int ioctl_fn(int, unsigned long, ...);
typedef ssize_t read_fn(int, void *, size_t);
typedef off_t lseek_fn(int, off_t, int);
typedef int close_fn(int);

static BARE int try_open(const char *path, int flags, bool *mine)
{
    *mine = false;
    return may_be_device(path) ? inprocess_open(path, flags, mine) : -1;
}

#define OPEN(function) \
    BARE int function(const char *path, int flags, ...) \
    { \
        NEXT(open_fn *, #function); \
        mode_t mode = 0; \
        bool mine; \
        int fd = try_open(path, flags, &mine); \
\
        if (mine) \
            return fd; \
        if (has_mode(flags)) { \
            va_list ap; \
            va_start(ap, flags); \
            mode = va_arg(ap, mode_t); \
            va_end(ap); \
        } \
        return real ? real(path, flags, mode) \
                    : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode); \
    }

#define OPEN_2(function) \
    BARE int function(const char *path, int flags) \
    { \
        NEXT(open_2_fn *, #function); \
        bool mine; \
        int fd = try_open(path, flags, &mine); \
\
        if (mine) \
            return fd; \
        return real ? real(path, flags) \
                    : (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0); \
    }

OPEN(open)
OPEN(open64)
OPEN_2(__open_2)
OPEN_2(__open64_2)

BARE int ioctl(int fd, unsigned long request, ...)
{
    NEXT(ioctl_fn *, "ioctl");
    va_list ap;
    void *arg;

    va_start(ap, request);
    arg = va_arg(ap, void *);
    va_end(ap);
    if (ours(fd)) {
        bool mine;
        int r = inprocess_ioctl(fd, request, arg, &mine);

        if (mine)
            return r;
    }
    return real ? real(fd, request, arg) : (int)syscall(SYS_ioctl, fd, request, arg);
}

BARE ssize_t read(int fd, void *p, size_t n)
{
    NEXT(read_fn *, "read");

    if (ours(fd)) {
        bool mine;
        ssize_t r = inprocess_read(fd, p, n, &mine);

        if (mine)
            return r;
    }
    return real ? real(fd, p, n) : syscall(SYS_read, fd, p, n);
}

#define LSEEK(function) \
    BARE off_t function(int fd, off_t at, int whence) \
    { \
        NEXT(lseek_fn *, #function); \
\
        if (ours(fd)) { \
            bool mine; \
            off_t r = inprocess_lseek(fd, at, whence, &mine); \
\
            if (mine) \
                return r; \
        } \
        return real ? real(fd, at, whence) : syscall(SYS_lseek, fd, at, whence); \
    }

LSEEK(lseek)
LSEEK(lseek64)

BARE int close(int fd)
{
    NEXT(close_fn *, "close");

    if (ours(fd))
        inprocess_close(fd);
    return real ? real(fd) : (int)syscall(SYS_close, fd);
}
