#include "station/line/duty.h"

#include "storage/units.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void duty_cache_clear(struct duty_cache *c)
{
    free(c->spec);
    *c = (struct duty_cache){ .order = 0 };
}

const char *duty_scan(const char *barcode)
{
    size_t n = strlen(ORDER_SCAN_PREFIX);

    return strncasecmp(barcode, ORDER_SCAN_PREFIX, n) == 0 ? barcode + n : NULL;
}

/* --- which order ------------------------------------------------------------------ */

static int cache_fill(struct db *db, int64_t order, struct duty_cache *c,
                      struct err *e)
{
    if (c->order == order)
        return 0;
    if (!c->spec && !(c->spec = malloc(sizeof *c->spec)))
        return err_set(e, ERR_NOMEM, "no memory for an order's recipes");
    c->order = 0;
    if (order_spec_get(db, order, c->spec, e) != 0)
        return -1;
    c->order = order;
    return 0;
}

int duty_find(struct db *db, const char *fixture, struct duty_cache *cache,
              struct duty *out, enum verdict *v, struct err *e)
{
    struct order_binding b;
    bool any;
    int row = order_of_fixture(db, fixture, &b, &any, e);

    *out = (struct duty){ .order = 0 };
    if (row == 0 && any) {
        *v = V_NO_ORDER;
        return err_set(e, ERR_NOT_FOUND, "scan an order's barcode at %s, or bind "
                       "it: lineside orders bind NUMBER %s", fixture, fixture);
    }
    if (row < 0 || (row > 0 && cache_fill(db, b.order.id, cache, e) != 0)) {
        *v = verdict_of_station(e);
        return -1;
    }
    if (row == 0)
        return 0;
    out->order = b.order.id;
    memcpy(out->number, b.order.number, sizeof out->number);
    memcpy(out->bound, b.position, sizeof out->bound);
    out->spec = cache->spec;
    return 0;
}

/* --- may it? ------------------------------------------------------------------------ */

enum verdict duty_verdict(enum order_answer a)
{
    static const enum verdict of[] = {
        [ORDER_TAKES] = V_MACHINE, /* no refusal */
        [ORDER_NOT_ACTIVE] = V_ORDER_NOT_ACTIVE,
        [ORDER_FULL] = V_ORDER_FULL,
        [ORDER_OTHER] = V_OTHER_ORDER,
        [ORDER_DONE] = V_ALREADY_DONE,
    };

    return of[a];
}

int duty_judge(struct db *db, struct duty *d, const char *serial,
               const char *position, enum verdict *v, struct err *e)
{
    enum order_answer answer;

    *v = V_NOT_IN_ORDER;
    if (!serials_match(d->spec->serials, serial))
        return err_set(e, ERR_CONFLICT, "serial number %s is not one of order %s: "
                       "%s", serial, d->number, d->spec->serials);
    d->recipe = order_position(d->spec, position);
    if (!d->recipe)
        return err_set(e, ERR_CONFLICT, "this eUICC is position %s of unit %s, and "
                       "order %s has no recipe for it", position, serial, d->number);
    if (order_judge(db, d->order, serial, position, &answer, e) != 0) {
        *v = verdict_of_station(e);
        return -1;
    }
    *v = duty_verdict(answer);
    return answer == ORDER_TAKES ? 0 : -1;
}

/* --- its profiles --------------------------------------------------------------------- */

/* What has begun goes on before something new is begun. */
static int rank_of(const struct bpp_info *b, bool resolving)
{
    switch (b->state) {
    case BPP_INSTALLED:
        return b->deleted ? -1 : 0;
    case BPP_LOADING:
        return 1;
    case BPP_QUARANTINED:
        return resolving ? 1 : -1;
    case BPP_RESERVED:
        return 2;
    case BPP_IN_STOCK:
        return 3;
    default:
        return -1;
    }
}

static struct order_offer *offers_of(const struct bpp_list *all, bool resolving)
{
    struct order_offer *v = calloc(all->n + 1, sizeof *v);

    for (size_t i = 0; v && i < all->n; i++) {
        const struct bpp_info *b = &all->v[i];
        v[i] = (struct order_offer){ b->provider, b->smdp_oid, b->name,
                                     b->profile_class, rank_of(b, resolving) };
    }
    return v;
}

static int is_missing(const struct duty *d, const struct bpp_list *all,
                      const struct order_offer *offers, size_t wish,
                      enum verdict *v, struct err *e)
{
    char text[ORDER_RECIPE_TEXT_MAX];
    const struct order_wanted *w = &d->recipe->want[wish];

    order_wanted_text(w, text);
    for (size_t i = 0; i < all->n; i++) {
        const struct bpp_info *b = &all->v[i];
        bool used_up = b->state == BPP_FAILED || b->state == BPP_QUARANTINED ||
                       (b->state == BPP_VOIDED && !b->given_up);
        if (!used_up || !order_fits(w, &offers[i]))
            continue;
        *v = V_NOT_REPLACED;
        return err_set(e, ERR_NOT_FOUND, "order %s, profile %zu (%.120s): the one "
                       "of bundle %s is %s", d->number, wish + 1, text, b->bundle,
                       bpp_state_name(b->state));
    }
    *v = V_PROFILE_MISSING;
    return err_set(e, ERR_NOT_FOUND, "order %s, profile %zu (%.200s): none for this "
                   "eUICC", d->number, wish + 1, text);
}

static int sort(const struct duty *d, struct bpp_list *all,
                const struct order_offer *offers, struct bpp_info *sorted,
                enum verdict *v, struct err *e)
{
    size_t slot[ORDER_PROFILES_MAX], n = 0;

    order_match(d->recipe, offers, all->n, slot);
    for (; n < d->recipe->wants; n++) {
        if (slot[n] == ORDER_NONE)
            return is_missing(d, all, offers, n, v, e);
        sorted[n] = all->v[slot[n]];
    }
    for (size_t i = 0; i < all->n; i++) {
        bool wanted = false;
        for (size_t k = 0; k < d->recipe->wants; k++)
            wanted |= slot[k] == i;
        if (!wanted)
            sorted[n++] = all->v[i];
    }
    memcpy(all->v, sorted, all->n * sizeof *sorted);
    return 0;
}

int duty_sort(const struct duty *d, struct bpp_list *all, enum verdict *v,
              struct err *e)
{
    struct order_offer *offers = offers_of(all, d->resolving);
    struct bpp_info *sorted = calloc(all->n + 1, sizeof *sorted);
    int bad = -1;

    if (offers && sorted) {
        bad = all->n || d->recipe->wants ? sort(d, all, offers, sorted, v, e) : 0;
    } else {
        *v = V_MACHINE;
        err_set(e, ERR_NOMEM, "no memory for %zu profiles", all->n);
    }
    free(offers);
    free(sorted);
    return bad;
}
