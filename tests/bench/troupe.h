/* A troupe of puppet cards (lab/puppet.h) behind fixtures: each knows one
 * profile's whole part by heart. The signed result is made beforehand; only
 * receipts, which carry the station's nonce, are signed on the stage. Every
 * command takes a fixed time, what the card computes included. */
#ifndef LINESIDE_TESTS_BENCH_TROUPE_H
#define LINESIDE_TESTS_BENCH_TROUPE_H

#include "drivers/fixture.h"
#include "tests/bench/mill.h"

struct troupe;

/* Cards 0..n-1: eUICC i, whose one key is for record i of a bundle that was
 * made for these eUICCs (mill.h). `profile` as in that bundle's order. The
 * eUICCs are borrowed. */
struct troupe *troupe_new(const struct mill_euiccs *euiccs, size_t n,
                          size_t profile, int64_t apdu_ns);
void troupe_free(struct troupe *t); /* after the line that used it */

/* A fixture's card from now on; before its power is on. */
void troupe_insert(struct troupe *t, size_t fixture, size_t card);

/* Driver: `where` is a fixture's number. Of the last troupe made. */
extern const struct fixture_ops troupe_ops;

/* Return ns after it began: what a card's slowness is. */
void troupe_wait_until(int64_t began_ns, int64_t ns);

#endif
