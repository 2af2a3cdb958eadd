/* lineside-lab verify: the SM-DPf checks loading-reports and prints what the
 * MSP is told. */
#include "tests/lab/cmd/lab.h"
#include "tests/lab/incoming.h"
#include "tests/lab/parallel.h"
#include "tests/lab/smdpf/book.h"
#include "tests/lab/smdpf/check.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct args {
    bool json;
};

static const struct opt opts[] = {
    { "--json", OPT_FLAG, offsetof(struct args, json), NULL,
      "one JSON object instead of a table" },
    OPT_END,
};

/* --- order ---------------------------------------------------------------------- */

struct given {
    const char *path;
    char station[REGISTERED_ID_MAX + 1];
    uint64_t sequence;
};

/* What cannot be read comes first, and is refused with its reason when its
 * turn comes. */
static void peek(struct given *g)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    int fd = open(g->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    manifest_init(&m);
    if (fd >= 0 && container_read_manifest(fd, &cms, NULL) == 0 &&
        manifest_peek(buf_span(&cms), &m, NULL) == 0) {
        memcpy(g->station, m.issuer, sizeof g->station);
        g->sequence = m.sequence;
    }
    if (fd >= 0)
        close(fd);
}

static int by_sequence(const void *a, const void *b)
{
    const struct given *x = a, *y = b;
    int station = strcmp(x->station, y->station);

    return station ? station
                   : (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* --- output --------------------------------------------------------------------- */

static bool has_iccid(const struct told *t)
{
    static const struct iccid none;

    return memcmp(&t->iccid, &none, sizeof none) != 0;
}

static bool has_eid(const struct told *t)
{
    static const struct eid none;

    return memcmp(&t->eid, &none, sizeof none) != 0;
}

static void print_report(const struct report_check *c)
{
    char iccid[ICCID_DIGITS + 1], eid[EID_DIGITS + 1];

    printf("loading-report %s\n  station %s, number %llu, events %llu to %llu\n",
           c->id, c->station, (unsigned long long)c->sequence,
           (unsigned long long)c->first_event,
           (unsigned long long)c->last_event);
    if (c->again)
        printf("  known already, and the same\n");
    if (!c->complete)
        printf("  reports of this station before it are missing: its totals "
               "were not counted\n");
    if (c->told_count)
        printf("  %-20s %-32s %-11s %s\n", "ICCID", "EID", "result", "");
    for (size_t i = 0; i < c->told_count; i++) {
        const struct told *t = &c->told[i];
        printf("  %-20s %-32s %-11s %s\n",
               has_iccid(t) ? iccid_format(&t->iccid, iccid) : "-",
               has_eid(t) ? eid_format(&t->eid, eid) : "-", told_name(t->kind),
               t->detail);
    }
}

static json_t *report_json(const struct report_check *c)
{
    json_t *list = json_array();
    char iccid[ICCID_DIGITS + 1], eid[EID_DIGITS + 1];

    for (size_t i = 0; i < c->told_count; i++) {
        const struct told *t = &c->told[i];
        json_array_append_new(
            list,
            json_pack("{s:s*, s:s*, s:s, s:s, s:s, s:s}", "iccid",
                      has_iccid(t) ? iccid_format(&t->iccid, iccid) : NULL,
                      "eid", has_eid(t) ? eid_format(&t->eid, eid) : NULL,
                      "msp", t->msp, "name", t->name, "result", told_name(t->kind), "detail",
                      t->detail));
    }
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:b, s:b, s:o}", "id", c->id,
                     "station", c->station, "sequence",
                     (json_int_t)c->sequence, "first_event",
                     (json_int_t)c->first_event, "last_event",
                     (json_int_t)c->last_event, "again", c->again, "complete",
                     c->complete, "profiles", list);
}

/* --- all of them ---------------------------------------------------------------- */

struct sums {
    size_t reports, refused, receipts;
    size_t count[TOLD_KINDS];
    enum err_code first; /* reason of the first refusal */
};

static void sum_up(struct sums *s, const struct report_check *c)
{
    s->reports++;
    s->receipts += c->receipts;
    for (int i = 0; i < TOLD_KINDS; i++)
        s->count[i] += c->count[i];
}

static void one(const struct world *w, struct sql *book, const char *path,
                struct sums *s, json_t *list)
{
    struct report_check c;
    struct err e = ERR_INIT;

    if (smdpf_check_report(w, book, path, &c, &e) != 0) {
        if (s->refused++ == 0)
            s->first = e.code;
        fprintf(stderr, "lineside-lab verify: %s\n", e.msg);
        if (list)
            json_array_append_new(list, json_pack("{s:s, s:s}", "container",
                                                  path, "error", e.msg));
        return;
    }
    sum_up(s, &c);
    if (list)
        json_array_append_new(list, report_json(&c));
    else
        print_report(&c);
    report_check_clear(&c);
}

static void print_sums(const struct sums *s)
{
    printf("\ntotals: ");
    for (int i = 0; i < TOLD_KINDS; i++)
        printf("%zu %s, ", s->count[i], told_name((enum told_kind)i));
    printf("%zu receipts\n", s->receipts);
    printf("%zu report(s) verified: every signature by its eUICC under the "
           "eSIM CA, every transactionId issued here, each with one result\n",
           s->reports);
}

static int print_json(const struct sums *s, json_t *list, struct err *e)
{
    json_t *o = json_pack("{s:b, s:O, s:I, s:I}", "ok", s->refused == 0,
                          "reports", list, "refused", (json_int_t)s->refused,
                          "receipts", (json_int_t)s->receipts);

    for (int i = 0; o && i < TOLD_KINDS; i++)
        json_object_set_new(o, told_name((enum told_kind)i),
                            json_integer((json_int_t)s->count[i]));
    int got = o && json_dumpf(o, stdout, JSON_INDENT(1)) == 0
                  ? 0
                  : err_set(e, ERR_NOMEM, "out of memory");
    printf("\n");
    json_decref(o);
    return got;
}

static int check_each(const struct world *w, struct sql *book,
                      const struct words *paths, bool json, struct err *e)
{
    struct given *g = calloc(paths->n, sizeof *g);
    json_t *list = json ? json_array() : NULL;
    struct sums s = { 0 };
    int got = 0;

    if (!g)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < paths->n; i++) {
        g[i].path = paths->v[i];
        peek(&g[i]);
    }
    qsort(g, paths->n, sizeof *g, by_sequence);
    for (size_t i = 0; i < paths->n; i++)
        one(w, book, g[i].path, &s, list);
    free(g);
    if (json)
        got = print_json(&s, list, e);
    else if (s.refused == 0)
        print_sums(&s);
    json_decref(list);
    if (got == 0 && s.refused)
        got = err_set(e, s.first, "%zu of %zu report(s) refused; nothing of "
                      "them is kept", s.refused, paths->n);
    return got;
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(sql_close_p) struct sql *book = NULL;
    struct args a = { .json = false };

    if (opts_parse(&cmd_verify, argc, argv, &a, &rest, 2, 0, e) != 0 ||
        world_open(rest.v[0], &w, e) != 0 || book_open(&w, &book, e) != 0)
        return -1;
    struct words paths = { rest.v + 1, rest.n - 1 };
    return check_each(&w, book, &paths, a.json, e);
}

const struct command cmd_verify = {
    "verify", "WORLD CONTAINER...",
    "Check loading-reports as the SM-DPf does; print what the MSP is told.",
    opts, run,
};
