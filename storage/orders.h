/* storage/orders.h: work orders: what is to be made, which fixtures make it,
 * and which units it has. An order's recipe never changes once it is here; its
 * state does by order_transitions (states.h) and an event each.
 *
 * A unit is counted in an order once: open (at work, or in doubt), passed,
 * stocked or failed, as its positions that the order has recipes for are. It
 * leaves for another order only when it is stocked, or when its order is
 * closed and it has not passed; the old order keeps its count. */
#ifndef LINESIDE_STORAGE_ORDERS_H
#define LINESIDE_STORAGE_ORDERS_H

#include "station/ifpp/order.h"
#include "storage/bundles.h"
#include "storage/stock.h"
#include "storage/units.h"

enum order_unit_state { /* numbers are stored: never renumber */
    ORDER_UNIT_OPEN,
    ORDER_UNIT_PASSED,
    ORDER_UNIT_STOCKED,
    ORDER_UNIT_FAILED,
    ORDER_UNIT_STATES
};
const char *order_unit_state_name(enum order_unit_state s); /* "stocked" */

struct order_info {
    int64_t id;
    char number[ORDER_NUMBER_MAX + 1];
    char product[ORDER_PRODUCT_MAX + 1];
    char serials[SERIALS_MAX + 1];
    char container[STOCK_BUNDLE_MAX + 1]; /* ""; made at this station */
    char issuer[STOCK_OID_MAX + 1];       /* of the container         */
    int64_t not_after;                    /* of the container, else 0 */
    uint64_t quantity;
    enum order_state state;
    uint64_t units[ORDER_UNIT_STATES];
    uint64_t event; /* of its last change */
};
/* Units that it still takes: failed ones make room. */
uint64_t order_room(const struct order_info *o);
/* Units that are still to be finished. */
uint64_t order_left(const struct order_info *o);

struct order_list {
    struct order_info *v; /* in the order they came */
    size_t n;
};
void order_list_clear(struct order_list *l);
int orders_get(struct db *db, struct order_list *out, struct err *e);
/* The first `limit` (0: all) of those that are active; nothing else is looked at. */
int orders_active(struct db *db, unsigned limit, struct order_list *out, struct err *e);
/* number: in any case of letters. ERR_NOT_FOUND. */
int order_by_number(struct db *db, const char *number, struct order_info *out,
                    struct err *e);
int order_get(struct db *db, int64_t id, struct order_info *out, struct err *e);
int order_spec_get(struct db *db, int64_t id, struct order_spec *out,
                   struct err *e);

/* --- making ------------------------------------------------------------------ */

/* Events "order-imported" and "order-made". ERR_REPLAY: the container was seen
 * before; ERR_CONFLICT: an order of this number is here; order_check's. */
int order_import(struct tx *tx, const struct container_seen *c,
                 const struct order_spec *o, const char *actor,
                 uint64_t *missing, struct err *e);
int order_make(struct tx *tx, const struct order_spec *o, const char *actor,
               struct err *e);
/* Event "order-moved". ERR_WRONG_STATE when the table has no such row. A
 * closed order's fixtures are unbound with it. */
int order_move(struct tx *tx, const char *number, enum order_state to,
               enum order_cause cause, const char *actor, struct err *e);

/* --- fixtures ------------------------------------------------------------------ */

struct order_binding {
    char fixture[STOCK_FIXTURE_MAX + 1];
    char position[ORDER_POSITION_MAX + 1]; /* ""; the next one of the unit */
    struct order_info order;
};
struct order_bindings {
    struct order_binding *v; /* by fixture */
    size_t n;
};
void order_bindings_clear(struct order_bindings *l);
int order_bindings_get(struct db *db, struct order_bindings *out, struct err *e);

enum order_bind_cause { ORDER_BIND_COMMAND, ORDER_BIND_SCAN };
/* Event "order-bound"; what it is already: nothing happens. position "" as
 * above. ERR_WRONG_STATE: the order is not active. ERR_NOT_FOUND: no such
 * order, or it has no such position. */
int order_bind(struct tx *tx, const char *number, const char *fixture,
               const char *position, enum order_bind_cause cause,
               const char *actor, struct err *e);
/* Event "order-unbound". ERR_NOT_FOUND: it has none. */
int order_unbind(struct tx *tx, const char *fixture, const char *actor,
                 struct err *e);
/* 1: *out is this fixture's; 0: it has none, and *any says whether there is an
 * active order at all; -1. */
int order_of_fixture(struct db *db, const char *fixture,
                     struct order_binding *out, bool *any, struct err *e);

/* --- units ------------------------------------------------------------------------ */

enum order_answer {
    ORDER_TAKES,      /* it may be worked on by this order                */
    ORDER_NOT_ACTIVE,
    ORDER_FULL,       /* the quantity is reached                          */
    ORDER_OTHER,      /* another order has it; both are in the text       */
    ORDER_DONE        /* this order has finished this position            */
};
/* May this position of a unit be worked on by this order now? 0 with *out and,
 * for all but ORDER_TAKES, a sentence in *e; -1 when the ledger fails. */
int order_judge(struct db *db, int64_t order, const char *serial,
                const char *position, enum order_answer *out, struct err *e);
/* The same, and the order has it: event "unit-ordered" when it had not.
 * a->position is registered. -1 also for all but ORDER_TAKES. */
int order_admit(struct tx *tx, int64_t order, const struct act *a,
                enum order_answer *out, struct err *e);

struct order_membership {
    char number[ORDER_NUMBER_MAX + 1];
    enum order_unit_state state;
};
/* Orders that have or had this unit, at most max, the latest first. */
int orders_of_unit(struct db *db, const char *serial,
                   struct order_membership *out, size_t max, size_t *n,
                   struct err *e);
/* Positions that the order has recipes for and that are not finished by it in
 * this unit: "telematics, infotainment"; "" when none. */
int order_missing(struct db *db, int64_t order, const char *serial, char *out,
                  size_t cap, struct err *e);
/* Counted again from rows: ERR_CONFLICT names the order whose counters differ.
 * For tests and for those who ask. */
int orders_cross_check(struct db *db, struct err *e);

/* --- the stock ---------------------------------------------------------------------- */

/* What is in stock for the recipes of an order, counted BPP by BPP: reads the
 * whole stock. */
struct order_wish_stock {
    uint64_t bpps, euiccs; /* in stock for this wish, and for how many */
};
struct order_recipe_stock {
    struct order_wish_stock wish[ORDER_PROFILES_MAX];
    uint64_t complete; /* eUICCs that have a profile for every wish        */
    uint64_t iot;      /* of those, known to be IoT eUICCs (SGP.32)        */
};
int order_stock(struct db *db, const struct order_spec *o,
                struct order_recipe_stock out[ORDER_POSITIONS_MAX],
                struct err *e);

#endif
