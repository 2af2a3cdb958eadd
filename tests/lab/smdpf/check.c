#include "tests/lab/smdpf/check.h"

#include "station/container/report_record.h"
#include "station/ifpp/evidence.h"
#include "tests/lab/incoming.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const told_names[TOLD_KINDS] = {
    [TOLD_INSTALLED] = "installed",     [TOLD_FAILED] = "failed",
    [TOLD_DELETED] = "deleted",         [TOLD_QUARANTINED] = "quarantined",
    [TOLD_VOIDED] = "voided",           [TOLD_NOT_LOADED] = "not-loaded",
};

const char *told_name(enum told_kind k)
{
    return (unsigned)k < TOLD_KINDS ? told_names[k] : "unknown";
}

void report_check_clear(struct report_check *c)
{
    free(c->told);
    c->told = NULL;
    c->told_count = 0;
}

struct check {
    struct incoming in;
    struct sql *book;
    struct issuer **eum; /* per entry of the manifest's eum_chains */
    struct report_check *out;
    uint64_t last_event;
};

/* What the book holds of one transactionId. */
struct issued {
    struct txid txid;
    struct eid eid;
    struct iccid iccid;
    char bundle[UUID_LEN + 1];
    char smdpf[REGISTERED_ID_MAX + 1];
    char name[64], msp[ORDER_TEXT_MAX + 1];
};

/* --- telling ------------------------------------------------------------------- */

static int tell(struct check *k, enum told_kind kind, const struct issued *i,
                const char *detail, struct err *e)
{
    struct report_check *c = k->out;

    if ((c->told_count & (c->told_count - 1)) == 0) { /* powers of two */
        size_t cap = c->told_count ? c->told_count * 2 : 1;
        struct told *v = realloc(c->told, cap * sizeof *v);
        if (!v)
            return err_set(e, ERR_NOMEM, "out of memory");
        c->told = v;
    }
    struct told *t = &c->told[c->told_count++];
    t->kind = kind;
    t->iccid = i->iccid;
    t->eid = i->eid;
    snprintf(t->name, sizeof t->name, "%s", i->name);
    snprintf(t->msp, sizeof t->msp, "%s", i->msp);
    snprintf(t->smdpf, sizeof t->smdpf, "%s", i->smdpf);
    snprintf(t->detail, sizeof t->detail, "%s", detail);
    c->count[kind]++;
    return 0;
}

static void span_text(struct span s, char *out, size_t cap)
{
    size_t n = s.n < cap - 1 ? s.n : cap - 1;

    if (n)
        memcpy(out, s.p, n);
    out[n] = '\0';
}

/* --- the book -------------------------------------------------------------------- */

static int find_issued(struct check *k, struct span txid, struct issued *out,
                       struct err *e)
{
    char hex[TXID_HEX + 1];
    sqlite3_stmt *st;

    if (!txid_from_span(txid, &out->txid))
        return err_set(e, ERR_FORMAT, "transactionId of %zu octets", txid.n);
    if (sql_start(k->book, &st, e,
                  "SELECT issued.eid, iccid, issued.bundle, smdpf, name,"
                  " msp FROM issued JOIN bundle ON bundle.id = issued.bundle"
                  " WHERE txid = ?", "b", txid) != 0)
        return -1;
    int got = sql_step(k->book, st, e);
    if (got == 1) {
        struct span eid = sql_blob(st, 0), iccid = sql_blob(st, 1);
        memcpy(out->eid.o, eid.p, sizeof out->eid.o);
        memcpy(out->iccid.o, iccid.p, sizeof out->iccid.o);
        snprintf(out->bundle, sizeof out->bundle, "%s", sql_text(st, 2));
        snprintf(out->smdpf, sizeof out->smdpf, "%s", sql_text(st, 3));
        snprintf(out->name, sizeof out->name, "%s", sql_text(st, 4));
        snprintf(out->msp, sizeof out->msp, "%s", sql_text(st, 5));
        sql_end(st);
        return 0;
    }
    return got < 0 ? -1
                   : err_set(e, ERR_CONFLICT, "transactionId %s was never "
                             "issued here", txid_format(&out->txid, hex));
}

static int check_bundle(const struct check *k, const struct report_record *r,
                        const struct issued *i, struct err *e)
{
    char hex[TXID_HEX + 1];

    txid_format(&i->txid, hex);
    if (!span_eq(r->bundle_id, SPAN_STR(i->bundle)))
        return err_set(e, ERR_CONFLICT, "transactionId %s was issued in bundle "
                       "%s, the report says %.*s", hex, i->bundle,
                       (int)r->bundle_id.n, (const char *)r->bundle_id.p);
    for (size_t n = 0; n < k->in.m.totals_count; n++)
        if (strcmp(k->in.m.totals[n].id, i->bundle) == 0)
            return 0;
    return err_set(e, ERR_CONFLICT, "the totals leave out bundle %s of "
                   "transactionId %s", i->bundle, hex);
}

/* What was quarantined goes on: to be voided, or to the result that its eUICC
 * had after all. */
static int goes_on(struct check *k, const struct issued *i, const char *what,
                   int64_t known, uint64_t event, bool *out, struct err *e)
{
    int64_t held;

    if (sql_int(k->book, 0, &held, e, "SELECT what = 'quarantined' FROM said"
                " WHERE station = ? AND txid = ? AND event = ?", "sbi",
                k->in.m.issuer, SPAN_ARRAY(i->txid.o), known) != 0)
        return -1;
    *out = held && (uint64_t)known < event &&
           strcmp(what, told_name(TOLD_QUARANTINED)) != 0;
    return !*out ? 0
                 : sql_run(k->book, e, "UPDATE said SET gone_on = ? WHERE"
                           " station = ? AND txid = ? AND event = ?", "isbi",
                           (int64_t)event, k->in.m.issuer,
                           SPAN_ARRAY(i->txid.o), known);
}

static int said_at(struct check *k, const struct issued *i, uint64_t event,
                   int64_t *out, struct err *e)
{
    return sql_int(k->book, 0, out, e, "SELECT event FROM said WHERE station ="
                   " ? AND txid = ? AND event = ?", "sbi", k->in.m.issuer,
                   SPAN_ARRAY(i->txid.o), (int64_t)event);
}

/* What a station says of a transactionId it says once, but of a quarantined
 * one. The same event again is the same report again. */
static int say(struct check *k, const struct issued *i, const char *what,
               uint64_t event, struct err *e)
{
    char hex[TXID_HEX + 1];
    int64_t known, same;
    bool on = false;

    if (said_at(k, i, event, &same, e) != 0 ||
        sql_int(k->book, 0, &known, e, "SELECT max(event) FROM said WHERE"
                " station = ? AND txid = ?", "sb", k->in.m.issuer,
                SPAN_ARRAY(i->txid.o)) != 0)
        return -1;
    if (same && k->out->again)
        return 0;
    if (known && goes_on(k, i, what, known, event, &on, e) != 0)
        return -1;
    if (known && !on)
        return err_set(e, ERR_CONFLICT, "station %s reports transactionId %s "
                       "twice, at its events %lld and %llu", k->in.m.issuer,
                       txid_format(&i->txid, hex), (long long)known,
                       (unsigned long long)event);
    return sql_run(k->book, e, "INSERT INTO said(station, txid, event, what)"
                   " VALUES(?, ?, ?, ?)", "sbis", k->in.m.issuer,
                   SPAN_ARRAY(i->txid.o), (int64_t)event, what);
}

/* One signed result for one transactionId, whichever stations bring it. */
static int keep_result(struct check *k, const struct issued *i,
                       const struct install_result *r, struct err *e)
{
    char hex[TXID_HEX + 1];
    sqlite3_stmt *st;

    if (sql_start(k->book, &st, e, "SELECT bf37, report FROM result"
                  " WHERE txid = ?", "b", SPAN_ARRAY(i->txid.o)) != 0)
        return -1;
    int got = sql_step(k->book, st, e);
    if (got < 0)
        return -1;
    if (got == 1) {
        bool same = span_eq(sql_blob(st, 0), r->whole);
        if (!same)
            err_set(e, ERR_CONFLICT, "transactionId %s has two different "
                    "signed results; the other came with report %s",
                    txid_format(&i->txid, hex), sql_text(st, 1));
        sql_end(st);
        return same ? 0 : -1;
    }
    return sql_run(k->book, e, "INSERT INTO result(txid, installed, bf37,"
                   " report) VALUES(?, ?, ?, ?)", "bibs",
                   SPAN_ARRAY(i->txid.o), (int64_t)r->installed, r->whole,
                   k->in.m.id);
}

/* --- records, by kind -------------------------------------------------------------- */

/* The eUICC that signed: its certificate to the CI, its EID. */
struct signer_of {
    struct eid eid;
    EVP_PKEY *key;
};

static void signer_clear(struct signer_of *s)
{
    EVP_PKEY_free(s->key);
}

static int find_signer(const struct check *k, const struct report_record *r,
                       struct signer_of *out, struct err *e)
{
    AUTO(x509_free_p) X509 *c = NULL;

    if (r->eum_chain >= k->in.m.eum_chains.n)
        return err_set(e, ERR_FORMAT, "EUM chain %llu is not in the manifest",
                       (unsigned long long)r->eum_chain);
    if (cert_decode(r->certificate, &c, e) != 0 ||
        cert_eid(c, &out->eid, e) != 0)
        return -1;
    return issuer_check_euicc(k->eum[r->eum_chain], r->certificate, &out->eid,
                              &out->key, e);
}

static int check_eid(const struct issued *i, const struct eid *eid,
                     struct err *e)
{
    char hex[TXID_HEX + 1], a[EID_DIGITS + 1], b[EID_DIGITS + 1];

    if (eid_eq(&i->eid, eid))
        return 0;
    return err_set(e, ERR_CONFLICT, "transactionId %s belongs to eUICC %s, not "
                   "%s", txid_format(&i->txid, hex), eid_format(&i->eid, a),
                   eid_format(eid, b));
}

static int check_result(const struct issued *i, const struct install_result *r,
                        struct err *e)
{
    char hex[TXID_HEX + 1];

    txid_format(&i->txid, hex);
    if (strcmp(r->smdp_oid, i->smdpf) != 0)
        return err_set(e, ERR_CONFLICT, "result of transactionId %s names "
                       "SM-DPf %s, it was issued by %s", hex, r->smdp_oid,
                       i->smdpf);
    if (r->meta.has_iccid &&
        memcmp(r->meta.iccid.o, i->iccid.o, sizeof i->iccid.o) != 0)
        return err_set(e, ERR_CONFLICT, "result of transactionId %s names "
                       "another ICCID than was issued", hex);
    return 0;
}

static int take_result(struct check *k, const struct report_record *r,
                       struct err *e)
{
    AUTO(signer_clear) struct signer_of by = { .key = NULL };
    struct install_result res;
    struct issued i;
    char detail[160] = "";

    if (find_signer(k, r, &by, e) != 0 ||
        install_result_parse(r->bf37, &res, e) != 0 ||
        install_result_verify(&res, by.key, NULL, e) != 0 ||
        find_issued(k, SPAN_ARRAY(res.txid.o), &i, e) != 0 ||
        check_eid(&i, &by.eid, e) != 0 || check_result(&i, &res, e) != 0 ||
        check_bundle(k, r, &i, e) != 0 || keep_result(k, &i, &res, e) != 0)
        return -1;
    enum told_kind kind = res.installed ? TOLD_INSTALLED : TOLD_FAILED;
    if (!res.installed)
        snprintf(detail, sizeof detail, "%s: %s", bpp_command_name(res.command),
                 install_error_name(res.reason));
    if (say(k, &i, told_name(kind), r->event, e) != 0)
        return -1;
    return tell(k, kind, &i, detail, e);
}

static int mark_deleted(struct check *k, const struct issued *i, uint64_t event,
                        struct err *e)
{
    char hex[TXID_HEX + 1];
    int64_t installed;

    txid_format(&i->txid, hex);
    if (sql_int(k->book, 0, &installed, e, "SELECT installed FROM result"
                " WHERE txid = ?", "b", SPAN_ARRAY(i->txid.o)) != 0)
        return -1;
    if (!installed && k->out->complete)
        return err_set(e, ERR_CONFLICT, "transactionId %s is deleted, yet was "
                       "never reported installed", hex);
    return sql_run(k->book, e, "UPDATE said SET deleted = ? WHERE station = ?"
                   " AND txid = ? AND what <> 'quarantined'", "isb",
                   (int64_t)event, k->in.m.issuer,
                   SPAN_ARRAY(i->txid.o));
}

static int take_deletion(struct check *k, const struct report_record *r,
                         struct err *e)
{
    AUTO(signer_clear) struct signer_of by = { .key = NULL };
    struct notification n;
    struct issued i;

    if (find_signer(k, r, &by, e) != 0 ||
        notification_parse(r->notification, &n, e) != 0 ||
        notification_verify(&n, by.key, e) != 0 ||
        find_issued(k, r->txid, &i, e) != 0 ||
        check_eid(&i, &by.eid, e) != 0 || check_bundle(k, r, &i, e) != 0)
        return -1;
    if (n.is_result || !(n.meta.op & 0x10) || !n.meta.has_iccid ||
        memcmp(n.meta.iccid.o, i.iccid.o, sizeof i.iccid.o) != 0)
        return err_set(e, ERR_CONFLICT, "the notification is not of this "
                       "profile's deletion");
    if (mark_deleted(k, &i, r->event, e) != 0)
        return -1;
    return tell(k, TOLD_DELETED, &i, "", e);
}

static int take_receipt(struct check *k, const struct report_record *r,
                        struct err *e)
{
    AUTO(signer_clear) struct signer_of by = { .key = NULL };
    struct receipt rc;
    int64_t same;

    if (find_signer(k, r, &by, e) != 0 ||
        receipt_parse(r->receipt, &rc, e) != 0 ||
        receipt_verify(&rc, by.key, &by.eid, rc.function, NULL, e) != 0 ||
        sql_int(k->book, 1, &same, e, "SELECT receipt = ?1 FROM receipt"
                " WHERE eid = ?2 AND function = ?3 AND seq = ?4", "bbii",
                rc.whole, SPAN_ARRAY(rc.eid.o), (int64_t)rc.function,
                (int64_t)rc.seq) != 0)
        return -1;
    if (!same)
        return err_set(e, ERR_CONFLICT, "two different receipts with the "
                       "eUICC's counter at %llu", (unsigned long long)rc.seq);
    k->out->receipts++;
    return sql_run(k->book, e, "INSERT OR IGNORE INTO receipt(eid, function,"
                   " seq, receipt, report) VALUES(?, ?, ?, ?, ?)", "biibs",
                   SPAN_ARRAY(rc.eid.o), (int64_t)rc.function, (int64_t)rc.seq,
                   rc.whole, k->in.m.id);
}

/* No eUICC signed it: what it names must be ours, the rest is the station's
 * word. */
static int take_failure(struct check *k, const struct report_record *r,
                        struct err *e)
{
    struct issued i = { .name = "", .smdpf = "" };
    char code[64], detail[REPORT_TEXT_MAX + 1], both[640];

    if (r->txid.n && find_issued(k, r->txid, &i, e) != 0)
        return -1;
    if (r->eid.n && !r->txid.n && !eid_from_span(r->eid, &i.eid))
        return err_set(e, ERR_FORMAT, "malformed EID");
    span_text(r->code, code, sizeof code);
    span_text(r->detail, detail, sizeof detail);
    snprintf(both, sizeof both, "%s%s%s", code, detail[0] ? ": " : "", detail);
    return tell(k, TOLD_NOT_LOADED, &i, both, e);
}

/* A BF37 that comes with a voided BPP was found on the card: proven with the
 * certificate that the SM-DPf itself holds of that eUICC. */
static int check_found_result(struct check *k, const struct issued *i,
                              struct span bf37, struct err *e)
{
    AUTO(buf_clear) struct buf cert = BUF_INIT;
    AUTO(x509_free_p) X509 *c = NULL;
    struct install_result res;
    sqlite3_stmt *st;

    if (sql_start(k->book, &st, e, "SELECT cert FROM euicc WHERE eid = ?", "b",
                  SPAN_ARRAY(i->eid.o)) != 0)
        return -1;
    int got = sql_step(k->book, st, e);
    if (got == 1) {
        buf_put_span(&cert, sql_blob(st, 0));
        sql_end(st);
    }
    if (got < 0 || cert_decode(buf_span(&cert), &c, e) != 0)
        return -1;
    EVP_PKEY *key = cert_key(c, e);
    if (!key || install_result_parse(bf37, &res, e) != 0 ||
        install_result_verify(&res, key, &i->txid, e) != 0 ||
        check_result(i, &res, e) != 0)
        return -1;
    return keep_result(k, i, &res, e);
}

static int take_gone(struct check *k, const struct report_record *r,
                     struct err *e)
{
    enum told_kind kind =
        r->kind == REPORT_VOIDED ? TOLD_VOIDED : TOLD_QUARANTINED;
    struct issued i;
    char reason[REPORT_TEXT_MAX + 1];

    if (find_issued(k, r->txid, &i, e) != 0 ||
        check_bundle(k, r, &i, e) != 0 ||
        (r->bf37.n && check_found_result(k, &i, r->bf37, e) != 0) ||
        say(k, &i, told_name(kind), r->event, e) != 0)
        return -1;
    span_text(r->reason, reason, sizeof reason);
    return tell(k, kind, &i, reason, e);
}

static int take_record(void *ctx, uint64_t number, struct span der,
                       struct err *e)
{
    static int (*const takers[REPORT_KINDS])(
        struct check *, const struct report_record *, struct err *) = {
        [REPORT_RESULT] = take_result,     [REPORT_FAILURE] = take_failure,
        [REPORT_DELETION] = take_deletion, [REPORT_RECEIPT] = take_receipt,
        [REPORT_VOIDED] = take_gone,       [REPORT_QUARANTINED] = take_gone,
    };
    struct check *k = ctx;
    const struct manifest *m = &k->in.m;
    struct report_record r;

    if (report_record_decode(der, &r, e) != 0)
        return err_wrap(e, "record %llu", (unsigned long long)number);
    if (r.event < m->first_event || r.event > m->last_event ||
        r.event < k->last_event)
        return err_set(e, ERR_CONFLICT, "record %llu: event %llu is out of "
                       "order or outside this report",
                       (unsigned long long)number,
                       (unsigned long long)r.event);
    k->last_event = r.event;
    if (takers[r.kind](k, &r, e) != 0)
        return err_wrap(e, "record %llu (%s)", (unsigned long long)number,
                        report_kind_name(r.kind));
    return 0;
}

/* --- totals ------------------------------------------------------------------------- */

/* What this station has said of a bundle, up to the end of this report. */
static int count_said(struct check *k, const char *bundle, const char *what,
                      int64_t *out, struct err *e)
{
    return sql_int(k->book, 0, out, e,
                   "SELECT COUNT(*) FROM said JOIN issued USING(txid)"
                   " WHERE station = ?1 AND bundle = ?2 AND what = ?3"
                   " AND event <= ?4 AND (gone_on = 0 OR gone_on > ?4)",
                   "sssi", k->in.m.issuer, bundle, what,
                   (int64_t)k->in.m.last_event);
}

static int count_deleted(struct check *k, const char *bundle, int64_t *out,
                         struct err *e)
{
    return sql_int(k->book, 0, out, e,
                   "SELECT COUNT(*) FROM said JOIN issued USING(txid)"
                   " WHERE station = ? AND bundle = ? AND deleted > 0"
                   " AND deleted <= ?",
                   "ssi", k->in.m.issuer, bundle, (int64_t)k->in.m.last_event);
}

static int compare(const struct check *k, const struct bundle_totals *t,
                   const char *what, uint64_t claimed, int64_t counted,
                   struct err *e)
{
    bool ok = k->out->complete ? claimed == (uint64_t)counted
                               : claimed >= (uint64_t)counted;

    return ok ? 0
              : err_set(e, ERR_CONFLICT, "bundle %s: the totals claim %llu %s, "
                        "the records prove %lld", t->id,
                        (unsigned long long)claimed, what, (long long)counted);
}

static int check_states(struct check *k, const struct bundle_totals *t,
                        struct err *e)
{
    const struct {
        const char *what;
        uint64_t claimed;
    } states[] = {
        { told_name(TOLD_INSTALLED), t->installed },
        { told_name(TOLD_FAILED), t->failed },
        { told_name(TOLD_QUARANTINED), t->quarantined },
        { told_name(TOLD_VOIDED), t->voided },
    };
    int64_t n;

    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (count_said(k, t->id, states[i].what, &n, e) != 0 ||
            compare(k, t, states[i].what, states[i].claimed, n, e) != 0)
            return -1;
    if (count_deleted(k, t->id, &n, e) != 0)
        return -1;
    return compare(k, t, told_name(TOLD_DELETED), t->deleted, n, e);
}

static int check_totals(struct check *k, const struct bundle_totals *t,
                        struct err *e)
{
    sqlite3_stmt *st;
    int64_t issued;

    if (sql_start(k->book, &st, e, "SELECT smdpf, sha256 FROM bundle"
                  " WHERE id = ?", "s", t->id) != 0)
        return -1;
    int got = sql_step(k->book, st, e);
    if (got < 0)
        return -1;
    if (got == 0)
        return err_set(e, ERR_CONFLICT, "bundle %s was never issued here",
                       t->id);
    bool same = strcmp(sql_text(st, 0), t->smdp_oid) == 0 &&
                span_eq(sql_blob(st, 1), SPAN_ARRAY(t->manifest_sha256));
    sql_end(st);
    if (!same)
        return err_set(e, ERR_CONFLICT, "bundle %s: the report names another "
                       "manifest or SM-DPf than ours", t->id);
    if (sql_int(k->book, 0, &issued, e, "SELECT COUNT(*) FROM issued"
                " WHERE bundle = ?", "s", t->id) != 0)
        return -1;
    /* manifest_decode has checked that the seven states add up to it. */
    if (t->received != (uint64_t)issued)
        return err_set(e, ERR_CONFLICT, "bundle %s: %llu received, %lld issued",
                       t->id, (unsigned long long)t->received,
                       (long long)issued);
    return check_states(k, t, e);
}

/* --- the report ----------------------------------------------------------------------- */

/* Known already: then word for word, and its records are known too. */
static int find_again(struct check *k, struct err *e)
{
    sqlite3_stmt *st;

    if (sql_start(k->book, &st, e, "SELECT sha256, complete FROM report"
                  " WHERE id = ?", "s", k->in.m.id) != 0)
        return -1;
    int got = sql_step(k->book, st, e);
    if (got != 1)
        return got;
    bool same = span_eq(sql_blob(st, 0), SPAN_ARRAY(k->in.sha256));
    k->out->again = true;
    k->out->complete = sqlite3_column_int(st, 1) != 0;
    sql_end(st);
    return same ? 1
                : err_set(e, ERR_REPLAY, "another report with this id came "
                          "before");
}

/* A restored ledger goes on under another station's name (the audit-log says
 * so, which no SM-DPf gets): what the one before had said by then is said by
 * this one too, since its totals count it. */
static int succeed(struct check *k, const char *before, int64_t last_event,
                   struct err *e)
{
    return sql_run(k->book, e, "INSERT OR IGNORE INTO said(station, txid, event,"
                   " what, deleted) SELECT ?, txid, event, what, CASE WHEN deleted"
                   " <= ? THEN deleted ELSE 0 END FROM said WHERE station = ? AND"
                   " event <= ?", "sisi", k->in.m.issuer, last_event, before,
                   last_event);
}

/* The one before it: takes up where that ended. */
static int find_previous(struct check *k, struct err *e)
{
    const struct manifest *m = &k->in.m;
    sqlite3_stmt *st;

    if (!m->has_previous_report) {
        k->out->complete = m->sequence == 1;
        return 0;
    }
    char before[REGISTERED_ID_MAX + 1];

    if (sql_start(k->book, &st, e, "SELECT station, sequence, head_after,"
                  " complete, last_event FROM report WHERE sha256 = ?", "b",
                  SPAN_ARRAY(m->previous_report)) != 0)
        return -1;
    int got = sql_step(k->book, st, e);
    if (got != 1)
        return got;
    snprintf(before, sizeof before, "%s", sql_text(st, 0));
    int64_t last_event = sqlite3_column_int64(st, 4);
    bool follows = (uint64_t)sqlite3_column_int64(st, 1) < m->sequence &&
                   span_eq(sql_blob(st, 2), SPAN_ARRAY(m->head_before));
    k->out->complete = sqlite3_column_int(st, 3) != 0;
    sql_end(st);
    if (!follows)
        return err_set(e, ERR_CONFLICT, "does not take up where the report before "
                       "it ended");
    return strcmp(before, m->issuer) == 0 ? 0 : succeed(k, before, last_event, e);
}

static int keep_report(struct check *k, struct err *e)
{
    const struct manifest *m = &k->in.m;

    if (k->out->again)
        return 0;
    return sql_run(k->book, e, "INSERT INTO report(id, sha256, station,"
                   " sequence, first_event, last_event, head_after, complete)"
                   " VALUES(?, ?, ?, ?, ?, ?, ?, ?)", "sbsiiibi", m->id,
                   SPAN_ARRAY(k->in.sha256), m->issuer, (int64_t)m->sequence,
                   (int64_t)m->first_event, (int64_t)m->last_event,
                   SPAN_ARRAY(m->head_after), (int64_t)k->out->complete);
}

static int open_chains(const struct world *w, struct check *k, struct err *e)
{
    AUTO(trust_free_p) struct trust *ci = NULL;
    const struct blobs *b = &k->in.m.eum_chains;

    k->eum = calloc(b->n + 1, sizeof *k->eum);
    if (!k->eum)
        return err_set(e, ERR_NOMEM, "out of memory");
    if (world_trust(w, "ci/root", &ci, e) != 0)
        return -1;
    for (size_t i = 0; i < b->n; i++)
        if (issuer_new_eum(ci, buf_span(&b->v[i]), 0, &k->eum[i], e) != 0)
            return err_wrap(e, "EUM chain %zu", i);
    return 0;
}

static int check_all(const struct world *w, struct check *k, struct err *e)
{
    if (open_chains(w, k, e) != 0)
        return -1;
    int again = find_again(k, e);
    if (again < 0 || (again == 0 && find_previous(k, e) != 0))
        return -1;
    if (container_read_segments(k->in.fd, &k->in.m, take_record, k, e) != 0)
        return -1;
    for (size_t i = 0; i < k->in.m.totals_count; i++)
        if (check_totals(k, &k->in.m.totals[i], e) != 0)
            return -1;
    return keep_report(k, e);
}

static void describe(const struct check *k)
{
    const struct manifest *m = &k->in.m;
    struct report_check *c = k->out;

    memcpy(c->id, m->id, sizeof c->id);
    memcpy(c->station, m->issuer, sizeof c->station);
    cert_key_id(k->in.signer, c->station_key);
    memcpy(c->sha256, k->in.sha256, sizeof c->sha256);
    c->sequence = m->sequence;
    c->first_event = m->first_event;
    c->last_event = m->last_event;
}

static void check_clear(struct check *k)
{
    for (size_t i = 0; k->eum && i < k->in.m.eum_chains.n; i++)
        issuer_free(k->eum[i]);
    free(k->eum);
    incoming_close(&k->in);
}

int smdpf_check_report(const struct world *w, struct sql *book,
                       const char *path, struct report_check *out,
                       struct err *e)
{
    AUTO(check_clear) struct check k = { .book = book, .out = out };

    memset(out, 0, sizeof *out);
    if (incoming_open(w, path, KIND_LOADING_REPORT, &k.in, e) != 0)
        return -1;
    describe(&k);
    if (sql_begin(book, e) != 0)
        return -1;
    int got = check_all(w, &k, e);
    if (got == 0)
        got = sql_commit(book, e);
    if (got != 0) {
        sql_rollback(book);
        report_check_clear(out);
        return err_wrap(e, "%s", path);
    }
    return 0;
}
