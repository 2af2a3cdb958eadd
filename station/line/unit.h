/* line/unit: one unit in one fixture, from power on to its verdict. */
#ifndef LINESIDE_LINE_UNIT_H
#define LINESIDE_LINE_UNIT_H

#include "drivers/fixture.h"
#include "station/fpa/apdu.h"
#include "station/line/claims.h"
#include "station/line/contact.h"
#include "station/line/duty.h"
#include "station/line/gate.h"
#include "station/line/recipe.h"
#include "storage/units.h"
#include "storage/writer.h"

struct unit_result {
    enum verdict verdict;
    char serial[UNIT_SERIAL_MAX + 1]; /* the unit's, else the label's   */
    char eid[EID_DIGITS + 1];         /* what the eUICC said, else ""   */
    unsigned installed;               /* its profiles that are in place */
    uint64_t apdus;                   /* sent to it, of all kinds        */
    char order[ORDER_NUMBER_MAX + 1];     /* it is worked on by; "": none */
    char position[POSITION_NAME_MAX + 1]; /* of the unit; "": not known   */
    struct err why;                   /* the technical detail of a FAIL */
    bool fixture_changed;             /* stopped, released, or worn out */
};

struct unit_env {
    const char *fixture;
    const char *actor;     /* in whose name */
    const char *imei;      /* that was scanned for it; NULL or "": none was */
    const char *fixture_key; /* fixture_health.fixture */
    struct contact *slot;  /* open */
    const struct fixture_gate *gate;
    struct db *db;         /* to read with; this thread's own */
    struct writer *writer;
    struct claims *claims;
    struct duty_cache *orders; /* this thread's own */
    struct apdu_limits limits;
    /* A step begins. serial and eid: as in unit_result, so far. */
    void (*busy)(void *ctx, const struct unit_result *so_far,
                 const struct recipe_step *step);
    void *ctx;
};

/* Runs the recipe to its end or to the first step that fails, and leaves the
 * card without power and the ledger true: what is reserved is back in stock,
 * what is in doubt is `loading`, and the reason is recorded. */
void unit_run(const struct unit_env *env, const struct scan *scan,
              struct unit_result *out);

/* A unit that could not even be begun (the fixture, the ledger; of env nothing
 * but fixture and its key, actor, slot, gate and writer is looked at): recorded as far
 * as possible. */
void unit_not_begun(const struct unit_env *env, const struct scan *scan,
                    struct unit_result *r);

#endif
