/* control/office: what is asked of the line and takes its time: questions to
 * the ledger, and acts upon it. A client asks on the server's thread; one of
 * the office's threads does it, with a connection to the ledger of its own; the
 * answer comes back by the server's thread, which is woken for it. So neither
 * the line nor another client waits, and what takes long (an import; the
 * doctor) has a thread to itself. Inside this room only. */
#ifndef LINESIDE_CONTROL_OFFICE_H
#define LINESIDE_CONTROL_OFFICE_H

#include "station/control/peer.h"
#include "station/control/protocol.h"
#include "station/people/login.h"

#include <stdatomic.h>

struct control;
struct line;
struct office;

#define OFFICE_WAITING_MAX 64 /* before one thread; the next is refused */

struct office_options { /* borrowed */
    const char *data_dir, *version;
    unsigned warn_hours;
    int wake; /* the server's eventfd */
};
/* NULL: no memory. No thread yet. */
struct office *office_new(const struct office_options *o);
int office_start(struct office *f, struct line *l, struct err *e);
/* No job begins any more. What runs is stopped where it can be and waited for
 * where it cannot; it is answered, and what waits is refused, by
 * office_answer. Harmless twice. */
void office_end(struct office *f);
void office_free(struct office *f); /* NULL is fine */

bool office_does(enum control_verb v); /* it is done here */
bool office_acts(enum control_verb v); /* ... and changes something */
/* Queued for p. r's words and id are taken over, and their secrets forgotten when
 * it is done. person: who stands for it; name "": nobody is known. ERR_BUSY: too
 * much waits. */
int office_ask(struct office *f, struct peer *p, struct control_request *r,
               const struct session *person, struct err *e);
/* Answers what is done, the oldest first, and tells how far the rest is. */
void office_answer(struct office *f, struct control *c);
/* What this client asked for under this id, and was not answered yet, is not
 * wanted any more: it is refused, at once or when it has noticed.
 * ERR_NOT_FOUND: nothing of the sort is on its way. ERR_WRONG_STATE: it is
 * finished once it was begun. */
int office_cancel(struct office *f, uint64_t peer, const json_t *id, struct err *e);
/* That client is gone: what it asked for and was not begun is not done. */
void office_gone(struct office *f, uint64_t peer);

#endif
