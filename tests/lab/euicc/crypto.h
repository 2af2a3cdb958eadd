/* lab/euicc/crypto.h: what a chip computes with its own keys. */
#ifndef LINESIDE_LAB_EUICC_CRYPTO_H
#define LINESIDE_LAB_EUICC_CRYPTO_H

#include "station/base/err.h"
#include "station/base/span.h"

#include <openssl/evp.h>

/* PKCS#8 DER with a key on one of the binding's curves. Caller frees. */
int chipkey_decode(struct span pkcs8, EVP_PKEY **out, struct err *e);
/* The curve's NID, or 0. */
int chipkey_curve(EVP_PKEY *key);
/* ECDSA with SHA-256 over data, raw r||s (binding, clause 1), appended as a
 * 5F37. */
int chipkey_sign_put(EVP_PKEY *key, struct span data, struct buf *b,
                 struct err *e);

#endif
