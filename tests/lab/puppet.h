/* lab/puppet.h: a card of cardboard: contacts, one channel, STORE DATA chains
 * and GET RESPONSE, but no eUICC inside. What a whole chain is answered with
 * comes from a function, so that tests, fuzzers and benches can put any words
 * into a card's mouth. A fixture (drivers/fixture.h) in-process. */
#ifndef LINESIDE_LAB_PUPPET_H
#define LINESIDE_LAB_PUPPET_H

#include "drivers/fixture.h"
#include "station/base/err.h"
#include "station/base/span.h"

struct puppet_rules {
    /* One chain has come in whole. Append the answer's data, return the
     * status word that ends it. NULL: 9000 and no data. */
    uint16_t (*answer)(void *ctx, struct span chain, struct buf *data);
    void *ctx;
    bool by_get_response; /* data behind 61xx (T=0), else with the answer */
    unsigned channel;     /* the number that MANAGE CHANNEL gives; 0: 1   */
    unsigned refusals;    /* MANAGE CHANNEL says 6A81 that many times     */
};

int puppet_new(const struct puppet_rules *rules, struct fixture **out,
               struct err *e);

/* What it has seen since it was made. */
unsigned puppet_apdus(const struct fixture *f);
unsigned puppet_power_ons(const struct fixture *f);

#endif
