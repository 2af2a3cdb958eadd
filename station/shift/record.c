#include "station/shift/shift.h"

#include "storage/events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTOR "station"

static void describe_shift(struct manifest *m, const struct shift *s)
{
    snprintf(m->shift.name, sizeof m->shift.name, "%s", s->name);
    snprintf(m->shift.opened_by, sizeof m->shift.opened_by, "%s", s->opened_by);
    snprintf(m->shift.closed_by, sizeof m->shift.closed_by, "%s", s->closed_by);
    m->shift.opened_at = s->opened_at;
    m->shift.closed_at = s->closed_at;
    m->sequence = s->number;
    m->first_event = s->first_event;
    m->last_event = s->last_event;
}

static int describe(struct db *db, const struct station *station,
                    const struct shift *s, struct manifest *m, struct err *e)
{
    struct event_head before, after;
    struct ledger_clock clock;

    if (event_head_at(db, s->first_event - 1, &before, e) != 0 ||
        event_head_at(db, s->last_event, &after, e) != 0 ||
        ledger_clock(db, &clock, e) != 0)
        return -1;
    m->kind = KIND_SHIFT_RECORD;
    snprintf(m->issuer, sizeof m->issuer, "%s", station->id);
    m->created_at = clock.now;
    m->not_after = clock.now + REPORT_VALID_S;
    m->recipients.kind = RCPT_PARTIES;
    memcpy(m->head_before, before.hash, sizeof m->head_before);
    memcpy(m->head_after, after.hash, sizeof m->head_after);
    describe_shift(m, s);
    return blobs_add(&m->recipients.list, SPAN_STR("auditor")) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

/* 1: it has one, and *id is filled; 0: none was made yet; -1. */
static int made_before(struct db *db, uint64_t number, char id[UUID_LEN + 1],
                       struct err *e)
{
    struct export_info x = { .sequence = 0 };
    struct err why = ERR_INIT;

    if (export_by_number(db, EXPORT_SHIFT_RECORD, number, &x, &why) == 0) {
        snprintf(id, UUID_LEN + 1, "%s", x.id);
        export_clear(&x);
        return 1;
    }
    if (why.code == ERR_NOT_FOUND)
        return 0;
    *e = why;
    return -1;
}

/* One record on its way into the outbox and the ledger. */
struct making {
    const struct identity *self;
    const char *outbox;
    struct manifest m;
    struct export_info x;
};

static int seal(struct db *db, struct making *g, struct err *e)
{
    struct container_writer *w;
    uint64_t records = 0;
    char *path;

    if (container_writer_open(g->outbox, &g->m, &w, e) != 0)
        return -1;
    if (report_write_shift(db, g->m.sequence, w, &records, e) != 0) {
        container_writer_abort(w);
        return -1;
    }
    if (container_writer_seal(w, &g->self->signer, &g->x.manifest, &path, e) != 0)
        return -1;
    snprintf(g->x.directory, sizeof g->x.directory, "%s",
             strrchr(path, '/') + 1);
    free(path);
    g->x.kind = EXPORT_SHIFT_RECORD;
    memcpy(g->x.id, g->m.id, sizeof g->x.id);
    g->x.sequence = g->m.sequence;
    g->x.first_event = g->m.first_event;
    g->x.last_event = g->m.last_event;
    memcpy(g->x.head_before, g->m.head_before, EVENT_HASH);
    memcpy(g->x.head_after, g->m.head_after, EVENT_HASH);
    g->x.created_at = g->m.created_at;
    return 0;
}

static int enter(struct tx *tx, void *ctx, struct err *e)
{
    struct making *g = ctx;

    return export_add(tx, &g->x, ACTOR, e);
}

static int find_closed(struct db *db, uint64_t number, struct shift *s,
                       struct err *e)
{
    int row = shift_find(db, number, s, e);

    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "there is no shift %llu; see "
                       "`lineside shift list`", (unsigned long long)number);
    return s->last_event ? 0
         : err_set(e, ERR_WRONG_STATE, "shift %llu is still open; close it "
                   "first: lineside shift close --to DIR",
                   (unsigned long long)number);
}

static int make(struct db *db, const char *data_dir,
                const struct station *station, const struct identity *self,
                const struct shift *s, char id[UUID_LEN + 1], struct err *e)
{
    char outbox[4096];
    struct making g = { .self = self, .outbox = outbox };

    manifest_init(&g.m);
    int bad = report_outbox(data_dir, outbox, sizeof outbox, e) != 0 ||
              describe(db, station, s, &g.m, e) != 0 || seal(db, &g, e) != 0 ||
              db_write(db, enter, &g, e) != 0;
    snprintf(id, UUID_LEN + 1, "%s", g.x.id);
    export_clear(&g.x);
    manifest_clear(&g.m);
    return bad ? -1 : 0;
}

int shift_record_export(struct db *db, const struct lock *lock,
                        const char *data_dir, const struct station *station,
                        const struct identity *self, uint64_t number,
                        const char *to_dir, struct report_list *out,
                        struct err *e)
{
    char id[UUID_LEN + 1];
    struct shift s;

    if (find_closed(db, number, &s, e) != 0)
        return -1;
    int made = made_before(db, number, id, e);
    if (made < 0 || (!made && make(db, data_dir, station, self, &s, id, e) != 0))
        return -1;
    return to_dir ? report_send(db, lock, data_dir, id, to_dir, out, e) : 0;
}
