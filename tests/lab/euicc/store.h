/* lab/euicc/store.h: what one software eUICC remembers without power: one
 * SQLite file per chip, synchronous=FULL, so that it is as durable as a real
 * one. WORLD/euicc/<EID>.db. */
#ifndef LINESIDE_LAB_EUICC_STORE_H
#define LINESIDE_LAB_EUICC_STORE_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/base/span.h"
#include "station/ifpp/es10f.h"

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
    enum euicc_kind kind;
    const struct euicc_otk *keys;
    size_t key_count;
};

/* Make a new chip at `path`. ERR_CONFLICT when the file is there already;
 * nothing is left behind on failure. */
int euicc_store_create(const char *path, const struct euicc_perso *p,
                       struct err *e);

/* The BF22 that a chip of this kind under this CI answers, whole, appended:
 * the EUM repeats it in euicc-data. Fails on b->failed only. */
int euicc_info2_put(struct buf *b, enum euicc_kind kind, struct span ci_root,
                    struct err *e);

#endif
