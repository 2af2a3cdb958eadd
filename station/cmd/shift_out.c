#include "station/cmd/shift_out.h"

#include "station/base/clock.h"
#include "station/cmd/json_line.h"

#include <stdio.h>
#include <string.h>

/* --- figures ------------------------------------------------------------------------- */

/* "unit passed 8, failed 1; bpp installed 8" */
static void print_sums(const json_t *of)
{
    const char *what, *key, *between = "";
    json_t *sums, *n;

    json_object_foreach((json_t *)of, what, sums) {
        const char *comma = "";
        printf("%s%s", between, what);
        json_object_foreach(sums, key, n) {
            printf("%s%s%s %lld", comma, strcmp(key, what) == 0 ? "" : " ",
                   strcmp(key, what) == 0 ? "" : key,
                   (long long)json_integer_value(n));
            comma = ",";
        }
        between = "; ";
    }
    putchar('\n');
}

static void print_each(const char *title, const char *nobody, const json_t *of)
{
    const char *key;
    json_t *sums;

    printf("%s\n", title);
    json_object_foreach((json_t *)of, key, sums) {
        printf("  %-20s ", key[0] ? key : nobody);
        print_sums(sums);
    }
}

static void print_figures(const struct figures *f)
{
    const char *key;
    json_t *n;

    if (!f->counts) {
        printf("Nothing was counted.\n");
        return;
    }
    printf("counted\n");
    json_object_foreach(f->codes, key, n)
        printf("  %-40s %10lld\n", key, (long long)json_integer_value(n));
    print_each("per fixture", "(none)", f->fixtures);
    print_each("per operator", "(none)", f->operators);
}

/* --- one shift ---------------------------------------------------------------------- */

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

static void print_text(const struct shift *s, const struct show_sheet *sheet,
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
    print_figures(&sheet->counts);
}

int shift_out(const struct show_shift *l, bool json, struct err *e)
{
    AUTO(show_sheet_clear) struct show_sheet sheet;

    if (show_sheet_read(l, &sheet, e) != 0)
        return -1;
    if (json)
        json_line(show_shift(l, &sheet));
    else
        print_text(&l->s, &sheet, l->record);
    return 0;
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
    if (json) {
        json_line(show_shifts(l));
        return;
    }
    if (l->n == 0)
        printf("No shift was opened yet: lineside shift open\n");
    for (size_t i = 0; i < l->n; i++)
        print_row(&l->v[i]);
}

/* --- the day book ------------------------------------------------------------------ */

void day_book_out(const struct show_day *d, bool json)
{
    if (json) {
        json_line(show_day(d));
        return;
    }
    printf("%s, from 00:00 to 24:00 UTC\n", d->date);
    for (size_t i = 0; i < d->shifts.n; i++)
        print_row(&d->shifts.v[i]);
    print_figures(&d->counts);
}
