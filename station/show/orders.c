#include "station/show/orders.h"

#include <stdio.h>

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

json_t *show_orders(const struct order_list *l, const struct order_bindings *b)
{
    json_t *all = json_array();

    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(all, order_json(&l->v[i], b));
    return json_pack("{s:o}", "orders", all);
}

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

json_t *show_order(const struct order_info *o, const struct order_spec *s,
                   const struct order_bindings *b)
{
    json_t *j = order_json(o, b);
    char barcode[sizeof ORDER_SCAN_PREFIX + ORDER_NUMBER_MAX];

    snprintf(barcode, sizeof barcode, "%s%s", ORDER_SCAN_PREFIX, o->number);
    json_object_set_new(j, "barcode", json_string(barcode));
    json_object_set_new(j, "recipes", recipes_json(s));
    return j;
}

json_t *show_order_stock(const struct order_spec *s,
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

json_t *show_assessment(const struct order_info *o, const struct order_spec *s,
                        const struct order_assessment *a, json_t *findings)
{
    return json_pack("{s:s, s:b, s:I, s:o, s:O}", "order", o->number, "activated",
                     a->refusals == 0, "left", (json_int_t)a->left, "stock",
                     show_order_stock(s, a), "findings", findings);
}
