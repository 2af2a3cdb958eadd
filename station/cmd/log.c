#include "station/cmd/cmd.h"

#include "station/base/when.h"
#include "station/cmd/event_out.h"
#include "station/cmd/json_line.h"
#include "station/show/event.h"
#include "station/show/log.h"

#include <getopt.h>
#include <stdio.h>

#define LOG_LIMIT 50

enum { OPT_LIMIT = 256, OPT_KIND, OPT_ACTOR, OPT_FIXTURE, OPT_SERIAL,
       OPT_SINCE, OPT_UNTIL, OPT_BEFORE, OPT_ALL };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct show_log *o = ctx;
    uint64_t v;

    switch (val) {
    case OPT_LIMIT:
        if (cmd_number(arg, 0, 1000000, &v, e) != 0)
            return -1;
        o->f.limit = (unsigned)v;
        return 0;
    case OPT_BEFORE:
        return cmd_number(arg, 0, INT64_MAX, &o->f.before, e);
    case OPT_KIND:
        o->f.kind = arg;
        return 0;
    case OPT_ACTOR:
        o->f.actor = arg;
        return 0;
    case OPT_FIXTURE:
        o->f.fixture = arg;
        return 0;
    case OPT_SERIAL:
        o->f.serial = arg;
        return 0;
    case OPT_SINCE:
        o->has_since = true;
        return when_parse(arg, &o->since, e);
    case OPT_UNTIL:
        o->has_until = true;
        return when_parse(arg, &o->until, e);
    default:
        o->f.limit = 0;
        return 0;
    }
}

static int on_event(void *ctx, uint64_t n, struct span der,
                    const uint8_t hash[EVENT_HASH], struct err *e)
{
    const struct cmd_common *c = ctx;
    struct event ev;

    (void)n;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    if (c->json)
        json_line(show_event(&ev, hash));
    else
        event_print(&ev);
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "limit", required_argument, NULL, OPT_LIMIT },
        { "kind", required_argument, NULL, OPT_KIND },
        { "actor", required_argument, NULL, OPT_ACTOR },
        { "fixture", required_argument, NULL, OPT_FIXTURE },
        { "serial", required_argument, NULL, OPT_SERIAL },
        { "since", required_argument, NULL, OPT_SINCE },
        { "until", required_argument, NULL, OPT_UNTIL },
        { "before", required_argument, NULL, OPT_BEFORE },
        { "all", no_argument, NULL, OPT_ALL },
        { 0 },
    };
    struct show_log o = { .f.limit = LOG_LIMIT };
    uint64_t looked_to;
    struct cmd_common c;
    struct err e = ERR_INIT;
    AUTO(db_close_p) struct db *db = NULL;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected");
    if (db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
        show_log_times(db, &o, &e) != 0 ||
        query_log(db, &o.f, on_event, &c, &looked_to, &e) != 0)
        return cmd_fail(self, &e);
    if (looked_to)
        fprintf(stderr, "lineside log: looked back to event %llu; further back: "
                "--before %llu, or --all\n", (unsigned long long)looked_to,
                (unsigned long long)looked_to);
    return 0;
}

const struct command cmd_log = {
    "log",
    "[--limit N | --all] [--kind KIND] [--actor NAME]\n"
    "       [--fixture NAME] [--serial SERIAL] [--since TIME] [--until TIME]\n"
    "       [--before N]",
    "the ledger's events, newest last",
    "  --limit N         the newest N (default 50); --all: every one\n"
    "  --kind KIND       of this kind only\n"
    "  --actor NAME      by this person, or \"line\", \"station\"\n"
    "  --fixture NAME    at this fixture\n"
    "  --serial SERIAL   about this unit; its whole life: lineside unit SERIAL\n"
    "  --since TIME      at this time or later: 2026-11-28T06:00, in UTC\n"
    "  --until TIME      before this time\n"
    "  --before N        older than event N\n"
    "With --limit at most 32768 events are looked at; it says where it stopped.\n",
    run
};
