/* control/door: the socket's file, and who may come in: file mode and peer
 * credentials decide. */
#ifndef LINESIDE_CONTROL_DOOR_H
#define LINESIDE_CONTROL_DOOR_H

#include "station/base/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct door {
    int fd; /* listens, never blocks; -1: closed */
    const char *name; /* of the group; NULL: none's members may */
    gid_t group;
};

/* Of a group's members, or (NULL) of nobody but this user and root. The name
 * is borrowed. ERR_NOT_FOUND: no such group. */
int door_init(struct door *d, const char *group, struct err *e);
/* In place of a socket that is left from a line that was killed. ERR_USAGE:
 * the group's members cannot reach it. After a failure too: door_close. */
int door_open(struct door *d, const char *data_dir, struct err *e);
void door_close(struct door *d, const char *data_dir);

/* Whoever connected, by its kernel's word: root, this user, or one of the
 * group. */
bool door_may(const struct door *d, int fd, uid_t *uid);
/* Says why, as far as that can be said without waiting, and hangs up. */
void door_refuse(int fd, enum err_code code, const char *why);

#endif
