#include "station/show/event.h"

#include "station/base/clock.h"

#include <stdio.h>

json_t *show_event(const struct event *ev, const uint8_t hash[EVENT_HASH])
{
    char at[GTIME_LEN + 1], hex[65];
    json_t *fields = json_object();

    struct span rest = ev->fields, name, value;
    while (event_field_next(&rest, &name, &value)) {
        char key[EVENT_WORD_MAX + 1];
        snprintf(key, sizeof key, "%.*s", (int)name.n, (const char *)name.p);
        json_object_set_new(fields, key,
                            json_stringn((const char *)value.p, value.n));
    }
    return json_pack(
        "{s:I, s:s, s:s%, s:s%, s:o, s:s}", "event", (json_int_t)ev->number,
        "at", gtime_format(ev->at, at), "kind", (const char *)ev->kind.p,
        ev->kind.n, "actor", (const char *)ev->actor.p, ev->actor.n, "fields",
        fields, "hash", hex_encode(SPAN(hash, EVENT_HASH), hex, sizeof hex));
}
