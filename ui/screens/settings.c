/* Settings: what holds for the whole station, each with what changes it. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

enum setting { REQUIRE_LOGIN, BADGE_ALONE, IDLE, BADGE_PREFIX, HELD, FAILURES, YIELD, UNITS,
               GOLDEN, SETTINGS };

static const struct {
    const char *label;
    const char *part, *member; /* of the answer; part NULL: of itself */
    const char *rule;          /* what the rule is called; NULL: it is none */
} settings[SETTINGS] = {
    [REQUIRE_LOGIN] = { N_("Units only by somebody who is logged in"), "rules", "required", "require-login" },
    [BADGE_ALONE] = { N_("The badge alone is enough to work"), "rules", "badgeAlone", "badge-alone" },
    [IDLE] = { N_("Minutes without a scan, then logged out"), "rules", "idleMinutes", "idle" },
    [BADGE_PREFIX] = { N_("Badges begin with"), "rules", "badgePrefix", "badge-prefix" },
    [HELD] = { N_("Failures in a row that quarantine a unit"), NULL, "quarantineLimit", NULL },
    [FAILURES] = { N_("Failures in a row that stop a fixture"), "fixtureLimits", "failures", NULL },
    [YIELD] = { N_("Per cent of good units below which it stops"), "fixtureLimits", "yield", NULL },
    [UNITS] = { N_("... of its last so many units"), "fixtureLimits", "units", NULL },
    [GOLDEN] = { N_("Hours within which a golden unit must pass"), "fixtureLimits", "goldenHours", NULL },
};

static const json_t *value_of(const struct snapshot *s, size_t i)
{
    const json_t *j = snapshot_answer(s, screen_settings.name);

    return json_object_get(settings[i].part ? json_object_get(j, settings[i].part) : j,
                           settings[i].member);
}

static const struct column columns[] = {
    { N_("Setting"), 52, 1, false }, { N_("Value"), 20, 1, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *j = value_of(v->s, i);
    bool none = (i == FAILURES || i == YIELD || i == GOLDEN) && json_integer_value(j) == 0;

    (void)ctx;
    snprintf(out[0].text, sizeof out[0].text, "%s", say(v, settings[i].label));
    out[1].tone = TONE_BOLD;
    if (json_is_boolean(j))
        snprintf(out[1].text, sizeof out[1].text, "%s", json_is_true(j) ? say(v, N_("yes")) : say(v, N_("no")));
    else if (json_is_integer(j) && !none)
        snprintf(out[1].text, sizeof out[1].text, "%lld", (long long)json_integer_value(j));
    else
        snprintf(out[1].text, sizeof out[1].text, "%s",
                 json_is_string(j) && *json_string_value(j) ? json_string_value(j) : "-");
}

#define HINT_ROWS 2
static void draw(struct grid *g, struct area a, const struct view *v)
{
    if (no_answer(g, a, v))
        return;
    struct area hint = area_take(&a, HINT_ROWS);
    grid_text(g, hint.x + 1, hint.y, hint.w - 1, TONE_DIM,
              say(v, N_("Arrows choose a setting, Enter changes it.")));
    list_draw(g, a, v, columns, COLUMNS, SETTINGS, row, NULL, "");
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_settings.name, screen_settings.title };
    size_t shown = (size_t)screen_rest(&screen_settings, &v, cols, rows);

    return list_act(d, SETTINGS, shown > HINT_ROWS + 1 ? shown - HINT_ROWS - 1 : 1, a);
}

/* --- deeds ------------------------------------------------------------------------------ */

static size_t picked(const struct desk *d, const struct snapshot *s)
{
    return snapshot_answer(s, screen_settings.name) ? d->at : SETTINGS;
}

static bool rule(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    size_t i = picked(d, s);

    snprintf(what, WHAT_CAP, "%s", i < SETTINGS && settings[i].rule ? settings[i].rule : "");
    return *what;
}

static bool at_on_off(const struct desk *d, const struct snapshot *s)
{
    return picked(d, s) <= BADGE_ALONE;
}
#define AT(name, setting)                                                     \
    static bool name(const struct desk *d, const struct snapshot *s)         \
    {                                                                         \
        return picked(d, s) == (setting);                                     \
    }
AT(at_idle, IDLE)
AT(at_prefix, BADGE_PREFIX)
AT(at_held, HELD)
AT(at_failures, FAILURES)
AT(at_yield, YIELD)
AT(at_units, UNITS)
AT(at_golden, GOLDEN)

static const struct choice on_off[] = { { "on", N_("yes") }, { "off", N_("no") } };
static const struct field switched[] = {
    { .member = "value", .label = N_("Value"), .kind = FIELD_CHOICE, .choices = on_off, .count = 2 },
};
static const struct field minutes[] = {
    { .member = "value", .label = N_("Minutes"), .kind = FIELD_TEXT, .most = 4 },
};
static const struct field prefix[] = {
    { .member = "value", .label = N_("Badges begin with"), .kind = FIELD_SCAN, .optional = true, .empty = true, .most = 16 },
};
static const struct field held[] = { { .member = "limit", .label = N_("Failures in a row"), .kind = FIELD_NUMBER, .least = 1 } };
static const struct field failures[] = { { .member = "failures", .label = N_("Failures in a row, 0: never"), .kind = FIELD_NUMBER } };
static const struct field yield[] = { { .member = "yield", .label = N_("Per cent of good units, 0: never"), .kind = FIELD_NUMBER } };
static const struct field units[] = { { .member = "units", .label = N_("Of so many units"), .kind = FIELD_NUMBER, .least = 1 } };
static const struct field golden[] = { { .member = "goldenHours", .label = N_("Hours, 0: none need pass"), .kind = FIELD_NUMBER } };
#define CHANGE .label = N_("Change this setting")
static const struct deed deeds[] = {
    { .verb = "rule", CHANGE, .can = at_on_off, .member = "rule", .about = rule, FORM(switched),
      .sure = N_("It holds for the next scan.") },
    { .verb = "rule", CHANGE, .can = at_idle, .member = "rule", .about = rule, FORM(minutes),
      .sure = N_("It holds for everybody who is logged in.") },
    { .verb = "rule", CHANGE, .can = at_prefix, .member = "rule", .about = rule, FORM(prefix),
      .sure = N_("A barcode that begins so is a badge, never a unit. Left out: no barcode is one.") },
    { .verb = "quarantine-limit", CHANGE, .can = at_held, FORM(held),
      .sure = N_("It holds for the next failure; units that are held stay so.") },
    { .verb = "fixture-limits", CHANGE, .can = at_failures, FORM(failures), .sure = N_("It holds for each fixture's next unit.") },
    { .verb = "fixture-limits", CHANGE, .can = at_yield, FORM(yield), .sure = N_("It holds for each fixture's next unit.") },
    { .verb = "fixture-limits", CHANGE, .can = at_units, FORM(units), .sure = N_("It holds for each fixture's next unit.") },
    { .verb = "fixture-limits", CHANGE, .can = at_golden, FORM(golden), .sure = N_("It holds for each fixture's next unit.") },
};

static const struct part parts[] = {
    { head_draw, one_row },       { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = { .deed = deeds, .deeds = sizeof deeds / sizeof *deeds };
const struct screen screen_settings = {
    "settings", N_("Settings"), N_("Logging in, quarantine, what stops fixtures."), parts,
    sizeof parts / sizeof *parts, "settings", 10, false, false, act, &does
};
