#include "station/cmd/screen.h"

#include "station/control/protocol.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define WAIT_MS 5000
#define READ_SIZE 65536

static int reach(const char *data_dir, struct err *e)
{
    struct sockaddr_un a;
    int dir, fd = -1;

    if (control_address_of(data_dir, SCREEN_SOCKET, &a, &dir, e) != 0)
        return -1;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        int why = errno;
        if (fd >= 0)
            close(fd);
        fd = -1;
        if (why == ENOENT || why == ECONNREFUSED)
            err_set(e, ERR_IO, "no screen is shown on %s; start one with: lineside ui "
                    "--data %s", data_dir, data_dir);
        else if (why == EACCES)
            err_set(e, ERR_TRUST, "this user may not see the screen; be the user who "
                    "started it");
        else {
            errno = why;
            err_errno(e, "the screen on %s cannot be reached", data_dir);
        }
    }
    if (dir >= 0)
        close(dir);
    return fd;
}

/* Until it hangs up. */
static int read_all(int fd, struct buf *b, struct err *e)
{
    for (;;) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        uint8_t *to = buf_reserve(b, READ_SIZE);
        if (!to || b->n > CONTROL_MESSAGE_MAX)
            return err_set(e, ERR_LIMIT, "the screen sends more than a screen has");
        if (poll(&p, 1, WAIT_MS) <= 0)
            return err_set(e, ERR_TIMEOUT, "the screen does not answer; try again");
        ssize_t n = read(fd, to, READ_SIZE);
        if (n < 0)
            return err_errno(e, "the screen");
        if (n == 0)
            return 0;
        b->n += (size_t)n;
    }
}

int cmd_screen_print(const char *data_dir, bool json, struct err *e)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    const json_t *row;
    size_t i;

    int fd = reach(data_dir, e);
    if (fd < 0)
        return -1;
    int bad = read_all(fd, &b, e);
    close(fd);
    if (bad)
        return -1;
    AUTO(json_decrefp) json_t *j = json_loadb((const char *)b.p, b.n, 0, NULL);
    if (!json_is_object(j))
        return err_set(e, ERR_FORMAT, "what came from the screen is cut off; try again");
    if (json) {
        fwrite(b.p, 1, b.n, stdout);
        return 0;
    }
    json_array_foreach(json_object_get(j, "text"), i, row)
        puts(json_is_string(row) ? json_string_value(row) : "");
    return 0;
}
