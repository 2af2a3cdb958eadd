#include "storage/shifts.h"

#include "storage/inner.h"

#include <stdio.h>
#include <stdlib.h>

void shifts_clear(struct shifts *l)
{
    free(l->v);
    *l = (struct shifts){ NULL, 0 };
}

/* --- reading ------------------------------------------------------------------- */

#define SHIFT_SELECT "SELECT shift, name, opened_by, closed_by, opened_at," \
    " closed_at, first_event, last_event FROM shift "

static void shift_read(struct q *q, void *item)
{
    struct shift *s = item;

    s->number = (uint64_t)q_get_int(q, 0);
    q_get_string(q, 1, s->name, sizeof s->name);
    q_get_string(q, 2, s->opened_by, sizeof s->opened_by);
    q_get_string(q, 3, s->closed_by, sizeof s->closed_by);
    s->opened_at = q_get_int(q, 4);
    s->closed_at = q_get_int(q, 5);
    s->first_event = (uint64_t)q_get_int(q, 6);
    s->last_event = (uint64_t)q_get_int(q, 7);
}

int shift_find(struct db *db, uint64_t number, struct shift *out,
               struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, number ? SHIFT_SELECT "WHERE shift = ?"
                              : SHIFT_SELECT "WHERE last_event IS NULL",
               e) != 0)
        return -1;
    if (number)
        q_int(&q, (int64_t)number);
    int row = q_step(&q, e);
    if (row > 0)
        shift_read(&q, out);
    return row;
}

static int list_read(struct q *q, struct shifts *out, struct err *e)
{
    struct rows all;

    if (rows_read(q, sizeof *out->v, shift_read, &all, e) != 0)
        return -1;
    shifts_clear(out);
    *out = (struct shifts){ all.v, all.n };
    return 0;
}

int shifts_list(struct db *db, uint64_t before, unsigned limit,
                struct shifts *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, SHIFT_SELECT "WHERE shift IN (SELECT shift FROM shift"
               " WHERE shift < ?1 ORDER BY shift DESC LIMIT ?2)"
               " ORDER BY shift", e) != 0)
        return -1;
    q_int(&q, before ? (int64_t)before : INT64_MAX);
    q_int(&q, limit ? (int64_t)limit : -1);
    return list_read(&q, out, e);
}

int shifts_between(struct db *db, int64_t from, int64_t until,
                   struct shifts *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, SHIFT_SELECT "WHERE opened_at < ? AND"
               " coalesce(closed_at, ?) >= ? ORDER BY shift", e) != 0)
        return -1;
    q_int(&q, until);
    q_int(&q, INT64_MAX);
    q_int(&q, from);
    return list_read(&q, out, e);
}

int shift_records(struct db *db, uint64_t number, struct buf *out,
                  struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT records FROM shift WHERE shift = ? AND"
               " last_event IS NOT NULL", e) != 0)
        return -1;
    q_int(&q, (int64_t)number);
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "shift %llu was not closed",
                       (unsigned long long)number);
    buf_reset(out);
    buf_put_span(out, q_get_octets(&q, 0));
    return buf_ok(out) ? 0 : err_set(e, ERR_NOMEM, "no memory for a shift");
}

/* --- opening and closing ----------------------------------------------------------- */

static int last_number(struct db *db, uint64_t *out, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, db, "SELECT coalesce(max(shift), 0) FROM shift", e) != 0 ||
        q_step(&q, e) <= 0)
        return -1;
    *out = (uint64_t)q_get_int(&q, 0);
    return 0;
}

static int open_store(struct tx *tx, const struct shift *s, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO shift(shift, name, opened_by,"
               " opened_at, first_event) VALUES(?,?,?,?,?)", e) != 0)
        return -1;
    q_int(&q, (int64_t)s->number);
    q_text(&q, s->name);
    q_text(&q, s->opened_by);
    q_int(&q, s->opened_at);
    q_int(&q, (int64_t)s->first_event);
    return q_run(&q, e);
}

int shift_open(struct tx *tx, const char *name, const char *actor,
               struct shift *out, struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct shift s = { 0 }, now;
    char number[NUMBER_TEXT];

    if (strlen(name) > SHIFT_NAME_MAX || !event_text_ok(SPAN_STR(name)))
        return err_set(e, ERR_USAGE, "a shift's name is plain text of at most "
                       "%d octets", SHIFT_NAME_MAX);
    int open = shift_find(tx->db, 0, &now, e);
    if (open < 0 || last_number(tx->db, &s.number, e) != 0)
        return -1;
    if (open)
        return err_set(e, ERR_WRONG_STATE, "shift %llu is open, by %s; close "
                       "it first: lineside shift close",
                       (unsigned long long)now.number, now.opened_by);
    s.number++;
    snprintf(s.name, sizeof s.name, "%s", name);
    snprintf(s.opened_by, sizeof s.opened_by, "%s", actor);
    fields_add(&f, "shift", number_text((int64_t)s.number, number));
    if (name[0])
        fields_add(&f, "name", name);
    if (event_write(tx, "shift-opened", actor, &f, &head, e) != 0)
        return -1;
    s.first_event = head.number;
    s.opened_at = head.at;
    if (open_store(tx, &s, e) != 0)
        return -1;
    *out = s;
    return 0;
}

static int close_store(struct tx *tx, const struct shift *s,
                       struct span records, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "UPDATE shift SET closed_by = ?, closed_at = ?,"
               " last_event = ?, records = ? WHERE shift = ?", e) != 0)
        return -1;
    q_text(&q, s->closed_by);
    q_int(&q, s->closed_at);
    q_int(&q, (int64_t)s->last_event);
    q_octets(&q, records);
    q_int(&q, (int64_t)s->number);
    return q_run(&q, e);
}

int shift_close(struct tx *tx, const char *actor, shift_make_fn *make,
                void *ctx, struct shift *out, struct err *e)
{
    AUTO(buf_clear) struct buf records = BUF_INIT;
    struct fields f = { .n = 0 };
    struct event_head head;
    struct shift s;
    char number[NUMBER_TEXT], first[NUMBER_TEXT];

    int open = shift_find(tx->db, 0, &s, e);
    if (open < 0)
        return -1;
    if (!open)
        return err_set(e, ERR_WRONG_STATE, "no shift is open; open one: "
                       "lineside shift open");
    fields_add(&f, "shift", number_text((int64_t)s.number, number));
    fields_add(&f, "first-event", number_text((int64_t)s.first_event, first));
    if (event_write(tx, "shift-closed", actor, &f, &head, e) != 0)
        return -1;
    snprintf(s.closed_by, sizeof s.closed_by, "%s", actor);
    s.last_event = head.number;
    s.closed_at = head.at;
    if (make(ctx, tx->db, &s, &records, e) != 0 ||
        close_store(tx, &s, buf_span(&records), e) != 0)
        return -1;
    *out = s;
    return 0;
}
