/* lab/euicc/isdp.h: one Bound Profile Package going in (binding, clauses 3
 * and 4; SGP.22 2.5.4, 5.5, 5.7.6).
 *
 * A key is burnt by exactly two events, each one transaction of the store:
 * the profile is installed, or a signed error BF37 is stored after smdpSign
 * has held. Everything else leaves the store as it was. */
#ifndef LINESIDE_LAB_EUICC_ISDP_H
#define LINESIDE_LAB_EUICC_ISDP_H

#include "tests/lab/euicc/store.h"

/* SGP.22 DownloadErrorCode. */
enum download_error {
    DOWNLOAD_OK = 0,
    DOWNLOAD_INVALID_CERTIFICATE = 1,
    DOWNLOAD_UNSUPPORTED_CURVE = 3,
    DOWNLOAD_INVALID_TRANSACTION_ID = 5,
};

/* Status words of refusals that store nothing. */
#define SW_OK 0x9000
#define SW_MEMORY 0x6581
#define SW_SECURITY 0x6982
#define SW_CONDITIONS 0x6985
#define SW_WRONG_DATA 0x6A80
#define SW_NO_ROOM 0x6A84

struct isdp;
int isdp_new(struct store *s, struct isdp **out, struct err *e);
void isdp_free(struct isdp *p); /* NULL is fine */

/* Power off, reset, SELECT: the load and the authorisation are forgotten. */
void isdp_reset(struct isdp *p);
bool isdp_loading(const struct isdp *p);

/* AuthoriseSmdpf: chain DER to the chip's CI, role DPpb, same curve as the
 * key that txid names. An earlier authorisation is replaced, also by a
 * refusal. */
int isdp_authorise(struct isdp *p, struct span txid, struct span chain,
                   enum download_error *result, struct err *e);

/* One chain of LoadBoundProfilePackage. Returns a status word and appends the
 * BF37 to out if there is one; *ended and *iccid tell of an installation. -1:
 * the store failed (*e); nothing was changed. */
int isdp_chain(struct isdp *p, struct span chain, struct buf *out,
               struct err *e);

/* The profile that was installed last since isdp_new or isdp_forget, for
 * ImmediateEnable (SGP.32 5.9.15). NULL: none. */
const struct iccid *isdp_last_installed(const struct isdp *p);
void isdp_forget(struct isdp *p);

#endif
