#include "station/show/stands.h"

const char *show_stand_name(const struct places *said, const struct stand *s)
{
    const struct place_setting *p = places_find(said, s->fixture);

    return p && p->label[0] ? p->label : s->fixture;
}

json_t *show_stands(const struct places *said, const struct stands *all)
{
    json_t *list = json_array();

    for (size_t i = 0; i < all->n; i++) {
        const struct stand *s = &all->v[i];
        json_array_append_new(list, json_pack(
            "{s:s, s:s, s:i, s:i}", "fixture", show_stand_name(said, s), "place",
            place_ok(s->fixture) ? s->fixture : "", "row", (int)s->row, "column",
            (int)s->column));
    }
    return list;
}
