#include "station/cmd/cmd.h"

#include "station/import/import.h"
#include "station/import/importer.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* An SM-DPf counts both together. */
static const char or_receipt[] = " (or, of that number, a report-receipt)";

static void print_gaps(struct db *db, const char *issuer)
{
    struct container_gaps g = { 0 };
    struct err e = ERR_INIT;

    if (container_gaps(db, issuer, &g, &e) != 0)
        return;
    for (size_t i = 0; i < g.n; i++)
        if (g.v[i].first == g.v[i].last)
            printf("  note: bundle %llu of SM-DPf %s has not arrived%s\n",
                   (unsigned long long)g.v[i].first, issuer, or_receipt);
        else
            printf("  note: bundles %llu to %llu of SM-DPf %s have not "
                   "arrived%s\n", (unsigned long long)g.v[i].first,
                   (unsigned long long)g.v[i].last, issuer, or_receipt);
    container_gaps_clear(&g);
}

static void print_receipt(const struct import_result *r)
{
    const struct import_receipt *p = &r->receipt;

    printf("imported %s %s: SM-DPf %s acknowledges loading-report %llu\n",
           kind_name(r->kind), r->id, r->issuer, (unsigned long long)p->sequence);
    if (p->accepted < p->records)
        printf("  warning: it accepted %llu of %llu records about its BPPs; ask "
               "it which it did not, and why\n", (unsigned long long)p->accepted,
               (unsigned long long)p->records);
    if (p->waiting)
        printf("  %llu other SM-DPf%s not acknowledged it yet: `lineside "
               "reports`\n", (unsigned long long)p->waiting,
               p->waiting == 1 ? " has" : "s have");
}

static void print_result(const struct import_result *r, const char *path,
                         bool json, struct db *db)
{
    if (json) {
        json_t *j = json_pack(
            "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I}",
            "container", path, "kind", kind_name(r->kind), "id", r->id,
            "issuer", r->issuer, "sequence", (json_int_t)r->sequence,
            "records", (json_int_t)r->sum.records, "keys",
            (json_int_t)r->sum.keys, "withoutDelete",
            (json_int_t)r->sum.without_delete, "missing",
            (json_int_t)r->sum.missing, "event", (json_int_t)r->sum.event);
        if (r->kind == KIND_REPORT_RECEIPT)
            json_object_set_new(j, "report", json_pack(
                "{s:s, s:I, s:I, s:I, s:I}", "id", r->receipt.report, "sequence",
                (json_int_t)r->receipt.sequence, "records",
                (json_int_t)r->receipt.records, "accepted",
                (json_int_t)r->receipt.accepted, "waiting",
                (json_int_t)r->receipt.waiting));
        json_dumpf(j, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(j);
        return;
    }
    if (r->kind == KIND_REPORT_RECEIPT) {
        print_receipt(r);
        print_gaps(db, r->issuer);
        return;
    }
    if (r->kind == KIND_EUICC_DATA) {
        printf("imported %s %s: %llu eUICCs, %llu one-time keys\n",
               kind_name(r->kind), r->id, (unsigned long long)r->sum.records,
               (unsigned long long)r->sum.keys);
        return;
    }
    printf("imported %s %s: %llu BPPs, number %llu of SM-DPf %s\n",
           kind_name(r->kind), r->id, (unsigned long long)r->sum.records,
           (unsigned long long)r->sequence, r->issuer);
    if (r->sum.without_delete)
        printf("  warning: a return of %llu of these profiles cannot be "
               "proven: the SM-DPf asks for no delete notification\n",
               (unsigned long long)r->sum.without_delete);
    print_gaps(db, r->issuer);
}

/* One refused container does not keep the others on the stick out. What the
 * exit code tells is the worst: 1 says that none failed in another way. */
static int import_each(const struct command *self, const struct cmd_common *c,
                       struct db *db, const struct lock *lock,
                       const struct station *s, int n, char **paths)
{
    int code = 0;

    for (int i = 0; i < n; i++) {
        struct import_result r;
        struct err e = ERR_INIT;
        if (import_container(db, lock, s, paths[i], &r, &e) == 0) {
            print_result(&r, paths[i], c->json, db);
            continue;
        }
        int bad = cmd_fail_container(self, paths[i], db, &e);
        if (bad > code)
            code = bad;
    }
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    struct cmd_common c;
    struct station s;
    struct err e = ERR_INIT;
    AUTO(db_close_p) struct db *db = NULL;
    AUTO(lock_release_p) struct lock *lock = NULL;

    int end = cmd_options(self, argc, argv, NULL, NULL, NULL, &c);
    if (end)
        return end - 1;
    if (optind == argc)
        return cmd_usage(self, "name at least one CONTAINER: a bpp-bundle, "
                               "euicc-data or report-receipt folder on the "
                               "stick");
    station_init_empty(&s);
    int code;
    if (db_open(c.data_dir, DB_WRITE, NULL, &db, &e) != 0 ||
        lock_take(c.data_dir, LOCK_IMPORT, &lock, &e) != 0 ||
        import_leftovers(db, lock, NULL, &e) != 0 ||
        station_get(db, &s, &e) != 0)
        code = cmd_fail(self, &e);
    else
        code = import_each(self, &c, db, lock, &s, argc - optind,
                           argv + optind);
    station_clear(&s);
    return code;
}

static int run_importer(const struct command *self, int argc, char **argv)
{
    (void)self;
    (void)argc;
    (void)argv;
    return importer_main();
}

const struct command cmd_import = {
    "import", "CONTAINER...", "check containers and take them into the ledger",
    "Each CONTAINER is a folder on the stick. It is taken in whole or not at "
    "all.\n\n", run
};

const struct command cmd_importer = {
    "importer", NULL, "the import process (started by import)", NULL,
    run_importer
};
