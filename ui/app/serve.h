/* ui/app/serve: who connects to DATA/screen.sock gets what is shown, and is
 * hung up on; nothing is read from it, and nobody waited for. */
#ifndef LINESIDE_UI_SERVE_H
#define LINESIDE_UI_SERVE_H

#include "station/base/err.h"
#include "ui/cells/cells.h"

struct serve;

/* ERR_BUSY: another screen of this data directory has it. */
int serve_open(const char *data_dir, struct serve **out, struct err *e);
void serve_close(struct serve *s); /* NULL is fine */
int serve_fd(const struct serve *s);
/* Somebody is at the door. */
void serve_one(struct serve *s, const struct grid *g, const char *screen, const char *lang);

#endif
