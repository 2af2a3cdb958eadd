/* A deed's form: what was told so far, what is asked for now, and what comes of it. */
#include "ui/screens/screens.h"

#include <stdio.h>
#include <string.h>

bool field_chooses(const struct field *f)
{
    return f->kind == FIELD_CHOICE || f->kind == FIELD_FIXTURE || f->kind == FIELD_PLACE;
}

static bool place_option(const struct view *v, size_t i, struct option *out)
{
    if (i >= v->s->places)
        return false;
    const struct place *p = &v->s->place[i];
    snprintf(out->value, sizeof out->value, "%s", p->path);
    snprintf(out->text, sizeof out->text, "%s  (%s)", p->name,
             p->mounted ? say(v, N_("medium")) : say(v, N_("a folder of this station, no medium")));
    return true;
}

bool field_option(const struct field *f, const struct view *v, size_t i, struct option *out)
{
    if (f->optional && field_chooses(f) && i-- == 0) {
        *out->value = '\0';
        snprintf(out->text, sizeof out->text, "%s", say(v, N_("none")));
        return true;
    }
    if (f->kind == FIELD_PLACE)
        return place_option(v, i, out);
    if (f->kind == FIELD_FIXTURE && i < v->s->slots) {
        snprintf(out->value, sizeof out->value, "%s", v->s->slot[i].name);
        snprintf(out->text, sizeof out->text, "%s", v->s->slot[i].name);
        return true;
    }
    if (f->kind != FIELD_CHOICE)
        return false;
    if (f->option)
        return f->option(v->d, v->s, i, out);
    if (i >= f->count)
        return false;
    snprintf(out->value, sizeof out->value, "%s", f->choices[i].value);
    snprintf(out->text, sizeof out->text, "%s", say(v, f->choices[i].text));
    return true;
}

const struct field *form_field(const struct form *f)
{
    return f->deed && f->at < f->deed->fields ? &f->deed->field[f->at] : NULL;
}

/* --- what was told ----------------------------------------------------------------------- */

static void stars(const char *value, char *out, size_t cap)
{
    size_t n = strlen(value);

    n = n < 12 ? n : 12;
    snprintf(out, cap, "%.*s", (int)n, "************");
}

/* As somebody may see it who looks over a shoulder. */
static void shown(const struct view *v, const struct field *f, const char *value,
                  char *out, size_t cap)
{
    struct option o;

    if (f->kind == FIELD_PIN || f->kind == FIELD_BADGE) {
        stars(value, out, cap);
        return;
    }
    int row, column;
    if (f->kind == FIELD_STAND && sscanf(value, "%d %d", &row, &column) == 2) {
        snprintf(out, cap, say(v, N_("row %d, column %d")), row, column);
        return;
    }
    snprintf(out, cap, "%s", *value ? value : "-");
    for (size_t i = 0; field_chooses(f) && field_option(f, v, i, &o); i++)
        if (strcmp(o.value, value) == 0)
            snprintf(out, cap, "%s", o.text);
}

static void draw_told(struct grid *g, struct area row, const struct view *v, size_t i)
{
    const struct field *f = &v->d->form.deed->field[i];
    char text[WHAT_CAP];

    shown(v, f, v->d->form.value[i], text, sizeof text);
    int used = grid_text(g, row.x + 3, row.y, row.w - 3, TONE_DIM, say(v, f->label)) + 5;
    grid_text(g, row.x + used, row.y, row.w - used, TONE_BOLD, text);
}

/* --- what is asked for -------------------------------------------------------------------- */

static const char *hint(const struct view *v, const struct field *f)
{
    return f->optional ? say(v, N_("Type it, then Enter; Enter alone leaves it out. Esc goes back."))
         : f->kind == FIELD_PIN ? say(v, N_("Type the PIN, then Enter. Esc goes back."))
         : f->kind == FIELD_NUMBER || f->kind == FIELD_TEXT ? say(v, N_("Type it, then Enter. Esc goes back."))
         : f->kind == FIELD_CHOICE || f->kind == FIELD_PLACE ? say(v, N_("Arrows choose, Enter takes it. Esc goes back."))
         : f->kind == FIELD_STAND ? say(v, N_("Arrows move it, Enter leaves it there. Row 1 is the farthest. Esc goes back."))
         : f->kind == FIELD_FIXTURE ? say(v, N_("Scan its label, or choose it with the arrows. Esc goes back."))
                                    : say(v, N_("Scan it, or type it, then Enter. Esc goes back."));
}

static void draw_input(struct grid *g, struct area field, const struct view *v,
                       const struct field *f)
{
    char masked[16];
    const char *text = v->d->prompt == PROMPT_NONE ? v->d->typed : "";

    stars(text, masked, sizeof masked);
    if (f->kind == FIELD_PIN)
        text = masked;
    grid_fill(g, field, ' ', TONE_INPUT);
    /* Of a long text the end is what is being typed. */
    while (*text && text_width(text) > field.w - 1)
        text_next(&text);
    int used = grid_text(g, field.x, field.y, field.w, TONE_INPUT, text);
    grid_text(g, field.x + used, field.y, 1, TONE_INPUT, "_");
}

static void draw_options(struct grid *g, struct area a, const struct view *v,
                         const struct field *f)
{
    size_t page = a.h > 0 ? (size_t)a.h : 1, first = v->d->form.row - v->d->form.row % page;
    struct option o;

    for (int y = 0; y < a.h && field_option(f, v, first + (size_t)y, &o); y++) {
        struct area row = area_row(a, y);
        bool picked = first + (size_t)y == v->d->form.row;
        enum tone t = picked ? TONE_INPUT : TONE_PLAIN;
        grid_fill(g, row, ' ', t);
        grid_text(g, row.x + 1, row.y, 1, t, picked ? "►" : " ");
        grid_text(g, row.x + 3, row.y, row.w - 3, t, o.text);
    }
    if (a.h > 0 && !field_option(f, v, 0, &o))
        grid_text(g, a.x + 3, a.y, a.w - 3, TONE_WARN, say(v, N_("There is none to choose now.")));
}

static void draw_asked(struct grid *g, struct area a, const struct view *v,
                       const struct field *f)
{
    struct area row = area_take(&a, 1);

    int used = grid_text(g, row.x + 1, row.y, row.w - 1, TONE_BOLD, "►") + 2;
    used += grid_text(g, row.x + used, row.y, row.w - used, TONE_BOLD, say(v, f->label)) + 2;
    if ((!field_chooses(f) && f->kind != FIELD_STAND) || (*v->d->typed && v->d->prompt == PROMPT_NONE))
        draw_input(g, (struct area){ row.x + used, row.y, row.w - used, 1 }, v, f);
    struct area below = area_take(&a, 2);
    grid_wrap(g, (struct area){ below.x + 3, below.y, below.w - 3, below.h }, TONE_DIM, hint(v, f));
    if (field_chooses(f))
        draw_options(g, a, v, f);
    else if (f->kind == FIELD_STAND)
        bench_draw(g, a, v);
}

static void draw_sure(struct grid *g, struct area a, const struct view *v)
{
    int rows = grid_wrap(g, a, TONE_WARN, say(v, v->d->form.deed->sure));

    area_take(&a, rows);
    grid_wrap(g, a, TONE_BOLD, v->d->form.sent ? say(v, N_("The line is at it ..."))
                               : say(v, N_("Enter does it. Esc goes back.")));
}

void form_draw(struct grid *g, struct area a, const struct view *v)
{
    const struct form *f = &v->d->form;
    const struct field *asked = form_field(f);
    struct area head = area_take(&a, 2);

    int used = grid_text(g, head.x + 1, head.y, head.w - 1, TONE_HEAD, say(v, f->deed->label)) + 3;
    grid_text(g, head.x + used, head.y, head.w - used, TONE_BOLD, f->about);
    for (size_t i = 0; i < f->at && i < f->deed->fields; i++)
        if (f->deed->field[i].kind < FIELD_TRUE)
            draw_told(g, area_take(&a, 1), v, i);
    if (a.y > head.y + 2)
        area_take(&a, 1);
    if (asked)
        draw_asked(g, a, v, asked);
    else
        draw_sure(g, (struct area){ a.x + 1, a.y, a.w - 2, a.h }, v);
}
