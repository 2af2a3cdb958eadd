/* Export: what goes out on a medium; earlier ones once more. */
#include "ui/screens/media.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static const struct column columns[] = {
    { N_("Report"), 6, 0, true },  { N_("made"), 16, 0, false },
    { N_("State"), 14, 0, false }, { N_("Id"), 36, 1, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

static const json_t *all_of(const struct snapshot *s)
{
    return json_object_get(snapshot_answer(s, screen_export.name), "reports");
}

static const char *state_of(const struct view *v, const char *state)
{
    static const struct choice states[] = {
        { "nobody-concerned", N_("no receipt due") }, { "acknowledged", N_("receipt there") },
        { "waiting", N_("no receipt yet") },          { "partly", N_("receipts partly") },
    };

    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (strcmp(states[i].value, state) == 0)
            return say(v, states[i].text);
    return state;
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *j = json_array_get(ctx, i);

    snprintf(out[0].text, sizeof out[0].text, "%lld", json_count(j, "sequence"));
    json_time(j, "created", out[1].text, sizeof out[1].text);
    snprintf(out[2].text, sizeof out[2].text, "%s", state_of(v, json_word(j, "state")));
    snprintf(out[3].text, sizeof out[3].text, "%s", json_word(j, "id"));
    out[3].tone = TONE_DIM;
}

#define WAITING_ROWS 2
static void draw(struct grid *g, struct area a, const struct view *v)
{
    char text[256];

    if (media_draw(g, &a, v))
        return;
    struct area top = area_take(&a, WAITING_ROWS);
    if (v->s->has_work) {
        snprintf(text, sizeof text, say(v, N_("Pieces of evidence that wait for export: %lld")), v->s->waiting);
        grid_text(g, top.x + 1, top.y, top.w - 1, TONE_BOLD, text);
    }
    if (!no_answer(g, a, v))
        list_draw(g, a, v, columns, COLUMNS, json_array_size(all_of(v->s)), row, all_of(v->s),
                  N_("Nothing was exported yet."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_export.name, screen_export.title };
    size_t shown = (size_t)screen_rest(&screen_export, &v, cols, rows), top = MEDIA_ROWS + WAITING_ROWS + 1;

    return media_act(d, s, a) || deeds_act(&screen_export, d, s, a) ||
           list_act(d, json_array_size(all_of(s)), shown > top ? shown - top : 1, a);
}

/* --- what is done ----------------------------------------------------------------------- */

static bool on_medium(const struct desk *d, const struct snapshot *s)
{
    return s->linked && *d->what;
}

static bool its_id(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    size_t n = json_array_size(all_of(s));
    const char *id = json_word(n ? json_array_get(all_of(s), d->at < n ? d->at : n - 1) : NULL, "id");

    snprintf(what, WHAT_CAP, "%s", id);
    return *id;
}

static bool one_is_there(const struct desk *d, const struct snapshot *s)
{
    char what[WHAT_CAP];

    return on_medium(d, s) && its_id(d, s, what);
}

static bool shift_is_open(const struct desk *d, const struct snapshot *s)
{
    return on_medium(d, s) && s->has_work && s->shift.number > 0;
}

static bool medium(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    (void)s;
    snprintf(what, WHAT_CAP, "%s", d->what);
    return *what;
}

static int show_made(struct grid *g, struct area a, const struct view *v, const json_t *j)
{
    const json_t *made = json_object_get(j, "made"), *one;
    struct area all = a;
    char text[256];
    size_t i;

    if (json_array_size(made) == 0) {
        if (v->s->job.state == JOB_DONE)
            area_take(&a, grid_wrap(g, a, TONE_PLAIN, say(v, N_("Nothing was new; nothing was written."))));
        return a.y - all.y;
    }
    grid_text(g, a.x, a.y, a.w, TONE_DIM, say(v, N_("Written onto the medium:")));
    area_take(&a, 1);
    json_array_foreach(made, i, one) {
        if (a.h < 5) /* the rest of the page has its place */
            break;
        struct area row = area_take(&a, 1);
        snprintf(text, sizeof text, say(v, N_("%s %lld, records: %lld")), container_word(v, json_word(one, "kind")),
                 json_count(one, "sequence"), json_count(one, "records"));
        int used = grid_text(g, row.x + 2, row.y, row.w - 2, TONE_BOLD, text) + 4;
        grid_text(g, row.x + used, row.y, row.w - used, TONE_DIM, json_word(one, "id"));
    }
    if (i < json_array_size(made)) {
        snprintf(text, sizeof text, say(v, N_("and %zu more")), json_array_size(made) - i);
        grid_text(g, a.x + 2, a.y, a.w - 2, TONE_DIM, text);
        area_take(&a, 1);
    }
    return a.y - all.y;
}

static const struct choice steps[] = {
    { "outbox", N_("Writing what an earlier export left") },
    { "making", N_("Putting the evidence together") },
    { "audit-log", N_("Signing the audit log") },
    { "loading-report", N_("Signing the loading report") },
};
static const struct choice one_step[] = { { "writing", N_("Writing it") } };
static const struct job_kind making = { steps, 4, false, show_made };
static const struct job_kind writing = { one_step, 1, false, show_made };
static const struct field onto[] = { { .member = "to", .kind = FIELD_WHAT } };
static const struct field which[] = {
    { .member = "again", .label = N_("Id of the export"), .kind = FIELD_SCAN, .least = 36, .most = 36 },
};
static const struct deed deeds[] = {
    { .verb = "export", .label = N_("Export what is new"), .can = on_medium, .member = "to",
      .about = medium, .job = &making,
      .sure = N_("The evidence since the last export is signed and written onto this medium, with the audit log and the records of closed shifts.") },
    { .verb = "export", .label = N_("Export the chosen report again"), .can = one_is_there,
      .member = "again", .about = its_id, FORM(onto), .job = &writing,
      .sure = N_("It is written onto this medium once more, octet for octet the same.") },
    { .verb = "export", .label = N_("Export again by its id"), .can = on_medium, .member = "to",
      .about = medium, FORM(which), .job = &writing,
      .sure = N_("It is written onto this medium once more, octet for octet the same.") },
    { .verb = "shift-close", .label = N_("Close the shift, its record onto this medium"),
      .can = shift_is_open, .member = "to", .about = medium, .job = &writing,
      .sure = N_("The shift ends, its signed record is written onto this medium, and everybody is logged out. Look at LINESIDE-SHIFT first.") },
};
static const struct part parts[] = {
    { head_draw, one_row },       { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = {
    .deed = deeds, .deeds = sizeof deeds / sizeof *deeds, .opens = &screen_export,
    .chosen = media_chosen, .media = true,
};
#define EVERY_S 10
const struct screen screen_export = {
    "export", N_("Export"), N_("Evidence onto a medium; earlier exports again."), parts,
    sizeof parts / sizeof *parts, "reports", EVERY_S, false, false, act, &does
};
