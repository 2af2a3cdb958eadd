/* lineside backup: a copy of everything, for the day this machine is gone. */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"
#include "station/acts/desk.h"
#include "station/cmd/made_out.h"

#include "station/backup/make.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>

#define NICENESS 10 /* the line comes first */

enum { OPT_TO = 256, OPT_AS };

struct opts {
    const char *to, *as;
};

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    (void)e;
    if (val == OPT_TO)
        o->to = arg;
    else
        o->as = arg;
    return 0;
}

static void print_made(const struct backup_made *m, bool json)
{
    const struct backup_info *b = &m->info;

    if (json) {
        json_t *j = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}",
                              "container", m->path, "id", b->id, "sequence",
                              (json_int_t)b->sequence, "epoch",
                              (json_int_t)b->epoch, "lastEvent",
                              (json_int_t)b->last_event, "ledgerOctets",
                              (json_int_t)m->ledger_octets, "octets",
                              (json_int_t)m->octets, "segments",
                              (json_int_t)m->segments);
        json_dumpf(j, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(j);
        return;
    }
    printf("backup %llu: epoch %llu, events 1 to %llu, %llu octets in %zu "
           "segments\n  %s\nNext: keep the medium away from this machine; only "
           "the Device Manufacturer's\nrecovery key opens it\n",
           (unsigned long long)b->sequence, (unsigned long long)b->epoch,
           (unsigned long long)b->last_event, (unsigned long long)m->octets,
           m->segments, m->path);
}

static int back_up(const struct cmd_common *c, const struct opts *o,
                   struct backup_made *made, struct err *e)
{
    AUTO(desk_close) struct desk d = DESK_EMPTY;
    struct actor a;

    if (desk_open(&d, c->data_dir, o->to, e) != 0 ||
        cmd_actor_for(d.db, o->as, RIGHT_BACKUP, &a, e) != 0 ||
        lock_take(c->data_dir, LOCK_BACKUP, &d.lock, e) != 0)
        return -1;
    struct backup_job j = { .db = d.db, .lock = d.lock, .data_dir = c->data_dir,
                            .s = &d.s, .self = &d.id, .to_dir = o->to,
                            .actor = a.who.name, .guard = actor_still,
                            .guard_ctx = &a };
    return backup_make(&j, made, e);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "to", required_argument, NULL, OPT_TO },
        { "as", required_argument, NULL, OPT_AS },
        { 0 },
    };
    struct opts o = { 0 };
    struct cmd_common c;
    struct backup_made made;
    struct err e = ERR_INIT;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc || !o.to)
        return cmd_usage(self, "--to DIR is needed: the stick's folder");
    if (nice(NICENESS) == -1)
        (void)0; /* then as fast as the line */
    if (back_up(&c, &o, &made, &e) != 0)
        return cmd_fail(self, &e);
    print_made(&made, c.json);
    backup_made_clear(&made);
    return 0;
}

const struct command cmd_backup = {
    "backup", "--to DIR [--as BADGE]",
    "copy the whole ledger to a stick, sealed and signed, while the line runs",
    "  --to DIR     the stick's folder\n" CMD_AS_HELP,
    run
};
