/* The server against clients of every kind: those that read, those that do
 * not, those that die, those that are too many, and those that may not. */
#include "station/base/clock.h"
#include "station/control/client.h"
#include "station/control/server.h"
#include "storage/quarantine.h"
#include "tests/unit/control/schema.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WAIT_MS 20000

struct desk_line {
    struct shop s;
    struct control *c;
    struct line *line;
    atomic_int stops;
};

static void count_stop(void *ctx)
{
    atomic_fetch_add((atomic_int *)ctx, 1);
}

static void good(int bad, const struct err *e)
{
    ck_assert_msg(bad == 0, "%s", e->msg);
}

static void setup_with(struct desk_line *d, const char *group, int patience_ms)
{
    char where[160];
    struct err e = ERR_INIT;

    shop_open(&d->s, 1);
    shop_stock(&d->s, 0, 1);
    shop_where(&d->s, 0, 0, where);
    atomic_init(&d->stops, 0);
    if (group)
        ck_assert_int_eq(chmod(d->s.data, 0711), 0);
    const struct control_options co = {
        .data_dir = d->s.data, .group = group, .version = "9",
        .stop = count_stop, .stop_ctx = &d->stops, .patience_ms = patience_ms };
    good(control_new(&co, &d->c, &e), &e);
    const struct line_fixture f = { "F1", &fixture_shop, NULL, where };
    const struct line_options lo = {
        .data_dir = d->s.data, .limits = APDU_LIMITS_DEFAULT, .fixtures = &f,
        .fixture_count = 1, .event = control_tell, .event_ctx = d->c };
    good(line_new(&lo, &d->line, &e), &e);
    good(control_serve(d->c, d->line, &e), &e);
}

static void setup(struct desk_line *d)
{
    setup_with(d, NULL, 0);
}

static void teardown(struct desk_line *d)
{
    line_end(d->line);
    control_end(d->c);
    ck_assert_int_eq(access(d->s.data, F_OK), 0);
    line_free(d->line);
    control_free(d->c);
    shop_close(&d->s);
}

static struct control_stats stats(struct desk_line *d)
{
    struct control_stats st;

    control_stats(d->c, &st);
    return st;
}

/* --- raw clients ----------------------------------------------------------------- */

static int dial(struct desk_line *d)
{
    struct sockaddr_un a;
    struct err e = ERR_INIT;
    int dir, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    good(control_address(d->s.data, &a, &dir, &e), &e);
    ck_assert_msg(connect(fd, (struct sockaddr *)&a, sizeof a) == 0, "%s", strerror(errno));
    return fd;
}

static void say(int fd, const char *text)
{
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* One line; NULL: hung up. What comes behind it stays where it is. */
static json_t *hear(int fd)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct pollfd p = { .fd = fd, .events = POLLIN };
    const uint8_t *end = NULL;

    while (!end) {
        ck_assert_msg(poll(&p, 1, WAIT_MS) == 1, "nothing comes");
        uint8_t *to = buf_reserve(&b, 4096);
        ssize_t n = recv(fd, to, 4096, MSG_PEEK);
        if (n <= 0)
            return NULL;
        end = memchr(to, '\n', (size_t)n);
        n = end ? end + 1 - to : n;
        ck_assert_int_eq(read(fd, to, (size_t)n), n);
        b.n += (size_t)n;
    }
    json_t *j = json_loadb((const char *)b.p, b.n, 0, NULL);
    ck_assert_msg(j != NULL, "no JSON: %.*s", (int)b.n, (const char *)b.p);
    schema_check(j);
    return j;
}

static void expect_event(int fd, const char *event)
{
    json_t *j = hear(fd);
    const char *is = json_string_value(json_object_get(j, "event"));

    ck_assert_msg(is && strcmp(is, event) == 0, "%s, not %s", is ? is : "no event", event);
    json_decref(j);
}

static void expect_reply(int fd, json_int_t id, const char *error)
{
    json_t *j = hear(fd);

    ck_assert_ptr_nonnull(j);
    ck_assert_int_eq(json_integer_value(json_object_get(j, "id")), id);
    const char *is = json_string_value(json_object_get(j, "error"));
    ck_assert_str_eq(is ? is : "", error);
    json_decref(j);
}

static int subscriber(struct desk_line *d)
{
    int fd = dial(d);

    say(fd, "{\"id\":1,\"do\":\"subscribe\"}\n");
    expect_reply(fd, 1, "");
    expect_event(fd, "snapshot");
    return fd;
}

/* A long one, so that few fill what a client may leave unread. */
static void tell(struct desk_line *d, unsigned n)
{
    char serial[64], filling[401] = "";

    memset(filling, '8', sizeof filling - 1);
    snprintf(serial, sizeof serial, "SN-%u", n);
    control_tell(d->c, &(struct line_event){
        .kind = LINE_BUSY, .fixture = "F1", .serial = serial, .eid = filling,
        .step = "load",
        .txid = "", .iccid = "", .detail = "", .place = "", .state = "",
        .person = "", .order = "", .position = "" });
}

static bool is_of(const json_t *j, const char *serial)
{
    const char *is = json_string_value(json_object_get(j, "serial"));

    return is && strcmp(is, serial) == 0;
}

/* --- held units ---------------------------------------------------------------- */

static int hold_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct desk_line *d = ctx;
    const struct visit_end end = { "no-evidence", "load", HOLD_AT_ONCE, false, 1 };
    struct act a = { .actor = "line", .fixture = "F1" };
    struct position p;

    if (unit_register(tx, "SN-1", POSITION_MAIN, &d->s.d.eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    return position_fail(tx, &a, &end, e);
}

static void hold(struct desk_line *d)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;

    good(db_open(d->s.data, DB_WRITE, NULL, &db, &e), &e);
    good(db_write(db, hold_tx, d, &e), &e);
}

/* --- asking ------------------------------------------------------------------------ */

static void collect(void *ctx, const json_t *event)
{
    char *all = ctx;

    schema_check(event);
    size_t n = strlen(all);
    const char *code = json_string_value(json_object_get(event, "code"));
    const char *name = json_string_value(json_object_get(event, "event"));
    snprintf(all + n, 4096 - n, "%s%s%s ", name ? name : "reply",
             code ? "=" : "", code ? code : "");
}

static json_t *ask(struct client *c, enum control_verb v, json_t *members)
{
    json_t *reply = NULL;
    struct err e = ERR_INIT;

    good(client_ask(c, v, members, &reply, &e), &e);
    schema_check(reply);
    return reply;
}

/* Whoever looks sees the fixture free when the unit in it was refused. */
START_TEST(refuses_a_held_unit)
{
    struct desk_line d;
    struct client *c;
    struct err e = ERR_INIT;
    char seen[4096] = "";

    setup(&d);
    hold(&d);
    good(client_open(d.s.data, collect, seen, &c, &e), &e);
    json_decref(ask(c, CONTROL_SUBSCRIBE, NULL));
    json_decref(ask(c, CONTROL_SCAN, json_pack("{s:s}", "line", "F1\tSN-1")));
    while (!strstr(seen, "verdict=quarantined"))
        good(client_next(c, WAIT_MS, &e), &e);
    json_t *j = ask(c, CONTROL_SNAPSHOT, NULL), *state = json_object_get(j, "state");
    ck_assert(json_is_false(json_object_get(json_array_get(
        json_object_get(state, "fixtures"), 0), "busy")));
    json_decref(j);
    client_close(c);
    teardown(&d);
}
END_TEST

START_TEST(loads_a_unit)
{
    struct desk_line d;
    struct client *c;
    struct err e = ERR_INIT;
    char seen[4096] = "";

    setup(&d);
    good(client_open(d.s.data, collect, seen, &c, &e), &e);
    json_decref(ask(c, CONTROL_SUBSCRIBE, NULL));
    json_decref(ask(c, CONTROL_SCAN, json_pack("{s:s}", "line", d.s.barcode)));
    while (!strstr(seen, "verdict=done"))
        good(client_next(c, WAIT_MS, &e), &e);
    ck_assert_msg(strncmp(seen, "snapshot busy ", 14) == 0, "%s", seen);
    while (!strstr(strstr(seen, "verdict=done"), "stock"))
        good(client_next(c, WAIT_MS, &e), &e);
    json_t *j = ask(c, CONTROL_SNAPSHOT, NULL), *state = json_object_get(j, "state");
    ck_assert_int_eq(json_integer_value(json_object_get(
        json_object_get(state, "counts"), "pass")), 1);
    ck_assert_int_eq(json_integer_value(json_object_get(
        json_object_get(state, "stock"), "installed")), 1);
    json_decref(j);

    json_decref(ask(c, CONTROL_UNSUBSCRIBE, NULL));
    seen[0] = '\0';
    json_decref(ask(c, CONTROL_SCAN, json_pack("{s:s}", "line", "\t\n\x01")));
    j = ask(c, CONTROL_VERSION, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(j, "version")), "9");
    json_decref(j);
    ck_assert_str_eq(seen, "");
    /* Not waited for: the reply comes as an event does, before the next one's. */
    json_int_t id = 0;
    good(client_post(c, CONTROL_SCAN, NULL, &id, &e), &e);
    ck_assert_int_gt(id, 0);
    json_decref(ask(c, CONTROL_VERSION, NULL));
    ck_assert_str_eq(seen, "reply ");
    json_decref(ask(c, CONTROL_STOP, NULL));
    json_decref(ask(c, CONTROL_STOP, NULL));
    ck_assert_int_eq(atomic_load(&d.stops), 2);
    client_close(c);
    teardown(&d);
}
END_TEST

START_TEST(answers_rubbish)
{
    struct desk_line d;

    setup(&d);
    int fd = dial(&d);
    /* In one breath, half a line behind it, which is finished later. */
    say(fd, "\nno\n[]\n{\"id\":3}\n{\"id\":4,\"do\":\"fly\"}\n{\"id\":5,\"do\":\"scan\"}\n{\"id\":6,");
    expect_reply(fd, 0, "format");
    expect_reply(fd, 0, "format");
    expect_reply(fd, 0, "format");
    expect_reply(fd, 3, "format");
    expect_reply(fd, 4, "not-found");
    expect_reply(fd, 5, "format");
    say(fd, "\"do\":\"version\"");
    usleep(50000);
    say(fd, "}\n");
    expect_reply(fd, 6, "");
    close(fd);

    /* A line without an end. */
    char *huge = malloc(CONTROL_REQUEST_MAX + 1);
    memset(huge, 'x', CONTROL_REQUEST_MAX);
    huge[CONTROL_REQUEST_MAX] = '\0';
    fd = dial(&d);
    say(fd, huge);
    expect_reply(fd, 0, "limit");
    ck_assert_ptr_null(hear(fd));
    close(fd);
    free(huge);

    /* Who asks much, and then listens, gets it all, in order. */
    fd = dial(&d);
    for (int i = 0; i < 2000; i++) {
        char text[64];
        snprintf(text, sizeof text, "{\"id\":%d,\"do\":\"version\"}\n", i);
        say(fd, text);
    }
    for (int i = 0; i < 2000; i++)
        expect_reply(fd, i, "");
    /* Who hangs up half gets the rest of it too. */
    say(fd, "{\"id\":7,\"do\":\"snapshot\"}\n{\"id\":8,\"do\":\"version\"}\n{\"id\":9");
    shutdown(fd, SHUT_WR);
    expect_reply(fd, 7, "");
    expect_reply(fd, 8, "");
    ck_assert_ptr_null(hear(fd));
    close(fd);
    teardown(&d);
}
END_TEST

/* --- slow, dead, many ------------------------------------------------------------------ */

/* Never waits for those who do not read: they get a new snapshot in the end,
 * and those who read miss nothing. */
START_TEST(leaves_the_slow_behind)
{
    struct desk_line d;
    enum { EVENTS = 5000, BATCH = 250 };
    char want[64];

    setup(&d);
    int slow = subscriber(&d), dead = subscriber(&d), quick = subscriber(&d);
    int64_t longest = 0;
    for (unsigned i = 0; i < EVENTS; i += BATCH) {
        int64_t t0 = clock_monotonic_ms();
        for (unsigned k = 0; k < BATCH; k++)
            tell(&d, i + k);
        int64_t took = clock_monotonic_ms() - t0;
        longest = took > longest ? took : longest;
        if (i == EVENTS / 2)
            close(dead);
        json_t *j = NULL;
        do { /* each of them, the last included, in its order */
            json_decref(j);
            j = hear(quick);
            snprintf(want, sizeof want, "SN-%u", i + BATCH - 1);
        } while (!is_of(j, want));
        json_decref(j);
    }
    ck_assert_msg(longest < 2000, "telling %d took %lld ms", BATCH, (long long)longest);
    ck_assert_uint_eq(stats(&d).lost, 0);

    /* Some changes that had arrived, then the loss, then how it stands. */
    json_t *j = hear(slow);
    unsigned heard = 0;
    while (strcmp(json_string_value(json_object_get(j, "event")), "lost") != 0) {
        snprintf(want, sizeof want, "SN-%u", heard++);
        ck_assert_str_eq(json_string_value(json_object_get(j, "serial")), want);
        json_decref(j);
        j = hear(slow);
    }
    json_decref(j);
    ck_assert_uint_lt(heard, EVENTS);
    j = hear(slow);
    json_t *fixture = json_array_get(json_object_get(json_object_get(j, "state"),
                                                     "fixtures"), 0);
    snprintf(want, sizeof want, "SN-%u", EVENTS - 1);
    ck_assert_str_eq(json_string_value(json_object_get(fixture, "serial")), want);
    json_decref(j);
    tell(&d, 7);
    expect_event(slow, "busy");
    expect_event(quick, "busy");
    ck_assert_uint_eq(stats(&d).clients, 2);
    close(slow);
    close(quick);
    teardown(&d);
}
END_TEST

/* More at once than the thread fetches: everybody starts anew, and in the end
 * knows how things stand. */
START_TEST(says_when_it_lost_some)
{
    struct desk_line d;
    enum { EVENTS = 20000 };

    setup(&d);
    int fd = subscriber(&d);
    for (unsigned i = 0; i <= EVENTS; i++)
        tell(&d, i);
    for (bool there = false; !there;) {
        json_t *j = hear(fd);
        json_t *fixtures = json_object_get(json_object_get(j, "state"), "fixtures");
        there = is_of(fixtures ? json_array_get(fixtures, 0) : j, "SN-20000");
        json_decref(j);
    }
    close(fd);
    teardown(&d);
}
END_TEST

/* Neither who never asks nor who never reads keeps its place; who is only idle
 * does. */
START_TEST(lets_go_of_the_dead)
{
    struct desk_line d;

    setup_with(&d, NULL, 300);
    int idle = dial(&d), silent = dial(&d), stuck = subscriber(&d);
    say(idle, "{\"id\":1,\"do\":\"version\"}\n");
    expect_reply(idle, 1, "");
    int64_t end = clock_monotonic_ms() + WAIT_MS;
    for (unsigned i = 0; stats(&d).dropped < 2 && clock_monotonic_ms() < end; i++) {
        tell(&d, i);
        usleep(i % 100 ? 0 : 1000);
    }
    ck_assert_uint_eq(stats(&d).dropped, 2);
    ck_assert_ptr_null(hear(silent));
    say(idle, "{\"id\":2,\"do\":\"version\"}\n");
    expect_reply(idle, 2, "");
    close(idle);
    close(silent);
    close(stuck);
    teardown(&d);
}
END_TEST

START_TEST(takes_no_more_than_it_can)
{
    struct desk_line d;
    enum { ALL = 1000 };
    static int fd[ALL];
    struct rlimit r = { 0, 0 };

    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = r.rlim_max < 4096 ? r.rlim_max : 4096;
    setrlimit(RLIMIT_NOFILE, &r);
    setup(&d);
    for (int i = 0; i < ALL; i++)
        fd[i] = dial(&d);
    for (int i = 0; i < CONTROL_CLIENTS_MAX; i++) {
        say(fd[i], "{\"id\":1,\"do\":\"version\"}\n");
        expect_reply(fd[i], 1, "");
    }
    for (int i = CONTROL_CLIENTS_MAX; i < ALL; i++) {
        json_t *j = hear(fd[i]);
        ck_assert_str_eq(json_string_value(json_object_get(j, "error")), "busy");
        json_decref(j);
        ck_assert_ptr_null(hear(fd[i]));
    }
    struct client *c;
    struct err e = ERR_INIT;
    json_t *reply;
    good(client_open(d.s.data, NULL, NULL, &c, &e), &e);
    ck_assert_int_eq(client_ask(c, CONTROL_VERSION, NULL, &reply, &e), -1);
    ck_assert_msg(e.code == ERR_BUSY, "%s: %s", err_name(e.code), e.msg);
    client_close(c);
    for (int i = 0; i < ALL; i++)
        close(fd[i]);
    /* All of them gone, there is room again. */
    for (int64_t end = clock_monotonic_ms() + WAIT_MS;
         stats(&d).clients > 0 && clock_monotonic_ms() < end;)
        usleep(1000);
    int again = subscriber(&d);
    close(again);
    teardown(&d);
}
END_TEST

START_TEST(says_that_it_ends)
{
    struct desk_line d;

    setup(&d);
    int fd = subscriber(&d), idle = dial(&d);
    say(idle, "{\"id\":1,\"do\":\"version\"}\n");
    expect_reply(idle, 1, "");
    tell(&d, 1);
    line_end(d.line);
    control_end(d.c);
    expect_event(fd, "busy");
    expect_event(fd, "ended");
    ck_assert_ptr_null(hear(fd));
    expect_event(idle, "ended");
    struct client *c;
    struct err e = ERR_INIT;
    ck_assert_int_eq(client_open(d.s.data, NULL, NULL, &c, &e), -1);
    ck_assert_int_eq(e.code, ERR_IO);
    ck_assert_ptr_nonnull(strstr(e.msg, "lineside run"));
    close(fd);
    close(idle);
    teardown(&d);
}
END_TEST

/* --- who may -------------------------------------------------------------------------- */

/* As somebody else, in a process of its own: the code of what client_open and
 * one question come to. */
static int as_other(const char *data, gid_t gid, gid_t more)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct client *c;
        struct err e = ERR_INIT;
        json_t *reply;
        if (setgroups(1, &more) != 0 || setgid(gid) != 0 || setuid(65534) != 0)
            _exit(99);
        if (client_open(data, NULL, NULL, &c, &e) == 0 &&
            client_ask(c, CONTROL_VERSION, NULL, &reply, &e) == 0)
            _exit(ERR_NONE);
        _exit((int)e.code);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

START_TEST(lets_in_who_may)
{
    struct desk_line d;
    char path[200];
    const struct group *g = getgrnam("daemon");

    if (getuid() != 0 || !g)
        return; /* only root can be somebody else */
    setup(&d);
    snprintf(path, sizeof path, "%s/" CONTROL_SOCKET, d.s.data);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(chmod(d.s.data, 0711), 0);
    ck_assert_int_eq(as_other(d.s.data, 65534, 65534), ERR_TRUST);
    ck_assert_int_eq(chmod(path, 0666), 0); /* the kernel's word still counts */
    ck_assert_int_eq(as_other(d.s.data, 65534, 65534), ERR_TRUST);
    ck_assert_int_eq(as_other(d.s.data, g->gr_gid, 65534), ERR_TRUST);
    ck_assert_uint_eq(stats(&d).accepted, 0);
    teardown(&d);
}
END_TEST

START_TEST(lets_a_group_in)
{
    struct desk_line d;
    struct control *c;
    struct err e = ERR_INIT;
    gid_t daemon_gid = 0;

    ck_assert_int_eq(control_new(&(struct control_options){
        .data_dir = "/tmp", .group = "no-such-group", .version = "" }, &c, &e), -1);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    const struct group *g = getgrnam("daemon");
    if (getuid() != 0 || !g)
        return;
    daemon_gid = g->gr_gid;
    /* Where its members cannot get to, the line does not begin. */
    shop_open(&d.s, 1);
    ck_assert_int_eq(chmod(d.s.data, 0700), 0);
    good(control_new(&(struct control_options){ .data_dir = d.s.data, .group = "daemon",
                                                .version = "" }, &c, &e), &e);
    ck_assert_int_eq(control_serve(c, NULL, &e), -1);
    ck_assert_int_eq(e.code, ERR_USAGE);
    control_free(c);
    shop_close(&d.s);

    setup_with(&d, "daemon", 0);
    ck_assert_int_eq(as_other(d.s.data, daemon_gid, 65534), ERR_NONE);
    ck_assert_int_eq(as_other(d.s.data, 65534, daemon_gid), ERR_NONE);
    ck_assert_int_eq(as_other(d.s.data, 65534, 65534), ERR_TRUST);
    teardown(&d);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "loads a unit", loads_a_unit, 1 },
        { "refuses a held unit", refuses_a_held_unit, 1 },
        { "answers rubbish", answers_rubbish, 1 },
        { "leaves the slow behind", leaves_the_slow_behind, 1 },
        { "says when it lost some", says_when_it_lost_some, 1 },
        { "lets go of the dead", lets_go_of_the_dead, 1 },
        { "takes no more than it can", takes_no_more_than_it_can, 1 },
        { "says that it ends", says_that_it_ends, 1 },
        { "lets in who may", lets_in_who_may, 1 },
        { "lets a group in", lets_a_group_in, 1 },
    };

    return run_tests("server", tests, sizeof tests / sizeof *tests);
}
