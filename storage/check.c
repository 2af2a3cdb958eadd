/* A ledger that came from elsewhere (storage/db.h, db_check_file). */
#include "storage/inner.h"

/* The first row, if there is one, is what is wrong. */
static int first_fault(struct db *db, const char *sql, bool ok_is_a_row,
                       struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, sql, e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row <= 0)
        return row;
    if (ok_is_a_row && strcmp(q_get_text(&q, 0), "ok") == 0)
        return 0;
    return err_set(e, ERR_FORMAT, "the ledger is damaged (%s)", q_get_text(&q, 0));
}

/* What SQLite made by itself (sqlite_stat1, automatic indexes) has no say. */
#define SCHEMA "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema" \
    " WHERE name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY type, name"

static int same_schema(struct db *db, struct db *own, struct err *e)
{
    AUTO(q_close) struct q a = { 0 };
    AUTO(q_close) struct q b = { 0 };

    if (q_open(&a, db, SCHEMA, e) != 0 || q_open(&b, own, SCHEMA, e) != 0)
        return -1;
    for (;;) {
        int is = q_step(&a, e), must = is < 0 ? -1 : q_step(&b, e);
        bool same = is == must;
        if (is < 0 || must < 0)
            return -1;
        for (int i = 0; is && same && i < 4; i++)
            same = strcmp(q_get_text(&a, i), q_get_text(&b, i)) == 0;
        if (!same)
            return err_set(e, ERR_FORMAT, "the ledger is not laid out as this "
                           "program lays one out: \"%.60s\" is not \"%.60s\"",
                           is ? q_get_text(&a, 1) : "", must ? q_get_text(&b, 1) : "");
        if (!is)
            return 0;
    }
}

static int check_schema(struct db *db, struct err *e)
{
    struct db own = { .dir = "memory", .mode = DB_WRITE, .turn_fd = -1 };
    pthread_mutexattr_t recursive;

    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&own.mutex, &recursive);
    pthread_mutexattr_destroy(&recursive);
    int rc = sqlite3_open(":memory:", &own.sql);
    int bad = rc != SQLITE_OK ? sql_err(&own, rc, e, "a ledger in memory")
                              : schema_migrate(&own, e) != 0 ||
                                    same_schema(db, &own, e) != 0;

    for (size_t i = 0; i < STATEMENT_SLOTS; i++)
        sqlite3_finalize(own.statements[i].s);
    sqlite3_close(own.sql);
    pthread_mutex_destroy(&own.mutex);
    return bad ? -1 : 0;
}

static int check(struct db *db, void *ctx, struct err *e)
{
    (void)ctx;
    return check_schema(db, e) != 0 ||
           first_fault(db, "PRAGMA integrity_check(1)", true, e) != 0 ||
           first_fault(db, "PRAGMA foreign_key_check", false, e) != 0 ? -1 : 0;
}

int db_check_file(struct db *db, struct err *e)
{
    return db_snapshot(db, check, NULL, e);
}
