#include "station/control/verbs.h"

#include <stdio.h>

const struct office_verb office_verbs[CONTROL_VERBS] = {
    [CONTROL_UNIT] = { ask_unit, LANE_ASK, false, false },
    [CONTROL_UNITS] = { ask_units, LANE_ASK, false, false },
    [CONTROL_STOCK] = { ask_stock, LANE_ASK, false, false },
    [CONTROL_ORDERS] = { ask_orders, LANE_ASK, false, false },
    [CONTROL_ORDER] = { ask_order, LANE_ASK, false, false },
    [CONTROL_FIXTURES] = { ask_fixtures, LANE_ASK, false, false },
    [CONTROL_TRENDS] = { ask_trends, LANE_ASK, false, false },
    [CONTROL_QUARANTINE] = { ask_quarantine, LANE_ASK, false, false },
    [CONTROL_SHIFT] = { ask_shift, LANE_ASK, false, false },
    [CONTROL_SHIFTS] = { ask_shifts, LANE_ASK, false, false },
    [CONTROL_DAY] = { ask_day, LANE_ASK, false, false },
    [CONTROL_LOG] = { ask_log, LANE_ASK, false, false },
    [CONTROL_REPORTS] = { ask_reports, LANE_ASK, false, false },
    [CONTROL_PEOPLE] = { ask_people, LANE_ASK, false, false },
    [CONTROL_RIGHTS] = { ask_rights, LANE_ASK, false, false },
    [CONTROL_RULES] = { ask_rules, LANE_ASK, false, false },
    [CONTROL_SETTINGS] = { ask_settings, LANE_ASK, false, false },
    [CONTROL_ABOUT] = { ask_about, LANE_ASK, false, false },
    [CONTROL_LOOK] = { ask_look, LANE_ASK, false, false },
    [CONTROL_DOCTOR] = { ask_doctor, LANE_LOOK, false, true },
    [CONTROL_ORDER_MAKE] = { do_order_make, LANE_ACT, true, false },
    [CONTROL_ORDER_ACTIVATE] = { do_order_activate, LANE_ACT, true, false },
    [CONTROL_ORDER_CLOSE] = { do_order_close, LANE_ACT, true, false },
    [CONTROL_ORDER_BIND] = { do_order_bind, LANE_ACT, true, false },
    [CONTROL_ORDER_UNBIND] = { do_order_unbind, LANE_ACT, true, false },
    [CONTROL_SHIFT_OPEN] = { do_shift_open, LANE_ACT, true, false },
    [CONTROL_SHIFT_CLOSE] = { do_shift_close, LANE_SLOW, true, false },
    [CONTROL_QUARANTINE_RELEASE] = { do_quarantine_release, LANE_ACT, true, false },
    [CONTROL_QUARANTINE_RESOLVE] = { do_quarantine_resolve, LANE_ACT, true, false },
    [CONTROL_QUARANTINE_SCRAP] = { do_quarantine_scrap, LANE_ACT, true, false },
    [CONTROL_QUARANTINE_LIMIT] = { do_quarantine_limit, LANE_ACT, true, false },
    [CONTROL_VOID] = { do_void, LANE_SLOW, true, false }, /* a bundle's, maybe */
    [CONTROL_REPLACE] = { do_replace, LANE_ACT, true, false },
    [CONTROL_IMEI] = { do_imei, LANE_ACT, true, false },
    [CONTROL_PERSON_ADD] = { do_person_add, LANE_ACT, true, false },
    [CONTROL_PERSON_ROLE] = { do_person_role, LANE_ACT, true, false },
    [CONTROL_PERSON_BLOCK] = { do_person_block, LANE_ACT, true, false },
    [CONTROL_PERSON_UNBLOCK] = { do_person_unblock, LANE_ACT, true, false },
    [CONTROL_PERSON_BADGE] = { do_person_badge, LANE_ACT, true, false },
    [CONTROL_PERSON_PIN] = { do_person_pin, LANE_ACT, true, false },
    [CONTROL_RULE] = { do_rule, LANE_ACT, true, false },
    [CONTROL_FIXTURE_LABEL] = { do_fixture_label, LANE_ACT, true, false },
    [CONTROL_FIXTURE_ALLOW] = { do_fixture_allow, LANE_ACT, true, false },
    [CONTROL_FIXTURE_POSITION] = { do_fixture_position, LANE_ACT, true, false },
    [CONTROL_FIXTURE_LIMITS] = { do_fixture_limits, LANE_ACT, true, false },
    [CONTROL_FIXTURE_CYCLES] = { do_fixture_cycles, LANE_ACT, true, false },
    [CONTROL_SCANNER] = { do_scanner, LANE_ACT, true, false },
    [CONTROL_RELEASE] = { do_release, LANE_ACT, true, false },
    [CONTROL_MAINTAINED] = { do_maintained, LANE_ACT, true, false },
    [CONTROL_GOLDEN] = { do_golden, LANE_ACT, true, false },
    [CONTROL_CLOCK_CONFIRM] = { do_clock_confirm, LANE_ACT, true, false },
    [CONTROL_MEDIA] = { do_media, LANE_SLOW, true, false },
    [CONTROL_IMPORT] = { do_import, LANE_SLOW, true, true },
    [CONTROL_ORDER_IMPORT] = { do_order_import, LANE_SLOW, true, true },
    [CONTROL_EXPORT] = { do_export, LANE_SLOW, true, false },
};

int office_db(struct office_call *c, struct err *e)
{
    const struct db_options o = { .stop = c->mode == DB_READ ? c->ending : NULL };

    if (!*c->lane_db && db_open(c->data_dir, c->mode, &o, c->lane_db, e) != 0)
        return -1;
    c->db = *c->lane_db;
    return 0;
}

void office_progress(struct office_call *c, const char *step, uint64_t done,
                     uint64_t of)
{
    c->tell(c, step, done, of);
}

int office_say(struct office_call *c, json_t *j, struct err *e)
{
    c->answer = j;
    return j ? 0 : err_set(e, ERR_NOMEM, "no memory for an answer; ask again");
}

int office_folder(const struct office_call *c, const char *name, bool needed,
                  const char **out, struct err *e)
{
    if ((needed ? control_need : control_word)(&c->r, name, out, e) != 0)
        return -1;
    return !*out || **out == '/' ? 0
         : err_set(e, ERR_USAGE, "\"%s\" is a folder's whole path, from / on", name);
}

/* --- who --------------------------------------------------------------------- */

static int one(void *ctx, struct db *db, enum right r, struct actor *out, struct err *e)
{
    const struct office_call *c = ctx;
    bool any;

    *out = (struct actor){ .who = c->person, .right = r, .known = *c->person.name };
    if (out->known)
        return session_may(&out->who, r, e);
    snprintf(out->who.name, sizeof out->who.name, "%s", ACTS_NOBODY_KNOWN);
    if (people_any(db, &any, e) != 0)
        return -1;
    return any ? err_set(e, ERR_TRUST, "this station knows people since; log in "
                         "first") : 0;
}

/* {"badge":...,"pin":...} */
static int second(const struct office_call *c, const char **badge, const char **pin,
                  struct err *e)
{
    const json_t *s = json_object_get(c->r.words, "second");

    *badge = json_string_value(json_object_get(s, "badge"));
    *pin = json_string_value(json_object_get(s, "pin"));
    return *badge && *pin ? 0
         : err_set(e, s ? ERR_FORMAT : ERR_TRUST, "it takes two people: name the "
                   "other one as \"second\":{\"badge\":...,\"pin\":...}");
}

static int two(void *ctx, struct db *db, enum right r, struct pair *out, struct err *e)
{
    struct office_call *c = ctx;
    struct pair p = { .first = c->person };
    const char *badge, *pin;

    if (!*c->person.name)
        return err_set(e, ERR_NOT_FOUND, "it takes two people, and this station "
                       "knows nobody yet; add them first: lineside people add "
                       "NAME --role supervisor --badge BADGE, then the others");
    if (second(c, &badge, &pin, e) != 0 || login(db, badge, pin, &p.second, e) != 0 ||
        pair_may(&p, r, e) != 0)
        return -1;
    *out = p;
    return 0;
}

struct who office_who(struct office_call *c)
{
    return (struct who){ one, two, c };
}
