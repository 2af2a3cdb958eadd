/* The log and the report of one moment. */
#include "station/report/inner.h"

#include "storage/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTOR "station"

struct making {
    enum export_kind kind;
    const struct station *s;
    const struct identity *self;
    const char *outbox;
    struct export_info x;
    uint64_t records;
};

static int totals_of(struct db *db, struct manifest *m, struct err *e)
{
    struct bundle_balances l = { 0 };

    if (stock_balances(db, &l, e) != 0)
        return -1;
    m->totals = calloc(l.n ? l.n : 1, sizeof *m->totals);
    if (!m->totals) {
        bundle_balances_clear(&l);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    m->totals_count = l.n;
    for (size_t i = 0; i < l.n; i++) {
        struct bundle_totals *t = &m->totals[i];
        const struct bundle_balance *b = &l.v[i];
        snprintf(t->id, sizeof t->id, "%s", b->id);
        snprintf(t->smdp_oid, sizeof t->smdp_oid, "%s", b->smdp_oid);
        memcpy(t->manifest_sha256, b->manifest_sha256, sizeof t->manifest_sha256);
        t->received = b->b.received;
        t->in_stock = b->b.by_state[BPP_IN_STOCK];
        t->reserved = b->b.by_state[BPP_RESERVED];
        t->loading = b->b.by_state[BPP_LOADING];
        t->installed = b->b.by_state[BPP_INSTALLED];
        t->failed = b->b.by_state[BPP_FAILED];
        t->quarantined = b->b.by_state[BPP_QUARANTINED];
        t->voided = b->b.by_state[BPP_VOIDED];
        t->deleted = b->b.deleted;
    }
    bundle_balances_clear(&l);
    return 0;
}

/* The hash of the last export of a kind, when there is one. */
static int previous_of(struct db *db, enum export_kind k,
                       struct export_info *x, bool *has, struct err *e)
{
    *has = export_last(db, k, x, e) == 0;
    return *has || e->code == ERR_NOT_FOUND ? 0 : -1;
}

static int addressees(const struct making *g, struct manifest *m,
                      struct err *e)
{
    int bad = 0;

    m->recipients.kind = RCPT_PARTIES;
    if (g->kind == EXPORT_AUDIT_LOG)
        bad = blobs_add(&m->recipients.list, SPAN_STR("auditor"));
    for (size_t i = 0; g->kind == EXPORT_LOADING_REPORT && !bad &&
                       i < g->s->allowed_smdp_count; i++)
        bad = blobs_add(&m->recipients.list, SPAN_STR(g->s->allowed_smdp[i]));
    return bad ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}

static int describe(struct db *db, const struct making *g, struct manifest *m,
                    struct err *e)
{
    struct export_info report = { 0 }, audit = { 0 };
    struct event_head head, before = { 0 };
    struct ledger_clock clock;
    bool has_report, has_audit;
    int bad = -1;

    if (previous_of(db, EXPORT_LOADING_REPORT, &report, &has_report, e) != 0 ||
        previous_of(db, EXPORT_AUDIT_LOG, &audit, &has_audit, e) != 0 ||
        event_head(db, &head, e) != 0 || ledger_clock(db, &clock, e) != 0)
        goto out;
    bool first_ever = g->kind == EXPORT_AUDIT_LOG ? !has_audit : !has_report;
    const struct export_info *last = g->kind == EXPORT_AUDIT_LOG ? &audit
                                                                 : &report;
    uint64_t done = first_ever ? 0 : last->last_event;
    if (event_head_at(db, done, &before, e) != 0)
        goto out;

    m->version = 1;
    m->kind = delivery_kind(g->kind);
    uuid_make(m->id);
    snprintf(m->issuer, sizeof m->issuer, "%s", g->s->id);
    m->sequence = first_ever ? 1 : last->sequence + 1;
    m->created_at = clock.now;
    m->not_after = clock.now + REPORT_VALID_S;
    if (head.number > done) {
        m->first_event = done + 1;
        m->last_event = head.number;
    }
    memcpy(m->head_before, before.hash, sizeof m->head_before);
    memcpy(m->head_after, head.hash, sizeof m->head_after);
    m->has_previous_report = has_report;
    m->has_previous_audit = has_audit;
    memcpy(m->previous_report, report.manifest_sha256, 32);
    memcpy(m->previous_audit, audit.manifest_sha256, 32);
    bad = addressees(g, m, e) != 0 ||
          (g->kind == EXPORT_LOADING_REPORT && totals_of(db, m, e) != 0)
              ? -1 : 0;
out:
    export_clear(&report);
    export_clear(&audit);
    return bad;
}

static int make_one(struct db *db, struct making *g, struct err *e)
{
    struct container_writer *w = NULL;
    struct manifest m;
    char *path = NULL;

    manifest_init(&m);
    int bad = describe(db, g, &m, e);
    if (!bad)
        bad = container_writer_open(g->outbox, &m, &w, e);
    if (!bad) {
        struct sink k = { .w = w, .m = &m };
        bad = records_write(db, g->kind, m.first_event, m.last_event, &k, e);
        g->records = k.records;
        if (bad)
            container_writer_abort(w);
        else
            bad = container_writer_seal(w, &g->self->signer, &g->x.manifest,
                                        &path, e);
    }
    if (!bad) {
        g->x.kind = g->kind;
        memcpy(g->x.id, m.id, sizeof g->x.id);
        g->x.sequence = m.sequence;
        g->x.first_event = m.first_event;
        g->x.last_event = m.last_event;
        memcpy(g->x.head_before, m.head_before, EVENT_HASH);
        memcpy(g->x.head_after, m.head_after, EVENT_HASH);
        g->x.created_at = m.created_at;
        snprintf(g->x.directory, sizeof g->x.directory, "%s",
                 strrchr(path, '/') + 1);
    }
    free(path);
    manifest_clear(&m);
    return bad;
}

/* The log and the report of one moment, in that order. */
struct pair {
    struct making log, report;
    const struct report_watch *watch; /* NULL: nobody */
};

enum { STEP_OUTBOX, STEP_MAKING, STEP_LOG, STEP_REPORT, STEPS };

static void at_step(const struct report_watch *w, unsigned step)
{
    static const char *const names[] = { "outbox", "making", "audit-log",
                                         "loading-report", "done" };

    if (w)
        w->step(w->ctx, names[step], step, STEPS);
}

/* Inside one snapshot: heads, totals and records are of the same moment. */
static int make_in_outbox(struct db *db, void *ctx, struct err *e)
{
    struct pair *p = ctx;

    return make_one(db, &p->log, e) != 0 ? -1 : make_one(db, &p->report, e);
}

static int enter(struct tx *tx, void *ctx, struct err *e)
{
    struct pair *p = ctx;
    const struct report_watch *w = p->watch;
    const char *actor = w && w->actor ? w->actor : ACTOR;

    return (w && w->still && w->still(tx, w->ctx, e) != 0) ||
           export_add(tx, &p->log.x, actor, e) != 0 ||
           export_add(tx, &p->report.x, actor, e) != 0 ? -1 : 0;
}

static int make_and_deliver(struct db *db, struct pair *p, const char *to_dir,
                            struct report_list *out, struct err *e)
{
    at_step(p->watch, STEP_MAKING);
    int bad = db_snapshot(db, make_in_outbox, p, e) != 0 ||
              db_write(db, enter, p, e) != 0;

    if (bad)
        return err_wrap(e, "nothing was exported%s",
                        e->code == ERR_FULL ? "; make room on the disk of the "
                                              "data directory, then run it again"
                                            : "");
    at_step(p->watch, STEP_LOG);
    if (delivery_send(db, &p->log.x, p->log.outbox, to_dir, out, e) != 0)
        return -1;
    at_step(p->watch, STEP_REPORT);
    if (delivery_send(db, &p->report.x, p->report.outbox, to_dir, out, e) != 0)
        return -1;
    at_step(p->watch, STEPS);
    return 0;
}

int report_export(struct db *db, const struct lock *lock, const char *data_dir,
                  const struct station *s, const struct identity *self,
                  const char *to_dir, struct report_list *out, struct err *e)
{
    return report_export_watched(db, lock, data_dir, s, self, to_dir, NULL, out, e);
}

int report_export_watched(struct db *db, const struct lock *lock,
                          const char *data_dir, const struct station *s,
                          const struct identity *self, const char *to_dir,
                          const struct report_watch *w, struct report_list *out,
                          struct err *e)
{
    char outbox[4096];
    struct pair p = {
        .log = { .kind = EXPORT_AUDIT_LOG, .s = s, .self = self,
                 .outbox = outbox },
        .report = { .kind = EXPORT_LOADING_REPORT, .s = s, .self = self,
                    .outbox = outbox },
        .watch = w,
    };

    if (!lock)
        return err_set(e, ERR_INTERNAL, "an export needs the export lock");
    if (report_outbox(data_dir, outbox, sizeof outbox, e) != 0)
        return -1;
    at_step(w, STEP_OUTBOX);
    if (delivery_empty(db, outbox, to_dir, out, e) != 0)
        return -1;
    int bad = make_and_deliver(db, &p, to_dir, out, e);
    export_clear(&p.log.x);
    export_clear(&p.report.x);
    return bad;
}
