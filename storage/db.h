/* storage/db.h: the ledger, DATA/ledger.db: one SQLite file, WAL,
 * synchronous=FULL, STRICT tables, foreign keys (docs/formats/ledger.md).
 *
 * Storage keeps what it is given. It knows no card, no container, no CMS:
 * whoever calls has proven the octets first.
 *
 * A struct db is one connection. It may be used from any thread: each call
 * holds the connection for its own length, a transaction or snapshot for all
 * of its own. Threads that must not wait for each other open one each. Never
 * carry one across fork. Several processes may have the ledger open; one at a
 * time writes, the others wait at most busy_ms and then get ERR_BUSY.
 *
 * Codes that any call here and in the rooms' other headers may set, besides
 * those named: ERR_FULL (disk full: nothing was changed), ERR_BUSY, ERR_IO,
 * ERR_NOMEM, ERR_FORMAT (the file is damaged or not ours). */
#ifndef LINESIDE_STORAGE_DB_H
#define LINESIDE_STORAGE_DB_H

#include "station/base/err.h"
#include "station/base/ids.h"
#include "station/base/span.h"

#include <stdatomic.h>

#define LEDGER_FILE "ledger.db"

struct db;
struct tx; /* an open write transaction of one db; made here and in writer.h */

enum db_mode {
    DB_READ, /* writing through it is refused */
    DB_WRITE
};

/* All zero is the default. */
struct db_options {
    const char *vfs;      /* name of a registered SQLite VFS; NULL: the default */
    int64_t (*now)(void); /* NULL: clock_system */
    int busy_ms;          /* 0: 10 000 */
    int cache_kib;        /* page cache; 0: 8 MiB */
    bool as_is;           /* db_open: an older schema is ERR_WRONG_STATE and
                             stays as it is, instead of being migrated */
    const atomic_bool *stop; /* not NULL: once it is true, whatever runs on the
                             connection ends soon, with ERR_CLOSED and as if
                             it had not begun; it outlives the connection */
};

/* For `init`: make the ledger in a directory that exists. An unfinished or
 * empty ledger (no event yet) is fine and is completed; one that holds events
 * is ERR_CONFLICT and stays as it is. ERR_IO: no such directory, not
 * writable. o may be NULL. */
int db_create(const char *data_dir, const struct db_options *o, struct err *e);

/* Open what db_create made; older schemas are migrated first. ERR_NOT_FOUND:
 * no directory, or no ledger in it. ERR_IO: not writable. ERR_FORMAT: not a
 * ledger, or of a newer schema. o may be NULL. */
int db_open(const char *data_dir, enum db_mode mode,
            const struct db_options *o, struct db **out, struct err *e);
void db_close(struct db *db); /* NULL is fine */
void db_close_p(struct db **db); /* for AUTO */

/* The schema that the ledger has. */
int schema_version(struct db *db, int *version, struct err *e);
/* SQLite's own look at its file: every page, record and index is in order
 * (PRAGMA quick_check). Reads all of it, changes nothing. ERR_FORMAT with the
 * first thing that is not. */
int db_quick_check(struct db *db, struct err *e);

/* Run fn in one write transaction: all of it happens, durably, or nothing.
 * fn returning non-zero rolls back and its error is handed on. */
typedef int tx_fn(struct tx *tx, void *ctx, struct err *e);
int db_write(struct db *db, tx_fn *fn, void *ctx, struct err *e);

/* Run fn with every read inside seeing one and the same moment. */
typedef int snapshot_fn(struct db *db, void *ctx, struct err *e);
int db_snapshot(struct db *db, snapshot_fn *fn, void *ctx, struct err *e);

/* The connection a transaction runs on, for reads that see its own changes. */
struct db *tx_db(struct tx *tx);

/* For a file that came from elsewhere: SQLite finds it sound, every reference
 * leads somewhere, and its tables, indexes, views and triggers are this
 * program's own, no more and no less. ERR_FORMAT. Reads all of it. */
int db_check_file(struct db *db, struct err *e);

/* --- locks between processes ---------------------------------------------- */

enum lock_kind {
    LOCK_RUN,    /* DATA/run.lock: one `run` at a time      */
    LOCK_IMPORT, /* DATA/import.lock: one import at a time  */
    LOCK_EXPORT, /* DATA/export.lock: one export at a time  */
    LOCK_BACKUP  /* DATA/backup.lock: one backup at a time  */
};
struct lock;

/* Take it or fail at once: ERR_BUSY names the pid that holds it. Released by
 * lock_release or the end of the process (and of every child that inherited
 * the descriptor over fork without exec: close it there). */
int lock_take(const char *data_dir, enum lock_kind k, struct lock **out,
              struct err *e);
/* Does anybody hold it? Who asks is in nobody's way: lock_take does not take
 * an asker for a holder. *pid: who, 0 when not known or nobody. */
int lock_held(const char *data_dir, enum lock_kind k, bool *held, long *pid,
              struct err *e);
void lock_release(struct lock *l); /* NULL is fine */
void lock_release_p(struct lock **l); /* for AUTO */

#endif
