#define FUSE_USE_VERSION 35
#include "tests/lab/usb/fuse/busfs.h"
#include "tests/lab/usb/fuse/devdir.h"
#include "tests/lab/usb/fuse/usbfile.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse3/fuse_lowlevel.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Inodes: the root, a folder for each bus (BUS_INO + bus), a file for each
 * device (bus << 16 | device). */
#define ROOT_INO FUSE_ROOT_ID
#define BUS_INO 0x1000u
#define BUSES 10
#define FILE_INO(p) ((fuse_ino_t)(p)->bus << 16 | (p)->device)

struct busfs {
    struct lab_bus *bus;
    pthread_mutex_t lock;
    struct device *devices; /* plugged, or still open */
    struct fuse_session *session;
    pthread_t thread;
    bool mounted, serving;
    int stop; /* eventfd */
};

/* --- the tree ------------------------------------------------------------- */

static struct device *find(struct busfs *fs, fuse_ino_t ino)
{
    for (struct device *d = fs->devices; d; d = d->next)
        if (!d->gone && FILE_INO(&d->place) == ino)
            return d;
    return NULL;
}

/* Frees those that have left and that nobody has open any more. */
static void sweep(struct busfs *fs)
{
    for (struct device **at = &fs->devices; *at;) {
        struct device *d = *at;
        if (d->gone && !d->files) {
            *at = d->next;
            device_free(d);
        } else {
            at = &d->next;
        }
    }
}

static unsigned bus_of(fuse_ino_t ino)
{
    return ino > BUS_INO && ino < BUS_INO + BUSES ? (unsigned)(ino - BUS_INO)
                                                  : 0;
}

static bool bus_is_used(struct busfs *fs, unsigned bus)
{
    for (struct device *d = fs->devices; d; d = d->next)
        if (!d->gone && d->place.bus == bus)
            return true;
    return false;
}

/* With the lock held. False: no such file (any more). */
static bool attributes(struct busfs *fs, fuse_ino_t ino, struct stat *st)
{
    const struct device *d;

    *st = (struct stat){ .st_ino = ino, .st_nlink = 2 };
    if (ino == ROOT_INO || bus_is_used(fs, bus_of(ino))) {
        st->st_mode = S_IFDIR | 0755;
        return true;
    }
    /* A regular file: the kernel passes ioctl and poll of those on to us. */
    st->st_mode = S_IFREG | 0666;
    st->st_nlink = 1;
    d = find(fs, ino);
    if (d)
        st->st_size = (off_t)d->descriptors.n;
    return d != NULL;
}

/* "007" */
static bool read_number(const char *name, unsigned *out)
{
    if (strlen(name) != 3 || strspn(name, "0123456789") != 3)
        return false;
    *out = (unsigned)strtoul(name, NULL, 10);
    return true;
}

static void on_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct busfs *fs = fuse_req_userdata(req);
    struct fuse_entry_param entry = { .ino = 0 }; /* nothing is remembered */
    unsigned n;

    if (read_number(name, &n) && parent == ROOT_INO && n < BUSES)
        entry.ino = BUS_INO + n;
    else if (read_number(name, &n) && bus_of(parent))
        entry.ino = (fuse_ino_t)bus_of(parent) << 16 | n;
    pthread_mutex_lock(&fs->lock);
    bool there = entry.ino && attributes(fs, entry.ino, &entry.attr);
    pthread_mutex_unlock(&fs->lock);
    if (there)
        fuse_reply_entry(req, &entry);
    else
        fuse_reply_err(req, ENOENT);
}

static void on_getattr(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *fi)
{
    struct busfs *fs = fuse_req_userdata(req);
    struct stat st;

    (void)fi;
    pthread_mutex_lock(&fs->lock);
    bool there = attributes(fs, ino, &st);
    pthread_mutex_unlock(&fs->lock);
    if (there)
        fuse_reply_attr(req, &st, 0);
    else
        fuse_reply_err(req, ENOENT);
}

static void add_entry(fuse_req_t req, struct buf *list, fuse_ino_t ino,
                      mode_t mode, const char *name)
{
    struct stat st = { .st_ino = ino, .st_mode = mode };
    size_t n = fuse_add_direntry(req, NULL, 0, name, NULL, 0);
    uint8_t *to = buf_reserve(list, n);

    if (!to)
        return;
    fuse_add_direntry(req, (char *)to, n, name, &st, (off_t)(list->n + n));
    list->n += n;
}

static void list_folder(fuse_req_t req, struct busfs *fs, fuse_ino_t ino,
                        struct buf *list)
{
    char name[16];

    add_entry(req, list, ino, S_IFDIR, ".");
    add_entry(req, list, ROOT_INO, S_IFDIR, "..");
    for (unsigned b = 1; ino == ROOT_INO && b < BUSES; b++)
        if (bus_is_used(fs, b)) {
            snprintf(name, sizeof name, "%03u", b);
            add_entry(req, list, BUS_INO + b, S_IFDIR, name);
        }
    for (struct device *d = fs->devices; d; d = d->next)
        if (!d->gone && bus_of(ino) && d->place.bus == bus_of(ino)) {
            snprintf(name, sizeof name, "%03u", d->place.device);
            add_entry(req, list, FILE_INO(&d->place), S_IFREG, name);
        }
}

/* The listing of the moment of opendir, so that none is seen twice. */
static void on_opendir(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *fi)
{
    struct busfs *fs = fuse_req_userdata(req);
    struct buf *list = calloc(1, sizeof *list);

    if (!list) {
        fuse_reply_err(req, ENOMEM);
        return;
    }
    pthread_mutex_lock(&fs->lock);
    list_folder(req, fs, ino, list);
    pthread_mutex_unlock(&fs->lock);
    fi->fh = (uintptr_t)list;
    fuse_reply_open(req, fi);
}

static void reply_part(fuse_req_t req, struct span all, size_t size, off_t at)
{
    struct span part = span_sub(all, at < 0 ? all.n : (size_t)at, size);

    fuse_reply_buf(req, (const char *)part.p, part.n);
}

static void on_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
                       struct fuse_file_info *fi)
{
    (void)ino;
    reply_part(req, buf_span((struct buf *)(uintptr_t)fi->fh), size, at);
}

static void on_releasedir(fuse_req_t req, fuse_ino_t ino,
                          struct fuse_file_info *fi)
{
    struct buf *list = (struct buf *)(uintptr_t)fi->fh;

    (void)ino;
    buf_clear(list);
    free(list);
    fuse_reply_err(req, 0);
}

/* --- files ---------------------------------------------------------------- */

static struct usbfile *file_of(const struct fuse_file_info *fi)
{
    return (struct usbfile *)(uintptr_t)fi->fh;
}

static void on_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct busfs *fs = fuse_req_userdata(req);
    struct usbfile *f = NULL;

    pthread_mutex_lock(&fs->lock);
    struct device *d = find(fs, ino);
    if (d)
        f = usbfile_new(d);
    pthread_mutex_unlock(&fs->lock);
    if (!f) {
        fuse_reply_err(req, d ? ENOMEM : ENODEV);
        return;
    }
    fi->fh = (uintptr_t)f;
    fi->direct_io = 1;
    if (fuse_reply_open(req, fi) == -ENOENT)
        usbfile_close(f); /* who opened it was killed meanwhile */
}

static void on_release(fuse_req_t req, fuse_ino_t ino,
                       struct fuse_file_info *fi)
{
    struct busfs *fs = fuse_req_userdata(req);

    (void)ino;
    usbfile_close(file_of(fi));
    pthread_mutex_lock(&fs->lock);
    sweep(fs);
    pthread_mutex_unlock(&fs->lock);
    fuse_reply_err(req, 0);
}

static void on_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
                    struct fuse_file_info *fi)
{
    const struct device *d = usbfile_device(file_of(fi));

    (void)ino;
    reply_part(req, buf_span(&d->descriptors), size, at);
}

static void on_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned cmd, void *arg,
                     struct fuse_file_info *fi, unsigned flags,
                     const void *in, size_t in_n, size_t out_n)
{
    (void)ino;
    (void)in;
    (void)in_n;
    (void)out_n;
    if (flags & (FUSE_IOCTL_COMPAT | FUSE_IOCTL_DIR)) {
        fuse_reply_err(req, ENOTTY);
        return;
    }
    int rc = usbfile_ioctl(file_of(fi), cmd, (uintptr_t)arg,
                           fuse_req_ctx(req)->pid);
    if (rc < 0)
        fuse_reply_err(req, -rc);
    else
        fuse_reply_ioctl(req, rc, NULL, 0);
}

static void on_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
                    struct fuse_pollhandle *ph)
{
    (void)ino;
    fuse_reply_poll(req, usbfile_poll(file_of(fi), ph));
}

static const struct fuse_lowlevel_ops operations = {
    .lookup = on_lookup,
    .getattr = on_getattr,
    .opendir = on_opendir,
    .readdir = on_readdir,
    .releasedir = on_releasedir,
    .open = on_open,
    .release = on_release,
    .read = on_read,
    .ioctl = on_ioctl,
    .poll = on_poll,
};

/* --- the bus -------------------------------------------------------------- */

static void arrived(void *ctx, const struct lab_place *p)
{
    struct busfs *fs = ctx;
    struct device *d = device_new(fs->bus, &fs->lock, p);

    if (!d)
        return; /* as if it had no power */
    pthread_mutex_lock(&fs->lock);
    d->next = fs->devices;
    fs->devices = d;
    pthread_mutex_unlock(&fs->lock);
}

static void left(void *ctx, const struct lab_place *p)
{
    struct busfs *fs = ctx;

    pthread_mutex_lock(&fs->lock);
    struct device *d = find(fs, FILE_INO(p));
    if (d) {
        d->gone = true;
        for (struct usbfile *f = d->files; f; f = usbfile_next(f))
            usbfile_gone(f);
        sweep(fs);
    }
    pthread_mutex_unlock(&fs->lock);
}

/* --- serving -------------------------------------------------------------- */

/* One request, or none when the kernel has taken it back. False: the mount is
 * no more. */
static bool serve_one(struct busfs *fs, struct fuse_buf *b)
{
    int n = fuse_session_receive_buf(fs->session, b);

    if (n == -EINTR || n == -EAGAIN)
        return true;
    if (n <= 0)
        return false;
    fuse_session_process_buf(fs->session, b);
    return !fuse_session_exited(fs->session);
}

static void *serve(void *arg)
{
    struct busfs *fs = arg;
    struct fuse_buf b = { .mem = NULL };
    struct pollfd p[] = {
        { .fd = fs->stop, .events = POLLIN },
        { .fd = fuse_session_fd(fs->session), .events = POLLIN },
    };

    for (;;) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if (p[0].revents || (p[1].revents && !serve_one(fs, &b)))
            break;
    }
    free(b.mem);
    return NULL;
}

const char *busfs_cannot(void)
{
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT || errno == ENODEV || errno == ENXIO
                   ? "the kernel has no FUSE (no /dev/fuse)"
                   : "/dev/fuse may not be opened here";
    close(fd);
    return NULL;
}

static int mount_it(struct busfs *fs, struct err *e)
{
    char *words[] = { "lineside-usb", "-osubtype=usb,fsname=lineside-lab",
                      "-oallow_other", NULL };
    struct fuse_args args = FUSE_ARGS_INIT(3, words);

    fs->session = fuse_session_new(&args, &operations, sizeof operations, fs);
    fuse_opt_free_args(&args);
    if (!fs->session)
        return err_set(e, ERR_INTERNAL, "libfuse makes no session");
    if (fuse_session_mount(fs->session, DEVDIR_USB) != 0)
        return err_errno(e, "cannot mount " DEVDIR_USB);
    fs->mounted = true;
    return 0;
}

int busfs_start(struct lab_bus *b, struct busfs **out, struct err *e)
{
    struct busfs *fs = calloc(1, sizeof *fs);

    if (!fs)
        return err_set(e, ERR_NOMEM, "out of memory");
    fs->bus = b;
    pthread_mutex_init(&fs->lock, NULL);
    fs->stop = eventfd(0, EFD_CLOEXEC);
    if (fs->stop < 0) {
        err_errno(e, "cannot make an eventfd");
    } else if (devdir_make(e) == 0 && mount_it(fs, e) == 0) {
        if (pthread_create(&fs->thread, NULL, serve, fs) == 0)
            fs->serving = true;
        else
            err_set(e, ERR_NOMEM, "no thread for " DEVDIR_USB);
    }
    if (!fs->serving) {
        busfs_stop(fs);
        return -1;
    }
    lab_bus_transport(b, &(struct lab_transport){ arrived, left, fs });
    *out = fs;
    return 0;
}

void busfs_stop(struct busfs *fs)
{
    if (!fs)
        return;
    if (fs->serving) {
        eventfd_write(fs->stop, 1);
        pthread_join(fs->thread, NULL);
    }
    /* Its end of the connection closes first: who looks at the mount, now or
     * in a namespace that still has it, gets an error and need not wait. */
    if (fs->mounted)
        fuse_session_unmount(fs->session);
    for (struct device *d = fs->devices; d; d = d->next) {
        while (d->files) /* of programs killed a moment ago */
            usbfile_close(d->files);
        d->gone = true;
    }
    sweep(fs);
    if (fs->session)
        fuse_session_destroy(fs->session);
    if (fs->stop >= 0)
        close(fs->stop);
    pthread_mutex_destroy(&fs->lock);
    free(fs);
}
