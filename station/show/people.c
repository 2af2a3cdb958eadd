#include "station/show/people.h"

json_t *show_people(const struct people *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < p->n; i++)
        json_array_append_new(list, json_pack(
            "{s:s, s:s, s:s, s:I}", "name", p->v[i].name, "role",
            role_names[p->v[i].role], "state",
            p->v[i].blocked ? "blocked" : "active", "recoveredEvent",
            (json_int_t)p->v[i].recovered));
    return json_pack("{s:o}", "people", list);
}

static json_t *roles_that(bool (*has)(enum role, enum right), enum right r)
{
    json_t *roles = json_array();

    for (int role = 0; role < ROLES; role++)
        if (has(role, r))
            json_array_append_new(roles, json_string(role_names[role]));
    return roles;
}

json_t *show_rights(void)
{
    json_t *list = json_array();

    for (int r = 0; r < RIGHTS; r++) {
        json_array_append_new(list, json_pack(
            "{s:s, s:s, s:o, s:b, s:o}", "right", right_info(r)->name, "may",
            right_info(r)->act, "roles", roles_that(role_may, r), "twoPeople",
            right_needs_two(r), "seconds", roles_that(role_may_second, r)));
    }
    return json_pack("{s:o}", "rights", list);
}

json_t *show_login_rules(const struct login_rules *r)
{
    return json_pack("{s:b, s:b, s:i, s:s}", "required", r->required, "badgeAlone",
                     r->badge_alone, "idleMinutes", r->idle_s / 60, "badgePrefix",
                     r->badge_prefix);
}
