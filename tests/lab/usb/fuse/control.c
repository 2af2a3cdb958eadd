#include "tests/lab/usb/fuse/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CLIENTS_MAX 32
#define LINE_MAX_OCTETS 4096
#define ANSWER_MAX (1 << 20)
#define ANSWER_WAIT_S 60 /* a request that waits for a host is far below */

struct client {
    int fd;
    struct buf in;
};

struct control {
    char *path;
    control_fn *fn;
    void *ctx;
    int listener, stop;
    struct client clients[CLIENTS_MAX];
    size_t count;
    pthread_t thread;
    bool serving;
};

static int address(const char *path, struct sockaddr_un *a, struct err *e)
{
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    if (strlen(path) >= sizeof a->sun_path)
        return err_set(e, ERR_USAGE, "%s: the path is too long for a socket",
                       path);
    strcpy(a->sun_path, path);
    return 0;
}

static bool send_all(int fd, struct span s)
{
    while (s.n > 0) {
        ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = span_sub(s, (size_t)n, s.n);
    }
    return true;
}

/* --- the serving end ------------------------------------------------------ */

static void drop(struct control *c, size_t i)
{
    close(c->clients[i].fd);
    buf_clear(&c->clients[i].in);
    c->clients[i] = c->clients[--c->count];
}

static bool answer(struct control *c, struct client *k, const char *line)
{
    AUTO(buf_clear) struct buf out = BUF_INIT;
    struct err e = ERR_INIT;

    if (c->fn(c->ctx, line, &out, &e) == 0) {
        buf_put_span(&out, SPAN_STR("ok\n"));
    } else {
        buf_reset(&out);
        buf_put_span(&out, SPAN_STR("error: "));
        buf_put_span(&out, SPAN_STR(e.msg));
        buf_put_u8(&out, '\n');
    }
    return buf_ok(&out) && send_all(k->fd, buf_span(&out));
}

/* False: it is gone, or speaks another language. */
static bool hear(struct control *c, struct client *k)
{
    uint8_t *to = buf_reserve(&k->in, LINE_MAX_OCTETS), *nl;
    ssize_t n = to ? read(k->fd, to, LINE_MAX_OCTETS) : -1;

    if (n <= 0)
        return n < 0 && errno == EINTR;
    k->in.n += (size_t)n;
    while (k->in.n > 0 && (nl = memchr(k->in.p, '\n', k->in.n))) {
        *nl = '\0';
        size_t whole = (size_t)(nl - k->in.p) + 1;
        if (!answer(c, k, (const char *)k->in.p))
            return false;
        buf_drop_front(&k->in, whole);
    }
    return k->in.n <= LINE_MAX_OCTETS;
}

static void take_client(struct control *c)
{
    int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return;
    if (c->count == CLIENTS_MAX) {
        close(fd);
        return;
    }
    c->clients[c->count++] = (struct client){ .fd = fd };
}

static void *serve(void *arg)
{
    struct control *c = arg;
    struct pollfd p[CLIENTS_MAX + 2];

    for (;;) {
        p[0] = (struct pollfd){ .fd = c->stop, .events = POLLIN };
        p[1] = (struct pollfd){ .fd = c->listener, .events = POLLIN };
        for (size_t i = 0; i < c->count; i++)
            p[i + 2] = (struct pollfd){ .fd = c->clients[i].fd,
                                        .events = POLLIN };
        if (poll(p, c->count + 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (p[0].revents)
            return NULL;
        /* From the end: drop() moves the last one. */
        for (size_t i = c->count; i-- > 0;)
            if (p[i + 2].revents && !hear(c, &c->clients[i]))
                drop(c, i);
        if (p[1].revents)
            take_client(c);
    }
}

static int listen_at(struct control *c, struct err *e)
{
    struct sockaddr_un a;

    if (address(c->path, &a, e) != 0)
        return -1;
    unlink(c->path); /* of one that was killed */
    c->stop = eventfd(0, EFD_CLOEXEC);
    c->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->stop < 0 || c->listener < 0 ||
        bind(c->listener, (struct sockaddr *)&a, sizeof a) != 0 ||
        listen(c->listener, CLIENTS_MAX) != 0)
        return err_errno(e, "cannot listen at %s", c->path);
    return 0;
}

int control_start(const char *path, control_fn *fn, void *ctx,
                  struct control **out, struct err *e)
{
    struct control *c = calloc(1, sizeof *c);

    if (!c || !(c->path = strdup(path))) {
        free(c);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    c->fn = fn;
    c->ctx = ctx;
    c->listener = c->stop = -1;
    int rc = listen_at(c, e);
    if (rc == 0 && pthread_create(&c->thread, NULL, serve, c) != 0)
        rc = err_set(e, ERR_NOMEM, "no thread for %s", path);
    if (rc != 0) {
        control_stop(c);
        return -1;
    }
    c->serving = true;
    *out = c;
    return 0;
}

void control_stop(struct control *c)
{
    if (!c)
        return;
    if (c->serving) {
        eventfd_write(c->stop, 1);
        pthread_join(c->thread, NULL);
        unlink(c->path);
    }
    while (c->count > 0)
        drop(c, c->count - 1);
    if (c->listener >= 0)
        close(c->listener);
    if (c->stop >= 0)
        close(c->stop);
    free(c->path);
    free(c);
}

/* --- the asking end ------------------------------------------------------- */

int control_connect(const char *path, struct err *e)
{
    struct timeval wait = { .tv_sec = ANSWER_WAIT_S };
    struct sockaddr_un a;

    if (address(path, &a, e) != 0)
        return -1;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) != 0) {
        err_errno(e, "no emulated bus answers at %s", path);
        if (fd >= 0)
            close(fd);
        return -1;
    }
    return fd;
}

/* The last line of what has come, when it is whole and ends an answer. */
static const char *last_line(struct buf *in)
{
    size_t at = in->n - 1;

    in->p[in->n - 1] = '\0';
    while (at > 0 && in->p[at - 1] != '\n')
        at--;
    const char *line = (const char *)in->p + at;
    if (strcmp(line, "ok") == 0 || strncmp(line, "error: ", 7) == 0)
        return line;
    in->p[in->n - 1] = '\n';
    return NULL;
}

int control_ask(int fd, const char *line, struct buf *out, struct err *e)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    const char *end = NULL;

    buf_put_span(&b, SPAN_STR(line));
    buf_put_u8(&b, '\n');
    if (!buf_ok(&b) || !send_all(fd, buf_span(&b)))
        return err_set(e, ERR_CLOSED, "the emulated bus is gone");
    buf_reset(&b);
    while (!end) {
        uint8_t *to = buf_reserve(&b, LINE_MAX_OCTETS);
        ssize_t n = to ? read(fd, to, LINE_MAX_OCTETS) : -1;
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set(e, ERR_CLOSED, "the emulated bus does not answer");
        b.n += (size_t)n;
        if (b.p[b.n - 1] == '\n')
            end = last_line(&b);
        if (b.n > ANSWER_MAX)
            return err_set(e, ERR_LIMIT, "an answer without end");
    }
    if (end[0] == 'e')
        return err_set(e, ERR_WRONG_STATE, "%s", end + strlen("error: "));
    buf_put(out, b.p, (size_t)((const uint8_t *)end - b.p));
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}
