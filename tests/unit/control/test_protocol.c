/* Requests: what is one, what is refused and how; the line's events as JSON,
 * against the schema; what the state makes of them. */
#include "station/control/events.h"
#include "station/control/protocol.h"
#include "station/control/state.h"
#include "tests/unit/control/schema.h"
#include "tests/unit/support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    const char *name, *line;
    enum err_code code;
    const char *id; /* as JSON */
    enum control_verb verb;
} requests[] = {
    { "snapshot", "{\"id\":1,\"do\":\"snapshot\"}", ERR_NONE, "1", CONTROL_SNAPSHOT },
    { "CR before LF", "{\"id\":1,\"do\":\"stop\"}\r", ERR_NONE, "1", CONTROL_STOP },
    { "text id", "{\"id\":\"a\",\"do\":\"version\"}", ERR_NONE, "\"a\"", CONTROL_VERSION },
    { "more members", "{\"x\":[1,{}],\"do\":\"scan\",\"id\":-7}", ERR_NONE, "-7", CONTROL_SCAN },
    { "empty", "", ERR_FORMAT, "null", 0 },
    { "blanks", "   ", ERR_FORMAT, "null", 0 },
    { "no JSON", "hello", ERR_FORMAT, "null", 0 },
    { "array", "[1]", ERR_FORMAT, "null", 0 },
    { "text", "\"do\"", ERR_FORMAT, "null", 0 },
    { "unfinished", "{\"id\":1,\"do\":\"stop\"", ERR_FORMAT, "null", 0 },
    { "two", "{\"id\":1,\"do\":\"stop\"}{}", ERR_FORMAT, "null", 0 },
    { "doubled member", "{\"id\":1,\"id\":2,\"do\":\"stop\"}", ERR_FORMAT, "null", 0 },
    { "no UTF-8", "{\"id\":1,\"do\":\"\377\"}", ERR_FORMAT, "null", 0 },
    { "NUL in a name", "{\"id\":1,\"do\":\"stop\\u0000\"}", ERR_FORMAT, "null", 0 },
    { "no id", "{\"do\":\"stop\"}", ERR_FORMAT, "null", 0 },
    { "null id", "{\"id\":null,\"do\":\"stop\"}", ERR_FORMAT, "null", 0 },
    { "real id", "{\"id\":1.5,\"do\":\"stop\"}", ERR_FORMAT, "null", 0 },
    { "object id", "{\"id\":{},\"do\":\"stop\"}", ERR_FORMAT, "null", 0 },
    { "huge id", "{\"id\":99999999999999999999,\"do\":\"stop\"}", ERR_FORMAT, "null", 0 },
    { "long id", "{\"id\":\"12345678901234567890123456789012345678901234567890"
                 "123456789012345\",\"do\":\"stop\"}", ERR_FORMAT, "null", 0 },
    { "no do", "{\"id\":1}", ERR_FORMAT, "1", 0 },
    { "do is a number", "{\"id\":1,\"do\":3}", ERR_FORMAT, "1", 0 },
    { "unknown", "{\"id\":1,\"do\":\"fly\"}", ERR_NOT_FOUND, "1", 0 },
    { "other case", "{\"id\":1,\"do\":\"STOP\"}", ERR_NOT_FOUND, "1", 0 },
};

START_TEST(reads_requests)
{
    struct control_request r;
    struct err e = ERR_INIT;

    int bad = control_request_read(SPAN_STR(requests[_i].line), &r, &e);
    ck_assert_msg(e.code == requests[_i].code, "%s: %s %s", requests[_i].name,
                  err_name(e.code), e.msg);
    ck_assert_int_eq(bad != 0, requests[_i].code != ERR_NONE);
    ck_assert(bad || r.verb == requests[_i].verb);
    char *id = json_dumps(r.id, JSON_ENCODE_ANY);
    ck_assert_str_eq(id, requests[_i].id);
    free(id);
    json_t *reply = bad ? control_reply_refused(r.id, &e) : control_reply_ok(r.id);
    schema_check(reply);
    json_decref(reply);
    control_request_clear(&r);
}
END_TEST

START_TEST(bounds_requests)
{
    AUTO(buf_clear) struct buf b = BUF_INIT;
    struct control_request r;
    struct err e = ERR_INIT;

    /* As deep as there is room. */
    buf_put(&b, "{\"id\":1,\"do\":", 13);
    while (b.n < CONTROL_REQUEST_MAX - 1)
        buf_put_u8(&b, '[');
    ck_assert_int_eq(control_request_read(buf_span(&b), &r, &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    control_request_clear(&r);
    buf_put_u8(&b, '[');
    ck_assert_int_eq(control_request_read(buf_span(&b), &r, &e), -1);
    ck_assert_int_eq(e.code, ERR_LIMIT);
    control_request_clear(&r);
}
END_TEST

START_TEST(wants_text)
{
    struct control_request r;
    struct err e = ERR_INIT;
    struct span text;

    ck_assert_int_eq(control_request_read(
        SPAN_STR("{\"id\":1,\"do\":\"scan\",\"line\":\"F1\\tSN\",\"n\":1}"), &r, &e), 0);
    ck_assert_int_eq(control_text(&r, "line", &text, &e), 0);
    ck_assert(span_eq(text, SPAN_STR("F1\tSN")));
    ck_assert_int_eq(control_text(&r, "n", &text, &e), -1);
    ck_assert_int_eq(control_text(&r, "none", &text, &e), -1);
    ck_assert_int_eq(e.code, ERR_FORMAT);
    control_request_clear(&r);
}
END_TEST

/* --- events and the state -------------------------------------------------------- */

static struct line_event event(enum line_event_kind kind)
{
    return (struct line_event){
        .kind = kind, .fixture = "F1", .serial = "S\xc3\xa9\xc3", .eid = "89",
        .step = "load", .txid = "ab", .iccid = "12", .detail = "why",
        .place = "1-2", .state = kind == LINE_SESSION ? "pin" : "card",
        .person = "Bob", .order = "WO-1", .position = "main",
        .verdict = kind == LINE_VERDICT ? verdict_row(V_DONE) : NULL,
        .sw = 0x6A80 };
}

/* Kept or lent, cut text or whole: each is one the schema knows. */
START_TEST(names_verbs)
{
    const char *name = control_verb_name((enum control_verb)_i);
    enum control_verb v;
    struct err e = ERR_INIT;

    ck_assert_msg(name != NULL, "verb %d has no name", _i);
    ck_assert_msg(schema_knows_verb(name), "the schema does not know %s", name);
    ck_assert_int_eq(control_verb_parse(name, &v, &e), 0);
    ck_assert_int_eq(v, _i);
}
END_TEST

static struct control_request request(const char *line)
{
    struct control_request r;
    struct err e = ERR_INIT;

    ck_assert_msg(control_request_read(SPAN(line, strlen(line)), &r, &e) == 0, "%s", e.msg);
    return r;
}

START_TEST(wants_numbers)
{
    static const struct {
        const char *line;
        bool good;
        uint64_t n;
    } rows[] = {
        { "{\"id\":1,\"do\":\"log\"}", true, 7 },
        { "{\"id\":1,\"do\":\"log\",\"limit\":1}", true, 1 },
        { "{\"id\":1,\"do\":\"log\",\"limit\":1000}", true, 1000 },
        { "{\"id\":1,\"do\":\"log\",\"limit\":0}", false, 7 },
        { "{\"id\":1,\"do\":\"log\",\"limit\":1001}", false, 7 },
        { "{\"id\":1,\"do\":\"log\",\"limit\":-1}", false, 7 },
        { "{\"id\":1,\"do\":\"log\",\"limit\":5.0}", false, 7 },
        { "{\"id\":1,\"do\":\"log\",\"limit\":\"5\"}", false, 7 },
        { "{\"id\":1,\"do\":\"log\",\"limit\":null}", false, 7 },
    };
    struct control_request r = request(rows[_i].line);
    struct err e = ERR_INIT;
    uint64_t n = 7;

    ck_assert_int_eq(control_number(&r, "limit", 1, 1000, &n, &e) == 0, rows[_i].good);
    ck_assert_uint_eq(n, rows[_i].n);
    ck_assert_int_eq(e.code, rows[_i].good ? ERR_NONE : ERR_FORMAT);
    control_request_clear(&r);
}
END_TEST

/* Wherever it stands: no octet of a PIN is left where it was read to. */
START_TEST(forgets_pins)
{
    struct control_request r = request(
        "{\"id\":1,\"do\":\"void\",\"pin\":\"47110815\",\"newPin\":\"47110816\","
        "\"second\":{\"badge\":\"B-1\",\"pin\":\"47110817\"}}");
    json_t *second = json_object_get(r.words, "second");
    const char *pins[] = { json_string_value(json_object_get(r.words, "pin")),
                           json_string_value(json_object_get(r.words, "newPin")),
                           json_string_value(json_object_get(second, "pin")) };

    control_forget_secrets(r.words);
    for (size_t i = 0; i < sizeof pins / sizeof *pins; i++)
        for (size_t at = 0; at < 8; at++)
            ck_assert_int_eq(pins[i][at], 0);
    ck_assert_str_eq(json_string_value(json_object_get(second, "badge")), "B-1");
    control_request_clear(&r);
    struct control_request odd = request("{\"id\":1,\"do\":\"void\",\"pin\":7,\"second\":[]}");
    control_forget_secrets(odd.words);
    control_request_clear(&odd);
}
END_TEST

START_TEST(tells_events)
{
    struct line_event ev = event((enum line_event_kind)_i);
    struct told kept;

    json_t *j = control_event_json(&ev);
    schema_check(j);
    told_keep(&kept, &ev);
    json_t *again = control_event_json(&kept.ev);
    ck_assert(json_equal(j, again));
    json_decref(again);
    json_decref(j);
}
END_TEST

START_TEST(keeps_no_more_than_fits)
{
    static char huge[4000];
    struct line_event ev = event(LINE_BUSY);
    struct told kept;

    memset(huge, 'x', sizeof huge - 1);
    ev.serial = ev.detail = huge;
    told_keep(&kept, &ev);
    ck_assert_str_eq(kept.ev.fixture, "F1");
    ck_assert_uint_lt(strlen(kept.ev.serial), sizeof kept.text);
    ck_assert_str_eq(kept.ev.detail, "");
}
END_TEST

static json_t *state_of(const struct state *s)
{
    struct control_stock k = { .unresolved = 3 };
    struct control_work w = { .n = 1, .shift = 3, .since = 1764300000, .passed = 7,
                              .orders = { { .number = "WO-1", .product = "box",
                                            .quantity = 9, .left = 2 } } };
    json_t *j = json_pack("{s:s, s:o}", "event", "snapshot", "state",
                          state_json(s, &k, &w));

    schema_check(j);
    return j;
}

static json_t *first_fixture(json_t *message)
{
    return json_array_get(json_object_get(json_object_get(message, "state"),
                                          "fixtures"), 0);
}

START_TEST(follows_a_unit)
{
    struct state *s = state_new();
    struct line_event ev = event(LINE_READY);
    const struct line_fixture list = { "F1", NULL, NULL, "" };

    ev.fixtures = 1;
    ev.list = &list;
    state_apply(s, &ev);
    json_t *j = state_of(s);
    ck_assert(json_is_false(json_object_get(first_fixture(j), "busy")));
    json_decref(j);

    ev = event(LINE_BUSY);
    state_apply(s, &ev);
    ev = event(LINE_VERDICT); /* a scan that was refused does not end it */
    ev.verdict = verdict_row(V_SCAN_BUSY);
    state_apply(s, &ev);
    j = state_of(s);
    ck_assert(json_is_true(json_object_get(first_fixture(j), "busy")));
    ck_assert_ptr_null(json_object_get(first_fixture(j), "last"));
    json_decref(j);

    ev = event(LINE_VERDICT);
    state_apply(s, &ev);
    j = state_of(s);
    ck_assert(json_is_false(json_object_get(first_fixture(j), "busy")));
    ck_assert_str_eq(json_string_value(json_object_get(
        json_object_get(first_fixture(j), "last"), "code")), "done");
    json_decref(j);
    ck_assert_uint_eq(state_seen(s), 4);
    state_free(s);
}
END_TEST

/* The fixture took the scan, and then would not work on that unit. */
START_TEST(is_free_after_a_refused_unit)
{
    struct state *s = state_new();
    struct line_event ev = event(LINE_BUSY);

    state_apply(s, &ev);
    ev = event(LINE_VERDICT);
    ev.verdict = verdict_row(V_FIXTURE_STOPPED);
    ev.taken = true;
    state_apply(s, &ev);
    json_t *j = state_of(s);
    ck_assert(json_is_false(json_object_get(first_fixture(j), "busy")));
    ck_assert_ptr_null(json_object_get(first_fixture(j), "last"));
    json_decref(j);
    /* Who follows events alone can tell it from a scan that changed nothing. */
    j = control_event_json(&ev);
    schema_check(j);
    ck_assert(json_is_true(json_object_get(j, "taken")));
    json_decref(j);
    ev.taken = false;
    j = control_event_json(&ev);
    ck_assert_ptr_null(json_object_get(j, "taken"));
    json_decref(j);
    state_free(s);
}
END_TEST

/* The screen that is started later says CHECK as well: a unit in quarantine, or
 * scrapped, is the last one that was there. What is refused after it is not. */
START_TEST(remembers_what_is_held)
{
    const enum verdict v = _i ? V_SCRAPPED : V_QUARANTINED;
    struct state *s = state_new();
    struct line_event ev = event(LINE_VERDICT);

    state_apply(s, &ev);
    ev = event(LINE_VERDICT);
    ev.verdict = verdict_row(v);
    ev.order = "";
    state_apply(s, &ev); /* no fixture had taken it: another's is there */
    json_t *j = state_of(s);
    ck_assert_str_eq(json_string_value(json_object_get(
        json_object_get(first_fixture(j), "last"), "code")), "done");
    json_decref(j);
    ev.taken = true;
    state_apply(s, &ev);
    ev.verdict = verdict_row(V_FIXTURE_STOPPED);
    state_apply(s, &ev);
    j = state_of(s);
    const json_t *f = first_fixture(j), *last = json_object_get(f, "last");
    ck_assert_str_eq(json_string_value(json_object_get(last, "verdict")), "REFUSED");
    ck_assert_str_eq(json_string_value(json_object_get(last, "code")), verdict_row(v)->code);
    ck_assert_str_eq(json_string_value(json_object_get(last, "next")), verdict_row(v)->next);
    ck_assert_str_eq(json_string_value(json_object_get(f, "order")), "WO-1");
    json_decref(j);
    state_free(s);
}
END_TEST

START_TEST(knows_where_fixtures_stand)
{
    struct state *s = state_new();
    struct line_event ev = event(LINE_STANDS);

    ev.row = 2;
    ev.column = 3;
    state_apply(s, &ev);
    json_t *j = state_of(s);
    ck_assert_int_eq(json_integer_value(json_object_get(first_fixture(j), "row")), 2);
    ck_assert_int_eq(json_integer_value(json_object_get(first_fixture(j), "column")), 3);
    json_decref(j);
    ev.row = ev.column = 0;
    state_apply(s, &ev);
    j = state_of(s);
    ck_assert_ptr_null(json_object_get(first_fixture(j), "row"));
    ck_assert_ptr_null(json_object_get(first_fixture(j), "column"));
    json_decref(j);
    state_free(s);
}
END_TEST

/* Copies do not follow; no number of places is too many. */
START_TEST(stays_within_bounds)
{
    struct state *s = state_new(), *copy = state_new();
    char name[32];

    for (int i = 0; i < LINE_FIXTURES_MAX + 5; i++) {
        struct line_event ev = event(i % 2 ? LINE_FIXTURE : LINE_BUSY);
        snprintf(name, sizeof name, "F%d", i);
        ev.fixture = name;
        state_apply(s, &ev);
        ev = event(LINE_SCANNER);
        ev.place = name;
        state_apply(s, &ev);
    }
    state_copy(copy, s);
    struct line_event ev = event(LINE_VERDICT);
    state_apply(s, &ev);
    ck_assert_uint_eq(state_seen(copy) + 1, state_seen(s));
    json_t *j = state_of(copy), *state = json_object_get(j, "state");
    ck_assert_uint_eq(json_array_size(json_object_get(state, "fixtures")), LINE_FIXTURES_MAX);
    ck_assert_uint_eq(json_array_size(json_object_get(state, "scanners")), STATE_SCANNERS_MAX);
    ck_assert_int_eq(json_integer_value(json_object_get(state, "notListed")),
                     5 + LINE_FIXTURES_MAX + 5 - STATE_SCANNERS_MAX);
    json_decref(j);
    state_free(s);
    state_free(copy);
}
END_TEST

START_TEST(finds_long_places)
{
    char dir[400] = "/tmp/";
    struct sockaddr_un a;
    struct err e = ERR_INIT;
    int fd;

    ck_assert_int_eq(control_address("/tmp", &a, &fd, &e), 0);
    ck_assert_str_eq(a.sun_path, "/tmp/" CONTROL_SOCKET);
    ck_assert_int_eq(fd, -1);
    while (strlen(dir) < 300)
        strcat(dir, "./././");
    ck_assert_int_eq(control_address(dir, &a, &fd, &e), 0);
    ck_assert_int_ge(fd, 0);
    close(fd);
    strcat(dir, "none");
    ck_assert_int_eq(control_address(dir, &a, &fd, &e), -1);
    ck_assert_int_eq(e.code, ERR_IO);
}
END_TEST

int main(void)
{
    const struct table_test tests[] = {
        { "reads requests", reads_requests, sizeof requests / sizeof *requests },
        { "bounds requests", bounds_requests, 1 },
        { "wants text", wants_text, 1 },
        { "names verbs", names_verbs, CONTROL_VERBS },
        { "wants numbers", wants_numbers, 9 },
        { "forgets PINs", forgets_pins, 1 },
        { "tells events", tells_events, LINE_STANDS + 1 },
        { "keeps no more than fits", keeps_no_more_than_fits, 1 },
        { "follows a unit", follows_a_unit, 1 },
        { "is free after a refused unit", is_free_after_a_refused_unit, 1 },
        { "remembers what is held", remembers_what_is_held, 2 },
        { "knows where fixtures stand", knows_where_fixtures_stand, 1 },
        { "stays within bounds", stays_within_bounds, 1 },
        { "finds long places", finds_long_places, 1 },
    };

    return run_tests("protocol", tests, sizeof tests / sizeof *tests);
}
