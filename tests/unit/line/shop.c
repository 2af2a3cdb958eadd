#include "tests/unit/line/shop.h"

#include "station/ifpp/bpp.h"
#include "station/ifpp/tags.h"
#include "storage/bundles.h"
#include "storage/exports.h"
#include "storage/queries.h"
#include "storage/station.h"
#include "tests/lab/euicc_fixture.h"
#include "tests/unit/new_ledger.h"

#include "drivers/fault.h"

#include <check.h>
#include <dirent.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void good(int rc, const struct err *e)
{
    ck_assert_msg(rc == 0, "%s", e->msg);
}

/* --- the desk and its ledger ------------------------------------------------ */

void shop_open(struct shop *s, size_t keys)
{
    shop_open_kind(s, keys, INFO2_CONSUMER);
}

void shop_open_kind(struct shop *s, size_t keys, enum info2_kind kind)
{
    const char *tmp = getenv("TMPDIR");
    char eid[EID_DIGITS + 1];

    memset(s, 0, sizeof *s);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->told, NULL);
    desk_make(&s->d, &(struct desk_options){ .keys = keys, .kind = kind });
    snprintf(s->data, sizeof s->data, "%.60s/shop-XXXXXX", tmp ? tmp : "/tmp");
    ck_assert(mkdtemp(s->data) != NULL);
    snprintf(s->barcode, sizeof s->barcode, "F1\t%s", eid_format(&s->d.eid, eid));
    s->smdp_oid = DESK_OID;
    new_ledger(s->data);
}

static void remove_all(const char *dir)
{
    DIR *d = opendir(dir);

    ck_assert(d != NULL);
    for (struct dirent *x; (x = readdir(d));) {
        char path[400];
        snprintf(path, sizeof path, "%s/%s", dir, x->d_name);
        unlink(path);
    }
    closedir(d);
    ck_assert(rmdir(dir) == 0);
}

void shop_close(struct shop *s)
{
    shop_stop(s);
    db_close(s->books);
    remove_all(s->data);
    desk_clear(&s->d);
    pthread_cond_destroy(&s->told);
    pthread_mutex_destroy(&s->lock);
}

static void put_record(struct shop *s, unsigned k, struct span bpp,
                       struct buf *out)
{
    AUTO(buf_clear) struct buf sign = BUF_INIT;
    const struct desk_key *key = &s->d.key[k];

    der_put(&sign, TAG_SIGNATURE, SPAN_ARRAY(key->sign));
    bpp_record_put(out, &s->d.eid, buf_span(&s->d.cert), buf_span(&key->signed2),
                   buf_span(&sign), 0, 0, bpp);
    ck_assert(buf_ok(out));
}

static void import_one(struct shop *s, struct import *i, unsigned k,
                       struct span bpp)
{
    AUTO(buf_clear) struct buf record = BUF_INIT;
    struct err e = ERR_INIT;

    put_record(s, k, bpp, &record);
    const struct import_bpp b = {
        .txid = s->d.key[k].txid, .eid = s->d.eid, .iccid = desk_iccid(k),
        .name = s->names[k] ? s->names[k] : "Test", .provider = "Desk",
        .delete_notified = !s->unprovable,
        .profile_class = 2,
        .record = buf_span(&record),
    };
    good(import_bpp(i, &b, &e), &e);
}

static void stock(struct shop *s, unsigned first, unsigned n, struct span bpp)
{
    AUTO(buf_clear) struct buf eum = BUF_INIT;
    AUTO(db_close_p) struct db *db = NULL;
    AUTO(lock_release_p) struct lock *lock = NULL;
    struct err e = ERR_INIT;
    struct import *i = NULL;
    char id[37];

    good(cert_put(s->d.eum.cert, &eum, &e), &e);
    struct span eum_chain = buf_span(&eum), dp_chain = buf_span(&s->d.dp_chain);
    s->bundles++;
    snprintf(id, sizeof id, "00000000-0000-4000-8000-%012llu",
             (unsigned long long)s->bundles);
    const struct import_head h = {
        .seen = { .kind = SEEN_BPP_BUNDLE, .id = id, .issuer = s->smdp_oid,
                  .sequence = s->bundles, .created_at = 1700000000,
                  .not_after = 4000000000 },
        .smdp_oid = s->smdp_oid,
        .eum_chains = &eum_chain, .eum_chain_count = 1,
        .dp_chains = &dp_chain, .dp_chain_count = 1,
    };
    good(db_open(s->data, DB_WRITE, NULL, &db, &e), &e);
    good(lock_take(s->data, LOCK_IMPORT, &lock, &e), &e);
    good(import_begin(db, lock, &h, &i, &e), &e);
    for (unsigned k = first; k < first + n; k++) {
        AUTO(buf_clear) struct buf made = BUF_INIT;
        if (!bpp.n)
            desk_bpp(&s->d, k, k, &made);
        import_one(s, i, k, bpp.n ? bpp : buf_span(&made));
    }
    good(import_finish(i, "test", &(struct import_summary){ 0 }, &e), &e);
}

void shop_stock(struct shop *s, unsigned first, unsigned n)
{
    stock(s, first, n, SPAN(NULL, 0));
}

void shop_stock_bpp(struct shop *s, unsigned k, struct span bpp)
{
    stock(s, k, 1, bpp);
}

/* --- the line ----------------------------------------------------------------- */

static void keep_verdict(struct shop *s, const struct line_event *ev)
{
    struct shop_verdict *v = &s->last;

    *v = (struct shop_verdict){ .kind = ev->verdict->kind,
                                .installed = ev->installed };
    snprintf(v->fixture, sizeof v->fixture, "%s", ev->fixture);
    snprintf(v->serial, sizeof v->serial, "%s", ev->serial);
    snprintf(v->eid, sizeof v->eid, "%s", ev->eid);
    snprintf(v->code, sizeof v->code, "%s", ev->verdict->code);
    snprintf(v->detail, sizeof v->detail, "%s", ev->detail);
    snprintf(v->order, sizeof v->order, "%s", ev->order);
    snprintf(v->position, sizeof v->position, "%s", ev->position);
    snprintf(v->person, sizeof v->person, "%s", ev->person);
    snprintf(s->codes + strlen(s->codes), sizeof s->codes - strlen(s->codes),
             "%s %s, ", ev->fixture, ev->verdict->code);
    s->verdicts++;
    pthread_cond_broadcast(&s->told);
}

static void keep_place(struct shop *s, const struct line_event *ev)
{
    size_t i = 0;

    while (s->places[i].place[0] && strcmp(s->places[i].place, ev->place) != 0)
        ck_assert_uint_lt(++i, SHOP_PLACES);
    snprintf(s->places[i].place, sizeof s->places[i].place, "%s", ev->place);
    snprintf(s->places[i].state, sizeof s->places[i].state, "%s", ev->state);
    snprintf(s->places[i].why, sizeof s->places[i].why, "%s", ev->detail);
    pthread_cond_broadcast(&s->told);
}

const char *shop_place_state(const struct shop *s, const char *place)
{
    for (size_t i = 0; i < SHOP_PLACES && s->places[i].place[0]; i++)
        if (strcmp(s->places[i].place, place) == 0)
            return s->places[i].state;
    return "";
}

static void keep_session(struct shop *s, const struct line_event *ev)
{
    size_t n = strlen(s->sessions);

    snprintf(s->sessions + n, sizeof s->sessions - n, "%s %s %s, ", ev->state,
             ev->fixture, ev->person);
    pthread_cond_broadcast(&s->told);
}

void shop_wait_session(struct shop *s, const char *words)
{
    pthread_mutex_lock(&s->lock);
    while (!strstr(s->sessions, words))
        pthread_cond_wait(&s->told, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

static void on_event(void *ctx, const struct line_event *ev)
{
    struct shop *s = ctx;

    pthread_mutex_lock(&s->lock);
    size_t n = strlen(s->steps);
    if (ev->kind == LINE_VERDICT)
        keep_verdict(s, ev);
    else if (ev->kind == LINE_FIXTURE || ev->kind == LINE_SCANNER)
        keep_place(s, ev);
    else if (ev->kind == LINE_HEALTH)
        snprintf(s->health + strlen(s->health), sizeof s->health - strlen(s->health),
                 "%s, ", ev->state);
    else if (ev->kind == LINE_UNRESOLVED)
        s->unresolved++;
    else if (ev->kind == LINE_BUSY)
        snprintf(s->steps + n, sizeof s->steps - n, "%s, ", ev->step);
    else if (ev->kind == LINE_SESSION)
        keep_session(s, ev);
    else if (ev->kind == LINE_COMMAND)
        snprintf(s->sessions + strlen(s->sessions), sizeof s->sessions - strlen(s->sessions),
                 "command %s, ", ev->state);
    pthread_mutex_unlock(&s->lock);
    if (ev->kind == LINE_BUSY && s->at_step)
        s->at_step(ev->step);
}

void shop_start_all(struct shop *s, const struct line_fixture *f, size_t n)
{
    struct err e = ERR_INIT;
    struct line_options o = {
        .data_dir = s->data, .limits = APDU_LIMITS_DEFAULT, .fixtures = f,
        .fixture_count = n, .grows = true, .event = on_event, .event_ctx = s,
        .db = &(struct db_options){ .busy_ms = 20 },
    };

    if (s->apdu_ms)
        o.limits.apdu_ms = s->apdu_ms;
    s->unresolved = 0;
    s->health[0] = '\0';
    good(line_new(&o, &s->line, &e), &e);
}

void shop_start(struct shop *s, const struct fixture_ops *ops, const char *where)
{
    shop_start_all(s, &(struct line_fixture){ "F1", ops, NULL, where }, 1);
}

void shop_stop(struct shop *s)
{
    line_free(s->line);
    s->line = NULL;
}

struct shop_verdict shop_scan(struct shop *s, const char *line)
{
    struct shop_verdict v;
    unsigned before;

    pthread_mutex_lock(&s->lock);
    before = s->verdicts;
    pthread_mutex_unlock(&s->lock);
    line_scan(s->line, SPAN_STR(line));
    pthread_mutex_lock(&s->lock);
    while (s->verdicts == before)
        pthread_cond_wait(&s->told, &s->lock);
    v = s->last;
    pthread_mutex_unlock(&s->lock);
    return v;
}

struct shop_verdict shop_return(struct shop *s, const char *serial)
{
    struct shop_verdict v;
    struct err e = ERR_INIT;
    unsigned before;

    pthread_mutex_lock(&s->lock);
    before = s->verdicts;
    pthread_mutex_unlock(&s->lock);
    good(line_return(s->line, "F1", serial, "test", "Ada", &e), &e);
    pthread_mutex_lock(&s->lock);
    while (s->verdicts == before)
        pthread_cond_wait(&s->told, &s->lock);
    v = s->last;
    pthread_mutex_unlock(&s->lock);
    return v;
}

void shop_expect(struct shop *s, const char *line, const char *code)
{
    struct shop_verdict v = shop_scan(s, line);

    ck_assert_msg(strcmp(v.code, code) == 0, "%s, not %s: %s (steps: %s)",
                  v.code, code, v.detail, s->steps);
}

/* --- the station ------------------------------------------------------------------ */

static int commission(struct tx *tx, void *ctx, struct err *e)
{
    struct shop *s = ctx;
    const struct span root = SPAN("DM root", 7);
    const struct span ci[] = { buf_span(&s->d.ci_der) };
    const uint8_t key_id[32] = { 7 };
    const struct container_seen seen = {
        .kind = SEEN_STATION_CERT, .id = "00000000-0000-4000-8000-00000000cert",
        .issuer = "authority", .sequence = 1, .created_at = 1,
        .not_after = 4000000000,
    };
    const struct station_trust t = { .chain = SPAN("chain", 5), .dm_root = root,
                                     .ci_roots = ci, .ci_root_count = 1 };
    uint8_t hash[EVENT_HASH];

    event_hash(root, hash);
    return station_create(tx, "S-1", hash, key_id, "test", e) != 0
               ? -1 : station_commission(tx, &seen, &t, "test", e);
}

void shop_commission(struct shop *s)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;

    good(db_open(s->data, DB_WRITE, NULL, &db, &e), &e);
    good(db_write(db, commission, s, &e), &e);
}

/* --- the books ------------------------------------------------------------------ */

/* One for all looks at the books: opening takes longer than looking. */
static struct db *reader(struct shop *s)
{
    struct err e = ERR_INIT;

    if (!s->books)
        good(db_open(s->data, DB_READ, NULL, &s->books, &e), &e);
    return s->books;
}

uint64_t shop_count(struct shop *s, enum bpp_state state)
{
    struct db *db = reader(s);
    struct stock_overview o = { 0 };
    struct err e = ERR_INIT;

    good(stock_cross_check(db, &e), &e);
    good(event_verify(db, &(struct event_head){ 0 }, &e), &e);
    good(query_overview(db, &o, &e), &e);
    ck_assert(stock_balance_ok(&o.total));
    uint64_t n = o.total.by_state[state];
    stock_overview_clear(&o);
    return n;
}

uint64_t shop_failures(struct shop *s)
{
    struct db *db = reader(s);
    struct unexported u;
    struct err e = ERR_INIT;

    good(export_pending(db, &u, &e), &e);
    return u.failures;
}

static int count_event(void *ctx, uint64_t number, struct span der,
                       const uint8_t hash[EVENT_HASH], struct err *e)
{
    (void)number;
    (void)der;
    (void)hash;
    (void)e;
    ++*(unsigned *)ctx;
    return 0;
}

static int keep_actor(void *ctx, uint64_t number, struct span der,
                      const uint8_t hash[EVENT_HASH], struct err *e)
{
    struct event ev;

    (void)number;
    (void)hash;
    if (event_decode(der, &ev, e) != 0)
        return -1;
    snprintf(ctx, 129, "%.*s", (int)ev.actor.n, (const char *)ev.actor.p);
    return 0;
}

void shop_actor(struct shop *s, const char *kind, char out[129])
{
    struct db *db = reader(s);
    struct err e = ERR_INIT;
    uint64_t looked_to;

    out[0] = '\0';
    good(query_log(db, &(struct log_filter){ .kind = kind }, keep_actor, out,
                   &looked_to, &e), &e);
}

unsigned shop_events(struct shop *s, const char *kind)
{
    struct db *db = reader(s);
    struct err e = ERR_INIT;
    unsigned n = 0;
    uint64_t looked_to;

    good(query_log(db, &(struct log_filter){ .kind = kind }, count_event, &n,
                   &looked_to, &e), &e);
    return n;
}

/* --- the chip in a fixture --------------------------------------------------------- */

#define GET_RESPONSE 0xC0 /* INS */

static atomic_uint apdus, commands;
static atomic_uint lock_at; /* 0: never */
static sqlite3 *locker;

unsigned shop_apdus(void)
{
    return atomic_load(&apdus);
}

unsigned shop_commands(void)
{
    return atomic_load(&commands);
}

void shop_lock_ledger_at(struct shop *s, unsigned n)
{
    char path[160];

    snprintf(path, sizeof path, "%s/%s", s->data, LEDGER_FILE);
    ck_assert_int_eq(sqlite3_open(path, &locker), SQLITE_OK);
    sqlite3_busy_timeout(locker, 5000);
    atomic_store(&lock_at, shop_apdus() + n);
}

static void count_apdu(struct span command)
{
    if (command.n > 1 && command.p[1] != GET_RESPONSE)
        atomic_fetch_add(&commands, 1);
    unsigned n = atomic_fetch_add(&apdus, 1) + 1;

    if (n == atomic_load(&lock_at))
        ck_assert_int_eq(sqlite3_exec(locker, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                         SQLITE_OK);
}

bool shop_unlock_ledger(void)
{
    bool taken = !sqlite3_get_autocommit(locker);

    atomic_store(&lock_at, 0);
    sqlite3_close(locker); /* rolls back */
    return taken;
}

void shop_where(const struct shop *s, int fault, unsigned at, char out[160])
{
    snprintf(out, 160, "%d@%u:%s", fault, at, s->d.path);
}

struct shop_fixture {
    struct fixture base;
    struct fixture *inner;
};

static struct fixture *inner(struct fixture *f)
{
    return ((struct shop_fixture *)f)->inner;
}

static int unplugged(struct shop_fixture *x, unsigned at, struct err *e)
{
    const struct fault_plan plan = { FAULT_UNPLUG, at, at };

    return fault_wrap(x->inner, &plan, &x->inner, e);
}

static int fx_open(void *env, const char *where, struct fixture **out,
               struct err *e)
{
    struct shop_fixture *x = calloc(1, sizeof *x);
    struct card_options o = { 0 };
    unsigned strikes;
    int fault, at = 0;

    (void)env;
    ck_assert(x && sscanf(where, "%d@%u:%n", &fault, &strikes, &at) == 2 && at);
    if (fault != SHOP_UNPLUG) {
        o.fault = (enum card_fault)fault;
        o.fault_at = strikes;
    }
    x->base.ops = &fixture_shop;
    if (euicc_fixture_new(where + at, &o, &x->inner, e) != 0 ||
        (fault == SHOP_UNPLUG && unplugged(x, strikes, e) != 0)) {
        free(x);
        return -1;
    }
    *out = &x->base;
    return 0;
}

static int fx_power_on(struct fixture *f, struct buf *atr, int ms, struct err *e)
{
    return inner(f)->ops->power_on(inner(f), atr, ms, e);
}

static int fx_transmit(struct fixture *f, struct span cmd, struct buf *rsp,
                       int ms, struct err *e)
{
    count_apdu(cmd);
    return inner(f)->ops->transmit(inner(f), cmd, rsp, ms, e);
}

static void fx_power_off(struct fixture *f)
{
    inner(f)->ops->power_off(inner(f));
}

static void fx_close(struct fixture *f)
{
    if (!f)
        return;
    inner(f)->ops->close(inner(f));
    free(f);
}

const struct fixture_ops fixture_shop = {
    .name = "shop", .open = fx_open, .power_on = fx_power_on,
    .transmit = fx_transmit, .power_off = fx_power_off, .close = fx_close,
};
