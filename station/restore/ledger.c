#include "station/restore/ledger.h"

#include "station/identity/identity.h"
#include "storage/backups.h"
#include "storage/events.h"
#include "storage/station.h"

#include <stdio.h>
#include <string.h>

#define ACTOR "restore"

/* --- is it whole ------------------------------------------------------------------ */

static int head_is_named(const struct event_head *head, const struct manifest *m,
                         struct err *e)
{
    if (head->number == m->last_event &&
        memcmp(head->hash, m->head_after, sizeof m->head_after) == 0)
        return 0;
    return err_set(e, ERR_CONFLICT, "it ends at event %llu, and its manifest "
                   "names another event %llu", (unsigned long long)head->number,
                   (unsigned long long)m->last_event);
}

/* Who signed the backup is whose ledger it is: a station cannot pass another's
 * off as its own. */
static int station_is_named(struct db *db, const struct manifest *m,
                            const struct restore_job *j,
                            const uint8_t signer_key_id[32], struct err *e)
{
    AUTO(station_clear) struct station s;

    station_init_empty(&s);
    if (station_get(db, &s, e) != 0)
        return -1;
    if (strcmp(s.id, m->issuer) != 0 ||
        memcmp(s.key_id, signer_key_id, sizeof s.key_id) != 0 ||
        s.epoch != m->epoch)
        return err_set(e, ERR_CONFLICT, "it is the ledger of station %s, epoch "
                       "%llu, and %s signed the backup as one of epoch %llu",
                       s.id, (unsigned long long)s.epoch, m->issuer,
                       (unsigned long long)m->epoch);
    if (memcmp(s.root_sha256, j->root_sha256, sizeof s.root_sha256) != 0)
        return err_set(e, ERR_CONFLICT, "its station trusts another root than "
                       "the one given");
    return 0;
}

int restore_prove_ledger(const char *dir, const struct manifest *m,
                         const struct restore_job *j,
                         const uint8_t signer_key_id[32], struct err *e)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct event_head head;

    if (db_open(dir, DB_WRITE, NULL, &db, e) != 0 ||
        db_check_file(db, e) != 0 || event_verify(db, &head, e) != 0 ||
        head_is_named(&head, m, e) != 0 || stock_cross_check(db, e) != 0)
        return -1;
    return station_is_named(db, m, j, signer_key_id, e);
}

/* --- its new owner ------------------------------------------------------------------ */

static int new_identity(const char *dir, const struct restore_job *j,
                        struct restore_result *out, struct err *e)
{
    struct identity self;

    if (identity_create_key(dir, e) != 0 ||
        identity_open(dir, SPAN(NULL, 0), &self, e) != 0)
        return -1;
    int bad = identity_key_id(&self, out->key_id, e);
    if (!bad && j->station)
        snprintf(out->station, sizeof out->station, "%s", j->station);
    else if (!bad)
        bad = identity_default_id(&self, out->station, sizeof out->station, e);
    identity_close(&self);
    return bad;
}

static int take_over(struct tx *tx, void *ctx, struct err *e)
{
    struct restore_result *r = ctx;
    struct takeover t = { .backup = r->backup, .station = r->station };

    memcpy(t.key_id, r->key_id, sizeof t.key_id);
    return ledger_take_over(tx, &t, ACTOR, &r->epoch, e);
}

static int sum_stock(struct db *db, struct stock_balance *out, struct err *e)
{
    struct bundle_balances l = { NULL, 0 };

    if (stock_balances(db, &l, e) != 0)
        return -1;
    for (size_t i = 0; i < l.n; i++) {
        out->received += l.v[i].b.received;
        out->deleted += l.v[i].b.deleted;
        for (int s = 0; s < BPP_STATES; s++)
            out->by_state[s] += l.v[i].b.by_state[s];
    }
    bundle_balances_clear(&l);
    return 0;
}

int restore_take_over(const char *dir, const struct manifest *m,
                      const struct restore_job *j, struct restore_result *out,
                      struct err *e)
{
    AUTO(db_close_p) struct db *db = NULL;

    memcpy(out->backup, m->id, sizeof out->backup);
    memcpy(out->station_before, m->issuer, sizeof out->station_before);
    out->sequence = m->sequence;
    out->last_event = m->last_event;
    out->created_at = m->created_at;
    return new_identity(dir, j, out, e) != 0 ||
           db_open(dir, DB_WRITE, NULL, &db, e) != 0 ||
           db_write(db, take_over, out, e) != 0 ||
           sum_stock(db, &out->stock, e) != 0 ? -1 : 0;
}
