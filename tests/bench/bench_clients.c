/* line_clients: the line of bench_line.c with its control socket and 100
 * subscribed clients that read everything, against the same line alone.
 * line_factory: with them, an operator who is logged in and must be, and a work
 * order that every fixture is bound to, against the line that knows of none.
 *
 * The clients are a process of their own, as they are in a factory. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "station/control/client.h"
#include "station/control/protocol.h"
#include "station/control/server.h"
#include "station/people/pin.h"
#include "storage/orders.h"
#include "storage/people.h"
#include "storage/sessions.h"
#include "tests/bench/bench.h"
#include "tests/bench/robot.h"

#define CLIENTS 100
#define BE_CLIENTS "--be-clients"
#define UNITS 16 /* per fixture and round */
#define ROUNDS 3 /* the median counts */

/* --- the clients ------------------------------------------------------------------ */

static int subscribe(const struct sockaddr_un *a)
{
    static const char ask[] = "{\"id\":1,\"do\":\"subscribe\"}\n";
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)a, sizeof *a) != 0 ||
        send(fd, ask, sizeof ask - 1, MSG_NOSIGNAL) != sizeof ask - 1)
        bench_die("line_clients: a client: %s", strerror(errno));
    return fd;
}

/* Until the line hangs up on all; what each has read goes to standard output.
 * One octet goes there first, when all have their snapshot. */
static int be_clients(const char *data)
{
    struct sockaddr_un a;
    struct err e = ERR_INIT;
    int dir;
    struct pollfd p[CLIENTS];
    static char octets[1 << 16];
    uint64_t got[CLIENTS] = { 0 };
    int left = CLIENTS, silent = CLIENTS;

    if (control_address(data, &a, &dir, &e) != 0)
        bench_die("line_clients: %s", e.msg);
    for (int i = 0; i < CLIENTS; i++)
        p[i] = (struct pollfd){ .fd = subscribe(&a), .events = POLLIN };
    while (left > 0 && poll(p, CLIENTS, -1) > 0)
        for (int i = 0; i < CLIENTS; i++) {
            if (!p[i].revents)
                continue;
            ssize_t n = read(p[i].fd, octets, sizeof octets);
            if (n <= 0) {
                p[i].fd = -1;
                left--;
                continue;
            }
            silent -= got[i] == 0;
            got[i] += (uint64_t)n;
            if (silent == 0 && write(STDOUT_FILENO, "", 1) == 1)
                silent = -1;
        }
    return write(STDOUT_FILENO, got, sizeof got) == sizeof got ? 0 : 1;
}

/* --- the line ---------------------------------------------------------------------- */

struct crowd {
    const struct line_options *robot;
    struct control *control;
    pid_t pid;
    int in;
    bool works; /* people and orders too */
};

static void need(int rc, const struct err *e)
{
    if (rc != 0)
        bench_die("line_clients: %s", e->msg);
}

/* --- people and orders ------------------------------------------------------------- */

#define BADGE "B-0001"
#define PIN "471108"
#define ORDER "WO-1"

static int add_person(struct tx *tx, void *ctx, struct err *e)
{
    uint8_t badge[BADGE_HASH];
    struct pin_hash pin;
    struct login_rules rules;

    if (badge_hash(BADGE, badge, e) != 0 || pin_hash_make(PIN, &pin, e) != 0 ||
        person_add(tx, &(struct person_new){ "Ada", ROLE_SUPERVISOR, badge, &pin },
                   NULL, e) != 0)
        return -1;
    rules = *(const struct login_rules *)ctx;
    rules.required = true;
    return login_rules_set(tx, &rules, "Ada", e);
}

static int add_order(struct tx *tx, void *ctx, struct err *e)
{
    struct order_spec o = { .number = ORDER, .product = "Meter", .quantity = 1000000,
                            .serials = "*", .positions = 1 };
    char fixture[8];

    (void)ctx;
    if (order_recipe_parse("load any; enable 1; close", &o.recipe[0], e) != 0 ||
        order_make(tx, &o, "Ada", e) != 0 ||
        order_move(tx, ORDER, ORDER_ACTIVE, ORDER_CAUSE_ACTIVATED, "Ada", e) != 0)
        return -1;
    for (size_t f = 0; f < ROBOT_FIXTURES; f++) {
        snprintf(fixture, sizeof fixture, "F%zu", f);
        if (order_bind(tx, ORDER, fixture, "", ORDER_BIND_COMMAND, "Ada", e) != 0)
            return -1;
    }
    return 0;
}

static void staff(const char *data)
{
    struct err e = ERR_INIT;
    struct login_rules rules;
    struct db *db;

    need(db_open(data, DB_WRITE, NULL, &db, &e), &e);
    need(login_rules_get(db, &rules, &e), &e);
    need(db_write(db, add_person, &rules, &e), &e);
    need(db_write(db, add_order, NULL, &e), &e);
    db_close(db);
}

static void unheard(void *ctx, const json_t *event)
{
    (void)ctx, (void)event;
}

static void log_in(const char *data)
{
    AUTO(client_close_p) struct client *c = NULL;
    struct err e = ERR_INIT;
    json_t *reply = NULL;

    need(client_open(data, unheard, NULL, &c, &e), &e);
    need(client_ask(c, CONTROL_LOGIN, json_pack("{s:s, s:s}", "pin", PIN, "badge",
                                                BADGE), &reply, &e), &e);
    json_decref(reply);
}

static void no_stop(void *ctx)
{
    (void)ctx;
}

static void on_event(void *ctx, const struct line_event *ev)
{
    struct crowd *c = ctx;

    control_tell(c->control, ev);
    c->robot->event(c->robot->event_ctx, ev);
}

/* A program of its own: after a fork alone, the line would copy its pages. */
static void let_in(struct crowd *c, const char *data)
{
    char *argv[] = { (char *)"clients", (char *)BE_CLIENTS, (char *)data, NULL };
    posix_spawn_file_actions_t io;
    int ends[2];
    char ready;

    if (pipe2(ends, O_CLOEXEC) != 0)
        bench_die("line_clients: no pipe");
    posix_spawn_file_actions_init(&io);
    posix_spawn_file_actions_adddup2(&io, ends[1], STDOUT_FILENO);
    if (posix_spawn(&c->pid, "/proc/self/exe", &io, NULL, argv, environ) != 0)
        bench_die("line_clients: no process");
    posix_spawn_file_actions_destroy(&io);
    close(ends[1]);
    c->in = ends[0];
    if (read(c->in, &ready, 1) != 1)
        bench_die("line_clients: the clients did not come in");
}

static void start(void *ctx, const struct line_options *o, struct line **out)
{
    struct crowd *c = ctx;
    struct line_options mine = *o;
    struct err e = ERR_INIT;

    c->robot = o;
    if (c->works)
        staff(o->data_dir);
    mine.event = on_event;
    mine.event_ctx = c;
    if (control_new(&(struct control_options){ .data_dir = o->data_dir,
                                               .version = "bench", .stop = no_stop },
                    &c->control, &e) != 0)
        bench_die("line_clients: %s", e.msg);
    robot_bare.start(NULL, &mine, out);
    if (control_serve(c->control, *out, &e) != 0)
        bench_die("line_clients: %s", e.msg);
    let_in(c, o->data_dir);
    if (c->works)
        log_in(o->data_dir);
}

static void end(void *ctx, struct line *l)
{
    struct crowd *c = ctx;
    struct control_stats st;
    uint64_t got[CLIENTS], least = UINT64_MAX, most = 0;

    line_end(l);
    control_end(c->control);
    if (read(c->in, got, sizeof got) != sizeof got)
        bench_die("line_clients: the clients died");
    close(c->in);
    waitpid(c->pid, NULL, 0);
    for (int i = 0; i < CLIENTS; i++) {
        least = got[i] < least ? got[i] : least;
        most = got[i] > most ? got[i] : most;
    }
    control_stats(c->control, &st);
    bench_note("  %d clients read %llu to %llu octets each; %llu times one fell behind",
               CLIENTS, (unsigned long long)least, (unsigned long long)most,
               (unsigned long long)st.lost);
    robot_bare.end(NULL, l);
    control_free(c->control);
}

static void line_clients(void)
{
    struct crowd crowd = { .robot = NULL };
    const struct robot_line crowded = { start, end, &crowd, false };

    bench_note("line_clients: %d clients", CLIENTS);
    robot_race_line("line_clients", &crowded, &robot_bare, UNITS, ROUNDS);
}

static void line_factory(void)
{
    struct crowd crowd = { .robot = NULL, .works = true };
    const struct robot_line full = { start, end, &crowd, false };

    bench_note("line_factory: %d clients, an operator, an order", CLIENTS);
    robot_race_line("line_factory", &full, &robot_bare, UNITS, ROUNDS);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = {
        { "line_clients", line_clients },
        { "line_factory", line_factory },
    };

    if (argc == 3 && strcmp(argv[1], BE_CLIENTS) == 0)
        return be_clients(argv[2]);
    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}
