#include "station/import/frames.h"

#include "station/ifpp/tlv.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    F_ROOT = 0x80,
    F_DM = 0x81,
    F_CI = 0x82,
    F_ALLOWED = 0x83,
    F_AT = 0x84,
    F_THREADS = 0x85,
    F_EID = 0x80,
    F_TXID = 0x81,
    F_ICCID = 0x82,
    F_EUM = 0x83,
    F_DP = 0x84,
    F_DELETE = 0x85,
    F_NAME = 0x86,
    F_PROVIDER = 0x87,
    F_CLASS = 0x88,
    F_META = 0xA0,
};

void import_trust_clear(struct import_trust *t)
{
    buf_clear(&t->dm_root);
    blobs_clear(&t->ci_roots);
    blobs_clear(&t->allowed_smdp);
    memset(t, 0, sizeof *t);
}

void import_trust_put(struct buf *b, const struct import_trust *t)
{
    der_put(b, F_ROOT, SPAN_ARRAY(t->root_sha256));
    der_put(b, F_DM, buf_span(&t->dm_root));
    for (size_t i = 0; i < t->ci_roots.n; i++)
        der_put(b, F_CI, buf_span(&t->ci_roots.v[i]));
    for (size_t i = 0; i < t->allowed_smdp.n; i++)
        der_put(b, F_ALLOWED, buf_span(&t->allowed_smdp.v[i]));
    der_put_uint(b, F_AT, (uint64_t)t->at);
    der_put_uint(b, F_THREADS, t->threads);
}

int import_trust_parse(struct span in, struct import_trust *t, struct err *e)
{
    struct tlv v;
    uint64_t n;

    memset(t, 0, sizeof *t);
    if (der_take(&in, F_ROOT, &v) != 0 || v.value.n != 32)
        goto bad;
    memcpy(t->root_sha256, v.value.p, 32);
    if (der_take(&in, F_DM, &v) != 0)
        goto bad;
    buf_put_span(&t->dm_root, v.value);
    while (der_take_optional(&in, F_CI, &v) == 1)
        if (blobs_add(&t->ci_roots, v.value) != 0)
            goto bad;
    while (der_take_optional(&in, F_ALLOWED, &v) == 1)
        if (blobs_add(&t->allowed_smdp, v.value) != 0)
            goto bad;
    if (der_take(&in, F_AT, &v) != 0 || der_uint(v.value, &n) != 0)
        goto bad;
    t->at = (int64_t)n;
    if (der_take(&in, F_THREADS, &v) != 0 || der_uint(v.value, &n) != 0 ||
        n == 0 || n > 64 || in.n != 0 || !buf_ok(&t->dm_root))
        goto bad;
    t->threads = (unsigned)n;
    return 0;
bad:
    import_trust_clear(t);
    return err_set(e, ERR_INTERNAL, "import process: bad trust frame");
}

void frame_record_put(struct buf *b, const struct frame_record *r)
{
    size_t m = der_open(b);

    der_put(b, F_EID, SPAN_ARRAY(r->eid.o));
    der_put(b, F_TXID, SPAN_ARRAY(r->txid.o));
    der_put(b, F_ICCID, SPAN_ARRAY(r->iccid.o));
    der_put_uint(b, F_EUM, r->eum_chain);
    der_put_uint(b, F_DP, r->dp_chain);
    der_put_uint(b, F_DELETE, r->delete_notified);
    der_put_str(b, F_NAME, r->name);
    der_put_str(b, F_PROVIDER, r->provider);
    der_put_uint(b, F_CLASS, r->profile_class);
    der_close(b, F_META, m);
    buf_put_span(b, r->record);
}

static int take_uint(struct span *in, uint32_t tag, uint64_t *out)
{
    struct tlv v;

    return der_take(in, tag, &v) == 0 ? der_uint(v.value, out) : -1;
}

static int take_text(struct span *in, uint32_t tag, char *out, size_t cap)
{
    struct tlv v;

    if (der_take(in, tag, &v) != 0 || v.value.n >= cap)
        return -1;
    memcpy(out, v.value.p, v.value.n);
    out[v.value.n] = '\0';
    return 0;
}

static int take_fixed(struct span *in, uint32_t tag, void *out, size_t n)
{
    struct tlv v;

    if (der_take(in, tag, &v) != 0 || v.value.n != n)
        return -1;
    memcpy(out, v.value.p, n);
    return 0;
}

int frame_record_parse(struct span in, struct frame_record *r, struct err *e)
{
    struct tlv meta;
    uint64_t eum, dp, del, class;

    if (der_take(&in, F_META, &meta) != 0)
        goto bad;
    struct span m = meta.value;
    if (take_fixed(&m, F_EID, r->eid.o, sizeof r->eid.o) != 0 ||
        take_fixed(&m, F_TXID, r->txid.o, sizeof r->txid.o) != 0 ||
        take_fixed(&m, F_ICCID, r->iccid.o, sizeof r->iccid.o) != 0 ||
        take_uint(&m, F_EUM, &eum) != 0 || take_uint(&m, F_DP, &dp) != 0 ||
        take_uint(&m, F_DELETE, &del) != 0 ||
        take_text(&m, F_NAME, r->name, sizeof r->name) != 0 ||
        take_text(&m, F_PROVIDER, r->provider, sizeof r->provider) != 0 ||
        take_uint(&m, F_CLASS, &class) != 0 || m.n != 0 || del > 1 ||
        eum > UINT_MAX || dp > UINT_MAX || class > UINT_MAX)
        goto bad;
    r->eum_chain = (unsigned)eum;
    r->dp_chain = (unsigned)dp;
    r->delete_notified = del != 0;
    r->profile_class = (unsigned)class;
    r->record = in;
    return 0;
bad:
    return err_set(e, ERR_INTERNAL, "import process: bad record frame");
}

void frame_put_header(struct buf *b, enum frame_type type, size_t n)
{
    buf_put_u8(b, (uint8_t)type);
    buf_put_u32(b, (uint32_t)n);
}

void frame_put_error(struct buf *b, const struct err *why)
{
    frame_put_header(b, FRAME_ERROR, 1 + strlen(why->msg));
    buf_put_u8(b, (uint8_t)why->code);
    buf_put(b, why->msg, strlen(why->msg));
}

int frame_error_parse(struct span in, struct err *why)
{
    if (in.n < 1 || in.p[0] == ERR_NONE || in.p[0] >= ERR_CODES)
        return err_set(why, ERR_INTERNAL, "import process: bad error frame");
    /* The text came through a process that read a hostile medium: it goes to
     * a terminal, so it is printable or it is not shown. */
    char text[sizeof why->msg];
    size_t n = in.n - 1 < sizeof text - 1 ? in.n - 1 : sizeof text - 1;
    for (size_t i = 0; i < n; i++) {
        uint8_t c = in.p[1 + i];
        text[i] = c >= 0x20 && c != 0x7f ? (char)c : '?';
    }
    text[n] = '\0';
    return err_set(why, (enum err_code)in.p[0], "%s", text);
}

static int read_full(int fd, uint8_t *to, size_t n)
{
    size_t have = 0;

    while (have < n) {
        ssize_t r = read(fd, to + have, n - have);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -1;
        if (r == 0)
            return have == 0 ? 0 : -2;
        have += (size_t)r;
    }
    return 1;
}

int frame_read(int fd, enum frame_type *type, struct buf *payload,
               struct err *e)
{
    uint8_t head[FRAME_HEADER];
    int r = read_full(fd, head, sizeof head);

    if (r == 0)
        return 0;
    if (r < 0)
        return r == -1 ? err_errno(e, "import process: read")
                       : err_set(e, ERR_CLOSED, "import process: cut short");
    size_t n = (size_t)head[1] << 24 | (size_t)head[2] << 16 |
               (size_t)head[3] << 8 | head[4];
    if (n > FRAME_MAX)
        return err_set(e, ERR_LIMIT, "import process: frame of %zu octets", n);
    buf_reset(payload);
    uint8_t *to = buf_reserve(payload, n ? n : 1);
    if (!to)
        return err_set(e, ERR_NOMEM, "out of memory");
    r = n ? read_full(fd, to, n) : 1;
    if (r != 1)
        return r == -1 ? err_errno(e, "import process: read")
                       : err_set(e, ERR_CLOSED, "import process: cut short");
    payload->n = n;
    *type = (enum frame_type)head[0];
    return 1;
}

int frame_write(int fd, struct span s, struct err *e)
{
    while (s.n > 0) {
        ssize_t r = write(fd, s.p, s.n);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return err_errno(e, "import process: write");
        s.p += r;
        s.n -= (size_t)r;
    }
    return 0;
}
