#include "station/cmd/orders_print.h"

#include "station/base/clock.h"

#include <stdio.h>
#include <string.h>

/* --- parts --------------------------------------------------------------------- */

static json_t *fixtures_json(const struct order_info *o,
                             const struct order_bindings *b)
{
    json_t *a = json_array();

    for (size_t i = 0; i < b->n; i++)
        if (b->v[i].order.id == o->id)
            json_array_append_new(a, json_pack("{s:s, s:s}", "fixture",
                                               b->v[i].fixture, "position",
                                               b->v[i].position));
    return a;
}

static json_t *order_json(const struct order_info *o,
                          const struct order_bindings *b)
{
    json_t *j = json_pack(
        "{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o}", "order", o->number, "product",
        o->product, "state", order_state_name(o->state), "serials", o->serials,
        "quantity", (json_int_t)o->quantity, "left", (json_int_t)order_left(o),
        "event", (json_int_t)o->event, "fixtures", fixtures_json(o, b));

    for (int i = 0; i < ORDER_UNIT_STATES; i++)
        json_object_set_new(j, order_unit_state_name((enum order_unit_state)i),
                            json_integer((json_int_t)o->units[i]));
    if (*o->container) {
        json_object_set_new(j, "container", json_string(o->container));
        json_object_set_new(j, "issuer", json_string(o->issuer));
    }
    return j;
}

static void put(json_t *j)
{
    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(j);
}

static void print_fixtures(const struct order_info *o,
                           const struct order_bindings *b)
{
    const char *before = "";

    for (size_t i = 0; i < b->n; i++) {
        if (b->v[i].order.id != o->id)
            continue;
        printf("%s%s%s%s", before, b->v[i].fixture, *b->v[i].position ? ":" : "",
               b->v[i].position);
        before = ", ";
    }
    puts(*before ? "" : "-");
}

/* --- all ------------------------------------------------------------------------- */

void orders_print(const struct order_list *l, const struct order_bindings *b,
                  bool json)
{
    json_t *all = json ? json_array() : NULL;

    if (!json && l->n == 0)
        puts("there is no order yet; `lineside orders import` takes one in, "
             "`lineside orders new` makes one");
    if (!json && l->n)
        printf("%-16s %-8s %9s %9s %9s %9s %9s %9s  %s\n", "ORDER", "STATE",
               "QUANTITY", "PASSED", "STOCKED", "FAILED", "AT WORK", "LEFT",
               "FIXTURES");
    for (size_t i = 0; i < l->n; i++) {
        const struct order_info *o = &l->v[i];
        if (json) {
            json_array_append_new(all, order_json(o, b));
            continue;
        }
        printf("%-16s %-8s %9llu %9llu %9llu %9llu %9llu %9llu  ", o->number,
               order_state_name(o->state), (unsigned long long)o->quantity,
               (unsigned long long)o->units[ORDER_UNIT_PASSED],
               (unsigned long long)o->units[ORDER_UNIT_STOCKED],
               (unsigned long long)o->units[ORDER_UNIT_FAILED],
               (unsigned long long)o->units[ORDER_UNIT_OPEN],
               (unsigned long long)order_left(o));
        print_fixtures(o, b);
    }
    if (json)
        put(json_pack("{s:o}", "orders", all));
}

/* --- one -------------------------------------------------------------------------- */

static json_t *recipes_json(const struct order_spec *s)
{
    char text[ORDER_RECIPE_TEXT_MAX];
    json_t *a = json_array();

    for (size_t i = 0; i < s->positions; i++)
        json_array_append_new(a, json_pack("{s:s, s:s}", "position",
                                           s->recipe[i].position, "recipe",
                                           order_recipe_text(&s->recipe[i], text)));
    return a;
}

static void print_one(const struct order_info *o, const struct order_spec *s,
                      const struct order_bindings *b)
{
    char text[ORDER_RECIPE_TEXT_MAX], when[24];

    printf("order     %s: %s, %s\n", o->number, o->product,
           order_state_name(o->state));
    if (*o->container)
        printf("from      %s, work-order %s, to be made until %s\n", o->issuer,
               o->container, clock_text(o->not_after, when));
    else
        puts("from      this station");
    printf("barcode   %s%s\n", ORDER_SCAN_PREFIX, o->number);
    printf("serials   %s\n", o->serials);
    printf("units     %llu: %llu passed, %llu stocked, %llu failed, %llu at "
           "work, %llu left\n", (unsigned long long)o->quantity,
           (unsigned long long)o->units[ORDER_UNIT_PASSED],
           (unsigned long long)o->units[ORDER_UNIT_STOCKED],
           (unsigned long long)o->units[ORDER_UNIT_FAILED],
           (unsigned long long)o->units[ORDER_UNIT_OPEN],
           (unsigned long long)order_left(o));
    for (size_t i = 0; i < s->positions; i++)
        printf("recipe    %s: %s\n", s->recipe[i].position,
               order_recipe_text(&s->recipe[i], text));
    printf("fixtures  ");
    print_fixtures(o, b);
}

void order_print(const struct order_info *o, const struct order_spec *s,
                 const struct order_bindings *b, bool json)
{
    if (!json) {
        print_one(o, s, b);
        return;
    }
    json_t *j = order_json(o, b);
    char barcode[sizeof ORDER_SCAN_PREFIX + ORDER_NUMBER_MAX];

    snprintf(barcode, sizeof barcode, "%s%s", ORDER_SCAN_PREFIX, o->number);
    json_object_set_new(j, "barcode", json_string(barcode));
    json_object_set_new(j, "recipes", recipes_json(s));
    put(j);
}

/* --- an assessment ------------------------------------------------------------------ */

static json_t *stock_json(const struct order_spec *s,
                          const struct order_assessment *a)
{
    char text[ORDER_RECIPE_TEXT_MAX];
    json_t *all = json_array();

    for (size_t i = 0; i < s->positions; i++) {
        json_t *wishes = json_array();
        for (size_t w = 0; w < s->recipe[i].wants; w++)
            json_array_append_new(wishes, json_pack(
                "{s:s, s:I, s:I}", "profile",
                order_wanted_text(&s->recipe[i].want[w], text), "bpps",
                (json_int_t)a->stock[i].wish[w].bpps, "euiccs",
                (json_int_t)a->stock[i].wish[w].euiccs));
        json_array_append_new(all, json_pack("{s:s, s:I, s:o}", "position",
                                             s->recipe[i].position, "complete",
                                             (json_int_t)a->stock[i].complete,
                                             "profiles", wishes));
    }
    return all;
}

static void print_stock(const struct order_spec *s,
                        const struct order_assessment *a)
{
    char text[ORDER_RECIPE_TEXT_MAX];

    for (size_t i = 0; i < s->positions; i++) {
        for (size_t w = 0; w < s->recipe[i].wants; w++)
            printf("in stock  %s, profile %zu (%s): %llu for %llu eUICCs\n",
                   s->recipe[i].position, w + 1,
                   order_wanted_text(&s->recipe[i].want[w], text),
                   (unsigned long long)a->stock[i].wish[w].bpps,
                   (unsigned long long)a->stock[i].wish[w].euiccs);
        if (s->recipe[i].wants)
            printf("complete  %s: %llu eUICCs; %llu units are left\n",
                   s->recipe[i].position,
                   (unsigned long long)a->stock[i].complete,
                   (unsigned long long)a->left);
    }
}

void order_print_assessment(const struct order_info *o,
                            const struct order_spec *s,
                            const struct order_assessment *a,
                            json_t *findings, bool json)
{
    if (json)
        put(json_pack("{s:s, s:b, s:I, s:o, s:O}", "order", o->number, "activated",
                      a->refusals == 0, "left", (json_int_t)a->left, "stock",
                      stock_json(s, a), "findings", findings));
    else
        print_stock(s, a);
}
