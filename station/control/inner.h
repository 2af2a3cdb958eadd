/* control/inner: the server's parts: server.c has the socket, the thread and
 * the state; requests.c does what clients ask for; logins.c answers those who
 * log in; office.c what takes the ledger its time. */
#ifndef LINESIDE_CONTROL_INNER_H
#define LINESIDE_CONTROL_INNER_H

#include "station/control/logins.h"
#include "station/control/office.h"
#include "station/control/peer.h"
#include "station/control/protocol.h"
#include "station/control/server.h"
#include "station/line/roster.h"

/* One request of p, answered. */
void control_answer(struct control *c, struct peer *p, struct span line);

/* j and, if it is not NULL, `state` as its last member named "state", to p.
 * j is taken over. */
void control_send(struct peer *p, json_t *j, struct chunk *state);
/* Everything told so far goes to the subscribers; then the state that results,
 * as JSON text. Borrowed until the next call; NULL: no memory. */
struct chunk *control_state_now(struct control *c);
struct logins *control_logins(struct control *c);
struct office *control_office(struct control *c);
/* NULL: that client is gone. */
struct peer *control_peer(struct control *c, uint64_t number);
json_t *control_seat_json(const struct seat *s);
void control_subscribe(struct control *c, struct peer *p, bool on);
struct line *control_line(struct control *c);
const struct control_options *control_settings(const struct control *c);

#endif
