#include "station/cmd/bus_list.h"

#include "drivers/ccid/descriptor.h"
#include "drivers/usb/usb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USB_CLASS_HID 3
#define USB_CLASS_HUB 9
#define HID_PROTOCOL_KEYBOARD 1

/* --- what is there ------------------------------------------------------------- */

static const char *const what_names[] = {
    [WHAT_READER] = "reader",
    [WHAT_REFUSED] = "refused",
    [WHAT_SCANNER] = "scanner",
    [WHAT_HID] = "keyboard-or-scanner",
    [WHAT_OTHER] = "other",
    [WHAT_NOTHING] = "nothing",
};

static struct bus_row *add_row(struct bus_rows *r, const char *place)
{
    struct bus_row *v = realloc(r->v, (r->n + 1) * sizeof *v);

    if (!v) {
        r->failed = true;
        return NULL;
    }
    r->v = v;
    struct bus_row *row = &v[r->n++];
    *row = (struct bus_row){ .what = WHAT_NOTHING };
    snprintf(row->place, sizeof row->place, "%s", place);
    return row;
}

static void add_device(struct bus_rows *r, const struct usb_device *d,
                       const char *place, enum what what, bool ours,
                       const char *text)
{
    struct bus_row *row = add_row(r, place);

    if (!row)
        return;
    row->what = what;
    row->ours = ours;
    row->vendor = d->vendor;
    row->product = d->product;
    snprintf(row->text, sizeof row->text, "%s", text);
}

/* One row for each slot, named as drivers/ccid/readers.h names places. */
static void add_slots(struct bus_rows *r, const struct usb_device *d,
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

static bool add_scanner(struct bus_rows *r, const struct usb_device *d,
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
    struct bus_rows *r = ctx;
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

static struct bus_row *find_row(struct bus_rows *r, const char *place)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->v[i].place, place) == 0)
            return &r->v[i];
    return NULL;
}

/* Places that have words, and nothing plugged in. */
static void add_empty_places(struct bus_rows *r)
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
    return strverscmp(((const struct bus_row *)a)->place, ((const struct bus_row *)b)->place);
}

int bus_look(const struct places *said, struct bus_rows *r, struct err *e)
{
    struct usb *usb;

    *r = (struct bus_rows){ .said = said };
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

json_t *bus_json(const struct places *said, const struct bus_rows *r)
{
    json_t *list = json_array(), *allowed = json_array();

    for (size_t i = 0; i < r->n; i++) {
        const struct bus_row *row = &r->v[i];
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
    return json_pack("{s:o, s:o}", "places", list, "allowed", allowed);
}

void bus_print(const struct places *said, const struct bus_rows *r)
{
    size_t allowed = 0;

    printf("%-14s %-16s %s\n", "PLACE", "LABEL", "DEVICE");
    for (size_t i = 0; i < r->n; i++) {
        const struct bus_row *row = &r->v[i];
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
