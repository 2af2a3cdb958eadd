/* Quarantine: what is held, and why; and what two people decide becomes of it. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>

static const struct column columns[] = {
    { N_("Unit"), 20, 1, false },    { N_("since"), 16, 0, false },
    { N_("Fixture"), 8, 0, false },  { N_("Code"), 14, 0, false },
    { N_("Why"), 18, 2, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

/* Units first, then profiles that no unit goes with. */
static const json_t *item(const json_t *answer, size_t i)
{
    const json_t *units = json_object_get(answer, "units");
    size_t n = json_array_size(units);

    return i < n ? json_array_get(units, i)
                 : json_array_get(json_object_get(answer, "bpps"), i - n);
}

static size_t count(const json_t *answer)
{
    return json_array_size(json_object_get(answer, "units")) +
           json_array_size(json_object_get(answer, "bpps"));
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *j = item(ctx, i);
    const char *serial = json_word(j, "serial"), *code = json_word(j, "code");

    snprintf(out[0].text, sizeof out[0].text, "%s", *serial ? serial : json_word(j, "iccid"));
    out[0].tone = TONE_BOLD;
    json_time(j, "since", out[1].text, sizeof out[1].text);
    snprintf(out[2].text, sizeof out[2].text, "%s", json_word(j, "fixture"));
    snprintf(out[3].text, sizeof out[3].text, "%s",
             *code ? code : json_object_get(j, "transactionId") ? say(v, N_("profile")) : "");
    snprintf(out[4].text, sizeof out[4].text, "%s", json_word(j, "reason"));
}

#define HINT_ROWS 3
static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *j = snapshot_answer(v->s, v->screen);

    if (no_answer(g, a, v))
        return;
    struct area hint = area_take(&a, HINT_ROWS);
    grid_wrap(g, (struct area){ hint.x + 1, hint.y, hint.w - 1, hint.h }, TONE_DIM,
              say(v, N_("A line engineer and a second person decide what becomes of these. Up and down choose one, left and right what is done with it, Enter begins.")));
    list_draw(g, a, v, columns, COLUMNS, count(j), row, j, N_("Nothing is in quarantine."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_quarantine.name, screen_quarantine.title };
    size_t shown = (size_t)screen_rest(&screen_quarantine, &v, cols, rows);

    return deeds_act(&screen_quarantine, d, s, a) ||
           list_act(d, count(snapshot_answer(s, v.screen)),
                    shown > HINT_ROWS + 1 ? shown - HINT_ROWS - 1 : 1, a);
}

/* --- what is done with it ------------------------------------------------------------ */

static const json_t *picked(const struct desk *d, const struct snapshot *s)
{
    const json_t *all = snapshot_answer(s, screen_quarantine.name);
    size_t n = count(all);

    return n ? item(all, d->at < n ? d->at : n - 1) : NULL;
}

static bool a_profile(const struct desk *d, const struct snapshot *s)
{
    return *json_word(picked(d, s), "transactionId");
}

static bool a_unit(const struct desk *d, const struct snapshot *s)
{
    return !a_profile(d, s) && *json_word(picked(d, s), "serial");
}

static bool either(const struct desk *d, const struct snapshot *s)
{
    return a_profile(d, s) || a_unit(d, s);
}

static bool chosen(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    const json_t *j = picked(d, s);

    snprintf(what, WHAT_CAP, "%s", a_profile(d, s) ? json_word(j, "transactionId") : json_word(j, "serial"));
    return *what;
}

#define REASON_MAX 200
static const struct field why_or_not[] = {
    { .member = "reason", .label = N_("Reason"), .kind = FIELD_TEXT, .optional = true, .most = REASON_MAX },
    SECOND_PERSON,
};
static const struct field why[] = {
    { .member = "reason", .label = N_("Reason"), .kind = FIELD_TEXT, .most = REASON_MAX },
    SECOND_PERSON,
};
static const struct deed deeds[] = {
    { .verb = "quarantine-resolve", .label = N_("Let its eUICC decide"), .can = either, .member = "serial",
      .sure = N_("The unit's next visit asks its eUICC, and what that says decides. If something stays in doubt, it is held again."),
      FORM(why_or_not) },
    { .verb = "quarantine-release", .label = N_("Release this unit"), .can = a_unit, .member = "serial",
      .sure = N_("The unit goes on like any other, and its failures are forgotten."), FORM(why_or_not) },
    { .verb = "quarantine-scrap", .label = N_("Scrap this unit"), .can = a_unit, .member = "serial",
      .sure = N_("The unit is given up for good. It cannot be taken back."), FORM(why_or_not) },
    { .verb = "void", .label = N_("Give this profile up"), .can = a_profile, .member = "transactionId",
      .sure = N_("The profile is written off, and reported so. It cannot be taken back."), FORM(why) },
};

static const struct part parts[] = {
    { head_draw, one_row },       { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = {
    .deed = deeds, .deeds = sizeof deeds / sizeof *deeds, .chosen = chosen,
};
const struct screen screen_quarantine = {
    "quarantine", N_("Quarantine"), N_("What is held, and why; release, scrap, resolve."), parts,
    sizeof parts / sizeof *parts, "quarantine", 10, false, false, act, &does
};
