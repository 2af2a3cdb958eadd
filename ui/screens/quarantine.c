/* Quarantine: what is held, and why. */
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

static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *j = snapshot_answer(v->s, v->screen);

    if (no_answer(g, a, v))
        return;
    struct area hint = area_take(&a, 2);
    grid_wrap(g, (struct area){ hint.x + 1, hint.y, hint.w - 1, 1 }, TONE_DIM,
              say(v, N_("A line engineer and a second person decide what becomes of these.")));
    table_draw(g, a, v, columns, COLUMNS, count(j), row, j, N_("Nothing is in quarantine."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_quarantine.name, screen_quarantine.title };
    size_t shown = (size_t)screen_rest(&screen_quarantine, &v, cols, rows);

    return table_act(d, count(snapshot_answer(s, v.screen)), shown > 3 ? shown - 3 : 1, a);
}

static const struct part parts[] = {
    { head_draw, one_row }, { draw, NULL }, { message_draw, message_height },
    { keyline_draw, one_row },
};
const struct screen screen_quarantine = {
    "quarantine", N_("Quarantine"), N_("Units and profiles that are held, and why."), parts,
    sizeof parts / sizeof *parts, "quarantine", 10, false, false, act, NULL
};
