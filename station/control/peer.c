#include "station/control/peer.h"

#include "station/control/protocol.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define AT_ONCE 16 /* chunks a call */

/* --- chunks ------------------------------------------------------------------- */

struct chunk *chunk_new(const void *p, size_t n)
{
    struct chunk *c = malloc(sizeof *c + n);

    if (!c)
        return NULL;
    c->holders = 1;
    c->n = n;
    memcpy(c->p, p, n);
    return c;
}

void chunk_drop(struct chunk *c)
{
    if (c && --c->holders == 0)
        free(c);
}

/* --- the connection ------------------------------------------------------------- */

struct peer *peer_new(int fd, uid_t uid, int64_t now_ms)
{
    struct peer *p = calloc(1, sizeof *p);

    if (p)
        *p = (struct peer){ .fd = fd, .uid = uid, .since = now_ms,
                            .read_at = now_ms };
    return p;
}

void peer_free(struct peer *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->out_n; i++)
        chunk_drop(p->out[i].c);
    free(p->out);
    if (p->in.cap)
        explicit_bzero(p->in.p, p->in.cap);
    buf_clear(&p->in);
    close(p->fd);
    free(p);
}

void peer_receive(struct peer *p)
{
    if (p->taken) {
        size_t was = p->in.n;
        buf_drop_front(&p->in, p->taken);
        explicit_bzero(p->in.p + p->in.n, was - p->in.n);
    }
    p->taken = 0;
    if (p->in.n >= CONTROL_REQUEST_MAX)
        return;
    size_t room = CONTROL_REQUEST_MAX - p->in.n;
    uint8_t *to = buf_reserve(&p->in, room);
    if (!to) {
        p->broken = true;
        return;
    }
    ssize_t n = recv(p->fd, to, room, MSG_DONTWAIT);
    if (n > 0)
        p->in.n += (size_t)n;
    else if (n == 0)
        p->leaving = true;
    else if (errno != EAGAIN && errno != EINTR)
        p->broken = true;
}

int peer_line(struct peer *p, struct span *out)
{
    struct span rest = span_sub(buf_span(&p->in), p->taken, p->in.n);
    const uint8_t *end = rest.n ? memchr(rest.p, '\n', rest.n) : NULL;

    if (!end)
        return rest.n >= CONTROL_REQUEST_MAX ? -1 : 0;
    *out = SPAN(rest.p, (size_t)(end - rest.p));
    p->taken += out->n + 1;
    p->spoke = true;
    return 1;
}

void peer_forget(struct peer *p, struct span line)
{
    if (line.n)
        explicit_bzero(p->in.p + (line.p - p->in.p), line.n);
}

/* --- what it is sent --------------------------------------------------------------- */

static void put(struct peer *p, struct chunk *c, bool change)
{
    if (p->out_n == p->out_cap) {
        size_t cap = p->out_cap ? 2 * p->out_cap : 16;
        void *more = realloc(p->out, cap * sizeof *p->out);
        if (!more) {
            p->broken = true;
            return;
        }
        p->out = more;
        p->out_cap = cap;
    }
    c->holders++;
    p->out[p->out_n].c = c;
    p->out[p->out_n++].change = change;
    p->unread += c->n;
    p->changes += change ? c->n : 0;
}

void peer_put(struct peer *p, struct chunk *c)
{
    put(p, c, false);
}

/* What it has not begun to read of the changes is worth nothing any more. The
 * first is kept: that it is gone tells that the client reads again. */
static void forget_changes(struct peer *p)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->out_n; i++) {
        struct chunk *c = p->out[i].c;
        if (p->out[i].change && i > 0) {
            p->unread -= c->n;
            p->changes -= c->n;
            chunk_drop(c);
        } else {
            p->out[kept++] = p->out[i];
        }
    }
    p->out_n = kept;
}

void peer_put_change(struct peer *p, struct chunk *c)
{
    if (p->behind)
        return;
    if (p->changes + c->n > PEER_BEHIND) {
        p->behind = true;
        forget_changes(p);
        return;
    }
    put(p, c, true);
}

static void sent(struct peer *p, size_t n)
{
    size_t whole = 0;

    p->unread -= n;
    n += p->sent;
    while (whole < p->out_n && n >= p->out[whole].c->n) {
        n -= p->out[whole].c->n;
        p->changes -= p->out[whole].change ? p->out[whole].c->n : 0;
        chunk_drop(p->out[whole++].c);
    }
    p->sent = n;
    p->out_n -= whole;
    if (whole)
        memmove(p->out, p->out + whole, p->out_n * sizeof *p->out);
}

/* Up to AT_ONCE chunks in one call; false: no more can be sent now. */
static bool send_some(struct peer *p)
{
    struct iovec v[AT_ONCE];
    struct msghdr m = { .msg_iov = v };

    for (size_t i = 0; i < p->out_n && i < AT_ONCE; i++) {
        size_t skip = i == 0 ? p->sent : 0;
        v[m.msg_iovlen++] = (struct iovec){ p->out[i].c->p + skip,
                                            p->out[i].c->n - skip };
    }
    ssize_t n = sendmsg(p->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
        sent(p, (size_t)n);
        return true;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        p->broken = true;
    return false;
}

void peer_send(struct peer *p, int64_t now_ms)
{
    while (p->out_n > 0 && !p->broken && send_some(p))
        p->read_at = now_ms;
    if (p->out_n == 0)
        p->read_at = now_ms;
}
