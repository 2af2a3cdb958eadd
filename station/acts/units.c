#include "station/acts/units.h"

#include <string.h>

/* --- quarantine ---------------------------------------------------------------- */

struct hold {
    struct hold_call what;
    struct pair who;
    struct act_held *out;
};

static int hold_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct hold *c = ctx;
    const struct act a = { .actor = c->who.first.name,
                           .second = c->who.second.name };

    return pair_still(tx_db(tx), &c->who, RIGHT_QUARANTINE, e) != 0
         ? -1 : quarantine_act(tx, &a, &c->what, &c->out->n, e);
}

static int find_unit(struct db *db, const char *word, struct act_held *out,
                     struct err *e)
{
    struct position p;
    struct bpp_info b;
    struct txid txid;
    struct err none = ERR_INIT;

    if (strlen(word) > UNIT_SERIAL_MAX)
        return err_set(e, ERR_NOT_FOUND, "no unit has so long a serial number");
    memcpy(out->serial, word, strlen(word) + 1);
    if (strlen(word) != TXID_HEX || hex_decode(word, txid.o, sizeof txid.o) != 0 ||
        stock_by_txid(db, &txid, &b, &none) != 0)
        return 0;
    if (b.state != BPP_QUARANTINED)
        return err_set(e, ERR_WRONG_STATE, "BPP %s is %s; only one that is "
                       "quarantined is resolved, and nothing else is done with a "
                       "BPP here", word, bpp_state_name(b.state));
    if (out->what != HOLD_RESOLVE)
        return err_set(e, ERR_WRONG_STATE, "BPP %s is %s, and its one-time key "
                       "may be gone: it is never usable again; resolve it, or "
                       "give it up with `lineside void`", word,
                       bpp_state_name(b.state));
    if (position_by_eid(db, &b.eid, &p, e) != 0)
        return err_wrap(e, "BPP %s", word);
    memcpy(out->serial, p.serial, sizeof p.serial);
    return 0;
}

/* An open unit is in no fixture where no line runs, and none can start meanwhile. */
static bool line_stands(const char *data_dir, struct lock **lock)
{
    struct err busy = ERR_INIT;

    return lock_take(data_dir, LOCK_RUN, lock, &busy) == 0;
}

int act_hold(struct db *db, const char *data_dir, const struct who *w,
             enum hold_act what, const char *word, const char *reason,
             struct act_held *out, struct err *e)
{
    AUTO(lock_release_p) struct lock *lock = NULL;
    struct hold c = { .out = out };

    *out = (struct act_held){ .what = what };
    if ((reason && acts_reason(reason, e) != 0) ||
        find_unit(db, word, out, e) != 0 ||
        who_two(w, db, RIGHT_QUARANTINE, &c.who, e) != 0)
        return -1;
    c.what = (struct hold_call){ what, out->serial, reason,
                                 line_stands(data_dir, &lock) };
    return db_write(db, hold_tx, &c, e);
}

struct limit {
    struct actor by;
    unsigned n;
};

static int limit_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct limit *l = ctx;

    return actor_still(tx, &l->by, e) != 0
         ? -1 : quarantine_set_limit(tx, l->n, l->by.who.name, e);
}

int act_hold_limit(struct db *db, const struct who *w, unsigned limit, struct err *e)
{
    struct limit l = { .n = limit };

    if (limit < 1 || limit > QUARANTINE_LIMIT_MAX)
        return err_set(e, ERR_USAGE, "the limit is a number from 1 to %d",
                       QUARANTINE_LIMIT_MAX);
    return who_one(w, db, RIGHT_RETRIES, &l.by, e) != 0
         ? -1 : db_write(db, limit_tx, &l, e);
}

/* --- BPPs ------------------------------------------------------------------------ */

static int void_still(struct tx *tx, void *ctx, struct err *e)
{
    return pair_still(tx_db(tx), ctx, RIGHT_VOID, e);
}

int act_void(struct db *db, const struct who *w, const struct void_what *what,
             const char *reason, size_t *found, size_t *voided, struct err *e)
{
    AUTO(bpp_ids_clear) struct bpp_ids ids = { NULL, 0 };
    struct pair p;

    *found = *voided = 0;
    if (acts_reason(reason, e) != 0 || void_find(db, what, &ids, e) != 0 ||
        who_two(w, db, RIGHT_VOID, &p, e) != 0)
        return -1;
    *found = ids.n;
    const struct act act = { .actor = p.first.name, .second = p.second.name };
    const struct void_act a = { &act, reason, void_still, &p };
    if (void_all(db, &ids, &a, voided, e) == 0)
        return 0;
    return *voided ? err_wrap(e, "%zu of %zu are voided, the others are not; "
                              "do it again", *voided, ids.n)
                   : -1;
}

/* --- boards ------------------------------------------------------------------------ */

struct replace {
    const struct board_change *change;
    struct pair who;
    struct act_replaced *out;
};

/* What was meant for the board that is out. */
static int count_left(struct db *db, struct act_replaced *r, struct err *e)
{
    AUTO(bpp_list_clear) struct bpp_list l = { NULL, 0 };

    if (stock_of_eid(db, &r->was.eid, &l, e) != 0)
        return -1;
    r->in_stock = r->loading = 0;
    for (size_t i = 0; i < l.n; i++) {
        r->in_stock += l.v[i].state == BPP_IN_STOCK;
        r->loading += l.v[i].state == BPP_LOADING;
    }
    return 0;
}

static int replace_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct replace *c = ctx;
    const struct act a = { .actor = c->who.first.name,
                           .second = c->who.second.name };

    return pair_still(tx_db(tx), &c->who, RIGHT_REPLACE, e) != 0 ||
           board_replace(tx, &a, c->change, &c->out->was, e) != 0
               ? -1 : count_left(tx_db(tx), c->out, e);
}

int act_replace(struct db *db, const char *data_dir, const struct who *w,
                struct board_change *c, struct act_replaced *out, struct err *e)
{
    AUTO(lock_release_p) struct lock *lock = NULL;
    struct replace r = { .change = c, .out = out };

    *out = (struct act_replaced){ .is = c->new_eid };
    if (acts_reason(c->reason, e) != 0 ||
        who_two(w, db, RIGHT_REPLACE, &r.who, e) != 0)
        return -1;
    c->line_stands = line_stands(data_dir, &lock);
    return db_write(db, replace_tx, &r, e);
}

/* --- IMEIs --------------------------------------------------------------------------- */

struct imei_call {
    const struct imei_change *change;
    struct actor by; /* one person's act  */
    struct pair who; /* two people's      */
    struct position *was;
};

static int note_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct imei_call *c = ctx;
    struct act a = { .actor = c->by.who.name };

    if (actor_still(tx, &c->by, e) != 0 ||
        position_named(tx_db(tx), c->change->serial, c->change->position, c->was,
                       e) != 0)
        return -1;
    a.position = c->was->id;
    return imei_note(tx, &a, c->change->imei, e);
}

static int change_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct imei_call *c = ctx;
    const struct act a = { .actor = c->who.first.name,
                           .second = c->who.second.name };

    return pair_still(tx_db(tx), &c->who, RIGHT_REPLACE, e) != 0
         ? -1 : imei_change(tx, &a, c->change, c->was, e);
}

int act_imei(struct db *db, const struct who *w, const struct imei_change *change,
             struct position *was, struct err *e)
{
    struct imei_call c = { .change = change, .was = was };

    if (!change->reason)
        return who_one(w, db, RIGHT_IMEI, &c.by, e) != 0
             ? -1 : db_write(db, note_tx, &c, e);
    return acts_reason(change->reason, e) != 0 ||
           who_two(w, db, RIGHT_REPLACE, &c.who, e) != 0 ||
           db_write(db, change_tx, &c, e) != 0 ? -1 : 0;
}
