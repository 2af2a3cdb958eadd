/* pki/keys.h: EC keys of the lab: made, kept as PEM files of mode 0600, used
 * to sign in the binding's raw form. The station has nothing of the kind:
 * here are the parties beyond the air gap (eSIM CA, EUM, SM-DPf, Device
 * Manufacturer). */
#ifndef LINESIDE_LAB_PKI_KEYS_H
#define LINESIDE_LAB_PKI_KEYS_H

#include "station/base/err.h"
#include "station/base/span.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

#define EC_POINT_LEN 65 /* uncompressed, 256-bit curve */
#define EC_RAW_SIG_LEN 64

/* "p256" or "brainpool" to NID and back; NID_undef / NULL if neither. */
int ec_curve_parse(const char *name);
const char *ec_curve_name(int nid);

/* A generator of key pairs on one curve, for one thread; making the group
 * once is half the cost of a key. Frees: ec_maker_free_p. */
struct ec_maker;
int ec_maker_new(int nid, struct ec_maker **out, struct err *e);
void ec_maker_free_p(struct ec_maker **m);
EVP_PKEY *ec_make(struct ec_maker *m, struct err *e); /* NULL on failure */

int ec_point(EVP_PKEY *key, uint8_t out[EC_POINT_LEN], struct err *e);
/* PrivateKeyInfo (PKCS#8, RFC 5915 inside), appended. Secret: the caller
 * wipes it. */
int ec_pkcs8(EVP_PKEY *key, struct buf *out, struct err *e);

/* ECDSA with SHA-256, raw r||s, over the concatenation of the parts. One
 * signer serves one thread. The key is borrowed only during new. */
struct ec_signer;
int ec_signer_new(EVP_PKEY *key, struct ec_signer **out, struct err *e);
void ec_signer_free_p(struct ec_signer **s);
int ec_sign(struct ec_signer *s, const struct span *parts, size_t n,
            uint8_t out[EC_RAW_SIG_LEN], struct err *e);

/* A key and the certificate that names its holder. */
struct holder {
    EVP_PKEY *key;
    X509 *cert;
};
void holder_clear(struct holder *i);

/* PATH.key (0600) and PATH.pem, both PEM. Saving refuses to overwrite. */
int holder_save(const char *path, const struct holder *i, struct err *e);
int holder_load(const char *path, struct holder *out, struct err *e);
int holder_load_cert(const char *path, X509 **out, struct err *e);

/* DER of a certificate, appended. */
int cert_put(X509 *c, struct buf *out, struct err *e);
void x509_free_p(X509 **c);
void pkey_free_p(EVP_PKEY **k);

#endif
