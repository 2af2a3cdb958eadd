/* line/recipe: the binding's fixed order of steps (clause 4, "Recipe order"),
 * as a const table that the worker walks. */
#ifndef LINESIDE_LINE_RECIPE_H
#define LINESIDE_LINE_RECIPE_H

#include "station/line/verdict.h"

enum step {
    STEP_READ_EID,      /* power on; nothing else is sent to a wrong unit     */
    STEP_IDENTIFY,      /* label, eUICC and ledger agree; what is left to do  */
    STEP_STATUS,        /* BF70 opens the session; BF22                       */
    STEP_SETTLE,        /* what an earlier try left in doubt                  */
    STEP_AUTHORISE,     /* BF71                                               */
    STEP_LOAD,          /* the BPP; its BF37 is verified                      */
    STEP_RECORD,        /* ... and committed                                  */
    STEP_ENABLE,        /* the last one, without refresh, checked with BF2D   */
    STEP_NOTIFICATIONS, /* all fetched and committed, then BF30 each          */
    STEP_DELETE_KEYS,   /* BF72, receipt committed                            */
    STEP_CLOSE,         /* BF73, receipt committed, unit passed               */
    STEP_KEEP,          /* instead of the two: keys counted, unit stocked     */
    STEP_POWER_OFF,
    STEPS
};

struct recipe_step {
    enum step step;
    const char *name;        /* "authorise", for screens and records        */
    bool per_profile;        /* neighbours with this set repeat per profile */
    enum verdict if_refused; /* the card is there and says no               */
};
extern const struct recipe_step recipe[STEPS];

/* The verdict of a unit whose step failed with this error at the card. */
enum verdict recipe_verdict(enum step s, const struct err *e);

#endif
