/* restore/restore.h: a backup becomes the ledger of another station
 * (docs/backup.md). Everything is made in a hidden folder beside the new data
 * directory, proven there, and appears under its name last. */
#ifndef LINESIDE_RESTORE_RESTORE_H
#define LINESIDE_RESTORE_RESTORE_H

#include "station/container/manifest.h"
#include "station/ifpp/cert.h"
#include "storage/stock.h"

struct restore_job {
    const char *backup;           /* the container's folder                 */
    EVP_PKEY *key;                /* recovery key                           */
    STACK_OF(X509) *recovery;     /* its certificate, and what is above it  */
    struct trust *root;           /* the Device Manufacturer's root         */
    uint8_t root_sha256[32];
    const char *data_dir;         /* must not be there, or be empty         */
    const char *station;          /* the new one's id; NULL: by its new key */
};

struct restore_result {
    char backup[UUID_LEN + 1];
    char station_before[REGISTERED_ID_MAX + 1], station[REGISTERED_ID_MAX + 1];
    uint8_t key_id[32];
    uint64_t sequence, epoch, last_event;
    int64_t created_at;
    struct stock_balance stock; /* of all bundles */
};

/* ERR_TRUST, ERR_SIGNATURE: not what it says it is, or not for this key;
 * ERR_CONFLICT: what it holds is not what its manifest says, or not a whole
 * ledger, or data_dir is in use. Nothing is left of a restore that failed. */
int restore(const struct restore_job *j, struct restore_result *out, struct err *e);

#endif
