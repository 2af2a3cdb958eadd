/* lineside-lab bind: the SM-DPf makes a bundle for a station. */
#include "station/ifpp/order.h"
#include "tests/lab/cmd/lab.h"
#include "tests/lab/parallel.h"
#include "tests/lab/smdpf/book.h"
#include "tests/lab/smdpf/produce.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY 86400

struct args {
    uint64_t per_euicc, count, threads, valid_days, size;
    bool no_ppk, keep_upp;
    const char *smdpf, *site, *msp, *out;
    struct words upp, station, eid;
};

static const struct opt opts[] = {
    { "--station", OPT_LIST, offsetof(struct args, station), "KEYID...",
      "recipients: key ids of stations, 64 hex digits each" },
    { "--site", OPT_TEXT, offsetof(struct args, site), "ID",
      "recipient: a site, instead of stations" },
    { "--out", OPT_TEXT, offsetof(struct args, out), "DIR",
      "where the bpp-bundle shall appear" },
    { "--smdpf", OPT_TEXT, offsetof(struct args, smdpf), "OID",
      "which SM-DPf, by OID or name (default: the first)" },
    { "--msp", OPT_TEXT, offsetof(struct args, msp), "NAME",
      "whose profiles they are (default: the SM-DPf's name)" },
    { "--upp", OPT_LIST, offsetof(struct args, upp), "FILE...",
      "profile packages, used in turn (default: generated)" },
    { "--per-euicc", OPT_NUMBER, offsetof(struct args, per_euicc), "N",
      "profiles for each eUICC (default: 1)" },
    { "--count", OPT_NUMBER, offsetof(struct args, count), "N",
      "for at most N eUICCs, lowest EID first (default: all)" },
    { "--eid", OPT_LIST, offsetof(struct args, eid), "EID...",
      "for these eUICCs, in this order" },
    { "--size", OPT_NUMBER, offsetof(struct args, size), "OCTETS",
      "of a generated profile, at least (default: about 6 KB)" },
    { "--no-ppk", OPT_FLAG, offsetof(struct args, no_ppk), NULL,
      "protect with session keys instead of random PPKs" },
    { "--keep-upp", OPT_FLAG, offsetof(struct args, keep_upp), NULL,
      "keep the clear profiles in smdpf.db (table issued, column upp)" },
    { "--valid-days", OPT_NUMBER, offsetof(struct args, valid_days), "N",
      "not-after; 0: expires this second (default: 365)" },
    { "--threads", OPT_NUMBER, offsetof(struct args, threads), "N",
      "default: one per processor" },
    OPT_END,
};

/* What the lists on the command line become. */
struct lists {
    uint8_t (*stations)[32];
    struct eid *eids;
    struct given_upp *upp;
    size_t upp_count;
};

static void lists_clear(struct lists *l)
{
    for (size_t i = 0; i < l->upp_count; i++)
        buf_clear(&l->upp[i].der);
    free(l->stations);
    free(l->eids);
    free(l->upp);
}

static int read_upp(const char *path, struct given_upp *out, struct err *e)
{
    const char *slash = strrchr(path, '/');
    FILE *f = fopen(path, "re");
    uint8_t part[16384];
    size_t n;

    if (!f)
        return err_errno(e, "%s", path);
    snprintf(out->name, sizeof out->name, "%.63s", slash ? slash + 1 : path);
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_put(&out->der, part, n);
    bool bad = ferror(f);
    fclose(f);
    if (bad)
        return err_errno(e, "%s", path);
    return buf_ok(&out->der) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int read_lists(const struct args *a, struct lists *l, struct err *e)
{
    l->stations = calloc(a->station.n + 1, sizeof *l->stations);
    l->eids = calloc(a->eid.n + 1, sizeof *l->eids);
    l->upp = calloc(a->upp.n + 1, sizeof *l->upp);
    if (!l->stations || !l->eids || !l->upp)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t i = 0; i < a->station.n; i++)
        if (hex_decode(a->station.v[i], l->stations[i], 32) != 0)
            return err_set(e, ERR_USAGE, "\"%.80s\" is no station key id (64 "
                           "hex digits)", a->station.v[i]);
    for (size_t i = 0; i < a->eid.n; i++)
        if (eid_parse(a->eid.v[i], &l->eids[i]) != 0)
            return err_set(e, ERR_USAGE, "\"%.40s\" is no EID (32 digits, "
                           "checked by SGP.29)", a->eid.v[i]);
    for (size_t i = 0; i < a->upp.n; i++) {
        l->upp_count++;
        if (read_upp(a->upp.v[i], &l->upp[i], e) != 0)
            return -1;
    }
    return 0;
}

static int produce(const struct world *w, const struct args *a,
                   const struct lists *l, struct err *e)
{
    AUTO(sql_close_p) struct sql *book = NULL;
    struct produced made;
    struct produce_order o = {
        .smdpf = a->smdpf ? world_find_smdpf(w, a->smdpf) : &w->smdpf[0],
        .stations = (const uint8_t (*)[32])l->stations,
        .station_count = a->station.n,
        .site = a->site,
        .eids = l->eids,
        .eid_count = a->eid.n,
        .count = a->count,
        .per_euicc = a->per_euicc,
        .provider = a->msp,
        .upp = l->upp,
        .upp_count = l->upp_count,
        .target_size = a->size,
        .session_keys = a->no_ppk,
        .keep_upp = a->keep_upp,
        .valid_s = (int64_t)a->valid_days * DAY,
        .out = a->out,
        .threads = a->threads > PARALLEL_MAX ? PARALLEL_MAX
                                             : (unsigned)a->threads,
    };

    if (!o.smdpf)
        return err_set(e, ERR_NOT_FOUND, "this world has no SM-DPf \"%s\"; see "
                       "%s/world.json", a->smdpf, w->dir);
    if (book_open(w, &book, e) != 0 ||
        book_intake(w, book, o.threads, e) != 0 ||
        smdpf_produce(w, book, &o, &made, e) != 0)
        return -1;
    printf("bpp-bundle   %s\n", made.container);
    printf("bound        %zu for %zu eUICCs\n", made.bpps, made.euiccs);
    if (made.skipped)
        printf("skipped      %zu eUICCs with too few unused keys\n",
               made.skipped);
    free(made.container);
    return 0;
}

static int bind_for(const char *dir, const struct args *a, struct err *e)
{
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(lists_clear) struct lists l = { NULL, NULL, NULL, 0 };

    if (!a->out || (a->station.n > 0) == (a->site != NULL))
        return err_set(e, ERR_USAGE, "--out DIR and either --station KEYID... "
                       "or --site ID are needed");
    if (a->msp && (!a->msp[0] || strlen(a->msp) > ORDER_TEXT_MAX))
        return err_set(e, ERR_USAGE, "--msp: 1 to %d octets", ORDER_TEXT_MAX);
    if (a->valid_days > 36500)
        return err_set(e, ERR_USAGE, "--valid-days is at most 36500");
    if (read_lists(a, &l, e) != 0 || world_open(dir, &w, e) != 0)
        return -1;
    return produce(&w, a, &l, e);
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct args a = { .per_euicc = 1,
                      .valid_days = 365,
                      .threads = parallel_threads() };
    int got = opts_parse(&cmd_bind, argc, argv, &a, &rest, 1, 1, e);

    if (got == 0)
        got = bind_for(rest.v[0], &a, e);
    words_clear(&a.upp);
    words_clear(&a.station);
    words_clear(&a.eid);
    return got;
}

const struct command cmd_bind = {
    "bind", "WORLD --station KEYID... --out DIR",
    "Bind profiles to unused one-time keys, as a bpp-bundle for a station.",
    opts, run,
};
