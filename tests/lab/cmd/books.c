/* lineside-lab books: the SM-DPfs' book against every eUICC of the world
 * itself. What a station reported and an SM-DPf believed must be what the chip
 * remembers, profile by profile and key by key; and of each MSP's profiles
 * there are as many in the chips, by their own metadata, as it was told of. */
#include "station/ifpp/order.h"
#include "tests/lab/cmd/lab.h"
#include "tests/lab/euicc/meta.h"
#include "tests/lab/euicc/store.h"
#include "tests/lab/smdpf/book.h"

#include <dirent.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define MSPS_MAX 64

struct args {
    struct words eid;
    bool json;
};

static const struct opt opts[] = {
    { "--eid", OPT_LIST, offsetof(struct args, eid), "EID...",
      "these eUICCs alone" },
    { "--json", OPT_FLAG, offsetof(struct args, json), NULL,
      "one JSON object" },
    OPT_END,
};

/* Of one MSP's profiles. */
struct msp {
    char name[ORDER_TEXT_MAX + 1];
    uint64_t issued, installed, deleted; /* by the SM-DPfs' book */
    uint64_t held;                       /* by the chips         */
};

struct sums {
    uint64_t euiccs, profiles, keys_left, closed;
    uint64_t issued, installed, deleted, failed, without_result;
    uint64_t disagreements;
    struct msp msp[MSPS_MAX];
    size_t msps;
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

/* NULL: there are too many. */
static struct msp *find_msp(struct sums *s, struct span name, struct err *e)
{
    for (size_t i = 0; i < s->msps; i++)
        if (span_eq(SPAN_STR(s->msp[i].name), name))
            return &s->msp[i];
    if (s->msps == MSPS_MAX || name.n > ORDER_TEXT_MAX) {
        err_set(e, ERR_LIMIT, "more than %d MSPs, or one with a long name",
                MSPS_MAX);
        return NULL;
    }
    struct msp *m = &s->msp[s->msps++];
    *m = (struct msp){ .issued = 0 };
    if (name.n)
        memcpy(m->name, name.p, name.n);
    return m;
}

/* One BPP of this eUICC: is the chip as the book says? */
static int compare_issued(struct look *l, sqlite3_stmt *st, struct err *e)
{
    enum { TXID, ICCID, HAS_RESULT, INSTALLED, DELETED, LOST, MSP };
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
    struct msp *m = find_msp(l->sums, SPAN_STR(sql_text(st, MSP)), e);
    if (!m)
        return -1;
    m->issued++;
    m->installed += installed;
    m->deleted += installed && deleted;
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
    struct meta meta;
    int64_t known;

    if (meta_read(buf_span(&p->metadata), &meta, e) != 0)
        return -1;
    struct msp *m = find_msp(l->sums, meta.provider, e);
    if (!m)
        return -1;
    m->held++;
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
                  " 'voided')), i.msp FROM issued i LEFT JOIN result r USING(txid)"
                  " WHERE i.eid = ?", "b", SPAN_ARRAY(c->eid.o)) != 0)
        return -1;
    while ((row = sql_step(l->book, st, e)) > 0)
        if (compare_issued(l, st, e) != 0) {
            sql_end(st);
            return -1;
        }
    return row;
}

/* The chip in WORLD/euicc/`file`. */
static int compare_file(const struct world *w, struct look *l, const char *file,
                        struct err *e)
{
    AUTO(str_free_p) char *path = world_path(w, e, "euicc/%s", file);

    int bad = path && store_open(path, &l->chip, e) == 0 ? compare_chip(l, e)
                                                         : -1;
    store_close(l->chip);
    l->chip = NULL;
    return bad ? -1 : 0;
}

static int compare_named(const struct world *w, struct look *l,
                         const struct words *eids, struct err *e)
{
    char file[EID_DIGITS + sizeof ".db"];
    struct eid eid;

    for (size_t i = 0; i < eids->n; i++) {
        if (eid_parse(eids->v[i], &eid) != 0)
            return err_set(e, ERR_USAGE, "\"%.40s\" is no EID", eids->v[i]);
        snprintf(file, sizeof file, "%s.db", eids->v[i]);
        if (compare_file(w, l, file, e) != 0)
            return -1;
    }
    return 0;
}

static int compare_every(const struct world *w, struct look *l, struct err *e)
{
    AUTO(str_free_p) char *dir = world_path(w, e, "euicc");
    struct dirent *de;
    int bad = 0;

    DIR *d = dir ? opendir(dir) : NULL;
    if (!d)
        return dir ? err_errno(e, "%s", dir) : -1;
    while (!bad && (de = readdir(d))) {
        size_t n = strlen(de->d_name);
        if (n >= 4 && strcmp(de->d_name + n - 3, ".db") == 0)
            bad = compare_file(w, l, de->d_name, e);
    }
    closedir(d);
    return bad;
}

/* Without `eids` every chip there is. */
static int compare_all(const struct world *w, struct sql *book,
                       const struct words *eids, struct sums *sums,
                       struct err *e)
{
    struct look l = { .book = book, .sums = sums };
    int bad = eids->n ? compare_named(w, &l, eids, e) : compare_every(w, &l, e);

    for (size_t i = 0; !bad && i < sums->msps; i++) {
        const struct msp *m = &sums->msp[i];
        if (m->held == m->installed - m->deleted)
            continue;
        sums->disagreements++;
        fprintf(stderr, "MSP %s: %" PRIu64 " of its profiles are in eUICCs, it "
                        "was told of %" PRIu64 "\n", m->name, m->held,
                m->installed - m->deleted);
    }
    return bad ? -1 : 0;
}

static void print_msps(const struct sums *s)
{
    for (size_t i = 0; i < s->msps; i++)
        printf("MSP %s: %" PRIu64 " BPPs made, %" PRIu64 " installed (%" PRIu64
               " of them deleted), %" PRIu64 " in eUICCs\n", s->msp[i].name,
               s->msp[i].issued, s->msp[i].installed, s->msp[i].deleted,
               s->msp[i].held);
}

/* Under names of their own: the sums above are added up by scripts. */
static json_t *msps_json(const struct sums *s)
{
    json_t *list = json_array();

    for (size_t i = 0; i < s->msps; i++)
        json_array_append_new(list, json_pack(
            "{s:s, s:I, s:I, s:I, s:I}", "msp", s->msp[i].name, "made",
            (json_int_t)s->msp[i].issued, "loaded",
            (json_int_t)s->msp[i].installed, "takenBack",
            (json_int_t)s->msp[i].deleted, "held",
            (json_int_t)s->msp[i].held));
    return list;
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
        print_msps(s);
        return;
    }
    json_t *j = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "euiccs",
        (json_int_t)s->euiccs, "closed", (json_int_t)s->closed, "profiles",
        (json_int_t)s->profiles, "keysLeft", (json_int_t)s->keys_left, "issued",
        (json_int_t)s->issued, "installed", (json_int_t)s->installed, "deleted",
        (json_int_t)s->deleted, "failed", (json_int_t)s->failed,
        "withoutResult", (json_int_t)s->without_result, "disagreements",
        (json_int_t)s->disagreements, "msps", msps_json(s));
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

    int bad = opts_parse(&cmd_books, argc, argv, &a, &rest, 1, 1, e) != 0 ||
              world_open(rest.v[0], &w, e) != 0 ||
              book_open(&w, &book, e) != 0 ||
              compare_all(&w, book, &a.eid, &sums, e) != 0;
    words_clear(&a.eid);
    if (bad)
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
