#include "station/control/verbs.h"

const struct office_verb office_verbs[CONTROL_VERBS] = {
    [CONTROL_UNIT] = { ask_unit, LANE_ASK },
    [CONTROL_UNITS] = { ask_units, LANE_ASK },
    [CONTROL_STOCK] = { ask_stock, LANE_ASK },
    [CONTROL_ORDERS] = { ask_orders, LANE_ASK },
    [CONTROL_ORDER] = { ask_order, LANE_ASK },
    [CONTROL_FIXTURES] = { ask_fixtures, LANE_ASK },
    [CONTROL_QUARANTINE] = { ask_quarantine, LANE_ASK },
    [CONTROL_SHIFT] = { ask_shift, LANE_ASK },
    [CONTROL_SHIFTS] = { ask_shifts, LANE_ASK },
    [CONTROL_DAY] = { ask_day, LANE_ASK },
    [CONTROL_LOG] = { ask_log, LANE_ASK },
    [CONTROL_REPORTS] = { ask_reports, LANE_ASK },
    [CONTROL_PEOPLE] = { ask_people, LANE_ASK },
    [CONTROL_RIGHTS] = { ask_rights, LANE_ASK },
    [CONTROL_ABOUT] = { ask_about, LANE_ASK },
    [CONTROL_DOCTOR] = { ask_doctor, LANE_SLOW },
};

int office_db(struct office_call *c, struct err *e)
{
    const struct db_options o = { .stop = c->mode == DB_READ ? c->stop : NULL };

    if (!*c->lane_db && db_open(c->data_dir, c->mode, &o, c->lane_db, e) != 0)
        return -1;
    c->db = *c->lane_db;
    return 0;
}
