/* The namespaces, and the places in them where the tree is made. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/lab/usb/tree.h"
#include "tests/lab/usb/tree_inner.h"

enum stage { STAGE_NAMESPACE = 1, STAGE_MOUNT, STAGE_TREE, STAGE_DONE };

const char *tree_stage(int stage)
{
    switch (stage) {
    case STAGE_NAMESPACE:
        return "no private mount and network namespace is allowed here (root, "
               "or user namespaces, and with TSan root only)";
    case STAGE_MOUNT:
        return "no tmpfs may be mounted in a private namespace here";
    case STAGE_TREE:
        return "no sysfs at /sys that a tree could be laid over";
    case STAGE_DONE:
        return NULL;
    default:
        return "trying it failed";
    }
}

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? write(fd, text, strlen(text)) : -1;

    if (fd >= 0)
        close(fd);
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

/* An ordinary user becomes root of a namespace of its own, which also makes
 * it a sender that libudev believes. */
static int become_root(void)
{
    char map[64];
    unsigned uid = getuid(), gid = getgid();

    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) != 0)
        return -1;
    (void)write_text("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "0 %u 1", uid);
    if (write_text("/proc/self/uid_map", map) != 0)
        return -1;
    snprintf(map, sizeof map, "0 %u 1", gid);
    return write_text("/proc/self/gid_map", map);
}

/* Programs that talk to themselves over 127.0.0.1 shall not notice. */
static void loopback_up(void)
{
    struct ifreq r = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd >= 0) {
        (void)ioctl(fd, SIOCSIFFLAGS, &r);
        close(fd);
    }
}

static int cover(const char *path)
{
    return mount("lineside-lab", path, "tmpfs", MS_NOSUID | MS_NODEV,
                 "mode=0755,size=64m");
}

/* One directory that every kernel has and no test needs. */
const char *tree_root(void)
{
    static const char *const roots[] = { "/sys/devices/software",
                                         "/sys/devices/tracepoint",
                                         "/sys/devices/breakpoint",
                                         "/sys/devices/virtual" };
    struct stat st;

    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++)
        if (stat(roots[i], &st) == 0)
            return roots[i];
    return NULL;
}

static int furnish(void)
{
    static const char *const dirs[] = { "/sys/bus/usb", "/sys/bus/usb/devices",
                                        "/run/udev", "/run/udev/data" };
    int fd;

    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++)
        if (mkdir(dirs[i], 0755) != 0)
            return -1;
    /* libudev takes this for a running daemon, whose messages it believes. */
    fd = open("/run/udev/control", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return -1;
    close(fd);
    /* The tree is no sysfs; libudev asks unless told not to. */
    return setenv("SYSTEMD_DEVICE_VERIFY_SYSFS", "0", 1);
}

int tree_enter(int *stage, struct err *e)
{
    static bool entered; /* of this process, as its namespaces are */
    int unused;
    const char *root;

    if (!stage)
        stage = &unused;
    *stage = STAGE_DONE;
    if (entered)
        return 0;
    *stage = STAGE_NAMESPACE;
    if (unshare(CLONE_NEWNS | CLONE_NEWNET) != 0 && become_root() != 0)
        return err_errno(e, "making namespaces for the emulated bus");
    *stage = STAGE_MOUNT;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return err_errno(e, "making mounts private for the emulated bus");
    *stage = STAGE_TREE;
    root = tree_root();
    if (!root)
        return err_set(e, ERR_IO, "no directory below /sys/devices to cover");
    *stage = STAGE_MOUNT;
    if (cover(root) != 0 || cover("/sys/bus") != 0 || cover("/run") != 0)
        return err_errno(e, "mounting the emulated bus's tree");
    *stage = STAGE_TREE;
    if (furnish() != 0)
        return err_errno(e, "making the emulated bus's tree");
    loopback_up();
    entered = true;
    *stage = STAGE_DONE;
    return 0;
}
