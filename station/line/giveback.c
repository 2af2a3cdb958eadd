#include "station/line/giveback.h"

#include "station/base/clock.h"
#include "station/line/identity.h"
#include "station/line/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct giveback {
    struct run r;
    const char *reason;
    struct position known;
    bool begun; /* the ledger says that a return is under way */
};

/* What is shown while it is done. The numbers are the recipe's where a step is. */
enum { SHOW_DELETE = STEP_AUTHORISE };
static const struct recipe_step shown[] = {
    [STEP_READ_EID] = { STEP_READ_EID, "read EID", false, V_CARD_REFUSED },
    [STEP_IDENTIFY] = { STEP_IDENTIFY, "identify", false, V_CARD_REFUSED },
    [STEP_STATUS] = { STEP_STATUS, "status", false, V_CARD_REFUSED },
    [STEP_SETTLE] = { STEP_SETTLE, "settle", false, V_UNRESOLVED },
    [SHOW_DELETE] = { STEP_STATUS, "delete", false, V_RETURN },
    [STEP_NOTIFICATIONS] = { STEP_NOTIFICATIONS, "notifications", false,
                             V_RETURN_UNPROVEN },
};

static void show(struct giveback *g, int step)
{
    run_show(&g->r, &shown[step]);
}

/* --- may it? ------------------------------------------------------------------------ */

static bool is_here(const struct bpp_info *b)
{
    return b->state == BPP_INSTALLED && !b->deleted;
}

static size_t count_here(const struct bpp_list *all)
{
    size_t n = 0;

    for (size_t i = 0; i < all->n; i++)
        n += is_here(&all->v[i]);
    return n;
}

/* Nothing is deleted of which nobody could be told. */
static int check_provable(struct run *r)
{
    char iccid[ICCID_DIGITS + 1];

    for (size_t i = 0; i < r->all.n; i++) {
        const struct bpp_info *b = &r->all.v[i];
        if (!is_here(b) || b->delete_notified)
            continue;
        err_set(r->e, ERR_NOT_FOUND, "profile %s of bundle %s names no address for "
                "the notification of its deletion", iccid_format(&b->iccid, iccid),
                b->bundle);
        return run_fail(r, V_RETURN_UNPROVABLE);
    }
    return 0;
}

static int identify(struct giveback *g)
{
    struct run *r = &g->r;
    enum verdict held;

    if (run_identify(r, &g->known) != 0)
        return -1;
    if (g->known.id == 0) {
        err_set(r->e, ERR_NOT_FOUND, "EID %s was never in a fixture of this station",
                r->out->eid);
        return run_fail(r, V_NOTHING_TO_RETURN);
    }
    if (!identity_free(&g->known, &held, r->e))
        return run_fail(r, held);
    r->books.act.position = g->known.id;
    snprintf(r->out->position, sizeof r->out->position, "%s", r->position);
    if (stock_of_eid(r->env->db, &r->eid, &r->all, r->e) != 0)
        return run_station_failed(r);
    if (r->all.n == 0) {
        err_set(r->e, ERR_NOT_FOUND, "no bundle brought a profile for EID %s",
                r->out->eid);
        return run_fail(r, V_NOTHING_TO_RETURN);
    }
    if (check_provable(r) != 0)
        return -1;
    return run_read_record(r, 0); /* any: for the eUICC's key */
}

static int read_status(struct giveback *g)
{
    struct run *r = &g->r;
    enum info2_kind kind;

    if (run_card_status(r, &kind) != 0)
        return -1;
    if (fpa_act_tag(FPA_DELETE, kind) && fpa_act_tag(FPA_DISABLE, kind))
        return 0;
    err_set(r->e, ERR_WRONG_STATE, "an IoT eUICC's profiles are deleted by its "
            "remote manager");
    return run_fail(r, V_RETURN_NO_ACT);
}

/* A load of which nobody knows the end may have installed something, and what
 * the card can still say of it is taken off the card in the end. */
static int settle(struct giveback *g)
{
    struct run *r = &g->r;
    bool doubt = false;

    for (size_t i = 0; i < r->all.n; i++)
        doubt |= r->all.v[i].state == BPP_LOADING ||
                 r->all.v[i].state == BPP_QUARANTINED;
    if (!doubt)
        return 0;
    int bad = run_settle(r);
    for (size_t i = 0; i < r->all.n; i++)
        if (r->all.v[i].state == BPP_LOADING)
            return -1;
    /* What else became of it is written, and no matter of the return; but with
     * a result that is not this eUICC's no deletion can be proven either. */
    if (bad && (r->out->verdict == V_BAD_EVIDENCE ||
                r->out->verdict == verdict_of_station(r->e)))
        return -1;
    *r->e = (struct err)ERR_INIT;
    return check_provable(r);
}

/* --- delete --------------------------------------------------------------------------- */

struct book_return {
    struct book b;
    const char *reason; /* NULL: it ends */
    enum euicc_kind kind;
    int64_t keys_left;
};

static int write_return(struct tx *tx, void *ctx, struct err *e)
{
    const struct book_return *o = ctx;
    const struct act *a = &o->b.where.act;

    return o->reason ? return_begin(tx, a, o->reason, e)
                     : return_finish(tx, a, o->kind, o->keys_left, e);
}

static int commit_return(struct giveback *g, const char *reason)
{
    struct run *r = &g->r;
    struct book_return op = { .reason = reason, .kind = r->kind,
                              .keys_left = (int64_t)r->status.key_count };

    book_submit(&op.b, &r->books, write_return, &op);
    int bad = book_durable(&op.b, r->e);
    book_end(&op.b);
    return bad;
}

/* A profile that this ledger knows, on the card, whoever brought it there. */
static const struct profile_info *next_there(const struct run *r,
                                             const struct fpa_profiles *p, size_t *i)
{
    const struct profile_info *found = NULL;

    while (!found && *i < r->all.n)
        found = fpa_profiles_find(p, &r->all.v[(*i)++].iccid);
    return found;
}

/* Nothing is there: what was is proven to be deleted, so that a return which
 * was cut off has but to end; or there never was anything. */
static int nothing_there(struct giveback *g)
{
    struct run *r = &g->r;

    if (g->known.state == POSITION_STOCKED)
        return run_fail(r, V_ALREADY_RETURNED);
    for (size_t i = 0; i < r->all.n; i++)
        if (r->all.v[i].deleted)
            return 0;
    err_set(r->e, ERR_NOT_FOUND, "no profile of this ledger's is on it");
    return run_fail(r, V_NOTHING_TO_RETURN);
}

static int begin(struct giveback *g, const struct fpa_profiles *p)
{
    struct run *r = &g->r;
    size_t i = 0;

    if (!next_there(r, p, &i) && count_here(&r->all) == 0 && nothing_there(g) != 0)
        return -1;
    if (commit_return(g, g->reason) != 0)
        return run_station_failed(r);
    g->begun = true;
    return 0;
}

static int delete_one(struct run *r, const struct iccid *iccid)
{
    if (fpa_card_act(r->card, FPA_DISABLE, iccid, r->e) != 0 ||
        fpa_card_act(r->card, FPA_DELETE, iccid, r->e) != 0) {
        enum verdict v = verdict_of_card(r->e);
        return run_fail(r, r->e->code == ERR_CARD ? V_RETURN : v);
    }
    return 0;
}

static int delete_all(struct giveback *g)
{
    struct run *r = &g->r;
    struct fpa_profiles there;
    const struct profile_info *p;
    size_t i = 0;

    if (fpa_card_profiles(r->card, &there, r->e) != 0)
        return run_card_failed(r);
    if (begin(g, &there) != 0)
        return -1;
    while ((p = next_there(r, &there, &i)))
        if (delete_one(r, &p->iccid) != 0)
            return -1;
    return 0;
}

/* --- prove ------------------------------------------------------------------------------ */

static int prove(struct giveback *g)
{
    struct run *r = &g->r;

    if (step_notifications(r) != 0) {
        if (r->out->verdict == V_NOTIFICATIONS)
            r->out->verdict = V_RETURN_UNPROVEN;
        return -1;
    }
    if (commit_return(g, NULL) == 0)
        return 0;
    return r->e->code == ERR_WRONG_STATE ? run_fail(r, V_RETURN_UNPROVEN)
                                         : run_station_failed(r);
}

/* --- the whole --------------------------------------------------------------------------- */

static int perform(struct giveback *g)
{
    struct run *r = &g->r;

    if (run_check_label(r) != 0)
        return -1;
    show(g, STEP_READ_EID);
    if (run_read_eid(r) != 0)
        return -1;
    show(g, STEP_IDENTIFY);
    if (identify(g) != 0)
        return -1;
    show(g, STEP_STATUS);
    if (read_status(g) != 0)
        return -1;
    show(g, STEP_SETTLE);
    if (settle(g) != 0)
        return -1;
    show(g, SHOW_DELETE);
    if (delete_all(g) != 0)
        return -1;
    show(g, STEP_NOTIFICATIONS);
    return prove(g);
}

void giveback_run(const struct unit_env *env, const struct scan *scan,
                  const char *reason, struct unit_result *out)
{
    struct giveback g = { .reason = reason };
    struct run *r = &g.r;

    run_init(r, env, scan, out);
    if (perform(&g) == 0) {
        bool spent = r->status.closed || r->status.key_count == 0;
        out->verdict = spent ? V_RETURNED_SPENT : V_RETURNED;
        out->why = (struct err)ERR_INIT;
        run_power_off(r);
        run_end_untouched(r);
    } else {
        run_power_off(r);
        if (verdict_row(out->verdict)->kind == VERDICT_FAIL)
            run_write_failure(r, g.begun ? g.known.id : 0, NULL);
        else
            run_end_untouched(r);
    }
    out->fixture_changed = r->visit.changed;
    out->installed = (unsigned)(verdict_row(out->verdict)->kind == VERDICT_RETURNED
                                    ? 0 : count_here(&r->all));
    run_clear(r);
}
