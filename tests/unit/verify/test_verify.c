/* What the auditor's program makes of records that a line seldom writes:
 * deletions, voided and quarantined BPPs; and of lies about them. A real chip
 * signs, a real ledger reports. The other lies: tests/e2e/auditor.sh. */
#include "station/verify/subject.h"

#include "station/container/reader.h"
#include "station/container/writer.h"
#include "station/ifpp/evidence.h"
#include "station/report/report.h"
#include "storage/units.h"
#include "tests/lab/pki/issue.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct shop shop;
static struct db *db;
static struct lock *lock;
static struct holder root;
static struct identity self;
static char out[128], forged[128];
static struct err e;
/* What the chip signed. */
static struct buf bf37, installed_note, deleted_note, receipt;

static void good(int rc)
{
    ck_assert_msg(rc == 0, "%s", e.msg);
}

static void folder(char *path, size_t cap)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(path, cap, "%.60s/verify.XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
}

/* --- the chip ------------------------------------------------------------------ */

/* The signed notification with these operation bits. */
static void keep_note(uint8_t op, struct buf *note)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    struct notification n;
    struct tlv list, items, item;

    ck_assert_uint_eq(desk_send_hex(&shop.d, "BF2B00", &answer), 0x9000);
    struct span in = buf_span(&answer);
    good(der_take(&in, 0xBF2B, &list));
    good(der_take(&list.value, 0xA0, &items));
    while (der_next(&items.value, &item) == DER_OK)
        if (notification_parse(item.whole, &n, &e) == 0 && !n.is_result &&
            n.meta.op == op)
            buf_put_span(note, item.whole);
    ck_assert_msg(note->n > 0, "no notification %02X", op);
}

static void at_the_chip(void)
{
    AUTO(buf_clear) struct buf bpp = BUF_INIT, answer = BUF_INIT;
    struct iccid iccid = desk_iccid(0);
    char text[2 * sizeof iccid.o + 1], command[80];
    unsigned result;

    desk_start(&shop.d, NULL);
    desk_open_fpa(&shop.d);
    desk_bpp(&shop.d, 0, 0, &bpp);
    ck_assert_uint_eq(desk_authorise(&shop.d, &shop.d.key[0].txid,
                                     buf_span(&shop.d.dp_chain), &result),
                      0x9000);
    ck_assert_uint_eq(desk_load(&shop.d, buf_span(&bpp), &bf37), 0x9000);
    hex_encode(SPAN_ARRAY(iccid.o), text, sizeof text);
    snprintf(command, sizeof command, "BF3111A00C5A0A%s8101FF", text);
    ck_assert_uint_eq(desk_send_hex(&shop.d, command, &answer), 0x9000);
    keep_note(0x40, &installed_note);
    snprintf(command, sizeof command, "BF3211A00C5A0A%s8101FF", text);
    buf_reset(&answer);
    ck_assert_uint_eq(desk_send_hex(&shop.d, command, &answer), 0x9000);
    snprintf(command, sizeof command, "BF330C5A0A%s", text);
    buf_reset(&answer);
    ck_assert_uint_eq(desk_send_hex(&shop.d, command, &answer), 0x9000);
    keep_note(0x10, &deleted_note);
    ck_assert_uint_eq(
        desk_send_hex(&shop.d, "BF72128010000102030405060708090A0B0C0D0E0F",
                      &receipt), 0x9000);
    desk_stop(&shop.d);
}

/* --- the ledger ---------------------------------------------------------------- */

static int note(struct tx *tx, const struct act *a, uint64_t seq, uint8_t op,
                const struct buf *octets, struct err *why)
{
    struct notification_info n = { .eid = shop.d.eid, .seq = seq, .op = op,
                                   .has_iccid = true,
                                   .iccid = desk_iccid(0),
                                   .octets = buf_span(octets) };

    return notification_add(tx, a, &n, NULL, why);
}

/* Profile 0 is installed and deleted, 1 quarantined, 2 voided. The last event
 * makes no record, so that a lie can put one there. */
static int all_kinds(struct tx *tx, void *ctx, struct err *why)
{
    struct act a = { .actor = "test", .fixture = "F1" };
    struct bpp_list l = { NULL, 0 };
    struct position p;
    struct receipt_info r = { .function = 0x72, .seq = 9, .deleted = 2,
                              .octets = buf_span(&receipt) };
    const struct failure_info f = { .code = "no-card" };

    (void)ctx;
    if (unit_register(tx, "SN-1", POSITION_MAIN, &shop.d.eid, &a, &p, why) != 0)
        return -1;
    a.position = p.id;
    int bad = stock_reserve(tx, &shop.d.eid, &a, &l, why);
    ck_assert(bad || l.n == 3);
    bad = bad || stock_load(tx, l.v[0].id, &a, why) ||
          stock_result(tx, l.v[0].id, true, CAUSE_RESULT, buf_span(&bf37), &a,
                       why) ||
          stock_load(tx, l.v[1].id, &a, why) ||
          stock_quarantine(tx, l.v[1].id, "consumed without evidence", &a,
                           why) ||
          stock_void(tx, l.v[2].id, "consumed elsewhere", SPAN(NULL, 0), &a,
                     why) ||
          note(tx, &a, 2, 0x10, &deleted_note, why) ||
          receipt_add(tx, &a, &r, why) || failure_add(tx, &a, &f, why) ||
          note(tx, &a, 1, 0x40, &installed_note, why);
    bpp_list_clear(&l);
    return bad ? -1 : 0;
}

static char *report_path, *log_path;

static void exported(void)
{
    static char allowed[1][STATION_TEXT_MAX + 1] = { DESK_OID };
    const struct station station = { .id = "station-1", .commissioned = true,
                                     .allowed_smdp = allowed,
                                     .allowed_smdp_count = 1 };
    struct report_list l = { NULL, 0 };

    good(report_export(db, lock, shop.data, &station, &self, out, &l, &e));
    ck_assert_uint_eq(l.n, 2);
    log_path = strdup(l.v[0].path);
    report_path = strdup(l.v[1].path);
    report_list_clear(&l);
}

static void setup(void)
{
    struct issue top = { .role = ISSUE_DM_ROOT, .common_name = "DM root" };
    struct issue own = { .role = ROLE_STATION, .common_name = "station",
                         .serial_number = "station-1" };

    e = (struct err)ERR_INIT;
    shop_open(&shop, 3);
    shop_stock(&shop, 0, 3);
    folder(out, sizeof out);
    folder(forged, sizeof forged);
    root.key = EVP_EC_gen("P-256");
    self.key = EVP_EC_gen("P-256");
    good(issue_cert(&top, root.key, NULL, &root.cert, &e));
    good(issue_cert(&own, self.key, &root, &self.cert, &e));
    self.signer = (struct signer){ self.key, self.cert, NULL };
    at_the_chip();
    good(db_open(shop.data, DB_WRITE, NULL, &db, &e));
    good(lock_take(shop.data, LOCK_EXPORT, &lock, &e));
    good(db_write(db, all_kinds, NULL, &e));
    exported();
}

static int remove_one(const char *path, const struct stat *st, int type,
                      struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static void remove_tree(const char *path)
{
    nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void teardown(void)
{
    char outbox[160];

    lock_release(lock);
    db_close(db);
    snprintf(outbox, sizeof outbox, "%s/" REPORT_OUTBOX, shop.data);
    remove_tree(outbox);
    remove_tree(out);
    remove_tree(forged);
    free(report_path);
    free(log_path);
    buf_clear(&bf37);
    buf_clear(&installed_note);
    buf_clear(&deleted_note);
    buf_clear(&receipt);
    holder_clear(&root);
    identity_close(&self);
    shop_close(&shop);
}

/* --- the auditor ------------------------------------------------------------------ */

static void audit(const char *report, struct findings *f)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    AUTO(trust_free_p) struct trust *dm = trust_new(), *ci = trust_new();
    const struct container_trust t = { .ci = ci, .dm = dm };
    struct subject s[2];

    good(cert_put(root.cert, &der, &e));
    good(trust_add_root(dm, buf_span(&der), &e));
    good(trust_add_root(ci, buf_span(&shop.d.ci_der), &e));
    good(subject_open(&s[0], report, &t, &e));
    good(subject_open(&s[1], log_path, &t, &e));
    check_records(&s[0], &t, f);
    check_records(&s[1], &t, f);
    if (s[0].whole) {
        check_totals(&s[0], f);
        check_bundles(&s[0], s, 2, false, f);
        check_continuity(&s[0], s, 2, false, f);
        check_logs(&s[0], s, 2, true, f);
    }
    subject_close(&s[0]);
    subject_close(&s[1]);
}

static bool found(const struct findings *f, enum finding what, const char *text)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->v[i].what == what && strstr(f->v[i].text, text))
            return true;
    return false;
}

static void dump(const struct findings *f)
{
    for (size_t i = 0; i < f->n; i++)
        printf("%d %s\n", f->v[i].what, f->v[i].text);
}

START_TEST(holds)
{
    static const char *const proven[] = {
        "1 results, 1 receipts and 1 deletions", "1 installed, 0 failed",
        "each bundle's totals are exactly what the records say",
        "6 records of the report are exactly what the log says",
        "it is the station's first loading-report",
    };
    struct findings f = { .n = 0 };

    audit(report_path, &f);
    if (!findings_hold(&f))
        dump(&f);
    ck_assert(findings_hold(&f));
    for (size_t i = 0; i < sizeof proven / sizeof *proven; i++)
        ck_assert_msg(found(&f, PROVEN, proven[i]), "%s", proven[i]);
    ck_assert(found(&f, NOT_PROVEN, "1 failures, 1 voided, 1 quarantined"));
    findings_clear(&f);
}
END_TEST

/* --- lies --------------------------------------------------------------------------- */

struct draft {
    struct manifest m;
    struct blobs records;
};

static int keep(void *ctx, uint64_t number, struct span record, struct err *why)
{
    (void)number;
    (void)why;
    return blobs_add(ctx, record);
}

/* The one record of this kind, decoded; its place. */
static size_t the(struct draft *d, enum report_kind kind,
                  struct report_record *r)
{
    for (size_t i = 0; i < d->records.n; i++) {
        good(report_record_decode(buf_span(&d->records.v[i]), r, &e));
        if (r->kind == kind)
            return i;
    }
    ck_abort_msg("no %s", report_kind_name(kind));
}

static void put(struct draft *d, size_t i, const struct report_record *r)
{
    struct buf der = BUF_INIT;

    good(report_record_encode(r, &der, &e));
    buf_clear(&d->records.v[i]);
    d->records.v[i] = der;
}

static void drop(struct draft *d, size_t i)
{
    buf_clear(&d->records.v[i]);
    d->records.n--;
    memmove(&d->records.v[i], &d->records.v[i + 1],
            (d->records.n - i) * sizeof *d->records.v);
}

/* Once more, at the report's last event. */
static void again(struct draft *d, enum report_kind kind)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct report_record r;

    the(d, kind, &r);
    r.event = d->m.last_event;
    good(report_record_encode(&r, &der, &e));
    good(blobs_add(&d->records, buf_span(&der)));
}

static void deleted_twice(struct draft *d)
{
    again(d, REPORT_DELETION);
}

static void voided_twice(struct draft *d)
{
    again(d, REPORT_VOIDED);
}

static void never_installed(struct draft *d)
{
    struct report_record r;

    drop(d, the(d, REPORT_RESULT, &r));
}

static void deletion_hidden(struct draft *d)
{
    struct report_record r;

    drop(d, the(d, REPORT_DELETION, &r));
    d->m.totals[0].deleted = 0;
}

static void enabling_as_deletion(struct draft *d)
{
    struct report_record r;
    size_t i = the(d, REPORT_DELETION, &r);

    r.notification = buf_span(&installed_note);
    put(d, i, &r);
}

static void result_and_quarantine(struct draft *d)
{
    struct report_record r;
    size_t i = the(d, REPORT_QUARANTINED, &r);

    r.txid = SPAN_ARRAY(shop.d.key[0].txid.o);
    put(d, i, &r);
}

static void voided_as_quarantined(struct draft *d)
{
    struct report_record r;
    size_t i = the(d, REPORT_VOIDED, &r);

    r.kind = REPORT_QUARANTINED;
    put(d, i, &r);
}

static void other_receipt(struct draft *d)
{
    AUTO(buf_clear) struct buf der = BUF_INIT;
    struct report_record r;
    size_t i = the(d, REPORT_RECEIPT, &r);

    buf_put_span(&der, r.receipt);
    der.p[der.n - 1] ^= 1;
    r.receipt = buf_span(&der);
    put(d, i, &r);
}

static void other_smdpf(struct draft *d)
{
    snprintf(d->m.totals[0].smdp_oid, sizeof d->m.totals[0].smdp_oid,
             "2.999.77");
}

static void nothing(struct draft *d)
{
    (void)d;
}

static const struct {
    const char *name, *words; /* NULL: none, it holds */
    void (*tell)(struct draft *d);
} lies[] = {
    { "none", NULL, nothing },
    { "deleted twice", "is deleted twice", deleted_twice },
    { "voided twice", "is voided twice", voided_twice },
    { "never installed", "was never installed in that eUICC",
      never_installed },
    { "hidden deletion", "(deletion) is in the audit-log, and the report hides",
      deletion_hidden },
    { "enabling", "is of no deletion", enabling_as_deletion },
    { "result and quarantine", "has a result and is quarantined",
      result_and_quarantine },
    { "voided as quarantined", "voided went from 0 to 1, but the records say 0",
      voided_as_quarantined },
    { "receipt", "signature", other_receipt },
    { "SM-DPf", "signed a result for SM-DPf " DESK_OID, other_smdpf },
};
#define LIES ((int)(sizeof lies / sizeof *lies))

/* The report with one change, signed by the station again. */
static void forge(void (*tell)(struct draft *d), char **path)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    struct draft d = { .records = { NULL, 0 } };
    struct container_writer *w;
    int fd = open(report_path, O_RDONLY | O_DIRECTORY);

    good(container_read_manifest(fd, &cms, &e));
    good(manifest_peek(buf_span(&cms), &d.m, &e));
    good(container_read_segments(fd, &d.m, keep, &d.records, &e));
    close(fd);
    free(d.m.segments);
    d.m.segments = NULL;
    d.m.segment_count = 0;
    tell(&d);
    good(container_writer_open(forged, &d.m, &w, &e));
    for (size_t i = 0; i < d.records.n; i++)
        good(container_writer_add(w, buf_span(&d.records.v[i]), &e));
    good(container_writer_seal(w, &self.signer, NULL, path, &e));
    manifest_clear(&d.m);
    blobs_clear(&d.records);
}

START_TEST(finds_lies)
{
    struct findings f = { .n = 0 };
    char *path = NULL;

    forge(lies[_i].tell, &path);
    audit(path, &f);
    bool as_it_must = lies[_i].words ? !findings_hold(&f) &&
                                           found(&f, BROKEN, lies[_i].words)
                                     : findings_hold(&f);
    if (!as_it_must)
        dump(&f);
    ck_assert_msg(as_it_must, "%s", lies[_i].name);
    findings_clear(&f);
    free(path);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("verify");
    TCase *t = tcase_create("verify");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, holds);
    tcase_add_loop_test(t, finds_lies, 0, LIES);
    tcase_set_timeout(t, 60);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
