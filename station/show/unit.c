#include "station/show/unit.h"

#include "station/base/clock.h"
#include "station/show/event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is asked for ------------------------------------------------------ */

/* All that one barcode or one copied number may mean. */
struct readings {
    struct life_key v[5];
    size_t n;
    struct life_subject unregistered; /* for what only events tell of */
};

/* Nothing of it is repeated: it may be made to spoil a terminal. */
static int what_check(const char *what, struct err *e)
{
    size_t n = strlen(what);

    if (n == 0)
        return err_set(e, ERR_USAGE, "nothing is asked for: give a serial, an "
                       "EID, an ICCID or a transaction id");
    if (n > UNIT_SERIAL_MAX)
        return err_set(e, ERR_USAGE, "this is longer than any serial, EID, "
                       "ICCID or transaction id: at most %d octets",
                       UNIT_SERIAL_MAX);
    if (!event_text_ok(SPAN(what, n)))
        return err_set(e, ERR_USAGE, "this is not plain text: no serial, EID, "
                       "ICCID or transaction id has control characters; scan "
                       "or type it again");
    return 0;
}

static bool txid_parse(const char *what, struct txid *out)
{
    return strlen(what) == TXID_HEX &&
           hex_decode(what, out->o, sizeof out->o) == 0;
}

static bool wanted(enum show_unit_by only, enum show_unit_by reading)
{
    return only == SHOW_UNIT_ANY || only == reading;
}

static int readings_make(enum show_unit_by only, const char *what,
                         struct readings *r, struct err *e)
{
    struct life_key k = { .serial = what };

    *r = (struct readings){ .n = 0 };
    if (wanted(only, SHOW_UNIT_SERIAL)) {
        k.by = LIFE_SERIAL;
        r->v[r->n++] = k;
        snprintf(r->unregistered.serial, sizeof r->unregistered.serial, "%s",
                 what);
    }
    if (wanted(only, SHOW_UNIT_EID) && eid_parse(what, &k.eid) == 0) {
        k.by = LIFE_EID;
        r->v[r->n++] = k;
        r->unregistered.has_eid = true;
        r->unregistered.eid = k.eid;
    }
    if (wanted(only, SHOW_UNIT_ICCID) && iccid_parse(what, &k.iccid) == 0) {
        k.by = LIFE_ICCID;
        r->v[r->n++] = k;
    }
    if (wanted(only, SHOW_UNIT_TXID) && txid_parse(what, &k.txid)) {
        k.by = LIFE_TXID;
        r->v[r->n++] = k;
    }
    if (wanted(only, SHOW_UNIT_IMEI) && imei_digits(what, k.imei) &&
        imei_valid(SPAN(k.imei, IMEI_DIGITS))) {
        k.by = LIFE_IMEI;
        r->v[r->n++] = k;
    }
    if (r->n)
        return 0;
    return err_set(e, ERR_USAGE, "this is no %s", only == SHOW_UNIT_IMEI
                   ? "IMEI: 15 digits, the last of which is a check"
                   : only == SHOW_UNIT_EID
                   ? "EID: 32 digits, the last two of which are a check"
                   : only == SHOW_UNIT_ICCID
                   ? "ICCID: 19 or 20 digits, the last of which is a check"
                   : "transaction id: 32 hexadecimal digits");
}

/* --- the answer --------------------------------------------------------------- */

struct question {
    const struct readings *r;
    struct show_units *a;
};

/* Only events tell of what was refused before it could be registered. */
static int ask_events(struct db *db, struct question *q, struct err *e)
{
    const struct life_subject *s = &q->r->unregistered;

    if (!s->serial[0] && !s->has_eid)
        return err_set(e, ERR_NOT_FOUND, "the ledger knows nothing of it");
    q->a->v = calloc(1, sizeof *q->a->v);
    if (!q->a->v)
        return err_set(e, ERR_NOMEM, "no memory for an answer");
    if (life_read(db, s, &q->a->v[0], e) != 0)
        return -1;
    q->a->n = 1;
    return 0;
}

static int ask(struct db *db, void *ctx, struct err *e)
{
    AUTO(life_subjects_clear) struct life_subjects who = { NULL, 0 };
    struct question *q = ctx;

    for (size_t i = 0; i < q->r->n; i++)
        if (life_find(db, &q->r->v[i], &who, e) != 0)
            return -1;
    if (who.n == 0)
        return ask_events(db, q, e);
    q->a->v = calloc(who.n, sizeof *q->a->v);
    if (!q->a->v)
        return err_set(e, ERR_NOMEM, "no memory for an answer");
    for (; q->a->n < who.n; q->a->n++)
        if (life_read(db, &who.v[q->a->n], &q->a->v[q->a->n], e) != 0)
            return -1;
    return 0;
}

int show_unit_find(struct db *db, enum show_unit_by only, const char *what,
                   struct show_units *out, struct err *e)
{
    struct question q = { .a = out };
    struct readings r;

    *out = (struct show_units){ NULL, 0 };
    if (what_check(what, e) != 0 || readings_make(only, what, &r, e) != 0)
        return -1;
    q.r = &r;
    if (db_snapshot(db, ask, &q, e) == 0)
        return 0;
    show_units_clear(out);
    if (e->code != ERR_NOT_FOUND)
        return -1;
    struct err why = *e;
    return err_set(e, ERR_NOT_FOUND, "%s: %s; check what was typed or scanned, and "
                   "whether its bundle was imported here", what, why.msg);
}

void show_units_clear(struct show_units *u)
{
    for (size_t i = 0; i < u->n; i++)
        life_clear(&u->v[i]);
    free(u->v);
    *u = (struct show_units){ NULL, 0 };
}

/* --- in JSON ------------------------------------------------------------------ */

/* Not known: null, so that every object has the same names. */
static json_t *time_json(int64_t t)
{
    char at[GTIME_LEN + 1];

    return t ? json_string(gtime_format(t, at)) : json_null();
}

static json_t *text_json(const char *s)
{
    return s && *s ? json_string(s) : json_null();
}

/* The verdict whose code the position keeps. */
const struct verdict_row *show_unit_verdict(const char *code)
{
    for (int v = 0; v < VERDICTS; v++)
        if (strcmp(verdict_row((enum verdict)v)->code, code) == 0)
            return verdict_row((enum verdict)v);
    return NULL;
}

static json_t *failure_json(const struct life *l, const struct life_euicc *u)
{
    const char *code = u->position.last_code;
    const struct verdict_row *row = show_unit_verdict(code);

    if (!*code)
        return json_null();
    return json_pack("{s:s, s:o, s:o, s:o}", "code", code, "cause",
                     text_json(row ? row->cause : NULL), "next",
                     text_json(row ? row->next : NULL), "detail",
                     text_json(life_failure_words(l, u)));
}

static json_t *bpp_json(const struct life_bpp *p)
{
    const struct bpp_info *b = &p->b;
    char txid[TXID_HEX + 1], iccid[ICCID_DIGITS + 1];

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:b, s:o,"
                     " s:o}",
                     "iccid", iccid_format(&b->iccid, iccid), "transactionId",
                     txid_format(&b->txid, txid), "name", b->name, "provider",
                     b->provider, "smdp", b->smdp_oid, "bundle", b->bundle,
                     "state", bpp_state_name(b->state), "attempts",
                     (json_int_t)b->attempts, "installedAt",
                     time_json(p->installed_at), "deleted", b->deleted,
                     "deletedAt", time_json(p->deleted_at), "fixture",
                     text_json(b->fixture));
}

static json_t *euicc_json(const struct life *l, const struct life_euicc *u)
{
    const struct position *p = &u->position;
    char eid[EID_DIGITS + 1];
    json_t *bpps = json_array();

    for (size_t i = 0; i < u->bpp_count; i++)
        json_array_append_new(bpps, bpp_json(&u->bpps[i]));
    return json_pack(
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "position",
        text_json(p->name), "eid", eid_format(&p->eid, eid), "imei",
        text_json(p->imei), "kind",
        u->registered ? json_string(euicc_kind_name(p->kind)) : json_null(),
        "state", u->registered ? json_string(position_state_name(p->state))
                               : json_null(),
        "keysLeft", p->keys_left < 0 ? json_null()
                                     : json_integer((json_int_t)p->keys_left),
        "closed", json_boolean(p->closed), "lastFailure", failure_json(l, u),
        "bpps", bpps);
}

static json_t *acknowledgement_json(const struct life_evidence *v)
{
    return !*v->smdp ? json_null()
         : json_pack("{s:s, s:b, s:b, s:o, s:o}", "smdp", v->smdp, "acknowledged",
                     v->acknowledged, "expected", v->expected, "receipt",
                     text_json(v->receipt), "at", time_json(v->acknowledged_at));
}

static json_t *evidence_json(const struct life_evidence *v)
{
    char eid[EID_DIGITS + 1], txid[TXID_HEX + 1], iccid[ICCID_DIGITS + 1];

    return json_pack(
        "{s:I, s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "event",
        (json_int_t)v->event, "kind", evidence_kind_name(v->kind), "what",
        life_evidence_what(v), "at", time_json(v->at), "octets",
        (json_int_t)v->size, "eid",
        text_json(v->has_eid ? eid_format(&v->eid, eid) : NULL),
        "transactionId",
        text_json(v->has_txid ? txid_format(&v->txid, txid) : NULL), "iccid",
        text_json(v->has_iccid ? iccid_format(&v->iccid, iccid) : NULL),
        "fixture", text_json(v->fixture), "code", text_json(v->code), "detail",
        text_json(v->detail), "report",
        v->report_sequence
            ? json_pack("{s:I, s:s}", "sequence",
                        (json_int_t)v->report_sequence, "id", v->report)
            : json_null(),
        "acknowledgement", acknowledgement_json(v));
}

int show_unit(const struct life *l, size_t most, json_t **out, struct err *e)
{
    const size_t first = most && l->event_count > most ? l->event_count - most : 0;
    json_t *positions = json_array(), *evidence = json_array();
    json_t *events = json_array();
    int bad = 0;

    for (size_t i = 0; i < l->euicc_count; i++)
        json_array_append_new(positions, euicc_json(l, &l->euiccs[i]));
    for (size_t i = 0; i < l->evidence_count; i++)
        json_array_append_new(evidence, evidence_json(&l->evidence[i]));
    for (size_t i = first; i < l->event_count && !bad; i++) {
        struct event ev;
        bad = event_decode(buf_span(&l->events[i].der), &ev, e);
        if (!bad)
            json_array_append_new(events, show_event(&ev, l->events[i].hash));
    }
    *out = json_pack("{s:o, s:b, s:o, s:o, s:o, s:b}", "serial", text_json(l->serial),
                     "registered", l->registered, "positions", positions,
                     "evidence", evidence, "events", events,
                     "more", first > 0);
    if (bad) {
        json_decref(*out);
        *out = NULL;
    }
    return bad;
}
