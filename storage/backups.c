#include "storage/backups.h"

#include "storage/inner.h"

#include <limits.h>
#include <stdio.h>

/* --- the copy ------------------------------------------------------------------ */

static int open_copy(struct db *db, const char *to_dir, sqlite3 **out,
                     struct err *e)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", to_dir, LEDGER_FILE);

    if (n < 0 || n >= (int)sizeof path)
        return err_set(e, ERR_USAGE, "the data directory's name is too long");
    int rc = sqlite3_open_v2(path, out, SQLITE_OPEN_READWRITE |
                             SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE |
                             SQLITE_OPEN_NOFOLLOW, db->options.vfs);
    /* Nobody needs half a copy: no journal of it. */
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(*out, "PRAGMA journal_mode = OFF;"
                          "PRAGMA synchronous = OFF", NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        return 0;
    struct db to = { .sql = *out };
    return sql_err(&to, rc, e, "the copy of the ledger");
}

/* All pages in one step: within one read transaction, so that whoever writes
 * meanwhile neither waits nor makes it begin again. */
static int copy_pages(struct db *db, sqlite3 *to, struct err *e)
{
    struct db dest = { .sql = to };
    sqlite3_backup *b = sqlite3_backup_init(to, "main", db->sql, "main");

    if (!b)
        return sql_err(&dest, sqlite3_errcode(to), e, "the copy of the ledger");
    int rc = sqlite3_backup_step(b, -1);
    sqlite3_backup_finish(b);
    return rc == SQLITE_DONE ? 0
                             : sql_err(&dest, rc, e, "the copy of the ledger");
}

static int copy(struct db *db, void *ctx, struct err *e)
{
    const char *to_dir = ctx;
    sqlite3 *to = NULL;
    int bad = open_copy(db, to_dir, &to, e) != 0 || copy_pages(db, to, e) != 0;

    if (sqlite3_close(to) != SQLITE_OK && !bad)
        bad = err_set(e, ERR_INTERNAL, "the copy of the ledger is in use");
    return bad ? -1 : 0;
}

int backup_copy(struct db *db, const char *to_dir, struct err *e)
{
    return db_snapshot(db, copy, (void *)to_dir, e);
}

/* --- what was made --------------------------------------------------------------- */

int backup_last(struct db *db, struct backup_info *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT id, sequence, epoch, last_event, manifest_sha256,"
               " created_at FROM backup ORDER BY sequence DESC LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "no backup was made yet");
    *out = (struct backup_info){ .sequence = (uint64_t)q_get_int(&q, 1),
                                 .epoch = (uint64_t)q_get_int(&q, 2),
                                 .last_event = (uint64_t)q_get_int(&q, 3),
                                 .created_at = q_get_int(&q, 5) };
    q_get_string(&q, 0, out->id, sizeof out->id);
    q_get_fixed(&q, 4, out->manifest_sha256, sizeof out->manifest_sha256);
    return 0;
}

static int follows(struct db *db, const struct backup_info *b, struct err *e)
{
    struct backup_info last = { .sequence = 0 };
    struct err why = ERR_INIT;

    if (backup_last(db, &last, &why) != 0 && why.code != ERR_NOT_FOUND) {
        *e = why;
        return -1;
    }
    if (b->sequence == last.sequence + 1)
        return 0;
    return err_set(e, ERR_CONFLICT, "someone else made a backup meanwhile "
                   "(number %llu); make another", (unsigned long long)last.sequence);
}

static int made_event(struct tx *tx, const struct backup_info *b,
                      const char *actor, struct event_head *head, struct err *e)
{
    struct fields f = { .n = 0 };
    char sequence[NUMBER_TEXT], epoch[NUMBER_TEXT], last[NUMBER_TEXT], sum[65];

    fields_add(&f, "backup", b->id);
    fields_add(&f, "sequence", number_text((int64_t)b->sequence, sequence));
    fields_add(&f, "epoch", number_text((int64_t)b->epoch, epoch));
    fields_add(&f, "last-event", number_text((int64_t)b->last_event, last));
    fields_add(&f, "manifest-sha256", hex_encode(SPAN_ARRAY(b->manifest_sha256),
                                                 sum, sizeof sum));
    return event_write(tx, "backup-made", actor, &f, head, e);
}

int backup_add(struct tx *tx, const struct backup_info *b, const char *actor,
               struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct event_head head;

    if (follows(tx->db, b, e) != 0 || made_event(tx, b, actor, &head, e) != 0 ||
        q_open(&q, tx->db, "INSERT INTO backup(sequence, id, epoch, last_event,"
               " manifest_sha256, created_at, event) VALUES(?,?,?,?, ?,?,?)",
               e) != 0)
        return -1;
    q_int(&q, (int64_t)b->sequence);
    q_text(&q, b->id);
    q_int(&q, (int64_t)b->epoch);
    q_int(&q, (int64_t)b->last_event);
    q_octets(&q, SPAN_ARRAY(b->manifest_sha256));
    q_int(&q, b->created_at);
    q_int(&q, (int64_t)head.number);
    return q_run(&q, e);
}

static int needed(struct db *db, void *ctx, struct err *e)
{
    struct backup_need *out = ctx;
    struct backup_info last = { .sequence = 0 };
    struct err why = ERR_INIT;
    struct ledger_clock clock;
    struct event_head head, first = { .number = 0 };

    out->any = backup_last(db, &last, &why) == 0;
    if (!out->any && why.code != ERR_NOT_FOUND) {
        *e = why;
        return -1;
    }
    if (event_head(db, &head, e) != 0 || ledger_clock(db, &clock, e) != 0 ||
        event_head_at(db, head.number ? 1 : 0, &first, e) != 0)
        return -1;
    int64_t since = out->any ? last.created_at : first.at;
    out->made_at = last.created_at;
    out->age_s = clock.now > since ? clock.now - since : 0;
    /* The event that tells of the backup is nothing to save. */
    out->events = head.number - last.last_event - (out->any ? 1 : 0);
    out->overdue = out->events > 0 && out->age_s > BACKUP_OVERDUE_S;
    return 0;
}

int backup_needed(struct db *db, struct backup_need *out, struct err *e)
{
    *out = (struct backup_need){ .any = false };
    return db_snapshot(db, needed, out, e);
}
