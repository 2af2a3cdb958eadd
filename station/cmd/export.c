#include "station/cmd/cmd.h"

#include "station/report/report.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

static void print_one(const struct report_made *r, bool json)
{
    const char *kind = report_kind(r->kind);

    if (json) {
        json_t *j = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "kind",
                              kind, "id", r->id, "container", r->path,
                              "sequence", (json_int_t)r->sequence, "records",
                              (json_int_t)r->records, "firstEvent",
                              (json_int_t)r->first_event, "lastEvent",
                              (json_int_t)r->last_event);
        json_dumpf(j, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(j);
    } else if (r->kind == EXPORT_BPP_REQUEST) {
        printf("%s %llu: %llu keys\n  %s\n", kind,
               (unsigned long long)r->sequence, (unsigned long long)r->records,
               r->path);
    } else {
        printf("%s %llu: %llu records, events %llu to %llu\n  %s\n", kind,
               (unsigned long long)r->sequence, (unsigned long long)r->records,
               (unsigned long long)r->first_event,
               (unsigned long long)r->last_event, r->path);
    }
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "to", required_argument, NULL, OPT_TO },
        { "again", required_argument, NULL, OPT_AGAIN },
        { 0 },
    };
    struct opts o = { 0 };
    struct cmd_common c;
    struct station s;
    struct identity id = { 0 };
    struct report_list made = { NULL, 0 };
    struct stat st;
    struct err e = ERR_INIT;
    AUTO(db_close_p) struct db *db = NULL;
    AUTO(lock_release_p) struct lock *lock = NULL;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind != argc || !o.to)
        return cmd_usage(self, "--to DIR is needed: the stick's folder");
    if (stat(o.to, &st) != 0 || !S_ISDIR(st.st_mode)) {
        err_set(&e, ERR_IO, "%s is not a folder; is the stick mounted?", o.to);
        return cmd_fail(self, &e);
    }
    station_init_empty(&s);
    int bad = db_open(c.data_dir, DB_WRITE, NULL, &db, &e) != 0 ||
              lock_take(c.data_dir, LOCK_EXPORT, &lock, &e) != 0;
    if (!bad && o.again) {
        bad = report_send(db, lock, c.data_dir, o.again, o.to, &made, &e);
    } else if (!bad) {
        bad = station_get(db, &s, &e);
        if (!bad && !s.commissioned)
            bad = err_set(&e, ERR_WRONG_STATE,
                          "this station has no certificate to sign with; "
                          "import its station-cert first");
        if (!bad)
            bad = identity_open(c.data_dir, buf_span(&s.chain), &id, &e);
        if (!bad)
            bad = report_export(db, lock, c.data_dir, &s, &id, o.to, &made,
                                &e);
    }
    for (size_t i = 0; i < made.n; i++)
        print_one(&made.v[i], c.json);
    report_list_clear(&made);
    identity_close(&id);
    station_clear(&s);
    return bad ? cmd_fail(self, &e) : 0;
}

const struct command cmd_export = {
    "export", "--to DIR [--again ID]",
    "write the signed loading-report and audit-log since the last ones",
    "  --to DIR     the stick's folder\n"
    "  --again ID   write that export once more, byte for byte the same\n",
    run
};
