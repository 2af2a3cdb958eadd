#include "station/line/worker.h"

#include "station/base/clock.h"
#include "station/line/giveback.h"
#include "station/line/health.h"
#include "storage/imei.h"
#include "storage/places.h"
#include "storage/stands.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A reader's page cache: one unit's rows and its record. */
#define WORKER_CACHE_KIB 512
/* An IMEI that was scanned waits so long for its unit's label. */
#define IMEI_WAIT_MS 60000

struct worker {
    const struct worker_shared *s;
    const struct line_fixture *f;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool busy, ending; /* under lock */
    struct scan scan;  /* the thread's while busy */
    char actor[PERSON_NAME_MAX + 1]; /* likewise */
    char reason[RETURN_REASON_MAX + 1]; /* likewise; "": it is no return */
    char imei[IMEI_DIGITS + 1]; /* likewise: of its unit; "": not scanned */
    char next_imei[IMEI_DIGITS + 1]; /* under lock: for the next one; "": none */
    int64_t imei_ms;                 /* likewise: when it was scanned */
    char imei_of[SCAN_BARCODE_MAX + 1]; /* likewise: the unit that was scanned next and
                                           did not get in; "": none was */
    int64_t scanned_ms;
    struct contact slot; /* the thread's; closed: slot.inner is NULL */
    struct db *db;       /* the thread's; NULL: not open */
    struct duty_cache orders; /* the thread's */
    char key[HEALTH_NAME_MAX + 1]; /* fixture_health.fixture */
    pthread_mutex_t looking; /* what is read and what was told go together */
    bool told_stopped, told_worn; /* under looking */
    struct stand told_stand;      /* likewise */
};

/* --- telling ------------------------------------------------------------------- */

void worker_tell(const struct worker_shared *s, const struct line_event *ev)
{
    struct line_event whole = *ev;
    const char **text[] = { &whole.fixture, &whole.serial, &whole.eid,
                            &whole.step, &whole.txid, &whole.iccid,
                            &whole.detail, &whole.place, &whole.state,
                            &whole.person, &whole.order, &whole.position };

    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (!*text[i])
            *text[i] = "";
    if (s->event)
        s->event(s->event_ctx, &whole);
}

static void tell_busy(void *ctx, const struct unit_result *so_far,
                      const struct recipe_step *step)
{
    struct worker *w = ctx;

    worker_tell(w->s, &(struct line_event){
        .kind = LINE_BUSY, .fixture = w->f->name, .serial = so_far->serial,
        .eid = so_far->eid, .step = step->name, .order = so_far->order,
        .position = *so_far->order ? so_far->position : "" });
}

static void tell_verdict(struct worker *w, const struct unit_result *r,
                         const char *actor, int64_t scanned_ms)
{
    worker_tell(w->s, &(struct line_event){
        .kind = LINE_VERDICT, .fixture = w->f->name, .serial = r->serial,
        .eid = r->eid, .verdict = verdict_row(r->verdict), .taken = true,
        .detail = r->why.msg,
        .sw = r->why.sw, .installed = r->installed,
        .apdus = r->apdus, .order = r->order,
        .position = *r->order ? r->position : "",
        .person = strcmp(actor, LINE_ACTOR) == 0 ? "" : actor,
        .ms = clock_monotonic_ms() - scanned_ms });
}

/* --- health --------------------------------------------------------------------- */

static void tell_health(struct worker *w, const char *state, const char *why)
{
    worker_tell(w->s, &(struct line_event){
        .kind = LINE_HEALTH, .fixture = w->f->name, .state = state,
        .place = place_ok(w->key) ? w->key : "", .detail = why });
}

static void tell_stopped(struct worker *w, const struct fixture_health *h)
{
    if (h->stopped == w->told_stopped)
        return;
    w->told_stopped = h->stopped;
    if (h->stopped)
        tell_health(w, HEALTH_STOPPED, h->reason);
    else
        tell_health(w, HEALTH_RELEASED, "");
}

static void tell_worn(struct worker *w, const struct fixture_health *h)
{
    char why[80];

    if (health_worn(h) == w->told_worn)
        return;
    w->told_worn = !w->told_worn;
    snprintf(why, sizeof why, "%llu cycles, the limit is %llu",
             (unsigned long long)health_cycles(h), (unsigned long long)h->cycle_limit);
    if (w->told_worn)
        tell_health(w, HEALTH_MAINTENANCE, why);
    else
        tell_health(w, HEALTH_MAINTAINED, "");
}

static void tell_stand(struct worker *w, const struct stand *s)
{
    if (s->row == w->told_stand.row && s->column == w->told_stand.column)
        return;
    w->told_stand = *s;
    worker_tell(w->s, &(struct line_event){
        .kind = LINE_STANDS, .fixture = w->f->name, .row = s->row,
        .column = s->column });
}

void worker_look(struct worker *w, struct db *db)
{
    struct fixture_health h;
    struct stand stand;
    struct err e = ERR_INIT;

    pthread_mutex_lock(&w->looking);
    if (health_get(db, w->key, &h, &e) == 0) {
        tell_stopped(w, &h);
        tell_worn(w, &h);
    } /* else: the next scan says so, and looks again */
    if (stand_get(db, w->key, &stand, &e) == 0)
        tell_stand(w, &stand);
    pthread_mutex_unlock(&w->looking);
}

static bool is_news(struct worker *w, const struct fixture_health *h)
{
    pthread_mutex_lock(&w->looking);
    bool news = h->stopped != w->told_stopped || health_worn(h) != w->told_worn;
    pthread_mutex_unlock(&w->looking);
    return news;
}

void worker_slower(struct worker *w)
{
    contact_slower(&w->slot);
}

/* --- one unit ------------------------------------------------------------------ */

static int open_ledger(struct worker *w, struct fixture_gate *gate, struct unit_result *r)
{
    struct db_options o = w->s->db;

    o.cache_kib = WORKER_CACHE_KIB;
    if ((!w->db && db_open(w->s->data_dir, DB_READ, &o, &w->db, &r->why) != 0) ||
        gate_read(w->db, w->key, &w->scan, gate, &r->why) != 0) {
        r->verdict = verdict_of_station(&r->why);
        return -1;
    }
    if (is_news(w, &gate->health))
        worker_look(w, w->db); /* somebody has released it meanwhile */
    return 0;
}

static int open_slot(struct worker *w, struct unit_result *r)
{
    if (w->slot.inner ||
        w->f->ops->open(w->f->env, w->f->where, &w->slot.inner, &r->why) == 0)
        return 0;
    w->slot.inner = NULL;
    contact_closed(&w->slot);
    r->verdict = verdict_of_card(&r->why);
    return -1;
}

static void close_slot(struct worker *w)
{
    if (w->slot.inner)
        w->f->ops->close(w->slot.inner);
    w->slot.inner = NULL;
}

/* A golden unit may go into a fixture that takes no others. */
static bool is_shut(const struct fixture_gate *g)
{
    return g->shut != V_DONE && !g->golden;
}

static void refuse(const struct fixture_gate *g, struct unit_result *r)
{
    r->verdict = g->shut;
    err_set(&r->why, ERR_WRONG_STATE, "%s", g->why);
}

/* The scan was no unit's but an order's: this fixture works by it. */
struct choice {
    const struct worker *w;
    const char *number;
    struct order_info order;
};

static int choose_tx(struct tx *tx, void *ctx, struct err *e)
{
    struct choice *c = ctx;

    return order_bind(tx, c->number, c->w->f->name, "", ORDER_BIND_SCAN,
                      c->w->actor, e) != 0 ? -1
         : order_by_number(tx_db(tx), c->number, &c->order, e);
}

static void choose_order(struct worker *w, const char *number,
                         struct unit_result *r)
{
    struct choice c = { .w = w, .number = number };

    memcpy(r->serial, w->scan.barcode, sizeof w->scan.barcode);
    if (writer_do(w->s->writer, choose_tx, &c, &r->why) != 0) {
        r->verdict = r->why.code == ERR_NOT_FOUND || r->why.code == ERR_WRONG_STATE
                   ? V_ORDER_UNKNOWN : verdict_of_station(&r->why);
        return;
    }
    r->verdict = V_ORDER_CHOSEN;
    memcpy(r->order, c.order.number, sizeof r->order);
    err_set(&r->why, ERR_NONE, "order %s: %s, %llu units left", c.order.number,
            c.order.product, (unsigned long long)order_left(&c.order));
}

static void run_one(struct worker *w, struct unit_result *r)
{
    struct fixture_gate gate = { .shut = V_DONE };
    struct unit_env env = {
        .fixture = w->f->name, .fixture_key = w->key, .actor = w->actor,
        .slot = &w->slot, .gate = &gate, .writer = w->s->writer,
        .claims = w->s->claims, .limits = w->s->limits, .orders = &w->orders,
        .imei = w->imei,
        .busy = tell_busy, .ctx = w,
    };

    *r = (struct unit_result){ .why = ERR_INIT };
    const char *number = duty_scan(w->scan.barcode);
    if (number && !w->reason[0]) {
        choose_order(w, number, r);
        return;
    }
    memcpy(r->serial, w->scan.barcode, sizeof w->scan.barcode);
    if (open_ledger(w, &gate, r) != 0) {
        unit_not_begun(&env, &w->scan, r);
    } else if (is_shut(&gate) && w->scan.is_eid) {
        refuse(&gate, r); /* its label says that it is not golden */
    } else if (open_slot(w, r) == 0) {
        env.db = w->db;
        if (w->reason[0])
            giveback_run(&env, &w->scan, w->reason, r);
        else
            unit_run(&env, &w->scan, r);
        /* A fixture that failed is opened anew for the next unit. */
        if (r->verdict == V_FIXTURE)
            close_slot(w);
    } else if (is_shut(&gate)) {
        refuse(&gate, r);
    } else {
        unit_not_begun(&env, &w->scan, r);
    }
}

/* --- the thread ------------------------------------------------------------------ */

static bool wait_for_scan(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    while (!w->busy && !w->ending)
        pthread_cond_wait(&w->wake, &w->lock);
    bool has_scan = w->busy;
    pthread_mutex_unlock(&w->lock);
    return has_scan;
}

/* The fixture is free before its verdict is told: whoever hears the one may
 * rely on the other. */
static int64_t set_free(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    w->busy = false;
    int64_t scanned_ms = w->scanned_ms;
    pthread_mutex_unlock(&w->lock);
    return scanned_ms;
}

static void *work(void *ctx)
{
    struct worker *w = ctx;
    struct unit_result r;
    char actor[sizeof w->actor]; /* the next scan's may be there already */
    const uint64_t one = 1;

    while (wait_for_scan(w)) {
        run_one(w, &r);
        memcpy(actor, w->actor, sizeof actor);
        roster_used(w->s->roster, w->f->name);
        tell_verdict(w, &r, actor, set_free(w));
        if (r.fixture_changed && w->db)
            worker_look(w, w->db);
        if (write(w->s->ended_fd, &one, sizeof one) != sizeof one)
            continue; /* the count is full: it is readable anyway */
    }
    close_slot(w);
    db_close(w->db);
    duty_cache_clear(&w->orders);
    return NULL;
}

const char *worker_fixture(const struct worker *w)
{
    return w->f->name;
}

const char *worker_key(const struct worker *w)
{
    return w->key;
}

enum verdict worker_imei(struct worker *w, const char *text, struct err *why)
{
    char imei[IMEI_DIGITS + 1];
    int bad = imei_read(text, imei, why);

    pthread_mutex_lock(&w->lock);
    /* One that is misread forgets the one before: who scans twice means the
     * second. */
    snprintf(w->next_imei, sizeof w->next_imei, "%s", bad ? "" : imei);
    w->imei_ms = clock_monotonic_ms();
    w->imei_of[0] = '\0';
    pthread_mutex_unlock(&w->lock);
    if (bad)
        return V_IMEI_MISREAD;
    err_set(why, ERR_NONE, "IMEI %s", imei);
    return V_IMEI_TAKEN;
}

/* It is that of the unit whose label came right behind it, and of no other. Under
 * lock. */
static void keep_for(struct worker *w, const struct scan *scan)
{
    if (!w->next_imei[0] || duty_scan(scan->barcode))
        return;
    if (!w->imei_of[0])
        memcpy(w->imei_of, scan->barcode, sizeof w->imei_of);
    else if (strcmp(w->imei_of, scan->barcode) != 0)
        w->next_imei[0] = '\0';
}

void worker_missed(struct worker *w, const struct scan *scan)
{
    pthread_mutex_lock(&w->lock);
    keep_for(w, scan);
    pthread_mutex_unlock(&w->lock);
}

/* The next unit's scan takes it, whatever becomes of that unit: it never comes to
 * another one. Under lock. */
static void take_imei(struct worker *w, const struct scan *scan)
{
    bool late = clock_monotonic_ms() - w->imei_ms > IMEI_WAIT_MS;

    keep_for(w, scan);
    snprintf(w->imei, sizeof w->imei, "%s", late ? "" : w->next_imei);
    w->next_imei[0] = w->imei_of[0] = '\0';
}

bool worker_give(struct worker *w, const struct scan *scan, const char *actor,
                 const char *reason)
{
    pthread_mutex_lock(&w->lock);
    bool taken = !w->busy && !w->ending;
    if (taken) {
        w->scan = *scan;
        snprintf(w->actor, sizeof w->actor, "%s", actor);
        snprintf(w->reason, sizeof w->reason, "%s", reason ? reason : "");
        if (!duty_scan(scan->barcode))
            take_imei(w, scan);
        w->scanned_ms = clock_monotonic_ms();
        w->busy = true;
        pthread_cond_signal(&w->wake);
    } else {
        keep_for(w, scan);
    }
    pthread_mutex_unlock(&w->lock);
    return taken;
}

bool worker_busy(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    bool busy = w->busy;
    pthread_mutex_unlock(&w->lock);
    return busy;
}

int worker_new(const struct worker_shared *s, const struct line_fixture *f,
               struct worker **out, struct err *e)
{
    struct worker *w = calloc(1, sizeof *w);

    if (!w)
        return err_set(e, ERR_NOMEM, "no memory for fixture %s", f->name);
    w->s = s;
    w->f = f;
    health_name(place_ok(f->where) ? f->where : f->name, w->key);
    contact_init(&w->slot);
    pthread_mutex_init(&w->lock, NULL);
    pthread_mutex_init(&w->looking, NULL);
    pthread_cond_init(&w->wake, NULL);
    int rc = pthread_create(&w->thread, NULL, work, w);
    if (rc != 0) {
        pthread_cond_destroy(&w->wake);
        pthread_mutex_destroy(&w->lock);
        pthread_mutex_destroy(&w->looking);
        free(w);
        errno = rc;
        return err_errno(e, "cannot start a thread for fixture %s", f->name);
    }
    *out = w;
    return 0;
}

void worker_end(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
    bool first = !w->ending;
    w->ending = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    if (first)
        pthread_join(w->thread, NULL);
}

void worker_free(struct worker *w)
{
    if (!w)
        return;
    worker_end(w);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    pthread_mutex_destroy(&w->looking);
    free(w);
}
