#include "tests/lab/usb/fuse/devdir.h"

#include "station/base/span.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

/* Made in the covered /tmp of this namespace, then moved. */
#define ASIDE "/tmp"

static int make_node(const char *to, mode_t mode)
{
    if (S_ISDIR(mode))
        return mkdir(to, 0755);
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? -1 : close(fd);
}

static int show_again(const char *name, struct err *e)
{
    char from[PATH_MAX], to[PATH_MAX], target[PATH_MAX];
    struct stat st;

    snprintf(from, sizeof from, "/dev/%s", name);
    snprintf(to, sizeof to, ASIDE "/%s", name);
    if (lstat(from, &st) != 0)
        return errno == ENOENT ? 0 : err_errno(e, "cannot see %s", from);
    if (S_ISLNK(st.st_mode)) {
        ssize_t n = readlink(from, target, sizeof target - 1);
        if (n < 0)
            return err_errno(e, "cannot read %s", from);
        target[n] = '\0';
        return symlink(target, to) == 0 ? 0 : err_errno(e, "cannot make %s", to);
    }
    if (make_node(to, st.st_mode) != 0 ||
        mount(from, to, NULL, MS_BIND | MS_REC, NULL) != 0)
        return err_errno(e, "cannot show %s again", from);
    return 0;
}

static int copy_all(struct err *e)
{
    DIR *dev = opendir("/dev");
    struct dirent *d;
    int rc = 0;

    if (!dev)
        return err_errno(e, "cannot read /dev");
    while (rc == 0 && (d = readdir(dev)) != NULL)
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 &&
            strcmp(d->d_name, "bus") != 0)
            rc = show_again(d->d_name, e);
    closedir(dev);
    return rc;
}

int devdir_make(struct err *e)
{
    struct stat st;

    if (stat(DEVDIR_USB, &st) == 0 && S_ISDIR(st.st_mode))
        return 0;
    if (mount("tmpfs", ASIDE, "tmpfs", MS_NOSUID, "mode=0755") != 0)
        return err_errno(e, "cannot make room for a /dev of our own");
    if (copy_all(e) != 0)
        return -1;
    if (mkdir(ASIDE "/bus", 0755) != 0 || mkdir(ASIDE "/bus/usb", 0755) != 0)
        return err_errno(e, "cannot make " DEVDIR_USB);
    if (mount(ASIDE, "/dev", NULL, MS_MOVE, NULL) != 0)
        return err_errno(e, "cannot put our /dev in place");
    return 0;
}
