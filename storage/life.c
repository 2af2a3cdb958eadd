#include "storage/boards.h"
#include "storage/life_inner.h"

#include <stdlib.h>

/* --- who --------------------------------------------------------------------- */

void life_subjects_clear(struct life_subjects *l)
{
    free(l->v);
    *l = (struct life_subjects){ NULL, 0 };
}

static bool same_subject(const struct life_subject *a,
                         const struct life_subject *b)
{
    return strcmp(a->serial, b->serial) == 0 && a->has_eid == b->has_eid &&
           (!a->has_eid || eid_eq(&a->eid, &b->eid));
}

static int subject_add(struct life_subjects *l, const struct life_subject *s,
                       struct err *e)
{
    for (size_t i = 0; i < l->n; i++)
        if (same_subject(&l->v[i], s))
            return 0;
    void *v = list_grow(l->v, l->n, sizeof *l->v, e);
    if (!v)
        return -1;
    l->v = v;
    l->v[l->n++] = *s;
    return 0;
}

static int find_serial(struct db *db, const char *serial,
                       struct life_subjects *l, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct life_subject s = { .has_eid = false };

    if (q_open(&q, db, "SELECT serial FROM unit WHERE serial = ?", e) != 0)
        return -1;
    q_text(&q, serial);
    int row = q_step(&q, e);
    if (row <= 0)
        return row;
    q_get_string(&q, 0, s.serial, sizeof s.serial);
    return subject_add(l, &s, e);
}

/* Something was delivered for this eUICC, or it told of a key. 1, 0, -1. */
static int eid_heard_of(struct db *db, const struct eid *eid, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT EXISTS (SELECT 1 FROM live_bpp WHERE eid = ?1)"
               " OR EXISTS (SELECT 1 FROM live_euicc WHERE eid = ?1)"
               " OR EXISTS (SELECT 1 FROM card_key WHERE eid = ?1)", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    return q_step(&q, e) <= 0 ? -1 : q_get_int(&q, 0) != 0;
}

static int find_eid(struct db *db, const struct eid *eid,
                    struct life_subjects *l, struct err *e)
{
    struct life_subject s = { .has_eid = false };
    struct err none = ERR_INIT;
    struct retired_board was;
    struct position p;

    if (position_by_eid(db, eid, &p, &none) == 0) {
        memcpy(s.serial, p.serial, sizeof s.serial);
        return subject_add(l, &s, e);
    }
    if (none.code != ERR_NOT_FOUND) {
        *e = none;
        return -1;
    }
    int known = board_retired(db, eid, &was, e);
    if (known > 0) {
        memcpy(s.serial, was.serial, sizeof s.serial);
        return subject_add(l, &s, e);
    }
    if (known == 0)
        known = eid_heard_of(db, eid, e);
    if (known <= 0)
        return known;
    s.has_eid = true;
    s.eid = *eid;
    return subject_add(l, &s, e);
}

/* Each EID that q, which selects EIDs, comes to. */
static int find_each(struct q *q, struct life_subjects *l, struct err *e)
{
    struct eid eid;
    int row;

    while ((row = q_step(q, e)) > 0) {
        q_get_fixed(q, 0, eid.o, sizeof eid.o);
        if (find_eid(q->db, &eid, l, e) != 0)
            return -1;
    }
    return row;
}

static int find_iccid(struct db *db, const struct iccid *iccid,
                      struct life_subjects *l, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT eid FROM live_bpp WHERE iccid = ?"
               " ORDER BY bpp", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(iccid->o));
    return find_each(&q, l, e);
}

static int find_txid(struct db *db, const struct txid *txid,
                     struct life_subjects *l, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    /* A one-time key may be heard of before, or without, its BPP. */
    if (q_open(&q, db, "SELECT eid FROM live_bpp WHERE txid = ?1 UNION ALL"
               " SELECT eid FROM live_key WHERE txid = ?1 UNION ALL"
               " SELECT eid FROM card_key WHERE txid = ?1", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(txid->o));
    return find_each(&q, l, e);
}

static int find_imei(struct db *db, const char *imei, struct life_subjects *l,
                     struct err *e)
{
    struct err none = ERR_INIT;
    struct position p;

    if (position_by_imei(db, imei, &p, &none) == 0)
        return find_serial(db, p.serial, l, e);
    if (none.code == ERR_NOT_FOUND)
        return 0;
    *e = none;
    return -1;
}

int life_find(struct db *db, const struct life_key *k, struct life_subjects *l,
              struct err *e)
{
    switch (k->by) {
    case LIFE_SERIAL:
        return find_serial(db, k->serial, l, e);
    case LIFE_EID:
        return find_eid(db, &k->eid, l, e);
    case LIFE_ICCID:
        return find_iccid(db, &k->iccid, l, e);
    case LIFE_TXID:
        return find_txid(db, &k->txid, l, e);
    case LIFE_IMEI:
        return find_imei(db, k->imei, l, e);
    }
    return err_set(e, ERR_INTERNAL, "no such key to a unit");
}

/* --- eUICCs and their BPPs ------------------------------------------------------ */

void life_clear(struct life *l)
{
    for (size_t i = 0; i < l->euicc_count; i++)
        free(l->euiccs[i].bpps);
    for (size_t i = 0; i < l->event_count; i++)
        buf_clear(&l->events[i].der);
    free(l->euiccs);
    free(l->evidence);
    free(l->events);
    *l = (struct life){ .euiccs = NULL };
}

static int euicc_add(struct life *l, const struct position *p, bool registered,
                     struct err *e)
{
    void *v = list_grow(l->euiccs, l->euicc_count, sizeof *l->euiccs, e);

    if (!v)
        return -1;
    l->euiccs = v;
    l->euiccs[l->euicc_count++] =
        (struct life_euicc){ .registered = registered, .position = *p };
    return 0;
}

/* Boards that were taken out of this unit and are in none now, by the events
 * that tell it. */
static int read_retired(struct db *db, const char *serial, struct life *l,
                        struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct position bare = { .keys_left = -1 };
    int row;

    if (q_open(&q, db, "SELECT r.eid FROM event_word w CROSS JOIN retired_board r"
               " ON r.event = w.event WHERE w.word = ? AND NOT EXISTS"
               " (SELECT 1 FROM position p WHERE p.eid = r.eid)"
               " GROUP BY r.eid ORDER BY min(r.event)", e) != 0)
        return -1;
    q_text(&q, serial);
    while ((row = q_step(&q, e)) > 0) {
        q_get_fixed(&q, 0, bare.eid.o, sizeof bare.eid.o);
        if (euicc_add(l, &bare, false, e) != 0)
            return -1;
    }
    return row;
}

static int read_euiccs(struct db *db, const struct life_subject *s,
                       struct life *l, struct err *e)
{
    AUTO(position_list_clear) struct position_list all = { NULL, 0 };
    struct position bare = { .keys_left = -1, .eid = s->eid };

    if (s->serial[0] && unit_by_serial(db, s->serial, &all, e) != 0)
        return -1;
    for (size_t i = 0; i < all.n; i++)
        if (euicc_add(l, &all.v[i], true, e) != 0)
            return -1;
    l->registered = all.n > 0;
    if (l->registered && read_retired(db, s->serial, l, e) != 0)
        return -1;
    return s->has_eid ? euicc_add(l, &bare, false, e) : 0;
}

static int read_bpps(struct db *db, struct life_euicc *u, struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list all = { NULL, 0 };

    if (stock_of_eid(db, &u->position.eid, &all, e) != 0)
        return -1;
    u->bpps = calloc(all.n ? all.n : 1, sizeof *u->bpps);
    if (!u->bpps)
        return err_set(e, ERR_NOMEM, "no memory for a unit's BPPs");
    for (size_t i = 0; i < all.n; i++)
        u->bpps[u->bpp_count++].b = all.v[i];
    return 0;
}

/* --- evidence ------------------------------------------------------------------- */

const char *evidence_kind_name(enum evidence_kind k)
{
    static const char *const names[] = {
        [EVIDENCE_RESULT] = "result",
        [EVIDENCE_FAILURE] = "failure",
        [EVIDENCE_NOTIFICATION] = "notification",
        [EVIDENCE_RECEIPT] = "receipt",
        [EVIDENCE_QUARANTINE] = "quarantine",
        [EVIDENCE_VOID] = "void",
    };
    size_t n = sizeof names / sizeof *names;

    return (size_t)k < n && names[k] ? names[k] : "unknown";
}

const char *life_evidence_what(const struct life_evidence *v)
{
    switch (v->kind) {
    case EVIDENCE_RESULT:
        return v->state == BPP_INSTALLED ? "result: installed"
                                         : "result: not installed";
    case EVIDENCE_RECEIPT:
        return v->function == 0x73 ? "receipt: closed"
                                   : "receipt: keys deleted";
    case EVIDENCE_NOTIFICATION:
        return v->op & 0x10 ? "notification: deleted"
             : v->op & 0x20 ? "notification: disabled"
             : v->op & 0x40 ? "notification: enabled"
             : v->op & 0x80 ? "notification: installed"
                            : "notification";
    default:
        return evidence_kind_name(v->kind);
    }
}

#define EVIDENCE_SELECT "SELECT event, finished_at, kind, state, op, function," \
    " bpp, position, eid, txid, iccid, length(octets), fixture, code, detail" \
    " FROM evidence WHERE "

static void evidence_read(struct q *q, struct life_evidence *v)
{
    *v = (struct life_evidence){
        .event = (uint64_t)q_get_int(q, 0),
        .at = q_get_int(q, 1),
        .kind = (enum evidence_kind)q_get_int(q, 2),
        .state = (enum bpp_state)q_get_int(q, 3),
        .op = (uint8_t)q_get_int(q, 4),
        .function = (uint8_t)q_get_int(q, 5),
        .bpp = q_get_int(q, 6),
        .position = q_get_int(q, 7),
        .has_eid = !q_is_null(q, 8),
        .has_txid = !q_is_null(q, 9),
        .has_iccid = !q_is_null(q, 10),
        .size = (size_t)q_get_int(q, 11),
    };
    q_get_fixed(q, 8, v->eid.o, sizeof v->eid.o);
    q_get_fixed(q, 9, v->txid.o, sizeof v->txid.o);
    q_get_fixed(q, 10, v->iccid.o, sizeof v->iccid.o);
    q_get_string(q, 12, v->fixture, sizeof v->fixture);
    q_get_string(q, 13, v->code, sizeof v->code);
    q_get_string(q, 14, v->detail, sizeof v->detail);
}

/* All rows of q. */
static int evidence_take(struct q *q, struct life *l, struct err *e)
{
    int row;

    while ((row = q_step(q, e)) > 0) {
        void *p = list_grow(l->evidence, l->evidence_count, sizeof *l->evidence, e);
        if (!p)
            return -1;
        l->evidence = p;
        evidence_read(q, &l->evidence[l->evidence_count++]);
    }
    return row;
}

static int evidence_of_number(struct db *db, const char *sql, int64_t n,
                              struct life *l, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, sql, e) != 0)
        return -1;
    q_int(&q, n);
    return evidence_take(&q, l, e);
}

static int evidence_of_eid(struct db *db, const struct eid *eid, struct life *l,
                           struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, EVIDENCE_SELECT "kind = 3 AND eid = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    return evidence_take(&q, l, e);
}

/* What indexes lead to. A failure names no BPP: it comes with its event. */
static int read_evidence(struct db *db, const struct life_euicc *u,
                         struct life *l, struct err *e)
{
    for (size_t i = 0; i < u->bpp_count; i++)
        if (evidence_of_number(db, EVIDENCE_SELECT "bpp = ?", u->bpps[i].b.id,
                               l, e) != 0)
            return -1;
    if (u->registered &&
        evidence_of_number(db, EVIDENCE_SELECT "kind = 4 AND position = ?",
                           u->position.id, l, e) != 0)
        return -1;
    return evidence_of_eid(db, &u->position.eid, l, e);
}

static int in_report(struct db *db, struct life_evidence *v, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    /* Reports follow each other without a gap: the first that reaches it. */
    if (q_open(&q, db, "SELECT sequence, id FROM export WHERE kind = 1 AND"
               " last_event >= ? ORDER BY sequence LIMIT 1", e) != 0)
        return -1;
    q_int(&q, (int64_t)v->event);
    int row = q_step(&q, e);
    if (row > 0) {
        v->report_sequence = (uint64_t)q_get_int(&q, 0);
        q_get_string(&q, 1, v->report, sizeof v->report);
    }
    return row < 0 ? -1 : 0;
}

/* The row of that report for the SM-DPf of its BPP; a failure names that by its
 * transactionId. Of notifications, deletions alone are in a report. */
static int acknowledged(struct db *db, struct life_evidence *v, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (!v->report_sequence || (v->kind == EVIDENCE_NOTIFICATION && !(v->op & 0x10)))
        return 0;
    if (q_open(&q, db, "SELECT p.smdp_oid, p.container IS NOT NULL, " REPORT_EXPECTED ","
               " c.id, n.at FROM bpp b JOIN container k ON k.container = b.container"
               " CROSS JOIN export x JOIN report_party p ON p.export = x.export AND"
               "  p.smdp_oid = k.smdp_oid"
               " LEFT JOIN container c ON c.container = p.container"
               " LEFT JOIN event n ON n.number = c.event"
               " WHERE b.bpp = coalesce(?, (SELECT t.bpp FROM bpp t WHERE t.txid = ?))"
               " AND x.kind = 1 AND x.sequence = ?", e) != 0)
        return -1;
    q_int_or_null(&q, v->bpp);
    q_octets_or_null(&q, v->has_txid ? SPAN_ARRAY(v->txid.o) : SPAN(NULL, 0));
    q_int(&q, (int64_t)v->report_sequence);
    int row = q_step(&q, e);
    if (row > 0) {
        q_get_string(&q, 0, v->smdp, sizeof v->smdp);
        v->acknowledged = q_get_int(&q, 1) != 0;
        v->expected = q_get_int(&q, 2) != 0;
        q_get_string(&q, 3, v->receipt, sizeof v->receipt);
        v->acknowledged_at = q_get_int(&q, 4);
    }
    return row < 0 ? -1 : 0;
}

static int by_event(const void *a, const void *b)
{
    const struct life_evidence *x = a, *y = b;

    return (x->event > y->event) - (x->event < y->event);
}

static void bpp_times(struct life *l, struct life_bpp *b)
{
    for (size_t i = 0; i < l->evidence_count; i++) {
        const struct life_evidence *v = &l->evidence[i];
        if (v->bpp != b->b.id)
            continue;
        if (v->kind == EVIDENCE_RESULT && v->state == BPP_INSTALLED)
            b->installed_at = v->at;
        if (v->kind == EVIDENCE_NOTIFICATION && b->b.deleted)
            b->deleted_at = v->at;
    }
}

/* Its BPP, its event and others lead to the same evidence. */
static void drop_doubles(struct life *l)
{
    size_t n = 0;

    for (size_t i = 0; i < l->evidence_count; i++)
        if (n == 0 || l->evidence[n - 1].event != l->evidence[i].event)
            l->evidence[n++] = l->evidence[i];
    l->evidence_count = n;
}

static int finish_evidence(struct db *db, struct life *l, struct err *e)
{
    if (l->evidence_count)
        qsort(l->evidence, l->evidence_count, sizeof *l->evidence, by_event);
    drop_doubles(l);
    for (size_t i = 0; i < l->evidence_count; i++)
        if (in_report(db, &l->evidence[i], e) != 0 ||
            acknowledged(db, &l->evidence[i], e) != 0)
            return -1;
    for (size_t i = 0; i < l->euicc_count; i++)
        for (size_t k = 0; k < l->euiccs[i].bpp_count; k++)
            bpp_times(l, &l->euiccs[i].bpps[k]);
    return 0;
}

/* --- all of it ---------------------------------------------------------------------- */

/* Failures, and whatever else an event found has left as proof. */
static int evidence_of_events(struct db *db, struct life *l, struct err *e)
{
    for (size_t i = 0; i < l->event_count; i++)
        if (evidence_of_number(db, EVIDENCE_SELECT "event = ?",
                               (int64_t)l->events[i].number, l, e) != 0)
            return -1;
    return 0;
}

static int read_life(struct db *db, const struct life_subject *s,
                     struct life *l, struct err *e)
{
    memcpy(l->serial, s->serial, sizeof l->serial);
    if (read_euiccs(db, s, l, e) != 0)
        return -1;
    for (size_t i = 0; i < l->euicc_count; i++)
        if (read_bpps(db, &l->euiccs[i], e) != 0 ||
            read_evidence(db, &l->euiccs[i], l, e) != 0)
            return -1;
    return life_events(db, l, e) != 0 || evidence_of_events(db, l, e) != 0 ||
           finish_evidence(db, l, e) != 0 ? -1 : 0;
}

static bool nothing(const struct life *l)
{
    for (size_t i = 0; i < l->euicc_count; i++)
        if (l->euiccs[i].registered || l->euiccs[i].bpp_count)
            return false;
    return l->event_count == 0 && l->evidence_count == 0;
}

int life_read(struct db *db, const struct life_subject *s, struct life *out,
              struct err *e)
{
    struct life l = { .euiccs = NULL };

    if (read_life(db, s, &l, e) != 0) {
        life_clear(&l);
        return -1;
    }
    if (nothing(&l)) {
        life_clear(&l);
        return err_set(e, ERR_NOT_FOUND, "the ledger knows nothing of it");
    }
    life_clear(out);
    *out = l;
    return 0;
}

const char *life_failure_words(const struct life *l, const struct life_euicc *u)
{
    if (!u->position.last_code[0])
        return NULL;
    for (size_t i = l->evidence_count; i > 0; i--) {
        const struct life_evidence *v = &l->evidence[i - 1];
        if (v->kind == EVIDENCE_FAILURE && v->position == u->position.id &&
            strcmp(v->code, u->position.last_code) == 0)
            return v->detail[0] ? v->detail : NULL;
    }
    return NULL;
}
