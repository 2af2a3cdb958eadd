/* lab/euicc/store.h: what one software eUICC remembers without power: one
 * SQLite file per chip, synchronous=FULL, so that it is as durable as a real
 * one. WORLD/euicc/<EID>.db. */
#ifndef LINESIDE_LAB_EUICC_STORE_H
#define LINESIDE_LAB_EUICC_STORE_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/base/span.h"
#include "station/ifpp/es10f.h"

#include <openssl/evp.h>

/* One one-time key pair, made by the EUM (SGP.41 GENS08, GENS14). */
struct euicc_otk {
    struct txid txid;
    uint8_t otpk[65];    /* uncompressed point                          */
    struct span otsk;    /* PKCS#8 DER                                  */
    struct span signed2; /* EUICCSigned2, whole: 30 { 80, 5F49 }        */
    uint8_t sign[64];    /* raw r||s by SK.EUICC over signed2           */
};

/* What an EUM puts into a chip. Spans are borrowed for the call. */
struct euicc_perso {
    struct eid eid;
    struct span cert;      /* CERT.EUICC, DER                           */
    struct span eum_chain; /* CERT.EUM and sub-CAs: DER, concatenated   */
    struct span ci_root;   /* CERT.CI, DER                              */
    struct span sk;        /* SK.EUICC, PKCS#8 DER, same curve as cert  */
    enum info2_kind kind;
    const struct euicc_otk *keys;
    size_t key_count;
};

/* Make a new chip at `path`. ERR_CONFLICT when the file is there already;
 * nothing is left behind on failure. */
int euicc_store_create(const char *path, const struct euicc_perso *p,
                       struct err *e);

/* --- the chip's own view -------------------------------------------------
 *
 * Every function below returns 0 or -1 with *e set, unless it says otherwise.
 * Reading functions append to a buf whole TLVs in the card's words. Changes
 * belong between store_begin and store_commit: after store_commit returns 0
 * they survive any loss of power, before it none of them happened. */

struct store;

/* Fixed by personalisation; owned by the store. */
struct chip {
    struct eid eid;
    enum info2_kind kind;
    struct span cert, eum_chain, ci_root;
    EVP_PKEY *sk;
};

int store_open(const char *path, struct store **out, struct err *e);
void store_close(struct store *s); /* NULL is fine */
const struct chip *store_chip(const struct store *s);

int store_begin(struct store *s, struct err *e);
int store_commit(struct store *s, struct err *e); /* rolls back on failure */
void store_rollback(struct store *s);             /* harmless when not begun */

int store_is_closed(struct store *s, bool *closed, struct err *e);
int store_set_closed(struct store *s, struct err *e);
/* Take the next number of the notification counter (from 1). */
int store_next_seq(struct store *s, uint64_t *seq, struct err *e);
int store_default_dp(struct store *s, struct buf *address, struct err *e);
int store_set_default_dp(struct store *s, struct span address, struct err *e);

/* One-time keys. */
struct store_key {
    uint8_t otpk[65];
    EVP_PKEY *otsk;
};
void store_key_clear(struct store_key *k);
int store_key_count(struct store *s, size_t *n, struct err *e);
/* 1 found (caller clears), 0 no unused key of that name, -1. */
int store_key_get(struct store *s, const struct txid *t, struct store_key *out,
                  struct err *e);
/* Append 30 { signed2, 5F37 } for each unused key, oldest first. */
int store_keys_put(struct store *s, struct buf *b, struct err *e);
/* The private key is gone for good (secure_delete). *n: how many were. */
int store_key_burn(struct store *s, const struct txid *t, size_t *n,
                   struct err *e);
int store_keys_burn_all(struct store *s, size_t *n, struct err *e);

/* Profiles. */
struct store_profile {
    struct iccid iccid;
    uint8_t aid[ISDP_AID_MAX]; /* always 16 octets */
    bool enabled;
    struct buf metadata;       /* BF25, whole      */
    struct buf nickname;       /* UTF-8, may be empty */
};
void store_profile_clear(struct store_profile *p);
/* By ICCID (10 octets) or AID (16 octets): 1, 0 or -1. */
int store_profile_find(struct store *s, struct span name,
                       struct store_profile *out, struct err *e);
/* The enabled one: 1, 0 or -1. */
int store_profile_enabled(struct store *s, struct store_profile *out,
                          struct err *e);
/* In order of installation. visit returning nonzero ends the walk. */
int store_profiles_each(struct store *s,
                        int (*visit)(void *ctx, const struct store_profile *,
                                     struct err *),
                        void *ctx, struct err *e);
/* A free ISD-P AID, A0000005591010FFFFFFFF89 0000 1x 00: 1, 0 (full) or -1. */
int store_free_aid(struct store *s, uint8_t aid[ISDP_AID_MAX], struct err *e);
/* The profile (disabled), its whole package, and what is in it: elements,
 * files, network access applications (saip_walk). ERR_FORMAT or ERR_LIMIT:
 * the package is not one. ERR_CONFLICT: its header has another ICCID. */
int store_profile_install(struct store *s, const struct store_profile *p,
                          struct span upp, struct err *e);
int store_profile_set_enabled(struct store *s, const struct iccid *iccid,
                              bool enabled, struct err *e);
int store_profile_set_nickname(struct store *s, const struct iccid *iccid,
                               struct span name, struct err *e);
int store_profile_delete(struct store *s, const struct iccid *iccid,
                         struct err *e);
/* The package as it was installed: 1, 0 or -1. */
int store_profile_upp(struct store *s, const struct iccid *iccid,
                      struct buf *upp, struct err *e);
/* Rows that installing left: for people and tests. */
struct store_content {
    size_t elements, files, naas;
};
int store_profile_content(struct store *s, const struct iccid *iccid,
                          struct store_content *out, struct err *e);

/* Notifications: BF2F as listed, and what RetrieveNotificationsList returns
 * (BF37 or 30 {...}), whole. */
int store_notification_add(struct store *s, uint64_t seq, uint8_t op,
                           struct span meta, struct span whole, struct err *e);
/* Append those that match, in order: seq NULL or one number; ops: a mask of
 * event bits. list: BF2F instead of the whole thing. */
int store_notifications_put(struct store *s, const uint64_t *seq, uint8_t ops,
                            bool list, struct buf *b, struct err *e);
/* 1 removed, 0 there was none, -1. */
int store_notification_remove(struct store *s, uint64_t seq, struct err *e);

/* The BF22 that a chip of this kind under this CI answers, whole, appended:
 * the EUM repeats it in euicc-data. Fails on b->failed only. */
int euicc_info2_put(struct buf *b, enum info2_kind kind, struct span ci_root,
                    struct err *e);

#endif
