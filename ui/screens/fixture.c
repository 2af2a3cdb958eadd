/* One fixture: how it did of late, as bars; and what a line engineer says of it. */
#include "ui/screens/screens.h"
#include "ui/screens/trends.h"
#include "ui/widgets/facts.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static const json_t *fixture_of(const struct snapshot *s)
{
    return json_array_get(json_object_get(snapshot_answer(s, screen_fixture.name), "fixtures"), 0);
}

/* --- what it is ------------------------------------------------------------------------ */

enum { FACT_STATE, FACT_CYCLES, FACT_GOLDEN, FACT_STANDS, FACT_PLACE, FACTS };

static void all_facts(const struct view *v, const json_t *j, struct fact f[FACTS])
{
    long long limit = json_count(j, "cycleLimit"), row = json_count(j, "row");

    for (int i = 0; i < FACTS; i++)
        f[i] = (struct fact){ .label = "", .tone = TONE_BOLD };
    f[FACT_STATE].label = say(v, N_("State"));
    snprintf(f[FACT_STATE].value, sizeof f->value, "%s", trends_state(v, j, &f[FACT_STATE].tone));
    f[FACT_CYCLES].label = say(v, N_("Cycles since maintenance"));
    if (limit > 0)
        snprintf(f[FACT_CYCLES].value, sizeof f->value, say(v, N_("%lld of %lld")),
                 json_count(j, "cyclesSinceMaintenance"), limit);
    else
        snprintf(f[FACT_CYCLES].value, sizeof f->value, "%lld", json_count(j, "cyclesSinceMaintenance"));
    f[FACT_CYCLES].tone = json_is_true(json_object_get(j, "maintenanceDue")) ? TONE_WARN : TONE_BOLD;
    f[FACT_GOLDEN].label = say(v, N_("Golden unit passed"));
    trends_golden(v, j, f[FACT_GOLDEN].value, sizeof f->value);
    f[FACT_STANDS].label = say(v, N_("Stands"));
    if (row > 0)
        snprintf(f[FACT_STANDS].value, sizeof f->value, say(v, N_("row %lld, column %lld")), row,
                 json_count(j, "column"));
    f[FACT_PLACE].label = say(v, N_("Plugged in at"));
    snprintf(f[FACT_PLACE].value, sizeof f->value, "%s", json_word(j, "place"));
}

#define TOP_ROWS 4
static int top_height(const struct view *v, int cols, int rows)
{
    (void)v, (void)cols, (void)rows;
    return TOP_ROWS;
}

static void draw_top(struct grid *g, struct area a, const struct view *v)
{
    const json_t *j = fixture_of(v->s);
    struct fact f[FACTS];
    char text[WHAT_CAP + NAME_CAP];

    snprintf(text, sizeof text, "%s %s", say(v, N_("Fixture")), j ? json_word(j, "fixture") : v->d->what);
    grid_text(g, a.x + 1, a.y, a.w - 1, TONE_HEAD, text);
    if (!j)
        return;
    all_facts(v, j, f);
    facts_draw(g, (struct area){ a.x + 1, a.y + 1, a.w - 1, a.h - 2 }, f, FACTS);
    grid_text(g, a.x + 1, a.y + a.h - 1, a.w - 1, TONE_WARN, json_word(j, "reason"));
}

/* --- how it did -------------------------------------------------------------------------- */

static void chart(struct grid *g, struct area a, const struct view *v, const struct trends *t,
                  enum trend which)
{
    static const char *const labels[TRENDS] = {
        [TREND_YIELD] = N_("Yield"), [TREND_TIME] = N_("Seconds a unit"),
        [TREND_CONTACT] = N_("Contact problems"),
    };
    static const enum tone tones[TRENDS] = {
        [TREND_YIELD] = TONE_BOLD, [TREND_TIME] = TONE_PLAIN, [TREND_CONTACT] = TONE_WARN,
    };
    const struct spark *s = &t->spark[which];
    char text[96];
    int used = grid_text(g, a.x, a.y, a.w, TONE_DIM, say(v, labels[which])) + 1;

    grid_text(g, a.x + used, a.y, a.w - used, TONE_BOLD, t->text[which]);
    if (a.h < 3)
        return;
    spark_bars(g, (struct area){ a.x, a.y + 1, a.w, a.h - 2 }, tones[which], s,
               TREND_STEPS);
    snprintf(text, sizeof text, which == TREND_TIME ? say(v, N_("0 to %.1f s")) : which == TREND_YIELD
             ? say(v, N_("%.0f to 100 %%")) : say(v, N_("0 to %.0f")),
             which == TREND_YIELD ? (double)s->least : which == TREND_TIME ? (double)s->most / 1000 : (double)s->most);
    grid_text(g, a.x, a.y + a.h - 1, a.w, TONE_DIM, text);
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    struct trends t;

    if (!*v->d->what) {
        grid_wrap(g, (struct area){ a.x + 1, a.y, a.w - 1, a.h }, TONE_BOLD,
                  say(v, N_("Scan a fixture's label, or choose one among the fixtures.")));
        return;
    }
    if (no_answer(g, a, v))
        return;
    trends_read(fixture_of(v->s), &t);
    if (t.spark[TREND_YIELD].n == 0) {
        grid_text(g, a.x + 1, a.y, a.w - 1, TONE_DIM, say(v, N_("No unit was worked on here yet.")));
        return;
    }
    int each = (a.w - 2) / TRENDS;
    for (int i = 0; i < TRENDS; i++)
        chart(g, (struct area){ a.x + 1 + i * each, a.y, each - 2, a.h }, v, &t, (enum trend)i);
}

/* --- deeds ---------------------------------------------------------------------------------- */

static bool there(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return fixture_of(s) != NULL;
}

static bool is_stopped(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return strcmp(json_word(fixture_of(s), "state"), "stopped") == 0;
}

static bool stands(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return json_count(fixture_of(s), "row") > 0;
}

static bool on_the_bus(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return *json_word(fixture_of(s), "place");
}

/* As the answer calls it, whatever was scanned. */
static bool name(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    (void)d;
    snprintf(what, WHAT_CAP, "%s", json_word(fixture_of(s), "fixture"));
    return *what;
}

static bool place(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    (void)d;
    snprintf(what, WHAT_CAP, "%s", json_word(fixture_of(s), "place"));
    return *what;
}

static const struct field position[] = {
    { .member = "row", .label = N_("Place on the bench"), .kind = FIELD_STAND },
};
static const struct field removed[] = { { .member = "remove", .kind = FIELD_TRUE } };
static const struct field label[] = {
    { .member = "label", .label = N_("Label"), .kind = FIELD_SCAN, .least = 1, .most = 63 },
};
static const struct field cycles[] = {
    { .member = "cycles", .label = N_("Cycles between maintenances, 0: no limit"), .kind = FIELD_NUMBER },
};
static const struct deed deeds[] = {
    { .verb = "release", .label = N_("Release this fixture"), .can = is_stopped, .member = "fixture", .about = name,
      .sure = N_("It takes units again at once; what failed there before counts no more.") },
    { .verb = "fixture-position", .label = N_("Say where it stands on the bench"), .can = there,
      .member = "fixture", .about = name, FORM(position),
      .sure = N_("The line's screen shows it there.") },
    { .verb = "maintained", .label = N_("It had its maintenance"), .can = there, .member = "fixture",
      .about = name, .sure = N_("Its cycles are counted anew.") },
    { .verb = "fixture-cycles", .label = N_("Set after how many cycles its maintenance is due"), .can = there,
      .member = "fixture", .about = name, FORM(cycles), .sure = N_("When they are reached, its tile says so.") },
    { .verb = "fixture-label", .label = N_("Give it another name"), .can = on_the_bus, .member = "place",
      .about = place, FORM(label), .sure = N_("It is called so from the line's next start. Its barcode must be printed anew.") },
    { .verb = "fixture-position", .label = N_("It has no place on the bench any more"), .can = stands,
      .member = "fixture", .about = name, FORM(removed),
      .sure = N_("The line's screen shows it after those that have one.") },
};

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    (void)cols, (void)rows;
    if (a == ACT_CANCEL) {
        d->what[0] = '\0';
        return true;
    }
    return deeds_act(&screen_fixture, d, s, a == ACT_UP ? ACT_LEFT : a == ACT_DOWN ? ACT_RIGHT : a);
}

static const struct part parts[] = {
    { head_draw, one_row },       { draw_top, top_height }, { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = {
    .member = "fixture", .deed = deeds, .deeds = sizeof deeds / sizeof *deeds,
};
const struct screen screen_fixture = {
    "fixture", N_("Fixture"), N_("One fixture, by its label: trends, place, maintenance."), parts,
    sizeof parts / sizeof *parts, "trends", 5, true, false, act, &does
};
