#include "station/control/logins.h"

#include "station/control/inner.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct answer {
    struct answer *next;
    struct logins *l;
    uint64_t peer;
    bool connection; /* it was for the connection alone */
    json_t *id;
    bool let_in;
    struct seat seat;
    struct err why;
};

struct logins {
    pthread_mutex_t lock;
    struct answer *first, **end; /* decided */
    int wake;
};

struct logins *logins_new(int wake)
{
    struct logins *l = calloc(1, sizeof *l);

    if (!l)
        return NULL;
    pthread_mutex_init(&l->lock, NULL);
    l->end = &l->first;
    l->wake = wake;
    return l;
}

static void answer_free(struct answer *a)
{
    json_decref(a->id);
    free(a);
}

void logins_free(struct logins *l)
{
    struct answer *a;

    if (!l)
        return;
    while ((a = l->first)) {
        l->first = a->next;
        answer_free(a);
    }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* The clerk's thread. */
static void decided(void *ctx, const struct seat *seat, const struct err *why)
{
    struct answer *a = ctx;
    struct logins *l = a->l;
    uint64_t one = 1;

    a->let_in = seat != NULL;
    if (seat)
        a->seat = *seat;
    a->why = *why;
    pthread_mutex_lock(&l->lock);
    *l->end = a;
    l->end = &a->next;
    pthread_mutex_unlock(&l->lock);
    if (write(l->wake, &one, sizeof one) < 0)
        return; /* a full counter wakes as well */
}

int logins_ask(struct logins *l, struct roster *r, struct peer *p, json_t *id,
               struct roster_login *what, struct err *e)
{
    struct answer *a = calloc(1, sizeof *a);

    if (!a)
        return err_set(e, ERR_NOMEM, "no memory for a login; try again");
    a->l = l;
    a->peer = p->number;
    a->connection = what->at.where == SESSION_CONNECTION;
    a->id = json_incref(id);
    what->done = decided;
    what->ctx = a;
    p->asks = true;
    if (roster_login(r, what, e) == 0)
        return 0;
    p->asks = false;
    answer_free(a);
    return -1;
}

static void answer(struct control *c, const struct answer *a)
{
    struct peer *p = control_peer(c, a->peer);

    if (!p && a->connection && a->let_in)
        roster_gone(line_roster(control_line(c)), a->peer);
    if (!p)
        return;
    p->asks = false;
    if (!a->let_in) {
        control_send(p, control_reply_refused(a->id, &a->why), NULL);
        return;
    }
    json_t *j = control_reply_ok(a->id);
    json_object_update_new(j, control_seat_json(&a->seat));
    control_send(p, j, NULL);
}

void logins_answer(struct logins *l, struct control *c)
{
    pthread_mutex_lock(&l->lock);
    struct answer *a = l->first;
    l->first = NULL;
    l->end = &l->first;
    pthread_mutex_unlock(&l->lock);
    for (struct answer *next; a; a = next) {
        next = a->next;
        answer(c, a);
        answer_free(a);
    }
}
