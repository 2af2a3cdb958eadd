/* What the doctor sees of a real data directory: one that is well, one whose
 * file, chain, mode, key, room or certificates are not. */
#include "station/doctor/doctor.h"

#include "station/base/clock.h"
#include "station/identity/identity.h"
#include "tests/lab/pki/issue.h"
#include "tests/unit/storage/ledger_ground.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- a station -------------------------------------------------------------------- */

struct made {
    struct ground g;
    mode_t mask;
    struct buf root, ci, chain, dp; /* DER */
    int64_t until;                  /* of the station's certificate */
};

static void certify(int role, const char *name, EVP_PKEY *key,
                    const struct holder *issuer, struct buf *der,
                    struct holder *out)
{
    const struct issue i = {
        .role = role, .common_name = name, .organisation = "Test",
        .serial_number = role == ROLE_STATION ? "LS-1" : NULL,
        .registered_id = role == ROLE_DPPB ? SMDP : NULL,
    };
    struct err e = ERR_INIT;

    *out = (struct holder){ key ? key : EVP_EC_gen("P-256"), NULL };
    good(issue_cert(&i, out->key, issuer, &out->cert, &e));
    good(cert_put(out->cert, der, &e));
}

static int create(struct tx *tx, void *ctx, struct err *e)
{
    struct made *m = ctx;
    struct identity self;
    uint8_t root[32], key_id[32];

    SHA256(m->root.p, m->root.n, root);
    if (identity_open(m->g.dir, SPAN(NULL, 0), &self, e) != 0)
        return -1;
    int rc = identity_key_id(&self, key_id, e);
    identity_close(&self);
    return rc != 0 ? -1 : station_create(tx, "LS-1", root, key_id, "station", e);
}

static int commission(struct tx *tx, void *ctx, struct err *e)
{
    static const char *const allowed[] = { "1.2.3", SMDP };
    struct made *m = ctx;
    const struct span ci = buf_span(&m->ci);
    const struct container_seen seen = {
        .kind = SEEN_STATION_CERT, .id = "sc-1", .issuer = "authority",
        .sequence = 1, .created_at = ground_now, .not_after = ground_now + 100,
    };
    const struct station_trust t = {
        .chain = buf_span(&m->chain), .dm_root = buf_span(&m->root),
        .ci_roots = &ci, .ci_root_count = 1, .allowed_smdp = allowed,
        .allowed_smdp_count = 2,
    };

    return station_commission(tx, &seen, &t, "test", e);
}

static void bundle(struct made *m, unsigned n)
{
    struct err e = ERR_INIT;
    struct import *i;
    char id[37];
    struct import_head h = ground_head(n, id);
    const struct span dp = buf_span(&m->dp);

    h.dp_chains = &dp;
    h.seen.created_at = ground_now;
    h.seen.not_after = ground_now + 86400;
    good(lock_take(m->g.dir, LOCK_IMPORT, &m->g.lock, &e));
    good(import_begin(m->g.db, m->g.lock, &h, &i, &e));
    good(ground_record(i, n * 10, n, 100, &e));
    good(ground_record(i, n * 10 + 1, n, 100, &e));
    good(import_finish(i, "test", NULL, &e));
    lock_release(m->g.lock);
    m->g.lock = NULL;
}

static void station_make(struct made *m)
{
    struct holder root, ci, dp, self;
    struct identity id;
    struct err e = ERR_INIT;

    *m = (struct made){ .mask = umask(077) };
    ground_open(&m->g);
    /* Certificates are issued by the machine's clock. */
    ground_now = clock_system();
    good(identity_create_key(m->g.dir, &e));
    good(identity_open(m->g.dir, SPAN(NULL, 0), &id, &e));
    EVP_PKEY_up_ref(id.key);
    certify(ISSUE_DM_ROOT, "DM root", NULL, NULL, &m->root, &root);
    certify(ROLE_STATION, "station", id.key, &root, &m->chain, &self);
    certify(ROLE_CI, "CI", NULL, NULL, &m->ci, &ci);
    certify(ROLE_DPPB, "DPpb", NULL, &ci, &m->dp, &dp);
    identity_close(&id);
    struct tm tm;
    ck_assert_int_eq(ASN1_TIME_to_tm(X509_get0_notAfter(self.cert), &tm), 1);
    m->until = timegm(&tm);
    holder_clear(&root);
    holder_clear(&self);
    holder_clear(&ci);
    holder_clear(&dp);
    good(db_write(m->g.db, create, m, &e));
    good(db_write(m->g.db, commission, m, &e));
    bundle(m, 1);
}

static void station_clear_all(struct made *m)
{
    buf_clear(&m->root);
    buf_clear(&m->ci);
    buf_clear(&m->chain);
    buf_clear(&m->dp);
    ground_close(&m->g);
    umask(m->mask);
}

/* --- a look ------------------------------------------------------------------------- */

static struct doctor_ask ask_of(const struct made *m)
{
    return (struct doctor_ask){ m->g.dir, { 1, 1, DOCTOR_CERT_DAYS,
                                              DOCTOR_RECEIPT_DAYS }, false,
                                &m->g.options };
}

/* The one check's finding; every other that is judged must be as usual. */
static struct doctor_finding page(const struct doctor_ask *a, const char *name,
                                  unsigned *worse)
{
    struct doctor_finding f, found = { .verdict = DOCTOR_OK };
    struct doctor_seen s;
    bool met = false;

    *worse = 0;
    doctor_look(a, &s);
    for (size_t i = 0; i < doctor_check_count; i++) {
        if (!doctor_judge(&doctor_checks[i], &s, &f))
            continue;
        if (strcmp(doctor_checks[i].name, name) == 0) {
            found = f;
            met = true;
        } else if (f.verdict != DOCTOR_OK &&
                   strcmp(doctor_checks[i].name, "network") != 0) {
            ++*worse; /* networks are this machine's affair */
        }
    }
    doctor_clear(&s);
    ck_assert_msg(met, "%s was not judged", name);
    return found;
}

static void expect_with(const struct doctor_ask *a, const char *name,
                        enum doctor_verdict v, const char *words, bool alone)
{
    unsigned worse;
    struct doctor_finding f = page(a, name, &worse);

    ck_assert_msg(f.verdict == v && strstr(f.what, words), "%s: %s: %s", name,
                  doctor_verdict_name(f.verdict), f.what);
    ck_assert_msg(!alone || worse == 0, "%s: %u others are not ok", name, worse);
}

static void expect(const struct made *m, const char *name,
                   enum doctor_verdict v, const char *words, bool alone)
{
    const struct doctor_ask a = ask_of(m);

    expect_with(&a, name, v, words, alone);
}

START_TEST(well)
{
    struct made m;

    station_make(&m);
    expect(&m, "directory", DOCTOR_OK, m.g.dir, true);
    expect(&m, "ledger", DOCTOR_OK, "opens, schema", true);
    expect(&m, "books", DOCTOR_OK, "2 BPPs", true);
    expect(&m, "chain", DOCTOR_OK, "3 events", true);
    expect(&m, "clock", DOCTOR_OK, "believed", true);
    expect(&m, "key", DOCTOR_OK, "certificate's", true);
    expect(&m, "station-cert", DOCTOR_OK, "2 certificates", true);
    expect(&m, "ci-roots", DOCTOR_OK, "1 certificate;", true);
    expect(&m, "smdp-certs", DOCTOR_OK, "1 certificate; the first to expire is "
           "the certificate of SM-DPf " SMDP, true);
    expect(&m, "export", DOCTOR_OK, "exported", true);
    expect(&m, "line", DOCTOR_OK, "no line", true);
    station_clear_all(&m);
}
END_TEST

START_TEST(nothing_is_changed)
{
    struct buf before = BUF_INIT, after = BUF_INIT;
    struct made m;
    char path[256];
    unsigned worse;

    station_make(&m);
    db_close(m.g.db);
    m.g.db = NULL;
    snprintf(path, sizeof path, "%s/" LEDGER_FILE, m.g.dir);
    ck_assert_int_eq(file_read(path, &before), 0);
    const struct doctor_ask a = ask_of(&m);
    page(&a, "ledger", &worse);
    ck_assert_int_eq(file_read(path, &after), 0);
    ck_assert(span_eq(buf_span(&before), buf_span(&after)));
    buf_clear(&before);
    buf_clear(&after);
    station_clear_all(&m);
}
END_TEST

START_TEST(nobody_there)
{
    const struct doctor_ask a = { "/nonexistent/station", doctor_limits_default,
                                  false, NULL };

    expect_with(&a, "directory", DOCTOR_BAD, "No such file", true);
}
END_TEST

START_TEST(modes)
{
    static const struct { mode_t dir; enum doctor_verdict v; } rows[] = {
        { 0700, DOCTOR_OK }, { 0710, DOCTOR_OK }, { 0705, DOCTOR_WARN },
        { 0720, DOCTOR_BAD }, { 0702, DOCTOR_BAD },
    };
    struct made m;

    station_make(&m);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_int_eq(chmod(m.g.dir, rows[i].dir), 0);
        expect(&m, "directory", rows[i].v, "", true);
    }
    station_clear_all(&m);
}
END_TEST

START_TEST(the_key)
{
    struct made m;
    char path[256];

    station_make(&m);
    snprintf(path, sizeof path, "%s/" IDENTITY_KEY_FILE, m.g.dir);
    ck_assert_int_eq(chmod(path, 0644), 0);
    expect(&m, "key", DOCTOR_BAD, "mode 0644", true);
    ck_assert_int_eq(unlink(path), 0);
    expect(&m, "key", DOCTOR_BAD, "cannot be opened", true);
    struct err e = ERR_INIT;
    good(identity_create_key(m.g.dir, &e));
    expect(&m, "key", DOCTOR_BAD, "another key", true);
    station_clear_all(&m);
}
END_TEST

START_TEST(a_broken_chain)
{
    struct made m;

    station_make(&m);
    ck_assert_int_eq(ground_sql(&m.g, "DROP TRIGGER event_keep"), 0);
    ck_assert_int_eq(ground_sql(&m.g, "UPDATE event SET hash = zeroblob(32)"
                                " WHERE number = 2"), 0);
    expect(&m, "chain", DOCTOR_BAD, "event 2", false);
    station_clear_all(&m);
}
END_TEST

static const char *const lies[] = {
    "UPDATE container SET in_stock = 1, installed = 1 WHERE kind = 1",
    "INSERT INTO position_count(fixture, state, n) VALUES('F9', 1, 1)",
    "INSERT INTO unreported VALUES(0, 1, 0, 0)",
};

START_TEST(books_that_differ)
{
    struct made m;

    station_make(&m);
    ck_assert_int_eq(ground_sql(&m.g, lies[_i]), 0);
    expect(&m, "books", DOCTOR_BAD, "", true);
    station_clear_all(&m);
}
END_TEST

/* One page, of a table that opening the ledger does not need: only SQLite's
 * own check of all of them sees it. */
START_TEST(a_damaged_file)
{
    static const char junk[512] = "junk";
    struct made m;
    char path[256];

    station_make(&m);
    db_close(m.g.db);
    m.g.db = NULL;
    int64_t page = ground_sql_int(&m.g, "SELECT rootpage FROM sqlite_schema"
                                  " WHERE name = 'scanner_place'");
    int64_t size = ground_sql_int(&m.g, "PRAGMA page_size");
    ck_assert_int_gt(page, 1);
    snprintf(path, sizeof path, "%s/" LEDGER_FILE, m.g.dir);
    int fd = open(path, O_WRONLY);
    ck_assert_int_eq(pwrite(fd, junk, sizeof junk, (page - 1) * size),
                     sizeof junk);
    close(fd);
    expect(&m, "ledger", DOCTOR_BAD, "the ledger's file is damaged", true);
    station_clear_all(&m);
}
END_TEST

START_TEST(no_ledger)
{
    struct made m;
    char path[256];

    station_make(&m);
    db_close(m.g.db);
    m.g.db = NULL;
    snprintf(path, sizeof path, "%s/" LEDGER_FILE, m.g.dir);
    ck_assert_int_eq(unlink(path), 0);
    expect(&m, "ledger", DOCTOR_BAD, "no ledger", true);
    station_clear_all(&m);
}
END_TEST

/* Version 3 added nothing to a ledger without fixtures: only its number says
 * that it is older. */
START_TEST(an_older_ledger_stays_as_it_is)
{
    struct made m;

    station_make(&m);
    db_close(m.g.db);
    m.g.db = NULL;
    ck_assert_int_eq(ground_sql(&m.g, "PRAGMA user_version = 2"), 0);
    expect(&m, "ledger", DOCTOR_WARN, "schema 2", true);
    ck_assert_int_eq(ground_sql_int(&m.g, "PRAGMA user_version"), 2);
    station_clear_all(&m);
}
END_TEST

START_TEST(the_clock)
{
    struct made m;

    station_make(&m);
    ground_now -= 10;
    expect(&m, "clock", DOCTOR_BAD, "behind", true);
    ground_now += 10 + CLOCK_TRUST_SPAN_S + 1;
    expect(&m, "clock", DOCTOR_WARN, "not believed", true);
    station_clear_all(&m);
}
END_TEST

static int confirm(struct tx *tx, void *ctx, struct err *e)
{
    return ledger_clock_confirm(tx, ctx, e);
}

START_TEST(certificates_run_out)
{
    static char engineer[] = "engineer";
    struct err e = ERR_INIT;
    struct made m;

    station_make(&m);
    ground_now = m.until - 10 * 86400;
    /* By the ledger's clock nothing has moved yet. */
    expect(&m, "station-cert", DOCTOR_OK, "2 certificates", false);
    good(db_write(m.g.db, confirm, engineer, &e));
    expect(&m, "station-cert", DOCTOR_WARN, "in 10 days", false);
    expect(&m, "smdp-certs", DOCTOR_WARN, "in 10 days", false);
    ground_now = m.until + 5;
    expect(&m, "station-cert", DOCTOR_BAD, "the station's certificate expired",
           false);
    expect(&m, "smdp-certs", DOCTOR_BAD, SMDP, false);
    expect(&m, "ci-roots", DOCTOR_OK, "", false);
    station_clear_all(&m);
}
END_TEST

/* The newest bundle's certificate is the SM-DPf's; what came before it may
 * have expired. */
START_TEST(the_newest_bundle_counts)
{
    struct made m;

    station_make(&m);
    buf_reset(&m.dp);
    buf_put(&m.dp, "junk", 4);
    bundle(&m, 2);
    expect(&m, "smdp-certs", DOCTOR_BAD, "the certificate of SM-DPf " SMDP, false);
    station_clear_all(&m);
}
END_TEST

START_TEST(little_room)
{
    struct made m;

    station_make(&m);
    struct doctor_ask a = ask_of(&m);
    a.limits.octets = UINT64_MAX;
    expect_with(&a, "space", DOCTOR_BAD, "within the hour", true);
    struct doctor_seen s;
    doctor_look(&a, &s);
    /* More than is free, less than ten times that. */
    a.limits.octets = s.free_octets * 2;
    doctor_clear(&s);
    expect_with(&a, "space", DOCTOR_WARN, "a shift needs", true);
    station_clear_all(&m);
}
END_TEST

START_TEST(while_a_line_runs)
{
    struct err e = ERR_INIT;
    struct made m;
    struct lock *l, *again;
    char who[64];

    station_make(&m);
    good(lock_take(m.g.dir, LOCK_RUN, &l, &e));
    snprintf(who, sizeof who, "(process %ld)", (long)getpid());
    struct doctor_ask a = ask_of(&m);
    a.usb = true; /* and USB is left alone */
    expect_with(&a, "line", DOCTOR_OK, who, true);
    expect_with(&a, "fixtures", DOCTOR_OK, "left alone", true);
    lock_release(l);
    expect(&m, "line", DOCTOR_OK, "no line", true);
    good(lock_take(m.g.dir, LOCK_RUN, &again, &e));
    lock_release(again);
    station_clear_all(&m);
}
END_TEST

START_TEST(what_is_left_to_do)
{
    struct made m;

    station_make(&m);
    ck_assert_int_eq(ground_sql(&m.g, "UPDATE bpp SET state = 2 WHERE bpp = 1"), 0);
    ck_assert_int_eq(ground_sql(&m.g, "UPDATE bpp SET state = 5 WHERE bpp = 2"), 0);
    ck_assert_int_eq(ground_sql(&m.g, "UPDATE container SET in_stock = 0,"
                                " loading = 1, quarantined = 1 WHERE kind = 1"), 0);
    expect(&m, "doubt", DOCTOR_WARN, "1 BPP and 0 units unresolved, 1 BPP and "
           "0 units in quarantine", false);
    station_clear_all(&m);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "well", well, 1 },
        { "nothing is changed", nothing_is_changed, 1 },
        { "nobody there", nobody_there, 1 },
        { "modes", modes, 1 },
        { "the key", the_key, 1 },
        { "a broken chain", a_broken_chain, 1 },
        { "books", books_that_differ, sizeof lies / sizeof *lies },
        { "a damaged file", a_damaged_file, 1 },
        { "no ledger", no_ledger, 1 },
        { "an older ledger", an_older_ledger_stays_as_it_is, 1 },
        { "the clock", the_clock, 1 },
        { "certificates", certificates_run_out, 1 },
        { "the newest bundle", the_newest_bundle_counts, 1 },
        { "little room", little_room, 1 },
        { "while a line runs", while_a_line_runs, 1 },
        { "left to do", what_is_left_to_do, 1 },
    };

    return run_tests("doctor/look", tests, sizeof tests / sizeof *tests);
}
