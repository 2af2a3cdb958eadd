/* A software eUICC on the desk, with everybody who has a say in it: CI, EUM,
 * SM-DPf, a terminal. Failures fail the test. */
#ifndef LINESIDE_UNIT_LAB_EUICC_CHIP_H
#define LINESIDE_UNIT_LAB_EUICC_CHIP_H

#include "station/base/ids.h"
#include "tests/lab/euicc/card.h"
#include "tests/lab/euicc/store.h"
#include "tests/lab/pki/keys.h"

#define DESK_KEYS 6
#define DESK_OID "2.999.10"
#define DESK_FQDN "smdpf.example.com"

struct desk_key {
    struct txid txid;
    uint8_t otpk[65];
    struct buf otsk, signed2;
    uint8_t sign[64];
};

struct desk {
    char dir[64], path[96];
    int curve;
    struct eid eid;
    struct holder ci, eum, euicc, dppb;
    struct buf ci_der, cert, dp_chain;
    struct desk_key key[DESK_KEYS];
    struct card *card;
    unsigned channel;
    unsigned get_responses; /* sent since desk_start */
};

struct desk_options {
    size_t keys;
    enum info2_kind kind;
    int curve;              /* NID; 0: P-256 */
    /* Instead of made ones (a vector's): */
    const struct eid *eid;
    const struct txid *txid;
    EVP_PKEY *otsk;
    struct span ci_root;
};
void desk_make(struct desk *d, const struct desk_options *o);
void desk_clear(struct desk *d);

/* Insert, power on, MANAGE CHANNEL, SELECT ISD-R. desk_stop takes it out. */
void desk_start(struct desk *d, const struct card_options *o);
void desk_stop(struct desk *d);
/* Cold reset and SELECT. */
void desk_reset(struct desk *d);
/* SELECT ISD-R on the channel; the status word. */
unsigned desk_select(struct desk *d);

/* One APDU as it stands: the whole response in *rsp; its status word, or
 * DESK_LOST when the card is gone or silent. */
#define DESK_LOST 0x10000u
unsigned desk_apdu(struct desk *d, struct span cmd, struct buf *rsp);
unsigned desk_apdu_hex(struct desk *d, const char *hex, struct buf *rsp);

/* One STORE DATA chain, 255 octets a piece, and all of its answer. */
unsigned desk_send(struct desk *d, struct span data, struct buf *answer);
unsigned desk_send_hex(struct desk *d, const char *hex, struct buf *answer);

/* BF70, for its side effect. */
void desk_open_fpa(struct desk *d);
/* BF71: the status word; *result the DownloadErrorCode. */
unsigned desk_authorise(struct desk *d, const struct txid *t,
                        struct span chain, unsigned *result);

/* The n-th test ICCID, swapped nibbles, Luhn. */
struct iccid desk_iccid(unsigned n);
/* A generated profile. size 0: small. */
void desk_upp(unsigned n, size_t size, struct buf *upp);
/* BF25 with all notifications to DESK_FQDN, and these policy rules (99). */
void desk_metadata(unsigned n, uint8_t rules, struct buf *bf25);
/* Bind for one of the chip's keys. */
void desk_bind(struct desk *d, const struct desk_key *k, struct span metadata,
               struct span upp, bool ppk, struct buf *bpp);
/* The usual: profile n for key k. */
void desk_bpp(struct desk *d, unsigned k, unsigned n, struct buf *bpp);

/* Send the chains of a BPP until one fails or gives data; the last status
 * word, and the data. */
unsigned desk_load(struct desk *d, struct span bpp, struct buf *answer);
/* FPA session, authorise, load, BF37 says installed. */
void desk_install(struct desk *d, unsigned k, unsigned n);

/* A signature by this chip's key. */
bool desk_signed(const struct desk *d, struct span data, struct span raw);

/* What the chip holds, by its store. */
size_t desk_keys_left(struct desk *d);
bool desk_has_key(struct desk *d, unsigned k);
bool desk_has_profile(struct desk *d, unsigned n, bool *enabled);
/* BF2B {}: how many wait. */
size_t desk_pending(struct desk *d);

/* BF27's command and reason; -1 when it says installed. Verifies the
 * signature and the transactionId. */
int desk_result(struct desk *d, struct span bf37, const struct txid *t,
                unsigned *command, unsigned *reason);

#endif
