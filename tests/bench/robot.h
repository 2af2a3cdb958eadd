/* A robot that needs no time: a finished unit is taken out of its fixture and
 * the next one scanned at once; and what it races against, threads that only
 * wait as long as the cards take. Fixtures are called F0, F1, and on. */
#ifndef LINESIDE_TESTS_BENCH_ROBOT_H
#define LINESIDE_TESTS_BENCH_ROBOT_H

#include "station/line/line.h"
#include "tests/bench/mill.h"

#define ROBOT_FIXTURES 64 /* of the plain line */
#define ROBOT_FIXTURES_MAX 256
#define ROBOT_APDU_NS 5000000
#define ROBOT_PROFILE 29000 /* a BPP of about 30 KB  */

/* Starts and ends the line: F<n> holds the troupe's fixture n (troupe.h).
 * start returns when every fixture is ready. */
struct robot_line {
    void (*start)(void *ctx, const struct line_options *o, struct line **out);
    void (*end)(void *ctx, struct line *l); /* with all its threads */
    void *ctx;
    bool slow_readers; /* the time a card takes is kept by what is before it */
};

/* So many fixtures, so many units each; the median of `rounds` in which line
 * and waiters take turns is emitted as units/h. vfs: of the ledger's disk. */
void robot_race(const char *name, const struct robot_line *l, const char *vfs,
                size_t fixtures, size_t units, int rounds);
/* ... of ROBOT_FIXTURES, against another line in place of the waiters. */
void robot_race_line(const char *name, const struct robot_line *l,
                     const struct robot_line *other, size_t units, int rounds);

/* The troupe's ROBOT_FIXTURES fixtures, as they are. */
extern const struct robot_line robot_bare;

#endif
