/* backup/make.h: a copy of the whole ledger onto a medium, sealed to the
 * Device Manufacturer's recovery certificate and signed by the station, while
 * the line runs (docs/backup.md). */
#ifndef LINESIDE_BACKUP_MAKE_H
#define LINESIDE_BACKUP_MAKE_H

#include "station/identity/identity.h"
#include "storage/backups.h"
#include "storage/station.h"

#define BACKUP_TMP "backup.tmp"            /* in the data directory  */
#define BACKUP_VALID_S (10 * 365 * 86400ll)

struct backup_job {
    struct db *db;            /* DB_WRITE, used for nothing else meanwhile */
    const struct lock *lock;  /* LOCK_BACKUP                               */
    const char *data_dir;
    const struct station *s;
    const struct identity *self;
    const char *to_dir;
    const char *actor;
    tx_fn *guard;             /* first in the transaction that records it: the  */
    void *guard_ctx;          /* actor may still                                */
    uint64_t roll;            /* octets of a segment; 0: as the writer likes */
};

struct backup_made {
    struct backup_info info;
    uint64_t ledger_octets, octets; /* before and after */
    size_t segments;
    char *path;                     /* owned */
};
void backup_made_clear(struct backup_made *m);

/* Copies, proves the copy (its chain of events, its balance), seals, writes,
 * reads the medium again, and only then records that there is a backup. On
 * failure the medium holds nothing that looks whole, and the ledger knows of
 * none. */
int backup_make(const struct backup_job *j, struct backup_made *out, struct err *e);

#endif
