#include "station/show/stock.h"

int show_stock_read(struct db *db, const char *data_dir, unsigned warn_hours,
                    struct show_stock *out, struct err *e)
{
    *out = (struct show_stock){ .adds_up = false };
    if (query_overview(db, &out->o, e) != 0 ||
        report_waiting(db, data_dir, &out->waiting, e) != 0)
        return -1;
    out->adds_up = stock_balance_ok(&out->o.total);
    for (size_t i = 0; i < out->o.bundles.n; i++)
        out->adds_up = out->adds_up && stock_balance_ok(&out->o.bundles.v[i].b);
    out->forecast = stock_forecast(&out->o.total, &out->o.pace, warn_hours);
    return 0;
}

void show_stock_clear(struct show_stock *k)
{
    stock_overview_clear(&k->o);
    report_list_clear(&k->waiting);
}

static json_t *parts_json(uint64_t v)
{
    return v == FORECAST_UNKNOWN ? json_null() : json_real((double)v / FORECAST_PARTS);
}

json_t *show_forecast(const struct stock_forecast *f)
{
    return json_pack("{s:I, s:o, s:o, s:o, s:I, s:b}", "left",
                     (json_int_t)f->left, "unitsPerHour",
                     parts_json(f->units_per_hour), "bppsPerHour",
                     parts_json(f->bpps_per_hour), "hoursLeft",
                     parts_json(f->hours_left), "warnHours",
                     (json_int_t)f->warn_hours, "low", (int)f->low);
}

json_t *show_unacknowledged(const struct reports_open *r)
{
    return json_pack("{s:I, s:o}", "reports", (json_int_t)r->reports, "since",
                     r->reports ? json_integer((json_int_t)r->since) : json_null());
}

static json_t *balance_json(const struct stock_balance *b)
{
    json_t *j = json_pack("{s:I}", "received", (json_int_t)b->received);

    for (int s = 0; s < BPP_STATES; s++)
        json_object_set_new(j, bpp_state_name((enum bpp_state)s),
                            json_integer((json_int_t)b->by_state[s]));
    json_object_set_new(j, "deleted", json_integer((json_int_t)b->deleted));
    return j;
}

static json_t *waiting_json(const struct report_list *l)
{
    json_t *a = json_array();

    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(a, json_pack("{s:s, s:s, s:I}", "kind",
                                           report_kind(l->v[i].kind), "id",
                                           l->v[i].id, "sequence",
                                           (json_int_t)l->v[i].sequence));
    return a;
}

json_t *show_stock(const struct show_stock *k)
{
    const struct stock_overview *o = &k->o;
    json_t *bundles = json_array(), *unresolved = json_array();
    json_t *gaps = json_array();
    char txid[TXID_HEX + 1], eid[EID_DIGITS + 1], sha[65];

    for (size_t i = 0; i < o->bundles.n; i++) {
        const struct bundle_balance *b = &o->bundles.v[i];
        json_t *j = balance_json(&b->b);
        json_object_set_new(j, "id", json_string(b->id));
        json_object_set_new(j, "smdp", json_string(b->smdp_oid));
        json_object_set_new(j, "sequence", json_integer((json_int_t)b->sequence));
        json_object_set_new(j, "manifestSha256",
                            json_string(hex_encode(SPAN_ARRAY(b->manifest_sha256),
                                                   sha, sizeof sha)));
        json_object_set_new(j, "unexported",
                            json_integer((json_int_t)b->unexported));
        json_array_append_new(bundles, j);
    }
    for (size_t i = 0; i < o->unresolved.n; i++) {
        const struct bpp_info *b = &o->unresolved.v[i];
        json_array_append_new(
            unresolved, json_pack("{s:s, s:s, s:s}", "eid",
                                  eid_format(&b->eid, eid), "transactionId",
                                  txid_format(&b->txid, txid), "fixture",
                                  b->fixture));
    }
    for (size_t i = 0; i < o->gaps.n; i++)
        json_array_append_new(gaps, json_pack("{s:s, s:I, s:I}", "issuer",
                                              o->gaps.v[i].issuer, "first",
                                              (json_int_t)o->gaps.v[i].first,
                                              "last",
                                              (json_int_t)o->gaps.v[i].last));
    return json_pack(
        "{s:o, s:o, s:b, s:o, s:o, s:{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I},"
        " s:o, s:o, s:b, s:o, s:b}",
        "total", balance_json(&o->total), "bundles", bundles, "addsUp", k->adds_up,
        "unresolved", unresolved, "gaps", gaps, "notExported", "evidence",
        (json_int_t)o->pending.evidence, "results",
        (json_int_t)o->pending.results, "failures",
        (json_int_t)o->pending.failures, "receipts",
        (json_int_t)o->pending.receipts, "deletions",
        (json_int_t)o->pending.deletions, "quarantined",
        (json_int_t)o->pending.quarantined, "voided",
        (json_int_t)o->pending.voided, "events",
        (json_int_t)o->pending.events, "notAcknowledged",
        show_unacknowledged(&o->unacknowledged), "notDelivered",
        waiting_json(&k->waiting),
        "clockConfirmed", o->clock.confirmed, "forecast",
        show_forecast(&k->forecast), "more", k->more);
}
