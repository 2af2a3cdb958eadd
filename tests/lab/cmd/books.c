/* lineside-lab books: the SM-DPfs' book against every eUICC of the world
 * itself. What a station reported and an SM-DPf believed must be what the chip
 * remembers, profile by profile and key by key. */
#include "tests/lab/cmd/lab.h"
#include "tests/lab/euicc/store.h"
#include "tests/lab/smdpf/book.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

struct args {
    bool json;
};

static const struct opt opts[] = {
    { "--json", OPT_FLAG, offsetof(struct args, json), NULL,
      "one JSON object" },
    OPT_END,
};

struct sums {
    uint64_t euiccs, profiles, keys_left, closed;
    uint64_t issued, installed, deleted, failed, without_result;
    uint64_t disagreements;
};

struct look {
    struct sql *book;
    struct store *chip;
    struct sums *sums;
    char eid[EID_DIGITS + 1];
};

static void disagree(struct look *l, const char *what, struct span id)
{
    char hex[65];

    l->sums->disagreements++;
    fprintf(stderr, "eUICC %s: %s %s\n", l->eid, what,
            hex_encode(id, hex, sizeof hex));
}

/* One BPP of this eUICC: is the chip as the book says? */
static int compare_issued(struct look *l, sqlite3_stmt *st, struct err *e)
{
    enum { TXID, ICCID, HAS_RESULT, INSTALLED, DELETED, LOST };
    struct store_profile p = { .enabled = false };
    struct store_key key = { .otsk = NULL };
    struct span id = sql_blob(st, TXID);
    struct txid txid;

    memcpy(txid.o, id.p, sizeof txid.o);
    bool result = sqlite3_column_int(st, HAS_RESULT) != 0;
    bool installed = sqlite3_column_int(st, INSTALLED) != 0;
    bool deleted = sqlite3_column_int(st, DELETED) != 0;
    bool lost = sqlite3_column_int(st, LOST) != 0; /* quarantined or voided */
    int held = store_profile_find(l->chip, sql_blob(st, ICCID), &p, e);
    store_profile_clear(&p);
    int unused = held < 0 ? -1 : store_key_get(l->chip, &txid, &key, e);
    store_key_clear(&key);
    if (unused < 0)
        return -1;
    l->sums->issued++;
    l->sums->installed += installed;
    l->sums->deleted += installed && deleted;
    l->sums->failed += result && !installed;
    l->sums->without_result += !result;
    if (held && !(installed && !deleted))
        disagree(l, "holds a profile that the SM-DPf does not know as installed:", id);
    if (!held && installed && !deleted)
        disagree(l, "lacks a profile that was reported as installed:", id);
    if (result && unused)
        disagree(l, "still has the one-time key of a reported result:", id);
    /* Deleting unused keys ends those of BPPs that never came to it; held
     * without a result was told above. */
    if (!result && !unused && !lost && !held) {
        bool closed = false;
        if (store_is_closed(l->chip, &closed, e) != 0)
            return -1;
        if (!closed)
            disagree(l, "has no result and no key:", id);
    }
    return 0;
}

static int count_profile(void *ctx, const struct store_profile *p, struct err *e)
{
    struct look *l = ctx;
    int64_t known;

    l->sums->profiles++;
    if (sql_int(l->book, 0, &known, e, "SELECT count(*) FROM issued WHERE"
                " iccid = ?", "b", SPAN_ARRAY(p->iccid.o)) != 0)
        return -1;
    if (known != 1)
        disagree(l, "holds a profile that no SM-DPf made:", SPAN_ARRAY(p->iccid.o));
    return 0;
}

static int compare_chip(struct look *l, struct err *e)
{
    const struct chip *c = store_chip(l->chip);
    sqlite3_stmt *st;
    bool closed = false;
    size_t keys = 0;
    int row;

    eid_format(&c->eid, l->eid);
    if (store_key_count(l->chip, &keys, e) != 0 ||
        store_is_closed(l->chip, &closed, e) != 0 ||
        store_profiles_each(l->chip, count_profile, l, e) != 0)
        return -1;
    l->sums->euiccs++;
    l->sums->keys_left += keys;
    l->sums->closed += closed;
    if (sql_start(l->book, &st, e, "SELECT i.txid, i.iccid, r.txid IS NOT NULL,"
                  " coalesce(r.installed, 0), EXISTS (SELECT 1 FROM said s WHERE"
                  " s.txid = i.txid AND s.deleted <> 0), EXISTS (SELECT 1 FROM"
                  " said s WHERE s.txid = i.txid AND s.what IN ('quarantined',"
                  " 'voided')) FROM issued i LEFT JOIN result r USING(txid)"
                  " WHERE i.eid = ?", "b", SPAN_ARRAY(c->eid.o)) != 0)
        return -1;
    while ((row = sql_step(l->book, st, e)) > 0)
        if (compare_issued(l, st, e) != 0) {
            sql_end(st);
            return -1;
        }
    return row;
}

static int compare_all(const struct world *w, struct sql *book, struct sums *sums,
                       struct err *e)
{
    AUTO(str_free_p) char *dir = world_path(w, e, "euicc");
    struct look l = { .book = book, .sums = sums };
    struct dirent *de;
    int bad = 0;

    DIR *d = dir ? opendir(dir) : NULL;
    if (!d)
        return dir ? err_errno(e, "%s", dir) : -1;
    while (!bad && (de = readdir(d))) {
        size_t n = strlen(de->d_name);
        if (n < 4 || strcmp(de->d_name + n - 3, ".db") != 0)
            continue;
        AUTO(str_free_p) char *path = world_path(w, e, "euicc/%s", de->d_name);
        bad = path && store_open(path, &l.chip, e) == 0 ? compare_chip(&l, e) : -1;
        store_close(l.chip);
        l.chip = NULL;
    }
    closedir(d);
    return bad ? -1 : 0;
}

static void print(const struct sums *s, bool json)
{
    if (!json) {
        printf("chips: %llu eUICCs (%llu closed), %llu profiles, %llu one-time "
               "keys left\nSM-DPfs: %llu BPPs made, %llu installed (%llu of them "
               "deleted), %llu failed, %llu without a result\n%llu "
               "disagreements\n",
               (unsigned long long)s->euiccs, (unsigned long long)s->closed,
               (unsigned long long)s->profiles, (unsigned long long)s->keys_left,
               (unsigned long long)s->issued, (unsigned long long)s->installed,
               (unsigned long long)s->deleted, (unsigned long long)s->failed,
               (unsigned long long)s->without_result,
               (unsigned long long)s->disagreements);
        return;
    }
    json_t *j = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "euiccs",
        (json_int_t)s->euiccs, "closed", (json_int_t)s->closed, "profiles",
        (json_int_t)s->profiles, "keysLeft", (json_int_t)s->keys_left, "issued",
        (json_int_t)s->issued, "installed", (json_int_t)s->installed, "deleted",
        (json_int_t)s->deleted, "failed", (json_int_t)s->failed,
        "withoutResult", (json_int_t)s->without_result, "disagreements",
        (json_int_t)s->disagreements);
    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(j);
}

static int run(int argc, char **argv, struct err *e)
{
    AUTO(words_clear) struct words rest = { NULL, 0 };
    AUTO(world_clear) struct world w = { .dir = NULL };
    AUTO(sql_close_p) struct sql *book = NULL;
    struct args a = { .json = false };
    struct sums sums = { 0 };

    if (opts_parse(&cmd_books, argc, argv, &a, &rest, 1, 1, e) != 0 ||
        world_open(rest.v[0], &w, e) != 0 || book_open(&w, &book, e) != 0 ||
        compare_all(&w, book, &sums, e) != 0)
        return -1;
    print(&sums, a.json);
    return sums.disagreements
         ? err_set(e, ERR_CONFLICT, "the SM-DPfs' book and the eUICCs differ "
                   "(reports that were not given to `verify` yet?)") : 0;
}

const struct command cmd_books = {
    "books", "WORLD",
    "Compare the SM-DPfs' book with what every eUICC itself remembers.", opts,
    run,
};
