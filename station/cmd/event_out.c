#include "station/cmd/event_out.h"

#include "station/base/clock.h"

#include <stdio.h>

void event_print(const struct event *ev)
{
    char at[24];

    printf("%8llu  %s  %-24.*s %.*s", (unsigned long long)ev->number,
           clock_text(ev->at, at), (int)ev->kind.n, (const char *)ev->kind.p,
           (int)ev->actor.n, (const char *)ev->actor.p);
    struct span rest = ev->fields, name, value;
    while (event_field_next(&rest, &name, &value))
        printf("  %.*s=%.*s", (int)name.n, (const char *)name.p, (int)value.n,
               (const char *)value.p);
    putchar('\n');
}
