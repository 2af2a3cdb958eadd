#include "station/order/assess.h"

#include "station/base/clock.h"
#include "station/fpa/card.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct assessing {
    const struct order_info *o;
    struct order_assessment *out;
    order_finding_fn *say;
    void *ctx;
};

static void find(struct assessing *a, bool refuses, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void find(struct assessing *a, bool refuses, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    a->out->refusals += refuses;
    a->out->warnings += !refuses;
    a->say(a->ctx, refuses, text);
}

/* --- acts ---------------------------------------------------------------------- */

/* An act without a mapping for a kind of eUICC is refused here, not at the
 * unit (binding, clause 4). */
static void acts_check(struct assessing *a, const struct order_recipe *r,
                       const struct order_recipe_stock *s)
{
    if (r->connectivity)
        find(a, true, "position %s: connectivity-check is reserved; no kind of "
             "eUICC has a command for it in this version. Take it out of the "
             "recipe", r->position);
    if (r->enable == 0 || r->enable == r->wants || s->iot == 0 ||
        fpa_act_names_profile(FPA_ENABLE, INFO2_IOT))
        return;
    find(a, true, "position %s: enable %u, but profile %zu is loaded last, and "
         "an IoT eUICC (SGP.32) can enable only that one; %llu of those in stock "
         "are IoT eUICCs. Let the recipe load profile %u last", r->position,
         r->enable, r->wants, (unsigned long long)s->iot, r->enable);
}

/* --- the stock ------------------------------------------------------------------ */

static void wish_check(struct assessing *a, const struct order_recipe *r,
                       const struct order_recipe_stock *s, size_t i)
{
    char text[ORDER_RECIPE_TEXT_MAX];

    if (s->wish[i].bpps == 0)
        find(a, true, "position %s, profile %zu (%.300s): nobody has delivered "
             "one: 0 in stock for %llu units. Import the bundles first, or "
             "correct the recipe", r->position, i + 1,
             order_wanted_text(&r->want[i], text),
             (unsigned long long)a->out->left);
    else if (s->wish[i].euiccs < a->out->left)
        find(a, false, "position %s, profile %zu (%.300s): %llu in stock for %llu "
             "different eUICCs, and %llu units are left to be made", r->position,
             i + 1, order_wanted_text(&r->want[i], text),
             (unsigned long long)s->wish[i].bpps,
             (unsigned long long)s->wish[i].euiccs,
             (unsigned long long)a->out->left);
}

static void stock_check(struct assessing *a, const struct order_recipe *r,
                        const struct order_recipe_stock *s)
{
    unsigned refusals = a->out->refusals;

    for (size_t i = 0; i < r->wants; i++)
        wish_check(a, r, s, i);
    if (r->wants == 0 || a->out->refusals > refusals)
        return;
    if (s->complete == 0)
        find(a, true, "position %s: no eUICC has a profile in stock for every "
             "one that the recipe loads. Import the bundles that are missing",
             r->position);
    else if (s->complete < a->out->left)
        find(a, false, "position %s: %llu eUICCs have all their profiles in "
             "stock, and %llu units are left to be made", r->position,
             (unsigned long long)s->complete, (unsigned long long)a->out->left);
}

int order_assess(struct db *db, const struct order_info *o,
                 const struct order_spec *s, int64_t now, order_finding_fn *say,
                 void *ctx, struct order_assessment *out, struct err *e)
{
    struct assessing a = { o, out, say, ctx };
    char when[24];

    *out = (struct order_assessment){ .left = order_left(o) };
    if (order_stock(db, s, out->stock, e) != 0)
        return -1;
    if (o->not_after && o->not_after < now)
        find(&a, false, "it was meant to be made until %s",
             clock_text(o->not_after, when));
    for (size_t i = 0; i < s->positions; i++) {
        acts_check(&a, &s->recipe[i], &out->stock[i]);
        stock_check(&a, &s->recipe[i], &out->stock[i]);
    }
    return 0;
}
