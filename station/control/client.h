/* control/client: the other end of the control socket, for `lineside ctl` and
 * for screens. Knows the protocol and nothing of the station.
 *
 *     client_open(data_dir, on_event, ctx, &client, e);
 *     client_ask(client, CONTROL_SUBSCRIBE, NULL, &reply, e);
 *     while (client_next(client, -1, e) == 0) ...;
 *
 * One thread's only. */
#ifndef LINESIDE_CONTROL_CLIENT_H
#define LINESIDE_CONTROL_CLIENT_H

#include "station/control/protocol.h"

struct client;

/* An event, or the reply to what was posted (it has an "id" and no "event");
 * borrowed. */
typedef void client_event_fn(void *ctx, const json_t *event);

/* ERR_IO: no line is running there. ERR_TRUST: this user may not. */
int client_open(const char *data_dir, client_event_fn *event, void *ctx,
                struct client **out, struct err *e);
void client_close(struct client *c); /* NULL is fine */
void client_close_p(struct client **c); /* for AUTO */

/* Asks and waits for the reply; what is told meanwhile goes to `event`.
 * members, taken over, may be NULL; *reply is owned. A refusal is a failure
 * with its code and message; ERR_TIMEOUT, ERR_CLOSED: there was no reply. */
int client_ask(struct client *c, enum control_verb verb, json_t *members,
               json_t **reply, struct err *e);

/* As client_ask, however long it takes: for what is asked of the ledger. */
int client_ask_long(struct client *c, enum control_verb verb, json_t *members,
                    json_t **reply, struct err *e);
/* Asks and does not wait: the reply, which bears *id, goes to `event`. */
int client_post(struct client *c, enum control_verb verb, json_t *members,
                json_int_t *id, struct err *e);

/* Waits at most so long (-1: for ever) for something to be told. ERR_TIMEOUT;
 * ERR_CLOSED: the line has ended. */
int client_next(struct client *c, int timeout_ms, struct err *e);
int client_fd(const struct client *c); /* for a poll of one's own */

#endif
