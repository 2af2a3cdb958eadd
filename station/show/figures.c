#include "station/show/figures.h"

#include <stdio.h>
#include <string.h>

void figures_clear(struct figures *f)
{
    json_decref(f->counts);
    json_decref(f->total);
    json_decref(f->codes);
    json_decref(f->fixtures);
    json_decref(f->operators);
    *f = (struct figures){ .counts = NULL };
}

#define KEY_MAX 1536

static void key_of(struct span s, char out[KEY_MAX])
{
    snprintf(out, KEY_MAX, "%.*s", (int)s.n, (const char *)s.p);
}

/* The object under this key, made when it is not there. */
static json_t *child(json_t *of, const char *key)
{
    json_t *o = json_object_get(of, key);

    if (o)
        return o;
    json_object_set_new(of, key, json_object());
    return json_object_get(of, key);
}

static void add_to(json_t *of, const char *key, uint64_t n)
{
    json_int_t now = json_integer_value(json_object_get(of, key));

    json_object_set_new(of, key, json_integer(now + (json_int_t)n));
}

static void begin(struct figures *f)
{
    if (f->counts)
        return;
    f->counts = json_array();
    f->total = json_object();
    f->codes = json_object();
    f->fixtures = json_object();
    f->operators = json_object();
}

void figures_add(struct figures *f, struct span fixture, struct span person,
                 enum shift_what what, struct span outcome, struct span code,
                 uint64_t n)
{
    const char *w = shift_what_name(what);
    char at[KEY_MAX], by[KEY_MAX], to[KEY_MAX], line[KEY_MAX];

    begin(f);
    key_of(fixture, at);
    key_of(person, by);
    key_of(outcome, to);
    json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s%, s:I}", "fixture", at,
                          "operator", by, "what", w, "outcome", to, "code",
                          (const char *)code.p, code.n, "n", (json_int_t)n);
    json_array_append_new(f->counts, j);
    snprintf(line, sizeof line, "%s%s%.64s%s%.*s", w, to[0] ? " " : "", to,
             code.n ? " " : "", (int)code.n, (const char *)code.p);
    add_to(f->codes, line, n);
    const char *key = to[0] ? to : w;
    add_to(child(f->total, w), key, n);
    add_to(child(child(f->fixtures, at), w), key, n);
    add_to(child(child(f->operators, by), w), key, n);
}

void figures_json(const struct figures *f, json_t *into)
{
    struct figures empty = { .counts = NULL };
    const struct figures *g = f;

    if (!f->counts) {
        begin(&empty);
        g = &empty;
    }
    json_object_set(into, "counts", g->counts);
    json_object_set(into, "total", g->total);
    json_object_set(into, "fixtures", g->fixtures);
    json_object_set(into, "operators", g->operators);
    figures_clear(&empty);
}
