#include "drivers/ccid/slot.h"
#include "drivers/fixture.h"

#include <string.h>

const struct fixture_ops *const fixture_drivers[] = {
    &fixture_bench,
    &fixture_ccid,
    NULL,
};

const struct fixture_ops *fixture_driver(const char *spec, const char **where)
{
    const char *colon = strchr(spec, ':');

    if (!colon)
        return NULL;
    for (size_t i = 0; fixture_drivers[i]; i++) {
        const char *name = fixture_drivers[i]->name;
        if (strlen(name) == (size_t)(colon - spec) &&
            memcmp(name, spec, strlen(name)) == 0) {
            *where = colon + 1;
            return fixture_drivers[i];
        }
    }
    return NULL;
}
