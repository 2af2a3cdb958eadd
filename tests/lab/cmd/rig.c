/* lineside-lab rig: a robot that plays the operators of a factory line: it
 * puts units into free fixtures, scans them, and waits for their verdicts. */
#include "station/base/clock.h"
#include "tests/lab/cmd/lab.h"
#include "tests/lab/world.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIXTURES_MAX 1024
#define LINE_MAX_OCTETS 65536
#define POLL_MS 20          /* a file is followed, a FIFO without a peer awaited */
#define NO_CARD "-"

struct args {
    const char *bench, *cards, *units, *scan, *verdicts;
    uint64_t fixtures, timeout_s;
};

static const struct opt opts[] = {
    { "--bench", OPT_TEXT, offsetof(struct args, bench), "DIR",
      "the fixtures: DIR/F1 and on, links to the card inserted. The station "
      "reads DIR when it starts: they must be there by then, to nothing" },
    { "--cards", OPT_TEXT, offsetof(struct args, cards), "DIR",
      "the cards' sockets, by EID (lineside-lab euicc --listen); default "
      "WORLD/cards" },
    { "--units", OPT_TEXT, offsetof(struct args, units), "FILE",
      "a line each: barcode TAB EID; \"-\" for the EID: no card in the unit" },
    { "--scan", OPT_TEXT, offsetof(struct args, scan), "FIFO",
      "where the station reads scans" },
    { "--verdicts", OPT_TEXT, offsetof(struct args, verdicts), "FIFO|FILE",
      "what lineside run prints: JSON lines" },
    { "--fixtures", OPT_NUMBER, offsetof(struct args, fixtures), "N",
      "default 4" },
    { "--timeout-s", OPT_NUMBER, offsetof(struct args, timeout_s), "N",
      "give up after so long without a verdict; default 600" },
    OPT_END,
};

struct unit {
    char *barcode, *eid;
};

struct rig {
    const struct args *a;
    char *cards;             /* absolute: links are read from elsewhere  */
    struct unit *units;
    size_t count, next, done;
    size_t *in;              /* per fixture: unit index + 1, 0: free     */
    int scan, verdicts;      /* descriptors                              */
    struct buf line;         /* of verdicts, so far                      */
    json_t *tally;           /* verdict -> how many                      */
    int64_t heard_ms;        /* when the last verdict came               */
};

/* --- the units ----------------------------------------------------------- */

static int add_unit(struct rig *r, char *line, struct err *e)
{
    char *tab = strchr(line, '\t');

    if (!tab || tab == line || !tab[1])
        return err_set(e, ERR_USAGE, "%s: a line is barcode TAB EID, not "
                                     "\"%s\"", r->a->units, line);
    struct unit *v = realloc(r->units, (r->count + 1) * sizeof *v);
    if (!v)
        return err_set(e, ERR_NOMEM, "out of memory");
    r->units = v;
    struct unit *u = &v[r->count++];
    u->barcode = strndup(line, (size_t)(tab - line));
    u->eid = strdup(tab + 1);
    return u->barcode && u->eid ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int read_units(struct rig *r, struct err *e)
{
    FILE *f = fopen(r->a->units, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int rc = 0;

    if (!f)
        return err_errno(e, "cannot read %s", r->a->units);
    while (rc == 0 && (n = getline(&line, &cap, f)) >= 0) {
        if (n > 0 && line[n - 1] == '\n')
            line[n - 1] = '\0';
        if (line[0])
            rc = add_unit(r, line, e);
    }
    free(line);
    fclose(f);
    return rc;
}

/* --- hands --------------------------------------------------------------- */

static int fixture_path(const struct rig *r, size_t f, char **out,
                        struct err *e)
{
    if (asprintf(out, "%s/F%zu", r->a->bench, f + 1) >= 0)
        return 0;
    *out = NULL;
    return err_set(e, ERR_NOMEM, "out of memory");
}

/* The link changes in one step: the fixture holds the old unit or the new. */
static int point(struct rig *r, size_t f, const char *card, struct err *e)
{
    AUTO(str_free_p) char *to = NULL, *aside = NULL;

    if (fixture_path(r, f, &to, e) != 0)
        return -1;
    /* A dot file is no fixture to the station (drivers/bench.h). */
    if (asprintf(&aside, "%s/.F%zu.new", r->a->bench, f + 1) < 0) {
        aside = NULL;
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    unlink(aside);
    if (symlink(card, aside) != 0 || rename(aside, to) != 0)
        return err_errno(e, "cannot put a card into %s", to);
    return 0;
}

/* An empty fixture is a link to nothing: it stays a fixture. */
static int empty(struct rig *r, size_t f, struct err *e)
{
    return point(r, f, NO_CARD, e);
}

static int insert(struct rig *r, size_t f, const struct unit *u,
                  struct err *e)
{
    AUTO(str_free_p) char *card = NULL;

    if (strcmp(u->eid, NO_CARD) == 0)
        return empty(r, f, e);
    if (asprintf(&card, "%s/%s", r->cards, u->eid) < 0) {
        card = NULL;
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    return point(r, f, card, e);
}

static int scan(struct rig *r, size_t f, const struct unit *u, struct err *e)
{
    AUTO(str_free_p) char *line = NULL;
    int n = asprintf(&line, "F%zu\t%s\n", f + 1, u->barcode);

    if (n < 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (const char *p = line; n > 0;) {
        ssize_t w = write(r->scan, p, (size_t)n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0 && errno == EPIPE)
            return err_set(e, ERR_CLOSED, "the station reads no scans any "
                                          "more");
        if (w < 0)
            return err_errno(e, "cannot write a scan");
        p += w;
        n -= (int)w;
    }
    return 0;
}

static int fill_free(struct rig *r, struct err *e)
{
    for (size_t f = 0; f < r->a->fixtures && r->next < r->count; f++) {
        const struct unit *u = &r->units[r->next];
        if (r->in[f])
            continue;
        if (insert(r, f, u, e) != 0 || scan(r, f, u, e) != 0)
            return -1;
        r->in[f] = ++r->next;
    }
    return 0;
}

/* --- eyes ---------------------------------------------------------------- */

/* Text of a member, or "". */
static const char *member(json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));

    return s ? s : "";
}

static int tally(struct rig *r, const char *verdict, struct err *e)
{
    json_int_t n = json_integer_value(json_object_get(r->tally, verdict));

    return json_object_set_new(r->tally, verdict, json_integer(n + 1)) == 0
               ? 0
               : err_set(e, ERR_NOMEM, "out of memory");
}

/* {"event":"verdict","fixture":"F1","verdict":"PASS",...}; what is not such a
 * line, or about a fixture where nothing is in, is not for us. */
static int read_verdict(struct rig *r, json_t *o, struct err *e)
{
    const char *fixture = member(o, "fixture"), *verdict = member(o, "verdict");
    char *end;

    if (strcmp(member(o, "event"), "verdict") != 0 || fixture[0] != 'F' ||
        !verdict[0])
        return 0;
    unsigned long f = strtoul(fixture + 1, &end, 10);
    if (*end || f == 0 || f > r->a->fixtures || !r->in[f - 1])
        return 0;
    const struct unit *u = &r->units[r->in[f - 1] - 1];
    printf("%-4s %-34s %s%s%s\n", fixture, u->barcode, verdict,
           member(o, "code")[0] ? " " : "", member(o, "code"));
    fflush(stdout);
    r->in[f - 1] = 0;
    r->done++;
    r->heard_ms = clock_monotonic_ms();
    return empty(r, f - 1, e) == 0 ? tally(r, verdict, e) : -1;
}

static int read_lines(struct rig *r, struct err *e)
{
    uint8_t *nl;

    while (r->line.n > 0 && (nl = memchr(r->line.p, '\n', r->line.n))) {
        size_t n = (size_t)(nl - r->line.p);
        json_t *o = json_loadb((const char *)r->line.p, n, 0, NULL);
        int rc = o ? read_verdict(r, o, e) : 0;
        json_decref(o);
        if (rc != 0)
            return -1;
        buf_drop_front(&r->line, n + 1);
    }
    return r->line.n <= LINE_MAX_OCTETS
               ? 0
               : err_set(e, ERR_LIMIT, "the station printed a line without "
                                       "end");
}

/* 1 something came, 0 nothing yet, -1 (the station is gone: ERR_CLOSED). */
static int listen_once(struct rig *r, struct err *e)
{
    struct pollfd p = { .fd = r->verdicts, .events = POLLIN };

    if (poll(&p, 1, POLL_MS) < 0)
        return errno == EINTR ? 0 : err_errno(e, "waiting for verdicts");
    uint8_t *to = buf_reserve(&r->line, 4096);
    if (!to)
        return err_set(e, ERR_NOMEM, "out of memory");
    ssize_t n = read(r->verdicts, to, 4096);
    if (n > 0) {
        r->line.n += (size_t)n;
        return read_lines(r, e) == 0 ? 1 : -1;
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return err_errno(e, "cannot read verdicts");
    if (n == 0 && p.revents & POLLHUP)
        return err_set(e, ERR_CLOSED, "the station ended; %zu of %zu units "
                                      "have a verdict", r->done, r->count);
    if (n == 0)
        poll(NULL, 0, POLL_MS); /* end of a file that grows */
    return 0;
}

static int play(struct rig *r, struct err *e)
{
    r->heard_ms = clock_monotonic_ms();
    while (r->done < r->count) {
        if (fill_free(r, e) != 0 || listen_once(r, e) < 0)
            return -1;
        if (clock_monotonic_ms() - r->heard_ms >
            (int64_t)r->a->timeout_s * 1000)
            return err_set(e, ERR_TIMEOUT, "no verdict for %llu s; %zu of "
                                           "%zu units have one",
                           (unsigned long long)r->a->timeout_s, r->done,
                           r->count);
    }
    return 0;
}

/* --- beginning and end --------------------------------------------------- */

/* The other end of the verdicts was there, and is gone. */
static bool station_gone(const struct rig *r)
{
    struct pollfd p = { .fd = r->verdicts, .events = POLLIN };

    return poll(&p, 1, 0) > 0 && p.revents & POLLHUP && !(p.revents & POLLIN);
}

/* A FIFO without a reader refuses to be opened for writing: wait for it. */
static int open_scan(struct rig *r, struct err *e)
{
    int64_t until = clock_monotonic_ms() + (int64_t)r->a->timeout_s * 1000;

    while ((r->scan = open(r->a->scan, O_WRONLY | O_APPEND | O_NONBLOCK |
                                           O_CLOEXEC)) < 0) {
        if (errno != ENXIO)
            return err_errno(e, "cannot open %s", r->a->scan);
        if (station_gone(r))
            return err_set(e, ERR_CLOSED, "the station ended before it read "
                                          "a scan");
        if (clock_monotonic_ms() > until)
            return err_set(e, ERR_TIMEOUT, "no station reads %s",
                           r->a->scan);
        poll(NULL, 0, POLL_MS);
    }
    return fcntl(r->scan, F_SETFL, O_APPEND) == 0
               ? 0
               : err_errno(e, "cannot use %s", r->a->scan);
}

static int start(struct rig *r, struct err *e)
{
    r->in = calloc(r->a->fixtures, sizeof *r->in);
    r->tally = json_object();
    if (!r->in || !r->tally)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (read_units(r, e) != 0)
        return -1;
    if (mkdir(r->a->bench, 0755) != 0 && errno != EEXIST)
        return err_errno(e, "cannot make %s", r->a->bench);
    for (size_t f = 0; f < r->a->fixtures; f++)
        if (empty(r, f, e) != 0)
            return -1;
    r->cards = realpath(r->a->cards, NULL);
    if (!r->cards)
        return err_errno(e, "cannot find %s", r->a->cards);
    /* Without O_NONBLOCK this would wait for a writer, who may wait for us. */
    r->verdicts = open(r->a->verdicts, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (r->verdicts < 0)
        return err_errno(e, "cannot open %s", r->a->verdicts);
    return open_scan(r, e);
}

static void rig_clear(struct rig *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->units[i].barcode);
        free(r->units[i].eid);
    }
    free(r->units);
    free(r->cards);
    free(r->in);
    if (r->scan >= 0)
        close(r->scan);
    if (r->verdicts >= 0)
        close(r->verdicts);
    buf_clear(&r->line);
    json_decref(r->tally);
}

static void summary(const struct rig *r)
{
    const char *verdict;
    json_t *n;

    printf("rig: %zu units", r->done);
    json_object_foreach(r->tally, verdict, n)
        printf(", %lld %s", (long long)json_integer_value(n), verdict);
    printf("\n");
}

static int check_args(const struct args *a, struct err *e)
{
    if (!a->bench || !a->cards || !a->units || !a->scan || !a->verdicts)
        return err_set(e, ERR_USAGE, "--bench, --cards, --units, --scan and "
                                     "--verdicts are all needed");
    if (a->fixtures == 0 || a->fixtures > FIXTURES_MAX)
        return err_set(e, ERR_USAGE, "--fixtures: 1 to %d", FIXTURES_MAX);
    if (a->timeout_s == 0 || a->timeout_s > 86400)
        return err_set(e, ERR_USAGE, "--timeout-s: 1 to 86400");
    return 0;
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct args a = { .fixtures = 4, .timeout_s = 600 };
    struct rig r = { .a = &a, .scan = -1, .verdicts = -1 };

    signal(SIGPIPE, SIG_IGN);
    AUTO(str_free_p) char *cards = NULL;
    int rc = opts_parse(&cmd_rig, argc, argv, &a, &rest, 0, 1, e);
    if (rc == 0 && !a.cards && rest.n == 1) {
        if (asprintf(&cards, "%s/cards", rest.v[0]) < 0)
            cards = NULL;
        a.cards = cards;
    }
    if (rc == 0)
        rc = check_args(&a, e);
    if (rc == 0)
        rc = start(&r, e);
    if (rc == 0)
        rc = play(&r, e);
    if (rc == 0)
        summary(&r);
    rig_clear(&r);
    return rc;
}

const struct command cmd_rig = {
    "rig", "[WORLD] --bench DIR --units FILE --scan FIFO --verdicts FIFO",
    "Play the operators of a line: insert, scan, wait for the verdict.", opts,
    run,
};
