/* Rows of evidence, and the names an act carries into events. */
#include "storage/inner.h"

int place_of(struct db *db, const struct act *a, struct place *out,
             struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *out = (struct place){ .known = false };
    if (a->position == 0)
        return 0;
    if (q_open(&q, db, "SELECT u.serial, p.name, p.eid, p.imei FROM position p"
               " JOIN unit u USING(unit) WHERE p.position = ?", e) != 0)
        return -1;
    q_int(&q, a->position);
    int row = q_step(&q, e);
    if (row < 0)
        return -1;
    if (!row)
        return err_set(e, ERR_NOT_FOUND, "the ledger has no position %lld",
                       (long long)a->position);
    q_get_string(&q, 0, out->serial, sizeof out->serial);
    q_get_string(&q, 1, out->name, sizeof out->name);
    q_get_fixed(&q, 2, out->eid.o, sizeof out->eid.o);
    q_get_string(&q, 3, out->imei, sizeof out->imei);
    out->known = true;
    return 0;
}

void place_fields(struct fields *f, const struct place *p, const struct act *a)
{
    if (p->serial[0])
        fields_add(f, "serial", p->serial);
    if (p->name[0])
        fields_add(f, "position", p->name);
    act_fields(f, a);
}

void act_fields(struct fields *f, const struct act *a)
{
    if (a->fixture && a->fixture[0])
        fields_add(f, "fixture", a->fixture);
    if (a->second)
        fields_add(f, "second", a->second);
}

static struct span octets_of(const void *p, size_t n)
{
    return p ? SPAN(p, n) : SPAN(NULL, 0);
}

int evidence_put(struct tx *tx, const struct evidence_row *r, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO evidence(event, kind, bpp, position,"
               " eid, txid, iccid, octets, state, op, function, seq, serial,"
               " position_name, fixture, started_at, finished_at, code, detail,"
               " imei) VALUES(?,?,?,?, ?,?,?,?, ?,?,?,?, ?,?,?, ?,?, ?,?, ?)", e) != 0)
        return -1;
    q_int(&q, (int64_t)r->event);
    q_int(&q, r->kind);
    q_int_or_null(&q, r->bpp);
    q_int_or_null(&q, r->act->position);
    q_octets_or_null(&q, octets_of(r->eid, sizeof r->eid->o));
    q_octets_or_null(&q, octets_of(r->txid, sizeof r->txid->o));
    q_octets_or_null(&q, octets_of(r->iccid, sizeof r->iccid->o));
    q_octets_or_null(&q, r->octets);
    q_int_or_null(&q, r->state);
    q_int_or_null(&q, r->op);
    q_int_or_null(&q, r->function);
    if (r->seq < 0)
        q_text(&q, NULL);
    else
        q_int(&q, r->seq);
    q_text(&q, r->place->serial[0] ? r->place->serial : NULL);
    q_text(&q, r->place->name[0] ? r->place->name : NULL);
    q_text(&q, r->act->fixture);
    q_int(&q, r->started_at);
    q_int(&q, r->finished_at);
    q_text(&q, r->code);
    q_text(&q, r->detail);
    q_text(&q, r->place->imei[0] ? r->place->imei : NULL);
    return q_run(&q, e);
}

/* Octets of the well-formed character at p (of at most n), 0 if it is none. */
static size_t character(const char *p, size_t n)
{
    for (size_t len = 1; len <= 4 && len <= n; len++)
        if (event_text_ok(SPAN(p, len)))
            return len;
    return 0;
}

void text_plain(const char *in, char *out, size_t max)
{
    size_t left = strlen(in), o = 0;

    while (left) {
        size_t n = character(in, left);
        if (o + (n ? n : 1) > max)
            break;
        if (n)
            memcpy(out + o, in, n);
        else
            out[o] = '?';
        o += n ? n : 1;
        in += n ? n : 1;
        left -= n ? n : 1;
    }
    out[o] = '\0';
}
