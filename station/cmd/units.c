/* lineside units: how many units are what, and which. */
#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/base/when.h"
#include "station/cmd/json_line.h"
#include "station/show/units.h"

#include <getopt.h>
#include <stdio.h>

#define UNITS_LIMIT 50

enum { OPT_STATE = 256, OPT_FIXTURE, OPT_SINCE, OPT_BEFORE, OPT_LIMIT };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct show_units_page *o = ctx;
    uint64_t v;

    switch (val) {
    case OPT_STATE:
        return show_units_state(arg, &o->f.state, e);
    case OPT_FIXTURE:
        o->f.fixture = arg;
        return 0;
    case OPT_SINCE:
        o->has_since = true;
        return when_parse(arg, &o->since, e);
    case OPT_BEFORE:
        return cmd_number(arg, 1, INT64_MAX, &o->f.before, e);
    default:
        if (cmd_number(arg, 1, UNIT_PAGE_MAX, &v, e) != 0)
            return -1;
        o->f.limit = (unsigned)v;
        return 0;
    }
}

static void print_counts(const struct show_units_page *a)
{
    const char *fixture = a->f.fixture;

    printf("%llu serials are known. %llu positions%s%s =",
           (unsigned long long)a->serials, (unsigned long long)show_units_sum(a),
           fixture ? " last seen in fixture " : "", fixture ? fixture : "");
    for (int s = 0; s < POSITION_STATES; s++)
        printf("%s %llu %s", s ? " +" : "", (unsigned long long)a->by_state[s],
               position_state_name((enum position_state)s));
    printf("\n");
}

static void print_text(const struct show_units_page *a)
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
    struct show_units_page a = { .f = { .state = -1, .limit = UNITS_LIMIT } };
    AUTO(db_close_p) struct db *db = NULL;
    struct cmd_common c;
    struct err e = ERR_INIT;

    int end = cmd_options(self, argc, argv, options, own, &a, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected; for one unit: "
                               "lineside unit SERIAL");
    if (db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
        show_units_read(db, &a, &e) != 0)
        return cmd_fail(self, &e);
    if (c.json)
        json_line(show_units(&a));
    else
        print_text(&a);
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
