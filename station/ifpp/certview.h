/* ifpp/certview.h: one X.509 certificate seen through spans: what the chain
 * rules of the binding (clause 1) ask about, nothing copied, nothing trusted.
 *
 * OpenSSL proves chains (cert.c); this answers the questions it has no name
 * for (roles, permittedEins, EID) and is cheap enough to be asked once per
 * eUICC of an import, where OpenSSL 3.0's own decoder costs more than the
 * signature. Internal to station/ifpp. */
#ifndef LINESIDE_IFPP_CERTVIEW_H
#define LINESIDE_IFPP_CERTVIEW_H

#include "station/ifpp/cert.h"
#include "station/ifpp/tlv.h"

#define KU_DIGITAL_SIGNATURE 0x80
#define KU_KEY_AGREEMENT 0x08
#define KU_CERT_SIGN 0x04

#define ROLE_BIT(r) (1u << (r))

/* Spans point into the octets given to certview_parse; n 0: absent. */
struct cert_view {
    struct tlv tbs;              /* whole: what the issuer signed          */
    struct span signature;       /* DER ECDSA-Sig-Value                    */
    bool ecdsa_sha256;           /* both algorithm fields say so           */
    struct span issuer, subject; /* Name, whole                            */
    int64_t not_before, not_after;
    struct span spki;            /* whole                                  */
    int curve;                   /* NID of a named curve of ours, else 0   */
    struct span point;           /* uncompressed, 65 octets; curve != 0    */

    unsigned seen;               /* known extensions, one bit each         */
    bool unknown_critical;       /* one that the binding does not handle   */
    unsigned roles;              /* ROLE_BITs by policy and by EKU         */
    bool policy_critical;
    bool has_key_usage;
    uint8_t key_usage;           /* first octet: KU_*                      */
    bool ca;
    int path_len;                /* -1: no limit                           */
    struct span ski;             /* key identifier                         */
    struct span aki;             /* key identifier of the issuer           */
    bool aki_more;               /* issuer and serial number given as well */
    struct span san;             /* members of GeneralNames                */
    struct span eins;            /* members of permittedEins               */
    bool eins_critical;
    struct span constraints;     /* members of NameConstraints             */
};

/* Exactly one v3 certificate, DER throughout, no extension twice. ERR_FORMAT
 * or ERR_LIMIT. */
int certview_parse(struct span der, struct cert_view *out, struct err *e);

/* The certificate may play this role as far as it can say itself: role OID
 * alone and where it must be critical, CA or not, key usage, curve, signature
 * algorithm, critical extensions, identity. Not: signature, time, issuer. */
int certview_check_role(const struct cert_view *v, enum cert_role role,
                        struct err *e);
/* The same for a CA on the way that has no role of its own: `roles` are
 * those it may name (0: none). */
int certview_check_ca(const struct cert_view *v, unsigned roles,
                      struct err *e);

/* Text of the subject attribute 2.5.4.x, which must be there once. */
int certview_subject_text(const struct cert_view *v, uint8_t x,
                          char out[REGISTERED_ID_MAX + 1]);
#define ATTR_SERIAL_NUMBER 5
#define ATTR_ORGANIZATION 10
int certview_registered_id(const struct cert_view *v,
                           char out[REGISTERED_ID_MAX + 1]);
int certview_eid(const struct cert_view *v, struct eid *out, struct err *e);

/* Older EUM certificates restrict by nameConstraints: every subtree is a
 * directoryName of one O and one serialNumber (the EIN), nothing excluded. */
bool certview_ein_constraints(const struct cert_view *eum);
/* What an EUM's restriction says about a leaf under it: `eid` starts with a
 * permitted EIN (NULL: the leaf is no eUICC, only the organisation counts). */
int certview_check_ein(const struct cert_view *eum,
                       const struct cert_view *leaf, const struct eid *eid,
                       struct err *e);
/* Validity period at time `at`; 0: not judged. */
int certview_check_time(const struct cert_view *v, int64_t at, struct err *e);

#endif
