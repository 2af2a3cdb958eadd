/* lab/euicc/card.h: a software eUICC as a fixture sees it: contacts, ATR,
 * APDUs. No sockets here (server.h has them): unit tests, the bench and the
 * FPA's own tests use a chip in-process through this header.
 *
 * A card is used by one thread at a time; different cards are independent.
 * Volatile state (channels, chains, authorisation, a half-done load) dies with
 * power off; everything else is in the store, committed before the answer
 * that tells of it is returned. */
#ifndef LINESIDE_LAB_EUICC_CARD_H
#define LINESIDE_LAB_EUICC_CARD_H

#include "station/base/err.h"
#include "station/base/span.h"

enum card_fault {
    CARD_FAULT_NONE,
    CARD_FAULT_SW,        /* 6F00, command not processed               */
    CARD_FAULT_MUTE,      /* never answers again until power off       */
    CARD_FAULT_GARBAGE,   /* octets that are no answer to this command */
    CARD_FAULT_ENDLESS61, /* 61FF, and 61FF again to GET RESPONSE      */
    CARD_FAULT_CUT,       /* processed, power goes before the answer   */
    CARD_FAULT_CUT_BEFORE /* power goes, not processed                 */
};

/* Faults fire once in the life of the struct card, at APDU number fault_at,
 * counted from 1 at the first power on and over all later ones. */
struct card_options {
    unsigned delay_ms;  /* every APDU takes that long          */
    unsigned fault_at;  /* 0: never                            */
    enum card_fault fault;
    bool damaged;       /* nonsense instead of ATR and answers */
};

struct card;

/* Open the chip kept at `path` (store.h). No power yet. options NULL: none. */
int card_open(const char *path, const struct card_options *options,
              struct card **out, struct err *e);

/* Cold reset; also for a warm one. *atr is replaced. Whatever was not
 * committed is rolled back (binding, clause 4). */
int card_power_on(struct card *c, struct buf *atr, struct err *e);

/* The octets that power_on says, without touching the card: a reader that
 * asks again. */
int card_atr(const struct card *c, struct buf *atr, struct err *e);

/* One command APDU, one response: *rsp is replaced, at least SW1 SW2.
 * Nonsense commands get a status word, not an error. ERR_NO_CARD: no power,
 * or power was just cut by a fault (power_on works again). ERR_TIMEOUT: mute.
 * Other codes: the store failed; the chip is then without power. */
int card_transmit(struct card *c, struct span cmd, struct buf *rsp,
                  struct err *e);

/* APDUs seen since card_open. */
unsigned card_apdu_count(const struct card *c);

void card_power_off(struct card *c); /* harmless twice */
void card_close(struct card *c);     /* NULL is fine   */
void card_close_p(struct card **c);  /* for AUTO       */

#endif
