/* fpa/load: one BPP into one eUICC (binding, clause 4,
 * LoadBoundProfilePackage). The card has been authorised for it (BF71).
 *
 * Success is evidence: a BF37 for this transactionId, signed by this eUICC.
 * The first terminal result ends the load; no result is no success, however
 * many 9000s there were. Nothing is retried here. */
#ifndef LINESIDE_FPA_LOAD_H
#define LINESIDE_FPA_LOAD_H

#include "station/fpa/card.h"

enum load_outcome {
    LOAD_NOT_STARTED, /* no ES8f octet was sent                              */
    LOAD_INSTALLED,   /* valid BF37: installed                               */
    LOAD_FAILED,      /* valid BF37: a signed error; the key is burnt        */
    LOAD_REFUSED,     /* a status word, or all sent and no BF37              */
    LOAD_INTERRUPTED, /* card gone, silent, or its answer is no evidence     */
    LOAD_OUTCOMES
};
const char *load_outcome_name(enum load_outcome o); /* "installed" */

struct load_job {
    const struct bpp *bpp;
    EVP_PKEY *euicc; /* public key of the proven CERT.EUICC */

    /* The durable point: called once, before any ES8f octet leaves. It returns
     * 0 when the ledger has committed `loading`; otherwise -1, and nothing is
     * sent. NULL: none. */
    int (*before_first_octet)(void *ctx, struct err *e);
    void *ctx;
};

struct load_result {
    enum load_outcome outcome;
    /* Exactly: the first command with an ES8f octet was handed to the driver.
     * True with an outcome other than INSTALLED and FAILED: only the card can
     * say what became of the BPP (doubt.h). */
    bool es8f_sent;
    uint16_t sw;              /* last status word, 0: none              */
    struct buf bf37;          /* INSTALLED, FAILED: the octets verified */
    struct install_result ir; /* INSTALLED, FAILED: points into bf37    */
    uint64_t apdus;           /* sent for this load, all kinds          */
};
#define LOAD_RESULT_INIT { .outcome = LOAD_NOT_STARTED }
void load_result_clear(struct load_result *r);

/* 0: INSTALLED or FAILED. -1: any other outcome, and *e says why: ERR_CARD
 * (sw), ERR_NO_CARD, ERR_TIMEOUT, ERR_LIMIT, ERR_SIGNATURE (a BF37 by another
 * eUICC), ERR_CONFLICT (for another transactionId), or what
 * before_first_octet said. *out is filled in either case and needs clearing. */
int load_bpp(struct fpa_card *c, const struct load_job *job,
             struct load_result *out, struct err *e);

#endif
