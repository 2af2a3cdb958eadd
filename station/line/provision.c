/* The steps that bring profiles into an eUICC: settle what is in doubt, then
 * authorise, load and record each. */
#include "station/line/run.h"

#include "station/ifpp/evidence.h"

#include <stdio.h>

void job_end(struct job *j)
{
    book_end(&j->begin.b);
    book_end(&j->result.b);
    load_result_clear(&j->load);
    *j = (struct job){ .load = LOAD_RESULT_INIT };
}

static bool false_evidence(const struct err *e)
{
    return e->code == ERR_SIGNATURE || e->code == ERR_CONFLICT;
}

/* --- in doubt ---------------------------------------------------------------- */

/* Where the card's word leaves a BPP, and what that means for its unit. */
static const struct {
    enum verdict verdict;
    enum bpp_state state;
} settled[DOUBT_VERDICTS] = {
    [DOUBT_INSTALLED] = { V_DONE, BPP_INSTALLED },
    [DOUBT_FAILED] = { V_LOAD_FAILED, BPP_FAILED },
    [DOUBT_BACK_IN_STOCK] = { V_LOAD_AGAIN, BPP_IN_STOCK },
    [DOUBT_CONSUMED_NO_EVIDENCE] = { V_NO_EVIDENCE, BPP_QUARANTINED },
    [DOUBT_CONSUMED_ELSEWHERE] = { V_CONSUMED_ELSEWHERE, BPP_VOIDED },
    [DOUBT_UNRESOLVED] = { V_UNRESOLVED, BPP_LOADING },
};

static void say_refusal(const struct install_result *ir, struct err *e)
{
    err_set(e, ERR_CARD, "signed result: %s failed, %s",
            bpp_command_name(ir->command), install_error_name(ir->reason));
}

static void say_settled(enum doubt_verdict d, struct span bf37, struct err *e)
{
    struct install_result ir;
    struct err bad = ERR_INIT;

    if (d == DOUBT_FAILED && install_result_parse(bf37, &ir, &bad) == 0)
        say_refusal(&ir, e);
    else if (e->code == ERR_NONE)
        err_set(e, ERR_CARD, "by the eUICC's own records: %s",
                doubt_verdict_name(d));
}

static int write_settled(struct run *r, struct bpp_info *b,
                         enum doubt_verdict d, struct span bf37)
{
    struct book_doubt op = { .bpp = 0 };
    struct err e = ERR_INIT;

    if (b->state == BPP_RESERVED &&
        (d == DOUBT_BACK_IN_STOCK || d == DOUBT_UNRESOLVED))
        return 0; /* nothing of it was sent by this try */
    /* Its key may be gone: nothing but a signed result leads out. */
    if (b->state == BPP_QUARANTINED && d != DOUBT_INSTALLED && d != DOUBT_FAILED)
        return 0;
    book_doubt(&op, &r->books, b->id, d, bf37);
    int bad = book_durable(&op.b, &e);
    book_end(&op.b);
    if (bad) {
        *r->e = e;
        return run_station_failed(r);
    }
    b->state = settled[d].state;
    return 0;
}

/* Decide r->all.v[i] and write it down. *v: what it means for the unit. */
static int settle_one(struct run *r, const struct doubt_records *records,
                      size_t i, enum verdict *v)
{
    struct bpp_info *b = &r->all.v[i];
    struct doubt_inputs in;
    struct span bf37;
    bool reserved = b->state == BPP_RESERVED, held = b->state == BPP_QUARANTINED;

    if (run_read_record(r, i) != 0)
        return -1;
    *r->e = (struct err)ERR_INIT;
    doubt_facts(records, &b->txid, &b->iccid, r->key, b->attempts > 0, &in,
                &bf37, r->e);
    enum doubt_verdict d = doubt_decide(&in);
    if (write_settled(r, b, d, bf37) != 0)
        return -1;
    *v = settled[d].verdict;
    if (held && b->state == BPP_QUARANTINED && !false_evidence(r->e))
        *v = r->duty.resolving ? V_NO_EVIDENCE : V_DONE;
    else if (d == DOUBT_UNRESOLVED && false_evidence(r->e))
        *v = V_BAD_EVIDENCE;
    else if (d == DOUBT_UNRESOLVED && reserved)
        *v = V_KEY_NOT_ON_CARD;
    say_settled(d, bf37, r->e);
    return 0;
}

/* Left by an earlier try, or made for a key that the card no longer has. One
 * in quarantine is asked about whenever its eUICC is there. */
static bool in_doubt(const struct run *r, const struct bpp_info *b)
{
    return b->state == BPP_LOADING || b->state == BPP_QUARANTINED ||
           (b->state == BPP_RESERVED && !ifpp_status_has_key(&r->status, &b->txid));
}

static int settle_all(struct run *r, const struct doubt_records *records)
{
    enum verdict worst = V_DONE;
    struct err why = ERR_INIT;

    for (size_t i = 0; i < r->all.n; i++) {
        enum verdict v;
        if (!in_doubt(r, &r->all.v[i]))
            continue;
        if (settle_one(r, records, i, &v) != 0)
            return -1;
        if (v == V_DONE || v == V_LOAD_AGAIN || worst != V_DONE)
            continue;
        worst = v;
        why = *r->e;
        r->at = i;
    }
    *r->e = why;
    return worst == V_DONE ? 0 : run_fail(r, worst);
}

int run_settle(struct run *r)
{
    struct doubt_records records;
    struct err unread = ERR_INIT;
    int partly = doubt_read(r->card, &records, &unread);
    int bad = settle_all(r, &records);

    r->contacts_lost = partly && verdict_of_contacts(&unread);
    doubt_records_clear(&records);
    if (bad || !partly)
        return bad;
    *r->e = unread;
    return run_card_failed(r);
}

static int check_open(struct run *r)
{
    if (!r->status.closed)
        return 0;
    for (size_t i = 0; i < r->all.n; i++)
        if (r->all.v[i].state == BPP_RESERVED) {
            err_set(r->e, ERR_WRONG_STATE, "BF70 says closed, and profiles are "
                                           "in stock for this eUICC");
            return run_fail(r, V_FPA_CLOSED);
        }
    return 0;
}

/* Before anything is loaded: each load takes one key. */
static int check_keys(struct run *r)
{
    size_t loads = 0;

    if (!r->duty.recipe || r->duty.recipe->end != ORDER_KEEP)
        return 0;
    for (size_t i = 0; i < r->wanted; i++)
        loads += r->all.v[i].state == BPP_RESERVED;
    if (r->status.key_count >= loads + r->duty.recipe->keep)
        return 0;
    err_set(r->e, ERR_WRONG_STATE, "the eUICC has %zu one-time keys; order %s loads "
            "%zu more profiles and keeps %u", (size_t)r->status.key_count,
            r->duty.number, loads, r->duty.recipe->keep);
    return run_fail(r, V_KEYS_TOO_FEW);
}

int step_settle(struct run *r)
{
    bool doubt = false, returned = false;

    for (size_t i = 0; i < r->all.n; i++)
        doubt |= in_doubt(r, &r->all.v[i]);
    if (doubt && run_settle(r) != 0)
        return -1;
    for (size_t i = 0; i < r->wanted; i++)
        returned |= r->all.v[i].state == BPP_IN_STOCK;
    if (returned) {
        run_reserve(r);
        if (run_reserved(r) != 0)
            return -1;
    }
    if (r->duty.resolving && !r->duty.order && run_check_replaced(r) != 0)
        return -1;
    return check_open(r) != 0 ? -1 : check_keys(r);
}

/* --- authorise ----------------------------------------------------------------- */

/* Nothing of this BPP was sent: back to stock, as far as it had come. Where
 * `loading` itself could not be written there is nothing to take back. */
static void take_back(struct run *r, struct job *j)
{
    struct book_unsent op = { .bpp = 0 };
    struct err ignored = ERR_INIT;

    if (!j->begin.b.submitted)
        return;
    book_unsent(&op, &r->books, j->bpp);
    book_executed(&op.b, &ignored);
    book_end(&op.b);
    r->all.v[r->at].state = BPP_IN_STOCK;
}

int step_authorise(struct run *r)
{
    struct job *j = &r->job[r->turn];
    struct bpp_info *b = &r->all.v[r->at];
    unsigned result = 0;

    job_end(j);
    j->bpp = b->id;
    if (run_read_record(r, r->at) != 0)
        return -1;
    /* Early, so that its fsync is over when the card has said yes. */
    book_load(&j->begin, &r->books, b->id);
    b->attempts++;
    if (fpa_card_authorise(r->card, &b->txid, buf_span(&r->dp_chain), &result,
                           r->e) == 0)
        return 0;
    take_back(r, j);
    return run_card_failed(r);
}

/* --- load ------------------------------------------------------------------------ */

struct gate {
    struct run *r;
    bool shut; /* the ledger said no */
};

static int before_first_octet(void *ctx, struct err *e)
{
    struct gate *g = ctx;
    struct run *r = g->r;
    struct job *before = &r->job[!r->turn];

    g->shut = true;
    if (book_durable(&before->result.b, e) != 0 ||
        book_durable(&r->job[r->turn].begin.b, e) != 0)
        return -1;
    g->shut = false;
    job_end(before);
    return 0;
}

/* The card's contacts are all that is known to be left: one reset, and it is
 * still the same eUICC. */
static int power_on_again(struct run *r)
{
    struct eid eid;

    run_power_off(r);
    if (run_power_on(r, &eid) != 0)
        return -1;
    if (eid_eq(&eid, &r->eid))
        return 0;
    return err_set(r->e, ERR_NO_CARD, "another eUICC is in the fixture now");
}

static int ask_about(struct run *r, enum verdict *v)
{
    struct doubt_records records;
    struct err unread = ERR_INIT;

    doubt_read(r->card, &records, &unread);
    int bad = settle_one(r, &records, r->at, v);
    doubt_records_clear(&records);
    if (!bad && *v == V_UNRESOLVED && unread.code)
        *r->e = unread;
    return bad;
}

static int interrupted(struct run *r)
{
    struct err why = *r->e;
    enum verdict v = V_UNRESOLVED;

    r->contacts_lost = verdict_of_contacts(&why);
    r->all.v[r->at].state = BPP_LOADING;
    if (power_on_again(r) == 0 && ask_about(r, &v) != 0)
        return -1;
    if (v == V_DONE) {
        *r->e = (struct err)ERR_INIT;
        r->job[r->turn].settled = true;
        return 0;
    }
    if (false_evidence(&why) && (v == V_UNRESOLVED || v == V_LOAD_AGAIN))
        v = V_BAD_EVIDENCE;
    err_wrap(r->e, "%s; then", why.msg);
    r->e->sw = why.sw;
    return run_fail(r, v);
}

int step_load(struct run *r)
{
    struct job *j = &r->job[r->turn];
    struct gate gate = { r, false };
    struct load_job load = { &r->rec.bpp, r->key, before_first_octet, &gate };

    if (load_bpp(r->card, &load, &j->load, r->e) == 0)
        return 0;
    if (j->load.es8f_sent)
        return interrupted(r);
    take_back(r, j);
    return gate.shut ? run_station_failed(r) : run_card_failed(r);
}

/* --- record ------------------------------------------------------------------------ */

static int record_refusal(struct run *r, struct job *j)
{
    if (book_durable(&j->result.b, r->e) != 0)
        return run_station_failed(r);
    r->all.v[r->at].state = BPP_FAILED;
    say_refusal(&j->load.ir, r->e);
    return run_fail(r, V_LOAD_FAILED);
}

/* What was installed is waited for where it matters: before the first octet
 * of the next BPP, or before the first BF30. */
int step_record(struct run *r)
{
    struct job *j = &r->job[r->turn];
    bool installed = j->load.outcome == LOAD_INSTALLED;

    if (j->settled)
        return 0;
    book_result(&j->result, &r->books, j->bpp, installed,
                buf_span(&j->load.bf37));
    if (!installed)
        return record_refusal(r, j);
    r->all.v[r->at].state = BPP_INSTALLED;
    r->unproven = j->bpp;
    return 0;
}
