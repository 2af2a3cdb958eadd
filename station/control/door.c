#include "station/control/door.h"

#include "station/control/protocol.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int door_init(struct door *d, const char *group, struct err *e)
{
    *d = (struct door){ .fd = -1, .name = group };
    if (!group)
        return 0;
    const struct group *g = getgrnam(group);
    if (!g)
        return err_set(e, ERR_NOT_FOUND, "there is no group %s on this machine; "
                       "make it, or name another", group);
    d->group = g->gr_gid;
    return 0;
}

/* --- the file ---------------------------------------------------------------- */

/* The mode of a socket's file decides who may connect: it is set before
 * anybody can. */
static int set_mode(const struct door *d, const char *path, const char *data_dir,
                    struct err *e)
{
    struct stat st;

    if (!d->name)
        return chmod(path, 0600) == 0 ? 0 : err_errno(e, "%s", path);
    if (chown(path, (uid_t)-1, d->group) != 0 || chmod(path, 0660) != 0)
        return err_errno(e, "%s cannot be given to the group %s", path, d->name);
    if (stat(data_dir, &st) == 0 && !(st.st_mode & S_IXOTH) &&
        !(st.st_gid == d->group && st.st_mode & S_IXGRP))
        return err_set(e, ERR_USAGE, "members of %s cannot reach the socket in "
                       "%s; do once: chgrp %s %s; chmod g+x %s", d->name,
                       data_dir, d->name, data_dir, data_dir);
    return 0;
}

int door_open(struct door *d, const char *data_dir, struct err *e)
{
    struct sockaddr_un a;
    int dir;

    if (control_address(data_dir, &a, &dir, e) != 0)
        return -1;
    d->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    unlink(a.sun_path); /* of a line that was killed: its lock is ours now */
    int bad = d->fd < 0 ||
              bind(d->fd, (struct sockaddr *)&a, sizeof a) != 0
            ? err_errno(e, "the control socket %s/%s", data_dir, CONTROL_SOCKET)
            : set_mode(d, a.sun_path, data_dir, e);
    if (!bad && listen(d->fd, SOMAXCONN) != 0)
        bad = err_errno(e, "the control socket");
    if (dir >= 0)
        close(dir);
    return bad;
}

void door_close(struct door *d, const char *data_dir)
{
    struct sockaddr_un a;
    struct err e = ERR_INIT;
    int dir;

    if (d->fd < 0)
        return;
    close(d->fd);
    d->fd = -1;
    if (control_address(data_dir, &a, &dir, &e) != 0)
        return;
    unlink(a.sun_path);
    if (dir >= 0)
        close(dir);
}

/* --- who may come in ------------------------------------------------------------ */

static bool in_group(int fd, const struct ucred *u, gid_t group)
{
    gid_t all[256];
    socklen_t n = sizeof all;

    if (u->gid == group)
        return true;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, all, &n) != 0)
        return false;
    for (size_t i = 0; i < n / sizeof *all; i++)
        if (all[i] == group)
            return true;
    return false;
}

bool door_may(const struct door *d, int fd, uid_t *uid)
{
    struct ucred u;
    socklen_t n = sizeof u;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &n) != 0)
        return false;
    *uid = u.uid;
    return u.uid == 0 || u.uid == geteuid() ||
           (d->name && in_group(fd, &u, d->group));
}

void door_refuse(int fd, enum err_code code, const char *why)
{
    json_t *j = json_pack("{s:s, s:s, s:s}", "event", "refused", "error",
                          err_name(code), "message", why);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

    json_decref(j);
    if (text) {
        size_t n = strlen(text);
        text[n] = '\n'; /* over its NUL: it is sent by length */
        ssize_t ignored = send(fd, text, n + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
        (void)ignored; /* who does not listen either is not told */
    }
    free(text);
    close(fd);
}
