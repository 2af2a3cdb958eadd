/* lineside-lab upp-compare: is the profile package that a chip holds the one
 * that was given, but for the subscriber's own numbers? */
#include "tests/lab/cmd/lab.h"

#include "tests/lab/saip/saip.h"

#include <stdio.h>
#include <string.h>

static const struct opt opts[] = { OPT_END };

static int read_package(const char *path, struct buf *out, struct err *e)
{
    FILE *f = fopen(path, "re");
    uint8_t part[16384];
    size_t n;

    if (!f)
        return err_errno(e, "%s", path);
    while ((n = fread(part, 1, sizeof part, f)) > 0 &&
           out->n <= SAIP_PACKAGE_MAX)
        buf_put(out, part, n);
    bool bad = ferror(f);
    fclose(f);
    if (bad)
        return err_errno(e, "%s", path);
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static void print_ranges(const struct saip_ranges *p, struct span given,
                         struct span held)
{
    for (size_t i = 0; i < p->n; i++) {
        const struct saip_range *r = &p->r[i];
        printf("octets %zu to %zu  %-12s %s\n", r->at, r->at + r->n - 1,
               r->what,
               memcmp(given.p + r->at, held.p + r->at, r->n) ? "personalised"
                                                             : "as given");
    }
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    AUTO(buf_clear) struct buf given = BUF_INIT, held = BUF_INIT;
    struct saip_ranges personal;
    bool none;

    if (opts_parse(&cmd_upp_compare, argc, argv, &none, &rest, 2, 2, e) != 0 ||
        read_package(rest.v[0], &given, e) != 0 ||
        read_package(rest.v[1], &held, e) != 0)
        return -1;
    if (saip_compare(buf_span(&given), buf_span(&held), &personal, e) != 0)
        return -1;
    print_ranges(&personal, buf_span(&given), buf_span(&held));
    printf("%zu octets, the others as given\n", given.n);
    return 0;
}

const struct command cmd_upp_compare = {
    "upp-compare", "GIVEN HELD",
    "Compare two profile packages: only ICCID and IMSI may differ.", opts, run,
};
