/* lineside fixtures: what is plugged in where, what the station makes of it,
 * and the line engineer's words for places. Looking opens no device, so that
 * it may be done while the line runs. */
#include "station/cmd/actor.h"
#include "station/cmd/cmd.h"

#include "drivers/ccid/descriptor.h"
#include "drivers/usb/usb.h"
#include "storage/places.h"

#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USB_CLASS_HID 3
#define USB_CLASS_HUB 9
#define HID_PROTOCOL_KEYBOARD 1

struct options {
    struct scanner_setting scanner; /* place filled by the act */
    const char *fixture;            /* NULL: the station's */
    const char *as;                 /* NULL: no badge was given */
};

/* --- what is there ------------------------------------------------------------- */

enum what { WHAT_READER, WHAT_REFUSED, WHAT_SCANNER, WHAT_HID, WHAT_OTHER, WHAT_NOTHING };
static const char *const what_names[] = {
    [WHAT_READER] = "reader",
    [WHAT_REFUSED] = "refused",
    [WHAT_SCANNER] = "scanner",
    [WHAT_HID] = "keyboard-or-scanner",
    [WHAT_OTHER] = "other",
    [WHAT_NOTHING] = "nothing",
};

struct row {
    char place[PLACE_MAX + 1];
    enum what what;
    bool ours;
    uint16_t vendor, product;
    char text[256]; /* verdict, reason, or what to do */
};

struct rows {
    struct row *v;
    size_t n;
    const struct places *said;
    bool failed;
};

static struct row *add_row(struct rows *r, const char *place)
{
    struct row *v = realloc(r->v, (r->n + 1) * sizeof *v);

    if (!v) {
        r->failed = true;
        return NULL;
    }
    r->v = v;
    struct row *row = &v[r->n++];
    *row = (struct row){ .what = WHAT_NOTHING };
    snprintf(row->place, sizeof row->place, "%s", place);
    return row;
}

static void add_device(struct rows *r, const struct usb_device *d,
                       const char *place, enum what what, bool ours,
                       const char *text)
{
    struct row *row = add_row(r, place);

    if (!row)
        return;
    row->what = what;
    row->ours = ours;
    row->vendor = d->vendor;
    row->product = d->product;
    snprintf(row->text, sizeof row->text, "%s", text);
}

/* One row for each slot, named as drivers/ccid/readers.h names places. */
static void add_slots(struct rows *r, const struct usb_device *d,
                      const struct usb_interface *i, unsigned *slot)
{
    char place[PLACE_MAX + 1], text[256];
    struct ccid_profile profile = { .slots = 1 };
    struct err why = ERR_INIT;
    bool good = ccid_descriptor_judge(i, &profile, &why) == 0;

    if (good)
        ccid_descriptor_text(&profile, text, sizeof text);
    else
        snprintf(text, sizeof text, "%.255s", why.msg);
    for (unsigned s = 0; s < profile.slots; s++, ++*slot) {
        snprintf(place, sizeof place, *slot ? "%s:%u" : "%s", d->path, *slot);
        add_device(r, d, place, good ? WHAT_READER : WHAT_REFUSED,
                   good && places_allow(r->said, place), text);
    }
}

static bool add_scanner(struct rows *r, const struct usb_device *d,
                        const struct usb_interface *i)
{
    const struct scanner_setting *s = places_scanner(r->said, d->path);
    char text[256];

    if (i->class_code != USB_CLASS_HID)
        return false;
    if (s) {
        snprintf(text, sizeof text, "scans for %s, layout %s, suffix %s%s%s",
                 s->fixture[0] ? s->fixture : "the station", s->layout,
                 s->suffix, s->prefix[0] ? ", prefix " : "", s->prefix);
        add_device(r, d, d->path, WHAT_SCANNER, true, text);
        return true;
    }
    if (i->protocol == HID_PROTOCOL_KEYBOARD)
        snprintf(text, sizeof text, "a keyboard, or a scanner that plays one; if "
                 "it is a scanner: lineside fixtures scanner %s", d->path);
    else
        snprintf(text, sizeof text, "a HID device; taken as a scanner of the "
                 "station if it says that it is one");
    add_device(r, d, d->path, WHAT_HID, false, text);
    return true;
}

static void on_device(void *ctx, const struct usb_device *d, bool here)
{
    struct rows *r = ctx;
    unsigned slot = 0;
    bool known = false;

    if (!here || d->device_class == USB_CLASS_HUB)
        return;
    for (size_t i = 0; i < d->interface_count; i++)
        if (ccid_descriptor_is_reader(&d->interfaces[i])) {
            add_slots(r, d, &d->interfaces[i], &slot);
            known = true;
        }
    for (size_t i = 0; i < d->interface_count && !known; i++)
        known = add_scanner(r, d, &d->interfaces[i]);
    if (!known)
        add_device(r, d, d->path, WHAT_OTHER, false,
                   d->fault ? d->fault : "neither a card reader nor a scanner; left alone");
}

static struct row *find_row(struct rows *r, const char *place)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->v[i].place, place) == 0)
            return &r->v[i];
    return NULL;
}

/* Places that have words, and nothing plugged in. */
static void add_empty_places(struct rows *r)
{
    for (size_t i = 0; i < r->said->n; i++)
        if (r->said->v[i].label[0] && !find_row(r, r->said->v[i].place))
            add_row(r, r->said->v[i].place);
    for (size_t i = 0; i < r->said->scanner_count; i++)
        if (!find_row(r, r->said->scanners[i].place))
            add_row(r, r->said->scanners[i].place);
}

/* 1-2 before 1-10. */
static int by_place(const void *a, const void *b)
{
    return strverscmp(((const struct row *)a)->place, ((const struct row *)b)->place);
}

static int look(const struct places *said, struct rows *r, struct err *e)
{
    struct usb *usb;

    *r = (struct rows){ .said = said };
    if (usb_start(on_device, r, &usb, e) != 0)
        return -1;
    usb_stop(usb);
    add_empty_places(r);
    if (r->failed)
        return err_set(e, ERR_NOMEM, "no memory for the list of places");
    if (r->n)
        qsort(r->v, r->n, sizeof *r->v, by_place);
    return 0;
}

/* --- telling --------------------------------------------------------------------- */

static const char *label_of(const struct places *said, const char *place)
{
    const struct place_setting *s = places_find(said, place);

    return s ? s->label : "";
}

static void print_json(const struct places *said, const struct rows *r)
{
    json_t *list = json_array(), *allowed = json_array();

    for (size_t i = 0; i < r->n; i++) {
        const struct row *row = &r->v[i];
        char id[10];
        snprintf(id, sizeof id, "%04x:%04x", row->vendor, row->product);
        json_array_append_new(list, json_pack(
            "{s:s, s:s, s:s, s:b, s:s, s:s}", "place", row->place, "label",
            label_of(said, row->place), "what", what_names[row->what], "ours",
            row->ours, "device", row->what == WHAT_NOTHING ? "" : id, "text",
            row->text));
    }
    for (size_t i = 0; i < said->n; i++)
        if (said->v[i].allowed)
            json_array_append_new(allowed, json_string(said->v[i].place));
    json_t *j = json_pack("{s:o, s:o}", "places", list, "allowed", allowed);
    json_dumpf(j, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(j);
}

static void print_text(const struct places *said, const struct rows *r)
{
    size_t allowed = 0;

    printf("%-14s %-16s %s\n", "PLACE", "LABEL", "DEVICE");
    for (size_t i = 0; i < r->n; i++) {
        const struct row *row = &r->v[i];
        const char *label = label_of(said, row->place);
        if (row->what == WHAT_NOTHING)
            printf("%-14s %-16s %-9s nothing is plugged in\n", row->place,
                   *label ? label : "-", "-");
        else
            printf("%-14s %-16s %04x:%04x %s%s: %s\n", row->place,
                   *label ? label : "-", row->vendor, row->product,
                   row->ours ? "" : "not ours, ", what_names[row->what],
                   row->text);
    }
    for (size_t i = 0; i < said->n; i++)
        if (said->v[i].allowed)
            printf("%s%s", allowed++ ? ", " : "\nfixtures are allowed at: ",
                   said->v[i].place);
    puts(allowed ? " (and behind)" : "\nfixtures are allowed everywhere");
}

/* --- acts --------------------------------------------------------------------------- */

struct act_call {
    const char *place, *word;
    const struct options *o;
    const struct places *said;
    char actor[PERSON_NAME_MAX + 1];
};

static int do_label(struct tx *tx, void *ctx, struct err *e)
{
    const struct act_call *a = ctx;

    return place_label(tx, a->place, a->word, a->actor, e);
}

static int do_unlabel(struct tx *tx, void *ctx, struct err *e)
{
    const struct act_call *a = ctx;

    return place_label(tx, a->place, "", a->actor, e);
}

static int do_allow(struct tx *tx, void *ctx, struct err *e)
{
    const struct act_call *a = ctx;

    return place_allow(tx, a->place, true, a->actor, e);
}

static int do_disallow(struct tx *tx, void *ctx, struct err *e)
{
    const struct act_call *a = ctx;

    return place_allow(tx, a->place, false, a->actor, e);
}

/* A scanner is bound to a place, so that a new label does not unbind it; the
 * engineer may say either. */
static int place_of_fixture(const struct places *said, const char *word,
                            char out[PLACE_MAX + 1], struct err *e)
{
    const char *place = place_ok(word) ? word : NULL;

    for (size_t i = 0; i < said->n && !place; i++)
        if (strcmp(said->v[i].label, word) == 0)
            place = said->v[i].place;
    if (!place)
        return err_set(e, ERR_NOT_FOUND, "no fixture is called %s; `lineside "
                       "fixtures` lists them", word);
    snprintf(out, PLACE_MAX + 1, "%s", place);
    return 0;
}

static int do_scanner(struct tx *tx, void *ctx, struct err *e)
{
    const struct act_call *a = ctx;
    struct scanner_setting s = a->o->scanner;

    if (strlen(a->place) > PLACE_MAX)
        return err_set(e, ERR_USAGE, "'%.80s' is no place on the bus", a->place);
    snprintf(s.place, sizeof s.place, "%s", a->place);
    if (a->o->fixture &&
        place_of_fixture(a->said, a->o->fixture, s.fixture, e) != 0)
        return -1;
    return scanner_set(tx, &s, a->actor, e);
}

static int do_no_scanner(struct tx *tx, void *ctx, struct err *e)
{
    const struct act_call *a = ctx;

    return scanner_remove(tx, a->place, a->actor, e);
}

static const struct {
    const char *name;
    int words; /* after the name */
    tx_fn *act;
} acts[] = {
    { "label", 2, do_label },         { "unlabel", 1, do_unlabel },
    { "allow", 1, do_allow },         { "disallow", 1, do_disallow },
    { "scanner", 1, do_scanner },     { "no-scanner", 1, do_no_scanner },
};
#define ACTS (sizeof acts / sizeof *acts)

/* --- options ---------------------------------------------------------------------- */

enum { OPT_FIXTURE = 256, OPT_STATION, OPT_LAYOUT, OPT_SUFFIX, OPT_PREFIX, OPT_AS };

static const struct option options[] = {
    { "fixture", required_argument, NULL, OPT_FIXTURE },
    { "station", no_argument, NULL, OPT_STATION },
    { "layout", required_argument, NULL, OPT_LAYOUT },
    { "suffix", required_argument, NULL, OPT_SUFFIX },
    { "prefix", required_argument, NULL, OPT_PREFIX },
    { "as", required_argument, NULL, OPT_AS },
    { NULL, 0, NULL, 0 },
};

static int keep(char *out, size_t cap, const char *what, const char *arg,
                struct err *e)
{
    size_t n = strlen(arg);

    if (n >= cap)
        return err_set(e, ERR_USAGE, "--%s takes at most %zu characters, not "
                       "'%.80s'", what, cap - 1, arg);
    memcpy(out, arg, n + 1);
    return 0;
}

static int own_option(void *ctx, int val, const char *arg, struct err *e)
{
    struct options *o = ctx;

    switch (val) {
    case OPT_FIXTURE:
        o->fixture = arg;
        return 0;
    case OPT_AS:
        o->as = arg;
        return 0;
    case OPT_STATION:
        o->fixture = NULL;
        return 0;
    case OPT_LAYOUT:
        return keep(o->scanner.layout, sizeof o->scanner.layout, "layout", arg, e);
    case OPT_SUFFIX:
        return keep(o->scanner.suffix, sizeof o->scanner.suffix, "suffix", arg, e);
    default:
        return keep(o->scanner.prefix, sizeof o->scanner.prefix, "prefix", arg, e);
    }
}

/* --- the command -------------------------------------------------------------------- */

static int list(const struct command *self, const struct cmd_common *c,
                const struct places *said)
{
    struct err e = ERR_INIT;
    struct rows r;

    if (look(said, &r, &e) != 0) {
        free(r.v);
        return cmd_fail(self, &e);
    }
    (c->json ? print_json : print_text)(said, &r);
    free(r.v);
    return 0;
}

/* A running line has read its places when it started. */
static void say_when(const char *data_dir)
{
    AUTO(lock_release_p) struct lock *lock = NULL;
    struct err e = ERR_INIT;

    if (lock_take(data_dir, LOCK_RUN, &lock, &e) != 0 && e.code == ERR_BUSY)
        fprintf(stderr, "lineside fixtures: the line is running; this holds from "
                        "its next start\n");
}

static int act(const struct command *self, const struct cmd_common *c,
               struct db *db, struct act_call *a, int argc, char **argv)
{
    struct err e = ERR_INIT;

    for (size_t i = 0; i < ACTS; i++)
        if (strcmp(argv[0], acts[i].name) == 0) {
            if (argc - 1 != acts[i].words)
                return cmd_usage(self, acts[i].words == 2
                                 ? "it takes a place and a name"
                                 : "it takes one place");
            a->place = argv[1];
            a->word = argv[argc - 1];
            if (cmd_actor(db, a->o->as, RIGHT_FIXTURES, a->actor, &e) != 0 ||
                db_write(db, acts[i].act, a, &e) != 0)
                return cmd_fail(self, &e);
            say_when(c->data_dir);
            return 0;
        }
    err_set(&e, ERR_USAGE, "'%.80s' is nothing that can be done with fixtures", argv[0]);
    return cmd_usage(self, e.msg);
}

static int run(const struct command *self, int argc, char **argv)
{
    AUTO(places_clear) struct places said = { NULL, 0, NULL, 0 };
    AUTO(db_close_p) struct db *db = NULL;
    struct options o = { .scanner = { .layout = "us", .suffix = "cr" } };
    struct act_call a = { .o = &o, .said = &said };
    struct cmd_common c;
    struct err e = ERR_INIT;

    int stop = cmd_options(self, argc, argv, options, own_option, &o, &c);
    if (stop)
        return stop - 1;
    bool looking = optind == argc;
    if (db_open(c.data_dir, looking ? DB_READ : DB_WRITE, NULL, &db, &e) != 0 ||
        places_get(db, &said, &e) != 0)
        return cmd_fail(self, &e);
    if (looking)
        return list(self, &c, &said);
    return act(self, &c, db, &a, argc - optind, argv + optind);
}

const struct command cmd_fixtures = {
    "fixtures",
    "[label PLACE NAME | unlabel PLACE | allow PLACE | disallow PLACE |\n"
    "       scanner PLACE [--fixture NAME | --station] [--layout us|de|fr]\n"
    "       [--suffix cr|lf|crlf|tab] [--prefix TEXT] | no-scanner PLACE] [--as BADGE]",
    "What is plugged in where, and the names of places",
    "Without words it lists the bus; no device is opened. A PLACE is a bus and its\n"
    "ports, like 1-2.4; the second slot of a reader there is 1-2.4:1.\n"
    "  label PLACE NAME    the fixture at PLACE is called NAME in scans and\n"
    "                      reports; unlabel PLACE takes the name away\n"
    "  allow PLACE         only places that are allowed, and those behind them,\n"
    "                      are fixtures; while none is, all are. disallow PLACE\n"
    "                      takes it off the list\n"
    "  scanner PLACE       a barcode scanner of ours is there; no-scanner PLACE\n"
    "                      takes that back\n"
    "  --fixture NAME      its scans start this fixture\n"
    "  --station           fixture label and unit label are scanned in turn (the\n"
    "                      default)\n"
    "  --layout us|de|fr   the keyboard that it plays (default us)\n"
    "  --suffix cr|lf|crlf|tab  what it sends after each scan (default cr)\n"
    "  --prefix TEXT       what it sends before each scan\n"
    "  --as BADGE          who does it, once this station knows people; the PIN is\n"
    "                      asked for, or is a line of standard input\n",
    run
};
