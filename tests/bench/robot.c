#include "tests/bench/robot.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "tests/bench/bench.h"
#include "tests/bench/troupe.h"

#define ROUNDS_MAX 9

/* --- the robot ------------------------------------------------------------------ */

struct robot {
    struct line *line;
    struct troupe *troupe;
    const struct mill_euiccs *euiccs;
    size_t fixtures;
    size_t units;                    /* per fixture */
    size_t next[ROBOT_FIXTURES_MAX]; /* its fixture's thread only */
    atomic_size_t finished;
    atomic_uint_fast64_t apdus;
    pthread_mutex_t lock;
    pthread_cond_t all_done;
};

/* Unit u of fixture f is the u-th of its own eUICCs. */
static void scan_next(struct robot *r, size_t f)
{
    char eid[EID_DIGITS + 1], text[64];
    size_t card = r->next[f]++ * r->fixtures + f;

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
    if (atomic_fetch_add(&r->finished, 1) + 1 == r->units * r->fixtures) {
        pthread_mutex_lock(&r->lock);
        pthread_cond_signal(&r->all_done);
        pthread_mutex_unlock(&r->lock);
    }
}

static void wait_for_all(struct robot *r)
{
    pthread_mutex_lock(&r->lock);
    while (atomic_load(&r->finished) < r->units * r->fixtures)
        pthread_cond_wait(&r->all_done, &r->lock);
    pthread_mutex_unlock(&r->lock);
}

/* --- one round ------------------------------------------------------------------- */

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

struct round {
    int64_t ns;
    uint64_t apdus; /* of all units */
};

static struct round run_line(const struct robot_line *l, const char *data,
                             const char *vfs, size_t fixtures,
                             const struct mill_euiccs *euiccs)
{
    struct robot r = { .euiccs = euiccs, .fixtures = fixtures,
                       .units = euiccs->n / fixtures,
                       .lock = PTHREAD_MUTEX_INITIALIZER,
                       .all_done = PTHREAD_COND_INITIALIZER };
    const struct db_options db = { .vfs = vfs };
    const struct line_options o = {
        .data_dir = data, .db = &db, .limits = APDU_LIMITS_DEFAULT,
        .event = on_event, .event_ctx = &r,
    };
    struct writer_stats w;

    r.troupe = troupe_new(euiccs, euiccs->n, ROBOT_PROFILE,
                          l->slow_readers ? 0 : ROBOT_APDU_NS);
    l->start(l->ctx, &o, &r.line);
    int64_t t0 = bench_now_ns();
    double cpu = cpu_seconds();
    for (size_t f = 0; f < fixtures; f++)
        scan_next(&r, f);
    wait_for_all(&r);
    struct round got = { bench_now_ns() - t0, atomic_load(&r.apdus) };
    cpu = cpu_seconds() - cpu;
    line_writer_stats(r.line, &w);
    l->end(l->ctx, r.line);
    troupe_free(r.troupe);
    bench_note("  %zu units, %llu APDUs: %.3f s, %.3f s of processor, %llu "
               "durable points in %llu commits",
               euiccs->n, (unsigned long long)got.apdus, (double)got.ns / 1e9, cpu, (unsigned long long)w.durable_points,
               (unsigned long long)w.groups);
    return got;
}

/* --- the plain line ----------------------------------------------------------------- */

/* The troupe's fixtures, as they are. */
static void bare_start(void *ctx, const struct line_options *o, struct line **out)
{
    char name[ROBOT_FIXTURES][8];
    struct line_fixture fixtures[ROBOT_FIXTURES];
    struct line_options mine = *o;
    struct err e = ERR_INIT;

    (void)ctx;
    for (size_t f = 0; f < ROBOT_FIXTURES; f++) {
        snprintf(name[f], sizeof name[f], "F%zu", f);
        fixtures[f] = (struct line_fixture){ name[f], &troupe_ops, NULL, name[f] + 1 };
    }
    mine.fixtures = fixtures;
    mine.fixture_count = ROBOT_FIXTURES;
    if (line_new(&mine, out, &e) != 0)
        bench_die("line: %s", e.msg);
}

static void bare_end(void *ctx, struct line *l)
{
    (void)ctx;
    line_free(l);
}

const struct robot_line robot_bare = { bare_start, bare_end, NULL, false };

/* --- the limit --------------------------------------------------------------------- */

static void *only_wait(void *ctx)
{
    const uint64_t *apdus = ctx;

    for (uint64_t i = 0; i < *apdus; i++)
        troupe_wait_until(bench_now_ns(), ROBOT_APDU_NS);
    return NULL;
}

static int64_t run_waiters(size_t fixtures, uint64_t apdus_each)
{
    pthread_t thread[ROBOT_FIXTURES_MAX];
    int64_t t0 = bench_now_ns();

    for (size_t f = 0; f < fixtures; f++)
        if (pthread_create(&thread[f], NULL, only_wait, &apdus_each) != 0)
            bench_die("line: no thread");
    for (size_t f = 0; f < fixtures; f++)
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

static void stocked_open(struct stocked *k, size_t n)
{
    site_open(&k->s);
    mill_euiccs_make(&k->s, n, &k->euiccs);
    mill_bundle_make(&k->s, &(struct mill_order){ MILL_SHAPED, n, &k->euiccs,
                                                  ROBOT_PROFILE }, &k->bundle);
}

static void stocked_close(struct stocked *k)
{
    mill_bundle_remove(&k->bundle);
    mill_euiccs_clear(&k->euiccs);
    site_close(&k->s);
}

static struct round one_round(const struct stocked *k, const struct robot_line *l,
                              const char *vfs, size_t fixtures)
{
    struct site_import ignored;
    char *data = site_station(&k->s);

    site_import(data, k->bundle.path, &ignored);
    struct round got = run_line(l, data, vfs, fixtures, &k->euiccs);
    site_remove(data);
    return got;
}

/* The two take turns, so that both see the same machine. */
static void race(const char *name, const struct robot_line *l,
                 const struct robot_line *other, const char *vfs,
                 size_t fixtures, size_t units, int rounds)
{
    int64_t ours[ROUNDS_MAX], theirs[ROUNDS_MAX];
    struct stocked k;

    bench_note("%s: %zu fixtures", name, fixtures);
    stocked_open(&k, fixtures * bench_scaled(units, 1));
    for (int r = 0; r < rounds; r++) {
        struct round got = one_round(&k, l, vfs, fixtures);
        ours[r] = got.ns;
        theirs[r] = other ? one_round(&k, other, vfs, fixtures).ns
                          : run_waiters(fixtures, got.apdus / fixtures);
    }
    double all = (double)k.euiccs.n * 3600e9;
    bench_emit(name, all / (double)bench_median(ours, rounds), "units/h",
               all / (double)bench_median(theirs, rounds), BENCH_RATE);
    stocked_close(&k);
}

void robot_race(const char *name, const struct robot_line *l, const char *vfs,
                size_t fixtures, size_t units, int rounds)
{
    race(name, l, NULL, vfs, fixtures, units, rounds);
}

void robot_race_line(const char *name, const struct robot_line *l,
                     const struct robot_line *other, size_t units, int rounds)
{
    race(name, l, other, NULL, ROBOT_FIXTURES, units, rounds);
}
