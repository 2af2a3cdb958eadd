/* storage/states.h: the state machines of the ledger as tables: BPPs
 * (stock_move acts by it, stock.h), positions of units (units.h) and work
 * orders (orders.h). No state
 * changes but by a row here; docs/states.md is drawn from the same rows. */
#ifndef LINESIDE_STORAGE_STATES_H
#define LINESIDE_STORAGE_STATES_H

#include <stdbool.h>
#include <stddef.h>

/* --- BPPs: the binding's seven states -------------------------------------- */

enum bpp_state { /* numbers are stored: never renumber */
    BPP_IN_STOCK,
    BPP_RESERVED,
    BPP_LOADING, /* a card may have seen an octet of it */
    BPP_INSTALLED,
    BPP_FAILED,
    BPP_QUARANTINED,
    BPP_VOIDED,
    BPP_STATES
};
const char *bpp_state_name(enum bpp_state s); /* "in-stock" */

enum stock_cause {
    CAUSE_SCAN,             /* its eUICC stands in a fixture                */
    CAUSE_RELEASED,         /* reserved, then not needed: nothing was sent  */
    CAUSE_LEFTOVER,         /* reserved by a process that ended             */
    CAUSE_LOAD,             /* the first ES8f octet is about to be sent     */
    CAUSE_RESULT,           /* the card's answer to this load: a BF37       */
    CAUSE_KEY_UNUSED,       /* in doubt: no BF37, key unused, ICCID absent  */
    CAUSE_EVIDENCE_FOUND,   /* in doubt: the card kept a BF37               */
    CAUSE_NO_EVIDENCE,      /* in doubt: key gone, no BF37                  */
    CAUSE_CONSUMED_ELSEWHERE, /* key gone, and no act of this ledger used it */
    CAUSE_GIVEN_UP,         /* two people: it will never be used            */
    CAUSE_WRITTEN_OFF,      /* two people: its eUICC will never tell         */
    CAUSE_COUNT
};
const char *stock_cause_name(enum stock_cause c); /* "consumed-elsewhere" */

/* Whether this ledger ever began to send the BPP decides between
 * "consumed without evidence" and "consumed elsewhere" (clause 4). */
enum attempts_rule { ATTEMPTS_ANY, ATTEMPTS_NONE, ATTEMPTS_SOME };

struct stock_transition {
    enum bpp_state from, to;
    enum stock_cause cause;
    enum attempts_rule attempts;
    const char *what; /* happened, in plain words: for docs/states.md */
};
extern const struct stock_transition stock_transitions[];
extern const size_t stock_transition_count;
/* The row, or NULL: not allowed. */
const struct stock_transition *stock_transition(enum bpp_state from,
                                                enum bpp_state to,
                                                enum stock_cause cause,
                                                unsigned attempts);

/* --- positions of units ---------------------------------------------------- */

enum position_state { /* numbers are stored: never renumber */
    POSITION_OPEN,       /* known, or being worked on      */
    POSITION_PASSED,     /* all evidence committed         */
    POSITION_STOCKED,    /* done so far, keys kept         */
    POSITION_FAILED,
    POSITION_UNRESOLVED, /* the card has to be asked again */
    POSITION_QUARANTINED, /* held back until two people act (quarantine.h) */
    POSITION_SCRAPPED,
    POSITION_STATES
};
const char *position_state_name(enum position_state s); /* "passed" */

enum position_cause {
    POSITION_CAUSE_SCAN,      /* the unit stands in a fixture again            */
    POSITION_CAUSE_EVIDENCE,  /* everything its recipe asks for is proven      */
    POSITION_CAUSE_KEYS_KEPT, /* done so far; the recipe keeps one-time keys   */
    POSITION_CAUSE_VERDICT,   /* the visit ended without PASS: the code is why */
    POSITION_CAUSE_LEFTOVER,  /* a process ended while a BPP of it was loading */
    POSITION_CAUSE_DOUBT,     /* the visit ended with its state in doubt       */
    POSITION_CAUSE_RETRIES,   /* ... too often at the same step                */
    POSITION_CAUSE_RELEASED,  /* two people let it go on                       */
    POSITION_CAUSE_RESOLVE,   /* two people want its eUICC to be asked         */
    POSITION_CAUSE_SCRAPPED,  /* two people gave it up                         */
    POSITION_CAUSE_REPLACED,  /* two people recorded that its board is another */
    POSITION_CAUSE_RETURN,    /* it stands in a fixture to give its profiles back */
    POSITION_CAUSE_RETURNED,  /* they are deleted, and that is proven          */
    POSITION_CAUSES
};
const char *position_cause_name(enum position_cause c); /* "keys-kept" */

struct position_transition {
    enum position_state from, to;
    enum position_cause cause;
    const char *what;
};
extern const struct position_transition position_transitions[];
extern const size_t position_transition_count;
/* The row, or NULL: not allowed. */
const struct position_transition *position_transition(enum position_state from,
                                                      enum position_state to,
                                                      enum position_cause cause);

/* --- work orders ------------------------------------------------------------ */

enum order_state { /* numbers are stored: never renumber */
    ORDER_WAITING, /* here, and nothing is made by it yet */
    ORDER_ACTIVE,
    ORDER_CLOSED,
    ORDER_STATES
};
const char *order_state_name(enum order_state s); /* "active" */

enum order_cause {
    ORDER_CAUSE_ACTIVATED,
    ORDER_CAUSE_CLOSED,
    ORDER_CAUSE_WITHDRAWN,
    ORDER_CAUSES
};
const char *order_cause_name(enum order_cause c);

struct order_transition {
    enum order_state from, to;
    enum order_cause cause;
    const char *what;
};
extern const struct order_transition order_transitions[];
extern const size_t order_transition_count;
/* The row, or NULL: not allowed. */
const struct order_transition *order_transition(enum order_state from,
                                                enum order_state to,
                                                enum order_cause cause);

#endif
