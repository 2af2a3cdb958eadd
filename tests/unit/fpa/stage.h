/* A puppet that plays a part: each whole chain must bear the tag expected next
 * and is answered with what stands beside it. */
#ifndef LINESIDE_TESTS_STAGE_H
#define LINESIDE_TESTS_STAGE_H

#include "station/fpa/card.h"

struct stage_row {
    uint32_t tag;           /* of the chain; 0: whatever comes          */
    const char *hex;        /* the answer, or NULL: */
    const struct buf *data; /* the answer, or NULL: none                */
    uint16_t sw;            /* 0: 9000                                  */
};

struct stage {
    const struct stage_row *rows;
    size_t n, at;
    struct buf last; /* the last chain that came */
    struct fixture *f;
    struct fpa_card *card;
};

/* Opens the fixture and the card. rows are borrowed. */
void stage_open(struct stage *s, const struct stage_row *rows, size_t n);
/* Fails the test unless every row was played. */
void stage_close(struct stage *s);

/* P-256 keys for the length of the test program: 0 the eUICC's, 1 another's. */
EVP_PKEY *stage_key(int which);
struct eid stage_eid(void);
struct txid stage_txid(uint8_t n);
struct iccid stage_iccid(unsigned n);

#endif
