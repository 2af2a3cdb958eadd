#include "tests/unit/drivers/listener.h"

#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct listener {
    struct sockaddr_un addr;
    struct fixture *card;
    enum manners manners;
    int fd;
    int stop[2]; /* a pipe: closing the end written to ends the thread */
    pthread_t thread;
};

/* false: told to stop, or the peer is gone. */
static bool readable(struct listener *l, int fd)
{
    struct pollfd p[] = { { .fd = fd, .events = POLLIN },
                          { .fd = l->stop[0], .events = POLLIN } };

    while (poll(p, 2, -1) < 0)
        ;
    return p[1].revents == 0 && p[0].revents != 0;
}

static bool read_all(struct listener *l, int fd, uint8_t *p, size_t n)
{
    while (n > 0) {
        if (!readable(l, fd))
            return false;
        ssize_t r = recv(fd, p, n, 0);
        if (r <= 0)
            return false;
        p += r;
        n -= (size_t)r;
    }
    return true;
}

static void put(int fd, const void *p, size_t n)
{
    if (n && send(fd, p, n, MSG_NOSIGNAL) < 0)
        return; /* the driver hung up: its good right */
}

static void put_message(struct listener *l, int fd, struct span body)
{
    AUTO(buf_clear) struct buf out = BUF_INIT;

    buf_put_u16(&out, (uint16_t)body.n);
    buf_put_span(&out, body);
    if (l->manners == MANNERS_DRIBBLE)
        for (size_t i = 0; i < out.n; i++)
            put(fd, out.p + i, 1);
    else
        put(fd, out.p, out.n);
}

/* false: hang up. */
static bool misbehave(struct listener *l, int fd, struct span good)
{
    static const uint8_t huge[] = { 0xFF, 0xFF, 0x90, 0x00 };
    static const uint8_t half[] = { 0x00, 0x10, 0x90 };

    switch (l->manners) {
    case MANNERS_MUTE:
        return true;
    case MANNERS_HUGE:
        put(fd, huge, sizeof huge);
        return true;
    case MANNERS_TINY:
        put_message(l, fd, span_sub(good, 0, 1));
        return true;
    case MANNERS_TALKATIVE: {
        AUTO(buf_clear) struct buf twice = BUF_INIT;
        for (int i = 0; i < 2; i++) {
            buf_put_u16(&twice, (uint16_t)good.n);
            buf_put_span(&twice, good);
        }
        put(fd, twice.p, twice.n);
        return true;
    }
    case MANNERS_HANG_UP:
        put(fd, half, sizeof half);
        return false;
    default:
        put_message(l, fd, good);
        return true;
    }
}

static bool control(struct listener *l, int fd, uint8_t what, struct buf *atr)
{
    static const uint8_t zeros[FIXTURE_ATR_MAX + 1];

    switch (what) {
    case 0:
        l->card->ops->power_off(l->card);
        return true;
    case 1:
    case 2:
        return l->card->ops->power_on(l->card, atr, 0, NULL) == 0;
    default:
        if (l->manners == MANNERS_NO_ATR)
            put_message(l, fd, SPAN(zeros, 0));
        else if (l->manners == MANNERS_LONG_ATR)
            put_message(l, fd, SPAN_ARRAY(zeros));
        else
            put_message(l, fd, buf_span(atr));
        return true;
    }
}

static void serve(struct listener *l, int fd)
{
    AUTO(buf_clear) struct buf atr = BUF_INIT, rsp = BUF_INIT;
    uint8_t head[2], body[65535];

    while (read_all(l, fd, head, 2)) {
        size_t n = (size_t)head[0] << 8 | head[1];
        if (!read_all(l, fd, body, n))
            return;
        if (n == 1) {
            if (!control(l, fd, body[0], &atr))
                return;
        } else if (l->card->ops->transmit(l->card, SPAN(body, n), &rsp, 0,
                                          NULL) != 0 ||
                   !misbehave(l, fd, buf_span(&rsp))) {
            return;
        }
    }
}

static void *run(void *arg)
{
    struct listener *l = arg;

    while (readable(l, l->fd)) {
        int fd = accept(l->fd, NULL, NULL);
        if (fd < 0)
            continue;
        serve(l, fd);
        l->card->ops->power_off(l->card);
        close(fd);
    }
    return NULL;
}

struct listener *listener_start(const char *path, struct fixture *card,
                                enum manners manners)
{
    struct listener *l = calloc(1, sizeof *l);

    ck_assert_ptr_nonnull(l);
    ck_assert_uint_lt(strlen(path), sizeof l->addr.sun_path);
    l->addr.sun_family = AF_UNIX;
    memcpy(l->addr.sun_path, path, strlen(path) + 1);
    l->card = card;
    l->manners = manners;
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(l->fd, (struct sockaddr *)&l->addr, sizeof l->addr), 0);
    ck_assert_int_eq(listen(l->fd, 1), 0);
    ck_assert_int_eq(pipe(l->stop), 0);
    ck_assert_int_eq(pthread_create(&l->thread, NULL, run, l), 0);
    return l;
}

void listener_stop(struct listener *l)
{
    close(l->stop[1]);
    pthread_join(l->thread, NULL);
    close(l->stop[0]);
    close(l->fd);
    unlink(l->addr.sun_path);
    free(l);
}
