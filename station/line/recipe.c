#include "station/line/recipe.h"

const struct recipe_step recipe[STEPS] = {
    { STEP_READ_EID, "read EID", false, V_CARD_REFUSED },
    { STEP_IDENTIFY, "identify", false, V_CARD_REFUSED },
    { STEP_STATUS, "status", false, V_CARD_REFUSED },
    { STEP_SETTLE, "settle", false, V_UNRESOLVED },
    { STEP_AUTHORISE, "authorise", true, V_AUTHORISE_REFUSED },
    { STEP_LOAD, "load", true, V_UNRESOLVED },
    { STEP_RECORD, "record", true, V_CARD_REFUSED },
    { STEP_ENABLE, "enable", false, V_ENABLE_FAILED },
    { STEP_NOTIFICATIONS, "notifications", false, V_NOTIFICATIONS },
    { STEP_DELETE_KEYS, "delete keys", false, V_DELETE_KEYS },
    { STEP_CLOSE, "close", false, V_CLOSE },
    { STEP_KEEP, "keep keys", false, V_CARD_REFUSED },
    { STEP_POWER_OFF, "power off", false, V_CARD_REFUSED },
};

enum verdict recipe_verdict(enum step s, const struct err *e)
{
    enum verdict v = verdict_of_card(e);

    /* A card that is gone, silent or lying says so whatever the step was. */
    if (v == V_CARD_REFUSED || (v == V_NONSENSE && e->code == ERR_CARD) ||
        e->code == ERR_WRONG_STATE)
        return recipe[s].if_refused == V_CARD_REFUSED ? v : recipe[s].if_refused;
    return v;
}
