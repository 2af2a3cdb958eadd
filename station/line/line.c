#include "station/line/line.h"

#include "station/line/roster.h"
#include "station/line/worker.h"
#include "storage/bundles.h"
#include "storage/returns.h"
#include "storage/sessions.h"
#include "storage/stock.h"
#include "storage/units.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct line {
    struct worker_shared s;
    struct lock *lock;
    /* Room for LINE_FIXTURES_MAX, so that nothing moves when one is added;
     * names and places owned. The first n are whole. */
    struct line_fixture *fixtures;
    struct worker **workers;
    atomic_size_t n;
    pthread_mutex_t adding;
    atomic_bool stopping;
};

/* --- telling ------------------------------------------------------------------- */

void line_tell(const struct line *l, const struct line_event *ev)
{
    worker_tell(&l->s, ev);
}

void line_refuse(struct line *l, const char *fixture, const char *barcode,
                 enum verdict v)
{
    line_tell(l, &(struct line_event){
        .kind = LINE_VERDICT, .fixture = fixture, .serial = barcode,
        .verdict = verdict_row(v) });
}

static void tell_unresolved(struct line *l, const struct bpp_info *b,
                            const char *serial)
{
    char eid[EID_DIGITS + 1], txid[TXID_HEX + 1], iccid[ICCID_DIGITS + 1];

    line_tell(l, &(struct line_event){
        .kind = LINE_UNRESOLVED, .fixture = b->fixture, .serial = serial,
        .eid = eid_format(&b->eid, eid), .txid = txid_format(&b->txid, txid),
        .iccid = iccid_format(&b->iccid, iccid) });
}

static void tell_ready(struct line *l)
{
    line_tell(l, &(struct line_event){
        .kind = LINE_READY, .fixtures = atomic_load(&l->n),
        .list = l->fixtures });
}

/* --- the ledger at start --------------------------------------------------------- */

/* An import at work has the lock and needs no help; one that died left it. */
static int clear_import(struct line *l, struct db *db, struct err *e)
{
    AUTO(lock_release_p) struct lock *lock = NULL;
    struct err busy = ERR_INIT;

    if (lock_take(l->s.data_dir, LOCK_IMPORT, &lock, &busy) == 0)
        return import_leftovers(db, lock, NULL, e);
    if (busy.code == ERR_BUSY)
        return 0;
    *e = busy;
    return -1;
}

static int put_in_order(struct tx *tx, void *ctx, struct err *e)
{
    (void)ctx;
    if (stock_release_leftovers(tx, LINE_ACTOR, NULL, e) != 0)
        return -1;
    return positions_mark_unresolved(tx, LINE_ACTOR, NULL, e) != 0 ? -1
         : sessions_leftovers(tx, LINE_ACTOR, e);
}

static int show_unresolved(struct line *l, struct db *db, struct err *e)
{
    struct bpp_list all = { NULL, 0 };

    if (stock_loading(db, &all, e) != 0)
        return -1;
    for (size_t i = 0; i < all.n; i++) {
        struct position p = { .id = 0 };
        struct err unknown = ERR_INIT;
        if (position_get(db, all.v[i].position, &p, &unknown) != 0)
            p.serial[0] = '\0';
        tell_unresolved(l, &all.v[i], p.serial);
    }
    bpp_list_clear(&all);
    return 0;
}

static int open_ledger(struct line *l, struct err *e)
{
    AUTO(db_close_p) struct db *db = NULL;

    if (db_open(l->s.data_dir, DB_WRITE, &l->s.db, &db, e) != 0 ||
        lock_take(l->s.data_dir, LOCK_RUN, &l->lock, e) != 0 ||
        clear_import(l, db, e) != 0 ||
        db_write(db, put_in_order, NULL, e) != 0 ||
        show_unresolved(l, db, e) != 0)
        return -1;
    return writer_open(l->s.data_dir, &l->s.db, &l->s.writer, e);
}

static void tell_session(void *ctx, const struct line_event *ev)
{
    line_tell(ctx, ev);
}

static int open_roster(struct line *l, struct err *e)
{
    const struct roster_options o = { .data_dir = l->s.data_dir, .db = &l->s.db,
                                    .writer = l->s.writer,
                                    .tell = tell_session, .ctx = l };

    return roster_new(&o, &l->s.roster, e);
}

struct roster *line_roster(const struct line *l)
{
    return l->s.roster;
}

/* --- fixtures -------------------------------------------------------------------- */

static struct worker *find(const struct line *l, const char *name)
{
    size_t n = atomic_load(&l->n);

    for (size_t i = 0; i < n; i++)
        if (strcmp(l->fixtures[i].name, name) == 0)
            return l->workers[i];
    for (size_t i = 0; i < n && *name; i++)
        if (strcmp(l->fixtures[i].where, name) == 0)
            return l->workers[i];
    return NULL;
}

bool line_has(const struct line *l, const char *name)
{
    return find(l, name) != NULL;
}

const char *line_fixture_name(const struct line *l, const char *name)
{
    const struct worker *w = find(l, name);

    return w ? worker_fixture(w) : NULL;
}

const char *line_fixture_key(const struct line *l, const char *name)
{
    const struct worker *w = find(l, name);

    return w ? worker_key(w) : NULL;
}

static bool known(void *ctx, const char *name)
{
    return find(ctx, name) != NULL;
}

static bool name_ok(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= FIXTURE_NAME_MAX && strcspn(name, " \t\r\n") == n;
}

/* Under l->adding. */
static int add_fixture(struct line *l, const struct line_fixture *f,
                       struct err *e)
{
    size_t n = atomic_load(&l->n);
    struct line_fixture *own = &l->fixtures[n];

    if (atomic_load(&l->stopping))
        return err_set(e, ERR_WRONG_STATE, "the line is being stopped");
    if (n == LINE_FIXTURES_MAX)
        return err_set(e, ERR_LIMIT, "this line has its %d fixtures; start a "
                       "second station for more", LINE_FIXTURES_MAX);
    if (!name_ok(f->name) || find(l, f->name))
        return err_set(e, ERR_USAGE, "'%s' cannot name a fixture: names are 1 "
                       "to %d octets without blanks, each used once; rename it",
                       f->name, FIXTURE_NAME_MAX);
    *own = (struct line_fixture){ strdup(f->name), f->ops, f->env,
                                  strdup(f->where) };
    int bad = own->name && own->where
            ? worker_new(&l->s, own, &l->workers[n], e)
            : err_set(e, ERR_NOMEM, "no memory for fixture %s", f->name);
    if (bad) {
        free((char *)own->name);
        free((char *)own->where);
        return -1;
    }
    atomic_store(&l->n, n + 1); /* from now on others may find it */
    return 0;
}

static int add_one(struct line *l, const struct line_fixture *f, struct err *e)
{
    pthread_mutex_lock(&l->adding);
    int bad = add_fixture(l, f, e);
    pthread_mutex_unlock(&l->adding);
    return bad;
}

/* Those from number `from` on. A ledger that cannot be read now says so when
 * the next unit is scanned. */
static void look_from(struct line *l, size_t from)
{
    AUTO(db_close_p) struct db *db = NULL;
    struct err e = ERR_INIT;

    if (db_open(l->s.data_dir, DB_READ, &l->s.db, &db, &e) != 0)
        return;
    for (size_t i = from, n = atomic_load(&l->n); i < n; i++)
        worker_look(l->workers[i], db);
}

void line_look(struct line *l)
{
    look_from(l, 0);
}

int line_add(struct line *l, const struct line_fixture *f, struct err *e)
{
    size_t before = atomic_load(&l->n);

    if (add_one(l, f, e) != 0)
        return -1;
    look_from(l, before);
    return 0;
}

void line_slower(struct line *l, const char *place)
{
    struct worker *w = find(l, place);

    if (w)
        worker_slower(w);
}

static int add_fixtures(struct line *l, const struct line_options *o,
                        struct err *e)
{
    if (o->fixture_count == 0 && !o->grows)
        return err_set(e, ERR_USAGE, "there is no fixture; plug one in, or "
                                     "name the right directory");
    l->fixtures = calloc(LINE_FIXTURES_MAX, sizeof *l->fixtures);
    l->workers = calloc(LINE_FIXTURES_MAX, sizeof *l->workers);
    l->s.claims = claims_new(LINE_FIXTURES_MAX);
    if (!l->fixtures || !l->workers || !l->s.claims)
        return err_set(e, ERR_NOMEM, "no memory for a line's fixtures");
    for (size_t i = 0; i < o->fixture_count; i++)
        if (add_one(l, &o->fixtures[i], e) != 0)
            return -1;
    return 0;
}

/* --- the line ---------------------------------------------------------------------- */

int line_new(const struct line_options *o, struct line **out, struct err *e)
{
    AUTO(line_free_p) struct line *l = calloc(1, sizeof *l);

    if (!l)
        return err_set(e, ERR_NOMEM, "no memory for a line");
    pthread_mutex_init(&l->adding, NULL);
    l->s.ended_fd = -1;
    l->s.limits = o->limits;
    l->s.event = o->event;
    l->s.event_ctx = o->event_ctx;
    if (o->db)
        l->s.db = *o->db;
    l->s.ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->s.ended_fd < 0)
        return err_errno(e, "eventfd");
    l->s.data_dir = strdup(o->data_dir);
    if (!l->s.data_dir)
        return err_set(e, ERR_NOMEM, "no memory for a line");
    if (open_ledger(l, e) != 0 || open_roster(l, e) != 0 || add_fixtures(l, o, e) != 0)
        return -1;
    tell_ready(l);
    line_look(l);
    *out = l;
    l = NULL;
    return 0;
}

/* --- scans ------------------------------------------------------------------------ */

static void tell_verdict(struct line *l, const char *fixture, const char *barcode,
                          enum verdict v, const struct err *why)
{
    line_tell(l, &(struct line_event){
        .kind = LINE_VERDICT, .fixture = fixture, .serial = barcode,
        .verdict = verdict_row(v), .detail = why->msg });
}

static void take_scan(struct line *l, struct worker *w, const struct scan *scan,
                      uint64_t connection)
{
    const struct roster_scan s = { worker_fixture(w), scan->barcode, connection };
    char actor[PERSON_NAME_MAX + 1];
    const char *imei = scan_imei(scan->barcode);
    struct err e = ERR_INIT;
    enum verdict v;

    switch (roster_take(l->s.roster, &s, actor, &v, &e)) {
    case ROSTER_TAKEN:
        break;
    case ROSTER_REFUSED:
        if (v != V_BADGE_REFUSED && !imei)
            worker_missed(w, scan);
        tell_verdict(l, scan->fixture,
                      v == V_BADGE_REFUSED ? "" : scan->barcode, v, &e);
        break;
    case ROSTER_WORK:
        if (imei)
            tell_verdict(l, scan->fixture, scan->barcode, worker_imei(w, imei, &e), &e);
        else if (!worker_give(w, scan, actor, NULL))
            line_refuse(l, scan->fixture, scan->barcode, V_SCAN_BUSY);
    }
}

/* No fixture is called so: it may be a badge, for the whole station. What is
 * refused does not show it: badges are nobody's business. */
static bool take_badge(struct line *l, const struct scan *scan, struct span text)
{
    struct span word = SPAN(scan->fixture, strlen(scan->fixture));
    const struct roster_scan s = { "", scan->fixture, 0 };
    char actor[PERSON_NAME_MAX + 1];
    struct err e = ERR_INIT;
    enum verdict v;

    if (text.n && text.p[text.n - 1] == '\r')
        text.n--;
    if (!span_eq(text, word) || !roster_is_badge(l->s.roster, word))
        return false;
    if (roster_take(l->s.roster, &s, actor, &v, &e) == ROSTER_REFUSED)
        tell_verdict(l, "", "", v, &e);
    return true;
}

bool line_command(struct line *l, struct span text)
{
    char command[COMMAND_SCAN_MAX + 1];

    if (!scan_command(text, command))
        return false;
    line_tell(l, &(struct line_event){ .kind = LINE_COMMAND, .state = command });
    return true;
}

void line_scan_from(struct line *l, struct span text, uint64_t connection)
{
    struct scan scan;

    if (line_command(l, text))
        return;
    enum scan_answer a = scan_parse(text, known, l, &scan);

    if (a == SCAN_UNKNOWN_FIXTURE && take_badge(l, &scan, text))
        return;
    if (a != SCAN_OK)
        line_refuse(l, scan.fixture, scan.barcode, verdict_of_scan(a));
    else if (atomic_load(&l->stopping))
        line_refuse(l, scan.fixture, scan.barcode, V_SCAN_STOPPING);
    else
        take_scan(l, find(l, scan.fixture), &scan, connection);
}

void line_scan(struct line *l, struct span text)
{
    line_scan_from(l, text, 0);
}

static int parse_return(struct line *l, const char *fixture, const char *serial,
                        struct scan *out, struct err *e)
{
    AUTO(buf_clear) struct buf text = BUF_INIT;

    buf_put(&text, fixture, strlen(fixture));
    buf_put_u8(&text, '\t');
    buf_put(&text, serial, strlen(serial));
    if (!buf_ok(&text))
        return err_set(e, ERR_NOMEM, "no memory for a return");
    enum scan_answer a = scan_parse(buf_span(&text), known, l, out);
    if (a == SCAN_OK)
        return 0;
    return err_set(e, a == SCAN_UNKNOWN_FIXTURE ? ERR_NOT_FOUND : ERR_USAGE, "%s %s",
                   verdict_row(verdict_of_scan(a))->cause,
                   verdict_row(verdict_of_scan(a))->next);
}

int line_return(struct line *l, const char *fixture, const char *serial,
                const char *reason, const char *actor, struct err *e)
{
    struct scan scan;

    if (return_reason_check(reason, e) != 0 ||
        parse_return(l, fixture, serial, &scan, e) != 0)
        return -1;
    if (atomic_load(&l->stopping))
        return err_set(e, ERR_WRONG_STATE, "the line is being stopped and takes no "
                       "more units; start it again");
    if (!worker_give(find(l, scan.fixture), &scan, actor, reason))
        return err_set(e, ERR_BUSY, "fixture %s is still working on a unit; wait for "
                       "its verdict, then try again", scan.fixture);
    return 0;
}

size_t line_busy(struct line *l)
{
    size_t n = 0, all = atomic_load(&l->n);

    for (size_t i = 0; i < all; i++)
        n += worker_busy(l->workers[i]);
    return n;
}

int line_fd(const struct line *l)
{
    return l->s.ended_fd;
}

void line_writer_stats(struct line *l, struct writer_stats *out)
{
    writer_stats(l->s.writer, out);
}

void line_stop(struct line *l)
{
    atomic_store(&l->stopping, true);
}

void line_end(struct line *l)
{
    line_stop(l);
    /* Nothing is added after this: line_add looks under the lock. */
    pthread_mutex_lock(&l->adding);
    size_t n = atomic_load(&l->n);
    pthread_mutex_unlock(&l->adding);
    for (size_t i = 0; i < n; i++)
        worker_end(l->workers[i]);
    if (l->s.roster)
        roster_end(l->s.roster);
}

void line_free(struct line *l)
{
    if (!l)
        return;
    line_end(l);
    for (size_t i = 0, n = atomic_load(&l->n); i < n; i++) {
        worker_free(l->workers[i]);
        free((char *)l->fixtures[i].name);
        free((char *)l->fixtures[i].where);
    }
    roster_free(l->s.roster);
    writer_close(l->s.writer);
    lock_release(l->lock);
    claims_free(l->s.claims);
    free(l->workers);
    free(l->fixtures);
    free(l->s.data_dir);
    pthread_mutex_destroy(&l->adding);
    if (l->s.ended_fd >= 0)
        close(l->s.ended_fd);
    free(l);
}

void line_free_p(struct line **l)
{
    line_free(*l);
}
