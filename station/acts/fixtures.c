#include "station/acts/fixtures.h"

#include <stdio.h>
#include <string.h>

struct call {
    struct actor by;
    tx_fn *fn;
    const char *place, *label, *fixture;
    bool is; /* allowed, golden, maintained */
    struct scanner_setting *scanner;
    struct eid eid;
    int64_t cycles;
    const struct act_limits *limits;
    struct stand stand; /* fixture "": is looked up */
};

static int guarded_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct call *c = ctx;

    return actor_still(tx, &c->by, e) != 0 ? -1 : c->fn(tx, c, e);
}

static int act(struct db *db, const struct who *w, struct call *c, struct err *e)
{
    return who_one(w, db, RIGHT_FIXTURES, &c->by, e) != 0
         ? -1 : db_write(db, guarded_tx, c, e);
}

/* --- places ------------------------------------------------------------------- */

static int label_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return place_label(tx, c->place, c->label, c->by.who.name, e);
}

int act_fixture_label(struct db *db, const struct who *w, const char *place,
                      const char *label, struct err *e)
{
    struct call c = { .fn = label_tx, .place = place, .label = label };

    return act(db, w, &c, e);
}

static int allow_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return place_allow(tx, c->place, c->is, c->by.who.name, e);
}

int act_fixture_allow(struct db *db, const struct who *w, const char *place,
                      bool allowed, struct err *e)
{
    struct call c = { .fn = allow_tx, .place = place, .is = allowed };

    return act(db, w, &c, e);
}

static int position_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    struct stand s = c->stand;

    if (!*s.fixture && health_find(tx_db(tx), c->fixture, s.fixture, e) != 0)
        return -1;
    return s.row ? stand_set(tx, &s, c->by.who.name, e)
                 : stand_remove(tx, s.fixture, c->by.who.name, e);
}

int act_fixture_position(struct db *db, const struct who *w, const char *called,
                         const char *key, unsigned row, unsigned column, struct err *e)
{
    struct call c = { .fn = position_tx, .fixture = called,
                      .stand = { .row = row, .column = column } };

    snprintf(c.stand.fixture, sizeof c.stand.fixture, "%s", key ? key : "");
    return act(db, w, &c, e);
}

/* --- scanners ------------------------------------------------------------------ */

/* A scanner is bound to a place, so that a new label does not unbind it; the
 * engineer may say either. */
static int place_of_fixture(struct db *db, const char *word, char out[PLACE_MAX + 1],
                            struct err *e)
{
    AUTO(places_clear) struct places said = { NULL, 0, NULL, 0 };
    const char *place = place_ok(word) ? word : NULL;

    if (!place && places_get(db, &said, e) != 0)
        return -1;
    for (size_t i = 0; i < said.n && !place; i++)
        if (strcmp(said.v[i].label, word) == 0)
            place = said.v[i].place;
    if (!place)
        return err_set(e, ERR_NOT_FOUND, "no fixture is called %s; `lineside "
                       "fixtures` lists them", word);
    snprintf(out, PLACE_MAX + 1, "%s", place);
    return 0;
}

static int scanner_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    if (strlen(c->place) > PLACE_MAX)
        return err_set(e, ERR_USAGE, "'%.80s' is no place on the bus", c->place);
    snprintf(c->scanner->place, sizeof c->scanner->place, "%s", c->place);
    c->scanner->fixture[0] = '\0';
    if (c->fixture && place_of_fixture(tx_db(tx), c->fixture, c->scanner->fixture, e) != 0)
        return -1;
    return scanner_set(tx, c->scanner, c->by.who.name, e);
}

int act_scanner(struct db *db, const struct who *w, const char *place,
                const char *fixture, struct scanner_setting *s, struct err *e)
{
    struct call c = { .fn = scanner_tx, .place = place, .fixture = fixture,
                      .scanner = s };

    return act(db, w, &c, e);
}

static int no_scanner_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return scanner_remove(tx, c->place, c->by.who.name, e);
}

int act_no_scanner(struct db *db, const struct who *w, const char *place,
                   struct err *e)
{
    struct call c = { .fn = no_scanner_tx, .place = place };

    return act(db, w, &c, e);
}

/* --- health --------------------------------------------------------------------- */

static int release_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    char fixture[HEALTH_NAME_MAX + 1];

    return health_find(tx_db(tx), c->fixture, fixture, e) != 0
         ? -1 : health_release(tx, fixture, "person", c->by.who.name, e);
}

int act_fixture_release(struct db *db, const struct who *w, const char *fixture,
                        struct err *e)
{
    struct call c = { .fn = release_tx, .fixture = fixture };

    return act(db, w, &c, e);
}

static int maintenance_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    char fixture[HEALTH_NAME_MAX + 1];

    if (c->cycles < 0 && !c->is)
        return err_set(e, ERR_USAGE, "say --limit N, the cycles between two "
                       "maintenances, or --done");
    if (health_find(tx_db(tx), c->fixture, fixture, e) != 0 ||
        (c->is && health_maintained(tx, fixture, c->by.who.name, e) != 0))
        return -1;
    return c->cycles < 0 ? 0
         : health_set_limit(tx, fixture, (uint64_t)c->cycles, c->by.who.name, e);
}

int act_fixture_maintenance(struct db *db, const struct who *w, const char *fixture,
                            bool maintained, int64_t cycles, struct err *e)
{
    struct call c = { .fn = maintenance_tx, .fixture = fixture, .is = maintained,
                      .cycles = cycles };

    return act(db, w, &c, e);
}

static int golden_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;

    return (c->is ? golden_mark : golden_unmark)(tx, &c->eid, c->by.who.name, e);
}

int act_golden(struct db *db, const struct who *w, const char *eid, bool is,
               struct err *e)
{
    struct call c = { .fn = golden_tx, .is = is };

    if (eid_parse(eid, &c.eid) != 0)
        return err_set(e, ERR_USAGE, "'%.80s' is no EID: 32 digits, whose check "
                       "digits hold", eid);
    return act(db, w, &c, e);
}

static void take(int64_t said, unsigned *limit)
{
    if (said >= 0)
        *limit = (unsigned)said;
}

static int limits_tx(struct tx *tx, void *ctx, struct err *e)
{
    const struct call *c = ctx;
    const struct act_limits *o = c->limits;
    struct health_limits l;

    if (o->failures < 0 && o->yield < 0 && o->units < 0 && o->golden_hours < 0)
        return err_set(e, ERR_USAGE, "say which: --failures, --yield, --units or "
                       "--golden-hours; `lineside fixtures health` shows them");
    if (health_limits(tx_db(tx), &l, e) != 0)
        return -1;
    take(o->failures, &l.failures);
    take(o->yield, &l.yield);
    take(o->units, &l.units);
    take(o->golden_hours, &l.golden_hours);
    return health_limits_set(tx, &l, c->by.who.name, e);
}

int act_fixture_limits(struct db *db, const struct who *w, const struct act_limits *l,
                       struct err *e)
{
    struct call c = { .fn = limits_tx, .limits = l };

    return act(db, w, &c, e);
}
