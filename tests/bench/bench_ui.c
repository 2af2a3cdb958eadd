/* The operator's screen under a line of 64 fixtures, each changing 20 times a
 * second, on a console of 240 by 67: how much of a core it takes (ui_cpu, of
 * 10 %), and how long after the line has told something it is on the terminal
 * (ui_lag, the slowest of all, of 100 ms). The line is played: what it would
 * tell, in the groups it would send. */
#include "station/control/protocol.h"
#include "tests/bench/bench.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
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

static void start_screen(struct stage *s)
{
    struct winsize size = { .ws_row = 67, .ws_col = 240 };

    s->pid = forkpty(&s->term, NULL, NULL, &size);
    if (s->pid < 0)
        bench_die("there is no terminal");
    if (s->pid == 0) {
        setenv("TERM", "linux", 1);
        setenv("LC_ALL", "C.UTF-8", 1);
        execl(PROGRAM, "lineside-ui", s->dir, "en", "", "mute", "pass=0,fail=0,refused=0", "0",
              (char *)NULL);
        _exit(3);
    }
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

int main(int argc, char **argv)
{
    static const struct bench all[] = { { "ui", ui } };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}
