/* restore/unseal.h: opens what backup/seal.h sealed. Only lineside-restore
 * links it: no program of a running station can open anything
 * (tests/e2e/no_secrets.sh). */
#ifndef LINESIDE_RESTORE_UNSEAL_H
#define LINESIDE_RESTORE_UNSEAL_H

#include "station/base/err.h"
#include "station/base/span.h"

#include <openssl/x509.h>

/* *plain is replaced, and is empty unless the whole was authentic.
 * ERR_SIGNATURE: sealed to another key, or changed since. ERR_FORMAT: not
 * sealed that way at all. cert: whose key it is. */
int unseal(EVP_PKEY *key, X509 *cert, struct span der, struct buf *plain,
           struct err *e);

#endif
