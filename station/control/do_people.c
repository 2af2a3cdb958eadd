/* People, and the rules of logging in. */
#include "station/control/verbs.h"

#include "station/acts/people.h"
#include "station/show/people.h"

/* The new PIN stands in the request, and is forgotten with it. */
static int new_pin(void *ctx, const char *name, const char *badge, bool own,
                   struct pin_hash *out, struct err *e)
{
    const struct office_call *c = ctx;
    const char *pin;

    (void)name;
    (void)own;
    return control_need(&c->r, "newPin", &pin, e) != 0 ||
           pin_check(pin, badge, e) != 0 ? -1 : pin_hash_make(pin, out, e);
}

/* As they are now. */
static int say_people(struct office_call *c, struct err *e)
{
    AUTO(people_clear) struct people p = { NULL, 0 };

    return people_get(c->db, &p, e) != 0 ? -1 : office_say(c, show_people(&p), e);
}

int do_person_add(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const struct new_pin pin = { new_pin, c };
    const char *name, *role, *badge;

    return control_need(&c->r, "name", &name, e) != 0 ||
           control_need(&c->r, "role", &role, e) != 0 ||
           control_need(&c->r, "badge", &badge, e) != 0 || office_db(c, e) != 0 ||
           act_person_add(c->db, &w, name, role, badge, &pin, e) != 0
               ? -1 : say_people(c, e);
}

int do_person_role(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *name, *role;

    return control_need(&c->r, "name", &name, e) != 0 ||
           control_need(&c->r, "role", &role, e) != 0 || office_db(c, e) != 0 ||
           act_person_role(c->db, &w, name, role, e) != 0 ? -1 : say_people(c, e);
}

static int block(struct office_call *c, bool blocked, struct err *e)
{
    const struct who w = office_who(c);
    const char *name;

    return control_need(&c->r, "name", &name, e) != 0 || office_db(c, e) != 0 ||
           act_person_block(c->db, &w, name, blocked, e) != 0 ? -1 : say_people(c, e);
}

int do_person_block(struct office_call *c, struct err *e)
{
    return block(c, true, e);
}

int do_person_unblock(struct office_call *c, struct err *e)
{
    return block(c, false, e);
}

int do_person_badge(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *name, *badge;

    return control_need(&c->r, "name", &name, e) != 0 ||
           control_need(&c->r, "badge", &badge, e) != 0 || office_db(c, e) != 0 ||
           act_person_badge(c->db, &w, name, badge, e) != 0 ? -1 : say_people(c, e);
}

int do_person_pin(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const struct new_pin pin = { new_pin, c };
    const char *name;

    return control_need(&c->r, "name", &name, e) != 0 || office_db(c, e) != 0
               ? -1 : act_person_pin(c->db, &w, name, &pin, e);
}

/* --- rules ----------------------------------------------------------------------- */

int ask_rules(struct office_call *c, struct err *e)
{
    struct login_rules r;

    return office_db(c, e) != 0 || login_rules_get(c->db, &r, e) != 0
               ? -1 : office_say(c, show_login_rules(&r), e);
}

int do_rule(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    const char *rule, *value;

    return control_need(&c->r, "rule", &rule, e) != 0 ||
           control_need(&c->r, "value", &value, e) != 0 || office_db(c, e) != 0 ||
           act_login_rule(c->db, &w, rule, value, e) != 0 ? -1 : ask_rules(c, e);
}
