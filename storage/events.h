/* storage/events.h: the append-only event table. Every change of the ledger
 * appends one event in the same transaction; each event's DER names the
 * SHA-256 of the one before (ifpp/event.h). Triggers forbid any change. */
#ifndef LINESIDE_STORAGE_EVENTS_H
#define LINESIDE_STORAGE_EVENTS_H

#include "station/ifpp/event.h"
#include "storage/db.h"

struct event_head {
    uint64_t number; /* 0: no event yet */
    int64_t at;
    uint8_t hash[EVENT_HASH]; /* zero before event 1 */
};

/* Append. *number may be NULL. The time is the machine's clock under the
 * floor rule (binding, clause 5; clock_for_checks): never before the event
 * before it or an accepted created-at, and never more than 30 days after,
 * so that one wrong clock cannot poison the floor. */
int event_append(struct tx *tx, const char *kind, const char *actor,
                 const struct event_field *f, size_t n, uint64_t *number,
                 struct err *e);

/* Text that may stand in an event, or be shown: ill-formed or control octets
 * become '?', cut at max octets on a character's edge. out: max + 1. */
void text_plain(const char *in, char *out, size_t max);

/* The newest event, or all zero. */
int event_head(struct db *db, struct event_head *out, struct err *e);
/* The head as it was after event `number` (0: before the first). ERR_NOT_FOUND. */
int event_head_at(struct db *db, uint64_t number, struct event_head *out,
                  struct err *e);

/* Events first..last in order (last 0: to the newest). der is valid during
 * the call; non-zero ends the walk with that error. */
typedef int event_fn(void *ctx, uint64_t number, struct span der,
                     const uint8_t hash[EVENT_HASH], struct err *e);
int event_walk(struct db *db, uint64_t first, uint64_t last, event_fn *fn,
               void *ctx, struct err *e);

/* The first event at this time or later; one past the newest when there is
 * none. Times never fall, so this reads a handful of events. */
int event_since(struct db *db, int64_t at, uint64_t *number, struct err *e);

/* Every event is well-formed, numbered without a gap, names the hash before
 * it, and is stored under its own hash. ERR_CONFLICT names the first that is
 * not. */
int event_verify(struct db *db, struct event_head *head, struct err *e);

/* --- the clock (binding, clause 5) ----------------------------------------- */

struct ledger_clock {
    int64_t floor;  /* latest committed event or accepted created-at; 0: none */
    int64_t now;    /* the time for checks                                    */
    bool confirmed; /* the machine's clock was believed                       */
};
int ledger_clock(struct db *db, struct ledger_clock *out, struct err *e);

/* A line engineer says the machine's clock is right: logged, and from then on
 * the floor. ERR_CONFLICT if it lies before the floor: nothing may go back. */
int ledger_clock_confirm(struct tx *tx, const char *actor, struct err *e);

#endif
