#include "station/show/station.h"

#include "station/base/clock.h"
#include "station/ifpp/cert.h"
#include "station/show/clock.h"
#include "storage/station.h"

#define DAY_S 86400

static bool not_after(struct span der, int64_t *out)
{
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;
    struct err unread = ERR_INIT;
    struct tm tm;

    if (cert_chain_decode(der, &chain, &unread) != 0 ||
        ASN1_TIME_to_tm(X509_get0_notAfter(sk_X509_value(chain, 0)), &tm) != 1)
        return false;
    *out = (int64_t)timegm(&tm);
    return true;
}

/* One that cannot be read is the doctor's to tell of. */
static json_t *certificate(const struct station *s, int64_t now)
{
    char at[GTIME_LEN + 1];
    int64_t until = 0;

    if (!s->commissioned)
        return json_null();
    json_t *j = json_pack("{s:I, s:n, s:n}", "sequence", (json_int_t)s->cert_sequence,
                          "notAfter", "daysLeft");
    if (!j || !not_after(buf_span(&s->chain), &until))
        return j;
    json_object_set_new(j, "notAfter", json_string(gtime_format(until, at)));
    json_object_set_new(j, "daysLeft",
                        json_integer(until > now ? (until - now) / DAY_S : 0));
    return j;
}

static int tell(struct db *db, const struct station *s, json_t **out, struct err *e)
{
    struct ledger_clock clock;
    json_t *smdps;
    int schema;

    if (schema_version(db, &schema, e) != 0 || ledger_clock(db, &clock, e) != 0)
        return -1;
    smdps = json_array();
    for (size_t i = 0; i < s->allowed_smdp_count; i++)
        json_array_append_new(smdps, json_string(s->allowed_smdp[i]));
    *out = json_pack("{s:s, s:s, s:b, s:o, s:o, s:i, s:I, s:o}", "station", s->id,
                     "site", s->site, "commissioned", s->commissioned, "certificate",
                     certificate(s, clock.now), "smdps", smdps, "schema", schema, "epoch",
                     (json_int_t)s->epoch, "clock",
                     show_clock(&clock, clock_system(), false));
    return *out ? 0 : err_set(e, ERR_NOMEM, "no memory for an answer; ask again");
}

int show_station(struct db *db, json_t **out, struct err *e)
{
    struct station s;

    station_init_empty(&s);
    int bad = station_get(db, &s, e) != 0 || tell(db, &s, out, e) != 0;
    station_clear(&s);
    return bad ? -1 : 0;
}
