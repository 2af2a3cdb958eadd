/* Opening, migrating, locking: every refusal says what to do next. */
#include "storage/inner.h" /* SCHEMA_VERSION */
#include "tests/unit/storage/ledger_ground.h"

#include <pthread.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void remove_ledger(const struct ground *g)
{
    static const char *const names[] = { "", "-wal", "-shm" };
    char path[512];

    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/" LEDGER_FILE "%s", g->dir, names[i]);
        unlink(path);
    }
}

static void write_ledger(const struct ground *g, const void *p, size_t n)
{
    char path[512];

    snprintf(path, sizeof path, "%s/" LEDGER_FILE, g->dir);
    FILE *f = fopen(path, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(p, 1, n, f), n);
    fclose(f);
}

static void close_only(struct ground *g)
{
    db_close(g->db);
    g->db = NULL;
}

static int try_open(struct ground *g, struct err *e)
{
    return db_open(g->dir, DB_WRITE, &g->options, &g->db, e);
}

START_TEST(missing_things)
{
    struct err e = ERR_INIT;
    struct ground g;

    bad(db_open("/nowhere/at/all", DB_READ, NULL, &g.db, &e), ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(e.msg, "lineside init"));
    bad(db_create("/nowhere/at/all", NULL, &e), ERR_NOT_FOUND);
    bad(db_open("/dev/null", DB_READ, NULL, &g.db, &e), ERR_IO);
    ground_open(&g);
    close_only(&g);
    remove_ledger(&g);
    bad(try_open(&g, &e), ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(e.msg, "lineside init"));
    write_ledger(&g, "", 0); /* init died before anything */
    bad(try_open(&g, &e), ERR_NOT_FOUND);
    good(db_create(g.dir, &g.options, &e));
    good(try_open(&g, &e));
    ground_close(&g);
}
END_TEST

START_TEST(not_a_ledger)
{
    static const char page[4096] = "this is a shopping list, not a ledger";
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    close_only(&g);
    remove_ledger(&g);
    write_ledger(&g, page, sizeof page);
    bad(try_open(&g, &e), ERR_FORMAT);
    bad(db_create(g.dir, NULL, &e), ERR_FORMAT);
    remove_ledger(&g);
    sqlite3 *s; /* a good database of someone else's */
    char path[512];
    snprintf(path, sizeof path, "%s/" LEDGER_FILE, g.dir);
    ck_assert_int_eq(sqlite3_open(path, &s), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(s, "CREATE TABLE t(a)", 0, 0, 0), SQLITE_OK);
    sqlite3_close(s);
    bad(try_open(&g, &e), ERR_FORMAT);
    bad(db_create(g.dir, NULL, &e), ERR_CONFLICT);
    ground_close(&g);
}
END_TEST

START_TEST(create_never_overwrites)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(db_create(g.dir, &g.options, &e)); /* nothing in it yet */
    ground_bundle(&g, 1, 1, 1, 1);
    bad(db_create(g.dir, &g.options, &e), ERR_CONFLICT);
    ck_assert_int_eq(ground_bpp(g.db, 1).state, BPP_IN_STOCK);
    ground_close(&g);
}
END_TEST

START_TEST(a_newer_schema_is_refused)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    close_only(&g);
    ck_assert_int_eq(ground_sql(&g, "PRAGMA user_version = 99"), 0);
    bad(try_open(&g, &e), ERR_FORMAT);
    ck_assert_ptr_nonnull(strstr(e.msg, "99"));
    ck_assert_ptr_nonnull(strstr(e.msg, "newer program"));
    bad(db_create(g.dir, &g.options, &e), ERR_FORMAT);
    ck_assert_int_eq(ground_sql_int(&g, "PRAGMA user_version"), 99);
    ground_close(&g);
}
END_TEST

START_TEST(version_0_is_migrated)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    close_only(&g);
    remove_ledger(&g);
    write_ledger(&g, "", 0);
    ck_assert_int_eq(ground_sql(&g, "PRAGMA application_id = 1280535655"), 0);
    ck_assert_int_eq(ground_sql_int(&g, "PRAGMA user_version"), 0);
    good(try_open(&g, &e));
    ck_assert_int_eq(ground_sql_int(&g, "PRAGMA user_version"), SCHEMA_VERSION);
    ground_bundle(&g, 1, 1, 2, 1);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* What the issue asks of the file itself. */
START_TEST(the_file_is_as_promised)
{
    struct ground g;

    ground_open(&g);
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM pragma_journal_mode"
                                    " WHERE journal_mode = 'wal'"), 1);
    /* views and virtual tables aside, every table is STRICT */
    ck_assert_int_eq(ground_sql_int(&g, "SELECT count(*) FROM pragma_table_list"
                                    " WHERE schema = 'main' AND type = 'table'"
                                    " AND name NOT LIKE 'sqlite_%'"
                                    " AND strict = 0"), 0);
    ck_assert_int_gt(ground_sql_int(&g, "SELECT count(*) FROM pragma_table_list"
                                    " WHERE schema = 'main' AND strict = 1"),
                     10);
    ground_close(&g);
}
END_TEST

/* root may write anywhere: ask as nobody. */
START_TEST(a_read_only_directory)
{
    struct err e = ERR_INIT;
    struct ground g;
    int status;

    ground_open(&g);
    close_only(&g);
    ck_assert_int_eq(chmod(g.dir, 0555), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (getuid() == 0 && setuid(65534) != 0)
            _exit(9);
        bool ok = try_open(&g, &e) == -1 && e.code == ERR_IO &&
                  strstr(e.msg, "cannot be written") &&
                  db_create(g.dir, NULL, &e) == -1 && e.code == ERR_IO;
        _exit(ok ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert_int_eq(chmod(g.dir, 0755), 0);
    ground_close(&g);
}
END_TEST

static int nothing(struct tx *tx, void *ctx, struct err *e)
{
    (void)tx;
    (void)ctx;
    (void)e;
    return 0;
}

static int say(struct tx *tx, void *ctx, struct err *e)
{
    return event_append(tx, ctx, "test", NULL, 0, NULL, e);
}

START_TEST(reading_connections_cannot_write)
{
    struct err e = ERR_INIT;
    struct ground g;
    struct db *r;

    ground_open(&g);
    good(db_open(g.dir, DB_READ, &g.options, &r, &e));
    bad(db_write(r, nothing, NULL, &e), ERR_INTERNAL);
    good(event_verify(r, NULL, &e));
    db_close(r);
    ground_close(&g);
}
END_TEST

static int write_inside(struct tx *tx, void *ctx, struct err *e)
{
    return db_write(tx_db(tx), nothing, ctx, e);
}

START_TEST(no_transaction_inside_another)
{
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    bad(db_write(g.db, write_inside, NULL, &e), ERR_INTERNAL);
    good(db_write(g.db, nothing, NULL, &e)); /* and it is not stuck */
    ground_close(&g);
}
END_TEST

/* --- several writers -------------------------------------------------------------- */

static int busy_meanwhile(struct tx *tx, void *ctx, struct err *e)
{
    struct db *other = ctx;
    struct err inner = ERR_INIT;

    (void)tx;
    if (db_write(other, nothing, NULL, &inner) == 0 ||
        inner.code != ERR_BUSY)
        return err_set(e, ERR_INTERNAL, "not busy: %s", inner.msg);
    return 0;
}

START_TEST(a_second_writer_waits_then_says_busy)
{
    struct err e = ERR_INIT;
    struct ground g;
    struct db *other;

    ground_open(&g);
    const struct db_options o = { .busy_ms = 20 };
    good(db_open(g.dir, DB_WRITE, &o, &other, &e));
    good(db_write(g.db, busy_meanwhile, other, &e));
    good(db_write(other, nothing, NULL, &e));
    db_close(other);
    ground_close(&g);
}
END_TEST


static int head_twice(struct db *db, void *ctx, struct err *e)
{
    struct event_head a, b;

    if (event_head(db, &a, e) != 0 || db_write(ctx, say, "said", e) != 0 ||
        event_head(db, &b, e) != 0)
        return -1;
    return a.number == b.number ? 0 : err_set(e, ERR_INTERNAL, "it moved");
}

START_TEST(a_snapshot_stands_still)
{
    struct event_head head;
    struct err e = ERR_INIT;
    struct ground g;
    struct db *reader;

    ground_open(&g);
    good(db_open(g.dir, DB_READ, &g.options, &reader, &e));
    good(db_snapshot(reader, head_twice, g.db, &e));
    good(event_head(reader, &head, &e));
    ck_assert_uint_eq(head.number, 1);
    db_close(reader);
    ground_close(&g);
}
END_TEST

static void *say_many(void *p)
{
    struct err e = ERR_INIT;

    for (int i = 0; i < 50; i++)
        good(db_write(p, say, "said", &e));
    return NULL;
}

/* One connection from many threads, and a second one beside it. */
START_TEST(threads_share_a_connection)
{
    struct event_head head;
    struct err e = ERR_INIT;
    pthread_t t[4];
    struct ground g;
    struct db *other;

    ground_open(&g);
    good(db_open(g.dir, DB_WRITE, &g.options, &other, &e));
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&t[i], NULL, say_many,
                                        i < 3 ? g.db : other), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
    good(event_verify(g.db, &head, &e));
    ck_assert_uint_eq(head.number, 200);
    db_close(other);
    ground_close(&g);
}
END_TEST

/* A long writer that commits and begins again at once would win nearly every
 * time; stepping aside, it lets the one that waits go first. */
#define ROUNDS 7

static bool someone_waits(const struct ground *g)
{
    char path[512];

    snprintf(path, sizeof path, "%s/turn.lock", g->dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    bool waits = flock(fd, LOCK_EX | LOCK_NB) != 0;
    close(fd);
    return waits;
}

static void *say_once(void *p)
{
    struct err e = ERR_INIT;

    good(db_write(p, say, "line", &e));
    return NULL;
}

struct waiting {
    const struct ground *g;
    struct db *line;
    pthread_t *thread;
};

static int hold_until_asked(struct tx *tx, void *ctx, struct err *e)
{
    struct waiting *w = ctx;

    (void)tx;
    if (pthread_create(w->thread, NULL, say_once, w->line) != 0)
        return err_set(e, ERR_NOMEM, "no thread");
    while (!someone_waits(w->g))
        usleep(200);
    return 0;
}

static int newest_kind(void *ctx, uint64_t number, struct span der,
                       const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct event ev;

    (void)number;
    (void)hash;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    *(bool *)ctx = span_eq(ev.kind, SPAN_STR("line"));
    return 0;
}

START_TEST(long_writers_step_aside)
{
    struct err e = ERR_INIT;
    struct ground g;
    struct db *line;
    int line_first = 0;

    ground_open(&g);
    good(db_open(g.dir, DB_WRITE, &g.options, &line, &e));
    for (int i = 0; i < ROUNDS; i++) {
        const struct log_filter newest = { .limit = 1 };
        uint64_t looked_to;
        bool last_is_line;
        pthread_t t;
        struct import *im = ground_begin(&g, (unsigned)i + 1);
        good(ground_record(im, (unsigned)i, 1, 50, &e));
        /* The line asks while the import's connection writes ... */
        struct waiting w = { &g, line, &t };
        good(db_write(g.db, hold_until_asked, &w, &e));
        /* ... and the next batch and the import's event come after it. */
        good(import_finish(im, "test", NULL, &e));
        pthread_join(t, NULL);
        good(query_log(g.db, &newest, newest_kind, &last_is_line,
                       &looked_to, &e));
        line_first += !last_is_line;
        lock_release(g.lock);
        g.lock = NULL;
    }
    ck_assert_int_ge(line_first, ROUNDS - 2);
    db_close(line);
    ground_close(&g);
}
END_TEST

static int hold_while_looked_at(struct tx *tx, void *ctx, struct err *e)
{
    struct waiting *w = ctx;
    char path[512];

    (void)tx;
    snprintf(path, sizeof path, "%s/turn.lock", w->g->dir);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || flock(fd, LOCK_EX) != 0 ||
        pthread_create(w->thread, NULL, say_once, w->line) != 0)
        return err_set(e, ERR_NOMEM, "no thread");
    usleep(100000); /* it has asked by now */
    close(fd);
    for (int i = 0; i < 10000 && !someone_waits(w->g); i++)
        usleep(200);
    return someone_waits(w->g) ? 0 : err_set(e, ERR_TIMEOUT, "it did not ask again");
}

/* Who is not heard asks again. */
START_TEST(asks_again)
{
    struct err e = ERR_INIT;
    struct ground g;
    struct db *line;
    pthread_t t;

    ground_open(&g);
    good(db_open(g.dir, DB_WRITE, &g.options, &line, &e));
    struct waiting w = { &g, line, &t };
    int bad = db_write(g.db, hold_while_looked_at, &w, &e);
    pthread_join(t, NULL);
    good(bad);
    db_close(line);
    ground_close(&g);
}
END_TEST

/* --- locks ---------------------------------------------------------------------------- */

START_TEST(a_second_run_is_told_who)
{
    struct lock *run, *import, *again;
    struct err e = ERR_INIT;
    struct ground g;
    char pid[32];
    int status;

    ground_open(&g);
    good(lock_take(g.dir, LOCK_RUN, &run, &e));
    good(lock_take(g.dir, LOCK_IMPORT, &import, &e));
    snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    pid_t child = fork();
    if (child == 0) {
        bool ok = lock_take(g.dir, LOCK_RUN, &again, &e) == -1 &&
                  e.code == ERR_BUSY && strstr(e.msg, pid) &&
                  strstr(e.msg, "lineside run") &&
                  lock_take(g.dir, LOCK_IMPORT, &again, &e) == -1 &&
                  e.code == ERR_BUSY && strstr(e.msg, "import");
        _exit(ok ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    lock_release(run);
    good(lock_take(g.dir, LOCK_RUN, &again, &e));
    lock_release(again);
    lock_release(import);
    bad(lock_take("/nowhere/at/all", LOCK_RUN, &again, &e), ERR_IO);
    ground_close(&g);
}
END_TEST

/* A lock ends with its process. */
START_TEST(a_dead_process_holds_nothing)
{
    struct lock *l;
    struct err e = ERR_INIT;
    struct ground g;
    int status;

    ground_open(&g);
    pid_t child = fork();
    if (child == 0)
        _exit(lock_take(g.dir, LOCK_RUN, &l, &e) == 0 ? 7 : 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(WEXITSTATUS(status), 7);
    good(lock_take(g.dir, LOCK_RUN, &l, &e));
    lock_release(l);
    ground_close(&g);
}
END_TEST

/* Askers are in nobody's way, however many they are. */
static void *asks(void *ctx)
{
    struct ground *g = ctx;
    struct err e = ERR_INIT;
    bool held;
    long pid;

    for (int i = 0; i < 3000; i++)
        if (lock_held(g->dir, LOCK_RUN, &held, &pid, &e) != 0)
            return ctx;
    return NULL;
}

START_TEST(who_asks_for_a_lock_holds_nobody_up)
{
    struct err e = ERR_INIT;
    pthread_t askers[2];
    struct lock *l;
    struct ground g;
    bool held;
    long pid;
    void *failed;

    ground_open(&g);
    good(lock_held(g.dir, LOCK_RUN, &held, &pid, &e)); /* there is no file yet */
    ck_assert(!held && pid == 0);
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&askers[i], NULL, asks, &g), 0);
    for (int i = 0; i < 300; i++) {
        good(lock_take(g.dir, LOCK_RUN, &l, &e));
        bad(lock_take(g.dir, LOCK_RUN, &(struct lock *){ NULL }, &e), ERR_BUSY);
        good(lock_held(g.dir, LOCK_RUN, &held, &pid, &e));
        ck_assert(held && pid == (long)getpid());
        lock_release(l);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(askers[i], &failed);
        ck_assert_ptr_null(failed);
    }
    good(lock_held(g.dir, LOCK_RUN, &held, &pid, &e));
    ck_assert(!held && pid == 0);
    ground_close(&g);
}
END_TEST

START_TEST(an_older_schema_as_it_is)
{
    struct err e = ERR_INIT;
    struct ground g;
    struct db *db;
    int version;

    ground_open(&g);
    struct db_options o = g.options;
    o.as_is = true;
    good(db_open(g.dir, DB_READ, &o, &db, &e));
    good(schema_version(db, &version, &e));
    good(db_quick_check(db, &e));
    db_close(db);
    ck_assert_int_eq(ground_sql(&g, "PRAGMA user_version = 2"), 0);
    bad(db_open(g.dir, DB_READ, &o, &db, &e), ERR_WRONG_STATE);
    ck_assert_int_eq(ground_sql_int(&g, "PRAGMA user_version"), 2);
    ck_assert_int_eq(version, SCHEMA_VERSION);
    ground_close(&g);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "missing", missing_things, 1 },
        { "not a ledger", not_a_ledger, 1 },
        { "never overwrites", create_never_overwrites, 1 },
        { "newer schema", a_newer_schema_is_refused, 1 },
        { "version 0", version_0_is_migrated, 1 },
        { "the file", the_file_is_as_promised, 1 },
        { "read-only directory", a_read_only_directory, 1 },
        { "read connection", reading_connections_cannot_write, 1 },
        { "nesting", no_transaction_inside_another, 1 },
        { "busy", a_second_writer_waits_then_says_busy, 1 },
        { "snapshot", a_snapshot_stands_still, 1 },
        { "threads", threads_share_a_connection, 1 },
        { "step aside", long_writers_step_aside, 1 },
        { "asks again", asks_again, 1 },
        { "second run", a_second_run_is_told_who, 1 },
        { "dead process", a_dead_process_holds_nothing, 1 },
        { "asking", who_asks_for_a_lock_holds_nobody_up, 1 },
        { "as it is", an_older_schema_as_it_is, 1 },
    };

    return run_tests("storage/db", tests, sizeof tests / sizeof *tests);
}
