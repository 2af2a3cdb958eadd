/* The robot at the embedded bench: a fixture is a link to the card in it, and
 * the scanner is a FIFO. */
#include "station/base/clock.h"
#include "tests/lab/cmd/rig.h"
#include "tests/lab/world.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POLL_MS 20
#define NAME_LEN 24

struct bench {
    struct hands base;
    const char *dir, *fifo;
    char *cards; /* absolute: links are read from elsewhere */
    char (*names)[NAME_LEN];
    size_t count;
    int scan;    /* descriptor */
};

static struct bench *self(struct hands *h)
{
    return (struct bench *)h;
}

static const char *name(const struct hands *h, size_t f)
{
    return ((const struct bench *)h)->names[f];
}

/* The link changes in one step: the fixture holds the old unit or the new. */
static int point(struct bench *b, size_t f, const char *card, struct err *e)
{
    AUTO(str_free_p) char *to = NULL, *aside = NULL;

    if (asprintf(&to, "%s/%s", b->dir, b->names[f]) < 0)
        to = NULL;
    /* A dot file is no fixture to the station (drivers/bench.h). */
    if (asprintf(&aside, "%s/.%s.new", b->dir, b->names[f]) < 0)
        aside = NULL;
    if (!to || !aside)
        return err_set(e, ERR_NOMEM, "out of memory");
    unlink(aside);
    if (symlink(card, aside) != 0 || rename(aside, to) != 0)
        return err_errno(e, "cannot put a card into %s", to);
    return 0;
}

static int put(struct hands *h, size_t f, const char *eid, struct err *e)
{
    AUTO(str_free_p) char *card = NULL;

    if (asprintf(&card, "%s/%s", self(h)->cards, eid) < 0) {
        card = NULL;
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    return point(self(h), f, card, e);
}

/* An empty fixture is a link to nothing: it stays a fixture. */
static int take(struct hands *h, size_t f, struct err *e)
{
    return point(self(h), f, NO_CARD, e);
}

static int scan(struct hands *h, size_t f, const char *barcode, struct err *e)
{
    AUTO(str_free_p) char *line = NULL;
    int n = asprintf(&line, "%s\t%s\n", name(h, f), barcode);

    if (n < 0) {
        line = NULL;
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    for (const char *p = line; n > 0;) {
        ssize_t w = write(self(h)->scan, p, (size_t)n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0 && errno == EPIPE)
            return err_set(e, ERR_CLOSED, "the station reads no scans any "
                                          "more");
        if (w < 0)
            return err_errno(e, "cannot write a scan");
        p += w;
        n -= (int)w;
    }
    return 0;
}

/* A FIFO without a reader refuses to be opened for writing: wait for it. */
static int wait_for_station(struct hands *h, bool (*gone)(void *ctx),
                            void *ctx, int64_t timeout_ms, struct err *e)
{
    struct bench *b = self(h);
    int64_t until = clock_monotonic_ms() + timeout_ms;

    while ((b->scan = open(b->fifo, O_WRONLY | O_APPEND | O_NONBLOCK |
                                        O_CLOEXEC)) < 0) {
        if (errno != ENXIO)
            return err_errno(e, "cannot open %s", b->fifo);
        if (gone(ctx))
            return err_set(e, ERR_CLOSED, "the station ended before it read "
                                          "a scan");
        if (clock_monotonic_ms() > until)
            return err_set(e, ERR_TIMEOUT, "no station reads %s", b->fifo);
        poll(NULL, 0, POLL_MS);
    }
    return fcntl(b->scan, F_SETFL, O_APPEND) == 0
               ? 0
               : err_errno(e, "cannot use %s", b->fifo);
}

static void bench_free(struct hands *h)
{
    struct bench *b = self(h);

    if (b->scan >= 0)
        close(b->scan);
    free(b->cards);
    free(b->names);
    free(b);
}

static int make_fixtures(struct bench *b, const char *cards, struct err *e)
{
    if (mkdir(b->dir, 0755) != 0 && errno != EEXIST)
        return err_errno(e, "cannot make %s", b->dir);
    for (size_t f = 0; f < b->count; f++) {
        snprintf(b->names[f], NAME_LEN, "F%zu", f + 1);
        if (take(&b->base, f, e) != 0)
            return -1;
    }
    b->cards = realpath(cards, NULL);
    return b->cards ? 0 : err_errno(e, "cannot find %s", cards);
}

int rig_bench_new(const char *bench, const char *cards, const char *scan_fifo,
                  size_t fixtures, struct hands **out, struct err *e)
{
    struct bench *b = calloc(1, sizeof *b);

    if (b)
        b->names = calloc(fixtures, sizeof *b->names);
    if (!b || !b->names) {
        free(b);
        return err_set(e, ERR_NOMEM, "out of memory");
    }
    b->base = (struct hands){ false, name, NULL, put, take, scan,
                              wait_for_station, bench_free };
    b->dir = bench;
    b->fifo = scan_fifo;
    b->count = fixtures;
    b->scan = -1;
    if (make_fixtures(b, cards, e) != 0) {
        bench_free(&b->base);
        return -1;
    }
    *out = &b->base;
    return 0;
}
