/* What is held back, given up or repaired. */
#include "station/control/verbs.h"

#include "station/show/done.h"

/* --- quarantine ------------------------------------------------------------------- */

static int hold(struct office_call *c, enum hold_act what, struct err *e)
{
    const struct who w = office_who(c);
    const char *serial, *reason;
    struct act_held held;

    return control_need(&c->r, "serial", &serial, e) != 0 ||
           control_word(&c->r, "reason", &reason, e) != 0 || office_db(c, e) != 0 ||
           act_hold(c->db, c->data_dir, &w, what, serial, reason, &held, e) != 0
               ? -1 : office_say(c, show_held(&held), e);
}

int do_quarantine_release(struct office_call *c, struct err *e)
{
    return hold(c, HOLD_RELEASE, e);
}

int do_quarantine_resolve(struct office_call *c, struct err *e)
{
    return hold(c, HOLD_RESOLVE, e);
}

int do_quarantine_scrap(struct office_call *c, struct err *e)
{
    return hold(c, HOLD_SCRAP, e);
}

int do_quarantine_limit(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    uint64_t n = 0; /* none */

    return control_number(&c->r, "limit", 1, QUARANTINE_LIMIT_MAX, &n, e) != 0 ||
           office_db(c, e) != 0 || act_hold_limit(c->db, &w, (unsigned)n, e) != 0
               ? -1 : office_say(c, json_pack("{s:I}", "limit", (json_int_t)n), e);
}

/* --- BPPs ----------------------------------------------------------------------------- */

static int read_eid(const struct office_call *c, const char *name, struct eid *out,
                    bool *has, struct err *e)
{
    const char *word;

    if (control_word(&c->r, name, &word, e) != 0)
        return -1;
    *has = word != NULL;
    return !word || eid_parse(word, out) == 0 ? 0
         : err_set(e, ERR_USAGE, "\"%s\" is no EID: %d digits whose check digits hold",
                   name, EID_DIGITS);
}

static int read_txid(const struct office_call *c, struct txid *out, bool *has,
                     struct err *e)
{
    const char *word;

    if (control_word(&c->r, "transactionId", &word, e) != 0)
        return -1;
    *has = word != NULL;
    return !word || hex_decode(word, out->o, sizeof out->o) == 0 ? 0
         : err_set(e, ERR_USAGE, "\"transactionId\" is %d hex digits", TXID_HEX);
}

int do_void(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    struct void_what what = { NULL, NULL, NULL, false };
    struct txid txid;
    struct eid eid;
    const char *reason;
    bool by_txid, by_eid;
    size_t found, voided;

    if (read_txid(c, &txid, &by_txid, e) != 0 ||
        read_eid(c, "eid", &eid, &by_eid, e) != 0 ||
        control_word(&c->r, "bundle", &what.bundle, e) != 0 ||
        control_flag(&c->r, "scrapped", &what.scrapped, e) != 0 ||
        control_need(&c->r, "reason", &reason, e) != 0)
        return -1;
    if (by_txid + by_eid + !!what.bundle + what.scrapped != 1)
        return err_set(e, ERR_USAGE, "name what is to be voided: transactionId, bundle, "
                       "eid or scrapped; just one");
    what.txid = by_txid ? &txid : NULL;
    what.eid = by_eid ? &eid : NULL;
    return office_db(c, e) != 0 ||
           act_void(c->db, &w, &what, reason, &found, &voided, e) != 0
               ? -1 : office_say(c, show_voided(found, voided), e);
}

/* --- boards ------------------------------------------------------------------------------ */

static int read_imei(const struct office_call *c, const char *name, bool needed,
                     char out[IMEI_DIGITS + 1], bool *has, struct err *e)
{
    const char *word;

    if ((needed ? control_need : control_word)(&c->r, name, &word, e) != 0)
        return -1;
    *has = word != NULL;
    return word ? imei_read(word, out, e) : 0;
}

int do_replace(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    struct board_change change = { .line_stands = false };
    struct act_replaced done;
    char imei[IMEI_DIGITS + 1];
    bool has_eid, has_imei;

    if (control_need(&c->r, "serial", &change.serial, e) != 0 ||
        control_need(&c->r, "position", &change.position, e) != 0 ||
        control_need(&c->r, "reason", &change.reason, e) != 0 ||
        read_eid(c, "newEid", &change.new_eid, &has_eid, e) != 0 ||
        read_imei(c, "newImei", false, imei, &has_imei, e) != 0)
        return -1;
    if (!has_eid)
        return err_set(e, ERR_FORMAT, "'replace' needs a member \"newEid\" that is text");
    change.new_imei = has_imei ? imei : NULL;
    return office_db(c, e) != 0 ||
           act_replace(c->db, c->data_dir, &w, &change, &done, e) != 0
               ? -1 : office_say(c, show_replaced(&done), e);
}

int do_imei(struct office_call *c, struct err *e)
{
    const struct who w = office_who(c);
    struct imei_change change = { NULL, NULL, NULL, NULL };
    struct position was;
    char imei[IMEI_DIGITS + 1];
    bool has;

    if (control_need(&c->r, "serial", &change.serial, e) != 0 ||
        control_need(&c->r, "position", &change.position, e) != 0 ||
        read_imei(c, "imei", true, imei, &has, e) != 0 ||
        control_word(&c->r, "reason", &change.reason, e) != 0)
        return -1;
    change.imei = imei;
    return office_db(c, e) != 0 || act_imei(c->db, &w, &change, &was, e) != 0
               ? -1 : office_say(c, show_imei(&was, imei), e);
}
