/* line: units per hour of 64 fixtures whose cards take 5 ms per APDU, through
 * the station's line with a real ledger on disk, every result and receipt
 * verified and recorded, against 64 threads that only wait 5 ms for as many
 * APDUs. line_slow_disk: the same with 5 ms added to every fsync.
 *
 * A finished unit is taken out and the next one scanned at once, by a robot
 * that needs no time. */
#include <stdio.h>

#include "tests/bench/bench.h"
#include "tests/bench/robot.h"
#include "tests/bench/slow_disk.h"
#include "tests/bench/troupe.h"

#define FIXTURES 64
#define UNITS 16 /* per fixture and round */
#define ROUNDS 3
#define SYNC_NS 5000000

/* The troupe's fixtures, as they are. */
static void start(void *ctx, const struct line_options *o, struct line **out)
{
    char name[FIXTURES][8];
    struct line_fixture fixtures[FIXTURES];
    struct line_options mine = *o;
    struct err e = ERR_INIT;

    (void)ctx;
    for (size_t f = 0; f < FIXTURES; f++) {
        snprintf(name[f], sizeof name[f], "F%zu", f);
        fixtures[f] = (struct line_fixture){ name[f], &troupe_ops, NULL, name[f] + 1 };
    }
    mine.fixtures = fixtures;
    mine.fixture_count = FIXTURES;
    if (line_new(&mine, out, &e) != 0)
        bench_die("line: %s", e.msg);
}

static void end(void *ctx, struct line *l)
{
    (void)ctx;
    line_free(l);
}

static const struct robot_line bare = { start, end, NULL, false };

static void bench_line(void)
{
    robot_race("line", &bare, NULL, FIXTURES, UNITS, ROUNDS);
}

static void bench_line_slow_disk(void)
{
    slow_disk_register(SYNC_NS);
    robot_race("line_slow_disk", &bare, SLOW_DISK, FIXTURES, UNITS, ROUNDS);
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
