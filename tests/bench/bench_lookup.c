/* lookup: how often per second a fixture's thread finds the BPPs of an EID
 * (stock_of_eid) among 1,000,000 records, against a ledger of 10,000. The page
 * cache is a worker's, which holds the small ledger's index nearly whole and
 * of the large one next to nothing. EIDs come in no order. */
#include <stdlib.h>

#include "storage/stock.h"
#include "tests/bench/bench.h"
#include "tests/bench/mill.h"

#define RECORDS 1000000
#define RECORDS_FEW 10000
#define LOOKUPS 5000 /* per round     */
#define ROUNDS 15    /* the median counts */

struct ledger {
    char *dir;
    size_t records;
    struct db *db;
};

static void need(int rc, const struct err *e)
{
    if (rc != 0)
        bench_die("lookup: %s", e->msg);
}

/* --- a ledger ---------------------------------------------------------------------- */

static void ledger_make(struct ledger *l, size_t records)
{
    struct err e = ERR_INIT;

    bench_note("lookup: making a ledger of %zu records", records);
    *l = (struct ledger){ .dir = bench_scratch(), .records = records };
    need(db_create(l->dir, NULL, &e), &e);
    need(db_open(l->dir, DB_WRITE, NULL, &l->db, &e), &e);
    mill_stock(l->dir, l->db, records);
    db_close(l->db);
    need(db_open(l->dir, DB_READ, &(struct db_options){ .cache_kib = 512 },
                 &l->db, &e), &e);
}

static void ledger_clear(struct ledger *l)
{
    db_close(l->db);
    bench_scratch_remove(l->dir);
}

/* --- looking ------------------------------------------------------------------------ */

/* What is looked for, made before the clock starts. */
struct wanted {
    struct eid eid;
    struct txid txid;
};

static void want(struct wanted *w, const struct ledger *l, size_t round)
{
    for (size_t i = 0; i < LOOKUPS; i++) {
        size_t n = mill_shuffled((round * LOOKUPS + i) % l->records, l->records);
        mill_eid(n, &w[i].eid);
        mill_txid(n, &w[i].txid);
    }
}

static int64_t look(const struct ledger *l, size_t round)
{
    static struct wanted w[LOOKUPS];

    want(w, l, round);
    int64_t t0 = bench_now_ns();
    for (size_t i = 0; i < LOOKUPS; i++) {
        struct bpp_list found = { NULL, 0 };
        struct err e = ERR_INIT;
        need(stock_of_eid(l->db, &w[i].eid, &found, &e), &e);
        if (found.n != 1 || !txid_eq(&found.v[0].txid, &w[i].txid))
            bench_die("lookup: the wrong BPP, or not one");
        bpp_list_clear(&found);
    }
    return bench_now_ns() - t0;
}

/* Rounds of the two take turns, so that both see the same machine. */
static void bench_lookup(void)
{
    int64_t many_ns[ROUNDS], few_ns[ROUNDS];
    struct ledger many, few;

    ledger_make(&few, RECORDS_FEW);
    ledger_make(&many, bench_scaled(RECORDS, RECORDS_FEW));
    for (size_t r = 0; r < ROUNDS; r++) {
        few_ns[r] = look(&few, r);
        many_ns[r] = look(&many, r);
    }
    bench_emit("lookup", LOOKUPS * 1e9 / (double)bench_median(many_ns, ROUNDS),
               "lookups/s", LOOKUPS * 1e9 / (double)bench_median(few_ns, ROUNDS),
               BENCH_RATE);
    ledger_clear(&few);
    ledger_clear(&many);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = { { "lookup", bench_lookup } };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}
