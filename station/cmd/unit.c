#include "station/cmd/cmd.h"

#include "station/base/clock.h"
#include "station/cmd/event_out.h"
#include "station/line/verdict.h"
#include "storage/life.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- what is asked for ------------------------------------------------------ */

enum { OPT_SERIAL = 256, OPT_EID, OPT_ICCID, OPT_TXID };

struct opts {
    int only; /* OPT_SERIAL to OPT_TXID; 0: whatever it looks like */
};

/* All that one barcode or one copied number may mean. */
struct readings {
    struct life_key v[4];
    size_t n;
    struct life_subject unregistered; /* for what only events tell of */
};

static int own(void *ctx, int val, const char *arg, struct err *e)
{
    struct opts *o = ctx;

    (void)arg;
    if (o->only && o->only != val)
        return err_set(e, ERR_USAGE, "only one of --serial, --eid, --iccid and "
                       "--txid can be asked for");
    o->only = val;
    return 0;
}

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

static bool wanted(const struct opts *o, int reading)
{
    return !o->only || o->only == reading;
}

static int readings_make(const struct opts *o, const char *what,
                         struct readings *r, struct err *e)
{
    struct life_key k = { .serial = what };

    *r = (struct readings){ .n = 0 };
    if (wanted(o, OPT_SERIAL)) {
        k.by = LIFE_SERIAL;
        r->v[r->n++] = k;
        snprintf(r->unregistered.serial, sizeof r->unregistered.serial, "%s",
                 what);
    }
    if (wanted(o, OPT_EID) && eid_parse(what, &k.eid) == 0) {
        k.by = LIFE_EID;
        r->v[r->n++] = k;
        r->unregistered.has_eid = true;
        r->unregistered.eid = k.eid;
    }
    if (wanted(o, OPT_ICCID) && iccid_parse(what, &k.iccid) == 0) {
        k.by = LIFE_ICCID;
        r->v[r->n++] = k;
    }
    if (wanted(o, OPT_TXID) && txid_parse(what, &k.txid)) {
        k.by = LIFE_TXID;
        r->v[r->n++] = k;
    }
    if (r->n)
        return 0;
    return err_set(e, ERR_USAGE, "this is no %s", o->only == OPT_EID
                   ? "EID: 32 digits, the last two of which are a check"
                   : o->only == OPT_ICCID
                   ? "ICCID: 19 or 20 digits, the last of which is a check"
                   : "transaction id: 32 hexadecimal digits");
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
static const struct verdict_row *verdict_of_code(const char *code)
{
    for (int v = 0; v < VERDICTS; v++)
        if (strcmp(verdict_row((enum verdict)v)->code, code) == 0)
            return verdict_row((enum verdict)v);
    return NULL;
}

static json_t *failure_json(const struct life *l, const struct life_euicc *u)
{
    const char *code = u->position.last_code;
    const struct verdict_row *row = verdict_of_code(code);

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
        "{s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "position",
        text_json(p->name), "eid", eid_format(&p->eid, eid), "kind",
        u->registered ? json_string(euicc_kind_name(p->kind)) : json_null(),
        "state", u->registered ? json_string(position_state_name(p->state))
                               : json_null(),
        "keysLeft", p->keys_left < 0 ? json_null()
                                     : json_integer((json_int_t)p->keys_left),
        "closed", json_boolean(p->closed), "lastFailure", failure_json(l, u),
        "bpps", bpps);
}

static json_t *evidence_json(const struct life_evidence *v)
{
    char eid[EID_DIGITS + 1], txid[TXID_HEX + 1], iccid[ICCID_DIGITS + 1];

    return json_pack(
        "{s:I, s:s, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "event",
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
            : json_null());
}

static int print_json(const struct life *l, struct err *e)
{
    json_t *positions = json_array(), *evidence = json_array();
    json_t *events = json_array();
    int bad = 0;

    for (size_t i = 0; i < l->euicc_count; i++)
        json_array_append_new(positions, euicc_json(l, &l->euiccs[i]));
    for (size_t i = 0; i < l->evidence_count; i++)
        json_array_append_new(evidence, evidence_json(&l->evidence[i]));
    for (size_t i = 0; i < l->event_count && !bad; i++) {
        struct event ev;
        bad = event_decode(buf_span(&l->events[i].der), &ev, e);
        if (!bad)
            json_array_append_new(events, event_json(&ev, l->events[i].hash));
    }
    json_t *all = json_pack("{s:o, s:b, s:o, s:o, s:o}", "serial",
                            text_json(l->serial), "registered", l->registered,
                            "positions", positions, "evidence", evidence,
                            "events", events);
    if (!bad) {
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
    }
    json_decref(all);
    return bad;
}

/* --- for people ------------------------------------------------------------------ */

static void print_failure(const struct life *l, const struct life_euicc *u)
{
    const char *code = u->position.last_code;
    const struct verdict_row *row = verdict_of_code(code);
    const char *words = life_failure_words(l, u);

    if (!*code)
        return;
    printf("    last failure: %s%s%s\n", code, row ? ": " : "",
           row ? row->cause : "");
    if (words)
        printf("    detail: %s\n", words);
    if (row)
        printf("    next: %s\n", row->next);
}

static void print_bpp(const struct life_bpp *p)
{
    const struct bpp_info *b = &p->b;
    char txid[TXID_HEX + 1], iccid[ICCID_DIGITS + 1], at[24];

    printf("    ICCID %s  %s of %s: %s, %u load%s begun",
           iccid_format(&b->iccid, iccid), b->name, b->provider,
           bpp_state_name(b->state), b->attempts, b->attempts == 1 ? "" : "s");
    if (p->installed_at)
        printf(", installed %s", clock_text(p->installed_at, at));
    if (b->deleted)
        printf(", deleted %s",
               p->deleted_at ? clock_text(p->deleted_at, at) : "later");
    printf("\n      transaction %s, SM-DPf %s, bundle %s\n",
           txid_format(&b->txid, txid), b->smdp_oid, b->bundle);
}

static void print_euicc(const struct life *l, const struct life_euicc *u)
{
    const struct position *p = &u->position;
    char eid[EID_DIGITS + 1];

    printf("  %s: EID %s", u->registered ? p->name : "eUICC",
           eid_format(&p->eid, eid));
    if (u->registered) {
        printf(", %s, %s", p->kind == EUICC_UNKNOWN ? "kind not known"
                                                    : euicc_kind_name(p->kind),
               position_state_name(p->state));
        if (p->keys_left >= 0)
            printf(", %lld one-time keys left", (long long)p->keys_left);
        printf("%s\n", p->closed ? ", closed" : ", not closed");
    } else {
        printf(l->registered ? ", taken out of it\n" : ", in no unit yet\n");
    }
    print_failure(l, u);
    if (u->bpp_count == 0)
        printf("    no BPP of it has come to this station\n");
    for (size_t i = 0; i < u->bpp_count; i++)
        print_bpp(&u->bpps[i]);
}

static void print_evidence(const struct life_evidence *v)
{
    char at[24];

    printf("%8llu  %s  %-24s", (unsigned long long)v->event,
           clock_text(v->at, at), life_evidence_what(v));
    if (v->size)
        printf(" %zu octets,", v->size);
    if (v->report_sequence)
        printf(" in loading report %llu (%s)",
               (unsigned long long)v->report_sequence, v->report);
    else
        printf(" waits for the next loading report");
    if (v->code[0])
        printf("  %s", v->code);
    if (v->detail[0])
        printf(": %s", v->detail);
    putchar('\n');
}

static int print_text(const struct life *l, struct err *e)
{
    struct event ev;

    if (l->registered)
        printf("unit %s\n", l->serial);
    else if (l->serial[0])
        printf("%s: no unit of this serial was ever registered\n", l->serial);
    else
        printf("an eUICC that was in no unit yet\n");
    for (size_t i = 0; i < l->euicc_count; i++)
        print_euicc(l, &l->euiccs[i]);
    printf("evidence:%s\n", l->evidence_count ? "" : " none");
    for (size_t i = 0; i < l->evidence_count; i++)
        print_evidence(&l->evidence[i]);
    printf("events:%s\n", l->event_count ? "" : " none");
    for (size_t i = 0; i < l->event_count; i++) {
        if (event_decode(buf_span(&l->events[i].der), &ev, e) != 0)
            return -1;
        event_print(&ev);
    }
    return 0;
}

/* --- the command -------------------------------------------------------------------- */

struct question {
    const struct readings *r;
    struct life *v; /* answers */
    size_t n;
};

/* Only events tell of what was refused before it could be registered. */
static int ask_events(struct db *db, struct question *q, struct err *e)
{
    const struct life_subject *s = &q->r->unregistered;

    if (!s->serial[0] && !s->has_eid)
        return err_set(e, ERR_NOT_FOUND, "the ledger knows nothing of it");
    q->v = calloc(1, sizeof *q->v);
    if (!q->v)
        return err_set(e, ERR_NOMEM, "no memory for an answer");
    if (life_read(db, s, &q->v[0], e) != 0)
        return -1;
    q->n = 1;
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
    q->v = calloc(who.n, sizeof *q->v);
    if (!q->v)
        return err_set(e, ERR_NOMEM, "no memory for an answer");
    for (; q->n < who.n; q->n++)
        if (life_read(db, &who.v[q->n], &q->v[q->n], e) != 0)
            return -1;
    return 0;
}

static void question_clear(struct question *q)
{
    for (size_t i = 0; i < q->n; i++)
        life_clear(&q->v[i]);
    free(q->v);
}

static int answer(const struct question *q, bool json, struct err *e)
{
    if (!json && q->n > 1)
        printf("This can be read in more than one way; all %zu that fit:\n\n",
               q->n);
    for (size_t i = 0; i < q->n; i++) {
        if (!json && i)
            putchar('\n');
        if ((json ? print_json(&q->v[i], e) : print_text(&q->v[i], e)) != 0)
            return -1;
    }
    return 0;
}

static int fail(const struct command *self, const char *what,
                const struct err *e)
{
    struct err told = *e;

    if (e->code == ERR_NOT_FOUND)
        err_set(&told, ERR_NOT_FOUND, "%s: %s; check what was typed or "
                "scanned, and whether its bundle was imported here", what,
                e->msg);
    return cmd_fail(self, &told);
}

static int run(const struct command *self, int argc, char **argv)
{
    static const struct option options[] = {
        { "serial", no_argument, NULL, OPT_SERIAL },
        { "eid", no_argument, NULL, OPT_EID },
        { "iccid", no_argument, NULL, OPT_ICCID },
        { "txid", no_argument, NULL, OPT_TXID },
        { 0 },
    };
    struct opts o = { .only = 0 };
    struct readings r;
    struct cmd_common c;
    struct err e = ERR_INIT;
    AUTO(question_clear) struct question q = { .r = &r };
    AUTO(db_close_p) struct db *db = NULL;

    int end = cmd_options(self, argc, argv, options, own, &o, &c);
    if (end)
        return end - 1;
    if (optind + 1 != argc)
        return cmd_usage(self, "one serial, EID, ICCID or transaction id is "
                               "expected");
    const char *what = argv[optind];
    if (what_check(what, &e) != 0 || readings_make(&o, what, &r, &e) != 0 ||
        db_open(c.data_dir, DB_READ, NULL, &db, &e) != 0)
        return cmd_fail(self, &e);
    if (db_snapshot(db, ask, &q, &e) != 0)
        return fail(self, what, &e);
    return answer(&q, c.json, &e) != 0 ? cmd_fail(self, &e) : 0;
}

const struct command cmd_unit = {
    "unit", "[--serial | --eid | --iccid | --txid] WHAT",
    "a unit's whole life, by its serial, EID, ICCID or transaction id",
    "  --serial     WHAT is a serial, whatever it looks like\n"
    "  --eid        WHAT is an EID\n"
    "  --iccid      WHAT is the ICCID of a profile meant for it\n"
    "  --txid       WHAT is the transaction id of a profile meant for it\n",
    run
};
