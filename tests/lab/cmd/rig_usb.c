/* The robot at the emulated bus: cards go into readers by words over the
 * control socket, and a scanner of the station's scans a fixture's name, then
 * the unit's barcode. */
#include "tests/lab/cmd/rig.h"
#include "tests/lab/usb/fuse/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PLACE_LEN 48
#define NAME_LEN 64
#define LINE_LEN 512

struct desk {
    struct hands base;
    int fd;
    char (*readers)[PLACE_LEN];
    char (*names)[NAME_LEN]; /* of the fixtures there */
    char (*scanners)[PLACE_LEN];
    size_t count, scanner_count; /* count: readers, then fixtures */
    bool *full;
};

static struct desk *self(struct hands *h)
{
    return (struct desk *)h;
}

static const char *name(const struct hands *h, size_t f)
{
    return ((const struct desk *)h)->names[f];
}

static void called(struct hands *h, const char *place, const char *label)
{
    struct desk *d = self(h);

    for (size_t f = 0; f < d->count; f++)
        if (strcmp(d->readers[f], place) == 0 && *label)
            snprintf(d->names[f], NAME_LEN, "%s", label);
}

static int say(struct desk *d, struct err *e, const char *verb,
               const char *place, const char *rest)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;
    char line[LINE_LEN];
    int n = snprintf(line, sizeof line, "%s %s%s%s", verb, place,
                     *rest ? " " : "", rest);

    if (n >= (int)sizeof line)
        return err_set(e, ERR_LIMIT, "\"%s\" is too long to be said", rest);
    return control_ask(d->fd, line, &answer, e) == 0
               ? 0
               : err_wrap(e, "%s %s", verb, place);
}

static int put(struct hands *h, size_t f, const char *eid, struct err *e)
{
    struct desk *d = self(h);

    d->full[f] = true;
    return say(d, e, "insert", d->readers[f], eid);
}

static int take(struct hands *h, size_t f, struct err *e)
{
    struct desk *d = self(h);

    if (!d->full[f])
        return 0;
    d->full[f] = false;
    return say(d, e, "remove", d->readers[f], "");
}

/* One scanner's two scans follow each other: nobody else holds it. */
static int scan(struct hands *h, size_t f, const char *barcode, struct err *e)
{
    struct desk *d = self(h);
    const char *scanner = d->scanners[f % d->scanner_count];

    return say(d, e, "scan", scanner, d->names[f]) == 0
               ? say(d, e, "scan", scanner, barcode)
               : -1;
}

/* A scan waits for its listener itself. */
static int wait_for_station(struct hands *h, bool (*gone)(void *ctx),
                            void *ctx, int64_t timeout_ms, struct err *e)
{
    (void)h;
    (void)timeout_ms;
    return gone(ctx) ? err_set(e, ERR_CLOSED, "the station ended before it "
                                              "read a scan")
                     : 0;
}

static void desk_free(struct hands *h)
{
    struct desk *d = self(h);

    if (d->fd >= 0)
        close(d->fd);
    free(d->readers);
    free(d->scanners);
    free(d->names);
    free(d->full);
    free(d);
}

static bool is_wanted(const char *list, const char *place)
{
    size_t n = strlen(place);

    for (const char *p = list; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
        if (strncmp(p, place, n) == 0 && (p[n] == '\0' || p[n] == ','))
            return true;
    return !list;
}

static int add(char (**v)[PLACE_LEN], size_t *n, const char *place,
               struct err *e)
{
    char(*more)[PLACE_LEN] = realloc(*v, (*n + 1) * sizeof *more);

    if (!more)
        return err_set(e, ERR_NOMEM, "out of memory");
    *v = more;
    snprintf(more[(*n)++], PLACE_LEN, "%s", place);
    return 0;
}

/* "reader 1-1.1 ..." and "scanner 9-1.1 ...", a line each. */
static int read_list(struct desk *d, char *text, const char *scanners,
                     struct err *e)
{
    char place[PLACE_LEN], kind[16], *save = NULL;
    int rc = 0;

    for (char *l = strtok_r(text, "\n", &save); l && rc == 0;
         l = strtok_r(NULL, "\n", &save)) {
        if (sscanf(l, "%15s %47s", kind, place) != 2)
            continue;
        if (strcmp(kind, "reader") == 0)
            rc = add(&d->readers, &d->count, place, e);
        else if (strcmp(kind, "scanner") == 0 && is_wanted(scanners, place))
            rc = add(&d->scanners, &d->scanner_count, place, e);
    }
    return rc;
}

static int look(struct desk *d, const char *control, const char *scanners,
                size_t fixtures, struct err *e)
{
    AUTO(buf_clear) struct buf answer = BUF_INIT;

    d->fd = control_connect(control, e);
    if (d->fd < 0 || control_ask(d->fd, "list", &answer, e) != 0)
        return -1;
    buf_put_u8(&answer, '\0');
    if (!buf_ok(&answer))
        return err_set(e, ERR_NOMEM, "out of memory");
    if (read_list(d, (char *)answer.p, scanners, e) != 0)
        return -1;
    if (d->count < fixtures || d->scanner_count == 0)
        return err_set(e, ERR_USAGE, "the bus has %zu readers and %zu scanners "
                                     "for us: too few", d->count,
                       d->scanner_count);
    d->count = fixtures;
    d->full = calloc(fixtures, sizeof *d->full);
    d->names = calloc(fixtures, sizeof *d->names);
    if (!d->full || !d->names)
        return err_set(e, ERR_NOMEM, "out of memory");
    for (size_t f = 0; f < fixtures; f++)
        snprintf(d->names[f], NAME_LEN, "%s", d->readers[f]);
    return 0;
}

int rig_usb_new(const char *control, const char *scanners, size_t fixtures,
                struct hands **out, struct err *e)
{
    struct desk *d = calloc(1, sizeof *d);

    if (!d)
        return err_set(e, ERR_NOMEM, "out of memory");
    d->base = (struct hands){ true, name, called, put, take, scan,
                              wait_for_station, desk_free };
    d->fd = -1;
    if (look(d, control, scanners, fixtures, e) != 0) {
        desk_free(&d->base);
        return -1;
    }
    *out = &d->base;
    return 0;
}
