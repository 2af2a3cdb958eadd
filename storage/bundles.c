/* Imports: batches in memory, each written in one short transaction, so that
 * the write lock is never held while a record is being proven. */
#include "storage/bundles.h"

#include "storage/containers.h"
#include "storage/inner.h"
#include "storage/keys.h"
#include "storage/lock.h"
#include "storage/stock.h"

#include <stdio.h>
#include <stdlib.h>

#define BATCH_ROWS 2048
#define BATCH_OCTETS (4u << 20)
#define OID_MAX 63

enum pending_kind { PENDING_BPP, PENDING_EUICC, PENDING_KEY };

/* Octets of variable length lie in import.octets. */
struct piece {
    size_t at, n;
};

struct pending {
    enum pending_kind kind;
    uint64_t number; /* of its record, from 1 */
    struct txid txid;
    struct eid eid;
    struct iccid iccid;
    bool delete_notified;
    int profile_class;
    unsigned eum_chain, dp_chain;
    char name[STOCK_TEXT_MAX + 1]; /* a key: whom it is meant for */
    char provider[STOCK_TEXT_MAX + 1];
    struct piece octets; /* record, certificate, or otPK and signature */
};

struct import {
    struct db *db;
    enum seen_kind kind;
    int64_t container;
    char id[37], smdp_oid[OID_MAX + 1];
    size_t eum_chains, dp_chains;
    bool keys_known;   /* the ledger holds one-time keys to compare with */
    int64_t euicc;     /* row of the eUICC written last                  */
    struct pending *rows;
    size_t n;
    struct buf octets;
    struct import_summary sum;
    tx_fn *guard; /* NULL: none */
    void *guard_ctx;
};

/* --- removing ------------------------------------------------------------------ */

/* Children first, then what they hang under; each statement takes a bounded
 * number of rows of one container that is not live. */
static const struct {
    const char *sql;
    int limit;
    bool records; /* its rows are records */
} removals[] = {
    { "DELETE FROM bpp_record WHERE bpp IN (SELECT bpp FROM bpp"
      " WHERE container = ?1 ORDER BY ordinal LIMIT ?2)", 2000, false },
    { "DELETE FROM bpp WHERE bpp IN (SELECT bpp FROM bpp"
      " WHERE container = ?1 ORDER BY ordinal LIMIT ?2)", 2000, true },
    { "DELETE FROM one_time_key WHERE euicc IN (SELECT euicc FROM euicc"
      " WHERE container = ?1 ORDER BY euicc LIMIT ?2)", 50, false },
    { "DELETE FROM euicc WHERE euicc IN (SELECT euicc FROM euicc"
      " WHERE container = ?1 ORDER BY euicc LIMIT ?2)", 50, true },
};

/* When no record is left. */
static const char *const last_removals[] = {
    "DELETE FROM container_chain WHERE container = ?1",
    ("DELETE FROM chain WHERE ?1 > 0 AND NOT EXISTS"
     " (SELECT 1 FROM container_chain x WHERE x.chain = chain.chain)"
     " AND NOT EXISTS"
     " (SELECT 1 FROM card_euicc u WHERE u.chain = chain.chain)"),
    "DELETE FROM container WHERE container = ?1 AND state = 0",
};

struct removal {
    int64_t container;
    uint64_t removed;
    bool more;
};

/* Rows removed, or -1. */
static int remove_run(struct tx *tx, const char *sql, int64_t container,
                      int limit, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, sql, e) != 0)
        return -1;
    q_int(&q, container);
    if (limit)
        q_int(&q, limit);
    if (q_run(&q, e) != 0)
        return -1;
    return sqlite3_changes(tx->db->sql);
}

static int remove_some(struct tx *tx, void *ctx, struct err *e)
{
    struct removal *r = ctx;

    r->more = false;
    for (size_t i = 0; i < sizeof removals / sizeof *removals; i++) {
        int n = remove_run(tx, removals[i].sql, r->container,
                           removals[i].limit, e);
        if (n < 0)
            return -1;
        if (removals[i].records && n > 0) {
            r->removed += (uint64_t)n;
            r->more = true;
        }
    }
    for (size_t i = 0; !r->more &&
         i < sizeof last_removals / sizeof *last_removals; i++)
        if (remove_run(tx, last_removals[i], r->container, 0, e) < 0)
            return -1;
    return 0;
}

static int remove_container(struct db *db, int64_t container,
                            uint64_t *removed, struct err *e)
{
    struct removal r = { .container = container, .more = true };

    while (r.more) {
        db_step_aside(db);
        if (db_write(db, remove_some, &r, e) != 0)
            return -1;
    }
    if (removed)
        *removed += r.removed;
    return 0;
}

static int next_leftover(struct db *db, int64_t *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT container FROM container WHERE state = 0"
               " LIMIT 1", e) != 0)
        return -1;
    int row = q_step(&q, e);
    *out = row > 0 ? q_get_int(&q, 0) : 0;
    return row < 0 ? -1 : 0;
}

static int lock_right(const struct lock *lock, struct err *e)
{
    return lock && lock->kind == LOCK_IMPORT ? 0
         : err_set(e, ERR_INTERNAL, "an import needs the import lock");
}

int import_leftovers(struct db *db, const struct lock *lock, uint64_t *removed,
                     struct err *e)
{
    int64_t container;
    uint64_t n = 0;

    if (lock_right(lock, e) != 0)
        return -1;
    for (;;) {
        if (next_leftover(db, &container, e) != 0)
            return -1;
        if (container == 0)
            break;
        if (remove_container(db, container, &n, e) != 0)
            return -1;
    }
    if (removed)
        *removed = n;
    return 0;
}

/* --- beginning ------------------------------------------------------------------ */

int chain_put(struct tx *tx, struct span der, int64_t *out, struct err *e)
{
    AUTO(q_close) struct q put = { 0 };
    AUTO(q_close) struct q get = { 0 };
    uint8_t hash[EVENT_HASH];

    event_hash(der, hash);
    if (q_open(&put, tx->db, "INSERT INTO chain(sha256, der) VALUES(?, ?)"
               " ON CONFLICT DO NOTHING", e) != 0)
        return -1;
    q_octets(&put, SPAN_ARRAY(hash));
    q_octets(&put, der);
    if (q_run(&put, e) != 0 ||
        q_open(&get, tx->db, "SELECT chain FROM chain WHERE sha256 = ?",
               e) != 0)
        return -1;
    q_octets(&get, SPAN_ARRAY(hash));
    if (q_step(&get, e) <= 0)
        return -1;
    *out = q_get_int(&get, 0);
    return 0;
}

static int chains_put(struct tx *tx, int64_t container, int role,
                      const struct span *chains, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        AUTO(q_close) struct q q = { 0 };
        int64_t chain;
        if (chain_put(tx, chains[i], &chain, e) != 0 ||
            q_open(&q, tx->db, "INSERT INTO container_chain(container, role,"
                   " n, chain) VALUES(?, ?, ?, ?)", e) != 0)
            return -1;
        q_int(&q, container);
        q_int(&q, role);
        q_int(&q, (int64_t)i);
        q_int(&q, chain);
        if (q_run(&q, e) != 0)
            return -1;
    }
    return 0;
}

struct beginning {
    struct import *i;
    const struct import_head *h;
};

static int begin(struct tx *tx, void *ctx, struct err *e)
{
    struct beginning *b = ctx;
    const struct import_head *h = b->h;

    return container_put(tx, &h->seen, CONTAINER_IMPORTING, h->smdp_oid, 0,
                         &b->i->container, e) != 0 ||
           chains_put(tx, b->i->container, 0, h->eum_chains,
                      h->eum_chain_count, e) != 0 ||
           chains_put(tx, b->i->container, 1, h->dp_chains, h->dp_chain_count,
                      e) != 0 ||
           keys_any(tx->db, &b->i->keys_known, e) != 0 ? -1 : 0;
}

static int head_check(const struct import_head *h, struct err *e)
{
    bool bundle = h->seen.kind == SEEN_BPP_BUNDLE;

    if (!bundle && h->seen.kind != SEEN_EUICC_DATA)
        return err_set(e, ERR_INTERNAL, "a container without records");
    if (bundle && (!h->smdp_oid || strlen(h->smdp_oid) > OID_MAX))
        return err_set(e, ERR_FORMAT, "a bundle without the OID of its SM-DPf");
    return 0;
}

static void import_free(struct import *i)
{
    buf_clear(&i->octets);
    free(i->rows);
    free(i);
}

int import_begin(struct db *db, const struct lock *lock,
                 const struct import_head *h, struct import **out,
                 struct err *e)
{
    if (head_check(h, e) != 0 || container_check(&h->seen, e) != 0 ||
        import_leftovers(db, lock, NULL, e) != 0 ||
        container_fresh(db, h->seen.id, e) != 0)
        return -1;
    struct import *i = calloc(1, sizeof *i);
    if (!i || !(i->rows = calloc(BATCH_ROWS, sizeof *i->rows))) {
        free(i);
        return err_set(e, ERR_NOMEM, "no memory for an import");
    }
    i->db = db;
    i->kind = h->seen.kind;
    i->eum_chains = h->eum_chain_count;
    i->dp_chains = h->dp_chain_count;
    snprintf(i->id, sizeof i->id, "%s", h->seen.id);
    snprintf(i->smdp_oid, sizeof i->smdp_oid, "%s",
             h->smdp_oid ? h->smdp_oid : "");
    struct beginning b = { i, h };
    if (db_write(db, begin, &b, e) != 0) {
        import_free(i);
        return -1;
    }
    *out = i;
    return 0;
}

/* --- writing a batch -------------------------------------------------------------- */

static struct span piece_of(const struct import *i, const struct piece *p)
{
    return SPAN(i->octets.p + p->at, p->n);
}

/* Who has this transactionId already. */
static int known_err(struct db *db, const char *sql, const struct pending *p,
                     const struct import *i, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    char hex[TXID_HEX + 1];

    if (q_open(&q, db, sql, e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(p->txid.o));
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    const char *id = row ? q_get_text(&q, 0) : "?";
    if (strcmp(id, i->id) == 0)
        return err_set(e, ERR_CONFLICT, "record %llu: transactionId %s stands "
                       "in this container twice",
                       (unsigned long long)p->number,
                       txid_format(&p->txid, hex));
    return err_set(e, ERR_CONFLICT, "record %llu: transactionId %s is known "
                   "already from container %s",
                   (unsigned long long)p->number, txid_format(&p->txid, hex),
                   id);
}

/* A one-time key is offered to one SM-DPf (binding, clause 2). */
static int key_fits(struct import *i, const struct pending *p, struct err *e)
{
    struct key_info k;
    struct err none = ERR_INIT;
    char hex[TXID_HEX + 1], a[EID_DIGITS + 1], b[EID_DIGITS + 1];

    if (!i->keys_known)
        return 0;
    if (key_by_txid(i->db, &p->txid, &k, &none) != 0) {
        if (none.code == ERR_NOT_FOUND)
            return 0;
        if (e)
            *e = none;
        return -1;
    }
    const char *owner = k.offered_to[0] ? k.offered_to : k.meant_for;
    if (*owner && strcmp(owner, i->smdp_oid) != 0)
        return err_set(e, ERR_CONFLICT, "record %llu: key %s %s SM-DPf %s, but "
                       "this bundle comes from %s",
                       (unsigned long long)p->number,
                       txid_format(&p->txid, hex),
                       k.offered_to[0] ? "was offered to" : "is meant for",
                       owner, i->smdp_oid);
    if (!eid_eq(&k.eid, &p->eid))
        return err_set(e, ERR_CONFLICT, "record %llu: key %s belongs to eUICC "
                       "%s, but the record names %s",
                       (unsigned long long)p->number,
                       txid_format(&p->txid, hex), eid_format(&k.eid, a),
                       eid_format(&p->eid, b));
    return 0;
}

/* Run an insert whose only unique column is the transactionId: 1 done, 0 the
 * transactionId is known, -1 error. */
static int insert_unique(struct q *q, struct err *e)
{
    if (q_run(q, e) != 0)
        return -1;
    return sqlite3_changes(q->db->sql) == 1;
}

static int record_put(struct import *i, int64_t bpp, const struct pending *p,
                      struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, i->db, "INSERT INTO bpp_record(bpp, record) VALUES(?, ?)",
               e) != 0)
        return -1;
    q_int(&q, bpp);
    q_octets(&q, piece_of(i, &p->octets));
    return q_run(&q, e);
}

static int bpp_put(struct import *i, const struct pending *p, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (key_fits(i, p, e) != 0 ||
        q_open(&q, i->db, "INSERT INTO bpp(container, ordinal, txid, eid,"
               " iccid, name, provider, delete_notified, eum_chain, dp_chain,"
               " class) VALUES(?,?,?,?, ?,?,?,?, ?,?,?) ON CONFLICT(txid) DO NOTHING",
               e) != 0)
        return -1;
    q_int(&q, i->container);
    q_int(&q, (int64_t)p->number);
    q_octets(&q, SPAN_ARRAY(p->txid.o));
    q_octets(&q, SPAN_ARRAY(p->eid.o));
    q_octets(&q, SPAN_ARRAY(p->iccid.o));
    q_text(&q, p->name);
    q_text(&q, p->provider);
    q_int(&q, p->delete_notified);
    q_int(&q, p->eum_chain);
    q_int(&q, p->dp_chain);
    q_int(&q, p->profile_class);
    int done = insert_unique(&q, e);
    if (done == 0)
        return known_err(i->db, "SELECT c.id FROM bpp JOIN container c"
                         " USING(container) WHERE txid = ?", p, i, e);
    return done < 0 ? -1
         : record_put(i, sqlite3_last_insert_rowid(i->db->sql), p, e);
}

static int euicc_put(struct import *i, const struct pending *p, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, i->db, "INSERT INTO euicc(container, eid, cert, eum_chain)"
               " VALUES(?, ?, ?, ?)", e) != 0)
        return -1;
    q_int(&q, i->container);
    q_octets(&q, SPAN_ARRAY(p->eid.o));
    q_octets(&q, piece_of(i, &p->octets));
    q_int(&q, p->eum_chain);
    if (q_run(&q, e) != 0)
        return -1;
    i->euicc = sqlite3_last_insert_rowid(i->db->sql);
    return 0;
}

static int key_put(struct import *i, const struct pending *p, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, i->db, "INSERT INTO one_time_key(euicc, txid, otpk, sign,"
               " meant_for) VALUES(?, ?, ?, ?, ?) ON CONFLICT(txid) DO NOTHING",
               e) != 0)
        return -1;
    struct span both = piece_of(i, &p->octets);
    q_int(&q, i->euicc);
    q_octets(&q, SPAN_ARRAY(p->txid.o));
    q_octets(&q, SPAN(both.p, KEY_OTPK));
    q_octets(&q, SPAN(both.p + KEY_OTPK, KEY_SIGN));
    q_text(&q, p->name);
    int done = insert_unique(&q, e);
    if (done == 0)
        return known_err(i->db, "SELECT c.id FROM one_time_key JOIN euicc"
                         " USING(euicc) JOIN container c USING(container)"
                         " WHERE txid = ?", p, i, e);
    return done < 0 ? -1 : 0;
}

static int (*const put[])(struct import *, const struct pending *,
                          struct err *) = {
    [PENDING_BPP] = bpp_put,
    [PENDING_EUICC] = euicc_put,
    [PENDING_KEY] = key_put,
};

static int batch_put(struct tx *tx, void *ctx, struct err *e)
{
    struct import *i = ctx;

    (void)tx;
    for (size_t k = 0; k < i->n; k++)
        if (put[i->rows[k].kind](i, &i->rows[k], e) != 0)
            return -1;
    return 0;
}

static int flush(struct import *i, struct err *e)
{
    if (i->n == 0)
        return 0;
    db_step_aside(i->db);
    if (db_write(i->db, batch_put, i, e) != 0)
        return -1;
    i->n = 0;
    buf_reset(&i->octets);
    return 0;
}

/* --- taking records ----------------------------------------------------------------- */

static int pending_add(struct import *i, const struct pending *p,
                       struct span octets, struct err *e)
{
    if (i->n == BATCH_ROWS ||
        (i->n && i->octets.n + octets.n > BATCH_OCTETS))
        if (flush(i, e) != 0)
            return -1;
    struct pending *to = &i->rows[i->n];
    *to = *p;
    to->octets = (struct piece){ i->octets.n, octets.n };
    buf_put_span(&i->octets, octets);
    if (!buf_ok(&i->octets))
        return err_set(e, ERR_NOMEM, "no memory for an import");
    i->n++;
    return 0;
}

static int text_take(char out[STOCK_TEXT_MAX + 1], const char *in, const char *what,
                     struct err *e)
{
    size_t n = strlen(in);

    if (n > STOCK_TEXT_MAX || !event_text_ok(SPAN(in, n)))
        return err_set(e, ERR_FORMAT, "%s is not plain text of at most %d "
                       "octets", what, STOCK_TEXT_MAX);
    memcpy(out, in, n + 1);
    return 0;
}

static int chain_known(unsigned index, size_t count, const char *what,
                       struct err *e)
{
    return index < count ? 0
         : err_set(e, ERR_FORMAT, "%s chain %u, but the manifest has %zu",
                   what, index, count);
}

static int kind_is(const struct import *i, enum seen_kind k, struct err *e)
{
    return i->kind == k ? 0
         : err_set(e, ERR_INTERNAL, "a record of another kind of container");
}

int import_bpp(struct import *i, const struct import_bpp *r, struct err *e)
{
    struct pending p = {
        .kind = PENDING_BPP,
        .number = i->sum.records + 1,
        .txid = r->txid,
        .eid = r->eid,
        .iccid = r->iccid,
        .delete_notified = r->delete_notified,
        .profile_class = r->profile_class,
        .eum_chain = r->eum_chain,
        .dp_chain = r->dp_chain,
    };

    if (kind_is(i, SEEN_BPP_BUNDLE, e) != 0 ||
        chain_known(r->eum_chain, i->eum_chains, "EUM", e) != 0 ||
        chain_known(r->dp_chain, i->dp_chains, "DPpb", e) != 0 ||
        text_take(p.name, r->name, "the profile's name", e) != 0 ||
        text_take(p.provider, r->provider, "the provider's name", e) != 0)
        return -1;
    if (r->record.n == 0 || r->record.n > IMPORT_RECORD_MAX)
        return err_set(e, ERR_LIMIT, "a record of %zu octets", r->record.n);
    if (pending_add(i, &p, r->record, e) != 0)
        return -1;
    i->sum.records++;
    i->sum.without_delete += !r->delete_notified;
    return 0;
}

int import_euicc(struct import *i, const struct eid *eid, struct span cert,
                 unsigned eum_chain, struct err *e)
{
    const struct pending p = {
        .kind = PENDING_EUICC,
        .number = i->sum.records + 1,
        .eid = *eid,
        .eum_chain = eum_chain,
    };

    if (kind_is(i, SEEN_EUICC_DATA, e) != 0 ||
        chain_known(eum_chain, i->eum_chains, "EUM", e) != 0 ||
        pending_add(i, &p, cert, e) != 0)
        return -1;
    i->sum.records++;
    return 0;
}

int import_key(struct import *i, const struct import_key *k, struct err *e)
{
    struct pending p = {
        .kind = PENDING_KEY,
        .number = i->sum.records,
        .txid = k->txid,
    };
    uint8_t both[KEY_OTPK + KEY_SIGN];

    if (kind_is(i, SEEN_EUICC_DATA, e) != 0)
        return -1;
    memcpy(both, k->otpk, KEY_OTPK);
    memcpy(both + KEY_OTPK, k->sign, KEY_SIGN);
    if (i->sum.records == 0)
        return err_set(e, ERR_INTERNAL, "a key before its eUICC");
    if (text_take(p.name, k->smdp_oid, "a key's recipient", e) != 0 ||
        pending_add(i, &p, SPAN_ARRAY(both), e) != 0)
        return -1;
    i->sum.keys++;
    return 0;
}

/* --- ending ---------------------------------------------------------------------------- */

/* The row is live before its event is written, for the clock floor, and so
 * takes the number that comes next. */
static int make_live(struct tx *tx, const struct import *i, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    bool bundle = i->kind == SEEN_BPP_BUNDLE;

    if (q_open(&q, tx->db, "UPDATE container SET state = 1, received = ?1,"
               " in_stock = ?1, event = (SELECT coalesce(max(number), 0) + 1"
               " FROM event) WHERE container = ?2 AND state = 0", e) != 0)
        return -1;
    q_int(&q, bundle ? (int64_t)i->sum.records : 0);
    q_int(&q, i->container);
    return q_run(&q, e);
}

static int import_event(struct tx *tx, struct import *i, const char *actor,
                        struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    char records[NUMBER_TEXT], keys[NUMBER_TEXT], without[NUMBER_TEXT];
    bool bundle = i->kind == SEEN_BPP_BUNDLE;

    fields_add(&f, "bundle", i->id);
    if (bundle)
        fields_add(&f, "smdp", i->smdp_oid);
    fields_add(&f, "records", number_text((int64_t)i->sum.records, records));
    if (bundle)
        fields_add(&f, "without-delete",
                   number_text((int64_t)i->sum.without_delete, without));
    else
        fields_add(&f, "keys", number_text((int64_t)i->sum.keys, keys));
    if (container_event(tx, i->container, bundle ? "bundle-imported"
                        : "euicc-data-imported", actor, &f,
                        &i->sum.missing, &head, e) != 0)
        return -1;
    i->sum.event = head.number;
    return 0;
}

struct finishing {
    struct import *i;
    const char *actor;
};

static int finish(struct tx *tx, void *ctx, struct err *e)
{
    struct finishing *f = ctx;

    if (f->i->guard && f->i->guard(tx, f->i->guard_ctx, e) != 0)
        return -1;
    return make_live(tx, f->i, e) != 0 ||
           import_event(tx, f->i, f->actor, e) != 0 ? -1 : 0;
}

void import_guard(struct import *i, tx_fn *guard, void *ctx)
{
    i->guard = guard;
    i->guard_ctx = ctx;
}

int import_finish(struct import *i, const char *actor,
                  struct import_summary *out, struct err *e)
{
    struct finishing f = { i, actor };

    if (flush(i, e) != 0 || db_write(i->db, finish, &f, e) != 0) {
        import_abort(i);
        return -1;
    }
    if (out)
        *out = i->sum;
    import_free(i);
    return 0;
}

void import_abort(struct import *i)
{
    if (!i)
        return;
    remove_container(i->db, i->container, NULL, NULL);
    import_free(i);
}

int bundle_dp_chains(struct db *db, const char *smdp_oid, chain_fn *fn,
                     void *ctx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT c.der FROM container_chain x JOIN chain c ON"
               " c.chain = x.chain WHERE x.role = 1 AND x.container ="
               " (SELECT max(container) FROM container WHERE state = 1 AND"
               "  kind = 1 AND smdp_oid = ?) ORDER BY x.n", e) != 0)
        return -1;
    q_text(&q, smdp_oid);
    while ((row = q_step(&q, e)) > 0)
        if (fn(ctx, q_get_octets(&q, 0), e) != 0)
            return -1;
    return row;
}
