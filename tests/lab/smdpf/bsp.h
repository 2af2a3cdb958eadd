/* smdpf/bsp.h: the secure channel inside a Bound Profile Package (binding,
 * clause 3; SGP.22 2.5 and 5.5, which take SCP03t from SGP.02): key agreement,
 * KDF, encryption and MACs of segments, in both directions. The SM-DPf seals
 * with it, the software eUICC opens with it. It is the only place that can
 * decrypt, and the station contains nothing of it.
 *
 * A struct bsp is one thread's set of OpenSSL contexts. They are fetched once
 * and reused from one package to the next: an OpenSSL 3 fetch costs as much
 * as the AES of a whole segment. */
#ifndef LINESIDE_LAB_SMDPF_BSP_H
#define LINESIDE_LAB_SMDPF_BSP_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/base/span.h"
#include "station/ifpp/tlv.h"

#include <openssl/evp.h>

#define BSP_KEY_LEN 16
#define BSP_MAC_LEN 8

/* What the KDF gives, and what ReplaceSessionKeys (BF26) carries. */
struct bsp_keys {
    uint8_t chain[BSP_KEY_LEN]; /* initial MAC chaining value */
    uint8_t enc[BSP_KEY_LEN];   /* S-ENC or PPK-ENC */
    uint8_t mac[BSP_KEY_LEN];   /* S-MAC or PPK-MAC */
};

struct bsp;
int bsp_new(struct bsp **out, struct err *e);
void bsp_free(struct bsp *b); /* NULL is fine; wipes its keys */
void bsp_free_p(struct bsp **b);

/* ECDH (x coordinate), then X9.63 with SHA-256 over 88 10 LV(host_id)
 * LV(eid). otsk: this side's one-time private key; peer: the other side's
 * point, 65 octets uncompressed, on otsk's curve, else ERR_FORMAT. The shared
 * secret is wiped before this returns. Does not start the channel. */
int bsp_derive(struct bsp *b, EVP_PKEY *otsk, struct span peer,
               struct span host_id, const struct eid *eid,
               struct bsp_keys *out, struct err *e);

/* Begin (or, after ReplaceSessionKeys, begin again): chaining value from the
 * keys, counter at 1 for the next segment. */
int bsp_start(struct bsp *b, const struct bsp_keys *keys, struct err *e);

/* Append one whole segment TLV to out. plain: at most BPP_PLAIN_MAX octets
 * (enc) or BPP_PLAIN_MAC_ONLY_MAX (mac), else ERR_LIMIT: so no segment is
 * ever longer than BPP_SEGMENT_MAX. */
int bsp_seal_enc(struct bsp *b, uint32_t tag, struct span plain,
                 struct buf *out, struct err *e);
int bsp_seal_mac(struct bsp *b, uint32_t tag, struct span plain,
                 struct buf *out, struct err *e);

/* Check one segment as received (at most BPP_SEGMENT_READ_MAX octets whole)
 * and append its plaintext to out: padding removed (enc), as it stands (mac).
 * ERR_SIGNATURE when the MAC does not hold, ERR_FORMAT for a length or a
 * padding that cannot be; the channel is of no use after either. */
int bsp_open_enc(struct bsp *b, const struct tlv *segment, struct buf *out,
                 struct err *e);
int bsp_open_mac(struct bsp *b, const struct tlv *segment, struct buf *out,
                 struct err *e);

/* BF26 { 80 chain, 81 enc, 82 mac }, whole TLV: write, read. */
void bsp_keys_put(struct buf *b, const struct bsp_keys *k);
int bsp_keys_take(struct span bf26, struct bsp_keys *out, struct err *e);

#endif
