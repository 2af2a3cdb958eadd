/* control/verbs: what the office can do: one table. Each function reads the
 * request's members and calls what the command of that name calls. */
#ifndef LINESIDE_CONTROL_VERBS_H
#define LINESIDE_CONTROL_VERBS_H

#include "station/acts/who.h"
#include "station/control/protocol.h"
#include "storage/db.h"

#include <stdatomic.h>

struct line; /* station/line/line.h */

/* One thread each, so that none waits for what takes longer. */
enum office_lane {
    LANE_ASK,  /* questions: they read */
    LANE_ACT,  /* what somebody does: a commit or two */
    LANE_SLOW, /* minutes, with a large ledger or stick */
    LANE_LOOK, /* questions that take minutes: anybody may ask them, so that no act
                  may wait for them */
    LANES
};

struct office_call {
    struct control_request r;
    const char *data_dir, *version;
    unsigned warn_hours;
    struct line *line; /* borrowed */
    atomic_bool stop;          /* this one is not wanted any more, or the line ends */
    const atomic_bool *ending; /* the line ends */
    void (*tell)(struct office_call *c, const char *step, uint64_t done, uint64_t of);
    struct db *db;  /* the lane's, once office_db() was called; borrowed */
    struct db **lane_db;
    enum db_mode mode;
    struct session person; /* who stands for it; name "": nobody is known */
    json_t *answer; /* the reply's member of that name; set by the verb, even
                       when it is refused if there is more to say than why */
};
/* The lane's connection. */
int office_db(struct office_call *c, struct err *e);

/* Tells the client how far it is: step is a literal; of 0: not known. */
void office_progress(struct office_call *c, const char *step, uint64_t done,
                     uint64_t of);
/* Who acts, for the act to ask: the call's person, and as the second one who is
 * named in the member `second`, {"badge","pin"}. Borrows c. */
struct who office_who(struct office_call *c);
/* j is the answer; NULL: there was no memory for it. */
int office_say(struct office_call *c, json_t *j, struct err *e);

/* A member that is a folder on a medium: a whole path. *out NULL: it is not there,
 * and need not be. */
int office_folder(const struct office_call *c, const char *name, bool needed,
                  const char **out, struct err *e);

typedef int office_fn(struct office_call *c, struct err *e);

struct office_verb {
    office_fn *run; /* NULL: it is not done here */
    enum office_lane lane;
    bool acts;  /* somebody must stand for it */
    bool stops; /* it may be cancelled when it runs */
};
extern const struct office_verb office_verbs[CONTROL_VERBS];

/* --- questions.c ------------------------------------------------------------ */

office_fn ask_unit, ask_units, ask_stock, ask_orders, ask_order, ask_fixtures, ask_trends,
    ask_quarantine, ask_shift, ask_shifts, ask_day, ask_log, ask_reports,
    ask_people, ask_rights, ask_rules, ask_settings, ask_about, ask_doctor, ask_look;

/* --- do_*.c ------------------------------------------------------------------ */

office_fn do_order_make, do_order_activate, do_order_close, do_order_bind,
    do_order_unbind, do_shift_open, do_shift_close, do_quarantine_release,
    do_quarantine_resolve, do_quarantine_scrap, do_quarantine_limit, do_void,
    do_replace, do_imei, do_person_add, do_person_role, do_person_block,
    do_person_unblock, do_person_badge, do_person_pin, do_rule,
    do_media, do_import, do_order_import, do_export, do_fixture_label, do_fixture_allow,
    do_fixture_position, do_fixture_limits, do_fixture_cycles, do_scanner, do_golden, do_clock_confirm,
    do_release, do_maintained;

#endif
