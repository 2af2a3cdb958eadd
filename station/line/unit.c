#include "station/line/unit.h"

#include "station/base/clock.h"
#include "station/line/identity.h"
#include "station/line/run.h"

#include <stdio.h>
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

void run_show(struct run *r, const struct recipe_step *s)
{
    const struct fixture_gate *gate = r->env->gate;

    r->step = s->step;
    if (s->step != STEP_READ_EID || gate->shut == V_DONE || gate->golden)
        r->env->busy(r->env->ctx, r->out, s);
}

int run_check_label(struct run *r)
{
    enum verdict held;

    return identity_label(r->env->db, r->scan, &held, r->e) ? 0 : run_fail(r, held);
}

int run_read_eid(struct run *r)
{
    bool shut = r->env->gate->shut != V_DONE;

    r->golden = r->env->gate->golden;
    if (run_power_on(r, &r->eid) != 0)
        return shut && !r->golden ? refuse_at_gate(r) : run_card_failed(r);
    r->eid_read = true;
    eid_format(&r->eid, r->out->eid);
    if (golden_known(r->env->db, &r->eid, &r->golden, r->e) != 0)
        return run_station_failed(r);
    return shut && !r->golden ? refuse_at_gate(r) : 0;
}

/* --- the ledger ----------------------------------------------------------------- */

void run_reserve(struct run *r)
{
    book_unit_end(&r->unit);
    const char *imei = r->env->imei;

    book_unit(&r->unit, &r->books, r->out->serial, r->position, &r->duty, &r->eid,
              imei && *imei ? imei : NULL);
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
    if (left_out(r, s->step))
        return 0;
    run_show(r, s);
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

/* --- from beginning to end --------------------------------------------------------- */

void run_set(struct run *r, const struct unit_env *env, const struct scan *scan,
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
    run_set(r, env, scan, out);
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
    return run_check_label(r);
}

void unit_run(const struct unit_env *env, const struct scan *scan,
              struct unit_result *out)
{
    struct run r;

    run_init(&r, env, scan, out);
    if (begin(&r) == 0 && perform_all(&r) == 0) {
        run_end_well(&r);
    } else {
        run_note_keys(&r);
        run_power_off(&r);
        run_end_badly(&r);
    }
    out->fixture_changed = r.visit.changed;
    if (r.all.n)
        out->installed = run_installed(&r.all);
    run_clear(&r);
}
