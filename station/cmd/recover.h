/* cmd/recover.h: the way back when nobody can act as supervisor any more
 * (docs/people.md): whoever stands at the machine itself. */
#ifndef LINESIDE_CMD_RECOVER_H
#define LINESIDE_CMD_RECOVER_H

#include "station/base/err.h"

#include <stddef.h>

/* Root, on a screen's console or a serial port of this machine (no network
 * login), which is the terminal that controls this process: ERR_TRUST
 * otherwise. terminal: its name, for the event. */
int recover_presence(char *terminal, size_t cap, struct err *e);

/* A code is shown on that terminal and must be typed there: ERR_TRUST. */
int recover_code(struct err *e);

#endif
