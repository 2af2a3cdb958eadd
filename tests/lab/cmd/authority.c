/* lineside-lab authority: station-csr in, station-cert out. */
#include "tests/lab/cmd/lab.h"
#include "tests/lab/pki/authority.h"

#include <stdio.h>
#include <string.h>

struct args {
    const char *csr, *out, *site, *recovery;
    struct words allow;
};

static const struct opt opts[] = {
    { "--csr", OPT_TEXT, offsetof(struct args, csr), "CONTAINER",
      "the station's station-csr" },
    { "--out", OPT_TEXT, offsetof(struct args, out), "DIR",
      "where the station-cert shall appear" },
    { "--allow", OPT_LIST, offsetof(struct args, allow), "OID...",
      "SM-DPfs whose bundles the station may take (default: all)" },
    { "--site", OPT_TEXT, offsetof(struct args, site), "ID",
      "the station's site (default: as it asked)" },
    { "--recovery", OPT_TEXT, offsetof(struct args, recovery), "PARTY",
      "whom backups are enciphered to, or none (default: dm/recovery)" },
    OPT_END,
};

static int grant(const char *dir, const struct args *a, struct err *e)
{
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(str_free_p) char *container = NULL;
    struct station_grant g = { .csr = a->csr,
                               .out = a->out,
                               .allow = a->allow.v,
                               .allow_count = a->allow.n,
                               .site = a->site,
                               .recovery = a->recovery };
    uint8_t key_id[32];
    char hex[65];

    if (!a->csr || !a->out)
        return err_set(e, ERR_USAGE, "--csr CONTAINER and --out DIR are "
                       "needed");
    if (!g.recovery)
        g.recovery = "dm/recovery";
    else if (strcmp(g.recovery, "none") == 0)
        g.recovery = NULL;
    if (world_open(dir, &w, e) != 0 ||
        authority_grant(&w, &g, &container, key_id, e) != 0)
        return -1;
    printf("station      %s\n", hex_encode(SPAN_ARRAY(key_id), hex, sizeof hex));
    printf("station-cert %s\n", container);
    return 0;
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct args a = { .csr = NULL };
    int got = opts_parse(&cmd_authority, argc, argv, &a, &rest, 1, 1, e);

    if (got == 0)
        got = grant(rest.v[0], &a, e);
    words_clear(&a.allow);
    return got;
}

const struct command cmd_authority = {
    "authority", "WORLD --csr CONTAINER --out DIR",
    "Certify a station: its station-csr in, a station-cert out.", opts, run,
};
