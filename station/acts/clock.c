#include "station/acts/clock.h"

static int confirm(struct tx *tx, void *ctx, struct err *e)
{
    struct actor *by = ctx;

    return actor_still(tx, by, e) != 0 ? -1 : ledger_clock_confirm(tx, by->who.name, e);
}

int act_clock_confirm(struct db *db, const struct who *w, struct ledger_clock *k,
                      bool *confirmed, struct err *e)
{
    struct actor by;

    *confirmed = false;
    if (ledger_clock(db, k, e) != 0)
        return -1;
    if (k->confirmed)
        return 0;
    if (who_one(w, db, RIGHT_CLOCK, &by, e) != 0 || db_write(db, confirm, &by, e) != 0 ||
        ledger_clock(db, k, e) != 0)
        return -1;
    *confirmed = true;
    return 0;
}
