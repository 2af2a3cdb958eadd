#include "station/import/accept.h"

#include "station/base/clock.h"

#include <openssl/evp.h>
#include <string.h>

static bool has_text(const struct recipients *r, const char *text)
{
    if (!*text)
        return false;
    for (size_t i = 0; i < r->list.n; i++)
        if (span_eq(buf_span(&r->list.v[i]), SPAN_STR(text)))
            return true;
    return false;
}

static bool for_us(const struct manifest *m, const struct station *s)
{
    const struct recipients *r = &m->recipients;

    switch (r->kind) {
    case RCPT_STATIONS:
        for (size_t i = 0; i < r->list.n; i++)
            if (span_eq(buf_span(&r->list.v[i]), SPAN_ARRAY(s->key_id)))
                return true;
        return false;
    case RCPT_SITE:
        return has_text(r, s->site);
    case RCPT_PARTIES:
        /* eUICC data is addressed to SM-DPfs and may travel through the
         * Device Manufacturer (Esed2): ours to read when one of them is one
         * that we take bundles from. */
        if (has_text(r, s->id))
            return true;
        if (m->kind == KIND_EUICC_DATA)
            for (size_t i = 0; i < s->allowed_smdp_count; i++)
                if (has_text(r, s->allowed_smdp[i]))
                    return true;
        return false;
    }
    return false;
}

int accept_manifest(const struct manifest *m, const struct station *s,
                    const struct ledger_clock *clock, struct err *e)
{
    char when[24], now[24], kid[65];

    if (!for_us(m, s))
        return err_set(e, ERR_TRUST,
                       "this %s is for another station, not for %s (key id "
                       "%s); ask its issuer %s for one that names this station",
                       kind_name(m->kind), s->id,
                       hex_encode(SPAN_ARRAY(s->key_id), kid, sizeof kid),
                       m->issuer);
    clock_text(clock->now, now);
    if (m->not_after < clock->now)
        return err_set(e, ERR_EXPIRED,
                       "this %s was to be imported by %s, and it is %s; ask "
                       "its issuer %s for a new one",
                       kind_name(m->kind), clock_text(m->not_after, when), now,
                       m->issuer);
    if (clock->confirmed && m->created_at > clock->now + ACCEPT_AHEAD_S)
        return err_set(e, ERR_EXPIRED,
                       "this %s says it was made on %s, and here it is %s; "
                       "set the station's clock, or ask its issuer %s",
                       kind_name(m->kind), clock_text(m->created_at, when), now,
                       m->issuer);
    return 0;
}

void accept_recipients_hash(const struct recipients *r, uint8_t out[32])
{
    AUTO(buf_clear) struct buf b = BUF_INIT;

    buf_put_u8(&b, (uint8_t)r->kind);
    for (size_t i = 0; i < r->list.n; i++) {
        buf_put_u32(&b, (uint32_t)r->list.v[i].n);
        buf_put_span(&b, buf_span(&r->list.v[i]));
    }
    EVP_Digest(b.p, b.n, out, NULL, EVP_sha256(), NULL);
}
