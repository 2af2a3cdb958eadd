/* fpa/apdu: one session with one eUICC over one fixture (binding, clause 4):
 * power, TERMINAL CAPABILITY, MANAGE CHANNEL, SELECT ISD-R, then STORE DATA
 * chains out and whole answers back. GET RESPONSE and the one re-issue after
 * 6Cxx are done here, once, above all drivers. Extended APDUs are never sent.
 *
 * The card is an untrusted source: what it makes us hold and how long it makes
 * us wait are bounded by apdu_limits. A session is used by one thread. */
#ifndef LINESIDE_FPA_APDU_H
#define LINESIDE_FPA_APDU_H

#include "drivers/fixture.h"
#include "station/base/err.h"
#include "station/base/span.h"

#define APDU_DATA_MAX 255 /* octets of a chain per STORE DATA */

struct apdu_limits {
    int power_on_ms;           /* until the ATR has come           */
    int apdu_ms;               /* one command, one response        */
    int64_t unit_ms;           /* the whole session, from its open */
    size_t answer_max;         /* octets of one answer             */
    unsigned get_response_max; /* GET RESPONSEs of one answer      */
};
#define APDU_LIMITS_DEFAULT                                        \
    ((struct apdu_limits){ .power_on_ms = 10 * 1000,               \
                           .apdu_ms = 120 * 1000,                  \
                           .unit_ms = 15 * 60 * 1000,              \
                           .answer_max = 64 * 1024,                \
                           .get_response_max = 300 })

/* What has been handed to the driver since apdu_open, control commands and
 * GET RESPONSEs included. A command counts before it leaves: one whose answer
 * was lost is counted, one that never left is not. */
struct apdu_counters {
    uint64_t apdus;
    uint64_t octets_out;
    uint64_t octets_in;
};

struct apdu;

/* Power on, open a logical channel, select the ISD-R. A refused MANAGE CHANNEL
 * is tried once more after a reset. `f` stays the caller's and must outlive
 * the session; on failure it is powered off. limits NULL: the defaults.
 * ERR_NO_CARD, ERR_TIMEOUT, ERR_CARD (with sw when a status word said no). */
int apdu_open(struct fixture *f, const struct apdu_limits *limits,
              struct apdu **out, struct err *e);

/* Send `data` (at least one octet) as one chain and collect its answer, which
 * may be empty; *answer is replaced and *sw, when not NULL, is the last status
 * word seen (0: none). An answer that comes before the last command of the
 * chain ends the chain.
 * ERR_CARD with sw: a status word that is neither success nor more data.
 * ERR_LIMIT: answer_max or get_response_max passed. ERR_TIMEOUT: apdu_ms or
 * unit_ms. ERR_NO_CARD: it went away. After any failure but a plain status
 * word the card is powered off and the session is over: every later call
 * answers ERR_NO_CARD and sends nothing. */
int apdu_chain(struct apdu *s, struct span data, struct buf *answer,
               uint16_t *sw, struct err *e);

bool apdu_alive(const struct apdu *s);
struct span apdu_atr(const struct apdu *s);
const struct apdu_counters *apdu_counters(const struct apdu *s);

void apdu_close(struct apdu *s); /* powers off; NULL is fine */
void apdu_close_p(struct apdu **s); /* for AUTO */

/* Meaning and next step of a status word, for the person at the line. */
const char *apdu_sw_text(uint16_t sw);

#endif
