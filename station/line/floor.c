#include "station/line/floor.h"

#include "drivers/ccid/slot.h"
#include "drivers/scanner/scanners.h"
#include "station/base/clock.h"
#include "station/line/roster.h"
#include "station/line/two_scans.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A scanner of the station's between its two scans. */
struct scan_pair {
    char place[USB_PATH_MAX + 1];
    struct two_scans scans;
};

struct floor {
    struct line *line;
    struct places settings;
    struct usb *usb;
    struct ccid_readers *readers;
    struct scanners *scanners;
    pthread_mutex_t lock;
    bool quiet; /* under lock: scanners are being, or were, given back */
    struct scan_pair *pairs; /* the scanners' thread only */
    size_t pair_count;
};

/* The name by which a fixture is known: its label, else its place. */
static const char *name_of(const struct floor *f, const char *place)
{
    const struct place_setting *s = places_find(&f->settings, place);

    return s && s->label[0] ? s->label : place;
}

/* --- readers ---------------------------------------------------------------------- */

static bool allow_reader(void *ctx, const char *path)
{
    const struct floor *f = ctx;

    return places_allow(&f->settings, path);
}

static void tell_fixture(const struct floor *f, const struct ccid_place *p,
                         const char *state, const char *why)
{
    line_tell(f->line, &(struct line_event){
        .kind = LINE_FIXTURE, .fixture = name_of(f, p->name),
        .place = p->name, .state = state, .detail = why });
}

/* The first time a reader is seen at a place it becomes a fixture, for as long
 * as the line runs. */
static void appeared(struct floor *f, const struct ccid_place *p)
{
    const struct line_fixture one = { name_of(f, p->name), &fixture_ccid,
                                      f->readers, p->name };
    struct err e = ERR_INIT;

    if (!line_has(f->line, p->name) && line_add(f->line, &one, &e) != 0)
        tell_fixture(f, p, ccid_place_state_text(CCID_PLACE_PARKED), e.msg);
    else
        tell_fixture(f, p, ccid_place_state_text(p->state), p->verdict);
}

static void on_reader(void *ctx, const struct ccid_place_event *ev)
{
    struct floor *f = ctx;
    const struct ccid_place *p = ev->place;
    char why[CCID_REASON_MAX + 1];

    switch (ev->kind) {
    case CCID_EVENT_APPEARED:
        appeared(f, p);
        break;
    case CCID_EVENT_STEPPED_DOWN:
        snprintf(why, sizeof why, "link errors: this place now goes no faster "
                 "than TA1=%02X; clean the contacts, check the cable",
                 p->ceiling);
        line_slower(f->line, p->name);
        tell_fixture(f, p, "slower", why);
        break;
    default:
        tell_fixture(f, p, ccid_place_state_text(p->state), p->reason);
        break;
    }
}

/* --- scanners ---------------------------------------------------------------------- */

static enum scanners_allow allow_scanner(void *ctx, const char *place,
                                         struct scanner_settings *s)
{
    const struct floor *f = ctx;
    const struct scanner_setting *said = places_scanner(&f->settings, place);

    if (!said)
        return SCANNERS_UNTOLD;
    layout_find(said->layout, &s->layout);
    scanner_suffix_find(said->suffix, &s->suffix);
    snprintf(s->prefix, sizeof s->prefix, "%s", said->prefix);
    return SCANNERS_BOUND;
}

/* NULL: no memory, and the scan is refused. */
static struct two_scans *pair_of(struct floor *f, const char *place)
{
    for (size_t i = 0; i < f->pair_count; i++)
        if (strcmp(f->pairs[i].place, place) == 0)
            return &f->pairs[i].scans;
    struct scan_pair *v = realloc(f->pairs, (f->pair_count + 1) * sizeof *v);
    if (!v)
        return NULL;
    f->pairs = v;
    struct scan_pair *p = &v[f->pair_count++];
    *p = (struct scan_pair){ .place = "" };
    snprintf(p->place, sizeof p->place, "%s", place);
    return &p->scans;
}

static bool known(void *ctx, const char *name)
{
    return line_has(ctx, name);
}

static void station_scan(struct floor *f, const char *place, struct span text)
{
    struct two_scans *t = pair_of(f, place);
    struct span line;

    if (line_command(f->line, text)) /* a fixture's label before it stays chosen */
        return;
    if (!t) {
        line_refuse(f->line, "", "", V_MACHINE);
        return;
    }
    switch (two_scans_take(t, text, clock_monotonic_ms(), known, f->line, &line)) {
    case TWO_SCANS_CHOSEN:
        line_tell(f->line, &(struct line_event){ .kind = LINE_CHOSEN,
                                                 .fixture = t->fixture,
                                                 .place = place });
        break;
    case TWO_SCANS_LINE:
        line_scan(f->line, line);
        break;
    case TWO_SCANS_WHICH:
        /* A badge without a fixture before it is for the whole station. */
        if (roster_is_badge(line_roster(f->line), text))
            line_scan(f->line, text);
        else
            line_refuse(f->line, "", "", V_SCAN_WHICH);
        break;
    }
}

static void fixture_scan(struct floor *f, const char *fixture, struct span text)
{
    AUTO(buf_clear) struct buf line = BUF_INIT;

    buf_put(&line, fixture, strlen(fixture));
    buf_put_u8(&line, '\t');
    buf_put_span(&line, text);
    if (buf_ok(&line))
        line_scan(f->line, buf_span(&line));
    else
        line_refuse(f->line, fixture, "", V_MACHINE);
}

static enum verdict verdict_of_scanner(enum scanner_scan what)
{
    static const enum verdict of[SCANNER_SCANS] = {
        [SCANNER_OK] = V_MACHINE, /* it is a scan */
        [SCANNER_CUT] = V_SCAN_CUT,
        [SCANNER_TOO_LONG] = V_SCAN_TOO_LONG,
        [SCANNER_UNDECODABLE] = V_SCAN_BINARY,
        [SCANNER_NO_PREFIX] = V_SCAN_CUT,
        [SCANNER_OVERFLOW] = V_SCAN_CUT,
    };

    return (unsigned)what < SCANNER_SCANS ? of[what] : V_MACHINE;
}

/* A refusal answers the scan; the scanner's own sentence goes with it. */
static void refused_scan(struct floor *f, const char *place, const char *fixture,
                         enum scanner_scan what, struct span why)
{
    char text[200];
    struct two_scans *t = *fixture ? NULL : pair_of(f, place);

    if (t)
        two_scans_forget(t);
    snprintf(text, sizeof text, "%.*s", (int)why.n, (const char *)why.p);
    line_tell(f->line, &(struct line_event){
        .kind = LINE_VERDICT, .fixture = fixture, .place = place,
        .verdict = verdict_row(verdict_of_scanner(what)), .detail = text });
}

static void on_scan(void *ctx, const char *place, enum scanner_scan what,
                    struct span text)
{
    struct floor *f = ctx;
    const struct scanner_setting *said = places_scanner(&f->settings, place);
    const char *fixture = said && said->fixture[0] ? name_of(f, said->fixture) : "";

    if (what != SCANNER_OK)
        refused_scan(f, place, fixture, what, text);
    else if (*fixture)
        fixture_scan(f, fixture, text);
    else
        station_scan(f, place, text);
}

static void on_scanner(void *ctx, const char *place)
{
    struct floor *f = ctx;
    struct scanners_place *all;
    size_t n = scanners_list(f->scanners, NULL, 0);

    all = calloc(n + 1, sizeof *all);
    if (!all)
        return; /* an announcement is lost, nothing else */
    size_t now = scanners_list(f->scanners, all, n);
    for (size_t i = 0; i < (now < n ? now : n); i++)
        if (strcmp(all[i].path, place) == 0)
            line_tell(f->line, &(struct line_event){
                .kind = LINE_SCANNER, .place = place,
                .state = scanners_state_name(all[i].state),
                .detail = all[i].why });
    free(all);
}

/* --- the floor ----------------------------------------------------------------------- */

static void on_device(void *ctx, const struct usb_device *d, bool here)
{
    struct floor *f = ctx;

    ccid_readers_changed(f->readers, d, here);
    pthread_mutex_lock(&f->lock); /* never held for long */
    if (!f->quiet)
        scanners_changed(f->scanners, d, here);
    pthread_mutex_unlock(&f->lock);
}

static int copy(const struct places *from, struct places *to, struct err *e)
{
    to->v = calloc(from->n + 1, sizeof *to->v);
    to->scanners = calloc(from->scanner_count + 1, sizeof *to->scanners);
    if (!to->v || !to->scanners)
        return err_set(e, ERR_NOMEM, "no memory for the list of places");
    if (from->n)
        memcpy(to->v, from->v, from->n * sizeof *to->v);
    if (from->scanner_count)
        memcpy(to->scanners, from->scanners,
               from->scanner_count * sizeof *to->scanners);
    to->n = from->n;
    to->scanner_count = from->scanner_count;
    return 0;
}

int floor_start(const struct places *settings, struct line *l,
                struct floor **out, struct err *e)
{
    AUTO(floor_stop_p) struct floor *f = calloc(1, sizeof *f);

    if (!f)
        return err_set(e, ERR_NOMEM, "no memory for the places on the bus");
    pthread_mutex_init(&f->lock, NULL);
    const struct ccid_readers_options ro = { allow_reader, on_reader, f };
    const struct scanners_options so = { allow_scanner, on_scan, on_scanner, f };
    f->line = l;
    if (copy(settings, &f->settings, e) != 0 ||
        ccid_readers_new(&ro, &f->readers, e) != 0 ||
        scanners_new(&so, &f->scanners, e) != 0 ||
        usb_start(on_device, f, &f->usb, e) != 0)
        return -1;
    ccid_readers_start(f->readers, f->usb);
    if (scanners_run(f->scanners, f->usb, e) != 0)
        return -1;
    *out = f;
    f = NULL;
    return 0;
}

void floor_quiet(struct floor *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    bool first = !f->quiet;
    f->quiet = true;
    pthread_mutex_unlock(&f->lock);
    if (first)
        scanners_free(f->scanners);
}

void floor_stop(struct floor *f)
{
    if (!f)
        return;
    floor_quiet(f);
    if (f->readers)
        ccid_readers_stop(f->readers);
    usb_stop(f->usb); /* from here on nobody tells of changes */
    ccid_readers_free(f->readers);
    places_clear(&f->settings);
    free(f->pairs);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

void floor_stop_p(struct floor **f)
{
    floor_stop(*f);
}
