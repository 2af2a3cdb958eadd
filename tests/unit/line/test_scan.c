/* What a scanner may say, and what a line makes of it. */
#include "station/line/scan.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define EID_GOOD "89049032123451234512345678901235"
#define EID_BAD "89049032123451234512345678901234"
#define X16 "xxxxxxxxxxxxxxxx"
#define X64 X16 X16 X16 X16

static bool known(void *ctx, const char *name)
{
    (void)ctx;
    return strcmp(name, "F1") == 0 || strcmp(name, "slot-12") == 0;
}

static const struct {
    const char *name;
    const char *line;
    size_t n; /* 0: strlen */
    enum scan_answer want;
    const char *fixture, *barcode;
} rows[] = {
    { "tab", "F1\tSN-1", 0, SCAN_OK, "F1", "SN-1" },
    { "space, known fixture", "F1 SN-1", 0, SCAN_OK, "F1", "SN-1" },
    { "carriage return", "F1\tSN-1\r", 0, SCAN_OK, "F1", "SN-1" },
    { "blank inside a serial", "slot-12\tSN 1 2", 0, SCAN_OK, "slot-12", "SN 1 2" },
    { "UTF-8 serial", "F1\tS\xc3\xa4" "1", 0, SCAN_OK, "F1", "S\xc3\xa4" "1" },
    { "EID", "F1\t" EID_GOOD, 0, SCAN_OK, "F1", EID_GOOD },
    { "31 digits are a serial", "F1\t8904903212345123451234567890123", 0, SCAN_OK,
      "F1", "8904903212345123451234567890123" },
    { "serial of 64", "F1\t" X64, 0, SCAN_OK, "F1", X64 },
    { "empty", "", 0, SCAN_EMPTY, "", "" },
    { "only a carriage return", "\r", 0, SCAN_EMPTY, "", "" },
    { "serial of 65", "F1\t" X64 "x", 0, SCAN_TOO_LONG, "F1", "" },
    { "line of 257", "F1\t" X64 X64 X64 X64, 0, SCAN_TOO_LONG, "", "" },
    { "NUL", "F1\tSN\0" "1", 7, SCAN_BINARY, "", "" },
    { "escape", "F1\tSN\x1b[1m", 0, SCAN_BINARY, "", "" },
    { "second tab", "F1\tSN\t1", 0, SCAN_BINARY, "", "" },
    { "not UTF-8", "F1\tSN\xff", 0, SCAN_BINARY, "", "" },
    { "carriage return inside", "F1\tSN\r1", 0, SCAN_BINARY, "", "" },
    { "fixture alone", "F1", 0, SCAN_NO_BARCODE, "F1", "" },
    { "fixture and tab", "F1\t", 0, SCAN_NO_BARCODE, "F1", "" },
    { "fixture and space", "F1 ", 0, SCAN_NO_BARCODE, "F1", "" },
    { "unknown, tab", "F9\tSN-1", 0, SCAN_UNKNOWN_FIXTURE, "F9", "" },
    { "unknown, space", "SN 1", 0, SCAN_UNKNOWN_FIXTURE, "SN", "" },
    { "barcode alone", EID_GOOD, 0, SCAN_UNKNOWN_FIXTURE, EID_GOOD, "" },
    { "case matters", "f1\tSN-1", 0, SCAN_UNKNOWN_FIXTURE, "f1", "" },
    { "fixture too long to be one", X64 "\tSN-1", 0, SCAN_UNKNOWN_FIXTURE, "", "" },
    { "no fixture", "\tSN-1", 0, SCAN_UNKNOWN_FIXTURE, "", "" },
    { "EID with a bad check", "F1\t" EID_BAD, 0, SCAN_MISREAD, "F1", EID_BAD },
    { "two spaces", "F1  SN-1", 0, SCAN_MISREAD, "F1", "" },
    { "blank at the end", "F1\tSN-1 ", 0, SCAN_MISREAD, "F1", "" },
};

START_TEST(parses)
{
    struct scan s;
    size_t n = rows[_i].n ? rows[_i].n : strlen(rows[_i].line);
    enum scan_answer a = scan_parse(SPAN(rows[_i].line, n), known, NULL, &s);

    ck_assert_msg(a == rows[_i].want, "%s: answer %d", rows[_i].name, a);
    ck_assert_msg(strcmp(s.fixture, rows[_i].fixture) == 0, "%s: fixture '%s'",
                  rows[_i].name, s.fixture);
    ck_assert_msg(strcmp(s.barcode, rows[_i].barcode) == 0, "%s: barcode '%s'",
                  rows[_i].name, s.barcode);
}
END_TEST

START_TEST(knows_an_eid)
{
    struct scan s;
    char digits[EID_DIGITS + 1];

    ck_assert_int_eq(scan_parse(SPAN_STR("F1\t" EID_GOOD), known, NULL, &s), SCAN_OK);
    ck_assert(s.is_eid);
    ck_assert_str_eq(eid_format(&s.eid, digits), EID_GOOD);
    ck_assert_int_eq(scan_parse(SPAN_STR("F1\tSN-1"), known, NULL, &s), SCAN_OK);
    ck_assert(!s.is_eid);
}
END_TEST

struct seen {
    char text[4096];
    unsigned too_long, lines;
};

static void see(void *ctx, struct span line)
{
    struct seen *s = ctx;
    struct scan scan;
    bool too_long = scan_parse(line, known, NULL, &scan) == SCAN_TOO_LONG;

    s->lines++;
    s->too_long += too_long;
    strncat(s->text, (const char *)line.p, too_long ? 0 : line.n);
    strcat(s->text, "|");
}

/* The same lines however the octets arrive. */
static const struct {
    const char *line, *command; /* NULL: none */
} commands[] = {
    { "LINESIDE-HELP", "HELP" },
    { "F1\tLINESIDE-Log-2", "Log-2" },
    { "lineside-help\r", "help" },
    { "F9\tlineside-1", "1" },
    { "LINESIDE-12345678901234567890123456789012", "12345678901234567890123456789012" },
    { "LINESIDE-123456789012345678901234567890123", NULL },
    { "LINESIDE-", NULL },
    { "F1\tLINESIDE-\r", NULL },
    { "LINESIDE", NULL },
    { "LINESIDE-A B", NULL },
    { "LINESIDE-A\tB", NULL },
    { "LINESIDE-\xc3\xa9", NULL },
    { "F1 LINESIDE-HELP", NULL },
    { "XLINESIDE-HELP", NULL },
    { "\r", NULL },
    { "", NULL },
};

START_TEST(knows_a_command)
{
    char command[COMMAND_SCAN_MAX + 1] = "";
    bool is = scan_command(SPAN_STR(commands[_i].line), command);

    ck_assert_msg(is == (commands[_i].command != NULL), "%s", commands[_i].line);
    if (is)
        ck_assert_str_eq(command, commands[_i].command);
}
END_TEST

START_TEST(cuts_lines)
{
    char in[4096] = "F1\ta\r\nF2\tb\n\n";
    struct scan_lines lines = { .n = 0 };
    struct seen seen = { "", 0, 0 };

    memset(in + strlen(in), 'y', 1000);
    strcat(in, "\n");
    /* Too long by one, or only where it is cut does a CR stand. */
    memset(in + strlen(in), 'y', SCAN_LINE_MAX + 1);
    strcat(in, "\r\n");
    memset(in + strlen(in), 'y', SCAN_LINE_MAX);
    strcat(in, "\r\ryyyy\nF1\tlast");
    for (size_t at = 0, n = strlen(in), step = (size_t)_i; at < n; at += step)
        scan_lines_feed(&lines, span_sub(SPAN(in, n), at, step), see, &seen);
    ck_assert_uint_eq(seen.lines, 6);
    scan_lines_end(&lines, see, &seen);
    scan_lines_end(&lines, see, &seen);
    ck_assert_str_eq(seen.text, "F1\ta\r|F2\tb|||||F1\tlast|");
    ck_assert_uint_eq(seen.lines, 7);
    ck_assert_uint_eq(seen.too_long, 3);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("line/scan");
    TCase *t = tcase_create("scan");

    tcase_add_loop_test(t, parses, 0, sizeof rows / sizeof *rows);
    tcase_add_test(t, knows_an_eid);
    tcase_add_loop_test(t, knows_a_command, 0, sizeof commands / sizeof *commands);
    tcase_add_loop_test(t, cuts_lines, 1, 20);
    suite_add_tcase(s, t);
    SRunner *r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
