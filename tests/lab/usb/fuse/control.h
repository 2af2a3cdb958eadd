/* lab/usb/fuse/control: the emulated desk by words from other processes. A
 * Unix socket; a request is a line (rack.h), its answer any number of lines
 * and then "ok", or "error: why". Requests are done one after the other,
 * whoever asks. */
#ifndef LINESIDE_LAB_USB_FUSE_CONTROL_H
#define LINESIDE_LAB_USB_FUSE_CONTROL_H

#include "station/base/err.h"
#include "station/base/span.h"

/* Does one request. */
typedef int control_fn(void *ctx, const char *line, struct buf *answer,
                       struct err *e);

struct control;
/* Serves in a thread of its own. The socket is removed at the end. */
int control_start(const char *path, control_fn *fn, void *ctx,
                  struct control **out, struct err *e);
void control_stop(struct control *c); /* NULL is fine */

/* The other end. Returns a descriptor. */
int control_connect(const char *path, struct err *e);
/* One request and its answer without the "ok". ERR_WRONG_STATE: refused, with
 * the reason; other codes: nobody is there. */
int control_ask(int fd, const char *line, struct buf *answer, struct err *e);

#endif
