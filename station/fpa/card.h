/* fpa/card: the ES10f functions (binding, clause 4), one call each, on top of
 * an APDU session. Encodes, sends, decodes, checks what can be checked.
 *
 * Every function returns 0 or -1. ERR_CARD: the card answered, but not as it
 * must: a status word (in err.sw), an error code of the function, or octets
 * that are no answer. ERR_SIGNATURE, ERR_CONFLICT: its evidence does not hold.
 * The others are apdu.h's and end the session.
 *
 * Where a result borrows (spans), it points into the `raw` the caller gave. */
#ifndef LINESIDE_FPA_CARD_H
#define LINESIDE_FPA_CARD_H

#include "station/fpa/apdu.h"
#include "station/ifpp/es10f.h"
#include "station/ifpp/evidence.h"

#define FPA_PROFILES_MAX 64

struct fpa_card;

/* Power on and select (apdu_open). `f` stays the caller's. limits NULL: the
 * defaults. Nothing is read yet. */
int fpa_card_open(struct fixture *f, const struct apdu_limits *limits,
                  struct fpa_card **out, struct err *e);
void fpa_card_close(struct fpa_card *c); /* powers off; NULL is fine */
void fpa_card_close_p(struct fpa_card **c); /* for AUTO */
struct apdu *fpa_card_apdu(struct fpa_card *c); /* borrowed */

int fpa_card_eid(struct fpa_card *c, struct eid *out, struct err *e);

/* EUICCInfo2. Remembers the kind for the acts below; until it was called the
 * card is taken for a consumer eUICC. */
int fpa_card_info2(struct fpa_card *c, struct buf *raw,
                   struct euicc_info2 *out, struct err *e);

/* GetCerts: appended, nothing in them is proven. ERR_CARD also where the eUICC
 * does not know the command (SGP.32's, which not every eUICC has). */
int fpa_card_certs(struct fpa_card *c, struct buf *euicc, struct buf *eum,
                   struct err *e);

/* BF70 with a fresh random nonce: unused keys and open/closed. Opens the FPA
 * session: before it the card refuses BF31-BF34 and BF36 with 6985. */
int fpa_card_status(struct fpa_card *c, struct buf *raw,
                    struct ifpp_status *out, struct err *e);

/* BF71. chain_der: DPpb certificate first. *result, when not NULL: the card's
 * DownloadErrorCode (0 authorised; set also when that is why it failed). */
int fpa_card_authorise(struct fpa_card *c, const struct txid *t,
                       struct span chain_der, unsigned *result, struct err *e);

struct fpa_profiles {
    struct profile_info v[FPA_PROFILES_MAX];
    size_t n;
};
int fpa_card_profiles(struct fpa_card *c, struct fpa_profiles *out,
                      struct err *e);
/* NULL: not there. */
const struct profile_info *fpa_profiles_find(const struct fpa_profiles *p,
                                             const struct iccid *iccid);

/* Acts of a recipe, mapped to commands per kind of eUICC in one table. */
enum fpa_act { FPA_ENABLE, FPA_DISABLE, FPA_DELETE, FPA_ACTS };
const char *fpa_act_name(enum fpa_act a); /* "enable" */
/* The command's tag; 0: this kind of eUICC has no such act. */
uint32_t fpa_act_tag(enum fpa_act a, enum info2_kind k);
/* The command says which profile. False where the card takes the one it has
 * just installed (SGP.32 ImmediateEnable), or has no such act. */
bool fpa_act_names_profile(enum fpa_act a, enum info2_kind k);

/* One act, then the proof of it from BF2D. Already so: nothing is sent but
 * BF2D, and it is a success (the station may have been cut off after an
 * earlier try). No REFRESH is asked for. */
int fpa_card_act(struct fpa_card *c, enum fpa_act a,
                 const struct iccid *iccid, struct err *e);

/* BF28: sequence numbers only. More than max: ERR_LIMIT. */
struct fpa_pending {
    uint64_t seq;
    uint8_t op; /* as notification_meta.op */
};
int fpa_card_list_notifications(struct fpa_card *c, struct fpa_pending *out,
                                size_t max, size_t *n, struct err *e);
/* BF2B. seq NULL: all. *list: walk with der_next, notification_parse each;
 * nothing in it is verified yet. */
int fpa_card_notifications(struct fpa_card *c, const uint64_t *seq,
                           struct buf *raw, struct span *list, struct err *e);
/* BF30. One that is gone already is a success. */
int fpa_card_remove_notification(struct fpa_card *c, uint64_t seq,
                                 struct err *e);

/* BF72 and BF73 with a fresh random nonce; the receipt is verified: key, EID,
 * function, nonce. Repeating is harmless. BF73 while keys remain: ERR_CARD. */
int fpa_card_delete_keys(struct fpa_card *c, EVP_PKEY *euicc,
                         const struct eid *eid, struct buf *raw,
                         struct receipt *out, struct err *e);
int fpa_card_close_services(struct fpa_card *c, EVP_PKEY *euicc,
                            const struct eid *eid, struct buf *raw,
                            struct receipt *out, struct err *e);

#endif
