#include "storage/stock.h"

#include "storage/inner.h"

#include <stdio.h>
#include <stdlib.h>

/* --- reading rows ------------------------------------------------------------ */

#define BPP_COLUMNS "bpp, txid, eid, iccid, name, provider, container_id," \
    " smdp_oid, delete_notified, deleted, state, attempts, position, fixture," \
    " coalesce(event, import_event), import_event," \
    /* Looked up for the few that are voided only. */ \
    " CASE WHEN state = 6 THEN EXISTS(SELECT 1 FROM evidence x" \
    "  WHERE x.bpp = live_bpp.bpp AND x.kind = 6 AND x.code = 'given-up')" \
    " ELSE 0 END, class"

static void info_read(struct q *q, void *item)
{
    struct bpp_info *b = item;

    b->id = q_get_int(q, 0);
    q_get_fixed(q, 1, b->txid.o, sizeof b->txid.o);
    q_get_fixed(q, 2, b->eid.o, sizeof b->eid.o);
    q_get_fixed(q, 3, b->iccid.o, sizeof b->iccid.o);
    q_get_string(q, 4, b->name, sizeof b->name);
    q_get_string(q, 5, b->provider, sizeof b->provider);
    q_get_string(q, 6, b->bundle, sizeof b->bundle);
    q_get_string(q, 7, b->smdp_oid, sizeof b->smdp_oid);
    b->delete_notified = q_get_int(q, 8) != 0;
    b->deleted = q_get_int(q, 9) != 0;
    b->state = (enum bpp_state)q_get_int(q, 10);
    b->attempts = (unsigned)q_get_int(q, 11);
    b->position = q_get_int(q, 12);
    q_get_string(q, 13, b->fixture, sizeof b->fixture);
    b->event = (uint64_t)q_get_int(q, 14);
    b->import_event = (uint64_t)q_get_int(q, 15);
    b->given_up = q_get_int(q, 16) != 0;
    b->profile_class = (int)q_get_int(q, 17);
}

void bpp_list_clear(struct bpp_list *l)
{
    free(l->v);
    *l = (struct bpp_list){ NULL, 0 };
}

/* All rows of q, which selects BPP_COLUMNS, into *out. */
static int bpp_list_read(struct q *q, struct bpp_list *out, struct err *e)
{
    struct rows all;

    if (rows_read(q, sizeof *out->v, info_read, &all, e) != 0)
        return -1;
    bpp_list_clear(out);
    *out = (struct bpp_list){ all.v, all.n };
    return 0;
}

static int info_one(struct q *q, struct bpp_info *out, const char *what,
                    struct err *e)
{
    int row = q_step(q, e);

    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "the ledger holds no BPP of %s", what);
    info_read(q, out);
    return 0;
}

int stock_get(struct db *db, int64_t bpp, struct bpp_info *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT " BPP_COLUMNS " FROM live_bpp WHERE bpp = ?",
               e) != 0)
        return -1;
    q_int(&q, bpp);
    return info_one(&q, out, "this number", e);
}

int stock_by_txid(struct db *db, const struct txid *t, struct bpp_info *out,
                  struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    char hex[TXID_HEX + 1], what[TXID_HEX + 32];

    if (q_open(&q, db, "SELECT " BPP_COLUMNS " FROM live_bpp WHERE txid = ?",
               e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(t->o));
    snprintf(what, sizeof what, "transactionId %s", txid_format(t, hex));
    return info_one(&q, out, what, e);
}

int stock_of_eid(struct db *db, const struct eid *eid, struct bpp_list *out,
                 struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT " BPP_COLUMNS " FROM live_bpp WHERE eid = ?"
               " ORDER BY container, ordinal", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    return bpp_list_read(&q, out, e);
}

int bpps_in_state(struct db *db, enum bpp_state s, int64_t limit,
                  struct bpp_list *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    /* "state <> 0" lets SQLite use the index on what has moved. */
    if (q_open(&q, db, s == BPP_IN_STOCK
               ? "SELECT " BPP_COLUMNS " FROM live_bpp WHERE state = ?"
                 " ORDER BY container, ordinal LIMIT ?"
               : "SELECT " BPP_COLUMNS " FROM live_bpp WHERE state = ?"
                 " AND state <> 0 ORDER BY container, ordinal LIMIT ?", e) != 0)
        return -1;
    q_int(&q, s);
    q_int(&q, limit ? limit : -1);
    return bpp_list_read(&q, out, e);
}

int stock_loading(struct db *db, struct bpp_list *out, struct err *e)
{
    return bpps_in_state(db, BPP_LOADING, 0, out, e);
}

static int octets_one(struct q *q, struct buf *out, const char *what,
                      struct err *e)
{
    int row = q_step(q, e);

    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "the ledger holds no %s", what);
    buf_reset(out);
    buf_put_span(out, q_get_octets(q, 0));
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "no memory for %s", what);
}

int stock_record(struct db *db, int64_t bpp, struct buf *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT r.record FROM live_bpp JOIN bpp_record r"
               " USING(bpp) WHERE bpp = ?", e) != 0)
        return -1;
    q_int(&q, bpp);
    return octets_one(&q, out, "record of this BPP", e);
}

static int chain_one(struct db *db, int64_t bpp, const char *sql,
                     struct buf *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (!out)
        return 0;
    if (q_open(&q, db, sql, e) != 0)
        return -1;
    q_int(&q, bpp);
    return octets_one(&q, out, "chain of this BPP", e);
}

int stock_chains(struct db *db, int64_t bpp, struct buf *eum, struct buf *dp,
                 struct err *e)
{
    return chain_one(db, bpp, "SELECT c.der FROM live_bpp b"
                     " JOIN container_chain x ON x.container = b.container"
                     " AND x.role = 0 AND x.n = b.eum_chain"
                     " JOIN chain c USING(chain) WHERE b.bpp = ?", eum, e) ||
           chain_one(db, bpp, "SELECT c.der FROM live_bpp b"
                     " JOIN container_chain x ON x.container = b.container"
                     " AND x.role = 1 AND x.n = b.dp_chain"
                     " JOIN chain c USING(chain) WHERE b.bpp = ?", dp, e)
         ? -1 : 0;
}

int stock_bf37(struct db *db, int64_t bpp, struct buf *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT octets FROM evidence WHERE bpp = ?"
               " AND kind IN (1, 6) AND octets IS NOT NULL", e) != 0)
        return -1;
    q_int(&q, bpp);
    return octets_one(&q, out, "BF37 of this BPP", e);
}

/* --- moving ------------------------------------------------------------------ */

/* One move on its way: the row as it was, and what it leads to. */
struct move {
    struct bpp_info b;
    int64_t container, started_at;
    enum bpp_state to;
    enum stock_cause cause;
    const struct act *act;
    struct place place;
    struct span octets;
    char reason[EVENT_WORD_MAX * 4 + 1];
};

static int move_row(struct db *db, int64_t bpp, struct move *m, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT " BPP_COLUMNS ", container, started_at"
               " FROM live_bpp WHERE bpp = ?", e) != 0)
        return -1;
    q_int(&q, bpp);
    if (info_one(&q, &m->b, "this number", e) != 0)
        return -1;
    m->container = q_get_int(&q, 18);
    m->started_at = q_get_int(&q, 19);
    return 0;
}

static int move_allowed(const struct move *m, struct err *e)
{
    char hex[TXID_HEX + 1];

    if (!stock_transition(m->b.state, m->to, m->cause, m->b.attempts))
        return err_set(e, ERR_WRONG_STATE, "BPP %s is %s after %u load%s: it "
                       "cannot become %s by %s", txid_format(&m->b.txid, hex),
                       bpp_state_name(m->b.state), m->b.attempts,
                       m->b.attempts == 1 ? "" : "s", bpp_state_name(m->to),
                       stock_cause_name(m->cause));
    if ((m->to == BPP_INSTALLED || m->to == BPP_FAILED) && m->octets.n == 0)
        return err_set(e, ERR_FORMAT, "BPP %s cannot become %s without a BF37",
                       txid_format(&m->b.txid, hex), bpp_state_name(m->to));
    return 0;
}

static void identity_fields(struct fields *f, const struct bpp_info *b,
                            char txid[TXID_HEX + 1], char eid[EID_DIGITS + 1],
                            char iccid[ICCID_DIGITS + 1])
{
    fields_add(f, "bundle", b->bundle);
    fields_add(f, "txid", txid_format(&b->txid, txid));
    fields_add(f, "eid", eid_format(&b->eid, eid));
    fields_add(f, "iccid", iccid_format(&b->iccid, iccid));
}

static int move_event(struct tx *tx, const struct move *m,
                      struct event_head *out, struct err *e)
{
    struct fields f = { .n = 0 };
    char txid[TXID_HEX + 1], eid[EID_DIGITS + 1], iccid[ICCID_DIGITS + 1];
    char attempt[NUMBER_TEXT], sum[2 * EVENT_HASH + 1];
    uint8_t hash[EVENT_HASH];

    identity_fields(&f, &m->b, txid, eid, iccid);
    fields_add(&f, "from", bpp_state_name(m->b.state));
    fields_add(&f, "to", bpp_state_name(m->to));
    fields_add(&f, "cause", stock_cause_name(m->cause));
    if (m->cause == CAUSE_LOAD)
        fields_add(&f, "attempt", number_text(m->b.attempts + 1, attempt));
    place_fields(&f, &m->place, m->act);
    if (m->reason[0])
        fields_add(&f, "reason", m->reason);
    if (m->octets.n) {
        event_hash(m->octets, hash);
        fields_add(&f, "bf37-sha256", hex_encode(SPAN_ARRAY(hash), sum,
                                                 sizeof sum));
    }
    return event_write(tx, "bpp-moved", m->act->actor, &f, out, e);
}

static int move_store(struct tx *tx, const struct move *m,
                      const struct event_head *ev, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    bool load = m->cause == CAUSE_LOAD;

    if (q_open(&q, tx->db, "UPDATE bpp SET state = ?, attempts = attempts + ?,"
               " position = coalesce(?, position),"
               " fixture = coalesce(?, fixture), started_at = ?, event = ?"
               " WHERE bpp = ?", e) != 0)
        return -1;
    q_int(&q, m->to);
    q_int(&q, load);
    q_int_or_null(&q, m->act->position);
    q_text(&q, m->act->fixture);
    q_int(&q, load ? ev->at : m->started_at);
    q_int(&q, (int64_t)ev->number);
    q_int(&q, m->b.id);
    return q_run(&q, e);
}

static int move_count(struct tx *tx, const struct move *m, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE container SET in_stock = in_stock + ?,"
               " reserved = reserved + ?, loading = loading + ?,"
               " installed = installed + ?, failed = failed + ?,"
               " quarantined = quarantined + ?, voided = voided + ?"
               " WHERE container = ?", e) != 0)
        return -1;
    for (int s = 0; s < BPP_STATES; s++)
        q_int(&q, (s == (int)m->to) - (s == (int)m->b.state));
    q_int(&q, m->container);
    return q_run(&q, e);
}

static const enum evidence_kind evidence_of[BPP_STATES] = {
    [BPP_INSTALLED] = EVIDENCE_RESULT,
    [BPP_FAILED] = EVIDENCE_RESULT,
    [BPP_QUARANTINED] = EVIDENCE_QUARANTINE,
    [BPP_VOIDED] = EVIDENCE_VOID,
};

static int move_evidence(struct tx *tx, const struct move *m,
                         const struct stock_evidence *given,
                         const struct event_head *ev, struct err *e)
{
    if (!evidence_of[m->to])
        return 0;
    const struct evidence_row r = {
        .event = ev->number,
        .kind = evidence_of[m->to],
        .bpp = m->b.id,
        .act = m->act,
        .place = &m->place,
        .eid = &m->b.eid,
        .txid = &m->b.txid,
        .iccid = &m->b.iccid,
        .octets = m->octets,
        .state = m->to,
        .seq = -1,
        .started_at = given && given->started_at ? given->started_at
                                                 : m->started_at,
        .finished_at = ev->at,
        .code = stock_cause_name(m->cause),
        .detail = m->reason[0] ? m->reason : NULL,
    };
    return evidence_put(tx, &r, e);
}

int stock_move(struct tx *tx, int64_t bpp, enum bpp_state to,
               enum stock_cause cause, const struct act *a,
               const struct stock_evidence *ev, struct err *e)
{
    struct move m = { .to = to, .cause = cause, .act = a };
    struct event_head at;

    if (ev) {
        m.octets = ev->octets;
        text_plain(ev->reason ? ev->reason : "", m.reason, sizeof m.reason - 1);
    }
    if (move_row(tx->db, bpp, &m, e) != 0 || move_allowed(&m, e) != 0 ||
        place_of(tx->db, a, &m.place, e) != 0 ||
        move_event(tx, &m, &at, e) != 0 || move_store(tx, &m, &at, e) != 0 ||
        move_count(tx, &m, e) != 0 || move_evidence(tx, &m, ev, &at, e) != 0)
        return -1;
    return 0;
}

/* --- the verbs --------------------------------------------------------------- */

/* Moves of several BPPs are all or nothing even inside a larger transaction:
 * the caller's fn returns the error, and its savepoint or transaction goes. */
static int move_all(struct tx *tx, struct bpp_list *l, enum bpp_state to,
                    enum stock_cause cause, const struct act *a, struct err *e)
{
    for (size_t i = 0; i < l->n; i++) {
        if (stock_move(tx, l->v[i].id, to, cause, a, NULL, e) != 0 ||
            stock_get(tx->db, l->v[i].id, &l->v[i], e) != 0)
            return -1;
    }
    return 0;
}

int stock_reserve(struct tx *tx, const struct eid *eid, const struct act *a,
                  struct bpp_list *out, struct err *e)
{
    struct bpp_list l = { NULL, 0 };
    size_t kept = 0;

    if (stock_of_eid(tx->db, eid, &l, e) != 0)
        return -1;
    for (size_t i = 0; i < l.n; i++)
        if (l.v[i].state == BPP_IN_STOCK)
            l.v[kept++] = l.v[i];
    l.n = kept;
    if (move_all(tx, &l, BPP_RESERVED, CAUSE_SCAN, a, e) != 0) {
        bpp_list_clear(&l);
        return -1;
    }
    bpp_list_clear(out);
    *out = l;
    return 0;
}

int stock_load(struct tx *tx, int64_t bpp, const struct act *a, struct err *e)
{
    return stock_move(tx, bpp, BPP_LOADING, CAUSE_LOAD, a, NULL, e);
}

int stock_result(struct tx *tx, int64_t bpp, bool installed,
                 enum stock_cause cause, struct span bf37,
                 const struct act *a, struct err *e)
{
    const struct stock_evidence ev = { .octets = bf37 };

    return stock_move(tx, bpp, installed ? BPP_INSTALLED : BPP_FAILED, cause,
                      a, &ev, e);
}

int stock_return(struct tx *tx, int64_t bpp, enum stock_cause cause,
                 const struct act *a, struct err *e)
{
    return stock_move(tx, bpp, BPP_IN_STOCK, cause, a, NULL, e);
}

int stock_quarantine(struct tx *tx, int64_t bpp, const char *reason,
                     const struct act *a, struct err *e)
{
    const struct stock_evidence ev = { .reason = reason };

    return stock_move(tx, bpp, BPP_QUARANTINED, CAUSE_NO_EVIDENCE, a, &ev, e);
}

int stock_void(struct tx *tx, int64_t bpp, const char *reason,
               struct span bf37, const struct act *a, struct err *e)
{
    const struct stock_evidence ev = { .octets = bf37, .reason = reason };

    return stock_move(tx, bpp, BPP_VOIDED, CAUSE_CONSUMED_ELSEWHERE, a, &ev, e);
}

int stock_release_leftovers(struct tx *tx, const char *actor, size_t *released,
                            struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };

    if (bpps_in_state(tx->db, BPP_RESERVED, 0, &l, e) != 0)
        return -1;
    for (size_t i = 0; i < l.n; i++) {
        const struct act a = {
            .actor = actor, .position = l.v[i].position,
            .fixture = l.v[i].fixture[0] ? l.v[i].fixture : NULL,
        };
        if (stock_return(tx, l.v[i].id, CAUSE_LEFTOVER, &a, e) != 0)
            return -1;
    }
    if (released)
        *released = l.n;
    return 0;
}

/* --- of which deleted --------------------------------------------------------- */

static int deleted_store(struct tx *tx, const struct move *m,
                         const struct event_head *ev, struct err *e)
{
    AUTO(q_close) struct q row = { 0 };
    AUTO(q_close) struct q count = { 0 };

    if (q_open(&row, tx->db, "UPDATE bpp SET deleted = 1, event = ?"
               " WHERE bpp = ?", e) != 0)
        return -1;
    q_int(&row, (int64_t)ev->number);
    q_int(&row, m->b.id);
    if (q_run(&row, e) != 0 ||
        q_open(&count, tx->db, "UPDATE container SET deleted = deleted + 1"
               " WHERE container = ?", e) != 0)
        return -1;
    q_int(&count, m->container);
    return q_run(&count, e);
}

int stock_deleted(struct tx *tx, int64_t bpp, const struct act *a,
                  struct err *e)
{
    struct move m = { .act = a };
    struct fields f = { .n = 0 };
    struct event_head at;
    char txid[TXID_HEX + 1], eid[EID_DIGITS + 1], iccid[ICCID_DIGITS + 1];

    if (move_row(tx->db, bpp, &m, e) != 0 ||
        place_of(tx->db, a, &m.place, e) != 0)
        return -1;
    if (m.b.deleted)
        return 0;
    if (m.b.state != BPP_INSTALLED)
        return err_set(e, ERR_WRONG_STATE, "BPP %s is %s: only an installed "
                       "profile can be deleted", txid_format(&m.b.txid, txid),
                       bpp_state_name(m.b.state));
    identity_fields(&f, &m.b, txid, eid, iccid);
    place_fields(&f, &m.place, a);
    return event_write(tx, "bpp-deleted", a->actor, &f, &at, e) != 0 ||
           deleted_store(tx, &m, &at, e) != 0 ? -1 : 0;
}
