/* import/confine.h: take away from a process what reading a medium does not
 * need: the file system but one directory, sockets, new programs, writing. */
#ifndef LINESIDE_IMPORT_CONFINE_H
#define LINESIDE_IMPORT_CONFINE_H

#include "station/base/err.h"

/* After this, only `dirfd` can be looked into, read-only, and system calls
 * outside a short list fail with EPERM. A kernel without Landlock leaves the
 * list alone in force; one without seccomp is an error. */
int confine_to_dir(int dirfd, struct err *e);

#endif
