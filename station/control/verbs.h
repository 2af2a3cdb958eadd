/* control/verbs: what the office can do: one table. Each function reads the
 * request's members and calls what the command of that name calls. */
#ifndef LINESIDE_CONTROL_VERBS_H
#define LINESIDE_CONTROL_VERBS_H

#include "station/control/protocol.h"
#include "storage/db.h"

#include <stdatomic.h>

/* One thread each, so that none waits for what takes longer. */
enum office_lane {
    LANE_ASK,  /* questions: they read */
    LANE_SLOW, /* minutes, with a large ledger or stick */
    LANES
};

struct office_call {
    struct control_request r;
    const char *data_dir, *version;
    unsigned warn_hours;
    const atomic_bool *stop; /* the line ends: be quick */
    struct db *db;  /* the lane's, once office_db() was called; borrowed */
    struct db **lane_db;
    enum db_mode mode;
    json_t *answer; /* the reply's member of that name; set by the verb */
};
/* The lane's connection. */
int office_db(struct office_call *c, struct err *e);

typedef int office_fn(struct office_call *c, struct err *e);

struct office_verb {
    office_fn *run; /* NULL: it is not done here */
    enum office_lane lane;
};
extern const struct office_verb office_verbs[CONTROL_VERBS];

/* --- questions.c ------------------------------------------------------------ */

office_fn ask_unit, ask_units, ask_stock, ask_orders, ask_order, ask_fixtures,
    ask_quarantine, ask_shift, ask_shifts, ask_day, ask_log, ask_reports,
    ask_people, ask_rights, ask_about, ask_doctor;

#endif
