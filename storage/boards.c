#include "storage/boards.h"

#include "storage/health.h"
#include "storage/imei.h"
#include "storage/inner.h"
#include "storage/quarantine.h"

int board_retired(struct db *db, const struct eid *eid, struct retired_board *out,
                  struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT u.serial, p.name, r.event FROM retired_board r"
               " JOIN position p USING(position) JOIN unit u USING(unit)"
               " WHERE r.eid = ?1 AND NOT EXISTS(SELECT 1 FROM position"
               " WHERE eid = ?1) ORDER BY r.event DESC LIMIT 1", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    int row = q_step(&q, e);
    if (row > 0) {
        q_get_string(&q, 0, out->serial, sizeof out->serial);
        q_get_string(&q, 1, out->position, sizeof out->position);
        out->event = (uint64_t)q_get_int(&q, 2);
    }
    return row;
}

/* --- replacing ------------------------------------------------------------------ */

static int new_one_is_free(struct tx *tx, const struct board_change *c,
                           const struct position *p, struct err *e)
{
    struct position other;
    struct err none = ERR_INIT;
    char a[EID_DIGITS + 1], b[EID_DIGITS + 1];
    bool golden;

    if (eid_eq(&p->eid, &c->new_eid))
        return err_set(e, ERR_CONFLICT, "unit %s, position %s, is known with "
                       "EID %s already", p->serial, p->name,
                       eid_format(&p->eid, a));
    if (golden_known(tx->db, &c->new_eid, &golden, e) != 0)
        return -1;
    if (golden)
        return err_set(e, ERR_CONFLICT, "EID %s is that of a golden unit, which "
                       "is no product; take another board",
                       eid_format(&c->new_eid, a));
    if (position_by_eid(tx->db, &c->new_eid, &other, &none) != 0)
        return none.code == ERR_NOT_FOUND ? 0 : (*e = none, -1);
    return err_set(e, ERR_CONFLICT, "EID %s is in unit %s, position %s, and "
                   "cannot take the place of EID %s in unit %s, position %s",
                   eid_format(&c->new_eid, a), other.serial, other.name,
                   eid_format(&p->eid, b), p->serial, p->name);
}

/* A visit that is going on would file its evidence under the new eUICC. */
static int in_no_fixture(const struct position *p, const struct board_change *c,
                         struct err *e)
{
    if (p->state != POSITION_OPEN || c->line_stands)
        return 0;
    return err_set(e, ERR_WRONG_STATE, "unit %s, position %s, is open and may "
                   "stand in a fixture; stop the line first, or scan it to its "
                   "verdict", p->serial, p->name);
}

static int say(struct tx *tx, const struct act *a, const struct board_change *c,
               const struct position *p, struct event_head *head, struct err *e)
{
    struct fields f = { .n = 0 };
    char was[EID_DIGITS + 1], is[EID_DIGITS + 1];

    fields_add(&f, "serial", p->serial);
    fields_add(&f, "position", p->name);
    fields_add(&f, "eid", eid_format(&p->eid, was));
    fields_add(&f, "new-eid", eid_format(&c->new_eid, is));
    if (p->imei[0])
        fields_add(&f, "imei", p->imei);
    act_fields(&f, a);
    fields_add(&f, "reason", c->reason);
    return event_write(tx, "board-replaced", a->actor, &f, head, e);
}

static int retire(struct tx *tx, const struct position *p, uint64_t event,
                  struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO retired_board(event, position, eid)"
               " VALUES(?, ?, ?)", e) != 0)
        return -1;
    q_int(&q, (int64_t)event);
    q_int(&q, p->id);
    q_octets(&q, SPAN_ARRAY(p->eid.o));
    return q_run(&q, e);
}

static int put_new(struct tx *tx, const struct position *p, const struct eid *eid,
                   uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE position SET eid = ?, kind = 0, closed = 0,"
               " keys_left = -1, last_code = '', event = ?, imei = NULL WHERE position = ?",
               e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    q_int(&q, (int64_t)event);
    q_int(&q, p->id);
    return q_run(&q, e);
}

int board_replace(struct tx *tx, const struct act *a, const struct board_change *c,
                  struct position *was, struct err *e)
{
    const struct position_why why = { .reason = c->reason };
    struct act here = *a;
    struct event_head head;

    if (position_named(tx->db, c->serial, c->position, was, e) != 0 || in_no_fixture(was, c, e) != 0 ||
        new_one_is_free(tx, c, was, e) != 0)
        return -1;
    here.position = was->id;
    if (position_move_why(tx, &here, POSITION_OPEN, POSITION_CAUSE_REPLACED, &why,
                          e) != 0 ||
        position_trouble_over(tx, was->id, e) != 0 ||
        say(tx, &here, c, was, &head, e) != 0 ||
        retire(tx, was, head.number, e) != 0)
        return -1;
    if (put_new(tx, was, &c->new_eid, head.number, e) != 0)
        return -1;
    return c->new_imei ? imei_note(tx, &here, c->new_imei, e) : 0;
}
