/* How a unit's visit ends: what is written of it, and what its verdict is in the
 * end. */
#include "station/line/run.h"

#include "station/base/clock.h"

#include <stdio.h>
#include <string.h>

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
    r->visit = (struct visit){ .fixture = r->env->fixture_key, .contacts = r->contacts,
                               .verdict = v, .ms = clock_monotonic_ms() - r->started_ms };
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
        .contacts_lost = r->contacts_lost,
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

void run_end_badly(struct run *r)
{
    if (r->golden)
        end_golden(r);
    else if (verdict_row(r->out->verdict)->kind == VERDICT_FAIL)
        end_failed(r);
    else
        run_end_untouched(r);
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

/* A position of the unit that was finished after this one, or NULL: of two that
 * are finished at the same moment in two fixtures, the later one, by the ledger,
 * speaks for the unit, and it alone. */
static const char *finished_later(const struct run *r, const struct position_list *all)
{
    uint64_t mine = 0;

    for (size_t i = 0; i < all->n; i++)
        if (strcmp(all->v[i].name, r->position) == 0)
            mine = all->v[i].event;
    for (size_t i = 0; i < all->n; i++)
        if (all->v[i].event > mine)
            return all->v[i].name;
    return NULL;
}

/* The verdict is the unit's, which may have other positions. What was done at
 * this one is on the disk. What is missing is read first: whoever finishes the
 * rest after that finds this one done, and speaks for the unit. */
void run_end_well(struct run *r)
{
    AUTO(position_list_clear) struct position_list all = { NULL, 0 };
    char missing[256] = "";
    bool stocked = false;

    *r->e = (struct err)ERR_INIT;
    r->out->verdict = V_DONE;
    if (!r->duty.order)
        return;
    if ((r->duty.spec->positions > 1 &&
         order_missing(r->env->db, r->duty.order, r->out->serial, missing,
                       sizeof missing, r->e) != 0) ||
        unit_by_serial(r->env->db, r->out->serial, &all, r->e) != 0) {
        r->out->verdict = V_POSITIONS_MISSING;
        err_wrap(r->e, "which positions of the unit are done could not be read");
        return;
    }
    add_others(r, &all, missing, sizeof missing, &stocked);
    if (stocked)
        r->out->verdict = V_STOCKED;
    const char *later = finished_later(r, &all);
    if (!*missing && !later)
        return;
    r->out->verdict = V_POSITIONS_MISSING;
    if (*missing)
        err_set(r->e, ERR_NONE, "%s is done; missing: %s", r->position, missing);
    else
        err_set(r->e, ERR_NONE, "%s is done; %s was finished just after it, and its "
                "fixture tells the unit's verdict", r->position, later);
}

void unit_not_begun(const struct unit_env *env, const struct scan *scan,
                    struct unit_result *out)
{
    struct run r;

    run_set(&r, env, scan, out);
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
