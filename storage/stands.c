#include "storage/stands.h"

#include "storage/inner.h"

#include <stdlib.h>

/* --- reading ------------------------------------------------------------------ */

void stands_clear(struct stands *l)
{
    free(l->v);
    *l = (struct stands){ NULL, 0 };
}

static void read_row(struct q *q, void *item)
{
    struct stand *s = item;

    q_get_string(q, 0, s->fixture, sizeof s->fixture);
    s->row = (unsigned)q_get_int(q, 1);
    s->column = (unsigned)q_get_int(q, 2);
}

int stands_get(struct db *db, struct stands *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct rows all;

    stands_clear(out);
    if (q_open(&q, db, "SELECT fixture, at_row, at_column FROM fixture_stand"
               " ORDER BY at_row, at_column", e) != 0 ||
        rows_read(&q, sizeof *out->v, read_row, &all, e) != 0)
        return -1;
    *out = (struct stands){ all.v, all.n };
    return 0;
}

int stand_get(struct db *db, const char *fixture, struct stand *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *out = (struct stand){ .row = 0 };
    if (q_open(&q, db, "SELECT fixture, at_row, at_column FROM fixture_stand"
               " WHERE fixture = ?", e) != 0)
        return -1;
    q_text(&q, fixture);
    int row = q_step(&q, e);
    if (row > 0)
        read_row(&q, out);
    return row < 0 ? -1 : 0;
}

const struct stand *stands_find(const struct stands *l, const char *fixture)
{
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].fixture, fixture) == 0)
            return &l->v[i];
    return NULL;
}

/* --- changing ------------------------------------------------------------------- */

/* What people call it: its label, else what it was called last. */
static int call_it(struct tx *tx, const char *fixture, char out[HEALTH_NAME_MAX + 1],
                   struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fixture_health h;

    if (health_get(tx->db, fixture, &h, e) != 0 ||
        q_open(&q, tx->db, "SELECT label FROM fixture_place WHERE place = ? AND"
               " label IS NOT NULL", e) != 0)
        return -1;
    q_text(&q, fixture);
    int row = q_step(&q, e);
    if (row > 0)
        q_get_string(&q, 0, out, HEALTH_NAME_MAX + 1);
    else
        memcpy(out, h.name, sizeof h.name);
    return row < 0 ? -1 : 0;
}

static int check_free(struct tx *tx, const struct stand *s, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    char there[HEALTH_NAME_MAX + 1], name[HEALTH_NAME_MAX + 1];

    if (q_open(&q, tx->db, "SELECT fixture FROM fixture_stand WHERE at_row = ? AND"
               " at_column = ?", e) != 0)
        return -1;
    q_int(&q, s->row);
    q_int(&q, s->column);
    int row = q_step(&q, e);
    if (row <= 0)
        return row;
    q_get_string(&q, 0, there, sizeof there);
    if (call_it(tx, there, name, e) != 0)
        return -1;
    return err_set(e, ERR_CONFLICT, "fixture %s stands in row %u, column %u already; "
                   "choose another place, or move that one first", name, s->row,
                   s->column);
}

static int check(const struct stand *s, struct err *e)
{
    if (s->row >= 1 && s->row <= STAND_MAX && s->column >= 1 && s->column <= STAND_MAX)
        return 0;
    return err_set(e, ERR_USAGE, "there is no such place on a bench: rows and columns "
                   "are counted from 1 to %d", STAND_MAX);
}

/* fixture, [place]: as every event about a fixture begins. */
static int begin(struct tx *tx, const char *fixture, struct fields *f,
                 char name[HEALTH_NAME_MAX + 1], struct err *e)
{
    if (call_it(tx, fixture, name, e) != 0)
        return -1;
    fields_add(f, "fixture", name);
    if (strcmp(name, fixture) != 0)
        fields_add(f, "place", fixture);
    return 0;
}

int stand_set(struct tx *tx, const struct stand *s, const char *actor, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    char number[2][NUMBER_TEXT], name[HEALTH_NAME_MAX + 1];
    struct fields f = { .n = 0 };
    struct event_head head;
    struct stand now;

    if (check(s, e) != 0 || stand_get(tx->db, s->fixture, &now, e) != 0)
        return -1;
    if (now.row == s->row && now.column == s->column)
        return 0;
    if (check_free(tx, s, e) != 0 || begin(tx, s->fixture, &f, name, e) != 0)
        return -1;
    fields_add(&f, "row", number_text(s->row, number[0]));
    fields_add(&f, "column", number_text(s->column, number[1]));
    if (event_write(tx, "fixture-position-set", actor, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "INSERT INTO fixture_stand(fixture, at_row, at_column,"
               " event) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(fixture) DO UPDATE SET"
               " at_row = ?2, at_column = ?3, event = ?4", e) != 0)
        return -1;
    q_text(&q, s->fixture);
    q_int(&q, s->row);
    q_int(&q, s->column);
    q_int(&q, (int64_t)head.number);
    return q_run(&q, e);
}

int stand_remove(struct tx *tx, const char *fixture, const char *actor, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    char name[HEALTH_NAME_MAX + 1];
    struct fields f = { .n = 0 };
    struct event_head head;
    struct stand now;

    if (stand_get(tx->db, fixture, &now, e) != 0 || begin(tx, fixture, &f, name, e) != 0)
        return -1;
    if (!now.row)
        return err_set(e, ERR_NOT_FOUND, "fixture %s has no place on the bench", name);
    if (event_write(tx, "fixture-position-removed", actor, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "DELETE FROM fixture_stand WHERE fixture = ?", e) != 0)
        return -1;
    q_text(&q, fixture);
    return q_run(&q, e);
}
