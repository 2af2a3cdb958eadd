#include "station/cmd/shift_out.h"

#include "station/base/clock.h"
#include "station/cmd/figures_out.h"

#include <stdio.h>
#include <string.h>

/* --- one shift ---------------------------------------------------------------------- */

struct sheet {
    struct figures_out counts;
    json_t *positions, *bundles;
};

static void sheet_clear(struct sheet *s)
{
    figures_out_clear(&s->counts);
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

static json_t *figures_json(const uint64_t f[FIGURES])
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
                     figures_json(r->before), "after", figures_json(r->after),
                     "moves", steps_json(r));
}

static int on_record(void *ctx, const struct shift_record *r, struct err *e)
{
    struct sheet *s = ctx;

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
        figures_out_add(&s->counts, r->fixture, r->person, r->what, r->outcome,
                        r->code, r->n);
        return 0;
    }
}

static json_t *head_json(const struct shift *s)
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

static void print_json(json_t *j)
{
    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(j);
}

static void print_head(const struct shift *s)
{
    char at[24];

    printf("shift %llu%s%s\n  opened  %s by %s, event %llu\n",
           (unsigned long long)s->number, s->name[0] ? "  " : "", s->name,
           clock_text(s->opened_at, at), s->opened_by,
           (unsigned long long)s->first_event);
    if (s->last_event)
        printf("  closed  %s by %s, event %llu\n",
               clock_text(s->closed_at, at), s->closed_by,
               (unsigned long long)s->last_event);
    else
        printf("  still open\n");
}

static long long at_key(const json_t *of, const char *side, const char *key)
{
    return (long long)json_integer_value(
        json_object_get(json_object_get(of, side), key));
}

static void print_positions(const json_t *p, const char *later)
{
    const char *key;
    json_t *n;
    long long before = 0, after = 0;

    printf("\n%-22s %12s %12s\n", "positions of units", "at opening", later);
    json_object_foreach(json_object_get(p, "after"), key, n) {
        printf("  %-20s %12lld %12lld\n", key, at_key(p, "before", key),
               (long long)json_integer_value(n));
        before += at_key(p, "before", key);
        after += (long long)json_integer_value(n);
    }
    printf("  %-20s %12lld %12lld\n", "= registered", before, after);
}

/* "received 100 = 80 in-stock + 0 reserved + ..." */
static void print_balance(const char *when, const json_t *bundle,
                          const char *side)
{
    printf("  %-10s %lld received =", when,
           at_key(bundle, side, shift_figure_names[FIGURE_RECEIVED]));
    for (int i = FIGURE_IN_STOCK; i < FIGURE_DELETED; i++)
        printf("%s %lld %s", i == FIGURE_IN_STOCK ? "" : " +",
               at_key(bundle, side, shift_figure_names[i]),
               shift_figure_names[i]);
    printf("; %lld deleted\n",
           at_key(bundle, side, shift_figure_names[FIGURE_DELETED]));
}

static void print_bundles(const json_t *bundles, const char *later)
{
    size_t i, still = 0;
    json_t *b;

    json_array_foreach(bundles, i, b) {
        if (json_array_size(json_object_get(b, "moves")) == 0) {
            still++;
            continue;
        }
        printf("\nBPPs of bundle %s, SM-DPf %s\n",
               json_string_value(json_object_get(b, "id")),
               json_string_value(json_object_get(b, "smdp")));
        print_balance("at opening", b, "before");
        print_balance(later, b, "after");
    }
    if (still)
        printf("\nBPPs of %zu more bundles did not move.\n", still);
}

static void print_text(const struct shift *s, const struct sheet *sheet,
                       const char *record)
{
    const char *later = s->last_event ? "at closing" : "now";

    print_head(s);
    if (record[0])
        printf("  signed record %s\n", record);
    else if (s->last_event)
        printf("  no signed record was made yet: lineside shift record %llu "
               "--to DIR\n", (unsigned long long)s->number);
    print_positions(sheet->positions, later);
    print_bundles(sheet->bundles, later);
    putchar('\n');
    figures_out_print(&sheet->counts);
}

int shift_out(const struct shift *s, struct span records, const char *record,
              bool json, struct err *e)
{
    struct sheet sheet = { .bundles = json_array() };

    int rc = shift_records_walk(records, on_record, &sheet, e);
    if (rc == 0 && json) {
        json_t *j = head_json(s);
        json_object_set_new(j, "record", record[0] ? json_string(record)
                                                   : json_null());
        json_object_set(j, "positions", sheet.positions);
        json_object_set(j, "bundles", sheet.bundles);
        figures_out_json(&sheet.counts, j);
        print_json(j);
    } else if (rc == 0) {
        print_text(s, &sheet, record);
    }
    sheet_clear(&sheet);
    return rc;
}

/* --- lists ------------------------------------------------------------------------- */

static void print_row(const struct shift *s)
{
    char opened[24], closed[24] = "open";

    if (s->last_event)
        clock_text(s->closed_at, closed);
    printf("%6llu  %-20s  %s  %-20s  %s by %s%s%s\n",
           (unsigned long long)s->number, clock_text(s->opened_at, opened),
           s->last_event ? "to" : "  ", closed, s->name[0] ? s->name : "-",
           s->opened_by, s->closed_by[0] ? ", closed by " : "", s->closed_by);
}

void shift_list_out(const struct shifts *l, bool json)
{
    json_t *a = json_array();

    if (!json && l->n == 0)
        printf("No shift was opened yet: lineside shift open\n");
    for (size_t i = 0; i < l->n; i++) {
        if (json)
            json_array_append_new(a, head_json(&l->v[i]));
        else
            print_row(&l->v[i]);
    }
    if (json)
        print_json(json_pack("{s:O}", "shifts", a));
    json_decref(a);
}

/* --- the day book ------------------------------------------------------------------ */

static int on_count(void *ctx, const struct tally_count *c, struct err *e)
{
    (void)e;
    figures_out_add(ctx, SPAN_STR(c->fixture), SPAN_STR(c->actor),
                    (enum shift_what)c->what, SPAN_STR(c->outcome),
                    SPAN_STR(c->code), c->n);
    return 0;
}

static void book_json(const struct day_book *b, const struct figures_out *f,
                      const char *date)
{
    json_t *shifts = json_array();
    json_t *j = json_pack("{s:s}", "day", date);

    for (size_t i = 0; i < b->shifts.n; i++)
        json_array_append_new(shifts, head_json(&b->shifts.v[i]));
    json_object_set_new(j, "shifts", shifts);
    figures_out_json(f, j);
    print_json(j);
}

int day_book_out(struct db *db, const struct day_book *b, bool json,
                 struct err *e)
{
    struct figures_out f = { .counts = NULL };
    char date[24];

    clock_text(b->day * TALLY_DAY_S, date);
    date[10] = '\0';
    int rc = tally_of_day(db, b->day, on_count, &f, e);
    if (rc == 0 && json) {
        book_json(b, &f, date);
    } else if (rc == 0) {
        printf("%s, from 00:00 to 24:00 UTC\n", date);
        for (size_t i = 0; i < b->shifts.n; i++)
            print_row(&b->shifts.v[i]);
        figures_out_print(&f);
    }
    figures_out_clear(&f);
    return rc;
}
