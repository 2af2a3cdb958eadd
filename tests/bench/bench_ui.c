/* The operator's screen under a line of 64 fixtures, each changing 20 times a
 * second, on a console of 240 by 67: how much of a core it takes (ui_cpu, of
 * 10 %), and how long after the line has told something it is on the terminal
 * (ui_lag, the slowest of all, of 100 ms). The line is played: what it would
 * tell, in the groups it would send.
 * ui_line: the line of bench_line.c with that screen at its socket, against the
 * same line alone. */
#include "station/control/protocol.h"
#include "station/control/server.h"
#include "tests/bench/bench.h"
#include "tests/bench/robot.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "build/bin/lineside-ui"
#define FIXTURES 64
#define CHANGES 20   /* of each, a second         */
#define GROUP_MS 50  /* the line sends at most so often; it may wait for 100 */
#define SECONDS 10
#define COMES_MS 20000
#define CPU_LIMIT 10.0
#define LAG_LIMIT 100.0

struct stage {
    char *dir;
    int door, line, term;
    pid_t pid;
    char seen[8192]; /* the newest output */
    size_t n;
};

static void open_door(struct stage *s)
{
    struct sockaddr_un a;
    struct err e = ERR_INIT;
    int dir;

    s->dir = bench_scratch();
    if (control_address(s->dir, &a, &dir, &e) != 0)
        bench_die("%s", e.msg);
    s->door = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(s->door, (struct sockaddr *)&a, sizeof a) != 0 || listen(s->door, 1) != 0)
        bench_die("the control socket cannot be opened");
}

/* Not by a fork alone: a line would copy its pages then. */
static pid_t spawn_screen(const char *dir, int *term)
{
    char *argv[] = { (char *)"lineside-ui", (char *)dir, (char *)"en", (char *)"", (char *)"mute",
                     (char *)"pass=0,fail=0,refused=0", (char *)"0", (char *)"/media", NULL };
    struct winsize size = { .ws_row = 67, .ws_col = 240 };
    posix_spawn_file_actions_t io;
    int its;
    pid_t pid;

    setenv("TERM", "linux", 1);
    setenv("LC_ALL", "C.UTF-8", 1);
    if (openpty(term, &its, NULL, NULL, &size) != 0)
        bench_die("there is no terminal");
    fcntl(*term, F_SETFD, FD_CLOEXEC);
    posix_spawn_file_actions_init(&io);
    for (int fd = 0; fd < 3; fd++)
        posix_spawn_file_actions_adddup2(&io, its, fd);
    posix_spawn_file_actions_addclose(&io, its);
    if (posix_spawn(&pid, PROGRAM, &io, NULL, argv, environ) != 0)
        bench_die(PROGRAM " cannot be started");
    posix_spawn_file_actions_destroy(&io);
    close(its);
    return pid;
}

static void start_screen(struct stage *s)
{
    struct pollfd door = { .fd = s->door, .events = POLLIN };

    s->pid = spawn_screen(s->dir, &s->term);
    if (poll(&door, 1, COMES_MS) <= 0)
        bench_die("the screen does not come");
    s->line = accept4(s->door, NULL, NULL, SOCK_CLOEXEC);
    if (s->line < 0)
        bench_die("the screen does not come");
}

/* What the terminal gets is read until `until`, or until `word` is among it. */
static bool look(struct stage *s, int64_t until_ns, const char *word)
{
    for (;;) {
        int64_t left = (until_ns - bench_now_ns()) / 1000000;
        struct pollfd p = { .fd = s->term, .events = POLLIN };
        if (left < 0 || poll(&p, 1, (int)left) <= 0)
            return false;
        if (s->n > sizeof s->seen / 2) { /* a word may lie across two reads */
            memmove(s->seen, s->seen + s->n - 64, 64);
            s->n = 64;
        }
        ssize_t n = read(s->term, s->seen + s->n, sizeof s->seen - s->n);
        if (n <= 0)
            bench_die("the screen has ended");
        s->n += (size_t)n;
        if (word && memmem(s->seen, s->n, word, strlen(word)))
            return true;
    }
}

static void tell(struct stage *s, const char *text, size_t n)
{
    while (n > 0) {
        ssize_t done = send(s->line, text, n, MSG_NOSIGNAL);
        if (done <= 0)
            bench_die("the screen hung up");
        text += done;
        n -= (size_t)done;
    }
}

static void tell_state(struct stage *s)
{
    json_t *fixtures = json_array();
    char name[16];

    for (int i = 1; i <= FIXTURES; i++) {
        snprintf(name, sizeof name, "F%d", i);
        json_array_append_new(fixtures, json_pack("{s:s, s:b}", "fixture", name, "busy", 0));
    }
    json_t *j = json_pack("{s:s, s:{s:s, s:o, s:[], s:{}, s:n, s:n, s:i}}", "event", "snapshot",
                          "state", "person", "Ada", "fixtures", fixtures, "scanners", "counts",
                          "stock", "work", "notListed", 0);
    char *text = json_dumps(j, JSON_COMPACT);
    static const char ok[] = "{\"id\":1,\"ok\":true}\n";
    tell(s, ok, sizeof ok - 1);
    tell(s, text, strlen(text));
    tell(s, "\n", 1);
    free(text);
    json_decref(j);
}

/* A group of changes as the line sends them; the last one is of F1, whose unit is
 * called `word`. */
static void tell_group(struct stage *s, unsigned round, const char *word)
{
    static const char *const steps[] = { "read EID", "authorise", "load", "record", "close" };
    static char text[FIXTURES * 512];
    size_t n = 0;

    for (int k = 0; k < CHANGES * GROUP_MS / 1000; k++)
        for (int i = FIXTURES; i >= 1; i--) {
            unsigned step = (round + (unsigned)i) % 6;
            if (i > 1 && step == 5)
                n += (size_t)snprintf(text + n, sizeof text - n, "{\"event\":\"verdict\",\"fixture\":"
                    "\"F%d\",\"verdict\":\"%s\",\"code\":\"done\",\"serial\":\"SN-%06u\",\"cause\":\"C.\","
                    "\"next\":\"N.\",\"ms\":1200}\n", i, round % 7 ? "PASS" : "FAIL", round);
            else
                n += (size_t)snprintf(text + n, sizeof text - n, "{\"event\":\"busy\",\"fixture\":"
                    "\"F%d\",\"step\":\"%s\",\"serial\":\"%s\",\"eid\":\"\"}\n", i,
                    steps[step % 5], i > 1 ? "SN-000001" : word);
        }
    tell(s, text, n);
}

static double cpu_s(pid_t pid)
{
    char path[64], line[512];
    unsigned long user = 0, system = 0;

    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *f = fopen(path, "r");
    if (!f || !fgets(line, sizeof line, f) ||
        sscanf(strrchr(line, ')'), ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
               &system) != 2)
        bench_die("%s cannot be read", path);
    fclose(f);
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static void perform(double *cpu, double *lag)
{
    struct stage s = { .n = 0 };
    size_t groups = bench_scaled(SECONDS * 1000 / GROUP_MS, 20);
    char ask[4096], word[9] = "";

    open_door(&s);
    start_screen(&s);
    if (read(s.line, ask, sizeof ask) <= 0)
        bench_die("the screen does not ask");
    tell_state(&s);
    look(&s, bench_now_ns() + 1000000000, NULL);
    int64_t begun = bench_now_ns();
    double used = cpu_s(s.pid);
    *lag = 0;
    for (size_t i = 0; i < groups; i++) {
        int64_t now = bench_now_ns();
        for (int k = 0; k < 8; k++) /* each letter is another one: all are written */
            word[k] = (char)('A' + (i + (size_t)k) % 26);
        tell_group(&s, (unsigned)i, word);
        if (!look(&s, now + 1000000000, word))
            bench_die("%s was never shown", word);
        double took = (double)(bench_now_ns() - now) / 1e6;
        *lag = took > *lag ? took : *lag;
        look(&s, begun + (int64_t)(i + 1) * GROUP_MS * 1000000, NULL);
    }
    *cpu = 100.0 * (cpu_s(s.pid) - used) * 1e9 / (double)(bench_now_ns() - begun);
    kill(s.pid, SIGTERM);
    while (read(s.term, s.seen, sizeof s.seen) > 0)
        ;
    waitpid(s.pid, NULL, 0);
    close(s.term);
    close(s.line);
    close(s.door);
    bench_scratch_remove(s.dir);
}

static void ui(void)
{
    double cpu, lag;

    perform(&cpu, &lag);
    bench_emit("ui_cpu", cpu, "% of a core", CPU_LIMIT, BENCH_COST);
    bench_emit("ui_lag", lag, "ms", LAG_LIMIT, BENCH_COST);
}

/* --- what it costs the line ------------------------------------------------------------- */

#define UNITS 16 /* per fixture and round */
#define ROUNDS 3 /* the median counts */

struct watched {
    const struct line_options *robot;
    struct control *control;
    pthread_t reader; /* the terminal */
    int term, shown;
    pid_t pid;
    uint64_t octets;
};

static void no_stop(void *ctx)
{
    (void)ctx;
}

static void on_event(void *ctx, const struct line_event *ev)
{
    struct watched *w = ctx;

    control_tell(w->control, ev);
    w->robot->event(w->robot->event_ctx, ev);
}

/* Tells when the tiles are there; reads to the screen's end. */
static void *read_terminal(void *ctx)
{
    struct watched *w = ctx;
    static char seen[1 << 16];
    bool there = false;

    for (ssize_t n; (n = read(w->term, seen, sizeof seen)) > 0; w->octets += (uint64_t)n)
        if (!there && memmem(seen, (size_t)n, "READY", 5))
            there = write(w->shown, "", 1) == 1;
    close(w->shown);
    return NULL;
}

static void watched_start(void *ctx, const struct line_options *o, struct line **out)
{
    struct watched *w = ctx;
    struct line_options mine = *o;
    struct err e = ERR_INIT;
    int ends[2];
    char ready;

    *w = (struct watched){ .robot = o };
    mine.event = on_event;
    mine.event_ctx = w;
    if (control_new(&(struct control_options){ .data_dir = o->data_dir, .version = "bench",
                                               .stop = no_stop }, &w->control, &e) != 0)
        bench_die("ui_line: %s", e.msg);
    robot_bare.start(NULL, &mine, out);
    if (control_serve(w->control, *out, &e) != 0 || pipe2(ends, O_CLOEXEC) != 0)
        bench_die("ui_line: %s", e.msg);
    w->shown = ends[1];
    w->pid = spawn_screen(o->data_dir, &w->term);
    if (pthread_create(&w->reader, NULL, read_terminal, w) != 0 || read(ends[0], &ready, 1) != 1)
        bench_die("ui_line: the screen shows no line");
    close(ends[0]);
}

static void watched_end(void *ctx, struct line *l)
{
    struct watched *w = ctx;
    struct control_stats st;

    double used = cpu_s(w->pid);
    line_end(l);
    control_end(w->control);
    control_stats(w->control, &st);
    kill(w->pid, SIGTERM);
    waitpid(w->pid, NULL, 0);
    pthread_join(w->reader, NULL);
    close(w->term);
    bench_note("  the screen wrote %llu octets in %.2f s of processor; %llu times it fell behind",
               (unsigned long long)w->octets, used, (unsigned long long)st.lost);
    robot_bare.end(NULL, l);
    control_free(w->control);
}

static void ui_line(void)
{
    struct watched watched = { .robot = NULL };
    const struct robot_line with = { watched_start, watched_end, &watched, false };

    robot_race_line("ui_line", &with, &robot_bare, UNITS, ROUNDS);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = { { "ui", ui }, { "ui_line", ui_line } };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}
