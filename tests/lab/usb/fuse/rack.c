#include "tests/lab/usb/fuse/rack.h"

#include "drivers/fixture.h"
#include "station/base/ids.h"
#include "tests/lab/euicc_fixture.h"
#include "tests/lab/usb/ccid_model.h"
#include "tests/lab/usb/hid_model.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PORTS 8
#define SCANNER_BUS 9
#define LISTEN_MS 5000

struct rack_level {
    const char *name;
    enum ccid_level level;
    bool automatic, no_t0, no_t1;
};

static const struct rack_level levels[] = {
    { "short", CCID_SHORT_APDU, true, false, false },
    { "extended", CCID_EXTENDED_APDU, true, false, false },
    { "tpdu", CCID_TPDU, false, false, false },
    { "tpdu-t0", CCID_TPDU, false, false, true },
    { "tpdu-t1", CCID_TPDU, false, true, false },
};

struct slot {
    struct fixture *card; /* NULL: empty */
    char eid[EID_DIGITS + 1];
};

struct stand {
    char place[48];
    struct lab_usb_device *model;
    const struct rack_level *level; /* NULL: a scanner */
    bool plugged;
    struct slot slots[RACK_SLOTS_MAX];
};

struct rack {
    struct lab_bus *bus;
    struct rack_options o;
    struct stand *stands;
    size_t count;
};

const struct rack_level *rack_level_find(const char *name, size_t n)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strlen(levels[i].name) == n && memcmp(levels[i].name, name, n) == 0)
            return &levels[i];
    return NULL;
}

/* --- beginning and end ---------------------------------------------------- */

/* The index-th device of a desk whose first bus is `bus`. */
static void name_place(char *out, size_t cap, unsigned bus, unsigned index)
{
    unsigned per_bus = PORTS * PORTS;

    snprintf(out, cap, "%u-%u.%u", bus + index / per_bus,
             1 + index % per_bus / PORTS, 1 + index % PORTS);
}

static int new_reader(struct rack *r, struct stand *s, unsigned index,
                      struct err *e)
{
    const struct rack_options *o = &r->o;

    s->level = o->mix_count ? o->mix[index % o->mix_count] : &levels[0];
    name_place(s->place, sizeof s->place, 1, index);
    return ccid_model_new(
        &(struct ccid_model_options){ .level = s->level->level,
                                      .slots = o->slots,
                                      .automatic = s->level->automatic,
                                      .speed_percent = o->speed_percent,
                                      .vendor = o->vendor,
                                      .product = o->product },
        &s->model, e);
}

static int new_scanner(struct stand *s, unsigned index, struct err *e)
{
    name_place(s->place, sizeof s->place, SCANNER_BUS, index);
    return hid_model_new(&(struct hid_model_options){ .kind = HID_MODEL_KEYBOARD },
                         &s->model, e);
}

static int plug(struct rack *r, struct stand *s, struct err *e)
{
    if (lab_bus_plug(r->bus, s->place, s->model, e) != 0)
        return -1;
    s->plugged = true;
    return 0;
}

static int fill(struct rack *r, struct err *e)
{
    for (unsigned i = 0; i < r->o.readers + r->o.scanners; i++) {
        struct stand *s = &r->stands[r->count];
        int rc = i < r->o.readers ? new_reader(r, s, i, e)
                                  : new_scanner(s, i - r->o.readers, e);
        if (rc != 0)
            return -1;
        r->count++;
        if (plug(r, s, e) != 0)
            return -1;
    }
    return 0;
}

int rack_new(struct lab_bus *b, const struct rack_options *o,
             struct rack **out, struct err *e)
{
    struct rack *r;

    if (o->readers > RACK_READERS_MAX || o->scanners > RACK_SCANNERS_MAX ||
        o->slots < 1 || o->slots > RACK_SLOTS_MAX)
        return err_set(e, ERR_USAGE, "at most %d readers of 1 to %d slots, "
                                     "and %d scanners", RACK_READERS_MAX,
                       RACK_SLOTS_MAX, RACK_SCANNERS_MAX);
    r = calloc(1, sizeof *r);
    if (r)
        r->stands = calloc(o->readers + o->scanners + 1, sizeof *r->stands);
    if (!r || !r->stands) {
        rack_free(r);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    r->bus = b;
    r->o = *o;
    if (fill(r, e) != 0) {
        rack_free(r);
        return -1;
    }
    *out = r;
    return 0;
}

static void empty_slot(struct stand *s, unsigned slot)
{
    struct fixture *card = s->slots[slot].card;

    if (!card)
        return;
    ccid_model_remove(s->model, slot);
    s->slots[slot].card = NULL;
    card->ops->close(card);
}

void rack_free(struct rack *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->count; i++) {
        struct stand *s = &r->stands[i];
        lab_bus_unplug(r->bus, s->place);
        for (unsigned slot = 0; slot < RACK_SLOTS_MAX; slot++)
            empty_slot(s, slot);
        s->model->ops->free(s->model);
    }
    free(r->stands);
    free(r);
}

/* --- requests ------------------------------------------------------------- */

struct request {
    const char *place; /* without its slot */
    unsigned slot;
    const char *rest;  /* the words after it, "" for none */
};

static void say(struct buf *answer, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct buf *answer, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof line, fmt, ap);
    va_end(ap);
    buf_put(answer, line, n < (int)sizeof line ? (size_t)n : sizeof line - 1);
}

static int find(struct rack *r, const char *place, bool reader,
                struct stand **out, struct err *e)
{
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->stands[i].place, place) == 0) {
            *out = &r->stands[i];
            return !reader || (*out)->level
                       ? 0
                       : err_set(e, ERR_USAGE, "%s is no reader", place);
        }
    return err_set(e, ERR_NOT_FOUND, "nothing stands at %s", place);
}

static int find_slot(struct rack *r, const struct request *q,
                     struct stand **out, struct err *e)
{
    if (find(r, q->place, true, out, e) != 0)
        return -1;
    return q->slot < r->o.slots
               ? 0
               : err_set(e, ERR_USAGE, "%s has slots 0 to %u", q->place,
                         r->o.slots - 1);
}

/* A chip is in one place at a time. */
static const struct stand *holder_of(const struct rack *r, const char *eid)
{
    for (size_t i = 0; i < r->count; i++)
        for (unsigned k = 0; k < RACK_SLOTS_MAX; k++)
            if (r->stands[i].slots[k].card &&
                strcmp(r->stands[i].slots[k].eid, eid) == 0)
                return &r->stands[i];
    return NULL;
}

static int new_card(const struct rack *r, const char *eid,
                    struct fixture **out, struct err *e)
{
    struct card_options o = { .damaged = false };
    char *path = NULL;

    if (!r->o.chip)
        return err_set(e, ERR_USAGE, "there are no cards: no WORLD was given");
    if (r->o.chip(r->o.ctx, eid, &path, &o.damaged, e) != 0)
        return -1;
    int rc = euicc_fixture_new(path, &o, out, e);
    free(path);
    return rc;
}

static int do_insert(struct rack *r, const struct request *q,
                     struct buf *answer, struct err *e)
{
    struct ccid_card card = { .think_ms = r->o.delay_ms };
    struct stand *s;

    (void)answer;
    if (find_slot(r, q, &s, e) != 0)
        return -1;
    const struct stand *at = holder_of(r, q->rest);
    if (at)
        return err_set(e, ERR_CONFLICT, "eUICC %s is in %s", q->rest,
                       at->place);
    struct slot *slot = &s->slots[q->slot];
    if (slot->card)
        return err_set(e, ERR_CONFLICT, "%s holds eUICC %s", q->place,
                       slot->eid);
    if (new_card(r, q->rest, &slot->card, e) != 0)
        return -1;
    snprintf(slot->eid, sizeof slot->eid, "%s", q->rest);
    card.no_t0 = s->level->no_t0;
    card.no_t1 = s->level->no_t1;
    if (ccid_model_insert(s->model, q->slot, slot->card, &card, e) == 0)
        return 0;
    slot->card->ops->close(slot->card);
    slot->card = NULL;
    return -1;
}

static int do_remove(struct rack *r, const struct request *q,
                     struct buf *answer, struct err *e)
{
    struct stand *s;

    (void)answer;
    if (find_slot(r, q, &s, e) != 0)
        return -1;
    if (!s->slots[q->slot].card)
        return err_set(e, ERR_NOT_FOUND, "%s is empty", q->place);
    empty_slot(s, q->slot);
    return 0;
}

/* "1-1.2" is at and behind "1-1", as "1-10" is not. */
static bool is_behind(const char *place, const char *hub)
{
    size_t n = strlen(hub);

    return strncmp(place, hub, n) == 0 && (place[n] == '\0' || place[n] == '.');
}

static int do_plug(struct rack *r, const struct request *q,
                   struct buf *answer, struct err *e)
{
    size_t known = 0, plugged = 0;

    for (size_t i = 0; i < r->count; i++) {
        struct stand *s = &r->stands[i];
        struct err why = ERR_INIT;
        if (!is_behind(s->place, q->place))
            continue;
        known++;
        if (plug(r, s, &why) == 0) {
            plugged++;
        } else if (why.code != ERR_CONFLICT) { /* it is there already */
            *e = why;
            return -1;
        }
    }
    if (known == 0)
        return err_set(e, ERR_NOT_FOUND, "nothing stands at %s", q->place);
    say(answer, "plugged %zu\n", plugged);
    return 0;
}

static int do_unplug(struct rack *r, const struct request *q,
                     struct buf *answer, struct err *e)
{
    size_t known = 0;

    for (size_t i = 0; i < r->count; i++)
        if (is_behind(r->stands[i].place, q->place)) {
            r->stands[i].plugged = false;
            known++;
        }
    if (known == 0)
        return err_set(e, ERR_NOT_FOUND, "nothing stands at %s", q->place);
    say(answer, "unplugged %zu\n", lab_bus_unplug(r->bus, q->place));
    return 0;
}

static int do_scan(struct rack *r, const struct request *q,
                   struct buf *answer, struct err *e)
{
    struct stand *s;

    (void)answer;
    if (find(r, q->place, false, &s, e) != 0)
        return -1;
    if (s->level)
        return err_set(e, ERR_USAGE, "%s is no scanner", q->place);
    if (!hid_model_wait_listened(s->model, LISTEN_MS))
        return err_set(e, ERR_TIMEOUT, "no program listens to the scanner at "
                                       "%s", q->place);
    return hid_model_scan(s->model, q->rest, e);
}

static bool same_name(const char *word, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(word, name, n) == 0;
}

static int set_fault(struct rack *r, const struct stand *s, const char *kind,
                     size_t n, unsigned at, uint64_t seed, struct err *e)
{
    for (int f = LAB_FAULT_NONE; f < LAB_FAULTS; f++)
        if (same_name(kind, n, lab_usb_fault_name((enum lab_usb_fault)f))) {
            lab_bus_fault(r->bus, s->place, (enum lab_usb_fault)f, at, seed);
            return 0;
        }
    for (int f = CCID_FAULT_NONE; s->level && f < CCID_FAULTS; f++)
        if (same_name(kind, n, ccid_fault_name((enum ccid_fault)f))) {
            ccid_model_fault(s->model, (enum ccid_fault)f, at, seed);
            return 0;
        }
    return err_set(e, ERR_USAGE, "%s has no fault \"%.*s\"", s->place, (int)n,
                   kind);
}

static int do_fault(struct rack *r, const struct request *q,
                    struct buf *answer, struct err *e)
{
    unsigned long long seed = 0;
    struct stand *s;
    unsigned at;
    size_t n = strcspn(q->rest, " ");

    (void)answer;
    if (find(r, q->place, false, &s, e) != 0)
        return -1;
    if (sscanf(q->rest + n, " %9u %llu", &at, &seed) < 1)
        return err_set(e, ERR_USAGE, "fault PLACE KIND N [SEED]");
    return set_fault(r, s, q->rest, n, at, seed, e);
}

static int do_counters(struct rack *r, const struct request *q,
                       struct buf *answer, struct err *e)
{
    struct ccid_model_counters c;
    struct stand *s;

    if (find(r, q->place, false, &s, e) != 0)
        return -1;
    bool fired = lab_bus_fault_fired(r->bus, s->place) ||
                 (s->level && ccid_model_fault_fired(s->model));
    say(answer, "transfers %u\nfired %d\n",
        lab_bus_transfers(r->bus, s->place), fired);
    if (!s->level)
        return 0;
    ccid_model_counters(s->model, &c);
    const struct {
        const char *name;
        uint64_t n;
    } rows[] = {
        { "messages", c.messages }, { "apdus", c.apdus },
        { "octets-out", c.octets_out }, { "octets-in", c.octets_in },
        { "line-ns", c.line_ns }, { "pps", c.pps }, { "wtx", c.wtx },
        { "ifs", c.ifs }, { "resynch", c.resynch },
        { "power-ons", c.power_ons }, { "nulls", c.nulls },
        { "fidi", c.fidi },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        say(answer, "%s %llu\n", rows[i].name, (unsigned long long)rows[i].n);
    return 0;
}

static int do_list(struct rack *r, const struct request *q,
                   struct buf *answer, struct err *e)
{
    (void)q;
    (void)e;
    for (size_t i = 0; i < r->count; i++) {
        const struct stand *s = &r->stands[i];
        say(answer, "%s %s %s %s", s->level ? "reader" : "scanner", s->place,
            s->level ? s->level->name : "keyboard",
            s->plugged ? "plugged" : "unplugged");
        for (unsigned k = 0; s->level && k < r->o.slots; k++)
            say(answer, " %s", s->slots[k].card ? s->slots[k].eid : "-");
        say(answer, "\n");
    }
    return 0;
}

static const struct {
    const char *name;
    int (*fn)(struct rack *r, const struct request *q, struct buf *answer,
              struct err *e);
    bool place, rest; /* words it needs */
} requests[] = {
    { "insert", do_insert, true, true },
    { "remove", do_remove, true, false },
    { "plug", do_plug, true, false },
    { "unplug", do_unplug, true, false },
    { "scan", do_scan, true, true },
    { "fault", do_fault, true, true },
    { "counters", do_counters, true, false },
    { "list", do_list, false, false },
};

/* Cuts the next word off. */
static char *next_word(char **text)
{
    char *word = *text + strspn(*text, " ");
    size_t n = strcspn(word, " ");

    *text = word + n;
    if (**text)
        *(*text)++ = '\0';
    return word;
}

static int read_place(char *word, struct request *q, struct err *e)
{
    char *colon = strchr(word, ':'), *end;

    q->place = word;
    if (!colon)
        return 0;
    *colon = '\0';
    unsigned long slot = strtoul(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end || slot >= RACK_SLOTS_MAX)
        return err_set(e, ERR_USAGE, "no slot \"%s\"", colon + 1);
    q->slot = (unsigned)slot;
    return 0;
}

int rack_do(struct rack *r, const char *line, struct buf *answer,
            struct err *e)
{
    struct request q = { .slot = 0 };
    char words[512], *text = words;

    if (strlen(line) >= sizeof words)
        return err_set(e, ERR_LIMIT, "a request has at most %zu octets",
                       sizeof words - 1);
    strcpy(words, line);
    const char *name = next_word(&text);
    if (read_place(next_word(&text), &q, e) != 0)
        return -1;
    q.rest = text;
    for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
        if (strcmp(requests[i].name, name) != 0)
            continue;
        if (!*q.place == requests[i].place || !*q.rest == requests[i].rest)
            return err_set(e, ERR_USAGE, "%s wants other words", name);
        return requests[i].fn(r, &q, answer, e);
    }
    return err_set(e, ERR_USAGE, "no request \"%s\"", name);
}
