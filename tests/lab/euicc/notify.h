/* lab/euicc/notify.h: signed evidence that waits in the chip until
 * RemoveNotificationFromList (SGP.22 2.5.6, 5.7.8 to 5.7.11). Both belong
 * inside a transaction of the caller's. */
#ifndef LINESIDE_LAB_EUICC_NOTIFY_H
#define LINESIDE_LAB_EUICC_NOTIFY_H

#include "tests/lab/euicc/meta.h"
#include "tests/lab/euicc/store.h"

/* One 30 { BF2F, 5F37, CERT.EUICC, CERT.EUM } for each address that the
 * profile's metadata configures for this event. */
int notify_event(struct store *s, const struct meta *m, uint8_t event,
                 struct err *e);

/* What a load came to. */
struct outcome {
    struct txid txid;
    struct span smdp_oid;         /* DER content of the OID             */
    struct span address;          /* UTF-8, may be empty                */
    const struct iccid *iccid;    /* NULL: not known yet                */
    bool installed;
    uint8_t aid[ISDP_AID_MAX];    /* installed                          */
    unsigned command, reason;     /* not: BppCommandId, ErrorReason     */
};

/* The signed BF37, stored, and appended to out. */
int notify_result(struct store *s, const struct outcome *o, struct buf *out,
                  struct err *e);

#endif
