/* Statements: prepared once per connection and literal, bound in order. */
#include "storage/inner.h"

#include <stdlib.h>

static struct statement *slot_of(struct db *db, const char *sql)
{
    size_t at = ((uintptr_t)sql >> 3) * 2654435761u % STATEMENT_SLOTS;

    for (size_t i = 0; i < STATEMENT_SLOTS; i++) {
        struct statement *s = &db->statements[(at + i) % STATEMENT_SLOTS];
        if (!s->sql || s->sql == sql)
            return s;
    }
    return NULL;
}

static int prepare(struct db *db, const char *sql, unsigned flags,
                   sqlite3_stmt **out, struct err *e)
{
    int rc = sqlite3_prepare_v3(db->sql, sql, -1, flags, out, NULL);

    return rc == SQLITE_OK ? 0 : sql_err(db, rc, e, "preparing a statement");
}

int q_open(struct q *q, struct db *db, const char *sql, struct err *e)
{
    pthread_mutex_lock(&db->mutex);
    *q = (struct q){ .db = db, .rc = SQLITE_OK };
    struct statement *slot = slot_of(db, sql);
    int failed = 0;

    /* A walk whose callback asks the same question again finds the slot in
     * use and gets a statement of its own. */
    if (!slot || slot->in_use) {
        failed = prepare(db, sql, 0, &q->s, e);
    } else {
        if (!slot->s)
            failed = prepare(db, sql, SQLITE_PREPARE_PERSISTENT, &slot->s, e);
        if (!failed) {
            slot->sql = sql;
            slot->in_use = true;
            q->slot = slot;
            q->s = slot->s;
        }
    }
    if (failed) {
        q->db = NULL;
        pthread_mutex_unlock(&db->mutex);
    }
    return failed;
}

static void note(struct q *q, int rc)
{
    if (q->rc == SQLITE_OK)
        q->rc = rc;
}

void q_int(struct q *q, int64_t v)
{
    note(q, sqlite3_bind_int64(q->s, ++q->bound, v));
}

void q_int_or_null(struct q *q, int64_t v)
{
    if (v == 0)
        note(q, sqlite3_bind_null(q->s, ++q->bound));
    else
        q_int(q, v);
}

void q_octets(struct q *q, struct span s)
{
    /* A NULL pointer would bind NULL where an empty blob is meant. */
    note(q, sqlite3_bind_blob64(q->s, ++q->bound, s.n ? (const void *)s.p : "",
                                s.n, SQLITE_STATIC));
}

void q_octets_or_null(struct q *q, struct span s)
{
    if (s.n == 0)
        note(q, sqlite3_bind_null(q->s, ++q->bound));
    else
        q_octets(q, s);
}

void q_text(struct q *q, const char *s)
{
    note(q, s ? sqlite3_bind_text(q->s, ++q->bound, s, -1, SQLITE_STATIC)
              : sqlite3_bind_null(q->s, ++q->bound));
}

void q_text_span(struct q *q, struct span s)
{
    note(q, sqlite3_bind_text64(q->s, ++q->bound, (const char *)s.p, s.n,
                                SQLITE_STATIC, SQLITE_UTF8));
}

int q_step(struct q *q, struct err *e)
{
    int rc = q->rc == SQLITE_OK ? sqlite3_step(q->s) : q->rc;

    if (rc == SQLITE_ROW)
        return 1;
    if (rc == SQLITE_DONE)
        return 0;
    q->rc = rc;
    return sql_err(q->db, rc, e, "the ledger");
}

int q_run(struct q *q, struct err *e)
{
    return q_step(q, e) < 0 ? -1 : 0;
}

void q_again(struct q *q)
{
    sqlite3_reset(q->s);
    q->bound = 0;
    q->rc = SQLITE_OK;
}

void q_close(struct q *q)
{
    if (!q->db)
        return;
    if (q->slot) {
        sqlite3_reset(q->s);
        sqlite3_clear_bindings(q->s);
        q->slot->in_use = false;
    } else {
        sqlite3_finalize(q->s);
    }
    struct db *db = q->db;
    q->db = NULL;
    pthread_mutex_unlock(&db->mutex);
}

int64_t q_get_int(struct q *q, int col)
{
    return sqlite3_column_int64(q->s, col);
}

struct span q_get_octets(struct q *q, int col)
{
    const void *p = sqlite3_column_blob(q->s, col);

    return SPAN(p, p ? (size_t)sqlite3_column_bytes(q->s, col) : 0);
}

const char *q_get_text(struct q *q, int col)
{
    const char *t = (const char *)sqlite3_column_text(q->s, col);

    return t ? t : "";
}

bool q_is_null(struct q *q, int col)
{
    return sqlite3_column_type(q->s, col) == SQLITE_NULL;
}

void q_get_fixed(struct q *q, int col, void *out, size_t n)
{
    struct span s = q_get_octets(q, col);

    if (s.n == n)
        memcpy(out, s.p, n);
    else
        memset(out, 0, n);
}

void q_get_string(struct q *q, int col, char *out, size_t cap)
{
    const char *t = q_get_text(q, col);
    size_t n = strlen(t);

    if (n >= cap)
        n = cap - 1;
    memcpy(out, t, n);
    out[n] = '\0';
}

void *list_grow(void *v, size_t n, size_t size, struct err *e)
{
    if (n & (n - 1))
        return v;
    v = realloc(v, (n ? n * 2 : 1) * size);
    if (!v)
        err_set(e, ERR_NOMEM, "no memory for a list from the ledger");
    return v;
}

int rows_read(struct q *q, size_t size, void (*take)(struct q *q, void *item),
              struct rows *out, struct err *e)
{
    int row;

    *out = (struct rows){ NULL, 0 };
    while ((row = q_step(q, e)) > 0) {
        void *v = list_grow(out->v, out->n, size, e);
        if (!v) {
            row = -1;
            break;
        }
        out->v = v;
        take(q, (char *)v + out->n++ * size);
    }
    if (row == 0)
        return 0;
    free(out->v);
    *out = (struct rows){ NULL, 0 };
    return -1;
}
