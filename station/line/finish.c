/* The steps after the last load: enable, bring the evidence home, and close
 * the factory's door. */
#include "station/line/run.h"

#include "station/ifpp/evidence.h"
#include "station/ifpp/tlv.h"

#include <stdlib.h>

/* --- enable -------------------------------------------------------------------- */

/* Without a work order: the last one installed, in bundle order. */
static const struct bpp_info *to_enable(const struct run *r)
{
    const struct bpp_info *last = NULL;

    if (r->duty.recipe) /* what it asks for comes first, in its order */
        return &r->all.v[r->duty.recipe->enable - 1];
    for (size_t i = 0; i < r->all.n; i++)
        if (r->all.v[i].state == BPP_INSTALLED && !r->all.v[i].deleted)
            last = &r->all.v[i];
    return last;
}

/* Asked only when the eUICC has refused. */
static bool is_gone(struct run *r, const struct iccid *iccid)
{
    struct fpa_profiles there;
    struct err ignored = ERR_INIT;

    return r->e->code == ERR_CARD && !r->e->sw &&
           fpa_card_profiles(r->card, &there, &ignored) == 0 &&
           !fpa_profiles_find(&there, iccid);
}

/* Deleted since: the eUICC's own notification of it belongs into the ledger,
 * whatever else. */
static int profile_gone(struct run *r)
{
    struct err why = *r->e;

    r->step = STEP_NOTIFICATIONS;
    if (step_notifications(r) != 0)
        return -1;
    *r->e = why;
    return run_fail(r, V_PROFILE_GONE);
}

int step_enable(struct run *r)
{
    const struct bpp_info *b = to_enable(r);

    if (!b) {
        err_set(r->e, ERR_NOT_FOUND, "every profile of this eUICC was deleted");
        return run_fail(r, V_NO_BPP);
    }
    if (fpa_card_act(r->card, FPA_ENABLE, &b->iccid, r->e) == 0)
        return 0;
    return is_gone(r, &b->iccid) ? profile_gone(r) : run_card_failed(r);
}

/* --- notifications ---------------------------------------------------------------- */

/* All that the card holds: its numbers, and of those what is not in the
 * ledger already as the result of a BPP. */
struct pending {
    uint64_t *seq;
    struct notification_info *items;
    size_t n, item_count;
};

static void pending_clear(struct pending *p)
{
    free(p->seq);
    free(p->items);
}

static int pending_room(struct pending *p, struct span list, struct err *e)
{
    struct tlv t;
    size_t n = 0;

    while (der_next(&list, &t) == DER_OK)
        n++;
    p->seq = calloc(n + 1, sizeof *p->seq);
    p->items = calloc(n + 1, sizeof *p->items);
    return p->seq && p->items ? 0
         : err_set(e, ERR_NOMEM, "no memory for %zu notifications", n);
}

/* A result that decided nothing here (its BPP is in stock, and somebody else
 * has loaded it) is in no BPP's row, and the card is about to forget it. */
static bool is_recorded(const struct run *r, const struct notification *n)
{
    for (size_t i = 0; n->is_result && i < r->all.n; i++)
        if (txid_eq(&r->all.v[i].txid, &n->result.txid))
            return r->all.v[i].state == BPP_INSTALLED ||
                   r->all.v[i].state == BPP_FAILED;
    return false;
}

static int pending_add(struct run *r, struct pending *p, struct span whole)
{
    struct notification n;

    if (notification_parse(whole, &n, r->e) != 0 ||
        notification_verify(&n, r->key, r->e) != 0)
        return -1;
    p->seq[p->n++] = n.meta.seq;
    if (!is_recorded(r, &n))
        p->items[p->item_count++] = (struct notification_info){
            .eid = r->eid, .seq = n.meta.seq, .op = n.meta.op,
            .has_iccid = n.meta.has_iccid, .iccid = n.meta.iccid,
            .octets = n.whole,
        };
    return 0;
}

static int pending_read(struct run *r, struct span list, struct pending *p)
{
    struct tlv t;
    enum der d;

    if (pending_room(p, list, r->e) != 0)
        return -1;
    while ((d = der_next(&list, &t)) == DER_OK)
        if (pending_add(r, p, t.whole) != 0)
            return -1;
    if (d == DER_BAD)
        return err_set(r->e, ERR_FORMAT, "the list of notifications is cut short");
    return 0;
}

/* The last result and all notifications with one wait. */
static int commit_evidence(struct run *r, const struct pending *p)
{
    struct book_evidence op = { .installed = 0 };

    book_evidence(&op, &r->books, r->unproven, p->items, p->item_count,
                  r->kind);
    int bad = book_durable(&op.b, r->e);
    book_end(&op.b);
    if (bad)
        return run_station_failed(r);
    r->unproven = 0;
    return 0;
}

static int remove_all(struct run *r, const struct pending *p)
{
    for (size_t i = 0; i < p->n; i++)
        if (fpa_card_remove_notification(r->card, p->seq[i], r->e) != 0)
            return run_card_failed(r);
    return 0;
}

int step_notifications(struct run *r)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    AUTO(pending_clear) struct pending p = { .n = 0 };
    struct span list;

    if (fpa_card_notifications(r->card, NULL, &raw, &list, r->e) != 0 ||
        pending_read(r, list, &p) != 0)
        return run_card_failed(r);
    if (commit_evidence(r, &p) != 0)
        return -1;
    return remove_all(r, &p);
}

/* --- receipts -------------------------------------------------------------------- */

static int commit_receipt(struct run *r, const struct receipt *receipt,
                          struct visit *visit)
{
    struct receipt_info info = { receipt->function, receipt->seq,
                                 receipt->deleted, receipt->left,
                                 receipt->whole };
    struct book_receipt op = { .visit = NULL };

    book_receipt(&op, &r->books, &info, visit);
    int bad = book_durable(&op.b, r->e);
    book_end(&op.b);
    return bad ? run_station_failed(r) : 0;
}

int step_delete_keys(struct run *r)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct receipt receipt;
    bool known = false;

    /* Cut off between the two receipts: this one is in the ledger, and no key
     * has been left since. */
    if (r->status.key_count == 0 &&
        receipt_known(r->env->db, r->books.act.position, 0x72, &known, r->e) != 0)
        return run_station_failed(r);
    if (known) {
        r->keys_deleted = true;
        return 0;
    }
    r->keys_deleted = true;
    if (fpa_card_delete_keys(r->card, r->key, &r->eid, &raw, &receipt, r->e) != 0)
        return run_card_failed(r);
    return commit_receipt(r, &receipt, NULL);
}

int step_close(struct run *r)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    struct receipt receipt;

    if (fpa_card_close_services(r->card, r->key, &r->eid, &raw, &receipt, r->e) != 0)
        return run_card_failed(r);
    return commit_receipt(r, &receipt, run_visit(r, V_DONE));
}

/* --- keys kept -------------------------------------------------------------------- */

/* The card's own count, after the loads. */
static int count_keys(struct run *r, int64_t *left)
{
    if (fpa_card_status(r->card, &r->status_raw, &r->status, r->e) != 0)
        return run_card_failed(r);
    *left = (int64_t)r->status.key_count;
    return 0;
}

int step_keep(struct run *r)
{
    const struct order_recipe *asked = r->duty.recipe;
    int64_t left = (int64_t)r->status.key_count;

    if (asked->wants && count_keys(r, &left) != 0)
        return -1;
    if (left < (int64_t)asked->keep) {
        err_set(r->e, ERR_CARD, "%lld one-time keys are left, order %s keeps %u",
                (long long)left, r->duty.number, asked->keep);
        return run_fail(r, V_KEYS_TOO_FEW);
    }
    struct book_stocked op = { .keys_left = 0 };
    book_stocked(&op, &r->books, r->kind, left, run_visit(r, V_STOCKED));
    int bad = book_durable(&op.b, r->e);
    book_end(&op.b);
    return bad ? run_station_failed(r) : 0;
}
