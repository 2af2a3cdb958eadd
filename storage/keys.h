/* storage/keys.h: one-time keys that this station has heard of: from an EUM
 * (euicc-data), or from eUICCs that stood in a fixture; and the requests that
 * offered them to an SM-DPf (binding, clause 2).
 *
 * A key is offered once and stays offered. Whoever asks for keys here has
 * proven them: storage looks into no certificate and no signature. */
#ifndef LINESIDE_STORAGE_KEYS_H
#define LINESIDE_STORAGE_KEYS_H

#include "storage/exports.h"
#include "storage/stock.h"

#define KEY_OTPK 65
#define KEY_SIGN 64
#define KEY_OID_MAX STOCK_OID_MAX

struct key_info {
    struct txid txid;
    struct eid eid;
    uint8_t otpk[KEY_OTPK];
    char meant_for[KEY_OID_MAX + 1];  /* OID in the EUM's data; "": unknown */
    char offered_to[KEY_OID_MAX + 1]; /* OID; "" if not offered             */
    bool has_sign;                    /* what the eUICC signed is kept      */
};
int key_by_txid(struct db *db, const struct txid *t, struct key_info *out,
                struct err *e); /* ERR_NOT_FOUND */
/* Any key at all is known here. */
int keys_any(struct db *db, bool *out, struct err *e);

/* CERT.EUICC and EUM chain of an eUICC, from euicc-data, from itself, or from
 * a bundle record's own chain index; cert is empty when only a bundle knows
 * it (read it from stock_record). ERR_NOT_FOUND. */
int euicc_certificate(struct db *db, const struct eid *eid, struct buf *cert,
                      struct buf *eum_chain, struct err *e);

/* --- what a card says of its keys ------------------------------------------- */

struct card_key {
    struct txid txid;
    uint8_t otpk[KEY_OTPK];
    uint8_t sign[KEY_SIGN]; /* 5F37 over EUICCSigned2 */
};
struct card_keys {
    struct eid eid;
    const struct card_key *v; /* all that are unused, proven */
    size_t n;
    /* Of the card itself, proven; empty: a container brought them. */
    struct span cert, eum_chain;
};
/* Keep what is new; keys known here that the card has no more are gone. One
 * event if there was anything. */
int keys_note(struct tx *tx, const struct act *a, const struct card_keys *c,
              struct err *e);

/* --- which keys can be asked for --------------------------------------------- */

enum key_use { /* the first that fits */
    KEY_SPENT,   /* used up, gone, or its eUICC is closed    */
    KEY_BOUND,   /* a BPP for it is in stock or on its way   */
    KEY_OFFERED, /* to the SM-DPf in `whose`                 */
    KEY_MEANT,   /* by the EUM, for another one: `whose`     */
    KEY_UNSIGNED, /* came before signatures were kept; the eUICC's own word
                     (a visit in a fixture) brings it        */
    KEY_FREE,
    KEY_USES
};
struct key_row {
    struct txid txid;
    uint8_t otpk[KEY_OTPK], sign[KEY_SIGN];
    enum key_use use;
    char whose[KEY_OID_MAX + 1];
};
typedef int key_fn(void *ctx, const struct key_row *k, struct err *e);
/* Every key of this eUICC, as SM-DPf `smdp` would find it, in the order in
 * which they came. */
int keys_of_euicc(struct db *db, const struct eid *eid, const char *smdp,
                  key_fn *fn, void *ctx, struct err *e);
/* Every eUICC with a key, by EID. fn returning 1 ends the walk. */
typedef int eid_fn(void *ctx, const struct eid *eid, struct err *e);
int keys_euiccs(struct db *db, eid_fn *fn, void *ctx, struct err *e);

/* --- requests ------------------------------------------------------------------ */

#define REQUEST_TEXT_MAX 64

struct request_head {
    char smdp[KEY_OID_MAX + 1];
    uint64_t sequence; /* per SM-DPf, from 1: that of its manifest */
    char msp[REQUEST_TEXT_MAX + 1], profile[REQUEST_TEXT_MAX + 1];
};
struct request_key {
    struct txid txid;
    struct span record; /* as it goes out */
};
/* The number that the next request to this SM-DPf bears. */
int request_next(struct db *db, const char *smdp, uint64_t *out, struct err *e);
/* Keep what was made and sealed: x (id, created_at, directory, manifest; the
 * rest is filled in), its records, each key marked as offered, one event for
 * all and one for each. ERR_CONFLICT: a key is not free any more, or the
 * sequence is not the next; ERR_NOT_FOUND: a key nobody has heard of. */
int request_add(struct tx *tx, struct export_info *x,
                const struct request_head *h, const struct request_key *v,
                size_t n, const char *actor, struct err *e);

/* Its records, in order; record is valid during the call. */
typedef int request_fn(void *ctx, struct span record, struct err *e);
int request_walk(struct db *db, const char *export_id, request_fn *fn,
                 void *ctx, struct err *e);

struct request_info {
    char id[STOCK_BUNDLE_MAX + 1];
    struct request_head head;
    int64_t created_at;
    uint64_t keys, answered; /* of them: a bundle came */
};
typedef int request_info_fn(void *ctx, const struct request_info *r,
                            struct err *e);
int requests_walk(struct db *db, request_info_fn *fn, void *ctx, struct err *e);

#endif
