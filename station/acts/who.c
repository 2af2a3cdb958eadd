#include "station/acts/who.h"

#include "station/ifpp/event.h"

#include <string.h>

int actor_still(struct tx *tx, void *actor, struct err *e)
{
    const struct actor *a = actor;
    bool any;

    if (a->known)
        return session_still(tx_db(tx), &a->who, a->right, e);
    if (people_any(tx_db(tx), &any, e) != 0)
        return -1;
    return any ? err_set(e, ERR_TRUST, "this station knows people since; do it "
                         "again with --as BADGE") : 0;
}

int who_one(const struct who *w, struct db *db, enum right r, struct actor *out,
            struct err *e)
{
    return w->one(w->ctx, db, r, out, e);
}

int who_two(const struct who *w, struct db *db, enum right r, struct pair *out,
            struct err *e)
{
    return w->two(w->ctx, db, r, out, e);
}

int acts_reason(const char *reason, struct err *e)
{
    size_t n = reason ? strlen(reason) : 0;

    if (n == 0 || strspn(reason, " ") == n)
        return err_set(e, ERR_USAGE, "a reason is needed: --reason TEXT, a line "
                       "for whoever asks later");
    if (n > ACTS_REASON_MAX || !event_text_ok(SPAN(reason, n)))
        return err_set(e, ERR_USAGE, "a reason is one line of plain text of at "
                       "most %d octets", ACTS_REASON_MAX);
    return 0;
}
