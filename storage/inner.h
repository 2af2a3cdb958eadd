/* storage/inner.h: what the rooms of storage share and nobody else includes:
 * the connection, statements, and the few helpers every change needs. */
#ifndef LINESIDE_STORAGE_INNER_H
#define LINESIDE_STORAGE_INNER_H

#include "storage/db.h"
#include "storage/events.h"
#include "storage/exports.h"
#include "storage/stock.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>

#define APPLICATION_ID 0x4c536c67 /* "LSlg" in the file's header */
#define SCHEMA_VERSION 15

/* container.state */
enum { CONTAINER_IMPORTING = 0, CONTAINER_LIVE = 1 };

struct tx {
    struct db *db;
};

#define STATEMENT_SLOTS 256

struct statement {
    const char *sql; /* the literal's address is the key */
    sqlite3_stmt *s;
    bool in_use;
};

struct db {
    sqlite3 *sql;
    pthread_mutex_t mutex; /* recursive */
    char *dir;
    enum db_mode mode;
    struct db_options options;
    struct tx tx;
    bool open_tx, open_snapshot;
    int turn_fd;        /* DATA/turn.lock: see db_step_aside */
    bool asks_turn;
    int64_t busy_since;
    struct statement statements[STATEMENT_SLOTS];
};

/* --- db.c ------------------------------------------------------------------ */

/* Map an SQLite code; appends SQLite's own words. Returns -1. */
int sql_err(struct db *db, int rc, struct err *e, const char *what);
int sql_exec(struct db *db, const char *sql, struct err *e);

/* db_begin takes the connection's mutex, commit and rollback give it back.
 * A failed commit has rolled back. */
int db_begin(struct db *db, struct tx **out, struct err *e);
int db_commit(struct db *db, struct err *e);
void db_rollback(struct db *db);
/* SQLite rolls the whole transaction back by itself on some errors. */
bool db_tx_lost(struct db *db);

/* For long writers, between two transactions: while others wait to write, let
 * them (at most a fifth of a second, so that nobody starves). */
void db_step_aside(struct db *db);

int64_t db_now(const struct db *db);

/* schema.c: bring an open, ours or empty database to SCHEMA_VERSION. */
int schema_migrate(struct db *db, struct err *e);

/* --- statements (query.c) --------------------------------------------------
 *
 *     AUTO(q_close) struct q q = { 0 };
 *     if (q_open(&q, db, "SELECT a FROM t WHERE b = ?", e) != 0)
 *         return -1;
 *     q_int(&q, b);
 *     int row = q_step(&q, e);      1 a row, 0 no more, -1 error
 *
 * Parameters are bound in order; octets and text are borrowed until q_close.
 * The connection's mutex is held from q_open to q_close. */
struct q {
    struct db *db;
    sqlite3_stmt *s;
    struct statement *slot; /* NULL: s is our own */
    int bound, rc;
};
int q_open(struct q *q, struct db *db, const char *sql, struct err *e);
void q_int(struct q *q, int64_t v);
void q_int_or_null(struct q *q, int64_t v); /* 0 becomes NULL */
void q_octets(struct q *q, struct span s);
void q_octets_or_null(struct q *q, struct span s); /* empty becomes NULL */
void q_text(struct q *q, const char *s);    /* NULL becomes NULL */
void q_text_span(struct q *q, struct span s); /* UTF-8, s.p not NULL */
int q_step(struct q *q, struct err *e);
/* For statements that return no row. */
int q_run(struct q *q, struct err *e);
/* Ready for another round of parameters. */
void q_again(struct q *q);
void q_close(struct q *q);

int64_t q_get_int(struct q *q, int col);
struct span q_get_octets(struct q *q, int col);
const char *q_get_text(struct q *q, int col); /* "" for NULL */
bool q_is_null(struct q *q, int col);
/* Exactly n octets into out; anything else is zeros. */
void q_get_fixed(struct q *q, int col, void *out, size_t n);
void q_get_string(struct q *q, int col, char *out, size_t cap);

/* --- lists (query.c) --------------------------------------------------------
 *
 * Room for one more of `size` octets behind n of them; NULL: *e says so, and v
 * is as it was. Doubles at powers of two, so that no capacity needs to be kept
 * beside it: nothing may be added to a list that was made shorter. */
void *list_grow(void *v, size_t n, size_t size, struct err *e);
/* All rows of q, an item of `size` octets each, filled by take. On failure *out is
 * empty. */
struct rows {
    void *v; /* the caller's, to be freed */
    size_t n;
};
int rows_read(struct q *q, size_t size, void (*take)(struct q *q, void *item),
              struct rows *out, struct err *e);

/* --- events ---------------------------------------------------------------- */

struct fields {
    struct event_field v[24];
    size_t n;
};
void fields_add(struct fields *f, const char *name, const char *value);

/* As event_append; *out is the new head. */
int event_write(struct tx *tx, const char *kind, const char *actor,
                const struct fields *f, struct event_head *out, struct err *e);

/* Migration: event_word from the events that are there. */
int event_words_again(struct db *db, struct err *e);

/* tally.c: what this event adds to the accounts, in its own transaction. */
int tally_event(struct tx *tx, const struct event_head *head, const char *kind,
                const char *actor, const struct fields *f, struct err *e);
/* Migration: the accounts from the events that are there. */
int tally_again(struct db *db, struct err *e);

/* Decimal text in a caller's buffer. */
#define NUMBER_TEXT 24
char *number_text(int64_t v, char out[NUMBER_TEXT]);

/* --- stock.c ---------------------------------------------------------------- */

/* In bundle order; limit 0: all. *out is replaced. */
int bpps_in_state(struct db *db, enum bpp_state s, int64_t limit,
                  struct bpp_list *out, struct err *e);

/* --- exports.c --------------------------------------------------------------- */

int export_put(struct tx *tx, const struct export_info *x, uint64_t event,
               struct err *e);
/* The newest number of this kind, and the last event any of them carries. */
int export_state(struct db *db, enum export_kind k, uint64_t *sequence,
                 uint64_t *last_event, struct err *e);

/* --- quarantine_list.c, voiding.c ---------------------------------------- */

/* BPPs b in stock for an eUICC of a scrapped unit, or of a board that was
 * taken out of its unit: from the few eUICCs to their BPPs. */
#define STRANDED_BPPS " FROM (SELECT eid FROM position WHERE state >= 5" \
    " AND state = 6 UNION SELECT eid FROM retired_board WHERE eid NOT IN" \
    " (SELECT eid FROM position WHERE eid = retired_board.eid)) x CROSS JOIN" \
    " bpp b ON b.eid = x.eid JOIN container c USING(container)" \
    " WHERE b.state = 0 AND c.state = 1"

/* --- receipts.c, life.c --------------------------------------------------- */

/* Of report_party p: a receipt of that SM-DPf would be taken. While there is no
 * certificate, anybody's. */
#define REPORT_EXPECTED "(EXISTS(SELECT 1 FROM allowed_smdp a WHERE a.oid =" \
    " p.smdp_oid) OR NOT EXISTS(SELECT 1 FROM station WHERE one = 1 AND" \
    " cert_container IS NOT NULL))"

/* --- evidence.c ------------------------------------------------------------ */

/* Where an act takes place: its position's names, or what was given. */
struct place {
    char serial[UNIT_SERIAL_MAX + 1];
    char name[POSITION_NAME_MAX + 1];
    struct eid eid;
    char imei[IMEI_DIGITS + 1];
    bool known;
};
int place_of(struct db *db, const struct act *a, struct place *out,
             struct err *e);
void place_fields(struct fields *f, const struct place *p, const struct act *a);
/* Where, and who stood beside the actor: as far as known. */
void act_fields(struct fields *f, const struct act *a);

struct evidence_row {
    uint64_t event;
    enum evidence_kind kind;
    int64_t bpp; /* 0: none */
    const struct act *act;
    const struct place *place;
    const struct eid *eid;
    const struct txid *txid;
    const struct iccid *iccid;
    struct span octets;
    enum bpp_state state;
    uint8_t op, function;
    int64_t seq; /* -1: none */
    int64_t started_at, finished_at;
    const char *code, *detail;
};
int evidence_put(struct tx *tx, const struct evidence_row *r, struct err *e);

#endif
