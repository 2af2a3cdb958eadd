/* What is sealed, one key opens, and only whole; and what a restore believes:
 * backups of many segments, true ones and every way that they can lie. */
#include "station/backup/seal.h"
#include "station/base/clock.h"
#include "station/base/folder.h"
#include "station/container/writer.h"
#include "station/identity/identity.h"
#include "station/restore/restore.h"
#include "station/restore/unseal.h"
#include "storage/backups.h"
#include "storage/events.h"
#include "storage/station.h"
#include "tests/lab/pki/issue.h"
#include "tests/unit/support.h"

#include <fcntl.h>
#include <openssl/cms.h>
#include <openssl/obj_mac.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 20000 /* octets in a record: a small ledger has several */
#define ROLL 60000  /* octets in a segment */

static struct stand {
    struct holder root, station, other, recovery, stranger, signs_only;
    char dir[64];
    char data[96], copy[96], stick[96], new_data[96];
    struct buf ledger; /* what is backed up */
} w;

/* --- the stand -------------------------------------------------------------------- */

static void make(struct holder *h, struct ec_maker *maker, int role, const char *id,
                 const struct holder *by)
{
    struct issue what = { .role = role, .common_name = id, .organisation = "Test",
                          .serial_number = id };
    struct err e = ERR_INIT;

    h->key = ec_make(maker, &e);
    ck_assert_ptr_nonnull(h->key);
    ck_assert_msg(issue_cert(&what, h->key, by, &h->cert, &e) == 0, "%s", e.msg);
}

static int init(struct tx *tx, void *ctx, struct err *e)
{
    uint8_t root[32], key[32];

    (void)ctx;
    cert_sha256(w.root.cert, root);
    cert_key_id(w.station.cert, key);
    return station_create(tx, "station-1", root, key, "test", e);
}

/* A folder of its own for the ledger's copy, read into memory. */
static void take_copy(struct db *db)
{
    struct err e = ERR_INIT;
    char path[128];

    folder_remove(w.copy);
    ck_assert_int_eq(mkdir(w.copy, 0700), 0);
    ck_assert_msg(backup_copy(db, w.copy, &e) == 0, "%s", e.msg);
    snprintf(path, sizeof path, "%s/ledger.db", w.copy);
    buf_reset(&w.ledger);
    ck_assert_int_eq(file_read(path, &w.ledger), 0);
    folder_remove(w.copy);
}

static void make_ledger(void)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;

    ck_assert_int_eq(mkdir(w.data, 0700), 0);
    ck_assert_msg(db_create(w.data, NULL, &e) == 0, "%s", e.msg);
    ck_assert_msg(db_open(w.data, DB_WRITE, NULL, &db, &e) == 0, "%s", e.msg);
    ck_assert_msg(db_write(db, init, NULL, &e) == 0, "%s", e.msg);
    take_copy(db);
}

static void setup(void)
{
    AUTO(ec_maker_free_p) struct ec_maker *maker = NULL;
    struct err e = ERR_INIT;

    strcpy(w.dir, "/tmp/restore.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(w.dir));
    snprintf(w.data, sizeof w.data, "%s/data", w.dir);
    snprintf(w.copy, sizeof w.copy, "%s/copy", w.dir);
    snprintf(w.stick, sizeof w.stick, "%s/stick", w.dir);
    snprintf(w.new_data, sizeof w.new_data, "%s/new", w.dir);
    ck_assert_int_eq(mkdir(w.stick, 0700), 0);
    ck_assert_int_eq(ec_maker_new(NID_X9_62_prime256v1, &maker, &e), 0);
    make(&w.root, maker, ISSUE_DM_ROOT, "root", NULL);
    make(&w.station, maker, ROLE_STATION, "station-1", &w.root);
    make(&w.other, maker, ROLE_STATION, "station-2", &w.root);
    make(&w.recovery, maker, ROLE_RECOVERY, "dm-recovery", &w.root);
    make(&w.stranger, maker, ROLE_RECOVERY, "dm-recovery", &w.root);
    make(&w.signs_only, maker, ROLE_ORDER, "dm-order", &w.root);
    make_ledger();
}

static void teardown(void)
{
    struct holder *all[] = { &w.root, &w.station, &w.other, &w.recovery,
                             &w.stranger, &w.signs_only };
    char command[160];

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        holder_clear(all[i]);
    buf_clear(&w.ledger);
    snprintf(command, sizeof command, "rm -rf '%s'", w.dir);
    ck_assert_int_eq(system(command), 0);
}

/* --- sealing ------------------------------------------------------------------------ */

START_TEST(there_and_back)
{
    static const size_t sizes[] = { 1, 15, 16, 4096, SEAL_PLAIN_MAX };
    AUTO(buf_clear) struct buf plain = BUF_INIT;
    AUTO(buf_clear) struct buf sealed = BUF_INIT;
    AUTO(buf_clear) struct buf again = BUF_INIT;
    AUTO(buf_clear) struct buf opened = BUF_INIT;
    struct err e = ERR_INIT;
    size_t n = sizes[_i];

    memset(buf_reserve(&plain, n), 'x', n);
    plain.n = n;
    ck_assert_msg(seal_to(w.recovery.cert, buf_span(&plain), &sealed, &e) == 0, "%s",
                  e.msg);
    ck_assert_uint_le(sealed.n, RECORD_MAX);
    ck_assert_int_eq(seal_to(w.recovery.cert, buf_span(&plain), &again, &e), 0);
    ck_assert(!span_eq(buf_span(&sealed), buf_span(&again)));
    ck_assert_ptr_null(memmem(sealed.p, sealed.n, "xxxxxxxxxxxxxxxx", 16));
    ck_assert_msg(unseal(w.recovery.key, w.recovery.cert, buf_span(&sealed), &opened,
                         &e) == 0, "%s", e.msg);
    ck_assert(span_eq(buf_span(&opened), buf_span(&plain)));
}
END_TEST

START_TEST(one_key_opens_it)
{
    AUTO(buf_clear) struct buf sealed = BUF_INIT;
    AUTO(buf_clear) struct buf opened = BUF_INIT;
    struct err e = ERR_INIT;

    ck_assert_int_eq(seal_to(w.recovery.cert, SPAN("abc", 3), &sealed, &e), 0);
    ck_assert_int_eq(unseal(w.stranger.key, w.stranger.cert, buf_span(&sealed),
                            &opened, &e), -1);
    ck_assert_int_eq(e.code, ERR_SIGNATURE);
    ck_assert_uint_eq(opened.n, 0);
    ck_assert_int_eq(seal_to(w.recovery.cert, SPAN("", 0), &sealed, &e), -1);
}
END_TEST

/* No octet changes what comes out. Some change nothing: version numbers, the
 * inner content's type, the tag's length said twice; the container's hashes
 * cover those. */
START_TEST(every_octet_is_proven)
{
    AUTO(buf_clear) struct buf sealed = BUF_INIT;
    AUTO(buf_clear) struct buf opened = BUF_INIT;
    struct err e = ERR_INIT;
    size_t held = 0;

    ck_assert_int_eq(seal_to(w.recovery.cert, SPAN("abcdefgh", 8), &sealed, &e), 0);
    for (size_t at = 0; at < sealed.n; at++) {
        sealed.p[at] ^= 1;
        if (unseal(w.recovery.key, w.recovery.cert, buf_span(&sealed), &opened,
                   &e) == 0) {
            ck_assert(span_eq(buf_span(&opened), SPAN_STR("abcdefgh")));
            held++;
        } else {
            ck_assert_uint_eq(opened.n, 0);
        }
        sealed.p[at] ^= 1;
    }
    ck_assert_uint_lt(held, 20);
    for (size_t n = 0; n < sealed.n; n++)
        ck_assert_int_eq(unseal(w.recovery.key, w.recovery.cert, SPAN(sealed.p, n),
                                &opened, &e), -1);
}
END_TEST

/* Without a tag nobody could tell whether it was changed. */
START_TEST(plain_encryption_is_refused)
{
    AUTO(buf_clear) struct buf opened = BUF_INIT;
    struct err e = ERR_INIT;
    STACK_OF(X509) *to = sk_X509_new_null();
    BIO *in = BIO_new_mem_buf("abc", 3);
    unsigned char *der = NULL;

    ck_assert_int_gt(sk_X509_push(to, w.recovery.cert), 0);
    CMS_ContentInfo *cms = CMS_encrypt(to, in, EVP_aes_256_cbc(), CMS_BINARY);
    int n = i2d_CMS_ContentInfo(cms, &der);
    ck_assert_int_gt(n, 0);
    ck_assert_int_eq(unseal(w.recovery.key, w.recovery.cert, SPAN(der, (size_t)n),
                            &opened, &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    OPENSSL_free(der);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    sk_X509_free(to);
}
END_TEST

/* --- restoring ------------------------------------------------------------------------ */

/* What a backup says and who says it; NULLs: the truth. */
struct lie {
    const char *name;
    enum err_code want;
    const char *words;
    const struct holder *signer, *sealed_to;
    void (*say)(struct manifest *m);
    const char *sql;  /* done to the ledger before it is copied */
    size_t cut;       /* octets left out at the end             */
    /* the restorer's side */
    const struct holder *key, *cert;
    const char *id;
    bool other_root;
};

static void describe(struct manifest *m, const struct holder *signer)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct event_head head;
    struct err e = ERR_INIT;

    ck_assert_int_eq(db_open(w.data, DB_READ, NULL, &db, &e), 0);
    ck_assert_int_eq(event_head(db, &head, &e), 0);
    manifest_init(m);
    m->kind = KIND_BACKUP;
    ck_assert_int_eq(cert_registered_id(signer->cert, m->issuer), 0);
    m->sequence = 3;
    m->created_at = clock_system();
    m->not_after = m->created_at + 9;
    m->recipients.kind = RCPT_PARTIES;
    ck_assert_int_eq(blobs_add(&m->recipients.list, SPAN_STR("dm-recovery")), 0);
    m->first_event = 1;
    m->last_event = head.number;
    memcpy(m->head_after, head.hash, 32);
    m->epoch = 1;
    m->ledger_size = w.ledger.n;
    ck_assert_int_eq(EVP_Digest(w.ledger.p, w.ledger.n, m->ledger_sha256, NULL,
                                EVP_sha256(), NULL), 1);
    cert_key_id(w.recovery.cert, m->recovery_key_id);
}

static char *write_backup(const struct lie *l)
{
    const struct holder *signer = l->signer ? l->signer : &w.station;
    const struct holder *to = l->sealed_to ? l->sealed_to : &w.recovery;
    AUTO(manifest_clear) struct manifest m;
    AUTO(buf_clear) struct buf sealed = BUF_INIT;
    struct container_writer *cw;
    struct err e = ERR_INIT;
    char *path = NULL;

    describe(&m, signer);
    if (l->say)
        l->say(&m);
    ck_assert_msg(container_writer_open(w.stick, &m, &cw, &e) == 0, "%s", e.msg);
    container_writer_roll(cw, ROLL);
    for (size_t at = 0; at < w.ledger.n - l->cut; at += PIECE) {
        struct span piece = span_sub(SPAN(w.ledger.p, w.ledger.n - l->cut), at, PIECE);
        ck_assert_int_eq(seal_to(to->cert, piece, &sealed, &e), 0);
        ck_assert_int_eq(container_writer_add(cw, buf_span(&sealed), &e), 0);
    }
    struct signer s = { signer->key, signer->cert, NULL };
    ck_assert_msg(container_writer_seal(cw, &s, NULL, &path, &e) == 0, "%s", e.msg);
    ck_assert_uint_ge(m.segment_count, 3);
    return path;
}

static int restore_it(const char *path, const struct lie *l, struct restore_result *r,
                      struct err *e)
{
    struct restore_job j = { .backup = path, .data_dir = w.new_data, .station = l->id };
    AUTO(buf_clear) struct buf root = BUF_INIT;

    j.key = l->key ? l->key->key : w.recovery.key;
    j.recovery = sk_X509_new_null();
    ck_assert_int_gt(sk_X509_push(j.recovery, l->cert ? l->cert->cert
                                                      : w.recovery.cert), 0);
    j.root = trust_new();
    ck_assert_int_eq(cert_put(l->other_root ? w.stranger.cert : w.root.cert, &root, e), 0);
    if (!l->other_root)
        ck_assert_int_eq(trust_add_root(j.root, buf_span(&root), e), 0);
    cert_sha256(w.root.cert, j.root_sha256);
    int rc = restore(&j, r, e);
    sk_X509_free(j.recovery);
    trust_free(j.root);
    return rc;
}

static bool there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

static void nothing_left(const char *name)
{
    char part[128];

    snprintf(part, sizeof part, "%s.part", w.new_data);
    ck_assert_msg(!there(part), "%s: %s is left", name, part);
    ck_assert_msg(!there(w.new_data), "%s: %s is left", name, w.new_data);
}

START_TEST(a_true_one)
{
    static const struct lie none = { .name = "none" };
    AUTO(station_clear) struct station s;
    AUTO(db_close_p) struct db *db = NULL;
    struct restore_result r;
    struct identity id;
    struct event_head head;
    struct err e = ERR_INIT;
    uint8_t kid[32];
    char *path = write_backup(&none);

    if (_i) /* a folder made ready, empty */
        ck_assert_int_eq(mkdir(w.new_data, 0700), 0);
    ck_assert_msg(restore_it(path, &none, &r, &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(r.epoch, 2);
    ck_assert_uint_eq(r.sequence, 3);
    ck_assert_str_eq(r.station_before, "station-1");
    ck_assert_int_eq(db_open(w.new_data, DB_READ, NULL, &db, &e), 0);
    station_init_empty(&s);
    ck_assert_int_eq(station_get(db, &s, &e), 0);
    ck_assert_str_eq(s.id, r.station);
    ck_assert_uint_eq(s.epoch, 2);
    ck_assert_int_eq(event_verify(db, &head, &e), 0);
    ck_assert_uint_eq(head.number, r.last_event + 1);
    ck_assert_int_eq(identity_open(w.new_data, SPAN(NULL, 0), &id, &e), 0);
    ck_assert_int_eq(identity_key_id(&id, kid, &e), 0);
    ck_assert_mem_eq(kid, s.key_id, 32);
    identity_close(&id);

    /* Never over a ledger. */
    struct restore_result again;
    ck_assert_int_eq(restore_it(path, &none, &again, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    free(path);
}
END_TEST

static void size_less(struct manifest *m) { m->ledger_size -= 1; }
static void size_more(struct manifest *m) { m->ledger_size += 1; }
static void other_hash(struct manifest *m) { m->ledger_sha256[0] ^= 1; }
static void other_head(struct manifest *m) { m->head_after[0] ^= 1; }
static void later_event(struct manifest *m) { m->last_event++; }
static void other_epoch(struct manifest *m) { m->epoch = 2; }
static void other_recovery(struct manifest *m) { m->recovery_key_id[0] ^= 1; }
static void kind_other(struct manifest *m) { m->kind = KIND_AUDIT_LOG; }

static const struct lie lies[] = {
    { "less than it holds", ERR_CONFLICT, "more than its manifest", .say = size_less },
    { "more than it holds", ERR_CONFLICT, "not the ledger", .say = size_more },
    { "another ledger's hash", ERR_CONFLICT, "not the ledger", .say = other_hash },
    { "cut short", ERR_CONFLICT, "not the ledger", .cut = PIECE },
    { "another head", ERR_CONFLICT, "ends at event", .say = other_head },
    { "an event more", ERR_CONFLICT, "ends at event", .say = later_event },
    { "another epoch", ERR_CONFLICT, "epoch", .say = other_epoch },
    { "of another kind", ERR_USAGE, "not a backup", .say = kind_other },
    { "another station's, passed off", ERR_CONFLICT, "ledger of station station-1",
      .signer = &w.other },
    { "signed by who may not", ERR_TRUST, "signer of a backup", .signer = &w.signs_only },
    { "to another recovery key", ERR_TRUST, "sealed to the recovery key",
      .say = other_recovery },
    { "sealed to another than it says", ERR_SIGNATURE, "another key",
      .sealed_to = &w.stranger },
    { "event rewritten", ERR_FORMAT, "event 1",
      .sql = "DROP TRIGGER event_keep; UPDATE event SET der = zeroblob(40);"
             "CREATE TRIGGER event_keep BEFORE UPDATE ON event"
             " BEGIN SELECT RAISE(ABORT, 'events are never changed'); END" },
    { "trigger taken away", ERR_FORMAT, "not laid out", .sql = "DROP TRIGGER event_stay" },
    { "trigger brought in", ERR_FORMAT, "not laid out",
      .sql = "CREATE TRIGGER mine AFTER INSERT ON event BEGIN SELECT 1; END" },
    { "no station", ERR_NOT_FOUND, "", .sql = "DELETE FROM station" },
    { "a key that is not the certificate's", ERR_TRUST, "not that of the certificate",
      .key = &w.stranger },
    { "the wrong key", ERR_TRUST, "sealed to the recovery key", .key = &w.stranger,
      .cert = &w.stranger },
    { "a certificate for something else", ERR_TRUST, "sealed to the recovery key",
      .key = &w.signs_only, .cert = &w.signs_only },
    { "the old station's id", ERR_CONFLICT, "new id", .id = "station-1" },
    { "no root", ERR_TRUST, "root", .other_root = true },
};

static void meddle(const char *sql)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;
    sqlite3 *s = NULL;
    char path[128];

    snprintf(path, sizeof path, "%s/ledger.db", w.data);
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(s, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
                  sqlite3_errmsg(s));
    sqlite3_close(s);
    ck_assert_int_eq(db_open(w.data, DB_WRITE, NULL, &db, &e), 0);
    take_copy(db);
}

START_TEST(a_lie)
{
    const struct lie *l = &lies[_i];
    struct restore_result r;
    struct err e = ERR_INIT;

    if (l->sql)
        meddle(l->sql);
    char *path = write_backup(l);
    ck_assert_msg(restore_it(path, l, &r, &e) == -1, "%s", l->name);
    ck_assert_msg(e.code == l->want && strstr(e.msg, l->words), "%s: %s: %s", l->name,
                  err_name(e.code), e.msg);
    nothing_left(l->name);
    free(path);
}
END_TEST

/* --- altered on its way ------------------------------------------------------------------ */

/* One octet, at several places of every file; a file gone, cut, doubled. */
START_TEST(altered)
{
    static const struct lie none = { .name = "none" };
    AUTO(buf_clear) struct buf was = BUF_INIT;
    struct restore_result r;
    struct err e = ERR_INIT;
    char *path = write_backup(&none), file[256];

    if (_i == 0)
        snprintf(file, sizeof file, "%s/manifest.cms", path);
    else
        snprintf(file, sizeof file, "%s/segment-%05d.der", path, _i);
    if (!there(file))
        goto done; /* fewer segments than rows */
    ck_assert_int_eq(file_read(file, &was), 0);
    for (int k = 0; k < 8; k++) {
        int fd = open(file, O_WRONLY);
        size_t at = was.n * (size_t)k / 8;
        uint8_t other = was.p[at] ^ 0x10;
        ck_assert_int_eq(pwrite(fd, &other, 1, (off_t)at), 1);
        ck_assert_msg(restore_it(path, &none, &r, &e) == -1, "%s at %zu", file, at);
        nothing_left(file);
        ck_assert_int_eq(pwrite(fd, &was.p[at], 1, (off_t)at), 1);
        close(fd);
    }
    ck_assert_int_eq(truncate(file, (off_t)was.n - 1), 0);
    ck_assert_int_eq(restore_it(path, &none, &r, &e), -1);
    ck_assert_int_eq(unlink(file), 0);
    ck_assert_int_eq(restore_it(path, &none, &r, &e), -1);
    nothing_left(file);
done:
    free(path);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    Suite *s = suite_create("restore");
    TCase *t = tcase_create("restore");

    suite_add_tcase(s, t);
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, there_and_back, 0, 5);
    tcase_add_test(t, one_key_opens_it);
    tcase_add_test(t, every_octet_is_proven);
    tcase_add_test(t, plain_encryption_is_refused);
    tcase_add_loop_test(t, a_true_one, 0, 2);
    tcase_add_loop_test(t, a_lie, 0, ROWS(lies));
    tcase_add_loop_test(t, altered, 0, 8);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
