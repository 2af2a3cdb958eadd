/* pki/issue.h: certificates with the profiles of the binding, clause 1. One
 * table says what each role's certificate carries. */
#ifndef LINESIDE_LAB_PKI_ISSUE_H
#define LINESIDE_LAB_PKI_ISSUE_H

#include "station/ifpp/cert.h"
#include "tests/lab/pki/keys.h"

/* The Device Manufacturer's root is no GSMA role, hence none of cert.h's. */
#define ISSUE_DM_ROOT ROLE_COUNT
#define ISSUE_PROFILES (ROLE_COUNT + 1)

/* Members that a role has no use for are NULL. */
struct issue {
    int role;                  /* enum cert_role, or ISSUE_DM_ROOT        */
    const char *common_name;
    const char *organisation;
    const char *unit;          /* station: its site                       */
    const char *serial_number; /* subject: EID, station id, DM role       */
    const char *registered_id; /* SAN, dotted                             */
    const char *const *eins;   /* EUM: permittedEins, ends with NULL      */
};

/* Certify a public key. issuer NULL: self-signed by `subject`. Valid from one
 * day ago, for the role's term. Caller frees *out. */
int issue_cert(const struct issue *i, EVP_PKEY *subject,
               const struct holder *issuer, X509 **out, struct err *e);

#endif
