/* May this unit be worked on here, now, and with what? Judged before anything
 * but the EID read was sent. */
#include "station/line/run.h"

#include "station/line/golden.h"
#include "station/line/identity.h"
#include "storage/imei.h"
#include "storage/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool live(enum bpp_state s)
{
    return s == BPP_IN_STOCK || s == BPP_RESERVED || s == BPP_LOADING ||
           s == BPP_INSTALLED;
}

/* Whether `b` came because `dead` was used up in vain: of the same SM-DPf, and
 * imported after that was known here. Someone else's use may have been known
 * elsewhere before; then a later bundle will do. */
static bool came_for(const struct bpp_info *b, const struct bpp_info *dead)
{
    uint64_t since = dead->state == BPP_VOIDED ? dead->import_event
                                               : dead->event;

    return b->import_event > since && strcmp(b->smdp_oid, dead->smdp_oid) == 0;
}

/* The first profile used up in vain that none came for, or all->n. One comes
 * for one; it may have been used up itself, and another came for it. Passing
 * the unit with the others alone would ship it incomplete. */
static size_t not_replaced(const struct bpp_list *all, bool *taken)
{
    for (size_t i = 0; i < all->n; i++) {
        size_t k = 0;
        if (live(all->v[i].state) || all->v[i].given_up)
            continue;
        while (k < all->n && (taken[k] || all->v[k].given_up ||
                              !came_for(&all->v[k], &all->v[i])))
            k++;
        if (k == all->n)
            return i;
        taken[k] = true;
    }
    return all->n;
}

int run_check_replaced(struct run *r)
{
    bool *taken = calloc(r->all.n, sizeof *taken);
    char iccid[ICCID_DIGITS + 1];

    if (!taken) {
        err_set(r->e, ERR_NOMEM, "no memory for %zu profiles", r->all.n);
        return run_station_failed(r);
    }
    size_t i = not_replaced(&r->all, taken);
    free(taken);
    if (i == r->all.n)
        return 0;
    const struct bpp_info *b = &r->all.v[i];
    err_set(r->e, ERR_NOT_FOUND, "profile %s of bundle %s is %s",
            iccid_format(&b->iccid, iccid), b->bundle, bpp_state_name(b->state));
    return run_fail(r, V_NOT_REPLACED);
}

static int check_stock(struct run *r)
{
    size_t given_up = 0;

    for (size_t i = 0; i < r->all.n; i++)
        given_up += r->all.v[i].given_up;
    /* What its quarantined profiles have become, its eUICC is asked first. */
    if (r->all.n > given_up)
        return r->duty.resolving ? 0 : run_check_replaced(r);
    if (given_up)
        err_set(r->e, ERR_NOT_FOUND, "every profile for EID %s was voided "
                "here", r->out->eid);
    else
        err_set(r->e, ERR_NOT_FOUND, "no bundle brought a profile for EID %s",
                r->out->eid);
    return run_fail(r, V_NO_BPP);
}

unsigned run_installed(const struct bpp_list *all)
{
    unsigned n = 0;

    for (size_t i = 0; i < all->n; i++)
        n += all->v[i].state == BPP_INSTALLED && !all->v[i].deleted;
    return n;
}

/* The record that is wanted first: the one in doubt, else the one to load,
 * else any, for the eUICC's key. */
static size_t first_record(const struct bpp_list *all)
{
    static const enum bpp_state wanted[] = { BPP_LOADING, BPP_IN_STOCK,
                                             BPP_RESERVED };

    for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++)
        for (size_t i = 0; i < all->n; i++)
            if (all->v[i].state == wanted[w])
                return i;
    return all->n - 1;
}

static int claim(struct run *r)
{
    const struct claim_what what = { r->out->serial, r->position, r->eid };

    claims_drop(r->env->claims, r->env->fixture);
    return claims_take(r->env->claims, &what, r->env->fixture, r->e)
         ? 0 : run_fail(r, V_BUSY_ELSEWHERE);
}

/* A wrong label claims nothing, so that it never stands in the way of the unit
 * it names. What was read before the claim may be what the fixture that held
 * it was about to change: hence read again, and claimed again when the unit's
 * next position is another by now. */
int run_identify(struct run *r, struct position *known)
{
    char claimed[sizeof r->position] = "";
    enum verdict v;

    /* No order knows of golden units. */
    const struct identity_place at = { r->golden ? "" : r->duty.bound,
                                       r->golden ? NULL : r->duty.spec };

    for (;;) {
        if (identity_find(r->env->db, r->scan, &r->eid, &at, known, r->position,
                          r->out->serial, &v, r->e) != 0)
            return run_fail(r, v);
        if (strcmp(claimed, r->position) == 0)
            return 0;
        if (claim(r) != 0)
            return -1;
        memcpy(claimed, r->position, sizeof claimed);
    }
}

static bool gave_back(const struct run *r)
{
    bool deleted = false;

    for (size_t i = 0; i < r->all.n; i++)
        deleted |= r->all.v[i].deleted;
    return deleted && r->out->installed == 0;
}

/* It gave its profiles back, and goes on when there is something new for it and
 * it can take it. */
static int check_returned(struct run *r, const struct position *known)
{
    size_t fresh = 0;

    for (size_t i = 0; i < r->all.n; i++)
        fresh += r->all.v[i].state == BPP_IN_STOCK;
    if (fresh == 0) {
        err_set(r->e, ERR_NOT_FOUND, "the unit gave its profiles back, and no new one "
                "has come for EID %s", r->out->eid);
        return run_fail(r, V_NO_BPP);
    }
    if (!known->closed)
        return 0;
    err_set(r->e, ERR_WRONG_STATE, "this station has closed its factory services, "
            "and has the eUICC's receipt for it");
    return run_fail(r, V_FPA_CLOSED);
}

/* What was finished before is left alone; what may not be, is refused. */
static int check_state(struct run *r, const struct position *known)
{
    bool stocked = known->id && known->state == POSITION_STOCKED;
    enum verdict v;

    if (stocked && gave_back(r) && check_returned(r, known) != 0)
        return -1;
    if (r->duty.order)
        return duty_judge(r->env->db, &r->duty, r->out->serial, r->position, &v,
                          r->e) != 0 ? run_fail(r, v) : 0;
    if ((stocked && !gave_back(r)) || (known->id && known->state == POSITION_PASSED))
        return run_fail(r, V_ALREADY_DONE);
    return 0;
}

static int check_profiles(struct run *r)
{
    enum verdict v;

    if (!r->duty.order)
        return check_stock(r);
    return duty_sort(&r->duty, &r->all, &v, r->e) != 0 ? run_fail(r, v) : 0;
}

static const struct recipe_step self_test = { STEP_STATUS, "self-test", false,
                                              V_CARD_REFUSED };

/* In place of the recipe: nothing of the stock is reserved, no unit is
 * registered. */
static int test_golden(struct run *r)
{
    const struct golden_test *t = &r->test;
    char speed[16] = "";

    r->step = self_test.step;
    r->env->busy(r->env->ctx, r->out, &self_test);
    if (golden_self_test(r->card, &r->env->slot->base, &r->eid, &r->test, r->e) != 0)
        return run_card_failed(r);
    if (t->speed)
        snprintf(speed, sizeof speed, ", TA1=%02X", t->speed);
    err_set(r->e, ERR_NONE, "EID read %d times: %llu us each, %llu us at most%s",
            GOLDEN_ROUNDS, (unsigned long long)t->mean_us,
            (unsigned long long)t->most_us, speed);
    return run_fail(r, V_GOLDEN_OK);
}

/* The IMEI that was scanned before the label. A unit that is known gets it even
 * when nothing else is to be done with it. */
static int check_imei(struct run *r, const struct position *known)
{
    struct book_imei op = { .imei = NULL };
    const char *imei = r->env->imei;

    if (!imei || !*imei)
        return 0;
    int bad = imei_judge(r->env->db, known, imei, r->e);
    if (!bad && known->id && !known->imei[0]) {
        book_imei(&op, &r->books, imei);
        bad = book_durable(&op.b, r->e);
        book_end(&op.b);
    }
    if (!bad)
        return 0;
    return r->e->code == ERR_CONFLICT ? run_fail(r, V_IMEI_CONFLICT)
                                      : run_station_failed(r);
}

int step_identify(struct run *r)
{
    struct position known;
    enum verdict held;

    if (run_identify(r, &known) != 0)
        return -1;
    if (r->golden)
        return test_golden(r);
    if (!identity_free(&known, &held, r->e))
        return run_fail(r, held);
    r->books.act.position = known.id;
    snprintf(r->out->position, sizeof r->out->position, "%s", r->position);
    if (check_imei(r, &known) != 0)
        return -1;
    if (stock_of_eid(r->env->db, &r->eid, &r->all, r->e) != 0)
        return run_station_failed(r);
    r->out->installed = run_installed(&r->all);
    if (known.id && position_resolving(r->env->db, known.id, &r->duty.resolving,
                                       r->e) != 0)
        return run_station_failed(r);
    if (check_state(r, &known) != 0 || check_profiles(r) != 0)
        return -1;
    /* Waited for in the next step: the card need not wait for the writer. */
    run_reserve(r);
    return r->all.n ? run_read_record(r, first_record(&r->all)) : 0;
}
