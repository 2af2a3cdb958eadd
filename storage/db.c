#include "storage/db.h"

#include "station/base/clock.h"
#include "storage/inner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUSY_MS 10000
#define CACHE_KIB 8192
#define ASIDE_MS 200

/* --- errors ---------------------------------------------------------------- */

/* By primary code; what a person can do about it. */
static const struct {
    int rc;
    enum err_code code;
    const char *advice;
} causes[] = {
    { SQLITE_FULL, ERR_FULL, "the disk is full and nothing was changed; make "
      "room beside the ledger, then try again" },
    { SQLITE_BUSY, ERR_BUSY, "another process is writing to the ledger; try "
      "again when it is done" },
    { SQLITE_LOCKED, ERR_BUSY, "the ledger is in use; try again" },
    { SQLITE_READONLY, ERR_IO, "the ledger cannot be written; check the data "
      "directory's owner and that its disk is not mounted read-only" },
    { SQLITE_CANTOPEN, ERR_IO, "the ledger's files cannot be opened; check "
      "the data directory's owner and that its disk is not mounted read-only" },
    { SQLITE_PERM, ERR_IO, "no permission; check the data directory's owner" },
    { SQLITE_IOERR, ERR_IO, "the disk refused; look at the system's log, then "
      "try again" },
    { SQLITE_CORRUPT, ERR_FORMAT, "the ledger is damaged: stop, keep a copy "
      "of the data directory, and restore the last good one" },
    { SQLITE_NOTADB, ERR_FORMAT, "not a Lineside ledger; check the data "
      "directory's name" },
    { SQLITE_NOMEM, ERR_NOMEM, "no memory" },
    { SQLITE_INTERRUPT, ERR_CLOSED, "it was stopped before it was done" },
};

int sql_err(struct db *db, int rc, struct err *e, const char *what)
{
    const char *said = db->sql ? sqlite3_errmsg(db->sql) : sqlite3_errstr(rc);
    int no = db->sql ? sqlite3_system_errno(db->sql) : 0;

    /* A disk too full even for the shared-memory file shows as an I/O error. */
    if ((rc & 0xff) == SQLITE_IOERR && (no == ENOSPC || no == EDQUOT))
        rc = SQLITE_FULL;
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (causes[i].rc == (rc & 0xff))
            return err_set(e, causes[i].code, "%s: %s (%s)", what,
                           causes[i].advice, said);
    return err_set(e, ERR_INTERNAL, "%s: %s (%d)", what, said, rc);
}

int sql_exec(struct db *db, const char *sql, struct err *e)
{
    int rc = sqlite3_exec(db->sql, sql, NULL, NULL, NULL);

    return rc == SQLITE_OK ? 0 : sql_err(db, rc, e, "the ledger");
}

/* --- waiting for each other -------------------------------------------------
 *
 * SQLite's own busy handler sleeps up to 100 ms, and nothing keeps a writer
 * that commits and begins again at once from winning every time. So a writer
 * that waits polls every millisecond and holds turn.lock shared meanwhile; a
 * long writer looks at turn.lock between its transactions. */

#define STEPS 4000 /* of SQLite's machine: less than a millisecond */

static void sleep_ms(int ms)
{
    struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

    nanosleep(&ts, NULL);
}

/* Called by SQLite every few thousand steps of a statement. */
static int on_steps(void *stop)
{
    return atomic_load_explicit((const atomic_bool *)stop, memory_order_relaxed);
}

static int on_busy(void *p, int count)
{
    struct db *db = p;

    if (count == 0)
        db->busy_since = clock_monotonic_ms();
    else if (clock_monotonic_ms() - db->busy_since >= db->options.busy_ms)
        return 0;
    /* Refused when a long writer looks at this very moment: asked again. */
    if (db->turn_fd >= 0 && !db->asks_turn)
        db->asks_turn = flock(db->turn_fd, LOCK_SH | LOCK_NB) == 0;
    sleep_ms(1);
    return 1;
}

static void turn_over(struct db *db)
{
    if (db->asks_turn)
        flock(db->turn_fd, LOCK_UN);
    db->asks_turn = false;
}

void db_step_aside(struct db *db)
{
    int64_t until = clock_monotonic_ms() + ASIDE_MS;

    while (flock(db->turn_fd, LOCK_EX | LOCK_NB) != 0)
        if (clock_monotonic_ms() >= until)
            return;
        else
            sleep_ms(1);
    flock(db->turn_fd, LOCK_UN);
}

/* --- opening --------------------------------------------------------------- */

static int mutex_init(pthread_mutex_t *m, struct err *e)
{
    pthread_mutexattr_t attr;
    int rc = pthread_mutexattr_init(&attr);

    if (rc == 0) {
        pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
        rc = pthread_mutex_init(m, &attr);
        pthread_mutexattr_destroy(&attr);
    }
    return rc == 0 ? 0 : err_set(e, ERR_NOMEM, "no memory for a lock");
}

static int dir_check(const char *dir, struct err *e)
{
    struct stat st;

    if (stat(dir, &st) != 0) {
        if (errno == ENOENT)
            return err_set(e, ERR_NOT_FOUND, "there is no data directory %s; "
                           "check the name, or make it and run `lineside "
                           "init`", dir);
        return err_errno(e, "data directory %s", dir);
    }
    if (!S_ISDIR(st.st_mode))
        return err_set(e, ERR_IO, "%s is not a directory; name the data "
                       "directory", dir);
    if (access(dir, R_OK | W_OK | X_OK) != 0)
        return err_errno(e, "data directory %s cannot be written; check its "
                         "owner and that its disk is not mounted read-only",
                         dir);
    return 0;
}

static int path_of(const char *dir, const char *name, char out[PATH_MAX],
                   struct err *e)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", dir, name);

    return n > 0 && n < PATH_MAX ? 0
         : err_set(e, ERR_USAGE, "the data directory's name is too long");
}

static int turn_open(struct db *db, struct err *e)
{
    char path[PATH_MAX];

    if (path_of(db->dir, "turn.lock", path, e) != 0)
        return -1;
    db->turn_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    return db->turn_fd >= 0 ? 0 : err_errno(e, "cannot open %s", path);
}

static int pragmas(struct db *db, struct err *e)
{
    char cache[64];

    sqlite3_extended_result_codes(db->sql, 1);
    sqlite3_busy_handler(db->sql, on_busy, db);
    sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    snprintf(cache, sizeof cache, "PRAGMA cache_size = -%d",
             db->options.cache_kib);
    /* recursive_triggers: otherwise REPLACE deletes past the triggers that
     * keep events. 4000 pages of WAL: a checkpoint's two fsyncs are rare
     * beside those of the commits. */
    return sql_exec(db, cache, e) != 0 ||
           sql_exec(db, "PRAGMA synchronous = FULL;"
                    "PRAGMA foreign_keys = ON;"
                    "PRAGMA recursive_triggers = ON;"
                    "PRAGMA trusted_schema = OFF;"
                    "PRAGMA cell_size_check = ON;"
                    "PRAGMA temp_store = MEMORY;"
                    "PRAGMA journal_size_limit = 33554432;"
                    "PRAGMA wal_autocheckpoint = 4000;", e) != 0
         ? -1 : 0;
}

static int64_t pragma_int(struct db *db, const char *sql, int *rc)
{
    sqlite3_stmt *s = NULL;
    int64_t v = 0;

    *rc = sqlite3_prepare_v2(db->sql, sql, -1, &s, NULL);
    if (*rc == SQLITE_OK) {
        *rc = sqlite3_step(s);
        if (*rc == SQLITE_ROW) {
            v = sqlite3_column_int64(s, 0);
            *rc = SQLITE_OK;
        }
    }
    sqlite3_finalize(s);
    return v;
}

int schema_version(struct db *db, int *version, struct err *e)
{
    int rc;

    *version = (int)pragma_int(db, "PRAGMA user_version", &rc);
    return rc == SQLITE_OK ? 0 : sql_err(db, rc, e, "the ledger");
}

int db_quick_check(struct db *db, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "PRAGMA quick_check(1)", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    const char *said = row ? q_get_text(&q, 0) : "no answer";
    return strcmp(said, "ok") == 0 ? 0
         : err_set(e, ERR_FORMAT, "the ledger's file is damaged: %s", said);
}

/* Ours: our application id; empty: no id, no table. */
static int identity(struct db *db, bool *ours, bool *empty, struct err *e)
{
    int rc;
    int64_t id = pragma_int(db, "PRAGMA application_id", &rc);

    if (rc != SQLITE_OK)
        return sql_err(db, rc, e, "opening the ledger");
    int64_t tables = pragma_int(db, "SELECT count(*) FROM sqlite_schema", &rc);
    if (rc != SQLITE_OK)
        return sql_err(db, rc, e, "opening the ledger");
    *ours = id == APPLICATION_ID;
    *empty = id == 0 && tables == 0;
    return 0;
}

static struct db *db_new(const char *dir, enum db_mode mode,
                         const struct db_options *o, struct err *e)
{
    struct db *db = calloc(1, sizeof *db);

    if (!db || !(db->dir = strdup(dir)) || mutex_init(&db->mutex, e) != 0) {
        if (db)
            free(db->dir);
        free(db);
        err_set(e, ERR_NOMEM, "no memory to open the ledger");
        return NULL;
    }
    if (o)
        db->options = *o;
    if (!db->options.now)
        db->options.now = clock_system;
    if (!db->options.busy_ms)
        db->options.busy_ms = BUSY_MS;
    if (!db->options.cache_kib)
        db->options.cache_kib = CACHE_KIB;
    db->mode = mode;
    db->turn_fd = -1;
    db->tx.db = db;
    return db;
}

static int db_connect(struct db *db, int flags, struct err *e)
{
    char path[PATH_MAX];

    if (turn_open(db, e) != 0 || path_of(db->dir, LEDGER_FILE, path, e) != 0)
        return -1;
    int rc = sqlite3_open_v2(path, &db->sql, flags | SQLITE_OPEN_READWRITE |
                             SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
                             db->options.vfs);
    if (rc != SQLITE_OK)
        return sql_err(db, rc, e, path);
    if (sqlite3_db_readonly(db->sql, "main") == 1)
        return err_set(e, ERR_IO, "%s is read-only; check its owner and that "
                       "its disk is not mounted read-only", path);
    if (db->options.stop)
        sqlite3_progress_handler(db->sql, STEPS, on_steps, (void *)db->options.stop);
    return pragmas(db, e);
}

/* The journal mode is the file's own and must be WAL before it is used. */
static int to_wal(struct db *db, struct err *e)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db->sql, "PRAGMA journal_mode = WAL", -1, &s,
                                NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    bool wal = rc == SQLITE_ROW &&
               strcmp((const char *)sqlite3_column_text(s, 0), "wal") == 0;
    sqlite3_finalize(s);
    if (wal)
        return 0;
    return rc == SQLITE_ROW
         ? err_set(e, ERR_IO, "this disk cannot carry the ledger: no shared "
                   "memory for SQLite's WAL; use a local disk")
         : sql_err(db, rc, e, "opening the ledger");
}

static int has_events(struct db *db, bool *out, struct err *e)
{
    int rc;

    *out = pragma_int(db, "SELECT count(*) FROM (SELECT 1 FROM event LIMIT 1)",
                      &rc) != 0;
    return rc == SQLITE_OK ? 0 : sql_err(db, rc, e, "the ledger");
}

static int version_check(struct db *db, int version, struct err *e)
{
    if (version > SCHEMA_VERSION)
        return err_set(e, ERR_FORMAT, "the ledger in %s is of schema %d, this "
                       "program knows up to %d: use the newer program",
                       db->dir, version, SCHEMA_VERSION);
    return 0;
}

static int dir_sync(const char *dir, struct err *e)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd);

    if (rc != 0)
        err_errno(e, "data directory %s", dir);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int create(struct db *db, struct err *e)
{
    bool ours, empty, events = false;
    int version;

    if (db_connect(db, SQLITE_OPEN_CREATE, e) != 0 ||
        identity(db, &ours, &empty, e) != 0)
        return -1;
    if (!ours && !empty)
        return err_set(e, ERR_CONFLICT, "%s/%s is not a Lineside ledger and "
                       "is left as it is; use an empty directory", db->dir,
                       LEDGER_FILE);
    if (ours && (schema_version(db, &version, e) != 0 ||
                 version_check(db, version, e) != 0 ||
                 has_events(db, &events, e) != 0))
        return -1;
    if (events)
        return err_set(e, ERR_CONFLICT, "%s already holds a ledger; nothing "
                       "was changed. Use another data directory", db->dir);
    return to_wal(db, e) != 0 || schema_migrate(db, e) != 0 ||
           dir_sync(db->dir, e) != 0 ? -1 : 0;
}

int db_create(const char *data_dir, const struct db_options *o, struct err *e)
{
    if (dir_check(data_dir, e) != 0)
        return -1;
    AUTO(db_close_p) struct db *db = db_new(data_dir, DB_WRITE, o, e);
    return db ? create(db, e) : -1;
}

static int open_existing(struct db *db, struct err *e)
{
    char path[PATH_MAX];
    struct stat st;
    bool ours, empty;
    int version;

    if (path_of(db->dir, LEDGER_FILE, path, e) != 0)
        return -1;
    if (stat(path, &st) != 0)
        return errno == ENOENT
             ? err_set(e, ERR_NOT_FOUND, "there is no ledger in %s; run "
                       "`lineside init` there, or check the name", db->dir)
             : err_errno(e, "%s", path);
    if (db_connect(db, 0, e) != 0 || identity(db, &ours, &empty, e) != 0)
        return -1;
    if (empty)
        return err_set(e, ERR_NOT_FOUND, "the ledger in %s is empty: `lineside "
                       "init` was interrupted; run it again", db->dir);
    if (!ours)
        return err_set(e, ERR_FORMAT, "%s is not a Lineside ledger; check the "
                       "data directory's name", path);
    if (schema_version(db, &version, e) != 0 ||
        version_check(db, version, e) != 0)
        return -1;
    if (db->options.as_is && version < SCHEMA_VERSION)
        return err_set(e, ERR_WRONG_STATE, "the ledger in %s is of schema %d, "
                       "this program writes %d: the next command that opens it "
                       "brings it there", db->dir, version, SCHEMA_VERSION);
    if (to_wal(db, e) != 0 ||
        (version < SCHEMA_VERSION && schema_migrate(db, e) != 0))
        return -1;
    return db->mode == DB_READ ? sql_exec(db, "PRAGMA query_only = ON", e) : 0;
}

int db_open(const char *data_dir, enum db_mode mode,
            const struct db_options *o, struct db **out, struct err *e)
{
    if (dir_check(data_dir, e) != 0)
        return -1;
    struct db *db = db_new(data_dir, mode, o, e);
    if (!db)
        return -1;
    if (open_existing(db, e) != 0) {
        db_close(db);
        return -1;
    }
    *out = db;
    return 0;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < STATEMENT_SLOTS; i++)
        sqlite3_finalize(db->statements[i].s);
    sqlite3_close(db->sql);
    if (db->turn_fd >= 0)
        close(db->turn_fd);
    pthread_mutex_destroy(&db->mutex);
    free(db->dir);
    free(db);
}

void db_close_p(struct db **db)
{
    db_close(*db);
}

int64_t db_now(const struct db *db)
{
    return db->options.now();
}

/* --- transactions ---------------------------------------------------------- */

int db_begin(struct db *db, struct tx **out, struct err *e)
{
    if (db->mode != DB_WRITE)
        return err_set(e, ERR_INTERNAL, "this connection was opened for "
                       "reading");
    pthread_mutex_lock(&db->mutex);
    int rc = db->open_tx || db->open_snapshot ? -1 : 0;
    if (rc != 0)
        err_set(e, ERR_INTERNAL, "a transaction inside a transaction");
    else
        rc = sql_exec(db, "BEGIN IMMEDIATE", e);
    turn_over(db);
    if (rc != 0) {
        pthread_mutex_unlock(&db->mutex);
        return -1;
    }
    db->open_tx = true;
    *out = &db->tx;
    return 0;
}

bool db_tx_lost(struct db *db)
{
    return db->open_tx && sqlite3_get_autocommit(db->sql) != 0;
}

static void tx_end(struct db *db)
{
    db->open_tx = false;
    turn_over(db);
    pthread_mutex_unlock(&db->mutex);
}

int db_commit(struct db *db, struct err *e)
{
    if (sql_exec(db, "COMMIT", e) != 0) {
        db_rollback(db);
        return -1;
    }
    tx_end(db);
    return 0;
}

void db_rollback(struct db *db)
{
    if (sqlite3_get_autocommit(db->sql) == 0)
        sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    tx_end(db);
}

int db_write(struct db *db, tx_fn *fn, void *ctx, struct err *e)
{
    struct tx *tx;

    if (db_begin(db, &tx, e) != 0)
        return -1;
    if (fn(tx, ctx, e) != 0) {
        db_rollback(db);
        return -1;
    }
    return db_commit(db, e);
}

int db_snapshot(struct db *db, snapshot_fn *fn, void *ctx, struct err *e)
{
    pthread_mutex_lock(&db->mutex);
    /* Inside a transaction or another snapshot the moment is fixed already. */
    bool outer = !db->open_tx && !db->open_snapshot;
    int rc = outer ? sql_exec(db, "BEGIN", e) : 0;
    if (rc == 0) {
        bool before = db->open_snapshot;
        db->open_snapshot = true;
        rc = fn(db, ctx, e);
        db->open_snapshot = before;
        if (outer)
            sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
    }
    turn_over(db);
    pthread_mutex_unlock(&db->mutex);
    return rc;
}

struct db *tx_db(struct tx *tx)
{
    return tx->db;
}
