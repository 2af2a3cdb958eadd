/* lab/sql.h: SQLite for the books of the lab's parties. Statements are kept
 * prepared, by the address of their text: use string literals. */
#ifndef LINESIDE_LAB_SQL_H
#define LINESIDE_LAB_SQL_H

#include "station/base/err.h"
#include "station/base/span.h"

#include <sqlite3.h>

struct sql;
/* Open or make; `schema` is carried out each time (CREATE ... IF NOT EXISTS). */
int sql_open(const char *path, const char *schema, struct sql **out,
             struct err *e);
void sql_close(struct sql *s); /* NULL is fine; rolls back what is open */
void sql_close_p(struct sql **s);

/* types, one letter per `?`: i int64_t, s const char * (NULL: null), b struct
 * span (empty p: null). Carried out to its end; rows are ignored. A broken
 * uniqueness is ERR_CONFLICT. */
int sql_run(struct sql *s, struct err *e, const char *text, const char *types,
            ...);
/* Rows: start, then step (1 a row, 0 no more, -1) until done; sql_end when
 * leaving early. Columns are read with sqlite3_column_*. */
int sql_start(struct sql *s, sqlite3_stmt **st, struct err *e,
              const char *text, const char *types, ...);
int sql_step(struct sql *s, sqlite3_stmt *st, struct err *e);
void sql_end(sqlite3_stmt *st);
struct span sql_blob(sqlite3_stmt *st, int column); /* valid until next step */
const char *sql_text(sqlite3_stmt *st, int column); /* "" for null           */
/* The first column of the only row, or `none`. */
int sql_int(struct sql *s, int64_t none, int64_t *out, struct err *e,
            const char *text, const char *types, ...);

int sql_begin(struct sql *s, struct err *e);
int sql_commit(struct sql *s, struct err *e);
void sql_rollback(struct sql *s); /* harmless when nothing is open */

/* Numbers that only rise: the container sequence per issuer and recipients,
 * and the like. Needs SEQUENCE_SCHEMA. */
#define SEQUENCE_SCHEMA                                                       \
    "CREATE TABLE IF NOT EXISTS sequence(name TEXT PRIMARY KEY,"             \
    " last INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
/* Take `count` numbers; *first is the first of them, from 1. */
int sequence_take(struct sql *s, const char *name, int64_t count,
                  int64_t *first, struct err *e);

#endif
