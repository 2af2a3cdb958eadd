#include "station/people/rights.h"

#include <stdio.h>
#include <string.h>

static const struct right_info rights[RIGHTS] = {
    [RIGHT_OWN_PIN] = { "own-pin", "change their own PIN",
        { [ROLE_OPERATOR] = true, [ROLE_ENGINEER] = true,
          [ROLE_SUPERVISOR] = true, [ROLE_AUDITOR] = true } },
    [RIGHT_FIXTURES] = { "fixtures", "name, allow and bind fixtures and scanners",
        { [ROLE_ENGINEER] = true, [ROLE_SUPERVISOR] = true } },
    [RIGHT_CLOCK] = { "clock", "confirm the machine's clock",
        { [ROLE_ENGINEER] = true, [ROLE_SUPERVISOR] = true } },
    [RIGHT_PEOPLE] = { "people", "add and block people, change roles, badges "
        "and PINs",
        { [ROLE_SUPERVISOR] = true } },
};

const struct right_info *right_info(enum right r)
{
    return (unsigned)r < RIGHTS ? &rights[r] : NULL;
}

bool role_may(enum role role, enum right r)
{
    return (unsigned)r < RIGHTS && (unsigned)role < ROLES && rights[r].may[role];
}

char *right_roles_text(enum right r, char *out, size_t cap)
{
    size_t n = 0;

    *out = '\0';
    for (int role = 0; role < ROLES; role++)
        if (role_may((enum role)role, r) && n < cap)
            n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? " or " : "",
                                  role_names[role]);
    return out;
}
