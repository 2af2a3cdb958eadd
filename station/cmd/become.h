/* cmd/become: commands that are programs of their own, beside this one. */
#ifndef LINESIDE_CMD_BECOME_H
#define LINESIDE_CMD_BECOME_H

#include "station/base/err.h"

/* argv[0] names the program, in this one's folder; NULL ends them. Comes back
 * only when it cannot be started; what: "which is ...", for that sentence. */
int become(const char *const argv[], const char *what, struct err *e);

/* The environment's language; "": it says nothing. */
const char *become_language(void);

#endif
