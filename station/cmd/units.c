/* lineside units: how many units are what, and which. */
#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/cmd/when.h"
#include "storage/events.h"
#include "storage/unit_list.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNITS_LIMIT 50

enum { OPT_STATE = 256, OPT_FIXTURE, OPT_SINCE, OPT_BEFORE, OPT_LIMIT };

struct opts {
    struct unit_filter f;
    bool has_since;
    int64_t since;
};

static int state_parse(const char *word, int *out, struct err *e)
{
    char all[256] = "";
    size_t n = 0;

    for (int s = 0; s < POSITION_STATES; s++) {
        const char *name = position_state_name((enum position_state)s);
        if (strcmp(name, word) == 0) {
            *out = s;
            return 0;
        }
        if (n < sizeof all)
            n += (size_t)snprintf(all + n, sizeof all - n, "%s%s",
                                  s ? ", " : "", name);
    }
    return err_set(e, ERR_USAGE, "'%.40s' is no state; it is one of %s", word,
                   all);
}

static int number(const char *arg, unsigned long long max, uint64_t *out,
                  struct err *e)
{
    char *end;
    unsigned long long v = strtoull(arg, &end, 10);

    if (*arg < '0' || *arg > '9' || *end || v == 0 || v > max)
        return err_set(e, ERR_USAGE, "'%.40s' is not a number from 1 to %llu",
                       arg, max);
    *out = v;
    return 0;
}

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;
    uint64_t v;

    switch (val) {
    case OPT_STATE:
        return state_parse(arg, &o->f.state, e);
    case OPT_FIXTURE:
        o->f.fixture = arg;
        return 0;
    case OPT_SINCE:
        o->has_since = true;
        return when_parse(arg, &o->since, e);
    case OPT_BEFORE:
        return number(arg, INT64_MAX, &o->f.before, e);
    default:
        if (number(arg, UNIT_PAGE_MAX, &v, e) != 0)
            return -1;
        o->f.limit = (unsigned)v;
        return 0;
    }
}

/* --- all of one moment ---------------------------------------------------------- */

struct answer {
    struct opts *o;
    uint64_t serials, by_state[POSITION_STATES];
    struct unit_rows rows;
};

static int ask(struct db *db, void *ctx, struct err *e)
{
    struct answer *a = ctx;
    struct opts *o = a->o;

    if (o->has_since && event_since(db, o->since, &o->f.since, e) != 0)
        return -1;
    return units_registered(db, &a->serials, e) != 0 ||
           units_count(db, o->f.fixture, a->by_state, e) != 0 ||
           units_list(db, &o->f, &a->rows, e) != 0 ? -1 : 0;
}

static uint64_t sum(const struct answer *a)
{
    uint64_t n = 0;

    for (int s = 0; s < POSITION_STATES; s++)
        n += a->by_state[s];
    return n;
}

static json_t *row_json(const struct unit_row *r)
{
    char eid[EID_DIGITS + 1], at[GTIME_LEN + 1];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "serial",
                     r->p.serial, "position", r->p.name, "eid",
                     eid_format(&r->p.eid, eid), "state",
                     position_state_name(r->p.state), "code", r->p.last_code,
                     "fixture", r->fixture, "at", gtime_format(r->moved_at, at),
                     "event", (json_int_t)r->moved);
}

static void print_json(const struct answer *a)
{
    json_t *states = json_object(), *rows = json_array();

    for (int s = 0; s < POSITION_STATES; s++)
        json_object_set_new(states, position_state_name((enum position_state)s),
                            json_integer((json_int_t)a->by_state[s]));
    for (size_t i = 0; i < a->rows.n; i++)
        json_array_append_new(rows, row_json(&a->rows.v[i]));
    json_t *j = json_pack("{s:I, s:I, s:o, s:o, s:b}", "serials",
                          (json_int_t)a->serials, "positions",
                          (json_int_t)sum(a), "states", states, "units", rows,
                          "more", a->rows.more);
    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(j);
}

static void print_counts(const struct answer *a)
{
    const char *fixture = a->o->f.fixture;

    printf("%llu serials are known. %llu positions%s%s =",
           (unsigned long long)a->serials, (unsigned long long)sum(a),
           fixture ? " last seen in fixture " : "", fixture ? fixture : "");
    for (int s = 0; s < POSITION_STATES; s++)
        printf("%s %llu %s", s ? " +" : "", (unsigned long long)a->by_state[s],
               position_state_name((enum position_state)s));
    printf("\n");
}

static void print_text(const struct answer *a)
{
    char eid[EID_DIGITS + 1], at[24];

    print_counts(a);
    for (size_t i = 0; i < a->rows.n; i++) {
        const struct unit_row *r = &a->rows.v[i];
        printf("%8llu  %s  %-10s %-16s  %s  %s %s%s%s\n",
               (unsigned long long)r->moved, clock_text(r->moved_at, at),
               position_state_name(r->p.state),
               r->fixture[0] ? r->fixture : "-", eid_format(&r->p.eid, eid),
               r->p.serial, r->p.name, r->p.last_code[0] ? "  " : "",
               r->p.last_code);
    }
    if (a->rows.more)
        printf("There are earlier ones: --before %llu\n",
               (unsigned long long)a->rows.v[0].moved);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "state", required_argument, NULL, OPT_STATE },
        { "fixture", required_argument, NULL, OPT_FIXTURE },
        { "since", required_argument, NULL, OPT_SINCE },
        { "before", required_argument, NULL, OPT_BEFORE },
        { "limit", required_argument, NULL, OPT_LIMIT },
        { NULL, 0, NULL, 0 },
    };
    struct opts o = { .f = { .state = -1, .limit = UNITS_LIMIT } };
    struct answer a = { .o = &o };
    AUTO(db_close_p) struct db *db = NULL;
    struct cmd_common c;
    struct err e = ERR_INIT;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected; for one unit: "
                               "lineside unit SERIAL");
    if (db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
        db_snapshot(db, ask, &a, &e) != 0)
        return cmd_fail(self, &e);
    (c.json ? print_json : print_text)(&a);
    unit_rows_clear(&a.rows);
    return 0;
}

const struct command cmd_units = {
    "units",
    "[--state STATE] [--fixture NAME] [--since TIME]\n"
    "       [--limit N] [--before N]",
    "how many units are in which state, and the latest changes",
    "  --state STATE   those in this state: open, passed, failed ...\n"
    "  --fixture NAME  those last seen in this fixture\n"
    "  --since TIME    changed at this time or later: 2026-11-28T06:00, in UTC\n"
    "  --limit N       the newest N (default 50, at most 1000)\n"
    "  --before N      changed by an event before number N: the page before\n",
    run
};
