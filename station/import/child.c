#include "station/import/child.h"

#include "station/import/importer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_OCTETS (1024 * 1024)
#define READ_OCTETS (256 * 1024)

/* Between fork and exec: only async-signal-safe calls. The three descriptors
 * are moved above all targets first, so that no move tramples another. */
static void become_importer(int dir, int trust, int out)
{
    static const int target[3] = { IMPORTER_TRUST_FD, IMPORTER_OUT_FD,
                                   IMPORTER_DIR_FD };
    int from[3] = { trust, out, dir };
    char *const argv[] = { "lineside", "importer", NULL };
    char *const envp[] = { NULL };

    for (int i = 0; i < 3; i++) {
        from[i] = fcntl(from[i], F_DUPFD, 16);
        if (from[i] < 0)
            _exit(3);
    }
    for (int i = 0; i < 3; i++)
        if (dup2(from[i], target[i]) < 0)
            _exit(3);
    execve("/proc/self/exe", argv, envp);
    _exit(3);
}

int import_child_start(struct import_child *c, const char *container,
                       const struct import_trust *t, struct err *e)
{
    AUTO(buf_clear) struct buf frame = BUF_INIT, trust = BUF_INIT;
    int down[2] = { -1, -1 }, up[2] = { -1, -1 };
    int bad = -1;

    memset(c, 0, sizeof *c);
    c->fd = -1;
    c->step = "opening";
    int dir = open(container, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return err_errno(e, "not a container's folder that can be read (check "
                            "the path, and that the medium is there)");
    if (pipe2(down, O_CLOEXEC) != 0 || pipe2(up, O_CLOEXEC) != 0) {
        err_errno(e, "pipe");
        goto out;
    }
    fcntl(up[0], F_SETPIPE_SZ, PIPE_OCTETS); /* fewer switches; not needed */
    import_trust_put(&trust, t);
    frame_put_header(&frame, FRAME_TRUST, trust.n);
    buf_put_span(&frame, buf_span(&trust));
    if (!buf_ok(&frame) || !buf_ok(&trust)) {
        err_set(e, ERR_NOMEM, "out of memory");
        goto out;
    }
    c->pid = fork();
    if (c->pid < 0) {
        c->pid = 0;
        err_errno(e, "fork");
        goto out;
    }
    if (c->pid == 0)
        become_importer(dir, down[0], up[1]);
    close(down[0]);
    close(up[1]);
    down[0] = up[1] = -1;
    c->fd = up[0];
    up[0] = -1;
    if (frame_write(down[1], buf_span(&frame), e) != 0)
        goto out;
    bad = 0;
out:
    for (int i = 0; i < 2; i++) {
        if (down[i] >= 0)
            close(down[i]);
        if (up[i] >= 0)
            close(up[i]);
    }
    close(dir);
    if (bad)
        import_child_end(c, NULL);
    return bad;
}

int import_child_go_on(struct import_child *c, struct err *e)
{
    const struct import_watch *w = c->watch;

    return !w || w->go_on(w->ctx, c->step, c->done, c->of) ? 0
         : err_set(e, ERR_WRONG_STATE, "it was stopped; nothing of this container "
                   "was kept");
}

/* A medium that hangs is noticed, and given up when somebody says so. */
static int wait_for(struct import_child *c, struct err *e)
{
    struct pollfd p = { .fd = c->fd, .events = POLLIN };
    int n = 0;

    while (c->watch && n <= 0) {
        n = poll(&p, 1, IMPORT_WATCH_MS);
        if (n < 0 && errno != EINTR)
            return err_errno(e, "import process: poll");
        if (n <= 0 && import_child_go_on(c, e) != 0)
            return -1;
    }
    return 0;
}

/* Make at least n octets from c->at available in the window. */
static int fill(struct import_child *c, size_t n, struct err *e)
{
    if (c->window.n - c->at >= n)
        return 0;
    buf_drop_front(&c->window, c->at);
    c->at = 0;
    while (c->window.n < n) {
        size_t want = n - c->window.n > READ_OCTETS ? n - c->window.n
                                                    : READ_OCTETS;
        uint8_t *to = buf_reserve(&c->window, want);
        if (!to)
            return err_set(e, ERR_NOMEM, "out of memory");
        if (wait_for(c, e) != 0)
            return -1;
        ssize_t r = read(c->fd, to, want);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return err_errno(e, "import process: read");
        if (r == 0)
            return err_set(e, ERR_CLOSED,
                           "the import process ended before it was done; "
                           "nothing of this container was kept, import it "
                           "again");
        c->window.n += (size_t)r;
    }
    return 0;
}

int import_child_next(struct import_child *c, enum frame_type *type,
                      struct span *payload, struct err *e)
{
    if (fill(c, FRAME_HEADER, e) != 0)
        return -1;
    const uint8_t *h = c->window.p + c->at;
    size_t n = (size_t)h[1] << 24 | (size_t)h[2] << 16 | (size_t)h[3] << 8 |
               h[4];
    if (n > FRAME_MAX)
        return err_set(e, ERR_LIMIT, "import process: frame of %zu octets", n);
    if (fill(c, FRAME_HEADER + n, e) != 0)
        return -1;
    *type = (enum frame_type)c->window.p[c->at];
    *payload = SPAN(c->window.p + c->at + FRAME_HEADER, n);
    c->at += FRAME_HEADER + n;
    if (*type == FRAME_ERROR)
        return frame_error_parse(*payload, e);
    return 0;
}

void import_child_end(struct import_child *c, long *rss_kib)
{
    struct rusage ru = { 0 };

    if (c->fd >= 0)
        close(c->fd);
    if (c->pid > 0) {
        /* After END it is on its way out; before, nothing it does counts. */
        kill(c->pid, SIGKILL);
        while (wait4(c->pid, NULL, 0, &ru) < 0 && errno == EINTR)
            ;
    }
    if (rss_kib)
        *rss_kib = ru.ru_maxrss;
    buf_clear(&c->window);
    c->fd = -1;
    c->pid = 0;
}
