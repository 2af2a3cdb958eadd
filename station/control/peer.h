/* control/peer: one client's connection, never waited for: what it sends, cut
 * into lines, and what it has not read yet, within bounds. One thread's only. */
#ifndef LINESIDE_CONTROL_PEER_H
#define LINESIDE_CONTROL_PEER_H

#include "station/base/err.h"
#include "station/base/span.h"

#include <sys/types.h>

/* Octets that several clients are being sent, counted by its holders. */
struct chunk {
    size_t holders, n;
    char p[];
};
struct chunk *chunk_new(const void *p, size_t n); /* one holder; NULL: no memory */
void chunk_drop(struct chunk *c);                 /* NULL is fine */

/* A subscriber with more than this of changes unread has fallen behind. */
#define PEER_BEHIND (1 << 20)
/* Requests are not read while so much of what was sent is unread. */
#define PEER_FULL (256 << 10)

struct peer {
    int fd;
    uid_t uid;
    uint64_t number; /* no two of a line's are alike; never 0 */
    bool asks;       /* its answer takes time: nothing else is answered before */
    unsigned waits;  /* answers that take time, and hold up no other */
    int64_t since;   /* it connected */
    int64_t read_at; /* it last read something, or had nothing to read */
    bool spoke;      /* it has sent a whole line */
    bool subscribed;
    bool behind;     /* changes are kept from it until it has read the rest */
    bool leaving;    /* nothing more is read from it; gone when it has read all */
    bool broken;
    struct buf in;
    size_t taken; /* octets of `in` that were lines */
    struct { struct chunk *c; bool change; } *out;
    size_t out_n, out_cap, sent; /* sent: of the first */
    size_t unread, changes;      /* octets */
};

/* fd is taken over. NULL: no memory. */
struct peer *peer_new(int fd, uid_t uid, int64_t now_ms);
void peer_free(struct peer *p);

/* Takes what has come. */
void peer_receive(struct peer *p);
/* The next whole line, without its end; borrowed until peer_receive. 1, 0:
 * there is none, -1: what there is is too long to become one. */
int peer_line(struct peer *p, struct span *out);
/* The line that was given last is overwritten: it held a secret. */
void peer_forget(struct peer *p, struct span line);

/* c gets one holder more. Without memory the peer is broken. */
void peer_put(struct peer *p, struct chunk *c);
/* As peer_put, for a change: one too many and it is behind. */
void peer_put_change(struct peer *p, struct chunk *c);
/* Sends what can be sent now. */
void peer_send(struct peer *p, int64_t now_ms);

#endif
