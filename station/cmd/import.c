#include "station/cmd/cmd.h"

#include "station/acts/media.h"
#include "station/cmd/json_line.h"
#include "station/import/importer.h"
#include "station/show/imported.h"

#include <getopt.h>
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
        json_line(show_imported(r, path));
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
                       struct inbox *b, int n, char **paths)
{
    int code = 0;

    for (int i = 0; i < n; i++) {
        struct import_result r;
        struct err e = ERR_INIT;
        if (inbox_take(b, paths[i], NULL, &r, &e) == 0) {
            print_result(&r, paths[i], c->json, b->db);
            continue;
        }
        int bad = cmd_fail_container(self, paths[i], b->db, &e);
        if (bad > code)
            code = bad;
    }
    return code;
}

static int run(const struct command *self, int argc, char **argv)
{
    AUTO(inbox_close) struct inbox b = INBOX_EMPTY;
    struct cmd_common c;
    struct err e = ERR_INIT;

    int end = cmd_options(self, argc, argv, NULL, NULL, NULL, &c);
    if (end)
        return end - 1;
    if (optind == argc)
        return cmd_usage(self, "name at least one CONTAINER: a bpp-bundle, "
                               "euicc-data or report-receipt folder on the "
                               "stick");
    return inbox_open(&b, c.data_dir, &e) != 0
               ? cmd_fail(self, &e)
               : import_each(self, &c, &b, argc - optind, argv + optind);
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
