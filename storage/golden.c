/* Golden units: which eUICCs are, and what their self-tests say of fixtures. */
#include "storage/health.h"
#include "storage/inner.h"
#include "storage/units.h"

#include <stdio.h>
#include <stdlib.h>

int golden_known(struct db *db, const struct eid *eid, bool *known, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT 1 FROM golden_unit WHERE eid = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    int row = q_step(&q, e);
    *known = row > 0;
    return row < 0 ? -1 : 0;
}

void golden_list_clear(struct golden_list *l)
{
    free(l->v);
    *l = (struct golden_list){ NULL, 0 };
}

int golden_all(struct db *db, struct golden_list *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    golden_list_clear(out);
    if (q_open(&q, db, "SELECT eid FROM golden_unit ORDER BY eid", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        struct eid *v = list_grow(out->v, out->n, sizeof *v, e);
        if (!v) {
            row = -1;
            break;
        }
        out->v = v;
        q_get_fixed(&q, 0, v[out->n++].o, sizeof v->o);
    }
    if (row < 0)
        golden_list_clear(out);
    return row;
}

/* A unit that may be loaded must never be taken for one that may not. */
static int check_free(struct tx *tx, const struct eid *eid, struct err *e)
{
    char text[EID_DIGITS + 1];
    struct position p;
    struct err unknown = ERR_INIT;
    bool known;

    eid_format(eid, text);
    if (golden_known(tx->db, eid, &known, e) != 0)
        return -1;
    if (known)
        return err_set(e, ERR_CONFLICT, "EID %s is a golden unit already", text);
    if (position_by_eid(tx->db, eid, &p, &unknown) == 0)
        return err_set(e, ERR_CONFLICT, "EID %s is that of unit %s; take one that "
                       "is no product", text, p.serial);
    if (unknown.code == ERR_NOT_FOUND)
        return 0;
    *e = unknown;
    return -1;
}

int golden_mark(struct tx *tx, const struct eid *eid, const char *actor,
                struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fields f = { .n = 0 };
    char text[EID_DIGITS + 1];
    struct event_head head;

    fields_add(&f, "eid", eid_format(eid, text));
    if (check_free(tx, eid, e) != 0 ||
        event_write(tx, "golden-marked", actor, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "INSERT INTO golden_unit(eid, event) VALUES(?, ?)",
               e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    q_int(&q, (int64_t)head.number);
    return q_run(&q, e);
}

int golden_unmark(struct tx *tx, const struct eid *eid, const char *actor,
                  struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fields f = { .n = 0 };
    char text[EID_DIGITS + 1];
    struct event_head head;
    bool known;

    fields_add(&f, "eid", eid_format(eid, text));
    if (golden_known(tx->db, eid, &known, e) != 0)
        return -1;
    if (!known)
        return err_set(e, ERR_NOT_FOUND, "EID %s is no golden unit", text);
    if (event_write(tx, "golden-unmarked", actor, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "DELETE FROM golden_unit WHERE eid = ?", e) != 0)
        return -1;
    q_octets(&q, SPAN_ARRAY(eid->o));
    return q_run(&q, e);
}

/* --- self-tests -------------------------------------------------------------------- */

static int prove(struct tx *tx, const struct fixture_health *h,
                 const struct event_head *by, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (health_keep(tx, h, e) != 0 ||
        q_open(&q, tx->db, "UPDATE fixture_health SET proven = ?2, proven_at = ?3"
               " WHERE fixture = ?1", e) != 0)
        return -1;
    q_text(&q, h->fixture);
    q_int(&q, (int64_t)by->number);
    q_int(&q, by->at);
    return q_run(&q, e);
}

static int passed(struct tx *tx, const struct fixture_health *h,
                  const struct golden_test *t, struct fields *f,
                  const char *actor, struct err *e)
{
    char number[3][NUMBER_TEXT], speed[8];
    struct event_head head;

    fields_add(f, "apdus", number_text((int64_t)t->apdus, number[0]));
    fields_add(f, "mean-us", number_text((int64_t)t->mean_us, number[1]));
    fields_add(f, "most-us", number_text((int64_t)t->most_us, number[2]));
    snprintf(speed, sizeof speed, "%02X", t->speed);
    if (t->speed)
        fields_add(f, "ta1", speed);
    if (event_write(tx, "golden-passed", actor, f, &head, e) != 0 ||
        prove(tx, h, &head, e) != 0)
        return -1;
    return h->stopped ? health_release(tx, h->fixture, "golden", actor, e) : 0;
}

int golden_tested(struct tx *tx, const struct fixture_health *h,
                  const struct golden_test *t, const char *actor, struct err *e)
{
    char eid[EID_DIGITS + 1], detail[FAILURE_DETAIL_MAX + 1];
    struct fields f = { .n = 0 };
    struct event_head head;

    fields_add(&f, "fixture", h->name);
    if (strcmp(h->name, h->fixture) != 0)
        fields_add(&f, "place", h->fixture);
    fields_add(&f, "eid", eid_format(&t->eid, eid));
    if (!t->code)
        return passed(tx, h, t, &f, actor, e);
    text_plain(t->detail ? t->detail : "", detail, FAILURE_DETAIL_MAX);
    fields_add(&f, "code", t->code);
    fields_add(&f, "detail", detail);
    return event_write(tx, "golden-failed", actor, &f, &head, e);
}
