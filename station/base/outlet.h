/* Lines of output that never make their teller wait: a thread of its own
 * writes them, so that a paused terminal or a reader that hangs holds nobody
 * up. What is not read is kept, within bounds; beyond them, or when the reader
 * has gone, the outlet is broken for good and takes no more. */
#ifndef LINESIDE_BASE_OUTLET_H
#define LINESIDE_BASE_OUTLET_H

#include "station/base/err.h"
#include "station/base/span.h"

struct outlet;

/* fd: borrowed until outlet_end. room: octets that may wait. */
int outlet_start(int fd, size_t room, struct outlet **out, struct err *e);

/* One whole line, its newline included; copied. Lines come out in this order,
 * each in one write if fd takes it. Any thread. */
void outlet_put(struct outlet *o, struct span line);

/* Takes no more from here on: something could not even be put. */
void outlet_break(struct outlet *o);
bool outlet_broken(const struct outlet *o);
/* Readable once it is broken. */
int outlet_fd(const struct outlet *o);

/* Waits for all to be read, at most so long after the last octet that was.
 * ERR_CLOSED: not all was. NULL is fine. When the reader hangs, the thread that
 * is stuck with it keeps what it needs, and fd, until it moves or the process
 * ends. */
int outlet_end(struct outlet *o, int patience_ms, struct err *e);

#endif
