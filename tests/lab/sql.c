#include "tests/lab/sql.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define STATEMENTS 64
#define BUSY_TIMEOUT_MS 30000

struct sql {
    sqlite3 *db;
    size_t n;
    struct {
        const char *text;
        sqlite3_stmt *st;
    } kept[STATEMENTS];
};

static int sql_err(struct sql *s, struct err *e, const char *text)
{
    int rc = sqlite3_errcode(s->db);
    enum err_code code = rc == SQLITE_FULL         ? ERR_FULL
                         : rc == SQLITE_NOMEM      ? ERR_NOMEM
                         : rc == SQLITE_BUSY       ? ERR_BUSY
                         : rc == SQLITE_CONSTRAINT ? ERR_CONFLICT
                                                   : ERR_IO;

    return err_set(e, code, "%s: %s (%.60s)",
                   sqlite3_db_filename(s->db, "main"), sqlite3_errmsg(s->db),
                   text);
}

int sql_open(const char *path, const char *schema, struct sql **out,
             struct err *e)
{
    struct sql *s = calloc(1, sizeof *s);

    if (!s)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (sqlite3_open_v2(path, &s->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                        NULL) != SQLITE_OK) {
        err_set(e, ERR_IO, "%s: %s", path,
                s->db ? sqlite3_errmsg(s->db) : "out of memory");
        sql_close(s);
        return -1;
    }
    sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    if (sqlite3_exec(s->db,
                     "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                     "PRAGMA foreign_keys = ON;",
                     NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK) {
        sql_err(s, e, "opening");
        sql_close(s);
        return -1;
    }
    *out = s;
    return 0;
}

void sql_close(struct sql *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->n; i++)
        sqlite3_finalize(s->kept[i].st);
    sqlite3_close(s->db);
    free(s);
}

void sql_close_p(struct sql **s)
{
    sql_close(*s);
    *s = NULL;
}

static sqlite3_stmt *kept(struct sql *s, const char *text, struct err *e)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->kept[i].text == text)
            return s->kept[i].st;
    if (s->n == STATEMENTS) {
        err_set(e, ERR_INTERNAL, "more than %d statements", STATEMENTS);
        return NULL;
    }
    sqlite3_stmt *st = NULL;
    if (sqlite3_prepare_v3(s->db, text, -1, SQLITE_PREPARE_PERSISTENT, &st,
                           NULL) != SQLITE_OK) {
        sql_err(s, e, text);
        return NULL;
    }
    s->kept[s->n].text = text;
    s->kept[s->n++].st = st;
    return st;
}

static int bind_one(sqlite3_stmt *st, int at, char type, va_list *ap)
{
    const char *text;
    struct span blob;

    switch (type) {
    case 'i':
        return sqlite3_bind_int64(st, at, va_arg(*ap, int64_t));
    case 's':
        text = va_arg(*ap, const char *);
        return text ? sqlite3_bind_text(st, at, text, -1, SQLITE_TRANSIENT)
                    : sqlite3_bind_null(st, at);
    case 'b':
        blob = va_arg(*ap, struct span);
        return blob.p ? sqlite3_bind_blob64(st, at, blob.p, blob.n,
                                            SQLITE_TRANSIENT)
                      : sqlite3_bind_null(st, at);
    default:
        return SQLITE_MISUSE;
    }
}

static int vstart(struct sql *s, sqlite3_stmt **out, struct err *e,
                  const char *text, const char *types, va_list *ap)
{
    sqlite3_stmt *st = kept(s, text, e);

    if (!st)
        return -1;
    for (int i = 0; types[i]; i++)
        if (bind_one(st, i + 1, types[i], ap) != SQLITE_OK) {
            sql_end(st);
            return sql_err(s, e, text);
        }
    *out = st;
    return 0;
}

int sql_start(struct sql *s, sqlite3_stmt **st, struct err *e,
              const char *text, const char *types, ...)
{
    va_list ap;

    va_start(ap, types);
    int got = vstart(s, st, e, text, types, &ap);
    va_end(ap);
    return got;
}

int sql_step(struct sql *s, sqlite3_stmt *st, struct err *e)
{
    int rc = sqlite3_step(st);

    if (rc == SQLITE_ROW)
        return 1;
    if (rc != SQLITE_DONE)
        sql_err(s, e, sqlite3_sql(st));
    sql_end(st);
    return rc == SQLITE_DONE ? 0 : -1;
}

void sql_end(sqlite3_stmt *st)
{
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
}

static int drain(struct sql *s, sqlite3_stmt *st, struct err *e)
{
    int got;

    while ((got = sql_step(s, st, e)) == 1)
        ;
    return got;
}

int sql_run(struct sql *s, struct err *e, const char *text, const char *types,
            ...)
{
    sqlite3_stmt *st;
    va_list ap;

    va_start(ap, types);
    int got = vstart(s, &st, e, text, types, &ap);
    va_end(ap);
    return got == 0 ? drain(s, st, e) : -1;
}

struct span sql_blob(sqlite3_stmt *st, int column)
{
    const void *p = sqlite3_column_blob(st, column);

    return SPAN(p, (size_t)sqlite3_column_bytes(st, column));
}

const char *sql_text(sqlite3_stmt *st, int column)
{
    const unsigned char *t = sqlite3_column_text(st, column);

    return t ? (const char *)t : "";
}

int sql_int(struct sql *s, int64_t none, int64_t *out, struct err *e,
            const char *text, const char *types, ...)
{
    sqlite3_stmt *st;
    va_list ap;

    va_start(ap, types);
    int got = vstart(s, &st, e, text, types, &ap);
    va_end(ap);
    if (got != 0)
        return -1;
    got = sql_step(s, st, e);
    if (got < 0)
        return -1;
    *out = got == 1 && sqlite3_column_type(st, 0) != SQLITE_NULL
               ? sqlite3_column_int64(st, 0)
               : none;
    if (got == 1)
        sql_end(st);
    return 0;
}

int sql_begin(struct sql *s, struct err *e)
{
    return sql_run(s, e, "BEGIN IMMEDIATE", "");
}

int sql_commit(struct sql *s, struct err *e)
{
    if (sql_run(s, e, "COMMIT", "") == 0)
        return 0;
    sql_rollback(s);
    return -1;
}

void sql_rollback(struct sql *s)
{
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

int sequence_take(struct sql *s, const char *name, int64_t count,
                  int64_t *first, struct err *e)
{
    int64_t last;

    if (sql_int(s, 0, &last, e,
                "INSERT INTO sequence(name, last) VALUES(?, ?)"
                " ON CONFLICT(name) DO UPDATE SET last = last + excluded.last"
                " RETURNING last",
                "si", name, count) != 0)
        return -1;
    *first = last - count + 1;
    return 0;
}
