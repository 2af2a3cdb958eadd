/* Import: what lies on a medium, and what of it is taken in. */
#include "ui/screens/media.h"
#include "ui/widgets/facts.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static const struct column columns[] = {
    { N_("What"), 24, 1, false }, { N_("Kind"), 16, 0, false }, { N_("Id"), 36, 1, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

static const json_t *all_of(const struct snapshot *s)
{
    return json_object_get(snapshot_answer(s, screen_import.name), "containers");
}

static bool is_order(const char *kind)
{
    return strcmp(kind, "work-order") == 0;
}

static bool is_taken(const char *kind)
{
    return strcmp(kind, "bpp-bundle") == 0 || strcmp(kind, "euicc-data") == 0 ||
           strcmp(kind, "report-receipt") == 0;
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *j = json_array_get(ctx, i);
    const char *kind = json_word(j, "kind");
    bool ours = is_order(kind) || is_taken(kind);

    snprintf(out[0].text, sizeof out[0].text, "%s", container_word(v, kind));
    out[0].tone = ours ? TONE_BOLD : TONE_DIM;
    snprintf(out[1].text, sizeof out[1].text, "%s", ours ? kind : say(v, N_("not for import")));
    out[1].tone = TONE_DIM;
    snprintf(out[2].text, sizeof out[2].text, "%s", json_word(j, "id"));
    out[2].tone = ours ? TONE_PLAIN : TONE_DIM;
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    if (media_draw(g, &a, v) || no_answer(g, a, v))
        return;
    list_draw(g, a, v, columns, COLUMNS, json_array_size(all_of(v->s)), row, all_of(v->s),
              N_("Nothing that a station takes lies on this medium."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_import.name, screen_import.title };
    size_t shown = (size_t)screen_rest(&screen_import, &v, cols, rows);

    return media_act(d, s, a) || deeds_act(&screen_import, d, s, a) ||
           list_act(d, json_array_size(all_of(s)),
                    shown > MEDIA_ROWS + 1 ? shown - MEDIA_ROWS - 1 : 1, a);
}

/* --- what is done with it -------------------------------------------------------------- */

static const json_t *picked(const struct desk *d, const struct snapshot *s)
{
    size_t n = json_array_size(all_of(s));

    return *d->what && n ? json_array_get(all_of(s), d->at < n ? d->at : n - 1) : NULL;
}

static bool a_container(const struct desk *d, const struct snapshot *s)
{
    return is_taken(json_word(picked(d, s), "kind"));
}

static bool an_order(const struct desk *d, const struct snapshot *s)
{
    return is_order(json_word(picked(d, s), "kind"));
}

static bool its_folder(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    const char *path = json_word(picked(d, s), "container");

    snprintf(what, WHAT_CAP, "%s", path);
    return *path && strlen(path) < WHAT_CAP;
}

static void number(struct fact *f, const char *label, const json_t *j, const char *name)
{
    f->label = label;
    f->tone = TONE_BOLD;
    if (json_is_integer(json_object_get(j, name)))
        snprintf(f->value, sizeof f->value, "%lld", json_count(j, name));
}

/* What a receipt says of the report it answers. */
static void receipt_facts(const struct view *v, const json_t *j, struct fact f[3])
{
    number(&f[0], say(v, N_("acknowledges report")), j, "sequence");
    number(&f[1], say(v, N_("its records")), j, "records");
    number(&f[2], say(v, N_("accepted")), j, "accepted");
    if (json_count(j, "accepted") < json_count(j, "records"))
        f[2].tone = TONE_WARN;
}

static int show_imported(struct grid *g, struct area a, const struct view *v, const json_t *j)
{
    const json_t *receipt = json_object_get(j, "report");
    bool bundle = strcmp(json_word(j, "kind"), "bpp-bundle") == 0;
    struct fact f[6] = { { .label = "" } };
    struct area all = a;

    if (!*json_word(j, "kind"))
        return 0;
    f[0] = (struct fact){ .label = say(v, N_("What")), .tone = TONE_BOLD };
    snprintf(f[0].value, sizeof f[0].value, "%s", container_word(v, json_word(j, "kind")));
    f[1] = (struct fact){ .label = say(v, N_("from")), .tone = TONE_BOLD };
    snprintf(f[1].value, sizeof f[1].value, "%.64s", json_word(j, "issuer"));
    number(&f[2], say(v, N_("its number")), j, "sequence");
    if (receipt)
        receipt_facts(v, receipt, &f[3]);
    else
        number(&f[3], bundle ? say(v, N_("profiles")) : say(v, N_("eUICCs")), j, "records");
    if (!receipt && !bundle)
        number(&f[4], say(v, N_("one-time keys")), j, "keys");
    facts_draw(g, a, f, sizeof f / sizeof *f);
    area_take(&a, facts_rows(f, sizeof f / sizeof *f, a.w));
    if (json_count(j, "withoutDelete") > 0)
        area_take(&a, grid_wrap(g, a, TONE_WARN, say(v, N_("A return of some of these profiles cannot be proven: their SM-DPf asks for no delete notification."))));
    if (json_count(j, "missing") > 0)
        area_take(&a, grid_wrap(g, a, TONE_WARN, say(v, N_("Earlier ones of this issuer have not arrived: ask for them."))));
    return a.y - all.y;
}

static int show_order(struct grid *g, struct area a, const struct view *v, const json_t *j)
{
    struct fact f[3] = { { .label = "" } };

    if (!*json_word(j, "order"))
        return 0;
    f[0] = (struct fact){ .label = say(v, N_("Order")), .tone = TONE_BOLD };
    snprintf(f[0].value, sizeof f[0].value, "%.64s", json_word(j, "order"));
    f[1] = (struct fact){ .label = say(v, N_("Product")), .tone = TONE_BOLD };
    snprintf(f[1].value, sizeof f[1].value, "%.90s", json_word(j, "product"));
    number(&f[2], say(v, N_("Units")), j, "quantity");
    facts_draw(g, a, f, 3);
    int rows = facts_rows(f, 3, a.w);
    area_take(&a, rows);
    return rows + grid_wrap(g, a, TONE_PLAIN, say(v, N_("It is worked on when it is activated: LINESIDE-ORDERS.")));
}

static const struct choice steps[] = {
    { "opening", N_("Opening it: manifest, signature, certificates") },
    { "checking", N_("Checking every record") },
    { "keeping", N_("Taking it into the ledger") },
};
static const struct job_kind taking = { steps, 3, true, show_imported };
static const struct job_kind ordering = { steps, 3, true, show_order };
static const struct deed deeds[] = {
    { .verb = "import", .label = N_("Import this"), .can = a_container, .member = "container",
      .about = its_folder, .job = &taking,
      .sure = N_("All of it is checked first; it is taken in whole, or not at all.") },
    { .verb = "order-import", .label = N_("Import this work order"), .can = an_order,
      .member = "container", .about = its_folder, .job = &ordering,
      .sure = N_("It is checked first, and waits then to be activated.") },
};
static const struct part parts[] = {
    { head_draw, one_row },       { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = {
    .member = "folder", .deed = deeds, .deeds = sizeof deeds / sizeof *deeds,
    .opens = &screen_import, .chosen = media_chosen, .media = true,
};
#define EVERY_S 5
const struct screen screen_import = {
    "import", N_("Import"), N_("What lies on a medium; takes it in."), parts,
    sizeof parts / sizeof *parts, "media", EVERY_S, false, false, act, &does
};
