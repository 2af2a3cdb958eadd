#include "station/control/state.h"

#include "station/control/events.h"
#include "station/control/protocol.h"
#include "station/line/health.h"
#include "station/show/stock.h"
#include "storage/queries.h"

#include <stdlib.h>
#include <string.h>

#define SERIAL_MAX 64
#define STATE_MAX 15
#define STEP_MAX 31
#define WHY_MAX 255
#define WHO_MAX 63
#define ORDER_MAX 32

struct place {
    char place[FIXTURE_NAME_MAX + 1];
    char state[STATE_MAX + 1];
    char why[WHY_MAX + 1];
};

struct slot {
    char name[FIXTURE_NAME_MAX + 1];
    struct place at; /* on the bus; empty for the embedded bench */
    char person[WHO_MAX + 1]; /* logged in here; "": nobody */
    char order[ORDER_MAX + 1];  /* of the last unit that began; "": none */
    bool stopped;    /* it takes no units: stopped_why; whatever is in it */
    char stopped_why[WHY_MAX + 1];
    char worn[WHY_MAX + 1]; /* maintenance is due; "": it is not */
    unsigned row, column; /* where it stands on the bench; 0: nothing is said of it */
    /* The unit that is at work; step "": none is. */
    char step[STEP_MAX + 1];
    char serial[SERIAL_MAX + 1];
    char eid[EID_DIGITS + 1];
    /* The last that has ended; NULL: none has. */
    const struct verdict_row *last;
    char last_serial[SERIAL_MAX + 1];
    char last_eid[EID_DIGITS + 1];
    unsigned installed;
    int64_t ms;
};

struct state {
    uint64_t seen;
    uint64_t verdicts[VERDICT_KINDS];
    uint64_t unknown; /* fixtures and scanners there was no room for */
    char person[WHO_MAX + 1]; /* logged in at the station; "": nobody */
    size_t fixtures, scanners;
    struct slot fixture[LINE_FIXTURES_MAX];
    struct place scanner[STATE_SCANNERS_MAX];
};

struct state *state_new(void)
{
    return calloc(1, sizeof(struct state));
}

void state_free(struct state *s)
{
    free(s);
}

uint64_t state_seen(const struct state *s)
{
    return s->seen;
}

void state_copy(struct state *to, const struct state *from)
{
    to->seen = from->seen;
    memcpy(to->verdicts, from->verdicts, sizeof to->verdicts);
    to->unknown = from->unknown;
    memcpy(to->person, from->person, sizeof to->person);
    to->fixtures = from->fixtures;
    to->scanners = from->scanners;
    memcpy(to->fixture, from->fixture, from->fixtures * sizeof *to->fixture);
    memcpy(to->scanner, from->scanner, from->scanners * sizeof *to->scanner);
}

/* --- what is told ------------------------------------------------------------- */

static void keep(char *out, size_t cap, const char *text)
{
    size_t n = strnlen(text, cap - 1);

    memcpy(out, text, n);
    out[n] = '\0';
}
#define KEEP(to, text) keep(to, sizeof(to), text)

static struct slot *slot_of(struct state *s, const char *name)
{
    for (size_t i = 0; i < s->fixtures; i++)
        if (strcmp(s->fixture[i].name, name) == 0)
            return &s->fixture[i];
    return NULL;
}

static struct slot *slot_add(struct state *s, const char *name)
{
    struct slot *f = slot_of(s, name);

    if (f || !*name)
        return f;
    if (s->fixtures == LINE_FIXTURES_MAX) {
        s->unknown++;
        return NULL;
    }
    f = &s->fixture[s->fixtures++];
    *f = (struct slot){ .step = "" };
    KEEP(f->name, name);
    return f;
}

static void keep_place(struct place *p, const struct line_event *ev)
{
    KEEP(p->place, ev->place);
    KEEP(p->state, ev->state);
    KEEP(p->why, ev->detail);
}

static void on_ready(struct state *s, const struct line_event *ev)
{
    for (size_t i = 0; i < ev->fixtures; i++)
        slot_add(s, ev->list[i].name);
}

static void on_busy(struct state *s, const struct line_event *ev)
{
    struct slot *f = slot_add(s, ev->fixture);

    if (!f)
        return;
    KEEP(f->order, ev->order);
    KEEP(f->step, ev->step);
    KEEP(f->serial, ev->serial);
    KEEP(f->eid, ev->eid);
}

/* The unit was known, and nothing was done with it: it is to be set aside. */
static bool held(const struct verdict_row *v)
{
    return v == verdict_row(V_QUARANTINED) || v == verdict_row(V_SCRAPPED);
}

/* A scan that no fixture took has nothing to do with the unit that is there;
 * one that was refused when its fixture had looked at it is no unit's, but for
 * those that are held back. */
static void on_verdict(struct state *s, const struct line_event *ev)
{
    s->verdicts[ev->verdict->kind]++;
    bool refused = ev->verdict->kind == VERDICT_REFUSED;
    bool unseen = ev->verdict->kind == VERDICT_IMEI || (refused && !ev->taken);
    struct slot *f = unseen ? NULL : slot_add(s, ev->fixture);
    if (!f)
        return;
    f->step[0] = f->serial[0] = f->eid[0] = '\0';
    if (refused && !held(ev->verdict))
        return;
    if (!refused)
        KEEP(f->order, ev->order);
    if (ev->verdict->kind == VERDICT_ORDER)
        return;
    f->last = ev->verdict;
    KEEP(f->last_serial, ev->serial);
    KEEP(f->last_eid, ev->eid);
    f->installed = ev->installed;
    f->ms = ev->ms;
}

static void on_fixture(struct state *s, const struct line_event *ev)
{
    struct slot *f = slot_add(s, ev->fixture);

    if (f)
        keep_place(&f->at, ev);
}

static void on_health(struct state *s, const struct line_event *ev)
{
    struct slot *f = slot_add(s, ev->fixture);

    if (!f)
        return;
    if (strcmp(ev->state, HEALTH_MAINTENANCE) == 0) {
        KEEP(f->worn, ev->detail);
    } else if (strcmp(ev->state, HEALTH_MAINTAINED) == 0) {
        f->worn[0] = '\0';
    } else {
        f->stopped = strcmp(ev->state, HEALTH_STOPPED) == 0;
        KEEP(f->stopped_why, ev->detail);
    }
}

static void on_stands(struct state *s, const struct line_event *ev)
{
    struct slot *f = slot_add(s, ev->fixture);

    if (!f)
        return;
    f->row = ev->row;
    f->column = ev->column;
}

static void on_scanner(struct state *s, const struct line_event *ev)
{
    size_t i = 0;

    while (i < s->scanners && strcmp(s->scanner[i].place, ev->place) != 0)
        i++;
    if (i == STATE_SCANNERS_MAX) {
        s->unknown++;
        return;
    }
    s->scanners += i == s->scanners;
    keep_place(&s->scanner[i], ev);
}

/* A badge that waits for its PIN changes nobody. */
static void on_session(struct state *s, const struct line_event *ev)
{
    struct slot *f = *ev->fixture ? slot_add(s, ev->fixture) : NULL;
    char *who = f ? f->person : *ev->fixture ? NULL : s->person;

    if (who && strcmp(ev->state, "pin") != 0)
        keep(who, WHO_MAX + 1, strcmp(ev->state, "opened") == 0 ? ev->person : "");
}

void state_apply(struct state *s, const struct line_event *ev)
{
    static void (*const on[])(struct state *, const struct line_event *) = {
        [LINE_READY] = on_ready,     [LINE_BUSY] = on_busy,
        [LINE_VERDICT] = on_verdict, [LINE_FIXTURE] = on_fixture,
        [LINE_SCANNER] = on_scanner, [LINE_CHOSEN] = NULL,
        [LINE_SESSION] = on_session,
        [LINE_HEALTH] = on_health,   [LINE_COMMAND] = NULL,
        [LINE_STANDS] = on_stands,
    };

    s->seen++;
    if (on[ev->kind])
        on[ev->kind](s, ev);
}

/* --- the stock ------------------------------------------------------------------ */

static bool at_work(const struct state *s, const struct eid *eid)
{
    char text[EID_DIGITS + 1];

    eid_format(eid, text);
    for (size_t i = 0; i < s->fixtures; i++)
        if (strcmp(s->fixture[i].eid, text) == 0)
            return true;
    return false;
}

int control_stock_read(struct db *db, const struct state *now,
                       unsigned warn_hours, struct control_stock *out,
                       struct err *e)
{
    AUTO(bundle_balances_clear) struct bundle_balances all = { NULL, 0 };
    AUTO(bpp_list_clear) struct bpp_list loading = { NULL, 0 };
    struct stock_pace pace;
    struct reports_open open;

    if (stock_balances(db, &all, e) != 0 || stock_pace(db, &pace, e) != 0 ||
        reports_open(db, &open, e) != 0 ||
        query_bpps(db, BPP_LOADING, QUERY_UNRESOLVED_MAX, &loading, e) != 0)
        return -1;
    *out = (struct control_stock){ .unacknowledged = open };
    out->unacknowledged.age_s = 0; /* what only grows older is nothing new */
    for (size_t i = 0; i < all.n; i++) {
        out->total.received += all.v[i].b.received;
        out->total.deleted += all.v[i].b.deleted;
        for (int s = 0; s < BPP_STATES; s++)
            out->total.by_state[s] += all.v[i].b.by_state[s];
    }
    for (size_t i = 0; i < loading.n; i++)
        out->unresolved += !at_work(now, &loading.v[i].eid);
    out->forecast = stock_forecast(&out->total, &pace, warn_hours);
    return 0;
}

json_t *control_stock_json(const struct control_stock *k)
{
    json_t *j = json_pack("{s:I}", "received", (json_int_t)k->total.received);

    for (int s = 0; s < BPP_STATES; s++)
        json_object_set_new(j, bpp_state_name((enum bpp_state)s),
                            json_integer((json_int_t)k->total.by_state[s]));
    json_object_set_new(j, "deleted", json_integer((json_int_t)k->total.deleted));
    json_object_set_new(j, "unresolved", json_integer((json_int_t)k->unresolved));
    json_object_set_new(j, "forecast", show_forecast(&k->forecast));
    json_object_set_new(j, "notAcknowledged",
                        show_unacknowledged(&k->unacknowledged));
    return j;
}

/* --- the snapshot ----------------------------------------------------------------- */

static json_t *place_json(const struct place *p)
{
    return json_pack("{s:o, s:o, s:o}", "place", control_string(p->place),
                     "state", control_string(p->state), "reason",
                     control_string(p->why));
}

static json_t *last_json(const struct slot *f)
{
    return json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:i, s:I}", "verdict",
                     verdict_kind_text(f->last->kind), "code", f->last->code,
                     "serial", control_string(f->last_serial), "eid",
                     f->last_eid, "cause", f->last->cause, "next",
                     f->last->next, "installed", (int)f->installed, "ms",
                     (json_int_t)f->ms);
}

static json_t *slot_json(const struct slot *f)
{
    json_t *j = *f->at.place ? place_json(&f->at) : json_object();

    json_object_set_new(j, "fixture", control_string(f->name));
    if (f->stopped) {
        json_object_set_new(j, "state", json_string(HEALTH_STOPPED));
        json_object_set_new(j, "reason", control_string(f->stopped_why));
    }
    if (*f->worn)
        json_object_set_new(j, "maintenance", control_string(f->worn));
    control_stand_json(j, f->row, f->column);
    json_object_set_new(j, "busy", json_boolean(*f->step));
    if (*f->order)
        json_object_set_new(j, "order", control_string(f->order));
    if (*f->person)
        json_object_set_new(j, "person", control_string(f->person));
    if (*f->step) {
        json_object_set_new(j, "step", control_string(f->step));
        json_object_set_new(j, "serial", control_string(f->serial));
        json_object_set_new(j, "eid", control_string(f->eid));
    }
    if (f->last)
        json_object_set_new(j, "last", last_json(f));
    return j;
}

static json_t *counts_json(const struct state *s)
{
    static const char *const names[VERDICT_KINDS] = {
        [VERDICT_PASS] = "pass",       [VERDICT_ALREADY_DONE] = "alreadyDone",
        [VERDICT_FAIL] = "fail",       [VERDICT_REFUSED] = "refused",
        [VERDICT_STOCKED] = "stocked", [VERDICT_INCOMPLETE] = "incomplete",
        [VERDICT_RETURNED] = "returned",
        [VERDICT_ORDER] = NULL, /* no unit's */
        [VERDICT_IMEI] = NULL,
        [VERDICT_GOLDEN] = "golden",
    };
    json_t *j = json_object();

    for (int k = 0; k < VERDICT_KINDS; k++)
        if (names[k])
            json_object_set_new(j, names[k],
                                json_integer((json_int_t)s->verdicts[k]));
    return j;
}

json_t *state_json(const struct state *s, const struct control_stock *k,
                   const struct control_work *w)
{
    json_t *fixtures = json_array(), *scanners = json_array();

    for (size_t i = 0; i < s->fixtures; i++)
        json_array_append_new(fixtures, slot_json(&s->fixture[i]));
    for (size_t i = 0; i < s->scanners; i++)
        json_array_append_new(scanners, place_json(&s->scanner[i]));
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "person",
                     control_string(s->person), "fixtures", fixtures, "scanners",
                     scanners, "counts", counts_json(s), "stock",
                     k ? control_stock_json(k) : json_null(), "work",
                     w ? control_work_json(w) : json_null(), "notListed",
                     (json_int_t)s->unknown);
}
