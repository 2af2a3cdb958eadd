/* ifpp/es10f.h: ES10f commands as octets: encode a request, decode an answer
 * (binding, clause 4). Requests are appended to a buf as one whole TLV.
 * Decoders read one whole response TLV; spans point into it. Counts from the
 * card are bounded by the answer's own size (64 KiB). */
#ifndef LINESIDE_IFPP_ES10F_H
#define LINESIDE_IFPP_ES10F_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/ifpp/bpp.h"
#include "station/ifpp/tlv.h"

#define ES10F_NONCE 16
#define ISDP_AID_MAX 16

void es10f_put_get_eid(struct buf *b);                /* BF3E {5C 01 5A} */
int es10f_read_eid(struct span in, struct eid *out, struct err *e);

void es10f_put_info2(struct buf *b);                  /* BF22 {} */
enum info2_kind { INFO2_CONSUMER, INFO2_IOT };
struct euicc_info2 {
    struct span whole;
    enum info2_kind kind; /* IoT: SGP.32 marks in BF22 (see es10f.c) */
    uint8_t svn[3];       /* 82 */
};
int es10f_read_info2(struct span in, struct euicc_info2 *out, struct err *e);

/* BF56 {}: CERT.EUICC and CERT.EUM (SGP.32), each appended as it stands in a
 * chain: whole, from its 30 on. Nothing in them is proven yet. */
void es10f_put_get_certs(struct buf *b);
int es10f_read_certs(struct span in, struct buf *euicc, struct buf *eum,
                     struct err *e);

void es10f_put_profiles_info(struct buf *b);          /* BF2D {} */
struct profile_info {
    struct iccid iccid;
    uint8_t aid[ISDP_AID_MAX];
    size_t aid_len;
    bool enabled;
};
/* Up to `max` profiles into out; *n is how many there are. More than max:
 * ERR_LIMIT. */
int es10f_read_profiles_info(struct span in, struct profile_info *out,
                             size_t max, size_t *n, struct err *e);

/* BF31 / BF32 {A0{5A}, 81 refresh}, BF33 {5A}; answers {80 result}. */
void es10f_put_profile_act(struct buf *b, uint32_t tag,
                           const struct iccid *iccid, bool refresh);
/* BF5A {80 refresh}: SGP.32 5.9.15, the flag is mandatory. */
void es10f_put_enable_iot(struct buf *b, bool refresh);
int es10f_read_result(struct span in, uint32_t tag, unsigned *result,
                      struct err *e);

void es10f_put_list_notifications(struct buf *b);     /* BF28 {} */
void es10f_put_retrieve_notification(struct buf *b, const uint64_t *seq);
                                                      /* NULL: all */
/* The list inside BF2B {A0 {...}}: walk with der_next. */
int es10f_read_notifications(struct span in, struct span *list, struct err *e);
void es10f_put_remove_notification(struct buf *b, uint64_t seq);

void es10f_put_status(struct buf *b, const uint8_t nonce[ES10F_NONCE]);
struct ifpp_status {
    uint64_t version;
    bool closed;
    struct span keys; /* walk with ifpp_status_key_take */
    size_t key_count;
};
int es10f_read_status(struct span in, struct ifpp_status *out, struct err *e);
/* Each unused key is 30 { 30 EUICCSigned2, 5F37 }; takes one off the front. */
int ifpp_status_key_take(struct span *keys, struct euicc_key *out,
                         struct err *e);
bool ifpp_status_has_key(const struct ifpp_status *s, const struct txid *t);

/* AuthoriseSmdpf: BF71 {80 txid, A1 {certificates, leaf first}}. */
void es10f_put_authorise(struct buf *b, const struct txid *t,
                         struct span chain_der);
/* SGP.22 DownloadErrorCode in words. */
const char *es10f_download_error(unsigned code);

/* BF72 / BF73 {80 nonce}; answer: a receipt, or {80 error}. *receipt is the
 * whole BF72 or BF73, for receipt_parse (empty when *error is set, nonzero). */
void es10f_put_receipt_act(struct buf *b, uint32_t tag,
                           const uint8_t nonce[ES10F_NONCE]);
int es10f_read_receipt_act(struct span in, uint32_t tag, struct span *receipt,
                           unsigned *error, struct err *e);

#endif
