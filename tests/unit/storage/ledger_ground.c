#include "tests/unit/storage/ledger_ground.h"

#include "tests/unit/new_ledger.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int64_t ground_now = GROUND_NOW;
const struct act ground_act = { .actor = "test", .fixture = "F1" };

int64_t ground_clock(void)
{
    return ground_now;
}

struct span ground_bf37(void)
{
    return SPAN("\xbf\x37\x03ok!", 6);
}

void ground_open_with(struct ground *g, const struct db_options *o)
{
    const char *tmp = getenv("TMPDIR");
    struct err e = ERR_INIT;

    ground_now = GROUND_NOW;
    *g = (struct ground){ .options = *o };
    if (!g->options.now)
        g->options.now = ground_clock;
    snprintf(g->dir, sizeof g->dir, "%s/lineside-storage-XXXXXX",
             tmp && *tmp ? tmp : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(g->dir));
    if (o->vfs) /* it may fail, or count */
        good(db_create(g->dir, &g->options, &e));
    else
        new_ledger(g->dir);
    good(db_open(g->dir, DB_WRITE, &g->options, &g->db, &e));
}

void ground_open(struct ground *g)
{
    ground_open_with(g, &(struct db_options){ .vfs = NULL });
}

void ground_reopen(struct ground *g)
{
    struct err e = ERR_INIT;

    db_close(g->db);
    g->db = NULL;
    good(db_open(g->dir, DB_WRITE, &g->options, &g->db, &e));
}

void ground_close(struct ground *g)
{
    char path[512];
    struct dirent *d;

    db_close(g->db);
    lock_release(g->lock);
    DIR *dir = opendir(g->dir);
    while (dir && (d = readdir(dir)) != NULL) {
        snprintf(path, sizeof path, "%s/%s", g->dir, d->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(g->dir);
}

void ground_balanced(struct db *db)
{
    struct err e = ERR_INIT;

    good(query_cross_check(db, &e));
    good(event_verify(db, NULL, &e));
}

struct eid ground_eid(unsigned n)
{
    struct eid e = { .o = { 0x89, 0x04, 0x90, 0x32 } };
    char digits[9];

    snprintf(digits, sizeof digits, "%08u", n);
    hex_decode(digits, e.o + 11, 4);
    eid_complete(&e);
    return e;
}

struct txid ground_txid(unsigned n)
{
    struct txid t = { .o = { 0xa5 } };

    memcpy(t.o + 12, &n, sizeof n);
    /* Random as real ones are: spread over the index. */
    t.o[1] = (uint8_t)(n * 167);
    return t;
}

struct iccid ground_iccid(unsigned n)
{
    struct iccid i;
    char digits[20];

    snprintf(digits, sizeof digits, "890490%012u", n);
    digits[18] = luhn_digit(digits);
    digits[19] = '\0';
    ck_assert_int_eq(iccid_parse(digits, &i), 0);
    return i;
}

struct import_head ground_head(unsigned n, char id[37])
{
    snprintf(id, 37, "00000000-0000-4000-8000-%012u", n);
    struct import_head h = {
        .seen = {
            .kind = SEEN_BPP_BUNDLE, .id = id, .issuer = SMDP, .sequence = n,
            .recipients = { 1 }, .manifest_sha256 = { (uint8_t)n },
            .created_at = GROUND_NOW - 3600,
            .not_after = GROUND_NOW + 86400,
        },
        .smdp_oid = SMDP,
    };
    static const struct span eum[] = { { (const uint8_t *)"eum chain", 9 } };
    static const struct span dp[] = { { (const uint8_t *)"dp chain", 8 } };
    h.eum_chains = eum;
    h.eum_chain_count = 1;
    h.dp_chains = dp;
    h.dp_chain_count = 1;
    return h;
}

struct import *ground_begin(struct ground *g, unsigned n)
{
    struct err e = ERR_INIT;
    struct import *i;
    char id[37];
    const struct import_head h = ground_head(n, id);

    if (!g->lock)
        good(lock_take(g->dir, LOCK_IMPORT, &g->lock, &e));
    good(import_begin(g->db, g->lock, &h, &i, &e));
    return i;
}

int ground_record(struct import *i, unsigned txid, unsigned eid, size_t size,
                  struct err *e)
{
    uint8_t *octets = calloc(1, size);

    ck_assert_ptr_nonnull(octets);
    memcpy(octets, &txid, sizeof txid);
    const struct import_bpp r = {
        .txid = ground_txid(txid), .eid = ground_eid(eid),
        .iccid = ground_iccid(txid), .name = "Test", .provider = "Provider",
        .delete_notified = txid % 2 == 0, .profile_class = 2,
        .record = SPAN(octets, size),
    };
    int rc = import_bpp(i, &r, e);
    free(octets);
    return rc;
}

void ground_bundle(struct ground *g, unsigned n, unsigned first,
                   unsigned count, unsigned per_euicc)
{
    struct err e = ERR_INIT;
    struct import *i = ground_begin(g, n);

    for (unsigned k = 0; k < count; k++)
        good(ground_record(i, first + k, (first + k) / per_euicc, 100, &e));
    good(import_finish(i, "test", NULL, &e));
    lock_release(g->lock);
    g->lock = NULL;
}

struct bpp_info ground_bpp(struct db *db, unsigned txid)
{
    const struct txid t = ground_txid(txid);
    struct err e = ERR_INIT;
    struct bpp_info b;

    good(stock_by_txid(db, &t, &b, &e));
    return b;
}

static int sql_run(const struct ground *g, const char *sql, int64_t *value)
{
    char path[512];
    sqlite3 *s;
    sqlite3_stmt *st = NULL;

    snprintf(path, sizeof path, "%s/" LEDGER_FILE, g->dir);
    int rc = sqlite3_open_v2(path, &s, SQLITE_OPEN_READWRITE, NULL);
    sqlite3_busy_timeout(s, 5000);
    if (rc == SQLITE_OK && !value) {
        rc = sqlite3_exec(s, sql, NULL, NULL, NULL);
        sqlite3_close(s);
        return rc;
    }
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(s, sql, -1, &st, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(st);
    if (rc == SQLITE_ROW && value)
        *value = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : rc;
}

int ground_sql(const struct ground *g, const char *sql)
{
    return sql_run(g, sql, NULL);
}

/* What each version brought, newest first. */
#define NARROW(table, was, is) \
    "UPDATE sqlite_schema SET sql = replace(sql, '" is "', '" was "')" \
    " WHERE name = '" table "';"
static const struct {
    int version;
    const char *undo;
} steps[] = {
    { 15, "DROP TABLE fixture_stand; ALTER TABLE fixture_health DROP COLUMN took;" },
    { 14, "DROP INDEX position_imei; ALTER TABLE position DROP COLUMN imei;"
         "ALTER TABLE evidence DROP COLUMN imei;" },
    { 13, "DROP TRIGGER evidence_reported; DROP TRIGGER evidence_unreported;"
         "DROP TABLE unreported;" },
    { 12, "DROP TABLE report_party;" },
    { 11, "DROP TABLE backup; DROP TABLE retired_station;"
         "ALTER TABLE station DROP COLUMN epoch;"
         "ALTER TABLE station DROP COLUMN recovery;" },
    { 10, "DROP TRIGGER position_counted; DROP TRIGGER position_recounted;"
         "DROP INDEX position_state; DROP INDEX position_fixture;"
         "ALTER TABLE position DROP COLUMN fixture;"
         "ALTER TABLE position DROP COLUMN moved;"
         "DROP TABLE position_count; DROP TABLE tally_move; DROP TABLE tally;"
         "DROP TABLE shift;" },
    { 9, "DROP TABLE unit_trouble; DROP TABLE quarantine_limit;"
         "DROP TABLE retired_board; DROP INDEX position_held;" },
    { 8, "DROP TABLE fixture_health; DROP TABLE fixture_limits;"
         "DROP TABLE golden_unit;" },
    { 7, "DROP TABLE offered_key; DROP TABLE request;"
         "DROP TABLE key_gone; DROP TABLE card_key; DROP TABLE card_euicc;"
         "ALTER TABLE one_time_key DROP COLUMN sign;"
         "ALTER TABLE one_time_key ADD COLUMN offered_to TEXT;" },
    { 6, "DROP TABLE order_position; DROP TABLE order_unit; DROP TABLE order_fixture;"
         "DROP TABLE order_recipe; DROP TABLE work_order;"
         "ALTER TABLE bpp DROP COLUMN class;" },
    { 5, "DROP TABLE session; DROP TABLE login_rules;" },
    { 4, "DROP TABLE event_word; DROP INDEX bpp_iccid;"
         "PRAGMA writable_schema = ON;"
         NARROW("container", "kind BETWEEN 1 AND 3", "kind BETWEEN 1 AND 5")
         NARROW("export", "kind BETWEEN 1 AND 2", "kind BETWEEN 1 AND 5")
         NARROW("position", "state BETWEEN 0 AND 4", "state BETWEEN 0 AND 6")
         "PRAGMA writable_schema = RESET;" },
    { 3, "DROP TABLE person; DROP TABLE login_try; DROP TABLE login_stranger;" },
    { 2, "DROP TABLE fixture_place; DROP TABLE scanner_place;" },
};

void ground_back_to(struct ground *g, int version)
{
    char mark[64];

    db_close(g->db);
    g->db = NULL;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i].version > version)
            ck_assert_int_eq(ground_sql(g, steps[i].undo), 0);
    snprintf(mark, sizeof mark, "PRAGMA user_version = %d", version);
    ck_assert_int_eq(ground_sql(g, mark), 0);
}

int64_t ground_sql_int(const struct ground *g, const char *sql)
{
    int64_t v = -1;

    ck_assert_int_eq(sql_run(g, sql, &v), 0);
    return v;
}
