/* A card on T=1 that keeps the rules, for tests of the host's side. LRC only.
 * It answers a command with `answer_n` octets and 9000, and counts how often
 * it was given a command: a host that makes it run one twice is wrong. */
#ifndef LINESIDE_TESTS_UNIT_ISO7816_T1_CARD_H
#define LINESIDE_TESTS_UNIT_ISO7816_T1_CARD_H

#include "station/base/span.h"

struct t1_card {
    size_t answer_n;
    uint8_t ifsc;
    unsigned wtx_every; /* asks for time before every n-th answer; 0: never */

    unsigned runs;      /* commands executed */
    uint8_t command[300];
    size_t command_n;   /* of the last one executed */

    uint8_t ns, nr, ifsd;
    bool answering, asking;
    uint8_t in[300], out[300];
    size_t in_n, out_n, at, chunk;
    uint8_t block[260]; /* what it says */
    size_t block_n;
};

void t1_card_reset(struct t1_card *c, size_t answer_n, uint8_t ifsc);
/* A block (damaged: as the card's own LRC check finds it) comes; c->block is
 * the card's reply. */
void t1_card_hear(struct t1_card *c, struct span block);
/* The answer to a command that has been executed. */
void t1_card_answer(const struct t1_card *c, struct buf *out);

#endif
