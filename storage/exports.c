#include "storage/exports.h"

#include "storage/inner.h"

#include <stdlib.h>

/* --- exports made -------------------------------------------------------------------- */

void export_clear(struct export_info *x)
{
    buf_clear(&x->manifest);
    *x = (struct export_info){ .sequence = 0 };
}

#define EXPORT_COLUMNS "id, kind, sequence, first_event, last_event," \
    " head_before, head_after, manifest_sha256, created_at, directory, manifest"

static int export_read(struct q *q, struct export_info *out, const char *what,
                       struct err *e)
{
    int row = q_step(q, e);

    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "%s", what);
    struct export_info x = { .kind = (enum export_kind)q_get_int(q, 1) };
    q_get_string(q, 0, x.id, sizeof x.id);
    x.sequence = (uint64_t)q_get_int(q, 2);
    x.first_event = (uint64_t)q_get_int(q, 3);
    x.last_event = (uint64_t)q_get_int(q, 4);
    q_get_fixed(q, 5, x.head_before, sizeof x.head_before);
    q_get_fixed(q, 6, x.head_after, sizeof x.head_after);
    q_get_fixed(q, 7, x.manifest_sha256, sizeof x.manifest_sha256);
    x.created_at = q_get_int(q, 8);
    q_get_string(q, 9, x.directory, sizeof x.directory);
    buf_put_span(&x.manifest, q_get_octets(q, 10));
    if (!buf_ok(&x.manifest)) {
        export_clear(&x);
        return err_set(e, ERR_NOMEM, "no memory for a manifest");
    }
    export_clear(out);
    *out = x;
    return 0;
}

int export_last(struct db *db, enum export_kind k, struct export_info *out,
                struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT " EXPORT_COLUMNS " FROM export WHERE kind = ?"
               " ORDER BY sequence DESC LIMIT 1", e) != 0)
        return -1;
    q_int(&q, k);
    return export_read(&q, out, "nothing of this kind was exported yet", e);
}

int export_by_number(struct db *db, enum export_kind k, uint64_t sequence,
                     struct export_info *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT " EXPORT_COLUMNS " FROM export WHERE kind = ?"
               " AND sequence = ?", e) != 0)
        return -1;
    q_int(&q, k);
    q_int(&q, (int64_t)sequence);
    return export_read(&q, out, "nothing of this number was exported yet", e);
}

int export_by_id(struct db *db, const char *id, struct export_info *out,
                 struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT " EXPORT_COLUMNS " FROM export WHERE id = ?",
               e) != 0)
        return -1;
    q_text(&q, id);
    return export_read(&q, out, "this station made no export of that id", e);
}

int export_state(struct db *db, enum export_kind k, uint64_t *sequence,
                 uint64_t *last_event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT coalesce(max(sequence), 0),"
               " coalesce(max(last_event), 0) FROM export WHERE kind = ?",
               e) != 0)
        return -1;
    q_int(&q, k);
    if (q_step(&q, e) <= 0)
        return -1;
    *sequence = (uint64_t)q_get_int(&q, 0);
    *last_event = (uint64_t)q_get_int(&q, 1);
    return 0;
}

static int head_is(struct db *db, uint64_t number, const uint8_t *want,
                   struct err *e)
{
    struct event_head h;

    if (event_head_at(db, number, &h, e) != 0)
        return -1;
    return memcmp(h.hash, want, EVENT_HASH) == 0 ? 0
         : err_set(e, ERR_CONFLICT, "the export's chain head is not the "
                   "ledger's at event %llu", (unsigned long long)number);
}

static int export_follows(struct db *db, const struct export_info *x,
                          struct err *e)
{
    uint64_t sequence, last;

    if (export_state(db, x->kind, &sequence, &last, e) != 0)
        return -1;
    bool none = x->first_event == 0 && x->last_event == 0;
    if (x->sequence != sequence + 1 ||
        (!none && (x->first_event != last + 1 ||
                   x->last_event < x->first_event)))
        return err_set(e, ERR_CONFLICT, "someone else exported meanwhile "
                       "(number %llu, to event %llu); export again",
                       (unsigned long long)sequence, (unsigned long long)last);
    return head_is(db, last, x->head_before, e) != 0 ||
           head_is(db, none ? last : x->last_event, x->head_after, e) != 0
         ? -1 : 0;
}

static const char *const export_events[] = {
    [EXPORT_LOADING_REPORT] = "loading-report-exported",
    [EXPORT_AUDIT_LOG] = "audit-log-exported",
    [EXPORT_SHIFT_RECORD] = "shift-record-exported",
};

static int export_event(struct tx *tx, const struct export_info *x,
                        const char *actor, uint64_t *event, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    char sequence[NUMBER_TEXT], first[NUMBER_TEXT], last[NUMBER_TEXT];
    char sum[2 * EVENT_HASH + 1];

    fields_add(&f, "export", x->id);
    fields_add(&f, "sequence", number_text((int64_t)x->sequence, sequence));
    fields_add(&f, "first-event", number_text((int64_t)x->first_event, first));
    fields_add(&f, "last-event", number_text((int64_t)x->last_event, last));
    fields_add(&f, "manifest-sha256", hex_encode(SPAN_ARRAY(x->manifest_sha256),
                                                 sum, sizeof sum));
    if (event_write(tx, export_events[x->kind], actor, &f, &head, e) != 0)
        return -1;
    *event = head.number;
    return 0;
}

int export_put(struct tx *tx, const struct export_info *x, uint64_t event,
               struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO export(" EXPORT_COLUMNS ", event)"
               " VALUES(?,?,?,?,?, ?,?,?,?,?, ?,?)", e) != 0)
        return -1;
    q_text(&q, x->id);
    q_int(&q, x->kind);
    q_int(&q, (int64_t)x->sequence);
    q_int(&q, (int64_t)x->first_event);
    q_int(&q, (int64_t)x->last_event);
    q_octets(&q, SPAN_ARRAY(x->head_before));
    q_octets(&q, SPAN_ARRAY(x->head_after));
    q_octets(&q, SPAN_ARRAY(x->manifest_sha256));
    q_int(&q, x->created_at);
    q_text(&q, x->directory);
    q_octets(&q, buf_span(&x->manifest));
    q_int(&q, (int64_t)event);
    return q_run(&q, e);
}

/* Whom a loading-report concerns. The records are those of on_evidence in
 * station/report/records.c: of notifications, deletions only. A failure names
 * its BPP by the transactionId alone; all others lead there the short way,
 * since the line waits for this. */
static int export_parties(struct tx *tx, const struct export_info *x,
                          struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO report_party(export, smdp_oid, records)"
               " SELECT x.export, c.smdp_oid, count(*) FROM export x"
               " CROSS JOIN evidence e ON e.event BETWEEN x.first_event AND"
               "  x.last_event"
               " CROSS JOIN bpp b ON b.bpp = coalesce(e.bpp,"
               "  (SELECT t.bpp FROM bpp t WHERE t.txid = e.txid))"
               " CROSS JOIN container c ON c.container = b.container AND"
               "  c.state = 1"
               " WHERE x.id = ? AND (e.kind <> 3 OR e.op & 16) GROUP BY 1, 2",
               e) != 0)
        return -1;
    q_text(&q, x->id);
    return q_run(&q, e);
}

/* A closed shift's number and events, and no record of it yet. */
static int export_of_shift(struct db *db, const struct export_info *x,
                           struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT first_event, last_event, EXISTS(SELECT 1 FROM"
               " export WHERE kind = 4 AND sequence = shift) FROM shift"
               " WHERE shift = ? AND last_event IS NOT NULL", e) != 0)
        return -1;
    q_int(&q, (int64_t)x->sequence);
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row || (uint64_t)q_get_int(&q, 0) != x->first_event ||
        (uint64_t)q_get_int(&q, 1) != x->last_event || q_get_int(&q, 2))
        return err_set(e, ERR_CONFLICT, "shift %llu has a record already, or "
                       "other events; ask for it again",
                       (unsigned long long)x->sequence);
    return head_is(db, x->first_event - 1, x->head_before, e) != 0 ||
           head_is(db, x->last_event, x->head_after, e) != 0 ? -1 : 0;
}

int export_add(struct tx *tx, struct export_info *x, const char *actor,
               struct err *e)
{
    uint64_t event;

    if (x->kind != EXPORT_LOADING_REPORT && x->kind != EXPORT_AUDIT_LOG &&
        x->kind != EXPORT_SHIFT_RECORD)
        return err_set(e, ERR_INTERNAL, "no such kind of export");
    event_hash(buf_span(&x->manifest), x->manifest_sha256);
    return (x->kind == EXPORT_SHIFT_RECORD ? export_of_shift(tx->db, x, e)
                                           : export_follows(tx->db, x, e)) != 0 ||
           export_event(tx, x, actor, &event, e) != 0 ||
           export_put(tx, x, event, e) != 0 ||
           (x->kind == EXPORT_LOADING_REPORT && export_parties(tx, x, e) != 0)
         ? -1 : 0;
}

/* --- what is pending -------------------------------------------------------------------- */

static int pending_evidence(struct db *db, struct unexported *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    uint64_t *const of[] = {
        [EVIDENCE_RESULT] = &out->results,
        [EVIDENCE_FAILURE] = &out->failures,
        [EVIDENCE_NOTIFICATION] = &out->deletions,
        [EVIDENCE_RECEIPT] = &out->receipts,
        [EVIDENCE_QUARANTINE] = &out->quarantined,
        [EVIDENCE_VOID] = &out->voided,
    };
    int row;

    /* Notifications other than deletions count in the sum only. */
    if (q_open(&q, db, "SELECT kind, sum(n), sum(shown) FROM unreported"
               " GROUP BY kind", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        *of[q_get_int(&q, 0)] = (uint64_t)q_get_int(&q, 2);
        out->evidence += (uint64_t)q_get_int(&q, 1);
    }
    return row;
}

static int pending(struct db *db, void *ctx, struct err *e)
{
    struct unexported *out = ctx;
    struct event_head head;
    uint64_t sequence, logged;

    if (export_state(db, EXPORT_AUDIT_LOG, &sequence, &logged, e) != 0 ||
        event_head(db, &head, e) != 0 ||
        pending_evidence(db, out, e) != 0)
        return -1;
    out->events = head.number - logged;
    return 0;
}

int export_pending(struct db *db, struct unexported *out, struct err *e)
{
    *out = (struct unexported){ .events = 0 };
    return db_snapshot(db, pending, out, e);
}

/* Evidence counted again against the counters (schema.c). */
#define AGAIN \
    "SELECT coalesce(b.container, 0), e.kind, count(*)," \
    " sum(e.kind <> 3 OR e.op & 16 <> 0) FROM evidence e" \
    " LEFT JOIN bpp b ON b.bpp = e.bpp WHERE e.event >" \
    " (SELECT coalesce(max(last_event), 0) FROM export WHERE kind = 1) GROUP BY 1, 2"

int export_cross_check(struct db *db, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT (SELECT count(*) FROM (" AGAIN
               " EXCEPT SELECT container, kind, n, shown FROM unreported)) +"
               " (SELECT count(*) FROM (SELECT container, kind, n, shown"
               "  FROM unreported EXCEPT " AGAIN "))", e) != 0 ||
        q_step(&q, e) <= 0)
        return -1;
    return q_get_int(&q, 0) == 0 ? 0
         : err_set(e, ERR_CONFLICT, "the count of what is not reported differs "
                   "from the evidence; keep the ledger as it is, and export it "
                   "all the same: a report is made from the evidence");
}

/* --- walking the evidence ------------------------------------------------------------------ */

/* A receipt or notification names no BPP; any of the same eUICC brings its
 * certificate. The lowest one: always the same, so that a report made again
 * is the same. It must have been there by then, hence import_event. */
#define WALK \
    "SELECT e.event, v.at, e.kind, e.state, e.op, e.function, e.eid, e.txid," \
    " e.iccid, e.octets, r.record, c.der, k.id, e.serial, e.position_name," \
    " e.fixture, e.started_at, e.finished_at, e.code, e.detail, e.imei" \
    " FROM evidence e JOIN event v ON v.number = e.event" \
    " LEFT JOIN bpp b ON b.bpp = coalesce(e.bpp, CASE WHEN e.eid IS NOT NULL" \
    "  THEN (SELECT min(l.bpp) FROM live_bpp l WHERE l.eid = e.eid" \
    "   AND l.import_event < e.event) END)" \
    " LEFT JOIN bpp_record r ON r.bpp = b.bpp" \
    " LEFT JOIN container k ON k.container = b.container" \
    " LEFT JOIN container_chain x ON x.container = b.container AND x.role = 0" \
    "  AND x.n = b.eum_chain" \
    " LEFT JOIN chain c ON c.chain = x.chain" \
    " WHERE e.event BETWEEN ? AND ? ORDER BY e.event"

static void item_read(struct q *q, struct evidence_item *i)
{
    *i = (struct evidence_item){
        .event = (uint64_t)q_get_int(q, 0),
        .at = q_get_int(q, 1),
        .kind = (enum evidence_kind)q_get_int(q, 2),
        .state = (enum bpp_state)q_get_int(q, 3),
        .op = (uint8_t)q_get_int(q, 4),
        .function = (uint8_t)q_get_int(q, 5),
        .has_eid = !q_is_null(q, 6),
        .has_txid = !q_is_null(q, 7),
        .has_iccid = !q_is_null(q, 8),
        .octets = q_get_octets(q, 9),
        .record = q_get_octets(q, 10),
        .eum_chain = q_get_octets(q, 11),
        .bundle = q_get_text(q, 12),
        .serial = q_get_text(q, 13),
        .position = q_get_text(q, 14),
        .fixture = q_get_text(q, 15),
        .started_at = q_get_int(q, 16),
        .finished_at = q_get_int(q, 17),
        .code = q_get_text(q, 18),
        .detail = q_get_text(q, 19),
        .imei = q_get_text(q, 20),
    };
    q_get_fixed(q, 6, i->eid.o, sizeof i->eid.o);
    q_get_fixed(q, 7, i->txid.o, sizeof i->txid.o);
    q_get_fixed(q, 8, i->iccid.o, sizeof i->iccid.o);
}

int evidence_walk(struct db *db, uint64_t first, uint64_t last,
                  evidence_fn *fn, void *ctx, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct evidence_item item;
    int row;

    if (q_open(&q, db, WALK, e) != 0)
        return -1;
    q_int(&q, (int64_t)first);
    q_int(&q, last ? (int64_t)last : INT64_MAX);
    while ((row = q_step(&q, e)) > 0) {
        item_read(&q, &item);
        if (fn(ctx, &item, e) != 0)
            return -1;
    }
    return row;
}
