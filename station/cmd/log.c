#include "station/cmd/cmd.h"

#include "station/cmd/event_out.h"
#include "storage/queries.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define LOG_LIMIT 50

enum { OPT_LIMIT = 256, OPT_KIND, OPT_BEFORE, OPT_ALL };

struct opts {
    unsigned limit;
    uint64_t before;
    const char *kind;
};

static int number(const char *arg, unsigned long long max, uint64_t *out,
                  struct err *e)
{
    char *end;
    unsigned long long v = strtoull(arg, &end, 10);

    if (*arg < '0' || *arg > '9' || *end || v > max)
        return err_set(e, ERR_USAGE, "'%s' is not a number up to %llu", arg,
                       max);
    *out = v;
    return 0;
}

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;
    uint64_t v;

    switch (val) {
    case OPT_LIMIT:
        if (number(arg, 1000000, &v, e) != 0)
            return -1;
        o->limit = (unsigned)v;
        return 0;
    case OPT_BEFORE:
        return number(arg, INT64_MAX, &o->before, e);
    case OPT_KIND:
        o->kind = arg;
        return 0;
    default:
        o->limit = 0;
        return 0;
    }
}

static void print_json(const struct event *ev, const uint8_t *hash)
{
    json_t *j = event_json(ev, hash);

    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(j);
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
        print_json(&ev, hash);
    else
        event_print(&ev);
    return 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "limit", required_argument, NULL, OPT_LIMIT },
        { "kind", required_argument, NULL, OPT_KIND },
        { "before", required_argument, NULL, OPT_BEFORE },
        { "all", no_argument, NULL, OPT_ALL },
        { 0 },
    };
    struct opts o = { .limit = LOG_LIMIT };
    struct cmd_common c;
    struct err e = ERR_INIT;
    AUTO(db_close_p) struct db *db = NULL;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected");
    if (db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0 ||
        query_log(db, o.kind, o.before, o.limit, on_event, &c, &e) != 0)
        return cmd_fail(self, &e);
    return 0;
}

const struct command cmd_log = {
    "log", "[--limit N | --all] [--kind KIND] [--before N]",
    "the ledger's events, newest last",
    "  --limit N    the newest N (default 50); --all: every one\n"
    "  --kind KIND  of this kind only\n"
    "  --before N   older than event N\n",
    run
};
