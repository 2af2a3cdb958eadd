#include "station/fpa/load.h"

static const char *const outcome_names[LOAD_OUTCOMES] = {
    [LOAD_NOT_STARTED] = "not started", [LOAD_INSTALLED] = "installed",
    [LOAD_FAILED] = "failed",           [LOAD_REFUSED] = "refused",
    [LOAD_INTERRUPTED] = "interrupted",
};

const char *load_outcome_name(enum load_outcome o)
{
    return outcome_names[o];
}

void load_result_clear(struct load_result *r)
{
    buf_clear(&r->bf37);
    *r = (struct load_result)LOAD_RESULT_INIT;
}

/* The card has spoken: is it evidence? Whatever else it may be, it ends the
 * load, and only the card's own records can then tell (doubt.h). */
static int judge(const struct load_job *job, struct load_result *r,
                 struct err *e)
{
    r->outcome = LOAD_INTERRUPTED;
    if (install_result_parse(buf_span(&r->bf37), &r->ir, e) != 0) {
        if (e && e->code == ERR_FORMAT)
            e->code = ERR_CARD;
        return err_wrap(e, "the card answers the load with something that is "
                           "no Profile Installation Result");
    }
    if (install_result_verify(&r->ir, job->euicc, &job->bpp->txid, e) != 0)
        return err_wrap(e, "the card's Profile Installation Result proves "
                           "nothing; set the unit aside");
    r->outcome = r->ir.installed ? LOAD_INSTALLED : LOAD_FAILED;
    return 0;
}

static int send_chain(struct apdu *a, struct span chain, struct load_result *r,
                      struct err *e)
{
    uint64_t before = apdu_counters(a)->apdus;
    int rc = apdu_chain(a, chain, &r->bf37, &r->sw, e);
    uint64_t sent = apdu_counters(a)->apdus - before;

    r->apdus += sent;
    if (sent > 0)
        r->es8f_sent = true;
    if (rc == 0)
        return 0;
    buf_reset(&r->bf37);
    if (apdu_alive(a)) /* a plain status word: the card is still with us */
        r->outcome = LOAD_REFUSED;
    else if (r->es8f_sent)
        r->outcome = LOAD_INTERRUPTED;
    return -1;
}

static int send_all(struct apdu *a, const struct load_job *job,
                    struct load_result *r, struct err *e)
{
    struct bpp_chains it;
    struct span chain;
    unsigned number = 0;

    bpp_chains_start(&it, job->bpp);
    while (bpp_chains_next(&it, &chain)) {
        number++;
        if (send_chain(a, chain, r, e) != 0)
            return err_wrap(e, "loading, chain %u", number);
        if (r->bf37.n > 0)
            return judge(job, r, e);
    }
    r->outcome = LOAD_REFUSED;
    return err_set(e, ERR_CARD, "the card took the whole profile package and "
                                "gave no Profile Installation Result; scan "
                                "the unit again, its records will tell");
}

int load_bpp(struct fpa_card *c, const struct load_job *job,
             struct load_result *out, struct err *e)
{
    int rc;

    *out = (struct load_result)LOAD_RESULT_INIT;
    if (job->before_first_octet && job->before_first_octet(job->ctx, e) != 0)
        return -1;
    rc = send_all(fpa_card_apdu(c), job, out, e);
    if (rc != 0) { /* what is in there proves nothing */
        buf_clear(&out->bf37);
        out->ir = (struct install_result){ 0 };
    }
    return rc;
}
