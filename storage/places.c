#include "storage/places.h"

#include "station/ifpp/event.h"
#include "storage/inner.h"

#include <stdlib.h>

/* --- words ------------------------------------------------------------------ */

#define PORTS_MAX 7 /* USB allows no deeper chain */

/* One to three digits at *s, without a leading zero unless it is all. */
static bool number_at(const char **s)
{
    size_t n = strspn(*s, "0123456789");

    if (n == 0 || n > 3 || (n > 1 && **s == '0'))
        return false;
    *s += n;
    return true;
}

bool place_ok(const char *s)
{
    int ports = 0;

    if (strlen(s) > PLACE_MAX || !number_at(&s) || *s != '-')
        return false;
    do {
        s++;
        if (!number_at(&s) || ++ports > PORTS_MAX)
            return false;
    } while (*s == '.');
    if (*s == ':') {
        s++;
        if (!number_at(&s))
            return false;
    }
    return *s == '\0';
}

bool place_within(const char *place, const char *root)
{
    size_t n = strlen(root);

    return strncmp(place, root, n) == 0 &&
           (place[n] == '\0' || place[n] == '.' || place[n] == ':');
}

static int check_place(const char *place, struct err *e)
{
    if (place_ok(place))
        return 0;
    return err_set(e, ERR_USAGE, "'%s' is no place on the bus; a place is a bus "
                   "and its ports, like 1-2.4; `lineside fixtures` lists them",
                   place);
}

static int check_label(const char *label, struct err *e)
{
    size_t n = strlen(label);

    if (n > PLACE_LABEL_MAX || strcspn(label, " \t\r\n") != n ||
        !event_text_ok(SPAN(label, n)))
        return err_set(e, ERR_USAGE, "'%s' cannot name a fixture: a name is 1 "
                       "to %d octets of plain text without blanks", label,
                       PLACE_LABEL_MAX);
    if (place_ok(label))
        return err_set(e, ERR_USAGE, "'%s' reads like a place on the bus; "
                       "choose a name that cannot be taken for one", label);
    return 0;
}

static int check_word(const char *word, const char *const *known, const char *what,
                      struct err *e)
{
    for (size_t i = 0; known[i]; i++)
        if (strcmp(word, known[i]) == 0)
            return 0;
    return err_set(e, ERR_USAGE, "'%s' is no %s", word, what);
}

static int check_scanner(const struct scanner_setting *s, struct err *e)
{
    static const char *const layouts[] = { "us", "de", "fr", NULL };
    static const char *const suffixes[] = { "cr", "lf", "crlf", "tab", NULL };

    if (check_place(s->place, e) != 0 ||
        (s->fixture[0] && check_place(s->fixture, e) != 0) ||
        check_word(s->layout, layouts, "keyboard layout: us, de or fr", e) != 0 ||
        check_word(s->suffix, suffixes, "suffix: cr, lf, crlf or tab", e) != 0)
        return -1;
    for (const char *c = s->prefix; *c; c++)
        if (*c < ' ' || *c > '~')
            return err_set(e, ERR_USAGE, "a scanner's prefix is at most %d "
                           "printable ASCII characters", PLACE_PREFIX_MAX);
    return 0;
}

/* --- reading ------------------------------------------------------------------ */

void places_clear(struct places *p)
{
    free(p->v);
    free(p->scanners);
    *p = (struct places){ NULL, 0, NULL, 0 };
}

static int read_fixtures(struct db *db, struct places *p, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT place, label, allowed FROM fixture_place"
               " ORDER BY place", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        void *v = list_grow(p->v, p->n, sizeof *p->v, e);
        if (!v)
            return -1;
        p->v = v;
        struct place_setting *s = &p->v[p->n++];
        *s = (struct place_setting){ .allowed = false };
        q_get_string(&q, 0, s->place, sizeof s->place);
        q_get_string(&q, 1, s->label, sizeof s->label);
        s->allowed = q_get_int(&q, 2) != 0;
    }
    return row;
}

static int read_scanners(struct db *db, struct places *p, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    int row;

    if (q_open(&q, db, "SELECT place, fixture, layout, suffix, prefix"
               " FROM scanner_place ORDER BY place", e) != 0)
        return -1;
    while ((row = q_step(&q, e)) > 0) {
        void *v = list_grow(p->scanners, p->scanner_count, sizeof *p->scanners, e);
        if (!v)
            return -1;
        p->scanners = v;
        struct scanner_setting *s = &p->scanners[p->scanner_count++];
        *s = (struct scanner_setting){ .place = "" };
        q_get_string(&q, 0, s->place, sizeof s->place);
        q_get_string(&q, 1, s->fixture, sizeof s->fixture);
        q_get_string(&q, 2, s->layout, sizeof s->layout);
        q_get_string(&q, 3, s->suffix, sizeof s->suffix);
        q_get_string(&q, 4, s->prefix, sizeof s->prefix);
    }
    return row;
}

int places_get(struct db *db, struct places *out, struct err *e)
{
    struct places p = { NULL, 0, NULL, 0 };

    if (read_fixtures(db, &p, e) != 0 || read_scanners(db, &p, e) != 0) {
        places_clear(&p);
        return -1;
    }
    places_clear(out);
    *out = p;
    return 0;
}

const struct place_setting *places_find(const struct places *p, const char *place)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->v[i].place, place) == 0)
            return &p->v[i];
    return NULL;
}

const struct scanner_setting *places_scanner(const struct places *p,
                                             const char *place)
{
    for (size_t i = 0; i < p->scanner_count; i++)
        if (strcmp(p->scanners[i].place, place) == 0)
            return &p->scanners[i];
    return NULL;
}

bool places_allow(const struct places *p, const char *place)
{
    bool any = false;

    for (size_t i = 0; i < p->n; i++) {
        any |= p->v[i].allowed;
        if (p->v[i].allowed && place_within(place, p->v[i].place))
            return true;
    }
    return !any;
}

/* --- changing ------------------------------------------------------------------- */

/* What is held of a place now; all empty when nothing is. */
static int held(struct tx *tx, const char *place, struct place_setting *out,
                struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    *out = (struct place_setting){ .allowed = false };
    if (q_open(&q, tx->db, "SELECT label, allowed FROM fixture_place"
               " WHERE place = ?", e) != 0)
        return -1;
    q_text(&q, place);
    int row = q_step(&q, e);
    if (row > 0) {
        q_get_string(&q, 0, out->label, sizeof out->label);
        out->allowed = q_get_int(&q, 1) != 0;
    }
    return row < 0 ? -1 : 0;
}

static int label_free(struct tx *tx, const char *label, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "SELECT place FROM fixture_place WHERE label = ?",
               e) != 0)
        return -1;
    q_text(&q, label);
    int row = q_step(&q, e);
    if (row > 0)
        return err_set(e, ERR_CONFLICT, "the fixture at %s is called %s already; "
                       "choose another name, or take it from there first",
                       q_get_text(&q, 0), label);
    return row;
}

static int hold(struct tx *tx, const char *place, const char *label, bool allowed,
                uint64_t event, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "INSERT INTO fixture_place(place, label, allowed,"
               " event) VALUES(?1, ?2, ?3, ?4) ON CONFLICT(place) DO UPDATE SET"
               " label = ?2, allowed = ?3, event = ?4", e) != 0)
        return -1;
    q_text(&q, place);
    q_text(&q, *label ? label : NULL);
    q_int(&q, allowed);
    q_int(&q, (int64_t)event);
    return q_run(&q, e);
}

int place_label(struct tx *tx, const char *place, const char *label,
                const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct place_setting now;
    struct event_head head;

    if (check_place(place, e) != 0 || check_label(label, e) != 0 ||
        held(tx, place, &now, e) != 0)
        return -1;
    if (strcmp(now.label, label) == 0)
        return 0;
    if (*label && label_free(tx, label, e) != 0)
        return -1;
    fields_add(&f, "place", place);
    fields_add(&f, "label", label);
    if (event_write(tx, "fixture-labelled", actor, &f, &head, e) != 0)
        return -1;
    return hold(tx, place, label, now.allowed, head.number, e);
}

int place_allow(struct tx *tx, const char *place, bool allowed,
                const char *actor, struct err *e)
{
    struct fields f = { .n = 0 };
    struct place_setting now;
    struct event_head head;

    if (check_place(place, e) != 0 || held(tx, place, &now, e) != 0)
        return -1;
    if (now.allowed == allowed)
        return 0;
    fields_add(&f, "place", place);
    fields_add(&f, "allowed", allowed ? "yes" : "no");
    if (event_write(tx, "fixture-allowed", actor, &f, &head, e) != 0)
        return -1;
    return hold(tx, place, now.label, allowed, head.number, e);
}

int scanner_set(struct tx *tx, const struct scanner_setting *s,
                const char *actor, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fields f = { .n = 0 };
    struct event_head head;

    if (check_scanner(s, e) != 0)
        return -1;
    fields_add(&f, "place", s->place);
    if (s->fixture[0])
        fields_add(&f, "fixture", s->fixture);
    fields_add(&f, "layout", s->layout);
    fields_add(&f, "suffix", s->suffix);
    if (s->prefix[0])
        fields_add(&f, "prefix", s->prefix);
    if (event_write(tx, "scanner-set", actor, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "INSERT OR REPLACE INTO scanner_place(place, fixture,"
               " layout, suffix, prefix, event) VALUES(?, ?, ?, ?, ?, ?)", e) != 0)
        return -1;
    q_text(&q, s->place);
    q_text(&q, s->fixture);
    q_text(&q, s->layout);
    q_text(&q, s->suffix);
    q_text(&q, s->prefix);
    q_int(&q, (int64_t)head.number);
    return q_run(&q, e);
}

static int scanner_known(struct tx *tx, const char *place, struct err *e)
{
    AUTO(q_close) struct q q = { 0 };

    if (q_open(&q, tx->db, "SELECT 1 FROM scanner_place WHERE place = ?", e) != 0)
        return -1;
    q_text(&q, place);
    int row = q_step(&q, e);
    if (row == 0)
        return err_set(e, ERR_NOT_FOUND, "there is no scanner of this station "
                       "at %s; `lineside fixtures` lists them", place);
    return row < 0 ? -1 : 0;
}

int scanner_remove(struct tx *tx, const char *place, const char *actor,
                   struct err *e)
{
    AUTO(q_close) struct q q = { 0 };
    struct fields f = { .n = 0 };
    struct event_head head;

    if (check_place(place, e) != 0 || scanner_known(tx, place, e) != 0)
        return -1;
    fields_add(&f, "place", place);
    if (event_write(tx, "scanner-removed", actor, &f, &head, e) != 0 ||
        q_open(&q, tx->db, "DELETE FROM scanner_place WHERE place = ?", e) != 0)
        return -1;
    q_text(&q, place);
    return q_run(&q, e);
}
