/* The way out: what a loading-report and an audit-log hold, that an export
 * which did not arrive is delivered next time, and that the same export made
 * again is the same octets. */
#include "station/report/report.h"

#include "station/container/reader.h"
#include "station/container/report_record.h"
#include "storage/units.h"
#include "tests/lab/pki/issue.h"
#include "tests/unit/line/shop.h"
#include "tests/unit/support.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOREIGN 77 /* number of a profile that no bundle brought */

static struct shop shop;
static struct db *db;
static struct lock *lock;
static struct holder root;
static struct identity self;
static struct station station;
static char out[128], other[128];
static char allowed[1][STATION_TEXT_MAX + 1] = { DESK_OID };
static struct err e;

static void good(int rc)
{
    ck_assert_msg(rc == 0, "%s", e.msg);
}

static void folder(char *path, size_t cap)
{
    const char *tmp = getenv("TMPDIR");

    snprintf(path, cap, "%.60s/report.XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(path));
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
    folder(other, sizeof other);
    root.key = EVP_EC_gen("P-256");
    self.key = EVP_EC_gen("P-256");
    good(issue_cert(&top, root.key, NULL, &root.cert, &e));
    good(issue_cert(&own, self.key, &root, &self.cert, &e));
    self.signer = (struct signer){ self.key, self.cert, NULL };
    station = (struct station){ .id = "station-1", .commissioned = true,
                                .allowed_smdp = allowed,
                                .allowed_smdp_count = 1 };
    good(db_open(shop.data, DB_WRITE, NULL, &db, &e));
    good(lock_take(shop.data, LOCK_EXPORT, &lock, &e));
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
    remove_tree(other);
    holder_clear(&root);
    identity_close(&self);
    shop_close(&shop);
}

static int export_to(const char *dir, struct report_list *l)
{
    return report_export(db, lock, shop.data, &station, &self, dir, l, &e);
}

/* --- evidence ----------------------------------------------------------------- */

static const uint8_t bf37[] = { 0xBF, 0x37, 0x03, 0x80, 0x01, 0x00 };
static const uint8_t signed_note[] = { 0x30, 0x03, 0x80, 0x01, 0x01 };
static const uint8_t receipt[] = { 0xBF, 0x72, 0x03, 0x80, 0x01, 0x02 };

static int notify(struct tx *tx, const struct act *a, uint64_t seq, uint8_t op,
                  unsigned profile)
{
    struct notification_info n = { .eid = shop.d.eid, .seq = seq, .op = op,
                                   .has_iccid = true,
                                   .iccid = desk_iccid(profile),
                                   .octets = SPAN_ARRAY(signed_note) };

    return notification_add(tx, a, &n, NULL, &e);
}

/* One of each kind: profile 0 is installed and deleted, 1 quarantined, 2
 * voided; a notification of a profile that nobody here ever had. */
static int all_kinds(struct tx *tx, void *ctx, struct err *why)
{
    struct act a = { .actor = "test", .fixture = "F1" };
    struct bpp_list l = { NULL, 0 };
    struct position p;
    struct receipt_info r = { .function = 0x72, .seq = 9, .deleted = 1,
                              .octets = SPAN_ARRAY(receipt) };
    struct failure_info bare = { .code = "no-card" };
    struct failure_info full = { .code = "silent", .detail = "after 120 s",
                                 .eid = &shop.d.eid,
                                 .txid = &shop.d.key[1].txid };

    (void)ctx;
    (void)why;
    good(unit_register(tx, "SN-1", POSITION_MAIN, &shop.d.eid, &a, &p, &e));
    a.position = p.id;
    good(stock_reserve(tx, &shop.d.eid, &a, &l, &e));
    ck_assert_uint_eq(l.n, 3);
    good(stock_load(tx, l.v[0].id, &a, &e));
    good(stock_result(tx, l.v[0].id, true, CAUSE_RESULT, SPAN_ARRAY(bf37), &a,
                      &e));
    good(stock_load(tx, l.v[1].id, &a, &e));
    good(stock_quarantine(tx, l.v[1].id, "consumed without evidence", &a, &e));
    good(stock_void(tx, l.v[2].id, "consumed elsewhere", SPAN_ARRAY(bf37), &a,
                    &e));
    good(notify(tx, &a, 1, 0x40, 0));
    good(notify(tx, &a, 2, 0x10, 0));
    good(notify(tx, &a, 3, 0x10, FOREIGN));
    good(receipt_add(tx, &a, &r, &e));
    good(failure_add(tx, &a, &full, &e));
    good(failure_add(tx, &(struct act){ .actor = "test" }, &bare, &e));
    bpp_list_clear(&l);
    return 0;
}

/* --- reading what came out ------------------------------------------------------ */

struct seen {
    struct manifest m;
    unsigned kind[REPORT_KINDS];
    uint64_t records, last_event;
    unsigned bare_failures;
};

static void see_kind(struct seen *s, const struct report_record *r)
{
    bool certified = r->kind == REPORT_RESULT || r->kind == REPORT_DELETION ||
                     r->kind == REPORT_RECEIPT;

    s->kind[r->kind]++;
    ck_assert_int_eq(span_eq(r->certificate, buf_span(&shop.d.cert)), certified);
    if (r->kind == REPORT_RESULT || r->kind == REPORT_VOIDED)
        ck_assert(span_eq(r->bf37, SPAN_ARRAY(bf37)));
    if (r->kind == REPORT_DELETION) {
        ck_assert(span_eq(r->notification, SPAN_ARRAY(signed_note)));
        ck_assert(span_eq(r->txid, SPAN_ARRAY(shop.d.key[0].txid.o)));
    }
    if (r->kind == REPORT_RECEIPT)
        ck_assert(span_eq(r->receipt, SPAN_ARRAY(receipt)));
    if (r->kind == REPORT_QUARANTINED)
        ck_assert(span_eq(r->txid, SPAN_ARRAY(shop.d.key[1].txid.o)) &&
                  span_eq(r->reason, SPAN_STR("consumed without evidence")));
    if (r->kind == REPORT_VOIDED)
        ck_assert(span_eq(r->txid, SPAN_ARRAY(shop.d.key[2].txid.o)));
    if (certified)
        ck_assert(span_eq(r->serial, SPAN_STR("SN-1")) &&
                  span_eq(r->position, SPAN_STR(POSITION_MAIN)) &&
                  span_eq(r->fixture, SPAN_STR("F1")));
    s->bare_failures += r->kind == REPORT_FAILURE && r->eid.n == 0;
}

static int on_record(void *ctx, uint64_t number, struct span record,
                     struct err *why)
{
    struct seen *s = ctx;
    struct report_record r;

    (void)why;
    ck_assert_uint_eq(number, ++s->records);
    if (s->m.kind != KIND_LOADING_REPORT)
        return 0;
    good(report_record_decode(record, &r, &e));
    ck_assert_uint_ge(r.event, s->last_event);
    ck_assert(r.event >= s->m.first_event && r.event <= s->m.last_event);
    s->last_event = r.event;
    see_kind(s, &r);
    return 0;
}

/* Prove a container to the root, and read it. */
static void see(const char *path, struct seen *s)
{
    AUTO(buf_clear) struct buf cms = BUF_INIT, der = BUF_INIT;
    struct trust *dm = trust_new();
    int fd = open(path, O_RDONLY | O_DIRECTORY);

    memset(s, 0, sizeof *s);
    ck_assert_int_ge(fd, 0);
    good(cert_put(root.cert, &der, &e));
    good(trust_add_root(dm, buf_span(&der), &e));
    good(container_read_manifest(fd, &cms, &e));
    good(manifest_verify(buf_span(&cms), &(struct container_trust){ .dm = dm },
                         &s->m, NULL, &e));
    good(container_check_names(fd, &s->m, &e));
    good(container_read_segments(fd, &s->m, on_record, s, &e));
    close(fd);
    trust_free(dm);
}

static bool same_file(const char *a, const char *b, const char *name)
{
    AUTO(buf_clear) struct buf x = BUF_INIT, y = BUF_INIT;
    char path[400];

    snprintf(path, sizeof path, "%s/%s", a, name);
    ck_assert_int_eq(file_read(path, &x), 0);
    snprintf(path, sizeof path, "%s/%s", b, name);
    return file_read(path, &y) == 0 && span_eq(buf_span(&x), buf_span(&y));
}

/* Every file of a is in b, with the same octets. */
static unsigned same_folder(const char *a, const char *b)
{
    DIR *d = opendir(a);
    struct dirent *de;
    unsigned n = 0;

    ck_assert_ptr_nonnull(d);
    while ((de = readdir(d)))
        if (de->d_name[0] != '.') {
            ck_assert_msg(same_file(a, b, de->d_name), "%s", de->d_name);
            n++;
        }
    closedir(d);
    return n;
}

static unsigned entries(const char *dir)
{
    DIR *d = opendir(dir);
    unsigned n = 0;

    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return d ? n - 2 : 0;
}

static unsigned waiting(void)
{
    struct report_list l = { NULL, 0 };

    good(report_waiting(db, shop.data, &l, &e));
    unsigned n = (unsigned)l.n;
    report_list_clear(&l);
    return n;
}

/* --- tests ------------------------------------------------------------------------ */

START_TEST(every_kind)
{
    struct report_list l = { NULL, 0 };
    struct seen log, report;

    good(db_write(db, all_kinds, NULL, &e));
    good(export_to(out, &l));
    ck_assert_uint_eq(l.n, 2);
    ck_assert_int_eq(l.v[0].kind, EXPORT_AUDIT_LOG);
    see(l.v[0].path, &log);
    see(l.v[1].path, &report);
    ck_assert_uint_eq(log.records, log.m.last_event);
    ck_assert_uint_eq(report.m.last_event, log.m.last_event);
    ck_assert_mem_eq(report.m.head_after, log.m.head_after, 32);

    /* Not: the enabling, and the deletion that concerns no BPP of ours. */
    static const unsigned want[REPORT_KINDS] = {
        [REPORT_RESULT] = 1, [REPORT_FAILURE] = 2, [REPORT_DELETION] = 1,
        [REPORT_RECEIPT] = 1, [REPORT_VOIDED] = 1, [REPORT_QUARANTINED] = 1,
    };
    for (int k = 0; k < REPORT_KINDS; k++)
        ck_assert_msg(report.kind[k] == want[k], "%u of kind %s",
                      report.kind[k], report_kind_name((enum report_kind)k));
    ck_assert_uint_eq(report.bare_failures, 1);
    ck_assert_uint_eq(report.m.totals_count, 1);
    const struct bundle_totals *t = &report.m.totals[0];
    ck_assert(t->received == 3 && t->installed == 1 && t->quarantined == 1 &&
              t->voided == 1 && t->deleted == 1);
    ck_assert_uint_eq(waiting(), 0);
    manifest_clear(&log.m);
    manifest_clear(&report.m);
    report_list_clear(&l);
}
END_TEST

START_TEST(one_after_the_other)
{
    struct report_list first = { NULL, 0 }, second = { NULL, 0 };
    struct seen a, b;

    good(db_write(db, all_kinds, NULL, &e));
    good(export_to(out, &first));
    good(export_to(out, &second));
    for (size_t i = 0; i < 2; i++) {
        see(first.v[i].path, &a);
        see(second.v[i].path, &b);
        ck_assert_uint_eq(b.m.sequence, a.m.sequence + 1);
        ck_assert_uint_eq(b.m.first_event, a.m.last_event + 1);
        ck_assert_mem_eq(b.m.head_before, a.m.head_after, 32);
        ck_assert(b.m.has_previous_report && b.m.has_previous_audit);
        ck_assert(!a.m.has_previous_report && !a.m.has_previous_audit);
        /* Nothing happened in between but the export itself. */
        ck_assert_uint_eq(b.m.kind == KIND_LOADING_REPORT ? b.records : 0, 0);
        manifest_clear(&a.m);
        manifest_clear(&b.m);
    }
    report_list_clear(&first);
    report_list_clear(&second);
}
END_TEST

START_TEST(again)
{
    struct report_list l = { NULL, 0 }, l2 = { NULL, 0 };

    good(db_write(db, all_kinds, NULL, &e));
    good(export_to(out, &l));
    for (size_t i = 0; i < l.n; i++) {
        good(report_send(db, lock, shop.data, l.v[i].id, other, &l2, &e));
        ck_assert_uint_eq(same_folder(l.v[i].path, l2.v[i].path), 2);
        ck_assert_uint_eq(l2.v[i].records, l.v[i].records);
    }
    ck_assert_int_eq(report_send(db, lock, shop.data,
                                 "00000000-0000-4000-8000-000000000000", other,
                                 &l2, &e), -1);
    ck_assert_int_eq(e.code, ERR_NOT_FOUND);
    report_list_clear(&l);
    report_list_clear(&l2);
}
END_TEST

/* The stick is not there: made, seen as waiting, delivered first, the same. */
START_TEST(outbox_is_delivered)
{
    struct report_list none = { NULL, 0 }, l = { NULL, 0 };
    struct report_list left = { NULL, 0 };
    char outbox[160], draft[240], away[160];

    good(db_write(db, all_kinds, NULL, &e));
    snprintf(away, sizeof away, "%s/not-there", out);
    ck_assert_int_eq(export_to(away, &none), -1);
    ck_assert_msg(strstr(e.msg, "run `lineside export` again") != NULL, "%s",
                  e.msg);
    ck_assert_uint_eq(none.n, 0);
    good(report_waiting(db, shop.data, &left, &e));
    ck_assert_uint_eq(left.n, 2);

    /* A draft that a killed export left: never entered, never delivered. */
    snprintf(outbox, sizeof outbox, "%s/" REPORT_OUTBOX, shop.data);
    snprintf(draft, sizeof draft, "%s/.audit-log-00000000-0000-4000-8000-"
             "000000000001.part", outbox);
    ck_assert_int_eq(mkdir(draft, 0700), 0);
    ck_assert_uint_eq(waiting(), 2);

    good(export_to(out, &l));
    ck_assert_uint_eq(l.n, 4);
    for (size_t i = 0; i < 2; i++) {
        unsigned found = 0;
        for (size_t j = 0; j < 2; j++)
            found += strcmp(left.v[i].id, l.v[j].id) == 0;
        ck_assert_uint_eq(found, 1);
    }
    ck_assert(l.v[0].sequence == 1 && l.v[1].sequence == 1);
    ck_assert(l.v[2].sequence == 2 && l.v[3].sequence == 2);
    ck_assert_uint_eq(entries(outbox), 0);
    ck_assert_uint_eq(entries(out), 4);
    ck_assert_uint_eq(waiting(), 0);
    report_list_clear(&none);
    report_list_clear(&left);
    report_list_clear(&l);
}
END_TEST

/* Asked for by its id while it waits, it has arrived; a stick that fails after
 * that leaves nothing waiting. */
START_TEST(again_while_it_waits)
{
    struct report_list none = { NULL, 0 }, left = { NULL, 0 }, l = { NULL, 0 };
    char away[160];

    good(db_write(db, all_kinds, NULL, &e));
    snprintf(away, sizeof away, "%s/not-there", out);
    ck_assert_int_eq(export_to(away, &none), -1);
    good(report_waiting(db, shop.data, &left, &e));
    ck_assert_uint_eq(left.n, 2);
    const char *id = left.v[0].id;

    ck_assert_int_eq(report_send(db, lock, shop.data, id, away, &l, &e), -1);
    ck_assert_msg(strstr(e.msg, "run `lineside export` again") != NULL, "%s", e.msg);
    ck_assert_uint_eq(waiting(), 2);
    good(report_send(db, lock, shop.data, id, other, &l, &e));
    ck_assert_uint_eq(waiting(), 1);
    ck_assert_int_eq(report_send(db, lock, shop.data, id, away, &l, &e), -1);
    ck_assert_msg(strstr(e.msg, "do it again with a good medium") != NULL, "%s",
                  e.msg);
    ck_assert_uint_eq(waiting(), 1);
    good(export_to(out, &l)); /* the one that waits, and the next two */
    ck_assert_uint_eq(l.n, 4);
    ck_assert_uint_eq(entries(out), 3);
    report_list_clear(&none);
    report_list_clear(&left);
    report_list_clear(&l);
}
END_TEST

/* Killed after the container's arrival: it lies there and in the outbox. Whole
 * and the same, it has arrived; altered, it is somebody's and stays. */
START_TEST(arrived_before)
{
    struct report_list none = { NULL, 0 }, l = { NULL, 0 };
    char outbox[160], away[160], segment[500], command[600];

    good(db_write(db, all_kinds, NULL, &e));
    snprintf(away, sizeof away, "%s/not-there", out);
    ck_assert_int_eq(export_to(away, &none), -1);
    snprintf(outbox, sizeof outbox, "%s/" REPORT_OUTBOX, shop.data);
    snprintf(command, sizeof command, "cp -r '%s'/* '%s'", outbox, out);
    ck_assert_int_eq(system(command), 0);
    if (_i == 0) {
        good(export_to(out, &l));
        ck_assert_uint_eq(l.n, 4);
        ck_assert_uint_eq(entries(outbox), 0);
        ck_assert_uint_eq(same_folder(l.v[0].path, l.v[0].path), 2);
    } else {
        DIR *d = opendir(out);
        struct dirent *de;
        while ((de = readdir(d))) {
            if (de->d_name[0] == '.')
                continue;
            snprintf(segment, sizeof segment, "%s/%s/segment-00001.der", out,
                     de->d_name);
            ck_assert_int_eq(truncate(segment, 3), 0);
        }
        closedir(d);
        ck_assert_int_eq(export_to(out, &l), -1);
        ck_assert_int_eq(e.code, ERR_CONFLICT);
        ck_assert_uint_eq(waiting(), 2);
        good(export_to(other, &l)); /* another stick */
        ck_assert_uint_eq(waiting(), 0);
    }
    report_list_clear(&none);
    report_list_clear(&l);
}
END_TEST

START_TEST(needs_its_lock)
{
    struct report_list l = { NULL, 0 };
    struct lock *second = NULL;

    ck_assert_int_eq(report_export(db, NULL, shop.data, &station, &self, out,
                                   &l, &e), -1);
    ck_assert_int_eq(report_send(db, NULL, shop.data, "", out, &l, &e), -1);
    ck_assert_int_eq(e.code, ERR_INTERNAL);
    ck_assert_int_eq(lock_take(shop.data, LOCK_EXPORT, &second, &e), -1);
    ck_assert_int_eq(e.code, ERR_BUSY);
}
END_TEST

int main(void)
{
    const struct {
        const char *name;
        const TTest *run;
        int rows;
    } tests[] = {
        { "every kind", every_kind, 1 },
        { "one after the other", one_after_the_other, 1 },
        { "again", again, 1 },
        { "outbox is delivered", outbox_is_delivered, 1 },
        { "again while it waits", again_while_it_waits, 1 },
        { "arrived before", arrived_before, 2 },
        { "needs its lock", needs_its_lock, 1 },
    };
    Suite *s = suite_create("report");

    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        TCase *c = tcase_create(tests[i].name);
        tcase_set_timeout(c, 60);
        tcase_add_checked_fixture(c, setup, teardown);
        tcase_add_loop_test(c, tests[i].run, 0, tests[i].rows);
        suite_add_tcase(s, c);
    }
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
