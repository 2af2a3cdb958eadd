/* ifpp/cert.h: chains, roles, EIN, and the raw r||s signatures (binding,
 * clause 1). Verification only: nothing here can sign, agree or decrypt.
 *
 * Certificates travel as chains: concatenated DER, leaf first, root left out
 * or last. At most CHAIN_MAX certificates of at most CERT_MAX octets. */
#ifndef LINESIDE_IFPP_CERT_H
#define LINESIDE_IFPP_CERT_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/base/span.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define CERT_MAX 8192
#define CHAIN_MAX 6
#define REGISTERED_ID_MAX 63 /* dotted text of an OID, or a station id */

enum cert_role {
    ROLE_CI,         /* policy .0 */
    ROLE_EUM,        /* policy .2, permittedEins (or nameConstraints)  */
    ROLE_EUICC,      /* policy .1 critical, serialNumber = EID         */
    ROLE_DPPB,       /* policy .5, registeredID                        */
    ROLE_DPAUTH,     /* policy .4, registeredID                        */
    ROLE_EUICC_DATA, /* leaf under the EUM, EKU ours.1                 */
    ROLE_STATION,    /* Device Manufacturer root, EKU ours.2           */
    ROLE_ORDER,      /* ours.3 */
    ROLE_AUTHORITY,  /* ours.4 */
    ROLE_RELEASE,    /* ours.5 */
    ROLE_RECOVERY,   /* ours.6; keyAgreement: backups are enciphered to it */
    ROLE_COUNT
};
const char *cert_role_name(enum cert_role r);

/* Exactly one certificate, nothing after it. Caller frees. */
int cert_decode(struct span der, X509 **out, struct err *e);
/* Concatenated DER -> stack, leaf first. Caller frees with
 * sk_X509_pop_free(s, X509_free) (or AUTO(cert_stack_free)). */
int cert_chain_decode(struct span der, STACK_OF(X509) **out, struct err *e);
void cert_stack_free(STACK_OF(X509) **s);

/* The role a certificate has by policy or EKU; ROLE_COUNT if none of ours. */
enum cert_role cert_role_of(X509 *c);
/* SAN registeredID as dotted text, or, when there is none, the subject's
 * serialNumber: what a manifest's issuer field must equal. 0 or -1. */
int cert_registered_id(X509 *c, char out[REGISTERED_ID_MAX + 1]);
int cert_serial_number(X509 *c, char out[REGISTERED_ID_MAX + 1]);
/* Content octets of an OBJECT IDENTIFIER as dotted text. 0, or -1 when they
 * are malformed or the text would not fit. */
int oid_format(struct span value, char out[REGISTERED_ID_MAX + 1]);
int cert_eid(X509 *c, struct eid *out, struct err *e);
/* SHA-256 over the SubjectPublicKeyInfo DER: the binding's key id. */
void cert_key_id(X509 *c, uint8_t out[32]);
/* SHA-256 over the whole certificate DER: what `init --root` pins. */
void cert_sha256(X509 *c, uint8_t out[32]);
/* P-256 or brainpoolP256r1 public key; anything else is refused. Borrowed. */
EVP_PKEY *cert_key(X509 *c, struct err *e);
/* The same from the octets of a certificate that was proven before, without
 * OpenSSL's decoder, which costs more than a verification. NULL: refused.
 * Caller frees. */
EVP_PKEY *cert_key_of_der(struct span der, struct err *e);

/* Roots to trust: CI roots for the GSMA roles, the Device Manufacturer root
 * for ours. Never both kinds in one. */
struct trust;
struct trust *trust_new(void);
void trust_free(struct trust *t);
void trust_free_p(struct trust **t); /* for AUTO */
int trust_add_root(struct trust *t, struct span der, struct err *e);
size_t trust_count(const struct trust *t);

/* Prove a chain: signatures to a trusted root, validity at time `at`, CA
 * flags and path lengths, keyUsage, role of the leaf and of each issuer on
 * the way (an eUICC hangs under an EUM, a DPpb under the CI or a sub-CA), no
 * unhandled critical extension except permittedEins, EIN check for eUICC
 * leaves. `at` 0 means: validity is not judged (evidence read years later).
 * ERR_EXPIRED outside its time, ERR_SIGNATURE when a signature on the way
 * does not hold, else ERR_TRUST, with the reason in words. */
int cert_verify(const struct trust *t, STACK_OF(X509) *chain,
                enum cert_role role, int64_t at, struct err *e);

/* A verified EUM (or SM-DPf) kept ready, so that thousands of leaves under it
 * cost one signature each. Safe to use from many threads at once. */
struct issuer;
int issuer_new_eum(const struct trust *t, struct span chain_der, int64_t at,
                   struct issuer **out, struct err *e); /* EUM cert first */
void issuer_free(struct issuer *i);
void issuer_free_p(struct issuer **i);
/* CERT.EUICC under this EUM: signature, role, EIN, validity, subject = EID.
 * *key is the eUICC's public key (caller frees with EVP_PKEY_free). */
int issuer_check_euicc(const struct issuer *i, struct span cert_der,
                       const struct eid *eid, EVP_PKEY **key, struct err *e);

/* ECDSA with SHA-256, raw r||s, over the concatenation of `parts`. */
int sig_verify(EVP_PKEY *key, const struct span *parts, size_t n,
               struct span raw64, struct err *e);

/* An EC public point, 65 octets uncompressed, on the curve: 0 or -1. */
int point_check(struct span point, int curve_nid);

#endif
