#include "station/control/server.h"

#include "station/base/clock.h"
#include "station/control/door.h"
#include "station/control/events.h"
#include "station/control/inner.h"
#include "station/control/state.h"
#include "station/line/roster.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define TRAY_MAX 2048        /* changes not fetched yet                       */
#define TOGETHER_MS 100      /* changes within this time go out as one write  */
#define STOCK_MS 1000        /* the ledger is asked at most so often          */
#define IMPORT_MS 10000      /* ... and at least, while somebody listens      */
/* A client is let go that has sent no request for so long, or read nothing of
 * what waits for it. */
#define PATIENCE_MS 30000
#define END_MS 500
#define REQUESTS_A_TURN 16   /* of one client, before the others'             */
#define CONNECTS_A_TURN 64
#define NO_FD_MS 200

/* What the line tells, on its way to the server's thread. */
struct tray {
    struct told *v;
    size_t n;
};

struct control {
    struct control_options o;
    struct door door;
    struct line *line;
    struct logins *logins;
    struct office *office;
    int wake;
    pthread_t thread;
    bool running;
    atomic_bool ending;

    pthread_mutex_t lock; /* held for copies only */
    struct state *state;
    struct tray filling;
    bool lost; /* a change found no room */
    size_t subscribers;

    /* The thread's alone. */
    struct tray sending;
    struct state *copy;
    struct chunk *text; /* of copy and stock */
    uint64_t text_seen;
    struct db *db;
    struct control_stock stock;
    struct control_work work; /* read with the stock */
    bool has_stock, stock_old;
    int64_t stock_at, counted_at;
    struct peer *peers[CONTROL_CLIENTS_MAX];
    size_t n;
    bool waiting; /* something was told that is not sent yet */
    uint64_t last_peer;
    int64_t sent_at, connect_at;
    atomic_uint_fast64_t clients, accepted, refused, lost_count, dropped;
};

/* --- the line's side ------------------------------------------------------------ */

static void wake(struct control *c)
{
    uint64_t one = 1;

    /* A full counter wakes as well. */
    if (write(c->wake, &one, sizeof one) < 0)
        return;
}

void control_tell(void *control, const struct line_event *ev)
{
    struct control *c = control;

    pthread_mutex_lock(&c->lock);
    state_apply(c->state, ev);
    bool first = c->subscribers > 0 && c->filling.n == 0;
    if (c->subscribers > 0 && c->filling.n < TRAY_MAX)
        told_keep(&c->filling.v[c->filling.n++], ev);
    else if (c->subscribers > 0)
        c->lost = true;
    pthread_mutex_unlock(&c->lock);
    if (first)
        wake(c);
}

/* --- texts ---------------------------------------------------------------------- */

/* One line of text, shared by all who get it. j is taken over. */
static struct chunk *line_of(json_t *j)
{
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    struct chunk *c = NULL;

    json_decref(j);
    if (!text)
        return NULL;
    size_t n = strlen(text);
    text[n] = '\n'; /* over its NUL: it is sent by length */
    c = chunk_new(text, n + 1);
    free(text);
    return c;
}

static void put_text(struct peer *p, const char *text, size_t n)
{
    struct chunk *c = chunk_new(text, n);

    if (c)
        peer_put(p, c);
    else
        p->broken = true;
    chunk_drop(c);
}

void control_send(struct peer *p, json_t *j, struct chunk *state)
{
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;

    json_decref(j);
    if (!text) {
        p->broken = true; /* it would wait for its answer for ever */
        return;
    }
    size_t n = strlen(text);
    if (state) {
        /* The state is one text for all who get it: it stands between. */
        put_text(p, text, n - 1);
        put_text(p, ",\"state\":", 9);
        peer_put(p, state);
        put_text(p, "}\n", 2);
    } else {
        text[n] = '\n';
        put_text(p, text, n + 1);
    }
    free(text);
}

static void put_all(struct control *c, struct chunk *chunk)
{
    for (size_t i = 0; chunk && i < c->n; i++)
        if (c->peers[i]->subscribed)
            peer_put_change(c->peers[i], chunk);
}

static void all_behind(struct control *c)
{
    for (size_t i = 0; i < c->n; i++)
        c->peers[i]->behind |= c->peers[i]->subscribed;
}

/* --- the stock ------------------------------------------------------------------- */

/* What waits for export is counted at most so often as an import is looked for. */
static int read_work(struct control *c, int64_t now, struct control_work *out,
                     struct err *e)
{
    bool count = now - c->counted_at >= IMPORT_MS;

    *out = c->work;
    if (control_work_read(c->db, count, out, e) != 0)
        return -1;
    c->counted_at = count ? now : c->counted_at;
    return 0;
}

static void put_event(struct control *c, const char *event, json_t *what)
{
    struct chunk *line = line_of(json_pack("{s:s, s:o}", "event", event, event, what));

    chunk_drop(c->text);
    c->text = NULL;
    put_all(c, line);
    chunk_drop(line);
}

/* A ledger that cannot be read is said by the verdicts; here it is null. */
static void read_stock(struct control *c, int64_t now)
{
    struct control_stock fresh = { .unresolved = 0 };
    struct control_work work;
    struct err e = ERR_INIT;

    c->stock_old = false;
    c->stock_at = now;
    bool has = (c->db || db_open(c->o.data_dir, DB_READ, NULL, &c->db, &e) == 0) &&
               control_stock_read(c->db, c->copy, c->o.warn_hours, &fresh, &e) == 0 &&
               read_work(c, now, &work, &e) == 0;
    bool had = c->has_stock;
    c->has_stock = has;
    if (has != had || (has && memcmp(&fresh, &c->stock, sizeof fresh) != 0)) {
        c->stock = fresh;
        put_event(c, "stock", has ? control_stock_json(&fresh) : json_null());
    }
    if (has != had || (has && memcmp(&work, &c->work, sizeof work) != 0)) {
        c->work = has ? work : c->work;
        put_event(c, "work", has ? control_work_json(&work) : json_null());
    }
}

static bool stock_due(const struct control *c, int64_t now)
{
    return now - c->stock_at >= STOCK_MS;
}

/* --- changes and states ------------------------------------------------------------ */

static void broadcast(struct control *c)
{
    AUTO(buf_clear) struct buf all = BUF_INIT;

    for (size_t i = 0; i < c->sending.n; i++) {
        const struct line_event *ev = &c->sending.v[i].ev;
        struct chunk *line = line_of(control_event_json(ev));
        if (line)
            buf_put(&all, line->p, line->n);
        else
            all.failed = true;
        chunk_drop(line);
        c->stock_old |= ev->kind == LINE_VERDICT;
    }
    c->sending.n = 0;
    if (all.n == 0 && buf_ok(&all))
        return;
    struct chunk *chunk = buf_ok(&all) ? chunk_new(all.p, all.n) : NULL;
    if (!chunk)
        all_behind(c);
    put_all(c, chunk);
    chunk_drop(chunk);
}

/* What was told goes to the subscribers. With `copy`, c->copy is the state
 * right after. */
static void fetch(struct control *c, int64_t now, bool copy)
{
    pthread_mutex_lock(&c->lock);
    struct tray full = c->filling;
    c->filling = c->sending;
    c->sending = full;
    bool lost = c->lost;
    c->lost = false;
    if (copy)
        state_copy(c->copy, c->state);
    pthread_mutex_unlock(&c->lock);
    c->waiting = false;
    c->sent_at = now;
    if (lost) {
        c->sending.n = 0;
        c->stock_old = true;
        all_behind(c);
    }
    broadcast(c);
}

struct chunk *control_state_now(struct control *c)
{
    int64_t now = clock_monotonic_ms();

    fetch(c, now, true);
    if (stock_due(c, now))
        read_stock(c, now);
    if (c->text && c->text_seen == state_seen(c->copy))
        return c->text;
    chunk_drop(c->text);
    c->text = NULL;
    json_t *j = state_json(c->copy, c->has_stock ? &c->stock : NULL,
                           c->has_stock ? &c->work : NULL);
    char *text = j ? json_dumps(j, JSON_COMPACT) : NULL;
    json_decref(j);
    if (text)
        c->text = chunk_new(text, strlen(text));
    free(text);
    c->text_seen = state_seen(c->copy);
    return c->text;
}

/* Those that fell behind and have read what there was. */
static void catch_up(struct control *c)
{
    for (size_t i = 0; i < c->n; i++) {
        struct peer *p = c->peers[i];
        if (!p->behind || p->unread > 0)
            continue;
        struct chunk *state = control_state_now(c);
        if (!state)
            return; /* the next turn tries again */
        control_send(p, json_pack("{s:s}", "event", "lost"), NULL);
        control_send(p, json_pack("{s:s}", "event", "snapshot"), state);
        p->behind = false;
        atomic_fetch_add(&c->lost_count, 1);
    }
}

void control_subscribe(struct control *c, struct peer *p, bool on)
{
    if (p->subscribed == on)
        return;
    p->subscribed = on;
    p->behind = false;
    pthread_mutex_lock(&c->lock);
    c->subscribers += on ? 1 : (size_t)-1;
    pthread_mutex_unlock(&c->lock);
}

struct line *control_line(struct control *c)
{
    return c->line;
}

struct logins *control_logins(struct control *c)
{
    return c->logins;
}

struct office *control_office(struct control *c)
{
    return c->office;
}

struct peer *control_peer(struct control *c, uint64_t number)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->peers[i]->number == number)
            return c->peers[i];
    return NULL;
}

const struct control_options *control_settings(const struct control *c)
{
    return &c->o;
}

/* --- the door ------------------------------------------------------------------------- */

static void turn_away(struct control *c, int fd, enum err_code code, const char *why)
{
    door_refuse(fd, code, why);
    atomic_fetch_add(&c->refused, 1);
}

static void admit(struct control *c, int fd, int64_t now)
{
    uid_t uid;

    if (!door_may(&c->door, fd, &uid)) {
        turn_away(c, fd, ERR_TRUST, "this user may not speak to the line; be the "
                  "user who started it, or a member of its --control-group");
        return;
    }
    if (c->n == CONTROL_CLIENTS_MAX) {
        turn_away(c, fd, ERR_BUSY, "the line has as many clients as it takes; end "
                  "one of them, then try again");
        return;
    }
    struct peer *p = peer_new(fd, uid, now);
    if (!p) {
        close(fd);
        return;
    }
    p->number = ++c->last_peer;
    c->peers[c->n++] = p;
    atomic_fetch_add(&c->accepted, 1);
}

static void take_connections(struct control *c, int64_t now)
{
    for (int i = 0; i < CONNECTS_A_TURN; i++) {
        int fd = accept4(c->door.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            admit(c, fd, now);
            continue;
        }
        /* No descriptor is left: who waits at the door waits a little. */
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            c->connect_at = now + NO_FD_MS;
        return;
    }
}

/* --- one turn --------------------------------------------------------------------------- */

static bool may_ask(const struct peer *p)
{
    return !p->broken && !p->asks && p->unread < PEER_FULL;
}

static void too_long(struct peer *p)
{
    struct err e = ERR_INIT;

    err_set(&e, ERR_LIMIT, "a request has at most %d octets, its line end "
            "included; connect again and send a shorter one", CONTROL_REQUEST_MAX);
    control_send(p, control_reply_refused(json_null(), &e), NULL);
    p->leaving = true;
    p->taken = p->in.n;
}

/* True: it has more to ask. */
static bool answer_some(struct control *c, struct peer *p)
{
    struct span line;

    for (int i = 0; i < REQUESTS_A_TURN; i++) {
        if (!may_ask(p))
            return false;
        int got = peer_line(p, &line);
        if (got < 0)
            too_long(p);
        if (got <= 0)
            return false;
        control_answer(c, p, line);
    }
    return true;
}

static void remove_peer(struct control *c, size_t i)
{
    control_subscribe(c, c->peers[i], false);
    roster_gone(line_roster(c->line), c->peers[i]->number);
    office_gone(c->office, c->peers[i]->number);
    peer_free(c->peers[i]);
    c->peers[i] = c->peers[--c->n];
}

/* What a client still has to say counts after it has closed its end. */
static bool done_with(struct control *c, const struct peer *p, int64_t now, bool more)
{
    if (p->broken || (p->leaving && p->out_n == 0 && !more && !p->asks &&
                       !p->waits))
        return true;
    if ((p->out_n > 0 && now - p->read_at > c->o.patience_ms) ||
        (!p->spoke && now - p->since > c->o.patience_ms)) {
        atomic_fetch_add(&c->dropped, 1);
        return true;
    }
    return false;
}

/* How long nothing has to be done if nothing happens. */
static int patience(const struct control *c, int64_t now, bool more)
{
    if (more)
        return 0;
    if (c->waiting)
        return c->sent_at + TOGETHER_MS > now ? (int)(c->sent_at + TOGETHER_MS - now) : 0;
    if (c->connect_at > now)
        return (int)(c->connect_at - now);
    bool ticks = c->stock_old && c->n > 0;
    for (size_t i = 0; i < c->n && !ticks; i++)
        ticks = c->peers[i]->out_n > 0 || !c->peers[i]->spoke || c->peers[i]->behind;
    int tick = c->o.patience_ms < STOCK_MS ? c->o.patience_ms : STOCK_MS;
    return ticks ? tick : c->n > 0 ? IMPORT_MS : -1;
}

enum { WAKE, DOOR, PEERS };

static size_t set_polls(struct control *c, struct pollfd *v, int64_t now)
{
    v[WAKE] = (struct pollfd){ .fd = c->wake, .events = POLLIN };
    v[DOOR] = (struct pollfd){ .fd = c->connect_at > now ? -1 : c->door.fd,
                               .events = POLLIN };
    for (size_t i = 0; i < c->n; i++) {
        const struct peer *p = c->peers[i];
        v[PEERS + i] = (struct pollfd){ .fd = p->fd, .events = (short)(
            (may_ask(p) && !p->leaving ? POLLIN : 0) | (p->out_n ? POLLOUT : 0)) };
    }
    return PEERS + c->n;
}

/* True: some client has more to ask. Backwards, since the last takes the place
 * of one that leaves; those that are new are looked at in the next turn. */
static bool serve_peers(struct control *c, const struct pollfd *v, size_t n,
                        int64_t now)
{
    bool any = false;

    for (size_t i = n; i-- > 0;) {
        struct peer *p = c->peers[i];
        if (v[i].revents & POLLIN && !p->leaving)
            peer_receive(p);
        else if (v[i].revents & (POLLERR | POLLHUP))
            p->broken = p->leaving; /* read what it has left behind first */
        bool more = answer_some(c, p);
        peer_send(p, now);
        any |= more;
    }
    catch_up(c);
    for (size_t i = c->n; i-- > 0;) {
        struct peer *p = c->peers[i];
        struct span rest = span_sub(buf_span(&p->in), p->taken, p->in.n);
        bool more = rest.n && memchr(rest.p, '\n', rest.n);
        if (done_with(c, p, now, more))
            remove_peer(c, i);
    }
    atomic_store(&c->clients, c->n);
    return any;
}

static void take_wake(struct control *c)
{
    uint64_t n;

    if (read(c->wake, &n, sizeof n) == sizeof n)
        c->waiting = true;
}

static void last_words(struct control *c)
{
    int64_t until = clock_monotonic_ms() + END_MS;
    struct pollfd v[CONTROL_CLIENTS_MAX];

    fetch(c, until, false);
    logins_answer(c->logins, c);
    office_answer(c->office, c);
    for (size_t i = 0; i < c->n; i++)
        control_send(c->peers[i], json_pack("{s:s}", "event", "ended"), NULL);
    for (;;) {
        int64_t now = clock_monotonic_ms();
        size_t n = 0;
        for (size_t i = 0; i < c->n; i++) {
            peer_send(c->peers[i], now);
            if (c->peers[i]->out_n > 0 && !c->peers[i]->broken)
                v[n++] = (struct pollfd){ .fd = c->peers[i]->fd, .events = POLLOUT };
        }
        if (n == 0 || now >= until)
            return;
        poll(v, n, (int)(until - now));
    }
}

static void *serve(void *ctx)
{
    struct control *c = ctx;
    struct pollfd v[PEERS + CONTROL_CLIENTS_MAX];
    bool more = false;

    while (!atomic_load(&c->ending)) {
        int64_t now = clock_monotonic_ms();
        size_t n = set_polls(c, v, now);
        if (poll(v, n, patience(c, now, more)) < 0)
            continue; /* no signal comes to this thread */
        now = clock_monotonic_ms();
        if (v[WAKE].revents)
            take_wake(c);
        logins_answer(c->logins, c);
        office_answer(c->office, c);
        if (c->waiting && now - c->sent_at >= TOGETHER_MS)
            fetch(c, now, false);
        if (c->n > 0 && now - c->stock_at >= (c->stock_old ? STOCK_MS : IMPORT_MS)) {
            fetch(c, now, true);
            read_stock(c, now);
        }
        more = serve_peers(c, v + PEERS, n - PEERS, now);
        if (v[DOOR].revents)
            take_connections(c, now);
    }
    office_end(c->office);
    last_words(c);
    while (c->n > 0)
        remove_peer(c, c->n - 1);
    db_close(c->db);
    c->db = NULL;
    return NULL;
}

/* --- its life ---------------------------------------------------------------------------------- */

int control_new(const struct control_options *o, struct control **out,
                struct err *e)
{
    struct control *c = calloc(1, sizeof *c);

    if (!c)
        return err_set(e, ERR_NOMEM, "no memory for the control socket");
    pthread_mutex_init(&c->lock, NULL);
    c->door.fd = -1;
    c->stock_at = -STOCK_MS;
    c->counted_at = -IMPORT_MS;
    c->sent_at = -TOGETHER_MS;
    c->o = *o;
    if (!c->o.patience_ms)
        c->o.patience_ms = PATIENCE_MS;
    c->o.data_dir = strdup(o->data_dir);
    c->o.group = o->group ? strdup(o->group) : NULL;
    c->o.version = strdup(o->version);
    c->state = state_new();
    c->copy = state_new();
    c->filling.v = calloc(TRAY_MAX, sizeof *c->filling.v);
    c->sending.v = calloc(TRAY_MAX, sizeof *c->sending.v);
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->logins = logins_new(c->wake);
    c->office = office_new(&(struct office_options){
        .data_dir = c->o.data_dir, .version = c->o.version,
        .warn_hours = c->o.warn_hours, .wake = c->wake });
    int bad = !c->o.data_dir || !c->o.version || !c->state || !c->copy || !c->logins ||
              !c->office ||
              !c->filling.v || !c->sending.v || (o->group && !c->o.group)
            ? err_set(e, ERR_NOMEM, "no memory for the control socket")
            : c->wake < 0 ? err_errno(e, "eventfd") : door_init(&c->door, c->o.group, e);
    if (bad) {
        control_free(c);
        return -1;
    }
    *out = c;
    return 0;
}

int control_serve(struct control *c, struct line *l, struct err *e)
{
    c->line = l;
    if (door_open(&c->door, c->o.data_dir, e) != 0 ||
        office_start(c->office, l, e) != 0)
        return -1;
    int bad = pthread_create(&c->thread, NULL, serve, c);
    if (bad) {
        errno = bad;
        return err_errno(e, "no thread for the control socket");
    }
    c->running = true;
    return 0;
}

void control_end(struct control *c)
{
    if (!c)
        return;
    if (c->running) {
        atomic_store(&c->ending, true);
        wake(c);
        pthread_join(c->thread, NULL);
        c->running = false;
    }
    door_close(&c->door, c->o.data_dir);
}

void control_free(struct control *c)
{
    if (!c)
        return;
    control_end(c);
    chunk_drop(c->text);
    logins_free(c->logins);
    office_free(c->office);
    state_free(c->state);
    state_free(c->copy);
    free(c->filling.v);
    free(c->sending.v);
    if (c->wake >= 0)
        close(c->wake);
    free((char *)c->o.data_dir);
    free((char *)c->o.group);
    free((char *)c->o.version);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void control_stats(struct control *c, struct control_stats *out)
{
    *out = (struct control_stats){
        .clients = atomic_load(&c->clients),
        .accepted = atomic_load(&c->accepted),
        .refused = atomic_load(&c->refused),
        .lost = atomic_load(&c->lost_count),
        .dropped = atomic_load(&c->dropped),
    };
}
