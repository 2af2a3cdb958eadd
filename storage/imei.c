#include "storage/imei.h"

#include "storage/inner.h"

int imei_read(const char *text, char out[IMEI_DIGITS + 1], struct err *e)
{
    if (!imei_digits(text, out))
        return err_set(e, ERR_USAGE, "this is no IMEI: 15 digits, as they are "
                       "printed; scan or type it again");
    if (!imei_valid(SPAN(out, IMEI_DIGITS)))
        return err_set(e, ERR_USAGE, "IMEI %s has a wrong check digit; scan or type "
                       "it again", out);
    return 0;
}

int position_named(struct db *db, const char *serial, const char *name,
                   struct position *out, struct err *e)
{
    AUTO(position_list_clear) struct position_list l = { NULL, 0 };

    if (unit_by_serial(db, serial, &l, e) != 0)
        return -1;
    for (size_t i = 0; i < l.n; i++)
        if (strcmp(l.v[i].name, name) == 0) {
            *out = l.v[i];
            return 0;
        }
    return l.n ? err_set(e, ERR_NOT_FOUND, "unit %s has no position %.32s; it "
                         "has %s", serial, name, l.v[0].name)
               : err_set(e, ERR_NOT_FOUND, "no unit %.64s is known here; its "
                         "first scan makes it known", serial);
}

/* --- may it? -------------------------------------------------------------------- */

/* No other position has it. */
static int is_free(struct db *db, const struct position *p, const char *imei,
                   struct err *e)
{
    struct position other;
    struct err none = ERR_INIT;
    char digits[EID_DIGITS + 1];

    if (position_by_imei(db, imei, &other, &none) != 0) {
        if (none.code == ERR_NOT_FOUND)
            return 0;
        *e = none;
        return -1;
    }
    if (other.id == p->id)
        return 0;
    if (p->id == 0)
        return err_set(e, ERR_CONFLICT, "IMEI %s is that of unit %s, position %s "
                       "(EID %s)", imei, other.serial, other.name,
                       eid_format(&other.eid, digits));
    return err_set(e, ERR_CONFLICT, "IMEI %s is that of unit %s, position %s, and "
                   "was given for unit %s, position %s", imei, other.serial,
                   other.name, p->serial, p->name);
}

int imei_judge(struct db *db, const struct position *p, const char *imei,
               struct err *e)
{
    if (is_free(db, p, imei, e) != 0)
        return -1;
    if (p->id == 0 || !p->imei[0] || strcmp(p->imei, imei) == 0)
        return 0;
    return err_set(e, ERR_CONFLICT, "unit %s, position %s, is known with IMEI %s, "
                   "and was given IMEI %s; if that is so, two people record it: "
                   "lineside imei", p->serial, p->name, p->imei, imei);
}

/* --- writing --------------------------------------------------------------------- */

static int store(struct tx *tx, int64_t position, const char *imei, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE position SET imei = ? WHERE position = ?", e) != 0)
        return -1;
    q_text(&q, imei);
    q_int(&q, position);
    return q_run(&q, e);
}

static void about(struct fields *f, const struct position *p, const struct act *a,
                  char eid[EID_DIGITS + 1])
{
    fields_add(f, "serial", p->serial);
    fields_add(f, "position", p->name);
    fields_add(f, "eid", eid_format(&p->eid, eid));
    act_fields(f, a);
}

int imei_note(struct tx *tx, const struct act *a, const char *imei, struct err *e)
{
    struct fields f = { .n = 0 };
    char eid[EID_DIGITS + 1];
    struct event_head head;
    struct position p;

    if (position_get(tx->db, a->position, &p, e) != 0 ||
        imei_judge(tx->db, &p, imei, e) != 0)
        return -1;
    if (p.imei[0])
        return 0;
    about(&f, &p, a, eid);
    fields_add(&f, "imei", imei);
    return event_write(tx, "imei-noted", a->actor, &f, &head, e) != 0
         ? -1 : store(tx, p.id, imei, e);
}

int imei_change(struct tx *tx, const struct act *a, const struct imei_change *c,
                struct position *was, struct err *e)
{
    struct fields f = { .n = 0 };
    char eid[EID_DIGITS + 1];
    struct event_head head;

    if (position_named(tx->db, c->serial, c->position, was, e) != 0)
        return -1;
    if (!was->imei[0] || strcmp(was->imei, c->imei) == 0)
        return err_set(e, ERR_WRONG_STATE, "unit %s, position %s, is known with %s%s; "
                       "there is nothing to change", was->serial, was->name,
                       *was->imei ? "IMEI " : "no IMEI", was->imei);
    if (is_free(tx->db, was, c->imei, e) != 0)
        return -1;
    about(&f, was, a, eid);
    fields_add(&f, "imei", was->imei);
    fields_add(&f, "new-imei", c->imei);
    fields_add(&f, "reason", c->reason);
    return event_write(tx, "imei-changed", a->actor, &f, &head, e) != 0
         ? -1 : store(tx, was->id, c->imei, e);
}
