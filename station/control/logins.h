/* control/logins: logins on their way. A client asks on the server's thread,
 * the roster's clerk decides on his own, and the answer comes back by the
 * server's thread, which is woken for it: nobody else waits for a PIN. Inside
 * this room only. */
#ifndef LINESIDE_CONTROL_LOGINS_H
#define LINESIDE_CONTROL_LOGINS_H

#include "station/control/peer.h"
#include "station/line/roster.h"

#include <jansson.h>

struct control;
struct logins;

/* wake: the server's eventfd. NULL: no memory. */
struct logins *logins_new(int wake);
/* When nobody decides any more (line_end). NULL is fine. */
void logins_free(struct logins *l);

/* Queued for p, which asks nothing else before its answer, a reply that bears
 * this id; what->done and ctx are filled in. As roster_login. */
int logins_ask(struct logins *l, struct roster *r, struct peer *p, json_t *id,
               struct roster_login *what, struct err *e);
/* Answers all that were decided, the oldest first. */
void logins_answer(struct logins *l, struct control *c);

#endif
