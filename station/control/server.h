/* control/server: the line's control socket, DATA/control.sock. One thread
 * speaks to all clients and waits for none; the line hands over what it tells
 * by a copy under a lock that is held for a few microseconds, and when the
 * copies are not fetched in time they are dropped and each subscriber gets a
 * new snapshot instead.
 *
 *     control_new(&options, &control, e);
 *     line_new(... .event calls control_tell ...);
 *     control_serve(control, line, e);
 *     ... line_end(line);
 *     control_end(control); line_free(line); control_free(control); */
#ifndef LINESIDE_CONTROL_SERVER_H
#define LINESIDE_CONTROL_SERVER_H

#include "station/line/line.h"

struct control;

struct control_options {
    const char *data_dir;
    const char *group;   /* whose members may connect too; NULL: none's */
    const char *version; /* of the program */
    unsigned warn_hours; /* when the stock is called low (forecast.h) */
    void (*stop)(void *ctx); /* the line is to be stopped; must not block */
    void *stop_ctx;
    int patience_ms; /* with a client that is silent or stuck; 0: 30 s */
};

/* No socket yet; what is told from now on is kept in the state. o's strings
 * are copied. ERR_NOT_FOUND: no such group. */
int control_new(const struct control_options *o, struct control **out,
                struct err *e);

/* A line_event_fn: any thread, never blocks. */
void control_tell(void *control, const struct line_event *ev);

/* Opens the socket, in place of one that a line left which was killed: l holds
 * the data directory's run lock, and outlives control_end. ERR_USAGE: the
 * group's members cannot reach the socket. */
int control_serve(struct control *c, struct line *l, struct err *e);

/* Takes no request any more, sends what was told, for half a second at most,
 * and removes the socket. Harmless twice, and without control_serve. */
void control_end(struct control *c);
void control_free(struct control *c); /* NULL is fine */

struct control_stats {
    uint64_t clients;  /* now                                   */
    uint64_t accepted, refused;
    uint64_t lost;     /* snapshots in place of changes          */
    uint64_t dropped;  /* clients that did not read, or speak    */
};
void control_stats(struct control *c, struct control_stats *out);

#endif
