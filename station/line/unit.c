#include "station/line/unit.h"

#include "station/base/clock.h"
#include "station/line/golden.h"
#include "station/line/identity.h"
#include "station/line/line.h"
#include "station/line/run.h"
#include "storage/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int run_fail(struct run *r, enum verdict v)
{
    r->out->verdict = v;
    return -1;
}

int run_card_failed(struct run *r)
{
    return run_fail(r, recipe_verdict(r->step, r->e));
}

int run_station_failed(struct run *r)
{
    return run_fail(r, verdict_of_station(r->e));
}

/* --- read EID ---------------------------------------------------------------- */

static int64_t time_left(const struct run *r)
{
    int64_t left = r->started_ms + r->env->limits.unit_ms - clock_monotonic_ms();

    return left > 0 ? left : 0;
}

int run_power_on(struct run *r, struct eid *eid)
{
    struct apdu_limits limits = r->env->limits;

    limits.unit_ms = time_left(r);
    if (limits.unit_ms == 0)
        return err_set(r->e, ERR_TIMEOUT, "the time for one unit is over");
    if (fpa_card_open(&r->env->slot->base, &limits, &r->card, r->e) != 0)
        return -1;
    return fpa_card_eid(r->card, eid, r->e);
}

void run_power_off(struct run *r)
{
    if (r->card)
        r->out->apdus += apdu_counters(fpa_card_apdu(r->card))->apdus;
    fpa_card_close(r->card);
    r->card = NULL;
}

/* A fixture that takes no units still takes golden ones; which one it is only
 * the eUICC can say. */
static int refuse_at_gate(struct run *r)
{
    err_set(r->e, ERR_WRONG_STATE, "%s", r->env->gate->why);
    return run_fail(r, r->env->gate->shut);
}

int run_read_eid(struct run *r)
{
    bool shut = r->env->gate->shut != V_DONE;
    enum verdict held;

    if (!identity_label(r->env->db, r->scan, &held, r->e))
        return run_fail(r, held);
    r->golden = r->env->gate->golden;
    if (run_power_on(r, &r->eid) != 0)
        return shut && !r->golden ? refuse_at_gate(r) : run_card_failed(r);
    r->eid_read = true;
    eid_format(&r->eid, r->out->eid);
    if (golden_known(r->env->db, &r->eid, &r->golden, r->e) != 0)
        return run_station_failed(r);
    return shut && !r->golden ? refuse_at_gate(r) : 0;
}

/* --- identify ------------------------------------------------------------------ */

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
        return r->resolving ? 0 : run_check_replaced(r);
    if (given_up)
        err_set(r->e, ERR_NOT_FOUND, "every profile for EID %s was voided "
                "here", r->out->eid);
    else
        err_set(r->e, ERR_NOT_FOUND, "no bundle brought a profile for EID %s",
                r->out->eid);
    return run_fail(r, V_NO_BPP);
}

static unsigned count_installed(const struct bpp_list *all)
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

/* A wrong label claims nothing, so that it never stands in the way of the unit
 * it names. What was read before the claim may be what the fixture that held
 * it was about to change: hence read again. */
int run_identify(struct run *r, struct position *known)
{
    struct claims *claims = r->env->claims;
    char *serial = r->out->serial;
    enum verdict v;

    /* No order knows of golden units. */
    const struct identity_place at = { r->golden ? "" : r->duty.bound,
                                       r->golden ? NULL : r->duty.spec };

    for (bool claimed = false;; claimed = true) {
        if (identity_find(r->env->db, r->scan, &r->eid, &at, known, r->position,
                          serial, &v, r->e) != 0)
            return run_fail(r, v);
        if (claimed)
            return 0;
        if (!claims_take(claims, serial, &r->eid, r->env->fixture, r->e))
            return run_fail(r, V_BUSY_ELSEWHERE);
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

static int step_identify(struct run *r)
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
    if (stock_of_eid(r->env->db, &r->eid, &r->all, r->e) != 0)
        return run_station_failed(r);
    r->out->installed = count_installed(&r->all);
    if (known.id && position_resolving(r->env->db, known.id, &r->resolving,
                                       r->e) != 0)
        return run_station_failed(r);
    if (check_state(r, &known) != 0 || check_profiles(r) != 0)
        return -1;
    /* Waited for in the next step: the card need not wait for the writer. */
    run_reserve(r);
    return r->all.n ? run_read_record(r, first_record(&r->all)) : 0;
}

void run_reserve(struct run *r)
{
    book_unit_end(&r->unit);
    book_unit(&r->unit, &r->books, r->out->serial, r->position, &r->duty, &r->eid);
}

int run_reserved(struct run *r)
{
    if (book_executed(&r->unit.b, r->e) != 0)
        return r->unit.verdict != V_DONE ? run_fail(r, r->unit.verdict)
                                         : run_station_failed(r);
    r->books.act.position = r->unit.position.id;
    bpp_list_clear(&r->all);
    r->all = r->unit.all;
    r->unit.all = (struct bpp_list){ NULL, 0 };
    r->wanted = r->duty.order ? r->duty.recipe->wants : r->all.n;
    return 0;
}

static int read_key(struct run *r)
{
    EVP_PKEY *key = cert_key_of_der(r->rec.cert.whole, r->e);

    if (!key)
        return -1;
    EVP_PKEY_free(r->key);
    r->key = key;
    return 0;
}

/* Import proved the record and its chains; here it is only read. */
int run_read_record(struct run *r, size_t i)
{
    int64_t bpp = r->all.v[i].id;

    if (r->record_of == bpp)
        return 0;
    r->record_of = 0;
    if (stock_record(r->env->db, bpp, &r->record, r->e) != 0 ||
        stock_chains(r->env->db, bpp, NULL, &r->dp_chain, r->e) != 0 ||
        bpp_record_parse(buf_span(&r->record), &r->rec, r->e) != 0 ||
        read_key(r) != 0) {
        err_wrap(r->e, "the ledger's record of a profile");
        return run_station_failed(r);
    }
    r->record_of = bpp;
    return 0;
}

/* --- status --------------------------------------------------------------------- */

static const enum euicc_kind kinds[] = {
    [INFO2_CONSUMER] = EUICC_CONSUMER,
    [INFO2_IOT] = EUICC_IOT,
};

/* What activation could not know: of what kind this eUICC is. */
static int check_acts(struct run *r, enum info2_kind kind)
{
    const struct order_recipe *asked = r->duty.recipe;

    if (!asked || asked->enable == 0 || asked->enable == asked->wants ||
        fpa_act_names_profile(FPA_ENABLE, kind))
        return 0;
    err_set(r->e, ERR_WRONG_STATE, "order %s enables profile %u, but an IoT eUICC "
            "enables only the one loaded last, %zu", r->duty.number,
            asked->enable, asked->wants);
    return run_fail(r, V_NO_SUCH_ACT);
}

int run_card_status(struct run *r, enum info2_kind *kind)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct euicc_info2 info;

    if (fpa_card_status(r->card, &r->status_raw, &r->status, r->e) != 0 ||
        fpa_card_info2(r->card, &raw, &info, r->e) != 0)
        return run_card_failed(r);
    r->kind = kinds[info.kind];
    if (kind)
        *kind = info.kind;
    return 0;
}

static int step_status(struct run *r)
{
    enum info2_kind kind;

    if (run_card_status(r, &kind) != 0)
        return -1;
    return run_reserved(r) != 0 ? -1 : check_acts(r, kind);
}

static int step_power_off(struct run *r)
{
    run_note_keys(r);
    run_power_off(r);
    return 0;
}

/* --- the recipe ------------------------------------------------------------------- */

static int (*const acts[STEPS])(struct run *) = {
    [STEP_READ_EID] = run_read_eid,
    [STEP_IDENTIFY] = step_identify,
    [STEP_STATUS] = step_status,
    [STEP_SETTLE] = step_settle,
    [STEP_AUTHORISE] = step_authorise,
    [STEP_LOAD] = step_load,
    [STEP_RECORD] = step_record,
    [STEP_ENABLE] = step_enable,
    [STEP_NOTIFICATIONS] = step_notifications,
    [STEP_DELETE_KEYS] = step_delete_keys,
    [STEP_CLOSE] = step_close,
    [STEP_KEEP] = step_keep,
    [STEP_POWER_OFF] = step_power_off,
};

/* What the order's recipe does not ask for. */
static bool left_out(const struct run *r, enum step s)
{
    const struct order_recipe *asked = r->duty.recipe;

    if (!asked)
        return s == STEP_KEEP;
    switch (s) {
    case STEP_ENABLE:
        return asked->enable == 0;
    case STEP_NOTIFICATIONS:
        return asked->wants == 0;
    case STEP_DELETE_KEYS:
    case STEP_CLOSE:
        return asked->end != ORDER_CLOSE;
    case STEP_KEEP:
        return asked->end == ORDER_CLOSE;
    default:
        return false;
    }
}

static int perform(struct run *r, const struct recipe_step *s)
{
    const struct fixture_gate *gate = r->env->gate;

    if (left_out(r, s->step))
        return 0;
    r->step = s->step;
    /* Not while it is open whether this scan starts anything. */
    if (s->step != STEP_READ_EID || gate->shut == V_DONE || gate->golden)
        r->env->busy(r->env->ctx, r->out, s);
    return acts[s->step](r);
}

static bool next_profile(struct run *r)
{
    for (size_t i = 0; i < r->all.n; i++)
        if (r->all.v[i].state == BPP_RESERVED) {
            r->at = i;
            r->turn = !r->turn;
            return true;
        }
    return false;
}

static int perform_profiles(struct run *r, size_t from, size_t to)
{
    while (next_profile(r))
        for (size_t i = from; i < to; i++)
            if (perform(r, &recipe[i]) != 0)
                return -1;
    return 0;
}

static int perform_all(struct run *r)
{
    for (size_t i = 0, end; i < STEPS; i = end) {
        end = i + 1;
        if (!recipe[i].per_profile) {
            if (perform(r, &recipe[i]) != 0)
                return -1;
            continue;
        }
        while (end < STEPS && recipe[end].per_profile)
            end++;
        if (perform_profiles(r, i, end) != 0)
            return -1;
    }
    return 0;
}

/* --- the end ------------------------------------------------------------------------ */

static void add_detail(struct err *e, const char *what, const struct err *more)
{
    struct err first = *e;

    if (e->code == ERR_NONE)
        *e = *more;
    else
        err_set(e, first.code, "%s; %s: %s", first.msg, what, more->msg);
    e->sw = first.sw;
}

/* A result that could not be written outweighs whatever came after it: the
 * BPP is still `loading`, and the card has the proof. */
static void check_results(struct run *r)
{
    for (size_t i = 0; i < 2; i++) {
        struct err e = ERR_INIT;
        if (book_durable(&r->job[i].result.b, &e) == 0)
            continue;
        add_detail(r->e, "the result of the load was not recorded", &e);
        r->out->verdict = verdict_of_station(&e);
        for (size_t k = 0; k < r->all.n; k++)
            if (r->all.v[k].id == r->job[i].bpp)
                r->all.v[k].state = BPP_LOADING;
    }
}

struct visit *run_visit(struct run *r, enum verdict v)
{
    struct contacts more = contact_take(r->env->slot);

    /* A unit is one cycle, however often it was given power. */
    r->contacts.cycles |= more.cycles;
    for (int i = 0; i < CONTACT_PROBLEMS; i++)
        r->contacts.v[i] += more.v[i];
    r->visit = (struct visit){ r->env->fixture_key, r->contacts, v, false };
    return &r->visit;
}

static void write_failure(struct run *r, const struct failure *f)
{
    struct book_failure op = { .visit = NULL };
    struct err e = ERR_INIT;

    book_failure(&op, &r->books, f, run_visit(r, f->verdict));
    if (book_durable(&op.b, &e) != 0)
        add_detail(r->e, "this failure was not recorded", &e);
    book_end(&op.b);
}

static void end_failed(struct run *r)
{
    bool loading = r->step == STEP_AUTHORISE || r->step == STEP_LOAD ||
                   r->step == STEP_RECORD;

    check_results(r);
    /* Without a registration that went well there is no place in the books to
     * write to: a wrong label does not touch the unit it names. */
    struct err ignored = ERR_INIT;
    bool known = r->unit.b.submitted && book_executed(&r->unit.b, &ignored) == 0;
    run_write_failure(r, known ? r->unit.position.id : 0,
                      loading && r->at < r->all.n ? &r->all.v[r->at].txid : NULL);
}

void run_write_failure(struct run *r, int64_t position, const struct txid *txid)
{
    struct failure f = {
        .verdict = r->out->verdict,
        .step = recipe[r->step].name,
        .detail = r->e->msg,
        .serial = r->out->serial,
        .position = r->position[0] ? r->position : POSITION_MAIN,
        .order = r->duty.number,
        .eid = r->eid_read ? &r->eid : NULL,
        .txid = txid,
        .started_at = r->started_at,
    };

    r->books.act.position = position;
    write_failure(r, &f);
}

/* GOLDEN OK is as good as its event: waited for. */
static void end_golden(struct run *r)
{
    struct book_golden op = { .visit = NULL };
    const struct verdict_row *row = verdict_row(r->out->verdict);
    bool passed = row->kind == VERDICT_GOLDEN;
    struct err e = ERR_INIT;

    r->test.eid = r->eid_read ? r->eid : r->scan->eid;
    r->test.code = passed ? NULL : row->code;
    r->test.detail = r->e->msg;
    book_golden(&op, &r->books, &r->test, run_visit(r, r->out->verdict));
    bool lost = book_durable(&op.b, &e) != 0;
    book_end(&op.b);
    if (lost && passed) {
        *r->e = e;
        r->out->verdict = verdict_of_station(&e);
    } else if (lost) {
        add_detail(r->e, "this failure was not recorded", &e);
    }
}

/* A unit that is done stays as it is, and so does one that was refused; what
 * the contacts did is written with the next group, and nobody waits. */
void run_end_untouched(struct run *r)
{
    static const struct contacts none = { .cycles = 0 };
    struct book_visit op = { .visit = NULL };
    struct visit *v = run_visit(r, r->out->verdict);
    struct err ignored = ERR_INIT;

    if (memcmp(&v->contacts, &none, sizeof none) == 0)
        return;
    book_visit(&op, &r->books, v);
    book_executed(&op.b, &ignored);
    book_end(&op.b);
}

static void end_badly(struct run *r)
{
    if (r->golden)
        end_golden(r);
    else if (verdict_row(r->out->verdict)->kind == VERDICT_FAIL)
        end_failed(r);
    else
        run_end_untouched(r);
}

static void set_run(struct run *r, const struct unit_env *env, const struct scan *scan,
                    struct unit_result *out)
{
    *r = (struct run){
        .env = env, .scan = scan, .out = out, .e = &out->why,
        .started_at = clock_system(), .started_ms = clock_monotonic_ms(),
        .books = { env->writer, { .actor = env->actor, .fixture = env->fixture } },
        .job = { { .load = LOAD_RESULT_INIT }, { .load = LOAD_RESULT_INIT } },
    };
}

void run_init(struct run *r, const struct unit_env *env, const struct scan *scan,
              struct unit_result *out)
{
    set_run(r, env, scan, out);
    *out = (struct unit_result){ .verdict = V_MACHINE, .why = ERR_INIT };
    snprintf(out->serial, sizeof out->serial, "%s", scan->barcode);
}

void run_clear(struct run *r)
{
    job_end(&r->job[0]);
    job_end(&r->job[1]);
    book_unit_end(&r->unit);
    claims_drop(r->env->claims, r->env->fixture);
    bpp_list_clear(&r->all);
    buf_clear(&r->status_raw);
    buf_clear(&r->record);
    buf_clear(&r->dp_chain);
    EVP_PKEY_free(r->key);
}

static int begin(struct run *r)
{
    enum verdict v;

    if (r->env->gate->golden)
        return 0;
    if (duty_find(r->env->db, r->env->fixture, r->env->orders, &r->duty, &v, r->e) != 0)
        return run_fail(r, v);
    memcpy(r->out->order, r->duty.number, sizeof r->out->order);
    return 0;
}

/* Positions that other orders have, or none. */
static void add_others(const struct run *r, const struct position_list *all,
                       char *missing, size_t cap, bool *stocked)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct position *p = &all->v[i];
        size_t n = strlen(missing);
        *stocked |= p->state == POSITION_STOCKED;
        if (!order_position(r->duty.spec, p->name) &&
            p->state != POSITION_PASSED && p->state != POSITION_STOCKED)
            snprintf(missing + n, cap - n, "%s%s", n ? ", " : "", p->name);
    }
}

/* The verdict is the unit's, which may have other positions. What was done at
 * this one is on the disk. */
static void say_end(struct run *r)
{
    AUTO(position_list_clear) struct position_list all = { NULL, 0 };
    char missing[256] = "";
    bool stocked = false;

    *r->e = (struct err)ERR_INIT;
    r->out->verdict = V_DONE;
    if (!r->duty.order)
        return;
    if (unit_by_serial(r->env->db, r->out->serial, &all, r->e) != 0 ||
        (r->duty.spec->positions > 1 &&
         order_missing(r->env->db, r->duty.order, r->out->serial, missing,
                       sizeof missing, r->e) != 0)) {
        r->out->verdict = V_POSITIONS_MISSING;
        err_wrap(r->e, "which positions of the unit are done could not be read");
        return;
    }
    add_others(r, &all, missing, sizeof missing, &stocked);
    if (stocked)
        r->out->verdict = V_STOCKED;
    if (!*missing)
        return;
    r->out->verdict = V_POSITIONS_MISSING;
    err_set(r->e, ERR_NONE, "%s is done; missing: %s", r->position, missing);
}

void unit_run(const struct unit_env *env, const struct scan *scan,
              struct unit_result *out)
{
    struct run r;

    run_init(&r, env, scan, out);
    if (begin(&r) == 0 && perform_all(&r) == 0) {
        say_end(&r);
    } else {
        run_note_keys(&r);
        run_power_off(&r);
        end_badly(&r);
    }
    out->fixture_changed = r.visit.changed;
    if (r.all.n)
        out->installed = count_installed(&r.all);
    run_clear(&r);
}

void unit_not_begun(const struct unit_env *env, const struct scan *scan,
                    struct unit_result *out)
{
    struct run r;

    set_run(&r, env, scan, out);
    struct failure f = {
        .verdict = out->verdict,
        .detail = out->why.msg,
        .serial = scan->barcode,
        .position = POSITION_MAIN,
        .order = "",
        .eid = scan->is_eid ? &scan->eid : NULL,
        .started_at = r.started_at,
    };

    r.golden = env->gate->golden;
    if (r.golden)
        end_golden(&r);
    else
        write_failure(&r, &f);
    out->fixture_changed = r.visit.changed;
}
