/* storage/backups.h: a copy of the whole ledger, what the ledger knows of the
 * copies made, and how a restored one changes hands (docs/backup.md). */
#ifndef LINESIDE_STORAGE_BACKUPS_H
#define LINESIDE_STORAGE_BACKUPS_H

#include "storage/db.h"
#include "storage/stock.h"

/* Copy the ledger as it is at one moment into to_dir/ledger.db, which must not
 * be there; the directory must. Others may read and write meanwhile: they wait
 * for nothing, but what they write is kept beside the file until the copy is
 * done. The copy is not made durable. ERR_FULL: no room; what was copied of it
 * may be left. */
int backup_copy(struct db *db, const char *to_dir, struct err *e);

/* One backup made. */
struct backup_info {
    char id[STOCK_BUNDLE_MAX + 1]; /* UUID */
    uint64_t sequence;             /* from 1; goes on over restores    */
    uint64_t epoch;
    uint64_t last_event;           /* that it holds                    */
    uint8_t manifest_sha256[32];
    int64_t created_at;
};

/* The last one; ERR_NOT_FOUND: none was made yet. */
int backup_last(struct db *db, struct backup_info *out, struct err *e);

/* It is on its medium: the row and event "backup-made". ERR_CONFLICT: its
 * sequence is not the next. */
int backup_add(struct tx *tx, const struct backup_info *b, const char *actor,
               struct err *e);

/* How much a backup made now would save. */
struct backup_need {
    bool any;           /* one was made                                      */
    int64_t made_at;    /* the last one; 0: none                             */
    int64_t age_s;      /* since then, or since event 1, by the ledger's clock */
    uint64_t events;    /* since what it holds                               */
    bool overdue;       /* events, and over BACKUP_OVERDUE_S                 */
};
#define BACKUP_OVERDUE_S (7 * 86400ll)
int backup_needed(struct db *db, struct backup_need *out, struct err *e);

/* --- restored ---------------------------------------------------------------- */

struct takeover {
    const char *backup;  /* id of the container */
    const char *station; /* the new one's id    */
    uint8_t key_id[32];  /* and key             */
};
/* The ledger now belongs to another station: the old identity is retired, its
 * certificate with it, and the next epoch begins, with event "restored". Site,
 * roots and allow-list stay. ERR_CONFLICT: the new key is the old one's. */
int ledger_take_over(struct tx *tx, const struct takeover *t, const char *actor,
                     uint64_t *epoch, struct err *e);

/* Whose ledger it was before the last restore; ERR_NOT_FOUND: nobody else's. */
struct retired_station {
    uint64_t epoch; /* that it ended */
    char id[64];
    char backup[STOCK_BUNDLE_MAX + 1];
    uint64_t last_event; /* of its epoch, as far as the backup held it */
    int64_t restored_at;
};
int retired_last(struct db *db, struct retired_station *out, struct err *e);

#endif
