#include "ui/scan/form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PIN_LEAST 4 /* docs/people.md */
#define PIN_MOST 12

static bool asked_for(const struct field *f)
{
    return f->kind < FIELD_TRUE;
}

static void next(struct form *f)
{
    while (f->at < f->deed->fields && !asked_for(&f->deed->field[f->at]))
        f->at++;
    f->row = 0;
}

void form_open(struct desk *d, const struct snapshot *s, const struct deed *deed,
               const char *about)
{
    form_forget(d);
    d->form.deed = deed;
    snprintf(d->form.about, sizeof d->form.about, "%s", about);
    snprintf(d->form.person, sizeof d->form.person, "%s", s->person);
    for (size_t i = 0; i < deed->fields; i++)
        if (deed->field[i].kind == FIELD_WHAT)
            snprintf(d->form.value[i], sizeof d->form.value[i], "%s", d->what);
    next(&d->form);
}

void form_forget(struct desk *d)
{
    if (d->form.deed)
        explicit_bzero(d->typed, sizeof d->typed);
    explicit_bzero(&d->form, sizeof d->form);
}

void form_back(struct desk *d)
{
    struct form *f = &d->form;
    size_t at = f->at;

    while (at > 0 && !asked_for(&f->deed->field[at - 1]))
        at--;
    if (at == 0) {
        form_forget(d);
        return;
    }
    f->at = at - 1;
    f->row = 0;
    explicit_bzero(f->value[f->at], sizeof f->value[f->at]);
}

void form_wipe_pins(struct desk *d)
{
    struct form *f = &d->form;
    size_t first = f->at;

    for (size_t i = 0; f->deed && i < f->deed->fields; i++) {
        enum field_kind k = f->deed->field[i].kind;
        if ((k != FIELD_PIN && k != FIELD_BADGE) || !*f->value[i])
            continue;
        explicit_bzero(f->value[i], sizeof f->value[i]);
        first = i < first ? i : first;
    }
    f->at = first;
    f->row = 0;
}

/* --- what can be chosen --------------------------------------------------------------------- */

void form_choose(struct desk *d, const struct snapshot *s, enum act a)
{
    const struct view v = { s, d, "", "" };
    const struct field *f = form_field(&d->form);
    struct option o;

    if (f && f->kind == FIELD_STAND) {
        bench_move(&d->form, s, a);
        return;
    }
    long step = a == ACT_UP || a == ACT_LEFT ? -1 : a == ACT_DOWN || a == ACT_RIGHT ? 1
              : a == ACT_BACK ? -10 : a == ACT_FORTH ? 10 : 0;

    for (; f && field_chooses(f) && step < 0 && d->form.row > 0; step++)
        d->form.row--;
    for (; f && step > 0 && field_option(f, &v, d->form.row + 1, &o); step--)
        d->form.row++;
}

/* What was scanned or typed is one of them, by its value or by how it is shown; nothing
 * was: the one that is chosen. */
static bool find_option(const struct desk *d, const struct snapshot *s, const struct field *f,
                        const char *text, struct option *out)
{
    const struct view v = { s, d, "", "" };

    if (!*text)
        return field_option(f, &v, d->form.row, out);
    for (size_t i = 0; field_option(f, &v, i, out); i++) {
        const struct slot *slot = f->kind == FIELD_FIXTURE ? snapshot_slot(s, out->value) : NULL;
        if (strcasecmp(out->value, text) == 0 || strcasecmp(out->text, text) == 0 ||
            (slot && *slot->place && strcmp(slot->place, text) == 0))
            return true;
    }
    return false;
}

/* --- shapes ------------------------------------------------------------------------------------ */

static size_t characters(const char *text)
{
    size_t n = 0;

    for (; *text; text++)
        n += ((uint8_t)*text & 0xC0) != 0x80;
    return n;
}

static bool is_number(const struct field *f, const char *text, char why[SENTENCE_CAP], enum lang l)
{
    char *end;

    errno = 0;
    long n = strtol(text, &end, 10);
    long most = f->most ? f->most : 999999999;
    if (strspn(text, "0123456789") == strlen(text) && !*end && !errno && n >= f->least && n <= most)
        return true;
    snprintf(why, SENTENCE_CAP, tr(l, N_("This is a whole number from %ld to %ld.")), f->least, most);
    return false;
}

static bool is_pin(const char *text, char why[SENTENCE_CAP], enum lang l)
{
    size_t n = strlen(text);

    if (n >= PIN_LEAST && n <= PIN_MOST && strspn(text, "0123456789") == n)
        return true;
    snprintf(why, SENTENCE_CAP, tr(l, N_("A PIN has %d to %d digits.")), PIN_LEAST, PIN_MOST);
    return false;
}

static bool is_as_long(const struct field *f, const char *text, char why[SENTENCE_CAP], enum lang l)
{
    long n = (long)characters(text), most = f->most ? f->most : TYPED_MAX;

    if (n >= f->least && n <= most)
        return true;
    snprintf(why, SENTENCE_CAP, f->least == most ? tr(l, N_("This has %ld characters, not %ld."))
                                                 : tr(l, N_("This has %ld to %ld characters.")),
             f->least == most ? most : f->least, f->least == most ? n : most);
    return false;
}

static bool has_shape(const struct field *f, const char *text, char why[SENTENCE_CAP], enum lang l)
{
    return f->kind == FIELD_PIN ? is_pin(text, why, l)
         : f->kind == FIELD_NUMBER ? is_number(f, text, why, l) : is_as_long(f, text, why, l);
}

/* --- taking --------------------------------------------------------------------------------------- */

/* Both are asked anew: nobody knows which one was mistyped. */
static bool is_the_same(struct form *f, const char *text, char why[SENTENCE_CAP], enum lang l)
{
    if (f->at > 0 && strcmp(f->value[f->at - 1], text) == 0)
        return true;
    snprintf(why, SENTENCE_CAP, "%s", tr(l, N_("The two are not the same. Type both again.")));
    if (f->at > 0)
        explicit_bzero(f->value[--f->at], sizeof f->value[0]);
    return false;
}

/* Where arrows have moved it, or "2 3" that was typed. */
static bool is_stand(const struct form *f, const struct snapshot *s, const char *text,
                     char out[WORD_CAP], char why[SENTENCE_CAP], enum lang l)
{
    int row, column, end = 0;

    if (!*text)
        bench_place(f, s, &row, &column);
    else if (strspn(text, "0123456789 ") != strlen(text) || strlen(text) > 8 ||
             sscanf(text, "%d %d%n", &row, &column, &end) != 2 || text[end]) {
        snprintf(why, SENTENCE_CAP, "%s", tr(l, N_("This is no place on a bench: a row and a column, such as 2 3.")));
        return false;
    }
    snprintf(out, WORD_CAP, "%d %d", row, column);
    return true;
}

static bool take(struct desk *d, const struct snapshot *s, const struct field *f,
                 const char *text, char why[SENTENCE_CAP])
{
    struct form *form = &d->form;
    char stand[WORD_CAP];
    struct option o;

    if (f->prefix && strncasecmp(text, f->prefix, strlen(f->prefix)) == 0)
        text += strlen(f->prefix);
    if (field_chooses(f)) {
        if (!find_option(d, s, f, text, &o)) {
            snprintf(why, SENTENCE_CAP, "%s", tr(d->lang, N_("This is none of those that can be chosen.")));
            return false;
        }
        text = o.value;
    } else if (f->kind == FIELD_STAND) {
        if (!is_stand(form, s, text, stand, why, d->lang))
            return false;
        text = stand;
    } else if (!*text && !f->optional) {
        snprintf(why, SENTENCE_CAP, "%s", tr(d->lang, N_("This cannot be left out.")));
        return false;
    } else if (!f->member) {
        if (!is_the_same(form, text, why, d->lang))
            return false;
    } else if (*text && !has_shape(f, text, why, d->lang)) {
        return false;
    }
    snprintf(form->value[form->at], sizeof form->value[0], "%s", text);
    form->at++;
    next(form);
    return true;
}

bool form_take(struct desk *d, const struct snapshot *s, char why[SENTENCE_CAP])
{
    const struct field *f = form_field(&d->form);
    char text[TYPED_MAX + 1];

    memcpy(text, d->typed, sizeof text);
    explicit_bzero(d->typed, sizeof d->typed);
    bool good = f && take(d, s, f, text, why);
    if (!f)
        snprintf(why, SENTENCE_CAP, "%s", tr(d->lang, N_("All is told: Enter alone does it, Esc goes back.")));
    explicit_bzero(text, sizeof text);
    return good;
}

/* --- members ----------------------------------------------------------------------------------------- */

static json_t *value_of(const struct field *f, const char *text)
{
    return f->kind == FIELD_TRUE || f->kind == FIELD_FALSE ? json_boolean(f->kind == FIELD_TRUE)
         : f->kind == FIELD_NUMBER ? json_integer(strtol(text, NULL, 10)) : json_string(text);
}

/* "second.pin", "recipes[]", "reason" */
static int put(json_t *members, const char *name, json_t *value)
{
    const char *dot = strchr(name, '.'), *list = strstr(name, "[]");
    size_t n = strcspn(name, ".[");
    char whole[WORD_CAP];

    if (!dot && !list)
        return json_object_set_new(members, name, value);
    snprintf(whole, sizeof whole, "%.*s", (int)n, name);
    json_t *in = json_object_get(members, whole);
    if (!in && json_object_set_new(members, whole, in = dot ? json_object() : json_array()) != 0)
        in = NULL;
    return dot ? json_object_set_new(in, dot + 1, value) : json_array_append_new(in, value);
}

static int put_stand(json_t *members, const char *text)
{
    int row = 0, column = 0;

    sscanf(text, "%d %d", &row, &column);
    return json_object_set_new(members, "row", json_integer(row)) != 0 ||
           json_object_set_new(members, "column", json_integer(column)) != 0 ? -1 : 0;
}

bool form_members(const struct form *f, json_t *members)
{
    for (size_t i = 0; f->deed && i < f->deed->fields; i++) {
        const struct field *one = &f->deed->field[i];
        bool given = *f->value[i] || one->kind == FIELD_TRUE || one->kind == FIELD_FALSE || one->empty;
        if (!one->member || !given)
            continue;
        if (one->kind == FIELD_STAND) {
            if (put_stand(members, f->value[i]) != 0)
                return false;
            continue;
        }
        if (put(members, one->member, value_of(one, f->value[i])) != 0)
            return false;
    }
    return true;
}
