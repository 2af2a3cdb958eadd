/* line: units per hour of 64 fixtures whose cards take 5 ms per APDU, through
 * the station's line with a real ledger on disk, every result and receipt
 * verified and recorded, against 64 threads that only wait 5 ms for as many
 * APDUs. line_slow_disk: the same with 5 ms added to every fsync.
 *
 * A finished unit is taken out and the next one scanned at once, by a robot
 * that needs no time. */
#include "tests/bench/bench.h"
#include "tests/bench/robot.h"
#include "tests/bench/slow_disk.h"

#define FIXTURES 64
#define UNITS 16 /* per fixture and round */
#define ROUNDS 3
#define SYNC_NS 5000000

static void bench_line(void)
{
    robot_race("line", &robot_bare, NULL, FIXTURES, UNITS, ROUNDS);
}

static void bench_line_slow_disk(void)
{
    slow_disk_register(SYNC_NS);
    robot_race("line_slow_disk", &robot_bare, SLOW_DISK, FIXTURES, UNITS, ROUNDS);
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
