#include "station/line/books.h"

#include "station/line/health.h"
#include "storage/events.h"
#include "storage/imei.h"
#include "storage/quarantine.h"

#include <string.h>

void book_submit(struct book *b, const struct books *w, tx_fn *fn, void *ctx)
{
    b->where = *w;
    b->submitted = true;
    b->ticket = writer_submit(w->writer, fn, ctx);
}

int book_executed(struct book *b, struct err *e)
{
    return b->submitted ? ticket_executed(b->ticket, e) : 0;
}

int book_durable(struct book *b, struct err *e)
{
    return b->submitted ? ticket_durable(b->ticket, e) : 0;
}

void book_end(struct book *b)
{
    ticket_free(b->ticket);
    *b = (struct book){ .ticket = NULL };
}

/* --- the fixture ---------------------------------------------------------- */

static int judge(struct tx *tx, struct fixture_health *h, struct visit *v,
                 const char *actor, struct err *e)
{
    char reason[HEALTH_REASON_MAX + 1];
    struct health_limits limits;
    const struct verdict_row *row = verdict_row(v->verdict);

    if (h->stopped || row->says == SAYS_NOTHING)
        return 0;
    if (health_limits(tx_db(tx), &limits, e) != 0)
        return -1;
    const char *cause = health_judge(h, &limits, row->code, reason);
    if (!cause)
        return 0;
    v->changed = true;
    return health_stop(tx, h, cause, reason, actor, e);
}

/* *h as it is after this visit. */
static int note_visit(struct tx *tx, const struct act *a, struct visit *v,
                      struct fixture_health *h, struct err *e)
{
    v->changed = false;
    if (health_get(tx_db(tx), v->fixture, h, e) != 0)
        return -1;
    health_name(a->fixture, h->name);
    health_note(h, &v->contacts, verdict_row(v->verdict)->says, v->ms);
    if (health_keep(tx, h, e) != 0)
        return -1;
    if (health_worn(h) && !h->due) {
        v->changed = true;
        if (health_due(tx, h, a->actor, e) != 0)
            return -1;
    }
    return judge(tx, h, v, a->actor, e);
}

static int run_visit(struct tx *tx, void *ctx, struct err *e)
{
    struct book_visit *o = ctx;
    struct fixture_health h;

    return note_visit(tx, &o->b.where.act, o->visit, &h, e);
}

void book_visit(struct book_visit *o, const struct books *w, struct visit *visit)
{
    o->visit = visit;
    book_submit(&o->b, w, run_visit, o);
}

static int run_golden(struct tx *tx, void *ctx, struct err *e)
{
    struct book_golden *o = ctx;
    struct fixture_health h;

    if (note_visit(tx, &o->b.where.act, o->visit, &h, e) != 0)
        return -1;
    if (!o->test->code) {
        o->visit->changed |= h.stopped;
        h.in_row = 0; /* it works */
    }
    return golden_tested(tx, &h, o->test, o->b.where.act.actor, e);
}

void book_golden(struct book_golden *o, const struct books *w,
                 const struct golden_test *t, struct visit *visit)
{
    o->test = t;
    o->visit = visit;
    book_submit(&o->b, w, run_golden, o);
}

/* --- the unit ------------------------------------------------------------- */

/* One line runs on this data and one fixture works on this eUICC: whatever of
 * it is reserved now is this unit's, or left from a try whose end could not be
 * written. *loading, when not NULL: some of it waits for the card's word. */
static int release(struct tx *tx, const struct eid *eid, const struct act *a,
                   bool *loading, struct err *e)
{
    struct bpp_list all = { NULL, 0 };
    int bad = stock_of_eid(tx_db(tx), eid, &all, e);

    for (size_t i = 0; i < all.n && !bad; i++) {
        if (all.v[i].state == BPP_RESERVED)
            bad = stock_return(tx, all.v[i].id, CAUSE_RELEASED, a, e);
        if (loading && all.v[i].state == BPP_LOADING)
            *loading = true;
    }
    bpp_list_clear(&all);
    return bad;
}

static int reserve(struct tx *tx, const struct eid *eid, const struct act *a,
                   struct bpp_list *all, struct err *e)
{
    struct bpp_list reserved = { NULL, 0 };

    if (stock_reserve(tx, eid, a, &reserved, e) != 0)
        return -1;
    bpp_list_clear(&reserved);
    return stock_of_eid(tx_db(tx), eid, all, e);
}

/* Only what the order's recipe asks for. */
static int reserve_wanted(struct tx *tx, struct book_unit *o, const struct act *a,
                          struct err *e)
{
    if (stock_of_eid(tx_db(tx), &o->eid, &o->all, e) != 0 ||
        duty_sort(o->duty, &o->all, &o->verdict, e) != 0)
        return -1;
    for (size_t i = 0; i < o->duty->recipe->wants; i++) {
        struct bpp_info *b = &o->all.v[i];
        if (b->state == BPP_IN_STOCK &&
            (stock_move(tx, b->id, BPP_RESERVED, CAUSE_SCAN, a, NULL, e) != 0 ||
             stock_get(tx_db(tx), b->id, b, e) != 0))
            return -1;
    }
    return 0;
}

/* What was judged when the unit was looked at may be otherwise by now: other
 * fixtures work by the same order. */
static int admit(struct tx *tx, struct book_unit *o, const struct act *a,
                 struct err *e)
{
    enum order_answer answer = ORDER_TAKES;

    if (!o->duty->order || order_admit(tx, o->duty->order, a, &answer, e) == 0)
        return 0;
    if (answer != ORDER_TAKES)
        o->verdict = duty_verdict(answer);
    return -1;
}

static int run_unit(struct tx *tx, void *ctx, struct err *e)
{
    struct book_unit *o = ctx;
    struct act a = o->b.where.act;

    o->verdict = V_DONE;
    if (unit_register(tx, o->serial, o->name, &o->eid, &a, &o->position, e) != 0)
        return -1;
    a.position = o->position.id;
    if (o->imei && imei_note(tx, &a, o->imei, e) != 0) {
        o->verdict = e->code == ERR_CONFLICT ? V_IMEI_CONFLICT : V_DONE;
        return -1;
    }
    if (admit(tx, o, &a, e) != 0)
        return -1;
    if (o->position.state != POSITION_OPEN &&
        position_move(tx, &a, POSITION_OPEN, POSITION_CAUSE_SCAN, NULL, e) != 0) {
        /* Held back since it was looked at: the ledger does not open it. */
        if (e->code == ERR_WRONG_STATE)
            o->verdict = V_QUARANTINED;
        return -1;
    }
    if (release(tx, &o->eid, &a, NULL, e) != 0)
        return -1;
    return o->duty->order ? reserve_wanted(tx, o, &a, e)
                          : reserve(tx, &o->eid, &a, &o->all, e);
}

void book_unit(struct book_unit *o, const struct books *w, const char *serial,
               const char *name, const struct duty *duty, const struct eid *eid,
               const char *imei)
{
    o->imei = imei;
    o->serial = serial;
    o->name = name;
    o->duty = duty;
    o->eid = *eid;
    book_submit(&o->b, w, run_unit, o);
}

void book_unit_end(struct book_unit *o)
{
    book_end(&o->b);
    bpp_list_clear(&o->all);
}

static int run_imei(struct tx *tx, void *ctx, struct err *e)
{
    const struct book_imei *o = ctx;

    return imei_note(tx, &o->b.where.act, o->imei, e);
}

void book_imei(struct book_imei *o, const struct books *w, const char *imei)
{
    o->imei = imei;
    book_submit(&o->b, w, run_imei, o);
}

/* --- one BPP --------------------------------------------------------------- */

static int run_load(struct tx *tx, void *ctx, struct err *e)
{
    struct book_load *o = ctx;

    return stock_load(tx, o->bpp, &o->b.where.act, e);
}

void book_load(struct book_load *o, const struct books *w, int64_t bpp)
{
    o->bpp = bpp;
    book_submit(&o->b, w, run_load, o);
}

static int run_result(struct tx *tx, void *ctx, struct err *e)
{
    struct book_result *o = ctx;

    return stock_result(tx, o->bpp, o->installed, CAUSE_RESULT, o->bf37,
                        &o->b.where.act, e);
}

void book_result(struct book_result *o, const struct books *w, int64_t bpp,
                 bool installed, struct span bf37)
{
    o->bpp = bpp;
    o->installed = installed;
    o->bf37 = bf37;
    book_submit(&o->b, w, run_result, o);
}

static int run_unsent(struct tx *tx, void *ctx, struct err *e)
{
    struct book_unsent *o = ctx;

    return stock_return(tx, o->bpp, CAUSE_KEY_UNUSED, &o->b.where.act, e);
}

void book_unsent(struct book_unsent *o, const struct books *w, int64_t bpp)
{
    o->bpp = bpp;
    book_submit(&o->b, w, run_unsent, o);
}

/* --- doubt ------------------------------------------------------------------ */

static const char no_evidence[] =
    "the one-time key is gone and the eUICC has no result";
static const char elsewhere[] =
    "the one-time key was used before this station sent anything";

static int run_doubt(struct tx *tx, void *ctx, struct err *e)
{
    struct book_doubt *o = ctx;
    const struct act *a = &o->b.where.act;

    switch (o->verdict) {
    case DOUBT_INSTALLED:
    case DOUBT_FAILED:
        return stock_result(tx, o->bpp, o->verdict == DOUBT_INSTALLED,
                            CAUSE_EVIDENCE_FOUND, o->bf37, a, e);
    case DOUBT_BACK_IN_STOCK:
        return stock_return(tx, o->bpp, CAUSE_KEY_UNUSED, a, e);
    case DOUBT_CONSUMED_NO_EVIDENCE:
        return stock_quarantine(tx, o->bpp, no_evidence, a, e);
    case DOUBT_CONSUMED_ELSEWHERE:
        return stock_void(tx, o->bpp, elsewhere, o->bf37, a, e);
    default: /* unresolved: what it is stays what it is */
        return 0;
    }
}

void book_doubt(struct book_doubt *o, const struct books *w, int64_t bpp,
                enum doubt_verdict verdict, struct span bf37)
{
    o->bpp = bpp;
    o->verdict = verdict;
    o->bf37 = bf37;
    book_submit(&o->b, w, run_doubt, o);
}

/* --- evidence ---------------------------------------------------------------- */

static int check_installed(struct tx *tx, int64_t bpp, struct err *e)
{
    struct bpp_info info;

    if (bpp == 0)
        return 0;
    if (stock_get(tx_db(tx), bpp, &info, e) != 0)
        return -1;
    if (info.state == BPP_INSTALLED)
        return 0;
    return err_set(e, ERR_WRONG_STATE, "the result of the load could not be "
                   "recorded; scan the unit again, its eUICC still has it");
}

static int run_evidence(struct tx *tx, void *ctx, struct err *e)
{
    struct book_evidence *o = ctx;
    const struct act *a = &o->b.where.act;

    if (check_installed(tx, o->installed, e) != 0)
        return -1;
    for (size_t i = 0; i < o->n; i++)
        if (notification_add(tx, a, &o->v[i], NULL, e) != 0)
            return -1;
    return position_set_card(tx, a, o->kind, -1, e);
}

void book_evidence(struct book_evidence *o, const struct books *w,
                   int64_t installed, const struct notification_info *v,
                   size_t n, enum euicc_kind kind)
{
    o->installed = installed;
    o->v = v;
    o->n = n;
    o->kind = kind;
    book_submit(&o->b, w, run_evidence, o);
}

static int run_receipt(struct tx *tx, void *ctx, struct err *e)
{
    struct book_receipt *o = ctx;
    const struct act *a = &o->b.where.act;

    if (receipt_add(tx, a, &o->receipt, e) != 0)
        return -1;
    if (!o->visit)
        return 0;
    struct fixture_health h;
    if (position_move(tx, a, POSITION_PASSED, POSITION_CAUSE_EVIDENCE, NULL, e) != 0)
        return -1;
    return note_visit(tx, a, o->visit, &h, e);
}

void book_receipt(struct book_receipt *o, const struct books *w,
                  const struct receipt_info *r, struct visit *visit)
{
    o->receipt = *r;
    o->visit = visit;
    book_submit(&o->b, w, run_receipt, o);
}

static int run_stocked(struct tx *tx, void *ctx, struct err *e)
{
    struct book_stocked *o = ctx;
    const struct act *a = &o->b.where.act;

    struct fixture_health h;

    return position_set_card(tx, a, o->kind, o->keys_left, e) != 0 ||
           position_move(tx, a, POSITION_STOCKED, POSITION_CAUSE_KEYS_KEPT, NULL,
                         e) != 0 ||
           note_visit(tx, a, o->visit, &h, e) != 0 ? -1 : 0;
}

void book_stocked(struct book_stocked *o, const struct books *w,
                  enum euicc_kind kind, int64_t keys_left,
                  struct visit *visit)
{
    o->visit = visit;
    o->kind = kind;
    o->keys_left = keys_left;
    book_submit(&o->b, w, run_stocked, o);
}

/* --- the end of a unit that did not pass --------------------------------------- */

/* What a failure says of the unit. Contacts, fixtures, labels, stock and the
 * station itself say nothing of it: health is kept per fixture. */
static enum hold_rule hold_rule(const struct failure *f)
{
    switch (f->verdict) {
    case V_NO_EVIDENCE:
    case V_BAD_EVIDENCE:
        return HOLD_AT_ONCE;
    case V_SILENT:
    case V_NONSENSE:
    case V_CARD_REFUSED:
    case V_FPA_CLOSED:
    case V_KEY_NOT_ON_CARD:
    case V_AUTHORISE_REFUSED:
    case V_LOAD_FAILED:
    case V_CONSUMED_ELSEWHERE:
    case V_ENABLE_FAILED:
    case V_NOTIFICATIONS:
    case V_DELETE_KEYS:
    case V_CLOSE:
        return HOLD_COUNTS;
    case V_LOAD_AGAIN:
    case V_UNRESOLVED:
        return f->contacts_lost ? HOLD_NOT : HOLD_COUNTS;
    default:
        return HOLD_NOT;
    }
}

/* failed_at: the event that tells of the failure. */
static int release_position(struct tx *tx, const struct book_failure *o,
                            uint64_t failed_at, struct err *e)
{
    const struct act *a = &o->b.where.act;
    struct position now;
    bool loading = false;

    if (a->position == 0)
        return 0;
    if (position_get(tx_db(tx), a->position, &now, e) != 0 ||
        release(tx, &now.eid, a, &loading, e) != 0)
        return -1;
    const struct visit_end end = {
        .code = verdict_row(o->f.verdict)->code, .step = o->f.step,
        .rule = hold_rule(&o->f), .loading = loading,
        .event = failed_at,
    };
    return position_fail(tx, a, &end, e);
}

static int log_failure(struct tx *tx, const struct book_failure *o,
                       struct err *e)
{
    const struct failure *f = &o->f;
    const char *fixture = o->b.where.act.fixture;
    char eid[EID_DIGITS + 1] = "";
    struct event_field fields[] = {
        { "code", verdict_row(f->verdict)->code },
        { "fixture", fixture ? fixture : "" },
        { "serial", f->serial },
        { "eid", f->eid ? eid_format(f->eid, eid) : "" },
        { "order", f->order },
    };
    size_t n = sizeof fields / sizeof *fields - (f->order[0] == '\0');

    return event_append(tx, "unit-not-loaded", o->b.where.act.actor, fields,
                        n, NULL, e);
}

static int run_failure(struct tx *tx, void *ctx, struct err *e)
{
    struct book_failure *o = ctx;
    const struct failure *f = &o->f;
    const struct verdict_row *row = verdict_row(f->verdict);
    struct failure_info info = {
        .code = row->code, .detail = f->detail, .eid = f->eid,
        .txid = f->txid, .serial = f->serial, .position_name = f->position,
        .started_at = f->started_at,
    };

    struct fixture_health h;
    struct event_head head;

    if ((row->fpa_failure ? failure_add(tx, &o->b.where.act, &info, e)
                          : log_failure(tx, o, e)) != 0 ||
        event_head(tx_db(tx), &head, e) != 0 ||
        release_position(tx, o, head.number, e) != 0)
        return -1;
    return note_visit(tx, &o->b.where.act, o->visit, &h, e);
}

void book_failure(struct book_failure *o, const struct books *w,
                  const struct failure *f, struct visit *visit)
{
    o->f = *f;
    o->visit = visit;
    book_submit(&o->b, w, run_failure, o);
}
