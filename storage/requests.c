/* Requests to SM-DPfs: which keys were offered to whom, and in what octets. */
#include "storage/inner.h"
#include "storage/keys.h"

int request_next(struct db *db, const char *smdp, uint64_t *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT coalesce(max(sequence), 0) + 1 FROM request"
               " WHERE smdp = ?", e) != 0)
        return -1;
    q_text(&q, smdp);
    if (q_step(&q, e) <= 0)
        return -1;
    *out = (uint64_t)q_get_int(&q, 0);
    return 0;
}

static int head_fits(struct db *db, const struct request_head *h, struct err *e)
{
    uint64_t next;

    if (request_next(db, h->smdp, &next, e) != 0)
        return -1;
    return h->sequence == next ? 0
         : err_set(e, ERR_CONFLICT, "someone else asked SM-DPf %s meanwhile; "
                   "ask again", h->smdp);
}

static int request_event(struct tx *tx, const struct export_info *x,
                         const struct request_head *h, size_t keys,
                         const char *actor, uint64_t *event, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    char sequence[NUMBER_TEXT], n[NUMBER_TEXT], sum[2 * EVENT_HASH + 1];

    fields_add(&f, "export", x->id);
    fields_add(&f, "sequence", number_text((int64_t)h->sequence, sequence));
    fields_add(&f, "smdp", h->smdp);
    fields_add(&f, "keys", number_text((int64_t)keys, n));
    if (h->msp[0])
        fields_add(&f, "msp", h->msp);
    if (h->profile[0])
        fields_add(&f, "profile", h->profile);
    fields_add(&f, "manifest-sha256", hex_encode(SPAN_ARRAY(x->manifest_sha256),
                                                 sum, sizeof sum));
    if (event_write(tx, "bpp-request-exported", actor, &f, &head, e) != 0)
        return -1;
    *event = head.number;
    return 0;
}

/* *row: its export's, which is its own. */
static int request_store(struct tx *tx, const struct export_info *x,
                         const struct request_head *h, size_t keys,
                         uint64_t event, int64_t *row, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (export_put(tx, x, event, e) != 0)
        return -1;
    *row = sqlite3_last_insert_rowid(tx->db->sql);
    if (q_open(&q, tx->db, "INSERT INTO request(request, smdp, sequence, msp,"
               " profile, keys) VALUES(?, ?, ?, ?, ?, ?)", e) != 0)
        return -1;
    q_int(&q, *row);
    q_text(&q, h->smdp);
    q_int(&q, (int64_t)h->sequence);
    q_text(&q, h->msp);
    q_text(&q, h->profile);
    q_int(&q, (int64_t)keys);
    return q_run(&q, e);
}

struct wanted {
    const struct txid *txid;
    bool found;
    enum key_use use;
};

static int find_use(void *ctx, const struct key_row *k, struct err *e)
{
    struct wanted *w = ctx;

    (void)e;
    if (txid_eq(&k->txid, w->txid)) {
        w->found = true;
        w->use = k->use;
    }
    return 0;
}

/* Free when it was chosen, and free now. */
static int key_free(struct tx *tx, const struct key_info *k, const char *smdp,
                    struct err *e)
{
    struct wanted w = { .txid = &k->txid };
    const char *owner = k->offered_to[0] ? k->offered_to : k->meant_for;
    char hex[TXID_HEX + 1];

    if (*owner && (k->offered_to[0] || strcmp(owner, smdp) != 0))
        return err_set(e, ERR_CONFLICT, "key %s %s SM-DPf %s and cannot be "
                       "offered to %s", txid_format(&k->txid, hex),
                       k->offered_to[0] ? "was offered to" : "is meant for",
                       owner, smdp);
    if (keys_of_euicc(tx->db, &k->eid, smdp, find_use, &w, e) != 0)
        return -1;
    return w.found && w.use == KEY_FREE ? 0
         : err_set(e, ERR_CONFLICT, "key %s was used meanwhile; ask again",
                   txid_format(&k->txid, hex));
}

static int key_offer(struct tx *tx, int64_t request, size_t n,
                     const struct export_info *x, const struct request_head *h,
                     const struct request_key *v, const char *actor,
                     struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fields f = { .n = 0 };
    struct key_info k;
    char hex[TXID_HEX + 1], eid[EID_DIGITS + 1];

    if (key_by_txid(tx->db, &v->txid, &k, e) != 0 ||
        key_free(tx, &k, h->smdp, e) != 0 ||
        q_open(&q, tx->db, "INSERT INTO offered_key(request, n, txid, record)"
               " VALUES(?, ?, ?, ?)", e) != 0)
        return -1;
    q_int(&q, request);
    q_int(&q, (int64_t)n);
    q_octets(&q, SPAN_ARRAY(v->txid.o));
    q_octets(&q, v->record);
    fields_add(&f, "txid", txid_format(&v->txid, hex));
    fields_add(&f, "eid", eid_format(&k.eid, eid));
    fields_add(&f, "smdp", h->smdp);
    fields_add(&f, "request", x->id);
    return q_run(&q, e) != 0 ||
           event_write(tx, "key-offered", actor, &f, NULL, e) != 0 ? -1 : 0;
}

int request_add(struct tx *tx, struct export_info *x,
                const struct request_head *h, const struct request_key *v,
                size_t n, const char *actor, struct err *e)
{
    uint64_t event, last;
    int64_t row;

    x->kind = EXPORT_BPP_REQUEST;
    event_hash(buf_span(&x->manifest), x->manifest_sha256);
    if (head_fits(tx->db, h, e) != 0 ||
        export_state(tx->db, x->kind, &x->sequence, &last, e) != 0)
        return -1;
    x->sequence++;
    if (request_event(tx, x, h, n, actor, &event, e) != 0 ||
        request_store(tx, x, h, n, event, &row, e) != 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        if (key_offer(tx, row, i, x, h, &v[i], actor, e) != 0)
            return -1;
    return 0;
}

int request_walk(struct db *db, const char *export_id, request_fn *fn,
                 void *ctx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT k.record FROM export x JOIN offered_key k ON"
               " k.request = x.export WHERE x.id = ? ORDER BY k.n", e) != 0)
        return -1;
    q_text(&q, export_id);
    while ((row = q_step(&q, e)) > 0)
        if (fn(ctx, q_get_octets(&q, 0), e) != 0)
            return -1;
    return row;
}

int requests_walk(struct db *db, request_info_fn *fn, void *ctx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT x.id, r.smdp, r.sequence, r.msp, r.profile,"
               " x.created_at, r.keys, (SELECT count(*) FROM offered_key k JOIN"
               "  live_bpp b USING(txid) WHERE k.request = r.request)"
               " FROM request r JOIN export x ON x.export = r.request"
               " ORDER BY r.request", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        struct request_info r = {
            .head.sequence = (uint64_t)q_get_int(&q, 2),
            .created_at = q_get_int(&q, 5),
            .keys = (uint64_t)q_get_int(&q, 6),
            .answered = (uint64_t)q_get_int(&q, 7),
        };
        q_get_string(&q, 0, r.id, sizeof r.id);
        q_get_string(&q, 1, r.head.smdp, sizeof r.head.smdp);
        q_get_string(&q, 3, r.head.msp, sizeof r.head.msp);
        q_get_string(&q, 4, r.head.profile, sizeof r.head.profile);
        if (fn(ctx, &r, e) != 0)
            return -1;
    }
    return row;
}
