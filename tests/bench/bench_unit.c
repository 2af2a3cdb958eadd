/* unit: how long `lineside unit` looks for one unit, of 1,000,000 that went
 * through a line with one profile each; the limit is the 100 ms that a person
 * does not notice. Each lookup opens the ledger anew, as the command does, and
 * the units are asked for in no order, each by another of its names. */
#include <stdio.h>
#include <stdlib.h>

#include "storage/life.h"
#include "tests/bench/bench.h"
#include "tests/bench/mill.h"

#define UNITS 1000000
#define UNITS_FEW 20000
#define UNITS_AT_ONCE 1000  /* one transaction */
#define LIMIT_NS 100000000.0
#define LOOKUPS 300

static void need(int rc, const struct err *e)
{
    if (rc != 0)
        bench_die("unit: %s", e->msg);
}

/* --- a ledger ---------------------------------------------------------------------- */

static void serial_of(size_t n, char out[UNIT_SERIAL_MAX + 1])
{
    snprintf(out, UNIT_SERIAL_MAX + 1, "SN-%08zu", n);
}

/* What one visit to a fixture writes. */
static int visit(struct tx *tx, size_t n, struct err *e)
{
    static const uint8_t bf37[200] = { 0xbf, 0x37 };
    static const uint8_t receipt[120];
    const struct receipt_info closed = { 0x73, n, 1, 0, SPAN_ARRAY(receipt) };
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    struct act a = { .actor = "line", .fixture = "F1" };
    char serial[UNIT_SERIAL_MAX + 1];
    struct position p;
    struct eid eid;

    serial_of(n, serial);
    mill_eid(n, &eid);
    if (unit_register(tx, serial, POSITION_MAIN, &eid, &a, &p, e) != 0)
        return -1;
    a.position = p.id;
    return stock_reserve(tx, &eid, &a, &l, e) != 0 ||
           stock_load(tx, l.v[0].id, &a, e) != 0 ||
           stock_result(tx, l.v[0].id, true, CAUSE_RESULT, SPAN_ARRAY(bf37),
                        &a, e) != 0 ||
           receipt_add(tx, &a, &closed, e) != 0 ||
           position_move(tx, &a, POSITION_PASSED, POSITION_CAUSE_EVIDENCE, NULL,
                         e) != 0 ? -1 : 0;
}

struct shift {
    size_t first, last;
};

static int work(struct tx *tx, void *ctx, struct err *e)
{
    const struct shift *s = ctx;

    for (size_t n = s->first; n < s->last; n++)
        if (visit(tx, n, e) != 0)
            return -1;
    return 0;
}

static char *ledger_make(size_t units)
{
    char *dir = bench_scratch();
    struct err e = ERR_INIT;
    struct db *db;

    bench_note("unit: making a ledger of %zu units", units);
    need(db_create(dir, NULL, &e), &e);
    need(db_open(dir, DB_WRITE, &(struct db_options){ .cache_kib = 524288 },
                 &db, &e), &e);
    mill_stock(dir, db, units);
    for (size_t n = 0; n < units; n += UNITS_AT_ONCE) {
        struct shift s = { n, n + UNITS_AT_ONCE < units ? n + UNITS_AT_ONCE
                                                        : units };
        need(db_write(db, work, &s, &e), &e);
    }
    db_close(db);
    return dir;
}

/* --- looking ------------------------------------------------------------------------ */

static int ask(struct db *db, void *ctx, struct err *e)
{
    AUTO(life_subjects_clear) struct life_subjects who = { NULL, 0 };
    const struct life_key *k = ctx;
    struct life l = { .euiccs = NULL };

    if (life_find(db, k, &who, e) != 0)
        return -1;
    if (who.n != 1)
        return err_set(e, ERR_INTERNAL, "%zu units instead of one", who.n);
    int bad = life_read(db, &who.v[0], &l, e);
    /* Six of its own and its bundle's. */
    if (!bad && (l.event_count != 7 || l.evidence_count != 2 ||
                 l.euicc_count != 1 || l.euiccs[0].bpp_count != 1))
        bad = err_set(e, ERR_INTERNAL, "not all of the unit's life: %zu events",
                      l.event_count);
    life_clear(&l);
    return bad;
}

static int64_t look(const char *dir, enum life_by by, size_t n)
{
    struct life_key k = { .by = by };
    char serial[UNIT_SERIAL_MAX + 1];
    struct err e = ERR_INIT;
    struct db *db;

    serial_of(n, serial);
    k.serial = serial;
    mill_eid(n, &k.eid);
    mill_iccid(n, &k.iccid);
    mill_txid(n, &k.txid);
    int64_t t0 = bench_now_ns();
    need(db_open(dir, DB_READ, NULL, &db, &e), &e);
    need(db_snapshot(db, ask, &k, &e), &e);
    db_close(db);
    return bench_now_ns() - t0;
}

static void bench_unit(void)
{
    static const enum life_by names[] = { LIFE_SERIAL, LIFE_EID, LIFE_ICCID,
                                          LIFE_TXID };
    size_t units = bench_scaled(UNITS, UNITS_FEW);
    char *dir = ledger_make(units);
    int64_t ns[LOOKUPS];

    for (size_t i = 0; i < LOOKUPS; i++)
        ns[i] = look(dir, names[i % 4], mill_shuffled(i, units));
    bench_emit("unit", (double)bench_median(ns, LOOKUPS), "ns", LIMIT_NS,
               BENCH_COST);
    bench_scratch_remove(dir);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = { { "unit", bench_unit } };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}
