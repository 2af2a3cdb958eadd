#include "station/control/client.h"

#include "station/base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPLY_MS 10000
#define READ_SIZE 65536

struct client {
    int fd;
    json_int_t asked; /* the last request's id */
    bool waits;       /* for its reply, in client_ask */
    client_event_fn *event;
    void *ctx;
    struct buf in;
    size_t looked; /* octets of `in` that have no line end among them */
    json_t *reply; /* to `asked`, while it is waited for */
};

/* --- the connection -------------------------------------------------------------- */

static int no_line(const char *data_dir, struct err *e)
{
    int why = errno;

    if (why == EACCES || why == EPERM)
        return err_set(e, ERR_TRUST, "this user may not speak to the line on %s; "
                       "be the user who started it, or a member of its "
                       "--control-group", data_dir);
    if (why == ENOENT || why == ECONNREFUSED || why == ENOTDIR)
        return err_set(e, ERR_IO, "no line is running on %s; start one with: "
                       "lineside run --data %s", data_dir, data_dir);
    errno = why;
    return err_errno(e, "the line on %s cannot be reached", data_dir);
}

static int reach(const char *data_dir, struct err *e)
{
    struct sockaddr_un a;
    struct err far = ERR_INIT;
    int dir;

    if (control_address(data_dir, &a, &dir, &far) != 0)
        return no_line(data_dir, e);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) != 0) {
        int why = errno;
        close(fd);
        fd = -1;
        errno = why;
    }
    if (fd < 0)
        no_line(data_dir, e);
    if (dir >= 0)
        close(dir);
    return fd;
}

int client_open(const char *data_dir, client_event_fn *event, void *ctx,
                struct client **out, struct err *e)
{
    int fd = reach(data_dir, e);

    if (fd < 0)
        return -1;
    struct client *c = calloc(1, sizeof *c);
    if (!c) {
        close(fd);
        return err_set(e, ERR_NOMEM, "no memory for a connection");
    }
    *c = (struct client){ .fd = fd, .event = event, .ctx = ctx };
    *out = c;
    return 0;
}

void client_close(struct client *c)
{
    if (!c)
        return;
    close(c->fd);
    buf_clear(&c->in);
    json_decref(c->reply);
    free(c);
}

void client_close_p(struct client **c)
{
    client_close(*c);
}

int client_fd(const struct client *c)
{
    return c->fd;
}

/* --- messages --------------------------------------------------------------------- */

static int hung_up(struct err *e)
{
    return err_set(e, ERR_CLOSED, "the line has hung up: it has ended, or this "
                   "client did not read; look whether it runs, then try again");
}

static int refusal(const json_t *j, struct err *e)
{
    const char *message = json_string_value(json_object_get(j, "message"));
    const char *code = json_string_value(json_object_get(j, "error"));

    return err_set(e, control_error_code(code), "%s",
                   message ? message : "the line refused, and does not say why");
}

static int take_message(struct client *c, struct span line, struct err *e)
{
    AUTO(json_decrefp) json_t *j = json_loadb((const char *)line.p, line.n, 0, NULL);
    const char *event = json_string_value(json_object_get(j, "event"));

    if (!json_is_object(j))
        return err_set(e, ERR_FORMAT, "what comes from the line is no message; "
                       "is it of the same version as this program?");
    if (!event && c->waits && !c->reply &&
        json_integer_value(json_object_get(j, "id")) == c->asked) {
        c->reply = json_incref(j);
        return 0;
    }
    if (event && strcmp(event, "refused") == 0)
        return refusal(j, e);
    if (c->event)
        c->event(c->ctx, j);
    return 0;
}

/* Every whole line that has come; *any: there was one. */
static int take_lines(struct client *c, bool *any, struct err *e)
{
    size_t from = 0;
    const uint8_t *end;
    int bad = 0;

    while (!bad && c->looked < c->in.n &&
           (end = memchr(c->in.p + c->looked, '\n', c->in.n - c->looked))) {
        bad = take_message(c, SPAN(c->in.p + from, (size_t)(end - c->in.p) - from), e);
        from = c->looked = (size_t)(end - c->in.p) + 1;
        *any = true;
    }
    buf_drop_front(&c->in, from);
    c->looked = c->in.n;
    if (!bad && c->in.n > CONTROL_MESSAGE_MAX)
        return err_set(e, ERR_LIMIT, "the line sends a message without an end; "
                       "is it of the same version as this program?");
    return bad;
}

static int receive(struct client *c, int timeout_ms, struct err *e)
{
    struct pollfd p = { .fd = c->fd, .events = POLLIN };
    int ready = poll(&p, 1, timeout_ms);

    if (ready == 0)
        return err_set(e, ERR_TIMEOUT, "the line does not answer; try again");
    uint8_t *to = buf_reserve(&c->in, READ_SIZE);
    if (!to)
        return err_set(e, ERR_NOMEM, "no memory for the line's message");
    ssize_t n = ready < 0 ? -1 : recv(c->fd, to, READ_SIZE, 0);
    if (n > 0)
        c->in.n += (size_t)n;
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
        return hung_up(e);
    return 0;
}

int client_next(struct client *c, int timeout_ms, struct err *e)
{
    bool any = false;

    while (!any)
        if (receive(c, timeout_ms, e) != 0 || take_lines(c, &any, e) != 0)
            return -1;
    return 0;
}

/* --- requests ----------------------------------------------------------------------- */

/* Who was refused at the door may read why. */
static int send_all(struct client *c, const char *p, size_t n, struct err *e)
{
    while (n > 0) {
        ssize_t done = send(c->fd, p, n, MSG_NOSIGNAL);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return client_next(c, 0, e) == 0 || e->code == ERR_TIMEOUT ? hung_up(e) : -1;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

static int ask(struct client *c, enum control_verb verb, json_t *members,
               struct err *e)
{
    json_t *j = json_pack("{s:I, s:s}", "id", ++c->asked, "do",
                          control_verb_name(verb));

    if (j && members)
        json_object_update(j, members);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    control_forget_secrets(members);
    json_decref(members);
    if (!text)
        return err_set(e, ERR_FORMAT, "this is no text that can be sent: it is "
                       "not UTF-8, or there is no memory");
    size_t n = strlen(text);
    text[n] = '\n'; /* over its NUL: it is sent by length */
    int bad = send_all(c, text, n + 1, e);
    explicit_bzero(text, n + 1); /* a PIN may stand in it */
    free(text);
    return bad;
}

int client_post(struct client *c, enum control_verb verb, json_t *members,
                json_int_t *id, struct err *e)
{
    if (ask(c, verb, members, e) != 0)
        return -1;
    *id = c->asked;
    return 0;
}

/* until 0: for ever. */
static int wait_for(struct client *c, int64_t until, struct err *e)
{
    while (!c->reply) {
        int64_t left = until - clock_monotonic_ms();
        if (client_next(c, !until ? -1 : left > 0 ? (int)left : 0, e) != 0)
            return -1;
    }
    return 0;
}

static int ask_until(struct client *c, enum control_verb verb, json_t *members,
                     int64_t until, json_t **reply, struct err *e)
{
    json_decref(c->reply);
    c->reply = NULL;
    if (ask(c, verb, members, e) != 0)
        return -1;
    c->waits = true;
    int bad = wait_for(c, until, e);
    c->waits = false;
    if (bad)
        return -1;
    if (!json_is_true(json_object_get(c->reply, "ok")))
        return refusal(c->reply, e);
    *reply = c->reply;
    c->reply = NULL;
    return 0;
}

int client_ask(struct client *c, enum control_verb verb, json_t *members,
               json_t **reply, struct err *e)
{
    return ask_until(c, verb, members, clock_monotonic_ms() + REPLY_MS, reply, e);
}

int client_ask_long(struct client *c, enum control_verb verb, json_t *members,
                    json_t **reply, struct err *e)
{
    return ask_until(c, verb, members, 0, reply, e);
}
