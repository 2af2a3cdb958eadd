#include "tests/lab/euicc/store.h"

#include "station/ifpp/tags.h"
#include "station/ifpp/tlv.h"
#include "tests/lab/euicc/crypto.h"
#include "tests/lab/saip/saip.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORE_VERSION 1
#define BUSY_TIMEOUT_MS 10000

/* chip: one row. otk: unused keys only, a burnt one is deleted. The files and
 * applications of a profile are what the telecom side of a chip would show. */
static const char schema[] =
    "CREATE TABLE chip(id INTEGER PRIMARY KEY CHECK(id = 1),"
    " eid BLOB NOT NULL CHECK(length(eid) = 16), kind INTEGER NOT NULL,"
    " cert BLOB NOT NULL, eum_chain BLOB NOT NULL, ci_root BLOB NOT NULL,"
    " sk BLOB NOT NULL, closed INTEGER NOT NULL DEFAULT 0,"
    " next_seq INTEGER NOT NULL DEFAULT 1,"
    " default_dp BLOB NOT NULL DEFAULT x'') STRICT;"
    "CREATE TABLE otk(n INTEGER PRIMARY KEY,"
    " txid BLOB NOT NULL UNIQUE CHECK(length(txid) = 16),"
    " otpk BLOB NOT NULL CHECK(length(otpk) = 65), otsk BLOB NOT NULL,"
    " signed2 BLOB NOT NULL, sign BLOB NOT NULL CHECK(length(sign) = 64))"
    " STRICT;"
    "CREATE TABLE profile(n INTEGER PRIMARY KEY AUTOINCREMENT,"
    " iccid BLOB NOT NULL UNIQUE CHECK(length(iccid) = 10),"
    " aid BLOB NOT NULL UNIQUE CHECK(length(aid) = 16),"
    " enabled INTEGER NOT NULL DEFAULT 0, metadata BLOB NOT NULL,"
    " nickname BLOB NOT NULL DEFAULT x'', upp BLOB NOT NULL) STRICT;"
    "CREATE UNIQUE INDEX one_enabled ON profile(enabled) WHERE enabled = 1;"
    "CREATE TABLE element(profile INTEGER NOT NULL"
    " REFERENCES profile(n) ON DELETE CASCADE, n INTEGER NOT NULL,"
    " tag INTEGER NOT NULL, name TEXT NOT NULL, at INTEGER NOT NULL,"
    " size INTEGER NOT NULL, PRIMARY KEY(profile, n)) STRICT;"
    "CREATE TABLE file(profile INTEGER NOT NULL"
    " REFERENCES profile(n) ON DELETE CASCADE, path BLOB NOT NULL,"
    " name TEXT NOT NULL, kind TEXT NOT NULL, record_len INTEGER NOT NULL,"
    " df_name BLOB NOT NULL, link BLOB NOT NULL, content BLOB NOT NULL)"
    " STRICT;"
    "CREATE INDEX file_of ON file(profile, path);"
    "CREATE TABLE naa(profile INTEGER NOT NULL"
    " REFERENCES profile(n) ON DELETE CASCADE, kind TEXT NOT NULL,"
    " aid BLOB NOT NULL, algorithm INTEGER NOT NULL, k BLOB NOT NULL,"
    " opc BLOB NOT NULL, imsi TEXT NOT NULL) STRICT;"
    "CREATE TABLE notification(seq INTEGER PRIMARY KEY, op INTEGER NOT NULL,"
    " meta BLOB NOT NULL, whole BLOB NOT NULL) STRICT;"
    "PRAGMA user_version = 1;";

struct store {
    sqlite3 *db;
    struct chip chip;
    struct buf cert, eum_chain, ci_root;
};

/* --- SQL in short -------------------------------------------------------- */

static int db_err(struct store *s, struct err *e)
{
    int rc = sqlite3_extended_errcode(s->db);

    return err_set(e,
                   (rc & 0xff) == SQLITE_FULL   ? ERR_FULL
                   : (rc & 0xff) == SQLITE_BUSY ? ERR_BUSY
                                                : ERR_IO,
                   "the eUICC's store: %s", sqlite3_errmsg(s->db));
}

static void finalize(sqlite3_stmt **st)
{
    sqlite3_finalize(*st);
}
#define STMT AUTO(finalize) sqlite3_stmt

static int query_v(struct store *s, sqlite3_stmt **out, struct err *e,
                   const char *sql, const char *types, va_list ap)
{
    if (sqlite3_prepare_v2(s->db, sql, -1, out, NULL) != SQLITE_OK)
        return db_err(s, e);
    for (int i = 1; *types; types++, i++) {
        int rc;
        if (*types == 'b') {
            struct span v = va_arg(ap, struct span);
            rc = v.n ? sqlite3_bind_blob64(*out, i, v.p, v.n, SQLITE_STATIC)
                     : sqlite3_bind_zeroblob(*out, i, 0);
        } else if (*types == 's') {
            rc = sqlite3_bind_text(*out, i, va_arg(ap, const char *), -1,
                                   SQLITE_STATIC);
        } else {
            rc = sqlite3_bind_int64(*out, i, va_arg(ap, int64_t));
        }
        if (rc != SQLITE_OK)
            return db_err(s, e);
    }
    return 0;
}

/* types: one letter per parameter: b struct span, s char *, i int64_t. Blobs
 * must outlive the statement. */
static int query(struct store *s, sqlite3_stmt **out, struct err *e,
                 const char *sql, const char *types, ...)
{
    va_list ap;

    va_start(ap, types);
    int rc = query_v(s, out, e, sql, types, ap);
    va_end(ap);
    return rc;
}

/* A statement without rows. */
static int run(struct store *s, struct err *e, const char *sql,
               const char *types, ...)
{
    STMT *st = NULL;
    va_list ap;

    va_start(ap, types);
    int rc = query_v(s, &st, e, sql, types, ap);
    va_end(ap);
    if (rc != 0)
        return -1;
    return sqlite3_step(st) == SQLITE_DONE ? 0 : db_err(s, e);
}

/* 1 a row, 0 no more, -1. */
static int step(struct store *s, sqlite3_stmt *st, struct err *e)
{
    switch (sqlite3_step(st)) {
    case SQLITE_ROW:
        return 1;
    case SQLITE_DONE:
        return 0;
    default:
        return db_err(s, e);
    }
}

static struct span column(sqlite3_stmt *st, int i)
{
    const void *p = sqlite3_column_blob(st, i); /* first, see its manual */

    return SPAN(p, (size_t)sqlite3_column_bytes(st, i));
}

static int buf_done(const struct buf *b, struct err *e)
{
    return buf_ok(b) ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int column_copy(sqlite3_stmt *st, int i, struct buf *out,
                       struct err *e)
{
    buf_put_span(out, column(st, i));
    return buf_done(out, e);
}

/* --- making -------------------------------------------------------------- */

/* A pragma that answers with a row. */
static int pragma(struct store *s, const char *sql, struct err *e)
{
    STMT *st = NULL;

    return query(s, &st, e, sql, "") != 0 || step(s, st, e) < 0 ? -1 : 0;
}

static int db_open(const char *path, int flags, struct store *s,
                   struct err *e)
{
    if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK) {
        err_set(e, ERR_IO, "cannot open %s: %s", path,
                s->db ? sqlite3_errmsg(s->db) : "out of memory");
        return -1;
    }
    sqlite3_busy_timeout(s->db, BUSY_TIMEOUT_MS);
    if (run(s, e, "PRAGMA synchronous = FULL", "") != 0 ||
        run(s, e, "PRAGMA foreign_keys = ON", "") != 0)
        return -1;
    return pragma(s, "PRAGMA secure_delete = ON", e);
}

static int put_perso(struct store *s, const struct euicc_perso *p,
                     struct err *e)
{
    if (sqlite3_exec(s->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        return db_err(s, e);
    if (run(s, e,
            "INSERT INTO chip(id, eid, kind, cert, eum_chain, ci_root, sk)"
            " VALUES(1, ?, ?, ?, ?, ?, ?)",
            "bibbbb", SPAN_ARRAY(p->eid.o), (int64_t)p->kind, p->cert,
            p->eum_chain, p->ci_root, p->sk) != 0)
        return -1;
    for (size_t i = 0; i < p->key_count; i++) {
        const struct euicc_otk *k = &p->keys[i];
        if (run(s, e,
                "INSERT INTO otk(txid, otpk, otsk, signed2, sign)"
                " VALUES(?, ?, ?, ?, ?)",
                "bbbbb", SPAN_ARRAY(k->txid.o), SPAN_ARRAY(k->otpk), k->otsk,
                k->signed2, SPAN_ARRAY(k->sign)) != 0)
            return -1;
    }
    return 0;
}

int euicc_store_create(const char *path, const struct euicc_perso *p,
                       struct err *e)
{
    struct store s = { 0 };
    int fd = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

    if (fd < 0)
        return errno == EEXIST
                   ? err_set(e, ERR_CONFLICT, "%s is there already", path)
                   : err_errno(e, "cannot make %s", path);
    close(fd);
    int rc = db_open(path, SQLITE_OPEN_READWRITE, &s, e);
    /* No journal and no fsync yet: a chip that was not finished is removed,
     * and whoever makes thousands syncs once (world_finish). */
    if (rc == 0)
        rc = pragma(&s, "PRAGMA synchronous = OFF", e);
    if (rc == 0)
        rc = pragma(&s, "PRAGMA journal_mode = OFF", e);
    if (rc == 0)
        rc = store_begin(&s, e);
    if (rc == 0)
        rc = put_perso(&s, p, e);
    if (rc == 0)
        rc = store_commit(&s, e);
    /* With synchronous=FULL a commit then is one fsync, and durable: in the
     * other modes the end of the journal itself may be lost. */
    if (rc == 0)
        rc = pragma(&s, "PRAGMA journal_mode = WAL", e);
    sqlite3_close(s.db);
    if (rc != 0) {
        unlink(path);
        return err_wrap(e, "personalising %s", path);
    }
    return 0;
}

/* --- opening ------------------------------------------------------------- */

static int load_chip(struct store *s, struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e,
              "SELECT eid, kind, cert, eum_chain, ci_root, sk FROM chip,"
              " pragma_user_version WHERE user_version = ?",
              "i", (int64_t)STORE_VERSION) != 0)
        return -1;
    int rc = step(s, st, e);
    if (rc <= 0)
        return rc < 0 ? -1
                      : err_set(e, ERR_FORMAT, "no eUICC of this version");
    memcpy(s->chip.eid.o, column(st, 0).p, sizeof s->chip.eid.o);
    s->chip.kind = sqlite3_column_int(st, 1) == INFO2_IOT ? INFO2_IOT
                                                          : INFO2_CONSUMER;
    if (column_copy(st, 2, &s->cert, e) != 0 ||
        column_copy(st, 3, &s->eum_chain, e) != 0 ||
        column_copy(st, 4, &s->ci_root, e) != 0)
        return -1;
    s->chip.cert = buf_span(&s->cert);
    s->chip.eum_chain = buf_span(&s->eum_chain);
    s->chip.ci_root = buf_span(&s->ci_root);
    return chipkey_decode(column(st, 5), &s->chip.sk, e);
}

int store_open(const char *path, struct store **out, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);

    if (!s)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (db_open(path, SQLITE_OPEN_READWRITE, s, e) != 0 ||
        load_chip(s, e) != 0) {
        store_close(s);
        return err_wrap(e, "eUICC %s", path);
    }
    *out = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    sqlite3_close(s->db);
    EVP_PKEY_free(s->chip.sk);
    buf_clear(&s->cert);
    buf_clear(&s->eum_chain);
    buf_clear(&s->ci_root);
    free(s);
}

const struct chip *store_chip(const struct store *s)
{
    return &s->chip;
}

int store_begin(struct store *s, struct err *e)
{
    return run(s, e, "BEGIN IMMEDIATE", "");
}

int store_commit(struct store *s, struct err *e)
{
    if (run(s, e, "COMMIT", "") == 0)
        return 0;
    store_rollback(s);
    return -1;
}

void store_rollback(struct store *s)
{
    if (!sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

/* --- the chip's row ------------------------------------------------------ */

int store_is_closed(struct store *s, bool *closed, struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e, "SELECT closed FROM chip", "") != 0 ||
        step(s, st, e) < 0)
        return -1;
    *closed = sqlite3_column_int(st, 0) != 0;
    return 0;
}

int store_set_closed(struct store *s, struct err *e)
{
    return run(s, e, "UPDATE chip SET closed = 1", "");
}

int store_next_seq(struct store *s, uint64_t *seq, struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e,
              "UPDATE chip SET next_seq = next_seq + 1"
              " RETURNING next_seq - 1",
              "") != 0 ||
        step(s, st, e) < 0)
        return -1;
    *seq = (uint64_t)sqlite3_column_int64(st, 0);
    return 0;
}

int store_default_dp(struct store *s, struct buf *address, struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e, "SELECT default_dp FROM chip", "") != 0 ||
        step(s, st, e) < 0)
        return -1;
    return column_copy(st, 0, address, e);
}

int store_set_default_dp(struct store *s, struct span address, struct err *e)
{
    return run(s, e, "UPDATE chip SET default_dp = ?", "b", address);
}

/* --- one-time keys ------------------------------------------------------- */

void store_key_clear(struct store_key *k)
{
    EVP_PKEY_free(k->otsk);
    k->otsk = NULL;
}

int store_key_count(struct store *s, size_t *n, struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e, "SELECT count(*) FROM otk", "") != 0 ||
        step(s, st, e) < 0)
        return -1;
    *n = (size_t)sqlite3_column_int64(st, 0);
    return 0;
}

int store_key_get(struct store *s, const struct txid *t,
                  struct store_key *out, struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e, "SELECT otpk, otsk FROM otk WHERE txid = ?", "b",
              SPAN_ARRAY(t->o)) != 0)
        return -1;
    int rc = step(s, st, e);
    if (rc <= 0)
        return rc;
    memcpy(out->otpk, column(st, 0).p, sizeof out->otpk);
    return chipkey_decode(column(st, 1), &out->otsk, e) == 0 ? 1 : -1;
}

int store_keys_put(struct store *s, struct buf *b, struct err *e)
{
    STMT *st = NULL;
    int rc;

    if (query(s, &st, e, "SELECT signed2, sign FROM otk ORDER BY n", "") != 0)
        return -1;
    while ((rc = step(s, st, e)) == 1) {
        size_t m = der_open(b);
        buf_put_span(b, column(st, 0));
        der_put(b, TAG_SIGNATURE, column(st, 1));
        der_close(b, TAG_SEQUENCE, m);
    }
    return rc < 0 ? -1 : buf_done(b, e);
}

int store_key_burn(struct store *s, const struct txid *t, size_t *n,
                   struct err *e)
{
    if (run(s, e, "DELETE FROM otk WHERE txid = ?", "b", SPAN_ARRAY(t->o)))
        return -1;
    *n = (size_t)sqlite3_changes(s->db);
    return 0;
}

int store_keys_burn_all(struct store *s, size_t *n, struct err *e)
{
    /* The count first: SQLite's truncate optimisation may not report it. */
    if (store_key_count(s, n, e) != 0)
        return -1;
    return run(s, e, "DELETE FROM otk", "");
}

/* --- profiles ------------------------------------------------------------ */

#define PROFILE_COLUMNS "iccid, aid, enabled, metadata, nickname"

void store_profile_clear(struct store_profile *p)
{
    buf_clear(&p->metadata);
    buf_clear(&p->nickname);
}

static int read_profile(sqlite3_stmt *st, struct store_profile *out,
                        struct err *e)
{
    struct store_profile p = { .enabled = sqlite3_column_int(st, 2) != 0 };

    memcpy(p.iccid.o, column(st, 0).p, sizeof p.iccid.o);
    memcpy(p.aid, column(st, 1).p, sizeof p.aid);
    if (column_copy(st, 3, &p.metadata, e) != 0 ||
        column_copy(st, 4, &p.nickname, e) != 0) {
        store_profile_clear(&p);
        return -1;
    }
    *out = p;
    return 0;
}

static int one_profile(struct store *s, sqlite3_stmt *st,
                       struct store_profile *out, struct err *e)
{
    int rc = step(s, st, e);

    if (rc <= 0)
        return rc;
    return read_profile(st, out, e) == 0 ? 1 : -1;
}

int store_profile_find(struct store *s, struct span name,
                       struct store_profile *out, struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e,
              "SELECT " PROFILE_COLUMNS " FROM profile"
              " WHERE iccid = ?1 OR aid = ?1",
              "b", name) != 0)
        return -1;
    return one_profile(s, st, out, e);
}

int store_profile_enabled(struct store *s, struct store_profile *out,
                          struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e,
              "SELECT " PROFILE_COLUMNS " FROM profile WHERE enabled = 1",
              "") != 0)
        return -1;
    return one_profile(s, st, out, e);
}

int store_profiles_each(struct store *s,
                        int (*visit)(void *ctx, const struct store_profile *,
                                     struct err *),
                        void *ctx, struct err *e)
{
    STMT *st = NULL;
    int rc;

    if (query(s, &st, e,
              "SELECT " PROFILE_COLUMNS " FROM profile ORDER BY n", "") != 0)
        return -1;
    while ((rc = step(s, st, e)) == 1) {
        struct store_profile p;
        if (read_profile(st, &p, e) != 0)
            return -1;
        rc = visit(ctx, &p, e);
        store_profile_clear(&p);
        if (rc != 0)
            return rc;
    }
    return rc;
}

int store_free_aid(struct store *s, uint8_t aid[ISDP_AID_MAX], struct err *e)
{
    static const uint8_t form[ISDP_AID_MAX] = {
        0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0xFF,
        0xFF, 0xFF, 0xFF, 0x89, 0x00, 0x00, 0x10, 0x00
    };

    memcpy(aid, form, sizeof form);
    for (int n = 0x10; n <= 0x1F; n++) {
        STMT *st = NULL;
        aid[14] = (uint8_t)n;
        if (query(s, &st, e, "SELECT 1 FROM profile WHERE aid = ?", "b",
                  SPAN(aid, sizeof form)) != 0)
            return -1;
        int rc = step(s, st, e);
        if (rc <= 0)
            return rc < 0 ? -1 : 1;
    }
    return 0;
}

struct install {
    struct store *s;
    int64_t profile;
};

static int put_element(void *ctx, const struct saip_element *x, struct err *e)
{
    struct install *in = ctx;

    return run(in->s, e, "INSERT INTO element VALUES(?, ?, ?, ?, ?, ?)",
               "iiisii", in->profile, (int64_t)x->index, (int64_t)x->tag,
               x->name, (int64_t)x->at, (int64_t)x->whole.n);
}

static int put_file(void *ctx, const struct saip_file *f, struct err *e)
{
    struct install *in = ctx;

    return run(in->s, e, "INSERT INTO file VALUES(?, ?, ?, ?, ?, ?, ?, ?)",
               "ibssibbb", in->profile, SPAN(f->path, f->path_len), f->name,
               saip_kind_name(f->kind), (int64_t)f->record_len, f->df_name,
               f->link, f->content);
}

static int put_naa(void *ctx, const struct saip_naa *n, struct err *e)
{
    struct install *in = ctx;

    return run(in->s, e, "INSERT INTO naa VALUES(?, ?, ?, ?, ?, ?, ?)",
               "isbibbs", in->profile, saip_naa_name(n->kind),
               SPAN(n->aid, n->aid_len), (int64_t)n->algorithm,
               SPAN(n->k, n->k_len), SPAN(n->opc, n->opc_len), n->imsi);
}

int store_profile_install(struct store *s, const struct store_profile *p,
                          struct span upp, struct err *e)
{
    static const struct saip_sink sink = { put_element, put_file, put_naa };
    struct saip_profile what;

    if (run(s, e,
            "INSERT INTO profile(iccid, aid, metadata, upp)"
            " VALUES(?, ?, ?, ?)",
            "bbbb", SPAN_ARRAY(p->iccid.o), SPAN_ARRAY(p->aid),
            buf_span(&p->metadata), upp) != 0)
        return -1;
    struct install in = { s, sqlite3_last_insert_rowid(s->db) };
    if (saip_walk(upp, &sink, &in, &what, e) != 0)
        return -1;
    if (memcmp(what.iccid.o, p->iccid.o, sizeof what.iccid.o) != 0)
        return err_set(e, ERR_CONFLICT, "the package's header has another "
                                        "ICCID than StoreMetadata");
    return 0;
}

int store_profile_set_enabled(struct store *s, const struct iccid *iccid,
                              bool enabled, struct err *e)
{
    return run(s, e, "UPDATE profile SET enabled = ? WHERE iccid = ?", "ib",
               (int64_t)enabled, SPAN_ARRAY(iccid->o));
}

int store_profile_set_nickname(struct store *s, const struct iccid *iccid,
                               struct span name, struct err *e)
{
    return run(s, e, "UPDATE profile SET nickname = ? WHERE iccid = ?", "bb",
               name, SPAN_ARRAY(iccid->o));
}

int store_profile_delete(struct store *s, const struct iccid *iccid,
                         struct err *e)
{
    return run(s, e, "DELETE FROM profile WHERE iccid = ?", "b",
               SPAN_ARRAY(iccid->o));
}

int store_profile_upp(struct store *s, const struct iccid *iccid,
                      struct buf *upp, struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e, "SELECT upp FROM profile WHERE iccid = ?", "b",
              SPAN_ARRAY(iccid->o)) != 0)
        return -1;
    int rc = step(s, st, e);
    if (rc <= 0)
        return rc;
    return column_copy(st, 0, upp, e) == 0 ? 1 : -1;
}

int store_profile_content(struct store *s, const struct iccid *iccid,
                          struct store_content *out, struct err *e)
{
    STMT *st = NULL;

    if (query(s, &st, e,
              "WITH p(n) AS (SELECT n FROM profile WHERE iccid = ?)"
              " SELECT (SELECT count(*) FROM element, p"
              "          WHERE profile = p.n),"
              "        (SELECT count(*) FROM file, p WHERE profile = p.n),"
              "        (SELECT count(*) FROM naa, p WHERE profile = p.n)",
              "b", SPAN_ARRAY(iccid->o)) != 0 ||
        step(s, st, e) < 0)
        return -1;
    out->elements = (size_t)sqlite3_column_int64(st, 0);
    out->files = (size_t)sqlite3_column_int64(st, 1);
    out->naas = (size_t)sqlite3_column_int64(st, 2);
    return 0;
}

/* --- notifications ------------------------------------------------------- */

int store_notification_add(struct store *s, uint64_t seq, uint8_t op,
                           struct span meta, struct span whole, struct err *e)
{
    return run(s, e, "INSERT INTO notification VALUES(?, ?, ?, ?)", "iibb",
               (int64_t)seq, (int64_t)op, meta, whole);
}

int store_notifications_put(struct store *s, const uint64_t *seq, uint8_t ops,
                            bool list, struct buf *b, struct err *e)
{
    STMT *st = NULL;
    int rc;

    if (query(s, &st, e,
              "SELECT meta, whole FROM notification"
              " WHERE (?1 < 0 OR seq = ?1) AND op & ?2 ORDER BY seq",
              "ii", seq ? (int64_t)*seq : (int64_t)-1, (int64_t)ops) != 0)
        return -1;
    while ((rc = step(s, st, e)) == 1)
        buf_put_span(b, column(st, list ? 0 : 1));
    return rc < 0 ? -1 : buf_done(b, e);
}

int store_notification_remove(struct store *s, uint64_t seq, struct err *e)
{
    if (run(s, e, "DELETE FROM notification WHERE seq = ?", "i",
            (int64_t)seq) != 0)
        return -1;
    return sqlite3_changes(s->db) > 0;
}
