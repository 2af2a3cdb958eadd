/* backup/child.h: the process that seals (station/backup/main.c). */
#ifndef LINESIDE_BACKUP_CHILD_H
#define LINESIDE_BACKUP_CHILD_H

#include "station/base/err.h"
#include "station/base/span.h"

#include <sys/types.h>

#define BACKUP_PROGRAM "lineside-backup" /* beside the program that starts it */
#define BACKUP_CERT_FD 3

struct backup_child {
    pid_t pid;
    int fd;
    struct buf window; /* one frame */
};

/* Start it on what is in file_fd, from the start. recipient: DER. */
int backup_child_start(struct backup_child *c, int file_fd, struct span recipient,
                       struct err *e);
/* The next sealed record, valid until the next call: 1; 0 the end of a whole
 * run; -1. */
int backup_child_next(struct backup_child *c, struct span *record, struct err *e);
/* Also stops it where it is not done. */
void backup_child_end(struct backup_child *c);

#endif
