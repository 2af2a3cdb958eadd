#include "storage/returns.h"

#include "station/ifpp/event.h"
#include "storage/inner.h"

int return_reason_check(const char *reason, struct err *e)
{
    size_t n = strlen(reason);

    if (n > 0 && n <= RETURN_REASON_MAX && event_text_ok(SPAN(reason, n)))
        return 0;
    return err_set(e, ERR_USAGE, "the reason of a return is 1 to %d octets of plain "
                   "text, without control characters", RETURN_REASON_MAX);
}

int return_begin(struct tx *tx, const struct act *a, const char *reason,
                 struct err *e)
{
    struct fields f = { .n = 0 };
    struct event_head head;
    struct place place;
    struct position now;
    char eid[EID_DIGITS + 1];

    if (return_reason_check(reason, e) != 0 || place_of(tx->db, a, &place, e) != 0 ||
        position_get(tx->db, a->position, &now, e) != 0)
        return -1;
    fields_add(&f, "eid", eid_format(&now.eid, eid));
    place_fields(&f, &place, a);
    fields_add(&f, "reason", reason);
    if (event_write(tx, "return-begun", a->actor, &f, &head, e) != 0)
        return -1;
    return now.state == POSITION_OPEN
         ? 0 : position_move(tx, a, POSITION_OPEN, POSITION_CAUSE_RETURN, NULL, e);
}

static int nothing_left(struct db *db, const struct eid *eid, struct err *e)
{
    struct bpp_list all = { NULL, 0 };
    char digits[ICCID_DIGITS + 1];
    int bad = stock_of_eid(db, eid, &all, e);

    for (size_t i = 0; i < all.n && !bad; i++)
        if (all.v[i].state == BPP_INSTALLED && !all.v[i].deleted)
            bad = err_set(e, ERR_WRONG_STATE, "no signed notification says that "
                          "profile %s was deleted",
                          iccid_format(&all.v[i].iccid, digits));
    bpp_list_clear(&all);
    return bad;
}

int return_finish(struct tx *tx, const struct act *a, enum euicc_kind kind,
                  int64_t keys_left, struct err *e)
{
    struct position now;

    if (position_get(tx->db, a->position, &now, e) != 0 ||
        nothing_left(tx->db, &now.eid, e) != 0 ||
        position_set_card(tx, a, kind, keys_left, e) != 0)
        return -1;
    return position_move(tx, a, POSITION_STOCKED, POSITION_CAUSE_RETURNED, NULL, e);
}
