#include "storage/receipts.h"

#include "storage/containers.h"

#include <stdlib.h>

/* --- a receipt ---------------------------------------------------------------------- */

struct party {
    int64_t export;
    uint64_t sequence, records;
    uint8_t sha256[32];
    bool concerned, acknowledged;
};

static int party_find(struct db *db, const struct report_receipt *r,
                      struct party *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT x.export, x.sequence, x.manifest_sha256,"
               " p.records, p.container FROM export x LEFT JOIN report_party p"
               " ON p.export = x.export AND p.smdp_oid = ?"
               " WHERE x.id = ? AND x.kind = 1", e) != 0)
        return -1;
    q_text(&q, r->seen.issuer);
    q_text(&q, r->report);
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "it is for loading-report %s, number "
                       "%llu, which this station never made; ask SM-DPf %s whose "
                       "report it has", r->report, (unsigned long long)r->sequence,
                       r->seen.issuer);
    out->export = q_get_int(&q, 0);
    out->sequence = (uint64_t)q_get_int(&q, 1);
    q_get_fixed(&q, 2, out->sha256, sizeof out->sha256);
    out->concerned = !q_is_null(&q, 3);
    out->records = (uint64_t)q_get_int(&q, 3);
    out->acknowledged = !q_is_null(&q, 4);
    return 0;
}

static int party_check(const struct report_receipt *r, const struct party *p,
                       struct err *e)
{
    const char *who = r->seen.issuer;
    unsigned long long n = p->sequence;

    if (memcmp(p->sha256, r->report_sha256, sizeof p->sha256) != 0 ||
        p->sequence != r->sequence)
        return err_set(e, ERR_CONFLICT, "SM-DPf %s received another file than "
                       "loading-report %llu of this station, under its id; find "
                       "out who made it, and write the report once more: "
                       "`lineside export --again %s --to STICK`", who, n, r->report);
    if (!p->concerned)
        return err_set(e, ERR_CONFLICT, "loading-report %llu says nothing of any "
                       "BPP of SM-DPf %s, which has nothing to acknowledge", n, who);
    if (p->acknowledged)
        return err_set(e, ERR_REPLAY, "SM-DPf %s has acknowledged loading-report "
                       "%llu already; nothing was changed", who, n);
    if (r->records != p->records)
        return err_set(e, ERR_CONFLICT, "SM-DPf %s counts %llu records about its "
                       "BPPs in loading-report %llu, which has %llu; ask it for "
                       "another receipt", who, (unsigned long long)r->records, n,
                       (unsigned long long)p->records);
    return 0;
}

static int acknowledge_event(struct tx *tx, const struct report_receipt *r,
                             int64_t container, const char *actor,
                             struct report_acknowledged *out, struct err *e)
{
    char sequence[NUMBER_TEXT], records[NUMBER_TEXT], accepted[NUMBER_TEXT];
    struct fields f = { .n = 0 };
    struct event_head head;

    fields_add(&f, "container", r->seen.id);
    fields_add(&f, "export", r->report);
    fields_add(&f, "report", number_text((int64_t)r->sequence, sequence));
    fields_add(&f, "smdp", r->seen.issuer);
    fields_add(&f, "records", number_text((int64_t)r->records, records));
    fields_add(&f, "accepted", number_text((int64_t)r->accepted, accepted));
    if (container_event(tx, container, "report-acknowledged", actor, &f,
                        &out->missing, &head, e) != 0)
        return -1;
    out->event = head.number;
    return 0;
}

static int party_store(struct tx *tx, const struct report_receipt *r,
                       const struct party *p, int64_t container, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE report_party SET container = ?, accepted = ?"
               " WHERE export = ? AND smdp_oid = ?", e) != 0)
        return -1;
    q_int(&q, container);
    q_int(&q, (int64_t)r->accepted);
    q_int(&q, p->export);
    q_text(&q, r->seen.issuer);
    return q_run(&q, e);
}

static int count_waiting(struct db *db, int64_t export, uint64_t *out,
                         struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT count(*) FROM report_party p WHERE export = ?"
               " AND container IS NULL AND " REPORT_EXPECTED, e) != 0)
        return -1;
    q_int(&q, export);
    if (q_step(&q, e) <= 0)
        return -1;
    *out = (uint64_t)q_get_int(&q, 0);
    return 0;
}

int report_acknowledge(struct tx *tx, const struct report_receipt *r,
                       const char *actor, struct report_acknowledged *out,
                       struct err *e)
{
    struct event_head head;
    struct party p;
    int64_t container;

    if (r->seen.kind != SEEN_REPORT_RECEIPT || r->accepted > r->records)
        return err_set(e, ERR_INTERNAL, "no report-receipt");
    if (container_check(&r->seen, e) != 0 ||
        container_fresh(tx->db, r->seen.id, e) != 0 ||
        party_find(tx->db, r, &p, e) != 0 || party_check(r, &p, e) != 0 ||
        event_head(tx->db, &head, e) != 0)
        return -1;
    /* The row first, for the clock's floor; its event right after. */
    return container_put(tx, &r->seen, CONTAINER_LIVE, NULL, head.number + 1,
                         &container, e) != 0 ||
           acknowledge_event(tx, r, container, actor, out, e) != 0 ||
           party_store(tx, r, &p, container, e) != 0 ||
           count_waiting(tx->db, p.export, &out->waiting, e) != 0 ? -1 : 0;
}

/* --- who has, and who has not --------------------------------------------------------- */

void report_rows_clear(struct report_rows *l)
{
    free(l->v);
    *l = (struct report_rows){ NULL, 0 };
}

static void row_read(struct q *q, void *item)
{
    struct report_row *r = item;

    *r = (struct report_row){
        .sequence = (uint64_t)q_get_int(q, 1),
        .first_event = (uint64_t)q_get_int(q, 2),
        .last_event = (uint64_t)q_get_int(q, 3), .created_at = q_get_int(q, 4),
        .records = (uint64_t)q_get_int(q, 6), .acknowledged = !q_is_null(q, 7),
        .accepted = (uint64_t)q_get_int(q, 8), .acknowledged_at = q_get_int(q, 10),
        .expected = q_get_int(q, 11) != 0,
    };
    q_get_string(q, 0, r->id, sizeof r->id);
    q_get_string(q, 5, r->smdp_oid, sizeof r->smdp_oid);
    q_get_string(q, 9, r->receipt, sizeof r->receipt);
}

/* From the few that are open to their reports, from the newest back. */
#define ROWS_OF(which) \
    "SELECT x.id, x.sequence, x.first_event, x.last_event, x.created_at," \
    " p.smdp_oid, p.records, p.container, p.accepted, c.id, v.at, " REPORT_EXPECTED \
    " FROM (SELECT * FROM export WHERE kind = 1 AND sequence < ?" which \
    "  ORDER BY sequence DESC LIMIT ?) x" \
    " LEFT JOIN report_party p ON p.export = x.export" \
    " LEFT JOIN container c ON c.container = p.container" \
    " LEFT JOIN event v ON v.number = c.event ORDER BY x.sequence, p.smdp_oid"

int report_rows(struct db *db, bool open, uint64_t before, unsigned limit,
                struct report_rows *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct rows all;

    if (q_open(&q, db, open ? ROWS_OF(" AND export IN (SELECT export FROM"
                                      " report_party p WHERE container IS NULL AND "
                                      REPORT_EXPECTED ")")
                            : ROWS_OF(""), e) != 0)
        return -1;
    q_int(&q, before && before < INT64_MAX ? (int64_t)before : INT64_MAX);
    q_int(&q, limit ? (int64_t)limit : -1);
    if (rows_read(&q, sizeof *out->v, row_read, &all, e) != 0)
        return -1;
    report_rows_clear(out);
    *out = (struct report_rows){ all.v, all.n };
    return 0;
}

static int open_count(struct db *db, struct reports_open *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    /* One row a report: whether somebody is waited for. */
    if (q_open(&q, db, "SELECT coalesce(sum(w), 0), min(created_at) FILTER (WHERE w),"
               " coalesce(sum(NOT w), 0) FROM (SELECT max(" REPORT_EXPECTED ") AS w,"
               " x.created_at FROM report_party p CROSS JOIN export x"
               " ON x.export = p.export WHERE p.container IS NULL"
               " GROUP BY p.export)", e) != 0 ||
        q_step(&q, e) <= 0)
        return -1;
    *out = (struct reports_open){ .reports = (uint64_t)q_get_int(&q, 0),
                                  .since = q_get_int(&q, 1),
                                  .never = (uint64_t)q_get_int(&q, 2) };
    return 0;
}

int reports_open(struct db *db, struct reports_open *out, struct err *e)
{
    struct ledger_clock clock;

    if (ledger_clock(db, &clock, e) != 0 || open_count(db, out, e) != 0)
        return -1;
    if (out->reports && clock.now > out->since)
        out->age_s = clock.now - out->since;
    return 0;
}
