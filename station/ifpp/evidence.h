/* ifpp/evidence.h: what an eUICC signs: Profile Installation Results (BF37),
 * receipts (BF72, BF73), notifications. Parse, then verify; a parsed thing
 * proves nothing (binding, clause 4). */
#ifndef LINESIDE_IFPP_EVIDENCE_H
#define LINESIDE_IFPP_EVIDENCE_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/ifpp/cert.h"
#include "station/ifpp/tlv.h"

#define EVIDENCE_MAX 65536

/* SGP.22 BppCommandId and ErrorReason, kept as numbers, named for people. */
const char *bpp_command_name(unsigned command);
const char *install_error_name(unsigned reason);

struct notification_meta {
    uint64_t seq;
    uint8_t op;               /* SGP.22 NotificationEvent bits, first octet:
                                 0x80 install 0x40 enable 0x20 disable 0x10 delete */
    char address[256];
    bool has_iccid;
    struct iccid iccid;
};

struct install_result {
    struct span whole;        /* BF37 */
    struct tlv data;          /* BF27: what is signed */
    struct span sign;         /* raw 64 */
    struct txid txid;
    struct notification_meta meta;
    char smdp_oid[REGISTERED_ID_MAX + 1];
    bool installed;
    struct span aid;          /* installed: ISD-P AID  */
    unsigned command, reason; /* not installed         */
};
int install_result_parse(struct span bf37, struct install_result *out,
                         struct err *e);
/* 5F37 by the eUICC over BF27, and the transactionId is this one
 * (expect NULL: any). ERR_SIGNATURE or ERR_CONFLICT. */
int install_result_verify(const struct install_result *r, EVP_PKEY *euicc,
                          const struct txid *expect, struct err *e);

/* BF72 or BF73 { 30 {5A, 80 function, 81 seq, 82 deleted, 83 left, 84 nonce},
 * 5F37 over the 30 }: the card's answer as it came is the evidence. */
bool receipt_tag(uint32_t tag); /* BF72 or BF73 */
struct receipt {
    struct span whole;
    struct tlv data;
    struct span sign;
    struct eid eid;
    uint8_t function;         /* 0x72 or 0x73 */
    uint64_t seq, deleted, left;
    struct span nonce;        /* 16 */
};
/* The tag and the signed function must say the same. */
int receipt_parse(struct span in, struct receipt *out, struct err *e);
/* Signature, EID, function and nonce (NULL: any) are the expected ones. */
int receipt_verify(const struct receipt *r, EVP_PKEY *euicc,
                   const struct eid *eid, uint8_t function,
                   const uint8_t *nonce16, struct err *e);

/* One pending notification as RetrieveNotificationsList gives it: a BF37, or
 * 30 { BF2F, 5F37, CERT.EUICC, CERT.EUM }. */
struct notification {
    struct span whole;
    bool is_result;
    struct install_result result; /* is_result  */
    struct tlv meta_tlv;          /* otherwise: BF2F, what is signed */
    struct notification_meta meta;
    struct span sign;
};
int notification_parse(struct span in, struct notification *out,
                       struct err *e);
int notification_verify(const struct notification *n, EVP_PKEY *euicc,
                        struct err *e);

#endif
