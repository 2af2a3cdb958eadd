/* The pipe's codec: what goes in comes out, and nothing half comes out. */
#include "station/import/frames.h"

#include "tests/unit/support.h"

#include <string.h>
#include <unistd.h>

static struct import_trust some_trust(void)
{
    struct import_trust t = { .at = 1795473660, .threads = 3 };

    memset(t.root_sha256, 0xA5, sizeof t.root_sha256);
    buf_put_span(&t.dm_root, SPAN_STR("root"));
    ck_assert_int_eq(blobs_add(&t.ci_roots, SPAN_STR("ci one")), 0);
    ck_assert_int_eq(blobs_add(&t.ci_roots, SPAN_STR("ci two")), 0);
    ck_assert_int_eq(blobs_add(&t.allowed_smdp, SPAN_STR("2.999.10")), 0);
    return t;
}

static bool blobs_same(const struct blobs *a, const struct blobs *b)
{
    bool same = a->n == b->n;

    for (size_t i = 0; same && i < a->n; i++)
        same = span_eq(buf_span(&a->v[i]), buf_span(&b->v[i]));
    return same;
}

START_TEST(trust_comes_through)
{
    struct import_trust in = some_trust(), out;
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    import_trust_put(&b, &in);
    ck_assert_msg(import_trust_parse(buf_span(&b), &out, &e) == 0, "%s", e.msg);
    ck_assert_mem_eq(in.root_sha256, out.root_sha256, 32);
    ck_assert(span_eq(buf_span(&in.dm_root), buf_span(&out.dm_root)));
    ck_assert(blobs_same(&in.ci_roots, &out.ci_roots));
    ck_assert(blobs_same(&in.allowed_smdp, &out.allowed_smdp));
    ck_assert_int_eq(out.at, in.at);
    ck_assert_uint_eq(out.threads, in.threads);
    import_trust_clear(&out);

    /* Cut anywhere, or with an octet more, it is no trust. */
    for (size_t n = 0; n < b.n; n++)
        ck_assert_msg(import_trust_parse(SPAN(b.p, n), &out, &e) == -1 &&
                          e.code == ERR_INTERNAL, "%zu octets", n);
    buf_put_u8(&b, 0);
    ck_assert_int_eq(import_trust_parse(buf_span(&b), &out, &e), -1);
    buf_clear(&b);
    import_trust_clear(&in);
}
END_TEST

START_TEST(thread_counts)
{
    static const struct { unsigned n; int want; } rows[] = {
        { 1, 0 }, { 64, 0 }, { 0, -1 }, { 65, -1 },
    };
    struct import_trust in = some_trust(), out;
    struct buf b = BUF_INIT;

    in.threads = rows[_i].n;
    import_trust_put(&b, &in);
    ck_assert_int_eq(import_trust_parse(buf_span(&b), &out, NULL),
                     rows[_i].want);
    import_trust_clear(&out);
    import_trust_clear(&in);
    buf_clear(&b);
}
END_TEST

static struct frame_record some_record(void)
{
    struct frame_record r = { .eum_chain = 7, .dp_chain = 255,
                              .delete_notified = true, .profile_class = 2,
                              .name = "Fahrzeug \xC3\xBC", .provider = "",
                              .record = SPAN_STR("\x30\x03xyz") };

    memset(r.eid.o, 0x89, sizeof r.eid.o);
    memset(r.txid.o, 0x11, sizeof r.txid.o);
    memset(r.iccid.o, 0x98, sizeof r.iccid.o);
    return r;
}

START_TEST(record_comes_through)
{
    struct frame_record in = some_record(), out;
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    frame_record_put(&b, &in);
    ck_assert_msg(frame_record_parse(buf_span(&b), &out, &e) == 0, "%s", e.msg);
    ck_assert_mem_eq(&in.eid, &out.eid, sizeof in.eid);
    ck_assert_mem_eq(&in.txid, &out.txid, sizeof in.txid);
    ck_assert_mem_eq(&in.iccid, &out.iccid, sizeof in.iccid);
    ck_assert_uint_eq(out.eum_chain, 7);
    ck_assert_uint_eq(out.dp_chain, 255);
    ck_assert(out.delete_notified);
    ck_assert_str_eq(out.name, in.name);
    ck_assert_str_eq(out.provider, "");
    ck_assert_uint_eq(out.profile_class, 2);
    ck_assert(span_eq(out.record, in.record));

    size_t head = b.n - in.record.n;
    for (size_t n = 0; n < head; n++)
        ck_assert_msg(frame_record_parse(SPAN(b.p, n), &out, &e) == -1 &&
                          e.code == ERR_INTERNAL, "%zu octets", n);
    buf_clear(&b);
}
END_TEST

/* One member of the meta part replaced by something that cannot be. */
START_TEST(record_refused)
{
    static const struct { const char *name, *head; } rows[] = {
        { "nothing", "" },
        { "not the meta part", "A1 00" },
        { "empty meta part", "A0 00" },
        { "EID of 15", "A0 11 80 0F 010203040506070809101112131415" },
    };
    struct buf b = hex(rows[_i].head);
    struct frame_record out;

    ck_assert_msg(frame_record_parse(buf_span(&b), &out, NULL) == -1, "%s",
                  rows[_i].name);
    buf_clear(&b);
}
END_TEST

START_TEST(longest_name)
{
    struct frame_record in = some_record(), out;
    struct buf b = BUF_INIT;

    memset(in.name, 'n', BPP_NAME_MAX);
    in.name[BPP_NAME_MAX] = '\0';
    frame_record_put(&b, &in);
    ck_assert_int_eq(frame_record_parse(buf_span(&b), &out, NULL), 0);
    ck_assert_str_eq(out.name, in.name);
    buf_clear(&b);
}
END_TEST

START_TEST(error_comes_through)
{
    struct err in = { ERR_TRUST, 0, "no \x1b[31mred\x7f, but \xC3\xBC" };
    struct err out = ERR_INIT;
    struct buf b = BUF_INIT;

    frame_put_error(&b, &in);
    ck_assert_uint_eq(b.p[0], FRAME_ERROR);
    struct span payload = SPAN(b.p + FRAME_HEADER, b.n - FRAME_HEADER);
    ck_assert_int_eq(frame_error_parse(payload, &out), -1);
    ck_assert_int_eq(out.code, ERR_TRUST);
    ck_assert_str_eq(out.msg, "no ?[31mred?, but \xC3\xBC");
    buf_clear(&b);
}
END_TEST

START_TEST(error_refused)
{
    static const struct { const char *name, *payload; } rows[] = {
        { "empty", "" },
        { "no error is no error", "00 41" },
        { "a code that is none", "FF 41" },
    };
    struct buf b = hex(rows[_i].payload);
    struct err e = ERR_INIT;

    ck_assert_int_eq(frame_error_parse(buf_span(&b), &e), -1);
    ck_assert_msg(e.code == ERR_INTERNAL, "%s: %s", rows[_i].name,
                  err_name(e.code));
    buf_clear(&b);
}
END_TEST

/* The first n octets of `all` through a pipe that is then closed. */
static int read_of(struct span all, enum frame_type *type, struct buf *payload,
                   struct err *e)
{
    int p[2];

    ck_assert_int_eq(pipe(p), 0);
    ck_assert_int_eq(frame_write(p[1], all, e), 0);
    close(p[1]);
    int got = frame_read(p[0], type, payload, e);
    close(p[0]);
    return got;
}

START_TEST(frames_cut)
{
    struct buf b = BUF_INIT, payload = BUF_INIT;
    struct err e = ERR_INIT;
    enum frame_type type;

    frame_put_header(&b, FRAME_KEYS, 5);
    buf_put_span(&b, SPAN_STR("octet"));
    ck_assert_int_eq(read_of(buf_span(&b), &type, &payload, &e), 1);
    ck_assert_int_eq(type, FRAME_KEYS);
    ck_assert(span_eq(buf_span(&payload), SPAN_STR("octet")));
    ck_assert_int_eq(read_of(SPAN(b.p, 0), &type, &payload, &e), 0);
    for (size_t n = 1; n < b.n; n++)
        ck_assert_msg(read_of(SPAN(b.p, n), &type, &payload, &e) == -1 &&
                          e.code == ERR_CLOSED, "%zu octets", n);
    buf_clear(&b);
    buf_clear(&payload);
}
END_TEST

START_TEST(frames_of_extreme_size)
{
    struct buf b = BUF_INIT, payload = BUF_INIT;
    struct err e = ERR_INIT;
    enum frame_type type;

    frame_put_header(&b, FRAME_END, 0);
    ck_assert_int_eq(read_of(buf_span(&b), &type, &payload, &e), 1);
    ck_assert_uint_eq(payload.n, 0);
    buf_reset(&b);
    frame_put_header(&b, FRAME_RECORD, (size_t)FRAME_MAX + 1);
    ck_assert_int_eq(read_of(buf_span(&b), &type, &payload, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    buf_clear(&b);
    buf_clear(&payload);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "trust comes through", trust_comes_through, 1 },
        { "thread counts", thread_counts, 4 },
        { "record comes through", record_comes_through, 1 },
        { "record refused", record_refused, 4 },
        { "longest name", longest_name, 1 },
        { "error comes through", error_comes_through, 1 },
        { "error refused", error_refused, 3 },
        { "frames cut", frames_cut, 1 },
        { "frames of extreme size", frames_of_extreme_size, 1 },
    };

    return run_tests("import frames", tests, sizeof tests / sizeof *tests);
}
