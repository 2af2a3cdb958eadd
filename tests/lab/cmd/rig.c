/* lineside-lab rig: a robot that plays the operators of a factory line: it
 * puts units into free fixtures, scans them, and waits for their verdicts. */
#include "station/base/clock.h"
#include "tests/lab/cmd/lab.h"
#include "tests/lab/cmd/rig.h"
#include "tests/lab/world.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIXTURES_MAX 1024
#define LINE_MAX_OCTETS 65536
#define POLL_MS 20          /* a file is followed, a FIFO without a peer awaited */
#define SEEN_MS 3000        /* so long for the station to see a card           */
#define AGAIN_MAX 1000

struct args {
    const char *bench, *cards, *units, *scan, *verdicts, *usb, *scanners;
    uint64_t fixtures, timeout_s, again;
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
    { "--usb", OPT_TEXT, offsetof(struct args, usb), "SOCKET",
      "instead of --bench, --cards and --scan: the emulated bus around us "
      "(lineside-lab usb --control); its readers are the fixtures" },
    { "--scanners", OPT_TEXT, offsetof(struct args, scanners), "PLACE,...",
      "with --usb: the station's scanners, in turn; default all" },
    { "--verdicts", OPT_TEXT, offsetof(struct args, verdicts), "FIFO|FILE",
      "what lineside run prints: JSON lines" },
    { "--fixtures", OPT_NUMBER, offsetof(struct args, fixtures), "N",
      "default 4" },
    { "--timeout-s", OPT_NUMBER, offsetof(struct args, timeout_s), "N",
      "give up after so long without a verdict; default 600" },
    { "--again", OPT_NUMBER, offsetof(struct args, again), "N",
      "a unit that is not good yet comes again, at most so often; default 0" },
    OPT_END,
};

struct unit {
    char *barcode, *eid;
    uint64_t again; /* how often it may still come again */
};

struct place {
    size_t unit;     /* index + 1, 0: free                     */
    bool scanned;
    bool seen;       /* the station has said that a card is in */
    int64_t put_ms;
};

struct rig {
    const struct args *a;
    struct hands *hands;
    struct unit *units;
    size_t count, done;
    size_t *queue, head, waiting; /* a ring of unit indexes             */
    struct place *places;    /* one for each fixture                     */
    int verdicts;            /* descriptor                               */
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
    u->again = r->a->again;
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

static void enqueue(struct rig *r, size_t unit)
{
    r->queue[(r->head + r->waiting++) % r->count] = unit;
}

static int fill_free(struct rig *r, struct err *e)
{
    for (size_t f = 0; f < r->a->fixtures && r->waiting > 0; f++) {
        if (r->places[f].unit)
            continue;
        size_t unit = r->queue[r->head];
        const char *eid = r->units[unit].eid;
        r->head = (r->head + 1) % r->count;
        r->waiting--;
        r->places[f] = (struct place){ .unit = unit + 1,
                                       .put_ms = clock_monotonic_ms() };
        if (strcmp(eid, NO_CARD) != 0 && r->hands->put(r->hands, f, eid, e) != 0)
            return -1;
    }
    return 0;
}

/* An operator scans when the fixture's lamp shows the card; who waits for a
 * lamp in vain scans all the same. */
static int scan_due(struct rig *r, struct err *e)
{
    int64_t now = clock_monotonic_ms();

    for (size_t f = 0; f < r->a->fixtures; f++) {
        struct place *p = &r->places[f];
        if (!p->unit || p->scanned)
            continue;
        const struct unit *u = &r->units[p->unit - 1];
        if (r->hands->has_lamps && !p->seen && strcmp(u->eid, NO_CARD) != 0 &&
            now - p->put_ms < SEEN_MS)
            continue;
        p->scanned = true;
        if (r->hands->scan(r->hands, f, u->barcode, e) != 0)
            return -1;
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

/* The one that is called so, or NULL. */
static struct place *find_place(struct rig *r, const char *fixture, size_t *at)
{
    for (*at = 0; *at < r->a->fixtures; ++*at)
        if (strcmp(r->hands->name(r->hands, *at), fixture) == 0)
            return &r->places[*at];
    return NULL;
}

static bool is_good(const char *verdict)
{
    return strcmp(verdict, "PASS") == 0 || strcmp(verdict, "STOCKED") == 0 ||
           strcmp(verdict, "ALREADY DONE") == 0 || strcmp(verdict, "ORDER") == 0;
}

/* {"event":"verdict","fixture":"F1","verdict":"PASS",...}; one about a fixture
 * where nothing was scanned is not for us. */
static int read_verdict(struct rig *r, size_t f, json_t *o, struct err *e)
{
    const char *verdict = member(o, "verdict"), *code = member(o, "code");
    size_t unit = r->places[f].unit - 1;
    struct unit *u = &r->units[unit];

    printf("%-4s %-34s %s%s%s\n", r->hands->name(r->hands, f), u->barcode,
           verdict, code[0] ? " " : "", code);
    fflush(stdout);
    r->places[f].unit = 0;
    r->heard_ms = clock_monotonic_ms();
    if (r->hands->take(r->hands, f, e) != 0)
        return -1;
    if (!is_good(verdict) && u->again > 0) {
        u->again--;
        enqueue(r, unit);
        return 0;
    }
    r->done++;
    return tally(r, verdict, e);
}

/* What is no event of a fixture of ours is not for us. */
static int read_event(struct rig *r, json_t *o, struct err *e)
{
    const char *event = member(o, "event");
    bool of_fixture = strcmp(event, "fixture") == 0;
    size_t f;

    if (of_fixture && r->hands->called)
        r->hands->called(r->hands, member(o, "place"), member(o, "fixture"));
    struct place *p = find_place(r, member(o, "fixture"), &f);

    if (!p || !p->unit)
        return 0;
    if (strcmp(event, "verdict") == 0 && p->scanned && *member(o, "verdict"))
        return read_verdict(r, f, o, e);
    if (of_fixture)
        p->seen = strcmp(member(o, "state"), "card") == 0;
    return 0;
}

static int read_lines(struct rig *r, struct err *e)
{
    uint8_t *nl;

    while (r->line.n > 0 && (nl = memchr(r->line.p, '\n', r->line.n))) {
        size_t n = (size_t)(nl - r->line.p);
        json_t *o = json_loadb((const char *)r->line.p, n, 0, NULL);
        int rc = o ? read_event(r, o, e) : 0;
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
        if (fill_free(r, e) != 0 || scan_due(r, e) != 0 ||
            listen_once(r, e) < 0)
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
static bool station_gone(void *ctx)
{
    const struct rig *r = ctx;
    struct pollfd p = { .fd = r->verdicts, .events = POLLIN };

    return poll(&p, 1, 0) > 0 && p.revents & POLLHUP && !(p.revents & POLLIN);
}

static int make_hands(struct rig *r, struct err *e)
{
    const struct args *a = r->a;

    return a->usb ? rig_usb_new(a->usb, a->scanners, a->fixtures, &r->hands, e)
                  : rig_bench_new(a->bench, a->cards, a->scan, a->fixtures,
                                  &r->hands, e);
}

static int start(struct rig *r, struct err *e)
{
    int64_t timeout_ms = (int64_t)r->a->timeout_s * 1000;

    if (read_units(r, e) != 0)
        return -1;
    r->places = calloc(r->a->fixtures, sizeof *r->places);
    r->queue = calloc(r->count + 1, sizeof *r->queue);
    r->tally = json_object();
    if (!r->places || !r->queue || !r->tally)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < r->count; i++)
        enqueue(r, i);
    if (make_hands(r, e) != 0)
        return -1;
    /* Without O_NONBLOCK this would wait for a writer, who may wait for us. */
    r->verdicts = open(r->a->verdicts, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (r->verdicts < 0)
        return err_errno(e, "cannot open %s", r->a->verdicts);
    return r->hands->wait(r->hands, station_gone, r, timeout_ms, e);
}

static void rig_clear(struct rig *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->units[i].barcode);
        free(r->units[i].eid);
    }
    free(r->units);
    free(r->queue);
    free(r->places);
    if (r->hands)
        r->hands->free(r->hands);
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
    bool bench = a->bench && a->cards && a->scan;

    if (!a->units || !a->verdicts || (!a->usb && !bench))
        return err_set(e, ERR_USAGE, "--units, --verdicts, and either --usb or "
                                     "all of --bench, --cards, --scan are "
                                     "needed");
    if (a->usb && (a->bench || a->scan))
        return err_set(e, ERR_USAGE, "either --usb or --bench and --scan");
    if (a->again > AGAIN_MAX)
        return err_set(e, ERR_USAGE, "--again: at most %d", AGAIN_MAX);
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
    struct rig r = { .a = &a, .verdicts = -1 };

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
    "rig", "[WORLD] --bench DIR --scan FIFO|--usb SOCKET --units FILE "
           "--verdicts FIFO",
    "Play the operators of a line: insert, scan, wait for the verdict.", opts,
    run,
};
