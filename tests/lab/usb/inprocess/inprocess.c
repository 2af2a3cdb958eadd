/* The descriptor that libusb polls is the write end of a pipe with room for
 * one message, because that end can show all that usbfs shows: full, nothing
 * is to be reaped; empty, POLLOUT; its reader closed, POLLERR, the device is
 * gone. */
#include "tests/lab/usb/inprocess/inprocess.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/lab/usb/inprocess/descriptor_table.h"
#include "tests/lab/usb/inprocess/usbfile.h"

#define FOLDER "/dev/bus/usb/"

struct entry {
    struct usbfile *file;
    int read_end; /* -1: the device is gone. The file's lock */
    int write_end;
    off_t at;      /* lock */
    unsigned refs; /* lock */
};

/* A process has one table of descriptors, and so has this. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct entry *entries[DESCRIPTORS_MOST];
static struct usbfs *fs;

/* libusb frees a transfer, with its lock, when the thread that has ended it may
 * still be on its way out of the unlock. That is allowed, but ThreadSanitizer,
 * to which libusb is a black box, says otherwise. */
const char *__tsan_default_suppressions(void);
const char *__tsan_default_suppressions(void)
{
    return "race:libusb_free_transfer\n";
}

int inprocess_start(struct lab_bus *b, struct err *e)
{
    struct usbfs *new = NULL;

    if (usbfs_start(b, &new, e) != 0)
        return -1;
    pthread_mutex_lock(&lock);
    fs = new;
    pthread_mutex_unlock(&lock);
    return 0;
}

void inprocess_stop(void)
{
    struct usbfs *old;

    pthread_mutex_lock(&lock);
    old = fs;
    fs = NULL;
    pthread_mutex_unlock(&lock);
    if (old)
        usbfs_stop(old);
}

/* --- the pipe ------------------------------------------------------------------ */

/* Past our own read and write, and past the sanitizers': the order that
 * counts is made by the file's lock. */
static void ready(void *ctx, bool any)
{
    struct entry *en = ctx;
    char c = 0;

    if (en->read_end < 0)
        return;
    if (any)
        (void)!syscall(SYS_read, en->read_end, &c, 1);
    else
        (void)!syscall(SYS_write, en->write_end, &c, 1);
}

static void gone(void *ctx)
{
    struct entry *en = ctx;

    close(en->read_end);
    en->read_end = -1;
}

static int pipe_open(struct entry *en)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return -errno;
    en->read_end = ends[0];
    en->write_end = ends[1];
    if (fcntl(ends[0], F_SETPIPE_SZ, 1) < 0) /* one page: one write fills it */
        return -errno;
    ready(en, false);
    return 0;
}

static void entry_free(struct entry *en)
{
    if (en->read_end >= 0)
        close(en->read_end);
    free(en);
}

/* --- open and close ------------------------------------------------------------- */

static bool number(const char **p, unsigned *out)
{
    *out = 0;
    for (int i = 0; i < 3; i++, (*p)++) {
        if (**p < '0' || **p > '9')
            return false;
        *out = *out * 10 + (unsigned)(**p - '0');
    }
    return true;
}

static bool is_device(const char *path, unsigned *bus, unsigned *device)
{
    if (strncmp(path, FOLDER, strlen(FOLDER)) != 0)
        return false;
    path += strlen(FOLDER);
    return number(&path, bus) && *path++ == '/' && number(&path, device) && !*path;
}

static int open_entry(unsigned bus, unsigned device)
{
    struct usbfile_listener l = { ready, gone, NULL };
    struct entry *en = calloc(1, sizeof *en);
    int r;

    if (!en)
        return -ENOMEM;
    en->refs = 1;
    en->read_end = en->write_end = -1;
    l.ctx = en;
    r = pipe_open(en);
    if (r == 0 && en->write_end >= DESCRIPTORS_MOST)
        r = -EMFILE;
    if (r == 0)
        r = usbfile_open(fs, bus, device, &l, &en->file);
    if (r != 0) {
        if (en->write_end >= 0)
            close(en->write_end);
        entry_free(en);
        return r;
    }
    entries[en->write_end] = en;
    atomic_store(&inprocess_ours[en->write_end], true);
    return en->write_end;
}

int inprocess_open(const char *path, int flags, bool *mine)
{
    unsigned bus, device;
    int r;

    (void)flags;
    *mine = false;
    if (!is_device(path, &bus, &device))
        return -1;
    pthread_mutex_lock(&lock);
    *mine = fs != NULL;
    r = fs ? open_entry(bus, device) : -1;
    pthread_mutex_unlock(&lock);
    if (*mine && r < 0) {
        errno = -r;
        return -1;
    }
    return r;
}

static struct entry *entry_get(int fd)
{
    struct entry *en;

    pthread_mutex_lock(&lock);
    en = entries[fd];
    if (en)
        en->refs++;
    pthread_mutex_unlock(&lock);
    return en;
}

static void entry_put(struct entry *en)
{
    bool last;

    pthread_mutex_lock(&lock);
    last = --en->refs == 0;
    pthread_mutex_unlock(&lock);
    if (last) {
        usbfile_close(en->file);
        entry_free(en);
    }
}

void inprocess_close(int fd)
{
    struct entry *en;

    pthread_mutex_lock(&lock);
    en = entries[fd];
    entries[fd] = NULL;
    atomic_store(&inprocess_ours[fd], false);
    pthread_mutex_unlock(&lock);
    if (en)
        entry_put(en);
}

/* --- the other calls --------------------------------------------------------------- */

ssize_t inprocess_read(int fd, void *p, size_t n, bool *mine)
{
    struct entry *en = entry_get(fd);
    ssize_t r;

    *mine = en != NULL;
    if (!en)
        return -1;
    pthread_mutex_lock(&lock);
    r = usbfile_read(en->file, p, n, en->at);
    if (r > 0)
        en->at += r;
    pthread_mutex_unlock(&lock);
    entry_put(en);
    if (r < 0) {
        errno = (int)-r;
        return -1;
    }
    return r;
}

off_t inprocess_lseek(int fd, off_t at, int whence, bool *mine)
{
    struct entry *en = entry_get(fd);
    off_t r;

    *mine = en != NULL;
    if (!en)
        return -1;
    pthread_mutex_lock(&lock);
    r = whence == SEEK_SET ? at : whence == SEEK_CUR ? en->at + at : -1;
    if (r >= 0)
        en->at = r;
    pthread_mutex_unlock(&lock);
    entry_put(en);
    if (r < 0)
        errno = EINVAL;
    return r;
}

static int speed(struct usbfile *f)
{
    struct lab_place p;
    uint8_t s;
    int r = usbfile_place(f, &p, &s);

    return r < 0 ? r : s;
}

static int connect_info(struct usbfile *f, struct usbdevfs_connectinfo *c)
{
    struct lab_place p;
    uint8_t s;
    int r = usbfile_place(f, &p, &s);

    if (r == 0) {
        c->devnum = p.device;
        c->slow = s == 1;
    }
    return r;
}

/* Everything in one URB, whatever its length: with these libusb neither
 * splits nor continues. */
static int capabilities(struct usbfile *f, uint32_t *out)
{
    struct lab_place p;
    uint8_t s;
    int r = usbfile_place(f, &p, &s);

    *out = USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_NO_PACKET_SIZE_LIM |
           USBDEVFS_CAP_BULK_SCATTER_GATHER | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;
    return r;
}

static int driver_ioctl(struct usbfile *f, const struct usbdevfs_ioctl *c)
{
    switch ((unsigned)c->ioctl_code) {
    case USBDEVFS_DISCONNECT:
        return usbfile_detach(f, c->ifno);
    case USBDEVFS_CONNECT:
        return usbfile_attach(f, c->ifno);
    default:
        return -ENOTTY;
    }
}

static int answer(struct usbfile *f, unsigned long request, void *arg)
{
    switch (request) {
    case USBDEVFS_SUBMITURB:
        return usbfile_submit(f, arg);
    case USBDEVFS_REAPURBNDELAY:
        return usbfile_reap(f, arg);
    case USBDEVFS_DISCARDURB:
        return usbfile_discard(f, arg);
    case USBDEVFS_CONTROL:
        return usbfile_control(f, arg);
    case USBDEVFS_GET_CAPABILITIES:
        return capabilities(f, arg);
    case USBDEVFS_GETDRIVER:
        return usbfile_driver(f, arg);
    case USBDEVFS_CLAIMINTERFACE:
        return usbfile_claim(f, *(unsigned *)arg);
    case USBDEVFS_RELEASEINTERFACE:
        return usbfile_release(f, *(unsigned *)arg);
    case USBDEVFS_DISCONNECT_CLAIM:
        return usbfile_disconnect_claim(f, arg);
    case USBDEVFS_IOCTL:
        return driver_ioctl(f, arg);
    case USBDEVFS_SETCONFIGURATION:
        return usbfile_set_configuration(f, *(unsigned *)arg);
    case USBDEVFS_SETINTERFACE:
        return usbfile_set_interface(f, arg);
    case USBDEVFS_CLEAR_HALT:
        return usbfile_clear_halt(f, *(unsigned *)arg);
    case USBDEVFS_RESET:
        return usbfile_reset(f);
    case USBDEVFS_CONNECTINFO:
        return connect_info(f, arg);
    case USBDEVFS_GET_SPEED:
        return speed(f);
    default:
        return -ENOTTY;
    }
}

int inprocess_ioctl(int fd, unsigned long request, void *arg, bool *mine)
{
    struct entry *en = entry_get(fd);
    int r;

    *mine = en != NULL;
    if (!en)
        return -1;
    r = answer(en->file, request, arg);
    entry_put(en);
    if (r < 0) {
        errno = -r;
        return -1;
    }
    return r;
}
