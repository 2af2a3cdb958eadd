/* line: units per hour of 64 fixtures whose cards take 5 ms per APDU, through
 * the station's line with a real ledger on disk, every result and receipt
 * verified and recorded, against 64 threads that only wait 5 ms for as many
 * APDUs. line_slow_disk: the same with 5 ms added to every fsync.
 *
 * A finished unit is taken out and the next one scanned at once, by a robot
 * that needs no time. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "station/line/line.h"
#include "tests/bench/bench.h"
#include "tests/bench/mill.h"
#include "tests/bench/slow_disk.h"
#include "tests/bench/troupe.h"

#define FIXTURES 64
#define UNITS 16        /* per fixture and round */
#define ROUNDS 3        /* the median counts     */
#define PROFILE 29000   /* a BPP of about 30 KB  */
#define APDU_NS 5000000
#define SYNC_NS 5000000

/* --- the robot ------------------------------------------------------------------ */

struct robot {
    struct line *line;
    struct troupe *troupe;
    const struct mill_euiccs *euiccs;
    size_t units;          /* per fixture */
    size_t next[FIXTURES]; /* its fixture's thread only */
    atomic_size_t finished;
    atomic_uint_fast64_t apdus;
    pthread_mutex_t lock;
    pthread_cond_t all_done;
};

/* Unit u of fixture f is the u-th of its own eUICCs. */
static void scan_next(struct robot *r, size_t f)
{
    char eid[EID_DIGITS + 1], text[64];
    size_t card = r->next[f]++ * FIXTURES + f;

    troupe_insert(r->troupe, f, card);
    snprintf(text, sizeof text, "F%zu\t%s", f,
             eid_format(&r->euiccs->v[card].eid, eid));
    line_scan(r->line, SPAN_STR(text));
}

static void on_event(void *ctx, const struct line_event *ev)
{
    struct robot *r = ctx;

    if (ev->kind != LINE_VERDICT)
        return;
    if (ev->verdict->kind != VERDICT_PASS)
        bench_die("%s %s: %s: %s", ev->fixture, ev->eid, ev->verdict->code,
                  ev->detail);
    atomic_fetch_add(&r->apdus, ev->apdus);
    size_t f = strtoul(ev->fixture + 1, NULL, 10);
    if (r->next[f] < r->units)
        scan_next(r, f);
    if (atomic_fetch_add(&r->finished, 1) + 1 == r->units * FIXTURES) {
        pthread_mutex_lock(&r->lock);
        pthread_cond_signal(&r->all_done);
        pthread_mutex_unlock(&r->lock);
    }
}

static void wait_for_all(struct robot *r)
{
    pthread_mutex_lock(&r->lock);
    while (atomic_load(&r->finished) < r->units * FIXTURES)
        pthread_cond_wait(&r->all_done, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

/* --- one round ------------------------------------------------------------------- */

struct round {
    int64_t ns;
    uint64_t apdus; /* of all units */
};

static void start_line(struct robot *r, const char *data, const char *vfs)
{
    char name[FIXTURES][8];
    struct line_fixture fixtures[FIXTURES];
    const struct db_options db = { .vfs = vfs };
    const struct line_options o = {
        .data_dir = data, .db = &db, .limits = APDU_LIMITS_DEFAULT,
        .fixtures = fixtures, .fixture_count = FIXTURES, .event = on_event,
        .event_ctx = r,
    };
    struct err e = ERR_INIT;

    for (size_t f = 0; f < FIXTURES; f++) {
        snprintf(name[f], sizeof name[f], "F%zu", f);
        fixtures[f] = (struct line_fixture){ name[f], &troupe_ops, NULL, name[f] + 1 };
    }
    if (line_new(&o, &r->line, &e) != 0)
        bench_die("line: %s", e.msg);
}

static struct round run_line(const char *data, const char *vfs,
                             const struct mill_euiccs *euiccs)
{
    struct robot r = { .euiccs = euiccs, .units = euiccs->n / FIXTURES,
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .all_done = PTHREAD_COND_INITIALIZER };
    struct writer_stats w;

    r.troupe = troupe_new(euiccs, euiccs->n, PROFILE, APDU_NS);
    start_line(&r, data, vfs);
    int64_t t0 = bench_now_ns();
    for (size_t f = 0; f < FIXTURES; f++)
        scan_next(&r, f);
    wait_for_all(&r);
    struct round got = { bench_now_ns() - t0, atomic_load(&r.apdus) };
    line_writer_stats(r.line, &w);
    line_free(r.line);
    troupe_free(r.troupe);
    bench_note("  %zu units, %llu APDUs: %.3f s, %llu durable points in %llu "
               "commits", euiccs->n, (unsigned long long)got.apdus,
               (double)got.ns / 1e9, (unsigned long long)w.durable_points,
               (unsigned long long)w.groups);
    return got;
}

/* --- the limit --------------------------------------------------------------------- */

static void *only_wait(void *ctx)
{
    const uint64_t *apdus = ctx;

    for (uint64_t i = 0; i < *apdus; i++)
        troupe_wait_until(bench_now_ns(), APDU_NS);
    return NULL;
}

static int64_t run_waiters(uint64_t apdus_each)
{
    pthread_t thread[FIXTURES];
    int64_t t0 = bench_now_ns();

    for (size_t f = 0; f < FIXTURES; f++)
        if (pthread_create(&thread[f], NULL, only_wait, &apdus_each) != 0)
            bench_die("line: no thread");
    for (size_t f = 0; f < FIXTURES; f++)
        pthread_join(thread[f], NULL);
    int64_t ns = bench_now_ns() - t0;
    bench_note("  only waiting: %.3f s", (double)ns / 1e9);
    return ns;
}

/* --- the race ------------------------------------------------------------------------ */

/* A station whose stock is one profile for each of these eUICCs. */
struct stocked {
    struct site s;
    struct mill_euiccs euiccs;
    struct mill_bundle bundle;
};

static void stocked_open(struct stocked *k)
{
    size_t n = FIXTURES * bench_scaled(UNITS, 1);

    site_open(&k->s);
    mill_euiccs_make(&k->s, n, &k->euiccs);
    mill_bundle_make(&k->s, &(struct mill_order){ MILL_SHAPED, n, &k->euiccs,
                                                  PROFILE }, &k->bundle);
}

static void stocked_close(struct stocked *k)
{
    mill_bundle_remove(&k->bundle);
    mill_euiccs_clear(&k->euiccs);
    site_close(&k->s);
}

/* The two take turns, so that both see the same machine. */
static void race(const char *name, const char *vfs)
{
    int64_t ours[ROUNDS], waiting[ROUNDS];
    struct site_import ignored;
    struct stocked k;

    bench_note("%s: %d fixtures", name, FIXTURES);
    stocked_open(&k);
    for (int r = 0; r < ROUNDS; r++) {
        char *data = site_station(&k.s);
        site_import(data, k.bundle.path, &ignored);
        struct round got = run_line(data, vfs, &k.euiccs);
        site_remove(data);
        ours[r] = got.ns;
        waiting[r] = run_waiters(got.apdus / FIXTURES);
    }
    double units = (double)k.euiccs.n * 3600e9;
    bench_emit(name, units / (double)bench_median(ours, ROUNDS), "units/h",
               units / (double)bench_median(waiting, ROUNDS), BENCH_RATE);
    stocked_close(&k);
}

static void bench_line(void)
{
    race("line", NULL);
}

static void bench_line_slow_disk(void)
{
    slow_disk_register(SYNC_NS);
    race("line_slow_disk", SLOW_DISK);
    bench_note("  %llu fsyncs, each %d ms longer",
               (unsigned long long)slow_disk_syncs(), SYNC_NS / 1000000);
}

int main(int argc, char **argv)
{
    static const struct bench all[] = {
        { "line", bench_line },
        { "line_slow_disk", bench_line_slow_disk },
    };

    return bench_main(argc, argv, all, sizeof all / sizeof *all);
}
