/* ifpp/sig.h: the pieces that sig_verify (cert.h) and the issuer's fast path
 * share. Internal to station/ifpp. */
#ifndef LINESIDE_IFPP_SIG_H
#define LINESIDE_IFPP_SIG_H

#include "station/ifpp/cert.h"

/* SHA-256 over the concatenation of parts. 0 or -1. */
int sig_digest(const struct span *parts, size_t n, uint8_t out[32]);

/* raw r||s as DER ECDSA-Sig-Value; returns its length. */
#define SIG_DER_MAX 72
size_t sig_der(const uint8_t raw[64], uint8_t out[SIG_DER_MAX]);

/* Ready for EVP_PKEY_verify over a digest. NULL: failed. Caller frees. */
EVP_PKEY_CTX *verifier_new(EVP_PKEY *key);

/* A public key from an uncompressed point that is on the curve; without
 * OpenSSL's decoder, which costs as much as a signature. NULL: refused. */
EVP_PKEY *key_from_point(struct span point, int curve_nid);

/* NID of the key's curve if it is one of ours, else 0. */
int key_curve(EVP_PKEY *key);

#endif
