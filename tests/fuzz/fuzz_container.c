/* Everything of a container that comes off a medium. Octet 0 says which
 * parser reads the rest (see parsers).
 *
 * More than not crashing is asked: what is accepted must encode back to the
 * very octets, since a second form of one statement could slip by a hash.
 * The corpus began as the containers of tests/unit/container/scene.c, cut
 * into their parts with octet 0 put before. */
#include "station/container/cms.h"
#include "station/container/reader.h"
#include "station/container/report_record.h"
#include "station/container/shift_record.h"
#include "station/container/signers.h"
#include "station/ifpp/event.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x)     \
    do {             \
        if (!(x))    \
            abort(); \
    } while (0)

static void manifest(struct span in)
{
    AUTO(buf_clear) struct buf again = BUF_INIT;
    struct manifest m;
    struct err e = ERR_INIT;

    if (manifest_decode(in, &m, &e) != 0) {
        CHECK(e.code != ERR_NONE && e.msg[0]);
        return;
    }
    CHECK(manifest_encode(&m, &again, NULL) == 0);
    CHECK(span_eq(buf_span(&again), in));
    manifest_clear(&m);
}

static void cms(struct span in)
{
    AUTO(cert_stack_free) STACK_OF(X509) *chain = NULL;
    const struct container_trust nobody = { NULL, NULL, NULL, 0 };
    struct err e = ERR_INIT;
    struct manifest m;
    struct cms c;

    if (cms_parse(in, &c, &e) != 0)
        return;
    CHECK(c.cert_count > 0 && c.digest.n == 32);
    if (cms_chain(&c, &chain, &e) == 0)
        (void)cms_check(&c, sk_X509_value(chain, 0), &e);
    /* Without a root only a request, which proves possession, may hold. */
    if (manifest_verify(in, &nobody, &m, NULL, &e) == 0) {
        CHECK(m.kind == KIND_STATION_CSR);
        manifest_clear(&m);
    }
}

static void report(struct span in)
{
    AUTO(buf_clear) struct buf again = BUF_INIT;
    struct report_record r;

    if (report_record_decode(in, &r, NULL) != 0)
        return;
    CHECK(report_record_encode(&r, &again, NULL) == 0);
    CHECK(span_eq(buf_span(&again), in));
}

static void shift(struct span in)
{
    AUTO(buf_clear) struct buf again = BUF_INIT;
    struct shift_record r;

    if (shift_record_decode(in, &r, NULL) != 0)
        return;
    CHECK(shift_record_encode(&r, &again, NULL) == 0);
    CHECK(span_eq(buf_span(&again), in));
}

static char *text(struct span s)
{
    char *t = malloc(s.n + 1);

    CHECK(t);
    if (s.n)
        memcpy(t, s.p, s.n);
    t[s.n] = 0;
    return t;
}

static void event(struct span in)
{
    AUTO(buf_clear) struct buf again = BUF_INIT;
    struct event_field f[EVENT_FIELDS_MAX];
    struct span rest, name, value;
    struct event ev;
    size_t n = 0;

    if (event_decode(in, &ev, NULL) != 0)
        return;
    for (rest = ev.fields; event_field_next(&rest, &name, &value); n++)
        f[n] = (struct event_field){ text(name), text(value) };
    CHECK(n == ev.field_count);
    char *kind = text(ev.kind), *actor = text(ev.actor);
    CHECK(event_encode(ev.number, ev.at, ev.previous.p, kind, actor, f, n,
                       &again, NULL) == 0);
    CHECK(span_eq(buf_span(&again), in));
    while (n-- > 0) {
        free((char *)f[n].name);
        free((char *)f[n].value);
    }
    free(kind);
    free(actor);
}

/* --- a segment, through a real file --------------------------------------------- */

static char dir[] = "/tmp/lineside-fuzz.XXXXXX";
static int dir_fd = -1;

static void dir_remove(void)
{
    unlinkat(dir_fd, "segment-00001.der", 0);
    rmdir(dir);
}

static int count(void *ctx, uint64_t number, struct span record, struct err *e)
{
    struct buf *got = ctx;

    (void)number;
    (void)e;
    buf_put_span(got, record);
    return 0;
}

static void segment(struct span in)
{
    AUTO(buf_clear) struct buf got = BUF_INIT;
    struct segment_entry s = { .name = "segment-00001.der" };
    const struct manifest m = { .segments = &s, .segment_count = 1 };

    if (in.n == 0)
        return;
    if (dir_fd < 0) {
        CHECK(mkdtemp(dir));
        dir_fd = open(dir, O_RDONLY | O_DIRECTORY);
        CHECK(dir_fd >= 0);
        atexit(dir_remove);
    }
    int fd = openat(dir_fd, s.name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    s.records = in.p[0];
    in = span_sub(in, 1, in.n - 1);
    CHECK(fd >= 0 && write(fd, in.p, in.n) == (ssize_t)in.n);
    close(fd);
    s.size = in.n;
    EVP_Digest(in.p, in.n, s.sha256, NULL, EVP_sha256(), NULL);
    if (container_read_segments(dir_fd, &m, count, &got, NULL) == 0)
        CHECK(span_eq(buf_span(&got), in));
}

static void (*const parsers[])(struct span) = {
    manifest, cms, report, event, segment, shift,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size && data[0] < sizeof parsers / sizeof *parsers)
        parsers[data[0]](SPAN(data + 1, size - 1));
    return 0;
}
