/* Returns: a unit in a fixture gives its profiles back. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"

#include <string.h>

#define HINT_ROWS 3
static void draw(struct grid *g, struct area a, const struct view *v)
{
    const struct slot *f = *v->d->selected ? snapshot_slot(v->s, v->d->selected) : NULL;
    struct area hint = area_take(&a, HINT_ROWS);

    if (!v->s->linked) {
        grid_wrap(g, (struct area){ hint.x + 1, hint.y, hint.w - 2, hint.h }, TONE_DIM,
                  say(v, N_("The line is not there; it alone can tell.")));
        return;
    }
    grid_wrap(g, (struct area){ hint.x + 1, hint.y, hint.w - 2, hint.h }, TONE_PLAIN,
              say(v, N_("Put the unit into a fixture. Scan the fixture's label, then the unit's, and say why. The verdict is shown here.")));
    if (f)
        slot_draw(g, a, v, f);
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    (void)cols, (void)rows;
    if (a == ACT_CANCEL)
        d->selected[0] = '\0';
    return deeds_act(&screen_returns, d, s, a);
}

/* --- what is done --------------------------------------------------------------------------- */

static bool a_fixture_is_there(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return s->linked && s->slots > 0;
}

static const struct field which[] = {
    { .member = "fixture", .label = N_("Fixture"), .kind = FIELD_FIXTURE },
    { .member = "serial", .label = N_("Unit"), .kind = FIELD_SCAN },
    { .member = "reason", .label = N_("Reason"), .kind = FIELD_TEXT, .most = 200 },
};
static const struct deed deeds[] = {
    { .verb = "return", .label = N_("Let a unit give its profiles back"), .can = a_fixture_is_there,
      FORM(which), .done = N_("The fixture is at it. Its verdict comes here; leave the unit in."),
      .sure = N_("Every profile in the unit is deleted, and its provider is told. This cannot be undone.") },
};
static const struct part parts[] = {
    { head_draw, one_row },       { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = {
    .deed = deeds, .deeds = sizeof deeds / sizeof *deeds, .begins = true,
};
const struct screen screen_returns = {
    "returns", N_("Returns"), N_("A unit gives its profiles back."), parts,
    sizeof parts / sizeof *parts, NULL, 0, false, false, act, &does
};
