#include "station/doctor/around.h"

#include "drivers/ccid/descriptor.h"
#include "drivers/usb/usb.h"
#include "station/identity/identity.h"

#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

void around_list_add(doctor_list list, const char *name)
{
    size_t n = strlen(list);
    size_t need = strlen(name) + (n ? 2 : 0);

    /* Room for ", ..." is always kept. */
    if (n + need + 5 <= DOCTOR_LIST_MAX)
        snprintf(list + n, DOCTOR_LIST_MAX + 1 - n, "%s%s", n ? ", " : "", name);
    else if (n < 3 || strcmp(list + n - 3, "...") != 0)
        snprintf(list + n, DOCTOR_LIST_MAX + 1 - n, "%s...", n ? ", " : "");
}

/* --- files and space -------------------------------------------------------------- */

static struct doctor_file file_of(const char *dir, const char *name)
{
    struct doctor_file f = { .error = ENAMETOOLONG };
    char path[PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s%s%s", dir, *name ? "/" : "", name);

    if (n < 0 || n >= (int)sizeof path)
        return f;
    f.error = stat(path, &st) == 0 ? 0 : errno;
    if (f.error)
        return f;
    f.is_dir = S_ISDIR(st.st_mode);
    f.mode = st.st_mode & 07777;
    f.owner = st.st_uid;
    return f;
}

void around_files(const char *data_dir, struct doctor_seen *s)
{
    text_plain(data_dir, s->dir, sizeof s->dir - 1);
    s->self = geteuid();
    s->data = file_of(data_dir, "");
    s->ledger_file = file_of(data_dir, LEDGER_FILE);
    s->key_file = file_of(data_dir, IDENTITY_KEY_FILE);
}

void around_space(const char *data_dir, struct doctor_seen *s)
{
    struct statvfs v;

    if (statvfs(data_dir, &v) != 0) {
        err_errno(&s->space, "the file system of %s", data_dir);
        return;
    }
    /* What root keeps for itself is no room for the station. */
    s->free_octets = (uint64_t)v.f_bavail * v.f_frsize;
    s->free_inodes = v.f_favail;
    s->inodes_counted = v.f_files != 0;
}

void around_line(const char *data_dir, struct doctor_seen *s)
{
    lock_held(data_dir, LOCK_RUN, &s->running, &s->pid, &s->line);
}

/* --- USB --------------------------------------------------------------------------- */

struct seat {
    char place[PLACE_MAX + 1];
    enum { SEAT_OTHER, SEAT_GOOD, SEAT_REFUSED } what;
};

struct bus {
    const struct places *said;
    struct doctor_seen *seen;
    struct seat *v; /* where something is plugged in */
    size_t n;
    bool failed;
};

static void note(struct bus *b, const char *place, int what)
{
    struct seat *v = realloc(b->v, (b->n + 1) * sizeof *v);

    if (!v) {
        b->failed = true;
        return;
    }
    b->v = v;
    v[b->n].what = what;
    snprintf(v[b->n++].place, sizeof v->place, "%s", place);
}

static const char *name_of(const struct places *said, const char *place)
{
    const struct place_setting *p = places_find(said, place);

    return p && p->label[0] ? p->label : place;
}

/* Slots are named as drivers/ccid/readers.h names places. A reader where no
 * fixture is allowed is not the station's, whatever it is. */
static void note_reader(struct bus *b, const struct usb_device *d,
                        const struct usb_interface *i, unsigned *slot)
{
    struct ccid_profile profile = { .slots = 1 };
    struct err why = ERR_INIT;
    char place[PLACE_MAX + 1];
    bool good = ccid_descriptor_judge(i, &profile, &why) == 0;

    for (unsigned k = 0; k < profile.slots; k++, ++*slot) {
        snprintf(place, sizeof place, *slot ? "%s:%u" : "%s", d->path, *slot);
        note(b, place, !places_allow(b->said, place) ? SEAT_OTHER
                       : good ? SEAT_GOOD : SEAT_REFUSED);
    }
}

static void on_device(void *ctx, const struct usb_device *d, bool here)
{
    struct bus *b = ctx;
    unsigned slot = 0;

    if (!here)
        return;
    for (size_t i = 0; i < d->interface_count; i++)
        if (ccid_descriptor_is_reader(&d->interfaces[i]))
            note_reader(b, d, &d->interfaces[i], &slot);
    if (slot > 0)
        return;
    note(b, d->path, SEAT_OTHER);
    if (places_scanner(b->said, d->path))
        b->seen->scanners++;
}

/* 1-2 before 1-10. */
static int by_place(const void *a, const void *b)
{
    return strverscmp(((const struct seat *)a)->place,
                      ((const struct seat *)b)->place);
}

static void count_readers(const struct bus *b, struct doctor_seen *s)
{
    for (size_t i = 0; i < b->n; i++) {
        const char *name = name_of(b->said, b->v[i].place);
        if (b->v[i].what == SEAT_GOOD) {
            s->slots++;
            around_list_add(s->slot_names, name);
        } else if (b->v[i].what == SEAT_REFUSED) {
            s->refused++;
            around_list_add(s->refused_names, name);
        }
    }
}

static bool plugged(const struct bus *b, const char *place)
{
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->v[i].place, place) == 0)
            return true;
    return false;
}

static void note_absent(struct bus *b, const char *place)
{
    if (plugged(b, place))
        return;
    b->seen->absent++;
    around_list_add(b->seen->absent_names, name_of(b->said, place));
}

void around_usb(const struct places *said, struct doctor_seen *s)
{
    struct bus b = { .said = said, .seen = s };
    struct usb *usb;

    if (usb_start(on_device, &b, &usb, &s->usb) != 0) {
        free(b.v);
        return;
    }
    usb_stop(usb);
    if (b.n)
        qsort(b.v, b.n, sizeof *b.v, by_place);
    count_readers(&b, s);
    if (b.failed)
        err_set(&s->usb, ERR_NOMEM, "no memory for the list of places");
    for (size_t i = 0; i < said->n && !b.failed; i++)
        if (said->v[i].label[0])
            note_absent(&b, said->v[i].place);
    for (size_t i = 0; i < said->scanner_count && !b.failed; i++)
        note_absent(&b, said->scanners[i].place);
    free(b.v);
}

/* --- network ------------------------------------------------------------------------ */

/* An interface is listed once for each address that it has. */
static bool first_of_name(const struct ifaddrs *all, const struct ifaddrs *i)
{
    for (; all != i; all = all->ifa_next)
        if (strcmp(all->ifa_name, i->ifa_name) == 0)
            return false;
    return true;
}

void around_network(struct doctor_seen *s)
{
    struct ifaddrs *all;
    char name[IFNAMSIZ + 1];

    if (getifaddrs(&all) != 0) {
        err_errno(&s->network, "the network's interfaces");
        return;
    }
    for (struct ifaddrs *i = all; i; i = i->ifa_next) {
        if (i->ifa_flags & IFF_LOOPBACK || !(i->ifa_flags & IFF_UP) ||
            !first_of_name(all, i))
            continue;
        s->interfaces++;
        text_plain(i->ifa_name, name, IFNAMSIZ);
        around_list_add(s->interface_names, name);
    }
    freeifaddrs(all);
}
