/* backup/seal.h: octets that one key alone can open: CMS AuthEnvelopedData
 * (RFC 5083), DER; AES-256-GCM, the content key agreed with an EC key
 * (ephemeral-static ECDH, X9.63 KDF with SHA-256, AES-256 key wrap). Who seals
 * keeps nothing that opens. Only lineside-backup links it
 * (tests/e2e/no_secrets.sh). */
#ifndef LINESIDE_BACKUP_SEAL_H
#define LINESIDE_BACKUP_SEAL_H

#include "station/base/err.h"
#include "station/base/span.h"
#include "station/container/manifest.h"

#include <openssl/x509.h>

/* So that the sealed octets are a record of a container. */
#define SEAL_PLAIN_MAX (RECORD_MAX - 4096)

/* plain: 1 to SEAL_PLAIN_MAX octets. *der is replaced. */
int seal_to(X509 *recipient, struct span plain, struct buf *der, struct err *e);

#endif
