/* Writer and reader over real folders: what is written is read, what was
 * changed on the way is refused, what fails leaves nothing. */
#include "scene.h"

#include "station/container/reader.h"
#include "station/ifpp/tlv.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct scene w;

static void setup(void)
{
    scene_make(&w);
}

static void teardown(void)
{
    scene_clear(&w);
}

static int gather(void *ctx, uint64_t number, struct span record, struct err *e)
{
    struct buf *b = ctx;

    (void)e;
    buf_put_u8(b, (uint8_t)number);
    buf_put_span(b, record);
    return 0;
}

/* As the importer: manifest, names, segments. */
static int read_all(const char *dir, struct buf *got, struct err *e)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    struct container_trust t = scene_trust(&w);
    int fd = open(dir, O_RDONLY | O_DIRECTORY);

    manifest_init(&m);
    ck_assert_int_ge(fd, 0);
    int rc = container_read_manifest(fd, &cms, e);
    if (rc == 0)
        rc = manifest_verify(buf_span(&cms), &t, &m, NULL, e);
    if (rc == 0)
        rc = container_check_names(fd, &m, e);
    if (rc == 0)
        rc = container_read_segments(fd, &m, got ? gather : NULL, got, e);
    close(fd);
    return rc;
}

/* How many names a folder holds. */
static int names_in(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

START_TEST(reads_what_was_written)
{
    static const uint64_t rolls[] = { 0, 3000, 1 };
    AUTO(buf_clear) struct buf want = BUF_INIT;
    AUTO(buf_clear) struct buf got = BUF_INIT;
    AUTO(manifest_clear) struct manifest m;
    struct err e = ERR_INIT;
    char name[24];

    char *path = scene_container(&w, KIND_LOADING_REPORT, rolls[_i], &m, NULL);
    for (size_t i = 0; i < scene_record_count(KIND_LOADING_REPORT); i++) {
        buf_put_u8(&want, (uint8_t)(i + 1));
        scene_record(&w, KIND_LOADING_REPORT, i, &want);
    }
    ck_assert_msg(read_all(path, &got, &e) == 0, "%s", e.msg);
    /* Certificates and keys are the world's, so the records are the same. */
    ck_assert(span_eq(buf_span(&got), buf_span(&want)));
    ck_assert_uint_eq(m.segment_count, _i == 0 ? 1 : _i == 1 ? 2 : 9);
    ck_assert_str_eq(m.segments[0].name, segment_name(0, name));
    ck_assert_int_eq(names_in(path), (int)m.segment_count + 1);
    ck_assert_int_eq(names_in(w.dir), 1); /* no hidden folder is left */
    free(path);
}
END_TEST

/* Records larger than the reader's window, small ones around them, and the
 * largest there may be. */
START_TEST(large_records)
{
    static const size_t sizes[] = { 2, 300 * 1024, 2, 127, 128, 255, 256, 65535,
                                    65536, 65537, RECORD_MAX, 2, RECORD_MAX };
    AUTO(buf_clear) struct buf want = BUF_INIT;
    AUTO(buf_clear) struct buf got = BUF_INIT;
    AUTO(manifest_clear) struct manifest m;
    struct container_writer *cw;
    struct err e = ERR_INIT;
    char *path = NULL;

    scene_manifest(&w, KIND_AUDIT_LOG, &m);
    ck_assert_int_eq(container_writer_open(w.dir, &m, &cw, &e), 0);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t n = sizes[i] - 2;
        while (n && der_tlv_len(0x04, n) > sizes[i])
            n--;
        AUTO(buf_clear) struct buf r = BUF_INIT;
        der_put_header(&r, 0x04, n);
        for (size_t k = 0; k < n; k++)
            buf_put_u8(&r, (uint8_t)(k * 7 + i));
        ck_assert_int_eq(container_writer_add(cw, buf_span(&r), &e), 0);
        buf_put_u8(&want, (uint8_t)(i + 1));
        buf_put_span(&want, buf_span(&r));
    }
    struct signer s = scene_signer(&w, KIND_AUDIT_LOG);
    ck_assert_msg(container_writer_seal(cw, &s, NULL, &path, &e) == 0, "%s", e.msg);
    sk_X509_free(s.chain);
    ck_assert_msg(read_all(path, &got, &e) == 0, "%s", e.msg);
    ck_assert(span_eq(buf_span(&got), buf_span(&want)));
    free(path);
}
END_TEST

START_TEST(records_out_of_bounds)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(buf_clear) struct buf r = BUF_INIT;
    struct container_writer *cw;
    struct err e = ERR_INIT;

    scene_manifest(&w, KIND_AUDIT_LOG, &m);
    ck_assert_int_eq(container_writer_open(w.dir, &m, &cw, &e), 0);
    der_put_header(&r, 0x04, RECORD_MAX - 4);
    memset(buf_reserve(&r, RECORD_MAX), 0, RECORD_MAX);
    r.n += RECORD_MAX - 4;
    ck_assert_int_eq(container_writer_add(cw, buf_span(&r), &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    ck_assert_int_eq(container_writer_add(cw, SPAN("\x04\x01\x00\x04", 4), &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    ck_assert_int_eq(container_writer_add(cw, SPAN("", 0), &e), -1);
    container_writer_abort(cw);
    container_writer_abort(NULL);
    ck_assert_int_eq(names_in(w.dir), 0);
}
END_TEST

/* Every octet of every segment. */
START_TEST(every_changed_octet_of_a_segment)
{
    AUTO(manifest_clear) struct manifest m;
    char *path = scene_container(&w, KIND_AUDIT_LOG, 200, &m, NULL);

    ck_assert_uint_gt(m.segment_count, 1);
    for (size_t i = 0; i < m.segment_count; i++) {
        AUTO(buf_clear) struct buf b = scene_file(path, m.segments[i].name);
        for (size_t at = 0; at < b.n; at++) {
            b.p[at] ^= (uint8_t)(1u << at % 8);
            scene_file_write(path, m.segments[i].name, buf_span(&b));
            ck_assert_msg(read_all(path, NULL, NULL) == -1, "segment %zu octet "
                          "%zu", i, at);
            b.p[at] ^= (uint8_t)(1u << at % 8);
        }
        scene_file_write(path, m.segments[i].name, buf_span(&b));
        ck_assert_int_eq(read_all(path, NULL, NULL), 0);
    }
    free(path);
}
END_TEST

/* --- what can happen to a folder on its way -------------------------------------- */

static char at[512], beside[512];

static void cut(const char *dir)
{
    (void)dir;
    ck_assert_int_eq(truncate(at, 40), 0);
}

static void lengthen(const char *dir)
{
    AUTO(buf_clear) struct buf b = scene_file(dir, "segment-00002.der");

    buf_put(&b, "\x04\x00", 2);
    scene_file_write(dir, "segment-00002.der", buf_span(&b));
}

static void empty(const char *dir)
{
    (void)dir;
    ck_assert_int_eq(truncate(at, 0), 0);
}

static void lose(const char *dir)
{
    (void)dir;
    unlink(at);
}

static void add(const char *dir)
{
    scene_file_write(dir, "segment-00004.der", SPAN("\x04\x00", 2));
}

static void note(const char *dir)
{
    scene_file_write(dir, "README.txt", SPAN("hello", 5));
}

static void bad_name(const char *dir)
{
    scene_file_write(dir, "\x1b[2J", SPAN("x", 1));
}

static void swap(const char *dir)
{
    char third[512], tmp[512];

    snprintf(third, sizeof third, "%.400s/segment-00003.der", dir);
    snprintf(tmp, sizeof tmp, "%.400s/tmp", dir);
    rename(at, tmp);
    rename(third, at);
    rename(tmp, third);
}

static void link_to(const char *dir)
{
    (void)dir;
    rename(at, beside);
    ck_assert_int_eq(symlink(beside, at), 0);
}

static void pipe_there(const char *dir)
{
    (void)dir;
    unlink(at);
    ck_assert_int_eq(mkfifo(at, 0600), 0);
}

static void folder_there(const char *dir)
{
    (void)dir;
    unlink(at);
    ck_assert_int_eq(mkdir(at, 0700), 0);
}

static void no_manifest(const char *dir)
{
    char path[512];

    snprintf(path, sizeof path, "%.400s/manifest.cms", dir);
    unlink(path);
}

static void big_manifest(const char *dir)
{
    char path[512];

    snprintf(path, sizeof path, "%.400s/manifest.cms", dir);
    ck_assert_int_eq(truncate(path, MANIFEST_MAX + 1), 0);
}

static void media_files(const char *dir)
{
    char path[512];

    scene_file_write(dir, ".DS_Store", SPAN("x", 1));
    scene_file_write(dir, "._segment-00001.der", SPAN("x", 1));
    snprintf(path, sizeof path, "%.400s/System Volume Information", dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%.400s/.fseventsd", dir);
    mkdir(path, 0700);
    snprintf(path, sizeof path, "%.400s/.Trashes", dir);
    mkdir(path, 0700);
}

static const struct {
    const char *name;
    void (*what)(const char *dir);
    enum err_code code;
    const char *says;
} accidents[] = {
    { "a segment cut short", cut, ERR_FORMAT, "segment-00002.der" },
    { "a segment with a record more", lengthen, ERR_FORMAT, "segment-00002.der" },
    { "a segment emptied", empty, ERR_FORMAT, "segment-00002.der" },
    { "a segment lost", lose, ERR_FORMAT, "Copy the container again" },
    { "a segment more", add, ERR_FORMAT, "segment-00004.der" },
    { "another file", note, ERR_FORMAT, "README.txt" },
    { "a name that would move the cursor", bad_name, ERR_FORMAT, "not text" },
    { "two segments swapped", swap, ERR_SIGNATURE, "segment-00002.der" },
    { "a link to the same octets", link_to, ERR_FORMAT, "link" },
    { "a pipe", pipe_there, ERR_FORMAT, "not a file" },
    { "a folder", folder_there, ERR_FORMAT, "not a file" },
    { "no manifest", no_manifest, ERR_FORMAT, "manifest.cms is missing" },
    { "a manifest beyond its bound", big_manifest, ERR_LIMIT, "manifest.cms" },
    { "files of the medium's own", media_files, ERR_NONE, "" },
};

START_TEST(accident)
{
    AUTO(manifest_clear) struct manifest m;
    struct err e = ERR_INIT;
    char *path = scene_container(&w, KIND_AUDIT_LOG, 1, &m, NULL);

    ck_assert_uint_eq(m.segment_count, 3);
    /* Segments 2 and 3 of one size: a swap shows in the hash alone. */
    snprintf(at, sizeof at, "%.400s/segment-00002.der", path);
    snprintf(beside, sizeof beside, "%.400s/beside", w.dir);
    if (accidents[_i].what == swap) {
        scene_remove(path);
        free(path);
        manifest_clear(&m);
        struct container_writer *cw;
        scene_manifest(&w, KIND_AUDIT_LOG, &m);
        ck_assert_int_eq(container_writer_open(w.dir, &m, &cw, &e), 0);
        container_writer_roll(cw, 1);
        for (uint8_t i = 0; i < 3; i++) {
            const uint8_t r[] = { 0x04, 0x01, i };
            ck_assert_int_eq(container_writer_add(cw, SPAN_ARRAY(r), &e), 0);
        }
        struct signer s = scene_signer(&w, KIND_AUDIT_LOG);
        ck_assert_int_eq(container_writer_seal(cw, &s, NULL, &path, &e), 0);
        sk_X509_free(s.chain);
        snprintf(at, sizeof at, "%.400s/segment-00002.der", path);
    }
    ck_assert_int_eq(read_all(path, NULL, NULL), 0);
    accidents[_i].what(path);
    int rc = read_all(path, NULL, &e);
    ck_assert_msg(rc == (accidents[_i].code == ERR_NONE ? 0 : -1), "%s",
                  accidents[_i].name);
    ck_assert_msg(e.code == accidents[_i].code, "%s: %s: %s", accidents[_i].name,
                  err_name(e.code), e.msg);
    ck_assert_msg(strstr(e.msg, accidents[_i].says) != NULL, "%s: %s",
                  accidents[_i].name, e.msg);
    ck_assert(strchr(e.msg, '\x1b') == NULL);
    free(path);
}
END_TEST

static int refuse_second(void *ctx, uint64_t number, struct span record,
                         struct err *e)
{
    (void)record;
    ++*(int *)ctx;
    return number == 2 ? err_set(e, ERR_CONFLICT, "no") : 0;
}

START_TEST(the_callback_may_end_it)
{
    AUTO(manifest_clear) struct manifest m;
    struct err e = ERR_INIT;
    int calls = 0;
    char *path = scene_container(&w, KIND_AUDIT_LOG, 0, &m, NULL);
    int fd = open(path, O_RDONLY | O_DIRECTORY);

    ck_assert_int_eq(container_read_segments(fd, &m, refuse_second, &calls, &e), -1);
    ck_assert_int_eq(calls, 2);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    ck_assert_str_eq(e.msg, "segment-00001.der: record 2: no");
    close(fd);
    free(path);
}
END_TEST

/* Segments that the hash agrees with and that are still not records. */
static const struct {
    const char *name, *hex;
    uint64_t records;
    enum err_code code;
} not_records[] = {
    { "one record fewer than said", "0400", 2, ERR_FORMAT },
    { "one record more than said", "04000400", 1, ERR_FORMAT },
    { "indefinite length", "30800000", 1, ERR_FORMAT },
    { "length not minimal", "04810100", 1, ERR_FORMAT },
    { "cut in the header", "0400" "3082", 2, ERR_FORMAT },
    { "cut in the value", "0400" "300500", 2, ERR_FORMAT },
    { "a length beyond the bound", "0400" "308400200000", 2, ERR_FORMAT },
    { "a length just beyond the bound", "3083100000", 1, ERR_LIMIT },
};

START_TEST(segments_that_are_no_records)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct segment_entry s = { .name = "segment-00001.der" };
    struct manifest m = { .segments = &s, .segment_count = 1 };
    struct err e = ERR_INIT;

    buf_put_hex(&b, not_records[_i].hex);
    scene_file_write(w.dir, s.name, buf_span(&b));
    s.size = b.n;
    s.records = not_records[_i].records;
    EVP_Digest(b.p, b.n, s.sha256, NULL, EVP_sha256(), NULL);
    int fd = open(w.dir, O_RDONLY | O_DIRECTORY);
    ck_assert_msg(container_read_segments(fd, &m, NULL, NULL, &e) == -1, "%s",
                  not_records[_i].name);
    close(fd);
    ck_assert_msg(e.code == not_records[_i].code, "%s: %s", not_records[_i].name,
                  e.msg);
}
END_TEST

/* --- the writer ------------------------------------------------------------------- */

START_TEST(the_same_again)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(manifest_clear) struct manifest again;
    AUTO(buf_clear) struct buf cms = BUF_INIT;
    struct container_writer *cw;
    struct err e = ERR_INIT;
    char *path = scene_container(&w, KIND_AUDIT_LOG, 0, &m, &cms), *second;

    AUTO(buf_clear) struct buf segment = scene_file(path, "segment-00001.der");
    for (int wrong = 1; wrong >= 0; wrong--) {
        scene_remove(path);
        scene_manifest(&w, KIND_AUDIT_LOG, &again);
        strcpy(again.id, m.id);
        ck_assert_int_eq(container_writer_open(w.dir, &again, &cw, &e), 0);
        for (size_t i = 0; i < 3; i++) {
            AUTO(buf_clear) struct buf r = BUF_INIT;
            scene_record(&w, KIND_AUDIT_LOG, wrong ? 0 : i, &r);
            ck_assert_int_eq(container_writer_add(cw, buf_span(&r), &e), 0);
        }
        int rc = container_writer_reissue(cw, buf_span(&cms), &second, &e);
        ck_assert_msg(rc == (wrong ? -1 : 0), "%s", e.msg);
        if (wrong) {
            ck_assert_int_eq(e.code, ERR_CONFLICT);
            ck_assert_int_eq(names_in(w.dir), 0);
            manifest_clear(&again);
        }
    }
    ck_assert_str_eq(path, second);
    AUTO(buf_clear) struct buf cms2 = scene_file(second, "manifest.cms");
    AUTO(buf_clear) struct buf segment2 = scene_file(second, "segment-00001.der");
    ck_assert(span_eq(buf_span(&cms), buf_span(&cms2)));
    ck_assert(span_eq(buf_span(&segment), buf_span(&segment2)));
    free(path);
    free(second);
}
END_TEST

START_TEST(never_over_something_else)
{
    AUTO(manifest_clear) struct manifest m;
    AUTO(manifest_clear) struct manifest again;
    struct container_writer *cw = NULL;
    struct err e = ERR_INIT;
    char *path = scene_container(&w, KIND_AUDIT_LOG, 0, &m, NULL);

    scene_manifest(&w, KIND_AUDIT_LOG, &again);
    strcpy(again.id, m.id);
    ck_assert_int_eq(container_writer_open(w.dir, &again, &cw, &e), -1);
    ck_assert_int_eq(e.code, ERR_CONFLICT);
    ck_assert_ptr_null(cw);
    ck_assert_int_eq(read_all(path, NULL, &e), 0);
    ck_assert_int_eq(names_in(w.dir), 1);

    /* It may also appear while the other is being written. */
    char hidden[512];
    manifest_clear(&again);
    scene_manifest(&w, KIND_AUDIT_LOG, &again);
    ck_assert_int_eq(container_writer_open(w.dir, &again, &cw, &e), 0);
    ck_assert_int_eq(container_writer_add(cw, SPAN("\x04\x00", 2), &e), 0);
    snprintf(hidden, sizeof hidden, "%s/audit-log-%s", w.dir, again.id);
    ck_assert_int_eq(mkdir(hidden, 0700), 0);
    struct signer s = scene_signer(&w, KIND_AUDIT_LOG);
    ck_assert_int_eq(container_writer_seal(cw, &s, NULL, NULL, &e), -1);
    sk_X509_free(s.chain);
    ck_assert_int_eq(names_in(w.dir), 2); /* the first, and the empty one */
    ck_assert_int_eq(names_in(hidden), 0);
    free(path);
}
END_TEST

START_TEST(a_killed_writer_is_cleared_away)
{
    AUTO(manifest_clear) struct manifest m;
    struct container_writer *cw;
    struct err e = ERR_INIT;
    char hidden[512];

    scene_manifest(&w, KIND_AUDIT_LOG, &m);
    uuid_make(m.id);
    snprintf(hidden, sizeof hidden, "%s/.audit-log-%s.part", w.dir, m.id);
    ck_assert_int_eq(mkdir(hidden, 0700), 0);
    scene_file_write(hidden, "segment-00001.der", SPAN("half", 4));
    scene_file_write(hidden, "manifest.cms", SPAN("half", 4));
    ck_assert_msg(container_writer_open(w.dir, &m, &cw, &e) == 0, "%s", e.msg);
    ck_assert_int_eq(names_in(hidden), 0);
    container_writer_abort(cw);

    ck_assert_int_eq(mkdir(hidden, 0700), 0);
    scene_file_write(hidden, "precious", SPAN("x", 1));
    ck_assert_int_eq(container_writer_open(w.dir, &m, &cw, &e), -1);
    ck_assert_int_eq(names_in(hidden), 1);
}
END_TEST

/* The medium is full at any octet: the limit of a file's size stands in for
 * it, since it needs no mount. Nothing is left behind. */
START_TEST(a_full_medium_leaves_nothing)
{
    struct rlimit old, limit;
    int failures = 0;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
    for (rlim_t room = 0;; room += 97) {
        AUTO(manifest_clear) struct manifest m;
        struct container_writer *cw;
        struct err e = ERR_INIT;
        int rc = 0;

        scene_manifest(&w, KIND_AUDIT_LOG, &m);
        limit = (struct rlimit){ room, old.rlim_max };
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        ck_assert_int_eq(container_writer_open(w.dir, &m, &cw, &e), 0);
        container_writer_roll(cw, 1);
        for (size_t i = 0; i < 3 && rc == 0; i++) {
            AUTO(buf_clear) struct buf r = BUF_INIT;
            scene_record(&w, KIND_AUDIT_LOG, i, &r);
            rc = container_writer_add(cw, buf_span(&r), &e);
        }
        struct signer s = scene_signer(&w, KIND_AUDIT_LOG);
        if (rc != 0)
            container_writer_abort(cw);
        else
            rc = container_writer_seal(cw, &s, NULL, NULL, &e);
        sk_X509_free(s.chain);
        setrlimit(RLIMIT_FSIZE, &old);
        if (rc == 0)
            break;
        failures++;
        ck_assert_int_eq(names_in(w.dir), 0);
        ck_assert_msg(e.code == ERR_IO || e.code == ERR_FULL, "%s", e.msg);
    }
    ck_assert_int_gt(failures, 5);
    ck_assert_int_eq(names_in(w.dir), 1);
}
END_TEST

START_TEST(an_unfit_signer_seals_nothing)
{
    AUTO(manifest_clear) struct manifest m;
    struct container_writer *cw;
    struct err e = ERR_INIT;

    /* The root is missing where it must be; then a key that is not the
     * certificate's. */
    for (int i = 0; i < 2; i++) {
        enum container_kind k = i ? KIND_AUDIT_LOG : KIND_STATION_CERT;
        scene_manifest(&w, k, &m);
        ck_assert_int_eq(container_writer_open(w.dir, &m, &cw, &e), 0);
        struct signer s = { i ? w.authority.key : w.authority.key,
                            i ? w.station.cert : w.authority.cert, NULL };
        ck_assert_int_eq(container_writer_seal(cw, &s, NULL, NULL, &e), -1);
        ck_assert_int_eq(names_in(w.dir), 0);
        manifest_clear(&m);
    }
    /* A manifest no reader would take. */
    scene_manifest(&w, KIND_AUDIT_LOG, &m);
    m.sequence = 0;
    ck_assert_int_eq(container_writer_open(w.dir, &m, &cw, &e), 0);
    struct signer s = scene_signer(&w, KIND_AUDIT_LOG);
    ck_assert_int_eq(container_writer_seal(cw, &s, NULL, NULL, &e), -1);
    sk_X509_free(s.chain);
    ck_assert_int_eq(names_in(w.dir), 0);

    ck_assert_int_eq(container_writer_open("/nonexistent", &m, &cw, &e), -1);
    ck_assert_int_eq(e.code, ERR_IO);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("container/files");
    TCase *tc = tcase_create("files");

    suite_add_tcase(s, tc);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_set_timeout(tc, 120);
    tcase_add_loop_test(tc, reads_what_was_written, 0, 3);
    tcase_add_test(tc, large_records);
    tcase_add_test(tc, records_out_of_bounds);
    tcase_add_test(tc, every_changed_octet_of_a_segment);
    tcase_add_loop_test(tc, accident, 0, sizeof accidents / sizeof *accidents);
    tcase_add_test(tc, the_callback_may_end_it);
    tcase_add_loop_test(tc, segments_that_are_no_records, 0,
                        sizeof not_records / sizeof *not_records);
    tcase_add_test(tc, the_same_again);
    tcase_add_test(tc, never_over_something_else);
    tcase_add_test(tc, a_killed_writer_is_cleared_away);
    tcase_add_test(tc, a_full_medium_leaves_nothing);
    tcase_add_test(tc, an_unfit_signer_seals_nothing);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
