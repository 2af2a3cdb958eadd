#include "station/show/shift.h"

#include "station/base/clock.h"
#include "storage/exports.h"

#include <stdio.h>

/* --- what is looked up --------------------------------------------------------------- */

struct look {
    uint64_t number;
    struct show_shift *l;
};

static int look_record(struct db *db, struct show_shift *l, struct err *e)
{
    struct export_info x = { .sequence = 0 };
    struct err why = ERR_INIT;

    if (export_by_number(db, EXPORT_SHIFT_RECORD, l->s.number, &x, &why) == 0)
        snprintf(l->record, sizeof l->record, "%s", x.id);
    else if (why.code != ERR_NOT_FOUND)
        *e = why;
    export_clear(&x);
    return why.code == ERR_NONE || why.code == ERR_NOT_FOUND ? 0 : -1;
}

static int look(struct db *db, void *ctx, struct err *e)
{
    const struct look *k = ctx;
    struct show_shift *l = k->l;

    int row = shift_find(db, k->number, &l->s, e);
    if (row < 0)
        return -1;
    if (!row)
        return k->number ? err_set(e, ERR_NOT_FOUND, "there is no shift %llu; "
                                   "see `lineside shift list`",
                                   (unsigned long long)k->number)
                         : err_set(e, ERR_NOT_FOUND, "no shift is open; see "
                                   "`lineside shift list`, or open one: "
                                   "lineside shift open");
    return shift_figures_of(db, &l->s, &l->records, e) != 0 ||
           look_record(db, l, e) != 0 ? -1 : 0;
}

int show_shift_read(struct db *db, uint64_t number, struct show_shift *out,
                    struct err *e)
{
    struct look k = { number, out };

    *out = (struct show_shift){ .records = BUF_INIT };
    return db_snapshot(db, look, &k, e);
}

void show_shift_clear(struct show_shift *l)
{
    buf_clear(&l->records);
}

/* --- one shift ---------------------------------------------------------------------- */

void show_sheet_clear(struct show_sheet *s)
{
    figures_clear(&s->counts);
    json_decref(s->positions);
    json_decref(s->bundles);
}

static json_t *text(struct span s)
{
    return json_stringn((const char *)s.p, s.n);
}

static json_t *steps_json(const struct shift_record *r)
{
    json_t *a = json_array();

    for (size_t i = 0; i < r->step_count; i++)
        json_array_append_new(a, json_pack("{s:o, s:o, s:I}", "from",
                                           text(r->steps[i].from), "to",
                                           text(r->steps[i].to), "n",
                                           (json_int_t)r->steps[i].n));
    return a;
}

static json_t *stand_json(const uint64_t f[FIGURES])
{
    json_t *j = json_object();

    for (int i = 0; i < FIGURES; i++)
        json_object_set_new(j, shift_figure_names[i],
                            json_integer((json_int_t)f[i]));
    return j;
}

static json_t *positions_json(const struct shift_record *r)
{
    json_t *before = json_object(), *after = json_object();
    char name[SHIFT_STATE_NAME_MAX + 1];

    for (size_t i = 0; i < r->state_count; i++) {
        const struct shift_state *s = &r->states[i];
        snprintf(name, sizeof name, "%.*s", (int)s->name.n,
                 (const char *)s->name.p);
        json_object_set_new(before, name, json_integer((json_int_t)s->before));
        json_object_set_new(after, name, json_integer((json_int_t)s->after));
    }
    return json_pack("{s:o, s:o, s:o}", "before", before, "after", after,
                     "moves", steps_json(r));
}

static json_t *bundle_json(const struct shift_record *r)
{
    char sha[65];

    hex_encode(r->manifest_sha256, sha, sizeof sha);
    return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "id", text(r->bundle_id),
                     "smdp", text(r->smdp), "manifestSha256", sha, "before",
                     stand_json(r->before), "after", stand_json(r->after),
                     "moves", steps_json(r));
}

static int on_record(void *ctx, const struct shift_record *r, struct err *e)
{
    struct show_sheet *s = ctx;

    (void)e;
    switch (r->kind) {
    case SHIFT_POSITIONS:
        json_decref(s->positions);
        s->positions = positions_json(r);
        return 0;
    case SHIFT_BUNDLE:
        json_array_append_new(s->bundles, bundle_json(r));
        return 0;
    default:
        figures_add(&s->counts, r->fixture, r->person, r->what, r->outcome,
                        r->code, r->n);
        return 0;
    }
}

json_t *show_shift_head(const struct shift *s)
{
    char opened[GTIME_LEN + 1], closed[GTIME_LEN + 1];

    json_t *j = json_pack("{s:I, s:s, s:b, s:s, s:s, s:I}", "shift",
                          (json_int_t)s->number, "name", s->name, "open",
                          s->last_event == 0, "openedBy", s->opened_by,
                          "openedAt", gtime_format(s->opened_at, opened),
                          "firstEvent", (json_int_t)s->first_event);
    if (s->last_event) {
        json_object_set_new(j, "closedBy", json_string(s->closed_by));
        json_object_set_new(j, "closedAt",
                            json_string(gtime_format(s->closed_at, closed)));
        json_object_set_new(j, "lastEvent",
                            json_integer((json_int_t)s->last_event));
    }
    return j;
}

int show_sheet_read(const struct show_shift *l, struct show_sheet *s, struct err *e)
{
    *s = (struct show_sheet){ .bundles = json_array() };
    return shift_records_walk(buf_span(&l->records), on_record, s, e);
}

json_t *show_shift(const struct show_shift *l, const struct show_sheet *s)
{
    json_t *j = show_shift_head(&l->s);

    json_object_set_new(j, "record", l->record[0] ? json_string(l->record)
                                                  : json_null());
    json_object_set(j, "positions", s->positions);
    json_object_set(j, "bundles", s->bundles);
    json_object_set_new(j, "more", json_boolean(s->more));
    figures_json(&s->counts, j);
    return j;
}

json_t *show_shift_opened(const struct shift *s)
{
    return json_pack("{s:I, s:I}", "shift", (json_int_t)s->number, "firstEvent",
                     (json_int_t)s->first_event);
}

/* --- lists ------------------------------------------------------------------------- */

json_t *show_shifts(const struct shifts *l)
{
    json_t *a = json_array();

    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(a, show_shift_head(&l->v[i]));
    return json_pack("{s:o}", "shifts", a);
}

/* --- the day book ------------------------------------------------------------------ */

static int on_count(void *ctx, const struct tally_count *c, struct err *e)
{
    (void)e;
    figures_add(ctx, SPAN_STR(c->fixture), SPAN_STR(c->actor),
                (enum shift_what)c->what, SPAN_STR(c->outcome),
                SPAN_STR(c->code), c->n);
    return 0;
}

static int book(struct db *db, void *ctx, struct err *e)
{
    struct show_day *d = ctx;
    int64_t from = d->day * TALLY_DAY_S;

    return shifts_between(db, from, from + TALLY_DAY_S, &d->shifts, e) != 0 ||
           tally_of_day(db, d->day, on_count, &d->counts, e) != 0 ? -1 : 0;
}

int show_day_read(struct db *db, struct show_day *d, struct err *e)
{
    clock_text(d->day * TALLY_DAY_S, d->date);
    d->date[10] = '\0';
    return db_snapshot(db, book, d, e);
}

void show_day_clear(struct show_day *d)
{
    shifts_clear(&d->shifts);
    figures_clear(&d->counts);
}

json_t *show_day(const struct show_day *d)
{
    json_t *shifts = json_array(), *j = json_pack("{s:s}", "day", d->date);

    for (size_t i = 0; i < d->shifts.n; i++)
        json_array_append_new(shifts, show_shift_head(&d->shifts.v[i]));
    json_object_set_new(j, "shifts", shifts);
    figures_json(&d->counts, j);
    return j;
}
