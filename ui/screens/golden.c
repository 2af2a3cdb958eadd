/* Golden units: which eUICCs they are, and where one has passed, how long ago. */
#include "ui/screens/screens.h"
#include "ui/screens/trends.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>

static const struct column columns[] = {
    { N_("Golden unit, or fixture"), 34, 1, false }, { N_("Golden unit passed"), 24, 1, false },
    { N_("State"), 12, 1, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

static size_t marked(const json_t *answer)
{
    return json_array_size(json_object_get(answer, "golden"));
}

static size_t count(const json_t *answer)
{
    return marked(answer) + json_array_size(json_object_get(answer, "fixtures"));
}

/* Golden units first, then fixtures. */
static const char *eid_at(const json_t *answer, size_t i)
{
    const char *eid = json_string_value(json_array_get(json_object_get(answer, "golden"), i));

    return eid ? eid : "";
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    size_t n = marked(ctx);

    if (i < n) {
        snprintf(out[0].text, sizeof out[0].text, "EID %s", eid_at(ctx, i));
        out[0].tone = TONE_BOLD;
        return;
    }
    const json_t *f = json_array_get(json_object_get(ctx, "fixtures"), i - n);
    snprintf(out[0].text, sizeof out[0].text, "%s", json_word(f, "fixture"));
    trends_golden(v, f, out[1].text, sizeof out[1].text);
    snprintf(out[2].text, sizeof out[2].text, "%s", trends_state(v, f, &out[2].tone));
}

#define HINT_ROWS 3
static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *j = snapshot_answer(v->s, v->screen);
    long long hours = json_count(json_object_get(j, "limits"), "goldenHours");
    char text[2 * SENTENCE_CAP];

    if (no_answer(g, a, v))
        return;
    struct area hint = area_take(&a, HINT_ROWS);
    int used = grid_wrap(g, (struct area){ hint.x + 1, hint.y, hint.w - 1, hint.h }, TONE_DIM,
                         say(v, N_("A golden unit is no product: put it into a fixture and scan its EID, and it proves that fixture.")));
    if (hours > 0) {
        snprintf(text, sizeof text, say(v, N_("Fixtures where none has passed within %lld h take no units.")), hours);
        grid_text(g, hint.x + 1, hint.y + used, hint.w - 1, TONE_BOLD, text);
    }
    list_draw(g, a, v, columns, COLUMNS, count(j), row, j, N_("No unit was worked on yet."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_golden.name, screen_golden.title };
    size_t shown = (size_t)screen_rest(&screen_golden, &v, cols, rows);

    return deeds_act(&screen_golden, d, s, a) ||
           list_act(d, count(snapshot_answer(s, v.screen)),
                    shown > HINT_ROWS + 1 ? shown - HINT_ROWS - 1 : 1, a);
}

static bool answered(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return snapshot_answer(s, screen_golden.name) != NULL;
}

static bool chosen(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    const json_t *j = snapshot_answer(s, screen_golden.name);

    snprintf(what, WHAT_CAP, "%s", d->at < marked(j) ? eid_at(j, d->at) : "");
    return *what;
}

static bool is_marked(const struct desk *d, const struct snapshot *s)
{
    char what[WHAT_CAP];

    return chosen(d, s, what);
}

static const struct field eid[] = {
    { .member = "eid", .label = N_("Its EID"), .kind = FIELD_SCAN, .least = 32, .most = 32, .prefix = "EID" },
};
static const struct field removed[] = { { .member = "remove", .kind = FIELD_TRUE } };
static const struct deed deeds[] = {
    { .verb = "golden", .label = N_("Make a golden unit"), .can = answered, FORM(eid),
      .sure = N_("This eUICC is no product any more: it is tested, never loaded.") },
    { .verb = "golden", .label = N_("This is no golden unit any more"), .can = is_marked, .member = "eid", FORM(removed),
      .sure = N_("Its eUICC may become a unit like any other.") },
};

static const struct part parts[] = {
    { head_draw, one_row },       { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = {
    .deed = deeds, .deeds = sizeof deeds / sizeof *deeds, .chosen = chosen,
};
const struct screen screen_golden = {
    "golden", N_("Golden units"), N_("Golden units, and which fixtures they have proven."), parts,
    sizeof parts / sizeof *parts, "trends", 10, false, false, act, &does
};
