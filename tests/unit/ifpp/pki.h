/* tests/unit/ifpp/pki.h: certificates made for one test run, right ones and
 * all the wrong ones: nothing that expires is kept in the repository. */
#ifndef LINESIDE_TESTS_UNIT_IFPP_PKI_H
#define LINESIDE_TESTS_UNIT_IFPP_PKI_H

#include "station/base/span.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define PKI_DAY 86400
#define PKI_NOW 1795473660 /* 2026-11-23 22:41:00Z: when tests take place */

/* "critical,DER:..." for X509V3_EXT_nconf, from a run of EINs; for the older
 * form from O and EIN. Static storage: valid until the next call of the same
 * function. */
const char *pki_eins(const char *const *eins, size_t n);
const char *pki_ein_constraints(const char *o, const char *ein);

enum pki_kind {
    PKI_CI, PKI_SUBCA, PKI_EUM, PKI_EUICC, PKI_DPPB, PKI_DPAUTH,
    PKI_DATA, PKI_DM, PKI_STATION, PKI_RECOVERY, PKI_KINDS
};

/* An extension put in, put in place of the usual one, or (value NULL) left
 * out. Names and values as in OpenSSL's configuration files. */
struct pki_change {
    const char *name, *value;
};
#define PKI_CHANGES 3

struct pki_spec {
    enum pki_kind kind;
    const char *o, *cn, *sn; /* NULL: the kind's own, "" leaves it out */
    const char *group;       /* NULL: prime256v1                       */
    int64_t from, to;        /* 0: PKI_NOW -/+ 100 days                */
    int version1;            /* not a version 3 certificate            */
    const char *digest;      /* NULL: SHA256                           */
    struct pki_change change[PKI_CHANGES];
};

struct pki_cert {
    EVP_PKEY *key;
    X509 *cert;
    struct buf der;
};

/* issuer NULL: self-signed. Fails the test when OpenSSL does. */
void pki_make(struct pki_cert *out, const struct pki_spec *spec,
              const struct pki_cert *issuer);
/* As if `name` had issued it, but signed by another key. */
void pki_make_forged(struct pki_cert *out, const struct pki_spec *spec,
                     const struct pki_cert *name, EVP_PKEY *signer);
void pki_clear(struct pki_cert *c);

/* raw r||s by key, over the concatenation of a and b. */
void pki_sign(EVP_PKEY *key, struct span a, struct span b, uint8_t out[64]);
/* Uncompressed public point. */
void pki_point(EVP_PKEY *key, uint8_t out[65]);

#endif
