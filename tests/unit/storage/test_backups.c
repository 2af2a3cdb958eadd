/* The copy of a ledger, what the ledger knows of its copies, and how one that
 * was restored changes hands. */
#include "storage/backups.h"
#include "tests/unit/storage/ledger_ground.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t root[32] = { 1 }, old_key[32] = { 7 }, new_key[32] = { 8 };

static int init(struct tx *tx, void *ctx, struct err *e)
{
    return station_create(tx, ctx, root, old_key, "test", e);
}

static int enter(struct tx *tx, void *ctx, struct err *e)
{
    return backup_add(tx, ctx, "Ada", e);
}

static int take_over(struct tx *tx, void *ctx, struct err *e)
{
    uint64_t epoch = 0;

    if (ledger_take_over(tx, ctx, "restore", &epoch, e) != 0)
        return -1;
    ck_assert_uint_gt(epoch, 1);
    return 0;
}

static void open_station(struct ground *g)
{
    struct err e = ERR_INIT;

    ground_open(g);
    good(db_write(g->db, init, "ST-1", &e));
}

/* A folder beside the ledger, and the copy in it opened. */
static struct db *copy_of(struct ground *g, char dir[160])
{
    struct err e = ERR_INIT;
    struct db *db = NULL;

    snprintf(dir, 160, "%s/copy", g->dir);
    ck_assert_int_eq(mkdir(dir, 0700), 0);
    good(backup_copy(g->db, dir, &e));
    good(db_open(dir, DB_WRITE, &g->options, &db, &e));
    return db;
}

static void copy_gone(struct db *db, const char *dir)
{
    static const char *const files[] = { "ledger.db", "ledger.db-wal",
                                         "ledger.db-shm", "turn.lock" };
    char path[200];

    db_close(db);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(a_copy_is_the_ledger)
{
    struct event_head was, is;
    struct err e = ERR_INIT;
    struct ground g;
    char dir[160];

    open_station(&g);
    ground_bundle(&g, 1, 1, 20, 2);
    good(event_head(g.db, &was, &e));
    struct db *copy = copy_of(&g, dir);
    ground_bundle(&g, 2, 21, 2, 1); /* the original goes on alone */
    good(event_verify(copy, &is, &e));
    ck_assert_uint_eq(is.number, was.number);
    ck_assert_mem_eq(is.hash, was.hash, sizeof is.hash);
    ground_balanced(copy);
    good(db_check_file(copy, &e));
    ck_assert_int_eq(ground_bpp(copy, 20).state, BPP_IN_STOCK);
    bad(backup_copy(g.db, "/nowhere", &e), ERR_IO);
    copy_gone(copy, dir);
    ground_close(&g);
}
END_TEST

/* --- while others write ---------------------------------------------------------- */

struct busy {
    struct ground *g;
    bool stop;
    unsigned done;
};

static int one_event(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    return ledger_clock_confirm(tx, "test", e);
}

static void *write_on(void *arg)
{
    struct busy *b = arg;
    struct db *db = NULL;
    struct err e = ERR_INIT;

    if (db_open(b->g->dir, DB_WRITE, &b->g->options, &db, &e) != 0)
        return NULL;
    while (!__atomic_load_n(&b->stop, __ATOMIC_ACQUIRE))
        if (db_write(db, one_event, NULL, &e) == 0)
            __atomic_add_fetch(&b->done, 1, __ATOMIC_RELEASE);
    db_close(db);
    return NULL;
}

START_TEST(others_write_meanwhile)
{
    struct busy b = { .g = NULL };
    struct event_head was, is;
    struct err e = ERR_INIT;
    struct ground g;
    pthread_t t;
    char dir[160];

    open_station(&g);
    ground_bundle(&g, 1, 1, 200, 2);
    b.g = &g;
    ck_assert_int_eq(pthread_create(&t, NULL, write_on, &b), 0);
    while (__atomic_load_n(&b.done, __ATOMIC_ACQUIRE) < 5)
        usleep(1000);
    for (int i = 0; i < 5; i++) {
        good(event_head(g.db, &was, &e));
        struct db *copy = copy_of(&g, dir);
        good(event_verify(copy, &is, &e)); /* one moment, whichever */
        ck_assert_uint_ge(is.number, was.number);
        ground_balanced(copy);
        copy_gone(copy, dir);
    }
    __atomic_store_n(&b.stop, true, __ATOMIC_RELEASE);
    pthread_join(t, NULL);
    good(event_head(g.db, &is, &e));
    ck_assert_uint_gt(is.number, was.number);
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

/* --- what was made ------------------------------------------------------------------ */

START_TEST(made_and_overdue)
{
    struct backup_info b = { .id = "b-1", .sequence = 1, .epoch = 1 }, last;
    struct backup_need need;
    struct event_head head;
    struct err e = ERR_INIT;
    struct ground g;

    open_station(&g);
    bad(backup_last(g.db, &last, &e), ERR_NOT_FOUND);
    good(backup_needed(g.db, &need, &e));
    ck_assert(!need.any && !need.overdue);
    ck_assert_uint_eq(need.events, 1);
    ground_now += BACKUP_OVERDUE_S + 1; /* never, and a week old */
    good(backup_needed(g.db, &need, &e));
    ck_assert(!need.any && need.overdue);
    ck_assert_int_eq(need.age_s, BACKUP_OVERDUE_S + 1);

    good(event_head(g.db, &head, &e));
    b.last_event = head.number;
    b.created_at = ground_now;
    bad((b.sequence = 2, db_write(g.db, enter, &b, &e)), ERR_CONFLICT);
    good((b.sequence = 1, db_write(g.db, enter, &b, &e)));
    bad(db_write(g.db, enter, &b, &e), ERR_CONFLICT);
    good(backup_last(g.db, &last, &e));
    ck_assert_str_eq(last.id, "b-1");
    ck_assert_uint_eq(last.last_event, head.number);
    good(backup_needed(g.db, &need, &e));
    ck_assert(need.any && !need.overdue);
    ck_assert_uint_eq(need.events, 0); /* but that of the backup itself */

    /* Nothing happened since: however old, it is all there is. */
    ground_now += BACKUP_OVERDUE_S + 1;
    good(backup_needed(g.db, &need, &e));
    ck_assert(!need.overdue);
    ground_bundle(&g, 1, 1, 1, 1);
    good(backup_needed(g.db, &need, &e));
    ck_assert(need.overdue);
    ck_assert_uint_eq(need.events, 1);
    good(event_verify(g.db, NULL, &e));
    ground_now = GROUND_NOW;
    ground_close(&g);
}
END_TEST

/* --- another's hands ------------------------------------------------------------------ */

static int commission(struct tx *tx, void *ctx, struct err *e)
{
    static const struct span ci = { (const uint8_t *)"CI", 2 };
    static const char *const allowed[] = { SMDP };
    struct container_seen seen = {
        .kind = SEEN_STATION_CERT, .id = ctx, .issuer = "authority", .sequence = 1,
        .created_at = GROUND_NOW, .not_after = GROUND_NOW + 9,
    };
    struct station_trust trust = {
        .site = "Plant 1", .chain = SPAN("chain", 5), .dm_root = SPAN("root", 4),
        .recovery = SPAN("recovery", 8), .ci_roots = &ci, .ci_root_count = 1,
        .allowed_smdp = allowed, .allowed_smdp_count = 1,
    };

    seen.recipients[0] = ((const char *)ctx)[0]; /* another key, another list */
    return station_commission(tx, &seen, &trust, "test", e);
}

static int init_pinned(struct tx *tx, void *ctx, struct err *e)
{
    uint8_t hash[32];

    event_hash(SPAN("root", 4), hash);
    return station_create(tx, ctx, hash, old_key, "test", e);
}

START_TEST(a_restored_ledger_changes_hands)
{
    struct takeover t = { .backup = "b-1", .station = "ST-2" };
    struct retired_station r;
    struct event_head head;
    struct station s;
    struct err e = ERR_INIT;
    struct ground g;

    ground_open(&g);
    good(db_write(g.db, init_pinned, "ST-1", &e));
    good(db_write(g.db, commission, "a-cert", &e));
    bad(retired_last(g.db, &r, &e), ERR_NOT_FOUND);
    good(event_head(g.db, &head, &e));
    memcpy(t.key_id, old_key, 32);
    bad(db_write(g.db, take_over, &t, &e), ERR_CONFLICT); /* the old key */
    memcpy(t.key_id, new_key, 32);
    t.station = "ST-1";
    bad(db_write(g.db, take_over, &t, &e), ERR_CONFLICT); /* the old id */
    t.station = "ST-2";
    good(db_write(g.db, take_over, &t, &e));

    good(station_get(g.db, &s, &e));
    ck_assert_str_eq(s.id, "ST-2");
    ck_assert_mem_eq(s.key_id, new_key, 32);
    ck_assert_uint_eq(s.epoch, 2);
    ck_assert(!s.commissioned); /* nothing leaves without a new certificate */
    ck_assert_uint_eq(s.ci_root_count, 1);
    ck_assert_uint_eq(s.allowed_smdp_count, 1);
    ck_assert_str_eq(s.site, "Plant 1");
    station_clear(&s);
    good(retired_last(g.db, &r, &e));
    ck_assert_str_eq(r.id, "ST-1");
    ck_assert_str_eq(r.backup, "b-1");
    ck_assert_uint_eq(r.epoch, 1);
    ck_assert_uint_eq(r.last_event, head.number);

    /* The new one's certificate counts anew, since it goes to another key. */
    good(db_write(g.db, commission, "b-cert", &e));
    good(station_get(g.db, &s, &e));
    ck_assert(s.commissioned);
    ck_assert(span_eq(buf_span(&s.recovery), SPAN_STR("recovery")));
    station_clear(&s);

    memcpy(t.key_id, (uint8_t[32]){ 9 }, 32);
    t.station = "ST-3";
    good(db_write(g.db, take_over, &t, &e));
    good(retired_last(g.db, &r, &e));
    ck_assert_str_eq(r.id, "ST-2");
    ck_assert_uint_eq(r.epoch, 2);
    good(event_verify(g.db, NULL, &e));
    ground_close(&g);
}
END_TEST

/* --- a file from elsewhere -------------------------------------------------------------- */

static const char *const meddled[] = {
    "DROP TRIGGER event_keep",
    "DROP INDEX bpp_eid",
    "CREATE TRIGGER mine AFTER INSERT ON event BEGIN SELECT 1; END",
    "CREATE TABLE mine(a)",
    "CREATE VIEW mine AS SELECT 1",
    "DROP VIEW live_bpp; CREATE VIEW live_bpp AS SELECT * FROM bpp",
    "PRAGMA foreign_keys = OFF; UPDATE station SET event = 99",
};

START_TEST(a_meddled_file_is_refused)
{
    struct err e = ERR_INIT;
    struct ground g;

    open_station(&g);
    good(db_check_file(g.db, &e));
    db_close(g.db);
    g.db = NULL;
    ck_assert_int_eq(ground_sql(&g, meddled[_i]), 0);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    bad(db_check_file(g.db, &e), ERR_FORMAT);
    ground_close(&g);
}
END_TEST

START_TEST(version_8_is_migrated)
{
    struct station s;
    struct err e = ERR_INIT;
    struct ground g;

    open_station(&g);
    ground_bundle(&g, 1, 1, 2, 1);
    ground_back_to(&g, 8);
    good(db_open(g.dir, DB_WRITE, &g.options, &g.db, &e));
    good(station_get(g.db, &s, &e));
    ck_assert_uint_eq(s.epoch, 1);
    ck_assert_uint_eq(s.recovery.n, 0);
    station_clear(&s);
    good(db_check_file(g.db, &e)); /* laid out as one made anew */
    ground_balanced(g.db);
    ground_close(&g);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof *(a))

int main(void)
{
    const struct table_test tests[] = {
        { "a copy", a_copy_is_the_ledger, 1 },
        { "others write", others_write_meanwhile, 1 },
        { "overdue", made_and_overdue, 1 },
        { "other hands", a_restored_ledger_changes_hands, 1 },
        { "meddled", a_meddled_file_is_refused, ROWS(meddled) },
        { "version 8", version_8_is_migrated, 1 },
    };

    return run_tests("storage/backups", tests, sizeof tests / sizeof *tests);
}
