/* What each command does: one table. */
#include "station/control/inner.h"

#include <unistd.h>

/* Sends the one reply, or says why it is refused. */
typedef int verb_fn(struct control *c, struct peer *p,
                    const struct control_request *r, struct err *e);

static int no_memory(struct err *e)
{
    return err_set(e, ERR_NOMEM, "no memory for an answer; ask again");
}

static int snapshot(struct control *c, struct peer *p,
                    const struct control_request *r, struct err *e)
{
    struct chunk *state = control_state_now(c);

    if (!state)
        return no_memory(e);
    control_send(p, control_reply_ok(r->id), state);
    return 0;
}

static int subscribe(struct control *c, struct peer *p,
                     const struct control_request *r, struct err *e)
{
    /* From here on nothing is missed; what comes before the state is in it. */
    control_subscribe(c, p, true);
    p->behind = true;
    struct chunk *state = control_state_now(c);
    p->behind = false;
    if (!state) {
        control_subscribe(c, p, false);
        return no_memory(e);
    }
    control_send(p, control_reply_ok(r->id), NULL);
    control_send(p, json_pack("{s:s}", "event", "snapshot"), state);
    return 0;
}

static int unsubscribe(struct control *c, struct peer *p,
                       const struct control_request *r, struct err *e)
{
    (void)e;
    control_subscribe(c, p, false);
    control_send(p, control_reply_ok(r->id), NULL);
    return 0;
}

/* Answered before it is handed over: its verdict may come at once. */
static int scan(struct control *c, struct peer *p,
                const struct control_request *r, struct err *e)
{
    struct span text;

    if (control_text(r, "line", &text, e) != 0)
        return -1;
    control_send(p, control_reply_ok(r->id), NULL);
    line_scan(control_line(c), text);
    return 0;
}

static int stop(struct control *c, struct peer *p,
                const struct control_request *r, struct err *e)
{
    (void)e;
    control_send(p, control_reply_ok(r->id), NULL);
    control_settings(c)->stop(control_settings(c)->stop_ctx);
    return 0;
}

static int version(struct control *c, struct peer *p,
                   const struct control_request *r, struct err *e)
{
    json_t *j = control_reply_ok(r->id);

    (void)e;
    json_object_set_new(j, "version", json_string(control_settings(c)->version));
    json_object_set_new(j, "protocol", json_integer(CONTROL_PROTOCOL));
    json_object_set_new(j, "pid", json_integer(getpid()));
    control_send(p, j, NULL);
    return 0;
}

static verb_fn *const verbs[CONTROL_VERBS] = {
    [CONTROL_SNAPSHOT] = snapshot,       [CONTROL_SUBSCRIBE] = subscribe,
    [CONTROL_UNSUBSCRIBE] = unsubscribe, [CONTROL_SCAN] = scan,
    [CONTROL_STOP] = stop,               [CONTROL_VERSION] = version,
};

/* Here, and nowhere else, it is asked whether this client may do this. Who may
 * connect at all may do every one of today's commands; those that take a
 * person's right ask it of the role of who is logged in on this connection. */
static int may(const struct peer *p, enum control_verb v, struct err *e)
{
    (void)p;
    (void)v;
    (void)e;
    return 0;
}

void control_answer(struct control *c, struct peer *p, struct span line)
{
    struct control_request r;
    struct err e = ERR_INIT;

    if (control_request_read(line, &r, &e) != 0 || may(p, r.verb, &e) != 0 ||
        verbs[r.verb](c, p, &r, &e) != 0)
        control_send(p, control_reply_refused(r.id, &e), NULL);
    control_request_clear(&r);
}
