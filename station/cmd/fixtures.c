/* lineside fixtures: what is plugged in where, what the station makes of it,
 * and the line engineer's words for places. Looking opens no device, so that
 * it may be done while the line runs. */
#include "station/acts/fixtures.h"
#include "station/cmd/actor.h"
#include "station/cmd/bus_list.h"
#include "station/cmd/cmd.h"
#include "station/cmd/health_list.h"
#include "station/cmd/json_line.h"
#include "station/show/stands.h"
#include "station/show/trends.h"

#include "station/control/client.h"
#include "storage/places.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options {
    struct scanner_setting scanner; /* place filled by the act */
    const char *fixture;            /* NULL: the station's */
    const char *as;                 /* NULL: no badge was given */
    bool remove, done;
    long cycles;                    /* of --limit; -1: not said, as below */
    long failures, yield, units, golden_hours;
};

/* --- acts --------------------------------------------------------------------------- */

struct call {
    struct db *db;
    struct who who;
    const char *place, *word;
    char *const *words; /* all after the name of what is done */
    struct options *o;
};

static int do_label(const struct call *c, struct err *e)
{
    return act_fixture_label(c->db, &c->who, c->place, c->word, e);
}

static int do_unlabel(const struct call *c, struct err *e)
{
    return act_fixture_label(c->db, &c->who, c->place, "", e);
}

static int do_allow(const struct call *c, struct err *e)
{
    return act_fixture_allow(c->db, &c->who, c->place, true, e);
}

static int do_disallow(const struct call *c, struct err *e)
{
    return act_fixture_allow(c->db, &c->who, c->place, false, e);
}

static int number(const char *what, const char *arg, long most, long *out,
                  struct err *e)
{
    char *end;

    errno = 0;
    *out = strtol(arg, &end, 10);
    if (errno == 0 && end != arg && *end == '\0' && *out >= 0 && *out <= most)
        return 0;
    return err_set(e, ERR_USAGE, "%s takes a number from 0 to %ld, not '%.80s'",
                   what, most, arg);
}

static int place_number(const char *what, const char *word, unsigned *out, struct err *e)
{
    long n;

    if (number(what, word, STAND_MAX, &n, e) != 0)
        return -1;
    *out = (unsigned)n;
    return n > 0 ? 0 : err_set(e, ERR_USAGE, "a %s is counted from 1 to %d", what, STAND_MAX);
}

static int do_position(const struct call *c, struct err *e)
{
    unsigned row, column;

    return place_number("row", c->words[1], &row, e) != 0 ||
           place_number("column", c->words[2], &column, e) != 0
               ? -1 : act_fixture_position(c->db, &c->who, c->words[0], NULL, row, column, e);
}

static int do_no_position(const struct call *c, struct err *e)
{
    return act_fixture_position(c->db, &c->who, c->place, NULL, 0, 0, e);
}

static int do_scanner(const struct call *c, struct err *e)
{
    return act_scanner(c->db, &c->who, c->place, c->o->fixture, &c->o->scanner, e);
}

static int do_no_scanner(const struct call *c, struct err *e)
{
    return act_no_scanner(c->db, &c->who, c->place, e);
}

static int do_release(const struct call *c, struct err *e)
{
    return act_fixture_release(c->db, &c->who, c->place, e);
}

static int do_golden(const struct call *c, struct err *e)
{
    return act_golden(c->db, &c->who, c->place, !c->o->remove, e);
}

static int do_maintenance(const struct call *c, struct err *e)
{
    return act_fixture_maintenance(c->db, &c->who, c->place, c->o->done, c->o->cycles,
                                   e);
}

static int do_limits(const struct call *c, struct err *e)
{
    const struct act_limits l = { c->o->failures, c->o->yield, c->o->units,
                                  c->o->golden_hours };

    return act_fixture_limits(c->db, &c->who, &l, e);
}

/* A running line has read its places when it started... */
static void say_when(const char *data_dir)
{
    AUTO(lock_release_p) struct lock *lock = NULL;
    struct err e = ERR_INIT;

    if (lock_take(data_dir, LOCK_RUN, &lock, &e) != 0 && e.code == ERR_BUSY)
        fprintf(stderr, "lineside fixtures: the line is running; this holds from "
                        "its next start\n");
}

static void ignore(void *ctx, const json_t *event)
{
    (void)ctx;
    (void)event;
}

/* ... but asks for their health before each unit; those who watch it hear of it
 * now. A line that cannot be asked finds it by itself. */
static void have_looked(const char *data_dir)
{
    AUTO(client_close_p) struct client *c = NULL;
    AUTO(json_decrefp) json_t *reply = NULL;
    struct err e = ERR_INIT;

    if (client_open(data_dir, ignore, NULL, &c, &e) == 0)
        client_ask(c, CONTROL_LOOK, NULL, &reply, &e);
}

static const struct {
    const char *name;
    int words; /* after the name */
    int (*act)(const struct call *c, struct err *e);
    void (*then)(const char *data_dir);
    const char *takes;
} acts[] = {
    { "label", 2, do_label, say_when, "a place and a name" },
    { "unlabel", 1, do_unlabel, say_when, "one place" },
    { "allow", 1, do_allow, say_when, "one place" },
    { "disallow", 1, do_disallow, say_when, "one place" },
    { "position", 3, do_position, have_looked, "a fixture, a row and a column" },
    { "no-position", 1, do_no_position, have_looked, "one fixture" },
    { "scanner", 1, do_scanner, say_when, "one place" },
    { "no-scanner", 1, do_no_scanner, say_when, "one place" },
    { "release", 1, do_release, have_looked, "one fixture" },
    { "golden", 1, do_golden, have_looked, "one EID" },
    { "maintenance", 1, do_maintenance, have_looked, "one fixture" },
    { "limits", 0, do_limits, have_looked, "no operand" },
};
#define ACTS (sizeof acts / sizeof *acts)

/* --- options ---------------------------------------------------------------------- */

enum { OPT_FIXTURE = 256, OPT_STATION, OPT_LAYOUT, OPT_SUFFIX, OPT_PREFIX, OPT_AS,
       OPT_REMOVE, OPT_DONE, OPT_LIMIT, OPT_FAILURES, OPT_YIELD, OPT_UNITS,
       OPT_GOLDEN_HOURS };

static const struct option options[] = {
    { "fixture", required_argument, NULL, OPT_FIXTURE },
    { "station", no_argument, NULL, OPT_STATION },
    { "layout", required_argument, NULL, OPT_LAYOUT },
    { "suffix", required_argument, NULL, OPT_SUFFIX },
    { "prefix", required_argument, NULL, OPT_PREFIX },
    { "as", required_argument, NULL, OPT_AS },
    { "remove", no_argument, NULL, OPT_REMOVE },
    { "done", no_argument, NULL, OPT_DONE },
    { "limit", required_argument, NULL, OPT_LIMIT },
    { "failures", required_argument, NULL, OPT_FAILURES },
    { "yield", required_argument, NULL, OPT_YIELD },
    { "units", required_argument, NULL, OPT_UNITS },
    { "golden-hours", required_argument, NULL, OPT_GOLDEN_HOURS },
    { NULL, 0, NULL, 0 },
};

static int keep(char *out, size_t cap, const char *what, const char *arg,
                struct err *e)
{
    size_t n = strlen(arg);

    if (n >= cap)
        return err_set(e, ERR_USAGE, "--%s takes at most %zu characters, not "
                       "'%.80s'", what, cap - 1, arg);
    memcpy(out, arg, n + 1);
    return 0;
}

#define CYCLES_MAX 1000000000L

static int own_option(void *ctx, int val, const char *arg, struct err *e)
{
    struct options *o = ctx;

    switch (val) {
    case OPT_FIXTURE:
        o->fixture = arg;
        return 0;
    case OPT_AS:
        o->as = arg;
        return 0;
    case OPT_STATION:
        o->fixture = NULL;
        return 0;
    case OPT_LAYOUT:
        return keep(o->scanner.layout, sizeof o->scanner.layout, "layout", arg, e);
    case OPT_REMOVE:
        o->remove = true;
        return 0;
    case OPT_DONE:
        o->done = true;
        return 0;
    case OPT_LIMIT:
        return number("--limit", arg, CYCLES_MAX, &o->cycles, e);
    case OPT_FAILURES:
        return number("--failures", arg, HEALTH_FAILURES_MAX, &o->failures, e);
    case OPT_YIELD:
        return number("--yield", arg, 100, &o->yield, e);
    case OPT_UNITS:
        return number("--units", arg, HEALTH_UNITS_MAX, &o->units, e);
    case OPT_GOLDEN_HOURS:
        return number("--golden-hours", arg, HEALTH_HOURS_MAX, &o->golden_hours, e);
    case OPT_SUFFIX:
        return keep(o->scanner.suffix, sizeof o->scanner.suffix, "suffix", arg, e);
    default:
        return keep(o->scanner.prefix, sizeof o->scanner.prefix, "prefix", arg, e);
    }
}

/* --- looking ------------------------------------------------------------------------- */

static void print_json(const struct places *said, const struct bus_rows *r,
                       const struct stands *stands, const struct show_health *facts)
{
    json_t *j = r ? bus_json(said, r) : json_object();

    json_object_set_new(j, "positions", show_stands(said, stands));
    json_object_set_new(j, "health", show_health(said, facts));
    json_line(j);
}

/* --- the command -------------------------------------------------------------------- */

static int list(const struct command *self, const struct cmd_common *c,
                struct db *db, const struct places *said, bool bus)
{
    AUTO(show_health_clear) struct show_health facts = { .golden = { NULL, 0 } };
    AUTO(stands_clear) struct stands stands = { NULL, 0 };
    struct bus_rows r = { .v = NULL };
    struct err e = ERR_INIT;

    int bad = show_health_read(db, &facts, &e) != 0 || stands_get(db, &stands, &e) != 0 ||
              (bus && bus_look(said, &r, &e) != 0);
    if (!bad && c->json)
        print_json(said, bus ? &r : NULL, &stands, &facts);
    else if (!bad) {
        if (bus)
            bus_print(said, &r);
        if (bus)
            stands_print(said, &stands);
        health_print(said, &facts, bus);
    }
    free(r.v);
    return bad ? cmd_fail(self, &e) : 0;
}

static int list_trends(const struct command *self, const struct cmd_common *c,
                       struct db *db, const struct places *said, const char *fixture)
{
    AUTO(show_trends_clear) struct show_trends all = { .stands = { NULL, 0 } };
    struct err e = ERR_INIT;

    if (show_trends_read(db, fixture, NULL, &all, &e) != 0)
        return cmd_fail(self, &e);
    if (c->json)
        json_line(show_trends_json(said, &all));
    else
        trends_print(said, &all.health.fixtures);
    return 0;
}

static int act(const struct command *self, const struct cmd_common *c,
               struct call *a, int argc, char **argv)
{
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ACTS; i++)
        if (strcmp(argv[0], acts[i].name) == 0) {
            if (argc - 1 != acts[i].words) {
                err_set(&e, ERR_USAGE, "%s takes %s", argv[0], acts[i].takes);
                return cmd_usage(self, e.msg);
            }
            a->place = argv[acts[i].words > 0];
            a->word = argv[argc - 1];
            a->words = argv + 1;
            if (acts[i].act(a, &e) != 0)
                return cmd_fail(self, &e);
            acts[i].then(c->data_dir);
            return 0;
        }
    err_set(&e, ERR_USAGE, "'%.80s' is nothing that can be done with fixtures", argv[0]);
    return cmd_usage(self, e.msg);
}

static int run(const struct command *self, int argc, char **argv)
{
    AUTO(places_clear) struct places said = { NULL, 0, NULL, 0 };
    AUTO(db_close_p) struct db *db = NULL;
    struct options o = { .scanner = { .layout = "us", .suffix = "cr" },
                         .cycles = -1, .failures = -1, .yield = -1, .units = -1,
                         .golden_hours = -1 };
    struct badges badges;
    struct call a = { .o = &o };
    struct cmd_common c;
    struct err e = ERR_INIT;

    int stop = cmd_options(self, argc, argv, options, own_option, &o, &c);
    if (stop)
        return stop - 1;
    bool health = optind + 1 == argc && strcmp(argv[optind], "health") == 0;
    bool trends = optind < argc && optind + 3 > argc && strcmp(argv[optind], "trends") == 0;
    bool looking = optind == argc || health || trends;
    if (db_open(c.data_dir, looking ? DB_READ : DB_WRITE, NULL, &db, &e) != 0 ||
        places_get(db, &said, &e) != 0)
        return cmd_fail(self, &e);
    if (trends)
        return list_trends(self, &c, db, &said, optind + 1 < argc ? argv[optind + 1] : NULL);
    if (looking)
        return list(self, &c, db, &said, !health);
    badges = (struct badges){ .as = o.as };
    a.db = db;
    a.who = cmd_who(&badges);
    return act(self, &c, &a, argc - optind, argv + optind);
}

const struct command cmd_fixtures = {
    "fixtures",
    "[label PLACE NAME | unlabel PLACE | allow PLACE | disallow PLACE |\n"
    "       scanner PLACE [--fixture NAME | --station] [--layout us|de|fr]\n"
    "       [--suffix cr|lf|crlf|tab] [--prefix TEXT] | no-scanner PLACE |\n"
    "       position NAME ROW COLUMN | no-position NAME | trends [NAME] |\n"
    "       health | release NAME | golden EID [--remove] |\n"
    "       maintenance NAME [--limit N] [--done] | limits [--failures N]\n"
    "       [--yield N] [--units N] [--golden-hours N]] [--as BADGE]",
    "What is plugged in where, how it does, and the names of places",
    "Without words it lists the bus; no device is opened. A PLACE is a bus and its\n"
    "ports, like 1-2.4; the second slot of a reader there is 1-2.4:1.\n"
    "  label PLACE NAME    the fixture at PLACE is called NAME in scans and\n"
    "                      reports; unlabel PLACE takes the name away\n"
    "  allow PLACE         only places that are allowed, and those behind them,\n"
    "                      are fixtures; while none is, all are. disallow PLACE\n"
    "                      takes it off the list\n"
    "  scanner PLACE       a barcode scanner of ours is there; no-scanner PLACE\n"
    "                      takes that back\n"
    "  --fixture NAME      its scans start this fixture\n"
    "  --station           fixture label and unit label are scanned in turn (the\n"
    "                      default)\n"
    "  --layout us|de|fr   the keyboard that it plays (default us)\n"
    "  --suffix cr|lf|crlf|tab  what it sends after each scan (default cr)\n"
    "  --prefix TEXT       what it sends before each scan\n"
    "  position NAME ROW COLUMN  the fixture stands there on the bench, rows counted\n"
    "                      from the far side, columns from the left: so a screen\n"
    "                      shows it; no-position NAME takes that back\n"
    "  trends              how they did over their last 200 units, and how long\n"
    "                      those took\n"
    "  health              how the fixtures do, and nothing of the bus\n"
    "  release NAME        a stopped fixture takes units again\n"
    "  golden EID          that eUICC is a golden unit: no product, it proves\n"
    "                      fixtures\n"
    "  --remove            it is none any more\n"
    "  maintenance NAME    of its contacts:\n"
    "  --limit N           is due after N cycles (insertions); 0: never\n"
    "  --done              was done: its cycles are counted anew\n"
    "  limits              what stops a fixture:\n"
    "  --failures N        N failures in a row (default 3); 0: no number does\n"
    "  --yield N           fewer than N % good units (default 70); 0: never\n"
    "  --units N           ... of the last N (default 20)\n"
    "  --golden-hours N    and keeps units out of one where no golden unit has\n"
    "                      passed within N hours; 0: none needs to (default)\n"
    "  --as BADGE          who does it, once this station knows people; the PIN is\n"
    "                      asked for, or is a line of standard input\n",
    run
};
