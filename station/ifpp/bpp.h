/* ifpp/bpp.h: a Bound Profile Package as the station may see it (binding,
 * clause 3): its outline, its readable metadata, and its cut into STORE DATA
 * chains. There is no key here and no code that could use one. */
#ifndef LINESIDE_IFPP_BPP_H
#define LINESIDE_IFPP_BPP_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/ifpp/tlv.h"

#include <openssl/evp.h>

#define BPP_HOST_ID_MAX 32
#define BPP_NAME_MAX 256 /* octets: SGP.22 allows 64 characters of UTF-8 */

/* StoreMetadata, read from the 88 segments of A1 (MAC-only, so readable). */
struct bpp_metadata {
    struct iccid iccid;
    char provider[BPP_NAME_MAX + 1];
    char name[BPP_NAME_MAX + 1];
    int profile_class;       /* 0 test, 1 provisioning, 2 operational */
    bool delete_notified;    /* B6 has an address for delete          */
    struct span owner;       /* B7 value, empty if absent             */
};

/* All spans point into the octets given to bpp_parse. */
struct bpp {
    struct span whole;
    size_t header_len;        /* tag and length of BF36 */
    struct txid txid;
    struct span host_id;
    struct span otpk_dp;      /* 65 octets */
    struct span smdp_sign;    /* raw 64    */
    struct tlv isc;           /* BF23 */
    struct tlv configure;     /* A0   */
    struct tlv metadata;      /* A1   */
    struct tlv replace_keys;  /* A2; tag 0 when absent */
    struct tlv elements;      /* A3   */
};

/* Outline and bounds: members in order, one transactionId of 16, key type and
 * length, points of 65, segments of the right tag, each at most
 * BPP_SEGMENT_READ_MAX octets whole, more than its MAC, and at least one in
 * every part that is there. */
int bpp_parse(struct span in, struct bpp *out, struct err *e);
/* Collect A1 and read it. *store is replaced by the plain BF25 octets that
 * out->owner points into. profile_class is 2 when absent (SGP.22 5.5.3). Profile text is checked to be UTF-8 without
 * control characters. */
int bpp_metadata(const struct bpp *b, struct buf *store,
                 struct bpp_metadata *out, struct err *e);
/* Both one-time points are on the curve of dppb, and smdpSign holds over 82,
 * 80, A6, 5F49(DP), then 5F49(otPK.EUICC: 65 octets, without tag). */
int bpp_check_sign(const struct bpp *b, EVP_PKEY *dppb, struct span otpk_euicc,
                   struct err *e);

/* The chains of LoadBoundProfilePackage in order (clause 4). Each is one
 * contiguous piece of the BPP. */
struct bpp_chains {
    const struct bpp *b;
    int stage;
    struct span rest;
};
void bpp_chains_start(struct bpp_chains *it, const struct bpp *b);
bool bpp_chains_next(struct bpp_chains *it, struct span *chain);
/* APDUs that these chains need at 255 octets each: the floor for a load. */
size_t bpp_apdu_count(const struct bpp *b);

/* EUICCSigned2: 30 { 80 transactionId, 5F49 otPK.EUICC.KA } and its 5F37. */
struct euicc_key {
    struct tlv signed2;   /* the 30, whole: what is signed */
    struct txid txid;
    struct span otpk;     /* 65 */
    struct span sign;     /* raw 64 */
};
/* Takes the 30 and the 5F37 that follows it off the front of *in. */
int euicc_key_take(struct span *in, struct euicc_key *out, struct err *e);
int euicc_key_check(const struct euicc_key *k, EVP_PKEY *euicc, struct err *e);

/* bpp-bundle record (clause 5). Parsing proves the form only; that the record
 * agrees with itself (transactionIds, EID) is the importer's to check. */
#define BPP_RECORD_MAX (1024 * 1024)
struct bpp_record {
    struct eid eid;
    struct tlv cert;        /* CERT.EUICC, whole */
    struct euicc_key key;
    unsigned eum_chain;     /* index into the manifest's lists */
    unsigned dp_chain;
    struct bpp bpp;
};
int bpp_record_parse(struct span in, struct bpp_record *out, struct err *e);
/* Writes what bpp_record_parse reads. signed2 and sign as whole TLVs. */
void bpp_record_put(struct buf *b, const struct eid *eid, struct span cert,
                    struct span signed2, struct span sign_tlv,
                    unsigned eum_chain, unsigned dp_chain, struct span bpp);

/* bpp-request record: a bpp-bundle record without the SM-DPf's part. */
struct key_record {
    struct eid eid;
    struct tlv cert;        /* CERT.EUICC, whole */
    struct euicc_key key;
    unsigned eum_chain;     /* index into the manifest's list */
};
int key_record_parse(struct span in, struct key_record *out, struct err *e);
/* Writes what key_record_parse reads. */
void key_record_put(struct buf *b, const struct eid *eid, struct span cert,
                    struct span signed2, struct span sign_tlv,
                    unsigned eum_chain);
/* EUICCSigned2 and its 5F37 (raw 64) as DER: the octets that the eUICC signed
 * follow from what they say. */
void euicc_key_put(struct buf *b, const struct txid *t, struct span otpk,
                   struct span sign);

/* euicc-data record: 30 { 5A EID, CERT.EUICC, 30 { (30 EUICCSigned2, 5F37)* } } */
#define EUICC_DATA_KEYS_MAX 1024
struct euicc_data_record {
    struct eid eid;
    struct tlv cert;
    struct span keys;       /* walk with euicc_key_take */
};
int euicc_data_record_parse(struct span in, struct euicc_data_record *out,
                            struct err *e);

#endif
