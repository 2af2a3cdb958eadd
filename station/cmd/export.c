#include "station/cmd/cmd.h"
#include "station/acts/desk.h"
#include "station/cmd/made_out.h"

#include <getopt.h>

enum { OPT_TO = 256, OPT_AGAIN };

struct opts {
    const char *to, *again;
};

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    (void)e;
    if (val == OPT_TO)
        o->to = arg;
    else
        o->again = arg;
    return 0;
}

/* Needs no certificate: what is written was signed when it was made. */
static int again(const struct cmd_common *c, const struct opts *o, struct desk *d,
                 struct report_list *made, struct err *e)
{
    return desk_folder(o->to, e) != 0 ||
           db_open(c->data_dir, DB_WRITE, NULL, &d->db, e) != 0 ||
           lock_take(c->data_dir, LOCK_EXPORT, &d->lock, e) != 0 ||
           report_send(d->db, d->lock, c->data_dir, o->again, o->to, made, e) != 0
         ? -1 : 0;
}

static int anew(const struct cmd_common *c, const struct opts *o, struct desk *d,
                struct report_list *made, struct err *e)
{
    return desk_open(d, c->data_dir, o->to, e) != 0 ||
           lock_take(c->data_dir, LOCK_EXPORT, &d->lock, e) != 0 ||
           report_export(d->db, d->lock, c->data_dir, &d->s, &d->id, o->to, made,
                         e) != 0 ? -1 : 0;
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "to", required_argument, NULL, OPT_TO },
        { "again", required_argument, NULL, OPT_AGAIN },
        { 0 },
    };
    AUTO(desk_close) struct desk d = DESK_EMPTY;
    struct report_list made = { NULL, 0 };
    struct opts o = { 0 };
    struct cmd_common c;
    struct err e = ERR_INIT;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc || !o.to)
        return cmd_usage(self, "--to DIR is needed: the stick's folder");
    int bad = (o.again ? again : anew)(&c, &o, &d, &made, &e);
    made_print(&made, c.json); /* also what had arrived before it failed */
    report_list_clear(&made);
    return bad ? cmd_fail(self, &e) : 0;
}

const struct command cmd_export = {
    "export", "--to DIR [--again ID]",
    "write the signed loading-report and audit-log since the last ones",
    "  --to DIR     the stick's folder\n"
    "  --again ID   write that export once more, byte for byte the same\n",
    run
};
