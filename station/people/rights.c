#include "station/people/rights.h"

#include <stdio.h>
#include <string.h>

static const struct right_info rights[RIGHTS] = {
    [RIGHT_OWN_PIN] = { "own-pin", "change their own PIN",
        { [ROLE_OPERATOR] = MAY, [ROLE_ENGINEER] = MAY,
          [ROLE_SUPERVISOR] = MAY, [ROLE_AUDITOR] = MAY } },
    [RIGHT_FIXTURES] = { "fixtures", "name, allow, bind, release and "
        "maintain fixtures and scanners, and mark golden units",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_CLOCK] = { "clock", "confirm the machine's clock",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_REQUEST] = { "request", "ask an SM-DPf for profiles",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_ORDERS] = { "orders", "make, activate and close work orders, and "
        "bind fixtures to them",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_SHIFT] = { "shift", "open and close shifts",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_BACKUP] = { "backup", "make a backup of the ledger",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_PEOPLE] = { "people", "add and block people, change roles, badges "
        "and PINs",
        { [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_RETRIES] = { "retries", "say how many failures quarantine a unit",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_QUARANTINE] = { "quarantine", "release, resolve or scrap units",
        { [ROLE_OPERATOR] = MAY_AS_SECOND, [ROLE_ENGINEER] = MAY_WITH_SECOND,
          [ROLE_SUPERVISOR] = MAY_WITH_SECOND } },
    [RIGHT_REPLACE] = { "replace", "record that a board was replaced",
        { [ROLE_OPERATOR] = MAY_AS_SECOND, [ROLE_ENGINEER] = MAY_WITH_SECOND,
          [ROLE_SUPERVISOR] = MAY_WITH_SECOND } },
    [RIGHT_IMEI] = { "imei", "note the IMEI of a position (another than is known: "
        "as `replace`)",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_VOID] = { "void", "void what will never be used",
        { [ROLE_ENGINEER] = MAY_WITH_SECOND,
          [ROLE_SUPERVISOR] = MAY_WITH_SECOND } },
    [RIGHT_WORK] = { "work", "work units at the line",
        { [ROLE_OPERATOR] = MAY, [ROLE_ENGINEER] = MAY,
          [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_STOP] = { "stop", "stop the line",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
    [RIGHT_RETURN] = { "return", "let a unit give its profiles back",
        { [ROLE_ENGINEER] = MAY, [ROLE_SUPERVISOR] = MAY } },
};

const struct right_info *right_info(enum right r)
{
    return (unsigned)r < RIGHTS ? &rights[r] : NULL;
}

static const char *const may_texts[] = {
    [MAY_NOT] = "-",
    [MAY] = "yes",
    [MAY_WITH_SECOND] = "with a second",
    [MAY_AS_SECOND] = "as the second",
};

const char *may_text(enum may m)
{
    return may_texts[(unsigned)m <= MAY_AS_SECOND ? m : MAY_NOT];
}

static enum may cell(enum role role, enum right r)
{
    return (unsigned)r < RIGHTS && (unsigned)role < ROLES ? rights[r].may[role]
                                                          : MAY_NOT;
}

bool role_may(enum role role, enum right r)
{
    return cell(role, r) == MAY || cell(role, r) == MAY_WITH_SECOND;
}

bool role_may_second(enum role role, enum right r)
{
    return cell(role, r) == MAY_WITH_SECOND || cell(role, r) == MAY_AS_SECOND;
}

bool right_needs_two(enum right r)
{
    for (int role = 0; role < ROLES; role++)
        if (cell((enum role)role, r) == MAY_WITH_SECOND)
            return true;
    return false;
}

static char *roles_text(bool (*has)(enum role, enum right), enum right r,
                        char *out, size_t cap)
{
    size_t n = 0;

    *out = '\0';
    for (int role = 0; role < ROLES; role++)
        if (has((enum role)role, r) && n < cap)
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? " or " : "",
                                  role_names[role]);
    return out;
}

char *right_roles_text(enum right r, char *out, size_t cap)
{
    return roles_text(role_may, r, out, cap);
}

char *right_seconds_text(enum right r, char *out, size_t cap)
{
    return roles_text(role_may_second, r, out, cap);
}
