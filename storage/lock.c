/* The locks between processes: flock on files beside the ledger. */
#include "storage/db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "storage/lock.h"

#define ASKERS_MS 500

static const struct {
    const char *file, *what;
} locks[] = {
    [LOCK_RUN] = { "run.lock", "`lineside run`" },
    [LOCK_IMPORT] = { "import.lock", "an import" },
    [LOCK_EXPORT] = { "export.lock", "an export" },
    [LOCK_BACKUP] = { "backup.lock", "a backup" },
};

static long owner(int fd)
{
    char pid[16] = "";

    return pread(fd, pid, sizeof pid - 1, 0) > 0 ? atol(pid) : 0;
}

static int busy(int fd, enum lock_kind k, struct err *e)
{
    long pid = owner(fd);

    if (pid <= 0)
        return err_set(e, ERR_BUSY, "%s is already at work on this data "
                       "directory; wait until it ends", locks[k].what);
    return err_set(e, ERR_BUSY, "%s is already at work on this data directory "
                   "(process %ld); wait until it ends, or stop it",
                   locks[k].what, pid);
}

/* Whom to name when the next one asks. */
static int sign(int fd, struct err *e)
{
    char pid[16];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)n, 0) != n)
        return err_errno(e, "writing a lock file in the data directory");
    return 0;
}

static int path_of(const char *data_dir, enum lock_kind k, char out[PATH_MAX],
                   struct err *e)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", data_dir, locks[k].file);

    return n > 0 && n < PATH_MAX ? 0
         : err_set(e, ERR_USAGE, "the data directory's name is too long");
}

/* Who only asks (lock_held) holds it shared for a moment, and does not count:
 * while it can be had shared, nobody is at work. 0: ours; EWOULDBLOCK. */
static int take(int fd)
{
    const struct timespec ms = { 0, 1000000 };

    for (int left = ASKERS_MS; flock(fd, LOCK_EX | LOCK_NB) != 0; left--) {
        if (errno != EWOULDBLOCK || left == 0 ||
            flock(fd, LOCK_SH | LOCK_NB) != 0)
            return errno;
        flock(fd, LOCK_UN);
        nanosleep(&ms, NULL);
    }
    return 0;
}

int lock_take(const char *data_dir, enum lock_kind k, struct lock **out,
              struct err *e)
{
    char path[PATH_MAX];

    if (path_of(data_dir, k, path, e) != 0)
        return -1;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return err_errno(e, "cannot open %s; check the data directory", path);
    struct lock *l = malloc(sizeof *l);
    int rc = 0, no;
    if (!l)
        rc = err_set(e, ERR_NOMEM, "no memory for a lock");
    else if ((no = take(fd)) != 0)
        rc = (errno = no) == EWOULDBLOCK ? busy(fd, k, e) : err_errno(e, "%s", path);
    else
        rc = sign(fd, e);
    if (rc != 0) {
        free(l);
        close(fd);
        return -1;
    }
    *l = (struct lock){ k, fd };
    *out = l;
    return 0;
}

int lock_held(const char *data_dir, enum lock_kind k, bool *held, long *pid,
              struct err *e)
{
    char path[PATH_MAX];

    *held = false;
    *pid = 0;
    if (path_of(data_dir, k, path, e) != 0)
        return -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno == ENOENT ? 0 : err_errno(e, "cannot open %s", path);
    int rc = 0;
    if (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) {
            *held = true;
            *pid = owner(fd);
        } else {
            rc = err_errno(e, "%s", path);
        }
    }
    close(fd);
    return rc;
}

void lock_release(struct lock *l)
{
    if (!l)
        return;
    /* The file stays: removing it would let a third process lock another
     * file of the same name beside one that waits on this one. */
    close(l->fd);
    free(l);
}

void lock_release_p(struct lock **l)
{
    lock_release(*l);
}
