/* The open shift: who, since when, what it came to, the balance to sign; and its
 * beginning and end. */
#include "ui/screens/screens.h"
#include "ui/widgets/facts.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static const json_t *shift_of(const struct snapshot *s)
{
    return s->has_work && s->shift.number == 0 ? NULL : snapshot_answer(s, screen_shift.name);
}

/* Untold: the line does not know either. */
static bool none_is_open(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return s->linked && s->has_work && s->shift.number == 0;
}

static bool one_is_open(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return s->linked && s->has_work && s->shift.number > 0;
}

/* --- what it is and what it came to ------------------------------------------------------ */

enum { FACT_BY, FACT_SINCE, FACT_PASSED, FACT_STOCKED, FACT_FAILED, FACT_PROFILES, FACTS };

static long long counted(const json_t *shift, const char *what, const char *outcome)
{
    return json_count(json_object_get(json_object_get(shift, "total"), what), outcome);
}

static void count_fact(struct fact *f, const char *label, long long n, enum tone tone)
{
    f->label = label;
    f->tone = n != 0 ? tone : TONE_BOLD;
    snprintf(f->value, sizeof f->value, "%lld", n);
}

static void all_facts(const struct view *v, const json_t *j, struct fact f[FACTS])
{
    for (int i = 0; i < FACTS; i++)
        f[i] = (struct fact){ .label = "", .tone = TONE_BOLD };
    f[FACT_BY].label = say(v, N_("Opened by"));
    snprintf(f[FACT_BY].value, sizeof f->value, "%s", json_word(j, "openedBy"));
    f[FACT_SINCE].label = say(v, N_("since"));
    wall_text(v->s, v->s->shift.since, true, f[FACT_SINCE].value, sizeof f->value);
    count_fact(&f[FACT_PASSED], say(v, N_("Units passed")), counted(j, "unit", "passed"), TONE_BOLD);
    count_fact(&f[FACT_STOCKED], say(v, N_("stocked")), counted(j, "unit", "stocked"), TONE_BOLD);
    count_fact(&f[FACT_FAILED], say(v, N_("failed")), counted(j, "unit", "failed"), TONE_WARN);
    count_fact(&f[FACT_PROFILES], say(v, N_("Profiles installed")), counted(j, "bpp", "installed"), TONE_BOLD);
}

#define TOP_ROWS 4
static int top_height(const struct view *v, int cols, int rows)
{
    (void)cols, (void)rows;
    return shift_of(v->s) ? TOP_ROWS : 0;
}

static void draw_top(struct grid *g, struct area a, const struct view *v)
{
    const json_t *j = shift_of(v->s);
    struct fact f[FACTS];
    char text[256];

    snprintf(text, sizeof text, "%s %lld  %s", say(v, N_("Shift")), json_count(j, "shift"),
             json_word(j, "name"));
    grid_text(g, a.x + 1, a.y, a.w - 1, TONE_HEAD, text);
    all_facts(v, j, f);
    facts_draw(g, (struct area){ a.x + 1, a.y + 1, a.w - 1, a.h - 2 }, f, FACTS);
}

/* --- the count to sign: profiles of all bundles, then people ------------------------------ */

static const struct {
    const char *name, *label;
} figures[] = {
    { "received", N_("received") },       { "in-stock", N_("in stock") },
    { "reserved", N_("reserved") },       { "loading", N_("loading") },
    { "installed", N_("installed") },     { "failed", N_("failed") },
    { "quarantined", N_("quarantined") }, { "voided", N_("voided") },
    { "deleted", N_("deleted") },
};
#define FIGURES (sizeof figures / sizeof *figures)

static const struct column columns[] = {
    { N_("To be signed"), 24, 2, false }, { N_("at opening"), 14, 0, true },
    { N_("now"), 14, 0, true },           { N_("change"), 14, 0, true },
    { "", 2, 1, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

/* Of what has come over the wire any number may be in it. */
static unsigned long long sum(const json_t *shift, const char *side, const char *figure)
{
    const json_t *one;
    unsigned long long n = 0;
    size_t i;

    json_array_foreach(json_object_get(shift, "bundles"), i, one)
        n += (unsigned long long)json_count(json_object_get(one, side), figure);
    return n;
}

static const char *person_at(const json_t *shift, size_t i, const json_t **figures_out)
{
    const json_t *one;
    const char *name;

    json_object_foreach((json_t *)json_object_get(shift, "operators"), name, one) {
        *figures_out = one;
        if (i-- == 0)
            return name;
    }
    return NULL;
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *of = NULL, *units;
    const char *name = i < FIGURES ? NULL : person_at(ctx, i - FIGURES, &of);

    if (name) {
        units = json_object_get(of, "unit");
        snprintf(out[0].text, sizeof out[0].text, "%s", name);
        out[0].tone = TONE_DIM;
        snprintf(out[2].text, sizeof out[2].text, say(v, N_("%lld passed")), json_count(units, "passed"));
        snprintf(out[3].text, sizeof out[3].text, say(v, N_("%lld failed")), json_count(units, "failed"));
        out[3].tone = json_count(units, "failed") != 0 ? TONE_WARN : TONE_PLAIN;
        return;
    }
    if (i >= FIGURES)
        return;
    unsigned long long was = sum(ctx, "before", figures[i].name), is = sum(ctx, "after", figures[i].name);
    snprintf(out[0].text, sizeof out[0].text, "%s", say(v, figures[i].label));
    snprintf(out[1].text, sizeof out[1].text, "%lld", (long long)was);
    snprintf(out[2].text, sizeof out[2].text, "%lld", (long long)is);
    out[2].tone = TONE_BOLD;
    snprintf(out[3].text, sizeof out[3].text, is == was ? "" : "%+lld", (long long)(is - was));
}

static size_t count(const json_t *shift)
{
    return FIGURES + json_object_size(json_object_get(shift, "operators"));
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *j = shift_of(v->s);

    if (none_is_open(v->d, v->s))
        grid_text(g, a.x + 1, a.y + 1, a.w - 1, TONE_BOLD, say(v, N_("No shift is open.")));
    else if (!no_answer(g, a, v))
        table_draw(g, a, v, columns, COLUMNS, count(j), row, j, "");
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_shift.name, screen_shift.title };
    size_t shown = (size_t)screen_rest(&screen_shift, &v, cols, rows);

    return table_act(d, count(shift_of(s)), shown > 1 ? shown - 1 : 1, a);
}

static const struct deed deeds[] = {
    { .verb = "shift-open", .label = N_("Open a shift"), .can = none_is_open,
      .sure = N_("What happens from now on belongs to a new shift.") },
    { .verb = "shift-close", .label = N_("Close this shift"), .can = one_is_open,
      .sure = N_("The shift ends with the figures above; its signed record goes out with the next export. Everybody is logged out.") },
};
static const struct part parts[] = {
    { head_draw, one_row },       { draw_top, top_height }, { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = { .deed = deeds, .deeds = sizeof deeds / sizeof *deeds };
const struct screen screen_shift = {
    "shift", N_("Shift"), N_("The open shift: its figures and balance, its end."), parts,
    sizeof parts / sizeof *parts, "shift", 5, false, false, act, &does
};
