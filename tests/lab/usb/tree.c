#include "tests/lab/usb/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lab/usb/descriptors.h"
#include "tests/lab/usb/tree_inner.h"
#include "tests/lab/usb/uevent.h"

#define PATH_MOST 512
#define NEW ".new" /* a directory in the making; no name on a bus */

struct tree {
    const char *root; /* "/sys/devices/software" */
    int netlink;
    uint64_t sequence;
};

static void put(int dir, const char *name, const void *p, size_t n)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    if (fd < 0 || write(fd, p, n) != (ssize_t)n)
        abort(); /* a tmpfs of our own; a half tree would blame libusb */
    close(fd);
}

static void __attribute__((format(printf, 3, 4)))
put_text(int dir, const char *name, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    put(dir, name, text, n < (int)sizeof text ? (size_t)n : sizeof text - 1);
}

static int make_dir(int at, const char *name)
{
    if (mkdirat(at, name, 0755) != 0 && errno != EEXIST)
        return -1;
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void empty(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *de;

    while (d && (de = readdir(d)) != NULL) {
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
            continue;
        if (de->d_type == DT_DIR) {
            empty(fd, de->d_name);
            unlinkat(fd, de->d_name, AT_REMOVEDIR);
        } else {
            unlinkat(fd, de->d_name, 0);
        }
    }
    if (d)
        closedir(d);
}

/* "/sys/devices/software/usb1/1-2/1-2.4" of "1-2.4", as Linux nests them. */
static void device_dir(const struct tree *t, const char *path, char out[PATH_MOST])
{
    int n = snprintf(out, PATH_MOST, "%s", t->root);

    if (strncmp(path, "usb", 3) == 0) {
        snprintf(out + n, PATH_MOST - (size_t)n, "/%s", path);
        return;
    }
    n += snprintf(out + n, PATH_MOST - (size_t)n, "/usb%.*s",
                  (int)strcspn(path, "-"), path);
    for (const char *p = strchr(path, '-'); p;) {
        p = strchr(p + 1, '.');
        n += snprintf(out + n, PATH_MOST - (size_t)n, "/%.*s",
                      p ? (int)(p - path) : (int)strlen(path), path);
    }
}

static unsigned minor_of(const struct tree_device *d)
{
    return (d->bus - 1) * 128 + d->device - 1;
}

/* Field at `at`, little-endian; 0 beyond the end. */
static unsigned field(struct span s, size_t at, size_t n)
{
    unsigned v = 0;

    for (size_t i = n; i-- > 0;)
        v = v << 8 | (at + i < s.n ? s.p[at + i] : 0);
    return v;
}

/* --- properties: one text for the uevent file and for the messages ---------- */

static void __attribute__((format(printf, 2, 3)))
add_line(struct buf *b, const char *fmt, ...)
{
    char line[PATH_MOST + 64];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    buf_put(b, line, strlen(line));
    buf_put_u8(b, '\n');
}

static void add_product(struct buf *b, const struct tree_device *d)
{
    struct span s = d->descriptor;

    add_line(b, "PRODUCT=%x/%x/%x", field(s, 8, 2), field(s, 10, 2),
             field(s, 12, 2));
    add_line(b, "TYPE=%u/%u/%u", field(s, 4, 1), field(s, 5, 1), field(s, 6, 1));
}

static void device_lines(struct buf *b, const struct tree_device *d,
                         const char *dev)
{
    add_line(b, "MAJOR=189");
    add_line(b, "MINOR=%u", minor_of(d));
    add_line(b, "DEVNAME=%sbus/usb/%03u/%03u", dev, d->bus, d->device);
    add_line(b, "DEVTYPE=usb_device");
    add_line(b, "DRIVER=usb");
    add_product(b, d);
    add_line(b, "BUSNUM=%03u", d->bus);
    add_line(b, "DEVNUM=%03u", d->device);
}

static void interface_lines(struct buf *b, const struct tree_device *d,
                            struct span interface)
{
    add_line(b, "DEVTYPE=usb_interface");
    if (d->driver)
        add_line(b, "DRIVER=%s", d->driver);
    add_product(b, d);
    add_line(b, "INTERFACE=%u/%u/%u", interface.p[5], interface.p[6],
             interface.p[7]);
}

static void tell(struct tree *t, const char *action, const char *dir,
                 const char *devtype, struct buf *lines)
{
    struct buf b = BUF_INIT;

    add_line(&b, "ACTION=%s", action);
    add_line(&b, "DEVPATH=%s", dir + strlen("/sys"));
    add_line(&b, "SUBSYSTEM=usb");
    add_line(&b, "SEQNUM=%llu", (unsigned long long)++t->sequence);
    add_line(&b, "USEC_INITIALIZED=1");
    buf_put_span(&b, buf_span(lines));
    for (size_t i = 0; i < b.n; i++)
        if (b.p[i] == '\n')
            b.p[i] = 0;
    uevent_send(t->netlink, devtype, buf_span(&b));
    buf_clear(&b);
}

/* --- interfaces -------------------------------------------------------------- */

struct interfaces {
    struct span of[LAB_USB_INTERFACES];
    size_t n;
};

/* Each interface number once, by its alternate setting 0. */
static void interfaces_of(const struct tree_device *d, struct interfaces *out)
{
    struct span c = configuration_at(d->configurations, 0), one;

    out->n = 0;
    while (descriptor_next(&c, &one)) {
        bool known = one.n < 9 || one.p[1] != 4 || one.p[3] != 0;

        for (size_t i = 0; i < out->n; i++)
            known = known || out->of[i].p[2] == one.p[2];
        if (!known && out->n < LAB_USB_INTERFACES)
            out->of[out->n++] = one;
    }
}

/* "1-2:1.0"; a root hub's are "1-0:1.0". */
static void interface_name(const struct tree_device *d, struct span interface,
                           char out[80])
{
    unsigned value = field(configuration_at(d->configurations, 0), 5, 1);

    if (strncmp(d->path, "usb", 3) == 0)
        snprintf(out, 80, "%s-0:%u.%u", d->path + 3, value, interface.p[2]);
    else
        snprintf(out, 80, "%s:%u.%u", d->path, value, interface.p[2]);
}

static void subsystem_link(int dir)
{
    if (symlinkat("/sys/bus/usb", dir, "subsystem") != 0)
        abort();
}

static void make_interface(int at, const struct tree_device *d, struct span i)
{
    char name[80];
    struct buf lines = BUF_INIT;
    int dir;

    interface_name(d, i, name);
    dir = make_dir(at, name);
    if (dir < 0)
        abort();
    interface_lines(&lines, d, i);
    put(dir, "uevent", lines.p, lines.n);
    buf_clear(&lines);
    put_text(dir, "bInterfaceNumber", "%02x\n", i.p[2]);
    put_text(dir, "bAlternateSetting", "%2d\n", i.p[3]);
    put_text(dir, "bNumEndpoints", "%02x\n", i.p[4]);
    put_text(dir, "bInterfaceClass", "%02x\n", i.p[5]);
    put_text(dir, "bInterfaceSubClass", "%02x\n", i.p[6]);
    put_text(dir, "bInterfaceProtocol", "%02x\n", i.p[7]);
    subsystem_link(dir);
    close(dir);
}

/* --- devices ----------------------------------------------------------------- */

static void make_files(int dir, const struct tree_device *d)
{
    static const char *const speeds[] = { "12", "1.5", "12", "480", "5000" };
    struct span s = d->descriptor, c = configuration_at(d->configurations, 0);
    struct buf raw = BUF_INIT, lines = BUF_INIT;
    const char *port = strrchr(d->path, '.') ? strrchr(d->path, '.') + 1
                                             : strrchr(d->path, '-') + 1;

    buf_put_span(&raw, s);
    buf_put_span(&raw, d->configurations);
    put(dir, "descriptors", raw.p, raw.n);
    device_lines(&lines, d, "");
    put(dir, "uevent", lines.p, lines.n);
    buf_clear(&raw);
    buf_clear(&lines);
    put_text(dir, "busnum", "%u\n", d->bus);
    put_text(dir, "devnum", "%u\n", d->device);
    put_text(dir, "dev", "189:%u\n", minor_of(d));
    put_text(dir, "devpath", "%s\n", strncmp(d->path, "usb", 3) ? port : "0");
    put_text(dir, "speed", "%s\n", d->speed < 5 ? speeds[d->speed] : "12");
    if (c.n >= 6) /* else it has none, which is an empty file */
        put_text(dir, "bConfigurationValue", "%u\n", c.p[5]);
    else
        put(dir, "bConfigurationValue", "", 0);
    put_text(dir, "bNumConfigurations", "%u\n", field(s, 17, 1));
    put_text(dir, "bNumInterfaces", "%2u\n", field(c, 4, 1));
    put_text(dir, "bDeviceClass", "%02x\n", field(s, 4, 1));
    put_text(dir, "bDeviceSubClass", "%02x\n", field(s, 5, 1));
    put_text(dir, "bDeviceProtocol", "%02x\n", field(s, 6, 1));
    put_text(dir, "bMaxPacketSize0", "%u\n", field(s, 7, 1));
    put_text(dir, "idVendor", "%04x\n", field(s, 8, 2));
    put_text(dir, "idProduct", "%04x\n", field(s, 10, 2));
    put_text(dir, "bcdDevice", "%04x\n", field(s, 12, 2));
    put_text(dir, "version", "%2x.%02x\n", field(s, 3, 1), field(s, 2, 1));
    put_text(dir, "maxchild", "%u\n", field(s, 4, 1) == 9 ? 255 : 0);
    if (d->manufacturer)
        put_text(dir, "manufacturer", "%s\n", d->manufacturer);
    if (d->product)
        put_text(dir, "product", "%s\n", d->product);
    if (d->serial)
        put_text(dir, "serial", "%s\n", d->serial);
    subsystem_link(dir);
}

static void link_name(const char *name, char out[128])
{
    snprintf(out, 128, "/sys/bus/usb/devices/%.80s", name);
}

/* libudev takes only devices whose record the daemon has written. */
static void udev_record(const struct tree_device *d, bool there)
{
    char name[64];
    int fd;

    snprintf(name, sizeof name, "/run/udev/data/c189:%u", minor_of(d));
    if (!there) {
        unlink(name);
        return;
    }
    fd = open("/run/udev/data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        abort();
    put_text(fd, strrchr(name, '/') + 1, "I:1\n");
    close(fd);
}

int tree_add(struct tree *t, const struct tree_device *d, struct err *e)
{
    char dir[PATH_MOST], link[128], name[80];
    struct buf lines = BUF_INIT;
    struct interfaces in;
    int root = open(t->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = root >= 0 ? make_dir(root, NEW) : -1;

    if (fd < 0) {
        err_errno(e, "a directory for %s", d->path);
        if (root >= 0)
            close(root);
        return -1;
    }
    device_dir(t, d->path, dir);
    interfaces_of(d, &in);
    make_files(fd, d);
    for (size_t i = 0; i < in.n; i++)
        make_interface(fd, d, in.of[i]);
    close(fd);
    udev_record(d, true);
    if (renameat(root, NEW, root, dir) != 0)
        abort();
    close(root);
    link_name(d->path, link);
    if (symlink(dir, link) != 0)
        abort();
    device_lines(&lines, d, "/dev/");
    tell(t, "add", dir, "usb_device", &lines);
    for (size_t i = 0; i < in.n; i++) {
        char whole[PATH_MOST + 96];

        interface_name(d, in.of[i], name);
        snprintf(whole, sizeof whole, "%s/%s", dir, name);
        link_name(name, link);
        if (symlink(whole, link) != 0)
            abort();
        buf_reset(&lines);
        interface_lines(&lines, d, in.of[i]);
        tell(t, "add", whole, "usb_interface", &lines);
    }
    buf_clear(&lines);
    return 0;
}

void tree_remove(struct tree *t, const struct tree_device *d)
{
    char dir[PATH_MOST], link[128], name[80];
    struct buf lines = BUF_INIT;
    struct interfaces in;

    device_dir(t, d->path, dir);
    interfaces_of(d, &in);
    for (size_t i = 0; i < in.n; i++) {
        char whole[PATH_MOST + 96];

        interface_name(d, in.of[i], name);
        snprintf(whole, sizeof whole, "%s/%s", dir, name);
        link_name(name, link);
        unlink(link);
        buf_reset(&lines);
        interface_lines(&lines, d, in.of[i]);
        tell(t, "remove", whole, "usb_interface", &lines);
    }
    link_name(d->path, link);
    unlink(link);
    empty(AT_FDCWD, dir);
    rmdir(dir);
    udev_record(d, false);
    buf_reset(&lines);
    device_lines(&lines, d, "/dev/");
    tell(t, "remove", dir, "usb_device", &lines);
    buf_clear(&lines);
}

void tree_configured(struct tree *t, const char *path, uint8_t value)
{
    char dir[PATH_MOST];
    int fd;

    device_dir(t, path, dir);
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return; /* it is being pulled */
    /* Replaced, so that no reader meets an empty one; unconfigured is an
     * empty file. */
    if (value)
        put_text(fd, NEW, "%u\n", value);
    else
        put(fd, NEW, "", 0);
    (void)renameat(fd, NEW, fd, "bConfigurationValue");
    close(fd);
}

int tree_new(struct tree **out, struct err *e)
{
    struct tree *t = calloc(1, sizeof *t);

    if (!t)
        return err_set(e, ERR_NOMEM, "no memory for the emulated bus");
    t->root = tree_root();
    if (!t->root) {
        free(t);
        return err_set(e, ERR_IO, "no directory below /sys/devices");
    }
    if (uevent_open(&t->netlink, e) != 0) {
        free(t);
        return -1;
    }
    /* What a test that died has left: the namespaces are its parent's. */
    empty(AT_FDCWD, t->root);
    empty(AT_FDCWD, "/sys/bus/usb/devices");
    empty(AT_FDCWD, "/run/udev/data");
    *out = t;
    return 0;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    close(t->netlink);
    free(t);
}
