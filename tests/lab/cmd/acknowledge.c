/* lineside-lab acknowledge: SM-DPfs check loading-reports and sign receipts. */
#include "tests/lab/cmd/lab.h"
#include "tests/lab/smdpf/acknowledge.h"
#include "tests/lab/smdpf/book.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

struct args {
    const char *out, *smdpf, *station;
    uint64_t valid_days;
};

static const struct opt opts[] = {
    { "--out", OPT_TEXT, offsetof(struct args, out), "DIR",
      "where the report-receipts shall appear" },
    { "--smdpf", OPT_TEXT, offsetof(struct args, smdpf), "OID",
      "this one alone, by OID or name (default: each that a report concerns)" },
    { "--station", OPT_TEXT, offsetof(struct args, station), "KEYID",
      "recipient (default: the station that signed the report)" },
    { "--valid-days", OPT_NUMBER, offsetof(struct args, valid_days), "N",
      "not-after; 0: expires this second (default: 365)" },
    OPT_END,
};

static int sign(const struct world *w, struct sql *book, const struct args *a,
                const struct world_smdpf *s, const struct report_check *c,
                struct err *e)
{
    AUTO(str_free_p) char *container = NULL;
    uint8_t station[32];

    memcpy(station, c->station_key, sizeof station);
    if (a->station && hex_decode(a->station, station, sizeof station) != 0)
        return err_set(e, ERR_USAGE, "\"%.80s\" is no station key id (64 hex "
                       "digits)", a->station);
    if (smdpf_acknowledge(w, book, s, c, station, (int64_t)a->valid_days * DAY,
                          a->out, &container, e) != 0)
        return -1;
    printf("report-receipt %s\n", container);
    printf("acknowledged   loading-report %llu of station %s: %llu records of "
           "SM-DPf %s\n", (unsigned long long)c->sequence, c->station,
           (unsigned long long)smdpf_concern(c, s), s->oid);
    return 0;
}

static int acknowledge(const struct world *w, struct sql *book,
                       const struct args *a, const struct world_smdpf *only,
                       const char *path, struct err *e)
{
    AUTO(report_check_clear) struct report_check c = { .again = false };

    if (smdpf_check_report(w, book, path, &c, e) != 0)
        return -1;
    for (size_t i = 0; i < w->smdpf_count; i++) {
        const struct world_smdpf *s = &w->smdpf[i];
        bool asked = only ? only == s : smdpf_concern(&c, s) > 0;
        if (asked && sign(w, book, a, s, &c, e) != 0)
            return -1;
    }
    return 0;
}

static int each(const struct args *a, const struct words *rest, struct err *e)
{
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(sql_close_p) struct sql *book = NULL;
    const struct world_smdpf *only = NULL;

    if (!a->out || a->valid_days > 36500)
        return err_set(e, ERR_USAGE, "--out DIR is needed; --valid-days is at "
                       "most 36500");
    if (world_open(rest->v[0], &w, e) != 0 || book_open(&w, &book, e) != 0)
        return -1;
    if (a->smdpf && !(only = world_find_smdpf(&w, a->smdpf)))
        return err_set(e, ERR_NOT_FOUND, "this world has no SM-DPf \"%s\"; see "
                       "%s/world.json", a->smdpf, w.dir);
    for (size_t i = 1; i < rest->n; i++)
        if (acknowledge(&w, book, a, only, rest->v[i], e) != 0)
            return -1;
    return 0;
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct args a = { .valid_days = 365 };

    if (opts_parse(&cmd_acknowledge, argc, argv, &a, &rest, 2, 0, e) != 0)
        return -1;
    return each(&a, &rest, e);
}

const struct command cmd_acknowledge = {
    "acknowledge", "WORLD CONTAINER... --out DIR",
    "Check loading-reports as verify does; each SM-DPf they concern signs a receipt.",
    opts, run,
};
