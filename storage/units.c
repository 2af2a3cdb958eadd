#include "storage/units.h"

#include "storage/boards.h"
#include "storage/inner.h"
#include "storage/order_rows.h"
#include "storage/quarantine.h"

#include <stdlib.h>

static const char *const kind_names[EUICC_KINDS] = {
    [EUICC_UNKNOWN] = "unknown",
    [EUICC_CONSUMER] = "consumer",
    [EUICC_IOT] = "iot",
};

const char *euicc_kind_name(enum euicc_kind k)
{
    return (unsigned)k < EUICC_KINDS ? kind_names[k] : "unknown";
}

/* --- reading ----------------------------------------------------------------------- */

#define POSITION_SELECT "SELECT p.position, u.serial, p.name, p.eid, p.state," \
    " p.kind, p.closed, p.keys_left, p.last_code, p.event, p.imei FROM position p" \
    " JOIN unit u USING(unit) "

static void position_read(struct q *q, void *item)
{
    struct position *p = item;

    p->id = q_get_int(q, 0);
    q_get_string(q, 1, p->serial, sizeof p->serial);
    q_get_string(q, 2, p->name, sizeof p->name);
    q_get_fixed(q, 3, p->eid.o, sizeof p->eid.o);
    p->state = (enum position_state)q_get_int(q, 4);
    p->kind = (enum euicc_kind)q_get_int(q, 5);
    p->closed = q_get_int(q, 6) != 0;
    p->keys_left = q_get_int(q, 7);
    q_get_string(q, 8, p->last_code, sizeof p->last_code);
    p->event = (uint64_t)q_get_int(q, 9);
    q_get_string(q, 10, p->imei, sizeof p->imei);
}

void position_list_clear(struct position_list *l)
{
    free(l->v);
    *l = (struct position_list){ NULL, 0 };
}

static int list_read(struct q *q, struct position_list *out, struct err *e)
{
    struct rows all;

    if (rows_read(q, sizeof *out->v, position_read, &all, e) != 0)
        return -1;
    position_list_clear(out);
    *out = (struct position_list){ all.v, all.n };
    return 0;
}

int unit_by_serial(struct db *db, const char *serial,
                   struct position_list *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, POSITION_SELECT "WHERE u.serial = ?"
               " ORDER BY p.position", e) != 0)
        return -1;
    q_text(&q, serial);
    return list_read(&q, out, e);
}

int positions_in_state(struct db *db, enum position_state s,
                       struct position_list *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, POSITION_SELECT "WHERE p.state = ?"
               " ORDER BY p.position", e) != 0)
        return -1;
    q_int(&q, s);
    return list_read(&q, out, e);
}

/* 1 found, 0 not, -1 error. */
static int eid_find(struct db *db, const struct eid *eid, struct position *out,
                    struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, POSITION_SELECT "WHERE p.eid = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    int row = q_step(&q, e);
    if (row > 0)
        position_read(&q, out);
    return row;
}

int position_by_eid(struct db *db, const struct eid *eid, struct position *out,
                    struct err *e)
{
    char digits[EID_DIGITS + 1];
    int row = eid_find(db, eid, out, e);

    if (row < 0)
        return -1;
    return row ? 0 : err_set(e, ERR_NOT_FOUND, "no unit with EID %s is known",
                             eid_format(eid, digits));
}

int position_by_imei(struct db *db, const char *imei, struct position *out,
                     struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, POSITION_SELECT "WHERE p.imei = ?", e) != 0)
        return -1;
    q_text(&q, imei);
    int row = q_step(&q, e);
    if (row > 0)
        position_read(&q, out);
    return row > 0 ? 0 : row < 0 ? -1
         : err_set(e, ERR_NOT_FOUND, "no unit is known with IMEI %s", imei);
}

int position_get(struct db *db, int64_t position, struct position *out,
                 struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, POSITION_SELECT "WHERE p.position = ?", e) != 0)
        return -1;
    q_int(&q, position);
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "the ledger has no position %lld",
                       (long long)position);
    position_read(&q, out);
    return 0;
}

int unit_passed(struct db *db, const char *serial, bool *passed, struct err *e)
{
    AUTO(position_list_clear) struct position_list l = { NULL, 0 };

    if (unit_by_serial(db, serial, &l, e) != 0)
        return -1;
    if (l.n == 0)
        return err_set(e, ERR_NOT_FOUND, "unit %s is not known", serial);
    *passed = true;
    for (size_t i = 0; i < l.n; i++)
        if (l.v[i].state != POSITION_PASSED)
            *passed = false;
    return 0;
}

/* --- registering -------------------------------------------------------------------- */

static int word_check(const char *s, size_t max, const char *what,
                      struct err *e)
{
    size_t n = strlen(s);

    if (n == 0 || n > max || !event_text_ok(SPAN(s, n)))
        return err_set(e, ERR_USAGE, "%s must be plain text of 1 to %zu "
                       "octets", what, max);
    return 0;
}

static int not_retired(struct db *db, const char *serial, const char *name,
                       const struct eid *eid, struct err *e)
{
    struct retired_board r;
    char digits[EID_DIGITS + 1];
    int row = board_retired(db, eid, &r, e);

    if (row <= 0)
        return row;
    return err_set(e, ERR_CONFLICT, "EID %s was taken out of unit %s, position "
                   "%s (event %llu), but was scanned as unit %s, position %s",
                   eid_format(eid, digits), r.serial, r.position,
                   (unsigned long long)r.event, serial, name);
}

/* 1: the position is known with this EID; 0: not known; -1: disagreement. */
static int known_already(struct db *db, const char *serial, const char *name,
                         const struct eid *eid, struct position *out,
                         struct err *e)
{
    AUTO(position_list_clear) struct position_list l = { NULL, 0 };
    char a[EID_DIGITS + 1], b[EID_DIGITS + 1];

    if (unit_by_serial(db, serial, &l, e) != 0)
        return -1;
    for (size_t i = 0; i < l.n; i++) {
        if (strcmp(l.v[i].name, name) != 0)
            continue;
        if (!eid_eq(&l.v[i].eid, eid))
            return err_set(e, ERR_CONFLICT, "unit %s, position %s, is known "
                           "with EID %s, but this card is %s", serial, name,
                           eid_format(&l.v[i].eid, a), eid_format(eid, b));
        *out = l.v[i];
        return 1;
    }
    struct position other;
    int row = eid_find(db, eid, &other, e);
    if (row == 0)
        return not_retired(db, serial, name, eid, e);
    if (row < 0)
        return row;
    return err_set(e, ERR_CONFLICT, "EID %s is known in unit %s, position %s, "
                   "but was scanned as unit %s, position %s",
                   eid_format(eid, a), other.serial, other.name, serial, name);
}

static int unit_row(struct tx *tx, const char *serial, uint64_t event,
                    int64_t *out, struct err *e)
{
    AUTO(q_close) struct q put = { 0 };
    AUTO(q_close) struct q get = { 0 };

    if (q_open(&put, tx->db, "INSERT INTO unit(serial, event) VALUES(?, ?)"
               " ON CONFLICT DO NOTHING", e) != 0)
        return -1;
    q_text(&put, serial);
    q_int(&put, (int64_t)event);
    if (q_run(&put, e) != 0 ||
        q_open(&get, tx->db, "SELECT unit FROM unit WHERE serial = ?", e) != 0)
        return -1;
    q_text(&get, serial);
    if (q_step(&get, e) <= 0)
        return -1;
    *out = q_get_int(&get, 0);
    return 0;
}

static int position_row(struct tx *tx, int64_t unit, const char *name,
                        const struct eid *eid, const struct act *a,
                        uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO position(unit, name, eid, fixture,"
               " event, moved) VALUES(?1, ?2, ?3, coalesce(?4, ''), ?5, ?5)",
               e) != 0)
        return -1;
    q_int(&q, unit);
    q_text(&q, name);
    q_octets(&q, SPAN_ARRAY(eid->o));
    q_text(&q, a->fixture);
    q_int(&q, (int64_t)event);
    return q_run(&q, e);
}

int unit_register(struct tx *tx, const char *serial, const char *name,
                  const struct eid *eid, const struct act *a,
                  struct position *out, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    char digits[EID_DIGITS + 1];
    int64_t unit;

    if (word_check(serial, UNIT_SERIAL_MAX, "a unit's serial", e) != 0 ||
        word_check(name, POSITION_NAME_MAX, "a position's name", e) != 0)
        return -1;
    int known = known_already(tx->db, serial, name, eid, out, e);
    if (known != 0)
        return known < 0 ? -1 : 0;
    fields_add(&f, "serial", serial);
    fields_add(&f, "position", name);
    fields_add(&f, "eid", eid_format(eid, digits));
    act_fields(&f, a);
    if (event_write(tx, "unit-registered", a->actor, &f, &head, e) != 0 ||
        unit_row(tx, serial, head.number, &unit, e) != 0 ||
        position_row(tx, unit, name, eid, a, head.number, e) != 0)
        return -1;
    return position_by_eid(tx->db, eid, out, e);
}

/* --- changes -------------------------------------------------------------------------- */

static int state_store(struct tx *tx, const struct act *a,
                       enum position_state to, const char *code,
                       uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE position SET state = ?1, last_code = ?2,"
               " event = ?3, moved = ?3, fixture = coalesce(?4, fixture)"
               " WHERE position = ?5", e) != 0)
        return -1;
    q_int(&q, to);
    q_text(&q, code);
    q_int(&q, (int64_t)event);
    q_text(&q, a->fixture && a->fixture[0] ? a->fixture : NULL);
    q_int(&q, a->position);
    return q_run(&q, e);
}

/* What position events have in common. */
static void position_fields(struct fields *f, const struct position *p,
                            const struct act *a, char eid[EID_DIGITS + 1])
{
    fields_add(f, "serial", p->serial);
    fields_add(f, "position", p->name);
    fields_add(f, "eid", eid_format(&p->eid, eid));
    act_fields(f, a);
}

static int position_move_check(const struct position *p,
                               enum position_state to,
                               enum position_cause cause, struct err *e)
{
    if (position_transition(p->state, to, cause))
        return 0;
    return err_set(e, ERR_WRONG_STATE, "unit %s, position %s, is %s and cannot "
                   "become %s by %s", p->serial, p->name,
                   position_state_name(p->state), position_state_name(to),
                   position_cause_name(cause));
}

int position_move_why(struct tx *tx, const struct act *a, enum position_state to,
                      enum position_cause cause, const struct position_why *why,
                      struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct order_ref order;
    struct position p;
    char digits[EID_DIGITS + 1], plain[FAILURE_CODE_MAX + 1];

    text_plain(why->code ? why->code : "", plain, FAILURE_CODE_MAX);
    if (position_get(tx->db, a->position, &p, e) != 0 ||
        position_move_check(&p, to, cause, e) != 0)
        return -1;
    if (p.state == to && strcmp(p.last_code, plain) == 0 && !a->second)
        return 0;
    if (order_ref_of(tx->db, p.id, &order, e) != 0)
        return -1;
    position_fields(&f, &p, a, digits);
    if (order.order)
        fields_add(&f, "order", order.number);
    fields_add(&f, "from", position_state_name(p.state));
    fields_add(&f, "to", position_state_name(to));
    fields_add(&f, "cause", position_cause_name(cause));
    if (plain[0])
        fields_add(&f, "code", plain);
    if (why->reason && why->reason[0])
        fields_add(&f, "reason", why->reason);
    if (why->evidence && why->evidence[0])
        fields_add(&f, "evidence", why->evidence);
    if (event_write(tx, "position-moved", a->actor, &f, &head, e) != 0 ||
        state_store(tx, a, to, plain, head.number, e) != 0)
        return -1;
    return order.order ? order_follow(tx, &order, e) : 0;
}

int position_move(struct tx *tx, const struct act *a, enum position_state to,
                  enum position_cause cause, const char *code, struct err *e)
{
    const struct position_why why = { .code = code };

    if (position_move_why(tx, a, to, cause, &why, e) != 0)
        return -1;
    return to == POSITION_PASSED || to == POSITION_STOCKED
         ? position_trouble_over(tx, a->position, e) : 0;
}

static int card_store(struct tx *tx, const struct position *p, uint64_t event,
                      struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE position SET kind = ?, closed = ?,"
               " keys_left = ?, event = ? WHERE position = ?", e) != 0)
        return -1;
    q_int(&q, p->kind);
    q_int(&q, p->closed);
    q_int(&q, p->keys_left);
    q_int(&q, (int64_t)event);
    q_int(&q, p->id);
    return q_run(&q, e);
}

int position_set_card(struct tx *tx, const struct act *a, enum euicc_kind kind,
                      int64_t keys_left, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct position p;
    char digits[EID_DIGITS + 1], keys[NUMBER_TEXT];

    if ((unsigned)kind >= EUICC_KINDS)
        return err_set(e, ERR_INTERNAL, "no such kind of eUICC");
    if (position_get(tx->db, a->position, &p, e) != 0)
        return -1;
    if (keys_left < 0)
        keys_left = p.keys_left;
    if (p.kind == kind && p.keys_left == keys_left)
        return 0;
    p.kind = kind;
    p.keys_left = keys_left;
    position_fields(&f, &p, a, digits);
    fields_add(&f, "kind", kind_names[kind]);
    if (keys_left >= 0)
        fields_add(&f, "keys-left", number_text(keys_left, keys));
    return event_write(tx, "card-seen", a->actor, &f, &head, e) != 0 ||
           card_store(tx, &p, head.number, e) != 0 ? -1 : 0;
}

int positions_mark_unresolved(struct tx *tx, const char *actor, size_t *n,
                              struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };
    size_t marked = 0;

    if (stock_loading(tx->db, &l, e) != 0)
        return -1;
    for (size_t i = 0; i < l.n; i++) {
        const struct act a = { .actor = actor, .fixture = l.v[i].fixture,
                               .position = l.v[i].position };
        struct position p;
        if (a.position == 0)
            continue;
        if (position_get(tx->db, a.position, &p, e) != 0)
            return -1;
        /* Another eUICC's word is of no use: its board was taken out since. */
        if (!eid_eq(&p.eid, &l.v[i].eid) ||
            !position_transition(p.state, POSITION_UNRESOLVED,
                                 POSITION_CAUSE_LEFTOVER))
            continue;
        if (position_move(tx, &a, POSITION_UNRESOLVED, POSITION_CAUSE_LEFTOVER,
                          "unresolved", e) != 0)
            return -1;
        marked++;
    }
    if (n)
        *n = marked;
    return 0;
}

/* --- evidence --------------------------------------------------------------------------- */

static void sum_of(struct span octets, char out[2 * EVENT_HASH + 1])
{
    uint8_t hash[EVENT_HASH];

    event_hash(octets, hash);
    hex_encode(SPAN_ARRAY(hash), out, 2 * EVENT_HASH + 1);
}

static int receipt_follow(struct tx *tx, struct position *p,
                          const struct receipt_info *r, uint64_t event,
                          struct err *e)
{
    p->keys_left = (int64_t)r->left;
    if (r->function == 0x73)
        p->closed = true;
    return card_store(tx, p, event, e);
}

int receipt_add(struct tx *tx, const struct act *a,
                const struct receipt_info *r, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct position p;
    struct place place;
    char digits[EID_DIGITS + 1], sum[2 * EVENT_HASH + 1];
    char seq[NUMBER_TEXT], deleted[NUMBER_TEXT], left[NUMBER_TEXT];

    if (r->function != 0x72 && r->function != 0x73)
        return err_set(e, ERR_INTERNAL, "a receipt for function %02x",
                       r->function);
    if (r->seq > INT64_MAX || r->left > INT64_MAX || r->deleted > INT64_MAX)
        return err_set(e, ERR_LIMIT, "a receipt with figures beyond reason");
    if (position_get(tx->db, a->position, &p, e) != 0 ||
        place_of(tx->db, a, &place, e) != 0)
        return -1;
    position_fields(&f, &p, a, digits);
    fields_add(&f, "function", r->function == 0x72 ? "delete-keys" : "close");
    fields_add(&f, "seq", number_text((int64_t)r->seq, seq));
    fields_add(&f, "deleted", number_text((int64_t)r->deleted, deleted));
    fields_add(&f, "left", number_text((int64_t)r->left, left));
    sum_of(r->octets, sum);
    fields_add(&f, "receipt-sha256", sum);
    if (event_write(tx, "receipt", a->actor, &f, &head, e) != 0)
        return -1;
    const struct evidence_row row = {
        .event = head.number, .kind = EVIDENCE_RECEIPT, .act = a,
        .place = &place, .eid = &p.eid, .octets = r->octets,
        .function = r->function, .seq = (int64_t)r->seq,
        .finished_at = head.at,
    };
    return evidence_put(tx, &row, e) != 0 ||
           receipt_follow(tx, &p, r, head.number, e) != 0 ? -1 : 0;
}

int receipt_known(struct db *db, int64_t position, uint8_t function,
                  bool *known, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT 1 FROM evidence WHERE kind = 4 AND position = ?"
               " AND function = ? AND eid = (SELECT eid FROM position p"
               " WHERE p.position = evidence.position) LIMIT 1", e) != 0)
        return -1;
    q_int(&q, position);
    q_int(&q, function);
    int row = q_step(&q, e);
    *known = row > 0;
    return row < 0 ? -1 : 0;
}

static struct span iccid_span(const struct notification_info *n)
{
    return n->has_iccid ? SPAN_ARRAY(n->iccid.o) : SPAN(NULL, 0);
}

/* A card may sign the same notification anew each time it is asked, so the
 * octets may differ; what it says may not. 1 known, 0 not, -1. */
static int notification_known(struct db *db, const struct notification_info *n,
                              struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    char digits[EID_DIGITS + 1];

    if (q_open(&q, db, "SELECT op, iccid FROM evidence WHERE kind = 3"
               " AND eid = ? AND seq = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(n->eid.o));
    q_int(&q, (int64_t)n->seq);
    int row = q_step(&q, e);
    if (row <= 0)
        return row;
    if (q_get_int(&q, 0) == n->op &&
        span_eq(q_get_octets(&q, 1), iccid_span(n)))
        return 1;
    return err_set(e, ERR_CONFLICT, "eUICC %s: notification %llu is kept "
                   "already and said something else",
                   eid_format(&n->eid, digits), (unsigned long long)n->seq);
}

/* The installed profile that a delete notification is about: 0 if none. */
static int deleted_bpp(struct db *db, const struct notification_info *n,
                       int64_t *bpp, struct txid *txid, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *bpp = 0;
    if (!(n->op & 0x10) || !n->has_iccid)
        return 0;
    if (q_open(&q, db, "SELECT bpp, txid FROM live_bpp WHERE eid = ? AND iccid = ?"
               " AND state = 3 AND deleted = 0 ORDER BY bpp LIMIT 1", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(n->eid.o));
    q_octets(&q, SPAN_ARRAY(n->iccid.o));
    int row = q_step(&q, e);
    if (row > 0) {
        *bpp = q_get_int(&q, 0);
        q_get_fixed(&q, 1, txid->o, sizeof txid->o);
    }
    return row < 0 ? -1 : 0;
}

/* txid: of the BPP whose deletion it is, else NULL. */
static int notification_store(struct tx *tx, const struct act *a,
                              const struct notification_info *n, int64_t bpp,
                              const struct txid *txid, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct place place;
    char digits[EID_DIGITS + 1], iccid[ICCID_DIGITS + 1];
    char seq[NUMBER_TEXT], op[NUMBER_TEXT], sum[2 * EVENT_HASH + 1];
    char hex[TXID_HEX + 1];

    if (place_of(tx->db, a, &place, e) != 0)
        return -1;
    fields_add(&f, "eid", eid_format(&n->eid, digits));
    fields_add(&f, "seq", number_text((int64_t)n->seq, seq));
    fields_add(&f, "op", hex_encode(SPAN(&n->op, 1), op, sizeof op));
    if (n->has_iccid)
        fields_add(&f, "iccid", iccid_format(&n->iccid, iccid));
    if (txid)
        fields_add(&f, "txid", txid_format(txid, hex));
    place_fields(&f, &place, a);
    sum_of(n->octets, sum);
    fields_add(&f, "notification-sha256", sum);
    if (event_write(tx, "notification", a->actor, &f, &head, e) != 0)
        return -1;
    const struct evidence_row row = {
        .event = head.number, .kind = EVIDENCE_NOTIFICATION, .bpp = bpp,
        .act = a, .place = &place, .eid = &n->eid, .txid = txid,
        .iccid = n->has_iccid ? &n->iccid : NULL, .octets = n->octets,
        .op = n->op, .seq = (int64_t)n->seq, .finished_at = head.at,
    };
    return evidence_put(tx, &row, e);
}

int notification_add(struct tx *tx, const struct act *a,
                     const struct notification_info *n, bool *already,
                     struct err *e)
{
    struct txid txid;
    int64_t bpp;

    if (n->seq > INT64_MAX)
        return err_set(e, ERR_LIMIT, "a notification number beyond reason");
    int known = notification_known(tx->db, n, e);
    if (known < 0)
        return -1;
    if (already)
        *already = known == 1;
    if (known)
        return 0;
    if (deleted_bpp(tx->db, n, &bpp, &txid, e) != 0 ||
        notification_store(tx, a, n, bpp, bpp ? &txid : NULL, e) != 0)
        return -1;
    return bpp ? stock_deleted(tx, bpp, a, e) : 0;
}

/* --- failures ------------------------------------------------------------------------------ */

static void given_place(struct place *p, const struct failure_info *f)
{
    if (p->known)
        return;
    text_plain(f->serial ? f->serial : "", p->serial, UNIT_SERIAL_MAX);
    text_plain(f->position_name ? f->position_name : "", p->name,
               POSITION_NAME_MAX);
}

int failure_add(struct tx *tx, const struct act *a,
                const struct failure_info *i, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct place place;
    char code[FAILURE_CODE_MAX + 1], detail[FAILURE_DETAIL_MAX + 1];
    char digits[EID_DIGITS + 1], hex[TXID_HEX + 1];

    if (place_of(tx->db, a, &place, e) != 0)
        return -1;
    const struct eid *eid = i->eid ? i->eid : place.known ? &place.eid : NULL;
    given_place(&place, i);
    text_plain(i->code, code, FAILURE_CODE_MAX);
    text_plain(i->detail ? i->detail : "", detail, FAILURE_DETAIL_MAX);
    fields_add(&f, "code", code);
    if (detail[0])
        fields_add(&f, "detail", detail);
    if (eid)
        fields_add(&f, "eid", eid_format(eid, digits));
    if (i->txid)
        fields_add(&f, "txid", txid_format(i->txid, hex));
    place_fields(&f, &place, a);
    if (event_write(tx, "failure", a->actor, &f, &head, e) != 0)
        return -1;
    const struct evidence_row row = {
        .event = head.number, .kind = EVIDENCE_FAILURE, .act = a,
        .place = &place, .eid = eid, .txid = i->txid, .seq = -1,
        .started_at = i->started_at, .finished_at = head.at,
        .code = code, .detail = detail[0] ? detail : NULL,
    };
    return evidence_put(tx, &row, e);
}
