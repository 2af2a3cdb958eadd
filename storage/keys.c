/* One-time keys: looked up, told by cards, sorted by what can be done. */
#include "storage/keys.h"

#include "storage/containers.h"
#include "storage/inner.h"
#include "storage/units.h"

#include <stdlib.h>

/* --- one key ---------------------------------------------------------------------- */

/* To whom key k was offered. */
#define OFFERED_TO "(SELECT r.smdp FROM offered_key o JOIN request r" \
    " USING(request) WHERE o.txid = k.txid)"

/* The EUM's word first: it alone says whom a key is meant for. */
static const char *const key_sources[] = {
    "SELECT k.eid, k.otpk, k.meant_for, " OFFERED_TO ", k.sign IS NOT NULL"
    " FROM live_key k WHERE k.txid = ?",
    "SELECT k.eid, k.otpk, '', " OFFERED_TO ", 1"
    " FROM card_key k WHERE k.txid = ?",
};

int key_by_txid(struct db *db, const struct txid *t, struct key_info *out,
                struct err *e)
{
    char hex[TXID_HEX + 1];

    for (size_t i = 0; i < sizeof key_sources / sizeof *key_sources; i++) {
        AUTO(q_close) struct q q = { 0 };
        if (q_open(&q, db, key_sources[i], e) != 0)
            return -1;
        q_octets(&q, SPAN_ARRAY(t->o));
        int row = q_step(&q, e);
        if (row < 0)
            return -1;
        if (!row)
            continue;
        out->txid = *t;
        q_get_fixed(&q, 0, out->eid.o, sizeof out->eid.o);
        q_get_fixed(&q, 1, out->otpk, sizeof out->otpk);
        q_get_string(&q, 2, out->meant_for, sizeof out->meant_for);
        q_get_string(&q, 3, out->offered_to, sizeof out->offered_to);
        out->has_sign = q_get_int(&q, 4) != 0;
        return 0;
    }
    return err_set(e, ERR_NOT_FOUND, "the station has not heard of key %s",
                   txid_format(t, hex));
}

int keys_any(struct db *db, bool *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT EXISTS(SELECT 1 FROM live_key) OR"
               " EXISTS(SELECT 1 FROM card_key)", e) != 0 ||
        q_step(&q, e) <= 0)
        return -1;
    *out = q_get_int(&q, 0) != 0;
    return 0;
}

/* euicc-data first: it has the certificate at hand. */
static const char *const certificate_sources[] = {
    "SELECT u.cert, c.der FROM live_euicc u"
    " JOIN container_chain x ON x.container = u.container AND x.role = 0"
    "  AND x.n = u.eum_chain"
    " JOIN chain c USING(chain) WHERE u.eid = ? ORDER BY u.euicc DESC LIMIT 1",
    "SELECT u.cert, c.der FROM card_euicc u JOIN chain c USING(chain)"
    " WHERE u.eid = ?",
    "SELECT NULL, c.der FROM live_bpp b"
    " JOIN container_chain x ON x.container = b.container AND x.role = 0"
    "  AND x.n = b.eum_chain"
    " JOIN chain c USING(chain) WHERE b.eid = ? ORDER BY b.bpp DESC LIMIT 1",
};

int euicc_certificate(struct db *db, const struct eid *eid, struct buf *cert,
                      struct buf *eum_chain, struct err *e)
{
    char digits[EID_DIGITS + 1];

    for (size_t i = 0;
         i < sizeof certificate_sources / sizeof *certificate_sources; i++) {
        AUTO(q_close) struct q q = { 0 };
        if (q_open(&q, db, certificate_sources[i], e) != 0)
            return -1;
        q_octets(&q, SPAN_ARRAY(eid->o));
        int row = q_step(&q, e);
        if (row < 0)
            return -1;
        if (!row)
            continue;
        buf_reset(cert);
        buf_reset(eum_chain);
        buf_put_span(cert, q_get_octets(&q, 0));
        buf_put_span(eum_chain, q_get_octets(&q, 1));
        return buf_ok(cert) && buf_ok(eum_chain) ? 0
             : err_set(e, ERR_NOMEM, "no memory for a certificate");
    }
    return err_set(e, ERR_NOT_FOUND, "the station has no certificate of eUICC "
                   "%s", eid_format(eid, digits));
}

/* --- what a card says -------------------------------------------------------------- */

/* Rows that a statement of one octet string changed, or -1. */
static int change(struct tx *tx, const char *sql, struct span octets,
                  struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, sql, e) != 0)
        return -1;
    q_octets(&q, octets);
    if (q_run(&q, e) != 0)
        return -1;
    return sqlite3_changes(tx->db->sql);
}

static int has(struct tx *tx, const char *sql, struct span octets, bool *out,
               struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, sql, e) != 0)
        return -1;
    q_octets(&q, octets);
    int row = q_step(&q, e);
    *out = row > 0;
    return row < 0 ? -1 : 0;
}

/* Its event is the next one: see keys_note. */
#define NEXT_EVENT "(SELECT coalesce(max(number), 0) + 1 FROM event)"

/* Rows added, or -1. What has a BPP needs no request, and what a container
 * brought with its signature needs no second copy. */
static int key_note(struct tx *tx, const struct eid *eid,
                    const struct card_key *k, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct span txid = SPAN_ARRAY(k->txid.o);
    bool known;

    if (has(tx, "SELECT 1 FROM live_key WHERE txid = ?1 AND sign IS NOT NULL"
            " UNION ALL SELECT 1 FROM live_bpp WHERE txid = ?1", txid, &known,
            e) != 0)
        return -1;
    int back = change(tx, "DELETE FROM key_gone WHERE txid = ?", txid, e);
    if (back < 0 || known)
        return back;
    if (q_open(&q, tx->db, "INSERT INTO card_key(txid, eid, otpk, sign, event)"
               " VALUES(?, ?, ?, ?, " NEXT_EVENT ") ON CONFLICT DO NOTHING",
               e) != 0)
        return -1;
    q_octets(&q, txid);
    q_octets(&q, SPAN_ARRAY(eid->o));
    q_octets(&q, SPAN_ARRAY(k->otpk));
    q_octets(&q, SPAN_ARRAY(k->sign));
    if (q_run(&q, e) != 0)
        return -1;
    return back || sqlite3_changes(tx->db->sql) == 1;
}

static bool told(const struct card_keys *c, struct span txid)
{
    for (size_t i = 0; i < c->n; i++)
        if (span_eq(SPAN_ARRAY(c->v[i].txid.o), txid))
            return true;
    return false;
}

struct gone {
    struct txid *v;
    size_t n;
};

static int gone_add(struct gone *g, struct span txid, struct err *e)
{
    void *p = list_grow(g->v, g->n, sizeof *g->v, e);

    if (!p)
        return -1;
    g->v = p;
    memcpy(g->v[g->n++].o, txid.p, sizeof g->v->o);
    return 0;
}

/* Known here, without a BPP, and not among those that the card has left. */
static int gone_find(struct tx *tx, const struct card_keys *c, struct gone *g,
                     struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, tx->db, "SELECT k.txid FROM (SELECT txid FROM live_key"
               " WHERE eid = ?1 UNION SELECT txid FROM card_key WHERE eid = ?1"
               " ) k WHERE NOT EXISTS (SELECT 1 FROM key_gone g WHERE g.txid ="
               "  k.txid) AND NOT EXISTS (SELECT 1 FROM live_bpp b WHERE"
               "  b.txid = k.txid)", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(c->eid.o));
    while ((row = q_step(&q, e)) > 0)
        if (!told(c, q_get_octets(&q, 0)) &&
            gone_add(g, q_get_octets(&q, 0), e) != 0)
            return -1;
    return row;
}

static int gone_note(struct tx *tx, const struct gone *g, struct err *e)
{
    for (size_t i = 0; i < g->n; i++)
        if (change(tx, "INSERT INTO key_gone(txid, event) VALUES(?, "
                   NEXT_EVENT ")", SPAN_ARRAY(g->v[i].o), e) < 0)
            return -1;
    return 0;
}

/* 1: kept; 0: known already. */
static int cert_note(struct tx *tx, const struct card_keys *c, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int64_t chain;

    if (c->cert.n == 0)
        return 0;
    if (chain_put(tx, c->eum_chain, &chain, e) != 0 ||
        q_open(&q, tx->db, "INSERT INTO card_euicc(eid, cert, chain, event)"
               " VALUES(?, ?, ?, " NEXT_EVENT ") ON CONFLICT DO NOTHING",
               e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(c->eid.o));
    q_octets(&q, c->cert);
    q_int(&q, chain);
    if (q_run(&q, e) != 0)
        return -1;
    return sqlite3_changes(tx->db->sql);
}

static int note_event(struct tx *tx, const struct act *a,
                      const struct card_keys *c, int64_t fresh, size_t gone,
                      bool cert, struct err *e)
{
    struct fields f = { .n = 0 };
    char eid[EID_DIGITS + 1], n[NUMBER_TEXT], g[NUMBER_TEXT], l[NUMBER_TEXT];
    struct place p;

    if (place_of(tx->db, a, &p, e) != 0)
        return -1;
    place_fields(&f, &p, a);
    fields_add(&f, "eid", eid_format(&c->eid, eid));
    fields_add(&f, "new", number_text(fresh, n));
    fields_add(&f, "gone", number_text((int64_t)gone, g));
    fields_add(&f, "left", number_text((int64_t)c->n, l));
    if (cert)
        fields_add(&f, "certificate", "yes");
    return event_write(tx, "card-keys", a->actor, &f, NULL, e);
}

int keys_note(struct tx *tx, const struct act *a, const struct card_keys *c,
              struct err *e)
{
    struct gone g = { NULL, 0 };
    int64_t fresh = 0;
    int cert = cert_note(tx, c, e), bad = cert < 0;

    for (size_t i = 0; i < c->n && !bad; i++) {
        int added = key_note(tx, &c->eid, &c->v[i], e);
        bad = added < 0;
        fresh += added;
    }
    bad = bad || gone_find(tx, c, &g, e) != 0 || gone_note(tx, &g, e) != 0;
    if (!bad && (fresh || g.n || cert))
        bad = note_event(tx, a, c, fresh, g.n, cert != 0, e) != 0;
    free(g.v);
    return bad ? -1 : 0;
}

/* --- which keys can be asked for ------------------------------------------------------ */

/* A key that both the EUM and the card told of is one key. */
#define KEYS \
    "WITH k AS (" \
    " SELECT k.txid, k.otpk, coalesce(k.sign, c.sign) AS sign, k.meant_for," \
    "  0 AS later, k.one_time_key AS n FROM live_key k" \
    "  LEFT JOIN card_key c USING(txid) WHERE k.eid = ?1" \
    " UNION ALL" \
    " SELECT c.txid, c.otpk, c.sign, '', 1, c.card_key FROM card_key c" \
    "  WHERE c.eid = ?1 AND NOT EXISTS" \
    "   (SELECT 1 FROM live_key l WHERE l.txid = c.txid))" \
    " SELECT k.txid, k.otpk, k.sign, k.meant_for, " OFFERED_TO "," \
    "  (SELECT b.state FROM live_bpp b WHERE b.txid = k.txid)," \
    "  EXISTS (SELECT 1 FROM key_gone g WHERE g.txid = k.txid) OR" \
    "  EXISTS (SELECT 1 FROM position p" \
    "   WHERE p.eid = ?1 AND (p.closed OR p.keys_left = 0))" \
    " FROM k ORDER BY k.later, k.n"

static enum key_use use_of(struct q *q, const char *smdp, struct key_row *k)
{
    const char *meant = q_get_text(q, 3), *offered = q_get_text(q, 4);

    k->whose[0] = '\0';
    if (!q_is_null(q, 5)) {
        switch ((enum bpp_state)q_get_int(q, 5)) {
        case BPP_IN_STOCK:
        case BPP_RESERVED:
        case BPP_LOADING:
            return KEY_BOUND;
        default:
            return KEY_SPENT;
        }
    }
    if (q_get_int(q, 6))
        return KEY_SPENT;
    if (*offered) {
        q_get_string(q, 4, k->whose, sizeof k->whose);
        return KEY_OFFERED;
    }
    if (*meant && strcmp(meant, smdp) != 0) {
        q_get_string(q, 3, k->whose, sizeof k->whose);
        return KEY_MEANT;
    }
    return q_is_null(q, 2) ? KEY_UNSIGNED : KEY_FREE;
}

int keys_of_euicc(struct db *db, const struct eid *eid, const char *smdp,
                  key_fn *fn, void *ctx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct key_row k;
    int row;

    if (q_open(&q, db, KEYS, e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    while ((row = q_step(&q, e)) > 0) {
        q_get_fixed(&q, 0, k.txid.o, sizeof k.txid.o);
        q_get_fixed(&q, 1, k.otpk, sizeof k.otpk);
        q_get_fixed(&q, 2, k.sign, sizeof k.sign);
        k.use = use_of(&q, smdp, &k);
        if (fn(ctx, &k, e) != 0)
            return -1;
    }
    return row;
}

int keys_euiccs(struct db *db, eid_fn *fn, void *ctx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct eid eid;
    int row, end = 0;

    if (q_open(&q, db, "SELECT eid FROM live_euicc UNION SELECT eid FROM"
               " card_key ORDER BY eid", e) != 0)
        return -1;
    while (end == 0 && (row = q_step(&q, e)) > 0) {
        q_get_fixed(&q, 0, eid.o, sizeof eid.o);
        end = fn(ctx, &eid, e);
    }
    return end < 0 || row < 0 ? -1 : 0;
}
