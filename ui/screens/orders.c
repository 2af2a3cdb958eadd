/* Work orders: all of them; Enter opens one. */
#include "ui/screens/screens.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"

#include <stdio.h>
#include <string.h>

static const struct column columns[] = {
    { N_("Order"), 16, 1, false },  { N_("Product"), 14, 2, false }, { N_("State"), 10, 0, false },
    { N_("done"), 7, 0, true },     { N_("of"), 7, 0, true },        { N_("to go"), 7, 0, true },
    { N_("Fixtures"), 12, 2, false },
};
#define COLUMNS (sizeof columns / sizeof *columns)

static const json_t *all_of(const struct snapshot *s)
{
    return json_object_get(snapshot_answer(s, screen_orders.name), "orders");
}

/* The newest first: what they answer is in the order they came. */
static const json_t *order_at(const json_t *all, size_t i)
{
    size_t n = json_array_size(all);

    return i < n ? json_array_get(all, n - 1 - i) : NULL;
}

static void fixtures_text(const json_t *order, char *out, size_t cap)
{
    const json_t *all = json_object_get(order, "fixtures"), *one;
    size_t i, n = 0;

    *out = '\0';
    json_array_foreach(all, i, one)
        if (n < cap)
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? " " : "", json_word(one, "fixture"));
}

static void number(struct cell_text *c, long long n)
{
    snprintf(c->text, sizeof c->text, "%lld", n);
}

static void row(const struct view *v, const void *ctx, size_t i, struct cell_text *out)
{
    const json_t *o = order_at(ctx, i);
    const char *state = json_word(o, "state");
    bool active = strcmp(state, "active") == 0;

    snprintf(out[0].text, sizeof out[0].text, "%s", json_word(o, "order"));
    out[0].tone = active ? TONE_BOLD : TONE_PLAIN;
    snprintf(out[1].text, sizeof out[1].text, "%s", json_word(o, "product"));
    snprintf(out[2].text, sizeof out[2].text, "%s", order_state_word(v->d->lang, state));
    out[2].tone = active ? TONE_BOLD : TONE_DIM;
    number(&out[3], (long long)((unsigned long long)json_count(o, "passed") +
                                (unsigned long long)json_count(o, "stocked")));
    number(&out[4], json_count(o, "quantity"));
    number(&out[5], json_count(o, "left"));
    fixtures_text(o, out[6].text, sizeof out[6].text);
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *all = all_of(v->s);

    if (no_answer(g, a, v))
        return;
    struct area hint = area_take(&a, 2);
    grid_text(g, hint.x + 1, hint.y, hint.w - 1, TONE_DIM,
              say(v, N_("Arrows choose an order, Enter opens it.")));
    list_draw(g, a, v, columns, COLUMNS, json_array_size(all), row, all,
              N_("There is no work order here yet."));
}

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_orders.name, screen_orders.title };
    size_t shown = (size_t)screen_rest(&screen_orders, &v, cols, rows);

    return list_act(d, json_array_size(all_of(s)), shown > 3 ? shown - 3 : 1, a);
}

static bool chosen(const struct desk *d, const struct snapshot *s, char what[WHAT_CAP])
{
    const char *name = json_word(order_at(all_of(s), d->at), "order");

    snprintf(what, WHAT_CAP, "%s", name);
    return *name;
}

static const struct part parts[] = {
    { head_draw, one_row }, { draw, NULL }, { message_draw, message_height },
    { keyline_draw, one_row },
};
static const struct doings does = { .opens = &screen_order, .chosen = chosen };
const struct screen screen_orders = {
    "orders", N_("Orders"), N_("Every work order, and how far it is."), parts,
    sizeof parts / sizeof *parts, "orders", 5, false, false, act, &does
};
