#include "station/show/done.h"

json_t *show_held(const struct act_held *h)
{
    return json_pack("{s:s, s:s, s:I}", "act", hold_act_names[h->what], "serial",
                     h->serial, "positions", (json_int_t)h->n);
}

json_t *show_voided(size_t found, size_t voided)
{
    return json_pack("{s:I, s:I}", "voided", (json_int_t)voided, "left",
                     (json_int_t)(found - voided));
}

json_t *show_replaced(const struct act_replaced *r)
{
    char was[EID_DIGITS + 1], is[EID_DIGITS + 1];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "serial", r->was.serial,
                     "position", r->was.name, "eid", eid_format(&r->was.eid, was),
                     "newEid", eid_format(&r->is, is), "stateBefore",
                     position_state_name(r->was.state), "inStock",
                     (json_int_t)r->in_stock, "unresolved", (json_int_t)r->loading);
}

json_t *show_imei(const struct position *was, const char *imei)
{
    return json_pack("{s:s, s:s, s:s, s:s?}", "serial", was->serial, "position",
                     was->name, "imei", imei, "before",
                     *was->imei ? was->imei : NULL);
}
