/* lineside-lab new: a world from nothing. */
#include "tests/lab/cmd/lab.h"
#include "tests/lab/parallel.h"
#include "tests/lab/pki/eum.h"
#include "tests/lab/world.h"

#include <stdio.h>
#include <string.h>

struct args {
    uint64_t euiccs, keys, threads;
    const char *curve;
    bool iot;
    struct words smdpf;
};

static const struct opt opts[] = {
    { "--euiccs", OPT_NUMBER, offsetof(struct args, euiccs), "N",
      "how many eUICCs to personalise" },
    { "--keys", OPT_NUMBER, offsetof(struct args, keys), "K",
      "one-time keys in each; key i is meant for SM-DPf i modulo their number" },
    { "--curve", OPT_TEXT, offsetof(struct args, curve), "CURVE",
      "p256 (default) or brainpool" },
    { "--iot", OPT_FLAG, offsetof(struct args, iot), NULL,
      "IoT eUICCs (SGP.32) instead of consumer ones (SGP.22)" },
    { "--smdpf", OPT_LIST, offsetof(struct args, smdpf), "NAME...",
      "SM-DPfs, OIDs from 2.999.10 (default: one named smdpf)" },
    { "--threads", OPT_NUMBER, offsetof(struct args, threads), "N",
      "default: one per processor" },
    OPT_END,
};

static int print_world(const struct world *w, const char *container,
                       struct err *e)
{
    AUTO(x509_free_p) X509 *dm = NULL;
    uint8_t hash[32];
    char hex[65];

    if (world_cert(w, "dm/root", &dm, e) != 0)
        return -1;
    cert_sha256(dm, hash);
    hex_encode(SPAN_ARRAY(hash), hex, sizeof hex);
    printf("world        %s\n", w->dir);
    printf("root-sha256  %s\n", hex);
    printf("root         %s/dm/root.pem\n", w->dir);
    printf("ci           %s/ci/root.pem\n", w->dir);
    for (size_t i = 0; i < w->smdpf_count; i++)
        printf("smdpf        %s %s\n", w->smdpf[i].oid, w->smdpf[i].name);
    printf("euicc-data   %s\n", container);
    return 0;
}

static int make(const char *dir, const struct args *a, struct err *e)
{
    static const char *const one[] = { "smdpf" };
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(str_free_p) char *container = NULL;
    struct eum_order order = {
        .euiccs = a->euiccs,
        .keys = a->keys,
        .kind = a->iot ? INFO2_IOT : INFO2_CONSUMER,
        .threads = a->threads > PARALLEL_MAX ? PARALLEL_MAX
                                             : (unsigned)a->threads,
    };
    int nid = ec_curve_parse(a->curve);

    if (nid == NID_undef)
        return err_set(e, ERR_USAGE, "no curve \"%s\"; there are p256 and "
                       "brainpool", a->curve);
    if (eum_check_order(&order, e) != 0)
        return -1;
    if (world_create(dir, nid, a->smdpf.n ? a->smdpf.v : one,
                     a->smdpf.n ? a->smdpf.n : 1, &w, e) != 0 ||
        eum_make(&w, &order, &container, e) != 0 || world_finish(&w, e) != 0)
        return -1;
    return print_world(&w, container, e);
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct args a = { .curve = "p256", .threads = parallel_threads() };
    int got = opts_parse(&cmd_new, argc, argv, &a, &rest, 1, 1, e);

    if (got == 0)
        got = make(rest.v[0], &a, e);
    words_clear(&a.smdpf);
    return got;
}

const struct command cmd_new = {
    "new", "WORLD --euiccs N --keys K",
    "Make a world: eSIM CA, EUM, SM-DPfs, Device Manufacturer, eUICCs.", opts,
    run,
};
