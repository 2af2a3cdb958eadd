/* The event codec: bytes fixed by hand, every refusal, the chain. */
#include "station/ifpp/event.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AT 1795473660 /* 2026-11-23 22:41:00Z */
static const uint8_t zero[EVENT_HASH];

static struct buf encoded(const struct event_field *f, size_t n)
{
    struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    ck_assert_msg(event_encode(7, AT, zero, "bundle-imported", "station", f, n,
                               &b, &e) == 0, "%s", e.msg);
    return b;
}

START_TEST(octets_are_the_contract)
{
    static const char want[] =
        "3067" "020107" "180f32303236313132333232343130305a" "0420"
        "0000000000000000000000000000000000000000000000000000000000000000"
        "0c0f62756e646c652d696d706f72746564" "0c0773746174696f6e"
        "3015" "3009" "0c0269640c0337663a" "3008" "0c046e6f74650c00";
    static const struct event_field f[] = { { "id", "7f:" }, { "note", "" } };
    AUTO(buf_clear) struct buf b = encoded(f, 2);
    char got[1024];

    ck_assert_str_eq(hex_encode(buf_span(&b), got, sizeof got), want);
}
END_TEST

START_TEST(reads_what_it_wrote)
{
    static const struct event_field f[] = { { "eid", "89" }, { "who", "Zoë" } };
    AUTO(buf_clear) struct buf b = encoded(f, 2);
    struct event ev;
    struct err e = ERR_INIT;
    struct span v;

    ck_assert_msg(event_decode(buf_span(&b), &ev, &e) == 0, "%s", e.msg);
    ck_assert_uint_eq(ev.number, 7);
    ck_assert_int_eq(ev.at, AT);
    ck_assert(span_eq(ev.previous, SPAN_ARRAY(zero)));
    ck_assert(span_eq(ev.kind, SPAN_STR("bundle-imported")));
    ck_assert(span_eq(ev.actor, SPAN_STR("station")));
    ck_assert_uint_eq(ev.field_count, 2);
    ck_assert_int_eq(event_field_get(&ev, "who", &v), 0);
    ck_assert(span_eq(v, SPAN_STR("Zoë")));
    ck_assert_int_eq(event_field_get(&ev, "wh", &v), -1);
}
END_TEST

/* Chained: each event names the hash of the one before. */
START_TEST(a_chain_holds_and_breaks)
{
    AUTO(buf_clear) struct buf first = BUF_INIT;
    AUTO(buf_clear) struct buf second = BUF_INIT;
    uint8_t head[EVENT_HASH];
    struct event ev;

    ck_assert_int_eq(event_encode(1, AT, zero, "a", "b", NULL, 0, &first, NULL), 0);
    event_hash(buf_span(&first), head);
    ck_assert_int_eq(event_encode(2, AT, head, "a", "b", NULL, 0, &second, NULL), 0);
    ck_assert_int_eq(event_decode(buf_span(&second), &ev, NULL), 0);
    ck_assert(span_eq(ev.previous, SPAN_ARRAY(head)));
    first.p[first.n - 4] ^= 1;
    event_hash(buf_span(&first), head);
    ck_assert(!span_eq(ev.previous, SPAN_ARRAY(head)));
}
END_TEST

static const struct {
    const char *name;
    uint64_t number;
    int64_t at;
    const char *kind, *actor, *field, *value;
    enum err_code code;
} unwritable[] = {
    { "number 0", 0, AT, "k", "a", "f", "v", ERR_FORMAT },
    { "time before 1970", 1, -1, "k", "a", "f", "v", ERR_FORMAT },
    { "time after 9999", 1, EVENT_AT_MAX + 1, "k", "a", "f", "v", ERR_FORMAT },
    { "no kind", 1, AT, "", "a", "f", "v", ERR_FORMAT },
    { "control in kind", 1, AT, "k\n", "a", "f", "v", ERR_FORMAT },
    { "no actor", 1, AT, "k", "", "f", "v", ERR_FORMAT },
    { "no field name", 1, AT, "k", "a", "", "v", ERR_FORMAT },
    { "escape in value", 1, AT, "k", "a", "f", "\x1b[2J", ERR_FORMAT },
    { "C1 control in value", 1, AT, "k", "a", "f", "\xc2\x9b", ERR_FORMAT },
    { "overlong UTF-8", 1, AT, "k", "a", "f", "\xc0\xaf", ERR_FORMAT },
    { "surrogate", 1, AT, "k", "a", "f", "\xed\xa0\x80", ERR_FORMAT },
    { "beyond Unicode", 1, AT, "k", "a", "f", "\xf4\x90\x80\x80", ERR_FORMAT },
    { "cut character", 1, AT, "k", "a", "f", "\xe2\x82", ERR_FORMAT },
    { "lone continuation", 1, AT, "k", "a", "f", "\x80", ERR_FORMAT },
};

START_TEST(refuses_to_write)
{
    const struct event_field f = { unwritable[_i].field, unwritable[_i].value };
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;

    buf_put_u8(&b, 0xaa);
    ck_assert_msg(event_encode(unwritable[_i].number, unwritable[_i].at, zero,
                               unwritable[_i].kind, unwritable[_i].actor, &f, 1,
                               &b, &e) == -1, "%s", unwritable[_i].name);
    ck_assert_msg(e.code == unwritable[_i].code, "%s: %s", unwritable[_i].name,
                  err_name(e.code));
    ck_assert_uint_eq(b.n, 1); /* nothing was appended */
}
END_TEST

START_TEST(bounds)
{
    struct event_field f[EVENT_FIELDS_MAX + 1];
    char names[EVENT_FIELDS_MAX + 1][8];
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct event ev;

    for (size_t i = 0; i <= EVENT_FIELDS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "f%zu", i);
        f[i] = (struct event_field){ names[i], "v" };
    }
    ck_assert_int_eq(event_encode(1, AT, zero, "k", "a", f, EVENT_FIELDS_MAX,
                                  &b, &e), 0);
    ck_assert_int_eq(event_decode(buf_span(&b), &ev, &e), 0);
    ck_assert_uint_eq(ev.field_count, EVENT_FIELDS_MAX);
    ck_assert_int_eq(event_encode(1, AT, zero, "k", "a", f, EVENT_FIELDS_MAX + 1,
                                  &b, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    f[1].name = f[0].name;
    ck_assert_int_eq(event_encode(1, AT, zero, "k", "a", f, 2, &b, &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);

    char *big = malloc(EVENT_MAX + 1);
    memset(big, 'x', EVENT_MAX);
    big[EVENT_MAX] = 0;
    f[0].value = big;
    ck_assert_int_eq(event_encode(1, AT, zero, "k", "a", f, 1, &b, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    free(big);
}
END_TEST

static const struct {
    const char *name;
    const char *hex; /* after a good number, time and previous */
} unreadable[] = {
    { "no fields list", "0c016b0c0161" },
    { "trailing member", "0c016b0c016130000500" },
    { "kind empty", "0c000c01613000" },
    { "actor an octet string", "0c016b0401613000" },
    { "control character", "0c01070c01613000" },
    { "field without value", "0c016b0c0161300530030c0166" },
    { "field with a third member", "0c016b0c0161300b30090c01660c01760c0177" },
    { "field name twice", "0c016b0c0161301030060c01660c017630060c01660c0177" },
    { "field is a set", "0c016b0c0161300831060c01660c0176" },
};

START_TEST(refuses_to_read)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct err e = ERR_INIT;
    struct event ev = { .number = 99 };

    size_t m = der_open(&b);
    buf_put_hex(&b, "020101180f32303236313132333232343130305a0420");
    buf_put(&b, zero, sizeof zero);
    buf_put_hex(&b, unreadable[_i].hex);
    der_close(&b, 0x30, m);
    ck_assert(buf_ok(&b));
    ck_assert_msg(event_decode(buf_span(&b), &ev, &e) == -1, "%s",
                  unreadable[_i].name);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    ck_assert_uint_eq(ev.number, 99); /* untouched */
}
END_TEST

START_TEST(cut_and_extended_are_refused)
{
    static const struct event_field f[] = { { "id", "x" } };
    AUTO(buf_clear) struct buf b = encoded(f, 1);
    struct event ev;

    for (size_t n = 0; n < b.n; n++)
        ck_assert_int_eq(event_decode(SPAN(b.p, n), &ev, NULL), -1);
    ck_assert_int_eq(event_decode(buf_span(&b), &ev, NULL), 0);
    buf_put_u8(&b, 0);
    ck_assert_int_eq(event_decode(buf_span(&b), &ev, NULL), -1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("ifpp/event");
    TCase *tc = tcase_create("event");
    suite_add_tcase(s, tc);
    tcase_add_test(tc, octets_are_the_contract);
    tcase_add_test(tc, reads_what_it_wrote);
    tcase_add_test(tc, a_chain_holds_and_breaks);
    tcase_add_loop_test(tc, refuses_to_write, 0,
                        sizeof unwritable / sizeof *unwritable);
    tcase_add_test(tc, bounds);
    tcase_add_loop_test(tc, refuses_to_read, 0,
                        sizeof unreadable / sizeof *unreadable);
    tcase_add_test(tc, cut_and_extended_are_refused);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed != 0;
}
