/* lineside run: the line at work. Scans come in, verdicts go out. */
#include "station/cmd/cmd.h"

#include "drivers/bench.h"
#include "station/base/outlet.h"
#include "station/control/events.h"
#include "station/control/server.h"
#include "station/line/floor.h"
#include "station/line/health.h"
#include "station/line/line.h"
#include "station/line/recipe.h"
#include "station/line/scan.h"
#include "storage/forecast.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define APDU_TIMEOUT_MAX_MS (60 * 60 * 1000)
#define UNIT_TIMEOUT_MAX_S (24 * 60 * 60)
#define DESCRIPTORS 4096
#define UNREAD_MOST (4u << 20) /* octets: more than a shift's verdicts */
#define UNREAD_PATIENCE_MS 5000

struct run_options {
    const char *bench;
    const char *scan;
    const char *control_group;
    bool no_usb;
    unsigned warn_hours;
    struct apdu_limits limits;
};

/* --- output ---------------------------------------------------------------- */

struct output {
    bool json;
    struct outlet *outlet;
    struct control *control;
};

static void put_json(struct output *o, json_t *j)
{
    char *line = j ? json_dumps(j, JSON_COMPACT) : NULL;

    json_decref(j);
    if (!line) {
        outlet_break(o->outlet);
        return;
    }
    size_t n = strlen(line);
    line[n] = '\n'; /* over its NUL: it is written by length */
    outlet_put(o->outlet, SPAN(line, n + 1));
    free(line);
}

static int fixture_text(const struct line_event *ev, char *out, size_t cap)
{
    return snprintf(out, cap, "%-7s is %s%s%s\n", ev->fixture, ev->state,
                    *ev->detail ? ": " : "", ev->detail);
}

static int health_text(const struct line_event *ev, char *out, size_t cap)
{
    return snprintf(out, cap, "%-7s is %s%s%s\n", ev->fixture,
                    strcmp(ev->state, HEALTH_MAINTENANCE) == 0
                        ? "due for maintenance" : ev->state,
                    *ev->detail ? ": " : "", ev->detail);
}

static int scanner_text(const struct line_event *ev, char *out, size_t cap)
{
    return snprintf(out, cap, "scanner %s is %s%s%s\n", ev->place, ev->state,
                    *ev->detail ? ": " : "", ev->detail);
}

static int chosen_text(const struct line_event *ev, char *out, size_t cap)
{
    return snprintf(out, cap, "%-7s chosen; now scan its unit\n", ev->fixture);
}

static int session_text(const struct line_event *ev, char *out, size_t cap)
{
    const char *where = *ev->fixture ? ev->fixture : "station";

    if (strcmp(ev->state, "opened") == 0)
        return snprintf(out, cap, "%-7s %s is logged in\n", where, ev->person);
    return snprintf(out, cap, "%-7s %s%s%s\n", where, ev->person,
                    *ev->person ? " is " : "", ev->detail);
}

static int ready_text(const struct line_event *ev, char *out, size_t cap)
{
    if (ev->fixtures == 0)
        return snprintf(out, cap, "ready   fixtures are told as they are found\n");
    return snprintf(out, cap, "ready   %zu fixture%s, %s to %s\n", ev->fixtures,
                    ev->fixtures == 1 ? "" : "s", ev->list[0].name,
                    ev->list[ev->fixtures - 1].name);
}

static int busy_text(const struct line_event *ev, char *out, size_t cap)
{
    return snprintf(out, cap, "%-7s %s: %s\n", ev->fixture, ev->serial, ev->step);
}

static int unresolved_text(const struct line_event *ev, char *out, size_t cap)
{
    return snprintf(out, cap, "unresolved: unit %s, EID %s, profile %s. %s\n",
                    ev->serial, ev->eid, ev->iccid,
                    verdict_row(V_UNRESOLVED)->next);
}

static int verdict_text(const struct line_event *ev, char *out, size_t cap)
{
    const struct verdict_row *v = ev->verdict;

    if (v->kind == VERDICT_GOLDEN)
        return snprintf(out, cap, "%-7s %s: GOLDEN OK (%s), %lld ms\n", ev->fixture,
                        ev->serial, ev->detail, (long long)ev->ms);
    if (v->kind == VERDICT_PASS)
        return snprintf(out, cap, "%-7s %s: PASS, %u profile%s, %lld ms\n",
                        ev->fixture, ev->serial, ev->installed,
                        ev->installed == 1 ? "" : "s", (long long)ev->ms);
    /* A terminal rings at a refused scan: the operator looks at the unit. */
    return snprintf(out, cap, "%s%-7s %s: %s (%s). %s\n        %s%s%s%s\n",
                    v->kind == VERDICT_REFUSED && isatty(STDOUT_FILENO) ? "\a" : "",
                    *ev->fixture ? ev->fixture : "-", ev->serial,
                    verdict_kind_text(v->kind), v->code, v->cause, v->next,
                    *ev->detail ? " [" : "", ev->detail, *ev->detail ? "]" : "");
}

static int command_text(const struct line_event *ev, char *out, size_t cap)
{
    return snprintf(out, cap, "command %s was scanned\n", ev->state);
}

static int stands_text(const struct line_event *ev, char *out, size_t cap)
{
    return ev->row ? snprintf(out, cap, "%-7s stands in row %u, column %u\n", ev->fixture,
                              ev->row, ev->column)
                   : snprintf(out, cap, "%-7s has no place on the bench any more\n",
                              ev->fixture);
}

static int (*const texts[])(const struct line_event *ev, char *out, size_t cap) = {
    [LINE_READY] = ready_text,       [LINE_UNRESOLVED] = unresolved_text,
    [LINE_BUSY] = busy_text,         [LINE_VERDICT] = verdict_text,
    [LINE_FIXTURE] = fixture_text,   [LINE_SCANNER] = scanner_text,
    [LINE_CHOSEN] = chosen_text,     [LINE_SESSION] = session_text,
    [LINE_HEALTH] = health_text,     [LINE_COMMAND] = command_text,
    [LINE_STANDS] = stands_text,
};

static void on_event(void *ctx, const struct line_event *ev)
{
    struct output *o = ctx;
    char line[2048];

    control_tell(o->control, ev);
    if (o->json) {
        put_json(o, control_event_json(ev));
        return;
    }
    int n = texts[ev->kind](ev, line, sizeof line);
    outlet_put(o->outlet, SPAN(line, n < (int)sizeof line ? (size_t)n
                                                         : sizeof line - 1));
}

/* --- input ----------------------------------------------------------------- */

/* A FIFO is opened for writing too: so its writers may come and go. *fd -1:
 * no scan lines, the scanners on the bus are all. */
static int open_scan(const struct run_options *o, int *fd, struct err *e)
{
    const char *path = o->scan ? o->scan : o->no_usb ? "-" : NULL;
    struct stat st;

    *fd = path ? STDIN_FILENO : -1;
    if (!path || strcmp(path, "-") == 0)
        return 0;
    if (stat(path, &st) != 0)
        return err_errno(e, "cannot read scans from %s", path);
    *fd = open(path, O_CLOEXEC | O_NONBLOCK |
                     (S_ISFIFO(st.st_mode) ? O_RDWR : O_RDONLY));
    return *fd >= 0 ? 0 : err_errno(e, "cannot read scans from %s", path);
}

static void on_line(void *ctx, struct span line)
{
    line_scan(ctx, line);
}

/* True while more may come; *why says when that is not the end of the scans
 * but of the scanner. */
static bool read_scans(int fd, struct scan_lines *lines, struct line *line,
                       struct err *why)
{
    uint8_t octets[4096];
    ssize_t n = read(fd, octets, sizeof octets);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return true;
    if (n < 0)
        err_errno(why, "scans cannot be read any more; the units at work were "
                       "finished. Check the scanner, then start the line again");
    if (n > 0)
        scan_lines_feed(lines, SPAN(octets, (size_t)n), on_line, line);
    else
        scan_lines_end(lines, on_line, line);
    return n > 0;
}

/* --- the loop --------------------------------------------------------------- */

/* Blocked before any thread starts, so that only the loop sees them. */
static int catch_signals(struct err *e)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd >= 0 ? fd : err_errno(e, "signalfd");
}

static void begin_end(bool *ending, struct line *line)
{
    fprintf(stderr, "lineside run: ending when the units at work are done; "
                    "once more ends at once\n");
    line_stop(line);
    *ending = true;
}

/* The first asks for an orderly end, the second for one at once: the process
 * ends as by kill -9, and the ledger is made for that. */
static void take_signal(int fd, bool *ending, struct line *line)
{
    struct signalfd_siginfo si;

    if (read(fd, &si, sizeof si) != sizeof si)
        return;
    if (*ending)
        _exit(128 + (int)si.ssi_signo);
    begin_end(ending, line);
}

/* A client of the control socket asks for the orderly end: any thread. */
static void ask_to_stop(void *ctx)
{
    const int *fd = ctx;
    uint64_t one = 1;

    if (write(*fd, &one, sizeof one) < 0)
        return; /* it was asked often enough */
}

static int loop(struct line *line, int scan_fd, int signal_fd, int stop_fd,
                const struct output *out, struct err *e)
{
    enum { SCANS, SIGNALS, UNITS, STOP, UNREAD, COUNT };
    struct pollfd p[COUNT] = {
        [SCANS] = { .fd = scan_fd, .events = POLLIN },
        [SIGNALS] = { .fd = signal_fd, .events = POLLIN },
        [UNITS] = { .fd = line_fd(line), .events = POLLIN },
        [STOP] = { .fd = stop_fd, .events = POLLIN },
        [UNREAD] = { .fd = outlet_fd(out->outlet), .events = POLLIN },
    };
    struct scan_lines lines = { .n = 0 };
    bool ending = false, endless = scan_fd < 0;
    uint64_t ended;

    while (p[SCANS].fd >= 0 || line_busy(line) > 0 ||
           (endless && !ending && !outlet_broken(out->outlet))) {
        if (poll(p, COUNT, -1) < 0 && errno != EINTR)
            return err_errno(e, "poll");
        if (p[UNITS].revents && read(p[UNITS].fd, &ended, sizeof ended) < 0 &&
            errno != EAGAIN)
            return err_errno(e, "the workers' signal");
        if (p[SIGNALS].revents)
            take_signal(signal_fd, &ending, line);
        else if (p[STOP].revents)
            begin_end(&ending, line);
        else if (p[SCANS].revents && !read_scans(scan_fd, &lines, line, e))
            p[SCANS].fd = -1;
        if (p[UNREAD].revents) {
            line_stop(line); /* the scanners' scans too */
            p[UNREAD].fd = -1;
        }
        if (ending || outlet_broken(out->outlet))
            p[SCANS].fd = p[STOP].fd = -1;
    }
    return e->code == ERR_NONE ? 0 : -1;
}

/* --- options ------------------------------------------------------------------ */

enum { OPT_BENCH = 256, OPT_SCAN, OPT_NO_USB, OPT_APDU, OPT_UNIT,
       OPT_CONTROL_GROUP, OPT_WARN_HOURS };

static const struct option options[] = {
    { "bench", required_argument, NULL, OPT_BENCH },
    { "scan", required_argument, NULL, OPT_SCAN },
    { "no-usb", no_argument, NULL, OPT_NO_USB },
    { "apdu-timeout-ms", required_argument, NULL, OPT_APDU },
    { "unit-timeout-s", required_argument, NULL, OPT_UNIT },
    { "control-group", required_argument, NULL, OPT_CONTROL_GROUP },
    { "warn-hours", required_argument, NULL, OPT_WARN_HOURS },
    { NULL, 0, NULL, 0 },
};

static int number(const char *name, const char *arg, long max, long *out,
                  struct err *e)
{
    char *end;

    errno = 0;
    *out = strtol(arg, &end, 10);
    if (errno == 0 && end != arg && *end == '\0' && *out >= 1 && *out <= max)
        return 0;
    return err_set(e, ERR_USAGE, "--%s takes a number from 1 to %ld, not '%s'",
                   name, max, arg);
}

static int own_option(void *ctx, int val, const char *arg, struct err *e)
{
    struct run_options *o = ctx;
    long n = 0;

    switch (val) {
    case OPT_BENCH:
        o->bench = arg;
        return 0;
    case OPT_SCAN:
        o->scan = arg;
        return 0;
    case OPT_CONTROL_GROUP:
        o->control_group = arg;
        return 0;
    case OPT_NO_USB:
        o->no_usb = true;
        return 0;
    case OPT_WARN_HOURS:
        return cmd_warn_hours(arg, &o->warn_hours, e);
    case OPT_APDU:
        if (number("apdu-timeout-ms", arg, APDU_TIMEOUT_MAX_MS, &n, e) != 0)
            return -1;
        o->limits.apdu_ms = (int)n;
        return 0;
    default:
        if (number("unit-timeout-s", arg, UNIT_TIMEOUT_MAX_S, &n, e) != 0)
            return -1;
        o->limits.unit_ms = n * 1000;
        return 0;
    }
}

/* --- the command ----------------------------------------------------------------- */

/* Clients of the control socket take descriptors; fixtures must not go short. */
static void raise_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) != 0 || r.rlim_cur >= DESCRIPTORS)
        return;
    r.rlim_cur = r.rlim_max < DESCRIPTORS ? r.rlim_max : DESCRIPTORS;
    setrlimit(RLIMIT_NOFILE, &r);
}

/* Before the line, which tells it what there is. */
static int make_control(const struct cmd_common *c, const struct run_options *o,
                        int *stop_fd, struct output *out, struct err *e)
{
    raise_descriptors();
    *stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (*stop_fd < 0)
        return err_errno(e, "eventfd");
    return control_new(&(struct control_options){
                           .data_dir = c->data_dir, .group = o->control_group,
                           .version = LINESIDE_VERSION,
                           .warn_hours = o->warn_hours, .stop = ask_to_stop,
                           .stop_ctx = stop_fd },
                       &out->control, e);
}

static int start_line(const struct cmd_common *c, const struct run_options *o,
                      struct output *out, struct line **line, struct err *e)
{
    AUTO(bench_entries_clear) struct bench_entries slots = { NULL, 0 };

    if (o->bench && bench_list(o->bench, &slots, e) != 0)
        return -1;
    struct line_fixture *fixtures = calloc(slots.n + 1, sizeof *fixtures);
    if (!fixtures)
        return err_set(e, ERR_NOMEM, "no memory for %zu fixtures", slots.n);
    for (size_t i = 0; i < slots.n; i++)
        fixtures[i] = (struct line_fixture){ slots.v[i].name, &fixture_bench, NULL,
                                             slots.v[i].where };
    struct line_options lo = {
        .data_dir = c->data_dir, .limits = o->limits, .fixtures = fixtures,
        .fixture_count = slots.n, .grows = !o->no_usb, .event = on_event,
        .event_ctx = out,
    };
    int bad = line_new(&lo, line, e);
    free(fixtures);
    return bad;
}

/* What the line engineer has said of places, and the devices that are there. */
static int start_floor(const struct cmd_common *c, struct line *line,
                       struct floor **out, struct err *e)
{
    AUTO(places_clear) struct places settings = { NULL, 0, NULL, 0 };
    AUTO(db_close_p) struct db *db = NULL;

    if (db_open(c->data_dir, DB_READ, NULL, &db, e) != 0 ||
        places_get(db, &settings, e) != 0)
        return -1;
    if (floor_start(&settings, line, out, e) != 0)
        return err_wrap(e, "without USB (--no-usb) the line would run");
    return 0;
}

/* The order in which nothing is used after it was given back. */
static void end_line(struct line *line, struct floor *floor,
                     struct control *control)
{
    floor_quiet(floor);
    if (line)
        line_end(line); /* the last verdicts are told in here */
    floor_stop(floor);
    control_end(control); /* the run lock is the line's: the socket goes first */
    line_free(line);
    control_free(control);
}

static int run(const struct command *self, int argc, char **argv)
{
    struct line *line = NULL;
    struct floor *floor = NULL;
    int scan_fd, signal_fd, stop_fd = -1;
    struct run_options o = { .limits = APDU_LIMITS_DEFAULT,
                             .warn_hours = FORECAST_WARN_HOURS };
    struct cmd_common common;
    struct err e = ERR_INIT;

    int stop = cmd_options(self, argc, argv, options, own_option, &o, &common);
    if (stop)
        return stop - 1;
    if (o.no_usb && !o.bench)
        return cmd_usage(self, "with --no-usb the fixtures are those of --bench DIR");
    if (optind != argc)
        return cmd_usage(self, "it takes no operand");
    struct output out = { .json = common.json };
    int bad = open_scan(&o, &scan_fd, &e) != 0 ||
              (signal_fd = catch_signals(&e)) < 0 ||
              outlet_start(STDOUT_FILENO, UNREAD_MOST, &out.outlet, &e) != 0 ||
              make_control(&common, &o, &stop_fd, &out, &e) != 0 ||
              start_line(&common, &o, &out, &line, &e) != 0 ||
              control_serve(out.control, line, &e) != 0 ||
              (!o.no_usb && start_floor(&common, line, &floor, &e) != 0) ||
              loop(line, scan_fd, signal_fd, stop_fd, &out, &e) != 0;
    end_line(line, floor, out.control);
    struct err unread = ERR_INIT;
    if (outlet_end(out.outlet, UNREAD_PATIENCE_MS, &unread) != 0 && !bad)
        bad = err_set(&e, unread.code,
                      "nobody reads the verdicts any more; the line has ended, and "
                      "the ledger holds all of them (lineside log). Start it again "
                      "with a reader");
    return bad ? cmd_fail(self, &e) : 0;
}

const struct command cmd_run = {
    .name = "run",
    .args = "[--scan FILE|FIFO|-] [--bench DIR] [--no-usb] [--apdu-timeout-ms N] "
            "[--unit-timeout-s N] [--control-group GROUP] [--warn-hours H]",
    .summary = "Run the line: scans in, verdicts out",
    .help =
        "  --scan PATH  scan lines besides those of the scanners: a file, a\n"
        "               FIFO, or - for standard input (the default with\n"
        "               --no-usb). A line is FIXTURE TAB BARCODE. At the end of\n"
        "               a file the units at work are finished and the line\n"
        "               ends; a FIFO is read until SIGTERM or SIGINT\n"
        "  --bench DIR  the embedded bench beside the fixtures on the bus: each\n"
        "               socket in DIR is one\n"
        "  --no-usb     leave the bus alone: no reader, no scanner\n"
        "  --apdu-timeout-ms N  longest wait for one answer (default 120000)\n"
        "  --unit-timeout-s N   longest time for one unit (default 900)\n"
        "  --control-group GROUP  members of GROUP may use the control socket\n"
        "               too (see ctl), not this user and root alone\n"
        "  --warn-hours H  clients are told that the stock is low when it lasts\n"
        "               for fewer hours (default 8; see stock)\n",
    .run = run,
};
