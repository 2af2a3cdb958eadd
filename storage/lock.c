/* The locks between processes: flock on files beside the ledger. */
#include "storage/db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "storage/lock.h"

static const struct {
    const char *file, *what;
} locks[] = {
    [LOCK_RUN] = { "run.lock", "`lineside run`" },
    [LOCK_IMPORT] = { "import.lock", "an import" },
    [LOCK_EXPORT] = { "export.lock", "an export" },
};

static int busy(int fd, enum lock_kind k, struct err *e)
{
    char pid[16] = "";

    if (pread(fd, pid, sizeof pid - 1, 0) > 0)
        pid[strspn(pid, "0123456789")] = '\0';
    if (!pid[0])
        return err_set(e, ERR_BUSY, "%s is already at work on this data "
                       "directory; wait until it ends", locks[k].what);
    return err_set(e, ERR_BUSY, "%s is already at work on this data directory "
                   "(process %s); wait until it ends, or stop it",
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

int lock_take(const char *data_dir, enum lock_kind k, struct lock **out,
              struct err *e)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", data_dir, locks[k].file);

    if (n < 0 || n >= (int)sizeof path)
        return err_set(e, ERR_USAGE, "the data directory's name is too long");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0)
        return err_errno(e, "cannot open %s; check the data directory", path);
    struct lock *l = malloc(sizeof *l);
    int rc = 0;
    if (!l)
        rc = err_set(e, ERR_NOMEM, "no memory for a lock");
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        rc = errno == EWOULDBLOCK ? busy(fd, k, e) : err_errno(e, "%s", path);
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
