/* lab/puppet_words.h: what a station sends and a card may say, made from
 * parts, truly signed where it is signed. For puppets: no chip stands behind
 * these words. Appends whole TLVs; 0 or -1 where something is signed. */
#ifndef LINESIDE_LAB_PUPPET_WORDS_H
#define LINESIDE_LAB_PUPPET_WORDS_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/base/span.h"

#include <openssl/evp.h>

/* A BPP of the right shape: real outline, readable metadata, filling where
 * ciphertext and MACs would be. `octets` of profile elements, in segments of
 * 1007 as an SM-DPf cuts them. */
void puppet_put_bpp(struct buf *b, const struct txid *t,
                    const struct iccid *iccid, size_t octets);

struct puppet_result {
    struct txid txid;
    struct iccid iccid;
    uint64_t seq;
    bool installed;
    unsigned command, reason; /* when not installed */
};
/* BF37 */
int puppet_put_result(struct buf *b, EVP_PKEY *euicc,
                      const struct puppet_result *r, struct err *e);

/* BF72 or BF73 with a receipt. */
struct puppet_receipt {
    struct eid eid;
    uint32_t tag;
    uint64_t seq, deleted, left;
    uint8_t nonce[16];
};
int puppet_put_receipt(struct buf *b, EVP_PKEY *euicc,
                       const struct puppet_receipt *r, struct err *e);

/* BF3E {5A EID} */
void puppet_put_eid(struct buf *b, const struct eid *eid);
/* BF70 {80 version, 81 open, A2 { 30 {30 {80, 5F49}, 5F37} }}. The points and
 * signatures of the keys are filling. */
void puppet_put_status(struct buf *b, const struct txid *keys, size_t n);
/* BF2D with one profile per ICCID. */
void puppet_put_profiles(struct buf *b, const struct iccid *iccids,
                         const bool *enabled, size_t n);
/* BF2B {A0 {items}} */
void puppet_put_notifications(struct buf *b, struct span items);

#endif
