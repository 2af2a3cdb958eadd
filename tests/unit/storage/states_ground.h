/* A ledger with one bundle, a unit in it and somebody who looks at the file:
 * for tests that try every step of a state machine. */
#ifndef LINESIDE_TESTS_STATES_GROUND_H
#define LINESIDE_TESTS_STATES_GROUND_H

#include "tests/unit/storage/ledger_ground.h"

#define ACTOR "Ada Lovelace"
#define BENCH_BPPS 10

struct bench {
    struct ground g;
    sqlite3 *outside;
    struct act act;      /* of all moves: ACTOR, F3, unit SN1 */
    struct buf before, after;
    unsigned bpps;       /* taken so far, of those in the bundle */
    unsigned units;
};
void bench_open(struct bench *b);
void bench_close(struct bench *b); /* everything adds up */

/* The next unit, SN1 and on: its position. */
int64_t position_new(struct bench *b);

/* One statement by somebody who writes to the file: SQLite's code. */
int outside_run(sqlite3 *s, const char *sql);

/* Not an octet of what is committed differs from what it was at the mark. */
void bench_mark(struct bench *b);
void bench_unchanged(struct bench *b, const char *what);

uint64_t newest(struct bench *b); /* event */

struct want {
    const char *name, *value; /* NULL: the field is not there */
};
/* Event `number` is the newest, of now, and says just this. */
void says(struct bench *b, uint64_t number, const char *kind,
          const char *actor, const struct want *want, size_t n);

#endif
