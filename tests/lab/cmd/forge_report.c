/* lineside-lab forge-report: a station that lies. Takes one of its loading-
 * reports, audit-logs or shift-records, changes one thing, and signs the result
 * with the station's own key: signature, hashes and form are all in order, so what
 * finds the lie must be the auditor's other proofs. */
#include "tests/lab/cmd/lab.h"

#include "station/container/reader.h"
#include "station/container/report_record.h"
#include "station/container/shift_record.h"
#include "station/container/signers.h"
#include "station/container/writer.h"
#include "station/ifpp/event.h"
#include "tests/lab/world.h"

#include <fcntl.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct args {
    const char *data, *out, *lie, *from;
    bool list;
};

static const struct opt opts[] = {
    { "--data", OPT_TEXT, offsetof(struct args, data), "DIR",
      "the station's data directory: station.key is in it" },
    { "--out", OPT_TEXT, offsetof(struct args, out), "DIR",
      "where the forged container shall appear" },
    { "--lie", OPT_TEXT, offsetof(struct args, lie), "NAME",
      "which one; --list names them" },
    { "--from", OPT_TEXT, offsetof(struct args, from), "CONTAINER",
      "a loading-report of another station, to borrow a result from" },
    { "--list", OPT_FLAG, offsetof(struct args, list), NULL,
      "print KIND and NAME of every lie" },
    OPT_END,
};

/* --- a container in pieces -------------------------------------------------------- */

struct draft {
    struct manifest m;
    struct blobs records;
    struct buf cms;
    struct blobs borrowed; /* records of --from */
};

static void draft_clear(struct draft *d)
{
    manifest_clear(&d->m);
    blobs_clear(&d->records);
    blobs_clear(&d->borrowed);
    buf_clear(&d->cms);
}

static int keep(void *ctx, uint64_t number, struct span record, struct err *e)
{
    (void)number;
    return blobs_add(ctx, record) == 0 ? 0
                                       : err_set(e, ERR_NOMEM, "out of memory");
}

static int take_apart(const char *path, struct buf *cms, struct manifest *m,
                      struct blobs *records, struct err *e)
{
    int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (dir < 0)
        return err_errno(e, "%s", path);
    int bad = container_read_manifest(dir, cms, e) != 0 ||
              manifest_peek(buf_span(cms), m, e) != 0 ||
              container_read_segments(dir, m, keep, records, e) != 0;
    close(dir);
    return bad ? -1 : 0;
}

/* The records are written anew; what the manifest says of them goes. */
static int open_draft(const struct args *a, const char *path, struct draft *d,
                      struct err *e)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    AUTO(manifest_clear) struct manifest other;

    manifest_init(&other);
    if (take_apart(path, &d->cms, &d->m, &d->records, e) != 0 ||
        (a->from &&
         take_apart(a->from, &cms, &other, &d->borrowed, e) != 0))
        return -1;
    free(d->m.segments);
    d->m.segments = NULL;
    d->m.segment_count = 0;
    return 0;
}

static void blob_remove(struct blobs *b, size_t i)
{
    buf_clear(&b->v[i]);
    memmove(&b->v[i], &b->v[i + 1], (b->n - i - 1) * sizeof *b->v);
    b->n--;
}

static int blob_set(struct blobs *b, size_t i, struct buf *with, struct err *e)
{
    if (!buf_ok(with))
        return err_set(e, ERR_NOMEM, "out of memory");
    buf_clear(&b->v[i]);
    b->v[i] = *with;
    *with = (struct buf)BUF_INIT;
    return 0;
}

/* --- lies in reports --------------------------------------------------------------- */

static int nothing_there(struct err *e, const char *what)
{
    return err_set(e, ERR_NOT_FOUND, "this container has %s to lie about", what);
}

/* The nth result from the front, as an index. */
static int find_result(const struct blobs *b, size_t nth, size_t *out,
                       struct report_record *r, struct err *e)
{
    for (size_t i = 0; i < b->n; i++)
        if (report_record_decode(buf_span(&b->v[i]), r, NULL) == 0 &&
            r->kind == REPORT_RESULT && nth-- == 0) {
            *out = i;
            return 0;
        }
    return nothing_there(e, "too few results");
}

static struct bundle_totals *totals_of(struct draft *d, struct span id)
{
    for (size_t i = 0; i < d->m.totals_count; i++)
        if (span_eq(id, SPAN_STR(d->m.totals[i].id)))
            return &d->m.totals[i];
    return NULL;
}

static int drop_record(struct draft *d, struct err *e)
{
    struct report_record r;
    size_t i;

    if (find_result(&d->records, 0, &i, &r, e) != 0)
        return -1;
    blob_remove(&d->records, i);
    return 0;
}

static int hide_result(struct draft *d, struct err *e)
{
    struct report_record r;
    size_t i;

    if (find_result(&d->records, 0, &i, &r, e) != 0)
        return -1;
    struct bundle_totals *t = totals_of(d, r.bundle_id);
    if (!t || !t->installed)
        return nothing_there(e, "no installed BPP");
    t->installed--;
    t->in_stock++;
    blob_remove(&d->records, i);
    return 0;
}

static int double_record(struct draft *d, struct err *e)
{
    struct report_record r;
    size_t i;

    if (find_result(&d->records, 0, &i, &r, e) != 0)
        return -1;
    if (blobs_add(&d->records, buf_span(&d->records.v[i])) != 0)
        return err_set(e, ERR_NOMEM, "out of memory");
    struct buf last = d->records.v[d->records.n - 1];
    memmove(&d->records.v[i + 1], &d->records.v[i],
            (d->records.n - 1 - i) * sizeof last);
    d->records.v[i] = last;
    return 0;
}

/* r once more, at the report's last event. */
static int append(struct draft *d, struct report_record *r, struct err *e)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;

    r->event = d->m.last_event;
    if (report_record_encode(r, &der, e) != 0)
        return -1;
    return blobs_add(&d->records, buf_span(&der)) == 0
               ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static int double_result(struct draft *d, struct err *e)
{
    struct report_record r;
    size_t i;

    return find_result(&d->records, 0, &i, &r, e) != 0 ? -1 : append(d, &r, e);
}

static int borrow_result(struct draft *d, struct err *e)
{
    struct report_record r;
    size_t i;

    if (find_result(&d->borrowed, 0, &i, &r, e) != 0 ||
        d->m.totals_count == 0 || d->m.totals[0].in_stock == 0)
        return nothing_there(e, "no result in --from, or nothing in stock");
    r.bundle_id = SPAN_STR(d->m.totals[0].id);
    d->m.totals[0].in_stock--;
    d->m.totals[0].installed++;
    return append(d, &r, e);
}

static int more_installed(struct draft *d, struct err *e)
{
    if (d->m.totals_count == 0 || d->m.totals[0].in_stock == 0)
        return nothing_there(e, "nothing in stock");
    d->m.totals[0].in_stock--;
    d->m.totals[0].installed++;
    return 0;
}

static int bundle_twice(struct draft *d, struct err *e)
{
    size_t n = d->m.totals_count;
    struct bundle_totals *v =
        n ? realloc(d->m.totals, (n + 1) * sizeof *v) : NULL;

    if (!v)
        return nothing_there(e, "no bundle");
    v[n] = v[0];
    d->m.totals = v;
    d->m.totals_count++;
    return 0;
}

static int other_bundle(struct draft *d, struct err *e)
{
    if (d->m.totals_count == 0)
        return nothing_there(e, "no bundle");
    d->m.totals[0].manifest_sha256[0] ^= 1;
    return 0;
}

static int forget_bundle(struct draft *d, struct err *e)
{
    if (d->m.totals_count == 0)
        return nothing_there(e, "no bundle");
    d->m.totals_count--;
    return 0;
}

static int edit_evidence(struct draft *d, struct err *e)
{
    AUTO(buf_clear) struct buf bf37 = BUF_INIT, der = BUF_INIT;
    struct report_record r;
    size_t i;

    if (find_result(&d->records, 0, &i, &r, e) != 0)
        return -1;
    buf_put_span(&bf37, r.bf37);
    if (!buf_ok(&bf37))
        return err_set(e, ERR_NOMEM, "out of memory");
    bf37.p[bf37.n - 1] ^= 1; /* of s */
    r.bf37 = buf_span(&bf37);
    return report_record_encode(&r, &der, e) != 0
               ? -1 : blob_set(&d->records, i, &der, e);
}

static int other_witness(struct draft *d, struct err *e)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct report_record r, s;
    size_t i, k;

    if (find_result(&d->records, 0, &i, &r, e) != 0 ||
        find_result(&d->records, 1, &k, &s, e) != 0)
        return -1;
    r.certificate = s.certificate;
    return report_record_encode(&r, &der, e) != 0
               ? -1 : blob_set(&d->records, i, &der, e);
}

/* --- lies in the chain of exports ----------------------------------------------------- */

static int other_station(struct draft *d, struct err *e)
{
    (void)e;
    snprintf(d->m.issuer, sizeof d->m.issuer, "LS-another");
    return 0;
}

static int sequence_gap(struct draft *d, struct err *e)
{
    (void)e;
    d->m.sequence++;
    return 0;
}

static int no_previous(struct draft *d, struct err *e)
{
    if (!d->m.has_previous_report && !d->m.has_previous_audit)
        return nothing_there(e, "nothing before it");
    d->m.has_previous_report = d->m.has_previous_audit = false;
    return 0;
}

static int other_previous(struct draft *d, struct err *e)
{
    if (!d->m.has_previous_report && !d->m.has_previous_audit)
        return nothing_there(e, "nothing before it");
    d->m.previous_report[0] ^= 1;
    d->m.previous_audit[0] ^= 1;
    return 0;
}

static int late_start(struct draft *d, struct err *e)
{
    if (d->m.first_event == 0 || d->m.first_event == d->m.last_event)
        return nothing_there(e, "too few events");
    d->m.first_event++;
    return 0;
}

static int other_head(struct draft *d, struct err *e)
{
    (void)e;
    d->m.head_after[0] ^= 1;
    return 0;
}

/* --- lies in audit-logs --------------------------------------------------------------- */

/* Event i once more with another actor and what it says comes before it. */
static int write_event(struct draft *d, size_t i, const char *actor,
                       const uint8_t *previous, struct err *e)
{
    struct event_field f[EVENT_FIELDS_MAX];
    AUTO(buf_clear) struct buf der = BUF_INIT, text = BUF_INIT;
    size_t at[2 * EVENT_FIELDS_MAX + 2], n = 0;
    struct span name, value;
    struct event ev;

    if (event_decode(buf_span(&d->records.v[i]), &ev, e) != 0)
        return -1;
    for (struct span rest = ev.fields; event_field_next(&rest, &name, &value);)
        for (int k = 0; k < 2; k++) {
            at[n++] = text.n;
            buf_put_span(&text, k ? value : name);
            buf_put_u8(&text, 0);
        }
    at[n] = text.n;
    buf_put_span(&text, ev.kind);
    buf_put_u8(&text, 0);
    at[n + 1] = text.n;
    buf_put_span(&text, ev.actor);
    buf_put_u8(&text, 0);
    if (!buf_ok(&text))
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t k = 0; k < n; k++)
        *(k % 2 ? &f[k / 2].value : &f[k / 2].name) =
            (const char *)text.p + at[k];
    if (event_encode(ev.number, ev.at, previous ? previous : ev.previous.p,
                     (const char *)text.p + at[n],
                     actor ? actor : (const char *)text.p + at[n + 1], f, n / 2,
                     &der, e) != 0)
        return -1;
    return blob_set(&d->records, i, &der, e);
}

static int middle(const struct draft *d, size_t *out, struct err *e)
{
    *out = d->records.n / 2;
    return d->records.n >= 4 ? 0 : nothing_there(e, "too few events");
}

static int drop_event(struct draft *d, struct err *e)
{
    size_t i;

    if (middle(d, &i, e) != 0)
        return -1;
    blob_remove(&d->records, i);
    return 0;
}

static int swap_events(struct draft *d, struct err *e)
{
    size_t i;

    if (middle(d, &i, e) != 0)
        return -1;
    struct buf kept = d->records.v[i];
    d->records.v[i] = d->records.v[i + 1];
    d->records.v[i + 1] = kept;
    return 0;
}

static int edit_event(struct draft *d, struct err *e)
{
    size_t i;

    return middle(d, &i, e) != 0 ? -1 : write_event(d, i, "nobody", NULL, e);
}

/* All that follows is made to fit, up to the signed head: only what others
 * know of the chain can tell. */
static int rewrite_event(struct draft *d, struct err *e)
{
    uint8_t hash[EVENT_HASH];
    size_t i;

    if (middle(d, &i, e) != 0 || write_event(d, i, "nobody", NULL, e) != 0)
        return -1;
    event_hash(buf_span(&d->records.v[i]), hash);
    while (++i < d->records.n) {
        if (write_event(d, i, NULL, hash, e) != 0)
            return -1;
        event_hash(buf_span(&d->records.v[i]), hash);
    }
    memcpy(d->m.head_after, hash, sizeof d->m.head_after);
    return 0;
}

static int cut_end(struct draft *d, struct err *e)
{
    size_t i;

    if (middle(d, &i, e) != 0)
        return -1;
    blob_remove(&d->records, d->records.n - 1);
    d->m.last_event--;
    event_hash(buf_span(&d->records.v[d->records.n - 1]), d->m.head_after);
    return 0;
}

/* The manifest still claims them. */
static int no_events(struct draft *d, struct err *e)
{
    if (d->records.n == 0)
        return nothing_there(e, "no event");
    blobs_clear(&d->records);
    return 0;
}

/* --- lies in shift-records ------------------------------------------------------------ */

/* Whose figures still add up: the decoder would refuse others. */

static int find_figures(const struct draft *d, enum shift_record_kind kind,
                        size_t *out, struct shift_record *r, struct err *e)
{
    for (size_t i = 0; i < d->records.n; i++)
        if (shift_record_decode(buf_span(&d->records.v[i]), r, NULL) == 0 &&
            r->kind == kind) {
            *out = i;
            return 0;
        }
    return nothing_there(e, "no such record");
}

static int put_figures(struct draft *d, size_t i, const struct shift_record *r,
                       struct err *e)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;

    return shift_record_encode(r, &der, e) != 0
               ? -1 : blob_set(&d->records, i, &der, e);
}

static int more_counted(struct draft *d, struct err *e)
{
    struct shift_record r;
    size_t i;

    if (find_figures(d, SHIFT_COUNT, &i, &r, e) != 0)
        return -1;
    r.n++;
    return put_figures(d, i, &r, e);
}

static int hide_count(struct draft *d, struct err *e)
{
    struct shift_record r;
    size_t i;

    if (find_figures(d, SHIFT_COUNT, &i, &r, e) != 0)
        return -1;
    blob_remove(&d->records, i);
    return 0;
}

/* One unit more came in, and stays open. */
static int more_units(struct draft *d, struct err *e)
{
    struct shift_record r;
    size_t i;

    if (find_figures(d, SHIFT_POSITIONS, &i, &r, e) != 0)
        return -1;
    for (size_t k = 0; k < r.step_count; k++)
        for (size_t s = 0; r.steps[k].from.n == 0 && s < r.state_count; s++)
            if (span_eq(r.states[s].name, r.steps[k].to)) {
                r.steps[k].n++;
                r.states[s].after++;
                return put_figures(d, i, &r, e);
            }
    return nothing_there(e, "no unit that came in");
}

/* Installed before the shift what was in stock. */
static int other_balance(struct draft *d, struct err *e)
{
    struct shift_record r;
    size_t i;

    if (find_figures(d, SHIFT_BUNDLE, &i, &r, e) != 0)
        return -1;
    for (int after = 0; after < 2; after++) {
        uint64_t *of = after ? r.after : r.before;
        if (of[FIGURE_IN_STOCK] == 0)
            return nothing_there(e, "nothing in stock");
        of[FIGURE_IN_STOCK]--;
        of[FIGURE_INSTALLED]++;
    }
    return put_figures(d, i, &r, e);
}

static int hide_bundle(struct draft *d, struct err *e)
{
    struct shift_record r;
    size_t i;

    if (find_figures(d, SHIFT_BUNDLE, &i, &r, e) != 0)
        return -1;
    blob_remove(&d->records, i);
    return 0;
}

static int other_person(struct draft *d, struct err *e)
{
    (void)e;
    snprintf(d->m.shift.opened_by, sizeof d->m.shift.opened_by, "Eve");
    return 0;
}

/* --- the table -------------------------------------------------------------------------- */

#define REPORT (1u << KIND_LOADING_REPORT)
#define LOG (1u << KIND_AUDIT_LOG)
#define SHIFT (1u << KIND_SHIFT_RECORD)

static const struct lie {
    const char *name;
    unsigned kinds;
    int (*tell)(struct draft *d, struct err *e);
} lies[] = {
    { "drop-record", REPORT, drop_record },     /* totals as they were     */
    { "hide-result", REPORT, hide_result },     /* totals made to fit      */
    { "double-record", REPORT, double_record }, /* under the same event    */
    { "double-result", REPORT, double_result }, /* under another event     */
    { "borrow-result", REPORT, borrow_result }, /* another station's       */
    { "more-installed", REPORT, more_installed },
    { "bundle-twice", REPORT, bundle_twice },
    { "other-bundle", REPORT, other_bundle },
    { "forget-bundle", REPORT, forget_bundle },
    { "edit-evidence", REPORT, edit_evidence },
    { "other-witness", REPORT, other_witness }, /* another eUICC's CERT    */
    { "other-station", REPORT | LOG | SHIFT, other_station },
    { "sequence-gap", REPORT | LOG, sequence_gap },
    { "no-previous", REPORT | LOG, no_previous },
    { "other-previous", REPORT | LOG, other_previous },
    { "late-start", REPORT, late_start },
    { "other-head", REPORT | LOG | SHIFT, other_head },
    { "drop-event", LOG, drop_event },
    { "swap-events", LOG, swap_events },
    { "edit-event", LOG, edit_event },
    { "rewrite-event", LOG, rewrite_event },
    { "cut-end", LOG, cut_end },
    { "no-events", LOG, no_events },
    { "more-counted", SHIFT, more_counted },
    { "hide-count", SHIFT, hide_count },
    { "more-units", SHIFT, more_units },
    { "other-balance", SHIFT, other_balance },
    { "hide-bundle", SHIFT, hide_bundle },
    { "other-person", SHIFT, other_person },
};
#define LIES (sizeof lies / sizeof *lies)

static void list(void)
{
    for (int k = 0; k < KIND_COUNT; k++)
        for (size_t i = 0; i < LIES; i++)
            if (lies[i].kinds & 1u << k)
                printf("%s %s\n", kind_name((enum container_kind)k),
                       lies[i].name);
}

static int find_lie(const struct draft *d, const char *name,
                    const struct lie **out, struct err *e)
{
    for (size_t i = 0; i < LIES; i++)
        if (strcmp(lies[i].name, name) == 0 &&
            (lies[i].kinds & 1u << d->m.kind)) {
            *out = &lies[i];
            return 0;
        }
    return err_set(e, ERR_USAGE, "no lie \"%s\" about a %s; --list names them",
                   name, kind_name(d->m.kind));
}

/* --- signing ----------------------------------------------------------------------------- */

static EVP_PKEY *station_key(const char *data, struct err *e)
{
    char path[4096];

    snprintf(path, sizeof path, "%s/station.key", data);
    BIO *b = BIO_new_file(path, "rb");
    EVP_PKEY *k = b ? PEM_read_bio_PrivateKey(b, NULL, NULL, NULL) : NULL;
    BIO_free(b);
    if (!k)
        err_ossl(e, ERR_IO, "%s cannot be read", path);
    return k;
}

static STACK_OF(X509) *certificates(struct span cms)
{
    const unsigned char *p = cms.p;
    CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)cms.n);
    STACK_OF(X509) *all = c ? CMS_get1_certs(c) : NULL;

    CMS_ContentInfo_free(c);
    return all;
}

/* The certificate for the key, taken out of the stack; caller frees. */
static X509 *take_leaf(STACK_OF(X509) *all, EVP_PKEY *key)
{
    for (int i = 0; i < sk_X509_num(all); i++)
        if (X509_check_private_key(sk_X509_value(all, i), key) == 1)
            return sk_X509_delete(all, i);
    return NULL;
}

static int sign(struct draft *d, const struct args *a, char **path,
                struct err *e)
{
    AUTO(pkey_free_p) EVP_PKEY *key = station_key(a->data, e);
    AUTO(cert_stack_free) STACK_OF(X509) *chain =
        certificates(buf_span(&d->cms));
    AUTO(x509_free_p) X509 *leaf = key && chain ? take_leaf(chain, key) : NULL;
    struct container_writer *w = NULL;

    if (!key)
        return -1;
    if (!leaf)
        return err_set(e, ERR_CONFLICT, "the station of %s did not sign this "
                                        "container", a->data);
    if (container_writer_open(a->out, &d->m, &w, e) != 0)
        return -1;
    for (size_t i = 0; i < d->records.n; i++)
        if (container_writer_add(w, buf_span(&d->records.v[i]), e) != 0) {
            container_writer_abort(w);
            return -1;
        }
    const struct signer s = { key, leaf, chain };
    return container_writer_seal(w, &s, NULL, path, e);
}

static int forge(const char *container, const struct args *a, struct err *e)
{
    AUTO(draft_clear) struct draft d = { .cms = BUF_INIT };
    AUTO(str_free_p) char *path = NULL;
    const struct lie *lie = NULL;

    manifest_init(&d.m);
    if (!a->data || !a->out || !a->lie)
        return err_set(e, ERR_USAGE, "--data DIR, --out DIR and --lie NAME are "
                                     "needed");
    if (open_draft(a, container, &d, e) != 0 ||
        find_lie(&d, a->lie, &lie, e) != 0 || lie->tell(&d, e) != 0 ||
        sign(&d, a, &path, e) != 0)
        return -1;
    printf("%s\n", path);
    return 0;
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    struct args a = { .data = NULL };

    if (opts_parse(&cmd_forge_report, argc, argv, &a, &rest, 0, 1, e) != 0)
        return -1;
    if (a.list) {
        list();
        return 0;
    }
    if (rest.n != 1)
        return err_set(e, ERR_USAGE, "name one CONTAINER, or --list");
    return forge(rest.v[0], &a, e);
}

const struct command cmd_forge_report = {
    "forge-report", "CONTAINER --data DIR --out DIR --lie NAME",
    "Make a loading-report, audit-log or shift-record that lies, signed by the "
    "station.",
    opts, run,
};
