#include "drivers/bench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "station/base/clock.h"

enum control { CONTROL_OFF = 0, CONTROL_ON = 1, CONTROL_GET_ATR = 4 };

#define APDU_MIN 4     /* one octet would be a control */
#define FRAME_HEADER 2
#define MESSAGE_MAX 512
#define CONNECT_RETRY_MS 10

struct bench {
    struct fixture base;
    int fd; /* -1: no power */
    struct sockaddr_un addr;
};

static struct bench *self(struct fixture *f)
{
    return (struct bench *)f;
}

static void drop(struct bench *b)
{
    if (b->fd >= 0)
        close(b->fd);
    b->fd = -1;
}

static int64_t deadline_in(int timeout_ms)
{
    return clock_monotonic_ms() + (timeout_ms > 0 ? timeout_ms : 0);
}

/* 1: ready (or the peer is gone, which the next call will say), 0: too late,
 * -1: poll failed, with errno. */
static int wait_for(int fd, short events, int64_t deadline)
{
    for (;;) {
        int64_t left = deadline - clock_monotonic_ms();
        struct pollfd p = { .fd = fd, .events = events };
        int r = poll(&p, 1, left > 0 ? (int)left : 0);

        if (r >= 0)
            return r > 0;
        if (errno != EINTR)
            return -1;
    }
}

static bool again(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static int gone(struct err *e)
{
    return err_set(e, ERR_NO_CARD,
                   "the card went away during an exchange; put it back and "
                   "scan the unit again");
}

static int too_late(struct err *e, const char *what)
{
    return err_set(e, ERR_TIMEOUT,
                   "the card %s in time; reseat it and scan the unit again",
                   what);
}

static int send_message(struct bench *b, struct span body, int64_t deadline,
                        struct err *e)
{
    uint8_t frame[FRAME_HEADER + MESSAGE_MAX];
    size_t n = FRAME_HEADER + body.n, at = 0;

    if (body.n > MESSAGE_MAX)
        return err_set(e, ERR_INTERNAL, "%zu octets are no short APDU", body.n);
    frame[0] = (uint8_t)(body.n >> 8);
    frame[1] = (uint8_t)body.n;
    memcpy(frame + FRAME_HEADER, body.p, body.n);
    while (at < n) {
        ssize_t r = send(b->fd, frame + at, n - at, MSG_NOSIGNAL);

        if (r >= 0) {
            at += (size_t)r;
        } else if (!again()) {
            return gone(e);
        } else {
            int ready = wait_for(b->fd, POLLOUT, deadline);
            if (ready < 0)
                return err_errno(e, "waiting for the card's socket");
            if (ready == 0)
                return too_late(e, "did not take a command");
        }
    }
    return 0;
}

/* One message of at most `max` octets into *body. The card answers each
 * message once, so that more than one is a card talking out of turn. */
static int receive_message(struct bench *b, struct buf *body, size_t max,
                           int64_t deadline, struct err *e)
{
    uint8_t in[FRAME_HEADER + MESSAGE_MAX];
    size_t got = 0, want = FRAME_HEADER;

    while (got < want) {
        int ready = wait_for(b->fd, POLLIN, deadline);
        if (ready < 0)
            return err_errno(e, "waiting for the card's socket");
        if (ready == 0)
            return too_late(e, "did not answer");
        ssize_t r = recv(b->fd, in + got, sizeof in - got, 0);
        if (r < 0 && again())
            continue;
        if (r <= 0)
            return gone(e);
        got += (size_t)r;
        if (got >= FRAME_HEADER) {
            size_t n = (size_t)in[0] << 8 | in[1];
            if (n > max)
                return err_set(e, ERR_FORMAT,
                               "the card sent a message of %zu octets, more "
                               "than any answer has; replace it",
                               n);
            want = FRAME_HEADER + n;
        }
    }
    if (got > want)
        return err_set(e, ERR_FORMAT, "the card sent %zu octets that nothing "
                                      "asked for; replace it",
                       got - want);
    buf_reset(body);
    buf_put(body, in + FRAME_HEADER, want - FRAME_HEADER);
    return buf_ok(body) ? 0 : err_set(e, ERR_NOMEM, "no memory for an answer");
}

/* A full backlog gives EAGAIN at once on a Unix socket and nothing to poll. */
static int connect_by(struct bench *b, int64_t deadline, struct err *e)
{
    const char *path = b->addr.sun_path;

    b->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (b->fd < 0)
        return err_errno(e, "%s: cannot make a socket", path);
    while (connect(b->fd, (const struct sockaddr *)&b->addr,
                   sizeof b->addr) != 0) {
        if (!again())
            return err_set(e, ERR_NO_CARD,
                           "no card in the fixture (%s: %s); insert one and "
                           "scan the unit again",
                           path, strerror(errno));
        if (clock_monotonic_ms() >= deadline)
            return err_set(e, ERR_NO_CARD,
                           "the card in the fixture (%s) takes no connection; "
                           "another station may hold it",
                           path);
        poll(NULL, 0, CONNECT_RETRY_MS);
    }
    return 0;
}

static int bench_open(void *env, const char *where, struct fixture **out,
               struct err *e)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    size_t n = strlen(where);

    (void)env;
    if (n == 0 || n >= sizeof addr.sun_path)
        return err_set(e, ERR_USAGE,
                       "a bench fixture is the path of a socket, 1 to %zu "
                       "octets long; this one has %zu",
                       sizeof addr.sun_path - 1, n);
    struct bench *b = calloc(1, sizeof *b);
    if (!b)
        return err_set(e, ERR_NOMEM, "no memory for a fixture");
    memcpy(addr.sun_path, where, n + 1);
    b->base.ops = &fixture_bench;
    b->fd = -1;
    b->addr = addr;
    *out = &b->base;
    return 0;
}

static int ask_atr(struct bench *b, struct buf *atr, int64_t deadline,
                   struct err *e)
{
    static const uint8_t on[] = { CONTROL_ON }, get_atr[] = { CONTROL_GET_ATR };

    if (connect_by(b, deadline, e) != 0 ||
        send_message(b, SPAN_ARRAY(on), deadline, e) != 0 ||
        send_message(b, SPAN_ARRAY(get_atr), deadline, e) != 0 ||
        receive_message(b, atr, FIXTURE_ATR_MAX, deadline, e) != 0)
        return -1;
    if (atr->n == 0)
        return err_set(e, ERR_NO_CARD, "the card gives no ATR; reseat it, and "
                                       "replace it if that does not help");
    return 0;
}

static int bench_power_on(struct fixture *f, struct buf *atr, int timeout_ms,
                          struct err *e)
{
    struct bench *b = self(f);
    struct err why = ERR_INIT;

    drop(b);
    if (ask_atr(b, atr, deadline_in(timeout_ms), &why) == 0)
        return 0;
    drop(b);
    /* fixture.h: a card that does not come up in time is no card. */
    return err_set(e, why.code == ERR_TIMEOUT ? ERR_NO_CARD : why.code, "%s",
                   why.msg);
}

static int bench_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                          int timeout_ms, struct err *e)
{
    struct bench *b = self(f);
    int64_t deadline = deadline_in(timeout_ms);

    if (cmd.n < APDU_MIN)
        return err_set(e, ERR_INTERNAL, "%zu octets are no command", cmd.n);
    if (b->fd < 0)
        return err_set(e, ERR_NO_CARD, "the card has no power");
    if (send_message(b, cmd, deadline, e) != 0 ||
        receive_message(b, rsp, FIXTURE_RESPONSE_MAX, deadline, e) != 0) {
        drop(b); /* a late answer must not be taken for the next one */
        return -1;
    }
    if (rsp->n < 2) {
        drop(b);
        return err_set(e, ERR_FORMAT, "the card answered %zu octets, without "
                                      "a status word; replace it",
                       rsp->n);
    }
    return 0;
}

static void bench_power_off(struct fixture *f)
{
    static const uint8_t off[] = { CONTROL_OFF };
    struct bench *b = self(f);

    /* Closing alone cuts the power as well; the control only says so first,
     * and the card may be gone, so it is not waited for. */
    if (b->fd >= 0)
        send_message(b, SPAN_ARRAY(off), 0, NULL);
    drop(b);
}

static void bench_close(struct fixture *f)
{
    if (!f)
        return;
    bench_power_off(f);
    free(self(f));
}

const struct fixture_ops fixture_bench = {
    .name = "bench",
    .open = bench_open,
    .power_on = bench_power_on,
    .transmit = bench_transmit,
    .power_off = bench_power_off,
    .close = bench_close,
};

/* --- discovery ----------------------------------------------------------- */

static bool sayable(const char *name)
{
    size_t n = strlen(name);

    if (n == 0 || n > FIXTURE_NAME_MAX || name[0] == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)name[i] <= ' ' || name[i] == 0x7F)
            return false;
    return true;
}

static bool is_slot(int dirfd, const char *name)
{
    struct stat st;

    return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           (S_ISSOCK(st.st_mode) || S_ISLNK(st.st_mode));
}

static int by_name(const void *a, const void *b)
{
    const struct bench_entry *x = a, *y = b;

    return strcmp(x->name, y->name);
}

static int add_entry(struct bench_entries *l, const char *dir, const char *name)
{
    struct bench_entry *v = realloc(l->v, (l->n + 1) * sizeof *v);

    if (!v)
        return -1;
    l->v = v;
    struct bench_entry *entry = &v[l->n];
    if (asprintf(&entry->where, "%s/%s", dir, name) < 0)
        return -1;
    memcpy(entry->name, name, strlen(name) + 1); /* sayable: it fits */
    l->n++;
    return 0;
}

int bench_list(const char *dir, struct bench_entries *out, struct err *e)
{
    struct bench_entries l = { NULL, 0 };
    struct dirent *de;
    DIR *d = opendir(dir);
    int bad = 0;

    if (!d)
        return err_errno(e, "bench directory %s", dir);
    while (!bad && (errno = 0, de = readdir(d)))
        if (sayable(de->d_name) && is_slot(dirfd(d), de->d_name))
            bad = add_entry(&l, dir, de->d_name);
    if (bad)
        err_set(e, ERR_NOMEM, "no memory for the list of fixtures");
    else if (errno)
        bad = err_errno(e, "bench directory %s", dir);
    closedir(d);
    if (bad) {
        bench_entries_clear(&l);
        return -1;
    }
    if (l.n)
        qsort(l.v, l.n, sizeof *l.v, by_name);
    *out = l;
    return 0;
}

void bench_entries_clear(struct bench_entries *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].where);
    free(l->v);
    *l = (struct bench_entries){ NULL, 0 };
}
