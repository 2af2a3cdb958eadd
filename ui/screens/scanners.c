/* Scanners: which there are, whose each one's scans are, and how it is set. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static const struct column columns[] = {
    { N_("Plugged in at"), 16, 1, false }, { N_("State"), 24, 2, false }, { N_("Fixture"), 12, 1, false },
    { N_("Layout"), 7, 0, false }, { N_("Suffix"), 7, 0, false }, { N_("Prefix"), 8, 0, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

static const json_t *bound_of(const struct snapshot *s)
{
    return json_object_get(snapshot_answer(s, screen_scanners.name), "scanners");
}

static const json_t *bound_at(const struct snapshot *s, const char *place)
{
    const json_t *one;
    size_t i;

    json_array_foreach(bound_of(s), i, one)
        if (strcmp(json_word(one, "place"), place) == 0)
            return one;
    return NULL;
}

static const struct scanner *seen_at(const struct snapshot *s, const char *place)
{
    for (size_t i = 0; i < s->scanners; i++)
        if (strcmp(s->scanner[i].place, place) == 0)
            return &s->scanner[i];
    return NULL;
}

/* Those of ours, then what is plugged in besides; "": there are not so many. */
static const char *place_at(const struct snapshot *s, size_t i)
{
    size_t n = json_array_size(bound_of(s));

    if (i < n)
        return json_word(json_array_get(bound_of(s), i), "place");
    for (size_t k = 0; k < s->scanners; k++)
        if (!bound_at(s, s->scanner[k].place) && i-- == n)
            return s->scanner[k].place;
    return "";
}

static size_t count(const struct snapshot *s)
{
    size_t n = json_array_size(bound_of(s));

    while (snapshot_answer(s, screen_scanners.name) && *place_at(s, n))
        n++;
    return n;
}

/* Bound to a place, so that it stays so whatever the fixture is called. */
static const char *fixture_name(const struct snapshot *s, const char *place)
{
    for (size_t i = 0; i < s->slots; i++)
        if (*place && strcmp(s->slot[i].place, place) == 0)
            return s->slot[i].name;
    return place;
}

/* The hint above says what is done with a new one. */
static const char *state_of(const struct view *v, const struct scanner *seen)
{
    return !seen ? say(v, N_("is not plugged in"))
         : strcmp(seen->state, "candidate") == 0 ? say(v, N_("is new")) : state_word(v->d->lang, seen->state);
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const char *place = place_at(v->s, i);
    const struct scanner *seen = seen_at(v->s, place);
    const json_t *ours = bound_at(v->s, place);

    (void)ctx;
    snprintf(out[0].text, sizeof out[0].text, "%s", place);
    out[0].tone = TONE_BOLD;
    snprintf(out[1].text, sizeof out[1].text, "%s", state_of(v, seen));
    out[1].tone = ours ? TONE_PLAIN : TONE_WARN;
    if (!ours)
        return;
    snprintf(out[2].text, sizeof out[2].text, "%s", *json_word(ours, "fixture")
             ? fixture_name(v->s, json_word(ours, "fixture")) : say(v, N_("all of them")));
    snprintf(out[3].text, sizeof out[3].text, "%s", json_word(ours, "layout"));
    snprintf(out[4].text, sizeof out[4].text, "%s", json_word(ours, "suffix"));
    snprintf(out[5].text, sizeof out[5].text, "%s", json_word(ours, "prefix"));
}

#define HINT_ROWS 2
static void draw(struct grid *g, struct area a, const struct view *v)
{
    if (no_answer(g, a, v))
        return;
    struct area hint = area_take(&a, HINT_ROWS);
    grid_wrap(g, (struct area){ hint.x + 1, hint.y, hint.w - 1, hint.h }, TONE_DIM,
              say(v, N_("Up and down choose a scanner, left and right what is done, Enter begins.")));
    list_draw(g, a, v, columns, COLUMNS, count(v->s), row, NULL, N_("No scanner is plugged in."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_scanners.name, screen_scanners.title };
    size_t shown = (size_t)screen_rest(&screen_scanners, &v, cols, rows);

    return deeds_act(&screen_scanners, d, s, a) ||
           list_act(d, count(s), shown > HINT_ROWS + 1 ? shown - HINT_ROWS - 1 : 1, a);
}

/* --- deeds ------------------------------------------------------------------------------ */

static bool chosen(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    size_t n = count(s);

    snprintf(what, WHAT_CAP, "%s", n ? place_at(s, d->at < n ? d->at : n - 1) : "");
    return *what;
}

static bool any(const struct desk *d, const struct snapshot *s)
{
    char what[WHAT_CAP];

    return chosen(d, s, what);
}

static bool is_ours(const struct desk *d, const struct snapshot *s)
{
    char what[WHAT_CAP];

    return chosen(d, s, what) && bound_at(s, what);
}

static const struct choice layouts[] = { { "us", N_("US keyboard") }, { "de", N_("German keyboard") }, { "fr", N_("French keyboard") } };
static const struct choice suffixes[] = { { "cr", "CR (Enter)" }, { "lf", "LF" }, { "crlf", "CR LF" }, { "tab", "Tab" } };
static const struct field setting[] = {
    { .member = "fixture", .label = N_("Its fixture; none: all of them"), .kind = FIELD_FIXTURE, .optional = true },
    { .member = "layout", .label = N_("The keyboard that it plays"), .kind = FIELD_CHOICE, .choices = layouts, .count = 3 },
    { .member = "suffix", .label = N_("What it sends after a scan"), .kind = FIELD_CHOICE, .choices = suffixes, .count = 4 },
    { .member = "prefix", .label = N_("What it sends before a scan"), .kind = FIELD_TEXT, .optional = true, .most = 16 },
};
static const struct field removed[] = { { .member = "remove", .kind = FIELD_TRUE } };
static const struct deed deeds[] = {
    { .verb = "scanner", .label = N_("Set this scanner"), .can = any, .member = "place", FORM(setting),
      .sure = N_("It holds from the line's next start; then nothing that it scans is typed into anything.") },
    { .verb = "scanner", .label = N_("This is no scanner of ours any more"), .can = is_ours, .member = "place", FORM(removed),
      .sure = N_("It holds from the line's next start; what it scans is nothing to the line then.") },
};

static const struct part parts[] = {
    { head_draw, one_row },       { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = {
    .deed = deeds, .deeds = sizeof deeds / sizeof *deeds, .chosen = chosen,
};
const struct screen screen_scanners = {
    "scanners", N_("Scanners"), N_("Which scanners there are, and whose."), parts,
    sizeof parts / sizeof *parts, "fixtures", 10, false, false, act, &does
};
