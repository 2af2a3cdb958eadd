#include "station/cmd/orders_print.h"

#include "station/base/clock.h"
#include "station/cmd/json_line.h"

#include <stdio.h>

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
    if (json) {
        json_line(show_orders(l, b));
        return;
    }
    if (l->n == 0)
        puts("there is no order yet; `lineside orders import` takes one in, "
             "`lineside orders new` makes one");
    if (l->n)
        printf("%-16s %-8s %9s %9s %9s %9s %9s %9s  %s\n", "ORDER", "STATE",
               "QUANTITY", "PASSED", "STOCKED", "FAILED", "AT WORK", "LEFT",
               "FIXTURES");
    for (size_t i = 0; i < l->n; i++) {
        const struct order_info *o = &l->v[i];
        printf("%-16s %-8s %9llu %9llu %9llu %9llu %9llu %9llu  ", o->number,
               order_state_name(o->state), (unsigned long long)o->quantity,
               (unsigned long long)o->units[ORDER_UNIT_PASSED],
               (unsigned long long)o->units[ORDER_UNIT_STOCKED],
               (unsigned long long)o->units[ORDER_UNIT_FAILED],
               (unsigned long long)o->units[ORDER_UNIT_OPEN],
               (unsigned long long)order_left(o));
        print_fixtures(o, b);
    }
}

/* --- one -------------------------------------------------------------------------- */

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
    if (json)
        json_line(show_order(o, s, b));
    else
        print_one(o, s, b);
}

/* --- an assessment ------------------------------------------------------------------ */

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
        json_line(show_assessment(o, s, a, findings));
    else
        print_stock(s, a);
}
