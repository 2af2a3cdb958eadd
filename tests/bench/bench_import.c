/* import: octets of records per second through the real `lineside import`, the
 * importer's process included, against plain.h on the same cores and disk.
 *
 * import_rss: the peak memory of the importer and the station together, for
 * very many small records and for some of the largest, against what is allowed
 * whatever the size. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/bench/mill.h"
#include "tests/bench/plain.h"
#include "tests/bench/site.h"

#define ROUNDS 3
#define RSS_LIMIT_KIB (64 * 1024)

static void import_one(const struct site *s, const struct mill_bundle *b,
                       struct site_import *out)
{
    char *data = site_station(s);

    site_import(data, b->path, out);
    site_remove(data);
    bench_note("  %zu records, %.1f MB: %.2f s, %.1f MiB station, %.1f MiB "
               "importer", b->records, (double)b->octets / 1e6,
               (double)out->ns / 1e9, (double)out->station_kib / 1024,
               (double)out->importer_kib / 1024);
}

/* --- import --------------------------------------------------------------------- */

/* The two take turns, so that both see the same machine and disk. */
static void race(const struct site *s, const struct mill_bundle *b)
{
    int64_t ours[ROUNDS], plain[ROUNDS];

    for (int r = 0; r < ROUNDS; r++) {
        struct site_import got;
        plain[r] = plain_import_ns(s->dir, b->records,
                                   (size_t)(b->octets / b->records));
        bench_note("  a plain program: %.2f s", (double)plain[r] / 1e9);
        import_one(s, b, &got);
        ours[r] = got.ns;
    }
    double octets = (double)b->octets * 1e9;
    bench_emit("import", octets / (double)bench_median(ours, ROUNDS), "octets/s",
               octets / (double)bench_median(plain, ROUNDS), BENCH_RATE);
}

static void bench_import(void)
{
    size_t n = bench_scaled(20000, MILL_BATCH);
    struct mill_euiccs euiccs;
    struct mill_bundle b;
    struct site s;

    site_open(&s);
    bench_note("import: making %zu records", n);
    mill_euiccs_make(&s, n, &euiccs);
    mill_bundle_make(&s, &(struct mill_order){ MILL_BOUND, n, &euiccs,
                                               MILL_REAL_SIZE }, &b);
    mill_euiccs_clear(&euiccs);
    race(&s, &b);
    mill_bundle_remove(&b);
    site_close(&s);
}

/* --- import_rss ------------------------------------------------------------------- */

#define EUICCS 2000
#define SMALL_OCTETS 64 /* of profile: a record of 1 KiB */
#define LARGE_RECORDS 256
#define LARGE_OCTETS 1000000 /* of profile: near the binding's bound of a record */

static long peak_kib(const struct site *s, const struct mill_order *o)
{
    struct mill_bundle b;
    struct site_import got;

    bench_note("import_rss: making %zu records of %zu octets of profile",
               o->records, o->profile);
    mill_bundle_make(s, o, &b);
    import_one(s, &b, &got);
    mill_bundle_remove(&b);
    return got.station_kib + got.importer_kib;
}

static void bench_import_rss(void)
{
    size_t n = bench_scaled(1000000, EUICCS);
    struct mill_euiccs euiccs;
    const struct mill_order orders[] = {
        { MILL_SHAPED, n, &euiccs, SMALL_OCTETS },
        { MILL_SHAPED, LARGE_RECORDS, &euiccs, LARGE_OCTETS },
    };
    struct site s;
    long worst = 0;

    site_open(&s);
    mill_euiccs_make(&s, EUICCS, &euiccs);
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        long kib = peak_kib(&s, &orders[i]);
        if (kib > worst)
            worst = kib;
    }
    bench_emit("import_rss", (double)worst / 1024, "MiB",
               (double)RSS_LIMIT_KIB / 1024, BENCH_COST);
    mill_euiccs_clear(&euiccs);
    site_close(&s);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = {
        { "import", bench_import },
        { "import_rss", bench_import_rss },
    };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}
