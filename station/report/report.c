#include "station/report/report.h"

#include "station/base/clock.h"
#include "station/base/folder.h"
#include "station/container/reader.h"
#include "station/container/report_record.h"
#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "storage/events.h"
#include "storage/shifts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ACTOR "station"
#define OP_DELETE 0x10

static enum container_kind container_kind_of(enum export_kind k)
{
    return k == EXPORT_AUDIT_LOG     ? KIND_AUDIT_LOG
           : k == EXPORT_BPP_REQUEST ? KIND_BPP_REQUEST
           : k == EXPORT_SHIFT_RECORD ? KIND_SHIFT_RECORD
                                     : KIND_LOADING_REPORT;
}

const char *report_kind(enum export_kind k)
{
    return kind_name(container_kind_of(k));
}

/* The number that people know it by: a request counts per SM-DPf, the ledger
 * counts all requests. */
static uint64_t sequence_of(const struct export_info *x)
{
    AUTO(manifest_clear) struct manifest m;
    struct err ignored = ERR_INIT;

    manifest_init(&m);
    return x->kind == EXPORT_BPP_REQUEST &&
           manifest_peek(buf_span(&x->manifest), &m, &ignored) == 0
               ? m.sequence : x->sequence;
}

void report_list_clear(struct report_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i].path);
    free(l->v);
    *l = (struct report_list){ NULL, 0 };
}

/* --- records --------------------------------------------------------------- */

/* Where records go, and the EUM chains they name, in order of first use. */
struct sink {
    struct container_writer *w;
    struct manifest *m;
    uint64_t records;
    struct buf der;
};

static int sink_add(struct sink *k, struct err *e)
{
    k->records++;
    return container_writer_add(k->w, buf_span(&k->der), e);
}

static int chain_index(struct sink *k, struct span chain, uint64_t *out,
                       struct err *e)
{
    struct blobs *b = &k->m->eum_chains;

    for (size_t i = 0; i < b->n; i++)
        if (span_eq(buf_span(&b->v[i]), chain)) {
            *out = i;
            return 0;
        }
    *out = b->n;
    return blobs_add(b, chain) == 0 ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* CERT.EUICC out of the bundle record that came with the evidence. */
static int certify(struct sink *k, const struct evidence_item *i,
                   struct report_record *r, struct err *e)
{
    struct bpp_record b;

    if (bpp_record_parse(i->record, &b, e) != 0)
        return err_wrap(e, "event %llu", (unsigned long long)i->event);
    r->certificate = b.cert.whole;
    return chain_index(k, i->eum_chain, &r->eum_chain, e);
}

static int on_evidence(void *ctx, const struct evidence_item *i,
                       struct err *e)
{
    struct sink *k = ctx;
    struct report_record r = {
        .event = i->event, .at = i->at, .started_at = i->started_at,
        .finished_at = i->finished_at, .bundle_id = SPAN_STR(i->bundle),
        .serial = SPAN_STR(i->serial), .position = SPAN_STR(i->position),
        .fixture = SPAN_STR(i->fixture), .code = SPAN_STR(i->code),
        .detail = SPAN_STR(i->detail), .reason = SPAN_STR(i->detail),
        .imei = SPAN_STR(i->imei),
    };

    if (i->has_txid)
        r.txid = SPAN_ARRAY(i->txid.o);
    if (i->has_eid)
        r.eid = SPAN_ARRAY(i->eid.o);
    switch (i->kind) {
    case EVIDENCE_RESULT:
        r.kind = REPORT_RESULT;
        r.bf37 = i->octets;
        if (certify(k, i, &r, e) != 0)
            return -1;
        break;
    case EVIDENCE_FAILURE:
        r.kind = REPORT_FAILURE;
        break;
    case EVIDENCE_NOTIFICATION:
        /* Enabled, disabled; or deleted, but no profile that came to this
         * station (a test profile, say): the ledger keeps it, no MSP asks. */
        if (!(i->op & OP_DELETE) || !i->has_txid)
            return 0;
        r.kind = REPORT_DELETION;
        r.notification = i->octets;
        if (certify(k, i, &r, e) != 0)
            return -1;
        break;
    case EVIDENCE_RECEIPT:
        r.kind = REPORT_RECEIPT;
        r.receipt = i->octets;
        if (certify(k, i, &r, e) != 0)
            return -1;
        break;
    case EVIDENCE_QUARANTINE:
        r.kind = REPORT_QUARANTINED;
        break;
    case EVIDENCE_VOID:
        r.kind = REPORT_VOIDED;
        r.bf37 = i->octets;
        break;
    }
    buf_reset(&k->der);
    if (report_record_encode(&r, &k->der, e) != 0)
        return err_wrap(e, "event %llu", (unsigned long long)i->event);
    return sink_add(k, e);
}

static int on_event(void *ctx, uint64_t n, struct span der,
                    const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct sink *k = ctx;

    (void)n;
    (void)hash;
    k->records++;
    return container_writer_add(k->w, der, e);
}

int report_write_shift(struct db *db, uint64_t number,
                       struct container_writer *w, uint64_t *records,
                       struct err *e)
{
    AUTO(buf_clear) struct buf kept = BUF_INIT;
    struct tlv t;

    if (shift_records(db, number, &kept, e) != 0)
        return -1;
    for (struct span in = buf_span(&kept); in.n; ++*records) {
        if (der_next(&in, &t) != DER_OK)
            return err_set(e, ERR_FORMAT, "the records of shift %llu are "
                           "damaged", (unsigned long long)number);
        if (container_writer_add(w, t.whole, e) != 0)
            return -1;
    }
    return 0;
}

/* Everything of this kind in events first..last. The same range gives the
 * same octets whenever it is asked for. */
static int write_records(struct db *db, enum export_kind kind, uint64_t first,
                         uint64_t last, struct sink *k, struct err *e)
{
    if (first == 0)
        return 0;
    int bad = kind == EXPORT_AUDIT_LOG
                  ? event_walk(db, first, last, on_event, k, e)
                  : evidence_walk(db, first, last, on_evidence, k, e);
    buf_clear(&k->der);
    return bad;
}

/* --- one moment ------------------------------------------------------------ */

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
    m->kind = container_kind_of(g->kind);
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
        bad = write_records(db, g->kind, m.first_event, m.last_event, &k, e);
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

/* --- delivery -------------------------------------------------------------- */

struct delivery {
    const struct export_info *x;
    const char *to_dir;
    char *path;
    uint64_t records;
};

static int write_again(struct db *db, struct delivery *d, struct sink *k,
                       struct err *e)
{
    if (d->x->kind == EXPORT_BPP_REQUEST)
        return request_write(db, d->x->id, k->w, &k->records, e);
    if (d->x->kind == EXPORT_SHIFT_RECORD)
        return report_write_shift(db, d->x->sequence, k->w, &k->records, e);
    return write_records(db, d->x->kind, d->x->first_event, d->x->last_event, k,
                         e);
}

static int deliver_in_snapshot(struct db *db, void *ctx, struct err *e)
{
    struct delivery *d = ctx;
    struct container_writer *w = NULL;
    struct manifest m;

    manifest_init(&m);
    m.kind = container_kind_of(d->x->kind);
    memcpy(m.id, d->x->id, sizeof m.id);
    int bad = container_writer_open(d->to_dir, &m, &w, e);
    if (!bad) {
        struct sink k = { .w = w, .m = &m };
        bad = write_again(db, d, &k, e);
        d->records = k.records;
        if (bad)
            container_writer_abort(w);
        else
            bad = container_writer_reissue(w, buf_span(&d->x->manifest),
                                           &d->path, e);
    }
    manifest_clear(&m);
    return bad;
}

/* The export stopped between its arrival and its leaving the outbox: the very
 * same container lies there, every octet of it. */
static bool arrived_before(struct delivery *d)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    AUTO(manifest_clear) struct manifest m;
    struct err why = ERR_INIT;
    char path[4096];

    manifest_init(&m);
    snprintf(path, sizeof path, "%s/%s", d->to_dir, d->x->directory);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    bool same = container_read_manifest(fd, &cms, &why) == 0 &&
                span_eq(buf_span(&cms), buf_span(&d->x->manifest)) &&
                manifest_peek(buf_span(&cms), &m, &why) == 0 &&
                container_check_names(fd, &m, &why) == 0 &&
                container_read_segments(fd, &m, NULL, NULL, &why) == 0 &&
                (d->path = strdup(path)) != NULL;
    close(fd);
    for (size_t i = 0; same && i < m.segment_count; i++)
        d->records += m.segments[i].records;
    return same;
}

/* Takes over path. */
static int list_add(struct report_list *l, const struct export_info *x,
                    uint64_t records, char *path, struct err *e)
{
    struct report_made *v = realloc(l->v, (l->n + 1) * sizeof *v);

    if (!v) {
        free(path);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    l->v = v;
    struct report_made *r = &v[l->n++];
    *r = (struct report_made){ .kind = x->kind, .sequence = sequence_of(x),
                               .first_event = x->first_event,
                               .last_event = x->last_event,
                               .records = records, .path = path };
    memcpy(r->id, x->id, sizeof r->id);
    return 0;
}

static int deliver(struct db *db, const struct export_info *x,
                   const char *to_dir, struct report_list *out, struct err *e)
{
    struct delivery d = { .x = x, .to_dir = to_dir };

    if (!arrived_before(&d) &&
        db_snapshot(db, deliver_in_snapshot, &d, e) != 0)
        return -1;
    return list_add(out, x, d.records, d.path, e);
}

/* Remove a container's folder: flat, our own. */
static void remove_container(const char *outbox, const char *name)
{
    char dir[4096];

    snprintf(dir, sizeof dir, "%s/%s", outbox, name);
    folder_remove(dir);
}

static bool waits(const char *outbox, const struct export_info *x)
{
    char dir[4096];

    return snprintf(dir, sizeof dir, "%s/%s", outbox, x->directory) <
               (int)sizeof dir && access(dir, F_OK) == 0;
}

/* The way to a medium, and out of the outbox if it is there. */
static int send_one(struct db *db, const struct export_info *x,
                    const char *outbox, const char *to_dir,
                    struct report_list *out, struct err *e)
{
    if (deliver(db, x, to_dir, out, e) != 0)
        return err_wrap(e, waits(outbox, x)
                        ? "%s %llu is made, but did not reach %s; run `lineside "
                          "export` again with a good medium"
                        : "%s %llu did not reach %s; do it again with a good "
                          "medium", report_kind(x->kind),
                        (unsigned long long)sequence_of(x), to_dir);
    remove_container(outbox, x->directory);
    return 0;
}

/* The export that this name in the outbox stands for: 1, or 0: none that the
 * ledger knows (then it was never more than a draft), or -1. */
static int export_named(struct db *db, const char *name,
                        struct export_info *x, struct err *e)
{
    struct err why = ERR_INIT;
    size_t n = strlen(name);

    if (n <= UUID_LEN)
        return 0;
    if (export_by_id(db, name + n - UUID_LEN, x, &why) == 0)
        return 1;
    if (why.code == ERR_NOT_FOUND)
        return 0;
    *e = why;
    return -1;
}

/* Calls fn for every name in the outbox; x is NULL for a draft. */
typedef int outbox_fn(void *ctx, const char *name, const struct export_info *x,
                      struct err *e);
static int outbox_walk(struct db *db, const char *outbox, outbox_fn *fn,
                       void *ctx, struct err *e)
{
    struct dirent *de;
    int bad = 0;
    DIR *d = opendir(outbox);

    if (!d)
        return errno == ENOENT ? 0 : err_errno(e, "%s", outbox);
    while (!bad && (de = readdir(d))) {
        struct export_info x = { 0 };
        if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
            continue;
        int known = export_named(db, de->d_name, &x, e);
        bad = known < 0 ? -1 : fn(ctx, de->d_name, known ? &x : NULL, e);
        export_clear(&x);
    }
    closedir(d);
    return bad;
}

struct emptying {
    struct db *db;
    const char *outbox, *to_dir;
    struct report_list *out;
};

/* What a cut export left: delivered now if the ledger knows it, and gone. */
static int empty_one(void *ctx, const char *name, const struct export_info *x,
                     struct err *e)
{
    const struct emptying *m = ctx;

    if (x)
        return send_one(m->db, x, m->outbox, m->to_dir, m->out, e);
    remove_container(m->outbox, name);
    return 0;
}

static int list_one(void *ctx, const char *name, const struct export_info *x,
                    struct err *e)
{
    (void)name;
    return x ? list_add(ctx, x, 0, NULL, e) : 0;
}

static void outbox_path(const char *data_dir, char *out, size_t cap)
{
    snprintf(out, cap, "%s/%s", data_dir, REPORT_OUTBOX);
}

int report_waiting(struct db *db, const char *data_dir,
                   struct report_list *out, struct err *e)
{
    char outbox[4096];

    outbox_path(data_dir, outbox, sizeof outbox);
    return outbox_walk(db, outbox, list_one, out, e);
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
    if (send_one(db, &p->log.x, p->log.outbox, to_dir, out, e) != 0)
        return -1;
    at_step(p->watch, STEP_REPORT);
    if (send_one(db, &p->report.x, p->report.outbox, to_dir, out, e) != 0)
        return -1;
    at_step(p->watch, STEPS);
    return 0;
}

int report_outbox(const char *data_dir, char *out, size_t cap, struct err *e)
{
    outbox_path(data_dir, out, cap);
    return mkdir(out, 0700) == 0 || errno == EEXIST ? 0 : err_errno(e, "%s", out);
}

int report_send(struct db *db, const struct lock *lock, const char *data_dir,
                const char *id, const char *to_dir, struct report_list *out,
                struct err *e)
{
    struct export_info x = { 0 };
    char outbox[4096];

    if (!lock)
        return err_set(e, ERR_INTERNAL, "an export needs the export lock");
    outbox_path(data_dir, outbox, sizeof outbox);
    int bad = export_by_id(db, id, &x, e);
    if (!bad)
        bad = send_one(db, &x, outbox, to_dir, out, e);
    export_clear(&x);
    return bad;
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
    struct emptying left = { db, outbox, to_dir, out };
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
    if (outbox_walk(db, outbox, empty_one, &left, e) != 0)
        return -1;
    int bad = make_and_deliver(db, &p, to_dir, out, e);
    export_clear(&p.log.x);
    export_clear(&p.report.x);
    return bad;
}
