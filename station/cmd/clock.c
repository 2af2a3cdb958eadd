/* lineside clock: what time the ledger goes by, and a line engineer's word
 * for the machine's clock (binding, clause 5). */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"

#include "station/acts/clock.h"
#include "station/base/clock.h"
#include "station/cmd/json_line.h"
#include "station/show/clock.h"

#include <getopt.h>
#include <stdio.h>

struct opts {
    bool confirm;
    const char *as; /* NULL: no badge was given */
};
enum { OPT_CONFIRM = 256, OPT_AS };

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    (void)e;
    if (val == OPT_CONFIRM)
        o->confirm = true;
    else
        o->as = arg;
    return 0;
}

static void print_text(const struct ledger_clock *k, int64_t machine,
                       bool confirmed_now)
{
    char is[24], floor[24], now[24];

    printf("this machine's clock  %s\nthe ledger has seen   %s\ntime for "
           "checks       %s\n", clock_text(machine, is),
           clock_text(k->floor, floor), clock_text(k->now, now));
    if (confirmed_now)
        printf("The machine's clock is confirmed.\n");
    else if (k->confirmed)
        printf("The machine's clock is believed.\n");
    else if (machine < k->floor)
        printf("The machine's clock is not believed: it is behind the ledger. "
               "Set it, then look again.\n");
    else
        printf("The machine's clock is not believed: nothing was recorded for "
               "over 30 days.\nNext: compare it with a clock you trust, set it "
               "if it is wrong, then run\n`lineside clock --confirm`\n");
}

static int look(struct db *db, const struct opts *o, struct ledger_clock *k,
                bool *confirmed_now, struct err *e)
{
    struct badges b = { o->as, NULL };
    const struct who w = cmd_who(&b);

    return o->confirm ? act_clock_confirm(db, &w, k, confirmed_now, e)
                      : ledger_clock(db, k, e);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "confirm", no_argument, NULL, OPT_CONFIRM },
        { "as", required_argument, NULL, OPT_AS },
        { 0 },
    };
    struct cmd_common c;
    struct ledger_clock k;
    struct err e = ERR_INIT;
    AUTO(db_close_p) struct db *db = NULL;
    struct opts o = { false, NULL };
    bool confirmed_now = false;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc)
        return cmd_usage(self, "no operands are expected");
    if (db_open(c.data_dir, o.confirm ? DB_WRITE : DB_READ, NULL, &db, &e) != 0 ||
        look(db, &o, &k, &confirmed_now, &e) != 0)
        return cmd_fail(self, &e);
    if (c.json)
        json_line(show_clock(&k, clock_system(), confirmed_now));
    else
        print_text(&k, clock_system(), confirmed_now);
    return 0;
}

const struct command cmd_clock = {
    "clock", "[--confirm [--as BADGE]]",
    "the time the ledger goes by; confirm the machine's clock",
    "  --confirm    a line engineer says that this machine's clock is right; "
    "this is\n               logged\n"
    CMD_AS_HELP,
    run
};
