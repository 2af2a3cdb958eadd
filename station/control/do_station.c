/* What is said of the station itself. */
#include "station/control/verbs.h"

#include "station/acts/clock.h"
#include "station/base/clock.h"
#include "station/show/clock.h"

/* Who may not is told so, also while the clock needs no word. */
int do_clock_confirm(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    struct ledger_clock k;
    struct actor by;
    bool confirmed;

    return office_db(c, e) != 0 || who_one(&w, c->db, RIGHT_CLOCK, &by, e) != 0 ||
           act_clock_confirm(c->db, &w, &k, &confirmed, e) != 0
               ? -1 : office_say(c, show_clock(&k, clock_system(), confirmed), e);
}
