/* What a ledger of 1,000,000 units, which went through a line with one profile
 * each in one shift and of which nothing was reported yet, takes to answer;
 * the limit is the 100 ms that a person does not notice. Each answer opens the
 * ledger anew, as the command does.
 *
 * unit: `lineside unit`, the units asked for in no order, each by another of its
 * names. stock: `lineside stock`. shift: `lineside shift` of the open shift. */
#include <stdio.h>
#include <stdlib.h>

#include "station/shift/shift.h"
#include "storage/life.h"
#include "storage/queries.h"
#include "tests/bench/bench.h"
#include "tests/bench/mill.h"

#define UNITS 1000000
#define UNITS_FEW 20000
#define UNITS_AT_ONCE 1000  /* one transaction */
#define LIMIT_NS 100000000.0
#define LOOKUPS 300
#define LOOKS 15

static void need(int rc, const struct err *e)
{
    if (rc != 0)
        bench_die("ledger: %s", e->msg);
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

struct some {
    size_t first, last;
};

static int work(struct tx *tx, void *ctx, struct err *e)
{
    const struct some *s = ctx;

    for (size_t n = s->first; n < s->last; n++)
        if (visit(tx, n, e) != 0)
            return -1;
    return 0;
}

static int begin(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    return shift_open(tx, "the longest", "Ada", &(struct shift){ .number = 0 }, e);
}

static char *ledger_make(size_t units)
{
    char *dir = bench_scratch();
    struct err e = ERR_INIT;
    struct db *db;

    bench_note("ledger: making one of %zu units", units);
    need(db_create(dir, NULL, &e), &e);
    need(db_open(dir, DB_WRITE, &(struct db_options){ .cache_kib = 524288 },
                 &db, &e), &e);
    mill_stock(dir, db, units);
    need(db_write(db, begin, NULL, &e), &e);
    for (size_t n = 0; n < units; n += UNITS_AT_ONCE) {
        struct some s = { n, n + UNITS_AT_ONCE < units ? n + UNITS_AT_ONCE
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

/* --- the stock, the shift ------------------------------------------------------------- */

static size_t expected;

static int overview(struct db *db, struct err *e)
{
    struct stock_overview o;

    if (query_overview(db, &o, e) != 0)
        return -1;
    bool whole = o.total.by_state[BPP_INSTALLED] == expected &&
                 o.pending.results == expected && o.bundles.v[0].unexported == expected;
    stock_overview_clear(&o);
    return whole ? 0 : err_set(e, ERR_INTERNAL, "not the whole stock");
}

static int add_figures(void *ctx, const struct shift_record *r, struct err *e)
{
    size_t *n = ctx;

    (void)r, (void)e;
    ++*n;
    return 0;
}

static int figures(struct db *db, void *ctx, struct err *e)
{
    AUTO(buf_clear) struct buf records = BUF_INIT;
    struct shift s;
    size_t *n = ctx;

    int row = shift_find(db, 0, &s, e);
    return row <= 0 || shift_figures_of(db, &s, &records, e) != 0
               ? -1 : shift_records_walk(buf_span(&records), add_figures, n, e);
}

static int shift_now(struct db *db, struct err *e)
{
    size_t n = 0;

    if (db_snapshot(db, figures, &n, e) != 0)
        return -1;
    return n > 0 ? 0 : err_set(e, ERR_INTERNAL, "a shift of nothing");
}

static int64_t time_of(const char *dir, int (*answer)(struct db *, struct err *))
{
    int64_t t0 = bench_now_ns();
    struct err e = ERR_INIT;
    struct db *db;

    need(db_open(dir, DB_READ, NULL, &db, &e), &e);
    need(answer(db, &e), &e);
    db_close(db);
    return bench_now_ns() - t0;
}

static void answers(const char *name, const char *dir,
                    int (*answer)(struct db *, struct err *))
{
    int64_t ns[LOOKS];

    for (size_t i = 0; i < LOOKS; i++)
        ns[i] = time_of(dir, answer);
    bench_emit(name, (double)bench_median(ns, LOOKS), "ns", LIMIT_NS, BENCH_COST);
}

static void units(const char *dir)
{
    static const enum life_by names[] = { LIFE_SERIAL, LIFE_EID, LIFE_ICCID,
                                          LIFE_TXID };
    int64_t ns[LOOKUPS];

    for (size_t i = 0; i < LOOKUPS; i++)
        ns[i] = look(dir, names[i % 4], mill_shuffled(i, expected));
    bench_emit("unit", (double)bench_median(ns, LOOKUPS), "ns", LIMIT_NS, BENCH_COST);
}

/* One ledger for the three: it takes minutes to make. */
static void bench_ledger(void)
{
    expected = bench_scaled(UNITS, UNITS_FEW);
    char *dir = ledger_make(expected);

    units(dir);
    answers("stock", dir, overview);
    answers("shift", dir, shift_now);
    bench_scratch_remove(dir);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = { { "ledger", bench_ledger } };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}
