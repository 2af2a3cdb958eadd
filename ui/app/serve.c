#include "ui/app/serve.h"

#include "station/control/protocol.h"
#include "ui/cells/dump.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct serve {
    int fd;
    struct sockaddr_un at;
    int dir; /* see control_address; -1: none */
};

static bool somebody_is_there(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool there = fd >= 0 && connect(fd, (const struct sockaddr *)a, sizeof *a) == 0;

    if (fd >= 0)
        close(fd);
    return there;
}

static int open_door(struct serve *s, const char *data_dir, struct err *e)
{
    if (control_address_of(data_dir, SCREEN_SOCKET, &s->at, &s->dir, e) != 0)
        return -1;
    if (somebody_is_there(&s->at))
        return err_set(e, ERR_BUSY, "another screen of this station shows its cells");
    unlink(s->at.sun_path); /* of one that was killed */
    s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0177);
    int bad = s->fd < 0 || bind(s->fd, (struct sockaddr *)&s->at, sizeof s->at) != 0 ||
              listen(s->fd, 8) != 0;
    umask(mask);
    return bad ? err_errno(e, "%s/%s", data_dir, SCREEN_SOCKET) : 0;
}

int serve_open(const char *data_dir, struct serve **out, struct err *e)
{
    struct serve *s = malloc(sizeof *s);

    if (!s)
        return err_set(e, ERR_NOMEM, "no memory for the screen's socket");
    *s = (struct serve){ .fd = -1, .dir = -1 };
    if (open_door(s, data_dir, e) != 0) {
        if (s->fd >= 0)
            close(s->fd);
        if (s->dir >= 0)
            close(s->dir);
        free(s);
        return -1;
    }
    *out = s;
    return 0;
}

void serve_close(struct serve *s)
{
    if (!s)
        return;
    unlink(s->at.sun_path);
    close(s->fd);
    if (s->dir >= 0)
        close(s->dir);
    free(s);
}

int serve_fd(const struct serve *s)
{
    return s->fd;
}

static json_t *rows_json(const struct grid *g, void (*dump)(const struct grid *, int, struct buf *))
{
    json_t *rows = json_array();

    for (int y = 0; y < g->rows; y++) {
        AUTO(buf_clear) struct buf b = BUF_INIT;
        dump(g, y, &b);
        /* A row of blanks is a row: without octets there is no b.p either. */
        json_array_append_new(rows, json_stringn(b.n ? (const char *)b.p : "", b.n));
    }
    return rows;
}

static char *picture(const struct grid *g, const char *screen, const char *lang)
{
    json_t *letters = json_object();

    for (int t = 0; t < TONES; t++) {
        char letter[2] = { tone_letter((enum tone)t), '\0' };
        json_object_set_new(letters, letter, json_string(tone_name((enum tone)t)));
    }
    json_t *j = json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:o}", "screen", screen,
                          "language", lang, "columns", g->cols, "rows", g->rows, "text",
                          rows_json(g, dump_text), "tones", rows_json(g, dump_tones),
                          "letters", letters);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    return text;
}

void serve_one(struct serve *s, const struct grid *g, const char *screen, const char *lang)
{
    int room = 4 << 20, fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    char *text = picture(g, screen, lang);
    if (text) {
        size_t n = strlen(text), done = 0;
        text[n++] = '\n'; /* over its NUL: it is sent by length */
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        for (ssize_t k; done < n && (k = send(fd, text + done, n - done, MSG_NOSIGNAL)) > 0;)
            done += (size_t)k; /* what finds no room is left out: nobody is waited for */
    }
    free(text);
    close(fd);
}
