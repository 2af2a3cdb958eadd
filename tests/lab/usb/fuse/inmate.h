/* lab/usb/fuse/inmate: a command in process and mount namespaces of its own,
 * so that with this process everything that the command started ends too,
 * however it ends. */
#ifndef LINESIDE_LAB_USB_FUSE_INMATE_H
#define LINESIDE_LAB_USB_FUSE_INMATE_H

#include "station/base/err.h"

#include <sys/types.h>

struct inmate {
    pid_t keeper; /* our child; the command is further down */
    int go;       /* a pipe's end */
};

/* To be called before this process has threads: makes the child, which waits.
 * SIGINT, SIGTERM and SIGCHLD are blocked from then on. */
int inmate_prepare(char *const argv[], struct inmate *out, struct err *e);
/* The mounts of this moment are the command's. */
int inmate_go(struct inmate *m, struct err *e);
/* Waits for the end; a SIGTERM is the command's, a second one kills it.
 * Returns its exit status (128 + signal). */
int inmate_wait(struct inmate *m);
/* One that never went. Harmless after inmate_wait. */
void inmate_drop(struct inmate *m);

#endif
