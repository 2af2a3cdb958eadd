/* One work order: how far it is, its recipes, what is in stock for it; and its
 * beginning and end. */
#include "ui/screens/screens.h"
#include "ui/widgets/bar.h"
#include "ui/widgets/facts.h"
#include "ui/widgets/parts.h"
#include "ui/widgets/table.h"
#include "ui/words/told.h"

#include <stdio.h>
#include <string.h>

static const json_t *order_of(const struct snapshot *s)
{
    return snapshot_answer(s, screen_order.name);
}

/* --- what it is ------------------------------------------------------------------------ */

enum { FACT_STATE, FACT_PRODUCT, FACT_SERIALS, FACT_DONE, FACT_FAILED, FACT_OPEN, FACTS };

static void all_facts(const struct view *v, const json_t *o, struct fact f[FACTS])
{
    for (int i = 0; i < FACTS; i++)
        f[i] = (struct fact){ .label = "", .tone = TONE_BOLD };
    f[FACT_STATE].label = say(v, N_("State"));
    snprintf(f[FACT_STATE].value, sizeof f->value, "%s", order_state_word(v->d->lang, json_word(o, "state")));
    f[FACT_PRODUCT].label = say(v, N_("Product"));
    snprintf(f[FACT_PRODUCT].value, sizeof f->value, "%s", json_word(o, "product"));
    f[FACT_SERIALS].label = say(v, N_("Serial numbers"));
    snprintf(f[FACT_SERIALS].value, sizeof f->value, "%s", json_word(o, "serials"));
    f[FACT_DONE].label = say(v, N_("Done"));
    snprintf(f[FACT_DONE].value, sizeof f->value, say(v, N_("%lld passed, %lld stocked of %lld, %lld to go")),
             json_count(o, "passed"), json_count(o, "stocked"), json_count(o, "quantity"),
             json_count(o, "left"));
    f[FACT_FAILED].label = say(v, N_("Failed"));
    snprintf(f[FACT_FAILED].value, sizeof f->value, "%lld", json_count(o, "failed"));
    f[FACT_FAILED].tone = json_count(o, "failed") > 0 ? TONE_WARN : TONE_BOLD;
    f[FACT_OPEN].label = say(v, N_("At work"));
    snprintf(f[FACT_OPEN].value, sizeof f->value, "%lld", json_count(o, "open"));
}

#define TOP_ROWS 6 /* heading, bar, figures */
static int top_height(const struct view *v, int cols, int rows)
{
    (void)v, (void)cols;
    return rows < TOP_ROWS + 10 ? 2 : TOP_ROWS;
}

static void draw_top(struct grid *g, struct area a, const struct view *v)
{
    const json_t *o = order_of(v->s);
    struct fact f[FACTS];
    char text[WHAT_CAP + NAME_CAP];

    snprintf(text, sizeof text, "%s %s", say(v, N_("Order")), o ? json_word(o, "order") : v->d->what);
    grid_text(g, a.x + 1, a.y, a.w - 1, TONE_HEAD, text);
    if (!o)
        return;
    long long left = json_count(o, "left"), all = json_count(o, "quantity");
    bar_draw(g, (struct area){ a.x + 1, a.y + 1, a.w - 2, a.h > 1 }, TONE_PLAIN,
             left >= 0 && left <= all ? all - left : 0, all);
    all_facts(v, o, f);
    if (a.h > 2)
        facts_draw(g, (struct area){ a.x + 1, a.y + 2, a.w - 1, a.h - 3 }, f, FACTS);
}

/* --- recipes, stock, findings: lines of text ---------------------------------------------- */

struct lines {
    struct grid *g;
    struct area a;
    size_t skip; /* rows that are above what is seen */
};

static void line(struct lines *l, int indent, enum tone t, const char *text)
{
    struct area in = { l->a.x + indent, l->a.y, l->a.w - indent, l->a.h };
    int rows = text_rows(text, in.w);

    if (l->skip > 0) {
        l->skip--;
        return;
    }
    if (in.h <= 0)
        return;
    grid_wrap(l->g, in, t, text);
    area_take(&l->a, rows);
}

static void recipe_lines(struct lines *l, const json_t *o)
{
    const json_t *one;
    char text[1024];
    size_t i;

    json_array_foreach(json_object_get(o, "recipes"), i, one) {
        snprintf(text, sizeof text, "%s: %s", json_word(one, "position"), json_word(one, "recipe"));
        line(l, 1, TONE_PLAIN, text);
    }
}

static void stock_lines(struct lines *l, const struct view *v, const json_t *o)
{
    const json_t *one, *wish;
    char text[1024];
    size_t i, k;

    json_array_foreach(json_object_get(o, "stock"), i, one) {
        snprintf(text, sizeof text, say(v, N_("In stock for %s: complete for %lld eUICCs")),
                 json_word(one, "position"), json_count(one, "complete"));
        line(l, 1, TONE_BOLD, text);
        json_array_foreach(json_object_get(one, "profiles"), k, wish) {
            snprintf(text, sizeof text, say(v, N_("%s: %lld profiles for %lld eUICCs")),
                     json_word(wish, "profile"), json_count(wish, "bpps"), json_count(wish, "euiccs"));
            line(l, 3, TONE_PLAIN, text);
        }
    }
}

static void finding_lines(struct lines *l, const struct view *v, const json_t *o)
{
    const json_t *one;
    char text[4 * SENTENCE_CAP];
    size_t i;

    json_array_foreach(json_object_get(o, "findings"), i, one)
        line(l, 1, json_is_true(json_object_get(one, "refuses")) ? TONE_WARN : TONE_PLAIN,
             told(v->d->lang, NULL, json_word(one, "text"), text, sizeof text));
}

static void fixture_lines(struct lines *l, const struct view *v, const json_t *o)
{
    const json_t *one;
    char text[256];
    size_t i;

    json_array_foreach(json_object_get(o, "fixtures"), i, one) {
        snprintf(text, sizeof text, "%s %s %s", say(v, N_("Fixture")), json_word(one, "fixture"),
                 json_word(one, "position"));
        line(l, 1, TONE_PLAIN, text);
    }
}

static size_t count_lines(const json_t *o)
{
    size_t n = json_array_size(json_object_get(o, "recipes")) +
               json_array_size(json_object_get(o, "findings")) +
               json_array_size(json_object_get(o, "fixtures")), i;
    const json_t *one;

    json_array_foreach(json_object_get(o, "stock"), i, one)
        n += 1 + json_array_size(json_object_get(one, "profiles"));
    return n;
}

static void draw(struct grid *g, struct area a, const struct view *v)
{
    const json_t *o = order_of(v->s);
    struct lines l = { g, a, v->d->at };

    if (!*v->d->what) {
        grid_wrap(g, (struct area){ a.x + 1, a.y, a.w - 1, a.h }, TONE_BOLD,
                  say(v, N_("Scan an order's barcode, or type its number; or Enter makes a new one.")));
        return;
    }
    if (no_answer(g, a, v))
        return;
    finding_lines(&l, v, o);
    recipe_lines(&l, o);
    stock_lines(&l, v, o);
    fixture_lines(&l, v, o);
}

/* --- deeds -------------------------------------------------------------------------------- */

static bool is_in(const struct snapshot *s, const char *state)
{
    return strcmp(json_word(order_of(s), "state"), state) == 0;
}

static bool waiting(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return is_in(s, "waiting");
}

static bool not_closed(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return is_in(s, "waiting") || is_in(s, "active");
}

static bool none_chosen(const struct desk *d, const struct snapshot *s)
{
    return !*d->what && s->linked;
}

static bool is_active(const struct desk *d, const struct snapshot *s)
{
    (void)d;
    return is_in(s, "active");
}

static const json_t *fixture_at(const struct snapshot *s, size_t i)
{
    return json_array_get(json_object_get(order_of(s), "fixtures"), i);
}

static bool has_fixtures(const struct desk *d, const struct snapshot *s)
{
    return is_active(d, s) && fixture_at(s, 0);
}

static bool its_fixture(const struct desk *d, const struct snapshot *s, size_t i, struct option *out)
{
    (void)d;
    snprintf(out->value, sizeof out->value, "%s", json_word(fixture_at(s, i), "fixture"));
    snprintf(out->text, sizeof out->text, "%s", out->value);
    return *out->value;
}

static const struct field bound[] = {
    { .member = "fixture", .label = N_("Fixture"), .kind = FIELD_FIXTURE },
    { .member = "position", .label = N_("One of its positions"), .kind = FIELD_TEXT, .optional = true, .most = 32 },
};
static const struct field unbound[] = {
    { .member = "fixture", .label = N_("Fixture"), .kind = FIELD_CHOICE, .option = its_fixture },
};
#define RECIPE_MAX 255
static const struct field made[] = {
    { .member = "order", .label = N_("Order number"), .kind = FIELD_SCAN, .prefix = "order:", .least = 1, .most = 32 },
    { .member = "product", .label = N_("Product"), .kind = FIELD_TEXT, .least = 1, .most = 64 },
    { .member = "quantity", .label = N_("Units"), .kind = FIELD_NUMBER, .least = 1 },
    { .member = "recipes[]", .label = N_("Recipe"), .kind = FIELD_TEXT, .least = 1, .most = RECIPE_MAX },
    { .member = "recipes[]", .label = N_("Recipe of another position"), .kind = FIELD_TEXT, .optional = true, .most = RECIPE_MAX },
    { .member = "recipes[]", .label = N_("Recipe of another position"), .kind = FIELD_TEXT, .optional = true, .most = RECIPE_MAX },
    { .member = "serials", .label = N_("Serial numbers"), .kind = FIELD_TEXT, .optional = true, .most = 64 },
};
static const struct deed deeds[] = {
    { .verb = "order-make", .label = N_("Make a new order"), .can = none_chosen, FORM(made),
      .sure = N_("The order waits then; nothing is worked on by it before it is activated.") },
    { .verb = "order-activate", .label = N_("Activate this order"), .can = waiting, .member = "order",
      .sure = N_("This order is held against the stock; then fixtures can be given it, and the line works by orders alone.") },
    { .verb = "order-bind", .label = N_("Let a fixture work by this order"), .can = is_active, .member = "order", FORM(bound),
      .sure = N_("Units in that fixture are worked on by this order, until it is given another one.") },
    { .verb = "order-close", .label = N_("Close this order"), .can = not_closed, .member = "order",
      .sure = N_("No unit is worked on by this order any more, and its fixtures are free. It cannot be opened again.") },
    { .verb = "order-unbind", .label = N_("Take it from a fixture"), .can = has_fixtures, FORM(unbound),
      .sure = N_("That fixture works by no order then.") },
};

static bool act(struct desk *d, const struct snapshot *s, int cols, int rows, enum act a)
{
    const struct view v = { s, d, screen_order.name, screen_order.title };
    size_t shown = (size_t)screen_rest(&screen_order, &v, cols, rows);

    if (a == ACT_BACK || a == ACT_FORTH)
        return table_act(d, count_lines(order_of(s)), shown > 0 ? shown : 1, a);
    return deeds_act(&screen_order, d, s, a == ACT_UP ? ACT_LEFT : a == ACT_DOWN ? ACT_RIGHT : a);
}

static const struct part parts[] = {
    { head_draw, one_row },       { draw_top, top_height }, { draw, NULL },
    { deeds_draw, deeds_height }, { message_draw, message_height }, { keyline_draw, one_row },
};
static const struct doings does = {
    .member = "order", .prefix = "order:", .deed = deeds, .deeds = sizeof deeds / sizeof *deeds,
};
/* Not often: the line counts the whole stock for it. */
#define EVERY_S 60
const struct screen screen_order = {
    "order", N_("Order"), N_("One work order, by a scan: recipe, stock, activate, close."), parts,
    sizeof parts / sizeof *parts, "order", EVERY_S, true, false, act, &does
};
