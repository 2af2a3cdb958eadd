#include "station/backup/child.h"

#include "station/container/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int program_path(char out[PATH_MAX], struct err *e)
{
    ssize_t n = readlink("/proc/self/exe", out, PATH_MAX - 1);

    if (n < 0)
        return err_errno(e, "/proc/self/exe");
    out[n] = '\0';
    char *base = strrchr(out, '/');
    size_t room = PATH_MAX - (size_t)(base ? base + 1 - out : 0);
    if (!base || snprintf(base + 1, room, "%s", BACKUP_PROGRAM) >= (int)room)
        return err_set(e, ERR_INTERNAL, "this program's own folder is unknown");
    return access(out, X_OK) == 0
               ? 0 : err_errno(e, "%s, which seals backups, is missing: install "
                                  "it beside lineside", out);
}

/* Between fork and exec: async-signal-safe calls only. Moved above all targets
 * first, so that no move tramples another. */
static void become_child(const char *path, int in, int out, int cert)
{
    static const int target[3] = { STDIN_FILENO, STDOUT_FILENO, BACKUP_CERT_FD };
    int from[3] = { in, out, cert };
    char *const argv[] = { (char *)BACKUP_PROGRAM, NULL };
    char *const envp[] = { NULL };

    for (int i = 0; i < 3; i++)
        if ((from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 16)) < 0)
            _exit(3);
    for (int i = 0; i < 3; i++)
        if (dup2(from[i], target[i]) < 0)
            _exit(3);
    execve(path, argv, envp);
    _exit(3);
}

/* A certificate is smaller than a pipe is, so that this never waits. */
static int put_certificate(int fd, struct span der, struct err *e)
{
    ssize_t n = write(fd, der.p, der.n);

    return n >= 0 && (size_t)n == der.n
               ? 0 : err_errno(e, "handing over the recovery certificate");
}

static void close_two(int fd[2])
{
    for (int i = 0; i < 2; i++)
        if (fd[i] >= 0)
            close(fd[i]);
}

int backup_child_start(struct backup_child *c, int file_fd, struct span recipient,
                       struct err *e)
{
    int cert[2] = { -1, -1 }, up[2] = { -1, -1 };
    char path[PATH_MAX];

    *c = (struct backup_child){ .fd = -1 };
    if (program_path(path, e) != 0)
        return -1;
    int bad = pipe2(cert, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0 ||
                      lseek(file_fd, 0, SEEK_SET) != 0
                  ? err_errno(e, "a pipe to the program that seals")
                  : put_certificate(cert[1], recipient, e);
    if (!bad) {
        c->pid = fork();
        if (c->pid == 0)
            become_child(path, file_fd, up[1], cert[0]);
        if (c->pid < 0)
            bad = err_errno(e, "fork");
    }
    if (!bad) {
        c->fd = up[0];
        up[0] = -1;
    }
    close_two(cert);
    close_two(up);
    return bad ? -1 : 0;
}

static int read_exactly(struct backup_child *c, size_t n, struct err *e)
{
    buf_reset(&c->window);
    uint8_t *to = buf_reserve(&c->window, n ? n : 1);

    if (!to)
        return err_set(e, ERR_NOMEM, "out of memory");
    while (c->window.n < n) {
        ssize_t r = read(c->fd, to + c->window.n, n - c->window.n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return r < 0 ? err_errno(e, "reading what was sealed")
                         : err_set(e, ERR_INTERNAL, "the program that seals "
                                   "ended before it was done");
        c->window.n += (size_t)r;
    }
    return 0;
}

int backup_child_next(struct backup_child *c, struct span *record, struct err *e)
{
    if (read_exactly(c, 4, e) != 0)
        return -1;
    const uint8_t *h = c->window.p;
    size_t n = (size_t)h[0] << 24 | (size_t)h[1] << 16 | (size_t)h[2] << 8 | h[3];
    if (n > RECORD_MAX)
        return err_set(e, ERR_INTERNAL, "a sealed record of %zu octets", n);
    if (n == 0)
        return 0;
    if (read_exactly(c, n, e) != 0)
        return -1;
    *record = buf_span(&c->window);
    return 1;
}

void backup_child_end(struct backup_child *c)
{
    if (c->fd >= 0)
        close(c->fd);
    if (c->pid > 0) {
        /* After its last frame nothing it does counts. */
        kill(c->pid, SIGKILL);
        while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    buf_clear(&c->window);
    *c = (struct backup_child){ .fd = -1 };
}
