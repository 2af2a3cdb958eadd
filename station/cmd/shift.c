/* lineside shift: open, close and look at shifts; the day book. */
#include "station/cmd/shift_out.h"

#include "station/acts/shifts.h"
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"
#include "station/cmd/json_line.h"
#include "station/cmd/made_out.h"
#include "station/base/when.h"
#include "storage/events.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define LIST_LIMIT 30

enum { OPT_AS = 256, OPT_TO, OPT_DAY, OPT_LIMIT, OPT_BEFORE };

struct opts {
    const char *as, *to, *day;
    uint64_t limit, before;
};

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    switch (val) {
    case OPT_AS:
        o->as = arg;
        return 0;
    case OPT_TO:
        o->to = arg;
        return 0;
    case OPT_DAY:
        o->day = arg;
        return 0;
    case OPT_LIMIT:
        return cmd_number(arg, 1, INT32_MAX, &o->limit, e);
    default:
        return cmd_number(arg, 1, INT32_MAX, &o->before, e);
    }
}

/* --- looking ------------------------------------------------------------------------ */

static int show(const struct command *self, const struct cmd_common *c,
                uint64_t n)
{
    AUTO(db_close_p) struct db *db = NULL;
    AUTO(show_shift_clear) struct show_shift l = { .records = BUF_INIT };
    struct err e = ERR_INIT;

    return db_open(c->data_dir, DB_READ, NULL, &db, &e) != 0 ||
                   show_shift_read(db, n, &l, &e) != 0 ||
                   shift_out(&l, c->json, &e) != 0
               ? cmd_fail(self, &e) : 0;
}

static int list(const struct command *self, const struct cmd_common *c,
                const struct opts *o)
{
    AUTO(db_close_p) struct db *db = NULL;
    AUTO(shifts_clear) struct shifts l = { NULL, 0 };
    struct err e = ERR_INIT;

    if (db_open(c->data_dir, DB_READ, NULL, &db, &e) != 0 ||
        shifts_list(db, o->before, (unsigned)(o->limit ? o->limit : LIST_LIMIT),
                    &l, &e) != 0)
        return cmd_fail(self, &e);
    shift_list_out(&l, c->json);
    return 0;
}

static int day_parse(const char *s, int64_t *day, struct err *e)
{
    int64_t at;

    if (strlen(s) != 10 || when_parse(s, &at, e) != 0 || at < 0)
        return err_set(e, ERR_USAGE, "'%.40s' is no day; write it as "
                       "2026-11-28", s);
    *day = at / TALLY_DAY_S;
    return 0;
}

static int today(struct db *db, int64_t *day, struct err *e)
{
    struct ledger_clock k;

    if (ledger_clock(db, &k, e) != 0)
        return -1;
    *day = k.now / TALLY_DAY_S;
    return 0;
}

static int book(const struct command *self, const struct cmd_common *c,
                const struct opts *o)
{
    AUTO(db_close_p) struct db *db = NULL;
    AUTO(show_day_clear) struct show_day d = { .day = 0 };
    struct err e = ERR_INIT;

    if ((o->day && day_parse(o->day, &d.day, &e) != 0) ||
        db_open(c->data_dir, DB_READ, NULL, &db, &e) != 0 ||
        (!o->day && today(db, &d.day, &e) != 0) ||
        show_day_read(db, &d, &e) != 0)
        return cmd_fail(self, &e);
    day_book_out(&d, c->json);
    return 0;
}

/* --- acting ------------------------------------------------------------------------- */

static int open_one(const struct command *self, const struct cmd_common *c,
                    const struct opts *o, const char *name)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct badges b = { .as = o->as };
    const struct who w = cmd_who(&b);
    struct shift s;
    struct err e = ERR_INIT;

    if (db_open(c->data_dir, DB_WRITE, NULL, &db, &e) != 0 ||
        act_shift_open(db, &w, name, &s, &e) != 0)
        return cmd_fail(self, &e);
    if (c->json)
        json_line(show_shift_opened(&s));
    else
        printf("Shift %llu is open, by %s.\n", (unsigned long long)s.number,
               s.opened_by);
    return 0;
}

static int add_busy(void *ctx, const struct shift_record *r, struct err *e)
{
    (void)e;
    if (r->kind == SHIFT_BUNDLE)
        *(uint64_t *)ctx += r->after[FIGURE_RESERVED] + r->after[FIGURE_LOADING];
    return 0;
}

/* Units in fixtures go on; what comes of them is not this shift's any more. */
static void say_closed(struct db *db, const struct shift *s)
{
    AUTO(buf_clear) struct buf records = BUF_INIT;
    struct err ignored = ERR_INIT;
    uint64_t busy = 0;

    printf("Shift %llu is closed, by %s: events %llu to %llu.\n",
           (unsigned long long)s->number, s->closed_by,
           (unsigned long long)s->first_event,
           (unsigned long long)s->last_event);
    if (shift_records(db, s->number, &records, &ignored) == 0 &&
        shift_records_walk(buf_span(&records), add_busy, &busy, &ignored) == 0 &&
        busy)
        printf("%llu BPPs are being worked on or not resolved: what comes of "
               "them belongs to the next shift.\n", (unsigned long long)busy);
}

static int need_to(const struct opts *o, struct err *e)
{
    return o->to ? 0 : err_set(e, ERR_USAGE, "--to DIR is needed: the stick's folder");
}

static int close_one(const struct command *self, const struct cmd_common *c,
                     const struct opts *o)
{
    AUTO(desk_close) struct desk d = DESK_EMPTY;
    struct report_list made = { NULL, 0 };
    struct badges b = { .as = o->as };
    const struct who w = cmd_who(&b);
    struct err e = ERR_INIT;
    struct shift s;
    bool closed = false;

    int bad = need_to(o, &e) != 0 ||
              act_shift_close(&d, c->data_dir, o->to, &w, &s, &closed, &made, &e) != 0;
    if (closed && !c->json)
        say_closed(d.db, &s);
    made_print(&made, c->json);
    report_list_clear(&made);
    return bad ? cmd_fail(self, &e) : 0;
}

static int record_one(const struct command *self, const struct cmd_common *c,
                      const struct opts *o, uint64_t n)
{
    AUTO(desk_close) struct desk d = DESK_EMPTY;
    struct report_list made = { NULL, 0 };
    struct err e = ERR_INIT;

    int bad = need_to(o, &e) != 0 ||
              act_shift_record(&d, c->data_dir, o->to, n, &made, &e) != 0;
    made_print(&made, c->json);
    report_list_clear(&made);
    return bad ? cmd_fail(self, &e) : 0;
}

/* --- the command -------------------------------------------------------------------- */

static const struct option options[] = {
    { "as", required_argument, NULL, OPT_AS },
    { "to", required_argument, NULL, OPT_TO },
    { "day", required_argument, NULL, OPT_DAY },
    { "limit", required_argument, NULL, OPT_LIMIT },
    { "before", required_argument, NULL, OPT_BEFORE },
    { NULL, 0, NULL, 0 },
};

/* NULL: these words are none. */
static int (*plain(const char *word))(const struct command *,
                                      const struct cmd_common *,
                                      const struct opts *)
{
    return strcmp(word, "list") == 0    ? list
           : strcmp(word, "book") == 0  ? book
           : strcmp(word, "close") == 0 ? close_one : NULL;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct opts o = { NULL, NULL, NULL, 0, 0 };
    struct cmd_common c;
    struct err e = ERR_INIT;
    uint64_t n = 0;

    int stop = cmd_options(self, argc, argv, options, own, &o, &c);
    if (stop)
        return stop - 1;
    argc -= optind;
    argv += optind;
    if (argc == 0)
        return show(self, &c, 0);
    if (argc == 1 && plain(argv[0]))
        return plain(argv[0])(self, &c, &o);
    if (argc <= 2 && strcmp(argv[0], "open") == 0)
        return open_one(self, &c, &o, argc == 2 ? argv[1] : "");
    if (argc == 2 && strcmp(argv[0], "record") == 0)
        return cmd_number(argv[1], 1, INT32_MAX, &n, &e) != 0 ? cmd_usage(self, e.msg)
                                            : record_one(self, &c, &o, n);
    if (argc == 1 && cmd_number(argv[0], 1, INT32_MAX, &n, &e) == 0)
        return show(self, &c, n);
    err_set(&e, ERR_USAGE, "'%.80s' is nothing that can be done with shifts, "
            "or it has too many words", argv[0]);
    return cmd_usage(self, e.msg);
}

const struct command cmd_shift = {
    "shift",
    "[N | list [--limit N] [--before N] |\n"
    "       open [NAME] [--as BADGE] | close --to DIR [--as BADGE] |\n"
    "       record N --to DIR | book [--day DAY]]",
    "open and close shifts, their figures and signed records; the day book",
    "Without words it shows the open shift, with N that one.\n"
    "  list           the newest shifts\n"
    "  open [NAME]    from here on events belong to a new shift\n"
    "  close          ends it and writes its signed shift-record; the line may "
    "run on\n"
    "  record N       writes the record of shift N again, byte for byte\n"
    "  book           what was done in one day, from 00:00 to 24:00 UTC\n"
    "  --to DIR     the stick's folder\n"
    "  --day DAY    that day, as 2026-11-28 (default: today)\n"
    "  --limit N    at most N shifts (default 30)\n"
    "  --before N   shifts before number N\n"
    CMD_AS_HELP,
    run
};
