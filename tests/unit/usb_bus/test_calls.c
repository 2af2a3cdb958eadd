/* The in-process bus stands before libc for everything else in the program,
 * too: that everything else must not notice. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/usb_bus/echo.h"
#include "tests/unit/usb_bus/host.h"

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);

static struct lab_usb_device *echo;
static char dir[64], file[96];

static void setup(void)
{
    const char *tmp = getenv("TMPDIR");

    echo = echo_new("E-0001", false);
    snprintf(dir, sizeof dir, "%.40s/lineside.XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/f", dir);
}

static void teardown(void)
{
    unlink(file);
    rmdir(dir);
    echo->ops->free(echo);
}

START_TEST(plain_files)
{
    mode_t mask = umask(0);
    struct stat st;
    char b[8];
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0640);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(write(fd, "abcdef", 6), 6);
    ck_assert_int_eq(lseek(fd, 2, SEEK_SET), 2);
    ck_assert_int_eq(read(fd, b, sizeof b), 4);
    ck_assert_mem_eq(b, "cdef", 4);
    ck_assert_int_eq(lseek64(fd, -1, SEEK_END), 5);
    ck_assert_int_eq(close(fd), 0);
    errno = 0;
    ck_assert_int_eq(close(fd), -1);
    ck_assert_int_eq(errno, EBADF);
    ck_assert_int_eq(open(file, O_RDWR | O_CREAT | O_EXCL, 0640), -1);
    ck_assert_int_eq(errno, EEXIST);
    fd = open64(dir, O_RDWR | O_TMPFILE, 0604);
    if (fd >= 0) { /* not every file system has it */
        ck_assert_int_eq(fstat(fd, &st), 0);
        ck_assert_uint_eq(st.st_mode & 0777, 0604);
        close(fd);
    }
    fd = __open_2(file, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
    fd = __open64_2(file, O_RDONLY);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(close(fd), 0);
    umask(mask);
}
END_TEST

START_TEST(no_descriptor)
{
    static const int bad[] = { -1, 65535, 65536, 1 << 30 };
    char c;
    int n;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        errno = 0;
        ck_assert_int_eq(read(bad[i], &c, 1), -1);
        ck_assert_int_eq(errno, EBADF);
        ck_assert_int_eq(ioctl(bad[i], FIONREAD, &n), -1);
        ck_assert_int_eq(lseek(bad[i], 0, SEEK_SET), -1);
        ck_assert_int_eq(close(bad[i]), -1);
        ck_assert_int_eq(errno, EBADF);
    }
}
END_TEST

START_TEST(other_ioctls)
{
    int p[2], n = 0;

    ck_assert_int_eq(pipe(p), 0);
    ck_assert_int_eq(write(p[1], "xyz", 3), 3);
    ck_assert_int_eq(ioctl(p[0], FIONREAD, &n), 0);
    ck_assert_int_eq(n, 3);
    close(p[0]);
    close(p[1]);
}
END_TEST

/* Nothing is there, or it is no name of a device. */
START_TEST(no_device)
{
    static const char *const names[] = {
        "/dev/bus/usb/001/099", "/dev/bus/usb/009/001", "/dev/bus/usb/999/999",
        "/dev/bus/usb/000/000", "/dev/bus/usb/001/1",   "/dev/bus/usb/001/0011",
        "/dev/bus/usb/001/abc",
    };

    host_plug("1-2", echo);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        errno = 0;
        ck_assert_int_eq(open(names[i], O_RDWR), -1);
        ck_assert_msg(errno == ENOENT, "%s: %s", names[i], strerror(errno));
    }
}
END_TEST

static void on_alarm(int sig)
{
    (void)sig;
}

START_TEST(signals_interrupt)
{
    struct sigaction sa = { .sa_handler = on_alarm }; /* no SA_RESTART */
    int p[2];
    char c;

    ck_assert_int_eq(pipe(p), 0);
    sigaction(SIGALRM, &sa, NULL);
    ualarm(20000, 20000);
    errno = 0;
    ck_assert_int_eq(read(p[0], &c, 1), -1);
    ck_assert_int_eq(errno, EINTR);
    ualarm(0, 0);
    close(p[0]);
    close(p[1]);
}
END_TEST

static void *reader(void *arg)
{
    static char c; /* ASan cannot clear the stack of a cancelled thread */

    return read(*(int *)arg, &c, 1) == 1 ? NULL : arg;
}

START_TEST(a_read_can_be_cancelled)
{
    pthread_t t;
    void *end;
    int p[2];

    ck_assert_int_eq(pipe(p), 0);
    ck_assert_int_eq(pthread_create(&t, NULL, reader, p), 0);
    usleep(20000);
    ck_assert_int_eq(pthread_cancel(t), 0);
    ck_assert_int_eq(pthread_join(t, &end), 0);
    ck_assert_ptr_eq(end, PTHREAD_CANCELED);
    close(p[0]);
    close(p[1]);
}
END_TEST

/* The descriptor itself: what libusb does not ask of it, but others may. */
START_TEST(the_descriptor)
{
    struct pollfd p = { .events = POLLOUT };
    unsigned char d[512];
    int unused;

    host_plug("1-2", echo);
    p.fd = open("/dev/bus/usb/001/002", O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(p.fd, 0);
    ck_assert_int_eq(fcntl(p.fd, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(poll(&p, 1, 0), 0);
    ck_assert_int_eq(read(p.fd, d, 18), 18);
    ck_assert_mem_eq(d, echo->device.p, 18);
    ck_assert_int_eq(read(p.fd, d, sizeof d), (int)echo->config.n);
    ck_assert_int_eq(read(p.fd, d, sizeof d), 0);
    ck_assert_int_eq(lseek(p.fd, 8, SEEK_SET), 8);
    ck_assert_int_eq(read(p.fd, d, 2), 2);
    ck_assert_mem_eq(d, "\x09\x12", 2);
    errno = 0;
    ck_assert_int_eq(ioctl(p.fd, FIONREAD, &unused), -1);
    ck_assert_int_eq(errno, ENOTTY);
    lab_bus_unplug(host_bus, "1-2");
    ck_assert_int_eq(poll(&p, 1, 0), 1);
    ck_assert_int_eq(p.revents & POLLERR, POLLERR);
    errno = 0;
    ck_assert_int_eq(read(p.fd, d, 1), -1);
    ck_assert_int_eq(errno, ENODEV);
    ck_assert_int_eq(close(p.fd), 0);
    errno = 0;
    ck_assert_int_eq(read(p.fd, d, 1), -1);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

/* No descriptor is left over by opening and closing. */
START_TEST(nothing_leaks)
{
    int first, last;

    host_plug("1-2", echo);
    /* libusb looks at what was plugged in a thread of its own. */
    libusb_unref_device(host_find("1-2"));
    first = dup(0);
    close(first);
    for (int i = 0; i < 2000; i++) {
        int fd = open("/dev/bus/usb/001/002", O_RDWR | O_CLOEXEC);

        ck_assert_int_ge(fd, 0);
        ck_assert_int_eq(open("/dev/bus/usb/001/077", O_RDWR), -1);
        ck_assert_int_eq(close(fd), 0);
    }
    last = dup(0);
    ck_assert_int_eq(last, first);
    close(last);
}
END_TEST

static void add(TCase *t)
{
    tcase_add_test(t, plain_files);
    tcase_add_test(t, no_descriptor);
    tcase_add_test(t, other_ioctls);
    tcase_add_test(t, no_device);
    tcase_add_test(t, signals_interrupt);
    tcase_add_test(t, a_read_can_be_cancelled);
    tcase_add_test(t, the_descriptor);
    tcase_add_test(t, nothing_leaks);
}

int main(void)
{
    return host_main(&(struct host_suite){ "usb_calls", add, setup, teardown });
}
