#include "station/fpa/doubt.h"

#include "station/ifpp/tags.h"

#define TAG_TXID 0x80

static const char *const verdict_names[DOUBT_VERDICTS] = {
    [DOUBT_INSTALLED] = "installed",
    [DOUBT_FAILED] = "failed",
    [DOUBT_BACK_IN_STOCK] = "back in stock",
    [DOUBT_CONSUMED_NO_EVIDENCE] = "consumed without evidence",
    [DOUBT_CONSUMED_ELSEWHERE] = "consumed elsewhere",
    [DOUBT_UNRESOLVED] = "unresolved",
};

const char *doubt_verdict_name(enum doubt_verdict v)
{
    return verdict_names[v];
}

/* --- the decision -------------------------------------------------------- */

/* Sets of answers, so that one row covers all it means. The three facts come
 * from enums counted from 0. */
#define IN(x) (1u << (x))
#define ANY (~0u)
#define OURS IN(true)
#define NOT_OURS IN(false)

/* Binding, clause 4, "A station in doubt". The first row that fits decides;
 * the last fits everything. A signed BF37 outweighs all the rest. A key still
 * unused beside a profile of that ICCID is another BPP's work: loading again
 * would burn the key for nothing, so that a person has to look. */
static const struct {
    unsigned evidence, key, iccid, ours;
    enum doubt_verdict verdict;
} table[] = {
    { IN(EVIDENCE_INSTALLED), ANY, ANY, OURS, DOUBT_INSTALLED },
    { IN(EVIDENCE_FAILED), ANY, ANY, OURS, DOUBT_FAILED },
    { IN(EVIDENCE_INSTALLED) | IN(EVIDENCE_FAILED), ANY, ANY, NOT_OURS,
      DOUBT_CONSUMED_ELSEWHERE },
    { IN(EVIDENCE_NONE), IN(KEY_GONE), ANY, OURS, DOUBT_CONSUMED_NO_EVIDENCE },
    { IN(EVIDENCE_NONE), IN(KEY_GONE), ANY, NOT_OURS, DOUBT_CONSUMED_ELSEWHERE },
    { IN(EVIDENCE_NONE), IN(KEY_UNUSED), IN(ICCID_ABSENT), ANY, DOUBT_BACK_IN_STOCK },
    { ANY, ANY, ANY, ANY, DOUBT_UNRESOLVED },
};

enum doubt_verdict doubt_decide(const struct doubt_inputs *in)
{
    size_t i = 0;

    while (!(table[i].evidence & IN(in->evidence) &&
             table[i].key & IN(in->key) && table[i].iccid & IN(in->iccid) &&
             table[i].ours & IN(in->ours)))
        i++;
    return table[i].verdict;
}

/* --- reading the card ---------------------------------------------------- */

void doubt_records_clear(struct doubt_records *r)
{
    buf_clear(&r->notifications_raw);
    buf_clear(&r->status_raw);
    *r = (struct doubt_records){ 0 };
}

int doubt_read(struct fpa_card *c, struct doubt_records *out, struct err *e)
{
    struct err later = ERR_INIT;
    struct err *first = e ? e : &later;

    *out = (struct doubt_records){ 0 };
    first->code = ERR_NONE;
    out->notifications_read =
        fpa_card_notifications(c, NULL, &out->notifications_raw,
                               &out->notifications, first) == 0;
    out->status_read = fpa_card_status(c, &out->status_raw, &out->status,
                                       first->code ? &later : first) == 0;
    out->profiles_read = fpa_card_profiles(c, &out->profiles,
                                           first->code ? &later : first) == 0;
    return first->code ? -1 : 0;
}

/* --- one BPP in those records -------------------------------------------- */

/* Leniently, since a card may also keep results of downloads that no station
 * made: does this BF37 name this transactionId? 1, 0, or -1: cannot tell. */
static int names_txid(struct span bf37, const struct txid *t)
{
    struct tlv whole, data, id;

    if (der_take(&bf37, TAG_INSTALL_RESULT, &whole) != 0 ||
        der_take(&whole.value, TAG_INSTALL_RESULT_DATA, &data) != 0 ||
        der_take(&data.value, TAG_TXID, &id) != 0)
        return -1;
    return span_eq(id.value, SPAN_ARRAY(t->o));
}

static int prove(struct span bf37, const struct txid *t, EVP_PKEY *euicc,
                 enum doubt_evidence *out, struct err *e)
{
    struct install_result r;

    if (install_result_parse(bf37, &r, e) != 0 ||
        install_result_verify(&r, euicc, t, e) != 0)
        return err_wrap(e, "the card keeps a result for this profile that "
                           "proves nothing; set the unit aside");
    *out = r.installed ? EVIDENCE_INSTALLED : EVIDENCE_FAILED;
    return 0;
}

/* A valid result wins wherever it stands in the list; otherwise one that may
 * be about this BPP and cannot be believed leaves the question open. */
static int find_evidence(struct span list, const struct txid *t,
                         EVP_PKEY *euicc, enum doubt_evidence *out,
                         struct span *bf37, struct err *e)
{
    struct err why = ERR_INIT;
    struct tlv item;
    enum der d;
    bool open = false;

    while ((d = der_next(&list, &item)) == DER_OK) {
        if (item.tag != TAG_INSTALL_RESULT || names_txid(item.whole, t) == 0)
            continue;
        if (prove(item.whole, t, euicc, out, &why) == 0) {
            *bf37 = item.whole;
            return 0;
        }
        open = true;
    }
    if (d == DER_BAD)
        return err_set(e, ERR_CARD, "the card's list of results is malformed; "
                                    "reseat the unit, then set it aside");
    if (open)
        return err_set(e, why.code == ERR_FORMAT ? ERR_CARD : why.code, "%s",
                       why.msg);
    *out = EVIDENCE_NONE;
    return 0;
}

int doubt_facts(const struct doubt_records *r, const struct txid *t,
                const struct iccid *iccid, EVP_PKEY *euicc, bool ours,
                struct doubt_inputs *out, struct span *bf37, struct err *e)
{
    struct span ignored;

    if (!bf37)
        bf37 = &ignored;
    *bf37 = SPAN(NULL, 0);
    *out = (struct doubt_inputs){ EVIDENCE_UNREAD, KEY_UNREAD, ICCID_UNREAD, ours };
    if (r->status_read)
        out->key = ifpp_status_has_key(&r->status, t) ? KEY_UNUSED : KEY_GONE;
    if (r->profiles_read)
        out->iccid = fpa_profiles_find(&r->profiles, iccid) ? ICCID_PRESENT
                                                            : ICCID_ABSENT;
    if (!r->notifications_read)
        return 0;
    return find_evidence(r->notifications, t, euicc, &out->evidence, bf37, e);
}
