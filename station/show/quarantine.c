#include "station/show/quarantine.h"

#include "station/base/clock.h"

static json_t *unit_json(const struct held_unit *u)
{
    char eid[EID_DIGITS + 1], since[GTIME_LEN + 1];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:s}",
                     "serial", u->p.serial, "position", u->p.name, "eid",
                     eid_format(&u->p.eid, eid), "state",
                     u->resolving ? "resolving" : "quarantined", "code",
                     u->p.last_code, "reason", u->reason, "since",
                     gtime_format(u->since, since), "fixture", u->fixture,
                     "event", (json_int_t)u->event, "evidence", u->evidence);
}

static json_t *bpp_json(const struct held_bpp *b)
{
    char txid[TXID_HEX + 1], eid[EID_DIGITS + 1], iccid[ICCID_DIGITS + 1];
    char since[GTIME_LEN + 1];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I}",
                     "transactionId", txid_format(&b->b.txid, txid), "eid",
                     eid_format(&b->b.eid, eid), "iccid",
                     iccid_format(&b->b.iccid, iccid), "bundle", b->b.bundle,
                     "serial", b->serial, "reason", b->reason, "since",
                     gtime_format(b->since, since), "fixture", b->b.fixture,
                     "event", (json_int_t)b->b.event);
}

json_t *show_quarantine(const struct quarantine *q)
{
    json_t *units = json_array(), *bpps = json_array();

    for (size_t i = 0; i < q->unit_count; i++)
        json_array_append_new(units, unit_json(&q->units[i]));
    for (size_t i = 0; i < q->bpp_count; i++)
        json_array_append_new(bpps, bpp_json(&q->bpps[i]));
    return json_pack("{s:i, s:o, s:o, s:I, s:b}", "limit", (int)q->limit, "units",
                     units, "bpps", bpps, "stranded", (json_int_t)q->stranded, "more",
                     q->more);
}
