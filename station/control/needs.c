#include "station/control/needs.h"

static const struct {
    bool asked;
    enum right right;
} needs[CONTROL_VERBS] = {
    [CONTROL_STOP] = { true, RIGHT_STOP },
    [CONTROL_RETURN] = { true, RIGHT_RETURN },
    [CONTROL_RELEASE] = { true, RIGHT_FIXTURES },
    [CONTROL_MAINTAINED] = { true, RIGHT_FIXTURES },
    [CONTROL_ORDER_MAKE] = { true, RIGHT_ORDERS },
    [CONTROL_ORDER_ACTIVATE] = { true, RIGHT_ORDERS },
    [CONTROL_ORDER_CLOSE] = { true, RIGHT_ORDERS },
    [CONTROL_ORDER_BIND] = { true, RIGHT_ORDERS },
    [CONTROL_ORDER_UNBIND] = { true, RIGHT_ORDERS },
    [CONTROL_SHIFT_OPEN] = { true, RIGHT_SHIFT },
    [CONTROL_SHIFT_CLOSE] = { true, RIGHT_SHIFT },
    [CONTROL_QUARANTINE_RELEASE] = { true, RIGHT_QUARANTINE },
    [CONTROL_QUARANTINE_RESOLVE] = { true, RIGHT_QUARANTINE },
    [CONTROL_QUARANTINE_SCRAP] = { true, RIGHT_QUARANTINE },
    [CONTROL_QUARANTINE_LIMIT] = { true, RIGHT_RETRIES },
    [CONTROL_VOID] = { true, RIGHT_VOID },
    [CONTROL_REPLACE] = { true, RIGHT_REPLACE },
    [CONTROL_IMEI] = { true, RIGHT_IMEI },
    [CONTROL_PERSON_ADD] = { true, RIGHT_PEOPLE },
    [CONTROL_PERSON_ROLE] = { true, RIGHT_PEOPLE },
    [CONTROL_PERSON_BLOCK] = { true, RIGHT_PEOPLE },
    [CONTROL_PERSON_UNBLOCK] = { true, RIGHT_PEOPLE },
    [CONTROL_PERSON_BADGE] = { true, RIGHT_PEOPLE },
    [CONTROL_PERSON_PIN] = { true, RIGHT_OWN_PIN }, /* somebody else's: RIGHT_PEOPLE */
    [CONTROL_RULE] = { true, RIGHT_PEOPLE },
    [CONTROL_FIXTURE_LABEL] = { true, RIGHT_FIXTURES },
    [CONTROL_FIXTURE_ALLOW] = { true, RIGHT_FIXTURES },
    [CONTROL_FIXTURE_POSITION] = { true, RIGHT_FIXTURES },
    [CONTROL_FIXTURE_LIMITS] = { true, RIGHT_FIXTURES },
    [CONTROL_FIXTURE_CYCLES] = { true, RIGHT_FIXTURES },
    [CONTROL_SCANNER] = { true, RIGHT_FIXTURES },
    [CONTROL_GOLDEN] = { true, RIGHT_FIXTURES },
    [CONTROL_CLOCK_CONFIRM] = { true, RIGHT_CLOCK },
    [CONTROL_MEDIA] = { true, RIGHT_WORK },
    [CONTROL_IMPORT] = { true, RIGHT_WORK },
    [CONTROL_ORDER_IMPORT] = { true, RIGHT_WORK },
    [CONTROL_EXPORT] = { true, RIGHT_WORK },
};

bool control_needs(enum control_verb v, enum right *out)
{
    *out = needs[v].right;
    return needs[v].asked;
}
