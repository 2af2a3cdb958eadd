/* identity/identity.h: the station's own key, the request for its
 * certificate, and the two together as a signer of containers. The key is
 * DATA/station.key (PEM, mode 0600), made once at `init`; it never leaves. */
#ifndef LINESIDE_IDENTITY_IDENTITY_H
#define LINESIDE_IDENTITY_IDENTITY_H

#include "station/base/err.h"
#include "station/base/span.h"
#include "station/container/writer.h"

#define IDENTITY_KEY_FILE "station.key"

struct identity {
    EVP_PKEY *key;
    X509 *cert;            /* NULL before one came      */
    STACK_OF(X509) *chain; /* above cert; NULL or empty */
    struct signer signer;  /* borrows all three         */
};

/* Make the P-256 key file. ERR_CONFLICT when there is one already: a key is
 * never overwritten. Durable on return. */
int identity_create_key(const char *data_dir, struct err *e);

/* Load the key, and the chain when not empty, whose first certificate must be
 * for this key. */
int identity_open(const char *data_dir, struct span chain_der,
                  struct identity *out, struct err *e);
void identity_close(struct identity *id);

/* SHA-256 over the key's SubjectPublicKeyInfo: the binding's station key id. */
int identity_key_id(const struct identity *id, uint8_t out[32], struct err *e);

/* PKCS#10 with subject serialNumber = station_id, and a self-signed
 * certificate of the same subject that lasts a month: it signs the
 * station-csr container, which proves possession of the key only. On return
 * id->signer is that certificate. */
int identity_request(struct identity *id, const char *station_id, int64_t now,
                     struct buf *csr_der, struct err *e);

/* "LS-" and 12 hex digits of the key id: an id nobody had to think of. */
int identity_default_id(const struct identity *id, char *out, size_t cap,
                        struct err *e);

/* A station id: 1 to 63 of letters, digits, '-', '_', '.'. */
bool identity_id_valid(const char *station_id);

#endif
