#include "station/ifpp/order.h"

#include "station/ifpp/event.h"

#include <string.h>

static const char *const class_names[ORDER_CLASSES] = {
    [ORDER_CLASS_TEST] = "test",
    [ORDER_CLASS_PROVISIONING] = "provisioning",
    [ORDER_CLASS_OPERATIONAL] = "operational",
};

const char *order_class_name(int c)
{
    return c >= 0 && c < ORDER_CLASSES ? class_names[c] : "any";
}

int order_class_parse(const char *word, int *out, struct err *e)
{
    for (int c = 0; c < ORDER_CLASSES; c++)
        if (strcmp(word, class_names[c]) == 0) {
            *out = c;
            return 0;
        }
    return err_set(e, ERR_FORMAT, "'%.40s' is no class of profiles; there are "
                   "test, provisioning and operational", word);
}

/* --- one order ---------------------------------------------------------------- */

static bool word_ok(const char *s, size_t max)
{
    size_t n = strlen(s);

    for (size_t i = 0; i < n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                    "0123456789-_.", s[i]))
            return false;
    return n > 0 && n <= max;
}

bool order_number_ok(const char *number)
{
    return word_ok(number, ORDER_NUMBER_MAX);
}

static bool text_ok(const char *s, size_t max)
{
    size_t n = strlen(s);

    return n <= max && event_text_ok(SPAN(s, n)) && !strchr(s, '"');
}

static bool oid_ok(const char *s)
{
    return strspn(s, "0123456789.") == strlen(s) && strlen(s) <= ORDER_OID_MAX;
}

static int wanted_check(const struct order_wanted *w, size_t number,
                        struct err *e)
{
    if (!text_ok(w->provider, ORDER_TEXT_MAX) || !text_ok(w->name, ORDER_TEXT_MAX))
        return err_set(e, ERR_FORMAT, "profile %zu: provider and name are plain "
                       "text of at most %d octets without quotes", number,
                       ORDER_TEXT_MAX);
    if (!oid_ok(w->smdp))
        return err_set(e, ERR_FORMAT, "profile %zu: an SM-DPf is named by its "
                       "OID, digits and dots", number);
    if (w->profile_class < ORDER_CLASS_ANY || w->profile_class >= ORDER_CLASSES)
        return err_set(e, ERR_FORMAT, "profile %zu: there is no class %d", number,
                       w->profile_class);
    return 0;
}

/* The end that goes with what is loaded. */
static int end_check(const struct order_recipe *r, struct err *e)
{
    if ((r->wants == 0) != (r->end == ORDER_REGISTER))
        return err_set(e, ERR_FORMAT, r->wants
                       ? "a recipe that loads profiles ends with close or keep K"
                       : "a recipe without a profile registers, and ends there");
    if (r->end == ORDER_KEEP ? r->keep < 1 || r->keep > ORDER_KEEP_MAX
                             : r->keep != 0)
        return err_set(e, ERR_FORMAT, "keep takes a number of keys from 1 to %d",
                       ORDER_KEEP_MAX);
    if (r->enable > r->wants)
        return err_set(e, ERR_FORMAT, "enable %u: the recipe loads %zu profiles",
                       r->enable, r->wants);
    if (r->connectivity && r->enable == 0)
        return err_set(e, ERR_FORMAT, "connectivity-check needs a profile that "
                       "is enabled");
    return 0;
}

static int recipe_check(const struct order_recipe *r, struct err *e)
{
    if (!word_ok(r->position, ORDER_POSITION_MAX))
        return err_set(e, ERR_FORMAT, "a position's name is 1 to %d letters, "
                       "digits, '-', '_' or '.'", ORDER_POSITION_MAX);
    if (r->wants > ORDER_PROFILES_MAX)
        return err_set(e, ERR_LIMIT, "a recipe of %zu profiles, at most %d fit",
                       r->wants, ORDER_PROFILES_MAX);
    for (size_t i = 0; i < r->wants; i++)
        if (wanted_check(&r->want[i], i + 1, e) != 0)
            return -1;
    return end_check(r, e);
}

static int recipes_check(const struct order_spec *o, struct err *e)
{
    if (o->positions == 0 || o->positions > ORDER_POSITIONS_MAX)
        return err_set(e, o->positions ? ERR_LIMIT : ERR_FORMAT, "an order has "
                       "recipes for 1 to %d positions, not %zu",
                       ORDER_POSITIONS_MAX, o->positions);
    for (size_t i = 0; i < o->positions; i++) {
        if (recipe_check(&o->recipe[i], e) != 0)
            return err_wrap(e, "position %zu", i + 1);
        for (size_t k = 0; k < i; k++)
            if (strcmp(o->recipe[i].position, o->recipe[k].position) == 0)
                return err_set(e, ERR_FORMAT, "position %s has two recipes",
                               o->recipe[i].position);
    }
    return 0;
}

int order_check(const struct order_spec *o, struct err *e)
{
    if (!order_number_ok(o->number))
        return err_set(e, ERR_FORMAT, "an order's number is 1 to %d letters, "
                       "digits, '-', '_' or '.'", ORDER_NUMBER_MAX);
    if (!o->product[0] || !text_ok(o->product, ORDER_PRODUCT_MAX))
        return err_set(e, ERR_FORMAT, "an order's product is plain text of 1 to "
                       "%d octets without quotes", ORDER_PRODUCT_MAX);
    if (o->quantity < 1 || o->quantity > ORDER_QUANTITY_MAX)
        return err_set(e, ERR_LIMIT, "an order's quantity is 1 to %d",
                       ORDER_QUANTITY_MAX);
    return serials_check(o->serials, e) != 0 ? -1 : recipes_check(o, e);
}

const struct order_recipe *order_position(const struct order_spec *o,
                                          const char *position)
{
    for (size_t i = 0; i < o->positions; i++)
        if (strcmp(o->recipe[i].position, position) == 0)
            return &o->recipe[i];
    return NULL;
}

/* --- matching ------------------------------------------------------------------ */

static bool same_or_any(const char *wanted, const char *is)
{
    return !*wanted || strcmp(wanted, is) == 0;
}

bool order_fits(const struct order_wanted *w, const struct order_offer *o)
{
    return same_or_any(w->provider, o->provider) && same_or_any(w->smdp, o->smdp) &&
           same_or_any(w->name, o->name) &&
           (w->profile_class == ORDER_CLASS_ANY ||
            w->profile_class == o->profile_class);
}

/* Augmenting paths (Kuhn): offers that have a place keep one, so that giving
 * them places in the order of rank leaves none of a lower rank out. */
struct match {
    const struct order_recipe *r;
    const struct order_offer *v;
    size_t *slot;
    bool tried[ORDER_PROFILES_MAX];
};

static bool place(struct match *m, size_t offer)
{
    for (size_t i = 0; i < m->r->wants; i++) {
        if (m->tried[i] || !order_fits(&m->r->want[i], &m->v[offer]))
            continue;
        m->tried[i] = true;
        /* At most ORDER_PROFILES_MAX deep: each step has tried one more. */
        if (m->slot[i] == ORDER_NONE || place(m, m->slot[i])) {
            m->slot[i] = offer;
            return true;
        }
    }
    return false;
}

static int next_rank(const struct order_offer *v, size_t n, int after)
{
    int best = -1;

    for (size_t i = 0; i < n; i++)
        if (v[i].rank > after && (best < 0 || v[i].rank < best))
            best = v[i].rank;
    return best;
}

size_t order_match(const struct order_recipe *r, const struct order_offer *v,
                   size_t n, size_t slot[ORDER_PROFILES_MAX])
{
    struct match m = { .r = r, .v = v, .slot = slot };
    size_t placed = 0;

    for (size_t i = 0; i < ORDER_PROFILES_MAX; i++)
        slot[i] = ORDER_NONE;
    for (int rank = next_rank(v, n, -1); rank >= 0; rank = next_rank(v, n, rank))
        for (size_t i = 0; i < n && placed < r->wants; i++) {
            if (v[i].rank != rank)
                continue;
            memset(m.tried, 0, sizeof m.tried);
            placed += place(&m, i);
        }
    return placed;
}
