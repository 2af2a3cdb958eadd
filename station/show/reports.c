#include "station/show/reports.h"

#include "station/base/clock.h"

#include <stdio.h>
#include <string.h>

static int ask(struct db *db, void *ctx, struct err *e)
{
    struct show_reports *a = ctx;

    return ledger_clock(db, &a->clock, e) != 0 ||
           reports_open(db, &a->open, e) != 0 ||
           report_rows(db, a->only_open, a->before, a->limit,
                       &a->rows, e) != 0 ? -1 : 0;
}

bool show_reports_next(const struct show_reports *a, size_t *at,
                       struct show_report *out)
{
    if (*at == a->rows.n)
        return false;
    *out = (struct show_report){ .v = &a->rows.v[*at] };
    for (; *at < a->rows.n && strcmp(a->rows.v[*at].id, out->v->id) == 0; ++*at) {
        const struct report_row *r = &a->rows.v[*at];
        out->n++;
        out->waiting += *r->smdp_oid && !r->acknowledged && r->expected;
        out->never += *r->smdp_oid && !r->acknowledged && !r->expected;
    }
    if (out->waiting && a->clock.now > out->v->created_at)
        out->age_s = a->clock.now - out->v->created_at;
    return true;
}

int show_reports_read(struct db *db, struct show_reports *a, struct err *e)
{
    return db_snapshot(db, ask, a, e);
}

static const char *state_of(const struct show_report *r)
{
    return !*r->v->smdp_oid      ? "nobody-concerned"
           : r->waiting == r->n  ? "waiting"
           : r->waiting          ? "partly"
           : r->never            ? "never-acknowledged" : "acknowledged";
}

static json_t *party_json(const struct report_row *r)
{
    char at[GTIME_LEN + 1];

    return r->acknowledged
         ? json_pack("{s:s, s:I, s:b, s:I, s:s, s:s}", "smdp", r->smdp_oid,
                     "records", (json_int_t)r->records, "acknowledged", 1,
                     "accepted", (json_int_t)r->accepted, "receipt", r->receipt,
                     "at", gtime_format(r->acknowledged_at, at))
         : json_pack("{s:s, s:I, s:b, s:b}", "smdp", r->smdp_oid, "records",
                     (json_int_t)r->records, "acknowledged", 0, "expected",
                     r->expected);
}

static json_t *report_json(const struct show_report *r)
{
    json_t *parties = json_array();
    char at[GTIME_LEN + 1];

    for (size_t i = 0; i < r->n && *r->v->smdp_oid; i++)
        json_array_append_new(parties, party_json(&r->v[i]));
    return json_pack("{s:s, s:I, s:s, s:I, s:I, s:s, s:I, s:o}", "id", r->v->id,
                     "sequence", (json_int_t)r->v->sequence, "created",
                     gtime_format(r->v->created_at, at), "firstEvent",
                     (json_int_t)r->v->first_event, "lastEvent",
                     (json_int_t)r->v->last_event, "state", state_of(r), "ageS",
                     (json_int_t)r->age_s, "smdps", parties);
}

json_t *show_reports(const struct show_reports *a)
{
    json_t *list = json_array();
    char since[GTIME_LEN + 1];
    struct show_report r;

    for (size_t at = 0; show_reports_next(a, &at, &r);)
        json_array_append_new(list, report_json(&r));
    return json_pack("{s:I, s:o, s:I, s:I, s:o}", "unacknowledged",
                     (json_int_t)a->open.reports, "since",
                     a->open.reports ? json_string(gtime_format(a->open.since, since))
                                     : json_null(),
                     "ageS", (json_int_t)a->open.age_s, "neverAcknowledged",
                     (json_int_t)a->open.never, "reports", list);
}
