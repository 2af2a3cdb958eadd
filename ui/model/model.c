#include "ui/model/model.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct model {
    struct snapshot s;
    unsigned sounds;
    size_t commands;
    char command[MODEL_COMMANDS][WORD_CAP];
};

struct model *model_new(void)
{
    return calloc(1, sizeof(struct model));
}

void model_free(struct model *m)
{
    if (m) {
        json_decref((json_t *)m->s.answer);
        json_decref((json_t *)m->s.acts);
        json_decref((json_t *)m->s.job.answer);
    }
    free(m);
}

const struct snapshot *model_now(const struct model *m)
{
    return &m->s;
}

unsigned model_sounds(struct model *m)
{
    unsigned sounds = m->sounds;

    m->sounds = 0;
    return sounds;
}

void model_clock(struct model *m, int64_t now, long zone)
{
    m->s.now = now;
    m->s.zone = zone;
}

void model_pin_done(struct model *m)
{
    m->s.pin_wanted = false;
}

/* --- members of messages ----------------------------------------------------------- */

/* Cut between two characters. */
static void copy(char *to, size_t cap, const char *from)
{
    size_t n = strnlen(from, cap);

    if (n == cap)
        for (n = cap - 1; n > 0 && ((uint8_t)from[n] & 0xC0) == 0x80;)
            n--;
    memcpy(to, from, n);
    to[n] = '\0';
}
#define COPY(to, from) copy(to, sizeof(to), from)

static const char *text(const json_t *j, const char *name)
{
    const char *s = json_string_value(json_object_get(j, name));

    return s ? s : "";
}
#define TAKE(to, j, name) copy(to, sizeof(to), text(j, name))

#define NUMBER_MAX 999999999999ll
static long long number(const json_t *j, const char *name)
{
    json_int_t v = json_integer_value(json_object_get(j, name));

    return v < 0 ? 0 : v > NUMBER_MAX ? NUMBER_MAX : v;
}

static double real(const json_t *j, const char *name)
{
    double v = json_number_value(json_object_get(j, name));

    return !(v >= 0) ? 0 : v > 1e9 ? 1e9 : v;
}

static bool flag(const json_t *j, const char *name)
{
    return json_is_true(json_object_get(j, name));
}

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* --- fixtures ------------------------------------------------------------------------ */

/* F2 before F10: digits in a row count as one number. */
static int by_name(const char *a, const char *b)
{
    while (*a && *b) {
        if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
            while (*a == '0')
                a++;
            while (*b == '0')
                b++;
            size_t na = strspn(a, "0123456789"), nb = strspn(b, "0123456789");
            int order = na != nb ? (na < nb ? -1 : 1) : strncmp(a, b, na);
            if (order)
                return order;
            a += na;
            b += nb;
        } else if (*a != *b) {
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        } else {
            a++;
            b++;
        }
    }
    return *a ? 1 : *b ? -1 : 0;
}

const struct slot *snapshot_slot(const struct snapshot *s, const char *name)
{
    for (size_t i = 0; i < s->slots; i++)
        if (is(s->slot[i].name, name))
            return &s->slot[i];
    return NULL;
}

/* NULL: without a name, or there are too many. */
static struct slot *slot_of(struct model *m, const char *whole)
{
    struct snapshot *s = &m->s;
    char name[NAME_CAP];

    COPY(name, whole);
    struct slot *there = (struct slot *)snapshot_slot(s, name);
    if (there || !*name || s->slots == SNAPSHOT_SLOTS)
        return there;
    size_t at = s->slots++;
    while (at > 0 && by_name(s->slot[at - 1].name, name) > 0)
        at--;
    memmove(&s->slot[at + 1], &s->slot[at], (s->slots - 1 - at) * sizeof *s->slot);
    memset(&s->slot[at], 0, sizeof *s->slot);
    COPY(s->slot[at].name, name);
    return &s->slot[at];
}

enum look slot_look(const struct slot *s, int64_t now)
{
    static const char *const away[] = { "gone", "parked", "not-ours", "opening" };

    for (size_t i = 0; i < sizeof away / sizeof *away; i++)
        if (is(s->state, away[i]))
            return LOOK_GONE;
    if (s->busy)
        return LOOK_BUSY;
    if (s->stopped)
        return LOOK_STOPPED;
    if (s->chosen_at && now - s->chosen_at < CHOSEN_S)
        return LOOK_SCAN;
    if (!s->ended)
        return LOOK_READY;
    if (is(s->last.verdict, "REFUSED"))
        return LOOK_CHECK;
    return is(s->last.verdict, "FAIL") ? LOOK_FAIL
         : is(s->last.verdict, "INCOMPLETE") ? LOOK_SCAN
         : is(s->last.verdict, "ALREADY DONE") ? LOOK_DONE : LOOK_PASS;
}

static void take_ending(struct ending *to, const json_t *j)
{
    TAKE(to->serial, j, "serial");
    TAKE(to->eid, j, "eid");
    TAKE(to->verdict, j, "verdict");
    TAKE(to->code, j, "code");
    TAKE(to->cause, j, "cause");
    TAKE(to->next, j, "next");
    TAKE(to->detail, j, "detail");
    to->installed = number(j, "installed");
    to->ms = number(j, "ms");
}

/* The unit that is there is another, or none. */
static void forget_trouble(struct model *m, const char *fixture)
{
    if (is(m->s.trouble.fixture, fixture) || !*m->s.trouble.fixture)
        m->s.has_trouble = false;
}

static void take_state(struct slot *f, const json_t *j)
{
    const char *state = text(j, "state");

    if (is(state, "stopped")) {
        f->stopped = true;
        TAKE(f->stopped_why, j, "reason");
    } else if (is(state, "released")) {
        f->stopped = false;
    } else if (is(state, "maintenance")) {
        TAKE(f->maintenance, j, "reason");
    } else if (is(state, "maintained")) {
        f->maintenance[0] = '\0';
    } else if (!is(state, "slower")) {
        COPY(f->state, state);
        TAKE(f->reason, j, "reason");
    }
    TAKE(f->place, j, "place");
}

/* Without one it stands nowhere any more. */
static void take_stand(struct slot *f, const json_t *j)
{
    f->row = (unsigned)number(j, "row");
    f->column = (unsigned)number(j, "column");
}

static void take_fixture(struct model *m, const json_t *j)
{
    struct slot *f = slot_of(m, text(j, "fixture"));
    const json_t *last = json_object_get(j, "last");

    if (!f)
        return;
    take_state(f, j);
    TAKE(f->person, j, "person");
    TAKE(f->order, j, "order");
    TAKE(f->maintenance, j, "maintenance");
    take_stand(f, j);
    f->busy = flag(j, "busy");
    TAKE(f->step, j, "step");
    TAKE(f->serial, j, "serial");
    TAKE(f->eid, j, "eid");
    if ((f->ended = json_is_object(last))) {
        take_ending(&f->last, last);
        COPY(f->last.fixture, f->name);
    }
}

/* --- answers --------------------------------------------------------------------------- */

void model_answer(struct model *m, const char *screen, const json_t *reply)
{
    struct snapshot *s = &m->s;

    json_decref((json_t *)s->answer);
    s->answer = reply ? json_incref(json_object_get(reply, "answer")) : NULL;
    COPY(s->answer_to, screen);
    TAKE(s->answer_error, reply, "message");
    TAKE(s->answer_code, reply, "error");
}

const json_t *snapshot_answer(const struct snapshot *s, const char *screen)
{
    return is(s->answer_to, screen) ? s->answer : NULL;
}

/* --- media, and what takes long ----------------------------------------------------------- */

bool model_places(struct model *m, const char *media, const struct place *v, size_t n)
{
    n = n < SNAPSHOT_PLACES ? n : SNAPSHOT_PLACES;
    COPY(m->s.media, media);
    if (n == m->s.places && (n == 0 || memcmp(v, m->s.place, n * sizeof *v) == 0))
        return false;
    if (n > 0)
        memcpy(m->s.place, v, n * sizeof *v);
    m->s.places = n;
    return true;
}

void model_job_begin(struct model *m, const char *screen, const char *label,
                     const char *about, long long id)
{
    struct job *j = &m->s.job;

    json_decref((json_t *)j->answer);
    *j = (struct job){ .number = j->number + 1, .state = JOB_RUNS, .id = id };
    COPY(j->screen, screen);
    COPY(j->label, label);
    COPY(j->about, about);
}

static void on_progress(struct model *m, const json_t *e)
{
    struct job *j = &m->s.job;

    if (j->state != JOB_RUNS || number(e, "id") != j->id)
        return;
    TAKE(j->step, e, "step");
    j->done = number(e, "done");
    j->of = number(e, "of");
}

void model_job_end(struct model *m, const json_t *reply)
{
    struct job *j = &m->s.job;

    if (j->state != JOB_RUNS)
        return;
    j->state = flag(reply, "ok") ? JOB_DONE : JOB_REFUSED;
    j->answer = json_incref(json_object_get(reply, "answer"));
    TAKE(j->message, reply, "message");
    TAKE(j->error, reply, "error");
    TAKE(j->next, j->answer, "next");
}

void model_may(struct model *m, const json_t *reply)
{
    const json_t *acts = json_object_get(reply, "acts");

    json_decref((json_t *)m->s.acts);
    m->s.acts = json_is_array(acts) ? json_incref((json_t *)acts) : NULL;
}

bool snapshot_may(const struct snapshot *s, const char *act)
{
    const json_t *one;
    size_t i;

    json_array_foreach(s->acts, i, one)
        if (json_is_string(one) && is(json_string_value(one), act))
            return true;
    return !s->acts;
}

/* --- figures -------------------------------------------------------------------------- */

static void take_counts(struct counts *c, const json_t *j)
{
    *c = (struct counts){
        .pass = number(j, "pass"), .already_done = number(j, "alreadyDone"),
        .fail = number(j, "fail"), .refused = number(j, "refused"),
        .stocked = number(j, "stocked"), .incomplete = number(j, "incomplete"),
        .golden = number(j, "golden"), .returned = number(j, "returned") };
}

static void take_stock(struct snapshot *s, const json_t *j)
{
    const json_t *f = json_object_get(j, "forecast");

    if (!(s->has_stock = json_is_object(j)))
        return;
    s->stock = (struct stock){
        .received = number(j, "received"), .in_stock = number(j, "in-stock"),
        .reserved = number(j, "reserved"), .loading = number(j, "loading"),
        .installed = number(j, "installed"), .failed = number(j, "failed"),
        .quarantined = number(j, "quarantined"), .voided = number(j, "voided"),
        .deleted = number(j, "deleted"), .unresolved = number(j, "unresolved"),
        .left = number(f, "left"), .units_per_hour = real(f, "unitsPerHour"),
        .hours_left = json_is_number(json_object_get(f, "hoursLeft"))
                    ? real(f, "hoursLeft") : -1,
        .low = flag(f, "low"),
        .not_acknowledged = number(json_object_get(j, "notAcknowledged"), "reports") };
}

static void take_work(struct snapshot *s, const json_t *j)
{
    const json_t *orders = json_object_get(j, "orders"), *shift = json_object_get(j, "shift");
    const json_t *one;
    size_t i;

    if (!(s->has_work = json_is_object(j)))
        return;
    s->waiting = number(j, "waiting");
    s->shift = (struct shift_row){
        .number = number(shift, "shift"), .since = number(shift, "since"),
        .passed = number(shift, "passed"), .stocked = number(shift, "stocked"),
        .failed = number(shift, "failed") };
    s->orders = 0;
    json_array_foreach(orders, i, one) {
        if (s->orders == SNAPSHOT_ORDERS)
            break;
        struct order_row *o = &s->order[s->orders++];
        *o = (struct order_row){
            .quantity = number(one, "quantity"), .passed = number(one, "passed"),
            .stocked = number(one, "stocked"), .failed = number(one, "failed"),
            .left = number(one, "left") };
        TAKE(o->number, one, "order");
        TAKE(o->product, one, "product");
    }
}

/* --- notes ------------------------------------------------------------------------------ */

const struct note *snapshot_note(const struct snapshot *s, size_t i)
{
    if (i >= s->notes)
        return NULL;
    return &s->note[(s->note_first + s->notes - 1 - i) % SNAPSHOT_NOTES];
}

static void note(struct model *m, enum note_kind kind, const char *fixture,
                 const char *what, const char *word, const char *code)
{
    struct snapshot *s = &m->s;

    if (s->notes == SNAPSHOT_NOTES)
        s->note_first = (s->note_first + 1) % SNAPSHOT_NOTES;
    else
        s->notes++;
    struct note *n = (struct note *)snapshot_note(s, 0);
    *n = (struct note){ .at = s->now, .kind = kind };
    COPY(n->fixture, fixture);
    COPY(n->what, what);
    COPY(n->word, word);
    COPY(n->code, code);
}

/* --- events ------------------------------------------------------------------------------ */

static void forget(struct snapshot *s)
{
    s->slots = s->orders = s->scanners = 0;
    memset(&s->counts, 0, sizeof s->counts);
    memset(&s->shift, 0, sizeof s->shift);
    s->has_stock = s->has_work = s->has_trouble = s->pin_wanted = false;
    s->person[0] = '\0';
    s->waiting = 0;
}

/* Those there is no room for are left out. */
static void take_scanner(struct snapshot *s, const json_t *j)
{
    size_t i = 0;

    while (i < s->scanners && !is(s->scanner[i].place, text(j, "place")))
        i++;
    if (i == SNAPSHOT_SCANNERS || !*text(j, "place"))
        return;
    s->scanners += i == s->scanners;
    TAKE(s->scanner[i].place, j, "place");
    TAKE(s->scanner[i].state, j, "state");
}

static void on_snapshot(struct model *m, const json_t *event)
{
    const json_t *j = json_object_get(event, "state"), *one;
    struct snapshot *s = &m->s;
    size_t i;

    bool was = s->linked;
    forget(s);
    s->linked = true;
    TAKE(s->person, j, "person");
    json_array_foreach(json_object_get(j, "fixtures"), i, one)
        take_fixture(m, one);
    json_array_foreach(json_object_get(j, "scanners"), i, one)
        take_scanner(s, one);
    take_counts(&s->counts, json_object_get(j, "counts"));
    take_stock(s, json_object_get(j, "stock"));
    take_work(s, json_object_get(j, "work"));
    if (!was)
        note(m, NOTE_LINE, "", "", "up", "");
}

static void on_ready(struct model *m, const json_t *j)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(j, "fixtures"), i, one)
        if (json_is_string(one))
            slot_of(m, json_string_value(one));
}

static void on_busy(struct model *m, const json_t *j)
{
    struct slot *f = slot_of(m, text(j, "fixture"));

    if (!f)
        return;
    if (!f->busy)
        f->busy_since = m->s.now;
    f->busy = true;
    f->chosen_at = 0;
    TAKE(f->step, j, "step");
    TAKE(f->serial, j, "serial");
    TAKE(f->eid, j, "eid");
    TAKE(f->order, j, "order");
    forget_trouble(m, f->name);
}

static void count(struct counts *c, const char *verdict)
{
    const struct {
        const char *verdict;
        long long *n;
    } of[] = {
        { "PASS", &c->pass },       { "ALREADY DONE", &c->already_done },
        { "FAIL", &c->fail },       { "REFUSED", &c->refused },
        { "STOCKED", &c->stocked }, { "INCOMPLETE", &c->incomplete },
        { "GOLDEN OK", &c->golden }, { "RETURNED", &c->returned },
    };

    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (is(verdict, of[i].verdict))
            ++*of[i].n;
}

/* The scan was an order's, or an IMEI's whose unit is awaited. */
static bool no_unit(const char *verdict)
{
    return is(verdict, "ORDER") || is(verdict, "IMEI");
}

static void sound(struct model *m, const char *verdict)
{
    m->sounds |= is(verdict, "FAIL") ? SOUND_FAIL
               : is(verdict, "REFUSED") ? SOUND_REFUSED
               : no_unit(verdict) ? 0 : SOUND_PASS;
}

/* `taken`: the fixture had taken the scan that was refused, and is free now. */
static void end_slot(struct model *m, struct slot *f, const json_t *j)
{
    const char *verdict = text(j, "verdict"), *code = text(j, "code");
    bool refused = is(verdict, "REFUSED");

    if (refused && !flag(j, "taken"))
        return;
    f->busy = false;
    f->chosen_at = is(verdict, "IMEI") ? m->s.now : 0;
    if (*text(j, "order"))
        TAKE(f->order, j, "order");
    bool held = refused && (is(code, "quarantined") || is(code, "scrapped"));
    if ((refused && !held) || no_unit(verdict))
        return;
    f->ended = true;
    take_ending(&f->last, j);
    COPY(f->last.fixture, f->name);
    forget_trouble(m, f->name);
}

static void on_verdict(struct model *m, const json_t *j)
{
    const char *verdict = text(j, "verdict");
    struct slot *f = *text(j, "fixture") ? slot_of(m, text(j, "fixture")) : NULL;

    count(&m->s.counts, verdict);
    sound(m, verdict);
    if (f)
        end_slot(m, f, j);
    if (is(verdict, "FAIL") || is(verdict, "REFUSED") || is(verdict, "INCOMPLETE")) {
        m->s.has_trouble = true;
        take_ending(&m->s.trouble, j);
        TAKE(m->s.trouble.fixture, j, "fixture");
    } else {
        forget_trouble(m, "");
    }
    note(m, NOTE_VERDICT, text(j, "fixture"), text(j, "serial"), verdict, text(j, "code"));
}

static void on_fixture(struct model *m, const json_t *j)
{
    struct slot *f = slot_of(m, text(j, "fixture"));

    if (!f)
        return;
    take_state(f, j);
    note(m, NOTE_FIXTURE, f->name, text(j, "reason"), text(j, "state"), "");
}

static void on_stands(struct model *m, const json_t *j)
{
    struct slot *f = slot_of(m, text(j, "fixture"));

    if (f)
        take_stand(f, j);
}

static void on_scanner(struct model *m, const json_t *j)
{
    take_scanner(&m->s, j);
    note(m, NOTE_SCANNER, text(j, "place"), text(j, "reason"), text(j, "state"), "");
}

static void on_chosen(struct model *m, const json_t *j)
{
    struct slot *f = slot_of(m, text(j, "fixture"));

    for (size_t i = 0; i < m->s.slots; i++)
        m->s.slot[i].chosen_at = 0;
    if (f)
        f->chosen_at = m->s.now;
}

static void on_command(struct model *m, const json_t *j)
{
    if (m->commands < MODEL_COMMANDS && *text(j, "command"))
        copy(m->command[m->commands++], WORD_CAP, text(j, "command"));
}

bool model_command(struct model *m, char out[WORD_CAP])
{
    if (m->commands == 0)
        return false;
    memcpy(out, m->command[0], WORD_CAP);
    memmove(m->command[0], m->command[1], --m->commands * WORD_CAP);
    return true;
}

static void on_session(struct model *m, const json_t *j)
{
    const char *state = text(j, "state"), *fixture = text(j, "fixture");
    struct slot *f = *fixture ? slot_of(m, fixture) : NULL;

    if (is(state, "pin")) {
        m->s.pin_wanted = true;
        COPY(m->s.pin_fixture, fixture);
        return;
    }
    const char *who = is(state, "opened") ? text(j, "person") : "";
    if (f)
        COPY(f->person, who);
    else if (!*fixture)
        COPY(m->s.person, who);
    if (!*fixture && *who)
        m->s.logins++;
    note(m, NOTE_SESSION, fixture, text(j, "person"), state, text(j, "reason"));
}

static void on_stock(struct model *m, const json_t *j)
{
    take_stock(&m->s, json_object_get(j, "stock"));
}

static void on_work(struct model *m, const json_t *j)
{
    take_work(&m->s, json_object_get(j, "work"));
}

static void on_unresolved(struct model *m, const json_t *j)
{
    note(m, NOTE_UNRESOLVED, text(j, "fixture"), text(j, "serial"), "", "");
}

void model_apply(struct model *m, const json_t *event)
{
    static const struct {
        const char *name;
        void (*on)(struct model *m, const json_t *j);
    } of[] = {
        { "snapshot", on_snapshot }, { "ready", on_ready },
        { "busy", on_busy },         { "verdict", on_verdict },
        { "fixture", on_fixture },   { "scanner", on_scanner },
        { "stands", on_stands },
        { "chosen", on_chosen },     { "session", on_session },
        { "stock", on_stock },       { "work", on_work },
        { "unresolved", on_unresolved }, { "command", on_command },
        { "progress", on_progress },
    };
    const char *name = text(event, "event");

    for (size_t i = 0; i < sizeof of / sizeof *of; i++)
        if (is(name, of[i].name))
            of[i].on(m, event);
}

void model_lose(struct model *m, const char *why)
{
    bool was = m->s.linked;

    forget(&m->s);
    if (m->s.job.state == JOB_RUNS)
        m->s.job.state = JOB_LOST;
    m->s.linked = false;
    COPY(m->s.no_link, why);
    model_may(m, NULL);
    if (was)
        note(m, NOTE_LINE, "", "", "ended", "");
}
