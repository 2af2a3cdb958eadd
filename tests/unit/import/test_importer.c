/* The import process: what it may do (nothing but read one directory), what
 * it holds, how its end is taken, and the way of a bundle into the ledger.
 * This program is its own importer, as `lineside` is. */
#include "station/import/child.h"
#include "station/import/confine.h"
#include "station/import/import.h"
#include "station/import/importer.h"

#include "storage/events.h"
#include "storage/stock.h"
#include "tests/lab/pki/authority.h"
#include "tests/unit/lab_smdpf/stand.h"
#include "tests/unit/new_ledger.h"
#include "tests/unit/support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct stand stand;
static struct station station;
static struct db *db;
static struct lock *lock;
static char data[96];
static struct err e;

static void good(int rc)
{
    ck_assert_msg(rc == 0, "%s", e.msg);
}

/* --- a station that may import --------------------------------------------------- */

struct identity_of {
    const uint8_t *root, *key_id;
};

static int create(struct tx *tx, void *ctx, struct err *why)
{
    const struct identity_of *i = ctx;

    return station_create(tx, "station-1", i->root, i->key_id, "test", why);
}

static void commission(void)
{
    struct import_result r;
    char *csr = stand_csr(&stand, stand.station.key, "station-1");
    struct station_grant g = { .csr = csr, .out = stand.dir };
    uint8_t key_id[32];
    char *cert = NULL;

    good(authority_grant(&stand.w, &g, &cert, key_id, &e));
    station_init_empty(&station);
    good(station_get(db, &station, &e));
    good(import_station_cert(db, &station, cert, &r, &e));
    station_clear(&station);
    station_init_empty(&station);
    good(station_get(db, &station, &e));
    free(cert);
    free(csr);
}

static void setup(void)
{
    AUTO(x509_free_p) X509 *root = NULL;
    uint8_t root_sha256[32];
    struct identity_of i = { root_sha256, stand.key_id };

    e = (struct err)ERR_INIT;
    stand_make(&stand);
    snprintf(data, sizeof data, "%s/data", stand.dir);
    ck_assert_int_eq(mkdir(data, 0700), 0);
    good(world_cert(&stand.w, "dm/root", &root, &e));
    cert_sha256(root, root_sha256);
    new_ledger(data);
    good(db_open(data, DB_WRITE, NULL, &db, &e));
    good(db_write(db, create, &i, &e));
    good(lock_take(data, LOCK_IMPORT, &lock, &e));
    commission();
}

static void teardown(void)
{
    lock_release(lock);
    db_close(db);
    station_clear(&station);
    stand_clear(&stand);
}

static struct import_trust trust_for(unsigned threads)
{
    struct import_trust t = { .at = 0, .threads = threads };

    memcpy(t.root_sha256, station.root_sha256, 32);
    buf_put_span(&t.dm_root, buf_span(&station.dm_root));
    for (size_t i = 0; i < station.ci_root_count; i++)
        ck_assert_int_eq(blobs_add(&t.ci_roots, buf_span(&station.ci_roots[i])),
                         0);
    for (size_t i = 0; i < station.allowed_smdp_count; i++)
        ck_assert_int_eq(blobs_add(&t.allowed_smdp,
                                   SPAN_STR(station.allowed_smdp[i])), 0);
    return t;
}

static uint64_t received(void)
{
    struct bundle_balances l = { NULL, 0 };
    uint64_t n = 0;

    good(stock_balances(db, &l, &e));
    for (size_t i = 0; i < l.n; i++)
        n += l.v[i].b.received;
    bundle_balances_clear(&l);
    return n;
}

/* --- what it may do ------------------------------------------------------------------ */

static int dir_fd;

static int read_inside(void)
{
    char octet;
    int fd = openat(dir_fd, "inside", O_RDONLY);

    return fd >= 0 && read(fd, &octet, 1) == 1 ? 0 : -1;
}
static int list_inside(void)
{
    char names[1024];

    return syscall(__NR_getdents64, dir_fd, names, sizeof names) > 0 ? 0 : -1;
}
static int write_inside(void) { return openat(dir_fd, "inside", O_WRONLY); }
static int make_inside(void)
{
    return openat(dir_fd, "new", O_CREAT | O_WRONLY, 0600);
}
static int truncate_inside(void)
{
    return openat(dir_fd, "inside", O_RDONLY | O_TRUNC);
}
static int remove_inside(void) { return unlinkat(dir_fd, "inside", 0); }
static int read_elsewhere(void) { return open("/etc/passwd", O_RDONLY); }
static int read_above(void) { return openat(dir_fd, "../outside", O_RDONLY); }
static int stream_socket(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static int net_socket(void) { return socket(AF_INET, SOCK_DGRAM, 0); }
static int new_program(void)
{
    char *argv[] = { "true", NULL };

    return execve("/bin/true", argv, NULL);
}
static int kill_parent(void) { return kill(getppid(), 0); }
static int trace(void) { return (int)syscall(__NR_ptrace, 0, 0, 0, 0); }

static const struct act_row {
    const char *name;
    int (*act)(void);
    bool may;
    bool by_landlock; /* the system call list alone does not stop it */
} acts[] = {
    { "read inside", read_inside, true, false },
    { "list inside", list_inside, true, false },
    { "write inside", write_inside, false, false },
    { "make a file inside", make_inside, false, false },
    { "truncate inside", truncate_inside, false, false },
    { "remove inside", remove_inside, false, false },
    { "read elsewhere", read_elsewhere, false, true },
    { "read above", read_above, false, true },
    { "a local socket", stream_socket, false, false },
    { "a network socket", net_socket, false, false },
    { "another program", new_program, false, false },
    { "signal the parent", kill_parent, false, false },
    { "trace", trace, false, false },
};
#define ACTS ((int)(sizeof acts / sizeof *acts))

static bool have_landlock(void)
{
    return syscall(__NR_landlock_create_ruleset, NULL, 0,
                   LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

static void put_file(const char *path)
{
    FILE *f = fopen(path, "w");

    ck_assert_ptr_nonnull(f);
    fputs("octets", f);
    fclose(f);
}

START_TEST(confined)
{
    const struct act_row *a = &acts[_i];
    char top[64], inner[80], path[100];
    const char *tmp = getenv("TMPDIR");
    int status;

    if (a->by_landlock && !have_landlock()) {
        printf("SKIP: %s: this kernel has no Landlock\n", a->name);
        return;
    }
    snprintf(top, sizeof top, "%.40s/confine.XXXXXX", tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(top));
    snprintf(inner, sizeof inner, "%s/dir", top);
    ck_assert_int_eq(mkdir(inner, 0700), 0);
    snprintf(path, sizeof path, "%s/inside", inner);
    put_file(path);
    snprintf(path, sizeof path, "%s/outside", top);
    put_file(path);
    dir_fd = open(inner, O_RDONLY | O_DIRECTORY);

    pid_t pid = fork();
    if (pid == 0) {
        /* 0 done, 1 refused, 2 not confined, 3 it could not even before. */
        if (a->act != new_program && a->act != trace && a->act != remove_inside &&
            a->act != make_inside && a->act != truncate_inside && a->act() < 0)
            _exit(3);
        lseek(dir_fd, 0, SEEK_SET);
        if (confine_to_dir(dir_fd, NULL) != 0)
            _exit(2);
        _exit(a->act() < 0 ? 1 : 0);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == (a->may ? 0 : 1),
                  "%s: status %x", a->name, (unsigned)status);
    close(dir_fd);
    unlink(path);
    snprintf(path, sizeof path, "%s/inside", inner);
    ck_assert_int_eq(unlink(path), 0); /* still there */
    ck_assert_int_eq(rmdir(inner), 0); /* and nothing else */
    ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

/* --- the process ---------------------------------------------------------------------- */

/* A bundle larger than the pipe: the importer waits for its reader. */
static struct produced large_bundle(void)
{
    struct produce_order o = stand_order(&stand);
    struct produced made;

    o.target_size = 500 * 1024;
    o.session_keys = true;
    good(book_intake(&stand.w, stand.book, 2, &e));
    good(smdpf_produce(&stand.w, stand.book, &o, &made, &e));
    return made;
}

/* The open descriptors of a process, one bit each. */
static unsigned long descriptors(pid_t pid)
{
    char path[64];
    struct dirent *de;
    unsigned long bits = 0;

    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *d = opendir(path);
    ck_assert_ptr_nonnull(d);
    while ((de = readdir(d)))
        if (de->d_name[0] != '.')
            bits |= 1ul << atoi(de->d_name);
    closedir(d);
    return bits;
}

START_TEST(holds_nothing)
{
    struct import_trust t = trust_for(2);
    struct produced made = large_bundle();
    struct import_child c;
    enum frame_type type;
    struct span payload;
    /* One that a careless library left open for children. */
    int careless = open("/etc/passwd", O_RDONLY);

    good(import_child_start(&c, made.container, &t, &e));
    good(import_child_next(&c, &type, &payload, &e));
    ck_assert_int_eq(type, FRAME_MANIFEST);
    ck_assert_uint_eq(descriptors(c.pid) & ~(1ul << 2),
                      1ul << IMPORTER_TRUST_FD | 1ul << IMPORTER_OUT_FD |
                      1ul << IMPORTER_DIR_FD);

    /* It dies before its time: said so, and no more frames. */
    ck_assert_int_eq(kill(c.pid, SIGKILL), 0);
    int got;
    do
        got = import_child_next(&c, &type, &payload, &e);
    while (got == 0);
    ck_assert_int_eq(e.code, ERR_CLOSED);
    ck_assert_ptr_nonnull(strstr(e.msg, "import it again"));
    import_child_end(&c, NULL);
    import_child_end(&c, NULL); /* twice is harmless */
    close(careless);
    import_trust_clear(&t);
    free(made.container);
}
END_TEST

START_TEST(no_container)
{
    static const char *const paths[] = { "/nowhere/at/all", "/etc/passwd" };
    struct import_trust t = trust_for(1);
    struct import_child c;

    ck_assert_int_eq(import_child_start(&c, paths[_i], &t, &e), -1);
    ck_assert_int_eq(e.code, ERR_IO);
    import_trust_clear(&t);
}
END_TEST

/* --- into the ledger -------------------------------------------------------------------- */

START_TEST(bundle_comes_in)
{
    struct produced made = stand_bundle(&stand);
    struct import_result r;

    good(import_container(db, lock, &station, made.container, &r, &e));
    ck_assert_int_eq(r.kind, KIND_BPP_BUNDLE);
    ck_assert_str_eq(r.id, made.id);
    ck_assert_str_eq(r.issuer, "2.999.10");
    ck_assert_uint_eq(r.sequence, 1);
    ck_assert_uint_eq(r.sum.records, STAND_EUICCS);
    ck_assert_int_gt(r.importer_kib, 0);
    ck_assert_uint_eq(received(), STAND_EUICCS);

    ck_assert_int_eq(import_container(db, lock, &station, made.container, &r,
                                      &e), -1);
    ck_assert_int_eq(e.code, ERR_REPLAY);
    ck_assert_uint_eq(received(), STAND_EUICCS);
    free(made.container);
}
END_TEST

START_TEST(euicc_data_comes_in)
{
    struct import_result r;

    good(import_container(db, lock, &station, stand.euicc_data, &r, &e));
    ck_assert_int_eq(r.kind, KIND_EUICC_DATA);
    ck_assert_uint_eq(r.sum.records, STAND_EUICCS);
    ck_assert_uint_eq(r.sum.keys, STAND_EUICCS * STAND_KEYS);
}
END_TEST

/* A bundle whose end is wrong: what came before is not kept either. */
START_TEST(half_a_bundle)
{
    struct produced made = stand_bundle(&stand);
    struct event_head before, after;
    struct import_result r;
    char path[200];
    uint64_t removed = 1;
    struct stat st;

    snprintf(path, sizeof path, "%s/segment-00001.der", made.container);
    ck_assert_int_eq(stat(path, &st), 0);
    int fd = open(path, O_RDWR);
    ck_assert_int_eq(pwrite(fd, "!", 1, st.st_size - 1), 1);
    close(fd);
    good(event_head(db, &before, &e));
    ck_assert_int_eq(import_container(db, lock, &station, made.container, &r,
                                      &e), -1);
    ck_assert_uint_eq(received(), 0);
    good(event_head(db, &after, &e));
    ck_assert_uint_eq(before.number, after.number);
    good(import_leftovers(db, lock, &removed, &e));
    ck_assert_uint_eq(removed, 0);
    free(made.container);
}
END_TEST

START_TEST(not_commissioned)
{
    struct import_result r;
    struct station s;

    station_init_empty(&s);
    ck_assert_int_eq(import_container(db, lock, &s, stand.euicc_data, &r, &e),
                     -1);
    ck_assert_int_eq(e.code, ERR_WRONG_STATE);
}
END_TEST

int main(int argc, char **argv)
{
    const struct {
        const char *name;
        const TTest *run;
        int rows;
        bool plain;
    } tests[] = {
        { "confined", confined, ACTS, true },
        { "holds nothing", holds_nothing, 1, false },
        { "no container", no_container, 2, false },
        { "bundle comes in", bundle_comes_in, 1, false },
        { "euicc-data comes in", euicc_data_comes_in, 1, false },
        { "half a bundle", half_a_bundle, 1, false },
        { "not commissioned", not_commissioned, 1, false },
    };

    /* _exit: the leak check at exit wants system calls that it gave up. */
    if (argc > 1 && strcmp(argv[1], "importer") == 0)
        _exit(importer_main());

    Suite *s = suite_create("importer");
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
        TCase *c = tcase_create(tests[i].name);
        tcase_set_timeout(c, 60);
        if (!tests[i].plain)
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
