/* smdpf/bind.h: make one Bound Profile Package (binding, clause 3). Nothing
 * random happens in here: keys, transactionId and host id come in, so that
 * the same input makes the same octets (smdpSign apart) as anybody else's
 * implementation. */
#ifndef LINESIDE_LAB_SMDPF_BIND_H
#define LINESIDE_LAB_SMDPF_BIND_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/base/span.h"
#include "tests/lab/smdpf/bsp.h"

#include <openssl/evp.h>

/* StoreMetadata (BF25, SGP.22 5.5.3). Texts UTF-8, at most 64 octets. */
struct profile_metadata {
    struct iccid iccid;
    const char *provider;
    const char *name;
    int profile_class;        /* 0 test, 1 provisioning, 2 operational      */
    uint8_t notify;           /* NotificationEvent bits, first octet: 0x40
                                 enable, 0x20 disable, 0x10 delete; 0: none */
    const char *notify_fqdn;
    struct span owner_plmn;   /* 3 octets MCC/MNC, or empty: no B7          */
};
#define NOTIFY_ALL 0x70
void profile_metadata_put(struct buf *b, const struct profile_metadata *m);

/* ConfigureISDP without proprietary data: BF24 {}. */
void configure_isdp_put(struct buf *b);

struct bind_input {
    struct eid eid;
    struct txid txid;
    struct span host_id;        /* 1 to BPP_HOST_ID_MAX octets          */
    struct span otpk_euicc;     /* 65 octets                            */
    EVP_PKEY *otsk_dp;          /* this BPP's own; destroy it afterwards */
    struct span configure;      /* BF24, whole                          */
    struct span metadata;       /* BF25, whole                          */
    const struct bsp_keys *ppk; /* NULL: under the session keys, no A2  */
    struct span upp;            /* profile elements, in clear           */
};

/* An SM-DPf's means to bind, for one thread: SK.DPpb and the contexts that
 * are reused from one package to the next. The key is borrowed during new. */
struct binder;
int binder_new(EVP_PKEY *sk_dppb, struct binder **out, struct err *e);
void binder_free(struct binder *b); /* NULL is fine */
void binder_free_p(struct binder **b);

/* Append the whole BF36 to bpp. On failure what was appended is void. */
int smdpf_bind(struct binder *b, const struct bind_input *in, struct buf *bpp,
               struct err *e);

#endif
