#include "station/cmd/cmd.h"
#include "station/acts/media.h"
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
    int bad = act_export(&d, c.data_dir, o.to, o.again, NULL, &made, &e);
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
