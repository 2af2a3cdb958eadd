#include "station/fpa/card.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "station/ifpp/tags.h"

#define TAG_LIST 0xA0
#define TAG_SEQ 0x80
#define TAG_OPERATION 0x81

struct fpa_card {
    struct apdu *apdu;
    enum info2_kind kind;
    struct buf request; /* kept between calls: no allocation per command */
};

int fpa_card_open(struct fixture *f, const struct apdu_limits *limits,
                  struct fpa_card **out, struct err *e)
{
    struct fpa_card *c = calloc(1, sizeof *c);

    if (!c)
        return err_set(e, ERR_NOMEM, "no memory for a card");
    c->kind = INFO2_CONSUMER;
    if (apdu_open(f, limits, &c->apdu, e) != 0) {
        fpa_card_close(c);
        return -1;
    }
    *out = c;
    return 0;
}

void fpa_card_close(struct fpa_card *c)
{
    if (!c)
        return;
    apdu_close(c->apdu);
    buf_clear(&c->request);
    free(c);
}

void fpa_card_close_p(struct fpa_card **c)
{
    fpa_card_close(*c);
}

struct apdu *fpa_card_apdu(struct fpa_card *c)
{
    return c->apdu;
}

/* --- one function: request out, answer back ------------------------------ */

static struct buf *request(struct fpa_card *c)
{
    buf_reset(&c->request);
    return &c->request;
}

static int ask(struct fpa_card *c, const char *what, struct buf *raw,
               struct err *e)
{
    if (!buf_ok(&c->request))
        return err_set(e, ERR_NOMEM, "no memory for a command");
    if (apdu_chain(c->apdu, buf_span(&c->request), raw, NULL, e) != 0)
        return err_wrap(e, "%s", what);
    return 0;
}

/* A decoder refused the answer. It says ERR_FORMAT; here it is known who
 * wrote those octets. */
static int nonsense(struct err *e, const char *what)
{
    if (e && e->code == ERR_FORMAT)
        e->code = ERR_CARD;
    return err_wrap(e, "%s: the card's answer is not what it must be", what);
}

static int fresh_nonce(uint8_t nonce[ES10F_NONCE], struct err *e)
{
    if (RAND_bytes(nonce, ES10F_NONCE) != 1)
        return err_ossl(e, ERR_INTERNAL, "no random numbers");
    return 0;
}

/* --- reading ------------------------------------------------------------- */

int fpa_card_eid(struct fpa_card *c, struct eid *out, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;

    es10f_put_get_eid(request(c));
    if (ask(c, "reading the EID", &raw, e) != 0)
        return -1;
    if (es10f_read_eid(buf_span(&raw), out, e) != 0)
        return nonsense(e, "reading the EID");
    return 0;
}

int fpa_card_info2(struct fpa_card *c, struct buf *raw,
                   struct euicc_info2 *out, struct err *e)
{
    es10f_put_info2(request(c));
    if (ask(c, "reading EUICCInfo2", raw, e) != 0)
        return -1;
    if (es10f_read_info2(buf_span(raw), out, e) != 0)
        return nonsense(e, "reading EUICCInfo2");
    c->kind = out->kind;
    return 0;
}

int fpa_card_certs(struct fpa_card *c, struct buf *euicc, struct buf *eum,
                   struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;

    es10f_put_get_certs(request(c));
    if (ask(c, "reading the certificates", &raw, e) != 0)
        return -1;
    if (es10f_read_certs(buf_span(&raw), euicc, eum, e) != 0)
        return nonsense(e, "reading the certificates");
    return 0;
}

int fpa_card_status(struct fpa_card *c, struct buf *raw,
                    struct ifpp_status *out, struct err *e)
{
    uint8_t nonce[ES10F_NONCE];

    if (fresh_nonce(nonce, e) != 0)
        return -1;
    es10f_put_status(request(c), nonce);
    if (ask(c, "reading the IFPP status", raw, e) != 0)
        return -1;
    if (es10f_read_status(buf_span(raw), out, e) != 0)
        return nonsense(e, "reading the IFPP status");
    return 0;
}

int fpa_card_profiles(struct fpa_card *c, struct fpa_profiles *out,
                      struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;

    es10f_put_profiles_info(request(c));
    if (ask(c, "reading the profiles", &raw, e) != 0)
        return -1;
    if (es10f_read_profiles_info(buf_span(&raw), out->v, FPA_PROFILES_MAX,
                                 &out->n, e) != 0)
        return nonsense(e, "reading the profiles");
    return 0;
}

const struct profile_info *fpa_profiles_find(const struct fpa_profiles *p,
                                             const struct iccid *iccid)
{
    for (size_t i = 0; i < p->n; i++)
        if (memcmp(p->v[i].iccid.o, iccid->o, sizeof iccid->o) == 0)
            return &p->v[i];
    return NULL;
}

/* --- authorisation ------------------------------------------------------- */

int fpa_card_authorise(struct fpa_card *c, const struct txid *t,
                       struct span chain_der, unsigned *result, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    unsigned ignored, *r = result ? result : &ignored;

    *r = 0;
    es10f_put_authorise(request(c), t, chain_der);
    if (ask(c, "authorising the SM-DPf", &raw, e) != 0)
        return -1;
    if (es10f_read_result(buf_span(&raw), TAG_AUTHORISE_SMDPF, r, e) != 0)
        return nonsense(e, "authorising the SM-DPf");
    if (*r != 0)
        return err_set(e, ERR_CARD,
                       "the card does not accept this SM-DPf: %s (%u); check "
                       "that bundle and card trust the same CI",
                       es10f_download_error(*r), *r);
    return 0;
}

/* --- acts ---------------------------------------------------------------- */

static const struct act {
    const char *name;
    uint32_t tag[2];    /* by enum info2_kind; 0: no such act */
    bool wants_profile; /* it must be there before            */
} acts[FPA_ACTS] = {
    [FPA_ENABLE] = { "enable",
                     { [INFO2_CONSUMER] = TAG_ENABLE, [INFO2_IOT] = TAG_ENABLE_IOT },
                     true },
    [FPA_DISABLE] = { "disable", { [INFO2_CONSUMER] = TAG_DISABLE }, true },
    [FPA_DELETE] = { "delete", { [INFO2_CONSUMER] = TAG_DELETE }, false },
};

const char *fpa_act_name(enum fpa_act a)
{
    return acts[a].name;
}

uint32_t fpa_act_tag(enum fpa_act a, enum info2_kind k)
{
    return acts[a].tag[k];
}

bool fpa_act_names_profile(enum fpa_act a, enum info2_kind k)
{
    uint32_t tag = fpa_act_tag(a, k);

    return tag != 0 && tag != TAG_ENABLE_IOT;
}

/* SGP.32 ImmediateEnable names no profile: the card takes the one it has just
 * installed. */
static void act_put(struct buf *b, uint32_t tag, const struct iccid *iccid)
{
    if (tag == TAG_ENABLE_IOT)
        es10f_put_enable_iot(b, false);
    else
        es10f_put_profile_act(b, tag, iccid, false);
}

static const char *act_error(uint32_t tag, unsigned result)
{
    /* SGP.22 EnableProfileResponse, DisableProfileResponse,
     * DeleteProfileResponse share these numbers. */
    static const char *const texts[] = {
        [1] = "no profile of that ICCID on the card",
        [2] = "the profile is not in the state this act starts from",
        [3] = "a policy rule of the profile forbids it",
        [4] = "that profile may not be enabled again",
        [5] = "the card is busy; scan the unit again",
    };

    if (tag == TAG_ENABLE_IOT)
        return "this card enables only what was loaded since it was powered on";
    if (result < sizeof texts / sizeof *texts && texts[result])
        return texts[result];
    return "an error the card does not explain; scan the unit again";
}

static bool act_holds(enum fpa_act a, const struct profile_info *p)
{
    switch (a) {
    case FPA_ENABLE:
        return p && p->enabled;
    case FPA_DISABLE:
        return p && !p->enabled;
    default:
        return !p;
    }
}

static int act_send(struct fpa_card *c, enum fpa_act a,
                    const struct iccid *iccid, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    const char *name = acts[a].name;
    uint32_t tag = fpa_act_tag(a, c->kind);
    unsigned result = 0;

    act_put(request(c), tag, iccid);
    if (ask(c, name, &raw, e) != 0)
        return -1;
    if (es10f_read_result(buf_span(&raw), tag, &result, e) != 0)
        return nonsense(e, name);
    if (result != 0)
        return err_set(e, ERR_CARD, "%s: %s (%u)", name,
                       act_error(tag, result), result);
    return 0;
}

int fpa_card_act(struct fpa_card *c, enum fpa_act a, const struct iccid *iccid,
                 struct err *e)
{
    struct fpa_profiles profiles;
    char digits[ICCID_DIGITS + 1];

    if (fpa_act_tag(a, c->kind) == 0)
        return err_set(e, ERR_WRONG_STATE,
                       "an eUICC of this kind has no act \"%s\"; take it out "
                       "of the recipe",
                       acts[a].name);
    if (fpa_card_profiles(c, &profiles, e) != 0)
        return -1;
    const struct profile_info *p = fpa_profiles_find(&profiles, iccid);
    if (act_holds(a, p))
        return 0;
    if (!p && acts[a].wants_profile)
        return err_set(e, ERR_CARD, "%s: no profile %s on the card; scan the "
                                    "unit again, and quarantine it if this stays",
                       acts[a].name, iccid_format(iccid, digits));
    if (act_send(c, a, iccid, e) != 0 || fpa_card_profiles(c, &profiles, e) != 0)
        return -1;
    if (!act_holds(a, fpa_profiles_find(&profiles, iccid)))
        return err_set(e, ERR_CARD, "%s: the card says done, but its list of "
                                    "profiles does not show it; replace the card",
                       acts[a].name);
    return 0;
}

/* --- notifications ------------------------------------------------------- */

/* BF2F { 80 seq, 81 operation, ... }: the rest is evidence.h's. */
static int read_pending(struct span *list, struct fpa_pending *out)
{
    struct tlv meta, seq, op;

    if (der_take(list, TAG_NOTIFICATION_METADATA, &meta) != 0 ||
        der_take(&meta.value, TAG_SEQ, &seq) != 0 ||
        der_uint(seq.value, &out->seq) != 0 ||
        der_take(&meta.value, TAG_OPERATION, &op) != 0 || op.value.n == 0)
        return -1;
    /* A BIT STRING: the count of unused bits, then the bits, if any. */
    out->op = op.value.n > 1 ? op.value.p[1] : 0;
    return 0;
}

static int read_pending_list(struct span in, struct fpa_pending *out,
                             size_t max, size_t *n, struct err *e)
{
    struct tlv all, list;

    if (der_take(&in, TAG_LIST_NOTIFICATION, &all) != 0 || in.n != 0 ||
        der_take(&all.value, TAG_LIST, &list) != 0 || all.value.n != 0)
        return err_set(e, ERR_FORMAT, "no list of notifications");
    for (*n = 0; list.value.n > 0; (*n)++) {
        if (*n == max)
            return err_set(e, ERR_LIMIT, "more than %zu notifications wait on "
                                         "the card",
                           max);
        if (read_pending(&list.value, &out[*n]) != 0)
            return err_set(e, ERR_FORMAT, "notification %zu is malformed", *n);
    }
    return 0;
}

int fpa_card_list_notifications(struct fpa_card *c, struct fpa_pending *out,
                                size_t max, size_t *n, struct err *e)
{
    AUTO(buf_clear) struct buf raw = BUF_INIT;

    *n = 0;
    es10f_put_list_notifications(request(c));
    if (ask(c, "listing notifications", &raw, e) != 0)
        return -1;
    if (read_pending_list(buf_span(&raw), out, max, n, e) != 0)
        return nonsense(e, "listing notifications");
    return 0;
}

int fpa_card_notifications(struct fpa_card *c, const uint64_t *seq,
                           struct buf *raw, struct span *list, struct err *e)
{
    es10f_put_retrieve_notification(request(c), seq);
    if (ask(c, "fetching notifications", raw, e) != 0)
        return -1;
    if (es10f_read_notifications(buf_span(raw), list, e) != 0)
        return nonsense(e, "fetching notifications");
    return 0;
}

int fpa_card_remove_notification(struct fpa_card *c, uint64_t seq,
                                 struct err *e)
{
    enum { DELETED = 0, NOTHING_TO_DELETE = 1 }; /* SGP.22 5.7.11 */
    AUTO(buf_clear) struct buf raw = BUF_INIT;
    unsigned status = 0;

    es10f_put_remove_notification(request(c), seq);
    if (ask(c, "removing a notification", &raw, e) != 0)
        return -1;
    if (es10f_read_result(buf_span(&raw), TAG_REMOVE_NOTIFICATION, &status,
                          e) != 0)
        return nonsense(e, "removing a notification");
    if (status != DELETED && status != NOTHING_TO_DELETE)
        return err_set(e, ERR_CARD, "removing notification %llu: the card "
                                    "answers error %u; scan the unit again",
                       (unsigned long long)seq, status);
    return 0;
}

/* --- the end of production ----------------------------------------------- */

static int receipt_act(struct fpa_card *c, uint32_t tag, const char *what,
                       EVP_PKEY *euicc, const struct eid *eid, struct buf *raw,
                       struct receipt *out, struct err *e)
{
    uint8_t nonce[ES10F_NONCE];
    struct span receipt;
    unsigned error = 0;

    if (fresh_nonce(nonce, e) != 0)
        return -1;
    es10f_put_receipt_act(request(c), tag, nonce);
    if (ask(c, what, raw, e) != 0)
        return -1;
    if (es10f_read_receipt_act(buf_span(raw), tag, &receipt, &error, e) != 0)
        return nonsense(e, what);
    if (error == IFPP_ERROR_KEYS_REMAIN)
        return err_set(e, ERR_CARD, "%s: one-time keys remain on the card; "
                                    "delete them first",
                       what);
    if (error != 0)
        return err_set(e, ERR_CARD, "%s: the card answers error %u; scan the "
                                    "unit again",
                       what, error);
    if (receipt_parse(receipt, out, e) != 0)
        return nonsense(e, what);
    /* The function is the tag's low octet: 72 or 73. */
    if (receipt_verify(out, euicc, eid, (uint8_t)tag, nonce, e) != 0)
        return err_wrap(e, "%s", what);
    return 0;
}

int fpa_card_delete_keys(struct fpa_card *c, EVP_PKEY *euicc,
                         const struct eid *eid, struct buf *raw,
                         struct receipt *out, struct err *e)
{
    return receipt_act(c, TAG_DELETE_OTK, "deleting one-time keys", euicc, eid,
                       raw, out, e);
}

int fpa_card_close_services(struct fpa_card *c, EVP_PKEY *euicc,
                            const struct eid *eid, struct buf *raw,
                            struct receipt *out, struct err *e)
{
    return receipt_act(c, TAG_CLOSE_FPA, "closing the factory services", euicc,
                       eid, raw, out, e);
}
