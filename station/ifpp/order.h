/* ifpp/order.h: a work order: what is to be made, and the recipe of each
 * position of a unit (docs/formats/order.md). Pure: containers carry it, the
 * ledger keeps it, the line works by it. */
#ifndef LINESIDE_IFPP_ORDER_H
#define LINESIDE_IFPP_ORDER_H

#include "station/base/err.h"
#include "station/base/span.h"
#include "station/ifpp/serials.h"

#define ORDER_NUMBER_MAX 32   /* octets; also what its barcode says */
#define ORDER_PRODUCT_MAX 64
#define ORDER_QUANTITY_MAX 100000000
#define ORDER_POSITIONS_MAX 8
#define ORDER_POSITION_MAX 32 /* octets of a position's name */
#define ORDER_PROFILES_MAX 8  /* per position */
#define ORDER_TEXT_MAX 256    /* octets of a provider or profile name */
#define ORDER_OID_MAX 63
#define ORDER_KEEP_MAX 1024
/* What a scan of an order's barcode begins with: no unit's label does. */
#define ORDER_SCAN_PREFIX "order:"

enum order_class { /* SGP.22 5.5.3 */
    ORDER_CLASS_ANY = -1,
    ORDER_CLASS_TEST,
    ORDER_CLASS_PROVISIONING,
    ORDER_CLASS_OPERATIONAL,
    ORDER_CLASSES
};
const char *order_class_name(int c); /* "operational"; "any" */
/* ERR_FORMAT: none of the three. */
int order_class_parse(const char *word, int *out, struct err *e);

/* A profile that is wanted: whatever is empty may be anything. */
struct order_wanted {
    char provider[ORDER_TEXT_MAX + 1]; /* the MSP, as its profiles say */
    char smdp[ORDER_OID_MAX + 1];
    char name[ORDER_TEXT_MAX + 1];
    int profile_class;                 /* enum order_class */
};

enum order_end {
    ORDER_REGISTER, /* no profile: serial and eUICC are made known, STOCKED */
    ORDER_CLOSE,    /* one-time keys deleted, FPA services closed: PASS     */
    ORDER_KEEP      /* `keep` one-time keys are left: STOCKED               */
};

struct order_recipe {
    char position[ORDER_POSITION_MAX + 1];
    struct order_wanted want[ORDER_PROFILES_MAX]; /* in this order */
    size_t wants;
    unsigned enable;   /* number of a wanted profile, from 1; 0: none */
    bool connectivity; /* act connectivity-check: reserved            */
    enum order_end end;
    unsigned keep;     /* ORDER_KEEP: at least so many, from 1 */
};

struct order_spec {
    char number[ORDER_NUMBER_MAX + 1];
    char product[ORDER_PRODUCT_MAX + 1];
    uint64_t quantity; /* of units, from 1 */
    char serials[SERIALS_MAX + 1];
    struct order_recipe recipe[ORDER_POSITIONS_MAX];
    size_t positions;
};

/* Everything that one order can show. ERR_FORMAT or ERR_LIMIT with what to
 * change. */
int order_check(const struct order_spec *o, struct err *e);
/* The part of it that concerns a number: letters, digits, '-', '_', '.'. */
bool order_number_ok(const char *number);
/* NULL: the product has no such position. */
const struct order_recipe *order_position(const struct order_spec *o,
                                          const char *position);

/* --- recipes as text --------------------------------------------------------
 * CLAUSE; CLAUSE; ...  where a clause is
 *     load [provider=TEXT] [smdp=OID] [name=TEXT] [class=WORD]   or  load any
 *     enable N       connectivity-check       register | close | keep K
 * TEXT with blanks or ';' stands between double quotes. */

#define ORDER_RECIPE_TEXT_MAX 8192

/* [POSITION:]CLAUSE; ...; without a position it is "main". ERR_FORMAT. */
int order_recipe_parse(const char *text, struct order_recipe *out, struct err *e);
/* The one way to write it, without the position. */
char *order_recipe_text(const struct order_recipe *r,
                        char out[ORDER_RECIPE_TEXT_MAX]);
char *order_wanted_text(const struct order_wanted *w,
                        char out[ORDER_RECIPE_TEXT_MAX]);

/* --- which profiles for which wishes ------------------------------------------ */

/* A profile that an eUICC has or could have. All borrowed. */
struct order_offer {
    const char *provider, *smdp, *name;
    int profile_class; /* ORDER_CLASS_ANY: not known, fits no wish for a class */
    int rank;          /* lower is given first; negative: not to be used */
};
bool order_fits(const struct order_wanted *w, const struct order_offer *o);

#define ORDER_NONE SIZE_MAX
/* Give each wish one offer, as many wishes as can be, each offer once; offers
 * of lower rank before others, then in their order. slot[i]: index of wish
 * i's offer, or ORDER_NONE. An offer that has a wish at a lower rank is never
 * left out for one of a higher. Returns how many wishes have one. */
size_t order_match(const struct order_recipe *r, const struct order_offer *v,
                   size_t n, size_t slot[ORDER_PROFILES_MAX]);

#endif
